/* Lines of the shell as words, and maps of keys. */
#include <stdio.h>
#include <string.h>

#include "cli/key_map.h"
#include "cli/shell_words.h"
#include "support/test.h"

TEST(lines_are_split)
{
    static const struct {
        const char *line;
        size_t count;
        const char *words[4];
    } cases[] = {
        {"", 0, {NULL}},
        {"  \t ", 0, {NULL}},
        {"get k", 2, {"get", "k"}},
        {" a  b ", 2, {"a", "b"}},
        {"'a b' \"c d\"", 2, {"a b", "c d"}},
        {"a\\ b c\\\\d", 2, {"a b", "c\\d"}},
        {"'a\\b' \"c\\d\\\"e\"", 2, {"a\\b", "c\\d\"e"}},
        {"'' a''b", 2, {"", "ab"}},
        {"get k # why", 2, {"get", "k"}},
        {"a#b", 1, {"a#b"}},
        {"# all", 0, {NULL}},
    };
    struct shell_words words = {.count = 0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("%s", cases[i].line);
        CHECK(shell_words_split(&words, bytes_of(cases[i].line, strlen(cases[i].line))));
        CHECK_EQ_UINT(words.count, cases[i].count);
        for (size_t j = 0; j < words.count; j++) {
            CHECK_EQ_STR(words.words[j], cases[i].words[j]);
        }
        CHECK_EQ_INT(words.quote, 0);
    }
    shell_words_release(&words);
}

TEST(where_the_last_word_begins)
{
    static const struct {
        const char *line;
        size_t begin;
        bool is_open;
        char quote;
    } cases[] = {{"", 0, false, 0},     {"ge", 0, true, 0},          {"get ", 4, false, 0},
                 {"get k", 4, true, 0}, {"get 'a b", 4, true, '\''}, {"a\\ b", 0, true, 0}};
    struct shell_words words = {.count = 0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("%s", cases[i].line);
        CHECK(shell_words_split(&words, bytes_of(cases[i].line, strlen(cases[i].line))));
        CHECK_EQ_UINT(words.last_begin, cases[i].begin);
        CHECK_EQ_INT(words.is_open, cases[i].is_open);
        CHECK_EQ_INT(words.quote, cases[i].quote);
    }
    shell_words_release(&words);
}

TEST(quoted_words_split_back)
{
    struct test_rand rand = test_rand_new(0);
    struct shell_words words = {.count = 0};
    struct buffer line = {0};
    for (int round = 0; round < 1000; round++) {
        static const char letters[] = "ab '\"\\#/-|\t";
        char word[12] = "";
        size_t size = (size_t)test_rand_below(&rand, sizeof(word));
        for (size_t i = 0; i < size; i++) {
            word[i] = letters[test_rand_below(&rand, sizeof(letters) - 1)];
        }
        buffer_clear(&line);
        buffer_append(&line, "get ", 4);
        shell_word_quote(&line, bytes_of(word, size));
        CHECK(shell_words_split(&words, buffer_bytes(&line)));
        CHECK_EQ_UINT(words.count, 2);
        CHECK_EQ_BYTES(words.words[1], strlen(words.words[1]), word, size);
    }
    buffer_release(&line);
    shell_words_release(&words);
}

TEST(key_map_keeps_the_last_value)
{
    struct key_map map = {.count = 0};
    struct yore_bytes value;
    char key[16];
    for (int round = 0; round < 3; round++) {
        int count = round == 1 ? 3000 : 100;
        CHECK(!key_map_get(&map, bytes_of("0", 1), &value));
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < count; i++) {
                int size = snprintf(key, sizeof(key), "%d", i);
                struct yore_bytes put = bytes_of(pass == 0 ? "old" : "value", pass == 0 ? 3 : 5);
                put = i % 7 == 0 && pass == 1 ? bytes_of(NULL, 0) : put;
                CHECK(key_map_put(&map, bytes_of(key, (size_t)size), put));
            }
        }
        for (int i = 0; i < count; i++) {
            int size = snprintf(key, sizeof(key), "%d", i);
            CHECK(key_map_get(&map, bytes_of(key, (size_t)size), &value));
            CHECK_EQ_INT(value.data == NULL, i % 7 == 0);
            CHECK_EQ_UINT(value.size, i % 7 == 0 ? 0 : 5);
        }
        CHECK(!key_map_get(&map, bytes_of("x", 1), &value));
        key_map_clear(&map);
    }
    key_map_release(&map);
}

TEST_MAIN(lines_are_split, where_the_last_word_begins, quoted_words_split_back,
          key_map_keeps_the_last_value)
