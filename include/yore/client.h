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

/* What carries the octets of a connection where they do not go as they are: TLS, which this library
 * leaves to whoever has a library for it.  Used by the thread of the client; `read` and `write`
 * take and return what the client's own do: `read` YORE_NOT_FOUND when nothing came within the
 * time, both YORE_IO when the connection is lost. */
struct yore_client_wire {
    void *arg;
    /* Take over the connected, non-blocking socket `fd`, which stays the client's to close; `host`
     * is whom the other side has to prove to be. */
    enum yore_status (*open)(void *arg, int fd, const char *host, int64_t timeout_ns,
                             void **channel_out, struct yore_error *error_out);
    enum yore_status (*read)(void *channel, void *data, size_t size, int64_t timeout_ns,
                             size_t *read_out, struct yore_error *error_out);
    enum yore_status (*write)(void *channel, const void *data, size_t size, int64_t timeout_ns,
                              struct yore_error *error_out);
    void (*close)(void *channel);
};

struct yore_client_options {
    const char *user;     /* NULL: the one of the URL, or "default" */
    const char *password; /* NULL: the one of the URL, or none */
    int64_t timeout_ns;   /* of sending and of waiting for octets, and at most 30 s of connecting;
                             0: 30 s, YORE_FOREVER: no limit */
    const struct yore_client_wire *wire; /* for rediss:// and yores://; copied, may be NULL */
    /* Asked about ten times a second while an answer is waited for; true ends the call with
     * YORE_CANCELLED.  May be NULL. */
    bool (*should_stop)(void *arg);
    void *stop_arg;
};

/* Connect, log in where a user or a password is named, speak RESP3.  A user without a password logs
 * in with an empty one, which the server refuses unless that user needs none.  `url` is
 * redis://[user[:password]@]host[:port][/database], or unix:///path/of/socket[?db=N]; yore:// is
 * redis://, and rediss:// and yores:// are the same over TLS.  %XX in user and password is an
 * octet.  `options` may be NULL.  Errors: YORE_INVALID (the URL), YORE_IO (nobody listens, the time
 * passed), YORE_READ_ONLY (the server refused user or password), YORE_BAD_FORMAT (it speaks
 * something else), YORE_UNSUPPORTED (TLS without a wire). */
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

/* Send a command whose reply is an array that may be larger than memory, and have its items told
 * one at a time.  `*reply_out` NULL: it is one, call yore_client_next_row(); else the reply is
 * something else (an error), whole.  Until the last row was told nothing else can be sent: close
 * the client to stop earlier. */
YORE_API enum yore_status yore_client_rows(struct yore_client *client,
                                           const struct yore_bytes *words, size_t count,
                                           const struct yore_client_reply **reply_out,
                                           struct yore_error *error_out) YORE_MUST_USE;
/* The next item, borrowed until the next call.  YORE_NOT_FOUND: that was the last one. */
YORE_API enum yore_status yore_client_next_row(struct yore_client *client,
                                               const struct yore_client_reply **reply_out,
                                               struct yore_error *error_out) YORE_MUST_USE;
/* Can another command be sent?  Not after a failure, within rows, nor once the server has closed
 * the connection or has sent what nobody asked for: then open another. */
YORE_API bool yore_client_is_usable(struct yore_client *client);

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
