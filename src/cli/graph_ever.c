#include "cli/graph_ever.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "os/term.h"

struct walk {
    struct graph_view *view;
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
static enum yore_status end_name(struct walk *walk, uint64_t id, int64_t moment,
                                 struct yore_bytes *name_out, struct yore_error *error_out)
{
    struct yore_time at = {moment, graph_view_time(walk->view).known};
    struct yore_graph_node node;
    enum yore_status st = YORE_OK;
    if (walk->then == NULL || graph_view_time(walk->then).valid != moment) {
        graph_view_close(walk->then);
        walk->then = NULL;
        st = graph_view_open(graph_view_graph(walk->view), NULL, &at, &walk->then, error_out);
    }
    if (st == YORE_OK) {
        st = graph_node_get(walk->then, id, &walk->arena, &node, error_out);
    }
    if (st == YORE_NOT_FOUND) { /* which is no end of what is told */
        st = error_set(error_out, YORE_CORRUPT,
                       "graph %s: node %" PRIu64 " is missing, an end of a relationship; see yore "
                       "check",
                       graph_name(graph_view_graph(walk->view)), id);
    }
    *name_out = st == YORE_OK ? node.external_id : bytes_of("", 0);
    return st;
}

static enum yore_status tell(struct walk *walk, const struct graph_version *version,
                             struct yore_error *error_out)
{
    struct graph_ever told = {.span = version->span};
    enum yore_status st = YORE_OK;
    if (version->element.kind == YORE_GRAPH_NODE) {
        told.node = version->element.as.node;
    } else {
        int64_t from = version->span.valid_from;
        told.relationship = version->element.as.relationship;
        st = end_name(walk, told.relationship->start_id, from, &told.ends[0], error_out);
        if (st == YORE_OK) {
            st = end_name(walk, told.relationship->end_id, from, &told.ends[1], error_out);
        }
    }
    return st == YORE_OK ? walk->each(walk->arg, &told, error_out) : st;
}

static enum yore_status tell_versions(struct walk *walk, struct graph_id id,
                                      struct yore_error *error_out)
{
    struct graph_history *history = NULL;
    struct graph_version version;
    enum yore_status st =
        graph_history_open(walk->view, id, walk->begin, YORE_FOREVER, &history, error_out);
    while (st == YORE_OK &&
           (st = graph_history_next(history, &walk->arena, &version, error_out)) == YORE_OK) {
        st = tell(walk, &version, error_out);
        arena_reset(&walk->arena);
    }
    graph_history_close(history);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status graph_ever_walk(struct graph_view *view, enum graph_element element,
                                 enum yore_status (*each)(void *arg,
                                                          const struct graph_ever *version,
                                                          struct yore_error *error_out),
                                 void *arg, struct yore_error *error_out)
{
    struct walk walk = {.view = view, .each = each, .arg = arg};
    struct graph_ids *ids = NULL;
    struct graph_id id = {element, 0};
    enum yore_status st = graph_ever_begin(graph_view_graph(view), &walk.begin, error_out);
    if (st == YORE_OK) {
        st = graph_ids_open(view, element, &ids, error_out);
    }
    while (st == YORE_OK && (st = graph_ids_next(ids, &id.id, error_out)) == YORE_OK) {
        st = tell_versions(&walk, id, error_out);
        if (st == YORE_OK && os_interrupt_take()) {
            st = error_plain(error_out, YORE_CANCELLED);
        }
    }
    graph_ids_close(ids);
    graph_view_close(walk.then);
    arena_release(&walk.arena);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}
