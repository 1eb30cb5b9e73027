#include "table/int_column.h"

#include <string.h>

#include "base/assert.h"

#define GROUP_BYTES_MAX (INT_COLUMN_GROUP * 8)
#define DECODE_SLACK 16
#define SPREAD_MAX ((uint64_t)1 << 60) /* differences of differences do not wrap around */

/* ---- encoding ---- */

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int64_t wrapped_difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static unsigned width_of(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

/* What stands before the rests, and the rests themselves, for one order. */
struct residue {
    unsigned order;
    uint64_t divisor;
    int64_t first;
    int64_t first_step;
    int64_t *rests;
    size_t count;
    size_t varint_bytes;
    size_t packed_bytes;
};

static void residue_fill(struct residue *r, const int64_t *values, size_t count)
{
    size_t skipped = r->order == 2 ? 2 : 1;
    r->first = values[0];
    r->first_step = count > 1 ? wrapped_difference(values[1], values[0]) : 0;
    r->count = count > skipped ? count - skipped : 0;
    for (size_t i = skipped; i < count; i++) {
        int64_t step = wrapped_difference(values[i], values[i - 1]);
        if (r->order == 0) {
            step = wrapped_difference(values[i], values[0]);
        } else if (r->order == 2) {
            step = wrapped_difference(step, wrapped_difference(values[i - 1], values[i - 2]));
        }
        r->rests[i - skipped] = step;
    }
}

/* Divide the rests by what divides them all: one division each, as a few tell the divisor mostly,
 * and these are multiplied again.  They were divided by `known` before. */
static void residue_divide(struct residue *r, uint64_t known)
{
    uint64_t divisor = 0;
    for (size_t i = 0; i < r->count && divisor != 1; i++) {
        uint64_t v = magnitude(r->rests[i]);
        uint64_t quotient = divisor == 0 ? 0 : v / divisor;
        if (quotient * divisor != v) {
            uint64_t lower = greatest_divisor(v, divisor);
            for (size_t j = 0; j < i; j++) {
                r->rests[j] = (int64_t)((uint64_t)r->rests[j] * (divisor / lower));
            }
            divisor = lower;
            quotient = v / divisor;
        }
        r->rests[i] = r->rests[i] < 0 ? (int64_t)(0 - quotient) : (int64_t)quotient;
    }
    r->divisor = divisor == 0 ? 1 : divisor * known;
}

/* Steps have the divisor of the distances from the first value, and are what lies between these,
 * divided as they are; likewise the steps' steps, whose divisor may be greater.  Where differences
 * wrap around that is not so. */
static void residue_derive(struct residue *r, const struct residue *before, const int64_t *values,
                           size_t count)
{
    r->first = values[0];
    r->first_step = count > 1 ? wrapped_difference(values[1], values[0]) : 0;
    r->divisor = before->divisor;
    if (r->order == 1) {
        r->count = before->count;
        r->rests[0] = before->rests[0];
        for (size_t i = 1; i < r->count; i++) {
            r->rests[i] = before->rests[i] - before->rests[i - 1];
        }
        return;
    }
    r->count = before->count - 1;
    for (size_t i = 0; i < r->count; i++) {
        r->rests[i] = before->rests[i + 1] - before->rests[i];
    }
    residue_divide(r, before->divisor);
}

static void bounds_of(const int64_t *values, size_t count, int64_t *least_out, int64_t *most_out)
{
    int64_t least = values[0];
    int64_t most = values[0];
    for (size_t i = 1; i < count; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    *least_out = least;
    *most_out = most;
}

/* The least of a group and the width of the distances from it. */
static void group_bounds(const int64_t *rests, size_t count, int64_t *least_out,
                         unsigned *width_out)
{
    int64_t most;
    bounds_of(rests, count, least_out, &most);
    *width_out = width_of((uint64_t)most - (uint64_t)*least_out);
}

static size_t group_size(const struct residue *r, size_t at)
{
    return r->count - at < INT_COLUMN_GROUP ? r->count - at : INT_COLUMN_GROUP;
}

static void residue_measure(struct residue *r)
{
    size_t head = varint_size(r->divisor) + varint_size(zigzag_encode(r->first)) +
                  (r->order == 2 ? varint_size(zigzag_encode(r->first_step)) : 0);
    r->varint_bytes = head;
    r->packed_bytes = head;
    for (size_t at = 0; at < r->count; at += INT_COLUMN_GROUP) {
        size_t size = group_size(r, at);
        int64_t least;
        unsigned width;
        group_bounds(r->rests + at, size, &least, &width);
        r->packed_bytes += varint_size(zigzag_encode(least)) + 1 + (size * width + 7) / 8;
        for (size_t i = 0; i < size; i++) {
            r->varint_bytes += 1 + (width_of(zigzag_encode(r->rests[at + i]) | 1) - 1) / 7;
        }
    }
}

static void append_group(const int64_t *rests, size_t count, struct buffer *out)
{
    int64_t least;
    unsigned width;
    group_bounds(rests, count, &least, &width);
    buffer_append_zigzag(out, least);
    buffer_append_u8(out, (uint8_t)width);
    unsigned char *to = buffer_extend(out, (count * width + 7) / 8);
    if (to == NULL) {
        return;
    }
    uint64_t word = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t v = (uint64_t)rests[i] - (uint64_t)least;
        word |= v << filled;
        if (filled + width >= 64) {
            put_u64(to, word);
            to += 8;
            unsigned used = 64 - filled;
            word = used < width ? v >> used : 0;
            filled = width - used;
        } else {
            filled += width;
        }
    }
    for (; filled > 0; filled = filled > 8 ? filled - 8 : 0) {
        *to++ = (unsigned char)word;
        word >>= 8;
    }
}

static void residue_append(const struct residue *r, bool is_packed, struct buffer *out)
{
    buffer_append_varint(out, r->divisor);
    buffer_append_zigzag(out, r->first);
    if (r->order == 2) {
        buffer_append_zigzag(out, r->first_step);
    }
    for (size_t at = 0; at < r->count; at += INT_COLUMN_GROUP) {
        size_t size = group_size(r, at);
        if (is_packed) {
            append_group(r->rests + at, size, out);
            continue;
        }
        for (size_t i = 0; i < size; i++) {
            buffer_append_zigzag(out, r->rests[at + i]);
        }
    }
}

static uint64_t spread_of(const int64_t *values, size_t count)
{
    int64_t least;
    int64_t most;
    bounds_of(values, count, &least, &most);
    return (uint64_t)most - (uint64_t)least;
}

void int_column_encode(const int64_t *values, size_t count, struct buffer *scratch,
                       struct buffer *out, uint8_t *encoding_out)
{
    YORE_ASSERT(count >= 1);
    *encoding_out = 0;
    uint64_t spread = spread_of(values, count);
    if (spread == 0) {
        buffer_append_zigzag(out, values[0]);
        return;
    }
    buffer_clear(scratch);
    int64_t *rests = (int64_t *)(void *)buffer_extend(scratch, 3 * count * sizeof(int64_t));
    if (rests == NULL) {
        out->is_nomem = true;
        return;
    }
    struct residue residues[3];
    unsigned best = 0;
    size_t best_bytes = SIZE_MAX;
    for (unsigned order = 0; order < 3; order++) {
        struct residue *r = &residues[order];
        *r = (struct residue){.order = order, .rests = rests + order * count};
        if (order == 0 || spread > SPREAD_MAX) {
            residue_fill(r, values, count);
            residue_divide(r, 1);
        } else {
            residue_derive(r, r - 1, values, count);
        }
        residue_measure(r);
        size_t bytes = r->packed_bytes < r->varint_bytes ? r->packed_bytes : r->varint_bytes;
        if (bytes < best_bytes) {
            best_bytes = bytes;
            best = order;
        }
    }
    bool is_packed = residues[best].packed_bytes <= residues[best].varint_bytes;
    *encoding_out = (uint8_t)(1 + 2 * best + (is_packed ? 1 : 0));
    residue_append(&residues[best], is_packed, out);
}

/* ---- decoding ---- */

static uint64_t load_word(const unsigned char *at)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
#else
    return get_u64(at);
#endif
}

/* Unpack one group into `to`; multiplies by `divisor`. */
static bool decode_group(struct decoder *d, size_t count, uint64_t divisor, int64_t *to)
{
    unsigned char copy[GROUP_BYTES_MAX + DECODE_SLACK];
    uint64_t least = (uint64_t)decode_zigzag(d);
    unsigned width = decode_u8(d);
    if (width > 64) {
        return false;
    }
    size_t bytes = (count * width + 7) / 8;
    const unsigned char *from = decode_run(d, bytes);
    if (from == NULL) {
        return false;
    }
    if (decoder_left(d) < DECODE_SLACK) { /* a word read at the end must stay inside */
        memcpy(copy, from, bytes);
        memset(copy + bytes, 0, DECODE_SLACK);
        from = copy;
    }
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    size_t bit = 0;
    for (size_t i = 0; i < count; i++, bit += width) {
        unsigned shift = (unsigned)(bit & 7);
        uint64_t word = load_word(from + (bit >> 3)) >> shift;
        if (width + shift > 64) {
            word |= (uint64_t)from[(bit >> 3) + 8] << (64 - shift);
        }
        to[i] = (int64_t)(((word & mask) + least) * divisor);
    }
    return true;
}

static bool decode_rests(struct decoder *d, bool is_packed, size_t count, uint64_t divisor,
                         int64_t *to)
{
    if (!is_packed) {
        for (size_t i = 0; i < count; i++) {
            to[i] = (int64_t)((uint64_t)decode_zigzag(d) * divisor);
        }
        return !d->is_bad;
    }
    for (size_t at = 0; at < count; at += INT_COLUMN_GROUP) {
        size_t size = count - at < INT_COLUMN_GROUP ? count - at : INT_COLUMN_GROUP;
        if (!decode_group(d, size, divisor, to + at)) {
            return false;
        }
    }
    return !d->is_bad;
}

bool int_column_decode(struct decoder *d, uint8_t encoding, size_t count, int64_t *values_out)
{
    if (encoding >= INT_COLUMN_ENCODINGS) {
        return false;
    }
    if (encoding == 0) {
        int64_t value = decode_zigzag(d);
        for (size_t i = 0; i < count; i++) {
            values_out[i] = value;
        }
        return !d->is_bad;
    }
    unsigned order = (encoding - 1u) / 2;
    uint64_t divisor = decode_varint(d);
    uint64_t at = (uint64_t)decode_zigzag(d);
    uint64_t step = order == 2 ? (uint64_t)decode_zigzag(d) : 0;
    size_t skipped = order == 2 ? 2 : 1;
    if (d->is_bad || count < skipped ||
        !decode_rests(d, encoding % 2 == 0, count - skipped, divisor, values_out + skipped)) {
        return false;
    }
    uint64_t first = at;
    values_out[0] = (int64_t)first;
    if (order == 2) {
        at += step;
        values_out[1] = (int64_t)at;
    }
    for (size_t i = skipped; order == 0 && i < count; i++) {
        values_out[i] = (int64_t)(first + (uint64_t)values_out[i]);
    }
    for (size_t i = skipped; order == 1 && i < count; i++) {
        at += (uint64_t)values_out[i];
        values_out[i] = (int64_t)at;
    }
    for (size_t i = skipped; order == 2 && i < count; i++) {
        step += (uint64_t)values_out[i];
        at += step;
        values_out[i] = (int64_t)at;
    }
    return true;
}
