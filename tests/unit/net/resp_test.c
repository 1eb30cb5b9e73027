/* Requests of the Redis protocol, whole, in pieces, hostile. */
#include "net/resp.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/limits.h"
#include "support/test.h"

static const struct resp_limits open_limits = {false, RESP_ARGS_MAX, RESP_ARG_BYTES_MAX};
static const struct resp_limits login_limits = {true, RESP_ARGS_LOGIN_MAX,
                                                RESP_ARG_BYTES_LOGIN_MAX};

/* Parse all of `text` given at once; the words as "[a][b] " for each request, then MORE or the
 * error. */
static void parse_text(const char *text, size_t size, const struct resp_limits *limits, char *shown,
                       size_t room)
{
    struct resp_parser parser = {0};
    size_t at = 0;
    size_t used = 0;
    shown[0] = '\0';
    for (;;) {
        size_t consumed = 0;
        enum resp_result result =
            resp_parse(&parser, bytes_of(text + at, size - at), limits, &consumed);
        at += consumed;
        if (result != RESP_REQUEST) {
            snprintf(shown + used, room - used, "%s",
                     result == RESP_MORE ? (at == size ? "" : "...") : parser.error_text);
            break;
        }
        for (size_t i = 0; i < parser.arg_count; i++) {
            used += (size_t)snprintf(shown + used, room - used, "[%.*s]", (int)parser.args[i].size,
                                     (const char *)parser.args[i].data);
        }
        used += (size_t)snprintf(shown + used, room - used, " ");
    }
    resp_parser_release(&parser);
}

static const char *shown_of(const char *text, const struct resp_limits *limits)
{
    static char shown[4096];
    parse_text(text, strlen(text), limits, shown, sizeof(shown));
    return shown;
}

TEST(arrays_are_split_into_their_words)
{
    CHECK_EQ_STR(shown_of("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", &open_limits), "[GET][k] ");
    CHECK_EQ_STR(shown_of("*1\r\n$4\r\nPING\r\n*1\r\n$0\r\n\r\n", &open_limits), "[PING] [] ");
    CHECK_EQ_STR(shown_of("*2\r\n$3\r\nGET\r\n$1\r\nk", &open_limits), "...");
}

TEST(lines_of_numbers_end_wherever_the_octets_do)
{
    char big[400];
    int size = snprintf(big, sizeof(big), "*3\r\n$3\r\nSET\r\n$12\r\nkey:00000123\r\n$200\r\n");
    memset(big + size, 'v', 200);
    memcpy(big + size + 200, "\r\n", 2);
    size_t whole = (size_t)size + 202;
    for (size_t cut = 1; cut < whole; cut++) {
        struct resp_parser parser = {0};
        size_t consumed = 0;
        test_note("cut at %zu", cut);
        CHECK_EQ_INT(resp_parse(&parser, bytes_of(big, cut), &open_limits, &consumed), RESP_MORE);
        CHECK_EQ_UINT(consumed, 0);
        CHECK_EQ_INT(resp_parse(&parser, bytes_of(big, whole), &open_limits, &consumed),
                     RESP_REQUEST);
        CHECK_EQ_UINT(consumed, whole);
        CHECK_EQ_UINT(parser.arg_count, 3);
        CHECK_EQ_UINT(parser.args[2].size, 200);
        resp_parser_release(&parser);
    }
    CHECK_EQ_STR(shown_of("*1\r\n$12345678\r\n", &open_limits), "...");
    CHECK_EQ_STR(shown_of("*1\r\n$4x\r\n", &open_limits), "Protocol error: invalid bulk length");
}

TEST(empty_requests_are_passed_over)
{
    CHECK_EQ_STR(shown_of("*0\r\n*-1\r\n\r\n\n*1\r\n$4\r\nPING\r\n", &open_limits), "[PING] ");
}

TEST(inline_commands_are_split_at_blanks_and_unquoted)
{
    CHECK_EQ_STR(shown_of("PING\r\nGET  k\n", &open_limits), "[PING] [GET][k] ");
    CHECK_EQ_STR(shown_of("SET \"a key\" 'it\\'s'\r\n", &open_limits), "[SET][a key][it's] ");
    CHECK_EQ_STR(shown_of("SET \"\\x41\\n\\q\" \"\"\r\n", &open_limits), "[SET][A\nq][] ");
    CHECK_EQ_STR(shown_of("a\"b\"\r\n", &open_limits), "[ab] ");
}

TEST(what_is_not_the_protocol_is_refused_with_its_reason)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"SET \"a\r\n", "Protocol error: unbalanced quotes in request"},
        {"SET \"a\"b\r\n", "Protocol error: unbalanced quotes in request"},
        {"*1048577\r\n", "Protocol error: invalid multibulk length"},
        {"*3000000000000000000000\r\n", "Protocol error: invalid multibulk length"},
        {"*x\r\n", "Protocol error: invalid multibulk length"},
        {"*01\r\n", "Protocol error: invalid multibulk length"},
        {"*1\r\nfoo\r\n", "Protocol error: expected '$', got 'f'"},
        {"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"},
        {"*1\r\n$536870913\r\n", "Protocol error: invalid bulk length"},
        {"*1\r\n$blabla\r\n", "Protocol error: invalid bulk length"},
        {"\x16\x03\x01", "Protocol error: no TLS is spoken at this port"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        CHECK_EQ_STR(shown_of(cases[i].text, &open_limits), cases[i].error);
    }
}

TEST(before_login_less_is_taken)
{
    CHECK_EQ_STR(shown_of("*11\r\n", &login_limits),
                 "Protocol error: unauthenticated multibulk length");
    CHECK_EQ_STR(shown_of("*1\r\n$16385\r\n", &login_limits),
                 "Protocol error: unauthenticated bulk length");
    CHECK_EQ_STR(shown_of("*1\r\n$4\r\nPING\r\n", &login_limits), "[PING] ");
    CHECK_EQ_STR(shown_of("1 2 3 4 5 6 7 8 9 10 11\r\n", &login_limits),
                 "Protocol error: too many words in an inline request");
}

TEST(a_line_without_end_is_refused_at_its_limit)
{
    size_t size = RESP_INLINE_BYTES_MAX + 2;
    char *text = mem_alloc(size);
    char shown[200];
    memset(text, 'a', size);
    parse_text(text, size, &open_limits, shown, sizeof(shown));
    CHECK_EQ_STR(shown, "Protocol error: too big inline request");
    memset(text, '1', size);
    text[0] = '*';
    parse_text(text, size, &open_limits, shown, sizeof(shown));
    CHECK_EQ_STR(shown, "Protocol error: too big mbulk count string");
    memcpy(text, "*1\r\n$", 5);
    parse_text(text, size, &open_limits, shown, sizeof(shown));
    CHECK_EQ_STR(shown, "...");
    text = mem_realloc(text, size + 8);
    memset(text + 5, '1', size + 3);
    parse_text(text, size + 8, &open_limits, shown, sizeof(shown));
    CHECK_EQ_STR(shown, "Protocol error: too big bulk count string");
    mem_free(text);
}

TEST(requests_cut_anywhere_and_moved_are_the_same)
{
    static const char text[] = "*3\r\n$3\r\nSET\r\n$3\r\na\rb\r\n$5\r\nhello\r\nECHO \"x y\" z\r\n"
                               "*0\r\n*1\r\n$4\r\nPING\r\n";
    char whole[200];
    parse_text(text, sizeof(text) - 1, &open_limits, whole, sizeof(whole));
    struct test_rand rand = test_rand_new(1);
    for (int round = 0; round < 2000; round++) {
        struct resp_parser parser = {0};
        char shown[200];
        size_t used = 0;
        size_t at = 0;
        size_t end = 0;
        while (at < sizeof(text) - 1) {
            if (end < sizeof(text) - 1) {
                end += 1 + (size_t)test_rand_below(&rand, 6);
                end = end < sizeof(text) - 1 ? end : sizeof(text) - 1;
            }
            char *moved = mem_copy(text + at, end - at + 1);
            size_t consumed = 0;
            enum resp_result result =
                resp_parse(&parser, bytes_of(moved, end - at), &open_limits, &consumed);
            CHECK(result == RESP_MORE || result == RESP_REQUEST);
            at += consumed;
            for (size_t i = 0; result == RESP_REQUEST && i < parser.arg_count; i++) {
                used +=
                    (size_t)snprintf(shown + used, sizeof(shown) - used, "[%.*s]",
                                     (int)parser.args[i].size, (const char *)parser.args[i].data);
            }
            if (result == RESP_REQUEST) {
                used += (size_t)snprintf(shown + used, sizeof(shown) - used, " ");
            }
            mem_free(moved);
        }
        CHECK_EQ_STR(shown, whole);
        resp_parser_release(&parser);
    }
}

TEST(what_is_missing_of_a_long_word_is_known)
{
    struct resp_parser parser = {0};
    size_t consumed = 0;
    static const char text[] = "*2\r\n$3\r\nSET\r\n$1000\r\nabc";
    CHECK(resp_parse(&parser, bytes_of(text, sizeof(text) - 1), &open_limits, &consumed) ==
          RESP_MORE);
    CHECK_EQ_UINT(resp_missing(&parser, sizeof(text) - 1), 999);
    resp_parser_release(&parser);
}

TEST(an_announced_giant_costs_no_memory)
{
    struct resp_parser parser = {0};
    size_t consumed = 0;
    static const char text[] = "*1048576\r\n$536870912\r\n";
    mem_fail_at(UINT64_MAX, false);
    CHECK(resp_parse(&parser, bytes_of(text, sizeof(text) - 1), &open_limits, &consumed) ==
          RESP_MORE);
    CHECK_EQ_UINT(mem_count(), 0);
    mem_fail_at(0, false);
    resp_parser_release(&parser);
}

TEST(a_request_behind_empty_ones_keeps_its_words_when_it_moves)
{
    char octets[] = "\n\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n";
    char moved[sizeof octets];
    struct resp_parser parser = {0};
    struct resp_limits limits = {.args_max = 100, .arg_bytes_max = 100};
    size_t taken;
    CHECK(resp_parse(&parser, bytes_of(octets, sizeof octets - 1), &limits, &taken) ==
          RESP_REQUEST);
    CHECK_EQ_UINT(taken, sizeof octets - 1);
    memcpy(moved, octets, sizeof octets);
    memset(octets, 'x', sizeof octets);
    resp_rebase(&parser, bytes_of(moved, sizeof octets - 1));
    CHECK_EQ_BYTES(parser.args[0].data, parser.args[0].size, "DEL", 3);
    CHECK_EQ_BYTES(parser.args[1].data, parser.args[1].size, "k", 1);
    resp_parser_release(&parser);
}

TEST_MAIN(a_request_behind_empty_ones_keeps_its_words_when_it_moves,
          arrays_are_split_into_their_words, lines_of_numbers_end_wherever_the_octets_do,
          empty_requests_are_passed_over, inline_commands_are_split_at_blanks_and_unquoted,
          what_is_not_the_protocol_is_refused_with_its_reason, before_login_less_is_taken,
          a_line_without_end_is_refused_at_its_limit, requests_cut_anywhere_and_moved_are_the_same,
          what_is_missing_of_a_long_word_is_known, an_announced_giant_costs_no_memory)
