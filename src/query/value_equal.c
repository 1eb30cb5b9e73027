/* Equality of the language (=), where null and what holds a null may be unknown, and the hash of
 * value_is_same(). */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "query/value.h"

/* ---- = ---- */

static enum ternary equal_items(const struct yore_graph_value *a, const struct yore_graph_value *b,
                                size_t count)
{
    enum ternary equal = TERNARY_TRUE;
    for (size_t i = 0; i < count; i++) {
        enum ternary item = value_equal(&a[i], &b[i]);
        if (item == TERNARY_FALSE) {
            return TERNARY_FALSE;
        }
        if (item == TERNARY_NULL) {
            equal = TERNARY_NULL;
        }
    }
    return equal;
}

static enum ternary equal_maps(const struct yore_graph_map *a, const struct yore_graph_map *b)
{
    if (a->count != b->count) {
        return TERNARY_FALSE;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!bytes_equal(a->entries[i].name, b->entries[i].name)) {
            return TERNARY_FALSE;
        }
    }
    enum ternary equal = TERNARY_TRUE;
    for (size_t i = 0; i < a->count; i++) {
        enum ternary item = value_equal(&a->entries[i].value, &b->entries[i].value);
        if (item == TERNARY_FALSE) {
            return TERNARY_FALSE;
        }
        if (item == TERNARY_NULL) {
            equal = TERNARY_NULL;
        }
    }
    return equal;
}

enum ternary value_equal(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    if (value_is_null(a) || value_is_null(b)) {
        return TERNARY_NULL;
    }
    if (a->kind == YORE_GRAPH_LIST && b->kind == YORE_GRAPH_LIST) {
        return a->as.list.count != b->as.list.count
                   ? TERNARY_FALSE
                   : equal_items(a->as.list.items, b->as.list.items, a->as.list.count);
    }
    if (a->kind == YORE_GRAPH_MAP && b->kind == YORE_GRAPH_MAP) {
        return equal_maps(&a->as.map, &b->as.map);
    }
    if (value_is_nan(a) || value_is_nan(b)) {
        return TERNARY_FALSE;
    }
    return value_is_same(a, b) ? TERNARY_TRUE : TERNARY_FALSE;
}

/* ---- hashes ---- */

static uint64_t mix(uint64_t seed, uint64_t more)
{
    return hash_u64(seed * UINT64_C(0x9e3779b97f4a7c15) + more);
}

/* Salts, so that a date is not the integer of its days. */
enum hash_salt {
    SALT_NULL = 1,
    SALT_BOOL,
    SALT_NUMBER,
    SALT_STRING,
    SALT_LIST,
    SALT_MAP,
    SALT_NODE,
    SALT_RELATIONSHIP,
    SALT_PATH,
    SALT_TEMPORAL /* and above: the kind is added */
};

/* Whole floats are the integers they equal; zeros are one, NaNs are one. */
static uint64_t hash_number(const struct yore_graph_value *value)
{
    if (value->kind == YORE_GRAPH_INT) {
        return mix(SALT_NUMBER, (uint64_t)value->as.integer);
    }
    double real = value->as.real;
    if (isnan(real)) {
        return mix(SALT_NUMBER, UINT64_C(0x7ff8000000000000));
    }
    if (real >= -9223372036854775808.0 && real < 9223372036854775808.0 && trunc(real) == real) {
        return mix(SALT_NUMBER, (uint64_t)(int64_t)real);
    }
    uint64_t bits = 0;
    memcpy(&bits, &real, sizeof(bits));
    return mix(SALT_NUMBER + SALT_TEMPORAL * 2, bits);
}

static uint64_t hash_temporal(const struct yore_graph_value *value)
{
    uint64_t hash = SALT_TEMPORAL + (uint64_t)value->kind;
    switch (value->kind) {
    case YORE_GRAPH_DATE:
        return mix(hash, (uint64_t)value->as.days);
    case YORE_GRAPH_LOCAL_TIME:
        return mix(hash, (uint64_t)value->as.nanoseconds);
    case YORE_GRAPH_TIME:
        hash = mix(hash, (uint64_t)value->as.time.nanoseconds);
        return mix(hash, (uint64_t)value->as.time.offset_seconds);
    case YORE_GRAPH_LOCAL_DATETIME:
        hash = mix(hash, (uint64_t)value->as.clock.seconds);
        return mix(hash, (uint64_t)value->as.clock.nanoseconds);
    case YORE_GRAPH_DATETIME:
        hash = mix(hash, (uint64_t)value->as.datetime->seconds);
        hash = mix(hash, (uint64_t)value->as.datetime->nanoseconds);
        hash = mix(hash, (uint64_t)value->as.datetime->offset_seconds);
        return mix(hash, hash_bytes(value->as.datetime->zone));
    default:
        hash = mix(hash, (uint64_t)value->as.duration->months);
        hash = mix(hash, (uint64_t)value->as.duration->days);
        hash = mix(hash, (uint64_t)value->as.duration->seconds);
        return mix(hash, (uint64_t)value->as.duration->nanoseconds);
    }
}

static uint64_t hash_items(uint64_t hash, const struct yore_graph_value *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash = mix(hash, value_hash(&items[i]));
    }
    return hash;
}

static uint64_t hash_map(const struct yore_graph_map *map)
{
    uint64_t hash = mix(SALT_MAP, map->count);
    for (size_t i = 0; i < map->count; i++) {
        hash = mix(hash, hash_bytes(map->entries[i].name));
        hash = mix(hash, value_hash(&map->entries[i].value));
    }
    return hash;
}

uint64_t value_hash(const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_NULL:
        return mix(SALT_NULL, 0);
    case YORE_GRAPH_BOOL:
        return mix(SALT_BOOL, value->as.boolean);
    case YORE_GRAPH_INT:
    case YORE_GRAPH_FLOAT:
        return hash_number(value);
    case YORE_GRAPH_STRING:
        return mix(SALT_STRING, hash_bytes(value->as.string));
    case YORE_GRAPH_LIST:
        return hash_items(mix(SALT_LIST, value->as.list.count), value->as.list.items,
                          value->as.list.count);
    case YORE_GRAPH_MAP:
        return hash_map(&value->as.map);
    case YORE_GRAPH_NODE:
    case YORE_GRAPH_NODE_REF:
        return mix(SALT_NODE, value_element_id(value));
    case YORE_GRAPH_RELATIONSHIP:
    case YORE_GRAPH_RELATIONSHIP_REF:
        return mix(SALT_RELATIONSHIP, value_element_id(value));
    case YORE_GRAPH_PATH: {
        uint64_t hash = mix(SALT_PATH, value->as.path->length);
        hash = hash_items(hash, value->as.path->nodes, value->as.path->length + 1);
        return hash_items(hash, value->as.path->relationships, value->as.path->length);
    }
    default:
        return hash_temporal(value);
    }
}
