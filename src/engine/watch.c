/* watch.c -- a feed that waits for more at its end and goes on.
 *
 * What a watch may tell ends at its *limit*: what is visible, or of that what is durable.  A watch
 * that has told everything waits on commit.published.  No wake-up is lost, and nobody pays for
 * watches that are not there: whoever moves the limit takes commit.lock afterwards, as a leader
 * does in any case, and sees that somebody waits; who waits has said so and looked at the limit
 * once more under the same lock.
 *
 * Between two calls a watch holds nothing the database might want to give back, but while it tells
 * a window of commits from tables: then a view, as a cursor does.
 */
#include "base/mem.h"
#include "engine/feed.h"

struct yore_watch {
    struct yore_db *db;
    struct yore_feed *feed;
    bool is_durable_only;
    atomic_bool is_cancelled; /* partner: the other thread's yore_watch_cancel() */
};

/* ---- the limit ---- */

static int64_t limit_of(const struct yore_watch *watch)
{
    struct yore_db *db = watch->db;
    int64_t visible = atomic_load_explicit(&db->visible, memory_order_acquire);
    if (!watch->is_durable_only) {
        return visible;
    }
    int64_t appended = journal_appended_commit(db->journal);
    int64_t durable = journal_durable_commit(db->journal);
    if (durable >= appended) {
        return visible; /* looked at first, so appended by then */
    }
    /* In a run that has synced no commit of its own yet, what is in tables is durable. */
    struct superview *view = superview_acquire(db);
    int64_t flushed = view->forest->flushed_commit;
    superview_release(view);
    durable = durable > flushed ? durable : flushed;
    return durable < visible ? durable : visible;
}

/* ---- opening and closing ---- */

static enum yore_status open_feed(struct yore_watch *watch,
                                  const struct yore_watch_options *options,
                                  struct yore_error *error_out)
{
    struct feed_options feed = {
        .limit = limit_of(watch), .is_following = true, .is_cancelled = &watch->is_cancelled};
    feed.after = options->after_commit == YORE_NOW ? feed.limit : options->after_commit;
    enum yore_status st = YORE_OK;
    if (options->after_commit != YORE_NOW) {
        st = feed_check_after(watch->db, feed.after, "watch", error_out);
    }
    if (st == YORE_OK) {
        st = feed_scope_init(&feed.scope, options->keyspace, &options->range, error_out);
    }
    return st == YORE_OK ? feed_open(watch->db, &feed, &watch->feed, error_out) : st;
}

enum yore_status yore_watch_open(struct yore_db *db, const struct yore_watch_options *options,
                                 struct yore_watch **watch_out, struct yore_error *error_out)
{
    if (db == NULL || watch_out == NULL) {
        return error_null(error_out, __func__, "db, watch_out");
    }
    static const struct yore_watch_options everything = {.after_commit = YORE_NOW};
    error_clear(error_out);
    *watch_out = NULL;
    struct yore_watch *watch = mem_zalloc(sizeof *watch);
    if (watch == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    options = options != NULL ? options : &everything;
    watch->db = db;
    watch->is_durable_only = options->durable_only;
    enum yore_status st = open_feed(watch, options, error_out);
    if (st != YORE_OK) {
        mem_free(watch);
        return st;
    }
    handles_add(&db->handles, HANDLE_watch, 1);
    *watch_out = watch;
    return YORE_OK;
}

void yore_watch_close(struct yore_watch *watch)
{
    if (watch != NULL) {
        yore_feed_close(watch->feed);
        handles_add(&watch->db->handles, HANDLE_watch, -1);
        mem_free(watch);
    }
}

int64_t yore_watch_position(const struct yore_watch *watch)
{
    return watch != NULL ? feed_position(watch->feed) : 0;
}

/* ---- waiting ---- */

void yore_watch_cancel(struct yore_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    atomic_store(&watch->is_cancelled, true);
    commit_wake_watchers(watch->db);
}

static int64_t deadline_of(const struct yore_watch *watch, int64_t timeout_ns)
{
    int64_t now = os_monotonic_ns(watch->db->env);
    return timeout_ns < YORE_FOREVER - now ? now + timeout_ns : YORE_FOREVER;
}

/* False: the deadline is over. */
static bool wait_until(const struct yore_watch *watch, struct commit_queue *queue,
                       int64_t deadline_ns) REQUIRES(queue->lock)
{
    queue->has_watchers = true;
    if (deadline_ns == YORE_FOREVER) {
        os_cond_wait(&queue->published, &queue->lock);
        return true;
    }
    int64_t left = deadline_ns - os_monotonic_ns(watch->db->env);
    return left > 0 && os_cond_wait_for(&queue->published, &queue->lock, left);
}

/* Wait until the limit is past `told`, which it may be already.  YORE_NOT_FOUND: the deadline is
 * over. */
static enum yore_status wait_past(struct yore_watch *watch, int64_t told, int64_t deadline_ns,
                                  struct yore_error *error_out)
{
    struct commit_queue *queue = &watch->db->commit;
    enum yore_status st = YORE_OK;
    os_mutex_lock(&queue->lock);
    while (st == YORE_OK && limit_of(watch) <= told) {
        /* Once writes are stopped nothing will come. */
        st = atomic_load(&watch->is_cancelled) ? error_plain(error_out, YORE_CANCELLED)
                                               : db_check_writable(watch->db, error_out);
        if (st == YORE_OK && !wait_until(watch, queue, deadline_ns)) {
            st = YORE_NOT_FOUND;
        }
    }
    os_mutex_unlock(&queue->lock);
    return st;
}

enum yore_status yore_watch_next(struct yore_watch *watch, int64_t timeout_ns,
                                 struct yore_feed_commit *commit_out, struct yore_error *error_out)
{
    if (watch == NULL || commit_out == NULL) {
        return error_null(error_out, __func__, "watch, commit_out");
    }
    error_clear(error_out);
    if (timeout_ns < 0) {
        return error_set(error_out, YORE_INVALID, "a timeout of %lld ns: give 0 or more",
                         (long long)timeout_ns);
    }
    int64_t deadline_ns = INT64_MIN; /* the clock is looked at only where there is to wait */
    while (!atomic_load(&watch->is_cancelled)) {
        int64_t limit = limit_of(watch);
        feed_extend(watch->feed, limit);
        enum yore_status st = yore_feed_next(watch->feed, commit_out, error_out);
        if (st != YORE_NOT_FOUND) {
            return st;
        }
        bool is_first = deadline_ns == INT64_MIN;
        deadline_ns = is_first ? deadline_of(watch, timeout_ns) : deadline_ns;
        if (!is_first && os_monotonic_ns(watch->db->env) >= deadline_ns) {
            return YORE_NOT_FOUND; /* there is more all the time, and none of it in the scope */
        }
        st = wait_past(watch, limit, deadline_ns, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    return error_plain(error_out, YORE_CANCELLED);
}
