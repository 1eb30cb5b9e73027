/* function.h -- the functions of the language: one table, by name without regard to case.
 *
 * The resolver looks names up, checks arities and, where it knows kinds of arguments, these; the
 * evaluator calls.  Aggregates stand in the same table and are run by aggregate.h.
 */
#ifndef YORE_QUERY_FUNCTION_H
#define YORE_QUERY_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/bytes.h"
#include "base/status.h"
#include "query/ast.h"

struct eval;

/* Sets of kinds, for what can be told before anything runs.  NODE and NODE_REF are one here. */
#define KIND_SET(kind) (1u << (kind))
#define KINDS_ANY 0u /* nothing is known, anything goes */
#define KINDS_NUMBER (KIND_SET(YORE_GRAPH_INT) | KIND_SET(YORE_GRAPH_FLOAT))
#define KINDS_ELEMENT (KIND_SET(YORE_GRAPH_NODE) | KIND_SET(YORE_GRAPH_RELATIONSHIP))
#define KINDS_TEMPORAL                                                                             \
    (KIND_SET(YORE_GRAPH_DATE) | KIND_SET(YORE_GRAPH_LOCAL_TIME) | KIND_SET(YORE_GRAPH_TIME) |     \
     KIND_SET(YORE_GRAPH_LOCAL_DATETIME) | KIND_SET(YORE_GRAPH_DATETIME))

enum function_purity {
    FUNCTION_PURE = 1, /* the same arguments, the same value: may be folded */
    FUNCTION_STABLE,   /* the same within one statement: clocks; reads of elements */
    FUNCTION_VOLATILE  /* another value at every call: rand() */
};

/* AGGREGATE_NONE: an ordinary function. */
enum aggregate_kind {
    AGGREGATE_NONE = 0,
    AGGREGATE_COUNT_STAR, /* of EXPR_COUNT_STAR; not in the table */
    AGGREGATE_COUNT,
    AGGREGATE_SUM,
    AGGREGATE_AVG,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_COLLECT,
    AGGREGATE_STDEV,
    AGGREGATE_STDEVP,
    AGGREGATE_PERCENTILE_CONT,
    AGGREGATE_PERCENTILE_DISC
};

/* `call` is for errors: whose spot, whose name. */
typedef enum yore_status function_call(struct eval *eval, const struct expr *call,
                                       const struct yore_graph_value *arguments, size_t count,
                                       struct yore_graph_value *value_out);

#define FUNCTION_ARGUMENTS_TYPED 3
#define FUNCTION_ARGUMENTS_MAX 4 /* of those with a bound */
#define FUNCTION_ARITY_ANY 255u
struct function {
    const char *name; /* as documented: "toUpper", "date.truncate" */
    uint8_t arity_min;
    uint8_t arity_max; /* FUNCTION_ARITY_ANY: no bound */
    enum function_purity purity;
    enum aggregate_kind aggregate;
    bool null_is_null;   /* any null argument gives null without a call */
    bool stops_at_value; /* coalesce: arguments are evaluated until one is not null */
    bool wants_port;     /* interval(): ports->subquery answers */
    uint32_t results;    /* KIND_SET of what it gives besides null; KINDS_ANY: anything */
    uint32_t arguments[FUNCTION_ARGUMENTS_TYPED]; /* KIND_SETs of what it takes besides null */
    function_call *call;                          /* NULL for aggregates, coalesce, interval */
    double (*real)(double x);                     /* of function_real() */
};

/* NULL: there is none of that name. */
const struct function *function_find(struct yore_bytes name);
/* All of them, in order of name, for help, completion and "did you mean". */
size_t function_count(void);
const struct function *function_at(size_t index);

#endif
