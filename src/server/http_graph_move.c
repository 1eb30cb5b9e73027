/* http_graph_move.c -- a graph as lines of text: GRAPH.EXPORT and GRAPH.IMPORT over HTTP.
 *
 * The lines of an export leave while the command tells them, as fast as the client takes them.  An
 * import takes its body as it comes, and hands on some whole transactions at a time: nobody who
 * writes the graph waits for a slow sender.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/net.h"
#include "server/http_internal.h"
#include "server/http_lines.h"
#include "server/limits.h"

/* ---- export --------------------------------------------------------------------------------- */

/* A reply, an array of strings, on its way to a body. */
struct giver {
    struct http_call *call;
    const char *type;
    bool has_begun;
    bool is_strange;
};

static const char *type_of(struct yore_bytes format)
{
    static const struct {
        const char *format;
        const char *type;
    } types[] = {{"nodes-csv", "text/csv"},
                 {"relationships-csv", "text/csv"},
                 {"graphml", "application/xml"},
                 {"dot", "text/vnd.graphviz"},
                 {"events", "text/tab-separated-values"}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (bytes_equal(format, bytes_of(types[i].format, strlen(types[i].format)))) {
            return types[i].type;
        }
    }
    return "application/x-ndjson";
}

/* "*12\r\n", "$5\r\n": the octets it takes; 0: it is no such head. */
static size_t read_head(struct yore_bytes reply, char mark, size_t *number_out)
{
    const char *at = reply.data;
    size_t size = 1;
    *number_out = 0;
    if (reply.size < 4 || at[0] != mark) {
        return 0;
    }
    while (size < reply.size && at[size] >= '0' && at[size] <= '9' && size < 12) {
        *number_out = *number_out * 10 + (size_t)(at[size++] - '0');
    }
    return size > 1 && size + 2 <= reply.size && at[size] == '\r' ? size + 2 : 0;
}

/* Make a part of the body of whole strings of the reply. */
static void pass_on(struct giver *giver, struct buffer *reply)
{
    struct buffer part = {0};
    struct yore_bytes rest = buffer_bytes(reply);
    size_t number = 0;
    if (!giver->has_begun) {
        size_t head = read_head(rest, '*', &number);
        giver->is_strange = head == 0;
        rest = bytes_behind(rest, head);
        http_stream_begin(giver->call, giver->type);
        giver->has_begun = true;
    }
    while (rest.size > 0 && !giver->is_strange) {
        size_t head = read_head(rest, '$', &number);
        giver->is_strange = head == 0 || rest.size < head + number + 2;
        if (!giver->is_strange) {
            buffer_append(&part, (const char *)rest.data + head, number);
            rest = bytes_behind(rest, head + number + 2);
        }
    }
    http_stream_part(giver->call, buffer_bytes(&part));
    giver->call->out->is_nomem = giver->call->out->is_nomem || part.is_nomem;
    buffer_release(&part);
    buffer_clear(reply);
}

static bool drain(void *arg, struct reply *reply)
{
    struct giver *giver = arg;
    pass_on(giver, &reply->out);
    return !giver->is_strange && net_conn_drain(giver->call->session->peer.conn, giver->call->out);
}

/* A reader must not take for whole what was cut off. */
static bool cut_off(struct http_call *call)
{
    call->out->is_nomem = true;
    return false;
}

struct export_words {
    struct buffer graph;
    struct buffer format;
    struct buffer every;
    struct buffer at;
    struct buffer known;
    struct yore_bytes words[9];
    size_t count;
};

static void add_word(struct export_words *export, const char *word)
{
    export->words[export->count++] = bytes_of(word, strlen(word));
}

/* GRAPH.EXPORT graph [FORMAT format] [EVERY] [AT moment] [KNOWN moment].  NULL: as it should be. */
static const char *read_export(struct http_call *call, struct export_words *export)
{
    if (!http_decode(call->session->param, false, &export->graph)) {
        return "the graph's name is badly percent-encoded";
    }
    add_word(export, "GRAPH.EXPORT");
    export->words[export->count++] = buffer_bytes(&export->graph);
    if (http_param(call, "format", &export->format)) {
        add_word(export, "FORMAT");
        export->words[export->count++] = buffer_bytes(&export->format);
    }
    if (http_param(call, "every", &export->every)) {
        if (!http_is_word(buffer_bytes(&export->every), "true")) {
            return "every=true tells all that is kept; leave it out for one moment";
        }
        add_word(export, "EVERY");
    }
    if (http_param(call, "at", &export->at)) {
        add_word(export, "AT");
        export->words[export->count++] = buffer_bytes(&export->at);
    }
    if (http_param(call, "known", &export->known)) {
        add_word(export, "KNOWN");
        export->words[export->count++] = buffer_bytes(&export->known);
    }
    return NULL;
}

static bool is_not_found(const struct http_call *call)
{
    struct yore_bytes error = call->values[0].bytes;
    return call->values[0].kind == YORE_CLIENT_ERROR &&
           bytes_starts_with(error, bytes_of("NOTFOUND ", 9));
}

static bool run_export(struct http_call *call, const struct export_words *export)
{
    struct giver giver = {.call = call, .type = type_of(buffer_bytes(&export->format))};
    bool more = true;
    if (!http_run_parts(call, export->words, export->count, drain, &giver)) {
        return cut_off(call);
    }
    if (call->values != NULL && is_not_found(call)) {
        return http_problem(call, 404, "no-such-graph", "there is no graph of that name");
    }
    if (call->values != NULL && http_failed(call, &more)) {
        return more;
    }
    pass_on(&giver, &call->reply.out);
    return giver.is_strange ? cut_off(call) : http_stream_end(call);
}

bool http_graph_export(struct http_call *call)
{
    struct export_words export = {.count = 0};
    const char *problem = read_export(call, &export);
    bool is_nomem = export.graph.is_nomem || export.format.is_nomem || export.every.is_nomem ||
                    export.at.is_nomem || export.known.is_nomem;
    bool more = is_nomem          ? http_problem(call, 503, "out-of-memory", "out of memory")
                : problem != NULL ? http_problem(call, 400, "bad-request", problem)
                                  : run_export(call, &export);
    buffer_release(&export.graph);
    buffer_release(&export.format);
    buffer_release(&export.every);
    buffer_release(&export.at);
    buffer_release(&export.known);
    return more;
}

/* ---- import --------------------------------------------------------------------------------- */

/* What an import keeps between parts of its body. */
struct taker {
    struct http_lines lines;
    struct buffer graph;
    struct buffer text;        /* whole transactions, and the begin of the last */
    struct buffer transaction; /* that of the last line */
    bool has_sent;
    uint64_t events; /* of what was taken in */
    uint64_t transactions;
    uint64_t passed_over;
};

static void taker_free(void *state)
{
    struct taker *taker = state;
    http_lines_release(&taker->lines);
    buffer_release(&taker->graph);
    buffer_release(&taker->text);
    buffer_release(&taker->transaction);
    mem_free(taker);
}

/* The rest of the body is not read: no request can follow. */
static void give_up(struct http_call *call, unsigned status, const char *code, const char *problem)
{
    const struct taker *taker = call->session->taker;
    char detail[300];
    snprintf(detail, sizeof(detail),
             "line %" PRIu64 ": %.180s; %" PRIu64 " transactions were committed",
             taker->lines.count, problem, taker->transactions);
    call->session->head.keeps_alive = false;
    http_problem(call, status, code, detail);
}

static bool take_count(const struct http_call *call, const char *name, uint64_t *count)
{
    const struct yore_client_value *values = call->values;
    for (size_t i = 1; values[0].kind == YORE_CLIENT_MAP && i + 1 < values[0].next; i += 2) {
        if (bytes_equal(values[i].bytes, bytes_of(name, strlen(name)))) {
            *count += (uint64_t)values[i + 1].integer;
            return true;
        }
    }
    return false;
}

/* Hand on what has gathered.  False: it was refused, and answered. */
static bool send(struct http_call *call)
{
    struct taker *taker = call->session->taker;
    char before[24];
    bool more = false;
    snprintf(before, sizeof(before), "%" PRIu64, taker->events);
    const struct yore_bytes words[] = {
        bytes_of("GRAPH.IMPORT", 12), buffer_bytes(&taker->graph),      buffer_bytes(&taker->text),
        bytes_of("BEHIND", 6),        bytes_of(before, strlen(before)), bytes_of("RESUME", 6)};
    if (taker->text.is_nomem || taker->transaction.is_nomem) {
        give_up(call, 503, "out-of-memory", "out of memory");
        return false;
    }
    taker->has_sent = true;
    /* So far all was there already: that is passed over, as in an import that was cut off. */
    http_run(call, words, taker->transactions == 0 ? 6 : 5);
    if (call->values == NULL) {
        return false;
    }
    if (call->values[0].kind == YORE_CLIENT_ERROR) {
        call->session->head.keeps_alive = false;
        http_failed(call, &more);
        return false;
    }
    buffer_clear(&taker->text);
    return take_count(call, "events", &taker->events) &&
           take_count(call, "transactions", &taker->transactions) &&
           take_count(call, "passed_over", &taker->passed_over);
}

/* The second column; a line without one is refused by who reads it. */
static struct yore_bytes transaction_of(struct yore_bytes line)
{
    const char *begin = line.size > 0 ? memchr(line.data, '\t', line.size) : NULL;
    if (begin == NULL) {
        return bytes_of("", 0);
    }
    begin++;
    size_t left = line.size - (size_t)(begin - (const char *)line.data);
    const char *end = left > 0 ? memchr(begin, '\t', left) : NULL;
    return bytes_of(begin, end != NULL ? (size_t)(end - begin) : left);
}

static bool take_line(struct http_call *call, struct yore_bytes line)
{
    struct taker *taker = call->session->taker;
    struct yore_bytes transaction = transaction_of(line);
    bool is_same = bytes_equal(transaction, buffer_bytes(&taker->transaction));
    if (!is_same && taker->text.size >= HTTP_IMPORT_EVENTS_BYTES && !send(call)) {
        return false;
    }
    if (taker->text.size + line.size > HTTP_IMPORT_LINE_MAX) {
        give_up(call, 413, "transaction-too-large", "a transaction takes more than 64 MiB");
        return false;
    }
    if (!is_same) {
        buffer_clear(&taker->transaction);
        buffer_append_bytes(&taker->transaction, transaction);
    }
    buffer_append_bytes(&taker->text, line);
    buffer_append(&taker->text, "\n", 1);
    return true;
}

static bool answer_import(struct http_call *call)
{
    const struct taker *taker = call->session->taker;
    char text[160];
    const struct http_answer answer = {200, "application/json", NULL};
    int size = snprintf(text, sizeof(text),
                        "{\"events\":%" PRIu64 ",\"transactions\":%" PRIu64
                        ",\"passed_over\":%" PRIu64 "}\n",
                        taker->events, taker->transactions, taker->passed_over);
    return http_answer(call, &answer, bytes_of(text, (size_t)size));
}

static struct taker *new_taker(struct http_session *session)
{
    struct taker *taker = mem_zalloc(sizeof(*taker));
    if (taker != NULL) {
        taker->lines.take = take_line;
        taker->lines.refuse = give_up;
        session->taker = taker;
        session->taker_free = taker_free;
    }
    return taker;
}

bool http_graph_import(struct http_call *call)
{
    struct http_session *session = call->session;
    struct taker *taker = session->taker;
    if (taker == NULL) {
        taker = new_taker(session);
        if (taker == NULL) {
            return false;
        }
        if (!http_decode(session->param, false, &taker->graph)) {
            session->head.keeps_alive = false;
            return http_problem(call, 400, "bad-request",
                                "the graph's name is badly percent-encoded");
        }
    }
    switch (http_lines_take(call, &taker->lines)) {
    case HTTP_LINES_MORE:
        return true;
    case HTTP_LINES_REFUSED:
        return false;
    default:
        break;
    }
    /* Of no lines at all too: that makes the graph. */
    bool has_left = taker->text.size > 0 || !taker->has_sent;
    return (!has_left || send(call)) && answer_import(call);
}
