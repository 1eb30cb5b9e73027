/* snapshot.h -- holding the present: the list of moments that retention must spare.
 *
 * The list is ordered by commit, oldest first; `first->prev` is the last one, so that holding and
 * letting go cost the same however many are held.
 */
#ifndef YORE_ENGINE_SNAPSHOT_H
#define YORE_ENGINE_SNAPSHOT_H

#include "engine/db_internal.h"

/* Fix now and the visible commits, and hold them.  `snapshot` is the caller's storage until
 * snapshot_drop(). */
void snapshot_hold(struct yore_db *db, struct yore_snapshot *snapshot);
void snapshot_drop(struct yore_snapshot *snapshot);

#endif
