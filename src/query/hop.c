#include "query/hop.h"

/* `direction` as the pattern says, or turned round. */
static enum graph_direction direction_of(enum pattern_direction direction, bool is_turned)
{
    switch (direction) {
    case PATTERN_RIGHT:
        return is_turned ? GRAPH_INCOMING : GRAPH_OUTGOING;
    case PATTERN_LEFT:
        return is_turned ? GRAPH_OUTGOING : GRAPH_INCOMING;
    default:
        return GRAPH_BOTH;
    }
}

/* Names may get their tokens while the statement runs, when it writes: they are looked up anew as
 * long as one is missing.  True: there are more than before. */
static enum yore_status find_types(struct hop_walk *walk, bool *has_more_out)
{
    const struct plan_hop *plan = walk->plan;
    *has_more_out = false;
    if (walk->type_count == plan->type_count) {
        return YORE_OK;
    }
    if (walk->types == NULL) {
        walk->types = arena_alloc(&walk->run->memory, plan->type_count * sizeof(*walk->types));
        if (walk->types == NULL) {
            return run_nomem(walk->run);
        }
    }
    size_t count = 0;
    for (uint32_t i = 0; i < plan->type_count; i++) {
        uint32_t token = run_token(walk->run, plan->types[i]);
        if (token != GRAPH_NO_TOKEN) {
            walk->types[count++] = token;
        }
    }
    *has_more_out = count != walk->type_count;
    walk->type_count = count;
    return YORE_OK;
}

enum yore_status hop_walk_begin(struct hop_walk *walk, struct operator* op, bool is_turned,
                                uint64_t node, uint64_t other)
{
    if (walk->run == NULL) {
        walk->run = op->run;
        walk->plan = &op->plan->as.hop;
        walk->direction = direction_of(walk->plan->direction, is_turned);
    }
    struct graph_view *view;
    bool has_more = false;
    enum yore_status st = run_view(op->run, op->plan->view, &view);
    if (st == YORE_OK) {
        st = find_types(walk, &has_more);
    }
    if (st != YORE_OK) {
        return st;
    }
    walk->has_none = walk->plan->type_count > 0 && walk->type_count == 0;
    if (walk->has_none) {
        return YORE_OK;
    }
    if (walk->expand != NULL && !has_more && walk->view == view) {
        return graph_expand_restart(walk->expand, node, other, run_error(walk->run));
    }
    hop_walk_close(walk);
    walk->view = view;
    struct graph_expand_options options = {.node = node,
                                           .direction = walk->direction,
                                           .types = walk->types,
                                           .type_count = walk->type_count,
                                           .other = other};
    return graph_expand_open(walk->view, &options, &walk->expand, run_error(walk->run));
}

enum yore_status hop_walk_next(struct hop_walk *walk, struct graph_hop *hop_out)
{
    if (walk->has_none) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st = run_step(walk->run);
    return st == YORE_OK ? graph_expand_next(walk->expand, hop_out, run_error(walk->run)) : st;
}

void hop_walk_close(struct hop_walk *walk)
{
    if (walk->expand != NULL) {
        graph_expand_close(walk->expand);
        walk->expand = NULL;
    }
}

static bool holds(const struct yore_graph_value *value, uint64_t relationship)
{
    if (value->kind == YORE_GRAPH_LIST) {
        for (size_t i = 0; i < value->as.list.count; i++) {
            if (value_is_relationship(&value->as.list.items[i]) &&
                value_element_id(&value->as.list.items[i]) == relationship) {
                return true;
            }
        }
        return false;
    }
    return value_is_relationship(value) && value_element_id(value) == relationship;
}

bool hop_is_taken(const struct run *run, const struct plan_hop *plan, uint64_t relationship)
{
    for (uint32_t i = 0; i < plan->other_count; i++) {
        if (holds(&run->frame[plan->others[i]], relationship)) {
            return true;
        }
    }
    return false;
}

enum yore_status hop_passes(struct operator* op, uint64_t relationship, struct graph_view *view,
                            bool *passes_out)
{
    const struct plan_hop *plan = &op->plan->as.hop;
    *passes_out = true;
    if (plan->test_count == 0) {
        return YORE_OK;
    }
    op->run->frame[plan->item_slot] = value_relationship_ref(relationship, view);
    return operator_test(op, plan->tests, plan->test_count, passes_out);
}

static enum yore_status element_list(struct operator* op, const uint64_t *ids, size_t count,
                                     struct yore_graph_value like,
                                     struct yore_graph_value *list_out)
{
    struct yore_graph_value *items = arena_alloc(&op->run->rows, (count + 1) * sizeof(*items));
    if (items == NULL) {
        return run_nomem(op->run);
    }
    bool is_reversed = op->plan->as.hop.is_reversed;
    for (size_t i = 0; i < count; i++) {
        like.as.ref.id = ids[is_reversed ? count - 1 - i : i];
        items[i] = like;
    }
    *list_out = value_list(items, count);
    return YORE_OK;
}

enum yore_status hop_relationship_list(struct operator* op, const uint64_t *relationships,
                                       size_t count, struct graph_view *view,
                                       struct yore_graph_value *list_out)
{
    return element_list(op, relationships, count, value_relationship_ref(0, view), list_out);
}

enum yore_status hop_node_list(struct operator* op, const uint64_t *nodes, size_t count,
                               struct graph_view *view, struct yore_graph_value *list_out)
{
    return element_list(op, nodes, count, value_node_ref(0, view), list_out);
}

enum yore_status hop_path(struct operator* op, const uint64_t *nodes, const uint64_t *relationships,
                          size_t count, struct graph_view *view, struct yore_graph_value *path_out)
{
    struct yore_graph_path *path = arena_alloc(&op->run->rows, sizeof(*path));
    struct yore_graph_value node_list;
    struct yore_graph_value relationship_list;
    enum yore_status st = path != NULL ? YORE_OK : run_nomem(op->run);
    if (st == YORE_OK) {
        st = hop_node_list(op, nodes, count + 1, view, &node_list);
    }
    if (st == YORE_OK) {
        st = hop_relationship_list(op, relationships, count, view, &relationship_list);
    }
    if (st == YORE_OK) {
        path->nodes = node_list.as.list.items;
        path->relationships = relationship_list.as.list.items;
        path->length = count;
        *path_out = (struct yore_graph_value){.kind = YORE_GRAPH_PATH, .as.path = path};
    }
    return st;
}
