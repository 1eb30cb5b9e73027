/* server.h -- what all Bolt sessions share, and what they ask of whoever owns the connections.
 *
 * This layer knows no sockets and no users.  Who does (server) makes one `bolt_server` a process
 * and one `bolt_session` a connection (session.h); rights and logins are asked for through the
 * port.
 */
#ifndef YORE_BOLT_SERVER_H
#define YORE_BOLT_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/bytes.h"
#include "base/status.h"

struct bolt_server;
struct graph_pool;
struct query_cache;

/* A request that ended, for logs. */
struct bolt_event {
    const char *request;     /* "RUN", "LOGON", ... */
    struct yore_bytes graph; /* size 0: it names none */
    struct yore_bytes user;  /* of a login */
    bool is_write;
    bool is_denied;   /* by rights, or a wrong login */
    const char *code; /* of a failure; NULL: it went well */
};

/* `conn` is what bolt_session_new() was given.  All but `ran` and `send_now` are called on the
 * thread of the session's turn. */
struct bolt_port {
    void *arg;
    /* Check a password; at pace BOLT_LOGIN.  True: the connection acts as that user from now on.
     * `*wait_ns_out` above 0: it was not looked at, and will not be for so long. */
    bool (*log_in)(void *arg, void *conn, struct yore_bytes user, struct yore_bytes password,
                   int64_t *wait_ns_out);
    /* Nobody is logged in any more.  False: no memory; the connection ends. */
    bool (*log_out)(void *arg, void *conn);
    /* Has it logged in, or need nobody? */
    bool (*is_trusted)(void *arg, void *conn);
    /* May it read from, or write to, a graph?  Why not goes to `error_out`. */
    bool (*may)(void *arg, void *conn, struct yore_bytes graph, bool writes,
                struct yore_error *error_out);
    /* May it look at that moment of the past?  YORE_TIME_MIN: at all of it. */
    bool (*may_look)(void *arg, void *conn, int64_t moment);
    /* Must requests that write, or all, wait?  Then a turn says BOLT_LATER. */
    bool (*is_paused)(void *arg, void *conn, bool writes);
    /* What a statement may take where the client names no time; 0: the default of the query
     * layer. */
    void (*limits)(void *arg, uint64_t *time_ns_out, uint64_t *memory_bytes_out);
    void (*tell)(void *arg, void *conn, const struct bolt_event *event);
    /* A statement has ended, well or not; what its client took between its parts is not in
     * `time_ns`.  Any thread. */
    void (*ran)(void *arg, int64_t time_ns);
    /* Has the client left?  Must not block. */
    bool (*is_gone)(void *arg, void *conn);
    /* Send octets ahead of what runs (any thread, with a lock of this layer held: it must neither
     * block nor call back). */
    void (*send_now)(void *arg, void *conn, struct yore_bytes octets);
};

struct bolt_options {
    struct yore_db *db;              /* kept */
    struct graph_pool *graphs;       /* kept */
    struct query_cache *queries;     /* kept */
    enum yore_durability durability; /* of commits */
    const char *path;                /* the database's directory: hidden from clients; kept */
    const char *graph;               /* the one of clients that name none; kept */
    int64_t keep_alive_ns; /* a NOOP is sent where a request takes so long; clients are told to wait
                              for three of them */
    struct bolt_port port;
};

/* Errors: YORE_NOMEM. */
enum yore_status bolt_server_new(const struct bolt_options *options,
                                 struct bolt_server **server_out);
/* Every session must have been freed.  NULL is ignored. */
void bolt_server_free(struct bolt_server *server);
/* What comes due with time: keep-alives, and the ends of what closed sessions left behind.  By one
 * thread at a time, one that may block; returns the nanoseconds after which it wants to be called
 * again. */
int64_t bolt_server_tick(struct bolt_server *server);

struct bolt_stats {
    uint64_t sessions;     /* open now */
    uint64_t transactions; /* open now, those of single statements included */
    uint64_t requests;
    uint64_t failures;
    uint64_t statements;
    uint64_t rows;
    uint64_t interrupted; /* requests ended by a RESET */
};
void bolt_server_stats(struct bolt_server *server, struct bolt_stats *stats_out);

#endif
