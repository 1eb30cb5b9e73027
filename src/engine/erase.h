/* erase.h -- erasures made again, when a database is restored; and as a part of a transaction. */
#ifndef YORE_ENGINE_ERASE_H
#define YORE_ENGINE_ERASE_H

#include "engine/db_internal.h"

/* Commit the erasure that the rule stands for, with what must hold again behind its span, at the
 * rule's own commit time (0: the next one), which must be greater than any before. */
enum yore_status erase_by_rule(struct yore_db *db, const struct erase_rule *rule,
                               struct yore_error *error_out);

/* Destroy with the transaction's commit all that was committed before it under `count` keys of a
 * keyspace (NULL: the default one), at every time; what the transaction itself or anybody later
 * writes to them stays. Notes the keys.  Errors: as yore_erase() and yore_txn_put(); YORE_TOO_BIG:
 * more than the database can hold. */
enum yore_status txn_erase_keys(struct yore_txn *txn, struct yore_keyspace *keyspace,
                                const struct yore_bytes *keys, size_t count,
                                struct yore_error *error_out);

#endif
