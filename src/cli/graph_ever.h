/* graph_ever.h -- every version of every element of a graph, with the external ids of its ends. */
#ifndef YORE_CLI_GRAPH_EVER_H
#define YORE_CLI_GRAPH_EVER_H

#include "topology/graph.h"

struct graph_ever {
    struct yore_graph_span span;
    const struct yore_graph_node *node; /* NULL: a relationship */
    const struct yore_graph_relationship *relationship;
    struct yore_bytes ends[2];
};

/* Call `each` for the versions that are kept, as `view` knows them: elements by id, each with its
 * versions in order.  `each` borrows; what it returns ends the walk unless it is YORE_OK.  Errors:
 * YORE_CANCELLED (^C), those of reads. */
enum yore_status graph_ever_walk(struct graph_view *view, enum graph_element element,
                                 enum yore_status (*each)(void *arg,
                                                          const struct graph_ever *version,
                                                          struct yore_error *error_out),
                                 void *arg, struct yore_error *error_out);

/* The oldest moment that is kept of a graph; YORE_TIME_MIN: all. */
enum yore_status graph_ever_begin(struct graph *graph, int64_t *begin_out,
                                  struct yore_error *error_out);

#endif
