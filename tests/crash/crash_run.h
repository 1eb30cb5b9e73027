/* crash_run.h -- a scripted workload on a simulated disk that may fail at any moment, and the judge
 * of what is left.
 *
 * The script calls the functions below; each does one thing to the database and notes what was
 * submitted and what was acknowledged.  When the database first says no, the script goes on without
 * effect to its end.  Afterwards crash_judge() opens what is left of the disk and compares it with
 * the model: everything acknowledged as durable is there, nothing that was not submitted is, the
 * commits are a prefix of the commit order, each whole.
 *
 * The workloads are tables of scripts (crash_workloads.c), so that every kind of fault is tried on
 * every one.
 */
#ifndef YORE_TEST_CRASH_CRASH_RUN_H
#define YORE_TEST_CRASH_CRASH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "os/sim_disk.h"
#include "support/compare.h"
#include "support/model.h"
#include "support/store.h"
#include "support/test.h"

#define CRASH_TEXT_BYTES 1280u

enum crash_space_state {
    CRASH_SPACE_NONE,
    CRASH_SPACE_UNSURE,
    CRASH_SPACE_THERE,
    CRASH_SPACE_DROPPED
};

struct crash_run {
    struct sim_disk *disk;
    struct yore_options options;
    struct yore_db *db;
    struct model *model;        /* acknowledged commits, in order */
    size_t durable_count;       /* so many of them are durable for sure */
    struct model_write *unsure; /* writes of the one commit that failed, or NULL */
    size_t unsure_count;
    bool is_stopped;  /* an operation failed: the script has no more effect */
    bool has_loads;   /* the feed is judged too */
    bool is_tolerant; /* failures are expected (memory): not stopped by one */
    bool is_each_flushed;
    enum yore_durability durability;
    struct yore_keyspace *keyspaces[MODEL_KEYSPACES_MAX];
    enum crash_space_state space_states[MODEL_KEYSPACES_MAX];
    enum yore_keep space_keeps[MODEL_KEYSPACES_MAX];
    int64_t horizon[MODEL_KEYSPACES_MAX];
    uint64_t backup_id;        /* of the last backup acknowledged; 0: none */
    size_t backup_count;       /* commits of the model inside it */
    bool has_restored;         /* "copy" was restored from the last backup, and acknowledged ... */
    size_t restored_count;     /* ... with so many commits inside */
    bool has_checkpoint;       /* "checkpoint" was acknowledged ... */
    size_t checkpoint_count;   /* ... with so many commits inside */
    struct yore_bytes *erased; /* values destroyed ... */
    size_t erased_count;
    size_t erased_gone; /* ... the first so many of them are gone from the files */
    struct test_rand rand;
    struct store_cuts cuts; /* of the databases that were closed */
    enum yore_status failed_status;
    char text[CRASH_TEXT_BYTES];
};

struct crash_load {
    unsigned first_key;
    unsigned step;
    size_t count;
    size_t value_bytes;
    bool is_aborted;
};

struct crash_workload {
    const char *name;
    void (*script)(struct crash_run *run);
    void (*tune)(struct yore_options *options); /* NULL: tiny limits */
    bool is_each_flushed;                       /* every commit by itself */
};

extern const struct crash_workload crash_workloads[];
extern const size_t crash_workload_count;

/* ---- running -------------------------------------------------------------------------------- */

/* A fresh disk, not yet opened. */
void crash_run_init(struct crash_run *run, const struct crash_workload *workload);
/* Open, run the script, close (whatever happened). */
void crash_run_script(struct crash_run *run, const struct crash_workload *workload);
void crash_run_open(struct crash_run *run);
void crash_run_close(struct crash_run *run);
/* A copy of a run that has not failed, to go on from its disk as it is now; not opened. */
void crash_run_fork(const struct crash_run *from, struct crash_run *to);
void crash_run_release(struct crash_run *run);

/* ---- for scripts ---------------------------------------------------------------------------- */

void crash_put(struct crash_run *run, unsigned keyspace, unsigned key, size_t value_bytes);
void crash_delete(struct crash_run *run, unsigned keyspace, unsigned key);
/* `ago_ms` milliseconds before now; `for_ms` 0: no end. */
void crash_put_at(struct crash_run *run, unsigned key, int64_t ago_ms, int64_t for_ms);
void crash_span(struct crash_run *run, unsigned key, int64_t from_ago_ms, int64_t to_ago_ms,
                bool is_delete);
void crash_batch(struct crash_run *run, unsigned first_key, size_t count, size_t value_bytes);
/* Every `step`-th key from `first_key` on. */
void crash_load(struct crash_run *run, unsigned keyspace, const struct crash_load *load);
void crash_txn(struct crash_run *run, unsigned read_key, unsigned write_key);
void crash_erase(struct crash_run *run, unsigned key, bool is_prefix);
void crash_erase_span(struct crash_run *run, unsigned key, int64_t from_ago_ms, int64_t to_ago_ms);
void crash_flush(struct crash_run *run);
void crash_compact(struct crash_run *run);
void crash_trim(struct crash_run *run, unsigned keyspace, int64_t ago_ms);
void crash_reopen(struct crash_run *run);
void crash_backup(struct crash_run *run);
void crash_checkpoint(struct crash_run *run);
/* The last backup, but for so many of its last commits. */
void crash_restore(struct crash_run *run, size_t left_out);
void crash_create(struct crash_run *run, unsigned keyspace, enum yore_keep keep);
void crash_drop(struct crash_run *run, unsigned keyspace);
void crash_advance(struct crash_run *run, int64_t ms);

/* ---- judging -------------------------------------------------------------------------------- */

/* Open the database on `disk` and compare it with what `run` did; then, if `is_twice`, write to it,
 * close it, open it and compare again.  False: `run->text` says what is wrong. */
bool crash_judge(struct crash_run *run, struct sim_disk *disk, bool is_twice);

/* After a fault, the disk mended: judge a copy of the disk as it is, and another after a power cut.
 */
bool crash_judge_mended(struct crash_run *run, uint64_t seed);

/* True when no file of the database holds the octets of a value that was erased and compacted away.
 */
bool crash_is_erased_gone(struct crash_run *run, struct sim_disk *disk);

/* Compare an open database with the model, every version of every keyspace and a sample of reads.
 */
bool crash_compare(struct crash_run *run, struct yore_db *db, const struct model *model);

#endif
