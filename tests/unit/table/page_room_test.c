/* page_room_test.c -- memory in runs of grains: nobody's overlaps another's, all comes back. */
#include "table/page_room.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "support/test.h"

#define RUNS 4000u
#define CHUNK_BYTES (UINT64_C(2) << 20)

struct run {
    unsigned char *memory;
    size_t bytes;
    unsigned char fill;
};

static void take(struct page_room *room, struct run *run, size_t bytes, unsigned char fill)
{
    *run = (struct run){.memory = page_room_take(room, bytes), .bytes = bytes, .fill = fill};
    CHECK(run->memory != NULL);
    CHECK((uintptr_t)run->memory % 64 == 0);
    memset(run->memory, fill, bytes);
}

static void give(struct run *run)
{
    static const unsigned char zeros[8];
    CHECK(memcmp(run->memory - 8, zeros, 8) == 0);
    CHECK(run->memory[0] == run->fill);
    CHECK(memcmp(run->memory, run->memory + 1, run->bytes - 1) == 0);
    page_room_give(run->memory);
    *run = (struct run){.memory = NULL};
}

/* Mostly pages, some small, some as large as can be. */
static size_t some_size(struct test_rand *rand)
{
    switch (test_rand_below(rand, 10)) {
    case 0:
        return 1 + (size_t)test_rand_below(rand, 600);
    case 1:
        return 1 + (size_t)test_rand_below(rand, PAGE_ROOM_MAX);
    default:
        return 4000 + (size_t)test_rand_below(rand, 9000);
    }
}

TEST(runs_keep_what_is_written_to_them_and_all_memory_comes_back)
{
    static struct run runs[RUNS];
    struct test_rand rand = test_rand_new(0);
    struct page_room *room = page_room_new();
    CHECK(room != NULL);
    for (uint64_t step = 0; step < test_scale(200000, 2000000); step++) {
        struct run *run = &runs[test_rand_below(&rand, RUNS)];
        if (run->memory != NULL) {
            give(run);
        } else {
            take(room, run, some_size(&rand), (unsigned char)step);
        }
    }
    CHECK(page_room_bytes(room) > 4 * CHUNK_BYTES);
    for (unsigned i = 0; i < RUNS; i++) {
        if (runs[i].memory != NULL) {
            give(&runs[i]);
        }
    }
    CHECK_EQ_UINT(page_room_bytes(room), CHUNK_BYTES); /* the one that stays */
    page_room_free(room);
}

TEST(a_chunk_is_filled_before_the_next_is_asked_for)
{
    static struct run runs[RUNS];
    struct page_room *room = page_room_new();
    CHECK(room != NULL);
    uint64_t bytes = 0;
    unsigned count = 0;
    while (page_room_bytes(room) <= 3 * CHUNK_BYTES) {
        take(room, &runs[count], 8000, (unsigned char)count);
        bytes += runs[count++].bytes;
    }
    CHECK(bytes > 3 * CHUNK_BYTES * 9 / 10);
    /* What is given back in the first chunk is taken again. */
    for (unsigned i = 0; i < 100; i += 2) {
        give(&runs[i]);
    }
    for (unsigned i = 0; i < 100; i += 2) {
        take(room, &runs[i], 7000, (unsigned char)i);
    }
    CHECK_EQ_UINT(page_room_bytes(room), 4 * CHUNK_BYTES);
    for (unsigned i = 0; i < count; i++) {
        give(&runs[i]);
    }
    page_room_free(room);
}

TEST(what_is_too_large_or_finds_no_memory_is_refused)
{
    struct page_room *room = page_room_new();
    CHECK(room != NULL);
    CHECK(page_room_take(room, PAGE_ROOM_MAX + 1) == NULL);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        mem_fail_at(nth, false);
        CHECK(page_room_take(room, 100) == NULL);
        mem_fail_at(0, false);
    }
    struct run run;
    take(room, &run, PAGE_ROOM_MAX, 7);
    give(&run);
    page_room_free(room);
}

TEST_MAIN(runs_keep_what_is_written_to_them_and_all_memory_comes_back,
          a_chunk_is_filled_before_the_next_is_asked_for,
          what_is_too_large_or_finds_no_memory_is_refused)
