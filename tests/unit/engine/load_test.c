/* load_test.c -- bulk loads, as yore.h promises them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/env.h"
#include "support/store.h"
#include "unit/engine/bed.h"

static struct yore_load *open_load(struct yore_db *db, struct yore_keyspace *keyspace)
{
    struct yore_load *load = NULL;
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_load_open(db, keyspace, &load, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
    return load;
}

static void add(struct yore_load *load, const char *key, const char *value)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = yore_load_put(load, text(key), text(value), &error);
    CHECK_MSG(st == YORE_OK, "put of %s: %s", key, error.text);
}

static int64_t commit(struct yore_load *load)
{
    struct yore_error error = {.text = ""};
    int64_t at = 0;
    enum yore_status st = yore_load_commit(load, &at, &error);
    CHECK_MSG(st == YORE_OK, "commit: %s", error.text);
    return at;
}

/* `count` rows "r0000", "r0001", ... */
static struct yore_load *open_rows(struct yore_db *db, unsigned count, const char *value)
{
    struct yore_load *load = open_load(db, NULL);
    for (unsigned i = 0; i < count; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "r%04u", i);
        add(load, key, value);
    }
    return load;
}

/* As many rows whose values do not compress: more than a table of them. */
static struct yore_load *open_many(struct yore_db *db, unsigned count)
{
    struct yore_load *load = open_load(db, NULL);
    struct test_rand rand = {1};
    for (unsigned i = 0; i < count; i++) {
        unsigned char value[40];
        char key[16];
        (void)snprintf(key, sizeof key, "r%04u", i);
        test_rand_fill(&rand, value, sizeof value);
        CHECK_OK(yore_load_put(load, text(key), (struct yore_bytes){value, sizeof value}, NULL));
    }
    return load;
}

static int64_t load_one(struct yore_db *db, const char *key, const char *value)
{
    struct yore_load *load = open_load(db, NULL);
    add(load, key, value);
    return commit(load);
}

static int count_table(void *arg, const char *name)
{
    *(unsigned *)arg += strncmp(name, "table-", 6) == 0;
    return 0;
}

static unsigned tables(const struct bed *bed)
{
    unsigned count = 0;
    CHECK_OK(os_dir_list(sim_disk_env(bed->disk), "db", count_table, &count, NULL));
    return count;
}

/* ---- what is seen ---- */

TEST(rows_are_seen_from_the_commit_on_and_not_before)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        int64_t first = put(bed.db, "r0003", "old");
        put(bed.db, "s", "other");
        bed_age(&bed, age);
        struct yore_load *load = open_rows(bed.db, 1000, "new");
        CHECK_EQ_STR(get(bed.db, "r0000"), "-");
        CHECK_EQ_STR(get(bed.db, "r0003"), "old");
        int64_t at = commit(load);
        test_note("age %d", age);
        for (int again = 0; again < 2; again++) {
            struct yore_value value;
            CHECK_EQ_STR(get(bed.db, "r0999"), "new");
            CHECK_EQ_STR(get(bed.db, "r0003"), "new");
            CHECK_EQ_STR(get(bed.db, "s"), "other");
            CHECK_EQ_STR(get_at(bed.db, "r0003", at - 1, YORE_NOW), "old");
            CHECK_EQ_STR(get_at(bed.db, "r0003", at, at - 1), "old");
            CHECK_EQ_STR(get_at(bed.db, "r0003", first - 1, YORE_NOW), "-");
            CHECK_EQ_STR(get_at(bed.db, "r0999", at, YORE_NOW), "new");
            CHECK_EQ_STR(get_at(bed.db, "r0999", at - 1, YORE_NOW), "-");
            CHECK_OK(yore_get(bed.db, NULL, text("r0500"), NULL, &value, NULL));
            CHECK(value.valid_from == at && value.commit == at && value.valid_to == YORE_FOREVER);
            yore_value_release(&value);
            bed_age(&bed, age);
        }
        bed_close(&bed);
    }
}

TEST(others_write_while_a_load_is_open_and_commits_are_in_order)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_load *one = open_load(bed.db, NULL);
    struct yore_load *two = open_load(bed.db, NULL);
    add(one, "a", "one");
    int64_t before = put(bed.db, "a", "put");
    add(two, "a", "two");
    add(one, "b", "one");
    CHECK_OK(yore_flush(bed.db, NULL));
    int64_t second = commit(two);
    int64_t between = put(bed.db, "b", "put");
    int64_t first = commit(one);
    int64_t after = put(bed.db, "c", "put");
    CHECK(before < second && second < between && between < first && first < after);
    CHECK_EQ_STR(get(bed.db, "a"), "one");
    CHECK_EQ_STR(get(bed.db, "b"), "one");
    CHECK_EQ_STR(get_at(bed.db, "a", second, YORE_NOW), "two");
    CHECK_EQ_STR(get_at(bed.db, "b", between, YORE_NOW), "put");
    bed_close(&bed);
}

TEST(a_held_snapshot_keeps_what_a_load_replaces)
{
    for (int age = 0; age < 3; age++) {
        struct bed bed;
        struct yore_keyspace *now_only = NULL;
        struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
        struct yore_snapshot *snapshot = NULL;
        struct yore_value value;
        bed_open(&bed);
        CHECK_OK(yore_keyspace_create(bed.db, "now", &options, &now_only, NULL));
        CHECK_OK(yore_put(bed.db, now_only, text("a"), text("old"), NULL, NULL));
        bed_age(&bed, age);
        CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
        struct yore_load *load = open_load(bed.db, now_only);
        add(load, "a", "new");
        commit(load);
        bed_age(&bed, age);
        struct yore_time then = yore_snapshot_time(snapshot);
        CHECK_OK(yore_get(bed.db, now_only, text("a"), &then, &value, NULL));
        CHECK(value.size == 3 && memcmp(value.data, "old", 3) == 0);
        yore_value_release(&value);
        CHECK_OK(yore_get(bed.db, now_only, text("a"), NULL, &value, NULL));
        CHECK(value.size == 3 && memcmp(value.data, "new", 3) == 0);
        yore_value_release(&value);
        yore_snapshot_release(snapshot);
        bed_close(&bed);
    }
}

TEST(large_values_go_to_value_files)
{
    struct bed bed;
    static char large[4001];
    bed_open(&bed);
    memset(large, 'v', 4000);
    struct yore_load *load = open_load(bed.db, NULL);
    add(load, "a", large);
    add(load, "b", "small");
    commit(load);
    CHECK_EQ_INT(store_stat(bed.db, "values_apart"), 1);
    bed_age(&bed, 3);
    struct yore_value value;
    CHECK_OK(yore_get(bed.db, NULL, text("a"), NULL, &value, NULL));
    CHECK(value.size == 4000 && memcmp(value.data, large, 4000) == 0);
    yore_value_release(&value);
    bed_close(&bed);
}

/* ---- what is refused ---- */

TEST(keys_must_ascend_and_the_load_goes_on_without_those_that_do_not)
{
    struct bed bed;
    struct yore_error error;
    bed_open(&bed);
    struct yore_load *load = open_load(bed.db, NULL);
    add(load, "kiwi", "1");
    CHECK_STATUS(yore_load_put(load, text("kiwi"), text("2"), &error), YORE_INVALID);
    CHECK_STATUS(yore_load_put(load, text("apple"), text("2"), &error), YORE_INVALID);
    CHECK(strstr(error.text, "apple") != NULL && strstr(error.text, "kiwi") != NULL);
    CHECK_STATUS(yore_load_put(load, text("kiw"), text("2"), &error), YORE_INVALID);
    CHECK_STATUS(yore_load_put(load, text(""), text("2"), &error), YORE_INVALID);
    add(load, "kiwis", "3");
    CHECK_EQ_INT(yore_load_count(load), 2);
    commit(load);
    CHECK_EQ_STR(get(bed.db, "kiwi"), "1");
    CHECK_EQ_STR(get(bed.db, "kiwis"), "3");
    CHECK_EQ_STR(get(bed.db, "apple"), "-");
    bed_close(&bed);
}

TEST(sizes_have_their_limits)
{
    struct bed bed;
    bed_open(&bed);
    char *key = malloc(YORE_KEY_BYTES_MAX + 1);
    memset(key, 'k', YORE_KEY_BYTES_MAX + 1);
    struct yore_load *load = open_load(bed.db, NULL);
    struct yore_bytes value = text("v");
    CHECK_STATUS(yore_load_put(load, (struct yore_bytes){key, YORE_KEY_BYTES_MAX + 1}, value, NULL),
                 YORE_TOO_BIG);
    struct yore_bytes huge = {key, (size_t)YORE_VALUE_BYTES_MAX + 1};
    CHECK_STATUS(yore_load_put(load, text("a"), huge, NULL), YORE_TOO_BIG);
    CHECK_OK(yore_load_put(load, (struct yore_bytes){key, YORE_KEY_BYTES_MAX}, value, NULL));
    commit(load);
    struct yore_value got;
    CHECK_OK(
        yore_get(bed.db, NULL, (struct yore_bytes){key, YORE_KEY_BYTES_MAX}, NULL, &got, NULL));
    yore_value_release(&got);
    free(key);
    bed_close(&bed);
}

TEST(a_dropped_keyspace_takes_no_load)
{
    struct bed bed;
    struct yore_keyspace *space = NULL;
    struct yore_load *load = NULL;
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "space", NULL, &space, NULL));
    struct yore_load *open = open_load(bed.db, space);
    add(open, "a", "1");
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    CHECK_STATUS(yore_load_commit(open, NULL, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(yore_load_open(bed.db, space, &load, NULL), YORE_NOT_FOUND);
    CHECK(load == NULL);
    bed_reopen(&bed);
    bed_close(&bed);
}

TEST(a_load_without_rows_is_no_commit)
{
    struct bed bed;
    bed_open(&bed);
    int64_t last = put(bed.db, "a", "1");
    CHECK_EQ_INT(commit(open_load(bed.db, NULL)), last);
    yore_load_abort(open_load(bed.db, NULL));
    yore_load_abort(NULL);
    CHECK_EQ_INT(store_stat(bed.db, "loads"), 0);
    bed_close(&bed);
}

TEST(a_full_disk_ends_the_load_and_not_the_database)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    bed_open(&bed);
    put(bed.db, "a", "1");
    struct yore_load *load = open_rows(bed.db, 100, "value");
    sim_disk_set_capacity(bed.disk, sim_disk_used(bed.disk) + 1000);
    enum yore_status st = YORE_OK;
    for (unsigned i = 0; st == YORE_OK && i < 100000; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "s%06u", i);
        st = yore_load_put(load, text(key), text("a value of some size"), &error);
    }
    CHECK_STATUS(st, YORE_NO_SPACE);
    CHECK_STATUS(yore_load_put(load, text("t"), text("1"), &error), YORE_NO_SPACE);
    sim_disk_set_capacity(bed.disk, UINT64_MAX);
    CHECK_STATUS(yore_load_commit(load, NULL, &error), YORE_NO_SPACE);
    put(bed.db, "b", "2");
    CHECK_EQ_STR(get(bed.db, "r0001"), "-");
    CHECK_EQ_INT(tables(&bed), store_stat(bed.db, "tables"));
    bed_close(&bed);
}

/* ---- files ---- */

TEST(an_aborted_load_leaves_no_file)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_load *load = open_many(bed.db, 3000);
    CHECK(tables(&bed) > 1);
    yore_load_abort(load);
    CHECK_EQ_INT(tables(&bed), 0);
    bed_close(&bed);
}

TEST(what_a_crash_leaves_of_a_load_goes_when_the_database_is_opened)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_load *load = open_many(bed.db, 3000);
    unsigned left = tables(&bed);
    struct sim_disk *after = sim_disk_clone(bed.disk, 1);
    sim_disk_crash(after, SIM_CRASH_KEEP_ALL, 1);
    struct bed crashed = {.disk = after};
    CHECK(left > 1);
    CHECK_EQ_INT(tables(&crashed), left);
    CHECK_OK(db_open_inline(sim_disk_env(after), "db", NULL, &crashed.db, NULL));
    CHECK_EQ_INT(tables(&crashed), 0);
    CHECK_EQ_STR(get(crashed.db, "r0001"), "-");
    bed_close(&crashed);
    yore_load_abort(load);
    bed_close(&bed);
}

TEST(tables_go_as_deep_as_nothing_is_in_the_way)
{
    struct bed bed;
    bed_open(&bed);
    CHECK_OK(yore_flush(bed.db, NULL));
    uint64_t catalogue = store_stat(bed.db, "level0_bytes");
    load_one(bed.db, "q", "beside");
    commit(open_many(bed.db, 3000));
    CHECK_EQ_INT(store_stat(bed.db, "level0_bytes"), catalogue);
    commit(open_rows(bed.db, 10, "over"));
    uint64_t over = store_stat(bed.db, "level0_bytes");
    CHECK(over > catalogue);
    load_one(bed.db, "s", "beside");
    CHECK_EQ_INT(store_stat(bed.db, "level0_bytes"), over);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_STR(get(bed.db, "r0005"), "over");
    CHECK_EQ_STR(get(bed.db, "s"), "beside");
    bed_close(&bed);
}

TEST(the_tables_of_a_load_count_once_in_level_0)
{
    struct bed bed;
    struct yore_txn *txn = NULL;
    bed_open(&bed);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("r0000"), text("low"), NULL, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("r9999"), text("high"), NULL, NULL));
    CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_OK(yore_flush(bed.db, NULL)); /* one table over all of the load */
    commit(open_many(bed.db, 5000));
    CHECK(tables(&bed) > 6);
    CHECK_EQ_INT(store_stat(bed.db, "merges"), 0);
    CHECK_EQ_INT(store_stat(bed.db, "level0_most"), 2);
    CHECK_EQ_STR(get(bed.db, "r9999"), "high");
    bed_close(&bed);
}

TEST(statistics_count_loads)
{
    struct bed bed;
    bed_open(&bed);
    uint64_t writes = store_stat(bed.db, "writes");
    uint64_t commits = store_stat(bed.db, "commits");
    commit(open_rows(bed.db, 100, "a value"));
    CHECK_EQ_INT(store_stat(bed.db, "loads"), 1);
    CHECK(store_stat(bed.db, "load_bytes") > 500);
    CHECK_EQ_INT(store_stat(bed.db, "writes"), writes + 100);
    CHECK_EQ_INT(store_stat(bed.db, "commits"), commits + 1);
    bed_close(&bed);
}

/* ---- transactions ---- */

TEST(transactions_that_read_what_a_load_wrote_conflict)
{
    static const struct {
        const char *key; /* read: a key, or from there to `high` */
        const char *high;
        enum yore_status status;
    } cases[] = {{"b", NULL, YORE_CONFLICT},
                 {"absent", NULL, YORE_CONFLICT},
                 {"a", NULL, YORE_OK},
                 {"c", "e", YORE_CONFLICT},
                 {"x", "z", YORE_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bed bed;
        struct yore_txn *txn = NULL;
        bed_open(&bed);
        put(bed.db, "a", "1");
        put(bed.db, "b", "1");
        CHECK_OK(yore_begin(bed.db, &txn, NULL));
        if (cases[i].high == NULL) {
            (void)txn_get(txn, cases[i].key);
        } else {
            struct yore_cursor_options options = {
                .range = {.low = text(cases[i].key), .high = text(cases[i].high)}};
            struct yore_cursor *cursor = NULL;
            CHECK_OK(yore_txn_cursor_open(txn, NULL, &options, &cursor, NULL));
            while (yore_cursor_next(cursor) == YORE_OK) {
            }
            yore_cursor_close(cursor);
        }
        CHECK_OK(yore_txn_put(txn, NULL, text("w"), text("1"), NULL, NULL));
        struct yore_load *load = open_load(bed.db, NULL);
        add(load, "absent", "2");
        add(load, "b", "2");
        add(load, "d", "2");
        commit(load);
        test_note("case %zu", i);
        CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL), cases[i].status);
        bed_close(&bed);
    }
}

/* ---- the feed ---- */

static void check_told(struct yore_db *db, int64_t after, const int64_t *commits, size_t count,
                       size_t load_at)
{
    struct yore_feed *feed = NULL;
    struct yore_feed_commit told;
    CHECK_OK(yore_feed_open(db, after, &feed, NULL));
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(yore_feed_next(feed, &told, NULL));
        CHECK_EQ_INT(told.commit, commits[i]);
        CHECK(!told.has_more);
        CHECK_EQ_INT(told.write_count, i == load_at ? 700 : 1);
        CHECK_EQ_INT(told.writes[0].valid_from, commits[i]);
    }
    CHECK_STATUS(yore_feed_next(feed, &told, NULL), YORE_NOT_FOUND);
    yore_feed_close(feed);
}

TEST(the_feed_tells_a_load_between_its_neighbours)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        int64_t commits[4];
        bed_open(&bed);
        commits[0] = put(bed.db, "r0001", "before");
        commits[1] = put(bed.db, "a", "before");
        commits[2] = commit(open_rows(bed.db, 700, "loaded"));
        commits[3] = put(bed.db, "r0001", "after");
        test_note("age %d", age);
        for (int again = 0; again < 2; again++) {
            check_told(bed.db, commits[0] - 1, commits, 4, 2);
            check_told(bed.db, commits[1], commits + 2, 2, 0);
            check_told(bed.db, commits[2], commits + 3, 1, 1);
            bed_age(&bed, age);
        }
        bed_close(&bed);
    }
}

TEST(a_large_load_is_told_in_parts)
{
    static char value[200001];
    struct bed bed;
    bed_open(&bed);
    memset(value, 'v', 200000);
    int64_t at = commit(open_rows(bed.db, 400, value));
    int64_t after = put(bed.db, "z", "after");
    for (int age = 0; age < 3; age += 2) {
        struct yore_feed *feed = NULL;
        struct yore_feed_commit told;
        size_t writes = 0;
        size_t parts = 0;
        CHECK_OK(yore_feed_open(bed.db, at - 1, &feed, NULL));
        do {
            CHECK_OK(yore_feed_next(feed, &told, NULL));
            CHECK_EQ_INT(told.commit, at);
            writes += told.write_count;
            parts++;
        } while (told.has_more);
        CHECK_EQ_INT(writes, 400);
        CHECK(parts > 1);
        CHECK_OK(yore_feed_next(feed, &told, NULL));
        CHECK_EQ_INT(told.commit, after);
        yore_feed_close(feed);
        bed_age(&bed, 2);
    }
    bed_close(&bed);
}

/* ---- erase, backup, restore ---- */

TEST(what_a_load_brought_can_be_erased)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        commit(open_rows(bed.db, 50, "secret"));
        bed_age(&bed, age);
        erase_key(bed.db, "r0007", YORE_TIME_MIN, YORE_FOREVER);
        int64_t at = load_one(bed.db, "r0008", "fresh");
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "r0007"), "!");
        CHECK_EQ_STR(get(bed.db, "r0006"), "secret");
        CHECK_EQ_STR(get_at(bed.db, "r0008", at - 1, YORE_NOW), "secret");
        load_one(bed.db, "r0007", "again");
        bed_age(&bed, age);
        CHECK_EQ_STR(get(bed.db, "r0007"), "again");
        bed_close(&bed);
    }
}

static struct yore_db *restored(struct bed *bed, const char *path, int64_t to_commit)
{
    struct yore_db *db = NULL;
    struct yore_error error = {.text = ""};
    struct yore_verify_report report;
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = path, .to_commit = to_commit};
    enum yore_status st = db_restore(sim_disk_env(bed->disk), &restore, &error);
    CHECK_MSG(st == YORE_OK, "restore: %s", error.text);
    CHECK_OK(db_open_inline(sim_disk_env(bed->disk), path, NULL, &db, &error));
    st = yore_verify(db, NULL, NULL, &report, &error);
    CHECK_MSG(st == YORE_OK, "verify: %s", error.text);
    return db;
}

TEST(backups_hold_loads_and_are_restored_to_before_and_after_them)
{
    struct bed bed;
    struct yore_backup_info info;
    bed_open(&bed);
    put(bed.db, "r0001", "before");
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, &info, NULL));
    put(bed.db, "s", "before");
    int64_t at = commit(open_rows(bed.db, 300, "loaded"));
    put(bed.db, "r0002", "after");
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, &info, NULL));
    CHECK(info.new_bytes <= info.bytes);
    struct yore_db *db = restored(&bed, "whole", YORE_FOREVER);
    CHECK_EQ_STR(get(db, "r0001"), "loaded");
    CHECK_EQ_STR(get(db, "r0002"), "after");
    CHECK_EQ_STR(get_at(db, "r0001", at - 1, YORE_NOW), "before");
    CHECK_OK(yore_close(db, NULL));
    db = restored(&bed, "at", at);
    CHECK_EQ_STR(get(db, "r0001"), "loaded");
    CHECK_EQ_STR(get(db, "r0002"), "loaded");
    CHECK_OK(yore_close(db, NULL));
    db = restored(&bed, "before", at - 1);
    CHECK_EQ_STR(get(db, "r0001"), "before");
    CHECK_EQ_STR(get(db, "r0002"), "-");
    CHECK_EQ_STR(get(db, "s"), "before");
    CHECK_OK(yore_close(db, NULL));
    bed_close(&bed);
}

TEST_MAIN(rows_are_seen_from_the_commit_on_and_not_before,
          others_write_while_a_load_is_open_and_commits_are_in_order,
          a_held_snapshot_keeps_what_a_load_replaces, large_values_go_to_value_files,
          keys_must_ascend_and_the_load_goes_on_without_those_that_do_not, sizes_have_their_limits,
          a_dropped_keyspace_takes_no_load, a_load_without_rows_is_no_commit,
          a_full_disk_ends_the_load_and_not_the_database, an_aborted_load_leaves_no_file,
          what_a_crash_leaves_of_a_load_goes_when_the_database_is_opened,
          tables_go_as_deep_as_nothing_is_in_the_way, the_tables_of_a_load_count_once_in_level_0,
          statistics_count_loads, transactions_that_read_what_a_load_wrote_conflict,
          the_feed_tells_a_load_between_its_neighbours, a_large_load_is_told_in_parts,
          what_a_load_brought_can_be_erased,
          backups_hold_loads_and_are_restored_to_before_and_after_them)
