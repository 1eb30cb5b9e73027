/* command_graph_move.c -- GRAPH.EXPORT and GRAPH.IMPORT: a graph as lines of text. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/moments.h"
#include "command/rows.h"
#include "query/graph_export.h"
#include "topology/event_import.h"
#include "topology/graph_pool.h"

/* ---- export --------------------------------------------------------------------------------- */

struct export
{
    struct call *call;
    struct rows rows;
    enum graph_export_format format;
    bool is_every;
    struct yore_time at; /* fixed, so that both walks see the same */
    bool is_now;
};

static enum yore_status tell_line(void *arg, struct yore_bytes line, struct yore_error *error_out)
{
    struct export *export = arg;
    if (!rows_want(&export->rows)) {
        return YORE_OK;
    }
    reply_bulk(export->call->reply, line);
    return rows_told(&export->rows, error_out);
}

static enum yore_status look_up(void *arg, uint64_t count, struct yore_error *error_out)
{
    const struct export *export = arg;
    return count % 1024 == 0 && call_is_left(export->call) ? error_plain(error_out, YORE_CANCELLED)
                                                           : YORE_OK;
}

static bool take_format(struct call *call, size_t index, enum graph_export_format *format_out)
{
    for (int i = 0; graph_export_formats[i] != NULL; i++) {
        if (call_is(call, index, graph_export_formats[i])) {
            *format_out = (enum graph_export_format)i;
            return true;
        }
    }
    reply_error(call->reply, "ERR FORMAT is ndjson, nodes-csv, relationships-csv, graphml, dot or "
                             "events");
    return false;
}

static bool take_options(struct call *call, struct export *export)
{
    for (size_t i = 2; i < call->count; i++) {
        bool has_next = i + 1 < call->count;
        bool is_fine = true;
        if (call_is(call, i, "every")) {
            export->is_every = true;
        } else if (has_next && call_is(call, i, "format")) {
            is_fine = take_format(call, ++i, &export->format);
        } else if (has_next && call_is(call, i, "at")) {
            is_fine = moments_take_read(call, ++i, &export->at.valid);
        } else if (has_next && call_is(call, i, "known")) {
            is_fine = moments_take_known(call, ++i, &export->at.known);
        } else {
            call_syntax(call);
            return false;
        }
        if (!is_fine) {
            return false;
        }
    }
    if (export->is_every && graph_export_is_of_one_moment(export->format)) {
        reply_error(call->reply,
                    "ERR %s has each element once, and so one moment; EVERY tells "
                    "ndjson, events, nodes-csv and relationships-csv",
                    graph_export_formats[export->format]);
        return false;
    }
    bool is_allowed = !export->is_every ||
                      acl_allows_moment(call->client, YORE_TIME_MIN, access_now(call->access));
    if (!is_allowed) {
        struct acl_denial denial = {ACL_PAST, bytes_of("EVERY", 5)};
        acl_note_denial(call->client, &denial, "toplevel", bytes_of("", 0));
        reply_error(call->reply, "NOPERM this user has no permissions to look at all of the past");
    }
    return is_allowed;
}

static void fix_moments(struct export *export)
{
    int64_t now = yore_now(export->call->server->db);
    export->is_now = export->at.valid == YORE_NOW && export->at.known == YORE_NOW;
    export->at.valid = export->at.valid == YORE_NOW ? now : export->at.valid;
    export->at.known = export->at.known == YORE_NOW ? now : export->at.known;
}

void cmd_graph_export(struct call *call)
{
    struct export export = {.call = call, .at = {YORE_NOW, YORE_NOW}};
    struct graph_pool *pool = call->server->graphs;
    struct graph_view *view = NULL;
    struct graph *graph = NULL;
    struct yore_error error = {.text = ""};
    if (call->access->at != NULL) {
        export.at = *call->access->at;
    }
    if (!take_options(call, &export)) {
        return;
    }
    fix_moments(&export);
    enum yore_status st = graph_pool_get(pool, call->args[1], false, NULL, &graph, &error);
    if (st == YORE_NOT_FOUND && !export.is_now) { /* dropped since, perhaps */
        st = graph_pool_get(pool, call->args[1], false, &export.at, &graph, &error);
    }
    if (st == YORE_OK) {
        st = graph_view_open(graph, NULL, &export.at, &view, &error);
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    } else {
        const struct graph_sink sink = {tell_line, look_up, &export};
        rows_begin(&export.rows, call);
        do {
            st = graph_export(view, export.format, export.is_every, &sink, &error);
        } while (rows_again(&export.rows, st, &error));
    }
    graph_view_close(view);
    if (graph != NULL) {
        graph_pool_put(pool, graph);
    }
}

/* ---- import --------------------------------------------------------------------------------- */

static enum yore_status take_events(struct graph_import *import, struct yore_bytes text,
                                    struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - (const char *)text.data) : text.size;
        if (size > 0) {
            st = graph_import_line(import, bytes_of(text.data, size), error_out);
        }
        text = bytes_behind(text, end != NULL ? size + 1 : size);
    }
    return st;
}

static bool take_import(struct call *call, struct graph_import_options *options)
{
    int64_t before = 0;
    for (size_t i = 3; i < call->count; i++) {
        if (call_is(call, i, "resume")) {
            options->resumes = true;
        } else if (i + 1 < call->count && call_is(call, i, "behind")) {
            if (!call_int_between(call, ++i, 0, INT64_MAX, &before)) {
                return false;
            }
        } else {
            call_syntax(call);
            return false;
        }
    }
    options->lines_before = (uint64_t)before;
    return true;
}

/* The lines are whole transactions: what the call ends with is committed. */
void cmd_graph_import(struct call *call)
{
    struct graph_import_options options = {.durability = YORE_DURABILITY_NONE};
    struct graph_import_tally tally = {0};
    struct graph_import *import = NULL;
    struct graph *graph = NULL;
    struct yore_error error = {.text = ""};
    if (!take_import(call, &options)) {
        return;
    }
    enum yore_status st =
        graph_pool_get(call->server->graphs, call->args[1], true, NULL, &graph, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    call->access->writes++; /* also of what fails the transactions before it stay */
    st = graph_import_open(graph, &options, &import, &error);
    if (st == YORE_OK) {
        st = take_events(import, call->args[2], &error);
        if (st == YORE_OK) {
            st = graph_import_finish(import, &tally, &error);
        } else {
            graph_import_abort(import);
        }
    }
    if (st == YORE_OK) {
        reply_map(call->reply, 3);
        reply_text(call->reply, "events");
        reply_int(call->reply, (int64_t)tally.lines);
        reply_text(call->reply, "transactions");
        reply_int(call->reply, (int64_t)tally.transactions);
        reply_text(call->reply, "passed_over");
        reply_int(call->reply, (int64_t)tally.passed_over);
    } else {
        call_fail_told(call, st, &error);
    }
    graph_pool_put(call->server->graphs, graph);
}
