/* value_set.h -- a set of values, or of rows of values, by value_is_same(): DISTINCT, grouping,
 * UNION.
 *
 * Open addressing in an arena; entries are numbered in the order they came and never removed.  What
 * is put in is copied.
 */
#ifndef YORE_QUERY_VALUE_SET_H
#define YORE_QUERY_VALUE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/status.h"

/* Zeroed but for `arena` and `width` is empty. */
struct value_set {
    struct arena *arena;
    size_t width;                     /* values of an entry, >= 0 */
    struct yore_graph_value *entries; /* width * count, in order of arrival */
    uint64_t *hashes;
    uint32_t *places; /* entry + 1; 0: free */
    size_t count;
    size_t capacity;       /* of entries and hashes */
    size_t place_capacity; /* a power of two */
};

void value_set_init(struct value_set *set, struct arena *arena, size_t width);
/* The number of the entry that is the same as `values`, put in when there was none.
 * Errors: YORE_NOMEM; YORE_TOO_BIG beyond 2^32 - 2 entries. */
enum yore_status value_set_put(struct value_set *set, const struct yore_graph_value *values,
                               size_t *index_out, bool *is_new_out);
/* The `width` values of entry `index` < count. */
const struct yore_graph_value *value_set_at(const struct value_set *set, size_t index);

#endif
