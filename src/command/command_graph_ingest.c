/* command_graph_ingest.c -- GRAPH.INGEST: what sources say of a graph, in lines of JSON
 * (query/word_json.h), one call one transaction. */
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "command/call.h"
#include "command/commands.h"
#include "query/word_json.h"
#include "topology/graph_pool.h"
#include "topology/ingest.h"

struct lines {
    struct yore_graph_word *words;
    size_t count;
    struct arena arena;
};

static enum yore_status add_word(struct lines *lines, struct yore_bytes line, size_t number,
                                 int64_t now, struct yore_error *error_out)
{
    struct yore_error cause;
    bool is_full = (lines->count & (lines->count - 1)) == 0;
    if (lines->count == YORE_GRAPH_WORDS_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "more than %u lines in one call",
                         YORE_GRAPH_WORDS_MAX);
    }
    if (is_full) { /* room doubles at powers of two */
        size_t room = lines->count == 0 ? 1 : lines->count * 2;
        struct yore_graph_word *words = mem_realloc(lines->words, room * sizeof(*words));
        if (words == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        lines->words = words;
    }
    enum yore_status st =
        word_json_read(line, now, &lines->arena, &lines->words[lines->count], &cause);
    lines->count += st == YORE_OK;
    return st == YORE_OK ? st : error_set(error_out, st, "line %zu, %s", number, cause.text);
}

static enum yore_status read_lines(struct lines *lines, struct yore_bytes text, int64_t now,
                                   struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    size_t number = 0;
    while (st == YORE_OK && text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - (const char *)text.data) : text.size;
        struct yore_bytes line = bytes_of(text.data, size);
        number++;
        if (size > 0) {
            st = add_word(lines, line, number, now, error_out);
        }
        text = bytes_behind(text, end != NULL ? size + 1 : size);
    }
    return st;
}

static void tell_tally(struct call *call, const struct yore_graph_ingest_tally *tally)
{
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {{"words", tally->words},
                {"unchanged", tally->unchanged},
                {"nodes_created", tally->nodes_created},
                {"nodes_deleted", tally->nodes_deleted},
                {"relationships_created", tally->relationships_created},
                {"relationships_deleted", tally->relationships_deleted},
                {"pending_added", tally->pending_added},
                {"pending_resolved", tally->pending_resolved}};
    reply_map(call->reply, sizeof(rows) / sizeof(rows[0]));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_text(call->reply, rows[i].name);
        reply_int(call->reply, (int64_t)rows[i].count);
    }
}

/* GRAPH.INGEST graph source APPLY lines | SEND snapshot lines */
static void take_lines(struct call *call, struct graph *graph, uint64_t snapshot,
                       struct yore_bytes text)
{
    struct lines lines = {0};
    struct yore_graph_ingest_tally tally = {0};
    struct yore_error error = {.text = ""};
    enum yore_status st = read_lines(&lines, text, yore_now(call->server->db), &error);
    struct graph_speech speech = {call->args[2], lines.words, lines.count, YORE_DURABILITY_NONE};
    if (st == YORE_OK) {
        st = snapshot != 0 ? graph_sync_send(graph, &speech, snapshot, &error)
                           : graph_ingest(graph, &speech, &tally, &error);
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    } else if (snapshot != 0) {
        reply_status(call->reply, "OK");
    } else {
        tell_tally(call, &tally);
    }
    mem_free(lines.words);
    arena_release(&lines.arena);
}

static void start(struct call *call, struct graph *graph)
{
    struct yore_error error = {.text = ""};
    int64_t at = YORE_NOW;
    uint64_t snapshot = 0;
    enum yore_status st = YORE_OK;
    if (call->count == 5) {
        st = moment_parse(call->args[4], yore_now(call->server->db), &at, &error);
    }
    if (st == YORE_OK) {
        st = graph_sync_start(graph, call->args[2], at, &snapshot, &error);
    }
    if (st == YORE_OK) {
        reply_int(call->reply, (int64_t)snapshot);
    } else {
        call_fail_told(call, st, &error);
    }
}

static void stop(struct call *call, struct graph *graph, uint64_t snapshot)
{
    struct yore_graph_ingest_tally tally = {0};
    struct yore_error error = {.text = ""};
    enum yore_status st =
        graph_sync_stop(graph, call->args[2], snapshot, YORE_DURABILITY_NONE, &tally, &error);
    if (st == YORE_OK) {
        tell_tally(call, &tally);
    } else {
        call_fail_told(call, st, &error);
    }
}

static void end_snapshot(struct call *call, struct graph *graph, uint64_t snapshot)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = graph_sync_abort(graph, call->args[2], snapshot, &error);
    if (st == YORE_OK) {
        reply_status(call->reply, "OK");
    } else {
        call_fail_told(call, st, &error);
    }
}

/* GRAPH.INGEST graph source SET rank ttl */
static void set_source(struct call *call, struct graph *graph)
{
    struct yore_error error = {.text = ""};
    struct yore_graph_source source = {.name = call->args[2]};
    enum yore_status st = YORE_OK;
    if (!call_int(call, 4, &source.rank)) {
        return;
    }
    if (!bytes_equal(call->args[5], bytes_of("0", 1))) {
        st = duration_parse(call->args[5], &source.ttl_ns, &error);
    }
    if (st == YORE_OK) {
        st = graph_source_set(graph, &source, &error);
    }
    if (st == YORE_OK) {
        reply_status(call->reply, "OK");
    } else {
        call_fail_told(call, st, &error);
    }
}

static void run(struct call *call, struct graph *graph)
{
    int64_t snapshot = 0;
    if (call->count == 6 && call_is(call, 3, "set")) {
        set_source(call, graph);
        return;
    }
    bool has_number = call->count >= 5 && !call_is(call, 3, "start");
    if (has_number && !call_int_between(call, 4, 1, INT64_MAX, &snapshot)) {
        return;
    }
    if (call->count == 5 && call_is(call, 3, "stop")) {
        stop(call, graph, (uint64_t)snapshot);
    } else if (call->count == 5 && call_is(call, 3, "abort")) {
        end_snapshot(call, graph, (uint64_t)snapshot);
    } else if (call->count == 6 && call_is(call, 3, "send")) {
        take_lines(call, graph, (uint64_t)snapshot, call->args[5]);
    } else if (call->count <= 5 && call_is(call, 3, "start")) {
        start(call, graph);
    } else {
        call_syntax(call);
    }
}

/* What time has ended, and a snapshot that was refused, once more. */
void cmd_graph_settle(struct call *call)
{
    struct graph *graph = NULL;
    struct yore_graph_ingest_tally tally = {0};
    struct yore_error error = {.text = ""};
    enum yore_status st =
        graph_pool_get(call->server->graphs, call->args[1], false, NULL, &graph, &error);
    if (st == YORE_OK) {
        call->access->writes++;
        st = graph_settle(graph, &tally, &error);
        graph_pool_put(call->server->graphs, graph);
    }
    if (st == YORE_OK) {
        tell_tally(call, &tally);
    } else {
        call_fail_told(call, st, &error);
    }
}

void cmd_graph_ingest(struct call *call)
{
    struct graph *graph = NULL;
    struct yore_error error = {.text = ""};
    enum yore_status st =
        graph_pool_get(call->server->graphs, call->args[1], true, NULL, &graph, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    call->access->writes++; /* also what fails may have left names behind */
    if (call->count == 5 && call_is(call, 3, "apply")) {
        take_lines(call, graph, 0, call->args[4]);
    } else {
        run(call, graph);
    }
    graph_pool_put(call->server->graphs, graph);
}
