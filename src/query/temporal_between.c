/* duration.between() and its sisters.
 *
 * Each side lends the other what it lacks: a time takes the other's date (today's, so to speak), a
 * date is its midnight, what has no zone is told in the other's.  Where one had no date, only
 * seconds differ. */
#include "query/calendar.h"
#include "query/duration.h"
#include "query/temporal.h"

/* Take from `other` what is missing; the zone of a name is resolved at the new date. */
static enum yore_status complete(const struct temporal_context *context, struct temporal *temporal,
                                 const struct temporal *other, struct yore_error *error_out)
{
    if (!temporal->has_date) {
        temporal->days = other->days;
        temporal->has_date = other->has_date;
    }
    if (temporal->has_offset || !other->has_offset) {
        return YORE_OK;
    }
    if (other->zone.size > 0) {
        return temporal_set_zone(context, temporal, other->zone, error_out);
    }
    temporal->has_offset = true;
    temporal->offset_seconds = other->offset_seconds;
    return YORE_OK;
}

/* `to` told in the zone of `from`. */
static enum yore_status align(const struct temporal_context *context, struct temporal *to,
                              const struct temporal *from, struct yore_error *error_out)
{
    if (from->zone.size > 0) {
        return temporal_move_zone(context, to, from->zone, error_out);
    }
    int64_t seconds = temporal_seconds(to);
    int64_t fraction = to->nanoseconds % TEMPORAL_SECOND_NS;
    struct temporal moved = temporal_of_moment(seconds + from->offset_seconds, fraction);
    to->days = moved.days;
    to->nanoseconds = moved.nanoseconds;
    to->offset_seconds = from->offset_seconds;
    to->zone = from->zone;
    return YORE_OK;
}

/* Whole days from one local date and time to the other, toward zero. */
static int64_t whole_days(const struct temporal *from, const struct temporal *to)
{
    int64_t days = to->days - from->days;
    if (days > 0 && to->nanoseconds < from->nanoseconds) {
        return days - 1;
    }
    return days < 0 && to->nanoseconds > from->nanoseconds ? days + 1 : days;
}

/* Whole months likewise; a date and time count as the day before where the time is not reached. */
static int64_t whole_months(const struct temporal *from, const struct temporal *to)
{
    struct calendar_date a = calendar_date(from->days);
    struct calendar_date b = calendar_date(from->days + whole_days(from, to));
    int64_t months = (b.year - a.year) * 12 + (b.month - a.month);
    if (months > 0 && b.day < a.day) {
        return months - 1;
    }
    return months < 0 && b.day > a.day ? months + 1 : months;
}

static enum yore_status make(const struct temporal_context *context, int64_t months, int64_t days,
                             int64_t seconds, int64_t nanoseconds,
                             struct yore_graph_value *duration_out)
{
    struct yore_graph_duration *duration = arena_alloc(context->arena, sizeof(*duration));
    if (duration == NULL) {
        return YORE_NOMEM;
    }
    if (!duration_make(months, days, seconds, nanoseconds, duration)) {
        return YORE_INVALID;
    }
    *duration_out = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = duration};
    return YORE_OK;
}

enum yore_status temporal_between(const struct temporal_context *context,
                                  enum temporal_measure measure,
                                  const struct yore_graph_value *from_value,
                                  const struct yore_graph_value *to_value,
                                  struct yore_graph_value *duration_out,
                                  struct yore_error *error_out)
{
    struct temporal from = temporal_of(from_value);
    struct temporal to = temporal_of(to_value);
    bool has_dates = from.has_date && to.has_date;
    struct temporal lender = from;
    enum yore_status st = complete(context, &from, &to, error_out);
    if (st == YORE_OK) {
        st = complete(context, &to, &lender, error_out);
    }
    if (st == YORE_OK) {
        st = align(context, &to, &from, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    int64_t months = 0;
    int64_t days = 0;
    if (has_dates && (measure == TEMPORAL_BETWEEN || measure == TEMPORAL_IN_MONTHS)) {
        months = whole_months(&from, &to);
        from.days = calendar_days(calendar_add_months(calendar_date(from.days), months));
    }
    if (has_dates && (measure == TEMPORAL_BETWEEN || measure == TEMPORAL_IN_DAYS)) {
        days = whole_days(&from, &to);
        from.days += days;
    }
    if (measure == TEMPORAL_IN_MONTHS || measure == TEMPORAL_IN_DAYS) {
        return make(context, months, days, 0, 0, duration_out);
    }
    if (from.zone.size > 0) {
        st = temporal_set_zone(context, &from, from.zone, error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    int64_t fraction = to.nanoseconds % TEMPORAL_SECOND_NS - from.nanoseconds % TEMPORAL_SECOND_NS;
    return make(context, months, days, temporal_seconds(&to) - temporal_seconds(&from), fraction,
                duration_out);
}
