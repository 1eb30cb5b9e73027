/* seal_cuts_test.c -- where a seal cuts time: what is sealed moves on each time, in slices that
 * begin where versions do.
 *
 * The runs are those of a database; slices and extents are made up.
 */
#include "engine/seal_cuts.h"

#include "engine/db_internal.h"
#include "unit/engine/bed.h"

/* A job on the only region of "default", whose runs wait because sealing was put off. */
struct cuts_bed {
    struct bed bed;
    struct history_job job;
    struct forest_region region; /* the database's, with slices of the test's own */
};

static void cuts_open(struct cuts_bed *b)
{
    *b = (struct cuts_bed){0};
    bed_open_tables(&b->bed, 1u << 20);
    b->bed.db->options.seal_bytes_min = 1ull << 40;
}

/* `count` versions of one key, all from `from` on, each known later. */
static void put_often(struct cuts_bed *b, const char *key, int64_t from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put_at(b->bed.db, key, "v", from, YORE_FOREVER);
    }
}

/* No more writes: look at what there is, and let `versions_per_key` be asked for. */
static void cuts_begin(struct cuts_bed *b, uint32_t versions_per_key)
{
    struct yore_db *db = b->bed.db;
    CHECK_OK(yore_flush(db, NULL));
    db->options.seal_versions_per_key = versions_per_key;
    db->options.seal_bytes_min = 1;
    b->job.db = db;
    b->job.view = superview_acquire(db);
    b->job.keyspace = keyspace_or_default(db, NULL);
    b->job.tree = forest_tree(b->job.view->forest, b->job.keyspace->id);
    CHECK(b->job.tree != NULL && b->job.tree->region_count == 1);
    b->region = b->job.tree->regions[0];
    CHECK(b->region.run_count > 0 && b->region.slice_count == 0);
    b->job.region = &b->region;
}

static void cuts_close(struct cuts_bed *b)
{
    superview_release(b->job.view);
    bed_close(&b->bed);
}

/* The cuts of [t0, t1) where the slice that grows, empty so far, is [t0, grown_to); `grown_to` t0:
 * none does. */
static struct seal_cuts make(struct cuts_bed *b, int64_t t0, int64_t t1, int64_t grown_to)
{
    struct forest_slice grown = {.t0 = t0, .t1 = grown_to};
    struct seal_extent extent = {.t0 = t0, .t1 = t1, .grown = grown_to > t0 ? &grown : NULL};
    struct seal_cuts cuts;
    struct yore_error error = {.text = ""};
    enum yore_status st = seal_cuts_make(&b->job, &extent, &cuts, &error);
    CHECK_MSG(st == YORE_OK, "cuts: %s", error.text);
    CHECK(cuts.count >= 1 && cuts.count <= SEAL_SLICES_MAX && cuts.times[0] == t0);
    CHECK(cuts.times[cuts.count] <= t1);
    for (size_t i = 0; i < cuts.count; i++) {
        CHECK(cuts.times[i] < cuts.times[i + 1]);
    }
    return cuts;
}

/* Nearly all of what waits begins where the slice that grows ends: the cuts that one seal may make
 * are all there.  To end there once more would leave everything as it was, due again at once. */
TEST(a_seal_of_a_slice_that_grows_reaches_beyond_it)
{
    struct cuts_bed b;
    cuts_open(&b);
    put_often(&b, "k", AT(5), 10 * SEAL_SLICES_MAX);
    put_often(&b, "k", AT(9), 2);
    cuts_begin(&b, 1);
    struct seal_cuts cuts = make(&b, AT(0), AT(9) + 1, AT(5));
    CHECK_EQ_UINT(cuts.count, 1);
    CHECK_EQ_INT(cuts.times[1], AT(9) + 1);
    cuts = make(&b, AT(0), AT(9) + 1, AT(6)); /* further back even */
    CHECK_EQ_INT(cuts.times[cuts.count], AT(9) + 1);
    cuts_close(&b);
}

TEST(more_slices_than_are_allowed_leave_the_latest_time)
{
    struct cuts_bed b;
    cuts_open(&b);
    put_often(&b, "k", AT(5), 10 * SEAL_SLICES_MAX);
    put_often(&b, "k", AT(9), 2);
    cuts_begin(&b, 1);
    struct seal_cuts cuts = make(&b, AT(0), AT(9) + 1, AT(5) - 1); /* that is beyond the slice */
    CHECK_EQ_UINT(cuts.count, 1);
    CHECK_EQ_INT(cuts.times[1], AT(5));
    cuts = make(&b, AT(0), AT(9) + 1, AT(0)); /* and there is none */
    CHECK_EQ_UINT(cuts.count, 1);
    CHECK_EQ_INT(cuts.times[1], AT(5));
    cuts_close(&b);
}

TEST(few_versions_make_one_slice)
{
    struct cuts_bed b;
    cuts_open(&b);
    for (int i = 0; i < 10; i++) {
        put_often(&b, "k", AT(i), 1);
    }
    cuts_begin(&b, 1000);
    struct seal_cuts cuts = make(&b, AT(0), AT(9) + 1, AT(0));
    CHECK_EQ_UINT(cuts.count, 1);
    CHECK_EQ_INT(cuts.times[1], AT(9) + 1);
    cuts_close(&b);
}

TEST(slices_are_equal_shares_and_begin_where_versions_do)
{
    struct cuts_bed b;
    cuts_open(&b);
    for (int i = 0; i < 80; i++) {
        put_often(&b, "k", AT(i), 1);
    }
    cuts_begin(&b, 10);
    struct seal_cuts cuts = make(&b, AT(0), AT(79) + 1, AT(0));
    CHECK(cuts.count >= 6 && cuts.count <= 10);
    CHECK_EQ_INT(cuts.times[cuts.count], AT(79) + 1);
    for (size_t i = 1; i < cuts.count; i++) {
        CHECK_EQ_INT(cuts.times[i] % BED_SECOND, 0);
        int64_t share = (cuts.times[i] - cuts.times[i - 1]) / BED_SECOND;
        CHECK(share >= 6 && share <= 14);
    }
    cuts_close(&b);
}

/* So no slice is twice the size of another. */
TEST(shares_are_rounded_to_the_nearest_number)
{
    struct cuts_bed b;
    uint64_t bytes = 0;
    cuts_open(&b);
    for (int i = 0; i < 80; i++) {
        put_often(&b, "k", AT(i), 1);
    }
    cuts_begin(&b, 1);
    for (size_t i = 0; i < b.region.run_count; i++) {
        bytes += b.region.runs[i]->meta->file_bytes;
    }
    b.bed.db->options.seal_bytes_min = bytes * 10 / 24;
    CHECK_EQ_UINT(make(&b, AT(0), AT(79) + 1, AT(0)).count, 2);
    b.bed.db->options.seal_bytes_min = bytes * 10 / 26;
    CHECK_EQ_UINT(make(&b, AT(0), AT(79) + 1, AT(0)).count, 3);
    cuts_close(&b);
}

TEST(the_last_slice_grows_where_it_is_small_or_the_next_would_be_uneven)
{
    static const struct {
        uint64_t last; /* octets in files, where 100 are asked for */
        uint64_t runs;
        bool grows;
    } cases[] = {{79, 400, true},  {80, 400, false},  {120, 80, false},  {120, 79, true},
                 {120, 30, true},  {120, 29, false},  {20, 1, true},     {120, 120, false},
                 {120, 121, true}, {120, 159, true},  {120, 160, false}, {120, 240, false},
                 {120, 241, true}, {1000, 140, false}};
    struct yore_db db = {.options = {.seal_versions_per_key = 1, .seal_bytes_min = 100}};
    const struct forest_region none = {.slice_count = 0};
    const struct forest_region one = {.slice_count = 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct region_size size = {.live_bytes = 1,
                                         .run_bytes = 1000,
                                         .run_file_bytes = cases[i].runs,
                                         .last_slice_bytes = 1000,
                                         .last_slice_file_bytes = cases[i].last};
        test_note("%u beside %u", (unsigned)cases[i].runs, (unsigned)cases[i].last);
        CHECK_EQ_INT(seal_grows_last(&db, &one, &size), cases[i].grows);
        CHECK(!seal_grows_last(&db, &none, &size));
    }
}

/* What begins before the extent, or where it ends, is for others. */
TEST(only_what_begins_in_the_extent_is_cut)
{
    struct cuts_bed b;
    cuts_open(&b);
    put_often(&b, "k", AT(1), 40);
    put_often(&b, "k", AT(9), 40);
    put_often(&b, "k", AT(12), 1);
    cuts_begin(&b, 4);
    struct seal_cuts cuts = make(&b, AT(2), AT(9), AT(2));
    CHECK_EQ_UINT(cuts.count, 1);
    CHECK_EQ_INT(cuts.times[1], AT(9));
    cuts_close(&b);
}

/* What begins with the extent counts: here it is more than half, and a half is asked for. */
TEST(what_begins_with_the_extent_has_its_share)
{
    struct cuts_bed b;
    cuts_open(&b);
    put_often(&b, "k", AT(1), 60);
    put_often(&b, "k", AT(9), 20);
    put_often(&b, "k", AT(10), 20);
    cuts_begin(&b, 45);
    struct seal_cuts cuts = make(&b, AT(1), AT(10) + 1, AT(1));
    CHECK_EQ_UINT(cuts.count, 1);
    cuts = make(&b, AT(2), AT(10) + 1, AT(2));
    CHECK_EQ_UINT(cuts.count, 2);
    CHECK_EQ_INT(cuts.times[1], AT(10)); /* with the present there are as many as at AT(9) */
    cuts_close(&b);
}

TEST(a_time_is_found_in_the_slice_that_begins_with_it)
{
    const struct seal_cuts cuts = {.times = {10, 20, 30, 40}, .count = 3};
    CHECK_EQ_UINT(seal_cuts_find(&cuts, 10), 0);
    CHECK_EQ_UINT(seal_cuts_find(&cuts, 19), 0);
    CHECK_EQ_UINT(seal_cuts_find(&cuts, 20), 1);
    CHECK_EQ_UINT(seal_cuts_find(&cuts, 29), 1);
    CHECK_EQ_UINT(seal_cuts_find(&cuts, 30), 2);
    CHECK_EQ_UINT(seal_cuts_find(&cuts, 39), 2);
}

TEST_MAIN(a_seal_of_a_slice_that_grows_reaches_beyond_it,
          more_slices_than_are_allowed_leave_the_latest_time, few_versions_make_one_slice,
          slices_are_equal_shares_and_begin_where_versions_do,
          shares_are_rounded_to_the_nearest_number,
          the_last_slice_grows_where_it_is_small_or_the_next_would_be_uneven,
          only_what_begins_in_the_extent_is_cut, what_begins_with_the_extent_has_its_share,
          a_time_is_found_in_the_slice_that_begins_with_it)
