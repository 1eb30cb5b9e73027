/* Durations: text, parts, sums, shares, order. */
#include <string.h>

#include "query/duration.h"
#include "support/test.h"

static struct yore_graph_duration read_ok(const char *text)
{
    struct yore_graph_duration duration = {0};
    CHECK_MSG(duration_read(bytes_of(text, strlen(text)), &duration), "%s", text);
    return duration;
}

static void check_text(const struct yore_graph_duration *duration, const char *want)
{
    char text[DURATION_TEXT_BYTES];
    size_t size = duration_write(duration, text);
    CHECK_EQ_UINT(size, strlen(text));
    CHECK_EQ_STR(text, want);
}

TEST(text_is_read_and_written)
{
    static const char *const cases[][2] = {
        {"P14DT16H12M", "P14DT16H12M"},
        {"P5M1.5D", "P5M1DT12H"},
        {"P0.75M", "P22DT19H51M49.5S"},
        {"PT0.75M", "PT45S"},
        {"P2.5W", "P17DT12H"},
        {"P12Y5M14DT16H12M70S", "P12Y5M14DT16H13M10S"},
        {"P2012-02-02T14:37:21.545", "P2012Y2M2DT14H37M21.545S"},
        {"P2012-02-02", "P2012Y2M2D"},
        {"PT0S", "PT0S"},
        {"P0D", "PT0S"},
        {"PT-0.4S", "PT-0.4S"},
        {"PT-1.6S", "PT-1.6S"},
        {"-P1DT1S", "P-1DT-1S"},
        {"P1Y-1M", "P11M"},
        {"PT1H-61M", "PT-1M"},
        {"PT0.000000001S", "PT0.000000001S"},
        {"PT36H", "PT36H"},
        {"P14M", "P1Y2M"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct yore_graph_duration duration = read_ok(cases[i][0]);
        check_text(&duration, cases[i][1]);
        struct yore_graph_duration again = read_ok(cases[i][1]);
        CHECK_EQ_INT(duration_order(&duration, &again), 0);
    }
}

TEST(what_is_no_duration_is_refused)
{
    static const char *const cases[] = {"",
                                        "P",
                                        "1D",
                                        "PT",
                                        "P1",
                                        "P1H",
                                        "PT1D",
                                        "P1D1M",
                                        "P1DT",
                                        "P1DT1",
                                        "PxD",
                                        "P1D ",
                                        "P2012-2-2",
                                        "PT1S1S",
                                        "P1Y1Y",
                                        "P99999999999999999999D",
                                        "P9223372036854775807Y"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct yore_graph_duration duration;
        CHECK_MSG(!duration_read(bytes_of(cases[i], strlen(cases[i])), &duration), "%s", cases[i]);
    }
}

TEST(negative_durations_have_nanoseconds_that_add)
{
    struct yore_graph_duration duration = read_ok("PT-86399.9S");
    CHECK_EQ_INT(duration.seconds, -86400);
    CHECK_EQ_INT(duration.nanoseconds, 100000000);
    check_text(&duration, "PT-23H-59M-59.9S");
}

TEST(sums_and_differences)
{
    struct yore_graph_duration a = read_ok("P12Y5M14DT16H13M10.000000001S");
    struct yore_graph_duration b = read_ok("P1M-14DT15H49M10S");
    struct yore_graph_duration sum;
    CHECK(duration_add(&a, &b, &sum));
    check_text(&sum, "P12Y6MT32H2M20.000000001S");
    struct yore_graph_duration negated;
    CHECK(duration_negate(&a, &negated));
    check_text(&negated, "P-12Y-5M-14DT-16H-13M-10.000000001S");
    CHECK(duration_add(&a, &negated, &sum));
    check_text(&sum, "PT0S");
}

TEST(shares_flow_down)
{
    static const struct {
        const char *text;
        double factor;
        bool divides;
        const char *want;
    } cases[] = {
        {"P12Y5M14DT16H13M10.000000001S", 2, false, "P24Y10M28DT32H26M20.000000002S"},
        {"P12Y5M14DT16H13M10.000000001S", 2, true, "P6Y2M22DT13H21M8S"},
        {"P12Y5M14DT16H13M10.000000001S", 0.5, false, "P6Y2M22DT13H21M8S"},
        {"P12Y5M14DT16H13M10.000000001S", 0.5, true, "P24Y10M28DT32H26M20.000000002S"},
        {"P1D", 0.7, false, "PT16H48M"},
        {"PT1S", 3, true, "PT0.333333333S"},
        {"P10D", -1, false, "P-10D"},
    };
    if (!test_has_long_double()) {
        SKIP("long double is no longer than double here");
    }
    struct yore_graph_duration share = read_ok("P0.7D");
    check_text(&share, "PT16H48M");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct yore_graph_duration duration = read_ok(cases[i].text);
        struct yore_graph_duration scaled;
        struct decimal factor;
        CHECK(decimal_of_float(cases[i].factor, &factor));
        CHECK(duration_scale(&duration, factor, cases[i].divides, &scaled));
        check_text(&scaled, cases[i].want);
    }
    struct yore_graph_duration duration = read_ok("P1D");
    CHECK(!duration_scale(&duration, decimal_of_int(0), true, &duration));
    CHECK(!duration_scale(&duration, decimal_of_int(INT64_MAX), false, &duration));
}

TEST(order_is_that_of_lengths)
{
    static const char *const ascending[] = {"P-1Y",  "P-1D", "PT-0.5S", "PT0S", "PT0.1S", "PT23H",
                                            "PT24H", "P1D",  "P30D",    "P1M",  "P31D",   "P1Y"};
    size_t count = sizeof(ascending) / sizeof(ascending[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            struct yore_graph_duration a = read_ok(ascending[i]);
            struct yore_graph_duration b = read_ok(ascending[j]);
            int order = duration_order(&a, &b);
            CHECK_MSG((order > 0) - (order < 0) == (i > j) - (i < j), "%s and %s", ascending[i],
                      ascending[j]);
        }
    }
}

TEST(bounds_are_told)
{
    struct yore_graph_duration duration;
    CHECK(!duration_make(INT64_MAX, 0, 0, 0, &duration));
    CHECK(!duration_make(0, INT64_MAX, 0, 0, &duration));
    CHECK(duration_make(0, 0, INT64_MAX, 0, &duration));
    CHECK(!duration_make(0, 0, INT64_MAX, 1000000000, &duration));
    CHECK(duration_make(0, 0, INT64_MIN, 0, &duration));
    CHECK(!duration_negate(&duration, &duration));
    CHECK(duration_make(0, 0, 0, INT64_MIN, &duration));
    CHECK_EQ_INT(duration.seconds, -9223372037);
    CHECK_EQ_INT(duration.nanoseconds, 145224192);
}

TEST_MAIN(text_is_read_and_written, what_is_no_duration_is_refused,
          negative_durations_have_nanoseconds_that_add, sums_and_differences, shares_flow_down,
          order_is_that_of_lengths, bounds_are_told)
