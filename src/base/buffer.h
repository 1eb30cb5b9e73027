/* buffer.h -- a growing run of octets with one out-of-memory flag, checked once after many appends.
 */
#ifndef YORE_BASE_BUFFER_H
#define YORE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* A zeroed struct is an empty buffer.  After a failed growth `is_nomem` is set and appends do
 * nothing. */
struct buffer {
    unsigned char *data;
    size_t size;
    size_t capacity;
    bool is_nomem;
};

void buffer_release(struct buffer *b);
void buffer_clear(struct buffer *b);                /* size 0, memory kept, is_nomem kept */
bool buffer_reserve(struct buffer *b, size_t more); /* room for `more` octets past size */
unsigned char *buffer_extend(struct buffer *b,
                             size_t more); /* grows size, contents unset; NULL on failure */
void buffer_append(struct buffer *b, const void *data, size_t size);
void buffer_append_bytes(struct buffer *b, struct yore_bytes bytes);
void buffer_append_u8(struct buffer *b, uint8_t v);
void buffer_append_u32(struct buffer *b, uint32_t v);
void buffer_append_u64(struct buffer *b, uint64_t v);
void buffer_append_varint(struct buffer *b, uint64_t v);
void buffer_append_zigzag(struct buffer *b, int64_t v);
struct yore_bytes buffer_bytes(const struct buffer *b);
static inline enum yore_status buffer_status(const struct buffer *b)
{
    return b->is_nomem ? YORE_NOMEM : YORE_OK;
}

#endif
