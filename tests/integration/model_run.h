/* model_run.h -- a run of random operations on a database and on the model, step by step.
 *
 * A run is a list of operations; each is a kind and a seed of its own, and takes everything else
 * from the state it meets.  So any sub-list is a run too, which is what makes a failing list
 * shrink.
 *
 *   model_run.c        set-up, the list, dispatch, keys, values and moments
 *   model_writes.c     puts, deletes, spans, batches, erasures
 *   model_loads.c      bulk loads
 *   model_reads.c      every read shape, against the model
 *   model_txns.c       transactions and snapshots
 *   model_upkeep.c     flush, compact, trim, alter, reopen, crash, backup and restore, clock
 */
#ifndef YORE_TEST_INTEGRATION_MODEL_RUN_H
#define YORE_TEST_INTEGRATION_MODEL_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "os/sim_disk.h"
#include "support/compare.h"
#include "support/model.h"
#include "support/store.h"
#include "support/test.h"

#define RUN_TXNS 3u
#define RUN_SNAPSHOTS 3u
#define RUN_SNAPSHOTS_MAX 80u /* half of them held: more than retention tells apart */
#define RUN_TXN_WRITES_MAX 24u
#define RUN_TXN_READS_MAX 48u
#define RUN_SAVEPOINTS_MAX 8u
#define RUN_KEY_BYTES_MAX 2048u
#define RUN_VALUE_BYTES_MAX 8192u
#define RUN_KEY_COUNT 160u
#define RUN_KEY_COUNT_HELD 24u

/* The keyspaces of a run. */
enum run_space {
    RUN_DEFAULT, /* keeps everything, never trimmed */
    RUN_TRIMMED, /* keeps everything until a trim */
    RUN_NOW,     /* keeps only now */
    RUN_FOR,     /* keeps a duration */
    RUN_SPACES
};
extern const char *const run_space_names[RUN_SPACES]; /* NULL for the default */

/* What a round is about.  Snapshots held over a few keys, most of them where only now is kept; or
 * horizons that move all the time. */
enum run_mix { RUN_MIX_USUAL, RUN_MIX_HELD, RUN_MIX_HORIZONS, RUN_MIXES };

/* Kinds of operations, with how often each is drawn in about 10,000, in each mix. */
#define RUN_OPS(X)                                                                                 \
    X(put_now, 1500, 1800, 900)                                                                    \
    X(put_back_dated, 1500, 300, 1500)                                                             \
    X(put_on_gone, 300, 200, 300)                                                                  \
    X(put_ttl, 400, 500, 500)                                                                      \
    X(put_refused, 40, 20, 60)                                                                     \
    X(delete_now, 350, 1200, 500)                                                                  \
    X(delete_back_dated, 250, 100, 300)                                                            \
    X(span, 350, 100, 450)                                                                         \
    X(batch, 400, 300, 300)                                                                        \
    X(load, 60, 60, 60)                                                                            \
    X(erase, 12, 30, 20)                                                                           \
    X(get, 1500, 900, 1000)                                                                        \
    X(get_many, 80, 100, 80)                                                                       \
    X(get_before_horizon, 60, 60, 120)                                                             \
    X(scan, 120, 160, 120)                                                                         \
    X(walk, 120, 160, 120)                                                                         \
    X(timeline, 500, 200, 700)                                                                     \
    X(changes, 60, 40, 120)                                                                        \
    X(feed, 4, 4, 12)                                                                              \
    X(feed_kept, 10, 4, 30)                                                                        \
    X(txn_begin, 250, 250, 150)                                                                    \
    X(txn_get, 500, 400, 300)                                                                      \
    X(txn_scan, 60, 80, 60)                                                                        \
    X(txn_timeline, 60, 60, 60)                                                                    \
    X(txn_write, 500, 400, 300)                                                                    \
    X(txn_savepoint, 120, 120, 60)                                                                 \
    X(txn_end, 250, 250, 150)                                                                      \
    X(snapshot, 60, 500, 120)                                                                      \
    X(snapshot_read, 250, 1400, 500)                                                               \
    X(flush, 30, 250, 150)                                                                         \
    X(compact, 6, 40, 30)                                                                          \
    X(trim, 10, 10, 120)                                                                           \
    X(alter, 6, 6, 60)                                                                             \
    X(reopen, 8, 16, 16)                                                                           \
    X(crash, 5, 8, 8)                                                                              \
    X(verify, 4, 8, 8)                                                                             \
    X(backup, 4, 4, 8)                                                                             \
    X(restore, 2, 2, 6)                                                                            \
    X(clock, 400, 300, 600)

enum run_op_kind {
#define RUN_OP_ENUM(name, usual, held, horizons) RUN_OP_##name,
    RUN_OPS(RUN_OP_ENUM)
#undef RUN_OP_ENUM
        RUN_OP_KINDS
};

struct run_op {
    enum run_op_kind kind;
    uint64_t seed;
};

struct run_counts {
    uint64_t ops[RUN_OP_KINDS];
    uint64_t writes;
    uint64_t back_dated;
    uint64_t before_slices; /* back-dated to before the first seal */
    uint64_t on_deleted;
    uint64_t on_expired;
    uint64_t reads;
    uint64_t commits;
    uint64_t conflicts;
    uint64_t sources[STORE_SOURCE_COUNT];
    struct store_cuts cuts;
};

struct run_read {
    unsigned keyspace;
    struct yore_bytes key;  /* point read, or the range's low */
    struct yore_bytes high; /* range: last key walked over; empty: to the end of the keyspace */
    bool is_range;
    int64_t expires; /* when what was read at the transaction's now ends */
    bool is_certain; /* false: the answer did not depend on the database, or not surely */
};

struct run_txn {
    struct yore_txn *txn;
    struct yore_time time;
    int64_t begin_commit;
    struct model_write writes[RUN_TXN_WRITES_MAX];
    size_t write_count;
    struct run_read reads[RUN_TXN_READS_MAX];
    size_t read_count;
    size_t savepoints[RUN_SAVEPOINTS_MAX];
    size_t savepoint_writes[RUN_SAVEPOINTS_MAX];
    size_t savepoint_count;
    /* What its span says again behind its end may be erased meanwhile: it cannot be committed any
     * more, and is read no more. */
    bool is_outdated;
};

struct run_snapshot {
    struct yore_snapshot *snapshot;
    struct yore_time time;
};

struct run {
    uint64_t seed;
    enum run_mix mix;
    bool is_clock_wild;
    bool is_traced;        /* print every commit */
    uint64_t flush_one_in; /* commits, beside the flushes that are operations; 0: none is flushed */
    struct sim_disk *disk;
    struct os_env *env;
    struct yore_options options;
    struct compare compare; /* holds the database and the text of a failure */
    struct model *model;
    struct test_rand rand; /* of the operation being run */
    int64_t start;         /* the clock when the run began */
    int64_t now_seen;
    int64_t horizon[RUN_SPACES]; /* never read below this */
    int64_t trimmed_to;
    int64_t keep_ns;
    struct run_txn txns[RUN_TXNS];
    struct run_snapshot snapshots[RUN_SNAPSHOTS_MAX];
    uint64_t snapshot_count; /* that may be held */
    uint64_t backups;
    int64_t backup_commit[64]; /* by backup id */
    atomic_bool has_sealed;
    int64_t sealed_at;   /* now when the first seal was seen; INT64_MIN: none yet */
    int64_t sealed_last; /* and the last one */
    struct run_counts *counts;
};

/* Draw `count` operations from a seed, in the seed's mix. */
void run_draw(uint64_t seed, struct run_op *ops, size_t count);
const char *run_op_name(enum run_op_kind kind);
/* Run a list on a fresh disk.  False: `text` says at which operation and what. */
bool run_list(uint64_t seed, bool is_clock_wild, const struct run_op *ops, size_t count,
              struct run_counts *counts, char text[1280]);

/* ---- for the files of the operations -------------------------------------------------------- */

bool run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A random key of the run; written to `storage`. */
struct yore_bytes run_key(struct run *run, unsigned char storage[RUN_KEY_BYTES_MAX]);
struct yore_bytes run_value(struct run *run, unsigned char storage[RUN_VALUE_BYTES_MAX]);
/* A random past moment of the keyspace at or after its horizon, often one where something begins.
 */
int64_t run_moment(struct run *run, unsigned keyspace);
/* A random moment of a read, and the keyspace's answer is defined there. */
struct compare_at run_at(struct run *run, unsigned keyspace, struct yore_time *storage);
/* Any of the keyspaces: to write to, to read, of those that have a past, for a transaction. */
unsigned run_space(struct run *run);
unsigned run_space_to_read(struct run *run);
unsigned run_space_with_past(struct run *run);
unsigned run_space_of_txn(struct run *run);
int64_t run_now(struct run *run);
/* What the database says its horizon is; YORE_TIME_MIN also when it cannot say. */
int64_t run_horizon(struct run *run, unsigned keyspace);

/* Hand writes over that were just committed: checks the commit time, applies them to the model. */
bool run_committed(struct run *run, int64_t commit, const struct model_write *writes, size_t count);
/* Print writes, those of a transaction with the moment it began. */
void run_trace(int64_t commit, const struct model_write *writes, size_t count);
/* What the interface says a write must answer at this moment. */
enum yore_status run_write_status(struct run *run, const struct model_write *write, int64_t now);
struct yore_write run_write_options(const struct model_write *write, int64_t *commit_out);

bool run_open(struct run *run);
void run_close(struct run *run);
/* Release transactions and snapshots. */
void run_release_handles(struct run *run);
/* Compare everything of every keyspace that has a whole past. */
bool run_compare_all(struct run *run);

#define RUN_OP_DECLARE(name, usual, held, horizons) bool run_##name(struct run *run);
RUN_OPS(RUN_OP_DECLARE)
#undef RUN_OP_DECLARE

#endif
