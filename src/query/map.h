/* map.h -- making maps as the language's values have them: names ascending, each once. */
#ifndef YORE_QUERY_MAP_H
#define YORE_QUERY_MAP_H

#include <stddef.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/status.h"

/* Put `*count` entries in order, in place; of equal names the last one stays.  `arena` lends room.
 * Errors: YORE_NOMEM. */
enum yore_status map_settle(struct arena *arena, struct yore_graph_entry *entries, size_t *count);
/* NULL: there is none of that name. */
const struct yore_graph_value *map_get(const struct yore_graph_map *map, struct yore_bytes name);

#endif
