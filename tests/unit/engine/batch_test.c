/* batch_test.c -- batches with spans: what they cover, what holds again behind them, one commit. */
#include <string.h>

#include "base/mem.h"
#include "engine/batch.h"
#include "engine/db_internal.h"
#include "journal/commit_codec.h"
#include "unit/engine/bed.h"

static struct yore_batch *new_batch(struct bed *bed)
{
    struct yore_batch *batch;
    CHECK_OK(yore_batch_new(bed->db, &batch, NULL));
    return batch;
}

/* NULL: delete. */
static void add(struct yore_batch *batch, const char *key, const char *value, int64_t from,
                int64_t to, bool is_span)
{
    struct yore_error error = {.text = ""};
    struct yore_write write = {.from = from, .to = to, .is_span = is_span};
    enum yore_status st = value != NULL
                              ? yore_batch_put(batch, NULL, text(key), text(value), &write, &error)
                              : yore_batch_delete(batch, NULL, text(key), &write, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
}

static void add_span(struct yore_batch *batch, const char *key, const char *value, int from, int to)
{
    add(batch, key, value, AT(from), AT(to), true);
}

static int64_t commit(struct yore_batch *batch)
{
    struct yore_error error = {.text = ""};
    int64_t commit = 0;
    enum yore_status st = yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, &commit, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return commit;
}

/* The key's values at 0, 10, 20, ... 90 seconds and now, each a letter. */
static const char *course(struct bed *bed, const char *key)
{
    static char values[2][16];
    static unsigned next;
    char *to = values[next++ % 2];
    for (int i = 0; i < 10; i++) {
        to[i] = get_at(bed->db, key, AT(10 * i), YORE_NOW)[0];
    }
    to[10] = get(bed->db, key)[0];
    to[11] = '\0';
    return to;
}

TEST(behind_a_span_of_a_batch_holds_what_held_there)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        (void)put_at(bed.db, "k", "a", AT(0), YORE_FOREVER);
        (void)put_at(bed.db, "k", "b", AT(30), YORE_FOREVER);
        (void)put_at(bed.db, "gone", "a", AT(0), AT(40));
        bed_age(&bed, age);
        struct yore_batch *batch = new_batch(&bed);
        add_span(batch, "k", "x", 20, 50);
        add_span(batch, "gone", NULL, 10, 20);
        add(batch, "plain", "p", YORE_NOW, YORE_FOREVER, false);
        CHECK_EQ_UINT(yore_batch_count(batch), 3);
        int64_t time = commit(batch);
        CHECK_EQ_STR(course(&bed, "k"), "aaxxxbbbbbb");
        CHECK_EQ_STR(course(&bed, "gone"), "a-aa-------");
        CHECK_EQ_STR(get(bed.db, "plain"), "p");
        CHECK_EQ_STR(get_at(bed.db, "k", AT(20), time - 1), "a");
        CHECK_EQ_UINT(yore_batch_count(batch), 0);
        yore_batch_free(batch);
        bed_age(&bed, age);
        CHECK_EQ_STR(course(&bed, "k"), "aaxxxbbbbbb");
        bed_close(&bed);
    }
}

TEST(a_span_sees_the_earlier_writes_of_its_batch)
{
    for (int is_large = 0; is_large < 2;
         is_large++) { /* large values are apart before the commit */
        static char x[400] = "x";
        static char y[400] = "y";
        struct bed bed;
        memset(x + 1, is_large ? '+' : 0, sizeof x - 2);
        memset(y + 1, is_large ? '+' : 0, sizeof y - 2);
        bed_open(&bed);
        struct yore_batch *batch = new_batch(&bed);
        add(batch, "k", x, AT(10), YORE_FOREVER, false);
        add_span(batch, "k", y, 20, 60);
        add_span(batch, "k", x, 30, 40); /* inside another */
        add_span(batch, "k", NULL, 50, 80);
        add(batch, "k", "z", AT(90), YORE_FOREVER, false);
        (void)commit(batch);
        CHECK_EQ_STR(course(&bed, "k"), "-xyxy---xzz");
        yore_batch_free(batch);
        bed_age(&bed, 3);
        CHECK_EQ_STR(course(&bed, "k"), "-xyxy---xzz");
        CHECK_EQ_STR(get_at(bed.db, "k", AT(45), YORE_NOW), y);
        CHECK_EQ_STR(get_at(bed.db, "k", AT(85), YORE_NOW), x);
        struct yore_verify_report report;
        CHECK_OK(yore_verify(bed.db, NULL, NULL, &report, NULL));
        bed_close(&bed);
    }
}

TEST(a_span_is_laid_over_what_holds_at_the_commit)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_batch *batch = new_batch(&bed);
    add_span(batch, "k", "x", 20, 50);
    (void)put_at(bed.db, "k", "a", AT(0), YORE_FOREVER);
    (void)commit(batch);
    CHECK_EQ_STR(course(&bed, "k"), "aaxxxaaaaaa");
    yore_batch_free(batch);
    bed_close(&bed);
}

TEST(a_batch_is_as_it_was_after_a_refused_span)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "a", AT(0), YORE_FOREVER);
    struct yore_batch *batch = new_batch(&bed);
    add_span(batch, "k", "x", 20, 50);
    struct yore_write ahead = {
        .from = AT(0), .to = yore_now(bed.db) + 100 * BED_SECOND, .is_span = true};
    CHECK_STATUS(yore_batch_put(batch, NULL, text("k"), text("y"), &ahead, NULL), YORE_IN_FUTURE);
    struct yore_write now = {.from = YORE_NOW, .to = ahead.to, .is_span = true};
    CHECK_STATUS(yore_batch_put(batch, NULL, text("k"), text("y"), &now, NULL), YORE_IN_FUTURE);
    CHECK_EQ_UINT(yore_batch_count(batch), 1);
    (void)commit(batch);
    CHECK_EQ_STR(course(&bed, "k"), "aaxxxaaaaaa");
    add_span(batch, "k", "y", 0, 10);
    yore_batch_clear(batch);
    add(batch, "k", "z", YORE_NOW, YORE_FOREVER, false); /* no span is left over */
    (void)commit(batch);
    CHECK_EQ_STR(course(&bed, "k"), "aaxxxaaaaaz");
    yore_batch_free(batch);
    bed_close(&bed);
}

TEST(a_span_without_end_covers_what_begins_later)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "a", AT(0), YORE_FOREVER);
    (void)put_at(bed.db, "k", "b", AT(50), YORE_FOREVER);
    struct yore_batch *batch = new_batch(&bed);
    add(batch, "k", "x", AT(20), YORE_FOREVER, true);
    add(batch, "new", "x", YORE_NOW, YORE_FOREVER, true);
    (void)commit(batch);
    CHECK_EQ_STR(course(&bed, "k"), "aaxxxxxxxxx");
    CHECK_EQ_STR(get(bed.db, "new"), "x");
    yore_batch_free(batch);
    bed_close(&bed);
}

/* A write from now on begins at the commit, and no date of the batch lies behind that. */
TEST(what_is_written_from_now_on_begins_after_the_end_of_every_span)
{
    struct bed bed;
    bed_open(&bed);
    (void)put_at(bed.db, "k", "old", AT(0), YORE_FOREVER);
    struct yore_batch *batch = new_batch(&bed);
    int64_t ahead = yore_now(bed.db) + 100000000; /* within clock_skew_max */
    add(batch, "k", "new", YORE_NOW, YORE_FOREVER, false);
    add(batch, "k", "span", AT(20), ahead, true);
    int64_t time = commit(batch);
    CHECK(time > ahead);
    CHECK_EQ_STR(get_at(bed.db, "k", ahead - 1, YORE_NOW), "span");
    CHECK_EQ_STR(get_at(bed.db, "k", ahead, YORE_NOW), "old");
    CHECK_EQ_STR(get_at(bed.db, "k", time - 1, YORE_NOW), "old");
    CHECK_EQ_STR(get_at(bed.db, "k", time, YORE_NOW), "new");
    add(batch, "k", "newer", YORE_NOW, YORE_FOREVER, false);
    add(batch, "k", "all", AT(30), YORE_FOREVER, true);
    (void)commit(batch);
    CHECK_EQ_STR(get(bed.db, "k"), "all");
    yore_batch_free(batch);
    bed_close(&bed);
}

static void put_now(struct yore_batch *batch, const char *key, const char *value)
{
    add(batch, key, value, YORE_NOW, YORE_FOREVER, false);
}

TEST(each_part_of_a_cut_batch_is_a_commit_of_its_own)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_batch *batch = new_batch(&bed);
    CHECK_OK(yore_batch_cut(batch, NULL)); /* nothing yet: no commit */
    put_now(batch, "k", "a");
    put_now(batch, "j", "a");
    CHECK_OK(yore_batch_cut(batch, NULL));
    put_now(batch, "k", "b");
    CHECK_OK(yore_batch_cut(batch, NULL));
    CHECK_OK(yore_batch_cut(batch, NULL));
    put_now(batch, "k", "c"); /* cut by the commit */
    CHECK_EQ_UINT(yore_batch_count(batch), 4);
    int64_t last = commit(batch);
    CHECK_EQ_UINT(yore_batch_count(batch), 0);
    static const char values[] = "cba";
    int64_t time = last;
    for (int i = 0; i < 3; i++) {
        struct yore_value value;
        struct yore_time at = {time, YORE_NOW};
        CHECK_OK(yore_get(bed.db, NULL, text("k"), &at, &value, NULL));
        CHECK_EQ_BYTES(value.data, value.size, &values[i], 1);
        CHECK(i == 0 ? value.commit == last : value.commit <= time);
        time = value.commit - 1;
        yore_value_release(&value);
    }
    CHECK_EQ_STR(get_at(bed.db, "j", time, YORE_NOW), "-");
    put_now(batch, "k", "d"); /* the batch may be used again, uncut */
    put_now(batch, "j", "d");
    time = commit(batch);
    CHECK_EQ_STR(get_at(bed.db, "k", time, YORE_NOW), "d");
    CHECK_EQ_STR(get_at(bed.db, "j", time, YORE_NOW), "d");
    CHECK_EQ_STR(get_at(bed.db, "j", time - 1, YORE_NOW), "a");
    yore_batch_free(batch);
    bed_close(&bed);
}

TEST(reverting_a_batch_keeps_what_was_cut)
{
    struct bed bed;
    bed_open(&bed);
    struct yore_batch *batch = new_batch(&bed);
    put_now(batch, "k", "a");
    CHECK_OK(yore_batch_cut(batch, NULL));
    put_now(batch, "k", "b");
    put_now(batch, "j", "b");
    yore_batch_revert(batch);
    CHECK_EQ_UINT(yore_batch_count(batch), 1);
    put_now(batch, "i", "c");
    (void)commit(batch);
    CHECK_EQ_STR(get(bed.db, "k"), "a");
    CHECK_EQ_STR(get(bed.db, "j"), "-");
    CHECK_EQ_STR(get(bed.db, "i"), "c");
    put_now(batch, "k", "x");
    yore_batch_revert(batch);
    CHECK_EQ_UINT(yore_batch_count(batch), 0);
    yore_batch_free(batch);
    bed_close(&bed);
}

TEST(spans_and_cuts_exclude_each_other)
{
    struct bed bed;
    struct yore_error error = {.text = ""};
    struct yore_write span = {.from = AT(1), .to = AT(2), .is_span = true};
    bed_open(&bed);
    struct yore_batch *batch = new_batch(&bed);
    add_span(batch, "k", "x", 20, 50);
    CHECK_STATUS(yore_batch_cut(batch, &error), YORE_INVALID);
    CHECK_EQ_UINT(yore_batch_count(batch), 0);
    put_now(batch, "k", "a");
    CHECK_OK(yore_batch_cut(batch, NULL));
    CHECK_STATUS(yore_batch_put(batch, NULL, text("k"), text("b"), &span, &error), YORE_INVALID);
    (void)commit(batch);
    CHECK_EQ_STR(get(bed.db, "k"), "a");
    yore_batch_free(batch);
    bed_close(&bed);
}

/* A nanosecond from commit to commit: a value that ends `left` after its commit, written over at
 * the next one. */
static enum commit_below put_over_ending(struct bed *bed, const char *key, int64_t left)
{
    int64_t begin = yore_now(bed->db) + 1;
    struct yore_write ends = {.from = YORE_NOW, .to = begin + left};
    struct yore_batch *batch = new_batch(bed);
    CHECK_OK(yore_put(bed->db, NULL, text(key), text("old"), &ends, NULL));
    add(batch, key, "new", YORE_NOW, YORE_FOREVER, false);
    batch_ask_below(batch);
    CHECK_OK(yore_batch_cut(batch, NULL));
    CHECK_EQ_INT(commit(batch), begin + 1);
    enum commit_below below = batch_below(batch, 0);
    yore_batch_free(batch);
    return below;
}

TEST(a_value_that_ends_at_a_commit_is_not_there_when_it_is_written_over)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "other", "x");
    (void)yore_now(bed.db);
    sim_disk_set_wall(bed.disk, BED_T0 - 1000 * BED_SECOND);
    CHECK_EQ_INT(put_over_ending(&bed, "a", 2), BELOW_VALUE);
    CHECK_EQ_INT(put_over_ending(&bed, "b", 1), BELOW_NOTHING);
    bed_close(&bed);
}

/* Add a put to a batch that has all octets it may have but `left`; how many it took. */
static enum yore_status put_near_limit(struct bed *bed, struct buffer *writes, size_t left,
                                       size_t value_bytes, size_t *taken_out)
{
    struct yore_error error = {.text = ""};
    struct commit_request request = {.writes = writes, .valid_max = INT64_MIN};
    static const unsigned char value[1000];
    const struct fact fact = {.keyspace = bed->db->default_keyspace,
                              .kind = YORE_KIND_PUT,
                              .key = text("key"),
                              .value = bytes_of(value, value_bytes),
                              .from = YORE_NOW,
                              .to = YORE_FOREVER};
    const size_t before = YORE_BATCH_BYTES_MAX - COMMIT_HEADER_BYTES - left;
    writes->size = before; /* what would be there is not looked at */
    enum yore_status st = fact_encode(bed->db, &fact, writes, &request, &error);
    values_let_go(bed->db->values, &request.value_hold);
    *taken_out = writes->size - before;
    return st;
}

TEST(a_batch_may_have_exactly_as_many_octets_as_the_limit_says)
{
    struct bed bed;
    size_t taken;
    struct buffer writes = {.capacity = YORE_BATCH_BYTES_MAX + (1u << 20)};
    bed_open(&bed);
    writes.data = mem_alloc(writes.capacity); /* hardly any of it is touched */
    CHECK(writes.data != NULL);
    CHECK_OK(put_near_limit(&bed, &writes, 1000, 100, &taken));
    CHECK(taken > 100 && taken < 120);
    CHECK_OK(put_near_limit(&bed, &writes, taken, 100, &taken));
    CHECK_STATUS(put_near_limit(&bed, &writes, taken - 1, 100, &taken), YORE_TOO_BIG);
    CHECK_EQ_UINT(taken, 0);
    mem_free(writes.data);
    bed_close(&bed);
}

TEST(a_value_that_goes_apart_counts_as_its_reference)
{
    struct bed bed;
    size_t taken;
    struct buffer writes = {.capacity = YORE_BATCH_BYTES_MAX + (1u << 20)};
    bed_open(&bed);
    writes.data = mem_alloc(writes.capacity);
    CHECK(writes.data != NULL);
    CHECK_OK(put_near_limit(&bed, &writes, 100, 1000, &taken));
    CHECK(taken < 50);
    CHECK_OK(put_near_limit(&bed, &writes, taken, 1000, &taken));
    uint64_t used = sim_disk_used(bed.disk);
    CHECK_STATUS(put_near_limit(&bed, &writes, taken - 1, 1000, &taken), YORE_TOO_BIG);
    CHECK_EQ_UINT(sim_disk_used(bed.disk), used); /* refused before it was written */
    mem_free(writes.data);
    bed_close(&bed);
}

TEST_MAIN(a_batch_may_have_exactly_as_many_octets_as_the_limit_says,
          a_value_that_goes_apart_counts_as_its_reference,
          a_value_that_ends_at_a_commit_is_not_there_when_it_is_written_over,
          each_part_of_a_cut_batch_is_a_commit_of_its_own, reverting_a_batch_keeps_what_was_cut,
          spans_and_cuts_exclude_each_other, behind_a_span_of_a_batch_holds_what_held_there,
          a_span_sees_the_earlier_writes_of_its_batch, a_span_is_laid_over_what_holds_at_the_commit,
          a_batch_is_as_it_was_after_a_refused_span, a_span_without_end_covers_what_begins_later,
          what_is_written_from_now_on_begins_after_the_end_of_every_span)
