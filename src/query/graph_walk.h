/* graph_walk.h -- the elements of a graph, one by one: at one moment, or every version of each. */
#ifndef YORE_QUERY_GRAPH_WALK_H
#define YORE_QUERY_GRAPH_WALK_H

#include "topology/graph.h"

/* Where what is written of a graph goes, and who looks on.  What either returns ends the writing
 * unless it is YORE_OK. */
struct graph_sink {
    /* A line, with its end; borrowed. */
    enum yore_status (*line)(void *arg, struct yore_bytes line, struct yore_error *error_out);
    /* So many elements, versions or changes have gone past. */
    enum yore_status (*step)(void *arg, uint64_t count, struct yore_error *error_out);
    void *arg;
};

struct graph_walk {
    struct graph_view *view;
    const struct graph_sink *sink;
    uint64_t count; /* elements, versions or changes gone past so far */
};

/* Call `each` for the elements of a kind that are there at the view's moment, by id.  What it
 * returns ends the walk unless it is YORE_OK.  Errors: of the sink's step, YORE_CORRUPT (`each`
 * has not found what its element needs, see graph_walk_whole()), those of reads. */
enum yore_status graph_walk_now(struct graph_walk *walk, enum graph_element element,
                                enum yore_status (*each)(void *arg, uint64_t id,
                                                         struct yore_error *error_out),
                                void *arg, struct yore_error *error_out);

/* A version, with the external ids of its ends. */
struct graph_ever {
    struct yore_graph_span span;
    const struct yore_graph_node *node; /* NULL: a relationship */
    const struct yore_graph_relationship *relationship;
    struct yore_bytes ends[2];
};

/* The same for the versions that are kept, as the view knows them: elements by id, each with its
 * versions in order.  `each` borrows. */
enum yore_status graph_walk_ever(struct graph_walk *walk, enum graph_element element,
                                 enum yore_status (*each)(void *arg,
                                                          const struct graph_ever *version,
                                                          struct yore_error *error_out),
                                 void *arg, struct yore_error *error_out);

/* One more has gone past: tells the sink. */
enum yore_status graph_walk_step(struct graph_walk *walk, struct yore_error *error_out);

/* An element is told from records that are there when the graph is whole: absence of one of them is
 * damage, never the end of a walk.  YORE_NOT_FOUND becomes YORE_CORRUPT and names the element; any
 * other status stays as it is. */
enum yore_status graph_walk_whole(const struct graph_walk *walk, struct graph_id id,
                                  enum yore_status st, struct yore_error *error_out);

/* The oldest moment that is kept of a graph; YORE_TIME_MIN: all. */
enum yore_status graph_ever_begin(struct graph *graph, int64_t *begin_out,
                                  struct yore_error *error_out);

#endif
