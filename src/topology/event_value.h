/* event_value.h -- a JSON object of properties, as values of a record. */
#ifndef YORE_TOPOLOGY_EVENT_VALUE_H
#define YORE_TOPOLOGY_EVENT_VALUE_H

#include "base/arena.h"
#include "topology/element_state.h"

/* Lay the members of `json` over a state: a null takes a property away.  Names become tokens, made
 * where missing.  Integers that fit 64 bits are integers, other numbers floats; arrays of scalars
 * are lists; objects are refused.  What is made lives in `arena`, or in the text.
 * Errors: YORE_INVALID (the text says what is wrong and in which column of `json`), YORE_TOO_BIG,
 * YORE_NOMEM, those of a commit. */
enum yore_status event_properties_apply(struct graph *graph, struct yore_bytes json,
                                        struct arena *arena, struct element_state *state,
                                        struct yore_error *error_out);

#endif
