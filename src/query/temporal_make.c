/* Dates and times out of parts: date({year: 1984, week: 10}), datetime({date: d, hour: 3}).
 *
 * Parts come in groups of which a date takes one: month and day; week and dayOfWeek; quarter and
 * dayOfQuarter; ordinalDay.  What is not given is taken from the base (`date`, `time`, `datetime`),
 * and where there is none, is the first there is; but nothing may be left out above what is given.
 */
#include <string.h>

#include "query/calendar.h"
#include "query/duration.h"
#include "query/temporal.h"
#include "query/value.h"

enum part {
    PART_YEAR,
    PART_MONTH,
    PART_DAY,
    PART_WEEK,
    PART_DAY_OF_WEEK,
    PART_QUARTER,
    PART_DAY_OF_QUARTER,
    PART_ORDINAL_DAY,
    PART_HOUR,
    PART_MINUTE,
    PART_SECOND,
    PART_MILLISECOND,
    PART_MICROSECOND,
    PART_NANOSECOND,
    PART_EPOCH_SECONDS,
    PART_EPOCH_MILLIS,
    PART_NUMBER_COUNT
};

static const char *const part_names[PART_NUMBER_COUNT] = {
    [PART_YEAR] = "year",
    [PART_MONTH] = "month",
    [PART_DAY] = "day",
    [PART_WEEK] = "week",
    [PART_DAY_OF_WEEK] = "dayOfWeek",
    [PART_QUARTER] = "quarter",
    [PART_DAY_OF_QUARTER] = "dayOfQuarter",
    [PART_ORDINAL_DAY] = "ordinalDay",
    [PART_HOUR] = "hour",
    [PART_MINUTE] = "minute",
    [PART_SECOND] = "second",
    [PART_MILLISECOND] = "millisecond",
    [PART_MICROSECOND] = "microsecond",
    [PART_NANOSECOND] = "nanosecond",
    [PART_EPOCH_SECONDS] = "epochSeconds",
    [PART_EPOCH_MILLIS] = "epochMillis",
};

#define MASK(part) (1u << (part))
#define MASK_DATE                                                                                  \
    (MASK(PART_YEAR) | MASK(PART_MONTH) | MASK(PART_DAY) | MASK(PART_WEEK) |                       \
     MASK(PART_DAY_OF_WEEK) | MASK(PART_QUARTER) | MASK(PART_DAY_OF_QUARTER) |                     \
     MASK(PART_ORDINAL_DAY))
#define MASK_FRACTION (MASK(PART_MILLISECOND) | MASK(PART_MICROSECOND) | MASK(PART_NANOSECOND))
#define MASK_TIME (MASK(PART_HOUR) | MASK(PART_MINUTE) | MASK(PART_SECOND) | MASK_FRACTION)
#define MASK_EPOCH (MASK(PART_EPOCH_SECONDS) | MASK(PART_EPOCH_MILLIS))

struct parts {
    uint32_t given;
    int64_t numbers[PART_NUMBER_COUNT];
    const struct yore_graph_value *date;
    const struct yore_graph_value *time;
    const struct yore_graph_value *datetime;
    struct yore_bytes zone; /* size 0: none */
};

/* ---- reading the map ---- */

static enum yore_status take_base(struct yore_bytes name, const struct yore_graph_value *value,
                                  struct parts *parts, struct yore_error *error_out)
{
    bool is_date = bytes_are(name, "date");
    bool is_time = bytes_are(name, "time");
    if (!value_is_temporal(value) || (is_date && value->kind == YORE_GRAPH_LOCAL_TIME) ||
        (is_date && value->kind == YORE_GRAPH_TIME) ||
        (is_time && value->kind == YORE_GRAPH_DATE)) {
        return error_set(error_out, YORE_INVALID, "`%.*s` cannot be taken from a %s",
                         (int)name.size, (const char *)name.data, value_kind_name(value->kind));
    }
    *(is_date ? &parts->date : is_time ? &parts->time : &parts->datetime) = value;
    return YORE_OK;
}

static enum yore_status take_part(const struct yore_graph_entry *entry, struct parts *parts,
                                  struct yore_error *error_out)
{
    const struct yore_graph_value *value = &entry->value;
    if (bytes_are(entry->name, "date") || bytes_are(entry->name, "time") ||
        bytes_are(entry->name, "datetime")) {
        return take_base(entry->name, value, parts, error_out);
    }
    if (bytes_are(entry->name, "timezone")) {
        if (value->kind != YORE_GRAPH_STRING || value->as.string.size == 0) {
            return error_set(error_out, YORE_INVALID,
                             "`timezone` is a string: a name ('Europe/Stockholm') or an offset");
        }
        parts->zone = value->as.string;
        return YORE_OK;
    }
    for (int part = 0; part < PART_NUMBER_COUNT; part++) {
        if (bytes_are(entry->name, part_names[part])) {
            if (value->kind != YORE_GRAPH_INT) {
                return error_set(error_out, YORE_INVALID, "`%s` is an Integer, not a %s",
                                 part_names[part], value_kind_name(value->kind));
            }
            parts->given |= MASK(part);
            parts->numbers[part] = value->as.integer;
            return YORE_OK;
        }
    }
    char shown[KEY_TEXT_BYTES];
    return error_set(error_out, YORE_INVALID, "there is no part `%s` of a date or time",
                     key_text(entry->name, shown));
}

static enum yore_status take_parts(const struct yore_graph_map *map, struct parts *parts,
                                   struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < map->count && st == YORE_OK; i++) {
        st = take_part(&map->entries[i], parts, error_out);
    }
    return st;
}

/* ---- numbers within bounds ---- */

static bool has(const struct parts *parts, enum part part)
{
    return (parts->given & MASK(part)) != 0;
}

/* The part that is given, or `otherwise`; either has to be low..high. */
static enum yore_status part_or(const struct parts *parts, enum part part, int64_t otherwise,
                                const int64_t bounds[2], int64_t *number_out,
                                struct yore_error *error_out)
{
    int64_t number = has(parts, part) ? parts->numbers[part] : otherwise;
    if (number < bounds[0] || number > bounds[1]) {
        return error_set(error_out, YORE_INVALID, "`%s` is %lld, not %lld to %lld here",
                         part_names[part], (long long)number, (long long)bounds[0],
                         (long long)bounds[1]);
    }
    *number_out = number;
    return YORE_OK;
}

static const int64_t year_bounds[2] = {CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX};

/* ---- dates ---- */

static enum yore_status week_date(const struct parts *parts, const struct temporal *base,
                                  int64_t *days_out, struct yore_error *error_out)
{
    struct calendar_week week = {0, 1, 1};
    if (base->has_date) {
        week = calendar_week(base->days);
    }
    int64_t numbers[3] = {0};
    enum yore_status st = part_or(parts, PART_YEAR, week.year, year_bounds, &numbers[0], error_out);
    if (st == YORE_OK) {
        st = part_or(parts, PART_WEEK, week.week, (int64_t[]){1, calendar_weeks(numbers[0])},
                     &numbers[1], error_out);
    }
    if (st == YORE_OK) {
        st = part_or(parts, PART_DAY_OF_WEEK, week.weekday, (int64_t[]){1, 7}, &numbers[2],
                     error_out);
    }
    if (st == YORE_OK) {
        *days_out = calendar_week_days(
            (struct calendar_week){numbers[0], (int)numbers[1], (int)numbers[2]});
    }
    return st;
}

static enum yore_status quarter_date(const struct parts *parts, const struct temporal *base,
                                     int64_t *days_out, struct yore_error *error_out)
{
    struct calendar_date date = calendar_date(base->days);
    int quarter = base->has_date ? calendar_quarter(date.month) : 1;
    int day = base->has_date ? calendar_day_of_quarter(base->days) : 1;
    int64_t numbers[3] = {0};
    enum yore_status st = part_or(parts, PART_YEAR, date.year, year_bounds, &numbers[0], error_out);
    if (st == YORE_OK) {
        st = part_or(parts, PART_QUARTER, quarter, (int64_t[]){1, 4}, &numbers[1], error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    int first = (int)numbers[1] * 3 - 2;
    int64_t size = 0;
    for (int month = first; month < first + 3; month++) {
        size += calendar_month_days(numbers[0], month);
    }
    st = part_or(parts, PART_DAY_OF_QUARTER, day, (int64_t[]){1, size}, &numbers[2], error_out);
    if (st == YORE_OK) {
        *days_out = calendar_days((struct calendar_date){numbers[0], first, 1}) + numbers[2] - 1;
    }
    return st;
}

static enum yore_status ordinal_date(const struct parts *parts, const struct temporal *base,
                                     int64_t *days_out, struct yore_error *error_out)
{
    int64_t numbers[2] = {0};
    enum yore_status st = part_or(parts, PART_YEAR, calendar_date(base->days).year, year_bounds,
                                  &numbers[0], error_out);
    if (st == YORE_OK) {
        st = part_or(parts, PART_ORDINAL_DAY, 1,
                     (int64_t[]){1, 365 + calendar_year_is_leap(numbers[0])}, &numbers[1],
                     error_out);
    }
    if (st == YORE_OK) {
        *days_out = calendar_days((struct calendar_date){numbers[0], 1, 1}) + numbers[1] - 1;
    }
    return st;
}

static enum yore_status month_date(const struct parts *parts, const struct temporal *base,
                                   int64_t *days_out, struct yore_error *error_out)
{
    struct calendar_date date = {0, 1, 1};
    if (base->has_date) {
        date = calendar_date(base->days);
    }
    if (!base->has_date && has(parts, PART_DAY) && !has(parts, PART_MONTH)) {
        return error_set(error_out, YORE_INVALID, "`day` needs a `month`");
    }
    int64_t numbers[3] = {0};
    enum yore_status st = part_or(parts, PART_YEAR, date.year, year_bounds, &numbers[0], error_out);
    if (st == YORE_OK) {
        st = part_or(parts, PART_MONTH, date.month, (int64_t[]){1, 12}, &numbers[1], error_out);
    }
    if (st == YORE_OK) {
        st = part_or(parts, PART_DAY, date.day,
                     (int64_t[]){1, calendar_month_days(numbers[0], (int)numbers[1])}, &numbers[2],
                     error_out);
    }
    if (st == YORE_OK) {
        *days_out =
            calendar_days((struct calendar_date){numbers[0], (int)numbers[1], (int)numbers[2]});
    }
    return st;
}

static enum yore_status lay_date(const struct parts *parts, struct temporal *temporal,
                                 struct yore_error *error_out)
{
    uint32_t weeks = MASK(PART_WEEK) | MASK(PART_DAY_OF_WEEK);
    uint32_t quarters = MASK(PART_QUARTER) | MASK(PART_DAY_OF_QUARTER);
    uint32_t months = MASK(PART_MONTH) | MASK(PART_DAY);
    uint32_t given = parts->given & MASK_DATE;
    if (given == 0) {
        return YORE_OK;
    }
    int groups = ((given & weeks) != 0) + ((given & quarters) != 0) + ((given & months) != 0) +
                 has(parts, PART_ORDINAL_DAY);
    if (groups > 1) {
        return error_set(error_out, YORE_INVALID,
                         "a date is told by month and day, or week and dayOfWeek, or quarter and "
                         "dayOfQuarter, or ordinalDay");
    }
    if (!temporal->has_date && !has(parts, PART_YEAR)) {
        return error_set(error_out, YORE_INVALID, "a date needs a `year`");
    }
    enum yore_status st;
    if (given & weeks) {
        st = week_date(parts, temporal, &temporal->days, error_out);
    } else if (given & quarters) {
        st = quarter_date(parts, temporal, &temporal->days, error_out);
    } else if (has(parts, PART_ORDINAL_DAY)) {
        st = ordinal_date(parts, temporal, &temporal->days, error_out);
    } else {
        st = month_date(parts, temporal, &temporal->days, error_out);
    }
    temporal->has_date = true;
    return st;
}

/* ---- times ---- */

/* milli-, micro- and nanoseconds count together: each below a thousand of the next above it that is
 * given. */
static enum yore_status fraction_of(const struct parts *parts, int64_t *nanoseconds_out,
                                    struct yore_error *error_out)
{
    bool has_milli = has(parts, PART_MILLISECOND);
    bool has_micro = has(parts, PART_MICROSECOND);
    int64_t milli = 0;
    int64_t micro = 0;
    int64_t nano = 0;
    enum yore_status st =
        part_or(parts, PART_MILLISECOND, 0, (int64_t[]){0, 999}, &milli, error_out);
    if (st == YORE_OK) {
        st = part_or(parts, PART_MICROSECOND, 0, (int64_t[]){0, has_milli ? 999 : 999999}, &micro,
                     error_out);
    }
    if (st == YORE_OK) {
        st = part_or(parts, PART_NANOSECOND, 0,
                     (int64_t[]){0, has_micro   ? 999
                                    : has_milli ? 999999
                                                : 999999999},
                     &nano, error_out);
    }
    *nanoseconds_out = milli * 1000000 + micro * 1000 + nano;
    return st;
}

static enum yore_status lay_time(const struct parts *parts, bool adds_fraction,
                                 struct temporal *temporal, struct yore_error *error_out)
{
    if ((parts->given & MASK_TIME) == 0) {
        return YORE_OK;
    }
    bool has_minute = has(parts, PART_MINUTE);
    bool has_second = has(parts, PART_SECOND);
    bool has_fraction = (parts->given & MASK_FRACTION) != 0;
    if (!temporal->has_time &&
        (!has(parts, PART_HOUR) || (has_second && !has_minute) || (has_fraction && !has_second))) {
        return error_set(error_out, YORE_INVALID,
                         "a time needs all parts above the finest one: hour, minute, second");
    }
    int64_t seconds = temporal->nanoseconds / TEMPORAL_SECOND_NS;
    int64_t fraction = temporal->nanoseconds % TEMPORAL_SECOND_NS;
    int64_t numbers[4] = {0};
    enum yore_status st =
        part_or(parts, PART_HOUR, seconds / 3600, (int64_t[]){0, 23}, &numbers[0], error_out);
    if (st == YORE_OK) {
        st = part_or(parts, PART_MINUTE, seconds / 60 % 60, (int64_t[]){0, 59}, &numbers[1],
                     error_out);
    }
    if (st == YORE_OK) {
        st = part_or(parts, PART_SECOND, seconds % 60, (int64_t[]){0, 59}, &numbers[2], error_out);
    }
    if (st == YORE_OK && has_fraction) {
        st = fraction_of(parts, &numbers[3], error_out);
        fraction = adds_fraction ? fraction + numbers[3] : numbers[3];
    }
    if (st == YORE_OK) {
        temporal->nanoseconds =
            (numbers[0] * 3600 + numbers[1] * 60 + numbers[2]) * TEMPORAL_SECOND_NS + fraction;
        temporal->has_time = true;
    }
    return st;
}

/* ---- all of it ---- */

/* A zone: that of the base is kept, or the moment is moved from it to the one that is given; a
 * local time takes the given one as it is. */
static enum yore_status lay_zone(const struct temporal_context *context, const struct parts *parts,
                                 struct temporal *temporal, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (temporal->has_offset && temporal->zone.size > 0) {
        st = temporal_set_zone(context, temporal, temporal->zone, error_out);
    }
    if (st != YORE_OK || parts->zone.size == 0) {
        return st;
    }
    return temporal->has_offset ? temporal_move_zone(context, temporal, parts->zone, error_out)
                                : temporal_set_zone(context, temporal, parts->zone, error_out);
}

/* What is known before the numbers are laid over it. */
static struct temporal base_of(const struct parts *parts, enum yore_graph_kind kind)
{
    struct temporal base = {0};
    const struct yore_graph_value *date = parts->date != NULL ? parts->date : parts->datetime;
    const struct yore_graph_value *time = parts->time != NULL ? parts->time : parts->datetime;
    if (date != NULL) {
        struct temporal from = temporal_of(date);
        base.has_date = from.has_date;
        base.days = from.days;
    }
    if (time != NULL && kind != YORE_GRAPH_DATE) {
        struct temporal from = temporal_of(time);
        base.has_time = from.has_time;
        base.nanoseconds = from.nanoseconds;
        base.has_offset = from.has_offset;
        base.offset_seconds = from.offset_seconds;
        base.zone = from.zone;
    }
    if (kind == YORE_GRAPH_TIME) {
        base.zone = bytes_of(NULL, 0); /* the offset alone */
    }
    return base;
}

static enum yore_status refuse_foreign(const struct parts *parts, enum yore_graph_kind kind,
                                       struct yore_error *error_out)
{
    uint32_t allowed = kind == YORE_GRAPH_DATE ? MASK_DATE
                       : kind == YORE_GRAPH_LOCAL_TIME || kind == YORE_GRAPH_TIME
                           ? MASK_TIME
                           : MASK_DATE | MASK_TIME;
    if (kind == YORE_GRAPH_DATETIME) {
        allowed |= MASK_EPOCH;
    }
    for (int part = 0; part < PART_NUMBER_COUNT; part++) {
        if ((parts->given & MASK(part) & ~allowed) != 0) {
            return error_set(error_out, YORE_INVALID, "a %s has no `%s`", value_kind_name(kind),
                             part_names[part]);
        }
    }
    bool takes_zone = kind == YORE_GRAPH_TIME || kind == YORE_GRAPH_DATETIME;
    if (parts->zone.size > 0 && !takes_zone) {
        return error_set(error_out, YORE_INVALID, "a %s has no `timezone`", value_kind_name(kind));
    }
    return YORE_OK;
}

/* datetime({epochSeconds: n}) and epochMillis, with a fraction and a zone. */
static enum yore_status make_from_epoch(const struct temporal_context *context,
                                        const struct parts *parts,
                                        struct yore_graph_value *value_out,
                                        struct yore_error *error_out)
{
    static const int64_t bounds[2] = {INT64_C(-31557014167219200), INT64_C(31556889864403199)};
    bool is_millis = has(parts, PART_EPOCH_MILLIS);
    int64_t seconds = parts->numbers[PART_EPOCH_SECONDS];
    int64_t nanoseconds = 0;
    enum yore_status st = fraction_of(parts, &nanoseconds, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (is_millis) {
        int64_t millis = parts->numbers[PART_EPOCH_MILLIS];
        seconds = millis / 1000 - (millis % 1000 < 0);
        nanoseconds += (millis - seconds * 1000) * 1000000;
        seconds += nanoseconds / TEMPORAL_SECOND_NS;
        nanoseconds %= TEMPORAL_SECOND_NS;
    }
    if (seconds < bounds[0] || seconds > bounds[1]) {
        return error_set(error_out, YORE_INVALID, "the moment lies beyond the years that are told");
    }
    struct temporal temporal = temporal_of_moment(seconds, nanoseconds);
    if (parts->zone.size > 0) {
        st = temporal_move_zone(context, &temporal, parts->zone, error_out);
    }
    return st != YORE_OK
               ? st
               : temporal_value(context, YORE_GRAPH_DATETIME, &temporal, value_out, error_out);
}

static enum yore_status build(enum yore_graph_kind kind, const struct parts *parts,
                              const struct temporal *base, bool adds_fraction,
                              struct temporal *temporal_out, struct yore_error *error_out)
{
    struct temporal temporal = *base;
    enum yore_status st = refuse_foreign(parts, kind, error_out);
    if (st == YORE_OK) {
        st = lay_date(parts, &temporal, error_out);
    }
    if (st == YORE_OK) {
        st = lay_time(parts, adds_fraction, &temporal, error_out);
    }
    *temporal_out = temporal;
    return st;
}

enum yore_status temporal_make(const struct temporal_context *context, enum yore_graph_kind kind,
                               const struct yore_graph_map *map, struct yore_graph_value *value_out,
                               struct yore_error *error_out)
{
    struct parts parts = {0};
    enum yore_status st = take_parts(map, &parts, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (kind == YORE_GRAPH_DATETIME && (parts.given & MASK_EPOCH) != 0) {
        return make_from_epoch(context, &parts, value_out, error_out);
    }
    struct temporal base = base_of(&parts, kind);
    struct temporal temporal;
    st = build(kind, &parts, &base, false, &temporal, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool wants_date = kind != YORE_GRAPH_LOCAL_TIME && kind != YORE_GRAPH_TIME;
    if (wants_date && !temporal.has_date) {
        return error_set(error_out, YORE_INVALID,
                         "a %s needs a `year`, or a `date` to take it from", value_kind_name(kind));
    }
    if (!wants_date && !temporal.has_time) {
        return error_set(error_out, YORE_INVALID,
                         "a %s needs an `hour`, or a `time` to take it from",
                         value_kind_name(kind));
    }
    st = lay_zone(context, &parts, &temporal, error_out);
    return st != YORE_OK ? st : temporal_value(context, kind, &temporal, value_out, error_out);
}

enum yore_status temporal_overlay(const struct temporal_context *context, enum yore_graph_kind kind,
                                  const struct temporal *base, const struct yore_graph_map *map,
                                  bool adds_fraction, struct yore_graph_value *value_out,
                                  struct yore_error *error_out)
{
    struct parts parts = {0};
    struct temporal temporal = *base;
    enum yore_status st = map == NULL ? YORE_OK : take_parts(map, &parts, error_out);
    if (st == YORE_OK) {
        st = build(kind, &parts, base, adds_fraction, &temporal, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes zone = parts.zone.size > 0 ? parts.zone : temporal.zone;
    if (zone.size > 0 && (kind == YORE_GRAPH_DATETIME || kind == YORE_GRAPH_TIME)) {
        st = temporal_set_zone(context, &temporal, zone, error_out);
    }
    return st != YORE_OK ? st : temporal_value(context, kind, &temporal, value_out, error_out);
}

/* ---- durations ---- */

enum yore_status temporal_make_duration(struct arena *arena, const struct yore_graph_map *map,
                                        struct yore_graph_value *value_out,
                                        struct yore_error *error_out)
{
    struct duration_parts parts = {0};
    const struct {
        const char *name;
        struct decimal *part;
    } names[] = {
        {"years", &parts.years},
        {"quarters", &parts.quarters},
        {"months", &parts.months},
        {"weeks", &parts.weeks},
        {"days", &parts.days},
        {"hours", &parts.hours},
        {"minutes", &parts.minutes},
        {"seconds", &parts.seconds},
        {"milliseconds", &parts.milliseconds},
        {"microseconds", &parts.microseconds},
        {"nanoseconds", &parts.nanoseconds},
    };
    for (size_t i = 0; i < map->count; i++) {
        const struct yore_graph_entry *entry = &map->entries[i];
        size_t n = 0;
        while (n < sizeof(names) / sizeof(names[0]) && !bytes_are(entry->name, names[n].name)) {
            n++;
        }
        char shown[KEY_TEXT_BYTES];
        if (n == sizeof(names) / sizeof(names[0])) {
            return error_set(error_out, YORE_INVALID, "there is no part `%s` of a duration",
                             key_text(entry->name, shown));
        }
        bool is_ok = entry->value.kind == YORE_GRAPH_INT;
        if (is_ok) {
            *names[n].part = decimal_of_int(entry->value.as.integer);
        } else if (entry->value.kind == YORE_GRAPH_FLOAT) {
            is_ok = decimal_of_float(entry->value.as.real, names[n].part);
        }
        if (!is_ok) {
            return error_set(error_out, YORE_INVALID, "`%s` of a duration is a finite number",
                             names[n].name);
        }
    }
    struct yore_graph_duration *duration = arena_alloc(arena, sizeof(*duration));
    if (duration == NULL) {
        return YORE_NOMEM;
    }
    if (!duration_from_parts(&parts, duration)) {
        return error_set(error_out, YORE_INVALID, "the duration is longer than 2^63 seconds");
    }
    *value_out = (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = duration};
    return YORE_OK;
}
