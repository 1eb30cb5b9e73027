/* arena.h -- memory that lives and dies together: chunks, bump allocation, no free of single
 * objects. One thread allocates; others may read what was published to them. */
#ifndef YORE_BASE_ARENA_H
#define YORE_BASE_ARENA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

/* Zeroed is empty.  `bytes` is what the chunks take, readable from any thread. */
struct arena {
    struct arena_chunk *chunks;
    unsigned char *at;
    unsigned char *end;
    size_t chunk_bytes;     /* next chunk's size; 0 means 64 KiB; doubles up to the greatest */
    size_t chunk_bytes_max; /* the greatest size; 0 means 4 MiB; may be set after arena_init() */
    _Atomic size_t bytes;
    /* Told of memory that begins at and is a multiple of ARENA_LARGE_BYTES before it is touched, as
     * the system decides then how to give it; NULL: nobody. */
    void (*will_fill)(void *memory, size_t size);
};

/* Chunks of this size and its multiples begin at a multiple of it, as large pages do. */
#define ARENA_LARGE_BYTES ((size_t)2 << 20)

void arena_init(struct arena *a, size_t first_chunk_bytes);
void arena_release(struct arena *a);
void arena_reset(struct arena *a);               /* keeps the largest chunk */
void *arena_alloc(struct arena *a, size_t size); /* 8-byte aligned; NULL: out of memory */
void *arena_alloc_unaligned(struct arena *a, size_t size);
void *arena_alloc_aligned(struct arena *a, size_t alignment, size_t size); /* alignment <= 64 */
void *arena_copy(struct arena *a, const void *data, size_t size);          /* unaligned */

/* A place in an arena.  Rewinding gives back all that was allocated since; marks are rewound in the
 * reverse order of their making, and one may be rewound many times. */
struct arena_mark {
    struct arena_chunk *chunks;
    struct arena_chunk *behind; /* the chunk that followed `chunks` */
    unsigned char *at;
    unsigned char *end;
    size_t chunk_bytes;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

#endif
