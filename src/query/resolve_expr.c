/* resolve_expr.c -- expressions: names to slots, and what kinds of values they can have. */
#include <string.h>

#include "query/function.h"
#include "query/resolver_internal.h"

/* ---- kinds -----------------------------------------------------------------------------------
 */

#define KINDS_ARITHMETIC (KINDS_NUMBER | KINDS_TEMPORAL | KIND_SET(YORE_GRAPH_DURATION))
/* What has properties. */
#define KINDS_OBJECT (KIND_MAP | KINDS_ELEMENT | KINDS_TEMPORAL | KIND_SET(YORE_GRAPH_DURATION))

const char *type_text(struct type type)
{
    static const char *const texts[] = {
        "null",       "a boolean", "an integer",     "a float", "a string",   "a list",
        "a map",      "a date",    "a time",         "a time",  "a datetime", "a datetime",
        "a duration", "a node",    "a relationship", "a path",
    };
    uint32_t kinds = type.kinds & ~KIND_NULL;
    if (kinds == KINDS_NUMBER) {
        return "a number";
    }
    for (unsigned kind = 0; kind < sizeof(texts) / sizeof(texts[0]); kind++) {
        if (kinds == KIND_SET(kind)) {
            return texts[kind];
        }
    }
    return type.kinds == KIND_NULL ? "null" : "a value";
}

/* What either of two can be. */
static uint32_t kinds_union(uint32_t a, uint32_t b)
{
    return a == KINDS_ANY || b == KINDS_ANY ? KINDS_ANY : a | b;
}

static struct type type_union(struct type a, struct type b)
{
    return (struct type){kinds_union(a.kinds, b.kinds), kinds_union(a.items, b.items)};
}

static bool need(struct resolver *r, const struct expr *expr, struct type type, uint32_t kinds,
                 const char *wanted)
{
    if (type_fits(type, kinds)) {
        return true;
    }
    return resolver_fail(r, expr->spot, "InvalidArgumentType", "expected %s but this is %s", wanted,
                         type_text(type));
}

static bool resolve_needed(struct resolver *r, struct expr *expr, uint32_t kinds,
                           const char *wanted, struct type *type_out)
{
    return resolve_expr(r, expr, type_out) && need(r, expr, *type_out, kinds, wanted);
}

/* What a property cannot be, alone or in a list; there no map either. */
#define KINDS_NOT_STORED (KINDS_ELEMENT | KIND_PATH)

bool check_property_value(struct resolver *r, const struct expr *value, struct type type)
{
    bool is_list = type.kinds == KIND_LIST;
    uint32_t kinds = is_list ? type.items : type.kinds;
    uint32_t never = is_list ? KINDS_NOT_STORED | KIND_MAP : KINDS_NOT_STORED;
    if (kinds == KINDS_ANY || (kinds & ~never) != 0 || kinds == KIND_NULL) {
        return true;
    }
    return resolver_fail_of(r, value->spot, "TypeError", "InvalidPropertyType",
                            "a property cannot hold %s%s", is_list ? "a list with " : "",
                            type_text(type_of(kinds)));
}

/* ---- conditions, and expressions without this or that -----------------------------------------
 */

bool resolve_condition(struct resolver *r, struct expr *expr)
{
    if (expr->kind == EXPR_PATTERN) {
        return resolve_predicate_pattern(r, expr->as.pattern.pattern);
    }
    struct type type;
    return resolve_needed(r, expr, KIND_BOOL, "a condition", &type);
}

bool resolve_plain_expr(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct aggregates *outer = r->aggregates;
    r->aggregates = NULL;
    bool is_resolved = resolve_expr(r, expr, type_out);
    r->aggregates = outer;
    return is_resolved;
}

static bool plain_condition(struct resolver *r, struct expr *expr)
{
    struct aggregates *outer = r->aggregates;
    r->aggregates = NULL;
    bool is_resolved = resolve_condition(r, expr);
    r->aggregates = outer;
    return is_resolved;
}

bool resolve_constant(struct resolver *r, struct expr *expr, struct type *type_out)
{
    const struct binding *scope = r->scope;
    struct query_error *error = r->error;
    struct query_error inner = {.type = NULL};
    r->scope = NULL;
    r->error = &inner;
    bool is_resolved = resolve_plain_expr(r, expr, type_out);
    r->scope = scope;
    r->error = error;
    if (is_resolved) {
        return true;
    }
    if (inner.detail != NULL && strcmp(inner.detail, "UndefinedVariable") == 0) {
        return resolver_fail(r, expr->spot, "NonConstantExpression",
                             "variables cannot be used here, only constants and parameters");
    }
    if (error != NULL) {
        *error = inner;
    }
    return false;
}

/* ---- operands --------------------------------------------------------------------------------
 */

static bool resolve_variable(struct resolver *r, struct expr *expr, struct type *type_out)
{
    const struct binding *binding = scope_find(r->scope, expr->as.variable.name);
    if (binding == NULL) {
        return undefined_variable(r, expr->spot, expr->as.variable.name);
    }
    expr->as.variable.slot = binding->slot;
    *type_out = r->slots[binding->slot].type;
    return slot_use(r, binding->slot);
}

static bool resolve_property(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct expr *object = expr->as.property.object;
    struct type type;
    if (!resolve_expr(r, object, &type)) {
        return false;
    }
    if (!type_fits(type, KINDS_OBJECT)) {
        return resolver_fail_of(r, object->spot, "TypeError", "InvalidArgumentType",
                                "%s has no properties", type_text(type));
    }
    *type_out = TYPE_ANY;
    return names_index(r, &r->properties, expr->as.property.name, &expr->as.property.cache);
}

static bool resolve_list(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type items = type_of(KIND_NULL);
    for (uint32_t i = 0; i < expr->as.list.count; i++) {
        struct type item;
        if (!resolve_expr(r, expr->as.list.items[i], &item)) {
            return false;
        }
        items = i == 0 ? item : type_union(items, item);
    }
    *type_out = (struct type){KIND_LIST, items.kinds};
    return true;
}

static bool resolve_map(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type type;
    for (uint32_t i = 0; i < expr->as.map.count; i++) {
        if (!resolve_expr(r, expr->as.map.items[i].value, &type)) {
            return false;
        }
    }
    *type_out = type_of(KIND_MAP);
    return true;
}

static bool resolve_map_projection(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type type;
    if (!resolve_needed(r, expr->as.map.object, KINDS_ELEMENT | KIND_MAP,
                        "a node, a relationship or a map", &type)) {
        return false;
    }
    for (uint32_t i = 0; i < expr->as.map.count; i++) {
        struct expr *value = expr->as.map.items[i].value;
        if (value != NULL && !resolve_expr(r, value, &type)) {
            return false;
        }
    }
    *type_out = type_of(KIND_MAP);
    return true;
}

static bool resolve_index(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct expr *object = expr->as.index.object;
    struct type type;
    struct type index;
    bool is_slice = expr->kind == EXPR_SLICE;
    if (!resolve_expr(r, object, &type)) {
        return false;
    }
    if (!type_fits(type, is_slice ? KIND_LIST : KIND_LIST | KIND_MAP | KINDS_ELEMENT)) {
        return resolver_fail_of(r, object->spot, "TypeError", "InvalidArgumentType",
                                "expected a list%s but this is %s",
                                is_slice ? "" : ", a map or an element", type_text(type));
    }
    if ((expr->as.index.low != NULL && !resolve_expr(r, expr->as.index.low, &index)) ||
        (expr->as.index.high != NULL && !resolve_expr(r, expr->as.index.high, &index))) {
        return false;
    }
    *type_out = is_slice                  ? (struct type){KIND_LIST, type.items}
                : type.kinds == KIND_LIST ? type_of(type.items)
                                          : TYPE_ANY;
    return true;
}

static bool resolve_has_labels(struct resolver *r, struct expr *expr, struct type *type_out)
{
    *type_out = type_of(KIND_BOOL);
    struct type type;
    return resolve_needed(r, expr->as.has_labels.object, KINDS_ELEMENT, "a node or a relationship",
                          &type);
}

/* ---- operators -------------------------------------------------------------------------------
 */

static bool resolve_logic(struct resolver *r, struct expr *operand)
{
    return operand == NULL || resolve_condition(r, operand);
}

static bool resolve_unary(struct resolver *r, struct expr *expr, struct type *type_out)
{
    if (expr->as.binary.operator== OPERATOR_NOT) {
        *type_out = type_of(KIND_BOOL);
        return resolve_logic(r, expr->as.binary.left);
    }
    return resolve_needed(r, expr->as.binary.left, KINDS_ARITHMETIC, "a number", type_out);
}

/* Integers stay integers but under ^; what else comes out depends on the values. */
static struct type arithmetic_type(enum expr_operator operator, struct type left, struct type right)
{
    uint32_t both = left.kinds | right.kinds;
    if (left.kinds == KINDS_ANY || right.kinds == KINDS_ANY || (both & ~KINDS_NUMBER) != 0) {
        return TYPE_ANY;
    }
    if (operator== OPERATOR_POWER) {
        return type_of(KIND_SET(YORE_GRAPH_FLOAT));
    }
    return type_of(both);
}

static bool resolve_add(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type left;
    struct type right;
    if (!resolve_expr(r, expr->as.binary.left, &left) ||
        !resolve_expr(r, expr->as.binary.right, &right)) {
        return false;
    }
    if (left.kinds == KIND_LIST && right.kinds == KIND_LIST) {
        *type_out = (struct type){KIND_LIST, kinds_union(left.items, right.items)};
    } else if (left.kinds == KIND_LIST || right.kinds == KIND_LIST) {
        *type_out = type_of(KIND_LIST);
    } else {
        *type_out = arithmetic_type(OPERATOR_ADD, left, right);
    }
    return true;
}

static bool resolve_binary(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct expr *left = expr->as.binary.left;
    struct expr *right = expr->as.binary.right;
    struct type left_type;
    struct type right_type;
    *type_out = type_of(KIND_BOOL);
    switch (expr->as.binary.operator) {
    case OPERATOR_AND:
    case OPERATOR_OR:
    case OPERATOR_XOR:
        return resolve_logic(r, left) && resolve_logic(r, right);
    case OPERATOR_ADD:
        return resolve_add(r, expr, type_out);
    case OPERATOR_SUBTRACT:
    case OPERATOR_MULTIPLY:
    case OPERATOR_DIVIDE:
    case OPERATOR_MODULO:
    case OPERATOR_POWER:
        if (!resolve_needed(r, left, KINDS_ARITHMETIC, "a number", &left_type) ||
            !resolve_needed(r, right, KINDS_ARITHMETIC, "a number", &right_type)) {
            return false;
        }
        *type_out = arithmetic_type(expr->as.binary.operator, left_type, right_type);
        return true;
    case OPERATOR_IN:
        return resolve_expr(r, left, &left_type) &&
               resolve_needed(r, right, KIND_LIST, "a list", &right_type);
    default:
        return resolve_expr(r, left, &left_type) && resolve_expr(r, right, &right_type);
    }
}

static bool resolve_comparison(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type type;
    *type_out = type_of(KIND_BOOL);
    for (uint32_t i = 0; i <= expr->as.comparison.count; i++) {
        if (!resolve_expr(r, expr->as.comparison.operands[i], &type)) {
            return false;
        }
    }
    return true;
}

static bool resolve_case(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type type;
    bool has_subject = expr->as.choice.subject != NULL;
    if (has_subject && !resolve_expr(r, expr->as.choice.subject, &type)) {
        return false;
    }
    *type_out = type_of(KIND_NULL);
    for (uint32_t i = 0; i < expr->as.choice.branch_count; i++) {
        const struct case_branch *branch = &expr->as.choice.branches[i];
        bool is_resolved =
            has_subject ? resolve_expr(r, branch->when, &type) : resolve_condition(r, branch->when);
        if (!is_resolved || !resolve_expr(r, branch->then, &type)) {
            return false;
        }
        *type_out = type_union(*type_out, type);
    }
    if (expr->as.choice.otherwise != NULL) {
        if (!resolve_expr(r, expr->as.choice.otherwise, &type)) {
            return false;
        }
        *type_out = type_union(*type_out, type);
    }
    return true;
}

/* ---- what binds a variable of its own ---------------------------------------------------------
 */

static bool bind_local(struct resolver *r, struct yore_bytes name, struct type type,
                       uint32_t *slot_out)
{
    return slot_new(r, name, type, slot_out) && scope_bind(r, name, *slot_out);
}

static bool resolve_walk_inside(struct resolver *r, struct expr *expr, struct type *mapped_out)
{
    if (expr->as.walk.where != NULL && !plain_condition(r, expr->as.walk.where)) {
        return false;
    }
    return expr->as.walk.mapped == NULL || resolve_plain_expr(r, expr->as.walk.mapped, mapped_out);
}

/* The list is the outside's and may have aggregates; what is done with each item may not. */
static bool resolve_walk(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type list;
    struct type initial = TYPE_ANY;
    if (!resolve_needed(r, expr->as.walk.list, KIND_LIST, "a list", &list)) {
        return false;
    }
    if (expr->kind == EXPR_REDUCE && !resolve_expr(r, expr->as.walk.initial, &initial)) {
        return false;
    }
    const struct binding *scope = r->scope;
    struct type item = type_of(list.kinds == KIND_LIST ? list.items : KINDS_ANY);
    struct type mapped = item;
    if (expr->kind == EXPR_REDUCE &&
        !bind_local(r, expr->as.walk.accumulator, TYPE_ANY, &expr->as.walk.accumulator_slot)) {
        return false;
    }
    bool is_resolved = bind_local(r, expr->as.walk.name, item, &expr->as.walk.slot) &&
                       resolve_walk_inside(r, expr, &mapped);
    r->scope = scope;
    *type_out = expr->kind == EXPR_QUANTIFIER           ? type_of(KIND_BOOL)
                : expr->kind == EXPR_LIST_COMPREHENSION ? (struct type){KIND_LIST, mapped.kinds}
                                                        : TYPE_ANY;
    return is_resolved;
}

static bool resolve_pattern_comprehension(struct resolver *r, struct expr *expr,
                                          struct type *type_out)
{
    const struct binding *scope = r->scope;
    struct type mapped = TYPE_ANY;
    bool is_resolved =
        resolve_match_pattern(r, expr->as.pattern.pattern) &&
        (expr->as.pattern.where == NULL || plain_condition(r, expr->as.pattern.where)) &&
        resolve_plain_expr(r, expr->as.pattern.mapped, &mapped);
    r->scope = scope;
    *type_out = (struct type){KIND_LIST, mapped.kinds};
    return is_resolved;
}

static bool resolve_shortest_path(struct resolver *r, struct expr *expr, struct type *type_out)
{
    *type_out = expr->as.pattern.is_all ? (struct type){KIND_LIST, KIND_PATH} : type_of(KIND_PATH);
    return resolve_predicate_pattern(r, expr->as.pattern.pattern);
}

static bool resolve_subquery_expr(struct resolver *r, struct expr *expr, struct type *type_out)
{
    bool is_exists = expr->kind == EXPR_EXISTS;
    bool is_count = expr->kind == EXPR_COUNT;
    *type_out = type_of(is_exists ? KIND_BOOL : is_count ? KIND_SET(YORE_GRAPH_INT) : KIND_LIST);
    return resolve_subquery(r, expr->as.subquery,
                            is_exists  ? QUERY_EXISTS
                            : is_count ? QUERY_COUNT
                                       : QUERY_COLLECT,
                            expr->spot);
}

static bool refuse_pattern(struct resolver *r, const struct expr *expr)
{
    return resolver_fail(r, expr->spot, "UnexpectedSyntax",
                         "a pattern is a condition: use it in WHERE, with NOT, AND, OR or in "
                         "EXISTS { }, count it with COUNT { }, or list with [pattern | value]");
}

static bool resolve_null_test(struct resolver *r, struct expr *expr, struct type *type_out)
{
    struct type type;
    *type_out = type_of(KIND_BOOL);
    return resolve_expr(r, expr->as.binary.left, &type);
}

static bool resolve_parameter(struct resolver *r, struct expr *expr, struct type *type_out)
{
    *type_out = TYPE_ANY;
    return names_index(r, &r->parameters, expr->as.parameter.name, &expr->as.parameter.index);
}

bool resolve_expr(struct resolver *r, struct expr *expr, struct type *type_out)
{
    switch (expr->kind) {
    case EXPR_LITERAL:
        *type_out = type_of(KIND_SET(expr->as.literal.kind));
        return true;
    case EXPR_PARAMETER:
        return resolve_parameter(r, expr, type_out);
    case EXPR_VARIABLE:
        return resolve_variable(r, expr, type_out);
    case EXPR_PROPERTY:
        return resolve_property(r, expr, type_out);
    case EXPR_HAS_LABELS:
        return resolve_has_labels(r, expr, type_out);
    case EXPR_LIST:
        return resolve_list(r, expr, type_out);
    case EXPR_MAP:
        return resolve_map(r, expr, type_out);
    case EXPR_INDEX:
    case EXPR_SLICE:
        return resolve_index(r, expr, type_out);
    case EXPR_UNARY:
        return resolve_unary(r, expr, type_out);
    case EXPR_BINARY:
        return resolve_binary(r, expr, type_out);
    case EXPR_COMPARISON:
        return resolve_comparison(r, expr, type_out);
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return resolve_null_test(r, expr, type_out);
    case EXPR_CALL:
        return resolve_call(r, expr, type_out);
    case EXPR_COUNT_STAR:
        *type_out = type_of(KIND_SET(YORE_GRAPH_INT));
        return resolve_count_star(r, expr);
    case EXPR_CASE:
        return resolve_case(r, expr, type_out);
    case EXPR_LIST_COMPREHENSION:
    case EXPR_QUANTIFIER:
    case EXPR_REDUCE:
        return resolve_walk(r, expr, type_out);
    case EXPR_PATTERN_COMPREHENSION:
        return resolve_pattern_comprehension(r, expr, type_out);
    case EXPR_PATTERN:
        return refuse_pattern(r, expr);
    case EXPR_SHORTEST_PATH:
        return resolve_shortest_path(r, expr, type_out);
    case EXPR_EXISTS:
    case EXPR_COUNT:
    case EXPR_COLLECT:
        return resolve_subquery_expr(r, expr, type_out);
    case EXPR_MAP_PROJECTION:
        return resolve_map_projection(r, expr, type_out);
    case EXPR_AGGREGATE: /* made from EXPR_CALL here, never parsed */
        break;
    }
    return resolver_fail(r, expr->spot, "UnexpectedSyntax", "expected an expression");
}
