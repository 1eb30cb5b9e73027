/* What can be asked of a temporal value: d.year, d.weekDay, t.offset, dur.minutesOfHour ... */
#include <string.h>

#include "query/calendar.h"
#include "query/temporal.h"
#include "query/value.h"

/* ---- durations ---- */

struct duration_part {
    const char *name;
    enum { MONTHS, DAYS, SECONDS, FRACTION } measure;
    int64_t divisor;
    int64_t modulus; /* 0: none */
};

static const struct duration_part duration_parts[] = {
    {"years", MONTHS, 12, 0},
    {"quarters", MONTHS, 3, 0},
    {"months", MONTHS, 1, 0},
    {"quartersOfYear", MONTHS, 3, 4},
    {"monthsOfQuarter", MONTHS, 1, 3},
    {"monthsOfYear", MONTHS, 1, 12},
    {"weeks", DAYS, 7, 0},
    {"days", DAYS, 1, 0},
    {"daysOfWeek", DAYS, 1, 7},
    {"hours", SECONDS, 3600, 0},
    {"minutes", SECONDS, 60, 0},
    {"seconds", SECONDS, 1, 0},
    {"minutesOfHour", SECONDS, 60, 60},
    {"secondsOfMinute", SECONDS, 1, 60},
    {"millisecondsOfSecond", FRACTION, 1000000, 0},
    {"microsecondsOfSecond", FRACTION, 1000, 0},
    {"nanosecondsOfSecond", FRACTION, 1, 0},
};

/* All seconds in a smaller unit; saturated, as durations may be longer than 2^63 of them. */
static int64_t total_of(const struct yore_graph_duration *duration, int64_t units_per_second)
{
    int64_t whole;
    int64_t total;
    int64_t part = duration->nanoseconds / (TEMPORAL_SECOND_NS / units_per_second);
    if (__builtin_mul_overflow(duration->seconds, units_per_second, &whole) ||
        __builtin_add_overflow(whole, part, &total)) {
        return duration->seconds < 0 ? INT64_MIN : INT64_MAX;
    }
    return total;
}

static bool duration_part(const struct yore_graph_duration *duration, struct yore_bytes name,
                          struct yore_graph_value *part_out)
{
    static const struct {
        const char *name;
        int64_t units;
    } totals[] = {{"milliseconds", 1000}, {"microseconds", 1000000}, {"nanoseconds", 1000000000}};
    const int64_t measures[] = {[MONTHS] = duration->months,
                                [DAYS] = duration->days,
                                [SECONDS] = duration->seconds,
                                [FRACTION] = duration->nanoseconds};
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
        if (bytes_are(name, totals[i].name)) {
            *part_out = value_int(total_of(duration, totals[i].units));
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(duration_parts) / sizeof(duration_parts[0]); i++) {
        const struct duration_part *part = &duration_parts[i];
        if (bytes_are(name, part->name)) {
            int64_t value = measures[part->measure] / part->divisor;
            *part_out = value_int(part->modulus == 0 ? value : value % part->modulus);
            return true;
        }
    }
    return false;
}

/* ---- dates, times, zones ---- */

static bool date_part(int64_t days, struct yore_bytes name, int64_t *number_out)
{
    struct calendar_date date = calendar_date(days);
    struct calendar_week week = calendar_week(days);
    const struct {
        const char *name;
        int64_t number;
    } parts[] = {
        {"year", date.year},
        {"quarter", calendar_quarter(date.month)},
        {"month", date.month},
        {"week", week.week},
        {"weekYear", week.year},
        {"day", date.day},
        {"ordinalDay", calendar_day_of_year(days)},
        {"weekDay", week.weekday},
        {"dayOfWeek", week.weekday},
        {"dayOfQuarter", calendar_day_of_quarter(days)},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (bytes_are(name, parts[i].name)) {
            *number_out = parts[i].number;
            return true;
        }
    }
    return false;
}

static bool time_part(int64_t nanoseconds, struct yore_bytes name, int64_t *number_out)
{
    int64_t seconds = nanoseconds / TEMPORAL_SECOND_NS;
    int64_t fraction = nanoseconds % TEMPORAL_SECOND_NS;
    const struct {
        const char *name;
        int64_t number;
    } parts[] = {
        {"hour", seconds / 3600},         {"minute", seconds / 60 % 60},
        {"second", seconds % 60},         {"millisecond", fraction / 1000000},
        {"microsecond", fraction / 1000}, {"nanosecond", fraction},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (bytes_are(name, parts[i].name)) {
            *number_out = parts[i].number;
            return true;
        }
    }
    return false;
}

static bool offset_part(const struct temporal *temporal, struct yore_bytes name,
                        int64_t *number_out)
{
    if (bytes_are(name, "offsetSeconds")) {
        *number_out = temporal->offset_seconds;
        return true;
    }
    if (bytes_are(name, "offsetMinutes")) {
        *number_out = temporal->offset_seconds / 60;
        return true;
    }
    if (!temporal->has_date) {
        return false;
    }
    if (bytes_are(name, "epochSeconds")) {
        *number_out = temporal_seconds(temporal);
        return true;
    }
    if (bytes_are(name, "epochMillis")) {
        *number_out = temporal_seconds(temporal) * 1000 +
                      temporal->nanoseconds % TEMPORAL_SECOND_NS / 1000000;
        return true;
    }
    return false;
}

/* The zone's name, or the offset as text, in `arena`. */
static enum yore_status zone_text(struct arena *arena, const struct temporal *temporal,
                                  bool wants_name, struct yore_graph_value *part_out)
{
    if (wants_name && temporal->zone.size > 0) {
        *part_out = value_string(temporal->zone);
        return YORE_OK;
    }
    struct yore_graph_value time = {.kind = YORE_GRAPH_TIME,
                                    .as.time = {.offset_seconds = temporal->offset_seconds}};
    struct buffer text = {0};
    temporal_write(&text, &time);
    struct yore_bytes offset = {0};
    if (!text.is_nomem) {
        offset = bytes_behind(buffer_bytes(&text), strlen("00:00"));
        offset.data = arena_copy(arena, offset.data, offset.size);
    }
    *part_out = value_string(offset);
    buffer_release(&text);
    return offset.data == NULL ? YORE_NOMEM : YORE_OK;
}

enum yore_status temporal_part(struct arena *arena, const struct yore_graph_value *value,
                               struct yore_bytes name, struct yore_graph_value *part_out)
{
    if (value->kind == YORE_GRAPH_DURATION) {
        return duration_part(value->as.duration, name, part_out) ? YORE_OK : YORE_NOT_FOUND;
    }
    struct temporal temporal = temporal_of(value);
    int64_t number = 0;
    if (temporal.has_offset && (bytes_are(name, "timezone") || bytes_are(name, "offset"))) {
        return zone_text(arena, &temporal, bytes_are(name, "timezone"), part_out);
    }
    bool is_found = (temporal.has_date && date_part(temporal.days, name, &number)) ||
                    (temporal.has_time && time_part(temporal.nanoseconds, name, &number)) ||
                    (temporal.has_offset && offset_part(&temporal, name, &number));
    *part_out = value_int(number);
    return is_found ? YORE_OK : YORE_NOT_FOUND;
}
