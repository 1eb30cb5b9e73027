/* checked.h -- arithmetic on numbers that came from outside: false means it does not fit. */
#ifndef YORE_BASE_CHECKED_H
#define YORE_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checked_add_size(size_t a, size_t b, size_t *sum_out)
{
    return !__builtin_add_overflow(a, b, sum_out);
}
static inline bool checked_mul_size(size_t a, size_t b, size_t *product_out)
{
    return !__builtin_mul_overflow(a, b, product_out);
}
static inline bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *sum_out)
{
    return !__builtin_add_overflow(a, b, sum_out);
}
static inline bool checked_add_i64(int64_t a, int64_t b, int64_t *sum_out)
{
    return !__builtin_add_overflow(a, b, sum_out);
}
static inline bool checked_sub_i64(int64_t a, int64_t b, int64_t *difference_out)
{
    return !__builtin_sub_overflow(a, b, difference_out);
}
static inline bool checked_mul_i64(int64_t a, int64_t b, int64_t *product_out)
{
    return !__builtin_mul_overflow(a, b, product_out);
}

#endif
