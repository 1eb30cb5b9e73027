/* erase.h -- all that is known of an external id, destroyed. */
#ifndef YORE_TOPOLOGY_ERASE_H
#define YORE_TOPOLOGY_ERASE_H

#include "topology/graph.h"

/* See yore_graph_erase(). */
enum yore_status graph_erase(struct graph *graph, enum graph_element element,
                             struct yore_bytes external_id, uint64_t *count_out,
                             struct yore_error *error_out);

#endif
