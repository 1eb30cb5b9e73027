/* Requests of HTTP: what is read, and what no two readers may take differently. */
#include "net/http.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/test.h"

static enum http_result parse(const char *text, struct http_head *head, size_t *size_out)
{
    size_t scanned = 0;
    *size_out = 0;
    *head = (struct http_head){0};
    return http_head_parse(bytes_of(text, strlen(text)), &scanned, head, size_out);
}

static bool is_text(struct yore_bytes bytes, const char *text)
{
    return bytes_equal(bytes, bytes_of(text, strlen(text)));
}

TEST(a_head_is_split_into_its_parts)
{
    struct http_head head;
    size_t size = 0;
    const char *text = "PUT /v1/kv/a%20b?at=-1h&x HTTP/1.1\r\nHost: localhost:6380\r\n"
                       "Content-Length: 5\r\nX-Odd:\t v \r\n\r\nhello";
    CHECK(parse(text, &head, &size) == HTTP_WHOLE);
    CHECK_EQ_UINT(size, strlen(text) - 5);
    CHECK(is_text(head.method, "PUT"));
    CHECK(is_text(head.path, "/v1/kv/a%20b"));
    CHECK(is_text(head.query, "at=-1h&x"));
    CHECK(is_text(head.host, "localhost:6380"));
    CHECK(is_text(http_header_find(&head, "x-odd"), "v"));
    CHECK(head.keeps_alive && head.has_body && !head.is_chunked && !head.expects_continue);
    CHECK_EQ_UINT(head.content_length, 5);
}

TEST(versions_differ_in_what_they_keep_open)
{
    struct http_head head;
    size_t size = 0;
    CHECK(parse("GET / HTTP/1.0\r\n\r\n", &head, &size) == HTTP_WHOLE && !head.keeps_alive);
    CHECK(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &head, &size) == HTTP_WHOLE);
    CHECK(head.keeps_alive);
    CHECK(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", &head, &size) ==
          HTTP_WHOLE);
    CHECK(!head.keeps_alive);
    CHECK(parse("\r\nGET http://h:1/p?q HTTP/1.1\r\nHost: a\r\n\r\n", &head, &size) == HTTP_WHOLE);
    CHECK(is_text(head.path, "/p") && is_text(head.query, "q") && is_text(head.host, "h:1"));
    CHECK(parse("GET HTTPS://[::1]:2/ HTTP/1.1\r\nHost: a\r\n\r\n", &head, &size) == HTTP_WHOLE);
    CHECK(is_text(head.path, "/") && is_text(head.host, "[::1]:2"));
}

TEST(what_two_readers_could_take_differently_is_refused)
{
    static const struct {
        const char *text;
        unsigned status;
    } cases[] = {
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"GET /\r\nHost: a\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET http://b@a/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 505},
        {"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417},
        {"*2\r\n$3\r\nGET\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head head;
        size_t size = 0;
        test_note("case %zu", i);
        CHECK(parse(cases[i].text, &head, &size) == HTTP_BAD);
        CHECK_EQ_UINT(head.status, cases[i].status);
        CHECK(head.problem != NULL);
    }
}

TEST(another_protocol_is_refused_before_its_head_ends)
{
    static const char *const refused[] = {"*1\r\n$4\r\nPING\r\n", "\x16\x03\x01\x02",
                                          "GET /\r\nHost: x\r\n"};
    static const char *const kept[] = {"GET / HTTP/1.1\r\nHost", "GET /a", "\r\nG", "\r", "\r\n"};
    struct http_head head;
    size_t size;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        size_t scanned = 0;
        CHECK_EQ_INT(
            http_head_parse(bytes_of(refused[i], strlen(refused[i])), &scanned, &head, &size),
            HTTP_BAD);
        CHECK_EQ_UINT(head.status, 400);
        enum http_result result = HTTP_MORE;
        scanned = 0; /* octet by octet too */
        for (size_t end = 1; end <= strlen(refused[i]) && result == HTTP_MORE; end++) {
            result = http_head_parse(bytes_of(refused[i], end), &scanned, &head, &size);
        }
        CHECK_EQ_INT(result, HTTP_BAD);
    }
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        size_t scanned = 0;
        CHECK_EQ_INT(http_head_parse(bytes_of(kept[i], strlen(kept[i])), &scanned, &head, &size),
                     HTTP_MORE);
    }
}

TEST(a_head_has_bounds)
{
    struct http_head head;
    size_t size = 0;
    char *text = mem_alloc(40000);
    int used = snprintf(text, 100, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 70; i++) {
        used += snprintf(text + used, 20, "X%d: a\r\n", i);
    }
    snprintf(text + used, 10, "\r\n");
    CHECK(parse(text, &head, &size) == HTTP_BAD);
    CHECK_EQ_UINT(head.status, 431);
    memset(text, 'a', 39999);
    text[39999] = '\0';
    CHECK(parse(text, &head, &size) == HTTP_BAD);
    CHECK_EQ_UINT(head.status, 431);
    mem_free(text);
}

/* Feed `text` in pieces of random size; the body, and whether it ended. */
static enum http_result take_all(struct http_body body, const char *text, struct buffer *out,
                                 struct test_rand *rand, size_t *used_out)
{
    size_t at = 0;
    size_t end = 0;
    size_t size = strlen(text);
    for (;;) {
        struct yore_bytes payload;
        size_t taken = 0;
        enum http_result result =
            http_body_take(&body, bytes_of(text + at, end - at), &payload, &taken);
        buffer_append_bytes(out, payload);
        at += taken;
        *used_out = at;
        if (result != HTTP_MORE || (taken == 0 && end == size)) {
            return result;
        }
        if (taken == 0) {
            end += 1 + (size_t)test_rand_below(rand, 4);
            end = end < size ? end : size;
        }
    }
}

TEST(chunks_cut_anywhere_are_one_body)
{
    struct http_head head = {.is_chunked = true};
    struct http_body body;
    struct test_rand rand = test_rand_new(1);
    const char *text =
        "5\r\nhello\r\n1;ext=\"x\"\r\n \r\n00A\r\n0123456789\r\n0\r\nT: v\r\n\r\nGET";
    for (int i = 0; i < 500; i++) {
        struct buffer out = {0};
        size_t used = 0;
        http_body_init(&body, &head);
        CHECK(take_all(body, text, &out, &rand, &used) == HTTP_WHOLE);
        CHECK_EQ_BYTES(out.data, out.size, "hello 0123456789", 16);
        CHECK_EQ_UINT(used, strlen(text) - 3);
        buffer_release(&out);
    }
}

TEST(chunks_that_are_none_are_refused)
{
    static const char *const cases[] = {
        "x\r\n",           "5\nhello\r\n", "5\r\nhelloXX0\r\n\r\n", "\r\n",           "-1\r\n",
        "5 \r\nhello\r\n", "0x5\r\nhello", "1000000000000\r\n",     "0\r\nbare\n\r\n"};
    struct http_head head = {.is_chunked = true};
    struct test_rand rand = test_rand_new(1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_body body;
        struct buffer out = {0};
        size_t used = 0;
        test_note("case %zu", i);
        http_body_init(&body, &head);
        CHECK(take_all(body, cases[i], &out, &rand, &used) == HTTP_BAD);
        buffer_release(&out);
    }
}

TEST(a_body_of_known_length_ends_there)
{
    struct http_head head = {.content_length = 5};
    struct http_body body;
    struct test_rand rand = test_rand_new(1);
    struct buffer out = {0};
    size_t used = 0;
    http_body_init(&body, &head);
    CHECK(take_all(body, "helloGET /", &out, &rand, &used) == HTTP_WHOLE);
    CHECK_EQ_UINT(used, 5);
    buffer_release(&out);
    head.content_length = 0;
    http_body_init(&body, &head);
    CHECK(take_all(body, "GET /", &out, &rand, &used) == HTTP_WHOLE);
    CHECK_EQ_UINT(used, 0);
}

TEST(percent_encoding_is_undone_once)
{
    struct buffer out = {0};
    CHECK(http_decode(bytes_of("a%2Fb+%2525", 11), false, &out));
    CHECK_EQ_BYTES(out.data, out.size, "a/b+%25", 7);
    buffer_clear(&out);
    CHECK(http_decode(bytes_of("a+b", 3), true, &out));
    CHECK_EQ_BYTES(out.data, out.size, "a b", 3);
    CHECK(!http_decode(bytes_of("%2", 2), false, &out));
    CHECK(!http_decode(bytes_of("%zz", 3), false, &out));
    buffer_release(&out);
}

TEST(a_query_is_searched_by_whole_names)
{
    struct yore_bytes query = bytes_of("at=1&attic=2&flag&at=3", 22);
    struct yore_bytes value;
    CHECK(http_query_find(query, "at", &value) && is_text(value, "1"));
    CHECK(http_query_find(query, "attic", &value) && is_text(value, "2"));
    CHECK(http_query_find(query, "flag", &value) && is_text(value, ""));
    CHECK(!http_query_find(query, "att", &value));
    CHECK(!http_query_find(bytes_of("", 0), "at", &value));
}

TEST_MAIN(a_head_is_split_into_its_parts, versions_differ_in_what_they_keep_open,
          what_two_readers_could_take_differently_is_refused,
          another_protocol_is_refused_before_its_head_ends, a_head_has_bounds,
          chunks_cut_anywhere_are_one_body, chunks_that_are_none_are_refused,
          a_body_of_known_length_ends_there, percent_encoding_is_undone_once,
          a_query_is_searched_by_whole_names)
