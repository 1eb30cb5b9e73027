/* key_map.h -- keys to values in memory, for the length of one transaction. */
#ifndef YORE_CLI_KEY_MAP_H
#define YORE_CLI_KEY_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"

struct key_map_slot {
    struct yore_bytes key; /* data NULL: free */
    struct yore_bytes value;
};

/* Zeroed is empty.  Open addressing, at most half full. */
struct key_map {
    struct key_map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    struct arena arena;
};

void key_map_release(struct key_map *map);
void key_map_clear(struct key_map *map);
/* Copies both; a value with data NULL is kept as such.  False: out of memory. */
bool key_map_put(struct key_map *map, struct yore_bytes key, struct yore_bytes value);
/* The value last put; borrowed until the next put or clear. */
bool key_map_get(const struct key_map *map, struct yore_bytes key, struct yore_bytes *value_out);

#endif
