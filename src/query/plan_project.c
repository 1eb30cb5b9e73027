/* plan_project.c -- WITH and RETURN: values, groups, order, and how many. */
#include "query/function.h"
#include "query/plan_internal.h"

static bool aggregate_ignores_copies(const struct expr *call)
{
    if (call->as.call.is_distinct) {
        return true;
    }
    const struct function *function = call->as.call.function;
    return function != NULL &&
           (function->aggregate == AGGREGATE_MIN || function->aggregate == AGGREGATE_MAX);
}

bool projection_ignores_copies(const struct projection *projection)
{
    if (projection->aggregate_count == 0) {
        return projection->is_distinct;
    }
    for (uint32_t i = 0; i < projection->aggregate_count; i++) {
        if (!aggregate_ignores_copies(projection->aggregates[i])) {
            return false;
        }
    }
    return true;
}

const struct plan_node *plan_barrier(struct planner *planner, const struct plan_node *input,
                                     bool reads, bool writes)
{
    if ((reads && planner->has_writes) || (writes && planner->has_reads)) {
        struct plan_node *eager = plan_node_new(planner, PLAN_EAGER, input);
        if (eager != NULL) {
            eager->as.slots = planner_slots(planner, &planner->bound);
            input = eager;
        }
        planner->has_reads = false;
        planner->has_writes = false;
    }
    planner->has_reads = planner->has_reads || reads;
    planner->has_writes = planner->has_writes || writes;
    return input;
}

static bool reads_graph(const struct projection *projection)
{
    bool reads = expr_reads_graph(projection->where);
    for (uint32_t i = 0; i < projection->item_count; i++) {
        reads = reads || expr_reads_graph(projection->items[i].value);
    }
    for (uint32_t i = 0; i < projection->sort_count; i++) {
        reads = reads || expr_reads_graph(projection->sorts[i].value);
    }
    return reads;
}

static void plan_exprs(struct planner *planner, const struct projection *projection)
{
    for (uint32_t i = 0; i < projection->item_count; i++) {
        plan_expr(planner, projection->items[i].value);
    }
    for (uint32_t i = 0; i < projection->aggregate_count; i++) {
        plan_expr(planner, projection->aggregates[i]);
    }
    for (uint32_t i = 0; i < projection->sort_count; i++) {
        plan_expr(planner, projection->sorts[i].value);
    }
    plan_expr(planner, projection->skip);
    plan_expr(planner, projection->limit);
    plan_expr(planner, projection->where);
}

/* Slots of the row that items and sort keys still read once the groups are made. */
static void set_carried(struct planner *planner, const struct projection *projection,
                        struct plan_node *node)
{
    struct slot_set reads = planner_set(planner);
    for (uint32_t i = 0; i < projection->item_count; i++) {
        if (projection->items[i].has_aggregate) {
            expr_slots(projection->items[i].value, &reads);
        }
    }
    for (uint32_t i = 0; i < projection->sort_count; i++) {
        expr_slots(projection->sorts[i].value, &reads);
    }
    struct slot_set carried = planner_set(planner);
    for (uint32_t slot = 0; slot < planner->slot_limit; slot++) {
        if (slot_set_has(&reads, slot) && slot_set_has(&planner->bound, slot) &&
            !slot_set_has(&planner->outer, slot)) {
            slot_set_add(&carried, slot);
        }
    }
    struct plan_slots slots = planner_slots(planner, &carried);
    node->as.aggregate.carried = slots.items;
    node->as.aggregate.carried_count = slots.count;
}

static const struct plan_node *add_values(struct planner *planner, const struct plan_node *input,
                                          const struct projection *projection)
{
    bool has_groups = projection->aggregate_count > 0;
    struct plan_node *node =
        plan_node_new(planner, has_groups ? PLAN_AGGREGATE : PLAN_PROJECT, input);
    if (node == NULL) {
        return NULL;
    }
    if (has_groups) {
        node->as.aggregate.projection = projection;
        node->estimate = input != NULL ? input->estimate / 2 + 1 : 1;
        set_carried(planner, projection, node);
        planner->has_reads = false;
        planner->has_writes = false;
    } else {
        node->as.projection = projection;
    }
    return node;
}

static const struct plan_node *add_sort(struct planner *planner, const struct plan_node *input,
                                        const struct projection *projection, struct plan_slots kept)
{
    struct plan_node *node = plan_node_new(planner, PLAN_SORT, input);
    if (node != NULL) {
        node->as.sort.items = projection->sorts;
        node->as.sort.count = projection->sort_count;
        node->as.sort.kept = kept;
        node->as.sort.skip = projection->skip;
        node->as.sort.limit = projection->limit;
        planner->has_reads = false;
        planner->has_writes = false;
    }
    return node;
}

static const struct plan_node *add_count(struct planner *planner, enum plan_kind kind,
                                         const struct plan_node *input, const struct expr *count)
{
    struct plan_node *node = plan_node_new(planner, kind, input);
    if (node != NULL) {
        node->as.count = count;
    }
    return node;
}

const struct plan_node *plan_where(struct planner *planner, const struct plan_node *input,
                                   const struct expr *where)
{
    struct plan_test *test = planner_alloc(planner, sizeof(*test));
    struct plan_node *node = plan_node_new(planner, PLAN_FILTER, input);
    if (test == NULL || node == NULL) {
        return NULL;
    }
    *test = (struct plan_test){
        .kind = TEST_CONDITION, .slot = PLAN_NO_SLOT, .value = where, .spot = where->spot};
    node->estimate /= 2;
    node->as.tests.items = test;
    node->as.tests.count = 1;
    return node;
}

const struct plan_node *plan_projection(struct planner *planner, const struct plan_node *input,
                                        const struct projection *projection)
{
    input = plan_barrier(planner, input, reads_graph(projection), false);
    plan_exprs(planner, projection);
    const struct plan_node *node = add_values(planner, input, projection);
    struct slot_set items = planner_set(planner);
    for (uint32_t i = 0; i < projection->item_count; i++) {
        slot_set_add(&items, projection->items[i].slot);
    }
    struct plan_slots kept = planner_slots(planner, &items);
    if (projection->is_distinct) {
        struct plan_node *distinct = plan_node_new(planner, PLAN_DISTINCT, node);
        if (distinct != NULL) {
            distinct->as.slots = kept;
        }
        node = distinct;
    }
    if (projection->sort_count > 0) {
        node = add_sort(planner, node, projection, kept);
    }
    if (projection->skip != NULL) {
        node = add_count(planner, PLAN_SKIP, node, projection->skip);
    }
    if (projection->limit != NULL) {
        node = add_count(planner, PLAN_LIMIT, node, projection->limit);
    }
    slot_set_copy(&planner->bound, &planner->outer);
    for (uint32_t i = 0; i < kept.count; i++) {
        slot_set_add(&planner->bound, kept.items[i]);
    }
    planner->interval_slot = PLAN_NO_SLOT;
    if (projection->where != NULL) {
        node = plan_where(planner, node, projection->where);
    }
    return node;
}
