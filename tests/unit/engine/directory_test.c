/* directory_test.c -- a database on the real system, whose process moves to another directory, or
 * whose own directory is moved away. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yore/yore.h>

#include "support/test.h"

#define VALUE_BYTES 4000
#define PUTS_PAST_A_FLUSH 40

static struct yore_bytes word(const char *word)
{
    return (struct yore_bytes){word, strlen(word)};
}

static enum yore_status open_small(const char *path, bool is_read_only, struct yore_db **db_out,
                                   struct yore_error *error_out)
{
    struct yore_options options;
    yore_options_init(&options);
    options.memtable_bytes = 64u << 10;
    options.segment_bytes = 64u << 10;
    options.read_only = is_read_only;
    return yore_open(path, &options, db_out, error_out);
}

/* Some values, a memtable and segments of the journal more than once. */
static enum yore_status put_many(struct yore_db *db, struct yore_error *error_out)
{
    static char value[VALUE_BYTES];
    enum yore_status st = YORE_OK;
    for (int i = 0; st == YORE_OK && i < PUTS_PAST_A_FLUSH; i++) {
        char key[20];
        snprintf(key, sizeof key, "k%03d", i);
        st = yore_put(db, NULL, word(key), (struct yore_bytes){value, sizeof value}, NULL,
                      error_out);
    }
    return st;
}

static void check_many(struct yore_db *db)
{
    for (int i = 0; i < PUTS_PAST_A_FLUSH; i++) {
        char key[20];
        struct yore_value value;
        snprintf(key, sizeof key, "k%03d", i);
        CHECK_OK(yore_get(db, NULL, word(key), NULL, &value, NULL));
        CHECK_EQ_UINT(value.size, VALUE_BYTES);
        yore_value_release(&value);
    }
}

static void lift_limit(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void leave(void)
{
    CHECK(chdir("/") == 0);
}

/* Make the directory of that name in the scratch folder the current one until the case ends. */
static void go_to(const char *name)
{
    test_at_end(leave);
    (void)mkdir(test_path(name), 0700);
    CHECK(chdir(test_path(name)) == 0);
}

TEST(a_relative_path_is_of_the_directory_at_the_opening)
{
    struct yore_db *db;
    go_to("here");
    CHECK_OK(open_small("db", false, &db, NULL));
    go_to("elsewhere");
    CHECK_OK(put_many(db, NULL));
    CHECK_OK(yore_compact(db, NULL, NULL));
    CHECK_OK(yore_verify(db, NULL, NULL, NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
    CHECK(rmdir(test_path("elsewhere")) == 0);
    go_to("here");
    CHECK_OK(open_small("db", true, &db, NULL));
    go_to("elsewhere");
    check_many(db);
    CHECK_OK(yore_verify(db, NULL, NULL, NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
}

TEST(a_database_of_that_name_elsewhere_is_left_alone)
{
    struct yore_db *db;
    go_to("elsewhere");
    CHECK_OK(open_small("db", false, &db, NULL));
    CHECK_OK(yore_put(db, NULL, word("theirs"), word("1"), NULL, NULL));
    CHECK_OK(yore_close(db, NULL));
    go_to("here");
    CHECK_OK(open_small("db", false, &db, NULL));
    go_to("elsewhere");
    CHECK_OK(put_many(db, NULL));
    CHECK_OK(yore_close(db, NULL));
    struct yore_value value;
    struct yore_verify_report report;
    CHECK_OK(open_small("db", true, &db, NULL));
    CHECK_OK(yore_get(db, NULL, word("theirs"), NULL, &value, NULL));
    yore_value_release(&value);
    CHECK_OK(yore_verify(db, NULL, NULL, &report, NULL));
    CHECK_EQ_UINT(report.keys, 1);
    CHECK_OK(yore_close(db, NULL));
}

TEST(without_a_current_directory_a_relative_path_is_refused)
{
    struct yore_db *db;
    struct yore_error error;
    go_to("gone");
    CHECK(rmdir(test_path("gone")) == 0);
    CHECK_STATUS(open_small("db", false, &db, &error), YORE_IO);
    CHECK_EQ_STR(error.text, "find the current directory, for the path db: No such file or "
                             "directory");
    CHECK_STATUS(yore_verify_path("db", NULL, NULL, NULL, &error), YORE_IO);
    CHECK_OK(open_small(test_path("db"), false, &db, &error));
    CHECK_OK(yore_close(db, NULL));
}

TEST(writes_to_a_database_that_was_moved_away_are_errors_of_the_disk)
{
    struct yore_db *db;
    struct yore_error error;
    CHECK_OK(open_small(test_path("db"), false, &db, NULL));
    CHECK_OK(yore_put(db, NULL, word("a"), word("1"), NULL, NULL));
    CHECK(rename(test_path("db"), test_path("moved")) == 0);
    CHECK_STATUS(put_many(db, &error), YORE_IO);
    CHECK_EQ_INT(error.status, YORE_IO);
    CHECK_MSG(strstr(error.text, test_path("db")) != NULL, "%s", error.text);
    CHECK_STATUS(yore_delete(db, NULL, word("a"), NULL, &error), YORE_IO);
    CHECK_STATUS(yore_flush(db, &error), YORE_IO);
    struct yore_value value;
    CHECK_OK(yore_get(db, NULL, word("a"), NULL, &value, NULL));
    yore_value_release(&value);
    CHECK_STATUS(yore_get(db, NULL, word("b"), NULL, &value, NULL), YORE_NOT_FOUND);
    CHECK_STATUS(yore_close(db, &error), YORE_IO);
    CHECK_EQ_INT(error.status, YORE_IO);
    CHECK_OK(open_small(test_path("moved"), false, &db, NULL));
    CHECK_OK(yore_close(db, NULL));
}

TEST(tables_that_cannot_be_made_where_the_database_was_are_errors_of_the_disk)
{
    struct yore_db *db;
    struct yore_error error;
    CHECK_OK(open_small(test_path("db"), false, &db, NULL));
    CHECK_OK(yore_put(db, NULL, word("a"), word("1"), NULL, NULL));
    CHECK(rename(test_path("db"), test_path("moved")) == 0);
    CHECK_STATUS(yore_compact(db, NULL, &error), YORE_IO);
    CHECK_MSG(strstr(error.text, test_path("db")) != NULL, "%s", error.text);
    CHECK_STATUS(yore_checkpoint(db, test_path("copy"), &error), YORE_IO);
    CHECK_STATUS(yore_close(db, &error), YORE_IO);
}

TEST(a_limit_on_the_size_of_files_is_no_space)
{
    struct yore_db *db;
    struct yore_error error;
    struct rlimit limit;
    CHECK_OK(open_small(test_path("db"), false, &db, NULL));
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    test_at_end(lift_limit);
    limit.rlim_cur = 32u << 10;
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK_STATUS(put_many(db, &error), YORE_NO_SPACE);
    lift_limit();
    (void)yore_close(db, NULL);
    CHECK_OK(open_small(test_path("db"), false, &db, NULL));
    CHECK_OK(put_many(db, NULL));
    CHECK_OK(yore_close(db, NULL));
}

TEST_MAIN(a_relative_path_is_of_the_directory_at_the_opening,
          a_database_of_that_name_elsewhere_is_left_alone,
          without_a_current_directory_a_relative_path_is_refused,
          writes_to_a_database_that_was_moved_away_are_errors_of_the_disk,
          tables_that_cannot_be_made_where_the_database_was_are_errors_of_the_disk,
          a_limit_on_the_size_of_files_is_no_space)
