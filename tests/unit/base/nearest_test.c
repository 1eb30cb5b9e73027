/* Which known word was meant. */
#include "base/nearest.h"
#include "support/test.h"

static const char *const words[] = {"import", NULL, "export", "get", "timeline", "keyspace"};
#define WORDS (sizeof words / sizeof words[0])

static const char *word_at(const void *arg, size_t index)
{
    const char *const *list = arg;
    return list[index];
}

/* "-": none. */
static const char *meant(const char *word)
{
    const char *nearest = nearest_word(word, word_at, words, WORDS);
    return nearest == NULL ? "-" : nearest;
}

TEST(one_edit_away_is_near)
{
    CHECK_EQ_STR(meant("import"), "import");
    CHECK_EQ_STR(meant("mport"), "import");
    CHECK_EQ_STR(meant("impoort"), "import");
    CHECK_EQ_STR(meant("expord"), "export");
    CHECK_EQ_STR(meant("gte"), "get"); /* neighbours that changed places are one edit */
}

TEST(a_third_of_the_length_away_is_near_and_no_more)
{
    CHECK_EQ_STR(meant("tmelin"), "timeline");
    CHECK_EQ_STR(meant("kyspce"), "keyspace");
    CHECK_EQ_STR(meant("tmln"), "-");
    CHECK_EQ_STR(meant("put"), "-");
}

TEST(what_a_word_begins_with_is_near)
{
    CHECK_EQ_STR(meant("ti"), "timeline");
    CHECK_EQ_STR(meant("key"), "keyspace");
    CHECK_EQ_STR(meant("t"), "-");
}

TEST(long_words_are_far_from_everything)
{
    CHECK_EQ_STR(meant("a word of more than forty octets that nobody ever meant"), "-");
}

TEST(nearest_word_is_one_that_was_meant)
{
    static const char *const known[] = {"import", "timeline", NULL, "scan", "at", "keyspace"};
    static const char *const cases[][2] = {
        {"imprt", "import"}, {"improt", "import"}, {"timelien", "timeline"}, {"sacn", "scan"},
        {"tim", "timeline"}, {"att", "at"},        {"keyspaces", "keyspace"}};
    static const char *const far[] = {"frobnicate", "x", "zzzz", "exportation"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ_STR(nearest_word(cases[i][0], word_at, known, 6), cases[i][1]);
    }
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        CHECK_MSG(nearest_word(far[i], word_at, known, 6) == NULL, "%s", far[i]);
    }
}

TEST_MAIN(nearest_word_is_one_that_was_meant, one_edit_away_is_near,
          a_third_of_the_length_away_is_near_and_no_more, what_a_word_begins_with_is_near,
          long_words_are_far_from_everything)
