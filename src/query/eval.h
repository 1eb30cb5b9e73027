/* eval.h -- the value of an expression in a row.
 *
 * An evaluator belongs to one run of a statement, and to one thread.  Whoever runs the statement
 * (operators, or a test) fills the struct; eval_expr() walks the resolved tree.  A *row* is an
 * array of statement->slot_count values; comprehensions and the like write to the slots of their
 * own.
 *
 * What a pattern or a subquery in an expression means is for the executor: `ports->subquery`.
 *
 * Memory: values made here live in `arena`, which the owner resets when the rows that point to it
 * are gone (value_copy() what has to stay).
 */
#ifndef YORE_QUERY_EVAL_H
#define YORE_QUERY_EVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/query.h"
#include "query/value.h"

struct graph;
struct graph_ends;
struct graph_view;
struct eval;
struct regex_cache;
struct zone_cache;

/* What the evaluator asks of its owner.  NULL functions: not needed by the statement. */
struct eval_ports {
    /* The value of EXPR_EXISTS, EXPR_COUNT, EXPR_COLLECT, EXPR_PATTERN,
     * EXPR_PATTERN_COMPREHENSION, EXPR_SHORTEST_PATH and the time function interval() in `row`. */
    enum yore_status (*subquery)(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out);
    /* Called when `steps` has reached `steps_check`: look at the budgets, set the next
     * `steps_check`, or fail (having filled `eval->error`). */
    enum yore_status (*check)(struct eval *eval);
    /* Whether an element is one that this statement has deleted: reading it is then an error, told
     * apart from one that never was.  NULL: it deletes nothing. */
    bool (*is_deleted)(struct eval *eval, const struct yore_graph_value *element);
    /* Type and ends of a relationship that this statement has deleted: type() and the ends of what
     * was deleted can still be asked for.  NULL, or false: they are not known. */
    bool (*deleted_ends)(struct eval *eval, const struct yore_graph_value *relationship,
                         struct graph_ends *ends_out);
    void *arg; /* of the owner */
};

/* Fixed when the statement begins, so that datetime() is one moment in all of it.  Nanoseconds
 * since 1970. */
struct eval_clock {
    int64_t statement_ns;
    int64_t transaction_ns;
};

struct eval {
    struct graph *graph;     /* NULL: a statement without one (RETURN 1) */
    struct graph_view *view; /* the statement's moment; elements carry their own */
    const struct statement *statement;
    const struct yore_graph_value *parameters; /* by index of statement->parameters */
    uint32_t *property_tokens; /* statement->property_count, zeroed: filled here as they are met */
    struct arena *arena;
    struct eval_clock clock;
    const struct eval_ports *ports;
    uint64_t steps; /* elements and items looked at so far */
    uint64_t steps_check;
    uint64_t memory_bytes_max; /* of `arena`; a value beyond it is refused; 0: no bound */
    struct query_error *error; /* filled with every failure */
    /* Zeroed by the owner; eval_release() frees them. */
    struct rand_state rand; /* of rand() and randomUUID(); seeded at the first call */
    bool is_rand_seeded;
    struct regex_cache *regexes;
    struct zone_cache *zones;
};

void eval_release(struct eval *eval);

/* Errors: YORE_INVALID with the class of the kit in `eval->error`; YORE_NOMEM; those of views. */
enum yore_status eval_expr(struct eval *eval, const struct expr *expr, struct yore_graph_value *row,
                           struct yore_graph_value *value_out);

/* The numbers of a range(): first, first + step, ...; so many of them. */
struct number_range {
    int64_t first;
    int64_t step;
    uint64_t count;
};
/* Is it a call of range(), whose numbers can be had without a list? */
bool eval_is_range(const struct expr *expr);
/* Errors: as eval_expr().  Of a null argument: none. */
enum yore_status eval_range(struct eval *eval, const struct expr *call,
                            struct yore_graph_value *row, struct number_range *range_out);
static inline int64_t number_range_at(const struct number_range *range, uint64_t index)
{
    return (int64_t)((uint64_t)range->first + index * (uint64_t)range->step);
}

/* A condition: true where it is true; null and false are false; other kinds are a TypeError. */
enum yore_status eval_condition(struct eval *eval, const struct expr *expr,
                                struct yore_graph_value *row, bool *is_true_out);

/* ---- failing ---------------------------------------------------------------------------------
 */

/* Fill `eval->error` with class `type` and `detail` of the kit, the printf text, and the line with
 * `spot` underlined.  Returns YORE_INVALID. */
__attribute__((format(printf, 5, 6))) enum yore_status eval_fail(struct eval *eval,
                                                                 struct ast_spot spot,
                                                                 const char *type,
                                                                 const char *detail,
                                                                 const char *format, ...);
/* YORE_NOMEM, told. */
enum yore_status eval_nomem(struct eval *eval);
/* Pass on the status of a view, whose text stands in `eval->error->error`. */
enum yore_status eval_engine(struct eval *eval, enum yore_status status);
/* Room for `count` things of `size` octets in the arena, for values whose size comes from outside.
 * YORE_TOO_BIG beyond `memory_bytes_max`. */
enum yore_status eval_alloc(struct eval *eval, size_t count, size_t size, void **room_out);
/* A string that is copied into the arena. */
enum yore_status eval_string(struct eval *eval, struct yore_bytes text,
                             struct yore_graph_value *value_out);
/* Refuse a list or map that is nested too deep, or takes more memory written out than the statement
 * may have: YORE_TOO_BIG. */
enum yore_status eval_check_value(struct eval *eval, const struct yore_graph_value *value);
/* Count work; now and then asks `ports->check`. */
enum yore_status eval_step(struct eval *eval, uint64_t steps);

#endif
