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
    HISTORY_TRIM = 5, /* what lies before the horizon leaves runs and the last slice */
    /* On demand only: */
    HISTORY_TRIM_RUNS = 6,
    HISTORY_TRIM_SLICES = 7
};

/* What a region of the tree wants most, and which region (its index). */
enum history_work history_wants(const struct yore_db *db, const struct yore_keyspace *keyspace,
                                const struct forest_tree *tree, size_t *region_out);
/* Do one piece of it.  YORE_NOT_FOUND: nothing to do.  The caller holds keyspace->is_history_busy.
 */
enum yore_status history_step(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out);
/* Is there a region whose runs are worth sealing now that nothing else is to be done?  Then moments
 * that are in runs yet cost as little as older ones. */
bool history_wants_idle(const struct yore_db *db, const struct yore_keyspace *keyspace,
                        const struct forest_tree *tree, size_t *region_out);
enum yore_status history_idle(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out);
/* Is there a region of which enough lies before the horizon, in tables that do not go whole?
 * history_trim() writes these anew; as history_step(). */
bool history_wants_trim(const struct forest_tree *tree, const struct retention *r,
                        size_t *region_out);
enum yore_status history_trim(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out);
/* Let go of what no read needs any more, seal what is left in every region's runs and merge every
 * late fact, whatever their size.  The caller holds keyspace->is_history_busy. */
enum yore_status history_all(struct yore_db *db, struct yore_keyspace *keyspace,
                             struct yore_error *error_out);

#endif
