/* public.c -- the functions of <yore/graph.h>: names become tokens here, and what is handed out is
 * kept for the caller. */
#include <string.h>

#include "base/mem.h"
#include "topology/erase.h"
#include "topology/event_import.h"
#include "topology/graph.h"
#include "topology/ingest.h"
#include "topology/limits.h"

struct yore_graph {
    struct graph *inner;
};
struct yore_graph_txn {
    struct graph_txn *inner;
    struct arena scratch; /* of one change */
};
struct yore_graph_view {
    struct graph_view *inner;
    struct arena arena;
};
struct yore_graph_scan {
    struct graph_scan *inner; /* NULL: of a name that nothing has */
};
struct yore_graph_hops {
    struct graph_expand *inner; /* NULL: likewise */
    struct graph *graph;
    uint64_t other;
};
struct yore_graph_history {
    struct graph_history *inner;
    struct yore_graph_view *view;
};
struct yore_graph_changes {
    struct graph_changes *inner;
    struct arena arena;
};
struct yore_graph_import {
    struct graph_import *inner;
};

/* The block of a handle whose inside was opened; freed where that failed. */
static enum yore_status hand_out(enum yore_status st, void *handle, void *handle_out)
{
    if (st != YORE_OK) {
        mem_free(handle);
        handle = NULL;
    }
    memcpy(handle_out, &handle, sizeof handle);
    return st;
}

static struct graph_id id_of(enum yore_graph_element element, uint64_t id)
{
    return (struct graph_id){
        element == YORE_GRAPH_ELEMENT_RELATIONSHIP ? GRAPH_RELATIONSHIP : GRAPH_NODE, id};
}

/* ---- graphs ---- */

enum yore_status yore_graph_open(struct yore_db *db, const char *name, bool creates,
                                 const struct yore_time *at, struct yore_graph **graph_out,
                                 struct yore_error *error_out)
{
    if (db == NULL || name == NULL || graph_out == NULL) {
        return error_null(error_out, __func__, "db, name, graph_out");
    }
    struct yore_graph *graph = mem_zalloc(sizeof *graph);
    *graph_out = NULL;
    if (graph == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st =
        graph_open(db, bytes_of(name, strlen(name)), creates, at, &graph->inner, error_out);
    return hand_out(st, graph, graph_out);
}

void yore_graph_close(struct yore_graph *graph)
{
    if (graph != NULL) {
        graph_close(graph->inner);
        mem_free(graph);
    }
}

/* ---- transactions ---- */

enum yore_status yore_graph_begin(struct yore_graph *graph, struct yore_graph_txn **txn_out,
                                  struct yore_error *error_out)
{
    if (graph == NULL || txn_out == NULL) {
        return error_null(error_out, __func__, "graph, txn_out");
    }
    struct yore_graph_txn *txn = mem_zalloc(sizeof *txn);
    *txn_out = NULL;
    if (txn == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return hand_out(graph_begin(graph->inner, &txn->inner, error_out), txn, txn_out);
}

static void txn_free(struct yore_graph_txn *txn)
{
    arena_release(&txn->scratch);
    mem_free(txn);
}

enum yore_status yore_graph_commit(struct yore_graph_txn *txn, enum yore_durability durability,
                                   int64_t *commit_out, struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    enum yore_status st = graph_commit(txn->inner, durability, commit_out, error_out);
    txn_free(txn);
    return st;
}

void yore_graph_abort(struct yore_graph_txn *txn)
{
    if (txn != NULL) {
        graph_abort(txn->inner);
        txn_free(txn);
    }
}

static const struct graph_write *dates_of(const struct yore_graph_write *write,
                                          struct graph_write *dates)
{
    if (write == NULL) {
        return NULL;
    }
    *dates = (struct graph_write){write->from, write->to, write->clips};
    return dates;
}

static enum yore_status tokens_of(struct yore_graph_txn *txn, const struct yore_bytes *names,
                                  size_t count, const uint32_t **tokens_out,
                                  struct yore_error *error_out)
{
    uint32_t *tokens = arena_alloc(&txn->scratch, count * sizeof *tokens + 1);
    enum yore_status st = tokens == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = graph_txn_token(txn->inner, GRAPH_LABEL, names[i], &tokens[i], error_out);
    }
    *tokens_out = tokens;
    return st;
}

static enum yore_status properties_of(struct yore_graph_txn *txn, const struct yore_graph_map *map,
                                      const struct graph_property **properties_out,
                                      struct yore_error *error_out)
{
    struct graph_property *properties =
        arena_alloc(&txn->scratch, map->count * sizeof *properties + 1);
    enum yore_status st = properties == NULL ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    if (map->count > GRAPH_PROPERTIES_MAX) {
        st = error_set(error_out, YORE_TOO_BIG, "an element has %u properties at most",
                       GRAPH_PROPERTIES_MAX);
    }
    for (size_t i = 0; st == YORE_OK && i < map->count; i++) {
        properties[i].value = map->entries[i].value;
        st = graph_txn_token(txn->inner, GRAPH_PROPERTY, map->entries[i].name, &properties[i].token,
                             error_out);
    }
    *properties_out = properties;
    return st;
}

enum yore_status yore_graph_node_create(struct yore_graph_txn *txn,
                                        const struct yore_graph_new_node *node,
                                        const struct yore_graph_write *write, uint64_t *id_out,
                                        struct yore_error *error_out)
{
    if (txn == NULL || node == NULL || id_out == NULL) {
        return error_null(error_out, __func__, "txn, node, id_out");
    }
    struct graph_write dates;
    struct graph_new_node made = {.external_id = node->external_id,
                                  .label_count = node->label_count,
                                  .property_count = node->properties.count};
    arena_reset(&txn->scratch);
    enum yore_status st = tokens_of(txn, node->labels, node->label_count, &made.labels, error_out);
    if (st == YORE_OK) {
        st = properties_of(txn, &node->properties, &made.properties, error_out);
    }
    return st == YORE_OK
               ? graph_node_create(txn->inner, &made, dates_of(write, &dates), id_out, error_out)
               : st;
}

enum yore_status yore_graph_relationship_create(
    struct yore_graph_txn *txn, const struct yore_graph_new_relationship *relationship,
    const struct yore_graph_write *write, uint64_t *id_out, struct yore_error *error_out)
{
    if (txn == NULL || relationship == NULL || id_out == NULL) {
        return error_null(error_out, __func__, "txn, relationship, id_out");
    }
    struct graph_write dates;
    struct graph_new_relationship made = {.external_id = relationship->external_id,
                                          .start_id = relationship->start_id,
                                          .end_id = relationship->end_id,
                                          .property_count = relationship->properties.count};
    arena_reset(&txn->scratch);
    enum yore_status st =
        graph_txn_token(txn->inner, GRAPH_TYPE, relationship->type, &made.type, error_out);
    if (st == YORE_OK) {
        st = properties_of(txn, &relationship->properties, &made.properties, error_out);
    }
    return st == YORE_OK ? graph_relationship_create(txn->inner, &made, dates_of(write, &dates),
                                                     id_out, error_out)
                         : st;
}

enum yore_status yore_graph_set(struct yore_graph_txn *txn, enum yore_graph_element element,
                                uint64_t id, const struct yore_graph_map *properties, bool replaces,
                                const struct yore_graph_write *write, struct yore_error *error_out)
{
    if (txn == NULL || properties == NULL) {
        return error_null(error_out, __func__, "txn, properties");
    }
    struct graph_write dates;
    const struct graph_property *set;
    arena_reset(&txn->scratch);
    enum yore_status st = properties_of(txn, properties, &set, error_out);
    return st == YORE_OK
               ? graph_properties_set(txn->inner, id_of(element, id), set, properties->count,
                                      replaces, dates_of(write, &dates), error_out)
               : st;
}

enum yore_status yore_graph_label(struct yore_graph_txn *txn, uint64_t node,
                                  struct yore_bytes label, bool adds,
                                  const struct yore_graph_write *write,
                                  struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    struct graph_write dates;
    uint32_t token;
    enum yore_status st = graph_txn_token(txn->inner, GRAPH_LABEL, label, &token, error_out);
    return st == YORE_OK ? graph_labels_change(txn->inner, node, &token, 1, adds,
                                               dates_of(write, &dates), error_out)
                         : st;
}

enum yore_status yore_graph_delete(struct yore_graph_txn *txn, enum yore_graph_element element,
                                   uint64_t id, bool detaches, const struct yore_graph_write *write,
                                   struct yore_error *error_out)
{
    if (txn == NULL) {
        return error_null(error_out, __func__, "txn");
    }
    struct graph_write dates;
    return graph_delete(txn->inner, id_of(element, id), detaches, dates_of(write, &dates),
                        error_out);
}

/* ---- views ---- */

enum yore_status yore_graph_view_open(struct yore_graph *graph, struct yore_graph_txn *txn,
                                      const struct yore_time *at, struct yore_graph_view **view_out,
                                      struct yore_error *error_out)
{
    if (graph == NULL || view_out == NULL) {
        return error_null(error_out, __func__, "graph, view_out");
    }
    struct yore_graph_view *view = mem_zalloc(sizeof *view);
    *view_out = NULL;
    if (view == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st =
        graph_view_open(graph->inner, txn != NULL ? txn->inner : NULL, at, &view->inner, error_out);
    return hand_out(st, view, view_out);
}

void yore_graph_view_close(struct yore_graph_view *view)
{
    if (view != NULL) {
        graph_view_close(view->inner);
        arena_release(&view->arena);
        mem_free(view);
    }
}

void yore_graph_view_forget(struct yore_graph_view *view)
{
    if (view == NULL) {
        return;
    }
    arena_reset(&view->arena);
}

enum yore_status yore_graph_node_get(struct yore_graph_view *view, uint64_t id,
                                     struct yore_graph_node *node_out, struct yore_error *error_out)
{
    if (view == NULL || node_out == NULL) {
        return error_null(error_out, __func__, "view, node_out");
    }
    return graph_node_get(view->inner, id, &view->arena, node_out, error_out);
}

enum yore_status yore_graph_relationship_get(struct yore_graph_view *view, uint64_t id,
                                             struct yore_graph_relationship *relationship_out,
                                             struct yore_error *error_out)
{
    if (view == NULL || relationship_out == NULL) {
        return error_null(error_out, __func__, "view, relationship_out");
    }
    return graph_relationship_get(view->inner, id, &view->arena, relationship_out, error_out);
}

enum yore_status yore_graph_find(struct yore_graph_view *view, enum yore_graph_element element,
                                 struct yore_bytes external_id, uint64_t *id_out,
                                 struct yore_error *error_out)
{
    if (view == NULL || id_out == NULL) {
        return error_null(error_out, __func__, "view, id_out");
    }
    return element == YORE_GRAPH_ELEMENT_RELATIONSHIP
               ? graph_relationship_find(view->inner, external_id, id_out, error_out)
               : graph_node_find(view->inner, external_id, id_out, error_out);
}

/* ---- walks ---- */

/* Names become tokens; false: nothing ever had one of them. */
static bool scan_kind(struct graph *graph, const struct yore_graph_scan_options *options,
                      struct graph_scan_options *inner)
{
    bool is_node = options->element != YORE_GRAPH_ELEMENT_RELATIONSHIP;
    *inner =
        (struct graph_scan_options){.kind = is_node ? GRAPH_SCAN_NODES : GRAPH_SCAN_RELATIONSHIPS,
                                    .low = options->low,
                                    .high = options->high,
                                    .low_exclusive = options->low_exclusive,
                                    .high_exclusive = options->high_exclusive,
                                    .is_prefix = options->is_prefix};
    if (options->name.size == 0) {
        return true;
    }
    inner->kind = is_node ? GRAPH_SCAN_LABEL : GRAPH_SCAN_TYPE;
    inner->token = graph_token(graph, is_node ? GRAPH_LABEL : GRAPH_TYPE, options->name);
    if (options->property.size > 0) {
        inner->kind = GRAPH_SCAN_INDEX;
        inner->property = graph_token(graph, GRAPH_PROPERTY, options->property);
        return true;
    }
    return inner->token != GRAPH_NO_TOKEN;
}

enum yore_status yore_graph_scan_open(struct yore_graph_view *view,
                                      const struct yore_graph_scan_options *options,
                                      struct yore_graph_scan **scan_out,
                                      struct yore_error *error_out)
{
    if (view == NULL || options == NULL || scan_out == NULL) {
        return error_null(error_out, __func__, "view, options, scan_out");
    }
    struct graph_scan_options inner;
    struct yore_graph_scan *scan = mem_zalloc(sizeof *scan);
    enum yore_status st = YORE_OK;
    *scan_out = NULL;
    if (scan == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (scan_kind(graph_view_graph(view->inner), options, &inner)) {
        st = graph_scan_open(view->inner, &inner, &scan->inner, error_out);
    }
    return hand_out(st, scan, scan_out);
}

enum yore_status yore_graph_scan_next(struct yore_graph_scan *scan, uint64_t *id_out,
                                      struct yore_error *error_out)
{
    if (scan == NULL || id_out == NULL) {
        return error_null(error_out, __func__, "scan, id_out");
    }
    return scan->inner != NULL ? graph_scan_next(scan->inner, id_out, error_out)
                               : error_plain(error_out, YORE_NOT_FOUND);
}

void yore_graph_scan_close(struct yore_graph_scan *scan)
{
    if (scan != NULL) {
        graph_scan_close(scan->inner);
        mem_free(scan);
    }
}

enum yore_status yore_graph_hops_open(struct yore_graph_view *view,
                                      const struct yore_graph_hops_options *options,
                                      struct yore_graph_hops **hops_out,
                                      struct yore_error *error_out)
{
    if (view == NULL || options == NULL || hops_out == NULL) {
        return error_null(error_out, __func__, "view, options, hops_out");
    }
    struct graph *graph = graph_view_graph(view->inner);
    struct yore_graph_hops *hops = mem_zalloc(sizeof *hops);
    enum yore_status st = YORE_OK;
    *hops_out = NULL;
    if (hops == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    hops->graph = graph;
    hops->other = options->other;
    uint32_t type =
        options->type.size > 0 ? graph_token(graph, GRAPH_TYPE, options->type) : GRAPH_NO_TOKEN;
    if (options->type.size == 0 || type != GRAPH_NO_TOKEN) {
        struct graph_expand_options inner = {.node = options->node,
                                             .direction = (enum graph_direction)options->direction,
                                             .types = &type,
                                             .type_count = options->type.size > 0 ? 1 : 0,
                                             .other = options->other};
        st = graph_expand_open(view->inner, &inner, &hops->inner, error_out);
    }
    return hand_out(st, hops, hops_out);
}

enum yore_status yore_graph_hops_restart(struct yore_graph_hops *hops, uint64_t node,
                                         struct yore_error *error_out)
{
    if (hops == NULL) {
        return error_null(error_out, __func__, "hops");
    }
    return hops->inner != NULL ? graph_expand_restart(hops->inner, node, hops->other, error_out)
                               : YORE_OK;
}

enum yore_status yore_graph_hops_next(struct yore_graph_hops *hops, struct yore_graph_hop *hop_out,
                                      struct yore_error *error_out)
{
    if (hops == NULL || hop_out == NULL) {
        return error_null(error_out, __func__, "hops, hop_out");
    }
    struct graph_hop hop;
    enum yore_status st = hops->inner != NULL ? graph_expand_next(hops->inner, &hop, error_out)
                                              : error_plain(error_out, YORE_NOT_FOUND);
    if (st == YORE_OK) {
        *hop_out =
            (struct yore_graph_hop){.relationship = hop.relationship,
                                    .other = hop.other,
                                    .type = graph_token_name(hops->graph, GRAPH_TYPE, hop.type),
                                    .is_outgoing = hop.is_outgoing};
    }
    return st;
}

void yore_graph_hops_close(struct yore_graph_hops *hops)
{
    if (hops != NULL) {
        graph_expand_close(hops->inner);
        mem_free(hops);
    }
}

/* ---- indexes ---- */

/* A schema names what may be had only later, so its names are made. */
static enum yore_status schema_of(struct graph *graph, struct yore_bytes label,
                                  struct yore_bytes property, struct graph_schema *schema_out,
                                  struct yore_error *error_out)
{
    struct graph_txn *txn = NULL;
    enum yore_status st = graph_begin(graph, &txn, error_out);
    if (st == YORE_OK) {
        st = graph_txn_token(txn, GRAPH_LABEL, label, &schema_out->label, error_out);
    }
    if (st == YORE_OK) {
        st = graph_txn_token(txn, GRAPH_PROPERTY, property, &schema_out->property, error_out);
    }
    graph_abort(txn);
    return st;
}

enum yore_status yore_graph_index_create(struct yore_graph *graph, struct yore_bytes label,
                                         struct yore_bytes property, bool is_unique,
                                         struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    struct graph_schema schema = {.is_unique = is_unique};
    enum yore_status st = schema_of(graph->inner, label, property, &schema, error_out);
    return st == YORE_OK ? graph_schema_create(graph->inner, &schema, NULL, error_out) : st;
}

enum yore_status yore_graph_index_drop(struct yore_graph *graph, struct yore_bytes label,
                                       struct yore_bytes property, bool is_unique,
                                       struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    struct graph_schema schema = {.is_unique = is_unique};
    enum yore_status st = schema_of(graph->inner, label, property, &schema, error_out);
    return st == YORE_OK ? graph_schema_drop(graph->inner, &schema, NULL, error_out) : st;
}

/* ---- time ---- */

enum yore_status yore_graph_history_open(struct yore_graph_view *view,
                                         enum yore_graph_element element, uint64_t id, int64_t from,
                                         int64_t to, struct yore_graph_history **history_out,
                                         struct yore_error *error_out)
{
    if (view == NULL || history_out == NULL) {
        return error_null(error_out, __func__, "view, history_out");
    }
    struct yore_graph_history *history = mem_zalloc(sizeof *history);
    *history_out = NULL;
    if (history == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    history->view = view;
    enum yore_status st =
        graph_history_open(view->inner, id_of(element, id), from, to, &history->inner, error_out);
    return hand_out(st, history, history_out);
}

enum yore_status yore_graph_history_next(struct yore_graph_history *history,
                                         struct yore_graph_value *element_out,
                                         struct yore_graph_span *span_out,
                                         struct yore_error *error_out)
{
    if (history == NULL || element_out == NULL || span_out == NULL) {
        return error_null(error_out, __func__, "history, element_out, span_out");
    }
    struct graph_version version;
    enum yore_status st =
        graph_history_next(history->inner, &history->view->arena, &version, error_out);
    if (st == YORE_OK) {
        *element_out = version.element;
        *span_out = version.span;
    }
    return st;
}

void yore_graph_history_close(struct yore_graph_history *history)
{
    if (history != NULL) {
        graph_history_close(history->inner);
        mem_free(history);
    }
}

enum yore_status yore_graph_changes_open(struct yore_graph *graph, int64_t from, int64_t to,
                                         bool every_version,
                                         struct yore_graph_changes **changes_out,
                                         struct yore_error *error_out)
{
    if (graph == NULL || changes_out == NULL) {
        return error_null(error_out, __func__, "graph, changes_out");
    }
    struct graph_changes_options options = {from, to, YORE_NOW, every_version};
    struct yore_graph_changes *changes = mem_zalloc(sizeof *changes);
    *changes_out = NULL;
    if (changes == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = graph_changes_open(graph->inner, &options, &changes->inner, error_out);
    return hand_out(st, changes, changes_out);
}

enum yore_status yore_graph_changes_next(struct yore_graph_changes *changes,
                                         struct yore_graph_change *change_out,
                                         struct yore_error *error_out)
{
    if (changes == NULL || change_out == NULL) {
        return error_null(error_out, __func__, "changes, change_out");
    }
    struct graph_change change;
    arena_reset(&changes->arena);
    enum yore_status st = graph_changes_next(changes->inner, &changes->arena, &change, error_out);
    if (st == YORE_OK) {
        *change_out = (struct yore_graph_change){
            .kind = (enum yore_change_kind)change.kind,
            .element = (enum yore_graph_element)change.id.element,
            .id = change.id.id,
            .time = change.time,
            .commit = change.commit,
            .before = change.before,
            .after = change.after,
        };
    }
    return st;
}

void yore_graph_changes_close(struct yore_graph_changes *changes)
{
    if (changes != NULL) {
        graph_changes_close(changes->inner);
        arena_release(&changes->arena);
        mem_free(changes);
    }
}

enum yore_status yore_graph_nearest_change(struct yore_graph *graph, int64_t moment,
                                           bool is_backward, int64_t *moment_out,
                                           struct yore_error *error_out)
{
    if (graph == NULL || moment_out == NULL) {
        return error_null(error_out, __func__, "graph, moment_out");
    }
    return graph_next_change(graph->inner, moment, YORE_NOW, is_backward, moment_out, error_out);
}

/* ---- ingest ---- */

enum yore_status yore_graph_source_set(struct yore_graph *graph,
                                       const struct yore_graph_source *source,
                                       struct yore_error *error_out)
{
    if (graph == NULL || source == NULL) {
        return error_null(error_out, __func__, "graph, source");
    }
    return graph_source_set(graph->inner, source, error_out);
}

enum yore_status yore_graph_ingest(struct yore_graph *graph, struct yore_bytes source,
                                   const struct yore_graph_word *words, size_t count,
                                   enum yore_durability durability,
                                   struct yore_graph_ingest_tally *tally_out,
                                   struct yore_error *error_out)
{
    if (graph == NULL || (words == NULL && count > 0)) {
        return error_null(error_out, __func__, "graph, words");
    }
    struct graph_speech speech = {source, words, count, durability};
    return graph_ingest(graph->inner, &speech, tally_out, error_out);
}

enum yore_status yore_graph_sync_start(struct yore_graph *graph, struct yore_bytes source,
                                       int64_t at, uint64_t *snapshot_out,
                                       struct yore_error *error_out)
{
    if (graph == NULL || snapshot_out == NULL) {
        return error_null(error_out, __func__, "graph, snapshot_out");
    }
    return graph_sync_start(graph->inner, source, at, snapshot_out, error_out);
}

enum yore_status yore_graph_sync_send(struct yore_graph *graph, struct yore_bytes source,
                                      uint64_t snapshot, const struct yore_graph_word *words,
                                      size_t count, struct yore_error *error_out)
{
    if (graph == NULL || (words == NULL && count > 0)) {
        return error_null(error_out, __func__, "graph, words");
    }
    struct graph_speech speech = {source, words, count, YORE_DURABILITY_NONE};
    return graph_sync_send(graph->inner, &speech, snapshot, error_out);
}

enum yore_status yore_graph_sync_stop(struct yore_graph *graph, struct yore_bytes source,
                                      uint64_t snapshot, enum yore_durability durability,
                                      struct yore_graph_ingest_tally *tally_out,
                                      struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    return graph_sync_stop(graph->inner, source, snapshot, durability, tally_out, error_out);
}

enum yore_status yore_graph_sync_abort(struct yore_graph *graph, struct yore_bytes source,
                                       uint64_t snapshot, struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    return graph_sync_abort(graph->inner, source, snapshot, error_out);
}

enum yore_status yore_graph_source_end(struct yore_graph *graph, struct yore_bytes source,
                                       int64_t at, struct yore_graph_ingest_tally *tally_out,
                                       struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    return graph_source_end(graph->inner, source, at, tally_out, error_out);
}

enum yore_status yore_graph_settle(struct yore_graph *graph,
                                   struct yore_graph_ingest_tally *tally_out,
                                   struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    return graph_settle(graph->inner, tally_out, error_out);
}

enum yore_status yore_graph_sources(struct yore_graph *graph,
                                    int (*each)(void *arg, const struct yore_graph_source *source),
                                    void *arg, struct yore_error *error_out)
{
    if (graph == NULL || each == NULL) {
        return error_null(error_out, __func__, "graph, each");
    }
    return graph_sources(graph->inner, each, arg, error_out);
}

enum yore_status yore_graph_pending(struct yore_graph *graph, const struct yore_time *at,
                                    int (*each)(void *arg,
                                                const struct yore_graph_pending *pending),
                                    void *arg, struct yore_error *error_out)
{
    if (graph == NULL || each == NULL) {
        return error_null(error_out, __func__, "graph, each");
    }
    return graph_pending(graph->inner, at, each, arg, error_out);
}

enum yore_status yore_graph_erase_property(struct yore_graph *graph,
                                           enum yore_graph_element element,
                                           struct yore_bytes external_id,
                                           struct yore_bytes property, struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    const struct graph_erasure erasure = {id_of(element, 0).element, external_id, property};
    return property.size > 0
               ? graph_erase(graph->inner, &erasure, NULL, error_out)
               : error_set(error_out, YORE_INVALID, "the name of a property has no octets");
}

enum yore_status yore_graph_erase(struct yore_graph *graph, enum yore_graph_element element,
                                  struct yore_bytes external_id, uint64_t *count_out,
                                  struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    const struct graph_erasure erasure = {.element = id_of(element, 0).element,
                                          .external_id = external_id};
    return graph_erase(graph->inner, &erasure, count_out, error_out);
}

/* ---- import and check ---- */

enum yore_status yore_graph_import_open(struct yore_graph *graph, enum yore_durability durability,
                                        bool resumes, struct yore_graph_import **import_out,
                                        struct yore_error *error_out)
{
    if (graph == NULL || import_out == NULL) {
        return error_null(error_out, __func__, "graph, import_out");
    }
    struct graph_import_options options = {.durability = durability, .resumes = resumes};
    struct yore_graph_import *import = mem_zalloc(sizeof *import);
    *import_out = NULL;
    if (import == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = graph_import_open(graph->inner, &options, &import->inner, error_out);
    return hand_out(st, import, import_out);
}

enum yore_status yore_graph_import_line(struct yore_graph_import *import, struct yore_bytes line,
                                        struct yore_error *error_out)
{
    if (import == NULL) {
        return error_null(error_out, __func__, "import");
    }
    return graph_import_line(import->inner, line, error_out);
}

enum yore_status yore_graph_import_finish(struct yore_graph_import *import,
                                          struct yore_error *error_out)
{
    if (import == NULL) {
        return error_null(error_out, __func__, "import");
    }
    enum yore_status st = graph_import_finish(import->inner, NULL, error_out);
    mem_free(import);
    return st;
}

void yore_graph_import_abort(struct yore_graph_import *import)
{
    if (import != NULL) {
        graph_import_abort(import->inner);
        mem_free(import);
    }
}

enum yore_status yore_graph_verify(struct yore_graph *graph,
                                   void (*problem)(void *arg, const char *line), void *arg,
                                   struct yore_error *error_out)
{
    if (graph == NULL) {
        return error_null(error_out, __func__, "graph");
    }
    return graph_verify(graph->inner, problem, arg, NULL, error_out);
}
