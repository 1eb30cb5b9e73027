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
    uint64_t number; /* of all readers there were */
    double seconds;
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
    struct data_random random = {r->run->options.seed * 31 + 101 * r->number + 1};
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
    } while (measure_seconds_since(start) < r->seconds);
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

/* An engine's process: the database that it reads, and the row. */
struct read_game {
    const struct run *run;
    const struct read_spec *spec;
    void *db;
    uint64_t readers; /* there were */
    uint64_t checksum;
    struct run_result *row;
    struct run_result *turn;
    char path[RUN_PATH_BYTES];
};

static void full_scans(struct read_game *g, double seconds)
{
    struct run_result *result = g->turn;
    void *thread = g->run->engine->thread_begin(g->db);
    double cpu = measure_cpu_seconds();
    uint64_t start = measure_now_ns();
    do {
        uint64_t before = measure_now_ns();
        uint64_t rows = scan(g->run->engine, thread, NULL, UINT64_MAX, &g->checksum);
        measure_histogram_add(&result->latency, measure_now_ns() - before);
        result->ops += rows;
        if (rows != g->spec->key_count) {
            result->errors++;
        }
        result->seconds = measure_seconds_since(start);
    } while (result->seconds < seconds / 2);
    result->cpu_seconds = measure_cpu_seconds() - cpu;
    g->run->engine->thread_end(thread);
}

static void join_readers(struct reader *readers, const pthread_t *threads, unsigned count,
                         struct run_result *result)
{
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        measure_histogram_merge(&result->latency, &readers[i].latency);
        result->ops += readers[i].ops;
        result->errors += readers[i].errors;
        result->rows += readers[i].rows;
    }
}

static void run_readers(struct read_game *g, double seconds)
{
    const struct read_spec *spec = g->spec;
    unsigned count = spec->thread_count > 0 ? (unsigned)spec->thread_count : 1;
    pthread_t threads[RUN_THREADS_MAX];
    pthread_t paced;
    _Atomic int is_over = 0;
    struct paced_writer writer = {g->run, spec, g->db, &is_over, 0, 0};
    struct reader *readers = calloc(count, sizeof *readers);
    if (readers == NULL) {
        _exit(5);
    }
    double cpu = measure_cpu_seconds();
    uint64_t start = measure_now_ns();
    for (unsigned i = 0; i < count; i++) {
        readers[i] = (struct reader){
            .run = g->run, .spec = spec, .db = g->db, .number = g->readers++, .seconds = seconds};
        pthread_create(&threads[i], NULL, reader_main, &readers[i]);
    }
    if (spec->kind == READ_WHILE_WRITING) {
        pthread_create(&paced, NULL, paced_main, &writer);
    }
    join_readers(readers, threads, count, g->turn);
    g->turn->seconds = measure_seconds_since(start);
    g->turn->cpu_seconds = measure_cpu_seconds() - cpu;
    atomic_store(&is_over, 1);
    if (spec->kind == READ_WHILE_WRITING) {
        pthread_join(paced, NULL);
        g->turn->errors += writer.errors;
        run_note(g->row, "writer at %.0f of %.0f/s", (double)writer.written / g->turn->seconds,
                 PACED_WRITES_S);
    }
    free(readers);
}

static void *read_open(const struct run *run, const void *read_spec)
{
    struct read_game *g = calloc(1, sizeof *g);
    if (g == NULL) {
        _exit(5);
    }
    g->run = run;
    g->spec = read_spec;
    run_path(run, g->spec->database, g->path);
    struct kvp_config config = run_config(run, g->path);
    config.cache_bytes = g->spec->cache_bytes;
    g->row = run_result_new();
    g->turn = run_result_new();
    g->db = run_open(run, &config);
    void *thread = run->engine->thread_begin(g->db);
    scan(run->engine, thread, NULL, UINT64_MAX, &g->checksum); /* warm */
    run->engine->thread_end(thread);
    measure_rss_reset();
    return g;
}

static void read_play(void *player, unsigned row, double share)
{
    struct read_game *g = player;
    double seconds = g->spec->limit_s * share;
    (void)row; /* there is one */
    if (g->spec->kind == READ_FULL_SCAN) {
        full_scans(g, seconds);
    } else {
        run_readers(g, seconds);
    }
    run_add_turn(g->row, g->turn);
}

static void read_tell(void *player, unsigned row)
{
    struct read_game *g = player;
    (void)row;
    if (g->spec->kind == READ_FULL_SCAN) {
        run_note(g->row, "ops are rows, latency is a whole scan, checksum %llx",
                 (unsigned long long)g->checksum);
    } else if (g->row->rows > 0) {
        run_note(g->row, "%llu rows", (unsigned long long)g->row->rows);
    }
    g->row->disk_bytes = file_tree_bytes(g->path);
    run_emit(g->run, g->spec->workload, g->row);
}

static void read_close(void *player)
{
    struct read_game *g = player;
    g->run->engine->close(g->db);
    free(g->row);
    free(g->turn);
    free(g);
}

const struct turns_player read_player = {1, read_open, read_play, read_tell, read_close};

void read_workload(const struct run *run, const void *read_spec)
{
    void *game = read_open(run, read_spec);
    read_play(game, 0, 1);
    read_tell(game, 0);
    read_close(game);
}
