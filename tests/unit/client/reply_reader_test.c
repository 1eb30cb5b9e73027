/* Replies of RESP2 and RESP3 as flat lists of values, whole and in pieces. */
#include "client/reply_reader.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "support/test.h"

static size_t show(const struct yore_client_value *values, size_t at, char *text, size_t room)
{
    static const char marks[] = "_$+-:,#*%~>";
    size_t used = 0;
    const struct yore_client_value *value = &values[at];
    text[used++] = marks[value->kind];
    switch (value->kind) {
    case YORE_CLIENT_INTEGER:
    case YORE_CLIENT_BOOL:
        used += (size_t)snprintf(text + used, room - used, "%lld", (long long)value->integer);
        break;
    case YORE_CLIENT_DOUBLE:
        used += (size_t)snprintf(text + used, room - used, "%g", value->number);
        break;
    case YORE_CLIENT_STRING:
    case YORE_CLIENT_STATUS:
    case YORE_CLIENT_ERROR:
        used += (size_t)snprintf(text + used, room - used, "%.*s", (int)value->bytes.size,
                                 value->bytes.size > 0 ? (const char *)value->bytes.data : "");
        break;
    case YORE_CLIENT_NULL:
        break;
    default:
        text[used++] = '(';
        for (size_t i = at + 1; i < value->next; i = values[i].next) {
            used += show(values, i, text + used, room - used);
            text[used++] = ' ';
        }
        text[used++] = ')';
        text[used] = '\0';
        break;
    }
    text[used] = '\0';
    return used;
}

static const struct {
    const char *octets;
    const char *shown;
} replies[] = {
    {"+OK\r\n", "+OK"},
    {"-ERR no\r\n", "-ERR no"},
    {":-42\r\n", ":-42"},
    {":9223372036854775807\r\n", ":9223372036854775807"},
    {"$5\r\nhello\r\n", "$hello"},
    {"$0\r\n\r\n", "$"},
    {"$-1\r\n", "_"},
    {"*-1\r\n", "_"},
    {"_\r\n", "_"},
    {"#t\r\n", "#1"},
    {",3.5\r\n", ",3.5"},
    {",-inf\r\n", ",-inf"},
    {"=8\r\ntxt:abcd\r\n", "$abcd"},
    {"!5\r\nERR x\r\n", "-ERR x"},
    {"(12345678901234567890\r\n", "+12345678901234567890"},
    {"*0\r\n", "*()"},
    {"*2\r\n*2\r\n:1\r\n:2\r\n*0\r\n", "*(*(:1 :2 ) *() )"},
    {"%1\r\n+k\r\n~2\r\n:1\r\n:2\r\n", "%(+k ~(:1 :2 ) )"},
    {">2\r\n$1\r\na\r\n$1\r\nb\r\n", ">($a $b )"},
};

TEST(every_kind_of_reply_is_read)
{
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct reply_reader reader = {0};
        char shown[200];
        size_t size = 0;
        test_note("case %zu", i);
        CHECK(reply_read(&reader, bytes_of(replies[i].octets, strlen(replies[i].octets)), &size) ==
              REPLY_WHOLE);
        CHECK_EQ_UINT(size, strlen(replies[i].octets));
        CHECK_EQ_UINT(reader.values[0].next, reader.count);
        show(reader.values, 0, shown, sizeof(shown));
        CHECK_EQ_STR(shown, replies[i].shown);
        reply_reader_release(&reader);
    }
}

TEST(a_reply_that_comes_octet_by_octet_and_moves_is_the_same)
{
    struct reply_reader reader = {0};
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        size_t whole = strlen(replies[i].octets);
        char *copy = NULL;
        size_t size = 0;
        for (size_t end = 0; end <= whole; end++) {
            char *moved = mem_alloc(whole + 1 + end % 3 * 64);
            memcpy(moved, replies[i].octets, end);
            enum reply_result result = reply_read(&reader, bytes_of(moved, end), &size);
            mem_free(copy);
            copy = moved;
            CHECK(result == (end < whole ? REPLY_MORE : REPLY_WHOLE));
        }
        char shown[200];
        show(reader.values, 0, shown, sizeof(shown));
        CHECK_EQ_STR(shown, replies[i].shown);
        mem_free(copy);
    }
    reply_reader_release(&reader);
}

TEST(what_is_no_reply_is_refused)
{
    static const char *const wrong[] = {"hello\r\n",     "$x\r\n",   "$3\r\nabcde\r\n",
                                        ":\r\n",         ":12a\r\n", "*-2\r\n",
                                        "#x\r\n",        ",x\r\n",   "+OK\n",
                                        "_x\r\n",        "$-2\r\n",  ":99999999999999999999\r\n",
                                        "*999999999\r\n"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct reply_reader reader = {0};
        size_t size = 0;
        test_note("case %zu", i);
        CHECK(reply_read(&reader, bytes_of(wrong[i], strlen(wrong[i])), &size) == REPLY_BAD);
        CHECK(reader.problem != NULL);
        reply_reader_release(&reader);
    }
}

TEST(nesting_is_bounded)
{
    struct reply_reader reader = {0};
    char text[(CLIENT_DEPTH_MAX + 1) * 4 + 1];
    size_t size = 0;
    for (size_t i = 0; i <= CLIENT_DEPTH_MAX; i++) {
        memcpy(text + 4 * i, "*1\r\n", 4);
    }
    CHECK(reply_read(&reader, bytes_of(text, 4 * CLIENT_DEPTH_MAX), &size) == REPLY_MORE);
    CHECK(reply_read(&reader, bytes_of(text, 4 * CLIENT_DEPTH_MAX + 4), &size) == REPLY_BAD);
    reply_reader_release(&reader);
}

TEST_MAIN(every_kind_of_reply_is_read, a_reply_that_comes_octet_by_octet_and_moves_is_the_same,
          what_is_no_reply_is_refused, nesting_is_bounded)
