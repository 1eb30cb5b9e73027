/* span.c -- what a span stands for: its masks, and what holds again behind it. */
#include "engine/span.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "engine/txn.h"

/* Moments at which versions of one key begin. */
struct begins {
    int64_t *times;
    size_t count;
    size_t capacity;
};

static enum yore_status begins_add(struct begins *begins, int64_t time)
{
    if (begins->count == begins->capacity) {
        size_t capacity = begins->capacity == 0 ? 16 : begins->capacity * 2;
        int64_t *times = mem_realloc(begins->times, capacity * sizeof *times);
        if (times == NULL) {
            return YORE_NOMEM;
        }
        begins->times = times;
        begins->capacity = capacity;
    }
    begins->times[begins->count++] = time;
    return YORE_OK;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static void begins_sort(struct begins *begins)
{
    size_t kept = 0;
    if (begins->count > 0) {
        qsort(begins->times, begins->count, sizeof *begins->times, compare_times);
    }
    for (size_t i = 0; i < begins->count; i++) {
        if (kept == 0 || begins->times[kept - 1] != begins->times[i]) {
            begins->times[kept++] = begins->times[i];
        }
    }
    begins->count = kept;
}

/* Every begin in (from, to] that `it` tells of, of what is known. */
static enum yore_status begins_collect(struct begins *begins, struct version_iter *it,
                                       const struct fact *span, int64_t known,
                                       struct yore_error *error_out)
{
    struct version_place place = {span->key, span->to, INT64_MAX};
    enum yore_status st = YORE_OK;
    int64_t last = INT64_MAX;
    for (version_iter_seek(it, &place); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        if (!bytes_equal(it->at.key, span->key) || it->at.valid_from <= span->from) {
            break;
        }
        if (it->at.commit <= known && (begins->count == 0 || it->at.valid_from != last)) {
            last = it->at.valid_from;
            st = begins_add(begins, last);
        }
    }
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    if (it->status != YORE_OK && error_out != NULL) {
        *error_out = it->error;
    }
    return it->status;
}

static enum yore_status begins_in_database(struct yore_txn *txn, const struct fact *span,
                                           struct begins *begins, struct yore_error *error_out)
{
    struct iter_view every = {
        .known = txn->snapshot.commit, .keys_only = true, .commit_after = INT64_MIN};
    struct version_iter *it = NULL;
    struct buffer high = {0};
    buffer_append_bytes(&high, span->key);
    buffer_append_u8(&high, 0);
    if (buffer_status(&high) != YORE_OK) {
        return error_plain(error_out, YORE_NOMEM);
    }
    struct superview *view = superview_acquire(txn->db);
    enum yore_status st = sources_all(view, span->keyspace, span->key, buffer_bytes(&high), &every,
                                      span->from, span->to, &it, error_out);
    if (st == YORE_OK) {
        st = begins_collect(begins, it, span, every.known, error_out);
    }
    version_iter_free(it);
    superview_release(view);
    buffer_release(&high);
    return st;
}

static enum yore_status begins_in_overlay(struct yore_txn *txn, const struct fact *span,
                                          struct begins *begins, struct yore_error *error_out)
{
    struct iter_view every = {.known = INT64_MAX, .commit_after = INT64_MIN};
    struct version_iter *it = NULL;
    enum yore_status st = txn_make_overlay(txn, error_out);
    if (st != YORE_OK || txn->overlay == NULL) {
        return st;
    }
    st = memtable_iter_new(txn->overlay, span->keyspace->id, &every, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = begins_collect(begins, it, span, INT64_MAX, error_out);
    version_iter_free(it);
    return st;
}

/* The winner at `valid` of what the transaction sees. */
static enum yore_status winner_at(struct yore_txn *txn, struct superview *view,
                                  const struct fact *span, int64_t valid,
                                  struct version *version_out, struct read_pin *pin,
                                  struct yore_error *error_out)
{
    struct txn_moment moment = {
        .moment = {.valid = valid, .known = txn->snapshot.commit, .now = valid, .wants_any = true},
        .sees_own = true};
    bool is_own;
    return txn_winner(txn, view, span->keyspace, span->key, &moment, version_out, pin, &is_own,
                      error_out);
}

/* The fact that says at span->to again what held there; its value is kept by *pin. */
static enum yore_status restored(struct yore_txn *txn, struct superview *view,
                                 const struct fact *span, struct fact *fact_out,
                                 struct read_pin *pin, struct yore_error *error_out)
{
    struct version version;
    struct read_moment moment = {.valid = span->to, .known = txn->snapshot.commit, .now = span->to};
    *fact_out = (struct fact){.keyspace = span->keyspace,
                              .kind = YORE_KIND_DELETE,
                              .key = span->key,
                              .from = span->to,
                              .to = YORE_FOREVER};
    enum yore_status st = winner_at(txn, view, span, span->to, &version, pin, error_out);
    if (st == YORE_OK) {
        st = read_judge(view, span->keyspace, &moment, &version);
        if (st == YORE_OK) {
            st = read_fetch(view, &version, pin, error_out);
            fact_out->kind = YORE_KIND_PUT;
            fact_out->value = version.value;
            fact_out->to = version.valid_to;
        }
    }
    if (st == YORE_ERASED) {
        fact_out->kind = YORE_KIND_ERASED;
    }
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

static enum yore_status add_restored(struct yore_txn *txn, const struct fact *span,
                                     struct yore_error *error_out)
{
    struct fact fact;
    struct read_pin pin = {0};
    struct superview *view = superview_acquire(txn->db);
    enum yore_status st = restored(txn, view, span, &fact, &pin, error_out);
    if (st == YORE_OK) {
        st = txn_add_fact(txn, &fact, error_out);
    }
    read_pin_release(&pin);
    superview_release(view);
    return st;
}

static enum yore_status begins_find(struct yore_txn *txn, const struct fact *span,
                                    struct begins *begins, struct yore_error *error_out)
{
    enum yore_status st = begins_in_database(txn, span, begins, error_out);
    if (st == YORE_OK) {
        st = begins_in_overlay(txn, span, begins, error_out);
    }
    begins_sort(begins);
    return st;
}

static bool begins_end_at(const struct begins *begins, int64_t to)
{
    return begins->count > 0 && begins->times[begins->count - 1] == to;
}

/* At the end of a span a fact is written, so the end is dated like one. */
static enum yore_status check_end(struct yore_db *db, const struct fact *span,
                                  struct yore_error *error_out)
{
    if (span->to == YORE_FOREVER) {
        return YORE_OK;
    }
    if (span->from == YORE_NOW) {
        return error_set(error_out, YORE_IN_FUTURE,
                         "a span from now on cannot end yet: give its begin, or no end");
    }
    int64_t now = db_now(db);
    if (span->to > now && span->to - now > db->options.clock_skew_max_ns) {
        return error_set(
            error_out, YORE_IN_FUTURE,
            "the span ends %lld ns after now; what holds again then cannot be written yet",
            (long long)(span->to - now));
    }
    return YORE_OK;
}

enum yore_status txn_add_span(struct yore_txn *txn, const struct fact *fact,
                              struct yore_error *error_out)
{
    struct begins begins = {0};
    size_t count = txn->fact_count;
    enum yore_status st = check_end(txn->db, fact, error_out);
    if (st == YORE_OK && fact->from == YORE_NOW) {
        return txn_add_fact(txn, fact, error_out);
    }
    if (st == YORE_OK) {
        st = txn_note_key(txn, fact->keyspace, fact->key, error_out);
    }
    if (st == YORE_OK) {
        st = begins_find(txn, fact, &begins, error_out);
    }
    /* First what is there, before the span's own facts are laid over it. */
    if (st == YORE_OK && fact->to != YORE_FOREVER && !begins_end_at(&begins, fact->to)) {
        st = add_restored(txn, fact, error_out);
    }
    struct fact mask = *fact;
    mask.to = YORE_FOREVER;
    if (st == YORE_OK) {
        st = txn_add_fact(txn, &mask, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < begins.count && begins.times[i] < fact->to; i++) {
        mask.from = begins.times[i];
        st = txn_add_fact(txn, &mask, error_out);
    }
    if (st != YORE_OK) {
        txn_drop_facts(txn, count);
    }
    mem_free(begins.times);
    return st;
}

enum yore_status txn_add_restored(struct yore_txn *txn, const struct fact *span,
                                  struct yore_error *error_out)
{
    struct begins begins = {0};
    struct version newest;
    struct read_pin pin = {0};
    if (span->to == YORE_FOREVER) {
        return YORE_OK;
    }
    enum yore_status st = txn_note_key(txn, span->keyspace, span->key, error_out);
    if (st == YORE_OK) {
        struct superview *view = superview_acquire(txn->db);
        st = winner_at(txn, view, span, INT64_MAX - 1, &newest, &pin, error_out);
        read_pin_release(&pin);
        superview_release(view);
    }
    if (st == YORE_NOT_FOUND) {
        return YORE_OK; /* never written: nothing to hide, nothing to keep */
    }
    if (st == YORE_OK) {
        st = begins_find(txn, span, &begins, error_out);
    }
    if (st == YORE_OK && !begins_end_at(&begins, span->to)) {
        st = add_restored(txn, span, error_out);
    }
    mem_free(begins.times);
    return st;
}

enum yore_status span_write(struct yore_db *db, const struct fact *fact,
                            enum yore_durability durability, int64_t *commit_out,
                            struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    for (int i = 0; st == YORE_CONFLICT && i < SPAN_TRIES_MAX; i++) {
        struct yore_txn txn;
        txn_init(&txn, db);
        st = txn_add_span(&txn, fact, error_out);
        if (st == YORE_OK) {
            st = txn_commit(&txn, durability, commit_out, error_out);
        }
        txn_release(&txn);
    }
    if (st == YORE_CONFLICT) {
        return error_set(error_out, YORE_BUSY,
                         "the key is written by others all the time; try again");
    }
    return st;
}
