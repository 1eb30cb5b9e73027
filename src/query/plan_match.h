/* plan_match.h -- a pattern while it is being planned: its nodes, its hops, and what is tested. */
#ifndef YORE_QUERY_PLAN_MATCH_H
#define YORE_QUERY_PLAN_MATCH_H

#include "query/plan_internal.h"

struct match_hop {
    const struct relationship_pattern *pattern;
    const struct path_pattern *path;
    uint32_t left; /* slots of its ends */
    uint32_t right;
    uint32_t nodes_slot; /* of a variable-length hop in a named path */
    bool is_done;
};

struct match {
    struct planner *planner;
    const struct match_options *options;
    const struct plan_node *steps;     /* so far */
    const struct node_pattern **nodes; /* one for each slot */
    uint32_t node_count;
    struct match_hop *hops;
    uint32_t hop_count;
    bool *paths_done;
    struct match_test *tests;
    uint32_t test_count;
    uint32_t test_capacity;
    struct slot_set introduced; /* bound by this pattern and not before */
};

/* Tests (plan_tests.c). */
void match_gather_tests(struct match *match);
/* A filter with all tests that can be made now. */
void match_place_tests(struct match *match);
/* The node of `slot` is found by this label: it need not be tested again. */
void match_drop_label(struct match *match, uint32_t slot, struct yore_bytes label);
/* How many of the nodes of `slot` pass its tests: of a node that an expansion comes upon. */
double match_share(const struct match *match, uint32_t slot);
/* The tests of `slot` alone, in the planner's arena; for a start. */
struct match_test *match_tests_of(struct match *match, uint32_t slot, uint32_t *count_out);
/* Does a property of the hop's relationships hang on what the pattern binds and has not yet? */
bool match_hop_waits(const struct match *match, const struct match_hop *hop);
/* Tests of a variable-length hop on each of its relationships, which stand in `item_slot`.  Those
 * that wait become tests of the pattern, of the list of them. */
const struct plan_test *match_hop_tests(struct match *match, const struct match_hop *hop,
                                        uint32_t item_slot, uint32_t *count_out);
/* Tests that want the path or the relationships of a shortest path: taken from the list. */
const struct plan_test *match_path_tests(struct match *match, const struct match_hop *hop,
                                         uint32_t *count_out);
bool match_is_bound(const struct match *match, uint32_t slot);

/* Hops (plan_hop.c). */
/* Rows that come of one row by the hop from one of its bound ends; negative: it cannot be made. */
double match_hop_rows(const struct match *match, const struct match_hop *hop, bool from_right);
void match_add_hop(struct match *match, struct match_hop *hop, bool from_right);
/* Begin with every relationship of the hop's types. */
double match_scan_rows(const struct match *match, const struct match_hop *hop);
void match_add_scan(struct match *match, struct match_hop *hop);

#endif
