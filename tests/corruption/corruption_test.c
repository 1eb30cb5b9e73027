/* corruption_test.c -- a store of keys and values, damaged in every way (damage.h). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "corruption/damage.h"
#include "crash/crash_run.h"
#include "os/env.h"

static_assert(CRASH_TEXT_BYTES == DAMAGE_TEXT_BYTES, "one judge's text is the other's");

struct suite {
    struct crash_run run; /* its model is what must be there */
    struct damage_store store;
};

static void script_store(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_NOW);
    crash_create(run, 2, YORE_KEEP_ALL);
    for (unsigned round = 0; round < 14; round++) {
        crash_batch(run, round * 3, 40, 30 + round * 9);
        crash_batch(run, 0, 30, 60);
        crash_put(run, 1, round, 280);
        crash_put(run, 2, round, 40);
        crash_advance(run, 800);
        if (round > 4) {
            crash_put_at(run, round, 3000, 0);
            crash_put_at(run, round * 2, 2000, 500);
            crash_span(run, round + 3, 2500, 600, round % 2 == 0);
        }
        if (round == 8) {
            crash_erase(run, 2, false);
        }
        crash_flush(run);
    }
    crash_put(run, 0, 3, 900);
    crash_batch(run, 3, 10, 40); /* stays in the journal unless closing flushes */
}

static const struct crash_workload store_workload = {"store", script_store, NULL, false};

static bool is_right(void *arg, struct yore_db *db, bool is_sound, char text[DAMAGE_TEXT_BYTES])
{
    (void)is_sound;
    struct crash_run *run = arg;
    bool is_same = crash_compare(run, db, run->model);
    (void)snprintf(text, DAMAGE_TEXT_BYTES, "%s", run->text);
    return is_same;
}

static struct suite *suite_new(void)
{
    struct suite *suite = model_alloc(sizeof *suite);
    struct crash_run other;
    crash_run_init(&other, &store_workload);
    (void)os_random_u64(sim_disk_env(other.disk)); /* so that its identity is another */
    crash_run_script(&other, &store_workload);
    suite->store.other = sim_disk_clone(other.disk, 2);
    crash_run_release(&other);
    crash_run_init(&suite->run, &store_workload);
    crash_run_script(&suite->run, &store_workload);
    suite->store.disk = suite->run.disk;
    suite->store.options = suite->run.options;
    suite->store.is_right = is_right;
    suite->store.arg = &suite->run;
    CHECK(!suite->run.is_stopped);
    damage_store_begin(&suite->store);
    CHECK(suite->run.cuts.slices_most > 2); /* small ones: each kind of file is damaged often */
    CHECK(suite->store.bytes >= 100000);
    return suite;
}

static void suite_free(struct suite *suite)
{
    crash_run_release(&suite->run);
    sim_disk_free(suite->store.other);
    free(suite);
}

static void damaged(void (*damage)(struct damage_store *store))
{
    struct suite *suite = suite_new();
    damage(&suite->store);
    suite_free(suite);
}

TEST(a_flipped_bit_anywhere_is_reported_or_harmless)
{
    damaged(damage_flip_bits);
}

TEST(a_file_cut_anywhere_is_reported_or_harmless)
{
    damaged(damage_cut_files);
}

TEST(a_missing_file_is_reported)
{
    damaged(damage_remove_files);
}

TEST(two_swapped_files_are_reported)
{
    damaged(damage_swap_files);
}

TEST(a_file_of_another_database_is_reported)
{
    damaged(damage_replace_files);
}

TEST(one_damage)
{
    struct suite *suite = suite_new();
    bool is_named = damage_one(&suite->store);
    suite_free(suite);
    if (!is_named) {
        SKIP("set YORE_CORRUPTION_ONE to file:offset:bit");
    }
}

TEST_MAIN(one_damage, a_flipped_bit_anywhere_is_reported_or_harmless,
          a_file_cut_anywhere_is_reported_or_harmless, a_missing_file_is_reported,
          two_swapped_files_are_reported, a_file_of_another_database_is_reported)
