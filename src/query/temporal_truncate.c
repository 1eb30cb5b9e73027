/* Down to the begin of a millennium, a week, an hour ... */
#include <string.h>

#include "query/calendar.h"
#include "query/temporal.h"
#include "query/value.h"

enum unit {
    UNIT_MILLENNIUM,
    UNIT_CENTURY,
    UNIT_DECADE,
    UNIT_YEAR,
    UNIT_WEEK_YEAR,
    UNIT_QUARTER,
    UNIT_MONTH,
    UNIT_WEEK,
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MINUTE,
    UNIT_SECOND,
    UNIT_MILLISECOND,
    UNIT_MICROSECOND,
    UNIT_COUNT
};

static const struct {
    const char *name;
    int64_t step; /* years, or nanoseconds from UNIT_DAY on */
} units[UNIT_COUNT] = {
    [UNIT_MILLENNIUM] = {"millennium", 1000},
    [UNIT_CENTURY] = {"century", 100},
    [UNIT_DECADE] = {"decade", 10},
    [UNIT_YEAR] = {"year", 1},
    [UNIT_WEEK_YEAR] = {"weekYear", 0},
    [UNIT_QUARTER] = {"quarter", 0},
    [UNIT_MONTH] = {"month", 0},
    [UNIT_WEEK] = {"week", 0},
    [UNIT_DAY] = {"day", TEMPORAL_DAY_NS},
    [UNIT_HOUR] = {"hour", INT64_C(3600000000000)},
    [UNIT_MINUTE] = {"minute", INT64_C(60000000000)},
    [UNIT_SECOND] = {"second", TEMPORAL_SECOND_NS},
    [UNIT_MILLISECOND] = {"millisecond", 1000000},
    [UNIT_MICROSECOND] = {"microsecond", 1000},
};

static int64_t truncated_days(enum unit unit, int64_t days)
{
    struct calendar_date date = calendar_date(days);
    struct calendar_week week = calendar_week(days);
    switch (unit) {
    case UNIT_MILLENNIUM:
    case UNIT_CENTURY:
    case UNIT_DECADE:
    case UNIT_YEAR: {
        int64_t step = units[unit].step;
        int64_t over = date.year % step;
        int64_t year = date.year - (over < 0 ? over + step : over);
        return calendar_days((struct calendar_date){year, 1, 1});
    }
    case UNIT_WEEK_YEAR:
        return calendar_week_days((struct calendar_week){week.year, 1, 1});
    case UNIT_QUARTER:
        return days - calendar_day_of_quarter(days) + 1;
    case UNIT_MONTH:
        return days - date.day + 1;
    case UNIT_WEEK:
        return days - week.weekday + 1;
    default:
        return days;
    }
}

enum yore_status temporal_truncate(const struct temporal_context *context,
                                   enum yore_graph_kind kind, struct yore_bytes name,
                                   const struct yore_graph_value *value,
                                   const struct yore_graph_map *parts,
                                   struct yore_graph_value *value_out, struct yore_error *error_out)
{
    bool wants_date = kind != YORE_GRAPH_LOCAL_TIME && kind != YORE_GRAPH_TIME;
    enum unit first = wants_date ? UNIT_MILLENNIUM : UNIT_DAY;
    enum unit last = kind == YORE_GRAPH_DATE ? UNIT_DAY : UNIT_MICROSECOND;
    unsigned at = first;
    while (at <= last && !bytes_equal(name, bytes_of(units[at].name, strlen(units[at].name)))) {
        at++;
    }
    if (at > last) {
        char shown[KEY_TEXT_BYTES];
        return error_set(error_out, YORE_INVALID, "a %s cannot be truncated to '%s'",
                         value_kind_name(kind), key_text(name, shown));
    }
    struct temporal base = temporal_of(value);
    if ((wants_date && !base.has_date) || (!wants_date && !base.has_time)) {
        return error_set(error_out, YORE_INVALID, "a %s cannot be truncated to a %s",
                         value_kind_name(value->kind), value_kind_name(kind));
    }
    enum unit unit = (enum unit)at;
    base.days = truncated_days(unit, base.days);
    base.nanoseconds -= unit <= UNIT_DAY ? base.nanoseconds : base.nanoseconds % units[unit].step;
    base.has_time = true;
    if (kind == YORE_GRAPH_TIME) {
        base.zone = bytes_of(NULL, 0);
    }
    return temporal_overlay(context, kind, &base, parts, true, value_out, error_out);
}
