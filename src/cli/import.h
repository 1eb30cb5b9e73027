/* import.h -- facts from a file into a database, transaction by transaction.
 *
 * A reader of one format (import_events.c, import_ndjson.c, import_rows.c) turns lines into calls
 * of the sink; the sink gathers a transaction in a batch and commits it whole.  A reader that meets
 * a line it cannot take returns an error that names the line, and nothing of the transaction it was
 * in is written.
 */
#ifndef YORE_CLI_IMPORT_H
#define YORE_CLI_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "cli/line_source.h"

enum import_format { IMPORT_EVENTS, IMPORT_NDJSON, IMPORT_CSV, IMPORT_TSV };

struct store;
struct store_keyspace;

struct import_options {
    struct store_keyspace *keyspace; /* NULL: "default" */
    bool is_keyspace_forced;         /* all goes to `keyspace`, whatever the lines say */
    bool dates_by_commit; /* facts hold from their commit; times in the file are ignored */
    enum yore_durability durability;
    uint64_t batch_rows; /* rows per transaction where the file names none: >= 1 */
    /* Called after every commit; a non-zero return ends the import with YORE_CANCELLED.  May be
     * NULL. */
    int (*tick)(void *arg, uint64_t writes, uint64_t bytes_read);
    void *tick_arg;
};

struct import_counts {
    uint64_t lines;
    uint64_t writes;
    uint64_t transactions;
    uint64_t server_lines; /* of another server's bookkeeping, left out by a server */
};

/* What the next lines look like.  Errors: YORE_INVALID when they look like nothing known. */
enum yore_status import_detect(struct line_source *source, enum import_format *format_out,
                               struct yore_error *error_out);

/* Everything of `source` into `store`.  `*counts_out` is set in any case: what was committed.
 * YORE_UNSUPPORTED: all is written but the versions of graphs and series, which a server writes
 * itself. */
enum yore_status import_run(struct store *store, struct line_source *source,
                            enum import_format format, const struct import_options *options,
                            struct import_counts *counts_out, struct yore_error *error_out);

#endif
