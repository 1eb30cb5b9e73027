/* handles.c -- see handles.h. */
#include "engine/handles.h"

#include <stdio.h>

#include "engine/db_internal.h"
#include "table/page_cache.h"

#define LIST_BYTES 256

static const char *const names[HANDLE_COUNT][2] = {
#define HANDLE_NAMES(name, one, many) {one, many},
    HANDLES(HANDLE_NAMES)
#undef HANDLE_NAMES
};

static int64_t open_count(const struct handles *h, enum handle kind)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < HANDLES_SHARDS; i++) {
        sum += atomic_load_explicit(&h->shards[i].open[kind], memory_order_relaxed);
    }
    return sum;
}

enum yore_status handles_check(const struct yore_db *db, struct yore_error *error_out)
{
    char list[LIST_BYTES] = "";
    size_t size = 0;
    for (unsigned kind = 0; kind < HANDLE_COUNT; kind++) {
        int64_t count = open_count(&db->handles, (enum handle)kind);
        if (count > 0 && size < sizeof list) {
            size +=
                (size_t)snprintf(list + size, sizeof list - size, "%s%lld %s", size > 0 ? ", " : "",
                                 (long long)count, names[kind][count > 1]);
        }
    }
    return size == 0 ? YORE_OK
                     : error_set(error_out, YORE_BUSY,
                                 "%s: still open: %s; give back what is open and close it again",
                                 db->path, list);
}

enum yore_status handles_check_values(struct yore_db *db, struct yore_error *error_out)
{
    uint64_t pins = db->cache != NULL ? page_cache_pins(db->cache) : 0;
    for (size_t i = 0; i < db->view_count; i++) {
        pins += (uint64_t)striped_ref_count(&db->all_views[i]->refs);
    }
    return pins == 0 ? YORE_OK
                     : error_set(error_out, YORE_BUSY,
                                 "%s: %llu value%s not released; release what was read and close "
                                 "it again",
                                 db->path, (unsigned long long)pins, pins > 1 ? "s are" : " is");
}
