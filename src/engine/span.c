/* span.c -- what a span stands for: its masks, and what holds again behind it. */
#include "engine/span.h"

#include <stdlib.h>

#include "base/mem.h"
#include "engine/refuse.h"
#include "engine/txn.h"

/* Moments at which versions of one key begin. */
struct begins {
    int64_t *times;
    size_t count;
    size_t capacity;
};

static enum yore_status begins_add(struct begins *begins, int64_t time)
{
    int64_t *times = mem_grow(begins->times, begins->count, &begins->capacity, sizeof *times);
    if (times == NULL) {
        return YORE_NOMEM;
    }
    begins->times = times;
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
static enum yore_status begins_collect(struct begins *begins, const struct yore_txn *txn,
                                       struct version_iter *it, const struct fact *span,
                                       int64_t known, struct yore_error *error_out)
{
    struct version_place place = {span->key, span->to, INT64_MAX};
    enum yore_status st = YORE_OK;
    int64_t last = INT64_MAX;
    for (version_iter_seek(it, &place); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        if (!bytes_equal(it->at.key, span->key) || it->at.valid_from <= span->from) {
            break;
        }
        if (it->at.commit <= known && !txn_is_from_now(txn, &it->at) &&
            (begins->count == 0 || it->at.valid_from != last)) {
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
    const struct source_range range = {
        .low = span->key, .valid_low = span->from, .valid_high = span->to};
    struct superview *view = superview_acquire(txn->db);
    enum yore_status st = sources_of_key(view, span->keyspace, &range, &every, &it, error_out);
    if (st == YORE_OK) {
        st = begins_collect(begins, txn, it, span, every.known, error_out);
    }
    version_iter_free(it);
    superview_release(view);
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
    st = begins_collect(begins, txn, it, span, INT64_MAX, error_out);
    version_iter_free(it);
    return st;
}

/* What the transaction has written to the key from now on; kind 0: nothing. */
static enum yore_status own_from_now(struct yore_txn *txn, const struct fact *span,
                                     struct fact *fact_out, struct yore_error *error_out)
{
    struct iter_view every = {.known = INT64_MAX, .commit_after = INT64_MIN};
    struct version_place now = {span->key, txn->snapshot.now, INT64_MAX};
    struct version_iter *it = NULL;
    *fact_out = (struct fact){.keyspace = span->keyspace, .key = span->key, .from = YORE_NOW};
    if (txn->overlay == NULL) {
        return YORE_OK;
    }
    enum yore_status st = memtable_iter_new(txn->overlay, span->keyspace->id, &every, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    for (version_iter_seek(it, &now);
         fact_out->kind == 0 && it->is_valid && bytes_equal(it->at.key, span->key) &&
         it->at.valid_from == txn->snapshot.now;
         version_iter_next(it)) {
        if (txn_is_from_now(txn, &it->at)) { /* the last one comes first */
            fact_out->kind = it->at.kind;
            fact_out->to = it->at.valid_to;
            fact_out->value = it->at.value;
            fact_out->is_apart = (it->at.flags & VERSION_APART) != 0;
        }
    }
    version_iter_free(it);
    return st;
}

/* The winner at `valid` of what the transaction has dated, and of what it sees of others. */
static enum yore_status winner_at(struct yore_txn *txn, struct superview *view,
                                  const struct fact *span, int64_t valid,
                                  struct version *version_out, struct read_pin *pin,
                                  struct yore_error *error_out)
{
    struct txn_moment moment = {
        .moment = {.valid = valid, .known = txn->snapshot.commit, .now = valid, .wants_any = true},
        .sees_own = true,
        .is_dated = true};
    bool is_own;
    return txn_winner(txn, view, span->keyspace, span->key, &moment, version_out, pin, &is_own,
                      error_out);
}

/* An own value that is apart already need not be read. */
static bool is_own_reference(const struct version *version)
{
    return version->commit >= OVERLAY_COMMIT_MIN && (version->flags & VERSION_APART) != 0;
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
        fact_out->is_apart = st == YORE_OK && is_own_reference(&version);
        if (st == YORE_OK && !fact_out->is_apart) {
            st = read_fetch(view, &version, pin, error_out);
        }
        if (st == YORE_OK) {
            fact_out->kind = YORE_KIND_PUT;
            fact_out->value = version.value;
            fact_out->to = version.valid_to;
        }
    }
    if (st == YORE_ERASED) {
        fact_out->kind = YORE_KIND_ERASED;
        fact_out->to = version.valid_to;
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

enum yore_status span_check_end(struct yore_db *db, const struct fact *span,
                                struct yore_error *error_out)
{
    if (span->to == YORE_FOREVER) {
        return YORE_OK;
    }
    if (span->from == YORE_NOW) {
        return error_set(error_out, YORE_IN_FUTURE,
                         "a span from now on cannot end yet: give its begin, or no end");
    }
    return span->to <= db_latest_begin(db)
               ? YORE_OK
               : refuse_ahead(db, "the end of the span, when what held before holds again,",
                              span->to, error_out);
}

/* A span without end also covers what begins at the commit; over one that ends at the transaction's
 * now, what begins at the commit is written once more, because what held before holds again at the
 * same moment of the overlay. */
static enum yore_status lay_now(struct yore_txn *txn, const struct fact *span,
                                struct yore_error *error_out)
{
    struct fact own;
    enum yore_status st = own_from_now(txn, span, &own, error_out);
    if (st != YORE_OK || own.kind == 0) {
        return st;
    }
    if (span->to == YORE_FOREVER) {
        own = *span;
        own.from = YORE_NOW;
    }
    return txn_add_fact(txn, &own, error_out);
}

/* How many versions begin inside the span, behind its own begin. */
static size_t begins_under(const struct begins *begins, int64_t to)
{
    return begins->count - (begins_end_at(begins, to) ? 1 : 0);
}

static enum yore_status refuse_span(const struct fact *span, size_t under,
                                    struct yore_error *error_out)
{
    return error_set(
        error_out, YORE_TOO_BIG,
        "a span counts its key and value, %zu bytes here, once more for each of the %zu versions "
        "that begin inside it: the transaction's writes would take more than %u bytes; use smaller "
        "spans, one in a transaction",
        span->key.size + span->value.size, under, YORE_BATCH_BYTES_MAX);
}

enum yore_status txn_add_span(struct yore_txn *txn, const struct fact *fact,
                              struct yore_error *error_out)
{
    struct begins begins = {0};
    size_t count = txn->fact_count;
    enum yore_status st = span_check_end(txn->db, fact, error_out);
    if (st == YORE_OK && fact->from == YORE_NOW) {
        return txn_add_fact(txn, fact, error_out);
    }
    if (st == YORE_OK) {
        st = txn_note_key(txn, fact->keyspace, fact->key, error_out);
    }
    if (st == YORE_OK) {
        st = begins_find(txn, fact, &begins, error_out);
    }
    size_t under = begins_under(&begins, fact->to);
    if (st == YORE_OK && !txn_has_room(txn, fact, under + 1)) {
        st = YORE_TOO_BIG;
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
    for (size_t i = 0; st == YORE_OK && i < under; i++) {
        mask.from = begins.times[i];
        st = txn_add_fact(txn, &mask, error_out);
    }
    if (st == YORE_OK && (fact->to == YORE_FOREVER || fact->to == txn->snapshot.now)) {
        st = lay_now(txn, fact, error_out);
    }
    if (st == YORE_TOO_BIG && under > 0) {
        st = refuse_span(fact, under, error_out);
    }
    if (st != YORE_OK) {
        txn_drop_facts(txn, count);
    }
    mem_free(begins.times);
    return st;
}

/* Where the erased version of the span begins: not before what can be read. */
static int64_t erased_from(const struct fact *span)
{
    int64_t horizon = atomic_load_explicit(&span->keyspace->horizon, memory_order_acquire);
    return span->from > horizon ? span->from : horizon;
}

/* May a fact of this erasure begin at `from`?  Its commit has to come after it. */
static bool may_begin_at(const struct yore_txn *txn, int64_t from)
{
    return from <= db_latest_begin(txn->db) && (txn->fixed_commit == 0 || from < txn->fixed_commit);
}

/* The version of the third kind, where the value that held at the span's begin began before it; one
 * that begins inside says itself that it is gone. */
static enum yore_status add_erased(struct yore_txn *txn, const struct fact *span,
                                   struct yore_error *error_out)
{
    struct version held;
    struct read_pin pin = {0};
    int64_t from = erased_from(span);
    if (span->from == YORE_TIME_MIN || from >= span->to || !may_begin_at(txn, from)) {
        return YORE_OK;
    }
    struct read_moment moment = {.valid = from, .known = txn->snapshot.commit, .now = from};
    struct superview *view = superview_acquire(txn->db);
    enum yore_status st = winner_at(txn, view, span, from, &held, &pin, error_out);
    st = st == YORE_OK ? read_judge(view, span->keyspace, &moment, &held) : st;
    read_pin_release(&pin);
    superview_release(view);
    if (st == YORE_OK && held.valid_from < from) {
        struct fact fact = {.keyspace = span->keyspace,
                            .kind = YORE_KIND_ERASED,
                            .key = span->key,
                            .from = from,
                            .to = held.valid_to};
        return txn_add_fact(txn, &fact, error_out);
    }
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

/* Does anything begin inside the span, or hold at its begin?  What is dead at the horizon may be
 * gone or not: the answer must not depend on it. */
static enum yore_status find_any(struct yore_txn *txn, const struct fact *span,
                                 const struct begins *begins, bool *is_any_out,
                                 struct yore_error *error_out)
{
    struct version held;
    struct read_pin pin = {0};
    int64_t from = erased_from(span);
    *is_any_out = false;
    for (size_t i = 0; i < begins->count; i++) {
        *is_any_out |= begins->times[i] > from && begins->times[i] < span->to;
    }
    if (*is_any_out) {
        return YORE_OK;
    }
    struct read_moment moment = {.valid = from, .known = txn->snapshot.commit, .now = from};
    struct superview *view = superview_acquire(txn->db);
    enum yore_status st = winner_at(txn, view, span, from, &held, &pin, error_out);
    st = st == YORE_OK ? read_judge(view, span->keyspace, &moment, &held) : st;
    *is_any_out = st == YORE_OK || st == YORE_ERASED;
    read_pin_release(&pin);
    superview_release(view);
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

enum yore_status txn_add_erasure(struct yore_txn *txn, const struct fact *span,
                                 struct yore_error *error_out)
{
    struct begins begins = {0};
    if (span->from == YORE_TIME_MIN && span->to == YORE_FOREVER) {
        return YORE_OK;
    }
    bool is_any = false;
    enum yore_status st = txn_note_key(txn, span->keyspace, span->key, error_out);
    if (st == YORE_OK) {
        st = begins_find(txn, span, &begins, error_out);
    }
    if (st == YORE_OK) {
        st = find_any(txn, span, &begins, &is_any, error_out);
    }
    /* The end first: it looks at what is there. */
    if (st == YORE_OK && is_any && span->to != YORE_FOREVER && !begins_end_at(&begins, span->to)) {
        st = add_restored(txn, span, error_out);
    }
    mem_free(begins.times);
    return st == YORE_OK && is_any ? add_erased(txn, span, error_out) : st;
}

enum yore_status span_commit(struct yore_db *db, const struct span_commit *commit,
                             struct yore_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    for (int i = 0; st == YORE_CONFLICT && i < SPAN_TRIES_MAX; i++) {
        struct yore_txn txn;
        txn_init(&txn, db);
        st = commit->fill(commit->arg, &txn, error_out);
        if (st == YORE_OK) {
            st = txn_commit(&txn, commit->durability, commit->commit_out, error_out);
        }
        txn_release(&txn);
    }
    if (st == YORE_CONFLICT) {
        return error_set(error_out, YORE_BUSY,
                         "the key is written by others all the time; try again");
    }
    return st;
}

static enum yore_status fill_one(void *arg, struct yore_txn *txn, struct yore_error *error_out)
{
    return txn_add_span(txn, arg, error_out);
}

/* A value apart is written before, so that all the span's facts refer to the same. */
enum yore_status span_write(struct yore_db *db, const struct fact *fact,
                            enum yore_durability durability, int64_t *commit_out,
                            struct yore_error *error_out)
{
    unsigned char ref[VALUE_REF_BYTES];
    struct value_hold *hold = NULL;
    struct fact span = *fact;
    const struct span_commit commit = {fill_one, &span, durability, commit_out};
    enum yore_status st = span_check_end(db, fact, error_out);
    if (st == YORE_OK && fact_goes_apart(db, fact)) {
        st = fact_put_apart(db, fact, &hold, ref, error_out);
        span.value = bytes_of(ref, sizeof ref);
        span.is_apart = true;
        values_commit(db->values, hold, true);
    }
    if (st == YORE_OK) {
        st = span_commit(db, &commit, error_out);
    }
    values_let_go(db->values, &hold);
    return st;
}
