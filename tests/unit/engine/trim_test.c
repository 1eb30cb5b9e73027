/* trim_test.c -- what no read at or after the horizon needs leaves the tables, and nothing else. */
#include <stdio.h>
#include <string.h>

#include "support/store.h"
#include "unit/engine/bed.h"

#define KEYS 12

static const char *key_of(int number, char storage[16])
{
    (void)snprintf(storage, 16, "key%02d", number);
    return storage;
}

/* Some rounds of puts, a second apart; some keys end by themselves, some are deleted. */
static void fill(struct bed *bed, int rounds)
{
    char value[150];
    char key[16];
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = 0;
    for (int i = 0; i < rounds * KEYS; i++) {
        int number = i % KEYS;
        int64_t now = yore_now(bed->db);
        (void)snprintf(value, 8, "%06d", i);
        value[7] = 'v';
        if (number % 4 == 1 && i / KEYS % 3 == 2) {
            (void)delete_at(bed->db, key_of(number, key), YORE_NOW);
        } else {
            int64_t to = number % 4 == 3 ? now + 5 * BED_SECOND : YORE_FOREVER;
            (void)put_at(bed->db, key_of(number, key), value, YORE_NOW, to);
        }
        sim_disk_advance(bed->disk, BED_SECOND);
    }
}

static struct yore_keyspace_usage usage_of(struct bed *bed)
{
    struct yore_keyspace_usage usage;
    CHECK_OK(yore_keyspace_usage(bed->db, NULL, &usage, NULL));
    return usage;
}

/* Every key at `moment`, as text. */
static void tell(struct bed *bed, int64_t moment, char told[KEYS][16])
{
    char key[16];
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(told[i], sizeof told[i], "%.10s",
                       get_at(bed->db, key_of(i, key), moment, YORE_NOW));
    }
}

/* A trim at the end of the history, and one in the midst of it, leave every moment from there on
 * as it was; ages are the ways in which it is carried out. */
static void check_trim(int rounds_before, int rounds_after, int age)
{
    enum { MOMENTS = 8 };
    struct bed bed;
    char told[MOMENTS][KEYS][16];
    char again[KEYS][16];
    bed_open(&bed);
    fill(&bed, rounds_before);
    bed_age(&bed, age);
    int64_t horizon = yore_now(bed.db);
    fill(&bed, rounds_after);
    bed_age(&bed, age);
    int64_t step = (yore_now(bed.db) - horizon) / MOMENTS;
    for (int i = 0; i < MOMENTS; i++) {
        tell(&bed, horizon + i * step, told[i]);
    }
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
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

TEST(a_sealed_region_that_is_all_over_gives_everything_back)
{
    struct bed bed;
    bed_open(&bed);
    fill(&bed, 20);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(usage_of(&bed).past_versions > 0);
    CHECK_OK(yore_trim(bed.db, NULL, yore_now(bed.db), NULL));
    struct yore_keyspace_usage usage = usage_of(&bed);
    CHECK_EQ_UINT(usage.past_versions + usage.past_copies, 0);
    CHECK_EQ_UINT(usage.past_bytes, 0);
    bed_close(&bed);
}

TEST(what_a_trimmed_region_frees_was_foretold)
{
    struct bed bed;
    struct yore_snapshot *snapshot;
    bed_open(&bed);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    fill(&bed, 20);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_trim(bed.db, NULL, yore_now(bed.db), NULL));
    CHECK_EQ_UINT(usage_of(&bed).freeable_bytes, 0);
    yore_snapshot_release(snapshot);
    struct yore_keyspace_usage before = usage_of(&bed);
    CHECK(before.freeable_bytes > 0);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(before.past_bytes - usage_of(&bed).past_bytes, before.freeable_bytes);
    bed_close(&bed);
}

TEST(runs_that_are_over_leave_in_the_background)
{
    struct bed bed;
    bed_open(&bed);
    fill(&bed, 2); /* too little for a slice */
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK(usage_of(&bed).past_versions > 0);
    CHECK_OK(yore_trim(bed.db, NULL, yore_now(bed.db), NULL));
    CHECK_EQ_UINT(usage_of(&bed).past_versions, 0);
    bed_close(&bed);
}

TEST(deletes_leave_with_what_they_hid)
{
    struct bed bed;
    char key[16];
    bed_open(&bed);
    for (int i = 0; i < 300; i++) {
        (void)put(bed.db, key_of(i, key), "some value that is long enough to be told from none");
        (void)delete_at(bed.db, key_of(i, key), YORE_NOW);
    }
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_trim(bed.db, NULL, yore_now(bed.db), NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage usage = usage_of(&bed);
    CHECK_EQ_UINT(usage.past_versions + usage.present_versions, 0);
    bed_close(&bed);
}

/* "old" is in the deepest level, the delete in a run, "new" in level 0. */
TEST(a_delete_stays_that_hides_what_the_levels_have_yet)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "key00", "old");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    fill(&bed, 1); /* of other keys, so that something is over */
    (void)put(bed.db, "k", "old");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    (void)delete_at(bed.db, "k", YORE_NOW);
    fill(&bed, 2);
    int64_t horizon = yore_now(bed.db);
    sim_disk_advance(bed.disk, BED_SECOND);
    (void)put(bed.db, "k", "new");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, YORE_NOW), "-");
    CHECK_EQ_STR(get(bed.db, "k"), "new");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, YORE_NOW), "-");
    bed_close(&bed);
}

/* The late fact is of no use to reads that know it, and unknown to those at the horizon. */
TEST(what_a_delete_hid_leaves_with_it_also_behind_a_late_fact)
{
    struct bed bed;
    bed_open(&bed);
    fill(&bed, 2);
    CHECK_OK(yore_flush(bed.db, NULL));
    int64_t first = put(bed.db, "k", "first");
    sim_disk_advance(bed.disk, 10 * BED_SECOND);
    (void)delete_at(bed.db, "k", YORE_NOW);
    int64_t horizon = yore_now(bed.db);
    sim_disk_advance(bed.disk, 10 * BED_SECOND);
    (void)put_at(bed.db, "k", "late", first + 5 * BED_SECOND, YORE_FOREVER);
    (void)put(bed.db, "k", "last");
    CHECK_OK(yore_flush(bed.db, NULL));
    uint64_t trimmed = store_stat(bed.db, "versions_trimmed");
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK(store_stat(bed.db, "versions_trimmed") > trimmed);
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, horizon), "-");
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, YORE_NOW), "-");
    CHECK_EQ_STR(get(bed.db, "k"), "last");
    bed_close(&bed);
}

TEST(compaction_trims_the_slice_in_which_the_horizon_lies)
{
    struct bed bed;
    bed_open(&bed);
    fill(&bed, 6);
    int64_t horizon = yore_now(bed.db);
    fill(&bed, 3);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage before = usage_of(&bed);
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage after = usage_of(&bed);
    /* Left: of each key one from before the horizon, and those since. */
    CHECK(before.past_versions >= 9 * KEYS - 2);
    CHECK(after.past_versions <= 4 * KEYS);
    bed_close(&bed);
}

TEST(compaction_of_what_was_compacted_writes_nothing)
{
    struct bed bed;
    bed_open(&bed);
    fill(&bed, 20);
    int64_t horizon = yore_now(bed.db);
    fill(&bed, 20);
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage before = usage_of(&bed);
    uint64_t written = store_stat(bed.db, "history_write_bytes");
    uint64_t merged = store_stat(bed.db, "merge_write_bytes");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "history_write_bytes"), written);
    CHECK_EQ_UINT(store_stat(bed.db, "merge_write_bytes"), merged);
    CHECK_EQ_UINT(usage_of(&bed).past_versions, before.past_versions);
    bed_close(&bed);
}

TEST(what_a_snapshot_reads_is_not_trimmed)
{
    struct bed bed;
    struct yore_snapshot *snapshot;
    char told[KEYS][16];
    char key[16];
    bed_open(&bed);
    fill(&bed, 7);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    struct yore_time at = yore_snapshot_time(snapshot);
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(told[i], sizeof told[i], "%.10s",
                       get_at(bed.db, key_of(i, key), at.valid, at.known));
    }
    fill(&bed, 12);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_trim(bed.db, NULL, yore_now(bed.db), NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    for (int i = 0; i < KEYS; i++) {
        char now_told[16];
        (void)snprintf(now_told, sizeof now_told, "%.10s",
                       get_at(bed.db, key_of(i, key), at.valid, at.known));
        CHECK_EQ_STR(now_told, told[i]);
    }
    yore_snapshot_release(snapshot);
    bed_close(&bed);
}

TEST_MAIN(every_key_at_and_after_the_horizon_is_as_it_was,
          a_sealed_region_that_is_all_over_gives_everything_back,
          what_a_trimmed_region_frees_was_foretold, runs_that_are_over_leave_in_the_background,
          deletes_leave_with_what_they_hid, a_delete_stays_that_hides_what_the_levels_have_yet,
          what_a_delete_hid_leaves_with_it_also_behind_a_late_fact,
          compaction_trims_the_slice_in_which_the_horizon_lies,
          compaction_of_what_was_compacted_writes_nothing, what_a_snapshot_reads_is_not_trimmed)
