/* time_index_test.c -- which pages changed when: never one too few, and few too many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "table/time_index.h"
#include "table_fixture.h"

#define PAGES 400u
#define EVENTS_A_PAGE 20u

struct bed {
    struct version versions[PAGES * EVENTS_A_PAGE];
    struct buffer chunks;
    struct buffer directory;
    struct time_index index;
};

static const struct time_index_place place = {77, 640};

static uint32_t page_of(size_t event)
{
    return (uint32_t)(event / EVENTS_A_PAGE);
}

/* Random begins within `range` of zero; a few end. */
static void bed_make(struct bed *bed, struct test_rand *rand, uint64_t range)
{
    struct time_index_writer writer = {0};
    memset(bed, 0, sizeof *bed);
    for (size_t i = 0; i < PAGES * EVENTS_A_PAGE; i++) {
        struct version *v = &bed->versions[i];
        v->valid_from = (int64_t)test_rand_below(rand, range) - (int64_t)(range / 2);
        v->valid_to = YORE_FOREVER;
        if (test_rand_one_in(rand, 5)) {
            v->valid_to = v->valid_from + 1 + (int64_t)test_rand_below(rand, range);
        }
        time_index_note_version(&writer, v, page_of(i));
    }
    CHECK_OK(time_index_finish(&writer, PAGES, place, &bed->chunks, &bed->directory));
    time_index_writer_release(&writer);
    struct decoder d;
    uint64_t end = 0;
    decoder_init(&d, bed->directory.data, bed->directory.size);
    CHECK_OK(time_index_decode(&d, place.offset, &bed->index, &end));
    CHECK_EQ_UINT(decoder_left(&d), 0);
    CHECK_EQ_UINT(end, place.offset + bed->chunks.size);
    CHECK(bed->index.chunk_count > 0);
}

static void bed_free(struct bed *bed)
{
    time_index_release(&bed->index);
    buffer_release(&bed->chunks);
    buffer_release(&bed->directory);
    free(bed);
}

static bool mark(const struct bed *bed, uint32_t number, struct time_span span, uint64_t *pages)
{
    const struct time_chunk *chunk = &bed->index.chunks[number];
    return time_index_mark(&bed->index, number,
                           bytes_of(bed->chunks.data + (chunk->offset - place.offset), chunk->size),
                           span, PAGES, pages);
}

/* How many pages are marked that need not be. */
static uint32_t check_span(const struct bed *bed, struct time_span span)
{
    uint64_t marked[PAGES / 64 + 1] = {0};
    bool wanted[PAGES] = {false};
    uint32_t first;
    uint32_t end = time_index_chunks(&bed->index, span, &first);
    uint32_t extra = 0;
    for (uint32_t i = first; i < end; i++) {
        CHECK(mark(bed, i, span, marked));
    }
    for (size_t i = 0; i < PAGES * EVENTS_A_PAGE; i++) {
        wanted[page_of(i)] |= version_changes_in(&bed->versions[i], &span);
    }
    for (uint32_t i = 0; i < PAGES; i++) {
        bool is_marked = (marked[i / 64] >> i % 64 & 1) != 0;
        CHECK_MSG(is_marked || !wanted[i], "page %d changed and is not told", (int)i);
        extra += is_marked && !wanted[i];
    }
    return extra;
}

static int by_moment(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* So many begin and end at one moment, where most do. */
static uint32_t most_at_once(const struct bed *bed)
{
    static int64_t moments[2 * PAGES * EVENTS_A_PAGE];
    size_t count = 0;
    uint32_t most = 0;
    for (size_t i = 0; i < PAGES * EVENTS_A_PAGE; i++) {
        moments[count++] = bed->versions[i].valid_from;
        moments[count++] = bed->versions[i].valid_to;
    }
    qsort(moments, count, sizeof *moments, by_moment);
    for (size_t i = 0, first = 0; i < count && moments[i] < YORE_FOREVER; i++) {
        first = moments[i] == moments[first] ? first : i;
        most = most > i - first + 1 ? most : (uint32_t)(i - first + 1);
    }
    return most;
}

TEST(pages_with_an_event_are_told_and_few_others)
{
    static const uint64_t ranges[] = {50, 100000, (uint64_t)1 << 62};
    struct test_rand rand = test_rand_new(0);
    struct bed *bed = malloc(sizeof *bed);
    CHECK(bed != NULL);
    for (size_t r = 0; r < 3; r++) {
        int64_t half = (int64_t)(ranges[r] / 2);
        bed_make(bed, &rand, ranges[r]);
        /* A bucket ends with a moment, not within one. */
        uint32_t bucket_pages = TIME_INDEX_BUCKET_PAGES - 1 + most_at_once(bed);
        for (unsigned i = 0; i < 300; i++) {
            struct time_span span;
            span.after = (int64_t)test_rand_below(&rand, ranges[r]) - half;
            span.until = span.after + 1 + (int64_t)test_rand_below(&rand, 1 + ranges[r] / 200);
            /* A bucket at each end of the span may be wider than the span. */
            uint32_t extra = check_span(bed, span);
            CHECK_MSG(ranges[r] < 1000 || extra <= 2 * bucket_pages, "%d too many", (int)extra);
        }
        CHECK_EQ_UINT(check_span(bed, (struct time_span){INT64_MIN, INT64_MAX}), 0);
        CHECK(check_span(bed, (struct time_span){INT64_MIN, INT64_MIN + 1}) <= PAGES);
        time_index_release(&bed->index);
        buffer_release(&bed->chunks);
        buffer_release(&bed->directory);
    }
    test_count(900);
    free(bed);
}

TEST(chunks_and_directories_of_nonsense_are_refused)
{
    struct test_rand rand = test_rand_new(0);
    struct bed *bed = malloc(sizeof *bed);
    CHECK(bed != NULL);
    bed_make(bed, &rand, 100000);
    struct time_span all = {INT64_MIN, INT64_MAX};
    for (unsigned i = 0; i < 2000; i++) { /* nothing is read or marked out of bounds (asan) */
        uint64_t *pages = calloc((PAGES + 63) / 64, sizeof *pages);
        CHECK(pages != NULL);
        size_t at = test_rand_below(&rand, bed->chunks.size);
        unsigned char was = bed->chunks.data[at];
        bed->chunks.data[at] = (unsigned char)test_rand_u64(&rand);
        (void)mark(bed, 0, all, pages);
        bed->chunks.data[at] = was;
        free(pages);
    }
    uint64_t pages[PAGES / 64 + 1] = {0};
    CHECK(!time_index_mark(&bed->index, 0, bytes_of("\0\x01\x90\x03", 4), all, PAGES, pages));
    CHECK(!time_index_mark(&bed->index, 0, bytes_of("\0\0", 2), all, PAGES, pages));
    for (size_t size = 0; size < bed->directory.size; size++) {
        struct decoder d;
        struct time_index index;
        uint64_t end;
        decoder_init(&d, bed->directory.data, size);
        CHECK_STATUS(time_index_decode(&d, place.offset, &index, &end), YORE_CORRUPT);
    }
    bed_free(bed);
}

/* Two chunks, the second beginning `step` after the first. */
TEST(chunks_begin_one_after_the_other)
{
    for (int64_t step = 0; step < 2; step++) {
        struct buffer directory = {0};
        struct decoder d;
        struct time_index index;
        uint64_t end;
        buffer_append_varint(&directory, 2);
        for (int i = 0; i < 2; i++) {
            buffer_append_zigzag(&directory, i == 0 ? 100 : step);
            buffer_append_varint(&directory, 10);
            buffer_append_u32(&directory, 0);
        }
        decoder_init(&d, directory.data, directory.size);
        CHECK_STATUS(time_index_decode(&d, 0, &index, &end), step == 0 ? YORE_CORRUPT : YORE_OK);
        time_index_release(&index);
        buffer_release(&directory);
    }
}

/* A table of many pages, one version a key, begins at random; every so many ends. */
static struct table *scattered(struct fixture *f, struct version *rows, uint32_t count,
                               uint32_t ending)
{
    static char keys[4096][16];
    struct test_rand rand = test_rand_new(5);
    struct table_options options = {.identity = {1, 9},
                                    .page_bytes = 512,
                                    .compression = YORE_COMPRESSION_NONE,
                                    .class_hint = PAGE_CLASS_PAST};
    CHECK(count <= 4096);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%05u", (unsigned)i);
        int64_t time = (int64_t)test_rand_below(&rand, 1000000);
        rows[i] = (struct version){.key = bytes_of(keys[i], 6),
                                   .valid_from = time,
                                   .commit = time,
                                   .valid_to = YORE_FOREVER,
                                   .kind = YORE_KIND_PUT,
                                   .value = bytes_of("some value or other", 19)};
        if (i % ending == ending - 1) {
            rows[i].valid_to = time + 1 + (int64_t)test_rand_below(&rand, 1000000);
        }
    }
    return fixture_table(f, "t", &options, rows, count);
}

TEST(a_table_tells_how_many_pages_changed)
{
    static struct version rows[4096];
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct table *table = scattered(&f, rows, 4096, UINT32_MAX);
    struct yore_error error = {0};
    struct yore_bytes none = {NULL, 0};
    struct table_share share = {0};
    struct time_span one = {rows[77].valid_from - 1, rows[77].valid_from};
    CHECK_OK(table_changed_share(table, none, none, one, &share, &error));
    CHECK_MSG(share.pages > 200, "%d pages", (int)share.pages);
    CHECK_MSG(share.changed >= 1 && share.changed <= 2 * TIME_INDEX_BUCKET_PAGES,
              "%d pages changed", (int)share.changed);
    struct table_share all = {0};
    struct time_span ever = {INT64_MIN, INT64_MAX};
    CHECK_OK(table_changed_share(table, none, none, ever, &all, &error));
    CHECK_EQ_UINT(all.changed, all.pages);
    CHECK_EQ_UINT(all.pages, share.pages);
    struct table_share some = {0};
    CHECK_OK(table_changed_share(table, bytes_of("k00077", 6), bytes_of("k00078", 6), one, &some,
                                 &error));
    CHECK(some.pages <= 2 && some.changed >= 1);
    struct table_share never = {0};
    struct time_span before = {-100, -1};
    CHECK_OK(table_changed_share(table, none, none, before, &never, &error));
    CHECK_EQ_UINT(never.changed, 0);
    table_marks_free(share.marks);
    table_marks_free(all.marks);
    table_marks_free(some.marks);
    table_marks_free(never.marks);
    uint64_t pages;
    CHECK_OK(table_verify(table, &pages, &error));
    table_close(table);
    fixture_close(&f);
}

/* Ends in it or not; with what the table has told of the span before, or without. */
static void check_walks(uint32_t ending)
{
    static struct version rows[4096];
    struct fixture f;
    fixture_open(&f, 1 << 20, 4);
    struct table *table = scattered(&f, rows, 4096, ending);
    struct test_rand rand = test_rand_new(0);
    struct model whole = {rows, 4096, {0}};
    for (unsigned i = 0; i < 40; i++) {
        int64_t after = (int64_t)test_rand_below(&rand, 1000000);
        struct iter_view view = {.known = INT64_MAX,
                                 .commit_after = INT64_MIN,
                                 .is_changed_only = true,
                                 .changed = {after, after + (int64_t)test_rand_below(&rand, 5000)}};
        struct table_share share = {0};
        struct yore_error error;
        struct yore_bytes none = {NULL, 0};
        if (i % 8 == 0) {
            view.changed.until = YORE_FOREVER - 1;
        }
        CHECK_OK(table_changed_share(table, none, none, view.changed, &share, &error));
        view.marks = i % 2 == 0 ? share.marks : NULL;
        struct model seen = model_view(&whole, &view);
        struct version_iter *it = NULL;
        CHECK_OK(table_iter_new(table, &view, &it));
        check_walk(it, &seen, &whole, &rand, false);
        version_iter_free(it);
        table_marks_free(share.marks);
        model_release(&seen);
    }
    table_close(table);
    fixture_close(&f);
}

TEST(a_walk_over_changes_meets_them_all_and_nothing_else)
{
    check_walks(UINT32_MAX);
    check_walks(40);
    check_walks(3);
}

TEST_MAIN(chunks_begin_one_after_the_other, pages_with_an_event_are_told_and_few_others,
          chunks_and_directories_of_nonsense_are_refused, a_table_tells_how_many_pages_changed,
          a_walk_over_changes_meets_them_all_and_nothing_else)
