/* page_cache_internal.h -- frames, and how a table's index reaches them without a look-up.
 *
 * A frame is type-stable: it stays a frame until the cache is freed, whatever page it holds.  So an
 * index slot may point at a frame that has meanwhile been given to another page; a reader pins
 * first and then asks whose it is.
 *
 * state: pins in the low bits, FRAME_BUSY while the frame changes hands or is free, FRAME_DETACHED
 * when no slot and no queue knows it any more and its last pin frees it, FRAME_LATE when it came
 * while the cache was over its bound and nothing could be evicted: its last unpin makes room.
 *   1. `owner` and `page` change only under FRAME_BUSY.
 *   2. FRAME_BUSY is set only by a compare-and-swap from a state without pins, so a pin taken on a
 * frame that is not busy keeps rule 1 from applying.
 *   3. A pin taken on a busy or foreign frame is given back at once and changes nothing.
 */
#ifndef YORE_TABLE_PAGE_CACHE_INTERNAL_H
#define YORE_TABLE_PAGE_CACHE_INTERNAL_H

#include <stdatomic.h>

#include "table/page.h"
#include "table/page_cache.h"

#define FRAME_BUSY 0x80000000u
#define FRAME_DETACHED 0x40000000u
#define FRAME_LATE 0x20000000u
#define FRAME_PINS 0x1fffffffu
#define FRAME_USED_MAX 3

struct page_frame;
struct page_shard;

/* One per page of an open table. */
struct page_slot {
    _Atomic(struct page_frame *) frame; /* a hint; NULL: surely not cached */
    _Atomic(const void *) page;         /* where it lay last: good for prefetching only */
};

struct page_frame {
    _Alignas(64) _Atomic uint32_t state;
    _Atomic uint8_t used; /* hits since the hand last passed, at most FRAME_USED_MAX */
    uint8_t page_class;   /* this and the next: under the shard's lock */
    uint8_t is_hot;
    struct page_slot *owner;
    struct page *page;
    _Atomic uint64_t hits; /* may lose some when threads meet: a statistic */
    struct page_shard *shard;
    struct page_frame *next; /* queue or free list; under the shard's lock */
    struct page_frame *prev;
    size_t bytes;
};

/* A pin of a detached or late frame is gone; `old` is the state before. */
void page_frame_unpin_slowly(struct page_frame *frame, uint32_t old);

static inline void page_frame_unpin(struct page_frame *frame)
{
    /* Release: what was read of the page comes before the acquire of whoever claims the frame next.
     */
    uint32_t old = atomic_fetch_sub_explicit(&frame->state, 1, memory_order_release);
    if ((old & (FRAME_DETACHED | FRAME_LATE)) != 0) {
        page_frame_unpin_slowly(frame, old);
    }
}

/* The pinned frame of a slot, or NULL: a miss. */
static inline struct page_frame *page_slot_pin(struct page_slot *slot)
{
    /* Acquire: pairs with the release store of page_cache_install(). */
    struct page_frame *frame = atomic_load_explicit(&slot->frame, memory_order_acquire);
    if (frame == NULL) {
        return NULL;
    }
    /* Acquire: pairs with the release that ended FRAME_BUSY, so owner and page are those written
     * under it. */
    uint32_t old = atomic_fetch_add_explicit(&frame->state, 1, memory_order_acquire);
    if ((old & (FRAME_BUSY | FRAME_DETACHED)) != 0 || frame->owner != slot) {
        page_frame_unpin(frame);
        return NULL;
    }
    uint64_t hits = atomic_load_explicit(&frame->hits, memory_order_relaxed);
    atomic_store_explicit(&frame->hits, hits + 1, memory_order_relaxed);
    uint8_t used = atomic_load_explicit(&frame->used, memory_order_relaxed);
    if (used < FRAME_USED_MAX) {
        atomic_store_explicit(&frame->used, (uint8_t)(used + 1), memory_order_relaxed);
    }
    return frame;
}

/* Give the cache `page` (taken, also on failure) as the page of `slot`; the frame comes back
 * pinned, possibly holding an equal page that another thread brought meanwhile.  `slot` NULL: a
 * page of nobody, freed with its last pin. Errors: YORE_NOMEM. */
enum yore_status page_cache_install(struct page_cache *cache, struct page_slot *slot,
                                    struct page *page, enum page_class page_class,
                                    struct page_frame **frame_out);

/* Before the slot goes away: nobody pins through it any more, though pins taken earlier may live
 * on. */
void page_cache_forget(struct page_cache *cache, struct page_slot *slot);

/* Do indexes and filters take more than their part?  Then tables should be let go.  Until then
 * pages give way, because who misses a page reads a page, but who misses an index reads that of a
 * whole table. */
bool page_cache_is_crowded(struct page_cache *cache);

#endif
