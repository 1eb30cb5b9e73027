/* client.h -- talking to a Yore server: RESP3 over TCP or a Unix socket, one thread a connection.
 *
 *     struct yore_client *client;
 *     struct yore_error error;
 *     if (yore_client_open("redis://localhost:6379", NULL, &client, &error) == YORE_OK) {
 *         struct yore_bytes words[] = {{"GET", 3}, {"host1", 5}};
 *         const struct yore_client_reply *reply;
 *         if (yore_client_call(client, words, 2, &reply, &error) == YORE_OK) { ... }
 *     }
 *     yore_client_close(client);
 *
 * The conventions of yore.h hold.  Any command of the server can be called; docs/protocol.md has
 * them.  To send many before reading, use yore_client_send() and yore_client_receive().
 */
#ifndef YORE_CLIENT_H
#define YORE_CLIENT_H

#include <yore/yore.h>

#ifdef __cplusplus
extern "C" {
#endif

struct yore_client;

enum yore_client_kind {
    YORE_CLIENT_NULL = 0,
    YORE_CLIENT_STRING = 1, /* bytes */
    YORE_CLIENT_STATUS = 2, /* bytes: "OK" */
    YORE_CLIENT_ERROR = 3,  /* bytes: "ERR ..." */
    YORE_CLIENT_INTEGER = 4,
    YORE_CLIENT_DOUBLE = 5,
    YORE_CLIENT_BOOL = 6,  /* integer 0 or 1 */
    YORE_CLIENT_ARRAY = 7, /* count items */
    YORE_CLIENT_MAP = 8,   /* count pairs: 2 * count items */
    YORE_CLIENT_SET = 9,   /* count items */
    YORE_CLIENT_PUSH = 10  /* count items; a message nobody asked for */
};

/* A value, with those inside it behind it: the items of values[i] begin at values[i + 1], the value
 * behind it and them is values[values[i].next]. */
struct yore_client_value {
    enum yore_client_kind kind;
    struct yore_bytes bytes;
    int64_t integer;
    double number;
    size_t count;
    size_t next;
};

struct yore_client_reply {
    const struct yore_client_value *values; /* at least one */
    size_t count;
};

struct yore_client_options {
    const char *user;     /* NULL: the one of the URL, or "default" */
    const char *password; /* NULL: the one of the URL, or none */
    int64_t timeout_ns;   /* of connecting, sending and receiving; 0: 30 s */
};

/* Connect, log in where a password is given, speak RESP3.  `url` is
 * redis://[user[:password]@]host[:port][/database], or unix:///path/of/socket[?db=N]; `options` may
 * be NULL.  Errors: YORE_INVALID (the URL), YORE_IO (nobody listens, the time passed),
 * YORE_READ_ONLY (the server refused user or password), YORE_BAD_FORMAT (it speaks something else).
 */
YORE_API enum yore_status yore_client_open(const char *url,
                                           const struct yore_client_options *options,
                                           struct yore_client **client_out,
                                           struct yore_error *error_out) YORE_MUST_USE;
YORE_API void yore_client_close(struct yore_client *client);

/* Send a command and wait for its reply, which is borrowed until the next call with this client.
 * An error the server replies with is a reply, of kind YORE_CLIENT_ERROR, and YORE_OK.  Pushes that
 * come before it are dropped; see yore_client_receive().  After any other status than YORE_OK,
 * YORE_INVALID and YORE_NOMEM the connection is of no more use. */
YORE_API enum yore_status yore_client_call(struct yore_client *client,
                                           const struct yore_bytes *words, size_t count,
                                           const struct yore_client_reply **reply_out,
                                           struct yore_error *error_out) YORE_MUST_USE;

/* Send without waiting; replies come in the order of commands. */
YORE_API enum yore_status yore_client_send(struct yore_client *client,
                                           const struct yore_bytes *words, size_t count,
                                           struct yore_error *error_out) YORE_MUST_USE;
/* The next reply or push, borrowed until the next call.  YORE_NOT_FOUND: none within the time. */
YORE_API enum yore_status yore_client_receive(struct yore_client *client, int64_t timeout_ns,
                                              const struct yore_client_reply **reply_out,
                                              struct yore_error *error_out) YORE_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
