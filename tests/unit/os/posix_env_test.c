/* The host's files through os_env_posix(), in a scratch folder. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/env.h"
#include "os/process.h"
#include "support/test.h"

static struct os_file *must_open(const char *path, enum os_open_mode mode)
{
    struct yore_error error;
    struct os_file *file;
    enum yore_status st = os_file_open(os_env_posix(), path, mode, &file, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return file;
}

static void write_text(const char *path, const char *text)
{
    struct os_file *file = must_open(path, OS_OPEN_CREATE);
    CHECK_OK(os_file_write(file, 0, text, strlen(text), NULL));
    os_file_close(file);
}

static void check_text(const char *path, const char *want)
{
    char got[100];
    size_t size;
    struct os_file *file = must_open(path, OS_OPEN_READ);
    CHECK_OK(os_file_read(file, 0, got, sizeof(got), &size, NULL));
    CHECK_EQ_BYTES(got, size, want, strlen(want));
    os_file_close(file);
}

TEST(what_was_written_is_read_back)
{
    struct os_file *file = must_open(test_path("a"), OS_OPEN_CREATE);
    char got[10];
    size_t size;
    uint64_t file_size;
    CHECK_OK(os_file_write(file, 5, "hello", 5, NULL));
    CHECK_OK(os_file_sync(file, NULL));
    CHECK_OK(os_file_size(file, &file_size, NULL));
    CHECK_EQ_UINT(file_size, 10);
    CHECK_OK(os_file_read(file, 3, got, 10, &size, NULL));
    CHECK_EQ_BYTES(got, size, "\0\0hello", 7);
    CHECK_OK(os_file_read(file, 10, got, 10, &size, NULL));
    CHECK_EQ_UINT(size, 0);
    CHECK_EQ_STR(os_file_path(file), test_path("a"));
    os_file_close(file);
    os_file_close(NULL);
}

TEST(open_modes_ask_for_what_is_there)
{
    struct os_env *env = os_env_posix();
    struct yore_error error;
    struct os_file *file;
    const char *path = test_path("a");
    CHECK_STATUS(os_file_open(env, path, OS_OPEN_READ, &file, &error), YORE_NOT_FOUND);
    CHECK(file == NULL);
    CHECK(strstr(error.text, path) != NULL);
    CHECK_STATUS(os_file_open(env, path, OS_OPEN_WRITE, &file, &error), YORE_NOT_FOUND);
    write_text(path, "x");
    CHECK_STATUS(os_file_open(env, path, OS_OPEN_CREATE, &file, &error), YORE_EXISTS);
    CHECK_STATUS(os_file_open(env, test_tmpdir(), OS_OPEN_READ, &file, &error), YORE_IO);
    CHECK_STATUS(os_file_open(env, test_tmpdir(), OS_OPEN_WRITE, &file, &error), YORE_IO);
    file = must_open(path, OS_OPEN_WRITE);
    CHECK_OK(os_file_write(file, 1, "y", 1, NULL));
    os_file_close(file);
    check_text(path, "xy");
    file = must_open(path, OS_OPEN_READ);
    CHECK_STATUS(os_file_write(file, 0, "z", 1, &error), YORE_IO);
    CHECK(strstr(error.text, "offset 0") != NULL);
    os_file_close(file);
}

TEST(truncate_cuts_and_grows)
{
    struct os_file *file = must_open(test_path("a"), OS_OPEN_CREATE);
    char got[10];
    size_t size;
    CHECK_OK(os_file_write(file, 0, "abcdef", 6, NULL));
    CHECK_OK(os_file_truncate(file, 2, NULL));
    CHECK_OK(os_file_truncate(file, 4, NULL));
    CHECK_OK(os_file_read(file, 0, got, 10, &size, NULL));
    CHECK_EQ_BYTES(got, size, "ab\0\0", 4);
    os_file_close(file);
}

TEST(a_punched_range_reads_as_zeros_and_the_size_stays)
{
    struct os_file *file = must_open(test_path("a"), OS_OPEN_CREATE);
    static unsigned char run[20000];
    size_t size;
    memset(run, 7, sizeof(run));
    CHECK_OK(os_file_write(file, 0, run, sizeof(run), NULL));
    CHECK_OK(os_file_punch(file, 100, 9000, NULL));
    CHECK_OK(os_file_punch(file, 19000, 50000, NULL));
    CHECK_OK(os_file_punch(file, 30000, 10, NULL));
    CHECK_OK(os_file_read(file, 0, run, sizeof(run), &size, NULL));
    CHECK_EQ_UINT(size, 20000);
    for (size_t i = 0; i < size; i++) {
        CHECK_EQ_UINT(run[i], (i >= 100 && i < 9100) || i >= 19000 ? 0 : 7);
    }
    uint64_t file_size;
    CHECK_OK(os_file_size(file, &file_size, NULL));
    CHECK_EQ_UINT(file_size, 20000);
    os_file_close(file);
}

TEST(offsets_past_the_end_of_numbers_are_refused)
{
    struct os_file *file = must_open(test_path("a"), OS_OPEN_CREATE);
    char octet = 0;
    size_t size;
    CHECK_STATUS(os_file_write(file, UINT64_MAX, &octet, 1, NULL), YORE_NO_SPACE);
    CHECK_STATUS(os_file_write(file, INT64_MAX, &octet, 1, NULL), YORE_NO_SPACE);
    CHECK_OK(os_file_read(file, UINT64_MAX, &octet, 1, &size, NULL));
    CHECK_EQ_UINT(size, 0);
    CHECK_OK(os_file_read(file, INT64_MAX, &octet, 1, &size, NULL));
    CHECK_EQ_UINT(size, 0);
    CHECK_STATUS(os_file_truncate(file, UINT64_MAX, NULL), YORE_NO_SPACE);
    os_file_will_need(file, 0, UINT64_MAX);
    os_file_close(file);
}

TEST(advice_is_accepted)
{
    struct os_file *file = must_open(test_path("a"), OS_OPEN_CREATE);
    CHECK_OK(os_file_write(file, 0, "abc", 3, NULL));
    os_file_will_need(file, 0, 3);
    os_file_close(file);
    check_text(test_path("a"), "abc");
}

TEST(memory_that_will_be_filled_keeps_what_is_in_it)
{
    const size_t size = ((size_t)4 << 20) + 123;
    unsigned char *memory = mem_alloc(size);
    CHECK(memory != NULL);
    memset(memory, 'a', size);
    os_memory_will_fill(memory + 5, size - 5);
    os_memory_will_fill(memory, 1);
    size_t kept = 0;
    while (kept < size && memory[kept] == 'a') {
        kept++;
    }
    CHECK_EQ_UINT(kept, size);
    mem_free(memory);
}

static int collect(void *arg, const char *name)
{
    char *names = arg;
    size_t used = strlen(names);
    snprintf(names + used, 200 - used, "%s ", name);
    return 0;
}

static int stop_at_once(void *arg, const char *name)
{
    (void)name;
    (*(int *)arg)++;
    return 1;
}

TEST(directories_are_made_listed_and_removed)
{
    struct os_env *env = os_env_posix();
    const char *dir = test_path("d");
    char names[200] = "";
    int calls = 0;
    CHECK_OK(os_dir_make(env, dir, NULL));
    CHECK_STATUS(os_dir_make(env, dir, NULL), YORE_EXISTS);
    CHECK_OK(os_dir_list(env, dir, collect, names, NULL));
    CHECK_EQ_STR(names, "");
    write_text(test_path("d/one"), "1");
    write_text(test_path("d/two"), "2");
    CHECK_OK(os_dir_sync(env, dir, NULL));
    CHECK_OK(os_dir_list(env, dir, collect, names, NULL));
    CHECK(strstr(names, "one ") != NULL && strstr(names, "two ") != NULL);
    CHECK_EQ_UINT(strlen(names), 8);
    CHECK_OK(os_dir_list(env, dir, stop_at_once, &calls, NULL));
    CHECK_EQ_INT(calls, 1);
    CHECK_STATUS(os_dir_remove(env, dir, NULL), YORE_EXISTS);
    CHECK_OK(os_path_unlink(env, test_path("d/one"), NULL));
    CHECK_OK(os_path_unlink(env, test_path("d/two"), NULL));
    CHECK_OK(os_dir_remove(env, dir, NULL));
    CHECK_STATUS(os_dir_remove(env, dir, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_dir_list(env, dir, collect, names, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_dir_sync(env, dir, NULL), YORE_NOT_FOUND);
}

TEST(renaming_replaces_and_linking_does_not)
{
    struct os_env *env = os_env_posix();
    write_text(test_path("a"), "a");
    write_text(test_path("b"), "b");
    CHECK_STATUS(os_path_link(env, test_path("a"), test_path("b"), NULL), YORE_EXISTS);
    CHECK_OK(os_path_rename(env, test_path("a"), test_path("b"), NULL));
    check_text(test_path("b"), "a");
    CHECK_STATUS(os_path_rename(env, test_path("a"), test_path("c"), NULL), YORE_NOT_FOUND);
    CHECK_OK(os_path_link(env, test_path("b"), test_path("c"), NULL));
    CHECK_OK(os_path_unlink(env, test_path("b"), NULL));
    check_text(test_path("c"), "a");
    CHECK_STATUS(os_path_link(env, test_path("b"), test_path("x"), NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_path_unlink(env, test_path("b"), NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_path_link(env, test_tmpdir(), test_path("x"), NULL), YORE_UNSUPPORTED);
}

TEST(stat_tells_size_and_kind)
{
    struct os_env *env = os_env_posix();
    uint64_t size;
    bool is_dir;
    write_text(test_path("a"), "abc");
    CHECK_OK(os_path_stat(env, test_path("a"), &size, &is_dir, NULL));
    CHECK_EQ_UINT(size, 3);
    CHECK(!is_dir);
    CHECK_OK(os_path_stat(env, test_tmpdir(), &size, &is_dir, NULL));
    CHECK(is_dir);
    CHECK_STATUS(os_path_stat(env, test_path("b"), &size, &is_dir, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(os_path_stat(env, test_path("a/b"), &size, &is_dir, NULL), YORE_IO);
}

static void leave(void)
{
    CHECK(chdir("/") == 0);
}

static void check_absolute(const char *path, const char *want)
{
    char *absolute;
    CHECK_OK(os_path_absolute(os_env_posix(), path, &absolute, NULL));
    CHECK_EQ_STR(absolute, want);
    mem_free(absolute);
}

TEST(a_relative_path_becomes_one_behind_the_current_directory)
{
    struct os_env *env = os_env_posix();
    char *absolute;
    struct yore_error error;
    test_at_end(leave);
    CHECK_OK(os_dir_make(env, test_path("d"), NULL));
    CHECK(chdir(test_path("d")) == 0);
    check_absolute("x", test_path("d/x"));
    check_absolute("../x/", test_path("d/../x/"));
    check_absolute("/x", "/x");
    CHECK_OK(os_dir_remove(env, test_path("d"), NULL));
    check_absolute("/x", "/x");
    CHECK_STATUS(os_path_absolute(env, "x", &absolute, &error), YORE_IO);
    CHECK(absolute == NULL);
    CHECK(strstr(error.text, "current directory") != NULL);
    CHECK(chdir("/") == 0);
    check_absolute("x", "/x");
}

TEST(a_lock_refuses_a_second_handle_of_the_same_process)
{
    struct os_env *env = os_env_posix();
    struct yore_error error;
    struct os_lock *lock;
    struct os_lock *second;
    char pid[40];
    CHECK_OK(os_lock_take(env, test_path("LOCK"), &lock, &error));
    CHECK_STATUS(os_lock_take(env, test_path("LOCK"), &second, &error), YORE_LOCKED);
    CHECK(second == NULL);
    snprintf(pid, sizeof(pid), "process %ld on ", (long)getpid());
    CHECK_MSG(strstr(error.text, pid) != NULL, "%s", error.text);
    os_lock_release(lock);
    CHECK_OK(os_lock_take(env, test_path("LOCK"), &second, &error));
    os_lock_release(second);
    os_lock_release(NULL);
    CHECK_STATUS(os_lock_take(env, test_path("no/LOCK"), &lock, &error), YORE_NOT_FOUND);
}

TEST(a_lock_refuses_another_process_until_its_holder_is_gone)
{
    struct os_env *env = os_env_posix();
    const char *path = test_path("LOCK");
    int ready[2];
    char octet;
    CHECK(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct os_lock *held;
        bool is_held = os_lock_take(env, path, &held, NULL) == YORE_OK;
        is_held = is_held && write(ready[1], "x", 1) == 1;
        for (;;) {
            pause();
        }
    }
    CHECK(child > 0);
    CHECK(read(ready[0], &octet, 1) == 1);
    struct os_lock *lock;
    struct yore_error error;
    enum yore_status while_held = os_lock_take(env, path, &lock, &error);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    close(ready[0]);
    close(ready[1]);
    CHECK_STATUS(while_held, YORE_LOCKED);
    CHECK_OK(os_lock_take(env, path, &lock, &error));
    os_lock_release(lock);
}

TEST(a_released_lock_is_free_though_a_forked_child_lives)
{
    struct os_env *env = os_env_posix();
    struct os_lock *lock;
    int alive[2];
    char octet;
    CHECK_OK(os_lock_take(env, test_path("LOCK"), &lock, NULL));
    CHECK(pipe(alive) == 0);
    pid_t child = fork();
    if (child == 0) { /* until the parent closes its end */
        close(alive[1]);
        _exit(read(alive[0], &octet, 1) == 0 ? 0 : 1);
    }
    CHECK(child > 0);
    os_lock_release(lock);
    enum yore_status st = os_lock_take(env, test_path("LOCK"), &lock, NULL);
    close(alive[0]);
    close(alive[1]);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_OK(st);
    os_lock_release(lock);
}

TEST(clocks_go_forward_and_sleep_lasts)
{
    struct os_env *env = os_env_posix();
    int64_t before = os_monotonic_ns(env);
    os_sleep_ns(env, 2000000);
    CHECK(os_monotonic_ns(env) - before >= 2000000);
    CHECK(os_wall_ns(env) > INT64_C(1700000000000000000));
    CHECK(os_random_u64(env) != os_random_u64(env));
}

TEST(out_of_memory_leaves_no_file_behind)
{
    struct os_env *env = os_env_posix();
    struct os_file *file;
    struct os_lock *lock;
    for (uint64_t nth = 1; nth <= 2; nth++) {
        mem_fail_at(nth, false);
        enum yore_status st = os_file_open(env, test_path("a"), OS_OPEN_CREATE, &file, NULL);
        mem_fail_at(0, false);
        CHECK_STATUS(st, YORE_NOMEM);
    }
    mem_fail_at(1, false);
    enum yore_status locked = os_lock_take(env, test_path("LOCK"), &lock, NULL);
    mem_fail_at(0, false);
    CHECK_STATUS(locked, YORE_NOMEM);
    char names[200] = "";
    CHECK_OK(os_dir_list(env, test_tmpdir(), collect, names, NULL));
    CHECK_EQ_STR(names, "");
}

TEST_MAIN(what_was_written_is_read_back, open_modes_ask_for_what_is_there, truncate_cuts_and_grows,
          a_punched_range_reads_as_zeros_and_the_size_stays,
          offsets_past_the_end_of_numbers_are_refused, advice_is_accepted,
          memory_that_will_be_filled_keeps_what_is_in_it, directories_are_made_listed_and_removed,
          renaming_replaces_and_linking_does_not, stat_tells_size_and_kind,
          a_relative_path_becomes_one_behind_the_current_directory,
          a_lock_refuses_a_second_handle_of_the_same_process,
          a_lock_refuses_another_process_until_its_holder_is_gone,
          a_released_lock_is_free_though_a_forked_child_lives, clocks_go_forward_and_sleep_lasts,
          out_of_memory_leaves_no_file_behind)
