/* The generator and the hashes: fixed numbers, since files and seeds depend on them. */
#include "base/hash.h"
#include "base/rand.h"
#include "support/test.h"

TEST(the_same_seed_gives_the_same_numbers)
{
    struct rand_state a;
    struct rand_state b;
    struct rand_state c;
    rand_init(&a, 42);
    rand_init(&b, 42);
    rand_init(&c, 43);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t v = rand_u64(&a);
        CHECK_EQ_UINT(v, rand_u64(&b));
        differs |= v != rand_u64(&c);
    }
    CHECK(differs);
}

/* From the reference recurrence, computed by hand for the state 1, 2, 3, 4. */
TEST(it_is_xoshiro256_starstar)
{
    struct rand_state r = {{1, 2, 3, 4}};
    CHECK_EQ_UINT(rand_u64(&r), 11520);
    CHECK_EQ_UINT(rand_u64(&r), 0);
    CHECK_EQ_UINT(rand_u64(&r), 1509978240);
    CHECK_EQ_UINT(rand_u64(&r), UINT64_C(1215971899390074240));
}

TEST(below_is_even_and_below)
{
    struct rand_state r;
    uint64_t counts[7] = {0};
    rand_init(&r, 1);
    for (int i = 0; i < 70000; i++) {
        uint64_t v = rand_below(&r, 7);
        CHECK(v < 7);
        counts[v]++;
    }
    for (int i = 0; i < 7; i++) {
        CHECK_MSG(counts[i] > 9500 && counts[i] < 10500, "%d came %ju times", i,
                  (uintmax_t)counts[i]);
    }
    CHECK_EQ_UINT(rand_below(&r, 1), 0);
    CHECK(rand_below(&r, UINT64_MAX) < UINT64_MAX);
}

TEST(hashes_on_disk_do_not_change)
{
    CHECK_EQ_UINT(hash_bytes(bytes_of("", 0)), UINT64_C(0x2d06800538d394c2));
    CHECK_EQ_UINT(hash_u64(0), UINT64_C(0xe220a8397b1dcdaf));
    CHECK(hash_bytes(bytes_of("a", 1)) != hash_bytes(bytes_of("b", 1)));
}

TEST_MAIN(the_same_seed_gives_the_same_numbers, it_is_xoshiro256_starstar, below_is_even_and_below,
          hashes_on_disk_do_not_change)
