/* retire_test.c -- rules of erasures leave memory when the bytes they hide have left every file. */
#include <stdio.h>
#include <string.h>

#include "unit/engine/watch_bed.h"

static void pick_erasures(void *arg, const struct yore_stat *stat)
{
    if (strcmp(stat->name, "erasures") == 0) {
        *(uint64_t *)arg = stat->value;
    }
}

static uint64_t rules_of(struct bed *bed)
{
    uint64_t count = UINT64_MAX;
    yore_stats(bed->db, pick_erasures, &count);
    return count;
}

static enum yore_status erase(struct bed *bed, const char *key, bool is_prefix)
{
    const struct yore_erase whole = {
        .key = text(key), .is_prefix = is_prefix, .from = YORE_TIME_MIN, .to = YORE_FOREVER};
    return yore_erase(bed->db, NULL, &whole, NULL);
}

static void compact(struct bed *bed)
{
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
}

TEST(the_rule_of_a_key_leaves_with_its_bytes_and_the_key_stays_erased)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "a", "1", AT(1), YORE_FOREVER);
    int64_t known = put_at(bed.db, "a", "2", AT(5), YORE_FOREVER);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(erase(&bed, "a", false));
    CHECK_OK(erase(&bed, "never written", false));
    int64_t later = put(bed.db, "a", "3");
    CHECK_EQ_UINT(rules_of(&bed), 2);
    compact(&bed);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_UINT(rules_of(&bed), 0);
        CHECK_EQ_STR(get_at(bed.db, "a", AT(2), YORE_NOW), "!");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(6), known), "!");
        CHECK_EQ_STR(get_at(bed.db, "a", AT(0), YORE_NOW), "-");
        CHECK_EQ_STR(get_at(bed.db, "a", later, YORE_NOW), "3");
        CHECK_EQ_STR(get(bed.db, "never written"), "-");
        bed_reopen(&bed);
    }
    bed_close(&bed);
}

TEST(a_rule_stays_while_a_reader_holds_what_it_hides)
{
    struct bed bed;
    struct yore_cursor *cursor;
    bed_open(&bed);
    (void)put(bed.db, "a", "1");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
    CHECK_OK(erase(&bed, "a", false));
    compact(&bed);
    CHECK_EQ_UINT(rules_of(&bed), 1);
    yore_cursor_close(cursor);
    compact(&bed);
    CHECK_EQ_UINT(rules_of(&bed), 0);
    CHECK_EQ_STR(get(bed.db, "a"), "!");
    bed_close(&bed);
}

TEST(rules_that_can_leave_are_no_bound)
{
    enum { BOUND = 4, KEYS = 10 * BOUND };
    struct bed bed;
    char key[16];
    bed_open(&bed);
    db_bound_erasures(bed.db, BOUND);
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        if (i % 2 == 0) {
            (void)put(bed.db, key, "1");
        }
        CHECK_OK(erase(&bed, key, i % 7 == 0));
        CHECK(rules_of(&bed) <= BOUND);
    }
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        CHECK_EQ_STR(get(bed.db, key), i % 2 == 0 ? "!" : "-");
    }
    bed_close(&bed);
}

TEST(past_the_bound_a_key_is_refused_and_a_prefix_is_not)
{
    struct bed bed;
    struct yore_cursor *cursor;
    bed_open(&bed);
    db_bound_erasures(bed.db, 2);
    (void)put(bed.db, "a", "1");
    (void)put(bed.db, "c", "1");
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
    CHECK_OK(erase(&bed, "a", false));
    CHECK_OK(erase(&bed, "b", false));
    CHECK_STATUS(erase(&bed, "c", false), YORE_TOO_BIG);
    CHECK_EQ_STR(get(bed.db, "c"), "1");
    CHECK_OK(erase(&bed, "c", true));
    CHECK_EQ_STR(get(bed.db, "c"), "!");
    yore_cursor_close(cursor);
    CHECK_OK(erase(&bed, "d", false));
    bed_close(&bed);
}

TEST(past_the_bound_a_span_is_refused_until_keys_are_erased_whole)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    struct yore_erase span = {.key = text("c"), .from = AT(5), .to = AT(9)};
    bed_open(&bed);
    db_bound_erasures(bed.db, 2);
    (void)put_at(bed.db, "a", "1", AT(1), YORE_FOREVER);
    (void)put_at(bed.db, "b", "1", AT(1), YORE_FOREVER);
    (void)put_at(bed.db, "c", "1", AT(1), YORE_FOREVER);
    (void)erase_key(bed.db, "a", AT(5), AT(9));
    (void)erase_key(bed.db, "b", AT(5), AT(9));
    CHECK_STATUS(yore_erase(bed.db, NULL, &span, &error), YORE_TOO_BIG);
    CHECK_MSG(strstr(error.text, "2 erasures of 2, of spans") != NULL, "%s", error.text);
    CHECK_EQ_STR(get_at(bed.db, "c", AT(6), YORE_NOW), "1");
    CHECK_OK(erase(&bed, "a", true));
    CHECK_OK(yore_erase(bed.db, NULL, &span, &error));
    CHECK_EQ_STR(get_at(bed.db, "c", AT(6), YORE_NOW), "!");
    CHECK_EQ_STR(get_at(bed.db, "c", AT(4), YORE_NOW), "1");
    bed_close(&bed);
}

TEST(the_rule_of_a_span_stays_until_one_over_its_whole_key_leaves)
{
    for (int is_prefix = 0; is_prefix < 2; is_prefix++) {
        struct bed bed;
        bed_open(&bed);
        (void)put_at(bed.db, "ab", "1", AT(1), YORE_FOREVER);
        int64_t known = put_at(bed.db, "cd", "1", AT(1), YORE_FOREVER);
        (void)erase_key(bed.db, "ab", AT(5), AT(9));
        (void)erase_key(bed.db, "cd", AT(5), AT(9));
        compact(&bed);
        bed_reopen(&bed);
        compact(&bed);
        CHECK_EQ_UINT(rules_of(&bed), 2);
        CHECK_EQ_STR(get_at(bed.db, "ab", AT(6), known), "!");
        CHECK_EQ_STR(get_at(bed.db, "ab", AT(4), known), "1");
        CHECK_OK(erase(&bed, is_prefix ? "a" : "ab", is_prefix != 0));
        compact(&bed);
        for (int i = 0; i < 2; i++) {
            CHECK_EQ_UINT(rules_of(&bed), 1);
            CHECK_EQ_STR(get_at(bed.db, "ab", AT(4), known), "!");
            CHECK_EQ_STR(get_at(bed.db, "ab", AT(6), known), "!");
            CHECK_EQ_STR(get_at(bed.db, "cd", AT(6), known), "!");
            CHECK_EQ_STR(get_at(bed.db, "cd", AT(4), known), "1");
            bed_reopen(&bed);
        }
        bed_close(&bed);
    }
}

TEST(a_transaction_conflicts_with_an_erasure_whose_rule_has_left)
{
    struct bed bed;
    struct yore_txn *txn;
    bed_open(&bed);
    (void)put(bed.db, "a", "1");
    (void)put(bed.db, "b", "1");
    for (int is_read = 0; is_read < 2; is_read++) {
        CHECK_OK(yore_begin(bed.db, &txn, NULL));
        CHECK_EQ_STR(txn_get(txn, is_read ? "a" : "b"), "1");
        CHECK_OK(erase(&bed, "a", false));
        compact(&bed);
        CHECK_EQ_UINT(rules_of(&bed), 0);
        CHECK_OK(yore_txn_put(txn, NULL, text("c"), text("1"), NULL, NULL));
        CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL),
                     is_read ? YORE_CONFLICT : YORE_OK);
        (void)put(bed.db, "a", "1");
    }
    bed_close(&bed);
}

TEST(a_watch_that_waited_for_a_commit_to_be_durable_tells_it_erased)
{
    struct bed bed;
    struct yore_watch *watch;
    const struct yore_write unsynced = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    struct yore_feed_commit told;
    bed_open(&bed);
    const struct yore_watch_options durable = {.after_commit = put(bed.db, "0", "0"),
                                               .durable_only = true};
    CHECK_OK(yore_watch_open(bed.db, &durable, &watch, NULL));
    CHECK_OK(yore_put(bed.db, NULL, text("a"), text("secret"), &unsynced, NULL));
    CHECK_STATUS(yore_watch_next(watch, 0, &told, NULL), YORE_NOT_FOUND);
    CHECK_OK(erase(&bed, "a", false));
    compact(&bed);
    CHECK_EQ_UINT(rules_of(&bed), 0);
    CHECK_EQ_STR(heard(watch), "a! ; catalogue ; ");
    yore_watch_close(watch);
    bed_close(&bed);
}

TEST(what_is_restored_is_erased_by_rules_that_have_left)
{
    struct bed bed;
    struct yore_backup_info first;
    struct yore_backup_info second;
    bed_open(&bed);
    int64_t before = put(bed.db, "a", "1");
    int64_t commit = put(bed.db, "a", "2");
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, &first, NULL));
    CHECK_OK(erase(&bed, "a", false));
    compact(&bed);
    CHECK_EQ_UINT(rules_of(&bed), 0);
    (void)put(bed.db, "b", "1");
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, &second, NULL));
    const struct yore_restore cases[] = {
        {.id = first.id, .to_commit = YORE_FOREVER}, /* erased again */
        {.id = first.id, .to_commit = before},       /* rewound, and erased again */
        {.id = second.id, .to_commit = before}       /* rewound behind the erasure, which stays */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bed restored = {.disk = bed.disk};
        struct yore_restore restore = cases[i];
        struct yore_options options;
        char target[32];
        (void)snprintf(target, sizeof target, "restored%d", (int)i);
        restore.backup_path = "backup";
        restore.target_path = target;
        CHECK_OK(db_restore(sim_disk_env(bed.disk), &restore, NULL));
        yore_options_init(&options);
        CHECK_OK(db_open_inline(sim_disk_env(bed.disk), target, &options, &restored.db, NULL));
        CHECK_EQ_UINT(rules_of(&restored), 0);
        CHECK_EQ_STR(get_at(restored.db, "a", before, YORE_NOW), "!");
        CHECK_EQ_STR(get_at(restored.db, "a", commit, YORE_NOW), "!");
        CHECK_EQ_STR(get(restored.db, "b"), "-");
        CHECK_OK(yore_close(restored.db, NULL));
    }
    bed_close(&bed);
}

TEST_MAIN(the_rule_of_a_key_leaves_with_its_bytes_and_the_key_stays_erased,
          a_rule_stays_while_a_reader_holds_what_it_hides, rules_that_can_leave_are_no_bound,
          past_the_bound_a_key_is_refused_and_a_prefix_is_not,
          past_the_bound_a_span_is_refused_until_keys_are_erased_whole,
          the_rule_of_a_span_stays_until_one_over_its_whole_key_leaves,
          a_transaction_conflicts_with_an_erasure_whose_rule_has_left,
          a_watch_that_waited_for_a_commit_to_be_durable_tells_it_erased,
          what_is_restored_is_erased_by_rules_that_have_left)
