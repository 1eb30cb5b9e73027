/* CRC-32C: the vectors of RFC 3720 B.4, and all paths giving the same number. */
#include "base/crc32c.h"

#include <string.h>

#include "base/coding.h"
#include "support/test.h"

TEST(vectors_of_rfc_3720)
{
    unsigned char run[32];
    memset(run, 0, sizeof(run));
    CHECK_EQ_UINT(crc32c(0, run, 32), 0x8a9136aa);
    memset(run, 0xff, sizeof(run));
    CHECK_EQ_UINT(crc32c(0, run, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++) {
        run[i] = (unsigned char)i;
    }
    CHECK_EQ_UINT(crc32c(0, run, 32), 0x46dd794e);
    for (unsigned i = 0; i < 32; i++) {
        run[i] = (unsigned char)(31 - i);
    }
    CHECK_EQ_UINT(crc32c(0, run, 32), 0x113fdb5c);
    static const unsigned char command[48] = {
        0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
        0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
        0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
    CHECK_EQ_UINT(crc32c(0, command, 48), 0xd9963a56);
}

TEST(the_check_value_and_nothing)
{
    CHECK_EQ_UINT(crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_EQ_UINT(crc32c_portable(0, "123456789", 9), 0xe3069283);
    CHECK_EQ_UINT(crc32c(0, NULL, 0), 0);
    CHECK_EQ_UINT(crc32c(0x12345678, "", 0), 0x12345678);
}

TEST(every_length_and_alignment_agrees_with_the_table)
{
    static unsigned char run[20000];
    struct test_rand rand = test_rand_new(0);
    test_rand_fill(&rand, run, sizeof(run));
    for (size_t size = 0; size < 4500; size++) {
        const unsigned char *at = run + size % 9;
        CHECK_EQ_UINT(crc32c(0, at, size), crc32c_portable(0, at, size));
    }
    for (int i = 0; i < 300; i++) {
        size_t from = test_rand_below(&rand, 64);
        size_t size = test_rand_below(&rand, sizeof(run) - from);
        uint32_t crc = (uint32_t)test_rand_u64(&rand);
        CHECK_EQ_UINT(crc32c(crc, run + from, size), crc32c_portable(crc, run + from, size));
    }
}

TEST(pieces_give_the_same_as_the_whole)
{
    static unsigned char run[9000];
    struct test_rand rand = test_rand_new(0);
    test_rand_fill(&rand, run, sizeof(run));
    uint32_t whole = crc32c(0, run, sizeof(run));
    for (int i = 0; i < 500; i++) {
        size_t cut = test_rand_below(&rand, sizeof(run) + 1);
        CHECK_EQ_UINT(crc32c(crc32c(0, run, cut), run + cut, sizeof(run) - cut), whole);
    }
}

TEST(a_block_elsewhere_has_another_check)
{
    unsigned char run[100] = {1, 2, 3};
    unsigned char whole[116];
    uint32_t check = crc32c_placed(7, 4096, run, sizeof(run));
    CHECK(check != crc32c_placed(8, 4096, run, sizeof(run)));
    CHECK(check != crc32c_placed(7, 8192, run, sizeof(run)));
    put_u64(whole, 7);
    put_u64(whole + 8, 4096);
    memcpy(whole + 16, run, sizeof(run));
    CHECK_EQ_UINT(check, crc32c_portable(0, whole, sizeof(whole)));
}

TEST(every_flipped_bit_is_seen)
{
    unsigned char run[600];
    struct test_rand rand = test_rand_new(0);
    test_rand_fill(&rand, run, sizeof(run));
    uint32_t check = crc32c_placed(1, 2, run, sizeof(run));
    for (size_t i = 0; i < sizeof(run) * 8; i++) {
        run[i / 8] = (unsigned char)(run[i / 8] ^ 1u << i % 8);
        CHECK(crc32c_placed(1, 2, run, sizeof(run)) != check);
        run[i / 8] = (unsigned char)(run[i / 8] ^ 1u << i % 8);
    }
}

TEST_MAIN(vectors_of_rfc_3720, the_check_value_and_nothing,
          every_length_and_alignment_agrees_with_the_table, pieces_give_the_same_as_the_whole,
          a_block_elsewhere_has_another_check, every_flipped_bit_is_seen)
