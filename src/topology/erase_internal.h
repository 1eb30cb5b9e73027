/* erase_internal.h -- an erasure under way, for the files that make it. */
#ifndef YORE_TOPOLOGY_ERASE_INTERNAL_H
#define YORE_TOPOLOGY_ERASE_INTERNAL_H

#include "topology/entries.h"
#include "topology/erase.h"
#include "topology/graph_internal.h"
#include "topology/graph_txn.h"

struct erasing {
    struct graph *graph;
    const struct graph_erasure *erasure;
    uint32_t property; /* its token; GRAPH_NO_TOKEN: everything goes */
    struct graph_txn *txn;
    int64_t begin; /* of time */
    struct graph_rules
        *rules; /* all that there ever were: entries of dropped ones are known, too */
    struct arena arena;
    struct entry_list keys;    /* gathered; settled once all are there */
    struct entry_list pending; /* gathered: external ids of relationships to look at */
    struct entry_list looked_at;
    uint64_t count;  /* elements that go, or lose the property */
    bool is_claimed; /* a source has spoken of the property */
};

/* Is the element the one the erasure names, rather than one that hangs on it? */
static inline bool erasing_names(const struct erasing *erasing, enum graph_element element,
                                 struct yore_bytes external_id)
{
    return element == erasing->erasure->element &&
           bytes_equal(external_id, erasing->erasure->external_id);
}

/* erase_property.c: write the lines of all keys again, as they are known now, without the property.
 */
enum yore_status erase_keep_rest(struct erasing *erasing, struct yore_error *error_out);

#endif
