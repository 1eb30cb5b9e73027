/* operator.h -- the steps of a plan at work: each pulls from its input, one row at a time.
 *
 * Steps call each other as deep as the plan is long (QUERY_PLAN_STEPS_MAX), never as deep as data.
 */
#ifndef YORE_QUERY_OPERATOR_H
#define YORE_QUERY_OPERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "query/run.h"

struct operator_kind {
    size_t size; /* of the struct that begins with struct operator; zeroed when made */
    /* YORE_OK: the frame holds the next row; YORE_NOT_FOUND: no more. */
    enum yore_status (*next)(struct operator* op);
    /* Begin anew for another row around it; its input is reset already.  NULL: nothing to do. */
    void (*reset)(struct operator* op);
    void (*close)(struct operator* op); /* NULL: nothing to do */
};

struct operator
{
    const struct operator_kind *kind;
    const struct plan_node *plan;
    struct run *run;
    struct operator* input; /* or NULL */
    struct operator* inner; /* of a subplan; its owner resets it */
    struct arena_mark mark; /* of the row of the input at work */
    bool is_active;         /* there is such a row */
    uint64_t rows;
    uint64_t steps;  /* of it and its input together; counted when profiled */
    int64_t took_ns; /* likewise */
};

/* Make the operators of a plan or subplan, in the run's memory. */
enum yore_status operator_new(struct run *run, const struct plan_node *plan,
                              struct operator** op_out);
/* Give back what it holds open (`op` may be NULL); after a reset it opens again by itself. */
void operator_close(struct operator* op);
void operator_reset(struct operator* op);

enum yore_status operator_next_profiled(struct operator* op);
static inline enum yore_status operator_next(struct operator* op)
{
    if (op->run->is_profiled) {
        return operator_next_profiled(op);
    }
    return op->kind->next(op);
}

/* The next row of the input, and a mark behind it. */
static inline enum yore_status operator_pull(struct operator* op)
{
    enum yore_status st = operator_next(op->input);
    op->is_active = st == YORE_OK;
    if (st == YORE_OK) {
        op->mark = arena_mark(&op->run->rows);
    }
    return st;
}
/* Give back what the last row made of the same row of the input took. */
static inline void operator_rewind(struct operator* op)
{
    arena_rewind(&op->run->rows, op->mark);
}

/* Tests of a filter (op_filter.c). */
enum yore_status operator_test(struct operator* op, const struct plan_test *tests, uint32_t count,
                               bool *passes_out);
/* The node in `slot` (op_filter.c).  YORE_NOT_FOUND: it is null. */
enum yore_status operator_node(struct operator* op, uint32_t slot, struct ast_spot spot,
                               uint64_t *id_out);

/* The number of SKIP or LIMIT (op_rows.c). */
enum yore_status operator_count(struct operator* op, const struct expr *expr, const char *what,
                                uint64_t *count_out);

/* Of a UNION: the operator of one of its queries, NULL before the first row (op_apply.c). */
const struct operator* operator_part(const struct operator* op, uint32_t part);

/* Kinds. */
extern const struct operator_kind op_argument, op_node_scan, op_node_seek, op_relationship_scan,
    op_expand, op_expand_bound, op_expand_variable, op_reach, op_shortest, op_filter, op_path,
    op_intervals, op_optional, op_apply, op_merge, op_foreach, op_unwind, op_project, op_aggregate,
    op_distinct, op_sort, op_skip, op_limit, op_union, op_eager, op_call, op_create, op_set,
    op_delete, op_schema;

#endif
