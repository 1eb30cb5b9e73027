/* shared_test.c -- tables of history that several regions share: what one of them has let go of is
 * gone, though another one names the table still. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "engine/clip_iter.h"
#include "engine/db_internal.h"
#include "engine/manifest.h"
#include "support/store.h"
#include "unit/engine/bed.h"

#define KEYS 900u /* enough of them that the region is split once, in the midst */
#define LARGE 1000u

static struct yore_keyspace *other; /* its compaction works on no region of the default one */

static void put_noise(struct bed *bed, const char *key, size_t size)
{
    struct test_rand rand = {(uint64_t)yore_now(bed->db)};
    unsigned char noise[LARGE];
    test_rand_fill(&rand, noise, size);
    CHECK_OK(yore_put(bed->db, NULL, text(key), bytes_of(noise, size), NULL, NULL));
}

/* Keys [low, high), some of them more than once before the next flush. */
static void put_keys(struct bed *bed, unsigned low, unsigned high, unsigned times)
{
    char key[16];
    for (unsigned i = low; i < high; i++) {
        (void)snprintf(key, sizeof key, "key%04u", i);
        for (unsigned j = 0; j < times; j++) {
            put_noise(bed, key, 200);
        }
    }
}

/* Two regions of the default keyspace, which keeps 1,000 seconds. */
static void open_regions(struct bed *bed)
{
    const struct yore_keyspace_options keep = {.keep = YORE_KEEP_FOR, .keep_ns = 1000 * BED_SECOND};
    bed_open(bed);
    CHECK_OK(yore_keyspace_create(bed->db, "other", NULL, &other, NULL));
    CHECK_OK(yore_keyspace_alter(bed->db, NULL, &keep, NULL));
    put_keys(bed, 0, KEYS, 1);
    CHECK_OK(yore_compact(bed->db, NULL, NULL));
    CHECK_OK(yore_compact(bed->db, other, NULL));
    put_keys(bed, 0, 1, 2); /* a run: with nothing that waits a region is not looked at */
    CHECK_OK(yore_flush(bed->db, NULL));
    CHECK_EQ_UINT(store_stat(bed->db, "history_regions"), 2 + 1 /* of the catalogue */);
}

/* Seal the first region alone, when level 0 has been merged down: two versions a key and more wait
 * there. */
static void seal_first(struct bed *bed)
{
    uint64_t seals = store_stat(bed->db, "seals");
    uint64_t least = bed->db->options.seal_bytes_min;
    bed->db->options.seal_bytes_min = 1ull << 40; /* not yet */
    for (int i = 0; i < 4; i++) {
        put_keys(bed, 0, KEYS / 3, 3);
    }
    bed->db->options.seal_bytes_min = least;
    for (int i = 0; i < 8 && store_stat(bed->db, "seals") == seals; i++) {
        put_keys(bed, 0, KEYS / 3, 3);
        CHECK_OK(yore_flush(bed->db, NULL));
    }
    CHECK(store_stat(bed->db, "seals") > seals);
}

/* One flush: versions of both regions that are over when the clock has gone on. */
static void share_run(struct bed *bed)
{
    put_noise(bed, "key0001", LARGE);
    put_noise(bed, "key0001", LARGE);
    put_noise(bed, "key0899", LARGE);
    put_noise(bed, "key0899", LARGE);
    CHECK_OK(yore_flush(bed->db, NULL));
    sim_disk_advance(bed->disk, 5000 * BED_SECOND);
    CHECK_OK(yore_compact(bed->db, other, NULL)); /* horizons move */
}

static void note_line(void *arg, const char *line)
{
    (void)snprintf(arg, 512, "%s", line);
}

static struct yore_verify_report verify(struct bed *bed)
{
    struct yore_verify_report report;
    char line[512] = "";
    enum yore_status st = yore_verify(bed->db, note_line, line, &report, NULL);
    CHECK_MSG(st == YORE_OK, "%s", line);
    return report;
}

/* Its large value leaves with it, and nothing refers to that from the other region's side. */
TEST(what_one_region_has_trimmed_is_not_looked_for_in_a_table_that_another_shares)
{
    struct bed bed;
    open_regions(&bed);
    share_run(&bed);
    uint64_t values = verify(&bed).values_apart;
    uint64_t trimmed = store_stat(bed.db, "versions_trimmed");
    seal_first(&bed);
    CHECK(store_stat(bed.db, "versions_trimmed") > trimmed);
    CHECK_OK(yore_compact(bed.db, other, NULL)); /* large values that nothing refers to leave */
    CHECK(verify(&bed).values_apart < values);
    bed_reopen(&bed);
    (void)verify(&bed);
    bed_close(&bed);
}

static void count_table(void *arg, const char *file, uint64_t size)
{
    uint64_t *count = arg;
    enum db_file_kind kind;
    uint64_t number;
    uint64_t generation;
    const char *name = strrchr(file, '/');
    (void)size;
    *count += db_file_parse(name != NULL ? name + 1 : file, &kind, &number, &generation) &&
              kind == DB_FILE_TABLE;
}

TEST(a_shared_table_counts_once)
{
    struct bed bed;
    uint64_t tables = 0;
    open_regions(&bed);
    share_run(&bed);
    store_files(bed.disk, "db", count_table, &tables);
    CHECK_EQ_UINT(store_stat(bed.db, "tables"), tables);
    bed_close(&bed);
}

/* ---- parts of a table ---- */

struct walked {
    struct yore_bytes keys[4 * KEYS];
    int64_t commits[4 * KEYS];
    size_t count;
};

static struct version_iter *walk_table(const struct forest_file *file)
{
    const struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .commit_after = INT64_MIN};
    struct version_iter *it;
    CHECK_OK(table_iter_new(file->table, &all, &it));
    return it;
}

/* From where it stands; the table's keys are looked up in `all`, which keeps them. */
static void check_walk(struct version_iter *it, bool is_forward, const struct walked *all,
                       size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = is_forward ? first + i : first - i;
        CHECK(it->is_valid);
        CHECK(bytes_equal(it->at.key, all->keys[at]));
        CHECK_EQ_INT(it->at.commit, all->commits[at]);
        if (is_forward) {
            version_iter_next(it);
        } else {
            version_iter_prev(it);
        }
    }
    CHECK(!it->is_valid && it->status == YORE_OK);
}

/* Versions [low, high) of `all`, of whole keys, by every way to them. */
static void check_part(struct forest_file *file, const struct walked *all, size_t low, size_t high,
                       size_t at)
{
    struct version_iter *it;
    struct yore_bytes low_key = low > 0 ? all->keys[low] : bytes_of(NULL, 0);
    struct yore_bytes high_key = high < all->count ? all->keys[high] : bytes_of(NULL, 0);
    struct version_place first = {all->keys[at], INT64_MAX, INT64_MAX};
    struct version_place last = {all->keys[at], INT64_MIN, INT64_MIN};
    size_t begin = at;
    size_t end = at;
    while (begin > 0 && bytes_equal(all->keys[begin - 1], all->keys[at])) {
        begin--;
    }
    while (end < all->count && bytes_equal(all->keys[end], all->keys[at])) {
        end++;
    }
    begin = begin < low ? low : begin;
    end = end > high ? high : end;
    CHECK_OK(clip_iter_new(walk_table(file), low_key, high_key, &it));
    version_iter_first(it);
    check_walk(it, true, all, low, high - low);
    version_iter_last(it);
    check_walk(it, false, all, high - 1, high - low);
    version_iter_seek(it, &first);
    check_walk(it, true, all, begin, begin < high ? high - begin : 0);
    version_iter_seek_back(it, &last);
    check_walk(it, false, all, end - 1, end > low ? end - low : 0);
    version_iter_free(it);
}

TEST(a_part_of_a_table_is_walked_like_a_table_of_its_own)
{
    static struct walked all;
    struct bed bed;
    struct test_rand rand = {1};
    bed_open(&bed);
    put_keys(&bed, 0, 40, 3);
    put_keys(&bed, 40, 120, 1);
    CHECK_OK(yore_flush(bed.db, NULL));
    struct superview *view = superview_acquire(bed.db);
    const struct forest_tree *tree =
        forest_tree(view->forest, keyspace_or_default(bed.db, NULL)->id);
    struct forest_file *files[] = {tree->levels[0].files[0], tree->regions[0].runs[0]};
    for (size_t i = 0; i < 2; i++) {
        struct version_iter *it = walk_table(files[i]);
        all.count = 0;
        for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
            void *copy = mem_copy(it->at.key.data, it->at.key.size);
            all.keys[all.count] = bytes_of(copy, it->at.key.size);
            all.commits[all.count++] = it->at.commit;
        }
        version_iter_free(it);
        for (size_t j = 0; j < 300; j++) {
            size_t low = test_rand_below(&rand, all.count);
            size_t high = low + 1 + test_rand_below(&rand, all.count - low);
            while (low > 0 && bytes_equal(all.keys[low - 1], all.keys[low])) {
                low--;
            }
            while (high < all.count && bytes_equal(all.keys[high - 1], all.keys[high])) {
                high++;
            }
            check_part(files[i], &all, low, high, test_rand_below(&rand, all.count));
        }
        for (size_t j = 0; j < all.count; j++) {
            mem_free((void *)(uintptr_t)all.keys[j].data);
        }
    }
    superview_release(view);
    bed_close(&bed);
}

TEST_MAIN(what_one_region_has_trimmed_is_not_looked_for_in_a_table_that_another_shares,
          a_shared_table_counts_once, a_part_of_a_table_is_walked_like_a_table_of_its_own)
