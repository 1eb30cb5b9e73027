/* The two ways to put values in order: of everything (ORDER BY, DISTINCT, min and max), and of what
 * can be compared (<, <=, >, >=).  Both agree where the second has an answer, NaN apart. */
#include <math.h>

#include "query/duration.h"
#include "query/number.h"
#include "query/value.h"

/* ---- numbers ---- */

static int order_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Exact, unlike a comparison after conversion: 2^53 + 1 and 2^53 are not one number. */
static int order_int_float(int64_t integer, double real)
{
    if (real >= 9223372036854775808.0) {
        return -1;
    }
    if (real < -9223372036854775808.0) {
        return 1;
    }
    double whole = trunc(real);
    int order = integer_order(integer, (int64_t)whole);
    if (order != 0) {
        return order;
    }
    return real > whole ? -1 : real < whole;
}

/* Neither is NaN. */
static int order_real_numbers(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    if (a->kind == YORE_GRAPH_INT) {
        return b->kind == YORE_GRAPH_INT ? integer_order(a->as.integer, b->as.integer)
                                         : order_int_float(a->as.integer, b->as.real);
    }
    if (b->kind == YORE_GRAPH_INT) {
        return -order_int_float(b->as.integer, a->as.real);
    }
    return a->as.real < b->as.real ? -1 : a->as.real > b->as.real;
}

static int order_numbers(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    if (value_is_nan(a) || value_is_nan(b)) {
        return (int)value_is_nan(a) - (int)value_is_nan(b);
    }
    return order_real_numbers(a, b);
}

/* ---- temporal values: by the moment, then by how it is written ---- */

static int order_time(const struct yore_graph_time *a, const struct yore_graph_time *b)
{
    int order = integer_order(a->nanoseconds - INT64_C(1000000000) * a->offset_seconds,
                              b->nanoseconds - INT64_C(1000000000) * b->offset_seconds);
    return order != 0 ? order : integer_order(a->offset_seconds, b->offset_seconds);
}

static int order_clock(const struct yore_graph_clock *a, const struct yore_graph_clock *b)
{
    int order = integer_order(a->seconds, b->seconds);
    return order != 0 ? order : integer_order(a->nanoseconds, b->nanoseconds);
}

static int order_datetime(const struct yore_graph_datetime *a, const struct yore_graph_datetime *b)
{
    int order = integer_order(a->seconds, b->seconds);
    if (order == 0) {
        order = integer_order(a->nanoseconds, b->nanoseconds);
    }
    if (order == 0) {
        order = integer_order(a->offset_seconds, b->offset_seconds);
    }
    return order != 0 ? order : bytes_compare(a->zone, b->zone);
}

/* Of one kind; durations too. */
static int order_temporal(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    switch (a->kind) {
    case YORE_GRAPH_DATE:
        return integer_order(a->as.days, b->as.days);
    case YORE_GRAPH_LOCAL_TIME:
        return integer_order(a->as.nanoseconds, b->as.nanoseconds);
    case YORE_GRAPH_TIME:
        return order_time(&a->as.time, &b->as.time);
    case YORE_GRAPH_LOCAL_DATETIME:
        return order_clock(&a->as.clock, &b->as.clock);
    case YORE_GRAPH_DATETIME:
        return order_datetime(a->as.datetime, b->as.datetime);
    default:
        return duration_order(a->as.duration, b->as.duration);
    }
}

/* ---- everything ---- */

/* openCypher 9, "Orderability": from maps to null. */
static int kind_rank(enum yore_graph_kind kind)
{
    static const unsigned char ranks[] = {
        [YORE_GRAPH_MAP] = 0,
        [YORE_GRAPH_NODE] = 1,
        [YORE_GRAPH_NODE_REF] = 1,
        [YORE_GRAPH_RELATIONSHIP] = 2,
        [YORE_GRAPH_RELATIONSHIP_REF] = 2,
        [YORE_GRAPH_LIST] = 3,
        [YORE_GRAPH_PATH] = 4,
        [YORE_GRAPH_DATETIME] = 5,
        [YORE_GRAPH_LOCAL_DATETIME] = 6,
        [YORE_GRAPH_DATE] = 7,
        [YORE_GRAPH_TIME] = 8,
        [YORE_GRAPH_LOCAL_TIME] = 9,
        [YORE_GRAPH_DURATION] = 10,
        [YORE_GRAPH_STRING] = 11,
        [YORE_GRAPH_BOOL] = 12,
        [YORE_GRAPH_INT] = 13,
        [YORE_GRAPH_FLOAT] = 13,
        [YORE_GRAPH_NULL] = 14,
    };
    return ranks[kind];
}

static int order_lists(const struct yore_graph_list *a, const struct yore_graph_list *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int order = value_order(&a->items[i], &b->items[i]);
        if (order != 0) {
            return order;
        }
    }
    return order_u64(a->count, b->count);
}

/* The smaller first, then by names, then by values. */
static int order_maps(const struct yore_graph_map *a, const struct yore_graph_map *b)
{
    int order = order_u64(a->count, b->count);
    for (size_t i = 0; i < a->count && order == 0; i++) {
        order = bytes_compare(a->entries[i].name, b->entries[i].name);
    }
    for (size_t i = 0; i < a->count && order == 0; i++) {
        order = value_order(&a->entries[i].value, &b->entries[i].value);
    }
    return order;
}

/* By their elements, in the order they are walked; the shorter first among equals. */
static int order_paths(const struct yore_graph_path *a, const struct yore_graph_path *b)
{
    int order = value_order(&a->nodes[0], &b->nodes[0]);
    for (size_t i = 0; i < a->length && i < b->length && order == 0; i++) {
        order = value_order(&a->relationships[i], &b->relationships[i]);
        if (order == 0) {
            order = value_order(&a->nodes[i + 1], &b->nodes[i + 1]);
        }
    }
    return order != 0 ? order : order_u64(a->length, b->length);
}

int value_order(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    int rank = kind_rank(a->kind);
    int order = rank - kind_rank(b->kind);
    if (order != 0) {
        return order;
    }
    switch (a->kind) {
    case YORE_GRAPH_NULL:
        return 0;
    case YORE_GRAPH_BOOL:
        return (int)a->as.boolean - (int)b->as.boolean;
    case YORE_GRAPH_INT:
    case YORE_GRAPH_FLOAT:
        return order_numbers(a, b);
    case YORE_GRAPH_STRING:
        return bytes_compare(a->as.string, b->as.string);
    case YORE_GRAPH_LIST:
        return order_lists(&a->as.list, &b->as.list);
    case YORE_GRAPH_MAP:
        return order_maps(&a->as.map, &b->as.map);
    case YORE_GRAPH_PATH:
        return order_paths(a->as.path, b->as.path);
    case YORE_GRAPH_NODE:
    case YORE_GRAPH_NODE_REF:
    case YORE_GRAPH_RELATIONSHIP:
    case YORE_GRAPH_RELATIONSHIP_REF:
        return order_u64(value_element_id(a), value_element_id(b));
    default:
        return order_temporal(a, b);
    }
}

bool value_is_same(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    return value_order(a, b) == 0;
}

/* ---- what can be compared ---- */

/* The first pair that differs decides, or makes the answer unknown. */
static enum ternary compare_lists(const struct yore_graph_list *a, const struct yore_graph_list *b,
                                  int *order_out)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        enum ternary equal = value_equal(&a->items[i], &b->items[i]);
        if (equal == TERNARY_NULL) {
            return TERNARY_NULL;
        }
        if (equal == TERNARY_FALSE) {
            return value_compare(&a->items[i], &b->items[i], order_out);
        }
    }
    *order_out = order_u64(a->count, b->count);
    return TERNARY_TRUE;
}

enum ternary value_compare(const struct yore_graph_value *a, const struct yore_graph_value *b,
                           int *order_out)
{
    if (value_is_number(a) && value_is_number(b)) {
        if (value_is_nan(a) || value_is_nan(b)) {
            return TERNARY_FALSE;
        }
        *order_out = order_real_numbers(a, b);
        return TERNARY_TRUE;
    }
    if (a->kind != b->kind) {
        return TERNARY_NULL;
    }
    switch (a->kind) {
    case YORE_GRAPH_LIST:
        return compare_lists(&a->as.list, &b->as.list, order_out);
    case YORE_GRAPH_BOOL:
    case YORE_GRAPH_STRING:
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
    case YORE_GRAPH_DATETIME:
        *order_out = value_order(a, b);
        return TERNARY_TRUE;
    default:
        return TERNARY_NULL;
    }
}
