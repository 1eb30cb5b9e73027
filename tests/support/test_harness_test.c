/* The harness is trusted by every other test, so what it promises is checked here: passing checks
 * in this process, failing ones in a child that runs this same program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

TEST(fails_when_asked)
{
    if (getenv("YORE_TEST_FAIL_ON_PURPOSE") != NULL) {
        test_note("round %d", 7);
        (void)test_tmpdir();
        CHECK_EQ_INT(1 + 1, 3);
        puts("not reached");
    }
}

TEST(checks_that_hold_are_silent)
{
    CHECK(true);
    CHECK_EQ_INT(-1, -1);
    CHECK_EQ_UINT(UINT64_MAX, UINT64_MAX);
    CHECK_EQ_STR("a", "a");
    CHECK_EQ_BYTES("a\0b", 3, "a\0b", 3);
    CHECK_EQ_BYTES(NULL, 0, "", 0);
    CHECK_OK(0);
    CHECK_STATUS(5, 5);
}

/* Runs the failing case in a child with a known seed; its whole output is in `text`. */
static int run_failing_child(char *text, size_t size)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    CHECK(length > 0);
    program[length] = '\0';
    char command[8192];
    snprintf(command, sizeof command,
             "TMPDIR=%s YORE_TEST_SEED=42 YORE_TEST_FAIL_ON_PURPOSE=1 %s fails_when 2>&1",
             test_tmpdir(), program);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    size_t got = fread(text, 1, size - 1, pipe);
    text[got] = '\0';
    return pclose(pipe);
}

TEST(failed_check_prints_place_values_note_and_seed)
{
    char text[4096];
    int status = run_failing_child(text, sizeof text);
    CHECK(WIFEXITED(status));
    CHECK_EQ_INT(WEXITSTATUS(status), 1);
    CHECK(strstr(text, "test_harness_test.c:") != NULL);
    CHECK(strstr(text, "got 2, want 3") != NULL);
    CHECK(strstr(text, "round 7") != NULL);
    CHECK(strstr(text, "YORE_TEST_SEED=42 ") != NULL);
    CHECK(strstr(text, " fails_when_asked\n") != NULL);
    CHECK(strstr(text, "\n0 passed, 1 failed\n") != NULL);
    CHECK(strstr(text, "not reached") == NULL);
}

TEST(failed_case_leaves_no_scratch_folder)
{
    char text[4096];
    (void)run_failing_child(text, sizeof text);
    CHECK_EQ_INT(rmdir(test_tmpdir()), 0); /* fails if the child left anything */
    CHECK_EQ_INT(mkdir(test_tmpdir(), 0700), 0);
}

TEST(random_numbers_depend_on_seed_case_and_stream)
{
    struct test_rand a = test_rand_new(0);
    struct test_rand b = test_rand_new(0);
    struct test_rand c = test_rand_new(1);
    uint64_t first = test_rand_u64(&a);
    CHECK_EQ_UINT(first, test_rand_u64(&b));
    CHECK(first != test_rand_u64(&c));
    for (int i = 0; i < 1000; i++) {
        CHECK(test_rand_below(&a, 7) < 7);
    }
}

TEST(scratch_folder_is_one_per_case)
{
    CHECK(test_tmpdir() == test_tmpdir());
    const char *path = test_path("x/y");
    CHECK(strncmp(path, test_tmpdir(), strlen(test_tmpdir())) == 0);
    CHECK_EQ_STR(path + strlen(test_tmpdir()), "/x/y");
    struct stat info;
    CHECK_EQ_INT(stat(test_tmpdir(), &info), 0);
}

TEST_MAIN(fails_when_asked, checks_that_hold_are_silent,
          failed_check_prints_place_values_note_and_seed, failed_case_leaves_no_scratch_folder,
          random_numbers_depend_on_seed_case_and_stream, scratch_folder_is_one_per_case)
