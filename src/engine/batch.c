/* batch.c -- many writes, one commit.
 *
 * Writes are encoded as they are added.  A span must read what it is laid over, and that may change
 * until the commit: it is kept as it was given, and a batch that has one commits as a transaction,
 * made of its writes again each time that one conflicts.
 */
#include "engine/batch.h"
#include "base/assert.h"
#include "base/mem.h"
#include "engine/db_internal.h"
#include "engine/span.h"
#include "engine/txn.h"

/* A part of the batch that is a commit of its own: its writes end at `end`. */
struct batch_cut {
    size_t end;
    uint32_t count;
    uint64_t user_bytes;
    int64_t valid_max;
    bool has_apart;
    bool asks_below;
};

/* A write that is a span; its end is only here. */
struct batch_span {
    size_t index;
    int64_t to;
};

struct yore_batch {
    struct yore_db *db;
    struct buffer writes;
    struct commit_request request; /* counts since the last cut */
    struct batch_cut *cuts;
    size_t cut_count;
    size_t cut_capacity;
    size_t cut_writes; /* writes before the last cut */
    /* What becomes of `part_capacity` cuts.  Kept: so large a block is asked of the system, and
     * given back to it, each time. */
    struct commit_request *requests;
    struct buffer *request_writes; /* in the same block; borrow from `writes` */
    size_t part_capacity;
    struct batch_span *spans; /* by index */
    size_t span_count;
    size_t span_capacity;
};

static void batch_begin(struct yore_batch *batch)
{
    batch->request = (struct commit_request){.valid_max = INT64_MIN,
                                             .refusals = atomic_load(&batch->db->refusals)};
}

enum yore_status yore_batch_new(struct yore_db *db, struct yore_batch **batch_out,
                                struct yore_error *error_out)
{
    if (db == NULL || batch_out == NULL) {
        return error_null(error_out, __func__, "db, batch_out");
    }
    struct yore_batch *batch = mem_zalloc(sizeof *batch);
    *batch_out = batch;
    if (batch == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    error_clear(error_out);
    batch->db = db;
    handles_add(&db->handles, HANDLE_batch, 1);
    batch_begin(batch);
    return YORE_OK;
}

/* ---- adding ---- */

static enum yore_status reserve_span(struct yore_batch *batch, struct yore_error *error_out)
{
    struct batch_span *spans =
        mem_grow(batch->spans, batch->span_count, &batch->span_capacity, sizeof *spans);
    if (spans == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    batch->spans = spans;
    return YORE_OK;
}

static enum yore_status check(struct yore_batch *batch, const struct fact *fact, bool is_span,
                              struct yore_error *error_out)
{
    enum yore_status st = fact_check(batch->db, fact, is_span, error_out);
    if (st == YORE_OK && is_span && batch->cut_count > 0) {
        st = error_set(error_out, YORE_INVALID, "a batch that was cut cannot take a span");
    }
    if (st == YORE_OK && is_span) {
        st = span_check_end(batch->db, fact, error_out);
    }
    return st == YORE_OK && is_span ? reserve_span(batch, error_out) : st;
}

static enum yore_status batch_add(struct yore_batch *batch, struct fact *fact,
                                  const struct yore_write *write, struct yore_error *error_out)
{
    write = write != NULL ? write : &write_from_now_on;
    error_clear(error_out);
    fact->from = write->from;
    fact->to = write->to;
    enum yore_status st = check(batch, fact, write->is_span, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_span = write->is_span && write->from != YORE_NOW; /* nothing begins after now */
    size_t before = batch->writes.size;
    fact->to = is_span ? YORE_FOREVER : fact->to;
    st = fact_encode(batch->db, fact, &batch->writes, &batch->request, error_out);
    if (st != YORE_OK) {
        batch->writes.size = before;
        batch->writes.is_nomem = false;
    } else if (is_span) {
        batch->spans[batch->span_count++] =
            (struct batch_span){.index = batch->request.count - 1, .to = write->to};
    }
    return st;
}

enum yore_status yore_batch_put(struct yore_batch *batch, struct yore_keyspace *keyspace,
                                struct yore_bytes key, struct yore_bytes value,
                                const struct yore_write *write, struct yore_error *error_out)
{
    if (batch == NULL) {
        return error_null(error_out, __func__, "batch");
    }
    struct fact fact = {.keyspace = keyspace_or_default(batch->db, keyspace),
                        .kind = YORE_KIND_PUT,
                        .key = key,
                        .value = value};
    return batch_add(batch, &fact, write, error_out);
}

enum yore_status yore_batch_delete(struct yore_batch *batch, struct yore_keyspace *keyspace,
                                   struct yore_bytes key, const struct yore_write *write,
                                   struct yore_error *error_out)
{
    if (batch == NULL) {
        return error_null(error_out, __func__, "batch");
    }
    struct fact fact = {
        .keyspace = keyspace_or_default(batch->db, keyspace), .kind = YORE_KIND_DELETE, .key = key};
    return batch_add(batch, &fact, write, error_out);
}

size_t yore_batch_count(const struct yore_batch *batch)
{
    return batch != NULL ? batch->cut_writes + batch->request.count : 0;
}

void yore_batch_clear(struct yore_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    buffer_clear(&batch->writes);
    values_let_go(batch->db->values, &batch->request.value_hold);
    batch_begin(batch);
    batch->span_count = 0;
    batch->cut_count = 0;
    batch->cut_writes = 0;
}

/* ---- cutting ---- */

static size_t last_cut(const struct yore_batch *batch)
{
    return batch->cut_count > 0 ? batch->cuts[batch->cut_count - 1].end : 0;
}

/* What the next commit of the batch has written begins anew. */
static void begin_part(struct yore_batch *batch)
{
    struct commit_request *request = &batch->request;
    request->count = 0;
    request->user_bytes = 0;
    request->valid_max = INT64_MIN;
    request->has_apart = false;
    request->asks_below = false;
}

void yore_batch_revert(struct yore_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    batch->writes.size = last_cut(batch);
    batch->span_count = 0; /* what was cut has none */
    begin_part(batch);
}

static enum yore_status cut(struct yore_batch *batch, struct yore_error *error_out)
{
    struct commit_request *request = &batch->request;
    struct batch_cut *cuts =
        mem_grow(batch->cuts, batch->cut_count, &batch->cut_capacity, sizeof *cuts);
    if (cuts == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    batch->cuts = cuts;
    cuts[batch->cut_count++] =
        (struct batch_cut){batch->writes.size, request->count,     request->user_bytes,
                           request->valid_max, request->has_apart, request->asks_below};
    batch->cut_writes += request->count;
    begin_part(batch);
    return YORE_OK;
}

enum yore_status yore_batch_cut(struct yore_batch *batch, struct yore_error *error_out)
{
    if (batch == NULL) {
        return error_null(error_out, __func__, "batch");
    }
    error_clear(error_out);
    enum yore_status st = db_check_writable(batch->db, error_out);
    if (st == YORE_OK && batch->span_count > 0) {
        st = error_set(error_out, YORE_INVALID,
                       "a batch with a span is one commit: it cannot be cut");
    }
    if (st == YORE_OK && batch->request.count > 0) {
        st = cut(batch, error_out);
    }
    if (st != YORE_OK) {
        yore_batch_revert(batch);
    }
    return st;
}

void batch_ask_below(struct yore_batch *batch)
{
    YORE_ASSERT(batch->request.count == 1);
    batch->request.asks_below = true;
}

enum commit_below batch_below(const struct yore_batch *batch, size_t part)
{
    YORE_ASSERT(part < batch->part_capacity && batch->cut_count == 0);
    return batch->requests[part].below;
}

/* ---- committing ---- */

/* The batch's writes as facts of a transaction, in their order. */
static enum yore_status fill(void *arg, struct yore_txn *txn, struct yore_error *error_out)
{
    const struct yore_batch *batch = arg;
    struct commit_decoder c = {.commit = INT64_MAX - 1, .count = batch->request.count};
    struct commit_write write;
    enum yore_status st = YORE_OK;
    txn->refusals = batch->request.refusals; /* the writes were checked when they were added */
    decoder_init(&c.d, batch->writes.data, batch->writes.size);
    for (size_t i = 0, span = 0; st == YORE_OK && i < batch->request.count; i++) {
        st = commit_decoder_next(&c, &write);
        YORE_ASSERT(st == YORE_OK); /* batch_add() has encoded it */
        struct fact fact = {.keyspace = db_keyspace(txn->db, write.keyspace),
                            .kind = write.kind,
                            .key = write.key,
                            .value = write.value,
                            .from = write.is_from_commit ? YORE_NOW : write.valid_from,
                            .to = write.valid_to,
                            .is_apart = write.is_apart};
        if (span < batch->span_count && batch->spans[span].index == i) {
            fact.to = batch->spans[span++].to;
            st = txn_add_span(txn, &fact, error_out);
        } else {
            st = txn_add_fact(txn, &fact, error_out);
        }
    }
    return st;
}

/* Field by field: the room for an error's text would be most of what there is to clear. */
static void part_init(struct commit_request *request, const struct yore_batch *batch, size_t i)
{
    const struct batch_cut *cut = &batch->cuts[i];
    request->count = cut->count;
    request->user_bytes = cut->user_bytes;
    request->valid_max = cut->valid_max;
    request->has_apart = cut->has_apart;
    request->asks_below = cut->asks_below;
    request->refusals = batch->request.refusals;
    request->fixed_commit = 0;
    request->value_hold = NULL; /* the batch has it */
    request->is_catalogue = false;
    request->durability = batch->request.durability;
    request->reads = NULL;
    request->commit = 0;
}

static bool reserve_parts(struct yore_batch *batch)
{
    if (batch->cut_count <= batch->part_capacity) {
        return true;
    }
    size_t count = batch->cut_capacity; /* grows by doubling */
    struct commit_request *requests = mem_alloc(count * (sizeof *requests + sizeof(struct buffer)));
    if (requests == NULL) {
        return false;
    }
    mem_free(batch->requests);
    batch->requests = requests;
    batch->request_writes = (struct buffer *)(requests + count);
    batch->part_capacity = count;
    return true;
}

static enum yore_status submit_parts(struct yore_batch *batch, struct yore_error *error_out)
{
    size_t count = batch->cut_count;
    if (!reserve_parts(batch)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    struct commit_request *requests = batch->requests;
    struct buffer *writes = batch->request_writes;
    for (size_t i = 0, begin = 0; i < count; begin = batch->cuts[i++].end) {
        writes[i] =
            (struct buffer){.data = batch->writes.data + begin, .size = batch->cuts[i].end - begin};
        part_init(&requests[i], batch, i);
        requests[i].writes = &writes[i];
    }
    enum yore_status st = commit_submit_all(batch->db, requests, count, error_out);
    batch->request.commit = requests[count - 1].commit;
    return st;
}

static enum yore_status submit(struct yore_batch *batch, struct yore_error *error_out)
{
    if (batch->cut_count > 0) {
        enum yore_status st = batch->request.count > 0 ? cut(batch, error_out) : YORE_OK;
        return st == YORE_OK ? submit_parts(batch, error_out) : st;
    }
    if (batch->span_count > 0) {
        const struct span_commit commit = {fill, batch, batch->request.durability,
                                           &batch->request.commit};
        return span_commit(batch->db, &commit, error_out);
    }
    batch->request.writes = &batch->writes;
    return commit_submit(batch->db, &batch->request, error_out);
}

enum yore_status yore_batch_commit(struct yore_batch *batch, enum yore_durability durability,
                                   int64_t *commit_out, struct yore_error *error_out)
{
    if (batch == NULL) {
        return error_null(error_out, __func__, "batch");
    }
    struct yore_db *db = batch->db;
    error_clear(error_out);
    if ((unsigned)durability > YORE_DURABILITY_NONE) {
        return error_set(error_out, YORE_INVALID, "durability %d is unknown", (int)durability);
    }
    if (yore_batch_count(batch) == 0) {
        if (commit_out != NULL) {
            *commit_out = atomic_load_explicit(&db->visible, memory_order_acquire);
        }
        return YORE_OK;
    }
    batch->request.durability =
        durability != YORE_DURABILITY_DEFAULT ? durability : db->options.durability;
    bool is_cut = batch->cut_count > 0;
    values_commit(db->values, batch->request.value_hold, true);
    enum yore_status st = submit(batch, error_out);
    if (st == YORE_OK && commit_out != NULL) {
        *commit_out = batch->request.commit;
    }
    if (st == YORE_OK || is_cut) { /* of one that was cut, some may be committed */
        yore_batch_clear(batch);
    } else {
        values_commit(db->values, batch->request.value_hold, false);
    }
    return st;
}

void yore_batch_free(struct yore_batch *batch)
{
    if (batch != NULL) {
        values_let_go(batch->db->values, &batch->request.value_hold);
        buffer_release(&batch->writes);
        mem_free(batch->spans);
        mem_free(batch->cuts);
        mem_free(batch->requests);
        handles_add(&batch->db->handles, HANDLE_batch, -1);
        mem_free(batch);
    }
}
