/* sync.h -- bringing a source up to date, between the files of ingest. */
#ifndef YORE_TOPOLOGY_SYNC_H
#define YORE_TOPOLOGY_SYNC_H

#include "topology/ingest.h"

/* Finish what the source has decided, and end its claims if it was silent too long before `moment`.
 * `tally` may be NULL. */
enum yore_status sync_catch_up(struct graph *graph, uint32_t source, int64_t moment,
                               struct yore_graph_ingest_tally *tally, struct yore_error *error_out);

#endif
