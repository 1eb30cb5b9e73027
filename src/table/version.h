/* version.h -- one version of one key, as every layer from memtable to table hands it on.
 *
 * Order, everywhere: key ascending, then valid_from descending, then commit descending.  (key,
 * valid_from, commit) is unique in a source.  valid_from <= commit always holds.
 */
#ifndef YORE_TABLE_VERSION_H
#define YORE_TABLE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum version_flag {
    /* `value` holds a value_ref (see value_file.h), not the bytes themselves. */
    VERSION_APART = 1,
    /* Current tree only.  The version is back-dated and has not yet met every deeper source: it
     * shadows nothing deeper, and a greater version may exist below it or in history. */
    VERSION_UNRESOLVED = 2,
    /* Slices only.  A copy of a version that began before the slice and holds at its start. */
    VERSION_CARRIED = 4,
    /* Set by a merge, never stored: another source holds the same version as a carried copy. */
    VERSION_ALSO_CARRIED = 8
};

struct version {
    struct yore_bytes key;
    int64_t valid_from;
    int64_t commit;
    int64_t valid_to; /* YORE_FOREVER: none; deletes have none, what was erased keeps its own */
    enum yore_kind kind;
    unsigned flags;          /* enum version_flag */
    struct yore_bytes value; /* empty unless kind is YORE_KIND_PUT */
};

/* A stretch of time: after < t <= until. */
struct time_span {
    int64_t after;
    int64_t until;
};

/* Does the version begin or end in the span? */
static inline bool version_changes_in(const struct version *v, const struct time_span *span)
{
    return (v->valid_from > span->after && v->valid_from <= span->until) ||
           (v->valid_to > span->after && v->valid_to <= span->until);
}

/* A place in the order.  The first place of a key is (key, INT64_MAX, INT64_MAX). */
struct version_place {
    struct yore_bytes key;
    int64_t valid_from;
    int64_t commit;
};

static inline int version_time_compare(int64_t a_valid, int64_t a_commit, int64_t b_valid,
                                       int64_t b_commit)
{
    if (a_valid != b_valid) {
        return a_valid > b_valid ? -1 : 1;
    }
    return a_commit > b_commit ? -1 : a_commit < b_commit;
}

static inline int version_compare(const struct version *a, const struct version *b)
{
    int order = bytes_compare(a->key, b->key);
    return order != 0 ? order
                      : version_time_compare(a->valid_from, a->commit, b->valid_from, b->commit);
}

/* True when `a` beats `b` in a read that may see both: greater (valid_from, commit). */
static inline bool version_is_newer(const struct version *a, const struct version *b)
{
    return version_time_compare(a->valid_from, a->commit, b->valid_from, b->commit) < 0;
}

static inline bool version_is_back_dated(const struct version *v)
{
    return v->valid_from < v->commit;
}

#endif
