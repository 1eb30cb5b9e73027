/* test.c -- runs the cases of one program and reports them. */
#include "support/test.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <yore/status.h>

enum { NOTE_BYTES = 256, PATHS_MAX = 256, DIR_BYTES = 4096, SHOWN_BYTES = 24, SKIPPED_EXIT = 77 };

/* One program runs one case at a time, so its state is kept once, here. */
static struct {
    const char *program;
    const char *case_name;
    uint64_t seed;
    bool is_verbose;
    atomic_bool is_failed;
    bool is_skipped;
    _Atomic uint64_t counted;
    char note[NOTE_BYTES];
    char dir[DIR_BYTES];
    char *paths[PATHS_MAX];
    size_t path_count;
    void (*at_end)(void);
    jmp_buf leave;
} run;

/* Set on the thread of the case only: a check on another thread must not jump. */
static _Thread_local bool may_leave;

static void print_failure(const struct test_place *place)
{
    atomic_store(&run.is_failed, true);
    fprintf(stderr, "%s:%d: %s: failed: %s\n", place->file, place->line, run.case_name,
            place->text);
}

static void finish_failure(void)
{
    if (run.note[0] != '\0') {
        fprintf(stderr, "    at: %s\n", run.note);
    }
    fprintf(stderr, "    again: YORE_TEST_SEED=%" PRIu64 " %s %s\n", run.seed, run.program,
            run.case_name);
    fflush(stderr);
    if (may_leave) {
        longjmp(run.leave, 1);
    }
}

void test_check(bool ok, const struct test_place *place)
{
    if (!ok) {
        print_failure(place);
        finish_failure();
    }
}

void test_check_msg(bool ok, const struct test_place *place, const char *format, ...)
{
    if (ok) {
        return;
    }
    print_failure(place);
    fputs("    ", stderr);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    finish_failure();
}

void test_check_int(intmax_t got, intmax_t want, const struct test_place *place)
{
    if (got != want) {
        print_failure(place);
        fprintf(stderr, "    got %jd, want %jd\n", got, want);
        finish_failure();
    }
}

void test_check_uint(uintmax_t got, uintmax_t want, const struct test_place *place)
{
    if (got != want) {
        print_failure(place);
        fprintf(stderr, "    got %ju (0x%jx), want %ju (0x%jx)\n", got, got, want, want);
        finish_failure();
    }
}

void test_check_str(const char *got, const char *want, const struct test_place *place)
{
    bool ok = got == want || (got != NULL && want != NULL && strcmp(got, want) == 0);
    if (!ok) {
        print_failure(place);
        fprintf(stderr, "    got  \"%s\"\n    want \"%s\"\n", got == NULL ? "(null)" : got,
                want == NULL ? "(null)" : want);
        finish_failure();
    }
}

/* Some bytes around `at`, in hex. */
static void print_bytes(const char *label, const unsigned char *bytes, size_t size, size_t at)
{
    size_t from = at < SHOWN_BYTES / 2 ? 0 : at - SHOWN_BYTES / 2;
    fprintf(stderr, "    %s (%zu bytes), from %zu:", label, size, from);
    for (size_t i = from; i < size && i < from + SHOWN_BYTES; i++) {
        fprintf(stderr, i == at ? " >%02x" : " %02x", bytes[i]);
    }
    fputc('\n', stderr);
}

void test_check_bytes(const void *got, size_t got_size, const void *want, size_t want_size,
                      const struct test_place *place)
{
    const unsigned char *a = got;
    const unsigned char *b = want;
    size_t same = 0;
    while (same < got_size && same < want_size && a[same] == b[same]) {
        same++;
    }
    if (same == got_size && same == want_size) {
        return;
    }
    print_failure(place);
    print_bytes("got ", a, got_size, same);
    print_bytes("want", b, want_size, same);
    finish_failure();
}

/* From the list itself, so that the harness links no layer. */
static const char *status_name(int status)
{
    switch (status) {
#define STATUS_CASE(name, number, message)                                                         \
    case number:                                                                                   \
        return #name;
        YORE_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    default:
        return "?";
    }
}

void test_check_status(int got, int want, const struct test_place *place)
{
    if (got != want) {
        print_failure(place);
        fprintf(stderr, "    status %d %s, want %d %s\n", got, status_name(got), want,
                status_name(want));
        finish_failure();
    }
}

void test_skip(const char *format, ...)
{
    fprintf(stderr, "%s: skipped: ", run.case_name);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    run.is_skipped = true;
    longjmp(run.leave, 1);
}

void test_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run.note, sizeof run.note, format, args);
    va_end(args);
}

void test_count(uint64_t cases)
{
    atomic_fetch_add(&run.counted, cases);
}

uint64_t test_seed(void)
{
    return run.seed;
}

bool test_has_long_double(void)
{
    volatile long double one = 1.0L;
    volatile long double little = 0x1p-60L;
    return one + little != one;
}

bool test_is_soak(void)
{
    return getenv("YORE_TEST_SOAK") != NULL;
}

uint64_t test_scale(uint64_t quick, uint64_t soak)
{
    if (test_is_soak()) {
        return soak;
    }
    if (getenv("YORE_TEST_BRIEF") != NULL) {
        return quick < 10 ? quick : quick / 10;
    }
    return quick;
}

uint64_t test_stride(uint64_t quick, uint64_t soak)
{
    if (test_is_soak()) {
        return soak;
    }
    return getenv("YORE_TEST_BRIEF") != NULL ? quick * 10 : quick;
}

uint64_t test_number(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);
    return text == NULL || text[0] == '\0' ? fallback : strtoull(text, NULL, 0);
}

struct test_rand test_rand_new(uint64_t stream)
{
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a over the name of the case */
    for (const char *c = run.case_name; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3U;
    }
    return (struct test_rand){.state = run.seed ^ hash ^ (stream * 0x9e3779b97f4a7c15U)};
}

uint64_t test_rand_u64(struct test_rand *rand)
{
    rand->state += 0x9e3779b97f4a7c15U;
    uint64_t z = rand->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

uint64_t test_rand_below(struct test_rand *rand, uint64_t bound)
{
    return test_rand_u64(rand) % bound;
}

bool test_rand_one_in(struct test_rand *rand, uint64_t n)
{
    return test_rand_below(rand, n) == 0;
}

void test_rand_fill(struct test_rand *rand, void *bytes, size_t size)
{
    unsigned char *to = bytes;
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = test_rand_u64(rand);
        memcpy(to + i, &word, size - i < sizeof word ? size - i : sizeof word);
    }
}

/* The harness itself cannot go on: not a failed check. */
static void give_up(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s %s: %s\n", run.program, what, name, strerror(errno));
    exit(2);
}

const char *test_tmpdir(void)
{
    if (run.dir[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(run.dir, sizeof run.dir, "%s/yore-test-XXXXXX",
                 base == NULL || base[0] == '\0' ? "/tmp" : base);
        if (mkdtemp(run.dir) == NULL) {
            give_up("cannot make", run.dir);
        }
    }
    return run.dir;
}

const char *test_path(const char *name)
{
    const char *dir = test_tmpdir();
    size_t size = strlen(dir) + 1 + strlen(name) + 1;
    char *path = malloc(size);
    if (path == NULL || run.path_count == PATHS_MAX) {
        give_up("no room for path", name);
        return NULL;
    }
    snprintf(path, size, "%s/%s", dir, name);
    run.paths[run.path_count] = path;
    run.path_count++;
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_scratch(void)
{
    if (run.dir[0] != '\0') {
        if (getenv("YORE_TEST_KEEP") != NULL) {
            fprintf(stderr, "%s: kept %s\n", run.case_name, run.dir);
        } else if (nftw(run.dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
            fprintf(stderr, "%s: cannot remove %s\n", run.case_name, run.dir);
        }
        run.dir[0] = '\0';
    }
    for (size_t i = 0; i < run.path_count; i++) {
        free(run.paths[i]);
    }
    run.path_count = 0;
}

void test_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

void test_at_end(void (*act)(void))
{
    CHECK(run.at_end == NULL || run.at_end == act);
    run.at_end = act;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_case(const struct test_case *test)
{
    double start = seconds_now();
    run.case_name = test->name;
    run.is_skipped = false;
    run.note[0] = '\0';
    atomic_store(&run.is_failed, false);
    may_leave = true;
    if (setjmp(run.leave) == 0) {
        test->run();
    }
    may_leave = false;
    if (run.at_end != NULL) {
        run.at_end();
        run.at_end = NULL;
    }
    remove_scratch();
    if (run.is_verbose) {
        printf("%-6s %6.2f s  %s\n",
               atomic_load(&run.is_failed) ? "failed" : (run.is_skipped ? "skip" : "ok"),
               seconds_now() - start, test->name);
        fflush(stdout);
    }
}

static uint64_t read_seed(void)
{
    const char *text = getenv("YORE_TEST_SEED");
    uint64_t seed = 0;
    if (text != NULL && text[0] != '\0') {
        char *end = NULL;
        seed = strtoull(text, &end, 0);
        if (*end != '\0') {
            fprintf(stderr, "YORE_TEST_SEED=%s is not a number\n", text);
            exit(2);
        }
    } else if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        give_up("no fresh seed from", "getrandom");
    }
    return seed;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    bool has_words = false;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            has_words = true;
            if (strstr(name, argv[i]) != NULL) {
                return true;
            }
        }
    }
    return !has_words;
}

int test_main(int argc, char **argv, const struct test_case *const *cases, size_t case_count)
{
    bool is_list = false;
    for (int i = 1; i < argc; i++) {
        is_list = is_list || strcmp(argv[i], "-l") == 0;
        run.is_verbose = run.is_verbose || strcmp(argv[i], "-v") == 0;
    }
    run.program = argv[0];
    run.seed = read_seed();
    unsigned passed = 0;
    unsigned failed = 0;
    unsigned skipped = 0;
    for (size_t i = 0; i < case_count; i++) {
        if (!is_wanted(cases[i]->name, argc, argv)) {
            continue;
        }
        if (is_list) {
            puts(cases[i]->name);
            continue;
        }
        run_case(cases[i]);
        bool is_failed = atomic_load(&run.is_failed);
        failed += is_failed;
        skipped += !is_failed && run.is_skipped;
        passed += !is_failed && !run.is_skipped;
    }
    if (is_list) {
        return 0;
    }
    uint64_t counted = atomic_load(&run.counted);
    printf("seed %" PRIu64 ", %" PRIu64 " cases, %u skipped\n", run.seed,
           counted != 0 ? counted : passed + failed, skipped);
    printf("%u passed, %u failed\n", passed, failed);
    if (failed != 0 || (passed == 0 && skipped == 0)) {
        return 1;
    }
    return passed == 0 ? SKIPPED_EXIT : 0;
}
