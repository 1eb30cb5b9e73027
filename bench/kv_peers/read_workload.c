/* read_workload.c -- gets, misses, scans, and reads beside a paced writer. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file_tree.h"
#include "workloads.h"

#define SHORT_SCAN_ROWS 100
#define PACED_WRITES_S 20000.0

struct reader {
    const struct run *run;
    const struct read_spec *spec;
    void *db;
    unsigned number;
    uint64_t ops;
    uint64_t errors;
    uint64_t rows;
    uint64_t checksum; /* of what scans met, so that no read is optimised away */
    struct measure_histogram latency;
};

struct paced_writer {
    const struct run *run;
    const struct read_spec *spec;
    void *db;
    _Atomic int *is_over; /* stored by the parent once the reader is done */
    uint64_t written;
    uint64_t errors;
};

/* At most `limit` rows from `key` (NULL: the first); returns how many there were. */
static uint64_t scan(const struct kvp_engine *e, void *thread, const char *key, uint64_t limit,
                     uint64_t *checksum)
{
    struct kvp_pair row;
    uint64_t rows = 0;
    void *iter = e->iter_new(thread, 0);
    int rc = e->iter_seek(iter, key, KVP_KEY_BYTES);
    while (rc == 0) {
        e->iter_get(iter, &row);
        *checksum += (unsigned char)row.key[row.key_size - 1];
        *checksum += (unsigned char)row.value[row.value_size - 1];
        if (++rows >= limit) {
            break;
        }
        rc = e->iter_next(iter);
    }
    e->iter_free(iter);
    return rows;
}

static void scan_once(struct reader *r, void *thread, uint64_t index)
{
    char key[KVP_KEY_BYTES];
    uint64_t left = r->spec->key_count - index;
    data_key(key, 2 * index);
    uint64_t before = measure_now_ns();
    uint64_t rows = scan(r->run->engine, thread, key, SHORT_SCAN_ROWS, &r->checksum);
    measure_histogram_add(&r->latency, measure_now_ns() - before);
    r->rows += rows;
    if (rows != (left < SHORT_SCAN_ROWS ? left : SHORT_SCAN_ROWS)) {
        r->errors++;
    }
}

static void get_once(struct reader *r, void *thread, uint64_t index, char *buffer)
{
    const struct read_spec *spec = r->spec;
    char key[KVP_KEY_BYTES];
    size_t size = 0;
    data_key(key, 2 * index + (spec->is_missing ? 1 : 0));
    uint64_t before = measure_now_ns();
    int rc = r->run->engine->get(thread, key, buffer, spec->value_bytes, &size);
    measure_histogram_add(&r->latency, measure_now_ns() - before);
    int is_right = rc == (spec->is_missing ? 1 : 0);
    if (rc == 0 && spec->kind != READ_WHILE_WRITING) {
        is_right = is_right && size == spec->value_bytes &&
                   (data_tag_of(buffer, size) == data_tag(index, 0) ||
                    (spec->is_overwritten && data_tag_of(buffer, size) == data_tag(index, 1)));
    }
    if (!is_right) {
        r->errors++;
    }
}

static void *reader_main(void *arg)
{
    struct reader *r = arg;
    void *thread = r->run->engine->thread_begin(r->db);
    struct data_random random = {r->run->options.seed * 31 + 101u * r->number + 1};
    char *buffer = malloc(r->spec->value_bytes);
    uint64_t start = measure_now_ns();
    if (buffer == NULL) {
        _exit(5);
    }
    do {
        uint64_t index = data_random_below(&random, r->spec->key_count);
        if (r->spec->kind == READ_SHORT_SCAN) {
            scan_once(r, thread, index);
        } else {
            get_once(r, thread, index, buffer);
        }
        r->ops++;
    } while (measure_seconds_since(start) < r->spec->limit_s);
    r->run->engine->thread_end(thread);
    free(buffer);
    return NULL;
}

static void *paced_main(void *arg)
{
    struct paced_writer *w = arg;
    const struct kvp_engine *e = w->run->engine;
    void *thread = e->thread_begin(w->db);
    struct data_random random = {w->run->options.seed * 77 + 3};
    char key[KVP_KEY_BYTES];
    char *value = malloc(w->spec->value_bytes);
    uint64_t start = measure_now_ns();
    if (value == NULL) {
        _exit(5);
    }
    while (atomic_load(w->is_over) == 0) {
        if ((double)w->written >= measure_seconds_since(start) * PACED_WRITES_S) {
            measure_sleep_us(200);
            continue;
        }
        uint64_t index = data_random_below(&random, w->spec->key_count);
        struct data_value v = {index, 1 + w->written, w->run->options.value_mode};
        struct kvp_pair pair = {key, KVP_KEY_BYTES, value, w->spec->value_bytes, 0};
        data_key(key, 2 * index);
        data_value_fill(&v, value, w->spec->value_bytes);
        if (e->put(thread, &pair) != 0) {
            w->errors++;
        }
        w->written++;
    }
    e->thread_end(thread);
    free(value);
    return NULL;
}

static void full_scans(const struct run *run, const struct read_spec *spec, void *db,
                       struct run_result *result)
{
    uint64_t checksum = 0;
    void *thread = run->engine->thread_begin(db);
    double cpu = measure_cpu_seconds();
    uint64_t start = measure_now_ns();
    do {
        uint64_t before = measure_now_ns();
        uint64_t rows = scan(run->engine, thread, NULL, UINT64_MAX, &checksum);
        measure_histogram_add(&result->latency, measure_now_ns() - before);
        result->ops += rows;
        if (rows != spec->key_count) {
            result->errors++;
        }
        result->seconds = measure_seconds_since(start);
    } while (result->seconds < spec->limit_s / 2);
    result->cpu_seconds = measure_cpu_seconds() - cpu;
    run->engine->thread_end(thread);
    run_note(result, "ops are rows, latency is a whole scan, checksum %llx",
             (unsigned long long)checksum);
}

static void join_readers(struct reader *readers, const pthread_t *threads, unsigned count,
                         struct run_result *result)
{
    uint64_t rows = 0;
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        measure_histogram_merge(&result->latency, &readers[i].latency);
        result->ops += readers[i].ops;
        result->errors += readers[i].errors;
        rows += readers[i].rows;
    }
    if (rows > 0) {
        run_note(result, "%llu rows", (unsigned long long)rows);
    }
}

static void run_readers(const struct run *run, const struct read_spec *spec, void *db,
                        struct run_result *result)
{
    unsigned count = spec->thread_count > 0 ? (unsigned)spec->thread_count : 1;
    pthread_t threads[RUN_THREADS_MAX];
    pthread_t paced;
    _Atomic int is_over = 0;
    struct paced_writer writer = {run, spec, db, &is_over, 0, 0};
    struct reader *readers = calloc(count, sizeof *readers);
    if (readers == NULL) {
        _exit(5);
    }
    double cpu = measure_cpu_seconds();
    uint64_t start = measure_now_ns();
    for (unsigned i = 0; i < count; i++) {
        readers[i] = (struct reader){.run = run, .spec = spec, .db = db, .number = i};
        pthread_create(&threads[i], NULL, reader_main, &readers[i]);
    }
    if (spec->kind == READ_WHILE_WRITING) {
        pthread_create(&paced, NULL, paced_main, &writer);
    }
    join_readers(readers, threads, count, result);
    result->seconds = measure_seconds_since(start);
    result->cpu_seconds = measure_cpu_seconds() - cpu;
    atomic_store(&is_over, 1);
    if (spec->kind == READ_WHILE_WRITING) {
        pthread_join(paced, NULL);
        result->errors += writer.errors;
        run_note(result, "writer at %.0f of %.0f/s", (double)writer.written / result->seconds,
                 PACED_WRITES_S);
    }
    free(readers);
}

void read_workload(const struct run *run, const void *read_spec)
{
    const struct read_spec *spec = read_spec;
    char path[RUN_PATH_BYTES];
    uint64_t checksum = 0;
    run_path(run, spec->database, path);
    struct kvp_config config = run_config(run, path);
    config.cache_bytes = spec->cache_bytes;
    void *db = run_open(run, &config);
    struct run_result *result = run_result_new();
    void *thread = run->engine->thread_begin(db);
    scan(run->engine, thread, NULL, UINT64_MAX, &checksum); /* warm */
    run->engine->thread_end(thread);
    measure_rss_reset();
    if (spec->kind == READ_FULL_SCAN) {
        full_scans(run, spec, db, result);
    } else {
        run_readers(run, spec, db, result);
    }
    result->disk_bytes = file_tree_bytes(path);
    run_emit(run, spec->workload, result);
    run->engine->close(db);
    free(result);
}
