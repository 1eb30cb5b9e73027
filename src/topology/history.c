/* history.c -- what an element was, version by version, and which incarnations an external id had.
 */
#include "base/mem.h"
#include "topology/ever.h"
#include "topology/graph_internal.h"

enum yore_status element_value(struct graph *graph, struct graph_id id, struct yore_bytes octets,
                               const struct yore_graph_span *span, struct arena *arena,
                               struct yore_graph_value *value_out, struct yore_error *error_out)
{
    struct element_record record;
    bool is_node = id.element == GRAPH_NODE;
    void *copy = arena_copy(arena, octets.data, octets.size);
    size_t size = is_node ? sizeof(struct yore_graph_node) : sizeof(struct yore_graph_relationship);
    void *element = arena_alloc(arena, size);
    enum yore_status st = copy != NULL && element != NULL ? YORE_OK : YORE_NOMEM;
    if (st == YORE_OK && !element_record_read(bytes_of(copy, octets.size), id.element, &record)) {
        st = YORE_CORRUPT;
    }
    if (st == YORE_OK && is_node) {
        struct yore_graph_node *node = element;
        node->span = *span;
        value_out->kind = YORE_GRAPH_NODE;
        value_out->as.node = node;
        st = element_node(graph, id.id, &record, arena, node);
    } else if (st == YORE_OK) {
        struct yore_graph_relationship *relationship = element;
        relationship->span = *span;
        value_out->kind = YORE_GRAPH_RELATIONSHIP;
        value_out->as.relationship = relationship;
        st = element_relationship(graph, id.id, &record, arena, relationship);
    }
    if (st == YORE_CORRUPT) {
        return graph_refuse_record(graph, id, error_out);
    }
    return st == YORE_OK ? st : error_plain(error_out, st);
}

/* ---- histories ---- */

struct graph_history {
    struct graph *graph;
    struct graph_id id;
    int64_t from;
    int64_t to;
    struct yore_timeline *timeline;
    bool has_upcoming;
    struct yore_version upcoming; /* its value in `next` */
    struct buffer now;
    struct buffer next;
    struct yore_error failure;
};

static enum yore_status take_upcoming(struct graph_history *history, struct yore_error *error_out)
{
    enum yore_status st = yore_timeline_next(history->timeline, &history->upcoming, error_out);
    history->has_upcoming = st == YORE_OK;
    if (st == YORE_OK) {
        buffer_clear(&history->next);
        buffer_append_bytes(&history->next, history->upcoming.value);
        st = buffer_status(&history->next) == YORE_OK ? st : error_plain(error_out, YORE_NOMEM);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status graph_history_open(struct graph_view *view, struct graph_id id, int64_t from,
                                    int64_t to, struct graph_history **history_out,
                                    struct yore_error *error_out)
{
    struct graph_key key = graph_key_element(id);
    struct yore_timeline_options options = {
        .from = from, .to = to, .known = view->time.known, .with_in_force = true};
    error_clear(error_out);
    *history_out = NULL;
    struct graph_history *history = mem_zalloc(sizeof *history);
    if (history == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    history->graph = view->graph;
    history->id = id;
    history->from = from;
    history->to = to;
    enum yore_status st =
        yore_timeline_open(view->graph->db, view->graph->keyspace, graph_key_bytes(&key), &options,
                           &history->timeline, error_out);
    if (st == YORE_OK) {
        st = take_upcoming(history, error_out);
    }
    if (st != YORE_OK) {
        graph_history_close(history);
        return st;
    }
    *history_out = history;
    return YORE_OK;
}

/* The next stretch of one state: versions that say the same are told as one. */
static enum yore_status next_stretch(struct graph_history *history, struct yore_graph_span *span,
                                     struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    bool is_found = false;
    while (st == YORE_OK && history->has_upcoming) {
        struct yore_version version = history->upcoming;
        if (is_found && version.valid_from < span->valid_to) {
            span->valid_to = version.valid_from;
        }
        bool goes_on = version.kind == YORE_KIND_PUT && version.valid_from == span->valid_to &&
                       bytes_equal(buffer_bytes(&history->now), buffer_bytes(&history->next));
        if (is_found && !goes_on) {
            break;
        }
        bool is_past = version.kind != YORE_KIND_PUT || version.valid_to <= history->from;
        if (!is_found && !is_past) {
            struct buffer told = history->now;
            history->now = history->next;
            history->next = told;
            *span = (struct yore_graph_span){version.valid_from, version.valid_to, version.commit};
            is_found = true;
        } else if (is_found) {
            span->valid_to = version.valid_to;
        }
        st = take_upcoming(history, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    span->valid_from = span->valid_from < history->from ? history->from : span->valid_from;
    span->valid_to = span->valid_to > history->to ? history->to : span->valid_to;
    return is_found ? YORE_OK : YORE_NOT_FOUND;
}

enum yore_status graph_history_next(struct graph_history *history, struct arena *arena,
                                    struct graph_version *version_out, struct yore_error *error_out)
{
    error_clear(error_out);
    if (history->failure.status != YORE_OK) {
        return error_keep(&history->failure, history->failure.status, error_out);
    }
    enum yore_status st = next_stretch(history, &version_out->span, &history->failure);
    if (st == YORE_OK) {
        st = element_value(history->graph, history->id, buffer_bytes(&history->now),
                           &version_out->span, arena, &version_out->element, &history->failure);
    }
    return error_keep(&history->failure, st, error_out);
}

void graph_history_close(struct graph_history *history)
{
    if (history != NULL) {
        yore_timeline_close(history->timeline);
        buffer_release(&history->now);
        buffer_release(&history->next);
        mem_free(history);
    }
}

/* ---- ids ---- */

struct graph_ids {
    struct ever_walk walk;
    struct graph_key prefix;
    struct yore_time span;
};

enum yore_status graph_ids_open(struct graph_view *view, enum graph_element element,
                                struct graph_ids **ids_out, struct yore_error *error_out)
{
    struct graph_ids *ids = mem_zalloc(sizeof *ids);
    error_clear(error_out);
    *ids_out = NULL;
    if (ids == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    graph_key_begin(&ids->prefix, element == GRAPH_NODE ? GRAPH_KEY_NODE : GRAPH_KEY_RELATIONSHIP);
    ids->span.known = view->time.known;
    enum yore_status st = graph_begin_of_time(view->graph, &ids->span.valid, error_out);
    if (st == YORE_OK) {
        st = ever_open(&ids->walk, view->graph, graph_key_bytes(&ids->prefix), &ids->span,
                       error_out);
    }
    if (st != YORE_OK) {
        graph_ids_close(ids);
        return st;
    }
    *ids_out = ids;
    return YORE_OK;
}

enum yore_status graph_ids_next(struct graph_ids *ids, uint64_t *id_out,
                                struct yore_error *error_out)
{
    struct yore_bytes key;
    enum yore_status st = ever_next(&ids->walk, &key, error_out);
    if (st == YORE_OK && !graph_key_numbers(key, id_out, 1)) {
        st = error_plain(error_out, YORE_CORRUPT);
    }
    return st;
}

void graph_ids_close(struct graph_ids *ids)
{
    if (ids != NULL) {
        ever_close(&ids->walk);
        mem_free(ids);
    }
}

/* ---- incarnations ---- */

static enum yore_status add_id(struct arena *arena, uint64_t **ids, size_t *count, uint64_t id)
{
    for (size_t i = 0; i < *count; i++) {
        if ((*ids)[i] == id) {
            return YORE_OK;
        }
    }
    bool is_full = (*count & (*count - 1)) == 0; /* room doubles at powers of two */
    if (is_full) {
        uint64_t *grown = arena_alloc(arena, (*count == 0 ? 1 : *count * 2) * sizeof *grown);
        if (grown == NULL) {
            return YORE_NOMEM;
        }
        for (size_t i = 0; i < *count; i++) {
            grown[i] = (*ids)[i];
        }
        *ids = grown;
    }
    (*ids)[(*count)++] = id;
    return YORE_OK;
}

enum yore_status graph_incarnations(struct graph_view *view, enum graph_element element,
                                    struct yore_bytes external_id, struct arena *arena,
                                    const uint64_t **ids_out, size_t *count_out,
                                    struct yore_error *error_out)
{
    struct graph *graph = view->graph;
    struct buffer key = {0};
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    uint64_t *ids = NULL;
    int64_t from;
    error_clear(error_out);
    *ids_out = NULL;
    *count_out = 0;
    graph_key_external(&key, element, external_id);
    enum yore_status st = buffer_status(&key) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : graph_begin_of_time(graph, &from, error_out);
    if (st == YORE_OK) {
        struct yore_timeline_options options = {
            .from = from, .to = YORE_FOREVER, .known = view->time.known, .with_in_force = true};
        st = yore_timeline_open(graph->db, graph->keyspace, buffer_bytes(&key), &options, &timeline,
                                error_out);
    }
    while (st == YORE_OK && (st = yore_timeline_next(timeline, &version, error_out)) == YORE_OK) {
        struct decoder octets;
        decoder_init(&octets, version.value.data, version.value.size);
        if (version.kind == YORE_KIND_PUT &&
            add_id(arena, &ids, count_out, decode_varint(&octets)) != YORE_OK) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    yore_timeline_close(timeline);
    buffer_release(&key);
    *ids_out = ids;
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}
