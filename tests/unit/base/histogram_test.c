/* Histogram: quantiles against the sorted values, adding from threads' point of view. */
#include "base/histogram.h"

#include <stdlib.h>

#include "support/test.h"

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

TEST(an_empty_histogram_answers_zero)
{
    static struct histogram h;
    CHECK_EQ_UINT(histogram_quantile(&h, 0.5), 0);
}

TEST(small_values_are_exact)
{
    static struct histogram h;
    for (uint64_t v = 0; v < 32; v++) {
        histogram_add(&h, v);
    }
    CHECK_EQ_UINT(histogram_quantile(&h, 0), 0);
    CHECK_EQ_UINT(histogram_quantile(&h, 0.5), 15);
    CHECK_EQ_UINT(histogram_quantile(&h, 1), 31);
    CHECK_EQ_UINT(h.count, 32);
    CHECK_EQ_UINT(h.sum, 496);
}

TEST(quantiles_are_within_a_sixteenth_above_the_exact_ones)
{
    static struct histogram h;
    static uint64_t values[20000];
    static const double fractions[] = {0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
    struct test_rand rand = test_rand_new(0);
    for (size_t i = 0; i < 20000; i++) {
        values[i] = test_rand_u64(&rand) >> test_rand_below(&rand, 64);
        histogram_add(&h, values[i]);
    }
    qsort(values, 20000, sizeof(values[0]), by_value);
    for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
        size_t rank = (size_t)(fractions[i] * 20000);
        uint64_t exact = values[rank > 0 ? rank - 1 : 0];
        uint64_t got = histogram_quantile(&h, fractions[i]);
        CHECK_MSG(got >= exact && got - exact <= exact / 16, "fraction %g", fractions[i]);
    }
    CHECK_EQ_UINT(histogram_quantile(&h, 1), values[19999]);
}

TEST(the_extremes_have_buckets)
{
    static struct histogram h;
    histogram_add(&h, UINT64_MAX);
    CHECK_EQ_UINT(histogram_quantile(&h, 0.5), UINT64_MAX);
    CHECK_EQ_UINT(h.buckets[HISTOGRAM_BUCKETS - 1], 1);
    for (unsigned bit = 0; bit < 64; bit++) {
        static struct histogram one;
        struct histogram *fresh = &one;
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
            fresh->buckets[i] = 0;
        }
        fresh->max = 0;
        histogram_add(fresh, UINT64_C(1) << bit);
        CHECK_EQ_UINT(histogram_quantile(fresh, 1), UINT64_C(1) << bit);
    }
}

TEST_MAIN(an_empty_histogram_answers_zero, small_values_are_exact,
          quantiles_are_within_a_sixteenth_above_the_exact_ones, the_extremes_have_buckets)
