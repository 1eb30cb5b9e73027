/* Temporal values as text, ISO 8601 both ways. */
#include <stdio.h>
#include <string.h>

#include "query/calendar.h"
#include "query/duration.h"
#include "query/temporal.h"

/* ---- reading ---- */

struct scan {
    const char *at;
    const char *end;
};

static size_t left(const struct scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static bool take(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

static size_t digits_ahead(const struct scan *scan)
{
    size_t count = 0;
    while (count < left(scan) && scan->at[count] >= '0' && scan->at[count] <= '9') {
        count++;
    }
    return count;
}

/* Exactly `count` digits (at most 9). */
static bool take_digits(struct scan *scan, size_t count, int64_t *number_out)
{
    if (digits_ahead(scan) < count) {
        return false;
    }
    int64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        number = number * 10 + (*scan->at++ - '0');
    }
    *number_out = number;
    return true;
}

struct year {
    int64_t year;
    bool is_signed; /* then basic forms would be ambiguous */
};

static bool take_year(struct scan *scan, struct year *year_out)
{
    bool is_negative = take(scan, '-');
    bool is_signed = is_negative || take(scan, '+');
    size_t count = is_signed ? digits_ahead(scan) : 4;
    if (count < 1 || count > 9 || !take_digits(scan, count, &year_out->year)) {
        return false;
    }
    if (is_negative) {
        year_out->year = -year_out->year;
    }
    year_out->is_signed = is_signed;
    return true;
}

static bool days_of_month(int64_t year, int64_t month, int64_t day, int64_t *days_out)
{
    if (month < 1 || month > 12 || day < 1 || day > calendar_month_days(year, (int)month)) {
        return false;
    }
    *days_out = calendar_days((struct calendar_date){year, (int)month, (int)day});
    return true;
}

static bool days_of_week(int64_t year, int64_t week, int64_t weekday, int64_t *days_out)
{
    if (week < 1 || week > calendar_weeks(year) || weekday < 1 || weekday > 7) {
        return false;
    }
    *days_out = calendar_week_days((struct calendar_week){year, (int)week, (int)weekday});
    return true;
}

static bool days_of_ordinal(int64_t year, int64_t ordinal, int64_t *days_out)
{
    if (ordinal < 1 || ordinal > 365 + calendar_year_is_leap(year)) {
        return false;
    }
    *days_out = calendar_days((struct calendar_date){year, 1, 1}) + ordinal - 1;
    return true;
}

static bool days_of_quarter(int64_t year, int64_t quarter, int64_t day, int64_t *days_out)
{
    if (quarter < 1 || quarter > 4 || day < 1) {
        return false;
    }
    int64_t first = calendar_days((struct calendar_date){year, (int)quarter * 3 - 2, 1});
    int64_t next = quarter == 4
                       ? calendar_days((struct calendar_date){year + 1, 1, 1})
                       : calendar_days((struct calendar_date){year, (int)quarter * 3 + 1, 1});
    *days_out = first + day - 1;
    return *days_out < next;
}

/* What follows a year: nothing, -MM[-DD], MM[DD], -DDD, DDD, -Www[-D], Www[D], -Qq[-DD], Qq[DD]. */
static bool take_date(struct scan *scan, int64_t *days_out)
{
    struct year year = {0};
    if (!take_year(scan, &year)) {
        return false;
    }
    bool is_extended = take(scan, '-');
    int64_t first = 1;
    int64_t second = 1;
    if (take(scan, 'W')) {
        bool has_day = take_digits(scan, 2, &first) &&
                       (is_extended ? take(scan, '-') : digits_ahead(scan) > 0);
        return (!has_day || take_digits(scan, 1, &second)) &&
               days_of_week(year.year, first, second, days_out);
    }
    if (take(scan, 'Q')) {
        bool has_day = take_digits(scan, 1, &first) &&
                       (is_extended ? take(scan, '-') : digits_ahead(scan) > 0);
        return (!has_day || take_digits(scan, 2, &second)) &&
               days_of_quarter(year.year, first, second, days_out);
    }
    size_t digits = digits_ahead(scan);
    if (!is_extended && digits > 0 && year.is_signed) {
        return false;
    }
    if (digits == 3) {
        return take_digits(scan, 3, &first) && days_of_ordinal(year.year, first, days_out);
    }
    if (is_extended || digits > 0) {
        if ((digits != 2 && (digits != 4 || is_extended)) || !take_digits(scan, 2, &first)) {
            return false;
        }
        bool has_day = is_extended ? take(scan, '-') : digits == 4;
        if (has_day && !take_digits(scan, 2, &second)) {
            return false;
        }
    }
    return days_of_month(year.year, first, second, days_out);
}

/* HH, HH:MM, HHMM, HH:MM:SS, HHMMSS, with a fraction of the seconds. */
static bool take_time(struct scan *scan, int64_t *nanoseconds_out)
{
    int64_t parts[3] = {0, 0, 0};
    size_t count = 1;
    if (!take_digits(scan, 2, &parts[0])) {
        return false;
    }
    bool is_extended = left(scan) > 0 && *scan->at == ':';
    for (; count < 3; count++) {
        if (is_extended ? !take(scan, ':') : digits_ahead(scan) == 0) {
            break;
        }
        if (!take_digits(scan, 2, &parts[count])) {
            return false;
        }
    }
    int64_t fraction = 0;
    if (count == 3 && (take(scan, '.') || take(scan, ','))) {
        size_t digits = digits_ahead(scan);
        if (digits < 1 || digits > 9 || !take_digits(scan, digits, &fraction)) {
            return false;
        }
        for (; digits < 9; digits++) {
            fraction *= 10;
        }
    }
    *nanoseconds_out = (parts[0] * 3600 + parts[1] * 60 + parts[2]) * TEMPORAL_SECOND_NS + fraction;
    return parts[0] < 24 && parts[1] < 60 && parts[2] < 60;
}

/* An offset, a zone in brackets, or both. */
static enum yore_status take_zone(const struct temporal_context *context, struct scan *scan,
                                  struct temporal *temporal, struct yore_error *error_out)
{
    const char *begin = scan->at;
    while (scan->at < scan->end && *scan->at != '[') {
        scan->at++;
    }
    struct yore_bytes offset = bytes_of(begin, (size_t)(scan->at - begin));
    struct yore_bytes zone = {0};
    if (take(scan, '[')) {
        if (scan->end[-1] != ']' || scan->end - scan->at < 2) {
            return YORE_INVALID;
        }
        zone = bytes_of(scan->at, (size_t)(scan->end - scan->at) - 1);
        scan->at = scan->end;
    }
    const char *sign = offset.data;
    if (offset.size > 0 && *sign != 'Z' && *sign != 'z' && *sign != '+' && *sign != '-') {
        return YORE_INVALID;
    }
    enum yore_status st =
        offset.size == 0 ? YORE_OK : temporal_set_zone(context, temporal, offset, error_out);
    if (st != YORE_OK || zone.size == 0) {
        return st;
    }
    struct temporal in_zone = *temporal;
    if (offset.size > 0) {
        st = temporal_move_zone(context, &in_zone, zone, error_out);
        if (st == YORE_OK && in_zone.offset_seconds != temporal->offset_seconds) {
            char shown[KEY_TEXT_BYTES];
            return error_set(error_out, YORE_INVALID, "that is not the offset of %s at that time",
                             key_text(zone, shown));
        }
    } else {
        st = temporal_set_zone(context, &in_zone, zone, error_out);
    }
    *temporal = in_zone;
    return st;
}

static enum yore_status read_parts(const struct temporal_context *context,
                                   enum yore_graph_kind kind, struct scan *scan,
                                   struct temporal *temporal, struct yore_error *error_out)
{
    bool wants_date = kind != YORE_GRAPH_LOCAL_TIME && kind != YORE_GRAPH_TIME;
    bool wants_time = kind != YORE_GRAPH_DATE;
    temporal->has_date = wants_date;
    temporal->has_time = wants_time;
    if (wants_date && !take_date(scan, &temporal->days)) {
        return YORE_INVALID;
    }
    if (wants_time && (!wants_date || left(scan) > 0)) {
        if ((wants_date && !take(scan, 'T')) || !take_time(scan, &temporal->nanoseconds)) {
            return YORE_INVALID;
        }
    }
    bool wants_zone = kind == YORE_GRAPH_TIME || kind == YORE_GRAPH_DATETIME;
    if (wants_zone && left(scan) > 0) {
        return take_zone(context, scan, temporal, error_out);
    }
    return left(scan) == 0 ? YORE_OK : YORE_INVALID;
}

enum yore_status temporal_read(const struct temporal_context *context, enum yore_graph_kind kind,
                               struct yore_bytes text, struct yore_graph_value *value_out,
                               struct yore_error *error_out)
{
    static const char *const examples[] = {
        [YORE_GRAPH_DATE] = "a date ('2015-07-21', '2015-W30-2', '2015-202')",
        [YORE_GRAPH_LOCAL_TIME] = "a local time ('21:40:32.142')",
        [YORE_GRAPH_TIME] = "a time ('21:40:32.142+01:00')",
        [YORE_GRAPH_LOCAL_DATETIME] = "a local datetime ('2015-07-21T21:40:32.142')",
        [YORE_GRAPH_DATETIME] = "a datetime ('2015-07-21T21:40:32.142+02:00[Europe/Stockholm]')",
    };
    struct scan scan = {text.data, (const char *)text.data + text.size};
    struct temporal temporal = {0};
    error_clear(error_out);
    enum yore_status st =
        text.size == 0 ? YORE_INVALID : read_parts(context, kind, &scan, &temporal, error_out);
    if (st == YORE_INVALID && (error_out == NULL || error_out->text[0] == '\0')) {
        char shown[KEY_TEXT_BYTES];
        return error_set(error_out, st, "'%s' is not %s", key_text(text, shown), examples[kind]);
    }
    return st != YORE_OK ? st : temporal_value(context, kind, &temporal, value_out, error_out);
}

/* ---- writing ---- */

static void append_text(struct buffer *to, const char *text, int size)
{
    buffer_append(to, text, size > 0 ? (size_t)size : 0);
}

static void write_date(struct buffer *to, int64_t days)
{
    struct calendar_date date = calendar_date(days);
    char text[40];
    const char *sign = date.year < 0 ? "-" : date.year > 9999 ? "+" : "";
    long long year = date.year < 0 ? -(long long)date.year : (long long)date.year;
    append_text(
        to, text,
        snprintf(text, sizeof(text), "%s%04lld-%02d-%02d", sign, year, date.month, date.day));
}

/* Seconds are left out when they are zero, a fraction has as many of 3, 6, 9 digits... as it needs.
 */
static void write_time(struct buffer *to, int64_t nanoseconds)
{
    int64_t seconds = nanoseconds / TEMPORAL_SECOND_NS;
    int64_t fraction = nanoseconds % TEMPORAL_SECOND_NS;
    char text[40];
    int size =
        snprintf(text, sizeof(text), "%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    append_text(to, text, size);
    if (seconds % 60 != 0 || fraction != 0) {
        append_text(to, text, snprintf(text, sizeof(text), ":%02d", (int)(seconds % 60)));
    }
    if (fraction != 0) {
        size = snprintf(text, sizeof(text), ".%09d", (int)fraction);
        while (text[size - 1] == '0') {
            size--;
        }
        append_text(to, text, size);
    }
}

static void write_offset(struct buffer *to, int32_t offset)
{
    char text[40];
    if (offset == 0) {
        append_text(to, "Z", 1);
        return;
    }
    int32_t size = offset < 0 ? -offset : offset;
    append_text(to, text,
                snprintf(text, sizeof(text), "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600,
                         size / 60 % 60));
    if (size % 60 != 0) {
        append_text(to, text, snprintf(text, sizeof(text), ":%02d", size % 60));
    }
}

void temporal_write(struct buffer *to, const struct yore_graph_value *value)
{
    if (value->kind == YORE_GRAPH_DURATION) {
        char text[DURATION_TEXT_BYTES];
        size_t size = duration_write(value->as.duration, text);
        buffer_append(to, text, size);
        return;
    }
    struct temporal temporal = temporal_of(value);
    if (temporal.has_date) {
        write_date(to, temporal.days);
    }
    if (temporal.has_date && temporal.has_time) {
        append_text(to, "T", 1);
    }
    if (temporal.has_time) {
        write_time(to, temporal.nanoseconds);
    }
    if (temporal.has_offset) {
        write_offset(to, temporal.offset_seconds);
    }
    if (temporal.zone.size > 0) {
        append_text(to, "[", 1);
        buffer_append_bytes(to, temporal.zone);
        append_text(to, "]", 1);
    }
}
