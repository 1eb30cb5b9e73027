/* value_collect.h -- value files without what nobody refers to any more. */
#ifndef YORE_ENGINE_VALUE_COLLECT_H
#define YORE_ENGINE_VALUE_COLLECT_H

#include "base/stop.h"
#include "engine/db_internal.h"

/* Thin every value file, also the one being appended to: keep the records that some version still
 * refers to and no erasure hides, and those of commits that are yet to come.  YORE_CANCELLED:
 * `stop` (may be NULL) was asked for. */
enum yore_status values_collect_all(struct yore_db *db, const struct stop *stop,
                                    struct yore_error *error_out);
/* A turn of the pass in the background, if one is due or runs.  Thread: upkeep. */
enum yore_status values_collect_due(struct yore_db *db, struct yore_error *error_out);
/* Unlink thinned and dropped value files that no reader's view names any more; cheap when there are
 * none. */
enum yore_status values_sweep(struct yore_db *db, struct yore_error *error_out);

#endif
