#include "base/unicode_case.h"

#include <stddef.h>

#include "base/unicode_case_table.h"

static uint32_t mapped(const struct case_range *ranges, size_t count, uint32_t point)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct case_range *range = &ranges[middle];
        if (point < range->first) {
            high = middle;
        } else if (point > range->last) {
            low = middle + 1;
        } else {
            return (int32_t)(point - range->first) % range->step == 0
                       ? (uint32_t)((int32_t)point + range->delta)
                       : point;
        }
    }
    return point;
}

uint32_t unicode_upper(uint32_t point)
{
    if (point < 0x80) {
        return point >= 'a' && point <= 'z' ? point - 32 : point;
    }
    return mapped(case_upper, sizeof(case_upper) / sizeof(case_upper[0]), point);
}

uint32_t unicode_lower(uint32_t point)
{
    if (point < 0x80) {
        return point >= 'A' && point <= 'Z' ? point + 32 : point;
    }
    return mapped(case_lower, sizeof(case_lower) / sizeof(case_lower[0]), point);
}
