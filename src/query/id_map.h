/* id_map.h -- ids of elements and a number kept with each: what a walk has seen.  Open addressing
 * in an arena; nothing is taken out singly. */
#ifndef YORE_QUERY_ID_MAP_H
#define YORE_QUERY_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

/* Zeroed but for `arena` is empty. */
struct id_map {
    struct arena *arena;
    uint64_t *ids; /* 0: free; ids of elements begin at 1 */
    uint32_t *numbers;
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

/* `*number_out` is what is kept with `id`; where it was not there, `number` is kept from now on.
 * Errors: YORE_NOMEM. */
enum yore_status id_map_put(struct id_map *map, uint64_t id, uint32_t number, uint32_t *number_out,
                            bool *is_new_out);
/* UINT32_MAX: not there. */
uint32_t id_map_get(const struct id_map *map, uint64_t id);
/* Forget everything; the arena is the owner's to reset, which it has to be. */
void id_map_clear(struct id_map *map);

#endif
