/* graph_remote.h -- a graph behind a server, out of it and into it as lines of text
 * (GRAPH.EXPORT, GRAPH.IMPORT). */
#ifndef YORE_CLI_GRAPH_REMOTE_H
#define YORE_CLI_GRAPH_REMOTE_H

#include "base/buffer.h"
#include "cli/cli.h"
#include "query/graph_export.h"
#include "topology/event_import.h"

/* A graph that is missing is told as in a directory; any other status stays as it is. */
enum yore_status graph_remote_told(const struct cli *cli, const char *name, enum yore_status st,
                                   struct yore_error *error_out);

/* What graph_export() writes, from the server, into `sink`. */
enum yore_status graph_remote_export(struct cli *cli, const char *name,
                                     enum graph_export_format format, bool is_every,
                                     const struct yore_time *at, const struct graph_sink *sink,
                                     struct yore_error *error_out);

/* Lines of an event file, sent some whole transactions at a time: as an import of a graph in a
 * directory that resumes, but others may write between two calls.  What they have dated later than
 * the next events ends the import. */
struct graph_remote_import {
    struct cli *cli;
    const char *name;
    struct buffer lines;             /* to be sent */
    struct buffer transaction;       /* of the last of them */
    struct graph_import_tally tally; /* of what the server has taken */
};

/* Errors: of graph_import_line(), for this line or one before. */
enum yore_status graph_remote_import_line(struct graph_remote_import *import,
                                          struct yore_bytes line, struct yore_error *error_out);
/* Send what is left. */
enum yore_status graph_remote_import_finish(struct graph_remote_import *import,
                                            struct yore_error *error_out);
void graph_remote_import_release(struct graph_remote_import *import);

#endif
