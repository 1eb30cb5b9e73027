/* graph_names.h -- names as compact replies have them: a label, type or property name is its index
 * in the list that a client has asked for with db.labels(), db.relationshipTypes() or
 * db.propertyKeys().  So these lists may not lose a name, and only grow at their end: they are
 * those of all tokens of the graph, whatever is in use at a moment. */
#ifndef YORE_COMMAND_GRAPH_NAMES_H
#define YORE_COMMAND_GRAPH_NAMES_H

#include "query/procedure.h"
#include "topology/graph.h"

/* The three procedures, in place of those that tell what is in use. */
extern const struct procedure_set graph_names_procedures;

/* The index of `name`, which the graph has. */
int64_t graph_names_index(struct graph *graph, enum graph_token_kind kind, struct yore_bytes name);

#endif
