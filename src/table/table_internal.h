/* table_internal.h -- a table handle, what is loaded of its file, and how pages are reached; for
 * src/table only. */
#ifndef YORE_TABLE_TABLE_INTERNAL_H
#define YORE_TABLE_TABLE_INTERNAL_H

#include <stdatomic.h>

#include "os/thread.h"
#include "table/page_cache_internal.h"
#include "table/page_pack.h"
#include "table/table.h"
#include "table/table_index.h"

/* The part of a table that comes and goes under the pool's limit. */
struct table_loaded {
    struct os_file *file;
    struct table_index index;
    unsigned char *filter; /* aligned to its lines */
    size_t filter_size;
    struct page_slot *slots; /* one a page */
    uint32_t page_keys;      /* in a page, about: how much of it to fetch ahead */
    enum page_class page_class;
    uint64_t index_offset; /* where the pages end */
    uint64_t charged;      /* bytes told to the cache */
};

/* state: users in the low bits; TABLE_LOADED while `loaded` may be used; TABLE_BUSY while the pool
 * takes it away. */
#define TABLE_LOADED 0x80000000u
#define TABLE_BUSY 0x40000000u

struct table {
    _Atomic uint32_t state;
    _Atomic uint8_t used; /* since the pool's hand last passed */
    bool is_in_pool;      /* in the pool's ring; under the pool's lock */
    bool is_dead;         /* set before close, by one thread */
    struct table_loaded
        *loaded; /* written under load_lock while not TABLE_LOADED, or under TABLE_BUSY */
    struct table_pool *pool;
    struct file_identity identity;
    uint64_t check_id;
    struct table_meta meta;
    char *path;
    struct os_mutex load_lock;
    struct table *ring_next; /* under the pool's lock */
    struct table *ring_prev;
};

/* Make `table->loaded` usable until table_unuse().  Errors as table_get. */
enum yore_status table_use(struct table *table, struct yore_error *error_out);
static inline void table_unuse(struct table *table)
{
    /* Release: pairs with the acquire of the pool when it takes the table away. */
    atomic_fetch_sub_explicit(&table->state, 1, memory_order_release);
}

struct os_env *table_pool_env(const struct table_pool *pool);
struct page_cache *table_pool_cache(const struct table_pool *pool);
/* A decompressor and its buffers, from a small stock; NULL: out of memory. */
struct page_unpacker *table_pool_take_unpacker(struct table_pool *pool);
void table_pool_give_unpacker(struct table_pool *pool, struct page_unpacker *unpacker);

/* Read and check header, footer, index, filter and meta.  `*loaded_out` is NULL on failure. */
enum yore_status table_load(struct table *table, struct table_loaded **loaded_out,
                            struct yore_error *error_out);
void table_unload(struct table *table, struct table_loaded *loaded); /* NULL is ignored */

/* The table is in use.  Its page `number`, pinned; `is_private`: not kept in the cache. */
enum yore_status table_pin_page(struct table *table, uint32_t number, bool is_private,
                                struct page_frame **frame_out, struct yore_error *error_out);
/* Read, check and decode a page past the cache. */
enum yore_status table_read_page(struct table *table, uint32_t number, struct page **page_out,
                                 struct yore_error *error_out);

/* YORE_CORRUPT or YORE_BAD_FORMAT with path and offset. */
enum yore_status table_error(const struct table *table, enum yore_status status, uint64_t offset,
                             const char *what, struct yore_error *error_out);

#endif
