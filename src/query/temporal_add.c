/* Dates and times plus durations: months first, then days, then seconds.  Local dates and times by
 * the calendar; the seconds of one with a zone are real ones. */
#include "base/checked.h"
#include "query/calendar.h"
#include "query/temporal.h"

static enum yore_status out_of_range(struct yore_error *error_out)
{
    return error_set(error_out, YORE_INVALID, "the sum lies beyond the years that are told");
}

/* False: beyond the years. */
static bool move_days(struct temporal *temporal, const struct yore_graph_duration *duration)
{
    struct calendar_date date = calendar_date(temporal->days);
    int64_t limit = CALENDAR_YEAR_MAX * 12 * 2 + 24;
    if (duration->months < -limit || duration->months > limit) {
        return false;
    }
    temporal->days = calendar_days(calendar_add_months(date, duration->months));
    return checked_add_i64(temporal->days, duration->days, &temporal->days);
}

/* Whole seconds toward zero. */
static int64_t whole_seconds(const struct yore_graph_duration *duration)
{
    return duration->seconds < 0 && duration->nanoseconds > 0 ? duration->seconds + 1
                                                              : duration->seconds;
}

/* A moment or local time plus seconds and nanoseconds. */
static bool move_seconds(int64_t *seconds, int64_t *nanoseconds,
                         const struct yore_graph_duration *duration)
{
    int64_t sum = *nanoseconds + duration->nanoseconds;
    *nanoseconds = sum % TEMPORAL_SECOND_NS;
    return checked_add_i64(*seconds, duration->seconds, seconds) &&
           checked_add_i64(*seconds, sum / TEMPORAL_SECOND_NS, seconds);
}

static enum yore_status add_to_time(const struct temporal_context *context,
                                    const struct yore_graph_value *value,
                                    const struct yore_graph_duration *duration,
                                    struct yore_graph_value *value_out,
                                    struct yore_error *error_out)
{
    struct temporal temporal = temporal_of(value);
    int64_t moved = temporal.nanoseconds +
                    duration->seconds % TEMPORAL_DAY_SECONDS * TEMPORAL_SECOND_NS +
                    duration->nanoseconds;
    moved %= TEMPORAL_DAY_NS;
    temporal.nanoseconds = moved < 0 ? moved + TEMPORAL_DAY_NS : moved;
    return temporal_value(context, value->kind, &temporal, value_out, error_out);
}

/* In range of what calendar and zones can take. */
static bool is_near(int64_t days)
{
    int64_t limit = (CALENDAR_YEAR_MAX + 2) * 366;
    return days > -limit && days < limit;
}

enum yore_status temporal_add(const struct temporal_context *context,
                              const struct yore_graph_value *value,
                              const struct yore_graph_duration *duration,
                              struct yore_graph_value *value_out, struct yore_error *error_out)
{
    struct temporal temporal = temporal_of(value);
    if (!temporal.has_date) {
        return add_to_time(context, value, duration, value_out, error_out);
    }
    if (!move_days(&temporal, duration) || !is_near(temporal.days)) {
        return out_of_range(error_out);
    }
    if (value->kind == YORE_GRAPH_DATE) {
        temporal.days += whole_seconds(duration) / TEMPORAL_DAY_SECONDS;
        return is_near(temporal.days)
                   ? temporal_value(context, value->kind, &temporal, value_out, error_out)
                   : out_of_range(error_out);
    }
    struct yore_bytes zone = temporal.zone;
    if (zone.size > 0) {
        enum yore_status st = temporal_set_zone(context, &temporal, zone, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    int64_t seconds = temporal_seconds(&temporal);
    int64_t nanoseconds = temporal.nanoseconds % TEMPORAL_SECOND_NS;
    if (!move_seconds(&seconds, &nanoseconds, duration) ||
        !is_near(seconds / TEMPORAL_DAY_SECONDS)) {
        return out_of_range(error_out);
    }
    struct temporal moved = temporal_of_moment(seconds + temporal.offset_seconds, nanoseconds);
    moved.has_offset = temporal.has_offset;
    moved.offset_seconds = temporal.offset_seconds;
    if (zone.size > 0) {
        enum yore_status st = temporal_move_zone(context, &moved, zone, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    return temporal_value(context, value->kind, &moved, value_out, error_out);
}
