/* estimate.c -- about how many there are now, for planners.
 *
 * Counted by walking keys, the first time somebody asks, and again when this handle's commits have
 * made or ended a good part of what there is.  Up to ESTIMATE_KEYS_MAX keys of each kind are
 * counted; beyond that the count is a lower bound.
 */
#include "base/mem.h"
#include "topology/graph_internal.h"

#define ESTIMATE_KEYS_MAX 1000000u

static bool grow_counts(int64_t **counts, size_t *count, size_t token)
{
    if (token < *count) {
        return true;
    }
    size_t wanted = token + 16;
    int64_t *grown = mem_realloc(*counts, wanted * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    for (size_t i = *count; i < wanted; i++) {
        grown[i] = 0;
    }
    *counts = grown;
    *count = wanted;
    return true;
}

/* Count the keys of a kind; with `of`, by the token that stands first in them. */
static bool count_keys(struct graph *graph, enum graph_key_kind kind, int64_t *all, int64_t **of,
                       size_t *of_count)
{
    struct graph_key prefix;
    struct yore_cursor *cursor = NULL;
    graph_key_begin(&prefix, kind);
    struct yore_time latest = graph_latest(graph);
    struct yore_cursor_options options = {.range = {.prefix = graph_key_bytes(&prefix)},
                                          .at = &latest,
                                          .keys_only = true,
                                          .no_cache_fill = true};
    bool is_ok = yore_cursor_open(graph->db, graph->keyspace, &options, &cursor, NULL) == YORE_OK;
    for (size_t i = 0; is_ok && i < ESTIMATE_KEYS_MAX; i++) {
        uint64_t numbers[2];
        if (yore_cursor_next(cursor) != YORE_OK) {
            break;
        }
        *all += 1;
        if (of != NULL && graph_key_numbers(yore_cursor_row(cursor)->key, numbers, 2)) {
            is_ok = grow_counts(of, of_count, (size_t)numbers[0]);
            if (is_ok) {
                (*of)[numbers[0]]++;
            }
        }
    }
    yore_cursor_close(cursor);
    return is_ok;
}

/* Relationships by type: those of each block of ids. */
static bool count_types(struct graph *graph, struct graph_counts *counts)
{
    struct graph_view *view = NULL;
    if (graph_view_open(graph, NULL, NULL, &view, NULL) != YORE_OK) {
        return false;
    }
    bool is_ok = true;
    for (uint32_t type = 1; is_ok && graph_token_name(graph, GRAPH_TYPE, type).size > 0; type++) {
        struct graph_scan_options options = {.kind = GRAPH_SCAN_TYPE, .token = type};
        struct graph_scan *scan = NULL;
        uint64_t id;
        is_ok = grow_counts(&counts->of_type, &counts->type_count, type) &&
                graph_scan_open(view, &options, &scan, NULL) == YORE_OK;
        while (is_ok && counts->of_type[type] < ESTIMATE_KEYS_MAX &&
               graph_scan_next(scan, &id, NULL) == YORE_OK) {
            counts->of_type[type]++;
        }
        graph_scan_close(scan);
        counts->relationships += is_ok ? counts->of_type[type] : 0;
    }
    graph_view_close(view);
    return is_ok;
}

static void count_once(struct graph *graph)
{
    struct graph_counts counts = {.is_known = true};
    int64_t labelled = 0;
    os_mutex_lock(&graph->lock);
    bool is_known = graph->counts.is_known;
    os_mutex_unlock(&graph->lock);
    if (is_known) {
        return;
    }
    bool is_ok =
        count_keys(graph, GRAPH_KEY_NODE, &counts.nodes, NULL, NULL) &&
        count_keys(graph, GRAPH_KEY_LABEL, &labelled, &counts.of_label, &counts.label_count) &&
        count_types(graph, &counts);
    os_mutex_lock(&graph->lock);
    if (is_ok) {
        struct graph_counts old = graph->counts;
        graph->counts = counts;
        counts = old;
    }
    os_mutex_unlock(&graph->lock);
    mem_free(counts.of_label);
    mem_free(counts.of_type);
}

static uint64_t at_least_zero(int64_t count)
{
    return count > 0 ? (uint64_t)count : 0;
}

struct graph_estimate graph_estimate_all(struct graph *graph)
{
    count_once(graph);
    os_mutex_lock(&graph->lock);
    struct graph_estimate estimate = {at_least_zero(graph->counts.nodes),
                                      at_least_zero(graph->counts.relationships)};
    os_mutex_unlock(&graph->lock);
    return estimate;
}

uint64_t graph_estimate_label(struct graph *graph, uint32_t label)
{
    count_once(graph);
    os_mutex_lock(&graph->lock);
    uint64_t count =
        label < graph->counts.label_count ? at_least_zero(graph->counts.of_label[label]) : 0;
    os_mutex_unlock(&graph->lock);
    return count;
}

uint64_t graph_estimate_type(struct graph *graph, uint32_t type)
{
    count_once(graph);
    os_mutex_lock(&graph->lock);
    uint64_t count =
        type < graph->counts.type_count ? at_least_zero(graph->counts.of_type[type]) : 0;
    os_mutex_unlock(&graph->lock);
    return count;
}

/* Small graphs are counted again at every fifth of them that came or went, and at 64 at least. */
#define DRIFT_MIN 64
#define DRIFT_PART 5

void graph_count(struct graph *graph, const struct graph_tally *tally)
{
    os_mutex_lock(&graph->lock);
    struct graph_counts *counts = &graph->counts;
    counts->nodes += (int64_t)tally->nodes_created - (int64_t)tally->nodes_deleted;
    counts->relationships +=
        (int64_t)tally->relationships_created - (int64_t)tally->relationships_deleted;
    counts->drift +=
        (int64_t)(tally->nodes_created + tally->nodes_deleted + tally->relationships_created +
                  tally->relationships_deleted + tally->labels_added + tally->labels_removed);
    int64_t bound = (counts->nodes + counts->relationships) / DRIFT_PART;
    if (counts->drift > (bound > DRIFT_MIN ? bound : DRIFT_MIN)) {
        counts->is_known = false;
    }
    os_mutex_unlock(&graph->lock);
}

void graph_forget_counts(struct graph *graph)
{
    os_mutex_lock(&graph->lock);
    graph->counts.is_known = false;
    os_mutex_unlock(&graph->lock);
}
