/* Functions that make and measure dates, times and durations. */
#include "os/env.h"
#include "query/duration.h"
#include "query/function_internal.h"
#include "query/value.h"

/* ---- constructors ---- */

/* The one kind that the function gives. */
static enum yore_graph_kind kind_made(const struct expr *call)
{
    unsigned kind = 0;
    while (KIND_SET(kind) != call->as.call.function->results) {
        kind++;
    }
    return (enum yore_graph_kind)kind;
}

/* date.realtime() and the like; everything else is the statement's clock, or the transaction's. */
static int64_t clock_of(struct eval *eval, const struct expr *call)
{
    struct yore_bytes name = call->as.call.name;
    const char *text = name.data;
    size_t dot = 0;
    while (dot < name.size && text[dot] != '.') {
        dot++;
    }
    char first = dot + 1 < name.size ? (char)(text[dot + 1] | 0x20) : 's';
    if (first == 'r') {
        return os_wall_ns(os_env_posix());
    }
    return first == 't' && eval->clock.transaction_ns != 0 ? eval->clock.transaction_ns
                                                           : eval->clock.statement_ns;
}

/* Now, in UTC or the zone that is named. */
static enum yore_status now(struct eval *eval, const struct expr *call, enum yore_graph_kind kind,
                            const struct yore_graph_value *zone, struct yore_graph_value *value_out)
{
    struct temporal_context context = eval_temporal(eval);
    int64_t ns = clock_of(eval, call);
    int64_t seconds = ns / TEMPORAL_SECOND_NS - (ns % TEMPORAL_SECOND_NS < 0);
    struct temporal temporal = temporal_of_moment(seconds, ns - seconds * TEMPORAL_SECOND_NS);
    struct yore_error error;
    enum yore_status st = YORE_OK;
    if (zone != NULL) {
        st = temporal_move_zone(&context, &temporal, zone->as.string, &error);
    }
    if (kind == YORE_GRAPH_TIME) {
        temporal.zone = bytes_of(NULL, 0);
    }
    if (st == YORE_OK) {
        st = temporal_value(&context, kind, &temporal, value_out, &error);
    }
    return eval_argument_status(eval, st, call->spot, &error);
}

/* {timezone: 'Europe/Stockholm'} alone: now, there. */
static const struct yore_graph_value *only_zone(const struct yore_graph_map *map)
{
    static const char name[] = "timezone";
    return map->count == 1 && map->entries[0].value.kind == YORE_GRAPH_STRING &&
                   bytes_equal(map->entries[0].name, bytes_of(name, sizeof(name) - 1))
               ? &map->entries[0].value
               : NULL;
}

static enum yore_status construct(struct eval *eval, const struct expr *call,
                                  enum yore_graph_kind kind,
                                  const struct yore_graph_value *argument,
                                  struct yore_graph_value *value_out)
{
    struct temporal_context context = eval_temporal(eval);
    struct yore_error error;
    enum yore_status st;
    if (argument->kind == YORE_GRAPH_STRING) {
        st = temporal_read(&context, kind, argument->as.string, value_out, &error);
    } else if (argument->kind == YORE_GRAPH_MAP) {
        const struct yore_graph_value *zone = only_zone(&argument->as.map);
        if (zone != NULL) {
            return now(eval, call, kind, zone, value_out);
        }
        st = temporal_make(&context, kind, &argument->as.map, value_out, &error);
    } else if (value_is_temporal(argument)) {
        struct temporal temporal = temporal_of(argument);
        bool wants_date = kind != YORE_GRAPH_LOCAL_TIME && kind != YORE_GRAPH_TIME;
        bool wants_time = !wants_date;
        if ((wants_date && !temporal.has_date) || (wants_time && !temporal.has_time)) {
            return function_refuse(eval, call, "a value with what it is made of", argument);
        }
        st = temporal_value(&context, kind, &temporal, value_out, &error);
    } else {
        return function_refuse(eval, call, "a String, a Map or a temporal value", argument);
    }
    return eval_argument_status(eval, st, call->spot, &error);
}

/* date.transaction('Europe/Stockholm') and the like take a zone. */
enum yore_status function_temporal(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    enum yore_graph_kind kind = kind_made(call);
    if (count == 0) {
        return now(eval, call, kind, NULL, value_out);
    }
    bool is_clock = false;
    for (size_t i = 0; i < call->as.call.name.size; i++) {
        is_clock = is_clock || ((const char *)call->as.call.name.data)[i] == '.';
    }
    if (is_clock) {
        return arguments[0].kind == YORE_GRAPH_STRING
                   ? now(eval, call, kind, &arguments[0], value_out)
                   : function_refuse(eval, call, "the name of a time zone", &arguments[0]);
    }
    return construct(eval, call, kind, &arguments[0], value_out);
}

enum yore_status function_duration(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    (void)count;
    const struct yore_graph_value *argument = &arguments[0];
    struct yore_error error;
    if (argument->kind == YORE_GRAPH_DURATION) {
        *value_out = *argument;
        return YORE_OK;
    }
    if (argument->kind == YORE_GRAPH_MAP) {
        enum yore_status st =
            temporal_make_duration(eval->arena, &argument->as.map, value_out, &error);
        return eval_argument_status(eval, st, call->spot, &error);
    }
    if (argument->kind != YORE_GRAPH_STRING) {
        return function_refuse(eval, call, "a String or a Map", argument);
    }
    struct yore_graph_duration *duration = arena_alloc(eval->arena, sizeof(*duration));
    if (duration == NULL) {
        return eval_nomem(eval);
    }
    if (!duration_read(argument->as.string, duration)) {
        char shown[KEY_TEXT_BYTES];
        return eval_fail(eval, call->spot, "ArgumentError", "InvalidArgumentValue",
                         "'%s' is not a duration ('P1Y2M3DT4H5M6.7S')",
                         key_text(argument->as.string, shown));
    }
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = duration};
    return YORE_OK;
}

/* ---- epochs ---- */

static enum yore_status from_epoch(struct eval *eval, const struct expr *call, int64_t seconds,
                                   int64_t nanoseconds, struct yore_graph_value *value_out)
{
    const struct yore_graph_entry entries[] = {{{"epochSeconds", 12}, value_int(seconds)},
                                               {{"nanosecond", 10}, value_int(nanoseconds)}};
    const struct yore_graph_map map = {entries, 2};
    struct temporal_context context = eval_temporal(eval);
    struct yore_error error;
    enum yore_status st = temporal_make(&context, YORE_GRAPH_DATETIME, &map, value_out, &error);
    return eval_argument_status(eval, st, call->spot, &error);
}

enum yore_status function_from_epoch(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    int64_t numbers[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        enum yore_status st = function_integer(eval, call, &arguments[i], &numbers[i]);
        if (st != YORE_OK) {
            return st;
        }
    }
    return from_epoch(eval, call, numbers[0], numbers[1], value_out);
}

enum yore_status function_from_epoch_millis(struct eval *eval, const struct expr *call,
                                            const struct yore_graph_value *arguments, size_t count,
                                            struct yore_graph_value *value_out)
{
    (void)count;
    int64_t millis = 0;
    enum yore_status st = function_integer(eval, call, &arguments[0], &millis);
    int64_t seconds = millis / 1000 - (millis % 1000 < 0);
    return st != YORE_OK
               ? st
               : from_epoch(eval, call, seconds, (millis - seconds * 1000) * 1000000, value_out);
}

enum yore_status function_timestamp(struct eval *eval, const struct expr *call,
                                    const struct yore_graph_value *arguments, size_t count,
                                    struct yore_graph_value *value_out)
{
    (void)call;
    (void)arguments;
    (void)count;
    *value_out = value_int(eval->clock.statement_ns / 1000000);
    return YORE_OK;
}

/* ---- truncation ---- */

enum yore_status function_truncate(struct eval *eval, const struct expr *call,
                                   const struct yore_graph_value *arguments, size_t count,
                                   struct yore_graph_value *value_out)
{
    struct yore_graph_value today;
    const struct yore_graph_value *value = &arguments[1];
    if (arguments[0].kind != YORE_GRAPH_STRING) {
        return function_refuse(eval, call, "the name of a unit", &arguments[0]);
    }
    if (count == 1) {
        enum yore_status st = now(eval, call, YORE_GRAPH_DATETIME, NULL, &today);
        if (st != YORE_OK) {
            return st;
        }
        value = &today;
    }
    if (!value_is_temporal(value)) {
        return function_refuse(eval, call, "a temporal value", value);
    }
    if (count > 2 && arguments[2].kind != YORE_GRAPH_MAP) {
        return function_refuse(eval, call, "a Map", &arguments[2]);
    }
    struct temporal_context context = eval_temporal(eval);
    struct yore_error error;
    enum yore_status st =
        temporal_truncate(&context, kind_made(call), arguments[0].as.string, value,
                          count > 2 ? &arguments[2].as.map : NULL, value_out, &error);
    return eval_argument_status(eval, st, call->spot, &error);
}

/* ---- differences ---- */

static enum yore_status between(struct eval *eval, const struct expr *call,
                                enum temporal_measure measure,
                                const struct yore_graph_value *arguments,
                                struct yore_graph_value *value_out)
{
    for (size_t i = 0; i < 2; i++) {
        if (!value_is_temporal(&arguments[i])) {
            return function_refuse(eval, call, "two temporal values", &arguments[i]);
        }
    }
    struct temporal_context context = eval_temporal(eval);
    struct yore_error error;
    enum yore_status st =
        temporal_between(&context, measure, &arguments[0], &arguments[1], value_out, &error);
    return eval_argument_status(eval, st, call->spot, &error);
}

enum yore_status function_between(struct eval *eval, const struct expr *call,
                                  const struct yore_graph_value *arguments, size_t count,
                                  struct yore_graph_value *value_out)
{
    (void)count;
    return between(eval, call, TEMPORAL_BETWEEN, arguments, value_out);
}

enum yore_status function_in_months(struct eval *eval, const struct expr *call,
                                    const struct yore_graph_value *arguments, size_t count,
                                    struct yore_graph_value *value_out)
{
    (void)count;
    return between(eval, call, TEMPORAL_IN_MONTHS, arguments, value_out);
}

enum yore_status function_in_days(struct eval *eval, const struct expr *call,
                                  const struct yore_graph_value *arguments, size_t count,
                                  struct yore_graph_value *value_out)
{
    (void)count;
    return between(eval, call, TEMPORAL_IN_DAYS, arguments, value_out);
}

enum yore_status function_in_seconds(struct eval *eval, const struct expr *call,
                                     const struct yore_graph_value *arguments, size_t count,
                                     struct yore_graph_value *value_out)
{
    (void)count;
    return between(eval, call, TEMPORAL_IN_SECONDS, arguments, value_out);
}
