/* The log: one line an event, whatever the text from outside holds. */
#include "server/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sha256.h"
#include "os/env.h"
#include "server/limits.h"
#include "server/log_chain.h"
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

TEST(no_name_hides_the_fields_behind_it)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    char text[2000];
    const char *path = test_path("log");
    struct log_field fields[] = {{"keys", "a{"}, {"outcome", "ok"}};
    CHECK_OK(log_open(os_env_posix(), path, &log, &error));
    log_fields(log, LOG_INFO, "x", fields, 2);
    log_close(log);
    lines_of(path, text, sizeof(text));
    CHECK_MSG(strstr(text, " keys=a{ outcome=ok\n") != NULL, "%s", text);
}

/* Does every line of JSON in `text` end as an object does, its strings closed? */
static bool are_objects(const char *text)
{
    bool is_quoted = false;
    for (const char *at = text; *at != '\0'; at++) {
        if (is_quoted && *at == '\\') {
            size_t size = at[1] == 'u' ? 5 : 1;
            for (size_t i = 1; i <= size; i++) {
                if (at[i] < ' ') {
                    return false;
                }
            }
            at += size;
        } else if (*at == '"') {
            is_quoted = !is_quoted;
        } else if (*at == '\n' && (is_quoted || at[-1] != '}' || at[-2] != '"')) {
            return false;
        }
    }
    return !is_quoted;
}

TEST(a_line_of_json_that_is_cut_is_one_all_the_same)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    static char text[200 * LOG_LINE_BYTES_MAX];
    static char value[2 * LOG_LINE_BYTES_MAX];
    const char *path = test_path("log");
    CHECK_OK(log_open(os_env_posix(), path, &log, &error));
    log_set(log, LOG_INFO, LOG_JSON);
    for (size_t size = LOG_LINE_BYTES_MAX - 200; size < LOG_LINE_BYTES_MAX - 50; size++) {
        static const char *const tails[] = {"\"\"", "\x01\x02", "xy"};
        memset(value, 'x', size);
        snprintf(value + size, 3, "%s", tails[size % 3]);
        struct log_field fields[] = {{"keys", value}, {"outcome", "\n"}};
        log_fields(log, LOG_INFO, "audit", fields, 2);
    }
    log_close(log);
    lines_of(path, text, sizeof(text));
    CHECK(strlen(text) > 100 * (LOG_LINE_BYTES_MAX - 200));
    CHECK(are_objects(text));
}

TEST(a_log_is_nobody_elses_to_read)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    struct stat info;
    mode_t before = umask(022);
    CHECK_OK(log_open(os_env_posix(), test_path("log"), &log, &error));
    umask(before);
    log_close(log);
    CHECK(stat(test_path("log"), &info) == 0);
    CHECK_EQ_INT(info.st_mode & 0777, 0600);
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

/* How many lines of `text` are not bound to the one before, as a reader finds them. */
static unsigned broken_lines(const char *text)
{
    char chain[SHA256_TEXT_BYTES];
    unsigned broken = 0;
    memset(chain, '0', SHA256_TEXT_BYTES - 1);
    chain[SHA256_TEXT_BYTES - 1] = '\0';
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        size_t size = strcspn(at, "\n");
        log_chain_follow(chain, bytes_of(at, size), chain);
        size_t behind = at[size - 1] == '}' ? 2 : 0;
        bool is_told =
            size > SHA256_TEXT_BYTES + behind &&
            memcmp(at + size - behind - (SHA256_TEXT_BYTES - 1), chain, SHA256_TEXT_BYTES - 1) == 0;
        broken += is_told ? 0 : 1;
    }
    return broken;
}

TEST(lines_are_bound_to_each_other)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    static char text[40000];
    static char long_text[2 * LOG_LINE_BYTES_MAX];
    const char *path = test_path("audit");
    memset(long_text, 'x', sizeof(long_text) - 1);
    for (int round = 0; round < 3; round++) { /* it goes on where it was */
        CHECK_OK(log_open(os_env_posix(), path, &log, &error));
        log_set(log, LOG_INFO, round == 1 ? LOG_JSON : LOG_LOGFMT);
        CHECK_OK(log_chain(log, &error));
        log_text(log, LOG_INFO, "one chain=0");
        log_text(log, LOG_INFO, long_text);
        log_text(log, LOG_DEBUG, "unseen");
        log_text(log, LOG_INFO, "two");
        log_close(log);
    }
    lines_of(path, text, sizeof(text));
    CHECK_EQ_UINT(broken_lines(text), 0);
    char *digit = strstr(text, "two");
    *digit = 'T';
    CHECK_EQ_UINT(broken_lines(text), 9); /* it, and all behind */
    *digit = 't';
    char *line = strstr(text, "\n") + 1;
    memmove(line, strstr(line, "\n") + 1, strlen(strstr(line, "\n") + 1) + 1);
    CHECK(broken_lines(text) >= 1);
}

TEST(a_line_that_a_crash_cut_shows_and_breaks_no_other)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    static char text[20000];
    const char *path = test_path("audit");
    for (int round = 0; round < 2; round++) {
        CHECK_OK(log_open(os_env_posix(), path, &log, &error));
        CHECK_OK(log_chain(log, &error));
        log_text(log, LOG_INFO, "one");
        log_close(log);
        FILE *file = fopen(path, "a");
        CHECK(file != NULL && fputs(round == 0 ? "time=2026 level=in" : "", file) >= 0);
        CHECK(fclose(file) == 0);
    }
    lines_of(path, text, sizeof(text));
    CHECK_EQ_UINT(broken_lines(text), 1);
}

TEST(a_file_that_follows_says_behind_what)
{
    struct log *log = NULL;
    struct yore_error error = {0};
    char text[4000];
    char next[4000];
    const char *path = test_path("audit");
    CHECK_OK(log_open(os_env_posix(), path, &log, &error));
    CHECK_OK(log_chain(log, &error));
    log_text(log, LOG_INFO, "first");
    CHECK(rename(path, test_path("audit.1")) == 0);
    CHECK_OK(log_reopen(log, &error));
    log_text(log, LOG_INFO, "second");
    log_close(log);
    lines_of(test_path("audit.1"), text, sizeof(text));
    lines_of(path, next, sizeof(next));
    CHECK(broken_lines(text) == 0 && broken_lines(next) == 0);
    char after[100];
    size_t size = strlen(text);
    text[size - 1] = '\0';
    snprintf(after, sizeof(after), "msg=begins after=%s chain=", text + size - SHA256_TEXT_BYTES);
    CHECK_MSG(strstr(next, after) != NULL, "%s: %s", after, next);
}

TEST_MAIN(no_name_hides_the_fields_behind_it, a_log_is_nobody_elses_to_read,
          a_line_of_json_that_is_cut_is_one_all_the_same, lines_are_bound_to_each_other,
          a_line_that_a_crash_cut_shows_and_breaks_no_other, a_file_that_follows_says_behind_what,
          a_line_is_logfmt_or_json_and_text_is_escaped, a_file_moved_away_is_made_anew,
          a_long_line_is_cut_and_ends, a_log_that_cannot_be_written_is_refused)
