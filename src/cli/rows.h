/* rows.h -- a command whose answer is the rows of a walk, or with --count how many they are. */
#ifndef YORE_CLI_ROWS_H
#define YORE_CLI_ROWS_H

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"

struct row_walk {
    const struct column *columns;
    size_t column_count; /* at most OUTPUT_COLUMNS_MAX */
    uint64_t limit;      /* of rows */
    /* Fill the next row's cells, which may point at what stays until the next call;
     * YORE_NOT_FOUND: no more. */
    enum yore_status (*next)(void *arg, struct cell *cells, struct yore_error *error_out);
    void *arg;
};

/* Print the rows, or their count, in `format`; returns the exit code. */
int rows_print(struct cli *cli, const struct args *args, enum output_format format,
               const struct row_walk *walk);

#endif
