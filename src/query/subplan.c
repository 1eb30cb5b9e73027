#include "query/subplan.h"

#include <string.h>

#include "query/operator.h"
#include "query/row_store.h"

/* `*subplan_out`: NULL where the subquery has no plan. */
static enum yore_status find(struct run *run, const struct expr *expr,
                             const struct plan_subquery **subquery_out,
                             struct subplan **subplan_out)
{
    const struct plan *plan = run->plan;
    for (uint32_t i = 0; i < plan->subquery_count; i++) {
        if (plan->subqueries[i].expr != expr) {
            continue;
        }
        *subquery_out = &plan->subqueries[i];
        if (plan->subqueries[i].root == NULL) {
            return YORE_OK;
        }
        struct subplan *subplan = &run->subplans[i];
        if (subplan->root == NULL) {
            enum yore_status st = operator_new(run, plan->subqueries[i].root, &subplan->root);
            if (st != YORE_OK) {
                return st;
            }
        }
        operator_reset(subplan->root);
        *subplan_out = subplan;
        return YORE_OK;
    }
    return error_set(run_error(run), YORE_UNSUPPORTED,
                     "a pattern or subquery stands where it cannot be evaluated");
}

static enum yore_status exists(struct operator* op, struct yore_graph_value *value_out)
{
    enum yore_status st = operator_next(op);
    *value_out = value_bool(st == YORE_OK);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status count(struct operator* op, struct yore_graph_value *value_out)
{
    int64_t rows = 0;
    enum yore_status st;
    while ((st = operator_next(op)) == YORE_OK) {
        rows++;
    }
    *value_out = value_int(rows);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* What a row adds to the list: the mapped expression, or the slot of the subplan. */
static enum yore_status row_value(struct run *run, const struct expr *expr,
                                  const struct plan_subquery *subquery,
                                  struct yore_graph_value *value_out)
{
    if (expr->kind == EXPR_PATTERN_COMPREHENSION) {
        return eval_expr(&run->eval, expr->as.pattern.mapped, run->frame, value_out);
    }
    *value_out = run->frame[subquery->slot];
    return YORE_OK;
}

/* Rows give back their memory, so that what they add is copied twice: out of the way, and, when the
 * last row is gone, to where the value of the expression belongs. */
static enum yore_status collect(struct run *run, const struct expr *expr,
                                const struct plan_subquery *subquery, struct operator* op,
                                struct yore_graph_value *value_out)
{
    struct row_store items;
    row_store_open(&items, run, 1);
    enum yore_status st;
    while ((st = operator_next(op)) == YORE_OK) {
        struct yore_graph_value value;
        st = row_value(run, expr, subquery, &value);
        if (st == YORE_OK) {
            st = row_store_add(&items, &value);
        }
        if (st != YORE_OK) {
            break;
        }
    }
    if (st == YORE_NOT_FOUND) {
        struct yore_graph_value *list =
            arena_alloc(run->eval.arena, (items.count + 1) * sizeof(*list));
        st = list != NULL ? YORE_OK : run_nomem(run);
        for (size_t i = 0; st == YORE_OK && i < items.count; i++) {
            st = value_copy(run->eval.arena, &items.rows[i][0], &list[i]);
        }
        *value_out = value_list(list, items.count);
    }
    row_store_close(&items);
    return st;
}

static enum yore_status shortest(struct run *run, const struct plan_subquery *subquery,
                                 struct operator* op, struct yore_graph_value *value_out)
{
    enum yore_status st = operator_next(op);
    *value_out = st == YORE_OK ? run->frame[subquery->slot] : value_null();
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status value_of(struct run *run, const struct expr *expr,
                                 const struct plan_subquery *subquery, struct operator* op,
                                 struct yore_graph_value *value_out)
{
    switch (expr->kind) {
    case EXPR_EXISTS:
    case EXPR_PATTERN:
        return exists(op, value_out);
    case EXPR_COUNT:
        return count(op, value_out);
    case EXPR_SHORTEST_PATH:
        return expr->as.pattern.is_all ? collect(run, expr, subquery, op, value_out)
                                       : shortest(run, subquery, op, value_out);
    default:
        return collect(run, expr, subquery, op, value_out);
    }
}

enum yore_status subplan_value(struct eval *eval, const struct expr *expr,
                               struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    (void)row; /* the frame of the run: there is no other */
    struct run *run = eval->ports->arg;
    const struct plan_subquery *subquery = NULL;
    struct subplan *subplan = NULL;
    enum yore_status st = find(run, expr, &subquery, &subplan);
    if (st != YORE_OK) {
        return st;
    }
    if (subplan == NULL) { /* interval() */
        *value_out = run->frame[subquery->slot];
        return YORE_OK;
    }
    subplan->is_running = true;
    st = value_of(run, expr, subquery, subplan->root, value_out);
    subplan->is_running = false;
    return st;
}
