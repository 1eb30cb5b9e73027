/* forest.h -- which files make up the database: an immutable, shared description, replaced as a
 * whole.
 *
 * A *tree* is one keyspace: the current tree (levels of tables that hold the newest version of each
 * key) and the history tree.  History is cut into *regions* by key; a region has *slices*, one
 * after the other in valid time, and *runs*. A run is a sorted table of superseded versions that no
 * slice holds yet, at any valid time; several regions may share one. A slice [t0, t1) is
 * self-contained: every version with valid_from in it, and per key the version in force at t0.
 *
 * Invariants (cited as F1..):
 *  F1  Levels >= 1 are sorted by key and do not overlap; level 0 is ordered by descending commit.
 *  F2  Regions cover the key space without gap or overlap; region[0].low is empty, the last high is
 * empty. F3  A region's slices are contiguous: slice[i].t1 == slice[i+1].t0; sealed_to is the last
 * t1 (YORE_TIME_MIN: none). F4  slice.known: every version of the region with commit <= known and
 * valid_from in [t0, t1) is in the slice, or was a late fact that is in a run or in the current
 * tree.  t1 <= known + 1, so a version that is not back-dated and has a later commit begins at or
 * after t1.  A later slice knows no less: they are sealed in order, and one that is written anew
 * keeps its `known`.  F5  A table is live while any level, run or slice names it; then its handle
 * is open.
 *
 * A forest is changed by building an edit, writing it to the manifest, and applying it, which
 * yields the next forest; readers keep the one they hold.  Reference counts are atomic; everything
 * else is immutable once published.
 */
#ifndef YORE_ENGINE_FOREST_H
#define YORE_ENGINE_FOREST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "engine/limits.h"
#include "table/table.h"

/* An owned key; empty means unbounded where a bound is meant. */
struct forest_key {
    unsigned char *data;
    size_t size;
};
static inline struct yore_bytes forest_key_bytes(const struct forest_key *key)
{
    return bytes_of(key->data, key->size);
}

/* One table on disk, shared by everything that names it. */
struct forest_file {
    _Atomic uint64_t refs;
    struct table *table;
    const struct table_meta *meta; /* the table's own */
    int64_t erase_seen; /* erasures with a commit <= this are already applied to its bytes */
    int64_t known;      /* runs: the flushed commit when it was written */
    uint64_t mark;      /* manifest lock: used to find what an edit let go */
};

struct forest_slice {
    int64_t t0;
    int64_t t1;
    int64_t known;
    struct forest_file **files; /* by key, not overlapping inside the region */
    size_t file_count;
};

struct forest_region {
    struct forest_key low;       /* inclusive */
    struct forest_key high;      /* exclusive; empty: to the end */
    struct forest_slice *slices; /* by time */
    size_t slice_count;
    struct forest_file **runs; /* newest last */
    size_t run_count;
};

struct forest_level {
    struct forest_file **files; /* level 0: newest first; others: by key */
    size_t file_count;
    uint64_t bytes;
};

struct forest_tree {
    _Atomic uint64_t refs;
    uint32_t keyspace;
    struct forest_level levels[LEVELS_MAX];
    struct forest_region *regions;
    size_t region_count;
    int64_t forgot; /* where only now is kept: the last commit of what left without a trace */
    /* Derived, so that reads decide fast: */
    uint64_t unresolved_count; /* over the levels */
};

struct value_file_info {
    uint64_t file;
    uint64_t generation; /* 0, then one more each time it was thinned */
    uint64_t bytes;      /* when it was closed; 0: still open when the manifest was written */
    uint64_t kept_bytes; /* what was wanted of it when it was last looked through; 0: never */
};

struct forest {
    _Atomic uint64_t refs;
    uint64_t serial; /* of this run: each forest has one more than the one before; from 1 */
    struct forest_tree **trees; /* by keyspace id */
    size_t tree_count;
    struct value_file_info *value_files; /* by file */
    size_t value_file_count;
    uint64_t next_file;
    uint64_t journal_first; /* recovery replays from this segment on */
    uint64_t journal_next;
    int64_t flushed_commit; /* every commit <= this is in tables */
    int64_t purged; /* no file has a value of before an erasure of whole keys up to this commit */
};

/* ---- the changes ---- */

enum edit_op_kind {
    EDIT_LEVEL_ADD = 1,  /* keyspace, level, new file */
    EDIT_LEVEL_DROP = 2, /* keyspace, level, file number */
    EDIT_LEVEL_MOVE = 3, /* keyspace, level (from), to_level, file number */
    EDIT_RUN_ADD = 4,  /* keyspace, new file: to every region it overlaps, or to [low, high) only */
    EDIT_RUN_DROP = 5, /* keyspace, file number, low: from the region that begins at low */
    EDIT_SLICE_PUT = 6,    /* keyspace, low, t0, t1, known, files: add, or replace the one at t0 */
    EDIT_SLICE_DROP = 7,   /* keyspace, low, t0: only ever the region's first */
    EDIT_REGION_SPLIT = 8, /* keyspace, key: the region that holds it splits there */
    EDIT_FILE_REPLACE =
        9,               /* keyspace, file number, new file (or none: it became empty) everywhere */
    EDIT_TREE_DROP = 10, /* keyspace */
    EDIT_VALUE_FILE_PUT = 11,
    EDIT_VALUE_FILE_DROP = 12,
    EDIT_NUMBERS = 13, /* next_file, journal_first, journal_next, flushed_commit: never backwards */
    EDIT_FORGET = 14,  /* keyspace, known: see forest_tree.forgot, never backwards */
    EDIT_PURGED = 15   /* known: see forest.purged, never backwards */
};

struct edit_op {
    enum edit_op_kind kind;
    uint32_t keyspace;
    uint32_t level;
    uint32_t to_level;
    uint64_t number;            /* of an existing file */
    struct forest_file *file;   /* new file; the edit holds a reference; NULL where none */
    struct forest_file **files; /* slices: references held; owned array */
    size_t file_count;
    int64_t t0, t1, known;
    struct buffer low, high; /* owned */
    struct value_file_info value_file;
    uint64_t next_file, journal_first, journal_next;
    int64_t flushed_commit;
};

struct edit {
    struct edit_op *ops;
    size_t count;
    size_t capacity;
    bool is_nomem; /* an append failed: commit refuses */
};

void edit_release(struct edit *edit);
/* Append a zeroed op; NULL when out of memory (and is_nomem is set). */
struct edit_op *edit_add(struct edit *edit, enum edit_op_kind kind, uint32_t keyspace);
void edit_add_level(struct edit *edit, uint32_t keyspace, uint32_t level, struct forest_file *file);
void edit_drop_level(struct edit *edit, uint32_t keyspace, uint32_t level, uint64_t number);
/* low/high empty with file: every region it overlaps. */
void edit_add_run(struct edit *edit, uint32_t keyspace, struct forest_file *file);
void edit_drop_run(struct edit *edit, uint32_t keyspace, struct yore_bytes region_low,
                   uint64_t number);
/* Takes references of its own. */
void edit_put_slice(struct edit *edit, uint32_t keyspace, struct yore_bytes region_low,
                    const struct forest_slice *slice);
/* What left the keyspace is not to be told from what never was, up to `commit`; INT64_MIN: nothing.
 */
void edit_forget(struct edit *edit, uint32_t keyspace, int64_t commit);
void edit_numbers(struct edit *edit, const struct forest *numbers);
/* Nothing for INT64_MIN. */
void edit_purged(struct edit *edit, int64_t commit);

/* Bytes: docs/format.md, "Manifest". */
void edit_encode(const struct edit *edit, struct buffer *out);
/* How decode and open turn a table's meta into a live file. */
struct forest_opener {
    enum yore_status (*open)(void *arg, const struct table_meta *meta, int64_t erase_seen,
                             int64_t known, struct forest_file **file_out,
                             struct yore_error *error_out);
    void *arg;
};
enum yore_status edit_decode(struct yore_bytes payload, const struct forest_opener *opener,
                             struct edit *edit_out, struct yore_error *error_out);

/* ---- life ---- */

enum yore_status forest_new(struct forest **forest_out);
struct forest *forest_ref(struct forest *forest);
void forest_unref(struct forest *forest); /* NULL is ignored */
/* The next forest; `forest` is unchanged.  Errors: YORE_NOMEM; YORE_CORRUPT when the edit does not
 * fit (names a file that is not there, would break F1..F3): nothing is made. */
enum yore_status forest_apply(const struct forest *forest, const struct edit *edit,
                              struct forest **next_out, struct yore_error *error_out);
/* One edit that makes `forest` from nothing, for a manifest rewrite or a backup. */
enum yore_status forest_snapshot(const struct forest *forest, struct edit *edit_out);
/* Check F1..F4 by metadata; for verify and tests. */
enum yore_status forest_check(const struct forest *forest, struct yore_error *error_out);

/* Wrap a table handle; takes it, also on failure (then it is closed). */
enum yore_status forest_file_new(struct table *table, int64_t erase_seen, int64_t known,
                                 struct forest_file **file_out);
struct forest_file *forest_file_ref(struct forest_file *file);
void forest_file_unref(struct forest_file *file);

const struct forest_tree *forest_tree(const struct forest *forest,
                                      uint32_t keyspace); /* NULL: no tables */
/* The region that holds `key` (empty: the first); NULL when the tree has none. */
const struct forest_region *tree_region(const struct forest_tree *tree, struct yore_bytes key);
/* Index of the table of a level >= 1 that may hold `key`: the first whose last key is >= key;
 * file_count: none. */
size_t level_find(const struct forest_level *level, struct yore_bytes key);
/* How many tables of level 0 a key may have to be looked for in: those of one load do not overlap
 * and count once. */
size_t level0_depth(const struct forest_level *level);
/* Is it one of several tables of a load? */
bool level0_is_of_load(const struct forest_level *level, size_t i);
/* Table covers a part of [low, high)?  Empty bounds are open. */
bool file_overlaps(const struct forest_file *file, struct yore_bytes low, struct yore_bytes high);
/* sealed_to of F3. */
int64_t region_sealed_to(const struct forest_region *region);
/* Index of the slice that holds valid time `t`: the last with t0 <= t; slice_count: none (before
 * the first). */
size_t region_slice_at(const struct forest_region *region, int64_t t);
/* The file of a slice that may hold `key`; NULL: none. */
struct forest_file *slice_file(const struct forest_slice *slice, struct yore_bytes key);
/* Greatest commit over carried copies / over all versions of a slice's files. */
int64_t slice_carried_commit_max(const struct forest_slice *slice);
int64_t slice_commit_max(const struct forest_slice *slice);
/* Is a version with these times already in the region's slices (F4)? */
bool region_holds(const struct forest_region *region, int64_t valid_from, int64_t commit);
/* Visit every distinct file of a tree. */
void tree_each_file(const struct forest_tree *tree,
                    void (*each)(void *arg, struct forest_file *file), void *arg);
/* The same of runs and slices alone. */
void tree_each_history_file(const struct forest_tree *tree,
                            void (*each)(void *arg, struct forest_file *file), void *arg);

#endif
