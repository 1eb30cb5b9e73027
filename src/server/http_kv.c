/* http_kv.c -- single keys and lists of keys: now, as of a moment, through time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "server/http_internal.h"
#include "server/limits.h"

#define WORDS_MAX 24u

/* Words of a command, put together from a request; what they hold is owned. */
struct words {
    struct yore_bytes items[WORDS_MAX];
    struct buffer owned[WORDS_MAX];
    size_t count;
};

static void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        buffer_release(&words->owned[i]);
    }
}

static void add_text(struct words *words, const char *text)
{
    words->items[words->count++] = bytes_of(text, strlen(text));
}

static void add_owned(struct words *words, struct buffer *owned)
{
    words->owned[words->count] = *owned;
    *owned = (struct buffer){0};
    words->items[words->count] = buffer_bytes(&words->owned[words->count]);
    words->count++;
}

/* Add `name value` where the query has `param`. */
static bool add_param(struct words *words, struct http_call *call, const char *param,
                      const char *name)
{
    struct buffer value = {0};
    if (!http_param(call, param, &value)) {
        return false;
    }
    add_text(words, name);
    add_owned(words, &value);
    return true;
}

/* The key of the path; false: it is badly encoded, or empty, and that has been answered. */
static bool take_key(struct http_call *call, struct buffer *key, bool *more_out)
{
    if (!http_decode(call->session->param, false, key) || key->size == 0) {
        buffer_release(key);
        *more_out = http_problem(call, 400, "bad-key", "the key is badly percent-encoded");
        return false;
    }
    return true;
}

static bool add_key(struct words *words, struct http_call *call, bool *more_out)
{
    struct buffer key = {0};
    if (!take_key(call, &key, more_out)) {
        return false;
    }
    add_owned(words, &key);
    return true;
}

static bool has_param(struct http_call *call, const char *name)
{
    struct yore_bytes value;
    return http_query_find(call->session->head.query, name, &value);
}

static void run(struct http_call *call, const struct words *words)
{
    http_run(call, words->items, words->count);
}

/* ---- one key -----------------------------------------------------------------------------------
 */

/* The value's octets; of a past one, its times as headers. */
static bool answer_value(struct http_call *call)
{
    const struct yore_client_value *values = call->values;
    struct http_answer answer = {200, "application/octet-stream", NULL};
    if (values[0].kind == YORE_CLIENT_NULL) {
        return http_problem(call, 404, "key-not-found", "the key is absent at that moment");
    }
    if (values[0].kind != YORE_CLIENT_MAP) {
        return http_answer(call, &answer, values[0].bytes);
    }
    struct yore_bytes value = bytes_of("", 0);
    char headers[200] = "";
    size_t used = 0;
    for (size_t i = 1; i < values[0].next; i = values[i + 1].next) {
        const struct yore_client_value *item = &values[i + 1];
        const char *name = values[i].bytes.size > 0 ? values[i].bytes.data : "";
        if (*name == 'v') {
            value = item->bytes;
        } else if (item->kind == YORE_CLIENT_INTEGER) {
            used += (size_t)snprintf(headers + used, sizeof(headers) - used,
                                     "Yore-Commit: %lld\r\n", (long long)item->integer);
        } else if (item->kind == YORE_CLIENT_STRING && item->bytes.size < MOMENT_TEXT_BYTES) {
            used += (size_t)snprintf(headers + used, sizeof(headers) - used,
                                     "Yore-Valid-%s: %.*s\r\n", *name == 'f' ? "From" : "To",
                                     (int)item->bytes.size, (const char *)item->bytes.data);
        }
    }
    answer.headers = headers;
    return http_answer(call, &answer, value);
}

bool http_get_key(struct http_call *call)
{
    struct words words = {.count = 0};
    bool more = true;
    bool is_past = has_param(call, "at") || has_param(call, "known");
    add_text(&words, is_past ? "YORE.GET" : "GET");
    if (add_key(&words, call, &more)) {
        if (is_past) {
            add_param(&words, call, "at", "AT");
            add_param(&words, call, "known", "KNOWN");
            add_text(&words, "WITHTIMES");
        }
        run(call, &words);
        if (!http_failed(call, &more)) {
            more = answer_value(call);
        }
    }
    words_release(&words);
    return more;
}

/* From a moment on, or for a span only. */
static void add_dates(struct words *words, struct http_call *call)
{
    add_param(words, call, "at", "AT");
    add_param(words, call, "from", "FROM");
    add_param(words, call, "to", "TO");
}

static bool answer_written(struct http_call *call)
{
    struct http_answer answer = {204, NULL, NULL};
    return http_answer(call, &answer, bytes_of("", 0));
}

/* Write `value` to `key`, which is taken, as the query dates it. */
static bool put(struct http_call *call, struct buffer *key, struct yore_bytes value,
                bool (*answer)(struct http_call *call))
{
    struct words words = {.count = 0};
    bool more = true;
    bool is_dated = has_param(call, "at") || has_param(call, "from") || has_param(call, "to") ||
                    has_param(call, "until");
    if (is_dated && has_param(call, "ttl")) {
        buffer_release(key);
        return http_problem(call, 400, "bad-parameter",
                            "ttl counts from now: beside a date write until, a moment");
    }
    add_text(&words, is_dated ? "YORE.PUT" : "SET");
    add_owned(&words, key);
    words.items[words.count++] = value;
    if (is_dated) {
        add_dates(&words, call);
        add_param(&words, call, "until", "UNTIL");
    } else {
        add_param(&words, call, "ttl", "EX");
    }
    run(call, &words);
    if (!http_failed(call, &more)) {
        more = answer(call);
    }
    words_release(&words);
    return more;
}

bool http_put_key(struct http_call *call)
{
    struct buffer key = {0};
    bool more = true;
    return take_key(call, &key, &more)
               ? put(call, &key, buffer_bytes(&call->session->body), answer_written)
               : more;
}

bool http_delete_key(struct http_call *call)
{
    struct words words = {.count = 0};
    bool more = true;
    bool is_dated = has_param(call, "at") || has_param(call, "from") || has_param(call, "to");
    add_text(&words, is_dated ? "YORE.DEL" : "DEL");
    if (add_key(&words, call, &more)) {
        if (is_dated) {
            add_dates(&words, call);
        }
        run(call, &words);
        if (!http_failed(call, &more)) {
            bool was_absent =
                call->values[0].kind == YORE_CLIENT_INTEGER && call->values[0].integer == 0;
            more = was_absent ? http_problem(call, 404, "key-not-found", "the key is absent")
                              : answer_written(call);
        }
    }
    words_release(&words);
    return more;
}

/* ---- replies as they are ------------------------------------------------------------------------
 */

static bool answer_json(struct http_call *call)
{
    struct buffer body = {0};
    struct http_answer answer = {200, "application/json", NULL};
    http_json_value(&body, call->values, 0);
    buffer_append_u8(&body, '\n');
    call->out->is_nomem = call->out->is_nomem || body.is_nomem;
    bool more = http_answer(call, &answer, buffer_bytes(&body));
    buffer_release(&body);
    return more;
}

static bool run_and_answer(struct http_call *call, struct words *words)
{
    bool more = true;
    run(call, words);
    if (!http_failed(call, &more)) {
        more = answer_json(call);
    }
    words_release(words);
    return more;
}

bool http_timeline(struct http_call *call)
{
    struct words words = {.count = 0};
    bool more = true;
    add_text(&words, "YORE.TIMELINE");
    if (!add_key(&words, call, &more)) {
        words_release(&words);
        return more;
    }
    add_param(&words, call, "from", "FROM");
    add_param(&words, call, "to", "TO");
    add_param(&words, call, "known", "KNOWN");
    add_param(&words, call, "limit", "LIMIT");
    return run_and_answer(call, &words);
}

bool http_changes(struct http_call *call)
{
    struct words words = {.count = 0};
    struct buffer prefix = {0};
    add_text(&words, "YORE.CHANGES");
    http_param(call, "prefix", &prefix);
    add_owned(&words, &prefix);
    add_param(&words, call, "from", "FROM");
    if (!add_param(&words, call, "to", "TO")) {
        add_text(&words, "TO");
        add_text(&words, "now");
    }
    add_param(&words, call, "known", "KNOWN");
    add_param(&words, call, "limit", "LIMIT");
    return run_and_answer(call, &words);
}

/* [next, [key, value, ...]] as {"items":[...],"next":...}. */
static void append_page(struct buffer *body, const struct yore_client_value *values)
{
    static const char begin[] = "{\"items\":[";
    buffer_append(body, begin, sizeof(begin) - 1);
    for (size_t i = 3; i + 1 < values[2].next; i += 2) {
        buffer_append(body, ",{", i == 3 ? 0 : 1);
        buffer_append_u8(body, '{');
        http_json_bytes(body, "key", values[i].bytes);
        buffer_append_u8(body, ',');
        http_json_member(body, "value", &values[i + 1]);
        buffer_append_u8(body, '}');
    }
    buffer_append(body, "]", 1);
    if (values[1].bytes.size > 0) {
        buffer_append_u8(body, ',');
        http_json_bytes(body, "next", values[1].bytes);
    }
    buffer_append(body, "}\n", 2);
}

bool http_list_keys(struct http_call *call)
{
    struct words words = {.count = 0};
    struct buffer start = {0};
    bool more = true;
    http_param(call, "start", &start);
    add_text(&words, "YORE.SCAN");
    add_owned(&words, &start);
    add_param(&words, call, "prefix", "PREFIX");
    add_param(&words, call, "end", "END");
    if (!add_param(&words, call, "limit", "COUNT")) {
        add_text(&words, "COUNT");
        add_text(&words, HTTP_ROWS_DEFAULT);
    }
    if (http_look_at(call, &more)) {
        run(call, &words);
        if (!http_failed(call, &more)) {
            struct buffer body = {0};
            struct http_answer answer = {200, "application/json", NULL};
            append_page(&body, call->values);
            call->out->is_nomem = call->out->is_nomem || body.is_nomem;
            more = http_answer(call, &answer, buffer_bytes(&body));
            buffer_release(&body);
        }
        http_look_away(call);
    }
    words_release(&words);
    return more;
}

/* ---- the forms of small servers
 * ------------------------------------------------------------------ */

static bool answer_ok(struct http_call *call)
{
    struct http_answer answer = {200, "text/plain", NULL};
    return http_answer(call, &answer, bytes_of("OK\n", 3));
}

/* Take K=V off the begin of the query. */
static bool take_pair(struct http_call *call, struct buffer *key, struct buffer *value)
{
    struct yore_bytes query = call->session->head.query;
    const char *mark = query.size > 0 ? memchr(query.data, '&', query.size) : NULL;
    size_t size = mark != NULL ? (size_t)(mark - (const char *)query.data) : query.size;
    const char *equals = size > 0 ? memchr(query.data, '=', size) : NULL;
    size_t name_size = equals != NULL ? (size_t)(equals - (const char *)query.data) : 0;
    call->session->head.query = bytes_behind(query, size + (mark != NULL ? 1 : 0));
    return name_size > 0 && http_decode(bytes_of(query.data, name_size), true, key) &&
           http_decode(bytes_of(equals + 1, size - name_size - 1), true, value);
}

/* /put?key=K&val=V, or /put?K=V; behind either the parameters of PUT /v1/kv/K. */
bool http_compat_put(struct http_call *call)
{
    static const struct http_route named = {.params = "key val at from to until ttl db"};
    static const struct http_route rest = {.params = "at from to until ttl db"};
    struct buffer key = {0};
    struct buffer value = {0};
    char problem[HTTP_PARAM_PROBLEM_BYTES];
    const char *code = "bad-parameter";
    const char *detail = NULL;
    bool is_named = http_param(call, "key", &key) && http_param(call, "val", &value);
    if (!is_named) {
        buffer_clear(&key);
        if (!take_pair(call, &key, &value)) {
            code = "bad-request";
            detail = "write /put?key=K&val=V, or /put?K=V";
        }
    }
    if (detail == NULL) {
        detail = http_params_problem(is_named ? &named : &rest, call->session->head.query, problem);
    }
    bool more;
    if (detail != NULL) {
        buffer_release(&key);
        more = http_problem(call, 400, code, detail);
    } else {
        more = put(call, &key, buffer_bytes(&value), answer_ok);
    }
    buffer_release(&value);
    return more;
}

bool http_compat_get(struct http_call *call)
{
    return http_get_key(call);
}

bool http_compat_delete(struct http_call *call)
{
    return http_delete_key(call);
}
