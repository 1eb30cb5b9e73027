/* index_value.c -- see index_value.h.
 *
 * A number is its nearest double, made to sort as octets, and how far the integer lies from that:
 * beyond 2^53 several integers share a double.
 */
#include "topology/index_value.h"

#include <math.h>
#include <string.h>

#include "topology/limits.h"
#include "topology/property_value.h"

#define END_OCTET 0x00u     /* of a list or map; smaller than any class */
#define NAME_OCTET 0x01u    /* before a name in a map */
#define RESIDUE_BIAS 0x8000 /* of the distance to the nearest double: at most 512 either way */
#define DAY_BITS ((uint64_t)0x7fffffffffff) /* more than the nanoseconds of a day */
#define TWO_TO_63 9223372036854775808.0

static void put_big_endian(struct buffer *to, uint64_t v, unsigned octets)
{
    for (unsigned i = octets; i-- > 0;) {
        buffer_append_u8(to, (uint8_t)(v >> (8 * i)));
    }
}

static void put_signed(struct buffer *to, int64_t v)
{
    put_big_endian(to, (uint64_t)v ^ (uint64_t)1 << 63, 8);
}

static void put_number(struct buffer *to, double real, int residue)
{
    uint64_t bits;
    real = real == 0 ? 0 : real; /* one zero */
    memcpy(&bits, &real, sizeof bits);
    bits = bits >> 63 != 0 ? ~bits : bits | (uint64_t)1 << 63;
    buffer_append_u8(to, INDEX_NUMBER);
    put_big_endian(to, bits, 8);
    put_big_endian(to, (uint64_t)(residue + RESIDUE_BIAS), 2);
}

static void put_integer(struct buffer *to, int64_t integer)
{
    double real = (double)integer;
    /* Rounded up past the greatest integer, the double is one more than that. */
    int residue =
        real >= TWO_TO_63 ? (int)(integer - INT64_MAX) - 1 : (int)(integer - (int64_t)real);
    put_number(to, real, residue);
}

static void put_escaped(struct buffer *to, struct yore_bytes bytes)
{
    const unsigned char *at = bytes.data;
    size_t begin = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        if (at[i] == 0) {
            buffer_append(to, at + begin, i + 1 - begin);
            buffer_append_u8(to, 0xff);
            begin = i + 1;
        }
    }
    if (begin < bytes.size) {
        buffer_append(to, at + begin, bytes.size - begin);
    }
}

static void put_string(struct buffer *to, struct yore_bytes bytes)
{
    put_escaped(to, bytes);
    put_big_endian(to, 0, 2);
}

void index_value_prefix(struct buffer *to, struct yore_bytes prefix)
{
    buffer_append_u8(to, INDEX_STRING);
    put_escaped(to, prefix);
}

static struct yore_bytes get_bytes(struct decoder *from)
{
    uint64_t size = decode_varint(from);
    if (size > decoder_left(from)) {
        from->is_bad = true;
        return bytes_of("", 0);
    }
    return bytes_of(decode_run(from, (size_t)size), (size_t)size);
}

static void put_float(struct buffer *to, struct decoder *from)
{
    uint64_t bits = decode_u64(from);
    double real;
    memcpy(&real, &bits, sizeof real);
    if (isnan(real)) {
        buffer_append_u8(to, INDEX_NAN);
    } else {
        put_number(to, real, 0);
    }
}

/* By the moment in UTC, then by the offset. */
static void put_time(struct buffer *to, struct decoder *from)
{
    int64_t nanoseconds = (int64_t)(decode_varint(from) & DAY_BITS);
    int64_t offset = (int32_t)decode_zigzag(from);
    buffer_append_u8(to, INDEX_TIME);
    put_signed(to, nanoseconds - offset * 1000000000);
    put_signed(to, offset);
}

static void put_times(struct buffer *to, struct decoder *from, unsigned kind)
{
    switch (kind) {
    case YORE_GRAPH_DATE:
        buffer_append_u8(to, INDEX_DATE);
        put_signed(to, decode_zigzag(from));
        break;
    case YORE_GRAPH_LOCAL_TIME:
        buffer_append_u8(to, INDEX_LOCAL_TIME);
        put_signed(to, (int64_t)decode_varint(from));
        break;
    case YORE_GRAPH_TIME:
        put_time(to, from);
        break;
    case YORE_GRAPH_LOCAL_DATETIME:
        buffer_append_u8(to, INDEX_LOCAL_DATETIME);
        put_signed(to, decode_zigzag(from));
        put_big_endian(to, decode_varint(from), 4);
        break;
    default:
        buffer_append_u8(to, INDEX_DATETIME);
        put_signed(to, decode_zigzag(from));
        put_big_endian(to, decode_varint(from), 4);
        put_signed(to, decode_zigzag(from));
        put_string(to, get_bytes(from));
    }
}

static void put_duration(struct buffer *to, struct decoder *from)
{
    buffer_append_u8(to, INDEX_DURATION);
    for (int i = 0; i < 3; i++) {
        put_signed(to, decode_zigzag(from));
    }
    put_big_endian(to, decode_varint(from), 4);
}

static void put_scalar(struct buffer *to, struct decoder *from, unsigned kind)
{
    switch (kind) {
    case YORE_GRAPH_NULL:
        buffer_append_u8(to, INDEX_NULL);
        break;
    case YORE_GRAPH_BOOL:
    case YORE_GRAPH_BOOL | 0x10:
        buffer_append_u8(to, INDEX_BOOL);
        buffer_append_u8(to, kind == YORE_GRAPH_BOOL ? 0 : 1);
        break;
    case YORE_GRAPH_INT:
        put_integer(to, decode_zigzag(from));
        break;
    case YORE_GRAPH_FLOAT:
        put_float(to, from);
        break;
    case YORE_GRAPH_STRING:
        buffer_append_u8(to, INDEX_STRING);
        put_string(to, get_bytes(from));
        break;
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
    case YORE_GRAPH_DATETIME:
        put_times(to, from, kind);
        break;
    case YORE_GRAPH_DURATION:
        put_duration(to, from);
        break;
    default:
        from->is_bad = true;
    }
}

bool index_value_append(struct buffer *to, struct decoder *from)
{
    struct {
        uint64_t left;
        bool is_map;
    } stack[GRAPH_VALUE_DEPTH_MAX + 1];
    size_t depth = 1;
    stack[0].left = 1;
    stack[0].is_map = false;
    while (!from->is_bad) {
        if (stack[depth - 1].left == 0) {
            if (--depth == 0) {
                break;
            }
            buffer_append_u8(to, END_OCTET);
            continue;
        }
        stack[depth - 1].left--;
        if (stack[depth - 1].is_map) {
            buffer_append_u8(to, NAME_OCTET);
            put_string(to, get_bytes(from));
        }
        unsigned kind = decode_u8(from);
        if (kind != YORE_GRAPH_LIST && kind != YORE_GRAPH_MAP) {
            put_scalar(to, from, kind);
        } else if (depth == GRAPH_VALUE_DEPTH_MAX + 1) {
            from->is_bad = true;
        } else {
            buffer_append_u8(to, kind == YORE_GRAPH_MAP ? INDEX_MAP : INDEX_LIST);
            stack[depth].left = decode_varint(from);
            stack[depth].is_map = kind == YORE_GRAPH_MAP;
            from->is_bad |= stack[depth].left > decoder_left(from);
            depth++;
        }
    }
    return !from->is_bad;
}
