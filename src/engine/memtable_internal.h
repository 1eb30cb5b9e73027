/* memtable_internal.h -- what memtable.c and memtable_iter.c share. */
#ifndef YORE_ENGINE_MEMTABLE_INTERNAL_H
#define YORE_ENGINE_MEMTABLE_INTERNAL_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/memtable.h"
#include "engine/memtable_room.h"
#include "engine/memtable_tree.h"

#define MEMTABLE_BUCKETS 256 /* a power of two; ids of keyspaces are small numbers in a row */

struct memtable {
    _Atomic uint32_t refs;
    /* Lists by keyspace; a tree is put in front with a release store and never leaves. */
    _Atomic(struct memtable_tree *) trees[MEMTABLE_BUCKETS];
    /* Writer only. */
    struct memtable_room room;
    uint64_t tree_count;
    /* Stored by the writer before the entry can be met, read by anybody. */
    _Atomic uint64_t user_bytes;
    _Atomic uint64_t count;
    _Atomic int64_t commit_min;
    _Atomic int64_t commit_max;
    _Atomic int64_t valid_min;
    _Atomic int64_t back_dated_valid_min;
};

/* NULL: no entries. */
static inline struct memtable_tree *memtable_find(const struct memtable *m, uint32_t keyspace)
{
    struct memtable_tree *t =
        atomic_load_explicit(&m->trees[keyspace % MEMTABLE_BUCKETS], memory_order_acquire);
    while (t != NULL && t->keyspace != keyspace) {
        t = t->next;
    }
    return t;
}

#endif
