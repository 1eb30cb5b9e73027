/* trail.h -- every trail from a node: ways along relationships, none of them twice, depth first.
 *
 * The relationships of a node are read at once and kept until the walk comes back from them, so
 * that one walk over the graph serves every depth; the walk keeps its place in arrays, not on the
 * stack of the program.
 */
#ifndef YORE_QUERY_TRAIL_H
#define YORE_QUERY_TRAIL_H

#include "query/hop.h"

struct trail_level; /* the relationships of one node of the way */

struct trail {
    struct operator* op;
    struct run_store store;
    bool is_open;
    struct hop_walk walk;
    struct trail_level *levels;
    size_t depth; /* relationships of the way */
    uint64_t *relationships;
    uint64_t *nodes; /* nodes[0] is where it began; one more than relationships */
    size_t way_capacity;
    uint32_t minimum;
    uint32_t maximum;
    bool is_begun; /* the way of no relationships was told */
};

/* Begin at `node`: trails of `minimum` to `maximum` relationships. */
enum yore_status trail_begin(struct trail *trail, struct operator* op, uint64_t node,
                             uint32_t minimum, uint32_t maximum);
/* YORE_OK: the way stands in depth, relationships and nodes; YORE_NOT_FOUND: no more. */
enum yore_status trail_next(struct trail *trail);
void trail_close(struct trail *trail);

#endif
