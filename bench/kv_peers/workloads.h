/* workloads.h -- the workloads, each run in a process of its own (run_child, turns_run).
 *
 * Key-value data: key 2*i exists for i in [0, n), odd keys do not.
 */
#ifndef YORE_WORKLOADS_H
#define YORE_WORKLOADS_H

#include "run.h"
#include "turns.h"

enum write_order {
    WRITE_SEQUENTIAL,
    WRITE_PERMUTED, /* every key once, in random order */
    WRITE_UNIFORM   /* keys drawn with repetition */
};

struct write_spec {
    const char *workload;
    const char *database;
    enum write_order order;
    uint64_t op_count;
    uint64_t key_space; /* 0: op_count */
    uint64_t batch;     /* pairs in one commit; 0: 1, through put */
    uint64_t version;
    int is_sync;
    int thread_count; /* 0: 1 */
    int is_fresh;     /* start from an empty directory */
    int is_bulk;      /* the engine's bulk path */
    double limit_s;
    size_t value_bytes;
    size_t memtable_bytes; /* 0: as asked for */
};
void write_workload(const struct run *run, const void *write_spec);

enum read_kind {
    READ_GET,
    READ_FULL_SCAN,
    READ_SHORT_SCAN,   /* 100 rows from a random key */
    READ_WHILE_WRITING /* one reader, one writer paced at 20,000 updates/s */
};

struct read_spec {
    const char *workload;
    const char *database;
    enum read_kind kind;
    int is_missing;     /* ask for keys that lie between present ones */
    int is_overwritten; /* some values are of version 1 */
    int thread_count;   /* 0: 1 */
    size_t cache_bytes;
    uint64_t key_count;
    size_t value_bytes;
    double limit_s;
};
/* One engine alone, right behind writes or with a writer of its own. */
void read_workload(const struct run *run, const void *read_spec);
extern const struct turns_player read_player;

struct history_spec {
    uint64_t key_count;
    uint64_t versions_per_key;
    size_t cache_bytes;
    const char *suffix; /* of the workloads' names */
    enum data_value_mode value_mode;
    size_t memtable_bytes; /* 0: as asked for */
};
void history_load(const struct run *run, const void *history_spec);
/* Its reads; an engine that loses its history at close loads it first. */
extern const struct turns_player history_player;

struct recovery_spec {
    const char *database; /* already bulk-loaded */
    uint64_t tail_bytes;
};
/* Write the tail without sync and die of SIGKILL. */
void recovery_write(const struct run *run, const void *recovery_spec);
/* Open again, time the first answer, and look for acknowledged writes that are gone. */
void recovery_open(const struct run *run, const void *recovery_spec);

#endif
