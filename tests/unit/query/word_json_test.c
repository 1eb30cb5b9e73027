/* word_json_test.c -- elements as lines of JSON: every value comes back as it was, hostile lines
 * are refused with their column. */
#include "query/word_json.h"

#include <string.h>

#include "query/value.h"
#include "support/test.h"

static struct yore_bytes text(const char *words)
{
    return (struct yore_bytes){words, strlen(words)};
}

static enum yore_status read_text(const char *line, struct arena *arena,
                                  struct yore_graph_word *word, struct yore_error *error)
{
    return word_json_read(text(line), 1000, arena, word, error);
}

TEST(a_node_and_a_relationship_are_read_whole)
{
    struct arena arena = {0};
    struct yore_graph_word word;
    struct yore_error error = {0};
    CHECK_OK(
        read_text("{\"labels\":[\"A\",\"B\"],\"node\":\"n\\u00e9\",\"properties\":{\"b\":1,\"a\":"
                  "null},\"from\":\"@5ns\",\"to\":\"@7ns\"}",
                  &arena, &word, &error));
    CHECK_EQ_INT(word.element, YORE_GRAPH_ELEMENT_NODE);
    CHECK_EQ_BYTES(word.external_id.data, word.external_id.size, "n\xc3\xa9", 3);
    CHECK_EQ_UINT(word.label_count, 2);
    CHECK_EQ_UINT(word.properties.count, 2);
    CHECK_EQ_BYTES(word.properties.entries[0].name.data, word.properties.entries[0].name.size, "a",
                   1);
    CHECK_EQ_INT(word.from, 5);
    CHECK_EQ_INT(word.to, 7);
    CHECK_OK(read_text("{\"relationship\":\"r\",\"type\":\"T\",\"start\":\"a\",\"end\":\"b\"}",
                       &arena, &word, &error));
    CHECK_EQ_INT(word.element, YORE_GRAPH_ELEMENT_RELATIONSHIP);
    CHECK_EQ_INT(word.from, YORE_NOW);
    CHECK_EQ_INT(word.to, YORE_FOREVER);
    CHECK_OK(read_text("{\"node\":\"n\",\"removes\":true}", &arena, &word, &error));
    CHECK(word.removes);
    CHECK_OK(read_text("{\"node\":\"n\",\"properties\":{\"$map\":{\"$date\":\"2015-07-21\"}}}",
                       &arena, &word, &error));
    CHECK_EQ_INT(word.properties.entries[0].value.kind, YORE_GRAPH_DATE);
    arena_release(&arena);
}

TEST(a_word_is_written_as_it_is_read)
{
    static const char *const lines[] = {
        "{\"node\":\"n\\u0001\",\"labels\":[],\"properties\":{}}",
        ("{\"node\":\"n\",\"labels\":[\"A\",\"B\"],\"properties\":{\"a\":[1,2.5],\"d\":"
         "{\"$date\":\"2015-07-21\"}},\"from\":\"2020-01-01T00:00:00Z\","
         "\"to\":\"2020-01-02T00:00:00.500Z\"}"),
        ("{\"relationship\":\"r\",\"type\":\"T\",\"start\":\"a\",\"end\":\"b\",\"properties\":"
         "{\"$map\":{\"$date\":\"2015-07-21\"}},\"from\":\"2020-01-01T00:00:00Z\"}"),
        "{\"node\":\"n\",\"removes\":true,\"to\":\"2020-01-01T00:00:00Z\"}",
        "{\"relationship\":\"r\",\"removes\":true,\"from\":\"2020-01-01T00:00:00Z\"}"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct arena arena = {0};
        struct buffer written = {0};
        struct yore_graph_word word;
        struct yore_error error = {0};
        CHECK_OK(read_text(lines[i], &arena, &word, &error));
        word_json_word(&written, &word);
        CHECK_EQ_BYTES(written.data, written.size, lines[i], strlen(lines[i]));
        buffer_release(&written);
        arena_release(&arena);
    }
}

static void comes_back(const char *json)
{
    struct arena arena = {0};
    struct buffer written = {0};
    struct yore_graph_value value;
    struct yore_graph_value again;
    struct yore_error error = {0};
    enum yore_status st = word_json_read_value(text(json), &arena, &value, &error);
    CHECK_MSG(st == YORE_OK, "%s: %s", json, error.text);
    word_json_value(&written, &value);
    CHECK_EQ_BYTES(written.data, written.size, json, strlen(json));
    CHECK_OK(word_json_read_value((struct yore_bytes){written.data, written.size}, &arena, &again,
                                  &error));
    CHECK(value_is_same(&value, &again));
    buffer_release(&written);
    arena_release(&arena);
}

TEST(every_kind_of_value_comes_back_as_it_was)
{
    static const char *const values[] = {
        "null",
        "true",
        "-9223372036854775808",
        "1.0",
        "0.1",
        "\"a\\u000ab\\\"\xf0\x9f\x98\x80\"",
        "[1,\"a\",[null]]",
        "{\"a\":{\"b\":[]}}",
        "{\"$map\":{\"$date\":1}}",
        "{\"$map\":{\"$map\":{}}}",
        "{\"$map\":{\"$date\":\"2015-07-21\"},\"a\":1}",
        "{\"$map\":{\"$map\":{\"$date\":1}},\"a\":1}",
        "{\"$date\":\"2015-07-21\"}",
        "{\"$localtime\":\"12:31:14.645876123\"}",
        "{\"$time\":\"12:31:14+01:00\"}",
        "{\"$localdatetime\":\"2015-07-21T21:40:32.142\"}",
        "{\"$datetime\":\"2015-07-21T21:40:32.142+02:00[Europe/Stockholm]\"}",
        "{\"$duration\":\"P14DT16H12M\"}",
        "{\"$float\":\"NaN\"}",
        "{\"$float\":\"-Infinity\"}",
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        comes_back(values[i]);
    }
}

TEST(hostile_lines_are_refused_with_their_column)
{
    static const struct {
        const char *line;
        const char *problem;
    } lines[] = {
        {"", "column 1"},
        {"[]", "column 1"},
        {"{\"node\":7}", "column 9: a string"},
        {"{\"node\":\"a\"", "column"},
        {"{\"node\":\"a\"} x", "column 14"},
        {"{\"node\":\"a\",\"node\":\"b\"}", "named twice"},
        {"{\"node\":\"a\",\"relationship\":\"b\"}", "either node or relationship"},
        {"{\"labels\":[]}", "either node or relationship"},
        {"{\"node\":\"a\",\"colour\":1}", "none of node"},
        {"{\"node\":\"a\",\"properties\":[]}", "column"},
        {"{\"node\":\"a\",\"properties\":{\"a\":1,\"a\":2}}", "named twice"},
        {"{\"node\":\"a\",\"from\":\"yesterday\"}", "no moment"},
        {"{\"node\":\"a\",\"removes\":1}", "true or false"},
        {"{\"node\":\"a\",\"properties\":{\"d\":{\"$date\":\"2015-13-01\"}}}", "date or time"},
        {"{\"node\":\"a\",\"properties\":{\"d\":{\"$what\":\"x\"}}}", "begins with $"},
        {"{\"node\":\"a\",\"properties\":{\"d\":1e999}}", "no float can hold"},
        {"{\"node\":\"\xff\"}", "column"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct arena arena = {0};
        struct yore_graph_word word;
        struct yore_error error = {0};
        CHECK_STATUS(read_text(lines[i].line, &arena, &word, &error), YORE_INVALID);
        CHECK_MSG(strstr(error.text, lines[i].problem) != NULL, "%s: %s", lines[i].line,
                  error.text);
        arena_release(&arena);
    }
}

TEST(deep_nesting_is_refused)
{
    char line[400];
    struct arena arena = {0};
    struct yore_graph_value value;
    struct yore_error error = {0};
    memset(line, '[', 200);
    memset(line + 200, ']', 200);
    CHECK_STATUS(word_json_read_value((struct yore_bytes){line, 400}, &arena, &value, &error),
                 YORE_INVALID);
    arena_release(&arena);
}

TEST_MAIN(a_node_and_a_relationship_are_read_whole, a_word_is_written_as_it_is_read,
          every_kind_of_value_comes_back_as_it_was, hostile_lines_are_refused_with_their_column,
          deep_nesting_is_refused)
