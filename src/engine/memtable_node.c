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

uint32_t memtable_node_rank(const struct memtable_node *n, const struct memtable_target *target,
                            uint32_t first, uint32_t count)
{
    size_t skip = atomic_load_explicit(&n->skip, memory_order_acquire);
    uint64_t head = memtable_head(target->key, skip);
    uint32_t low = first;
    uint32_t size = count - first;
    while (size > 1) {
        uint32_t half = size / 2;
        low += memtable_node_head(n, low + half - 1) < head ? half : 0;
        size -= half;
    }
    if (size == 1 && memtable_node_head(n, low) < head) {
        low++;
    }
    if (low < count && memtable_node_head(n, low) == head) {
        return rank_of_equal_heads(n, target, low, count);
    }
    return low;
}
