/* resolve_call.c -- functions: found, their arguments checked; aggregates gathered. */
#include <string.h>

#include "base/nearest.h"
#include "query/expr_equal.h"
#include "query/function.h"
#include "query/resolver_internal.h"

static const char *function_name(const void *arg, size_t index)
{
    (void)arg;
    return function_at(index)->name;
}

#define NAME_TEXT_BYTES 41

static bool unknown_function(struct resolver *r, const struct expr *expr)
{
    struct yore_bytes name = expr->as.call.name;
    char text[NAME_TEXT_BYTES];
    const char *near = NULL;
    if (name.size < sizeof(text)) {
        memcpy(text, name.data, name.size);
        text[name.size] = '\0';
        near = nearest_word(text, function_name, NULL, function_count());
    }
    return resolver_fail(r, expr->spot, "UnknownFunction", "there is no function `%.*s`%s%s%s",
                         NAME_SHOWN(name), near != NULL ? "; did you mean " : "",
                         near != NULL ? near : "", near != NULL ? "()?" : "");
}

static bool check_arity(struct resolver *r, const struct expr *expr)
{
    const struct function *function = expr->as.call.function;
    uint32_t count = expr->as.call.arguments.count;
    bool is_open = function->arity_max == FUNCTION_ARITY_ANY;
    if (count >= function->arity_min && (is_open || count <= function->arity_max)) {
        return true;
    }
    return resolver_fail(
        r, expr->spot, "InvalidNumberOfArguments", "%s() takes %u%s%.0u argument%s, not %u",
        function->name, function->arity_min,
        is_open                                     ? " or more"
        : function->arity_max > function->arity_min ? " to "
                                                    : "",
        is_open || function->arity_max == function->arity_min ? 0u : (unsigned)function->arity_max,
        function->arity_max == 1 ? "" : "s", count);
}

static bool resolve_arguments(struct resolver *r, struct expr *expr)
{
    const struct function *function = expr->as.call.function;
    for (uint32_t i = 0; i < expr->as.call.arguments.count; i++) {
        struct expr *argument = expr->as.call.arguments.items[i];
        uint32_t wanted = i < FUNCTION_ARGUMENTS_TYPED ? function->arguments[i] : KINDS_ANY;
        struct type type;
        if (!resolve_expr(r, argument, &type)) {
            return false;
        }
        if (wanted != KINDS_ANY && !type_fits(type, wanted)) {
            return resolver_fail(r, argument->spot, "InvalidArgumentType", "%s() does not take %s",
                                 function->name, type_text(type));
        }
    }
    return true;
}

/* ---- aggregates ------------------------------------------------------------------------------
 */

/* One that is there already, with its slot, or a new one. */
static bool gather(struct resolver *r, struct expr *expr)
{
    struct aggregates *a = r->aggregates;
    r->aggregates_met++;
    for (uint32_t i = 0; i < a->count; i++) {
        if (expr_equal(a->items[i], expr)) {
            expr->as.call.slot = a->items[i]->as.call.slot;
            return true;
        }
    }
    struct expr **items = resolver_grow(r, a->items, a->count, &a->capacity, sizeof(*items));
    if (items == NULL || !slot_new(r, bytes_of(NULL, 0), TYPE_ANY, &expr->as.call.slot)) {
        return false;
    }
    a->items = items;
    items[a->count++] = expr;
    return true;
}

static bool may_aggregate(struct resolver *r, const struct expr *expr)
{
    if (r->in_aggregate) {
        return resolver_fail(r, expr->spot, "NestedAggregation",
                             "an aggregate cannot be inside another; compute the inner one in a "
                             "WITH before");
    }
    if (r->aggregates == NULL) {
        return resolver_fail(r, expr->spot, "InvalidAggregation",
                             "an aggregate cannot stand here; compute it in a WITH before");
    }
    return true;
}

static bool resolve_aggregate(struct resolver *r, struct expr *expr)
{
    if (!may_aggregate(r, expr)) {
        return false;
    }
    bool was_volatile = r->is_volatile;
    r->in_aggregate = true;
    r->is_volatile = false;
    bool is_resolved = resolve_arguments(r, expr);
    r->in_aggregate = false;
    if (is_resolved && r->is_volatile) {
        return resolver_fail(r, expr->spot, "NonConstantExpression",
                             "%s() cannot take a value that is another one at every call; compute "
                             "it in a WITH before",
                             expr->as.call.function->name);
    }
    r->is_volatile = was_volatile;
    expr->kind = EXPR_AGGREGATE;
    return is_resolved && gather(r, expr);
}

bool resolve_count_star(struct resolver *r, struct expr *expr)
{
    if (!may_aggregate(r, expr)) {
        return false;
    }
    expr->kind = EXPR_AGGREGATE;
    memset(&expr->as.call, 0, sizeof(expr->as.call));
    expr->as.call.name = bytes_of("count", 5);
    return gather(r, expr);
}

bool resolve_call(struct resolver *r, struct expr *expr, struct type *type_out)
{
    const struct function *function = function_find(expr->as.call.name);
    if (function == NULL) {
        return unknown_function(r, expr);
    }
    expr->as.call.function = function;
    *type_out = type_of(function->results);
    if (!check_arity(r, expr)) {
        return false;
    }
    if (function->aggregate != AGGREGATE_NONE) {
        return resolve_aggregate(r, expr);
    }
    if (expr->as.call.is_distinct) {
        return resolver_fail(r, expr->spot, "UnexpectedSyntax",
                             "DISTINCT is for aggregates; %s() is none", function->name);
    }
    bool is_volatile = function->purity == FUNCTION_VOLATILE;
    r->is_volatile = r->is_volatile || is_volatile;
    r->statement->is_volatile = r->statement->is_volatile || is_volatile;
    return resolve_arguments(r, expr);
}
