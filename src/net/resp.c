#include "net/resp.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/limits.h"

void resp_parser_release(struct resp_parser *p)
{
    mem_free(p->args);
    mem_free(p->slices);
    buffer_release(&p->unquoted);
    *p = (struct resp_parser){0};
}

size_t resp_parser_bytes(const struct resp_parser *p)
{
    return p->capacity * (sizeof(*p->args) + sizeof(*p->slices)) + p->unquoted.capacity;
}

static enum resp_result refuse(struct resp_parser *p, const char *text)
{
    snprintf(p->error_text, sizeof(p->error_text), "Protocol error: %s", text);
    return RESP_ERROR;
}

static bool make_room(struct resp_parser *p, size_t count)
{
    if (count <= p->capacity) {
        return true;
    }
    size_t capacity = p->capacity < 8 ? 8 : p->capacity * 2;
    struct yore_bytes *args = mem_realloc(p->args, capacity * sizeof(*args));
    if (args == NULL) {
        return false;
    }
    p->args = args;
    struct resp_slice *slices = mem_realloc(p->slices, capacity * sizeof(*slices));
    if (slices == NULL) {
        return false;
    }
    p->slices = slices;
    p->capacity = capacity;
    return true;
}

static bool add_slice(struct resp_parser *p, size_t offset, size_t size)
{
    if (!make_room(p, p->arg_count + 1)) {
        return false;
    }
    p->slices[p->arg_count++] = (struct resp_slice){offset, size};
    return true;
}

/* Begin a request anew; memory of an unusually long one is given back. */
static void start_over(struct resp_parser *p)
{
    if (p->capacity > RESP_ARGS_KEPT) {
        mem_free(p->args);
        mem_free(p->slices);
        p->args = NULL;
        p->slices = NULL;
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
static size_t quick_line(struct yore_bytes data, size_t at, unsigned char mark, uint64_t most,
                         size_t *number_out)
{
    const unsigned char *bytes = data.data;
    size_t i = at + 1;
    size_t number = 0;
    if (data.size - at < 4 || bytes[at] != mark || bytes[i] == '0') {
        return 0;
    }
    while (i + 2 < data.size && i - at <= QUICK_DIGITS_MAX && bytes[i] >= '0' && bytes[i] <= '9') {
        number = number * 10 + (size_t)(bytes[i++] - '0');
    }
    if (i == at + 1 || bytes[i] != '\r' || bytes[i + 1] != '\n' || number > most) {
        return 0;
    }
    *number_out = number;
    return i + 2 - at;
}

static enum resp_result read_head(struct resp_parser *p, struct yore_bytes data,
                                  const struct resp_limits *limits)
{
    uint64_t most = limits->args_max < RESP_ARGS_MAX ? limits->args_max : RESP_ARGS_MAX;
    size_t size = quick_line(data, p->position, '*', most, &p->wanted);
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
    size_t size = quick_line(data, p->position, '$', most, &p->bulk_size);
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
        if (!add_slice(p, p->position, p->bulk_size)) {
            return RESP_NOMEM;
        }
        p->position += p->bulk_size + 2;
        p->has_bulk_size = false;
    }
    resp_rebase(p, data);
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
        if (p->unquoted.is_nomem || !add_slice(p, from, p->unquoted.size - from)) {
            return RESP_NOMEM;
        }
        i += taken;
    }
    for (size_t k = 0; k < p->arg_count; k++) {
        size_t offset = p->slices[k].offset;
        p->args[k] = p->slices[k].size == 0
                         ? bytes_of("", 0)
                         : bytes_of(p->unquoted.data + offset, p->slices[k].size);
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
    *consumed_out = 0;
    if (p->wanted > 0 && p->arg_count == p->wanted) {
        start_over(p); /* the request before this one */
    } else if (p->wanted == 0 && p->position > 0) {
        start_over(p);
    }
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
        size_t passed_over = *consumed_out;
        *consumed_out += p->position;
        if (p->arg_count > 0) {
            /* Words count from where the caller's octets begin, as resp_rebase() gets them. */
            for (size_t i = 0; p->wanted > 0 && i < p->arg_count; i++) {
                p->slices[i].offset += passed_over;
            }
            return RESP_REQUEST;
        }
        data = bytes_behind(data, p->position); /* an empty request is passed over */
        start_over(p);
    }
    return RESP_MORE;
}

void resp_rebase(struct resp_parser *p, struct yore_bytes data)
{
    const unsigned char *bytes = data.data;
    for (size_t i = 0; p->wanted > 0 && i < p->arg_count; i++) { /* else it was inline: copied */
        p->args[i] = bytes_of(bytes + p->slices[i].offset, p->slices[i].size);
    }
}

size_t resp_missing(const struct resp_parser *p, size_t size)
{
    size_t end = p->position + p->bulk_size + 2;
    return p->has_bulk_size && end > size ? end - size : 0;
}
