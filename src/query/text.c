#include "query/text.h"

#include <string.h>

#include "base/utf8.h"

/* ---- searching: Crochemore and Perrin, "Two-way string matching", 1991 ----
 *
 * The part is cut where its local period is greatest; its right half is compared forward, then the
 * left one backward.  A mismatch moves on by what was compared, or by the period: at most twice the
 * text is read, and nothing is kept. */

/* The begin of the maximal suffix under < (or >), and its period. */
static size_t maximal_suffix(const unsigned char *x, size_t size, bool is_reversed,
                             size_t *period_out)
{
    size_t begin = 0; /* of the suffix */
    size_t candidate = 1;
    size_t k = 0;
    size_t period = 1;
    while (candidate + k < size) {
        unsigned char a = x[candidate + k];
        unsigned char b = x[begin + k];
        if (a == b) {
            k++;
            if (k == period) {
                candidate += period;
                k = 0;
            }
        } else if (is_reversed ? a > b : a < b) {
            candidate += k + 1;
            k = 0;
            period = candidate - begin;
        } else {
            begin = candidate;
            candidate = begin + 1;
            k = 0;
            period = 1;
        }
    }
    *period_out = period;
    return begin;
}

struct cut {
    size_t at;
    size_t period;
    bool is_periodic; /* the left half comes again one period on: remember what was matched */
};

static struct cut cut_of(const unsigned char *part, size_t size)
{
    size_t period = 1;
    size_t other_period = 1;
    size_t at = maximal_suffix(part, size, false, &period);
    size_t other = maximal_suffix(part, size, true, &other_period);
    if (other > at) {
        at = other;
        period = other_period;
    }
    struct cut cut = {at, period, at + period <= size && memcmp(part, part + period, at) == 0};
    if (!cut.is_periodic) {
        cut.period = (at > size - at ? at : size - at) + 1;
    }
    return cut;
}

static size_t find_two_way(const unsigned char *text, size_t text_size, const unsigned char *part,
                           size_t size)
{
    struct cut cut = cut_of(part, size);
    size_t known = 0; /* octets at the begin of the part that match already */
    for (size_t at = 0; at + size <= text_size;) {
        size_t i = cut.at > known ? cut.at : known;
        while (i < size && part[i] == text[at + i]) {
            i++;
        }
        if (i < size) {
            at += i - cut.at + 1;
            known = 0;
            continue;
        }
        i = cut.at;
        while (i > known && part[i - 1] == text[at + i - 1]) {
            i--;
        }
        if (i <= known) {
            return at;
        }
        at += cut.period;
        known = cut.is_periodic ? size - cut.period : 0;
    }
    return TEXT_NONE;
}

size_t text_find(struct yore_bytes text, struct yore_bytes part, size_t from)
{
    if (part.size == 0) {
        return from;
    }
    struct yore_bytes rest = bytes_behind(text, from);
    if (part.size > rest.size) {
        return TEXT_NONE;
    }
    const unsigned char *data = rest.data;
    const unsigned char *wanted = part.data;
    const unsigned char *first = memchr(data, wanted[0], rest.size - part.size + 1);
    if (first == NULL) {
        return TEXT_NONE;
    }
    size_t skip = (size_t)(first - data);
    size_t found = part.size == 1 ? 0 : find_two_way(first, rest.size - skip, wanted, part.size);
    return found == TEXT_NONE ? TEXT_NONE : from + skip + found;
}

/* ---- characters ---- */

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t text_prefix(struct yore_bytes text, uint64_t count)
{
    const unsigned char *data = text.data;
    size_t at = 0;
    for (; at < text.size && count > 0; count--) {
        at++;
        while (at < text.size && is_continuation(data[at])) {
            at++;
        }
    }
    return at;
}

size_t text_suffix(struct yore_bytes text, uint64_t count)
{
    const unsigned char *data = text.data;
    size_t at = text.size;
    for (; at > 0 && count > 0; count--) {
        at--;
        while (at > 0 && is_continuation(data[at])) {
            at--;
        }
    }
    return text.size - at;
}

/* White_Space of Unicode, and the separators that U+001C..U+001F are. */
static bool is_space(uint32_t point)
{
    return (point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x20) || point == 0x85 ||
           point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) ||
           point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f ||
           point == 0x3000;
}

struct yore_bytes text_trim(struct yore_bytes text, bool at_begin, bool at_end)
{
    while (at_begin && text.size > 0) {
        size_t size = text_prefix(text, 1);
        if (!is_space(utf8_decode(text.data, size))) {
            break;
        }
        text = bytes_behind(text, size);
    }
    while (at_end && text.size > 0) {
        size_t size = text_suffix(text, 1);
        const unsigned char *last = (const unsigned char *)text.data + (text.size - size);
        if (!is_space(utf8_decode(last, size))) {
            break;
        }
        text.size -= size;
    }
    return text;
}
