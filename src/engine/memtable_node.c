#include "engine/memtable_node.h"

static bool is_before(const struct memtable_node *n, uint32_t i,
                      const struct memtable_target *target, size_t skip)
{
    int order = memtable_place_compare(memtable_node_low(n, i), target, skip);
    return order < 0 || (order == 0 && target->is_after);
}

/* Among slots from `low` on, whose first has the target's head. */
static uint32_t rank_of_equal_heads(const struct memtable_node *n,
                                    const struct memtable_target *target, uint32_t low,
                                    uint32_t count)
{
    size_t skip = atomic_load_explicit(&n->skip, memory_order_acquire);
    uint64_t head = memtable_node_head(n, low);
    if (!is_before(n, low, target, skip)) {
        return low;
    }
    low++;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        if (memtable_node_head(n, middle) == head && is_before(n, middle, target, skip)) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

/* How many of 8 heads are less, from `first` on, `step` apart: written out, as compilers leave
 * loops over atomic loads as they are. */
static inline uint32_t count_of_8(const struct memtable_node *n, uint32_t first, uint32_t step,
                                  uint64_t head)
{
    return (uint32_t)(memtable_node_head(n, first) < head) +
           (uint32_t)(memtable_node_head(n, first + step) < head) +
           (uint32_t)(memtable_node_head(n, first + 2 * step) < head) +
           (uint32_t)(memtable_node_head(n, first + 3 * step) < head) +
           (uint32_t)(memtable_node_head(n, first + 4 * step) < head) +
           (uint32_t)(memtable_node_head(n, first + 5 * step) < head) +
           (uint32_t)(memtable_node_head(n, first + 6 * step) < head) +
           (uint32_t)(memtable_node_head(n, first + 7 * step) < head);
}

/* Heads that are less: first by whole blocks, then within one.  Every load is independent of the
 * others, which beats the chain of a binary search. */
static uint32_t count_less(const struct memtable_node *n, uint64_t head)
{
    static_assert(MEMTABLE_HEAD_BLOCK == 8 && MEMTABLE_NODE_HEADS == 64 &&
                      MEMTABLE_NODE_SLOTS < MEMTABLE_NODE_HEADS,
                  "8 blocks of 8, the last head of no slot");
    uint32_t blocks = count_of_8(n, MEMTABLE_HEAD_BLOCK - 1, MEMTABLE_HEAD_BLOCK, head);
    uint32_t low =
        blocks * MEMTABLE_HEAD_BLOCK; /* not past the end: the last head is the greatest */
    return low + count_of_8(n, low, 1, head);
}

uint32_t memtable_node_rank(const struct memtable_node *n, const struct memtable_target *target,
                            uint32_t first, uint32_t count)
{
    size_t skip = atomic_load_explicit(&n->skip, memory_order_acquire);
    uint64_t head = memtable_head(target->key, skip);
    uint32_t low = count_less(n, head);
    low = low < first ? first : low;
    /* More than `count` only while the node changes, or is appended to. */
    if (low < count && memtable_node_head(n, low) == head) {
        return rank_of_equal_heads(n, target, low, count);
    }
    return low < count ? low : count;
}

void memtable_node_prefetch_entry(const struct memtable_node *leaf, struct yore_bytes key)
{
    uint64_t head = memtable_head(key, atomic_load_explicit(&leaf->skip, memory_order_acquire));
    uint32_t i = count_less(leaf, head);
    if (i < memtable_node_count(leaf) && memtable_node_head(leaf, i) == head) {
        __builtin_prefetch(memtable_node_entry(leaf, i));
    }
}
