/* handles_test.c -- file handles: how many are held at once, and what happens when there are none.
 *
 * A database whose tables are many times the files it may open, on a simulated disk that counts
 * handles and can refuse them.
 */
#include <stdio.h>
#include <string.h>

#include "unit/engine/bed.h"

#define FILES_MAX 16u
#define KEYS 3000u
#define ROUNDS 3u
/* Beside files of tables: lock, manifest, journal (the segment before too), and of a job the
 * tables, slices and value file it writes. */
#define OTHER_HANDLES 40u
#define VALUE_BYTES 200u

static void open_db(struct bed *bed)
{
    struct yore_options options;
    struct yore_error error = {.text = ""};
    yore_options_init(&options);
    options.cache_bytes = 1u << 20;
    options.memtable_bytes = 64u << 10;
    options.segment_bytes = 64u << 10;
    options.table_bytes = 16u << 10;
    options.page_bytes = 512;
    options.seal_versions_per_key = 2;
    options.seal_bytes_min = 4u << 10;
    options.open_files_max = FILES_MAX;
    enum yore_status st = db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
}

static const char *key_of(unsigned number)
{
    static char key[16];
    (void)snprintf(key, sizeof key, "key%05u", number % 100000);
    return key;
}

static struct yore_bytes value_of(unsigned number)
{
    static unsigned char value[VALUE_BYTES];
    struct test_rand rand = {.state = test_seed() ^ number}; /* whichever case asks first */
    test_rand_fill(&rand, value, sizeof value);              /* nothing to compress */
    return (struct yore_bytes){value, sizeof value};
}

/* Levels, slices and runs: more than eight times the files that may be open. */
static struct sim_disk *new_disk_with_tables(void)
{
    struct bed bed = {.disk = sim_disk_new(1)};
    sim_disk_set_wall(bed.disk, BED_T0);
    open_db(&bed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < KEYS; i++) {
            CHECK_OK(
                yore_put(bed.db, NULL, text(key_of(i)), value_of(round * KEYS + i), NULL, NULL));
        }
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
    }
    CHECK_OK(yore_close(bed.db, NULL));
    return bed.disk;
}

/* They are written once, and every case has its own copy. */
static void make_tables(struct bed *bed)
{
    static struct sim_disk *made;
    if (made == NULL) {
        made = new_disk_with_tables();
    }
    bed->disk = sim_disk_clone(made, 1);
    open_db(bed);
    (void)sim_disk_handles_peak(bed->disk);
}

static void check_peak(struct bed *bed, const char *what)
{
    uint64_t peak = sim_disk_handles_peak(bed->disk);
    CHECK_MSG(peak <= FILES_MAX + OTHER_HANDLES, "%s: %llu handles at once", what,
              (unsigned long long)peak);
}

static void get_all(struct bed *bed)
{
    for (unsigned i = 0; i < KEYS; i++) {
        struct yore_value value = {0};
        struct yore_error error = {.text = ""};
        enum yore_status st = yore_get(bed->db, NULL, text(key_of(i)), NULL, &value, &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
        yore_value_release(&value);
    }
}

static uint64_t count_files(struct bed *bed)
{
    struct yore_verify_report report;
    CHECK_OK(yore_verify(bed->db, NULL, NULL, &report, NULL));
    return report.files;
}

TEST(there_are_many_more_tables_than_files_that_may_be_open)
{
    struct bed bed;
    make_tables(&bed);
    uint64_t files = count_files(&bed);
    CHECK_MSG(files >= 6 * FILES_MAX, "%llu", (unsigned long long)files);
    bed_close(&bed);
}

TEST(a_compaction_of_many_tables_opens_few_at_once)
{
    struct bed bed;
    make_tables(&bed);
    for (unsigned i = 0; i < KEYS; i++) {
        CHECK_OK(yore_put(bed.db, NULL, text(key_of(i)), value_of(i), NULL, NULL));
    }
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    check_peak(&bed, "compact");
    bed_close(&bed);
}

TEST(verifying_many_tables_opens_few_at_once)
{
    struct bed bed;
    make_tables(&bed);
    CHECK_OK(yore_verify(bed.db, NULL, NULL, NULL, NULL));
    check_peak(&bed, "verify");
    bed_close(&bed);
}

TEST(a_walk_over_every_version_opens_few_tables_at_once)
{
    struct bed bed;
    make_tables(&bed);
    struct yore_changes_options options = {
        .from = YORE_TIME_MIN, .to = YORE_NOW, .known = YORE_NOW, .every_version = true};
    struct yore_changes *changes = NULL;
    struct yore_change change;
    uint64_t count = 0;
    CHECK_OK(yore_changes_open(bed.db, NULL, &options, &changes, NULL));
    while (yore_changes_next(changes, &change, NULL) == YORE_OK) {
        count++;
    }
    yore_changes_close(changes);
    CHECK_EQ_UINT(count, ROUNDS * KEYS);
    check_peak(&bed, "changes");
    bed_close(&bed);
}

/* Opened anew, so that no table's file is open; the handles held. */
static uint64_t reopen(struct bed *bed)
{
    CHECK_OK(yore_close(bed->db, NULL));
    open_db(bed);
    (void)sim_disk_handles_peak(bed->disk);
    return sim_disk_handles_peak(bed->disk);
}

#define CURSORS (8 * FILES_MAX)

TEST(many_cursors_at_once_open_few_tables)
{
    struct bed bed;
    make_tables(&bed);
    uint64_t held = reopen(&bed);
    struct yore_cursor *cursors[CURSORS];
    for (unsigned i = 0; i < CURSORS; i++) {
        CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursors[i], NULL));
        CHECK_OK(yore_cursor_seek(cursors[i], text(key_of(i * (KEYS / CURSORS)))));
    }
    CHECK(sim_disk_handles_peak(bed.disk) <= held + FILES_MAX);
    for (unsigned i = 0; i < CURSORS; i++) {
        yore_cursor_close(cursors[i]);
    }
    bed_close(&bed);
}

TEST(reads_go_on_while_the_system_gives_one_handle_for_all_tables)
{
    struct bed bed;
    make_tables(&bed);
    sim_disk_set_handles(bed.disk, reopen(&bed) + 1);
    get_all(&bed);
    sim_disk_set_handles(bed.disk, 0);
    bed_close(&bed);
}

TEST(a_table_that_cannot_be_opened_for_want_of_handles_is_no_damage)
{
    struct bed bed;
    struct yore_error error;
    struct yore_verify_report report;
    make_tables(&bed);
    sim_disk_set_handles(bed.disk, reopen(&bed));
    CHECK_STATUS(yore_verify(bed.db, NULL, NULL, &report, &error), YORE_NO_FILES);
    CHECK_EQ_UINT(report.problems, 0);
    CHECK_MSG(strstr(error.text, "too many open files") != NULL, "%s", error.text);
    sim_disk_set_handles(bed.disk, 0);
    bed_close(&bed);
}

TEST(a_check_of_a_closed_database_finds_no_damage_however_few_handles_there_are)
{
    struct bed bed;
    unsigned refused = 0;
    enum yore_status st = YORE_NO_FILES;
    make_tables(&bed);
    CHECK_OK(yore_close(bed.db, NULL));
    for (uint64_t handles = 1; st != YORE_OK; handles++) {
        struct yore_verify_report report;
        struct yore_error error;
        sim_disk_set_handles(bed.disk, handles);
        st = db_verify_path(sim_disk_env(bed.disk), "db", NULL, NULL, &report, &error);
        CHECK_MSG(st == YORE_OK || st == YORE_NO_FILES, "%u handles: %s", (unsigned)handles,
                  error.text);
        CHECK_EQ_UINT(report.problems, 0);
        refused += st != YORE_OK;
    }
    CHECK(refused >= 1);
    sim_disk_free(bed.disk);
}

TEST(work_that_is_refused_handles_stops_no_writes)
{
    struct bed bed;
    unsigned refused = 0;
    make_tables(&bed);
    uint64_t held = reopen(&bed);
    for (unsigned more = 0; more < 6; more++) {
        for (unsigned i = 0; i < KEYS / 4; i++) {
            CHECK_OK(
                yore_put(bed.db, NULL, text(key_of(i)), value_of(more * KEYS + i), NULL, NULL));
        }
        CHECK_OK(yore_flush(bed.db, NULL));
        sim_disk_set_handles(bed.disk, held + more);
        enum yore_status st = yore_compact(bed.db, NULL, NULL);
        CHECK(st == YORE_OK || st == YORE_NO_FILES);
        refused += st != YORE_OK;
        sim_disk_set_handles(bed.disk, 0);
        CHECK_OK(yore_put(bed.db, NULL, text("after"), text("it"), NULL, NULL));
        (void)reopen(&bed);
    }
    CHECK(refused >= 2); /* of inputs, and of what is written */
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)count_files(&bed);
    bed_close(&bed);
}

TEST(the_journal_takes_a_handle_from_a_table_rather_than_stop)
{
    struct bed bed;
    make_tables(&bed);
    (void)reopen(&bed);
    get_all(&bed);
    (void)sim_disk_handles_peak(bed.disk);
    sim_disk_set_handles(bed.disk, sim_disk_handles_peak(bed.disk)); /* all are taken */
    for (unsigned i = 0; i < 2 * KEYS; i++) {                        /* segments of 64 KiB */
        struct yore_error error;
        enum yore_status st = yore_put(bed.db, NULL, text(key_of(i)), value_of(i), NULL, &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
    }
    sim_disk_set_handles(bed.disk, 0);
    bed_close(&bed);
}

/* ---- a commit that is refused a handle ---- */

struct put_count {
    struct bed *bed;
    unsigned kept; /* key 0 to kept - 1 are there */
};

static enum yore_status put_next(struct put_count *puts)
{
    struct yore_error error = {.text = ""};
    enum yore_status st =
        yore_put(puts->bed->db, NULL, text(key_of(puts->kept)), value_of(puts->kept), NULL, &error);
    CHECK_MSG(st == YORE_OK || st == YORE_NO_FILES, "%s", error.text);
    puts->kept += st == YORE_OK;
    return st;
}

/* Whoever was refused has left nothing, in no order of commits. */
static void check_kept(const struct put_count *puts)
{
    struct yore_feed *feed = NULL;
    struct yore_feed_commit commit;
    unsigned told = 0;
    for (unsigned i = 0; i <= puts->kept; i++) {
        struct yore_value value = {0};
        enum yore_status st = yore_get(puts->bed->db, NULL, text(key_of(i)), NULL, &value, NULL);
        CHECK_STATUS(st, i < puts->kept ? YORE_OK : YORE_NOT_FOUND);
        yore_value_release(&value);
    }
    CHECK_OK(yore_feed_open(puts->bed->db, YORE_TIME_MIN, &feed, NULL));
    while (yore_feed_next(feed, &commit, NULL) == YORE_OK) {
        told += commit.write_count == 1 && commit.writes[0].keyspace_id == 1;
    }
    yore_feed_close(feed);
    CHECK_EQ_UINT(told, puts->kept);
}

/* The full memtable is handed over with a new segment, or a memtable of many segments goes on in
 * the next one. */
static void open_small(struct bed *bed, uint64_t memtable_bytes)
{
    struct yore_options options;
    yore_options_init(&options);
    options.memtable_bytes = memtable_bytes;
    options.segment_bytes = 64u << 10;
    CHECK_OK(db_open_inline(sim_disk_env(bed->disk), "db", &options, &bed->db, NULL));
}

static void refuse_commits(uint64_t memtable_bytes, uint64_t more)
{
    struct bed bed = {.disk = sim_disk_new(1)};
    struct put_count puts = {&bed, 0};
    unsigned refused = 0;
    test_note("memtable %u, %u more handles", (unsigned)memtable_bytes, (unsigned)more);
    sim_disk_set_wall(bed.disk, BED_T0);
    open_small(&bed, memtable_bytes);
    for (unsigned round = 0; round < 4; round++) {
        (void)sim_disk_handles_peak(bed.disk);
        sim_disk_set_handles(bed.disk, sim_disk_handles_peak(bed.disk) + more);
        for (unsigned i = 0; i < 1000 && put_next(&puts) == YORE_OK; i++) {
        }
        refused += put_next(&puts) == YORE_NO_FILES;
        sim_disk_set_handles(bed.disk, 0);
        check_kept(&puts);
        CHECK_OK(put_next(&puts));
        check_kept(&puts);
        if (round % 2 == 1) { /* what was acknowledged is durable */
            sim_disk_crash_at(bed.disk, sim_disk_op_count(bed.disk) + 1);
            (void)yore_close(bed.db, NULL);
            sim_disk_crash(bed.disk, SIM_CRASH_DROP_ALL, round);
            open_small(&bed, memtable_bytes);
            check_kept(&puts);
        }
    }
    CHECK(refused >= 1); /* later there are tables to take a handle from */
    bed_close(&bed);
}

TEST(a_commit_that_is_refused_a_handle_leaves_nothing_and_the_next_ones_are_kept)
{
    for (uint64_t more = 0; more < 2; more++) {
        refuse_commits(64u << 10, more);
        refuse_commits(8u << 20, more);
    }
}

TEST_MAIN(there_are_many_more_tables_than_files_that_may_be_open,
          a_compaction_of_many_tables_opens_few_at_once, verifying_many_tables_opens_few_at_once,
          a_walk_over_every_version_opens_few_tables_at_once, many_cursors_at_once_open_few_tables,
          reads_go_on_while_the_system_gives_one_handle_for_all_tables,
          a_table_that_cannot_be_opened_for_want_of_handles_is_no_damage,
          a_check_of_a_closed_database_finds_no_damage_however_few_handles_there_are,
          work_that_is_refused_handles_stops_no_writes,
          the_journal_takes_a_handle_from_a_table_rather_than_stop,
          a_commit_that_is_refused_a_handle_leaves_nothing_and_the_next_ones_are_kept)
