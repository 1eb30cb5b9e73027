#include "topology/graph_pool.h"

#include "base/assert.h"
#include "base/mem.h"
#include "os/thread.h"
#include "topology/graph_internal.h"

struct pooled {
    struct graph *graph;
    size_t refs;
    uint64_t used; /* when it was last asked for, in calls */
};

struct graph_pool {
    struct yore_db *db;
    struct os_mutex lock; /* guards everything below; no I/O under it */
    struct pooled *items;
    size_t count;
    size_t capacity;
    uint64_t calls;
};

enum yore_status graph_pool_new(struct yore_db *db, struct graph_pool **pool_out)
{
    *pool_out = mem_zalloc(sizeof **pool_out);
    if (*pool_out == NULL) {
        return YORE_NOMEM;
    }
    (*pool_out)->db = db;
    os_mutex_init(&(*pool_out)->lock);
    return YORE_OK;
}

void graph_pool_free(struct graph_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (size_t i = 0; i < pool->count; i++) {
        YORE_ASSERT(pool->items[i].refs == 0);
        graph_close(pool->items[i].graph);
    }
    mem_free(pool->items);
    os_mutex_release(&pool->lock);
    mem_free(pool);
}

/* Under the lock: one that is open, referenced. */
static struct graph *find(struct graph_pool *pool, const struct yore_keyspace *keyspace)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (graph_keyspace(pool->items[i].graph) == keyspace) {
            pool->items[i].refs++;
            pool->items[i].used = ++pool->calls;
            return pool->items[i].graph;
        }
    }
    return NULL;
}

/* Under the lock: of too many idle ones, the one used longest ago; off the list. */
static struct graph *take_idle(struct graph_pool *pool)
{
    size_t idle = 0;
    size_t oldest = 0;
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->items[i].refs == 0) {
            oldest = idle == 0 || pool->items[i].used < pool->items[oldest].used ? i : oldest;
            idle++;
        }
    }
    if (idle <= GRAPH_POOL_IDLE_MAX) {
        return NULL;
    }
    struct graph *graph = pool->items[oldest].graph;
    pool->items[oldest] = pool->items[--pool->count];
    return graph;
}

/* Keep a graph that was just opened; another thread may have been faster: then its own is. */
static enum yore_status keep(struct graph_pool *pool, struct graph *opened,
                             struct graph **graph_out, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    struct graph *spare = NULL;
    os_mutex_lock(&pool->lock);
    struct graph *found = find(pool, graph_keyspace(opened));
    if (found != NULL) {
        spare = opened;
    } else {
        struct pooled *grown =
            mem_grow(pool->items, pool->count, &pool->capacity, sizeof *pool->items);
        if (grown == NULL) {
            spare = opened;
            st = error_plain(error_out, YORE_NOMEM);
        } else {
            pool->items = grown;
            pool->items[pool->count++] = (struct pooled){opened, 1, ++pool->calls};
            found = opened;
        }
    }
    os_mutex_unlock(&pool->lock);
    graph_close(spare);
    *graph_out = found;
    return st;
}

enum yore_status graph_pool_get(struct graph_pool *pool, struct yore_bytes name, bool creates,
                                const struct yore_time *at, struct graph **graph_out,
                                struct yore_error *error_out)
{
    struct yore_keyspace *keyspace = NULL;
    error_clear(error_out);
    *graph_out = NULL;
    enum yore_status st = graph_find_keyspace(pool->db, name, at, &keyspace, error_out);
    if (st == YORE_OK) {
        os_mutex_lock(&pool->lock);
        *graph_out = find(pool, keyspace);
        os_mutex_unlock(&pool->lock);
        if (*graph_out != NULL) {
            return YORE_OK;
        }
    } else if (st != YORE_NOT_FOUND || !creates) {
        return st;
    }
    struct graph *opened = NULL;
    st = graph_open(pool->db, name, creates, at, &opened, error_out);
    return st == YORE_OK ? keep(pool, opened, graph_out, error_out) : st;
}

enum yore_status graph_pool_get_empty(struct graph_pool *pool, struct yore_bytes name,
                                      struct graph **graph_out, struct yore_error *error_out)
{
    return graph_open_empty(pool->db, name, graph_out, error_out);
}

void graph_pool_put(struct graph_pool *pool, struct graph *graph)
{
    bool is_pooled = false;
    if (graph == NULL) {
        return;
    }
    os_mutex_lock(&pool->lock);
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->items[i].graph == graph) {
            YORE_ASSERT(pool->items[i].refs > 0);
            pool->items[i].refs--;
            is_pooled = true;
        }
    }
    struct graph *gone = take_idle(pool);
    os_mutex_unlock(&pool->lock);
    graph_close(gone);
    graph_close(is_pooled ? NULL : graph); /* an empty one is its user's alone: it has a name */
}
