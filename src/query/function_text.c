/* Functions of strings, by characters (code points). */
#include <string.h>

#include "base/buffer.h"
#include "base/unicode_case.h"
#include "base/utf8.h"
#include "query/function_internal.h"
#include "query/text.h"

/* All arguments that are to be strings are. */
static enum yore_status want_strings(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (arguments[i].kind != YORE_GRAPH_STRING) {
            return function_refuse(eval, call, "a String", &arguments[i]);
        }
    }
    return YORE_OK;
}

/* Not negative. */
static enum yore_status want_count(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *argument, uint64_t *count_out)
{
    int64_t number = 0;
    enum yore_status st = function_integer(eval, call, argument, &number);
    if (st == YORE_OK && number < 0) {
        return eval_fail(eval, call->spot, "ArgumentError", "NumberOutOfRange",
                         "%.*s() takes no negative number", (int)call->as.call.name.size,
                         (const char *)call->as.call.name.data);
    }
    *count_out = (uint64_t)number;
    return st;
}

enum yore_status function_char_length(struct eval *eval, const struct expr *call,
                                      const struct yore_graph_value *arguments, size_t count,
                                      struct yore_graph_value *value_out)
{
    enum yore_status st = want_strings(eval, call, arguments, count);
    if (st == YORE_OK) {
        *value_out = value_int((int64_t)utf8_count(arguments[0].as.string));
    }
    return st;
}

/* ---- parts ---- */

static enum yore_status side(struct eval *eval, const struct expr *call,
                             const struct yore_graph_value *arguments, bool is_left,
                             struct yore_graph_value *value_out)
{
    uint64_t wanted = 0;
    enum yore_status st = want_strings(eval, call, arguments, 1);
    if (st == YORE_OK) {
        st = want_count(eval, call, &arguments[1], &wanted);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes text = arguments[0].as.string;
    if (is_left) {
        text.size = text_prefix(text, wanted);
    } else {
        text = bytes_behind(text, text.size - text_suffix(text, wanted));
    }
    *value_out = value_string(text);
    return YORE_OK;
}

enum yore_status function_left(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    return side(eval, call, arguments, true, value_out);
}

enum yore_status function_right(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    (void)count;
    return side(eval, call, arguments, false, value_out);
}

enum yore_status function_substring(struct eval *eval, const struct expr *call,
                                    const struct yore_graph_value *arguments, size_t count,
                                    struct yore_graph_value *value_out)
{
    uint64_t start = 0;
    uint64_t length = UINT64_MAX;
    enum yore_status st = want_strings(eval, call, arguments, 1);
    if (st == YORE_OK) {
        st = want_count(eval, call, &arguments[1], &start);
    }
    if (st == YORE_OK && count > 2) {
        st = want_count(eval, call, &arguments[2], &length);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes text = arguments[0].as.string;
    text = bytes_behind(text, text_prefix(text, start));
    text.size = text_prefix(text, length);
    *value_out = value_string(text);
    return YORE_OK;
}

static enum yore_status trim(struct eval *eval, const struct expr *call,
                             const struct yore_graph_value *arguments, bool at_begin, bool at_end,
                             struct yore_graph_value *value_out)
{
    enum yore_status st = want_strings(eval, call, arguments, 1);
    if (st == YORE_OK) {
        *value_out = value_string(text_trim(arguments[0].as.string, at_begin, at_end));
    }
    return st;
}

enum yore_status function_trim(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *arguments, size_t count,
                               struct yore_graph_value *value_out)
{
    (void)count;
    return trim(eval, call, arguments, true, true, value_out);
}

enum yore_status function_ltrim(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    (void)count;
    return trim(eval, call, arguments, true, false, value_out);
}

enum yore_status function_rtrim(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    (void)count;
    return trim(eval, call, arguments, false, true, value_out);
}

/* ---- case ---- */

static enum yore_status map_case(struct eval *eval, const struct expr *call,
                                 const struct yore_graph_value *arguments,
                                 uint32_t (*mapping)(uint32_t point),
                                 struct yore_graph_value *value_out)
{
    enum yore_status st = want_strings(eval, call, arguments, 1);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes text = arguments[0].as.string;
    void *room = NULL;
    st = eval_alloc(eval, text.size, 2, &room); /* U+0250 grows from two octets to three */
    if (st != YORE_OK) {
        return st;
    }
    const unsigned char *at = text.data;
    const unsigned char *end = at == NULL ? at : at + text.size;
    unsigned char *to = room;
    while (at < end) {
        size_t size = utf8_size(at, end);
        if (size == 0) {
            *to++ = *at++;
            continue;
        }
        to += utf8_encode(to, mapping(utf8_decode(at, size)));
        at += size;
    }
    *value_out = value_string(bytes_of(room, (size_t)(to - (unsigned char *)room)));
    return YORE_OK;
}

enum yore_status function_to_lower(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    (void)count;
    return map_case(eval, call, arguments, unicode_lower, value_out);
}

enum yore_status function_to_upper(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    (void)count;
    return map_case(eval, call, arguments, unicode_upper, value_out);
}

/* ---- searching ---- */

static size_t count_parts(struct yore_bytes text, struct yore_bytes part)
{
    size_t count = 0;
    size_t at = 0;
    while ((at = text_find(text, part, at)) != TEXT_NONE) {
        count++;
        at += part.size;
    }
    return count;
}

enum yore_status function_replace(struct eval *eval, const struct expr *call,
                                  const struct yore_graph_value *arguments, size_t count,
                                  struct yore_graph_value *value_out)
{
    enum yore_status st = want_strings(eval, call, arguments, count);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes text = arguments[0].as.string;
    struct yore_bytes part = arguments[1].as.string;
    struct yore_bytes with = arguments[2].as.string;
    size_t parts = part.size == 0 ? 0 : count_parts(text, part);
    *value_out = arguments[0];
    if (parts == 0) {
        return YORE_OK;
    }
    size_t grown = 0;
    void *room = NULL;
    if (__builtin_mul_overflow(parts, with.size, &grown) ||
        __builtin_add_overflow(grown, text.size - parts * part.size, &grown)) {
        grown = SIZE_MAX;
    }
    st = eval_alloc(eval, grown, 1, &room);
    if (st != YORE_OK) {
        return st;
    }
    unsigned char *to = room;
    const unsigned char *from = text.data;
    size_t at = 0;
    for (size_t i = 0; i < parts; i++) {
        size_t found = text_find(text, part, at);
        memcpy(to, from + at, found - at);
        to += found - at;
        if (with.size > 0) {
            memcpy(to, with.data, with.size);
        }
        to += with.size;
        at = found + part.size;
    }
    memcpy(to, from + at, text.size - at);
    *value_out = value_string(bytes_of(room, grown));
    return eval_step(eval, grown / 64);
}

/* Every character one item. */
static enum yore_status split_characters(struct eval *eval, struct yore_bytes text,
                                         struct yore_graph_value *value_out)
{
    size_t count = utf8_count(text);
    void *room = NULL;
    enum yore_status st = eval_alloc(eval, count, sizeof(struct yore_graph_value), &room);
    struct yore_graph_value *items = room;
    for (size_t i = 0; i < count && st == YORE_OK; i++) {
        size_t size = text_prefix(text, 1);
        items[i] = value_string(bytes_of(text.data, size));
        text = bytes_behind(text, size);
    }
    *value_out = value_list(items, count);
    return st;
}

enum yore_status function_split(struct eval *eval, const struct expr *call,
                                const struct yore_graph_value *arguments, size_t count,
                                struct yore_graph_value *value_out)
{
    enum yore_status st = want_strings(eval, call, arguments, count);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes text = arguments[0].as.string;
    struct yore_bytes by = arguments[1].as.string;
    if (by.size == 0) {
        return split_characters(eval, text, value_out);
    }
    size_t parts = count_parts(text, by) + 1;
    void *room = NULL;
    st = eval_alloc(eval, parts, sizeof(struct yore_graph_value), &room);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_graph_value *items = room;
    size_t at = 0;
    for (size_t i = 0; i < parts; i++) {
        size_t found = text_find(text, by, at);
        size_t end = found == TEXT_NONE ? text.size : found;
        items[i] = value_string(bytes_of(bytes_behind(text, at).data, end - at));
        at = end + by.size;
    }
    *value_out = value_list(items, parts);
    return eval_step(eval, text.size / 64);
}
