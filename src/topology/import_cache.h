/* import_cache.h -- the elements an import has met, as they are after the last of its events. */
#ifndef YORE_TOPOLOGY_IMPORT_CACHE_H
#define YORE_TOPOLOGY_IMPORT_CACHE_H

#include "base/arena.h"
#include "topology/graph.h"

struct import_element {
    struct import_element *start; /* relationships: their ends */
    struct import_element *end;
    struct yore_bytes external_id;
    unsigned char *record; /* NULL: not there */
    uint32_t record_size;
    uint32_t record_capacity;
    uint32_t degree; /* nodes: relationships there, a loop counted twice */
    enum graph_element element;
    uint64_t id;
};

/* The hash lies beside the element, which is touched only where it is the one. */
struct import_slot {
    uint64_t hash;
    struct import_element *element; /* NULL: free */
};

/* Records of up to so many octets lie among the elements. */
#define IMPORT_BLOCK_STEP 16
#define IMPORT_BLOCK_CLASSES 64
#define IMPORT_BLOCK_BYTES_MAX (IMPORT_BLOCK_STEP * IMPORT_BLOCK_CLASSES)

struct import_block;

/* A zeroed cache is empty. */
struct import_cache {
    struct import_slot *slots; /* open addressing by hash */
    size_t slot_count;
    size_t count;
    size_t large_bytes; /* of records that are blocks of their own */
    /* Elements, each with its id and, as a rule, its record behind it: who meets one asks for all
     * of that together. */
    struct arena elements;
    struct import_block *free[IMPORT_BLOCK_CLASSES]; /* given back, by capacity */
};

void import_cache_release(struct import_cache *cache);
/* What all of it takes, about. */
size_t import_cache_bytes(const struct import_cache *cache);
uint64_t import_cache_hash(enum graph_element element, struct yore_bytes external_id);
/* Ask for the memory that finding elements of these hashes takes, all at once. */
void import_cache_prefetch(const struct import_cache *cache, const uint64_t *hashes, size_t count);
/* By its external id and the hash of it.  NULL: not met yet. */
struct import_element *import_cache_find(const struct import_cache *cache,
                                         enum graph_element element, struct yore_bytes external_id,
                                         uint64_t hash);
/* Enter one that was not met; copies the id.  NULL: out of memory. */
struct import_element *import_cache_add(struct import_cache *cache, enum graph_element element,
                                        struct yore_bytes external_id, uint64_t hash);
/* Give it a record (copied), or none. */
bool import_cache_set(struct import_cache *cache, struct import_element *element,
                      struct yore_bytes record);
void import_cache_end(struct import_cache *cache, struct import_element *element);

#endif
