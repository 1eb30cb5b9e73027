#include "query/graph_walk.h"

#include <inttypes.h>

#include "base/bytes.h"

enum yore_status graph_walk_step(struct graph_walk *walk, struct yore_error *error_out)
{
    walk->count++;
    return walk->sink->step(walk->sink->arg, walk->count, error_out);
}

enum yore_status graph_walk_whole(const struct graph_walk *walk, struct graph_id id,
                                  enum yore_status st, struct yore_error *error_out)
{
    if (st != YORE_NOT_FOUND) {
        return st;
    }
    struct yore_error cause = {.text = ""};
    if (error_out != NULL) {
        cause = *error_out;
    }
    return error_set(error_out, YORE_CORRUPT,
                     "graph %.80s: %s %" PRIu64 " is not whole (%.160s); see yore check",
                     graph_name(graph_view_graph(walk->view)),
                     id.element == GRAPH_NODE ? "node" : "relationship", id.id, cause.text);
}

/* ---- one moment ---- */

enum yore_status graph_walk_now(struct graph_walk *walk, enum graph_element element,
                                enum yore_status (*each)(void *arg, uint64_t id,
                                                         struct yore_error *error_out),
                                void *arg, struct yore_error *error_out)
{
    struct graph_scan_options options = {.kind = element == GRAPH_NODE ? GRAPH_SCAN_NODES
                                                                       : GRAPH_SCAN_RELATIONSHIPS};
    struct graph_scan *scan = NULL;
    struct graph_id id = {element, 0};
    enum yore_status st = graph_scan_open(walk->view, &options, &scan, error_out);
    while (st == YORE_OK && (st = graph_scan_next(scan, &id.id, error_out)) == YORE_OK) {
        st = graph_walk_whole(walk, id, each(arg, id.id, error_out), error_out);
        if (st == YORE_OK) {
            st = graph_walk_step(walk, error_out);
        }
    }
    graph_scan_close(scan);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- every version ---- */

struct ever {
    struct graph_walk *walk;
    struct graph_view *then; /* of the moment at which ends were last looked for; NULL: none */
    int64_t begin;
    struct arena arena; /* of the version in hand */
    enum yore_status (*each)(void *arg, const struct graph_ever *version,
                             struct yore_error *error_out);
    void *arg;
};

enum yore_status graph_ever_begin(struct graph *graph, int64_t *begin_out,
                                  struct yore_error *error_out)
{
    struct yore_keyspace_info info;
    enum yore_status st =
        yore_keyspace_info(graph_db(graph), graph_keyspace(graph), &info, error_out);
    *begin_out = st == YORE_OK ? info.horizon : YORE_TIME_MIN;
    return st;
}

/* The external id of a node at a moment. */
static enum yore_status end_name(struct ever *ever, uint64_t id, int64_t moment,
                                 struct yore_bytes *name_out, struct yore_error *error_out)
{
    struct graph_view *view = ever->walk->view;
    struct yore_time at = {moment, graph_view_time(view).known};
    struct yore_graph_node node;
    enum yore_status st = YORE_OK;
    if (ever->then == NULL || graph_view_time(ever->then).valid != moment) {
        graph_view_close(ever->then);
        ever->then = NULL;
        st = graph_view_open(graph_view_graph(view), NULL, &at, &ever->then, error_out);
    }
    if (st == YORE_OK) {
        st = graph_node_get(ever->then, id, &ever->arena, &node, error_out);
    }
    *name_out = st == YORE_OK ? node.external_id : bytes_of("", 0);
    return st;
}

static enum yore_status tell(struct ever *ever, const struct graph_version *version,
                             struct yore_error *error_out)
{
    struct graph_ever told = {.span = version->span};
    enum yore_status st = YORE_OK;
    if (version->element.kind == YORE_GRAPH_NODE) {
        told.node = version->element.as.node;
    } else {
        int64_t from = version->span.valid_from;
        told.relationship = version->element.as.relationship;
        st = end_name(ever, told.relationship->start_id, from, &told.ends[0], error_out);
        if (st == YORE_OK) {
            st = end_name(ever, told.relationship->end_id, from, &told.ends[1], error_out);
        }
    }
    return st == YORE_OK ? ever->each(ever->arg, &told, error_out) : st;
}

static enum yore_status tell_versions(struct ever *ever, struct graph_id id,
                                      struct yore_error *error_out)
{
    struct graph_walk *walk = ever->walk;
    struct graph_history *history = NULL;
    struct graph_version version;
    enum yore_status st =
        graph_history_open(walk->view, id, ever->begin, YORE_FOREVER, &history, error_out);
    while (st == YORE_OK &&
           (st = graph_history_next(history, &ever->arena, &version, error_out)) == YORE_OK) {
        st = graph_walk_whole(walk, id, tell(ever, &version, error_out), error_out);
        if (st == YORE_OK) {
            st = graph_walk_step(walk, error_out);
        }
        arena_reset(&ever->arena);
    }
    graph_history_close(history);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status graph_walk_ever(struct graph_walk *walk, enum graph_element element,
                                 enum yore_status (*each)(void *arg,
                                                          const struct graph_ever *version,
                                                          struct yore_error *error_out),
                                 void *arg, struct yore_error *error_out)
{
    struct ever ever = {.walk = walk, .each = each, .arg = arg};
    struct graph_ids *ids = NULL;
    struct graph_id id = {element, 0};
    enum yore_status st = graph_ever_begin(graph_view_graph(walk->view), &ever.begin, error_out);
    if (st == YORE_OK) {
        st = graph_ids_open(walk->view, element, &ids, error_out);
    }
    while (st == YORE_OK && (st = graph_ids_next(ids, &id.id, error_out)) == YORE_OK) {
        st = tell_versions(&ever, id, error_out);
        if (st == YORE_OK) { /* also where nothing of it is kept */
            st = walk->sink->step(walk->sink->arg, walk->count, error_out);
        }
    }
    graph_ids_close(ids);
    graph_view_close(ever.then);
    arena_release(&ever.arena);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}
