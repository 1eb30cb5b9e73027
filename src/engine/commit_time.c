/* commit_time.c -- the database's now, and the times it gives to commits.
 *
 * A commit time is greater than every earlier one, than every now that was told and every known
 * time that was named, and not behind the wall clock; so a read that names a moment which was told
 * sees all that will ever be known of it.
 */
#include "engine/commit_internal.h"

int64_t db_now(struct yore_db *db)
{
    int64_t now = os_wall_ns(db->env);
    int64_t visible = atomic_load_explicit(&db->visible, memory_order_acquire);
    now = now > visible ? now : visible;
    int64_t floor = atomic_load_explicit(&db->now_floor, memory_order_relaxed);
    while (floor < now &&
           !atomic_compare_exchange_weak_explicit(&db->now_floor, &floor, now, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
    return floor > now ? floor : now;
}

int64_t db_latest_begin(struct yore_db *db)
{
    int64_t now = db_now(db);
    int64_t wall = os_wall_ns(db->env);
    int64_t skew = db->options.clock_skew_max_ns;
    int64_t latest = wall < INT64_MAX - skew ? wall + skew : INT64_MAX;
    return latest > now ? latest : now;
}

/* The wall clock against the monotonic one: a step between two groups is told, and changes nothing
 * else. */
void commit_watch_clock(struct yore_db *db, int64_t wall)
{
    int64_t offset = wall - os_monotonic_ns(db->env);
    int64_t step = offset - db->clock_offset;
    db->clock_offset = offset;
    if (step > CLOCK_JUMP_NS || step < -CLOCK_JUMP_NS) {
        struct yore_event event = {.kind = YORE_EVENT_CLOCK_JUMP,
                                   .text = step > 0 ? "the wall clock stepped forward"
                                                    : "the wall clock stepped back"};
        stats_add(&db->stats, STAT_clock_jumps, 1);
        db_event(db, &event);
    }
}

/* The commit time of `request`, handed out for good only if it may be used. */
enum yore_status commit_assign_time(struct yore_db *db, struct commit_request *request,
                                    int64_t wall)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->time_lock);
    int64_t floor =
        max_i64(db->known_floor, atomic_load_explicit(&db->now_floor, memory_order_relaxed));
    int64_t least = max_i64(db->assigned, floor);
    least = max_i64(least, request->valid_max);
    int64_t commit = max_i64(least + 1, wall);
    if (request->fixed_commit != 0) {
        commit = request->fixed_commit;
        if (commit <= db->assigned || commit <= request->valid_max) {
            st = error_set(&request->error, YORE_INVALID,
                           "commit time %lld is not after the last one, %lld", (long long)commit,
                           (long long)db->assigned);
        }
    } else if (request->reads != NULL && request->reads->expiry_min <= commit) {
        st = error_set(&request->error, YORE_CONFLICT,
                       "a key this transaction read expired meanwhile; begin again");
    }
    if (st == YORE_OK) {
        db->assigned = commit;
        request->commit = commit;
    }
    os_mutex_unlock(&db->time_lock);
    return st;
}

/* The last commit time handed out up to `commit`, or that. */
int64_t commit_last_assigned(struct yore_db *db, int64_t commit)
{
    os_mutex_lock(&db->time_lock);
    int64_t assigned = db->assigned;
    os_mutex_unlock(&db->time_lock);
    return assigned < commit ? assigned : commit;
}

/* The request will not be committed after all: nothing was handed out since. */
void commit_withdraw_time(struct yore_db *db, int64_t before)
{
    os_mutex_lock(&db->time_lock);
    db->assigned = before;
    os_mutex_unlock(&db->time_lock);
}

enum yore_status commit_wait_known(struct yore_db *db, int64_t commit, struct yore_error *error_out)
{
    if (commit <= atomic_load_explicit(&db->visible, memory_order_acquire)) {
        return YORE_OK;
    }
    os_mutex_lock(&db->time_lock);
    db->known_floor = max_i64(db->known_floor, commit);
    os_mutex_unlock(&db->time_lock);
    enum yore_status st = YORE_OK;
    os_mutex_lock(&db->commit.lock);
    while (atomic_load_explicit(&db->visible, memory_order_acquire) <
               commit_last_assigned(db, commit) &&
           st == YORE_OK) {
        st = db_check_writable(db, error_out);
        if (st == YORE_OK) {
            os_cond_wait(&db->commit.done, &db->commit.lock);
        }
    }
    os_mutex_unlock(&db->commit.lock);
    return YORE_OK; /* after a failure nothing in flight will ever be visible: the answer is final
                       too */
}
