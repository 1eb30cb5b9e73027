/* delete.c -- the end of an incarnation: its record, its entries, what was to come of it, and on
 * demand the relationships that hang on it, also those that begin after the end.
 *
 * The walk over a node's adjacency is noted with the engine, and whoever attaches a relationship
 * reads the entry of the node's external id, which is deleted here: of the two that meet, one
 * conflicts.
 */
#include <inttypes.h>

#include "topology/graph_internal.h"
#include "topology/graph_txn.h"

static enum yore_status delete_external(struct graph_txn *txn, enum graph_element element,
                                        struct yore_bytes external_id, int64_t from, int64_t end,
                                        struct yore_error *error_out)
{
    struct buffer key = {0};
    struct line line;
    graph_key_external(&key, element, external_id);
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : line_read(txn, buffer_bytes(&key), from, &line, error_out);
    if (st == YORE_OK) {
        st = txn_delete(txn, buffer_bytes(&key), from, error_out);
    }
    /* What was written over deletes of earlier incarnations. */
    for (size_t i = 1; st == YORE_OK && i < line.count; i++) {
        if (line.versions[i].is_put && txn_begins_before(txn, line.versions[i].from, end)) {
            st = txn_delete(txn, buffer_bytes(&key), line.versions[i].from, error_out);
        }
    }
    buffer_release(&key);
    return st;
}

/* Everything of one element from `from` on. */
static enum yore_status delete_life(struct graph_txn *txn, struct graph_id id, struct life *life,
                                    struct yore_error *error_out)
{
    for (size_t i = 0; i < life->count; i++) {
        life->segments[i].will_be = false;
    }
    struct yore_bytes external_id = life->segments[0].before.external_id;
    enum yore_status st =
        segments_write(txn, id, life->segments, life->count, life->end, error_out);
    if (st == YORE_OK) {
        st = delete_external(txn, id.element, external_id, life->segments[0].from, life->end,
                             error_out);
    }
    return st;
}

/* ---- what hangs on a node ---- */

struct hanging {
    uint64_t *relationships;
    int64_t *froms; /* where each is to end: the node's, or its own begin */
    size_t count;
};

/* Is a relationship there at `from` or later, and since when? */
static enum yore_status find_begin(struct graph_txn *txn, uint64_t relationship, int64_t from,
                                   int64_t *begin_out, bool *is_there_out,
                                   struct yore_error *error_out)
{
    struct graph_key key = graph_key_element((struct graph_id){GRAPH_RELATIONSHIP, relationship});
    struct line line;
    enum yore_status st = line_read(txn, graph_key_bytes(&key), from, &line, error_out);
    *is_there_out = false;
    for (size_t i = 0; st == YORE_OK && i < line.count && !*is_there_out; i++) {
        const struct line_version *version = &line.versions[i];
        bool is_past = i == 0 && version->from <= from && !line.is_in_force;
        *is_there_out = version->is_put && !is_past;
        *begin_out = i == 0 && line.is_in_force ? from : version->from;
    }
    return st;
}

static enum yore_status find_hanging(struct graph_txn *txn, uint64_t node, int64_t from,
                                     struct hanging *hanging_out, struct yore_error *error_out)
{
    struct graph_adjacency place = {.node = node};
    struct graph_key prefix = graph_key_adjacency(&place, ADJACENCY_OF_NODE);
    struct line_keys keys;
    enum yore_status st = line_keys_ever(txn, graph_key_bytes(&prefix), from, &keys, error_out);
    *hanging_out = (struct hanging){0};
    if (st != YORE_OK) {
        return st;
    }
    hanging_out->relationships = arena_alloc(&txn->scratch, keys.count * sizeof(uint64_t) + 1);
    hanging_out->froms = arena_alloc(&txn->scratch, keys.count * sizeof(int64_t) + 1);
    if (hanging_out->relationships == NULL || hanging_out->froms == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (size_t i = 0; st == YORE_OK && i < keys.count; i++) {
        struct graph_adjacency found;
        bool is_there = true;
        int64_t begin = from;
        if (!graph_key_adjacency_decode(keys.keys[i], &found)) {
            char text[KEY_TEXT_BYTES];
            return error_set(error_out, YORE_CORRUPT, "graph %s: key %s is malformed",
                             txn->graph->name, key_text(keys.keys[i], text));
        }
        if (found.is_incoming && found.other == found.node) {
            continue; /* a loop hangs on it once */
        }
        st = find_begin(txn, found.relationship, from, &begin, &is_there, error_out);
        if (is_there) {
            hanging_out->relationships[hanging_out->count] = found.relationship;
            hanging_out->froms[hanging_out->count++] = begin;
        }
    }
    return st;
}

static enum yore_status delete_hanging(struct graph_txn *txn, const struct hanging *hanging,
                                       struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < hanging->count; i++) {
        struct graph_id id = {GRAPH_RELATIONSHIP, hanging->relationships[i]};
        struct life life;
        st = life_read(txn, id, hanging->froms[i], &life, error_out);
        if (st == YORE_OK) {
            st = delete_life(txn, id, &life, error_out);
        }
        txn->tally.relationships_deleted += st == YORE_OK;
    }
    return st;
}

enum yore_status graph_delete(struct graph_txn *txn, struct graph_id id, bool detaches,
                              const struct graph_write *write, struct yore_error *error_out)
{
    struct graph_write dates;
    struct hanging hanging = {0};
    struct life life = {0};
    struct graph_tally before = txn->tally;
    error_clear(error_out);
    enum yore_status st = txn_dates(txn, write, &dates, error_out);
    if (st == YORE_OK && dates.to != YORE_FOREVER) {
        st = error_set(error_out, YORE_INVALID,
                       "a delete has no end: an element that comes again is made anew");
    }
    if (st == YORE_OK) {
        st = life_read(txn, id, dates.from, &life, error_out);
    }
    if (st == YORE_OK && id.element == GRAPH_NODE) {
        st = find_hanging(txn, id.id, dates.from, &hanging, error_out);
    }
    if (st == YORE_OK && hanging.count > 0 && !detaches) {
        st = error_set(error_out, YORE_INVALID,
                       "graph %s: node %" PRIu64 " still has %zu relationships; delete them first, "
                       "or detach it",
                       txn->graph->name, id.id, hanging.count);
    }
    if (st == YORE_OK) {
        st = delete_hanging(txn, &hanging, error_out);
    }
    if (st == YORE_OK) {
        st = delete_life(txn, id, &life, error_out);
    }
    if (st != YORE_OK) {
        txn->tally = before;
        return st;
    }
    txn->tally.nodes_deleted += id.element == GRAPH_NODE;
    txn->tally.relationships_deleted += id.element == GRAPH_RELATIONSHIP;
    return YORE_OK;
}
