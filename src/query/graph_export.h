/* graph_export.h -- one moment of a graph, or all of its history, in one of several forms
 * (docs/import-export.md): what `yore graph export` and GRAPH.EXPORT write. */
#ifndef YORE_QUERY_GRAPH_EXPORT_H
#define YORE_QUERY_GRAPH_EXPORT_H

#include "query/graph_walk.h"

enum graph_export_format {
    GRAPH_EXPORT_NDJSON,
    GRAPH_EXPORT_NODES_CSV,
    GRAPH_EXPORT_RELATIONSHIPS_CSV,
    GRAPH_EXPORT_GRAPHML,
    GRAPH_EXPORT_DOT,
    GRAPH_EXPORT_EVENTS,
};

/* Their names, in that order; NULL ends them. */
extern const char *const graph_export_formats[];

/* Does the form have each element once, and so one moment only? */
bool graph_export_is_of_one_moment(enum graph_export_format format);

/* Write the view's moment, or with `is_every` all of history that is kept, as the view knows it.
 * Errors: YORE_INVALID (something that the form has no way to say; the text says what, and which
 * does), YORE_CORRUPT, those of the sink and of reads. */
enum yore_status graph_export(struct graph_view *view, enum graph_export_format format,
                              bool is_every, const struct graph_sink *sink,
                              struct yore_error *error_out);

#endif
