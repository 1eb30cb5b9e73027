/* + - * / % ^ on numbers, strings, lists, dates, times and durations. */
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "query/duration.h"
#include "query/eval_internal.h"
#include "query/number.h"
#include "query/value.h"

struct operation {
    struct eval *eval;
    enum expr_operator operator;
    const struct yore_graph_value *left;
    const struct yore_graph_value *right;
    struct ast_spot spot;
};

static const char *sign_of(enum expr_operator operator)
{
    switch (operator) {
    case OPERATOR_ADD:
        return "+";
    case OPERATOR_SUBTRACT:
        return "-";
    case OPERATOR_MULTIPLY:
        return "*";
    case OPERATOR_DIVIDE:
        return "/";
    case OPERATOR_MODULO:
        return "%";
    default:
        return "^";
    }
}

static enum yore_status refuse(const struct operation *op)
{
    return eval_fail(op->eval, op->spot, "TypeError", "InvalidArgumentType", "there is no %s %s %s",
                     value_kind_name(op->left->kind), sign_of(op->operator),
                     value_kind_name(op->right->kind));
}

static enum yore_status overflow(struct eval *eval, struct ast_spot spot)
{
    return eval_fail(eval, spot, "ArithmeticError", "IntegerOverflow",
                     "the result does not fit an Integer of 64 bits");
}

/* ---- numbers ---- */

static enum yore_status integers(const struct operation *op, struct yore_graph_value *value_out)
{
    int64_t a = op->left->as.integer;
    int64_t b = op->right->as.integer;
    int64_t result = 0;
    bool fits = true;
    switch (op->operator) {
    case OPERATOR_ADD:
        fits = checked_add_i64(a, b, &result);
        break;
    case OPERATOR_SUBTRACT:
        fits = checked_sub_i64(a, b, &result);
        break;
    case OPERATOR_MULTIPLY:
        fits = checked_mul_i64(a, b, &result);
        break;
    default:
        if (b == 0) {
            return eval_fail(op->eval, op->spot, "ArithmeticError", "DivisionByZero",
                             "an Integer cannot be divided by zero");
        }
        fits = op->operator== OPERATOR_MODULO || b != - 1 || a != INT64_MIN;
        if (fits) {
            result = op->operator== OPERATOR_DIVIDE ? a / b : (b == -1 ? 0 : a % b);
        }
        break;
    }
    *value_out = value_int(result);
    return fits ? YORE_OK : overflow(op->eval, op->spot);
}

static double real_of(const struct yore_graph_value *number)
{
    return number->kind == YORE_GRAPH_INT ? (double)number->as.integer : number->as.real;
}

static double reals(enum expr_operator operator, double a, double b)
{
    switch (operator) {
    case OPERATOR_ADD:
        return a + b;
    case OPERATOR_SUBTRACT:
        return a - b;
    case OPERATOR_MULTIPLY:
        return a * b;
    case OPERATOR_DIVIDE:
        return a / b;
    case OPERATOR_MODULO:
        return fmod(a, b);
    default:
        return pow(a, b);
    }
}

static enum yore_status numbers(const struct operation *op, struct yore_graph_value *value_out)
{
    bool are_integers = op->left->kind == YORE_GRAPH_INT && op->right->kind == YORE_GRAPH_INT;
    if (are_integers && op->operator!= OPERATOR_POWER) {
        return integers(op, value_out);
    }
    *value_out = value_float(reals(op->operator, real_of(op->left), real_of(op->right)));
    return YORE_OK;
}

/* ---- strings and lists ---- */

/* A string as it is, a number as toString() has it; into `text` where there is none. */
static struct yore_bytes text_of(const struct yore_graph_value *value, char text[FLOAT_TEXT_BYTES])
{
    if (value->kind == YORE_GRAPH_STRING) {
        return value->as.string;
    }
    if (value->kind == YORE_GRAPH_FLOAT) {
        return bytes_of(text, float_write(value->as.real, text));
    }
    return bytes_of(text, integer_write(value->as.integer, text));
}

static enum yore_status concatenate(const struct operation *op, struct yore_graph_value *value_out)
{
    char texts[2][FLOAT_TEXT_BYTES];
    struct yore_bytes left = text_of(op->left, texts[0]);
    struct yore_bytes right = text_of(op->right, texts[1]);
    void *room = NULL;
    enum yore_status st = eval_alloc(op->eval, left.size + right.size, 1, &room);
    if (st != YORE_OK) {
        return st;
    }
    unsigned char *to = room;
    if (left.size > 0) {
        memcpy(to, left.data, left.size);
    }
    if (right.size > 0) {
        memcpy(to + left.size, right.data, right.size);
    }
    *value_out = value_string(bytes_of(to, left.size + right.size));
    return YORE_OK;
}

/* One item, or those of a list. */
static struct yore_graph_list items_of(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_LIST ? value->as.list : (struct yore_graph_list){value, 1};
}

static enum yore_status append(const struct operation *op, struct yore_graph_value *value_out)
{
    struct yore_graph_list left = items_of(op->left);
    struct yore_graph_list right = items_of(op->right);
    void *room = NULL;
    enum yore_status st = eval_step(op->eval, (left.count + right.count) / 8);
    if (st == YORE_OK) {
        st = eval_alloc(op->eval, left.count + right.count, sizeof(*left.items), &room);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_graph_value *items = room;
    if (left.count > 0) {
        memcpy(items, left.items, left.count * sizeof(*items));
    }
    if (right.count > 0) {
        memcpy(items + left.count, right.items, right.count * sizeof(*items));
    }
    *value_out = value_list(items, left.count + right.count);
    bool nests = op->left->kind != op->right->kind &&
                 (op->left->kind == YORE_GRAPH_MAP || op->right->kind == YORE_GRAPH_MAP);
    return nests ? eval_check_value(op->eval, value_out) : YORE_OK;
}

/* ---- time ---- */

static enum yore_status out_of_bounds(const struct operation *op)
{
    return eval_fail(op->eval, op->spot, "ArithmeticError", "NumberOutOfRange",
                     "the duration is longer than 2^63 seconds");
}

static enum yore_status keep_duration(const struct operation *op,
                                      const struct yore_graph_duration *duration,
                                      struct yore_graph_value *value_out)
{
    struct yore_graph_duration *copy = arena_alloc(op->eval->arena, sizeof(*copy));
    if (copy == NULL) {
        return eval_nomem(op->eval);
    }
    *copy = *duration;
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = copy};
    return YORE_OK;
}

/* A duration plus or minus one, times or through a number. */
static enum yore_status durations(const struct operation *op, struct yore_graph_value *value_out)
{
    struct yore_graph_duration result;
    struct yore_graph_duration right;
    bool fits = false;
    if (op->operator== OPERATOR_ADD || op->operator== OPERATOR_SUBTRACT) {
        if (op->left->kind != op->right->kind) {
            return refuse(op);
        }
        right = *op->right->as.duration;
        fits = (op->operator== OPERATOR_ADD || duration_negate(&right, &right)) &&
               duration_add(op->left->as.duration, &right, &result);
        return fits ? keep_duration(op, &result, value_out) : out_of_bounds(op);
    }
    bool is_left = op->left->kind == YORE_GRAPH_DURATION;
    const struct yore_graph_value *number = is_left ? op->right : op->left;
    bool divides = op->operator== OPERATOR_DIVIDE;
    if (!value_is_number(number) || (!is_left && divides) ||
        (!divides && op->operator!= OPERATOR_MULTIPLY)) {
        return refuse(op);
    }
    struct decimal factor = decimal_of_int(number->as.integer);
    fits = number->kind == YORE_GRAPH_INT || decimal_of_float(number->as.real, &factor);
    fits = fits &&
           duration_scale((is_left ? op->left : op->right)->as.duration, factor, divides, &result);
    return fits ? keep_duration(op, &result, value_out) : out_of_bounds(op);
}

static enum yore_status move_time(const struct operation *op, struct yore_graph_value *value_out)
{
    bool is_left = value_is_temporal(op->left);
    const struct yore_graph_value *moment = is_left ? op->left : op->right;
    const struct yore_graph_value *by = is_left ? op->right : op->left;
    bool is_known = op->operator== OPERATOR_ADD ||(is_left && op->operator== OPERATOR_SUBTRACT);
    if (by->kind != YORE_GRAPH_DURATION || !is_known) {
        return refuse(op);
    }
    struct yore_graph_duration duration = *by->as.duration;
    if (op->operator== OPERATOR_SUBTRACT && !duration_negate(&duration, &duration)) {
        return out_of_bounds(op);
    }
    struct temporal_context context = eval_temporal(op->eval);
    struct yore_error error;
    enum yore_status st = temporal_add(&context, moment, &duration, value_out, &error);
    return eval_argument_status(op->eval, st, op->spot, &error);
}

/* ---- all of them ---- */

static bool is_text_or_number(const struct yore_graph_value *value)
{
    return value->kind == YORE_GRAPH_STRING || value_is_number(value);
}

enum yore_status eval_arithmetic(struct eval *eval, enum expr_operator operator,
                                 const struct yore_graph_value * left,
                                 const struct yore_graph_value *right, struct ast_spot spot,
                                 struct yore_graph_value *value_out)
{
    struct operation op = {eval, operator, left, right, spot};
    if (value_is_null(left) || value_is_null(right)) {
        *value_out = value_null();
        return YORE_OK;
    }
    if (value_is_number(left) && value_is_number(right)) {
        return numbers(&op, value_out);
    }
    if (operator== OPERATOR_ADD) {
        if (left->kind == YORE_GRAPH_LIST || right->kind == YORE_GRAPH_LIST) {
            return append(&op, value_out);
        }
        if (is_text_or_number(left) && is_text_or_number(right)) {
            return concatenate(&op, value_out);
        }
    }
    if (value_is_temporal(left) || value_is_temporal(right)) {
        return move_time(&op, value_out);
    }
    if (left->kind == YORE_GRAPH_DURATION || right->kind == YORE_GRAPH_DURATION) {
        return durations(&op, value_out);
    }
    return refuse(&op);
}

enum yore_status eval_minus(struct eval *eval, const struct yore_graph_value *value,
                            struct ast_spot spot, struct yore_graph_value *value_out)
{
    if (value->kind == YORE_GRAPH_FLOAT) {
        *value_out = value_float(-value->as.real);
        return YORE_OK;
    }
    if (value->kind == YORE_GRAPH_INT || value_is_null(value) ||
        value->kind == YORE_GRAPH_DURATION) {
        struct yore_graph_value factor = value_int(-1);
        return eval_arithmetic(eval, OPERATOR_MULTIPLY, value, &factor, spot, value_out);
    }
    return eval_fail(eval, spot, "TypeError", "InvalidArgumentType", "- takes a number, not a %s",
                     value_kind_name(value->kind));
}
