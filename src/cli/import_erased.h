/* import_erased.h -- versions that were erased where they come from.
 *
 * Their values are gone, but that they were there is not: each is imported with a value that stands
 * for it, in its own transaction, and erased when all is written and its end is known.  Erasing at
 * once would also hide the versions that come later in the file and began before them.  Only where
 * another version is about to take its place, at the same moment, is it erased before that: an
 * erasure at the end would take both, or neither.
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
    struct buffer stand_in;
    struct buffer seen; /* a bit by hash of key and begin: what is not there was never added */
};
void import_erased_release(struct import_erased *erased);

/* The value that stands for those that are erased: no other is like it. */
struct yore_bytes import_erased_stand_in(struct import_erased *erased, struct store *store);

/* Remember the version of `key` at `from`, in the keyspace that `slot` stands for. */
enum yore_status import_erased_add(struct import_erased *erased, uint32_t slot,
                                   struct yore_bytes key, int64_t from,
                                   struct yore_error *error_out);

/* A version of `key` at `from` is about to be written: erase the one that it will take the place
 * of, if that was added and is committed. */
enum yore_status import_erased_make_way(const struct import_erased *erased,
                                        struct import_sink *sink, struct store_keyspace *keyspace,
                                        struct yore_bytes key, int64_t from,
                                        struct yore_error *error_out);

/* Erase them all; the transactions they belong to are committed.  `keyspace_of` resolves slots. */
enum yore_status import_erased_apply(struct import_erased *erased, struct import_sink *sink,
                                     struct store_keyspace *(*keyspace_of)(const void *arg,
                                                                           uint32_t slot),
                                     const void *arg, struct yore_error *error_out);

#endif
