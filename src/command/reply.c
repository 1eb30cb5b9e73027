/* reply.c -- RESP2 and RESP3 out of one set of builder calls. */
#include "command/reply.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command/limits.h"

void reply_init(struct reply *reply, int protocol)
{
    *reply = (struct reply){.protocol = protocol};
}

void reply_release(struct reply *reply)
{
    buffer_release(&reply->out);
}

#define HEAD_BYTES_MAX 23 /* the longest head */

/* "<type><number>\r\n", up to where `end` points; returns where it begins. */
static char *head_before(char *end, char type, int64_t number)
{
    char *at = end;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    *--at = '\n';
    *--at = '\r';
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        *--at = '-';
    }
    *--at = type;
    return at;
}

static void head(struct reply *reply, char type, int64_t number)
{
    char text[HEAD_BYTES_MAX];
    char *end = text + sizeof text;
    char *at = head_before(end, type, number);
    buffer_append(&reply->out, at, (size_t)(end - at));
}

static void line(struct reply *reply, const char *text)
{
    buffer_append(&reply->out, text, strlen(text));
}

void reply_status(struct reply *reply, const char *text)
{
    size_t size = strlen(text);
    unsigned char *to = buffer_extend(&reply->out, size + 3);
    if (to != NULL) {
        *to++ = '+';
        memcpy(to, text, size);
        memcpy(to + size, "\r\n", 2);
    }
}

void reply_error(struct reply *reply, const char *format, ...)
{
    char text[ERROR_REPLY_BYTES_MAX];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *at = text; length > 0 && *at != '\0'; at++) {
        if (*at == '\r' || *at == '\n') {
            *at = ' ';
        }
    }
    line(reply, "-");
    line(reply, length > 0 ? text : "ERR");
    line(reply, "\r\n");
}

void reply_int(struct reply *reply, int64_t number)
{
    head(reply, ':', number);
}

void reply_bulk(struct reply *reply, struct yore_bytes bytes)
{
    char text[HEAD_BYTES_MAX];
    char *end = text + sizeof text;
    char *at = head_before(end, '$', (int64_t)bytes.size);
    size_t head_size = (size_t)(end - at);
    unsigned char *to = buffer_extend(&reply->out, head_size + bytes.size + 2);
    if (to == NULL) {
        return;
    }
    memcpy(to, at, head_size);
    if (bytes.size > 0) {
        memcpy(to + head_size, bytes.data, bytes.size);
    }
    memcpy(to + head_size + bytes.size, "\r\n", 2);
}

void reply_text(struct reply *reply, const char *text)
{
    reply_bulk(reply, bytes_of(text, strlen(text)));
}

size_t reply_double_text(double number, char text[REPLY_DOUBLE_BYTES])
{
    int length;
    if (isnan(number)) {
        length = snprintf(text, REPLY_DOUBLE_BYTES, "nan");
    } else if (isinf(number)) {
        length = snprintf(text, REPLY_DOUBLE_BYTES, number > 0 ? "inf" : "-inf");
    } else {
        length = snprintf(text, REPLY_DOUBLE_BYTES, "%.17g", number);
    }
    return (size_t)length;
}

void reply_double(struct reply *reply, double number)
{
    char text[REPLY_DOUBLE_BYTES];
    size_t size = reply_double_text(number, text);
    if (reply->protocol == 2) {
        reply_bulk(reply, bytes_of(text, size));
        return;
    }
    line(reply, ",");
    line(reply, text);
    line(reply, "\r\n");
}

void reply_bool(struct reply *reply, bool is_true)
{
    if (reply->protocol == 2) {
        reply_int(reply, is_true ? 1 : 0);
    } else {
        line(reply, is_true ? "#t\r\n" : "#f\r\n");
    }
}

void reply_verbatim(struct reply *reply, const char type[3], struct yore_bytes bytes)
{
    if (reply->protocol == 2) {
        reply_bulk(reply, bytes);
        return;
    }
    head(reply, '=', (int64_t)bytes.size + 4);
    buffer_append(&reply->out, type, 3);
    line(reply, ":");
    buffer_append_bytes(&reply->out, bytes);
    line(reply, "\r\n");
}

void reply_null(struct reply *reply)
{
    line(reply, reply->protocol == 2 ? "$-1\r\n" : "_\r\n");
}

void reply_null_array(struct reply *reply)
{
    line(reply, reply->protocol == 2 ? "*-1\r\n" : "_\r\n");
}

void reply_array(struct reply *reply, size_t count)
{
    head(reply, '*', (int64_t)count);
}

void reply_map(struct reply *reply, size_t count)
{
    head(reply, reply->protocol == 2 ? '*' : '%',
         (int64_t)(reply->protocol == 2 ? 2 * count : count));
}

void reply_set(struct reply *reply, size_t count)
{
    head(reply, reply->protocol == 2 ? '*' : '~', (int64_t)count);
}

void reply_push(struct reply *reply, size_t count)
{
    head(reply, reply->protocol == 2 ? '*' : '>', (int64_t)count);
}

/* ---- arrays of a length not yet known ---- */

/* Room for the longest head is left; what is not needed is closed up at the end. */

size_t reply_array_begin(struct reply *reply)
{
    size_t begun = reply->out.size;
    buffer_extend(&reply->out, HEAD_BYTES_MAX);
    return begun;
}

void reply_array_end(struct reply *reply, size_t begun, size_t count)
{
    struct buffer *out = &reply->out;
    char text[HEAD_BYTES_MAX + 1];
    if (out->is_nomem) {
        return;
    }
    size_t size = (size_t)snprintf(text, sizeof text, "*%zu\r\n", count);
    size_t body = begun + HEAD_BYTES_MAX;
    memcpy(out->data + begun, text, size);
    memmove(out->data + begun + size, out->data + body, out->size - body);
    out->size -= HEAD_BYTES_MAX - size;
}

bool reply_part(struct reply *reply)
{
    if (reply->drain == NULL || reply->is_gone || reply->out.size < REPLY_PART_BYTES) {
        return !reply->is_gone;
    }
    reply->has_parted = true;
    reply->is_gone = !reply->drain(reply->drain_arg, reply);
    return !reply->is_gone;
}
