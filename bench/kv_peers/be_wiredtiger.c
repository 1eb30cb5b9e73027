/* be_wiredtiger.c -- WiredTiger, in two modes:
 *   wiredtiger     row-store table with the log on; history is composite keys
 *   wiredtiger-ts  native timestamps.  From 10 on a durable history store; in 3.x history lives in
 *                  the cache and the lookaside file and is lost at close.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wiredtiger.h>

#include "kvp.h"

#define BATCH_ATTEMPTS 100

struct tiger {
    WT_CONNECTION *connection;
    uint64_t newest_ts; /* of the one thread that loads a history */
};

struct tiger_thread {
    struct tiger *tiger;
    WT_SESSION *session;
    WT_CURSOR *cursor;
};

static int failed(int rc, const char *what)
{
    if (rc == 0) {
        return 0;
    }
    fprintf(stderr, "wiredtiger %s: %s\n", what, wiredtiger_strerror(rc));
    return 1;
}

static const char *tiger_version(void)
{
    static char text[32];
    int major, minor, patch;
    wiredtiger_version(&major, &minor, &patch);
    snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
    return text;
}

static WT_SESSION *session_of(struct tiger *t)
{
    WT_SESSION *session = NULL;
    return failed(t->connection->open_session(t->connection, NULL, NULL, &session), "session")
               ? NULL
               : session;
}

static WT_CURSOR *cursor_of(WT_SESSION *session, const char *config)
{
    WT_CURSOR *cursor = NULL;
    return failed(session->open_cursor(session, "table:kv", NULL, config, &cursor), "cursor")
               ? NULL
               : cursor;
}

/* Not synced means handed to the system, as the logs of the others are: method=none. */
static void *open_mode(const struct kvp_config *config, int has_timestamps)
{
    struct tiger *t = calloc(1, sizeof *t);
    char open_text[1024];
    char table_text[512];
    snprintf(open_text, sizeof open_text,
             "create,cache_size=%zuMB,session_max=128,"
             "log=(enabled=%s,file_max=64MB,prealloc=false),"
             "transaction_sync=(enabled=true,method=%s)%s",
             config->cache_bytes >> 20, has_timestamps ? "false" : "true",
             config->is_sync ? "fsync" : "none",
             config->compression ? ",extensions=[libwiredtiger_snappy.so]" : "");
    snprintf(table_text, sizeof table_text, "key_format=u,value_format=u%s%s",
             config->compression ? ",block_compressor=snappy" : "",
             has_timestamps ? ",log=(enabled=false)" : "");
    if (t == NULL ||
        failed(wiredtiger_open(config->dir, NULL, open_text, &t->connection), "open")) {
        return NULL;
    }
    WT_SESSION *session = session_of(t);
    if (session == NULL || failed(session->create(session, "table:kv", table_text), "create")) {
        return NULL;
    }
    if (has_timestamps) {
        failed(t->connection->set_timestamp(t->connection, "oldest_timestamp=1"), "oldest");
    }
    session->close(session, NULL);
    return t;
}

static void *tiger_open(const struct kvp_config *config)
{
    return open_mode(config, 0);
}

static void *tiger_open_ts(const struct kvp_config *config)
{
    return open_mode(config, 1);
}

static void tiger_close(void *db)
{
    struct tiger *t = db;
    t->connection->close(t->connection, NULL);
    free(t);
}

static void *tiger_thread_begin(void *db)
{
    struct tiger_thread *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->tiger = db;
    t->session = session_of(db);
    t->cursor = t->session != NULL ? cursor_of(t->session, NULL) : NULL;
    return t->cursor != NULL ? t : NULL;
}

static void tiger_thread_end(void *thread)
{
    struct tiger_thread *t = thread;
    t->session->close(t->session, NULL);
    free(t);
}

static int insert(WT_CURSOR *cursor, const struct kvp_pair *pair)
{
    WT_ITEM key = {.data = pair->key, .size = pair->key_size};
    WT_ITEM value = {.data = pair->value, .size = pair->value_size};
    cursor->set_key(cursor, &key);
    cursor->set_value(cursor, &value);
    return cursor->insert(cursor);
}

static int tiger_put(void *thread, const struct kvp_pair *pair)
{
    struct tiger_thread *t = thread;
    return failed(insert(t->cursor, pair), "insert") ? -1 : 0;
}

static int tiger_get(void *thread, const char *key, char *buffer, size_t capacity, size_t *size_out)
{
    struct tiger_thread *t = thread;
    WT_ITEM wanted = {.data = key, .size = KVP_KEY_BYTES};
    WT_ITEM value;
    t->cursor->set_key(t->cursor, &wanted);
    int rc = t->cursor->search(t->cursor);
    if (rc == WT_NOTFOUND) {
        return 1;
    }
    if (failed(rc, "search") || failed(t->cursor->get_value(t->cursor, &value), "value")) {
        return -1;
    }
    *size_out = value.size;
    memcpy(buffer, value.data, value.size < capacity ? value.size : capacity);
    t->cursor->reset(t->cursor);
    return 0;
}

static int tiger_batch(void *thread, const struct kvp_pair *pairs, size_t count)
{
    struct tiger_thread *t = thread;
    for (int attempt = 0; attempt < BATCH_ATTEMPTS; attempt++) {
        int rc = t->session->begin_transaction(t->session, NULL);
        for (size_t i = 0; rc == 0 && i < count; i++) {
            rc = insert(t->cursor, &pairs[i]);
        }
        if (rc == 0) {
            rc = t->session->commit_transaction(t->session, NULL);
            return failed(rc, "commit") ? -1 : 0;
        }
        t->session->rollback_transaction(t->session, NULL);
        if (rc != WT_ROLLBACK) {
            failed(rc, "batch");
            return -1;
        }
    }
    return -1;
}

static void *tiger_iter_new(void *thread, int is_point)
{
    struct tiger_thread *t = thread;
    (void)is_point;
    return cursor_of(t->session, NULL);
}

static int tiger_iter_next(void *iter)
{
    WT_CURSOR *cursor = iter;
    int rc = cursor->next(cursor);
    if (rc == WT_NOTFOUND) {
        return 1;
    }
    return failed(rc, "next") ? -1 : 0;
}

static int tiger_iter_seek(void *iter, const char *key, size_t key_size)
{
    WT_CURSOR *cursor = iter;
    WT_ITEM wanted = {.data = key, .size = key_size};
    int side;
    if (key == NULL) {
        cursor->reset(cursor);
        return tiger_iter_next(cursor);
    }
    cursor->set_key(cursor, &wanted);
    int rc = cursor->search_near(cursor, &side);
    if (rc == WT_NOTFOUND) {
        return 1;
    }
    if (failed(rc, "search_near")) {
        return -1;
    }
    return side < 0 ? tiger_iter_next(cursor) : 0;
}

static void tiger_iter_get(void *iter, struct kvp_pair *row)
{
    WT_CURSOR *cursor = iter;
    WT_ITEM key;
    WT_ITEM value;
    cursor->get_key(cursor, &key);
    cursor->get_value(cursor, &value);
    *row = (struct kvp_pair){key.data, key.size, value.data, value.size, 0};
}

static void tiger_iter_free(void *iter)
{
    WT_CURSOR *cursor = iter;
    cursor->close(cursor);
}

static int tiger_settle(void *db)
{
    WT_SESSION *session = session_of(db);
    if (session == NULL) {
        return -1;
    }
    int rc = session->checkpoint(session, NULL);
    session->close(session, NULL);
    return failed(rc, "checkpoint") ? -1 : 0;
}

static int tiger_bulk(void *db, kvp_next_fn next, void *arg)
{
    WT_SESSION *session = session_of(db);
    WT_CURSOR *cursor = session != NULL ? cursor_of(session, "bulk") : NULL;
    struct kvp_pair pair;
    if (cursor == NULL) {
        return -1;
    }
    while (next(arg, &pair) != 0) {
        if (failed(insert(cursor, &pair), "bulk insert")) {
            return -1;
        }
    }
    int rc = cursor->close(cursor);
    session->close(session, NULL);
    return failed(rc, "bulk close") ? -1 : 0;
}

/* ---- native timestamps ---- */

static int tiger_batch_at(void *thread, const struct kvp_pair *pairs, size_t count)
{
    struct tiger_thread *t = thread;
    int rc = t->session->begin_transaction(t->session, "isolation=snapshot");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        char text[64];
        snprintf(text, sizeof text, "commit_timestamp=%llx", (unsigned long long)pairs[i].ts);
        rc = t->session->timestamp_transaction(t->session, text);
        if (rc == 0) {
            rc = insert(t->cursor, &pairs[i]);
        }
        if (pairs[i].ts > t->tiger->newest_ts) {
            t->tiger->newest_ts = pairs[i].ts;
        }
    }
    if (rc == 0) {
        rc = t->session->commit_transaction(t->session, NULL);
    } else {
        t->session->rollback_transaction(t->session, NULL);
    }
    return failed(rc, "batch_at") ? -1 : 0;
}

static int begin_at(WT_SESSION *session, uint64_t ts)
{
    char text[64];
    snprintf(text, sizeof text, "isolation=snapshot,read_timestamp=%llx", (unsigned long long)ts);
    return session->begin_transaction(session, ts == KVP_LATEST ? NULL : text);
}

static int tiger_get_at(void *thread, const char *key, uint64_t ts, char *buffer, size_t capacity,
                        size_t *size_out)
{
    struct tiger_thread *t = thread;
    if (failed(begin_at(t->session, ts), "begin")) {
        return -1;
    }
    int rc = tiger_get(thread, key, buffer, capacity, size_out);
    t->session->rollback_transaction(t->session, NULL);
    return rc;
}

static long tiger_scan_at(void *thread, const struct kvp_span *span, kvp_emit_fn emit, void *arg)
{
    struct tiger_thread *t = thread;
    long rows = 0;
    if (failed(begin_at(t->session, span->t1), "begin")) {
        return -1;
    }
    int rc = tiger_iter_seek(t->cursor, span->from, KVP_KEY_BYTES);
    for (; rc == 0; rc = tiger_iter_next(t->cursor)) {
        struct kvp_pair row;
        tiger_iter_get(t->cursor, &row);
        if (memcmp(row.key, span->to, KVP_KEY_BYTES) >= 0) {
            break;
        }
        rows++;
        if (emit(arg, &row) != 0) {
            break;
        }
    }
    t->cursor->reset(t->cursor);
    t->session->rollback_transaction(t->session, NULL);
    return rows;
}

static int is_same_value(const struct kvp_pair *a, const struct kvp_pair *b)
{
    return a->value_size == b->value_size && memcmp(a->value, b->value, a->value_size) == 0;
}

/* Walk two cursors, one at each moment, side by side: 3.x cannot list versions. */
static long merge_moments(WT_CURSOR *before, WT_CURSOR *after, const struct kvp_span *span,
                          kvp_diff_fn emit, void *arg)
{
    long rows = 0;
    int rc_before = tiger_iter_seek(before, span->from, KVP_KEY_BYTES);
    int rc_after = tiger_iter_seek(after, span->from, KVP_KEY_BYTES);
    while (rc_before == 0 || rc_after == 0) {
        struct kvp_pair a = {0};
        struct kvp_pair b = {0};
        int order = rc_before != 0 ? 1 : -1;
        if (rc_before == 0) {
            tiger_iter_get(before, &a);
        }
        if (rc_after == 0) {
            tiger_iter_get(after, &b);
        }
        if (rc_before == 0 && rc_after == 0) {
            order = memcmp(a.key, b.key, KVP_KEY_BYTES);
        }
        struct kvp_difference d = {
            .key = order <= 0 ? a.key : b.key,
            .before = order <= 0 ? a.value : NULL,
            .before_size = order <= 0 ? a.value_size : 0,
            .after = order >= 0 ? b.value : NULL,
            .after_size = order >= 0 ? b.value_size : 0,
        };
        if (memcmp(d.key, span->to, KVP_KEY_BYTES) >= 0) {
            break;
        }
        if (order != 0 || !is_same_value(&a, &b)) {
            rows++;
            if (emit(arg, &d) != 0) {
                break;
            }
        }
        rc_before = order <= 0 ? tiger_iter_next(before) : rc_before;
        rc_after = order >= 0 ? tiger_iter_next(after) : rc_after;
    }
    return rows;
}

static long tiger_diff(void *thread, const struct kvp_span *span, kvp_diff_fn emit, void *arg)
{
    struct tiger_thread *t = thread;
    WT_SESSION *second = session_of(t->tiger);
    WT_CURSOR *after = second != NULL ? cursor_of(second, NULL) : NULL;
    if (after == NULL || failed(begin_at(t->session, span->t1), "begin") ||
        failed(begin_at(second, span->t2), "begin")) {
        return -1;
    }
    long rows = merge_moments(t->cursor, after, span, emit, arg);
    t->cursor->reset(t->cursor);
    t->session->rollback_transaction(t->session, NULL);
    second->close(second, NULL);
    return rows;
}

static int tiger_settle_ts(void *db)
{
    struct tiger *t = db;
    char text[64];
    if (t->newest_ts > 0) {
        snprintf(text, sizeof text, "stable_timestamp=%llx", (unsigned long long)t->newest_ts);
        failed(t->connection->set_timestamp(t->connection, text), "stable");
    }
    return tiger_settle(db);
}

const struct kvp_engine kvp_wiredtiger = {
    .name = "wiredtiger",
    .caps = KVP_CAP_WAL,
    .version = tiger_version,
    .open = tiger_open,
    .close = tiger_close,
    .thread_begin = tiger_thread_begin,
    .thread_end = tiger_thread_end,
    .put = tiger_put,
    .get = tiger_get,
    .batch = tiger_batch,
    .iter_new = tiger_iter_new,
    .iter_seek = tiger_iter_seek,
    .iter_next = tiger_iter_next,
    .iter_get = tiger_iter_get,
    .iter_free = tiger_iter_free,
    .settle = tiger_settle,
    .bulk = tiger_bulk,
};

const struct kvp_engine kvp_wiredtiger_ts = {
    .name = "wiredtiger-ts",
#if WIREDTIGER_VERSION_MAJOR < 10
    .caps = KVP_CAP_HISTORY_ONLY | KVP_CAP_HISTORY_VOLATILE,
#else
    .caps = KVP_CAP_HISTORY_ONLY,
#endif
    .version = tiger_version,
    .open = tiger_open_ts,
    .close = tiger_close,
    .thread_begin = tiger_thread_begin,
    .thread_end = tiger_thread_end,
    .settle = tiger_settle_ts,
    .batch_at = tiger_batch_at,
    .get_at = tiger_get_at,
    .scan_at = tiger_scan_at,
    .diff = tiger_diff,
};
