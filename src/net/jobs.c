/* jobs.c -- workers: what may block runs here, many connections' turns a job. */
#include "base/mem.h"
#include "net/net_internal.h"

static void worker_run(void *arg);

/* Of the running jobs, those that have not taken long so far. */
static unsigned count_brief(const struct pool *pool) REQUIRES(pool->lock)
{
    int64_t since = (int64_t)uv_hrtime() - NET_BRIEF_NS;
    unsigned count = 0;
    for (const struct job *job = pool->runs; job != NULL; job = job->next) {
        count += job->begun_ns > since;
    }
    return count;
}

/* Does an owner wait who has nothing running? */
static bool has_starved(const struct pool *pool) REQUIRES(pool->lock)
{
    for (const struct line *line = pool->lines; line != NULL; line = line->next) {
        if (line->first != NULL && line->running == 0) {
            return true;
        }
    }
    return false;
}

/* How many more may run, as far as their number goes. */
static unsigned room_of(const struct pool *pool) REQUIRES(pool->lock)
{
    if (pool->running < pool->width) {
        return pool->width - pool->running;
    }
    bool may_exceed = pool->pace == NET_LONG && pool->running < 2 * pool->width;
    return may_exceed && has_starved(pool) ? 1 : 0;
}

static bool has_turn(const struct pool *pool) REQUIRES(pool->lock)
{
    if (pool->queued == 0 || pool->is_ending) {
        return pool->queued > 0;
    }
    return room_of(pool) > 0 && (pool->running < pool->brief || count_brief(pool) < pool->brief);
}

/* ---- lines of owners ---- */

/* The line of an owner, made where there is none.  NULL: out of memory. */
static struct line *line_of(struct pool *pool, uint64_t owner) REQUIRES(pool->lock)
{
    struct line **at = &pool->lines;
    while (*at != NULL && (*at)->owner != owner) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        struct line *line = mem_zalloc(sizeof(*line));
        if (line != NULL) {
            line->owner = owner;
            line->last = &line->first;
        }
        *at = line;
    }
    return *at;
}

/* Off the list, and behind all others or, where it has no job, gone. */
static void line_settle(struct pool *pool, struct line *line) REQUIRES(pool->lock)
{
    struct line **at = &pool->lines;
    while (*at != line) {
        at = &(*at)->next;
    }
    *at = line->next;
    line->next = NULL;
    if (line->count == 0) {
        mem_free(line);
        return;
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = line;
}

/* Whose turn it is: of those with fewest running, who began one longest ago. */
static struct line *line_next(const struct pool *pool) REQUIRES(pool->lock)
{
    struct line *best = NULL;
    for (struct line *line = pool->lines; line != NULL; line = line->next) {
        if (line->first != NULL && (best == NULL || line->running < best->running)) {
            best = line;
        }
    }
    return best;
}

/* ---- running ---- */

static void run_begin(struct pool *pool, struct job *job) REQUIRES(pool->lock)
{
    job->next = pool->runs;
    pool->runs = job;
    pool->running++;
    job->line->running++;
}

static void run_end(struct pool *pool, struct job *job) REQUIRES(pool->lock)
{
    struct job **at = &pool->runs;
    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    pool->running--;
    job->line->running--;
}

/* The first job of whose turn it is; NULL: none waits. */
static struct job *take_next(struct pool *pool) REQUIRES(pool->lock)
{
    struct line *line = line_next(pool);
    if (line == NULL) {
        return NULL;
    }
    struct job *job = line->first;
    line->first = job->next;
    if (line->first == NULL) {
        line->last = &line->first;
    }
    pool->queued--;
    job->begun_ns = (int64_t)uv_hrtime();
    run_begin(pool, job);
    line_settle(pool, line);
    return job;
}

static const char *const thread_names[] = {"", "", "yore-short", "yore-long", "yore-login"};

/* Somebody is to take the next job, at once or when its turn comes: who is idle, or, where threads
 * wait for readers or one more may run than there are, another thread.  One that cannot be started
 * leaves the job to whoever is done next. */
static void pool_call(struct pool *pool) REQUIRES(pool->lock)
{
    const unsigned room = sizeof(pool->threads) / sizeof(pool->threads[0]);
    unsigned turns = room_of(pool);
    turns = turns < pool->queued ? turns : pool->queued;
    if (!has_turn(pool)) {
        turns = turns < 1 ? turns : 1; /* who waits with a clock */
    }
    if (turns > 0 && pool->idle > 0) {
        os_cond_signal(&pool->work);
    }
    if (pool->idle < turns && !pool->is_ending && pool->thread_count < room &&
        os_thread_start(worker_run, pool, thread_names[pool->pace],
                        &pool->threads[pool->thread_count], NULL) == YORE_OK) {
        pool->thread_count++;
    }
}

/* The next job, for a thread that has done one (`done`, which is freed) or none yet; NULL: it is to
 * end. */
static struct job *pool_take(struct pool *pool, struct job *done)
{
    os_mutex_lock(&pool->lock);
    if (done != NULL) {
        run_end(pool, done);
        if (--done->line->count == 0) {
            line_settle(pool, done->line);
        }
        mem_free(done);
    }
    pool->idle++;
    while (!has_turn(pool) && !(pool->is_ending && pool->queued == 0)) {
        if (pool->queued > 0 && room_of(pool) > 0) {
            os_cond_wait_for(&pool->work, &pool->lock, NET_BRIEF_NS);
        } else {
            os_cond_wait(&pool->work, &pool->lock);
        }
    }
    pool->idle--;
    struct job *job = take_next(pool);
    os_mutex_unlock(&pool->lock);
    return job;
}

/* A job waits for its reader: another may run. */
static void pool_leave(struct pool *pool, struct job *job)
{
    os_mutex_lock(&pool->lock);
    run_end(pool, job);
    pool_call(pool);
    os_mutex_unlock(&pool->lock);
}

/* It goes on, also where the pool is full by now. */
static void pool_return(struct pool *pool, struct job *job)
{
    os_mutex_lock(&pool->lock);
    run_begin(pool, job);
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
        conn->job = job;
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
    } else if (pool->pace == NET_SHORT) {
        os_thread_answer_soon();
    }
    for (struct job *job = pool_take(pool, NULL); job != NULL; job = pool_take(pool, job)) {
        job_run(pool->net, job);
    }
}

/* What takes long leaves a processor to those who wait for an answer, where there are two. */
static unsigned brief_of(enum net_pace pace, unsigned count)
{
    unsigned processors = uv_available_parallelism();
    unsigned most = processors > 2 ? processors - 1 : 1;
    return pace == NET_LONG && most < count ? most : count;
}

enum yore_status pool_start(struct pool *pool, struct net *net, enum net_pace pace, unsigned count,
                            struct yore_error *error_out)
{
    os_mutex_init(&pool->lock);
    os_cond_init(&pool->work);
    pool->pace = pace;
    pool->net = net;
    pool->width = count;
    pool->brief = brief_of(pace, count);
    enum yore_status status = YORE_OK;
    os_mutex_lock(&pool->lock);
    pool->queued_max = NET_LOGINS_WAITING_MAX;
    pool->owner_max = NET_LOGINS_OWNER_MAX;
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

/* Whoever floods the queue of passwords does so from one network, mostly: it is full for that one
 * first. */
static bool is_crowded(const struct pool *pool, const struct line *line) REQUIRES(pool->lock)
{
    return pool->pace == NET_LOGIN &&
           (pool->queued >= pool->queued_max || line->count >= pool->owner_max);
}

enum pool_answer pool_submit(struct pool *pool, struct loop *loop, struct net_conn *conns,
                             unsigned count)
{
    enum pool_answer answer = POOL_NOMEM;
    struct job *job = mem_zalloc(sizeof(*job));
    if (job == NULL) {
        return POOL_NOMEM;
    }
    job->loop = loop;
    job->conns = conns;
    job->conn_count = count;
    job->pace = pool->pace;
    os_mutex_lock(&pool->lock);
    struct line *line = line_of(pool, pool->pace == NET_SHORT ? 0 : conns->owner);
    if (line != NULL && is_crowded(pool, line)) {
        answer = POOL_CROWDED;
        if (line->count == 0) {
            line_settle(pool, line);
        }
    } else if (line != NULL) {
        answer = POOL_TAKEN;
        job->line = line;
        *line->last = job;
        line->last = &job->next;
        line->count++;
        pool->queued++;
        pool_call(pool);
    }
    os_mutex_unlock(&pool->lock);
    if (answer != POOL_TAKEN) {
        mem_free(job);
    }
    return answer;
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
        pool_leave(pool, conn->job);
        has_left = true;
        os_mutex_lock(&loop->lock);
    }
    bool is_there = !conn->is_gone && !conn->drained.is_nomem;
    os_mutex_unlock(&loop->lock);
    if (has_left) {
        pool_return(pool, conn->job);
    }
    return is_there;
}
