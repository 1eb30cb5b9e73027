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
    uint64_t hash;
};

/* A zeroed cache is empty. */
struct import_cache {
    struct import_element **slots; /* open addressing by hash */
    size_t slot_count;
    size_t count;
    size_t record_bytes;
    struct arena elements;
};

void import_cache_release(struct import_cache *cache);
/* What all of it takes, about. */
size_t import_cache_bytes(const struct import_cache *cache);
/* NULL: not met yet. */
struct import_element *import_cache_find(const struct import_cache *cache,
                                         enum graph_element element, struct yore_bytes external_id);
/* Enter one that was not met; copies the id.  NULL: out of memory. */
struct import_element *import_cache_add(struct import_cache *cache, enum graph_element element,
                                        struct yore_bytes external_id);
/* Give it a record (copied), or none. */
bool import_cache_set(struct import_cache *cache, struct import_element *element,
                      struct yore_bytes record);
void import_cache_end(struct import_cache *cache, struct import_element *element);

#endif
