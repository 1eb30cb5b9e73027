/* event_import.c -- see event_import.h.
 *
 * Having the graph alone, the import knows each element it has met (import_cache.c) and checks
 * integrity against that: an element that is added is not there, the ends of a relationship are, a
 * removed node has no relationship.  What it has not met it reads, unless the graph was empty.  So
 * a transaction is a batch of facts that reads nothing, and its commit conflicts with nobody.
 */
#include "topology/event_import.h"

#include <inttypes.h>

#include "base/mem.h"
#include "engine/gate.h"
#include "topology/entries.h"
#include "topology/event_line.h"
#include "topology/event_value.h"
#include "topology/graph_internal.h"
#include "topology/import_cache.h"

struct graph_import {
    struct graph *graph;
    struct graph_import_options options;
    struct yore_batch *batch;
    struct graph_rules *rules;
    struct import_cache cache;
    bool is_complete;     /* what is not in the cache is not in the graph */
    int64_t latest;       /* change of the graph before the import */
    int64_t time;         /* of the transaction in hand */
    uint64_t transaction; /* 0: none */
    bool is_passed_over;  /* the transaction in hand is there already */
    bool is_failed;
    struct event_reader reader;
    struct arena scratch; /* of one line */
    struct buffer record;
    struct buffer key;
    struct graph_import_tally tally;
    struct yore_error cause; /* of a failed line; here, as it is too large to clear for each */
};

/* ---- life ---- */

static bool has_constraint(const struct graph_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->rules[i].schema.is_unique) {
            return true;
        }
    }
    return false;
}

static enum yore_status prepare(struct graph_import *import, struct yore_error *error_out)
{
    struct graph *graph = import->graph;
    enum yore_status st = graph_rules_known(graph, YORE_NOW, &import->rules, error_out);
    if (st == YORE_OK && has_constraint(import->rules)) {
        st = error_set(error_out, YORE_UNSUPPORTED,
                       "graph %s has constraints; drop them, import, and make them again: they are "
                       "then checked over all of history",
                       graph->name);
    }
    if (st != YORE_OK) {
        return st;
    }
    import->latest = YORE_TIME_MIN;
    st = graph_next_change(graph, YORE_NOW, YORE_NOW, true, &import->latest, error_out);
    import->is_complete = st == YORE_NOT_FOUND;
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        return st;
    }
    error_clear(error_out);
    return yore_batch_new(graph->db, &import->batch, error_out);
}

enum yore_status graph_import_open(struct graph *graph, const struct graph_import_options *options,
                                   struct graph_import **import_out, struct yore_error *error_out)
{
    error_clear(error_out);
    *import_out = NULL;
    if (!gate_close(graph->keyspace)) {
        return graph_refuse_busy(graph, error_out);
    }
    struct graph_import *import = mem_zalloc(sizeof *import);
    if (import == NULL) {
        gate_reopen(graph->keyspace);
        return error_plain(error_out, YORE_NOMEM);
    }
    import->graph = graph;
    import->reader.graph = graph;
    import->options = *options;
    enum yore_status st = prepare(import, error_out);
    if (st != YORE_OK) {
        graph_import_abort(import);
        return st;
    }
    *import_out = import;
    return YORE_OK;
}

void graph_import_abort(struct graph_import *import)
{
    if (import == NULL) {
        return;
    }
    graph_forget_counts(import->graph); /* also of what was committed before a fault */
    gate_reopen(import->graph->keyspace);
    yore_batch_free(import->batch);
    graph_rules_free(import->rules);
    import_cache_release(&import->cache);
    event_reader_release(&import->reader);
    arena_release(&import->scratch);
    buffer_release(&import->record);
    buffer_release(&import->key);
    mem_free(import);
}

struct graph_import_tally graph_import_tally(const struct graph_import *import)
{
    return import->tally;
}

/* ---- facts ---- */

static enum yore_status put(struct graph_import *import, struct yore_bytes key,
                            struct yore_bytes value, struct yore_error *error_out)
{
    struct yore_write write = {.from = import->time, .to = YORE_FOREVER};
    return yore_batch_put(import->batch, import->graph->keyspace, key, value, &write, error_out);
}

static enum yore_status end(struct graph_import *import, struct yore_bytes key,
                            struct yore_error *error_out)
{
    struct yore_write write = {.from = import->time, .to = YORE_FOREVER};
    return yore_batch_delete(import->batch, import->graph->keyspace, key, &write, error_out);
}

static enum yore_status put_record(struct graph_import *import,
                                   const struct import_element *element,
                                   struct yore_error *error_out)
{
    struct graph_key key = graph_key_element((struct graph_id){element->element, element->id});
    return put(import, graph_key_bytes(&key), bytes_of(element->record, element->record_size),
               error_out);
}

/* Label and index entries from one state to the next; NULL: not there. */
static enum yore_status step_entries(struct graph_import *import, uint64_t id,
                                     const struct element_state *before,
                                     const struct element_state *after,
                                     struct yore_error *error_out)
{
    struct entry_list lists[2] = {{0}, {0}};
    const struct element_state *states[2] = {before, after};
    enum yore_status st = YORE_OK;
    for (int i = 0; st == YORE_OK && i < 2; i++) {
        if (states[i] != NULL) {
            st = entries_of_state(states[i], id, import->rules, &import->scratch, &lists[i],
                                  error_out);
        }
    }
    for (size_t i = 0; st == YORE_OK && i < lists[0].count; i++) {
        if (!entries_hold(&lists[1], lists[0].keys[i])) {
            st = end(import, lists[0].keys[i], error_out);
        }
    }
    for (size_t i = 0; st == YORE_OK && i < lists[1].count; i++) {
        if (!entries_hold(&lists[0], lists[1].keys[i])) {
            st = put(import, lists[1].keys[i], bytes_of("", 0), error_out);
        }
    }
    return st;
}

static enum yore_status step_ends(struct graph_import *import, const struct import_element *element,
                                  uint32_t type, bool begins, struct yore_error *error_out)
{
    struct graph_adjacency halves[2] = {
        {element->start->id, false, type, element->end->id, element->id},
        {element->end->id, true, type, element->start->id, element->id}};
    enum yore_status st = YORE_OK;
    for (int i = 0; st == YORE_OK && i < 2; i++) {
        struct graph_key key = graph_key_adjacency(&halves[i], ADJACENCY_WHOLE);
        st = begins ? put(import, graph_key_bytes(&key), bytes_of("", 0), error_out)
                    : end(import, graph_key_bytes(&key), error_out);
    }
    element->start->degree += begins ? 1u : (uint32_t)-1;
    element->end->degree += begins ? 1u : (uint32_t)-1;
    return st;
}

static enum yore_status step_external(struct graph_import *import,
                                      const struct import_element *element, bool begins,
                                      struct yore_error *error_out)
{
    unsigned char octets[VARINT_BYTES_MAX];
    buffer_clear(&import->key);
    graph_key_external(&import->key, element->element, element->external_id);
    if (buffer_status(&import->key) != YORE_OK) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return begins ? put(import, buffer_bytes(&import->key),
                        bytes_of(octets, varint_encode(octets, element->id)), error_out)
                  : end(import, buffer_bytes(&import->key), error_out);
}

/* ---- what was not met yet ---- */

/* What is looked for. */
struct element_hash {
    enum graph_element element;
    struct yore_bytes external_id;
    uint64_t hash;
};

static struct element_hash hash_of(enum graph_element element, struct yore_bytes external_id)
{
    return (struct element_hash){element, external_id, import_cache_hash(element, external_id)};
}

static enum yore_status find(struct graph_import *import, const struct element_hash *wanted,
                             struct import_element **found_out, struct yore_error *error_out);

static enum yore_status get(struct graph_import *import, struct yore_bytes key,
                            struct yore_value *value_out, struct yore_error *error_out)
{
    struct yore_time at = {import->time, YORE_NOW};
    enum yore_status st =
        yore_get(import->graph->db, import->graph->keyspace, key, &at, value_out, error_out);
    if (st == YORE_OK && value_out->valid_to != YORE_FOREVER) {
        yore_value_release(value_out);
        return error_set(error_out, YORE_UNSUPPORTED,
                         "graph %s has elements with an end of their own; change them in "
                         "transactions",
                         import->graph->name);
    }
    return st;
}

static enum yore_status count_degree(struct graph_import *import, struct import_element *node,
                                     struct yore_error *error_out)
{
    struct graph_adjacency place = {.node = node->id};
    struct graph_key prefix = graph_key_adjacency(&place, ADJACENCY_OF_NODE);
    struct yore_time at = {import->time, YORE_NOW};
    struct yore_cursor_options options = {
        .range = {.prefix = graph_key_bytes(&prefix)}, .at = &at, .keys_only = true};
    struct yore_cursor *cursor = NULL;
    enum yore_status st =
        yore_cursor_open(import->graph->db, import->graph->keyspace, &options, &cursor, error_out);
    node->degree = 0;
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        node->degree++;
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* The end of a relationship that was read, by its id. */
static enum yore_status find_by_id(struct graph_import *import, uint64_t id,
                                   struct import_element **found_out, struct yore_error *error_out)
{
    struct graph_id node = {GRAPH_NODE, id};
    struct graph_key key = graph_key_element(node);
    struct element_record record;
    struct yore_value value;
    enum yore_status st = get(import, graph_key_bytes(&key), &value, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (element_record_read(bytes_of(value.data, value.size), GRAPH_NODE, &record)) {
        struct element_hash wanted = hash_of(GRAPH_NODE, record.external_id);
        st = find(import, &wanted, found_out, error_out);
    } else {
        st = graph_refuse_record(import->graph, node, error_out);
    }
    yore_value_release(&value);
    return st;
}

/* Read an element as it is before the transaction in hand. */
static enum yore_status load(struct graph_import *import, struct import_element *element,
                             struct yore_error *error_out)
{
    struct yore_value value;
    struct decoder from;
    struct element_record record;
    buffer_clear(&import->key);
    graph_key_external(&import->key, element->element, element->external_id);
    enum yore_status st = buffer_status(&import->key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : get(import, buffer_bytes(&import->key), &value, error_out);
    if (st != YORE_OK) {
        return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
    }
    decoder_init(&from, value.data, value.size);
    element->id = decode_varint(&from);
    yore_value_release(&value);
    struct graph_id id = {element->element, element->id};
    struct graph_key key = graph_key_element(id);
    st = get(import, graph_key_bytes(&key), &value, error_out);
    if (st == YORE_OK) {
        st = import_cache_set(&import->cache, element, bytes_of(value.data, value.size))
                 ? YORE_OK
                 : error_plain(error_out, YORE_NOMEM);
        yore_value_release(&value);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (element->element == GRAPH_NODE) {
        return count_degree(import, element, error_out);
    }
    if (!element_record_read(bytes_of(element->record, element->record_size), GRAPH_RELATIONSHIP,
                             &record)) {
        return graph_refuse_record(import->graph, id, error_out);
    }
    st = find_by_id(import, record.start_id, &element->start, error_out);
    return st == YORE_OK ? find_by_id(import, record.end_id, &element->end, error_out) : st;
}

/* The element of an id, met or not; its record says whether it is there. */
static enum yore_status find(struct graph_import *import, const struct element_hash *wanted,
                             struct import_element **found_out, struct yore_error *error_out)
{
    *found_out =
        import_cache_find(&import->cache, wanted->element, wanted->external_id, wanted->hash);
    if (*found_out != NULL) {
        return YORE_OK;
    }
    *found_out =
        import_cache_add(&import->cache, wanted->element, wanted->external_id, wanted->hash);
    if (*found_out == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return import->is_complete ? YORE_OK : load(import, *found_out, error_out);
}

/* ---- events ---- */

static enum yore_status refuse(enum yore_status st, const struct event_line *event,
                               const char *words, struct yore_error *error_out)
{
    char text[KEY_TEXT_BYTES];
    return error_set(error_out, st, "%s %s %s", event->element == GRAPH_NODE ? "node" : "edge",
                     key_text(event->id, text), words);
}

static enum yore_status set_record(struct graph_import *import, struct import_element *element,
                                   const struct element_state *state, struct yore_error *error_out)
{
    buffer_clear(&import->record);
    element_state_encode(state, &import->record);
    if (import->record.size > GRAPH_RECORD_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG,
                         "an element with all its properties takes %u bytes at most",
                         GRAPH_RECORD_BYTES_MAX);
    }
    if (buffer_status(&import->record) != YORE_OK ||
        !import_cache_set(&import->cache, element, buffer_bytes(&import->record))) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return put_record(import, element, error_out);
}

static enum yore_status add_labels(struct graph_import *import, struct yore_bytes names,
                                   struct element_state *state, struct yore_error *error_out)
{
    const char *at = names.data;
    size_t left = names.size;
    while (left > 0) {
        const char *comma = memchr(at, ',', left);
        size_t size = comma != NULL ? (size_t)(comma - at) : left;
        uint32_t token = GRAPH_NO_TOKEN;
        enum yore_status st =
            event_token(&import->reader, GRAPH_LABEL, bytes_of(at, size), &token, error_out);
        if (st != YORE_OK) {
            return st;
        }
        if (!element_state_set_label(state, token, true, &import->scratch)) {
            return error_plain(error_out, YORE_NOMEM);
        }
        left -= comma != NULL ? size + 1 : size;
        at += comma != NULL ? size + 1 : size;
    }
    return state->label_count <= GRAPH_LABELS_MAX
               ? YORE_OK
               : error_set(error_out, YORE_TOO_BIG, "a node has %u labels at most",
                           GRAPH_LABELS_MAX);
}

static enum yore_status find_end(struct graph_import *import, const struct event_line *event,
                                 const struct element_hash *wanted,
                                 struct import_element **found_out, struct yore_error *error_out)
{
    enum yore_status st = find(import, wanted, found_out, error_out);
    if (st == YORE_OK && (*found_out)->record == NULL) {
        st = refuse(YORE_NOT_FOUND, event, "has an end that is not there", error_out);
    }
    return st;
}

static enum yore_status add_ends(struct graph_import *import, const struct event_line *event,
                                 const struct element_hash ends[2], struct import_element *element,
                                 struct element_state *state, struct yore_error *error_out)
{
    enum yore_status st =
        event_token(&import->reader, GRAPH_TYPE, event->type, &state->type, error_out);
    if (st == YORE_OK) {
        st = find_end(import, event, &ends[0], &element->start, error_out);
    }
    if (st == YORE_OK) {
        st = find_end(import, event, &ends[1], &element->end, error_out);
    }
    if (st == YORE_OK) {
        state->start_id = element->start->id;
        state->end_id = element->end->id;
    }
    return st;
}

static enum yore_status add(struct graph_import *import, const struct event_line *event,
                            const struct element_hash ends[2], struct import_element *element,
                            struct yore_error *error_out)
{
    bool is_node = event->element == GRAPH_NODE;
    struct element_state state = {.element = event->element, .external_id = element->external_id};
    if (element->record != NULL) {
        return refuse(YORE_EXISTS, event, "is added, but is there already", error_out);
    }
    if (event->id.size > GRAPH_EXTERNAL_ID_BYTES_MAX) {
        return refuse(YORE_TOO_BIG, event, "has too long an id", error_out);
    }
    enum yore_status st = is_node ? add_labels(import, event->type, &state, error_out)
                                  : add_ends(import, event, ends, element, &state, error_out);
    if (st == YORE_OK) {
        st = event_properties_apply(&import->reader, event->properties, &import->scratch, &state,
                                    error_out);
    }
    if (st == YORE_OK) {
        st = graph_take_id(import->graph, event->element, state.type, &element->id, error_out);
    }
    if (st == YORE_OK) {
        element->degree = 0;
        st = set_record(import, element, &state, error_out);
    }
    if (st == YORE_OK) {
        st = is_node ? step_entries(import, element->id, NULL, &state, error_out)
                     : step_ends(import, element, state.type, true, error_out);
    }
    return st == YORE_OK ? step_external(import, element, true, error_out) : st;
}

/* The state points into the record until that is set anew. */
static enum yore_status decode(struct graph_import *import, const struct import_element *element,
                               struct element_state *state_out, struct yore_error *error_out)
{
    enum yore_status st = element_state_decode(bytes_of(element->record, element->record_size),
                                               element->element, &import->scratch, state_out);
    if (st == YORE_CORRUPT) {
        return graph_refuse_record(import->graph, (struct graph_id){element->element, element->id},
                                   error_out);
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

static enum yore_status change(struct graph_import *import, const struct event_line *event,
                               struct import_element *element, struct yore_error *error_out)
{
    struct element_state before;
    enum yore_status st = decode(import, element, &before, error_out);
    struct element_state after = before;
    if (st == YORE_OK) {
        st = event_properties_apply(&import->reader, event->properties, &import->scratch, &after,
                                    error_out);
    }
    if (st == YORE_OK && element->element == GRAPH_NODE && import->rules->count > 0) {
        st = step_entries(import, element->id, &before, &after, error_out);
    }
    return st == YORE_OK ? set_record(import, element, &after, error_out) : st;
}

/* What there is to end of an element: a node's entries come from all of its state, a relationship's
 * from its type. */
static enum yore_status decode_ended(struct graph_import *import,
                                     const struct import_element *element,
                                     struct element_state *state_out, struct yore_error *error_out)
{
    struct element_record record;
    if (element->element == GRAPH_NODE) {
        return decode(import, element, state_out, error_out);
    }
    if (!element_record_read(bytes_of(element->record, element->record_size), GRAPH_RELATIONSHIP,
                             &record)) {
        return graph_refuse_record(import->graph, (struct graph_id){element->element, element->id},
                                   error_out);
    }
    *state_out = (struct element_state){.element = GRAPH_RELATIONSHIP, .type = record.type};
    return YORE_OK;
}

static enum yore_status take_away(struct graph_import *import, const struct event_line *event,
                                  struct import_element *element, struct yore_error *error_out)
{
    struct graph_key key = graph_key_element((struct graph_id){element->element, element->id});
    struct element_state state;
    bool is_node = element->element == GRAPH_NODE;
    if (is_node && element->degree > 0) {
        return refuse(YORE_INVALID, event, "is removed, but still has edges", error_out);
    }
    if (!is_node) { /* their degrees change */
        __builtin_prefetch(element->start);
        __builtin_prefetch(element->end);
    }
    enum yore_status st = decode_ended(import, element, &state, error_out);
    if (st == YORE_OK) {
        st = is_node ? step_entries(import, element->id, &state, NULL, error_out)
                     : step_ends(import, element, state.type, false, error_out);
    }
    if (st == YORE_OK) {
        st = end(import, graph_key_bytes(&key), error_out);
    }
    if (st == YORE_OK) {
        st = step_external(import, element, false, error_out);
    }
    import_cache_end(&import->cache, element);
    return st;
}

static enum yore_status apply(struct graph_import *import, const struct event_line *event,
                              struct yore_error *error_out)
{
    struct import_element *element = NULL;
    struct element_hash wanted[3] = {hash_of(event->element, event->id)};
    arena_reset(&import->scratch);
    if (event->operation == '+' && event->element == GRAPH_RELATIONSHIP) {
        wanted[1] = hash_of(GRAPH_NODE, event->source);
        wanted[2] = hash_of(GRAPH_NODE, event->target);
        const uint64_t hashes[3] = {wanted[0].hash, wanted[1].hash, wanted[2].hash};
        import_cache_prefetch(&import->cache, hashes, 3);
    }
    enum yore_status st = find(import, &wanted[0], &element, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (event->operation == '+') {
        return add(import, event, wanted + 1, element, error_out);
    }
    if (element->record == NULL) {
        return refuse(YORE_NOT_FOUND, event,
                      event->operation == '~' ? "is changed, but is not there"
                                              : "is removed, but is not there",
                      error_out);
    }
    return event->operation == '~' ? change(import, event, element, error_out)
                                   : take_away(import, event, element, error_out);
}

/* ---- transactions ---- */

static enum yore_status commit(struct graph_import *import, struct yore_error *error_out)
{
    if (import->transaction == 0 || import->is_passed_over) {
        return YORE_OK;
    }
    enum yore_status st =
        yore_batch_commit(import->batch, import->options.durability, NULL, error_out);
    import->tally.transactions += st == YORE_OK;
    if (st == YORE_OK && import_cache_bytes(&import->cache) > GRAPH_IMPORT_CACHE_BYTES) {
        import_cache_release(&import->cache);
        import->is_complete = false;
    }
    return st;
}

static enum yore_status begin(struct graph_import *import, const struct event_line *event,
                              struct yore_error *error_out)
{
    enum yore_status st = commit(import, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (import->transaction != 0 &&
        (event->transaction < import->transaction || event->time <= import->time)) {
        return error_set(error_out, YORE_INVALID,
                         "transactions come in order, each later than the one before");
    }
    import->is_passed_over = event->time <= import->latest;
    if (import->is_passed_over && !import->options.resumes) {
        return error_set(error_out, YORE_INVALID,
                         "graph %s has changes at this time or later; import into another graph, "
                         "or resume an import that was cut off",
                         import->graph->name);
    }
    import->transaction = event->transaction;
    import->time = event->time;
    return YORE_OK;
}

static enum yore_status take_line(struct graph_import *import, struct yore_bytes line,
                                  struct yore_error *error_out)
{
    struct event_line event;
    enum yore_status st = YORE_OK;
    const char *problem = event_line_parse(line, &event);
    if (problem != NULL) {
        return error_set(error_out, YORE_INVALID, "%s", problem);
    }
    if (event.transaction != import->transaction) {
        st = begin(import, &event, error_out);
    } else if (event.time != import->time) {
        st = error_set(error_out, YORE_INVALID, "the events of a transaction have one time");
    }
    if (st == YORE_OK && import->is_passed_over) {
        import->tally.passed_over++;
        return YORE_OK;
    }
    return st == YORE_OK ? apply(import, &event, error_out) : st;
}

enum yore_status graph_import_line(struct graph_import *import, struct yore_bytes line,
                                   struct yore_error *error_out)
{
    if (import->is_failed) {
        return error_set(error_out, YORE_INVALID, "the import has failed before");
    }
    error_clear(error_out);
    import->tally.lines++;
    enum yore_status st = take_line(import, line, &import->cause);
    if (st != YORE_OK) {
        import->is_failed = true;
        return error_set(error_out, st, "line %" PRIu64 ": %.440s",
                         import->options.lines_before + import->tally.lines, import->cause.text);
    }
    return YORE_OK;
}

enum yore_status graph_import_finish(struct graph_import *import,
                                     struct graph_import_tally *tally_out,
                                     struct yore_error *error_out)
{
    error_clear(error_out);
    enum yore_status st = import->is_failed
                              ? error_set(error_out, YORE_INVALID, "the import has failed before")
                              : commit(import, error_out);
    if (tally_out != NULL) {
        *tally_out = import->tally;
    }
    graph_import_abort(import);
    return st;
}
