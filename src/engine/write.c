/* write.c -- single writes and batches, from arguments to a commit request. */
#include "base/mem.h"
#include "engine/db_internal.h"
#include "engine/span.h"

static const struct yore_write from_now_on = {.from = YORE_NOW, .to = YORE_FOREVER};

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
        return error_set(error_out, YORE_INVALID, "a moment must be at least %lld",
                         (long long)YORE_TIME_MIN);
    }
    if (is_only_now && (is_dated || is_span)) {
        return error_set(error_out, YORE_READ_ONLY,
                         "keyspace %s keeps only now: a write there cannot name a valid time",
                         keyspace->name);
    }
    int64_t now = db_now(db);
    int64_t begin = is_dated ? fact->from : now;
    if (is_dated && begin > now && begin - now > db->options.clock_skew_max_ns) {
        return error_set(error_out, YORE_IN_FUTURE,
                         "the fact is dated %lld ns after now; at most %lld are allowed",
                         (long long)(begin - now), (long long)db->options.clock_skew_max_ns);
    }
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    if (begin < horizon) {
        return error_set(error_out, YORE_BEFORE_HORIZON,
                         "the fact is dated %lld, before the horizon of keyspace %s, %lld",
                         (long long)begin, keyspace->name, (long long)horizon);
    }
    if (fact->to != YORE_FOREVER && fact->to <= begin) {
        return error_set(error_out, YORE_INVALID, "the end %lld must be later than the begin %lld",
                         (long long)fact->to, (long long)begin);
    }
    return YORE_OK;
}

enum yore_status fact_check(struct yore_db *db, const struct fact *fact, bool is_span,
                            struct yore_error *error_out)
{
    if (fact->key.size == 0 || fact->key.size > YORE_KEY_BYTES_MAX) {
        return error_set(error_out, fact->key.size == 0 ? YORE_INVALID : YORE_TOO_BIG,
                         "the key has %zu bytes: 1 to %u are allowed", fact->key.size,
                         YORE_KEY_BYTES_MAX);
    }
    if (fact->value.size > YORE_VALUE_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the value has %zu bytes: at most %u are allowed",
                         fact->value.size, YORE_VALUE_BYTES_MAX);
    }
    if (atomic_load_explicit(&fact->keyspace->is_dropped, memory_order_acquire)) {
        return error_set(error_out, YORE_NOT_FOUND,
                         "keyspace %s was dropped: its past can only be read",
                         fact->keyspace->name);
    }
    return check_times(db, fact, is_span, error_out);
}

/* A value apart must be durable before the record that refers to it is written, or a power cut
 * could leave the record alone: one sync a commit.  Where commits are not synced that would be all
 * their cost, so there only very large values go apart.  Records of the catalogue are read by the
 * leader while it commits: they stay whole. */
static bool goes_apart(const struct yore_db *db, const struct fact *fact)
{
    return fact->kind == YORE_KIND_PUT && fact->keyspace->id != KEYSPACE_SYSTEM &&
           fact->value.size >= db->options.value_apart_bytes &&
           (db->options.durability == YORE_DURABILITY_SYNC ||
            fact->value.size >= VALUE_APART_UNSYNCED_BYTES);
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
                                 .key = fact->key,
                                 .value = fact->value};
    size_t most = fact->key.size + fact->value.size + 64;
    if (to->size + most > YORE_BATCH_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the transaction is larger than %u bytes",
                         YORE_BATCH_BYTES_MAX);
    }
    if (goes_apart(db, fact)) {
        enum yore_status st = values_hold(db->values, &request->value_hold, error_out);
        if (st == YORE_OK) {
            st = values_append(db->values, fact->keyspace->id, fact->key, fact->value, ref,
                               error_out);
        }
        if (st != YORE_OK) {
            return st;
        }
        stats_add(&db->stats, STAT_values_apart, 1);
        stats_add(&db->stats, STAT_values_apart_bytes, fact->value.size);
        write.is_apart = true;
        write.value = bytes_of(ref, sizeof ref);
        request->has_apart = true;
    }
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
    write = write != NULL ? write : &from_now_on;
    error_clear(error_out);
    fact.kind = kind;
    fact.from = write->from;
    fact.to = write->to;
    struct commit_request request = {.writes = &writes,
                                     .valid_max = INT64_MIN,
                                     .durability = write->durability != YORE_DURABILITY_DEFAULT
                                                       ? write->durability
                                                       : db->options.durability};
    enum yore_status st = fact_check(db, &fact, write->is_span, error_out);
    if (st == YORE_OK && kind == YORE_KIND_DELETE && !write->is_span && write->to != YORE_FOREVER) {
        st =
            error_set(error_out, YORE_INVALID,
                      "a delete has no end of its own; ask for a span to restore what held before");
    }
    if (st == YORE_OK && write->is_span) {
        return span_write(db, &fact, request.durability, write->commit_out, error_out);
    }
    if (st == YORE_OK) {
        st = fact_encode(db, &fact, &writes, &request, error_out);
    }
    if (st == YORE_OK) {
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
    struct fact fact = {.keyspace = keyspace_or_default(db, keyspace), .key = key, .value = value};
    return write_one(db, YORE_KIND_PUT, &fact, write, error_out);
}

enum yore_status yore_delete(struct yore_db *db, struct yore_keyspace *keyspace,
                             struct yore_bytes key, const struct yore_write *write,
                             struct yore_error *error_out)
{
    struct fact fact = {.keyspace = keyspace_or_default(db, keyspace), .key = key};
    return write_one(db, YORE_KIND_DELETE, &fact, write, error_out);
}

/* ---- batches ---- */

struct yore_batch {
    struct yore_db *db;
    struct buffer writes;
    struct commit_request request; /* counts so far */
};

enum yore_status yore_batch_new(struct yore_db *db, struct yore_batch **batch_out,
                                struct yore_error *error_out)
{
    struct yore_batch *batch = mem_zalloc(sizeof *batch);
    *batch_out = batch;
    if (batch == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    error_clear(error_out);
    batch->db = db;
    batch->request.valid_max = INT64_MIN;
    return YORE_OK;
}

static enum yore_status batch_add(struct yore_batch *batch, enum yore_kind kind, struct fact *fact,
                                  const struct yore_write *write, struct yore_error *error_out)
{
    write = write != NULL ? write : &from_now_on;
    error_clear(error_out);
    fact->kind = kind;
    fact->from = write->from;
    fact->to = write->to;
    if (write->is_span) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "a batch takes no spans, which must read: use a transaction");
    }
    if (kind == YORE_KIND_DELETE && write->to != YORE_FOREVER) {
        return error_set(error_out, YORE_INVALID, "a delete has no end of its own");
    }
    enum yore_status st = fact_check(batch->db, fact, false, error_out);
    if (st != YORE_OK) {
        return st;
    }
    size_t before = batch->writes.size;
    st = fact_encode(batch->db, fact, &batch->writes, &batch->request, error_out);
    if (st != YORE_OK) {
        batch->writes.size = before;
        batch->writes.is_nomem = false;
    }
    return st;
}

enum yore_status yore_batch_put(struct yore_batch *batch, struct yore_keyspace *keyspace,
                                struct yore_bytes key, struct yore_bytes value,
                                const struct yore_write *write, struct yore_error *error_out)
{
    struct fact fact = {
        .keyspace = keyspace_or_default(batch->db, keyspace), .key = key, .value = value};
    return batch_add(batch, YORE_KIND_PUT, &fact, write, error_out);
}

enum yore_status yore_batch_delete(struct yore_batch *batch, struct yore_keyspace *keyspace,
                                   struct yore_bytes key, const struct yore_write *write,
                                   struct yore_error *error_out)
{
    struct fact fact = {.keyspace = keyspace_or_default(batch->db, keyspace), .key = key};
    return batch_add(batch, YORE_KIND_DELETE, &fact, write, error_out);
}

size_t yore_batch_count(const struct yore_batch *batch)
{
    return batch->request.count;
}

void yore_batch_clear(struct yore_batch *batch)
{
    buffer_clear(&batch->writes);
    values_let_go(batch->db->values, &batch->request.value_hold);
    batch->request = (struct commit_request){.valid_max = INT64_MIN};
}

enum yore_status yore_batch_commit(struct yore_batch *batch, enum yore_durability durability,
                                   int64_t *commit_out, struct yore_error *error_out)
{
    struct yore_db *db = batch->db;
    error_clear(error_out);
    if ((unsigned)durability > YORE_DURABILITY_NONE) {
        return error_set(error_out, YORE_INVALID, "durability %d is unknown", (int)durability);
    }
    if (batch->request.count == 0) {
        if (commit_out != NULL) {
            *commit_out = atomic_load_explicit(&db->visible, memory_order_acquire);
        }
        return YORE_OK;
    }
    batch->request.writes = &batch->writes;
    batch->request.durability =
        durability != YORE_DURABILITY_DEFAULT ? durability : db->options.durability;
    enum yore_status st = commit_submit(db, &batch->request, error_out);
    if (st == YORE_OK) {
        if (commit_out != NULL) {
            *commit_out = batch->request.commit;
        }
        yore_batch_clear(batch);
    }
    return st;
}

void yore_batch_free(struct yore_batch *batch)
{
    if (batch != NULL) {
        values_let_go(batch->db->values, &batch->request.value_hold);
        buffer_release(&batch->writes);
        mem_free(batch);
    }
}
