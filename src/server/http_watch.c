/* http_watch.c -- commits as server-sent events.
 *
 *     GET /v1/watch?prefix=host/&after=1763719200000000000      (or the header Last-Event-ID)
 *
 *     id: 1763719201000000000
 *     event: commit
 *     data: {"commit":1763719201000000000,"has_more":false,"writes":[{"kind":"put",...}]}
 *
 * An event's id is its commit: a page that connects again goes on behind it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/http.h"
#include "server/http_internal.h"

static void append_text(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

bool http_watch(struct http_call *call)
{
    struct http_session *session = call->session;
    struct yore_bytes words[5] = {bytes_of("YORE.WATCH", 10)};
    struct buffer prefix = {0};
    struct buffer after = {0};
    size_t count = 1;
    bool more = true;
    if (http_param(call, "prefix", &prefix)) {
        words[count++] = bytes_of("PREFIX", 6);
        words[count++] = buffer_bytes(&prefix);
    }
    struct yore_bytes last = http_header_find(&session->head, "last-event-id");
    if (last.size > 0) {
        buffer_append_bytes(&after, last);
    }
    if (last.size > 0 || http_param(call, "after", &after)) {
        words[count++] = bytes_of("AFTER", 5);
        words[count++] = buffer_bytes(&after);
    }
    http_run(call, words, count);
    if (!http_failed(call, &more)) {
        static const char comment[] = ": commits as they are made\n\n";
        session->head.keeps_alive = false;
        struct http_answer answer = {200, "text/event-stream", NULL};
        http_events_begin(call, &answer);
        buffer_append(call->out, comment, sizeof(comment) - 1);
        session->state = HTTP_AT_STREAM;
    }
    buffer_release(&prefix);
    buffer_release(&after);
    return more;
}

/* >4 yore.commit, commit, has_more, writes */
static void append_commit(struct buffer *out, const struct yore_client_value *values)
{
    char line[80];
    snprintf(line, sizeof(line), "id: %" PRId64 "\nevent: commit\ndata: ", values[2].integer);
    append_text(out, line);
    snprintf(line, sizeof(line),
             "{\"commit\":%" PRId64 ",\"has_more\":%s,\"writes\":", values[2].integer,
             values[3].integer != 0 ? "true" : "false");
    append_text(out, line);
    http_json_value(out, values, 4);
    append_text(out, "}\n\n");
}

/* >3 yore.end, position, cause */
static void append_end(struct buffer *out, const struct yore_client_value *values)
{
    char line[80];
    snprintf(line, sizeof(line), "id: %" PRId64 "\nevent: end\ndata: ", values[2].integer);
    append_text(out, line);
    http_json_value(out, values, 3);
    append_text(out, "\n\n");
}

void http_push(struct net_conn *conn, struct yore_bytes push)
{
    struct reply_reader reader = {0};
    struct buffer event = {0};
    size_t size = 0;
    bool is_whole = reply_read(&reader, push, &size) == REPLY_WHOLE &&
                    reader.values[0].kind == YORE_CLIENT_PUSH && reader.count >= 4;
    if (is_whole) {
        struct yore_bytes name = reader.values[1].bytes;
        if (bytes_equal(name, bytes_of("yore.commit", 11)) && reader.values[0].count == 4) {
            append_commit(&event, reader.values);
        } else if (bytes_equal(name, bytes_of("yore.end", 8)) && reader.values[0].count == 3) {
            append_end(&event, reader.values);
        }
    }
    if (!is_whole || event.is_nomem) {
        net_conn_close(conn, false);
    } else if (event.size > 0) {
        net_conn_push(conn, buffer_bytes(&event));
    }
    buffer_release(&event);
    reply_reader_release(&reader);
}
