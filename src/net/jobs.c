/* jobs.c -- workers: what may block runs here, many connections' turns a job. */
#include "base/mem.h"
#include "net/net_internal.h"

static void worker_run(void *arg);

static bool has_turn(const struct pool *pool) REQUIRES(pool->lock)
{
    return pool->first != NULL && (pool->running < pool->width || pool->is_ending);
}

static const char *const thread_names[] = {"", "", "yore-short", "yore-long", "yore-login"};

/* Somebody is to take the first job, if it is its turn: who is idle, or, where threads wait for
 * readers, another thread.  One that cannot be started leaves the job to whoever is done next. */
static void pool_call(struct pool *pool) REQUIRES(pool->lock)
{
    const unsigned room = sizeof(pool->threads) / sizeof(pool->threads[0]);
    if (!has_turn(pool)) {
        return;
    }
    unsigned turns = pool->running < pool->width ? pool->width - pool->running : 0;
    turns = turns < pool->queued ? turns : pool->queued;
    if (pool->idle > 0) {
        os_cond_signal(&pool->work);
    }
    if (pool->idle < turns && !pool->is_ending && pool->thread_count < room &&
        os_thread_start(worker_run, pool, thread_names[pool->pace],
                        &pool->threads[pool->thread_count], NULL) == YORE_OK) {
        pool->thread_count++;
    }
}

/* The next job, for a thread that has done one or (`is_first`) none yet; NULL: it is to end. */
static struct job *pool_take(struct pool *pool, bool is_first)
{
    os_mutex_lock(&pool->lock);
    pool->running -= is_first ? 0 : 1;
    pool->idle++;
    while (!has_turn(pool) && !(pool->is_ending && pool->first == NULL)) {
        os_cond_wait(&pool->work, &pool->lock);
    }
    pool->idle--;
    struct job *job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        pool->queued--;
        pool->running++;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
    }
    os_mutex_unlock(&pool->lock);
    return job;
}

/* A job waits for its reader: another may run. */
static void pool_leave(struct pool *pool)
{
    os_mutex_lock(&pool->lock);
    pool->running--;
    pool_call(pool);
    os_mutex_unlock(&pool->lock);
}

/* It goes on, also where the pool is full by now. */
static void pool_return(struct pool *pool)
{
    os_mutex_lock(&pool->lock);
    pool->running++;
    os_mutex_unlock(&pool->lock);
}

static void turn_of(struct net_conn *conn, struct net_job *job, enum net_pace pace,
                    unsigned requests)
{
    struct net_turn turn = {
        .pace = pace,
        .requests = requests,
        .job = job,
        .input = bytes_of(conn->in.data + conn->in.begin, conn->in.end - conn->in.begin),
        .out = &conn->out};
    conn->after = conn->handler->turn(conn->session, &turn);
    conn_note_turn(conn, &turn);
}

static void job_run(struct net *net, struct job *job)
{
    const struct net_jobs *jobs = &net->options.jobs;
    struct net_job state;
    uint64_t turns = 0;
    jobs->begin(jobs->arg, &state);
    for (struct net_conn *conn = job->conns; conn != NULL; conn = conn->next) {
        turn_of(conn, &state, job->pace, net_share(job->conn_count));
        turns++;
    }
    bool is_good = jobs->end(jobs->arg, &state);
    struct net_conn *last = job->conns;
    for (struct net_conn *conn = job->conns; conn != NULL; conn = conn->next) {
        conn->is_void = !is_good;
        last = conn;
    }
    atomic_fetch_add_explicit(&net->jobs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&net->job_turns, turns, memory_order_relaxed);

    struct loop *loop = job->loop;
    os_mutex_lock(&loop->lock);
    bool was_empty = loop->done == NULL;
    last->next = loop->done;
    loop->done = job->conns;
    loop->done_jobs += job->pace == NET_SHORT ? 1 : 0;
    os_mutex_unlock(&loop->lock);
    if (was_empty) {
        loop_wake(loop);
    }
}

static void worker_run(void *arg)
{
    struct pool *pool = arg;
    if (pool->pace == NET_LONG) {
        os_thread_yield_to_others(); /* what takes seconds must not hold up what takes microseconds
                                      */
    }
    for (struct job *job = pool_take(pool, true); job != NULL; job = pool_take(pool, false)) {
        job_run(pool->net, job);
        mem_free(job);
    }
}

enum yore_status pool_start(struct pool *pool, struct net *net, enum net_pace pace, unsigned count,
                            struct yore_error *error_out)
{
    os_mutex_init(&pool->lock);
    os_cond_init(&pool->work);
    pool->last = &pool->first;
    pool->pace = pace;
    pool->net = net;
    pool->width = count;
    enum yore_status status = YORE_OK;
    os_mutex_lock(&pool->lock);
    while (status == YORE_OK && pool->thread_count < count) {
        status = os_thread_start(worker_run, pool, thread_names[pace],
                                 &pool->threads[pool->thread_count], error_out);
        pool->thread_count += status == YORE_OK;
    }
    os_mutex_unlock(&pool->lock);
    return status;
}

void pool_stop(struct pool *pool)
{
    if (pool->net == NULL) {
        return; /* it was never started */
    }
    os_mutex_lock(&pool->lock);
    pool->is_ending = true;
    os_cond_broadcast(&pool->work);
    os_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++) {
        os_thread_join(pool->threads[i]);
    }
    os_cond_release(&pool->work);
    os_mutex_release(&pool->lock);
}

unsigned net_share(unsigned count)
{
    unsigned share = NET_ROUND_REQUESTS / (count > 0 ? count : 1);
    return share > NET_TURN_REQUESTS_MIN ? share : NET_TURN_REQUESTS_MIN;
}

bool pool_submit(struct pool *pool, struct loop *loop, struct net_conn *conns, unsigned count)
{
    struct job *job = mem_zalloc(sizeof(*job));
    if (job == NULL) {
        return false;
    }
    job->loop = loop;
    job->conns = conns;
    job->conn_count = count;
    job->pace = pool->pace;
    os_mutex_lock(&pool->lock);
    *pool->last = job;
    pool->last = &job->next;
    pool->queued++;
    pool_call(pool);
    os_mutex_unlock(&pool->lock);
    return true;
}

struct pool *net_pool(struct net *net, enum net_pace pace)
{
    switch (pace) {
    case NET_LOGIN:
        return &net->login_pool;
    case NET_LONG:
        return &net->long_pool;
    default:
        return &net->short_pool;
    }
}

bool net_conn_is_gone(const struct net_conn *conn)
{
    return atomic_load_explicit(&conn->is_left, memory_order_relaxed);
}

bool net_conn_drain(struct net_conn *conn, struct buffer *out)
{
    struct loop *loop = conn->loop;
    struct pool *pool = &loop->net->long_pool;
    bool has_left = false;
    os_mutex_lock(&loop->lock);
    if (!conn->is_gone) {
        if (conn->drained.size == 0) {
            struct buffer empty = conn->drained;
            conn->drained = *out;
            *out = empty;
        } else {
            buffer_append_bytes(&conn->drained, buffer_bytes(out));
        }
        loop_notice(conn, NOTICE_DRAIN);
    }
    buffer_clear(out);
    conn->is_draining = true;
    while (!conn->is_gone && conn->drained.size + conn->unsent_seen > NET_OUTPUT_SOFT_BYTES) {
        if (has_left) {
            os_cond_wait(&loop->drained, &loop->lock);
            continue;
        }
        os_mutex_unlock(&loop->lock); /* nothing is held while others are called */
        pool_leave(pool);
        has_left = true;
        os_mutex_lock(&loop->lock);
    }
    bool is_there = !conn->is_gone && !conn->drained.is_nomem;
    os_mutex_unlock(&loop->lock);
    if (has_left) {
        pool_return(pool);
    }
    return is_there;
}
