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

TEST_MAIN(now_goes_on_over_a_restart_though_the_clock_stepped_back,
          a_commit_after_a_restart_is_unknown_at_a_now_told_before)
