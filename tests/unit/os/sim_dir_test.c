/* Directory entries of the simulated disk: each has a durability of its own. */
#include "sim_support.h"

#define SEEDS 400

/* "/d" durable and empty. */
static struct sim_disk *disk_with_dir(void)
{
    struct sim_disk *disk = sim_disk_new(1);
    CHECK_OK(os_dir_make(sim_disk_env(disk), "/d", NULL));
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    return disk;
}

static void sync_dir(struct sim_disk *disk)
{
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/d", NULL));
}

TEST(a_synced_file_without_its_entry_is_gone)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "x", true);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "-");
    sim_disk_free(disk);
}

TEST(a_synced_entry_of_an_unsynced_file_is_empty)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "x", false);
    sync_dir(disk);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "");
    sim_disk_free(disk);
}

TEST(file_and_entry_synced_last)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "x", true);
    sync_dir(disk);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "x");
    sim_disk_free(disk);
}

TEST(a_directory_without_its_entry_takes_its_files_along)
{
    struct sim_disk *disk = sim_disk_new(1);
    CHECK_OK(os_dir_make(sim_disk_env(disk), "/d", NULL));
    sim_make(disk, "/d/a", "x", true);
    sync_dir(disk);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d", "-");
    CHECK_EQ_UINT(sim_disk_used(disk), 0);
    sim_disk_free(disk);
}

TEST(an_unsynced_unlink_is_undone)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "x", true);
    sync_dir(disk);
    CHECK_OK(os_path_unlink(sim_disk_env(disk), "/d/a", NULL));
    struct sim_disk *synced = sim_disk_clone(disk, 1);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "x");
    sync_dir(synced);
    sim_disk_crash(synced, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(synced, "/d/a", "-");
    sim_disk_free(disk);
    sim_disk_free(synced);
}

TEST(an_unsynced_link_is_gone_and_a_synced_one_lasts)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "x", true);
    sync_dir(disk);
    CHECK_OK(os_path_link(sim_disk_env(disk), "/d/a", "/d/b", NULL));
    struct sim_disk *synced = sim_disk_clone(disk, 1);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/b", "-");
    sync_dir(synced);
    CHECK_OK(os_path_unlink(sim_disk_env(synced), "/d/a", NULL));
    sync_dir(synced);
    sim_disk_crash(synced, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(synced, "/d/a", "-");
    sim_check_text(synced, "/d/b", "x");
    sim_disk_free(disk);
    sim_disk_free(synced);
}

TEST(an_unsynced_rename_leaves_the_old_or_the_new_never_neither)
{
    struct sim_disk *disk = disk_with_dir();
    int new_count = 0;
    sim_make(disk, "/d/current", "old", true);
    sync_dir(disk);
    sim_make(disk, "/d/tmp", "new", true);
    CHECK_OK(os_path_rename(sim_disk_env(disk), "/d/tmp", "/d/current", NULL));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_disk *clone = sim_disk_clone(disk, 1);
        char text[64];
        sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
        const char *got = sim_text(clone, "/d/current", text);
        CHECK_MSG(strcmp(got, "old") == 0 || strcmp(got, "new") == 0, "%s", got);
        new_count += strcmp(got, "new") == 0 ? 1 : 0;
        sim_disk_free(clone);
    }
    CHECK(new_count > SEEDS / 10 && new_count < SEEDS * 9 / 10);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/current", "old");
    sim_disk_free(disk);
}

TEST(a_rename_between_directories_lands_whole)
{
    struct sim_disk *disk = disk_with_dir();
    struct os_env *env = sim_disk_env(disk);
    CHECK_OK(os_dir_make(env, "/e", NULL));
    CHECK_OK(os_dir_sync(env, "/", NULL));
    sim_make(disk, "/d/a", "x", true);
    sync_dir(disk);
    CHECK_OK(os_path_rename(env, "/d/a", "/e/b", NULL));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_disk *clone = sim_disk_clone(disk, 1);
        char first[64];
        char second[64];
        sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
        bool is_old = strcmp(sim_text(clone, "/d/a", first), "x") == 0;
        bool is_new = strcmp(sim_text(clone, "/e/b", second), "x") == 0;
        CHECK(is_old != is_new);
        sim_disk_free(clone);
    }
    CHECK_OK(os_dir_sync(env, "/e", NULL));
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "-");
    sim_check_text(disk, "/e/b", "x");
    sim_disk_free(disk);
}

TEST(unsynced_entries_survive_as_a_prefix_or_one_by_one)
{
    struct sim_disk *disk = disk_with_dir();
    bool is_seen[8] = {false};
    sim_make(disk, "/d/a", "", false);
    sim_make(disk, "/d/b", "", false);
    sim_make(disk, "/d/c", "", false);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_disk *clone = sim_disk_clone(disk, 1);
        char text[64];
        sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
        unsigned mask = (strcmp(sim_text(clone, "/d/a", text), "-") != 0 ? 1u : 0) |
                        (strcmp(sim_text(clone, "/d/b", text), "-") != 0 ? 2u : 0) |
                        (strcmp(sim_text(clone, "/d/c", text), "-") != 0 ? 4u : 0);
        is_seen[mask] = true;
        sim_disk_free(clone);
    }
    for (int i = 0; i < 8; i++) {
        CHECK_MSG(is_seen[i], "subset %d never came", i);
    }
    sim_disk_free(disk);
}

TEST(syncing_one_directory_leaves_others_unsynced)
{
    struct sim_disk *disk = disk_with_dir();
    CHECK_OK(os_dir_make(sim_disk_env(disk), "/e", NULL));
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    sim_make(disk, "/d/a", "x", true);
    sim_make(disk, "/e/a", "x", true);
    sync_dir(disk);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "x");
    sim_check_text(disk, "/e/a", "-");
    sim_disk_free(disk);
}

TEST(a_name_used_again_is_another_file)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "first", true);
    sync_dir(disk);
    CHECK_OK(os_path_unlink(sim_disk_env(disk), "/d/a", NULL));
    sim_make(disk, "/d/a", "second", true);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_disk *clone = sim_disk_clone(disk, 1);
        char text[64];
        sim_disk_crash(clone, SIM_CRASH_RANDOM, seed);
        const char *got = sim_text(clone, "/d/a", text);
        CHECK(strcmp(got, "first") == 0 || strcmp(got, "second") == 0 || strcmp(got, "-") == 0);
        sim_disk_free(clone);
    }
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "first");
    sim_disk_free(disk);
}

TEST(a_removed_directory_comes_back_with_its_durable_files)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "x", true);
    sync_dir(disk);
    CHECK_OK(os_path_unlink(sim_disk_env(disk), "/d/a", NULL));
    CHECK_OK(os_dir_remove(sim_disk_env(disk), "/d", NULL));
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "x");
    sim_disk_free(disk);
}

TEST(a_killed_process_loses_no_entry_and_a_power_cut_after_it_does)
{
    struct sim_disk *disk = disk_with_dir();
    sim_make(disk, "/d/a", "x", false);
    sim_disk_crash(disk, SIM_CRASH_KEEP_ALL, 1);
    sim_check_text(disk, "/d/a", "x");
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/d/a", "-");
    sim_disk_free(disk);
}

TEST(paths_are_read_as_a_host_reads_them)
{
    struct sim_disk *disk = disk_with_dir();
    struct os_env *env = sim_disk_env(disk);
    struct os_file *file;
    sim_make(disk, "d//./a", "x", false);
    sim_check_text(disk, "/d/a", "x");
    CHECK_STATUS(os_file_open(env, "/no/a", OS_OPEN_CREATE, &file, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_file_open(env, "/d/a/b", OS_OPEN_CREATE, &file, NULL), YORE_IO);
    CHECK_STATUS(os_path_rename(env, "/d", "/d/x", NULL), YORE_IO);
    CHECK_STATUS(os_path_rename(env, "/", "/x", NULL), YORE_IO);
    CHECK_STATUS(os_dir_remove(env, "/", NULL), YORE_IO);
    CHECK_STATUS(os_dir_make(env, "/", NULL), YORE_EXISTS);
    sim_disk_free(disk);
}

TEST(deep_trees_are_let_go_without_recursion)
{
    struct sim_disk *disk = sim_disk_new(1);
    char path[4001] = "";
    for (size_t i = 0; i < 2000; i++) {
        memcpy(path + 2 * i, "/a", 3);
        CHECK_OK(os_dir_make(sim_disk_env(disk), path, NULL));
    }
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/a", "-");
    sim_disk_free(disk);
}

TEST_MAIN(a_synced_file_without_its_entry_is_gone, a_synced_entry_of_an_unsynced_file_is_empty,
          file_and_entry_synced_last, a_directory_without_its_entry_takes_its_files_along,
          an_unsynced_unlink_is_undone, an_unsynced_link_is_gone_and_a_synced_one_lasts,
          an_unsynced_rename_leaves_the_old_or_the_new_never_neither,
          a_rename_between_directories_lands_whole,
          unsynced_entries_survive_as_a_prefix_or_one_by_one,
          syncing_one_directory_leaves_others_unsynced, a_name_used_again_is_another_file,
          a_removed_directory_comes_back_with_its_durable_files,
          a_killed_process_loses_no_entry_and_a_power_cut_after_it_does,
          paths_are_read_as_a_host_reads_them, deep_trees_are_let_go_without_recursion)
