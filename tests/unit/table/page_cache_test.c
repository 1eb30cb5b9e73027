/* page_cache_test.c -- the bound, the classes, pins, and many threads at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "os/thread.h"
#include "support/test.h"
#include "table_fixture.h"

#define ROWS 3000
#define VALUE_BYTES 90

struct rows {
    struct version versions[ROWS];
    char keys[ROWS][8];
    unsigned char values[ROWS][VALUE_BYTES];
};

static struct rows *make_rows(struct test_rand *rand)
{
    struct rows *rows = malloc(sizeof(*rows));
    CHECK(rows != NULL);
    test_rand_fill(rand, rows->values, sizeof(rows->values));
    for (unsigned i = 0; i < ROWS; i++) {
        snprintf(rows->keys[i], sizeof(rows->keys[i]), "k%05u", i);
        rows->versions[i] = (struct version){.key = bytes_of(rows->keys[i], 6),
                                             .valid_from = i,
                                             .commit = i,
                                             .valid_to = YORE_FOREVER,
                                             .kind = YORE_KIND_PUT,
                                             .value = bytes_of(rows->values[i], VALUE_BYTES)};
    }
    return rows;
}

static struct table *make_table(struct fixture *f, const struct rows *rows, uint64_t number,
                                enum page_class page_class)
{
    char path[16];
    snprintf(path, sizeof(path), "t%u", (unsigned)number);
    struct table_options options = {.identity = {1, number},
                                    .page_bytes = 1024,
                                    .compression = YORE_COMPRESSION_LZ4,
                                    .class_hint = page_class};
    return fixture_table(f, path, &options, rows->versions, ROWS);
}

static void check_get(struct table *table, const struct rows *rows, unsigned row)
{
    struct version got;
    struct table_pin pin;
    struct yore_error error = {0};
    CHECK_OK(table_get(table, rows->versions[row].key, INT64_MAX, INT64_MAX, &got, &pin, &error));
    check_version(&got, &rows->versions[row]);
    table_pin_release(&pin);
}

static struct page_cache_stats stats_of(const struct fixture *f)
{
    struct page_cache_stats stats;
    page_cache_stats(f->cache, &stats);
    return stats;
}

TEST(bound_holds_over_any_reads)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    fixture_open(&f, 100000, 10);
    struct table *table = make_table(&f, rows, 1, PAGE_CLASS_PRESENT);
    for (unsigned i = 0; i < 5000; i++) {
        check_get(table, rows, (unsigned)test_rand_below(&rand, ROWS));
        CHECK(stats_of(&f).used_bytes <= 100000);
    }
    CHECK(stats_of(&f).evictions > 0);
    CHECK(stats_of(&f).hits > 0);
    CHECK(stats_of(&f).charged_bytes > 0);
    table_close(table);
    CHECK_EQ_UINT(stats_of(&f).used_bytes, 0);
    fixture_close(&f);
    free(rows);
}

TEST(pinned_pages_stay_and_the_cache_grows_past_its_bound)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    fixture_open(&f, 50000, 10);
    struct table *table = make_table(&f, rows, 1, PAGE_CLASS_PRESENT);
    struct version *got = calloc(ROWS, sizeof(*got));
    struct table_pin *pins = calloc(ROWS, sizeof(*pins));
    CHECK(got != NULL && pins != NULL);
    for (unsigned i = 0; i < ROWS; i++) {
        CHECK_OK(
            table_get(table, rows->versions[i].key, INT64_MAX, INT64_MAX, &got[i], &pins[i], NULL));
    }
    CHECK(stats_of(&f).pinned_over_bytes > 0);
    for (unsigned i = 0; i < ROWS; i++) {
        check_version(&got[i], &rows->versions[i]);
        table_pin_release(&pins[i]);
    }
    check_get(table, rows, 0);
    struct version_iter *it = NULL;
    struct iter_view view = {.known = INT64_MAX, .commit_after = INT64_MIN};
    CHECK_OK(table_iter_new(table, &view, &it));
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
    }
    version_iter_free(it);
    CHECK_EQ_UINT(stats_of(&f).pinned_over_bytes, 0);
    table_close(table);
    free(got);
    free(pins);
    fixture_close(&f);
    free(rows);
}

static uint64_t misses_of_reading(struct fixture *f, struct table *table, const struct rows *rows,
                                  unsigned first, unsigned end)
{
    uint64_t before = stats_of(f).misses;
    for (unsigned i = first; i < end; i++) {
        check_get(table, rows, i);
    }
    return stats_of(f).misses - before;
}

static void scan(struct table *table, bool no_cache_fill)
{
    struct version_iter *it = NULL;
    struct iter_view view = {
        .known = INT64_MAX, .commit_after = INT64_MIN, .no_cache_fill = no_cache_fill};
    CHECK_OK(table_iter_new(table, &view, &it));
    unsigned count = 0;
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
        count++;
    }
    CHECK_EQ_UINT(count, ROWS);
    version_iter_free(it);
}

TEST(scan_displaces_only_what_was_used_once)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    fixture_open(&f, 200000, 10);
    struct table *hot = make_table(&f, rows, 1, PAGE_CLASS_PRESENT);
    struct table *cold = make_table(&f, rows, 2, PAGE_CLASS_PRESENT);
    for (unsigned i = 0; i < 3; i++) {
        misses_of_reading(&f, hot, rows, 0, 500);
    }
    CHECK_EQ_UINT(misses_of_reading(&f, hot, rows, 0, 500), 0);
    for (unsigned i = 0; i < 4; i++) {
        scan(cold, false);
    }
    CHECK_EQ_UINT(misses_of_reading(&f, hot, rows, 0, 500), 0);
    scan(cold, true);
    uint64_t used = stats_of(&f).used_bytes;
    scan(cold, true);
    CHECK_EQ_UINT(stats_of(&f).used_bytes, used);
    table_close(hot);
    table_close(cold);
    fixture_close(&f);
    free(rows);
}

TEST(past_gives_way_to_the_present)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    fixture_open(&f, 300000, 10);
    struct table *present = make_table(&f, rows, 1, PAGE_CLASS_PRESENT);
    struct table *past = make_table(&f, rows, 2, PAGE_CLASS_PAST);
    misses_of_reading(&f, present, rows, 0, 1000);
    for (unsigned i = 0; i < 5; i++) {
        misses_of_reading(&f, past, rows, 0, ROWS);
    }
    CHECK_EQ_UINT(misses_of_reading(&f, present, rows, 0, 1000), 0);
    table_close(present);
    table_close(past);
    fixture_close(&f);
    free(rows);
}

#define CROWD 8

static void make_crowd(struct fixture *f, const struct rows *rows, struct table *tables[CROWD])
{
    for (unsigned i = 0; i < CROWD; i++) {
        tables[i] = make_table(f, rows, i + 1, PAGE_CLASS_PRESENT);
    }
}

static void close_crowd(struct fixture *f, struct rows *rows, struct table *tables[CROWD])
{
    for (unsigned i = 0; i < CROWD; i++) {
        table_close(tables[i]);
    }
    fixture_close(f);
    free(rows);
}

/* Any row of any table; reads of the disk that it took. */
static uint64_t reads_of_gets(struct fixture *f, struct table *tables[CROWD],
                              const struct rows *rows, unsigned count, struct test_rand *rand)
{
    uint64_t before = sim_disk_fault_count(f->disk, SIM_FAULT_READ);
    for (unsigned i = 0; i < count; i++) {
        check_get(tables[test_rand_below(rand, CROWD)], rows,
                  (unsigned)test_rand_below(rand, ROWS));
    }
    return sim_disk_fault_count(f->disk, SIM_FAULT_READ) - before;
}

TEST(pool_keeps_few_files_open)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    struct table *tables[CROWD];
    fixture_open(&f, 100000, 3);
    make_crowd(&f, rows, tables);
    (void)sim_disk_handles_peak(f.disk);
    (void)reads_of_gets(&f, tables, rows, 300, &rand);
    CHECK_EQ_UINT(sim_disk_handles_peak(f.disk), 3);
    close_crowd(&f, rows, tables);
}

TEST(indexes_leave_an_eighth_of_the_cache_to_pages)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    struct table *tables[CROWD];
    fixture_open(&f, 200000, 100);
    make_crowd(&f, rows, tables);
    for (unsigned i = 0; i < 300; i++) {
        (void)reads_of_gets(&f, tables, rows, 1, &rand);
        CHECK(stats_of(&f).charged_bytes <= 175000);
        CHECK(stats_of(&f).used_bytes <= 200000);
    }
    CHECK(stats_of(&f).charged_bytes >= 100000);
    close_crowd(&f, rows, tables);
}

/* What indexes and filters of all tables take. */
static uint64_t bytes_of_crowd(struct rows *rows)
{
    struct fixture f;
    struct table *tables[CROWD];
    fixture_open(&f, 64u << 20, 100);
    make_crowd(&f, rows, tables);
    for (unsigned i = 0; i < CROWD; i++) {
        check_get(tables[i], rows, 1);
    }
    uint64_t bytes = stats_of(&f).charged_bytes;
    for (unsigned i = 0; i < CROWD; i++) {
        table_close(tables[i]);
    }
    fixture_close(&f);
    return bytes;
}

TEST(a_get_reads_one_page_while_indexes_fit_in_most_of_the_cache)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    struct table *tables[CROWD];
    fixture_open(&f, bytes_of_crowd(rows) * 5 / 4, 100);
    make_crowd(&f, rows, tables);
    (void)reads_of_gets(&f, tables, rows, 200, &rand); /* each has been read once */
    CHECK(reads_of_gets(&f, tables, rows, 500, &rand) <= 500);
    close_crowd(&f, rows, tables);
}

TEST(a_get_reads_one_page_while_indexes_fit_in_the_floor)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    struct table *tables[CROWD];
    uint64_t bytes = bytes_of_crowd(rows);
    fixture_open_floor(&f, bytes / 4, bytes, 100);
    make_crowd(&f, rows, tables);
    (void)reads_of_gets(&f, tables, rows, 200, &rand);
    CHECK(reads_of_gets(&f, tables, rows, 500, &rand) <= 500);
    CHECK(stats_of(&f).used_bytes <= bytes + bytes / 4 / 8); /* and pages their eighth */
    close_crowd(&f, rows, tables);
}

/* ---- threads ---- */

#define THREADS 4
#define TABLES 4

struct crowd {
    struct fixture f;
    struct rows *rows;
    struct table *tables[TABLES];
    uint64_t steps;
};

struct member {
    struct crowd *crowd;
    struct test_rand rand;
};

static void walk_some(const struct crowd *c, struct table *table, struct test_rand *rand)
{
    unsigned row = (unsigned)test_rand_below(rand, ROWS);
    struct iter_view view = {.is_as_of = test_rand_one_in(rand, 2),
                             .valid = INT64_MAX,
                             .known = INT64_MAX,
                             .commit_after = INT64_MIN,
                             .no_cache_fill = test_rand_one_in(rand, 4)};
    struct version_place place = {c->rows->versions[row].key, INT64_MAX, INT64_MAX};
    struct version_iter *it = NULL;
    CHECK_OK(table_iter_new(table, &view, &it));
    version_iter_seek(it, &place);
    for (unsigned i = 0; i < 40 && it->is_valid; i++, row++) {
        check_version(&it->at, &c->rows->versions[row]);
        version_iter_next(it);
    }
    CHECK_STATUS(it->status, YORE_OK);
    version_iter_free(it);
}

static void run_member(void *arg)
{
    struct member *m = arg;
    const struct crowd *c = m->crowd;
    struct table_pin kept = {NULL};
    struct version got = {0};
    unsigned kept_row = 0;
    for (uint64_t i = 0; i < c->steps; i++) {
        struct table *table = c->tables[test_rand_below(&m->rand, TABLES)];
        unsigned row = (unsigned)test_rand_below(&m->rand, ROWS);
        switch (test_rand_below(&m->rand, 8)) {
        case 0:
            walk_some(c, table, &m->rand);
            break;
        case 1:
            if (kept.frame != NULL) {
                check_version(&got, &c->rows->versions[kept_row]);
                table_pin_release(&kept);
            }
            kept_row = row;
            CHECK_OK(table_get(table, c->rows->versions[row].key, INT64_MAX, INT64_MAX, &got, &kept,
                               NULL));
            break;
        default:
            check_get(table, c->rows, row);
            break;
        }
    }
    table_pin_release(&kept);
}

TEST(threads_share_a_small_cache_and_a_small_pool)
{
    struct test_rand rand = test_rand_new(0);
    struct crowd crowd = {.rows = make_rows(&rand), .steps = test_scale(3000, 300000)};
    struct os_thread *threads[THREADS];
    struct member members[THREADS];
    fixture_open(&crowd.f, 150000, 2);
    for (unsigned i = 0; i < TABLES; i++) {
        crowd.tables[i] = make_table(&crowd.f, crowd.rows, i + 1, (enum page_class)(i % 2));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        members[i] = (struct member){&crowd, test_rand_new(i + 1)};
        CHECK_OK(os_thread_start(run_member, &members[i], "member", &threads[i], NULL));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        os_thread_join(threads[i]);
    }
    for (unsigned i = 0; i < TABLES; i++) {
        table_close(crowd.tables[i]);
    }
    fixture_close(&crowd.f);
    free(crowd.rows);
}

struct holder {
    struct table_pin pins[64];
    struct version got[64];
    const struct rows *rows;
};

static void check_and_release(void *arg)
{
    struct holder *h = arg;
    for (unsigned i = 0; i < 64; i++) {
        check_version(&h->got[i], &h->rows->versions[i * 40]);
        table_pin_release(&h->pins[i]);
    }
}

TEST(pins_outlive_tables_on_other_threads)
{
    struct test_rand rand = test_rand_new(0);
    struct rows *rows = make_rows(&rand);
    struct fixture f;
    fixture_open(&f, 60000, 2);
    for (unsigned round = 0; round < 20; round++) {
        struct table *table = make_table(&f, rows, round + 1, PAGE_CLASS_PRESENT);
        struct table *other = make_table(&f, rows, round + 1001, PAGE_CLASS_PAST);
        struct holder holders[2] = {{.rows = rows}, {.rows = rows}};
        struct os_thread *threads[2];
        for (unsigned i = 0; i < 64; i++) {
            for (unsigned k = 0; k < 2; k++) {
                CHECK_OK(table_get(table, rows->versions[i * 40].key, INT64_MAX, INT64_MAX,
                                   &holders[k].got[i], &holders[k].pins[i], NULL));
            }
        }
        for (unsigned i = 0; i < 2; i++) {
            CHECK_OK(os_thread_start(check_and_release, &holders[i], "holder", &threads[i], NULL));
        }
        table_mark_dead(table);
        table_close(table);
        scan(other, false); /* takes over the frames */
        os_thread_join(threads[0]);
        os_thread_join(threads[1]);
        table_close(other);
    }
    fixture_close(&f);
    free(rows);
}

TEST_MAIN(bound_holds_over_any_reads, pinned_pages_stay_and_the_cache_grows_past_its_bound,
          scan_displaces_only_what_was_used_once, past_gives_way_to_the_present,
          pool_keeps_few_files_open, indexes_leave_an_eighth_of_the_cache_to_pages,
          a_get_reads_one_page_while_indexes_fit_in_most_of_the_cache,
          a_get_reads_one_page_while_indexes_fit_in_the_floor, pins_outlive_tables_on_other_threads,
          threads_share_a_small_cache_and_a_small_pool)
