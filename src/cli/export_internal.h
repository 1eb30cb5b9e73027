/* export_internal.h -- between the ways of exporting. */
#ifndef YORE_CLI_EXPORT_INTERNAL_H
#define YORE_CLI_EXPORT_INTERNAL_H

#include "base/buffer.h"
#include "cli/export.h"
#include "cli/record.h"

struct exporter {
    struct store *store;
    FILE *stream;
    const struct export_options *options;
    struct export_counts counts;
    int64_t now; /* of the whole export: what is committed later is in no line */
    struct buffer line;
    struct buffer keyspaces; /* struct yore_keyspace_info of those that are written */
    struct buffer left_out;  /* uint32_t, the ids of those that are a server's bookkeeping */
};

const struct yore_keyspace_info *export_info_at(const struct exporter *e, size_t index);
size_t export_info_count(const struct exporter *e);
/* How lines name the keyspace: NULL for "default". */
const char *export_name(const struct yore_keyspace_info *info);
enum record_kind export_kind(enum yore_kind kind);

/* Is the key among those that are exported? */
bool export_has(const struct exporter *e, struct yore_bytes key);

/* Write a whole line. */
enum yore_status export_line(struct exporter *e, struct yore_bytes line,
                             struct yore_error *error_out);

/* All versions that are kept, in commit order, where the feed no longer reaches back to the
 * beginning. */
enum yore_status export_kept(struct exporter *e, struct yore_error *error_out);

#endif
