/* rewind_test.c -- what a database restored to a moment shows of what the horizon has passed. */
#include <stdio.h>

#include "base/bytes.h"
#include "engine/db.h"
#include "os/sim_disk.h"
#include "support/store.h"
#include "unit/engine/bed.h"

static struct yore_db *open_roomy(struct sim_disk *disk, const char *path)
{
    struct yore_options options;
    struct yore_db *db;
    yore_options_init(&options);
    options.table_bytes = 64u << 10;
    options.seal_versions_per_key = 1;
    options.seal_bytes_min = 64u << 10;
    CHECK_OK(db_open_inline(sim_disk_env(disk), path, &options, &db, NULL));
    return db;
}

/* `count` keys, their values not to be compressed. */
static void put_some(struct yore_db *db, const char *prefix, unsigned count)
{
    struct test_rand rand = {(uint64_t)yore_now(db)};
    unsigned char noise[1000];
    char key[16];
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(key, sizeof key, "%s%04u", prefix, i);
        test_rand_fill(&rand, noise, sizeof noise);
        CHECK_OK(yore_put(db, NULL, text(key), bytes_of(noise, sizeof noise), NULL, NULL));
    }
}

static void restore(struct sim_disk *disk, int64_t to_commit)
{
    struct yore_error error = {.text = ""};
    struct yore_restore to = {
        .backup_path = "backup", .target_path = "restored", .to_commit = to_commit};
    enum yore_status st = db_restore(sim_disk_env(disk), &to, &error);
    CHECK_MSG(st == YORE_OK, "restore: %s", error.text);
}

/* The delete lies in a slice that is given back; the newest version is left out; the levels have
 * what the delete hid all the time. */
TEST(a_delete_that_retention_let_go_of_holds_in_what_is_restored)
{
    struct sim_disk *disk = sim_disk_new(1);
    CHECK(disk != NULL);
    sim_disk_set_wall(disk, BED_T0);
    struct yore_db *db = open_roomy(disk, "db");
    put_some(db, "z", 40);
    put_some(db, "m", 160); /* the levels have much more than is written below */
    (void)put(db, "a", "deleted");
    CHECK_OK(yore_compact(db, NULL, NULL));
    (void)delete_at(db, "a", YORE_NOW);
    for (int i = 0; i < 12; i++) {
        put_some(db, "z", 40);
    }
    int64_t horizon = yore_now(db);
    for (int i = 0; i < 4; i++) {
        put_some(db, "z", 40);
    }
    int64_t to_commit = put(db, "z0000", "last");
    (void)put(db, "a", "new");
    CHECK_OK(yore_flush(db, NULL));
    CHECK_OK(yore_trim(db, NULL, horizon, NULL));
    CHECK(store_stat(db, "slices_dropped") > 0);
    CHECK_EQ_STR(get_at(db, "a", to_commit, to_commit), "-");
    CHECK_OK(yore_backup(db, "backup", NULL, NULL, NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
    restore(disk, to_commit);
    db = open_roomy(disk, "restored");
    CHECK_EQ_STR(get(db, "a"), "-");
    CHECK_EQ_STR(get_at(db, "a", horizon, YORE_NOW), "-");
    CHECK_EQ_STR(get(db, "z0000"), "last");
    CHECK_OK(yore_close(db, NULL));
    sim_disk_free(disk);
}

TEST_MAIN(a_delete_that_retention_let_go_of_holds_in_what_is_restored)
