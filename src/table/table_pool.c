/* table_pool.c -- table handles, and which of them have their index and filter in memory.
 * Their files come and go apart from that (file_ring.h). */
#include "base/assert.h"
#include "base/mem.h"
#include "table/filter.h"
#include "table/table_format.h"
#include "table/table_internal.h"

#define UNPACKERS 8                   /* kept in stock */
#define UNPACKER_BYTES_MAX (1u << 20) /* one that has grown larger is not kept */

struct table_pool {
    struct os_env *env;
    struct page_cache *cache;
    struct file_ring *files;
    struct os_mutex lock; /* guards the ring; taken after a table's load_lock */
    struct table *hand;   /* in the ring of loaded tables; NULL: empty */
    uint32_t loaded_count;
    _Atomic(struct page_unpacker *) unpackers[UNPACKERS];
};

enum yore_status table_pool_new(struct os_env *env, struct page_cache *cache, uint32_t open_max,
                                struct table_pool **pool_out)
{
    struct table_pool *pool = mem_zalloc(sizeof(*pool));
    *pool_out = pool;
    if (pool == NULL) {
        return YORE_NOMEM;
    }
    pool->env = env;
    pool->cache = cache;
    os_mutex_init(&pool->lock);
    enum yore_status st = file_ring_new(env, open_max, &pool->files);
    if (st != YORE_OK) {
        table_pool_free(pool);
        *pool_out = NULL;
    }
    return st;
}

static void unpacker_free(struct page_unpacker *unpacker)
{
    if (unpacker != NULL) {
        page_unpacker_release(unpacker);
        mem_free(unpacker);
    }
}

void table_pool_free(struct table_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    YORE_ASSERT(pool->loaded_count == 0);
    for (unsigned i = 0; i < UNPACKERS; i++) {
        unpacker_free(atomic_load_explicit(&pool->unpackers[i], memory_order_acquire));
    }
    file_ring_free(pool->files);
    os_mutex_release(&pool->lock);
    mem_free(pool);
}

struct page_cache *table_pool_cache(const struct table_pool *pool)
{
    return pool->cache;
}

bool table_pool_close_file(struct table_pool *pool)
{
    return file_ring_close_any(pool->files);
}

struct file_ring *table_pool_files(const struct table_pool *pool)
{
    return pool->files;
}

struct page_unpacker *table_pool_take_unpacker(struct table_pool *pool)
{
    for (unsigned i = 0; i < UNPACKERS; i++) {
        if (atomic_load_explicit(&pool->unpackers[i], memory_order_relaxed) != NULL) {
            /* Acquire: pairs with the release of the thread that gave it. */
            struct page_unpacker *unpacker =
                atomic_exchange_explicit(&pool->unpackers[i], NULL, memory_order_acquire);
            if (unpacker != NULL) {
                return unpacker;
            }
        }
    }
    return mem_zalloc(sizeof(struct page_unpacker));
}

void table_pool_give_unpacker(struct table_pool *pool, struct page_unpacker *unpacker)
{
    bool is_large = unpacker->stored.capacity > UNPACKER_BYTES_MAX ||
                    unpacker->raw.capacity > UNPACKER_BYTES_MAX;
    for (unsigned i = 0; i < UNPACKERS && !is_large; i++) {
        struct page_unpacker *none = NULL;
        /* Release: pairs with the acquire of the next taker. */
        if (atomic_compare_exchange_strong_explicit(&pool->unpackers[i], &none, unpacker,
                                                    memory_order_release, memory_order_relaxed)) {
            return;
        }
    }
    unpacker_free(unpacker);
}

/* ---- the ring of loaded tables; all REQUIRE the pool's lock ---- */

static void ring_insert(struct table_pool *pool, struct table *table)
{
    if (pool->hand == NULL) {
        table->ring_next = table;
        table->ring_prev = table;
        pool->hand = table;
    } else { /* just behind the hand: last to be looked at */
        table->ring_next = pool->hand;
        table->ring_prev = pool->hand->ring_prev;
        table->ring_prev->ring_next = table;
        pool->hand->ring_prev = table;
    }
    table->is_in_pool = true;
    pool->loaded_count++;
}

static void ring_remove(struct table_pool *pool, struct table *table)
{
    table->ring_prev->ring_next = table->ring_next;
    table->ring_next->ring_prev = table->ring_prev;
    if (pool->hand == table) {
        pool->hand = table->ring_next == table ? NULL : table->ring_next;
    }
    table->is_in_pool = false;
    pool->loaded_count--;
}

/* Take what a table nobody uses has loaded; NULL: it is in use. */
static struct table_loaded *take_loaded(struct table *table)
{
    if (!striped_ref_close(&table->users)) {
        striped_ref_open(&table->users);
        return NULL;
    }
    struct table_loaded *loaded = table->loaded;
    table->loaded = NULL;
    return loaded;
}

/* Turn the hand until a table lets go; NULL: all are in use. */
static struct table_loaded *evict_table(struct table_pool *pool, struct table **table_out)
{
    for (uint32_t left = 2 * pool->loaded_count; left > 0; left--) {
        struct table *table = pool->hand;
        pool->hand = table->ring_next;
        if (atomic_load_explicit(&table->used, memory_order_relaxed) != 0) {
            atomic_store_explicit(&table->used, 0, memory_order_relaxed);
            continue;
        }
        struct table_loaded *loaded = take_loaded(table);
        if (loaded != NULL) {
            ring_remove(pool, table);
            *table_out = table;
            return loaded;
        }
    }
    return NULL;
}

/* Enter a table just loaded; let others go while indexes and filters take more than their part of
 * the cache. */
static void pool_enter(struct table_pool *pool, struct table *table)
{
    os_mutex_lock(&pool->lock);
    ring_insert(pool, table);
    while (pool->loaded_count > 1 && page_cache_is_crowded(pool->cache)) {
        struct table *victim = NULL;
        struct table_loaded *loaded = evict_table(pool, &victim);
        if (loaded == NULL) {
            break;
        }
        table_unload(victim, loaded);
    }
    os_mutex_unlock(&pool->lock);
}

/* ---- using a table ---- */

bool table_try_use(struct table *table)
{
    if (!striped_ref_take(&table->users)) {
        return false;
    }
    if (atomic_load_explicit(&table->used, memory_order_relaxed) == 0) {
        atomic_store_explicit(&table->used, 1, memory_order_relaxed);
    }
    return true;
}

/* Is it loaded, though the hand may just be looking whether anybody uses it? */
static bool is_in_pool(struct table *table)
{
    os_mutex_lock(&table->pool->lock);
    bool is_in_pool = table->is_in_pool;
    os_mutex_unlock(&table->pool->lock);
    return is_in_pool;
}

static enum yore_status load_and_use(struct table *table, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    os_mutex_lock(&table->load_lock);
    while (st == YORE_OK && !table_try_use(table)) {
        if (is_in_pool(table)) {
            continue;
        }
        struct table_loaded *loaded = NULL;
        st = table_load(table, &loaded, error_out);
        if (st == YORE_OK) {
            table->loaded = loaded;
            striped_ref_open(&table->users);
            bool is_used = table_try_use(table);
            YORE_ASSERT(is_used); /* the hand does not find it before it is in the ring */
            pool_enter(table->pool, table);
            break;
        }
    }
    os_mutex_unlock(&table->load_lock);
    return st;
}

enum yore_status table_use(struct table *table, struct yore_error *error_out)
{
    return table_try_use(table) ? YORE_OK : load_and_use(table, error_out);
}

/* ---- handles ---- */

enum yore_status table_open(struct table_pool *pool, const char *path,
                            struct file_identity identity, const struct table_meta *meta,
                            struct table **table_out)
{
    *table_out = NULL;
    struct table *table = mem_alloc_aligned(64, sizeof(*table));
    if (table == NULL) {
        return YORE_NOMEM;
    }
    memset(table, 0, sizeof(*table));
    striped_ref_init(&table->users);
    table->path = mem_copy(path, strlen(path) + 1);
    if (table->path == NULL || table_meta_copy(&table->meta, meta) != YORE_OK) {
        mem_free(table->path);
        mem_free(table);
        return YORE_NOMEM;
    }
    table->pool = pool;
    kept_file_init(&table->file, table->path);
    table->identity = identity;
    table->check_id = file_check_id(&identity);
    os_mutex_init(&table->load_lock);
    *table_out = table;
    return YORE_OK;
}

void table_mark_dead(struct table *table)
{
    table->is_dead = true;
}

void table_close(struct table *table)
{
    if (table == NULL) {
        return;
    }
    struct table_pool *pool = table->pool;
    os_mutex_lock(&pool->lock);
    struct table_loaded *loaded = NULL;
    if (table->is_in_pool) {
        loaded = take_loaded(table);
        YORE_ASSERT(loaded != NULL); /* nobody uses a table that is being closed */
        ring_remove(pool, table);
    }
    os_mutex_unlock(&pool->lock);
    table_unload(table, loaded);
    file_ring_forget(pool->files, &table->file);
    if (table->is_dead) {
        /* A file that stays behind is found and removed at the next open. */
        /* Twice: a file that stays keeps its bytes, erased ones too, until the next opening. */
        if (os_path_unlink(pool->env, table->path, NULL) != YORE_OK) {
            (void)os_path_unlink(pool->env, table->path, NULL);
        }
    }
    os_mutex_release(&table->load_lock);
    table_meta_release(&table->meta);
    mem_free(table->path);
    mem_free(table);
}

const struct table_meta *table_meta(const struct table *table)
{
    return &table->meta;
}

const char *table_path(const struct table *table)
{
    return table->path;
}
