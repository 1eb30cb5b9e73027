/* memory_test.c -- a process that writes and reads ten times its cache stays within what it was
 * given: memtables, cache, and FIXED_MEMORY_BYTES for everything else (docs/performance.md,
 * "Memory").
 *
 *     YORE_MEMORY_TIMES=n   write n times the cache (default 10)
 *
 * The peak is the kernel's (VmHWM) of a process of its own, which writes every key twice, so that
 * there is history, reads single keys of now and of then, and walks everything at both times.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "engine/limits.h"
#include "support/test.h"

#define VALUE_BYTES 1000u
#define BATCH_ROWS 50u

struct work {
    char path[512];
    struct yore_options options;
    uint64_t keys;
    int64_t then; /* between the first and the second version of every key */
};

static void must(bool is_true, const char *what, const struct yore_error *error)
{
    if (!is_true) {
        fprintf(stderr, "memory_test: %s: %s\n", what, error->text);
        exit(3);
    }
}

/* Keys in an order that is not theirs, so that every flush covers all of them. */
static struct yore_bytes key_of(const struct work *work, uint64_t index, char storage[32])
{
    uint64_t number = index * 1000003 % work->keys;
    int length = snprintf(storage, 32, "key/%012" PRIu64, number);
    return bytes_of(storage, (size_t)length);
}

/* ---- the process ---------------------------------------------------------------------------- */

static void write_all(const struct work *work, struct yore_db *db, uint64_t pass)
{
    static unsigned char value[VALUE_BYTES];
    struct yore_error error = {0};
    struct test_rand rand = test_rand_new(pass);
    for (uint64_t i = 0; i < work->keys; i += BATCH_ROWS) {
        struct yore_batch *batch = NULL;
        must(yore_batch_new(db, &batch, &error) == YORE_OK, "batch", &error);
        for (uint64_t j = i; j < i + BATCH_ROWS && j < work->keys; j++) {
            char key[32];
            test_rand_fill(&rand, value, sizeof value); /* nothing to compress */
            must(yore_batch_put(batch, NULL, key_of(work, j, key), bytes_of(value, sizeof value),
                                NULL, &error) == YORE_OK,
                 "put", &error);
        }
        must(yore_batch_commit(batch, YORE_DURABILITY_NONE, NULL, &error) == YORE_OK, "commit",
             &error);
        yore_batch_free(batch);
    }
}

static void read_some(const struct work *work, struct yore_db *db, const struct yore_time *at)
{
    struct yore_error error = {0};
    struct test_rand rand = test_rand_new(7);
    for (uint64_t i = 0; i < work->keys / 4; i++) {
        char key[32];
        struct yore_value value = {0};
        struct yore_bytes name = key_of(work, test_rand_below(&rand, work->keys), key);
        must(yore_get(db, NULL, name, at, &value, &error) == YORE_OK, "get", &error);
        must(value.size == VALUE_BYTES, "a value of another size", &error);
        yore_value_release(&value);
    }
}

static void walk_all(const struct work *work, struct yore_db *db, const struct yore_time *at)
{
    struct yore_error error = {0};
    struct yore_cursor *cursor = NULL;
    const struct yore_cursor_options options = {.at = at};
    uint64_t rows = 0;
    must(yore_cursor_open(db, NULL, &options, &cursor, &error) == YORE_OK, "cursor", &error);
    while (yore_cursor_next(cursor) == YORE_OK) {
        rows++;
    }
    must(rows == work->keys, "a scan of another length", yore_cursor_error(cursor));
    yore_cursor_close(cursor);
}

static uint64_t peak_bytes(void)
{
    unsigned long long kib = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        (void)sscanf(line, "VmHWM: %llu kB", &kib);
    }
    if (status != NULL) {
        (void)fclose(status);
    }
    return kib * 1024;
}

/* All of it; the peak so far after each part. */
enum { AFTER_OPEN, AFTER_WRITES, AFTER_READS, PARTS };

static void run_process(const struct work *work, uint64_t peaks[PARTS])
{
    struct yore_db *db = NULL;
    struct yore_error error = {0};
    must(yore_open(work->path, &work->options, &db, &error) == YORE_OK, "open", &error);
    peaks[AFTER_OPEN] = peak_bytes();
    write_all(work, db, 0);
    const struct yore_time then = {yore_now(db), YORE_NOW};
    write_all(work, db, 1);
    peaks[AFTER_WRITES] = peak_bytes();
    read_some(work, db, NULL);
    read_some(work, db, &then);
    walk_all(work, db, NULL);
    walk_all(work, db, &then);
    peaks[AFTER_READS] = peak_bytes();
    must(yore_close(db, &error) == YORE_OK, "close", &error);
}

static void run_apart(const struct work *work, uint64_t peaks[PARTS])
{
    int ends[2];
    int status = 0;
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        uint64_t told[PARTS];
        run_process(work, told);
        _exit(write(ends[1], told, sizeof told) == (ssize_t)sizeof told ? 0 : 2);
    }
    (void)close(ends[1]);
    ssize_t size = read(ends[0], peaks, PARTS * sizeof peaks[0]);
    (void)close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the process ended with %d", status);
    CHECK(size == (ssize_t)(PARTS * sizeof peaks[0]));
}

/* ---- the bound ------------------------------------------------------------------------------ */

static uint64_t mib(uint64_t bytes)
{
    return (bytes + (1u << 19)) >> 20;
}

static void check_bound(const struct yore_options *options)
{
    static struct work work;
    uint64_t peaks[PARTS] = {0};
    uint64_t bytes = options->cache_bytes * test_number("YORE_MEMORY_TIMES", 10);
    work.options = *options;
    work.keys = bytes / 2 / VALUE_BYTES;
    (void)snprintf(work.path, sizeof work.path, "%s", test_path("db"));
    run_apart(&work, peaks);
    uint64_t memtables = (1 + MEMTABLES_WAITING_MAX) * options->memtable_bytes;
    uint64_t bound = memtables + options->cache_bytes + FIXED_MEMORY_BYTES;
    printf("  %" PRIu64 " MiB written; peak %" PRIu64 " MiB (%" PRIu64 " opened, %" PRIu64
           " written) of %" PRIu64 ": memtables %" PRIu64 ", cache %" PRIu64 ", all else %" PRIu64
           "\n",
           mib(bytes), mib(peaks[AFTER_READS]), mib(peaks[AFTER_OPEN]), mib(peaks[AFTER_WRITES]),
           mib(bound), mib(memtables), mib(options->cache_bytes), mib(FIXED_MEMORY_BYTES));
    CHECK_MSG(peaks[AFTER_READS] <= bound, "the peak was %" PRIu64 " MiB of %" PRIu64,
              mib(peaks[AFTER_READS]), mib(bound));
    test_count(2 * work.keys);
}

TEST(a_small_cache_and_small_memtables_bound_the_process)
{
    struct yore_options options;
    yore_options_init(&options);
    options.cache_bytes = 16u << 20;
    options.memtable_bytes = 4u << 20;
    check_bound(&options);
}

/* The defaults take ten times 256 MiB: minutes, and 10 GiB of disk. */
TEST(default_options_bound_the_process)
{
    struct yore_options options;
    if (!test_is_soak() && test_number("YORE_MEMORY_TIMES", 0) == 0) {
        SKIP("only with YORE_TEST_SOAK, or YORE_MEMORY_TIMES");
    }
    yore_options_init(&options);
    check_bound(&options);
}

TEST_MAIN(a_small_cache_and_small_memtables_bound_the_process, default_options_bound_the_process)
