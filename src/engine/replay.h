/* replay.h -- the commits of the journal, put into a memtable while the journal is still read.
 *
 * The caller hands over commits in order; a thread of replay's own puts them into the memtable, so
 * that reading and copying the journal on one side, and sorting on the other, take one another's
 * time.  A short journal, and a database that has no threads (db_open_inline), needs none of it.
 */
#ifndef YORE_ENGINE_REPLAY_H
#define YORE_ENGINE_REPLAY_H

#include "engine/db_internal.h"

struct replay;

/* Into the memtable `m` of `db`, which nobody else writes until replay_end(): commits up to
 * `flushed` are passed over.  Errors: YORE_NOMEM. */
enum yore_status replay_begin(struct yore_db *db, struct memtable *m, int64_t flushed,
                              struct replay **replay_out);

/* The payload of one commit record, of a `struct replay`; copied where it is not applied at once.
 * Errors: those of a commit handed over before, or of this one: YORE_CORRUPT, YORE_NOMEM. */
enum yore_status replay_commit(void *replay, struct yore_bytes payload,
                               struct yore_error *error_out);

/* Wait until all is in the memtable, and free the replay; NULL is ignored.  `*last_out` rises to
 * the last commit handed over that was applied or passed over.  Errors: the first of all that were
 * handed over; it comes before whatever the journal's reader met later. */
enum yore_status replay_end(struct replay *replay, int64_t *last_out, struct yore_error *error_out);

#endif
