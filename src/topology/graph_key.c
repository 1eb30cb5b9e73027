/* graph_key.c -- see graph_key.h.
 *
 * A number up to 240 is one octet; 241 to 248 begin two (up to 2,287), 249 three (up to 67,823),
 * and 250 to 255 are followed by 3 to 8 octets, greatest first.  Each form begins where the one
 * before ends, so that octets compare as numbers do.
 */
#include "topology/graph_key.h"

#include <assert.h>
#include <string.h>

#include "base/assert.h"

#define ONE_OCTET_MAX 240u
#define TWO_OCTETS_MAX 2287u
#define THREE_OCTETS_MAX 67823u
#define THREE_OCTETS_MARK 249u

static_assert(2 + GRAPH_KEY_NUMBERS_MAX * KEY_NUMBER_BYTES_MAX <= GRAPH_KEY_SMALL_BYTES,
              "a key of numbers fits");

size_t key_number_encode(unsigned char *to, uint64_t number)
{
    if (number <= ONE_OCTET_MAX) {
        to[0] = (unsigned char)number;
        return 1;
    }
    if (number <= TWO_OCTETS_MAX) {
        uint64_t rest = number - ONE_OCTET_MAX;
        to[0] = (unsigned char)(ONE_OCTET_MAX + 1 + (rest >> 8));
        to[1] = (unsigned char)rest;
        return 2;
    }
    if (number <= THREE_OCTETS_MAX) {
        uint64_t rest = number - TWO_OCTETS_MAX - 1;
        to[0] = THREE_OCTETS_MARK;
        to[1] = (unsigned char)(rest >> 8);
        to[2] = (unsigned char)rest;
        return 3;
    }
    unsigned octets = 3;
    while (octets < 8 && number >> (8 * octets) != 0) {
        octets++;
    }
    to[0] = (unsigned char)(THREE_OCTETS_MARK + octets - 2);
    for (unsigned i = 0; i < octets; i++) {
        to[1 + i] = (unsigned char)(number >> (8 * (octets - 1 - i)));
    }
    return 1 + octets;
}

/* The forms of nearly all numbers; the rest is behind a call. */
static bool decode_long(const unsigned char **at, const unsigned char *end, uint64_t *number_out)
{
    const unsigned char *from = *at;
    size_t octets = (size_t)from[0] - THREE_OCTETS_MARK + 2;
    if ((size_t)(end - from) < 1 + octets) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 1; i <= octets; i++) {
        number = number << 8 | from[i];
    }
    *at = from + 1 + octets;
    *number_out = number;
    return true;
}

static inline bool decode_number(const unsigned char **at, const unsigned char *end,
                                 uint64_t *number_out)
{
    const unsigned char *from = *at;
    ptrdiff_t left = end - from;
    if (left >= 1 && from[0] <= ONE_OCTET_MAX) {
        *number_out = from[0];
        *at = from + 1;
        return true;
    }
    if (left >= 3 && from[0] == THREE_OCTETS_MARK) {
        *number_out = ((uint64_t)from[1] << 8 | from[2]) + TWO_OCTETS_MAX + 1;
        *at = from + 3;
        return true;
    }
    if (left >= 2 && from[0] < THREE_OCTETS_MARK) {
        *number_out = ((uint64_t)(from[0] - ONE_OCTET_MAX - 1) << 8 | from[1]) + ONE_OCTET_MAX;
        *at = from + 2;
        return true;
    }
    return left >= 1 && from[0] > THREE_OCTETS_MARK && decode_long(at, end, number_out);
}

bool key_number_decode(const unsigned char **at, const unsigned char *end, uint64_t *number_out)
{
    return decode_number(at, end, number_out);
}

void graph_key_begin(struct graph_key *key, enum graph_key_kind kind)
{
    key->octets[0] = (unsigned char)kind;
    key->size = 1;
}

static void key_octet(struct graph_key *key, unsigned char octet)
{
    YORE_ASSERT(key->size < GRAPH_KEY_SMALL_BYTES);
    key->octets[key->size++] = octet;
}

void graph_key_number(struct graph_key *key, uint64_t number)
{
    YORE_ASSERT(key->size + KEY_NUMBER_BYTES_MAX <= GRAPH_KEY_SMALL_BYTES);
    key->size += key_number_encode(key->octets + key->size, number);
}

struct graph_key graph_key_meta(enum graph_meta meta, unsigned char which)
{
    struct graph_key key;
    graph_key_begin(&key, GRAPH_KEY_META);
    key_octet(&key, (unsigned char)meta);
    key_octet(&key, which);
    return key;
}

struct graph_key graph_key_token(enum graph_token_kind kind, uint32_t token)
{
    struct graph_key key;
    graph_key_begin(&key, GRAPH_KEY_TOKEN);
    key_octet(&key, (unsigned char)kind);
    graph_key_number(&key, token);
    return key;
}

struct graph_key graph_key_element(struct graph_id id)
{
    struct graph_key key;
    graph_key_begin(&key, id.element == GRAPH_NODE ? GRAPH_KEY_NODE : GRAPH_KEY_RELATIONSHIP);
    graph_key_number(&key, id.id);
    return key;
}

struct graph_key graph_key_label(uint32_t label, uint64_t node)
{
    struct graph_key key;
    graph_key_begin(&key, GRAPH_KEY_LABEL);
    graph_key_number(&key, label);
    graph_key_number(&key, node);
    return key;
}

struct graph_key graph_key_adjacency(const struct graph_adjacency *adjacency,
                                     enum graph_adjacency_depth depth)
{
    struct graph_key key;
    graph_key_begin(&key, GRAPH_KEY_ADJACENCY);
    graph_key_number(&key, adjacency->node);
    if (depth >= ADJACENCY_OF_DIRECTION) {
        key_octet(&key, adjacency->is_incoming ? 1 : 0);
    }
    if (depth >= ADJACENCY_OF_TYPE) {
        graph_key_number(&key, adjacency->type);
    }
    if (depth >= ADJACENCY_OF_OTHER) {
        graph_key_number(&key, adjacency->other);
    }
    if (depth >= ADJACENCY_WHOLE) {
        graph_key_number(&key, adjacency->relationship);
    }
    return key;
}

bool graph_key_adjacency_decode(struct yore_bytes key, struct graph_adjacency *adjacency_out)
{
    const unsigned char *at = key.data;
    const unsigned char *end = at + key.size;
    uint64_t type = 0;
    if (key.size < 2 || *at++ != GRAPH_KEY_ADJACENCY ||
        !decode_number(&at, end, &adjacency_out->node) || at == end || *at > 1) {
        return false;
    }
    adjacency_out->is_incoming = *at++ == 1;
    if (!decode_number(&at, end, &type) || type > UINT32_MAX ||
        !decode_number(&at, end, &adjacency_out->other) ||
        !decode_number(&at, end, &adjacency_out->relationship)) {
        return false;
    }
    adjacency_out->type = (uint32_t)type;
    return at == end;
}

void graph_key_name(struct buffer *key, enum graph_token_kind kind, struct yore_bytes name)
{
    buffer_append_u8(key, GRAPH_KEY_NAME);
    buffer_append_u8(key, (uint8_t)kind);
    buffer_append_bytes(key, name);
}

void graph_key_external(struct buffer *key, enum graph_element element,
                        struct yore_bytes external_id)
{
    buffer_append_u8(key, GRAPH_KEY_EXTERNAL);
    buffer_append_u8(key, (uint8_t)element);
    buffer_append_bytes(key, external_id);
}

bool graph_key_numbers(struct yore_bytes key, uint64_t *numbers, size_t count)
{
    const unsigned char *at = (const unsigned char *)key.data + 1;
    const unsigned char *end = (const unsigned char *)key.data + key.size;
    YORE_ASSERT(key.size > 0);
    for (size_t i = 0; i < count; i++) {
        if (!decode_number(&at, end, &numbers[i])) {
            return false;
        }
    }
    return at == end;
}

void graph_key_index(struct buffer *key, uint32_t index)
{
    unsigned char number[KEY_NUMBER_BYTES_MAX];
    buffer_append_u8(key, GRAPH_KEY_PROPERTY);
    buffer_append(key, number, key_number_encode(number, index));
}

void graph_key_index_node(struct buffer *key, uint64_t node)
{
    unsigned char number[KEY_NUMBER_BYTES_MAX];
    size_t size = key_number_encode(number, node);
    buffer_append(key, number, size);
    buffer_append_u8(key, (uint8_t)size);
}

bool graph_key_index_decode(struct yore_bytes key, uint64_t *node_out, struct yore_bytes *value_out)
{
    const unsigned char *begin = key.data;
    size_t size = key.size > 1 ? begin[key.size - 1] : 0;
    if (size == 0 || size > KEY_NUMBER_BYTES_MAX || key.size < size + 2) {
        return false;
    }
    const unsigned char *at = begin + key.size - 1 - size;
    *value_out = bytes_of(begin, (size_t)(at - begin));
    return key_number_decode(&at, begin + key.size - 1, node_out) && at == begin + key.size - 1;
}
