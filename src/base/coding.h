/* coding.h -- integers to bytes and back: the only way numbers reach disk or wire.
 *
 * Fixed width is little-endian.  Varints are LEB128, at most 10 octets; zigzag folds the sign into
 * bit 0. */
#ifndef YORE_BASE_CODING_H
#define YORE_BASE_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VARINT_BYTES_MAX 10

/* Between a number and the one whose octets in memory are its little-endian ones. */
static inline uint32_t little_u32(uint32_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}
static inline uint64_t little_u64(uint64_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}
static inline void put_u32(unsigned char *to, uint32_t v)
{
    v = little_u32(v);
    memcpy(to, &v, sizeof(v));
}
static inline void put_u64(unsigned char *to, uint64_t v)
{
    v = little_u64(v);
    memcpy(to, &v, sizeof(v));
}
static inline uint32_t get_u32(const unsigned char *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof(v));
    return little_u32(v);
}
static inline uint64_t get_u64(const unsigned char *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof(v));
    return little_u64(v);
}
static inline uint64_t get_u64_big_endian(const unsigned char *from)
{
    return __builtin_bswap64(get_u64(from));
}
static inline uint64_t zigzag_encode(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t zigzag_decode(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Encode; returns the octets written (1..10).  `to` has room for VARINT_BYTES_MAX. */
size_t varint_encode_long(unsigned char *to, uint64_t v); /* as varint_encode() */
static inline size_t varint_encode(unsigned char *to, uint64_t v)
{
    if (v < 0x80) { /* most */
        to[0] = (unsigned char)v;
        return 1;
    }
    return varint_encode_long(to, v);
}
size_t varint_size(uint64_t v);

/* A reader over untrusted bytes.  After the first get that does not fit or is malformed `is_bad`
 * stays true and every get returns 0 or an empty run, so a parser checks once, at its end. */
struct decoder {
    const unsigned char *at;
    const unsigned char *end;
    bool is_bad;
};
void decoder_init(struct decoder *d, const void *data, size_t size);
static inline size_t decoder_left(const struct decoder *d)
{
    return (size_t)(d->end - d->at);
}
uint64_t decode_varint_long(struct decoder *d); /* as decode_varint() */
static inline uint64_t decode_varint(struct decoder *d)
{
    if (d->at < d->end && *d->at < 0x80) { /* most */
        return *d->at++;
    }
    return decode_varint_long(d);
}
/* Pass over so many varints, which are not checked but for their ends. */
void decode_past(struct decoder *d, uint64_t count);
static inline int64_t decode_zigzag(struct decoder *d)
{
    return zigzag_decode(decode_varint(d));
}
const unsigned char *decode_run(struct decoder *d, size_t size); /* NULL when it does not fit */
static inline uint32_t decode_u32(struct decoder *d)
{
    const unsigned char *run = decode_run(d, 4);
    return run != NULL ? get_u32(run) : 0;
}
static inline uint64_t decode_u64(struct decoder *d)
{
    if (decoder_left(d) >= 8) { /* nothing is left of one that is bad */
        uint64_t v = get_u64(d->at);
        d->at += 8;
        return v;
    }
    (void)decode_run(d, 8);
    return 0;
}
static inline uint8_t decode_u8(struct decoder *d)
{
    const unsigned char *run = d->at < d->end && !d->is_bad ? d->at++ : decode_run(d, 1);
    return run != NULL ? run[0] : 0;
}

#endif
