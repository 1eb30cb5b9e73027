#include "client/reply_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

void reply_reader_release(struct reply_reader *reader)
{
    mem_free(reader->values);
    *reader = (struct reply_reader){0};
}

#define TLS_ALERT '\x15' /* what a record of TLS begins with that is one */

static enum reply_result bad(struct reply_reader *reader, const char *problem)
{
    reader->problem = problem;
    return REPLY_BAD;
}

static bool parse_integer(struct yore_bytes text, int64_t *integer_out)
{
    const char *at = text.data;
    size_t i = text.size > 0 && (at[0] == '-' || at[0] == '+') ? 1 : 0;
    uint64_t number = 0;
    if (text.size == i || text.size - i > 19) {
        return false;
    }
    for (; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(at[i] - '0');
    }
    bool is_negative = at[0] == '-';
    if (number > (uint64_t)INT64_MAX + (is_negative ? 1u : 0u)) {
        return false;
    }
    *integer_out = (int64_t)(is_negative ? ~number + 1 : number);
    return true;
}

static bool parse_double(struct yore_bytes text, double *number_out)
{
    char copy[64];
    if (text.size == 0 || text.size >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end = NULL;
    *number_out = strtod(copy, &end);
    return *end == '\0';
}

static struct yore_client_value *add_value(struct reply_reader *reader)
{
    struct yore_client_value *grown =
        mem_grow(reader->values, reader->count, &reader->capacity, sizeof(*grown));
    if (grown == NULL) {
        return NULL;
    }
    reader->values = grown;
    struct yore_client_value *value = &grown[reader->count++];
    *value = (struct yore_client_value){.next = reader->count};
    return value;
}

/* A value that holds no others is complete: close what it completes. */
static void close_value(struct reply_reader *reader)
{
    while (reader->depth > 0 && --reader->left[reader->depth - 1] == 0) {
        reader->values[reader->open[--reader->depth]].next = reader->count;
    }
    reader->is_done = reader->depth == 0;
}

static enum reply_result open_aggregate(struct reply_reader *reader,
                                        struct yore_client_value *value, int64_t count)
{
    size_t items = (size_t)count * (value->kind == YORE_CLIENT_MAP ? 2 : 1);
    value->count = (size_t)count;
    if (items == 0) {
        close_value(reader);
        return REPLY_WHOLE;
    }
    if (reader->depth == CLIENT_DEPTH_MAX) {
        return bad(reader, "a reply nested too deep");
    }
    reader->open[reader->depth] = reader->count - 1;
    reader->left[reader->depth] = items;
    reader->depth++;
    return REPLY_WHOLE;
}

static enum reply_result take_aggregate(struct reply_reader *reader, enum yore_client_kind kind,
                                        struct yore_bytes line)
{
    int64_t count = 0;
    if (!parse_integer(line, &count) || count < -1 || count > CLIENT_VALUES_MAX / 2) {
        return bad(reader, "a reply with a wrong count");
    }
    struct yore_client_value *value = add_value(reader);
    if (value == NULL) {
        return REPLY_NOMEM;
    }
    if (count < 0) {
        close_value(reader); /* RESP2's null array */
        return REPLY_WHOLE;
    }
    value->kind = kind;
    return open_aggregate(reader, value, count);
}

/* A string with its length before it; `line` is the length, the string begins at `from`. */
static enum reply_result take_bulk(struct reply_reader *reader, struct yore_bytes data, char mark,
                                   struct yore_bytes line, size_t from)
{
    int64_t size = 0;
    if (!parse_integer(line, &size) || size < -1 || size > CLIENT_REPLY_BYTES_MAX) {
        return bad(reader, "a reply with a wrong length");
    }
    size_t end = from + (size > 0 ? (size_t)size : 0);
    if (size >= 0 && data.size < end + 2) {
        return REPLY_MORE;
    }
    const char *at = data.data;
    if (size >= 0 && (at[end] != '\r' || at[end + 1] != '\n')) {
        return bad(reader, "a string that does not end where it says");
    }
    struct yore_client_value *value = add_value(reader);
    if (value == NULL) {
        return REPLY_NOMEM;
    }
    if (size >= 0) {
        size_t skip = mark == '=' && size >= 4 ? 4 : 0; /* "txt:" */
        value->kind = mark == '!' ? YORE_CLIENT_ERROR : YORE_CLIENT_STRING;
        value->bytes = bytes_of(at + from + skip, (size_t)size - skip);
        from = end + 2;
    }
    reader->position = from;
    close_value(reader);
    return REPLY_WHOLE;
}

static enum reply_result take_simple(struct reply_reader *reader, char mark, struct yore_bytes line)
{
    struct yore_client_value *value = add_value(reader);
    if (value == NULL) {
        return REPLY_NOMEM;
    }
    value->bytes = line;
    bool is_good = true;
    switch (mark) {
    case '+':
    case '(': /* a number too large for an integer, as text */
        value->kind = YORE_CLIENT_STATUS;
        break;
    case '-':
        value->kind = YORE_CLIENT_ERROR;
        break;
    case ':':
        value->kind = YORE_CLIENT_INTEGER;
        is_good = parse_integer(line, &value->integer);
        break;
    case ',':
        value->kind = YORE_CLIENT_DOUBLE;
        is_good = parse_double(line, &value->number);
        break;
    case '#':
        value->kind = YORE_CLIENT_BOOL;
        is_good =
            line.size == 1 && (*(const char *)line.data == 't' || *(const char *)line.data == 'f');
        value->integer = is_good && *(const char *)line.data == 't';
        break;
    default: /* '_' */
        value->kind = YORE_CLIENT_NULL;
        is_good = line.size == 0;
        break;
    }
    close_value(reader);
    return is_good ? REPLY_WHOLE : bad(reader, "a reply with a wrong number");
}

/* Who does not speak RESP may be known by the first octet, and then be reached another way. */
static enum reply_result not_resp(struct reply_reader *reader, char first)
{
    return bad(reader, first == TLS_ALERT ? "an alert of TLS: a port for TLS is asked by yores://"
                       : first == 'H'     ? "HTTP: Redis clients have a port of their own"
                                          : "a reply that is no RESP");
}

static enum reply_result take_value(struct reply_reader *reader, struct yore_bytes data)
{
    struct yore_bytes rest = bytes_behind(data, reader->position);
    const char *at = rest.data;
    if (rest.size > 0 && (at[0] == '\0' || strchr("+-:,#_($=!*%~>", at[0]) == NULL)) {
        return not_resp(reader, at[0]);
    }
    const char *end = rest.size > 0 ? memchr(at, '\n', rest.size) : NULL;
    if (end == NULL) {
        return rest.size > CLIENT_LINE_BYTES_MAX ? bad(reader, "a line without end") : REPLY_MORE;
    }
    size_t size = (size_t)(end - at);
    if (size < 2 || end[-1] != '\r') {
        return bad(reader, "a reply that is no RESP");
    }
    char mark = at[0];
    struct yore_bytes line = bytes_of(at + 1, size - 2);
    size_t from = reader->position + size + 1;
    if (mark == '$' || mark == '=' || mark == '!') {
        return take_bulk(reader, data, mark, line, from);
    }
    static const char aggregates[] = "*%~>";
    static const enum yore_client_kind kinds[] = {YORE_CLIENT_ARRAY, YORE_CLIENT_MAP,
                                                  YORE_CLIENT_SET, YORE_CLIENT_PUSH};
    const char *found = strchr(aggregates, mark);
    reader->position = from;
    return found != NULL ? take_aggregate(reader, kinds[found - aggregates], line)
                         : take_simple(reader, mark, line);
}

/* The octets may have moved since the values so far were read. */
static void rebase(struct reply_reader *reader, struct yore_bytes data)
{
    uintptr_t base = (uintptr_t)data.data;
    for (size_t i = 0; base != reader->base && i < reader->count; i++) {
        struct yore_bytes *bytes = &reader->values[i].bytes;
        if (bytes->data != NULL) {
            size_t offset = (size_t)((uintptr_t)bytes->data - reader->base);
            bytes->data = (const char *)data.data + offset;
        }
    }
    reader->base = base;
}

enum reply_result reply_read(struct reply_reader *reader, struct yore_bytes data, size_t *size_out)
{
    if (reader->is_done) {
        reader->is_done = false;
        reader->count = 0;
        reader->position = 0;
    }
    rebase(reader, data);
    while (!reader->is_done) {
        if (reader->count >= CLIENT_VALUES_MAX) {
            return bad(reader, "a reply of too many values");
        }
        enum reply_result result = take_value(reader, data);
        if (result != REPLY_WHOLE) {
            return result;
        }
    }
    *size_out = reader->position;
    return REPLY_WHOLE;
}
