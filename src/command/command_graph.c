/* command_graph.c -- GRAPH.*: the query language over RESP, in the shapes that client libraries of
 * graph modules know.
 *
 * A reply counts its rows before it tells them.  A large one is walked twice, the second time into
 * parts that leave (rows.h): what a statement reads, and its clock, stay as they were, and rows of
 * one that writes are held in any case.  Where a function gives another value at every call, rand()
 * for one, or nothing can leave in parts, all rows wait in memory, up to GRAPH_REPLY_BYTES_MAX;
 * HTTP and Bolt stream. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/graph_reply.h"
#include "command/graph_run.h"
#include "command/moments.h"
#include "command/rows.h"
#include "topology/graph.h"

/* ---- errors --------------------------------------------------------------------------------- */

/* One line; where in the text it is stands behind it. */
static void fail(struct call *call, enum yore_status status, const struct query_error *error)
{
    const char *text = error->error.text;
    int size = (int)strcspn(text, "\n"); /* behind it the line is drawn */
    if (error->type == NULL) {
        bool is_late =
            status == YORE_TOO_BIG && error->detail != NULL && strcmp(error->detail, "time") == 0;
        if (is_late) {
            reply_error(call->reply, "ERR Query timed out: %s", text);
        } else {
            call_fail(call, status, &error->error);
        }
        return;
    }
    if (strcmp(error->type, "SecurityError") == 0) {
        reply_error(call->reply, "NOPERM %.*s", size, text);
        return;
    }
    reply_error(call->reply, "ERR %s %s: %.*s (line %" PRIu32 ", column %" PRIu32 ")", error->type,
                error->detail != NULL ? error->detail : "", size, text, error->line, error->column);
}

/* ---- arguments ------------------------------------------------------------------------------ */

/* GRAPH.QUERY name text [--compact] [--cells] [TIMEOUT ms] [LIMIT rows] [AT moment] [KNOWN moment]
 * [version n] */
static bool take_options(struct call *call, struct graph_run_request *request)
{
    for (size_t i = 3; i < call->count; i++) {
        int64_t number = 0;
        bool has_next = i + 1 < call->count;
        if (call_is(call, i, "--compact")) {
            request->is_compact = true;
        } else if (call_is(call, i, "--cells")) {
            request->has_cells = true;
        } else if (has_next && call_is(call, i, "limit")) {
            if (!call_int_between(call, ++i, 1, INT64_MAX, &number)) {
                return false;
            }
            request->rows_max = (uint64_t)number;
        } else if (has_next && (call_is(call, i, "at") || call_is(call, i, "known"))) {
            bool is_at = call_is(call, i, "at");
            if (!moments_take_looked(call, ++i, !is_at, &request->at)) {
                return false;
            }
        } else if (has_next && call_is(call, i, "timeout")) {
            if (!call_int_between(call, ++i, 0, GRAPH_QUERY_TIME_MS_MAX, &number)) {
                return false;
            }
            request->time_ns = (uint64_t)number * 1000000;
        } else if (has_next && call_is(call, i, "version")) {
            i++; /* of the names a client knows: here they only grow */
        } else {
            call_syntax(call);
            return false;
        }
    }
    return true;
}

static struct graph_run_request request_of(const struct call *call)
{
    struct graph_run_request request = {.graph = call->args[1],
                                        .text = call->args[2],
                                        .at = {YORE_NOW, YORE_NOW},
                                        .has_prefix = true};
    if (call->access->at != NULL) {
        request.at = *call->access->at;
    }
    return request;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void tell_header(struct call *call, const struct query_result *result, bool is_compact)
{
    size_t columns = query_column_count(result);
    reply_array(call->reply, columns);
    for (size_t i = 0; i < columns; i++) {
        if (is_compact) {
            reply_array(call->reply, 2);
            reply_int(call->reply, 1); /* a scalar: the only kind of column there is */
        }
        reply_bulk(call->reply, query_column_name(result, i));
    }
}

static void tell_row(struct call *call, const struct graph_run *run,
                     const struct yore_graph_value *row, const struct graph_run_request *request)
{
    size_t columns = query_column_count(run->result);
    reply_array(call->reply, columns);
    for (size_t i = 0; i < columns; i++) {
        if (request->is_compact) {
            graph_reply_compact(call->reply, run->graph, &row[i]);
        } else if (request->has_cells) {
            graph_reply_cell(call->reply, &row[i]);
        } else {
            graph_reply_value(call->reply, &row[i]);
        }
    }
}

/* A row of the reply, as it is wanted. */
static enum yore_status tell_if_wanted(struct call *call, const struct graph_run *run,
                                       struct rows *rows, const struct yore_graph_value *row,
                                       const struct graph_run_request *request,
                                       struct query_error *error)
{
    if (!rows_want(rows)) {
        return YORE_OK;
    }
    tell_row(call, run, row, request);
    int64_t begun_ns = rows->is_second ? server_monotonic_ns(call->server) : 0;
    enum yore_status st = rows_told(rows, &error->error);
    if (rows->is_second) { /* waiting for the client is no time of the statement's */
        query_result_excuse(run->result, (uint64_t)(server_monotonic_ns(call->server) - begun_ns));
    } else if (st == YORE_TOO_BIG) {
        error_set(&error->error, st,
                  "the reply takes more than %u bytes: ask for less with LIMIT, or over HTTP or "
                  "Bolt, which stream",
                  GRAPH_REPLY_BYTES_MAX);
    }
    return st;
}

static enum yore_status walk_rows(struct call *call, const struct graph_run *run, struct rows *rows,
                                  const struct graph_run_request *request,
                                  struct query_error *error)
{
    const struct yore_graph_value *row;
    enum yore_status st;
    while ((st = query_next(run->result, &row, error)) == YORE_OK) {
        st = tell_if_wanted(call, run, rows, row, request, error);
        if (st != YORE_OK) {
            return st;
        }
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Errors: nothing has left yet. */
static enum yore_status tell_rows(struct call *call, const struct graph_run *run,
                                  const struct graph_run_request *request,
                                  struct query_error *error)
{
    struct rows rows;
    rows_begin(&rows, call);
    rows.is_single = !query_result_can_rewind(run->result);
    rows.bytes_max = rows.begun + GRAPH_REPLY_BYTES_MAX;
    enum yore_status st = walk_rows(call, run, &rows, request, error);
    if (st == YORE_OK && rows_again(&rows, st, &error->error)) {
        query_result_rewind(run->result);
        st = walk_rows(call, run, &rows, request, error);
        (void)rows_again(&rows, st, &error->error); /* what fails now ends the connection */
        st = YORE_OK;
    }
    return st;
}

/* [header, rows, statistics]; what returns nothing has statistics only. */
static void tell_result(struct call *call, const struct graph_run *run,
                        const struct graph_run_request *request, int64_t begun_ns)
{
    struct query_error error = {.type = NULL};
    size_t start = call->reply->out.size;
    bool has_columns = query_column_count(run->result) > 0;
    enum yore_status st = YORE_OK;
    reply_array(call->reply, has_columns ? 3 : 1);
    if (has_columns) {
        tell_header(call, run->result, request->is_compact);
        st = tell_rows(call, run, request, &error);
    } else {
        const struct yore_graph_value *row;
        st = query_next(run->result, &row, &error);
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (st != YORE_OK) {
        call->reply->out.size = start;
        fail(call, st, &error);
        return;
    }
    struct query_summary summary = query_result_summary(run->result);
    graph_reply_statistics(call->reply, &summary, server_monotonic_ns(call->server) - begun_ns);
}

static void ask(struct call *call, struct graph_run_request *request)
{
    struct graph_run run;
    struct query_error error;
    int64_t begun_ns = server_monotonic_ns(call->server);
    if (!take_options(call, request)) {
        return;
    }
    enum yore_status st = graph_run_open(call->client, request, &run, &error);
    call->access->writes += run.writes ? 1 : 0;
    if (st != YORE_OK) {
        fail(call, st, &error);
    } else {
        tell_result(call, &run, request, begun_ns);
    }
    graph_run_close(&run);
}

void cmd_graph_query(struct call *call)
{
    struct graph_run_request request = request_of(call);
    request.may_be_missing = true;
    ask(call, &request);
}

void cmd_graph_ro_query(struct call *call)
{
    struct graph_run_request request = request_of(call);
    request.is_read_only = true;
    ask(call, &request);
}

/* ---- plans ---------------------------------------------------------------------------------- */

/* A line of a plan: four blanks a level.  A step's input is one level below it, as is what it runs
 * for each row; our rows tell those steps by a "| " a level. */
struct plan_lines {
    struct buffer line;
    size_t levels[GRAPH_PLAN_DEPTH_MAX]; /* of the last step at each depth */
    size_t depth;
    bool has_one;
};

static size_t take_depth(struct yore_bytes *step)
{
    size_t depth = 0;
    while (step->size >= 2 && memcmp(step->data, "| ", 2) == 0) {
        *step = bytes_behind(*step, 2);
        depth++;
    }
    return depth < GRAPH_PLAN_DEPTH_MAX ? depth : GRAPH_PLAN_DEPTH_MAX - 1;
}

static size_t level_of(struct plan_lines *lines, size_t depth)
{
    size_t level = !lines->has_one        ? 0
                   : depth > lines->depth ? lines->levels[lines->depth] + 1
                                          : lines->levels[depth] + 1;
    for (size_t i = lines->depth + 1; i < depth; i++) {
        lines->levels[i] = level;
    }
    lines->levels[depth] = level;
    lines->depth = depth;
    lines->has_one = true;
    return level;
}

static void tell_step(struct call *call, struct plan_lines *lines,
                      const struct yore_graph_value *row, bool is_profile)
{
    struct yore_bytes step = row[0].as.string;
    size_t level = level_of(lines, take_depth(&step));
    buffer_clear(&lines->line);
    for (size_t i = 0; i < level; i++) {
        buffer_append(&lines->line, "    ", 4);
    }
    buffer_append_bytes(&lines->line, step);
    if (row[1].as.string.size > 0) {
        buffer_append(&lines->line, " | ", 3);
        buffer_append_bytes(&lines->line, row[1].as.string);
    }
    if (is_profile) {
        char text[120];
        int size =
            snprintf(text, sizeof text, " | Records produced: %" PRId64 ", Execution time: %.6f ms",
                     row[3].as.integer, row[5].as.real);
        buffer_append(&lines->line, text, (size_t)size);
    }
    call->reply->out.is_nomem = call->reply->out.is_nomem || lines->line.is_nomem;
    reply_bulk(call->reply, buffer_bytes(&lines->line));
}

static void tell_plan(struct call *call, const char *order)
{
    struct graph_run_request request = request_of(call);
    struct graph_run run;
    struct query_error error;
    struct plan_lines lines = {.has_one = false};
    const struct yore_graph_value *row;
    bool is_profile = order[0] == 'P';
    request.order = order;
    request.is_read_only = !is_profile;
    enum yore_status st = graph_run_open(call->client, &request, &run, &error);
    call->access->writes += run.writes ? 1 : 0;
    size_t start = call->reply->out.size;
    size_t begun = reply_array_begin(call->reply);
    size_t count = 0;
    while (st == YORE_OK && (st = query_next(run.result, &row, &error)) == YORE_OK) {
        tell_step(call, &lines, row, is_profile);
        count++;
    }
    if (st == YORE_NOT_FOUND && run.result != NULL) {
        reply_array_end(call->reply, begun, count);
    } else {
        call->reply->out.size = start;
        fail(call, st, &error);
    }
    buffer_release(&lines.line);
    graph_run_close(&run);
}

void cmd_graph_explain(struct call *call)
{
    tell_plan(call, "EXPLAIN ");
}

void cmd_graph_profile(struct call *call)
{
    tell_plan(call, "PROFILE ");
}

/* ---- graphs --------------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    size_t count;
};

static int tell_graph(void *arg, const char *name)
{
    struct listing *listing = arg;
    struct yore_bytes bytes = args_text(name);
    if (acl_rules_allow_key(listing->call->client->rules, listing->call->command, bytes, KEY_ANY)) {
        reply_bulk(listing->call->reply, bytes);
        listing->count++;
    }
    return 0;
}

void cmd_graph_list(struct call *call)
{
    struct listing listing = {call, 0};
    struct yore_error error = {.text = ""};
    struct yore_time at;
    if (!moments_take_at(call, 1, &at)) {
        return;
    }
    size_t start = call->reply->out.size;
    size_t begun = reply_array_begin(call->reply);
    enum yore_status st = graph_each(call->server->db, &at, tell_graph, &listing, &error);
    if (st != YORE_OK) {
        call->reply->out.size = start;
        call_fail(call, st, &error);
        return;
    }
    reply_array_end(call->reply, begun, listing.count);
}

void cmd_graph_delete(struct call *call)
{
    struct yore_error error = {.text = ""};
    char text[96];
    int64_t begun_ns = server_monotonic_ns(call->server);
    enum yore_status st = graph_remove(call->server->db, call->args[1], &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return;
    }
    call->access->writes++;
    int64_t took_ns = server_monotonic_ns(call->server) - begun_ns;
    snprintf(text, sizeof text,
             "Graph removed, internal execution time: %" PRId64 ".%06" PRId64 " milliseconds",
             took_ns / 1000000, took_ns % 1000000);
    reply_text(call->reply, text);
}
