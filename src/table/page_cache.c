/* page_cache.c -- frames in shards, two queues a class.
 *
 * A page enters the cold queue (first in, first out).  The hand takes from the cold queue while
 * that holds more than a tenth of its class: a page that was hit meanwhile moves to the hot queue,
 * another is evicted; so a scan only ever displaces pages used once.  Otherwise the hand goes over
 * the hot queue as CLOCK does, with up to three chances.  Pages of the past give way first, down to
 * an eighth of the cache, below which an as-of workload would read every page from disk. Rejected:
 * least-recently-used lists, since every hit would then write to memory that all threads share.
 */
#include "table/page_cache.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "os/thread.h"
#include "table/page_cache_internal.h"
#include "table/page_room.h"

#define SHARDS 16
#define CLASSES 2
#define FRAMES_PER_CHUNK 64
#define COLD_PART 10 /* the cold queue is taken from while it holds more than one in so many */
#define PAST_PART 8  /* the past keeps one in so many of the cache */
#define ROOM_MIN_BYTES                                                                             \
    (UINT64_C(32) << 20) /* below, the processor reaches the heap's pages too                      \
                          */
#define PAGES_PART 8     /* pages keep one in so many of the cache, whatever is charged */

struct frame_queue {
    struct page_frame *first; /* the oldest: where the hand is */
    struct page_frame *last;
    size_t count;
};

struct frame_chunk {
    struct frame_chunk *next;
    struct page_frame frames[FRAMES_PER_CHUNK];
};

struct page_shard {
    struct os_mutex lock; /* guards all below */
    struct page_cache *cache;
    struct frame_queue queues[CLASSES][2]; /* [class][is_hot] */
    struct page_frame *free;               /* busy, without page */
    struct frame_chunk *chunks;
    uint64_t retired_hits; /* of pages no longer cached */
    uint64_t misses;
    uint64_t evictions;
};

struct page_cache {
    uint64_t capacity;
    uint64_t charge_max;    /* what charges should stay within */
    _Atomic uint64_t paged; /* octets of pages */
    _Atomic uint64_t charged;
    _Atomic uint64_t queue_bytes[CLASSES][2]; /* over all shards */
    struct page_shard *shards;
    struct page_room *room; /* NULL: pages are on the heap */
};

enum yore_status page_cache_new(uint64_t capacity_bytes, uint64_t charge_floor_bytes,
                                struct page_cache **cache_out)
{
    *cache_out = NULL;
    struct page_cache *cache = mem_zalloc(sizeof(*cache));
    if (cache == NULL) {
        return YORE_NOMEM;
    }
    bool is_large = capacity_bytes >= ROOM_MIN_BYTES;
    cache->room = is_large ? page_room_new() : NULL;
    cache->shards = mem_array(SHARDS, sizeof(*cache->shards));
    if (cache->shards == NULL || (is_large && cache->room == NULL)) {
        page_room_free(cache->room);
        mem_free(cache->shards);
        mem_free(cache);
        return YORE_NOMEM;
    }
    uint64_t most = capacity_bytes - capacity_bytes / PAGES_PART;
    cache->capacity = capacity_bytes;
    cache->charge_max = most > charge_floor_bytes ? most : charge_floor_bytes;
    for (unsigned i = 0; i < SHARDS; i++) {
        os_mutex_init(&cache->shards[i].lock);
        cache->shards[i].cache = cache;
    }
    *cache_out = cache;
    return YORE_OK;
}

static void free_shard(struct page_shard *shard)
{
    for (unsigned i = 0; i < CLASSES * 2; i++) {
        for (struct page_frame *f = shard->queues[i / 2][i % 2].first; f != NULL; f = f->next) {
            YORE_ASSERT(atomic_load_explicit(&f->state, memory_order_acquire) == 0);
            page_free(f->page);
        }
    }
    while (shard->chunks != NULL) {
        struct frame_chunk *next = shard->chunks->next;
        mem_free(shard->chunks);
        shard->chunks = next;
    }
    os_mutex_release(&shard->lock);
}

void page_cache_free(struct page_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (unsigned i = 0; i < SHARDS; i++) {
        free_shard(&cache->shards[i]);
    }
    page_room_free(cache->room);
    mem_free(cache->shards);
    mem_free(cache);
}

struct page_room *page_cache_room(const struct page_cache *cache)
{
    return cache->room;
}

/* ---- queues ---- */

static struct frame_queue *queue_of(struct page_frame *frame)
{
    return &frame->shard->queues[frame->page_class][frame->is_hot];
}

static _Atomic uint64_t *queue_bytes_of(struct page_frame *frame)
{
    return &frame->shard->cache->queue_bytes[frame->page_class][frame->is_hot];
}

static void queue_push(struct page_frame *frame)
{
    struct frame_queue *q = queue_of(frame);
    frame->next = NULL;
    frame->prev = q->last;
    if (q->last != NULL) {
        q->last->next = frame;
    } else {
        q->first = frame;
    }
    q->last = frame;
    q->count++;
    atomic_fetch_add_explicit(queue_bytes_of(frame), frame->bytes, memory_order_relaxed);
}

static void queue_remove(struct page_frame *frame)
{
    struct frame_queue *q = queue_of(frame);
    if (frame->prev != NULL) {
        frame->prev->next = frame->next;
    } else {
        q->first = frame->next;
    }
    if (frame->next != NULL) {
        frame->next->prev = frame->prev;
    } else {
        q->last = frame->prev;
    }
    q->count--;
    atomic_fetch_sub_explicit(queue_bytes_of(frame), frame->bytes, memory_order_relaxed);
}

/* ---- frames ---- */

static struct page_frame *take_free_frame(struct page_shard *shard)
{
    if (shard->free == NULL) {
        struct frame_chunk *chunk = mem_alloc_aligned(64, sizeof(*chunk));
        if (chunk == NULL) {
            return NULL;
        }
        memset(chunk, 0, sizeof(*chunk));
        chunk->next = shard->chunks;
        shard->chunks = chunk;
        for (unsigned i = 0; i < FRAMES_PER_CHUNK; i++) {
            struct page_frame *f = &chunk->frames[i];
            atomic_init(&f->state, FRAME_BUSY);
            f->shard = shard;
            f->next = shard->free;
            shard->free = f;
        }
    }
    struct page_frame *frame = shard->free;
    shard->free = frame->next;
    return frame;
}

/* The frame is busy; its page is the caller's to free. */
static struct page *give_free_frame(struct page_shard *shard, struct page_frame *frame)
{
    struct page *page = frame->page;
    shard->retired_hits += atomic_load_explicit(&frame->hits, memory_order_relaxed);
    atomic_store_explicit(&frame->hits, 0, memory_order_relaxed);
    frame->page = NULL;
    frame->owner = NULL;
    frame->next = shard->free;
    shard->free = frame;
    return page;
}

static bool claim(struct page_frame *frame, uint32_t from)
{
    /* Acquire: pairs with the release of the last unpin. */
    return atomic_compare_exchange_strong_explicit(&frame->state, &from, from | FRAME_BUSY,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void reclaim(struct page_frame *frame)
{
    if (!claim(frame, FRAME_DETACHED)) {
        return; /* somebody pinned it in passing: giving that pin back comes here again */
    }
    struct page_shard *shard = frame->shard;
    os_mutex_lock(&shard->lock);
    atomic_fetch_and_explicit(&frame->state, ~FRAME_DETACHED, memory_order_relaxed);
    struct page *page = give_free_frame(shard, frame);
    os_mutex_unlock(&shard->lock);
    page_free(page);
}

/* ---- eviction ---- */

/* Pass over one queue until a page is evicted; REQUIRES the lock.  NULL: nothing to be had. */
static struct page *evict_from(struct page_shard *shard, struct frame_queue *q)
{
    for (size_t left = q->count * (FRAME_USED_MAX + 1); left > 0 && q->first != NULL; left--) {
        struct page_frame *frame = q->first;
        uint8_t used = atomic_load_explicit(&frame->used, memory_order_relaxed);
        queue_remove(frame);
        if (used == 0 && claim(frame, 0)) {
            /* Release: page_cache_forget() sees that we are done with the slot. */
            atomic_store_explicit(&frame->owner->frame, NULL, memory_order_release);
            atomic_fetch_sub_explicit(&shard->cache->paged, frame->bytes, memory_order_relaxed);
            shard->evictions++;
            return give_free_frame(shard, frame);
        }
        if (used > 0) {
            atomic_store_explicit(&frame->used, frame->is_hot ? (uint8_t)(used - 1) : 0,
                                  memory_order_relaxed);
            frame->is_hot = 1;
        }
        queue_push(frame);
    }
    return NULL;
}

static bool is_over(struct page_cache *cache)
{
    uint64_t charged = atomic_load_explicit(&cache->charged, memory_order_relaxed);
    uint64_t least = cache->capacity / PAGES_PART;
    uint64_t room = charged < cache->capacity - least ? cache->capacity - charged : least;
    return atomic_load_explicit(&cache->paged, memory_order_relaxed) > room;
}

static bool evict_one(struct page_cache *cache, unsigned page_class, bool is_hot, unsigned *number)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct page_shard *shard = &cache->shards[*number];
        *number = (*number + 1) % SHARDS;
        os_mutex_lock(&shard->lock);
        struct page *page = evict_from(shard, &shard->queues[page_class][is_hot]);
        os_mutex_unlock(&shard->lock);
        if (page != NULL) {
            page_free(page);
            return true;
        }
    }
    return false;
}

static uint64_t bytes_in(struct page_cache *cache, unsigned page_class, bool is_hot)
{
    return atomic_load_explicit(&cache->queue_bytes[page_class][is_hot], memory_order_relaxed);
}

static bool evict_class(struct page_cache *cache, unsigned page_class, unsigned *number)
{
    uint64_t cold = bytes_in(cache, page_class, false);
    bool is_hot = cold * COLD_PART <= cold + bytes_in(cache, page_class, true);
    return evict_one(cache, page_class, is_hot, number) ||
           evict_one(cache, page_class, !is_hot, number);
}

/* Evict until the bound holds.  False: everything left is pinned. */
static bool make_room(struct page_cache *cache, unsigned number)
{
    while (is_over(cache)) {
        uint64_t past =
            bytes_in(cache, PAGE_CLASS_PAST, false) + bytes_in(cache, PAGE_CLASS_PAST, true);
        unsigned first = past > cache->capacity / PAST_PART ? PAGE_CLASS_PAST : PAGE_CLASS_PRESENT;
        if (!evict_class(cache, first, &number) && !evict_class(cache, 1 - first, &number)) {
            return false;
        }
    }
    return true;
}

void page_frame_unpin_slowly(struct page_frame *frame, uint32_t old)
{
    if ((old & FRAME_PINS) != 1) {
        return;
    }
    struct page_cache *cache = frame->shard->cache;
    if ((old & FRAME_LATE) != 0) {
        atomic_fetch_and_explicit(&frame->state, ~FRAME_LATE, memory_order_relaxed);
    }
    if ((old & FRAME_DETACHED) != 0) {
        reclaim(frame);
    }
    if ((old & FRAME_LATE) != 0) {
        make_room(cache, 0);
    }
}

/* ---- what tables call ---- */

static unsigned shard_of(const struct page_slot *slot)
{
    return (unsigned)(hash_u64((uint64_t)(uintptr_t)slot) % SHARDS);
}

/* A page another thread has installed for the slot meanwhile; REQUIRES the lock. */
static struct page_frame *find_rival(struct page_slot *slot)
{
    return slot != NULL ? page_slot_pin(slot) : NULL;
}

enum yore_status page_cache_install(struct page_cache *cache, struct page_slot *slot,
                                    struct page *page, enum page_class page_class,
                                    struct page_frame **frame_out)
{
    unsigned number =
        slot != NULL ? shard_of(slot) : (unsigned)(hash_u64((uintptr_t)page) % SHARDS);
    struct page_shard *shard = &cache->shards[number];
    os_mutex_lock(&shard->lock);
    shard->misses++;
    struct page_frame *frame = find_rival(slot);
    struct page_frame *fresh = frame == NULL ? take_free_frame(shard) : NULL;
    if (fresh != NULL) {
        frame = fresh;
        frame->owner = slot;
        frame->page = page;
        frame->page_class = (uint8_t)page_class;
        frame->is_hot = 0;
        frame->bytes = page->bytes + sizeof(*frame);
        atomic_store_explicit(&frame->used, 0, memory_order_relaxed);
        if (slot != NULL) {
            queue_push(frame);
            atomic_fetch_add_explicit(&cache->paged, frame->bytes, memory_order_relaxed);
        }
        uint32_t flags = slot != NULL ? 0 : FRAME_DETACHED;
        /* From busy to one pin; release: pairs with the acquire of page_slot_pin().  Added, not
         * stored, because readers with an old hint may be adding and taking back pins of their own.
         */
        atomic_fetch_add_explicit(&frame->state, flags + 1 - FRAME_BUSY, memory_order_release);
        if (slot != NULL) {
            atomic_store_explicit(&slot->page, page, memory_order_relaxed);
            atomic_store_explicit(&slot->frame, frame, memory_order_release);
        }
    }
    os_mutex_unlock(&shard->lock);
    *frame_out = frame;
    if (fresh == NULL) {
        page_free(page);
    } else if (slot != NULL && !make_room(cache, number)) {
        atomic_fetch_or_explicit(&frame->state, FRAME_LATE, memory_order_relaxed);
    }
    return frame != NULL ? YORE_OK : YORE_NOMEM;
}

void page_cache_forget(struct page_cache *cache, struct page_slot *slot)
{
    /* Acquire: pairs with the release store of evict_from(); NULL means that nobody will touch the
     * slot again. */
    if (atomic_load_explicit(&slot->frame, memory_order_acquire) == NULL) {
        return;
    }
    struct page_shard *shard = &cache->shards[shard_of(slot)];
    struct page *page = NULL;
    struct page_frame *pinned = NULL;
    os_mutex_lock(&shard->lock);
    struct page_frame *frame = atomic_load_explicit(&slot->frame, memory_order_relaxed);
    if (frame != NULL) {
        atomic_store_explicit(&slot->frame, NULL, memory_order_relaxed);
        queue_remove(frame);
        atomic_fetch_sub_explicit(&cache->paged, frame->bytes, memory_order_relaxed);
        if (claim(frame, 0)) {
            page = give_free_frame(shard, frame);
        } else {
            atomic_fetch_add_explicit(&frame->state, 1, memory_order_relaxed);
            atomic_fetch_or_explicit(&frame->state, FRAME_DETACHED, memory_order_relaxed);
            pinned = frame;
        }
    }
    os_mutex_unlock(&shard->lock);
    page_free(page);
    if (pinned != NULL) {
        page_frame_unpin(pinned); /* our own pin: whoever is last frees it */
    }
}

/* ---- accounts ---- */

uint64_t page_cache_pins(struct page_cache *cache)
{
    uint64_t pins = 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        struct page_shard *shard = &cache->shards[i];
        os_mutex_lock(&shard->lock);
        for (const struct frame_chunk *c = shard->chunks; c != NULL; c = c->next) {
            for (unsigned j = 0; j < FRAMES_PER_CHUNK; j++) {
                pins +=
                    atomic_load_explicit(&c->frames[j].state, memory_order_relaxed) & FRAME_PINS;
            }
        }
        os_mutex_unlock(&shard->lock);
    }
    return pins;
}

void page_cache_charge(struct page_cache *cache, uint64_t bytes)
{
    atomic_fetch_add_explicit(&cache->charged, bytes, memory_order_relaxed);
    make_room(cache, 0);
}

void page_cache_uncharge(struct page_cache *cache, uint64_t bytes)
{
    atomic_fetch_sub_explicit(&cache->charged, bytes, memory_order_relaxed);
}

bool page_cache_is_crowded(struct page_cache *cache)
{
    return atomic_load_explicit(&cache->charged, memory_order_relaxed) > cache->charge_max;
}

static void add_shard_stats(struct page_shard *shard, struct page_cache_stats *stats)
{
    os_mutex_lock(&shard->lock);
    stats->hits += shard->retired_hits;
    stats->misses += shard->misses;
    stats->evictions += shard->evictions;
    for (struct frame_chunk *chunk = shard->chunks; chunk != NULL; chunk = chunk->next) {
        for (unsigned i = 0; i < FRAMES_PER_CHUNK; i++) {
            stats->hits += atomic_load_explicit(&chunk->frames[i].hits, memory_order_relaxed);
        }
    }
    os_mutex_unlock(&shard->lock);
}

void page_cache_stats(struct page_cache *cache, struct page_cache_stats *stats_out)
{
    *stats_out = (struct page_cache_stats){.capacity_bytes = cache->capacity};
    stats_out->charged_bytes = atomic_load_explicit(&cache->charged, memory_order_relaxed);
    stats_out->used_bytes =
        stats_out->charged_bytes + atomic_load_explicit(&cache->paged, memory_order_relaxed);
    if (stats_out->used_bytes > cache->capacity) {
        stats_out->pinned_over_bytes = stats_out->used_bytes - cache->capacity;
    }
    for (unsigned i = 0; i < SHARDS; i++) {
        add_shard_stats(&cache->shards[i], stats_out);
    }
}
