#include "topology/event_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/json.h"
#include "topology/graph_internal.h"

#define NUMBER_BYTES_MAX 64

/* What is used for one value after the other. */
struct reading {
    struct graph *graph;
    struct json_reader json;
    struct arena *arena;
    struct buffer text;   /* of a name, a string, a number */
    struct buffer value;  /* encoded */
    struct buffer member; /* of a list: encoded behind its count */
};

static enum yore_status refuse_json(const struct reading *r, struct yore_error *error_out)
{
    return error_set(error_out, YORE_INVALID, "the properties, column %zu: %s",
                     json_column(&r->json), r->json.problem);
}

static void put_string(struct buffer *to, struct yore_bytes text)
{
    buffer_append_u8(to, YORE_GRAPH_STRING);
    buffer_append_varint(to, text.size);
    buffer_append_bytes(to, text);
}

/* A number that is an integer of 64 bits. */
static bool parse_integer(struct yore_bytes text, int64_t *integer_out)
{
    const char *at = text.data;
    bool is_negative = text.size > 0 && at[0] == '-';
    int64_t integer = 0;
    for (size_t i = is_negative ? 1 : 0; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
        /* Negative numbers reach one further. */
        if (!checked_mul_i64(integer, 10, &integer) ||
            !checked_sub_i64(integer, at[i] - '0', &integer)) {
            return false;
        }
    }
    if (is_negative) {
        *integer_out = integer;
        return true;
    }
    return checked_sub_i64(0, integer, integer_out);
}

static bool put_number(struct reading *r, struct buffer *to)
{
    int64_t integer;
    buffer_clear(&r->text);
    if (!json_copy(&r->json, &r->text)) {
        return false;
    }
    if (parse_integer(buffer_bytes(&r->text), &integer)) {
        buffer_append_u8(to, YORE_GRAPH_INT);
        buffer_append_zigzag(to, integer);
        return true;
    }
    if (r->text.size > NUMBER_BYTES_MAX) {
        return json_fail(&r->json, "a number has 64 characters at most");
    }
    buffer_append_u8(&r->text, 0);
    double real = r->text.is_nomem ? 0 : strtod((const char *)r->text.data, NULL);
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    buffer_append_u8(to, YORE_GRAPH_FLOAT);
    buffer_append_u64(to, bits);
    return true;
}

static bool put_word(struct reading *r, enum json_kind kind, struct buffer *to)
{
    unsigned mark = kind == JSON_TRUE ? 0x10u : 0;
    buffer_clear(&r->text);
    if (!json_copy(&r->json, &r->text)) {
        return false;
    }
    buffer_append_u8(to, (uint8_t)(kind == JSON_NULL ? YORE_GRAPH_NULL : YORE_GRAPH_BOOL | mark));
    return true;
}

static bool put_scalar(struct reading *r, enum json_kind kind, struct buffer *to)
{
    switch (kind) {
    case JSON_STRING:
        buffer_clear(&r->text);
        if (!json_string(&r->json, &r->text)) {
            return false;
        }
        put_string(to, buffer_bytes(&r->text));
        return true;
    case JSON_NUMBER:
        return put_number(r, to);
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        return put_word(r, kind, to);
    default:
        return json_fail(&r->json, "a property is a scalar or a list of scalars");
    }
}

static bool put_list(struct reading *r)
{
    enum json_kind kind;
    uint64_t count = 0;
    bool has_item = false;
    buffer_clear(&r->member);
    if (!json_array_begin(&r->json)) {
        return false;
    }
    while (json_array_item(&r->json, &has_item) && has_item) {
        if (!json_peek(&r->json, &kind) || !put_scalar(r, kind, &r->member)) {
            return false;
        }
        count++;
    }
    if (r->json.problem != NULL) {
        return false;
    }
    buffer_append_u8(&r->value, YORE_GRAPH_LIST);
    buffer_append_varint(&r->value, count);
    buffer_append_bytes(&r->value, buffer_bytes(&r->member));
    return true;
}

static enum yore_status read_member(struct reading *r, struct element_state *state,
                                    struct yore_error *error_out)
{
    uint32_t token = GRAPH_NO_TOKEN;
    enum json_kind kind;
    enum yore_status st =
        buffer_status(&r->text) != YORE_OK
            ? error_plain(error_out, YORE_NOMEM)
            : graph_make_token(r->graph, GRAPH_PROPERTY, buffer_bytes(&r->text), &token, error_out);
    if (st != YORE_OK) {
        return st;
    }
    buffer_clear(&r->value);
    if (!json_peek(&r->json, &kind) ||
        !(kind == JSON_ARRAY ? put_list(r) : put_scalar(r, kind, &r->value))) {
        return refuse_json(r, error_out);
    }
    struct yore_bytes value = buffer_bytes(&r->value);
    value.data = arena_copy(r->arena, value.data, value.size);
    bool is_ok =
        !r->value.is_nomem && !r->member.is_nomem && !r->text.is_nomem && value.data != NULL &&
        element_state_set_property(state, token, kind == JSON_NULL ? NULL : &value, r->arena);
    return is_ok ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

enum yore_status event_properties_apply(struct graph *graph, struct yore_bytes json,
                                        struct arena *arena, struct element_state *state,
                                        struct yore_error *error_out)
{
    struct reading r = {.graph = graph, .arena = arena};
    bool has_member = false;
    enum yore_status st = YORE_OK;
    if (json.size == 0) {
        return YORE_OK;
    }
    json_reader_init(&r.json, json);
    if (!json_object_begin(&r.json)) {
        st = refuse_json(&r, error_out);
    }
    while (st == YORE_OK) {
        buffer_clear(&r.text);
        if (!json_object_member(&r.json, &r.text, &has_member)) {
            st = refuse_json(&r, error_out);
        } else if (!has_member) {
            break;
        } else {
            st = read_member(&r, state, error_out);
        }
    }
    if (st == YORE_OK && !json_end(&r.json)) {
        st = refuse_json(&r, error_out);
    }
    buffer_release(&r.text);
    buffer_release(&r.value);
    buffer_release(&r.member);
    return st;
}
