/* model_test.c -- random operations on the engine and on the reference, every read shape compared.
 *
 *     YORE_MODEL_OPS=n     operations in all (default 1,000,000; soak 10,000,000)
 *     YORE_MODEL_LANE=n    draw other operations from the same seed (default 0); ctest runs two
 *     YORE_MODEL_ROUND=n   operations on one disk (default 8,000)
 *     YORE_MODEL_SHRINK=1  after a failure look for the shortest list that fails, and print it
 *     YORE_MODEL_TRACE=1   print every commit
 *
 * A round is a seed: YORE_TEST_SEED repeats the whole run, YORE_MODEL_ONE=<seed>[w] just one round,
 * with a wild clock when a `w` follows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integration/model_run.h"

/* ---- shrinking ------------------------------------------------------------------------------ */

struct shrink {
    uint64_t seed;
    bool is_clock_wild;
    struct run_op *ops;
    size_t count;
};

/* How the list fails, in a process of its own, because it may crash: 0 not at all, else a number
 * that is the same for failures of the same kind of operation. */
static int shrink_try(const struct shrink *shrink, const struct run_op *ops, size_t count)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        static struct run_counts counts;
        char text[1280];
        char kind[32] = "";
        unsigned sum = 1;
        if (run_list(shrink->seed, shrink->is_clock_wild, ops, count, &counts, text)) {
            _exit(0);
        }
        (void)sscanf(text, "operation %*u (%31[a-z_ ]", kind);
        for (size_t i = 0; kind[i] != '\0'; i++) {
            sum = sum * 31 + (unsigned char)kind[i];
        }
        _exit((int)(1 + sum % 200));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return 0;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Drop chunks of ever smaller size while the rest still fails. */
static void shrink_list(struct shrink *shrink)
{
    struct run_op *trial = model_alloc(shrink->count * sizeof *trial);
    int wanted = shrink_try(shrink, shrink->ops, shrink->count);
    for (size_t chunk = shrink->count / 2; chunk > 0; chunk /= 2) {
        for (size_t at = shrink->count; at >= chunk; at = at < chunk ? 0 : at - chunk) {
            size_t begin = at - chunk;
            memcpy(trial, shrink->ops, begin * sizeof *trial);
            memcpy(trial + begin, shrink->ops + at, (shrink->count - at) * sizeof *trial);
            if (shrink_try(shrink, trial, shrink->count - chunk) == wanted) {
                shrink->count -= chunk;
                memcpy(shrink->ops, trial, shrink->count * sizeof *trial);
            }
        }
    }
    free(trial);
}

static void shrink_and_print(struct shrink *shrink)
{
    printf("shrinking %zu operations\n", shrink->count);
    shrink_list(shrink);
    printf("shortest failing list: %zu operations of seed %" PRIu64 "%s\n", shrink->count,
           shrink->seed, shrink->is_clock_wild ? "w" : "");
    for (size_t i = 0; i < shrink->count; i++) {
        printf("  %s 0x%016" PRIx64 "\n", run_op_name(shrink->ops[i].kind), shrink->ops[i].seed);
    }
    static struct run_counts counts;
    char text[1280] = "it crashes";
    (void)setenv("YORE_MODEL_TRACE", "1", 1);
    fflush(stdout);
    (void)run_list(shrink->seed, shrink->is_clock_wild, shrink->ops, shrink->count, &counts, text);
    printf("  %s\n", text);
}

/* ---- rounds --------------------------------------------------------------------------------- */

static void run_round(uint64_t seed, bool is_clock_wild, size_t count, struct run_counts *counts)
{
    struct run_op *ops = model_alloc(count * sizeof *ops);
    char text[1280] = "";
    run_draw(seed, ops, count);
    bool is_right = run_list(seed, is_clock_wild, ops, count, counts, text);
    if (!is_right) {
        printf("seed %" PRIu64 "%s: %s\n", seed, is_clock_wild ? "w" : "", text);
        printf("repeat with YORE_MODEL_ONE=%" PRIu64 "%s YORE_MODEL_ROUND=%zu\n", seed,
               is_clock_wild ? "w" : "", count);
        if (test_number("YORE_MODEL_SHRINK", 0) > 0) {
            struct shrink shrink = {seed, is_clock_wild, ops, count};
            shrink_and_print(&shrink);
        }
    }
    free(ops);
    CHECK_MSG(is_right, "seed %" PRIu64 "%s: %s", seed, is_clock_wild ? "w" : "", text);
}

static void print_counts(const struct run_counts *counts)
{
    printf("  %" PRIu64 " writes: %" PRIu64 " back-dated, %" PRIu64
           " before sealed slices, %" PRIu64 " on deleted and %" PRIu64 " on expired keys\n",
           counts->writes, counts->back_dated, counts->before_slices, counts->on_deleted,
           counts->on_expired);
    printf("  %" PRIu64 " commits, %" PRIu64 " conflicts, %" PRIu64 " verified reads\n",
           counts->commits, counts->conflicts, counts->reads);
}

static uint64_t run_rounds(bool is_clock_wild, uint64_t ops, struct run_counts *counts)
{
    struct test_rand rand = test_rand_new(test_number("YORE_MODEL_LANE", 0));
    size_t round = (size_t)test_number("YORE_MODEL_ROUND", 8000);
    uint64_t done = 0;
    while (done < ops) {
        run_round(test_rand_u64(&rand), is_clock_wild, round, counts);
        done += round;
        test_count(round);
    }
    return done;
}

static uint64_t budget(void)
{
    return test_number("YORE_MODEL_OPS", test_scale(1000000, 10000000));
}

TEST(random_operations_answer_as_the_model)
{
    static struct run_counts counts;
    memset(&counts, 0, sizeof counts);
    uint64_t done = run_rounds(false, budget() - budget() / 5, &counts);
    print_counts(&counts);
    bool is_enough = store_print_sources(counts.sources, 5);
    bool is_cut = store_print_cuts(&counts.cuts, done / 1000);
    CHECK(done >= budget() - budget() / 5);
    if (done >= 100000) {
        CHECK(counts.back_dated * 5 >= counts.writes);
        CHECK(counts.before_slices > 0);
        CHECK(counts.on_deleted > 0);
        CHECK(counts.on_expired > 0);
        CHECK(counts.conflicts > 0);
        CHECK(counts.reads * 10 >= done);
        CHECK_MSG(is_cut, "less than one seal in 1,000 operations");
        CHECK_MSG(is_enough, "a source answered less than 5 %% of the reads");
    }
}

TEST(random_operations_under_a_clock_that_steps_answer_as_the_model)
{
    static struct run_counts counts;
    memset(&counts, 0, sizeof counts);
    (void)run_rounds(true, budget() / 5, &counts);
    print_counts(&counts);
}

TEST(one_round_by_seed)
{
    const char *text = getenv("YORE_MODEL_ONE");
    if (text == NULL) {
        SKIP("set YORE_MODEL_ONE to a seed");
    }
    static struct run_counts counts;
    memset(&counts, 0, sizeof counts);
    bool is_clock_wild = strchr(text, 'w') != NULL;
    run_round(strtoull(text, NULL, 0), is_clock_wild, (size_t)test_number("YORE_MODEL_ROUND", 8000),
              &counts);
    print_counts(&counts);
    (void)store_print_sources(counts.sources, 0);
}

TEST_MAIN(one_round_by_seed, random_operations_answer_as_the_model,
          random_operations_under_a_clock_that_steps_answer_as_the_model)
