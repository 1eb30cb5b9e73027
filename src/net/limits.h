/* limits.h -- every bound of the network layer, by name. */
#ifndef YORE_NET_LIMITS_H
#define YORE_NET_LIMITS_H

/* ---- a request in RESP: as Redis has them ---- */
#define RESP_INLINE_BYTES_MAX (64u << 10) /* a line, whether request or length */
#define RESP_ARGS_MAX (1u << 20)          /* words of one request */
#define RESP_ARG_BYTES_MAX (512u << 20)   /* one word */
#define RESP_ARGS_LOGIN_MAX 10u           /* the same before the client has logged in */
#define RESP_ARG_BYTES_LOGIN_MAX (16u << 10)
#define RESP_ARGS_KEPT 1024u /* room for this many is kept between requests */

/* ---- a request in HTTP ---- */
#define HTTP_HEAD_BYTES_MAX (16u << 10) /* request line and headers; trailers likewise */
#define HTTP_HEADERS_MAX 64u
#define HTTP_CHUNK_LINE_BYTES_MAX 256u /* the size of a chunk and its extensions */

/* ---- connections ---- */
#define NET_LOOPS_MAX 64u
#define NET_WORKERS_MAX 256u
#define NET_WAITING_MAX 256u /* of a pool's threads besides, while others wait for slow readers */
#define NET_LOGINS_WAITING_MAX 2048u /* requests that wait for a check of a password ... */
#define NET_LOGINS_OWNER_MAX 1024u   /* ... of one network: the others have the rest */
#define NET_LISTENERS_MAX 16u
#define NET_ACCEPT_BATCH 16u               /* connections taken before others get their turn */
#define NET_INPUT_BLOCK_BYTES (16u << 10)  /* what is read at a time */
#define NET_BLOCKS_KEPT 256u               /* free blocks a loop keeps */
#define NET_ARRIVING_BYTES_MAX (64u << 10) /* read on while a command runs, up to here */
#define NET_OUTPUT_SOFT_BYTES (256u << 10) /* with this much unsent, nothing more is run */
#define NET_OUTPUT_KEPT_BYTES (64u << 10)  /* reply memory a connection keeps when all is sent */
#define NET_PUSH_BYTES_MAX (32u << 20)     /* unsent pushes; beyond, the client is closed */
#define NET_ROUND_REQUESTS 1024u           /* of all turns of an iteration, or of a job ... */
#define NET_TURN_REQUESTS_MIN 4u           /* ... but of one turn at least */
#define NET_MODEST_BYTES 4096u             /* who sends more at a time comes behind who does not */
#define NET_AGAIN_REQUESTS 64u             /* of a turn of who had more than one turn's worth ... */
#define NET_AGAIN_NS 200000                /* ... and how long all of these may take an iteration */
#define NET_JOBS_AHEAD                                                                             \
    2u                               /* a loop's SHORT jobs that wait besides the one that runs,   \
                                        where jobs wait for no sync ... */
#define NET_JOB_AHEAD_BYTES 8192u    /* ... if so much is to be run; less gathers on */
#define NET_BRIEF_NS 50000000        /* a LONG job that took as long makes room for another */
#define NET_LINGER_NS 1000000000     /* a closed client's rest is read away for so long */
#define NET_HANDSHAKE_NS 10000000000 /* TLS must be agreed by then */
#define NET_TELL_NS 10000000000      /* the log is told the same no more often than that */
#define NET_SWEEP_MS 1000u           /* how often deadlines are looked at */
#define NET_SWEEP_EVICTIONS 100u     /* closed then for their buffers, at most */

#endif
