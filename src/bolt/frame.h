/* frame.h -- messages in chunks: a length of 16 bits, big-endian, and so many octets; a chunk of
 * length 0 ends the message.  One of length 0 where no message has begun keeps the connection alive
 * (NOOP) and says nothing.
 */
#ifndef YORE_BOLT_FRAME_H
#define YORE_BOLT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

/* ---- reading ---- */

/* A message on its way in.  Zeroed: nothing has come. */
struct frame_reader {
    struct buffer message; /* put together so far; whole after FRAME_WHOLE, until the next read */
    size_t chunk_left;     /* octets of the chunk that are still to come */
    unsigned char head;    /* the first octet of a chunk's length ... */
    bool has_head;         /* ... if it has come alone */
    bool is_whole;
    bool is_too_big; /* and stays so */
};

enum frame_result {
    FRAME_MORE,    /* octets are wanted */
    FRAME_WHOLE,   /* reader->message is one */
    FRAME_TOO_BIG, /* it has more than `bytes_max` octets; the connection is lost */
    FRAME_NOMEM
};

/* Take from `input` up to the end of a message; `*consumed_out` says how many octets. */
enum frame_result frame_read(struct frame_reader *reader, struct yore_bytes input, size_t bytes_max,
                             size_t *consumed_out);
/* The message is done with; memory up to BOLT_MESSAGE_KEPT_BYTES stays. */
void frame_reader_clear(struct frame_reader *reader);
void frame_reader_release(struct frame_reader *reader);

/* ---- writing ---- */

/* Begin a message at the end of `to`; what is appended up to frame_end() is its octets. */
size_t frame_begin(struct buffer *to);
void frame_end(struct buffer *to, size_t begin);

/* ---- watching ---- */

/* Finds messages of one octet's signature and no fields in a stream that somebody else reads: a
 * RESET interrupts what runs, so it has to be seen before its turn.  Zeroed: the stream begins,
 * with the handshake. */
struct frame_watch {
    size_t preamble; /* octets of the handshake seen */
    size_t chunk_left;
    size_t size;            /* of the message, seen so far */
    unsigned char begin[2]; /* of it */
    unsigned char head;
    bool has_head;
    bool has_said_goodbye; /* the last message was a GOODBYE */
    uint32_t resets;       /* RESETs seen */
};

void frame_watch_see(struct frame_watch *watch, struct yore_bytes octets);

#define FRAME_PREAMBLE_BYTES 20u

#endif
