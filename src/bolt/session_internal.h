/* session_internal.h -- the inside of sessions, for the files of this folder. */
#ifndef YORE_BOLT_SESSION_INTERNAL_H
#define YORE_BOLT_SESSION_INTERNAL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "bolt/frame.h"
#include "bolt/limits.h"
#include "bolt/message.h"
#include "bolt/place.h"
#include "bolt/result.h"
#include "bolt/server_internal.h"
#include "bolt/session.h"
#include "bolt/version.h"

enum bolt_state {
    STATE_HANDSHAKE,
    STATE_NEGOTIATION,
    STATE_AUTHENTICATION,
    STATE_READY,
    STATE_STREAMING,
    STATE_TX_READY,
    STATE_TX_STREAMING,
    STATE_FAILED,
    STATE_DEFUNCT /* the connection ends */
};

/* What BEGIN began. */
struct bolt_txn {
    bool is_open;
    bool is_read_only;
    bool has_written;        /* a statement of it */
    struct place place;      /* a reading one's moment is fixed at BEGIN */
    struct graph *graph;     /* NULL: it is not there yet, or is to be read as of the past ... */
    struct graph_txn *inner; /* ... and NULL with it, and of one that only reads */
    bool has_timeout;
    int64_t deadline_ns; /* monotonic; INT64_MAX: none */
};

/* The PULL or DISCARD under way. */
struct bolt_pull {
    struct bolt_result *result; /* NULL: none is */
    int64_t left;               /* rows; -1: all */
    bool discards;
};

struct bolt_session {
    struct bolt_server *server;
    struct bolt_session *before; /* server->lock */
    struct bolt_session *behind;
    void *conn;
    uint64_t id;
    char address[BOLT_ADDRESS_BYTES_MAX + 1]; /* how clients reach this server */

    enum bolt_state state;
    struct bolt_version version;
    struct pack_dialect dialect;
    unsigned char handshake[BOLT_HANDSHAKE_BYTES];
    size_t handshake_size;
    struct frame_reader reader;
    struct arena arena;   /* of the request under way */
    struct arena scratch; /* of what is packed */
    struct zone_cache *zones;
    struct bolt_request request;
    int64_t begun_ns; /* monotonic: of the request */

    struct bolt_txn txn;
    struct bolt_result *results; /* open ones, the last first */
    size_t result_count;
    size_t result_bytes; /* of their parameters */
    int64_t next_result;
    struct bolt_pull pull;

    struct frame_watch watch;     /* of the thread that reads the connection */
    _Atomic uint32_t resets_seen; /* by it; stored there, loaded by the turn's thread */
    uint32_t resets_done;
    _Atomic bool has_said_goodbye; /* the same */
    _Atomic int64_t waiting_ns;    /* monotonic: since when a request waits or runs, 0: none does;
                                      loaded by the tick */
    int64_t told_ns;               /* server->lock: the last keep-alive */
};

static inline bool session_is_interrupted(const struct bolt_session *session)
{
    uint32_t seen = atomic_load_explicit(&session->resets_seen, memory_order_relaxed);
    const struct bolt_port *port = &session->server->options.port;
    return (int32_t)(seen - session->resets_done) > 0 ||
           (port->is_gone(port->arg, session->conn) &&
            !atomic_load_explicit(&session->has_said_goodbye, memory_order_relaxed));
}

/* Begin a SUCCESS with a map of `count` entries; end it with frame_end(). */
size_t session_success(struct buffer *to, size_t count);
/* Answer with a failure; transaction and results are gone. */
void session_fail(struct bolt_session *session, struct buffer *out, const char *code,
                  const char *text);
void session_fail_query(struct bolt_session *session, struct buffer *out,
                        const struct query_error *error);
/* The same, and the connection ends. */
void session_refuse(struct bolt_session *session, struct buffer *out, const char *code,
                    const char *text);
/* A statement is over: it is told so, and what it had is freed. */
void session_end_result(struct bolt_session *session, struct bolt_result *result);
/* Results and transaction are given up. */
void session_let_go(struct bolt_session *session);

/* session_login.c; each answers the request that session->request holds */
void session_hello(struct bolt_session *session, struct buffer *out);
void session_logon(struct bolt_session *session, struct buffer *out);
void session_logoff(struct bolt_session *session, struct buffer *out);
void session_route(struct bolt_session *session, struct buffer *out);

/* session_run.c */
void session_run(struct bolt_session *session, struct buffer *out);
void session_begin(struct bolt_session *session, struct buffer *out);
void session_commit(struct bolt_session *session, struct buffer *out);
void session_rollback(struct bolt_session *session, struct buffer *out);
/* Take up a PULL or DISCARD. */
void session_pull(struct bolt_session *session, struct buffer *out);
/* Go on with it: until it is answered, or there is enough to send. */
void session_pull_on(struct bolt_session *session, struct buffer *out);

#endif
