/* Numbers as text, both ways. */
#include <math.h>
#include <string.h>

#include "query/number.h"
#include "support/test.h"

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

TEST(floats_are_written_as_short_as_they_read_back)
{
    static const struct {
        double real;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {100, "100.0"},
        {123456789012345, "123456789012345.0"},
        {1e15, "1000000000000000.0"},
        {1e16, "1.0e16"},
        {1.5e300, "1.5e300"},
        {0.00001, "0.00001"},
        {0.000001, "1.0e-6"},
        {5e-324, "5.0e-324"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {9007199254740993.0, "9007199254740992.0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[FLOAT_TEXT_BYTES];
        CHECK_EQ_UINT(float_write(cases[i].real, text), strlen(cases[i].text));
        CHECK_EQ_STR(text, cases[i].text);
    }
    char text[FLOAT_TEXT_BYTES];
    (void)float_write((double)NAN, text);
    CHECK_EQ_STR(text, "NaN");
    (void)float_write(-(double)INFINITY, text);
    CHECK_EQ_STR(text, "-Infinity");
}

TEST(any_float_reads_back)
{
    struct test_rand rand = test_rand_new(0);
    for (uint64_t i = 0; i < test_scale(20000, 2000000); i++) {
        uint64_t bits = test_rand_u64(&rand);
        double real;
        double back = 0;
        memcpy(&real, &bits, sizeof(real));
        if (isnan(real)) {
            continue;
        }
        char text[FLOAT_TEXT_BYTES];
        size_t size = float_write(real, text);
        CHECK_MSG(float_read(bytes_of(text, size), &back) && back == real, "%s", text);
    }
}

TEST(floats_are_read_strictly)
{
    static const struct {
        const char *text;
        double real;
    } good[] = {{"1", 1},
                {"1.5", 1.5},
                {".5", 0.5},
                {"5.", 5},
                {"-2e3", -2000},
                {"+1E-2", 0.01},
                {"1e400", (double)INFINITY},
                {"-Infinity", -(double)INFINITY}};
    static const char *const bad[] = {"",   "-",     "e5",  "1e",  "1e+", "0x10", "1 ",
                                      " 1", "1.2.3", "inf", "nan", "1f",  "."};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        double real = 0;
        CHECK_MSG(float_read(text_of(good[i].text), &real) && real == good[i].real, "%s",
                  good[i].text);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double real = 0;
        CHECK_MSG(!float_read(text_of(bad[i]), &real), "%s", bad[i]);
    }
}

TEST(integers_are_read_to_their_bounds)
{
    int64_t integer = 0;
    CHECK(integer_read(text_of("-9223372036854775808"), &integer));
    CHECK_EQ_INT(integer, INT64_MIN);
    CHECK(integer_read(text_of("+9223372036854775807"), &integer));
    CHECK_EQ_INT(integer, INT64_MAX);
    static const char *const bad[] = {"", "-", "9223372036854775808", "1.0", "1 ", "0x1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_MSG(!integer_read(text_of(bad[i]), &integer), "%s", bad[i]);
    }
}

TEST(decimals_keep_what_is_written)
{
    struct decimal decimal;
    size_t used = 0;
    CHECK(decimal_read(text_of("-12.75M"), &decimal, &used));
    CHECK_EQ_INT(decimal.whole, -12);
    CHECK(decimal.fraction == -0.75L);
    CHECK_EQ_UINT(used, 6);
    CHECK(decimal_of_float(0.7, &decimal));
    CHECK_EQ_INT(decimal.whole, 0);
    CHECK(fabsl(decimal.fraction - 0.7L) < 1e-18L); /* nearer than the float itself */
    CHECK(!decimal_of_float((double)NAN, &decimal));
    CHECK(!decimal_of_float(1e19, &decimal));
    CHECK(!decimal_read(text_of("99999999999999999999"), &decimal, &used));
}

TEST_MAIN(floats_are_written_as_short_as_they_read_back, any_float_reads_back,
          floats_are_read_strictly, integers_are_read_to_their_bounds,
          decimals_keep_what_is_written)
