/* commit_internal.h -- for the files of the commit pipeline: commit.c, commit_time.c,
 * commit_room.c.
 */
#ifndef YORE_ENGINE_COMMIT_INTERNAL_H
#define YORE_ENGINE_COMMIT_INTERNAL_H

#include "engine/db_internal.h"

static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- commit_time.c; the leader ---- */

/* Tell of a step of the wall clock against the monotonic one since the last look. */
void commit_watch_clock(struct yore_db *db, int64_t wall);
/* Hand out the commit time of `request`, or say in the request why it cannot have one. */
enum yore_status commit_assign_time(struct yore_db *db, struct commit_request *request,
                                    int64_t wall);
/* The last time handed out will not be used after all: it was `before` until then. */
void commit_withdraw_time(struct yore_db *db, int64_t before);

/* ---- commit_room.c; the leader ---- */

/* Hand the active memtable to the flusher with a new journal segment; nothing when it is empty. */
enum yore_status commit_switch_memtable(struct yore_db *db, struct yore_error *error_out);
/* Wait while flushes or merges are too far behind (with `needs_switch` also for a place on the
 * waiting list); slow down a little before that. */
enum yore_status commit_wait_for_background(struct yore_db *db, bool needs_switch,
                                            struct yore_error *error_out);
/* A memtable with room, once the background is not too far behind. */
enum yore_status commit_make_room(struct yore_db *db, struct yore_error *error_out);

#endif
