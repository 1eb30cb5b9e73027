/* conflict.h -- what two transactions of a graph met over, said as people say it. */
#ifndef YORE_TOPOLOGY_CONFLICT_H
#define YORE_TOPOLOGY_CONFLICT_H

#include "topology/graph_txn.h"

/* Let conflicts of its commit name what the key stands for, not its octets. */
void graph_txn_explain_conflicts(struct graph_txn *txn);

#endif
