/* Arena: alignment, separateness, reset, big runs and failure. */
#include "base/arena.h"

#include <string.h>

#include "base/mem.h"
#include "support/test.h"

static uintptr_t address(const void *ptr)
{
    return (uintptr_t)ptr;
}

TEST(a_zeroed_arena_allocates)
{
    struct arena a = {0};
    unsigned char *run = arena_alloc(&a, 10);
    CHECK(run != NULL);
    memset(run, 1, 10);
    arena_release(&a);
}

TEST(runs_are_aligned_as_asked)
{
    struct arena a;
    arena_init(&a, 256);
    for (size_t alignment = 1; alignment <= 64; alignment *= 2) {
        for (size_t size = 0; size < 100; size += 7) {
            CHECK(arena_alloc_unaligned(&a, 1) != NULL);
            const void *run = arena_alloc_aligned(&a, alignment, size);
            CHECK(run != NULL);
            CHECK_EQ_UINT(address(run) % alignment, 0);
            CHECK_EQ_UINT(address(arena_alloc(&a, 3)) % 8, 0);
        }
    }
    arena_release(&a);
}

TEST(runs_do_not_overlap_and_keep_their_contents)
{
    struct arena a;
    struct test_rand rand = test_rand_new(0);
    unsigned char *runs[500];
    size_t sizes[500];
    arena_init(&a, 128);
    for (size_t i = 0; i < 500; i++) {
        sizes[i] = test_rand_below(&rand, i % 50 == 0 ? 20000 : 90);
        runs[i] = i % 2 == 0 ? arena_alloc(&a, sizes[i]) : arena_alloc_unaligned(&a, sizes[i]);
        CHECK(runs[i] != NULL);
        memset(runs[i], (int)(i & 255), sizes[i]);
    }
    for (size_t i = 0; i < 500; i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            CHECK_EQ_UINT(runs[i][j], i & 255);
        }
    }
    arena_release(&a);
}

TEST(a_big_run_leaves_the_rest_of_the_chunk_in_use)
{
    struct arena a;
    arena_init(&a, 4096);
    const unsigned char *before = arena_alloc(&a, 8);
    CHECK(arena_alloc(&a, 100000) != NULL);
    const unsigned char *after = arena_alloc(&a, 8);
    CHECK_EQ_UINT(address(after) - address(before), 8);
    arena_release(&a);
}

TEST(chunks_grow_up_to_the_greatest_asked_for)
{
    struct arena a;
    size_t most = 0;
    arena_init(&a, 1024);
    a.chunk_bytes_max = 3000;
    for (int i = 0; i < 200; i++) {
        size_t before = a.bytes;
        CHECK(arena_alloc(&a, 100) != NULL);
        size_t chunk = a.bytes - before;
        most = chunk > most ? chunk : most;
    }
    CHECK(most >= 3000 && most < 3000 + 100); /* and its header */
    arena_release(&a);
}

static const void *told;
static size_t told_size;
static unsigned told_count;

static void note_told(void *memory, size_t size)
{
    told = memory;
    told_size = size;
    told_count++;
}

/* ... and the arena writes its own header there only afterwards. */
TEST(large_chunks_begin_at_large_pages_and_are_told_of)
{
    struct arena a;
    told_count = 0;
    arena_init(&a, ARENA_LARGE_BYTES / 2);
    a.chunk_bytes_max = 2 * ARENA_LARGE_BYTES;
    a.will_fill = note_told;
    CHECK(arena_alloc(&a, 100) != NULL);
    CHECK_EQ_UINT(told_count, 0); /* a small one */
    for (unsigned i = 0; i < 3; i++) {
        while (told_count == i) {
            const unsigned char *run = arena_alloc(&a, 1000);
            CHECK(run != NULL);
            if (told_count > i) {
                CHECK_EQ_UINT(address(told) % ARENA_LARGE_BYTES, 0);
                CHECK_EQ_UINT(told_size, (i == 0 ? 1 : 2) * ARENA_LARGE_BYTES);
                CHECK(run > (const unsigned char *)told &&
                      run + 1000 <= (const unsigned char *)told + told_size);
            }
        }
    }
    arena_release(&a);
}

TEST(bytes_counts_every_chunk_and_reset_keeps_the_largest)
{
    struct arena a;
    arena_init(&a, 1024);
    CHECK_EQ_UINT(a.bytes, 0);
    for (int i = 0; i < 200; i++) {
        CHECK(arena_alloc(&a, 100) != NULL);
    }
    size_t full = a.bytes;
    CHECK(full >= 20000);
    arena_reset(&a);
    size_t kept = a.bytes;
    CHECK(kept > 0 && kept < full);
    CHECK(arena_alloc(&a, 100) != NULL);
    CHECK_EQ_UINT(a.bytes, kept);
    arena_release(&a);
    CHECK_EQ_UINT(a.bytes, 0);
}

TEST(reset_of_an_empty_arena_is_harmless)
{
    struct arena a;
    arena_init(&a, 0);
    arena_reset(&a);
    CHECK(arena_alloc(&a, 1) != NULL);
    arena_release(&a);
}

TEST(copy_copies)
{
    struct arena a = {0};
    CHECK_EQ_BYTES(arena_copy(&a, "abc", 3), 3, "abc", 3);
    CHECK(arena_copy(&a, NULL, 0) != NULL);
    arena_release(&a);
}

TEST(out_of_memory_is_null_and_leaves_the_arena_usable)
{
    struct arena a;
    arena_init(&a, 64);
    CHECK(arena_alloc(&a, 8) != NULL);
    mem_fail_at(1, true);
    const void *small = arena_alloc(&a, 60);
    const void *big = arena_alloc(&a, 5000);
    mem_fail_at(0, false);
    CHECK(small == NULL);
    CHECK(big == NULL);
    CHECK(arena_alloc(&a, SIZE_MAX - 4) == NULL);
    CHECK(arena_alloc_aligned(&a, 64, SIZE_MAX - 70) == NULL);
    CHECK(arena_alloc(&a, 60) != NULL);
    arena_release(&a);
}

TEST(rewinding_gives_back_what_was_allocated_since_the_mark)
{
    struct arena a;
    arena_init(&a, 256);
    char *kept = arena_copy(&a, "kept", 5);
    struct arena_mark outer = arena_mark(&a);
    size_t bytes = a.bytes;
    for (int round = 0; round < 3; round++) {
        CHECK(arena_alloc(&a, 1000) != NULL); /* apart */
        struct arena_mark inner = arena_mark(&a);
        char *between = arena_copy(&a, "between", 8);
        for (int i = 0; i < 50; i++) {
            CHECK(arena_alloc(&a, 60) != NULL);
            CHECK(arena_alloc(&a, 2000) != NULL);
        }
        CHECK_EQ_STR(between, "between");
        arena_rewind(&a, inner);
        CHECK(arena_copy(&a, "between", 8) == between);
        arena_rewind(&a, outer);
        CHECK_EQ_UINT(a.bytes, bytes);
        CHECK_EQ_STR(kept, "kept");
    }
    arena_release(&a);
}

TEST(a_mark_of_an_empty_arena_rewinds_to_empty)
{
    struct arena a = {0};
    struct arena_mark mark = arena_mark(&a);
    CHECK(arena_alloc(&a, 100000) != NULL);
    CHECK(arena_alloc(&a, 10) != NULL);
    arena_rewind(&a, mark);
    CHECK_EQ_UINT(a.bytes, 0);
    CHECK(a.chunks == NULL);
}

TEST_MAIN(a_zeroed_arena_allocates, runs_are_aligned_as_asked,
          runs_do_not_overlap_and_keep_their_contents,
          a_big_run_leaves_the_rest_of_the_chunk_in_use, chunks_grow_up_to_the_greatest_asked_for,
          large_chunks_begin_at_large_pages_and_are_told_of,
          bytes_counts_every_chunk_and_reset_keeps_the_largest, reset_of_an_empty_arena_is_harmless,
          copy_copies, out_of_memory_is_null_and_leaves_the_arena_usable,
          rewinding_gives_back_what_was_allocated_since_the_mark,
          a_mark_of_an_empty_arena_rewinds_to_empty)
