/* Civil dates are counted in the proleptic Gregorian calendar; a year begins in March while
 * counting, so that the leap day comes last.  All arithmetic on what was written is checked: digits
 * come from outside.
 */
#include "base/moment.h"

#include <stdio.h>

#include "base/checked.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define SECONDS_PER_DAY INT64_C(86400)
#define YEAR_MIN 1677
#define YEAR_MAX 2262
#define DURATION_TERMS_MAX 8

/* ---- reading characters ---------------------------------------------------------------------- */

struct scan {
    struct yore_bytes text;
    size_t at;
    const char *expected; /* set by the first failure */
};

static char scan_peek(const struct scan *s)
{
    return s->at < s->text.size ? ((const char *)s->text.data)[s->at] : '\0';
}

static bool scan_is_end(const struct scan *s)
{
    return s->at == s->text.size;
}

static bool scan_accept(struct scan *s, char c)
{
    if (scan_is_end(s) || scan_peek(s) != c) {
        return false;
    }
    s->at++;
    return true;
}

static bool scan_fail(struct scan *s, const char *expected)
{
    if (s->expected == NULL) {
        s->expected = expected;
    }
    return false;
}

static bool scan_is_digit(const struct scan *s)
{
    return scan_peek(s) >= '0' && scan_peek(s) <= '9';
}

/* Exactly `digits` digits giving a number in [low, high]; a failure points at the first of them. */
static bool scan_field(struct scan *s, int digits, int low, int high, const char *expected)
{
    size_t start = s->at;
    int v = 0;
    for (int i = 0; i < digits; i++) {
        if (!scan_is_digit(s)) {
            return scan_fail(s, expected);
        }
        v = v * 10 + (scan_peek(s) - '0');
        s->at++;
    }
    if (v < low || v > high) {
        s->at = start;
        return scan_fail(s, expected);
    }
    return true;
}

/* The value of the field that ends here. */
static int field_value(const struct scan *s, int digits)
{
    const char *at = (const char *)s->text.data + s->at - digits;
    int v = 0;
    for (int i = 0; i < digits; i++) {
        v = v * 10 + (at[i] - '0');
    }
    return v;
}

static enum yore_status scan_refuse(const struct scan *s, const char *what,
                                    struct yore_error *error_out)
{
    char shown[KEY_TEXT_BYTES];
    return error_set(error_out, YORE_INVALID, "%s \"%s\": at character %zu: expected %s", what,
                     key_text(s->text, shown), s->at + 1, s->expected);
}

/* ---- calendar -------------------------------------------------------------------------------- */

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01; 719,468 of them lie between 0000-03-01 and it. */
static int64_t days_of_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

struct civil {
    int year;
    int month;
    int day;
};

static struct civil civil_of_days(int64_t days)
{
    int64_t from_epoch = days + 719468; /* positive: years are 1677..2262 */
    int64_t era = from_epoch / 146097;
    int64_t day_of_era = from_epoch % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct civil c;
    c.day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    c.month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    c.year = (int)(year_of_era + era * 400 + (c.month <= 2 ? 1 : 0));
    return c;
}

/* ---- durations ------------------------------------------------------------------------------- */

struct unit {
    const char *name;
    int64_t ns;
};
static const struct unit units[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", NS_PER_SECOND},
    {"m", 60 * NS_PER_SECOND},
    {"h", 3600 * NS_PER_SECOND},
    {"d", SECONDS_PER_DAY *NS_PER_SECOND},
    {"w", 7 * SECONDS_PER_DAY *NS_PER_SECOND},
    {"y", 365 * SECONDS_PER_DAY *NS_PER_SECOND},
};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))
#define UNIT_COUNT_OF_INSTANTS 4 /* ns us ms s: what may follow @<integer> */

static bool scan_unit(struct scan *s, size_t count, int64_t *ns_out)
{
    const char *at = (const char *)s->text.data + s->at;
    size_t left = s->text.size - s->at;
    size_t letters = 0;
    while (letters < left && at[letters] >= 'a' && at[letters] <= 'z') {
        letters++;
    }
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(bytes_of(at, letters), bytes_of(units[i].name, strlen(units[i].name)))) {
            s->at += letters;
            *ns_out = units[i].ns;
            return true;
        }
    }
    return false;
}

/* Digits, one at least; negative numbers are built downwards, since they reach one further. */
static bool scan_integer(struct scan *s, bool is_negative, int64_t *v_out)
{
    int64_t v = 0;
    if (!scan_is_digit(s)) {
        return scan_fail(s, "a digit");
    }
    while (scan_is_digit(s)) {
        int64_t digit = scan_peek(s) - '0';
        if (!checked_mul_i64(v, 10, &v) || !checked_add_i64(v, is_negative ? -digit : digit, &v)) {
            return scan_fail(s, "a number that fits 64 bits");
        }
        s->at++;
    }
    *v_out = v;
    return true;
}

static bool scan_duration(struct scan *s, int64_t *ns_out)
{
    int64_t sum = 0;
    for (int term = 0; term == 0 || !scan_is_end(s); term++) {
        int64_t count = 0;
        int64_t unit_ns;
        if (term == DURATION_TERMS_MAX) {
            return scan_fail(s, "the end: a duration has at most 8 terms");
        }
        if (!scan_integer(s, false, &count)) {
            return false;
        }
        if (!scan_unit(s, UNIT_COUNT, &unit_ns)) {
            return scan_fail(s, "a unit: ns us ms s m h d w y");
        }
        if (!checked_mul_i64(count, unit_ns, &count) || !checked_add_i64(sum, count, &sum)) {
            return scan_fail(s, "a duration under 292 years");
        }
    }
    *ns_out = sum;
    return true;
}

enum yore_status duration_parse(struct yore_bytes text, int64_t *duration_out,
                                struct yore_error *error_out)
{
    struct scan s = {text, 0, NULL};
    int64_t ns = 0;
    if (!scan_duration(&s, &ns)) {
        return scan_refuse(&s, "duration", error_out);
    }
    if (ns == 0) {
        s.at = 0;
        scan_fail(&s, "more than nothing");
        return scan_refuse(&s, "duration", error_out);
    }
    *duration_out = ns;
    return YORE_OK;
}

/* ---- moments --------------------------------------------------------------------------------- */

static bool scan_fraction(struct scan *s, int64_t *ns_out)
{
    int64_t scale = NS_PER_SECOND / 10;
    int64_t ns = 0;
    if (!scan_is_digit(s)) {
        return scan_fail(s, "a digit of the fraction");
    }
    while (scan_is_digit(s)) {
        if (scale == 0) {
            return scan_fail(s, "at most 9 digits of fraction");
        }
        ns += scale * (scan_peek(s) - '0');
        scale /= 10;
        s->at++;
    }
    *ns_out = ns;
    return true;
}

/* Nothing, Z, z, or +hh:mm; seconds to take away for UTC. */
static bool scan_zone(struct scan *s, int64_t *seconds_out)
{
    *seconds_out = 0;
    if (scan_is_end(s) || scan_accept(s, 'Z') || scan_accept(s, 'z')) {
        return true;
    }
    bool is_west = scan_peek(s) == '-';
    if (!scan_accept(s, '-') && !scan_accept(s, '+')) {
        return scan_fail(s, "Z, +hh:mm, -hh:mm or the end");
    }
    if (!scan_field(s, 2, 0, 23, "the zone's hours 00..23")) {
        return false;
    }
    int64_t seconds = field_value(s, 2) * INT64_C(3600);
    if (!scan_accept(s, ':')) {
        return scan_fail(s, "':' between the zone's hours and minutes");
    }
    if (!scan_field(s, 2, 0, 59, "the zone's minutes 00..59")) {
        return false;
    }
    seconds += field_value(s, 2) * INT64_C(60);
    *seconds_out = is_west ? -seconds : seconds;
    return true;
}

/* hh:mm[:ss[.fraction]][zone]; seconds of the day in UTC, negative or past its end if the zone says
 * so. */
static bool scan_time(struct scan *s, int64_t *seconds_out, int64_t *ns_out)
{
    int64_t zone = 0;
    if (!scan_field(s, 2, 0, 23, "an hour 00..23")) {
        return false;
    }
    int64_t seconds = field_value(s, 2) * INT64_C(3600);
    if (!scan_accept(s, ':')) {
        return scan_fail(s, "':' after the hour");
    }
    if (!scan_field(s, 2, 0, 59, "a minute 00..59")) {
        return false;
    }
    seconds += field_value(s, 2) * INT64_C(60);
    if (scan_accept(s, ':')) {
        if (!scan_field(s, 2, 0, 59, "a second 00..59 (for a leap second write the next one)")) {
            return false;
        }
        seconds += field_value(s, 2);
        if (scan_accept(s, '.') && !scan_fraction(s, ns_out)) {
            return false;
        }
    }
    if (!scan_zone(s, &zone)) {
        return false;
    }
    *seconds_out = seconds - zone;
    return true;
}

static bool scan_date(struct scan *s, int64_t *days_out)
{
    if (!scan_field(s, 4, YEAR_MIN, YEAR_MAX, "a year 1677..2262")) {
        return false;
    }
    int year = field_value(s, 4);
    if (!scan_accept(s, '-')) {
        return scan_fail(s, "'-' after the year");
    }
    if (!scan_field(s, 2, 1, 12, "a month 01..12")) {
        return false;
    }
    int month = field_value(s, 2);
    if (!scan_accept(s, '-')) {
        return scan_fail(s, "'-' after the month");
    }
    if (!scan_field(s, 2, 1, days_in_month(year, month), "a day of that month")) {
        return false;
    }
    *days_out = days_of_civil(year, month, field_value(s, 2));
    return true;
}

static bool scan_calendar(struct scan *s, int64_t *moment_out)
{
    int64_t days;
    int64_t seconds = 0;
    int64_t fraction = 0;
    if (!scan_date(s, &days)) {
        return false;
    }
    if (!scan_is_end(s)) {
        if (!scan_accept(s, 'T') && !scan_accept(s, 't') && !scan_accept(s, ' ')) {
            return scan_fail(s, "'T', a blank or the end after the date");
        }
        if (!scan_time(s, &seconds, &fraction)) {
            return false;
        }
    }
    int64_t total = days * SECONDS_PER_DAY + seconds;
    if (total < 0 && fraction > 0) { /* keep the sum of both in range near the earliest moment */
        total += 1;
        fraction -= NS_PER_SECOND;
    }
    if (!checked_mul_i64(total, NS_PER_SECOND, moment_out) ||
        !checked_add_i64(*moment_out, fraction, moment_out)) {
        s->at = 0;
        return scan_fail(s, "a moment within 1677-09-21T00:12:43.145224193Z.."
                            "2262-04-11T23:47:16.854775806Z");
    }
    return true;
}

/* @<integer>[unit] */
static bool scan_instant(struct scan *s, int64_t *moment_out)
{
    int64_t count;
    int64_t unit_ns = NS_PER_SECOND;
    if (!scan_integer(s, scan_accept(s, '-'), &count)) {
        return false;
    }
    if (!scan_is_end(s) && !scan_unit(s, UNIT_COUNT_OF_INSTANTS, &unit_ns)) {
        return scan_fail(s, "a unit: s ms us ns, or the end");
    }
    if (!checked_mul_i64(count, unit_ns, moment_out)) {
        s->at = 0;
        return scan_fail(s, "a moment that fits 64 bits of nanoseconds");
    }
    return true;
}

static bool scan_relative(struct scan *s, bool is_before, int64_t now, int64_t *moment_out)
{
    int64_t duration;
    if (!scan_duration(s, &duration)) {
        return false;
    }
    if (!(is_before ? checked_sub_i64(now, duration, moment_out)
                    : checked_add_i64(now, duration, moment_out))) {
        s->at = 0;
        return scan_fail(s, "a moment that fits 64 bits of nanoseconds");
    }
    return true;
}

static bool scan_moment(struct scan *s, int64_t now, int64_t *moment_out)
{
    if (scan_accept(s, '@')) {
        return scan_instant(s, moment_out);
    }
    if (scan_accept(s, '-')) {
        return scan_relative(s, true, now, moment_out);
    }
    if (scan_accept(s, '+')) {
        return scan_relative(s, false, now, moment_out);
    }
    if (!scan_is_digit(s)) {
        return scan_fail(s, "a date, a date and time, now, -<duration>, +<duration> or @<integer>");
    }
    return scan_calendar(s, moment_out);
}

enum yore_status moment_parse(struct yore_bytes text, int64_t now, int64_t *moment_out,
                              struct yore_error *error_out)
{
    struct scan s = {text, 0, NULL};
    int64_t moment;
    if (bytes_equal(text, bytes_of("now", 3))) {
        *moment_out = YORE_NOW;
        return YORE_OK;
    }
    if (bytes_equal(text, bytes_of("-", 1))) {
        *moment_out = YORE_TIME_MIN;
        return YORE_OK;
    }
    if (!scan_moment(&s, now, &moment) || (!scan_is_end(&s) && !scan_fail(&s, "the end"))) {
        return scan_refuse(&s, "moment", error_out);
    }
    if (moment < YORE_TIME_MIN || moment == YORE_NOW) {
        s.at = 0;
        scan_fail(&s, "a moment within 1677-09-21..2262-04-11; the last and the first nanosecond "
                      "of 64 bits have meanings of their own");
        return scan_refuse(&s, "moment", error_out);
    }
    *moment_out = moment;
    return YORE_OK;
}

enum yore_status moment_parse_end(struct yore_bytes text, int64_t now, int64_t *end_out,
                                  struct yore_error *error_out)
{
    if (bytes_equal(text, bytes_of("forever", 7))) {
        *end_out = YORE_FOREVER;
        return YORE_OK;
    }
    return moment_parse(text, now, end_out, error_out);
}

/* ---- writing --------------------------------------------------------------------------------- */

char *moment_format(int64_t moment, char text[MOMENT_TEXT_BYTES])
{
    if (moment == YORE_FOREVER || moment <= YORE_TIME_MIN) {
        snprintf(text, MOMENT_TEXT_BYTES, "%s", moment == YORE_FOREVER ? "forever" : "-");
        return text;
    }
    int64_t seconds = moment / NS_PER_SECOND;
    int64_t ns = moment % NS_PER_SECOND;
    if (ns < 0) {
        seconds--;
        ns += NS_PER_SECOND;
    }
    int64_t days = seconds / SECONDS_PER_DAY;
    int of_day = (int)(seconds % SECONDS_PER_DAY);
    if (of_day < 0) {
        days--;
        of_day += (int)SECONDS_PER_DAY;
    }
    struct civil c = civil_of_days(days);
    char fraction[12] = "";
    if (ns % 1000000 == 0 && ns > 0) {
        snprintf(fraction, sizeof(fraction), ".%03d", (int)(ns / 1000000));
    } else if (ns % 1000 == 0 && ns > 0) {
        snprintf(fraction, sizeof(fraction), ".%06d", (int)(ns / 1000));
    } else if (ns > 0) {
        snprintf(fraction, sizeof(fraction), ".%09d", (int)ns);
    }
    snprintf(text, MOMENT_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", c.year, c.month, c.day,
             of_day / 3600, of_day / 60 % 60, of_day % 60, fraction);
    return text;
}
