#include "query/aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "query/duration.h"
#include "query/eval_internal.h"
#include "query/value.h"

#define ITEMS_FIRST 8

void aggregate_init(struct aggregate *aggregate, const struct expr *call, struct arena *keep)
{
    *aggregate = (struct aggregate){.kind = AGGREGATE_COUNT_STAR, .keep = keep};
    if (call->as.call.function != NULL) {
        aggregate->kind = call->as.call.function->aggregate;
        aggregate->is_distinct = call->as.call.is_distinct;
    }
    value_set_init(&aggregate->seen, keep, 1);
}

/* ---- taking in ---- */

static enum yore_status refuse(struct eval *eval, const struct expr *call,
                               const struct yore_graph_value *value)
{
    return eval_fail(eval, call->spot, "TypeError", "InvalidArgumentType",
                     "%.*s() cannot take a %s here", (int)call->as.call.name.size,
                     (const char *)call->as.call.name.data, value_kind_name(value->kind));
}

static enum yore_status push(struct aggregate *aggregate, struct eval *eval,
                             const struct yore_graph_value *value)
{
    if (aggregate->count == aggregate->item_capacity) {
        size_t capacity =
            aggregate->item_capacity == 0 ? ITEMS_FIRST : aggregate->item_capacity * 2;
        struct yore_graph_value *items = arena_alloc(aggregate->keep, capacity * sizeof(*items));
        if (items == NULL) {
            return eval_nomem(eval);
        }
        if (aggregate->count > 0) {
            memcpy(items, aggregate->items, (size_t)aggregate->count * sizeof(*items));
        }
        aggregate->items = items;
        aggregate->item_capacity = capacity;
    }
    enum yore_status st = value_copy(aggregate->keep, value, &aggregate->items[aggregate->count]);
    return st == YORE_OK ? st : eval_nomem(eval);
}

/* Sum with the low parts that additions lose kept apart (Neumaier, 1974). */
static void add_real(struct aggregate *aggregate, double real)
{
    double sum = aggregate->real + real;
    if (isfinite(sum)) {
        aggregate->compensation += fabs(aggregate->real) >= fabs(real)
                                       ? (aggregate->real - sum) + real
                                       : (real - sum) + aggregate->real;
    }
    aggregate->real = sum;
}

static enum yore_status add_duration(struct aggregate *aggregate, struct eval *eval,
                                     const struct expr *call, const struct yore_graph_value *value)
{
    if (aggregate->count > 0 && !aggregate->is_duration) {
        return refuse(eval, call, value);
    }
    struct yore_graph_duration sum = *value->as.duration;
    bool fits = !aggregate->is_duration || duration_add(aggregate->value.as.duration, &sum, &sum);
    if (!fits) {
        return eval_fail(eval, call->spot, "ArithmeticError", "NumberOutOfRange",
                         "the sum of durations is longer than 2^63 seconds");
    }
    aggregate->is_duration = true;
    struct yore_graph_duration *kept = arena_alloc(aggregate->keep, sizeof(*kept));
    if (kept == NULL) {
        return eval_nomem(eval);
    }
    *kept = sum;
    aggregate->value = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = kept};
    return YORE_OK;
}

static enum yore_status add_number(struct aggregate *aggregate, struct eval *eval,
                                   const struct expr *call, const struct yore_graph_value *value)
{
    if (!value_is_number(value) || aggregate->is_duration) {
        return refuse(eval, call, value);
    }
    if (value->kind == YORE_GRAPH_FLOAT) {
        aggregate->is_float = true;
        add_real(aggregate, value->as.real);
        return YORE_OK;
    }
    add_real(aggregate, (double)value->as.integer);
    bool counts = aggregate->kind == AGGREGATE_SUM && !aggregate->is_float;
    if (counts && !checked_add_i64(aggregate->integer, value->as.integer, &aggregate->integer)) {
        return eval_fail(eval, call->spot, "ArithmeticError", "IntegerOverflow",
                         "the sum does not fit an Integer of 64 bits");
    }
    return YORE_OK;
}

/* Mean and sum of squared differences in one pass (Welford, 1962). */
static enum yore_status add_deviation(struct aggregate *aggregate, struct eval *eval,
                                      const struct expr *call, const struct yore_graph_value *value)
{
    if (!value_is_number(value)) {
        return refuse(eval, call, value);
    }
    double real = value->kind == YORE_GRAPH_INT ? (double)value->as.integer : value->as.real;
    double distance = real - aggregate->real;
    aggregate->real += distance / (double)(aggregate->count + 1);
    aggregate->compensation += distance * (real - aggregate->real);
    return YORE_OK;
}

static enum yore_status set_percentile(struct aggregate *aggregate, struct eval *eval,
                                       const struct expr *call,
                                       const struct yore_graph_value *percentile)
{
    if (!value_is_number(percentile)) {
        return refuse(eval, call, percentile);
    }
    double real =
        percentile->kind == YORE_GRAPH_INT ? (double)percentile->as.integer : percentile->as.real;
    if (!(real >= 0 && real <= 1)) {
        return eval_fail(eval, call->spot, "ArgumentError", "NumberOutOfRange",
                         "a percentile is 0.0 to 1.0");
    }
    aggregate->real = real;
    return YORE_OK;
}

static enum yore_status take_extreme(struct aggregate *aggregate, struct eval *eval,
                                     const struct yore_graph_value *value)
{
    int order = aggregate->count == 0 ? 0 : value_order(value, &aggregate->value);
    bool is_better =
        aggregate->count == 0 || (aggregate->kind == AGGREGATE_MIN ? order < 0 : order > 0);
    if (!is_better) {
        return YORE_OK;
    }
    enum yore_status st = value_copy(aggregate->keep, value, &aggregate->value);
    return st == YORE_OK ? st : eval_nomem(eval);
}

static enum yore_status take(struct aggregate *aggregate, struct eval *eval,
                             const struct expr *call, const struct yore_graph_value *value)
{
    switch (aggregate->kind) {
    case AGGREGATE_SUM:
    case AGGREGATE_AVG:
        return value->kind == YORE_GRAPH_DURATION ? add_duration(aggregate, eval, call, value)
                                                  : add_number(aggregate, eval, call, value);
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
        return take_extreme(aggregate, eval, value);
    case AGGREGATE_COLLECT:
        return push(aggregate, eval, value);
    case AGGREGATE_STDEV:
    case AGGREGATE_STDEVP:
        return add_deviation(aggregate, eval, call, value);
    case AGGREGATE_PERCENTILE_CONT:
    case AGGREGATE_PERCENTILE_DISC:
        return value_is_number(value) ? push(aggregate, eval, value) : refuse(eval, call, value);
    default:
        return YORE_OK;
    }
}

enum yore_status aggregate_add(struct aggregate *aggregate, struct eval *eval,
                               const struct expr *call, struct yore_graph_value *row)
{
    if (aggregate->kind == AGGREGATE_COUNT_STAR) {
        aggregate->count++;
        return YORE_OK;
    }
    const struct expr_list *arguments = &call->as.call.arguments;
    struct yore_graph_value value;
    enum yore_status st = eval_expr(eval, arguments->items[0], row, &value);
    if (st == YORE_OK && arguments->count > 1) {
        struct yore_graph_value percentile;
        st = eval_expr(eval, arguments->items[1], row, &percentile);
        if (st == YORE_OK) {
            st = set_percentile(aggregate, eval, call, &percentile);
        }
    }
    if (st != YORE_OK || value_is_null(&value)) {
        return st;
    }
    if (aggregate->is_distinct) {
        size_t index = 0;
        bool is_new = false;
        st = value_set_put(&aggregate->seen, &value, &index, &is_new);
        if (st != YORE_OK) {
            return st == YORE_NOMEM ? eval_nomem(eval) : eval_engine(eval, st);
        }
        if (!is_new) {
            return YORE_OK;
        }
    }
    st = take(aggregate, eval, call, &value);
    if (st == YORE_OK) {
        aggregate->count++;
    }
    return st;
}

/* ---- results ---- */

static int order_values(const void *a, const void *b)
{
    return value_order(a, b);
}

static double real_of(const struct yore_graph_value *number)
{
    return number->kind == YORE_GRAPH_INT ? (double)number->as.integer : number->as.real;
}

/* Between the two values that the percentile lies between. */
static struct yore_graph_value percentile_cont(const struct aggregate *aggregate)
{
    double rank = aggregate->real * (double)(aggregate->count - 1);
    size_t low = (size_t)rank;
    size_t high = low + 1 < aggregate->count ? low + 1 : low;
    double share = rank - (double)low;
    double a = real_of(&aggregate->items[low]);
    double b = real_of(&aggregate->items[high]);
    return value_float(share == 0 ? a : a * (1 - share) + b * share);
}

/* The first value that the share of values up to it reaches. */
static struct yore_graph_value percentile_disc(const struct aggregate *aggregate)
{
    double rank = ceil(aggregate->real * (double)aggregate->count);
    size_t index = rank < 1 ? 0 : (size_t)rank - 1;
    return aggregate->items[index < aggregate->count ? index : (size_t)aggregate->count - 1];
}

static enum yore_status percentile(struct aggregate *aggregate, struct yore_graph_value *value_out)
{
    if (aggregate->count == 0) {
        *value_out = value_null();
        return YORE_OK;
    }
    qsort(aggregate->items, (size_t)aggregate->count, sizeof(*aggregate->items), order_values);
    *value_out = aggregate->kind == AGGREGATE_PERCENTILE_CONT ? percentile_cont(aggregate)
                                                              : percentile_disc(aggregate);
    return YORE_OK;
}

static struct yore_graph_value deviation(const struct aggregate *aggregate)
{
    uint64_t count = aggregate->count - (aggregate->kind == AGGREGATE_STDEV);
    return value_float(aggregate->count < 2 ? 0.0 : sqrt(aggregate->compensation / (double)count));
}

static enum yore_status average(struct aggregate *aggregate, struct eval *eval,
                                const struct expr *call, struct yore_graph_value *value_out)
{
    if (aggregate->is_duration) {
        struct yore_graph_value count = value_int((int64_t)aggregate->count);
        return eval_arithmetic(eval, OPERATOR_DIVIDE, &aggregate->value, &count, call->spot,
                               value_out);
    }
    *value_out =
        aggregate->count == 0
            ? value_null()
            : value_float((aggregate->real + aggregate->compensation) / (double)aggregate->count);
    return YORE_OK;
}

static struct yore_graph_value total(const struct aggregate *aggregate)
{
    if (aggregate->is_duration) {
        return aggregate->value;
    }
    return aggregate->is_float ? value_float(aggregate->real + aggregate->compensation)
                               : value_int(aggregate->integer);
}

enum yore_status aggregate_result(struct aggregate *aggregate, struct eval *eval,
                                  const struct expr *call, struct yore_graph_value *value_out)
{
    switch (aggregate->kind) {
    case AGGREGATE_COUNT_STAR:
    case AGGREGATE_COUNT:
        *value_out = value_int((int64_t)aggregate->count);
        return YORE_OK;
    case AGGREGATE_SUM:
        *value_out = total(aggregate);
        return YORE_OK;
    case AGGREGATE_AVG:
        return average(aggregate, eval, call, value_out);
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
        *value_out = aggregate->count == 0 ? value_null() : aggregate->value;
        return YORE_OK;
    case AGGREGATE_COLLECT:
        *value_out = value_list(aggregate->items, (size_t)aggregate->count);
        return eval_check_value(eval, value_out);
    case AGGREGATE_STDEV:
    case AGGREGATE_STDEVP:
        *value_out = deviation(aggregate);
        return YORE_OK;
    default:
        YORE_ASSERT(aggregate->kind == AGGREGATE_PERCENTILE_CONT ||
                    aggregate->kind == AGGREGATE_PERCENTILE_DISC);
        return percentile(aggregate, value_out);
    }
}
