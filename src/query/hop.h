/* hop.h -- what the steps that follow relationships share. */
#ifndef YORE_QUERY_HOP_H
#define YORE_QUERY_HOP_H

#include "query/operator.h"

/* An open walk over the relationships of one node after another. */
struct hop_walk {
    struct run *run;
    const struct plan_hop *plan;
    struct graph_view *view;
    struct graph_expand *expand;
    uint32_t *types; /* tokens that are known */
    size_t type_count;
    enum graph_direction direction;
    bool has_none; /* no relationship has any of the types yet */
};

/* Begin at `node`; `other` 0: to any node.  The first call of a walk zeroed. */
enum yore_status hop_walk_begin(struct hop_walk *walk, struct operator* op, bool is_turned,
                                uint64_t node, uint64_t other);
/* YORE_NOT_FOUND: no more. */
enum yore_status hop_walk_next(struct hop_walk *walk, struct graph_hop *hop_out);
void hop_walk_close(struct hop_walk *walk);

/* Whether a relationship stands in one of the slots of those found before in the same MATCH. */
bool hop_is_taken(const struct run *run, const struct plan_hop *plan, uint64_t relationship);
/* Whether it passes the tests that each relationship of several hops has to. */
enum yore_status hop_passes(struct operator* op, uint64_t relationship, struct graph_view *view,
                            bool *passes_out);
/* The value of a list of relationships (of nodes), in the order of the pattern; in run->rows. */
enum yore_status hop_relationship_list(struct operator* op, const uint64_t *relationships,
                                       size_t count, struct graph_view *view,
                                       struct yore_graph_value *list_out);
enum yore_status hop_node_list(struct operator* op, const uint64_t *nodes, size_t count,
                               struct graph_view *view, struct yore_graph_value *list_out);
/* A path from nodes[0] along `count` relationships, in run->rows. */
enum yore_status hop_path(struct operator* op, const uint64_t *nodes, const uint64_t *relationships,
                          size_t count, struct graph_view *view, struct yore_graph_value *path_out);

#endif
