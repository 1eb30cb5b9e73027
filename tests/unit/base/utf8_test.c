/* UTF-8: what is text, and its characters. */
#include <string.h>

#include "base/utf8.h"
#include "support/test.h"

TEST(utf8_is_told_from_octets)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xc2\x80"};
    static const char *const bad[] = {
        "\x80",     "\xc3",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "a\xff",    "\xe2\x28\xa1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK_MSG(utf8_is_valid(bytes_of(good[i], strlen(good[i]))), "good %zu", i);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_MSG(!utf8_is_valid(bytes_of(bad[i], strlen(bad[i]))), "bad %zu", i);
    }
}

TEST(every_scalar_value_is_encoded_as_itself)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        unsigned char octets[4];
        if (point >= 0xd800 && point <= 0xdfff) {
            continue;
        }
        size_t size = utf8_encode(octets, point);
        if (utf8_size(octets, octets + size) != size) {
            FAIL("U+%04X", point);
        }
        CHECK_EQ_UINT(utf8_decode(octets, size), point);
    }
}

TEST(characters_are_counted_not_octets)
{
    CHECK_EQ_UINT(utf8_count(bytes_of("", 0)), 0);
    CHECK_EQ_UINT(utf8_count(bytes_of("a\xc3\xa9\xf0\x9f\x98\x80", 7)), 3);
}

TEST_MAIN(utf8_is_told_from_octets, every_scalar_value_is_encoded_as_itself,
          characters_are_counted_not_octets)
