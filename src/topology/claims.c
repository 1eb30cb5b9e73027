/* claims.c -- see claims.h. */
#include "topology/claims.h"

#include <string.h>

#include "base/coding.h"
#include "topology/graph_internal.h"

#define PLACEHOLDER "" /* one octet 00: the external id of a record inside a claim */

/* ---- the record ---- */

void claim_encode(const struct claim *claim, struct buffer *to)
{
    struct buffer record = {0};
    struct element_state state = claim->state;
    state.external_id = bytes_of(PLACEHOLDER, 1);
    element_state_encode(&state, &record);
    buffer_append_varint(to, claim->source);
    buffer_append_zigzag(to, claim->rank);
    buffer_append_u8(to, claim->until != YORE_FOREVER);
    if (claim->until != YORE_FOREVER) {
        buffer_append_zigzag(to, claim->until);
    }
    if (state.element == GRAPH_RELATIONSHIP) {
        buffer_append_varint(to, claim->start.size);
        buffer_append_bytes(to, claim->start);
        buffer_append_varint(to, claim->end.size);
        buffer_append_bytes(to, claim->end);
    }
    buffer_append_varint(to, record.size);
    buffer_append_bytes(to, buffer_bytes(&record));
    to->is_nomem |= record.is_nomem;
    buffer_release(&record);
}

void claims_encode(const struct claims *claims, struct buffer *to)
{
    buffer_append_varint(to, claims->count);
    for (size_t i = 0; i < claims->count; i++) {
        claim_encode(&claims->items[i], to);
    }
}

static struct yore_bytes get_run(struct decoder *from, uint64_t max)
{
    uint64_t size = decode_varint(from);
    if (size > max || size > decoder_left(from)) {
        from->is_bad = true;
        return bytes_of("", 0);
    }
    return bytes_of(decode_run(from, (size_t)size), (size_t)size);
}

bool claim_decode(struct decoder *from, enum graph_element element, struct arena *arena,
                  struct claim *claim_out)
{
    uint64_t source = decode_varint(from);
    *claim_out = (struct claim){.source = (uint32_t)source, .until = YORE_FOREVER};
    claim_out->rank = decode_zigzag(from);
    uint8_t has_end = decode_u8(from);
    if (has_end == 1) {
        claim_out->until = decode_zigzag(from);
    }
    if (element == GRAPH_RELATIONSHIP) {
        claim_out->start = get_run(from, GRAPH_EXTERNAL_ID_BYTES_MAX);
        claim_out->end = get_run(from, GRAPH_EXTERNAL_ID_BYTES_MAX);
    }
    struct yore_bytes record = get_run(from, GRAPH_RECORD_BYTES_MAX);
    if (source > GRAPH_TOKENS_MAX || has_end > 1) {
        from->is_bad = true;
    }
    if (from->is_bad) {
        return true;
    }
    enum yore_status st = element_state_decode(record, element, arena, &claim_out->state);
    claim_out->state.external_id = bytes_of("", 0);
    from->is_bad = st == YORE_CORRUPT;
    return st != YORE_NOMEM;
}

enum yore_status claims_decode(struct yore_bytes octets, enum graph_element element,
                               struct arena *arena, struct claims *claims_out)
{
    struct decoder from;
    decoder_init(&from, octets.data, octets.size);
    uint64_t count = decode_varint(&from);
    *claims_out = (struct claims){0};
    if (from.is_bad || count > GRAPH_CLAIMS_MAX || count > decoder_left(&from)) {
        return YORE_CORRUPT;
    }
    struct claim *items = arena_alloc(arena, (size_t)count * sizeof *items + 1);
    for (size_t i = 0; items != NULL && i < count && !from.is_bad; i++) {
        if (!claim_decode(&from, element, arena, &items[i])) {
            return YORE_NOMEM;
        }
        from.is_bad |= i > 0 && items[i].source <= items[i - 1].source;
    }
    if (items == NULL) {
        return YORE_NOMEM;
    }
    *claims_out = (struct claims){items, (size_t)count};
    return from.is_bad || decoder_left(&from) > 0 ? YORE_CORRUPT : YORE_OK;
}

/* ---- finding and changing ---- */

const struct claim *claims_find(const struct claims *claims, uint32_t source)
{
    for (size_t i = 0; i < claims->count; i++) {
        if (claims->items[i].source == source) {
            return &claims->items[i];
        }
    }
    return NULL;
}

bool claims_set(struct claims *claims, uint32_t source, const struct claim *claim,
                struct arena *arena)
{
    struct claim *items = arena_alloc(arena, (claims->count + 1) * sizeof *items);
    size_t count = 0;
    bool is_placed = claim == NULL;
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < claims->count; i++) {
        if (!is_placed && claims->items[i].source >= source) {
            items[count++] = *claim;
            is_placed = true;
        }
        if (claims->items[i].source != source) {
            items[count++] = claims->items[i];
        }
    }
    if (!is_placed) {
        items[count++] = *claim;
    }
    *claims = (struct claims){items, count};
    return true;
}

bool claim_equal(const struct claim *a, const struct claim *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return a->source == b->source && a->rank == b->rank && a->until == b->until &&
           a->state.type == b->state.type && bytes_equal(a->start, b->start) &&
           bytes_equal(a->end, b->end) && element_states_equal(&a->state, &b->state);
}

bool claims_equal(const struct claims *a, const struct claims *b)
{
    if (a->count != b->count || a->items == b->items) {
        return a->count == b->count;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!claim_equal(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

/* ---- merging ---- */

static bool goes_before(struct graph *graph, const struct claim *a, const struct claim *b)
{
    if (a->source == CLAIM_BY_HAND || b->source == CLAIM_BY_HAND) {
        return b->source == CLAIM_BY_HAND;
    }
    if (a->rank != b->rank) {
        return a->rank > b->rank;
    }
    return bytes_compare(graph_token_name(graph, GRAPH_SOURCE, a->source),
                         graph_token_name(graph, GRAPH_SOURCE, b->source)) < 0;
}

/* Those labels and properties of `more` that the state does not have yet. */
static bool add_missing(struct element_state *state, const struct element_state *more,
                        struct arena *arena)
{
    size_t count = state->property_count + more->property_count;
    struct state_property *properties = arena_alloc(arena, count * sizeof *properties + 1);
    size_t a = 0;
    size_t b = 0;
    size_t kept = 0;
    if (properties == NULL) {
        return false;
    }
    while (a < state->property_count || b < more->property_count) {
        bool takes_a =
            b == more->property_count ||
            (a < state->property_count && state->properties[a].token <= more->properties[b].token);
        bool is_same = takes_a && b < more->property_count &&
                       state->properties[a].token == more->properties[b].token;
        properties[kept++] = takes_a ? state->properties[a++] : more->properties[b++];
        b += is_same;
    }
    state->properties = properties;
    state->property_count = kept;
    for (size_t i = 0; i < more->label_count; i++) {
        if (!element_state_has_label(state, more->labels[i]) &&
            !element_state_set_label(state, more->labels[i], true, arena)) {
            return false;
        }
    }
    return true;
}

bool claims_merge(struct graph *graph, const struct claims *claims, struct arena *arena,
                  struct merged *merged_out)
{
    const struct claim **order = arena_alloc(arena, claims->count * sizeof *order + 1);
    *merged_out = (struct merged){.is_there = claims->count > 0};
    if (order == NULL) {
        return false;
    }
    for (size_t i = 0; i < claims->count; i++) {
        size_t place = i;
        while (place > 0 && goes_before(graph, &claims->items[i], order[place - 1])) {
            order[place] = order[place - 1];
            place--;
        }
        order[place] = &claims->items[i];
    }
    for (size_t i = 0; i < claims->count; i++) {
        if (i == 0) {
            merged_out->source = order[0]->source;
            merged_out->start = order[0]->start;
            merged_out->end = order[0]->end;
            merged_out->state = order[0]->state;
        } else if (!add_missing(&merged_out->state, &order[i]->state, arena)) {
            return false;
        }
    }
    return true;
}

/* ---- keys ---- */

void claim_key(struct buffer *key, enum graph_element element, struct yore_bytes external_id)
{
    buffer_append_u8(key, GRAPH_KEY_CLAIMS);
    buffer_append_u8(key, (uint8_t)element);
    buffer_append_bytes(key, external_id);
}

static void append_number(struct buffer *key, uint64_t number)
{
    unsigned char octets[KEY_NUMBER_BYTES_MAX];
    buffer_append(key, octets, key_number_encode(octets, number));
}

static void claimed_key(struct buffer *key, uint32_t source, enum graph_element element,
                        struct yore_bytes external_id)
{
    buffer_append_u8(key, GRAPH_KEY_CLAIMED);
    append_number(key, source);
    buffer_append_u8(key, (uint8_t)element);
    buffer_append_bytes(key, external_id);
}

void claim_end_key(struct buffer *key, struct yore_bytes end, struct yore_bytes relationship)
{
    buffer_append_u8(key, GRAPH_KEY_CLAIM_END);
    append_number(key, end.size);
    buffer_append_bytes(key, end);
    buffer_append_bytes(key, relationship);
}

void pending_key(struct buffer *key, struct yore_bytes external_id)
{
    buffer_append_u8(key, GRAPH_KEY_PENDING);
    buffer_append_bytes(key, external_id);
}

void due_key(struct buffer *key, int64_t moment, enum graph_element element,
             struct yore_bytes external_id)
{
    uint64_t sorted = (uint64_t)moment ^ UINT64_C(1) << 63;
    buffer_append_u8(key, GRAPH_KEY_DUE);
    for (int i = 7; i >= 0; i--) {
        buffer_append_u8(key, (uint8_t)(sorted >> (8 * i)));
    }
    buffer_append_u8(key, (uint8_t)element);
    buffer_append_bytes(key, external_id);
}

bool claim_key_tail(struct yore_bytes tail, enum graph_element *element_out,
                    struct yore_bytes *external_id_out)
{
    unsigned element = tail.size > 1 ? *(const unsigned char *)tail.data : 0;
    if (element != GRAPH_NODE && element != GRAPH_RELATIONSHIP) {
        return false;
    }
    *element_out = (enum graph_element)element;
    *external_id_out = bytes_behind(tail, 1);
    return true;
}

bool claim_end_key_decode(struct yore_bytes key, struct yore_bytes *relationship_out)
{
    const unsigned char *begin = key.data;
    const unsigned char *at = begin + 1;
    const unsigned char *end = begin + key.size;
    uint64_t size = 0;
    if (key.size < 2 || !key_number_decode(&at, end, &size) || size > (uint64_t)(end - at)) {
        return false;
    }
    at += size;
    *relationship_out = bytes_of(at, (size_t)(end - at));
    return true;
}

/* ---- entries ---- */

static bool add_entry(struct entry_list *list, const struct buffer *key, struct arena *arena)
{
    void *copy = arena_copy(arena, key->data, key->size);
    struct entry_list one = {&(struct yore_bytes){copy, key->size}, 1, 1};
    return !key->is_nomem && copy != NULL && entries_join(list, &one, arena) == YORE_OK;
}

bool claims_entries(const struct claims *claims, enum graph_element element,
                    struct yore_bytes external_id, struct arena *arena,
                    struct entry_list *entries_out)
{
    struct buffer key = {0};
    bool is_ok = true;
    *entries_out = (struct entry_list){0};
    for (size_t i = 0; is_ok && i < claims->count; i++) {
        const struct claim *claim = &claims->items[i];
        buffer_clear(&key);
        claimed_key(&key, claim->source, element, external_id);
        is_ok = add_entry(entries_out, &key, arena);
        for (int end = 0; is_ok && element == GRAPH_RELATIONSHIP && end < 2; end++) {
            buffer_clear(&key);
            claim_end_key(&key, end == 0 ? claim->start : claim->end, external_id);
            is_ok = add_entry(entries_out, &key, arena);
        }
    }
    buffer_release(&key);
    return is_ok;
}
