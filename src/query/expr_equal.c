#include "query/expr_equal.h"

#include <string.h>

static bool literal_equal(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case YORE_GRAPH_NULL:
        return true;
    case YORE_GRAPH_BOOL:
        return a->as.boolean == b->as.boolean;
    case YORE_GRAPH_INT:
        return a->as.integer == b->as.integer;
    case YORE_GRAPH_FLOAT:
        return memcmp(&a->as.real, &b->as.real, sizeof(a->as.real)) == 0;
    case YORE_GRAPH_STRING:
        return bytes_equal(a->as.string, b->as.string);
    default:
        return false;
    }
}

static bool both_equal(const struct expr *a, const struct expr *b)
{
    return a == NULL || b == NULL ? a == b : expr_equal(a, b);
}

static bool list_equal(const struct expr_list *a, const struct expr_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!expr_equal(a->items[i], b->items[i])) {
            return false;
        }
    }
    return true;
}

static bool map_equal(const struct expr *a, const struct expr *b)
{
    if (a->as.map.count != b->as.map.count || !both_equal(a->as.map.object, b->as.map.object)) {
        return false;
    }
    for (uint32_t i = 0; i < a->as.map.count; i++) {
        if (!bytes_equal(a->as.map.items[i].name, b->as.map.items[i].name) ||
            !both_equal(a->as.map.items[i].value, b->as.map.items[i].value)) {
            return false;
        }
    }
    return true;
}

static bool labels_equal(const struct expr *a, const struct expr *b)
{
    if (a->as.has_labels.label_count != b->as.has_labels.label_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->as.has_labels.label_count; i++) {
        if (!bytes_equal(a->as.has_labels.labels[i], b->as.has_labels.labels[i])) {
            return false;
        }
    }
    return expr_equal(a->as.has_labels.object, b->as.has_labels.object);
}

static bool comparison_equal(const struct expr *a, const struct expr *b)
{
    if (a->as.comparison.count != b->as.comparison.count) {
        return false;
    }
    for (uint32_t i = 0; i <= a->as.comparison.count; i++) {
        if (!expr_equal(a->as.comparison.operands[i], b->as.comparison.operands[i]) ||
            (i > 0 && a->as.comparison.operators[i - 1] != b->as.comparison.operators[i - 1])) {
            return false;
        }
    }
    return true;
}

static bool call_equal(const struct expr *a, const struct expr *b)
{
    return a->as.call.function == b->as.call.function &&
           a->as.call.is_distinct == b->as.call.is_distinct &&
           list_equal(&a->as.call.arguments, &b->as.call.arguments);
}

static bool case_equal(const struct expr *a, const struct expr *b)
{
    if (a->as.choice.branch_count != b->as.choice.branch_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->as.choice.branch_count; i++) {
        if (!expr_equal(a->as.choice.branches[i].when, b->as.choice.branches[i].when) ||
            !expr_equal(a->as.choice.branches[i].then, b->as.choice.branches[i].then)) {
            return false;
        }
    }
    return both_equal(a->as.choice.subject, b->as.choice.subject) &&
           both_equal(a->as.choice.otherwise, b->as.choice.otherwise);
}

bool expr_equal(const struct expr *a, const struct expr *b)
{
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case EXPR_LITERAL:
        return literal_equal(&a->as.literal, &b->as.literal);
    case EXPR_PARAMETER:
        return bytes_equal(a->as.parameter.name, b->as.parameter.name);
    case EXPR_VARIABLE:
        return a->as.variable.slot == b->as.variable.slot;
    case EXPR_PROPERTY:
        return bytes_equal(a->as.property.name, b->as.property.name) &&
               expr_equal(a->as.property.object, b->as.property.object);
    case EXPR_HAS_LABELS:
        return labels_equal(a, b);
    case EXPR_LIST:
        return list_equal(&a->as.list, &b->as.list);
    case EXPR_MAP:
    case EXPR_MAP_PROJECTION:
        return map_equal(a, b);
    case EXPR_INDEX:
    case EXPR_SLICE:
        return expr_equal(a->as.index.object, b->as.index.object) &&
               both_equal(a->as.index.low, b->as.index.low) &&
               both_equal(a->as.index.high, b->as.index.high);
    case EXPR_UNARY:
    case EXPR_BINARY:
        return a->as.binary.operator== b->as.binary.operator&&
               expr_equal(a->as.binary.left, b->as.binary.left) &&
               both_equal(a->as.binary.right, b->as.binary.right);
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return expr_equal(a->as.binary.left, b->as.binary.left);
    case EXPR_COMPARISON:
        return comparison_equal(a, b);
    case EXPR_CALL:
        return call_equal(a, b);
    case EXPR_AGGREGATE:
        return call_equal(a, b);
    case EXPR_CASE:
        return case_equal(a, b);
    default:
        return false;
    }
}
