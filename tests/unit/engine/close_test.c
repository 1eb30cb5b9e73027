/* close_test.c -- closing is refused while something is open, and harms nothing then. */
#include <stdio.h>
#include <string.h>

#include "unit/engine/bed.h"

/* Closing is refused with a text that has `wanted`, and the database goes on. */
static void check_refused(struct yore_db *db, const char *wanted)
{
    struct yore_error error;
    CHECK_STATUS(yore_close(db, &error), YORE_BUSY);
    CHECK_MSG(strstr(error.text, wanted) != NULL, "%s", error.text);
    (void)put(db, "written", "after");
    CHECK_EQ_STR(get(db, "written"), "after");
}

/* Opens everything there is, one at a time; `step` is its number.  False: there are no more. */
static bool hold_one(struct yore_db *db, unsigned step)
{
    struct yore_batch *batch = NULL;
    struct yore_load *load = NULL;
    struct yore_txn *txn = NULL;
    struct yore_snapshot *snapshot = NULL;
    struct yore_cursor *cursor = NULL;
    struct yore_timeline *timeline = NULL;
    struct yore_changes *changes = NULL;
    struct yore_feed *feed = NULL;
    struct yore_watch *watch = NULL;
    struct yore_timeline_options always = {YORE_TIME_MIN, YORE_FOREVER, YORE_NOW, 0, 0, 0};
    struct yore_changes_options since = {.from = AT(0), .to = YORE_NOW, .known = YORE_NOW};
    switch (step) {
    case 0:
        CHECK_OK(yore_batch_new(db, &batch, NULL));
        check_refused(db, ": 1 batch;");
        yore_batch_free(batch);
        return true;
    case 1:
        CHECK_OK(yore_load_open(db, NULL, &load, NULL));
        check_refused(db, ": 1 load;");
        yore_load_abort(load);
        return true;
    case 2:
        CHECK_OK(yore_begin(db, &txn, NULL));
        check_refused(db, ": 1 transaction;");
        yore_txn_abort(txn);
        return true;
    case 3:
        CHECK_OK(yore_snapshot_take(db, &snapshot, NULL));
        check_refused(db, ": 1 snapshot;");
        yore_snapshot_release(snapshot);
        return true;
    case 4:
        CHECK_OK(yore_cursor_open(db, NULL, NULL, &cursor, NULL));
        check_refused(db, ": 1 cursor;");
        CHECK_OK(yore_cursor_first(cursor));
        CHECK_EQ_UINT(yore_cursor_row(cursor)->key.size, 1); /* and it goes on as well */
        yore_cursor_close(cursor);
        return true;
    case 5:
        CHECK_OK(yore_timeline_open(db, NULL, text("a"), &always, &timeline, NULL));
        check_refused(db, ": 1 timeline;");
        yore_timeline_close(timeline);
        return true;
    case 6:
        CHECK_OK(yore_changes_open(db, NULL, &since, &changes, NULL));
        check_refused(db, ": 1 walk over changes;");
        yore_changes_close(changes);
        return true;
    case 7:
        CHECK_OK(yore_feed_open(db, YORE_TIME_MIN, &feed, NULL));
        check_refused(db, ": 1 feed;");
        yore_feed_close(feed);
        return true;
    case 8:
        CHECK_OK(yore_watch_open(db, NULL, &watch, NULL));
        check_refused(db, ": 1 watch;");
        yore_watch_close(watch);
        return true;
    default:
        return false;
    }
}

TEST(closing_is_refused_while_anything_is_open)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "a", "1");
    for (unsigned step = 0; hold_one(bed.db, step); step++) {
    }
    bed_close(&bed);
}

TEST(closing_tells_all_that_is_open)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    struct yore_cursor *cursors[2] = {NULL, NULL};
    struct yore_snapshot *snapshot = NULL;
    bed_open(&bed);
    (void)put(bed.db, "a", "1");
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_cursor_open(txn, NULL, NULL, &cursors[0], NULL));
    CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursors[1], NULL));
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    check_refused(bed.db, ": 1 transaction, 1 snapshot, 2 cursors;");
    yore_snapshot_release(snapshot);
    yore_cursor_close(cursors[0]);
    yore_cursor_close(cursors[1]);
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    bed_close(&bed);
}

/* What failed to open is not open. */
TEST(closing_does_not_wait_for_what_was_refused)
{
    struct bed bed;
    struct yore_time ahead = {YORE_NOW, YORE_NOW - 1};
    struct yore_cursor_options options = {.at = &ahead};
    struct yore_changes_options backwards = {.from = AT(1), .to = AT(0), .known = YORE_NOW};
    struct yore_timeline_options unknown = {.from = AT(0), .to = AT(1), .known = YORE_NOW - 1};
    struct yore_watch_options future = {.after_commit = YORE_NOW - 1};
    struct yore_cursor *cursor = NULL;
    struct yore_timeline *timeline = NULL;
    struct yore_changes *changes = NULL;
    struct yore_feed *feed = NULL;
    struct yore_watch *watch = NULL;
    bed_open(&bed);
    CHECK_STATUS(yore_cursor_open(bed.db, NULL, &options, &cursor, NULL), YORE_IN_FUTURE);
    CHECK_STATUS(yore_changes_open(bed.db, NULL, &backwards, &changes, NULL), YORE_INVALID);
    CHECK_STATUS(yore_timeline_open(bed.db, NULL, text("a"), &unknown, &timeline, NULL),
                 YORE_IN_FUTURE);
    CHECK_STATUS(yore_feed_open(bed.db, YORE_NOW - 1, &feed, NULL), YORE_IN_FUTURE);
    CHECK_STATUS(yore_watch_open(bed.db, &future, &watch, NULL), YORE_IN_FUTURE);
    CHECK_OK(yore_close(bed.db, NULL));
    bed.db = NULL;
    bed_close(&bed);
}

TEST(closing_is_refused_while_a_value_is_held)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_value values[2];
        bed_open(&bed);
        (void)put(bed.db, "a", "1");
        bed_age(&bed, age);
        CHECK_OK(yore_get(bed.db, NULL, text("a"), NULL, &values[0], NULL));
        check_refused(bed.db, ": 1 value is not released;");
        CHECK_OK(yore_get(bed.db, NULL, text("a"), NULL, &values[1], NULL));
        check_refused(bed.db, ": 2 values are not released;");
        CHECK(memcmp(values[0].data, "1", 1) == 0);
        yore_value_release(&values[0]);
        yore_value_release(&values[1]);
        bed_close(&bed);
    }
}

/* A page that a merge has replaced meanwhile is in no table any more. */
TEST(closing_is_refused_while_a_value_of_a_table_that_is_gone_is_held)
{
    struct bed bed;
    struct yore_value value;
    bed_open(&bed);
    (void)put(bed.db, "a", "1");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(yore_get(bed.db, NULL, text("a"), NULL, &value, NULL));
    (void)put(bed.db, "a", "2");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    check_refused(bed.db, ": 1 value is not released;");
    CHECK(memcmp(value.data, "1", 1) == 0);
    yore_value_release(&value);
    bed_close(&bed);
}

TEST(after_a_refused_close_work_goes_on_in_the_background)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct yore_options options;
    struct yore_db *db = NULL;
    struct yore_value value;
    char filler[1024];
    yore_options_init(&options);
    options.memtable_bytes = 64u << 10;
    options.segment_bytes = 64u << 10;
    options.durability = YORE_DURABILITY_NONE;
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    CHECK_OK(db_open(sim_disk_env(disk), "/db", &options, &db, NULL));
    (void)put(db, "a", "1");
    CHECK_OK(yore_get(db, NULL, text("a"), NULL, &value, NULL));
    CHECK_STATUS(yore_close(db, NULL), YORE_BUSY);
    for (int i = 0; i < 2000; i++) { /* many memtables: somebody must flush them */
        char key[16];
        (void)snprintf(key, sizeof key, "key%04d", i);
        (void)put(db, key, filler);
    }
    CHECK_OK(yore_flush(db, NULL));
    yore_value_release(&value);
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(disk);
}

TEST_MAIN(closing_is_refused_while_anything_is_open, closing_tells_all_that_is_open,
          closing_does_not_wait_for_what_was_refused, closing_is_refused_while_a_value_is_held,
          closing_is_refused_while_a_value_of_a_table_that_is_gone_is_held,
          after_a_refused_close_work_goes_on_in_the_background)
