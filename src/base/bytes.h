/* bytes.h -- a borrowed run of octets, and how runs compare.  No I/O, any thread. */
#ifndef YORE_BASE_BYTES_H
#define YORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <yore/yore.h>

/* Internally and publicly the same struct: nothing to convert at the door. */
static inline struct yore_bytes bytes_of(const void *data, size_t size)
{
    return (struct yore_bytes){data, size};
}

/* Eight octets as they compare: the first is the most significant. */
static inline uint64_t bytes_word(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The first four octets, then the last four, as they compare; of four to eight. */
static inline uint64_t bytes_short_word(const unsigned char *at, size_t size)
{
    uint32_t halves[2];
    memcpy(&halves[0], at, sizeof(halves[0]));
    memcpy(&halves[1], at + size - 4, sizeof(halves[1]));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    halves[0] = __builtin_bswap32(halves[0]);
    halves[1] = __builtin_bswap32(halves[1]);
#endif
    return (uint64_t)halves[0] << 32 | halves[1];
}

#define BYTES_WORDS_MAX 32 /* compared by words up to here: a call costs more than the work */

/* memcmp order, shorter first among equals: the order of keys everywhere. */
static inline int bytes_compare(struct yore_bytes a, struct yore_bytes b)
{
    const unsigned char *x = (const unsigned char *)a.data;
    const unsigned char *y = (const unsigned char *)b.data;
    size_t common = a.size < b.size ? a.size : b.size;
    int order = 0;
    if (common >= 8 && common <= BYTES_WORDS_MAX) {
        for (size_t i = 0; i < common; i += 8) {
            size_t at = i + 8 <= common ? i : common - 8; /* the last may overlap the one before */
            uint64_t word_x = bytes_word(x + at);
            uint64_t word_y = bytes_word(y + at);
            if (word_x != word_y) {
                return word_x < word_y ? -1 : 1;
            }
        }
    } else if (common >= 4 && common < 8) {
        uint64_t word_x = bytes_short_word(x, common);
        uint64_t word_y = bytes_short_word(y, common);
        order = word_x < word_y ? -1 : word_x > word_y;
    } else if (common > 0) {
        order = memcmp(x, y, common);
    }
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

static inline bool bytes_equal(struct yore_bytes a, struct yore_bytes b)
{
    return a.size == b.size && bytes_compare(a, b) == 0;
}

/* Are they the octets of `word`? */
static inline bool bytes_are(struct yore_bytes bytes, const char *word)
{
    return bytes_equal(bytes, bytes_of(word, strlen(word)));
}

/* What is left behind the first `skip` octets; `skip` is at most its size.  Nothing is added to the
 * NULL of an empty run. */
static inline struct yore_bytes bytes_behind(struct yore_bytes whole, size_t skip)
{
    return skip == 0 ? whole
                     : bytes_of((const unsigned char *)whole.data + skip, whole.size - skip);
}

static inline bool bytes_starts_with(struct yore_bytes whole, struct yore_bytes prefix)
{
    return whole.size >= prefix.size &&
           (prefix.size == 0 || memcmp(whole.data, prefix.data, prefix.size) == 0);
}

#endif
