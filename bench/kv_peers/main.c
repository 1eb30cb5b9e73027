/* main.c -- kvbench: the same generated data and workloads for every engine, one JSON line each. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "file_tree.h"
#include "workloads.h"

#define RECOVERY_TAIL_BYTES ((uint64_t)64 << 20)
#define LARGE_VALUE_BYTES 65536
#define LARGE_VALUE_SHARE 500 /* one large value for so many keys */
#define NARROW_MEMTABLES 120  /* a memtable is this part of the data in rows named _narrow */
#define MORE_LOADS_VERSIONS 100
#define ENGINES_MAX 16

static int is_wanted(const struct run *run, const char *workload)
{
    return run_list_has(run->options.workloads, workload);
}

static void writes(const struct run *run, struct write_spec spec)
{
    const struct run_options *o = &run->options;
    spec.op_count = spec.op_count > 0 ? spec.op_count : o->key_count;
    spec.value_bytes = spec.value_bytes > 0 ? spec.value_bytes : o->value_bytes;
    spec.limit_s = spec.limit_s > 0 ? spec.limit_s : o->read_s * 3;
    run_child(run, write_workload, &spec, spec.workload, 0);
}

static void reads(const struct run *run, struct read_spec spec)
{
    const struct run_options *o = &run->options;
    spec.cache_bytes = spec.cache_bytes > 0 ? spec.cache_bytes : o->cache_bytes;
    spec.key_count = spec.key_count > 0 ? spec.key_count : o->key_count;
    spec.value_bytes = spec.value_bytes > 0 ? spec.value_bytes : o->value_bytes;
    spec.limit_s = o->read_s;
    run_child(run, read_workload, &spec, spec.workload, 0);
}

static void run_loads(const struct run *run)
{
    struct write_spec load = {.database = "load", .is_fresh = 1};
    if (is_wanted(run, "fillseq")) {
        load.workload = "fillseq";
        load.order = WRITE_SEQUENTIAL;
        writes(run, load);
    }
    if (is_wanted(run, "fillrandom")) {
        load.workload = "fillrandom";
        load.order = WRITE_PERMUTED;
        writes(run, load);
    }
    if (is_wanted(run, "fillsync")) {
        load.order = WRITE_PERMUTED;
        load.is_sync = 1;
        load.limit_s = run->options.sync_s;
        load.workload = "fillsync_t1";
        writes(run, load);
        load.workload = "fillsync_t8";
        load.thread_count = 8;
        writes(run, load);
    }
    run_remove(run, "load");
}

static void run_reads(const struct run *run)
{
    const char *db = "read";
    size_t small = run->options.small_cache_bytes;
    writes(run, (struct write_spec){.workload = "fillbatch",
                                    .database = db,
                                    .order = WRITE_PERMUTED,
                                    .batch = 1000,
                                    .is_fresh = 1,
                                    .limit_s = run->options.load_s});
    if (is_wanted(run, "read")) {
        reads(run, (struct read_spec){.workload = "readrandom", .database = db});
        reads(run,
              (struct read_spec){.workload = "readrandom_t2", .database = db, .thread_count = 2});
        reads(run, (struct read_spec){.workload = "readmissing", .database = db, .is_missing = 1});
        reads(run, (struct read_spec){
                       .workload = "readrandom_small", .database = db, .cache_bytes = small});
        reads(run, (struct read_spec){.workload = "readmissing_small",
                                      .database = db,
                                      .is_missing = 1,
                                      .cache_bytes = small});
    }
    if (is_wanted(run, "scan")) {
        reads(run,
              (struct read_spec){.workload = "scanfull", .database = db, .kind = READ_FULL_SCAN});
        reads(run,
              (struct read_spec){.workload = "scan100", .database = db, .kind = READ_SHORT_SCAN});
        reads(run, (struct read_spec){.workload = "scan100_small",
                                      .database = db,
                                      .kind = READ_SHORT_SCAN,
                                      .cache_bytes = small});
    }
    if (is_wanted(run, "read")) {
        reads(run, (struct read_spec){
                       .workload = "readwhilewriting", .database = db, .kind = READ_WHILE_WRITING});
    }
    if (is_wanted(run, "overwrite")) {
        writes(run,
               (struct write_spec){
                   .workload = "overwrite", .database = db, .order = WRITE_UNIFORM, .version = 1});
    }
    run_remove(run, db);
}

/* The present alone, far beyond memtables: what a random load and random overwrites of it write,
 * and what reads cost right behind them. */
static void run_narrow(const struct run *run)
{
    const struct run_options *o = &run->options;
    const char *db = "narrow";
    struct write_spec load = {.workload = "fillrandom_narrow",
                              .database = db,
                              .order = WRITE_PERMUTED,
                              .is_fresh = 1,
                              .memtable_bytes = o->key_count * (KVP_KEY_BYTES + o->value_bytes) /
                                                NARROW_MEMTABLES,
                              .limit_s = o->load_s};
    writes(run, load);
    load.workload = "overwrite_narrow";
    load.order = WRITE_UNIFORM;
    load.is_fresh = 0;
    load.version = 1;
    writes(run, load);
    reads(run,
          (struct read_spec){.workload = "readrandom_narrow", .database = db, .is_overwritten = 1});
    reads(run, (struct read_spec){
                   .workload = "scan100_narrow", .database = db, .kind = READ_SHORT_SCAN});
    run_remove(run, db);
}

static void run_large(const struct run *run)
{
    uint64_t count = run->options.key_count / LARGE_VALUE_SHARE;
    count = count > 0 ? count : 1;
    writes(run, (struct write_spec){.workload = "large_fill",
                                    .database = "large",
                                    .order = WRITE_PERMUTED,
                                    .op_count = count,
                                    .is_fresh = 1,
                                    .value_bytes = LARGE_VALUE_BYTES});
    reads(run, (struct read_spec){.workload = "large_read",
                                  .database = "large",
                                  .key_count = count,
                                  .value_bytes = LARGE_VALUE_BYTES});
    run_remove(run, "large");
}

static void run_bulk(const struct run *run)
{
    struct recovery_spec spec = {"bulk", RECOVERY_TAIL_BYTES};
    int is_bulk = run->engine->bulk != NULL;
    writes(run, (struct write_spec){.workload = "bulkload",
                                    .database = spec.database,
                                    .order = WRITE_SEQUENTIAL,
                                    .batch = is_bulk ? 0 : 1000,
                                    .is_bulk = is_bulk,
                                    .is_fresh = 1,
                                    .limit_s = run->options.load_s});
    if (run->engine->caps & KVP_CAP_WAL) {
        int status = run_child(run, recovery_write, &spec, "recovery", 1);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            run_child(run, recovery_open, &spec, "recovery", 0);
        } else {
            run_emit_failed(run, "recovery", "writing the tail");
        }
    }
    run_remove(run, spec.database);
}

/* Loads alone, for what they leave on disk and what they write: versions that change 24 octets, and
 * a history 120 times the memtable. */
static void run_more_loads(const struct run *run, struct history_spec spec)
{
    char database[64];
    char what[96];
    uint64_t bytes =
        spec.key_count * spec.versions_per_key * (KVP_KEY_BYTES + 8 + run->options.value_bytes);
    struct history_spec similar = spec;
    struct history_spec narrow = spec;
    similar.suffix = "_similar";
    similar.value_mode = DATA_VALUES_SIMILAR;
    narrow.suffix = "_narrow";
    narrow.memtable_bytes = bytes / NARROW_MEMTABLES;
    snprintf(database, sizeof database, "hist%llu", (unsigned long long)spec.versions_per_key);
    const struct history_spec *loads[] = {&similar, &narrow};
    for (int i = 0; i < 2; i++) {
        run_remove(run, database);
        snprintf(what, sizeof what, "h%llu_load%s", (unsigned long long)spec.versions_per_key,
                 loads[i]->suffix);
        run_child(run, history_workload, loads[i], what, 0);
    }
}

static void run_history(const struct run *run)
{
    const struct run_options *o = &run->options;
    for (int i = 0; i < o->shape_count; i++) {
        uint64_t versions = o->versions_per_key[i];
        uint64_t keys = o->version_count / versions / KVP_HISTORY_BATCH * KVP_HISTORY_BATCH;
        struct history_spec spec = {.key_count = keys,
                                    .versions_per_key = versions,
                                    .cache_bytes = o->cache_bytes,
                                    .suffix = "",
                                    .value_mode = o->value_mode,
                                    .is_load = 1};
        char what[64];
        snprintf(what, sizeof what, "h%llu", (unsigned long long)versions);
        if (keys == 0) {
            continue;
        }
        spec.is_query = (run->engine->caps & KVP_CAP_HISTORY_VOLATILE) != 0;
        run_child(run, history_workload, &spec, what, 0);
        if (!spec.is_query) {
            spec.is_load = 0;
            spec.is_query = 1;
            run_child(run, history_workload, &spec, what, 0);
            spec.cache_bytes = o->small_cache_bytes;
            spec.suffix = "_small";
            run_child(run, history_workload, &spec, what, 0);
            spec.cache_bytes = o->cache_bytes;
            spec.is_load = 1;
            spec.is_query = 0;
            if (versions == MORE_LOADS_VERSIONS) {
                run_more_loads(run, spec);
            }
        }
        char database[64];
        snprintf(database, sizeof database, "hist%llu", (unsigned long long)versions);
        run_remove(run, database);
    }
}

static void run_engine(const struct run *run)
{
    if (!(run->engine->caps & KVP_CAP_HISTORY_ONLY)) {
        run_loads(run);
        if (is_wanted(run, "read") || is_wanted(run, "scan") || is_wanted(run, "overwrite")) {
            run_reads(run);
        }
        if (is_wanted(run, "narrow")) {
            run_narrow(run);
        }
        if (is_wanted(run, "large")) {
            run_large(run);
        }
        if (is_wanted(run, "bulk")) {
            run_bulk(run);
        }
    }
    if (!(run->engine->caps & KVP_CAP_HISTORY_NONE) && is_wanted(run, "hist")) {
        run_history(run);
    }
    run_remove(run, "");
}

int main(int argc, char **argv)
{
    struct run run = {.engine = NULL};
    run_options_parse(&run.options, argc, argv);
    const struct kvp_engine *wanted[ENGINES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; kvp_engines[i] != NULL && count < ENGINES_MAX; i++) {
        if (run_list_has(run.options.engines, kvp_engines[i]->name)) {
            wanted[count++] = kvp_engines[i];
        }
    }
    /* Each round begins with another one: none is always the first behind what others have left to
     * the disk. */
    for (unsigned i = 0; i < count; i++) {
        run.engine = wanted[(run.options.round - 1 + i) % count];
        run_engine(&run);
    }
    if (run.options.is_own_dir) {
        file_tree_remove(run.options.dir);
    }
    return 0;
}
