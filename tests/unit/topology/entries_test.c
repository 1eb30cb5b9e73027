/* entries_test.c -- lists of index entries: each key once, in order, however they came together. */
#include "topology/entries.h"

#include <string.h>

#include "support/test.h"

static struct yore_bytes random_key(struct test_rand *rand, struct arena *arena)
{
    unsigned char octets[3];
    size_t size = 1 + (size_t)test_rand_below(rand, sizeof octets);
    for (size_t i = 0; i < size; i++) {
        octets[i] = (unsigned char)('a' + test_rand_below(rand, 4));
    }
    return bytes_of(arena_copy(arena, octets, size), size);
}

TEST(keys_that_were_gathered_settle_to_what_joining_them_makes)
{
    struct test_rand rand = test_rand_new(0);
    for (int round = 0; round < 200; round++) {
        struct arena arena = {0};
        struct entry_list joined = {0};
        struct entry_list gathered = {0};
        size_t count = (size_t)test_rand_below(&rand, 60);
        for (size_t i = 0; i < count; i++) {
            struct yore_bytes key = random_key(&rand, &arena);
            const struct entry_list one = {&key, 1, 1};
            CHECK_OK(entries_join(&joined, &one, &arena));
            CHECK_OK(entries_gather(&gathered, &key, 1, &arena));
        }
        entries_settle(&gathered);
        CHECK_EQ_UINT(gathered.count, joined.count);
        for (size_t i = 0; i < joined.count; i++) {
            CHECK_EQ_BYTES(gathered.keys[i].data, gathered.keys[i].size, joined.keys[i].data,
                           joined.keys[i].size);
            CHECK(entries_hold(&gathered, joined.keys[i]));
        }
        arena_release(&arena);
    }
}

TEST_MAIN(keys_that_were_gathered_settle_to_what_joining_them_makes)
