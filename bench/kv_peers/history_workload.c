/* history_workload.c -- N keys x H versions: load, read as of past moments, timelines, differences.
 *
 * Round r writes every key once, in the order of a permutation of its own: key i gets version r at
 * time r*N + position + 1, so every answer at every time can be computed.  A load commits
 * KVP_HISTORY_BATCH versions at once, and N is a multiple of that, so no commit holds a key twice;
 * past moments are ends of commits, where an engine that dates a commit as a whole and one that
 * dates each version give the same answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_tree.h"
#include "versioned.h"
#include "workloads.h"

#define WARM_MOMENTS 12
#define CHECK_EVERY 8 /* one scan in so many is verified, outside the timing: checks cost more */

struct history {
    const struct run *run;
    const struct history_spec *spec;
    void *db;
    struct versioned versioned;
    uint64_t keys;  /* N */
    uint64_t total; /* N x H: the last time */
    uint64_t scan_keys;
    struct data_random random;
    struct run_result *row;
    struct run_result *turn; /* the slice of the row that is measured */
    unsigned asked;          /* of the row */
    char path[RUN_PATH_BYTES];
};

static struct data_permutation order_of(const struct history *h, uint64_t round)
{
    struct data_permutation p;
    data_permutation_init(&p, h->keys, data_mix(h->run->options.seed * 1000003 + round));
    return p;
}

/* The version of key `index` in force at `ts`; -1: not there yet. */
static long version_at(const struct history *h, uint64_t index, uint64_t ts)
{
    if (ts == 0) {
        return -1;
    }
    struct data_permutation p = order_of(h, (ts - 1) / h->keys);
    long round = (long)((ts - 1) / h->keys);
    return data_permutation_forward(&p, index) <= (ts - 1) % h->keys ? round : round - 1;
}

/* A moment at the end of a commit, from the end of the first round (every key is there) on. */
static uint64_t past_moment(struct history *h, uint64_t last)
{
    if (last <= h->keys) {
        return h->keys;
    }
    uint64_t commits = (last - h->keys) / KVP_HISTORY_BATCH + 1;
    return h->keys + KVP_HISTORY_BATCH * data_random_below(&h->random, commits);
}

/* ---- checks ---- */

struct row_check {
    const struct history *history;
    uint64_t t1;
    uint64_t t2;
    uint64_t next_index;   /* scans: the key expected next */
    uint64_t next_version; /* timelines: one more than the version expected next */
    uint64_t rows;
    uint64_t errors;
    uint64_t checksum;
    int is_on;
};

static int is_version(const char *value, size_t size, uint64_t index, long version)
{
    if (value == NULL) {
        return version < 0;
    }
    return version >= 0 && data_tag_of(value, size) == data_tag(index, (uint64_t)version);
}

static int on_row(void *arg, const struct kvp_pair *row)
{
    struct row_check *c = arg;
    c->rows++;
    c->checksum += data_tag_of(row->value, row->value_size);
    c->checksum += (unsigned char)row->value[row->value_size - 1];
    if (c->is_on) {
        uint64_t index = data_key_index(row->key);
        long version = version_at(c->history, index, c->t1);
        if (index != c->next_index++ || !is_version(row->value, row->value_size, index, version)) {
            c->errors++;
        }
    }
    return 0;
}

static int on_version(void *arg, const struct kvp_pair *row)
{
    struct row_check *c = arg;
    c->rows++;
    c->checksum += data_tag_of(row->value, row->value_size);
    c->checksum += (unsigned char)row->value[row->value_size - 1];
    c->next_version--;
    if (row->ts == 0 ||
        !is_version(row->value, row->value_size, data_key_index(row->key), (long)c->next_version)) {
        c->errors++;
    }
    return 0;
}

static int on_difference(void *arg, const struct kvp_difference *d)
{
    struct row_check *c = arg;
    c->rows++;
    c->checksum += d->before != NULL ? data_tag_of(d->before, d->before_size) : 0;
    c->checksum += d->after != NULL ? data_tag_of(d->after, d->after_size) : 0;
    if (c->is_on) {
        uint64_t index = data_key_index(d->key);
        long before = version_at(c->history, index, c->t1);
        long after = version_at(c->history, index, c->t2);
        if (before == after || !is_version(d->before, d->before_size, index, before) ||
            !is_version(d->after, d->after_size, index, after)) {
            c->errors++;
        }
    }
    return 0;
}

/* ---- life ---- */

static struct history *begin(const struct run *run, const struct history_spec *spec, int is_fresh)
{
    struct history *h = calloc(1, sizeof *h);
    char database[64];
    if (h == NULL) {
        _exit(5);
    }
    snprintf(database, sizeof database, "hist%llu", (unsigned long long)spec->versions_per_key);
    run_path(run, database, h->path);
    if (is_fresh) {
        file_tree_remove(h->path);
    }
    file_tree_make(h->path);
    struct kvp_config config = run_config(run, h->path);
    config.is_history = 1;
    config.cache_bytes = spec->cache_bytes;
    if (spec->memtable_bytes > 0) {
        config.memtable_bytes = spec->memtable_bytes;
    }
    h->run = run;
    h->spec = spec;
    h->keys = spec->key_count;
    h->total = spec->key_count * spec->versions_per_key;
    h->scan_keys = run->options.scan_keys < h->keys ? run->options.scan_keys : h->keys;
    h->random.state = run->options.seed * 1777 + spec->versions_per_key;
    h->row = run_result_new();
    h->turn = run_result_new();
    h->db = run_open(run, &config);
    return h;
}

static void end(struct history *h)
{
    free(h->row);
    free(h->turn);
    free(h);
}

static void tell_row(struct history *h, const char *name)
{
    char workload[96];
    snprintf(workload, sizeof workload, "h%llu_%s%s", (unsigned long long)h->spec->versions_per_key,
             name, h->spec->suffix);
    h->row->disk_bytes = file_tree_bytes(h->path);
    run_emit(h->run, workload, h->row);
    run_result_clear(h->row);
    h->asked = 0;
}

/* ---- load ---- */

struct load_buffers {
    char keys[KVP_HISTORY_BATCH * KVP_KEY_BYTES];
    struct kvp_pair pairs[KVP_HISTORY_BATCH];
    char *values;
};

static void make_batch(const struct history *h, uint64_t step, struct load_buffers *b)
{
    size_t value_bytes = h->run->options.value_bytes;
    uint64_t round = step / h->keys;
    struct data_permutation p = order_of(h, round);
    for (uint64_t i = 0; i < KVP_HISTORY_BATCH; i++) {
        uint64_t index = data_permutation_inverse(&p, (step + i) % h->keys);
        struct data_value v = {index, round, h->spec->value_mode};
        char *key = b->keys + i * KVP_KEY_BYTES;
        char *value = b->values + i * value_bytes;
        data_key(key, index);
        data_value_fill(&v, value, value_bytes);
        b->pairs[i] = (struct kvp_pair){key, KVP_KEY_BYTES, value, value_bytes, step + i + 1};
    }
}

/* Key, time and value as the user counts them. */
static double version_bytes(const struct history *h)
{
    return (double)(KVP_KEY_BYTES + 8 + h->run->options.value_bytes);
}

static uint64_t load_versions(struct history *h, struct load_buffers *b)
{
    uint64_t start = measure_now_ns();
    uint64_t step = 0;
    while (step < h->total && measure_seconds_since(start) < h->run->options.load_s) {
        make_batch(h, step, b);
        uint64_t before = measure_now_ns();
        if (versioned_batch(&h->versioned, b->pairs, KVP_HISTORY_BATCH) != 0) {
            h->row->errors++;
            break;
        }
        measure_histogram_add(&h->row->latency, measure_now_ns() - before);
        step += KVP_HISTORY_BATCH;
    }
    h->row->seconds = measure_seconds_since(start);
    return step;
}

/* Fills the row of the load but for the space it takes, which shows when the database is closed. */
static void load_all(struct history *h)
{
    const struct run_options *o = &h->run->options;
    struct load_buffers *b = malloc(sizeof *b);
    struct measure_io before;
    if (b == NULL || (b->values = malloc(KVP_HISTORY_BATCH * o->value_bytes)) == NULL) {
        _exit(5);
    }
    versioned_begin(&h->versioned, h->run->engine, h->db);
    measure_rss_reset();
    measure_io_read(&before);
    double cpu = measure_cpu_seconds();
    uint64_t loaded = load_versions(h, b);
    h->row->ops = loaded;
    h->row->cpu_seconds = measure_cpu_seconds() - cpu;
    h->row->errors += loaded < h->total;
    versioned_end(&h->versioned);
    run_note(h->row, "latency per batch of %d", KVP_HISTORY_BATCH);
    run_finish_writes(h->run, h->db, h->row, &before, (double)loaded * version_bytes(h));
    free(b->values);
    free(b);
}

/* What is lost at close has neither a size nor a price on disk. */
static void tell_load(struct history *h)
{
    if (h->run->engine->caps & KVP_CAP_HISTORY_VOLATILE) {
        h->row->device_amplification = -1;
    } else {
        run_note(h->row, "space=%.3fx user bytes when closed",
                 (double)file_tree_bytes(h->path) / ((double)h->row->ops * version_bytes(h)));
    }
    tell_row(h, "load");
}

void history_load(const struct run *run, const void *history_spec)
{
    struct history *h = begin(run, history_spec, 1);
    load_all(h);
    run->engine->close(h->db);
    tell_load(h);
    end(h);
}

/* ---- queries ---- */

/* Has the slice that began then so many seconds, and an operation? */
static int is_over(const struct history *h, uint64_t start_ns, double seconds)
{
    return h->turn->ops > 0 && measure_seconds_since(start_ns) >= seconds;
}

static void count_op(struct history *h, uint64_t before_ns, uint64_t after_ns)
{
    measure_histogram_add(&h->turn->latency, after_ns - before_ns);
    h->turn->seconds += (double)(after_ns - before_ns) / 1e9;
    h->turn->ops++;
}

/* Scans take longer than a busy machine leaves a thread alone: their CPU is told beside the time.
 */
static void count_scan(struct history *h, uint64_t cpu_ns)
{
    measure_histogram_add(&h->turn->cpu, cpu_ns);
}

static void query_gets(struct history *h, double seconds)
{
    char key[KVP_KEY_BYTES];
    size_t capacity = h->run->options.value_bytes;
    char *buffer = malloc(capacity);
    uint64_t start = measure_now_ns();
    if (buffer == NULL) {
        _exit(5);
    }
    while (!is_over(h, start, seconds)) {
        uint64_t index = data_random_below(&h->random, h->keys);
        uint64_t ts = past_moment(h, h->total);
        size_t size = 0;
        data_key(key, index);
        uint64_t before = measure_now_ns();
        int rc = versioned_get(&h->versioned, key, ts, buffer, capacity, &size);
        count_op(h, before, measure_now_ns());
        if (!is_version(rc == 0 ? buffer : NULL, size, index, version_at(h, index, ts))) {
            h->turn->errors++;
        }
    }
    free(buffer);
}

static void query_scans(struct history *h, double seconds, int is_latest)
{
    char from[KVP_KEY_BYTES];
    char to[KVP_KEY_BYTES];
    uint64_t start = measure_now_ns();
    while (!is_over(h, start, seconds)) {
        uint64_t index = data_random_below(&h->random, h->keys - h->scan_keys + 1);
        uint64_t ts = is_latest ? KVP_LATEST : past_moment(h, h->total);
        struct kvp_span span = {from, to, ts, 0};
        struct row_check c = {.history = h, .t1 = is_latest ? h->total : ts, .next_index = index};
        c.is_on = h->asked++ % CHECK_EVERY == 0;
        data_key(from, index);
        data_key(to, index + h->scan_keys);
        uint64_t cpu = measure_thread_ns();
        uint64_t before = measure_now_ns();
        long count = versioned_scan(&h->versioned, &span, on_row, &c);
        uint64_t after = measure_now_ns();
        cpu = measure_thread_ns() - cpu;
        if (!c.is_on) {
            h->turn->rows += c.rows;
            count_op(h, before, after);
            count_scan(h, cpu);
        }
        if (count != (long)h->scan_keys || c.errors > 0) {
            h->turn->errors++;
        }
    }
}

static void query_past_scans(struct history *h, double seconds)
{
    query_scans(h, seconds, 0);
}

static void query_latest_scans(struct history *h, double seconds)
{
    query_scans(h, seconds, 1);
}

static void query_timelines(struct history *h, double seconds)
{
    char key[KVP_KEY_BYTES];
    uint64_t start = measure_now_ns();
    while (!is_over(h, start, seconds)) {
        uint64_t index = data_random_below(&h->random, h->keys);
        struct row_check c = {.history = h, .next_version = h->spec->versions_per_key};
        data_key(key, index);
        uint64_t before = measure_now_ns();
        long count = versioned_history(&h->versioned, key, on_version, &c);
        count_op(h, before, measure_now_ns());
        h->turn->rows += c.rows;
        if (count != (long)h->spec->versions_per_key || c.errors > 0) {
            h->turn->errors++;
        }
    }
}

static long differing_keys(const struct history *h, uint64_t index, uint64_t keys,
                           const struct kvp_span *span)
{
    long count = 0;
    for (uint64_t i = index; i < index + keys; i++) {
        count += version_at(h, i, span->t1) != version_at(h, i, span->t2);
    }
    return count;
}

/* `keys` keys in a row at two moments that are `apart` updates apart. */
static void query_differences(struct history *h, double seconds, uint64_t keys, uint64_t apart)
{
    char from[KVP_KEY_BYTES];
    char to[KVP_KEY_BYTES];
    uint64_t start = measure_now_ns();
    while (!is_over(h, start, seconds)) {
        uint64_t index = data_random_below(&h->random, h->keys - keys + 1);
        uint64_t t1 = past_moment(h, h->total - apart);
        struct kvp_span span = {from, to, t1, t1 + apart};
        struct row_check c = {.history = h, .t1 = t1, .t2 = t1 + apart};
        c.is_on = h->asked++ % CHECK_EVERY == 0;
        data_key(from, index);
        data_key(to, index + keys);
        uint64_t cpu = measure_thread_ns();
        uint64_t before = measure_now_ns();
        long count = versioned_diff(&h->versioned, &span, on_difference, &c);
        uint64_t after = measure_now_ns();
        cpu = measure_thread_ns() - cpu;
        if (!c.is_on) {
            h->turn->rows += c.rows;
            count_op(h, before, after);
            count_scan(h, cpu);
        } else if (count != differing_keys(h, index, keys, &span) || c.errors > 0) {
            h->turn->errors++;
        }
    }
}

/* A thousand keys, 1 % of all updates apart. */
static void query_narrow_differences(struct history *h, double seconds)
{
    uint64_t apart = h->total / 100 / KVP_HISTORY_BATCH * KVP_HISTORY_BATCH;
    query_differences(h, seconds, h->scan_keys, apart > 0 ? apart : KVP_HISTORY_BATCH);
}

/* All keys, one batch of updates apart. */
static void query_wide_differences(struct history *h, double seconds)
{
    query_differences(h, seconds, h->keys, KVP_HISTORY_BATCH);
}

/* Read everything once now, and as of moments all over the history. */
static void warm(struct history *h)
{
    char from[KVP_KEY_BYTES];
    char to[KVP_KEY_BYTES];
    struct row_check c = {.history = h};
    data_key(from, 0);
    data_key(to, h->keys + 1);
    uint64_t rounds = h->spec->versions_per_key;
    for (uint64_t i = 0; i <= WARM_MOMENTS; i++) {
        uint64_t round = 1 + (rounds - 1) * i / WARM_MOMENTS;
        struct kvp_span span = {from, to, i == WARM_MOMENTS ? KVP_LATEST : round * h->keys, 0};
        long rows = versioned_scan(&h->versioned, &span, on_row, &c);
        if (rows != (long)h->keys) {
            fprintf(stderr, "%s h%llu: %ld rows after round %llu, not %llu\n", h->run->engine->name,
                    (unsigned long long)rounds, rows, (unsigned long long)round,
                    (unsigned long long)h->keys);
        }
    }
}

/* ---- the player (turns.h) ---- */

static const struct {
    const char *name;
    void (*query)(struct history *h, double seconds);
    double share;     /* of the time of a row */
    const char *unit; /* of what it meets */
    int is_timeline;
    int is_difference;
} rows[] = {
    {"asof_get", query_gets, 1, NULL, 0, 0},
    {"asof_scan", query_past_scans, 1, "rows", 0, 0},
    {"latest_scan", query_latest_scans, 1, "rows", 0, 0},
    {"history", query_timelines, 0.5, "versions", 1, 0},
    {"diff", query_narrow_differences, 0.5, "changed keys", 0, 1},
    {"diff_wide", query_wide_differences, 0.5, "changed keys", 0, 1},
};

/* Engines with a native history need a call for it. */
static int has_row(const struct history *h, unsigned row)
{
    const struct kvp_engine *e = h->run->engine;
    if (rows[row].is_timeline) {
        return e->get_at == NULL || e->history_of != NULL;
    }
    if (rows[row].is_difference) {
        return h->spec->versions_per_key > 1 && (e->get_at == NULL || e->diff != NULL);
    }
    return 1;
}

static void *player_open(const struct run *run, const void *history_spec)
{
    int is_volatile = (run->engine->caps & KVP_CAP_HISTORY_VOLATILE) != 0;
    struct history *h = begin(run, history_spec, is_volatile);
    if (is_volatile) {
        load_all(h);
        tell_load(h);
    }
    versioned_begin(&h->versioned, run->engine, h->db);
    warm(h);
    measure_rss_reset();
    return h;
}

static void player_play(void *player, unsigned row, double share)
{
    struct history *h = player;
    if (has_row(h, row)) {
        rows[row].query(h, h->run->options.read_s * rows[row].share * share);
        run_add_turn(h->row, h->turn);
    }
}

static void player_tell(void *player, unsigned row)
{
    struct history *h = player;
    if (!has_row(h, row)) {
        return;
    }
    if (rows[row].unit != NULL) {
        run_note(h->row, "%.1f %s/op", (double)h->row->rows / (double)h->row->ops, rows[row].unit);
    }
    tell_row(h, rows[row].name);
}

static void player_close(void *player)
{
    struct history *h = player;
    versioned_end(&h->versioned);
    h->run->engine->close(h->db);
    end(h);
}

const struct turns_player history_player = {sizeof rows / sizeof *rows, player_open, player_play,
                                            player_tell, player_close};
