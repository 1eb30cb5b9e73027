/* net_bed.h -- a net with a protocol of lines over real sockets, for tests of it. */
#ifndef YORE_TEST_NET_NET_BED_H
#define YORE_TEST_NET_NET_BED_H

#include <stdatomic.h>

#include "net/net.h"
#include "os/thread.h"

/* The protocol: "q<text>\n" is echoed on the loop, "s<text>\n" by a worker, "l<count>\n" sends that
 * many KiB in parts at pace LONG, "p<text>\n" pushes to every session before it answers, "w\n"
 * waits for a wake, "x\n" closes; "f\n" makes its job fail; "d\n" keeps the loop for 100 us;
 * "k<count>\n" makes the session say that it keeps so many MiB, "t<count>\n" the same by a worker;
 * "o<number>\n" says who its owner is, "n\n" logs in, or is
 * answered "crowded\n".
 */
struct bed {
    struct net *net;
    uint16_t port;
    _Atomic int open_count;
    _Atomic int job_count;
    _Atomic int dear_count;
    _Atomic int running; /* jobs ... */
    _Atomic int running_most;
    _Atomic bool is_held; /* jobs wait */
    _Atomic size_t arrived_bytes;
    uint64_t logins[8]; /* whose were run, in order; by the one worker for them ... */
    _Atomic unsigned login_count;
    struct os_mutex lock;
    struct line_session *sessions; /* GUARDED_BY(lock) */
};

struct line_session {
    struct bed *bed;
    struct net_conn *conn;
    struct line_session *next;
    _Atomic bool was_woken;
    size_t kept;
    uint64_t owner;
};

/* Listen on loopback; counts of workers and limits are the bed's. */
void bed_open_with(struct bed *bed, struct net_options options);
void bed_open(struct bed *bed, unsigned loops, unsigned clients_max);
void bed_close(struct bed *bed);
struct net_stats stats_of(struct bed *bed);
/* To every session. */
void push_to_all(struct bed *bed, const char *text, size_t size);

#endif
