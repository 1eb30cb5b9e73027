/* graph_history_test.c -- versions of an element, incarnations of an id, differences, nearest
 * changes. */
#include <stdio.h>
#include <string.h>

#include "unit/topology/graph_bed.h"

static int64_t x_of(const struct yore_graph_value *element)
{
    if (element->kind != YORE_GRAPH_NODE) {
        return element->kind == YORE_GRAPH_NULL ? -3 : -2;
    }
    const struct yore_graph_map *map = &element->as.node->properties;
    return map->count == 0 ? -1 : map->entries[0].value.as.integer;
}

/* "x@from-to ", in seconds; `+` for no end. */
static const char *told(struct graph_bed *bed, uint64_t node, int64_t from, int64_t to)
{
    static char words[1024];
    struct graph_view *view = view_at(bed, NULL, YORE_NOW);
    struct graph_history *history = NULL;
    struct graph_version version;
    size_t size = 0;
    words[0] = '\0';
    CHECK_OK(
        graph_history_open(view, (struct graph_id){GRAPH_NODE, node}, from, to, &history, NULL));
    while (graph_history_next(history, &bed->arena, &version, NULL) == YORE_OK) {
        char end[24] = "+";
        if (version.span.valid_to != YORE_FOREVER) {
            snprintf(end, sizeof end, "%lld",
                     (long long)((version.span.valid_to - BED_BASE) / BED_SECOND));
        }
        size += (size_t)snprintf(
            words + size, sizeof words - size, "%lld@%lld-%s ", (long long)x_of(&version.element),
            (long long)((version.span.valid_from - BED_BASE) / BED_SECOND), end);
    }
    graph_history_close(history);
    graph_view_close(view);
    return words;
}

static uint64_t make_story(struct graph_bed *bed)
{
    struct graph_txn *txn = begin(bed);
    uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
    uint64_t b = node_made(txn, "b", "N", AT(10), AT(45));
    relationship_made(txn, "X", a, a, AT(25));
    CHECK_OK(property_set(txn, a, "x", integer(1), AT(20)));
    CHECK_OK(property_set(txn, a, "x", integer(2), AT(30)));
    CHECK_OK(property_set(txn, a, "x", integer(1), AT(30)));
    CHECK_OK(node_deleted(txn, a, true, AT(50)));
    commit(txn);
    (void)b;
    return a;
}

TEST(history_tells_maximal_intervals)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct graph_bed bed;
        graph_bed_open(&bed);
        uint64_t a = make_story(&bed);
        graph_bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(told(&bed, a, YORE_TIME_MIN, YORE_FOREVER), "-1@10-20 1@20-50 ");
        CHECK_EQ_STR(told(&bed, a, AT(15), AT(40)), "-1@15-20 1@20-40 ");
        CHECK_EQ_STR(told(&bed, a, AT(50), YORE_FOREVER), "");
        CHECK_EQ_STR(told(&bed, 2, YORE_TIME_MIN, YORE_FOREVER), "-1@10-45 ");
        CHECK_EQ_STR(told(&bed, 99, YORE_TIME_MIN, YORE_FOREVER), "");
        graph_bed_close(&bed);
    }
}

TEST(incarnations_of_an_external_id_are_told_oldest_first)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    make_story(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t again = node_made(txn, "a", "N", AT(60), AT(70));
    uint64_t earlier = 0;
    CHECK_OK(node_try(txn, "a", AT(1), AT(2), &earlier));
    commit(txn);
    struct graph_view *view = view_at(&bed, NULL, YORE_NOW);
    const uint64_t *ids;
    size_t count;
    CHECK_OK(graph_incarnations(view, GRAPH_NODE, text("a"), &bed.arena, &ids, &count, NULL));
    CHECK_EQ_UINT(count, 3);
    CHECK_EQ_UINT(ids[0], earlier);
    CHECK_EQ_UINT(ids[1], 1);
    CHECK_EQ_UINT(ids[2], again);
    CHECK_OK(graph_incarnations(view, GRAPH_NODE, text("zz"), &bed.arena, &ids, &count, NULL));
    CHECK_EQ_UINT(count, 0);
    graph_view_close(view);
    graph_bed_close(&bed);
}

static const char *differences(struct graph_bed *bed, int64_t from, int64_t to, bool every)
{
    static char words[1024];
    struct graph_changes_options options = {from, to, YORE_NOW, every};
    struct graph_changes *changes = NULL;
    struct graph_change change;
    size_t size = 0;
    words[0] = '\0';
    CHECK_OK(graph_changes_open(bed->graph, &options, &changes, NULL));
    while (graph_changes_next(changes, &bed->arena, &change, NULL) == YORE_OK) {
        size += (size_t)snprintf(words + size, sizeof words - size, "%c%c%llu@%lld(%lld,%lld) ",
                                 " +~-"[change.kind], change.id.element == GRAPH_NODE ? 'n' : 'r',
                                 (unsigned long long)change.id.id,
                                 (long long)((change.time - BED_BASE) / BED_SECOND),
                                 (long long)x_of(&change.before), (long long)x_of(&change.after));
    }
    graph_changes_close(changes);
    return words;
}

TEST(differences_are_net_or_every_step)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct graph_bed bed;
        graph_bed_open(&bed);
        make_story(&bed);
        graph_bed_age(&bed, age);
        test_note("age %d", age);
        CHECK_EQ_STR(differences(&bed, AT(5), AT(25), false),
                     "+n1@20(-3,1) +n2@10(-3,-1) +r1@25(-3,-2) ");
        CHECK_EQ_STR(differences(&bed, AT(10), AT(50), false), "-n1@50(-1,-3) -n2@45(-1,-3) ");
        CHECK_EQ_STR(differences(&bed, AT(20), AT(40), false), "+r1@25(-3,-2) ");
        CHECK_EQ_STR(differences(&bed, AT(5), AT(100), true),
                     "+n1@10(-3,-1) +n2@10(-3,-1) ~n1@20(-1,1) +r1@25(-3,-2) -n2@45(-1,-3) "
                     "-n1@50(1,-3) -r1@50(-2,-3) ");
        graph_bed_close(&bed);
    }
}

static int64_t nearest(struct graph_bed *bed, int64_t moment, bool is_backward)
{
    int64_t found;
    enum yore_status st =
        graph_next_change(bed->graph, moment, YORE_NOW, is_backward, &found, NULL);
    if (st == YORE_NOT_FOUND) {
        return -1;
    }
    CHECK_OK(st);
    return (found - BED_BASE) / BED_SECOND;
}

TEST(nearest_change_is_found_either_way)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    make_story(&bed);
    CHECK_EQ_INT(nearest(&bed, YORE_TIME_MIN, false), 10);
    CHECK_EQ_INT(nearest(&bed, AT(10), false), 20);
    CHECK_EQ_INT(nearest(&bed, AT(20), false), 25);
    CHECK_EQ_INT(nearest(&bed, AT(25), false), 45); /* at 30 nothing changes */
    CHECK_EQ_INT(nearest(&bed, AT(50), false), -1);
    CHECK_EQ_INT(nearest(&bed, AT(1000), true), 50);
    CHECK_EQ_INT(nearest(&bed, AT(50), true), 45);
    CHECK_EQ_INT(nearest(&bed, AT(11), true), 10);
    CHECK_EQ_INT(nearest(&bed, AT(10), true), -1);
    graph_bed_close(&bed);
}

TEST_MAIN(history_tells_maximal_intervals, incarnations_of_an_external_id_are_told_oldest_first,
          differences_are_net_or_every_step, nearest_change_is_found_either_way)
