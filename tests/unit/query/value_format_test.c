/* Values as literals and as JSON. */
#include <math.h>
#include <string.h>

#include "query/value.h"
#include "query/value_format.h"
#include "support/test.h"

static const struct yore_graph_entry ann_entries[2] = {
    {{"age", 3}, {.kind = YORE_GRAPH_INT, .as.integer = 42}},
    {{"full name", 9}, {.kind = YORE_GRAPH_STRING, .as.string = {"Ann \"A\"", 7}}}};
static const struct yore_bytes ann_labels[2] = {{"Admin", 5}, {"Person", 6}};
static const struct yore_graph_node ann = {.id = 1,
                                           .external_id = {"ann", 3},
                                           .labels = ann_labels,
                                           .label_count = 2,
                                           .properties = {ann_entries, 2}};
static const struct yore_graph_node bob = {.id = 2, .external_id = {"bob", 3}};
static const struct yore_graph_relationship knows = {
    .id = 3, .external_id = {"k", 1}, .type = {"KNOWS", 5}, .start_id = 2, .end_id = 1};
static const struct yore_graph_value nodes[2] = {{.kind = YORE_GRAPH_NODE, .as.node = &ann},
                                                 {.kind = YORE_GRAPH_NODE, .as.node = &bob}};
static const struct yore_graph_value steps[1] = {
    {.kind = YORE_GRAPH_RELATIONSHIP, .as.relationship = &knows}};
static const struct yore_graph_path path = {nodes, steps, 1};

static void check(struct yore_graph_value value, const char *literal, const char *json)
{
    struct buffer text = {0};
    value_format(&text, &value);
    CHECK_EQ_BYTES(text.data, text.size, literal, strlen(literal));
    buffer_clear(&text);
    value_format_json(&text, &value);
    CHECK_EQ_BYTES(text.data, text.size, json, strlen(json));
    buffer_release(&text);
}

TEST(scalars)
{
    check(value_null(), "null", "null");
    check(value_bool(true), "true", "true");
    check(value_int(INT64_MIN), "-9223372036854775808", "-9223372036854775808");
    check(value_float(0.5), "0.5", "0.5");
    check(value_float((double)NAN), "NaN", "\"NaN\"");
    check(value_float(-(double)INFINITY), "-Infinity", "\"-Infinity\"");
    check(value_string(bytes_of("it's\n\\ \x01 \xc3\xa9", 11)), "'it\\'s\\n\\\\ \x01 \xc3\xa9'",
          "\"it's\\u000a\\\\ \\u0001 \xc3\xa9\"");
    check((struct yore_graph_value){.kind = YORE_GRAPH_DATE, .as.days = 0}, "'1970-01-01'",
          "\"1970-01-01\"");
}

TEST(lists_and_maps)
{
    const struct yore_graph_value items[2] = {value_int(1), value_list(NULL, 0)};
    const struct yore_graph_entry entries[2] = {{{"a`b", 3}, value_int(1)},
                                                {{"c", 1}, value_null()}};
    check(value_list(items, 2), "[1, []]", "[1,[]]");
    check(value_map(entries, 2), "{`a``b`: 1, c: null}", "{\"a`b\":1,\"c\":null}");
}

TEST(elements_and_paths)
{
    check(nodes[0], "(:Admin:Person {age: 42, `full name`: 'Ann \"A\"'})",
          "{\"elementId\":\"1\",\"id\":\"ann\",\"labels\":[\"Admin\",\"Person\"],\"properties\":{"
          "\"age\":42,"
          "\"full name\":\"Ann \\\"A\\\"\"}}");
    check(nodes[1], "()", "{\"elementId\":\"2\",\"id\":\"bob\",\"labels\":[],\"properties\":{}}");
    check(steps[0], "[:KNOWS]",
          "{\"elementId\":\"3\",\"id\":\"k\",\"type\":\"KNOWS\",\"start\":\"2\",\"end\":\"1\","
          "\"properties\":{}}");
    check((struct yore_graph_value){.kind = YORE_GRAPH_PATH, .as.path = &path},
          "<(:Admin:Person {age: 42, `full name`: 'Ann \"A\"'})<-[:KNOWS]-()>",
          "{\"nodes\":[{\"elementId\":\"1\",\"id\":\"ann\",\"labels\":[\"Admin\",\"Person\"],"
          "\"properties\":{\"age\":42,"
          "\"full name\":\"Ann "
          "\\\"A\\\"\"}},{\"elementId\":\"2\",\"id\":\"bob\",\"labels\":[],\"properties\":{}}],"
          "\"relationships\":[{\"elementId\":\"3\",\"id\":\"k\",\"type\":\"KNOWS\",\"start\":\"2\","
          "\"end\":\"1\","
          "\"properties\":{}}]}");
    check(value_node_ref(7, NULL), "(#7)", "{\"elementId\":\"7\"}");
    check(value_relationship_ref(7, NULL), "[#7]", "{\"elementId\":\"7\"}");
}

TEST(only_scalars_have_a_string)
{
    struct buffer text = {0};
    struct yore_graph_value list = value_list(NULL, 0);
    struct yore_graph_value real = value_float(1);
    CHECK_STATUS(value_to_string(&text, &list), YORE_INVALID);
    CHECK_OK(value_to_string(&text, &real));
    CHECK_EQ_BYTES(text.data, text.size, "1.0", 3);
    buffer_release(&text);
}

TEST_MAIN(scalars, lists_and_maps, elements_and_paths, only_scalars_have_a_string)
