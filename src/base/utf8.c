#include "base/utf8.h"

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The second octet's range depends on the first: that is what keeps out overlong forms and
 * surrogates (Unicode 15, table 3-7). */
static bool is_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return is_continuation(second);
    }
}

size_t utf8_size(const unsigned char *at, const unsigned char *end)
{
    if (at >= end) {
        return 0;
    }
    unsigned char first = *at;
    size_t size = 0;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        size = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        size = 3;
    } else if (first >= 0xf0 && first <= 0xf4) {
        size = 4;
    }
    if (size == 0 || (size_t)(end - at) < size || !is_second(first, at[1])) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (!is_continuation(at[i])) {
            return 0;
        }
    }
    return size;
}

bool utf8_is_valid(struct yore_bytes text)
{
    const unsigned char *at = text.data;
    const unsigned char *end = text.size > 0 ? at + text.size : at;
    while (at < end) {
        size_t size = utf8_size(at, end);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

size_t utf8_encode(unsigned char to[4], uint32_t point)
{
    if (point < 0x80) {
        to[0] = (unsigned char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (unsigned char)(0xc0 | point >> 6);
        to[1] = (unsigned char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (unsigned char)(0xe0 | point >> 12);
        to[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
        to[2] = (unsigned char)(0x80 | (point & 0x3f));
        return 3;
    }
    to[0] = (unsigned char)(0xf0 | point >> 18);
    to[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
    to[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
    to[3] = (unsigned char)(0x80 | (point & 0x3f));
    return 4;
}

uint32_t utf8_decode(const unsigned char *at, size_t size)
{
    switch (size) {
    case 1:
        return at[0];
    case 2:
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    case 3:
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    default:
        return (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3f) << 12 |
               (uint32_t)(at[2] & 0x3f) << 6 | (at[3] & 0x3f);
    }
}

size_t utf8_count(struct yore_bytes text)
{
    const unsigned char *at = text.data;
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += !is_continuation(at[i]);
    }
    return count;
}
