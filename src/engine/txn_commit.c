/* txn_commit.c -- validating what a transaction read, and handing its writes to the commit queue.
 *
 * The leader of a group checks the reads against the memtables, under its token, right before it
 * gives out the commit time.  What has gone to tables since the transaction began it cannot see
 * without I/O, so that part is checked here, before the request is queued, and again when a flush
 * came in between.  A check up to some commit makes that commit the new begin of the
 * validation.
 *
 * Erasures change answers without touching the key they erase, so every reader also watches their
 * records in the catalogue.  The leader then refuses more than it should; whether an erasure met a
 * key that was read is found out here.
 */
#include "engine/txn.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "engine/catalogue.h"

/* Rounds of checking and queueing before a busy database's answer is a conflict. */
#define COMMIT_ROUNDS_MAX 16

/* Records of erasures: catalogue.c. */
#define ERASE_RECORDS_LOW "erase/"
#define ERASE_RECORDS_HIGH "erase0"

/* One commit on its way. */
struct attempt {
    struct yore_txn *txn;
    struct commit_reads reads;
    size_t own_count; /* reads[own_count], if any, is the range of the erase records */
    struct commit_request *request;
};

static enum yore_status conflict(struct commit_request *request, const struct commit_read *read,
                                 const char *by, struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    request->met = read;
    return error_set(error_out, YORE_CONFLICT,
                     "key%s %s was changed by a later %s; begin the transaction again",
                     read->is_range ? " range from" : "", key_text(read->key, text), by);
}

/* ---- erasures ---- */

/* What was read, by (keyspace, key), and for each of them the one up to there in its keyspace that
 * reaches furthest: a rule that meets any read below its own end meets that one. */
struct ordered_read {
    const struct commit_read *read;
    const struct commit_read *furthest;
};
struct read_order {
    struct ordered_read *items;
    size_t count;
    struct commit_request *request;
    struct yore_error *error_out;
};

static int compare_reads(const void *a, const void *b)
{
    const struct commit_read *left = ((const struct ordered_read *)a)->read;
    const struct commit_read *right = ((const struct ordered_read *)b)->read;
    if (left->keyspace != right->keyspace) {
        return left->keyspace < right->keyspace ? -1 : 1;
    }
    return bytes_compare(left->key, right->key);
}

static bool is_endless(const struct commit_read *read)
{
    return read->is_range && read->high.size == 0;
}

/* A key is read with its own end, a range without. */
static bool reaches_further(const struct commit_read *a, const struct commit_read *b)
{
    if (is_endless(a) || is_endless(b)) {
        return is_endless(a);
    }
    int order = bytes_compare(a->is_range ? a->high : a->key, b->is_range ? b->high : b->key);
    return order != 0 ? order > 0 : !a->is_range;
}

static enum yore_status order_reads(const struct attempt *attempt, struct read_order *order)
{
    order->count = attempt->own_count;
    order->items = mem_array(order->count + 1, sizeof *order->items);
    if (order->items == NULL) {
        return error_plain(order->error_out, YORE_NOMEM);
    }
    for (size_t i = 0; i < order->count; i++) {
        order->items[i].read = &attempt->reads.reads[i];
    }
    qsort(order->items, order->count, sizeof *order->items, compare_reads);
    for (size_t i = 0; i < order->count; i++) {
        struct ordered_read *item = &order->items[i];
        const struct commit_read *before = i > 0 ? order->items[i - 1].furthest : NULL;
        bool is_behind = before != NULL && before->keyspace == item->read->keyspace &&
                         reaches_further(before, item->read);
        item->furthest = is_behind ? before : item->read;
    }
    return YORE_OK;
}

static bool begins_below(const struct commit_read *read, const struct erase_rule *rule)
{
    struct yore_bytes high = forest_key_bytes(&rule->high);
    return read->keyspace < rule->keyspace ||
           (read->keyspace == rule->keyspace &&
            (high.size == 0 || bytes_compare(read->key, high) < 0));
}

/* A read that the rule meets, or NULL. */
static const struct commit_read *find_met(const struct read_order *order,
                                          const struct erase_rule *rule)
{
    struct yore_bytes rule_low = forest_key_bytes(&rule->low);
    size_t low = 0;
    size_t high = order->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (begins_below(order->items[middle].read, rule)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct commit_read *read = low > 0 ? order->items[low - 1].furthest : NULL;
    if (read == NULL || read->keyspace != rule->keyspace) {
        return NULL;
    }
    bool is_met = is_endless(read) || (read->is_range ? bytes_compare(rule_low, read->high) < 0
                                                      : bytes_compare(rule_low, read->key) <= 0);
    return is_met ? read : NULL;
}

static enum yore_status check_rule(void *arg, const struct erase_rule *rule)
{
    const struct read_order *order = arg;
    const struct commit_read *met = find_met(order, rule);
    return met != NULL ? conflict(order->request, met, "erasure", order->error_out) : YORE_OK;
}

/* By the records, for a rule may have left since. */
static enum yore_status check_erasures(const struct attempt *attempt, struct superview *view,
                                       struct yore_error *error_out)
{
    int64_t begin = attempt->reads.begin;
    struct read_order order = {.request = attempt->request, .error_out = error_out};
    if (erase_set_commit_max(view->erased) <= begin) {
        return YORE_OK;
    }
    enum yore_status st = order_reads(attempt, &order);
    if (st == YORE_OK) {
        st = catalogue_each_erasure(view, begin, check_rule, &order, error_out);
    }
    mem_free(order.items);
    return st;
}

/* ---- tables ---- */

static enum yore_status read_high(const struct commit_read *read, struct buffer *high)
{
    buffer_clear(high);
    if (read->is_range) {
        buffer_append_bytes(high, read->high);
    } else {
        buffer_append_bytes(high, read->key);
        buffer_append_u8(high, 0); /* the next key after it */
    }
    return buffer_status(high);
}

static enum yore_status check_read(struct superview *view, const struct attempt *attempt,
                                   const struct commit_read *read, struct yore_error *error_out)
{
    int64_t begin = attempt->reads.begin;
    struct yore_keyspace *keyspace = db_keyspace(view->db, read->keyspace);
    struct iter_view every = {
        .known = INT64_MAX, .no_cache_fill = true, .keys_only = true, .commit_after = begin};
    struct version_iter *it = NULL;
    struct buffer high = {0};
    enum yore_status st = read_high(read, &high);
    YORE_ASSERT(keyspace != NULL);
    if (st != YORE_OK) {
        error_plain(error_out, st);
    } else {
        const struct source_range range = {read->key, buffer_bytes(&high), INT64_MIN, INT64_MAX};
        st = sources_all(view, keyspace, &range, &every, &it, error_out);
    }
    if (st != YORE_OK) {
        buffer_release(&high);
        return st;
    }
    struct version_place place = {read->key, INT64_MAX, INT64_MAX};
    for (version_iter_seek(it, &place); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        if (high.size > 0 && bytes_compare(it->at.key, buffer_bytes(&high)) >= 0) {
            break;
        }
        if (it->at.commit > begin) {
            st = conflict(attempt->request, read, "commit", error_out);
        }
    }
    buffer_release(&high);
    if (st == YORE_OK && it->status != YORE_OK) {
        st = it->status;
        if (error_out != NULL) {
            *error_out = it->error;
        }
    }
    version_iter_free(it);
    return st;
}

/* Check everything that has become visible since reads.begin, and move that. */
static enum yore_status check_all(struct attempt *attempt, struct yore_error *error_out)
{
    struct yore_db *db = attempt->txn->db;
    struct commit_reads *reads = &attempt->reads;
    if (db_now(db) >= reads->expiry_min) {
        return error_set(error_out, YORE_CONFLICT,
                         "a key this transaction read expired meanwhile; begin again");
    }
    int64_t visible = atomic_load_explicit(&db->visible, memory_order_acquire);
    struct superview *view = superview_acquire(db);
    enum yore_status st = check_erasures(attempt, view, error_out);
    for (size_t i = 0; st == YORE_OK && i < attempt->own_count; i++) {
        st = check_read(view, attempt, &reads->reads[i], error_out);
    }
    if (st == YORE_OK) {
        int64_t flushed = view->forest->flushed_commit;
        reads->begin = visible > reads->begin ? visible : reads->begin;
        reads->validated = flushed > reads->begin ? flushed : reads->begin;
    }
    superview_release(view);
    return st;
}

/* ---- submitting ---- */

/* Is there something since reads.begin that the leader cannot judge? */
static bool needs_check(const struct attempt *attempt)
{
    struct superview *view = superview_acquire(attempt->txn->db);
    bool needs = view->forest->flushed_commit > attempt->reads.begin ||
                 erase_set_commit_max(view->erased) > attempt->reads.begin;
    superview_release(view);
    return needs;
}

static enum yore_status submit_checked(struct attempt *attempt, struct yore_error *error_out)
{
    struct yore_db *db = attempt->txn->db;
    enum yore_status st = YORE_CONFLICT;
    attempt->request->reads = &attempt->reads;
    for (int round = 0; st == YORE_CONFLICT && round < COMMIT_ROUNDS_MAX; round++) {
        if (needs_check(attempt)) {
            st = check_all(attempt, error_out);
            if (st != YORE_OK) {
                stats_add(&db->stats, STAT_conflicts, st == YORE_CONFLICT);
                break;
            }
        } else if (round > 0) {
            break; /* nothing the leader could have been wrong about */
        }
        attempt->request->met = NULL;
        st = commit_submit(db, attempt->request, error_out);
    }
    attempt->request->reads = NULL;
    return st;
}

/* The commit's own read, beside as many as the transaction may have. */
static enum yore_status note_erase_records(struct yore_txn *txn, struct yore_error *error_out)
{
    struct commit_read read = {.keyspace = KEYSPACE_SYSTEM,
                               .is_range = true,
                               .key = bytes_of(ERASE_RECORDS_LOW, sizeof ERASE_RECORDS_LOW - 1),
                               .high = bytes_of(ERASE_RECORDS_HIGH, sizeof ERASE_RECORDS_HIGH - 1)};
    return read_set_add(&txn->reads, &read, SIZE_MAX, error_out);
}

static enum yore_status submit(struct yore_txn *txn, struct commit_request *request,
                               struct yore_error *error_out)
{
    struct attempt attempt = {.txn = txn, .own_count = txn->reads.count, .request = request};
    if (attempt.own_count == 0) {
        return commit_submit(txn->db, request, error_out);
    }
    enum yore_status st = note_erase_records(txn, error_out);
    if (st == YORE_OK) {
        attempt.reads = (struct commit_reads){.begin = txn->snapshot.commit,
                                              .since = txn->snapshot.commit,
                                              .validated = txn->snapshot.commit,
                                              .expiry_min = txn->expiry_min,
                                              .reads = txn->reads.reads,
                                              .count = txn->reads.count};
        st = submit_checked(&attempt, error_out);
    }
    return st;
}

static enum yore_status encode_facts(struct yore_txn *txn, struct buffer *writes,
                                     struct commit_request *request, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < txn->fact_count; i++) {
        const struct fact *fact = &txn->facts[i];
        request->is_catalogue |= fact->keyspace->id == KEYSPACE_SYSTEM;
        st = fact_encode(txn->db, fact, writes, request, error_out);
    }
    if (st == YORE_OK && buffer_status(writes) != YORE_OK) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    return st;
}

enum yore_status txn_commit(struct yore_txn *txn, enum yore_durability durability,
                            int64_t *commit_out, struct yore_error *error_out)
{
    struct buffer writes = {0};
    struct commit_request request = {
        .writes = &writes,
        .valid_max = INT64_MIN,
        .fixed_commit = txn->fixed_commit,
        .refusals = txn->refusals,
        .durability =
            durability != YORE_DURABILITY_DEFAULT ? durability : txn->db->options.durability,
    };
    enum yore_status st = YORE_OK;
    if ((unsigned)durability > YORE_DURABILITY_NONE) {
        st = error_set(error_out, YORE_INVALID, "durability %d is unknown", (int)durability);
    } else if (txn->fact_count == 0) {
        /* What it read was one state, that of its begin: nothing can conflict with that. */
        request.commit = txn->snapshot.commit;
    } else {
        st = txn_collect_walks(txn, error_out);
        if (st == YORE_OK) {
            st = encode_facts(txn, &writes, &request, error_out);
        }
        if (st == YORE_OK) {
            values_commit(txn->db->values, request.value_hold, true);
            st = submit(txn, &request, error_out);
        }
        if (st == YORE_CONFLICT && txn->explain != NULL && request.met != NULL &&
            request.met->keyspace == txn->explained_keyspace) {
            txn->explain(txn->explain_arg, request.met->key, error_out);
        }
    }
    if (st == YORE_OK && commit_out != NULL) {
        *commit_out = request.commit;
    }
    values_let_go(txn->db->values, &request.value_hold);
    buffer_release(&writes);
    return st;
}
