/* memtable.h -- the newest commits in memory, every version of them, sorted, per keyspace.
 *
 * A B+tree in an arena for each keyspace: one writer (the commit leader, in commit order), any
 * number of readers without locks (node version checks; splits leave links to the right).  Entries
 * are never changed or removed; what a reader may see is decided by the commit it reads at, never
 * by what happens to be in the tree.  The arena dies with the last reference.
 *
 * A transaction's own writes are laid over the database by one too, whose writer is its only reader
 * (txn.c); there, versions can be taken back.
 */
#ifndef YORE_ENGINE_MEMTABLE_H
#define YORE_ENGINE_MEMTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "table/version.h"
#include "table/version_iter.h"

struct memtable;

/* Empty, with one reference.  `full_bytes`: at which memtable_bounds().bytes it will be flushed.
 * Errors: YORE_NOMEM. */
enum yore_status memtable_new(uint64_t full_bytes, struct memtable **memtable_out);
void memtable_ref(struct memtable *m);
void memtable_unref(struct memtable *m); /* any thread; NULL is ignored */

/* Insert a copy.  Commits never decrease from call to call; of two with the same (key, valid_from,
 * commit) the later call wins. Writer only.  Errors: YORE_NOMEM, nothing inserted. */
enum yore_status memtable_add(struct memtable *m, uint32_t keyspace, const struct version *version);
/* The same, and what the version lies over: true where the memtable has one of the key that stands
 * behind it in order, and `*below_out`, which borrows from the memtable, is the first of these.
 * False as well where the version replaces one. */
enum yore_status memtable_add_over(struct memtable *m, uint32_t keyspace,
                                   const struct version *version, bool *has_below_out,
                                   struct version *below_out);

/* memtable_add() of up to MEMTABLE_MANY_MAX versions, one after the other.  In a large tree that is
 * faster than one at a time: what each will read comes from memory together.  After an error those
 * before the one that failed are inserted. */
#define MEMTABLE_MANY_MAX 16u
struct memtable_addition {
    uint32_t keyspace;
    struct version version;
};
enum yore_status memtable_add_many(struct memtable *m, const struct memtable_addition *additions,
                                   size_t count);

/* Of an overlay: the version is met no more, and its place may be added to again, so that commits
 * begin again there.  It leaves an entry that reads step over.  Errors: YORE_NOMEM, nothing done.
 */
enum yore_status memtable_take_back(struct memtable *m, uint32_t keyspace,
                                    const struct version *version);
/* Has it more references than the writer's? */
bool memtable_is_shared(const struct memtable *m);

/* Make room for `bytes` of keys and values and `count` entries of keyspaces of which there are
 * `keyspaces` at most, so that as many memtable_add() cannot fail.  Writer only. */
enum yore_status memtable_reserve(struct memtable *m, uint64_t bytes, uint64_t count,
                                  uint64_t keyspaces);

/* The greatest version with valid_from <= valid and commit <= known.  Borrows from the memtable.
 * False: none. */
bool memtable_get(const struct memtable *m, uint32_t keyspace, struct yore_bytes key, int64_t valid,
                  int64_t known, struct version *version_out);
/* Has `key` any version of a commit after `since`?  `low`..`high`: any key in [low, high), high
 * empty: to the end. */
bool memtable_has_newer(const struct memtable *m, uint32_t keyspace, struct yore_bytes key,
                        int64_t since);
bool memtable_has_newer_in(const struct memtable *m, uint32_t keyspace, struct yore_bytes low,
                           struct yore_bytes high, int64_t since);

/* Has the keyspace any version?  Any thread; false: none whose commit is visible. */
bool memtable_has(const struct memtable *m, uint32_t keyspace);
/* Versions of the keyspace, and the bytes of their keys and values.  Any thread; may lag an
 * insertion in progress. */
void memtable_usage(const struct memtable *m, uint32_t keyspace, uint64_t *count_out,
                    uint64_t *user_bytes_out);
/* Has the keyspace a version with valid_from < commit?  Any thread. */
bool memtable_has_back_dated(const struct memtable *m, uint32_t keyspace);

/* A walk over one keyspace; keeps a reference.  Sees entries inserted while it walks or not; the
 * caller's view decides by commit (view.known is honoured in both kinds of view). */
enum yore_status memtable_iter_new(struct memtable *m, uint32_t keyspace,
                                   const struct iter_view *view, struct version_iter **iter_out);
/* Versions that the view hides and the iterator has stepped over, one by one; for tests. */
uint64_t memtable_iter_hidden_steps(const struct version_iter *it);

/* Keyspaces with entries, ascending, at most `max`; returns how many there are. */
size_t memtable_keyspaces(const struct memtable *m, uint32_t *ids_out, size_t max);

struct memtable_bounds {
    uint64_t bytes;               /* arena bytes */
    uint64_t user_bytes;          /* keys and values */
    uint64_t count;               /* versions */
    int64_t commit_min;           /* INT64_MAX when empty */
    int64_t commit_max;           /* INT64_MIN when empty */
    int64_t valid_min;            /* INT64_MAX when empty */
    int64_t back_dated_valid_min; /* INT64_MAX: no back-dated versions */
};
/* Any thread; may lag an insertion in progress, never one whose commit is visible. */
void memtable_bounds(const struct memtable *m, struct memtable_bounds *bounds_out);

/* May there be a version, of whatever keyspace, with valid_from <= valid and commit <= known? False
 * is certain, as far as commits are visible. */
bool memtable_begins_by(const struct memtable *m, int64_t valid, int64_t known);

/* Sweep every invariant (order, links, counts); for tests. */
bool memtable_check(const struct memtable *m);

#endif
