/* claims.h -- what sources say of one element: the record of all their claims at one time, and what
 * they make of it together.
 *
 * Bytes: docs/format-graph.md, "Claims".  Rules of merging: <yore/graph.h>, I2.
 */
#ifndef YORE_TOPOLOGY_CLAIMS_H
#define YORE_TOPOLOGY_CLAIMS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "topology/element_state.h"
#include "topology/entries.h"
#include "topology/graph.h"

/* The source of what was there before any source spoke of it. */
#define CLAIM_BY_HAND 0u

struct claim {
    uint32_t source; /* token */
    int64_t rank;
    int64_t until;           /* YORE_FOREVER, or when it ends by itself */
    struct yore_bytes start; /* relationships: external ids */
    struct yore_bytes end;
    struct element_state state; /* element, type, labels, properties; no ids */
};

struct claims {
    const struct claim *items; /* ascending by source */
    size_t count;
};

/* Take a record apart; arrays in `arena`, octets borrowed.  Errors: YORE_CORRUPT, YORE_NOMEM. */
enum yore_status claims_decode(struct yore_bytes octets, enum graph_element element,
                               struct arena *arena, struct claims *claims_out);
void claims_encode(const struct claims *claims, struct buffer *to);
/* One claim alone, as in a record. */
void claim_encode(const struct claim *claim, struct buffer *to);
bool claim_decode(struct decoder *from, enum graph_element element, struct arena *arena,
                  struct claim *claim_out);

/* NULL: it says nothing. */
const struct claim *claims_find(const struct claims *claims, uint32_t source);
/* Replace, add or (`claim` NULL) take away what a source says; the array is another one in `arena`.
 * False: out of memory. */
bool claims_set(struct claims *claims, uint32_t source, const struct claim *claim,
                struct arena *arena);
/* Both may be NULL. */
bool claim_equal(const struct claim *a, const struct claim *b);
bool claims_equal(const struct claims *a, const struct claims *b);

/* What the claims make together. */
struct merged {
    bool is_there;
    uint32_t source; /* whose claim goes first */
    struct yore_bytes start;
    struct yore_bytes end;
    struct element_state state;
};
/* False: out of memory. */
bool claims_merge(struct graph *graph, const struct claims *claims, struct arena *arena,
                  struct merged *merged_out);

/* The entries that follow from a record: which source claims the element, which ends it names.
 * False: out of memory. */
bool claims_entries(const struct claims *claims, enum graph_element element,
                    struct yore_bytes external_id, struct arena *arena,
                    struct entry_list *entries_out);

/* Keys; appended to a buffer. */
void claim_key(struct buffer *key, enum graph_element element, struct yore_bytes external_id);
/* `relationship` of size 0: the prefix of all that name the end, and the mark that any does. */
void claim_end_key(struct buffer *key, struct yore_bytes end, struct yore_bytes relationship);
void pending_key(struct buffer *key, struct yore_bytes external_id);
void due_key(struct buffer *key, int64_t moment, enum graph_element element,
             struct yore_bytes external_id);

/* Read a CLAIMED key behind its source, or one of a DUE key behind its moment. */
bool claim_key_tail(struct yore_bytes tail, enum graph_element *element_out,
                    struct yore_bytes *external_id_out);
/* The external id of the relationship in a key of an end; size 0: the mark. */
bool claim_end_key_decode(struct yore_bytes key, struct yore_bytes *relationship_out);

#endif
