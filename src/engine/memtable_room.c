#include "engine/memtable_room.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "engine/memtable_node.h"
#include "os/process.h"

/* A chunk counts whole towards the size at which the memtable is flushed, so it is a small part of
 * it: 4 KiB of the least there is. */
#define CHUNKS_WHEN_FULL 16
#define CHUNK_BYTES_MIN ((size_t)4 << 10)
#define CHUNK_BYTES_MAX ((size_t)4 << 20)
#define CHUNK_BYTES_FIRST ((size_t)64 << 10)
#define BLOCK_BYTES_MIN ((size_t)1 << 10)
#define NODES_PER_RUN_MIN 8
#define NODES_PER_RUN_MAX 64

/* Lies where the run's next unused node will be; nodes are taken from the far end. */
struct memtable_node_run {
    struct memtable_node_run *next;
    uint64_t count;
};

void memtable_room_init(struct memtable_room *room, uint64_t full_bytes)
{
    uint64_t part = full_bytes / CHUNKS_WHEN_FULL;
    size_t max = part < CHUNK_BYTES_MIN   ? CHUNK_BYTES_MIN
                 : part > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX
                                          : (size_t)part;
    max -= max > ARENA_LARGE_BYTES ? max % ARENA_LARGE_BYTES : 0;
    arena_init(&room->arena, max < CHUNK_BYTES_FIRST ? max : CHUNK_BYTES_FIRST);
    room->arena.chunk_bytes_max = max;
    /* A search walks all of a memtable at random, so that with small pages each step needs the
     * system's tables too. */
    room->arena.will_fill = os_memory_will_fill;
    room->at = NULL;
    room->end = NULL;
    room->runs = NULL;
    room->node_count = 0;
    memset(room->level_nodes, 0, sizeof(room->level_nodes));
}

void memtable_room_release(struct memtable_room *room)
{
    arena_release(&room->arena);
}

static size_t room_left(const struct memtable_room *room)
{
    return room->at != NULL ? (size_t)(room->end - room->at) : 0;
}

/* Small beside the arena's chunks, so that little is lost where the next block no longer fits into
 * one. */
static size_t block_bytes(const struct memtable_room *room)
{
    size_t part = room->arena.chunk_bytes / 16;
    return part < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : part;
}

bool memtable_room_reserve(struct memtable_room *room, uint64_t bytes)
{
    if (bytes <= room_left(room)) {
        return true;
    }
    if (bytes > SIZE_MAX / 2) {
        return false;
    }
    size_t size = bytes > block_bytes(room) ? (size_t)bytes : block_bytes(room);
    unsigned char *block = arena_alloc(&room->arena, size);
    if (block == NULL) {
        return false;
    }
    room->at = block;
    room->end = block + size;
    return true;
}

void *memtable_room_take(struct memtable_room *room, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_t size = (bytes + 7) & ~(size_t)7;
    if (size > room_left(room)) {
        if (size > block_bytes(room) / 4) {
            return arena_alloc(&room->arena, size); /* the block serves smaller ones */
        }
        if (!memtable_room_reserve(room, size)) {
            return NULL;
        }
    }
    unsigned char *run = room->at;
    room->at += size;
    return run;
}

bool memtable_room_reserve_nodes(struct memtable_room *room, uint64_t count)
{
    if (count <= room->node_count) {
        return true;
    }
    uint64_t missing = count - room->node_count;
    if (missing > SIZE_MAX / 2 / sizeof(struct memtable_node)) {
        return false;
    }
    uint64_t usual = block_bytes(room) / sizeof(struct memtable_node) / 4;
    usual = usual < NODES_PER_RUN_MIN   ? NODES_PER_RUN_MIN
            : usual > NODES_PER_RUN_MAX ? NODES_PER_RUN_MAX
                                        : usual;
    missing = missing < usual ? usual : missing;
    struct memtable_node_run *run =
        arena_alloc_aligned(&room->arena, 64, (size_t)missing * sizeof(struct memtable_node));
    if (run == NULL) {
        return false;
    }
    run->next = room->runs;
    run->count = missing;
    room->runs = run;
    room->node_count += missing;
    return true;
}

struct memtable_node *memtable_room_take_node(struct memtable_room *room, uint32_t level)
{
    struct memtable_node_run *run = room->runs;
    YORE_ASSERT(run != NULL);
    run->count--;
    if (run->count == 0) {
        room->runs = run->next;
    }
    room->node_count--;
    room->level_nodes[level]++;
    return (struct memtable_node *)(void *)run + run->count;
}

uint64_t memtable_room_bytes(const struct memtable_room *room)
{
    return atomic_load_explicit(&room->arena.bytes, memory_order_relaxed);
}
