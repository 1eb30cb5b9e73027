/* load_tables.h -- the tables of a bulk load, built beside the thread that hands over its rows.
 *
 * Rows are gathered in blocks; two threads of the load's own take these and build one table each at
 * a time, so that compressing, writing and syncing go on while more rows come.  A load smaller than
 * a block, and a database without threads, work in the calling thread.  All calls come from one
 * thread.
 */
#ifndef YORE_ENGINE_LOAD_TABLES_H
#define YORE_ENGINE_LOAD_TABLES_H

#include "engine/db_internal.h"

struct load_tables;

enum yore_status load_tables_new(struct yore_db *db, const struct yore_keyspace *keyspace,
                                 struct load_tables **tables_out);
/* Add a row, key and value copied; its key is greater than every one before.  A failure may be that
 * of an earlier row, and is final. */
enum yore_status load_tables_add(struct load_tables *tables, const struct version *row,
                                 struct yore_error *error_out);
/* Write and sync what is left: all tables are finished. */
enum yore_status load_tables_finish(struct load_tables *tables, struct yore_error *error_out);
/* The finished tables, in no order; owned by `tables`. */
struct table_meta *load_tables_metas(struct load_tables *tables, size_t *count_out);
uint64_t load_tables_bytes(const struct load_tables *tables); /* their files */
/* Free; unless `is_kept` the files are unlinked.  NULL is ignored. */
void load_tables_free(struct load_tables *tables, bool is_kept);

#endif
