/* http_batch.c -- several operations as one transaction, with conditions or without.
 *
 *     POST /v1/batch {"operations":[{"op":"put","key":"k","value":"v"},{"op":"delete","key":"j"}]}
 *     POST /v1/transaction
 * {"if":[{"key":"k","value":"v"},{"key":"j","absent":true}],"operations":[...]}
 *
 * Both are WATCH, GET, MULTI, ..., EXEC of the command layer.  A condition that does not hold, or a
 * key of one that changes meanwhile, is the problem "conflict": nothing was written.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "server/http_internal.h"
#include "server/http_items.h"

static bool name_is(const struct buffer *name, const char *text)
{
    return bytes_equal(buffer_bytes(name), bytes_of(text, strlen(text)));
}

static struct yore_bytes key_of(const struct http_items *list, size_t index)
{
    return http_items_bytes(list, list->items[index].key);
}

static struct yore_bytes value_of(const struct http_items *list, size_t index)
{
    return http_items_bytes(list, list->items[index].value);
}

static bool read_list(struct json_reader *r, struct http_items *list, enum http_item_form form)
{
    bool has_item = true;
    if (!json_array_begin(r)) {
        return false;
    }
    while (json_array_item(r, &has_item) && has_item) {
        if (!http_items_read(r, list, form)) {
            return false;
        }
    }
    return r->problem == NULL;
}

static bool read_body(struct json_reader *r, struct http_items *conditions,
                      struct http_items *operations)
{
    bool has_member = true;
    if (!json_object_begin(r)) {
        return false;
    }
    for (;;) {
        struct buffer name = {0};
        if (!json_object_member(r, &name, &has_member) || !has_member) {
            buffer_release(&name);
            return r->problem == NULL && json_end(r);
        }
        bool is_operations = name_is(&name, "operations");
        bool is_if = conditions != NULL && name_is(&name, "if");
        struct http_items *list = is_operations ? operations : conditions;
        buffer_release(&name);
        if (!is_operations && !is_if) {
            return json_fail(r, conditions != NULL ? "expected if or operations"
                                                   : "expected operations");
        }
        if (list->items != NULL) {
            return json_fail(r, "expected each member once");
        }
        if (!read_list(r, list, is_if ? HTTP_CONDITION : HTTP_OPERATION)) {
            return false;
        }
    }
}

/* ---- running ------------------------------------------------------------------------------------
 */

/* Watch the keys of the conditions and look at them; false: one does not hold, or it was answered.
 */
static bool conditions_hold(struct http_call *call, const struct http_items *conditions,
                            bool *more_out)
{
    for (size_t i = 0; i < conditions->count; i++) {
        struct yore_bytes watch[] = {bytes_of("WATCH", 5), key_of(conditions, i)};
        struct yore_bytes get[] = {bytes_of("GET", 3), key_of(conditions, i)};
        http_run(call, watch, 2);
        if (http_failed(call, more_out)) {
            return false;
        }
        http_run(call, get, 2);
        if (http_failed(call, more_out)) {
            return false;
        }
        const struct yore_client_value *value = &call->values[0];
        bool is_absent = value->kind == YORE_CLIENT_NULL;
        bool holds = conditions->items[i].is_absent
                         ? is_absent
                         : !is_absent && bytes_equal(value->bytes, value_of(conditions, i));
        if (!holds) {
            *more_out = http_problem(call, 409, "conflict", "a condition does not hold");
            return false;
        }
    }
    return true;
}

static void queue(struct http_call *call, const struct http_items *operations, size_t index)
{
    struct yore_bytes words[] = {bytes_of("SET", 3), key_of(operations, index),
                                 value_of(operations, index)};
    if (operations->items[index].is_delete) {
        words[0] = bytes_of("DEL", 3);
    }
    http_run(call, words, operations->items[index].is_delete ? 2 : 3);
}

static bool commit(struct http_call *call, const struct http_items *operations)
{
    bool more = true;
    http_run_text(call, (const char *const[]){"MULTI"}, 1);
    if (http_failed(call, &more)) {
        return more;
    }
    for (size_t i = 0; i < operations->count; i++) {
        queue(call, operations, i);
        if (http_failed(call, &more)) {
            http_run_text(call, (const char *const[]){"DISCARD"}, 1);
            return more;
        }
    }
    http_run_text(call, (const char *const[]){"EXEC"}, 1);
    if (http_failed(call, &more)) {
        return more;
    }
    if (call->values[0].kind == YORE_CLIENT_NULL) {
        return http_problem(call, 409, "conflict", "a key of a condition has changed meanwhile");
    }
    struct http_answer answer = {204, NULL, NULL};
    return http_answer(call, &answer, bytes_of("", 0));
}

static bool run_body(struct http_call *call, bool has_conditions)
{
    struct http_items conditions = {0};
    struct http_items operations = {0};
    struct json_reader reader;
    bool more = true;
    if (!http_is_json(call)) {
        return http_problem(call, 415, "not-json", "Content-Type is application/json here");
    }
    json_reader_init(&reader, buffer_bytes(&call->session->body));
    if (!read_body(&reader, has_conditions ? &conditions : NULL, &operations)) {
        char detail[120];
        snprintf(detail, sizeof(detail), "column %zu: %.80s", json_column(&reader), reader.problem);
        more = http_problem(call, 400, "bad-body", detail);
    } else if (operations.count == 0) {
        more = http_problem(call, 400, "bad-body", "there are no operations");
    } else if (conditions_hold(call, &conditions, &more)) {
        more = commit(call, &operations);
    } else {
        http_run_text(call, (const char *const[]){"UNWATCH"}, 1);
    }
    http_items_release(&conditions);
    http_items_release(&operations);
    return more;
}

bool http_batch(struct http_call *call)
{
    return run_body(call, false);
}

bool http_transaction(struct http_call *call)
{
    return run_body(call, true);
}
