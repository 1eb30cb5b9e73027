/* feed_test.c -- every commit after one, from the journal and rebuilt from tables. */
#include <stdio.h>
#include <string.h>

#include "os/env.h"
#include "unit/engine/bed.h"

#define TEXT_BYTES 8192
#define PATH_ROOM 128

/* The commits of the default keyspace after `after`: "a=x b- ; a! ; ", commits apart by semicolons.
 */
static const char *told(struct yore_db *db, int64_t after)
{
    static char outs[2][TEXT_BYTES];
    static unsigned next;
    char *out = outs[next++ % 2];
    struct yore_feed *feed = NULL;
    struct yore_feed_commit commit;
    struct yore_error error = {.text = ""};
    size_t size = 0;
    int64_t last = after;
    enum yore_status st = yore_feed_open(db, after, &feed, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
    out[0] = '\0';
    while ((st = yore_feed_next(feed, &commit, &error)) == YORE_OK) {
        size_t begin = size;
        CHECK(commit.commit > last);
        last = commit.commit;
        for (size_t i = 0; i < commit.write_count; i++) {
            const struct yore_feed_write *write = &commit.writes[i];
            char mark = write->kind == YORE_KIND_PUT      ? '='
                        : write->kind == YORE_KIND_DELETE ? '-'
                                                          : '!';
            if (write->keyspace_id != 0) {
                size += (size_t)snprintf(out + size, TEXT_BYTES - size, "%.*s%c%.*s ",
                                         (int)write->key.size, (const char *)write->key.data, mark,
                                         (int)(write->value.size > 8 ? 8 : write->value.size),
                                         (const char *)write->value.data);
            }
        }
        if (size > begin) {
            size += (size_t)snprintf(out + size, TEXT_BYTES - size, "; ");
        }
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "next: %s", error.text);
    CHECK_STATUS(yore_feed_next(feed, &commit, NULL), YORE_NOT_FOUND);
    yore_feed_close(feed);
    return out;
}

TEST(feed_tells_every_commit_whole_and_in_order)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_txn *txn = NULL;
        bed_open(&bed);
        put(bed.db, "b", "1");
        int64_t after = put(bed.db, "a", "2");
        bed_age(&bed, age);
        CHECK_OK(yore_begin(bed.db, &txn, NULL));
        CHECK_OK(yore_txn_put(txn, NULL, text("a"), text("3"), NULL, NULL));
        CHECK_OK(yore_txn_put(txn, NULL, text("c"), text("3"), NULL, NULL));
        CHECK_OK(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
        delete_at(bed.db, "b", YORE_NOW);
        put_at(bed.db, "b", "late", AT(5), AT(6));
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, YORE_TIME_MIN), "b=1 ; a=2 ; a=3 c=3 ; b- ; b=late ; ");
        CHECK_EQ_STR(told(bed.db, after), "a=3 c=3 ; b- ; b=late ; ");
        bed_age(&bed, age);
        CHECK_EQ_STR(told(bed.db, YORE_TIME_MIN), "b=1 ; a=2 ; a=3 c=3 ; b- ; b=late ; ");
        CHECK_EQ_STR(told(bed.db, after), "a=3 c=3 ; b- ; b=late ; ");
        bed_close(&bed);
    }
}

TEST(feed_goes_on_from_any_commit)
{
    struct bed bed;
    int64_t commits[60];
    bed_open(&bed);
    for (int i = 0; i < 60; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i % 7);
        commits[i] = put(bed.db, key, "v");
        if (i == 20) {
            bed_age(&bed, 2);
        }
        if (i == 40) {
            bed_age(&bed, 1);
        }
    }
    for (int i = 0; i < 60; i++) {
        struct yore_feed *feed = NULL;
        struct yore_feed_commit commit;
        CHECK_OK(yore_feed_open(bed.db, commits[i], &feed, NULL));
        for (int j = i + 1; j < 60; j++) {
            CHECK_OK(yore_feed_next(feed, &commit, NULL));
            CHECK_EQ_INT(commit.commit, commits[j]);
        }
        CHECK_STATUS(yore_feed_next(feed, &commit, NULL), YORE_NOT_FOUND);
        yore_feed_close(feed);
    }
    bed_close(&bed);
}

TEST(feed_ends_at_what_was_visible_when_it_was_opened)
{
    struct bed bed;
    struct yore_feed *feed = NULL;
    struct yore_feed_commit commit;
    bed_open(&bed);
    int64_t first = put(bed.db, "a", "1");
    CHECK_OK(yore_feed_open(bed.db, first - 1, &feed, NULL));
    put(bed.db, "b", "2");
    CHECK_OK(yore_feed_next(feed, &commit, NULL));
    CHECK_EQ_INT(commit.commit, first);
    CHECK_STATUS(yore_feed_next(feed, &commit, NULL), YORE_NOT_FOUND);
    yore_feed_close(feed);
    bed_close(&bed);
}

TEST(erased_values_are_not_told)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put(bed.db, "a", "secret");
        put(bed.db, "b", "plain");
        bed_age(&bed, age);
        erase_key(bed.db, "a", YORE_TIME_MIN, YORE_FOREVER);
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, YORE_TIME_MIN), "a! ; b=plain ; ");
        bed_age(&bed, age);
        CHECK_EQ_STR(told(bed.db, YORE_TIME_MIN), "a! ; b=plain ; ");
        bed_close(&bed);
    }
}

TEST(values_apart_are_fetched)
{
    for (int age = 0; age < BED_AGES; age++) {
        char large[1001];
        struct bed bed;
        struct yore_feed *feed = NULL;
        struct yore_feed_commit commit;
        bed_open(&bed);
        memset(large, 'x', 1000);
        large[1000] = '\0';
        int64_t at = put(bed.db, "a", large);
        bed_age(&bed, age);
        CHECK_OK(yore_feed_open(bed.db, at - 1, &feed, NULL));
        CHECK_OK(yore_feed_next(feed, &commit, NULL));
        CHECK_EQ_UINT(commit.write_count, 1);
        CHECK_EQ_BYTES(commit.writes[0].value.data, commit.writes[0].value.size, large, 1000);
        yore_feed_close(feed);
        bed_close(&bed);
    }
}

static int find_values(void *arg, const char *name)
{
    char *path = arg;
    if (strncmp(name, "values-", 7) == 0) {
        (void)snprintf(path, PATH_ROOM, "db/%s", name);
    }
    return 0;
}

TEST(a_damaged_value_apart_is_told_as_damage_by_the_name_of_its_file)
{
    for (int age = 0; age < 3; age++) { /* read from the journal, and from tables */
        char large[1001];
        char path[PATH_ROOM] = "";
        struct bed bed;
        struct yore_feed *feed = NULL;
        struct yore_feed_commit commit;
        struct yore_error error = {.text = ""};
        bed_open(&bed);
        memset(large, 'x', 1000);
        large[1000] = '\0';
        int64_t at = put(bed.db, "a", large);
        bed_age(&bed, age);
        CHECK_OK(os_dir_list(sim_disk_env(bed.disk), "db", find_values, path, NULL));
        CHECK_MSG(sim_disk_flip_bit(bed.disk, path, 500, 3), "%s", path);
        CHECK_OK(yore_feed_open(bed.db, at - 1, &feed, NULL));
        CHECK_STATUS(yore_feed_next(feed, &commit, &error), YORE_CORRUPT);
        CHECK_MSG(strstr(error.text, path) != NULL, "it says: %s", error.text);
        yore_feed_close(feed);
        CHECK(sim_disk_flip_bit(bed.disk, path, 500, 3));
        bed_close(&bed);
    }
}

/* Of two writes to one key and moment in a batch the later wins; the journal has both. */
TEST(a_write_replaced_in_its_own_commit_is_not_told)
{
    for (int age = 0; age < BED_AGES; age++) {
        char large[1001];
        struct bed bed;
        struct yore_batch *batch = NULL;
        bed_open(&bed);
        memset(large, 'x', 1000);
        large[1000] = '\0';
        CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, text("a"), text(large), NULL, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, text("a"), text("small"), NULL, NULL));
        CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_SYNC, NULL, NULL));
        yore_batch_free(batch);
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(get(bed.db, "a"), "small");
        CHECK_EQ_STR(told(bed.db, YORE_TIME_MIN), "a=small ; ");
        bed_close(&bed);
    }
}

TEST(of_a_commits_writes_to_one_key_and_moment_the_last_is_told)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_batch *batch = NULL;
        const struct yore_write early = {.from = AT(1), .to = YORE_FOREVER};
        const struct yore_write late = {.from = AT(2), .to = YORE_FOREVER};
        bed_open(&bed);
        CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, text("a"), text("1"), &early, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, text("a"), text("2"), &late, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, text("b"), text("3"), &early, NULL));
        CHECK_OK(yore_batch_put(batch, NULL, text("a"), text("4"), &early, NULL));
        CHECK_OK(yore_batch_delete(batch, NULL, text("b"), &early, NULL));
        CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_SYNC, NULL, NULL));
        yore_batch_free(batch);
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, YORE_TIME_MIN), "a=2 a=4 b- ; ");
        bed_close(&bed);
    }
}

TEST(feed_before_the_horizon_is_refused_when_the_journal_is_gone)
{
    struct bed bed;
    struct yore_feed *feed = NULL;
    bed_open(&bed);
    int64_t first = put(bed.db, "a", "1");
    put(bed.db, "a", "2");
    int64_t horizon = yore_now(bed.db);
    put(bed.db, "a", "3");
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK_STATUS(yore_feed_open(bed.db, first - 1, &feed, NULL), YORE_BEFORE_HORIZON);
    CHECK_EQ_STR(told(bed.db, horizon), "a=3 ; ");
    bed_close(&bed);
}

/* The versions that `feed` tells: "a=x b- ". */
static const char *told_kept(struct yore_feed *feed)
{
    static char outs[2][TEXT_BYTES];
    static unsigned next;
    char *out = outs[next++ % 2];
    struct yore_feed_commit commit;
    struct yore_error error = {.text = ""};
    size_t size = 0;
    enum yore_status st;
    out[0] = '\0';
    while ((st = yore_feed_next(feed, &commit, &error)) == YORE_OK) {
        const struct yore_feed_write *write = commit.writes;
        CHECK_EQ_UINT(commit.write_count, 1);
        CHECK(!commit.has_more);
        size += (size_t)snprintf(out + size, TEXT_BYTES - size, "%.*s%c%.*s ", (int)write->key.size,
                                 (const char *)write->key.data, "?=-!"[write->kind],
                                 (int)write -> value.size, (const char *)write->value.data);
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "next: %s", error.text);
    return out;
}

TEST(what_is_kept_is_told_where_commits_do_not_reach_back)
{
    static const struct yore_keyspace_options only_now = {.keep = YORE_KEEP_NOW};
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_keyspace *now = NULL;
        struct yore_feed *feed = NULL;
        bed_open(&bed);
        CHECK_OK(yore_keyspace_create(bed.db, "now", &only_now, &now, NULL));
        CHECK_OK(yore_put(bed.db, now, text("x"), text("1"), NULL, NULL));
        put(bed.db, "a", "1");
        bed_age(&bed, age);
        put(bed.db, "a", "2");
        put_at(bed.db, "begin", "v", YORE_TIME_MIN, YORE_FOREVER);
        put_at(bed.db, "dead", "v", AT(5), YORE_FOREVER);
        delete_at(bed.db, "dead", AT(5));
        put(bed.db, "secret", "v");
        erase_key(bed.db, "secret", YORE_TIME_MIN, YORE_FOREVER);
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_OK(yore_feed_open_kept(bed.db, NULL, NULL, &feed, NULL));
        put(bed.db, "a", "3"); /* later than the feed */
        erase_key(bed.db, "dead", YORE_TIME_MIN, YORE_FOREVER);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        CHECK_EQ_STR(told_kept(feed), "a=2 a=1 begin=v dead- dead! secret! ");
        yore_feed_rewind(feed);
        CHECK_EQ_STR(told_kept(feed), "a=2 a=1 begin=v dead- dead! secret! ");
        yore_feed_close(feed);
        const struct yore_range range = {.prefix = text("b")};
        CHECK_OK(yore_feed_open_kept(bed.db, NULL, &range, &feed, NULL));
        CHECK_EQ_STR(told_kept(feed), "begin=v ");
        yore_feed_close(feed);
        CHECK_OK(yore_keyspace_open(bed.db, "now", NULL, &now, NULL));
        CHECK_STATUS(yore_feed_open_kept(bed.db, now, NULL, &feed, NULL), YORE_UNSUPPORTED);
        CHECK_OK(yore_keyspace_create(bed.db, "gone", NULL, &now, NULL));
        CHECK_OK(yore_keyspace_drop(bed.db, "gone", NULL));
        CHECK_STATUS(yore_feed_open_kept(bed.db, now, NULL, &feed, NULL), YORE_NOT_FOUND);
        bed_close(&bed);
    }
}

TEST(a_feed_begins_behind_a_commit_that_was)
{
    struct bed bed;
    struct yore_feed *feed = NULL;
    struct yore_error error;
    bed_open(&bed);
    int64_t last = put(bed.db, "a", "1");
    CHECK_STATUS(yore_feed_open(bed.db, INT64_MIN, &feed, NULL), YORE_INVALID);
    CHECK_STATUS(yore_feed_open(bed.db, YORE_NOW, &feed, NULL), YORE_IN_FUTURE);
    CHECK_STATUS(yore_feed_open(bed.db, yore_now(bed.db) + BED_SECOND, &feed, &error),
                 YORE_IN_FUTURE);
    CHECK_MSG(strstr(error.text, "but now is 20") != NULL, "%s", error.text);
    CHECK(feed == NULL);
    CHECK_EQ_STR(told(bed.db, yore_now(bed.db)), "");
    CHECK_EQ_STR(told(bed.db, last), "");
    CHECK_EQ_STR(told(bed.db, YORE_TIME_MIN), "a=1 ; ");
    bed_close(&bed);
}

TEST_MAIN(a_feed_begins_behind_a_commit_that_was,
          what_is_kept_is_told_where_commits_do_not_reach_back,
          feed_tells_every_commit_whole_and_in_order, feed_goes_on_from_any_commit,
          feed_ends_at_what_was_visible_when_it_was_opened, erased_values_are_not_told,
          values_apart_are_fetched, a_damaged_value_apart_is_told_as_damage_by_the_name_of_its_file,
          a_write_replaced_in_its_own_commit_is_not_told,
          of_a_commits_writes_to_one_key_and_moment_the_last_is_told,
          feed_before_the_horizon_is_refused_when_the_journal_is_gone)
