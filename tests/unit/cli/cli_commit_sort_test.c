#include "cli/commit_sort.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

struct walk {
    int64_t last_commit;
    unsigned last_number;
    uint64_t count;
};

/* Lines are "<commit> <number>"; equal commits must keep the order of their numbers. */
static enum yore_status check_line(void *arg, struct yore_bytes line, struct yore_error *error_out)
{
    struct walk *walk = arg;
    char text[64];
    long long commit;
    unsigned number;
    (void)error_out;
    CHECK(line.size < sizeof(text));
    memcpy(text, line.data, line.size);
    text[line.size] = '\0';
    CHECK_EQ_INT(sscanf(text, "%lld %u", &commit, &number), 2);
    CHECK(walk->count == 0 || commit > walk->last_commit ||
          (commit == walk->last_commit && number > walk->last_number));
    walk->last_commit = commit;
    walk->last_number = number;
    walk->count++;
    return YORE_OK;
}

static void check_sort(size_t memory_bytes, unsigned count, uint64_t commits)
{
    struct test_rand rand = test_rand_new(memory_bytes);
    struct commit_sort *sort;
    struct yore_error error;
    struct walk walk = {.count = 0};
    CHECK_OK(commit_sort_new(memory_bytes, &sort, &error));
    for (unsigned i = 0; i < count; i++) {
        char text[64];
        int64_t commit = (int64_t)test_rand_below(&rand, commits) - 5;
        int size = snprintf(text, sizeof(text), "%lld %u", (long long)commit, i);
        CHECK_OK(commit_sort_add(sort, commit, bytes_of(text, (size_t)size), &error));
    }
    CHECK_OK(commit_sort_each(sort, check_line, &walk, &error));
    CHECK_EQ_UINT(walk.count, count);
    commit_sort_free(sort);
}

TEST(lines_come_in_commit_order)
{
    check_sort(COMMIT_SORT_BYTES, 0, 10);
    check_sort(COMMIT_SORT_BYTES, 1000, 10);
    check_sort(COMMIT_SORT_BYTES, 1000, UINT32_MAX);
}

TEST(runs_of_the_file_are_merged)
{
    check_sort(1, 50, 10);
    check_sort(1000, 2000, 40);
    check_sort(100000, 40000, 1000);
}

static enum yore_status stop(void *arg, struct yore_bytes line, struct yore_error *error_out)
{
    unsigned *left = arg;
    (void)line;
    return --*left == 0 ? error_set(error_out, YORE_CANCELLED, "enough") : YORE_OK;
}

TEST(a_walk_ends_with_the_status_of_its_caller)
{
    struct commit_sort *sort;
    struct yore_error error;
    unsigned left = 3;
    CHECK_OK(commit_sort_new(100, &sort, &error));
    for (int64_t i = 0; i < 100; i++) {
        CHECK_OK(commit_sort_add(sort, i, bytes_of("x", 1), &error));
    }
    CHECK_STATUS(commit_sort_each(sort, stop, &left, &error), YORE_CANCELLED);
    commit_sort_free(sort);
}

TEST_MAIN(lines_come_in_commit_order, runs_of_the_file_are_merged,
          a_walk_ends_with_the_status_of_its_caller)
