/* memtable_room.h -- the memory of one memtable: entries and nodes, promised ahead and never given
 * back. Writer only, but for memtable_room_bytes(). */
#ifndef YORE_ENGINE_MEMTABLE_ROOM_H
#define YORE_ENGINE_MEMTABLE_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Nodes but the last of their level are at least half full: 31^12 entries do not fit any memory. */
#define MEMTABLE_HEIGHT_MAX 12

struct memtable_node;
struct memtable_node_run;

struct memtable_room {
    struct arena arena;
    unsigned char *at; /* the block entries are cut from */
    unsigned char *end;
    struct memtable_node_run *runs;            /* nodes not yet used */
    uint64_t node_count;                       /* in all runs */
    uint64_t level_nodes[MEMTABLE_HEIGHT_MAX]; /* taken, by their level */
};

/* For a memtable that is flushed at `full_bytes`: memory is taken in small parts of that. */
void memtable_room_init(struct memtable_room *room, uint64_t full_bytes);
void memtable_room_release(struct memtable_room *room);

/* After true, so many bytes (taken in multiples of 8) or nodes can be taken without fail.  False:
 * out of memory. */
bool memtable_room_reserve(struct memtable_room *room, uint64_t bytes);
bool memtable_room_reserve_nodes(struct memtable_room *room, uint64_t count);

/* 8-byte aligned; NULL: out of memory. */
void *memtable_room_take(struct memtable_room *room, size_t bytes);
/* 64-byte aligned and not cleared.  One must have been reserved. */
struct memtable_node *memtable_room_take_node(struct memtable_room *room, uint32_t level);

/* What the arena holds; any thread. */
uint64_t memtable_room_bytes(const struct memtable_room *room);

#endif
