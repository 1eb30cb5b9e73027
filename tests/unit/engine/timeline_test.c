/* timeline_test.c -- the versions of one key, in a window, either way, as known at a time. */
#include <stdio.h>
#include <string.h>

#include "unit/engine/bed.h"

#define TEXT_BYTES 4096

/* The versions told, as "10=a 20- 30! " (value, delete, erased), an own end as "10=a..15"; moments
 * in seconds, and `commits` behind a slash as their index in the list.  Closes the timeline. */
static const char *told_by(struct yore_timeline *timeline, const int64_t *commits,
                           size_t commit_count)
{
    static char out[TEXT_BYTES];
    struct yore_version version;
    struct yore_error error = {.text = ""};
    enum yore_status st;
    size_t size = 0;
    out[0] = '\0';
    while ((st = yore_timeline_next(timeline, &version, &error)) == YORE_OK) {
        char mark = version.kind == YORE_KIND_PUT      ? '='
                    : version.kind == YORE_KIND_DELETE ? '-'
                                                       : '!';
        size += (size_t)snprintf(out + size, TEXT_BYTES - size, "%lld%c%.*s",
                                 (long long)((version.valid_from - BED_BASE) / BED_SECOND), mark,
                                 (int)version.value.size, (const char *)version.value.data);
        if (version.valid_to != YORE_FOREVER) {
            size += (size_t)snprintf(out + size, TEXT_BYTES - size, "..%lld",
                                     (long long)((version.valid_to - BED_BASE) / BED_SECOND));
        }
        for (size_t i = 0; i < commit_count; i++) {
            if (commits[i] == version.commit) {
                size += (size_t)snprintf(out + size, TEXT_BYTES - size, "/%zu", i);
            }
        }
        size += (size_t)snprintf(out + size, TEXT_BYTES - size, " ");
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "next: %s", error.text);
    CHECK_STATUS(yore_timeline_next(timeline, &version, NULL), YORE_NOT_FOUND);
    yore_timeline_close(timeline);
    return out;
}

static const char *told(struct yore_db *db, const char *key,
                        const struct yore_timeline_options *options, const int64_t *commits,
                        size_t commit_count)
{
    struct yore_timeline *timeline = NULL;
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_timeline_open(db, NULL, text(key), options, &timeline, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
    return told_by(timeline, commits, commit_count);
}

/* In a transaction; what it has written itself shows as commit 0. */
static const char *told_in(struct yore_txn *txn, const char *key,
                           const struct yore_timeline_options *options)
{
    static const int64_t own = YORE_FOREVER;
    struct yore_timeline *timeline = NULL;
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_txn_timeline_open(txn, NULL, text(key), options, &timeline, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
    return told_by(timeline, &own, 1);
}

static const char *told_between(struct yore_db *db, const char *key, int64_t from, int64_t to)
{
    struct yore_timeline_options options = {.from = from, .to = to, .known = YORE_NOW};
    return told(db, key, &options, NULL, 0);
}

static const struct yore_timeline_options everything = {
    .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW};

TEST(versions_come_in_the_order_of_valid_time)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put_at(bed.db, "a", "two", AT(20), YORE_FOREVER);
        put_at(bed.db, "b", "other", AT(15), YORE_FOREVER);
        put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
        bed_age(&bed, age);
        delete_at(bed.db, "a", AT(40));
        put_at(bed.db, "a", "three", AT(30), AT(35));
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, "a", &everything, NULL, 0), "10=one 20=two 30=three..35 40- ");
        struct yore_timeline_options backward = everything;
        backward.is_backward = true;
        CHECK_EQ_STR(told(bed.db, "a", &backward, NULL, 0), "40- 30=three..35 20=two 10=one ");
        CHECK_EQ_STR(told(bed.db, "c", &everything, NULL, 0), "");
        bed_close(&bed);
    }
}

TEST(window_takes_its_begin_and_leaves_its_end)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "two", AT(20), YORE_FOREVER);
    put_at(bed.db, "a", "three", AT(30), YORE_FOREVER);
    CHECK_EQ_STR(told_between(bed.db, "a", AT(10), AT(30)), "10=one 20=two ");
    CHECK_EQ_STR(told_between(bed.db, "a", AT(11), AT(31)), "20=two 30=three ");
    CHECK_EQ_STR(told_between(bed.db, "a", AT(20), AT(20)), "");
    struct yore_timeline_options wrong = {.from = AT(2), .to = AT(1), .known = YORE_NOW};
    struct yore_timeline *timeline = NULL;
    struct yore_error error;
    int64_t ahead = yore_now(bed.db) + 1000 * BED_SECOND;
    CHECK_EQ_STR(told_between(bed.db, "a", ahead, ahead + 1), "");
    CHECK_STATUS(yore_timeline_open(bed.db, NULL, text("a"), &wrong, &timeline, &error),
                 YORE_INVALID);
    CHECK_MSG(strstr(error.text, "must be no earlier than the begin") != NULL, "%s", error.text);
    CHECK_STATUS(yore_timeline_open(bed.db, NULL, text(""), &everything, &timeline, NULL),
                 YORE_INVALID);
    bed_close(&bed);
}

TEST(version_in_force_at_the_begin_is_told_when_asked_for)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "two", AT(20), AT(25));
    put_at(bed.db, "a", "three", AT(30), YORE_FOREVER);
    delete_at(bed.db, "a", AT(40));
    struct yore_timeline_options options = {
        .from = AT(15), .to = AT(21), .known = YORE_NOW, .with_in_force = true};
    CHECK_EQ_STR(told(bed.db, "a", &options, NULL, 0), "10=one 20=two..25 ");
    options.is_backward = true;
    CHECK_EQ_STR(told(bed.db, "a", &options, NULL, 0), "20=two..25 10=one ");
    options.from = AT(20);
    CHECK_EQ_STR(told(bed.db, "a", &options, NULL, 0), "20=two..25 ");
    options.from = AT(25); /* two has ended, a delete holds nothing */
    options.to = AT(31);
    CHECK_EQ_STR(told(bed.db, "a", &options, NULL, 0), "30=three ");
    options.from = AT(45);
    options.to = YORE_FOREVER;
    CHECK_EQ_STR(told(bed.db, "a", &options, NULL, 0), "");
    bed_close(&bed);
}

TEST(corrections_show_only_when_every_commit_is_asked_for)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        int64_t commits[4];
        bed_open(&bed);
        commits[0] = put_at(bed.db, "a", "wrong", AT(10), YORE_FOREVER);
        commits[1] = put_at(bed.db, "a", "two", AT(20), YORE_FOREVER);
        bed_age(&bed, age);
        commits[2] = put_at(bed.db, "a", "right", AT(10), YORE_FOREVER);
        commits[3] = put_at(bed.db, "a", "final", AT(20), YORE_FOREVER);
        bed_age(&bed, age);
        struct yore_timeline_options options = everything;
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, "a", &options, commits, 4), "10=right/2 20=final/3 ");
        options.is_backward = true;
        CHECK_EQ_STR(told(bed.db, "a", &options, commits, 4), "20=final/3 10=right/2 ");
        options.every_commit = true;
        CHECK_EQ_STR(told(bed.db, "a", &options, commits, 4),
                     "20=final/3 20=two/1 10=right/2 10=wrong/0 ");
        options.is_backward = false;
        CHECK_EQ_STR(told(bed.db, "a", &options, commits, 4),
                     "10=wrong/0 10=right/2 20=two/1 20=final/3 ");
        options.known = commits[2];
        CHECK_EQ_STR(told(bed.db, "a", &options, commits, 4), "10=wrong/0 10=right/2 20=two/1 ");
        options.every_commit = false;
        options.known = commits[1];
        CHECK_EQ_STR(told(bed.db, "a", &options, commits, 4), "10=wrong/0 20=two/1 ");
        options.is_backward = true;
        CHECK_EQ_STR(told(bed.db, "a", &options, commits, 4), "20=two/1 10=wrong/0 ");
        bed_close(&bed);
    }
}

TEST(erased_versions_are_told_without_their_value)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
        put_at(bed.db, "a", "secret", AT(20), YORE_FOREVER);
        put_at(bed.db, "a", "three", AT(40), YORE_FOREVER);
        bed_age(&bed, age);
        erase_key(bed.db, "a", AT(15), AT(30));
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, "a", &everything, NULL, 0), "10=one 15! 20! 30=secret 40=three ");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(17), YORE_NOW), "!");
        bed_close(&bed);
    }
}

/* Where the value at its begin began before it, an erased span is a version of its own. */
TEST(an_erased_span_inside_one_version_is_told)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_timeline_options from_15 = {
            .from = AT(15), .to = AT(20), .known = YORE_NOW, .with_in_force = true};
        bed_open(&bed);
        put_at(bed.db, "a", "one", AT(0), AT(50));
        put_at(bed.db, "open", "one", AT(0), YORE_FOREVER);
        put_at(bed.db, "gap", "one", AT(0), AT(5));
        bed_age(&bed, age);
        int64_t erased = erase_key(bed.db, "a", AT(10), AT(20));
        erase_key(bed.db, "open", AT(10), YORE_FOREVER);
        erase_key(bed.db, "gap", AT(10), AT(20)); /* nothing held there: nothing to tell */
        erase_key(bed.db, "none", AT(10), AT(20));
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, "a", &everything, &erased, 1),
                     "0=one..50 10!..50/0 20=one..50/0 ");
        CHECK_EQ_STR(told(bed.db, "a", &from_15, NULL, 0), "10!..50 ");
        CHECK_EQ_STR(told(bed.db, "open", &everything, NULL, 0), "0=one 10! ");
        CHECK_EQ_STR(told(bed.db, "gap", &everything, NULL, 0), "0=one..5 ");
        CHECK_EQ_STR(told(bed.db, "none", &everything, NULL, 0), "");
        erase_key(bed.db, "a", AT(15), AT(30)); /* over the end of the other */
        CHECK_EQ_STR(told(bed.db, "a", &everything, NULL, 0),
                     "0=one..50 10!..50 20!..50 30=one..50 ");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(9), YORE_NOW), "one");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(29), YORE_NOW), "!");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(15), erased - 1), "!"); /* at every known time */
        CHECK_EQ_STR(get_at(bed.db, "a", AT(30), YORE_NOW), "one");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(50), YORE_NOW), "-");
        bed_close(&bed);
    }
}

TEST(values_apart_are_fetched)
{
    char large[2][1001];
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < 2; i++) {
        memset(large[i], 'x' + i, 1000);
        large[i][1000] = '\0';
        put_at(bed.db, "a", large[i], AT(10 + i), YORE_FOREVER);
    }
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    CHECK_OK(yore_timeline_open(bed.db, NULL, text("a"), &everything, &timeline, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(yore_timeline_next(timeline, &version, NULL));
        CHECK_EQ_BYTES(version.value.data, version.value.size, large[i], 1000);
    }
    CHECK_STATUS(yore_timeline_next(timeline, &version, NULL), YORE_NOT_FOUND);
    yore_timeline_close(timeline);
    bed_close(&bed);
}

TEST(timeline_before_the_horizon_is_refused)
{
    struct bed bed;
    struct yore_timeline *timeline = NULL;
    bed_open(&bed);
    put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "two", AT(20), YORE_FOREVER);
    CHECK_OK(yore_trim(bed.db, NULL, AT(15), NULL));
    struct yore_timeline_options options = everything;
    CHECK_STATUS(yore_timeline_open(bed.db, NULL, text("a"), &options, &timeline, NULL),
                 YORE_BEFORE_HORIZON);
    options.from = AT(15);
    options.with_in_force = true;
    CHECK_EQ_STR(told(bed.db, "a", &options, NULL, 0), "10=one 20=two ");
    bed_close(&bed);
}

TEST(long_timeline_is_whole_after_any_upkeep)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_timeline *timeline = NULL;
        struct yore_version version;
        const int count = 3000;
        bed_open(&bed);
        for (int i = 0; i < count; i++) {
            char value[64];
            (void)snprintf(value, sizeof value, "value %d of a long line of them", i);
            put_at(bed.db, "long", value, AT((i * 7919) % count), YORE_FOREVER);
        }
        bed_age(&bed, age);
        CHECK_OK(yore_timeline_open(bed.db, NULL, text("long"), &everything, &timeline, NULL));
        for (int i = 0; i < count; i++) {
            CHECK_OK(yore_timeline_next(timeline, &version, NULL));
            CHECK_EQ_INT(version.valid_from, AT(i));
        }
        CHECK_STATUS(yore_timeline_next(timeline, &version, NULL), YORE_NOT_FOUND);
        yore_timeline_close(timeline);
        bed_close(&bed);
    }
}

/* ---- in a transaction ---- */

static void txn_put_at(struct yore_txn *txn, const char *key, const char *value, int64_t from,
                       int64_t to)
{
    struct yore_write write = {.from = from, .to = to};
    CHECK_OK(yore_txn_put(txn, NULL, text(key), text(value), &write, NULL));
}

static void txn_delete_at(struct yore_txn *txn, const char *key, int64_t from)
{
    struct yore_write write = {.from = from, .to = YORE_FOREVER};
    CHECK_OK(yore_txn_delete(txn, NULL, text(key), &write, NULL));
}

TEST(a_transaction_tells_its_own_writes_among_the_others)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_txn *txn = NULL;
        bed_open(&bed);
        put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
        put_at(bed.db, "a", "two", AT(20), YORE_FOREVER);
        put_at(bed.db, "b", "other", AT(15), YORE_FOREVER);
        bed_age(&bed, age);
        CHECK_OK(yore_begin(bed.db, &txn, NULL));
        put_at(bed.db, "c", "late", AT(5), YORE_FOREVER); /* after its begin: it is not seen */
        test_note("age %d", age);
        CHECK_EQ_STR(told_in(txn, "a", &everything), "10=one 20=two ");
        txn_put_at(txn, "a", "between", AT(15), AT(17));
        txn_put_at(txn, "a", "better", AT(20), YORE_FOREVER);
        txn_delete_at(txn, "a", AT(30));
        txn_put_at(txn, "0", "before", AT(1), YORE_FOREVER);
        txn_put_at(txn, "z", "behind", AT(1), YORE_FOREVER);
        CHECK_EQ_STR(told_in(txn, "a", &everything), "10=one 15=between..17/0 20=better/0 30-/0 ");
        struct yore_timeline_options options = everything;
        options.is_backward = true;
        CHECK_EQ_STR(told_in(txn, "a", &options), "30-/0 20=better/0 15=between..17/0 10=one ");
        options.every_commit = true;
        CHECK_EQ_STR(told_in(txn, "a", &options),
                     "30-/0 20=better/0 20=two 15=between..17/0 10=one ");
        options = (struct yore_timeline_options){
            .from = AT(25), .to = AT(30), .known = YORE_NOW, .with_in_force = true};
        CHECK_EQ_STR(told_in(txn, "a", &options), "20=better/0 ");
        options.from = AT(16);
        CHECK_EQ_STR(told_in(txn, "a", &options), "15=between..17/0 20=better/0 ");
        CHECK_EQ_STR(told_in(txn, "z", &everything), "1=behind/0 ");
        CHECK_EQ_STR(told_in(txn, "c", &everything), "");
        CHECK_EQ_STR(told(bed.db, "a", &everything, NULL, 0), "10=one 20=two ");
        yore_txn_abort(txn);
        bed_close(&bed);
    }
}

TEST(a_timeline_of_a_transaction_keeps_what_it_was_opened_on)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    struct yore_timeline *timeline = NULL;
    size_t savepoint;
    bed_open(&bed);
    put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_savepoint(txn, &savepoint, NULL));
    txn_put_at(txn, "a", "two", AT(20), YORE_FOREVER);
    CHECK_OK(yore_txn_timeline_open(txn, NULL, text("a"), &everything, &timeline, NULL));
    txn_put_at(txn, "a", "three", AT(30), YORE_FOREVER);
    CHECK_OK(yore_txn_rollback_to(txn, savepoint, NULL));
    CHECK_EQ_STR(told_in(txn, "a", &everything), "10=one ");
    yore_txn_abort(txn);
    CHECK_EQ_STR(told_by(timeline, NULL, 0), "10=one 20=two ");
    bed_close(&bed);
}

TEST(a_timeline_is_validated_when_its_transaction_commits)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    bed_open(&bed);
    put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(yore_begin(bed.db, &txn, NULL));
        CHECK_EQ_STR(told_in(txn, "a", &everything), "10=one ");
        txn_put_at(txn, "b", "x", AT(20), YORE_FOREVER);
        put_at(bed.db, i == 0 ? "c" : "a", "y", AT(30), YORE_FOREVER);
        CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_NONE, NULL, NULL),
                     i == 0 ? YORE_OK : YORE_CONFLICT);
    }
    bed_close(&bed);
}

/* Behind the span stands the large value that was there before, by a reference. */
TEST(a_large_value_that_a_transaction_restores_is_told)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    struct yore_value value;
    static char large[1001];
    struct yore_write write = {.from = AT(20), .to = AT(30), .is_span = true};
    struct yore_timeline_options options = {
        .from = AT(31), .to = AT(32), .known = YORE_NOW, .with_in_force = true};
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    memset(large, 'x', sizeof large - 1);
    bed_open(&bed);
    put_at(bed.db, "a", large, AT(10), YORE_FOREVER);
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("a"), text("small"), &write, NULL));
    struct yore_time at = {AT(31), YORE_NOW};
    CHECK_OK(yore_txn_get(txn, NULL, text("a"), &at, &value, NULL));
    CHECK_EQ_BYTES(value.data, value.size, large, sizeof large - 1);
    yore_value_release(&value);
    CHECK_OK(yore_txn_timeline_open(txn, NULL, text("a"), &options, &timeline, NULL));
    CHECK_OK(yore_timeline_next(timeline, &version, NULL));
    CHECK_EQ_INT(version.valid_from, AT(30));
    CHECK_EQ_BYTES(version.value.data, version.value.size, large, sizeof large - 1);
    CHECK_STATUS(yore_timeline_next(timeline, &version, NULL), YORE_NOT_FOUND);
    yore_timeline_close(timeline);
    yore_txn_abort(txn);
    bed_close(&bed);
}

TEST_MAIN(versions_come_in_the_order_of_valid_time, window_takes_its_begin_and_leaves_its_end,
          version_in_force_at_the_begin_is_told_when_asked_for,
          corrections_show_only_when_every_commit_is_asked_for,
          erased_versions_are_told_without_their_value, an_erased_span_inside_one_version_is_told,
          values_apart_are_fetched, timeline_before_the_horizon_is_refused,
          long_timeline_is_whole_after_any_upkeep,
          a_transaction_tells_its_own_writes_among_the_others,
          a_timeline_of_a_transaction_keeps_what_it_was_opened_on,
          a_timeline_is_validated_when_its_transaction_commits,
          a_large_value_that_a_transaction_restores_is_told)
