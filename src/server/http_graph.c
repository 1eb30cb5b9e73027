/* http_graph.c -- statements of the query language over HTTP.
 *
 * Rows leave as they are found, part by part: a turn goes on until there is enough to send, the
 * next comes when that is sent, and no thread waits for a slow reader.  Most errors come before the
 * first part has left, and are problems with a status; a later one ends the body
 * (command/graph_json.h). */
#include <stdio.h>
#include <string.h>

#include "base/hide.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/graph_json.h"
#include "net/limits.h"
#include "os/env.h"
#include "server/audit.h"
#include "server/http_internal.h"
#include "server/server_internal.h"

/* What an answer keeps between turns. */
struct graph_answer {
    struct command_server *commands;
    int64_t ran_ns; /* in turns of its own; 0: it has not begun */
    struct graph_json *json;
    struct buffer name; /* of the graph */
    struct buffer at;
    struct buffer known;
    struct buffer part;
    bool is_lines;
    bool has_asked; /* the statement was run, or refused */
    bool has_begun;
};

static void answer_free(void *state)
{
    struct graph_answer *answer = state;
    if (answer->ran_ns > 0) {
        command_note_statement(answer->commands, answer->ran_ns);
    }
    graph_json_close(answer->json);
    buffer_release(&answer->name);
    buffer_release(&answer->at);
    buffer_release(&answer->known);
    buffer_release(&answer->part);
    mem_free(answer);
}

static bool answer_problem(struct http_call *call, const struct graph_json_problem *problem)
{
    static const struct {
        const char *code;
        unsigned status;
    } statuses[] = {{"no-such-graph", 404}, {"conflict", 409},        {"exists", 409},
                    {"read-only", 403},     {"over-budget", 422},     {"before-horizon", 410},
                    {"in-future", 422},     {"erased", 410},          {"out-of-memory", 503},
                    {"no-space", 507},      {"writes-stopped", 503},  {"busy", 503},
                    {"cancelled", 503},     {"damaged", 500},         {"not-permitted", 403},
                    {"bad-statement", 400}, {"statement-failed", 422}};
    unsigned status = 400;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        status = strcmp(statuses[i].code, problem->code) == 0 ? statuses[i].status : status;
    }
    char detail[sizeof(problem->text)];
    snprintf(detail, sizeof(detail), "%s", problem->text);
    hide_dir(detail, call->session->scope->server->config->dir);
    const struct http_problem whole = {
        .status = status, .code = problem->code, .detail = detail, .more = problem->more};
    return http_problem_with(call, &whole);
}

static void send_part(struct http_call *call, struct graph_answer *answer)
{
    if (!answer->has_begun) {
        http_stream_begin(call, answer->is_lines ? "application/x-ndjson" : "application/json");
        answer->has_begun = true;
    }
    http_stream_part(call, buffer_bytes(&answer->part));
    call->out->is_nomem = call->out->is_nomem || answer->part.is_nomem;
    buffer_clear(&answer->part);
}

/* Parts until there is enough to send; the next turn goes on. */
static bool tell_rows(struct http_call *call, struct graph_answer *answer)
{
    struct graph_json_problem problem;
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && call->out->size <= NET_OUTPUT_SOFT_BYTES) {
        st = graph_json_next(answer->json, &answer->part, &problem);
        if (st != YORE_OK && st != YORE_NOT_FOUND && !answer->has_begun) {
            return answer_problem(call, &problem);
        }
        send_part(call, answer);
    }
    if (st == YORE_OK) {
        call->wants_room = true;
        return true;
    }
    return http_stream_end(call);
}

static void audit(struct http_call *call, const struct graph_answer *answer, const char *code)
{
    struct http_session *session = call->session;
    const char *reply = code == NULL                         ? "+OK"
                        : strcmp(code, "not-permitted") == 0 ? "-NOPERM "
                                                             : "-ERR ";
    const char *command = graph_json_writes(answer->json) ? "GRAPH.QUERY" : "GRAPH.RO_QUERY";
    struct yore_bytes words[] = {bytes_of(command, strlen(command)), buffer_bytes(&answer->name),
                                 buffer_bytes(&session->body)};
    audit_request(session->scope->audit, session->client, session->address, words, 3,
                  bytes_of(reply, strlen(reply)));
}

static bool begin_answer(struct http_call *call, struct graph_answer *answer)
{
    struct http_session *session = call->session;
    struct graph_json_problem problem;
    if (!http_is_json(call)) {
        return http_problem(call, 415, "not-json", "Content-Type is application/json here");
    }
    if (!http_decode(session->param, false, &answer->name)) {
        return http_problem(call, 400, "bad-graph", "the graph's name is badly percent-encoded");
    }
    http_param(call, "at", &answer->at);
    http_param(call, "known", &answer->known);
    answer->is_lines =
        http_list_has(http_header_find(&session->head, "accept"), "application/x-ndjson");
    if (answer->name.is_nomem || answer->at.is_nomem || answer->known.is_nomem) {
        return http_problem(call, 503, "out-of-memory", "out of memory");
    }
    struct graph_json_request request = {.graph = buffer_bytes(&answer->name),
                                         .body = buffer_bytes(&session->body),
                                         .at = buffer_bytes(&answer->at),
                                         .known = buffer_bytes(&answer->known),
                                         .is_lines = answer->is_lines};
    answer->has_asked = true;
    enum yore_status st = graph_json_open(session->client, &request, &answer->json, &problem);
    struct command_job *job = call->turn->job != NULL ? (void *)call->turn->job->state : NULL;
    if (job != NULL) {
        job->writes += graph_json_writes(answer->json) ? 1 : 0;
    }
    audit(call, answer, st == YORE_OK ? NULL : problem.code);
    return st == YORE_OK ? tell_rows(call, answer) : answer_problem(call, &problem);
}

bool http_graph_query(struct http_call *call)
{
    struct http_session *session = call->session;
    struct graph_answer *answer = session->taker;
    bool is_first = answer == NULL;
    int64_t begun_ns = os_monotonic_ns(os_env_posix());
    if (is_first) {
        answer = mem_zalloc(sizeof(*answer));
        if (answer == NULL) {
            return http_problem(call, 503, "out-of-memory", "out of memory");
        }
        answer->commands = session->scope->commands;
        session->taker = answer;
        session->taker_free = answer_free;
    }
    bool more = is_first ? begin_answer(call, answer) : tell_rows(call, answer);
    if (!is_first || answer->has_asked) {
        answer->ran_ns += os_monotonic_ns(os_env_posix()) - begun_ns;
    }
    return more;
}

bool http_graphs(struct http_call *call)
{
    struct http_answer answer = {200, "application/json", NULL};
    struct buffer body = {0};
    bool more = true;
    if (!http_look_at(call, &more)) {
        return more;
    }
    http_run_text(call, (const char *const[]){"GRAPH.LIST"}, 1);
    if (!http_failed(call, &more)) {
        buffer_append(&body, "{\"graphs\":", 10);
        http_json_value(&body, call->values, 0);
        buffer_append(&body, "}\n", 2);
        call->out->is_nomem = call->out->is_nomem || body.is_nomem;
        more = http_answer(call, &answer, buffer_bytes(&body));
    }
    http_look_away(call);
    buffer_release(&body);
    return more;
}

/* ---- what sources say ----------------------------------------------------------------------- */

struct ingest_words {
    struct buffer graph;
    struct buffer source;
    struct buffer action;
    struct buffer number; /* of the snapshot, or its moment; the rank of a source */
    struct buffer ttl;
    struct yore_bytes words[6];
    size_t count;
};

static bool is_action(const struct ingest_words *ingest, const char *name)
{
    return bytes_equal(buffer_bytes(&ingest->action), bytes_of(name, strlen(name)));
}

/* GRAPH.INGEST graph source action [snapshot | moment | rank] [lines | ttl].  NULL: as it should
 * be. */
static const char *read_ingest(struct http_call *call, struct ingest_words *ingest)
{
    if (!http_decode(call->session->param, false, &ingest->graph)) {
        return "the graph's name is badly percent-encoded";
    }
    if (!http_param(call, "source", &ingest->source)) {
        return "source=NAME says who says so";
    }
    if (!http_param(call, "action", &ingest->action)) {
        buffer_append(&ingest->action, "apply", 5);
    }
    bool has_lines = is_action(ingest, "apply") || is_action(ingest, "send");
    bool is_set = is_action(ingest, "set");
    bool has_number = !is_action(ingest, "apply") && !is_action(ingest, "start") && !is_set;
    if (!has_lines && !is_set && !is_action(ingest, "start") && !is_action(ingest, "stop") &&
        !is_action(ingest, "abort")) {
        return "action is apply, start, send, stop, abort or set";
    }
    if (is_set && !http_param(call, "rank", &ingest->number)) {
        buffer_append(&ingest->number, "0", 1);
    }
    if (is_set && !http_param(call, "ttl", &ingest->ttl)) {
        buffer_append(&ingest->ttl, "0", 1);
    }
    if (has_number && !http_param(call, "snapshot", &ingest->number)) {
        return "snapshot=N, as start told it, says which";
    }
    bool has_moment = is_action(ingest, "start") && http_param(call, "at", &ingest->number);
    ingest->words[0] = bytes_of("GRAPH.INGEST", 12);
    ingest->words[1] = buffer_bytes(&ingest->graph);
    ingest->words[2] = buffer_bytes(&ingest->source);
    ingest->words[3] = buffer_bytes(&ingest->action);
    ingest->count = 4;
    if (has_number || has_moment || is_set) {
        ingest->words[ingest->count++] = buffer_bytes(&ingest->number);
    }
    if (is_set) {
        ingest->words[ingest->count++] = buffer_bytes(&ingest->ttl);
    }
    if (has_lines) {
        ingest->words[ingest->count++] = buffer_bytes(&call->session->body);
    }
    return NULL;
}

static bool run_ingest(struct http_call *call, const struct ingest_words *ingest)
{
    struct http_answer answer = {200, "application/json", NULL};
    struct buffer body = {0};
    bool more = true;
    http_run(call, ingest->words, ingest->count);
    if (http_failed(call, &more)) {
        return more;
    }
    if (is_action(ingest, "start")) {
        buffer_append(&body, "{\"snapshot\":", 12);
        http_json_value(&body, call->values, 0);
        buffer_append(&body, "}", 1);
    } else if (is_action(ingest, "apply") || is_action(ingest, "stop")) {
        http_json_value(&body, call->values, 0);
    } else {
        buffer_append(&body, "{}", 2);
    }
    buffer_append(&body, "\n", 1);
    call->out->is_nomem = call->out->is_nomem || body.is_nomem;
    more = http_answer(call, &answer, buffer_bytes(&body));
    buffer_release(&body);
    return more;
}

bool http_graph_ingest(struct http_call *call)
{
    struct ingest_words ingest = {.count = 0};
    const char *problem = read_ingest(call, &ingest);
    bool is_nomem = ingest.graph.is_nomem || ingest.source.is_nomem || ingest.action.is_nomem ||
                    ingest.number.is_nomem || ingest.ttl.is_nomem;
    bool more = is_nomem          ? http_problem(call, 503, "out-of-memory", "out of memory")
                : problem != NULL ? http_problem(call, 400, "bad-request", problem)
                                  : run_ingest(call, &ingest);
    buffer_release(&ingest.graph);
    buffer_release(&ingest.source);
    buffer_release(&ingest.action);
    buffer_release(&ingest.number);
    buffer_release(&ingest.ttl);
    return more;
}
