/* create.c -- new nodes and relationships.
 *
 * Everything is checked before anything is written: the external id is free from the begin to the
 * end, a relationship lies within one incarnation of each end, a unique value is nobody else's at
 * any time in between.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/moment.h"
#include "topology/graph_internal.h"
#include "topology/graph_txn.h"
#include "topology/property_value.h"

/* ---- external ids ---- */

static enum yore_status check_external(struct yore_bytes external_id, struct yore_error *error_out)
{
    if (external_id.size > GRAPH_EXTERNAL_ID_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG,
                         "an external id takes %u octets at most; this one has %zu",
                         GRAPH_EXTERNAL_ID_BYTES_MAX, external_id.size);
    }
    return YORE_OK;
}

static uint64_t entry_id(const struct line_version *version)
{
    struct decoder from;
    decoder_init(&from, version->value.data, version->value.size);
    return decode_varint(&from);
}

static enum yore_status refuse_taken(struct graph_txn *txn, struct graph_id other,
                                     struct yore_bytes external_id, int64_t from,
                                     struct yore_error *error_out)
{
    char moment[MOMENT_TEXT_BYTES] = "then";
    char name[KEY_TEXT_BYTES];
    if (from != LINE_NOW) {
        moment_format(from, moment);
    }
    return error_set(error_out, YORE_EXISTS,
                     "graph %s: external id %s is that of %s %" PRIu64 ", which is there %s%s",
                     txn->graph->name, key_text(external_id, name),
                     other.element == GRAPH_NODE ? "node" : "relationship", other.id,
                     from != LINE_NOW ? "from " : "", from != LINE_NOW ? moment : "now");
}

#define EXTERNAL_KEY_HEAD_BYTES 2 /* kind and element; the external id follows */

/* What is in the way of an entry from `from` to *end: nothing, or the external id's next
 * incarnation, before which it must end.  *line_out has the facts to write over. */
static enum yore_status check_free(struct graph_txn *txn, struct yore_bytes key,
                                   enum graph_element element, const struct graph_write *dates,
                                   int64_t *end, struct line *line_out,
                                   struct yore_error *error_out)
{
    enum yore_status st = line_read(txn, key, dates->from, line_out, error_out);
    for (size_t i = 0; st == YORE_OK && i < line_out->count; i++) {
        const struct line_version *version = &line_out->versions[i];
        bool is_before = i == 0 && version->from <= dates->from && !line_out->is_in_force;
        if (!version->is_put || !txn_begins_before(txn, version->from, *end) || is_before) {
            continue;
        }
        if (dates->clips && version->from > dates->from) {
            *end = version->from;
            break;
        }
        struct graph_id other = {element, entry_id(version)};
        st = refuse_taken(txn, other, bytes_behind(key, EXTERNAL_KEY_HEAD_BYTES), version->from,
                          error_out);
    }
    return st;
}

/* The entry of the external id, also over what deletes stand in its way. */
static enum yore_status write_external(struct graph_txn *txn, struct yore_bytes key, uint64_t id,
                                       const struct line *line, int64_t from, int64_t end,
                                       struct yore_error *error_out)
{
    unsigned char octets[VARINT_BYTES_MAX];
    struct yore_bytes value = bytes_of(octets, varint_encode(octets, id));
    bool has_next = line->count > 0 && line->versions[line->count - 1].from == LINE_NOW;
    int64_t to = end == LINE_NOW && has_next ? YORE_FOREVER : end; /* the next one ends it */
    enum yore_status st = txn_put(txn, key, value, from, to, error_out);
    for (size_t i = 0; st == YORE_OK && from != LINE_NOW && i < line->count; i++) {
        int64_t at = line->versions[i].from;
        if (at > from && txn_begins_before(txn, at, end)) {
            st = txn_put(txn, key, value, at, to, error_out);
        }
    }
    return st;
}

/* ---- states ---- */

static enum yore_status set_properties(struct graph_txn *txn, struct element_state *state,
                                       const struct graph_property *properties, size_t count,
                                       struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        struct yore_bytes value;
        st = property_encode(txn, &properties[i], &value, error_out);
        bool is_null = properties[i].value.kind == YORE_GRAPH_NULL;
        if (st == YORE_OK && !element_state_set_property(state, properties[i].token,
                                                         is_null ? NULL : &value, &txn->scratch)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
        txn->tally.properties_set += st == YORE_OK && !is_null;
    }
    return st;
}

enum yore_status property_encode(struct graph_txn *txn, const struct graph_property *property,
                                 struct yore_bytes *value_out, struct yore_error *error_out)
{
    struct buffer octets = {0};
    if (property->token == GRAPH_NO_TOKEN || property->token > GRAPH_TOKENS_MAX) {
        return error_set(error_out, YORE_INVALID, "a property has no name");
    }
    enum yore_status st = property_value_encode(&octets, &property->value, error_out);
    if (st == YORE_OK) {
        void *copy = arena_copy(&txn->scratch, octets.data, octets.size);
        *value_out = bytes_of(copy, octets.size);
        if (copy == NULL || buffer_status(&octets) != YORE_OK) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    buffer_release(&octets);
    return st;
}

/* An external id for an element that was given none. */
static struct yore_bytes made_up(struct graph_id id, char text[32])
{
    int size = snprintf(text, 32, "_:%c%" PRIu64, id.element == GRAPH_NODE ? 'n' : 'r', id.id);
    return bytes_of(text, (size_t)size);
}

/* ---- both ---- */

/* The id comes last, or first where the external id is made of it: a refused element takes none. */
enum yore_status life_create(struct graph_txn *txn, struct segment *segments, size_t count,
                             const struct graph_write *dates, uint64_t *id_out,
                             struct yore_error *error_out)
{
    struct element_state *state = &segments[0].after;
    struct buffer key = {0};
    struct line line;
    struct graph_id id = {state->element, 0};
    int64_t end = dates->to;
    char text[32];
    enum yore_status st = YORE_OK;
    if (state->external_id.size == 0) {
        st = graph_take_id(txn->graph, id.element, state->type, &id.id, error_out);
        state->external_id = made_up(id, text);
    }
    graph_key_external(&key, id.element, state->external_id);
    if (st == YORE_OK && buffer_status(&key) != YORE_OK) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK) {
        st = check_free(txn, buffer_bytes(&key), id.element, dates, &end, &line, error_out);
    }
    if (st == YORE_OK && id.id == 0) {
        st = graph_take_id(txn->graph, id.element, state->type, &id.id, error_out);
    }
    if (st == YORE_OK) {
        st = segments_write(txn, id, segments, count, end, error_out);
    }
    if (st == YORE_OK) {
        st = write_external(txn, buffer_bytes(&key), id.id, &line, dates->from, end, error_out);
    }
    buffer_release(&key);
    *id_out = id.id;
    return st;
}

static enum yore_status create(struct graph_txn *txn, const struct element_state *state,
                               const struct graph_write *dates, uint64_t *id_out,
                               struct yore_error *error_out)
{
    struct segment segment = {.from = dates->from, .will_be = true, .after = *state};
    return life_create(txn, &segment, 1, dates, id_out, error_out);
}

enum yore_status external_extend(struct graph_txn *txn, enum graph_element element,
                                 struct yore_bytes external_id, uint64_t id,
                                 const struct graph_write *gap, int64_t end,
                                 struct yore_error *error_out)
{
    unsigned char octets[VARINT_BYTES_MAX];
    struct yore_bytes value = bytes_of(octets, varint_encode(octets, id));
    struct buffer key = {0};
    struct line line;
    graph_key_external(&key, element, external_id);
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : line_read(txn, buffer_bytes(&key), gap->from, &line, error_out);
    if (st == YORE_OK) {
        st = txn_put(txn, buffer_bytes(&key), value, gap->from, end, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < line.count; i++) {
        int64_t at = line.versions[i].from;
        if (at > gap->from && at < gap->to) { /* what ended an earlier incarnation */
            st = txn_put(txn, buffer_bytes(&key), value, at, end, error_out);
        }
    }
    buffer_release(&key);
    return st;
}

enum yore_status graph_node_create(struct graph_txn *txn, const struct graph_new_node *node,
                                   const struct graph_write *write, uint64_t *id_out,
                                   struct yore_error *error_out)
{
    struct graph_write dates;
    uint64_t id = 0;
    struct element_state state = {.element = GRAPH_NODE, .external_id = node->external_id};
    uint64_t properties_before = txn->tally.properties_set;
    error_clear(error_out);
    enum yore_status st = txn_dates(txn, write, &dates, error_out);
    if (st == YORE_OK) {
        st = check_external(node->external_id, error_out);
    }
    if (st == YORE_OK && node->label_count > GRAPH_LABELS_MAX) {
        st = error_set(error_out, YORE_TOO_BIG, "a node has %u labels at most", GRAPH_LABELS_MAX);
    }
    for (size_t i = 0; st == YORE_OK && i < node->label_count; i++) {
        if (!element_state_set_label(&state, node->labels[i], true, &txn->scratch)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    if (st == YORE_OK) {
        st = set_properties(txn, &state, node->properties, node->property_count, error_out);
    }
    if (st == YORE_OK) {
        st = create(txn, &state, &dates, &id, error_out);
    }
    if (st != YORE_OK) {
        txn->tally.properties_set = properties_before;
        return st;
    }
    txn->tally.nodes_created++;
    txn->tally.labels_added += state.label_count;
    *id_out = id;
    return YORE_OK;
}

/* ---- the ends of relationships ---- */

/* A record of a node at the begin: the transaction's own, or a stored one.  Nothing is noted: what
 * matters of it, the external id, never changes. */
enum yore_status node_external(struct graph_txn *txn, uint64_t node, int64_t from,
                               struct yore_bytes *external_id_out, struct yore_error *error_out)
{
    struct graph_key key = graph_key_element((struct graph_id){GRAPH_NODE, node});
    const struct own_fact *own = own_facts_find(&txn->own, graph_key_bytes(&key));
    struct element_record record;
    struct yore_value value = {0};
    struct yore_time at = {from > txn->time.valid ? txn->time.valid : from, txn->time.known};
    struct yore_bytes octets;
    while (own != NULL && !own->is_put) {
        own = own->next;
    }
    enum yore_status st = YORE_OK;
    if (own != NULL) {
        octets = own->value;
    } else {
        st = yore_get(txn->graph->db, txn->graph->keyspace, graph_key_bytes(&key), &at, &value,
                      error_out);
        octets = bytes_of(value.data, value.size);
    }
    if (st == YORE_NOT_FOUND || st == YORE_ERASED) {
        st = YORE_NOT_FOUND;
    } else if (st == YORE_OK && !element_record_read(octets, GRAPH_NODE, &record)) {
        st = graph_refuse_record(txn->graph, (struct graph_id){GRAPH_NODE, node}, error_out);
    } else if (st == YORE_OK) {
        void *copy = arena_copy(&txn->scratch, record.external_id.data, record.external_id.size);
        *external_id_out = bytes_of(copy, record.external_id.size);
        st = copy != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    }
    yore_value_release(&value);
    return st;
}

static enum yore_status incarnation_end(struct graph_txn *txn, uint64_t node, int64_t from,
                                        struct yore_bytes external_id, int64_t *end_out,
                                        struct yore_error *error_out)
{
    struct buffer key = {0};
    struct line line;
    graph_key_external(&key, GRAPH_NODE, external_id);
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : line_read(txn, buffer_bytes(&key), from, &line, error_out);
    buffer_release(&key);
    if (st != YORE_OK) {
        return st;
    }
    size_t count = line_life(&line, end_out);
    if (count == 0 || entry_id(&line.versions[0]) != node) {
        return YORE_NOT_FOUND;
    }
    for (size_t i = 1; i < count; i++) {
        if (entry_id(&line.versions[i]) != node) {
            *end_out = line.versions[i].from;
            break;
        }
    }
    return YORE_OK;
}

/* When a node's incarnation that is there at `from` ends; noted.  Errors: YORE_NOT_FOUND. */
static enum yore_status node_end(struct graph_txn *txn, uint64_t node, int64_t from,
                                 int64_t *end_out, struct yore_error *error_out)
{
    struct yore_bytes external_id;
    enum yore_status st = node_external(txn, node, from, &external_id, error_out);
    if (st == YORE_OK) {
        st = incarnation_end(txn, node, from, external_id, end_out, error_out);
    }
    if (st == YORE_NOT_FOUND) {
        char moment[MOMENT_TEXT_BYTES] = "now";
        if (from != LINE_NOW) {
            moment_format(from, moment);
        }
        return error_set(error_out, st, "graph %s: there is no node %" PRIu64 " at %s",
                         txn->graph->name, node, moment);
    }
    return st;
}

/* The relationship must end when an end does, at the latest. */
static enum yore_status fit_end(struct graph_txn *txn, uint64_t node, struct graph_write *dates,
                                struct yore_error *error_out)
{
    int64_t end = YORE_FOREVER;
    enum yore_status st = node_end(txn, node, dates->from, &end, error_out);
    if (st != YORE_OK || txn_first_end(txn, dates->to, end) == dates->to) {
        return st;
    }
    if (dates->clips) {
        dates->to = end;
        return YORE_OK;
    }
    char moment[MOMENT_TEXT_BYTES];
    return error_set(error_out, YORE_INVALID,
                     "graph %s: node %" PRIu64
                     " ends at %s, before the relationship would; give it "
                     "an earlier end, or have it clipped",
                     txn->graph->name, node, end == LINE_NOW ? "now" : moment_format(end, moment));
}

enum yore_status graph_relationship_create(struct graph_txn *txn,
                                           const struct graph_new_relationship *relationship,
                                           const struct graph_write *write, uint64_t *id_out,
                                           struct yore_error *error_out)
{
    struct graph_write dates;
    uint64_t id = 0;
    struct element_state state = {.element = GRAPH_RELATIONSHIP,
                                  .external_id = relationship->external_id,
                                  .type = relationship->type,
                                  .start_id = relationship->start_id,
                                  .end_id = relationship->end_id};
    uint64_t properties_before = txn->tally.properties_set;
    error_clear(error_out);
    enum yore_status st = txn_dates(txn, write, &dates, error_out);
    if (st == YORE_OK) {
        st = check_external(relationship->external_id, error_out);
    }
    if (st == YORE_OK && (state.type == GRAPH_NO_TOKEN || state.type > GRAPH_TOKENS_MAX)) {
        st = error_set(error_out, YORE_INVALID, "a relationship has no type");
    }
    if (st == YORE_OK) {
        st = fit_end(txn, state.start_id, &dates, error_out);
    }
    if (st == YORE_OK && state.end_id != state.start_id) {
        st = fit_end(txn, state.end_id, &dates, error_out);
    }
    if (st == YORE_OK) {
        st = set_properties(txn, &state, relationship->properties, relationship->property_count,
                            error_out);
    }
    if (st == YORE_OK) {
        st = create(txn, &state, &dates, &id, error_out);
    }
    if (st != YORE_OK) {
        txn->tally.properties_set = properties_before;
        return st;
    }
    txn->tally.relationships_created++;
    *id_out = id;
    return YORE_OK;
}
