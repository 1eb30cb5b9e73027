/* memtable_tree.h -- the versions of one keyspace, sorted: a B+tree for one writer and any number
 * of readers. */
#ifndef YORE_ENGINE_MEMTABLE_TREE_H
#define YORE_ENGINE_MEMTABLE_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/memtable_node.h"
#include "engine/memtable_room.h"

#define MEMTABLE_TREE_HASHES 16

struct memtable_tree {
    struct memtable_tree *next; /* in the memtable's table; set before it is published */
    uint32_t keyspace;
    /* Every key begins as the first one ever inserted does, for at least `prefix_size` octets. */
    const struct memtable_entry *prefix_of;
    _Atomic size_t prefix_size; /* only shrinks */
    _Atomic(struct memtable_node *) root;
    /* Written before the entry can be met. */
    _Atomic uint64_t count;
    _Atomic uint64_t user_bytes;
    _Atomic int64_t commit_max;
    _Atomic int64_t back_dated_commit_max;               /* INT64_MIN: no back-dated versions */
    _Atomic int64_t back_dated_of[MEMTABLE_TREE_HASHES]; /* the same of keys by their hash */
    /* Writer only. */
    struct memtable_node *tail;        /* rightmost leaf */
    const struct memtable_entry *last; /* greatest place */
};

/* A tree with one entry; takes one reserved node.  NULL: out of memory. */
struct memtable_tree *memtable_tree_new(struct memtable_room *room, uint32_t keyspace,
                                        struct memtable_entry *first);

/* Nodes that must be reserved for the next insertion. */
uint64_t memtable_tree_nodes_for_one(const struct memtable_tree *t);
/* Nodes that `count` insertions take at most, into the `trees` that `room` has so far and up to
 * `new_trees` more. */
uint64_t memtable_tree_nodes_for(const struct memtable_room *room, uint64_t trees,
                                 uint64_t new_trees, uint64_t count);

/* Cannot fail.  The entry replaced, of the same place, or NULL; then `*behind_out` is the entry
 * that follows, or NULL where that cannot be of the same key. */
const struct memtable_entry *memtable_tree_insert(struct memtable_tree *t,
                                                  struct memtable_room *room,
                                                  struct memtable_entry *e,
                                                  const struct memtable_entry **behind_out);

/* Ask for the leaf that an insertion of `key` will meet, without waiting for it.  NULL: it is at
 * hand.  Writer only. */
const struct memtable_node *memtable_tree_prefetch_leaf(const struct memtable_tree *t,
                                                        struct yore_bytes key);

/* Sweep every invariant while nobody writes; adds up the entries, and the nodes by level. */
bool memtable_tree_check(const struct memtable_tree *t, uint64_t *count_inout,
                         uint64_t level_nodes_inout[MEMTABLE_HEIGHT_MAX]);

#endif
