/* txn.c -- a graph's transaction: its life, its dates and its facts. */
#include "engine/txn.h"
#include "base/mem.h"
#include "engine/gate.h"
#include "topology/conflict.h"
#include "topology/graph_internal.h"
#include "topology/graph_txn.h"
#include "topology/rules.h"
#include "topology/unique.h"

enum yore_status graph_begin(struct graph *graph, struct graph_txn **txn_out,
                             struct yore_error *error_out)
{
    error_clear(error_out);
    *txn_out = NULL;
    struct graph_txn *txn = mem_zalloc(sizeof *txn);
    if (txn == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    txn->graph = graph;
    arena_init(&txn->scratch, 4096);
    arena_init(&txn->doubt_memory, 4096);
    arena_init(&txn->own.bytes, 4096);
    arena_init(&txn->own_groups.bytes, 4096);
    enum yore_status st = yore_begin(graph->db, &txn->engine, error_out);
    if (st != YORE_OK) {
        mem_free(txn);
        return st;
    }
    txn->time = yore_txn_time(txn->engine);
    graph_txn_explain_conflicts(txn);
    *txn_out = txn;
    return YORE_OK;
}

static void txn_free(struct graph_txn *txn)
{
    if (txn->is_inside) {
        gate_leave(txn->graph->keyspace);
    }
    own_facts_release(&txn->own);
    own_facts_release(&txn->own_groups);
    arena_release(&txn->scratch);
    arena_release(&txn->doubt_memory);
    graph_rules_free(txn->rules);
    mem_free(txn);
}

void graph_abort(struct graph_txn *txn)
{
    if (txn != NULL) {
        yore_txn_abort(txn->engine);
        txn_free(txn);
    }
}

enum yore_status graph_commit(struct graph_txn *txn, enum yore_durability durability,
                              int64_t *commit_out, struct yore_error *error_out)
{
    error_clear(error_out);
    if (txn->is_broken) {
        graph_abort(txn);
        return error_set(error_out, YORE_INVALID,
                         "a change of this transaction failed half way; begin it again");
    }
    enum yore_status st = yore_txn_commit(txn->engine, durability, commit_out, error_out);
    if (st == YORE_OK) {
        graph_count(txn->graph, &txn->tally);
    }
    txn_free(txn);
    return st;
}

struct graph_savepoint graph_savepoint(const struct graph_txn *txn)
{
    struct own_mark own = own_facts_mark(&txn->own);
    return (struct graph_savepoint){.facts = txn->engine->fact_count,
                                    .own_count = own.fact_count,
                                    .own_bytes = own.bytes,
                                    .tally = txn->tally,
                                    .is_ahead = txn->is_ahead,
                                    .is_broken = txn->is_broken};
}

void graph_rollback_to(struct graph_txn *txn, const struct graph_savepoint *savepoint)
{
    const struct own_mark own = {savepoint->own_count, savepoint->own_bytes};
    txn_rewind(txn->engine, savepoint->facts);
    own_facts_rewind(&txn->own, &own);
    txn->tally = savepoint->tally;
    txn->is_ahead = savepoint->is_ahead;
    txn->is_broken = savepoint->is_broken;
    unique_forget(txn);
    txn->writes++; /* what views remember of it is not so any more */
}

struct graph_tally graph_txn_tally(const struct graph_txn *txn)
{
    return txn->tally;
}

struct yore_time graph_txn_time(const struct graph_txn *txn)
{
    return txn->time;
}

struct yore_txn *graph_txn_engine(const struct graph_txn *txn)
{
    return txn->engine;
}

uint64_t graph_txn_writes(const struct graph_txn *txn)
{
    return txn->writes;
}

enum yore_status graph_txn_token(struct graph_txn *txn, enum graph_token_kind kind,
                                 struct yore_bytes name, uint32_t *token_out,
                                 struct yore_error *error_out)
{
    error_clear(error_out);
    return graph_make_token(txn->graph, kind, name, token_out, error_out);
}

/* ---- facts ---- */

bool txn_begins_before(const struct graph_txn *txn, int64_t from, int64_t end)
{
    if (from == LINE_NOW) {
        return end != LINE_NOW && end > txn->time.valid;
    }
    return from < end;
}

int64_t txn_first_end(const struct graph_txn *txn, int64_t a, int64_t b)
{
    if (a == LINE_NOW) {
        return b > txn->time.valid ? a : b;
    }
    if (b == LINE_NOW) {
        return a > txn->time.valid ? b : a;
    }
    return a < b ? a : b;
}

/* What a key is looked for by, of all that a transaction has written: who deletes a node asks for
 * what hangs on it, and a unique value for who has it.  Size 0: nobody asks. */
static struct yore_bytes group_of(struct yore_bytes key)
{
    const unsigned char *begin = key.data;
    const unsigned char *at = begin + 1;
    struct yore_bytes group = bytes_of("", 0);
    uint64_t node;
    if (key.size > 0 && *begin == GRAPH_KEY_ADJACENCY &&
        key_number_decode(&at, begin + key.size, &node)) {
        return bytes_of(begin, (size_t)(at - begin));
    }
    bool is_entry = key.size > 0 && *begin == GRAPH_KEY_PROPERTY;
    return is_entry && graph_key_index_decode(key, &node, &group) ? group : bytes_of("", 0);
}

static bool keep_group(struct graph_txn *txn, struct yore_bytes key)
{
    struct own_fact fact = {.key = group_of(key), .value = key};
    return fact.key.size == 0 || own_facts_add(&txn->own_groups, &fact);
}

static enum yore_status keep_own(struct graph_txn *txn, const struct own_fact *fact,
                                 struct yore_error *error_out)
{
    txn->writes++;
    txn->is_ahead |= fact->from != LINE_NOW && fact->from > txn->time.valid;
    bool is_new = own_facts_find(&txn->own, fact->key) == NULL;
    if (own_facts_add(&txn->own, fact) && (!is_new || keep_group(txn, fact->key))) {
        return YORE_OK;
    }
    txn->is_broken = true;
    return error_plain(error_out, YORE_NOMEM);
}

enum yore_status txn_put(struct graph_txn *txn, struct yore_bytes key, struct yore_bytes value,
                         int64_t from, int64_t to, struct yore_error *error_out)
{
    bool ends_now = to == LINE_NOW; /* a moment no fact can name yet: a delete says it */
    to = ends_now ? YORE_FOREVER : to;
    struct yore_write write = {.from = from == LINE_NOW ? YORE_NOW : from, .to = to};
    struct own_fact fact = {.key = key, .value = value, .from = from, .to = to, .is_put = true};
    enum yore_status st =
        yore_txn_put(txn->engine, txn->graph->keyspace, key, value, &write, error_out);
    if (st != YORE_OK) {
        txn->is_broken = true;
        return st;
    }
    st = keep_own(txn, &fact, error_out);
    return st == YORE_OK && ends_now ? txn_delete(txn, key, LINE_NOW, error_out) : st;
}

enum yore_status txn_delete(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                            struct yore_error *error_out)
{
    struct yore_write write = {.from = from == LINE_NOW ? YORE_NOW : from, .to = YORE_FOREVER};
    struct own_fact fact = {.key = key, .from = from, .to = YORE_FOREVER};
    enum yore_status st =
        yore_txn_delete(txn->engine, txn->graph->keyspace, key, &write, error_out);
    if (st != YORE_OK) {
        txn->is_broken = true;
        return st;
    }
    return keep_own(txn, &fact, error_out);
}

enum yore_status txn_dates(struct graph_txn *txn, const struct graph_write *write,
                           struct graph_write *dates_out, struct yore_error *error_out)
{
    *dates_out =
        write != NULL ? *write : (struct graph_write){.from = YORE_NOW, .to = YORE_FOREVER};
    arena_reset(&txn->scratch);
    if (dates_out->from < YORE_TIME_MIN) {
        return error_set(error_out, YORE_INVALID, "the begin of a change is before all time");
    }
    int64_t begin = dates_out->from == YORE_NOW ? txn->time.valid : dates_out->from;
    if (dates_out->to <= begin) {
        return error_set(error_out, YORE_INVALID,
                         "a change must end after it begins; this one ends before or then");
    }
    dates_out->from = dates_out->from == YORE_NOW ? LINE_NOW : dates_out->from;
    if (txn->has_rules) {
        return YORE_OK;
    }
    if (!txn->is_inside && !gate_enter(txn->graph->keyspace)) {
        return graph_refuse_busy(txn->graph, error_out);
    }
    txn->is_inside = true;
    enum yore_status st = graph_rules_read(txn->graph, txn->engine, &txn->rules, error_out);
    txn->has_rules = st == YORE_OK;
    return st;
}
