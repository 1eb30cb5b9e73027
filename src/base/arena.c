#include "base/arena.h"

#include <assert.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"

#define CHUNK_BYTES_DEFAULT ((size_t)64 << 10)
#define CHUNK_BYTES_DEFAULT_MAX ((size_t)4 << 20)
#define ALIGNMENT_MAX 64

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* octets after this header */
};
static_assert(sizeof(struct arena_chunk) % 8 == 0, "octets after the header are 8-byte aligned");

static unsigned char *chunk_octets(struct arena_chunk *chunk)
{
    return (unsigned char *)(chunk + 1);
}

void arena_init(struct arena *a, size_t first_chunk_bytes)
{
    a->chunks = NULL;
    a->at = NULL;
    a->end = NULL;
    a->chunk_bytes = first_chunk_bytes;
    a->chunk_bytes_max = 0;
    a->will_fill = NULL;
    atomic_init(&a->bytes, 0);
}

void arena_release(struct arena *a)
{
    struct arena_chunk *chunk = a->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        mem_free(chunk);
        chunk = next;
    }
    a->chunks = NULL;
    a->at = NULL;
    a->end = NULL;
    atomic_store_explicit(&a->bytes, 0, memory_order_relaxed);
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *kept = a->chunks;
    for (struct arena_chunk *c = a->chunks; c != NULL; c = c->next) {
        if (c->size > kept->size) {
            kept = c;
        }
    }
    struct arena_chunk *chunk = a->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        if (chunk != kept) {
            mem_free(chunk);
        }
        chunk = next;
    }
    a->chunks = kept;
    if (kept != NULL) {
        kept->next = NULL;
        a->at = chunk_octets(kept);
        a->end = a->at + kept->size;
        atomic_store_explicit(&a->bytes, sizeof(*kept) + kept->size, memory_order_relaxed);
    }
}

static struct arena_chunk *chunk_new(struct arena *a, size_t size)
{
    size_t total;
    bool is_large = false;
    struct arena_chunk *chunk = NULL;
    if (checked_add_size(size, sizeof(*chunk), &total)) {
        is_large = total % ARENA_LARGE_BYTES == 0;
        chunk = is_large ? mem_alloc_aligned(ARENA_LARGE_BYTES, total) : mem_alloc(total);
    }
    if (chunk == NULL) {
        return NULL;
    }
    if (is_large && a->will_fill != NULL) {
        a->will_fill(chunk, total);
    }
    chunk->size = size;
    chunk->next = NULL;
    atomic_fetch_add_explicit(&a->bytes, total, memory_order_relaxed);
    return chunk;
}

/* A run too large to share a chunk gets one of its own behind the current one, whose rest stays in
 * use.  Where somebody is told of large chunks, it is as many of them whole. */
static void *alloc_apart(struct arena *a, size_t size)
{
    size_t whole;
    if (a->will_fill != NULL && size >= 2 * ARENA_LARGE_BYTES &&
        checked_add_size(size, sizeof(struct arena_chunk) + ARENA_LARGE_BYTES - 1, &whole)) {
        size = whole - whole % ARENA_LARGE_BYTES - sizeof(struct arena_chunk);
    }
    struct arena_chunk *chunk = chunk_new(a, size);
    if (chunk == NULL) {
        return NULL;
    }
    if (a->chunks != NULL) {
        chunk->next = a->chunks->next;
        a->chunks->next = chunk;
    } else {
        a->chunks = chunk;
    }
    return chunk_octets(chunk);
}

/* At least `size` octets, 8-byte aligned, and a fresh chunk for those that follow. */
static void *alloc_slow(struct arena *a, size_t size)
{
    size_t chunk_bytes = a->chunk_bytes > 0 ? a->chunk_bytes : CHUNK_BYTES_DEFAULT;
    if (size > chunk_bytes / 4) {
        return alloc_apart(a, size);
    }
    size_t header = chunk_bytes % ARENA_LARGE_BYTES == 0 ? sizeof(struct arena_chunk) : 0;
    struct arena_chunk *chunk = chunk_new(a, chunk_bytes - header);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->next = a->chunks;
    a->chunks = chunk;
    a->at = chunk_octets(chunk) + size;
    a->end = chunk_octets(chunk) + chunk->size;
    size_t max = a->chunk_bytes_max > 0 ? a->chunk_bytes_max : CHUNK_BYTES_DEFAULT_MAX;
    if (chunk_bytes < max) {
        a->chunk_bytes = chunk_bytes < max / 2 ? chunk_bytes * 2 : max;
    }
    return chunk_octets(chunk);
}

void *arena_alloc_unaligned(struct arena *a, size_t size)
{
    if (a->at == NULL || size > (size_t)(a->end - a->at)) {
        return alloc_slow(a, size);
    }
    void *run = a->at;
    a->at += size;
    return run;
}

void *arena_alloc_aligned(struct arena *a, size_t alignment, size_t size)
{
    YORE_ASSERT(alignment > 0 && alignment <= ALIGNMENT_MAX && (alignment & (alignment - 1)) == 0);
    size_t padding = (0 - (uintptr_t)a->at) & (alignment - 1);
    size_t padded;
    if (!checked_add_size(size, padding, &padded)) {
        return NULL;
    }
    if (a->at != NULL && padded <= (size_t)(a->end - a->at)) {
        unsigned char *run = a->at + padding;
        a->at += padded;
        return run;
    }
    if (alignment <= 8) {
        return alloc_slow(a, size);
    }
    if (!checked_add_size(size, alignment - 1, &padded)) {
        return NULL;
    }
    unsigned char *run = alloc_slow(a, padded);
    return run != NULL ? run + ((0 - (uintptr_t)run) & (alignment - 1)) : NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return arena_alloc_aligned(a, 8, size);
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
    void *copy = arena_alloc_unaligned(a, size);
    if (copy != NULL && size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

struct arena_mark arena_mark(const struct arena *a)
{
    struct arena_chunk *behind = a->chunks != NULL ? a->chunks->next : NULL;
    return (struct arena_mark){a->chunks, behind, a->at, a->end, a->chunk_bytes};
}

/* Free the chunks from `from` up to `until`, which stays. */
static void free_chunks(struct arena *a, struct arena_chunk *from, const struct arena_chunk *until)
{
    while (from != until) {
        struct arena_chunk *next = from->next;
        size_t bytes = sizeof(*from) + from->size;
        atomic_fetch_sub_explicit(&a->bytes, bytes, memory_order_relaxed);
        mem_free(from);
        from = next;
    }
}

/* New chunks stand before the one that was current, and those allocated apart right behind the one
 * that was current then. */
void arena_rewind(struct arena *a, struct arena_mark mark)
{
    free_chunks(a, a->chunks, mark.chunks);
    if (mark.chunks != NULL) {
        free_chunks(a, mark.chunks->next, mark.behind);
        mark.chunks->next = mark.behind;
    }
    a->chunks = mark.chunks;
    a->at = mark.at;
    a->end = mark.end;
    a->chunk_bytes = mark.chunk_bytes;
}
