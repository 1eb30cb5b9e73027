/* plan_hop.c -- one hop of a pattern: what it leaves, and the step that makes it. */
#include <string.h>

#include "query/plan_match.h"

/* Depth beyond which an estimate of a variable-length hop is of no use. */
#define DEPTH_GUESS 4

static double relationship_count(const struct match *match, const struct match_hop *hop)
{
    struct graph *graph = match->planner->graph;
    if (hop->pattern->type_count == 0) {
        return (double)graph_estimate_all(graph).relationships;
    }
    double count = 0;
    for (uint32_t i = 0; i < hop->pattern->type_count; i++) {
        uint32_t token = graph_token(graph, GRAPH_TYPE, hop->pattern->types[i]);
        if (token != GRAPH_NO_TOKEN) {
            count += (double)graph_estimate_type(graph, token);
        }
    }
    return count;
}

static const struct node_pattern *node_of(const struct match *match, uint32_t slot)
{
    for (uint32_t i = 0; i < match->node_count; i++) {
        if (match->nodes[i]->slot == slot) {
            return match->nodes[i];
        }
    }
    return NULL;
}

/* Nodes that could stand at `slot`, as far as labels tell. */
static double node_count(const struct match *match, uint32_t slot)
{
    struct graph *graph = match->planner->graph;
    double count = (double)graph_estimate_all(graph).nodes;
    const struct node_pattern *node = node_of(match, slot);
    for (uint32_t i = 0; node != NULL && i < node->label_count; i++) {
        uint32_t token = graph_token(graph, GRAPH_LABEL, node->labels[i]);
        double labelled = token == GRAPH_NO_TOKEN ? 0 : (double)graph_estimate_label(graph, token);
        count = labelled < count ? labelled : count;
    }
    return count < 1 ? 1 : count;
}

static double fan_out(const struct match *match, const struct match_hop *hop, uint32_t from)
{
    double one = relationship_count(match, hop) / node_count(match, from);
    if (hop->pattern->direction == PATTERN_EITHER) {
        one *= 2;
    }
    if (!hop->pattern->is_variable_length) {
        return one;
    }
    double all = 0;
    double layer = 1;
    uint32_t depth = hop->pattern->maximum < DEPTH_GUESS ? hop->pattern->maximum : DEPTH_GUESS;
    for (uint32_t i = 0; i < depth; i++) {
        layer *= one;
        all += layer;
    }
    return all;
}

double match_hop_rows(const struct match *match, const struct match_hop *hop, bool from_right)
{
    uint32_t from = from_right ? hop->right : hop->left;
    uint32_t to = from_right ? hop->left : hop->right;
    if (match_is_bound(match, hop->pattern->slot)) {
        return from_right ? -1 : 0; /* nothing is cheaper */
    }
    if (!match_is_bound(match, from)) {
        return -1;
    }
    if (hop->path->shape != PATTERN_PLAIN) {
        bool is_ready = match_is_bound(match, to) && !match_hop_waits(match, hop);
        return is_ready && !from_right ? 1 : -1;
    }
    double rows = fan_out(match, hop, from);
    if (match_is_bound(match, to)) {
        double nodes = node_count(match, to);
        return rows / nodes;
    }
    return rows * match_share(match, to);
}

double match_scan_rows(const struct match *match, const struct match_hop *hop)
{
    return relationship_count(match, hop);
}

/* ---- making --------------------------------------------------------------------------------- */

static bool may_share(const struct relationship_pattern *a, const struct relationship_pattern *b)
{
    if (a->type_count == 0 || b->type_count == 0) {
        return true;
    }
    for (uint32_t i = 0; i < a->type_count; i++) {
        for (uint32_t k = 0; k < b->type_count; k++) {
            if (bytes_equal(a->types[i], b->types[k])) {
                return true;
            }
        }
    }
    return false;
}

/* The relationships of a MATCH are all different: those found before this one that it could be. */
static void set_others(struct match *match, const struct match_hop *hop, struct plan_hop *made)
{
    uint32_t *others = planner_alloc(match->planner, (match->hop_count + 1) * sizeof(*others));
    if (others == NULL) {
        return;
    }
    for (uint32_t i = 0; i < match->hop_count; i++) {
        const struct match_hop *other = &match->hops[i];
        bool is_earlier = other != hop && other->is_done;
        if (is_earlier && other->pattern->slot != hop->pattern->slot &&
            other->path->shape == PATTERN_PLAIN && may_share(other->pattern, hop->pattern)) {
            others[made->other_count++] = other->pattern->slot;
        }
    }
    made->others = others;
}

static void set_types(struct planner *planner, const struct relationship_pattern *pattern,
                      struct plan_hop *made)
{
    uint32_t *types = planner_alloc(planner, (pattern->type_count + 1) * sizeof(*types));
    if (types == NULL) {
        return;
    }
    for (uint32_t i = 0; i < pattern->type_count; i++) {
        uint32_t type = planner_name(planner, GRAPH_TYPE, pattern->types[i]);
        bool is_repeated = false;
        for (uint32_t k = 0; k < made->type_count; k++) {
            is_repeated = is_repeated || types[k] == type;
        }
        if (!is_repeated) {
            types[made->type_count++] = type;
        }
    }
    made->types = types;
}

static enum pattern_direction turned(enum pattern_direction direction)
{
    switch (direction) {
    case PATTERN_RIGHT:
        return PATTERN_LEFT;
    case PATTERN_LEFT:
        return PATTERN_RIGHT;
    default:
        return direction;
    }
}

/* Whether only the nodes that can be reached are wanted, each once: nobody looks at the ways, and
 * no other relationship of the pattern could stand in their way.  A directed walk that is shortest
 * uses no relationship twice, which an undirected one back to its begin may. */
static bool can_reach(const struct match *match, const struct match_hop *hop)
{
    if (!match->planner->is_distinct || hop->pattern->minimum > 1 || hop->pattern->name.size > 0 ||
        hop->path->slot != AST_NO_SLOT || hop->pattern->direction == PATTERN_EITHER ||
        hop->pattern->maximum <= 1 || match_hop_waits(match, hop)) {
        return false;
    }
    for (uint32_t i = 0; i < match->hop_count; i++) {
        if (&match->hops[i] != hop && may_share(match->hops[i].pattern, hop->pattern)) {
            return false;
        }
    }
    return true;
}

static enum plan_kind kind_of(const struct match *match, const struct match_hop *hop)
{
    if (match_is_bound(match, hop->pattern->slot)) {
        return PLAN_EXPAND_BOUND;
    }
    if (hop->path->shape != PATTERN_PLAIN) {
        return PLAN_SHORTEST;
    }
    if (!hop->pattern->is_variable_length) {
        return PLAN_EXPAND;
    }
    return can_reach(match, hop) ? PLAN_REACH : PLAN_EXPAND_VARIABLE;
}

static void set_tests(struct match *match, const struct match_hop *hop, struct plan_node *node)
{
    struct plan_hop *made = &node->as.hop;
    if (node->kind == PLAN_EXPAND || node->kind == PLAN_EXPAND_BOUND) {
        return; /* tested behind it like everything else */
    }
    made->item_slot = planner_slot(match->planner);
    made->tests = match_hop_tests(match, hop, made->item_slot, &made->test_count);
    if (node->kind == PLAN_SHORTEST) {
        made->path_slot =
            hop->path->slot != AST_NO_SLOT ? hop->path->slot : match->options->path_slot;
        made->only_one = hop->path->shape == PATTERN_SHORTEST;
        made->path_tests = match_path_tests(match, hop, &made->path_test_count);
    }
}

void match_add_hop(struct match *match, struct match_hop *hop, bool from_right)
{
    struct planner *planner = match->planner;
    struct plan_node *node = plan_node_new(planner, kind_of(match, hop), match->steps);
    if (node == NULL) {
        return;
    }
    struct plan_hop *made = &node->as.hop;
    double rows = match_hop_rows(match, hop, from_right);
    node->view = match->options->view;
    node->estimate *= rows;
    made->pattern = hop->pattern;
    made->from = from_right ? hop->right : hop->left;
    made->to = from_right ? hop->left : hop->right;
    made->relationship = hop->pattern->slot;
    made->direction = from_right ? turned(hop->pattern->direction) : hop->pattern->direction;
    made->is_reversed = from_right;
    made->from_is_bound = match_is_bound(match, made->from);
    made->to_is_bound = match_is_bound(match, made->to) || made->to == made->from;
    made->nodes_slot = hop->nodes_slot;
    made->path_slot = PLAN_NO_SLOT;
    set_types(planner, hop->pattern, made);
    set_others(match, hop, made);
    set_tests(match, hop, node);
    slot_set_add(&planner->bound, made->from);
    slot_set_add(&planner->bound, made->to);
    slot_set_add(&planner->bound, made->relationship);
    if (made->path_slot != PLAN_NO_SLOT) {
        slot_set_add(&planner->bound, made->path_slot);
    }
    if (made->nodes_slot != PLAN_NO_SLOT) {
        slot_set_add(&planner->bound, made->nodes_slot);
    }
    hop->is_done = true;
    match->steps = node;
}

void match_add_scan(struct match *match, struct match_hop *hop)
{
    struct planner *planner = match->planner;
    struct plan_node *node = plan_node_new(planner, PLAN_RELATIONSHIP_SCAN, match->steps);
    if (node == NULL) {
        return;
    }
    struct plan_hop *made = &node->as.hop;
    node->view = match->options->view;
    node->estimate *= match_scan_rows(match, hop);
    made->pattern = hop->pattern;
    made->from = hop->left;
    made->to = hop->right;
    made->relationship = hop->pattern->slot;
    made->direction = hop->pattern->direction;
    made->to_is_bound = hop->left == hop->right;
    made->nodes_slot = PLAN_NO_SLOT;
    made->path_slot = PLAN_NO_SLOT;
    set_types(planner, hop->pattern, made);
    set_others(match, hop, made);
    slot_set_add(&planner->bound, made->from);
    slot_set_add(&planner->bound, made->to);
    slot_set_add(&planner->bound, made->relationship);
    hop->is_done = true;
    match->steps = node;
}
