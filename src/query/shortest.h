/* shortest.h -- the shortest ways between two nodes: breadth first from both ends, a layer of the
 * side with fewer nodes at a time, until a node of one side is met on the other.
 *
 * With a nodes from the one end and b from the other and no meeting yet, every way is longer than a
 * + b; so the nodes met when one more layer is read all lie on shortest ways, and each such way
 * passes through exactly one of them. */
#ifndef YORE_QUERY_SHORTEST_H
#define YORE_QUERY_SHORTEST_H

#include "query/hop.h"
#include "query/id_map.h"

struct shortest_parent; /* a relationship back towards the end, and the next of the same node */
struct shortest_entry {
    uint64_t node;
    struct shortest_parent *parents;
    uint32_t depth;
};

struct shortest_side {
    struct hop_walk walk;
    bool is_turned; /* against the direction of the pattern */
    struct id_map places;
    struct shortest_entry *entries;
    size_t count;
    size_t capacity;
    size_t layer; /* where the outermost layer begins */
    uint32_t depth;
};

struct shortest {
    struct operator* op;
    struct run_store store;
    bool is_open;
    bool keeps_all; /* every way, not one for each node */
    struct shortest_side sides[2];
    uint64_t *met;
    size_t met_count;
    size_t met_capacity;
    size_t met_at;
    uint32_t length;                  /* of the shortest ways, once met */
    struct shortest_parent **choices; /* one for each relationship of the way */
    bool is_chosen;
    uint64_t *nodes; /* of the way: length + 1 */
    uint64_t *relationships;
};

/* Find the ways between two different nodes of at most `maximum` relationships. */
enum yore_status shortest_begin(struct shortest *search, struct operator* op, uint64_t from,
                                uint64_t to, uint32_t maximum);
/* YORE_OK: the next way stands in nodes and relationships; YORE_NOT_FOUND: no more. */
enum yore_status shortest_next(struct shortest *search);
void shortest_close(struct shortest *search);

#endif
