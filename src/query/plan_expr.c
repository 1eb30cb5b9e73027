/* plan_expr.c -- subplans for the patterns and subqueries that stand in expressions. */
#include "query/function.h"
#include "query/plan_internal.h"

static bool is_planned(const struct planner *planner, const struct expr *expr)
{
    for (uint32_t i = 0; i < planner->plan->subquery_count; i++) {
        if (planner->subqueries[i].expr == expr) {
            return true;
        }
    }
    return false;
}

static void keep(struct planner *planner, struct plan_subquery subquery)
{
    uint32_t *count = &planner->plan->subquery_count;
    struct plan_subquery *grown = planner_grow(planner, planner->subqueries, *count,
                                               &planner->subquery_capacity, sizeof(*grown));
    if (grown != NULL) {
        planner->subqueries = grown;
        grown[(*count)++] = subquery;
    }
}

struct planner_scope plan_scope_enter(struct planner *planner, bool is_distinct)
{
    struct planner_scope scope = {
        .bound = planner_set(planner),
        .outer = planner->outer,
        .has_reads = planner->has_reads,
        .has_writes = planner->has_writes,
        .is_distinct = planner->is_distinct,
    };
    slot_set_copy(&scope.bound, &planner->bound);
    planner->outer = planner_set(planner);
    slot_set_copy(&planner->outer, &planner->bound);
    planner->has_reads = false;
    planner->has_writes = false;
    planner->is_distinct = is_distinct;
    return scope;
}

void plan_scope_leave(struct planner *planner, const struct planner_scope *scope)
{
    slot_set_copy(&planner->bound, &scope->bound);
    planner->outer = scope->outer;
    planner->has_reads = scope->has_reads;
    planner->has_writes = scope->has_writes;
    planner->is_distinct = scope->is_distinct;
}

/* What stands around the expression is bound by the time it is evaluated, also where the planner
 * has not come so far yet: a slot is, unless it is new where the pattern first names it. */
static void bind_known(struct planner *planner, const struct pattern *pattern)
{
    struct slot_set met = planner_set(planner);
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        const struct path_pattern *path = &pattern->paths[i];
        for (uint32_t k = 0; k <= path->length; k++) {
            const struct node_pattern *node = &path->nodes[k];
            if (node->is_bound && !slot_set_has(&met, node->slot)) {
                slot_set_add(&planner->bound, node->slot);
            }
            slot_set_add(&met, node->slot);
            if (k < path->length && path->relationships[k].is_bound &&
                !slot_set_has(&met, path->relationships[k].slot)) {
                slot_set_add(&planner->bound, path->relationships[k].slot);
            }
            if (k < path->length) {
                slot_set_add(&met, path->relationships[k].slot);
            }
        }
    }
}

static void plan_pattern_expr(struct planner *planner, const struct expr *expr)
{
    bool is_existence = expr->kind == EXPR_PATTERN;
    struct planner_scope scope = plan_scope_enter(planner, is_existence);
    bind_known(planner, expr->as.pattern.pattern);
    slot_set_copy(&planner->outer, &planner->bound);
    struct match_options options = {.pattern = expr->as.pattern.pattern,
                                    .where = expr->as.pattern.where,
                                    .view =
                                        planner_moment(planner, &(struct time_spec){.as_of = NULL}),
                                    .path_slot = PLAN_NO_SLOT};
    struct plan_subquery subquery = {.expr = expr, .slot = PLAN_NO_SLOT};
    if (expr->kind == EXPR_SHORTEST_PATH) {
        const struct path_pattern *path = &expr->as.pattern.pattern->paths[0];
        subquery.slot = path->slot != AST_NO_SLOT ? path->slot : planner_slot(planner);
        options.path_slot = subquery.slot;
    }
    const struct plan_node *begin = plan_node_new(planner, PLAN_ARGUMENT, NULL);
    subquery.root = plan_match(planner, begin, &options);
    plan_expr(planner, expr->as.pattern.mapped);
    plan_scope_leave(planner, &scope);
    keep(planner, subquery);
}

static void plan_part_expr(struct planner *planner, const struct expr *expr)
{
    const struct query_part *part = expr->as.subquery;
    struct planner_scope scope = plan_scope_enter(planner, expr->kind == EXPR_EXISTS);
    for (uint32_t i = 0; i < part->import_count; i++) {
        slot_set_add(&planner->bound, part->imports[i]);
        slot_set_add(&planner->outer, part->imports[i]);
    }
    struct plan_subquery subquery = {.expr = expr, .slot = PLAN_NO_SLOT};
    subquery.root = plan_part(planner, part);
    if (part->column_count > 0) {
        subquery.slot = part->columns[0].slot;
    }
    plan_scope_leave(planner, &scope);
    keep(planner, subquery);
}

static void plan_interval_call(struct planner *planner, const struct expr *expr)
{
    const struct function *function = expr->as.call.function;
    if (function == NULL || !function->wants_port || is_planned(planner, expr)) {
        return;
    }
    if (planner->interval_slot == PLAN_NO_SLOT) {
        planner_fail(planner, YORE_INVALID,
                     "interval() tells the interval of a MATCH ... FROM ... TO, and there is none "
                     "before it (after WITH, pass it on under a name)");
        return;
    }
    keep(planner, (struct plan_subquery){.expr = expr, .slot = planner->interval_slot});
}

static bool plan_subqueries(void *arg, const struct expr *expr)
{
    struct planner *planner = arg;
    switch (expr->kind) {
    case EXPR_PATTERN:
    case EXPR_PATTERN_COMPREHENSION:
    case EXPR_SHORTEST_PATH:
        if (!is_planned(planner, expr)) {
            plan_pattern_expr(planner, expr);
        }
        return planner->status != YORE_OK;
    case EXPR_EXISTS:
    case EXPR_COUNT:
    case EXPR_COLLECT:
        if (!is_planned(planner, expr)) {
            plan_part_expr(planner, expr);
        }
        return planner->status != YORE_OK;
    case EXPR_CALL:
        plan_interval_call(planner, expr);
        return expr_children(expr, plan_subqueries, planner);
    default:
        return expr_children(expr, plan_subqueries, planner);
    }
}

void plan_expr(struct planner *planner, const struct expr *expr)
{
    if (expr != NULL && planner->status == YORE_OK) {
        plan_subqueries(planner, expr);
    }
}
