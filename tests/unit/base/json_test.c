#include "base/json.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

/* The canonical text of `text`, or NULL when it is refused. */
static const char *canonical(struct buffer *to, const char *text, size_t size)
{
    struct json_reader r;
    buffer_clear(to);
    json_reader_init(&r, bytes_of(text, size));
    bool is_ok = json_copy(&r, to) && json_end(&r);
    buffer_append_u8(to, 0);
    return is_ok ? (const char *)to->data : NULL;
}

TEST(canonical_text_of_what_is_json)
{
    static const char *const cases[][2] = {
        {"null", "null"},
        {" true ", "true"},
        {"-0.50e+7", "-0.50e+7"},
        {"\"a\\u0041\\n\\/\"", "\"aA\\n/\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\\u001B\\u007f\"", "\"\\u001b\x7f\""},
        {"[ ]", "[]"},
        {"{ }", "{}"},
        {"[1, [2 , {\"a\" : [] , \"b\":{}}], 3]", "[1,[2,{\"a\":[],\"b\":{}}],3]"},
        {"{\"a\":{\"b\":{\"c\":[true,false,null]}}}", "{\"a\":{\"b\":{\"c\":[true,false,null]}}}"},
    };
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        CHECK_EQ_STR(canonical(&text, cases[i][0], strlen(cases[i][0])), cases[i][1]);
    }
    buffer_release(&text);
}

TEST(what_is_not_json_is_refused)
{
    static const char *const cases[] = {
        "",
        " ",
        "nul",
        "truex",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[1 2]",
        "[,1]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "]",
        "1 2",
        "\"\t\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
    };
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu: %s", i, cases[i]);
        CHECK(canonical(&text, cases[i], strlen(cases[i])) == NULL);
    }
    CHECK(canonical(&text, "\"a\0b\"", 5) == NULL);
    buffer_release(&text);
}

TEST(depth_is_bounded)
{
    char text[4 * JSON_DEPTH_MAX];
    struct buffer to = {0};
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    CHECK(canonical(&to, text, 2 * JSON_DEPTH_MAX) != NULL);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    CHECK(canonical(&to, text, 2 * JSON_DEPTH_MAX + 2) == NULL);
    buffer_release(&to);
}

TEST(object_walk_gives_members_in_order)
{
    static const char text[] = " { \"b\" : 1 , \"a\" : [2,3] , \"\" : \"x\" } ";
    static const char *const names[] = {"b", "a", ""};
    static const char *const values[] = {"1", "[2,3]", "\"x\""};
    struct json_reader r;
    struct buffer name = {0};
    struct buffer value = {0};
    bool has_member = false;
    json_reader_init(&r, bytes_of(text, sizeof(text) - 1));
    CHECK(json_object_begin(&r));
    for (size_t i = 0; i < 3; i++) {
        buffer_clear(&name);
        buffer_clear(&value);
        CHECK(json_object_member(&r, &name, &has_member) && has_member);
        CHECK(json_copy(&r, &value));
        CHECK_EQ_BYTES(name.data, name.size, names[i], strlen(names[i]));
        CHECK_EQ_BYTES(value.data, value.size, values[i], strlen(values[i]));
    }
    CHECK(json_object_member(&r, &name, &has_member) && !has_member);
    CHECK(json_end(&r));
    buffer_release(&name);
    buffer_release(&value);
}

TEST(fault_names_its_column)
{
    struct json_reader r;
    struct buffer to = {0};
    json_reader_init(&r, bytes_of("{\"a\":?}", 7));
    CHECK(!json_copy(&r, &to));
    CHECK_EQ_UINT(json_column(&r), 6);
    CHECK_EQ_STR(r.problem, "expected a value");
    buffer_release(&to);
}

static void check_properties(size_t count)
{
    struct json_properties properties = {0};
    struct buffer to = {0};
    char names[200][24];
    /* Every name twice, in falling order: the later one wins; every third value is null. */
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            size_t n = count - 1 - i;
            snprintf(names[n], sizeof(names[n]), "n%03zu", n);
            const char *value = n % 3 == 0 && round == 1 ? "null" : round == 0 ? "0" : "1";
            json_properties_add(
                &properties,
                (struct json_property){bytes_of(names[n], 4), bytes_of(value, strlen(value))});
        }
    }
    json_properties_sort(&properties, true);
    CHECK(!properties.is_nomem);
    CHECK_EQ_UINT(properties.count, count - (count + 2) / 3);
    for (size_t i = 1; i < properties.count; i++) {
        CHECK(bytes_compare(properties.items[i - 1].name, properties.items[i].name) < 0);
        CHECK(bytes_equal(properties.items[i].value, bytes_of("1", 1)));
    }
    json_properties_append(&properties, &to);
    CHECK(to.size > 2 && to.data[0] == '{' && to.data[to.size - 1] == '}');
    buffer_release(&to);
    json_properties_release(&properties);
}

TEST(properties_are_sorted_and_the_last_wins)
{
    check_properties(5);
    check_properties(16);
    check_properties(17);
    check_properties(200);
}

/* Characters of each width in front of what ends a run, at every place of a word. */
TEST(text_is_borrowed_where_it_has_no_escapes)
{
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    struct buffer spare = {0};
    struct yore_bytes text;
    struct json_reader r;
    for (size_t before = 0; before < 20; before++) {
        for (size_t c = 0; c < 4; c++) {
            char json[64] = "\"";
            test_note("%zu before %s", before, characters[c]);
            memset(json + 1, '~', before);
            memcpy(json + 1 + before, characters[c], strlen(characters[c]) + 1);
            size_t size = strlen(json) - 1;
            memcpy(json + 1 + size, "\":", 3);
            json_reader_init(&r, bytes_of(json, size + 3));
            CHECK(json_text(&r, &spare, &text) && text.data == json + 1 && text.size == size);
            CHECK_EQ_UINT(json_column(&r), size + 3);
            memcpy(json + 1 + size, "\\n\"", 4);
            json_reader_init(&r, bytes_of(json, size + 4));
            CHECK(json_text(&r, &spare, &text) && text.data == spare.data);
            CHECK(text.size == size + 1 && spare.data[size] == '\n');
            CHECK(memcmp(text.data, json + 1, size) == 0);
            CHECK(json_end(&r));
        }
    }
    buffer_release(&spare);
}

TEST(text_that_is_none_is_refused_at_its_column)
{
    static const struct {
        const char *json;
        size_t column;
    } cases[] = {{"\"abcdefghijkl", 14},
                 {"\"abcdefghijk\x1f\"", 13},
                 {"\"abcdefgh\x80\"", 10},
                 {"\"abcdefg\xc3\"", 9},
                 {"\"\t\"", 2},
                 {"7", 1},
                 {"\"abcdefgh\\q\"", 11},
                 {"", 1}};
    struct buffer spare = {0};
    struct yore_bytes text;
    struct json_reader r;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        json_reader_init(&r, bytes_of(cases[i].json, strlen(cases[i].json)));
        CHECK(!json_text(&r, &spare, &text) && r.problem != NULL);
        CHECK_EQ_UINT(json_column(&r), cases[i].column);
    }
    buffer_release(&spare);
}

TEST(an_integer_is_taken_whole_or_not_at_all)
{
    static const struct {
        const char *json;
        int64_t integer;
        size_t column;
    } cases[] = {{"0", 0, 2},
                 {" -7,", -7, 4},
                 {"-0", 0, 3},
                 {"123456789012345678]", 123456789012345678, 19},
                 {"-999999999999999999", -999999999999999999, 20}};
    static const char *const others[] = {
        "1234567890123456789", "01", "-", "1.5", "1e3", "1E3", "", "-01", "\"1\"", "x"};
    struct json_reader r;
    int64_t integer;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        json_reader_init(&r, bytes_of(cases[i].json, strlen(cases[i].json)));
        CHECK(json_integer(&r, &integer));
        CHECK_EQ_INT(integer, cases[i].integer);
        CHECK_EQ_UINT(json_column(&r), cases[i].column);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        test_note("other %zu", i);
        json_reader_init(&r, bytes_of(others[i], strlen(others[i])));
        CHECK(!json_integer(&r, &integer) && r.problem == NULL);
        CHECK_EQ_UINT(json_column(&r), 1);
    }
}

TEST_MAIN(text_is_borrowed_where_it_has_no_escapes, text_that_is_none_is_refused_at_its_column,
          an_integer_is_taken_whole_or_not_at_all, canonical_text_of_what_is_json,
          what_is_not_json_is_refused, depth_is_bounded, object_walk_gives_members_in_order,
          fault_names_its_column, properties_are_sorted_and_the_last_wins)
