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

#include "base/assert.h"
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

static enum yore_status conflict(const struct commit_read *read, const char *by,
                                 struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    return error_set(error_out, YORE_CONFLICT,
                     "key%s %s was changed by a later %s; begin the transaction again",
                     read->is_range ? " range from" : "", key_text(read->key, text), by);
}

/* ---- erasures ---- */

static bool rule_meets(const struct erase_rule *rule, const struct commit_read *read)
{
    struct yore_bytes low = forest_key_bytes(&rule->low);
    struct yore_bytes high = forest_key_bytes(&rule->high);
    if (rule->keyspace != read->keyspace ||
        (high.size > 0 && bytes_compare(read->key, high) >= 0)) {
        return false;
    }
    if (!read->is_range) {
        return bytes_compare(read->key, low) >= 0;
    }
    return read->high.size == 0 || bytes_compare(low, read->high) < 0;
}

struct erasure_check {
    const struct attempt *attempt;
    struct yore_error *error_out;
};

static enum yore_status check_rule(void *arg, const struct erase_rule *rule)
{
    const struct erasure_check *check = arg;
    const struct commit_reads *reads = &check->attempt->reads;
    for (size_t i = 0; i < check->attempt->own_count; i++) {
        if (rule_meets(rule, &reads->reads[i])) {
            return conflict(&reads->reads[i], "erasure", check->error_out);
        }
    }
    return YORE_OK;
}

/* By the records, for a rule may have left since. */
static enum yore_status check_erasures(const struct attempt *attempt, struct superview *view,
                                       struct yore_error *error_out)
{
    int64_t begin = attempt->reads.begin;
    struct erasure_check check = {attempt, error_out};
    return erase_set_commit_max(view->erased) <= begin
               ? YORE_OK
               : catalogue_each_erasure(view, begin, check_rule, &check, error_out);
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

static enum yore_status check_read(struct superview *view, const struct commit_read *read,
                                   int64_t begin, struct yore_error *error_out)
{
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
            st = conflict(read, "commit", error_out);
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
        st = check_read(view, &reads->reads[i], reads->begin, error_out);
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
        st = commit_submit(db, attempt->request, error_out);
    }
    attempt->request->reads = NULL;
    return st;
}

static enum yore_status note_erase_records(struct yore_txn *txn, struct yore_error *error_out)
{
    struct commit_read read = {.keyspace = KEYSPACE_SYSTEM,
                               .is_range = true,
                               .key = bytes_of(ERASE_RECORDS_LOW, sizeof ERASE_RECORDS_LOW - 1),
                               .high = bytes_of(ERASE_RECORDS_HIGH, sizeof ERASE_RECORDS_HIGH - 1)};
    return read_set_add(&txn->reads, &read, error_out);
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
    if (txn->fact_count == 0) {
        /* What it read was one state, that of its begin: nothing can conflict with that. */
        request.commit = txn->snapshot.commit;
    } else {
        st = txn_collect_walks(txn, error_out);
        if (st == YORE_OK) {
            st = encode_facts(txn, &writes, &request, error_out);
        }
        if (st == YORE_OK) {
            st = submit(txn, &request, error_out);
        }
    }
    if (st == YORE_OK && commit_out != NULL) {
        *commit_out = request.commit;
    }
    values_let_go(txn->db->values, &request.value_hold);
    buffer_release(&writes);
    return st;
}
