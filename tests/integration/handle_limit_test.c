/* handle_limit_test.c -- a process that may have few files open (RLIMIT_NOFILE), and a database of
 * many more tables with default options: everything works. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "support/test.h"

#define KEYS 3000u
#define VALUE_BYTES 400u
#define HANDLES 64u

static void must(enum yore_status st, const char *what, const struct yore_error *error)
{
    if (st != YORE_OK) {
        fprintf(stderr, "handle_limit_test: %s: %s\n", what, error->text);
        _exit(3);
    }
}

static struct yore_options small_tables(void)
{
    struct yore_options options;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    options.table_bytes = 16u << 10;
    options.memtable_bytes = 256u << 10;
    options.segment_bytes = 256u << 10;
    return options;
}

static struct yore_bytes key_of(unsigned number, char storage[16])
{
    int length = snprintf(storage, 16, "key%05u", number % 100000);
    return bytes_of(storage, (size_t)length);
}

static void put_all(struct yore_db *db, uint64_t seed)
{
    static unsigned char value[VALUE_BYTES];
    struct test_rand rand = test_rand_new(seed);
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        struct yore_error error = {.text = ""};
        test_rand_fill(&rand, value, sizeof value);
        must(yore_put(db, NULL, key_of(i, key), bytes_of(value, sizeof value), NULL, &error), "put",
             &error);
    }
}

static void get_all(struct yore_db *db)
{
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        struct yore_value value = {0};
        struct yore_error error = {.text = ""};
        must(yore_get(db, NULL, key_of(i, key), NULL, &value, &error), "get", &error);
        yore_value_release(&value);
    }
}

static void use_with_few_handles(const char *path)
{
    struct yore_db *db = NULL;
    struct yore_error error = {.text = ""};
    struct yore_verify_report report;
    const struct yore_options options = small_tables();
    const struct rlimit limit = {HANDLES, HANDLES};
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0 ? YORE_OK : YORE_IO, "setrlimit", &error);
    must(yore_open(path, &options, &db, &error), "open", &error);
    get_all(db);
    must(yore_verify(db, NULL, NULL, &report, &error), "verify", &error);
    must(report.files >= 80 + HANDLES ? YORE_OK : YORE_INVALID, "too few files", &error);
    put_all(db, 2);
    must(yore_compact(db, NULL, &error), "compact", &error);
    put_all(db, 3);
    must(yore_close(db, &error), "close", &error);
    must(yore_verify_path(path, NULL, NULL, NULL, &error), "verify the closed one", &error);
}

TEST(a_database_of_many_tables_is_read_checked_merged_and_written_with_few_handles)
{
    struct yore_db *db = NULL;
    const struct yore_options options = small_tables();
    char path[512];
    int status = 0;
    (void)snprintf(path, sizeof path, "%s", test_path("db"));
    CHECK_OK(yore_open(path, &options, &db, NULL));
    put_all(db, 0);
    CHECK_OK(yore_compact(db, NULL, NULL));
    put_all(db, 1);
    CHECK_OK(yore_compact(db, NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        use_with_few_handles(path);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the process ended with %d", status);
}

TEST_MAIN(a_database_of_many_tables_is_read_checked_merged_and_written_with_few_handles)
