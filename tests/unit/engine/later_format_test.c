/* later_format_test.c -- what a later program wrote is refused by name, not taken for damage. */
#include <string.h>

#include "unit/engine/bed.h"

static void overwrite(struct bed *bed, const char *path, uint64_t offset, const char *octet)
{
    struct os_file *file = NULL;
    CHECK_OK(os_file_open(sim_disk_env(bed->disk), path, OS_OPEN_WRITE, &file, NULL));
    CHECK_OK(os_file_write(file, offset, octet, 1, NULL));
    os_file_close(file);
}

TEST(a_database_of_a_later_format_is_not_opened)
{
    struct bed bed;
    struct yore_options options;
    struct yore_error error = {.text = ""};
    bed_open(&bed);
    (void)put(bed.db, "key", "value");
    CHECK_OK(yore_close(bed.db, NULL));
    overwrite(&bed, "db/CURRENT", strlen("yore "), "9");
    yore_options_init(&options);
    for (int i = 0; i < 2; i++) {
        options.read_only = i == 1;
        CHECK_STATUS(db_open_inline(sim_disk_env(bed.disk), "db", &options, &bed.db, &error),
                     YORE_BAD_FORMAT);
        CHECK(strstr(error.text, "db/CURRENT") != NULL && strstr(error.text, "version 9") != NULL);
    }
    sim_disk_free(bed.disk);
}

static int stop(void *arg, const struct yore_backup_info *info)
{
    (void)arg;
    (void)info;
    FAIL("a backup was told");
    return 1;
}

TEST(a_backup_of_a_later_format_is_neither_listed_restored_nor_added_to)
{
    const char *path = "backup/backup-0000000000000001";
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = "restored", .to_commit = YORE_FOREVER};
    struct bed bed;
    bed_open(&bed);
    (void)put(bed.db, "key", "value");
    CHECK_OK(yore_backup(bed.db, "backup", NULL, NULL, NULL, NULL));
    overwrite(&bed, path, 8, "\x63");
    for (int i = 0; i < 3; i++) {
        struct yore_error error = {.text = ""};
        struct os_env *env = sim_disk_env(bed.disk);
        enum yore_status st = i == 0   ? db_backup_list(env, "backup", stop, NULL, &error)
                              : i == 1 ? db_restore(env, &restore, &error)
                                       : yore_backup(bed.db, "backup", NULL, NULL, NULL, &error);
        CHECK_STATUS(st, YORE_BAD_FORMAT);
        CHECK(strstr(error.text, path) != NULL && strstr(error.text, "version 99") != NULL);
    }
    bed_close(&bed);
}

TEST_MAIN(a_database_of_a_later_format_is_not_opened,
          a_backup_of_a_later_format_is_neither_listed_restored_nor_added_to)
