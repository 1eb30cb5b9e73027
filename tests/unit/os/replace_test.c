/* A file that gets another text: whole or not at all, durable, and with the rights it had. */
#include <stdio.h>
#include <sys/stat.h>

#include "os/replace.h"
#include "sim_support.h"

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

static struct sim_disk *disk_with(const char *text)
{
    struct sim_disk *disk = sim_disk_new(1);
    sim_make(disk, "/a", text, true);
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    sim_disk_reset_count(disk);
    return disk;
}

TEST(what_was_replaced_outlives_a_power_cut)
{
    struct sim_disk *disk = disk_with("old");
    CHECK_OK(os_file_replace(sim_disk_env(disk), "/a", text_of("new"), NULL));
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "/a", "new");
    sim_disk_free(disk);
}

TEST(a_power_cut_on_the_way_leaves_one_of_the_two_whole)
{
    struct sim_disk *whole = disk_with("old");
    CHECK_OK(os_file_replace(sim_disk_env(whole), "/a", text_of("new"), NULL));
    uint64_t ops = sim_disk_op_count(whole);
    sim_disk_free(whole);
    for (uint64_t op = 1; op <= ops; op++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct sim_disk *disk = disk_with("old");
            char text[64];
            sim_disk_crash_at(disk, op);
            enum yore_status st = os_file_replace(sim_disk_env(disk), "/a", text_of("new"), NULL);
            CHECK(st == YORE_IO || op == ops);
            sim_disk_crash(disk, SIM_CRASH_RANDOM, seed);
            const char *found = sim_text(disk, "/a", text);
            CHECK_MSG(strcmp(found, "old") == 0 || strcmp(found, "new") == 0, "'%s' after %llu",
                      found, (unsigned long long)op);
            sim_disk_free(disk);
        }
    }
}

TEST(what_stood_there_keeps_its_rights)
{
    static const mode_t modes[] = {0600, 0640, 0644, 0664};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct stat found;
        const char *path = test_path("file");
        FILE *file = fopen(path, "w");
        CHECK(file != NULL && fclose(file) == 0 && chmod(path, modes[i]) == 0);
        CHECK_OK(os_file_replace(os_env_posix(), path, text_of("new"), NULL));
        CHECK(stat(path, &found) == 0);
        CHECK_EQ_UINT(found.st_mode & 07777, modes[i]);
    }
}

TEST(where_nothing_stood_nobody_else_may_read_it)
{
    struct stat found;
    const char *path = test_path("file");
    CHECK_OK(os_file_replace(os_env_posix(), path, text_of("new"), NULL));
    CHECK(stat(path, &found) == 0);
    CHECK_EQ_UINT(found.st_mode & 07777, 0600);
}

TEST_MAIN(what_was_replaced_outlives_a_power_cut,
          a_power_cut_on_the_way_leaves_one_of_the_two_whole, what_stood_there_keeps_its_rights,
          where_nothing_stood_nobody_else_may_read_it)
