/* Days and civil dates by eras of 400 years, which are all of one length, and years that begin in
 * March, so that the leap day is the last of its year. */
#include "query/calendar.h"

#define ERA_DAYS INT64_C(146097)
#define ERA_YEARS INT64_C(400)
#define EPOCH_SHIFT INT64_C(719468) /* from 0000-03-01 to 1970-01-01 */

bool calendar_year_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && calendar_year_is_leap(year) ? 29 : days[month - 1];
}

int64_t calendar_days(struct calendar_date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = calendar_floor_div(year, ERA_YEARS);
    int64_t year_of_era = year - era * ERA_YEARS;
    int64_t month = (date.month + 9) % 12; /* from March */
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_SHIFT;
}

struct calendar_date calendar_date(int64_t days)
{
    int64_t shifted = days + EPOCH_SHIFT;
    int64_t era = calendar_floor_div(shifted, ERA_DAYS);
    int64_t day_of_era = shifted - era * ERA_DAYS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    struct calendar_date date;
    date.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    date.month = (int)(month < 10 ? month + 3 : month - 9);
    date.year = year_of_era + era * ERA_YEARS + (date.month <= 2);
    return date;
}

static int weekday_of(int64_t days)
{
    return (int)(days + 3 - calendar_floor_div(days + 3, 7) * 7) +
           1; /* 1970-01-01 was a Thursday */
}

static int64_t week_1_monday(int64_t week_year)
{
    int64_t fourth = calendar_days((struct calendar_date){week_year, 1, 4});
    return fourth - (weekday_of(fourth) - 1);
}

struct calendar_week calendar_week(int64_t days)
{
    struct calendar_week week;
    week.weekday = weekday_of(days);
    week.year = calendar_date(days - week.weekday + 4).year; /* that of its Thursday */
    week.week = (int)((days - week_1_monday(week.year)) / 7) + 1;
    return week;
}

int calendar_weeks(int64_t week_year)
{
    return (int)((week_1_monday(week_year + 1) - week_1_monday(week_year)) / 7);
}

int64_t calendar_week_days(struct calendar_week week)
{
    return week_1_monday(week.year) + (week.week - 1) * 7 + week.weekday - 1;
}

int calendar_day_of_year(int64_t days)
{
    return (int)(days - calendar_days((struct calendar_date){calendar_date(days).year, 1, 1})) + 1;
}

int calendar_quarter(int month)
{
    return (month - 1) / 3 + 1;
}

int calendar_day_of_quarter(int64_t days)
{
    struct calendar_date date = calendar_date(days);
    int first = (calendar_quarter(date.month) - 1) * 3 + 1;
    return (int)(days - calendar_days((struct calendar_date){date.year, first, 1})) + 1;
}

struct calendar_date calendar_add_months(struct calendar_date date, int64_t months)
{
    int64_t total = date.year * 12 + (date.month - 1) + months;
    struct calendar_date moved = {calendar_floor_div(total, 12), 0, date.day};
    moved.month = (int)(total - moved.year * 12) + 1;
    int last = calendar_month_days(moved.year, moved.month);
    if (moved.day > last) {
        moved.day = last;
    }
    return moved;
}
