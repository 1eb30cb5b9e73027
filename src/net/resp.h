/* resp.h -- reading requests of the Redis protocol: arrays of bulk strings, and inline commands.
 *
 *     *2\r\n $3\r\nGET\r\n $1\r\nk\r\n         (no blanks between)        a request of two words
 *     GET "a key"\r\n                                                     the same kind, inline
 *
 * The parser is incremental and copies nothing it need not: words point into the caller's octets,
 * but for those of inline commands.  It knows where these began, so the caller may move them
 * between calls.  Any thread, one at a time.
 */
#ifndef YORE_NET_RESP_H
#define YORE_NET_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

enum resp_result {
    RESP_MORE,    /* the request is not whole yet */
    RESP_REQUEST, /* args and arg_count hold one */
    RESP_ERROR,   /* not the protocol: error_text says why; answer it and close */
    RESP_NOMEM    /* out of memory */
};

/* What a client may send; before it has logged in less. */
struct resp_limits {
    bool is_login; /* not logged in: texts of errors say so */
    size_t args_max;
    size_t arg_bytes_max;
};

/* A zeroed struct is a new parser. */
struct resp_parser {
    struct yore_bytes *args; /* of a whole request; valid while the octets parsed stay in place */
    size_t arg_count;
    char error_text[80]; /* "Protocol error: ..." */

    /* The rest is the parser's own. */
    size_t capacity; /* of args */
    uintptr_t base;  /* where the octets begin that the words so far point into */
    size_t wanted;   /* words of the array being read; 0: its head is not read yet */
    size_t bulk_size;
    bool has_bulk_size;
    size_t position;        /* octets of the request that are done with */
    size_t scanned;         /* ... and in which no line ends */
    struct buffer unquoted; /* words of an inline command */
};

void resp_parser_release(struct resp_parser *p);

/* Read one request from `data`, whose first octet is the first that was not consumed by earlier
 * calls.  `*consumed_out` octets are done with: the whole request, or empty ones that were passed
 * over.  RESP_MORE: call again with what is left and more. */
enum resp_result resp_parse(struct resp_parser *p, struct yore_bytes data,
                            const struct resp_limits *limits, size_t *consumed_out);

/* The octets of the request that resp_parse() found whole have moved to `data`: let its words point
 * there. */
void resp_rebase(struct resp_parser *p, struct yore_bytes data);

/* How many octets are missing at least before the request can be whole, once that is known; else 0.
 */
size_t resp_missing(const struct resp_parser *p, size_t size);

/* The memory it has for the words of requests; their octets are the caller's. */
size_t resp_parser_bytes(const struct resp_parser *p);

#endif
