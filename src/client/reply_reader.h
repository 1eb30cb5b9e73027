/* reply_reader.h -- replies of RESP2 and RESP3 become flat lists of values (include/yore/client.h).
 *
 * Incremental and iterative: the octets may come in any pieces, and arrays may hold arrays only
 * CLIENT_DEPTH_MAX deep.  Any thread, one at a time.
 */
#ifndef YORE_CLIENT_REPLY_READER_H
#define YORE_CLIENT_REPLY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/client.h>

#include "client/limits.h"

enum reply_result { REPLY_MORE, REPLY_WHOLE, REPLY_BAD, REPLY_NOMEM };

/* A zeroed struct is a new reader. */
struct reply_reader {
    struct yore_client_value *values; /* of a whole reply; bytes point into the octets read */
    size_t count;
    const char *problem; /* of REPLY_BAD */

    /* The reader's own. */
    size_t capacity;
    size_t position; /* octets done with */
    uintptr_t base;  /* where the octets of the values so far begin */
    size_t depth;
    size_t open[CLIENT_DEPTH_MAX]; /* aggregates that are not complete: their indexes ... */
    size_t left[CLIENT_DEPTH_MAX]; /* ... and the items they lack */
    bool is_done;                  /* the next call begins a reply */
};

void reply_reader_release(struct reply_reader *reader);

/* Read one reply from `data`, whose first octet is the reply's first.  REPLY_WHOLE: `*size_out`
 * octets of it; values are valid while `data` is.  REPLY_MORE: call again with the same octets and
 * more. */
enum reply_result reply_read(struct reply_reader *reader, struct yore_bytes data, size_t *size_out);

#endif
