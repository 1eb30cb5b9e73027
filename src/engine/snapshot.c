/* snapshot.c -- pairs (now, commit) that are held. */
#include "engine/snapshot.h"

#include "base/assert.h"
#include "base/mem.h"

void snapshot_hold(struct yore_db *db, struct yore_snapshot *snapshot)
{
    *snapshot = (struct yore_snapshot){.db = db, .now = db_now(db)};
    os_mutex_lock(&db->lock);
    /* Under the lock, so that the list stays ordered and no flush decides in between what nobody
     * reads any more. */
    snapshot->commit = atomic_load_explicit(&db->visible, memory_order_acquire);
    snapshot->now = snapshot->now > snapshot->commit ? snapshot->now : snapshot->commit;
    db->snapshots.taken++;
    struct yore_snapshot *first = db->snapshots.first;
    if (first == NULL) {
        snapshot->prev = snapshot;
        db->snapshots.first = snapshot;
    } else {
        YORE_ASSERT(first->prev->commit <= snapshot->commit);
        snapshot->prev = first->prev;
        first->prev->next = snapshot;
        first->prev = snapshot;
    }
    os_mutex_unlock(&db->lock);
}

void snapshot_drop(struct yore_snapshot *snapshot)
{
    struct yore_db *db = snapshot->db;
    os_mutex_lock(&db->lock);
    struct yore_snapshot *first = db->snapshots.first;
    if (snapshot == first) {
        db->snapshots.first = snapshot->next;
    } else {
        snapshot->prev->next = snapshot->next;
    }
    if (snapshot->next != NULL) {
        snapshot->next->prev = snapshot->prev;
    } else if (snapshot != first) {
        first->prev = snapshot->prev;
    }
    os_mutex_unlock(&db->lock);
    snapshot->prev = NULL;
    snapshot->next = NULL;
}

/* ---- the public face ---- */

enum yore_status yore_snapshot_take(struct yore_db *db, struct yore_snapshot **snapshot_out,
                                    struct yore_error *error_out)
{
    if (db == NULL || snapshot_out == NULL) {
        return error_null(error_out, __func__, "db, snapshot_out");
    }
    error_clear(error_out);
    *snapshot_out = NULL;
    struct yore_snapshot *snapshot = mem_alloc(sizeof *snapshot);
    if (snapshot == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    snapshot_hold(db, snapshot);
    handles_add(&db->handles, HANDLE_snapshot, 1);
    *snapshot_out = snapshot;
    return YORE_OK;
}

struct yore_time yore_snapshot_time(const struct yore_snapshot *snapshot)
{
    return snapshot != NULL ? (struct yore_time){snapshot->now, snapshot->commit}
                            : (struct yore_time){0};
}

void yore_snapshot_release(struct yore_snapshot *snapshot)
{
    if (snapshot != NULL) {
        handles_add(&snapshot->db->handles, HANDLE_snapshot, -1);
        snapshot_drop(snapshot);
        mem_free(snapshot);
    }
}
