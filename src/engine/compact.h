/* compact.h -- merging the current tree down its levels. */
#ifndef YORE_ENGINE_COMPACT_H
#define YORE_ENGINE_COMPACT_H

#include "engine/db_internal.h"

/* How urgently the tree wants a merge: 1.0 and more means it does.  `level_out` is the level to
 * merge from. */
double compact_score(const struct yore_db *db, const struct forest_tree *tree, uint32_t *level_out);
/* How many octets level `level` (from 1 on) is meant to hold. */
uint64_t compact_level_target(const struct yore_db *db, uint32_t level);
/* Merge one piece of the most urgent level one level down, or tables of level 0 into one there.
 * YORE_NOT_FOUND: nothing to do.  The caller holds keyspace->is_level_busy. */
enum yore_status compact_step(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out);
/* Would reads gain from merging level 0, down or into one table, for little?  Done when there is
 * nothing else to do. */
bool compact_wants_idle(const struct yore_db *db, const struct forest_tree *tree);
/* Merge level 0 if compact_wants_idle().  As compact_step(). */
enum yore_status compact_idle(struct yore_db *db, struct yore_keyspace *keyspace,
                              struct yore_error *error_out);
/* Merge every level into the deepest one.  The caller holds keyspace->is_level_busy. */
enum yore_status compact_all(struct yore_db *db, struct yore_keyspace *keyspace,
                             struct yore_error *error_out);

#endif
