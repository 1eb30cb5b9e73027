/* rewind.h -- a database at an earlier commit, made from a later one. */
#ifndef YORE_ENGINE_REWIND_H
#define YORE_ENGINE_REWIND_H

#include "engine/db_internal.h"

/* Leave out every commit after `to_commit`: `db`, opened inline and otherwise unused, gets a new
 * manifest of new tables, and must be closed next.  What is left is found by opening the directory
 * again. */
enum yore_status rewind_database(struct yore_db *db, int64_t to_commit,
                                 struct yore_error *error_out);

#endif
