/* history_test.c -- answers stay the same while facts wander from the current tree through runs
 * into slices.
 */
#include <stdio.h>
#include <string.h>

#include "engine/cursor.h"
#include "support/store.h"
#include "unit/engine/bed.h"

static void add(struct yore_batch *batch, const char *key, struct yore_bytes value, int64_t from)
{
    struct yore_write write = {.from = from, .to = YORE_FOREVER};
    CHECK_OK(yore_batch_put(batch, NULL, text(key), value, &write, NULL));
}

/* One commit: `key` from AT(at) and from now on, and as many versions as a run needs to be sealed,
 * or late facts to be merged in, from AT(bulk) on, of one key or of many. */
static int64_t put_with_bulk(struct yore_db *db, const char *key, int at, int bulk, bool is_one_key)
{
    struct yore_batch *batch = NULL;
    struct test_rand rand = {7};
    int64_t commit = 0;
    CHECK_OK(yore_batch_new(db, &batch, NULL));
    add(batch, key, text("other"), AT(at));
    add(batch, key, text("present"), YORE_NOW);
    for (int i = 0; i < 40; i++) {
        char name[16];
        unsigned char noise[200];
        test_rand_fill(&rand, noise, sizeof noise);
        (void)snprintf(name, sizeof name, "s%d", is_one_key ? 0 : i);
        add(batch, name, (struct yore_bytes){noise, sizeof noise}, AT(bulk + i));
        if (!is_one_key) {
            add(batch, name, text(""), YORE_NOW);
        }
    }
    add(batch, "s0", text("now"), YORE_NOW);
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, &commit, NULL));
    yore_batch_free(batch);
    return commit;
}

/* Seal what is there, up to just after AT(to), into slices too large to grow. */
static void seal_to(struct bed *bed, int to)
{
    struct test_rand rand = {(uint64_t)to};
    for (int i = 0; i < 40; i++) {
        unsigned char noise[200];
        struct yore_write write = {.from = AT(to - 40 + i), .to = YORE_FOREVER};
        test_rand_fill(&rand, noise, sizeof noise);
        CHECK_OK(yore_put(bed->db, NULL, text("s"), (struct yore_bytes){noise, sizeof noise},
                          &write, NULL));
    }
    put_at(bed->db, "s", "last", AT(to), YORE_FOREVER);
    bed_age(bed, 2);
}

/* A late fact that is its key's newest is in the current tree; what supersedes it later hides it
 * from reads that do not know that yet.  They must still find it. */
TEST(a_late_fact_of_the_current_tree_is_found_behind_a_copy_that_is_not_known_yet)
{
    struct bed bed;
    bed_open(&bed);
    seal_to(&bed, 200);
    int64_t known = put_at(bed.db, "k", "late", AT(50), YORE_FOREVER);
    bed_age(&bed, 2);
    CHECK_EQ_STR(get_at(bed.db, "k", AT(320), known), "late");
    uint64_t seals = store_stat(bed.db, "seals");
    (void)put_with_bulk(bed.db, "k", 150, 300, true);
    bed_age(&bed, 1);
    CHECK(store_stat(bed.db, "seals") > seals);
    CHECK_EQ_STR(get_at(bed.db, "k", AT(320), known), "late");
    CHECK_EQ_STR(get_at(bed.db, "k", AT(320), YORE_NOW), "other");
    bed_age(&bed, 2);
    CHECK_EQ_STR(get_at(bed.db, "k", AT(320), known), "late");
    bed_close(&bed);
}

/* The same where the late fact was carried into a slice before, and another takes its place there.
 */
TEST(a_carried_late_fact_is_found_behind_one_that_is_merged_in_later)
{
    struct bed bed;
    bed_open(&bed);
    seal_to(&bed, 200);
    int64_t known = put_at(bed.db, "k", "late", AT(50), YORE_FOREVER);
    bed_age(&bed, 2);
    seal_to(&bed, 300);
    seal_to(&bed, 400);
    CHECK_EQ_STR(get_at(bed.db, "k", AT(250), known), "late");
    uint64_t merges = store_stat(bed.db, "late_merges");
    (void)put_with_bulk(bed.db, "k", 150, 20, false);
    bed_age(&bed, 1);
    CHECK(store_stat(bed.db, "late_merges") > merges);
    CHECK_EQ_STR(get_at(bed.db, "k", AT(250), known), "late");
    CHECK_EQ_STR(get_at(bed.db, "k", AT(350), known), "late");
    CHECK_EQ_STR(get_at(bed.db, "k", AT(350), YORE_NOW), "other");
    bed_age(&bed, 2);
    CHECK_EQ_STR(get_at(bed.db, "k", AT(250), known), "late");
    bed_close(&bed);
}

/* As put_with_bulk(), with the bulk from `bulk` on; and `other` from `at` on, which nothing ends.
 */
static int64_t put_late_with_bulk(struct yore_db *db, const char *key, const char *other,
                                  int64_t at, int64_t bulk)
{
    struct yore_batch *batch = NULL;
    struct test_rand rand = {7};
    int64_t commit = 0;
    CHECK_OK(yore_batch_new(db, &batch, NULL));
    add(batch, key, text("late"), at);
    add(batch, key, text("present"), YORE_NOW);
    add(batch, other, text("other"), at);
    for (int i = 0; i < 40; i++) {
        unsigned char noise[200];
        test_rand_fill(&rand, noise, sizeof noise);
        add(batch, "s", (struct yore_bytes){noise, sizeof noise}, bulk + i);
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, &commit, NULL));
    yore_batch_free(batch);
    return commit;
}

/* It waits for its merge, and is the last commit that the slice knew; what was carried into the
 * slice is the last that the read knows. */
TEST(a_late_fact_that_was_over_by_the_last_seal_is_not_in_force_after_it)
{
    struct bed bed;
    bed_open(&bed);
    int64_t begin = put(bed.db, "k", "early");
    sim_disk_advance(bed.disk, 100 * BED_SECOND);
    (void)delete_at(bed.db, "k", YORE_NOW);
    sim_disk_advance(bed.disk, 100 * BED_SECOND);
    (void)put_late_with_bulk(bed.db, "s", "t", begin, begin + 150 * BED_SECOND); /* not to grow */
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    sim_disk_advance(bed.disk, 100 * BED_SECOND);
    uint64_t seals = store_stat(bed.db, "seals");
    uint64_t merges = store_stat(bed.db, "late_merges");
    int64_t last =
        put_late_with_bulk(bed.db, "k", "m", begin + 50 * BED_SECOND, begin + 250 * BED_SECOND);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK(store_stat(bed.db, "seals") > seals);
    CHECK_EQ_UINT(store_stat(bed.db, "late_merges"), merges);
    CHECK(store_stat(bed.db, "carried_versions") > 0);
    CHECK_EQ_STR(get_at(bed.db, "k", begin + 60 * BED_SECOND, last), "late");
    CHECK_EQ_STR(get_at(bed.db, "k", begin + 260 * BED_SECOND, last), "-");
    CHECK_EQ_STR(get_at(bed.db, "k", begin + 260 * BED_SECOND, YORE_NOW), "-");
    CHECK_EQ_STR(get_at(bed.db, "m", begin + 260 * BED_SECOND, last), "other");
    bed_close(&bed);
}

/* What no read needs any more may still be all that tells a read to look further back. */
TEST(the_version_in_force_at_the_horizon_is_kept_behind_what_nobody_needs)
{
    struct bed bed;
    struct yore_batch *batch = NULL;
    bed_open(&bed);
    put_at(bed.db, "k", "held", AT(10), YORE_FOREVER);
    seal_to(&bed, 100);
    int64_t horizon = yore_now(bed.db);
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    add(batch, "k", text("hiding"), AT(50));
    add(batch, "k", text("newer"), AT(300));
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
    seal_to(&bed, 200);
    put_at(bed.db, "s", "old", AT(400), YORE_FOREVER);
    put(bed.db, "k", "newest");
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, horizon), "held");
    bed_age(&bed, 2);
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, horizon), "held");
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, YORE_NOW), "newer");
    bed_close(&bed);
}

/* Erased in memory or in a table, resolved or not: there was nothing to read at that moment. */
TEST(a_late_fact_behind_a_delete_reads_as_absent_before_and_after_it_is_erased)
{
    struct yore_options options;
    struct bed bed = {.disk = sim_disk_new(1)};
    CHECK(bed.disk != NULL);
    sim_disk_set_wall(bed.disk, BED_T0);
    store_options_tiny(&options);
    options.memtable_bytes = 1u << 20; /* the fact and its erasure are flushed together */
    CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
    put_at(bed.db, "k", "early", AT(100), YORE_FOREVER);
    delete_at(bed.db, "k", AT(200));
    put(bed.db, "s", "now");
    bed_age(&bed, 2);
    put_at(bed.db, "k", "late", AT(150), YORE_FOREVER);
    CHECK_EQ_STR(get(bed.db, "k"), "-");
    erase_key(bed.db, "k", YORE_TIME_MIN, YORE_FOREVER);
    for (int age = 0; age < 3; age++) {
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(get(bed.db, "k"), "-");
        CHECK_EQ_STR(get_at(bed.db, "k", AT(170), YORE_NOW), "!");
    }
    bed_close(&bed);
}

/* A fact is dated when it is added, and committed later. */
TEST(a_horizon_that_has_passed_a_fact_meanwhile_refuses_it)
{
    struct bed bed;
    struct yore_batch *batch = NULL;
    struct yore_txn *txn = NULL;
    struct yore_write write = {.from = AT(150), .to = YORE_FOREVER};
    bed_open(&bed);
    put_at(bed.db, "k", "early", AT(100), YORE_FOREVER);
    delete_at(bed.db, "k", AT(200));
    CHECK_OK(yore_batch_new(bed.db, &batch, NULL));
    add(batch, "k", text("late"), AT(150));
    CHECK_OK(yore_begin(bed.db, &txn, NULL));
    CHECK_OK(yore_txn_put(txn, NULL, text("k"), text("late"), &write, NULL));
    int64_t horizon = yore_now(bed.db);
    CHECK_OK(yore_trim(bed.db, NULL, horizon, NULL));
    CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL), YORE_BEFORE_HORIZON);
    for (int i = 0; i < 3; i++) { /* the delete before the horizon leaves */
        put(bed.db, "s", "now");
        bed_age(&bed, 2);
    }
    CHECK_STATUS(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL),
                 YORE_BEFORE_HORIZON);
    CHECK_EQ_STR(get_at(bed.db, "k", horizon, YORE_NOW), "-");
    yore_batch_clear(batch);
    add(batch, "k", text("again"), YORE_NOW);
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_EQ_STR(get(bed.db, "k"), "again");
    yore_batch_free(batch);
    bed_close(&bed);
}

/* As many versions as the last slice needs to grow no more. */
static void fill_slice(struct yore_db *db, uint64_t seed)
{
    struct test_rand rand = {seed};
    for (int i = 0; i < 40; i++) {
        unsigned char noise[200];
        test_rand_fill(&rand, noise, sizeof noise);
        CHECK_OK(
            yore_put(db, NULL, text("s"), (struct yore_bytes){noise, sizeof noise}, NULL, NULL));
    }
}

/* The horizon was looked at with a view; a cursor opened after a trim must not take a later one. */
TEST(a_cursor_walks_the_view_that_its_moment_was_checked_with)
{
    struct bed bed;
    struct yore_cursor *cursor = NULL;
    bed_open(&bed);
    (void)put(bed.db, "k", "value");
    int64_t moment = yore_now(bed.db);
    CHECK_OK(yore_delete(bed.db, NULL, text("k"), NULL, NULL));
    bed_age(&bed, 2);
    struct superview *view = superview_acquire(bed.db);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(yore_trim(bed.db, NULL, yore_now(bed.db), NULL));
        fill_slice(bed.db, (uint64_t)i);
        bed_age(&bed, 2);
    }
    CHECK(store_stat(bed.db, "slices_dropped") > 0);
    struct cursor_overlay overlay = {.moment = {.valid = moment, .known = moment, .now = moment},
                                     .view = view};
    CHECK_OK(cursor_open_overlay(bed.db, NULL, NULL, &overlay, &cursor, NULL));
    superview_release(view);
    CHECK_OK(yore_cursor_next(cursor));
    CHECK_EQ_BYTES(yore_cursor_row(cursor)->value.data, yore_cursor_row(cursor)->value.size,
                   "value", 5);
    yore_cursor_close(cursor);
    bed_close(&bed);
}

/* A reader that lets go leaves the file it read from to the next sweep. */
TEST(a_value_file_that_was_just_let_go_is_no_stray)
{
    struct bed bed;
    struct yore_snapshot *held = NULL;
    struct yore_cursor *cursor = NULL;
    struct yore_verify_report report;
    static char large[1000];
    memset(large, 'x', sizeof large - 1);
    bed_open(&bed);
    put(bed.db, "k", large);
    put(bed.db, "l", large);
    bed_age(&bed, 2);
    CHECK_OK(yore_snapshot_take(bed.db, &held, NULL));
    CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
    erase_key(bed.db, "k", YORE_TIME_MIN, YORE_FOREVER);
    bed_age(&bed, 2);
    CHECK_OK(yore_verify(bed.db, NULL, NULL, &report, NULL));
    yore_cursor_close(cursor);
    yore_snapshot_release(held);
    CHECK_OK(yore_verify(bed.db, NULL, NULL, &report, NULL));
    bed_close(&bed);
}

#define CUT_KEYS 5
#define CUT_VERSIONS 60

/* Version `n` of key `k` holds from AT(10 n + k) on; each third key ends with a delete halfway. */
static void put_cut_history(struct yore_db *db)
{
    struct yore_batch *batch = NULL;
    struct test_rand rand = {11};
    CHECK_OK(yore_batch_new(db, &batch, NULL));
    for (int n = 0; n < CUT_VERSIONS; n++) {
        for (int k = 0; k < CUT_KEYS; k++) {
            char key[16];
            char value[120];
            unsigned char noise[50];
            (void)snprintf(key, sizeof key, "k%d", k);
            test_rand_fill(&rand, noise, sizeof noise);
            int size = snprintf(value, sizeof value, "%d.%d ", k, n);
            for (size_t i = 0; i < sizeof noise; i++) {
                size += snprintf(value + size, sizeof value - (size_t)size, "%02x", noise[i]);
            }
            if (k % 3 != 0 || n < CUT_VERSIONS / 2) {
                add(batch, key, text(value), AT(10 * n + k));
            }
        }
    }
    for (int k = 0; k < CUT_KEYS; k += 3) {
        char key[16];
        struct yore_write write = {.from = AT(10 * (CUT_VERSIONS / 2) + k), .to = YORE_FOREVER};
        (void)snprintf(key, sizeof key, "k%d", k);
        CHECK_OK(yore_batch_delete(batch, NULL, text(key), &write, NULL));
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
}

/* At AT(at), which lies between two moments where something begins. */
static void check_cut_row(struct yore_db *db, int k, int at)
{
    char key[16];
    char want[16];
    int n = at < k ? -1 : (at - k) / 10;
    n = n < CUT_VERSIONS ? n : CUT_VERSIONS - 1;
    bool is_gone = k % 3 == 0 && n >= CUT_VERSIONS / 2;
    (void)snprintf(key, sizeof key, "k%d", k);
    int size = snprintf(want, sizeof want, "%d.%d ", k, n);
    const char *got = get_at(db, key, AT(at), YORE_NOW);
    test_note("key %d at %d", k, at);
    if (n < 0 || is_gone) {
        CHECK_EQ_STR(got, "-");
    } else {
        CHECK(strncmp(got, want, (size_t)size) == 0);
    }
}

/* Cut at quantiles, one pass: as many slices as the versions a key ask for, each self-contained. */
TEST(runs_of_many_versions_a_key_become_several_slices)
{
    struct bed bed = {.disk = sim_disk_new(1)};
    struct yore_options options;
    CHECK(bed.disk != NULL);
    sim_disk_set_wall(bed.disk, BED_T0);
    store_options_tiny(&options);
    options.memtable_bytes = 1u << 20; /* one run */
    options.seal_bytes_min = 1u << 10;
    CHECK_OK(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, NULL));
    put_cut_history(bed.db);
    bed_age(&bed, 2);
    CHECK(store_stat(bed.db, "seals") >= 6);
    CHECK_EQ_UINT(store_stat(bed.db, "run_merges"), 0);
    struct yore_verify_report report;
    CHECK_OK(yore_verify(bed.db, NULL, NULL, &report, NULL));
    CHECK(report.copies >= 5 * CUT_KEYS && report.copies <= CUT_KEYS * CUT_VERSIONS / 2);
    for (int at = -1; at < 10 * CUT_VERSIONS + 20; at += 3) {
        for (int k = 0; k < CUT_KEYS; k++) {
            check_cut_row(bed.db, k, at);
        }
    }
    bed_close(&bed);
}

TEST_MAIN(runs_of_many_versions_a_key_become_several_slices,
          a_late_fact_that_was_over_by_the_last_seal_is_not_in_force_after_it,
          a_late_fact_of_the_current_tree_is_found_behind_a_copy_that_is_not_known_yet,
          a_carried_late_fact_is_found_behind_one_that_is_merged_in_later,
          the_version_in_force_at_the_horizon_is_kept_behind_what_nobody_needs,
          a_late_fact_behind_a_delete_reads_as_absent_before_and_after_it_is_erased,
          a_horizon_that_has_passed_a_fact_meanwhile_refuses_it,
          a_cursor_walks_the_view_that_its_moment_was_checked_with,
          a_value_file_that_was_just_let_go_is_no_stray)
