/* event_import.h -- bulk import of event files: one commit for each transaction of the source,
 * dated as the source dates it, whole or absent.
 *
 * An import goes on where a graph ends in valid time: its events are later than all that the graph
 * holds.  Meanwhile it has the graph for itself: other transactions that write get YORE_BUSY, and
 * reads go on.  One thread.
 */
#ifndef YORE_TOPOLOGY_EVENT_IMPORT_H
#define YORE_TOPOLOGY_EVENT_IMPORT_H

#include "topology/graph.h"

struct graph_import_options {
    enum yore_durability durability; /* of each commit */
    bool resumes; /* pass over the transactions up to the graph's latest change: those of an import
                     that was cut off; otherwise they are refused */
    uint64_t lines_before; /* of the file, imported by earlier calls: errors count them */
};
struct graph_import_tally {
    uint64_t lines;
    uint64_t transactions; /* committed */
    uint64_t passed_over;  /* lines that were there already */
};
struct graph_import;

/* Errors: YORE_BUSY (somebody writes), YORE_UNSUPPORTED (the graph has constraints: drop them and
 * make them again afterwards, when they are checked over all of history). */
enum yore_status graph_import_open(struct graph *graph, const struct graph_import_options *options,
                                   struct graph_import **import_out, struct yore_error *error_out);
/* One line, without its end.  A line of another transaction commits the one before.  After an error
 * the import can only be aborted; what was committed stays.
 * Errors: YORE_INVALID (the text names the line and what is wrong), YORE_EXISTS (an id is added
 * that is there), YORE_NOT_FOUND (one is changed or removed, or named as an end, that is not). */
enum yore_status graph_import_line(struct graph_import *import, struct yore_bytes line,
                                   struct yore_error *error_out);
/* Commit the last transaction and free the import, whatever the outcome.  `tally_out` may be NULL.
 */
enum yore_status graph_import_finish(struct graph_import *import,
                                     struct graph_import_tally *tally_out,
                                     struct yore_error *error_out);
/* Free the import; the transaction that is not complete was not written. */
void graph_import_abort(struct graph_import *import);
struct graph_import_tally graph_import_tally(const struct graph_import *import);

#endif
