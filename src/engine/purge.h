/* purge.h -- erased bytes leave the files. */
#ifndef YORE_ENGINE_PURGE_H
#define YORE_ENGINE_PURGE_H

#include "base/stop.h"
#include "engine/db_internal.h"

/* Rewrite every table that may hold erased values, thin the value files, let the old journal go.
 * Returns when the bytes are gone; nothing to do is YORE_OK.  Not from the commit leader. */
enum yore_status purge_pending(struct yore_db *db, struct yore_error *error_out);
/* The same, and large values that no version refers to any more leave in any case.
 * YORE_CANCELLED: `stop` (may be NULL) was asked for. */
enum yore_status purge_all(struct yore_db *db, const struct stop *stop,
                           struct yore_error *error_out);

/* Both busy flags of a keyspace at once, for work that touches all its files; keeps `stop` (may be
 * NULL) until they are free again.  YORE_CANCELLED: the database closes, or it was asked for. */
enum yore_status jobs_claim_keyspace(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct stop *stop, struct yore_error *error_out);
void jobs_free_keyspace(struct yore_db *db, struct yore_keyspace *keyspace);

#endif
