/* test.h -- a small test harness: cases, checks, seeds and scratch folders.
 *
 *     TEST(get_of_a_missing_key_is_not_found)
 *     {
 *         CHECK_STATUS(db_get(...), YORE_NOT_FOUND);
 *     }
 *     TEST_MAIN(get_of_a_missing_key_is_not_found, ...)
 *
 * A case that is not named in TEST_MAIN is an unused variable, and does not compile.
 * `program`            runs every case; `program word` runs those whose name contains a word;
 * `program -l`         lists them; `program -v` prints each one with its time.
 * YORE_TEST_SEED=n     repeats the run whose failure line printed that seed.
 * YORE_TEST_KEEP=1     leaves the scratch folders.
 * The exit status is 0 when every case passed, 1 when one failed, 77 when all were skipped.
 *
 * A check that fails prints its place and values and leaves the case at once.  On a thread the
 * case has started itself it prints, marks the case as failed and goes on.
 */
#ifndef YORE_TEST_SUPPORT_TEST_H
#define YORE_TEST_SUPPORT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

/* A case is an array of one, so that its name alone is a pointer in the table of TEST_MAIN. */
#define TEST(name)                                                                                 \
    static void test_run_##name(void);                                                             \
    static const struct test_case name[1] = {{#name, test_run_##name}};                            \
    static void test_run_##name(void)

#define TEST_MAIN(...)                                                                             \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct test_case *const cases[] = {__VA_ARGS__};                              \
        return test_main(argc, argv, cases, sizeof cases / sizeof cases[0]);                       \
    }

struct test_place {
    const char *file;
    int line;
    const char *text;
};
#define TEST_PLACE(what) (&(const struct test_place){__FILE__, __LINE__, what})

#define CHECK(cond) test_check((cond) ? true : false, TEST_PLACE(#cond))
/* Like CHECK, with a printf text that says what was being looked at. */
#define CHECK_MSG(cond, ...) test_check_msg((cond) ? true : false, TEST_PLACE(#cond), __VA_ARGS__)
#define CHECK_EQ_INT(got, want)                                                                    \
    test_check_int((intmax_t)(got), (intmax_t)(want), TEST_PLACE(#got " == " #want))
#define CHECK_EQ_UINT(got, want)                                                                   \
    test_check_uint((uintmax_t)(got), (uintmax_t)(want), TEST_PLACE(#got " == " #want))
#define CHECK_EQ_STR(got, want) test_check_str((got), (want), TEST_PLACE(#got " == " #want))
#define CHECK_EQ_BYTES(got, got_size, want, want_size)                                             \
    test_check_bytes((got), (got_size), (want), (want_size), TEST_PLACE(#got " == " #want))
/* The status of a call, as its number: 0 is YORE_OK. */
#define CHECK_OK(status) test_check_status((int)(status), 0, TEST_PLACE(#status))
#define CHECK_STATUS(status, want)                                                                 \
    test_check_status((int)(status), (int)(want), TEST_PLACE(#status))
#define FAIL(...) test_check_msg(false, TEST_PLACE("FAIL"), __VA_ARGS__)
/* Leave the case as skipped, saying why; only on the thread of the case. */
#define SKIP(...) test_skip(__VA_ARGS__)

int test_main(int argc, char **argv, const struct test_case *const *cases, size_t case_count);

void test_check(bool ok, const struct test_place *place);
void test_check_msg(bool ok, const struct test_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void test_check_int(intmax_t got, intmax_t want, const struct test_place *place);
void test_check_uint(uintmax_t got, uintmax_t want, const struct test_place *place);
void test_check_str(const char *got, const char *want, const struct test_place *place);
void test_check_bytes(const void *got, size_t got_size, const void *want, size_t want_size,
                      const struct test_place *place);
void test_check_status(int got, int want, const struct test_place *place);
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text printed with the next failure of this case, to say which of many rounds it was ("round 17");
 * copied, and forgotten when the case ends. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Add to the number of cases the program reports before its closing line, for suites whose unit is
 * a crash point or a flipped bit.  Any thread. */
void test_count(uint64_t cases);

/* Whether long double has more than the 53 bits of double, as the processors at hand have it; under
 * valgrind it has not, and the last digit of a sum may differ. */
bool test_has_long_double(void);

/* The run's seed: YORE_TEST_SEED, or fresh ones from the system. */
uint64_t test_seed(void);

/* True when YORE_TEST_SOAK is set (make soak).  test_scale() is how many cases to run: `soak` then,
 * a tenth of `quick` when YORE_TEST_BRIEF is set (sanitizers, valgrind, coverage), else `quick`. */
bool test_is_soak(void);
uint64_t test_scale(uint64_t quick, uint64_t soak);
/* The same for suites that try every n-th case of a given row: `soak` then, ten times `quick` when
 * brief. */
uint64_t test_stride(uint64_t quick, uint64_t soak);
/* The number in an environment variable, or `fallback` when it is not set. */
uint64_t test_number(const char *name, uint64_t fallback);

/* splitmix64: small, seedable with anything, good enough to choose cases. */
struct test_rand {
    uint64_t state;
};
/* Start from the run's seed and the name of the running case: the same numbers whichever other
 * cases run.  `stream` tells apart several generators of one case. */
struct test_rand test_rand_new(uint64_t stream);
uint64_t test_rand_u64(struct test_rand *rand);
/* 0..bound-1; bound > 0. */
uint64_t test_rand_below(struct test_rand *rand, uint64_t bound);
/* True once in `n`, on average. */
bool test_rand_one_in(struct test_rand *rand, uint64_t n);
void test_rand_fill(struct test_rand *rand, void *bytes, size_t size);

/* Have `act` called when the running case ends, whether it passes or fails, before its scratch
 * folder is removed; there is one at most.  Thread of the case only. */
void test_at_end(void (*act)(void));

/* Wait a tenth of a millisecond, in a loop until another thread has done something.  To yield is no
 * such wait: beside other programs each time may cost a whole slice of theirs. */
void test_pause(void);

/* The scratch folder of the running case, below $TMPDIR or /tmp, made at the first call and removed
 * with all it holds when the case ends. */
const char *test_tmpdir(void);
/* "<tmpdir>/<name>"; lives until the case ends.  Thread of the case only. */
const char *test_path(const char *name);

#endif
