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

/* Heads that are less: first by whole blocks, then within one.  Every load is independent of the
 * others, which beats the chain of a binary search. */
static uint32_t count_less(const struct memtable_node *n, uint64_t head)
{
    uint32_t blocks = 0;
    for (uint32_t i = MEMTABLE_HEAD_BLOCK - 1; i < MEMTABLE_NODE_HEADS - 1;
         i += MEMTABLE_HEAD_BLOCK) {
        blocks += memtable_node_head(n, i) < head;
    }
    uint32_t low = blocks * MEMTABLE_HEAD_BLOCK;
    uint32_t less = 0;
    for (uint32_t i = 0; i < MEMTABLE_HEAD_BLOCK; i++) {
        less += memtable_node_head(n, low + i) < head;
    }
    return low + less;
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
