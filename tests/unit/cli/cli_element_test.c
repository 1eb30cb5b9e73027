#include "cli/element.h"

#include <string.h>

#include "support/test.h"

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

TEST(states_of_nodes_and_edges)
{
    const struct element node = {.type = text_of("Class,Role"),
                                 .properties =
                                     text_of("{\"z\": 1, \"a\": [\"x\", \"y\"], \"m\": null}")};
    const struct element bare = {.type = text_of("")};
    const struct element edge = {.is_edge = true,
                                 .type = text_of("USES"),
                                 .source = text_of("a\"b"),
                                 .target = text_of("c"),
                                 .properties = text_of("{\"w\":1.50}")};
    struct buffer state = {0};
    CHECK(element_create(&node, &state) == NULL);
    buffer_append_u8(&state, 0);
    CHECK_EQ_STR((const char *)state.data,
                 "{\"labels\":[\"Class\",\"Role\"],\"props\":{\"a\":[\"x\",\"y\"],\"z\":1}}");
    buffer_clear(&state);
    CHECK(element_create(&bare, &state) == NULL);
    buffer_append_u8(&state, 0);
    CHECK_EQ_STR((const char *)state.data, "{\"labels\":[],\"props\":{}}");
    buffer_clear(&state);
    CHECK(element_create(&edge, &state) == NULL);
    buffer_append_u8(&state, 0);
    CHECK_EQ_STR((const char *)state.data,
                 "{\"type\":\"USES\",\"src\":\"a\\\"b\",\"dst\":\"c\",\"props\":{\"w\":1.50}}");
    buffer_release(&state);
}

TEST(changes_set_and_remove)
{
    static const char before[] = "{\"labels\":[\"A\"],\"props\":{\"a\":1,\"b\":\"x\",\"c\":true}}";
    static const char *const cases[][2] = {
        {"{}", "{\"labels\":[\"A\"],\"props\":{\"a\":1,\"b\":\"x\",\"c\":true}}"},
        {"{\"b\":null}", "{\"labels\":[\"A\"],\"props\":{\"a\":1,\"c\":true}}"},
        {"{\"b\":\"y\",\"aa\":[]}",
         "{\"labels\":[\"A\"],\"props\":{\"a\":1,\"aa\":[],\"b\":\"y\",\"c\":true}}"},
        {"{\"a\":null,\"b\":null,\"c\":null,\"d\":null}", "{\"labels\":[\"A\"],\"props\":{}}"},
    };
    struct buffer state = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buffer_clear(&state);
        CHECK(element_change(text_of(before), text_of(cases[i][0]), &state) == NULL);
        buffer_append_u8(&state, 0);
        CHECK_EQ_STR((const char *)state.data, cases[i][1]);
    }
    buffer_release(&state);
}

TEST(wrong_states_and_changes_are_refused)
{
    const struct element broken = {.type = text_of("A"), .properties = text_of("{\"a\":}")};
    const struct element trailing = {.type = text_of("A"), .properties = text_of("{} x")};
    const struct element not_text = {.type = text_of("\xff"), .properties = text_of("{}")};
    struct buffer state = {0};
    CHECK(element_create(&broken, &state) != NULL);
    CHECK(element_create(&trailing, &state) != NULL);
    CHECK(element_create(&not_text, &state) != NULL);
    CHECK(element_change(text_of("plain"), text_of("{}"), &state) != NULL);
    CHECK(element_change(text_of("{\"props\":3}"), text_of("{}"), &state) != NULL);
    CHECK(element_change(text_of("{\"props\":{}}"), text_of("[]"), &state) != NULL);
    buffer_release(&state);
}

TEST_MAIN(states_of_nodes_and_edges, changes_set_and_remove, wrong_states_and_changes_are_refused)
