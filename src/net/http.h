/* http.h -- reading requests of HTTP/1.1 (RFC 9110, 9112), strictly: what two readers could take
 * for different requests is refused, never repaired.
 *
 * Refused are: a line that does not end in CR LF, blanks before a colon, folded headers, control
 * characters, two Hosts, two lengths, a length beside a transfer coding, a coding other than
 * chunked.  Nothing is copied: names and values point into the caller's octets.  Any thread.
 */
#ifndef YORE_NET_HTTP_H
#define YORE_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "net/limits.h"

enum http_result {
    HTTP_MORE,  /* not whole yet */
    HTTP_WHOLE, /* a head, or the end of a body */
    HTTP_BAD    /* status and problem say what to answer before closing */
};

struct http_header {
    struct yore_bytes name; /* as written: compare with http_header_find() */
    struct yore_bytes value;
};

struct http_head {
    struct yore_bytes method;
    struct yore_bytes path;  /* begins with /, still percent-encoded */
    struct yore_bytes query; /* behind the ?, still encoded; empty: none */
    struct yore_bytes host;  /* of the target where that names one (RFC 9112, 3.2.2) */
    bool is_http10;
    bool keeps_alive;
    bool expects_continue;
    bool has_body;
    bool is_chunked;
    uint64_t content_length; /* where it is not chunked */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    unsigned status;     /* of HTTP_BAD */
    const char *problem; /* of HTTP_BAD: one sentence, constant */
};

/* Read a head from `data`, whose first octet is the first after the last request.  `*size_out`:
 * octets it takes, of HTTP_WHOLE only.  `scanned` (0 at first, the caller's to keep) remembers how
 * far an incomplete head was looked at. */
enum http_result http_head_parse(struct yore_bytes data, size_t *scanned, struct http_head *head,
                                 size_t *size_out);

/* The value of a header, empty when there is none; `name` in lower case.  Several of one name: the
 * first. */
struct yore_bytes http_header_find(const struct http_head *head, const char *name);

/* Is `text` the word `lower`, letter case apart? */
bool http_is_word(struct yore_bytes text, const char *lower);
/* Does a list such as "a, b;q=1" name `lower`?  Parameters are ignored. */
bool http_list_has(struct yore_bytes list, const char *lower);

/* ---- bodies ---- */

enum http_body_state {
    HTTP_BODY_DATA, /* `left` octets to come */
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_END, /* the CR LF behind a chunk */
    HTTP_TRAILERS,
    HTTP_BODY_DONE
};

struct http_body {
    enum http_body_state state;
    uint64_t left;
    size_t trailer_bytes;
};

void http_body_init(struct http_body *body, const struct http_head *head);
/* Take the next octets: `*payload_out` (into `data`) is what they hold of the body, `*taken_out`
 * how many are done with.  HTTP_WHOLE: the body has ended, nothing more belongs to it; HTTP_MORE:
 * call again with what is left, unless nothing was taken: then with more. */
enum http_result http_body_take(struct http_body *body, struct yore_bytes data,
                                struct yore_bytes *payload_out, size_t *taken_out);

/* ---- paths and queries ---- */

/* Undo percent-encoding (and in a query, + for a blank); false: a % that is none. */
bool http_decode(struct yore_bytes text, bool is_query, struct buffer *out);
/* The raw value of `name` in a query, in `value_out`; false: it is not there. */
bool http_query_find(struct yore_bytes query, const char *name, struct yore_bytes *value_out);

const char *http_reason(unsigned status);

#endif
