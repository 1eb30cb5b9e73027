/* erase.h -- all that is known of an external id, or of one of its properties, destroyed. */
#ifndef YORE_TOPOLOGY_ERASE_H
#define YORE_TOPOLOGY_ERASE_H

#include "topology/graph.h"

struct graph_erasure {
    enum graph_element element;
    struct yore_bytes external_id;
    struct yore_bytes property; /* size 0: the whole element */
};
/* See yore_graph_erase() and yore_graph_erase_property(). */
enum yore_status graph_erase(struct graph *graph, const struct graph_erasure *erasure,
                             uint64_t *count_out, struct yore_error *error_out);

#endif
