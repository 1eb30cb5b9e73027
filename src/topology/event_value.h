/* event_value.h -- a JSON object of properties, as values of a record. */
#ifndef YORE_TOPOLOGY_EVENT_VALUE_H
#define YORE_TOPOLOGY_EVENT_VALUE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "topology/element_state.h"

#define EVENT_NAMES_KNOWN 64 /* a power of two */
#define EVENT_NAME_BYTES 26

/* What is used for one event after the other.  Zeroed, but for the graph, is ready. */
struct event_reader {
    struct graph *graph;
    struct buffer text;   /* of a name, a string, a number */
    struct buffer value;  /* encoded */
    struct buffer member; /* of a list: encoded behind its count */
    /* Names met lately, by a hash of little cost: the same few come back with every event. */
    struct event_name {
        uint32_t token;
        unsigned char kind;
        unsigned char size;
        char octets[EVENT_NAME_BYTES];
    } names[EVENT_NAMES_KNOWN];
};

void event_reader_release(struct event_reader *reader);

/* As graph_make_token(). */
enum yore_status event_token(struct event_reader *reader, enum graph_token_kind kind,
                             struct yore_bytes name, uint32_t *token_out,
                             struct yore_error *error_out);

/* Lay the members of `json` over a state: a null takes a property away.  Names become tokens, made
 * where missing.  Integers that fit 64 bits are integers, other numbers floats; arrays of scalars
 * are lists; objects are refused.  What is made lives in `arena`, or in the text; after an error
 * the state may have some of it.
 * Errors: YORE_INVALID (the text says what is wrong and in which column of `json`), YORE_TOO_BIG,
 * YORE_NOMEM, those of a commit. */
enum yore_status event_properties_apply(struct event_reader *reader, struct yore_bytes json,
                                        struct arena *arena, struct element_state *state,
                                        struct yore_error *error_out);

#endif
