/* changes_test.c -- the difference of two moments, and every step between them. */
#include <stdio.h>
#include <string.h>

#include "engine/db_internal.h"
#include "support/store.h"
#include "unit/engine/bed.h"

#define TEXT_BYTES 8192

/* The changes told: "+a@10=x" added, "~a@20=x>y" changed, "-a@30=x" removed; moments in seconds. */
static const char *told(struct yore_db *db, const struct yore_changes_options *options)
{
    static char out[TEXT_BYTES];
    static const char marks[] = {'?', '+', '~', '-'};
    struct yore_changes *changes = NULL;
    struct yore_change change;
    struct yore_error error = {.text = ""};
    size_t size = 0;
    enum yore_status st = yore_changes_open(db, NULL, options, &changes, &error);
    CHECK_MSG(st == YORE_OK, "open: %s", error.text);
    out[0] = '\0';
    while ((st = yore_changes_next(changes, &change, &error)) == YORE_OK) {
        CHECK((change.kind == YORE_CHANGE_ADDED) == (change.before.data == NULL));
        CHECK((change.kind == YORE_CHANGE_REMOVED) == (change.after.data == NULL));
        size += (size_t)snprintf(
            out + size, TEXT_BYTES - size, "%c%.*s@%lld=%.*s%s%.*s ", marks[change.kind],
            (int)change.key.size, (const char *)change.key.data,
            (long long)((change.time - BED_BASE) / BED_SECOND), (int)change.before.size,
            change.before.data != NULL ? (const char *)change.before.data : "",
            change.kind == YORE_CHANGE_CHANGED ? ">" : "", (int)change.after.size,
            change.after.data != NULL ? (const char *)change.after.data : "");
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "next: %s", error.text);
    yore_changes_close(changes);
    return out;
}

static const char *net(struct yore_db *db, int64_t from, int64_t to)
{
    struct yore_changes_options options = {.from = from, .to = to, .known = YORE_NOW};
    return told(db, &options);
}

static const char *every(struct yore_db *db, int64_t from, int64_t to)
{
    struct yore_changes_options options = {
        .from = from, .to = to, .known = YORE_NOW, .every_version = true};
    return told(db, &options);
}

static void fill(struct bed *bed, int age)
{
    bed_open(bed);
    put_at(bed->db, "added", "x", AT(15), YORE_FOREVER);
    put_at(bed->db, "back", "x", AT(5), YORE_FOREVER);
    put_at(bed->db, "back", "y", AT(12), YORE_FOREVER);
    put_at(bed->db, "back", "x", AT(14), YORE_FOREVER);
    put_at(bed->db, "changed", "x", AT(5), YORE_FOREVER);
    put_at(bed->db, "changed", "y", AT(12), YORE_FOREVER);
    bed_age(bed, age);
    put_at(bed->db, "changed", "z", AT(13), YORE_FOREVER);
    put_at(bed->db, "deleted", "x", AT(5), YORE_FOREVER);
    delete_at(bed->db, "deleted", AT(16));
    put_at(bed->db, "expired", "x", AT(5), AT(18));
    put_at(bed->db, "fleeting", "x", AT(11), AT(12));
    put_at(bed->db, "later", "x", AT(21), YORE_FOREVER);
    put_at(bed->db, "same", "x", AT(5), YORE_FOREVER);
    bed_age(bed, age);
}

TEST(net_difference_compares_two_states)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        fill(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(net(bed.db, AT(10), AT(20)),
                     "+added@15=x ~changed@13=x>z -deleted@16=x -expired@18=x ");
        CHECK_EQ_STR(net(bed.db, AT(20), AT(21)), "+later@21=x ");
        CHECK_EQ_STR(net(bed.db, AT(10), AT(10)), "");
        bed_close(&bed);
    }
}

TEST(every_step_is_told_in_the_order_of_keys)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        fill(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(every(bed.db, AT(10), AT(20)),
                     "+added@15=x ~back@12=x>y ~back@14=y>x ~changed@12=x>y ~changed@13=y>z "
                     "-deleted@16=x -expired@18=x +fleeting@11=x -fleeting@12=x ");
        CHECK_EQ_STR(every(bed.db, AT(12), AT(13)), "~changed@13=y>z ");
        CHECK_EQ_STR(every(bed.db, AT(17), AT(18)), "-expired@18=x ");
        CHECK_EQ_STR(every(bed.db, AT(18), AT(18)), "");
        bed_close(&bed);
    }
}

TEST(changes_come_by_time_when_asked_for)
{
    struct bed bed;
    fill(&bed, 0);
    struct yore_changes_options options = {
        .from = AT(10), .to = AT(20), .known = YORE_NOW, .in_time_order = true};
    CHECK_EQ_STR(told(bed.db, &options),
                 "~changed@13=x>z +added@15=x -deleted@16=x -expired@18=x ");
    options.every_version = true;
    CHECK_EQ_STR(told(bed.db, &options),
                 "+fleeting@11=x ~back@12=x>y ~changed@12=x>y -fleeting@12=x ~changed@13=y>z "
                 "~back@14=y>x +added@15=x -deleted@16=x -expired@18=x ");
    bed_close(&bed);
}

TEST(range_and_prefix_limit_the_keys)
{
    struct bed bed;
    fill(&bed, 0);
    struct yore_changes_options options = {.from = AT(10), .to = AT(20), .known = YORE_NOW};
    options.range.low = text("b");
    options.range.high = text("deleted");
    CHECK_EQ_STR(told(bed.db, &options), "~changed@13=x>z ");
    options.every_version = true;
    CHECK_EQ_STR(told(bed.db, &options),
                 "~back@12=x>y ~back@14=y>x ~changed@12=x>y ~changed@13=y>z ");
    options.range = (struct yore_range){.prefix = text("e")};
    CHECK_EQ_STR(told(bed.db, &options), "-expired@18=x ");
    options.range.low = text("a");
    struct yore_changes *changes = NULL;
    CHECK_STATUS(yore_changes_open(bed.db, NULL, &options, &changes, NULL), YORE_INVALID);
    bed_close(&bed);
}

TEST(known_time_leaves_out_what_was_learned_later)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        int64_t known = put_at(bed.db, "a", "x", AT(5), AT(15));
        bed_age(&bed, age);
        put_at(bed.db, "a", "late", AT(8), YORE_FOREVER);
        put_at(bed.db, "b", "late", AT(12), YORE_FOREVER);
        bed_age(&bed, age);
        struct yore_changes_options options = {.from = AT(10), .to = AT(20), .known = known};
        test_note("age %d", age);
        CHECK_EQ_STR(told(bed.db, &options), "-a@15=x ");
        options.every_version = true;
        CHECK_EQ_STR(told(bed.db, &options), "-a@15=x ");
        CHECK_EQ_STR(net(bed.db, AT(10), AT(20)), "+b@12=late ");
        CHECK_EQ_STR(every(bed.db, AT(6), AT(20)), "~a@8=x>late +b@12=late ");
        bed_close(&bed);
    }
}

TEST(erased_values_count_as_absent)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        put_at(bed.db, "a", "one", AT(10), YORE_FOREVER);
        put_at(bed.db, "a", "secret", AT(20), YORE_FOREVER);
        put_at(bed.db, "a", "three", AT(40), YORE_FOREVER);
        bed_age(&bed, age);
        erase_key(bed.db, "a", AT(15), AT(30));
        bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(every(bed.db, AT(5), AT(50)),
                     "+a@10=one -a@15=one +a@30=secret ~a@40=secret>three ");
        CHECK_EQ_STR(net(bed.db, AT(12), AT(16)), "-a@15=one ");
        CHECK_EQ_STR(net(bed.db, AT(16), AT(35)), "+a@30=secret ");
        CHECK_EQ_STR(net(bed.db, AT(16), AT(25)), "");
        bed_close(&bed);
    }
}

TEST(empty_value_is_a_value)
{
    struct bed bed;
    bed_open(&bed);
    put_at(bed.db, "a", "", AT(10), YORE_FOREVER);
    put_at(bed.db, "a", "x", AT(20), YORE_FOREVER);
    CHECK_EQ_STR(every(bed.db, AT(5), AT(30)), "+a@10= ~a@20=>x ");
    CHECK_EQ_STR(net(bed.db, AT(5), AT(15)), "+a@10= ");
    CHECK_EQ_STR(net(bed.db, AT(15), AT(25)), "~a@20=>x ");
    bed_close(&bed);
}

TEST(values_apart_are_fetched_on_both_sides)
{
    char large[2][1001];
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < 2; i++) {
        memset(large[i], 'x' + i, 1000);
        large[i][1000] = '\0';
        put_at(bed.db, "a", large[i], AT(10 + 10 * i), YORE_FOREVER);
    }
    for (int i = 0; i < 2; i++) {
        struct yore_changes_options options = {
            .from = AT(15), .to = AT(25), .known = YORE_NOW, .every_version = i == 1};
        struct yore_changes *changes = NULL;
        struct yore_change change;
        CHECK_OK(yore_changes_open(bed.db, NULL, &options, &changes, NULL));
        CHECK_OK(yore_changes_next(changes, &change, NULL));
        CHECK_EQ_BYTES(change.before.data, change.before.size, large[0], 1000);
        CHECK_EQ_BYTES(change.after.data, change.after.size, large[1], 1000);
        yore_changes_close(changes);
    }
    bed_close(&bed);
}

TEST(changes_of_unordered_or_forgotten_moments_are_refused)
{
    struct bed bed;
    struct yore_changes *changes = NULL;
    struct yore_changes_options options = {.from = AT(20), .to = AT(10), .known = YORE_NOW};
    bed_open(&bed);
    CHECK_STATUS(yore_changes_open(bed.db, NULL, &options, &changes, NULL), YORE_INVALID);
    CHECK_OK(yore_trim(bed.db, NULL, AT(15), NULL));
    options.from = AT(10);
    options.to = YORE_NOW;
    CHECK_STATUS(yore_changes_open(bed.db, NULL, &options, &changes, NULL), YORE_BEFORE_HORIZON);
    bed_close(&bed);
}

/* ---- the cost ---- */

#define COST_KEYS 12000
#define COST_ROUNDS 3

static void add_pages(void *arg, const struct yore_stat *stat)
{
    if (strcmp(stat->name, "cache_hits") == 0 || strcmp(stat->name, "cache_misses") == 0) {
        *(uint64_t *)arg += stat->value;
    }
}

static uint64_t pages_asked(struct yore_db *db)
{
    uint64_t pages = 0;
    yore_stats(db, add_pages, &pages);
    return pages;
}

/* Every key once a round, in an order that has nothing to do with theirs, one a second. */
static void fill_evenly(struct yore_db *db)
{
    struct yore_batch *batch = NULL;
    CHECK_OK(yore_batch_new(db, &batch, NULL));
    for (int i = 0; i < COST_KEYS * COST_ROUNDS; i++) {
        char key[16];
        char value[32];
        struct yore_write write = {.from = AT(i + 1), .to = YORE_FOREVER};
        (void)snprintf(key, sizeof key, "k%05d", (int)((int64_t)i * 1597 % COST_KEYS));
        (void)snprintf(value, sizeof value, "value %d", i);
        CHECK_OK(yore_batch_put(batch, NULL, text(key), text(value), &write, NULL));
        if (i % 500 == 499) {
            CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
            yore_batch_clear(batch);
        }
    }
    yore_batch_free(batch);
}

static uint64_t pages_of_changes(struct yore_db *db, int64_t from, int64_t to, bool every_version,
                                 int count)
{
    uint64_t before = pages_asked(db);
    struct yore_changes_options options = {
        .from = from, .to = to, .known = YORE_NOW, .every_version = every_version};
    struct yore_changes *changes = NULL;
    struct yore_change change;
    int told_count = 0;
    enum yore_status st;
    CHECK_OK(yore_changes_open(db, NULL, &options, &changes, NULL));
    while ((st = yore_changes_next(changes, &change, NULL)) == YORE_OK) {
        told_count++;
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    yore_changes_close(changes);
    CHECK_EQ_INT(told_count, count);
    return pages_asked(db) - before;
}

/* The changes between two moments cost about the number of changes. */
TEST(few_changes_in_a_wide_range_read_few_pages)
{
    struct bed bed;
    bed_open_tables(&bed, 1u << 20);
    fill_evenly(bed.db);
    bed_age(&bed, 3);
    uint64_t whole = pages_of_changes(bed.db, AT(0), AT(COST_KEYS), false, COST_KEYS);
    for (int i = 0; i < 20; i++) {
        int begin = 1 + i * (COST_KEYS * COST_ROUNDS / 20);
        for (int changes = 1; changes <= 4; changes += 3) {
            for (int is_every = 0; is_every < 2; is_every++) {
                uint64_t few =
                    pages_of_changes(bed.db, AT(begin), AT(begin + changes), is_every, changes);
                test_note("from %d: %d pages for %d changes, %d for all", begin, (int)few, changes,
                          (int)whole);
                /* A version of the present lies in the last slice, too. */
                CHECK(few <= (uint64_t)(28 + 8 * changes) && few * 2 < whole);
            }
        }
    }
    bed_close(&bed);
}

static uint64_t reads(struct yore_db *db)
{
    static const char *const sources[] = {"memtable", "l0",        "levels", "runs",
                                          "slices",   "late_runs", "carried"};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "reads_from_%s", sources[i]);
        sum += store_stat(db, name);
    }
    return sum;
}

/* A slice has all there was of a key, beside what has changed: nothing is searched for. */
TEST(few_changes_inside_a_slice_are_told_without_a_search)
{
    struct bed bed;
    const int middle = COST_KEYS * COST_ROUNDS / 2;
    bed_open_tables(&bed, 1u << 20);
    fill_evenly(bed.db);
    put_at(bed.db, "expires", "x", AT(5), AT(middle + 2));
    put_at(bed.db, "goes", "x", AT(5), YORE_FOREVER);
    delete_at(bed.db, "goes", AT(middle + 3));
    bed_age(&bed, 3);
    uint64_t before = reads(bed.db);
    pages_of_changes(bed.db, AT(middle), AT(middle + 4), false, 6);
    CHECK_EQ_UINT(reads(bed.db), before);
    put_at(bed.db, "other", "x", AT(1), YORE_FOREVER); /* not in the slice: all is searched for */
    pages_of_changes(bed.db, AT(middle), AT(middle + 4), false, 6);
    CHECK(reads(bed.db) >= before + 6);
    bed_close(&bed);
}

static void put_each_second(struct yore_db *db, const char *key, int count)
{
    struct yore_batch *batch = NULL;
    CHECK_OK(yore_batch_new(db, &batch, NULL));
    for (int i = 1; i <= count; i++) {
        char value[16];
        struct yore_write write = {.from = AT(i), .to = YORE_FOREVER};
        (void)snprintf(value, sizeof value, "%d", i);
        CHECK_OK(yore_batch_put(batch, NULL, text(key), text(value), &write, NULL));
    }
    CHECK_OK(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, NULL));
    yore_batch_free(batch);
}

/* Where a slice ends in the midst of what a key went through, the next one has of it no more than
 * the last state. */
TEST(changes_up_to_where_a_slice_ends_are_told)
{
    struct bed bed;
    bed_open_tables(&bed, 1u << 20);
    bed.db->options.seal_bytes_min = 1ull << 40; /* not yet */
    fill_evenly(bed.db);
    put_each_second(bed.db, "often", COST_KEYS * COST_ROUNDS);
    CHECK_OK(yore_flush(bed.db, NULL));
    bed.db->options.seal_bytes_min = 1;
    bed.db->options.seal_versions_per_key = 1;
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    struct superview *view = superview_acquire(bed.db);
    const struct forest_tree *tree = forest_tree(view->forest, 1);
    CHECK(tree != NULL && tree->region_count == 1 && tree->regions[0].slice_count > 1);
    for (size_t i = 0; i + 1 < tree->regions[0].slice_count; i++) {
        int64_t end = tree->regions[0].slices[i].t1;
        int second = (int)((end - BED_BASE) / BED_SECOND);
        char change[64];
        (void)snprintf(change, sizeof change, "~often@%d=%d>%d ", second, second - 3, second);
        CHECK(strstr(net(bed.db, end - 3 * BED_SECOND, end), change) != NULL);
    }
    superview_release(view);
    bed_close(&bed);
}

/* What was sealed ends where the latest version begins; the next one may begin a nanosecond later,
 * when the clock was set back. */
TEST(a_change_that_begins_where_what_is_sealed_ends_is_told)
{
    struct bed bed;
    bed_open_tables(&bed, 1u << 20);
    fill_evenly(bed.db);
    int64_t last = put(bed.db, "k00007", "last");
    sim_disk_set_wall(bed.disk, BED_T0);
    bed_age(&bed, 2);
    CHECK(store_stat(bed.db, "seals") > 0);
    int64_t next = put(bed.db, "k00008", "next");
    CHECK_EQ_INT(next, last + 1);
    CHECK_OK(yore_flush(bed.db, NULL));
    for (int is_every = 0; is_every < 2; is_every++) {
        (void)pages_of_changes(bed.db, last, next, is_every, 1);
        (void)pages_of_changes(bed.db, last - 1, next, is_every, 2);
        (void)pages_of_changes(bed.db, last - 1, last, is_every, 1);
    }
    bed_close(&bed);
}

/* Of two versions that begin together the one that was corrected has its end in between. */
TEST(an_end_that_was_corrected_away_is_no_change)
{
    struct bed bed;
    const int middle = COST_KEYS * COST_ROUNDS / 2;
    bed_open_tables(&bed, 1u << 20);
    fill_evenly(bed.db);
    int64_t known = put_at(bed.db, "ends", "x", AT(middle), AT(middle + 2));
    put_at(bed.db, "ends", "x", AT(middle), YORE_FOREVER);
    for (int age = 0; age < 3; age++) {
        bed_age(&bed, age);
        test_note("age %d", age);
        pages_of_changes(bed.db, AT(middle), AT(middle + 4), false, 4);
        struct yore_changes_options as_known = {
            .from = AT(middle), .to = AT(middle + 2), .known = known, .range.prefix = text("e")};
        char key_told[32];
        (void)snprintf(key_told, sizeof key_told, "-ends@%d=x ", middle + 2);
        CHECK_EQ_STR(told(bed.db, &as_known), key_told);
    }
    bed_close(&bed);
}

TEST_MAIN(changes_up_to_where_a_slice_ends_are_told, net_difference_compares_two_states,
          every_step_is_told_in_the_order_of_keys, changes_come_by_time_when_asked_for,
          range_and_prefix_limit_the_keys, known_time_leaves_out_what_was_learned_later,
          erased_values_count_as_absent, empty_value_is_a_value,
          values_apart_are_fetched_on_both_sides,
          changes_of_unordered_or_forgotten_moments_are_refused,
          few_changes_in_a_wide_range_read_few_pages,
          few_changes_inside_a_slice_are_told_without_a_search,
          a_change_that_begins_where_what_is_sealed_ends_is_told,
          an_end_that_was_corrected_away_is_no_change)
