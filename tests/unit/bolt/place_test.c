/* What clients call a database, and bookmarks. */
#include "bolt/place.h"

#include <string.h>

#include "support/test.h"

#define HOUR INT64_C(3600000000000)
#define NOW (INT64_C(1763719200) * 1000000000)

static enum yore_status parse(const char *text, struct place *place)
{
    struct yore_error error = {0};
    enum yore_status st = place_parse(bytes_of(text, strlen(text)), NOW, place, &error);
    CHECK((st == YORE_OK) == (error.text[0] == '\0'));
    return st;
}

TEST(a_name_may_have_moments_behind_it)
{
    static const struct {
        const char *text;
        size_t name_size;
        int64_t valid;
        int64_t known;
    } cases[] = {
        {"topo", 4, YORE_NOW, YORE_NOW},
        {"topo@now", 4, YORE_NOW, YORE_NOW},
        {"topo@-1h", 4, NOW - HOUR, YORE_NOW},
        {"topo@-1h@-2h", 4, NOW - HOUR, NOW - 2 * HOUR},
        {"topo@now@-2h", 4, YORE_NOW, NOW - 2 * HOUR},
        {"topo@2025-11-21T10:00:00Z", 4, NOW, YORE_NOW},
        {"topo@@1763719200s", 4, NOW, YORE_NOW},
        {"topo@@1763719200s@@1763719200000ms", 4, NOW, NOW},
        {"", 0, YORE_NOW, YORE_NOW},
        {"@-1h", 0, NOW - HOUR, YORE_NOW},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct place place;
        test_note("%s", cases[i].text);
        CHECK_OK(parse(cases[i].text, &place));
        CHECK_EQ_UINT(place.name_size, cases[i].name_size);
        CHECK_EQ_INT(place.at.valid, cases[i].valid);
        CHECK_EQ_INT(place.at.known, cases[i].known);
        CHECK(place.is_past == (place.at.valid != YORE_NOW || place.at.known != YORE_NOW));
        CHECK_EQ_BYTES(place.text, place.text_size, cases[i].text, strlen(cases[i].text));
    }
}

TEST(a_moment_that_is_none_is_refused)
{
    static const char *const cases[] = {"topo@", "topo@tomorrow", "topo@-1h@soon",
                                        "topo@-1h@-1h@-1h", "topo@@"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct place place;
        test_note("%s", cases[i]);
        CHECK_STATUS(parse(cases[i], &place), YORE_INVALID);
    }
    char text[BOLT_DATABASE_BYTES_MAX + 2];
    struct place place;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    CHECK_STATUS(parse(text, &place), YORE_INVALID);
    text[sizeof(text) - 2] = '\0';
    CHECK_OK(parse(text, &place));
}

TEST(a_bookmark_is_a_commit_time)
{
    char text[BOOKMARK_TEXT_BYTES];
    int64_t commit = 0;
    CHECK_EQ_STR(bookmark_format(INT64_MAX - 1, text), "yore:9223372036854775806");
    CHECK(bookmark_parse(bytes_of(text, strlen(text)), &commit));
    CHECK_EQ_INT(commit, INT64_MAX - 1);
    static const char *const cases[] = {
        "",       "yore:", "yore:x", "yore:-1", "yore:1 ", "neo:1", "yore:9223372036854775808",
        "FB:kcwQ"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("%s", cases[i]);
        CHECK(!bookmark_parse(bytes_of(cases[i], strlen(cases[i])), &commit));
    }
}

TEST_MAIN(a_name_may_have_moments_behind_it, a_moment_that_is_none_is_refused,
          a_bookmark_is_a_commit_time)
