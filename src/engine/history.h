/* history.h -- work on the history tree: merging runs, sealing slices, merging late facts into
 * them, splitting regions. */
#ifndef YORE_ENGINE_HISTORY_H
#define YORE_ENGINE_HISTORY_H

#include "engine/retention.h"

enum history_work {
    HISTORY_NOTHING = 0,
    HISTORY_SPLIT = 1, /* the region has grown too large to seal in one piece */
    HISTORY_SEAL = 2,
    HISTORY_MERGE_LATE = 3,
    HISTORY_MERGE_RUNS = 4,
    HISTORY_TRIM = 5,      /* most of runs and last slice is over: trim.c */
    HISTORY_TRIM_SLICE = 6 /* the horizon lies inside of the first slice; on demand only */
};

/* What a region of the tree wants most, and which region (its index). */
enum history_work history_wants(const struct yore_db *db, const struct forest_tree *tree,
                                size_t *region_out);
/* Do one piece of it.  YORE_NOT_FOUND: nothing to do.  The caller holds keyspace->is_history_busy.
 */
enum yore_status history_step(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out);
/* Is there a region whose runs are worth sealing now that nothing else is to be done?  Then moments
 * that are in runs yet cost as little as older ones. */
bool history_wants_idle(const struct yore_db *db, const struct forest_tree *tree,
                        size_t *region_out);
enum yore_status history_idle(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out);
/* Is there a region that is mostly over (`has_slices`: also of those that have slices)?
 * history_trim() writes one anew without what is; the caller holds keyspace->is_history_busy, and
 * for those with slices is_level_busy too. */
bool history_wants_trim(const struct superview *view, const struct forest_tree *tree,
                        const struct retention *r, bool has_slices, size_t *region_out);
enum yore_status history_trim(struct yore_db *db, struct yore_keyspace *keyspace, bool has_slices,
                              struct yore_error *error_out);
/* Seal every region's runs and merge every late fact, whatever their size, and
 * let go all that no read needs.  The caller holds keyspace->is_history_busy and is_level_busy. */
enum yore_status history_all(struct yore_db *db, struct yore_keyspace *keyspace,
                             struct yore_error *error_out);

#endif
