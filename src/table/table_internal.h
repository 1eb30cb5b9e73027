/* table_internal.h -- a table handle, what is loaded of its file, and how pages are reached; for
 * src/table only. */
#ifndef YORE_TABLE_TABLE_INTERNAL_H
#define YORE_TABLE_TABLE_INTERNAL_H

#include <stdatomic.h>

#include "os/striped_ref.h"
#include "table/file_ring.h"
#include "table/page_cache_internal.h"
#include "table/page_pack.h"
#include "table/table.h"
#include "table/table_index.h"

/* The part of a table that comes and goes with the room that the cache has for it. */
struct table_loaded {
    struct table_index index;
    unsigned char *filter; /* aligned to its lines */
    size_t filter_size;
    struct page_slot *slots; /* one a page */
    uint32_t page_keys;      /* in a page, about: how much of it to fetch ahead */
    enum page_class page_class;
    bool is_stamped;       /* every time is the meta's commit_min, whatever index and pages say */
    uint64_t index_offset; /* where the pages end */
    uint64_t charged;      /* bytes told to the cache */
};

struct table {
    struct striped_ref users;    /* open while `loaded` may be used */
    struct table_loaded *loaded; /* written while `users` is closed and without holders */
    _Atomic uint8_t used;        /* since the pool's hand last passed */
    bool is_in_pool;             /* in the pool's ring; under the pool's lock */
    bool is_dead;                /* set before close, by one thread */
    struct table_pool *pool;
    struct file_identity identity;
    uint64_t check_id;
    struct table_meta meta;
    char *path;
    struct kept_file file;
    struct os_mutex load_lock;
    struct table *ring_next; /* under the pool's lock */
    struct table *ring_prev;
};

/* Make `table->loaded` usable until table_unuse().  Errors as table_get. */
enum yore_status table_use(struct table *table, struct yore_error *error_out);
/* The same if it is loaded; false: it is not. */
bool table_try_use(struct table *table);
static inline void table_unuse(struct table *table)
{
    (void)striped_ref_give(&table->users); /* the pool finds out by itself */
}

/* Make `table->file.file` readable until kept_file_unpin(): for one read, that handles stay few. */
enum yore_status table_pin_file(struct table *table, struct yore_error *error_out);
struct page_cache *table_pool_cache(const struct table_pool *pool);
struct file_ring *table_pool_files(const struct table_pool *pool);
/* A decompressor and its buffers, from a small stock; NULL: out of memory. */
struct page_unpacker *table_pool_take_unpacker(struct table_pool *pool);
void table_pool_give_unpacker(struct table_pool *pool, struct page_unpacker *unpacker);

/* Read and check header, footer, index, filter and meta.  `*loaded_out` is NULL on failure. */
enum yore_status table_load(struct table *table, struct table_loaded **loaded_out,
                            struct yore_error *error_out);
void table_unload(struct table *table, struct table_loaded *loaded); /* NULL is ignored */

/* YORE_CORRUPT when the file ends before. */
enum yore_status table_read_exactly(struct table *table, uint64_t offset, void *data, size_t size,
                                    struct yore_error *error_out);

/* Where a page may come from, and whether it stays. */
enum page_reach {
    PAGE_KEPT,     /* from memory or disk, kept in the cache */
    PAGE_PRIVATE,  /* the same, not kept */
    PAGE_IN_MEMORY /* YORE_BUSY, without a text, where it is on disk only */
};

/* The table is in use.  Its page `number`, pinned. */
enum yore_status table_pin_page(struct table *table, uint32_t number, enum page_reach reach,
                                struct page_frame **frame_out, struct yore_error *error_out);
/* Read, check and decode a page past the cache. */
enum yore_status table_read_page(struct table *table, uint32_t number, struct page **page_out,
                                 struct yore_error *error_out);

/* YORE_CORRUPT or YORE_BAD_FORMAT with path and offset. */
enum yore_status table_error(const struct table *table, enum yore_status status, uint64_t offset,
                             const char *what, struct yore_error *error_out);

#endif
