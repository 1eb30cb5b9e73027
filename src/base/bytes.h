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

/* memcmp order, shorter first among equals: the order of keys everywhere. */
static inline int bytes_compare(struct yore_bytes a, struct yore_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

static inline bool bytes_equal(struct yore_bytes a, struct yore_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool bytes_starts_with(struct yore_bytes whole, struct yore_bytes prefix)
{
    return whole.size >= prefix.size &&
           (prefix.size == 0 || memcmp(whole.data, prefix.data, prefix.size) == 0);
}

#endif
