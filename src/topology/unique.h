/* unique.h -- constraints: of the nodes of a label, at most one has a value at a time. */
#ifndef YORE_TOPOLOGY_UNIQUE_H
#define YORE_TOPOLOGY_UNIQUE_H

#include "topology/graph_txn.h"

/* Refuse segments that give a node a value which another has meanwhile, at any time of theirs;
 * while it is deferred (graph_unique_defer()), take note of it. What was looked at is noted:
 * another writer of the same value conflicts. Errors: YORE_EXISTS (the text names both and the
 * time). */
enum yore_status unique_check(struct graph_txn *txn, struct graph_id id,
                              const struct segment *segments, size_t count, int64_t end,
                              struct yore_error *error_out);

/* Forget what was deferred, and defer no more. */
void unique_forget(struct graph_txn *txn);

/* The text of such an error. */
enum yore_status unique_refuse(struct graph *graph, const struct graph_rule *rule, uint64_t node,
                               uint64_t other, int64_t moment, struct yore_error *error_out);

#endif
