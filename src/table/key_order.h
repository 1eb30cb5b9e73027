/* key_order.h -- keys by their first octets: what pages and index search by.
 *
 * Keys that begin alike are told apart by the eight octets behind what they share, read as one
 * big-endian number: their *head*.  Unequal heads order the keys; equal ones say nothing.  */
#ifndef YORE_TABLE_KEY_ORDER_H
#define YORE_TABLE_KEY_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* The head of what stands at `at`; zeros behind its end. */
static inline uint64_t key_head(const unsigned char *at, size_t size)
{
    uint64_t head = 0;
    if (size >= 8) {
        memcpy(&head, at, 8);
    } else {
        memcpy(&head, at, size);
    }
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    head = __builtin_bswap64(head);
#endif
    return head;
}

/* Octets that both keys begin with. */
static inline size_t key_shared(struct yore_bytes a, struct yore_bytes b)
{
    const unsigned char *x = a.data;
    const unsigned char *y = b.data;
    size_t limit = a.size < b.size ? a.size : b.size;
    size_t i = 0;
    while (i + 8 <= limit && memcmp(x + i, y + i, 8) == 0) { /* one comparison of words */
        i += 8;
    }
    while (i < limit && x[i] == y[i]) {
        i++;
    }
    return i;
}

/* First index in [0, count) with heads[index] >= head, or count.  No branch depends on the data. */
static inline uint32_t key_lower_head(const uint64_t *heads, uint32_t count, uint64_t head)
{
    const uint64_t *base = heads;
    uint32_t left = count;
    while (left > 0) {
        uint32_t half = (left + 1) / 2;
        base = base[half - 1] < head ? base + half : base;
        left -= half;
    }
    return (uint32_t)(base - heads);
}

#endif
