/* page_cache.h -- pages in memory, in the form that is searched, bounded in bytes.
 *
 * Sharded by page; CLOCK with two classes: pages of the past are evicted before pages of the
 * present while they have more than an eighth of it, and a page enters cold, so that one long scan
 * displaces only pages that were used once. A pinned page is never evicted; pins come from the slot
 * in the table's index (one load, one pin, one check; no hash look-up on a hit).  Any thread. When
 * every page is pinned the cache grows past its bound rather than fail; `pinned_over_bytes` counts
 * it.
 */
#ifndef YORE_TABLE_PAGE_CACHE_H
#define YORE_TABLE_PAGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct page_cache;
struct page_room;

enum page_class { PAGE_CLASS_PRESENT = 0, PAGE_CLASS_PAST = 1 };

/* Charges (below) should stay within seven eighths of the capacity, or `charge_floor_bytes` where
 * that is more: by so much the smallest cache may grow past its bound, since without their indexes
 * tables are read at a crawl. */
enum yore_status page_cache_new(uint64_t capacity_bytes, uint64_t charge_floor_bytes,
                                struct page_cache **cache_out);
void page_cache_free(struct page_cache *cache); /* nothing pinned */

struct page_cache_stats {
    uint64_t capacity_bytes;
    uint64_t used_bytes;    /* pages and charges */
    uint64_t charged_bytes; /* indexes and filters of open tables */
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions;
    uint64_t pinned_over_bytes;
};
void page_cache_stats(struct page_cache *cache, struct page_cache_stats *stats_out);

/* Where the memory of its pages comes from; NULL: from the heap, since the cache is small. */
struct page_room *page_cache_room(const struct page_cache *cache);

/* Pins of all pages; exact only while nobody reads. */
uint64_t page_cache_pins(struct page_cache *cache);

/* Memory held beside the pages (indexes, filters) takes room from them, down to an eighth of the
 * cache. */
void page_cache_charge(struct page_cache *cache, uint64_t bytes);
void page_cache_uncharge(struct page_cache *cache, uint64_t bytes);

#endif
