/* query_cache.h -- prepared statements kept by their text: the ones used last, up to a number and a
 * size.  Plans are kept with the statements and follow changes of the schema by themselves, so
 * nothing here has to be thrown away.  Any thread. */
#ifndef YORE_QUERY_QUERY_CACHE_H
#define YORE_QUERY_QUERY_CACHE_H

#include "query/query.h"

struct query_cache;

/* `procedures` (kept) as for query_prepare_with(), or NULL.  Errors: YORE_NOMEM. */
enum yore_status query_cache_new(const struct procedure_set *procedures,
                                 struct query_cache **cache_out);
void query_cache_free(struct query_cache *cache);
/* The statement of `text`, prepared if it is not there; give it back with query_free().
 * Errors: as query_prepare(). */
enum yore_status query_cache_get(struct query_cache *cache, struct yore_bytes text,
                                 struct query **query_out, struct query_error *error_out);
struct query_cache_stats {
    uint64_t hits;
    uint64_t misses;
    uint64_t count;
};
struct query_cache_stats query_cache_stats(struct query_cache *cache);

#endif
