/* aggregate.h -- what an aggregate has gathered of one group.
 *
 * The operator keeps one struct aggregate for each group and aggregate of a projection, and one
 * arena (or several, of groups that go together) for what they keep.
 */
#ifndef YORE_QUERY_AGGREGATE_H
#define YORE_QUERY_AGGREGATE_H

#include <stdbool.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/status.h"
#include "query/ast.h"
#include "query/eval.h"
#include "query/function.h"
#include "query/value_set.h"

struct aggregate {
    enum aggregate_kind kind;
    bool is_distinct;
    bool is_float;                 /* sum: a float came by */
    bool is_duration;              /* sum, avg: of durations, gathered in `value` */
    uint64_t count;                /* values that were taken in */
    int64_t integer;               /* sum of integers */
    double real;                   /* sum of all numbers; mean (stDev); the percentile */
    double compensation;           /* lost low parts of `real` (Neumaier); sum of squares (stDev) */
    struct yore_graph_value value; /* min, max; sum and avg of durations */
    struct yore_graph_value *items; /* collect, percentiles: in `keep` */
    size_t item_capacity;
    struct value_set seen; /* DISTINCT */
    struct arena *keep;
};

/* `call` is an EXPR_AGGREGATE (its `slot` is for the result; arguments are none for count(*)).
 * Keeps `keep` until the end. */
void aggregate_init(struct aggregate *aggregate, const struct expr *call, struct arena *keep);
/* Take the row in: evaluates the arguments. */
enum yore_status aggregate_add(struct aggregate *aggregate, struct eval *eval,
                               const struct expr *call, struct yore_graph_value *row);
/* The result so far, in eval->arena or `keep`.  Of no rows: 0, null or [], as the language says. */
enum yore_status aggregate_result(struct aggregate *aggregate, struct eval *eval,
                                  const struct expr *call, struct yore_graph_value *value_out);

#endif
