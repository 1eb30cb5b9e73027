/* recovery_workload.c -- a process dies with a long log tail; how soon does the next one answer? */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "file_tree.h"
#include "workloads.h"

#define FIRST_VERSION 9
#define SAMPLE_EVERY 97

/* Write j of the tail is version FIRST_VERSION + j / n of the key at j % n of a permutation. */
struct tail {
    struct data_permutation order;
    uint64_t key_count;
    uint64_t write_count;
    size_t value_bytes;
    enum data_value_mode mode;
    char key[KVP_KEY_BYTES];
    char *value;
};

static void tail_init(struct tail *t, const struct run *run, const struct recovery_spec *spec)
{
    t->key_count = run->options.key_count;
    t->value_bytes = run->options.value_bytes;
    t->mode = run->options.value_mode;
    t->write_count = spec->tail_bytes / (KVP_KEY_BYTES + t->value_bytes);
    t->value = malloc(t->value_bytes);
    if (t->value == NULL) {
        _exit(5);
    }
    data_permutation_init(&t->order, t->key_count, run->options.seed + 99);
}

static struct data_value tail_write(struct tail *t, uint64_t number)
{
    uint64_t index = data_permutation_forward(&t->order, number % t->key_count);
    data_key(t->key, 2 * index);
    return (struct data_value){index, FIRST_VERSION + number / t->key_count, t->mode};
}

void recovery_write(const struct run *run, const void *recovery_spec)
{
    const struct recovery_spec *spec = recovery_spec;
    struct run big = *run;
    struct tail t;
    char path[RUN_PATH_BYTES];
    big.has_big_memtable = 1;
    run_path(run, spec->database, path);
    struct kvp_config config = run_config(&big, path);
    void *db = run_open(run, &config);
    void *thread = run->engine->thread_begin(db);
    tail_init(&t, run, spec);
    for (uint64_t i = 0; i < t.write_count; i++) {
        struct data_value v = tail_write(&t, i);
        struct kvp_pair pair = {t.key, KVP_KEY_BYTES, t.value, t.value_bytes, 0};
        data_value_fill(&v, t.value, t.value_bytes);
        if (run->engine->put(thread, &pair) != 0) {
            _exit(4);
        }
    }
    raise(SIGKILL);
}

static int is_there(struct tail *t, const struct kvp_engine *e, void *thread, uint64_t number)
{
    struct data_value v = tail_write(t, number);
    size_t size = 0;
    return e->get(thread, t->key, t->value, t->value_bytes, &size) == 0 &&
           data_tag_of(t->value, size) == data_tag(v.index, v.version);
}

void recovery_open(const struct run *run, const void *recovery_spec)
{
    const struct recovery_spec *spec = recovery_spec;
    struct run big = *run;
    struct run_result *result = run_result_new();
    struct tail t;
    char path[RUN_PATH_BYTES];
    uint64_t lost = 0;
    uint64_t sampled = 0;
    big.has_big_memtable = 1;
    run_path(run, spec->database, path);
    struct kvp_config config = run_config(&big, path);
    tail_init(&t, run, spec);
    uint64_t start = measure_now_ns();
    void *db = run_open(run, &config);
    void *thread = run->engine->thread_begin(db);
    lost += !is_there(&t, run->engine, thread, t.write_count - 1);
    uint64_t elapsed = measure_now_ns() - start;
    uint64_t first = t.write_count > t.key_count ? t.write_count - t.key_count : 0;
    for (uint64_t i = first; i < t.write_count; i += SAMPLE_EVERY, sampled++) {
        lost += !is_there(&t, run->engine, thread, i);
    }
    result->errors = lost;
    result->ops = 1;
    result->seconds = (double)elapsed / 1e9;
    measure_histogram_add(&result->latency, elapsed);
    result->disk_bytes = file_tree_bytes(path);
    run_note(result, "open and first get after kill -9, %llu MB tail, lost %llu of %llu sampled",
             (unsigned long long)(spec->tail_bytes >> 20), (unsigned long long)lost,
             (unsigned long long)sampled);
    run->engine->thread_end(thread);
    run_emit(run, "recovery", result);
    run->engine->close(db);
    free(t.value);
    free(result);
}
