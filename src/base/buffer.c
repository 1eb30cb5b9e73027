#include "base/buffer.h"

#include "base/checked.h"
#include "base/coding.h"
#include "base/mem.h"

#define BUFFER_BYTES_MIN 64

void buffer_release(struct buffer *b)
{
    mem_free(b->data);
    *b = (struct buffer){0};
}

void buffer_clear(struct buffer *b)
{
    b->size = 0;
}

bool buffer_reserve(struct buffer *b, size_t more)
{
    size_t needed;
    if (b->is_nomem || !checked_add_size(b->size, more, &needed)) {
        b->is_nomem = true;
        return false;
    }
    if (needed <= b->capacity) {
        return true;
    }
    size_t capacity = b->capacity > BUFFER_BYTES_MIN / 2 ? b->capacity : BUFFER_BYTES_MIN / 2;
    if (!checked_mul_size(capacity, 2, &capacity) || capacity < needed) {
        capacity = needed;
    }
    unsigned char *data = mem_realloc(b->data, capacity);
    if (data == NULL) {
        b->is_nomem = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

unsigned char *buffer_extend(struct buffer *b, size_t more)
{
    /* At least one octet of room, so that extending an empty buffer by nothing is not mistaken for
     * failure. */
    if (!buffer_reserve(b, more > 0 ? more : 1)) {
        return NULL;
    }
    unsigned char *at = b->data + b->size;
    b->size += more;
    return at;
}

void buffer_append(struct buffer *b, const void *data, size_t size)
{
    if (size == 0) {
        return;
    }
    unsigned char *at = buffer_extend(b, size);
    if (at != NULL) {
        memcpy(at, data, size);
    }
}

void buffer_append_bytes(struct buffer *b, struct yore_bytes bytes)
{
    buffer_append(b, bytes.data, bytes.size);
}

void buffer_append_u8(struct buffer *b, uint8_t v)
{
    buffer_append(b, &v, 1);
}

void buffer_append_u32(struct buffer *b, uint32_t v)
{
    unsigned char *at = buffer_extend(b, 4);
    if (at != NULL) {
        put_u32(at, v);
    }
}

void buffer_append_u64(struct buffer *b, uint64_t v)
{
    unsigned char *at = buffer_extend(b, 8);
    if (at != NULL) {
        put_u64(at, v);
    }
}

void buffer_append_varint(struct buffer *b, uint64_t v)
{
    if (buffer_reserve(b, VARINT_BYTES_MAX)) {
        b->size += varint_encode(b->data + b->size, v);
    }
}

void buffer_append_zigzag(struct buffer *b, int64_t v)
{
    buffer_append_varint(b, zigzag_encode(v));
}

struct yore_bytes buffer_bytes(const struct buffer *b)
{
    return bytes_of(b->data, b->size);
}
