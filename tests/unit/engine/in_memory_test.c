/* in_memory_test.c -- yore_get_in_memory(): the answer of yore_get(), or YORE_BUSY. */
#include "base/bytes.h"
#include "unit/engine/bed.h"

static enum yore_status ask(struct bed *bed, const char *key, int64_t valid, int64_t known)
{
    struct yore_value value;
    struct yore_time at = {valid, known};
    enum yore_status st = yore_get_in_memory(bed->db, NULL, text(key), &at, &value, NULL);
    if (st == YORE_OK) {
        CHECK_EQ_BYTES(value.data, value.size, key, 1);
        yore_value_release(&value);
    }
    return st;
}

TEST(what_is_in_the_memtable_is_told)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "a", "a", AT(5), YORE_FOREVER);
    CHECK_STATUS(ask(&bed, "a", YORE_NOW, YORE_NOW), YORE_OK);
    CHECK_STATUS(ask(&bed, "a", AT(6), YORE_NOW), YORE_OK);
    CHECK_STATUS(ask(&bed, "a", AT(4), YORE_NOW), YORE_NOT_FOUND);
    CHECK_STATUS(ask(&bed, "b", YORE_NOW, YORE_NOW), YORE_NOT_FOUND);
    CHECK_STATUS(ask(&bed, "", YORE_NOW, YORE_NOW), YORE_INVALID);
    bed_close(&bed);
}

TEST(what_is_on_disk_is_busy_until_somebody_has_read_it)
{
    for (int age = 1; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        (void)put_at(bed.db, "a", "a", AT(5), YORE_FOREVER);
        (void)put_at(bed.db, "a", "a", AT(7), YORE_FOREVER);
        bed_age(&bed, age);
        bed_reopen(&bed);
        static const int64_t moments[] = {YORE_NOW, AT(8), AT(6)};
        for (size_t i = 0; i < 3; i++) {
            struct yore_value value;
            struct yore_time at = {moments[i], YORE_NOW};
            enum yore_status first = ask(&bed, "a", moments[i], YORE_NOW);
            CHECK(first == YORE_OK ? i > 0 : first == YORE_BUSY);
            CHECK_OK(yore_get(bed.db, NULL, text("a"), &at, &value, NULL));
            yore_value_release(&value);
            CHECK_STATUS(ask(&bed, "a", moments[i], YORE_NOW), YORE_OK);
        }
        CHECK_STATUS(ask(&bed, "b", YORE_NOW, YORE_NOW), YORE_NOT_FOUND);
        bed_close(&bed);
    }
}

static void walk(struct yore_cursor *cursor)
{
    CHECK_OK(yore_cursor_next(cursor));
    CHECK_STATUS(yore_cursor_next(cursor), YORE_NOT_FOUND);
    yore_cursor_close(cursor);
}

TEST(a_cursor_leaves_what_it_has_read_in_memory_unless_it_is_not_to_fill_the_cache)
{
    static const int64_t moments[] = {YORE_NOW, AT(8), AT(6)};
    for (int age = 1; age < BED_AGES; age++) {
        for (size_t i = 0; i < 3; i++) {
            struct bed bed;
            struct yore_txn *txn = NULL;
            struct yore_cursor *cursor = NULL;
            struct yore_time at = {moments[i], YORE_NOW};
            struct yore_cursor_options options = {.at = &at, .no_cache_fill = true};
            bed_open(&bed);
            (void)put_at(bed.db, "a", "a", AT(5), YORE_FOREVER);
            (void)put_at(bed.db, "a", "a", AT(7), YORE_FOREVER);
            bed_age(&bed, age);
            bed_reopen(&bed);
            CHECK_OK(yore_cursor_open(bed.db, NULL, &options, &cursor, NULL));
            walk(cursor);
            CHECK_STATUS(ask(&bed, "a", moments[i], YORE_NOW), YORE_BUSY);
            CHECK_OK(yore_begin(bed.db, &txn, NULL));
            CHECK_OK(yore_txn_cursor_open(txn, NULL, &options, &cursor, NULL));
            walk(cursor);
            yore_txn_abort(txn);
            CHECK_STATUS(ask(&bed, "a", moments[i], YORE_NOW), YORE_BUSY);
            options.no_cache_fill = false;
            CHECK_OK(yore_cursor_open(bed.db, NULL, &options, &cursor, NULL));
            walk(cursor);
            CHECK_STATUS(ask(&bed, "a", moments[i], YORE_NOW), YORE_OK);
            bed_close(&bed);
        }
    }
}

TEST(a_value_apart_is_on_disk)
{
    static char large[100000] = "a";
    struct bed bed;
    bed_open(&bed);
    CHECK_OK(yore_put(bed.db, NULL, text("a"), bytes_of(large, sizeof large), NULL, NULL));
    CHECK_STATUS(ask(&bed, "a", YORE_NOW, YORE_NOW), YORE_BUSY);
    bed_close(&bed);
}

TEST(what_may_not_be_known_yet_is_not_waited_for)
{
    struct bed bed;
    bed_open(&bed);
    int64_t last = put_at(bed.db, "a", "a", AT(5), YORE_FOREVER);
    CHECK_STATUS(ask(&bed, "a", AT(6), yore_now(bed.db)), YORE_BUSY);
    CHECK_STATUS(ask(&bed, "a", AT(6), last), YORE_OK);
    bed_close(&bed);
}

TEST_MAIN(what_is_in_the_memtable_is_told, what_is_on_disk_is_busy_until_somebody_has_read_it,
          a_cursor_leaves_what_it_has_read_in_memory_unless_it_is_not_to_fill_the_cache,
          a_value_apart_is_on_disk, what_may_not_be_known_yet_is_not_waited_for)
