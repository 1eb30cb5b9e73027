/* output.h -- where flushes, merges and seals put versions: a row of tables, cut by size between
 * keys.
 *
 * Erased values do not pass: a version that the erasures hide is written as its skeleton (kind
 * erased, no value).
 */
#ifndef YORE_ENGINE_OUTPUT_H
#define YORE_ENGINE_OUTPUT_H

#include "engine/db_internal.h"
#include "engine/sync_group.h"

struct output {
    struct yore_db *db;
    const struct yore_keyspace *keyspace;
    struct erase_set *erased; /* borrowed */
    enum page_class class_hint;
    uint64_t table_bytes;          /* cut from here on; UINT64_MAX: never */
    int64_t known;                 /* recorded in the files */
    struct sync_group *syncs;      /* of its tables; NULL: each is synced when it ends */
    struct table_builder *builder; /* NULL: none open */
    char path[PATH_BYTES];         /* of the open one */
    struct buffer last_key;
    struct forest_file **files; /* finished; a reference each */
    size_t file_count;
    uint64_t bytes; /* of finished files */
};

/* `view` names the erasures; it must outlive the output. */
void output_init(struct output *o, struct superview *view, const struct yore_keyspace *keyspace,
                 enum page_class class_hint, uint64_t table_bytes);
enum yore_status output_add(struct output *o, const struct version *version,
                            struct yore_error *error_out);
/* Finish the open table; the files are then in o->files. */
enum yore_status output_finish(struct output *o, struct yore_error *error_out);
/* Let go of everything; unless `is_kept` the files written are unlinked with their last reference.
 */
void output_release(struct output *o, bool is_kept);

/* What the keyspace asks for, or what suits tables of that class. */
enum yore_compression output_compression(const struct yore_keyspace *keyspace,
                                         enum page_class class_hint);
/* table_builder_open(), for which a table that is only read gives up its file handle if need be. */
enum yore_status output_builder_open(struct yore_db *db, const char *path,
                                     const struct table_options *options,
                                     struct table_builder **builder_out,
                                     struct yore_error *error_out);

/* Open a finished table as a file of the forest. */
enum yore_status forest_file_open(struct yore_db *db, const struct table_meta *meta,
                                  int64_t erase_seen, int64_t known, struct forest_file **file_out);

#endif
