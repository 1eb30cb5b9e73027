/* trim_test.c -- what no read at or after the horizon needs leaves runs and last slices, and
 * nothing else does. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "engine/db_internal.h"
#include "engine/limits.h"
#include "journal/commit_codec.h"
#include "support/store.h"
#include "unit/engine/bed.h"

#define KEYS 12

static const char *key_of(int number, char storage[16])
{
    (void)snprintf(storage, 16, "key%03d", number);
    return storage;
}

/* Its number, and letters that do not compress well. */
static const char *value_of(int number, char storage[160])
{
    struct test_rand rand = {(uint64_t)number};
    for (int i = 0; i < 159; i++) {
        storage[i] = (char)('A' + test_rand_below(&rand, 58));
    }
    storage[159] = 0;
    (void)snprintf(storage, 160, "%06d", number);
    storage[6] = '.';
    return storage;
}

/* Rounds of small puts, a second apart; the last commit. */
static int64_t put_rounds(struct bed *bed, int rounds)
{
    char key[16];
    int64_t commit = 0;
    for (int i = 0; i < rounds * KEYS; i++) {
        commit = put(bed->db, key_of(i % KEYS, key), i / KEYS % 2 == 0 ? "even" : "odd");
        sim_disk_advance(bed->disk, BED_SECOND);
    }
    return commit;
}

/* The same; some keys end by themselves, some are deleted. */
static void put_and_end(struct bed *bed, int rounds)
{
    char key[16];
    char value[160];
    for (int i = 0; i < rounds * KEYS; i++) {
        int number = i % KEYS;
        if (number % 4 == 1 && i / KEYS % 3 == 2) {
            (void)delete_at(bed->db, key_of(number, key), YORE_NOW);
        } else {
            int64_t end = yore_now(bed->db) + 5 * BED_SECOND;
            (void)put_at(bed->db, key_of(number, key), value_of(i, value), YORE_NOW,
                         number % 4 == 3 ? end : YORE_FOREVER);
        }
        sim_disk_advance(bed->disk, BED_SECOND);
    }
}

static void trim(struct bed *bed, int64_t horizon)
{
    CHECK_OK(yore_trim(bed->db, NULL, horizon, NULL));
}

static void trim_to_now(struct bed *bed)
{
    trim(bed, yore_now(bed->db));
}

static struct yore_keyspace_usage usage_of(struct bed *bed)
{
    struct yore_keyspace_usage usage;
    CHECK_OK(yore_keyspace_usage(bed->db, NULL, &usage, NULL));
    return usage;
}

static uint64_t past_of(struct bed *bed)
{
    struct yore_keyspace_usage usage = usage_of(bed);
    return usage.past_versions + usage.past_copies;
}

/* Other keys, memtable after memtable, until level 0 has been merged down: then deletes and what is
 * over have left the levels for a run. */
static void merge_down(struct bed *bed)
{
    uint64_t merges = store_stat(bed->db, "merges");
    char key[16];
    for (int i = 0; store_stat(bed->db, "merges") == merges; i++) {
        CHECK(i < 64);
        (void)put(bed->db, key_of(500 + i, key), "else");
        CHECK_OK(yore_flush(bed->db, NULL));
    }
}

/* ---- runs ---- */

TEST(a_run_without_ends_goes_whole)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_rounds(&bed, 2); /* too little for a slice */
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(past_of(&bed), KEYS);
    uint64_t written = store_stat(bed.db, "history_write_bytes");
    trim_to_now(&bed);
    CHECK_EQ_UINT(past_of(&bed), 0);
    CHECK_EQ_UINT(store_stat(bed.db, "runs_dropped"), 1);
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 0);
    CHECK_EQ_UINT(store_stat(bed.db, "history_write_bytes"), written);
    bed_close(&bed);
}

TEST(a_run_stays_until_the_horizon_has_passed_what_superseded_it)
{
    struct bed bed;
    bed_open(&bed);
    int64_t last = put_rounds(&bed, 2);
    CHECK_OK(yore_flush(bed.db, NULL));
    trim(&bed, last - 1);
    CHECK_EQ_UINT(past_of(&bed), KEYS);
    trim(&bed, last);
    CHECK_EQ_UINT(past_of(&bed), 0);
    bed_close(&bed);
}

TEST(a_run_stays_that_a_snapshot_reads)
{
    struct bed bed;
    struct yore_snapshot *snapshot;
    bed_open(&bed);
    (void)put_rounds(&bed, 1);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    struct yore_time at = yore_snapshot_time(snapshot);
    (void)put_rounds(&bed, 2);
    CHECK_OK(yore_flush(bed.db, NULL));
    trim_to_now(&bed);
    CHECK_EQ_STR(get_at(bed.db, "key003", at.valid, at.known), "even");
    CHECK_EQ_STR(get(bed.db, "key003"), "odd");
    CHECK(past_of(&bed) >= KEYS);
    yore_snapshot_release(snapshot);
    CHECK_OK(yore_flush(bed.db, NULL)); /* looks for work */
    CHECK_EQ_UINT(past_of(&bed), 0);
    bed_close(&bed);
}

/* "gone" was nowhere but in the run; what "hides" had before is in the levels. */
TEST(of_ends_those_stay_that_hide_something)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "hides", "old");
    merge_down(&bed);
    for (int i = 0; i < 4; i++) {
        (void)put(bed.db, "hides", "some");
        (void)put(bed.db, "gone", "some");
    }
    (void)delete_at(bed.db, "hides", YORE_NOW);
    (void)delete_at(bed.db, "gone", YORE_NOW);
    int64_t horizon = yore_now(bed.db);
    (void)put(bed.db, "hides", "new");
    (void)put(bed.db, "gone", "new");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(past_of(&bed), 2 * 5);
    trim(&bed, horizon);
    CHECK_EQ_UINT(past_of(&bed), 2 * 5); /* what superseded the deletes is later */
    trim_to_now(&bed);
    CHECK_EQ_UINT(past_of(&bed), 1);
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 1);
    CHECK_EQ_STR(get(bed.db, "hides"), "new");
    CHECK_EQ_STR(get(bed.db, "gone"), "new");
    bed_close(&bed);
}

/* The end is a delete, or a value whose time is over; the late fact, of before it, is in the
 * memtable, in level 0, or has been merged down. */
static void check_late_fact(bool is_delete, int flushes)
{
    struct bed bed;
    bed_open(&bed);
    int64_t first = put(bed.db, "k", "first");
    sim_disk_advance(bed.disk, 10 * BED_SECOND);
    if (is_delete) {
        (void)delete_at(bed.db, "k", YORE_NOW);
    } else {
        (void)put_at(bed.db, "k", "ends", YORE_NOW, yore_now(bed.db) + BED_SECOND);
    }
    sim_disk_advance(bed.disk, 10 * BED_SECOND);
    (void)put_rounds(&bed, 2);
    CHECK_OK(yore_flush(bed.db, NULL));
    merge_down(&bed);
    CHECK_EQ_UINT(past_of(&bed), KEYS + 2);
    (void)put_at(bed.db, "k", "late", first + 5 * BED_SECOND, YORE_FOREVER);
    int64_t horizon = yore_now(bed.db);
    for (int i = 0; i < flushes; i++) {
        CHECK_OK(yore_flush(bed.db, NULL));
        (void)put(bed.db, "other", "value");
    }
    trim(&bed, horizon);
    test_note("%s, %d flushes", is_delete ? "deleted" : "over", flushes);
    CHECK(store_stat(bed.db, "trims") > 0);
    CHECK(past_of(&bed) > 0);
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, YORE_NOW), "-");
    for (int age = 1; age < BED_AGES; age++) {
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "k"), "-");
        CHECK_EQ_STR(get_at(bed.db, "k", horizon, YORE_NOW), "-");
    }
    bed_close(&bed);
}

TEST(an_end_stays_for_a_late_fact_that_it_hides)
{
    for (int flushes = 0; flushes < 3; flushes++) {
        check_late_fact(true, flushes);
        check_late_fact(false, flushes);
    }
}

/* A put as if another database had committed it, at a time of its choice. */
static void apply_put(struct bed *bed, const char *key, int64_t commit)
{
    struct yore_error error = {.text = ""};
    struct buffer payload = {0};
    unsigned char header[COMMIT_HEADER_BYTES];
    struct commit_write write = {.keyspace = yore_keyspace_id(NULL),
                                 .kind = YORE_KIND_PUT,
                                 .is_from_commit = true,
                                 .valid_from = commit,
                                 .valid_to = YORE_FOREVER,
                                 .key = text(key)};
    commit_header_encode(header, commit, 1);
    buffer_append(&payload, header, sizeof header);
    commit_write_encode(&payload, &write);
    CHECK(!payload.is_nomem);
    enum yore_status st =
        db_apply(bed->db, buffer_bytes(&payload), YORE_DURABILITY_DEFAULT, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    buffer_release(&payload);
}

/* The merge that found it over had just reached its end. */
TEST(an_end_at_the_very_last_commit_of_its_run_is_one)
{
    struct bed bed;
    bed_open(&bed);
    int64_t first = put(bed.db, "other", "value");
    sim_disk_advance(bed.disk, 10 * BED_SECOND);
    int64_t end = yore_now(bed.db) + 10 * BED_SECOND;
    (void)put_at(bed.db, "k", "ends", YORE_NOW, end);
    for (int i = 0; i < 3; i++) {
        (void)put(bed.db, "other", "value");
        CHECK_OK(yore_flush(bed.db, NULL));
    }
    CHECK_EQ_UINT(store_stat(bed.db, "merges"), 0);
    sim_disk_advance(bed.disk, 10 * BED_SECOND - 1000000);
    apply_put(&bed, "other", end);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "merges"), 1);
    (void)put_at(bed.db, "k", "late", first + 5 * BED_SECOND, YORE_FOREVER);
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    sim_disk_advance(bed.disk, BED_SECOND);
    trim_to_now(&bed);
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    bed_close(&bed);
}

/* Now, and at a moment of before the last flush, for which history is asked. */
static void check_absent(struct bed *bed, const char *key)
{
    int64_t moment = yore_now(bed->db);
    CHECK_EQ_STR(get(bed->db, key), "-");
    (void)put(bed->db, "another", "value");
    CHECK_OK(yore_flush(bed->db, NULL));
    CHECK_EQ_STR(get_at(bed->db, key, moment, YORE_NOW), "-");
}

/* What it hides begins when it does: of two facts about one moment the later one holds. */
TEST(an_end_stays_for_what_it_corrects)
{
    struct bed bed;
    bed_open(&bed);
    int64_t first = put(bed.db, "k", "wrong");
    (void)put_rounds(&bed, 2);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)put(bed.db, "a", "value");
    (void)delete_at(bed.db, "k", first);
    CHECK_OK(yore_flush(bed.db, NULL));
    merge_down(&bed);
    trim_to_now(&bed);
    CHECK(store_stat(bed.db, "trims") > 0);
    check_absent(&bed, "k");
    bed_close(&bed);
}

/* The slice has it in force; the delete came later, and is in a run. */
TEST(an_end_stays_for_what_a_slice_carries)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_rounds(&bed, 2);
    (void)put(bed.db, "k", "value");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    sim_disk_advance(bed.disk, BED_SECOND);
    (void)put(bed.db, "k", "more");
    (void)delete_at(bed.db, "k", YORE_NOW);
    CHECK_OK(yore_flush(bed.db, NULL));
    merge_down(&bed);
    trim_to_now(&bed);
    check_absent(&bed, "k");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    bed_close(&bed);
}

/* A timeline that begins at the horizon tells the delete that was made then. */
TEST(a_delete_at_the_horizon_itself_stays)
{
    struct bed bed;
    struct yore_timeline *timeline;
    struct yore_version version;
    int64_t deleted = 0;
    bed_open(&bed);
    (void)put_rounds(&bed, 2);
    CHECK_OK(yore_flush(bed.db, NULL));
    for (uint64_t merges = store_stat(bed.db, "merges"); store_stat(bed.db, "merges") == merges;) {
        (void)put(bed.db, "k", "value");
        deleted = delete_at(bed.db, "k", YORE_NOW);
        CHECK_OK(yore_flush(bed.db, NULL));
    }
    CHECK(past_of(&bed) > KEYS);
    trim(&bed, deleted);
    CHECK(store_stat(bed.db, "trims") > 0);
    const struct yore_timeline_options from = {
        .from = deleted, .to = YORE_FOREVER, .known = YORE_NOW};
    CHECK_OK(yore_timeline_open(bed.db, NULL, text("k"), &from, &timeline, NULL));
    CHECK_OK(yore_timeline_next(timeline, &version, NULL));
    CHECK_EQ_INT(version.kind, YORE_KIND_DELETE);
    CHECK_EQ_INT(version.valid_from, deleted);
    yore_timeline_close(timeline);
    bed_close(&bed);
}

/* A value whose end passes between its being given and its commit, which is told: it never holds.
 */
static int64_t put_never_holding(struct bed *bed, const char *key)
{
    for (int64_t ahead = 1;; ahead += 500) {
        int64_t commit = 0;
        struct yore_write write = {
            .from = YORE_NOW, .to = yore_now(bed->db) + ahead, .commit_out = &commit};
        enum yore_status st = yore_put(bed->db, NULL, text(key), text("never"), &write, NULL);
        CHECK(st == YORE_OK || st == YORE_INVALID);
        if (st == YORE_OK) {
            CHECK_MSG(commit >= write.to, "%d ns ahead it holds", (int)ahead);
            return commit;
        }
    }
}

/* A timeline that begins at the horizon tells what was written then as it was written. */
static void check_told_at_horizon(struct bed *bed, int64_t commit)
{
    const struct yore_timeline_options from = {
        .from = commit, .to = YORE_FOREVER, .known = YORE_NOW};
    struct yore_timeline *timeline;
    struct yore_version version;
    CHECK_OK(yore_timeline_open(bed->db, NULL, text("k"), &from, &timeline, NULL));
    CHECK_OK(yore_timeline_next(timeline, &version, NULL));
    CHECK_EQ_INT(version.valid_from, commit);
    CHECK_EQ_INT(version.kind, YORE_KIND_PUT);
    CHECK(version.valid_to <= commit);
    CHECK_EQ_BYTES(version.value.data, version.value.size, "never", 5);
    yore_timeline_close(timeline);
}

TEST(a_value_at_the_horizon_itself_that_never_held_stays_in_a_run)
{
    struct bed bed;
    int64_t commit = 0;
    bed_open(&bed);
    (void)put_rounds(&bed, 2);
    CHECK_OK(yore_flush(bed.db, NULL));
    for (uint64_t merges = store_stat(bed.db, "merges"); store_stat(bed.db, "merges") == merges;) {
        (void)put(bed.db, "k", "value");
        commit = put_never_holding(&bed, "k");
        CHECK_OK(yore_flush(bed.db, NULL));
    }
    CHECK(past_of(&bed) > KEYS);
    check_told_at_horizon(&bed, commit);
    trim(&bed, commit);
    CHECK(store_stat(bed.db, "trims") > 0);
    check_told_at_horizon(&bed, commit);
    CHECK_EQ_STR(get_at(bed.db, "k", commit, YORE_NOW), "-");
    bed_close(&bed);
}

TEST(a_value_at_the_horizon_itself_that_never_held_stays_in_a_slice)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_rounds(&bed, 8);
    int64_t commit = put_never_holding(&bed, "k");
    (void)put_rounds(&bed, 8);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "seals") > 0);
    trim(&bed, commit);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "trims") > 0);
    check_told_at_horizon(&bed, commit);
    bed_close(&bed);
}

/* So many deletes that hide something, and `values` versions that hide nothing: of one in eight on
 * the run is written anew. */
static void check_worth(int deletes, int values, bool is_worth)
{
    struct bed bed;
    char key[16];
    bed_open(&bed);
    for (int i = 0; i < deletes; i++) {
        (void)put(bed.db, key_of(i, key), "old");
    }
    merge_down(&bed);
    for (int i = 0; i < deletes; i++) {
        (void)delete_at(bed.db, key_of(i, key), YORE_NOW);
        (void)put(bed.db, key_of(i, key), "new");
    }
    for (int i = 0; i <= values; i++) {
        (void)put(bed.db, "k", "value");
    }
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(past_of(&bed), (uint64_t)(deletes + values));
    trim_to_now(&bed);
    test_note("%d deletes, %d values", deletes, values);
    CHECK_EQ_UINT(past_of(&bed), (uint64_t)(deletes + (is_worth ? 0 : values)));
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), is_worth);
    bed_close(&bed);
}

TEST(a_run_is_written_anew_only_where_that_is_worth_it)
{
    check_worth(7, 1, true);
    check_worth(15, 2, true);
    check_worth(16, 1, false);
    check_worth(8, 0, true); /* deletes alone are looked at once */
}

TEST(what_was_trimmed_is_not_due_again)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "hides", "old");
    merge_down(&bed);
    (void)put(bed.db, "hides", "some");
    (void)delete_at(bed.db, "hides", YORE_NOW);
    (void)put(bed.db, "hides", "new");
    CHECK_OK(yore_flush(bed.db, NULL));
    trim_to_now(&bed);
    CHECK_EQ_UINT(past_of(&bed), 1);
    for (int i = 0; i < 4; i++) {
        sim_disk_advance(bed.disk, BED_SECOND);
        trim_to_now(&bed);
        CHECK_OK(yore_flush(bed.db, NULL));
    }
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 1);
    CHECK_EQ_UINT(usage_of(&bed).freeable_versions, 0);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(past_of(&bed), 1); /* a seal would copy the present beside it */
    bed_close(&bed);
}

/* Runs that are merged after more was flushed are past when they would have been. */
TEST(merging_runs_puts_no_trim_off)
{
    struct bed bed;
    char key[16];
    char value[160];
    bed_open(&bed);
    for (int i = 0; i < 60; i++) { /* so much that a few runs are not worth a slice */
        (void)put(bed.db, key_of(i, key), value_of(i, value));
    }
    struct yore_keyspace *keyspace = db_keyspace(bed.db, yore_keyspace_id(NULL));
    atomic_store(&keyspace->is_level_busy, true);
    atomic_store(&keyspace->is_history_busy, true);
    for (int i = 0; i < (int)RUNS_MERGE_COUNT * 3; i++) {
        (void)put(bed.db, "k", value_of(i, value));
        if (i % 3 == 2) {
            CHECK_OK(yore_flush(bed.db, NULL));
        }
    }
    int64_t horizon = yore_now(bed.db);
    (void)put(bed.db, "other", "value");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(past_of(&bed), 2 * RUNS_MERGE_COUNT);
    atomic_store(&keyspace->is_history_busy, false);
    (void)put(bed.db, "other", "value");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "run_merges"), 1);
    trim(&bed, horizon);
    CHECK_EQ_UINT(past_of(&bed), 0);
    atomic_store(&keyspace->is_level_busy, false);
    bed_close(&bed);
}

/* A late delete is in a run; no slice has to wait for it. */
TEST(a_run_of_deletes_alone_keeps_no_slice)
{
    struct bed bed;
    bed_open(&bed);
    int64_t first = put(bed.db, "k", "value");
    put_and_end(&bed, 8); /* a first slice that does not grow */
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)delete_at(bed.db, "k", first + 1);
    merge_down(&bed);
    for (int i = 0; i < 4; i++) {
        put_and_end(&bed, 6);
        CHECK_OK(yore_flush(bed.db, NULL));
    }
    CHECK(store_stat(bed.db, "seals") > 1);
    CHECK_EQ_UINT(store_stat(bed.db, "late_merges"), 0);
    trim_to_now(&bed);
    CHECK(store_stat(bed.db, "slices_dropped") > 0);
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    bed_close(&bed);
}

/* ---- slices ---- */

TEST(of_the_last_slice_the_greatest_versions_are_left)
{
    struct bed bed;
    bed_open(&bed);
    int64_t last = put_rounds(&bed, 8);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(past_of(&bed) >= 8 * KEYS);
    trim(&bed, last - 1);
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 0);
    trim(&bed, last); /* the latest that begins in the slice */
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 1);
    CHECK_EQ_UINT(past_of(&bed), KEYS);
    trim_to_now(&bed);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 1);
    CHECK_EQ_UINT(past_of(&bed), KEYS);
    bed_close(&bed);
}

/* Not all that the slice has was known at the end of its time. */
TEST(a_last_slice_waits_until_the_horizon_has_passed_its_commits)
{
    struct bed bed;
    bed_open(&bed);
    int64_t last = put_rounds(&bed, 8);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    sim_disk_advance(bed.disk, BED_SECOND);
    int64_t late = put_at(bed.db, "late", "value", last - 5, YORE_FOREVER);
    (void)put_at(bed.db, "late", "value", last - 6, YORE_FOREVER);
    late = put_at(bed.db, "late", "again", last - 6, YORE_FOREVER);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "late_merges") > 0);
    trim(&bed, late - 1);
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 0);
    trim(&bed, late);
    CHECK_EQ_UINT(store_stat(bed.db, "trims"), 1);
    CHECK_EQ_UINT(past_of(&bed), KEYS + 1);
    bed_close(&bed);
}

/* Left: of each key one from before the horizon, and those since. */
TEST(compaction_trims_the_slice_in_which_the_horizon_lies)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_rounds(&bed, 6);
    int64_t horizon = yore_now(bed.db);
    (void)put_rounds(&bed, 3);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(past_of(&bed) >= 9 * KEYS);
    trim(&bed, horizon);
    CHECK(past_of(&bed) >= 9 * KEYS);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(past_of(&bed), 4 * KEYS);
    bed_close(&bed);
}

/* The first slice alone has "known"; the second carries "late", and reads that do not know that yet
 * look back for it.  "later" makes "late" needless. */
TEST(a_copy_stays_that_tells_a_read_to_look_back)
{
    struct bed bed;
    bed_open(&bed);
    int64_t known = put(bed.db, "k", "known");
    put_and_end(&bed, 8);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    int64_t sealed = yore_now(bed.db);
    int64_t horizon = sealed + 15 * BED_SECOND;
    sim_disk_advance(bed.disk, 20 * BED_SECOND);
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, horizon), "known");
    (void)put_at(bed.db, "k", "later", sealed + 5 * BED_SECOND, YORE_FOREVER);
    int64_t late = put_at(bed.db, "k", "late", known + 1, YORE_FOREVER);
    put_and_end(&bed, 8);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "seals") > 1);
    CHECK(store_stat(bed.db, "late_merges") > 0);
    trim(&bed, horizon);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "trims") > 0);
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, horizon), "known");
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, late), "later");
    bed_close(&bed);
}

TEST(a_value_that_is_over_leaves_the_slice)
{
    struct bed bed;
    char key[16];
    char value[160];
    bed_open(&bed);
    for (int i = 0; i < 20; i++) {
        (void)put_at(bed.db, key_of(i, key), value_of(i, value), YORE_NOW,
                     yore_now(bed.db) + 10 * BED_SECOND);
    }
    sim_disk_advance(bed.disk, 20 * BED_SECOND);
    (void)put(bed.db, "other", "value");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage before = usage_of(&bed);
    CHECK_EQ_UINT(before.past_versions, 21);
    trim_to_now(&bed);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage after = usage_of(&bed);
    CHECK_EQ_UINT(after.past_versions, 21);
    CHECK(after.past_bytes < before.past_bytes / 4);
    CHECK_EQ_STR(get(bed.db, "key007"), "-");
    bed_close(&bed);
}

TEST(compaction_of_what_was_compacted_writes_no_history)
{
    struct bed bed;
    bed_open(&bed);
    put_and_end(&bed, 20);
    int64_t horizon = yore_now(bed.db);
    put_and_end(&bed, 20);
    trim(&bed, horizon);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    uint64_t past = past_of(&bed);
    uint64_t written = store_stat(bed.db, "history_write_bytes");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "history_write_bytes"), written);
    CHECK_EQ_UINT(past_of(&bed), past);
    bed_close(&bed);
}

TEST(deletes_leave_with_what_they_hid)
{
    struct bed bed;
    char key[16];
    bed_open(&bed);
    for (int i = 0; i < 20; i++) {
        (void)put(bed.db, key_of(i, key), "some value that is long enough to be told from none");
        (void)delete_at(bed.db, key_of(i, key), YORE_NOW);
    }
    CHECK_OK(yore_flush(bed.db, NULL));
    merge_down(&bed);
    CHECK_EQ_UINT(past_of(&bed), 2 * 20);
    trim_to_now(&bed);
    CHECK_EQ_UINT(past_of(&bed), 0);
    bed_close(&bed);
}

/* ---- what is told, and every key ---- */

TEST(what_a_trim_frees_was_foretold)
{
    struct bed bed;
    struct yore_snapshot *snapshot;
    bed_open(&bed);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    (void)put_rounds(&bed, 8);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)put_rounds(&bed, 2); /* a run besides */
    CHECK_OK(yore_flush(bed.db, NULL));
    trim_to_now(&bed);
    CHECK_EQ_UINT(usage_of(&bed).freeable_bytes, 0);
    yore_snapshot_release(snapshot);
    struct yore_keyspace_usage before = usage_of(&bed);
    CHECK_OK(yore_flush(bed.db, NULL));
    struct yore_keyspace_usage after = usage_of(&bed);
    CHECK_EQ_UINT(past_of(&bed), KEYS);
    CHECK_EQ_UINT(before.freeable_versions, before.past_versions + before.past_copies - KEYS);
    CHECK(before.freeable_bytes > (before.past_bytes - after.past_bytes) / 2);
    CHECK(before.freeable_bytes < before.past_bytes);
    CHECK_EQ_UINT(after.freeable_versions, 0);
    bed_close(&bed);
}

static void tell(struct bed *bed, int64_t moment, char told[KEYS][16])
{
    char key[16];
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(told[i], sizeof told[i], "%.10s",
                       get_at(bed->db, key_of(i, key), moment, YORE_NOW));
    }
}

/* A horizon at the end of the history, and one in the midst of it, leave every moment from there on
 * as it was; ages are the ways in which it is carried out. */
static void check_trim(int rounds_before, int rounds_after, int age)
{
    enum { MOMENTS = 8 };
    struct bed bed;
    char told[MOMENTS][KEYS][16];
    char again[KEYS][16];
    bed_open(&bed);
    put_and_end(&bed, rounds_before);
    bed_age(&bed, age);
    int64_t horizon = yore_now(bed.db);
    put_and_end(&bed, rounds_after);
    bed_age(&bed, age);
    int64_t step = (yore_now(bed.db) - horizon) / MOMENTS;
    for (int i = 0; i < MOMENTS; i++) {
        tell(&bed, horizon + i * step, told[i]);
    }
    trim(&bed, horizon);
    bed_age(&bed, age);
    for (int i = 0; i < MOMENTS; i++) {
        tell(&bed, horizon + i * step, again);
        for (int key = 0; key < KEYS; key++) {
            test_note("%d and %d rounds, age %d, moment %d, key %d", rounds_before, rounds_after,
                      age, i, key);
            CHECK_EQ_STR(again[key], told[i][key]);
        }
    }
    CHECK_OK(yore_verify(bed.db, NULL, NULL, NULL, NULL));
    bed_close(&bed);
}

TEST(every_key_at_and_after_the_horizon_is_as_it_was)
{
    for (int age = 0; age < BED_AGES; age++) {
        for (int after = 0; after <= 12; after += 3) {
            check_trim(12, after, age);
        }
    }
}

/* ---- the feed ---- */

/* What the feed after `after` tells of `key`, from tables. */
static unsigned writes_told(struct bed *bed, int64_t after, const char *key,
                            struct yore_feed_write *last_out)
{
    struct yore_feed *feed;
    struct yore_feed_commit commit;
    unsigned count = 0;
    CHECK_OK(yore_feed_open(bed->db, after, &feed, NULL));
    enum yore_status st = YORE_OK;
    while ((st = yore_feed_next(feed, &commit, NULL)) == YORE_OK) {
        for (size_t i = 0; i < commit.write_count; i++) {
            const struct yore_feed_write *write = &commit.writes[i];
            if (write->keyspace_id != KEYSPACE_SYSTEM && write->key.size == strlen(key) &&
                memcmp(write->key.data, key, write->key.size) == 0) {
                *last_out = *write;
                count++;
            }
        }
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_feed_close(feed);
    return count;
}

TEST(what_was_written_after_the_horizon_is_told_as_it_was_written_though_it_ended_before)
{
    struct bed bed;
    struct yore_feed_write told;
    char value[160];
    bed_open(&bed);
    (void)put_rounds(&bed, 4);
    int64_t from = yore_now(bed.db);
    sim_disk_advance(bed.disk, 10 * BED_SECOND);
    int64_t to = yore_now(bed.db);
    sim_disk_advance(bed.disk, BED_SECOND);
    int64_t horizon = yore_now(bed.db);
    sim_disk_advance(bed.disk, BED_SECOND);
    (void)put_at(bed.db, "late", value_of(7, value), from, to);
    (void)put_rounds(&bed, 8);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(writes_told(&bed, horizon, "late", &told), 1);
    trim(&bed, horizon);
    for (int i = 0; i < 3; i++) {
        (void)put_rounds(&bed, 8);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
    }
    CHECK_EQ_UINT(writes_told(&bed, horizon, "late", &told), 1);
    CHECK_EQ_INT(told.kind, YORE_KIND_PUT);
    CHECK_EQ_INT(told.valid_from, from);
    CHECK_EQ_INT(told.valid_to, to);
    bed_close(&bed);
}

/* A slice that goes would take with it where they belong, and a feed tells what came after the
 * horizon. */
TEST(deletes_from_after_the_horizon_keep_the_slice_that_they_are_dated_in)
{
    struct bed bed;
    struct yore_feed_write told;
    bed_open(&bed);
    int64_t first = put(bed.db, "k", "value");
    (void)put(bed.db, "k", "another");
    for (int i = 0; i < 4; i++) {
        put_and_end(&bed, 8);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
    }
    int64_t horizon = yore_now(bed.db);
    sim_disk_advance(bed.disk, BED_SECOND);
    (void)delete_at(bed.db, "k", first + 1);
    merge_down(&bed);
    CHECK_EQ_UINT(writes_told(&bed, horizon, "k", &told), 1);
    trim(&bed, horizon);
    CHECK_EQ_UINT(writes_told(&bed, horizon, "k", &told), 1);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(store_stat(bed.db, "late_merges") > 0);
    CHECK_EQ_UINT(writes_told(&bed, horizon, "k", &told), 1);
    CHECK_EQ_INT(told.kind, YORE_KIND_DELETE);
    CHECK_EQ_INT(told.valid_from, first + 1);
    bed_close(&bed);
}

TEST_MAIN(a_run_without_ends_goes_whole,
          a_run_stays_until_the_horizon_has_passed_what_superseded_it,
          a_run_stays_that_a_snapshot_reads, of_ends_those_stay_that_hide_something,
          an_end_stays_for_a_late_fact_that_it_hides,
          an_end_at_the_very_last_commit_of_its_run_is_one, an_end_stays_for_what_it_corrects,
          an_end_stays_for_what_a_slice_carries, a_delete_at_the_horizon_itself_stays,
          a_value_at_the_horizon_itself_that_never_held_stays_in_a_run,
          a_value_at_the_horizon_itself_that_never_held_stays_in_a_slice,
          a_run_is_written_anew_only_where_that_is_worth_it, what_was_trimmed_is_not_due_again,
          merging_runs_puts_no_trim_off, a_copy_stays_that_tells_a_read_to_look_back,
          a_run_of_deletes_alone_keeps_no_slice, of_the_last_slice_the_greatest_versions_are_left,
          a_last_slice_waits_until_the_horizon_has_passed_its_commits,
          compaction_trims_the_slice_in_which_the_horizon_lies,
          a_value_that_is_over_leaves_the_slice, compaction_of_what_was_compacted_writes_no_history,
          deletes_leave_with_what_they_hid, what_a_trim_frees_was_foretold,
          every_key_at_and_after_the_horizon_is_as_it_was,
          what_was_written_after_the_horizon_is_told_as_it_was_written_though_it_ended_before,
          deletes_from_after_the_horizon_keep_the_slice_that_they_are_dated_in)
