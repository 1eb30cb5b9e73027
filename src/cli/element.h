/* element.h -- the state of a node or edge as a value, and what an event makes of it.
 *
 *     node   {"labels":["Class","Role"],"props":{...}}
 *     edge   {"type":"USES","src":"...","dst":"...","props":{...}}
 *
 * Canonical JSON, properties sorted by name: equal states are equal bytes.  Functions append to a
 * buffer; a problem is a sentence without its place, NULL when there is none.
 */
#ifndef YORE_CLI_ELEMENT_H
#define YORE_CLI_ELEMENT_H

#include "base/buffer.h"
#include "base/bytes.h"

/* What an element is given when it is added. */
struct element {
    bool is_edge;
    struct yore_bytes type; /* a node's labels, separated by commas; an edge's type */
    struct yore_bytes source;
    struct yore_bytes target;
    struct yore_bytes properties; /* a JSON object; empty: none */
};

const char *element_create(const struct element *element, struct buffer *state);

/* `state` after the properties in `changes` (a JSON object; null removes one) were set in `before`.
 */
const char *element_change(struct yore_bytes before, struct yore_bytes changes,
                           struct buffer *state);

#endif
