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

static inline void put_u32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (unsigned char)(v >> (8 * i));
    }
}
static inline void put_u64(unsigned char *to, uint64_t v)
{
    for (int i = 0; i < 8; i++) {
        to[i] = (unsigned char)(v >> (8 * i));
    }
}
static inline uint32_t get_u32(const unsigned char *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}
static inline uint64_t get_u64(const unsigned char *from)
{
    return (uint64_t)get_u32(from) | (uint64_t)get_u32(from + 4) << 32;
}
static inline uint64_t get_u64_big_endian(const unsigned char *from)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) {
        v = v << 8 | from[i];
    }
    return v;
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
size_t varint_encode(unsigned char *to, uint64_t v);
size_t varint_size(uint64_t v);

/* A reader over untrusted bytes.  After the first get that does not fit or is malformed `is_bad`
 * stays true and every get returns 0 or an empty run, so a parser checks once, at its end. */
struct decoder {
    const unsigned char *at;
    const unsigned char *end;
    bool is_bad;
};
void decoder_init(struct decoder *d, const void *data, size_t size);
size_t decoder_left(const struct decoder *d);
uint8_t decode_u8(struct decoder *d);
uint32_t decode_u32(struct decoder *d);
uint64_t decode_u64(struct decoder *d);
uint64_t decode_varint(struct decoder *d);
int64_t decode_zigzag(struct decoder *d);
const unsigned char *decode_run(struct decoder *d, size_t size); /* NULL when it does not fit */

#endif
