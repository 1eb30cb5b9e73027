/* histogram.h -- counts of a positive quantity in log-linear buckets (relative error <= 1/16),
 * lock-free. */
#ifndef YORE_BASE_HISTOGRAM_H
#define YORE_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 976

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
    _Atomic uint64_t count;
    _Atomic uint64_t sum;
    _Atomic uint64_t max;
};

/* Any thread; relaxed: a reader may see a value in one field a moment before another. */
void histogram_add(struct histogram *h, uint64_t value);
/* Smallest value with at least `fraction` (0..1) of the counts at or below it; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double fraction);

#endif
