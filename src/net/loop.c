/* loop.c -- one I/O thread: its connections' turns, its jobs, and the news it gets. */
#include <string.h>

#include "base/mem.h"
#include "net/net_internal.h"
#include "net/tls.h"

/* ---- lists ------------------------------------------------------------------------------------
 */

void loop_ready(struct loop *loop, struct net_conn *conn)
{
    conn->state = CONN_READY;
    conn->next = NULL;
    *loop->ready_last = conn;
    loop->ready_last = &conn->next;
    loop->ready_count++;
}

void loop_again(struct loop *loop, struct net_conn *conn)
{
    conn->state = CONN_READY;
    conn->next = NULL;
    *loop->again_last = conn;
    loop->again_last = &conn->next;
}

void loop_gather(struct loop *loop, struct net_conn *conn)
{
    conn->state = CONN_GATHERED;
    conn->next = NULL;
    *loop->gathered_last = conn;
    loop->gathered_last = &conn->next;
    loop->gathered_count++;
    loop->gathered_bytes += conn->in.end - conn->in.begin;
}

unsigned char *loop_block(struct loop *loop)
{
    return loop->block_count > 0 ? loop->blocks[--loop->block_count]
                                 : mem_alloc(NET_INPUT_BLOCK_BYTES);
}

void loop_block_back(struct loop *loop, unsigned char *block)
{
    if (loop->block_count < NET_BLOCKS_KEPT) {
        loop->blocks[loop->block_count++] = block;
    } else {
        mem_free(block);
    }
}

bool loop_evict(struct loop *loop)
{
    struct net *net = loop->net;
    struct net_conn *largest = NULL;
    uint64_t leaving = 0; /* of those that are closed as soon as nobody has them */
    uint64_t most = atomic_load_explicit(&net->buffer_bytes_max, memory_order_relaxed);
    for (struct net_conn *conn = loop->conns; conn != NULL; conn = conn->behind) {
        leaving += conn->is_dead ? conn->accounted : 0;
        if (!conn->is_dead && (largest == NULL || conn->accounted > largest->accounted)) {
            largest = conn;
        }
    }
    uint64_t own = atomic_load_explicit(&loop->buffer_bytes, memory_order_relaxed);
    uint64_t all = atomic_load_explicit(&net->buffer_bytes, memory_order_relaxed);
    /* Of several loops one at least has its share of what is too much: that one sees to it, when a
     * buffer of its own grows, or when it sweeps. */
    if (largest == NULL || largest->accounted == 0 || all <= most + leaving ||
        own < most / net->loop_count) {
        return false;
    }
    atomic_fetch_add_explicit(&net->evicted, 1, memory_order_relaxed);
    net_tell(net, NET_TOLD_EVICTED,
             "buffers of clients are over their limit: the largest was closed");
    conn_kill(largest);
    return true;
}

/* ---- jobs -------------------------------------------------------------------------------------
 */

/* Hand all that was gathered to a worker, unless enough is under way: then it gathers on.  A job
 * ahead of its time saves the worker a wait, and costs a hand-over: small groups are better one. */
static void loop_submit(struct loop *loop)
{
    bool is_large = loop->gathered_bytes >= NET_JOB_AHEAD_BYTES;
    unsigned most = 1 + (is_large ? loop->net->options.jobs_ahead : 0);
    if (loop->gathered == NULL || loop->jobs_under_way >= most) {
        return;
    }
    struct net_conn *first = NULL;
    struct net_conn **last = &first;
    struct net_conn *next = NULL;
    for (struct net_conn *conn = loop->gathered; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->is_dead) {
            conn->state = CONN_IDLE;
            conn_kill(conn);
            continue;
        }
        conn->state = CONN_BUSY;
        *last = conn;
        last = &conn->next;
    }
    *last = NULL;
    loop->gathered = NULL;
    loop->gathered_last = &loop->gathered;
    unsigned count = loop->gathered_count;
    loop->gathered_count = 0;
    loop->gathered_bytes = 0;
    if (first == NULL) {
        return;
    }
    if (pool_submit(&loop->net->short_pool, loop, first, count) == POOL_TAKEN) {
        loop->jobs_under_way++;
        return;
    }
    for (struct net_conn *conn = first; conn != NULL; conn = next) {
        next = conn->next;
        conn->state = CONN_IDLE;
        conn_kill(conn);
    }
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* it is there so that the loop does not wait */
}

/* Who had more than one turn's worth comes again, in order, for as long as others can wait. */
static void turns_again(struct loop *loop)
{
    uint64_t until = loop->again != NULL ? uv_hrtime() + NET_AGAIN_NS : 0;
    while (loop->again != NULL) {
        struct net_conn *conn = loop->again;
        loop->again = conn->next;
        if (loop->again == NULL) {
            loop->again_last = &loop->again;
        }
        conn_turn(conn, NET_AGAIN_REQUESTS);
        if (uv_hrtime() >= until) {
            break;
        }
    }
}

/* One turn for everybody who is ready now; who is ready again afterwards comes in the next
 * iteration, when the octets of others have been taken. */
static void loop_turns(struct loop *loop)
{
    struct net_conn *conn = loop->ready;
    unsigned requests = net_share(loop->ready_count);
    loop->ready = NULL;
    loop->ready_last = &loop->ready;
    loop->ready_count = 0;
    for (struct net_conn *next = NULL; conn != NULL; conn = next) {
        next = conn->next;
        conn_turn(conn, requests);
    }
    turns_again(loop);
    loop_submit(loop);
    bool wants_idle = loop->ready != NULL || loop->again != NULL;
    if (wants_idle && !loop->is_idle_on) {
        uv_idle_start(&loop->idle, on_idle);
    } else if (!wants_idle && loop->is_idle_on) {
        uv_idle_stop(&loop->idle);
    }
    loop->is_idle_on = wants_idle;
}

static void on_prepare(uv_prepare_t *prepare)
{
    loop_turns(prepare->data);
}

static void on_check(uv_check_t *check)
{
    loop_turns(check->data);
}

/* ---- news -------------------------------------------------------------------------------------
 */

void loop_wake(struct loop *loop)
{
    os_wake_call(&loop->news);
}

void loop_notice(struct net_conn *conn, unsigned notices)
{
    struct loop *loop = conn->loop;
    conn->notices |= notices;
    if (conn->is_noticed) {
        return;
    }
    conn->is_noticed = true;
    bool was_empty = loop->noticed == NULL;
    conn->next_noticed = loop->noticed;
    loop->noticed = conn;
    if (was_empty) {
        loop_wake(loop);
    }
}

/* One at a time, as a notice may close a connection that stands behind it. */
static struct net_conn *take_noticed(struct loop *loop, unsigned *notices_out)
{
    os_mutex_lock(&loop->lock);
    struct net_conn *conn = loop->noticed;
    if (conn != NULL) {
        loop->noticed = conn->next_noticed;
        conn->is_noticed = false;
        *notices_out = conn->notices;
        conn->notices = 0;
    }
    os_mutex_unlock(&loop->lock);
    return conn;
}

static void begin_end(struct loop *loop)
{
    loop->is_ending = true;
    if (loop == loop->net->loops) {
        for (unsigned i = 0; i < loop->listener_count; i++) {
            listener_stop(&loop->net->listeners[i]);
        }
    }
    struct net_conn *next = NULL;
    for (struct net_conn *conn = loop->conns; conn != NULL; conn = next) {
        next = conn->behind;
        conn_end(conn);
    }
}

static void cut_off(struct loop *loop)
{
    loop->is_cut = true;
    struct net_conn *next = NULL;
    for (struct net_conn *conn = loop->conns; conn != NULL; conn = next) {
        next = conn->behind;
        conn_kill(conn);
    }
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

/* Everybody is gone: let uv_run() return. */
void loop_end_if_empty(struct loop *loop)
{
    if (!loop->is_ending || loop->conn_count > 0 || loop->jobs_under_way > 0) {
        return;
    }
    close_handle((uv_handle_t *)&loop->wake);
    close_handle((uv_handle_t *)&loop->prepare);
    close_handle((uv_handle_t *)&loop->idle);
    close_handle((uv_handle_t *)&loop->check);
    close_handle((uv_handle_t *)&loop->sweep);
}

static void take_listeners(struct loop *loop)
{
    struct net *net = loop->net;
    unsigned count = atomic_load(&net->listener_count);
    while (loop->listener_count < count) {
        listener_start(&net->listeners[loop->listener_count++]);
    }
}

static void take_done(struct loop *loop, struct net_conn *done)
{
    for (struct net_conn *next = NULL; done != NULL; done = next) {
        next = done->next;
        os_mutex_lock(&loop->lock);
        bool has_parts = done->drained.size > 0;
        os_mutex_unlock(&loop->lock);
        if (has_parts) { /* handed over since the notices were taken */
            conn_notice(done, 0);
        }
        conn_done(done);
    }
}

static void on_wake(uv_poll_t *wake, int status, int events)
{
    struct loop *loop = wake->data;
    unsigned notices = 0;
    (void)status; /* an event descriptor does not fail */
    (void)events;
    os_wake_take(&loop->news);
    for (struct net_conn *conn = take_noticed(loop, &notices); conn != NULL;
         conn = take_noticed(loop, &notices)) {
        conn_notice(conn, notices);
    }
    os_mutex_lock(&loop->lock);
    struct net_conn *done = loop->done;
    struct newcomer *newcomers = loop->newcomers;
    bool wants_end = loop->wants_end;
    bool wants_cut = loop->wants_cut;
    loop->jobs_under_way -= loop->done_jobs;
    loop->done = NULL;
    loop->done_jobs = 0;
    loop->newcomers = NULL;
    os_mutex_unlock(&loop->lock);
    loop_submit(loop); /* a worker runs what has gathered while the replies of what was run leave */
    take_done(loop, done);
    for (struct newcomer *next = NULL; newcomers != NULL; newcomers = next) {
        next = newcomers->next;
        conn_open(loop, newcomers);
    }
    if (loop == loop->net->loops) {
        take_listeners(loop);
    }
    if (wants_end && !loop->is_ending) {
        begin_end(loop);
    }
    if (wants_cut && !loop->is_cut) {
        cut_off(loop);
    }
    loop_end_if_empty(loop);
}

static void on_sweep(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    int64_t now_ns = (int64_t)uv_hrtime();
    struct net_conn *next = NULL;
    for (struct net_conn *conn = loop->conns; conn != NULL; conn = next) {
        next = conn->behind;
        conn_sweep(conn, now_ns);
    }
    for (unsigned i = 0; i < NET_SWEEP_EVICTIONS && loop_evict(loop); i++) {
    }
    loop_end_if_empty(loop);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void loop_run(void *arg)
{
    struct loop *loop = arg;
    os_thread_answer_soon();
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

enum yore_status loop_start(struct loop *loop, struct net *net, struct yore_error *error_out)
{
    loop->net = net;
    loop->ready_last = &loop->ready;
    loop->again_last = &loop->again;
    loop->gathered_last = &loop->gathered;
    os_mutex_init(&loop->lock);
    os_cond_init(&loop->drained);
    loop->scratch = mem_alloc(NET_INPUT_BLOCK_BYTES);
    enum yore_status st = os_wake_open(&loop->news, error_out);
    if (st == YORE_OK && loop->scratch == NULL) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st != YORE_OK) {
        return st;
    }
    int code = uv_loop_init(&loop->uv);
    if (code == 0) {
        code = uv_poll_init(&loop->uv, &loop->wake, loop->news.fd);
    }
    if (code == 0) {
        code = uv_poll_start(&loop->wake, UV_READABLE, on_wake);
    }
    if (code != 0) {
        return error_set(error_out, code == UV_ENOMEM ? YORE_NOMEM : YORE_IO,
                         "cannot make an event loop: %s", uv_strerror(code));
    }
    loop->wake.data = loop;
    uv_prepare_init(&loop->uv, &loop->prepare); /* these cannot fail */
    uv_idle_init(&loop->uv, &loop->idle);
    uv_check_init(&loop->uv, &loop->check);
    uv_timer_init(&loop->uv, &loop->sweep);
    loop->prepare.data = loop->check.data = loop->sweep.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_start(&loop->check, on_check);
    uv_timer_start(&loop->sweep, on_sweep, NET_SWEEP_MS, NET_SWEEP_MS);
    return os_thread_start(loop_run, loop, "yore-loop", &loop->thread, error_out);
}
