#include "bolt/frame.h"

#include <string.h>

#include "bolt/limits.h"
#include "bolt/message.h"

/* ---- reading ----------------------------------------------------------------------------------
 */

/* Take up to a chunk's length; false: more octets are wanted. */
static bool read_length(struct frame_reader *reader, struct yore_bytes *rest, size_t *length_out)
{
    while (rest->size > 0) {
        unsigned char octet = *(const unsigned char *)rest->data;
        *rest = bytes_behind(*rest, 1);
        if (reader->has_head) {
            *length_out = (size_t)reader->head << 8 | octet;
            reader->has_head = false;
            return true;
        }
        reader->head = octet;
        reader->has_head = true;
    }
    return false;
}

enum frame_result frame_read(struct frame_reader *reader, struct yore_bytes input, size_t bytes_max,
                             size_t *consumed_out)
{
    struct yore_bytes rest = input;
    enum frame_result result = reader->is_too_big ? FRAME_TOO_BIG : FRAME_MORE;
    if (reader->is_whole) {
        frame_reader_clear(reader);
    }
    while (result == FRAME_MORE && rest.size > 0) {
        if (reader->chunk_left == 0) {
            size_t length = 0;
            if (!read_length(reader, &rest, &length)) {
                break;
            }
            if (length == 0) {
                reader->is_whole = reader->message.size > 0; /* otherwise a NOOP */
                result = reader->is_whole ? FRAME_WHOLE : FRAME_MORE;
            } else if (length > bytes_max - reader->message.size) {
                reader->is_too_big = true;
                result = FRAME_TOO_BIG;
            }
            reader->chunk_left = length;
            continue;
        }
        size_t size = rest.size < reader->chunk_left ? rest.size : reader->chunk_left;
        buffer_append(&reader->message, rest.data, size);
        reader->chunk_left -= size;
        rest = bytes_behind(rest, size);
        result = reader->message.is_nomem ? FRAME_NOMEM : FRAME_MORE;
    }
    *consumed_out = input.size - rest.size;
    return result;
}

void frame_reader_clear(struct frame_reader *reader)
{
    reader->is_whole = false;
    buffer_clear(&reader->message);
    if (reader->message.capacity > BOLT_MESSAGE_KEPT_BYTES) {
        buffer_release(&reader->message);
    }
}

void frame_reader_release(struct frame_reader *reader)
{
    buffer_release(&reader->message);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put_length(unsigned char *at, size_t length)
{
    at[0] = (unsigned char)(length >> 8);
    at[1] = (unsigned char)length;
}

size_t frame_begin(struct buffer *to)
{
    size_t begin = to->size;
    buffer_append(to, "\0\0", 2);
    return begin;
}

/* Make room for the lengths of all chunks but the first, the last chunk moved first. */
static void spread(unsigned char *body, size_t size)
{
    size_t full = (size - 1) / BOLT_CHUNK_BYTES_MAX; /* chunks before the last */
    for (size_t i = full; i > 0; i--) {
        size_t from = i * BOLT_CHUNK_BYTES_MAX;
        size_t length = i == full ? size - from : BOLT_CHUNK_BYTES_MAX;
        unsigned char *to = body + from + 2 * i;
        memmove(to, body + from, length);
        put_length(to - 2, length);
    }
}

void frame_end(struct buffer *to, size_t begin)
{
    if (to->is_nomem) {
        return;
    }
    size_t size = to->size - begin - 2;
    size_t chunks = (size + BOLT_CHUNK_BYTES_MAX - 1) / BOLT_CHUNK_BYTES_MAX;
    /* The lengths of further chunks, and the end. */
    unsigned char *more = buffer_extend(to, 2 * chunks);
    if (more == NULL) {
        return;
    }
    unsigned char *body = to->data + begin + 2;
    if (chunks > 1) {
        spread(body, size);
    }
    put_length(body - 2, size < BOLT_CHUNK_BYTES_MAX ? size : BOLT_CHUNK_BYTES_MAX);
    put_length(to->data + to->size - 2, 0);
}

/* ---- watching ---------------------------------------------------------------------------------
 */

static void see_end(struct frame_watch *watch)
{
    if (watch->size == 0) {
        return; /* a NOOP */
    }
    bool is_bare = watch->size == 2 && watch->begin[0] == 0xB0;
    watch->resets += is_bare && watch->begin[1] == BOLT_RESET ? 1 : 0;
    watch->has_said_goodbye = is_bare && watch->begin[1] == BOLT_GOODBYE;
    watch->size = 0;
}

static void see_length(struct frame_watch *watch, unsigned char octet)
{
    if (!watch->has_head) {
        watch->head = octet;
        watch->has_head = true;
        return;
    }
    watch->has_head = false;
    watch->chunk_left = (size_t)watch->head << 8 | octet;
    if (watch->chunk_left == 0) {
        see_end(watch);
    }
}

void frame_watch_see(struct frame_watch *watch, struct yore_bytes octets)
{
    size_t skip = FRAME_PREAMBLE_BYTES - watch->preamble;
    skip = skip < octets.size ? skip : octets.size;
    watch->preamble += skip;
    const unsigned char *at = octets.data;
    for (size_t i = skip; i < octets.size;) {
        if (watch->chunk_left == 0) {
            see_length(watch, at[i++]);
            continue;
        }
        size_t size = octets.size - i < watch->chunk_left ? octets.size - i : watch->chunk_left;
        for (size_t k = 0; k < size && watch->size + k < sizeof(watch->begin); k++) {
            watch->begin[watch->size + k] = at[i + k];
        }
        watch->size += size;
        watch->chunk_left -= size;
        i += size;
    }
}
