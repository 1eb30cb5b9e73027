#include "query/function.h"

#include <math.h>
#include <string.h>

#include "query/function_internal.h"
#include "query/value.h"

/* ---- the table ----
 *
 * STRICT functions give null for any null, without a call; LAX ones look at it themselves. */
#define STRICT(text, low, high, is_pure, gives, a, b, c, function)                                 \
    {                                                                                              \
        .name = text, .arity_min = low, .arity_max = high, .purity = FUNCTION_##is_pure,           \
        .null_is_null = true, .results = gives, .arguments = {a, b, c}, .call = function           \
    }
#define LAX(text, low, high, is_pure, gives, a, b, c, function)                                    \
    {                                                                                              \
        .name = text, .arity_min = low, .arity_max = high, .purity = FUNCTION_##is_pure,           \
        .results = gives, .arguments = {a, b, c}, .call = function                                 \
    }
/* Of one number; what it is not defined for is NaN. */
#define REAL(text, of)                                                                             \
    {                                                                                              \
        .name = text, .arity_min = 1, .arity_max = 1, .purity = FUNCTION_PURE,                     \
        .null_is_null = true, .results = FLOAT, .arguments = {NUMBER}, .call = function_real,      \
        .real = of                                                                                 \
    }
#define AGGREGATE(text, count, which, gives, a, b)                                                 \
    {                                                                                              \
        .name = text, .arity_min = count, .arity_max = count, .purity = FUNCTION_PURE,             \
        .aggregate = AGGREGATE_##which, .results = gives, .arguments = {                           \
            a,                                                                                     \
            b                                                                                      \
        }                                                                                          \
    }

enum {
    ANY = KINDS_ANY,
    BOOL = KIND_SET(YORE_GRAPH_BOOL),
    INT = KIND_SET(YORE_GRAPH_INT),
    FLOAT = KIND_SET(YORE_GRAPH_FLOAT),
    NUMBER = KINDS_NUMBER,
    STRING = KIND_SET(YORE_GRAPH_STRING),
    LIST = KIND_SET(YORE_GRAPH_LIST),
    MAP = KIND_SET(YORE_GRAPH_MAP),
    DATE = KIND_SET(YORE_GRAPH_DATE),
    LOCAL_TIME = KIND_SET(YORE_GRAPH_LOCAL_TIME),
    TIME = KIND_SET(YORE_GRAPH_TIME),
    LOCAL_DATETIME = KIND_SET(YORE_GRAPH_LOCAL_DATETIME),
    DATETIME = KIND_SET(YORE_GRAPH_DATETIME),
    DURATION = KIND_SET(YORE_GRAPH_DURATION),
    NODE = KIND_SET(YORE_GRAPH_NODE),
    RELATIONSHIP = KIND_SET(YORE_GRAPH_RELATIONSHIP),
    ELEMENT = KINDS_ELEMENT,
    PATH = KIND_SET(YORE_GRAPH_PATH),
};

/* By name, letters without their case: function_find() looks by halving. */
static const struct function functions[] = {
    STRICT("abs", 1, 1, PURE, NUMBER, NUMBER, ANY, ANY, function_abs),
    REAL("acos", acos),
    REAL("asin", asin),
    REAL("atan", atan),
    STRICT("atan2", 2, 2, PURE, FLOAT, NUMBER, NUMBER, ANY, function_atan2),
    AGGREGATE("avg", 1, AVG, FLOAT | DURATION, NUMBER | DURATION, ANY),
    STRICT("btrim", 1, 1, PURE, STRING, STRING, ANY, ANY, function_trim),
    REAL("ceil", ceil),
    REAL("ceiling", ceil),
    STRICT("char_length", 1, 1, PURE, INT, STRING, ANY, ANY, function_char_length),
    STRICT("character_length", 1, 1, PURE, INT, STRING, ANY, ANY, function_char_length),
    {.name = "coalesce",
     .arity_min = 1,
     .arity_max = FUNCTION_ARITY_ANY,
     .purity = FUNCTION_PURE,
     .stops_at_value = true},
    AGGREGATE("collect", 1, COLLECT, LIST, ANY, ANY),
    STRICT("commitTime", 1, 1, STABLE, DATETIME, ELEMENT, ANY, ANY, function_commit_time),
    REAL("cos", cos),
    REAL("cosh", cosh),
    REAL("cot", real_cotangent),
    REAL("coth", real_hyperbolic_cotangent),
    AGGREGATE("count", 1, COUNT, INT, ANY, ANY),
    STRICT("date", 0, 1, STABLE, DATE, ANY, ANY, ANY, function_temporal),
    STRICT("date.realtime", 0, 1, VOLATILE, DATE, ANY, ANY, ANY, function_temporal),
    STRICT("date.statement", 0, 1, STABLE, DATE, ANY, ANY, ANY, function_temporal),
    STRICT("date.transaction", 0, 1, STABLE, DATE, ANY, ANY, ANY, function_temporal),
    STRICT("date.truncate", 1, 3, STABLE, DATE, ANY, ANY, ANY, function_truncate),
    STRICT("datetime", 0, 1, STABLE, DATETIME, ANY, ANY, ANY, function_temporal),
    STRICT("datetime.fromEpoch", 2, 2, PURE, DATETIME, ANY, ANY, ANY, function_from_epoch),
    STRICT("datetime.fromEpochMillis", 1, 1, PURE, DATETIME, ANY, ANY, ANY,
           function_from_epoch_millis),
    STRICT("datetime.realtime", 0, 1, VOLATILE, DATETIME, ANY, ANY, ANY, function_temporal),
    STRICT("datetime.statement", 0, 1, STABLE, DATETIME, ANY, ANY, ANY, function_temporal),
    STRICT("datetime.transaction", 0, 1, STABLE, DATETIME, ANY, ANY, ANY, function_temporal),
    STRICT("datetime.truncate", 1, 3, STABLE, DATETIME, ANY, ANY, ANY, function_truncate),
    REAL("degrees", real_degrees),
    STRICT("duration", 1, 1, PURE, DURATION, ANY, ANY, ANY, function_duration),
    STRICT("duration.between", 2, 2, STABLE, DURATION, ANY, ANY, ANY, function_between),
    STRICT("duration.inDays", 2, 2, STABLE, DURATION, ANY, ANY, ANY, function_in_days),
    STRICT("duration.inMonths", 2, 2, STABLE, DURATION, ANY, ANY, ANY, function_in_months),
    STRICT("duration.inSeconds", 2, 2, STABLE, DURATION, ANY, ANY, ANY, function_in_seconds),
    STRICT("e", 0, 0, PURE, FLOAT, ANY, ANY, ANY, function_e),
    STRICT("elementId", 1, 1, PURE, STRING, ELEMENT, ANY, ANY, function_element_id),
    STRICT("endNode", 1, 1, STABLE, NODE, RELATIONSHIP, ANY, ANY, function_end_node),
    LAX("exists", 1, 1, PURE, BOOL, ANY, ANY, ANY, function_exists),
    REAL("exp", exp),
    STRICT("externalId", 1, 1, STABLE, STRING, ELEMENT, ANY, ANY, function_external_id),
    REAL("floor", floor),
    REAL("haversin", real_haversine),
    STRICT("head", 1, 1, PURE, ANY, LIST, ANY, ANY, function_head),
    STRICT("id", 1, 1, PURE, INT, ELEMENT, ANY, ANY, function_id),
    {.name = "interval", .purity = FUNCTION_STABLE, .wants_port = true, .results = MAP},
    STRICT("isEmpty", 1, 1, PURE, BOOL, LIST | MAP | STRING, ANY, ANY, function_is_empty),
    STRICT("isNaN", 1, 1, PURE, BOOL, NUMBER, ANY, ANY, function_is_nan),
    STRICT("keys", 1, 1, STABLE, LIST, ELEMENT | MAP, ANY, ANY, function_keys),
    STRICT("labels", 1, 1, STABLE, LIST, NODE, ANY, ANY, function_labels),
    STRICT("last", 1, 1, PURE, ANY, LIST, ANY, ANY, function_last),
    STRICT("left", 2, 2, PURE, STRING, STRING, INT, ANY, function_left),
    STRICT("length", 1, 1, PURE, INT, PATH, ANY, ANY, function_length),
    REAL("ln", log),
    STRICT("localdatetime", 0, 1, STABLE, LOCAL_DATETIME, ANY, ANY, ANY, function_temporal),
    STRICT("localdatetime.realtime", 0, 1, VOLATILE, LOCAL_DATETIME, ANY, ANY, ANY,
           function_temporal),
    STRICT("localdatetime.statement", 0, 1, STABLE, LOCAL_DATETIME, ANY, ANY, ANY,
           function_temporal),
    STRICT("localdatetime.transaction", 0, 1, STABLE, LOCAL_DATETIME, ANY, ANY, ANY,
           function_temporal),
    STRICT("localdatetime.truncate", 1, 3, STABLE, LOCAL_DATETIME, ANY, ANY, ANY,
           function_truncate),
    STRICT("localtime", 0, 1, STABLE, LOCAL_TIME, ANY, ANY, ANY, function_temporal),
    STRICT("localtime.realtime", 0, 1, VOLATILE, LOCAL_TIME, ANY, ANY, ANY, function_temporal),
    STRICT("localtime.statement", 0, 1, STABLE, LOCAL_TIME, ANY, ANY, ANY, function_temporal),
    STRICT("localtime.transaction", 0, 1, STABLE, LOCAL_TIME, ANY, ANY, ANY, function_temporal),
    STRICT("localtime.truncate", 1, 3, STABLE, LOCAL_TIME, ANY, ANY, ANY, function_truncate),
    REAL("log", log),
    REAL("log10", log10),
    STRICT("lower", 1, 1, PURE, STRING, STRING, ANY, ANY, function_to_lower),
    STRICT("lTrim", 1, 1, PURE, STRING, STRING, ANY, ANY, function_ltrim),
    AGGREGATE("max", 1, MAX, ANY, ANY, ANY),
    AGGREGATE("min", 1, MIN, ANY, ANY, ANY),
    STRICT("nodes", 1, 1, PURE, LIST, PATH, ANY, ANY, function_nodes),
    LAX("nullIf", 2, 2, PURE, ANY, ANY, ANY, ANY, function_null_if),
    AGGREGATE("percentileCont", 2, PERCENTILE_CONT, FLOAT, NUMBER, NUMBER),
    AGGREGATE("percentileDisc", 2, PERCENTILE_DISC, NUMBER, NUMBER, NUMBER),
    STRICT("pi", 0, 0, PURE, FLOAT, ANY, ANY, ANY, function_pi),
    STRICT("properties", 1, 1, STABLE, MAP, ELEMENT | MAP, ANY, ANY, function_properties),
    REAL("radians", real_radians),
    STRICT("rand", 0, 0, VOLATILE, FLOAT, ANY, ANY, ANY, function_rand),
    STRICT("randomUUID", 0, 0, VOLATILE, STRING, ANY, ANY, ANY, function_random_uuid),
    STRICT("range", 2, 3, PURE, LIST, ANY, ANY, ANY, function_range),
    STRICT("relationships", 1, 1, PURE, LIST, PATH, ANY, ANY, function_relationships),
    STRICT("replace", 3, 3, PURE, STRING, STRING, STRING, STRING, function_replace),
    STRICT("reverse", 1, 1, PURE, LIST | STRING, LIST | STRING, ANY, ANY, function_reverse),
    STRICT("right", 2, 2, PURE, STRING, STRING, INT, ANY, function_right),
    STRICT("round", 1, 3, PURE, FLOAT, NUMBER, ANY, ANY, function_round),
    STRICT("rTrim", 1, 1, PURE, STRING, STRING, ANY, ANY, function_rtrim),
    STRICT("sign", 1, 1, PURE, INT, NUMBER, ANY, ANY, function_sign),
    REAL("sin", sin),
    REAL("sinh", sinh),
    STRICT("size", 1, 1, PURE, INT, LIST | STRING, ANY, ANY, function_size),
    STRICT("split", 2, 2, PURE, LIST, STRING, STRING, ANY, function_split),
    REAL("sqrt", sqrt),
    STRICT("startNode", 1, 1, STABLE, NODE, RELATIONSHIP, ANY, ANY, function_start_node),
    AGGREGATE("stDev", 1, STDEV, FLOAT, NUMBER, ANY),
    AGGREGATE("stDevP", 1, STDEVP, FLOAT, NUMBER, ANY),
    STRICT("substring", 2, 3, PURE, STRING, STRING, INT, INT, function_substring),
    AGGREGATE("sum", 1, SUM, NUMBER | DURATION, NUMBER | DURATION, ANY),
    STRICT("tail", 1, 1, PURE, LIST, LIST, ANY, ANY, function_tail),
    REAL("tan", tan),
    REAL("tanh", tanh),
    STRICT("time", 0, 1, STABLE, TIME, ANY, ANY, ANY, function_temporal),
    STRICT("time.realtime", 0, 1, VOLATILE, TIME, ANY, ANY, ANY, function_temporal),
    STRICT("time.statement", 0, 1, STABLE, TIME, ANY, ANY, ANY, function_temporal),
    STRICT("time.transaction", 0, 1, STABLE, TIME, ANY, ANY, ANY, function_temporal),
    STRICT("time.truncate", 1, 3, STABLE, TIME, ANY, ANY, ANY, function_truncate),
    STRICT("timestamp", 0, 0, STABLE, INT, ANY, ANY, ANY, function_timestamp),
    STRICT("toBoolean", 1, 1, PURE, BOOL, ANY, ANY, ANY, function_to_boolean),
    STRICT("toBooleanList", 1, 1, PURE, LIST, LIST, ANY, ANY, function_to_boolean_list),
    STRICT("toBooleanOrNull", 1, 1, PURE, BOOL, ANY, ANY, ANY, function_to_boolean_or_null),
    STRICT("toFloat", 1, 1, PURE, FLOAT, ANY, ANY, ANY, function_to_float),
    STRICT("toFloatList", 1, 1, PURE, LIST, LIST, ANY, ANY, function_to_float_list),
    STRICT("toFloatOrNull", 1, 1, PURE, FLOAT, ANY, ANY, ANY, function_to_float_or_null),
    STRICT("toInteger", 1, 1, PURE, INT, ANY, ANY, ANY, function_to_integer),
    STRICT("toIntegerList", 1, 1, PURE, LIST, LIST, ANY, ANY, function_to_integer_list),
    STRICT("toIntegerOrNull", 1, 1, PURE, INT, ANY, ANY, ANY, function_to_integer_or_null),
    STRICT("toLower", 1, 1, PURE, STRING, STRING, ANY, ANY, function_to_lower),
    STRICT("toString", 1, 1, PURE, STRING, ANY, ANY, ANY, function_to_string),
    STRICT("toStringList", 1, 1, PURE, LIST, LIST, ANY, ANY, function_to_string_list),
    STRICT("toStringOrNull", 1, 1, PURE, STRING, ANY, ANY, ANY, function_to_string_or_null),
    STRICT("toUpper", 1, 1, PURE, STRING, STRING, ANY, ANY, function_to_upper),
    STRICT("trim", 1, 1, PURE, STRING, STRING, ANY, ANY, function_trim),
    STRICT("type", 1, 1, STABLE, STRING, RELATIONSHIP, ANY, ANY, function_type),
    STRICT("upper", 1, 1, PURE, STRING, STRING, ANY, ANY, function_to_upper),
    STRICT("validFrom", 1, 1, STABLE, DATETIME, ELEMENT, ANY, ANY, function_valid_from),
    STRICT("validTo", 1, 1, STABLE, DATETIME, ELEMENT, ANY, ANY, function_valid_to),
    LAX("valueType", 1, 1, PURE, STRING, ANY, ANY, ANY, function_value_type),
};

#undef STRICT
#undef LAX
#undef REAL
#undef AGGREGATE

#define FUNCTION_COUNT (sizeof(functions) / sizeof(functions[0]))

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

static int order_names(struct yore_bytes name, const char *other)
{
    const unsigned char *at = name.data;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char a = lower(at[i]);
        unsigned char b = lower((unsigned char)other[i]);
        if (a != b || b == '\0') {
            return a < b ? -1 : 1;
        }
    }
    return other[name.size] == '\0' ? 0 : -1;
}

const struct function *function_find(struct yore_bytes name)
{
    size_t low = 0;
    size_t high = FUNCTION_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = order_names(name, functions[middle].name);
        if (order == 0) {
            return &functions[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

size_t function_count(void)
{
    return FUNCTION_COUNT;
}

const struct function *function_at(size_t index)
{
    return &functions[index];
}

enum yore_status function_refuse(struct eval *eval, const struct expr *call, const char *takes,
                                 const struct yore_graph_value *argument)
{
    return eval_fail(eval, call->spot, "TypeError", "InvalidArgumentValue",
                     "%.*s() takes %s, not a %s", (int)call->as.call.name.size,
                     (const char *)call->as.call.name.data, takes, value_kind_name(argument->kind));
}

enum yore_status function_integer(struct eval *eval, const struct expr *call,
                                  const struct yore_graph_value *argument, int64_t *integer_out)
{
    if (argument->kind != YORE_GRAPH_INT) {
        return eval_fail(eval, call->spot, "ArgumentError", "InvalidArgumentType",
                         "%.*s() takes an Integer here, not a %s", (int)call->as.call.name.size,
                         (const char *)call->as.call.name.data, value_kind_name(argument->kind));
    }
    *integer_out = argument->as.integer;
    return YORE_OK;
}
