/* view.c -- a graph at one moment: elements read whole or in part. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "engine/until.h"
#include "topology/graph_internal.h"
#include "topology/graph_txn.h"
#include "topology/property_value.h"

#define FEW_ENTRIES 16 /* sorted by insertion alone */

/* ---- life ---- */

/* A read that says whether the moment can be read at all. */
static enum yore_status probe(struct graph_view *view, struct yore_error *error_out)
{
    struct graph_key key = graph_key_meta(GRAPH_META_FORMAT, 0);
    struct yore_value value = {0};
    enum yore_status st = view_get(view, graph_key_bytes(&key), &value, error_out);
    yore_value_release(&value);
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

static enum yore_status fix_moment(struct graph_view *view, const struct yore_time *at,
                                   struct yore_error *error_out)
{
    struct yore_time now;
    if (view->txn != NULL) {
        now = graph_txn_time(view->txn);
    } else {
        enum yore_status st = yore_snapshot_take(view->graph->db, &view->snapshot, error_out);
        if (st != YORE_OK) {
            return st;
        }
        now = yore_snapshot_time(view->snapshot);
    }
    view->time = (struct yore_time){at == NULL || at->valid == YORE_NOW ? now.valid : at->valid,
                                    at == NULL || at->known == YORE_NOW ? now.known : at->known};
    if (view->txn == NULL) {
        view->at = &view->time;
    } else if (at != NULL) {
        view->asked = *at;
        view->at = &view->asked;
    }
    return YORE_OK;
}

/* Otherwise a graph that was dropped would look as if it were empty. */
static enum yore_status check_there(const struct graph_view *view, struct yore_error *error_out)
{
    struct yore_time latest = graph_latest(view->graph);
    if (view->time.valid <= latest.valid || view->time.known <= latest.known) {
        return YORE_OK;
    }
    char text[MOMENT_TEXT_BYTES];
    return error_set(error_out, YORE_NOT_FOUND,
                     "graph %s was dropped after %s: read it as of a moment until then",
                     view->graph->name, moment_format(latest.valid, text));
}

enum yore_status graph_view_open(struct graph *graph, struct graph_txn *txn,
                                 const struct yore_time *at, struct graph_view **view_out,
                                 struct yore_error *error_out)
{
    error_clear(error_out);
    *view_out = NULL;
    struct graph_view *view = mem_zalloc(sizeof *view);
    if (view == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    view->graph = graph;
    view->txn = txn;
    enum yore_status st = fix_moment(view, at, error_out);
    if (st == YORE_OK) {
        st = check_there(view, error_out);
    }
    if (st == YORE_OK && at != NULL) {
        st = probe(view, error_out);
    }
    if (st != YORE_OK) {
        graph_view_close(view);
        return st;
    }
    *view_out = view;
    return YORE_OK;
}

void graph_view_close(struct graph_view *view)
{
    if (view != NULL) {
        yore_value_release(&view->held);
        graph_rules_free(view->rules);
        yore_snapshot_release(view->snapshot);
        mem_free(view);
    }
}

struct graph *graph_view_graph(const struct graph_view *view)
{
    return view->graph;
}

struct yore_time graph_view_time(const struct graph_view *view)
{
    return view->time;
}

/* ---- keys ---- */

enum yore_status view_get(struct graph_view *view, struct yore_bytes key,
                          struct yore_value *value_out, struct yore_error *error_out)
{
    struct graph *graph = view->graph;
    if (view->txn != NULL) {
        return yore_txn_get(graph_txn_engine(view->txn), graph->keyspace, key, view->at, value_out,
                            error_out);
    }
    return yore_get(graph->db, graph->keyspace, key, view->at, value_out, error_out);
}

enum yore_status view_cursor(struct graph_view *view, const struct yore_range *range,
                             struct yore_cursor **cursor_out, struct yore_error *error_out)
{
    struct graph *graph = view->graph;
    struct yore_cursor_options options = {.range = *range, .at = view->at, .keys_only = true};
    if (view->txn != NULL) {
        return yore_txn_cursor_open(graph_txn_engine(view->txn), graph->keyspace, &options,
                                    cursor_out, error_out);
    }
    return yore_cursor_open(graph->db, graph->keyspace, &options, cursor_out, error_out);
}

enum yore_status view_rules(struct graph_view *view, struct graph_rules **rules_out,
                            struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (view->rules == NULL) {
        st = graph_rules_known(view->graph, view->time.known, &view->rules, error_out);
    }
    *rules_out = view->rules;
    return st;
}

/* The held value is that of `id`, and nothing was written since. */
static bool is_held(const struct graph_view *view, struct graph_id id)
{
    return view->held_id.id == id.id && view->held_id.element == id.element &&
           (view->txn == NULL || view->held_writes == graph_txn_writes(view->txn));
}

static enum yore_status hold(struct graph_view *view, struct graph_id id,
                             struct yore_error *error_out)
{
    if (is_held(view, id)) {
        return YORE_OK;
    }
    struct graph_key key = graph_key_element(id);
    yore_value_release(&view->held);
    view->held_id = (struct graph_id){0};
    enum yore_status st = view_get(view, graph_key_bytes(&key), &view->held, error_out);
    if (st == YORE_OK) {
        view->held_id = id;
        view->held_writes = view->txn != NULL ? graph_txn_writes(view->txn) : 0;
    } else if (st == YORE_NOT_FOUND || st == YORE_ERASED) {
        st = error_set(error_out, YORE_NOT_FOUND,
                       "graph %s: there is no %s %" PRIu64 " at that moment", view->graph->name,
                       id.element == GRAPH_NODE ? "node" : "relationship", id.id);
    }
    return st;
}

/* The record of an element, held by the view until the next call. */
static enum yore_status view_record(struct graph_view *view, struct graph_id id,
                                    struct element_record *record_out, struct yore_error *error_out)
{
    enum yore_status st = hold(view, id, error_out);
    if (st == YORE_OK &&
        !element_record_read(bytes_of(view->held.data, view->held.size), id.element, record_out)) {
        st = graph_refuse_record(view->graph, id, error_out);
    }
    return st;
}

/* When the state that is read at the view's moment gives way to another. */
static enum yore_status view_valid_to(struct graph_view *view, struct yore_bytes key,
                                      const struct yore_value *value, int64_t *valid_to_out,
                                      struct yore_error *error_out)
{
    *valid_to_out = value->valid_to;
    if (view->at == NULL ||
        (view->snapshot != NULL && view->time.valid == yore_snapshot_time(view->snapshot).valid)) {
        return YORE_OK;
    }
    int64_t next;
    enum yore_status st =
        until_next(view->graph->db, view->graph->keyspace, key, &view->time, &next, error_out);
    if (st == YORE_OK && next < *valid_to_out) {
        *valid_to_out = next;
    }
    return st;
}

/* ---- elements ---- */

/* Copy the held record to `arena`, so that what is decoded from it may point there. */
static enum yore_status copy_record(struct graph_view *view, struct graph_id id,
                                    struct arena *arena, struct element_record *record_out,
                                    struct yore_graph_span *span_out, struct yore_error *error_out)
{
    enum yore_status st = hold(view, id, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_value *held = &view->held;
    void *copy = arena_copy(arena, held->data, held->size);
    if (copy == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (!element_record_read(bytes_of(copy, held->size), id.element, record_out)) {
        return graph_refuse_record(view->graph, id, error_out);
    }
    struct graph_key key = graph_key_element(id);
    *span_out = (struct yore_graph_span){.valid_from = held->valid_from, .commit = held->commit};
    return view_valid_to(view, graph_key_bytes(&key), held, &span_out->valid_to, error_out);
}

/* No name is empty, and most begin otherwise than others. */
static bool goes_behind(struct yore_bytes a, struct yore_bytes b)
{
    unsigned first = *(const unsigned char *)a.data;
    unsigned other = *(const unsigned char *)b.data;
    return first != other ? first > other : bytes_compare(a, b) > 0;
}

/* Names come in the order of their tokens and go in their own. */
static void sort_entries(struct yore_graph_entry *entries, size_t count)
{
    size_t gap = count > FEW_ENTRIES ? count / 2 : 1;
    for (; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (size_t i = gap; i < count; i++) {
            if (!goes_behind(entries[i - gap].name, entries[i].name)) {
                continue; /* most */
            }
            struct yore_graph_entry entry = entries[i];
            size_t at = i;
            do {
                entries[at] = entries[at - gap];
                at -= gap;
            } while (at >= gap && goes_behind(entries[at - gap].name, entry.name));
            entries[at] = entry;
        }
    }
}

/* Names that were met before take no more than a look. */
static struct yore_bytes name_of(struct graph *graph, enum graph_token_kind kind, uint64_t token)
{
    struct yore_bytes name = bytes_of("", 0);
    if (token <= GRAPH_TOKENS_MAX) {
        name = token_table_name(&graph->tokens[kind - 1], (uint32_t)token);
        name = name.size > 0 ? name : graph_token_name(graph, kind, (uint32_t)token);
    }
    return name;
}

static enum yore_status record_properties(struct graph *graph, const struct element_record *record,
                                          struct arena *arena, struct yore_graph_map *map_out)
{
    struct decoder at = record->properties;
    struct yore_graph_entry *entries =
        arena_alloc(arena, record->property_count * sizeof *entries + 1);
    if (entries == NULL) {
        return YORE_NOMEM;
    }
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < record->property_count; i++) {
        entries[i].name = name_of(graph, GRAPH_PROPERTY, decode_varint(&at));
        st = entries[i].name.size == 0 ? YORE_CORRUPT
                                       : property_value_decode(&at, arena, &entries[i].value);
    }
    if (st == YORE_OK) {
        sort_entries(entries, record->property_count);
    }
    *map_out = (struct yore_graph_map){entries, record->property_count};
    return st;
}

static enum yore_status record_label_names(struct graph *graph, const struct element_record *record,
                                           struct arena *arena, const struct yore_bytes **names_out)
{
    struct decoder at = record->labels;
    struct yore_bytes *names = arena_alloc(arena, record->label_count * sizeof *names + 1);
    if (names == NULL) {
        return YORE_NOMEM;
    }
    for (size_t i = 0; i < record->label_count; i++) {
        struct yore_bytes name = name_of(graph, GRAPH_LABEL, decode_varint(&at));
        size_t place = i;
        while (place > 0 && bytes_compare(names[place - 1], name) > 0) {
            names[place] = names[place - 1];
            place--;
        }
        names[place] = name;
        if (name.size == 0) {
            return YORE_CORRUPT;
        }
    }
    *names_out = names;
    return YORE_OK;
}

static enum yore_status tell(const struct graph *graph, struct graph_id id, enum yore_status st,
                             struct yore_error *error_out)
{
    if (st == YORE_CORRUPT) {
        return graph_refuse_record(graph, id, error_out);
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

enum yore_status element_node(struct graph *graph, uint64_t id, const struct element_record *record,
                              struct arena *arena, struct yore_graph_node *node_out)
{
    node_out->id = id;
    node_out->external_id = record->external_id;
    node_out->label_count = record->label_count;
    enum yore_status st = record_label_names(graph, record, arena, &node_out->labels);
    return st == YORE_OK ? record_properties(graph, record, arena, &node_out->properties) : st;
}

enum yore_status element_relationship(struct graph *graph, uint64_t id,
                                      const struct element_record *record, struct arena *arena,
                                      struct yore_graph_relationship *relationship_out)
{
    relationship_out->id = id;
    relationship_out->external_id = record->external_id;
    relationship_out->type = name_of(graph, GRAPH_TYPE, record->type);
    relationship_out->start_id = record->start_id;
    relationship_out->end_id = record->end_id;
    return relationship_out->type.size == 0
               ? YORE_CORRUPT
               : record_properties(graph, record, arena, &relationship_out->properties);
}

enum yore_status graph_node_get(struct graph_view *view, uint64_t id, struct arena *arena,
                                struct yore_graph_node *node_out, struct yore_error *error_out)
{
    struct element_record record;
    struct graph_id element = {GRAPH_NODE, id};
    error_clear(error_out);
    *node_out = (struct yore_graph_node){0};
    enum yore_status st = copy_record(view, element, arena, &record, &node_out->span, error_out);
    if (st == YORE_OK) {
        st = tell(view->graph, element, element_node(view->graph, id, &record, arena, node_out),
                  error_out);
    }
    return st;
}

enum yore_status graph_relationship_get(struct graph_view *view, uint64_t id, struct arena *arena,
                                        struct yore_graph_relationship *relationship_out,
                                        struct yore_error *error_out)
{
    struct element_record record;
    struct graph_id element = {GRAPH_RELATIONSHIP, id};
    error_clear(error_out);
    *relationship_out = (struct yore_graph_relationship){0};
    enum yore_status st =
        copy_record(view, element, arena, &record, &relationship_out->span, error_out);
    if (st == YORE_OK) {
        st = tell(view->graph, element,
                  element_relationship(view->graph, id, &record, arena, relationship_out),
                  error_out);
    }
    return st;
}

/* ---- parts ---- */

static enum yore_status get_property(struct graph_view *view, struct graph_id id, uint32_t property,
                                     struct arena *arena, struct yore_graph_value *value_out,
                                     struct yore_error *error_out)
{
    struct element_record record;
    struct decoder at;
    error_clear(error_out);
    *value_out = (struct yore_graph_value){0};
    enum yore_status st = view_record(view, id, &record, error_out);
    if (st != YORE_OK || !element_record_property(&record, property, &at)) {
        return st;
    }
    /* What follows the value is copied with it at most up to its end. */
    struct decoder end = at;
    if (!property_value_skip(&end)) {
        return graph_refuse_record(view->graph, id, error_out);
    }
    size_t size = (size_t)(end.at - at.at);
    const unsigned char *copy = arena_copy(arena, at.at, size);
    if (copy == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    decoder_init(&at, copy, size);
    return tell(view->graph, id, property_value_decode(&at, arena, value_out), error_out);
}

enum yore_status graph_node_property(struct graph_view *view, uint64_t id, uint32_t property,
                                     struct arena *arena, struct yore_graph_value *value_out,
                                     struct yore_error *error_out)
{
    struct graph_id element = {GRAPH_NODE, id};
    return get_property(view, element, property, arena, value_out, error_out);
}

enum yore_status graph_relationship_property(struct graph_view *view, uint64_t id,
                                             uint32_t property, struct arena *arena,
                                             struct yore_graph_value *value_out,
                                             struct yore_error *error_out)
{
    struct graph_id element = {GRAPH_RELATIONSHIP, id};
    return get_property(view, element, property, arena, value_out, error_out);
}

enum yore_status graph_node_labels(struct graph_view *view, uint64_t id, struct arena *arena,
                                   const uint32_t **labels_out, size_t *count_out,
                                   struct yore_error *error_out)
{
    struct element_record record;
    struct graph_id element = {GRAPH_NODE, id};
    error_clear(error_out);
    enum yore_status st = view_record(view, element, &record, error_out);
    if (st != YORE_OK) {
        return st;
    }
    uint32_t *labels = arena_alloc(arena, record.label_count * sizeof *labels + 1);
    if (labels == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    struct decoder at = record.labels;
    for (size_t i = 0; i < record.label_count; i++) {
        labels[i] = (uint32_t)decode_varint(&at);
    }
    *labels_out = labels;
    *count_out = record.label_count;
    return YORE_OK;
}

enum yore_status graph_node_has_label(struct graph_view *view, uint64_t id, uint32_t label,
                                      bool *has_out, struct yore_error *error_out)
{
    struct element_record record;
    struct graph_id element = {GRAPH_NODE, id};
    error_clear(error_out);
    enum yore_status st = view_record(view, element, &record, error_out);
    if (st == YORE_OK) {
        *has_out = element_record_has_label(&record, label);
    }
    return st;
}

enum yore_status graph_relationship_ends(struct graph_view *view, uint64_t id,
                                         struct graph_ends *ends_out, struct yore_error *error_out)
{
    struct element_record record;
    struct graph_id element = {GRAPH_RELATIONSHIP, id};
    error_clear(error_out);
    enum yore_status st = view_record(view, element, &record, error_out);
    if (st == YORE_OK) {
        *ends_out = (struct graph_ends){record.type, record.start_id, record.end_id};
    }
    return st;
}

/* ---- external ids ---- */

static enum yore_status find_external(struct graph_view *view, enum graph_element element,
                                      struct yore_bytes external_id, uint64_t *id_out,
                                      struct yore_error *error_out)
{
    error_clear(error_out);
    if (external_id.size == 0 || external_id.size > GRAPH_EXTERNAL_ID_BYTES_MAX) {
        return error_plain(error_out, YORE_NOT_FOUND);
    }
    struct buffer key = {0};
    struct yore_value value = {0};
    struct decoder from;
    graph_key_external(&key, element, external_id);
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : view_get(view, buffer_bytes(&key), &value, error_out);
    if (st == YORE_OK) {
        decoder_init(&from, value.data, value.size);
        *id_out = decode_varint(&from);
    }
    yore_value_release(&value);
    buffer_release(&key);
    return st == YORE_ERASED ? YORE_NOT_FOUND : st;
}

enum yore_status graph_node_find(struct graph_view *view, struct yore_bytes external_id,
                                 uint64_t *id_out, struct yore_error *error_out)
{
    return find_external(view, GRAPH_NODE, external_id, id_out, error_out);
}

enum yore_status graph_relationship_find(struct graph_view *view, struct yore_bytes external_id,
                                         uint64_t *id_out, struct yore_error *error_out)
{
    return find_external(view, GRAPH_RELATIONSHIP, external_id, id_out, error_out);
}
