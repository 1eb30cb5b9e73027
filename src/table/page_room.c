/* page_room.c -- chunks, and the free grains of each.
 *
 * A run of grains begins with a line that names its chunk and its length; the user's octets follow.
 * What is known of all chunks lies side by side, so that looking for one with room reads few lines.
 */
#include "table/page_room.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "os/process.h"
#include "os/thread.h"

#define CHUNK_BYTES ((size_t)2 << 20)
#define LINE_BYTES 64
/* An odd number of lines: pages begin in every set of the processor's caches. */
#define GRAIN_BYTES ((size_t)9 * LINE_BYTES)
#define WORD_BITS 64
#define GRAINS 3632u /* what is left beside the head of a chunk, in grains */
#define WORDS ((GRAINS + WORD_BITS - 1) / WORD_BITS)

struct chunk_head {
    struct page_room *room;
    uint32_t number; /* its place among the room's chunks */
    uint64_t taken[WORDS];
};
#define HEAD_BYTES ((sizeof(struct chunk_head) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES)
_Static_assert(HEAD_BYTES + GRAINS * GRAIN_BYTES <= CHUNK_BYTES, "grains fit");

struct run_head {
    _Alignas(LINE_BYTES) struct chunk_head *chunk;
    uint32_t grains;
    _Alignas(LINE_BYTES / 2) uint64_t zeros[4];
};
_Static_assert(sizeof(struct run_head) == LINE_BYTES, "the zeros are the last of the line");

struct chunk {
    struct chunk_head *head;
    uint32_t free;    /* grains */
    uint32_t run_max; /* no free run is longer */
};

struct page_room {
    struct os_mutex lock; /* guards all below and the heads of the chunks */
    struct chunk *chunks;
    size_t count;
    size_t capacity;
    bool has_empty; /* one chunk is kept although nothing lies in it */
};

struct page_room *page_room_new(void)
{
    struct page_room *room = mem_zalloc(sizeof(*room));
    if (room != NULL) {
        os_mutex_init(&room->lock);
    }
    return room;
}

void page_room_free(struct page_room *room)
{
    if (room == NULL) {
        return;
    }
    for (size_t i = 0; i < room->count; i++) {
        mem_free(room->chunks[i].head);
    }
    mem_free(room->chunks);
    os_mutex_release(&room->lock);
    mem_free(room);
}

/* ---- grains of one chunk ---- */

/* The first grain from `at` on that is taken, or free; GRAINS: none. */
static uint32_t next_grain(const struct chunk_head *head, uint32_t at, bool is_taken)
{
    while (at < GRAINS) {
        uint64_t word = head->taken[at / WORD_BITS];
        word = (is_taken ? word : ~word) >> at % WORD_BITS;
        if (word != 0) {
            at += (uint32_t)__builtin_ctzll(word);
            return at < GRAINS ? at : GRAINS;
        }
        at += WORD_BITS - at % WORD_BITS;
    }
    return GRAINS;
}

/* How many grains before `at` are free. */
static uint32_t free_before(const struct chunk_head *head, uint32_t at)
{
    uint32_t from = at;
    while (from > 0) {
        uint32_t bit = (from - 1) % WORD_BITS;
        uint64_t word = head->taken[(from - 1) / WORD_BITS] << (WORD_BITS - 1 - bit);
        if (word != 0) {
            return at - from + (uint32_t)__builtin_clzll(word);
        }
        from -= bit + 1;
    }
    return at;
}

/* Free grains are taken, or taken ones free. */
static void flip(struct chunk_head *head, uint32_t at, uint32_t grains)
{
    while (grains > 0) {
        uint32_t bit = at % WORD_BITS;
        uint32_t count = grains < WORD_BITS - bit ? grains : WORD_BITS - bit;
        uint64_t ones = count < WORD_BITS ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
        head->taken[at / WORD_BITS] ^= ones << bit;
        at += count;
        grains -= count;
    }
}

/* The first run of so many free grains, now taken; GRAINS: the chunk has none. */
static uint32_t take_run(struct chunk *chunk, uint32_t grains)
{
    uint32_t longest = 0;
    uint32_t at = next_grain(chunk->head, 0, false);
    while (at < GRAINS) {
        uint32_t end = next_grain(chunk->head, at, true);
        if (end - at >= grains) {
            flip(chunk->head, at, grains);
            chunk->free -= grains;
            return at;
        }
        longest = end - at > longest ? end - at : longest;
        at = next_grain(chunk->head, end, false);
    }
    chunk->run_max = longest;
    return GRAINS;
}

/* ---- chunks ---- */

static struct chunk *add_chunk(struct page_room *room)
{
    struct chunk *grown = mem_grow(room->chunks, room->count, &room->capacity, sizeof(*grown));
    if (grown == NULL) {
        return NULL;
    }
    room->chunks = grown;
    struct chunk_head *head = mem_alloc_aligned(CHUNK_BYTES, CHUNK_BYTES);
    if (head == NULL) {
        return NULL;
    }
    os_memory_will_fill(head, CHUNK_BYTES);
    memset(head, 0, sizeof(*head));
    head->room = room;
    head->number = (uint32_t)room->count;
    struct chunk *chunk = &room->chunks[room->count++];
    *chunk = (struct chunk){.head = head, .free = GRAINS, .run_max = GRAINS};
    return chunk;
}

/* One that is empty stays: else a cache at the edge of its chunks would ask the system for one and
 * give it back with each page. */
static void drop_chunk(struct page_room *room, struct chunk *chunk)
{
    if (!room->has_empty) {
        room->has_empty = true;
        return;
    }
    struct chunk_head *head = chunk->head;
    *chunk = room->chunks[--room->count];
    chunk->head->number = head->number;
    mem_free(head);
}

void *page_room_take(struct page_room *room, size_t bytes)
{
    if (bytes > PAGE_ROOM_MAX) {
        return NULL;
    }
    uint32_t grains = (uint32_t)((sizeof(struct run_head) + bytes + GRAIN_BYTES - 1) / GRAIN_BYTES);
    struct run_head *run = NULL;
    os_mutex_lock(&room->lock);
    for (size_t i = 0; run == NULL; i++) {
        struct chunk *chunk = i < room->count ? &room->chunks[i] : add_chunk(room);
        if (chunk == NULL) {
            break;
        }
        if (chunk->run_max < grains) {
            continue;
        }
        bool was_empty = chunk->free == GRAINS;
        uint32_t at = take_run(chunk, grains);
        if (at < GRAINS) {
            room->has_empty &= !was_empty;
            run = (void *)((unsigned char *)chunk->head + HEAD_BYTES + at * GRAIN_BYTES);
            *run = (struct run_head){.chunk = chunk->head, .grains = grains};
        }
    }
    os_mutex_unlock(&room->lock);
    return run != NULL ? run + 1 : NULL;
}

void page_room_give(void *memory)
{
    struct run_head *run = (struct run_head *)memory - 1;
    struct chunk_head *head = run->chunk;
    struct page_room *room = head->room;
    uint32_t grains = run->grains;
    size_t offset = (size_t)((unsigned char *)run - (unsigned char *)head) - HEAD_BYTES;
    os_mutex_lock(&room->lock);
    struct chunk *chunk = &room->chunks[head->number];
    uint32_t at = (uint32_t)(offset / GRAIN_BYTES);
    flip(head, at, grains);
    chunk->free += grains;
    uint32_t merged = free_before(head, at) + next_grain(head, at, true) - at;
    chunk->run_max = merged > chunk->run_max ? merged : chunk->run_max;
    if (chunk->free == GRAINS) {
        drop_chunk(room, chunk);
    }
    os_mutex_unlock(&room->lock);
}

uint64_t page_room_bytes(struct page_room *room)
{
    os_mutex_lock(&room->lock);
    uint64_t bytes = (uint64_t)room->count * CHUNK_BYTES;
    os_mutex_unlock(&room->lock);
    return bytes;
}
