/* until_test.c -- when what a key has at a moment gives way to another version: as timelines tell
 * it. */
#include "engine/until.h"

#include <stdio.h>

#include "unit/engine/bed.h"

#define KEYS 40u
#define SECONDS 100

/* What a timeline from then on tells first. */
static int64_t told_next(struct yore_db *db, struct yore_bytes key, const struct yore_time *at)
{
    const struct yore_timeline_options options = {
        .from = at->valid + 1, .to = YORE_FOREVER, .known = at->known};
    struct yore_timeline *timeline = NULL;
    struct yore_version version = {.valid_from = YORE_FOREVER};
    CHECK_OK(yore_timeline_open(db, NULL, key, &options, &timeline, NULL));
    enum yore_status st = yore_timeline_next(timeline, &version, NULL);
    CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
    yore_timeline_close(timeline);
    return version.valid_from;
}

static int64_t next(struct yore_db *db, const char *key, int64_t valid, int64_t known)
{
    const struct yore_time at = {valid, known};
    int64_t until = 0;
    CHECK_OK(until_next(db, NULL, text(key), &at, &until, NULL));
    CHECK_EQ_INT(until, told_next(db, text(key), &at));
    return until;
}

TEST(the_next_version_ends_what_holds_whatever_it_is)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        test_note("age %d", age);
        put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
        put_at(bed.db, "a", "two", AT(20), AT(25));
        delete_at(bed.db, "a", AT(30));
        put_at(bed.db, "b", "other", AT(15), YORE_FOREVER);
        bed_age(&bed, age);
        CHECK_EQ_INT(next(bed.db, "a", AT(5), YORE_NOW), AT(10));
        CHECK_EQ_INT(next(bed.db, "a", AT(10), YORE_NOW), AT(20));
        CHECK_EQ_INT(next(bed.db, "a", AT(20), YORE_NOW),
                     AT(30)); /* its own end is not looked at */
        CHECK_EQ_INT(next(bed.db, "a", AT(29), YORE_NOW), AT(30));
        CHECK_EQ_INT(next(bed.db, "a", AT(30), YORE_NOW), YORE_FOREVER);
        CHECK_EQ_INT(next(bed.db, "b", AT(15), YORE_NOW), YORE_FOREVER);
        CHECK_EQ_INT(next(bed.db, "c", AT(15), YORE_NOW), YORE_FOREVER);
        bed_close(&bed);
    }
}

TEST(late_facts_end_what_holds_only_where_they_are_known)
{
    for (int age = 0; age < BED_AGES; age++) {
        for (int late_age = 0; late_age < BED_AGES; late_age++) {
            struct bed bed;
            bed_open(&bed);
            test_note("age %d, late facts %d", age, late_age);
            put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
            int64_t before = put_at(bed.db, "a", "three", AT(50), YORE_FOREVER);
            bed_age(&bed, age);
            put_at(bed.db, "a", "late", AT(30), YORE_FOREVER);
            bed_age(&bed, late_age);
            CHECK_EQ_INT(next(bed.db, "a", AT(10), before), AT(50));
            CHECK_EQ_INT(next(bed.db, "a", AT(10), YORE_NOW), AT(30));
            CHECK_EQ_INT(next(bed.db, "a", AT(30), YORE_NOW), AT(50));
            CHECK_EQ_INT(next(bed.db, "a", AT(50), YORE_NOW), YORE_FOREVER);
            bed_close(&bed);
        }
    }
}

static const char *key_name(unsigned i)
{
    static char name[16];
    (void)snprintf(name, sizeof name, "key %02u", i);
    return name;
}

/* Large enough for slices not to grow, but to become many. */
static const char *some_value(struct test_rand *rand)
{
    static char value[101];
    for (size_t i = 0; i < sizeof value - 1; i++) {
        value[i] = (char)('0' + test_rand_below(rand, 64));
    }
    return value;
}

TEST(what_was_not_sealed_yet_ends_what_was)
{
    struct test_rand rand = test_rand_new(0);
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        test_note("age %d", age);
        for (int i = 0; i < 100; i++) {
            put_at(bed.db, "b", some_value(&rand), AT(i), YORE_FOREVER);
        }
        int64_t before = put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
        bed_age(&bed, 2);
        put(bed.db, "a", "from now on");
        bed_age(&bed, age);
        CHECK(next(bed.db, "a", AT(10), YORE_NOW) >= BED_T0);
        CHECK_EQ_INT(next(bed.db, "a", AT(10), before), YORE_FOREVER);
        bed_close(&bed);
    }
}

/* One of many writes, each of which says when it holds. */
static int64_t write_one(struct yore_db *db, struct test_rand *rand)
{
    const char *key = key_name((unsigned)test_rand_below(rand, KEYS));
    int64_t from = AT(test_rand_below(rand, SECONDS));
    switch (test_rand_below(rand, 8)) {
    case 0:
        return delete_at(db, key, from);
    case 1:
        return put_span(db, key, "span", from, from + 10 * BED_SECOND);
    case 2:
        return test_rand_one_in(rand, 6) ? erase_key(db, key, from, from + 3 * BED_SECOND)
                                         : put(db, key, "now");
    case 3:
        return put_at(db, key, "ends", from, from + 5 * BED_SECOND);
    default:
        return put_at(db, key, some_value(rand), from, YORE_FOREVER);
    }
}

TEST(it_is_what_a_timeline_tells_first)
{
    struct test_rand rand = test_rand_new(0);
    for (uint64_t round = test_scale(6, 300); round > 0; round--) {
        struct bed bed;
        bed_open(&bed);
        int64_t known = YORE_NOW;
        for (unsigned writes = 0; writes < 400; writes++) {
            int64_t commit = write_one(bed.db, &rand);
            known = test_rand_one_in(&rand, 40) ? commit : known;
            if (test_rand_one_in(&rand, 60)) {
                bed_age(&bed, 1 + (int)test_rand_below(&rand, BED_AGES - 1));
            }
            if (writes % 20 == 0) {
                int64_t valid = test_rand_one_in(&rand, 5) ? yore_now(bed.db)
                                                           : AT(test_rand_below(&rand, SECONDS));
                const char *key = key_name((unsigned)test_rand_below(&rand, KEYS));
                (void)next(bed.db, key, valid, test_rand_one_in(&rand, 2) ? known : YORE_NOW);
            }
        }
        bed_close(&bed);
    }
}

TEST(before_the_horizon_nothing_is_told)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "two", AT(20), YORE_FOREVER);
    CHECK_OK(yore_trim(bed.db, NULL, AT(30), NULL));
    const struct yore_time at = {AT(10), YORE_NOW};
    int64_t until = 0;
    CHECK_STATUS(until_next(bed.db, NULL, text("a"), &at, &until, NULL), YORE_BEFORE_HORIZON);
    bed_close(&bed);
}

TEST_MAIN(the_next_version_ends_what_holds_whatever_it_is,
          late_facts_end_what_holds_only_where_they_are_known,
          what_was_not_sealed_yet_ends_what_was, it_is_what_a_timeline_tells_first,
          before_the_horizon_nothing_is_told)
