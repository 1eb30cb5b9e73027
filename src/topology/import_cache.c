#include "topology/import_cache.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "os/process.h"

#define SLOTS_MIN 1024 /* a power of two */

/* Free memory where a record was. */
struct import_block {
    struct import_block *next;
};
static_assert(sizeof(struct import_block) <= IMPORT_BLOCK_STEP, "the least block has room for it");

void import_cache_release(struct import_cache *cache)
{
    for (size_t i = 0; cache->large_bytes > 0 && i < cache->slot_count; i++) {
        struct import_element *element = cache->slots[i].element;
        if (element != NULL && element->record_capacity > IMPORT_BLOCK_BYTES_MAX) {
            cache->large_bytes -= element->record_capacity;
            mem_free(element->record);
        }
    }
    mem_free(cache->slots);
    arena_release(&cache->elements);
    *cache = (struct import_cache){0};
}

size_t import_cache_bytes(const struct import_cache *cache)
{
    return cache->elements.bytes + cache->large_bytes + cache->slot_count * sizeof *cache->slots;
}

uint64_t import_cache_hash(enum graph_element element, struct yore_bytes external_id)
{
    return hash_bytes(external_id) + (uint64_t)element;
}

/* Where an element of the hash is, or would be, for all that the slots tell. */
static size_t first_slot(const struct import_slot *slots, size_t slot_count, uint64_t hash)
{
    size_t mask = slot_count - 1;
    size_t at = (size_t)hash & mask;
    while (slots[at].element != NULL && slots[at].hash != hash) {
        at = (at + 1) & mask;
    }
    return at;
}

/* An element, its id and, as a rule, its record. */
static void prefetch(const struct import_element *element)
{
    const char *line = (const char *)element;
    __builtin_prefetch(line);
    __builtin_prefetch(line + 64);
    __builtin_prefetch(line + 128);
    __builtin_prefetch(line + 192);
}

void import_cache_prefetch(const struct import_cache *cache, const uint64_t *hashes, size_t count)
{
    size_t mask = cache->slot_count - 1;
    if (cache->slot_count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(&cache->slots[(size_t)hashes[i] & mask]);
    }
    for (size_t i = 0; i < count; i++) {
        const struct import_element *element =
            cache->slots[first_slot(cache->slots, cache->slot_count, hashes[i])].element;
        if (element != NULL) {
            prefetch(element);
        }
    }
}

static struct import_slot *find_slot(const struct import_cache *cache, enum graph_element element,
                                     struct yore_bytes external_id, uint64_t hash)
{
    size_t mask = cache->slot_count - 1;
    size_t at = first_slot(cache->slots, cache->slot_count, hash);
    struct import_slot *slots = cache->slots;
    if (slots[at].element != NULL) {
        prefetch(slots[at].element);
    }
    while (slots[at].element != NULL &&
           (slots[at].hash != hash || slots[at].element->element != element ||
            !bytes_equal(slots[at].element->external_id, external_id))) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

struct import_element *import_cache_find(const struct import_cache *cache,
                                         enum graph_element element, struct yore_bytes external_id,
                                         uint64_t hash)
{
    return cache->slot_count == 0 ? NULL : find_slot(cache, element, external_id, hash)->element;
}

/* Large tables are met at random: in small pages each look would need the system's tables too. */
static struct import_slot *slots_new(size_t slot_count)
{
    size_t bytes = slot_count * sizeof(struct import_slot);
    if (bytes < ARENA_LARGE_BYTES) {
        return mem_array(slot_count, sizeof(struct import_slot));
    }
    struct import_slot *slots = mem_alloc_aligned(ARENA_LARGE_BYTES, bytes);
    if (slots != NULL) {
        os_memory_will_fill(slots, bytes);
        memset(slots, 0, bytes);
    }
    return slots;
}

static bool grow(struct import_cache *cache)
{
    size_t slot_count = cache->slot_count == 0 ? SLOTS_MIN : cache->slot_count * 2;
    struct import_slot *slots = slots_new(slot_count);
    if (slots == NULL) {
        return false;
    }
    size_t mask = slot_count - 1;
    for (size_t i = 0; i < cache->slot_count; i++) {
        if (cache->slots[i].element != NULL) { /* no two are the same: any free one will do */
            size_t at = (size_t)cache->slots[i].hash & mask;
            while (slots[at].element != NULL) {
                at = (at + 1) & mask;
            }
            slots[at] = cache->slots[i];
        }
    }
    mem_free(cache->slots);
    cache->slots = slots;
    cache->slot_count = slot_count;
    cache->elements.will_fill = os_memory_will_fill;
    return true;
}

struct import_element *import_cache_add(struct import_cache *cache, enum graph_element element,
                                        struct yore_bytes external_id, uint64_t hash)
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
                                     .element = element};
    *find_slot(cache, element, external_id, hash) = (struct import_slot){hash, added};
    cache->count++;
    return added;
}

/* ---- records ---- */

static struct import_block **free_of(struct import_cache *cache, uint32_t capacity)
{
    return &cache->free[capacity / IMPORT_BLOCK_STEP - 1];
}

static unsigned char *take_block(struct import_cache *cache, uint32_t capacity)
{
    if (capacity > IMPORT_BLOCK_BYTES_MAX) {
        unsigned char *block = mem_alloc(capacity);
        cache->large_bytes += block != NULL ? capacity : 0;
        return block;
    }
    struct import_block **first = free_of(cache, capacity);
    struct import_block *block = *first;
    if (block == NULL) {
        return arena_alloc(&cache->elements, capacity);
    }
    *first = block->next;
    return (unsigned char *)block;
}

static void give_back(struct import_cache *cache, void *record, uint32_t capacity)
{
    if (capacity > IMPORT_BLOCK_BYTES_MAX) {
        cache->large_bytes -= capacity;
        mem_free(record);
    } else if (capacity > 0) {
        struct import_block **first = free_of(cache, capacity);
        struct import_block *block = record;
        block->next = *first;
        *first = block;
    }
}

bool import_cache_set(struct import_cache *cache, struct import_element *element,
                      struct yore_bytes record)
{
    if (record.size > element->record_capacity || element->record == NULL) {
        size_t wanted = record.size + record.size / 8 + IMPORT_BLOCK_STEP;
        uint32_t capacity = (uint32_t)(wanted - wanted % IMPORT_BLOCK_STEP);
        unsigned char *block = take_block(cache, capacity);
        if (block == NULL) {
            return false;
        }
        give_back(cache, element->record, element->record_capacity);
        element->record = block;
        element->record_capacity = capacity;
    }
    memcpy(element->record, record.data, record.size);
    element->record_size = (uint32_t)record.size;
    return true;
}

void import_cache_end(struct import_cache *cache, struct import_element *element)
{
    give_back(cache, element->record, element->record_capacity);
    element->record = NULL;
    element->record_size = 0;
    element->record_capacity = 0;
}
