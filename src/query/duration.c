#include "query/duration.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

#define SECOND_NS INT64_C(1000000000)
#define DAY_SECONDS INT64_C(86400)
#define MONTH_SECONDS INT64_C(2629746) /* a 4800th of 400 Gregorian years */
/* What a chain of long double steps may lose, in nanoseconds: less than this is not a fraction. */
#define ROUNDING_NS 1e-3L

/* ---- making ---- */

bool duration_make(int64_t months, int64_t days, int64_t seconds, int64_t nanoseconds,
                   struct yore_graph_duration *duration_out)
{
    int64_t carry = nanoseconds / SECOND_NS;
    int64_t rest = nanoseconds % SECOND_NS;
    if (rest < 0) {
        rest += SECOND_NS;
        carry--;
    }
    int64_t month_seconds;
    int64_t day_seconds;
    int64_t total;
    if (!checked_add_i64(seconds, carry, &seconds) ||
        !checked_mul_i64(months, MONTH_SECONDS, &month_seconds) ||
        !checked_mul_i64(days, DAY_SECONDS, &day_seconds) ||
        !checked_add_i64(month_seconds, day_seconds, &total) ||
        !checked_add_i64(total, seconds, &total)) {
        return false;
    }
    *duration_out = (struct yore_graph_duration){
        .months = months, .days = days, .seconds = seconds, .nanoseconds = (int32_t)rest};
    return true;
}

bool duration_add(const struct yore_graph_duration *a, const struct yore_graph_duration *b,
                  struct yore_graph_duration *sum_out)
{
    int64_t months;
    int64_t days;
    int64_t seconds;
    return checked_add_i64(a->months, b->months, &months) &&
           checked_add_i64(a->days, b->days, &days) &&
           checked_add_i64(a->seconds, b->seconds, &seconds) &&
           duration_make(months, days, seconds, (int64_t)a->nanoseconds + b->nanoseconds, sum_out);
}

bool duration_negate(const struct yore_graph_duration *duration,
                     struct yore_graph_duration *negated_out)
{
    int64_t months;
    int64_t days;
    int64_t seconds;
    return checked_sub_i64(0, duration->months, &months) &&
           checked_sub_i64(0, duration->days, &days) &&
           checked_sub_i64(0, duration->seconds, &seconds) &&
           duration_make(months, days, seconds, -(int64_t)duration->nanoseconds, negated_out);
}

/* A sum of decimals, each times a whole number. */
struct sum {
    int64_t whole;
    long double fraction;
    bool is_over;
};

static void sum_add(struct sum *sum, struct decimal value, int64_t times)
{
    int64_t whole;
    if (!checked_mul_i64(value.whole, times, &whole) ||
        !checked_add_i64(sum->whole, whole, &sum->whole)) {
        sum->is_over = true;
        return;
    }
    sum->fraction += value.fraction * (long double)times;
}

/* Move whole numbers out of the fraction; `slack` is what counts as rounding. */
static void sum_settle(struct sum *sum, long double slack)
{
    long double nudge = sum->fraction < 0 ? -slack : slack;
    long double whole = truncl(sum->fraction + nudge);
    if (!(fabsl(whole) < 9.2e18L) || !checked_add_i64(sum->whole, (int64_t)whole, &sum->whole)) {
        sum->is_over = true;
        return;
    }
    sum->fraction -= whole;
}

/* Months, then what is left of one in days, then what is left of a day in seconds. */
static bool flow_down(struct sum months, struct sum days, struct sum seconds,
                      struct yore_graph_duration *duration_out)
{
    sum_settle(&months, ROUNDING_NS / (MONTH_SECONDS * (long double)SECOND_NS));
    days.fraction += months.fraction * MONTH_SECONDS / DAY_SECONDS;
    sum_settle(&days, ROUNDING_NS / (DAY_SECONDS * (long double)SECOND_NS));
    seconds.fraction += days.fraction * DAY_SECONDS;
    sum_settle(&seconds, ROUNDING_NS / SECOND_NS);
    struct sum nanoseconds = {.fraction = seconds.fraction * SECOND_NS};
    sum_settle(&nanoseconds, ROUNDING_NS);
    if (months.is_over || days.is_over || seconds.is_over) {
        return false;
    }
    return duration_make(months.whole, days.whole, seconds.whole, nanoseconds.whole, duration_out);
}

/* Units of less than a second, whole ones exactly. */
static void sum_add_small(struct sum *seconds, struct decimal value, int64_t units_per_second)
{
    int64_t whole;
    if (!checked_add_i64(seconds->whole, value.whole / units_per_second, &whole)) {
        seconds->is_over = true;
        return;
    }
    seconds->whole = whole;
    seconds->fraction += ((long double)(value.whole % units_per_second) + value.fraction) /
                         (long double)units_per_second;
}

bool duration_from_parts(const struct duration_parts *parts,
                         struct yore_graph_duration *duration_out)
{
    struct sum months = {0};
    struct sum days = {0};
    struct sum seconds = {0};
    sum_add(&months, parts->years, 12);
    sum_add(&months, parts->quarters, 3);
    sum_add(&months, parts->months, 1);
    sum_add(&days, parts->weeks, 7);
    sum_add(&days, parts->days, 1);
    sum_add(&seconds, parts->hours, 3600);
    sum_add(&seconds, parts->minutes, 60);
    sum_add(&seconds, parts->seconds, 1);
    sum_add_small(&seconds, parts->milliseconds, 1000);
    sum_add_small(&seconds, parts->microseconds, 1000000);
    sum_add_small(&seconds, parts->nanoseconds, SECOND_NS);
    return flow_down(months, days, seconds, duration_out);
}

static struct sum scaled(int64_t whole, long double fraction, struct decimal factor, bool divides)
{
    struct sum sum = {0};
    if (!divides && factor.fraction == 0 && fraction == 0) {
        sum_add(&sum, decimal_of_int(whole), factor.whole);
        return sum;
    }
    long double by = (long double)factor.whole + factor.fraction;
    long double value = (long double)whole + fraction;
    sum.fraction = divides ? value / by : value * by;
    return sum;
}

bool duration_scale(const struct yore_graph_duration *duration, struct decimal factor, bool divides,
                    struct yore_graph_duration *scaled_out)
{
    if (divides && factor.whole == 0 && factor.fraction == 0) {
        return false;
    }
    return flow_down(
        scaled(duration->months, 0, factor, divides), scaled(duration->days, 0, factor, divides),
        scaled(duration->seconds, (long double)duration->nanoseconds / SECOND_NS, factor, divides),
        scaled_out);
}

/* ---- order ---- */

static int64_t saturated_seconds(const struct yore_graph_duration *duration)
{
    int64_t months;
    int64_t days;
    int64_t total;
    if (!checked_mul_i64(duration->months, MONTH_SECONDS, &months)) {
        return duration->months < 0 ? INT64_MIN : INT64_MAX;
    }
    if (!checked_mul_i64(duration->days, DAY_SECONDS, &days) ||
        !checked_add_i64(months, days, &total)) {
        return duration->days < 0 ? INT64_MIN : INT64_MAX;
    }
    if (!checked_add_i64(total, duration->seconds, &total)) {
        return duration->seconds < 0 ? INT64_MIN : INT64_MAX;
    }
    return total;
}

int duration_order(const struct yore_graph_duration *a, const struct yore_graph_duration *b)
{
    int order = integer_order(saturated_seconds(a), saturated_seconds(b));
    if (order == 0) {
        order = integer_order(a->nanoseconds, b->nanoseconds);
    }
    if (order == 0) {
        order = integer_order(a->months, b->months);
    }
    if (order == 0) {
        order = integer_order(a->days, b->days);
    }
    return order != 0 ? order : integer_order(a->seconds, b->seconds);
}

/* ---- text ---- */

/* Digits of exactly `count`, as a decimal. */
static bool read_digits(struct yore_bytes *text, size_t count, struct decimal *decimal_out)
{
    size_t used = 0;
    if (text->size < count || !decimal_read(bytes_of(text->data, count), decimal_out, &used) ||
        used != count) {
        return false;
    }
    *text = bytes_behind(*text, count);
    return true;
}

static bool read_char(struct yore_bytes *text, char wanted)
{
    if (text->size == 0 || *(const char *)text->data != wanted) {
        return false;
    }
    *text = bytes_behind(*text, 1);
    return true;
}

/* "2012-02-02T14:37:21.545", the alternative form of ISO 8601. */
static bool read_alternative(struct yore_bytes text, struct duration_parts *parts)
{
    if (!read_digits(&text, 4, &parts->years) || !read_char(&text, '-') ||
        !read_digits(&text, 2, &parts->months) || !read_char(&text, '-') ||
        !read_digits(&text, 2, &parts->days)) {
        return false;
    }
    if (text.size == 0) {
        return true;
    }
    size_t used = 0;
    return read_char(&text, 'T') && read_digits(&text, 2, &parts->hours) && read_char(&text, ':') &&
           read_digits(&text, 2, &parts->minutes) && read_char(&text, ':') &&
           decimal_read(text, &parts->seconds, &used) && used == text.size;
}

/* Number and letter, in the order of `letters`, each at most once. */
static bool read_designated(struct yore_bytes *text, const char *letters,
                            struct decimal *const *fields)
{
    size_t next = 0;
    while (text->size > 0 && *(const char *)text->data != 'T') {
        struct decimal value;
        size_t used = 0;
        if (!decimal_read(*text, &value, &used) || used == text->size) {
            return false;
        }
        char letter = ((const char *)text->data)[used];
        const char *found = letter == '\0' ? NULL : strchr(letters + next, letter);
        if (found == NULL) {
            return false;
        }
        next = (size_t)(found - letters) + 1;
        *fields[next - 1] = value;
        *text = bytes_behind(*text, used + 1);
    }
    return true;
}

bool duration_read(struct yore_bytes text, struct yore_graph_duration *duration_out)
{
    bool is_negative = read_char(&text, '-');
    if (!is_negative) {
        (void)read_char(&text, '+');
    }
    if (!read_char(&text, 'P') || text.size == 0) {
        return false;
    }
    struct duration_parts parts = {0};
    if (!read_alternative(text, &parts)) {
        parts = (struct duration_parts){0};
        struct decimal *const dates[] = {&parts.years, &parts.months, &parts.weeks, &parts.days};
        struct decimal *const times[] = {&parts.hours, &parts.minutes, &parts.seconds};
        if (!read_designated(&text, "YMWD", dates)) {
            return false;
        }
        if (text.size > 0 && (!read_char(&text, 'T') || text.size == 0 ||
                              !read_designated(&text, "HMS", times) || text.size > 0)) {
            return false;
        }
    }
    return duration_from_parts(&parts, duration_out) &&
           (!is_negative || duration_negate(duration_out, duration_out));
}

/* Seconds and nanoseconds with one sign: "-0.4" is seconds -1 and 600,000,000 ns. */
static size_t write_seconds(int64_t seconds, int64_t nanoseconds, bool is_negative, char *to)
{
    size_t room = 48;
    int size = snprintf(to, room, "%s%lld", is_negative ? "-" : "", (long long)seconds);
    if (nanoseconds != 0) {
        size += snprintf(to + size, room - (size_t)size, ".%09lld", (long long)nanoseconds);
        while (to[size - 1] == '0') {
            size--;
        }
    }
    to[size++] = 'S';
    return (size_t)size;
}

static size_t write_part(char *to, int64_t value, char letter)
{
    return value == 0 ? 0 : (size_t)snprintf(to, 24, "%lld%c", (long long)value, letter);
}

size_t duration_write(const struct yore_graph_duration *duration, char text[DURATION_TEXT_BYTES])
{
    size_t size = 0;
    text[size++] = 'P';
    size += write_part(text + size, duration->months / 12, 'Y');
    size += write_part(text + size, duration->months % 12, 'M');
    size += write_part(text + size, duration->days, 'D');
    int64_t seconds = duration->seconds;
    int64_t nanoseconds = duration->nanoseconds;
    bool is_negative = seconds < 0;
    if (is_negative && nanoseconds > 0) {
        seconds++;
        nanoseconds = SECOND_NS - nanoseconds;
    }
    if (seconds != 0 || nanoseconds != 0) {
        text[size++] = 'T';
        size += write_part(text + size, seconds / 3600, 'H');
        size += write_part(text + size, seconds / 60 % 60, 'M');
        int64_t rest = seconds % 60;
        if (rest != 0 || nanoseconds != 0) {
            size += write_seconds(rest < 0 ? -rest : rest, nanoseconds, is_negative, text + size);
        }
    }
    if (size == 1) {
        memcpy(text + size, "T0S", 3);
        size += 3;
    }
    text[size] = '\0';
    return size;
}
