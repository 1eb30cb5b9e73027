/* plan_internal.h -- the planner at work.  A failure sticks in `status`; everything made after it
 * is thrown away, so most steps need not look. */
#ifndef YORE_QUERY_PLAN_INTERNAL_H
#define YORE_QUERY_PLAN_INTERNAL_H

#include "query/plan.h"
#include "query/slot_set.h"

struct planner {
    struct plan *plan;
    struct arena *arena; /* the plan's */
    struct graph *graph;
    struct graph_view *view;
    enum yore_status status;
    struct query_error *error;
    uint32_t slot_limit; /* slots of the statement and room for hidden ones */
    uint32_t name_capacity, moment_capacity, subquery_capacity, index_capacity;
    struct plan_name *names;
    struct time_spec *moments;
    struct plan_subquery *subqueries;
    struct plan_index *indexes;
    struct slot_set bound; /* what the row around the next step holds */
    struct slot_set outer; /* of that, what stands around the subplan at work */
    bool has_reads;        /* steps since the last barrier read what a write could change */
    bool has_writes;
    bool is_distinct;       /* how often a row comes does not matter to whoever asks */
    uint32_t moving;        /* the moment that a FROM .. TO moves, inside of one; or UINT32_MAX */
    uint32_t interval_slot; /* what interval() tells; PLAN_NO_SLOT: no FROM .. TO before */
    struct time_spec time;  /* in force where the planner is */
};

/* What is put aside while a subplan is made. */
struct planner_scope {
    struct slot_set bound;
    struct slot_set outer;
    bool has_reads;
    bool has_writes;
    bool is_distinct;
};

/* Room for one more item behind `count`; NULL: out of memory. */
void *planner_grow(struct planner *planner, void *items, uint32_t count, uint32_t *capacity,
                   size_t item_size);
void *planner_alloc(struct planner *planner, size_t size); /* zeroed */
void planner_fail(struct planner *planner, enum yore_status status, const char *text);

struct slot_set planner_set(struct planner *planner); /* an empty one */

struct plan_node *plan_node_new(struct planner *planner, enum plan_kind kind,
                                const struct plan_node *input);
uint32_t planner_slot(struct planner *planner); /* a hidden one */
uint32_t planner_name(struct planner *planner, enum graph_token_kind kind, struct yore_bytes name);
/* The moment of a MATCH; 0 where it says nothing of its own. */
uint32_t planner_moment(struct planner *planner, const struct time_spec *time);
struct plan_slots planner_slots(struct planner *planner, const struct slot_set *set);

/* plan_expr.c: subplans for what stands in an expression (may be NULL). */
void plan_expr(struct planner *planner, const struct expr *expr);
struct planner_scope plan_scope_enter(struct planner *planner, bool is_distinct);
void plan_scope_leave(struct planner *planner, const struct planner_scope *scope);
/* plan_match.c */
struct match_options {
    const struct pattern *pattern;
    const struct expr *where;
    uint32_t view;
    uint32_t path_slot; /* of a shortest path that has no name; PLAN_NO_SLOT */
    bool is_given;      /* all of it is bound, at a moment at which it may not be there */
};
const struct plan_node *plan_match(struct planner *planner, const struct plan_node *input,
                                   const struct match_options *options);
/* plan_clause.c */
const struct plan_node *plan_part(struct planner *planner, const struct query_part *part);
const struct plan_node *plan_query(struct planner *planner, const struct single_query *query);
/* plan_intervals.c: MATCH ... FROM ... TO */
const struct plan_node *plan_intervals(struct planner *planner, const struct plan_node *input,
                                       const struct clause *clause, const struct time_spec *time);
/* plan_project.c */
const struct plan_node *plan_projection(struct planner *planner, const struct plan_node *input,
                                        const struct projection *projection);
const struct plan_node *plan_where(struct planner *planner, const struct plan_node *input,
                                   const struct expr *where);
/* Whether a projection gives the same rows however often each of its input comes. */
bool projection_ignores_copies(const struct projection *projection);
/* A barrier before a step that reads (or writes) where steps behind it did the other. */
const struct plan_node *plan_barrier(struct planner *planner, const struct plan_node *input,
                                     bool reads, bool writes);

/* plan_seek.c: where a node of a pattern can be begun with. */
struct match_start {
    double rows;
    enum plan_kind kind;
    uint32_t label;    /* names; UINT32_MAX: none */
    uint32_t property; /* names */
    struct plan_seek seek;
};
struct match_test {
    struct plan_test test;
    struct slot_set needs;
    bool is_placed;
};
/* Split a condition at its ANDs into tests; `each` gets them one by one. */
void condition_split(const struct expr *condition, void (*each)(void *arg, const struct expr *one),
                     void *arg);
/* The best start of `slot`, of tests whose other slots are bound. */
struct match_start seek_best(struct planner *planner, uint32_t slot, const struct match_test *tests,
                             uint32_t test_count);

#endif
