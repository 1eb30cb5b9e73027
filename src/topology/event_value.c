#include "topology/event_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/coding.h"
#include "base/json.h"
#include "topology/graph_internal.h"

#define NUMBER_BYTES_MAX 64

/* One object of properties. */
struct reading {
    struct event_reader *reader;
    struct json_reader json;
    struct arena *arena;
    struct state_property *properties; /* the state's, with room for more; by token */
    size_t count;
    size_t capacity;
};

/* ---- names ---- */

static struct event_name *place_of(struct event_reader *reader, enum graph_token_kind kind,
                                   struct yore_bytes name)
{
    const unsigned char *octets = name.data;
    size_t sum = name.size * 7 + octets[0] * 31u + octets[name.size / 2] * 3u +
                 octets[name.size - 1] * 5u + (size_t)kind;
    return &reader->names[sum % EVENT_NAMES_KNOWN];
}

enum yore_status event_token(struct event_reader *reader, enum graph_token_kind kind,
                             struct yore_bytes name, uint32_t *token_out,
                             struct yore_error *error_out)
{
    if (name.size == 0 || name.size > EVENT_NAME_BYTES) {
        return graph_make_token(reader->graph, kind, name, token_out, error_out);
    }
    struct event_name *known = place_of(reader, kind, name);
    if (known->kind == (unsigned char)kind && known->size == name.size &&
        memcmp(known->octets, name.data, name.size) == 0) {
        *token_out = known->token;
        return YORE_OK;
    }
    enum yore_status st = graph_make_token(reader->graph, kind, name, token_out, error_out);
    if (st == YORE_OK) {
        known->token = *token_out;
        known->kind = (unsigned char)kind;
        known->size = (unsigned char)name.size;
        memcpy(known->octets, name.data, name.size);
    }
    return st;
}

/* ---- values ---- */

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
    buffer_clear(&r->reader->text);
    if (!json_copy(&r->json, &r->reader->text)) {
        return false;
    }
    if (parse_integer(buffer_bytes(&r->reader->text), &integer)) {
        buffer_append_u8(to, YORE_GRAPH_INT);
        buffer_append_zigzag(to, integer);
        return true;
    }
    if (r->reader->text.size > NUMBER_BYTES_MAX) {
        return json_fail(&r->json, "a number has 64 characters at most");
    }
    buffer_append_u8(&r->reader->text, 0);
    double real = r->reader->text.is_nomem ? 0 : strtod((const char *)r->reader->text.data, NULL);
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    buffer_append_u8(to, YORE_GRAPH_FLOAT);
    buffer_append_u64(to, bits);
    return true;
}

static bool put_word(struct reading *r, enum json_kind kind, struct buffer *to)
{
    unsigned mark = kind == JSON_TRUE ? 0x10u : 0;
    buffer_clear(&r->reader->text);
    if (!json_copy(&r->json, &r->reader->text)) {
        return false;
    }
    buffer_append_u8(to, (uint8_t)(kind == JSON_NULL ? YORE_GRAPH_NULL : YORE_GRAPH_BOOL | mark));
    return true;
}

static bool put_scalar(struct reading *r, enum json_kind kind, struct buffer *to)
{
    switch (kind) {
    case JSON_STRING:
        buffer_clear(&r->reader->text);
        if (!json_string(&r->json, &r->reader->text)) {
            return false;
        }
        put_string(to, buffer_bytes(&r->reader->text));
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
    buffer_clear(&r->reader->member);
    if (!json_array_begin(&r->json)) {
        return false;
    }
    while (json_array_item(&r->json, &has_item) && has_item) {
        if (!json_peek(&r->json, &kind) || !put_scalar(r, kind, &r->reader->member)) {
            return false;
        }
        count++;
    }
    if (r->json.problem != NULL) {
        return false;
    }
    buffer_append_u8(&r->reader->value, YORE_GRAPH_LIST);
    buffer_append_varint(&r->reader->value, count);
    buffer_append_bytes(&r->reader->value, buffer_bytes(&r->reader->member));
    return true;
}

/* Scalars as most are, straight into the arena; false: they need the long way. */
static bool read_plain(struct reading *r, enum json_kind kind, struct yore_bytes *value_out,
                       bool *is_nomem_out)
{
    struct yore_bytes text;
    int64_t integer;
    *is_nomem_out = false;
    if (kind == JSON_STRING ? !json_text(&r->json, &r->reader->text, &text)
                            : kind != JSON_NUMBER || !json_integer(&r->json, &integer)) {
        return false;
    }
    size_t most = 1 + VARINT_BYTES_MAX + (kind == JSON_STRING ? text.size : 0);
    unsigned char *octets = arena_alloc_unaligned(r->arena, most);
    if (octets == NULL || r->reader->text.is_nomem) {
        *is_nomem_out = true;
        return true;
    }
    size_t size = 1;
    if (kind == JSON_STRING) {
        octets[0] = YORE_GRAPH_STRING;
        size += varint_encode(octets + size, text.size);
        memcpy(octets + size, text.data, text.size);
        size += text.size;
    } else {
        octets[0] = YORE_GRAPH_INT;
        size += varint_encode(octets + size, zigzag_encode(integer));
    }
    *value_out = bytes_of(octets, size);
    return true;
}

static enum yore_status read_value(struct reading *r, enum json_kind kind,
                                   struct yore_bytes *value_out, struct yore_error *error_out)
{
    struct event_reader *reader = r->reader;
    bool is_nomem = false;
    if (read_plain(r, kind, value_out, &is_nomem)) {
        return is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
    }
    buffer_clear(&reader->value);
    if (!(kind == JSON_ARRAY ? put_list(r) : put_scalar(r, kind, &reader->value))) {
        return refuse_json(r, error_out);
    }
    *value_out = buffer_bytes(&reader->value);
    value_out->data = arena_copy(r->arena, value_out->data, value_out->size);
    bool is_ok = !reader->value.is_nomem && !reader->member.is_nomem && !reader->text.is_nomem &&
                 value_out->data != NULL;
    return is_ok ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

/* ---- properties ---- */

static bool reserve_property(struct reading *r)
{
    if (r->count < r->capacity) {
        return true;
    }
    size_t capacity = 2 * r->count + 8;
    struct state_property *grown = arena_alloc(r->arena, capacity * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    if (r->count > 0) {
        memcpy(grown, r->properties, r->count * sizeof *grown);
    }
    r->properties = grown;
    r->capacity = capacity;
    return true;
}

/* `value` NULL: it has none any more. */
static bool set_property(struct reading *r, uint32_t token, const struct yore_bytes *value)
{
    size_t place = r->count; /* a new name's token is mostly the greatest */
    while (place > 0 && r->properties[place - 1].token > token) {
        place--;
    }
    bool is_there = place > 0 && r->properties[place - 1].token == token;
    if (is_there && value != NULL) {
        r->properties[place - 1].value = *value;
    } else if (is_there) {
        memmove(r->properties + place - 1, r->properties + place,
                (r->count - place) * sizeof *r->properties);
        r->count--;
    } else if (value != NULL) {
        if (!reserve_property(r)) {
            return false;
        }
        memmove(r->properties + place + 1, r->properties + place,
                (r->count - place) * sizeof *r->properties);
        r->properties[place] = (struct state_property){token, *value};
        r->count++;
    }
    return true;
}

static enum yore_status read_member(struct reading *r, struct yore_bytes name,
                                    struct yore_error *error_out)
{
    uint32_t token = GRAPH_NO_TOKEN;
    enum json_kind kind;
    struct yore_bytes value;
    enum yore_status st = buffer_status(&r->reader->text) != YORE_OK
                              ? error_plain(error_out, YORE_NOMEM)
                              : event_token(r->reader, GRAPH_PROPERTY, name, &token, error_out);
    if (st == YORE_OK && !json_peek(&r->json, &kind)) {
        st = refuse_json(r, error_out);
    }
    if (st == YORE_OK) {
        st = read_value(r, kind, &value, error_out);
    }
    if (st == YORE_OK && !set_property(r, token, kind == JSON_NULL ? NULL : &value)) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    return st;
}

enum yore_status event_properties_apply(struct event_reader *reader, struct yore_bytes json,
                                        struct arena *arena, struct element_state *state,
                                        struct yore_error *error_out)
{
    struct reading r = {.reader = reader, .arena = arena, .count = state->property_count};
    struct yore_bytes name;
    bool has_member = false;
    if (json.size == 0) {
        return YORE_OK;
    }
    size_t capacity = r.count + 8;
    r.properties = arena_alloc(arena, capacity * sizeof *r.properties);
    if (r.properties == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    r.capacity = capacity;
    if (r.count > 0) {
        memcpy(r.properties, state->properties, r.count * sizeof *r.properties);
    }
    json_reader_init(&r.json, json);
    enum yore_status st = json_object_begin(&r.json) ? YORE_OK : refuse_json(&r, error_out);
    while (st == YORE_OK) {
        if (!json_object_name(&r.json, &reader->text, &name, &has_member)) {
            st = refuse_json(&r, error_out);
        } else if (!has_member) {
            break;
        } else {
            st = read_member(&r, name, error_out);
        }
    }
    if (st == YORE_OK && !json_end(&r.json)) {
        st = refuse_json(&r, error_out);
    }
    state->properties = r.properties;
    state->property_count = r.count;
    return st;
}

void event_reader_release(struct event_reader *reader)
{
    buffer_release(&reader->text);
    buffer_release(&reader->value);
    buffer_release(&reader->member);
}
