/* flush.h -- a full memtable becomes tables. */
#ifndef YORE_ENGINE_FLUSH_H
#define YORE_ENGINE_FLUSH_H

#include "engine/db_internal.h"

/* Write the oldest waiting memtable: per keyspace one table of level 0 with the newest version of
 * each key, and runs with the rest. YORE_NOT_FOUND: none is waiting.  One at a time. */
enum yore_status flush_oldest(struct yore_db *db, struct yore_error *error_out);

#endif
