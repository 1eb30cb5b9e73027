/* stats_test.c -- yore_stats(): every number has a name of its own, and says what happened. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "unit/engine/bed.h"

#define STATS_MAX 256u

struct told {
    struct yore_stat stats[STATS_MAX];
    size_t count;
};

static void note(void *arg, const struct yore_stat *stat)
{
    struct told *told = arg;
    CHECK(told->count < STATS_MAX);
    told->stats[told->count++] = *stat;
}

static struct told ask(struct yore_db *db)
{
    struct told told = {.count = 0};
    yore_stats(db, note, &told);
    return told;
}

static const struct yore_stat *stat_of(const struct told *told, const char *name)
{
    for (size_t i = 0; i < told->count; i++) {
        if (strcmp(told->stats[i].name, name) == 0) {
            return &told->stats[i];
        }
    }
    FAIL("there is no statistic %s", name);
    return NULL;
}

static uint64_t value_of(struct yore_db *db, const char *name)
{
    struct told told = ask(db);
    return stat_of(&told, name)->value;
}

TEST(names_are_snake_case_and_told_once_in_a_fixed_order)
{
    struct bed bed;
    bed_open(&bed);
    struct told first = ask(bed.db);
    (void)put(bed.db, "a", "1");
    struct told second = ask(bed.db);
    CHECK_EQ_UINT(first.count, second.count);
    for (size_t i = 0; i < first.count; i++) {
        const char *name = first.stats[i].name;
        CHECK_EQ_STR(name, second.stats[i].name);
        CHECK(strlen(first.stats[i].help) > 0);
        for (const char *c = name; *c != '\0'; c++) {
            CHECK_MSG(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_', "%s",
                      name);
        }
        for (size_t j = 0; j < i; j++) {
            CHECK_MSG(strcmp(first.stats[j].name, name) != 0, "%s is told twice", name);
        }
    }
    bed_close(&bed);
}

TEST(counters_count)
{
    struct bed bed;
    bed_open(&bed);
    uint64_t commits = value_of(bed.db, "commits");
    (void)put(bed.db, "a", "1");
    (void)put(bed.db, "b", "2");
    CHECK_EQ_STR(get(bed.db, "a"), "1");
    CHECK_EQ_STR(get(bed.db, "nothing"), "-");
    CHECK_EQ_UINT(value_of(bed.db, "commits"), commits + 2);
    CHECK_EQ_UINT(value_of(bed.db, "reads_absent"), 1);
    CHECK(value_of(bed.db, "reads") >= 2);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK(value_of(bed.db, "flushes") >= 1);
    for (int age = 1; age < 3; age++) {
        struct yore_cursor *cursor = NULL;
        bed_age(&bed, age);
        uint64_t rows = value_of(bed.db, "scan_rows");
        CHECK_OK(yore_cursor_open(bed.db, NULL, NULL, &cursor, NULL));
        while (yore_cursor_next(cursor) == YORE_OK) {
        }
        yore_cursor_close(cursor);
        CHECK_EQ_UINT(value_of(bed.db, "scan_rows"), rows + 2);
    }
    bed_close(&bed);
}

TEST(conflicts_are_counted)
{
    for (int age = 0; age < BED_AGES - 1; age++) {
        struct bed bed;
        bed_open(&bed);
        for (uint64_t i = 1; i <= 2; i++) {
            struct yore_txn *txn = NULL;
            CHECK_OK(yore_begin(bed.db, &txn, NULL));
            CHECK_EQ_STR(txn_get(txn, "a"), i == 1 ? "-" : "1");
            CHECK_OK(yore_txn_put(txn, NULL, text("b"), text("2"), NULL, NULL));
            (void)put(bed.db, "a", "1");
            bed_age(&bed, age);
            CHECK_STATUS(yore_txn_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL), YORE_CONFLICT);
            CHECK_EQ_UINT(value_of(bed.db, "conflicts"), i);
        }
        bed_close(&bed);
    }
}

TEST(the_smallest_memtable_holds_many_small_commits_before_it_is_flushed)
{
    struct bed bed;
    char key[32];
    bed_open(&bed); /* with memtable_bytes of 64 KiB */
    unsigned commits = 0;
    for (; value_of(bed.db, "flushes") == 0; commits++) {
        snprintf(key, sizeof key, "key%05u", commits * 7919 % 100003);
        (void)put(bed.db, key, "a value");
        CHECK_MSG(commits < 65536 / 8, "%u commits and no flush", commits);
    }
    CHECK_MSG(commits > 400, "flushed after %u commits", commits);
    bed_close(&bed);
}

TEST(gauges_follow_the_files)
{
    struct bed bed;
    char value[2000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    bed_open(&bed);
    CHECK(value_of(bed.db, "journal_held_bytes") > 0);
    CHECK(value_of(bed.db, "memtable_bytes") > 0);
    int64_t commit = put(bed.db, "large", value);
    CHECK_EQ_UINT(value_of(bed.db, "commit_newest_ns"), (uint64_t)commit);
    CHECK(value_of(bed.db, "value_file_bytes") >= sizeof value);
    CHECK_EQ_UINT(value_of(bed.db, "value_files"), 1);
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK(value_of(bed.db, "tables") >= 1);
    CHECK(value_of(bed.db, "level0_bytes") > 0);
    CHECK(value_of(bed.db, "table_bytes") >= value_of(bed.db, "level0_bytes"));
    CHECK_EQ_UINT(value_of(bed.db, "commit_flushed_ns"), (uint64_t)commit);
    CHECK_EQ_UINT(value_of(bed.db, "waiting_memtables"), 0);
    CHECK_EQ_UINT(value_of(bed.db, "jobs_running"), 0);
    CHECK_EQ_UINT(value_of(bed.db, "is_failed"), 0);
    CHECK(value_of(bed.db, "cache_capacity_bytes") >= 1u << 20);
    bed_close(&bed);
}

TEST(history_is_told)
{
    struct bed bed;
    char value[64];
    bed_open(&bed);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(value, sizeof value, "value number %d", i);
        (void)put(bed.db, "key", value);
    }
    CHECK_OK(yore_flush(bed.db, NULL));
    CHECK(value_of(bed.db, "history_runs") + value_of(bed.db, "history_slices") >= 1);
    CHECK(value_of(bed.db, "history_bytes") > 0);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(value_of(bed.db, "versions") >= 200);
    CHECK(value_of(bed.db, "commit_oldest_ns") >= (uint64_t)BED_T0);
    bed_close(&bed);
}

TEST(snapshots_and_failure_are_told)
{
    struct bed bed;
    struct yore_snapshot *snapshot;
    bed_open(&bed);
    int64_t commit = put(bed.db, "a", "1");
    CHECK_OK(yore_snapshot_take(bed.db, &snapshot, NULL));
    CHECK_EQ_UINT(value_of(bed.db, "open_snapshots"), 1);
    CHECK_EQ_UINT(value_of(bed.db, "oldest_snapshot_ns"), (uint64_t)commit);
    yore_snapshot_release(snapshot);
    CHECK_EQ_UINT(value_of(bed.db, "open_snapshots"), 0);
    sim_disk_fail(bed.disk, SIM_FAULT_SYNC, 1, false);
    CHECK_STATUS(yore_put(bed.db, NULL, text("b"), text("2"), NULL, NULL), YORE_IO);
    CHECK_EQ_UINT(value_of(bed.db, "is_failed"), 1);
    (void)yore_close(bed.db, NULL);
    sim_disk_free(bed.disk);
}

TEST(histograms_have_quantiles)
{
    struct bed bed;
    bed_open(&bed);
    for (int i = 0; i < 50; i++) {
        (void)put(bed.db, "a", "1");
    }
    struct told told = ask(bed.db);
    const struct yore_stat *latency = stat_of(&told, "commit_latency_us");
    CHECK(latency->kind == YORE_STAT_HISTOGRAM);
    CHECK(latency->value >= 50);
    CHECK(latency->p50 <= latency->p95 && latency->p95 <= latency->p99 &&
          latency->p99 <= latency->max);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ_STR(get(bed.db, "a"), "1");
    }
    told = ask(bed.db);
    const struct yore_stat *reads = stat_of(&told, "read_latency_us");
    CHECK_EQ_UINT(reads->value, (1000 + 63) / 64); /* one in 64, from the first on */
    bed_close(&bed);
}

TEST_MAIN(names_are_snake_case_and_told_once_in_a_fixed_order, counters_count,
          conflicts_are_counted,
          the_smallest_memtable_holds_many_small_commits_before_it_is_flushed,
          gauges_follow_the_files, history_is_told, snapshots_and_failure_are_told,
          histograms_have_quantiles)
