/* upkeep.c -- what comes due as time goes by, and whose sleep costs nothing.
 *
 * The timer syncs what is an interval old.  Upkeep ticks: idle marks, horizons, purging of erased
 * bytes, value files that go or are thinned.  After a tick that left nothing open, and where no
 * keyspace keeps a duration, only a commit, an erasure or a new forest can give it more to do; then
 * it sleeps without end, as the timer does when all is synced.  The one to wake them is whoever
 * makes the change: each first says that it sleeps and then looks once more, the other first makes
 * the change and then looks whether somebody sleeps, so one of both sees it.
 */
#include "engine/upkeep.h"

#include "engine/purge.h"
#include "engine/retention.h"
#include "engine/value_collect.h"

#define TICK_NS 1000000000 /* horizons and idle marks */
#define ERASE_NS 100000000 /* erasures gather for so long before their bytes are looked for */

void upkeep_note_commit(struct yore_db *db, bool is_durable)
{
    bool wakes_timer = !is_durable && atomic_load(&db->timer_sleeps);
    bool wakes_upkeep = atomic_load(&db->upkeep_sleeps);
    if (!wakes_timer && !wakes_upkeep) {
        return;
    }
    os_mutex_lock(&db->lock);
    if (wakes_timer && atomic_exchange(&db->timer_sleeps, false)) {
        os_cond_broadcast(&db->timer);
    }
    if (wakes_upkeep && atomic_exchange(&db->upkeep_sleeps, false)) {
        os_cond_broadcast(&db->upkeep);
    }
    os_mutex_unlock(&db->lock);
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
    if (st == YORE_OK) {
        commit_wake_watchers(db);
    } else {
        db_fail(db, st, &error);
    }
}

static enum yore_status tick(struct yore_db *db)
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
    if (st == YORE_OK) {
        st = values_collect_due(db, &error);
    }
    if (st != YORE_OK && !status_is_want(st) && st != YORE_CANCELLED) {
        db_fail(db, st, &error);
    }
    return st;
}

static bool is_ending(const struct yore_db *db) REQUIRES(db->lock)
{
    return db->is_closing || atomic_load(&db->failed_status) != YORE_OK;
}

static bool has_unsynced(const struct yore_db *db)
{
    return journal_appended_commit(db->journal) > journal_durable_commit(db->journal);
}

/* Until the first commit that nothing has synced is an interval old.  False: the database ends. */
static bool wait_for_unsynced(struct yore_db *db)
{
    os_mutex_lock(&db->lock);
    while (!is_ending(db)) {
        atomic_store(&db->timer_sleeps, true); /* with what the leader does after it has appended */
        if (has_unsynced(db)) {
            break;
        }
        os_cond_wait(&db->timer, &db->lock);
    }
    atomic_store(&db->timer_sleeps, false);
    if (!is_ending(db)) {
        os_cond_wait_for(&db->timer, &db->lock, (int64_t)db->options.interval_ms * 1000000);
    }
    bool is_over = is_ending(db);
    os_mutex_unlock(&db->lock);
    return !is_over;
}

/* Nothing but syncs: what was acknowledged for the interval waits for no other work. */
void upkeep_run_timer(void *arg)
{
    struct yore_db *db = arg;
    while (wait_for_unsynced(db)) {
        interval_sync(db);
    }
}

/* What upkeep has seen to. */
struct upkept {
    int64_t visible;
    uint64_t serial; /* of the forest */
    bool goes_on;    /* something is left, or becomes due as time goes by */
    enum yore_status status;
};

static bool has_changed(const struct yore_db *db, const struct upkept *last) REQUIRES(db->lock)
{
    const struct superview *view = atomic_load_explicit(&db->view, memory_order_acquire);
    return atomic_load(&db->visible) != last->visible || view->forest->serial != last->serial;
}

/* Until the next tick: a while after the last one if there is something to see to, else never; but
 * soon for an erasure.  What could not be done is not tried again at once.  False: the database
 * ends. */
static bool wait_for_tick(struct yore_db *db, const struct upkept *last)
{
    int64_t due = last->goes_on ? os_monotonic_ns(db->env) + TICK_NS : INT64_MAX;
    bool is_urgent = false;
    bool is_due = false;
    os_mutex_lock(&db->lock);
    while (!is_due && !is_ending(db)) {
        int64_t now = os_monotonic_ns(db->env);
        atomic_store(&db->upkeep_sleeps, due == INT64_MAX); /* with the leader, as above */
        if (due == INT64_MAX && has_changed(db, last)) {
            due = now + TICK_NS;
        } else if (!is_urgent && db->is_erase_pending && last->status == YORE_OK) {
            is_urgent = true;
            due = due - now < ERASE_NS ? due : now + ERASE_NS;
        } else if (due == INT64_MAX) {
            os_cond_wait(&db->upkeep, &db->lock);
        } else {
            is_due = now >= due || !os_cond_wait_for(&db->upkeep, &db->lock, due - now);
        }
    }
    atomic_store(&db->upkeep_sleeps, false);
    bool is_over = is_ending(db);
    os_mutex_unlock(&db->lock);
    return !is_over;
}

void upkeep_run(void *arg)
{
    struct yore_db *db = arg;
    struct upkept last = {.goes_on = true, .status = YORE_OK};
    while (wait_for_tick(db, &last)) {
        struct superview *view = superview_acquire(db);
        last.serial = view->forest->serial;
        superview_release(view);
        last.visible = atomic_load(&db->visible);
        last.status = tick(db);
        os_mutex_lock(&db->lock);
        last.goes_on = last.status != YORE_OK || db->is_erase_pending || db->purged.is_left;
        os_mutex_unlock(&db->lock);
        last.goes_on |=
            atomic_load(&db->has_retired_values) || db->collect.next != 0 || retention_goes_on(db);
    }
    db_tell_failure(db); /* here, because who failed may have held a lock */
}
