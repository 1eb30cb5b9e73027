/* usage_test.c -- what a keyspace takes, against a count by hand: files by their size on the disk,
 * versions by walking every page. */
#include <stdio.h>
#include <string.h>

#include "engine/db_internal.h"
#include "engine/retention.h"
#include "support/store.h"
#include "unit/engine/bed.h"

struct counted {
    struct os_env *env;
    uint64_t bytes;
    uint64_t versions;
    uint64_t copies;
};

static void count_file(void *arg, struct forest_file *file)
{
    struct counted *counted = arg;
    char path[PATH_BYTES];
    uint64_t size;
    bool is_dir;
    struct version_iter *it = NULL;
    struct iter_view view = {.valid = INT64_MAX, .known = INT64_MAX, .commit_after = INT64_MIN};
    CHECK(db_file_path(path, "db", DB_FILE_TABLE, file->meta->file, 0));
    CHECK_OK(os_path_stat(counted->env, path, &size, &is_dir, NULL));
    counted->bytes += size;
    CHECK_OK(table_iter_new(file->table, &view, &it));
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
        bool is_copy = (it->at.flags & VERSION_CARRIED) != 0;
        counted->copies += is_copy;
        counted->versions += !is_copy;
    }
    CHECK_OK(it->status);
    version_iter_free(it);
}

/* The tables of the present, and all of them. */
static void count_by_hand(struct bed *bed, struct yore_keyspace *space, struct counted *present,
                          struct counted *all)
{
    struct superview *view = superview_acquire(bed->db);
    const struct forest_tree *tree = forest_tree(view->forest, yore_keyspace_id(space));
    *present = (struct counted){.env = sim_disk_env(bed->disk)};
    *all = *present;
    if (tree != NULL) {
        tree_each_file(tree, count_file, all);
        for (size_t i = 0; i < LEVELS_MAX; i++) {
            for (size_t j = 0; j < tree->levels[i].file_count; j++) {
                count_file(present, tree->levels[i].files[j]);
            }
        }
    }
    superview_release(view);
}

static struct yore_keyspace_usage check_usage(struct bed *bed, struct yore_keyspace *space)
{
    struct yore_keyspace_usage usage;
    struct counted present;
    struct counted all;
    CHECK_OK(yore_keyspace_usage(bed->db, space, &usage, NULL));
    count_by_hand(bed, space, &present, &all);
    CHECK_EQ_UINT(usage.present_bytes, present.bytes);
    CHECK_EQ_UINT(usage.present_versions, present.versions);
    CHECK_EQ_UINT(usage.past_bytes, all.bytes - present.bytes);
    CHECK_EQ_UINT(usage.past_versions, all.versions - present.versions);
    CHECK_EQ_UINT(usage.past_copies, all.copies);
    return usage;
}

static void put_in(struct bed *bed, struct yore_keyspace *space, const char *key, int number)
{
    struct test_rand rand = {(uint64_t)number};
    unsigned char noise[200]; /* enough octets for slices */
    test_rand_fill(&rand, noise, sizeof noise);
    CHECK_OK(
        yore_put(bed->db, space, text(key), (struct yore_bytes){noise, sizeof noise}, NULL, NULL));
}

#define KEYS 8

static void fill(struct bed *bed, struct yore_keyspace *space, int rounds)
{
    for (int i = 0; i < rounds * KEYS; i++) {
        char key[8];
        snprintf(key, sizeof key, "key%d", i % KEYS);
        put_in(bed, space, key, i);
        sim_disk_advance(bed->disk, BED_SECOND);
    }
}

TEST(a_keyspace_without_anything_takes_nothing)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_keyspace_usage usage = check_usage(&bed, NULL);
    CHECK_EQ_INT(usage.oldest, YORE_TIME_MIN);
    CHECK_EQ_UINT(usage.memory_versions + usage.present_versions + usage.past_versions, 0);
    CHECK_EQ_UINT(usage.freeable_bytes, 0);
    bed_close(&bed);
}

TEST(what_is_written_is_in_memory_first_then_in_tables)
{
    struct bed bed;
    struct yore_options options;
    bed_open(&bed);
    CHECK_OK(yore_close(bed.db, NULL));
    yore_options_init(&options); /* a memtable that is not full at once */
    CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
    (void)put(bed.db, "a", "12345");
    (void)put(bed.db, "a", "1234567");
    (void)put(bed.db, "bb", "");
    struct yore_keyspace_usage usage = check_usage(&bed, NULL);
    CHECK_EQ_UINT(usage.memory_versions, 3);
    CHECK_EQ_UINT(usage.memory_bytes, 1 + 5 + 1 + 7 + 2);
    CHECK_EQ_UINT(usage.present_bytes, 0);
    CHECK_OK(yore_flush(bed.db, NULL));
    usage = check_usage(&bed, NULL);
    CHECK_EQ_UINT(usage.memory_versions, 0);
    CHECK_EQ_UINT(usage.memory_bytes, 0);
    CHECK_EQ_UINT(usage.present_versions, 2); /* the newest of each key */
    CHECK_EQ_UINT(usage.past_versions, 1);    /* and the one that was superseded */
    CHECK_EQ_UINT(usage.past_copies, 0);
    bed_close(&bed);
}

TEST(slices_and_their_copies_are_the_past)
{
    struct bed bed;
    bed_open(&bed);
    for (int round = 0; round < 6; round++) {
        fill(&bed, NULL, 12);
        CHECK_OK(round % 2 == 0 ? yore_flush(bed.db, NULL) : yore_compact(bed.db, NULL, NULL));
        (void)check_usage(&bed, NULL);
    }
    struct yore_keyspace_usage usage = check_usage(&bed, NULL);
    CHECK_EQ_UINT(usage.present_versions, KEYS);
    CHECK(usage.past_versions >= 6 * 12 * KEYS - KEYS);
    CHECK(usage.past_copies > 0);
    CHECK_EQ_UINT(usage.freeable_bytes, 0); /* it keeps everything */
    bed_reopen(&bed);
    (void)check_usage(&bed, NULL);
    bed_close(&bed);
}

/* What was foretold is what goes, to the byte. */
TEST(what_retention_will_free_is_what_it_frees)
{
    struct bed bed;
    struct yore_keyspace *space = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_FOR, .keep_ns = 200 * BED_SECOND};
    bool has_dropped = false;
    uint64_t freed = 0;
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "some-time", &options, &space, NULL));
    for (int round = 0; round < 8; round++) {
        fill(&bed, space, 12);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
        sim_disk_advance(bed.disk, 60 * BED_SECOND);
        struct yore_keyspace_usage before = check_usage(&bed, space);
        CHECK_OK(retention_advance(bed.db, NULL));
        CHECK_OK(retention_drop(bed.db, space, &has_dropped, NULL));
        struct yore_keyspace_usage after = check_usage(&bed, space);
        CHECK_EQ_UINT(before.past_bytes - after.past_bytes, before.freeable_bytes);
        CHECK_EQ_UINT(before.past_versions + before.past_copies - after.past_versions -
                          after.past_copies,
                      before.freeable_versions);
        CHECK(has_dropped == (before.freeable_bytes > 0));
        CHECK(after.oldest >= before.oldest);
        freed += before.freeable_bytes;
    }
    CHECK(freed > 0);
    struct yore_keyspace_info info;
    CHECK_OK(yore_keyspace_info(bed.db, space, &info, NULL));
    CHECK_EQ_INT(check_usage(&bed, space).oldest, info.horizon);
    bed_close(&bed);
}

/* A held snapshot keeps what retention would free. */
TEST(nothing_that_a_snapshot_holds_is_freeable)
{
    struct bed bed;
    struct yore_keyspace *space = NULL;
    struct yore_snapshot *snapshot = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_FOR, .keep_ns = BED_SECOND};
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "some-time", &options, &space, NULL));
    fill(&bed, space, 2);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    for (int round = 0; round < 4; round++) {
        fill(&bed, space, 12);
        CHECK_OK(yore_compact(bed.db, NULL, NULL));
    }
    CHECK_EQ_UINT(check_usage(&bed, space).freeable_bytes, 0);
    yore_snapshot_release(snapshot);
    CHECK(check_usage(&bed, space).freeable_bytes > 0);
    bed_close(&bed);
}

TEST(where_only_now_is_kept_the_oldest_moment_is_now)
{
    struct bed bed;
    struct yore_keyspace *space = NULL;
    struct yore_snapshot *snapshot = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_NOW};
    bed_open(&bed);
    CHECK_OK(yore_keyspace_create(bed.db, "present", &options, &space, NULL));
    fill(&bed, space, 2);
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    fill(&bed, space, 1);
    CHECK_OK(yore_flush(bed.db, NULL));
    struct yore_keyspace_usage held = check_usage(&bed, space);
    CHECK_EQ_UINT(held.past_versions, KEYS); /* for the snapshot */
    CHECK_EQ_UINT(held.freeable_bytes, 0);
    yore_snapshot_release(snapshot);
    struct yore_keyspace_usage usage = check_usage(&bed, space);
    CHECK_EQ_UINT(usage.freeable_bytes, held.past_bytes);
    CHECK(usage.oldest > BED_T0 && usage.oldest <= yore_now(bed.db));
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    usage = check_usage(&bed, space);
    CHECK_EQ_UINT(usage.past_bytes, 0);
    CHECK_EQ_UINT(usage.present_versions, KEYS);
    bed_close(&bed);
}

TEST_MAIN(a_keyspace_without_anything_takes_nothing,
          what_is_written_is_in_memory_first_then_in_tables, slices_and_their_copies_are_the_past,
          what_retention_will_free_is_what_it_frees, nothing_that_a_snapshot_holds_is_freeable,
          where_only_now_is_kept_the_oldest_moment_is_now)
