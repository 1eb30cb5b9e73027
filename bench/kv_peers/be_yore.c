/* be_yore.c -- Yore, in three modes:
 *   yore       the default keyspace, which keeps everything.  History rows are dated by the writer:
 *              time ts is the valid time BASE + ts, long before the commit.  That is the path of
 *              imports, where every version is back-dated.
 *   yore-live  history as a running system makes it: the clock dates each commit.  The harness asks
 *              by its own times, so the commit time of each batch is remembered in a side file
 *              (one number per KVP_HISTORY_BATCH versions) and looked up outside the engine.
 *   yore-now   a keyspace that keeps only the present, which is what the other stores keep.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yore/yore.h>

#include "kvp.h"

#define BASE_NS INT64_C(1577836800000000000) /* 2020-01-01: the valid time of ts 0 in mode yore */

enum yore_mode { MODE_DATED, MODE_LIVE, MODE_NOW };

struct store {
    struct yore_db *db;
    struct yore_keyspace *keyspace; /* NULL: the default one */
    enum yore_mode mode;
    int64_t *commits; /* MODE_LIVE: of batch i */
    size_t commit_count;
    size_t commit_capacity;
    char commits_path[2100];
};

struct store_thread {
    struct store *store;
    struct yore_batch *batch;
};

static int failed(enum yore_status status, const struct yore_error *error, const char *what)
{
    if (status == YORE_OK) {
        return 0;
    }
    fprintf(stderr, "yore %s: %s: %s\n", what, yore_status_name(status), error->text);
    return 1;
}

static struct yore_bytes bytes(const char *data, size_t size)
{
    return (struct yore_bytes){data, size};
}

/* ---- the times of live commits ---- */

static void load_commits(struct store *s)
{
    FILE *file = fopen(s->commits_path, "rb");
    if (file == NULL) {
        return;
    }
    fseek(file, 0, SEEK_END);
    s->commit_capacity = (size_t)ftell(file) / sizeof *s->commits;
    rewind(file);
    s->commits = malloc(s->commit_capacity * sizeof *s->commits + 1);
    if (s->commits != NULL) {
        s->commit_count = fread(s->commits, sizeof *s->commits, s->commit_capacity, file);
    }
    fclose(file);
}

static void save_commits(const struct store *s)
{
    FILE *file = fopen(s->commits_path, "wb");
    if (file != NULL) {
        fwrite(s->commits, sizeof *s->commits, s->commit_count, file);
        fclose(file);
    }
}

static int note_commit(struct store *s, int64_t commit)
{
    if (s->commit_count == s->commit_capacity) {
        size_t capacity = s->commit_capacity * 2 + 1024;
        int64_t *grown = realloc(s->commits, capacity * sizeof *grown);
        if (grown == NULL) {
            return -1;
        }
        s->commits = grown;
        s->commit_capacity = capacity;
    }
    s->commits[s->commit_count++] = commit;
    return 0;
}

static int64_t moment_of(const struct store *s, uint64_t ts)
{
    if (ts == KVP_LATEST) {
        return YORE_NOW;
    }
    if (s->mode == MODE_DATED) {
        return BASE_NS + (int64_t)ts;
    }
    return s->commits[(ts - 1) / KVP_HISTORY_BATCH];
}

/* ---- opening ---- */

static int open_keyspace(struct store *s, const struct kvp_config *config)
{
    static const enum yore_compression compressions[] = {
        YORE_COMPRESSION_NONE, YORE_COMPRESSION_DEFAULT, YORE_COMPRESSION_ZSTD};
    struct yore_keyspace_options options = {
        .keep = s->mode == MODE_NOW ? YORE_KEEP_NOW : YORE_KEEP_ALL,
        .compression = compressions[config->compression % 3],
    };
    struct yore_error error;
    if (s->mode != MODE_NOW) {
        return failed(yore_keyspace_alter(s->db, NULL, &options, &error), &error, "alter") ? -1 : 0;
    }
    enum yore_status status = yore_keyspace_create(s->db, "bench", &options, &s->keyspace, &error);
    if (status == YORE_EXISTS) {
        status = yore_keyspace_open(s->db, "bench", NULL, &s->keyspace, &error);
    }
    return failed(status, &error, "keyspace") ? -1 : 0;
}

static void *open_mode(const struct kvp_config *config, enum yore_mode mode)
{
    struct store *s = calloc(1, sizeof *s);
    struct yore_options options;
    struct yore_error error;
    if (s == NULL) {
        return NULL;
    }
    s->mode = mode;
    yore_options_init(&options);
    options.durability = config->is_sync ? YORE_DURABILITY_SYNC : YORE_DURABILITY_NONE;
    options.cache_bytes = config->cache_bytes;
    options.memtable_bytes = config->memtable_bytes;
    options.background_threads = (uint32_t)config->background_threads;
    if (failed(yore_open(config->dir, &options, &s->db, &error), &error, "open") ||
        open_keyspace(s, config) != 0) {
        return NULL;
    }
    if (mode == MODE_LIVE && config->is_history) {
        snprintf(s->commits_path, sizeof s->commits_path, "%s.commits", config->dir);
        load_commits(s);
    }
    return s;
}

static void *store_open(const struct kvp_config *config)
{
    return open_mode(config, MODE_DATED);
}

static void *store_open_live(const struct kvp_config *config)
{
    return open_mode(config, MODE_LIVE);
}

static void *store_open_now(const struct kvp_config *config)
{
    return open_mode(config, MODE_NOW);
}

static void store_close(void *db)
{
    struct store *s = db;
    struct yore_error error;
    failed(yore_close(s->db, &error), &error, "close");
    if (s->commits_path[0] != '\0') {
        save_commits(s);
    }
    free(s->commits);
    free(s);
}

static void *store_thread_begin(void *db)
{
    struct store_thread *t = calloc(1, sizeof *t);
    struct yore_error error;
    if (t == NULL) {
        return NULL;
    }
    t->store = db;
    if (failed(yore_batch_new(t->store->db, &t->batch, &error), &error, "batch")) {
        free(t);
        return NULL;
    }
    return t;
}

static void store_thread_end(void *thread)
{
    struct store_thread *t = thread;
    yore_batch_free(t->batch);
    free(t);
}

/* ---- the present ---- */

static int store_put(void *thread, const struct kvp_pair *pair)
{
    struct store *s = ((struct store_thread *)thread)->store;
    struct yore_error error;
    enum yore_status status = yore_put(s->db, s->keyspace, bytes(pair->key, pair->key_size),
                                       bytes(pair->value, pair->value_size), NULL, &error);
    return failed(status, &error, "put") ? -1 : 0;
}

static int get_at(struct store *s, const char *key, const struct yore_time *at, char *buffer,
                  size_t capacity, size_t *size_out)
{
    struct yore_value value;
    struct yore_error error;
    enum yore_status status =
        yore_get(s->db, s->keyspace, bytes(key, KVP_KEY_BYTES), at, &value, &error);
    if (status == YORE_NOT_FOUND) {
        return 1;
    }
    if (failed(status, &error, "get")) {
        return -1;
    }
    *size_out = value.size;
    memcpy(buffer, value.data, value.size < capacity ? value.size : capacity);
    yore_value_release(&value);
    return 0;
}

static int store_get(void *thread, const char *key, char *buffer, size_t capacity, size_t *size_out)
{
    struct store_thread *t = thread;
    return get_at(t->store, key, NULL, buffer, capacity, size_out);
}

static int add(struct store_thread *t, const struct kvp_pair *pair, const struct yore_write *write)
{
    struct yore_error error;
    enum yore_status status =
        yore_batch_put(t->batch, t->store->keyspace, bytes(pair->key, pair->key_size),
                       bytes(pair->value, pair->value_size), write, &error);
    return failed(status, &error, "batch put") ? -1 : 0;
}

static int commit(struct store_thread *t, int64_t *commit_out)
{
    struct yore_error error;
    enum yore_status status =
        yore_batch_commit(t->batch, YORE_DURABILITY_DEFAULT, commit_out, &error);
    return failed(status, &error, "commit") ? -1 : 0;
}

static int store_batch(void *thread, const struct kvp_pair *pairs, size_t count)
{
    struct store_thread *t = thread;
    for (size_t i = 0; i < count; i++) {
        if (add(t, &pairs[i], NULL) != 0) {
            return -1;
        }
    }
    return commit(t, NULL);
}

static int store_bulk(void *db, kvp_next_fn next, void *arg)
{
    struct store *s = db;
    struct yore_load *load;
    struct yore_error error;
    struct kvp_pair pair;
    if (failed(yore_load_open(s->db, s->keyspace, &load, &error), &error, "load")) {
        return -1;
    }
    while (next(arg, &pair) != 0) {
        if (failed(yore_load_put(load, bytes(pair.key, pair.key_size),
                                 bytes(pair.value, pair.value_size), &error),
                   &error, "load put")) {
            yore_load_abort(load);
            return -1;
        }
    }
    return failed(yore_load_commit(load, NULL, &error), &error, "load commit") ? -1 : 0;
}

/* ---- iterators ---- */

static void *store_iter_new(void *thread, int is_point)
{
    struct store *s = ((struct store_thread *)thread)->store;
    struct yore_cursor *cursor;
    struct yore_error error;
    (void)is_point;
    return failed(yore_cursor_open(s->db, s->keyspace, NULL, &cursor, &error), &error, "cursor")
               ? NULL
               : cursor;
}

static int moved(struct yore_cursor *cursor, enum yore_status status)
{
    if (status == YORE_NOT_FOUND) {
        return 1;
    }
    return failed(status, yore_cursor_error(cursor), "cursor move") ? -1 : 0;
}

static int store_iter_seek(void *iter, const char *key, size_t key_size)
{
    struct yore_cursor *cursor = iter;
    return moved(cursor, key == NULL ? yore_cursor_first(cursor)
                                     : yore_cursor_seek(cursor, bytes(key, key_size)));
}

static int store_iter_next(void *iter)
{
    return moved(iter, yore_cursor_next(iter));
}

static void store_iter_get(void *iter, struct kvp_pair *row)
{
    const struct yore_row *r = yore_cursor_row(iter);
    *row = (struct kvp_pair){r->key.data, r->key.size, r->value.data, r->value.size, 0};
}

static void store_iter_free(void *iter)
{
    yore_cursor_close(iter);
}

/* ---- history ---- */

static int store_batch_at(void *thread, const struct kvp_pair *pairs, size_t count)
{
    struct store_thread *t = thread;
    int is_dated = t->store->mode == MODE_DATED;
    int64_t when;
    for (size_t i = 0; i < count; i++) {
        struct yore_write write = {.from = BASE_NS + (int64_t)pairs[i].ts, .to = YORE_FOREVER};
        if (add(t, &pairs[i], is_dated ? &write : NULL) != 0) {
            return -1;
        }
    }
    if (commit(t, &when) != 0) {
        return -1;
    }
    return is_dated ? 0 : note_commit(t->store, when);
}

static int store_get_at(void *thread, const char *key, uint64_t ts, char *buffer, size_t capacity,
                        size_t *size_out)
{
    struct store *s = ((struct store_thread *)thread)->store;
    struct yore_time at = {moment_of(s, ts), YORE_NOW};
    return get_at(s, key, &at, buffer, capacity, size_out);
}

static long store_scan_at(void *thread, const struct kvp_span *span, kvp_emit_fn emit, void *arg)
{
    struct store *s = ((struct store_thread *)thread)->store;
    struct yore_time at = {moment_of(s, span->t1), YORE_NOW};
    struct yore_cursor_options options = {
        .range = {.low = bytes(span->from, KVP_KEY_BYTES), .high = bytes(span->to, KVP_KEY_BYTES)},
        .at = &at,
    };
    struct yore_cursor *cursor;
    struct yore_error error;
    long rows = 0;
    if (failed(yore_cursor_open(s->db, s->keyspace, &options, &cursor, &error), &error, "scan")) {
        return -1;
    }
    int rc = store_iter_next(cursor);
    while (rc == 0) {
        const struct yore_row *r = yore_cursor_row(cursor);
        struct kvp_pair row = {r->key.data, r->key.size, r->value.data, r->value.size,
                               (uint64_t)r->valid_from};
        rows++;
        if (emit(arg, &row) != 0) {
            break;
        }
        rc = store_iter_next(cursor);
    }
    yore_cursor_close(cursor);
    return rc < 0 ? rc : rows;
}

static long store_history_of(void *thread, const char *key, kvp_emit_fn emit, void *arg)
{
    struct store *s = ((struct store_thread *)thread)->store;
    struct yore_timeline_options options = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW, .is_backward = true};
    struct yore_timeline *timeline;
    struct yore_version version;
    struct yore_error error;
    long rows = 0;
    enum yore_status status = yore_timeline_open(s->db, s->keyspace, bytes(key, KVP_KEY_BYTES),
                                                 &options, &timeline, &error);
    if (failed(status, &error, "timeline")) {
        return -1;
    }
    status = yore_timeline_next(timeline, &version, &error);
    while (status == YORE_OK) {
        struct kvp_pair row = {key, KVP_KEY_BYTES, version.value.data, version.value.size,
                               (uint64_t)version.valid_from};
        rows++;
        if (emit(arg, &row) != 0) {
            break;
        }
        status = yore_timeline_next(timeline, &version, &error);
    }
    yore_timeline_close(timeline);
    return status != YORE_NOT_FOUND && failed(status, &error, "timeline") ? -1 : rows;
}

static long store_diff(void *thread, const struct kvp_span *span, kvp_diff_fn emit, void *arg)
{
    struct store *s = ((struct store_thread *)thread)->store;
    struct yore_changes_options options = {
        .range = {.low = bytes(span->from, KVP_KEY_BYTES), .high = bytes(span->to, KVP_KEY_BYTES)},
        .from = moment_of(s, span->t1),
        .to = moment_of(s, span->t2),
        .known = YORE_NOW,
    };
    struct yore_changes *changes;
    struct yore_change change;
    struct yore_error error;
    long rows = 0;
    enum yore_status status = yore_changes_open(s->db, s->keyspace, &options, &changes, &error);
    if (failed(status, &error, "changes")) {
        return -1;
    }
    status = yore_changes_next(changes, &change, &error);
    while (status == YORE_OK) {
        struct kvp_difference d = {change.key.data, change.before.data, change.before.size,
                                   change.after.data, change.after.size};
        rows++;
        if (emit(arg, &d) != 0) {
            break;
        }
        status = yore_changes_next(changes, &change, &error);
    }
    yore_changes_close(changes);
    return status != YORE_NOT_FOUND && failed(status, &error, "changes") ? -1 : rows;
}

static int store_settle(void *db)
{
    struct store *s = db;
    struct yore_error error;
    return failed(yore_flush(s->db, &error), &error, "flush") ? -1 : 0;
}

#define PRESENT_CALLS                                                                              \
    .version = yore_version, .close = store_close, .thread_begin = store_thread_begin,             \
    .thread_end = store_thread_end, .put = store_put, .get = store_get, .batch = store_batch,      \
    .iter_new = store_iter_new, .iter_seek = store_iter_seek, .iter_next = store_iter_next,        \
    .iter_get = store_iter_get, .iter_free = store_iter_free, .settle = store_settle,              \
    .bulk = store_bulk
#define HISTORY_CALLS                                                                              \
    .batch_at = store_batch_at, .get_at = store_get_at, .scan_at = store_scan_at,                  \
    .history_of = store_history_of, .diff = store_diff

const struct kvp_engine kvp_yore = {
    .name = "yore", .caps = KVP_CAP_WAL, .open = store_open, PRESENT_CALLS, HISTORY_CALLS};
const struct kvp_engine kvp_yore_live = {.name = "yore-live",
                                         .caps = KVP_CAP_HISTORY_ONLY,
                                         .open = store_open_live,
                                         PRESENT_CALLS,
                                         HISTORY_CALLS};
const struct kvp_engine kvp_yore_now = {.name = "yore-now",
                                        .caps = KVP_CAP_WAL | KVP_CAP_HISTORY_NONE,
                                        .open = store_open_now,
                                        PRESENT_CALLS};
