/* name_map.h -- a map from names (octets) to pointers: commands, settings, users, channels.
 *
 * Open addressing, linear probing; names are borrowed from the values and must outlive them there.
 * Not thread-safe.
 */
#ifndef YORE_COMMAND_NAME_MAP_H
#define YORE_COMMAND_NAME_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct name_slot {
    struct yore_bytes name;
    uint64_t hash;
    void *value; /* NULL: free */
};

/* Zeroed is empty. */
struct name_map {
    struct name_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint64_t seed; /* set while it is empty, where strangers choose the names */
};

void name_map_release(struct name_map *map);
void *name_map_get(const struct name_map *map, struct yore_bytes name); /* NULL: absent */
/* Add, or replace name and value.  `value` is not NULL.  YORE_NOMEM: nothing has changed. */
enum yore_status name_map_put(struct name_map *map, struct yore_bytes name, void *value);
/* Returns what it had, or NULL. */
void *name_map_remove(struct name_map *map, struct yore_bytes name);
/* Walk: begin with *at = 0; NULL at the end.  Nothing may be added or removed meanwhile. */
void *name_map_next(const struct name_map *map, size_t *at);

#endif
