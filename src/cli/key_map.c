#include "cli/key_map.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define CAPACITY_MIN 64u
/* A map grown by one huge transaction would make clearing it dear for the small ones after it. */
#define CAPACITY_KEPT 1024u

void key_map_release(struct key_map *map)
{
    mem_free(map->slots);
    arena_release(&map->arena);
    *map = (struct key_map){0};
}

void key_map_clear(struct key_map *map)
{
    if (map->count == 0) {
        return;
    }
    if (map->capacity > CAPACITY_KEPT) {
        mem_free(map->slots);
        map->slots = NULL;
        map->capacity = 0;
    } else {
        memset(map->slots, 0, map->capacity * sizeof(*map->slots));
    }
    map->count = 0;
    arena_reset(&map->arena);
}

/* Where `key` is, or the free slot it would take.  Capacity > 0. */
static struct key_map_slot *find_slot(const struct key_map *map, struct yore_bytes key)
{
    size_t at = (size_t)hash_bytes(key) & (map->capacity - 1);
    while (map->slots[at].key.data != NULL && !bytes_equal(map->slots[at].key, key)) {
        at = (at + 1) & (map->capacity - 1);
    }
    return &map->slots[at];
}

static bool grow(struct key_map *map)
{
    struct key_map old = *map;
    map->capacity = old.capacity > 0 ? 2 * old.capacity : CAPACITY_MIN;
    map->slots = mem_array(map->capacity, sizeof(*map->slots));
    if (map->slots == NULL) {
        map->slots = old.slots;
        map->capacity = old.capacity;
        return false;
    }
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].key.data != NULL) {
            *find_slot(map, old.slots[i].key) = old.slots[i];
        }
    }
    mem_free(old.slots);
    return true;
}

/* An empty run gets an address too: NULL means something else here. */
static bool copy_run(struct key_map *map, struct yore_bytes run, struct yore_bytes *copy_out)
{
    char *copy = arena_alloc_unaligned(&map->arena, run.size + 1);
    if (copy == NULL) {
        return false;
    }
    if (run.size > 0) {
        memcpy(copy, run.data, run.size);
    }
    *copy_out = bytes_of(copy, run.size);
    return true;
}

bool key_map_put(struct key_map *map, struct yore_bytes key, struct yore_bytes value)
{
    struct yore_bytes value_copy = bytes_of(NULL, 0);
    if (2 * (map->count + 1) > map->capacity && !grow(map)) {
        return false;
    }
    if (value.data != NULL && !copy_run(map, value, &value_copy)) {
        return false;
    }
    struct key_map_slot *slot = find_slot(map, key);
    if (slot->key.data == NULL) {
        if (!copy_run(map, key, &slot->key)) {
            return false;
        }
        map->count++;
    }
    slot->value = value_copy;
    return true;
}

bool key_map_get(const struct key_map *map, struct yore_bytes key, struct yore_bytes *value_out)
{
    if (map->count == 0) {
        return false;
    }
    const struct key_map_slot *slot = find_slot(map, key);
    *value_out = slot->value;
    return slot->key.data != NULL;
}
