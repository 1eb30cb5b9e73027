/* held_test.c -- where only now is kept, what held snapshots see is kept, and nothing beside it. */
#include <stdio.h>
#include <string.h>

#include "engine/compact.h"
#include "engine/db_internal.h"
#include "engine/history.h"
#include "engine/limits.h"
#include "engine/retention.h"
#include "support/store.h"
#include "unit/engine/bed.h"

#define KEYS 1000
#define VALUE_BYTES 100

static struct yore_keyspace *only_now(struct bed *bed)
{
    const struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    struct yore_keyspace *keyspace;
    CHECK_OK(yore_keyspace_create(bed->db, "now", &options, &keyspace, NULL));
    return keyspace;
}

static struct yore_bytes key_of(char text[16], unsigned i)
{
    int size = snprintf(text, 16, "k%06u", i % 1000000);
    return bytes_of(text, (size_t)size);
}

static void write_number(struct bed *bed, struct yore_keyspace *keyspace, unsigned i,
                         uint64_t number)
{
    char key[16];
    char value[VALUE_BYTES] = {0};
    memcpy(value, &number, sizeof number);
    CHECK_OK(
        yore_put(bed->db, keyspace, key_of(key, i), bytes_of(value, sizeof value), NULL, NULL));
}

static void remove_key(struct bed *bed, struct yore_keyspace *keyspace, unsigned i)
{
    char key[16];
    CHECK_OK(yore_delete(bed->db, keyspace, key_of(key, i), NULL, NULL));
}

/* 0: there is none. */
static uint64_t number_at(struct bed *bed, struct yore_keyspace *keyspace, unsigned i,
                          const struct yore_snapshot *snapshot)
{
    struct yore_value value = {0};
    uint64_t number = 0;
    char key[16];
    struct yore_time at = {YORE_NOW, YORE_NOW};
    if (snapshot != NULL) {
        at = yore_snapshot_time(snapshot);
    }
    enum yore_status st = yore_get(bed->db, keyspace, key_of(key, i), &at, &value, NULL);
    CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
    if (st == YORE_OK) {
        memcpy(&number, value.data, sizeof number);
    }
    yore_value_release(&value);
    return number;
}

TEST(a_snapshot_held_for_long_keeps_one_version_a_key)
{
    struct bed bed;
    struct yore_snapshot *snapshot;
    bed_open(&bed);
    struct yore_keyspace *keyspace = only_now(&bed);
    for (unsigned i = 0; i < KEYS; i++) {
        write_number(&bed, keyspace, i, i + 1);
    }
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    uint64_t runs_most = 0;
    for (unsigned i = 0; i < 60 * KEYS; i++) {
        write_number(&bed, keyspace, i * 7919 % KEYS, KEYS + i);
        if (i % KEYS == 0) {
            uint64_t runs = store_stat(bed.db, "history_runs_most");
            runs_most = runs > runs_most ? runs : runs_most;
        }
    }
    CHECK(runs_most <= RUNS_MERGE_MOST);
    CHECK_OK(yore_compact(bed.db, keyspace, NULL));
    struct yore_keyspace_usage usage;
    CHECK_OK(yore_keyspace_usage(bed.db, keyspace, &usage, NULL));
    CHECK(usage.past_versions <= KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        CHECK_EQ_UINT(number_at(&bed, keyspace, i, snapshot), i + 1);
    }
    yore_snapshot_release(snapshot);
    CHECK_OK(yore_compact(bed.db, keyspace, NULL));
    CHECK_OK(yore_keyspace_usage(bed.db, keyspace, &usage, NULL));
    CHECK_EQ_UINT(usage.past_versions, 0);
    CHECK_OK(yore_verify(bed.db, NULL, NULL, NULL, NULL));
    bed_close(&bed);
}

#define FEW 12
#define HELD_MOST 40 /* more than have a span of their own */

struct seen {
    struct yore_snapshot *snapshot; /* NULL: free */
    uint64_t numbers[FEW];
};

static void check_seen(struct bed *bed, struct yore_keyspace *keyspace, const struct seen *seen)
{
    for (unsigned i = 0; i < FEW; i++) {
        CHECK_EQ_UINT(number_at(bed, keyspace, i, seen->snapshot), seen->numbers[i]);
    }
}

static void take_or_release(struct bed *bed, struct seen *seen, const uint64_t *numbers)
{
    if (seen->snapshot != NULL) {
        yore_snapshot_release(seen->snapshot);
        seen->snapshot = NULL;
        return;
    }
    CHECK_OK(yore_snapshot_take(bed->db, &seen->snapshot, NULL));
    memcpy(seen->numbers, numbers, sizeof seen->numbers);
}

TEST(every_snapshot_sees_its_own_whatever_others_come_and_go)
{
    struct test_rand rand = test_rand_new(0);
    for (int round = 0; round < 4; round++) {
        struct bed bed;
        struct seen seen[HELD_MOST] = {{.snapshot = NULL}};
        uint64_t numbers[FEW] = {0};
        uint64_t snapshots = round % 2 == 0 ? 4 : HELD_MOST;
        bed_open(&bed);
        struct yore_keyspace *keyspace = only_now(&bed);
        for (unsigned step = 0; step < 4000; step++) {
            unsigned i = (unsigned)test_rand_below(&rand, FEW);
            if (test_rand_one_in(&rand, 3)) {
                remove_key(&bed, keyspace, i);
                numbers[i] = 0;
            } else {
                write_number(&bed, keyspace, i, step + 1);
                numbers[i] = step + 1;
            }
            struct seen *one = &seen[test_rand_below(&rand, snapshots)];
            if (test_rand_one_in(&rand, 8)) {
                take_or_release(&bed, one, numbers);
            }
            if (test_rand_one_in(&rand, 40)) {
                CHECK_OK(yore_flush(bed.db, NULL));
            }
            if (test_rand_one_in(&rand, 300)) {
                CHECK_OK(yore_compact(bed.db, keyspace, NULL));
            }
            if (one->snapshot != NULL) {
                check_seen(&bed, keyspace, one);
            }
        }
        for (unsigned i = 0; i < HELD_MOST; i++) {
            yore_snapshot_release(seen[i].snapshot);
        }
        bed_close(&bed);
    }
}

static enum yore_status get_now(struct bed *bed, struct yore_keyspace *space, const char *key,
                                const struct yore_snapshot *snapshot)
{
    struct yore_time at = yore_snapshot_time(snapshot);
    struct yore_value value = {0};
    enum yore_status st = yore_get(bed->db, space, text(key), &at, &value, NULL);
    yore_value_release(&value);
    return st;
}

static void merge_levels(struct bed *bed, struct yore_keyspace *space)
{
    CHECK_OK(yore_flush(bed->db, NULL));
    atomic_store(&space->is_level_busy, true);
    CHECK_OK(compact_all(bed->db, space, NULL));
    atomic_store(&space->is_level_busy, false);
}

/* A run that was for a snapshot is there yet, because other work on history is under way, when the
 * delete of what it has leaves the levels, and a run for another snapshot has it asked again. */
TEST(what_was_deleted_does_not_come_back_from_a_run_for_a_snapshot_that_is_gone)
{
    struct bed bed;
    struct yore_snapshot *held = NULL;
    bed_open(&bed);
    struct yore_keyspace *space = only_now(&bed);
    atomic_store(&space->is_history_busy, true);
    CHECK_OK(yore_put(bed.db, space, text("b"), text("old"), NULL, NULL));
    CHECK_OK(yore_put(bed.db, space, text("k"), text("deleted"), NULL, NULL));
    CHECK_OK(yore_snapshot_take(bed.db, &held, NULL));
    CHECK_OK(yore_delete(bed.db, space, text("k"), NULL, NULL));
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(get_now(&bed, space, "k", held));
    yore_snapshot_release(held);
    merge_levels(&bed, space);
    CHECK_OK(yore_snapshot_take(bed.db, &held, NULL));
    CHECK_STATUS(get_now(&bed, space, "k", held), YORE_NOT_FOUND);
    CHECK_OK(yore_put(bed.db, space, text("b"), text("new"), NULL, NULL));
    merge_levels(&bed, space);
    CHECK_OK(get_now(&bed, space, "b", held));
    CHECK_STATUS(get_now(&bed, space, "k", held), YORE_NOT_FOUND);
    atomic_store(&space->is_history_busy, false);
    yore_snapshot_release(held);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage usage;
    CHECK_OK(yore_keyspace_usage(bed.db, space, &usage, NULL));
    CHECK_EQ_UINT(usage.past_versions, 0);
    bed_close(&bed);
}

/* A run that is of no use any more stays for one that is, with commits from before some of its own;
 * the delete of something in it lies in a run of its own.  That must not go alone. */
TEST(a_delete_in_a_run_stays_with_what_it_hides_though_no_snapshot_needs_either)
{
    struct bed bed;
    struct yore_snapshot *early[RUNS_MERGE_COUNT];
    struct yore_snapshot *held = NULL;
    bool has_dropped = false;
    bed_open(&bed);
    struct yore_keyspace *space = only_now(&bed);
    atomic_store(&space->is_history_busy, true);
    atomic_store(&space->is_level_busy, true);
    CHECK_OK(yore_put(bed.db, space, text("k"), text("deleted"), NULL, NULL));
    for (unsigned i = 0; i < RUNS_MERGE_COUNT; i++) { /* a run each: the first of k, then of z */
        CHECK_OK(yore_put(bed.db, space, text("z"), text("seen"), NULL, NULL));
        CHECK_OK(yore_snapshot_take(bed.db, &early[i], NULL));
        if (i == 0) {
            CHECK_OK(yore_delete(bed.db, space, text("k"), NULL, NULL));
            CHECK_OK(yore_put(bed.db, space, text("w"), text("old"), NULL, NULL));
        }
        CHECK_OK(yore_put(bed.db, space, text("z"), text("value"), NULL, NULL));
        CHECK_OK(yore_flush(bed.db, NULL));
    }
    CHECK_OK(history_step(bed.db, space, NULL)); /* one run of all */
    CHECK_EQ_UINT(store_stat(bed.db, "run_merges"), 1);
    for (unsigned i = 0; i < RUNS_MERGE_COUNT; i++) {
        yore_snapshot_release(early[i]);
    }
    merge_levels(&bed, space); /* a run of the delete */
    CHECK_OK(yore_snapshot_take(bed.db, &held, NULL));
    CHECK_OK(yore_put(bed.db, space, text("w"), text("new"), NULL, NULL));
    merge_levels(&bed, space); /* a run of the old w, which the snapshot sees */
    CHECK_STATUS(get_now(&bed, space, "k", held), YORE_NOT_FOUND);
    CHECK_OK(retention_drop(bed.db, space, &has_dropped, NULL));
    CHECK_STATUS(get_now(&bed, space, "k", held), YORE_NOT_FOUND);
    CHECK_OK(get_now(&bed, space, "w", held));
    atomic_store(&space->is_history_busy, false);
    yore_snapshot_release(held);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_keyspace_usage usage;
    CHECK_OK(yore_keyspace_usage(bed.db, space, &usage, NULL));
    CHECK_EQ_UINT(usage.past_versions, 0);
    bed_close(&bed);
}

TEST_MAIN(a_snapshot_held_for_long_keeps_one_version_a_key,
          every_snapshot_sees_its_own_whatever_others_come_and_go,
          what_was_deleted_does_not_come_back_from_a_run_for_a_snapshot_that_is_gone,
          a_delete_in_a_run_stays_with_what_it_hides_though_no_snapshot_needs_either)
