#include "versioned.h"

#include <stdlib.h>
#include <string.h>

#include "data.h"

#define COMPOSITE_BYTES (KVP_KEY_BYTES + 8)
#define SKIP_NEXTS 8 /* step over this many versions before paying for a seek */
#define POINT_ITER_USES 4096
#define DIFF_VALUE_BYTES (64 * 1024 + 64)

void versioned_begin(struct versioned *v, const struct kvp_engine *engine, void *db)
{
    memset(v, 0, sizeof *v);
    v->engine = engine;
    v->thread = engine->thread_begin(db);
}

void versioned_end(struct versioned *v)
{
    if (v->point_iter != NULL) {
        v->engine->iter_free(v->point_iter);
    }
    v->engine->thread_end(v->thread);
    free(v->scratch);
    memset(v, 0, sizeof *v);
}

static void composite_key(char *out, const char *key, uint64_t ts)
{
    memcpy(out, key, KVP_KEY_BYTES);
    data_put_be64(out + KVP_KEY_BYTES, ~ts);
}

static uint64_t composite_ts(const struct kvp_pair *row)
{
    return ~data_get_be64(row->key + KVP_KEY_BYTES);
}

static int is_of(const struct kvp_pair *row, const char *key)
{
    return row->key_size == COMPOSITE_BYTES && memcmp(row->key, key, KVP_KEY_BYTES) == 0;
}

int versioned_batch(struct versioned *v, const struct kvp_pair *pairs, size_t count)
{
    const struct kvp_engine *e = v->engine;
    if (e->batch_at != NULL) {
        return e->batch_at(v->thread, pairs, count);
    }
    size_t needed = count * (sizeof *pairs + COMPOSITE_BYTES);
    if (needed > v->scratch_size) {
        free(v->scratch);
        v->scratch = malloc(needed);
        v->scratch_size = v->scratch != NULL ? needed : 0;
        if (v->scratch == NULL) {
            return -1;
        }
    }
    struct kvp_pair *out = (struct kvp_pair *)(void *)v->scratch;
    char *keys = v->scratch + count * sizeof *out;
    for (size_t i = 0; i < count; i++) {
        composite_key(keys + i * COMPOSITE_BYTES, pairs[i].key, pairs[i].ts);
        out[i] = pairs[i];
        out[i].key = keys + i * COMPOSITE_BYTES;
        out[i].key_size = COMPOSITE_BYTES;
    }
    return count == 1 ? e->put(v->thread, out) : e->batch(v->thread, out, count);
}

int versioned_get(struct versioned *v, const char *key, uint64_t ts, char *buffer, size_t capacity,
                  size_t *size_out)
{
    const struct kvp_engine *e = v->engine;
    char target[COMPOSITE_BYTES];
    struct kvp_pair row;
    if (e->get_at != NULL) {
        return e->get_at(v->thread, key, ts, buffer, capacity, size_out);
    }
    if (v->point_iter != NULL && (ts == KVP_LATEST || ++v->point_uses > POINT_ITER_USES)) {
        e->iter_free(v->point_iter);
        v->point_iter = NULL;
    }
    if (v->point_iter == NULL) {
        v->point_iter = e->iter_new(v->thread, 1);
        v->point_uses = 0;
    }
    composite_key(target, key, ts);
    int rc = e->iter_seek(v->point_iter, target, COMPOSITE_BYTES);
    if (rc != 0) {
        return rc;
    }
    e->iter_get(v->point_iter, &row);
    if (!is_of(&row, key)) {
        return 1;
    }
    *size_out = row.value_size;
    memcpy(buffer, row.value, row.value_size < capacity ? row.value_size : capacity);
    return 0;
}

/* Leave the iterator on the first entry of the first user key after `key`. */
static int next_user_key(const struct kvp_engine *e, void *iter, const char *key)
{
    char target[COMPOSITE_BYTES + 1];
    for (int i = 0; i < SKIP_NEXTS; i++) {
        struct kvp_pair row;
        int rc = e->iter_next(iter);
        if (rc != 0) {
            return rc;
        }
        e->iter_get(iter, &row);
        if (!is_of(&row, key)) {
            return 0;
        }
    }
    memcpy(target, key, KVP_KEY_BYTES);
    memset(target + KVP_KEY_BYTES, 0xff, sizeof target - KVP_KEY_BYTES);
    return e->iter_seek(iter, target, sizeof target);
}

/* The iterator is on a version of `key`: move to the first at or before `ts`, maybe to another key.
 */
static int skip_newer(const struct kvp_engine *e, void *iter, const char *key, uint64_t ts)
{
    char target[COMPOSITE_BYTES];
    for (int i = 0; i < SKIP_NEXTS; i++) {
        struct kvp_pair row;
        e->iter_get(iter, &row);
        if (!is_of(&row, key) || composite_ts(&row) <= ts) {
            return 0;
        }
        int rc = e->iter_next(iter);
        if (rc != 0) {
            return rc;
        }
    }
    composite_key(target, key, ts);
    return e->iter_seek(iter, target, COMPOSITE_BYTES);
}

long versioned_scan(struct versioned *v, const struct kvp_span *span, kvp_emit_fn emit, void *arg)
{
    const struct kvp_engine *e = v->engine;
    char target[COMPOSITE_BYTES];
    char key[KVP_KEY_BYTES];
    struct kvp_pair row;
    long rows = 0;
    if (e->scan_at != NULL) {
        return e->scan_at(v->thread, span, emit, arg);
    }
    void *iter = e->iter_new(v->thread, 0);
    composite_key(target, span->from, span->t1);
    int rc = e->iter_seek(iter, target, COMPOSITE_BYTES);
    while (rc == 0) {
        e->iter_get(iter, &row);
        if (memcmp(row.key, span->to, KVP_KEY_BYTES) >= 0) {
            break;
        }
        memcpy(key, row.key, KVP_KEY_BYTES);
        if (composite_ts(&row) > span->t1) {
            rc = skip_newer(e, iter, key, span->t1);
            if (rc != 0) {
                break;
            }
            e->iter_get(iter, &row);
            if (!is_of(&row, key)) {
                continue; /* the key was not there yet */
            }
        }
        rows++;
        row.ts = composite_ts(&row);
        if (emit(arg, &row) != 0) {
            break;
        }
        rc = next_user_key(e, iter, key);
    }
    e->iter_free(iter);
    return rc < 0 ? rc : rows;
}

long versioned_history(struct versioned *v, const char *key, kvp_emit_fn emit, void *arg)
{
    const struct kvp_engine *e = v->engine;
    char target[COMPOSITE_BYTES];
    struct kvp_pair row;
    long rows = 0;
    if (e->history_of != NULL) {
        return e->history_of(v->thread, key, emit, arg);
    }
    void *iter = e->iter_new(v->thread, 1);
    composite_key(target, key, KVP_LATEST);
    int rc = e->iter_seek(iter, target, COMPOSITE_BYTES);
    for (; rc == 0; rc = e->iter_next(iter)) {
        e->iter_get(iter, &row);
        if (!is_of(&row, key)) {
            break;
        }
        rows++;
        row.ts = composite_ts(&row);
        if (emit(arg, &row) != 0) {
            break;
        }
    }
    e->iter_free(iter);
    return rc < 0 ? rc : rows;
}

/* The iterator is on the version of `key` in force at span->t2, made after span->t1: tell the
 * difference.  Returns what the last move returned; `*has_left_out`: the iterator is past `key`. */
static int emit_difference(const struct kvp_engine *e, void *iter, const struct kvp_span *span,
                           struct kvp_difference *d, char *copy, int *has_left_out)
{
    struct kvp_pair row;
    e->iter_get(iter, &row);
    d->after_size = row.value_size < DIFF_VALUE_BYTES ? row.value_size : DIFF_VALUE_BYTES;
    memcpy(copy, row.value, d->after_size);
    d->after = copy;
    d->before = NULL;
    d->before_size = 0;
    int rc = skip_newer(e, iter, d->key, span->t1);
    if (rc == 0) {
        e->iter_get(iter, &row);
        if (is_of(&row, d->key)) {
            d->before = row.value;
            d->before_size = row.value_size;
        }
    }
    *has_left_out = d->before == NULL;
    return rc;
}

static long composite_diff(struct versioned *v, const struct kvp_span *span, kvp_diff_fn emit,
                           void *arg, char *copy)
{
    const struct kvp_engine *e = v->engine;
    char target[COMPOSITE_BYTES];
    char key[KVP_KEY_BYTES];
    struct kvp_pair row;
    long rows = 0;
    void *iter = e->iter_new(v->thread, 0);
    composite_key(target, span->from, span->t2);
    int rc = e->iter_seek(iter, target, COMPOSITE_BYTES);
    while (rc == 0) {
        int has_left = 0;
        e->iter_get(iter, &row);
        if (memcmp(row.key, span->to, KVP_KEY_BYTES) >= 0) {
            break;
        }
        memcpy(key, row.key, KVP_KEY_BYTES);
        rc = skip_newer(e, iter, key, span->t2);
        if (rc != 0) {
            break;
        }
        e->iter_get(iter, &row);
        if (!is_of(&row, key)) {
            continue;
        }
        if (composite_ts(&row) > span->t1) {
            struct kvp_difference d = {.key = key};
            rc = emit_difference(e, iter, span, &d, copy, &has_left);
            rows++;
            if (emit(arg, &d) != 0) {
                break;
            }
        }
        if (rc == 0 && !has_left) {
            rc = next_user_key(e, iter, key);
        }
    }
    e->iter_free(iter);
    return rc < 0 ? rc : rows;
}

long versioned_diff(struct versioned *v, const struct kvp_span *span, kvp_diff_fn emit, void *arg)
{
    if (v->engine->diff != NULL) {
        return v->engine->diff(v->thread, span, emit, arg);
    }
    if (v->scratch_size < DIFF_VALUE_BYTES) {
        free(v->scratch);
        v->scratch = malloc(DIFF_VALUE_BYTES);
        v->scratch_size = v->scratch != NULL ? DIFF_VALUE_BYTES : 0;
        if (v->scratch == NULL) {
            return -1;
        }
    }
    return composite_diff(v, span, emit, arg, v->scratch);
}
