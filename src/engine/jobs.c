/* jobs.c -- work in the background: what is done next, by whom, and what happens when it fails.
 *
 * Thread 0 flushes and nothing else when there are more, so that a full memtable never waits behind
 * a long merge.  The others merge levels and work on history, the most urgent first, at most one of
 * each kind a keyspace; when nothing is due and no commit came for a while, what is left of level 0
 * is merged down and runs are sealed, because reads walk one table faster than several.  Two more
 * threads keep time (upkeep.c).  All of them sleep while nothing can become due: who makes
 * something due wakes them.  A job that fails for
 * want of memory or of file handles is tried again; any other failure stops writes, because what
 * could not be written down cannot be kept up for long; but a merge for idleness only is given up.
 */
#include "engine/compact.h"
#include "engine/db_internal.h"
#include "engine/flush.h"
#include "engine/history.h"
#include "engine/purge.h"
#include "engine/retention.h"
#include "engine/upkeep.h"

#define RETRY_NS 10000000  /* after running out of memory or file handles */
#define TICK_NS 1000000000 /* what tells nobody is looked at as often */
#define IDLE_NS 200000000  /* without a commit */

enum job_kind {
    JOB_NONE = 0,
    JOB_FLUSH,
    JOB_LEVEL,
    JOB_HISTORY,
    JOB_RETENTION,  /* of tables that go whole */
    JOB_TRIM,       /* of others */
    JOB_DROP,       /* of all that a dropped keyspace has left */
    JOB_IDLE_LEVEL, /* only when the database is quiet */
    JOB_IDLE_HISTORY
};

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
        if (keyspace != NULL && score >= best && !atomic_load(&keyspace->is_level_busy) &&
            !retention_is_all_over(db, keyspace)) {
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
        struct retention r;
        size_t region;
        if (keyspace == NULL || atomic_load(&keyspace->is_history_busy)) {
            continue;
        }
        if (retention_is_all_over(db, keyspace)) {
            if (!atomic_load(&keyspace->is_level_busy)) {
                return (struct job){JOB_DROP, keyspace};
            }
            continue;
        }
        retention_of(db, keyspace, &r);
        if (retention_wants(view, tree, &r)) { /* first: what goes needs no merge */
            return (struct job){JOB_RETENTION, keyspace};
        }
        if (history_wants_trim(tree, &r, &region)) {
            return (struct job){JOB_TRIM, keyspace};
        }
        if (atomic_load(&keyspace->history_stuck_at) != view->forest->serial &&
            history_wants(db, keyspace, tree, &region) != HISTORY_NOTHING) {
            return (struct job){JOB_HISTORY, keyspace};
        }
    }
    return (struct job){JOB_NONE, NULL};
}

static struct job propose_idle(struct yore_db *db, const struct superview *view)
{
    for (size_t i = 0; i < view->forest->tree_count; i++) {
        const struct forest_tree *tree = view->forest->trees[i];
        struct yore_keyspace *keyspace = db_keyspace(db, tree->keyspace);
        if (keyspace != NULL && !atomic_load(&keyspace->is_level_busy) &&
            atomic_load(&keyspace->idle_stuck_at) != view->forest->serial &&
            compact_wants_idle(db, tree)) {
            return (struct job){JOB_IDLE_LEVEL, keyspace};
        }
        size_t region;
        if (keyspace != NULL && !atomic_load(&keyspace->is_history_busy) &&
            atomic_load(&keyspace->idle_stuck_at) != view->forest->serial &&
            atomic_load(&keyspace->history_stuck_at) != view->forest->serial &&
            history_wants_idle(db, keyspace, tree, &region)) {
            return (struct job){JOB_IDLE_HISTORY, keyspace};
        }
    }
    return (struct job){JOB_NONE, NULL};
}

/* Has no commit come for a while?  Only as good as it is asked often. */
static bool is_quiet(struct yore_db *db)
{
    int64_t now_ns = os_monotonic_ns(db->env);
    int64_t commit = atomic_load_explicit(&db->visible, memory_order_relaxed);
    os_mutex_lock(&db->lock);
    if (commit != db->quiet_commit) {
        db->quiet_commit = commit;
        db->quiet_since_ns = now_ns;
    }
    bool is_quiet = now_ns - db->quiet_since_ns >= IDLE_NS && db->waiting_count == 0;
    os_mutex_unlock(&db->lock);
    return is_quiet;
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

/* There may be something to do: for who waits, and for who is about to wait. */
static void tell_work(struct yore_db *db) REQUIRES(db->lock)
{
    db->work_serial++;
    os_cond_broadcast(&db->work);
}

/* REQUIRES(lock).  False: somebody else was faster. */
static bool claim(struct yore_db *db, const struct job *job)
{
    bool is_free = false;
    if (job->kind == JOB_FLUSH) {
        is_free = !db->is_flushing;
        db->is_flushing = true;
    } else if (job->kind == JOB_LEVEL || job->kind == JOB_IDLE_LEVEL) {
        is_free = !atomic_exchange(&job->keyspace->is_level_busy, true);
    } else if (job->kind == JOB_DROP) {
        is_free = !atomic_load(&job->keyspace->is_level_busy) &&
                  !atomic_load(&job->keyspace->is_history_busy);
        if (is_free) {
            atomic_store(&job->keyspace->is_level_busy, true);
            atomic_store(&job->keyspace->is_history_busy, true);
        }
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
    } else if (job->kind == JOB_LEVEL || job->kind == JOB_IDLE_LEVEL) {
        atomic_store(&job->keyspace->is_level_busy, false);
    } else {
        if (job->kind == JOB_DROP) {
            atomic_store(&job->keyspace->is_level_busy, false);
        }
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
    case JOB_IDLE_LEVEL:
        return compact_idle(db, job->keyspace, error_out);
    case JOB_IDLE_HISTORY:
        return history_idle(db, job->keyspace, error_out);
    case JOB_HISTORY:
        return history_step(db, job->keyspace, error_out);
    case JOB_RETENTION:
        return retention_drop(db, job->keyspace, &ignored, error_out);
    case JOB_TRIM:
        return history_trim(db, job->keyspace, error_out);
    case JOB_DROP:
        return retention_drop_tree(db, job->keyspace, error_out);
    case JOB_NONE:
        break;
    }
    return YORE_NOT_FOUND;
}

/* Choose, claim, run, let go.  YORE_NOT_FOUND: nothing to do; `*is_waiting_out`: but there will be
 * when the database goes on to be quiet. */
static enum yore_status one_job(struct yore_db *db, bool flush_only, bool *is_waiting_out,
                                struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct job job = propose(db, view, flush_only);
    if (job.kind == JOB_NONE && !flush_only && !db->is_inline) {
        job = propose_idle(db, view);
    }
    bool is_idle = job.kind == JOB_IDLE_LEVEL || job.kind == JOB_IDLE_HISTORY;
    *is_waiting_out = is_idle && !is_quiet(db);
    job.kind = *is_waiting_out ? JOB_NONE : job.kind;
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
        st != YORE_OK && st != YORE_NOT_FOUND && !status_is_want(st) && st != YORE_CANCELLED;
    if (is_failure && is_idle) { /* nothing was due: what is there goes on serving */
        atomic_store(&job.keyspace->idle_stuck_at, serial);
        st = YORE_NOT_FOUND;
    } else if (is_failure) {
        db_fail(db, st, error_out);
    }
    if (st == YORE_NOT_FOUND && (job.kind == JOB_HISTORY || job.kind == JOB_IDLE_HISTORY)) {
        atomic_store(&job.keyspace->history_stuck_at,
                     serial); /* nothing until the forest changes */
    }
    os_mutex_lock(&db->lock);
    unclaim(db, &job);
    os_cond_broadcast(&db->idle);
    tell_work(db); /* what was blocked by this job may be next */
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

/* What a worker has looked at, if nothing has been told since. */
struct outlook {
    uint64_t serial;
    uint64_t snapshots_taken;
    bool is_held; /* by a snapshot, whose release tells nobody */
};

static struct outlook look_out(const struct yore_db *db) REQUIRES(db->lock)
{
    return (struct outlook){db->work_serial, db->snapshots.taken, db->snapshots.first != NULL};
}

/* Nothing was due at `before`: wait until something may be. */
static void wait_for_work(struct yore_db *db, const struct outlook *before, int64_t look_again_ns)
{
    os_mutex_lock(&db->lock);
    struct outlook now = look_out(db);
    bool is_told = db->is_closing || now.serial != before->serial;
    bool was_held =
        before->is_held || now.is_held || now.snapshots_taken != before->snapshots_taken;
    if (!is_told && (look_again_ns < TICK_NS || was_held)) {
        os_cond_wait_for(&db->work, &db->lock, look_again_ns);
    } else if (!is_told) {
        os_cond_wait(&db->work, &db->lock);
    }
    os_mutex_unlock(&db->lock);
}

static void work(struct yore_db *db, bool flush_only)
{
    while (!is_stopped(db)) {
        struct yore_error error = {.text = ""};
        bool is_waiting;
        os_mutex_lock(&db->lock);
        struct outlook before = look_out(db);
        os_mutex_unlock(&db->lock);
        enum yore_status st = one_job(db, flush_only, &is_waiting, &error);
        if (st == YORE_NOT_FOUND) {
            wait_for_work(db, &before, is_waiting ? IDLE_NS / 4 : TICK_NS);
        }
        if (status_is_want(st)) {
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

enum yore_status jobs_start(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    uint32_t count = db->options.background_threads;
    os_mutex_lock(&db->lock);
    db->is_closing = false; /* it was, where closing has been refused */
    os_mutex_unlock(&db->lock);
    if (db->is_inline || db->options.read_only) {
        return YORE_OK;
    }
    st = os_thread_start(upkeep_run_timer, db, "yore-timer", &db->threads[0], error_out);
    db->thread_count = st == YORE_OK;
    if (st == YORE_OK) {
        st = os_thread_start(upkeep_run, db, "yore-upkeep", &db->threads[1], error_out);
        db->thread_count += st == YORE_OK;
    }
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
    tell_work(db);
    os_cond_broadcast(&db->timer);
    os_cond_broadcast(&db->upkeep);
    os_cond_broadcast(&db->idle);
    os_mutex_unlock(&db->lock);
    for (size_t i = 0; i < db->thread_count; i++) {
        os_thread_join(db->threads[i]);
    }
    db->thread_count = 0;
}

void jobs_count(struct yore_db *db, int change)
{
    os_mutex_lock(&db->lock);
    db->jobs_running += (uint32_t)change;
    os_cond_broadcast(&db->idle);
    os_mutex_unlock(&db->lock);
}

void jobs_wake(struct yore_db *db)
{
    if (!db->is_inline) {
        os_mutex_lock(&db->lock);
        tell_work(db);
        os_mutex_unlock(&db->lock);
    }
}

void jobs_wake_locked(struct yore_db *db)
{
    tell_work(db);
    os_cond_broadcast(&db->upkeep);
}

enum yore_status jobs_run_inline(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    bool ignored;
    while (db->is_inline && st == YORE_OK) {
        st = one_job(db, false, &ignored, error_out);
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

enum yore_status jobs_flush_here(struct yore_db *db, struct yore_error *error_out)
{
    const struct job flush = {JOB_FLUSH, NULL};
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->lock);
    while (st == YORE_OK && db->waiting_count > 0) {
        bool is_mine = !db->is_flushing && claim(db, &flush);
        if (!is_mine) {
            os_cond_wait(&db->idle, &db->lock);
        }
        os_mutex_unlock(&db->lock);
        st = is_mine ? run(db, &flush, error_out) : db_check_writable(db, error_out);
        if (is_mine && st != YORE_OK && !status_is_want(st)) {
            db_fail(db, st, error_out);
        }
        os_mutex_lock(&db->lock);
        if (is_mine) {
            unclaim(db, &flush);
            os_cond_broadcast(&db->idle);
            tell_work(db);
        }
    }
    os_mutex_unlock(&db->lock);
    return st;
}

/* ---- on demand ---- */

enum yore_status jobs_claim_keyspace(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct stop *stop, struct yore_error *error_out)
{
    enum yore_status st = stop_is_asked(stop) ? error_plain(error_out, YORE_CANCELLED) : YORE_OK;
    os_mutex_lock(&db->lock);
    while (st == YORE_OK &&
           (atomic_load(&keyspace->is_level_busy) || atomic_load(&keyspace->is_history_busy))) {
        bool is_over = db->is_closing || stop_is_asked(stop);
        st = is_over ? error_plain(error_out, YORE_CANCELLED) : YORE_OK;
        if (st == YORE_OK) {
            os_cond_wait_for(&db->idle, &db->lock, TICK_NS);
        }
    }
    if (st == YORE_OK) {
        atomic_store(&keyspace->is_level_busy, true);
        atomic_store(&keyspace->is_history_busy, true);
        keyspace->stop = stop;
        db->jobs_running++;
    }
    os_mutex_unlock(&db->lock);
    return st;
}

void jobs_free_keyspace(struct yore_db *db, struct yore_keyspace *keyspace)
{
    os_mutex_lock(&db->lock);
    keyspace->stop = NULL;
    atomic_store(&keyspace->is_level_busy, false);
    atomic_store(&keyspace->is_history_busy, false);
    db->jobs_running--;
    os_cond_broadcast(&db->idle);
    tell_work(db);
    os_mutex_unlock(&db->lock);
}

bool jobs_try_claim_levels(struct yore_db *db, struct yore_keyspace *keyspace)
{
    const struct job merge = {JOB_LEVEL, keyspace};
    os_mutex_lock(&db->lock);
    bool is_claimed = claim(db, &merge);
    os_mutex_unlock(&db->lock);
    return is_claimed;
}

void jobs_free_levels(struct yore_db *db, struct yore_keyspace *keyspace)
{
    const struct job merge = {JOB_LEVEL, keyspace};
    os_mutex_lock(&db->lock);
    unclaim(db, &merge);
    os_cond_broadcast(&db->idle);
    tell_work(db);
    os_mutex_unlock(&db->lock);
}

enum yore_status jobs_wait_levels(struct yore_db *db, struct yore_keyspace *keyspace,
                                  struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->lock);
    while (st == YORE_OK && atomic_load(&keyspace->is_level_busy)) {
        st = db->is_closing ? error_plain(error_out, YORE_CANCELLED) : YORE_OK;
        if (st == YORE_OK) {
            os_cond_wait_for(&db->idle, &db->lock, TICK_NS);
        }
    }
    os_mutex_unlock(&db->lock);
    return st;
}

enum yore_status yore_flush(struct yore_db *db, struct yore_error *error_out)
{
    if (db == NULL) {
        return error_null(error_out, __func__, "db");
    }
    error_clear(error_out);
    enum yore_status st = db_check_writable(db, error_out);
    if (st == YORE_OK) {
        st = commit_switch(db, error_out);
    }
    return st == YORE_OK ? jobs_wait_flushed(db, error_out) : st;
}

static enum yore_status compact_keyspace(struct yore_db *db, struct yore_keyspace *keyspace,
                                         const struct stop *stop, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    bool has_tree = forest_tree(view->forest, keyspace->id) != NULL;
    superview_release(view);
    enum yore_status st = has_tree ? jobs_claim_keyspace(db, keyspace, stop, error_out) : YORE_OK;
    if (st != YORE_OK || !has_tree) {
        return st;
    }
    if (retention_is_all_over(db, keyspace)) {
        st = retention_drop_tree(db, keyspace, error_out);
        jobs_free_keyspace(db, keyspace);
        return st;
    }
    st = compact_all(db, keyspace, error_out);
    st = st == YORE_NOT_FOUND ? YORE_OK : st;
    if (st == YORE_OK) {
        st = history_all(db, keyspace, error_out);
    }
    jobs_free_keyspace(db, keyspace);
    return st;
}

enum yore_status db_compact(struct yore_db *db, struct yore_keyspace *keyspace,
                            const struct stop *stop, struct yore_error *error_out)
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
            st = compact_keyspace(db, each, stop, error_out);
        }
    }
    return st == YORE_OK ? purge_all(db, stop, error_out) : st;
}

enum yore_status yore_compact(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out)
{
    return db != NULL ? db_compact(db, keyspace, NULL, error_out)
                      : error_null(error_out, __func__, "db");
}
