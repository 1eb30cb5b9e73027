#include "net/resp.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/limits.h"

void resp_parser_release(struct resp_parser *p)
{
    mem_free(p->args);
    buffer_release(&p->unquoted);
    *p = (struct resp_parser){0};
}

size_t resp_parser_bytes(const struct resp_parser *p)
{
    return p->capacity * sizeof(*p->args) + p->unquoted.capacity;
}

static enum resp_result refuse(struct resp_parser *p, const char *text)
{
    snprintf(p->error_text, sizeof(p->error_text), "Protocol error: %s", text);
    return RESP_ERROR;
}

static bool grow(struct resp_parser *p)
{
    size_t capacity = p->capacity < 8 ? 8 : p->capacity * 2;
    struct yore_bytes *args = mem_realloc(p->args, capacity * sizeof(*args));
    if (args == NULL) {
        return false;
    }
    p->args = args;
    p->capacity = capacity;
    return true;
}

static bool add_word(struct resp_parser *p, const unsigned char *data, size_t size)
{
    if (p->arg_count == p->capacity && !grow(p)) {
        return false;
    }
    p->args[p->arg_count++] = bytes_of(data, size);
    return true;
}

/* Begin a request anew; memory of an unusually long one is given back. */
static void start_over(struct resp_parser *p)
{
    if (p->capacity > RESP_ARGS_KEPT) {
        mem_free(p->args);
        p->args = NULL;
        p->capacity = 0;
    }
    if (p->unquoted.capacity > RESP_INLINE_BYTES_MAX) {
        buffer_release(&p->unquoted);
    }
    p->arg_count = 0;
    p->wanted = 0;
    p->has_bulk_size = false;
    p->position = 0;
    p->scanned = 0;
    buffer_clear(&p->unquoted);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

/* A decimal as Redis takes it in lengths: an optional minus, no blanks, no leading zero. */
static bool parse_length(const unsigned char *text, size_t size, int64_t *value_out)
{
    bool is_negative = size > 0 && text[0] == '-';
    size_t i = is_negative ? 1 : 0;
    if (size == i || size - i > 18 || (text[i] == '0' && size - i > 1)) {
        return false;
    }
    int64_t value = 0;
    for (; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (text[i] - '0');
    }
    *value_out = is_negative ? -value : value;
    return true;
}

/* Find the line that begins at p->position; RESP_REQUEST: `*size_out` octets before its CR LF. */
static enum resp_result find_line(struct resp_parser *p, struct yore_bytes data,
                                  const char *too_long, size_t *size_out)
{
    const unsigned char *bytes = data.data;
    size_t from = p->scanned > p->position ? p->scanned : p->position;
    const unsigned char *end =
        from < data.size ? memchr(bytes + from, '\r', data.size - from) : NULL;
    if (end == NULL) {
        p->scanned = data.size;
        return data.size - p->position > RESP_INLINE_BYTES_MAX ? refuse(p, too_long) : RESP_MORE;
    }
    size_t at = (size_t)(end - bytes);
    if (at - p->position > RESP_INLINE_BYTES_MAX) {
        return refuse(p, too_long);
    }
    if (at + 2 > data.size) {
        p->scanned = at;
        return RESP_MORE;
    }
    *size_out = at - p->position;
    return RESP_REQUEST;
}

#define QUICK_DIGITS_MAX 7

/* The usual line: `mark`, and a number of few digits up to `most`.  Its octets, those of its end
 * too; 0: it is to be looked at more closely. */
static inline size_t quick_line(struct yore_bytes data, unsigned char mark, uint64_t most,
                                size_t *number_out)
{
    const unsigned char *at = data.data;
    size_t number = 0;
    size_t size = 1;
    if (data.size < 4 || at[0] != mark || at[1] == '0') {
        return 0;
    }
    size_t stop = data.size - 2 < 1 + QUICK_DIGITS_MAX ? data.size - 2 : 1 + QUICK_DIGITS_MAX;
    for (unsigned digit; size < stop && (digit = (unsigned)at[size] - '0') <= 9; size++) {
        number = number * 10 + digit;
    }
    if (size == 1 || at[size] != '\r' || at[size + 1] != '\n' || number > most) {
        return 0;
    }
    *number_out = number;
    return size + 2;
}

static enum resp_result read_head(struct resp_parser *p, struct yore_bytes data,
                                  const struct resp_limits *limits)
{
    uint64_t most = limits->args_max < RESP_ARGS_MAX ? limits->args_max : RESP_ARGS_MAX;
    size_t size = quick_line(bytes_behind(data, p->position), '*', most, &p->wanted);
    if (size > 0) {
        p->position += size;
        return RESP_REQUEST;
    }
    enum resp_result result = find_line(p, data, "too big mbulk count string", &size);
    if (result != RESP_REQUEST) {
        return result;
    }
    int64_t count = 0;
    const unsigned char *bytes = data.data;
    if (!parse_length(bytes + p->position + 1, size - 1, &count) || count > RESP_ARGS_MAX) {
        return refuse(p, "invalid multibulk length");
    }
    if (count > 0 && (uint64_t)count > limits->args_max) {
        return refuse(p, limits->is_login ? "unauthenticated multibulk length"
                                          : "invalid multibulk length");
    }
    p->position += size + 2;
    p->wanted = count > 0 ? (size_t)count : 0;
    return RESP_REQUEST;
}

static enum resp_result read_bulk_head(struct resp_parser *p, struct yore_bytes data,
                                       const struct resp_limits *limits)
{
    uint64_t most =
        limits->arg_bytes_max < RESP_ARG_BYTES_MAX ? limits->arg_bytes_max : RESP_ARG_BYTES_MAX;
    size_t size = quick_line(bytes_behind(data, p->position), '$', most, &p->bulk_size);
    if (size > 0) {
        p->position += size;
        p->has_bulk_size = true;
        return RESP_REQUEST;
    }
    enum resp_result result = find_line(p, data, "too big bulk count string", &size);
    if (result != RESP_REQUEST) {
        return result;
    }
    const unsigned char *bytes = data.data;
    unsigned char mark = bytes[p->position];
    if (mark != '$') {
        char text[40];
        snprintf(text, sizeof(text), "expected '$', got '%c'",
                 mark >= ' ' && mark < 127 ? mark : '?');
        return refuse(p, text);
    }
    int64_t length = 0;
    if (!parse_length(bytes + p->position + 1, size - 1, &length) || length < 0 ||
        length > RESP_ARG_BYTES_MAX) {
        return refuse(p, "invalid bulk length");
    }
    if ((uint64_t)length > limits->arg_bytes_max) {
        return refuse(p, limits->is_login ? "unauthenticated bulk length" : "invalid bulk length");
    }
    p->position += size + 2;
    p->bulk_size = (size_t)length;
    p->has_bulk_size = true;
    return RESP_REQUEST;
}

static enum resp_result read_array(struct resp_parser *p, struct yore_bytes data,
                                   const struct resp_limits *limits)
{
    while (p->arg_count < p->wanted) {
        if (!p->has_bulk_size) {
            enum resp_result result = read_bulk_head(p, data, limits);
            if (result != RESP_REQUEST) {
                return result;
            }
        }
        if (data.size - p->position < p->bulk_size + 2) { /* the size is bounded: no overflow */
            return RESP_MORE;
        }
        if (!add_word(p, (const unsigned char *)data.data + p->position, p->bulk_size)) {
            return RESP_NOMEM;
        }
        p->position += p->bulk_size + 2;
        p->has_bulk_size = false;
    }
    return RESP_REQUEST;
}

/* ---- inline commands --------------------------------------------------------------------------
 */

static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    unsigned char lower = (unsigned char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One escaped octet after a backslash at `text[i]`; how many octets the escape takes. */
static size_t unescape(const unsigned char *text, size_t left, unsigned char *octet_out)
{
    if (left >= 4 && text[1] == 'x' && hex_digit(text[2]) >= 0 && hex_digit(text[3]) >= 0) {
        *octet_out = (unsigned char)(hex_digit(text[2]) * 16 + hex_digit(text[3]));
        return 4;
    }
    static const char letters[] = "nrtba";
    static const char octets[] = "\n\r\t\b\a";
    const char *letter = text[1] != '\0' ? strchr(letters, text[1]) : NULL;
    *octet_out = letter != NULL ? (unsigned char)octets[letter - letters] : text[1];
    return 2;
}

/* Append the word that begins at `text[0]` to `unquoted`; how many octets it takes, 0 when its
 * quotes do not close, or something other than a blank follows them. */
static size_t unquote_word(struct buffer *unquoted, const unsigned char *text, size_t size)
{
    unsigned char quote = 0;
    size_t i = 0;
    while (i < size) {
        unsigned char c = text[i];
        size_t taken = 1;
        if (quote != 0 && c == quote) {
            return i + 1 < size && !is_blank(text[i + 1]) ? 0 : i + 1;
        }
        if (quote == 0 && is_blank(c)) {
            return i;
        }
        if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
            i++;
            continue;
        }
        if (quote == '"' && c == '\\' && i + 1 < size) {
            taken = unescape(text + i, size - i, &c);
        } else if (quote == '\'' && c == '\\' && i + 1 < size && text[i + 1] == '\'') {
            c = '\'';
            taken = 2;
        }
        buffer_append_u8(unquoted, c);
        i += taken;
    }
    return quote != 0 ? 0 : i;
}

/* Split a line into words; all are copied, for a line is short. */
static enum resp_result split_line(struct resp_parser *p, const unsigned char *line, size_t size,
                                   const struct resp_limits *limits)
{
    size_t i = 0;
    if (!buffer_reserve(&p->unquoted, size)) { /* where words are stays where it is */
        return RESP_NOMEM;
    }
    for (;;) {
        while (i < size && is_blank(line[i])) {
            i++;
        }
        if (i == size) {
            break;
        }
        if (p->arg_count == limits->args_max) {
            return refuse(p, "too many words in an inline request");
        }
        size_t from = p->unquoted.size;
        size_t taken = unquote_word(&p->unquoted, line + i, size - i);
        if (taken == 0) {
            return refuse(p, "unbalanced quotes in request");
        }
        if (!add_word(p, p->unquoted.data + from, p->unquoted.size - from)) {
            return RESP_NOMEM;
        }
        i += taken;
    }
    return RESP_REQUEST;
}

#define TLS_HANDSHAKE 0x16 /* what a client of TLS sends first */

static enum resp_result read_inline(struct resp_parser *p, struct yore_bytes data,
                                    const struct resp_limits *limits)
{
    const unsigned char *bytes = data.data;
    if (bytes[0] == TLS_HANDSHAKE) {
        return refuse(p, "no TLS is spoken at this port");
    }
    const unsigned char *end = memchr(bytes + p->scanned, '\n', data.size - p->scanned);
    size_t size = end != NULL ? (size_t)(end - bytes) : data.size;
    if (size > RESP_INLINE_BYTES_MAX) {
        return refuse(p, "too big inline request");
    }
    if (end == NULL) {
        p->scanned = data.size;
        return RESP_MORE;
    }
    p->position = size + 1;
    if (size > 0 && bytes[size - 1] == '\r') {
        size--;
    }
    return split_line(p, bytes, size, limits);
}

/* ---- the door ---------------------------------------------------------------------------------
 */

enum resp_result resp_parse(struct resp_parser *p, struct yore_bytes data,
                            const struct resp_limits *limits, size_t *consumed_out)
{
    const uintptr_t begin = (uintptr_t)data.data;
    *consumed_out = 0;
    bool is_done = p->wanted > 0 ? p->arg_count == p->wanted : p->position > 0;
    if (is_done) {
        start_over(p); /* the request before this one */
    }
    resp_rebase(p, data);
    while (data.size > 0) {
        const unsigned char *bytes = data.data;
        enum resp_result result = RESP_REQUEST;
        if (bytes[0] != '*') {
            result = read_inline(p, data, limits);
        } else {
            if (p->wanted == 0) {
                result = read_head(p, data, limits);
            }
            if (result == RESP_REQUEST) {
                result = read_array(p, data, limits);
            }
        }
        if (result != RESP_REQUEST) {
            return result;
        }
        *consumed_out += p->position;
        if (p->arg_count > 0) {
            p->base = begin; /* as resp_rebase() gets them: with the empty ones before it */
            return RESP_REQUEST;
        }
        data = bytes_behind(data, p->position); /* an empty request is passed over */
        start_over(p);
        p->base = (uintptr_t)data.data;
    }
    return RESP_MORE;
}

void resp_rebase(struct resp_parser *p, struct yore_bytes data)
{
    const unsigned char *bytes = data.data;
    bool has_moved = (uintptr_t)bytes != p->base && p->wanted > 0; /* else it was inline: copied */
    for (size_t i = 0; has_moved && i < p->arg_count; i++) {
        p->args[i].data = bytes + ((uintptr_t)p->args[i].data - p->base);
    }
    p->base = (uintptr_t)bytes;
}

size_t resp_missing(const struct resp_parser *p, size_t size)
{
    size_t end = p->position + p->bulk_size + 2;
    return p->has_bulk_size && end > size ? end - size : 0;
}
