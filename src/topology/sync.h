/* sync.h -- bringing a source up to date, between the files of ingest. */
#ifndef YORE_TOPOLOGY_SYNC_H
#define YORE_TOPOLOGY_SYNC_H

#include "topology/ingest.h"

/* For words of a source: finish what it has decided, and end its claims if it was silent too long
 * before `moment`.  A decided snapshot that was refused is told, and nothing is done: the status is
 * that of the refusal, never YORE_CONFLICT. */
enum yore_status sync_catch_up(struct graph *graph, uint32_t source, int64_t moment,
                               struct yore_error *error_out);
/* The same for settling: what was refused is tried again, and keeps silence from nothing. */
enum yore_status sync_settle(struct graph *graph, uint32_t source, int64_t moment,
                             struct yore_graph_ingest_tally *tally, struct yore_error *error_out);

#endif
