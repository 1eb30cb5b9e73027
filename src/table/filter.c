#include "table/filter.h"

#include "base/coding.h"

#define WORDS 8

static const uint32_t salts[WORDS] = {0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
                                      0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u};

size_t filter_bytes(uint64_t key_count)
{
    uint64_t bits = key_count * FILTER_BITS_PER_KEY;
    return (size_t)((bits + FILTER_LINE_BYTES * 8 - 1) / (FILTER_LINE_BYTES * 8)) *
           FILTER_LINE_BYTES;
}

static size_t line_at(size_t bytes, uint64_t hash)
{
    uint64_t lines = bytes / FILTER_LINE_BYTES;
    return (size_t)((hash >> 32) * lines >> 32) * FILTER_LINE_BYTES;
}

static unsigned bit_of(uint64_t hash, unsigned word)
{
    return ((uint32_t)hash * salts[word]) >> 26;
}

void filter_prefetch(const unsigned char *lines, size_t bytes, uint64_t hash)
{
    __builtin_prefetch(lines + line_at(bytes, hash), 1);
}

void filter_add(unsigned char *lines, size_t bytes, uint64_t hash)
{
    unsigned char *line = lines + line_at(bytes, hash);
    for (unsigned i = 0; i < WORDS; i++) {
        put_u64(line + 8 * i, get_u64(line + 8 * i) | (uint64_t)1 << bit_of(hash, i));
    }
}

bool filter_may_hold(const unsigned char *lines, size_t bytes, uint64_t hash)
{
    if (bytes == 0) {
        return false;
    }
    const unsigned char *line = lines + line_at(bytes, hash);
    uint64_t all = 1;
    for (unsigned i = 0; i < WORDS; i++) {
        all &= get_u64(line + 8 * i) >> bit_of(hash, i);
    }
    return (all & 1) != 0;
}
