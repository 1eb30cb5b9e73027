#include "command/graph_run.h"

#include <string.h>

#include "command/acl.h"
#include "command/args.h"
#include "command/client.h"
#include "command/server.h"
#include "query/query_cache.h"
#include "topology/graph_pool.h"

/* ---- what the run asks ---------------------------------------------------------------------- */

static bool is_cancelled(void *arg)
{
    const struct client *client = arg;
    const struct command_port *port = &client->server->options.port;
    return client->conn != NULL && port->is_gone != NULL && port->is_gone(port->arg, client->conn);
}

static bool may_look(void *arg, int64_t moment)
{
    return command_may_look(arg, moment);
}

static struct query_options options_of(struct client *client,
                                       const struct graph_run_request *request)
{
    struct command_server *server = client->server;
    uint64_t time_ns = request->time_ns;
    if (time_ns == 0) {
        time_ns =
            (uint64_t)atomic_load_explicit(&server->query_time_ms, memory_order_relaxed) * 1000000;
    }
    return (struct query_options){
        .parameters = request->parameters,
        .parameter_count = request->parameter_count,
        .at = request->at,
        .durability = YORE_DURABILITY_NONE,
        .is_read_only = request->is_read_only,
        .budget = {.time_ns = time_ns,
                   .rows_max = request->rows_max,
                   .memory_bytes = (uint64_t)atomic_load_explicit(&server->query_memory_bytes,
                                                                  memory_order_relaxed)},
        .is_cancelled = is_cancelled,
        .cancel_arg = client,
        .may_look = may_look,
        .look_arg = client};
}

/* ---- the statement -------------------------------------------------------------------------- */

/* The text of what is run, without its prefix, with EXPLAIN or PROFILE before it. */
static enum yore_status prepare(struct graph_run *self, struct yore_bytes text,
                                const struct graph_run_request *request,
                                struct query_error *error_out)
{
    struct command_server *server = self->client->server;
    if (request->order != NULL) {
        buffer_append(&self->text, request->order, strlen(request->order));
        buffer_append_bytes(&self->text, text);
        if (self->text.is_nomem) {
            return error_plain(&error_out->error, YORE_NOMEM);
        }
        text = buffer_bytes(&self->text);
    }
    return query_cache_get(request->is_compact ? server->compact_queries : server->queries, text,
                           &self->query, error_out);
}

static enum yore_status forbidden(struct query_error *error_out)
{
    error_out->type = "SecurityError";
    error_out->detail = "Forbidden";
    return error_out->error.status;
}

static enum yore_status check_rights(struct graph_run *self,
                                     const struct graph_run_request *request, bool writes,
                                     struct query_error *error_out)
{
    if (command_authorize_graph(self->client, request->graph, writes, &error_out->error)) {
        return YORE_OK;
    }
    return forbidden(error_out);
}

/* Also whether there was such a graph is the past's. */
static enum yore_status check_moment(struct graph_run *self, const struct yore_time *at,
                                     struct query_error *error_out)
{
    if (command_may_look(self->client, at->valid) && command_may_look(self->client, at->known)) {
        return YORE_OK;
    }
    error_set(&error_out->error, YORE_INVALID,
              "this user has no permissions to look at that moment");
    return forbidden(error_out);
}

/* The graph, if the client may do with it what the statement does. */
static enum yore_status find_graph(struct graph_run *self, const struct graph_run_request *request,
                                   struct query_error *error_out)
{
    struct graph_pool *pool = self->client->server->graphs;
    const struct yore_time *at = &request->at;
    bool is_now = at->valid == YORE_NOW && at->known == YORE_NOW;
    bool may_make = is_now && !request->is_read_only;
    bool writes = query_writes(self->query);
    enum yore_status st = check_rights(self, request, writes, error_out);
    if (st == YORE_OK) {
        st = check_moment(self, at, error_out);
    }
    if (st == YORE_OK) {
        st = graph_pool_get(pool, request->graph, may_make && writes, is_now ? NULL : at,
                            &self->graph, &error_out->error);
    }
    if (st == YORE_NOT_FOUND && is_now && !writes && request->may_be_missing) {
        st = graph_pool_get_empty(pool, request->graph, &self->graph, &error_out->error);
    }
    return st;
}

/* The values of the prefix: they live in the row of a result that stays open. */
static enum yore_status eval_prefix(struct graph_run *self, const struct query_options *base,
                                    const struct graph_prefix *prefix,
                                    struct query_error *error_out)
{
    const struct yore_graph_value *row = NULL;
    struct query_options options = *base;
    options.is_read_only = true;
    options.parameter_count = 0;
    enum yore_status st = query_prepare(buffer_bytes(&prefix->returns), &self->prefix, error_out);
    if (st == YORE_OK) {
        st = query_run(self->prefix, self->graph, &options, &self->prefix_result, error_out);
    }
    if (st == YORE_OK) {
        st = query_next(self->prefix_result, &row, error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < prefix->count; i++) {
        prefix->parameters[i].value = row[i];
    }
    return st;
}

/* A transaction of its own that met others is begun again: nothing of it was written. */
static enum yore_status run(struct graph_run *self, const struct query_options *options,
                            struct query_error *error_out)
{
    enum yore_status st = YORE_CONFLICT;
    for (unsigned attempt = 0; attempt < GRAPH_RUN_ATTEMPTS_MAX && st == YORE_CONFLICT; attempt++) {
        st = query_run(self->query, self->graph, options, &self->result, error_out);
    }
    self->writes = query_writes(self->query) && !options->is_read_only;
    return st;
}

enum yore_status graph_run_open(struct client *client, const struct graph_run_request *request,
                                struct graph_run *run_out, struct query_error *error_out)
{
    struct graph_run *self = run_out;
    struct graph_prefix prefix = {.rest = request->text};
    *self = (struct graph_run){.client = client};
    *error_out = (struct query_error){.type = NULL};
    struct query_options options = options_of(client, request);
    arena_init(&self->arena, 0);
    enum yore_status st = YORE_OK;
    if (request->has_prefix) {
        st = graph_prefix_take(request->text, &self->arena, &prefix, error_out);
    }
    if (st == YORE_OK) {
        st = prepare(self, prefix.rest, request, error_out);
    }
    if (st == YORE_OK) {
        st = find_graph(self, request, error_out);
    }
    if (st == YORE_OK && prefix.count > 0) {
        st = eval_prefix(self, &options, &prefix, error_out);
        options.parameters = prefix.parameters;
        options.parameter_count = prefix.count;
    }
    if (st == YORE_OK) {
        st = run(self, &options, error_out);
    }
    buffer_release(&prefix.returns);
    return st;
}

void graph_run_close(struct graph_run *self)
{
    query_result_close(self->result);
    query_result_close(self->prefix_result);
    query_free(self->query);
    query_free(self->prefix);
    if (self->client != NULL) {
        graph_pool_put(self->client->server->graphs, self->graph);
    }
    arena_release(&self->arena);
    buffer_release(&self->text);
    *self = (struct graph_run){.client = NULL};
}
