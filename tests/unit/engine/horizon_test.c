/* horizon_test.c -- how horizons move: how often, how many at a time, and what that leaves behind.
 */
#include <stdio.h>

#include "engine/catalogue.h"
#include "engine/retention.h"
#include "unit/engine/bed.h"

static struct yore_keyspace *create(struct bed *bed, const char *name, int64_t keep_ns)
{
    struct yore_keyspace *space = NULL;
    struct yore_keyspace_options options = {.keep = YORE_KEEP_FOR, .keep_ns = keep_ns};
    CHECK_OK(yore_keyspace_create(bed->db, name, &options, &space, NULL));
    return space;
}

static int64_t horizon_of(struct bed *bed, struct yore_keyspace *space)
{
    struct yore_keyspace_info info;
    CHECK_OK(yore_keyspace_info(bed->db, space, &info, NULL));
    return info.horizon;
}

static uint64_t commits(struct bed *bed)
{
    return stats_counter(&bed->db->stats, STAT_commits);
}

/* Let time pass, a second at a time, as upkeep does; tells how many commits that took. */
static uint64_t pass(struct bed *bed, int seconds)
{
    uint64_t before = commits(bed);
    for (int i = 0; i < seconds; i++) {
        sim_disk_advance(bed->disk, BED_SECOND);
        CHECK_OK(retention_advance(bed->db, NULL));
    }
    return commits(bed) - before;
}

TEST(horizons_of_many_keyspaces_move_in_one_commit)
{
    struct bed bed;
    struct yore_keyspace *spaces[20];
    int64_t before[20];
    char name[32];
    bed_open(&bed);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "space%d", i);
        spaces[i] = create(&bed, name, (i % 2 == 0 ? 1000 : 700) * BED_SECOND);
    }
    CHECK_EQ_UINT(pass(&bed, 1), 1);
    for (int i = 0; i < 20; i++) {
        before[i] = horizon_of(&bed, spaces[i]);
        CHECK(before[i] != YORE_TIME_MIN);
    }
    /* The first is due after 1000 / 64 seconds, the others a little before: they go together. */
    CHECK(pass(&bed, 160) <= 16);
    for (int i = 0; i < 20; i++) {
        CHECK(horizon_of(&bed, spaces[i]) >= before[i] + 140 * BED_SECOND);
    }
    bed_reopen(&bed);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "space%d", i);
        CHECK_OK(yore_keyspace_open(bed.db, name, NULL, &spaces[i], NULL));
        CHECK(horizon_of(&bed, spaces[i]) >= before[i] + 140 * BED_SECOND);
    }
    bed_close(&bed);
}

TEST(a_horizon_moves_as_often_as_its_duration_asks_for)
{
    static const struct {
        int keep;    /* seconds */
        int commits; /* in a thousand seconds, at most */
    } cases[] = {{4, 1000}, {40, 100}, {100, 100}, {640, 100}, {6400, 10}, {64000, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bed bed;
        bed_open(&bed);
        struct yore_keyspace *space = create(&bed, "space", cases[i].keep * BED_SECOND);
        (void)pass(&bed, 1); /* the first move, from the beginning of time */
        uint64_t took = pass(&bed, 1000);
        test_note("kept for %d s: %d commits", cases[i].keep, (int)took);
        CHECK(took <= (uint64_t)cases[i].commits);
        int64_t due = yore_now(bed.db) - cases[i].keep * BED_SECOND;
        int64_t late = due - horizon_of(&bed, space);
        CHECK(late <= cases[i].keep * BED_SECOND / 64 + 11 * BED_SECOND);
        CHECK(late <= cases[i].keep * BED_SECOND / 4 + BED_SECOND);
        bed_close(&bed);
    }
}

static uint64_t horizon_records(struct bed *bed)
{
    struct yore_keyspace_usage usage;
    CHECK_OK(yore_keyspace_usage(bed->db, bed->db->system_keyspace, &usage, NULL));
    return usage.present_versions + usage.past_versions + usage.memory_versions;
}

/* Of the records of horizons the last is read, whoever reads them. */
TEST(records_of_horizons_that_have_moved_on_leave)
{
    struct bed bed;
    bed_open(&bed);
    (void)create(&bed, "space", 40 * BED_SECOND);
    uint64_t moves = pass(&bed, 2000);
    CHECK(moves >= 150);
    CHECK(horizon_records(&bed) > moves);
    CHECK_OK(yore_compact(bed.db, NULL, NULL));
    CHECK(horizon_records(&bed) < 10);
    for (int i = 0; i < 20; i++) { /* some of them in tables, some to come */
        (void)pass(&bed, 100);
        CHECK_OK(yore_flush(bed.db, NULL));
        bed_reopen(&bed);
    }
    struct yore_keyspace *space;
    CHECK_OK(yore_keyspace_open(bed.db, "space", NULL, &space, NULL));
    int64_t due = yore_now(bed.db) - 40 * BED_SECOND;
    CHECK(due - horizon_of(&bed, space) <= 11 * BED_SECOND);
    CHECK(horizon_records(&bed) < 60);
    CHECK_OK(yore_verify(bed.db, NULL, NULL, NULL, NULL));
    bed_close(&bed);
}

TEST_MAIN(horizons_of_many_keyspaces_move_in_one_commit,
          a_horizon_moves_as_often_as_its_duration_asks_for,
          records_of_horizons_that_have_moved_on_leave)
