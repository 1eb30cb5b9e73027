/* yore_sync(): commits that nobody asked a sync for, made durable afterwards. */
#include "unit/engine/bed.h"

static void put_unsynced(struct bed *bed, const char *key, int64_t *commit_out)
{
    struct yore_write write = {.from = YORE_NOW,
                               .to = YORE_FOREVER,
                               .durability = YORE_DURABILITY_NONE,
                               .commit_out = commit_out};
    CHECK_OK(yore_put(bed->db, NULL, text(key), text("x"), &write, NULL));
}

/* The power goes, and nothing that was not synced is left. */
static void lose_power(struct bed *bed)
{
    sim_disk_crash_at(bed->disk, 1);
    (void)yore_close(bed->db, NULL);
    sim_disk_crash(bed->disk, SIM_CRASH_DROP_ALL, 1);
    CHECK_OK(db_open_inline(sim_disk_env(bed->disk), "db", NULL, &bed->db, NULL));
}

static bool is_there(struct bed *bed, const char *key)
{
    struct yore_value value;
    enum yore_status st = yore_get(bed->db, NULL, text(key), NULL, &value, NULL);
    if (st == YORE_OK) {
        yore_value_release(&value);
    }
    return st == YORE_OK;
}

TEST(what_was_committed_before_a_sync_survives)
{
    struct bed bed = {0};
    int64_t first;
    int64_t second;
    bed_open(&bed);
    put_unsynced(&bed, "a", &first);
    put_unsynced(&bed, "b", &second);
    CHECK_OK(yore_sync(bed.db, second, NULL));
    put_unsynced(&bed, "c", &second);
    lose_power(&bed);
    CHECK(is_there(&bed, "a") && is_there(&bed, "b") && !is_there(&bed, "c"));
    bed_close(&bed);
}

TEST(now_means_everything_that_is_visible)
{
    struct bed bed = {0};
    int64_t commit;
    bed_open(&bed);
    put_unsynced(&bed, "a", &commit);
    CHECK_OK(yore_sync(bed.db, YORE_NOW, NULL));
    uint64_t before = sim_disk_op_count(bed.disk);
    CHECK_OK(yore_sync(bed.db, commit, NULL));
    CHECK_EQ_UINT(sim_disk_op_count(bed.disk), before); /* durable already: nothing to do */
    lose_power(&bed);
    CHECK(is_there(&bed, "a"));
    bed_close(&bed);
}

TEST(a_failed_sync_stops_writes_for_good)
{
    struct bed bed = {0};
    struct yore_error error = {.text = ""};
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    int64_t commit;
    bed_open(&bed);
    put_unsynced(&bed, "a", &commit);
    sim_disk_fail(bed.disk, SIM_FAULT_SYNC, 1, false);
    CHECK(yore_sync(bed.db, YORE_NOW, &error) != YORE_OK);
    CHECK(error.text[0] != '\0');
    CHECK(yore_sync(bed.db, YORE_NOW, &error) != YORE_OK);
    CHECK(yore_put(bed.db, NULL, text("b"), text("x"), &write, NULL) != YORE_OK);
    CHECK(is_there(&bed, "a"));
    (void)yore_close(bed.db, NULL);
    sim_disk_free(bed.disk);
}

TEST_MAIN(what_was_committed_before_a_sync_survives, now_means_everything_that_is_visible,
          a_failed_sync_stops_writes_for_good)
