/* memtable_node.h -- entries and nodes of a memtable's trees, and how both are compared.
 *
 * A node holds, for each slot, the *head* of its key: the 8 octets after the node's first `skip`,
 * as a big-endian number, padded with zeros.  Every key that can be looked for in the node shares
 * those first `skip` octets, so that heads decide nearly every comparison and entries are touched
 * only where heads are equal.
 *
 * One thread writes.  Readers check `version` (even, and the same before and after) instead of
 * taking a lock.  What they read meanwhile may be torn, but is never wild: every slot below any
 * `count` ever stored holds a live pointer. Loads of node fields are acquire and stores are
 * release, so that a reader that met one store of a change also finds `version` changed: no fences,
 * which the thread sanitizer could not follow.
 */
#ifndef YORE_ENGINE_MEMTABLE_NODE_H
#define YORE_ENGINE_MEMTABLE_NODE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "table/version.h"

/* With 64 heads and the other fields this makes 1 KiB, 16 cache lines. */
#define MEMTABLE_NODE_SLOTS 60
/* Heads beyond the count are UINT64_MAX, up to a whole number of blocks: a search needs no bounds.
 */
#define MEMTABLE_NODE_HEADS 64
#define MEMTABLE_HEAD_BLOCK 8

/* The kind of an entry that is none any more (memtable_take_back). */
#define MEMTABLE_TAKEN_BACK 0u

/* Immutable once it is in a slot.  `octets`: key, value, then valid_to (8 octets) if it has one. */
struct memtable_entry {
    int64_t valid_from;
    int64_t commit;
    uint32_t key_size : 24;
    uint32_t kind : 2;
    uint32_t flags : 5;
    uint32_t has_valid_to : 1;
    uint32_t value_size;
    unsigned char octets[];
};
static_assert(sizeof(struct memtable_entry) == 24, "nothing is lost between the fields");

struct memtable_node {
    _Atomic uint32_t version; /* odd while the writer changes the node */
    _Atomic uint32_t count;
    _Atomic uint32_t skip;
    uint32_t level;                        /* 0: leaf; never changes */
    const struct memtable_entry *low;      /* first place of the node, for ever; NULL: leftmost */
    _Atomic(struct memtable_node *) right; /* next of the level; NULL: rightmost */
    _Atomic uint64_t heads[MEMTABLE_NODE_HEADS];
    _Atomic(void *) slots[MEMTABLE_NODE_SLOTS]; /* entries on level 0, child nodes above */
};
static_assert(sizeof(struct memtable_node) == 1024, "a whole number of cache lines");

/* Where to look: the gap just before a place, or just after it. */
struct memtable_target {
    struct yore_bytes key;
    int64_t valid_from;
    int64_t commit;
    bool is_after;
};

static inline struct yore_bytes memtable_entry_key(const struct memtable_entry *e)
{
    return bytes_of(e->octets, e->key_size);
}

/* The entry as a version that borrows from it. */
static inline void memtable_entry_load(const struct memtable_entry *e, struct version *version_out)
{
    const unsigned char *value = e->octets + e->key_size;
    *version_out = (struct version){.key = bytes_of(e->octets, e->key_size),
                                    .valid_from = e->valid_from,
                                    .commit = e->commit,
                                    .valid_to = YORE_FOREVER,
                                    .kind = (enum yore_kind)e->kind,
                                    .flags = e->flags,
                                    .value = bytes_of(value, e->value_size)};
    if (e->has_valid_to) {
        memcpy(&version_out->valid_to, value + e->value_size, sizeof(version_out->valid_to));
    }
}

static inline uint32_t memtable_node_count(const struct memtable_node *n)
{
    return atomic_load_explicit(&n->count, memory_order_acquire);
}

static inline uint64_t memtable_node_head(const struct memtable_node *n, uint32_t i)
{
    return atomic_load_explicit(&n->heads[i], memory_order_acquire);
}

static inline struct memtable_entry *memtable_node_entry(const struct memtable_node *n, uint32_t i)
{
    return atomic_load_explicit(&n->slots[i], memory_order_acquire);
}

static inline struct memtable_node *memtable_node_child(const struct memtable_node *n, uint32_t i)
{
    return atomic_load_explicit(&n->slots[i], memory_order_acquire);
}

static inline struct memtable_node *memtable_node_right(const struct memtable_node *n)
{
    return atomic_load_explicit(&n->right, memory_order_acquire);
}

/* The first place of slot `i`; NULL only for the leftmost child of a level. */
static inline const struct memtable_entry *memtable_node_low(const struct memtable_node *n,
                                                             uint32_t i)
{
    return n->level == 0 ? memtable_node_entry(n, i) : memtable_node_child(n, i)->low;
}

static inline uint64_t memtable_head(struct yore_bytes key, size_t skip)
{
    const unsigned char *at = key.data;
    if (key.size >= skip + 8) {
        return bytes_word(at + skip);
    }
    if (key.size <= skip) {
        return 0;
    }
    size_t padding = 8 - (key.size - skip); /* 1..7 octets */
    uint64_t head = 0;
    if (key.size >= 8) {
        head = bytes_word(at + key.size - 8);
    } else {
        for (size_t i = skip; i < key.size; i++) {
            head = head << 8 | at[i];
        }
    }
    return head << (8 * padding);
}

/* How many octets the two keys begin with alike. */
static inline size_t memtable_common_size(struct yore_bytes a, struct yore_bytes b)
{
    const unsigned char *x = a.data;
    const unsigned char *y = b.data;
    size_t least = a.size < b.size ? a.size : b.size;
    size_t i = 0;
    while (i + 8 <= least && memcmp(x + i, y + i, 8) == 0) {
        i += 8;
    }
    while (i < least && x[i] == y[i]) {
        i++;
    }
    return i;
}

/* Compare places; the keys are known to share their first `skip` octets, unless the read is torn.
 */
static inline int memtable_place_compare(const struct memtable_entry *e,
                                         const struct memtable_target *target, size_t skip)
{
    size_t from = skip <= e->key_size && skip <= target->key.size ? skip : 0;
    int order = bytes_compare(bytes_of(e->octets + from, e->key_size - from),
                              bytes_behind(target->key, from));
    return order != 0
               ? order
               : version_time_compare(e->valid_from, e->commit, target->valid_from, target->commit);
}

static inline struct memtable_target memtable_target_of(const struct memtable_entry *e,
                                                        bool is_after)
{
    return (struct memtable_target){memtable_entry_key(e), e->valid_from, e->commit, is_after};
}

/* How many of the slots below `count` lie before the gap, where the slots below `first` always do.
 */
uint32_t memtable_node_rank(const struct memtable_node *n, const struct memtable_target *target,
                            uint32_t first, uint32_t count);

/* Ask for the entry of the leaf whose key has the head of `key`, if there is one. */
void memtable_node_prefetch_entry(const struct memtable_node *leaf, struct yore_bytes key);

static inline void memtable_prefetch_4(const char *line)
{
    __builtin_prefetch(line);
    __builtin_prefetch(line + 64);
    __builtin_prefetch(line + 128);
    __builtin_prefetch(line + 192);
}

/* Ask for all lines of a node at once, instead of one after the other as a search comes to them.
 * Written out: a loop costs four times as many instructions. */
static inline void memtable_node_prefetch(const struct memtable_node *n)
{
    static_assert(sizeof(struct memtable_node) == 4 * 256, "four times four lines");
    const char *line = (const char *)n;
    memtable_prefetch_4(line);
    memtable_prefetch_4(line + 256);
    memtable_prefetch_4(line + 512);
    memtable_prefetch_4(line + 768);
}

#endif
