/* jobs.c -- work in the background: what is done next, by whom, and what happens when it fails.
 *
 * Thread 0 flushes and nothing else when there are more, so that a full memtable never waits behind
 * a long merge.  The others merge levels and work on history, the most urgent first, at most one of
 * each kind a keyspace.  One more thread keeps time: interval syncs, idle marks, horizons,
 * erasures.  A job that fails for want of memory is tried again; any other failure stops writes,
 * because what could not be written down cannot be kept up for long.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "engine/compact.h"
#include "engine/db_internal.h"
#include "engine/flush.h"
#include "engine/history.h"
#include "engine/purge.h"
#include "engine/retention.h"
#include "engine/value_collect.h"

#define RETRY_NS 10000000  /* after running out of memory */
#define TICK_NS 1000000000 /* horizons and idle marks */

enum job_kind { JOB_NONE = 0, JOB_FLUSH, JOB_LEVEL, JOB_HISTORY, JOB_RETENTION };

struct job {
    enum job_kind kind;
    struct yore_keyspace *keyspace;
};

/* ---- choosing ---- */

/* The level that most wants a merge, of the keyspaces where none runs. */
static struct job propose_level(struct yore_db *db, const struct superview *view)
{
    struct job job = {JOB_NONE, NULL};
    double best = 1.0;
    for (size_t i = 0; i < view->forest->tree_count; i++) {
        uint32_t level;
        double score = compact_score(db, view->forest->trees[i], &level);
        struct yore_keyspace *keyspace = db_keyspace(db, view->forest->trees[i]->keyspace);
        if (keyspace != NULL && score >= best && !atomic_load(&keyspace->is_level_busy)) {
            best = score;
            job = (struct job){JOB_LEVEL, keyspace};
        }
    }
    return job;
}

static struct job propose_history(struct yore_db *db, const struct superview *view)
{
    for (size_t i = 0; i < view->forest->tree_count; i++) {
        const struct forest_tree *tree = view->forest->trees[i];
        struct yore_keyspace *keyspace = db_keyspace(db, tree->keyspace);
        size_t region;
        if (keyspace == NULL || atomic_load(&keyspace->is_history_busy)) {
            continue;
        }
        if (atomic_load(&keyspace->keep) != YORE_KEEP_NOW &&
            atomic_load(&keyspace->history_stuck_at) != view->forest->serial &&
            history_wants(db, tree, &region) != HISTORY_NOTHING) {
            return (struct job){JOB_HISTORY, keyspace};
        }
        if (retention_wants(db, view, keyspace)) {
            return (struct job){JOB_RETENTION, keyspace};
        }
    }
    return (struct job){JOB_NONE, NULL};
}

/* What to do next.  May read tables' indexes, so no lock is held; claim() decides. */
static struct job propose(struct yore_db *db, const struct superview *view, bool flush_only)
{
    os_mutex_lock(&db->lock);
    bool is_full = db->waiting_count > 0 && !db->is_flushing;
    os_mutex_unlock(&db->lock);
    if (is_full || flush_only) {
        return (struct job){is_full ? JOB_FLUSH : JOB_NONE, NULL};
    }
    struct job job = propose_level(db, view);
    return job.kind != JOB_NONE ? job : propose_history(db, view);
}

/* REQUIRES(lock).  False: somebody else was faster. */
static bool claim(struct yore_db *db, const struct job *job)
{
    bool is_free = false;
    if (job->kind == JOB_FLUSH) {
        is_free = !db->is_flushing;
        db->is_flushing = true;
    } else if (job->kind == JOB_LEVEL) {
        is_free = !atomic_exchange(&job->keyspace->is_level_busy, true);
    } else if (job->kind != JOB_NONE) {
        is_free = !atomic_exchange(&job->keyspace->is_history_busy, true);
    }
    db->jobs_running += is_free;
    return is_free;
}

/* REQUIRES(lock). */
static void unclaim(struct yore_db *db, const struct job *job)
{
    if (job->kind == JOB_FLUSH) {
        db->is_flushing = false;
    } else if (job->kind == JOB_LEVEL) {
        atomic_store(&job->keyspace->is_level_busy, false);
    } else {
        atomic_store(&job->keyspace->is_history_busy, false);
    }
    db->jobs_running--;
}

static enum yore_status run(struct yore_db *db, const struct job *job, struct yore_error *error_out)
{
    bool ignored;
    switch (job->kind) {
    case JOB_FLUSH:
        return flush_oldest(db, error_out);
    case JOB_LEVEL:
        return compact_step(db, job->keyspace, error_out);
    case JOB_HISTORY:
        return history_step(db, job->keyspace, error_out);
    case JOB_RETENTION:
        return retention_drop(db, job->keyspace, &ignored, error_out);
    case JOB_NONE:
        break;
    }
    return YORE_NOT_FOUND;
}

/* Choose, claim, run, let go.  YORE_NOT_FOUND: nothing to do. */
static enum yore_status one_job(struct yore_db *db, bool flush_only, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct job job = propose(db, view, flush_only);
    uint64_t serial = view->forest->serial;
    superview_release(view);
    os_mutex_lock(&db->lock);
    bool is_claimed = claim(db, &job);
    os_mutex_unlock(&db->lock);
    if (!is_claimed) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st = run(db, &job, error_out);
    bool is_failure =
        st != YORE_OK && st != YORE_NOT_FOUND && st != YORE_NOMEM && st != YORE_CANCELLED;
    if (is_failure) {
        db_fail(db, st, error_out);
    }
    if (st == YORE_NOT_FOUND && job.kind == JOB_HISTORY) {
        atomic_store(&job.keyspace->history_stuck_at,
                     serial); /* nothing until the forest changes */
    }
    os_mutex_lock(&db->lock);
    unclaim(db, &job);
    os_cond_broadcast(&db->idle);
    os_cond_broadcast(&db->work); /* what was blocked by this job may be next */
    os_mutex_unlock(&db->lock);
    /* What looked due and was not (its inputs changed meanwhile) counts as done. */
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- threads ---- */

struct worker {
    struct yore_db *db;
    bool flush_only;
};

static bool is_stopped(struct yore_db *db)
{
    os_mutex_lock(&db->lock);
    bool is_closing = db->is_closing;
    os_mutex_unlock(&db->lock);
    return is_closing || atomic_load(&db->failed_status) != YORE_OK;
}

static void work(struct yore_db *db, bool flush_only)
{
    while (!is_stopped(db)) {
        struct yore_error error = {.text = ""};
        enum yore_status st = one_job(db, flush_only, &error);
        os_mutex_lock(&db->lock);
        if (st == YORE_NOT_FOUND && !db->is_closing) {
            os_cond_wait_for(&db->work, &db->lock, TICK_NS);
        }
        os_mutex_unlock(&db->lock);
        if (st == YORE_NOMEM) {
            os_sleep_ns(db->env, RETRY_NS);
        }
    }
}

static void run_flusher(void *arg)
{
    work(arg, true);
}

static void run_worker(void *arg)
{
    work(arg, false);
}

static void interval_sync(struct yore_db *db)
{
    struct yore_error error = {.text = ""};
    if (journal_appended_commit(db->journal) <= journal_durable_commit(db->journal)) {
        return;
    }
    enum yore_status st = values_sync(db->values, &error);
    if (st == YORE_OK) {
        st = journal_sync(db->journal, &error);
    }
    if (st != YORE_OK) {
        db_fail(db, st, &error);
    }
}

static void tick(struct yore_db *db)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = commit_idle_mark(db, &error);
    if (st == YORE_OK) {
        st = retention_advance(db, &error);
    }
    if (st == YORE_OK) {
        st = purge_pending(db, &error);
    }
    if (st == YORE_OK) {
        st = values_sweep(db, &error);
    }
    if (st != YORE_OK && st != YORE_NOMEM && st != YORE_CANCELLED && st != YORE_BUSY) {
        db_fail(db, st, &error);
    }
}

static void run_timer(void *arg)
{
    struct yore_db *db = arg;
    int64_t interval_ns = (int64_t)db->options.interval_ms * 1000000;
    int64_t next_tick = os_monotonic_ns(db->env) + TICK_NS;
    while (!is_stopped(db)) {
        os_mutex_lock(&db->lock);
        if (!db->is_closing) {
            os_cond_wait_for(&db->timer, &db->lock, interval_ns);
        }
        bool is_urgent = db->is_erase_pending;
        os_mutex_unlock(&db->lock);
        if (is_stopped(db)) {
            break;
        }
        interval_sync(db);
        if (is_urgent || os_monotonic_ns(db->env) >= next_tick) {
            tick(db);
            next_tick = os_monotonic_ns(db->env) + TICK_NS;
        }
    }
}

enum yore_status jobs_start(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    uint32_t count = db->options.background_threads;
    if (db->is_inline) {
        return YORE_OK;
    }
    st = os_thread_start(run_timer, db, "yore-timer", &db->threads[0], error_out);
    db->thread_count = st == YORE_OK;
    for (uint32_t i = 0; st == YORE_OK && i < count; i++) {
        bool is_flusher = i == 0 && count > 1;
        st = os_thread_start(is_flusher ? run_flusher : run_worker, db,
                             is_flusher ? "yore-flush" : "yore-work",
                             &db->threads[db->thread_count], error_out);
        db->thread_count += st == YORE_OK;
    }
    return st;
}

void jobs_stop(struct yore_db *db)
{
    os_mutex_lock(&db->lock);
    db->is_closing = true;
    os_cond_broadcast(&db->work);
    os_cond_broadcast(&db->timer);
    os_cond_broadcast(&db->idle);
    os_mutex_unlock(&db->lock);
    for (size_t i = 0; i < db->thread_count; i++) {
        os_thread_join(db->threads[i]);
    }
    db->thread_count = 0;
}

void jobs_wake(struct yore_db *db)
{
    if (!db->is_inline) {
        os_mutex_lock(&db->lock);
        os_cond_broadcast(&db->work);
        os_mutex_unlock(&db->lock);
    }
}

enum yore_status jobs_run_inline(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    while (db->is_inline && st == YORE_OK) {
        st = one_job(db, false, error_out);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- waiting ---- */

enum yore_status jobs_wait_flushed(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = jobs_run_inline(db, error_out);
    os_mutex_lock(&db->lock);
    while (st == YORE_OK && (db->waiting_count > 0 || db->is_flushing) && !db->is_inline) {
        st = db->is_closing ? error_plain(error_out, YORE_CANCELLED) : YORE_OK;
        if (st == YORE_OK && atomic_load(&db->failed_status) != YORE_OK) {
            st = error_set(error_out, (enum yore_status)atomic_load(&db->failed_status), "%s",
                           db->failed.text);
        }
        if (st == YORE_OK) {
            os_cond_wait(&db->idle, &db->lock);
        }
    }
    os_mutex_unlock(&db->lock);
    return st;
}

static bool is_anything_due(struct yore_db *db)
{
    struct superview *view = superview_acquire(db);
    bool is_due = propose(db, view, false).kind != JOB_NONE;
    superview_release(view);
    os_mutex_lock(&db->lock);
    is_due |= db->jobs_running > 0 || db->waiting_count > 0;
    os_mutex_unlock(&db->lock);
    return is_due;
}

enum yore_status db_settle(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = jobs_run_inline(db, error_out);
    while (st == YORE_OK && is_anything_due(db)) {
        st = db_check_writable(db, error_out);
        os_mutex_lock(&db->lock);
        if (st == YORE_OK) {
            os_cond_broadcast(&db->work);
            os_cond_wait_for(&db->idle, &db->lock, RETRY_NS);
        }
        os_mutex_unlock(&db->lock);
    }
    return st;
}

/* ---- on demand ---- */

enum yore_status jobs_claim_keyspace(struct yore_db *db, struct yore_keyspace *keyspace,
                                     struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->lock);
    while (st == YORE_OK &&
           (atomic_load(&keyspace->is_level_busy) || atomic_load(&keyspace->is_history_busy))) {
        st = db->is_closing ? error_plain(error_out, YORE_CANCELLED) : YORE_OK;
        if (st == YORE_OK) {
            os_cond_wait_for(&db->idle, &db->lock, TICK_NS);
        }
    }
    if (st == YORE_OK) {
        atomic_store(&keyspace->is_level_busy, true);
        atomic_store(&keyspace->is_history_busy, true);
        db->jobs_running++;
    }
    os_mutex_unlock(&db->lock);
    return st;
}

void jobs_free_keyspace(struct yore_db *db, struct yore_keyspace *keyspace)
{
    os_mutex_lock(&db->lock);
    atomic_store(&keyspace->is_level_busy, false);
    atomic_store(&keyspace->is_history_busy, false);
    db->jobs_running--;
    os_cond_broadcast(&db->idle);
    os_cond_broadcast(&db->work);
    os_mutex_unlock(&db->lock);
}

enum yore_status yore_flush(struct yore_db *db, struct yore_error *error_out)
{
    error_clear(error_out);
    enum yore_status st = db_check_writable(db, error_out);
    if (st == YORE_OK) {
        st = commit_switch(db, error_out);
    }
    return st == YORE_OK ? jobs_wait_flushed(db, error_out) : st;
}

static enum yore_status compact_keyspace(struct yore_db *db, struct yore_keyspace *keyspace,
                                         struct yore_error *error_out)
{
    bool ignored;
    enum yore_status st = jobs_claim_keyspace(db, keyspace, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = compact_all(db, keyspace, error_out);
    st = st == YORE_NOT_FOUND ? YORE_OK : st;
    if (st == YORE_OK) {
        st = history_all(db, keyspace, error_out);
    }
    if (st == YORE_OK) {
        st = retention_drop(db, keyspace, &ignored, error_out);
    }
    jobs_free_keyspace(db, keyspace);
    return st;
}

enum yore_status yore_compact(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out)
{
    enum yore_status st = yore_flush(db, error_out);
    if (st == YORE_OK) {
        st = retention_advance(db, error_out);
    }
    for (size_t i = 0; st == YORE_OK; i++) {
        os_mutex_lock(&db->lock);
        struct yore_keyspace *each = i < db->keyspace_count ? db->keyspaces[i] : NULL;
        os_mutex_unlock(&db->lock);
        if (each == NULL) {
            break;
        }
        if (keyspace == NULL || keyspace == each) {
            st = compact_keyspace(db, each, error_out);
        }
    }
    return st == YORE_OK ? purge_pending(db, error_out) : st;
}
