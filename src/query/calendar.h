/* calendar.h -- days since 1970-01-01 and what calendars call them: proleptic Gregorian, ISO weeks,
 * quarters, days of the year.
 *
 * Years are CALENDAR_YEAR_MIN..MAX; day counts those of them.  Pure, any thread.
 */
#ifndef YORE_QUERY_CALENDAR_H
#define YORE_QUERY_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define CALENDAR_YEAR_MIN INT64_C(-999999999)
#define CALENDAR_YEAR_MAX INT64_C(999999999)

struct calendar_date {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};
/* ISO 8601: weeks begin on Mondays, week 1 has the year's first Thursday. */
struct calendar_week {
    int64_t year; /* of the week, at times not that of the day */
    int week;     /* 1..53 */
    int weekday;  /* 1 (Monday)..7 */
};

/* a / b, rounded towards the past; b is not 0, nor a / b too large. */
static inline int64_t calendar_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

bool calendar_year_is_leap(int64_t year);
int calendar_month_days(int64_t year, int month);
int64_t calendar_days(struct calendar_date date);
struct calendar_date calendar_date(int64_t days);
struct calendar_week calendar_week(int64_t days);
int calendar_weeks(int64_t week_year); /* 52 or 53 */
int64_t calendar_week_days(struct calendar_week week);
int calendar_day_of_year(int64_t days); /* 1..366 */
int calendar_quarter(int month);        /* 1..4 */
int calendar_day_of_quarter(int64_t days);
/* The same day of another month, or that month's last where it has no such day. */
struct calendar_date calendar_add_months(struct calendar_date date, int64_t months);

#endif
