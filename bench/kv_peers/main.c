/* main.c -- kvbench: the same generated data and workloads for every engine, one JSON line each.
 *
 * What is written is measured engine by engine; what is read, once every engine has written it, by
 * turns (turns.h), but for reads whose speed is that of a moment: right behind writes, or beside
 * them.
 */
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

/* The engines of this run.  Each round begins with another one: none is always the first behind
 * what others have left to the disk. */
struct peers {
    struct run runs[RUN_ENGINES_MAX];
    unsigned count;
};

static void each(const struct peers *peers, void (*work)(const struct run *run))
{
    for (unsigned i = 0; i < peers->count; i++) {
        work(&peers->runs[i]);
    }
}

static struct peers without(const struct peers *all, unsigned caps)
{
    struct peers kept = {.count = 0};
    for (unsigned i = 0; i < all->count; i++) {
        if ((all->runs[i].engine->caps & caps) == 0) {
            kept.runs[kept.count++] = all->runs[i];
        }
    }
    return kept;
}

static void remove_all(const struct peers *peers, const char *database)
{
    for (unsigned i = 0; i < peers->count; i++) {
        run_remove(&peers->runs[i], database);
    }
}

static int is_wanted(const struct run_options *o, const char *workload)
{
    return run_list_has(o->workloads, workload);
}

static void writes(const struct run *run, struct write_spec spec)
{
    const struct run_options *o = &run->options;
    spec.op_count = spec.op_count > 0 ? spec.op_count : o->key_count;
    spec.value_bytes = spec.value_bytes > 0 ? spec.value_bytes : o->value_bytes;
    spec.limit_s = spec.limit_s > 0 ? spec.limit_s : o->read_s * 3;
    run_child(run, write_workload, &spec, spec.workload, 0);
}

static struct read_spec whole(const struct run_options *o, struct read_spec spec)
{
    spec.cache_bytes = spec.cache_bytes > 0 ? spec.cache_bytes : o->cache_bytes;
    spec.key_count = spec.key_count > 0 ? spec.key_count : o->key_count;
    spec.value_bytes = spec.value_bytes > 0 ? spec.value_bytes : o->value_bytes;
    spec.limit_s = o->read_s;
    return spec;
}

static void reads(const struct peers *peers, struct read_spec spec)
{
    spec = whole(&peers->runs[0].options, spec);
    turns_run(peers->runs, peers->count, &read_player, &spec, spec.workload);
}

static void reads_alone(const struct run *run, struct read_spec spec)
{
    spec = whole(&run->options, spec);
    run_child(run, read_workload, &spec, spec.workload, 0);
}

static void run_loads(const struct run *run)
{
    struct write_spec load = {.database = "load", .is_fresh = 1};
    if (is_wanted(&run->options, "fillseq")) {
        load.workload = "fillseq";
        load.order = WRITE_SEQUENTIAL;
        writes(run, load);
    }
    if (is_wanted(&run->options, "fillrandom")) {
        load.workload = "fillrandom";
        load.order = WRITE_PERMUTED;
        writes(run, load);
    }
    if (is_wanted(&run->options, "fillsync")) {
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

static void load_reads(const struct run *run)
{
    writes(run, (struct write_spec){.workload = "fillbatch",
                                    .database = "read",
                                    .order = WRITE_PERMUTED,
                                    .batch = 1000,
                                    .is_fresh = 1,
                                    .limit_s = run->options.load_s});
}

static void read_while_writing(const struct run *run)
{
    reads_alone(run, (struct read_spec){.workload = "readwhilewriting",
                                        .database = "read",
                                        .kind = READ_WHILE_WRITING});
}

static void overwrite(const struct run *run)
{
    writes(run,
           (struct write_spec){
               .workload = "overwrite", .database = "read", .order = WRITE_UNIFORM, .version = 1});
}

static void run_reads(const struct peers *peers)
{
    const struct run_options *o = &peers->runs[0].options;
    size_t small = o->small_cache_bytes;
    const struct read_spec gets[] = {
        {.workload = "readrandom"},
        {.workload = "readrandom_t2", .thread_count = 2},
        {.workload = "readmissing", .is_missing = 1},
        {.workload = "readrandom_small", .cache_bytes = small},
        {.workload = "readmissing_small", .is_missing = 1, .cache_bytes = small},
    };
    const struct read_spec scans[] = {
        {.workload = "scanfull", .kind = READ_FULL_SCAN},
        {.workload = "scan100", .kind = READ_SHORT_SCAN},
        {.workload = "scan100_small", .kind = READ_SHORT_SCAN, .cache_bytes = small},
    };
    each(peers, load_reads);
    for (size_t i = 0; is_wanted(o, "read") && i < sizeof gets / sizeof *gets; i++) {
        struct read_spec spec = gets[i];
        spec.database = "read";
        reads(peers, spec);
    }
    for (size_t i = 0; is_wanted(o, "scan") && i < sizeof scans / sizeof *scans; i++) {
        struct read_spec spec = scans[i];
        spec.database = "read";
        reads(peers, spec);
    }
    if (is_wanted(o, "read")) {
        each(peers, read_while_writing);
    }
    if (is_wanted(o, "overwrite")) {
        each(peers, overwrite);
    }
    remove_all(peers, "read");
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
    reads_alone(run, (struct read_spec){
                         .workload = "readrandom_narrow", .database = db, .is_overwritten = 1});
    reads_alone(run, (struct read_spec){
                         .workload = "scan100_narrow", .database = db, .kind = READ_SHORT_SCAN});
    run_remove(run, db);
}

static uint64_t large_count(const struct run_options *o)
{
    uint64_t count = o->key_count / LARGE_VALUE_SHARE;
    return count > 0 ? count : 1;
}

static void load_large(const struct run *run)
{
    writes(run, (struct write_spec){.workload = "large_fill",
                                    .database = "large",
                                    .order = WRITE_PERMUTED,
                                    .op_count = large_count(&run->options),
                                    .is_fresh = 1,
                                    .value_bytes = LARGE_VALUE_BYTES});
}

static void run_large(const struct peers *peers)
{
    each(peers, load_large);
    reads(peers, (struct read_spec){.workload = "large_read",
                                    .database = "large",
                                    .key_count = large_count(&peers->runs[0].options),
                                    .value_bytes = LARGE_VALUE_BYTES});
    remove_all(peers, "large");
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

static void load_history(const struct run *run, const struct history_spec *spec)
{
    char what[96];
    snprintf(what, sizeof what, "h%llu_load%s", (unsigned long long)spec->versions_per_key,
             spec->suffix);
    run_child(run, history_load, spec, what, 0);
}

/* Loads alone, for what they leave on disk and what they write: versions that change 24 octets, and
 * a history 120 times the memtable. */
static void load_more(const struct run *run, const struct history_spec *spec)
{
    uint64_t bytes =
        spec->key_count * spec->versions_per_key * (KVP_KEY_BYTES + 8 + run->options.value_bytes);
    struct history_spec similar = *spec;
    struct history_spec narrow = *spec;
    similar.suffix = "_similar";
    similar.value_mode = DATA_VALUES_SIMILAR;
    narrow.suffix = "_narrow";
    narrow.memtable_bytes = bytes / NARROW_MEMTABLES;
    load_history(run, &similar);
    load_history(run, &narrow);
}

/* Who loses its history at close loads when its turns begin. */
static void run_history(const struct peers *peers, struct history_spec spec)
{
    struct peers lasting = without(peers, KVP_CAP_HISTORY_VOLATILE);
    char what[64];
    snprintf(what, sizeof what, "h%llu", (unsigned long long)spec.versions_per_key);
    for (unsigned i = 0; i < lasting.count; i++) {
        load_history(&lasting.runs[i], &spec);
    }
    turns_run(peers->runs, peers->count, &history_player, &spec, what);
    struct history_spec tight = spec;
    tight.cache_bytes = peers->runs[0].options.small_cache_bytes;
    tight.suffix = "_small";
    turns_run(lasting.runs, lasting.count, &history_player, &tight, what);
    for (unsigned i = 0; spec.versions_per_key == MORE_LOADS_VERSIONS && i < lasting.count; i++) {
        load_more(&lasting.runs[i], &spec);
    }
    snprintf(what, sizeof what, "hist%llu", (unsigned long long)spec.versions_per_key);
    remove_all(peers, what);
}

static void run_histories(const struct peers *peers)
{
    const struct run_options *o = &peers->runs[0].options;
    for (int i = 0; i < o->shape_count; i++) {
        uint64_t versions = o->versions_per_key[i];
        uint64_t keys = o->version_count / versions / KVP_HISTORY_BATCH * KVP_HISTORY_BATCH;
        if (keys > 0) {
            run_history(peers, (struct history_spec){.key_count = keys,
                                                     .versions_per_key = versions,
                                                     .cache_bytes = o->cache_bytes,
                                                     .suffix = "",
                                                     .value_mode = o->value_mode});
        }
    }
}

static void run_present(const struct peers *peers)
{
    const struct run_options *o = &peers->runs[0].options;
    each(peers, run_loads);
    if (is_wanted(o, "read") || is_wanted(o, "scan") || is_wanted(o, "overwrite")) {
        run_reads(peers);
    }
    if (is_wanted(o, "narrow")) {
        each(peers, run_narrow);
    }
    if (is_wanted(o, "large")) {
        run_large(peers);
    }
    if (is_wanted(o, "bulk")) {
        each(peers, run_bulk);
    }
}

static struct peers wanted_peers(const struct run_options *o)
{
    const struct kvp_engine *wanted[RUN_ENGINES_MAX];
    struct peers peers = {.count = 0};
    for (unsigned i = 0; kvp_engines[i] != NULL && peers.count < RUN_ENGINES_MAX; i++) {
        if (run_list_has(o->engines, kvp_engines[i]->name)) {
            wanted[peers.count++] = kvp_engines[i];
        }
    }
    for (unsigned i = 0; i < peers.count; i++) {
        peers.runs[i].options = *o;
        peers.runs[i].engine = wanted[(o->round - 1 + i) % peers.count];
    }
    return peers;
}

int main(int argc, char **argv)
{
    struct run_options options;
    run_options_parse(&options, argc, argv);
    struct peers all = wanted_peers(&options);
    struct peers present = without(&all, KVP_CAP_HISTORY_ONLY);
    struct peers past = without(&all, KVP_CAP_HISTORY_NONE);
    if (present.count > 0) {
        run_present(&present);
    }
    if (past.count > 0 && is_wanted(&options, "hist")) {
        run_histories(&past);
    }
    remove_all(&all, "");
    if (options.is_own_dir) {
        file_tree_remove(options.dir);
    }
    return 0;
}
