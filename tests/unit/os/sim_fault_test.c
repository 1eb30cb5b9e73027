/* Faults by order of the test: input/output errors, a full disk, ignored syncs, bit rot. */
#include <stdio.h>

#include "sim_support.h"

TEST(the_nth_read_fails)
{
    struct sim_disk *disk = sim_disk_new(1);
    char octet;
    size_t size;
    struct yore_error error;
    sim_make(disk, "a", "x", false);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_READ);
    sim_disk_fail(disk, SIM_FAULT_READ, 2, false);
    CHECK_OK(os_file_read(file, 0, &octet, 1, &size, &error));
    CHECK_STATUS(os_file_read(file, 0, &octet, 1, &size, &error), YORE_IO);
    CHECK(strstr(error.text, "a") != NULL);
    CHECK_OK(os_file_read(file, 0, &octet, 1, &size, &error));
    CHECK_EQ_UINT(sim_disk_fault_count(disk, SIM_FAULT_READ), 3);
    sim_disk_fail(disk, SIM_FAULT_READ, 1, true);
    CHECK_STATUS(os_file_read(file, 0, &octet, 1, &size, NULL), YORE_IO);
    CHECK_STATUS(os_file_read(file, 0, &octet, 1, &size, NULL), YORE_IO);
    sim_disk_fail(disk, SIM_FAULT_READ, 0, true);
    CHECK_OK(os_file_read(file, 0, &octet, 1, &size, NULL));
    os_file_close(file);
    sim_disk_free(disk);
}

TEST(a_failing_write_applies_half)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    sim_disk_fail(disk, SIM_FAULT_WRITE, 1, false);
    CHECK_STATUS(os_file_write(file, 0, "abcdef", 6, NULL), YORE_IO);
    sim_check_text(disk, "a", "abc");
    CHECK_OK(os_file_write(file, 0, "abcdef", 6, NULL));
    os_file_close(file);
    sim_check_text(disk, "a", "abcdef");
    sim_disk_free(disk);
}

TEST(a_failed_sync_drops_the_writes_and_the_next_one_lies)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    CHECK_OK(os_file_write(file, 0, "abc", 3, NULL));
    sim_disk_fail(disk, SIM_FAULT_SYNC, 1, false);
    CHECK_STATUS(os_file_sync(file, NULL), YORE_IO);
    sim_check_text(disk, "a", "abc"); /* still in the page cache */
    CHECK_OK(os_file_sync(file, NULL));
    CHECK_OK(os_file_write(file, 3, "def", 3, NULL));
    CHECK_OK(os_file_sync(file, NULL));
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    os_file_close(file);
    file = sim_open(disk, "a", OS_OPEN_READ);
    char got[8];
    size_t size;
    CHECK_OK(os_file_read(file, 0, got, 8, &size, NULL));
    CHECK_EQ_BYTES(got, size, "\0\0\0def", 6);
    os_file_close(file);
    sim_disk_free(disk);
}

TEST(other_operations_fail_without_effect)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    struct os_file *file;
    struct os_lock *lock;
    sim_make(disk, "a", "x", true);
    sim_disk_fail(disk, SIM_FAULT_OTHER, 1, true);
    CHECK_STATUS(os_file_open(env, "b", OS_OPEN_CREATE, &file, NULL), YORE_IO);
    CHECK_STATUS(os_path_rename(env, "a", "b", NULL), YORE_IO);
    CHECK_STATUS(os_path_link(env, "a", "b", NULL), YORE_IO);
    CHECK_STATUS(os_path_unlink(env, "a", NULL), YORE_IO);
    CHECK_STATUS(os_dir_make(env, "b", NULL), YORE_IO);
    CHECK_STATUS(os_dir_sync(env, "/", NULL), YORE_IO);
    CHECK_STATUS(os_lock_take(env, "b", &lock, NULL), YORE_IO);
    file = sim_open(disk, "a", OS_OPEN_WRITE);
    CHECK_STATUS(os_file_truncate(file, 0, NULL), YORE_IO);
    CHECK_STATUS(os_file_punch(file, 0, 1, NULL), YORE_IO);
    os_file_close(file);
    CHECK_EQ_UINT(sim_disk_fault_count(disk, SIM_FAULT_OTHER), 10);
    sim_disk_fail(disk, SIM_FAULT_OTHER, 0, false);
    sim_check_text(disk, "a", "x");
    sim_check_text(disk, "b", "-");
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "a", "-");
    sim_disk_free(disk);
}

TEST(a_full_disk_takes_what_fits)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    CHECK_OK(os_file_write(file, 0, "abc", 3, NULL));
    sim_disk_set_capacity(disk, 5);
    CHECK_STATUS(os_file_write(file, 3, "defg", 4, NULL), YORE_NO_SPACE);
    sim_check_text(disk, "a", "abcde");
    CHECK_OK(os_file_write(file, 0, "ABCDE", 5, NULL)); /* overwriting needs no space */
    CHECK_STATUS(os_file_truncate(file, 6, NULL), YORE_NO_SPACE);
    sim_check_text(disk, "a", "ABCDE");
    CHECK_OK(os_file_truncate(file, 1, NULL));
    CHECK_EQ_UINT(sim_disk_used(disk), 1);
    CHECK_OK(os_file_write(file, 1, "xyz", 3, NULL));
    os_file_close(file);
    CHECK_OK(os_path_link(env, "a", "b", NULL));
    CHECK_EQ_UINT(sim_disk_used(disk), 4); /* two names, one file */
    CHECK_OK(os_path_unlink(env, "a", NULL));
    CHECK_OK(os_path_unlink(env, "b", NULL));
    CHECK_EQ_UINT(sim_disk_used(disk), 0);
    sim_disk_free(disk);
}

struct growth_seen {
    uint64_t octets;
    uint64_t refused;
    char last[32];
};

static void see_growth(void *arg, const struct sim_growth *growth)
{
    struct growth_seen *seen = arg;
    seen->octets += growth->octets;
    seen->refused += growth->is_refused;
    CHECK(strstr(growth->site, "sim_fault_test.c:") != NULL);
    (void)snprintf(seen->last, sizeof seen->last, "%s", growth->path);
}

TEST(a_disk_that_fills_up_stays_as_large_as_what_is_in_use)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct growth_seen seen = {0};
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    struct os_file *other = sim_open(disk, "b", OS_OPEN_CREATE);
    sim_disk_tell_growth(disk, see_growth, &seen);
    sim_disk_fill_after(disk, 9);
    CHECK_OK(os_file_write(file, 0, "abcdef", 6, NULL));
    CHECK_OK(os_file_write(file, 0, "ABCDEF", 6, NULL)); /* takes no room */
    CHECK_OK(os_file_truncate(file, 2, NULL));           /* gives some back, which does not count */
    CHECK_EQ_UINT(seen.octets, 6);
    CHECK_STATUS(os_file_write(other, 0, "ghijk", 5, NULL), YORE_NO_SPACE);
    sim_check_text(disk, "b", "ghi");
    CHECK_EQ_UINT(seen.refused, 1);
    CHECK_EQ_STR(seen.last, "b");
    CHECK_STATUS(os_file_write(other, 3, "j", 1, NULL), YORE_NO_SPACE);
    CHECK_OK(os_file_truncate(file, 1, NULL));
    CHECK_OK(os_file_write(other, 3, "j", 1, NULL)); /* what is given back now is room */
    CHECK_STATUS(os_file_write(other, 4, "k", 1, NULL), YORE_NO_SPACE);
    sim_disk_set_capacity(disk, UINT64_MAX);
    CHECK_OK(os_file_write(other, 4, "k", 1, NULL));
    os_file_close(file);
    os_file_close(other);
    sim_disk_free(disk);
}

struct site_seen {
    const char *want;
    uint64_t count;
    uint64_t first_op;
    int sites;
};

static void see_site(void *arg, const char *site, uint64_t count, uint64_t first_op)
{
    struct site_seen *seen = arg;
    seen->sites++;
    if (strcmp(site, seen->want) == 0) {
        seen->count = count;
        seen->first_op = first_op;
    }
}

TEST(a_sync_is_ignored_by_its_site)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    CHECK_OK(os_dir_sync_at(env, "/", "x.c:1", NULL));
    sim_disk_ignore_site(disk, "x.c:2");
    CHECK_OK(os_file_write(file, 0, "one", 3, NULL));
    CHECK_OK(os_file_sync_at(file, "x.c:2", NULL));
    CHECK_OK(os_file_sync_at(file, "x.c:2", NULL));
    struct sim_disk *clone = sim_disk_clone(disk, 1);
    sim_disk_crash(clone, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(clone, "a", "");
    sim_disk_free(clone);
    CHECK_OK(os_file_sync_at(file, "x.c:3", NULL));
    sim_disk_ignore_site(disk, NULL);
    struct site_seen seen = {.want = "x.c:2"};
    sim_disk_sites(disk, see_site, &seen);
    CHECK_EQ_UINT(seen.count, 2);
    CHECK_EQ_UINT(seen.first_op, 4); /* after a create, a sync of the directory and a write */
    CHECK_EQ_INT(seen.sites, 3);
    os_file_close(file);
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "a", "one");
    sim_disk_free(disk);
}

TEST(the_sync_macros_name_their_place)
{
    struct sim_disk *disk = sim_disk_new(1);
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    struct site_seen seen = {.want = ""};
    sim_disk_sites(disk, see_site, &seen);
    CHECK_EQ_INT(seen.sites, 1);
    CHECK(strstr(OS_SITE, "sim_fault_test.c:") != NULL);
    sim_disk_free(disk);
}

TEST(surgery_changes_the_durable_image)
{
    struct sim_disk *disk = sim_disk_new(1);
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    sim_make(disk, "a", "abc", true);
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    CHECK(sim_disk_copy_file(disk, "a", "b"));
    CHECK(sim_disk_flip_bit(disk, "a", 1, 0));
    CHECK(!sim_disk_flip_bit(disk, "a", 3, 0));
    CHECK(!sim_disk_flip_bit(disk, "no", 0, 0));
    CHECK(!sim_disk_copy_file(disk, "no", "b"));
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "a", "acc");
    sim_check_text(disk, "b", "abc");
    CHECK(sim_disk_truncate_file(disk, "a", 1));
    sim_disk_crash(disk, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(disk, "a", "a");
    CHECK(!sim_disk_truncate_file(disk, "no", 1));
    sim_disk_free(disk);
}

TEST_MAIN(the_nth_read_fails, a_failing_write_applies_half,
          a_failed_sync_drops_the_writes_and_the_next_one_lies,
          other_operations_fail_without_effect, a_full_disk_takes_what_fits,
          a_disk_that_fills_up_stays_as_large_as_what_is_in_use, a_sync_is_ignored_by_its_site,
          the_sync_macros_name_their_place, surgery_changes_the_durable_image)
