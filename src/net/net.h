/* net.h -- connections: who listens, whose turn it is, what is sent.  Knows no commands.
 *
 * Problem: thousands of clients, each of whose requests may touch the disk, on a few processors.
 * Approach: N *loops* (threads, libuv) own the connections.  A loop reads what has arrived and
 * gives each connection a *turn* at pace QUICK, which must not block.  What needs a worker is
 * gathered over all connections of one iteration into one *job*: one hand-over, and (by job_end)
 * one sync for all of it.  While jobs are under way a loop goes on reading and gathers the next.
 *
 *     state      waits for                        left by
 *     IDLE       octets                           conn_read -> READY
 *     READY      its turn in this iteration       loop_turns -> IDLE, GATHERED, BUSY, ROOM, LATER
 *     GATHERED   a job of this loop to end        loop_submit -> BUSY
 *     BUSY       a worker, which owns it          conn_done -> READY, IDLE, ROOM, BUSY
 *     ROOM       its replies to be sent           conn_sent -> READY
 *     LATER      net_conn_wake()                  -> READY
 *     CLOSING    its last replies to be sent      conn_sent -> closed
 *
 * Fairness: an iteration, and a job, runs about NET_ROUND_REQUESTS requests, dealt out evenly over
 * the connections that have not had a turn since octets came; who has more (or sends more than
 * NET_MODEST_BYTES at a time) comes behind them,
 * for NET_AGAIN_NS an iteration, by turns: a thousand greedy clients cost a modest one no more than
 * one of them.  What runs alone is fair to *owners*: the next to run is of whoever has fewest
 * running then, by turns, and of LONG ones an owner with none running gets a thread beyond
 * `long_workers`.
 *
 * Backpressure: what a busy or full connection sends is read up to NET_ARRIVING_BYTES_MAX, then no
 * more; with NET_OUTPUT_SOFT_BYTES unsent it gets no turn.  A client that takes nothing of what is
 * sent for `stall_ns` is closed.
 */
#ifndef YORE_NET_NET_H
#define YORE_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct net;
struct net_conn;
struct net_tls;

enum net_pace { NET_QUICK = 1, NET_SHORT = 2, NET_LONG = 3, NET_LOGIN = 4 };

enum net_next {
    NET_INPUT, /* everything whole was run; more octets are wanted */
    NET_PACE,  /* the next request needs turn->wanted */
    NET_LATER, /* the next request waits for net_conn_wake() */
    NET_ROOM,  /* there is enough to send; go on when it is sent */
    NET_CLOSE  /* send what there is and close */
};

struct net_job {
    _Alignas(16) unsigned char state[768]; /* the handler's own */
};

struct net_turn {
    enum net_pace pace;  /* what may be run; QUICK: on a loop, nothing that blocks */
    struct net_job *job; /* NULL at pace QUICK */
    bool is_crowded; /* at pace QUICK: too many wait at pace LOGIN already; a request that needs it
                        is refused, and NET_PACE for LOGIN not said again in this turn */
    unsigned requests; /* run at most so many, then say NET_ROOM: others wait, too */
    struct yore_bytes input;
    size_t consumed;      /* out: octets of it that are done with */
    size_t missing;       /* out: octets the next request lacks at least, if known */
    size_t kept;          /* out: memory the session has for what its client sent; it counts as a
                             buffer of the connection */
    enum net_pace wanted; /* out, with NET_PACE */
    uint64_t owner;       /* out, with NET_PACE: who asks for it, where several connections may be
                             one's; 0: nobody in particular */
    struct buffer *out;   /* replies are appended; is_nomem closes the connection */
};

/* What a server does with the connections of one port.  A session belongs to one thread at a time.
 */
struct net_handler {
    void *arg;
    /* A client has come; on its loop.  NULL: no memory, it is closed. */
    void *(*open)(void *arg, struct net_conn *conn, const char *peer, const char *local);
    enum net_next (*turn)(void *session, struct net_turn *turn);
    /* It is gone; on its loop, never during a turn. */
    void (*close)(void *session);
    /* Idle for that long, with so much unsent: close it?  On its loop, never during a turn. */
    bool (*is_overdue)(void *session, int64_t idle_ns, size_t input_bytes, size_t output_bytes);
    struct yore_bytes refusal; /* sent to clients over clients_max; kept */
    /* For protocols in which a later message may end what runs; may be NULL.  Octets that have
     * arrived, in order, each once, before a turn sees them.  On its loop, also while a worker
     * gives the session a turn: it may touch only what is its own. */
    void (*arrived)(void *session, struct yore_bytes octets);
};

/* What is done around the turns of one job, whatever ports its connections came through; on its
 * worker. */
struct net_jobs {
    void *arg;
    void (*begin)(void *arg, struct net_job *job);
    /* False: no reply of the job may leave; its connections are closed. */
    bool (*end)(void *arg, struct net_job *job);
    /* One line for the log; any thread. */
    void (*tell)(void *arg, const char *text);
};

struct net_options {
    struct net_jobs jobs;
    unsigned loops;      /* 1..NET_LOOPS_MAX */
    unsigned workers;    /* for SHORT, 1..NET_WORKERS_MAX; but no more than one for each loop: so
                            groups are largest, and fewest syncs are waited for */
    unsigned jobs_ahead; /* large SHORT jobs of a loop that wait besides, so that a worker need not
                            wait until the loop has sent the replies of what it ran */
    unsigned long_workers;
    unsigned login_workers;
    unsigned clients_max;
    uint64_t buffer_bytes_max; /* of all connections; beyond, the largest is closed */
    int64_t stall_ns;
};

/* Start the threads; nobody is listened to yet.  Errors: YORE_NOMEM, YORE_IO. */
enum yore_status net_start(const struct net_options *options, struct net **net_out,
                           struct yore_error *error_out);
/* Take connections from the listening socket `fd` (os/socket.h), which net takes when it returns
 * YORE_OK.  `handler` is copied; `tls` (kept) may be NULL.  Before net_stop(); by one thread. */
enum yore_status net_listen(struct net *net, int fd, const struct net_handler *handler,
                            struct net_tls *tls, struct yore_error *error_out);
/* Take no more connections, read no more; run what has arrived whole, send all replies, close.
 * What is not done after `patience_ns`, or when `is_hurried` (may be NULL; asked now and then) says
 * so, is cut off.  Waits, and frees `net`.  NULL is ignored. */
void net_stop(struct net *net, int64_t patience_ns, bool (*is_hurried)(void *arg), void *arg);

/* Change while running. */
void net_set_clients_max(struct net *net, unsigned clients_max);
void net_set_buffer_bytes_max(struct net *net, uint64_t bytes);

struct net_stats {
    uint64_t clients;
    uint64_t accepted;
    uint64_t refused; /* over clients_max */
    uint64_t evicted; /* over buffer_bytes_max */
    uint64_t stalled; /* did not take what was sent; or too many pushes */
    uint64_t received_bytes;
    uint64_t sent_bytes;
    uint64_t buffer_bytes;
    uint64_t buffer_bytes_peak;
    uint64_t jobs;
    uint64_t job_turns;
    uint64_t backpressure; /* times a client was not read from, or got no turn, for what it left */
};
void net_stats(struct net *net, struct net_stats *stats_out);

/* ---- any thread, while the session is open ---- */

/* Send `bytes` behind the replies of what runs now; copied.  Beyond NET_PUSH_BYTES_MAX unsent the
 * connection is closed. */
void net_conn_push(struct net_conn *conn, struct yore_bytes bytes);
/* Send `bytes` now, behind what was to be sent when the turn under way began: signs of life.
 * Copied. */
void net_conn_send_now(struct net_conn *conn, struct yore_bytes bytes);
void net_conn_close(struct net_conn *conn, bool is_gentle);
void net_conn_wake(struct net_conn *conn);

/* Has the client left: closed the connection or its sending side, broken it, or been closed here?
 * Not while net_stop() lets it have its replies. */
bool net_conn_is_gone(const struct net_conn *conn);

/* On a worker, during a turn at pace LONG: send what `out` holds, and wait while too much is
 * unsent. False: the connection is gone.  While it waits another job runs in its place, on another
 * thread if need be: NET_WAITING_MAX of them wait at a time before others wait too. */
bool net_conn_drain(struct net_conn *conn, struct buffer *out);

#endif
