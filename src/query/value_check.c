#include "query/value_check.h"

#include "base/utf8.h"
#include "query/calendar.h"
#include "query/duration.h"
#include "query/limits.h"
#include "query/temporal.h"
#include "query/value.h"

static enum yore_status check_text(struct yore_bytes text, struct yore_error *error_out)
{
    return utf8_is_valid(text) ? YORE_OK
                               : error_set(error_out, YORE_INVALID, "a string is not UTF-8");
}

/* ---- dates and times ---- */

static bool is_within(int64_t number, int64_t low, int64_t high)
{
    return number >= low && number <= high;
}

static bool is_day(int64_t days)
{
    return is_within(days, calendar_days((struct calendar_date){CALENDAR_YEAR_MIN, 1, 1}),
                     calendar_days((struct calendar_date){CALENDAR_YEAR_MAX, 12, 31}));
}

/* Local or of UTC: a moment may be told in a year that the other does not reach, by a day. */
static bool is_second(int64_t seconds)
{
    int64_t days = seconds / TEMPORAL_DAY_SECONDS - (seconds % TEMPORAL_DAY_SECONDS < 0);
    return is_day(days);
}

static bool is_fraction(int64_t nanoseconds)
{
    return is_within(nanoseconds, 0, TEMPORAL_SECOND_NS - 1);
}

static bool is_offset(int32_t offset)
{
    return is_within(offset, -TEMPORAL_OFFSET_MAX, TEMPORAL_OFFSET_MAX);
}

static bool is_datetime(const struct yore_graph_datetime *datetime)
{
    return is_second(datetime->seconds) && is_fraction(datetime->nanoseconds) &&
           is_offset(datetime->offset_seconds) &&
           is_second(datetime->seconds + datetime->offset_seconds) &&
           datetime->zone.size <= ZONE_NAME_BYTES_MAX && utf8_is_valid(datetime->zone);
}

static bool is_duration(const struct yore_graph_duration *duration)
{
    struct yore_graph_duration made;
    return is_fraction(duration->nanoseconds) &&
           duration_make(duration->months, duration->days, duration->seconds, duration->nanoseconds,
                         &made);
}

static bool is_temporal(const struct yore_graph_value *value)
{
    switch (value->kind) {
    case YORE_GRAPH_DATE:
        return is_day(value->as.days);
    case YORE_GRAPH_LOCAL_TIME:
        return is_within(value->as.nanoseconds, 0, TEMPORAL_DAY_NS - 1);
    case YORE_GRAPH_TIME:
        return is_within(value->as.time.nanoseconds, 0, TEMPORAL_DAY_NS - 1) &&
               is_offset(value->as.time.offset_seconds);
    case YORE_GRAPH_LOCAL_DATETIME:
        return is_second(value->as.clock.seconds) && is_fraction(value->as.clock.nanoseconds);
    case YORE_GRAPH_DATETIME:
        return is_datetime(value->as.datetime);
    default:
        return is_duration(value->as.duration);
    }
}

/* ---- all ---- */

static enum yore_status check(const struct yore_graph_value *value, unsigned depth,
                              struct yore_error *error_out);

static enum yore_status check_map(const struct yore_graph_map *map, unsigned depth,
                                  struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < map->count && st == YORE_OK; i++) {
        st = check_text(map->entries[i].name, error_out);
        if (st == YORE_OK && i > 0 &&
            bytes_compare(map->entries[i - 1].name, map->entries[i].name) >= 0) {
            return error_set(error_out, YORE_INVALID,
                             "the names of a map are not in ascending order, each once");
        }
        if (st == YORE_OK) {
            st = check(&map->entries[i].value, depth, error_out);
        }
    }
    return st;
}

/* `depth`: how many lists and maps it may still open. */
static enum yore_status check(const struct yore_graph_value *value, unsigned depth,
                              struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if ((value->kind == YORE_GRAPH_LIST || value->kind == YORE_GRAPH_MAP) && depth == 0) {
        return error_set(error_out, YORE_TOO_BIG, "lists and maps nest deeper than %u",
                         QUERY_VALUE_DEPTH_MAX);
    }
    switch (value->kind) {
    case YORE_GRAPH_NULL:
    case YORE_GRAPH_BOOL:
    case YORE_GRAPH_INT:
    case YORE_GRAPH_FLOAT:
        return YORE_OK;
    case YORE_GRAPH_STRING:
        return check_text(value->as.string, error_out);
    case YORE_GRAPH_LIST:
        for (size_t i = 0; i < value->as.list.count && st == YORE_OK; i++) {
            st = check(&value->as.list.items[i], depth - 1, error_out);
        }
        return st;
    case YORE_GRAPH_MAP:
        return check_map(&value->as.map, depth - 1, error_out);
    case YORE_GRAPH_DATE:
    case YORE_GRAPH_LOCAL_TIME:
    case YORE_GRAPH_TIME:
    case YORE_GRAPH_LOCAL_DATETIME:
    case YORE_GRAPH_DATETIME:
    case YORE_GRAPH_DURATION:
        return is_temporal(value) ? YORE_OK
                                  : error_set(error_out, YORE_INVALID, "a %s is out of bounds",
                                              value_kind_name(value->kind));
    default:
        return error_set(error_out, YORE_INVALID,
                         "only null, booleans, numbers, strings, lists, maps, dates, times and "
                         "durations can be given");
    }
}

enum yore_status value_check(const struct yore_graph_value *value, struct yore_error *error_out)
{
    return check(value, QUERY_VALUE_DEPTH_MAX, error_out);
}
