/* erase_property.c -- what an erasure of one property leaves of its element.
 *
 * A record holds all properties, and an erasure destroys records whole, at every commit: so the
 * element would be gone from what was known before while its entries and relationships stood there
 * alone.  Therefore everything that goes with a whole element is erased here too, and in the same
 * transaction written again as it is known now, at every valid time, less the property.  As known
 * before, the element and what hangs on it never were; as known from then on only the property
 * never was.
 */
#include "base/coding.h"
#include "topology/claims.h"
#include "topology/erase_internal.h"

/* ---- values without the property ---- */

static enum yore_status record_without(struct erasing *erasing, struct yore_bytes value,
                                       enum graph_element element, struct buffer *to)
{
    struct element_state state;
    struct arena *arena = &erasing->txn->scratch;
    enum yore_status st = element_state_decode(value, element, arena, &state);
    if (st != YORE_OK) {
        return st;
    }
    if (!erasing_names(erasing, element, state.external_id)) {
        buffer_append_bytes(to, value);
        return YORE_OK;
    }
    if (!element_state_set_property(&state, erasing->property, NULL, arena)) {
        return YORE_NOMEM;
    }
    element_state_encode(&state, to);
    return YORE_OK;
}

static enum yore_status claims_without(struct erasing *erasing, struct yore_bytes value,
                                       struct buffer *to)
{
    struct claims claims;
    struct arena *arena = &erasing->txn->scratch;
    enum yore_status st = claims_decode(value, erasing->erasure->element, arena, &claims);
    for (size_t i = 0; st == YORE_OK && i < claims.count; i++) {
        struct claim claim = claims.items[i];
        bool is_done = element_state_set_property(&claim.state, erasing->property, NULL, arena) &&
                       claims_set(&claims, claim.source, &claim, arena);
        st = is_done ? YORE_OK : YORE_NOMEM;
    }
    if (st == YORE_OK) {
        claims_encode(&claims, to);
    }
    return st;
}

/* Is it the key of what sources say of the element the erasure names? */
static bool is_claims_of_it(const struct erasing *erasing, struct yore_bytes key)
{
    const unsigned char *octets = key.data;
    return key.size > 2 && octets[0] == GRAPH_KEY_CLAIMS &&
           erasing_names(erasing, (enum graph_element)octets[1], bytes_behind(key, 2));
}

/* Is the key an entry of an index on the property?  Those in the list are the element's own. */
static bool is_entry_of_it(const struct erasing *erasing, struct yore_bytes key)
{
    const struct graph_rules *rules = erasing->rules;
    const unsigned char *at = key.data;
    const unsigned char *end = at + key.size;
    uint64_t number = 0;
    if (*at++ != GRAPH_KEY_PROPERTY || !key_number_decode(&at, end, &number)) {
        return false;
    }
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->rules[i].number == number) {
            return rules->rules[i].schema.property == erasing->property;
        }
    }
    return true; /* of an index that is no more */
}

static enum yore_status value_without(struct erasing *erasing, struct yore_bytes key,
                                      struct yore_bytes value, struct buffer *to)
{
    switch (*(const unsigned char *)key.data) {
    case GRAPH_KEY_NODE:
        return record_without(erasing, value, GRAPH_NODE, to);
    case GRAPH_KEY_RELATIONSHIP:
        return record_without(erasing, value, GRAPH_RELATIONSHIP, to);
    default:
        if (is_claims_of_it(erasing, key)) {
            return claims_without(erasing, value, to);
        }
        buffer_append_bytes(to, value);
        return YORE_OK;
    }
}

/* ---- lines ---- */

static enum yore_status keep_version(struct erasing *erasing, struct yore_bytes key,
                                     const struct line_version *version, struct buffer *value,
                                     struct yore_error *error_out)
{
    int64_t from = version->from > erasing->begin ? version->from : erasing->begin;
    if (!version->is_put || is_entry_of_it(erasing, key)) {
        return txn_delete(erasing->txn, key, from, error_out);
    }
    buffer_clear(value);
    enum yore_status st = value_without(erasing, key, version->value, value);
    if (st == YORE_OK && value->is_nomem) {
        st = YORE_NOMEM;
    }
    return st == YORE_OK
               ? txn_put(erasing->txn, key, buffer_bytes(value), from, version->to, error_out)
               : error_plain(error_out, st);
}

enum yore_status erase_keep_rest(struct erasing *erasing, struct yore_error *error_out)
{
    struct buffer value = {0};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < erasing->keys.count; i++) {
        struct line line;
        arena_reset(&erasing->txn->scratch);
        st = line_read(erasing->txn, erasing->keys.keys[i], erasing->begin, &line, error_out);
        for (size_t k = 0; st == YORE_OK && k < line.count; k++) {
            st = keep_version(erasing, erasing->keys.keys[i], &line.versions[k], &value, error_out);
        }
    }
    buffer_release(&value);
    return st;
}
