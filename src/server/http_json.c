/* http_json.c -- bytes and replies as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/utf8.h"
#include "client/limits.h"
#include "server/http_internal.h"

static void append_text(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

void http_json_bytes(struct buffer *out, const char *name, struct yore_bytes bytes)
{
    bool is_text = utf8_is_valid(bytes);
    buffer_append_u8(out, '"');
    append_text(out, name);
    append_text(out, is_text ? "\":" : "_base64\":\"");
    if (is_text) {
        json_append_string(out, bytes);
    } else {
        base64_encode(out, bytes);
        buffer_append_u8(out, '"');
    }
}

void http_json_member(struct buffer *out, const char *name, const struct yore_client_value *value)
{
    if (value->kind != YORE_CLIENT_NULL) {
        http_json_bytes(out, name, value->bytes);
        return;
    }
    buffer_append_u8(out, '"');
    append_text(out, name);
    append_text(out, "\":null");
}

/* Octets that are no text are base64; the name of a member says so (append_key). */
static void append_bytes(struct buffer *out, struct yore_bytes bytes)
{
    if (utf8_is_valid(bytes)) {
        json_append_string(out, bytes);
        return;
    }
    buffer_append_u8(out, '"');
    base64_encode(out, bytes);
    buffer_append_u8(out, '"');
}

static void append_leaf(struct buffer *out, const struct yore_client_value *value)
{
    char text[40];
    switch (value->kind) {
    case YORE_CLIENT_NULL:
        append_text(out, "null");
        break;
    case YORE_CLIENT_INTEGER:
        snprintf(text, sizeof(text), "%" PRId64, value->integer);
        append_text(out, text);
        break;
    case YORE_CLIENT_BOOL:
        append_text(out, value->integer != 0 ? "true" : "false");
        break;
    case YORE_CLIENT_DOUBLE:
        if (isfinite(value->number)) {
            snprintf(text, sizeof(text), "%.17g", value->number);
            append_text(out, text);
        } else { /* JSON has no word for it */
            append_bytes(out, value->bytes);
        }
        break;
    default:
        append_bytes(out, value->bytes);
        break;
    }
}

static bool is_aggregate(const struct yore_client_value *value)
{
    return value->kind >= YORE_CLIENT_ARRAY;
}

static bool is_base64(const struct yore_client_value *value)
{
    return !is_aggregate(value) && !utf8_is_valid(value->bytes);
}

/* A member's name; the names in replies are words of ours. */
static void append_key(struct buffer *out, const struct yore_client_value *name,
                       const struct yore_client_value *value)
{
    buffer_append_u8(out, '"');
    buffer_append_bytes(out, name->bytes);
    append_text(out, is_base64(value) ? "_base64\"" : "\"");
}

/* Iterative: the reader bounds how deep replies nest. */
void http_json_value(struct buffer *out, const struct yore_client_value *values, size_t at)
{
    size_t open[CLIENT_DEPTH_MAX];
    size_t index[CLIENT_DEPTH_MAX]; /* items written of each */
    size_t depth = 0;
    size_t end = values[at].next;
    while (at < end) {
        const struct yore_client_value *value = &values[at];
        bool is_key = false;
        if (depth > 0) {
            bool in_map = values[open[depth - 1]].kind == YORE_CLIENT_MAP;
            size_t written = index[depth - 1]++;
            is_key = in_map && written % 2 == 0;
            append_text(out, written == 0 ? "" : in_map && written % 2 == 1 ? ":" : ",");
        }
        if (is_key) {
            at = value->next;
            append_key(out, value, &values[at]);
        } else if (is_aggregate(value)) {
            buffer_append_u8(out, value->kind == YORE_CLIENT_MAP ? '{' : '[');
            open[depth] = at++;
            index[depth++] = 0;
        } else {
            append_leaf(out, value);
            at++;
        }
        while (depth > 0 && at == values[open[depth - 1]].next) {
            depth--;
            buffer_append_u8(out, values[open[depth]].kind == YORE_CLIENT_MAP ? '}' : ']');
        }
    }
}
