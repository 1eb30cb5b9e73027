/* upkeep_test.c -- what the background does unasked, and what becomes of its failures. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "engine/db_internal.h"
#include "support/store.h"
#include "unit/engine/bed.h"

/* ---- with threads ---- */

struct busy {
    struct sim_disk *disk;
    struct yore_db *db;
    _Atomic int told;
};

/* Reads and looks at the statistics, and takes a lock that whoever failed may have held. */
static void hook(void *arg, const struct yore_event *event)
{
    struct busy *b = arg;
    struct yore_value value = {0};
    if (event->kind != YORE_EVENT_FAILED) {
        return;
    }
    CHECK(event->text[0] != '\0');
    CHECK_EQ_UINT(store_stat(b->db, "is_failed"), 1);
    CHECK_OK(yore_get(b->db, NULL, text("before"), NULL, &value, NULL));
    yore_value_release(&value);
    os_mutex_lock(&b->db->manifest_lock);
    os_mutex_unlock(&b->db->manifest_lock);
    atomic_fetch_add(&b->told, 1);
}

static void busy_open(struct busy *b)
{
    struct yore_options options;
    struct yore_error error = {.text = ""};
    store_options_tiny(&options);
    options.memtable_bytes = 64u << 10;
    options.value_apart_bytes = 4096;
    options.interval_ms = 1;
    options.on_event = hook;
    options.event_arg = b;
    *b = (struct busy){.disk = sim_disk_new(1)};
    CHECK(b->disk != NULL);
    sim_disk_set_wall(b->disk, BED_T0);
    enum yore_status st = db_open(sim_disk_env(b->disk), "db", &options, &b->db, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
}

/* Let seconds pass for the database, and a little time for its threads. */
static void pass_time(struct busy *b)
{
    sim_disk_advance(b->disk, 2 * BED_SECOND);
    os_mutex_lock(&b->db->lock);
    os_cond_broadcast(&b->db->timer);
    os_cond_broadcast(&b->db->upkeep);
    os_mutex_unlock(&b->db->lock);
    (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

#define LARGE_BYTES (16u << 10)
#define LARGE_KEYS 4
#define SMALL_BYTES 4000

/* Beside each a small one, so that memtables are full soon. */
static void write_large(struct busy *b, struct yore_keyspace *keyspace, int count)
{
    static char value[LARGE_BYTES];
    for (int i = 0; i < count; i++) {
        CHECK_OK(
            yore_put(b->db, keyspace, text("small"), bytes_of(value, SMALL_BYTES), NULL, NULL));
        char key[16];
        (void)snprintf(key, sizeof key, "large/%d", i % LARGE_KEYS);
        memset(value, 'a' + i % 26, sizeof value);
        CHECK_OK(yore_put(b->db, keyspace, text(key), bytes_of(value, sizeof value), NULL, NULL));
    }
}

static void check_large(struct busy *b, struct yore_keyspace *keyspace, int last)
{
    for (int i = last - LARGE_KEYS; i < last; i++) {
        struct yore_value value;
        char key[16];
        (void)snprintf(key, sizeof key, "large/%d", i % LARGE_KEYS);
        CHECK_OK(yore_get(b->db, keyspace, text(key), NULL, &value, NULL));
        CHECK_EQ_UINT(value.size, LARGE_BYTES);
        CHECK_EQ_INT(*(const char *)value.data, 'a' + i % 26);
        yore_value_release(&value);
    }
}

/* 64 KiB live of 30 MiB written.  A pass waits until as much is new as the one before found wanted,
 * and versions that no merge has met yet are wanted: how many these are is up to the background. */
TEST(large_values_that_are_overwritten_leave_by_themselves)
{
    struct busy b;
    struct yore_keyspace *keyspace;
    const struct yore_keyspace_options only_now = {.keep = YORE_KEEP_NOW};
    const uint64_t bound = 6u << 20;
    busy_open(&b);
    CHECK_OK(yore_keyspace_create(b.db, "now", &only_now, &keyspace, NULL));
    for (int round = 0; round < 30; round++) {
        uint64_t used = UINT64_MAX;
        write_large(&b, keyspace, 64); /* 1 MiB */
        for (int i = 0; i < 60000 && used > bound; i++) {
            pass_time(&b);
            used = sim_disk_used(b.disk);
        }
        CHECK_MSG(used <= bound, "round %d: %llu octets on disk", round, (unsigned long long)used);
        check_large(&b, keyspace, 64);
    }
    CHECK(store_stat(b.db, "value_file_bytes") <= bound);
    CHECK_OK(yore_verify(b.db, NULL, NULL, NULL, NULL));
    CHECK_OK(yore_close(b.db, NULL));
    sim_disk_free(b.disk);
}

/* Every sync of a flush fails in its turn, the manifest's too. */
TEST(the_hook_hears_of_a_failure_once_and_with_no_lock_held)
{
    unsigned failures = 0;
    for (uint64_t nth = 1; nth <= 6; nth++) {
        struct busy b;
        busy_open(&b);
        put(b.db, "before", "1");
        sim_disk_fail(b.disk, SIM_FAULT_SYNC, nth, true);
        enum yore_status st = yore_flush(b.db, NULL);
        for (int i = 0; i < 60000 && st != YORE_OK && atomic_load(&b.told) == 0; i++) {
            pass_time(&b);
        }
        CHECK_EQ_INT(atomic_load(&b.told), st != YORE_OK);
        failures += st != YORE_OK;
        (void)!yore_close(b.db, NULL);
        sim_disk_free(b.disk);
    }
    CHECK(failures >= 3);
}

TEST(a_large_value_that_cannot_be_written_stops_all_writes)
{
    struct busy b;
    static char value[LARGE_BYTES];
    busy_open(&b);
    put(b.db, "before", "1");
    write_large(&b, NULL, 1);
    sim_disk_fail(b.disk, SIM_FAULT_WRITE, 1, false);
    CHECK_EQ_INT(yore_put(b.db, NULL, text("k"), bytes_of(value, sizeof value), NULL, NULL),
                 YORE_IO);
    CHECK_EQ_INT(yore_put(b.db, NULL, text("k"), text("small"), NULL, NULL), YORE_IO);
    CHECK_EQ_STR(get(b.db, "before"), "1");
    CHECK_EQ_INT(yore_close(b.db, NULL), YORE_IO);
    sim_disk_free(b.disk);
}

/* ---- the manifest ---- */

/* An edit that says nothing new, at length. */
static enum yore_status commit_nothing(struct yore_db *db, unsigned times)
{
    struct edit edit = {0};
    struct superview *view = superview_acquire(db);
    for (unsigned i = 0; i < times; i++) {
        edit_numbers(&edit, view->forest);
    }
    superview_release(view);
    CHECK(!edit.is_nomem);
    enum yore_status st = db_commit_edit(db, &edit, NULL, NULL);
    edit_release(&edit);
    return st;
}

static bool is_long(const struct manifest *manifest, uint64_t more)
{
    return manifest_bytes(manifest) + more > 2 * manifest_base_bytes(manifest) + MANIFEST_BYTES_MAX;
}

/* The edit that makes the manifest long enough, with one failing allocation, the `nth`.  False: it
 * has fewer. */
static bool rewrite_failing(uint64_t nth, unsigned *kept)
{
    struct bed bed;
    bed_open(&bed);
    put(bed.db, "a", "1");
    CHECK_OK(yore_flush(bed.db, NULL));
    uint64_t number = manifest_number(bed.db->manifest);
    uint64_t before = manifest_bytes(bed.db->manifest);
    CHECK_OK(commit_nothing(bed.db, 5000));
    uint64_t size = manifest_bytes(bed.db->manifest) - before;
    while (!is_long(bed.db->manifest, size)) {
        CHECK_OK(commit_nothing(bed.db, 5000));
    }
    CHECK_EQ_UINT(manifest_number(bed.db->manifest), number);
    uint64_t next = atomic_load(&bed.db->next_file);
    mem_fail_at(nth, false);
    enum yore_status st = commit_nothing(bed.db, 5000);
    bool is_over = mem_count() < nth;
    mem_fail_at(0, false);
    if (atomic_load(&bed.db->next_file) > next) { /* the edit itself was done */
        CHECK_OK(st);
        *kept += manifest_number(bed.db->manifest) == number;
        put(bed.db, "b", "2");
        CHECK_OK(yore_flush(bed.db, NULL));
        CHECK(manifest_number(bed.db->manifest) != number);
        CHECK_OK(yore_verify(bed.db, NULL, NULL, NULL, NULL));
        bed_reopen(&bed);
        CHECK_EQ_STR(get(bed.db, "b"), "2");
    }
    (void)!yore_close(bed.db, NULL);
    sim_disk_free(bed.disk);
    return !is_over;
}

TEST(a_manifest_that_could_not_be_rewritten_for_want_of_memory_is_tried_again)
{
    unsigned kept = 0;
    struct bed bed;
    bed_open(&bed);
    mem_fail_at(UINT64_MAX, false);
    CHECK_OK(commit_nothing(bed.db, 5000));
    uint64_t first = mem_count(); /* the edit's own, without a rewriting */
    mem_fail_at(0, false);
    bed_close(&bed);
    for (uint64_t nth = first > 4 ? first - 4 : 1; rewrite_failing(nth, &kept); nth++) {
    }
    CHECK(kept > 3);
}

/* ---- tables of work that failed ---- */

static void count_table(void *arg, const char *file, uint64_t size)
{
    (void)size;
    *(uint64_t *)arg += strstr(file, "/table-") != NULL;
}

/* Slices and levels to merge into, and on top of them new versions, late facts and an erasure. */
static void fill_for_work(struct bed *bed)
{
    bed_open(bed);
    for (int i = 0; i < 80; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i % 10);
        (void)put_at(bed->db, key, "value of some length", AT(100 + i), YORE_FOREVER);
        if (i == 39) {
            CHECK_OK(yore_compact(bed->db, NULL, NULL));
        }
    }
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
    (void)put_at(bed->db, "k3", "late", AT(111), YORE_FOREVER);
    (void)put_at(bed->db, "k4", "late", AT(155), YORE_FOREVER);
    (void)put(bed->db, "k5", "new");
    (void)erase_key(bed->db, "k6", YORE_TIME_MIN, YORE_FOREVER);
}

/* All upkeep with one failing allocation, the `nth`.  False: it has fewer. */
static bool work_failing(uint64_t nth, unsigned *failed)
{
    struct bed bed;
    uint64_t tables = 0;
    fill_for_work(&bed);
    mem_fail_at(nth, false);
    enum yore_status st = yore_compact(bed.db, NULL, NULL);
    bool is_over = mem_count() < nth;
    mem_fail_at(0, false);
    CHECK(st == YORE_OK || st == YORE_NOMEM);
    if (store_stat(bed.db, "is_failed") == 0) { /* else the manifest may name them */
        store_files(bed.disk, "db", count_table, &tables);
        CHECK_MSG(tables == store_stat(bed.db, "tables"),
                  "allocation %" PRIu64 " fails: %" PRIu64 " table files, %" PRIu64 " in use", nth,
                  tables, store_stat(bed.db, "tables"));
        *failed += st != YORE_OK;
    }
    (void)!yore_close(bed.db, NULL);
    sim_disk_free(bed.disk);
    return !is_over;
}

TEST(work_that_finds_no_memory_leaves_no_table_behind)
{
    unsigned failed = 0;
    for (uint64_t nth = 1; work_failing(nth, &failed); nth++) {
    }
    CHECK(failed > 100);
}

TEST_MAIN(large_values_that_are_overwritten_leave_by_themselves,
          the_hook_hears_of_a_failure_once_and_with_no_lock_held,
          a_large_value_that_cannot_be_written_stops_all_writes,
          a_manifest_that_could_not_be_rewritten_for_want_of_memory_is_tried_again,
          work_that_finds_no_memory_leaves_no_table_behind)
