/* be_lmdb.c -- LMDB.  One write transaction per put or batch; "not synced" is MDB_NOSYNC, which
 * survives a process crash as an unsynced log does.  One writer at a time: commits of several
 * threads cannot share a sync. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvp.h"

#define BULK_ROWS 100000

struct lmdb {
    MDB_env *env;
    MDB_dbi dbi;
};

struct lmdb_thread {
    struct lmdb *lmdb;
    MDB_txn *read;
};

struct lmdb_iter {
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
};

static int failed(int rc, const char *what)
{
    if (rc == 0) {
        return 0;
    }
    fprintf(stderr, "lmdb %s: %s\n", what, mdb_strerror(rc));
    return 1;
}

/* LMDB only reads what a MDB_val that goes in points at. */
static MDB_val val(const char *data, size_t size)
{
    return (MDB_val){size, (void *)(uintptr_t)data};
}

static const char *lmdb_version(void)
{
    static char text[32];
    int major, minor, patch;
    mdb_version(&major, &minor, &patch);
    snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
    return text;
}

static void *lmdb_open(const struct kvp_config *config)
{
    struct lmdb *l = calloc(1, sizeof *l);
    unsigned flags = MDB_NOTLS | (config->is_sync ? 0u : MDB_NOSYNC);
    MDB_txn *txn;
    if (l == NULL || failed(mdb_env_create(&l->env), "create")) {
        return NULL;
    }
    mdb_env_set_mapsize(l->env, config->map_bytes);
    mdb_env_set_maxreaders(l->env, 64);
    if (failed(mdb_env_open(l->env, config->dir, flags, 0644), "open") ||
        failed(mdb_txn_begin(l->env, NULL, 0, &txn), "begin") ||
        failed(mdb_dbi_open(txn, NULL, 0, &l->dbi), "dbi") ||
        failed(mdb_txn_commit(txn), "commit")) {
        return NULL;
    }
    return l;
}

static void lmdb_close(void *db)
{
    struct lmdb *l = db;
    mdb_env_close(l->env);
    free(l);
}

static void *lmdb_thread_begin(void *db)
{
    struct lmdb_thread *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->lmdb = db;
    if (failed(mdb_txn_begin(t->lmdb->env, NULL, MDB_RDONLY, &t->read), "begin")) {
        return NULL;
    }
    mdb_txn_reset(t->read);
    return t;
}

static void lmdb_thread_end(void *thread)
{
    struct lmdb_thread *t = thread;
    mdb_txn_abort(t->read);
    free(t);
}

static int lmdb_batch(void *thread, const struct kvp_pair *pairs, size_t count)
{
    struct lmdb *l = ((struct lmdb_thread *)thread)->lmdb;
    MDB_txn *txn;
    if (failed(mdb_txn_begin(l->env, NULL, 0, &txn), "begin")) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        MDB_val key = val(pairs[i].key, pairs[i].key_size);
        MDB_val value = val(pairs[i].value, pairs[i].value_size);
        if (failed(mdb_put(txn, l->dbi, &key, &value, 0), "put")) {
            mdb_txn_abort(txn);
            return -1;
        }
    }
    return failed(mdb_txn_commit(txn), "commit") ? -1 : 0;
}

static int lmdb_put(void *thread, const struct kvp_pair *pair)
{
    return lmdb_batch(thread, pair, 1);
}

static int lmdb_get(void *thread, const char *key, char *buffer, size_t capacity, size_t *size_out)
{
    struct lmdb_thread *t = thread;
    MDB_val wanted = val(key, KVP_KEY_BYTES);
    MDB_val value;
    if (failed(mdb_txn_renew(t->read), "renew")) {
        return -1;
    }
    int rc = mdb_get(t->read, t->lmdb->dbi, &wanted, &value);
    if (rc == 0) {
        *size_out = value.mv_size;
        memcpy(buffer, value.mv_data, value.mv_size < capacity ? value.mv_size : capacity);
    }
    mdb_txn_reset(t->read);
    if (rc == MDB_NOTFOUND) {
        return 1;
    }
    return failed(rc, "get") ? -1 : 0;
}

static void *lmdb_iter_new(void *thread, int is_point)
{
    struct lmdb_thread *t = thread;
    struct lmdb_iter *i = calloc(1, sizeof *i);
    (void)is_point;
    if (i == NULL || failed(mdb_txn_begin(t->lmdb->env, NULL, MDB_RDONLY, &i->txn), "begin") ||
        failed(mdb_cursor_open(i->txn, t->lmdb->dbi, &i->cursor), "cursor")) {
        return NULL;
    }
    return i;
}

static int lmdb_step(struct lmdb_iter *i, MDB_cursor_op op)
{
    int rc = mdb_cursor_get(i->cursor, &i->key, &i->value, op);
    if (rc == MDB_NOTFOUND) {
        return 1;
    }
    return failed(rc, "cursor_get") ? -1 : 0;
}

static int lmdb_iter_seek(void *iter, const char *key, size_t key_size)
{
    struct lmdb_iter *i = iter;
    if (key == NULL) {
        return lmdb_step(i, MDB_FIRST);
    }
    i->key = val(key, key_size);
    return lmdb_step(i, MDB_SET_RANGE);
}

static int lmdb_iter_next(void *iter)
{
    return lmdb_step(iter, MDB_NEXT);
}

static void lmdb_iter_get(void *iter, struct kvp_pair *row)
{
    struct lmdb_iter *i = iter;
    *row = (struct kvp_pair){i->key.mv_data, i->key.mv_size, i->value.mv_data, i->value.mv_size, 0};
}

static void lmdb_iter_free(void *iter)
{
    struct lmdb_iter *i = iter;
    mdb_cursor_close(i->cursor);
    mdb_txn_abort(i->txn);
    free(i);
}

static int lmdb_settle(void *db)
{
    struct lmdb *l = db;
    return failed(mdb_env_sync(l->env, 1), "sync") ? -1 : 0;
}

/* One transaction of up to BULK_ROWS appended rows; `*is_more` says whether rows are left. */
static int append_rows(struct lmdb *l, kvp_next_fn next, void *arg, int *is_more)
{
    struct kvp_pair pair;
    MDB_txn *txn;
    if (failed(mdb_txn_begin(l->env, NULL, 0, &txn), "begin")) {
        return -1;
    }
    for (int i = 0; i < BULK_ROWS && (*is_more = next(arg, &pair)) != 0; i++) {
        MDB_val key = val(pair.key, pair.key_size);
        MDB_val value = val(pair.value, pair.value_size);
        if (failed(mdb_put(txn, l->dbi, &key, &value, MDB_APPEND), "append")) {
            mdb_txn_abort(txn);
            return -1;
        }
    }
    return failed(mdb_txn_commit(txn), "commit") ? -1 : 0;
}

static int lmdb_bulk(void *db, kvp_next_fn next, void *arg)
{
    int is_more = 1;
    int rc = 0;
    while (is_more && rc == 0) {
        rc = append_rows(db, next, arg, &is_more);
    }
    return rc;
}

const struct kvp_engine kvp_lmdb = {
    .name = "lmdb",
    .version = lmdb_version,
    .open = lmdb_open,
    .close = lmdb_close,
    .thread_begin = lmdb_thread_begin,
    .thread_end = lmdb_thread_end,
    .put = lmdb_put,
    .get = lmdb_get,
    .batch = lmdb_batch,
    .iter_new = lmdb_iter_new,
    .iter_seek = lmdb_iter_seek,
    .iter_next = lmdb_iter_next,
    .iter_get = lmdb_iter_get,
    .iter_free = lmdb_iter_free,
    .settle = lmdb_settle,
    .bulk = lmdb_bulk,
};
