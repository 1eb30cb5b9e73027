/* Counts, sizes and spans as text. */
#include "cli/output.h"
#include "cli/progress.h"
#include "support/test.h"

TEST(numbers_for_the_eye)
{
    char text[COUNT_TEXT_BYTES];
    CHECK_EQ_STR(count_format(0, text), "0");
    CHECK_EQ_STR(count_format(999, text), "999");
    CHECK_EQ_STR(count_format(1000, text), "1,000");
    CHECK_EQ_STR(count_format(UINT64_MAX, text), "18,446,744,073,709,551,615");
    CHECK_EQ_STR(size_format(0, text), "0 B");
    CHECK_EQ_STR(size_format(999, text), "999 B");
    CHECK_EQ_STR(size_format(1620000, text), "1.62 MB");
    CHECK_EQ_STR(size_format(33000000, text), "33.0 MB");
    CHECK_EQ_STR(size_format(999999, text), "1.00 MB");
    CHECK_EQ_STR(span_format(7.4, text), "0:07");
    CHECK_EQ_STR(span_format(3753, text), "1:02:33");
}

TEST_MAIN(numbers_for_the_eye)
