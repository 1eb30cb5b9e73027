/* until.h -- until when what a key has at a moment goes on. */
#ifndef YORE_ENGINE_UNTIL_H
#define YORE_ENGINE_UNTIL_H

#include <yore/yore.h>

/* The least valid_from after at->valid of a version of `key`, whatever its kind, as known at
 * at->known; at->valid is not YORE_NOW.  YORE_FOREVER: there is none.  What the version that holds
 * says of its own end is not looked at.  The first version that a timeline from then on tells, for
 * less. Errors as yore_get. */
enum yore_status until_next(struct yore_db *db, struct yore_keyspace *keyspace,
                            struct yore_bytes key, const struct yore_time *at, int64_t *until_out,
                            struct yore_error *error_out);

#endif
