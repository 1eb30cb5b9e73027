/* schema_test.c -- property indexes and unique constraints: kept, backfilled, checked, dropped. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "unit/topology/graph_bed.h"

static const char *found_by(struct graph_bed *bed, int64_t valid,
                            const struct graph_scan_options *options)
{
    static char words[4096];
    struct graph_view *view = view_at(bed, NULL, valid);
    struct graph_scan *scan = NULL;
    uint64_t id;
    size_t size = 0;
    words[0] = '\0';
    enum yore_status st = graph_scan_open(view, options, &scan, NULL);
    if (st == YORE_NOT_FOUND) {
        graph_view_close(view);
        return "no index";
    }
    CHECK_OK(st);
    while (graph_scan_next(scan, &id, NULL) == YORE_OK && size + 32 < sizeof words) {
        size +=
            (size_t)snprintf(words + size, sizeof words - size, "%llu ", (unsigned long long)id);
    }
    graph_scan_close(scan);
    graph_view_close(view);
    return words;
}

static struct graph_schema schema_of(struct graph_bed *bed, const char *label_name,
                                     const char *property_name, bool is_unique)
{
    struct graph_txn *txn = begin(bed);
    struct graph_schema schema = {.is_unique = is_unique,
                                  .label = label(txn, label_name),
                                  .property = property(txn, property_name)};
    graph_abort(txn);
    return schema;
}

static const char *equals(struct graph_bed *bed, int64_t valid, const struct graph_schema *schema,
                          struct yore_graph_value value)
{
    struct graph_scan_options options = {.kind = GRAPH_SCAN_INDEX,
                                         .token = schema->label,
                                         .property = schema->property,
                                         .low = &value,
                                         .high = &value};
    return found_by(bed, valid, &options);
}

TEST(index_is_backfilled_over_history_and_kept_by_writers)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct graph_bed bed;
        graph_bed_open(&bed);
        test_note("age %d", age);
        struct graph_txn *txn = begin(&bed);
        uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
        uint64_t b = node_made(txn, "b", "N", AT(10), AT(50));
        node_made(txn, "c", "M", AT(10), YORE_FOREVER);
        CHECK_OK(property_set(txn, a, "x", integer(1), AT(10)));
        CHECK_OK(property_set(txn, a, "x", integer(2), AT(20)));
        CHECK_OK(property_set(txn, b, "x", integer(1), AT(30)));
        commit(txn);
        graph_bed_age(&bed, age);
        struct graph_schema schema = schema_of(&bed, "N", "x", false);
        CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(1)), "no index");
        int64_t before = yore_now(bed.bed.db);
        CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
        CHECK_STATUS(graph_schema_create(bed.graph, &schema, NULL, NULL), YORE_EXISTS);
        CHECK_EQ_STR(equals(&bed, AT(10), &schema, integer(1)), "1 ");
        CHECK_EQ_STR(equals(&bed, AT(20), &schema, integer(1)), "");
        CHECK_EQ_STR(equals(&bed, AT(30), &schema, integer(1)), "2 ");
        CHECK_EQ_STR(equals(&bed, AT(50), &schema, integer(1)), "");
        CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(2)), "1 ");
        struct yore_graph_value real = {.kind = YORE_GRAPH_FLOAT, .as.real = 2.0};
        CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, real), "1 ");

        txn = begin(&bed);
        CHECK_OK(property_set(txn, a, "x", integer(7), AT(15)));
        uint32_t n = label(txn, "N");
        struct graph_write late = {.from = AT(30), .to = AT(40)};
        CHECK_OK(graph_labels_change(txn, a, &n, 1, false, &late, NULL));
        commit(txn);
        graph_bed_age(&bed, age);
        CHECK_EQ_STR(equals(&bed, AT(12), &schema, integer(1)), "1 ");
        CHECK_EQ_STR(equals(&bed, AT(15), &schema, integer(1)), "");
        CHECK_EQ_STR(equals(&bed, AT(19), &schema, integer(7)), "1 ");
        CHECK_EQ_STR(equals(&bed, AT(20), &schema, integer(7)), "");
        CHECK_EQ_STR(equals(&bed, AT(29), &schema, integer(2)), "1 ");
        CHECK_EQ_STR(equals(&bed, AT(30), &schema, integer(2)), "");
        CHECK_EQ_STR(equals(&bed, AT(40), &schema, integer(2)), "1 ");

        struct graph_view *view = NULL;
        struct yore_time known = {AT(20), before};
        CHECK_OK(graph_view_open(bed.graph, NULL, &known, &view, NULL));
        uint64_t distinct;
        CHECK(!graph_has_index(view, schema.label, schema.property, &distinct));
        graph_view_close(view);
        view = view_at(&bed, NULL, AT(20));
        CHECK(graph_has_index(view, schema.label, schema.property, &distinct));
        CHECK_EQ_UINT(distinct, 1);
        graph_view_close(view);
        CHECK_OK(graph_schema_drop(bed.graph, &schema, NULL, NULL));
        CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(2)), "no index");
        CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
        CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(2)), "1 ");
        graph_bed_close(&bed);
    }
}

TEST(ranges_and_prefixes_come_in_order_of_value)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_schema schema = schema_of(&bed, "N", "x", false);
    CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
    struct graph_txn *txn = begin(&bed);
    struct yore_graph_value values[] = {
        integer(INT64_MAX),
        integer(-5),
        string("b"),
        integer(INT64_MAX - 1),
        {.kind = YORE_GRAPH_FLOAT, .as.real = 1.5},
        string("ab"),
        {.kind = YORE_GRAPH_FLOAT, .as.real = NAN},
        integer(INT64_MIN),
        {.kind = YORE_GRAPH_STRING, .as.string = {"a\0b", 3}},
        string("a"),
        {.kind = YORE_GRAPH_BOOL, .as.boolean = true},
        integer(9007199254740993),
        {.kind = YORE_GRAPH_FLOAT, .as.real = 9007199254740992.0},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%zu", i + 1);
        uint64_t id = node_made(txn, name, "N", YORE_NOW, YORE_FOREVER);
        CHECK_EQ_UINT(id, i + 1);
        CHECK_OK(property_set(txn, id, "x", values[i], YORE_NOW));
    }
    commit(txn);
    struct yore_graph_value low = integer(-5);
    struct yore_graph_value high = integer(INT64_MAX);
    struct graph_scan_options options = {.kind = GRAPH_SCAN_INDEX,
                                         .token = schema.label,
                                         .property = schema.property,
                                         .low = &low,
                                         .high = &high};
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "2 5 13 12 4 1 ");
    options.low_exclusive = true;
    options.high_exclusive = true;
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "5 13 12 4 ");
    options.high = NULL;
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "5 13 12 4 1 ");
    options.low = NULL;
    options.high = &low;
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "8 ");
    struct yore_graph_value text_low = string("a");
    options = (struct graph_scan_options){.kind = GRAPH_SCAN_INDEX,
                                          .token = schema.label,
                                          .property = schema.property,
                                          .low = &text_low,
                                          .is_prefix = true};
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "10 9 6 ");
    options.is_prefix = false;
    options.low_exclusive = true;
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "9 6 3 ");
    options.high = &low;
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "");
    options.low = &values[6];
    options.high = &values[6];
    options.low_exclusive = false;
    CHECK_EQ_STR(found_by(&bed, YORE_NOW, &options), "");
    graph_bed_close(&bed);
}

TEST(constraint_holds_at_every_valid_time)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_schema schema = schema_of(&bed, "N", "x", true);
    CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
    struct graph_txn *txn = begin(&bed);
    uint64_t a = node_made(txn, "a", "N", AT(10), AT(20));
    uint64_t b = node_made(txn, "b", "N", AT(10), YORE_FOREVER);
    CHECK_OK(property_set(txn, a, "x", integer(1), AT(10)));
    CHECK_STATUS(property_set(txn, b, "x", integer(1), AT(15)), YORE_EXISTS);
    CHECK_OK(property_set(txn, b, "x", integer(1), AT(20)));
    commit(txn);
    txn = begin(&bed);
    uint64_t c = node_made(txn, "c", "N", AT(5), YORE_FOREVER);
    struct graph_property one = {schema.property, integer(1)};
    struct graph_write span = {.from = AT(5), .to = AT(11)};
    struct graph_id id = {GRAPH_NODE, c};
    struct yore_error error;
    CHECK_STATUS(graph_properties_set(txn, id, &one, 1, false, &span, &error), YORE_EXISTS);
    CHECK_MSG(strstr(error.text, "nodes 1 and 3") != NULL, "%s", error.text);
    span.to = AT(10);
    CHECK_OK(graph_properties_set(txn, id, &one, 1, false, &span, NULL));
    commit(txn);
    CHECK_EQ_STR(equals(&bed, AT(9), &schema, integer(1)), "3 ");
    CHECK_EQ_STR(equals(&bed, AT(10), &schema, integer(1)), "1 ");
    CHECK_EQ_STR(equals(&bed, AT(20), &schema, integer(1)), "2 ");
    graph_bed_close(&bed);
}

TEST(two_writers_of_one_unique_value_conflict)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_schema schema = schema_of(&bed, "N", "x", true);
    CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
    struct graph_txn *one = begin(&bed);
    struct graph_txn *two = begin(&bed);
    uint64_t a = node_made(one, "a", "N", YORE_NOW, YORE_FOREVER);
    uint64_t b = node_made(two, "b", "N", YORE_NOW, YORE_FOREVER);
    CHECK_OK(property_set(one, a, "x", integer(1), YORE_NOW));
    CHECK_OK(property_set(two, b, "x", integer(1), YORE_NOW));
    commit(one);
    struct yore_error error;
    CHECK_STATUS(graph_commit(two, YORE_DURABILITY_DEFAULT, NULL, &error), YORE_CONFLICT);
    CHECK(strstr(error.text, "an entry of the index on N.x changed meanwhile") != NULL);
    graph_bed_close(&bed);
}

TEST(constraint_that_history_breaks_is_refused_and_leaves_nothing)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t a = node_made(txn, "a", "N", AT(10), AT(20));
    uint64_t b = node_made(txn, "b", "N", AT(15), YORE_FOREVER);
    CHECK_OK(property_set(txn, a, "x", string("v"), AT(10)));
    CHECK_OK(property_set(txn, b, "x", string("v"), AT(15)));
    commit(txn);
    struct graph_schema schema = schema_of(&bed, "N", "x", true);
    struct yore_error error;
    CHECK_STATUS(graph_schema_create(bed.graph, &schema, NULL, &error), YORE_EXISTS);
    CHECK_MSG(strstr(error.text, "nodes 1 and 2") != NULL, "%s", error.text);
    CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, string("v")), "no index");
    txn = begin(&bed);
    CHECK_OK(property_set(txn, b, "x", string("w"), AT(15)));
    CHECK_OK(property_set(txn, b, "x", string("v"), AT(20)));
    commit(txn);
    CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
    CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, string("v")), "2 ");
    graph_bed_close(&bed);
}

/* ---- cancelled ---- */

#define MANY 600 /* nodes: a few commits of filling in */

struct patience {
    int left;
    struct graph_bed *bed;
    const struct graph_schema *schema; /* not NULL: made by somebody else when patience ends ... */
    const struct graph_cancel *others; /* ... with this */
    enum yore_status others_status;
    bool goes_on; /* it was not meant */
};

static bool has_had_enough(void *arg)
{
    struct patience *patience = arg;
    if (--patience->left != 0) {
        return patience->left < 0 && !patience->goes_on;
    }
    if (patience->schema != NULL) {
        patience->others_status =
            graph_schema_create(patience->bed->graph, patience->schema, patience->others, NULL);
    }
    return !patience->goes_on;
}

static void open_many(struct graph_bed *bed)
{
    graph_bed_open(bed);
    struct graph_txn *txn = begin(bed);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        uint64_t id = node_made(txn, name, "N", AT(10), YORE_FOREVER);
        CHECK_OK(property_set(txn, id, "x", integer(i), AT(10)));
    }
    commit(txn);
}

static unsigned entries(struct graph_bed *bed)
{
    struct yore_cursor *cursor = NULL;
    unsigned char prefix[1] = {0x14};
    struct yore_cursor_options options = {.range = {.prefix = {prefix, 1}}, .keys_only = true};
    unsigned count = 0;
    CHECK_OK(yore_cursor_open(bed->bed.db, graph_keyspace(bed->graph), &options, &cursor, NULL));
    while (yore_cursor_next(cursor) == YORE_OK) {
        count++;
    }
    yore_cursor_close(cursor);
    return count;
}

TEST(an_index_whose_making_is_cancelled_leaves_nothing_behind)
{
    for (int unique = 0; unique < 2; unique++) {
        struct graph_bed bed;
        struct yore_error error = {0};
        open_many(&bed);
        struct graph_schema schema = schema_of(&bed, "N", "x", unique == 1);
        /* 3 looks while it is filled, then one a value while it is checked. */
        for (int looks = 1; looks <= (unique ? 300 : 3); looks += looks < 4 ? 1 : 99) {
            struct patience patience = {.left = looks};
            const struct graph_cancel cancel = {has_had_enough, &patience};
            test_note("unique %d, look %d", unique, looks);
            CHECK_STATUS(graph_schema_create(bed.graph, &schema, &cancel, &error), YORE_CANCELLED);
            CHECK_MSG(strstr(error.text, "N.x") != NULL, "%s", error.text);
            CHECK_EQ_UINT(entries(&bed), 0);
            CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(7)), "no index");
            CHECK_STATUS(graph_schema_drop(bed.graph, &schema, NULL, NULL), YORE_NOT_FOUND);
        }
        CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
        CHECK_EQ_UINT(entries(&bed), MANY);
        CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(7)), "8 ");
        CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
        graph_bed_close(&bed);
    }
}

TEST(an_index_that_somebody_else_has_completed_stays_when_it_is_cancelled)
{
    struct graph_bed bed;
    open_many(&bed);
    struct graph_schema schema = schema_of(&bed, "N", "x", false);
    struct patience patience = {.left = 2, .bed = &bed, .schema = &schema};
    const struct graph_cancel cancel = {has_had_enough, &patience};
    CHECK_STATUS(graph_schema_create(bed.graph, &schema, &cancel, NULL), YORE_CANCELLED);
    CHECK_OK(patience.others_status);
    CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(7)), "8 ");
    CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
    graph_bed_close(&bed);
}

TEST(an_index_is_made_although_somebody_else_at_it_is_cancelled)
{
    struct graph_bed bed;
    open_many(&bed);
    struct graph_schema schema = schema_of(&bed, "N", "x", false);
    struct patience hasty = {.left = 3};
    const struct graph_cancel other = {has_had_enough, &hasty};
    struct patience patience = {
        .left = 2, .bed = &bed, .schema = &schema, .others = &other, .goes_on = true};
    const struct graph_cancel cancel = {has_had_enough, &patience};
    CHECK_OK(graph_schema_create(bed.graph, &schema, &cancel, NULL));
    CHECK_STATUS(patience.others_status, YORE_CANCELLED);
    CHECK_EQ_UINT(entries(&bed), MANY);
    CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(7)), "8 ");
    CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
    graph_bed_close(&bed);
}

TEST(a_drop_that_is_cancelled_is_one_and_what_it_left_goes_with_the_next)
{
    for (int makes = 0; makes < 2; makes++) {
        struct graph_bed bed;
        struct yore_error error = {0};
        open_many(&bed);
        struct graph_schema kept = schema_of(&bed, "N", "y", false);
        struct graph_schema schema = schema_of(&bed, "N", "x", false);
        CHECK_OK(graph_schema_create(bed.graph, &kept, NULL, NULL));
        CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
        struct graph_txn *txn = begin(&bed);
        CHECK_OK(property_set(txn, 1, "y", integer(1), YORE_NOW));
        int64_t before = commit(txn);
        struct patience patience = {.left = 7};
        const struct graph_cancel cancel = {has_had_enough, &patience};
        CHECK_STATUS(graph_schema_drop(bed.graph, &schema, &cancel, &error), YORE_CANCELLED);
        CHECK_MSG(strstr(error.text, "is dropped") != NULL, "%s", error.text);
        CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(7)), "no index");
        CHECK(entries(&bed) > 1);
        CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
        CHECK_STATUS(graph_schema_drop(bed.graph, &schema, NULL, NULL), YORE_NOT_FOUND);
        if (makes == 1) {
            patience = (struct patience){.left = 2};
            CHECK_STATUS(graph_schema_create(bed.graph, &schema, &cancel, &error), YORE_CANCELLED);
            CHECK_MSG(strstr(error.text, "nothing is made") != NULL, "%s", error.text);
            CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(7)), "no index");
            CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
            CHECK_EQ_UINT(entries(&bed), MANY + 1);
            CHECK_EQ_STR(equals(&bed, YORE_NOW, &schema, integer(7)), "8 ");
        } else {
            CHECK_OK(graph_schema_drop(bed.graph, &kept, NULL, NULL));
            CHECK_EQ_UINT(entries(&bed), 0);
        }
        struct yore_time at = {before, before};
        struct graph_view *view = NULL;
        CHECK_OK(graph_view_open(bed.graph, NULL, &at, &view, NULL));
        uint64_t distinct = 0;
        CHECK(
            graph_has_index(view, schema.label, schema.property, &distinct)); /* as it was known */
        CHECK_EQ_UINT(distinct, MANY);
        graph_view_close(view);
        CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
        graph_bed_close(&bed);
    }
}

static void take_commits(void *arg, const struct yore_stat *stat)
{
    uint64_t *commits = arg;
    *commits = strcmp(stat->name, "commits") == 0 ? stat->value : *commits;
}

static uint64_t commits_of(struct graph_bed *bed)
{
    uint64_t commits = 0;
    yore_stats(bed->bed.db, take_commits, &commits);
    return commits;
}

/* Writers wait for a commit of the backfill: it is bounded by what it writes, not by nodes alone.
 */
TEST(a_long_history_is_backfilled_in_many_commits)
{
    enum { NODES = 16, VERSIONS = 1000 };
    struct graph_bed bed;
    uint64_t nodes[NODES];
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    for (int i = 0; i < NODES; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        nodes[i] = node_made(txn, name, "N", AT(1), YORE_FOREVER);
    }
    commit(txn);
    for (int v = 1; v <= VERSIONS; v++) {
        txn = begin(&bed);
        for (int i = 0; i < NODES; i++) {
            CHECK_OK(property_set(txn, nodes[i], "x", integer(v), AT(v)));
        }
        commit(txn);
    }
    struct graph_schema schema = schema_of(&bed, "N", "x", false);
    uint64_t before = commits_of(&bed);
    CHECK_OK(graph_schema_create(bed.graph, &schema, NULL, NULL));
    CHECK(commits_of(&bed) - before >= 2 + NODES * VERSIONS / 4096);
    for (int v = 1; v <= VERSIONS; v += 333) {
        const char *found = equals(&bed, AT(v), &schema, integer(v));
        CHECK(strncmp(found, "1 2 3 ", 6) == 0);
        CHECK_EQ_STR(equals(&bed, AT(v), &schema, integer(v + 1)), "");
    }
    CHECK_OK(graph_verify(bed.graph, NULL, NULL, NULL, NULL));
    graph_bed_close(&bed);
}

TEST_MAIN(index_is_backfilled_over_history_and_kept_by_writers,
          a_long_history_is_backfilled_in_many_commits, ranges_and_prefixes_come_in_order_of_value,
          constraint_holds_at_every_valid_time, two_writers_of_one_unique_value_conflict,
          constraint_that_history_breaks_is_refused_and_leaves_nothing,
          an_index_whose_making_is_cancelled_leaves_nothing_behind,
          an_index_that_somebody_else_has_completed_stays_when_it_is_cancelled,
          an_index_is_made_although_somebody_else_at_it_is_cancelled,
          a_drop_that_is_cancelled_is_one_and_what_it_left_goes_with_the_next)
