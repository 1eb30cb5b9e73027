#include "query/id_map.h"

#include <string.h>

#include "base/assert.h"
#include "base/hash.h"

#define CAPACITY_FIRST 64

static size_t place_of(const struct id_map *map, uint64_t id)
{
    size_t place = (size_t)hash_u64(id) & (map->capacity - 1);
    while (map->ids[place] != 0 && map->ids[place] != id) {
        place = (place + 1) & (map->capacity - 1);
    }
    return place;
}

static enum yore_status grow(struct id_map *map)
{
    struct id_map grown = {.arena = map->arena,
                           .count = map->count,
                           .capacity = map->capacity == 0 ? CAPACITY_FIRST : map->capacity * 2};
    grown.ids = arena_alloc(map->arena, grown.capacity * sizeof(uint64_t));
    grown.numbers = arena_alloc(map->arena, grown.capacity * sizeof(uint32_t));
    if (grown.ids == NULL || grown.numbers == NULL) {
        return YORE_NOMEM;
    }
    memset(grown.ids, 0, grown.capacity * sizeof(uint64_t));
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->ids[i] != 0) {
            size_t place = place_of(&grown, map->ids[i]);
            grown.ids[place] = map->ids[i];
            grown.numbers[place] = map->numbers[i];
        }
    }
    *map = grown;
    return YORE_OK;
}

enum yore_status id_map_put(struct id_map *map, uint64_t id, uint32_t number, uint32_t *number_out,
                            bool *is_new_out)
{
    YORE_ASSERT(id != 0);
    if ((map->count + 1) * 4 > map->capacity * 3) {
        enum yore_status st = grow(map);
        if (st != YORE_OK) {
            return st;
        }
    }
    size_t place = place_of(map, id);
    *is_new_out = map->ids[place] == 0;
    if (*is_new_out) {
        map->ids[place] = id;
        map->numbers[place] = number;
        map->count++;
    }
    *number_out = map->numbers[place];
    return YORE_OK;
}

uint32_t id_map_get(const struct id_map *map, uint64_t id)
{
    if (map->capacity == 0) {
        return UINT32_MAX;
    }
    size_t place = place_of(map, id);
    return map->ids[place] == 0 ? UINT32_MAX : map->numbers[place];
}

void id_map_clear(struct id_map *map)
{
    *map = (struct id_map){.arena = map->arena};
}
