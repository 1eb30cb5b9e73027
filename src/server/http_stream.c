/* http_stream.c -- the whole database as lines, out and in.
 *
 * An export is a walk of pages (YORE.SCAN), each turned into lines and sent before the next is
 * asked for: a slow reader costs a page of memory, and no thread.  An import takes its body as it
 * comes; lines are written a thousand at a time, each thousand one transaction.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/series.h"
#include "net/limits.h"
#include "server/http_internal.h"
#include "server/http_items.h"
#include "server/http_lines.h"
#include "server/limits.h"

/* ---- out ----------------------------------------------------------------------------------------
 */

/* The lines of a page, [next, [key, value, ...]], without series, which are no values that an
 * import could write; where the next begins is kept.  False: it is no page. */
static bool append_page(struct http_call *call, struct buffer *start, struct buffer *lines)
{
    const struct yore_client_value *values = call->values;
    if (values[0].kind != YORE_CLIENT_ARRAY || values[0].count != 2 ||
        values[2].kind != YORE_CLIENT_ARRAY) {
        return false;
    }
    buffer_clear(start);
    buffer_append_bytes(start, values[1].bytes);
    for (size_t i = 3; i + 1 < values[2].next; i += 2) {
        if (values[i + 1].kind == YORE_CLIENT_NULL || series_is(values[i + 1].bytes)) {
            continue;
        }
        buffer_append_u8(lines, '{');
        http_json_bytes(lines, "key", values[i].bytes);
        buffer_append_u8(lines, ',');
        http_json_bytes(lines, "value", values[i + 1].bytes);
        buffer_append(lines, "}\n", 2);
    }
    return !lines->is_nomem && !start->is_nomem;
}

/* What an export keeps between turns. */
struct giver {
    struct client *client; /* holds the moment that all pages are of */
    struct buffer start;   /* of the next page */
    struct buffer lines;
};

static void giver_free(void *state)
{
    struct giver *giver = state;
    command_client_let_go(giver->client);
    buffer_release(&giver->start);
    buffer_release(&giver->lines);
    mem_free(giver);
}

/* Run the next page and send its lines.  False: it is over; `*more_out` is what to return. */
static bool send_page(struct http_call *call, struct giver *giver, bool is_first, bool *more_out)
{
    struct buffer prefix = {0};
    http_param(call, "prefix", &prefix);
    struct yore_bytes words[] = {
        bytes_of("YORE.SCAN", 9), buffer_bytes(&giver->start),
        bytes_of("COUNT", 5),     bytes_of(HTTP_ROWS_DEFAULT, sizeof(HTTP_ROWS_DEFAULT) - 1),
        bytes_of("PREFIX", 6),    buffer_bytes(&prefix)};
    http_run(call, words, prefix.size > 0 ? 6 : 4);
    buffer_release(&prefix);
    if (is_first && http_failed(call, more_out)) {
        return false;
    }
    buffer_clear(&giver->lines);
    if (call->values == NULL || call->values[0].kind == YORE_CLIENT_ERROR ||
        !append_page(call, &giver->start, &giver->lines)) {
        call->out->is_nomem = true; /* cut off: a reader must not take it for whole */
        *more_out = false;
        return false;
    }
    if (is_first) {
        http_stream_begin(call, "application/x-ndjson");
    }
    http_stream_part(call, buffer_bytes(&giver->lines));
    return true;
}

/* False: it was refused, and answered; `*more_out` is what to return. */
static bool begin_export(struct http_call *call, bool *more_out)
{
    struct http_session *session = call->session;
    struct giver *giver = mem_zalloc(sizeof(*giver));
    *more_out = false;
    if (giver == NULL) {
        return false;
    }
    giver->client = session->client;
    session->taker = giver;
    session->taker_free = giver_free;
    if (!http_look_at(call, more_out)) {
        return false;
    }
    struct yore_error error = {0};
    if (command_client_hold(session->client, &error) != YORE_OK) {
        *more_out = http_problem(call, 503, "out-of-memory", "out of memory");
        return false;
    }
    return true;
}

/* A page a turn, or a few: the next turn comes when they are sent, and no thread waits for it.  All
 * are of one moment, which the client holds until the giver is freed. */
bool http_export(struct http_call *call)
{
    struct http_session *session = call->session;
    bool is_first = session->taker == NULL;
    bool more = false;
    if (is_first && !begin_export(call, &more)) {
        return more;
    }
    struct giver *giver = session->taker;
    bool goes_on = true;
    bool is_over = false;
    while (goes_on && !is_over && call->out->size <= NET_OUTPUT_SOFT_BYTES) {
        goes_on = send_page(call, giver, is_first, &more);
        is_first = false;
        is_over = giver->start.size == 0;
    }
    if (goes_on && is_over) {
        return http_stream_end(call);
    }
    call->wants_room = goes_on;
    return more;
}

/* ---- in -----------------------------------------------------------------------------------------
 */

/* What an import keeps between parts of its body. */
struct taker {
    struct http_lines lines;
    struct http_items items;
    uint64_t written;
};

static void taker_free(void *state)
{
    struct taker *taker = state;
    http_lines_release(&taker->lines);
    http_items_release(&taker->items);
    mem_free(taker);
}

void http_taker_free(struct http_session *session)
{
    if (session->taker != NULL) {
        session->taker_free(session->taker);
        session->taker = NULL;
    }
}

/* Give up for what `where`, a line or several, says: the rest of the body is not read. */
static void give_up_at(struct http_call *call, const char *where,
                       const struct http_problem *problem)
{
    struct taker *taker = call->session->taker;
    char stays[80] = "nothing was written";
    char detail[300];
    if (taker->written > 0) {
        snprintf(stays, sizeof(stays), "what %" PRIu64 " line%s before it wrote stays",
                 taker->written, taker->written > 1 ? "s" : "");
    }
    snprintf(detail, sizeof(detail), "%s: %.180s; %s", where, problem->detail, stays);
    call->session->head.keeps_alive = false;
    http_problem(call, problem->status, problem->code, detail);
}

/* For the line that was read last. */
static void give_up(struct http_call *call, unsigned status, const char *code, const char *problem)
{
    struct taker *taker = call->session->taker;
    char where[40];
    snprintf(where, sizeof(where), "line %" PRIu64, taker->lines.count);
    give_up_at(call, where,
               &(struct http_problem){.status = status, .code = code, .detail = problem});
}

static void queue(struct http_call *call, const struct http_items *items, size_t index)
{
    const struct http_item *item = &items->items[index];
    struct yore_bytes words[7];
    size_t count = 0;
    bool is_dated = item->from.is_there || item->to.is_there;
    words[count++] = item->is_delete ? (is_dated ? bytes_of("YORE.DEL", 8) : bytes_of("DEL", 3))
                     : is_dated      ? bytes_of("YORE.PUT", 8)
                                     : bytes_of("SET", 3);
    words[count++] = http_items_bytes(items, item->key);
    if (item->is_put) {
        words[count++] = http_items_bytes(items, item->value);
    }
    if (item->from.is_there) {
        words[count++] = bytes_of("AT", 2);
        words[count++] = http_items_bytes(items, item->from);
    }
    if (item->to.is_there) {
        words[count++] = bytes_of("UNTIL", 5);
        words[count++] = http_items_bytes(items, item->to);
    }
    http_run(call, words, count);
}

static bool is_error(const struct http_call *call)
{
    return call->values == NULL || call->values[0].kind == YORE_CLIENT_ERROR;
}

/* The rows from `first` to `last` were refused, for what the last command has answered. */
static bool refuse_rows(struct http_call *call, size_t first, size_t last)
{
    struct taker *taker = call->session->taker;
    struct http_problem problem = {.status = 503, .code = "out-of-memory"};
    char text[200];
    char where[60];
    uint64_t lines[] = {taker->items.items[first].line, taker->items.items[last].line};
    snprintf(where, sizeof(where),
             first == last ? "line %" PRIu64 : "lines %" PRIu64 " to %" PRIu64, lines[0], lines[1]);
    problem.detail = "out of memory";
    if (call->values != NULL) {
        struct yore_bytes error = call->values[0].bytes;
        snprintf(text, sizeof(text), "%.*s", (int)(error.size < 199 ? error.size : 199),
                 (const char *)error.data);
        problem.detail = http_error_kind(text, &problem.status, &problem.code);
    }
    give_up_at(call, where, &problem);
    return false;
}

static bool has_dates(const struct http_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        if (items->items[i].from.is_there || items->items[i].to.is_there) {
            return true;
        }
    }
    return false;
}

/* Dated facts are written one by one: no MULTI takes them; the job makes them durable together. */
static bool write_dated(struct http_call *call)
{
    struct taker *taker = call->session->taker;
    for (size_t i = 0; i < taker->items.count; i++) {
        queue(call, &taker->items, i);
        if (is_error(call)) {
            return refuse_rows(call, i, i);
        }
        taker->written++;
    }
    http_items_clear(&taker->items);
    return true;
}

/* Write what was gathered, as one transaction where no line is dated; false: it was refused, and
 * answered. */
static bool write_rows(struct http_call *call)
{
    struct taker *taker = call->session->taker;
    if (taker->items.count == 0) {
        return true;
    }
    if (has_dates(&taker->items)) {
        return write_dated(call);
    }
    size_t queued = 0;
    http_run_text(call, (const char *const[]){"MULTI"}, 1);
    while (queued < taker->items.count && !is_error(call)) {
        queue(call, &taker->items, queued++);
    }
    if (is_error(call)) {
        size_t at = queued > 0 ? queued - 1 : 0;
        bool answered = refuse_rows(call, at, at);
        http_run_text(call, (const char *const[]){"DISCARD"}, 1);
        return answered;
    }
    http_run_text(call, (const char *const[]){"EXEC"}, 1);
    if (is_error(call)) {
        return refuse_rows(call, 0, taker->items.count - 1);
    }
    taker->written += taker->items.count;
    http_items_clear(&taker->items);
    return true;
}

static bool take_line(struct http_call *call, struct yore_bytes line)
{
    struct taker *taker = call->session->taker;
    struct json_reader reader;
    char problem[160];
    if (line.size > 0 && ((const char *)line.data)[line.size - 1] == '\r') {
        line.size--;
    }
    if (line.size == 0) {
        return true;
    }
    json_reader_init(&reader, line);
    if (!http_items_read(&reader, &taker->items, HTTP_LINE) || !json_end(&reader)) {
        snprintf(problem, sizeof(problem), "column %zu: %.100s", json_column(&reader),
                 reader.problem);
        give_up(call, 400, "bad-line", problem);
        return false;
    }
    taker->items.items[taker->items.count - 1].line = taker->lines.count;
    return taker->items.count < HTTP_IMPORT_ROWS || write_rows(call);
}

static bool answer_import(struct http_call *call)
{
    struct taker *taker = call->session->taker;
    char text[80];
    struct http_answer answer = {200, "application/json", NULL};
    int size = snprintf(text, sizeof(text), "{\"written\":%" PRIu64 "}\n", taker->written);
    return http_answer(call, &answer, bytes_of(text, (size_t)size));
}

bool http_import(struct http_call *call)
{
    struct http_session *session = call->session;
    if (session->taker == NULL) {
        session->taker = mem_zalloc(sizeof(struct taker));
        session->taker_free = taker_free;
        if (session->taker == NULL) {
            return false;
        }
    }
    struct taker *taker = session->taker;
    taker->lines.take = take_line;
    taker->lines.refuse = give_up;
    switch (http_lines_take(call, &taker->lines)) {
    case HTTP_LINES_MORE:
        return true;
    case HTTP_LINES_REFUSED:
        return false;
    default:
        return write_rows(call) && answer_import(call);
    }
}
