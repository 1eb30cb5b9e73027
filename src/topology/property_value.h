/* property_value.h -- property values as octets in a record, and back.
 *
 * A value is an octet with its kind (the numbers of enum yore_graph_kind; a true BOOL is 0x11),
 * then what the kind needs; docs/format-graph.md, "Values".  A list or map is a count and its
 * members one after the other, those of a map each behind its name.
 */
#ifndef YORE_TOPOLOGY_PROPERTY_VALUE_H
#define YORE_TOPOLOGY_PROPERTY_VALUE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/coding.h"
#include "topology/graph.h"

/* Append a value.  Errors: YORE_INVALID (a node, relationship or path; a map whose names are not in
 * order), YORE_TOO_BIG (nested deeper than GRAPH_VALUE_DEPTH_MAX); YORE_NOMEM is left in the
 * buffer. */
enum yore_status property_value_encode(struct buffer *to, const struct yore_graph_value *value,
                                       struct yore_error *error_out);
/* Pass over one value; false (and from->is_bad): malformed. */
bool property_value_skip(struct decoder *from);
/* Decode one value.  Strings point into the decoder's octets: these must live as long as the value.
 * Errors: YORE_CORRUPT, YORE_NOMEM. */
enum yore_status property_value_decode_any(struct decoder *from, struct arena *arena,
                                           struct yore_graph_value *value_out);
static inline enum yore_status property_value_decode(struct decoder *from, struct arena *arena,
                                                     struct yore_graph_value *value_out)
{
    const unsigned char *at = from->at;
    size_t left = decoder_left(from);
    if (left < 2 || at[0] != YORE_GRAPH_STRING || at[1] >= 0x80 || at[1] > left - 2) {
        return property_value_decode_any(from, arena, value_out);
    }
    value_out->kind = YORE_GRAPH_STRING; /* a short one, as most are */
    value_out->as.string = bytes_of(at + 2, at[1]);
    from->at = at + 2 + at[1];
    return YORE_OK;
}

#endif
