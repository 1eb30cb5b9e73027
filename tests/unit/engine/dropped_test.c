/* dropped_test.c -- what a dropped keyspace keeps, and when it gives its space back. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "support/store.h"
#include "unit/engine/bed.h"

static struct yore_keyspace *filled(struct bed *bed, enum yore_keep keep, int64_t keep_ns)
{
    struct yore_keyspace *space;
    struct yore_keyspace_options options = {.keep = keep, .keep_ns = keep_ns};
    CHECK_OK(yore_keyspace_create(bed->db, "space", &options, &space, NULL));
    for (int i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key%d", i % 20);
        CHECK_OK(yore_put(bed->db, space, text(key), text("some value"), NULL, NULL));
    }
    return space;
}

/* Of all tables. */
static uint64_t taken(struct bed *bed, struct yore_keyspace *space)
{
    struct yore_keyspace_usage usage;
    CHECK_OK(yore_keyspace_usage(bed->db, space, &usage, NULL));
    return usage.present_bytes + usage.past_bytes;
}

static enum yore_status read_at(struct bed *bed, struct yore_keyspace *space, int64_t moment)
{
    struct yore_time at = {moment, YORE_NOW};
    struct yore_value value = {0};
    enum yore_status st = yore_get(bed->db, space, text("key1"), &at, &value, NULL);
    yore_value_release(&value);
    return st;
}

TEST(a_dropped_keyspace_that_kept_only_now_gives_everything_back)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        struct yore_keyspace *space;
        bed_open(&bed);
        (void)filled(&bed, YORE_KEEP_NOW, 0);
        bed_age(&bed, age);
        CHECK_OK(yore_keyspace_open(bed.db, "space", NULL, &space, NULL));
        int64_t before = yore_now(bed.db);
        CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        test_note("age %d", age);
        CHECK_EQ_UINT(taken(&bed, space), 0);
        CHECK_STATUS(read_at(&bed, space, before), YORE_BEFORE_HORIZON);
        bed_reopen(&bed);
        struct yore_time at = {before, YORE_NOW};
        CHECK_OK(yore_keyspace_open(bed.db, "space", &at, &space, NULL));
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        CHECK_EQ_UINT(taken(&bed, space), 0);
        bed_close(&bed);
    }
}

TEST(a_dropped_keyspace_is_read_for_as_long_as_it_keeps_and_then_gives_everything_back)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_keyspace *space = filled(&bed, YORE_KEEP_FOR, 100 * BED_SECOND);
    int64_t before = yore_now(bed.db);
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    sim_disk_advance(bed.disk, 90 * BED_SECOND);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(read_at(&bed, space, before));
    CHECK(taken(&bed, space) > 0);
    sim_disk_advance(bed.disk, 20 * BED_SECOND);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_STATUS(read_at(&bed, space, before), YORE_BEFORE_HORIZON);
    CHECK_EQ_UINT(taken(&bed, space), 0);
    bed_close(&bed);
}

TEST(a_dropped_keyspace_that_keeps_all_stays_readable_until_it_is_trimmed)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_keyspace *space = filled(&bed, YORE_KEEP_ALL, 0);
    int64_t before = yore_now(bed.db);
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    sim_disk_advance(bed.disk, 100 * BED_SECOND);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(read_at(&bed, space, before));
    CHECK_OK(yore_trim(bed.db, space, yore_now(bed.db), NULL));
    CHECK_EQ_UINT(taken(&bed, space), 0);
    bed_close(&bed);
}

TEST(a_snapshot_reads_what_was_dropped_after_it)
{
    struct bed bed;
    struct yore_snapshot *snapshot;
    struct yore_value value = {0};
    bed_open(&bed);
    struct yore_keyspace *space = filled(&bed, YORE_KEEP_NOW, 0);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    struct yore_time at = yore_snapshot_time(snapshot);
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_get(bed.db, space, text("key1"), &at, &value, NULL));
    yore_value_release(&value);
    yore_snapshot_release(snapshot);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_EQ_UINT(taken(&bed, space), 0);
    bed_close(&bed);
}

TEST(all_that_a_dropped_keyspace_has_is_freeable_once_it_is_over)
{
    struct bed bed;
    struct yore_keyspace_usage usage;
    struct yore_snapshot *snapshot;
    bed_open(&bed);
    struct yore_keyspace *space = filled(&bed, YORE_KEEP_NOW, 0);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_OK(yore_keyspace_usage(bed.db, space, &usage, NULL));
    CHECK_EQ_UINT(usage.freeable_bytes, 0);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    yore_snapshot_release(snapshot); /* inline: nothing is done before the next call */
    CHECK_OK(yore_keyspace_usage(bed.db, space, &usage, NULL));
    CHECK(usage.freeable_bytes > 0);
    CHECK_EQ_UINT(usage.freeable_bytes, usage.present_bytes + usage.past_bytes);
    bed_close(&bed);
}

/* Of the heap; 0: it does not tell. */
static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void create_and_drop(struct bed *bed, int number)
{
    struct yore_keyspace *space;
    const struct yore_keyspace_options only_now = {.keep = YORE_KEEP_NOW};
    char name[16];
    (void)snprintf(name, sizeof name, "space%d", number);
    CHECK_OK(yore_keyspace_create(bed->db, name, &only_now, &space, NULL));
    CHECK_OK(yore_put(bed->db, space, text("key"), text("some value"), NULL, NULL));
    CHECK_OK(yore_keyspace_drop(bed->db, name, NULL));
    if (number % 500 == 0) {
        CHECK_OK(yore_compact(bed->db, NULL, NULL));
    }
}

/* A handle stays valid, and tells what it was of; nothing else is left but what the catalogue
 * writes, which takes memory here, where the disk is in memory too. */
TEST(ten_thousand_dropped_keyspaces_keep_a_handle_each_in_memory)
{
    enum { FIRST = 500, COUNT = 10000, EACH_BYTES_MAX = 350 };
    struct bed bed;
    bed_open(&bed);
    for (int i = 1; i <= FIRST; i++) {
        create_and_drop(&bed, i);
    }
    size_t before = memory_in_use();
    if (before == 0) {
        bed_close(&bed);
        SKIP("the heap does not tell what it holds");
    }
    for (int i = FIRST + 1; i <= FIRST + COUNT; i++) {
        create_and_drop(&bed, i);
    }
    size_t grown = memory_in_use() - before;
    CHECK_MSG(grown <= COUNT * EACH_BYTES_MAX, "%zu octets for %d keyspaces", grown, COUNT);
    test_note("%zu octets a keyspace", grown / COUNT);
    CHECK_EQ_UINT(store_stat(bed.db, "keyspaces"), 2);
    bed_close(&bed);
}

/* What is gone can be told from what never was. */
TEST(a_feed_from_before_the_drop_of_what_is_gone_is_refused)
{
    struct bed bed;
    struct yore_feed *feed = NULL;
    struct yore_error error = {.text = ""};
    bed_open(&bed);
    (void)filled(&bed, YORE_KEEP_NOW, 0);
    int64_t before = yore_now(bed.db);
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    bed_reopen(&bed);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK_STATUS(yore_feed_open(bed.db, before - 1, &feed, &error), YORE_BEFORE_HORIZON);
    CHECK_MSG(strstr(error.text, "space held left with its drop") != NULL, "%s", error.text);
    bed_close(&bed);
}

TEST(a_restore_out_of_reach_names_the_keyspace_that_keeps_too_little)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    struct yore_restore restore = {.backup_path = "backup", .target_path = "restored"};
    char reason[64];
    bed_open(&bed);
    restore.to_commit = put(bed.db, "state", "before");
    struct yore_keyspace *space = filled(&bed, YORE_KEEP_NOW, 0);
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, NULL, NULL));
    CHECK_STATUS(db_restore(sim_disk_env(bed.disk), &restore, &error), YORE_BEFORE_HORIZON);
    (void)snprintf(reason, sizeof reason, "keyspace %u keeps only now", yore_keyspace_id(space));
    CHECK_MSG(strstr(error.text, reason) != NULL, "%s", error.text);
    bed_close(&bed);
}

TEST(changes_may_end_after_the_drop_and_a_read_may_ask_what_was_known_before)
{
    struct bed bed;
    struct yore_changes *changes = NULL;
    struct yore_change change;
    struct yore_value value = {0};
    bed_open(&bed);
    struct yore_keyspace *space = filled(&bed, YORE_KEEP_ALL, 0);
    int64_t before = yore_now(bed.db);
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    const struct yore_changes_options options = {.from = AT(0), .to = YORE_NOW, .known = YORE_NOW};
    CHECK_OK(yore_changes_open(bed.db, space, &options, &changes, NULL));
    for (int i = 0; i < 20; i++) {
        CHECK_OK(yore_changes_next(changes, &change, NULL));
        CHECK_EQ_INT(change.kind, YORE_CHANGE_ADDED);
    }
    CHECK_STATUS(yore_changes_next(changes, &change, NULL), YORE_NOT_FOUND);
    yore_changes_close(changes);
    struct yore_time at = {yore_now(bed.db), before};
    CHECK_OK(yore_get(bed.db, space, text("key1"), &at, &value, NULL));
    yore_value_release(&value);
    at.known = YORE_NOW;
    CHECK_STATUS(yore_get(bed.db, space, text("key1"), &at, &value, NULL), YORE_NOT_FOUND);
    bed_close(&bed);
}

/* The drop is as far as rewinding goes, and the error says so. */
TEST(a_restore_from_before_the_drop_of_what_kept_only_now_is_refused_and_names_it)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    struct yore_restore restore = {.backup_path = "backup", .target_path = "restored"};
    char reason[64];
    bed_open(&bed);
    struct yore_keyspace *space = filled(&bed, YORE_KEEP_NOW, 0);
    restore.to_commit = put(bed.db, "state", "before");
    CHECK_OK(yore_keyspace_drop(bed.db, "space", NULL));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    int64_t after = put(bed.db, "state", "after");
    (void)put(bed.db, "state", "later");
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, NULL, NULL));
    CHECK_STATUS(db_restore(sim_disk_env(bed.disk), &restore, &error), YORE_BEFORE_HORIZON);
    (void)snprintf(reason, sizeof reason, "keyspace %u kept only now and was dropped then",
                   yore_keyspace_id(space));
    CHECK_MSG(strstr(error.text, reason) != NULL, "%s", error.text);
    restore.to_commit = after;
    CHECK_OK(db_restore(sim_disk_env(bed.disk), &restore, &error));
    bed_close(&bed);
}

TEST_MAIN(changes_may_end_after_the_drop_and_a_read_may_ask_what_was_known_before,
          a_dropped_keyspace_that_kept_only_now_gives_everything_back,
          a_dropped_keyspace_is_read_for_as_long_as_it_keeps_and_then_gives_everything_back,
          a_dropped_keyspace_that_keeps_all_stays_readable_until_it_is_trimmed,
          a_snapshot_reads_what_was_dropped_after_it,
          all_that_a_dropped_keyspace_has_is_freeable_once_it_is_over,
          ten_thousand_dropped_keyspaces_keep_a_handle_each_in_memory,
          a_feed_from_before_the_drop_of_what_is_gone_is_refused,
          a_restore_out_of_reach_names_the_keyspace_that_keeps_too_little,
          a_restore_from_before_the_drop_of_what_kept_only_now_is_refused_and_names_it)
