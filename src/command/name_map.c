/* name_map.c -- open addressing with removal by shifting back.  A quarter to three quarters of the
 * slots are in use while names come, an eighth at least once many have gone: walks and memory
 * follow what is there, not what was. */
#include "command/name_map.h"

#include "base/hash.h"
#include "base/mem.h"

#define CAPACITY_MIN 16

void name_map_release(struct name_map *map)
{
    mem_free(map->slots);
    *map = (struct name_map){.seed = map->seed};
}

/* The slot of `name`, or the free one where it would go. */
static size_t place(const struct name_map *map, struct yore_bytes name, uint64_t hash)
{
    size_t at = (size_t)hash & (map->capacity - 1);
    while (map->slots[at].value != NULL &&
           (map->slots[at].hash != hash || !bytes_equal(map->slots[at].name, name))) {
        at = (at + 1) & (map->capacity - 1);
    }
    return at;
}

void *name_map_get(const struct name_map *map, struct yore_bytes name)
{
    return map->count == 0 ? NULL
                           : map->slots[place(map, name, hash_bytes_seeded(name, map->seed))].value;
}

/* False: out of memory, nothing has changed. */
static bool resize(struct name_map *map, size_t capacity)
{
    struct name_map other = {mem_array(capacity, sizeof(struct name_slot)), capacity, map->count,
                             map->seed};
    if (other.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        const struct name_slot *slot = &map->slots[i];
        if (slot->value != NULL) {
            other.slots[place(&other, slot->name, slot->hash)] = *slot;
        }
    }
    mem_free(map->slots);
    *map = other;
    return true;
}

static bool grow(struct name_map *map)
{
    return resize(map, map->capacity == 0 ? CAPACITY_MIN : 2 * map->capacity);
}

enum yore_status name_map_put(struct name_map *map, struct yore_bytes name, void *value)
{
    if (4 * (map->count + 1) > 3 * map->capacity && !grow(map)) {
        return YORE_NOMEM;
    }
    uint64_t hash = hash_bytes_seeded(name, map->seed);
    struct name_slot *slot = &map->slots[place(map, name, hash)];
    map->count += slot->value == NULL ? 1 : 0;
    *slot = (struct name_slot){name, hash, value};
    return YORE_OK;
}

void *name_map_remove(struct name_map *map, struct yore_bytes name)
{
    if (map->count == 0) {
        return NULL;
    }
    size_t mask = map->capacity - 1;
    size_t hole = place(map, name, hash_bytes_seeded(name, map->seed));
    void *value = map->slots[hole].value;
    if (value == NULL) {
        return NULL;
    }
    map->count--;
    for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL; at = (at + 1) & mask) {
        size_t home = (size_t)map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct name_slot){0};
    if (map->capacity > CAPACITY_MIN && 8 * map->count < map->capacity) {
        resize(map, map->capacity / 2); /* out of memory: it stays as large as it was */
    }
    return value;
}

void *name_map_next(const struct name_map *map, size_t *at)
{
    while (*at < map->capacity) {
        void *value = map->slots[(*at)++].value;
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}
