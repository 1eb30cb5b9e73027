/* run.h -- what one run is asked to do, and the row that each workload leaves behind. */
#ifndef YORE_RUN_H
#define YORE_RUN_H

#include <stdint.h>
#include <sys/types.h>

#include "data.h"
#include "kvp.h"
#include "measure.h"

#define RUN_HISTORY_SHAPES_MAX 16
#define RUN_THREADS_MAX 64
#define RUN_ENGINES_MAX 16
#define RUN_TURNS_MAX 16
#define RUN_PATH_BYTES 2048

/* Sizes are octets, limits seconds. */
struct run_options {
    uint64_t key_count;     /* of the key-value workloads */
    uint64_t version_count; /* of each history: keys x versions per key */
    uint64_t scan_keys;     /* keys of one history scan or diff */
    uint64_t seed;
    uint64_t versions_per_key[RUN_HISTORY_SHAPES_MAX];
    int shape_count;
    size_t value_bytes;
    size_t cache_bytes;
    size_t small_cache_bytes; /* of the workloads named _small */
    size_t memtable_bytes;
    double read_s;
    double sync_s;
    double load_s; /* a load that is not done by then fails */
    int compression;
    int bloom_bits;
    enum data_value_mode value_mode;
    unsigned round; /* names this run in its rows */
    char dir[1024];
    int is_own_dir;      /* made for this run: removed at its end */
    const char *engines; /* comma-separated, or "all" */
    const char *workloads;
};

struct run {
    struct run_options options;
    const struct kvp_engine *engine;
    int has_big_memtable; /* recovery: the whole tail fits */
};

/* Fill from the command line; exits with the usage when it makes no sense.  Keeps `argv`. */
void run_options_parse(struct run_options *options, int argc, char **argv);
/* Is `name` in the comma-separated list? */
int run_list_has(const char *list, const char *name);

struct run_result {
    uint64_t ops;
    uint64_t rows;   /* that scans, timelines and differences met */
    uint64_t errors; /* wrong or failed answers */
    double seconds;
    double cpu_seconds;
    double device_amplification;  /* octets at the block layer / user octets; < 0: not measured */
    double written_amplification; /* octets of write() / user octets */
    uint64_t disk_bytes;
    struct measure_histogram latency;
    struct measure_histogram cpu; /* of the calling thread, where an operation takes long enough */
    double turns_us[RUN_TURNS_MAX]; /* medians of the slices it is made of: of cpu if there, or of
                                       latency */
    unsigned turn_count;
    char note[256];
};

struct run_result *run_result_new(void); /* exits when memory is out */
void run_note(struct run_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* `turn` was a slice of the row: add it, and empty it for the next. */
void run_add_turn(struct run_result *row, struct run_result *turn);
/* For the next row. */
void run_result_clear(struct run_result *result);
/* One JSON object on one line of standard output. */
void run_emit(const struct run *run, const char *workload, const struct run_result *result);
void run_emit_failed(const struct run *run, const char *workload, const char *why);
/* Tell of a process that failed, by its wait status; nothing for 0. */
void run_emit_status(const struct run *run, const char *workload, int status);

void run_path(const struct run *run, const char *database, char path_out[RUN_PATH_BYTES]);
void run_remove(const struct run *run, const char *database);
struct kvp_config run_config(const struct run *run, const char *path);
/* Open or exit with a status that the parent reports. */
void *run_open(const struct run *run, const struct kvp_config *config);

/* Settle, wait for background work, and price what was written since `before`. */
void run_finish_writes(const struct run *run, void *db, struct run_result *result,
                       const struct measure_io *before, double user_bytes);

/* Run `work` in a process of its own, so that peak memory and written octets are its own and a
 * crash of one engine costs one row.  Returns the wait status; a row tells of a failure unless
 * `is_quiet`. */
typedef void (*run_work_fn)(const struct run *run, const void *spec);
int run_child(const struct run *run, run_work_fn work, const void *spec, const char *workload,
              int is_quiet);
/* The wait status of a process that is to end; it is killed when it does not. */
int run_wait(pid_t pid);

#endif
