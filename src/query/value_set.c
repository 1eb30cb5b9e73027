#include "query/value_set.h"

#include <string.h>

#include "base/hash.h"
#include "query/value.h"

#define SET_PLACES_MIN 8u

void value_set_init(struct value_set *set, struct arena *arena, size_t width)
{
    *set = (struct value_set){.arena = arena, .width = width};
}

static uint64_t hash_of(const struct value_set *set, const struct yore_graph_value *values)
{
    uint64_t hash = set->width;
    for (size_t i = 0; i < set->width; i++) {
        hash = hash_u64(hash * UINT64_C(0x9e3779b97f4a7c15) + value_hash(&values[i]));
    }
    return hash;
}

static bool is_entry(const struct value_set *set, size_t index,
                     const struct yore_graph_value *values)
{
    const struct yore_graph_value *entry = value_set_at(set, index);
    for (size_t i = 0; i < set->width; i++) {
        if (!value_is_same(&entry[i], &values[i])) {
            return false;
        }
    }
    return true;
}

/* The place of `values`, or the free one where they belong. */
static size_t find_place(const struct value_set *set, uint64_t hash,
                         const struct yore_graph_value *values)
{
    size_t mask = set->place_capacity - 1;
    size_t at = (size_t)hash & mask;
    while (set->places[at] != 0) {
        size_t index = set->places[at] - 1;
        if (set->hashes[index] == hash && is_entry(set, index, values)) {
            break;
        }
        at = (at + 1) & mask;
    }
    return at;
}

/* Twice the room for entries, and twice that of places: at most half of them are taken. */
static enum yore_status grow(struct value_set *set)
{
    size_t capacity = set->capacity == 0 ? SET_PLACES_MIN / 2 : set->capacity * 2;
    size_t width = set->width == 0 ? 1 : set->width;
    struct yore_graph_value *entries = arena_alloc(set->arena, capacity * width * sizeof(*entries));
    uint64_t *hashes = arena_alloc(set->arena, capacity * sizeof(*hashes));
    uint32_t *places = arena_alloc(set->arena, capacity * 2 * sizeof(*places));
    if (entries == NULL || hashes == NULL || places == NULL) {
        return YORE_NOMEM;
    }
    if (set->count > 0) {
        memcpy(entries, set->entries, set->count * set->width * sizeof(*entries));
        memcpy(hashes, set->hashes, set->count * sizeof(*hashes));
    }
    memset(places, 0, capacity * 2 * sizeof(*places));
    set->entries = entries;
    set->hashes = hashes;
    set->places = places;
    set->capacity = capacity;
    set->place_capacity = capacity * 2;
    size_t mask = set->place_capacity - 1;
    for (size_t i = 0; i < set->count; i++) {
        size_t at = (size_t)hashes[i] & mask;
        while (places[at] != 0) {
            at = (at + 1) & mask;
        }
        places[at] = (uint32_t)(i + 1);
    }
    return YORE_OK;
}

enum yore_status value_set_put(struct value_set *set, const struct yore_graph_value *values,
                               size_t *index_out, bool *is_new_out)
{
    if (set->count == set->capacity) {
        if (set->count >= UINT32_MAX - 1) {
            return YORE_TOO_BIG;
        }
        enum yore_status st = grow(set);
        if (st != YORE_OK) {
            return st;
        }
    }
    uint64_t hash = hash_of(set, values);
    size_t place = find_place(set, hash, values);
    *is_new_out = set->places[place] == 0;
    if (!*is_new_out) {
        *index_out = set->places[place] - 1;
        return YORE_OK;
    }
    struct yore_graph_value *entry = set->entries + set->count * set->width;
    for (size_t i = 0; i < set->width; i++) {
        enum yore_status st = value_copy(set->arena, &values[i], &entry[i]);
        if (st != YORE_OK) {
            return st;
        }
    }
    set->hashes[set->count] = hash;
    *index_out = set->count++;
    set->places[place] = (uint32_t)set->count;
    return YORE_OK;
}

const struct yore_graph_value *value_set_at(const struct value_set *set, size_t index)
{
    return set->entries + index * set->width;
}
