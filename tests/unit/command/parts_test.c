/* The parts under the commands: numbers, patterns, names, the table, replies. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command/args.h"
#include "command/glob.h"
#include "command/limits.h"
#include "command/name_map.h"
#include "command/reply.h"
#include "command/table.h"
#include "support/test.h"

TEST(integers_are_canonical)
{
    static const struct {
        const char *text;
        bool fits;
        int64_t number;
    } cases[] = {{"0", true, 0},
                 {"-1", true, -1},
                 {"9223372036854775807", true, INT64_MAX},
                 {"-9223372036854775808", true, INT64_MIN},
                 {"9223372036854775808", false, 0},
                 {"-9223372036854775809", false, 0},
                 {"", false, 0},
                 {"-", false, 0},
                 {"-0", false, 0},
                 {"01", false, 0},
                 {"+1", false, 0},
                 {" 1", false, 0},
                 {"1 ", false, 0},
                 {"1.0", false, 0},
                 {"99999999999999999999", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t number = 0;
        char text[ARGS_INT_BYTES];
        test_note("\"%s\"", cases[i].text);
        CHECK_EQ_INT(args_int(args_text(cases[i].text), &number), cases[i].fits);
        if (cases[i].fits) {
            CHECK_EQ_INT(number, cases[i].number);
            args_int_text(number, text);
            CHECK_EQ_STR(text, cases[i].text);
        }
    }
}

TEST(patterns_match_as_clients_expect)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {{"*", "", true},
                 {"*", "abc", true},
                 {"a*c", "abbc", true},
                 {"a*c", "abbd", false},
                 {"h?llo", "hello", true},
                 {"h?llo", "hllo", false},
                 {"h[ae]llo", "hallo", true},
                 {"h[^e]llo", "hello", false},
                 {"h[a-c]llo", "hbllo", true},
                 {"h[c-a]llo", "hbllo", true},
                 {"\\*a", "*a", true},
                 {"\\*a", "ba", false},
                 {"a\\", "a\\", true},
                 {"[abc", "b", true},
                 {"**a**b**", "xaxbx", true},
                 {"", "a", false},
                 {"a", "", false},
                 {"[\\]]", "]", true},
                 {"*?", "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_note("\"%s\" against \"%s\"", cases[i].pattern, cases[i].text);
        CHECK_EQ_INT(glob_match(args_text(cases[i].pattern), args_text(cases[i].text)),
                     cases[i].matches);
    }
    CHECK(glob_match_nocase(args_text("HeL*"), args_text("hello")));
}

TEST(a_hostile_pattern_costs_no_more_than_pattern_times_text)
{
    char pattern[2001];
    char text[20001];
    for (size_t i = 0; i < 2000; i += 2) {
        memcpy(pattern + i, "a*", 2);
    }
    memset(text, 'a', 20000);
    pattern[1999] = 'b';
    pattern[2000] = text[20000] = '\0';
    CHECK(!glob_match(args_text(pattern), args_text(text)));
}

TEST(names_are_found_after_any_mix_of_adding_and_removing)
{
    struct name_map map = {0};
    struct test_rand rand = test_rand_new(0);
    static char names[64][4];
    bool is_there[64] = {false};
    for (int i = 0; i < 64; i++) {
        names[i][0] = (char)('a' + i % 8);
        names[i][1] = (char)('a' + i / 8);
    }
    for (int round = 0; round < 20000; round++) {
        size_t i = (size_t)test_rand_below(&rand, 64);
        struct yore_bytes name = args_text(names[i]);
        if (test_rand_one_in(&rand, 2)) {
            CHECK_OK(name_map_put(&map, name, names[i]));
            is_there[i] = true;
        } else {
            CHECK((name_map_remove(&map, name) != NULL) == is_there[i]);
            is_there[i] = false;
        }
        i = (size_t)test_rand_below(&rand, 64);
        CHECK(name_map_get(&map, args_text(names[i])) == (is_there[i] ? names[i] : NULL));
    }
    size_t count = 0;
    for (size_t at = 0; name_map_next(&map, &at) != NULL;) {
        count++;
    }
    CHECK_EQ_UINT(count, map.count);
    name_map_release(&map);
}

TEST(a_map_that_was_large_is_small_again_when_its_names_are_gone)
{
    struct name_map map = {.seed = 7};
    static char names[5000][8];
    for (size_t i = 0; i < 5000; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        CHECK_OK(name_map_put(&map, args_text(names[i]), names[i]));
    }
    CHECK(map.capacity >= 5000);
    for (size_t i = 10; i < 5000; i++) {
        CHECK(name_map_remove(&map, args_text(names[i])) == names[i]);
    }
    CHECK(map.capacity <= 128);
    for (size_t i = 0; i < 10; i++) {
        CHECK(name_map_get(&map, args_text(names[i])) == names[i]);
    }
    name_map_release(&map);
}

TEST(the_table_is_in_order_and_every_row_is_whole)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    CHECK(count <= COMMANDS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct command *row = &rows[i];
        test_note("%s", row->name);
        CHECK(i == 0 || strcmp(rows[i - 1].name, row->name) < 0);
        CHECK(table_find(args_text(row->name)) == row);
        CHECK((row->run == NULL) ==
              ((row->flags & CF_CONTAINER) != 0 && strcmp(row->name, "command") != 0));
        CHECK((row->flags & CF_WRITE) == 0 || (row->flags & CF_READ) == 0);
        CHECK(row->arity != 0 && row->pace != 0);
        CHECK(row->summary[0] != '\0' && row->since[0] != '\0' && row->group[0] != '\0');
        CHECK(strchr(row->name, '|') == NULL || table_parent(row) != NULL);
        CHECK((row->flags & CF_CONTAINER) == 0 || row->keys[0].first == 0);
        CHECK(table_categories(row) != 0);
    }
}

TEST(keys_are_found_where_a_row_says)
{
    struct key_position keys[8];
    const struct yore_bytes mset[] = {args_text("mset"), args_text("a"), args_text("1"),
                                      args_text("b"), args_text("2")};
    const struct yore_bytes bitop[] = {args_text("BITOP"), args_text("and"), args_text("d"),
                                       args_text("a"), args_text("b")};
    CHECK_EQ_UINT(table_keys(table_lookup(mset, 5), mset, 5, keys, 8), 2);
    CHECK(keys[0].index == 1 && keys[1].index == 3 && keys[0].access == KEY_WRITE);
    CHECK_EQ_UINT(table_keys(table_lookup(bitop, 5), bitop, 5, keys, 8), 3);
    CHECK(keys[0].index == 2 && keys[0].access == KEY_WRITE && keys[1].access == KEY_READ);
}

static void check_reply(int protocol, void (*build)(struct reply *reply), const char *want)
{
    struct reply reply;
    reply_init(&reply, protocol);
    build(&reply);
    CHECK_EQ_BYTES(reply.out.data, reply.out.size, want, strlen(want));
    reply_release(&reply);
}

static void build_all(struct reply *reply)
{
    reply_map(reply, 1);
    reply_text(reply, "k");
    reply_double(reply, 0.5);
    reply_set(reply, 1);
    reply_bool(reply, true);
    reply_push(reply, 1);
    reply_int(reply, INT64_MIN);
    reply_verbatim(reply, "txt", args_text("v"));
    reply_null(reply);
    reply_null_array(reply);
    reply_error(reply, "ERR a\r\nb");
    size_t outer = reply_array_begin(reply);
    size_t inner = reply_array_begin(reply);
    reply_status(reply, "OK");
    reply_array_end(reply, inner, 1);
    reply_array_end(reply, outer, 1);
}

TEST(each_value_is_told_as_its_protocol_has_it)
{
    check_reply(2, build_all,
                "*2\r\n$1\r\nk\r\n$3\r\n0.5\r\n*1\r\n:1\r\n*1\r\n:-9223372036854775808\r\n"
                "$1\r\nv\r\n$-1\r\n*-1\r\n-ERR a  b\r\n*1\r\n*1\r\n+OK\r\n");
    check_reply(3, build_all,
                "%1\r\n$1\r\nk\r\n,0.5\r\n~1\r\n#t\r\n>1\r\n:-9223372036854775808\r\n"
                "=5\r\ntxt:v\r\n_\r\n_\r\n-ERR a  b\r\n*1\r\n*1\r\n+OK\r\n");
    char text[REPLY_DOUBLE_BYTES];
    reply_double_text(INFINITY, text);
    CHECK_EQ_STR(text, "inf");
    reply_double_text(-INFINITY, text);
    CHECK_EQ_STR(text, "-inf");
}

static bool take_parts(void *arg, struct reply *reply)
{
    size_t *parts = arg;
    ++*parts;
    buffer_clear(&reply->out);
    return *parts < 3;
}

TEST(a_long_reply_leaves_in_parts_until_nobody_reads_it)
{
    size_t parts = 0;
    struct reply reply;
    reply_init(&reply, 2);
    reply.drain = take_parts;
    reply.drain_arg = &parts;
    size_t rows = 0;
    do {
        reply_text(&reply, "a row of some length, so that parts fill");
        rows++;
    } while (reply_part(&reply));
    CHECK_EQ_UINT(parts, 3);
    CHECK(rows > 3000);
    CHECK(!reply_part(&reply));
    reply_release(&reply);
}

TEST_MAIN(integers_are_canonical, patterns_match_as_clients_expect,
          a_hostile_pattern_costs_no_more_than_pattern_times_text,
          names_are_found_after_any_mix_of_adding_and_removing,
          a_map_that_was_large_is_small_again_when_its_names_are_gone,
          the_table_is_in_order_and_every_row_is_whole, keys_are_found_where_a_row_says,
          each_value_is_told_as_its_protocol_has_it,
          a_long_reply_leaves_in_parts_until_nobody_reads_it)
