/* full_workloads.c -- see full_workloads.h. */
#include "crash/full_workloads.h"

#define FEW 5u /* keys */
#define VALUE_BYTES 16u

static void tune_tiny(struct yore_options *options)
{
    options->segment_bytes = 1u << 10;
    options->table_bytes = 1u << 10;
}

static void tune_switch(struct yore_options *options)
{
    tune_tiny(options);
    options->memtable_bytes = 8u << 10;
}

static void tune_feed(struct yore_options *options)
{
    tune_tiny(options);
    options->feed_retention_bytes = 1u << 20;
}

static void few(struct crash_run *run, unsigned first_key)
{
    crash_batch(run, first_key, FEW, VALUE_BYTES);
}

static void put(struct crash_run *run, unsigned key)
{
    crash_put(run, 0, key, VALUE_BYTES);
}

static void prepare_nothing(struct crash_run *run)
{
    (void)run;
}

static void prepare_journal(struct crash_run *run)
{
    few(run, 0);
    put(run, 2);
}

static void prepare_table(struct crash_run *run)
{
    few(run, 0);
    crash_flush(run);
    put(run, 2);
}

/* ---- opening and the journal ---------------------------------------------------------------- */

static void script_put(struct crash_run *run)
{
    put(run, 1);
}

static void script_puts(struct crash_run *run)
{
    put(run, 1);
    crash_delete(run, 0, 2);
    few(run, 3);
}

/* Segments of some kilobytes that nothing has released: the next opening copies them. */
static void prepare_segments(struct crash_run *run)
{
    for (unsigned i = 0; i < 4; i++) {
        crash_batch(run, i * 3, 6, 120);
    }
}

/* A now that was read and is later than every commit is recorded at the close. */
static void script_now(struct crash_run *run)
{
    crash_advance(run, 1000);
    crash_put_at(run, 1, 10, 0);
    crash_advance(run, 1000);
    if (run->db != NULL) {
        (void)yore_now(run->db);
    }
}

static void script_batch_of_segments(struct crash_run *run)
{
    crash_batch(run, 0, 12, 200);
    put(run, 1);
}

static void script_transaction(struct crash_run *run)
{
    crash_txn(run, 1, 3);
    crash_txn(run, 3, 7);
}

static void prepare_spans(struct crash_run *run)
{
    few(run, 0);
    crash_advance(run, 1000);
    few(run, 0);
    crash_flush(run);
    crash_advance(run, 1000);
    few(run, 2);
}

static void script_spans(struct crash_run *run)
{
    crash_span(run, 1, 1500, 500, false);
    crash_span(run, 2, 3000, 100, true);
    crash_put_at(run, 3, 1200, 300);
}

static void script_lazy(struct crash_run *run)
{
    run->durability = YORE_DURABILITY_NONE;
    few(run, 0);
    run->durability = YORE_DURABILITY_INTERVAL;
    few(run, 2);
    run->durability = YORE_DURABILITY_SYNC;
    put(run, 1);
    run->durability = YORE_DURABILITY_NONE;
    put(run, 2);
}

/* Segments go from one to the next without a sync, and are used again after a flush. */
static void script_rotate(struct crash_run *run)
{
    run->durability = YORE_DURABILITY_NONE;
    crash_batch(run, 0, 4, 200);
    crash_batch(run, 4, 4, 200);
    run->durability = YORE_DURABILITY_SYNC;
    put(run, 1);
    crash_flush(run);
    crash_batch(run, 0, 4, 200);
    put(run, 2);
}

/* ---- tables --------------------------------------------------------------------------------- */

static void script_flush(struct crash_run *run)
{
    few(run, 1);
    crash_flush(run);
    put(run, 3);
}

static void prepare_switch(struct crash_run *run)
{
    for (unsigned i = 0; i < 3; i++) {
        crash_batch(run, i * 8, 8, 100);
    }
}

/* The memtable is full: a write has it flushed. */
static void script_switch(struct crash_run *run)
{
    for (unsigned i = 0; i < 3; i++) {
        crash_batch(run, i * 4, 8, 100);
    }
}

static void prepare_merge(struct crash_run *run)
{
    for (unsigned round = 0; round < 3; round++) {
        few(run, round * 3);
        crash_delete(run, 0, round);
        crash_flush(run);
    }
    few(run, 1);
}

static void script_compact(struct crash_run *run)
{
    crash_compact(run);
    put(run, 1);
}

/* Outputs of several tables. */
static void prepare_merge_many(struct crash_run *run)
{
    for (unsigned round = 0; round < 3; round++) {
        crash_batch(run, round * 3, 12, 60);
        crash_flush(run);
    }
}

static void prepare_history(struct crash_run *run)
{
    for (unsigned round = 0; round < 4; round++) {
        few(run, 0);
        crash_advance(run, 500);
        few(run, 0);
        crash_flush(run);
    }
}

static void prepare_slices(struct crash_run *run)
{
    prepare_history(run);
    crash_compact(run);
    crash_advance(run, 500);
    few(run, 0);
    crash_flush(run);
    few(run, 0);
}

static void prepare_late(struct crash_run *run)
{
    prepare_history(run);
    crash_compact(run);
    for (unsigned i = 0; i < 3; i++) {
        crash_put_at(run, i, 1500 + i * 10, i % 2 == 0 ? 0 : 300);
        crash_put_at(run, 20 + i, 1200, 0);
    }
}

static void script_flush_compact(struct crash_run *run)
{
    crash_flush(run);
    crash_compact(run);
}

static void prepare_now_only(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_NOW);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned key = 0; key < FEW; key++) {
            crash_put(run, 1, key + round, VALUE_BYTES);
        }
        crash_delete(run, 1, round);
        crash_flush(run);
    }
}

/* ---- retention and erasure ------------------------------------------------------------------ */

static void prepare_retention(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_ALL);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned key = 0; key < FEW; key++) {
            crash_put(run, 1, key, VALUE_BYTES);
        }
        crash_advance(run, 1000);
        crash_flush(run);
    }
}

static void script_retention(struct crash_run *run)
{
    crash_trim(run, 1, 2000);
    crash_compact(run);
}

/* A run whose versions are all before the horizon. */
static void prepare_drop_run(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_ALL);
    for (unsigned key = 0; key < 18; key++) {
        crash_put(run, 1, key % 6, VALUE_BYTES);
    }
    crash_advance(run, 1000);
    crash_compact(run);
    crash_trim(run, 1, 0);
    for (unsigned key = 0; key < 12; key++) {
        crash_put(run, 1, key % 6, VALUE_BYTES);
    }
    crash_flush(run);
    crash_advance(run, 1000);
}

/* What is before the horizon lies in a slice and in runs of which deletes stay that hide it. */
static void prepare_trim(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_ALL);
    for (unsigned key = 0; key < 12; key++) {
        crash_put(run, 1, key % 4, VALUE_BYTES);
    }
    crash_advance(run, 1000);
    crash_compact(run);
    crash_trim(run, 1, 0);
    for (unsigned key = 0; key < 8; key++) {
        crash_put(run, 1, key % 4, VALUE_BYTES);
        crash_delete(run, 1, key % 4);
        crash_put(run, 1, key % 4, VALUE_BYTES);
    }
    crash_delete(run, 1, 2);
    crash_flush(run);
}

static void script_trim(struct crash_run *run)
{
    crash_trim(run, 1, 0);
    crash_put(run, 1, 3, VALUE_BYTES);
    crash_compact(run);
}

static void prepare_erase(struct crash_run *run)
{
    for (unsigned round = 0; round < 2; round++) {
        few(run, 0);
        crash_put(run, 0, 3, 300);
        crash_put(run, 0, 6, 300);
        crash_advance(run, 1000);
        crash_flush(run);
    }
}

static void script_erase(struct crash_run *run)
{
    crash_erase(run, 3, false);
    crash_compact(run);
    put(run, 1);
}

static void script_erase_span(struct crash_run *run)
{
    crash_erase_span(run, 2, 1500, 500);
    crash_erase(run, 1, true);
    crash_flush(run);
}

/* Who reads as of before keeps the rules in force. */
static void script_erase_read(struct crash_run *run)
{
    struct yore_cursor_options options = {.keys_only = true};
    struct yore_cursor *cursor = NULL;
    if (run->is_stopped || yore_cursor_open(run->db, NULL, &options, &cursor, NULL) != YORE_OK) {
        return;
    }
    few(run, 0);
    crash_erase(run, 3, false);
    crash_compact(run);
    yore_cursor_close(cursor);
}

/* ---- copies --------------------------------------------------------------------------------- */

static void prepare_backup(struct crash_run *run)
{
    few(run, 0);
    crash_put(run, 0, 3, 300);
    crash_flush(run);
    put(run, 2);
}

static void script_backup(struct crash_run *run)
{
    crash_backup(run);
    put(run, 1);
}

static void prepare_backup_more(struct crash_run *run)
{
    prepare_backup(run);
    crash_backup(run);
    few(run, 2);
}

static void prepare_restore(struct crash_run *run)
{
    prepare_backup(run);
    few(run, 0);
    crash_flush(run);
    crash_backup(run);
}

static void script_restore(struct crash_run *run)
{
    crash_restore(run, 0);
}

static void script_restore_before(struct crash_run *run)
{
    crash_restore(run, 1);
}

static void script_checkpoint(struct crash_run *run)
{
    crash_checkpoint(run);
    put(run, 1);
}

/* ---- large values --------------------------------------------------------------------------- */

static void script_large_values(struct crash_run *run)
{
    crash_put(run, 0, 1, 300);
    crash_put(run, 0, 2, 700);
    crash_batch(run, 3, 2, 260);
    crash_flush(run);
}

static void prepare_collect(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_NOW);
    for (unsigned key = 0; key < 4; key++) {
        crash_put(run, 1, key, 300);
    }
    crash_flush(run);
    for (unsigned key = 0; key < 3; key++) {
        crash_put(run, 1, key, 260);
    }
    crash_flush(run);
}

/* ---- keyspaces and loads -------------------------------------------------------------------- */

static void script_keyspaces(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_FOR);
    crash_put(run, 1, 1, VALUE_BYTES);
    crash_create(run, 2, YORE_KEEP_NOW);
    crash_put(run, 2, 1, VALUE_BYTES);
    crash_drop(run, 1);
    crash_put(run, 2, 2, VALUE_BYTES);
}

static void prepare_keyspaces(struct crash_run *run)
{
    crash_create(run, 1, YORE_KEEP_ALL);
    crash_put(run, 1, 1, VALUE_BYTES);
    crash_create(run, 2, YORE_KEEP_NOW);
    crash_put(run, 2, 1, VALUE_BYTES);
    crash_flush(run);
    crash_drop(run, 1);
}

static void script_load(struct crash_run *run)
{
    const struct crash_load load = {
        .first_key = 0, .step = 1, .count = 6, .value_bytes = VALUE_BYTES};
    crash_load(run, 0, &load);
    put(run, 1);
}

static void script_load_over(struct crash_run *run)
{
    const struct crash_load over = {
        .first_key = 1, .step = 2, .count = 5, .value_bytes = VALUE_BYTES};
    run->durability = YORE_DURABILITY_NONE;
    put(run, 1);
    crash_load(run, 0, &over);
}

static void script_load_apart(struct crash_run *run)
{
    const struct crash_load apart = {.first_key = 2, .step = 3, .count = 3, .value_bytes = 300};
    const struct crash_load vain = {
        .first_key = 1, .step = 2, .count = 3, .value_bytes = 260, .is_aborted = true};
    crash_load(run, 0, &vain);
    crash_load(run, 0, &apart);
    crash_flush(run);
}

#define SHORT(name, script, tune)                                                                  \
    {                                                                                              \
        name, script, tune, false                                                                  \
    }

const struct full_workload full_workloads[] = {
    {SHORT("create", script_put, tune_tiny), NULL, true, false},
    {SHORT("open", script_put, tune_tiny), prepare_table, true, false},
    {SHORT("recover", script_put, tune_tiny), prepare_segments, true, true},
    {SHORT("puts", script_puts, tune_tiny), prepare_journal, false, false},
    {SHORT("now", script_now, tune_tiny), prepare_journal, false, false},
    {SHORT("batch-of-segments", script_batch_of_segments, tune_tiny), prepare_journal, false,
     false},
    {SHORT("transaction", script_transaction, tune_tiny), prepare_table, false, false},
    {SHORT("spans", script_spans, tune_tiny), prepare_spans, false, false},
    {SHORT("lazy", script_lazy, tune_tiny), prepare_journal, false, false},
    {SHORT("rotate", script_rotate, tune_tiny), prepare_table, false, false},
    {SHORT("flush", script_flush, tune_tiny), prepare_table, false, false},
    {SHORT("switch", script_switch, tune_switch), prepare_switch, false, false},
    {SHORT("merge", script_compact, tune_tiny), prepare_merge, false, false},
    {SHORT("merge-by-flush", script_flush, tune_tiny), prepare_merge, false, false},
    {SHORT("merge-many", script_compact, tune_tiny), prepare_merge_many, false, false},
    {SHORT("seal", script_compact, tune_tiny), prepare_history, false, false},
    {SHORT("seal-again", script_compact, tune_tiny), prepare_slices, false, false},
    {SHORT("late", script_flush_compact, tune_tiny), prepare_late, false, false},
    {SHORT("now-only", script_compact, tune_tiny), prepare_now_only, false, false},
    {SHORT("retention", script_retention, tune_tiny), prepare_retention, false, false},
    {SHORT("trim", script_trim, tune_tiny), prepare_trim, false, false},
    {SHORT("drop-run", script_trim, tune_tiny), prepare_drop_run, false, false},
    {SHORT("erase", script_erase, tune_tiny), prepare_erase, false, false},
    {SHORT("erase-span", script_erase_span, tune_tiny), prepare_erase, false, false},
    {SHORT("erase-read", script_erase_read, tune_tiny), prepare_nothing, false, false},
    {SHORT("backup", script_backup, tune_tiny), prepare_backup, false, false},
    {SHORT("backup-more", script_backup, tune_tiny), prepare_backup_more, false, false},
    {SHORT("restore", script_restore, tune_tiny), prepare_restore, false, false},
    {SHORT("restore-before", script_restore_before, tune_tiny), prepare_restore, false, false},
    {SHORT("checkpoint", script_checkpoint, tune_tiny), prepare_backup, false, false},
    {SHORT("large-values", script_large_values, tune_tiny), prepare_journal, false, false},
    {SHORT("collect", script_compact, tune_tiny), prepare_collect, false, false},
    {SHORT("keyspaces", script_keyspaces, tune_tiny), prepare_journal, false, false},
    {SHORT("keyspaces-open", script_put, tune_tiny), prepare_keyspaces, true, true},
    {SHORT("load", script_load, tune_feed), prepare_nothing, false, false},
    {SHORT("load-over", script_load_over, tune_feed), prepare_table, false, false},
    {SHORT("load-apart", script_load_apart, tune_feed), prepare_journal, false, false},
};

const size_t full_workload_count = sizeof full_workloads / sizeof full_workloads[0];
