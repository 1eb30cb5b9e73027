/* columns_test.c -- integers and numbers come back as they were, in as few octets as promised. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "table/int_column.h"
#include "table/number_column.h"
#include "table/table_format.h"

#define COUNT_MAX 2000

/* Encode, decode, compare; the octets it took. */
static size_t round_trip(const int64_t *values, size_t count, uint8_t *encoding_out)
{
    struct buffer scratch = {0};
    struct buffer out = {0};
    int64_t *got = malloc(count * sizeof(*got));
    CHECK(got != NULL);
    int_column_encode(values, count, &scratch, &out, encoding_out);
    CHECK(!out.is_nomem);
    struct decoder d;
    decoder_init(&d, out.data, out.size);
    CHECK(int_column_decode(&d, *encoding_out, count, got));
    CHECK_EQ_UINT(decoder_left(&d), 0);
    CHECK_EQ_BYTES(got, count * sizeof(*got), values, count * sizeof(*values));
    for (size_t cut = 0; cut < out.size; cut += 1 + out.size / 40) {
        decoder_init(&d, out.data, cut);
        CHECK(!int_column_decode(&d, *encoding_out, count, got));
    }
    size_t size = out.size;
    buffer_release(&scratch);
    buffer_release(&out);
    free(got);
    return size;
}

TEST(any_integers_come_back)
{
    struct test_rand rand = test_rand_new(0);
    int64_t values[COUNT_MAX];
    bool seen[INT_COLUMN_ENCODINGS] = {false};
    for (unsigned round = 0; round < 3000; round++) {
        size_t count = 1 + test_rand_below(&rand, round % 10 == 0 ? COUNT_MAX : 40);
        unsigned shift = (unsigned)test_rand_below(&rand, 64);
        uint64_t unit = 1 + test_rand_below(&rand, 3) * test_rand_below(&rand, 1000000);
        unsigned shape = (unsigned)test_rand_below(&rand, 4);
        uint64_t at = test_rand_u64(&rand) >> test_rand_below(&rand, 64);
        uint64_t step = test_rand_u64(&rand) >> test_rand_below(&rand, 64);
        for (size_t i = 0; i < count; i++) {
            uint64_t noise = (test_rand_u64(&rand) >> shift) * unit;
            step += shape == 3 ? noise : 0;
            at += shape == 0 ? 0 : step;
            values[i] = (int64_t)(at + noise);
        }
        uint8_t encoding = 0;
        round_trip(values, count, &encoding);
        seen[encoding] = true;
        test_count(1);
    }
    for (unsigned i = 0; i < INT_COLUMN_ENCODINGS; i++) {
        CHECK_MSG(seen[i], "encoding %u was never chosen", i);
    }
}

TEST(extreme_integers_come_back)
{
    static const int64_t sets[][4] = {{INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX},
                                      {INT64_MIN, 0, INT64_MIN, 0},
                                      {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN},
                                      {INT64_MAX, INT64_MAX - 1, INT64_MAX - 2, INT64_MAX - 3},
                                      {0, INT64_MIN, 0, INT64_MIN},
                                      {-1, 0, 1, INT64_MIN}};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        for (size_t count = 1; count <= 4; count++) {
            uint8_t encoding = 0;
            round_trip(sets[i], count, &encoding);
        }
    }
}

TEST(regular_integers_take_little)
{
    struct test_rand rand = test_rand_new(0);
    int64_t values[1000];
    uint8_t encoding = 0;
    for (size_t i = 0; i < 1000; i++) {
        values[i] = 1700000000000000000;
    }
    CHECK(round_trip(values, 1000, &encoding) <= 10);
    for (size_t i = 0; i < 1000; i++) {
        values[i] = 1700000000000000000 + (int64_t)i * 10000000000;
    }
    CHECK(round_trip(values, 1000, &encoding) <= 50);
    for (size_t i = 0; i < 1000; i++) { /* every 10 s within 5 ms */
        values[i] = 1700000000000000000 + (int64_t)i * 10000000000 +
                    (int64_t)test_rand_below(&rand, 11) * 1000000;
    }
    CHECK(round_trip(values, 1000, &encoding) <= 800);
}

static void check_numbers(const unsigned char *values, size_t count, uint8_t want, size_t bytes_max)
{
    struct buffer scratch[2] = {0};
    struct buffer out = {0};
    uint8_t encoding = OCTETS_PLAIN;
    unsigned char *got = malloc(8 * count);
    int64_t *ints = malloc(8 * count);
    CHECK(got != NULL && ints != NULL);
    bool is_encoded = number_column_encode(values, count, scratch, &out, &encoding);
    CHECK_EQ_UINT(is_encoded ? encoding : OCTETS_PLAIN, want);
    if (is_encoded) {
        CHECK(number_column_decode(buffer_bytes(&out), encoding, count, ints, got));
        CHECK_EQ_BYTES(got, 8 * count, values, 8 * count);
        CHECK_MSG(out.size <= bytes_max, "%zu octets", out.size);
        for (size_t cut = 0; cut < out.size; cut += 1 + out.size / 50) {
            CHECK(!number_column_decode(bytes_of(out.data, cut), encoding, count, ints, got));
        }
    } else {
        CHECK_EQ_UINT(out.size, 0);
    }
    free(got);
    free(ints);
    buffer_release(&out);
    buffer_release(&scratch[0]);
    buffer_release(&scratch[1]);
}

static void store(unsigned char *at, const void *number, bool is_big_endian)
{
    memcpy(at, number, 8);
    for (unsigned i = 0; is_big_endian && i < 4; i++) {
        unsigned char kept = at[i];
        at[i] = at[7 - i];
        at[7 - i] = kept;
    }
}

TEST(numbers_come_back_in_few_octets)
{
    struct test_rand rand = test_rand_new(0);
    static unsigned char values[8 * 1000];
    for (unsigned big = 0; big < 2; big++) {
        int64_t cents = 5000;
        for (size_t i = 0; i < 1000; i++) { /* two decimals, wandering */
            cents += (int64_t)test_rand_below(&rand, 401) - 200;
            double number = (double)cents / 100.0;
            store(values + 8 * i, &number, big != 0);
        }
        check_numbers(values, 1000, OCTETS_DECIMALS, 1400);
        uint64_t odd[] = {0x7ff8000000000000, 0x7ff0000000000000, 0x8000000000000000, 1};
        for (size_t i = 0; i < 4; i++) { /* not a number, infinity, minus zero, a denormal */
            store(values + 8 * (i * 200 + 3), &odd[i], big != 0);
        }
        check_numbers(values, 1000, OCTETS_DECIMALS, 1600);
        for (size_t i = 0; i < 1000; i++) { /* a counter */
            uint64_t number = 123456789012345 + i * 1000 + test_rand_below(&rand, 100);
            store(values + 8 * i, &number, big != 0);
        }
        check_numbers(values, 1000, OCTETS_DECIMALS, 1100);
        for (size_t i = 0; i < 1000; i++) { /* changing at both ends, not in between */
            uint64_t number = test_rand_below(&rand, 256) << 56 | 0x0000123456789a00 |
                              test_rand_below(&rand, 256);
            store(values + 8 * i, &number, big != 0);
        }
        check_numbers(values, 1000, OCTETS_PLANES, 8001);
    }
    test_rand_fill(&rand, values, sizeof(values));
    check_numbers(values, 1000, OCTETS_PLAIN, 0);
    check_numbers(values, 7, OCTETS_PLAIN, 0);
}

TEST_MAIN(any_integers_come_back, extreme_integers_come_back, regular_integers_take_little,
          numbers_come_back_in_few_octets)
