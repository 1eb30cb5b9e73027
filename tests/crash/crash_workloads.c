/* crash_workloads.c -- the scripts.  Each is short, so that every one of its disk operations can be
 * a crash point, and between them they go through every path that writes. */
#include "crash/crash_run.h"

static void script_puts(struct crash_run *run)
{
    for (unsigned i = 0; i < 12; i++) {
        crash_put(run, 0, i % 7, 20 + i);
        if (i % 4 == 3) {
            crash_delete(run, 0, i % 5);
        }
    }
}

static void script_batches(struct crash_run *run)
{
    for (unsigned i = 0; i < 6; i++) {
        crash_batch(run, i * 3, 4 + i * 5, 60);
    }
    crash_flush(run);
    crash_batch(run, 2, 20, 200);
}

static void script_transactions(struct crash_run *run)
{
    crash_batch(run, 0, 12, 40);
    for (unsigned i = 0; i < 8; i++) {
        crash_txn(run, i, i + 4);
        if (i == 4) {
            crash_flush(run);
        }
    }
}

static void script_spans(struct crash_run *run)
{
    crash_batch(run, 0, 8, 30);
    crash_advance(run, 1000);
    crash_batch(run, 0, 8, 30);
    crash_advance(run, 1000);
    crash_span(run, 1, 1500, 500, false);
    crash_span(run, 2, 3000, 100, true);
    crash_flush(run);
    crash_span(run, 3, 2500, 200, false);
    crash_span(run, 1, 1200, 700, true);
}

static void script_flush(struct crash_run *run)
{
    for (unsigned round = 0; round < 3; round++) {
        crash_batch(run, round * 2, 20, 50);
        crash_put(run, 0, round, 30);
        crash_flush(run);
        crash_put(run, 0, round + 1, 30);
    }
}

/* Enough flushes that level 0 is merged down, with keys that are new, replaced and deleted. */
static void script_merge(struct crash_run *run)
{
    for (unsigned round = 0; round < 6; round++) {
        crash_batch(run, round * 5, 24, 40);
        crash_delete(run, 0, round * 2);
        crash_flush(run);
    }
    crash_compact(run);
    crash_put(run, 0, 3, 30);
}

/* Many versions of few keys, some of them late: runs, slices, carried copies, late runs. */
static void script_seal(struct crash_run *run)
{
    for (unsigned round = 0; round < 8; round++) {
        crash_batch(run, 0, 10, 40);
        crash_advance(run, 500);
        crash_batch(run, 0, 10, 40);
        if (round > 3) {
            crash_put_at(run, round, 3000, 0);
            crash_put_at(run, round + 1, 2000, 400);
        }
        crash_flush(run);
    }
    crash_put_at(run, 2, 4000, 0);
    crash_flush(run);
    crash_compact(run);
}

static void script_late(struct crash_run *run)
{
    crash_batch(run, 0, 12, 40);
    crash_advance(run, 5000);
    for (unsigned i = 0; i < 6; i++) {
        crash_batch(run, 0, 12, 30);
        crash_flush(run);
    }
    for (unsigned i = 0; i < 10; i++) {
        crash_put_at(run, i, 4000 + i * 10, i % 2 == 0 ? 0 : 300);
        crash_put_at(run, 20 + i, 2500, 0);
        if (i % 3 == 2) {
            crash_flush(run);
        }
    }
    crash_compact(run);
}

static void script_retention(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_ALL);
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned key = 0; key < 6; key++) {
            crash_put(run, 1, key, 40);
        }
        crash_put(run, 0, round, 20);
        crash_advance(run, 1000);
        crash_flush(run);
    }
    crash_trim(run, 1, 3000);
    crash_compact(run);
    crash_put(run, 1, 1, 30);
    crash_trim(run, 1, 1000);
    crash_flush(run);
    crash_compact(run);
}

/* Runs that go whole, runs of which deletes stay that hide what a slice has, and a last slice that
 * lies before the horizon. */
static void script_trim(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_ALL);
    for (unsigned key = 0; key < 18; key++) {
        crash_put(run, 1, key % 6, 30);
    }
    crash_advance(run, 1000);
    crash_compact(run);
    crash_trim(run, 1, 0);
    for (unsigned key = 0; key < 12; key++) {
        crash_put(run, 1, key % 6, 40);
    }
    crash_flush(run);
    crash_advance(run, 1000);
    crash_trim(run, 1, 0);
    for (unsigned key = 0; key < 12; key++) {
        crash_put(run, 1, key % 6, 30);
        crash_delete(run, 1, key % 6);
        crash_put(run, 1, key % 6, 30);
    }
    crash_delete(run, 1, 2);
    crash_flush(run);
    crash_trim(run, 1, 0);
    crash_put(run, 1, 3, 30);
    crash_compact(run);
}

static void script_erase(struct crash_run *run)
{
    for (unsigned round = 0; round < 4; round++) {
        crash_batch(run, 0, 12, 40);
        crash_advance(run, 1000);
        crash_flush(run);
    }
    crash_erase(run, 3, false);
    crash_erase_span(run, 4, 2500, 1500);
    crash_put(run, 0, 3, 30);
    crash_flush(run);
    crash_erase(run, 10, true);
    crash_compact(run);
    crash_put(run, 0, 5, 30);
}

/* Who reads as of before keeps the rules in force, and none of the bytes: there were none yet. */
static void script_erase_read(struct crash_run *run)
{
    struct yore_cursor_options options = {.keys_only = true};
    struct yore_cursor *cursor = NULL;
    if (run->is_stopped || yore_cursor_open(run->db, NULL, &options, &cursor, NULL) != YORE_OK) {
        return;
    }
    crash_batch(run, 0, 12, 40);
    crash_erase(run, 3, false);
    crash_compact(run);
    crash_put(run, 0, 5, 30);
    yore_cursor_close(cursor);
}

/* Every opening writes a new manifest; flushes append to it. */
static void script_manifest(struct crash_run *run)
{
    for (unsigned round = 0; round < 4; round++) {
        crash_batch(run, round, 10, 30);
        crash_flush(run);
        crash_put(run, 0, round, 25);
        crash_reopen(run);
    }
    crash_put(run, 0, 9, 25);
}

/* Journal segments fill, are closed, released and used again. */
static void script_rotate(struct crash_run *run)
{
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 4; i++) {
            crash_batch(run, i * 4, 4, 6000);
        }
        crash_flush(run);
    }
    crash_put(run, 0, 1, 25);
}

static void tune_rotate(struct yore_options *options)
{
    options->value_apart_bytes = 16u << 10;
}

static void script_backup(struct crash_run *run)
{
    crash_batch(run, 0, 12, 40);
    crash_put(run, 0, 3, 700);
    crash_backup(run);
    crash_batch(run, 4, 12, 40);
    crash_flush(run);
    crash_put(run, 0, 2, 30);
    crash_backup(run);
    crash_put(run, 0, 1, 30);
}

static void script_restore(struct crash_run *run)
{
    crash_batch(run, 0, 6, 40);
    crash_flush(run);
    crash_put(run, 0, 3, 700);
    crash_backup(run);
    crash_put(run, 0, 1, 30);
    crash_restore(run, 0);
    crash_put(run, 0, 2, 30);
}

static void script_checkpoint(struct crash_run *run)
{
    crash_batch(run, 0, 12, 40);
    crash_put(run, 0, 3, 700);
    crash_flush(run);
    crash_put(run, 0, 2, 30);
    crash_checkpoint(run);
    crash_put(run, 0, 1, 30);
}

static void script_large_values(struct crash_run *run)
{
    for (unsigned i = 0; i < 5; i++) {
        crash_put(run, 0, i, 300 + i * 4000);
        crash_put(run, 0, i + 1, 30);
    }
    crash_flush(run);
    crash_batch(run, 0, 4, 900);
    crash_delete(run, 0, 2);
    crash_flush(run);
    crash_compact(run);
}

static void script_keyspaces(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_ALL);
    crash_put(run, 1, 1, 30);
    crash_create(run, 2, YORE_KEEP_NOW);
    crash_put(run, 2, 1, 30);
    crash_put(run, 2, 1, 40);
    crash_flush(run);
    crash_drop(run, 1);
    crash_put(run, 2, 2, 30);
    crash_create(run, 3, YORE_KEEP_FOR);
    crash_put(run, 3, 5, 30);
    crash_reopen(run);
    crash_put(run, 3, 6, 30);
    crash_drop(run, 2);
    crash_put(run, 0, 6, 30);
}

static void script_now_only(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_NOW);
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned key = 0; key < 6; key++) {
            crash_put(run, 1, key + round, 40);
        }
        crash_delete(run, 1, round);
        crash_flush(run);
    }
    crash_compact(run);
}

/* Commits that are acknowledged before they are durable, between some that are. */
static void script_lazy(struct crash_run *run)
{
    static const enum yore_durability modes[3] = {YORE_DURABILITY_NONE, YORE_DURABILITY_INTERVAL,
                                                  YORE_DURABILITY_SYNC};
    for (unsigned i = 0; i < 20; i++) {
        run->durability = modes[i % 5 < 3 ? i % 2 : i % 3];
        crash_put(run, 0, i % 7, 40);
        crash_batch(run, i, 3, 40);
        if (i % 6 == 5) {
            crash_flush(run);
        }
    }
    run->durability = YORE_DURABILITY_NONE;
    crash_batch(run, 0, 20, 200); /* left to the close */
}

/* The journal goes from segment to segment without a flush and mostly without a sync: what is
 * synced in the next segment needs the one before. */
static void script_lazy_rotate(struct crash_run *run)
{
    for (unsigned i = 0; i < 14; i++) {
        run->durability = i % 7 == 6 ? YORE_DURABILITY_SYNC : YORE_DURABILITY_NONE;
        crash_batch(run, i * 4, 4, 5000);
    }
    run->durability = YORE_DURABILITY_SYNC;
    crash_put(run, 0, 1, 30);
}

static void tune_lazy_rotate(struct yore_options *options)
{
    options->value_apart_bytes = 16u << 10;
    options->memtable_bytes = 1u << 20;
}

/* Loads into nothing, over what is there, after commits that nobody has synced, and in vain; what
 * they brought is merged, superseded and sealed. */
static void script_loads(struct crash_run *run)
{
    const struct crash_load fresh = {.first_key = 0, .step = 1, .count = 20, .value_bytes = 60};
    const struct crash_load over = {.first_key = 5, .step = 3, .count = 20, .value_bytes = 90};
    const struct crash_load apart = {.first_key = 2, .step = 5, .count = 6, .value_bytes = 900};
    const struct crash_load vain = {
        .first_key = 1, .step = 2, .count = 8, .value_bytes = 300, .is_aborted = true};
    crash_load(run, 0, &fresh);
    run->durability = YORE_DURABILITY_NONE;
    crash_batch(run, 3, 8, 40);
    crash_put(run, 0, 1, 30);
    crash_load(run, 0, &over);
    run->durability = YORE_DURABILITY_SYNC;
    crash_put(run, 0, 8, 30);
    crash_load(run, 0, &vain);
    crash_load(run, 0, &apart);
    crash_delete(run, 0, 7);
    crash_flush(run);
    crash_load(run, 0, &fresh);
    crash_put(run, 0, 2, 30);
}

static void script_loads_merged(struct crash_run *run)
{
    const struct crash_load over = {.first_key = 3, .step = 2, .count = 12, .value_bytes = 40};
    crash_create(run, 1, YORE_KEEP_NOW);
    for (unsigned round = 0; round < 3; round++) {
        crash_batch(run, round, 10, 40);
        crash_load(run, 0, &over);
        crash_load(run, 1, &over);
        crash_put(run, 1, 3, 30);
        crash_put_at(run, round + 4, 2, 0);
        crash_flush(run);
    }
    crash_reopen(run);
    crash_load(run, 0, &over);
    crash_compact(run);
    crash_put(run, 0, 1, 20);
}

static void tune_feed(struct yore_options *options)
{
    options->feed_retention_bytes = 1u << 20;
}

/* A bit of everything, over a life of several openings. */
static void script_life(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_NOW);
    for (unsigned round = 0; round < 5; round++) {
        crash_batch(run, 0, 10, 40);
        crash_put(run, 1, round, 300);
        crash_put_at(run, round, 1500, 0);
        crash_span(run, round + 1, 2000, 1000, false);
        crash_flush(run);
        crash_txn(run, round, round + 1);
        crash_advance(run, 700);
        if (round == 2) {
            crash_erase(run, 2, false);
        }
        crash_reopen(run);
    }
    crash_compact(run);
    crash_put(run, 0, 1, 20);
}

const struct crash_workload crash_workloads[] = {
    {"puts", script_puts, NULL, false},
    {"batches", script_batches, NULL, false},
    {"transactions", script_transactions, NULL, false},
    {"spans", script_spans, NULL, false},
    {"flush", script_flush, NULL, false},
    {"merge", script_merge, NULL, false},
    {"seal", script_seal, NULL, false},
    {"late", script_late, NULL, false},
    {"retention", script_retention, NULL, false},
    {"trim", script_trim, NULL, false},
    {"erase", script_erase, NULL, false},
    {"erase-read", script_erase_read, NULL, false},
    {"manifest", script_manifest, NULL, false},
    {"rotate", script_rotate, tune_rotate, false},
    {"backup", script_backup, NULL, false},
    {"restore", script_restore, NULL, false},
    {"checkpoint", script_checkpoint, NULL, false},
    {"large-values", script_large_values, NULL, false},
    {"keyspaces", script_keyspaces, NULL, false},
    {"now-only", script_now_only, NULL, false},
    {"lazy", script_lazy, NULL, false},
    {"lazy-rotate", script_lazy_rotate, tune_lazy_rotate, false},
    {"loads", script_loads, tune_feed, false},
    {"loads-merged", script_loads_merged, NULL, false},
    {"life", script_life, NULL, false},
    {"transactions-flushed", script_transactions, NULL, true},
    {"spans-flushed", script_spans, NULL, true},
    {"lazy-flushed", script_lazy, NULL, true},
    {"loads-flushed", script_loads, tune_feed, true},
};

const size_t crash_workload_count = sizeof crash_workloads / sizeof crash_workloads[0];
