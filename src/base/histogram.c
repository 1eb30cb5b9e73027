/* Sixteen linear buckets per power of two: a bucket is at most 1/16 of its lower bound wide, and
 * values below 32 have buckets of their own. */
#include "base/histogram.h"

#include <assert.h>

#define SUB_BITS 4
#define SUB_BUCKETS (1u << SUB_BITS)
static_assert(HISTOGRAM_BUCKETS == (64 - SUB_BITS + 1) * SUB_BUCKETS, "all of 64 bits");

static unsigned bucket_of(uint64_t value)
{
    if (value < SUB_BUCKETS) {
        return (unsigned)value;
    }
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - SUB_BITS;
    return shift * SUB_BUCKETS + (unsigned)(value >> shift);
}

/* The greatest value of a bucket; the last one's sum wraps to UINT64_MAX as it should. */
static uint64_t bucket_last(unsigned bucket)
{
    if (bucket < 2 * SUB_BUCKETS) {
        return bucket;
    }
    unsigned shift = bucket / SUB_BUCKETS - 1;
    uint64_t sub = bucket % SUB_BUCKETS + SUB_BUCKETS;
    return ((sub + 1) << shift) - 1;
}

static void raise_max(struct histogram *h, uint64_t value)
{
    uint64_t seen = atomic_load_explicit(&h->max, memory_order_relaxed);
    while (seen < value && !atomic_compare_exchange_weak_explicit(
                               &h->max, &seen, value, memory_order_relaxed, memory_order_relaxed)) {
    }
}

void histogram_add(struct histogram *h, uint64_t value)
{
    atomic_fetch_add_explicit(&h->buckets[bucket_of(value)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum, value, memory_order_relaxed);
    raise_max(h, value);
}

uint64_t histogram_quantile(const struct histogram *h, double fraction)
{
    /* The buckets' own sum, not `count`, which a concurrent add may have left ahead or behind. */
    uint64_t total = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        total += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
    }
    if (total == 0) {
        return 0;
    }
    uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);
    double wanted = fraction * (double)total;
    uint64_t below = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
        if (below > 0 && (double)below >= wanted) {
            uint64_t last = bucket_last(i);
            return last < max ? last : max;
        }
    }
    return max;
}
