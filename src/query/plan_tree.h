/* plan_tree.h -- EXPLAIN and PROFILE as one value of nested maps: for protocols that tell plans so.
 *
 *     {args: {Details, EstimatedRows}, children: [...], identifiers: [], operatorType}
 *
 * and of a PROFILE {..., dbHits, rows}: steps and rows of the step alone.  The last step is the
 * root, its input its first child, subplans the others.  Steps further than PLAN_TREE_DEPTH_MAX
 * from the root are left out. */
#ifndef YORE_QUERY_PLAN_TREE_H
#define YORE_QUERY_PLAN_TREE_H

#include "query/run.h"

/* `run`: of a PROFILE, the one that was carried out; else NULL.  Errors: YORE_NOMEM. */
enum yore_status plan_tree(const struct plan *plan, const struct run *run, struct arena *arena,
                           const struct yore_graph_value **tree_out);

#endif
