/* graph_name.h -- the graph that a command works on, and parameters of its query. */
#ifndef YORE_CLI_GRAPH_NAME_H
#define YORE_CLI_GRAPH_NAME_H

#include "cli/cli.h"

struct graph;

/* Open graph `name` as of `at`; `creates` makes one that is missing.  YORE_NOT_FOUND names it, and
 * how to see what there is. */
enum yore_status cli_graph(struct cli *cli, const char *name, bool creates,
                           const struct yore_time *at, struct graph **graph_out,
                           struct yore_error *error_out);

#endif
