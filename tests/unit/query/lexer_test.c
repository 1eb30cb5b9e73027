/* The words of a statement: kinds, brackets, comments, literals and what is wrong with them. */
#include "query/lexer.h"

#include <math.h>
#include <string.h>

#include "query/limits.h"
#include "support/test.h"

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

struct cut {
    struct arena arena;
    struct token_list tokens;
    struct query_error error;
    enum yore_status status;
};

static struct cut cut(const char *text)
{
    struct cut c = {.tokens = {NULL, 0}};
    arena_init(&c.arena, 0);
    c.status = lexer_run(text_of(text), &c.arena, &c.tokens, &c.error);
    return c;
}

TEST(tokens_are_cut_as_the_language_says)
{
    static const struct {
        const char *text;
        uint8_t kinds[12]; /* up to the end, which is 0 */
    } cases[] = {
        {"", {TOKEN_END}},
        {" // nothing\n/* at * all */ ", {TOKEN_END}},
        {"a _b1 größe `q``q`", {TOKEN_NAME, TOKEN_NAME, TOKEN_NAME, TOKEN_QUOTED_NAME}},
        {"1 1.5 .5 1e9 1E-9 0x1F 0o17",
         {TOKEN_INTEGER, TOKEN_FLOAT, TOKEN_FLOAT, TOKEN_FLOAT, TOKEN_FLOAT, TOKEN_INTEGER,
          TOKEN_INTEGER}},
        {"1..3", {TOKEN_INTEGER, TOKEN_DOTS, TOKEN_INTEGER}},
        {"*..3", {TOKEN_STAR, TOKEN_DOTS, TOKEN_INTEGER}},
        {"1.e", {TOKEN_INTEGER, TOKEN_DOT, TOKEN_NAME}},
        {"1a 0x 0xg 0o8 12e",
         {TOKEN_BAD_NUMBER, TOKEN_BAD_NUMBER, TOKEN_BAD_NUMBER, TOKEN_BAD_NUMBER,
          TOKEN_BAD_NUMBER}},
        {"'it\\'s' \"\"", {TOKEN_STRING, TOKEN_STRING}},
        {"<-[]->",
         {TOKEN_LESS, TOKEN_MINUS, TOKEN_OPEN_SQUARE, TOKEN_CLOSE_SQUARE, TOKEN_MINUS,
          TOKEN_GREATER}},
        {"<> <= >= =~ += = #",
         {TOKEN_NOT_EQUAL, TOKEN_LESS_EQUAL, TOKEN_GREATER_EQUAL, TOKEN_MATCHES, TOKEN_PLUS_EQUAL,
          TOKEN_EQUAL, TOKEN_UNKNOWN}},
        {"\xc2\xa0\xe2\x80\x90\xe2\x9f\xa8\xe2\x9f\xa9", /* blank, dash, arrow heads */
         {TOKEN_MINUS, TOKEN_LESS, TOKEN_GREATER}},
        {"$a $0", {TOKEN_DOLLAR, TOKEN_NAME, TOKEN_DOLLAR, TOKEN_INTEGER}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cut c = cut(cases[i].text);
        test_note("%s", cases[i].text);
        CHECK_OK(c.status);
        for (uint32_t t = 0; t < c.tokens.count; t++) {
            CHECK_EQ_UINT(c.tokens.tokens[t].kind, cases[i].kinds[t]);
        }
        CHECK_EQ_UINT(c.tokens.tokens[c.tokens.count - 1].kind, TOKEN_END);
        arena_release(&c.arena);
    }
}

TEST(keywords_are_found_whatever_their_case)
{
    struct cut c = cut("match RETURN Xor matc allShortestPaths `match`");
    static const unsigned want[] = {WORD_MATCH, WORD_RETURN,           WORD_XOR,
                                    WORD_NO,    WORD_ALLSHORTESTPATHS, WORD_NO};
    CHECK_OK(c.status);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        CHECK_EQ_UINT(c.tokens.tokens[i].word, want[i]);
    }
    arena_release(&c.arena);
}

TEST(every_keyword_is_found_so_the_list_is_in_order)
{
    for (unsigned word = TOKEN_KIND_COUNT; word < WORD_END_OF_LIST; word++) {
        struct cut c = cut(token_text(word));
        CHECK_EQ_UINT(c.tokens.tokens[0].word, word);
        arena_release(&c.arena);
    }
}

TEST(brackets_know_their_partners)
{
    struct cut c = cut("( [ { } ] ) ) ( ]");
    static const uint32_t want[] = {5, 4, 3, 2, 1, 0, 0, 0, 0};
    CHECK_OK(c.status);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        CHECK_EQ_UINT(c.tokens.tokens[i].match, want[i]);
    }
    arena_release(&c.arena);
}

TEST(what_does_not_end_or_is_not_text_is_refused)
{
    static const char *const cases[] = {"'abc",     "\"abc\\",  "`abc",
                                        "/* abc *", "a \xff b", "'\xc3'"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cut c = cut(cases[i]);
        test_note("%s", cases[i]);
        CHECK_STATUS(c.status, YORE_INVALID);
        CHECK_EQ_STR(c.error.type, "SyntaxError");
        CHECK(c.error.error.text[0] != '\0');
        arena_release(&c.arena);
    }
}

TEST(a_statement_over_the_limit_is_refused)
{
    static char text[QUERY_TEXT_BYTES_MAX + 1];
    struct arena arena;
    struct token_list tokens;
    struct query_error error;
    memset(text, ' ', sizeof(text));
    arena_init(&arena, 0);
    CHECK_OK(lexer_run(bytes_of(text, sizeof(text) - 1), &arena, &tokens, &error));
    CHECK_STATUS(lexer_run(bytes_of(text, sizeof(text)), &arena, &tokens, &error), YORE_TOO_BIG);
    arena_release(&arena);
}

TEST(strings_and_names_are_unescaped)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
        const char *detail;
    } cases[] = {
        {"''", "", NULL},
        {"'a\\tb\\n\\\\\\'\\\"'", "a\tb\n\\'\"", NULL},
        {"'\\u00e4\\U0001F600'", "\xc3\xa4\xf0\x9f\x98\x80", NULL},
        {"'\\uD83D\\uDE00'", "\xf0\x9f\x98\x80", NULL},
        {"`a``b`", "a`b", NULL},
        {"'\\uH'", NULL, "InvalidUnicodeLiteral"},
        {"'\\u12'", NULL, "InvalidUnicodeLiteral"},
        {"'\\uD83Dx'", NULL, "InvalidUnicodeLiteral"},
        {"'\\UFFFFFFFF'", NULL, "InvalidUnicodeLiteral"},
        {"'\\q'", NULL, "UnexpectedSyntax"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cut c = cut(cases[i].text);
        struct lexer_literal literal = {text_of(cases[i].text), c.tokens.tokens};
        struct yore_bytes value = {NULL, 0};
        test_note("%s", cases[i].text);
        CHECK_OK(c.status);
        enum yore_status st = cases[i].text[0] == '`'
                                  ? lexer_name(&literal, &c.arena, &value)
                                  : lexer_string(&literal, &c.arena, &value, &c.error);
        if (cases[i].want != NULL) {
            CHECK_OK(st);
            CHECK_EQ_BYTES(value.data, value.size, cases[i].want, strlen(cases[i].want));
        } else {
            CHECK_STATUS(st, YORE_INVALID);
            CHECK_EQ_STR(c.error.detail, cases[i].detail);
        }
        arena_release(&c.arena);
    }
}

TEST(integers_fit_64_bits_or_are_refused)
{
    static const struct {
        const char *text;
        bool is_negative;
        bool fits;
        uint64_t want;
    } cases[] = {
        {"0", false, true, 0},
        {"9223372036854775807", false, true, INT64_MAX},
        {"9223372036854775808", false, false, 0},
        {"9223372036854775808", true, true, UINT64_C(1) << 63},
        {"9223372036854775809", true, false, 0},
        {"0x7FFFFFFFFFFFFFFF", false, true, INT64_MAX},
        {"0x8000000000000000", false, false, 0},
        {"0o777777777777777777777", false, true, INT64_MAX},
        {"0o1000000000000000000000", false, false, 0},
        {"99999999999999999999999999", false, false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cut c = cut(cases[i].text);
        struct lexer_literal literal = {text_of(cases[i].text), c.tokens.tokens};
        uint64_t value = 0;
        test_note("%s", cases[i].text);
        enum yore_status st = lexer_integer(&literal, cases[i].is_negative, &value, &c.error);
        CHECK_STATUS(st, cases[i].fits ? YORE_OK : YORE_INVALID);
        CHECK_EQ_UINT(value, cases[i].want);
        if (!cases[i].fits) {
            CHECK_EQ_STR(c.error.detail, "IntegerOverflow");
        }
        arena_release(&c.arena);
    }
}

TEST(floats_are_read_and_too_large_ones_refused)
{
    static const struct {
        const char *text;
        double want;
    } cases[] = {
        {"1.5", 1.5}, {".5", 0.5}, {"1e9", 1e9}, {"1.25E-3", 1.25e-3}, {"1e400", INFINITY}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cut c = cut(cases[i].text);
        struct lexer_literal literal = {text_of(cases[i].text), c.tokens.tokens};
        double value = 0;
        test_note("%s", cases[i].text);
        enum yore_status st = lexer_float(&literal, &c.arena, &value, &c.error);
        CHECK_STATUS(st, isinf(cases[i].want) ? YORE_INVALID : YORE_OK);
        CHECK(isinf(cases[i].want) || value == cases[i].want);
        arena_release(&c.arena);
    }
}

TEST_MAIN(tokens_are_cut_as_the_language_says, keywords_are_found_whatever_their_case,
          every_keyword_is_found_so_the_list_is_in_order, brackets_know_their_partners,
          what_does_not_end_or_is_not_text_is_refused, a_statement_over_the_limit_is_refused,
          strings_and_names_are_unescaped, integers_fit_64_bits_or_are_refused,
          floats_are_read_and_too_large_ones_refused)
