/* Searching, characters, regular expressions, maps. */
#include <string.h>

#include "base/arena.h"
#include "query/map.h"
#include "query/regex.h"
#include "query/text.h"
#include "support/test.h"

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

static size_t find_slowly(struct yore_bytes text, struct yore_bytes part, size_t from)
{
    for (size_t at = from; at + part.size <= text.size; at++) {
        if (bytes_starts_with(bytes_behind(text, at), part)) {
            return at;
        }
    }
    return TEXT_NONE;
}

TEST(a_part_is_found_where_it_is)
{
    struct test_rand rand = test_rand_new(0);
    for (uint64_t round = 0; round < test_scale(100000, 10000000); round++) {
        char text[64];
        char part[16];
        size_t text_size = (size_t)test_rand_below(&rand, sizeof(text));
        size_t part_size = (size_t)test_rand_below(&rand, sizeof(part));
        uint64_t letters = 1 + test_rand_below(&rand, 3);
        for (size_t i = 0; i < text_size; i++) {
            text[i] = (char)('a' + test_rand_below(&rand, letters));
        }
        for (size_t i = 0; i < part_size; i++) {
            part[i] = (char)('a' + test_rand_below(&rand, letters));
        }
        size_t from = (size_t)test_rand_below(&rand, text_size + 1);
        test_note("'%.*s' in '%.*s' from %zu", (int)part_size, part, (int)text_size, text, from);
        CHECK_EQ_UINT(text_find(bytes_of(text, text_size), bytes_of(part, part_size), from),
                      find_slowly(bytes_of(text, text_size), bytes_of(part, part_size), from));
    }
}

TEST(characters_are_counted_from_both_ends)
{
    struct yore_bytes text = text_of("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK_EQ_UINT(text_prefix(text, 0), 0);
    CHECK_EQ_UINT(text_prefix(text, 2), 3);
    CHECK_EQ_UINT(text_prefix(text, 99), 10);
    CHECK_EQ_UINT(text_suffix(text, 1), 4);
    CHECK_EQ_UINT(text_suffix(text, 3), 9);
    CHECK_EQ_UINT(text_suffix(text, 99), 10);
    CHECK_EQ_UINT(text_prefix(text_of(""), 1), 0);
}

TEST(white_space_is_that_of_unicode)
{
    struct yore_bytes text = text_of(" \t\xc2\xa0\xe3\x80\x80 a b\xe2\x80\x83\n");
    struct yore_bytes both = text_trim(text, true, true);
    struct yore_bytes left = text_trim(text, true, false);
    struct yore_bytes right = text_trim(text, false, true);
    CHECK_EQ_BYTES(both.data, both.size, "a b", 3);
    CHECK_EQ_BYTES(left.data, left.size, "a b\xe2\x80\x83\n", 7);
    CHECK_EQ_UINT(right.size, 11);
    CHECK_EQ_UINT(text_trim(text_of("  \n"), true, true).size, 0);
}

/* ---- regular expressions ---- */

TEST(an_expression_matches_the_whole_text)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        {"a.*", "abc", true},
        {"b", "abc", false},
        {"", "", true},
        {"", "a", false},
        {"(?i)ABC", "abc", true},
        {"a|ab", "ab", true},
        {"\xc3\xa9.", "\xc3\xa9\xe2\x82\xac", true},
        {".", "\xf0\x9f\x98\x80", true},
        {"\\d{3}-\\d+", "123-4", true},
        {".*", "a\nb", false},
        {"(?s).*", "a\nb", true},
    };
    struct regex_cache *cache = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool matches = !cases[i].matches;
        struct yore_error error;
        test_note("%s =~ %s", cases[i].text, cases[i].pattern);
        CHECK_OK(regex_matches(&cache, text_of(cases[i].pattern), text_of(cases[i].text), &matches,
                               &error));
        CHECK_EQ_INT(matches, cases[i].matches);
    }
    regex_cache_free(cache);
}

TEST(a_wrong_expression_is_told_where)
{
    struct regex_cache *cache = NULL;
    struct yore_error error;
    bool matches = false;
    CHECK_STATUS(regex_matches(&cache, text_of("a(b"), text_of("ab"), &matches, &error),
                 YORE_INVALID);
    CHECK(strstr(error.text, "octet 3") != NULL);
    CHECK_STATUS(regex_matches(&cache, text_of("\\C"), text_of("a"), &matches, &error),
                 YORE_INVALID);
    regex_cache_free(cache);
}

TEST(an_expression_that_backtracks_without_end_is_stopped)
{
    struct regex_cache *cache = NULL;
    struct yore_error error;
    bool matches = false;
    CHECK_STATUS(regex_matches(&cache, text_of("(([a-z])+.)+[A-Z]([a-z])+"),
                               text_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), &matches,
                               &error),
                 YORE_TOO_BIG);
    regex_cache_free(cache);
}

TEST(more_expressions_than_the_cache_holds)
{
    struct regex_cache *cache = NULL;
    struct yore_error error;
    for (unsigned i = 0; i < REGEX_CACHE_PATTERNS_MAX * 2 + 1; i++) {
        char pattern[3] = {(char)('a' + i % 26), (char)('a' + i / 26), '\0'};
        bool matches = false;
        CHECK_OK(regex_matches(&cache, text_of(pattern), text_of(pattern), &matches, &error));
        CHECK(matches);
    }
    regex_cache_free(cache);
}

/* ---- maps ---- */

TEST(entries_are_put_in_order_and_the_last_of_a_name_stays)
{
    struct test_rand rand = test_rand_new(0);
    for (uint64_t round = 0; round < test_scale(3000, 100000); round++) {
        struct arena arena = {0};
        static const char names[] = "abcdefghijklmnopqrstuvwxyz";
        struct yore_graph_entry entries[60];
        int64_t last[26];
        memset(last, 0xff, sizeof(last));
        size_t count = (size_t)test_rand_below(&rand, 60);
        size_t distinct = 0;
        for (size_t i = 0; i < count; i++) {
            size_t letter = (size_t)test_rand_below(&rand, 26);
            entries[i].name = bytes_of(names + letter, 1);
            entries[i].value = (struct yore_graph_value){.kind = YORE_GRAPH_INT};
            entries[i].value.as.integer = (int64_t)i;
            distinct += last[letter] < 0;
            last[letter] = (int64_t)i;
        }
        CHECK_OK(map_settle(&arena, entries, &count));
        CHECK_EQ_UINT(count, distinct);
        struct yore_graph_map map = {entries, count};
        for (size_t letter = 0; letter < 26; letter++) {
            const struct yore_graph_value *found = map_get(&map, bytes_of(names + letter, 1));
            CHECK_EQ_INT(found == NULL ? -1 : found->as.integer, last[letter]);
        }
        arena_release(&arena);
    }
}

TEST_MAIN(a_part_is_found_where_it_is, characters_are_counted_from_both_ends,
          white_space_is_that_of_unicode, an_expression_matches_the_whole_text,
          a_wrong_expression_is_told_where, an_expression_that_backtracks_without_end_is_stopped,
          more_expressions_than_the_cache_holds,
          entries_are_put_in_order_and_the_last_of_a_name_stays)
