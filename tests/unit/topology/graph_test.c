/* graph_test.c -- a graph's elements, made, changed, deleted and looked at, now and as of before.
 */
#include <string.h>

#include "unit/topology/graph_bed.h"

TEST(node_is_found_whole_after_its_commit)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint32_t labels[2] = {label(txn, "Pod"), label(txn, "Hot")};
    struct graph_property properties[2] = {{property(txn, "size"), integer(7)},
                                           {property(txn, "name"), string("cart")}};
    struct graph_new_node made = {text("pod:1"), labels, 2, properties, 2};
    uint64_t id = 0;
    CHECK_OK(graph_node_create(txn, &made, NULL, &id, NULL));
    CHECK_EQ_UINT(graph_txn_tally(txn).properties_set, 2);
    CHECK_EQ_UINT(graph_txn_tally(txn).labels_added, 2);
    int64_t at = commit(txn);

    struct graph_view *view = view_at(&bed, NULL, YORE_NOW);
    struct yore_graph_node node;
    CHECK_OK(graph_node_get(view, id, &bed.arena, &node, NULL));
    CHECK_EQ_BYTES(node.external_id.data, node.external_id.size, "pod:1", 5);
    CHECK_EQ_UINT(node.label_count, 2);
    CHECK_EQ_BYTES(node.labels[0].data, node.labels[0].size, "Hot", 3);
    CHECK_EQ_BYTES(node.labels[1].data, node.labels[1].size, "Pod", 3);
    CHECK_EQ_UINT(node.properties.count, 2);
    CHECK_EQ_BYTES(node.properties.entries[0].name.data, node.properties.entries[0].name.size,
                   "name", 4);
    CHECK_EQ_INT(node.properties.entries[1].value.as.integer, 7);
    CHECK_EQ_INT(node.span.valid_from, at);
    CHECK_EQ_INT(node.span.valid_to, YORE_FOREVER);
    CHECK_EQ_INT(node.span.commit, at);
    uint64_t found = 0;
    CHECK_OK(graph_node_find(view, text("pod:1"), &found, NULL));
    CHECK_EQ_UINT(found, id);
    CHECK_STATUS(graph_node_find(view, text("pod:2"), &found, NULL), YORE_NOT_FOUND);
    graph_view_close(view);
    graph_bed_close(&bed);
}

TEST(transaction_sees_its_own_graph_and_an_abort_leaves_nothing)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t a = node_made(txn, "a", "N", YORE_NOW, YORE_FOREVER);
    uint64_t b = node_made(txn, "b", "N", YORE_NOW, YORE_FOREVER);
    relationship_made(txn, "KNOWS", a, b, YORE_NOW);
    struct graph_view *view = view_at(&bed, txn, YORE_NOW);
    CHECK_EQ_STR(scanned(view, GRAPH_SCAN_LABEL, "N"), "1 2 ");
    CHECK_EQ_STR(hops(view, a, GRAPH_OUTGOING), "KNOWS>2 ");
    CHECK_EQ_STR(hops(view, b, GRAPH_BOTH), "KNOWS<1 ");
    CHECK_OK(property_set(txn, a, "x", integer(1), YORE_NOW));
    struct yore_graph_value value;
    uint32_t x = graph_token(bed.graph, GRAPH_PROPERTY, text("x"));
    CHECK_OK(graph_node_property(view, a, x, &bed.arena, &value, NULL));
    CHECK_EQ_INT(value.as.integer, 1);
    CHECK_OK(property_set(txn, a, "x", integer(2), YORE_NOW));
    CHECK_OK(graph_node_property(view, a, x, &bed.arena, &value, NULL));
    CHECK_EQ_INT(value.as.integer, 2);
    graph_view_close(view);
    graph_abort(txn);

    view = view_at(&bed, NULL, YORE_NOW);
    CHECK_EQ_STR(scanned(view, GRAPH_SCAN_NODES, NULL), "");
    CHECK_EQ_STR(hops(view, a, GRAPH_BOTH), "");
    graph_view_close(view);
    graph_bed_close(&bed);
}

/* A small graph, looked at in every way, at every age of its data. */
TEST(scans_and_expansions_answer_as_of_any_moment)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct graph_bed bed;
        graph_bed_open(&bed);
        struct graph_txn *txn = begin(&bed);
        uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
        uint64_t b = node_made(txn, "b", "N", AT(10), YORE_FOREVER);
        uint64_t c = node_made(txn, "c", "M", AT(10), YORE_FOREVER);
        relationship_made(txn, "X", a, b, AT(10));
        relationship_made(txn, "Y", a, b, AT(20));
        relationship_made(txn, "X", c, a, AT(20));
        relationship_made(txn, "X", a, a, AT(20));
        commit(txn);
        txn = begin(&bed);
        CHECK_OK(node_deleted(txn, c, true, AT(30)));
        commit(txn);
        graph_bed_age(&bed, age);
        test_note("age %d", age);

        struct graph_view *view = view_at(&bed, NULL, AT(10));
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_LABEL, "N"), "1 2 ");
        CHECK_EQ_STR(hops(view, a, GRAPH_BOTH), "X>2 ");
        graph_view_close(view);
        view = view_at(&bed, NULL, AT(20));
        CHECK_EQ_STR(hops(view, a, GRAPH_BOTH), "X>1 X>2 Y>2 X<3 ");
        CHECK_EQ_STR(hops(view, a, GRAPH_INCOMING), "X<1 X<3 ");
        CHECK_EQ_STR(hops(view, c, GRAPH_OUTGOING), "X>1 ");
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_NODES, NULL), "1 2 3 ");
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_TYPE, "X"), "1 2 3 ");
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_TYPE, "Y"), "65 ");
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_RELATIONSHIPS, NULL), "1 2 3 65 ");
        graph_view_close(view);
        view = view_at(&bed, NULL, YORE_NOW);
        CHECK_EQ_STR(hops(view, a, GRAPH_BOTH), "X>1 X>2 Y>2 ");
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_NODES, NULL), "1 2 ");
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_LABEL, "M"), "");
        graph_view_close(view);
        graph_bed_close(&bed);
    }
}

TEST(expansion_by_types_and_other_end_leaps_to_what_is_wanted)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t hub = node_made(txn, "hub", "N", YORE_NOW, YORE_FOREVER);
    uint64_t others[20];
    for (int i = 0; i < 20; i++) {
        char name[8] = {'o', (char)('a' + i), 0};
        others[i] = node_made(txn, name, "N", YORE_NOW, YORE_FOREVER);
        relationship_made(txn, i % 2 == 0 ? "A" : "B", hub, others[i], YORE_NOW);
        relationship_made(txn, "C", others[i], hub, YORE_NOW);
    }
    uint64_t to_last = relationship_made(txn, "B", hub, others[19], YORE_NOW);
    uint32_t types[2] = {type(txn, "C"), type(txn, "B")};
    commit(txn);

    struct graph_view *view = view_at(&bed, NULL, YORE_NOW);
    struct graph_expand_options options = {
        .node = hub, .direction = GRAPH_BOTH, .types = types, .type_count = 2, .other = others[19]};
    struct graph_expand *expand = NULL;
    struct graph_hop hop;
    CHECK_OK(graph_expand_open(view, &options, &expand, NULL));
    unsigned outgoing = 0;
    unsigned incoming = 0;
    while (graph_expand_next(expand, &hop, NULL) == YORE_OK) {
        CHECK_EQ_UINT(hop.other, others[19]);
        outgoing += hop.is_outgoing;
        incoming += !hop.is_outgoing;
    }
    CHECK_EQ_UINT(outgoing, 2);
    CHECK_EQ_UINT(incoming, 1);
    CHECK_OK(graph_expand_restart(expand, hub, 0, NULL));
    unsigned count = 0;
    while (graph_expand_next(expand, &hop, NULL) == YORE_OK) {
        count++;
    }
    CHECK_EQ_UINT(count, 31);
    graph_expand_close(expand);
    options.type_count = 0;
    options.other = others[19];
    CHECK_OK(graph_expand_open(view, &options, &expand, NULL));
    count = 0;
    while (graph_expand_next(expand, &hop, NULL) == YORE_OK) {
        count++;
    }
    CHECK_EQ_UINT(count, 3);
    graph_expand_close(expand);
    struct graph_ends ends;
    CHECK_OK(graph_relationship_ends(view, to_last, &ends, NULL));
    CHECK_EQ_UINT(ends.start_id, hub);
    CHECK_EQ_UINT(ends.end_id, others[19]);
    graph_view_close(view);
    graph_bed_close(&bed);
}

TEST(node_with_relationships_is_deleted_only_when_detached)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t a = node_made(txn, "a", "N", YORE_NOW, YORE_FOREVER);
    uint64_t b = node_made(txn, "b", "N", YORE_NOW, YORE_FOREVER);
    relationship_made(txn, "X", a, b, YORE_NOW);
    relationship_made(txn, "X", b, b, YORE_NOW);
    commit(txn);
    txn = begin(&bed);
    CHECK_STATUS(node_deleted(txn, b, false, YORE_NOW), YORE_INVALID);
    CHECK_OK(node_deleted(txn, b, true, YORE_NOW));
    CHECK_EQ_UINT(graph_txn_tally(txn).relationships_deleted, 2);
    CHECK_OK(node_deleted(txn, a, false, YORE_NOW));
    commit(txn);
    struct graph_view *view = view_at(&bed, NULL, YORE_NOW);
    CHECK_EQ_STR(scanned(view, GRAPH_SCAN_NODES, NULL), "");
    CHECK_EQ_STR(scanned(view, GRAPH_SCAN_RELATIONSHIPS, NULL), "");
    graph_view_close(view);
    graph_bed_close(&bed);
}

TEST(removed_and_made_again_is_another_incarnation)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t first = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
    uint64_t second = 0;
    CHECK_STATUS(node_try(txn, "a", AT(20), YORE_FOREVER, &second), YORE_EXISTS);
    CHECK_OK(node_deleted(txn, first, false, AT(20)));
    second = node_made(txn, "a", "N", AT(20), YORE_FOREVER);
    CHECK(second != first);
    commit(txn);
    txn = begin(&bed);
    uint64_t third = 0;
    CHECK_STATUS(node_try(txn, "a", AT(5), YORE_FOREVER, &third), YORE_EXISTS);
    CHECK_OK(node_try(txn, "a", AT(5), AT(10), &third));
    commit(txn);
    struct graph_view *view = view_at(&bed, NULL, AT(7));
    CHECK_EQ_STR(scanned(view, GRAPH_SCAN_NODES, NULL), "3 ");
    graph_view_close(view);
    view = view_at(&bed, NULL, AT(15));
    CHECK_EQ_STR(scanned(view, GRAPH_SCAN_NODES, NULL), "1 ");
    graph_view_close(view);
    view = view_at(&bed, NULL, AT(20));
    CHECK_EQ_STR(scanned(view, GRAPH_SCAN_NODES, NULL), "2 ");
    graph_view_close(view);
    graph_bed_close(&bed);
}

TEST(late_set_holds_until_the_next_change_of_that_property)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
    CHECK_OK(property_set(txn, a, "x", integer(1), AT(10)));
    CHECK_OK(property_set(txn, a, "y", integer(1), AT(20)));
    CHECK_OK(property_set(txn, a, "x", integer(3), AT(30)));
    CHECK_OK(property_set(txn, a, "y", integer(4), AT(40)));
    commit(txn);
    txn = begin(&bed);
    CHECK_OK(property_set(txn, a, "x", integer(9), AT(15)));
    CHECK_OK(property_set(txn, a, "z", integer(8), AT(35)));
    commit(txn);
    static const struct {
        int at;
        int64_t x, y, z;
    } want[] = {{10, 1, -1, -1}, {15, 9, -1, -1}, {20, 9, 1, -1}, {29, 9, 1, -1},
                {30, 3, 1, -1},  {35, 3, 1, 8},   {40, 3, 4, 8},  {50, 3, 4, 8}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        test_note("at %d", want[i].at);
        CHECK_EQ_INT(property_of(&bed, AT(want[i].at), a, "x"), want[i].x);
        CHECK_EQ_INT(property_of(&bed, AT(want[i].at), a, "y"), want[i].y);
        CHECK_EQ_INT(property_of(&bed, AT(want[i].at), a, "z"), want[i].z);
    }
    graph_bed_close(&bed);
}

TEST(relationship_lies_within_both_its_ends)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph_txn *txn = begin(&bed);
    uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
    uint64_t b = node_made(txn, "b", "N", AT(20), AT(40));
    uint64_t r = 0;
    struct graph_write write = {.from = AT(15), .to = AT(30)};
    CHECK_STATUS(relationship_try(txn, a, b, &write, &r), YORE_NOT_FOUND);
    write = (struct graph_write){.from = AT(25), .to = YORE_FOREVER};
    CHECK_STATUS(relationship_try(txn, a, b, &write, &r), YORE_INVALID);
    write.clips = true;
    CHECK_OK(relationship_try(txn, a, b, &write, &r));
    write = (struct graph_write){.from = AT(40), .to = YORE_FOREVER};
    CHECK_STATUS(relationship_try(txn, a, b, &write, &r), YORE_NOT_FOUND);
    commit(txn);
    struct graph_view *view = view_at(&bed, NULL, AT(39));
    CHECK_EQ_STR(hops(view, a, GRAPH_OUTGOING), "R>2 ");
    graph_view_close(view);
    view = view_at(&bed, NULL, AT(40));
    CHECK_EQ_STR(hops(view, a, GRAPH_OUTGOING), "");
    CHECK_EQ_STR(hops(view, b, GRAPH_INCOMING), "");
    graph_view_close(view);
    graph_bed_close(&bed);
}

TEST(late_delete_takes_what_comes_after_it_along)
{
    for (int age = 0; age < BED_AGES; age++) {
        struct graph_bed bed;
        graph_bed_open(&bed);
        test_note("age %d", age);
        struct graph_txn *txn = begin(&bed);
        uint64_t a = node_made(txn, "a", "N", AT(10), YORE_FOREVER);
        uint64_t b = node_made(txn, "b", "N", AT(10), YORE_FOREVER);
        CHECK_OK(property_set(txn, b, "x", integer(5), AT(50)));
        relationship_made(txn, "X", a, b, AT(20));
        relationship_made(txn, "X", b, a, AT(60));
        commit(txn);
        graph_bed_age(&bed, age);
        txn = begin(&bed);
        CHECK_STATUS(node_deleted(txn, b, false, AT(40)), YORE_INVALID);
        CHECK_OK(node_deleted(txn, b, true, AT(40)));
        CHECK_EQ_UINT(graph_txn_tally(txn).relationships_deleted, 2);
        commit(txn);
        CHECK(is_node_there(&bed, AT(39), b));
        CHECK(!is_node_there(&bed, AT(40), b));
        CHECK(!is_node_there(&bed, AT(50), b));
        CHECK(!is_node_there(&bed, YORE_NOW, b));
        struct graph_view *view = view_at(&bed, NULL, AT(70));
        CHECK_EQ_STR(hops(view, a, GRAPH_BOTH), "");
        CHECK_EQ_STR(scanned(view, GRAPH_SCAN_RELATIONSHIPS, NULL), "");
        graph_view_close(view);
        graph_bed_close(&bed);
    }
}

TEST(names_survive_and_are_shared_by_handles)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph *other = NULL;
    CHECK_OK(graph_open(bed.bed.db, text("g"), false, NULL, &other, NULL));
    struct graph_txn *txn = begin(&bed);
    uint32_t pod = label(txn, "Pod");
    graph_abort(txn);
    CHECK_EQ_UINT(graph_token(other, GRAPH_LABEL, text("Pod")), pod);
    CHECK_EQ_UINT(graph_token(other, GRAPH_TYPE, text("Pod")), GRAPH_NO_TOKEN);
    graph_close(other);
    graph_bed_reopen(&bed);
    struct yore_bytes name = graph_token_name(bed.graph, GRAPH_LABEL, pod);
    CHECK_EQ_BYTES(name.data, name.size, "Pod", 3);
    graph_bed_close(&bed);
}

TEST(names_and_graphs_that_cannot_be_are_refused)
{
    struct graph_bed bed;
    graph_bed_open(&bed);
    struct graph *graph = NULL;
    CHECK_STATUS(graph_open(bed.bed.db, text("no/slash"), true, NULL, &graph, NULL), YORE_INVALID);
    CHECK_STATUS(graph_open(bed.bed.db, text(""), true, NULL, &graph, NULL), YORE_INVALID);
    CHECK_STATUS(graph_open(bed.bed.db, text("none"), false, NULL, &graph, NULL), YORE_NOT_FOUND);
    graph_bed_close(&bed);
}

TEST_MAIN(node_is_found_whole_after_its_commit,
          transaction_sees_its_own_graph_and_an_abort_leaves_nothing,
          scans_and_expansions_answer_as_of_any_moment,
          expansion_by_types_and_other_end_leaps_to_what_is_wanted,
          node_with_relationships_is_deleted_only_when_detached,
          removed_and_made_again_is_another_incarnation,
          late_set_holds_until_the_next_change_of_that_property,
          relationship_lies_within_both_its_ends, late_delete_takes_what_comes_after_it_along,
          names_survive_and_are_shared_by_handles, names_and_graphs_that_cannot_be_are_refused)
