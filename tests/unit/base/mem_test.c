/* The heap's door: ordinary behaviour and failure on demand. */
#include "base/mem.h"

#include <string.h>

#include "support/test.h"

TEST(size_zero_gives_a_pointer)
{
    void *a = mem_alloc(0);
    void *b = mem_zalloc(0);
    void *c = mem_array(0, 8);
    void *d = mem_copy(NULL, 0);
    CHECK(a != NULL && b != NULL && c != NULL && d != NULL && a != b);
    a = mem_realloc(a, 0);
    CHECK(a != NULL);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
    mem_free(NULL);
}

TEST(arrays_are_zeroed_and_their_overflow_is_null)
{
    unsigned char *run = mem_array(10, 10);
    static const unsigned char zeros[100];
    CHECK_EQ_BYTES(run, 100, zeros, 100);
    mem_free(run);
    CHECK(mem_array(SIZE_MAX / 2, 3) == NULL);
}

TEST(a_growing_array_keeps_its_items_and_its_place_when_memory_is_out)
{
    uint64_t *items = NULL;
    size_t count = 0;
    size_t capacity = 0;
    size_t moves = 0;
    while (count < 10000) {
        size_t before = capacity;
        uint64_t *grown = mem_grow(items, count, &capacity, sizeof *grown);
        CHECK(grown != NULL);
        items = grown;
        items[count] = count * 3;
        count++;
        CHECK(count <= capacity);
        moves += capacity != before;
    }
    CHECK(moves < 12); /* doubled, not one more each time */
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ_UINT(items[i], i * 3);
    }
    count = capacity;
    mem_fail_at(1, true);
    uint64_t *failed = mem_grow(items, count, &capacity, sizeof *failed);
    mem_fail_at(0, false);
    CHECK(failed == NULL);
    CHECK_EQ_UINT(capacity, count);
    CHECK_EQ_UINT(items[9999], 9999 * 3);
    size_t huge = SIZE_MAX / 2 + 1;
    CHECK(mem_grow(items, huge, &huge, 1) == NULL);
    huge = SIZE_MAX / 8;
    CHECK(mem_grow(items, huge, &huge, sizeof *items) == NULL);
    CHECK_EQ_UINT(huge, SIZE_MAX / 8);
    mem_free(items);
}

TEST(alignment_is_as_asked)
{
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *run = mem_alloc_aligned(alignment, 100);
        CHECK(run != NULL);
        CHECK_EQ_UINT((uintptr_t)run % alignment, 0);
        memset(run, 1, 100);
        mem_free(run);
    }
    CHECK(mem_alloc_aligned(64, SIZE_MAX) == NULL);
}

TEST(the_nth_allocation_fails_once)
{
    mem_fail_at(3, false);
    void *runs[4];
    for (int i = 0; i < 4; i++) {
        runs[i] = mem_alloc(1);
    }
    uint64_t count = mem_count();
    mem_fail_at(0, false);
    CHECK(runs[0] != NULL && runs[1] != NULL && runs[2] == NULL && runs[3] != NULL);
    CHECK_EQ_UINT(count, 4);
    for (int i = 0; i < 4; i++) {
        mem_free(runs[i]);
    }
}

TEST(sticky_failure_stays_for_every_kind)
{
    void *kept = mem_copy("kept", 5);
    mem_fail_at(1, true);
    bool all_fail = mem_alloc(1) == NULL && mem_zalloc(1) == NULL && mem_array(1, 1) == NULL &&
                    mem_copy("x", 1) == NULL && mem_alloc_aligned(64, 64) == NULL &&
                    mem_realloc(kept, 100) == NULL;
    void *certain = mem_certain(10);
    uint64_t count = mem_count();
    mem_fail_at(0, false);
    CHECK(all_fail);
    CHECK(certain != NULL);
    CHECK_EQ_UINT(count, 6);
    CHECK_EQ_STR(kept, "kept");
    mem_free(certain);
    mem_free(kept);
}

TEST(counting_without_failing)
{
    mem_fail_at(UINT64_MAX, false);
    mem_free(mem_alloc(1));
    mem_free(mem_zalloc(1));
    CHECK_EQ_UINT(mem_count(), 2);
    mem_fail_at(0, false);
    mem_free(mem_alloc(1));
    CHECK_EQ_UINT(mem_count(), 0);
}

TEST_MAIN(size_zero_gives_a_pointer, arrays_are_zeroed_and_their_overflow_is_null,
          a_growing_array_keeps_its_items_and_its_place_when_memory_is_out, alignment_is_as_asked,
          the_nth_allocation_fails_once, sticky_failure_stays_for_every_kind,
          counting_without_failing)
