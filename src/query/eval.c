#include "query/eval.h"

#include <stdarg.h>

#include "base/assert.h"
#include "base/checked.h"
#include "query/error.h"
#include "query/eval_internal.h"
#include "query/function_internal.h"
#include "query/limits.h"
#include "query/regex.h"
#include "query/zone.h"

#define BYTES_FOR_A_STEP 256 /* of a value that is looked through, for one step of the budget */
#define BYTES_MADE_FOR_A_STEP 4096 /* of one that is made */

void eval_release(struct eval *eval)
{
    regex_cache_free(eval->regexes);
    zone_cache_free(eval->zones);
    eval->regexes = NULL;
    eval->zones = NULL;
}

/* ---- failing, and what costs ---- */

enum yore_status eval_fail(struct eval *eval, struct ast_spot spot, const char *type,
                           const char *detail, const char *format, ...)
{
    struct query_error_class error_class = {type, detail, false};
    struct yore_bytes text = eval->statement == NULL ? bytes_of(NULL, 0) : eval->statement->text;
    va_list arguments;
    va_start(arguments, format);
    enum yore_status st =
        query_error_set_list(eval->error, text, spot, error_class, format, arguments);
    va_end(arguments);
    return st;
}

enum yore_status eval_engine(struct eval *eval, enum yore_status status)
{
    if (status != YORE_OK && eval->error != NULL) {
        eval->error->type = NULL;
        eval->error->detail = NULL;
        if (eval->error->error.status != status) {
            (void)error_plain(&eval->error->error, status);
        }
    }
    return status;
}

enum yore_status eval_nomem(struct eval *eval)
{
    if (eval->error != NULL) {
        (void)error_plain(&eval->error->error, YORE_NOMEM);
    }
    return eval_engine(eval, YORE_NOMEM);
}

enum yore_status eval_alloc(struct eval *eval, size_t count, size_t size, void **room_out)
{
    size_t wanted;
    uint64_t total;
    uint64_t bound = eval->memory_bytes_max == 0 ? UINT64_MAX : eval->memory_bytes_max;
    if (!checked_mul_size(count, size, &wanted) ||
        !checked_add_u64(atomic_load_explicit(&eval->arena->bytes, memory_order_relaxed), wanted,
                         &total) ||
        total > bound) {
        if (eval->error != NULL) {
            (void)error_set(&eval->error->error, YORE_TOO_BIG,
                            "the value needs more memory than the %llu octets of the statement",
                            (unsigned long long)bound);
        }
        return eval_engine(eval, YORE_TOO_BIG);
    }
    *room_out = arena_alloc(eval->arena, wanted);
    return *room_out == NULL ? eval_nomem(eval) : eval_step(eval, wanted / BYTES_MADE_FOR_A_STEP);
}

enum yore_status eval_string(struct eval *eval, struct yore_bytes text,
                             struct yore_graph_value *value_out)
{
    void *copy = NULL;
    if (text.size > 0) {
        copy = arena_copy(eval->arena, text.data, text.size);
        if (copy == NULL) {
            return eval_nomem(eval);
        }
    }
    *value_out = value_string(bytes_of(copy, text.size));
    return YORE_OK;
}

enum yore_status eval_step(struct eval *eval, uint64_t steps)
{
    eval->steps += steps;
    if (eval->steps < eval->steps_check || eval->ports == NULL || eval->ports->check == NULL) {
        return YORE_OK;
    }
    return eval->ports->check(eval);
}

enum yore_status eval_check_value(struct eval *eval, const struct yore_graph_value *value)
{
    uint64_t bound =
        eval->memory_bytes_max == 0 ? QUERY_MEMORY_BYTES_DEFAULT : eval->memory_bytes_max;
    uint64_t left = bound;
    if (value_fits(value, QUERY_VALUE_DEPTH_MAX, &left)) {
        return eval_step(eval, (bound - left) / BYTES_FOR_A_STEP);
    }
    if (eval->error != NULL) {
        (void)error_set(&eval->error->error, YORE_TOO_BIG,
                        "lists and maps nest deeper than %u, or take more than %llu octets "
                        "written out",
                        QUERY_VALUE_DEPTH_MAX, (unsigned long long)bound);
    }
    return eval_engine(eval, YORE_TOO_BIG);
}

struct temporal_context eval_temporal(struct eval *eval)
{
    return (struct temporal_context){
        .arena = eval->arena, .zones = &eval->zones, .now_ns = eval->clock.statement_ns};
}

enum yore_status eval_argument_status(struct eval *eval, enum yore_status status,
                                      struct ast_spot spot, const struct yore_error *error)
{
    if (status == YORE_OK) {
        return YORE_OK;
    }
    if (status == YORE_INVALID) {
        return eval_fail(eval, spot, "ArgumentError", "InvalidArgumentValue", "%s", error->text);
    }
    if (eval->error != NULL) {
        eval->error->error = *error;
    }
    return eval_engine(eval, status);
}

/* ---- the simple ones ---- */

static enum yore_status eval_list(struct eval *eval, const struct expr *expr,
                                  struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    const struct expr_list *list = &expr->as.list;
    void *room = NULL;
    enum yore_status st = eval_alloc(eval, list->count, sizeof(struct yore_graph_value), &room);
    struct yore_graph_value *items = room;
    for (uint32_t i = 0; i < list->count && st == YORE_OK; i++) {
        st = eval_expr(eval, list->items[i], row, &items[i]);
    }
    if (st != YORE_OK) {
        return st;
    }
    *value_out = value_list(items, list->count);
    return eval_check_value(eval, value_out);
}

/* coalesce(): what is behind the value is not evaluated. */
static enum yore_status eval_first_value(struct eval *eval, const struct expr *expr,
                                         struct yore_graph_value *row,
                                         struct yore_graph_value *value_out)
{
    *value_out = value_null();
    enum yore_status st = YORE_OK;
    for (uint32_t i = 0;
         i < expr->as.call.arguments.count && st == YORE_OK && value_is_null(value_out); i++) {
        st = eval_expr(eval, expr->as.call.arguments.items[i], row, value_out);
    }
    return st;
}

static enum yore_status ask_port(struct eval *eval, const struct expr *expr,
                                 struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    YORE_ASSERT(eval->ports != NULL && eval->ports->subquery != NULL);
    return eval->ports->subquery(eval, expr, row, value_out);
}

/* `*is_null_out`: one of them is null, and with that the value of the call. */
static enum yore_status eval_arguments(struct eval *eval, const struct expr *call,
                                       struct yore_graph_value *row,
                                       struct yore_graph_value *arguments_out, bool *is_null_out)
{
    const struct expr_list *list = &call->as.call.arguments;
    bool has_null = false;
    YORE_ASSERT(list->count <= FUNCTION_ARGUMENTS_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        enum yore_status st = eval_expr(eval, list->items[i], row, &arguments_out[i]);
        if (st != YORE_OK) {
            return st;
        }
        has_null = has_null || value_is_null(&arguments_out[i]);
    }
    *is_null_out = has_null && call->as.call.function->null_is_null;
    return YORE_OK;
}

bool eval_is_range(const struct expr *expr)
{
    return expr->kind == EXPR_CALL && expr->as.call.function->call == function_range;
}

enum yore_status eval_range(struct eval *eval, const struct expr *call,
                            struct yore_graph_value *row, struct number_range *range_out)
{
    struct yore_graph_value arguments[FUNCTION_ARGUMENTS_MAX];
    bool is_null = false;
    *range_out = (struct number_range){0};
    enum yore_status st = eval_arguments(eval, call, row, arguments, &is_null);
    return st == YORE_OK && !is_null
               ? function_range_numbers(eval, call, arguments, call->as.call.arguments.count,
                                        range_out)
               : st;
}

static enum yore_status eval_call(struct eval *eval, const struct expr *expr,
                                  struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    const struct function *function = expr->as.call.function;
    YORE_ASSERT(function != NULL && function->aggregate == AGGREGATE_NONE);
    if (function->stops_at_value) {
        return eval_first_value(eval, expr, row, value_out);
    }
    if (function->wants_port) {
        return ask_port(eval, expr, row, value_out);
    }
    struct yore_graph_value arguments[FUNCTION_ARGUMENTS_MAX];
    bool is_null = false;
    enum yore_status st = eval_arguments(eval, expr, row, arguments, &is_null);
    if (st != YORE_OK || is_null) {
        *value_out = value_null();
        return st;
    }
    return function->call(eval, expr, arguments, expr->as.call.arguments.count, value_out);
}

static enum yore_status eval_unary(struct eval *eval, const struct expr *expr,
                                   struct yore_graph_value *row, struct yore_graph_value *value_out)
{
    struct yore_graph_value operand;
    enum yore_status st = eval_expr(eval, expr->as.binary.left, row, &operand);
    if (st != YORE_OK) {
        return st;
    }
    if (expr->as.binary.operator== OPERATOR_NOT) {
        enum ternary truth;
        st = eval_ternary(eval, &operand, expr->as.binary.left->spot, &truth);
        if (st == YORE_OK) {
            *value_out = truth == TERNARY_NULL ? value_null() : value_bool(truth == TERNARY_FALSE);
        }
        return st;
    }
    if (expr->as.binary.operator== OPERATOR_MINUS) {
        return eval_minus(eval, &operand, expr->spot, value_out);
    }
    if (!value_is_null(&operand) && !value_is_number(&operand)) {
        return eval_fail(eval, expr->spot, "TypeError", "InvalidArgumentType",
                         "+ takes a number, not a %s", value_kind_name(operand.kind));
    }
    *value_out = operand;
    return YORE_OK;
}

static enum yore_status eval_is_null(struct eval *eval, const struct expr *expr,
                                     struct yore_graph_value *row,
                                     struct yore_graph_value *value_out)
{
    enum yore_status st = eval_expr(eval, expr->as.binary.left, row, value_out);
    if (st == YORE_OK) {
        *value_out = value_bool(value_is_null(value_out) == (expr->kind == EXPR_IS_NULL));
    }
    return st;
}

static enum yore_status binary_of(struct eval *eval, enum expr_operator operator,
                                  const struct yore_graph_value * left,
                                  const struct yore_graph_value *right, struct ast_spot spot,
                                  struct yore_graph_value *value_out)
{
    switch (operator) {
    case OPERATOR_EQUAL:
    case OPERATOR_NOT_EQUAL:
    case OPERATOR_LESS:
    case OPERATOR_LESS_EQUAL:
    case OPERATOR_GREATER:
    case OPERATOR_GREATER_EQUAL:
        *value_out = value_ternary(eval_compare(operator, left, right));
        return YORE_OK;
    case OPERATOR_IN:
    case OPERATOR_STARTS_WITH:
    case OPERATOR_ENDS_WITH:
    case OPERATOR_CONTAINS:
    case OPERATOR_MATCHES:
        return eval_text_operator(eval, operator, left, right, spot, value_out);
    default:
        return eval_arithmetic(eval, operator, left, right, spot, value_out);
    }
}

static enum yore_status eval_binary_expr(struct eval *eval, const struct expr *expr,
                                         struct yore_graph_value *row,
                                         struct yore_graph_value *value_out)
{
    enum expr_operator operator= expr->as.binary.operator;
    if (operator== OPERATOR_AND || operator== OPERATOR_OR || operator== OPERATOR_XOR) {
        return eval_logic(eval, expr, row, value_out);
    }
    struct yore_graph_value left;
    struct yore_graph_value right;
    enum yore_status st = eval_expr(eval, expr->as.binary.left, row, &left);
    if (st == YORE_OK) {
        st = eval_expr(eval, expr->as.binary.right, row, &right);
    }
    return st != YORE_OK ? st : binary_of(eval, operator, & left, &right, expr->spot, value_out);
}

enum yore_status eval_expr(struct eval *eval, const struct expr *expr, struct yore_graph_value *row,
                           struct yore_graph_value *value_out)
{
    switch (expr->kind) {
    case EXPR_LITERAL:
        *value_out = expr->as.literal;
        return YORE_OK;
    case EXPR_PARAMETER:
        *value_out = eval->parameters[expr->as.parameter.index];
        return YORE_OK;
    case EXPR_VARIABLE:
        *value_out = row[expr->as.variable.slot];
        return YORE_OK;
    case EXPR_AGGREGATE:
        *value_out = row[expr->as.call.slot];
        return YORE_OK;
    case EXPR_PROPERTY:
        return eval_property_of(eval, expr, row, value_out);
    case EXPR_HAS_LABELS:
        return eval_has_labels(eval, expr, row, value_out);
    case EXPR_LIST:
        return eval_list(eval, expr, row, value_out);
    case EXPR_MAP:
        return eval_map(eval, expr, row, value_out);
    case EXPR_INDEX:
        return eval_index(eval, expr, row, value_out);
    case EXPR_SLICE:
        return eval_slice(eval, expr, row, value_out);
    case EXPR_UNARY:
        return eval_unary(eval, expr, row, value_out);
    case EXPR_BINARY:
        return eval_binary_expr(eval, expr, row, value_out);
    case EXPR_COMPARISON:
        return eval_comparison(eval, expr, row, value_out);
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return eval_is_null(eval, expr, row, value_out);
    case EXPR_CALL:
        return eval_call(eval, expr, row, value_out);
    case EXPR_CASE:
        return eval_case(eval, expr, row, value_out);
    case EXPR_LIST_COMPREHENSION:
        return eval_comprehension(eval, expr, row, value_out);
    case EXPR_QUANTIFIER:
        return eval_quantifier(eval, expr, row, value_out);
    case EXPR_REDUCE:
        return eval_reduce(eval, expr, row, value_out);
    case EXPR_MAP_PROJECTION:
        return eval_projection(eval, expr, row, value_out);
    case EXPR_PATTERN_COMPREHENSION:
    case EXPR_PATTERN:
    case EXPR_SHORTEST_PATH:
    case EXPR_EXISTS:
    case EXPR_COUNT:
    case EXPR_COLLECT:
        return ask_port(eval, expr, row, value_out);
    case EXPR_COUNT_STAR: /* the resolver has made an EXPR_AGGREGATE of it */
        break;
    }
    YORE_ASSERT(false);
    return YORE_INVALID;
}

enum yore_status eval_condition(struct eval *eval, const struct expr *expr,
                                struct yore_graph_value *row, bool *is_true_out)
{
    struct yore_graph_value value;
    enum ternary truth = TERNARY_NULL;
    enum yore_status st = eval_expr(eval, expr, row, &value);
    if (st == YORE_OK) {
        st = eval_ternary(eval, &value, expr->spot, &truth);
    }
    *is_true_out = truth == TERNARY_TRUE;
    return st;
}
