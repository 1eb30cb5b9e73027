/* write_workload.c -- loads: one put per operation or one batch, one thread or many. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "file_tree.h"
#include "workloads.h"

/* Shared by the writers of one workload; all but the two counters is constant once they run. */
struct write_state {
    const struct run *run;
    const struct write_spec *spec;
    void *db;
    uint64_t batch;
    uint64_t start_ns;
    struct data_permutation permutation;
    _Atomic uint64_t
        next; /* claimed by the writers, a batch at a time; no other data hangs on it */
};

struct writer {
    struct write_state *state;
    unsigned number;
    uint64_t done;
    uint64_t errors;
    struct data_random random;
    char *keys;
    char *values;
    struct kvp_pair *pairs;
    struct measure_histogram latency;
};

static uint64_t key_of(struct writer *w, uint64_t step)
{
    const struct write_state *s = w->state;
    switch (s->spec->order) {
    case WRITE_SEQUENTIAL:
        return step;
    case WRITE_PERMUTED:
        return data_permutation_forward(&s->permutation, step);
    default:
        return data_random_below(&w->random, s->permutation.count);
    }
}

static void make_pairs(struct writer *w, uint64_t step, uint64_t count)
{
    const struct write_spec *spec = w->state->spec;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t index = key_of(w, step + i);
        char *key = w->keys + i * KVP_KEY_BYTES;
        char *value = w->values + i * spec->value_bytes;
        struct data_value v = {index, spec->version, w->state->run->options.value_mode};
        data_key(key, 2 * index);
        data_value_fill(&v, value, spec->value_bytes);
        w->pairs[i] = (struct kvp_pair){key, KVP_KEY_BYTES, value, spec->value_bytes, 0};
    }
}

static void write_all(struct writer *w, void *thread)
{
    struct write_state *s = w->state;
    const struct kvp_engine *e = s->run->engine;
    for (;;) {
        uint64_t step = atomic_fetch_add(&s->next, s->batch);
        if (step >= s->spec->op_count) {
            return;
        }
        uint64_t left = s->spec->op_count - step;
        uint64_t count = left < s->batch ? left : s->batch;
        make_pairs(w, step, count);
        uint64_t before = measure_now_ns();
        int rc = s->batch == 1 ? e->put(thread, w->pairs) : e->batch(thread, w->pairs, count);
        uint64_t after = measure_now_ns();
        measure_histogram_add(&w->latency, after - before);
        if (rc != 0) {
            w->errors++;
            return;
        }
        w->done += count;
        if ((double)(after - s->start_ns) > s->spec->limit_s * 1e9) {
            return;
        }
    }
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    struct write_state *s = w->state;
    void *thread = s->run->engine->thread_begin(s->db);
    w->random.state = s->run->options.seed + 7919u * w->number;
    w->keys = malloc(s->batch * KVP_KEY_BYTES);
    w->values = malloc(s->batch * s->spec->value_bytes);
    w->pairs = malloc(s->batch * sizeof *w->pairs);
    if (w->keys == NULL || w->values == NULL || w->pairs == NULL) {
        _exit(5);
    }
    write_all(w, thread);
    s->run->engine->thread_end(thread);
    free(w->keys);
    free(w->values);
    free(w->pairs);
    return NULL;
}

static void run_writers(struct write_state *s, struct run_result *result)
{
    unsigned count = s->spec->thread_count > 0 ? (unsigned)s->spec->thread_count : 1;
    pthread_t threads[RUN_THREADS_MAX];
    struct writer *writers = calloc(count, sizeof *writers);
    if (writers == NULL) {
        _exit(5);
    }
    double cpu = measure_cpu_seconds();
    s->start_ns = measure_now_ns();
    for (unsigned i = 0; i < count; i++) {
        writers[i].state = s;
        writers[i].number = i;
        pthread_create(&threads[i], NULL, writer_main, &writers[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        measure_histogram_merge(&result->latency, &writers[i].latency);
        result->ops += writers[i].done;
        result->errors += writers[i].errors;
    }
    result->seconds = measure_seconds_since(s->start_ns);
    result->cpu_seconds = measure_cpu_seconds() - cpu;
    free(writers);
}

struct bulk_source {
    uint64_t next;
    const struct write_spec *spec;
    enum data_value_mode mode;
    char key[KVP_KEY_BYTES];
    char *value;
};

static int bulk_next(void *arg, struct kvp_pair *pair)
{
    struct bulk_source *b = arg;
    if (b->next >= b->spec->op_count) {
        return 0;
    }
    struct data_value v = {b->next, 0, b->mode};
    data_key(b->key, 2 * b->next);
    data_value_fill(&v, b->value, b->spec->value_bytes);
    *pair = (struct kvp_pair){b->key, KVP_KEY_BYTES, b->value, b->spec->value_bytes, 0};
    b->next++;
    return 1;
}

/* The clock stops when the engine has settled: a bulk load counts when it is in place. */
static void run_bulk(struct write_state *s, struct run_result *result)
{
    const struct kvp_engine *e = s->run->engine;
    struct bulk_source source = {.spec = s->spec, .mode = s->run->options.value_mode};
    source.value = malloc(s->spec->value_bytes);
    if (source.value == NULL) {
        _exit(5);
    }
    double cpu = measure_cpu_seconds();
    uint64_t start = measure_now_ns();
    if (e->bulk(s->db, bulk_next, &source) != 0 || (e->settle != NULL && e->settle(s->db) != 0)) {
        result->errors++;
    }
    result->seconds = measure_seconds_since(start);
    result->cpu_seconds = measure_cpu_seconds() - cpu;
    result->ops = source.next;
    free(source.value);
}

void write_workload(const struct run *run, const void *write_spec)
{
    const struct write_spec *spec = write_spec;
    char path[RUN_PATH_BYTES];
    run_path(run, spec->database, path);
    if (spec->is_fresh) {
        file_tree_remove(path);
    }
    file_tree_make(path);
    struct kvp_config config = run_config(run, path);
    config.is_sync = spec->is_sync;
    if (spec->memtable_bytes > 0) {
        config.memtable_bytes = spec->memtable_bytes;
    }
    struct write_state s = {.run = run, .spec = spec, .batch = spec->batch > 0 ? spec->batch : 1};
    struct run_result *result = run_result_new();
    struct measure_io before;
    s.db = run_open(run, &config);
    data_permutation_init(&s.permutation, spec->key_space > 0 ? spec->key_space : spec->op_count,
                          run->options.seed + 5);
    measure_rss_reset();
    measure_io_read(&before);
    if (spec->is_bulk) {
        run_bulk(&s, result);
    } else {
        run_writers(&s, result);
        if (s.batch > 1) {
            run_note(result, "latency per batch of %llu", (unsigned long long)s.batch);
        }
    }
    run_finish_writes(run, s.db, result, &before,
                      (double)result->ops * (double)(KVP_KEY_BYTES + spec->value_bytes));
    result->disk_bytes = file_tree_bytes(path);
    run_emit(run, spec->workload, result);
    run->engine->close(s.db);
    free(result);
}
