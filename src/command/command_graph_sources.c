/* command_graph_sources.c -- who says what of a graph, and what is destroyed of it for good. */
#include "command/call.h"
#include "command/commands.h"
#include "command/moments.h"
#include "command/rows.h"
#include "topology/erase.h"
#include "topology/graph_pool.h"
#include "topology/ingest.h"

/* ---- telling -------------------------------------------------------------------------------- */

/* A walk on its way into rows. */
struct telling {
    struct rows rows;
    struct reply *reply;
    struct yore_error error;
    enum yore_status status;
};

static void tell_number(struct reply *reply, const char *name, uint64_t number)
{
    reply_text(reply, name);
    reply_int(reply, (int64_t)number);
}

static void tell_bytes(struct reply *reply, const char *name, struct yore_bytes bytes)
{
    reply_text(reply, name);
    reply_bulk(reply, bytes);
}

static void tell_moment(struct reply *reply, const char *name, int64_t moment)
{
    reply_text(reply, name);
    moments_reply(reply, moment);
}

static int told(struct telling *telling)
{
    telling->status = rows_told(&telling->rows, &telling->error);
    return telling->status == YORE_OK ? 0 : 1;
}

static int tell_source(void *arg, const struct yore_graph_source *source)
{
    struct telling *telling = arg;
    struct reply *reply = telling->reply;
    if (!rows_want(&telling->rows)) {
        return 0;
    }
    reply_map(reply, 10);
    tell_bytes(reply, "name", source->name);
    tell_number(reply, "rank", (uint64_t)source->rank);
    tell_number(reply, "ttl_ns", (uint64_t)source->ttl_ns);
    tell_moment(reply, "last_word", source->last_word);
    tell_moment(reply, "expired_at", source->expired_at);
    tell_number(reply, "snapshot", source->snapshot);
    tell_number(reply, "nodes", source->nodes);
    tell_number(reply, "relationships", source->relationships);
    tell_number(reply, "pending", source->pending);
    tell_bytes(reply, "refusal", source->refusal);
    return told(telling);
}

static int tell_pending(void *arg, const struct yore_graph_pending *pending)
{
    struct telling *telling = arg;
    struct reply *reply = telling->reply;
    if (!rows_want(&telling->rows)) {
        return 0;
    }
    reply_map(reply, 8);
    tell_bytes(reply, "id", pending->external_id);
    tell_bytes(reply, "type", pending->type);
    tell_bytes(reply, "start", pending->start);
    tell_bytes(reply, "end", pending->end);
    tell_number(reply, "start_missing", pending->start_is_missing);
    tell_number(reply, "end_missing", pending->end_is_missing);
    tell_bytes(reply, "source", pending->source);
    tell_moment(reply, "since", pending->since);
    return told(telling);
}

/* The graph of args[1]; NULL: an error was replied. */
static struct graph *find_graph(struct call *call)
{
    struct graph *graph = NULL;
    struct yore_error error = {.text = ""};
    enum yore_status st =
        graph_pool_get(call->server->graphs, call->args[1], false, NULL, &graph, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return NULL;
    }
    return graph;
}

void cmd_graph_sources(struct call *call)
{
    struct telling telling = {.reply = call->reply};
    struct graph *graph = find_graph(call);
    if (graph == NULL) {
        return;
    }
    rows_begin(&telling.rows, call);
    telling.rows.is_single = true; /* they are few, and of now */
    enum yore_status st = graph_sources(graph, tell_source, &telling, &telling.error);
    st = st == YORE_OK ? telling.status : st;
    (void)rows_again(&telling.rows, st, &telling.error);
    graph_pool_put(call->server->graphs, graph);
}

/* [AT moment] [KNOWN moment]; both walks see the same. */
static bool take_moments(struct call *call, size_t first, struct yore_time *at, bool *is_now_out)
{
    if (!moments_take_at(call, first, at)) {
        return false;
    }
    *is_now_out = at->valid == YORE_NOW && at->known == YORE_NOW;
    int64_t now = yore_now(call->server->db);
    at->valid = at->valid == YORE_NOW ? now : at->valid;
    at->known = at->known == YORE_NOW ? now : at->known;
    return true;
}

void cmd_graph_pending(struct call *call)
{
    struct telling telling = {.reply = call->reply};
    struct graph *graph = NULL;
    struct yore_time at;
    bool is_now;
    if (!take_moments(call, 2, &at, &is_now)) {
        return;
    }
    enum yore_status st =
        graph_pool_get(call->server->graphs, call->args[1], false, NULL, &graph, &telling.error);
    if (st == YORE_NOT_FOUND && !is_now) { /* dropped since, perhaps */
        st =
            graph_pool_get(call->server->graphs, call->args[1], false, &at, &graph, &telling.error);
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &telling.error);
        return;
    }
    rows_begin(&telling.rows, call);
    do {
        st = graph_pending(graph, &at, tell_pending, &telling, &telling.error);
        st = st == YORE_OK ? telling.status : st;
    } while (rows_again(&telling.rows, st, &telling.error));
    graph_pool_put(call->server->graphs, graph);
}

/* ---- destroying ----------------------------------------------------------------------------- */

/* GRAPH.ERASE graph NODE|RELATIONSHIP id [property] */
void cmd_graph_erase(struct call *call)
{
    struct yore_error error = {.text = ""};
    uint64_t count = 0;
    bool is_node = call_is(call, 2, "node");
    if (call->count > 5 || (!is_node && !call_is(call, 2, "relationship"))) {
        call_syntax(call);
        return;
    }
    struct graph *graph = find_graph(call);
    if (graph == NULL) {
        return;
    }
    const struct graph_erasure erasure = {is_node ? GRAPH_NODE : GRAPH_RELATIONSHIP, call->args[3],
                                          call->count > 4 ? call->args[4] : bytes_of("", 0)};
    call->access->writes++;
    enum yore_status st = graph_erase(graph, &erasure, &count, &error);
    if (st == YORE_OK) {
        reply_int(call->reply, (int64_t)count);
    } else {
        call_fail_told(call, st, &error);
    }
    graph_pool_put(call->server->graphs, graph);
}
