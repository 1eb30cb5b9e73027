/* element_state.c -- see element_state.h. */
#include "topology/element_state.h"

#include <string.h>

#include "topology/limits.h"
#include "topology/property_value.h"

static uint32_t get_token(struct decoder *from)
{
    uint64_t token = decode_varint(from);
    if (token == GRAPH_NO_TOKEN || token > GRAPH_TOKENS_MAX) {
        from->is_bad = true;
    }
    return (uint32_t)token;
}

static size_t get_count(struct decoder *from, uint64_t max)
{
    uint64_t count = decode_varint(from);
    if (count > max || count > decoder_left(from)) {
        from->is_bad = true;
        return 0;
    }
    return (size_t)count;
}

bool element_record_read(struct yore_bytes octets, enum graph_element element,
                         struct element_record *record_out)
{
    struct decoder from;
    decoder_init(&from, octets.data, octets.size);
    *record_out = (struct element_record){.element = element};
    if (element == GRAPH_RELATIONSHIP) {
        record_out->type = get_token(&from);
        record_out->start_id = decode_varint(&from);
        record_out->end_id = decode_varint(&from);
    } else {
        record_out->label_count = get_count(&from, GRAPH_LABELS_MAX);
        record_out->labels = from;
        for (size_t i = 0; i < record_out->label_count; i++) {
            get_token(&from);
        }
    }
    size_t size = get_count(&from, GRAPH_EXTERNAL_ID_BYTES_MAX);
    record_out->external_id = bytes_of(decode_run(&from, size), size);
    record_out->property_count = get_count(&from, GRAPH_PROPERTIES_MAX);
    record_out->properties = from;
    return !from.is_bad && size > 0;
}

bool element_record_property(const struct element_record *record, uint32_t token,
                             struct decoder *value_out)
{
    struct decoder at = record->properties;
    for (size_t i = 0; i < record->property_count && !at.is_bad; i++) {
        uint32_t found = get_token(&at);
        if (found == token) {
            *value_out = at;
            return true;
        }
        if (found > token || !property_value_skip(&at)) {
            return false;
        }
    }
    return false;
}

bool element_record_has_label(const struct element_record *record, uint32_t label)
{
    struct decoder at = record->labels;
    for (size_t i = 0; i < record->label_count; i++) {
        if (get_token(&at) == label) {
            return true;
        }
    }
    return false;
}

static bool decode_labels(const struct element_record *record, uint32_t *labels)
{
    struct decoder at = record->labels;
    for (size_t i = 0; i < record->label_count; i++) {
        labels[i] = get_token(&at);
        if (i > 0 && labels[i] <= labels[i - 1]) {
            return false;
        }
    }
    return !at.is_bad;
}

static bool decode_properties(const struct element_record *record,
                              struct state_property *properties)
{
    struct decoder at = record->properties;
    for (size_t i = 0; i < record->property_count; i++) {
        properties[i].token = get_token(&at);
        const unsigned char *begin = at.at;
        if (!property_value_skip(&at) ||
            (i > 0 && properties[i].token <= properties[i - 1].token)) {
            return false;
        }
        properties[i].value = bytes_of(begin, (size_t)(at.at - begin));
    }
    return !at.is_bad && decoder_left(&at) == 0;
}

enum yore_status element_state_decode(struct yore_bytes octets, enum graph_element element,
                                      struct arena *arena, struct element_state *state_out)
{
    struct element_record record;
    if (!element_record_read(octets, element, &record)) {
        return YORE_CORRUPT;
    }
    uint32_t *labels = arena_alloc(arena, record.label_count * sizeof *labels + 1);
    struct state_property *properties =
        arena_alloc(arena, record.property_count * sizeof *properties + 1);
    if (labels == NULL || properties == NULL) {
        return YORE_NOMEM;
    }
    *state_out = (struct element_state){
        .element = element,
        .type = record.type,
        .start_id = record.start_id,
        .end_id = record.end_id,
        .external_id = record.external_id,
        .labels = labels,
        .label_count = record.label_count,
        .properties = properties,
        .property_count = record.property_count,
    };
    return decode_labels(&record, labels) && decode_properties(&record, properties) ? YORE_OK
                                                                                    : YORE_CORRUPT;
}

/* No record of the state takes more octets. */
static size_t encoded_most(const struct element_state *state)
{
    size_t most = (5 + state->label_count + state->property_count) * VARINT_BYTES_MAX +
                  state->external_id.size;
    for (size_t i = 0; i < state->property_count; i++) {
        most += state->properties[i].value.size;
    }
    return most;
}

static unsigned char *put_run(unsigned char *at, struct yore_bytes run)
{
    if (run.size > 0) {
        memcpy(at, run.data, run.size);
    }
    return at + run.size;
}

void element_state_encode(const struct element_state *state, struct buffer *to)
{
    if (!buffer_reserve(to, encoded_most(state))) {
        return;
    }
    unsigned char *at = to->data + to->size;
    if (state->element == GRAPH_RELATIONSHIP) {
        at += varint_encode(at, state->type);
        at += varint_encode(at, state->start_id);
        at += varint_encode(at, state->end_id);
    } else {
        at += varint_encode(at, state->label_count);
        for (size_t i = 0; i < state->label_count; i++) {
            at += varint_encode(at, state->labels[i]);
        }
    }
    at += varint_encode(at, state->external_id.size);
    at = put_run(at, state->external_id);
    at += varint_encode(at, state->property_count);
    for (size_t i = 0; i < state->property_count; i++) {
        at += varint_encode(at, state->properties[i].token);
        at = put_run(at, state->properties[i].value);
    }
    to->size = (size_t)(at - to->data);
}

/* ---- finding and changing ---- */

static size_t property_place(const struct element_state *state, uint32_t token)
{
    size_t low = 0;
    size_t high = state->property_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (state->properties[middle].token < token) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct yore_bytes *element_state_property(const struct element_state *state, uint32_t token)
{
    size_t place = property_place(state, token);
    bool is_there = place < state->property_count && state->properties[place].token == token;
    return is_there ? &state->properties[place].value : NULL;
}

static size_t label_place(const struct element_state *state, uint32_t label)
{
    size_t place = 0;
    while (place < state->label_count && state->labels[place] < label) {
        place++;
    }
    return place;
}

bool element_state_has_label(const struct element_state *state, uint32_t label)
{
    size_t place = label_place(state, label);
    return place < state->label_count && state->labels[place] == label;
}

bool element_state_set_property(struct element_state *state, uint32_t token,
                                const struct yore_bytes *value, struct arena *arena)
{
    size_t place = property_place(state, token);
    size_t is_there = element_state_property(state, token) != NULL ? 1 : 0;
    size_t count = state->property_count - is_there;
    size_t has = value != NULL ? 1 : 0;
    struct state_property *properties = arena_alloc(arena, (count + has) * sizeof *properties + 1);
    if (properties == NULL) {
        return false;
    }
    for (size_t i = 0; i < place; i++) {
        properties[i] = state->properties[i];
    }
    if (value != NULL) {
        properties[place] = (struct state_property){token, *value};
    }
    for (size_t i = place; i < count; i++) {
        properties[i + has] = state->properties[i + is_there];
    }
    state->properties = properties;
    state->property_count = count + has;
    return true;
}

bool element_state_set_label(struct element_state *state, uint32_t label, bool has,
                             struct arena *arena)
{
    size_t place = label_place(state, label);
    size_t is_there = element_state_has_label(state, label) ? 1 : 0;
    size_t count = state->label_count - is_there;
    size_t will = has ? 1 : 0;
    uint32_t *labels = arena_alloc(arena, (count + will) * sizeof *labels + 1);
    if (labels == NULL) {
        return false;
    }
    for (size_t i = 0; i < place; i++) {
        labels[i] = state->labels[i];
    }
    if (has) {
        labels[place] = label;
    }
    for (size_t i = place; i < count; i++) {
        labels[i + will] = state->labels[i + is_there];
    }
    state->labels = labels;
    state->label_count = count + will;
    return true;
}

bool element_states_equal(const struct element_state *a, const struct element_state *b)
{
    if (a->label_count != b->label_count || a->property_count != b->property_count) {
        return false;
    }
    for (size_t i = 0; i < a->label_count; i++) {
        if (a->labels[i] != b->labels[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < a->property_count; i++) {
        if (a->properties[i].token != b->properties[i].token ||
            !bytes_equal(a->properties[i].value, b->properties[i].value)) {
            return false;
        }
    }
    return true;
}
