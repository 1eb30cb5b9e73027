/* walk_failure_test.c -- walks that fail on their way: no row is passed over, no end is told that
 * is none, and asking again is harmless.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "unit/engine/bed.h"

#define KEYS 60
#define ROUNDS 3

/* Versions of every key in history, current tree and memtable; half of the values lie apart. */
static void begin(struct bed *bed)
{
    static char value[2000];
    bed_open(bed);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < KEYS; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "k%02d", i);
            struct yore_bytes bytes = {value, i % 2 == 1 ? 300u + (unsigned)i * 20 : 10u};
            CHECK_OK(yore_put(bed->db, NULL, text(key), bytes, NULL, NULL));
        }
        if (round + 1 < ROUNDS) {
            bed_age(bed, 2);
        }
    }
}

struct tally {
    int rows;
    enum yore_status end; /* YORE_NOT_FOUND, or what was told three times */
};

static struct tally walk_cursor(struct yore_cursor *cursor, bool is_backward)
{
    struct tally tally = {0, YORE_OK};
    for (int failed = 0; failed < 3 && tally.end != YORE_NOT_FOUND;) {
        tally.end = is_backward ? yore_cursor_prev(cursor) : yore_cursor_next(cursor);
        tally.rows += tally.end == YORE_OK;
        failed += tally.end != YORE_OK;
        CHECK_EQ_INT(yore_cursor_row(cursor) != NULL, tally.end == YORE_OK);
        CHECK_EQ_INT(yore_cursor_error(cursor)->status,
                     tally.end == YORE_NOT_FOUND ? YORE_OK : tally.end);
    }
    return tally;
}

/* Whole, or failed; where it failed, whole when it is positioned anew. */
static void check_cursor(struct yore_cursor *cursor, bool is_backward, enum yore_status failure)
{
    struct tally tally = walk_cursor(cursor, is_backward);
    mem_fail_at(0, false);
    CHECK(tally.end == YORE_NOT_FOUND || tally.end == failure);
    if (tally.end == YORE_NOT_FOUND) {
        CHECK_EQ_INT(tally.rows, KEYS);
        return;
    }
    CHECK_OK(is_backward ? yore_cursor_last(cursor) : yore_cursor_first(cursor));
    CHECK_EQ_INT(walk_cursor(cursor, is_backward).rows, KEYS - 1);
}

TEST(a_cursor_that_runs_out_of_memory_says_so_until_it_is_positioned)
{
    struct bed bed;
    begin(&bed);
    for (int way = 0; way < 4; way++) {
        for (uint64_t nth = 1; nth < 150; nth++) {
            struct yore_txn *txn = NULL;
            struct yore_cursor *cursor;
            if (way >= 2) {
                CHECK_OK(yore_begin(bed.db, &txn, NULL));
                CHECK_OK(yore_txn_cursor_open(txn, NULL, NULL, &cursor, NULL));
            } else {
                CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
            }
            mem_fail_at(nth, false);
            check_cursor(cursor, way % 2 == 1, YORE_NOMEM);
            yore_cursor_close(cursor);
            yore_txn_abort(txn);
        }
    }
    bed_close(&bed);
}

TEST(a_cursor_that_cannot_read_says_so_until_it_is_positioned)
{
    struct bed bed;
    begin(&bed);
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        for (uint64_t nth = 1; nth < 60; nth++) {
            struct yore_cursor *cursor;
            bed_reopen(&bed);
            CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
            sim_disk_fail(bed.disk, SIM_FAULT_READ, nth, false);
            check_cursor(cursor, is_backward == 1, YORE_IO);
            sim_disk_fail(bed.disk, SIM_FAULT_READ, 0, false);
            yore_cursor_close(cursor);
        }
    }
    bed_close(&bed);
}

typedef enum yore_status (*step_fn)(void *walk);

static enum yore_status step_changes(void *walk)
{
    struct yore_change change;
    return yore_changes_next(walk, &change, NULL);
}

static enum yore_status step_timeline(void *walk)
{
    struct yore_version version;
    return yore_timeline_next(walk, &version, NULL);
}

static enum yore_status step_feed(void *walk)
{
    struct yore_feed_commit commit;
    return yore_feed_next(walk, &commit, NULL);
}

/* With the nth allocation failing: the walk is whole, or its failure is told again and again. */
static void check_walk(void *walk, step_fn step, int rows, uint64_t nth)
{
    struct tally tally = {0, YORE_OK};
    mem_fail_at(nth, false);
    while (tally.end == YORE_OK) {
        tally.end = step(walk);
        tally.rows += tally.end == YORE_OK;
    }
    mem_fail_at(0, false);
    CHECK_STATUS(step(walk), tally.end);
    CHECK(tally.end == YORE_NOMEM || (tally.end == YORE_NOT_FOUND && tally.rows == rows));
}

TEST(a_walk_over_changes_repeats_its_failure)
{
    struct bed bed;
    begin(&bed);
    for (int how = 0; how < 4; how++) {
        for (uint64_t nth = 1; nth < 200; nth++) {
            bool is_every = how % 2 == 1;
            struct yore_changes *changes;
            struct yore_changes_options options = {.from = YORE_TIME_MIN,
                                                   .to = YORE_NOW,
                                                   .known = YORE_NOW,
                                                   .every_version = is_every,
                                                   .in_time_order = how >= 2};
            CHECK_OK(yore_changes_open(bed.db, NULL, &options, &changes, NULL));
            check_walk(changes, step_changes, is_every ? KEYS * ROUNDS : KEYS, nth);
            yore_changes_close(changes);
        }
    }
    bed_close(&bed);
}

TEST(a_timeline_repeats_its_failure)
{
    struct bed bed;
    begin(&bed);
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        for (uint64_t nth = 1; nth < 40; nth++) {
            struct yore_timeline *timeline;
            struct yore_timeline_options options = {.from = YORE_TIME_MIN,
                                                    .to = YORE_FOREVER,
                                                    .known = YORE_NOW,
                                                    .is_backward = is_backward == 1};
            CHECK_OK(yore_timeline_open(bed.db, NULL, text("k07"), &options, &timeline, NULL));
            check_walk(timeline, step_timeline, ROUNDS, nth);
            yore_timeline_close(timeline);
        }
    }
    bed_close(&bed);
}

TEST(a_feed_repeats_its_failure)
{
    struct bed bed;
    begin(&bed);
    for (uint64_t nth = 1; nth < 300; nth++) {
        struct yore_feed *feed;
        CHECK_OK(yore_feed_open(bed.db, YORE_TIME_MIN, &feed, NULL));
        check_walk(feed, step_feed, 1 + KEYS * ROUNDS, nth); /* the first makes the catalogue */
        yore_feed_close(feed);
    }
    bed_close(&bed);
}

TEST_MAIN(a_cursor_that_runs_out_of_memory_says_so_until_it_is_positioned,
          a_cursor_that_cannot_read_says_so_until_it_is_positioned,
          a_walk_over_changes_repeats_its_failure, a_timeline_repeats_its_failure,
          a_feed_repeats_its_failure)
