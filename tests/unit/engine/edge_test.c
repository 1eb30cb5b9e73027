/* edge_test.c -- moments that meet: what holds at the bound itself, and a nanosecond beside it.
 *
 * The clock is made to stand still by setting it back: now is then the last now that was told, or
 * the last commit, and a commit comes a nanosecond later.
 */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "journal/commit_codec.h"
#include "support/store.h"
#include "unit/engine/bed.h"

#define SKEW 500000000ll

/* Now, until the next commit. */
static int64_t stand_still(struct bed *bed)
{
    int64_t now = yore_now(bed->db);
    sim_disk_set_wall(bed->disk, BED_T0 - 1000 * BED_SECOND);
    return now;
}

static enum yore_status put_status(struct yore_db *db, int64_t from, int64_t to, bool is_span)
{
    struct yore_write write = {.from = from, .to = to, .is_span = is_span};
    return yore_put(db, NULL, text("k"), text("v"), &write, NULL);
}

static enum yore_status erase_status(struct yore_db *db, int64_t from, int64_t to)
{
    struct yore_erase erase = {.key = text("k"), .from = from, .to = to};
    return yore_erase(db, NULL, &erase, NULL);
}

static int64_t last_commit(struct yore_db *db)
{
    struct yore_snapshot *snapshot = NULL;
    CHECK_OK(yore_snapshot_take(db, &snapshot, NULL));
    int64_t commit = yore_snapshot_time(snapshot).known;
    yore_snapshot_release(snapshot);
    return commit;
}

TEST(a_horizon_may_be_now_and_no_later)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    int64_t now = stand_still(&bed);
    CHECK_STATUS(yore_trim(bed.db, NULL, now + 1, NULL), YORE_IN_FUTURE);
    CHECK_OK(yore_trim(bed.db, NULL, now, NULL));
    bed_close(&bed);
}

TEST(the_same_horizon_again_writes_nothing)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    CHECK_OK(yore_trim(bed.db, NULL, AT(10), NULL));
    int64_t commit = last_commit(bed.db);
    CHECK_OK(yore_trim(bed.db, NULL, AT(10), NULL));
    CHECK_OK(yore_trim(bed.db, NULL, AT(9), NULL));
    CHECK_EQ_INT(last_commit(bed.db), commit);
    CHECK_OK(yore_trim(bed.db, NULL, AT(10) + 1, NULL));
    CHECK(last_commit(bed.db) > commit);
    bed_close(&bed);
}

/* The facts are judged when they are added, and again when the horizon has moved. */
TEST(a_fact_at_the_horizon_may_be_committed_after_it_moved_there)
{
    struct bed bed;
    struct yore_batch *batch = NULL;
    struct yore_write write = {.from = AT(5), .to = YORE_FOREVER};
    bed_open(&bed);
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("k"), text("v"), &write, NULL));
    CHECK_OK(yore_trim(bed.db, NULL, AT(5), NULL));
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_OK(yore_batch_put(batch, NULL, text("k"), text("w"), &write, NULL));
    CHECK_OK(yore_trim(bed.db, NULL, AT(5) + 1, NULL));
    CHECK_STATUS(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL),
                 YORE_BEFORE_HORIZON);
    yore_batch_free(batch);
    bed_close(&bed);
}

/* Nor does each take now further along, with all that ends by it: times to live, horizons. */
TEST(facts_dated_ahead_take_now_no_further_than_the_clocks_may_differ)
{
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < 100; i++) {
        (void)put_status(bed.db, yore_now(bed.db) + SKEW / 2, YORE_FOREVER, false);
    }
    CHECK(yore_now(bed.db) - os_wall_ns(sim_disk_env(bed.disk)) <= SKEW + 1);
    CHECK_OK(put_status(bed.db, yore_now(bed.db), YORE_FOREVER, false));
    bed_close(&bed);
}

TEST(a_fact_may_be_dated_as_far_ahead_as_the_clocks_may_differ)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    int64_t wall = os_wall_ns(sim_disk_env(bed.disk));
    CHECK_OK(put_status(bed.db, wall + SKEW, YORE_FOREVER, false));
    CHECK(yore_now(bed.db) > wall + SKEW); /* the commit came after the fact's date */
    wall = os_wall_ns(sim_disk_env(bed.disk));
    CHECK_OK(put_status(bed.db, AT(1), wall + SKEW, true));
    CHECK_OK(erase_status(bed.db, AT(1), wall + SKEW));
    int64_t beyond = wall + SKEW + BED_SECOND;
    CHECK_STATUS(put_status(bed.db, beyond, YORE_FOREVER, false), YORE_IN_FUTURE);
    bed_close(&bed);
}

TEST(where_the_wall_clock_is_far_behind_a_fact_is_dated_by_now)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    int64_t now = stand_still(&bed);
    CHECK_STATUS(put_status(bed.db, now + 1, YORE_FOREVER, false), YORE_IN_FUTURE);
    CHECK_STATUS(put_status(bed.db, AT(1), now + 1, true), YORE_IN_FUTURE);
    CHECK_STATUS(erase_status(bed.db, AT(1), now + 1), YORE_IN_FUTURE);
    CHECK_EQ_INT(yore_now(bed.db), now);
    CHECK_OK(put_status(bed.db, now, YORE_FOREVER, false));
    now = yore_now(bed.db);
    CHECK_OK(put_status(bed.db, AT(1), now, true));
    now = yore_now(bed.db);
    CHECK_OK(erase_status(bed.db, AT(1), now));
    bed_close(&bed);
}

TEST(an_end_comes_after_its_begin)
{
    struct bed bed;
    bed_open(&bed);
    CHECK_STATUS(put_status(bed.db, AT(5), AT(5), false), YORE_INVALID);
    CHECK_STATUS(put_status(bed.db, AT(5), AT(5), true), YORE_INVALID);
    CHECK_STATUS(erase_status(bed.db, AT(5), AT(5)), YORE_INVALID);
    CHECK_OK(put_status(bed.db, AT(5), AT(5) + 1, false));
    CHECK_EQ_STR(get_at(bed.db, "k", AT(5), YORE_NOW), "v");
    CHECK_EQ_STR(get_at(bed.db, "k", AT(5) + 1, YORE_NOW), "-");
    bed_close(&bed);
}

TEST(an_erased_span_may_end_at_the_horizon)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "v", AT(1), YORE_FOREVER);
    CHECK_OK(yore_trim(bed.db, NULL, AT(5), NULL));
    CHECK_STATUS(erase_status(bed.db, AT(1), AT(5) - 1), YORE_BEFORE_HORIZON);
    CHECK_OK(erase_status(bed.db, AT(1), AT(5)));
    CHECK_EQ_STR(get_at(bed.db, "k", AT(5), YORE_NOW), "v");
    bed_close(&bed);
}

TEST(what_is_known_may_be_now_and_no_later)
{
    struct bed bed;
    struct yore_value value;
    struct yore_watch *watch = NULL;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    int64_t now = stand_still(&bed);
    struct yore_time ahead = {YORE_NOW, now + 1};
    CHECK_STATUS(yore_get(bed.db, NULL, text("k"), &ahead, &value, NULL), YORE_IN_FUTURE);
    CHECK_EQ_STR(get_at(bed.db, "k", YORE_NOW, now), "v");
    struct yore_watch_options options = {.after_commit = now + 1};
    CHECK_STATUS(yore_watch_open(bed.db, &options, &watch, NULL), YORE_IN_FUTURE);
    options.after_commit = now;
    CHECK_OK(yore_watch_open(bed.db, &options, &watch, NULL));
    yore_watch_close(watch);
    bed_close(&bed);
}

/* Its own now was fixed at begin; what may be known has gone on. */
TEST(a_transaction_may_know_up_to_the_now_of_others)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    struct yore_value value;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    (void)put(bed.db, "other", "v");
    int64_t now = stand_still(&bed);
    struct yore_time at = {YORE_NOW, now + 1};
    CHECK_STATUS(yore_txn_get(txn, NULL, text("k"), &at, &value, NULL), YORE_IN_FUTURE);
    at.known = now;
    CHECK_OK(yore_txn_get(txn, NULL, text("k"), &at, &value, NULL));
    yore_value_release(&value);
    yore_txn_abort(txn);
    bed_close(&bed);
}

TEST(own_writes_are_part_of_what_was_known_at_begin)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    struct yore_value value;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    struct yore_time at = yore_txn_time(txn);
    at.known = last_commit(bed.db);
    CHECK_OK(yore_txn_put(txn, NULL, text("mine"), text("v"), NULL, NULL));
    CHECK_OK(yore_txn_get(txn, NULL, text("mine"), &at, &value, NULL));
    CHECK_EQ_INT(value.commit, YORE_FOREVER);
    yore_value_release(&value);
    at.known--;
    CHECK_STATUS(yore_txn_get(txn, NULL, text("mine"), &at, &value, NULL), YORE_NOT_FOUND);
    yore_txn_abort(txn);
    bed_close(&bed);
}

TEST(every_own_row_has_a_commit_to_come)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    struct yore_cursor *cursor = NULL;
    bed_open(&bed);
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("a"), text("first"), NULL, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("b"), text("second"), NULL, NULL));
    CHECK_OK(yore_txn_cursor_open(txn, NULL, NULL, &cursor, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(yore_cursor_next(cursor));
        CHECK_EQ_INT(yore_cursor_row(cursor)->commit, YORE_FOREVER);
    }
    yore_cursor_close(cursor);
    yore_txn_abort(txn);
    bed_close(&bed);
}

/* The value holds up to its end, the end left out: a commit at that moment comes too late. */
TEST(a_commit_at_the_end_of_what_was_read_is_a_conflict)
{
    for (int64_t left = 2; left <= 3; left++) {
        struct bed bed;
        struct yore_txn *txn = NULL;
        int64_t commit = 0;
        bed_open(&bed);
        int64_t now = stand_still(&bed);
        int64_t end = now + left;
        CHECK_EQ_INT(put_at(bed.db, "k", "v", YORE_NOW, end), now + 1);
        CHECK_OK(yore_begin(bed.db, &txn, NULL));
        CHECK_EQ_STR(txn_get(txn, "k"), "v");
        CHECK_OK(yore_txn_put(txn, NULL, text("other"), text("v"), NULL, NULL));
        enum yore_status st = yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, &commit, NULL);
        CHECK_STATUS(st, left == 2 ? YORE_CONFLICT : YORE_OK);
        CHECK(st != YORE_OK || commit == now + 2);
        bed_close(&bed);
    }
}

/* Seen at begin, it is no conflict, whatever is erased later elsewhere. */
TEST(an_erasure_that_is_the_last_commit_at_begin_is_no_conflict)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    bed_open(&bed);
    (void)put(bed.db, "k", "v");
    (void)put(bed.db, "other", "v");
    (void)erase_key(bed.db, "k", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_EQ_STR(txn_get(txn, "k"), "!");
    CHECK_OK(yore_txn_put(txn, NULL, text("mine"), text("v"), NULL, NULL));
    (void)erase_key(bed.db, "other", YORE_TIME_MIN, YORE_FOREVER);
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    bed_close(&bed);
}

static struct yore_keyspace *keep_now(struct yore_db *db)
{
    struct yore_keyspace *space = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    CHECK_OK(yore_keyspace_create(db, "present", &options, &space, NULL));
    return space;
}

/* What was flushed is told no more, and nothing after it is missing. */
TEST(a_feed_may_begin_at_the_last_flushed_commit_of_a_keyspace_that_keeps_only_now)
{
    struct bed bed;
    struct yore_feed *feed = NULL;
    struct yore_feed_commit told;
    bed_open(&bed);
    struct yore_keyspace *space = keep_now(bed.db);
    CHECK_OK(yore_put(bed.db, space, text("k"), text("v"), NULL, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    int64_t commit = last_commit(bed.db);
    bed_reopen(&bed);
    CHECK_OK(yore_feed_open(bed.db, commit, &feed, NULL));
    CHECK_STATUS(yore_feed_next(feed, &told, NULL), YORE_NOT_FOUND);
    yore_feed_close(feed);
    bed_close(&bed);
}

static struct yore_watch *watch_after(struct yore_db *db, struct yore_keyspace *space,
                                      int64_t commit)
{
    struct yore_watch *watch = NULL;
    struct yore_watch_options options = {.keyspace = space, .after_commit = commit};
    CHECK_OK(yore_watch_open(db, &options, &watch, NULL));
    return watch;
}

/* The journal goes with the bytes of what was erased.  A keyspace that keeps only now has nowhere
 * else to tell its commits from: a watch that had not been told them yet must hear that, and one
 * that had goes on. */
TEST(an_erasure_ends_only_those_watches_of_the_present_that_are_behind_it)
{
    struct bed bed;
    struct yore_options options;
    struct yore_feed_commit told;
    bed_open(&bed);
    CHECK_OK(yore_close(bed.db, NULL));
    yore_options_init(&options); /* nothing is flushed by itself */
    CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
    struct yore_keyspace *space = keep_now(bed.db);
    int64_t begin = last_commit(bed.db);
    CHECK_OK(yore_put(bed.db, space, text("k"), text("secret"), NULL, NULL));
    CHECK_OK(yore_put(bed.db, space, text("k"), text("more"), NULL, NULL));
    struct yore_watch *behind = watch_after(bed.db, space, begin);
    struct yore_watch *level = watch_after(bed.db, space, begin);
    struct yore_erase erase = {.key = text("k"), .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    CHECK_OK(yore_erase(bed.db, space, &erase, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(yore_watch_next(level, 0, &told, NULL));
        CHECK_EQ_INT(told.writes[0].kind, YORE_KIND_ERASED);
    }
    CHECK_STATUS(yore_watch_next(level, 0, &told, NULL), YORE_NOT_FOUND);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_put(bed.db, space, text("k"), text("anew"), NULL, NULL));
    CHECK_STATUS(yore_watch_next(behind, 0, &told, NULL), YORE_BEFORE_HORIZON);
    CHECK_OK(yore_watch_next(level, 0, &told, NULL));
    CHECK_EQ_UINT(told.writes[0].value.size, 4);
    CHECK_STATUS(yore_watch_next(level, 0, &told, NULL), YORE_NOT_FOUND);
    yore_watch_close(behind);
    yore_watch_close(level);
    bed_close(&bed);
}

/* A snapshot of the moment of a flush needs nothing that the flush superseded. */
TEST(a_snapshot_at_a_flush_does_not_see_what_was_deleted_before_it)
{
    struct bed bed;
    struct yore_snapshot *snapshots[2];
    struct yore_value value;
    bed_open(&bed);
    struct yore_keyspace *space = keep_now(bed.db);
    CHECK_OK(yore_put(bed.db, space, text("k"), text("v"), NULL, NULL));
    CHECK_OK(yore_snapshot_take(bed.db, &snapshots[0], NULL));
    CHECK_OK(yore_delete(bed.db, space, text("k"), NULL, NULL));
    CHECK_OK(yore_snapshot_take(bed.db, &snapshots[1], NULL));
    CHECK_OK(yore_flush(bed.db, NULL));
    for (int round = 0; round < 2; round++) {
        struct yore_time at[2] = {yore_snapshot_time(snapshots[0]),
                                  yore_snapshot_time(snapshots[1])};
        CHECK_OK(yore_get(bed.db, space, text("k"), &at[0], &value, NULL));
        yore_value_release(&value);
        CHECK_STATUS(yore_get(bed.db, space, text("k"), &at[1], &value, NULL), YORE_NOT_FOUND);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
    }
    yore_snapshot_release(snapshots[0]);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct yore_time at = yore_snapshot_time(snapshots[1]);
    CHECK_STATUS(yore_get(bed.db, space, text("k"), &at, &value, NULL), YORE_NOT_FOUND);
    yore_snapshot_release(snapshots[1]);
    bed_close(&bed);
}

TEST(the_last_key_as_of_a_version_is_that_version_however_many_there_are)
{
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < 30; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        (void)put_at(bed.db, "k", value, AT(i), YORE_FOREVER);
    }
    for (int age = 0; age < BED_AGES; age++) {
        bed_age(&bed, age);
        for (int i = 0; i < 60; i++) {
            struct yore_cursor *cursor = NULL;
            struct yore_time at = {AT(i / 2) - i % 2, YORE_NOW};
            struct yore_cursor_options options = {.at = &at};
            CHECK_OK(yore_cursor_open(bed.db, NULL, &options, &cursor, NULL));
            enum yore_status st = yore_cursor_last(cursor);
            if (i == 1) {
                CHECK_STATUS(st, YORE_NOT_FOUND);
            } else {
                CHECK_OK(st);
                CHECK_EQ_INT(yore_cursor_row(cursor)->valid_from, AT(i / 2 - i % 2));
            }
            yore_cursor_close(cursor);
        }
    }
    bed_close(&bed);
}

TEST(the_earliest_moment_is_told_by_its_name)
{
    struct bed bed;
    struct yore_error error;
    struct yore_write write = {.from = YORE_TIME_MIN, .to = YORE_FOREVER};
    bed_open(&bed);
    CHECK_OK(yore_trim(bed.db, NULL, AT(1), NULL));
    CHECK_STATUS(yore_put(bed.db, NULL, text("k"), text("v"), &write, &error), YORE_BEFORE_HORIZON);
    CHECK(strstr(error.text, "the beginning of time") != NULL);
    bed_close(&bed);
}

/* A fact with a date of its own begins before its commit. */
TEST(a_record_whose_fact_is_dated_at_its_own_commit_is_refused)
{
    struct bed bed;
    struct buffer payload = {0};
    unsigned char header[COMMIT_HEADER_BYTES];
    bed_open(&bed);
    int64_t commit = yore_now(bed.db) + BED_SECOND;
    for (int64_t before = 0; before < 2; before++) {
        struct commit_write write = {.keyspace = 1,
                                     .kind = YORE_KIND_PUT,
                                     .valid_from = commit - before,
                                     .valid_to = YORE_FOREVER,
                                     .key = text("k"),
                                     .value = text("v")};
        commit_header_encode(header, commit, 1);
        buffer_clear(&payload);
        buffer_append(&payload, header, sizeof header);
        commit_write_encode(&payload, &write);
        CHECK_STATUS(db_apply(bed.db, buffer_bytes(&payload), YORE_DURABILITY_DEFAULT, NULL),
                     before == 0 ? YORE_INVALID : YORE_OK);
    }
    buffer_release(&payload);
    bed_close(&bed);
}

TEST(a_record_of_no_moment_is_damaged)
{
    struct commit_decoder decoder;
    unsigned char header[COMMIT_HEADER_BYTES];
    static const int64_t commits[4] = {INT64_MAX, INT64_MIN, INT64_MAX - 1, YORE_TIME_MIN};
    for (int i = 0; i < 4; i++) {
        commit_header_encode(header, commits[i], 0);
        CHECK_STATUS(commit_decoder_init(&decoder, (struct yore_bytes){header, sizeof header}),
                     i < 2 ? YORE_CORRUPT : YORE_OK);
    }
}

/* The value still lies in a table: the erasure is pending. */
TEST(an_erased_version_that_begins_with_the_span_is_looked_for)
{
    struct bed bed;
    struct yore_verify_report report;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "secret", AT(5), YORE_FOREVER);
    CHECK_OK(yore_flush(bed.db, NULL));
    (void)erase_key(bed.db, "k", AT(5), AT(6));
    CHECK_OK(yore_verify(bed.db, NULL, NULL, &report, NULL));
    CHECK_EQ_UINT(report.erasures_pending, 1);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_verify(bed.db, NULL, NULL, &report, NULL));
    CHECK_EQ_UINT(report.erasures_pending, 0);
    bed_close(&bed);
}

/* The slice ends a nanosecond after its last version: the next commit begins right there. */
TEST(a_version_that_begins_where_the_last_slice_ends_is_found)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "k", "older");
    (void)put(bed.db, "k", "old");
    (void)stand_still(&bed);
    int64_t last = put(bed.db, "k", "sealed");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "history_slices"), 1);
    int64_t commit = put(bed.db, "k", "new");
    CHECK_EQ_INT(commit, last + 1);
    (void)put(bed.db, "other", "later");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_EQ_UINT(store_stat(bed.db, "seals"), 1);
    CHECK_EQ_STR(get_at(bed.db, "k", commit, YORE_NOW), "new");
    CHECK_EQ_STR(get_at(bed.db, "k", last, YORE_NOW), "sealed");
    struct yore_time at = {commit, YORE_NOW};
    struct yore_cursor_options options = {.at = &at};
    struct yore_cursor *cursor = NULL;
    CHECK_OK(yore_cursor_open(bed.db, NULL, &options, &cursor, NULL));
    CHECK_OK(yore_cursor_next(cursor));
    CHECK_EQ_BYTES(yore_cursor_row(cursor)->value.data, yore_cursor_row(cursor)->value.size, "new",
                   3);
    yore_cursor_close(cursor);
    bed_close(&bed);
}

static int count_versions(struct yore_db *db, int64_t from)
{
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    struct yore_timeline_options all = {
        .from = from, .to = YORE_FOREVER, .known = YORE_NOW, .every_commit = true};
    int count = 0;
    CHECK_OK(yore_timeline_open(db, NULL, text("k"), &all, &timeline, NULL));
    while (yore_timeline_next(timeline, &version, NULL) == YORE_OK) {
        count++;
    }
    yore_timeline_close(timeline);
    return count;
}

/* Its begin is a fact of its own, where one may be dated so. */
TEST(an_erasure_without_end_may_begin_at_now)
{
    for (int64_t beyond = 0; beyond < 2; beyond++) {
        struct bed bed;
        bed_open(&bed);
        (void)put_at(bed.db, "k", "v", AT(1), YORE_FOREVER);
        int64_t now = stand_still(&bed);
        CHECK_OK(erase_status(bed.db, now + beyond, YORE_FOREVER));
        CHECK_EQ_INT(count_versions(bed.db, AT(1)), beyond == 0 ? 2 : 1);
        bed_close(&bed);
    }
}

/* Before the horizon nothing can be read: the span begins there, where nothing holds. */
TEST(erasing_from_a_delete_at_the_horizon_on_writes_nothing)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "v", AT(1), YORE_FOREVER);
    (void)delete_at(bed.db, "k", AT(5));
    CHECK_OK(yore_trim(bed.db, NULL, AT(5), NULL));
    CHECK_OK(erase_status(bed.db, AT(2), AT(9)));
    CHECK_EQ_INT(count_versions(bed.db, AT(5)), 1);
    CHECK_EQ_STR(get_at(bed.db, "k", AT(9), YORE_NOW), "-");
    bed_close(&bed);
}

TEST_MAIN(a_horizon_may_be_now_and_no_later, the_same_horizon_again_writes_nothing,
          a_fact_at_the_horizon_may_be_committed_after_it_moved_there,
          a_fact_may_be_dated_as_far_ahead_as_the_clocks_may_differ,
          where_the_wall_clock_is_far_behind_a_fact_is_dated_by_now,
          facts_dated_ahead_take_now_no_further_than_the_clocks_may_differ,
          an_end_comes_after_its_begin, an_erased_span_may_end_at_the_horizon,
          what_is_known_may_be_now_and_no_later, a_transaction_may_know_up_to_the_now_of_others,
          own_writes_are_part_of_what_was_known_at_begin, every_own_row_has_a_commit_to_come,
          a_commit_at_the_end_of_what_was_read_is_a_conflict,
          an_erasure_that_is_the_last_commit_at_begin_is_no_conflict,
          a_feed_may_begin_at_the_last_flushed_commit_of_a_keyspace_that_keeps_only_now,
          an_erasure_ends_only_those_watches_of_the_present_that_are_behind_it,
          a_snapshot_at_a_flush_does_not_see_what_was_deleted_before_it,
          the_last_key_as_of_a_version_is_that_version_however_many_there_are,
          the_earliest_moment_is_told_by_its_name,
          a_record_whose_fact_is_dated_at_its_own_commit_is_refused,
          a_record_of_no_moment_is_damaged,
          an_erased_version_that_begins_with_the_span_is_looked_for,
          a_version_that_begins_where_the_last_slice_ends_is_found,
          an_erasure_without_end_may_begin_at_now,
          erasing_from_a_delete_at_the_horizon_on_writes_nothing)
