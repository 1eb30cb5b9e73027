/* element_state.h -- the record of a node or relationship: one version of it, whole.
 *
 * A record is read in place (struct element_record) or taken apart to be changed (struct
 * element_state).  Bytes: docs/format-graph.md, "Records".
 */
#ifndef YORE_TOPOLOGY_ELEMENT_STATE_H
#define YORE_TOPOLOGY_ELEMENT_STATE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/coding.h"
#include "topology/graph.h"

/* A record in place: nothing is copied. */
struct element_record {
    enum graph_element element;
    uint32_t type; /* relationships: type and ends */
    uint64_t start_id;
    uint64_t end_id;
    struct yore_bytes external_id;
    struct decoder labels; /* nodes: label_count tokens, ascending */
    size_t label_count;
    struct decoder properties; /* property_count times token and value, ascending by token */
    size_t property_count;
};

/* False: the octets are no record of such an element. */
bool element_record_read(struct yore_bytes octets, enum graph_element element,
                         struct element_record *record_out);
/* Find one property; a decoder at its value.  False: it has none of that token. */
bool element_record_property(const struct element_record *record, uint32_t token,
                             struct decoder *value_out);
bool element_record_has_label(const struct element_record *record, uint32_t label);

struct state_property {
    uint32_t token;
    struct yore_bytes value; /* encoded */
};

struct element_state {
    enum graph_element element;
    uint32_t type;
    uint64_t start_id;
    uint64_t end_id;
    struct yore_bytes external_id;
    const uint32_t *labels; /* ascending */
    size_t label_count;
    const struct state_property *properties; /* ascending */
    size_t property_count;
};

/* Take a record apart; arrays are in `arena`, bytes borrowed from the octets.
 * Errors: YORE_CORRUPT, YORE_NOMEM. */
enum yore_status element_state_decode(struct yore_bytes octets, enum graph_element element,
                                      struct arena *arena, struct element_state *state_out);
void element_state_encode(const struct element_state *state, struct buffer *to);

/* The value of a property; NULL: none. */
const struct yore_bytes *element_state_property(const struct element_state *state, uint32_t token);
bool element_state_has_label(const struct element_state *state, uint32_t label);

/* A state with one property set (`value` NULL: removed), or one label more or less; false: out of
 * memory.  The state's array is replaced by another in `arena`. */
bool element_state_set_property(struct element_state *state, uint32_t token,
                                const struct yore_bytes *value, struct arena *arena);
bool element_state_set_label(struct element_state *state, uint32_t label, bool has,
                             struct arena *arena);
bool element_states_equal(const struct element_state *a, const struct element_state *b);

#endif
