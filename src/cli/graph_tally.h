/* graph_tally.h -- what the commands about sources share. */
#ifndef YORE_CLI_GRAPH_TALLY_H
#define YORE_CLI_GRAPH_TALLY_H

#include <yore/graph.h>

#include "cli/options.h"
#include "cli/output.h"

/* --source, which must be there. */
enum yore_status graph_source_name(const struct args *args, struct yore_bytes *name_out,
                                   struct yore_error *error_out);
/* One row with what was done; the exit code. */
int graph_tally_print(struct cli *cli, enum output_format format,
                      const struct yore_graph_ingest_tally *tally);

#endif
