/* The log: one line an event, whatever the text from outside holds. */
#include "server/log.h"

#include <stdio.h>
#include <string.h>

#include "os/env.h"
#include "server/limits.h"
#include "support/test.h"

static void lines_of(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    size_t size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
}

TEST(a_line_is_logfmt_or_json_and_text_is_escaped)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    char text[2000];
    const char *path = test_path("log");
    struct log_field fields[] = {{"address", "127.0.0.1:1"}, {"name", "a \"b\"\n\x80"}};
    CHECK_OK(log_open(os_env_posix(), path, &log, &error));
    log_fields(log, LOG_WARN, "hello world", fields, 2);
    log_set(log, LOG_INFO, LOG_JSON);
    log_fields(log, LOG_ERROR, "x", fields, 2);
    log_text(log, LOG_DEBUG, "unseen");
    log_close(log);
    lines_of(path, text, sizeof(text));
    CHECK(strncmp(text, "time=20", 7) == 0);
    CHECK(strstr(text, "Z level=warn msg=\"hello world\" address=127.0.0.1:1 "
                       "name=\"a \\\"b\\\"\\u000a\\u0080\"\n{\"time\":\"20") != NULL);
    CHECK(strstr(text, ",\"level\":\"error\",\"msg\":\"x\",\"address\":\"127.0.0.1:1\","
                       "\"name\":\"a \\\"b\\\"\\u000a\\u0080\"}\n") != NULL);
    CHECK(strstr(text, "unseen") == NULL);
}

TEST(a_file_moved_away_is_made_anew)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    char text[2000];
    const char *path = test_path("log");
    const char *moved = test_path("log.1");
    CHECK_OK(log_open(os_env_posix(), path, &log, &error));
    log_text(log, LOG_INFO, "first");
    CHECK(rename(path, moved) == 0);
    CHECK_OK(log_reopen(log, &error));
    log_text(log, LOG_INFO, "second");
    log_close(log);
    lines_of(path, text, sizeof(text));
    CHECK(strstr(text, "second") != NULL && strstr(text, "first") == NULL);
}

TEST(a_long_line_is_cut_and_ends)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    char text[3 * LOG_LINE_BYTES_MAX];
    static char long_text[2 * LOG_LINE_BYTES_MAX];
    const char *path = test_path("log");
    memset(long_text, 'x', sizeof(long_text) - 1);
    CHECK_OK(log_open(os_env_posix(), path, &log, &error));
    log_text(log, LOG_INFO, long_text);
    log_text(log, LOG_INFO, "after");
    log_close(log);
    lines_of(path, text, sizeof(text));
    CHECK(strlen(text) < LOG_LINE_BYTES_MAX + 100);
    CHECK(strstr(text, "\ntime=") != NULL);
}

TEST(a_log_that_cannot_be_written_is_refused)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    CHECK_STATUS(log_open(os_env_posix(), test_path("no/such/folder"), &log, &error), YORE_IO);
    CHECK(strstr(error.text, "no/such/folder") != NULL);
}

TEST_MAIN(a_line_is_logfmt_or_json_and_text_is_escaped, a_file_moved_away_is_made_anew,
          a_long_line_is_cut_and_ends, a_log_that_cannot_be_written_is_refused)
