/* value_wanted.c -- see value_wanted.h.
 *
 * Refused: a look-up for each record, which walks a key's versions as often as the key has values;
 * and times in the record, which are not given out yet when it is written.
 */
#include "engine/value_wanted.h"

#include <stdlib.h>

#include "base/mem.h"

#define WALKED_PER_ASKING 256u

void wanted_batch_release(struct wanted_batch *batch)
{
    mem_free(batch->records);
    arena_release(&batch->keys);
    *batch = (struct wanted_batch){0};
}

void wanted_batch_clear(struct wanted_batch *batch)
{
    batch->count = 0;
    arena_reset(&batch->keys);
}

bool wanted_batch_is_full(const struct wanted_batch *batch)
{
    size_t bytes = batch->count * sizeof *batch->records +
                   atomic_load_explicit(&batch->keys.bytes, memory_order_relaxed);
    return bytes >= WANTED_BATCH_BYTES;
}

enum yore_status wanted_batch_add(struct wanted_batch *batch, const struct value_record *record)
{
    struct wanted_record *grown =
        mem_grow(batch->records, batch->count, &batch->capacity, sizeof *grown);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    batch->records = grown;
    struct yore_bytes key = record->key;
    if (batch->count > 0 && bytes_equal(grown[batch->count - 1].key, key)) {
        key = grown[batch->count - 1].key; /* a key's values often follow one another */
    } else {
        key.data = arena_copy(&batch->keys, key.data, key.size);
    }
    if (key.data == NULL) {
        return YORE_NOMEM;
    }
    grown[batch->count++] = (struct wanted_record){.keyspace = record->keyspace,
                                                   .key = key,
                                                   .file = record->ref.file,
                                                   .offset = record->ref.offset};
    return YORE_OK;
}

/* ---- order ---- */

static int compare_places(const void *left, const void *right)
{
    const struct wanted_record *a = left;
    const struct wanted_record *b = right;
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static bool is_same_key(const struct wanted_record *a, const struct wanted_record *b)
{
    return a->keyspace == b->keyspace && bytes_equal(a->key, b->key);
}

static int compare_keys(const void *left, const void *right)
{
    const struct wanted_record *a = left;
    const struct wanted_record *b = right;
    if (a->keyspace != b->keyspace) {
        return a->keyspace < b->keyspace ? -1 : 1;
    }
    int order = bytes_compare(a->key, b->key);
    return order != 0 ? order : compare_places(left, right);
}

/* ---- the versions of a key ---- */

/* The records of one key, by place. */
struct key_records {
    struct wanted_record *records;
    size_t count;
    size_t left; /* not known to be wanted */
};

static void mark_referred(struct key_records *k, const struct superview *view,
                          const struct version *version)
{
    struct value_ref ref;
    if ((version->flags & VERSION_APART) == 0 || version->kind != YORE_KIND_PUT ||
        value_ref_decode(version->value, &ref) != YORE_OK) {
        return;
    }
    const struct wanted_record asked = {.file = ref.file, .offset = ref.offset};
    struct wanted_record *found =
        bsearch(&asked, k->records, k->count, sizeof asked, compare_places);
    if (found != NULL && !found->is_wanted &&
        !erase_set_hides(view->erased, found->keyspace, version)) {
        found->is_wanted = true;
        k->left--;
    }
}

static bool goes_on(struct wanted_batch *batch)
{
    return ++batch->walked % WALKED_PER_ASKING != 0 || batch->goes_on == NULL ||
           batch->goes_on(batch->arg);
}

static enum yore_status judge_key(struct wanted_batch *batch, struct key_records *k,
                                  struct superview *view, struct yore_error *error_out)
{
    struct yore_keyspace *keyspace = db_keyspace(view->db, k->records[0].keyspace);
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct version_iter *it;
    struct version_place first = {k->records[0].key, INT64_MAX, INT64_MAX};
    const struct source_range range = {
        .low = first.key, .valid_low = INT64_MIN, .valid_high = INT64_MAX};
    if (keyspace == NULL) {
        return YORE_OK;
    }
    enum yore_status st = sources_of_key(view, keyspace, &range, &all, &it, error_out);
    if (st != YORE_OK) {
        return st;
    }
    version_iter_seek(it, &first);
    while (st == YORE_OK && k->left > 0 && it->is_valid && bytes_equal(it->at.key, first.key)) {
        mark_referred(k, view, &it->at);
        st = goes_on(batch) ? YORE_OK : error_plain(error_out, YORE_CANCELLED);
        version_iter_next(it);
    }
    if (st == YORE_OK && !it->is_valid && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    version_iter_free(it);
    return st;
}

enum yore_status wanted_batch_judge(struct wanted_batch *batch, struct superview *view,
                                    struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (batch->count == 0) {
        return YORE_OK;
    }
    qsort(batch->records, batch->count, sizeof *batch->records, compare_keys);
    size_t end;
    for (size_t i = 0; st == YORE_OK && i < batch->count; i = end) {
        end = i + 1;
        while (end < batch->count && is_same_key(&batch->records[i], &batch->records[end])) {
            end++;
        }
        struct key_records k = {batch->records + i, end - i, end - i};
        st = judge_key(batch, &k, view, error_out);
    }
    qsort(batch->records, batch->count, sizeof *batch->records, compare_places);
    return st;
}
