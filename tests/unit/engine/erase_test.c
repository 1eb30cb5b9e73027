/* erase_test.c -- what yore_erase() refuses, and that a refusal changes nothing; whole keys,
 * prefixes and spans at every age of the data. */
#include <string.h>

#include "engine/erase.h"
#include "unit/engine/bed.h"

static char too_long[YORE_KEY_BYTES_MAX + 1];

struct refusal {
    const char *what;
    struct yore_erase erase;
    enum yore_status status;
    const char *says;
};

static void refuse(struct bed *bed, struct yore_keyspace *keyspace, const struct refusal *refusal)
{
    struct yore_error error = {.text = ""};
    int64_t commit = -1;
    struct yore_erase erase = refusal->erase;
    erase.commit_out = &commit;
    test_note("%s", refusal->what);
    CHECK_STATUS(yore_erase(bed->db, keyspace, &erase, &error), refusal->status);
    CHECK_MSG(strstr(error.text, refusal->says) != NULL, "it says: %s", error.text);
    CHECK_EQ_INT(commit, -1);
}

TEST(what_cannot_be_erased_is_refused_and_nothing_changes)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "old", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "new", AT(20), YORE_FOREVER);
    int64_t before = put(bed.db, "b", "kept");
    const int64_t whole = YORE_TIME_MIN;
    const struct refusal refusals[] = {
        {"no key", {.from = whole, .to = YORE_FOREVER}, YORE_INVALID, "empty"},
        {"a key too long",
         {.key = {too_long, sizeof too_long}, .from = whole, .to = YORE_FOREVER},
         YORE_TOO_BIG,
         "at most"},
        {"an empty span", {.key = text("a"), .from = AT(20), .to = AT(20)}, YORE_INVALID, "empty"},
        {"a span backwards",
         {.key = text("a"), .from = AT(20), .to = AT(10)},
         YORE_INVALID,
         "empty"},
        {"no begin", {.key = text("a"), .from = INT64_MIN, .to = AT(10)}, YORE_INVALID, "empty"},
        {"a prefix over a span",
         {.key = text("a"), .is_prefix = true, .from = AT(10), .to = AT(20)},
         YORE_INVALID,
         "whole"},
        {"a span into the future",
         {.key = text("a"), .from = AT(10), .to = BED_T0 + 1000 * BED_SECOND},
         YORE_IN_FUTURE,
         "later than now"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        refuse(&bed, NULL, &refusals[i]);
    }
    CHECK_EQ_STR(get_at(bed.db, "a", AT(15), YORE_NOW), "old");
    CHECK_EQ_STR(get(bed.db, "a"), "new");
    CHECK(put(bed.db, "b", "kept too") > before);
    bed_close(&bed);
}

TEST(a_span_before_the_horizon_is_refused)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "old", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "new", AT(500), YORE_FOREVER);
    CHECK_OK(yore_trim(bed.db, NULL, AT(400), NULL));
    const struct refusal early = {"before the horizon",
                                  {.key = text("a"), .from = AT(20), .to = AT(30)},
                                  YORE_BEFORE_HORIZON,
                                  "2001-09-09T01:47:10Z is earlier than the horizon"};
    refuse(&bed, NULL, &early);
    CHECK_EQ_STR(get_at(bed.db, "a", AT(450), YORE_NOW), "old");
    erase_key(bed.db, "a", AT(20), AT(450)); /* ends behind it */
    CHECK_EQ_STR(get_at(bed.db, "a", AT(425), YORE_NOW), "!");
    CHECK_EQ_STR(get_at(bed.db, "a", AT(475), YORE_NOW), "old");
    CHECK_EQ_STR(get(bed.db, "a"), "new");
    bed_close(&bed);
}

TEST(a_span_without_end_may_begin_after_now)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        int64_t from = BED_T0 + 1000 * BED_SECOND;
        bed_open(&bed);
        put(bed.db, "a", "old");
        erase_key(bed.db, "a", from, YORE_FOREVER);
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "a"), "old");
        CHECK_EQ_STR(get_at(bed.db, "a", from - 1, YORE_NOW), "old");
        CHECK_EQ_STR(get_at(bed.db, "a", from, YORE_NOW), "!");
        sim_disk_set_wall(bed.disk, from + BED_SECOND);
        CHECK_EQ_STR(get(bed.db, "a"), "!");
        put(bed.db, "a", "new");
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "a"), "new");
        CHECK_EQ_STR(get_at(bed.db, "a", from, YORE_NOW), "!");
        CHECK_EQ_STR(get_at(bed.db, "a", from - 1, YORE_NOW), "old");
        bed_close(&bed);
    }
}

/* What holds at the begin of a timeline, as a word: "-" nothing that began before, "!" erased. */
static const char *in_force(struct yore_db *db, const char *key, int64_t from, int64_t known)
{
    static char told[64];
    struct yore_timeline_options options = {
        .from = from, .to = from, .known = known, .with_in_force = true};
    struct yore_timeline *timeline = NULL;
    struct yore_version version = {0};
    CHECK_OK(yore_timeline_open(db, NULL, text(key), &options, &timeline, NULL));
    enum yore_status st = yore_timeline_next(timeline, &version, NULL);
    CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
    size_t size = version.value.size < sizeof told - 1 ? version.value.size : sizeof told - 1;
    memcpy(told, size > 0 ? version.value.data : "", size);
    told[size] = '\0';
    yore_timeline_close(timeline);
    return st == YORE_NOT_FOUND ? "-" : version.kind == YORE_KIND_ERASED ? "!" : told;
}

/* It holds before the span and is not gone; inside it no read may be told that it held, who asks
 * what was known before the erasure neither. */
TEST(a_timeline_that_begins_in_an_erased_span_tells_what_held_as_erased)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        int64_t known = put_at(bed.db, "k", "secret", AT(10), YORE_FOREVER);
        erase_key(bed.db, "k", AT(20), AT(30));
        bed_age(&bed, age);
        test_note("age %d", age);
        for (int i = 0; i < 2; i++) {
            int64_t at = i == 0 ? known : YORE_NOW;
            CHECK_EQ_STR(in_force(bed.db, "k", AT(20) - 1, at), "secret");
            CHECK_EQ_STR(get_at(bed.db, "k", AT(20), at), "!");
            CHECK_EQ_STR(in_force(bed.db, "k", AT(20) + 1, at), "!");
            CHECK_EQ_STR(in_force(bed.db, "k", AT(30) - 1, at), "!");
            CHECK_EQ_STR(in_force(bed.db, "k", AT(31), at), "secret");
        }
        CHECK_EQ_STR(in_force(bed.db, "k", AT(20), known), "!");
        CHECK_EQ_STR(in_force(bed.db, "k", AT(20), YORE_NOW), "-"); /* it begins there */
        CHECK_EQ_STR(in_force(bed.db, "k", AT(30), known), "secret");
        bed_close(&bed);
    }
}

TEST(a_keyspace_that_keeps_only_now_erases_whole_keys_only)
{
    struct bed bed;
    struct yore_keyspace *now = NULL;
    struct yore_value value = {0};
    const struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "now", &options, &now, NULL));
    CHECK_OK(yore_put(bed.db, now, text("a"), text("1"), NULL, NULL));
    const struct refusal span = {"a span where only now is kept",
                                 {.key = text("a"), .from = AT(10), .to = AT(20)},
                                 YORE_READ_ONLY,
                                 "erased whole"};
    refuse(&bed, now, &span);
    CHECK_OK(yore_get(bed.db, now, text("a"), NULL, &value, NULL));
    yore_value_release(&value);
    const struct yore_erase whole = {.key = text("a"), .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    CHECK_OK(yore_erase(bed.db, now, &whole, NULL));
    CHECK_STATUS(yore_get(bed.db, now, text("a"), NULL, &value, NULL), YORE_ERASED);
    bed_close(&bed);
}

TEST(a_prefix_erases_its_keys_and_no_other_at_every_age)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        const struct yore_erase prefix = {
            .key = text("user/1/"), .is_prefix = true, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
        bed_open(&bed);
        put(bed.db, "user/1/mail", "m");
        put(bed.db, "user/1/name", "n");
        put(bed.db, "user/1", "other");
        put(bed.db, "user/10/name", "other");
        put(bed.db, "user/2/name", "other");
        bed_age(&bed, age);
        CHECK_OK(yore_erase(bed.db, NULL, &prefix, NULL));
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "user/1/mail"), "!");
        CHECK_EQ_STR(get(bed.db, "user/1/name"), "!");
        CHECK_EQ_STR(get(bed.db, "user/1/never"), "-");
        CHECK_EQ_STR(get(bed.db, "user/1"), "other");
        CHECK_EQ_STR(get(bed.db, "user/10/name"), "other");
        CHECK_EQ_STR(get(bed.db, "user/2/name"), "other");
        put(bed.db, "user/1/name", "again"); /* what is written later is not erased */
        CHECK_EQ_STR(get(bed.db, "user/1/name"), "again");
        bed_close(&bed);
    }
}

TEST(a_transaction_erases_what_was_there_before_it_and_nothing_later)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_txn *txn = NULL;
        const struct yore_bytes keys[] = {text("a"), text("b"), text("never")};
        bed_open(&bed);
        put_at(bed.db, "a", "old", AT(10), YORE_FOREVER);
        put(bed.db, "b", "old");
        int64_t before = put(bed.db, "c", "other");
        bed_age(&bed, age);
        CHECK_OK(yore_begin(bed.db, &txn, NULL));
        CHECK_OK(yore_txn_put(txn, NULL, keys[0], text("own"), NULL, NULL));
        CHECK_OK(txn_erase_keys(txn, NULL, keys, 3, NULL));
        CHECK_EQ_STR(get(bed.db, "b"), "old"); /* not before the commit */
        CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_SYNC, NULL, NULL));
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "a"), "own");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(20), YORE_NOW), "!");
        CHECK_EQ_STR(get_at(bed.db, "a", before, before), "!");
        CHECK_EQ_STR(get(bed.db, "b"), "!");
        CHECK_EQ_STR(get(bed.db, "c"), "other");
        CHECK_EQ_STR(get(bed.db, "never"), "-");
        put_at(bed.db, "b", "late", AT(30), YORE_FOREVER);
        put(bed.db, "b", "again");
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "b"), "again");
        CHECK_EQ_STR(get_at(bed.db, "b", AT(40), YORE_NOW), "late");
        bed_close(&bed);
    }
}

TEST(a_transaction_that_erases_conflicts_with_who_writes_its_keys)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    const struct yore_bytes key = text("a");
    bed_open(&bed);
    put(bed.db, "a", "old");
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(txn_erase_keys(txn, NULL, &key, 1, NULL));
    put(bed.db, "a", "new");
    CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL), YORE_CONFLICT);
    CHECK_EQ_STR(get(bed.db, "a"), "new");
    bed_close(&bed);
}

TEST_MAIN(a_span_without_end_may_begin_after_now,
          a_timeline_that_begins_in_an_erased_span_tells_what_held_as_erased,
          what_cannot_be_erased_is_refused_and_nothing_changes,
          a_span_before_the_horizon_is_refused,
          a_keyspace_that_keeps_only_now_erases_whole_keys_only,
          a_prefix_erases_its_keys_and_no_other_at_every_age,
          a_transaction_erases_what_was_there_before_it_and_nothing_later,
          a_transaction_that_erases_conflicts_with_who_writes_its_keys)
