/* watch_threads_test.c -- watches beside many writers, flushes and merges: each tells every commit
 * of its scope once, whole and in order.
 *
 *     YORE_THREADS_OPS=n   commits per writer (default 600; soak 30,000)
 *
 * A value says who wrote it, at which try, and how many writes its commit has; the writers note
 * their commit times.  Meant to run under the thread sanitizer too.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "os/thread.h"
#include "support/store.h"
#include "support/test.h"

#define WRITERS 8u
#define WATCHERS 3u
#define BATCH_MAX 4u
#define LAST UINT32_MAX /* the number of a commit after all others */

struct note {
    int64_t commit;
    uint32_t writer;
    uint32_t op;
    uint32_t writes;
};

struct hall {
    struct yore_db *db;
    atomic_uint writing;
    atomic_bool has_failed;
    char text[640];
};

struct writer {
    struct hall *hall;
    uint32_t index;
    uint32_t ops;
    struct note *notes;
    struct test_rand rand;
};

struct watcher {
    struct hall *hall;
    struct yore_watch *watch;
    bool is_slow;
    struct note *notes;
    size_t count;
    size_t capacity;
    atomic_bool has_last; /* partner: the load of the case, which waits for it */
    struct test_rand rand;
};

static void hall_fail(struct hall *hall, const char *what, const char *text)
{
    if (!atomic_exchange(&hall->has_failed, true)) {
        (void)snprintf(hall->text, sizeof hall->text, "%s: %s", what, text);
    }
}

/* ---- writing -------------------------------------------------------------------------------- */

static struct yore_bytes key_of(uint32_t writer, uint64_t number, char storage[24])
{
    int size = snprintf(storage, 24, "w%u/%02u", writer, (unsigned)number);
    return bytes_of(storage, (size_t)size);
}

static enum yore_status commit_batch(struct writer *writer, struct note *note,
                                     enum yore_durability durability, struct yore_error *error)
{
    struct yore_batch *batch = NULL;
    enum yore_status st = yore_batch_new(writer->hall->db, &batch, error);
    uint64_t first = test_rand_below(&writer->rand, 90);
    for (uint32_t i = 0; st == YORE_OK && i < note->writes; i++) {
        char storage[24];
        st = yore_batch_put(batch, NULL, key_of(writer->index, first + i, storage),
                            bytes_of(note, sizeof *note), NULL, error);
    }
    if (st == YORE_OK) {
        st = yore_batch_commit(batch, durability, &note->commit, error);
    }
    yore_batch_free(batch);
    return st;
}

static void run_writer(void *arg)
{
    struct writer *writer = arg;
    for (uint32_t op = 0; op < writer->ops && !atomic_load(&writer->hall->has_failed); op++) {
        struct yore_error error = {.text = ""};
        struct note *note = &writer->notes[op];
        *note = (struct note){.writer = writer->index,
                              .op = op,
                              .writes = 1 + (uint32_t)test_rand_below(&writer->rand, BATCH_MAX)};
        enum yore_durability durability =
            test_rand_one_in(&writer->rand, 8) ? YORE_DURABILITY_SYNC : YORE_DURABILITY_NONE;
        if (commit_batch(writer, note, durability, &error) != YORE_OK) {
            hall_fail(writer->hall, "write", error.text);
        }
    }
    atomic_fetch_sub(&writer->hall->writing, 1);
}

static void run_upkeep(void *arg)
{
    struct hall *hall = arg;
    unsigned round = 0;
    while (atomic_load(&hall->writing) > 0 && !atomic_load(&hall->has_failed)) {
        struct yore_error error = {.text = ""};
        enum yore_status st =
            ++round % 4 == 0 ? yore_compact(hall->db, NULL, &error) : yore_flush(hall->db, &error);
        if (st != YORE_OK) {
            hall_fail(hall, "upkeep", error.text);
        }
        test_pause();
    }
}

/* ---- watching ------------------------------------------------------------------------------- */

static bool is_whole(const struct yore_feed_commit *commit, struct note *note_out)
{
    struct note note;
    for (size_t i = 0; i < commit->write_count; i++) {
        char prefix[24];
        struct yore_bytes value = commit->writes[i].value;
        if (value.size != sizeof note) {
            return false;
        }
        memcpy(&note, value.data, sizeof note);
        *note_out = i == 0 ? note : *note_out;
        int size = snprintf(prefix, sizeof prefix, "w%u/", note.writer);
        if (note.writer != note_out->writer || note.op != note_out->op ||
            !bytes_starts_with(commit->writes[i].key, bytes_of(prefix, (size_t)size))) {
            return false;
        }
    }
    note_out->commit = commit->commit;
    return commit->write_count == note_out->writes;
}

static void take(struct watcher *watcher, const struct yore_feed_commit *commit)
{
    struct note note = {0};
    if (!is_whole(commit, &note)) {
        hall_fail(watcher->hall, "watch", "a commit is not whole");
        return;
    }
    if (note.op == LAST) {
        atomic_store(&watcher->has_last, true);
        return;
    }
    if (watcher->count == watcher->capacity) {
        watcher->capacity = watcher->capacity == 0 ? 256 : 2 * watcher->capacity;
        watcher->notes = realloc(watcher->notes, watcher->capacity * sizeof note);
        if (watcher->notes == NULL) {
            exit(2);
        }
    }
    watcher->notes[watcher->count++] = note;
}

static void run_watcher(void *arg)
{
    struct watcher *watcher = arg;
    enum yore_status st = YORE_OK;
    while (st != YORE_CANCELLED && !atomic_load(&watcher->hall->has_failed)) {
        struct yore_feed_commit commit;
        struct yore_error error = {.text = ""};
        int64_t timeout = test_rand_one_in(&watcher->rand, 2) ? YORE_FOREVER : 1000000;
        st = yore_watch_next(watcher->watch, timeout, &commit, &error);
        if (st == YORE_OK) {
            take(watcher, &commit);
        } else if (st != YORE_NOT_FOUND && st != YORE_CANCELLED) {
            hall_fail(watcher->hall, "watch", error.text);
        }
        if (watcher->is_slow && test_rand_one_in(&watcher->rand, 8)) {
            test_pause();
        }
    }
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int compare_notes(const void *a, const void *b)
{
    const struct note *left = a;
    const struct note *right = b;
    return left->commit < right->commit ? -1 : left->commit > right->commit;
}

static void open_watchers(struct hall *hall, struct watcher *watchers)
{
    struct yore_keyspace *space = NULL;
    CHECK_OK(yore_keyspace_open(hall->db, "default", NULL, &space, NULL));
    for (unsigned i = 0; i < WATCHERS; i++) {
        struct yore_watch_options options = {
            .keyspace = space, .after_commit = YORE_NOW, .durable_only = i == 2};
        options.range.prefix = bytes_of("w3/", i == 2 ? 3 : 0);
        watchers[i] = (struct watcher){.hall = hall, .is_slow = i > 0};
        watchers[i].rand = test_rand_new(WRITERS + i);
        CHECK_OK(yore_watch_open(hall->db, &options, &watchers[i].watch, NULL));
    }
}

/* Start everybody, wait for the writers, then for the watches to have told the last commit. */
static void run_threads(struct hall *hall, struct writer *writers, struct watcher *watchers)
{
    struct os_thread *writing[WRITERS];
    struct os_thread *watching[WATCHERS];
    struct os_thread *upkeep = NULL;
    const struct note last = {.writer = 3, .op = LAST, .writes = 1};
    const struct yore_write synced = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_SYNC};
    const struct yore_bytes key = bytes_of("w3/last", 7);
    for (unsigned i = 0; i < WATCHERS; i++) {
        CHECK_OK(os_thread_start(run_watcher, &watchers[i], "watch", &watching[i], NULL));
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        CHECK_OK(os_thread_start(run_writer, &writers[i], "write", &writing[i], NULL));
    }
    CHECK_OK(os_thread_start(run_upkeep, hall, "upkeep", &upkeep, NULL));
    for (unsigned i = 0; i < WRITERS; i++) {
        os_thread_join(writing[i]);
    }
    os_thread_join(upkeep);
    CHECK_OK(yore_put(hall->db, NULL, key, bytes_of(&last, sizeof last), &synced, NULL));
    for (unsigned i = 0; i < WATCHERS; i++) {
        while (!atomic_load(&watchers[i].has_last) && !atomic_load(&hall->has_failed)) {
            test_pause();
        }
        yore_watch_cancel(watchers[i].watch);
        os_thread_join(watching[i]);
        yore_watch_close(watchers[i].watch);
    }
}

/* What was told is what was committed: all of it, or what writer 3 did. */
static void check_told(const struct watcher *watcher, const struct note *all, size_t count,
                       bool is_third_only)
{
    size_t told = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_third_only && all[i].writer != 3) {
            continue;
        }
        CHECK_MSG(told < watcher->count, "of %zu commits %zu were told", count, told);
        CHECK_EQ_INT(watcher->notes[told].commit, all[i].commit);
        CHECK_EQ_UINT(watcher->notes[told].writer, all[i].writer);
        CHECK_EQ_UINT(watcher->notes[told].op, all[i].op);
        told++;
    }
    CHECK_EQ_UINT(watcher->count, told);
}

TEST(watches_beside_many_writers_miss_nothing)
{
    uint32_t ops = (uint32_t)test_number("YORE_THREADS_OPS", test_scale(600, 30000));
    size_t count = (size_t)WRITERS * ops;
    static struct hall hall;
    static struct watcher watchers[WATCHERS];
    struct writer writers[WRITERS];
    struct yore_options options;
    struct note *notes = calloc(count, sizeof *notes);
    CHECK(notes != NULL);
    store_options_tiny(&options);
    options.background_threads = 2;
    struct sim_disk *disk = sim_disk_new(test_seed());
    CHECK_OK(db_open(sim_disk_env(disk), STORE_PATH, &options, &hall.db, NULL));
    atomic_store(&hall.writing, WRITERS);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] =
            (struct writer){.hall = &hall, .index = i, .ops = ops, .notes = notes + i * ops};
        writers[i].rand = test_rand_new(i);
    }
    open_watchers(&hall, watchers);
    run_threads(&hall, writers, watchers);
    CHECK_MSG(!atomic_load(&hall.has_failed), "%s", hall.text);
    qsort(notes, count, sizeof *notes, compare_notes);
    for (unsigned i = 0; i < WATCHERS; i++) {
        test_note("watch %u", i);
        check_told(&watchers[i], notes, count, i == 2);
        free(watchers[i].notes);
    }
    free(notes);
    test_count(count * 2);
    CHECK_OK(yore_close(hall.db, NULL));
    sim_disk_free(disk);
}

TEST_MAIN(watches_beside_many_writers_miss_nothing)
