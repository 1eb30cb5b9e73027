/* subplan.h -- the values of patterns and subqueries in expressions. */
#ifndef YORE_QUERY_SUBPLAN_H
#define YORE_QUERY_SUBPLAN_H

#include "query/eval.h"

/* The port of the evaluator (eval.h, `subquery`); `eval->ports->arg` is the run. */
enum yore_status subplan_value(struct eval *eval, const struct expr *expr,
                               struct yore_graph_value *row, struct yore_graph_value *value_out);

#endif
