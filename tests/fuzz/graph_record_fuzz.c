/* Octets of a graph are a record, a value, a key, an event line, or refused; what is accepted means
 * the same after it was written again.  The first octet says what the rest is meant to be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fuzz.h"
#include "topology/element_state.h"
#include "topology/event_line.h"
#include "topology/graph_key.h"
#include "topology/index_value.h"
#include "topology/property_value.h"

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "graph_record_fuzz: %s\n", what);
        abort();
    }
}

static void check_value(struct yore_bytes octets, struct arena *arena)
{
    struct decoder from;
    struct decoder skipped;
    struct yore_graph_value value;
    struct buffer again = {0};
    struct buffer key = {0};
    decoder_init(&from, octets.data, octets.size);
    skipped = from;
    bool is_skipped = property_value_skip(&skipped);
    if (property_value_decode(&from, arena, &value) == YORE_OK) {
        must(is_skipped && skipped.at == from.at, "skipping and decoding disagree");
        /* The names of a map may be out of order in what was never written by us. */
        if (property_value_encode(&again, &value, NULL) == YORE_OK) {
            struct yore_graph_value second;
            decoder_init(&from, again.data, again.size);
            must(property_value_decode(&from, arena, &second) == YORE_OK &&
                     decoder_left(&from) == 0 && second.kind == value.kind,
                 "a value reads back otherwise");
        }
    }
    decoder_init(&from, octets.data, octets.size);
    bool has_key = index_value_append(&key, &from);
    must(!has_key || is_skipped, "an index takes what is no value");
    buffer_release(&again);
    buffer_release(&key);
}

static void check_record(struct yore_bytes octets, enum graph_element element, struct arena *arena)
{
    struct element_state state;
    struct element_state second;
    struct buffer again = {0};
    if (element_state_decode(octets, element, arena, &state) != YORE_OK) {
        return;
    }
    element_state_encode(&state, &again);
    must(element_state_decode(buffer_bytes(&again), element, arena, &second) == YORE_OK &&
             element_states_equal(&state, &second),
         "a record reads back otherwise");
    for (size_t i = 0; i < state.property_count; i++) {
        must(element_state_property(&state, state.properties[i].token) != NULL,
             "a property is lost");
        check_value(state.properties[i].value, arena);
    }
    buffer_release(&again);
}

static void check_key(struct yore_bytes octets)
{
    struct graph_adjacency adjacency;
    if (graph_key_adjacency_decode(octets, &adjacency)) {
        struct graph_key key = graph_key_adjacency(&adjacency, ADJACENCY_WHOLE);
        struct graph_adjacency again;
        must(graph_key_adjacency_decode(graph_key_bytes(&key), &again) &&
                 again.relationship == adjacency.relationship && again.other == adjacency.other &&
                 again.node == adjacency.node && again.type == adjacency.type,
             "a key reads back otherwise");
    }
    uint64_t node;
    struct yore_bytes value;
    if (graph_key_index_decode(octets, &node, &value)) {
        must(value.size < octets.size, "the value of an index key is too long");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct event_line event;
    if (size == 0) {
        return 0;
    }
    struct yore_bytes rest = bytes_of(data + 1, size - 1);
    switch (data[0]) {
    case 'n':
        check_record(rest, GRAPH_NODE, &arena);
        break;
    case 'r':
        check_record(rest, GRAPH_RELATIONSHIP, &arena);
        break;
    case 'v':
        check_value(rest, &arena);
        break;
    case 'k':
        check_key(rest);
        break;
    default:
        must(event_line_parse(rest, &event) != NULL || event.id.size > 0, "an event without an id");
    }
    arena_release(&arena);
    return 0;
}
