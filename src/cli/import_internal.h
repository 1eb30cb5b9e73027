/* import_internal.h -- between the readers of formats and the sink. */
#ifndef YORE_CLI_IMPORT_INTERNAL_H
#define YORE_CLI_IMPORT_INTERNAL_H

#include "cli/import.h"

struct import_sink {
    struct store *store;
    struct line_source *source;
    const struct import_options *options;
    struct store_batch *batch;
    uint64_t last_line;          /* of the last write; a format may have read further */
    struct import_counts counts; /* committed ones, and lines */
};

/* One write into the transaction in hand.  `keyspace` is where the file says; options may override
 * it. */
struct import_write {
    struct store_keyspace *keyspace;
    struct yore_bytes key;
    struct yore_bytes value;
    int64_t from; /* YORE_NOW: the commit */
    int64_t to;   /* YORE_FOREVER, or the end of a time to live */
    bool is_delete;
};
enum yore_status import_sink_write(struct import_sink *sink, const struct import_write *write,
                                   struct yore_error *error_out);
/* Commit the transaction in hand, if it holds anything. */
enum yore_status import_sink_commit(struct import_sink *sink, struct yore_error *error_out);
size_t import_sink_pending(const struct import_sink *sink);

/* The error of a line: "FILE: line N: text". */
__attribute__((format(printf, 3, 4))) enum yore_status import_refuse(const struct import_sink *sink,
                                                                     struct yore_error *error_out,
                                                                     const char *format, ...);
/* The same in front of what a parser or the database said. */
enum yore_status import_blame(const struct import_sink *sink, const struct yore_error *cause,
                              struct yore_error *error_out);

enum yore_status import_events(struct import_sink *sink, struct yore_error *error_out);
enum yore_status import_ndjson(struct import_sink *sink, struct yore_error *error_out);
/* csv or tsv rows of (time, key, value). */
enum yore_status import_rows(struct import_sink *sink, bool is_csv, struct yore_error *error_out);

#endif
