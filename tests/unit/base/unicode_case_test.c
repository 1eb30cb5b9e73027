/* Simple case mappings. */
#include "base/unicode_case.h"
#include "support/test.h"

TEST(characters_are_mapped_one_for_one)
{
    static const struct {
        uint32_t lower;
        uint32_t upper;
    } pairs[] = {{'a', 'A'},       {'z', 'Z'},       {0xe4, 0xc4},       {0xff, 0x178},
                 {0x101, 0x100},   {0x3b1, 0x391},   {0x44f, 0x42f},     {0x1c6, 0x1c4},
                 {0x10d0, 0x1c90}, {0x2d00, 0x10a0}, {0x1e922, 0x1e900}, {0x10428, 0x10400}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        test_note("U+%04X", (unsigned)pairs[i].lower);
        CHECK_EQ_UINT(unicode_upper(pairs[i].lower), pairs[i].upper);
        CHECK_EQ_UINT(unicode_lower(pairs[i].upper), pairs[i].lower);
    }
}

TEST(what_has_no_case_stays)
{
    static const uint32_t points[] = {0, '0', '@', '[', '{', 0xd7, 0xdf, 0x4e00, 0x1f600, 0x10ffff};
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        CHECK_EQ_UINT(unicode_upper(points[i]), points[i]);
    }
    CHECK_EQ_UINT(unicode_lower(0x10ffff), 0x10ffff);
    CHECK_EQ_UINT(unicode_lower(0x102), 0x103); /* every other one of a range */
    CHECK_EQ_UINT(unicode_lower(0x103), 0x103);
}

/* Upper of upper is upper, for every scalar value: no mapping leads on to another. */
TEST(mappings_are_settled_after_one_step)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        uint32_t upper = unicode_upper(point);
        uint32_t lower = unicode_lower(point);
        if (upper > 0x10ffff || unicode_upper(upper) != upper || lower > 0x10ffff ||
            unicode_lower(lower) != lower) {
            FAIL("U+%04X", (unsigned)point);
        }
    }
}

TEST_MAIN(characters_are_mapped_one_for_one, what_has_no_case_stays,
          mappings_are_settled_after_one_step)
