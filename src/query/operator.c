#include "query/operator.h"

#include <string.h>

#include "base/assert.h"
#include "os/env.h"

/* style: long because it is one table. */
static const struct operator_kind *kind_of(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_ARGUMENT:
        return &op_argument;
    case PLAN_ALL_NODES:
    case PLAN_LABEL_SCAN:
    case PLAN_INDEX_SCAN:
        return &op_node_scan;
    case PLAN_NODE_SEEK:
        return &op_node_seek;
    case PLAN_RELATIONSHIP_SCAN:
        return &op_relationship_scan;
    case PLAN_EXPAND:
        return &op_expand;
    case PLAN_EXPAND_BOUND:
        return &op_expand_bound;
    case PLAN_EXPAND_VARIABLE:
        return &op_expand_variable;
    case PLAN_REACH:
        return &op_reach;
    case PLAN_SHORTEST:
        return &op_shortest;
    case PLAN_FILTER:
        return &op_filter;
    case PLAN_PATH:
        return &op_path;
    case PLAN_INTERVALS:
        return &op_intervals;
    case PLAN_OPTIONAL:
        return &op_optional;
    case PLAN_APPLY:
        return &op_apply;
    case PLAN_MERGE:
        return &op_merge;
    case PLAN_FOREACH:
        return &op_foreach;
    case PLAN_UNWIND:
        return &op_unwind;
    case PLAN_PROJECT:
        return &op_project;
    case PLAN_AGGREGATE:
        return &op_aggregate;
    case PLAN_DISTINCT:
        return &op_distinct;
    case PLAN_SORT:
        return &op_sort;
    case PLAN_SKIP:
        return &op_skip;
    case PLAN_LIMIT:
        return &op_limit;
    case PLAN_UNION:
        return &op_union;
    case PLAN_EAGER:
        return &op_eager;
    case PLAN_CALL:
        return &op_call;
    case PLAN_CREATE:
        return &op_create;
    case PLAN_SET:
        return &op_set;
    case PLAN_DELETE:
        return &op_delete;
    case PLAN_SCHEMA:
        return &op_schema;
    }
    return NULL;
}

static enum yore_status make(struct run *run, const struct plan_node *plan,
                             struct operator** op_out)
{
    const struct operator_kind *kind = kind_of(plan->kind);
    YORE_ASSERT(kind != NULL);
    struct operator* op = arena_alloc(&run->memory, kind->size);
    if (op == NULL) {
        return run_nomem(run);
    }
    memset(op, 0, kind->size);
    op->kind = kind;
    op->plan = plan;
    op->run = run;
    *op_out = op;
    return YORE_OK;
}

/* Inputs in a loop; subplans nest as the text does. */
enum yore_status operator_new(struct run *run, const struct plan_node *plan,
                              struct operator** op_out)
{
    *op_out = NULL;
    struct operator** at = op_out;
    for (const struct plan_node *node = plan; node != NULL; node = node->input) {
        enum yore_status st = make(run, node, at);
        if (st == YORE_OK && node->inner != NULL) {
            st = operator_new(run, node->inner, &(*at)->inner);
        }
        if (st != YORE_OK) {
            return st;
        }
        at = &(*at)->input;
    }
    return YORE_OK;
}

void operator_close(struct operator* op)
{
    for (; op != NULL; op = op->input) {
        if (op->kind->close != NULL) {
            op->kind->close(op);
        }
        if (op->inner != NULL) {
            operator_close(op->inner);
        }
    }
}

void operator_reset(struct operator* op)
{
    for (; op != NULL; op = op->input) {
        op->is_active = false;
        if (op->kind->reset != NULL) {
            op->kind->reset(op);
        }
    }
}

enum yore_status operator_next_profiled(struct operator* op)
{
    uint64_t before = op->run->eval.steps;
    int64_t begun_ns = os_monotonic_ns(os_env_posix());
    enum yore_status st = op->kind->next(op);
    op->took_ns += os_monotonic_ns(os_env_posix()) - begun_ns;
    op->steps += op->run->eval.steps - before;
    op->rows += st == YORE_OK ? 1 : 0;
    return st;
}
