/* base64, nearest words, counts and sizes as text. */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/keep.h"
#include "base/nearest.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "support/test.h"

TEST(base64_of_rfc_4648)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    struct buffer to = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buffer_clear(&to);
        base64_encode(&to, bytes_of(cases[i][0], strlen(cases[i][0])));
        CHECK_EQ_BYTES(to.data, to.size, cases[i][1], strlen(cases[i][1]));
        buffer_clear(&to);
        CHECK(base64_decode(&to, bytes_of(cases[i][1], strlen(cases[i][1]))));
        CHECK_EQ_BYTES(to.data, to.size, cases[i][0], strlen(cases[i][0]));
    }
    buffer_release(&to);
}

TEST(base64_that_is_not_strict_is_refused)
{
    static const char *const cases[] = {"Z",    "Zg",       "Zg=",  "Zg===", "=Zg=", "Z===", "Zh==",
                                        "Zm9=", "Zg==Zg==", "Zm 8", "Zm8\n", "Zm9-", "===="};
    struct buffer to = {0};
    buffer_append(&to, "x", 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("%s", cases[i]);
        CHECK(!base64_decode(&to, bytes_of(cases[i], strlen(cases[i]))));
        CHECK_EQ_UINT(to.size, 1);
    }
    buffer_release(&to);
}

TEST(base64_gives_any_octets_back)
{
    struct test_rand rand = test_rand_new(0);
    struct buffer text = {0};
    struct buffer back = {0};
    for (int round = 0; round < 500; round++) {
        unsigned char octets[64];
        size_t size = (size_t)test_rand_below(&rand, sizeof(octets) + 1);
        test_rand_fill(&rand, octets, size);
        buffer_clear(&text);
        buffer_clear(&back);
        base64_encode(&text, bytes_of(octets, size));
        CHECK(base64_decode(&back, buffer_bytes(&text)));
        CHECK_EQ_BYTES(back.data, back.size, octets, size);
    }
    buffer_release(&text);
    buffer_release(&back);
}

static const char *word_at(const void *arg, size_t index)
{
    return ((const char *const *)arg)[index];
}

TEST(nearest_word_is_one_that_was_meant)
{
    static const char *const words[] = {"import", "timeline", NULL, "scan", "at", "keyspace"};
    static const char *const cases[][2] = {
        {"imprt", "import"}, {"improt", "import"}, {"timelien", "timeline"}, {"sacn", "scan"},
        {"tim", "timeline"}, {"att", "at"},        {"keyspaces", "keyspace"}};
    static const char *const far[] = {"frobnicate", "x", "zzzz", "exportation"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ_STR(nearest_word(cases[i][0], word_at, words, 6), cases[i][1]);
    }
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        CHECK_MSG(nearest_word(far[i], word_at, words, 6) == NULL, "%s", far[i]);
    }
}

TEST(numbers_for_the_eye)
{
    char text[COUNT_TEXT_BYTES];
    CHECK_EQ_STR(count_format(0, text), "0");
    CHECK_EQ_STR(count_format(999, text), "999");
    CHECK_EQ_STR(count_format(1000, text), "1,000");
    CHECK_EQ_STR(count_format(UINT64_MAX, text), "18,446,744,073,709,551,615");
    CHECK_EQ_STR(size_format(0, text), "0 B");
    CHECK_EQ_STR(size_format(999, text), "999 B");
    CHECK_EQ_STR(size_format(1620000, text), "1.62 MB");
    CHECK_EQ_STR(size_format(33000000, text), "33.0 MB");
    CHECK_EQ_STR(size_format(999999, text), "1.00 MB");
    CHECK_EQ_STR(span_format(7.4, text), "0:07");
    CHECK_EQ_STR(span_format(3753, text), "1:02:33");
}

TEST(what_a_keyspace_keeps_reads_back)
{
    static const char *const texts[] = {"all", "now", "30d", "1h30m", "1ns", "292d5h7m1s3ms4us5ns"};
    struct yore_keyspace_options options = {.keep = YORE_KEEP_ALL};
    struct yore_error error;
    char text[KEEP_TEXT_BYTES];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK_OK(keep_of_text(bytes_of(texts[i], strlen(texts[i])), &options, &error));
        CHECK_EQ_STR(keep_format(&options, text), texts[i]);
    }
    CHECK_STATUS(keep_of_text(bytes_of("some", 4), &options, &error), YORE_INVALID);
}

TEST_MAIN(base64_of_rfc_4648, base64_that_is_not_strict_is_refused, base64_gives_any_octets_back,
          nearest_word_is_one_that_was_meant, numbers_for_the_eye, what_a_keyspace_keeps_reads_back)
