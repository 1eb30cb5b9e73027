/* watch_test.c -- what a watch tells: every commit after one, once and in order. */
#include <stdio.h>
#include <string.h>

#include "unit/engine/watch_bed.h"

#define COMMITS 1000

/* ---- what is told --------------------------------------------------------------------------- */

TEST(a_watch_tells_what_is_committed_after_the_call)
{
    struct bed bed;
    struct yore_watch *watch = NULL;
    bed_open(&bed);
    int64_t first = put(bed.db, "a", "1");
    CHECK_OK(yore_watch_open(bed.db, NULL, &watch, NULL));
    CHECK_EQ_INT(yore_watch_position(watch), first);
    CHECK_EQ_STR(heard(watch), "");
    put(bed.db, "b", "2");
    delete_at(bed.db, "a", YORE_NOW);
    CHECK_EQ_STR(heard(watch), "b=2 ; a- ; ");
    CHECK_EQ_STR(heard(watch), "");
    int64_t last = put_at(bed.db, "b", "late", AT(5), AT(6));
    CHECK_EQ_STR(heard(watch), "b=late ; ");
    CHECK_EQ_INT(yore_watch_position(watch), last);
    yore_watch_close(watch);
    bed_close(&bed);
}

TEST(the_past_is_told_first_wherever_it_is_kept)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put(bed.db, "b", "1");
        int64_t after = put(bed.db, "a", "2");
        bed_age(&bed, age);
        put(bed.db, "c", "3");
        struct yore_watch *all = watch_from(bed.db, YORE_TIME_MIN);
        struct yore_watch *rest = watch_from(bed.db, after);
        put(bed.db, "d", "4");
        test_note("age %d", age);
        CHECK_EQ_STR(heard(all), "catalogue ; b=1 ; a=2 ; c=3 ; d=4 ; ");
        CHECK_EQ_STR(heard(rest), "c=3 ; d=4 ; ");
        bed_age(&bed, age < 3 ? age : 0);
        put(bed.db, "e", "5");
        CHECK_EQ_STR(heard(all), "e=5 ; ");
        CHECK_EQ_STR(heard(rest), "e=5 ; ");
        yore_watch_close(all);
        yore_watch_close(rest);
        bed_close(&bed);
    }
}

/* Commits of many journal segments and several flushes, told after every `lag` of them. */
static void check_lag(uint64_t memtable_bytes, size_t lag)
{
    static int64_t commits[COMMITS];
    static char value[240];
    size_t told = 0;
    struct bed bed;
    memset(value, 'v', sizeof value - 1);
    open_memtable(&bed, memtable_bytes);
    struct yore_watch *watch = watch_from(bed.db, YORE_NOW);
    for (size_t i = 0; i < COMMITS; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%zu", i % 97);
        commits[i] = put(bed.db, key, value);
        if (i % 350 == 250) {
            bed_age(&bed, i % 3 == 0 ? 2 : 1);
        }
        while ((i + 1) % lag == 0 && told <= i) {
            check_next(watch, commits[told++]);
        }
        test_note("memtable %llu, lag %zu, commit %zu, told %zu",
                  (unsigned long long)memtable_bytes, lag, i, told);
    }
    while (told < COMMITS) {
        check_next(watch, commits[told++]);
    }
    CHECK_EQ_STR(heard(watch), "");
    yore_watch_close(watch);
    bed_close(&bed);
}

TEST(nothing_is_missed_over_segments_and_flushes)
{
    static const size_t lags[] = {1, 7, 100, COMMITS / 2};
    for (size_t i = 0; i < sizeof lags / sizeof lags[0]; i++) {
        check_lag(128u << 10, lags[i]);
        check_lag(4u << 20, lags[i]);
    }
}

static void put_in(struct yore_db *db, struct yore_keyspace *keyspace, const char *key)
{
    CHECK_OK(yore_put(db, keyspace, text(key), text("v"), NULL, NULL));
}

static struct yore_watch *watch_range(struct yore_db *db, struct yore_keyspace *keyspace,
                                      const struct yore_range *range, int64_t after)
{
    struct yore_watch_options options = {keyspace, *range, after, false};
    struct yore_watch *watch = NULL;
    CHECK_OK(yore_watch_open(db, &options, &watch, NULL));
    return watch;
}

#define SCOPES 6

static const char *const scope_heard[SCOPES] = {
    "catalogue ; a/1=v ; a/2=v ; b/1=v ; a/3=v b/2=v ; c=v ; ",
    "a/1=v ; b/1=v ; a/3=v ; c=v ; ",
    "a/2=v ; b/2=v ; ",
    "a/1=v ; a/3=v ; ",
    "a/1=v ; a/2=v ; a/3=v ; ",
    "b/1=v ; c=v ; ",
};

static void open_scopes(struct yore_db *db, struct yore_keyspace *other, int64_t after,
                        struct yore_watch **watches)
{
    const struct yore_range all = {.low = {NULL, 0}};
    const struct yore_range prefix = {.prefix = text("a/")};
    const struct yore_range from_b = {.low = text("b"), .high = text("c0")};
    struct yore_keyspace *main_space = NULL;
    CHECK_OK(yore_keyspace_open(db, "default", NULL, &main_space, NULL));
    watches[0] = watch_range(db, NULL, &all, after);
    watches[1] = watch_range(db, main_space, &all, after);
    watches[2] = watch_range(db, other, &all, after);
    watches[3] = watch_range(db, main_space, &prefix, after);
    watches[4] = watch_range(db, NULL, &prefix, after);
    watches[5] = watch_range(db, main_space, &from_b, after);
}

TEST(only_writes_inside_keyspace_and_range_are_told)
{
    for (int age = 0; age < 3; age++) {
        struct bed bed;
        struct yore_keyspace *other = NULL;
        struct yore_watch *live[SCOPES];
        struct yore_watch *later[SCOPES];
        struct yore_batch *batch = NULL;
        bed_open(&bed);
        int64_t after = put(bed.db, "before", "1");
        CHECK_OK(yore_keyspace_create(bed.db, "other", NULL, &other, NULL));
        open_scopes(bed.db, other, after, live);
        put_in(bed.db, NULL, "a/1");
        put_in(bed.db, other, "a/2");
        put_in(bed.db, NULL, "b/1");
        CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, text("a/3"), text("v"), NULL, NULL));
        CHECK_OK(yore_batch_put(batch, other, text("b/2"), text("v"), NULL, NULL));
        CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
        yore_batch_free(batch);
        int64_t last = 0;
        struct yore_write write = {.from = YORE_NOW, .to = YORE_FOREVER, .commit_out = &last};
        CHECK_OK(yore_put(bed.db, NULL, text("c"), text("v"), &write, NULL));
        bed_age(&bed, age);
        open_scopes(bed.db, other, after, later);
        for (size_t i = 0; i < SCOPES; i++) {
            test_note("age %d, scope %zu", age, i);
            CHECK_EQ_STR(heard(live[i]), scope_heard[i]);
            CHECK_EQ_STR(heard(later[i]), scope_heard[i]);
            /* What was passed over counts as told. */
            CHECK_EQ_INT(yore_watch_position(live[i]), last);
            CHECK_EQ_INT(yore_watch_position(later[i]), last);
            yore_watch_close(live[i]);
            yore_watch_close(later[i]);
        }
        bed_close(&bed);
    }
}

/* Loads and large commits come in parts; a range may hold writes of some of the parts only. */
static void check_parts(struct yore_watch *watch, int64_t commit, uint64_t writes)
{
    struct yore_feed_commit told;
    struct yore_error error = {.text = ""};
    int64_t position = yore_watch_position(watch);
    uint64_t count = 0;
    do {
        CHECK_EQ_INT(yore_watch_position(watch), position);
        enum yore_status st = yore_watch_next(watch, 0, &told, &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
        CHECK_EQ_INT(told.commit, commit);
        CHECK(told.write_count > 0 || !told.has_more);
        count += told.write_count;
    } while (told.has_more);
    CHECK_EQ_INT(yore_watch_position(watch), commit);
    CHECK_EQ_UINT(count, writes);
}

TEST(loads_are_told_within_the_range)
{
    static const struct {
        unsigned rows;
        size_t value_bytes;
    } loads[] = {{300, 20}, {80, 1u << 20}};
    for (int i = 0; i < 4; i++) {
        struct bed bed;
        struct yore_watch *watches[2][4];
        const struct yore_range ranges[4] = {{.low = {NULL, 0}},
                                             {.prefix = text("r0000")},
                                             {.low = text("r00070")},
                                             {.prefix = text("x")}};
        unsigned rows = loads[i % 2].rows;
        const uint64_t inside[4] = {rows, 10, rows - 70, 0};
        open_memtable(&bed, 4u << 20);
        int64_t before = put(bed.db, "a", "1");
        for (int j = 0; j < 4; j++) {
            watches[0][j] = watch_range(bed.db, NULL, &ranges[j], before);
        }
        int64_t commit = load_rows(bed.db, rows, loads[i % 2].value_bytes);
        put(bed.db, "x", "1");
        if (i >= 2) {
            bed_age(&bed, 2);
        }
        for (int j = 0; j < 4; j++) {
            watches[1][j] = watch_range(bed.db, NULL, &ranges[j], before);
        }
        for (int j = 0; j < 8; j++) {
            struct yore_watch *watch = watches[j / 4][j % 4];
            test_note("load %d, watch %d", i, j);
            if (inside[j % 4] > 0) {
                check_parts(watch, commit, inside[j % 4]);
            }
            CHECK_EQ_STR(heard(watch), j % 4 == 1 ? "" : "x=1 ; ");
            yore_watch_close(watch);
        }
        bed_close(&bed);
    }
}

TEST(a_watch_goes_on_after_closing_and_opening)
{
    int64_t commits[80];
    int64_t position = 0;
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < 80; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i % 7);
        commits[i] = put(bed.db, key, "v");
        if (i % 16 == 15) {
            bed_age(&bed, i % 5);
        }
    }
    for (int i = 0; i < 80; i++) {
        struct yore_watch *watch = watch_from(bed.db, i == 0 ? commits[0] - 1 : position);
        check_next(watch, commits[i]);
        position = yore_watch_position(watch);
        yore_watch_close(watch);
        if (i % 10 == 9) {
            bed_reopen(&bed);
        }
    }
    bed_close(&bed);
}

static void check_erased(uint64_t memtable_bytes, int age)
{
    struct bed bed;
    open_memtable(&bed, memtable_bytes);
    struct yore_watch *watch = watch_from(bed.db, YORE_NOW);
    put(bed.db, "a", "secret");
    put(bed.db, "b", "plain");
    put(bed.db, "c", "secret");
    int64_t commit = yore_now(bed.db);
    struct yore_feed_commit told;
    CHECK_OK(yore_watch_next(watch, 0, &told, NULL));
    CHECK_EQ_UINT(told.writes[0].value.size, 6);
    erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    erase_key(bed.db, "c", YORE_TIME_MIN, YORE_FOREVER);
    bed_age(&bed, age); /* 2: the bytes go, and the journal's segments with them */
    test_note("memtable %llu, age %d", (unsigned long long)memtable_bytes, age);
    CHECK_EQ_STR(heard(watch), "b=plain ; c! ; catalogue ; catalogue ; ");
    CHECK(yore_watch_position(watch) > commit);
    yore_watch_close(watch);
    bed_close(&bed);
}

TEST(erased_values_are_not_told)
{
    for (int age = 0; age < 3; age++) {
        check_erased(64u << 10, age);
        check_erased(4u << 20, age);
    }
}

TEST(values_apart_are_fetched)
{
    char large[1001];
    struct bed bed;
    struct yore_feed_commit told;
    bed_open(&bed);
    memset(large, 'x', 1000);
    large[1000] = '\0';
    struct yore_watch *watch = watch_from(bed.db, YORE_NOW);
    for (int i = 0; i < 3; i++) {
        put(bed.db, "a", large);
        bed_age(&bed, i);
        CHECK_OK(yore_watch_next(watch, 0, &told, NULL));
        put(bed.db, "b", "meanwhile");
        bed_age(&bed, 2);
        CHECK_EQ_BYTES(told.writes[0].value.data, told.writes[0].value.size, large, 1000);
        CHECK_EQ_STR(heard(watch), "b=meanwhil ; ");
    }
    yore_watch_close(watch);
    bed_close(&bed);
}

TEST(what_is_only_durable_is_told_once_it_is)
{
    struct bed bed;
    struct yore_watch *watch = NULL;
    struct yore_watch_options options = {.after_commit = YORE_NOW, .durable_only = true};
    struct yore_write none = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    open_memtable(&bed, 4u << 20);
    put(bed.db, "z", "0");
    for (int age = 0; age < 2; age++) {
        CHECK_OK(yore_watch_open(bed.db, &options, &watch, NULL));
        CHECK_OK(yore_put(bed.db, NULL, text("a"), text("1"), &none, NULL));
        CHECK_OK(yore_put(bed.db, NULL, text("b"), text("1"), &none, NULL));
        CHECK_EQ_STR(heard(watch), "");
        put(bed.db, "c", "1");
        CHECK_EQ_STR(heard(watch), "a=1 ; b=1 ; c=1 ; ");
        CHECK_OK(yore_put(bed.db, NULL, text("d"), text("1"), &none, NULL));
        CHECK_EQ_STR(heard(watch), "");
        CHECK_OK(yore_flush(bed.db, NULL));
        CHECK_EQ_STR(heard(watch), "d=1 ; ");
        yore_watch_close(watch);
        CHECK_OK(yore_close(bed.db, NULL)); /* nothing in the journal: all there is is durable */
        open_again(&bed, 4u << 20);
    }
    bed_close(&bed);
}

/* ---- what is not ---------------------------------------------------------------------------- */

TEST(a_watch_too_slow_for_what_is_kept_is_told_so)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    struct yore_feed_commit told;
    char number[32];
    bed_open(&bed);
    struct yore_watch *watch = watch_from(bed.db, YORE_NOW);
    int64_t first = put(bed.db, "a", "1");
    check_next(watch, first);
    put(bed.db, "a", "2");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    int64_t horizon = yore_now(bed.db);
    put(bed.db, "a", "3");
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    for (int i = 0; i < 2; i++) { /* it stays so */
        CHECK_STATUS(yore_watch_next(watch, 0, &told, &error), YORE_BEFORE_HORIZON);
        (void)snprintf(number, sizeof number, "%lld", (long long)first);
        CHECK_MSG(strstr(error.text, number) != NULL, "%s", error.text);
        CHECK_EQ_INT(yore_watch_position(watch), first);
    }
    yore_watch_close(watch);
    struct yore_watch_options options = {.after_commit = first};
    CHECK_STATUS(yore_watch_open(bed.db, &options, &watch, &error), YORE_BEFORE_HORIZON);
    watch = watch_from(bed.db, horizon);
    CHECK_EQ_STR(heard(watch), "a=3 ; catalogue ; ");
    yore_watch_close(watch);
    bed_close(&bed);
}

TEST(a_keyspace_of_only_now_is_watched_at_the_head)
{
    struct bed bed;
    struct yore_keyspace *space = NULL;
    const struct yore_keyspace_options keep = {.keep = YORE_KEEP_NOW};
    const struct yore_range all = {.low = {NULL, 0}};
    struct yore_feed_commit told;
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "now", &keep, &space, NULL));
    struct yore_watch *quick = watch_range(bed.db, space, &all, YORE_NOW);
    struct yore_watch *slow = watch_range(bed.db, space, &all, YORE_NOW);
    struct yore_keyspace *main_space = NULL;
    CHECK_OK(yore_keyspace_open(bed.db, "default", NULL, &main_space, NULL));
    struct yore_watch *other = watch_range(bed.db, main_space, &all, YORE_NOW);
    for (int i = 0; i < 5; i++) {
        put_in(bed.db, space, "a");
        CHECK_EQ_STR(heard(quick), "a=v ; ");
        bed_age(&bed, 1 + i % 2);
    }
    CHECK_STATUS(yore_watch_next(slow, 0, &told, NULL), YORE_BEFORE_HORIZON);
    CHECK_EQ_STR(heard(other), "");
    put(bed.db, "b", "1");
    CHECK_EQ_STR(heard(other), "b=1 ; ");
    yore_watch_close(quick);
    yore_watch_close(slow);
    yore_watch_close(other);
    bed_close(&bed);
}

TEST(wrong_arguments_are_refused)
{
    struct bed bed;
    struct yore_watch *watch = NULL;
    struct yore_feed_commit told;
    bed_open(&bed);
    struct yore_watch_options both = {.range = {.low = text("a"), .prefix = text("b")}};
    struct yore_watch_options future = {.after_commit = YORE_NOW - 1};
    struct yore_watch_options none = {.after_commit = INT64_MIN};
    CHECK_STATUS(yore_watch_open(bed.db, &both, &watch, NULL), YORE_INVALID);
    CHECK_STATUS(yore_watch_open(bed.db, &future, &watch, NULL), YORE_IN_FUTURE);
    CHECK_STATUS(yore_watch_open(bed.db, &none, &watch, NULL), YORE_INVALID);
    CHECK(watch == NULL);
    int64_t now = yore_now(bed.db);
    watch = watch_from(bed.db, now);
    CHECK_STATUS(yore_watch_next(watch, -1, &told, NULL), YORE_INVALID);
    CHECK_EQ_INT(yore_watch_position(watch), now);
    put(bed.db, "a", "1");
    CHECK_EQ_STR(heard(watch), "a=1 ; ");
    yore_watch_close(watch);
    yore_watch_close(NULL);
    bed_close(&bed);
}

TEST(a_stopped_database_tells_the_rest_and_then_why)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    struct yore_feed_commit told;
    bed_open(&bed);
    struct yore_watch *watch = watch_from(bed.db, YORE_NOW);
    int64_t first = put(bed.db, "a", "1");
    sim_disk_fail(bed.disk, SIM_FAULT_SYNC, 1, false);
    CHECK_STATUS(yore_put(bed.db, NULL, text("b"), text("2"), NULL, NULL), YORE_IO);
    check_next(watch, first);
    CHECK_STATUS(yore_watch_next(watch, YORE_FOREVER, &told, &error), YORE_IO);
    CHECK_STATUS(yore_watch_next(watch, 0, &told, &error), YORE_IO);
    CHECK(strstr(error.text, "writes are stopped") != NULL);
    yore_watch_close(watch);
    CHECK_STATUS(yore_close(bed.db, NULL), YORE_IO);
    sim_disk_free(bed.disk);
}

TEST_MAIN(a_watch_tells_what_is_committed_after_the_call,
          the_past_is_told_first_wherever_it_is_kept, nothing_is_missed_over_segments_and_flushes,
          only_writes_inside_keyspace_and_range_are_told, loads_are_told_within_the_range,
          a_watch_goes_on_after_closing_and_opening, erased_values_are_not_told,
          values_apart_are_fetched, what_is_only_durable_is_told_once_it_is,
          a_watch_too_slow_for_what_is_kept_is_told_so,
          a_keyspace_of_only_now_is_watched_at_the_head, wrong_arguments_are_refused,
          a_stopped_database_tells_the_rest_and_then_why)
