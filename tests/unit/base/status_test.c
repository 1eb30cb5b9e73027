/* Statuses, error texts, keys as text. */
#include "base/status.h"

#include <string.h>

#include "base/bytes.h"
#include "support/test.h"

TEST(every_status_has_a_name_and_a_sentence)
{
    CHECK_EQ_STR(yore_status_name(YORE_OK), "OK");
    CHECK_EQ_STR(yore_status_name(YORE_BEFORE_HORIZON), "BEFORE_HORIZON");
    CHECK_EQ_STR(yore_status_message(YORE_LOCKED), "in use by another process");
    for (int i = 0; i <= YORE_UNSUPPORTED; i++) {
        CHECK(strcmp(yore_status_name((enum yore_status)i), "UNKNOWN") != 0);
        CHECK(yore_status_message((enum yore_status)i)[0] != '\0');
    }
    CHECK_EQ_STR(yore_status_name((enum yore_status)99), "UNKNOWN");
    CHECK(yore_status_message((enum yore_status)99) != NULL);
}

TEST(numbers_are_fixed_for_ever)
{
    CHECK_EQ_INT(YORE_NOT_FOUND, 1);
    CHECK_EQ_INT(YORE_CORRUPT, 8);
    CHECK_EQ_INT(YORE_UNSUPPORTED, 18);
    CHECK_EQ_INT(YORE_NO_FILES, 19);
}

TEST(the_version_is_three_numbers)
{
    const char *version = yore_version();
    CHECK(strspn(version, "0123456789.") == strlen(version));
    CHECK(strlen(version) >= 5);
}

TEST(error_set_fills_and_returns)
{
    struct yore_error error;
    CHECK_STATUS(error_set(&error, YORE_IO, "read %s: %d", "/x", 5), YORE_IO);
    CHECK_STATUS(error.status, YORE_IO);
    CHECK_EQ_STR(error.text, "read /x: 5");
    CHECK_STATUS(error_set(NULL, YORE_IO, "nobody listens"), YORE_IO);
    CHECK_STATUS(error_plain(&error, YORE_NOMEM), YORE_NOMEM);
    CHECK_EQ_STR(error.text, "out of memory");
    error_clear(&error);
    CHECK_OK(error.status);
    CHECK_EQ_STR(error.text, "");
    error_clear(NULL);
}

TEST(ok_has_no_text)
{
    struct yore_error error = {YORE_IO, "old"};
    CHECK_OK(error_plain(&error, YORE_OK));
    CHECK_EQ_STR(error.text, "");
}

TEST(a_long_text_is_cut_and_terminated)
{
    struct yore_error error;
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&error, YORE_INVALID, "%s", text);
    CHECK_EQ_UINT(strlen(error.text), YORE_ERROR_TEXT_BYTES - 1);
}

TEST(of_a_long_text_the_middle_is_cut_and_the_cause_stays)
{
    struct yore_error error;
    char text[20000];
    memset(text, 'x', sizeof(text) - 1);
    for (size_t size = 400; size < sizeof(text); size = size < 600 ? size + 1 : 3 * size) {
        char path[sizeof(text)];
        memcpy(path, text, size);
        path[size] = '\0';
        error_set(&error, YORE_CORRUPT, "begin/%s/table-7: offset 5: bad", path);
        CHECK(strncmp(error.text, "begin/xxx", 9) == 0);
        CHECK(strlen(error.text) < YORE_ERROR_TEXT_BYTES);
        const char *cause = strstr(error.text, "/table-7: offset 5: bad");
        CHECK_EQ_INT(cause != NULL, size < 9000);
        CHECK_EQ_INT(strstr(error.text, "x...x") != NULL,
                     size + strlen("begin//table-7: offset 5: bad") >= YORE_ERROR_TEXT_BYTES);
        test_count(1);
    }
}

TEST(keys_are_shown_printable_and_short)
{
    char text[KEY_TEXT_BYTES];
    CHECK_EQ_STR(key_text(bytes_of("user:1", 6), text), "user:1");
    CHECK_EQ_STR(key_text(bytes_of("a\0\x7f\xff", 4), text), "a\\x00\\x7f\\xff");
    CHECK_EQ_STR(key_text(bytes_of(NULL, 0), text), "");
    unsigned char octets[100];
    memset(octets, 0x80, sizeof(octets));
    key_text(bytes_of(octets, 48), text);
    CHECK_EQ_UINT(strlen(text), 192);
    key_text(bytes_of(octets, 49), text);
    CHECK_EQ_UINT(strlen(text), 195);
    CHECK_EQ_STR(text + 192, "...");
}

TEST_MAIN(every_status_has_a_name_and_a_sentence, numbers_are_fixed_for_ever,
          the_version_is_three_numbers, error_set_fills_and_returns, ok_has_no_text,
          a_long_text_is_cut_and_terminated, of_a_long_text_the_middle_is_cut_and_the_cause_stays,
          keys_are_shown_printable_and_short)
