/* watch_life_test.c -- a watch that waits, is woken, cancelled, or met by a failure. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/thread.h"
#include "unit/engine/watch_bed.h"

#define MILLISECOND 1000000ll

/* Every commit is told once, by a new watch at the old one's position where memory was out. */
static bool run_out_of_memory(int age, uint64_t nth)
{
    enum { COUNT = 8 };
    struct bed bed;
    struct yore_feed_commit told;
    int64_t commits[COUNT];
    char large[1001];
    int failures = 0;
    open_memtable(&bed, age == 0 ? 4u << 20 : 64u << 10);
    memset(large, 'x', 1000);
    large[1000] = '\0';
    struct yore_watch *watch = watch_from(bed.db, YORE_NOW);
    for (int i = 0; i < COUNT; i++) {
        commits[i] = put(bed.db, i % 3 == 0 ? "a" : "b", i % 4 == 0 ? large : "v");
    }
    bed_age(&bed, age);
    test_note("age %d, allocation %llu", age, (unsigned long long)nth);
    mem_fail_at(nth, false);
    for (int i = 0; i < COUNT;) {
        enum yore_status st = yore_watch_next(watch, 0, &told, NULL);
        if (st == YORE_NOMEM && failures++ == 0) {
            int64_t position = yore_watch_position(watch);
            CHECK_STATUS(yore_watch_next(watch, 0, &told, NULL), YORE_NOMEM);
            yore_watch_close(watch);
            watch = watch_from(bed.db, position);
            continue;
        }
        CHECK_OK(st);
        CHECK_EQ_INT(told.commit, commits[i]);
        CHECK_EQ_UINT(told.write_count, 1);
        CHECK_EQ_UINT(told.writes[0].value.size, i % 4 == 0 ? 1000 : 1);
        i++;
    }
    mem_fail_at(0, false);
    yore_watch_close(watch);
    bed_close(&bed);
    return failures > 0;
}

TEST(out_of_memory_misses_nothing)
{
    for (int age = 0; age < 3; age++) {
        uint64_t missed = 0;
        for (uint64_t nth = 1; missed < 10; nth++) {
            missed = run_out_of_memory(age, nth) ? 0 : missed + 1;
        }
    }
}

/* ---- crashes -------------------------------------------------------------------------------- */

/* Commit some, not all of them synced; `told` counts what a durable watch has told of them. */
static size_t commit_and_watch(struct bed *bed, struct test_rand *rand, int64_t after,
                               int64_t *commits)
{
    struct yore_watch_options options = {.after_commit = after, .durable_only = true};
    struct yore_watch *watch = NULL;
    struct yore_feed_commit commit;
    size_t told = 0;
    CHECK_OK(yore_watch_open(bed->db, &options, &watch, NULL));
    for (uint64_t i = 5 + test_rand_below(rand, 200); i > 0; i--) {
        struct yore_write write = {.from = YORE_NOW,
                                   .to = YORE_FOREVER,
                                   .durability = test_rand_one_in(rand, 9) ? YORE_DURABILITY_SYNC
                                                                           : YORE_DURABILITY_NONE};
        char key[16];
        char value[300];
        (void)snprintf(key, sizeof key, "k%u", (unsigned)test_rand_below(rand, 30));
        memset(value, 'x', sizeof value);
        CHECK_OK(yore_put(bed->db, NULL, text(key),
                          (struct yore_bytes){value, test_rand_below(rand, sizeof value)}, &write,
                          NULL));
        if (test_rand_one_in(rand, 50)) {
            CHECK_OK(yore_flush(bed->db, NULL));
        }
        while (test_rand_one_in(rand, 2) && yore_watch_next(watch, 0, &commit, NULL) == YORE_OK) {
            commits[told++] = commit.commit;
        }
    }
    yore_watch_close(watch);
    return told;
}

TEST(what_a_durable_watch_has_told_is_there_after_a_power_cut)
{
    uint64_t rounds = test_scale(40, 2000);
    for (uint64_t round = 0; round < rounds; round++) {
        struct test_rand rand = test_rand_new(round);
        struct bed bed;
        int64_t told[800];
        size_t count = 0;
        open_memtable(&bed, 64u << (10 + test_rand_below(&rand, 4)));
        int64_t begin = yore_now(bed.db);
        for (int life = 0; life < 3; life++) {
            test_note("round %llu, life %d", (unsigned long long)round, life);
            count +=
                commit_and_watch(&bed, &rand, count > 0 ? told[count - 1] : begin, told + count);
            sim_disk_crash_at(bed.disk, sim_disk_op_count(bed.disk));
            sim_disk_crash(bed.disk, SIM_CRASH_RANDOM, test_rand_u64(&rand));
            (void)yore_close(bed.db, NULL);
            sim_disk_crash(bed.disk, SIM_CRASH_DROP_ALL, 1);
            open_again(&bed, 64u << 10);
        }
        struct yore_watch *watch = watch_from(bed.db, begin);
        for (size_t i = 0; i < count; i++) {
            check_next(watch, told[i]);
        }
        yore_watch_close(watch);
        bed_close(&bed);
    }
    test_count(rounds);
}

/* ---- waiting -------------------------------------------------------------------------------- */

struct other {
    struct yore_db *db;
    struct yore_watch *watch;
    atomic_int step; /* set by the watching thread before it waits */
};

static void wait_for_step(struct other *other)
{
    while (atomic_load(&other->step) == 0) {
        test_pause();
    }
}

static void run_put(void *arg)
{
    struct other *other = arg;
    wait_for_step(other);
    put(other->db, "a", "1");
}

static void run_load(void *arg)
{
    struct other *other = arg;
    wait_for_step(other);
    (void)load_rows(other->db, 1, 10);
}

/* An unsynced commit becomes durable with the flush, and only then. */
static void run_put_and_flush(void *arg)
{
    struct other *other = arg;
    struct yore_write none = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    wait_for_step(other);
    CHECK_OK(yore_put(other->db, NULL, text("a"), text("1"), &none, NULL));
    CHECK_OK(yore_flush(other->db, NULL));
}

static void run_cancel(void *arg)
{
    struct other *other = arg;
    wait_for_step(other);
    yore_watch_cancel(other->watch);
}

TEST(waiting_ends_with_the_time)
{
    struct bed bed;
    struct yore_feed_commit told;
    bed_open(&bed);
    struct yore_watch *watch = watch_from(bed.db, YORE_NOW);
    CHECK_STATUS(yore_watch_next(watch, 0, &told, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(yore_watch_next(watch, 20 * MILLISECOND, &told, NULL), YORE_NOT_FOUND);
    put(bed.db, "a", "1");
    CHECK_OK(yore_watch_next(watch, 20 * MILLISECOND, &told, NULL));
    yore_watch_close(watch);
    bed_close(&bed);
}

TEST(waiting_ends_with_a_commit_of_another_thread)
{
    static void (*const run[])(void *arg) = {run_put, run_load, run_put_and_flush};
    for (int i = 0; i < 30; i++) {
        struct bed bed;
        struct os_thread *thread = NULL;
        struct yore_feed_commit told;
        struct yore_watch_options options = {.after_commit = YORE_NOW, .durable_only = i % 3 == 2};
        open_memtable(&bed, 4u << 20);
        struct other other = {.db = bed.db};
        CHECK_OK(yore_watch_open(bed.db, &options, &other.watch, NULL));
        CHECK_OK(os_thread_start(run[i % 3], &other, "other", &thread, NULL));
        atomic_store(&other.step, 1);
        CHECK_OK(yore_watch_next(other.watch, YORE_FOREVER, &told, NULL));
        CHECK_EQ_UINT(told.write_count, 1);
        os_thread_join(thread);
        yore_watch_close(other.watch);
        bed_close(&bed);
    }
}

TEST(waiting_ends_when_it_is_cancelled_and_stays_so)
{
    for (int i = 0; i < 20; i++) {
        struct bed bed;
        struct os_thread *thread = NULL;
        struct yore_feed_commit told;
        bed_open(&bed);
        struct other other = {.db = bed.db, .watch = watch_from(bed.db, YORE_NOW)};
        CHECK_OK(os_thread_start(run_cancel, &other, "other", &thread, NULL));
        atomic_store(&other.step, 1);
        CHECK_STATUS(yore_watch_next(other.watch, YORE_FOREVER, &told, NULL), YORE_CANCELLED);
        os_thread_join(thread);
        put(bed.db, "a", "1");
        CHECK_STATUS(yore_watch_next(other.watch, 0, &told, NULL), YORE_CANCELLED);
        struct yore_watch *next = watch_from(bed.db, yore_watch_position(other.watch));
        CHECK_EQ_STR(heard(next), "a=1 ; ");
        yore_watch_close(next);
        yore_watch_close(other.watch);
        bed_close(&bed);
    }
}

static void add_journal_bytes(void *arg, const struct yore_stat *stat)
{
    if (strcmp(stat->name, "journal_held_bytes") == 0) {
        *(uint64_t *)arg = stat->value;
    }
}

TEST(a_watch_that_is_not_asked_keeps_no_segment)
{
    char value[200];
    struct bed bed;
    uint64_t bytes = 0;
    open_memtable(&bed, 256u << 10);
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    struct yore_watch *idle = watch_from(bed.db, YORE_NOW);
    int64_t first = put(bed.db, "a", value);
    int64_t second = put(bed.db, "a", value);
    check_next(idle, first);
    for (int i = 0; i < 8000; i++) {
        put(bed.db, "a", value);
    }
    CHECK_OK(yore_flush(bed.db, NULL));
    yore_stats(bed.db, add_journal_bytes, &bytes);
    CHECK(bytes > 0 && bytes < 8 * (64u << 10));
    check_next(idle, second);
    yore_watch_close(idle);
    bed_close(&bed);
}

TEST_MAIN(out_of_memory_misses_nothing, what_a_durable_watch_has_told_is_there_after_a_power_cut,
          waiting_ends_with_the_time, waiting_ends_with_a_commit_of_another_thread,
          waiting_ends_when_it_is_cancelled_and_stays_so,
          a_watch_that_is_not_asked_keeps_no_segment)
