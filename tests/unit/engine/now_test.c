#include <string.h>

#include "support/store.h"
#include "unit/engine/bed.h"

TEST(now_goes_on_over_a_restart_though_the_clock_stepped_back)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct bed bed;
        bed_open(&bed);
        (void)put(bed.db, "k", "old");
        sim_disk_set_wall(bed.disk, BED_T0 + 60 * BED_SECOND);
        int64_t told = yore_now(bed.db);
        bed_age(&bed, age);
        sim_disk_set_wall(bed.disk, BED_T0);
        bed_reopen(&bed);
        CHECK(yore_now(bed.db) >= told);
        bed_reopen(&bed); /* and over one at which nothing new was told */
        CHECK(yore_now(bed.db) >= told);
        CHECK(put(bed.db, "k", "new") > told);
        bed_close(&bed);
    }
}

/* What was answered for a known time that was told as now never changes. */
TEST(a_commit_after_a_restart_is_unknown_at_a_now_told_before)
{
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "k", "old");
    sim_disk_set_wall(bed.disk, BED_T0 + 60 * BED_SECOND);
    int64_t told = yore_now(bed.db);
    CHECK_EQ_STR(get_at(bed.db, "k", told, told), "old");
    sim_disk_set_wall(bed.disk, BED_T0);
    bed_reopen(&bed);
    (void)put(bed.db, "k", "new");
    CHECK_EQ_STR(get_at(bed.db, "k", told, told), "old");
    CHECK_EQ_STR(get(bed.db, "k"), "new");
    bed_close(&bed);
}

struct jumps {
    int count;
    bool is_forward;
};

static void note_jump(void *arg, const struct yore_event *event)
{
    struct jumps *jumps = arg;
    if (event->kind == YORE_EVENT_CLOCK_JUMP) {
        jumps->count++;
        jumps->is_forward = strstr(event->text, "forward") != NULL;
    }
}

TEST(a_step_of_the_wall_clock_is_told_and_makes_no_time_run_backwards)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct yore_db *db = NULL;
    struct jumps jumps = {0};
    struct yore_options options;
    store_options_tiny(&options);
    options.on_event = note_jump;
    options.event_arg = &jumps;
    CHECK(disk != NULL);
    sim_disk_set_wall(disk, BED_T0);
    CHECK_OK(db_open_inline(sim_disk_env(disk), "db", &options, &db, NULL));
    int64_t last = put(db, "k", "1");
    sim_disk_advance(disk, 3600 * BED_SECOND); /* time that passes is no step */
    int64_t next = put(db, "k", "2");
    CHECK(next >= last + 3600 * BED_SECOND);
    CHECK_EQ_INT(jumps.count, 0);
    sim_disk_set_wall(disk, BED_T0 + 7200 * BED_SECOND);
    last = put(db, "k", "3");
    CHECK(jumps.count == 1 && jumps.is_forward);
    sim_disk_set_wall(disk, BED_T0);
    next = put(db, "k", "4");
    CHECK(next > last && yore_now(db) >= next);
    CHECK(jumps.count == 2 && !jumps.is_forward);
    (void)put(db, "k", "5");
    CHECK_EQ_INT(jumps.count, 2);
    CHECK_EQ_UINT(store_stat(db, "clock_jumps"), 2);
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(disk);
}

TEST_MAIN(now_goes_on_over_a_restart_though_the_clock_stepped_back,
          a_commit_after_a_restart_is_unknown_at_a_now_told_before,
          a_step_of_the_wall_clock_is_told_and_makes_no_time_run_backwards)
