/* commit_room.c -- a memtable for the next commit: a full one is handed over, and writers slow down
 * or wait while flushes or merges are behind.  For the leader.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "engine/commit_internal.h"

#define STALL_SLEEP_NS 1000000

enum yore_status commit_switch_memtable(struct yore_db *db, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct memtable_bounds bounds;
    struct memtable *fresh = NULL;
    uint64_t segment = 0;
    memtable_bounds(view->active, &bounds);
    enum yore_status st = YORE_OK;
    if (bounds.count == 0) {
        superview_release(view);
        return YORE_OK;
    }
    st = memtable_new(db->options.memtable_bytes, &fresh);
    if (st == YORE_OK) {
        st = db_journal_check(db, journal_rotate(db->journal, &segment, error_out), error_out);
    } else {
        error_plain(error_out, st);
    }
    if (st == YORE_OK) {
        os_mutex_lock(&db->lock);
        YORE_ASSERT(db->waiting_count <= MEMTABLES_WAITING_MAX + 1);
        memtable_ref(view->active);
        db->waiting[db->waiting_count++] = (struct waiting_memtable){view->active, segment};
        struct superview *now = atomic_load_explicit(&db->view, memory_order_acquire);
        st = db_publish(db, fresh, now->forest, now->erased);
        if (st != YORE_OK) {
            db->waiting_count--;
            memtable_unref(view->active);
            error_plain(error_out, st);
        }
        os_mutex_unlock(&db->lock);
    }
    memtable_unref(fresh);
    superview_release(view);
    if (st == YORE_OK) {
        jobs_wake(db);
        st = jobs_run_inline(db, error_out);
    }
    return st;
}

static void stall_event(struct yore_db *db, bool is_begin, int64_t since_ns, const char *text)
{
    struct yore_event event = {.kind = YORE_EVENT_STALL, .is_begin = is_begin, .text = text};
    if (!is_begin) {
        event.duration_us = (uint64_t)(os_monotonic_ns(db->env) - since_ns) / 1000;
        stats_add(&db->stats, STAT_stall_us, event.duration_us);
    } else {
        stats_add(&db->stats, STAT_stalls, 1);
    }
    db_event(db, &event);
}

static bool must_stop(struct yore_db *db)
{
    return db->waiting_count >= MEMTABLES_WAITING_MAX ||
           atomic_load_explicit(&db->level0_max, memory_order_relaxed) >= LEVEL0_STOP_TABLES;
}

/* Wait while flushes or merges are too far behind; slow down a little before that. */
enum yore_status commit_wait_for_background(struct yore_db *db, bool needs_switch,
                                            struct yore_error *error_out)
{
    if (db->is_inline) { /* work that failed for want of memory is tried again */
        bool is_behind = needs_switch && db->waiting_count >= MEMTABLES_WAITING_MAX;
        return is_behind ? jobs_run_inline(db, error_out) : YORE_OK;
    }
    uint32_t level0 = atomic_load_explicit(&db->level0_max, memory_order_relaxed);
    uint32_t runs = atomic_load_explicit(&db->runs_max, memory_order_relaxed);
    if (level0 >= LEVEL0_SLOW_TABLES || runs >= RUNS_SLOW_COUNT) {
        uint32_t over = level0 >= LEVEL0_SLOW_TABLES ? level0 - LEVEL0_SLOW_TABLES + 1 : 1;
        stats_add(&db->stats, STAT_stalls, 1);
        stats_add(&db->stats, STAT_stall_us, (uint64_t)over * STALL_SLEEP_NS / 1000);
        jobs_wake(db);
        os_sleep_ns(db->env, (int64_t)over * STALL_SLEEP_NS);
    }
    if (!needs_switch) {
        return YORE_OK;
    }
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->lock);
    if (must_stop(db)) {
        int64_t since = os_monotonic_ns(db->env);
        os_mutex_unlock(&db->lock);
        stall_event(db, true, since, "writers wait for flushes and merges");
        os_mutex_lock(&db->lock);
        while (must_stop(db) && st == YORE_OK) {
            st = db_check_writable(db, error_out);
            if (st == YORE_OK && db->is_closing) { /* nobody is left who would make room */
                st = error_plain(error_out, YORE_CANCELLED);
            }
            if (st == YORE_OK) {
                os_cond_wait(&db->idle, &db->lock);
            }
        }
        os_mutex_unlock(&db->lock);
        stall_event(db, false, since, "writers go on");
        return st;
    }
    os_mutex_unlock(&db->lock);
    return st;
}

enum yore_status commit_make_room(struct yore_db *db, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct memtable_bounds bounds;
    memtable_bounds(view->active, &bounds);
    superview_release(view);
    bool needs_switch = bounds.bytes >= db->options.memtable_bytes;
    enum yore_status st = commit_wait_for_background(db, needs_switch, error_out);
    return st == YORE_OK && needs_switch ? commit_switch_memtable(db, error_out) : st;
}
