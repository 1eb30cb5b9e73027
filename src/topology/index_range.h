/* index_range.h -- from the bounds of an index scan to a range of keys. */
#ifndef YORE_TOPOLOGY_INDEX_RANGE_H
#define YORE_TOPOLOGY_INDEX_RANGE_H

#include "base/buffer.h"
#include "topology/graph.h"

struct index_range {
    struct buffer low;
    struct buffer high;
    bool is_empty; /* nothing can be between the bounds */
};
/* Bounds of different kinds, and NaN, leave the range empty.  Errors: YORE_INVALID (a bound that
 * cannot be a property), YORE_NOMEM; release in any case. */
enum yore_status index_range_make(struct index_range *range, uint32_t index,
                                  const struct graph_scan_options *options,
                                  struct yore_error *error_out);
void index_range_release(struct index_range *range);

#endif
