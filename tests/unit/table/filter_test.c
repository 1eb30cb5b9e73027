/* filter_test.c -- never a false "no", and few false "yes". */
#include <stdlib.h>

#include "base/hash.h"
#include "support/test.h"
#include "table/filter.h"

TEST(filter_holds_what_was_added_and_little_else)
{
    for (uint64_t count = 1; count <= 100000; count *= 10) {
        size_t size = filter_bytes(count);
        unsigned char *lines = calloc(1, size);
        CHECK(lines != NULL);
        CHECK(size % FILTER_LINE_BYTES == 0 && size * 8 >= count * FILTER_BITS_PER_KEY);
        for (uint64_t i = 0; i < count; i++) {
            filter_add(lines, size, hash_bytes(bytes_of(&i, sizeof(i))));
        }
        uint64_t wrong = 0;
        for (uint64_t i = 0; i < count; i++) {
            CHECK(filter_may_hold(lines, size, hash_bytes(bytes_of(&i, sizeof(i)))));
        }
        for (uint64_t i = count; i < count + 100000; i++) {
            wrong += filter_may_hold(lines, size, hash_bytes(bytes_of(&i, sizeof(i))));
        }
        CHECK_MSG(wrong <= 1500, "%d keys: %d of 100000 let through", (int)count, (int)wrong);
        free(lines);
    }
}

TEST(empty_filter_denies)
{
    CHECK_EQ_UINT(filter_bytes(0), 0);
    CHECK(!filter_may_hold(NULL, 0, 17));
}

TEST_MAIN(filter_holds_what_was_added_and_little_else, empty_filter_denies)
