/* What a keyspace keeps, and how it is compressed, as words. */
#include <string.h>

#include "base/keep.h"
#include "support/test.h"

static struct yore_bytes text(const char *words)
{
    return bytes_of(words, strlen(words));
}

static struct yore_keyspace_options read_keep(const char *words)
{
    struct yore_keyspace_options options = {.keep_ns = -1};
    struct yore_error error = {.text = ""};
    enum yore_status st = keep_of_text(text(words), &options, &error);
    CHECK_MSG(st == YORE_OK, "%s: %s", words, error.text);
    return options;
}

TEST(all_and_now_are_words)
{
    char words[KEEP_TEXT_BYTES];
    struct yore_keyspace_options all = read_keep("all");
    struct yore_keyspace_options now = read_keep("now");
    CHECK_EQ_INT(all.keep, YORE_KEEP_ALL);
    CHECK_EQ_INT(all.keep_ns, 0);
    CHECK_EQ_STR(keep_format(&all, words), "all");
    CHECK_EQ_INT(now.keep, YORE_KEEP_NOW);
    CHECK_EQ_INT(now.keep_ns, 0);
    CHECK_EQ_STR(keep_format(&now, words), "now");
}

TEST(a_duration_is_told_in_the_largest_units_that_give_it_exactly)
{
    static const struct {
        const char *said;
        const char *told;
        int64_t ns;
    } cases[] = {{"30d", "30d", INT64_C(2592000000000000)},
                 {"90m", "1h30m", INT64_C(5400000000000)},
                 {"1500ms", "1s500ms", 1500000000},
                 {"1001us", "1ms1us", 1001000},
                 {"7ns", "7ns", 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char words[KEEP_TEXT_BYTES];
        struct yore_keyspace_options options = read_keep(cases[i].said);
        CHECK_EQ_INT(options.keep, YORE_KEEP_FOR);
        CHECK_EQ_INT(options.keep_ns, cases[i].ns);
        CHECK_EQ_STR(keep_format(&options, words), cases[i].told);
    }
}

TEST(what_is_no_word_is_refused_with_what_there_is)
{
    struct yore_keyspace_options options = {.keep = YORE_KEEP_ALL};
    struct yore_error error = {.text = ""};
    CHECK_STATUS(keep_of_text(text("always"), &options, &error), YORE_INVALID);
    CHECK_MSG(strstr(error.text, "keep is all, now or a duration") != NULL, "%s", error.text);
    enum yore_compression compression = YORE_COMPRESSION_LZ4;
    CHECK_STATUS(compression_of_text(text("zip"), &compression, &error), YORE_INVALID);
    CHECK_EQ_STR(error.text, "compression is default, none, lz4 or zstd, not 'zip'");
    CHECK_EQ_INT(compression, YORE_COMPRESSION_LZ4);
}

TEST(every_compression_has_a_word)
{
    static const char *const words[] = {"default", "none", "lz4", "zstd"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        enum yore_compression compression = YORE_COMPRESSION_DEFAULT;
        CHECK_OK(compression_of_text(text(words[i]), &compression, NULL));
        CHECK_EQ_STR(compression_word(compression), words[i]);
    }
    CHECK_EQ_STR(compression_word((enum yore_compression)(YORE_COMPRESSION_ZSTD + 1)), "unknown");
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

TEST_MAIN(what_a_keyspace_keeps_reads_back, all_and_now_are_words,
          a_duration_is_told_in_the_largest_units_that_give_it_exactly,
          what_is_no_word_is_refused_with_what_there_is, every_compression_has_a_word)
