/* Equality, sameness, hashes and orders of values, and that they agree. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "query/value.h"
#include "query/value_set.h"
#include "support/test.h"

#define VALUES_MAX 12

static struct yore_graph_value text_value(const char *text)
{
    return value_string(bytes_of(text, strlen(text)));
}

static const struct yore_graph_value one_null[1] = {{.kind = YORE_GRAPH_NULL}};

static struct yore_graph_value nan_value(void)
{
    return value_float((double)NAN);
}

/* ---- a table of what the language says ---- */

TEST(equality_knows_what_it_does_not_know)
{
    const struct yore_graph_value list_12[2] = {value_int(1), value_int(2)};
    const struct yore_graph_value list_1n[2] = {value_int(1), value_null()};
    const struct yore_graph_value list_2n[2] = {value_int(2), value_null()};
    const struct yore_graph_entry map_k1[1] = {{{"k", 1}, value_int(1)}};
    const struct yore_graph_entry map_kn[1] = {{{"k", 1}, value_null()}};
    const struct yore_graph_entry map_l1[1] = {{{"l", 1}, value_int(1)}};
    const struct {
        struct yore_graph_value a;
        struct yore_graph_value b;
        enum ternary equal;
    } cases[] = {
        {value_int(1), value_float(1.0), TERNARY_TRUE},
        {value_int(1), text_value("1"), TERNARY_FALSE},
        {value_null(), value_null(), TERNARY_NULL},
        {value_null(), value_int(1), TERNARY_NULL},
        {nan_value(), nan_value(), TERNARY_FALSE},
        {value_float(0.0), value_float(-0.0), TERNARY_TRUE},
        {value_int(INT64_MAX), value_float(9223372036854775808.0), TERNARY_FALSE},
        {value_int(9007199254740993), value_float(9007199254740992.0), TERNARY_FALSE},
        {value_list(list_12, 2), value_list(list_12, 2), TERNARY_TRUE},
        {value_list(list_12, 2), value_list(list_1n, 2), TERNARY_NULL},
        {value_list(list_12, 2), value_list(list_2n, 2), TERNARY_FALSE},
        {value_list(list_12, 2), value_list(list_1n, 1), TERNARY_FALSE},
        {value_list(NULL, 0), value_list(NULL, 0), TERNARY_TRUE},
        {value_list(NULL, 0), value_map(NULL, 0), TERNARY_FALSE},
        {value_map(map_k1, 1), value_map(map_k1, 1), TERNARY_TRUE},
        {value_map(map_k1, 1), value_map(map_kn, 1), TERNARY_NULL},
        {value_map(map_kn, 1), value_map(map_kn, 1), TERNARY_NULL},
        {value_map(map_k1, 1), value_map(map_l1, 1), TERNARY_FALSE},
        {value_map(map_k1, 1), value_map(NULL, 0), TERNARY_FALSE},
        {value_node_ref(1, NULL), value_node_ref(1, NULL), TERNARY_TRUE},
        {value_node_ref(1, NULL), value_relationship_ref(1, NULL), TERNARY_FALSE},
        {value_bool(true), value_bool(true), TERNARY_TRUE},
        {value_bool(true), value_int(1), TERNARY_FALSE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        CHECK_EQ_INT(value_equal(&cases[i].a, &cases[i].b), cases[i].equal);
        CHECK_EQ_INT(value_equal(&cases[i].b, &cases[i].a), cases[i].equal);
    }
}

TEST(a_fetched_element_is_the_same_as_its_reference)
{
    struct yore_graph_node node = {.id = 7};
    struct yore_graph_value whole = {.kind = YORE_GRAPH_NODE, .as.node = &node};
    struct yore_graph_value ref = value_node_ref(7, &node);
    CHECK_EQ_INT(value_equal(&whole, &ref), TERNARY_TRUE);
    CHECK_EQ_UINT(value_hash(&whole), value_hash(&ref));
    node.id = 8;
    CHECK_EQ_INT(value_equal(&whole, &ref), TERNARY_FALSE);
}

TEST(what_can_be_compared_is_compared)
{
    const struct yore_graph_value list_1[1] = {value_int(1)};
    const struct yore_graph_value list_12[2] = {value_int(1), value_int(2)};
    const struct yore_graph_value list_1n[2] = {value_int(1), value_null()};
    const struct yore_graph_value list_3n[2] = {value_int(3), value_null()};
    const struct {
        struct yore_graph_value a;
        struct yore_graph_value b;
        enum ternary comparable;
        int order;
    } cases[] = {
        {value_int(1), value_float(1.5), TERNARY_TRUE, -1},
        {value_int(2), value_float(-(double)INFINITY), TERNARY_TRUE, 1},
        {value_int(1), nan_value(), TERNARY_FALSE, 0},
        {nan_value(), text_value("a"), TERNARY_NULL, 0},
        {value_int(1), text_value("a"), TERNARY_NULL, 0},
        {value_null(), value_int(1), TERNARY_NULL, 0},
        {text_value("a"), text_value("b"), TERNARY_TRUE, -1},
        {text_value(""), text_value("a"), TERNARY_TRUE, -1},
        {value_bool(false), value_bool(true), TERNARY_TRUE, -1},
        {value_list(list_12, 2), value_list(list_1, 1), TERNARY_TRUE, 1},
        {value_list(list_12, 2), value_list(list_1n, 2), TERNARY_NULL, 0},
        {value_list(list_12, 2), value_list(list_3n, 2), TERNARY_TRUE, -1},
        {value_map(NULL, 0), value_map(NULL, 0), TERNARY_NULL, 0},
        {value_node_ref(1, NULL), value_node_ref(2, NULL), TERNARY_NULL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int order = 0;
        test_note("case %zu", i);
        CHECK_EQ_INT(value_compare(&cases[i].a, &cases[i].b, &order), cases[i].comparable);
        if (cases[i].comparable == TERNARY_TRUE) {
            CHECK_EQ_INT((order > 0) - (order < 0), cases[i].order);
        }
    }
}

static const struct yore_graph_duration a_day = {.days = 1};
static const struct yore_graph_datetime a_datetime = {.seconds = 1};
static const struct yore_graph_value path_nodes[1] = {
    {.kind = YORE_GRAPH_NODE_REF, .as.ref = {1, NULL}}};
static const struct yore_graph_path a_path = {.nodes = path_nodes};

TEST(kinds_have_an_order)
{
    const struct yore_graph_value ascending[] = {
        value_map(NULL, 0),
        value_node_ref(5, NULL),
        value_relationship_ref(1, NULL),
        value_list(NULL, 0),
        {.kind = YORE_GRAPH_PATH, .as.path = &a_path},
        {.kind = YORE_GRAPH_DATETIME, .as.datetime = &a_datetime},
        {.kind = YORE_GRAPH_LOCAL_DATETIME, .as.clock = {1, 0, 0}},
        {.kind = YORE_GRAPH_DATE, .as.days = 1},
        {.kind = YORE_GRAPH_TIME, .as.time = {1, 0, 0}},
        {.kind = YORE_GRAPH_LOCAL_TIME, .as.nanoseconds = 1},
        {.kind = YORE_GRAPH_DURATION, .as.duration = &a_day},
        text_value(""),
        text_value("a"),
        value_bool(false),
        value_bool(true),
        value_float(-(double)INFINITY),
        value_int(0),
        value_float((double)INFINITY),
        nan_value(),
        value_null(),
    };
    size_t count = sizeof(ascending) / sizeof(ascending[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = value_order(&ascending[i], &ascending[j]);
            CHECK_MSG((order > 0) - (order < 0) == (i > j) - (i < j), "%zu and %zu", i, j);
        }
    }
}

/* ---- random values: all relations agree ---- */

struct maker {
    struct test_rand rand;
    struct arena arena;
};

static struct yore_graph_value make(struct maker *maker, unsigned depth);

static struct yore_graph_value make_number(struct maker *maker)
{
    static const double reals[] = {0.0, -0.0, 1.0, 2.0, 0.5, 9007199254740992.0, 1e300, -1e300};
    static const int64_t integers[] = {0, 1, 2, -1, 9007199254740993, INT64_MAX, INT64_MIN};
    switch (test_rand_below(&maker->rand, 4)) {
    case 0:
        return value_float(reals[test_rand_below(&maker->rand, 8)]);
    case 1:
        return nan_value();
    default:
        return value_int(integers[test_rand_below(&maker->rand, 7)]);
    }
}

static struct yore_graph_value make_temporal(struct maker *maker)
{
    int64_t small = (int64_t)test_rand_below(&maker->rand, 2);
    int32_t offset = (int32_t)test_rand_below(&maker->rand, 2) * 3600;
    struct yore_graph_duration *duration = arena_alloc(&maker->arena, sizeof(*duration));
    struct yore_graph_datetime *datetime = arena_alloc(&maker->arena, sizeof(*datetime));
    *duration = (struct yore_graph_duration){.days = small, .seconds = 86400 * (1 - small)};
    *datetime = (struct yore_graph_datetime){.seconds = small, .offset_seconds = offset};
    switch (test_rand_below(&maker->rand, 6)) {
    case 0:
        return (struct yore_graph_value){.kind = YORE_GRAPH_DATE, .as.days = small};
    case 1:
        return (struct yore_graph_value){.kind = YORE_GRAPH_LOCAL_TIME, .as.nanoseconds = small};
    case 2:
        return (struct yore_graph_value){.kind = YORE_GRAPH_TIME,
                                         .as.time = {small * 3600000000000, offset, 0}};
    case 3:
        return (struct yore_graph_value){.kind = YORE_GRAPH_LOCAL_DATETIME,
                                         .as.clock = {small, 0, 0}};
    case 4:
        return (struct yore_graph_value){.kind = YORE_GRAPH_DATETIME, .as.datetime = datetime};
    default:
        return (struct yore_graph_value){.kind = YORE_GRAPH_DURATION, .as.duration = duration};
    }
}

static struct yore_graph_value make_inner(struct maker *maker, unsigned depth)
{
    static const struct yore_bytes names[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    size_t count = (size_t)test_rand_below(&maker->rand, 3);
    if (test_rand_one_in(&maker->rand, 2)) {
        struct yore_graph_value *items = arena_alloc(&maker->arena, 3 * sizeof(*items));
        for (size_t i = 0; i < count; i++) {
            items[i] = make(maker, depth - 1);
        }
        return value_list(items, count);
    }
    struct yore_graph_entry *entries = arena_alloc(&maker->arena, 3 * sizeof(*entries));
    size_t first = (size_t)test_rand_below(&maker->rand, 2);
    for (size_t i = 0; i < count; i++) {
        entries[i].name = names[first == 0 ? i : i + 1 < 3 ? i + 1 : i];
        entries[i].value = make(maker, depth - 1);
    }
    return value_map(entries, count);
}

static struct yore_graph_value make(struct maker *maker, unsigned depth)
{
    static const char *const texts[] = {"", "a", "ab", "\xc3\xa9"};
    switch (test_rand_below(&maker->rand, depth == 0 ? 6 : 8)) {
    case 0:
        return value_null();
    case 1:
        return value_bool(test_rand_one_in(&maker->rand, 2));
    case 2:
        return make_number(maker);
    case 3:
        return text_value(texts[test_rand_below(&maker->rand, 4)]);
    case 4:
        return make_temporal(maker);
    case 5: {
        uint64_t id = test_rand_below(&maker->rand, 2);
        return test_rand_one_in(&maker->rand, 2) ? value_node_ref(id, NULL)
                                                 : value_relationship_ref(id, NULL);
    }
    default:
        return make_inner(maker, depth);
    }
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void check_pair(const struct yore_graph_value *a, const struct yore_graph_value *b)
{
    int order = value_order(a, b);
    int compared = 0;
    CHECK_EQ_INT(sign(order), -sign(value_order(b, a)));
    CHECK_EQ_INT(value_is_same(a, b), order == 0);
    if (order == 0) {
        CHECK_EQ_UINT(value_hash(a), value_hash(b));
    }
    enum ternary equal = value_equal(a, b);
    CHECK_EQ_INT(value_equal(b, a), equal);
    CHECK(equal != TERNARY_TRUE || order == 0);
    enum ternary comparable = value_compare(a, b, &compared);
    if (comparable == TERNARY_TRUE && equal != TERNARY_NULL) {
        CHECK_EQ_INT(sign(compared), sign(order));
        CHECK_EQ_INT(equal == TERNARY_TRUE, compared == 0);
    }
}

TEST(relations_agree_on_random_values)
{
    for (uint64_t round = 0; round < test_scale(300, 30000); round++) {
        struct maker maker = {.rand = test_rand_new(round)};
        struct yore_graph_value values[VALUES_MAX];
        arena_init(&maker.arena, 4096);
        test_note("round %llu", (unsigned long long)round);
        for (size_t i = 0; i < VALUES_MAX; i++) {
            values[i] = make(&maker, 3);
        }
        for (size_t i = 0; i < VALUES_MAX; i++) {
            CHECK_EQ_INT(value_order(&values[i], &values[i]), 0);
            for (size_t j = 0; j < VALUES_MAX; j++) {
                check_pair(&values[i], &values[j]);
                for (size_t k = 0; k < VALUES_MAX; k++) {
                    bool is_chain = value_order(&values[i], &values[j]) <= 0 &&
                                    value_order(&values[j], &values[k]) <= 0;
                    CHECK(!is_chain || value_order(&values[i], &values[k]) <= 0);
                }
            }
        }
        arena_release(&maker.arena);
    }
}

TEST(copies_are_the_same_and_share_nothing)
{
    for (uint64_t round = 0; round < test_scale(2000, 100000); round++) {
        struct maker maker = {.rand = test_rand_new(round)};
        struct arena copies = {0};
        struct yore_graph_value copy;
        arena_init(&maker.arena, 4096);
        struct yore_graph_value value = make(&maker, 4);
        size_t size = value_size(&value);
        CHECK_OK(value_copy(&copies, &value, &copy));
        uint64_t hash = value_hash(&value);
        arena_release(&maker.arena); /* a copy that shared would be read after it is freed */
        CHECK_EQ_UINT(value_hash(&copy), hash);
        CHECK_EQ_UINT(value_size(&copy), size);
        arena_release(&copies);
    }
}

/* A set tells what a list that is searched through tells. */
TEST(a_set_keeps_one_of_each)
{
    struct maker maker = {.rand = test_rand_new(0)};
    struct value_set set;
    struct arena arena = {0};
    struct yore_graph_value *kept = NULL;
    size_t count = 0;
    arena_init(&maker.arena, 4096);
    kept = arena_alloc(&maker.arena, 4000 * sizeof(*kept));
    value_set_init(&set, &arena, 2);
    for (size_t i = 0; i < 2000; i++) {
        struct yore_graph_value pair[2] = {make(&maker, 1), make(&maker, 1)};
        size_t want = 0;
        while (want < count && !(value_is_same(&kept[want * 2], &pair[0]) &&
                                 value_is_same(&kept[want * 2 + 1], &pair[1]))) {
            want++;
        }
        size_t index = 0;
        bool is_new = false;
        CHECK_OK(value_set_put(&set, pair, &index, &is_new));
        CHECK_EQ_UINT(index, want);
        CHECK_EQ_INT(is_new, want == count);
        if (is_new) {
            memcpy(&kept[count * 2], pair, sizeof(pair));
            count++;
        }
    }
    CHECK_EQ_UINT(set.count, count);
    for (size_t i = 0; i < count; i++) {
        CHECK(value_is_same(&value_set_at(&set, i)[0], &kept[i * 2]));
    }
    arena_release(&arena);
    arena_release(&maker.arena);
}

TEST(rows_of_no_values_are_one_row)
{
    struct value_set set;
    struct arena arena = {0};
    size_t index = 0;
    bool is_new = false;
    value_set_init(&set, &arena, 0);
    CHECK_OK(value_set_put(&set, NULL, &index, &is_new));
    CHECK(is_new);
    CHECK_OK(value_set_put(&set, NULL, &index, &is_new));
    CHECK(!is_new);
    arena_release(&arena);
}

TEST(depth_is_bounded_and_told)
{
    struct yore_graph_value nest[10];
    nest[0] = value_list(NULL, 0);
    for (size_t i = 1; i < 10; i++) {
        nest[i] = value_list(&nest[i - 1], 1);
    }
    uint64_t left = 1000;
    CHECK(value_fits(&nest[9], 10, &left));
    CHECK_EQ_UINT(left, 1000 - 9 * sizeof(nest[0]));
    CHECK(!value_fits(&nest[9], 9, &left));
    struct yore_graph_value number = value_int(1);
    CHECK(value_fits(&number, 0, &left));
}

/* Forty lists that each hold the one before twice are a small thing until they are written out. */
TEST(what_is_shared_counts_as_often_as_it_stands)
{
    struct yore_graph_value pairs[40][2];
    struct yore_graph_value top = value_int(1);
    for (size_t i = 0; i < 40; i++) {
        pairs[i][0] = top;
        pairs[i][1] = top;
        top = value_list(pairs[i], 2);
    }
    uint64_t left = 1 << 20;
    CHECK(!value_fits(&top, 64, &left));
    left = 1 << 20;
    CHECK(value_fits(&pairs[10][0], 64, &left));
    CHECK_EQ_UINT((1 << 20) - left, value_size(&pairs[10][0]));
}

TEST(what_may_be_a_property)
{
    const struct yore_graph_value map = value_map(NULL, 0);
    const struct yore_graph_value node = value_node_ref(1, NULL);
    const struct yore_graph_entry entry_null[1] = {{{"k", 1}, value_null()}};
    const struct yore_graph_entry entry_node[1] = {{{"k", 1}, node}};
    const struct {
        struct yore_graph_value value;
        bool is_storable;
    } cases[] = {
        {value_null(), false},
        {value_int(1), true},
        {text_value(""), true},
        {{.kind = YORE_GRAPH_DURATION, .as.duration = &a_day}, true},
        {value_list(NULL, 0), true},
        {value_list(one_null, 1), true},
        {map, true},
        {value_map(entry_null, 1), true},
        {value_map(entry_node, 1), false},
        {value_list(&map, 1), false},
        {node, false},
        {value_list(&node, 1), false},
        {{.kind = YORE_GRAPH_PATH, .as.path = &a_path}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("case %zu", i);
        CHECK_EQ_INT(value_is_storable(&cases[i].value), cases[i].is_storable);
    }
}

TEST_MAIN(equality_knows_what_it_does_not_know, a_fetched_element_is_the_same_as_its_reference,
          what_can_be_compared_is_compared, kinds_have_an_order, relations_agree_on_random_values,
          copies_are_the_same_and_share_nothing, a_set_keeps_one_of_each,
          rows_of_no_values_are_one_row, depth_is_bounded_and_told,
          what_is_shared_counts_as_often_as_it_stands, what_may_be_a_property)
