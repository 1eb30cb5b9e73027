/* changes.c -- what differs between two moments, element by element; and when anything changed
 * next.
 *
 * The records of nodes and relationships lie together in the key order, so that the engine's
 * changes of that range are those of the graph, at the engine's cost: the number of changes.
 */
#include "base/checked.h"
#include "base/mem.h"
#include "topology/graph_internal.h"

static const unsigned char elements_low[1] = {GRAPH_KEY_NODE};
static const unsigned char elements_high[1] = {GRAPH_KEY_RELATIONSHIP + 1};

static struct yore_range elements_range(void)
{
    return (struct yore_range){.low = {elements_low, 1}, .high = {elements_high, 1}};
}

/* ---- differences ---- */

struct graph_changes {
    struct graph *graph;
    struct yore_changes *changes;
};

enum yore_status graph_changes_open(struct graph *graph,
                                    const struct graph_changes_options *options,
                                    struct graph_changes **changes_out,
                                    struct yore_error *error_out)
{
    struct yore_changes_options asked = {.range = elements_range(),
                                         .from = options->from,
                                         .to = options->to,
                                         .known = options->known,
                                         .every_version = options->every_version,
                                         .in_time_order = options->every_version};
    error_clear(error_out);
    *changes_out = NULL;
    struct graph_changes *changes = mem_zalloc(sizeof *changes);
    if (changes == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    changes->graph = graph;
    enum yore_status st =
        yore_changes_open(graph->db, graph->keyspace, &asked, &changes->changes, error_out);
    if (st != YORE_OK) {
        graph_changes_close(changes);
        return st;
    }
    *changes_out = changes;
    return YORE_OK;
}

static bool is_step(const struct yore_change *change)
{
    return change->kind != YORE_CHANGE_CHANGED || !bytes_equal(change->before, change->after);
}

static enum yore_status tell_change(struct graph *graph, const struct yore_change *change,
                                    struct arena *arena, struct graph_change *change_out,
                                    struct yore_error *error_out)
{
    struct graph_id id = {*(const unsigned char *)change->key.data == GRAPH_KEY_NODE
                              ? GRAPH_NODE
                              : GRAPH_RELATIONSHIP,
                          0};
    struct yore_graph_span before = {YORE_TIME_MIN, change->time, change->commit};
    struct yore_graph_span after = {change->time, YORE_FOREVER, change->commit};
    enum yore_status st = YORE_OK;
    if (!graph_key_numbers(change->key, &id.id, 1)) {
        return error_set(error_out, YORE_CORRUPT, "graph %s: the key of an element is malformed",
                         graph->name);
    }
    *change_out = (struct graph_change){.kind = (enum graph_change_kind)change->kind,
                                        .id = id,
                                        .time = change->time,
                                        .commit = change->commit};
    if (change->before.data != NULL) {
        st = element_value(graph, id, change->before, &before, arena, &change_out->before,
                           error_out);
    }
    if (st == YORE_OK && change->after.data != NULL) {
        st = element_value(graph, id, change->after, &after, arena, &change_out->after, error_out);
    }
    return st;
}

enum yore_status graph_changes_next(struct graph_changes *changes, struct arena *arena,
                                    struct graph_change *change_out, struct yore_error *error_out)
{
    struct yore_change change;
    enum yore_status st;
    do {
        st = yore_changes_next(changes->changes, &change, error_out);
    } while (st == YORE_OK && !is_step(&change));
    return st == YORE_OK ? tell_change(changes->graph, &change, arena, change_out, error_out) : st;
}

void graph_changes_close(struct graph_changes *changes)
{
    if (changes != NULL) {
        yore_changes_close(changes->changes);
        mem_free(changes);
    }
}

/* ---- the nearest change ---- */

#define WINDOW_FIRST_NS 1000000000ll
#define WINDOW_GROWTH 16

/* The first (or last) step in (from, to]. */
static enum yore_status nearest_in(struct graph *graph, int64_t from, int64_t to, int64_t known,
                                   bool is_backward, int64_t *moment_out,
                                   struct yore_error *error_out)
{
    struct yore_changes_options options = {
        .range = elements_range(), .from = from, .to = to, .known = known, .every_version = true};
    struct yore_changes *changes = NULL;
    struct yore_change change;
    bool is_found = false;
    enum yore_status st =
        yore_changes_open(graph->db, graph->keyspace, &options, &changes, error_out);
    while (st == YORE_OK && (st = yore_changes_next(changes, &change, error_out)) == YORE_OK) {
        bool is_nearer =
            !is_found || (is_backward ? change.time > *moment_out : change.time < *moment_out);
        if (is_nearer && is_step(&change)) {
            *moment_out = change.time;
            is_found = true;
        }
    }
    yore_changes_close(changes);
    return st == YORE_NOT_FOUND && is_found ? YORE_OK : st;
}

/* `a` + `b`, or the bound it would pass. */
static int64_t step_to(int64_t a, int64_t b, int64_t bound)
{
    int64_t sum;
    if (!checked_add_i64(a, b, &sum)) {
        return bound;
    }
    return (b > 0 && sum > bound) || (b < 0 && sum < bound) ? bound : sum;
}

enum yore_status graph_next_change(struct graph *graph, int64_t moment, int64_t known,
                                   bool is_backward, int64_t *moment_out,
                                   struct yore_error *error_out)
{
    int64_t begin;
    int64_t window = WINDOW_FIRST_NS;
    error_clear(error_out);
    enum yore_status st = graph_begin_of_time(graph, &begin, error_out);
    if (st != YORE_OK) {
        return st;
    }
    int64_t now = yore_now(graph->db);
    int64_t at = moment > now ? now : moment;
    if (is_backward && moment <= now && moment > begin) {
        at = moment - 1; /* the moment itself is not before it */
    }
    int64_t bound = is_backward ? begin : now;
    st = YORE_NOT_FOUND;
    while (st == YORE_NOT_FOUND && (is_backward ? at > bound : at < bound)) {
        int64_t next = step_to(at, is_backward ? -window : window, bound);
        st = is_backward ? nearest_in(graph, next, at, known, true, moment_out, error_out)
                         : nearest_in(graph, at, next, known, false, moment_out, error_out);
        at = next;
        window = window > INT64_MAX / WINDOW_GROWTH ? INT64_MAX : window * WINDOW_GROWTH;
    }
    return st == YORE_NOT_FOUND ? error_plain(error_out, st) : st;
}
