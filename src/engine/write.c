/* write.c -- facts and single writes, from arguments to a commit request. */
#include <assert.h>

#include "engine/db_internal.h"
#include "engine/refuse.h"
#include "engine/span.h"

static_assert(YORE_BATCH_BYTES_MAX <= RECORD_BYTES_MAX, "one commit is one record");

const struct yore_write write_from_now_on = {.from = YORE_NOW, .to = YORE_FOREVER};

/* ---- facts ---- */

static enum yore_status check_times(struct yore_db *db, const struct fact *fact, bool is_span,
                                    struct yore_error *error_out)
{
    const struct yore_keyspace *keyspace = fact->keyspace;
    bool is_dated = fact->from != YORE_NOW;
    bool is_only_now = atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW;
    if (!is_dated && fact->to == YORE_FOREVER && !is_span) {
        return YORE_OK;
    }
    if (fact->from == INT64_MIN || fact->to == INT64_MIN) {
        return error_set(error_out, YORE_INVALID,
                         "a moment is out of range: the earliest is YORE_TIME_MIN");
    }
    if (is_only_now && (is_dated || is_span)) {
        return error_set(error_out, YORE_READ_ONLY,
                         "keyspace %s keeps only now: a write there cannot name a valid time",
                         keyspace->name);
    }
    int64_t begin = is_dated ? fact->from : db_now(db);
    /* What is committed is no later than now: most need no look at the clock. */
    if (is_dated && begin > atomic_load_explicit(&db->visible, memory_order_acquire) &&
        begin > db_latest_begin(db)) {
        return refuse_ahead(db, "the fact's date", begin, error_out);
    }
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    if (begin < horizon) {
        return refuse_before_horizon(keyspace, "the fact's date", begin, horizon, error_out);
    }
    if (fact->to != YORE_FOREVER && fact->to <= begin) {
        return refuse_end("the end", "later than", begin, fact->to, error_out);
    }
    return YORE_OK;
}

enum yore_status fact_check_sizes(struct yore_bytes key, struct yore_bytes value,
                                  struct yore_error *error_out)
{
    if (key.size == 0 || key.size > YORE_KEY_BYTES_MAX) {
        return error_set(error_out, key.size == 0 ? YORE_INVALID : YORE_TOO_BIG,
                         "the key has %zu bytes: 1 to %u are allowed", key.size,
                         YORE_KEY_BYTES_MAX);
    }
    if (key.data == NULL || (value.data == NULL && value.size > 0)) {
        return error_set(error_out, YORE_INVALID, "NULL for the octets of a key or a value");
    }
    if (value.size > YORE_VALUE_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the value has %zu bytes: at most %u are allowed",
                         value.size, YORE_VALUE_BYTES_MAX);
    }
    return YORE_OK;
}

enum yore_status fact_check(struct yore_db *db, const struct fact *fact, bool is_span,
                            struct yore_error *error_out)
{
    enum yore_status st = fact_check_sizes(fact->key, fact->value, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (keyspace_is_dropped(fact->keyspace)) {
        return refuse_dropped(fact->keyspace, error_out);
    }
    st = check_times(db, fact, is_span, error_out);
    if (st == YORE_OK && fact->kind == YORE_KIND_DELETE && !is_span && fact->to != YORE_FOREVER) {
        return error_set(
            error_out, YORE_INVALID,
            "a delete has no end of its own; ask for a span to restore what held before");
    }
    return st;
}

/* A value apart must be durable before the record that refers to it is written, or a power cut
 * could leave the record alone: one sync a commit.  Where commits are not synced that would be all
 * their cost, so there only very large values go apart.  Records of the catalogue are read by the
 * leader while it commits: they stay whole. */
bool fact_goes_apart(const struct yore_db *db, const struct fact *fact)
{
    return fact->kind == YORE_KIND_PUT && fact->keyspace->id != KEYSPACE_SYSTEM &&
           fact->value.size >= db->options.value_apart_bytes &&
           (db->options.durability == YORE_DURABILITY_SYNC ||
            fact->value.size >= YORE_VALUE_APART_UNSYNCED_BYTES);
}

enum yore_status fact_put_apart(struct yore_db *db, const struct fact *fact,
                                struct value_hold **hold, unsigned char ref_out[VALUE_REF_BYTES],
                                struct yore_error *error_out)
{
    enum yore_status st = db_check_writable(db, error_out); /* before there are octets to keep */
    if (st != YORE_OK) {
        return st;
    }
    const struct value_entry entry = {fact->keyspace->id, fact->key, fact->value};
    st = values_append(db->values, hold, &entry, ref_out, error_out);
    if (st == YORE_OK) {
        stats_add(&db->stats, STAT_values_apart, 1);
        stats_add(&db->stats, STAT_values_apart_bytes, fact->value.size);
    }
    return db_values_check(db, st, error_out);
}

enum yore_status fact_encode(struct yore_db *db, const struct fact *fact, struct buffer *to,
                             struct commit_request *request, struct yore_error *error_out)
{
    unsigned char ref[VALUE_REF_BYTES];
    struct commit_write write = {.keyspace = fact->keyspace->id,
                                 .kind = fact->kind,
                                 .is_from_commit = fact->from == YORE_NOW,
                                 .valid_from = fact->from,
                                 .valid_to = fact->to,
                                 .key = fact->key};
    bool goes_apart = !fact->is_apart && fact_goes_apart(db, fact);
    write.is_apart = fact->is_apart || goes_apart;
    write.value = goes_apart ? bytes_of(ref, sizeof ref) : fact->value;
    if (COMMIT_HEADER_BYTES + to->size + commit_write_bytes(&write) > YORE_BATCH_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the transaction is larger than %u bytes",
                         YORE_BATCH_BYTES_MAX);
    }
    if (goes_apart) {
        enum yore_status st = fact_put_apart(db, fact, &request->value_hold, ref, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    request->has_apart = request->has_apart || write.is_apart;
    commit_write_encode(to, &write);
    if (to->is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    request->count++;
    request->user_bytes += write.key.size + write.value.size;
    if (fact->from != YORE_NOW && fact->from > request->valid_max) {
        request->valid_max = fact->from;
    }
    return YORE_OK;
}

/* ---- one fact ---- */

static enum yore_status write_one(struct yore_db *db, enum yore_kind kind, const struct fact *given,
                                  const struct yore_write *write, struct yore_error *error_out)
{
    struct buffer writes = {0};
    struct fact fact = *given;
    write = write != NULL ? write : &write_from_now_on;
    error_clear(error_out);
    fact.kind = kind;
    fact.from = write->from;
    fact.to = write->to;
    struct commit_request request = {.writes = &writes,
                                     .valid_max = INT64_MIN,
                                     .refusals = atomic_load(&db->refusals),
                                     .durability = write->durability != YORE_DURABILITY_DEFAULT
                                                       ? write->durability
                                                       : db->options.durability};
    enum yore_status st = fact_check(db, &fact, write->is_span, error_out);
    if (st == YORE_OK && write->is_span) {
        return span_write(db, &fact, request.durability, write->commit_out, error_out);
    }
    if (st == YORE_OK) {
        st = fact_encode(db, &fact, &writes, &request, error_out);
    }
    if (st == YORE_OK) {
        values_commit(db->values, request.value_hold, true);
        st = commit_submit(db, &request, error_out);
    }
    values_let_go(db->values, &request.value_hold);
    buffer_release(&writes);
    if (st == YORE_OK && write->commit_out != NULL) {
        *write->commit_out = request.commit;
    }
    return st;
}

enum yore_status yore_put(struct yore_db *db, struct yore_keyspace *keyspace, struct yore_bytes key,
                          struct yore_bytes value, const struct yore_write *write,
                          struct yore_error *error_out)
{
    if (db == NULL) {
        return error_null(error_out, __func__, "db");
    }
    struct fact fact = {.keyspace = keyspace_or_default(db, keyspace), .key = key, .value = value};
    return write_one(db, YORE_KIND_PUT, &fact, write, error_out);
}

enum yore_status yore_delete(struct yore_db *db, struct yore_keyspace *keyspace,
                             struct yore_bytes key, const struct yore_write *write,
                             struct yore_error *error_out)
{
    if (db == NULL) {
        return error_null(error_out, __func__, "db");
    }
    struct fact fact = {.keyspace = keyspace_or_default(db, keyspace), .key = key};
    return write_one(db, YORE_KIND_DELETE, &fact, write, error_out);
}
