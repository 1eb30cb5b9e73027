/* memtable_cursor.h -- a place in a memtable's tree, for readers; no lock, correct while the writer
 * inserts. */
#ifndef YORE_ENGINE_MEMTABLE_CURSOR_H
#define YORE_ENGINE_MEMTABLE_CURSOR_H

#include <stdint.h>

#include "engine/memtable_tree.h"

struct memtable_cursor {
    const struct memtable_tree *tree;
    const struct memtable_entry *entry; /* NULL: past an end */
    const struct memtable_node *leaf;   /* where it was found, when the leaf was at `version` */
    uint32_t version;
    uint32_t index;
};

/* Each sets `entry`.  seek: the first entry behind the gap; seek_back: the last one before it. */
void memtable_cursor_first(struct memtable_cursor *c);
void memtable_cursor_last(struct memtable_cursor *c);
void memtable_cursor_seek(struct memtable_cursor *c, const struct memtable_target *target);
void memtable_cursor_seek_back(struct memtable_cursor *c, const struct memtable_target *target);
/* As seek, but may also end on NULL where the key of the target has no entry behind the gap. */
void memtable_cursor_find(struct memtable_cursor *c, const struct memtable_target *target);
/* From an entry. */
void memtable_cursor_next(struct memtable_cursor *c);
void memtable_cursor_prev(struct memtable_cursor *c);
/* From a version of `key`, the greatest of those from there on with valid_from <= valid and commit
 * <= known. False: none; the cursor is at the first entry of a later key, or at the end. */
bool memtable_cursor_settle(struct memtable_cursor *c, struct yore_bytes key, int64_t valid,
                            int64_t known);

#endif
