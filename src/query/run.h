/* run.h -- one run of a plan: the frame of its rows, its views, its memory, its budgets.
 *
 * Memory.  `rows` is a stack: a step that gives several rows for one of its input takes a mark when
 * that row has come, and rewinds to it before it makes the next.  So everything a row needed is
 * given back when the row is done, whatever the number of rows.  Steps that hold rows back have
 * arenas of their own, which count towards the budget while they are linked in `stores`.
 */
#ifndef YORE_QUERY_RUN_H
#define YORE_QUERY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "query/eval.h"
#include "query/id_map.h"
#include "query/plan.h"
#include "query/query.h"
#include "query/value.h"
#include "topology/graph.h"

struct operator;

/* An arena of a step, told to the memory budget. */
struct run_store {
    struct arena arena;
    struct run_store *next;
};

/* The plan of a subquery; it runs while its value is found, and no longer. */
struct subplan {
    struct operator* root; /* NULL: not asked for yet */
    bool is_running;
};

struct run {
    const struct plan *plan;
    const struct query_options *options;
    struct graph *graph;
    struct graph_txn *txn;     /* NULL: the statement reads outside of one */
    struct graph_view **views; /* by moment, opened when first asked for */
    struct yore_graph_value *frame;
    struct arena memory; /* what lives as long as the run */
    struct arena rows;
    struct arena_mark rows_begin; /* before the first row */
    struct run_store *stores;
    struct eval eval;
    struct eval_ports ports;
    uint32_t *tokens; /* by name of the plan; GRAPH_NO_TOKEN: not known yet */
    struct operator* root;
    struct subplan *subplans;            /* by subquery of the plan */
    struct id_map deleted_nodes;         /* in `memory` */
    struct id_map deleted_relationships; /* index into deleted_ends */
    struct graph_ends *deleted_ends;
    size_t deleted_capacity;
    struct query_budget budget; /* no zeros */
    int64_t begun_ns;
    uint64_t excused_ns; /* since then, with nobody asking for rows */
    bool writes;
    bool is_profiled;
    bool is_stopping; /* over a budget, and partial results are wanted: sources end */
    bool is_over;
    struct graph_tally schema_tally;
    struct query_error *error; /* of the call at work */
};

/* Begin a run of `plan`; `txn` may be NULL.  `options` are kept. */
enum yore_status run_begin(struct run *run, const struct plan *plan, struct graph *graph,
                           struct graph_txn *txn, const struct query_options *options,
                           struct query_error *error);
void run_end(struct run *run);
/* Rows come from the first on again; budgets of steps and time begin anew. */
void run_rewind(struct run *run);
/* Close operators and views, before the transaction they look into ends; memory stays. */
void run_finish(struct run *run);

/* The view of a moment of the plan. */
enum yore_status run_view(struct run *run, uint32_t moment, struct graph_view **view_out);
/* The token of a name of the plan; GRAPH_NO_TOKEN: nothing has it yet. */
uint32_t run_token(struct run *run, uint32_t name);
/* The same, made when it is missing: for writing. */
enum yore_status run_make_token(struct run *run, enum graph_token_kind kind, struct yore_bytes name,
                                uint32_t *token_out);

/* Note that the statement deletes an element: what it still tells of it afterwards. */
enum yore_status run_forget_node(struct run *run, uint64_t id);
enum yore_status run_forget_relationship(struct run *run, uint64_t id,
                                         const struct graph_ends *ends);

/* Count one step of work.  YORE_OK; YORE_NOT_FOUND: sources are to end here (partial results);
 * otherwise a budget is used up, or the run was cancelled. */
enum yore_status run_check(struct run *run);
static inline enum yore_status run_step(struct run *run)
{
    if (++run->eval.steps < run->eval.steps_check) {
        return YORE_OK;
    }
    return run_check(run);
}

/* YORE_CANCELLED, told, once its caller wants the run to end. */
enum yore_status run_cancelled(struct run *run);

void run_store_open(struct run *run, struct run_store *store);
void run_store_close(struct run *run, struct run_store *store);

static inline struct yore_error *run_error(struct run *run)
{
    return &run->error->error;
}
enum yore_status run_nomem(struct run *run);

/* Whether the caller may look at `moment`; if not, that is told, blaming `spot` of the text. */
enum yore_status run_may_look(struct run *run, int64_t moment, struct ast_spot spot);

/* A moment as the language has it: text, nanoseconds, or a temporal value. */
/* One that is looked at. */
enum yore_status run_moment(struct run *run, const struct expr *expr, int64_t *moment_out);
enum yore_status moment_of_value(struct run *run, const struct yore_graph_value *value,
                                 struct ast_spot spot, int64_t *moment_out);

#endif
