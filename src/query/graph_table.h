/* graph_table.h -- a graph as CSV or GraphML, in the forms that word_reader.h reads: one moment, or
 * as CSV every version with when it held.
 *
 * Both declare their properties first, by name and type, so the graph is walked twice.
 */
#ifndef YORE_QUERY_GRAPH_TABLE_H
#define YORE_QUERY_GRAPH_TABLE_H

#include "query/graph_walk.h"

enum graph_table_format { TABLE_CSV_NODES = 1, TABLE_CSV_RELATIONSHIPS = 2, TABLE_GRAPHML = 3 };

/* Write to the walk's sink; with `is_every`, of CSV only, all of history that is kept.  Errors:
 * YORE_INVALID (GraphML: an id or name with a character that XML has no form for), YORE_IO (the
 * output), those of the walk. */
enum yore_status graph_table_write(struct graph_walk *walk, enum graph_table_format format,
                                   bool is_every, struct yore_error *error_out);

#endif
