/* graph_pool.h -- open graphs by name, shared by all who ask: for servers.
 *
 * A handle holds names and ids in memory, so one a graph serves every connection.  The pool finds
 * it by the graph's keyspace: a graph that was dropped and made anew under its name is another.
 * Handles that nobody uses stay open, GRAPH_POOL_IDLE_MAX of them, the ones used last.  Any thread;
 * may touch the disk.
 */
#ifndef YORE_TOPOLOGY_GRAPH_POOL_H
#define YORE_TOPOLOGY_GRAPH_POOL_H

#include "topology/graph.h"

struct graph_pool;

/* `db` is kept.  Errors: YORE_NOMEM. */
enum yore_status graph_pool_new(struct yore_db *db, struct graph_pool **pool_out);
/* Every graph must have been given back.  NULL is ignored. */
void graph_pool_free(struct graph_pool *pool);

/* As graph_open(); give the graph back with graph_pool_put() instead of closing it. */
enum yore_status graph_pool_get(struct graph_pool *pool, struct yore_bytes name, bool creates,
                                const struct yore_time *at, struct graph **graph_out,
                                struct yore_error *error_out);
/* As graph_open_empty(); give it back likewise. */
enum yore_status graph_pool_get_empty(struct graph_pool *pool, struct yore_bytes name,
                                      struct graph **graph_out, struct yore_error *error_out);
void graph_pool_put(struct graph_pool *pool, struct graph *graph); /* NULL is ignored */

#endif
