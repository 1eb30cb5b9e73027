#include "query/query_cache.h"

#include "base/hash.h"
#include "base/mem.h"
#include "query/query_internal.h"

/* A text in an entry's set of WAYS places; the one used longest ago gives way. */
#define WAYS 4
#define SETS (QUERY_TEXTS_CACHED_MAX / WAYS)

struct entry {
    struct query *query; /* NULL: free */
    uint64_t hash;
    uint64_t used; /* when, in calls */
};

struct query_cache {
    const struct procedure_set *procedures;
    struct os_mutex lock; /* guards everything below */
    uint64_t calls;
    struct query_cache_stats stats;
    struct entry entries[SETS][WAYS];
};

enum yore_status query_cache_new(const struct procedure_set *procedures,
                                 struct query_cache **cache_out)
{
    *cache_out = mem_zalloc(sizeof(**cache_out));
    if (*cache_out == NULL) {
        return YORE_NOMEM;
    }
    (*cache_out)->procedures = procedures;
    os_mutex_init(&(*cache_out)->lock);
    return YORE_OK;
}

void query_cache_free(struct query_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t s = 0; s < SETS; s++) {
        for (size_t w = 0; w < WAYS; w++) {
            query_free(cache->entries[s][w].query);
        }
    }
    os_mutex_release(&cache->lock);
    mem_free(cache);
}

static struct query *find(struct query_cache *cache, uint64_t hash, struct yore_bytes text)
{
    struct entry *set = cache->entries[hash % SETS];
    for (size_t w = 0; w < WAYS; w++) {
        struct query *query = set[w].query;
        if (query != NULL && set[w].hash == hash && bytes_equal(query->statement->text, text)) {
            set[w].used = ++cache->calls;
            query_ref(query);
            return query;
        }
    }
    return NULL;
}

/* Keep it; the one that has to go for it comes back. */
static struct query *keep(struct query_cache *cache, uint64_t hash, struct query *query)
{
    struct entry *set = cache->entries[hash % SETS];
    struct entry *place = &set[0];
    for (size_t w = 1; w < WAYS; w++) {
        bool is_older = set[w].query == NULL || set[w].used < place->used;
        if (place->query != NULL && is_older) {
            place = &set[w];
        }
    }
    struct query *gone = place->query;
    query_ref(query);
    *place = (struct entry){query, hash, ++cache->calls};
    cache->stats.count += gone == NULL ? 1 : 0;
    return gone;
}

enum yore_status query_cache_get(struct query_cache *cache, struct yore_bytes text,
                                 struct query **query_out, struct query_error *error_out)
{
    uint64_t hash = hash_bytes(text);
    os_mutex_lock(&cache->lock);
    *query_out = find(cache, hash, text);
    cache->stats.hits += *query_out != NULL ? 1 : 0;
    cache->stats.misses += *query_out == NULL ? 1 : 0;
    os_mutex_unlock(&cache->lock);
    if (*query_out != NULL) {
        return YORE_OK;
    }
    enum yore_status st = query_prepare_with(text, cache->procedures, query_out, error_out);
    if (st != YORE_OK || text.size > QUERY_TEXT_CACHED_BYTES_MAX) {
        return st;
    }
    os_mutex_lock(&cache->lock);
    struct query *gone = keep(cache, hash, *query_out);
    os_mutex_unlock(&cache->lock);
    query_free(gone);
    return YORE_OK;
}

struct query_cache_stats query_cache_stats(struct query_cache *cache)
{
    os_mutex_lock(&cache->lock);
    struct query_cache_stats stats = cache->stats;
    os_mutex_unlock(&cache->lock);
    return stats;
}
