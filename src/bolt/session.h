/* session.h -- one connection that speaks Bolt: the state machine, without its socket.
 *
 *     state           takes                              and becomes
 *     HANDSHAKE       20 octets                          NEGOTIATION, or ends
 *     NEGOTIATION     HELLO                              AUTHENTICATION (5.1), READY
 *     AUTHENTICATION  LOGON                              READY, or ends
 *     READY           RUN                                STREAMING
 *                     BEGIN                              TX_READY
 *                     LOGOFF                             AUTHENTICATION
 *                     ROUTE, TELEMETRY                   READY
 *     STREAMING       PULL, DISCARD                      STREAMING, READY when it was the end
 *     TX_READY        RUN                                TX_STREAMING
 *                     COMMIT, ROLLBACK                   READY
 *     TX_STREAMING    RUN, PULL, DISCARD                 TX_STREAMING, TX_READY at the last end
 *                     COMMIT, ROLLBACK                   READY; open results are given up
 *     FAILED          (everything else is IGNORED)
 *     any but the first three   RESET                    READY: transaction and results are gone
 *     any             GOODBYE                            ends
 *
 * A request that fails makes the session FAILED, and ends its transaction.  One that the state does
 * not take, or that is no message at all, is answered with a failure, and the connection ends.
 *
 * RESET jumps the queue: whoever reads the connection shows every octet to bolt_session_arrived()
 * as it comes, also while a request runs.  A RESET seen there ends what runs, and what stands
 * before it is IGNORED.
 *
 * Nothing of a result is kept: a turn packs rows until there is enough to send, says BOLT_ROOM, and
 * goes on where it stopped when that has left.  So a result of any size takes the memory of some
 * rows, and a client that does not read holds no worker.
 *
 * A client that leaves ends what runs, too, and what it had asked for besides is passed over,
 * unless its last word was GOODBYE.
 *
 * Threads: a session belongs to one at a time, but for bolt_session_arrived(): that is for the one
 * that reads the connection, while a turn may be under way on another.
 */
#ifndef YORE_BOLT_SESSION_H
#define YORE_BOLT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct bolt_server;
struct bolt_session;

/* Where a turn runs. */
enum bolt_pace {
    BOLT_QUICK = 1, /* where nothing may block */
    BOLT_LONG = 2,  /* may touch the disk, and take its time */
    BOLT_LOGIN = 3  /* checks a password */
};

enum bolt_next {
    BOLT_INPUT, /* everything whole was run; more octets are wanted */
    BOLT_PACE,  /* the next request needs turn->wanted */
    BOLT_LATER, /* the next request has to wait (bolt_port.is_paused) */
    BOLT_ROOM,  /* there is enough to send; go on when it is sent */
    BOLT_CLOSE  /* send what there is and close */
};

struct bolt_turn {
    enum bolt_pace pace;
    bool is_crowded;   /* at pace QUICK: no password can be checked now; who sends one is refused */
    unsigned requests; /* run at most so many, then say BOLT_ROOM */
    struct yore_bytes input;
    size_t consumed;       /* out: octets of it that are done with */
    enum bolt_pace wanted; /* out, with BOLT_PACE */
    struct buffer *out;    /* answers are appended; whole messages only */
};

/* Never during a turn: the memory it has for what its client sent, messages on their way and
 * parameters of open results. */
size_t bolt_session_kept_bytes(const struct bolt_session *session);

/* `conn` is for the port; `address` is how this server is reached, "127.0.0.1:7687", copied.
 * Errors: YORE_NOMEM. */
enum yore_status bolt_session_new(struct bolt_server *server, void *conn, const char *address,
                                  struct bolt_session **session_out);
/* Never during a turn.  Transactions and results are left to bolt_server_tick(): their end may
 * touch the disk.  After it began the port is not called for its `conn` any more.  NULL is ignored.
 */
void bolt_session_free(struct bolt_session *session);

enum bolt_next bolt_session_turn(struct bolt_session *session, struct bolt_turn *turn);

/* Octets that arrived, in order, each once. */
void bolt_session_arrived(struct bolt_session *session, struct yore_bytes octets);
/* Never during a turn: has the client logged in; does it hold a transaction or a result open; has
 * it asked for something that is not answered whole yet? */
bool bolt_session_is_trusted(const struct bolt_session *session);
bool bolt_session_is_busy(const struct bolt_session *session);
bool bolt_session_is_at_work(const struct bolt_session *session);

#endif
