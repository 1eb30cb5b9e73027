/* retention.h -- which superseded versions a keyspace still needs. */
#ifndef YORE_ENGINE_RETENTION_H
#define YORE_ENGINE_RETENTION_H

#include "engine/db_internal.h"

/* Taken when a job begins. */
struct retention {
    bool is_only_now;
    int64_t horizon;         /* of the keyspace, or the oldest held snapshot if that is earlier */
    int64_t oldest_snapshot; /* INT64_MAX: none */
};
void retention_of(struct yore_db *db, const struct yore_keyspace *keyspace,
                  struct retention *retention_out);

/* Is `old` still the answer of some read with min(valid, known) >= horizon, when `newer` is the
 * next greater version of its key?  May say yes when in doubt. */
static inline bool retention_needs(const struct retention *r, const struct version *old,
                                   const struct version *newer)
{
    if (r->is_only_now) {
        return newer->commit > r->oldest_snapshot;
    }
    int64_t seen_from = old->commit > r->horizon ? old->commit : r->horizon;
    return newer->valid_from > r->horizon || newer->commit > seen_from;
}

/* How many of the region's first slices no read can reach any more. */
size_t retention_slices_over(const struct superview *view, const struct forest_tree *tree,
                             const struct forest_region *region, const struct retention *r);
/* Where only now is kept runs serve held snapshots alone: does none need this one? */
bool retention_run_is_over(const struct forest_file *run, const struct retention *r);
/* Was the keyspace dropped, and can no read reach what it held any more? */
bool retention_is_all_over(struct yore_db *db, const struct yore_keyspace *keyspace);
/* The horizon that the keyspace should have at `now`; not before the one it has. */
int64_t retention_horizon_at(const struct yore_keyspace *keyspace, int64_t now);

/* Would retention_drop() find something? */
bool retention_wants(struct yore_db *db, const struct superview *view,
                     const struct yore_keyspace *keyspace);

/* Give back whole slices and runs that no read can reach any more; true when there was something.
 */
enum yore_status retention_drop(struct yore_db *db, struct yore_keyspace *keyspace,
                                bool *has_dropped_out, struct yore_error *error_out);
/* Give back all of a keyspace of which retention_is_all_over(); the caller keeps other work on it
 * away. */
enum yore_status retention_drop_tree(struct yore_db *db, struct yore_keyspace *keyspace,
                                     struct yore_error *error_out);
/* Write a horizon record for every keyspace whose horizon should move by now: those that keep a
 * duration, and dropped ones up to their end. */
enum yore_status retention_advance(struct yore_db *db, struct yore_error *error_out);

#endif
