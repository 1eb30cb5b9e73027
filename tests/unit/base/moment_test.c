/* Moments: the grammar by table, its refusals with their places, and text back and forth. */
#include "base/moment.h"

#include <string.h>

#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define NOW (1000 * SECOND)

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

TEST(moments_as_people_write_them)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"1970-01-02", 86400 * SECOND},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"2026-11-21T10:00:00Z", 1795255200 * SECOND},
        {"2026-11-21t10:00:00z", 1795255200 * SECOND},
        {"2026-11-21 10:00:00Z", 1795255200 * SECOND},
        {"2026-11-21T10:00:00", 1795255200 * SECOND},
        {"2026-11-21T10:00", 1795255200 * SECOND},
        {"2026-11-21 10:00", 1795255200 * SECOND},
        {"2026-11-21T12:30:00+02:30", 1795255200 * SECOND},
        {"2026-11-21T00:30:00-09:30", 1795255200 * SECOND},
        {"2026-11-21T10:00:00-00:00", 1795255200 * SECOND},
        {"2026-11-21T10:00:00.5Z", 1795255200 * SECOND + 500000000},
        {"2026-11-21T10:00:00.123456789Z", 1795255200 * SECOND + 123456789},
        {"2026-11-21T10:00:00.000000001+00:00", 1795255200 * SECOND + 1},
        {"2000-02-29", 951782400 * SECOND},
        {"2024-02-29T12:00:00Z", 1709208000 * SECOND},
        {"2000-03-01", 951868800 * SECOND},
        {"1999-12-31T23:59:59Z", 946684799 * SECOND},
        {"1678-01-01", -9214560000 * SECOND},
        {"1677-12-31", -9214646400 * SECOND},
        {"1677-09-21T00:12:43.145224194Z", YORE_TIME_MIN + 1},
        {"1677-09-21T00:12:43.145224193Z", YORE_TIME_MIN},
        {"-", YORE_TIME_MIN},
        {"2262-04-11T23:47:16.854775806Z", INT64_MAX - 1},
        {"now", YORE_NOW},
        {"-1h", NOW - 3600 * SECOND},
        {"-1h30m", NOW - 5400 * SECOND},
        {"-30d", NOW - 30 * 86400 * SECOND},
        {"+5s", NOW + 5 * SECOND},
        {"-0s", NOW},
        {"+1ns", NOW + 1},
        {"+1us", NOW + 1000},
        {"+1ms", NOW + 1000000},
        {"-1w", NOW - 7 * 86400 * SECOND},
        {"-1y", NOW - 365 * 86400 * SECOND},
        {"-1y1w1d1h1m1s1ms1us", NOW - 373 * 86400 * SECOND - 3661 * SECOND - 1001000},
        {"@0", 0},
        {"@1763719200", 1763719200 * SECOND},
        {"@1763719200s", 1763719200 * SECOND},
        {"@1763719200123ms", 1763719200123 * INT64_C(1000000)},
        {"@1763719200123456us", 1763719200123456 * INT64_C(1000)},
        {"@1763719200123456789ns", INT64_C(1763719200123456789)},
        {"@-1ns", -1},
        {"@-9223372036854775807ns", YORE_TIME_MIN},
        {"@9223372036854775806ns", INT64_MAX - 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct yore_error error = {YORE_OK, ""};
        int64_t got = 12345;
        test_note("%s", cases[i].text);
        CHECK_OK(moment_parse(text_of(cases[i].text), NOW, &got, &error));
        CHECK_EQ_INT(got, cases[i].want);
    }
}

TEST(refusals_name_the_text_the_place_and_what_was_expected)
{
    static const struct {
        const char *text;
        const char *want; /* part of the error's text */
    } cases[] = {
        {"", "at character 1: expected a date"},
        {"tomorrow", "at character 1: expected a date"},
        {"nowish", "at character 1"},
        {" now", "at character 1"},
        {"1676-12-31", "at character 1: expected a year 1677..2262"},
        {"2263-01-01", "at character 1: expected a year 1677..2262"},
        {"1677-09-21", "at character 1: expected a moment within 1677-09-21T00:12:43.145224193Z"},
        {"1677-09-21T00:12:43.145224192Z", "of their own"},
        {"forever", "at character 1: expected a date"},
        {"20x6-01-01", "at character 3: expected a year"},
        {"2026/01/01", "at character 5: expected '-'"},
        {"2026-13-01", "at character 6: expected a month"},
        {"2026-00-01", "at character 6: expected a month"},
        {"2026-1-01", "at character 7: expected a month"},
        {"2026-02-29", "at character 9: expected a day"},
        {"1900-02-29", "at character 9: expected a day"},
        {"2026-04-31", "at character 9: expected a day"},
        {"2026-04-00", "at character 9: expected a day"},
        {"2026-04-3", "at character 10: expected a day"},
        {"2026-01-01x", "at character 11: expected 'T'"},
        {"2026-01-01T", "at character 12: expected an hour"},
        {"2026-01-01T24:00:00Z", "at character 12: expected an hour"},
        {"2026-01-01T10", "at character 14: expected ':'"},
        {"2026-01-01T10:60:00Z", "at character 15: expected a minute"},
        {"2026-12-31T23:59:60Z", "leap second"},
        {"2026-01-01T10:00:00.Z", "at character 21: expected a digit"},
        {"2026-01-01T10:00:00.1234567891Z", "at character 30: expected at most 9 digits"},
        {"2026-01-01T10:00:00Zx", "at character 21"},
        {"2026-01-01T10:00:00+1:00", "at character 22: expected the zone's hours"},
        {"2026-01-01T10:00:00+0100", "at character 23: expected ':'"},
        {"2026-01-01T10:00:00+24:00", "at character 21: expected the zone's hours"},
        {"2026-01-01T10:00:00+01:60", "at character 24: expected the zone's minutes"},
        {"2026-01-01T10:00:00+01:00Z", "at character 26: expected the end"},
        {"2262-04-11T23:47:16.854775807Z", "of their own"},
        {"2262-04-11T23:47:16.854775808Z", "2262-04-11"},
        {"2262-12-31", "2262-04-11"},
        {"-h", "at character 2: expected a digit"},
        {"-1", "at character 3: expected a unit"},
        {"-1q", "at character 3: expected a unit"},
        {"-1hour", "at character 3: expected a unit"},
        {"-1h-1m", "at character 4: expected a digit"},
        {"-1s1s1s1s1s1s1s1s1s", "at most 8 terms"},
        {"-300y", "at character 6: expected a duration under 292 years"},
        {"-99999999999999999999s", "fits 64 bits"},
        {"+292y", "at character 1: expected a moment that fits"},
        {"@", "at character 2: expected a digit"},
        {"@x", "at character 2: expected a digit"},
        {"@1m", "at character 3: expected a unit: s ms us ns"},
        {"@1s1s", "at character 4"},
        {"@9223372036854775807ns", "of their own"},
        {"@-9223372036854775808ns", "of their own"},
        {"@9223372036854775808ns", "fits 64 bits"},
        {"@99999999999", "fits 64 bits"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct yore_error error = {YORE_OK, ""};
        int64_t got = 12345;
        int64_t now = cases[i].text[0] == '+' ? INT64_MAX - 5 : NOW;
        test_note("%s", cases[i].text);
        CHECK_STATUS(moment_parse(text_of(cases[i].text), now, &got, &error), YORE_INVALID);
        CHECK_MSG(strstr(error.text, cases[i].want) != NULL, "%s", error.text);
        CHECK_EQ_INT(got, 12345);
    }
}

TEST(a_zero_octet_is_not_an_end)
{
    int64_t got;
    CHECK_STATUS(moment_parse(bytes_of("2026-01-01\0", 11), 0, &got, NULL), YORE_INVALID);
    CHECK_STATUS(moment_parse(bytes_of("@1\0", 3), 0, &got, NULL), YORE_INVALID);
    CHECK_STATUS(moment_parse(bytes_of("-1s\0", 4), 0, &got, NULL), YORE_INVALID);
}

TEST(durations)
{
    static const struct {
        const char *text;
        int64_t want; /* 0: refused */
    } cases[] = {
        {"90s", 90 * SECOND},
        {"1h30m", 5400 * SECOND},
        {"30d", 30 * 86400 * SECOND},
        {"250ms", 250000000},
        {"1ns", 1},
        {"292y", INT64_C(292) * 365 * 86400 * SECOND},
        {"", 0},
        {"0s", 0},
        {"0s0h", 0},
        {"-1s", 0},
        {"+1s", 0},
        {"5", 0},
        {"s", 0},
        {"1.5h", 0},
        {"293y", 0},
        {"292y292y", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t got = 0;
        struct yore_error error;
        test_note("%s", cases[i].text);
        enum yore_status want = cases[i].want == 0 ? YORE_INVALID : YORE_OK;
        CHECK_STATUS(duration_parse(text_of(cases[i].text), &got, &error), want);
        CHECK_EQ_INT(got, cases[i].want);
    }
}

TEST(formatted_as_rfc_3339)
{
    static const struct {
        int64_t moment;
        const char *want;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1795255200 * SECOND, "2026-11-21T10:00:00Z"},
        {1795255200 * SECOND + 250000000, "2026-11-21T10:00:00.250Z"},
        {1795255200 * SECOND + 1000, "2026-11-21T10:00:00.000001Z"},
        {1795255200 * SECOND + 1, "2026-11-21T10:00:00.000000001Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {-86400 * SECOND, "1969-12-31T00:00:00Z"},
        {951782400 * SECOND, "2000-02-29T00:00:00Z"},
        {INT64_MAX - 1, "2262-04-11T23:47:16.854775806Z"},
        {YORE_TIME_MIN + 1, "1677-09-21T00:12:43.145224194Z"},
        {YORE_FOREVER, "forever"},
        {YORE_TIME_MIN, "-"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[MOMENT_TEXT_BYTES];
        CHECK_EQ_STR(moment_format(cases[i].moment, text), cases[i].want);
    }
}

static void check_there_and_back(int64_t moment)
{
    char text[MOMENT_TEXT_BYTES];
    int64_t back = 12345;
    moment_format(moment, text);
    test_note("%s", text);
    if (moment == YORE_FOREVER) { /* an end; as a moment it would be now */
        CHECK_OK(moment_parse_end(text_of(text), 0, &back, NULL));
    } else {
        CHECK_OK(moment_parse(text_of(text), 0, &back, NULL));
    }
    CHECK_EQ_INT(back, moment);
}

TEST(what_is_formatted_parses_back)
{
    struct test_rand rand = test_rand_new(0);
    for (int i = 0; i < 50000; i++) {
        int64_t moment = (int64_t)test_rand_u64(&rand);
        if (moment == INT64_MIN) {
            continue; /* no moment */
        }
        if (test_rand_one_in(&rand, 2)) {
            moment -= moment % 1000000;
        }
        check_there_and_back(moment);
    }
    for (int64_t i = 0; i < 3000;
         i++) { /* the edges, and about the begin of the first whole year */
        check_there_and_back(INT64_MAX - i);
        check_there_and_back(YORE_TIME_MIN + i);
        check_there_and_back(YORE_TIME_MIN + i * SECOND);
        check_there_and_back(YORE_TIME_MIN + i * 3600 * SECOND);
        check_there_and_back(-9214560000 * SECOND + (i - 1500));
    }
}

TEST(days_follow_one_another_through_all_years)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t moment = -9214560000 * SECOND;
    for (int year = 1678; year < 2262; year++) {
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int count = days[month - 1] + (month == 2 && is_leap ? 1 : 0);
            for (int day = 1; day <= count; day++) {
                char text[MOMENT_TEXT_BYTES];
                moment_format(moment, text);
                int got = (text[5] - '0') * 1000 + (text[6] - '0') * 100 + (text[8] - '0') * 10 +
                          text[9] - '0';
                CHECK_EQ_INT(got, month * 100 + day);
                moment += 86400 * SECOND;
            }
        }
    }
    char text[MOMENT_TEXT_BYTES];
    CHECK_EQ_STR(moment_format(moment, text), "2262-01-01T00:00:00Z");
}

TEST(random_text_never_breaks_the_parser)
{
    static const char letters[] = "0123456789-+:.TZtz @nowhdsmuy";
    struct test_rand rand = test_rand_new(0);
    for (int i = 0; i < 100000; i++) {
        char text[40];
        size_t size = test_rand_below(&rand, sizeof(text));
        for (size_t j = 0; j < size; j++) {
            text[j] = letters[test_rand_below(&rand, sizeof(letters) - 1)];
        }
        struct yore_error error;
        int64_t got;
        enum yore_status st = moment_parse(bytes_of(text, size), NOW, &got, &error);
        CHECK(st == YORE_OK || (st == YORE_INVALID && error.text[0] != '\0'));
    }
}

TEST_MAIN(moments_as_people_write_them, refusals_name_the_text_the_place_and_what_was_expected,
          a_zero_octet_is_not_an_end, durations, formatted_as_rfc_3339,
          what_is_formatted_parses_back, days_follow_one_another_through_all_years,
          random_text_never_breaks_the_parser)
