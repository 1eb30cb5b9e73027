/* Coding: round trips, the bytes themselves, malformed and short input. */
#include "base/coding.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "support/test.h"

TEST(fixed_width_is_little_endian)
{
    unsigned char to[8];
    put_u32(to, 0x12345678);
    CHECK_EQ_BYTES(to, 4, "\x78\x56\x34\x12", 4);
    put_u64(to, UINT64_C(0x0123456789abcdef));
    CHECK_EQ_BYTES(to, 8, "\xef\xcd\xab\x89\x67\x45\x23\x01", 8);
    CHECK_EQ_UINT(get_u32(to), 0x89abcdef);
    CHECK_EQ_UINT(get_u64(to), UINT64_C(0x0123456789abcdef));
    CHECK_EQ_UINT(get_u64_big_endian(to), UINT64_C(0xefcdab8967452301));
}

static const uint64_t edges[] = {
    0,
    1,
    0x7f,
    0x80,
    0x3fff,
    0x4000,
    0x1fffff,
    0x200000,
    0xfffffff,
    0x10000000,
    UINT32_MAX,
    UINT64_C(1) << 35,
    UINT64_MAX,
    INT64_MAX,
    UINT64_C(1) << 63,
    (UINT64_C(1) << 56) - 1,
    UINT64_C(1) << 56,
};

static void check_varint(uint64_t v)
{
    unsigned char to[VARINT_BYTES_MAX];
    struct decoder d;
    size_t size = varint_encode(to, v);
    CHECK_EQ_UINT(size, varint_size(v));
    decoder_init(&d, to, size);
    CHECK_EQ_UINT(decode_varint(&d), v);
    CHECK(!d.is_bad);
    CHECK_EQ_UINT(decoder_left(&d), 0);
    for (size_t cut = 0; cut < size; cut++) {
        decoder_init(&d, to, cut);
        CHECK_EQ_UINT(decode_varint(&d), 0);
        CHECK(d.is_bad);
    }
    for (int behind = 0; behind < 256; behind += 51) { /* whatever follows */
        unsigned char more[VARINT_BYTES_MAX + 8];
        memset(more, behind, sizeof(more));
        memcpy(more, to, size);
        decoder_init(&d, more, sizeof(more));
        CHECK_EQ_UINT(decode_varint(&d), v);
        CHECK_EQ_UINT(decoder_left(&d), sizeof(more) - size);
    }
}

TEST(varints_come_back_and_every_cut_is_bad)
{
    struct test_rand rand = test_rand_new(0);
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        check_varint(edges[i]);
    }
    for (int i = 0; i < 20000; i++) {
        check_varint(test_rand_u64(&rand) >> test_rand_below(&rand, 64));
    }
}

TEST(varints_are_passed_over_and_the_next_is_read)
{
    struct test_rand rand = test_rand_new(0);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned char to[40 * VARINT_BYTES_MAX];
        uint64_t values[40];
        size_t starts[41];
        struct decoder d;
        size_t size = 0;
        size_t count = test_rand_below(&rand, 41);
        for (size_t k = 0; k < count; k++) {
            values[k] = test_rand_u64(&rand) >> test_rand_below(&rand, 64);
            starts[k] = size;
            size += varint_encode(to + size, values[k]);
        }
        starts[count] = size;
        size_t past = test_rand_below(&rand, count + 1);
        decoder_init(&d, to, size);
        decode_past(&d, past);
        CHECK(!d.is_bad);
        CHECK_EQ_UINT(size - decoder_left(&d), starts[past]);
        CHECK(past == count || decode_varint(&d) == values[past]);
        decoder_init(&d, to, size);
        decode_past(&d, count + 1 + test_rand_below(&rand, 1000));
        CHECK(d.is_bad);
    }
    test_count(20000);
}

TEST(zigzag_keeps_small_numbers_small)
{
    static const int64_t values[] = {0, -1, 1, -2, 2, INT64_MAX, INT64_MIN};
    static const uint64_t codes[] = {0, 1, 2, 3, 4, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        CHECK_EQ_UINT(zigzag_encode(values[i]), codes[i]);
        CHECK_EQ_INT(zigzag_decode(codes[i]), values[i]);
    }
    unsigned char to[VARINT_BYTES_MAX];
    struct decoder d;
    decoder_init(&d, to, varint_encode(to, zigzag_encode(INT64_MIN)));
    CHECK_EQ_INT(decode_zigzag(&d), INT64_MIN);
}

TEST(malformed_varints_are_bad)
{
    static const struct {
        const char *octets;
        size_t size;
    } cases[] = {
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},     /* bit 65 */
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11}, /* an eleventh octet */
        {"\x80\x00", 2},                                      /* longer than needed */
        {"\xff\x80\x00", 3},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoder d;
        decoder_init(&d, cases[i].octets, cases[i].size);
        CHECK_EQ_UINT(decode_varint(&d), 0);
        CHECK_MSG(d.is_bad, "case %zu", i);
        unsigned char more[24] = {0};
        memcpy(more, cases[i].octets, cases[i].size);
        decoder_init(&d, more, sizeof(more));
        CHECK_EQ_UINT(decode_varint(&d), 0);
        CHECK_MSG(d.is_bad || cases[i].size == 0, "case %zu, and more behind it", i);
    }
}

TEST(after_the_first_bad_get_all_is_empty)
{
    static const unsigned char octets[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct decoder d;
    decoder_init(&d, octets, sizeof(octets));
    CHECK_EQ_UINT(decode_u8(&d), 1);
    CHECK(decode_run(&d, 16) == NULL);
    CHECK(d.is_bad);
    CHECK_EQ_UINT(decoder_left(&d), 0);
    CHECK_EQ_UINT(decode_u8(&d), 0);
    CHECK_EQ_UINT(decode_u32(&d), 0);
    CHECK_EQ_UINT(decode_u64(&d), 0);
    CHECK_EQ_UINT(decode_varint(&d), 0);
    CHECK_EQ_INT(decode_zigzag(&d), 0);
    CHECK(decode_run(&d, 0) == NULL);
}

TEST(every_width_reads_in_order)
{
    static const unsigned char octets[] = {1, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 'r', 'u', 'n'};
    struct decoder d;
    decoder_init(&d, octets, sizeof(octets));
    CHECK_EQ_UINT(decode_u8(&d), 1);
    CHECK_EQ_UINT(decode_u32(&d), 3);
    CHECK_EQ_UINT(decode_u64(&d), 4);
    CHECK_EQ_BYTES(decode_run(&d, 3), 3, "run", 3);
    CHECK(!d.is_bad);
    CHECK_EQ_UINT(decoder_left(&d), 0);
}

TEST(nothing_at_all_can_be_decoded)
{
    struct decoder d;
    decoder_init(&d, NULL, 0);
    CHECK(decode_run(&d, 0) != NULL);
    CHECK(!d.is_bad);
    CHECK_EQ_UINT(decode_u8(&d), 0);
    CHECK(d.is_bad);
}

TEST(runs_compare_as_memcmp_shorter_first)
{
    CHECK(bytes_compare(bytes_of("a", 1), bytes_of("b", 1)) < 0);
    CHECK(bytes_compare(bytes_of("ab", 2), bytes_of("a", 1)) > 0);
    CHECK(bytes_compare(bytes_of("\xff", 1), bytes_of("\x01", 1)) > 0);
    CHECK(bytes_compare(bytes_of(NULL, 0), bytes_of("", 0)) == 0);
    CHECK(bytes_compare(bytes_of(NULL, 0), bytes_of("a", 1)) < 0);
    CHECK(bytes_equal(bytes_of("ab", 2), bytes_of("ab", 2)));
    CHECK(!bytes_equal(bytes_of("ab", 2), bytes_of("ac", 2)));
    CHECK(bytes_starts_with(bytes_of("abc", 3), bytes_of("ab", 2)));
    CHECK(bytes_starts_with(bytes_of("abc", 3), bytes_of(NULL, 0)));
    CHECK(!bytes_starts_with(bytes_of("a", 1), bytes_of("ab", 2)));
}

TEST(runs_of_every_size_compare_as_memcmp_shorter_first)
{
    struct test_rand rand = test_rand_new(0);
    for (unsigned i = 0; i < 50000; i++) {
        unsigned char a[40];
        unsigned char b[40];
        size_t size_a = test_rand_below(&rand, sizeof(a) + 1);
        size_t size_b = test_rand_one_in(&rand, 2) ? size_a : test_rand_below(&rand, sizeof(b) + 1);
        for (size_t k = 0; k < sizeof(a); k++) {
            a[k] = (unsigned char)test_rand_u64(&rand);
            b[k] = test_rand_one_in(&rand, 30) ? (unsigned char)test_rand_u64(&rand) : a[k];
        }
        int wanted = memcmp(a, b, size_a < size_b ? size_a : size_b);
        wanted = wanted != 0 ? wanted : (size_a > size_b) - (size_a < size_b);
        int order = bytes_compare(bytes_of(a, size_a), bytes_of(b, size_b));
        CHECK_MSG((order > 0) == (wanted > 0) && (order < 0) == (wanted < 0), "%d and %d octets",
                  (int)size_a, (int)size_b);
        CHECK(bytes_equal(bytes_of(a, size_a), bytes_of(b, size_b)) == (wanted == 0));
    }
    test_count(50000);
}

TEST(checked_arithmetic_refuses_what_does_not_fit)
{
    size_t size;
    uint64_t u;
    int64_t i;
    CHECK(checked_add_size(SIZE_MAX - 1, 1, &size));
    CHECK_EQ_UINT(size, SIZE_MAX);
    CHECK(!checked_add_size(SIZE_MAX, 1, &size));
    CHECK(!checked_mul_size(SIZE_MAX / 2, 3, &size));
    CHECK(!checked_add_u64(UINT64_MAX, 1, &u));
    CHECK(!checked_add_i64(INT64_MAX, 1, &i));
    CHECK(!checked_sub_i64(INT64_MIN, 1, &i));
    CHECK(!checked_mul_i64(INT64_MIN, -1, &i));
    CHECK(checked_mul_i64(INT64_MAX, -1, &i));
    CHECK_EQ_INT(i, -INT64_MAX);
}

TEST_MAIN(fixed_width_is_little_endian, varints_come_back_and_every_cut_is_bad,
          varints_are_passed_over_and_the_next_is_read, zigzag_keeps_small_numbers_small,
          malformed_varints_are_bad, after_the_first_bad_get_all_is_empty,
          every_width_reads_in_order, nothing_at_all_can_be_decoded,
          runs_compare_as_memcmp_shorter_first, runs_of_every_size_compare_as_memcmp_shorter_first,
          checked_arithmetic_refuses_what_does_not_fit)
