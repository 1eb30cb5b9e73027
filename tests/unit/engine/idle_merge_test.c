/* idle_merge_test.c -- what is left of level 0 is merged down, and runs are sealed, when no commits
 * come. */
#include <stdio.h>
#include <string.h>

#include <yore/yore.h>

#include "os/env.h"
#include "support/test.h"

#define ROUNDS 2u
#define KEYS 500u
#define WAIT_NS 20000000
#define WAITS_MAX 10000u

struct wanted {
    const char *name;
    uint64_t value;
};

static void pick(void *arg, const struct yore_stat *stat)
{
    struct wanted *wanted = arg;
    if (strcmp(stat->name, wanted->name) == 0) {
        wanted->value = stat->value;
    }
}

static uint64_t value_of(struct yore_db *db, const char *name)
{
    struct wanted wanted = {name, UINT64_MAX};
    yore_stats(db, pick, &wanted);
    CHECK(wanted.value != UINT64_MAX);
    return wanted.value;
}

static struct yore_bytes text(const char *s)
{
    return (struct yore_bytes){s, strlen(s)};
}

static void fill(struct yore_db *db, unsigned round)
{
    char key[16];
    char value[16];
    (void)snprintf(value, sizeof value, "v%u", round);
    for (unsigned i = round; i < KEYS; i++) { /* the first key keeps its first version */
        (void)snprintf(key, sizeof key, "k%05u", i % 100000);
        CHECK_OK(yore_put(db, NULL, text(key), text(value), NULL, NULL));
    }
    CHECK_OK(yore_flush(db, NULL));
}

static void check_rows(struct yore_db *db)
{
    struct yore_cursor *cursor;
    CHECK_OK(yore_cursor_open(db, NULL, NULL, &cursor, NULL));
    for (unsigned i = 0; i < KEYS; i++) {
        CHECK_OK(yore_cursor_next(cursor));
        const struct yore_row *row = yore_cursor_row(cursor);
        CHECK_EQ_UINT(row->value.size, 2);
        CHECK_EQ_INT(((const char *)row->value.data)[1], i == 0 ? '0' : '1');
    }
    CHECK_EQ_INT(yore_cursor_next(cursor), YORE_NOT_FOUND);
    yore_cursor_close(cursor);
}

TEST(level_0_is_merged_down_when_no_commits_come)
{
    struct yore_options options;
    struct yore_db *db;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE; /* thousands of syncs are not what is looked at */
    CHECK_OK(yore_open(test_path("db"), &options, &db, NULL));
    for (unsigned round = 0; round < ROUNDS; round++) {
        fill(db, round);
    }
    check_rows(db);
    unsigned waits = 0;
    while (value_of(db, "level0_most") > 1 && waits++ < WAITS_MAX) {
        os_sleep_ns(os_env_posix(), WAIT_NS);
    }
    /* The catalogue's own table is alone in its level, and stays. */
    CHECK_EQ_UINT(value_of(db, "level0_most"), 1);
    CHECK(value_of(db, "level1_bytes") > 0);
    check_rows(db);
    CHECK_OK(yore_close(db, NULL));
}

/* Far below seal_bytes_min, so that nothing but idleness seals them; the second time the slice
 * grows, where a slice of its own would carry every key once more. */
TEST(runs_are_sealed_when_no_commits_come)
{
    struct yore_options options;
    struct yore_db *db;
    struct yore_verify_report report;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    options.seal_versions_per_key = 2;
    CHECK_OK(yore_open(test_path("db"), &options, &db, NULL));
    for (uint64_t seals = 1; seals <= 2; seals++) {
        for (unsigned round = 0; round < 4; round++) {
            fill(db, round);
        }
        for (unsigned waits = 0; value_of(db, "seals") < seals && waits < WAITS_MAX; waits++) {
            os_sleep_ns(os_env_posix(), WAIT_NS);
        }
        CHECK(value_of(db, "seals") >= seals);
    }
    CHECK_OK(yore_verify(db, NULL, NULL, &report, NULL));
    CHECK_EQ_UINT(report.copies, 0);
    CHECK(report.versions > 7 * (KEYS - 4) && report.versions <= 8 * KEYS);
    CHECK_OK(yore_close(db, NULL));
}

TEST_MAIN(runs_are_sealed_when_no_commits_come, level_0_is_merged_down_when_no_commits_come)
