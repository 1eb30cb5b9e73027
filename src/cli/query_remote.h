/* query_remote.h -- a statement carried out by a server, its rows printed here. */
#ifndef YORE_CLI_QUERY_REMOTE_H
#define YORE_CLI_QUERY_REMOTE_H

#include "cli/cli.h"
#include "cli/output.h"
#include "query/query.h"

struct query_remote {
    const char *graph;
    struct yore_bytes text;
    bool writes;
    struct yore_time at;
    uint64_t limit; /* 0: none */
    enum output_format format;
};

/* Parameters come from --param.  Errors: of the server; YORE_NOT_FOUND: there is no such graph;
 * YORE_IO without a text: standard output. */
enum yore_status query_remote_run(struct cli *cli, const struct args *args,
                                  const struct query_remote *query,
                                  struct query_summary *summary_out, struct yore_error *error_out);

/* Is --param's VALUE a literal of the language, or a string as it stands? */
bool query_is_literal(const char *text);

#endif
