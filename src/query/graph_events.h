/* graph_events.h -- a graph as an event file, as yore graph import reads it: docs/import-export.md,
 * "Events of a graph". */
#ifndef YORE_QUERY_GRAPH_EVENTS_H
#define YORE_QUERY_GRAPH_EVENTS_H

#include "query/graph_walk.h"

/* Write the state of the walk's view as one transaction; with `is_every` all of history that is
 * kept, a transaction for each moment at which anything changed.  A node whose labels change is
 * removed and added again there, with its relationships.  Errors: YORE_INVALID (a value, a name or
 * an id that the format has no form for: the text says of which element and when), YORE_TOO_BIG
 * (more than YORE_CHANGES_SORT_BYTES_MAX changed at one moment), those of the sink,
 * YORE_CANCELLED, those of reads. */
enum yore_status graph_events_write(struct graph_walk *walk, bool is_every,
                                    struct yore_error *error_out);

#endif
