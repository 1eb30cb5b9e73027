/* import_erased.h -- versions that were erased where they come from.
 *
 * Their values are gone, but that they were there is not: each is imported as an empty value in its
 * own transaction, and erased when all is written and its end is known.  Erasing at once would also
 * hide the versions that come later in the file and began before them.
 */
#ifndef YORE_CLI_IMPORT_ERASED_H
#define YORE_CLI_IMPORT_ERASED_H

#include "base/buffer.h"
#include "cli/commit_sort.h"
#include "cli/import_internal.h"

/* Zeroed is empty.  Bounded memory: more than 64 MiB go to a temporary file. */
struct import_erased {
    struct commit_sort *spool;
    int64_t count;
    struct buffer entry;
};
void import_erased_release(struct import_erased *erased);

/* Remember the version of `key` at `from`, in the keyspace that `slot` stands for. */
enum yore_status import_erased_add(struct import_erased *erased, uint32_t slot,
                                   struct yore_bytes key, int64_t from,
                                   struct yore_error *error_out);

/* Erase them all; the transactions they belong to are committed.  `keyspace_of` resolves slots. */
enum yore_status import_erased_apply(struct import_erased *erased, struct import_sink *sink,
                                     struct store_keyspace *(*keyspace_of)(const void *arg,
                                                                           uint32_t slot),
                                     const void *arg, struct yore_error *error_out);

#endif
