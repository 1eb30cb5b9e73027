#include "query/plan_rows.h"

#include <string.h>

#include "query/operator.h"

static const char *const COLUMNS[PLAN_ROW_COLUMNS_MAX] = {"step", "details", "estimated rows",
                                                          "rows", "steps",   "ms"};

size_t plan_row_column_count(bool is_profile)
{
    return is_profile ? 6 : 3;
}

struct yore_bytes plan_row_column(size_t column)
{
    return bytes_of(COLUMNS[column], strlen(COLUMNS[column]));
}

struct plan_walk {
    const struct plan *plan;
    struct row_store *rows;
    struct buffer step;
    struct buffer details;
};

static enum yore_status add_row(struct plan_walk *walk, const struct plan_node *node,
                                const struct operator* op, unsigned depth)
{
    const char *name = plan_kind_name(node->kind);
    buffer_clear(&walk->step);
    buffer_clear(&walk->details);
    for (unsigned i = 0; i < depth; i++) {
        buffer_append(&walk->step, "| ", 2);
    }
    buffer_append(&walk->step, name, strlen(name));
    plan_node_describe(walk->plan, node, &walk->details);
    if (walk->step.is_nomem || walk->details.is_nomem) {
        return YORE_NOMEM;
    }
    uint64_t rows = op != NULL ? op->rows : 0;
    uint64_t below = op != NULL && op->input != NULL ? op->input->steps : 0;
    uint64_t steps = op != NULL ? op->steps - below : 0;
    int64_t took_ns = op != NULL ? op->took_ns : 0;
    took_ns -= op != NULL && op->input != NULL ? op->input->took_ns : 0;
    double estimate = node->estimate < 1e15 ? node->estimate : 1e15;
    const struct yore_graph_value row[PLAN_ROW_COLUMNS_MAX] = {
        value_string(buffer_bytes(&walk->step)),
        value_string(buffer_bytes(&walk->details)),
        value_int((int64_t)(estimate + 0.5)),
        value_int((int64_t)rows),
        value_int((int64_t)steps),
        value_float((double)took_ns / 1e6)};
    return row_store_add(walk->rows, row);
}

/* Inputs in a loop; subplans nest as the text does. */
static enum yore_status walk_plan(struct plan_walk *walk, const struct plan_node *node,
                                  const struct operator* op, unsigned depth)
{
    enum yore_status st = YORE_OK;
    while (st == YORE_OK && node != NULL) {
        st = add_row(walk, node, op, depth);
        if (st == YORE_OK && node->inner != NULL) {
            st = walk_plan(walk, node->inner, op != NULL ? op->inner : NULL, depth + 1);
        }
        for (uint32_t i = 0;
             st == YORE_OK && node->kind == PLAN_UNION && i < node->as.merged.part_count; i++) {
            st = walk_plan(walk, node->as.merged.parts[i], op != NULL ? operator_part(op, i) : NULL,
                           depth + 1);
        }
        node = node->input;
        op = op != NULL ? op->input : NULL;
    }
    return st;
}

enum yore_status plan_rows(const struct plan *plan, const struct run *run, struct row_store *rows)
{
    struct plan_walk walk = {.plan = plan, .rows = rows};
    enum yore_status st = walk_plan(&walk, plan->root, run != NULL ? run->root : NULL, 0);
    for (uint32_t i = 0; st == YORE_OK && i < plan->subquery_count; i++) {
        st = walk_plan(&walk, plan->subqueries[i].root, run != NULL ? run->subplans[i].root : NULL,
                       1);
    }
    buffer_release(&walk.step);
    buffer_release(&walk.details);
    return st;
}
