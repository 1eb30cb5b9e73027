#include "server/http_lines.h"

#include <string.h>

#include "server/limits.h"

static bool take_one(struct http_call *call, struct http_lines *lines, struct yore_bytes line)
{
    lines->count++;
    return lines->take(call, line);
}

static bool refuse(struct http_call *call, struct http_lines *lines, unsigned status,
                   const char *code, const char *problem)
{
    lines->count++;
    lines->refuse(call, status, code, problem);
    return false;
}

static bool take_part(struct http_call *call, struct http_lines *lines, struct yore_bytes part)
{
    while (part.size > 0) {
        const char *end = memchr(part.data, '\n', part.size);
        size_t size = end != NULL ? (size_t)(end - (const char *)part.data) : part.size;
        if (lines->rest.size + size > HTTP_IMPORT_LINE_MAX) {
            return refuse(call, lines, 413, "line-too-long", "it is longer than 64 MiB");
        }
        struct yore_bytes line = bytes_of(part.data, size);
        bool is_whole = lines->rest.size == 0;
        if (end == NULL || !is_whole) {
            buffer_append_bytes(&lines->rest, line);
            line = buffer_bytes(&lines->rest);
        }
        if (lines->rest.is_nomem) {
            return refuse(call, lines, 503, "out-of-memory", "out of memory");
        }
        if (end == NULL) {
            return true;
        }
        bool goes_on = take_one(call, lines, line);
        buffer_clear(&lines->rest);
        if (!goes_on) {
            return false;
        }
        part = bytes_behind(part, size + 1);
    }
    return true;
}

enum http_lines_state http_lines_take(struct http_call *call, struct http_lines *lines)
{
    struct http_session *session = call->session;
    struct net_turn *turn = call->turn;
    while (session->framing.state != HTTP_BODY_DONE) {
        struct yore_bytes payload;
        size_t taken = 0;
        enum http_result result = http_body_take(
            &session->framing, bytes_behind(turn->input, turn->consumed), &payload, &taken);
        turn->consumed += taken;
        if (result == HTTP_BAD) {
            refuse(call, lines, 400, "bad-request", "the chunks of the body are wrong");
            return HTTP_LINES_REFUSED;
        }
        if (!take_part(call, lines, payload)) {
            return HTTP_LINES_REFUSED;
        }
        if (result == HTTP_MORE && taken == 0) {
            http_continue(call);
            call->wants_input = true;
            return HTTP_LINES_MORE;
        }
    }
    if (lines->rest.size == 0) {
        return HTTP_LINES_DONE;
    }
    bool is_good = take_one(call, lines, buffer_bytes(&lines->rest));
    buffer_clear(&lines->rest);
    return is_good ? HTTP_LINES_DONE : HTTP_LINES_REFUSED;
}

void http_lines_release(struct http_lines *lines)
{
    buffer_release(&lines->rest);
}
