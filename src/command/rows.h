/* rows.h -- replies of many values, in bounded memory.
 *
 * Problem: a reply says first how many values it has, and a walk knows that at its end.  Approach:
 * the first walk builds values until they fill ROWS_KEPT_BYTES, and from there on only counts; then
 * the head and what was built leave, and a second walk of the same moment builds the rest, which
 * leaves in parts (reply.h) as fast as the connection takes it.  A reply that is not that large
 * costs one walk.  Where nothing can leave in parts (EXEC, HTTP, CLIENT REPLY OFF) all of it is
 * built, up to REPLY_BYTES_MAX.
 *
 *     struct rows rows;
 *     rows_begin(&rows, call);
 *     do {
 *         ... walk: for each value, if (rows_want(&rows)) { reply_...(); st = rows_told(&rows,
 * ...); } } while (rows_again(&rows, st, &error));
 *
 * Both walks must tell the same: they name one moment.  Where an erasure or the horizon came
 * between, the connection is closed with its reply unfinished, as nothing else can be said any
 * more.
 */
#ifndef YORE_COMMAND_ROWS_H
#define YORE_COMMAND_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include <yore/yore.h>

struct call;

struct rows {
    struct call *call;
    size_t begun;
    size_t count;     /* rows of this walk so far */
    size_t kept;      /* rows that the first walk has built */
    size_t total;     /* of the first walk */
    size_t bytes_max; /* of a reply that cannot leave in parts: REPLY_BYTES_MAX, may be set */
    bool is_single;   /* may be set: there is no second walk, all of it is built */
    bool is_counting;
    bool is_second;
};

void rows_begin(struct rows *rows, struct call *call);
/* One row more: is it to be built? */
bool rows_want(struct rows *rows);
/* It was.  Errors: YORE_TOO_BIG (text says so), YORE_CANCELLED: nobody will read it, stop. */
enum yore_status rows_told(struct rows *rows, struct yore_error *error_out);
/* The walk ended with `st`, YORE_OK or YORE_NOT_FOUND where it came to its end; true: walk again.
 * False: the reply is complete, if only by an error. */
bool rows_again(struct rows *rows, enum yore_status st, const struct yore_error *error);

#endif
