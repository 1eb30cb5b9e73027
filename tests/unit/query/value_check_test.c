/* Values from outside: what is taken and what is refused. */
#include "query/limits.h"
#include "query/value.h"
#include "query/value_check.h"
#include "support/test.h"

static enum yore_status checked(struct yore_graph_value value)
{
    struct yore_error error;
    enum yore_status st = value_check(&value, &error);
    CHECK(st == YORE_OK || error.text[0] != '\0');
    return st;
}

TEST(plain_values_are_taken)
{
    const struct yore_graph_entry entries[2] = {{{"a", 1}, value_null()}, {{"b", 1}, value_int(1)}};
    const struct yore_graph_value items[2] = {value_map(entries, 2), value_float(1.5)};
    CHECK_OK(checked(value_null()));
    CHECK_OK(checked(value_string(bytes_of("\xc3\xa9", 2))));
    CHECK_OK(checked(value_list(items, 2)));
}

TEST(text_has_to_be_utf8_and_names_in_order)
{
    const struct yore_graph_entry turned[2] = {{{"b", 1}, value_null()}, {{"a", 1}, value_null()}};
    const struct yore_graph_entry twice[2] = {{{"a", 1}, value_null()}, {{"a", 1}, value_null()}};
    const struct yore_graph_entry wrong[1] = {{{"\xff", 1}, value_null()}};
    const struct yore_graph_value text = value_string(bytes_of("\xff", 1));
    CHECK_STATUS(checked(text), YORE_INVALID);
    CHECK_STATUS(checked(value_list(&text, 1)), YORE_INVALID);
    CHECK_STATUS(checked(value_map(turned, 2)), YORE_INVALID);
    CHECK_STATUS(checked(value_map(twice, 2)), YORE_INVALID);
    CHECK_STATUS(checked(value_map(wrong, 1)), YORE_INVALID);
}

TEST(elements_cannot_be_given)
{
    CHECK_STATUS(checked(value_node_ref(1, NULL)), YORE_INVALID);
    CHECK_STATUS(checked((struct yore_graph_value){.kind = (enum yore_graph_kind)99}),
                 YORE_INVALID);
}

TEST(nesting_is_bounded)
{
    struct yore_graph_value nest[QUERY_VALUE_DEPTH_MAX + 1];
    nest[0] = value_list(NULL, 0);
    for (size_t i = 1; i <= QUERY_VALUE_DEPTH_MAX; i++) {
        nest[i] = value_list(&nest[i - 1], 1);
    }
    CHECK_OK(checked(nest[QUERY_VALUE_DEPTH_MAX - 1]));
    CHECK_STATUS(checked(nest[QUERY_VALUE_DEPTH_MAX]), YORE_TOO_BIG);
}

TEST(temporal_values_have_bounds)
{
    static const struct yore_graph_datetime datetimes[] = {
        {.seconds = 0, .nanoseconds = 999999999, .offset_seconds = -18 * 3600},
        {.seconds = INT64_MAX},
        {.seconds = INT64_MIN, .offset_seconds = -1},
        {.seconds = 0, .nanoseconds = 1000000000},
        {.seconds = 0, .offset_seconds = 18 * 3600 + 1},
    };
    static const struct yore_graph_duration durations[] = {
        {.months = -1, .days = 1, .seconds = -1, .nanoseconds = 1},
        {.months = INT64_MAX},
        {.seconds = 1, .nanoseconds = -1},
    };
    const struct {
        struct yore_graph_value value;
        enum yore_status status;
    } cases[] = {
        {{.kind = YORE_GRAPH_DATE, .as.days = 365241780471}, YORE_OK},
        {{.kind = YORE_GRAPH_DATE, .as.days = 365241780472}, YORE_INVALID},
        {{.kind = YORE_GRAPH_DATE, .as.days = INT64_MIN}, YORE_INVALID},
        {{.kind = YORE_GRAPH_LOCAL_TIME, .as.nanoseconds = 86399999999999}, YORE_OK},
        {{.kind = YORE_GRAPH_LOCAL_TIME, .as.nanoseconds = 86400000000000}, YORE_INVALID},
        {{.kind = YORE_GRAPH_TIME, .as.time = {-1, 0, 0}}, YORE_INVALID},
        {{.kind = YORE_GRAPH_TIME, .as.time = {0, 64801, 0}}, YORE_INVALID},
        {{.kind = YORE_GRAPH_LOCAL_DATETIME, .as.clock = {0, 999999999, 0}}, YORE_OK},
        {{.kind = YORE_GRAPH_LOCAL_DATETIME, .as.clock = {INT64_MAX, 0, 0}}, YORE_INVALID},
        {{.kind = YORE_GRAPH_DATETIME, .as.datetime = &datetimes[0]}, YORE_OK},
        {{.kind = YORE_GRAPH_DATETIME, .as.datetime = &datetimes[1]}, YORE_INVALID},
        {{.kind = YORE_GRAPH_DATETIME, .as.datetime = &datetimes[2]}, YORE_INVALID},
        {{.kind = YORE_GRAPH_DATETIME, .as.datetime = &datetimes[3]}, YORE_INVALID},
        {{.kind = YORE_GRAPH_DATETIME, .as.datetime = &datetimes[4]}, YORE_INVALID},
        {{.kind = YORE_GRAPH_DURATION, .as.duration = &durations[0]}, YORE_OK},
        {{.kind = YORE_GRAPH_DURATION, .as.duration = &durations[1]}, YORE_INVALID},
        {{.kind = YORE_GRAPH_DURATION, .as.duration = &durations[2]}, YORE_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        CHECK_STATUS(checked(cases[i].value), cases[i].status);
    }
}

TEST_MAIN(plain_values_are_taken, text_has_to_be_utf8_and_names_in_order, elements_cannot_be_given,
          nesting_is_bounded, temporal_values_have_bounds)
