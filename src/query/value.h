/* value.h -- what can be said of two values of the language: equal, the same, in order.
 *
 * Four relations, and they differ on purpose (openCypher 9, "Comparability and equality"):
 *
 *                      1 and 1.0   null and null   NaN and NaN   [null] and [null]   1 and 'a'
 *   value_equal   =    true        null            false         null                false
 *   value_compare <    0           null            false         null                null
 *   value_is_same      yes         yes             yes           yes                 no   DISTINCT
 *   value_order        0           0               0             0                   by kind
 *
 * value_is_same() holds exactly where value_order() is 0, and the same values have one hash.
 * Elements are themselves by id, fetched or not, whatever the moment they are seen at.
 *
 * Values are immutable; nesting is at most QUERY_VALUE_DEPTH_MAX and the size of a copy within the
 * memory of the statement (who makes lists and maps asks value_fits()), so recursion over them is
 * bounded.  Any thread.
 */
#ifndef YORE_QUERY_VALUE_H
#define YORE_QUERY_VALUE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/graph.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

/* A boolean that may be unknown. */
enum ternary { TERNARY_FALSE = 0, TERNARY_TRUE = 1, TERNARY_NULL = 2 };

static inline struct yore_graph_value value_null(void)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_NULL};
}
static inline struct yore_graph_value value_bool(bool boolean)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_BOOL, .as.boolean = boolean};
}
static inline struct yore_graph_value value_int(int64_t integer)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_INT, .as.integer = integer};
}
static inline struct yore_graph_value value_float(double real)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_FLOAT, .as.real = real};
}
/* Borrows. */
static inline struct yore_graph_value value_string(struct yore_bytes string)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_STRING, .as.string = string};
}
static inline struct yore_graph_value value_list(const struct yore_graph_value *items, size_t count)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_LIST, .as.list = {items, count}};
}
/* Entries as struct yore_graph_map wants them: see map.h to make them so. */
static inline struct yore_graph_value value_map(const struct yore_graph_entry *entries,
                                                size_t count)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_MAP, .as.map = {entries, count}};
}
static inline struct yore_graph_value value_ternary(enum ternary truth)
{
    return truth == TERNARY_NULL ? value_null() : value_bool(truth == TERNARY_TRUE);
}
static inline struct yore_graph_value value_node_ref(uint64_t id, void *view)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_NODE_REF, .as.ref = {id, view}};
}
static inline struct yore_graph_value value_relationship_ref(uint64_t id, void *view)
{
    return (struct yore_graph_value){.kind = YORE_GRAPH_RELATIONSHIP_REF, .as.ref = {id, view}};
}

static inline bool value_is_null(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_NULL;
}
static inline bool value_is_number(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_INT || value->kind == YORE_GRAPH_FLOAT;
}
static inline bool value_is_nan(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_FLOAT && isnan(value->as.real);
}
static inline bool value_is_node(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_NODE || value->kind == YORE_GRAPH_NODE_REF;
}
static inline bool value_is_relationship(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_RELATIONSHIP || value->kind == YORE_GRAPH_RELATIONSHIP_REF;
}
static inline bool value_is_element(const struct yore_graph_value *value)
{
    return value_is_node(value) || value_is_relationship(value);
}
/* Of an element, fetched or not. */
uint64_t value_element_id(const struct yore_graph_value *element);

/* "Integer", "Node", ...: of the language, for messages. */
const char *value_kind_name(enum yore_graph_kind kind);

/* ---- relations (value_equal.c, value_order.c) ----------------------------------------------- */

enum ternary value_equal(const struct yore_graph_value *a, const struct yore_graph_value *b);
bool value_is_same(const struct yore_graph_value *a, const struct yore_graph_value *b);
uint64_t value_hash(const struct yore_graph_value *value);

/* ORDER BY: < 0, 0, > 0 over everything; null is last, NaN last among numbers. */
int value_order(const struct yore_graph_value *a, const struct yore_graph_value *b);

/* For < <= > >=.  TERNARY_TRUE: `*order_out` says how they lie; TERNARY_FALSE: they are of one kind
 * but neither is less nor equal (NaN); TERNARY_NULL: they cannot be compared. */
enum ternary value_compare(const struct yore_graph_value *a, const struct yore_graph_value *b,
                           int *order_out);

/* ---- copies and bounds (value.c) ------------------------------------------------------------ */

/* A copy that shares nothing with `value`, in `arena`; element references keep their view.
 * Errors: YORE_NOMEM. */
enum yore_status value_copy(struct arena *arena, const struct yore_graph_value *value,
                            struct yore_graph_value *copy_out);
/* Octets that value_copy() takes, besides the struct itself. */
size_t value_size(const struct yore_graph_value *value);
/* Whether lists and maps nest at most `depth` deep, and a copy takes at most `*bytes_left` octets,
 * which are taken off.  What a value has in it more than once counts as often: [x, x] of [x, x] of
 * ... is small until it is copied, sorted or told.  Stops where it fails. */
bool value_fits(const struct yore_graph_value *value, unsigned depth, uint64_t *bytes_left);
/* Whether it may be a property: no elements and paths at any depth, nulls only inside of lists and
 * maps, and, as the openCypher kit has it, no maps inside of lists. */
bool value_is_storable(const struct yore_graph_value *value);

/* A date, a time or both: every temporal kind but durations. */
static inline bool value_is_temporal(const struct yore_graph_value *value)
{
    return value->kind >= YORE_GRAPH_DATE && value->kind <= YORE_GRAPH_DATETIME;
}

#endif
