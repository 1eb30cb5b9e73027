#include "topology/import_cache.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

void import_cache_release(struct import_cache *cache)
{
    for (size_t i = 0; i < cache->slot_count; i++) {
        if (cache->slots[i] != NULL) {
            mem_free(cache->slots[i]->record);
        }
    }
    mem_free(cache->slots);
    arena_release(&cache->elements);
    *cache = (struct import_cache){0};
}

size_t import_cache_bytes(const struct import_cache *cache)
{
    return cache->elements.bytes + cache->record_bytes + cache->slot_count * sizeof(void *);
}

static uint64_t hash_of(enum graph_element element, struct yore_bytes external_id)
{
    return hash_bytes(external_id) + (uint64_t)element;
}

static struct import_element **find_slot(struct import_element **slots, size_t slot_count,
                                         enum graph_element element, struct yore_bytes external_id,
                                         uint64_t hash)
{
    size_t mask = slot_count - 1;
    size_t at = (size_t)hash & mask;
    while (slots[at] != NULL && (slots[at]->hash != hash || slots[at]->element != element ||
                                 !bytes_equal(slots[at]->external_id, external_id))) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

struct import_element *import_cache_find(const struct import_cache *cache,
                                         enum graph_element element, struct yore_bytes external_id)
{
    return cache->slot_count == 0 ? NULL
                                  : *find_slot(cache->slots, cache->slot_count, element,
                                               external_id, hash_of(element, external_id));
}

static bool grow(struct import_cache *cache)
{
    size_t slot_count = cache->slot_count == 0 ? 1024 : cache->slot_count * 2;
    struct import_element **slots = mem_array(slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < cache->slot_count; i++) {
        struct import_element *element = cache->slots[i];
        if (element != NULL) {
            *find_slot(slots, slot_count, element->element, element->external_id, element->hash) =
                element;
        }
    }
    mem_free(cache->slots);
    cache->slots = slots;
    cache->slot_count = slot_count;
    return true;
}

struct import_element *import_cache_add(struct import_cache *cache, enum graph_element element,
                                        struct yore_bytes external_id)
{
    if ((cache->count + 1) * 2 > cache->slot_count && !grow(cache)) {
        return NULL;
    }
    struct import_element *added = arena_alloc(&cache->elements, sizeof *added);
    void *copy = arena_copy(&cache->elements, external_id.data, external_id.size);
    if (added == NULL || copy == NULL) {
        return NULL;
    }
    *added = (struct import_element){.external_id = bytes_of(copy, external_id.size),
                                     .element = element,
                                     .hash = hash_of(element, external_id)};
    *find_slot(cache->slots, cache->slot_count, element, external_id, added->hash) = added;
    cache->count++;
    return added;
}

bool import_cache_set(struct import_cache *cache, struct import_element *element,
                      struct yore_bytes record)
{
    if (record.size > element->record_capacity || element->record == NULL) {
        size_t capacity = record.size + record.size / 4 + 8;
        unsigned char *grown = mem_realloc(element->record, capacity);
        if (grown == NULL) {
            return false;
        }
        cache->record_bytes += capacity - element->record_capacity;
        element->record = grown;
        element->record_capacity = (uint32_t)capacity;
    }
    memcpy(element->record, record.data, record.size);
    element->record_size = (uint32_t)record.size;
    return true;
}

void import_cache_end(struct import_cache *cache, struct import_element *element)
{
    cache->record_bytes -= element->record_capacity;
    mem_free(element->record);
    element->record = NULL;
    element->record_size = 0;
    element->record_capacity = 0;
}
