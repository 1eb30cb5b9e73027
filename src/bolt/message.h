/* message.h -- requests of clients, decoded, and answers.
 *
 * A message is a structure of PackStream: its signature says which it is.  Maps of metadata are
 * read leniently, as clients of later versions may say more; what is read of them is checked.
 * Everything decoded lives in the arena of the unpacker.
 */
#ifndef YORE_BOLT_MESSAGE_H
#define YORE_BOLT_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "bolt/packstream.h"
#include "bolt/version.h"

/* X(NAME, signature, fields, since major, since minor) */
#define BOLT_REQUEST_LIST(X)                                                                       \
    X(HELLO, 0x01, 1, 4, 4)                                                                        \
    X(GOODBYE, 0x02, 0, 4, 4)                                                                      \
    X(RESET, 0x0F, 0, 4, 4)                                                                        \
    X(RUN, 0x10, 3, 4, 4)                                                                          \
    X(BEGIN, 0x11, 1, 4, 4)                                                                        \
    X(COMMIT, 0x12, 0, 4, 4)                                                                       \
    X(ROLLBACK, 0x13, 0, 4, 4)                                                                     \
    X(DISCARD, 0x2F, 1, 4, 4)                                                                      \
    X(PULL, 0x3F, 1, 4, 4)                                                                         \
    X(TELEMETRY, 0x54, 1, 5, 4)                                                                    \
    X(ROUTE, 0x66, 3, 4, 4)                                                                        \
    X(LOGON, 0x6A, 1, 5, 1)                                                                        \
    X(LOGOFF, 0x6B, 0, 5, 1)

enum bolt_request_kind {
#define BOLT_REQUEST_ENUM(name, signature, fields, major, minor) BOLT_##name = signature,
    BOLT_REQUEST_LIST(BOLT_REQUEST_ENUM)
#undef BOLT_REQUEST_ENUM
};

enum bolt_answer_kind {
    BOLT_SUCCESS = 0x70,
    BOLT_RECORD = 0x71,
    BOLT_IGNORED = 0x7E,
    BOLT_FAILURE = 0x7F
};

/* HELLO (before 5.1), LOGON. */
struct bolt_login {
    struct yore_bytes scheme; /* size 0: "none" */
    struct yore_bytes principal;
    struct yore_bytes credentials;
};

/* RUN and BEGIN: how the transaction is to be. */
struct bolt_scope {
    struct yore_bytes database; /* size 0: the one of the server */
    bool is_read_only;
    bool has_timeout;
    uint64_t timeout_ms; /* 0: none */
    struct yore_graph_list bookmarks;
};

struct bolt_request {
    enum bolt_request_kind kind;
    bool has_utc_patch;        /* HELLO of 4.4: datetimes as in 5.0 */
    struct yore_bytes address; /* HELLO, ROUTE: as whom the client asked for the server; or none */
    struct yore_bytes agent;   /* HELLO */
    struct bolt_login login;
    struct yore_bytes text; /* RUN */
    struct yore_graph_map parameters;
    struct bolt_scope scope; /* RUN, BEGIN, ROUTE (bookmarks and database) */
    int64_t count;           /* PULL, DISCARD: rows; -1: all */
    int64_t result;          /* PULL, DISCARD: which; -1: the last */
};

/* "RUN"; NULL: no request has that signature. */
const char *bolt_request_name(uint8_t signature);
/* The signature of a message, which does not have to be whole or good; 0: it has none. */
uint8_t bolt_message_signature(struct yore_bytes message);

/* Decode a message.  Errors: those of unpack_value(); YORE_INVALID also for a message that is none
 * of `version`, one with too few or many fields, metadata of a wrong type, octets behind it. */
enum yore_status bolt_request_decode(struct unpacker *from, struct bolt_version version,
                                     struct bolt_request *request_out,
                                     struct yore_error *error_out);

/* ---- answers; each is a whole message in chunks ---- */

void bolt_put_ignored(struct buffer *to);
/* SUCCESS with nothing to say. */
void bolt_put_success(struct buffer *to);
void bolt_put_failure(struct buffer *to, const char *code, const char *text);

#endif
