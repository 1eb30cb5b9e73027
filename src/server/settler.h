/* settler.h -- what time brings to graphs: silent sources, claims that end by themselves, pending
 * relationships whose ends came, settled at intervals on a thread of its own (<yore/graph.h>,
 * ingest). */
#ifndef YORE_SERVER_SETTLER_H
#define YORE_SERVER_SETTLER_H

#include <stdint.h>

#include <yore/yore.h>

#include "base/status.h"
#include "server/log.h"
#include "topology/graph_pool.h"

struct settler;

/* All are kept.  Each graph that fails is logged when it begins to, and tried again; it keeps no
 * other back. */
enum yore_status settler_start(struct yore_db *db, struct graph_pool *graphs, struct log *log,
                               int64_t interval_ns, struct settler **settler_out,
                               struct yore_error *error_out);
/* Waits for the graph that is being settled.  NULL is ignored. */
void settler_stop(struct settler *settler);

#endif
