/* net_internal.h -- what loops, connections and jobs share.
 *
 * Threads: fields of a connection belong to its loop, but for those under "driver": they belong to
 * whoever gives it its turn, the loop or, while it is BUSY, one worker; and those under "inbox",
 * which loop->lock guards.
 */
#ifndef YORE_NET_NET_INTERNAL_H
#define YORE_NET_NET_INTERNAL_H

#include <stdatomic.h>

#include <uv.h>

#include "net/limits.h"
#include "net/net.h"
#include "os/socket.h"
#include "os/thread.h"
#include "os/wake.h"

/* Octets received and not yet run: [begin, end) of `data`. */
struct inlet {
    unsigned char *data;
    size_t begin;
    size_t end;
    size_t capacity;
};

enum conn_state {
    CONN_IDLE,
    CONN_READY,
    CONN_GATHERED,
    CONN_BUSY,
    CONN_ROOM,
    CONN_LATER,
    CONN_CLOSING
};

/* What the log is told, each no more often than every NET_TELL_NS: clients can bring it about. */
enum net_told {
    NET_TOLD_EVICTED,
    NET_TOLD_EXHAUSTED,
    NET_TOLD_DISAGREED,
    NET_TOLD_CROWDED,
    NET_TOLD_KINDS
};

/* What became of what was to wait for a pool. */
enum pool_answer { POOL_TAKEN, POOL_CROWDED, POOL_NOMEM };

enum conn_notice { NOTICE_CLOSE = 1, NOTICE_CLOSE_GENTLE = 2, NOTICE_WAKE = 4, NOTICE_DRAIN = 8 };

struct net_conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
    } uv;
    uv_write_t write;
    uv_shutdown_t shut;
    struct loop *loop;
    struct net_conn *before; /* all connections of the loop */
    struct net_conn *behind;
    struct net_conn *next; /* of the one list its state puts it on */
    const struct net_handler *handler;
    void *session;
    struct tls_conn *tls;
    enum conn_state state;
    bool is_reading;
    bool is_writing;      /* uv_write() is under way with `sending` */
    bool has_ended;       /* the client sends no more, or is not to be read from any more */
    bool is_dead;         /* nothing can be sent; closed as soon as nobody has it */
    _Atomic bool is_left; /* the client has gone, or is to: with the load in net_conn_is_gone() */
    bool is_shut;         /* everything is sent; waiting for the client to close, or not for long */
    bool is_closed;
    int64_t opened_ns;
    int64_t heard_ns; /* when something was last received */
    int64_t taken_ns; /* when the client last took something of what is sent */
    size_t queue_seen;
    struct inlet arriving; /* while BUSY */
    struct buffer sending;
    size_t sent; /* of sending */
    struct buffer waiting;
    size_t accounted;    /* octets of its buffers that are in net->buffer_bytes */
    size_t driver_bytes; /* ... of `in`, `out` and `kept`, as of when they were last the loop's */

    /* driver */
    struct inlet in;
    struct buffer out;
    size_t missing; /* what the last turn said, as the next four */
    size_t kept;
    enum net_next after;
    enum net_pace wanted;
    uint64_t owner;
    bool is_void;    /* the job failed: what is in `out` must not leave */
    struct job *job; /* of the turn under way */

    /* inbox */
    struct net_conn *next_noticed;
    bool is_noticed;
    bool was_woken; /* while a turn ran, which may say LATER for what had held before */
    unsigned notices;
    struct buffer pushes;
    struct buffer drained; /* from a LONG turn, on its way to `waiting` */
    size_t unsent_seen;    /* octets unsent as of the loop's last look */
    bool is_draining;      /* a LONG turn sends in parts: keep unsent_seen up to date */
    bool is_gone;          /* told to a worker that drains */
};

struct newcomer {
    int fd;
    struct listener *listener;
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    struct newcomer *next;
};

struct listener {
    struct net *net;
    uv_poll_t poll;
    uv_timer_t rest; /* after descriptors ran out */
    int fd;
    struct net_handler handler;
    struct net_tls *tls;
};

/* The jobs of one owner; under the pool's lock. */
struct line {
    struct line *next;
    uint64_t owner;
    struct job *first; /* those that wait, in order */
    struct job **last;
    unsigned running;
    unsigned count; /* those that wait, run, or wait for a reader */
};

struct job {
    struct job *next;
    struct line *line;
    int64_t begun_ns; /* monotonic; written before it runs */
    struct loop *loop;
    struct net_conn *conns;
    unsigned conn_count;
    enum net_pace pace;
};

struct pool {
    struct os_mutex lock;
    struct os_cond work;
    struct line *lines; /* GUARDED_BY(lock): of whoever has jobs; who began one last is last */
    bool is_ending;     /* GUARDED_BY(lock) */
    enum net_pace pace;
    struct net *net;
    unsigned width;   /* so many jobs run at a time, those not counted that wait for a reader, and
                         as many besides of owners who have none running ... */
    unsigned brief;   /* ... and so many of those that have not taken NET_BRIEF_NS */
    struct job *runs; /* GUARDED_BY(lock): those that run, linked by next */
    unsigned running; /* GUARDED_BY(lock) */
    unsigned idle;    /* GUARDED_BY(lock) */
    unsigned queued;  /* GUARDED_BY(lock): jobs */
    unsigned queued_max; /* GUARDED_BY(lock): NET_LOGINS_WAITING_MAX, but in tests */
    unsigned owner_max;  /* GUARDED_BY(lock): NET_LOGINS_OWNER_MAX, but in tests */
    struct os_thread *threads[NET_WORKERS_MAX + NET_WAITING_MAX]; /* GUARDED_BY(lock) */
    unsigned thread_count;                                        /* GUARDED_BY(lock) */
};

struct loop {
    struct net *net;
    uv_loop_t uv;
    struct os_wake news;
    uv_poll_t wake;       /* on news */
    uv_prepare_t prepare; /* turns are given before and after waiting */
    uv_check_t check;
    uv_timer_t sweep;
    struct os_thread *thread;
    struct net_conn *conns;
    unsigned conn_count;
    uv_idle_t idle; /* while somebody is ready: do not wait for octets */
    bool is_idle_on;
    unsigned ready_count;
    unsigned gathered_count;
    size_t gathered_bytes;  /* received and to be run */
    struct net_conn *ready; /* with octets that have not had a turn */
    struct net_conn **ready_last;
    struct net_conn *again; /* with much, or whose last turn was cut short: behind those */
    struct net_conn **again_last;
    struct net_conn *gathered;
    struct net_conn **gathered_last;
    unsigned jobs_under_way; /* SHORT ones */
    unsigned char *blocks[NET_BLOCKS_KEPT];
    unsigned block_count;
    unsigned char *scratch; /* NET_INPUT_BLOCK_BYTES: what arrives encrypted, or for nobody */
    bool is_ending;
    bool is_cut; /* patience has ended */

    struct os_mutex lock;
    struct os_cond drained;     /* with lock: a worker may go on */
    struct net_conn *done;      /* GUARDED_BY(lock) */
    unsigned done_jobs;         /* GUARDED_BY(lock) */
    struct net_conn *noticed;   /* GUARDED_BY(lock) */
    struct newcomer *newcomers; /* GUARDED_BY(lock) */
    bool wants_end;             /* GUARDED_BY(lock) */
    bool wants_cut;             /* GUARDED_BY(lock) */
    unsigned listener_count;    /* of net->listeners, taken so far; first loop only */

    _Atomic uint64_t buffer_bytes;   /* its connections' part of net->buffer_bytes */
    _Atomic uint64_t received_bytes; /* counted by the loop alone, read by anybody */
    _Atomic uint64_t sent_bytes;
    _Atomic uint64_t backpressure;
};

struct net {
    struct net_options options;
    struct loop *loops;
    unsigned loop_count;
    struct pool short_pool;
    struct pool long_pool;
    struct pool login_pool;
    struct listener listeners[NET_LISTENERS_MAX];
    _Atomic unsigned listener_count;
    _Atomic unsigned clients_max;
    _Atomic uint64_t buffer_bytes_max;
    _Atomic uint64_t clients;
    _Atomic uint64_t accepted;
    _Atomic uint64_t refused;
    _Atomic uint64_t evicted;
    _Atomic uint64_t stalled;
    _Atomic uint64_t jobs;
    _Atomic uint64_t job_turns;
    _Atomic uint64_t buffer_bytes;
    _Atomic uint64_t buffer_bytes_peak;
    unsigned next_loop;                      /* the first loop's: whom the next client goes to */
    _Atomic int64_t told_ns[NET_TOLD_KINDS]; /* when each was last told; monotonic, 0: never */
};

/* net.c; any thread */
void net_tell(struct net *net, enum net_told kind, const char *text);

/* conn.c; on the connection's loop */
void conn_open(struct loop *loop, struct newcomer *newcomer); /* takes it */
void conn_turn(struct net_conn *conn, unsigned requests);     /* READY: run what can be run here */
void conn_done(struct net_conn *conn);                        /* back from a worker */
void conn_notice(struct net_conn *conn, unsigned notices);    /* what its inbox holds is taken */
void conn_sweep(struct net_conn *conn, int64_t now_ns);
void conn_end(struct net_conn *conn);  /* read no more; close when all is run and sent */
void conn_kill(struct net_conn *conn); /* close now, or as soon as nobody has it */
void conn_account(struct net_conn *conn);
/* Take down what a turn said; by who gave it. */
static inline void conn_note_turn(struct net_conn *conn, const struct net_turn *turn)
{
    conn->in.begin += turn->consumed;
    conn->missing = turn->missing;
    conn->kept = turn->kept;
    conn->wanted = turn->wanted;
    conn->owner = turn->owner;
}

/* loop.c */
enum yore_status loop_start(struct loop *loop, struct net *net, struct yore_error *error_out);
void loop_ready(struct loop *loop, struct net_conn *conn);  /* it has its turn in this iteration */
void loop_again(struct loop *loop, struct net_conn *conn);  /* ... or a later one */
void loop_gather(struct loop *loop, struct net_conn *conn); /* it goes with the next job */
/* Where buffers are over their limit, close the largest; false: there is no need, or it is another
 * loop's. */
bool loop_evict(struct loop *loop);
void loop_end_if_empty(struct loop *loop);
void loop_wake(struct loop *loop);                         /* any thread */
void loop_notice(struct net_conn *conn, unsigned notices); /* any thread, holding loop->lock */
unsigned char *loop_block(struct loop *loop);
void loop_block_back(struct loop *loop, unsigned char *block);

/* jobs.c */
enum yore_status pool_start(struct pool *pool, struct net *net, enum net_pace pace, unsigned count,
                            struct yore_error *error_out);
void pool_stop(struct pool *pool);
/* Any thread.  Crowded is only the pool of logins. */
enum pool_answer pool_submit(struct pool *pool, struct loop *loop, struct net_conn *conns,
                             unsigned count);
struct pool *net_pool(struct net *net, enum net_pace pace);
/* How many requests each of `count` turns may run. */
unsigned net_share(unsigned count);

/* listen.c; on the first loop */
void listener_start(struct listener *listener);
void listener_stop(struct listener *listener);

#endif
