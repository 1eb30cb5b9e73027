/* Files of the simulated disk while the power is on, and clones. */
#include "sim_support.h"

#include "base/mem.h"
#include "os/thread.h"

TEST(reads_see_unsynced_writes)
{
    struct sim_disk *disk = sim_disk_new(1);
    sim_make(disk, "a", "hello", false);
    sim_check_text(disk, "/a", "hello");
    sim_check_text(disk, "b", "-");
    sim_disk_free(disk);
}

TEST(holes_and_ends_read_as_zeros_and_short)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    char got[8];
    size_t size;
    uint64_t file_size;
    CHECK_OK(os_file_write(file, 9000, "x", 1, NULL));
    CHECK_OK(os_file_read(file, 8995, got, 8, &size, NULL));
    CHECK_EQ_BYTES(got, size, "\0\0\0\0\0x", 6);
    CHECK_OK(os_file_read(file, UINT64_MAX, got, 8, &size, NULL));
    CHECK_EQ_UINT(size, 0);
    CHECK_OK(os_file_size(file, &file_size, NULL));
    CHECK_EQ_UINT(file_size, 9001);
    os_file_close(file);
    sim_disk_free(disk);
}

TEST(a_file_opened_for_reading_is_not_written)
{
    struct sim_disk *disk = sim_disk_new(1);
    sim_make(disk, "a", "x", false);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_READ);
    CHECK_STATUS(os_file_write(file, 0, "y", 1, NULL), YORE_IO);
    CHECK_STATUS(os_file_truncate(file, 0, NULL), YORE_IO);
    CHECK_STATUS(os_file_punch(file, 0, 1, NULL), YORE_IO);
    os_file_close(file);
    sim_check_text(disk, "a", "x");
    sim_disk_free(disk);
}

TEST(an_unlinked_file_lives_until_it_is_closed)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    char got[3];
    size_t size;
    CHECK_OK(os_file_write(file, 0, "abc", 3, NULL));
    CHECK_OK(os_path_unlink(sim_disk_env(disk), "a", NULL));
    CHECK_OK(os_file_read(file, 0, got, 3, &size, NULL));
    CHECK_EQ_BYTES(got, size, "abc", 3);
    CHECK_EQ_UINT(sim_disk_used(disk), 3);
    os_file_close(file);
    CHECK_EQ_UINT(sim_disk_used(disk), 0);
    sim_disk_free(disk);
}

TEST(clones_part_ways)
{
    struct sim_disk *disk = sim_disk_new(1);
    CHECK_OK(os_dir_make(sim_disk_env(disk), "d", NULL));
    sim_make(disk, "d/a", "one", true);
    struct sim_disk *clone = sim_disk_clone(disk, 2);
    struct os_file *file = sim_open(clone, "d/a", OS_OPEN_WRITE);
    CHECK_OK(os_file_write(file, 0, "two", 3, NULL));
    os_file_close(file);
    CHECK_OK(os_path_rename(sim_disk_env(clone), "d/a", "d/b", NULL));
    sim_check_text(clone, "d/b", "two");
    sim_check_text(disk, "d/a", "one");
    sim_check_text(disk, "d/b", "-");
    sim_disk_free(disk);
    sim_check_text(clone, "d/b", "two");
    sim_disk_free(clone);
}

TEST(a_clone_has_what_is_unsynced_and_no_open_file)
{
    struct sim_disk *disk = sim_disk_new(1);
    sim_make(disk, "a", "old", true);
    CHECK_OK(os_dir_sync(sim_disk_env(disk), "/", NULL));
    struct os_file *file = sim_open(disk, "a", OS_OPEN_WRITE);
    CHECK_OK(os_file_write(file, 0, "new", 3, NULL));
    struct os_file *gone = sim_open(disk, "gone", OS_OPEN_CREATE);
    CHECK_OK(os_path_unlink(sim_disk_env(disk), "gone", NULL));
    struct sim_disk *clone = sim_disk_clone(disk, 2);
    os_file_close(gone);
    os_file_close(file);
    sim_disk_free(disk);
    sim_check_text(clone, "a", "new");
    sim_disk_crash(clone, SIM_CRASH_DROP_ALL, 1);
    sim_check_text(clone, "a", "old");
    sim_disk_free(clone);
}

TEST(clock_and_randomness_follow_the_script)
{
    struct sim_disk *disk = sim_disk_new(7);
    struct sim_disk *same = sim_disk_new(7);
    struct os_env *env = sim_disk_env(disk);
    int64_t wall = os_wall_ns(env);
    int64_t monotonic = os_monotonic_ns(env);
    CHECK_EQ_INT(os_wall_ns(env) - wall, 2000); /* two looks later */
    os_sleep_ns(env, 1000000);
    CHECK_EQ_INT(os_monotonic_ns(env) - monotonic, 1002000);
    sim_disk_set_wall(disk, 50);
    CHECK_EQ_INT(os_wall_ns(env), 1050);
    sim_disk_advance(disk, 100);
    CHECK_EQ_INT(os_wall_ns(env), 2150);
    CHECK(os_monotonic_ns(env) > monotonic);
    CHECK_EQ_UINT(os_random_u64(env), os_random_u64(sim_disk_env(same)));
    sim_disk_free(disk);
    sim_disk_free(same);
}

TEST(a_lock_is_held_once)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_env *env = sim_disk_env(disk);
    struct os_lock *lock;
    struct os_lock *second;
    struct yore_error error;
    CHECK_OK(os_lock_take(env, "LOCK", &lock, &error));
    CHECK_STATUS(os_lock_take(env, "LOCK", &second, &error), YORE_LOCKED);
    os_lock_release(lock);
    CHECK_OK(os_lock_take(env, "LOCK", &lock, &error));
    sim_disk_crash(disk, SIM_CRASH_KEEP_ALL, 1);
    CHECK_OK(os_lock_take(env, "LOCK", &second, &error));
    os_lock_release(lock); /* of before the crash: the lock stays with its new holder */
    CHECK_STATUS(os_lock_take(env, "LOCK", &lock, &error), YORE_LOCKED);
    os_lock_release(second);
    sim_disk_free(disk);
}

TEST(the_disk_itself_is_not_subject_to_failing_allocations)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct os_file *file = sim_open(disk, "a", OS_OPEN_CREATE);
    struct os_file *none;
    mem_fail_at(1, true);
    enum yore_status written = os_file_write(file, 0, "abc", 3, NULL);
    enum yore_status synced = os_file_sync(file, NULL);
    enum yore_status opened = os_file_open(sim_disk_env(disk), "b", OS_OPEN_CREATE, &none, NULL);
    mem_fail_at(0, false);
    CHECK_OK(written);
    CHECK_OK(synced);
    CHECK_STATUS(opened, YORE_NOMEM);
    os_file_close(file);
    sim_check_text(disk, "b", "-");
    sim_disk_free(disk);
}

struct writer {
    struct sim_disk *disk;
    char path[8];
};

static void write_and_sync(void *arg)
{
    struct writer *w = arg;
    struct os_file *file = sim_open(w->disk, w->path, OS_OPEN_CREATE);
    for (uint64_t i = 0; i < 500; i++) {
        CHECK_OK(os_file_write(file, i * 8, &i, 8, NULL));
        if (i % 16 == 0) {
            CHECK_OK(os_file_sync(file, NULL));
            CHECK_OK(os_dir_sync(sim_disk_env(w->disk), "/", NULL));
        }
    }
    os_file_close(file);
}

TEST(threads_and_clones_share_a_disk)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct writer writers[4];
    struct os_thread *threads[4];
    for (int i = 0; i < 4; i++) {
        writers[i] = (struct writer){disk, "f0"};
        writers[i].path[1] = (char)('0' + i);
        CHECK_OK(os_thread_start(write_and_sync, &writers[i], "writer", &threads[i], NULL));
    }
    for (uint64_t i = 0; i < 50; i++) {
        struct sim_disk *clone = sim_disk_clone(disk, i);
        sim_disk_crash(clone, SIM_CRASH_RANDOM, i);
        sim_disk_free(clone);
    }
    for (int i = 0; i < 4; i++) {
        os_thread_join(threads[i]);
    }
    CHECK_EQ_UINT(sim_disk_used(disk), 4 * 4000);
    sim_disk_free(disk);
}

TEST_MAIN(reads_see_unsynced_writes, holes_and_ends_read_as_zeros_and_short,
          a_file_opened_for_reading_is_not_written, an_unlinked_file_lives_until_it_is_closed,
          clones_part_ways, a_clone_has_what_is_unsynced_and_no_open_file,
          clock_and_randomness_follow_the_script, a_lock_is_held_once,
          the_disk_itself_is_not_subject_to_failing_allocations, threads_and_clones_share_a_disk)
