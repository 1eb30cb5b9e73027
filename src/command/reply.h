/* reply.h -- replies built straight into a buffer, in RESP2 or RESP3 as the client speaks.
 *
 * One builder call a value; maps, sets and pushes become what the protocol has for them (a map is a
 * flat array of twice the length in RESP2, a double a bulk string, ...).  A whole reply is one
 * value. Out of memory marks the buffer (reply->out.is_nomem) and is checked once, by whoever sends
 * it: it closes the connection.
 *
 * Long replies leave in parts: where `drain` is set, reply_part() hands it the buffer once that
 * holds REPLY_PART_BYTES, and waits until the connection has taken enough of it.  Thread: the
 * client's.
 */
#ifndef YORE_COMMAND_REPLY_H
#define YORE_COMMAND_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct reply {
    struct buffer out; /* what is to be sent; whoever made the reply takes it */
    int protocol;      /* 2 or 3: command_run() sets it to the client's */
    /* NULL: the whole reply stays in `out`.  Else: take what `out` holds (and clear it), block
     * while the connection has too much to send; false when it is gone: then the command ends. */
    bool (*drain)(void *arg, struct reply *reply);
    void *drain_arg;
    bool has_parted; /* some of it has left: `out` holds the rest */
    bool is_gone;    /* drain has said so: appends go on, but nobody will read them */
};

/* `protocol` 2 or 3, no drain. */
void reply_init(struct reply *reply, int protocol);
void reply_release(struct reply *reply);

void reply_status(struct reply *reply, const char *text); /* "+text" */
/* "-text": `text` begins with its code ("ERR ...").  Line ends inside become blanks. */
void reply_error(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reply_int(struct reply *reply, int64_t number);
void reply_bulk(struct reply *reply, struct yore_bytes bytes);
void reply_text(struct reply *reply, const char *text); /* a bulk string */
void reply_double(struct reply *reply, double number);
void reply_bool(struct reply *reply, bool is_true); /* an integer in RESP2 */
void reply_verbatim(struct reply *reply, const char type[3], struct yore_bytes bytes);
void reply_null(struct reply *reply);       /* "$-1" in RESP2 */
void reply_null_array(struct reply *reply); /* "*-1" in RESP2 */
/* Heads; that many values follow, of a map twice as many. */
void reply_array(struct reply *reply, size_t count);
void reply_map(struct reply *reply, size_t count);
void reply_set(struct reply *reply, size_t count);
void reply_push(struct reply *reply, size_t count);
/* The text of a double as replies show it: "3.5", "inf", "-inf", "nan". */
#define REPLY_DOUBLE_BYTES 40
size_t reply_double_text(double number, char text[REPLY_DOUBLE_BYTES]);

/* An array whose count is known only at its end.  It is built in parts of its own: begin, values,
 * end with their number.  Nests.  Between begin and end nothing may drain. */
size_t reply_array_begin(struct reply *reply);
void reply_array_end(struct reply *reply, size_t begun, size_t count);

/* Hand over what is ready, if it is much.  False: the connection is gone, stop. */
bool reply_part(struct reply *reply);

#endif
