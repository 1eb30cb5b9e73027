/* http_answer.c -- responses, and errors as problems (RFC 9457) with codes that do not change. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "command/command.h"
#include "server/http_internal.h"

/* What every response carries: nothing here is for a page to embed or to keep. */
#define COMMON_HEADERS                                                                             \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                               \
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"

static void append_text(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

static void append_head(struct http_call *call, const struct http_answer *answer)
{
    char line[100];
    snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\n", answer->status, http_reason(answer->status));
    append_text(call->out, line);
    append_text(call->out, COMMON_HEADERS);
    if (answer->type != NULL) {
        append_text(call->out, "Content-Type: ");
        append_text(call->out, answer->type);
        append_text(call->out, "\r\n");
    }
    if (answer->headers != NULL) {
        append_text(call->out, answer->headers);
    }
    if (!call->session->head.keeps_alive) {
        append_text(call->out, "Connection: close\r\n");
    } else if (call->session->head.is_http10) {
        append_text(call->out, "Connection: keep-alive\r\n");
    }
}

static bool is_head(const struct http_call *call)
{
    return bytes_equal(call->session->head.method, bytes_of("HEAD", 4));
}

bool http_answer(struct http_call *call, const struct http_answer *answer, struct yore_bytes body)
{
    append_head(call, answer);
    if (answer->status == 204 || answer->status == 304) {
        append_text(call->out, "\r\n");
        return call->session->head.keeps_alive;
    }
    char line[60];
    snprintf(line, sizeof(line), "Content-Length: %zu\r\n\r\n", body.size);
    append_text(call->out, line);
    if (!is_head(call)) {
        buffer_append_bytes(call->out, body);
    }
    return call->session->head.keeps_alive;
}

bool http_problem(struct http_call *call, unsigned status, const char *code, const char *detail)
{
    const struct http_problem problem = {
        .status = status, .code = code, .detail = detail, .more = ""};
    return http_problem_with(call, &problem);
}

bool http_problem_with(struct http_call *call, const struct http_problem *problem)
{
    unsigned status = problem->status;
    struct buffer body = {0};
    char line[160];
    snprintf(line, sizeof(line), "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,",
             http_reason(status), status);
    append_text(&body, line);
    append_text(&body, "\"code\":\"");
    append_text(&body, problem->code);
    append_text(&body, "\",\"detail\":");
    json_append_string(&body, bytes_of(problem->detail, strlen(problem->detail)));
    append_text(&body, problem->more);
    append_text(&body, "}\n");
    struct http_answer answer = {
        .status = status, .type = "application/problem+json", .headers = problem->headers};
    if (status == 401) {
        answer.headers = "WWW-Authenticate: Basic realm=\"yore\", charset=\"UTF-8\"\r\n";
    }
    call->out->is_nomem = call->out->is_nomem || body.is_nomem;
    bool more = http_answer(call, &answer, buffer_bytes(&body));
    buffer_release(&body);
    return more;
}

const char *http_error_kind(const char *error, unsigned *status_out, const char **code_out)
{
    /* The first word of an error is its kind. */
    static const struct {
        const char *word;
        unsigned status;
        const char *code;
    } kinds[] = {{"NOAUTH", 401, "login-required"},  {"WRONGPASS", 401, "wrong-login"},
                 {"NOPERM", 403, "not-permitted"},   {"WRONGTYPE", 409, "wrong-type"},
                 {"EXECABORT", 422, "refused"},      {"NOTFOUND", 422, "refused"},
                 {"CONFLICT", 409, "conflict"},      {"EXISTS", 409, "exists"},
                 {"TOOBIG", 413, "too-big"},         {"READONLY", 403, "read-only"},
                 {"HORIZON", 410, "before-horizon"}, {"BEFOREHORIZON", 410, "before-horizon"},
                 {"ERASED", 410, "erased"},          {"FUTURE", 422, "in-future"},
                 {"INFUTURE", 422, "in-future"},     {"NOSPACE", 507, "no-space"},
                 {"OOM", 503, "out-of-memory"},      {"BUSY", 503, "busy"},
                 {"LOADING", 503, "loading"},        {"MISCONF", 503, "writes-stopped"},
                 {"IOERR", 503, "writes-stopped"},   {"CORRUPT", 500, "damaged"}};
    const char *rest = strchr(error, ' ');
    size_t word_size = rest != NULL ? (size_t)(rest - error) : strlen(error);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strlen(kinds[i].word) == word_size && memcmp(kinds[i].word, error, word_size) == 0) {
            *status_out = kinds[i].status;
            *code_out = kinds[i].code;
            return rest != NULL ? rest + 1 : error;
        }
    }
    bool is_plain = word_size == 3 && memcmp(error, "ERR", 3) == 0 && rest != NULL;
    *status_out = 400;
    *code_out = "bad-request";
    return is_plain ? rest + 1 : error;
}

bool http_problem_of_error(struct http_call *call, struct yore_bytes error)
{
    char text[600];
    unsigned status;
    const char *code;
    size_t size = error.size < sizeof(text) - 1 ? error.size : sizeof(text) - 1;
    memcpy(text, error.data, size);
    text[size] = '\0';
    const char *detail = http_error_kind(text, &status, &code);
    return http_problem(call, status, code, detail);
}

void http_events_begin(struct http_call *call, const struct http_answer *answer)
{
    append_head(call, answer);
    append_text(call->out, "\r\n");
}

bool http_is_json(const struct http_call *call)
{
    return http_list_has(http_header_find(&call->session->head, "content-type"),
                         "application/json");
}

/* ---- streams -----------------------------------------------------------------------------------
 */

void http_stream_begin(struct http_call *call, const char *type)
{
    struct http_answer answer = {.status = 200, .type = type};
    if (call->session->head.is_http10) {
        call->session->head.keeps_alive = false; /* its end is the connection's */
    } else {
        answer.headers = "Transfer-Encoding: chunked\r\n";
    }
    append_head(call, &answer);
    append_text(call->out, "\r\n");
}

void http_stream_part(struct http_call *call, struct yore_bytes part)
{
    if (part.size == 0) {
        return; /* an empty chunk would be the end */
    }
    if (call->session->head.is_http10) {
        buffer_append_bytes(call->out, part);
        return;
    }
    char line[32];
    snprintf(line, sizeof(line), "%zx\r\n", part.size);
    append_text(call->out, line);
    buffer_append_bytes(call->out, part);
    append_text(call->out, "\r\n");
}

bool http_stream_end(struct http_call *call)
{
    if (!call->session->head.is_http10) {
        append_text(call->out, "0\r\n\r\n");
    }
    return call->session->head.keeps_alive;
}
