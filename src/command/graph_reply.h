/* graph_reply.h -- values of the query language as replies of GRAPH.QUERY have them: for people, or
 * compact, as client libraries ask for with --compact (docs/protocol.md). */
#ifndef YORE_COMMAND_GRAPH_REPLY_H
#define YORE_COMMAND_GRAPH_REPLY_H

#include <yore/graph.h>

#include "command/reply.h"

struct graph;
struct query_summary;

/* Temporal values are text in both forms, as the language writes them: nothing of them is lost. */
void graph_reply_value(struct reply *reply, const struct yore_graph_value *value);
void graph_reply_compact(struct reply *reply, struct graph *graph,
                         const struct yore_graph_value *value);
/* [kind, text, JSON], as rows are shown to people and told to programs; kind 0 is null, 2 a number,
 * 1 all else. */
void graph_reply_cell(struct reply *reply, const struct yore_graph_value *value);
/* The lines of statistics: what was done, and how long it took. */
void graph_reply_statistics(struct reply *reply, const struct query_summary *summary,
                            int64_t took_ns);

#endif
