/* Dates, times and durations, as the language writes them. */

#include "query/temporal.h"
#include "query/value.h"
#include "support/test.h"
#include "unit/query/eval_bed.h"

#define WRONG "ArgumentError.InvalidArgumentValue"
#define REFUSED "TypeError.InvalidArgumentValue"

TEST(text_is_read_in_all_its_forms)
{
    static const struct bed_case cases[] = {
        {"date('2015-07-21')", "'2015-07-21'"},
        {"date('20150721')", "'2015-07-21'"},
        {"date('2015-07')", "'2015-07-01'"},
        {"date('201507')", "'2015-07-01'"},
        {"date('2015-W30-2')", "'2015-07-21'"},
        {"date('2015W302')", "'2015-07-21'"},
        {"date('2015-W30')", "'2015-07-20'"},
        {"date('2015W30')", "'2015-07-20'"},
        {"date('2015-Q2-60')", "'2015-05-30'"},
        {"date('2015Q260')", "'2015-05-30'"},
        {"date('2015-Q2')", "'2015-04-01'"},
        {"date('2015-202')", "'2015-07-21'"},
        {"date('2015202')", "'2015-07-21'"},
        {"date('2015')", "'2015-01-01'"},
        {"date('-2015-02-28')", "'-2015-02-28'"},
        {"date('+12345-02-28')", "'+12345-02-28'"},
        {"date('-999999999-01-01')", "'-999999999-01-01'"},
        {"date('+999999999-12-31')", "'+999999999-12-31'"},
        {"localtime('21:40:32.142')", "'21:40:32.142'"},
        {"localtime('214032,142')", "'21:40:32.142'"},
        {"localtime('21:40')", "'21:40'"},
        {"localtime('2140')", "'21:40'"},
        {"localtime('21')", "'21:00'"},
        {"time('21:40:32.142+0100')", "'21:40:32.142+01:00'"},
        {"time('2140-01:30')", "'21:40-01:30'"},
        {"time('21Z')", "'21:00Z'"},
        {"time('21:40')", "'21:40Z'"},
        {"localdatetime('2015-07-21T21:40:32.142')", "'2015-07-21T21:40:32.142'"},
        {"localdatetime('2015202T21')", "'2015-07-21T21:00'"},
        {"localdatetime('2015-W30')", "'2015-07-20T00:00'"},
        {"datetime('2015-07-21T21:40:32.142+0100')", "'2015-07-21T21:40:32.142+01:00'"},
        {"datetime('20150721T21:40-01:30')", "'2015-07-21T21:40-01:30'"},
        {"datetime('2015-07-21T21:40:32.142[Europe/London]')",
         "'2015-07-21T21:40:32.142+01:00[Europe/London]'"},
        {"datetime('2015-07-21T21:40:32.142+0845[Australia/Eucla]')",
         "'2015-07-21T21:40:32.142+08:45[Australia/Eucla]'"},
        {"datetime('1900-01-01T00:00+00:53:28')", "'1900-01-01T00:00+00:53:28'"},
    };
    BED_CHECK_ALL(cases);
}

TEST(text_that_is_none_is_refused)
{
    static const struct bed_case cases[] = {
        {"date('')", WRONG},
        {"date('2015-13')", WRONG},
        {"date('2015-02-29')", WRONG},
        {"date('2015-2-1')", WRONG},
        {"date('2015-W54')", WRONG},
        {"date('2015-W53')", "'2015-12-28'"},
        {"date('2014-W53')", WRONG},
        {"date('2015-366')", WRONG},
        {"date('2015-Q5')", WRONG},
        {"date('2015-Q2-92')", WRONG},
        {"date('2015-07-21T10:00')", WRONG},
        {"date('12345-01-01')", WRONG},
        {"date('+1234501')", "'+1234501-01-01'"},
        {"date('+9999999999')", WRONG},
        {"localtime('24:00')", WRONG},
        {"localtime('21:60')", WRONG},
        {"localtime('21:40:')", WRONG},
        {"localtime('21:40:32.')", WRONG},
        {"localtime('21:40:32.1234567890')", WRONG},
        {"localtime('21:40Z')", WRONG},
        {"time('21:40+19:00')", WRONG},
        {"time('21:40+1')", WRONG},
        {"time('21:40 +01:00')", WRONG},
        {"datetime('2015-07-21T21:40[Nowhere/Atlantis]')", WRONG},
        {"datetime('2015-07-21T21:40[Europe/London')", WRONG},
        {"datetime('2015-07-21T21:40[]')", WRONG},
        {"datetime('2015-07-21T21:40+05:00[Europe/London]')", WRONG},
        {"datetime('2015-07-21 21:40')", WRONG},
        {"localdatetime('2015-07-21T')", WRONG},
        {"duration('P')", WRONG},
        {"duration('1D')", WRONG},
    };
    BED_CHECK_ALL(cases);
    bed_set_parameter(value_int(1));
    bed_check("date($p)", REFUSED);
    bed_check("datetime($p)", REFUSED);
    bed_check("duration($p)", REFUSED);
    bed_check("duration.between(date(), $p)", REFUSED);
    bed_check("date.truncate('year', $p)", REFUSED);
    bed_check("date.truncate($p, date())", REFUSED);
    bed_check("date.realtime($p)", REFUSED);
    bed_check("localtime(date())", REFUSED);
    bed_check("date(localtime())", REFUSED);
}

TEST(parts_make_dates_and_times)
{
    static const struct bed_case cases[] = {
        {"date({year: 1984})", "'1984-01-01'"},
        {"date({year: 1984, month: 10, day: 11})", "'1984-10-11'"},
        {"date({year: 1984, week: 10, dayOfWeek: 3})", "'1984-03-07'"},
        {"date({year: 1984, quarter: 3, dayOfQuarter: 45})", "'1984-08-14'"},
        {"date({year: 1984, ordinalDay: 202})", "'1984-07-20'"},
        {"date({date: date('1816-12-31'), week: 2})", "'1817-01-07'"},
        {"date({date: date('1984-11-11'), quarter: 3})", "'1984-08-11'"},
        {"date({date: date('1984-11-11'), year: 28})", "'0028-11-11'"},
        {"localtime({hour: 12, minute: 31, second: 14, millisecond: 1, microsecond: 2, "
         "nanosecond: 3})",
         "'12:31:14.001002003'"},
        {"localtime({hour: 12, minute: 31, second: 14, microsecond: 645876})", "'12:31:14.645876'"},
        {"time({hour: 12, timezone: '+01:00'})", "'12:00+01:00'"},
        {"time({time: time('12:31+01:00'), timezone: '+05:00'})", "'16:31+05:00'"},
        {"localdatetime({date: date('1984-10-11'), time: localtime('12:31')})",
         "'1984-10-11T12:31'"},
        {"datetime({year: 1984, month: 10, day: 11, hour: 12, timezone: 'Europe/Stockholm'})",
         "'1984-10-11T12:00+01:00[Europe/Stockholm]'"},
        {"datetime({datetime: datetime('1984-10-11T12:00+01:00'), timezone: '+05:00'})",
         "'1984-10-11T16:00+05:00'"},
        {"datetime({date: datetime('1984-10-11T12:00+01:00'), hour: 10})", "'1984-10-11T10:00Z'"},
        {"datetime({epochSeconds: 416779, nanosecond: 1})", "'1970-01-05T19:46:19.000000001Z'"},
        {"datetime({epochMillis: -1})", "'1969-12-31T23:59:59.999Z'"},
        {"datetime.fromEpoch(416779, 999999999)", "'1970-01-05T19:46:19.999999999Z'"},
        {"datetime.fromEpochMillis(237821673987)", "'1977-07-15T13:34:33.987Z'"},
        {"date(datetime('1984-10-11T12:00+01:00'))", "'1984-10-11'"},
        {"datetime(localdatetime('1984-10-11T12:00'))", "'1984-10-11T12:00Z'"},
        {"datetime(date('1984-10-11'))", "'1984-10-11T00:00Z'"},
        {"duration({days: 14, hours: 16, minutes: 12})", "'P14DT16H12M'"},
        {"duration({months: 0.75})", "'P22DT19H51M49.5S'"},
        {"duration({seconds: -2, milliseconds: 1})", "'PT-1.999S'"},
        {"duration({quarters: 1, weeks: 2.5})", "'P3M17DT12H'"},
        {"duration({})", "'PT0S'"},
    };
    BED_CHECK_ALL(cases);
}

TEST(parts_that_make_nothing_are_refused)
{
    static const struct bed_case cases[] = {
        {"date({})", WRONG},
        {"date({month: 1})", WRONG},
        {"date({year: 1984, day: 3})", WRONG},
        {"date({year: 1984, month: 2, day: 30})", WRONG},
        {"date({year: 1984, week: 3, month: 2})", WRONG},
        {"date({year: 1984, hour: 3})", WRONG},
        {"date({year: 1984, nonsense: 3})", WRONG},
        {"date({year: '1984'})", WRONG},
        {"date({year: 1000000000})", WRONG},
        {"date({date: localtime()})", WRONG},
        {"localtime({minute: 3})", WRONG},
        {"localtime({hour: 3, second: 3})", WRONG},
        {"localtime({hour: 24})", WRONG},
        {"localtime({hour: 1, minute: 1, second: 1, millisecond: 1, microsecond: 1000})", WRONG},
        {"localtime({hour: 1, timezone: 'Z'})", WRONG},
        {"time({hour: 1, timezone: 'nowhere'})", WRONG},
        {"datetime({year: 1984, timezone: 1})", WRONG},
        {"datetime({epochSeconds: 9223372036854775807})", WRONG},
        {"duration({days: 'a'})", WRONG},
        {"duration({day: 1})", WRONG},
        {"duration({years: 9223372036854775807})", WRONG},
        {"duration({days: 1e300})", WRONG},
    };
    BED_CHECK_ALL(cases);
}

TEST(parts_are_read_back)
{
    static const struct bed_case cases[] = {
        {"[x IN [date('1984-10-11')] | [x.year, x.quarter, x.month, x.week, x.weekYear, x.day, "
         "x.ordinalDay, x.weekDay, x.dayOfWeek, x.dayOfQuarter]][0]",
         "[1984, 4, 10, 41, 1984, 11, 285, 4, 4, 11]"},
        {"[x IN [time('12:31:14.645876123+01:00')] | [x.hour, x.minute, x.second, x.millisecond, "
         "x.microsecond, x.nanosecond, x.timezone, x.offset, x.offsetMinutes, x.offsetSeconds]][0]",
         "[12, 31, 14, 645, 645876, 645876123, '+01:00', '+01:00', 60, 3600]"},
        {"[x IN [datetime('1984-11-11T12:31:14.645+01:00[Europe/Stockholm]')] | [x.timezone, "
         "x.offset, x.epochSeconds, x.epochMillis]][0]",
         "['Europe/Stockholm', '+01:00', 469020674, 469020674645]"},
        {"[x IN [duration('P1Y4M10DT1H1M1.111111111S')] | [x.years, x.quarters, x.months, x.weeks, "
         "x.days, x.hours, x.minutes, x.seconds, x.milliseconds, x.microseconds, "
         "x.nanoseconds]][0]",
         "[1, 5, 16, 1, 10, 1, 61, 3661, 3661111, 3661111111, 3661111111111]"},
        {"[x IN [duration('P1Y4M10DT1H1M1.111111111S')] | [x.quartersOfYear, x.monthsOfQuarter, "
         "x.monthsOfYear, x.daysOfWeek, x.minutesOfHour, x.secondsOfMinute, "
         "x.millisecondsOfSecond, x.microsecondsOfSecond, x.nanosecondsOfSecond]][0]",
         "[1, 1, 4, 3, 1, 1, 111, 111111, 111111111]"},
        {"date('1984-10-11').hour", "null"},
        {"localtime('12:31').offset", "null"},
        {"date('1984-10-11')['year']", "TypeError.InvalidArgumentType"},
    };
    BED_CHECK_ALL(cases);
}

TEST(sums)
{
    static const struct bed_case cases[] = {
        {"date('1984-10-11') + duration('P1M-14DT16H-12M70S')", "'1984-10-28'"},
        {"date('1984-10-11') - duration('P1M-14DT16H-12M70S')", "'1984-09-25'"},
        {"duration('P1M') + date('2024-01-31')", "'2024-02-29'"},
        {"localtime('12:31:14.000000001') - duration('PT16H13M10.000000002S')",
         "'20:18:03.999999999'"},
        {"time('12:31:14+01:00') + duration('P3DT16H')", "'04:31:14+01:00'"},
        {"localdatetime('1984-10-11T12:31') + duration('P12Y5M14DT16H13M')", "'1997-03-26T04:44'"},
        /* a day of the calendar over the end of summer time, and 24 hours */
        {"datetime('2017-10-28T23:00[Europe/Stockholm]') + duration('P1D')",
         "'2017-10-29T23:00+01:00[Europe/Stockholm]'"},
        {"datetime('2017-10-28T23:00[Europe/Stockholm]') + duration('PT24H')",
         "'2017-10-29T22:00+01:00[Europe/Stockholm]'"},
        {"duration('P1D') + duration('PT1H')", "'P1DT1H'"},
        {"duration('P1D') - duration('PT1H')", "'P1DT-1H'"},
        {"-duration('P1D')", "'P-1D'"},
        {"duration('P1D') * 1.5", "'P1DT12H'"},
        {"2 * duration('P1D')", "'P2D'"},
        {"duration('P1M') / 2", "'P15DT5H14M33S'"},
        {"duration('P1M') / 0", "ArithmeticError.NumberOutOfRange"},
        {"date('+999999999-12-31') + duration('P1D')", WRONG},
        {"date('1984-10-11') + duration({months: 300000000000})", WRONG},
        {"localdatetime('1984-10-11T00:00') + duration({seconds: 9223372036854775807})", WRONG},
        {"date('1984-10-11') + 1", "TypeError.InvalidArgumentType"},
        {"date('1984-10-11') - date('1984-10-10')", "TypeError.InvalidArgumentType"},
        {"duration('P1D') - date('1984-10-10')", "TypeError.InvalidArgumentType"},
        {"1 / duration('P1D')", "TypeError.InvalidArgumentType"},
        {"duration('P1D') % 2", "TypeError.InvalidArgumentType"},
        {"duration('P1D') + 2", "TypeError.InvalidArgumentType"},
    };
    BED_CHECK_ALL(cases);
}

TEST(differences)
{
    static const struct bed_case cases[] = {
        {"duration.between(date('1984-10-11'), date('2015-06-24'))", "'P30Y8M13D'"},
        {"duration.between(date('1984-10-11'), time('16:30+0100'))", "'PT16H30M'"},
        {"duration.between(localdatetime('2015-07-21T21:40:32.142'), date('2015-06-24'))",
         "'P-27DT-21H-40M-32.142S'"},
        {"duration.between(datetime('2014-07-21T21:40:36.143+0200'), "
         "datetime('2015-07-21T21:40:32.142+0100'))",
         "'P1YT59M55.999S'"},
        {"duration.between(datetime('2017-10-28T23:00+02:00[Europe/Stockholm]'), "
         "datetime('2017-10-29T04:00+01:00[Europe/Stockholm]'))",
         "'PT6H'"},
        {"duration.between(date('2024-01-31'), date('2024-03-01'))", "'P1M1D'"},
        {"duration.between(date('2024-03-01'), date('2024-01-31'))", "'P-1M-1D'"},
        {"duration.between(localtime('12:00'), localtime('10:30'))", "'PT-1H-30M'"},
        {"duration.inMonths(date('1984-10-11'), date('2015-06-24'))", "'P30Y8M'"},
        {"duration.inMonths(date('1984-10-11'), localtime('16:30'))", "'PT0S'"},
        {"duration.inDays(date('1984-10-11'), date('2015-06-24'))", "'P11213D'"},
        {"duration.inDays(localdatetime('2018-01-02T10:00'), localdatetime('2018-01-01T12:00'))",
         "'PT0S'"},
        {"duration.inSeconds(date('1984-10-11'), date('2015-06-24'))", "'PT269112H'"},
        {"duration.inSeconds(datetime({year: 2017, month: 10, day: 29, timezone: "
         "'Europe/Stockholm'}), localtime({hour: 4}))",
         "'PT5H'"},
        {"duration.inSeconds(localtime('12:34:54.7'), localtime('12:34:54.3'))", "'PT-0.4S'"},
        {"duration.between(date('-999999999-01-01'), date('+999999999-12-31'))",
         "'P1999999998Y11M30D'"},
        {"duration.between(null, date())", "null"},
    };
    BED_CHECK_ALL(cases);
}

TEST(truncation)
{
    static const struct bed_case cases[] = {
        {"date.truncate('millennium', date('2017-10-11'))", "'2000-01-01'"},
        {"date.truncate('century', date('-0001-10-11'))", "'-0100-01-01'"},
        {"date.truncate('decade', date('1984-10-11'), {day: 2})", "'1980-01-02'"},
        {"date.truncate('year', date('1984-10-11'))", "'1984-01-01'"},
        {"date.truncate('weekYear', date('1984-01-01'), {day: 5})", "'1983-01-05'"},
        {"date.truncate('quarter', date('1984-11-11'))", "'1984-10-01'"},
        {"date.truncate('month', date('1984-11-11'))", "'1984-11-01'"},
        {"date.truncate('week', date('1984-10-11'), {dayOfWeek: 2})", "'1984-10-09'"},
        {"datetime.truncate('day', localdatetime('1984-10-11T12:31'), {timezone: "
         "'Europe/Stockholm'})",
         "'1984-10-11T00:00+01:00[Europe/Stockholm]'"},
        {"datetime.truncate('hour', datetime('1984-10-11T12:31:14+01:00'))",
         "'1984-10-11T12:00+01:00'"},
        {"localdatetime.truncate('millisecond', localdatetime('1984-10-11T12:31:14.645876123'), "
         "{nanosecond: 2})",
         "'1984-10-11T12:31:14.645000002'"},
        {"localtime.truncate('microsecond', time('12:31:14.645876123+01:00'))",
         "'12:31:14.645876'"},
        {"time.truncate('minute', datetime('1984-10-11T12:31:14+01:00[Europe/Stockholm]'))",
         "'12:31+01:00'"},
        {"date.truncate('month')", "'2024-02-01'"},
        {"date.truncate('hour', date('1984-10-11'))", WRONG},
        {"localtime.truncate('month', localtime('12:31'))", WRONG},
        {"date.truncate('fortnight', date('1984-10-11'))", WRONG},
        {"date.truncate('year', localtime('12:31'))", WRONG},
        {"localtime.truncate('hour', date('1984-10-11'))", WRONG},
    };
    BED_CHECK_ALL(cases);
}

TEST(the_clock_stands_still_in_a_statement)
{
    static const struct bed_case cases[] = {
        {"date()", "'2024-02-29'"},
        {"datetime()", "'2024-02-29T12:31:14.645876123Z'"},
        {"localdatetime.statement()", "'2024-02-29T12:31:14.645876123'"},
        {"time.transaction()", "'12:31:14.645876123Z'"},
        {"localtime()", "'12:31:14.645876123'"},
        {"datetime('2024-02-29T12:31:14.645876123Z') = datetime()", "true"},
        {"datetime.transaction('Europe/Stockholm')",
         "'2024-02-29T13:31:14.645876123+01:00[Europe/Stockholm]'"},
        {"datetime({timezone: 'America/Los Angeles'})", WRONG},
        {"datetime({timezone: 'America/Los_Angeles'})",
         "'2024-02-29T04:31:14.645876123-08:00[America/Los_Angeles]'"},
        {"date.realtime() > date('2024-01-01')", "true"},
        {"timestamp()", "1709209874645"},
    };
    BED_CHECK_ALL(cases);
}

TEST(order_and_equality)
{
    static const struct bed_case cases[] = {
        {"date('1984-10-11') < date('1984-10-12')", "true"},
        {"date('1984-10-11') = localdatetime('1984-10-11T00:00')", "false"},
        {"date('1984-10-11') < localdatetime('1984-10-11T00:00')", "null"},
        {"time('10:00+01:00') < time('09:35:14Z')", "true"},
        {"datetime('1984-10-11T12:00+01:00') = datetime('1984-10-11T12:00+01:00')", "true"},
        {"datetime('1984-10-11T12:00+01:00') < datetime('1984-10-11T11:30Z')", "true"},
        {"duration('P1D') = duration('PT24H')", "false"},
        {"duration('P1D') < duration('PT25H')", "null"},
        {"duration('P12M') = duration('P1Y')", "true"},
    };
    BED_CHECK_ALL(cases);
}

/* What is written reads back as the same value, for days and times of all of the years. */
TEST(any_value_reads_back)
{
    static const enum yore_graph_kind kinds[] = {YORE_GRAPH_DATE, YORE_GRAPH_LOCAL_TIME,
                                                 YORE_GRAPH_TIME, YORE_GRAPH_LOCAL_DATETIME,
                                                 YORE_GRAPH_DATETIME};
    static const struct yore_bytes zones[] = {
        {NULL, 0}, {"Europe/Stockholm", 16}, {"Pacific/Apia", 12}};
    struct test_rand rand = test_rand_new(0);
    struct zone_cache *cache = NULL;
    for (uint64_t round = 0; round < test_scale(3000, 300000); round++) {
        struct arena arena = {0};
        struct temporal_context context = {&arena, &cache, 0};
        enum yore_graph_kind kind = kinds[test_rand_below(&rand, 5)];
        struct temporal temporal = {
            .has_date = true,
            .has_time = true,
            .has_offset = true,
            .days = (int64_t)test_rand_below(&rand, 700000000000) - 350000000000,
            .nanoseconds = (int64_t)test_rand_below(&rand, 86400000000000),
            .offset_seconds =
                (int32_t)test_rand_below(&rand, 2 * TEMPORAL_OFFSET_MAX) - TEMPORAL_OFFSET_MAX,
            .zone = zones[test_rand_below(&rand, 3)]};
        if (test_rand_one_in(&rand, 2)) {
            temporal.days %= 40000;
        }
        struct yore_graph_value value;
        struct yore_graph_value again;
        struct yore_error error;
        struct buffer text = {0};
        CHECK_OK(temporal_value(&context, kind, &temporal, &value, &error));
        temporal_write(&text, &value);
        test_note("%.*s", (int)text.size, (const char *)text.data);
        CHECK_OK(temporal_read(&context, kind, buffer_bytes(&text), &again, &error));
        CHECK(value_is_same(&value, &again));
        buffer_release(&text);
        arena_release(&arena);
    }
    zone_cache_free(cache);
}

TEST_MAIN(text_is_read_in_all_its_forms, text_that_is_none_is_refused, parts_make_dates_and_times,
          parts_that_make_nothing_are_refused, parts_are_read_back, sums, differences, truncation,
          the_clock_stands_still_in_a_statement, order_and_equality, any_value_reads_back)
