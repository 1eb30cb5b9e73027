/* Days and what calendars call them. */
#include "query/calendar.h"
#include "support/test.h"

TEST(known_days)
{
    static const struct {
        struct calendar_date date;
        int64_t days;
        struct calendar_week week;
    } cases[] = {
        {{1970, 1, 1}, 0, {1970, 1, 4}},
        {{1969, 12, 31}, -1, {1970, 1, 3}},
        {{2000, 2, 29}, 11016, {2000, 9, 2}},
        {{1984, 1, 1}, 5113, {1983, 52, 7}},
        {{1816, 12, 30}, -55884, {1817, 1, 1}},
        {{1818, 12, 28}, -55156, {1818, 53, 1}},
        {{0, 1, 1}, -719528, {-1, 52, 6}},
        {{-999999999, 1, 1}, -365243219162, {-999999999, 1, 1}},
        {{999999999, 12, 31}, 365241780471, {999999999, 52, 5}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        CHECK_EQ_INT(calendar_days(cases[i].date), cases[i].days);
        struct calendar_date date = calendar_date(cases[i].days);
        CHECK_EQ_INT(date.year, cases[i].date.year);
        CHECK_EQ_INT(date.month, cases[i].date.month);
        CHECK_EQ_INT(date.day, cases[i].date.day);
        struct calendar_week week = calendar_week(cases[i].days);
        CHECK_EQ_INT(week.year, cases[i].week.year);
        CHECK_EQ_INT(week.week, cases[i].week.week);
        CHECK_EQ_INT(week.weekday, cases[i].week.weekday);
        CHECK_EQ_INT(calendar_week_days(week), cases[i].days);
    }
}

/* Two eras of every day, one after the other. */
TEST(every_day_follows_the_one_before)
{
    struct calendar_date before = calendar_date(-200000);
    for (int64_t days = -199999; days < 100000; days++) {
        struct calendar_date date = calendar_date(days);
        bool is_next_day =
            date.year == before.year && date.month == before.month && date.day == before.day + 1;
        bool is_next_month =
            date.day == 1 && before.day == calendar_month_days(before.year, before.month) &&
            date.month == before.month % 12 + 1 && date.year == before.year + (before.month == 12);
        CHECK_MSG(is_next_day || is_next_month, "day %lld", (long long)days);
        CHECK_EQ_INT(calendar_days(date), days);
        CHECK_EQ_INT(calendar_week_days(calendar_week(days)), days);
        before = date;
    }
}

TEST(weeks_and_quarters)
{
    CHECK_EQ_INT(calendar_weeks(1818), 53);
    CHECK_EQ_INT(calendar_weeks(1819), 52);
    int64_t days = calendar_days((struct calendar_date){1984, 10, 11});
    CHECK_EQ_INT(calendar_quarter(10), 4);
    CHECK_EQ_INT(calendar_day_of_quarter(days), 11);
    CHECK_EQ_INT(calendar_day_of_year(days), 285);
}

TEST(months_are_added_to_the_last_day_at_most)
{
    static const struct {
        struct calendar_date date;
        int64_t months;
        struct calendar_date sum;
    } cases[] = {{{2024, 1, 31}, 1, {2024, 2, 29}},    {{2023, 1, 31}, 1, {2023, 2, 28}},
                 {{2023, 3, 31}, -1, {2023, 2, 28}},   {{2023, 12, 15}, 1, {2024, 1, 15}},
                 {{2024, 1, 15}, -13, {2022, 12, 15}}, {{1, 1, 1}, -12, {0, 1, 1}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calendar_date sum = calendar_add_months(cases[i].date, cases[i].months);
        test_note("case %zu", i);
        CHECK_EQ_INT(sum.year, cases[i].sum.year);
        CHECK_EQ_INT(sum.month, cases[i].sum.month);
        CHECK_EQ_INT(sum.day, cases[i].sum.day);
    }
}

TEST_MAIN(known_days, every_day_follows_the_one_before, weeks_and_quarters,
          months_are_added_to_the_last_day_at_most)
