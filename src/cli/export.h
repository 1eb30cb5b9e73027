/* export.h -- a database, or one moment of it, as NDJSON lines (record.h). */
#ifndef YORE_CLI_EXPORT_H
#define YORE_CLI_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/status.h"

struct store;
struct store_keyspace;

struct export_options {
    const struct yore_time
        *at; /* NULL: all history, in commit order; else the state at that moment */
    struct store_keyspace *keyspace; /* with is_one_keyspace: NULL is "default" */
    bool is_one_keyspace;            /* false: every keyspace there is */
    struct yore_range range;         /* only these keys */
    /* Called now and then; a non-zero return ends the export with YORE_CANCELLED.  May be NULL. */
    int (*tick)(void *arg, uint64_t rows, uint64_t bytes);
    void *tick_arg;
};

struct export_counts {
    uint64_t rows;
    uint64_t bytes;
    uint64_t trimmed_keyspaces; /* whose beginning retention has taken: what is kept is written */
    uint64_t dropped_rows;      /* writes into keyspaces that no longer exist, left out */
    uint64_t server_keyspaces;  /* of a server's graphs and series: no server imports them */
};

/* Write to `stream` (not closed).  `*counts_out` is set in any case.
 * Lines are those of one commit, the last at the call, also while others write; a keyspace that
 * keeps only now is as the walk through it finds it.
 * Of a server's own bookkeeping, where all keyspaces are asked for, only swapped databases are
 * written.
 * Errors: YORE_IO when `stream` fails; YORE_BEFORE_HORIZON for an `at` that is no longer kept. */
enum yore_status export_run(struct store *store, FILE *stream, const struct export_options *options,
                            struct export_counts *counts_out, struct yore_error *error_out);

#endif
