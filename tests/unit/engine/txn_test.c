/* txn_test.c -- transactions, snapshots and spans, as yore.h promises them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/txn.h"
#include "unit/engine/bed.h"

static struct yore_txn *begin(struct yore_db *db)
{
    struct yore_txn *txn = NULL;
    CHECK_OK(yore_begin(db, &txn, NULL));
    return txn;
}

static void txn_put(struct yore_txn *txn, const char *key, const char *value)
{
    CHECK_OK(yore_txn_put(txn, NULL, text(key), text(value), NULL, NULL));
}

static void txn_put_at(struct yore_txn *txn, const char *key, const char *value, int64_t from)
{
    struct yore_write write = {.from = from, .to = YORE_FOREVER};
    CHECK_OK(yore_txn_put(txn, NULL, text(key), text(value), &write, NULL));
}

static enum yore_status commit(struct yore_txn *txn)
{
    return yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL);
}

/* The keys and values a cursor of the transaction walks over, as "a=1 b=2 ". */
static const char *txn_scan(struct yore_txn *txn, const char *low, const char *high)
{
    static char row_text[4096];
    struct yore_cursor_options options = {.range = {.low = text(low), .high = text(high)}};
    struct yore_cursor *cursor = NULL;
    CHECK_OK(yore_txn_cursor_open(txn, NULL, &options, &cursor, NULL));
    size_t size = 0;
    row_text[0] = '\0';
    while (yore_cursor_next(cursor) == YORE_OK) {
        const struct yore_row *row = yore_cursor_row(cursor);
        size += (size_t)snprintf(row_text + size, sizeof row_text - size, "%.*s=%.*s ",
                                 (int)row->key.size, (const char *)row->key.data,
                                 (int)row->value.size, (const char *)row->value.data);
    }
    yore_cursor_close(cursor);
    return row_text;
}

/* ---- seeing ---- */

TEST(transaction_sees_its_own_writes_and_nobody_elses)
{
    struct bed bed;
    bed_open(&bed);
    put(bed.db, "a", "1");
    struct yore_txn *txn = begin(bed.db);
    txn_put(txn, "b", "2");
    CHECK_EQ_STR(txn_get(txn, "b"), "2");
    CHECK_EQ_STR(get(bed.db, "b"), "-");
    put(bed.db, "c", "3");
    CHECK_EQ_STR(txn_get(txn, "c"), "-");
    CHECK_EQ_STR(txn_get(txn, "a"), "1");
    yore_txn_abort(txn);
    CHECK_EQ_STR(get(bed.db, "b"), "-");
    bed_close(&bed);
}

TEST(committed_transaction_is_seen_whole_under_one_commit)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    txn_put(txn, "a", "1");
    txn_put(txn, "b", "2");
    int64_t at = 0;
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_SYNC, &at, NULL));
    CHECK_EQ_STR(get(bed.db, "a"), "1");
    CHECK_EQ_STR(get(bed.db, "b"), "2");
    CHECK_EQ_STR(get_at(bed.db, "a", YORE_NOW, at - 1), "-");
    CHECK_EQ_STR(get_at(bed.db, "b", YORE_NOW, at), "2");
    bed_close(&bed);
}

TEST(transaction_reads_one_state_whatever_is_flushed_meanwhile)
{
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        bed_open(&bed);
        put(bed.db, "a", "old");
        struct yore_txn *txn = begin(bed.db);
        put(bed.db, "a", "new");
        bed_age(&bed, age);
        CHECK_EQ_STR(txn_get(txn, "a"), "old");
        CHECK_OK(commit(txn)); /* it has written nothing */
        CHECK_EQ_STR(get(bed.db, "a"), "new");
        bed_close(&bed);
    }
}

TEST(own_writes_at_past_moments_are_seen_there)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
    struct yore_txn *txn = begin(bed.db);
    txn_put_at(txn, "a", "2", AT(20));
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(15)), "1");
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(20)), "2");
    CHECK_EQ_STR(txn_get(txn, "a"), "2");
    txn_put_at(txn, "a", "0", AT(5));
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(5)), "0");
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(10)), "1");
    CHECK_EQ_STR(txn_get(txn, "a"), "2");
    CHECK_OK(commit(txn));
    CHECK_EQ_STR(get_at(bed.db, "a", AT(7), YORE_NOW), "0");
    bed_close(&bed);
}

TEST(own_late_fact_does_not_hide_a_delete_in_deep_history)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
        delete_at(bed.db, "a", AT(20));
        for (int i = 0; i < 400; i++) { /* enough for slices behind the delete */
            char key[32];
            (void)snprintf(key, sizeof key, "k%d", i % 20);
            put_at(bed.db, key, "a value that takes some room in the tables of this test",
                   AT(30 + i), YORE_FOREVER);
        }
        bed_age(&bed, age);
        struct yore_txn *txn = begin(bed.db);
        txn_put_at(txn, "a", "late", AT(15));
        test_note("age %d", age);
        CHECK_EQ_STR(txn_get_at(txn, "a", AT(15)), "late");
        CHECK_EQ_STR(txn_get_at(txn, "a", AT(25)), "-");
        CHECK_EQ_STR(txn_get(txn, "a"), "-");
        CHECK_EQ_STR(txn_scan(txn, "a", "b"), "");
        CHECK_OK(commit(txn));
        CHECK_EQ_STR(get(bed.db, "a"), "-");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(15), YORE_NOW), "late");
        bed_close(&bed);
    }
}

TEST(later_of_two_own_writes_wins)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    txn_put(txn, "a", "1");
    CHECK_EQ_STR(txn_get(txn, "a"), "1");
    txn_put(txn, "a", "2");
    CHECK_EQ_STR(txn_get(txn, "a"), "2");
    CHECK_OK(yore_txn_delete(txn, NULL, text("a"), NULL, NULL));
    CHECK_EQ_STR(txn_get(txn, "a"), "-");
    txn_put(txn, "a", "3");
    CHECK_EQ_STR(txn_get(txn, "a"), "3");
    CHECK_OK(commit(txn));
    CHECK_EQ_STR(get(bed.db, "a"), "3");
    bed_close(&bed);
}

TEST(own_version_has_no_commit_yet)
{
    struct bed bed;
    struct yore_value value;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    txn_put(txn, "a", "1");
    CHECK_OK(yore_txn_get(txn, NULL, text("a"), NULL, &value, NULL));
    CHECK_EQ_INT(value.commit, YORE_FOREVER);
    CHECK_EQ_INT(value.valid_from, yore_txn_time(txn).valid);
    yore_txn_abort(txn);
    CHECK_EQ_BYTES(value.data, value.size, "1", 1); /* outlives the transaction */
    yore_value_release(&value);
    bed_close(&bed);
}

/* ---- conflicts ---- */

TEST(update_of_a_key_that_was_read_and_has_changed_is_a_conflict)
{
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        bed_open(&bed);
        put(bed.db, "a", "1");
        struct yore_txn *txn = begin(bed.db);
        CHECK_EQ_STR(txn_get(txn, "a"), "1");
        txn_put(txn, "a", "2");
        put(bed.db, "a", "9");
        bed_age(&bed, age);
        CHECK_STATUS(commit(txn), YORE_CONFLICT);
        CHECK_EQ_STR(get(bed.db, "a"), "9");
        bed_close(&bed);
    }
}

TEST(changes_to_other_keys_are_no_conflict)
{
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        bed_open(&bed);
        put(bed.db, "a", "1");
        struct yore_txn *txn = begin(bed.db);
        CHECK_EQ_STR(txn_get(txn, "a"), "1");
        CHECK_EQ_STR(txn_get(txn, "c"), "-");
        txn_put(txn, "a", "2");
        put(bed.db, "aa", "9");
        put(bed.db, "b", "9");
        bed_age(&bed, age);
        CHECK_OK(commit(txn));
        CHECK_EQ_STR(get(bed.db, "a"), "2");
        bed_close(&bed);
    }
}

TEST(absence_that_was_read_is_validated_too)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_txn *txn = begin(bed.db);
    CHECK_EQ_STR(txn_get(txn, "a"), "-");
    txn_put(txn, "b", "there was no a");
    put(bed.db, "a", "1");
    CHECK_STATUS(commit(txn), YORE_CONFLICT);
    CHECK_EQ_STR(get(bed.db, "b"), "-");
    bed_close(&bed);
}

TEST(two_that_read_what_the_other_writes_do_not_both_commit)
{
    struct bed bed;
    bed_open(&bed);
    put(bed.db, "x", "1");
    put(bed.db, "y", "1");
    struct yore_txn *one = begin(bed.db);
    struct yore_txn *two = begin(bed.db);
    CHECK_EQ_STR(txn_get(one, "x"), "1");
    CHECK_EQ_STR(txn_get(two, "y"), "1");
    txn_put(one, "y", "0");
    txn_put(two, "x", "0");
    CHECK_OK(commit(one));
    CHECK_STATUS(commit(two), YORE_CONFLICT);
    bed_close(&bed);
}

TEST(blind_writes_do_not_conflict)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_txn *one = begin(bed.db);
    struct yore_txn *two = begin(bed.db);
    txn_put(one, "hub", "1");
    txn_put(two, "hub", "2");
    CHECK_OK(commit(two));
    CHECK_OK(commit(one));
    CHECK_EQ_STR(get(bed.db, "hub"), "1");
    bed_close(&bed);
}

TEST(late_fact_about_the_past_conflicts_with_who_read_the_key)
{
    struct bed bed;
    bed_open(&bed);
    put(bed.db, "a", "1");
    struct yore_txn *txn = begin(bed.db);
    CHECK_EQ_STR(txn_get(txn, "a"), "1");
    txn_put(txn, "b", "1");
    put_at(bed.db, "a", "long ago", AT(1), AT(2));
    CHECK_STATUS(commit(txn), YORE_CONFLICT);
    bed_close(&bed);
}

TEST(key_that_expires_after_it_was_read_is_a_conflict)
{
    for (int i = 0; i < 2; i++) {
        struct bed bed;
        bed_open(&bed);
        struct yore_write write = {.from = YORE_NOW, .to = yore_now(bed.db) + BED_SECOND};
        CHECK_OK(yore_put(bed.db, NULL, text("lease"), text("mine"), &write, NULL));
        struct yore_txn *txn = begin(bed.db);
        if (i == 0) {
            CHECK_EQ_STR(txn_get(txn, "lease"), "mine");
        } else {
            CHECK_EQ_STR(txn_scan(txn, "l", "m"), "lease=mine ");
        }
        txn_put(txn, "job", "done");
        sim_disk_advance(bed.disk, 2 * BED_SECOND);
        if (i == 0) {
            CHECK_EQ_STR(txn_get(txn, "lease"), "mine"); /* its now is fixed */
        } else {
            CHECK_EQ_STR(txn_scan(txn, "l", "m"), "lease=mine ");
        }
        CHECK_STATUS(commit(txn), YORE_CONFLICT);
        bed_close(&bed);
    }
}

TEST(new_key_in_a_range_that_was_walked_is_a_conflict)
{
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        bed_open(&bed);
        put(bed.db, "b", "1");
        put(bed.db, "d", "1");
        struct yore_txn *txn = begin(bed.db);
        CHECK_EQ_STR(txn_scan(txn, "a", "e"), "b=1 d=1 ");
        txn_put(txn, "sum", "2");
        put(bed.db, "c", "1");
        bed_age(&bed, age);
        CHECK_STATUS(commit(txn), YORE_CONFLICT);
        bed_close(&bed);
    }
}

TEST(key_outside_of_what_was_walked_is_no_conflict)
{
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        struct yore_cursor *cursor = NULL;
        bed_open(&bed);
        put(bed.db, "b", "1");
        put(bed.db, "d", "1");
        put(bed.db, "f", "1");
        struct yore_txn *txn = begin(bed.db);
        CHECK_OK(yore_txn_cursor_open(txn, NULL, NULL, &cursor, NULL));
        CHECK_OK(yore_cursor_seek(cursor, text("b")));
        CHECK_OK(yore_cursor_next(cursor));
        txn_put(txn, "sum", "2");
        put(bed.db, "a", "1");
        put(bed.db, "e", "1");
        put(bed.db, "g", "1");
        bed_age(&bed, age);
        yore_cursor_close(cursor);
        CHECK_OK(commit(txn));
        bed_close(&bed);
    }
}

TEST(cursor_still_open_at_the_commit_is_validated)
{
    struct bed bed;
    struct yore_cursor *cursor = NULL;
    bed_open(&bed);
    put(bed.db, "b", "1");
    struct yore_txn *txn = begin(bed.db);
    CHECK_OK(yore_txn_cursor_open(txn, NULL, NULL, &cursor, NULL));
    CHECK_OK(yore_cursor_last(cursor));
    txn_put(txn, "a", "2");
    put(bed.db, "c", "1");
    CHECK_STATUS(commit(txn), YORE_CONFLICT);
    CHECK_STATUS(yore_cursor_first(cursor), YORE_INVALID);
    yore_cursor_close(cursor);
    bed_close(&bed);
}

TEST(transaction_that_has_read_as_much_as_it_may_commits)
{
    struct bed bed;
    struct yore_value value;
    bed_open(&bed);
    bed.db->txn_reads_max = 3;
    for (unsigned walks = 0; walks <= 1; walks++) {
        struct yore_txn *txn = begin(bed.db);
        CHECK_EQ_STR(txn_get(txn, "a"), walks == 0 ? "-" : "1");
        CHECK_EQ_STR(txn_get(txn, "b"), "-");
        if (walks == 0) {
            CHECK_EQ_STR(txn_get(txn, "c"), "-");
        } else {
            CHECK_EQ_STR(txn_scan(txn, "c", "d"), "");
        }
        CHECK_STATUS(yore_txn_get(txn, NULL, text("e"), NULL, &value, NULL), YORE_TOO_BIG);
        txn_put(txn, "a", "1");
        CHECK_OK(commit(txn));
    }
    bed_close(&bed);
}

TEST(erasure_is_met_by_who_began_before_it_and_by_nobody_else)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_txn *before = begin(bed.db);
    int64_t erased = erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
    struct yore_txn *after = begin(bed.db);
    CHECK_EQ_INT(after->snapshot.commit, erased);
    CHECK(txn_met_erasure(before));
    CHECK(!txn_met_erasure(after));
    yore_txn_abort(before);
    yore_txn_abort(after);
    bed_close(&bed);
}

TEST(erasure_conflicts_with_who_read_the_key_and_with_nobody_else)
{
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        bed_open(&bed);
        put(bed.db, "a", "1");
        put(bed.db, "b", "1");
        struct yore_txn *reader = begin(bed.db);
        struct yore_txn *other = begin(bed.db);
        CHECK_EQ_STR(txn_get(reader, "a"), "1");
        CHECK_EQ_STR(txn_get(other, "b"), "1");
        txn_put(reader, "x", "1");
        txn_put(other, "y", "1");
        erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
        bed_age(&bed, age);
        CHECK_EQ_STR(txn_get(other, "a"), "!");
        yore_txn_abort(other);
        other = begin(bed.db);
        CHECK_STATUS(commit(reader), YORE_CONFLICT);
        CHECK_EQ_STR(txn_get(other, "b"), "1");
        txn_put(other, "y", "1");
        erase_key(bed.db, "c", YORE_TIME_MIN, YORE_FOREVER);
        bed_age(&bed, age);
        CHECK_OK(commit(other));
        bed_close(&bed);
    }
}

#define ERASE_KEYS 40u

/* "k07"; the number that ends a range may be one more than there are keys. */
static const char *numbered(unsigned number)
{
    static char keys[4][8];
    static unsigned next;
    char *key = keys[next++ % 4];
    (void)snprintf(key, sizeof keys[0], "k%02u", number % 100);
    return key;
}

/* Read some keys and a range; `is_read` tells of each. */
static void read_some(struct yore_txn *txn, struct test_rand *rand, bool is_read[ERASE_KEYS + 2])
{
    uint64_t count = test_rand_below(rand, 6);
    for (uint64_t i = 0; i < count; i++) {
        unsigned key = (unsigned)test_rand_below(rand, ERASE_KEYS);
        (void)txn_get(txn, numbered(key));
        is_read[key] = true;
    }
    if (test_rand_below(rand, 2) == 0) {
        unsigned low = (unsigned)test_rand_below(rand, ERASE_KEYS);
        unsigned high = low + 1 + (unsigned)test_rand_below(rand, 8);
        high = high < ERASE_KEYS ? high : ERASE_KEYS;
        high += high % 10 == 0; /* to k30 is a bit of what begins with k3 */
        (void)txn_scan(txn, numbered(low), numbered(high));
        for (unsigned i = low; i < high; i++) {
            is_read[i] = true;
        }
    }
}

/* Erase some keys, and those of a prefix "k1"; returns whether one of them was read. */
static bool erase_some(struct yore_db *db, struct test_rand *rand,
                       const bool is_read[ERASE_KEYS + 2])
{
    bool is_met = false;
    uint64_t count = test_rand_below(rand, 5);
    for (uint64_t i = 0; i < count; i++) {
        unsigned key = (unsigned)test_rand_below(rand, ERASE_KEYS);
        CHECK_OK(yore_put(db, NULL, text("z"), text("1"), NULL, NULL));
        (void)erase_key(db, numbered(key), YORE_TIME_MIN, YORE_FOREVER);
        is_met |= is_read[key];
    }
    if (test_rand_below(rand, 4) == 0) {
        unsigned ten = (unsigned)test_rand_below(rand, ERASE_KEYS / 10);
        char prefix[8];
        (void)snprintf(prefix, sizeof prefix, "k%u", ten % 10);
        struct yore_erase erase = {
            .key = text(prefix), .is_prefix = true, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
        CHECK_OK(yore_erase(db, NULL, &erase, NULL));
        for (unsigned i = 10 * ten; i < 10 * ten + 10; i++) {
            is_met |= is_read[i];
        }
    }
    return is_met;
}

TEST(of_many_reads_and_erasures_those_conflict_that_meet)
{
    struct bed bed;
    struct test_rand rand = test_rand_new(0);
    unsigned conflicts = 0;
    bed_open(&bed);
    for (unsigned i = 0; i < ERASE_KEYS; i++) {
        put(bed.db, numbered(i), "1");
    }
    uint64_t rounds = test_scale(300, 20000);
    for (uint64_t round = 0; round < rounds; round++) {
        bool is_read[ERASE_KEYS + 2] = {false};
        struct yore_txn *txn = begin(bed.db);
        read_some(txn, &rand, is_read);
        txn_put(txn, "y", "1");
        bool is_met = erase_some(bed.db, &rand, is_read);
        struct yore_error error = {.text = ""};
        enum yore_status st = yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, &error);
        CHECK_MSG(st == (is_met ? YORE_CONFLICT : YORE_OK), "round %" PRIu64 ": %s", round,
                  error.text);
        conflicts += is_met;
        if (round % 50 == 49) {
            bed_age(&bed, 2);
        }
    }
    CHECK_MSG(conflicts >= rounds / 30, "%u conflicts in %" PRIu64 " rounds", conflicts, rounds);
    bed_close(&bed);
}

TEST(drop_of_a_keyspace_conflicts_with_who_read_it_and_with_nobody_else)
{
    struct yore_keyspace_options altered = {.compression = YORE_COMPRESSION_NONE};
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        struct yore_keyspace *q;
        struct yore_keyspace *again;
        struct yore_value value;
        bed_open(&bed);
        CHECK_OK(yore_keyspace_create(bed.db, "q", NULL, &q, NULL));
        CHECK_OK(yore_put(bed.db, q, text("a"), text("1"), NULL, NULL));
        struct yore_txn *reader = begin(bed.db);
        struct yore_txn *misser = begin(bed.db);
        struct yore_txn *other = begin(bed.db);
        CHECK_OK(yore_txn_get(reader, q, text("a"), NULL, &value, NULL));
        yore_value_release(&value);
        CHECK_STATUS(yore_txn_get(misser, q, text("b"), NULL, &value, NULL), YORE_NOT_FOUND);
        CHECK_EQ_STR(txn_get(other, "a"), "-");
        txn_put(reader, "x", "1");
        txn_put(misser, "y", "1");
        txn_put(other, "z", "1");
        CHECK_OK(yore_keyspace_drop(bed.db, "q", NULL));
        CHECK_OK(yore_keyspace_create(bed.db, "q", NULL, &again, NULL));
        bed_age(&bed, age);
        CHECK_STATUS(commit(reader), YORE_CONFLICT);
        CHECK_STATUS(commit(misser), YORE_CONFLICT);
        CHECK_OK(commit(other));
        struct yore_txn *later = begin(bed.db);
        CHECK_STATUS(yore_txn_get(later, q, text("a"), NULL, &value, NULL), YORE_NOT_FOUND);
        CHECK_STATUS(yore_txn_get(later, again, text("a"), NULL, &value, NULL), YORE_NOT_FOUND);
        txn_put(later, "x", "1");
        CHECK_OK(yore_keyspace_alter(bed.db, again, &altered, NULL));
        bed_age(&bed, age);
        CHECK_OK(commit(later));
        bed_close(&bed);
    }
}

TEST(commit_of_a_transaction_without_writes_is_its_begin)
{
    struct bed bed;
    bed_open(&bed);
    put(bed.db, "a", "1");
    struct yore_txn *txn = begin(bed.db);
    CHECK_EQ_STR(txn_get(txn, "a"), "1");
    int64_t known = yore_txn_time(txn).known;
    put(bed.db, "a", "2");
    int64_t at = 0;
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, &at, NULL));
    CHECK_EQ_INT(at, known);
    bed_close(&bed);
}

/* ---- cursors over own writes ---- */

TEST(cursor_sees_writes_made_before_it_was_opened)
{
    struct bed bed;
    struct yore_cursor *cursor = NULL;
    bed_open(&bed);
    put(bed.db, "a", "1");
    put(bed.db, "b", "1");
    struct yore_txn *txn = begin(bed.db);
    txn_put(txn, "b", "2");
    txn_put(txn, "c", "2");
    CHECK_OK(yore_txn_delete(txn, NULL, text("a"), NULL, NULL));
    CHECK_EQ_STR(txn_scan(txn, "", ""), "b=2 c=2 ");
    CHECK_OK(yore_txn_cursor_open(txn, NULL, NULL, &cursor, NULL));
    txn_put(txn, "bb", "3");
    txn_put(txn, "c", "3");
    CHECK_OK(yore_cursor_seek(cursor, text("ba")));
    CHECK_EQ_BYTES(yore_cursor_row(cursor)->value.data, yore_cursor_row(cursor)->value.size, "2",
                   1);
    CHECK_EQ_INT(yore_cursor_row(cursor)->commit, YORE_FOREVER);
    yore_cursor_close(cursor);
    CHECK_EQ_STR(txn_scan(txn, "", ""), "b=2 bb=3 c=3 ");
    CHECK_OK(commit(txn));
    bed_close(&bed);
}

/* ---- spans ---- */

TEST(span_corrects_inside_and_nothing_else)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
        put_at(bed.db, "a", "2", AT(20), YORE_FOREVER);
        put_at(bed.db, "a", "3", AT(30), YORE_FOREVER);
        bed_age(&bed, age);
        int64_t at = put_span(bed.db, "a", "x", AT(15), AT(25));
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(get_at(bed.db, "a", AT(14), YORE_NOW), "1");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(15), YORE_NOW), "x");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(22), YORE_NOW), "x");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(25), YORE_NOW), "2");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(29), YORE_NOW), "2");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(30), YORE_NOW), "3");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(22), at - 1), "2");
        bed_close(&bed);
    }
}

TEST(span_of_a_key_that_was_absent_leaves_it_absent_behind)
{
    struct bed bed;
    bed_open(&bed);
    put_span(bed.db, "a", "x", AT(10), AT(20));
    CHECK_EQ_STR(get_at(bed.db, "a", AT(9), YORE_NOW), "-");
    CHECK_EQ_STR(get_at(bed.db, "a", AT(19), YORE_NOW), "x");
    CHECK_EQ_STR(get_at(bed.db, "a", AT(20), YORE_NOW), "-");
    put_at(bed.db, "b", "ends", AT(10), AT(30));
    delete_span(bed.db, "b", AT(12), AT(14));
    CHECK_EQ_STR(get_at(bed.db, "b", AT(13), YORE_NOW), "-");
    CHECK_EQ_STR(get_at(bed.db, "b", AT(14), YORE_NOW), "ends");
    CHECK_EQ_STR(get_at(bed.db, "b", AT(30), YORE_NOW), "-"); /* its own end was kept */
    bed_close(&bed);
}

TEST(span_that_ends_where_a_version_begins_adds_nothing_there)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
    int64_t at = put_at(bed.db, "a", "2", AT(20), YORE_FOREVER);
    put_span(bed.db, "a", "x", AT(12), AT(20));
    struct yore_value value;
    struct yore_time asked = {AT(20), YORE_NOW};
    CHECK_OK(yore_get(bed.db, NULL, text("a"), &asked, &value, NULL));
    CHECK_EQ_INT(value.commit, at);
    yore_value_release(&value);
    bed_close(&bed);
}

TEST(span_in_a_transaction_sees_and_keeps_own_writes)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
    struct yore_txn *txn = begin(bed.db);
    struct yore_write span = {.from = AT(15), .to = AT(25), .is_span = true};
    txn_put_at(txn, "a", "own", AT(20));
    CHECK_OK(yore_txn_put(txn, NULL, text("a"), text("x"), &span, NULL));
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(14)), "1");
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(20)), "x");
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(25)), "own");
    CHECK_OK(commit(txn));
    CHECK_EQ_STR(get_at(bed.db, "a", AT(20), YORE_NOW), "x");
    CHECK_EQ_STR(get_at(bed.db, "a", AT(26), YORE_NOW), "own");
    bed_close(&bed);
}

TEST(span_that_ends_at_the_now_of_its_transaction_leaves_what_is_written_from_now_on)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
    struct yore_txn *txn = begin(bed.db);
    int64_t now = txn->snapshot.now;
    struct yore_write span = {.from = AT(15), .to = now, .is_span = true};
    CHECK_OK(yore_txn_put(txn, NULL, text("a"), text("own"), NULL, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("a"), text("x"), &span, NULL));
    CHECK_EQ_STR(txn_get_at(txn, "a", AT(20)), "x");
    CHECK_EQ_STR(txn_get(txn, "a"), "own");
    CHECK_OK(commit(txn));
    CHECK_EQ_STR(get_at(bed.db, "a", now - 1, YORE_NOW), "x");
    CHECK_EQ_STR(get_at(bed.db, "a", now, YORE_NOW), "1");
    CHECK_EQ_STR(get(bed.db, "a"), "own");
    bed_close(&bed);
}

TEST(span_without_an_end_covers_what_began_later)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "2", AT(20), YORE_FOREVER);
    put_span(bed.db, "a", "x", AT(15), YORE_FOREVER);
    CHECK_EQ_STR(get_at(bed.db, "a", AT(14), YORE_NOW), "1");
    CHECK_EQ_STR(get(bed.db, "a"), "x");
    bed_close(&bed);
}

TEST(span_that_ends_in_the_future_is_refused)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_write write = {
        .from = AT(10), .to = yore_now(bed.db) + 3600 * BED_SECOND, .is_span = true};
    CHECK_STATUS(yore_put(bed.db, NULL, text("a"), text("x"), &write, NULL), YORE_IN_FUTURE);
    write.from = YORE_NOW;
    CHECK_STATUS(yore_put(bed.db, NULL, text("a"), text("x"), &write, NULL), YORE_IN_FUTURE);
    bed_close(&bed);
}

/* ---- erase ---- */

TEST(erased_span_hides_inside_and_keeps_what_held_behind)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put_at(bed.db, "a", "1", AT(10), YORE_FOREVER);
        put_at(bed.db, "a", "2", AT(20), YORE_FOREVER);
        put_at(bed.db, "a", "3", AT(40), YORE_FOREVER);
        bed_age(&bed, age);
        erase_key(bed.db, "a", AT(15), AT(30));
        for (int i = 0; i < 2; i++) {
            test_note("age %d round %d", age, i);
            CHECK_EQ_STR(get_at(bed.db, "a", AT(14), YORE_NOW), "1");
            CHECK_EQ_STR(get_at(bed.db, "a", AT(15), YORE_NOW), "!");
            CHECK_EQ_STR(get_at(bed.db, "a", AT(29), YORE_NOW), "!");
            CHECK_EQ_STR(get_at(bed.db, "a", AT(30), YORE_NOW), "2");
            CHECK_EQ_STR(get_at(bed.db, "a", AT(40), YORE_NOW), "3");
            bed_age(&bed, age);
        }
        bed_close(&bed);
    }
}

TEST(erased_prefix_takes_every_key_with_it)
{
    struct bed bed;
    bed_open(&bed);
    put(bed.db, "user/1", "x");
    put(bed.db, "user/2", "y");
    put(bed.db, "users", "z");
    struct yore_erase erase = {
        .key = text("user/"), .is_prefix = true, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    CHECK_OK(yore_erase(bed.db, NULL, &erase, NULL));
    CHECK_EQ_STR(get(bed.db, "user/1"), "!");
    CHECK_EQ_STR(get(bed.db, "user/2"), "!");
    CHECK_EQ_STR(get(bed.db, "users"), "z");
    put(bed.db, "user/1", "new");
    CHECK_EQ_STR(get(bed.db, "user/1"), "new");
    erase.from = AT(1);
    CHECK_STATUS(yore_erase(bed.db, NULL, &erase, NULL), YORE_INVALID);
    bed_close(&bed);
}

/* ---- snapshots ---- */

TEST(snapshot_keeps_the_present_where_only_now_is_kept)
{
    struct bed bed;
    struct yore_keyspace *keyspace = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    struct yore_snapshot *snapshots[3] = {NULL};
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "cache", &options, &keyspace, NULL));
    for (int i = 0; i < 3; i++) {
        char value_text[16];
        (void)snprintf(value_text, sizeof value_text, "%d", i);
        CHECK_OK(yore_put(bed.db, keyspace, text("a"), text(value_text), NULL, NULL));
        CHECK_OK(yore_snapshot_take(bed.db, &snapshots[i], NULL));
    }
    CHECK_OK(yore_put(bed.db, keyspace, text("a"), text("last"), NULL, NULL));
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    static const int order[] = {1, 0, 2};
    for (int i = 0; i < 3; i++) {
        struct yore_time at = yore_snapshot_time(snapshots[order[i]]);
        struct yore_value value;
        char want[8];
        (void)snprintf(want, sizeof want, "%d", order[i]);
        CHECK_OK(yore_get(bed.db, keyspace, text("a"), &at, &value, NULL));
        CHECK_EQ_BYTES(value.data, value.size, want, 1);
        yore_value_release(&value);
        yore_snapshot_release(snapshots[order[i]]);
        CHECK_STATUS(yore_get(bed.db, keyspace, text("a"), &at, &value, NULL), YORE_BEFORE_HORIZON);
    }
    bed_close(&bed);
}

TEST(transaction_reads_its_begin_where_only_now_is_kept)
{
    struct bed bed;
    struct yore_keyspace *keyspace = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    struct yore_value value;
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "cache", &options, &keyspace, NULL));
    CHECK_OK(yore_put(bed.db, keyspace, text("a"), text("1"), NULL, NULL));
    struct yore_txn *txn = begin(bed.db);
    CHECK_OK(yore_put(bed.db, keyspace, text("a"), text("2"), NULL, NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_txn_get(txn, keyspace, text("a"), NULL, &value, NULL));
    CHECK_EQ_BYTES(value.data, value.size, "1", 1);
    yore_value_release(&value);
    CHECK_OK(yore_txn_put(txn, keyspace, text("b"), text("1"), NULL, NULL));
    CHECK_STATUS(commit(txn), YORE_CONFLICT);
    bed_close(&bed);
}

TEST(known_time_ahead_of_now_is_refused_as_outside)
{
    struct bed bed;
    struct yore_txn *txn;
    struct yore_value value;
    struct yore_cursor *cursor;
    bed_open(&bed);
    put(bed.db, "a", "1");
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    struct yore_time at = {YORE_NOW, yore_now(bed.db) + 3600 * BED_SECOND};
    const struct yore_cursor_options options = {.at = &at};
    CHECK_STATUS(yore_get(bed.db, NULL, text("a"), &at, &value, NULL), YORE_IN_FUTURE);
    CHECK_STATUS(yore_txn_get(txn, NULL, text("a"), &at, &value, NULL), YORE_IN_FUTURE);
    CHECK_STATUS(yore_txn_cursor_open(txn, NULL, &options, &cursor, NULL), YORE_IN_FUTURE);
    at.known = yore_now(bed.db); /* after the begin: all that the transaction may see */
    CHECK_OK(yore_txn_get(txn, NULL, text("a"), &at, &value, NULL));
    yore_value_release(&value);
    yore_txn_abort(txn);
    bed_close(&bed);
}

TEST_MAIN(known_time_ahead_of_now_is_refused_as_outside,
          transaction_sees_its_own_writes_and_nobody_elses,
          committed_transaction_is_seen_whole_under_one_commit,
          transaction_reads_one_state_whatever_is_flushed_meanwhile,
          own_writes_at_past_moments_are_seen_there,
          own_late_fact_does_not_hide_a_delete_in_deep_history, later_of_two_own_writes_wins,
          own_version_has_no_commit_yet,
          update_of_a_key_that_was_read_and_has_changed_is_a_conflict,
          changes_to_other_keys_are_no_conflict, absence_that_was_read_is_validated_too,
          two_that_read_what_the_other_writes_do_not_both_commit, blind_writes_do_not_conflict,
          late_fact_about_the_past_conflicts_with_who_read_the_key,
          key_that_expires_after_it_was_read_is_a_conflict,
          new_key_in_a_range_that_was_walked_is_a_conflict,
          key_outside_of_what_was_walked_is_no_conflict,
          cursor_still_open_at_the_commit_is_validated,
          transaction_that_has_read_as_much_as_it_may_commits,
          erasure_is_met_by_who_began_before_it_and_by_nobody_else,
          erasure_conflicts_with_who_read_the_key_and_with_nobody_else,
          of_many_reads_and_erasures_those_conflict_that_meet,
          drop_of_a_keyspace_conflicts_with_who_read_it_and_with_nobody_else,
          commit_of_a_transaction_without_writes_is_its_begin,
          cursor_sees_writes_made_before_it_was_opened, span_corrects_inside_and_nothing_else,
          span_of_a_key_that_was_absent_leaves_it_absent_behind,
          span_that_ends_where_a_version_begins_adds_nothing_there,
          span_in_a_transaction_sees_and_keeps_own_writes,
          span_that_ends_at_the_now_of_its_transaction_leaves_what_is_written_from_now_on,
          span_without_an_end_covers_what_began_later, span_that_ends_in_the_future_is_refused,
          erased_span_hides_inside_and_keeps_what_held_behind,
          erased_prefix_takes_every_key_with_it, snapshot_keeps_the_present_where_only_now_is_kept,
          transaction_reads_its_begin_where_only_now_is_kept)
