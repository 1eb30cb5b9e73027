/* upkeep.h -- the two threads that keep time: intervals of syncs, and upkeep. */
#ifndef YORE_ENGINE_UPKEEP_H
#define YORE_ENGINE_UPKEEP_H

#include "engine/db_internal.h"

/* Both run until the database closes or has failed; `db` is a struct yore_db. */
void upkeep_run_timer(void *db);
void upkeep_run(void *db);
/* The leader, once a group is visible; `is_durable`: it was synced, and all before it. */
void upkeep_note_commit(struct yore_db *db, bool is_durable);

#endif
