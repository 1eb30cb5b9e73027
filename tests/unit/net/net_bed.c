#include "unit/net/net_bed.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/limits.h"
#include "os/env.h"
#include "os/socket.h"
#include "support/test.h"

static void *line_open(void *arg, struct net_conn *conn, const char *peer, const char *local)
{
    struct bed *bed = arg;
    if (strncmp(peer, "127.0.0.1:", 10) != 0 || strncmp(local, "127.0.0.1:", 10) != 0) {
        return NULL;
    }
    struct line_session *session = mem_zalloc(sizeof(*session));
    session->bed = bed;
    session->conn = conn;
    os_mutex_lock(&bed->lock);
    session->next = bed->sessions;
    bed->sessions = session;
    os_mutex_unlock(&bed->lock);
    atomic_fetch_add(&bed->open_count, 1);
    return session;
}

static void line_close(void *arg)
{
    struct line_session *session = arg;
    struct bed *bed = session->bed;
    os_mutex_lock(&bed->lock);
    for (struct line_session **at = &bed->sessions; *at != NULL; at = &(*at)->next) {
        if (*at == session) {
            *at = session->next;
            break;
        }
    }
    os_mutex_unlock(&bed->lock);
    atomic_fetch_sub(&bed->open_count, 1);
    mem_free(session);
}

void push_to_all(struct bed *bed, const char *text, size_t size)
{
    os_mutex_lock(&bed->lock);
    for (struct line_session *at = bed->sessions; at != NULL; at = at->next) {
        net_conn_push(at->conn, bytes_of(text, size));
    }
    os_mutex_unlock(&bed->lock);
}

static enum net_pace pace_of(char letter)
{
    return letter == 'n'                                     ? NET_LOGIN
           : letter == 'l'                                   ? NET_LONG
           : letter == 's' || letter == 'f' || letter == 't' ? NET_SHORT
                                                             : NET_QUICK;
}

static void send_long(struct line_session *session, const char *number, struct buffer *out)
{
    char block[1024];
    memset(block, 'L', sizeof(block));
    block[1023] = '\n';
    long count = strtol(number, NULL, 10);
    for (long i = 0; i < count; i++) {
        buffer_append(out, block, sizeof(block));
        if (out->size >= 65536 && !net_conn_drain(session->conn, out)) {
            return;
        }
    }
}

/* Run one line. */
static enum net_next line_run(struct line_session *session, const char *line, size_t size,
                              struct net_turn *turn)
{
    switch (line[0]) {
    case 'l':
        send_long(session, line + 1, turn->out);
        return NET_INPUT;
    case 'p':
        push_to_all(session->bed, line, size);
        break;
    case 'w':
        if (!atomic_exchange(&session->was_woken, true)) {
            return NET_LATER;
        }
        break;
    case 'd':
        for (int64_t end = os_monotonic_ns(os_env_posix()) + 100000;
             os_monotonic_ns(os_env_posix()) < end;) {
        }
        atomic_fetch_add(&session->bed->dear_count, 1);
        break;
    case 'f':
        memset(turn->job->state, 'f', 1);
        break;
    case 'k':
    case 't':
        session->kept = (size_t)strtoul(line + 1, NULL, 10) << 20;
        break;
    case 'o':
        session->owner = strtoul(line + 1, NULL, 10);
        break;
    case 'n':
        session->bed->logins[atomic_fetch_add(&session->bed->login_count, 1)] = session->owner;
        break;
    case 'x':
        return NET_CLOSE;
    default:
        break;
    }
    buffer_append(turn->out, line, size);
    return NET_INPUT;
}

static enum net_next run_lines(struct line_session *session, struct net_turn *turn)
{
    const char *at = turn->input.data;
    size_t left = turn->input.size;
    for (unsigned done = 0;; done++) {
        const char *end = left > 0 ? memchr(at, '\n', left) : NULL;
        if (end == NULL) {
            return NET_INPUT;
        }
        if (turn->out->size > NET_OUTPUT_SOFT_BYTES || done == turn->requests) {
            return NET_ROOM;
        }
        size_t size = (size_t)(end - at) + 1;
        enum net_pace pace = pace_of(at[0]);
        if (pace > turn->pace && pace == NET_LOGIN && turn->is_crowded) {
            buffer_append(turn->out, "crowded\n", 8);
            turn->consumed += size;
            return NET_ROOM;
        }
        if (pace > turn->pace) {
            turn->wanted = pace;
            return NET_PACE;
        }
        enum net_next next = line_run(session, at, size, turn);
        if (next == NET_LATER) {
            return next;
        }
        turn->consumed += size;
        at += size;
        left -= size;
        if (next == NET_CLOSE) {
            return next;
        }
    }
}

static enum net_next line_turn(void *arg, struct net_turn *turn)
{
    struct line_session *session = arg;
    enum net_next next = run_lines(session, turn);
    turn->kept = session->kept;
    turn->owner = session->owner;
    return next;
}

static bool line_is_overdue(void *session, int64_t idle_ns, size_t input_bytes, size_t output_bytes)
{
    (void)session;
    (void)input_bytes;
    (void)output_bytes;
    return idle_ns > 60000000000;
}

static void line_arrived(void *arg, struct yore_bytes octets)
{
    struct line_session *session = arg;
    atomic_fetch_add(&session->bed->arrived_bytes, octets.size);
}

static void line_job_begin(void *arg, struct net_job *job)
{
    struct bed *bed = arg;
    memset(job, 0, sizeof(*job));
    int running = atomic_fetch_add(&bed->running, 1) + 1;
    if (running > atomic_load(&bed->running_most)) {
        atomic_store(&bed->running_most, running);
    }
    while (atomic_load(&bed->is_held)) {
        os_sleep_ns(os_env_posix(), 1000000);
    }
}

static bool line_job_end(void *arg, struct net_job *job)
{
    struct bed *bed = arg;
    atomic_fetch_add(&bed->job_count, 1);
    atomic_fetch_sub(&bed->running, 1);
    return job->state[0] != 'f';
}

static void line_tell(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

void bed_open_with(struct bed *bed, struct net_options options)
{
    *bed = (struct bed){0};
    signal(SIGPIPE, SIG_IGN);
    os_mutex_init(&bed->lock);
    struct net_handler handler = {.arg = bed,
                                  .open = line_open,
                                  .turn = line_turn,
                                  .close = line_close,
                                  .is_overdue = line_is_overdue,
                                  .refusal = bytes_of("full\n", 5),
                                  .arrived = line_arrived};
    options.jobs = (struct net_jobs){bed, line_job_begin, line_job_end, line_tell};
    options.workers = 2;
    options.long_workers = 2;
    options.login_workers = 1;
    options.buffer_bytes_max = 64u << 20;
    options.stall_ns = 30000000000;
    struct yore_error error = {0};
    int fd = -1;
    CHECK_OK(net_start(&options, &bed->net, &error));
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &fd, &bed->port, &error));
    CHECK_OK(net_listen(bed->net, fd, &handler, NULL, &error));
}

void bed_open(struct bed *bed, unsigned loops, unsigned clients_max)
{
    bed_open_with(bed, (struct net_options){.loops = loops, .clients_max = clients_max});
}

void bed_close(struct bed *bed)
{
    net_stop(bed->net, 10000000000, NULL, NULL);
    CHECK_EQ_INT(atomic_load(&bed->open_count), 0);
    os_mutex_release(&bed->lock);
}

struct net_stats stats_of(struct bed *bed)
{
    struct net_stats stats;
    net_stats(bed->net, &stats);
    return stats;
}
