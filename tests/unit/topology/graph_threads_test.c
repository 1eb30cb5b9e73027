/* graph_threads_test.c -- several writers of one graph at once: what conflicts and what does not.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "os/thread.h"
#include "support/test.h"
#include "topology/graph.h"

#define WRITERS 8
#define HOPS_EACH 200

struct writer {
    struct graph *graph;
    uint64_t hub;
    unsigned number;
    uint32_t label;
    uint32_t type;
    _Atomic uint64_t *conflicts;
};

static struct yore_bytes name_of(char words[32], const char *what, unsigned writer, unsigned i)
{
    int size = snprintf(words, 32, "%s:%u:%u", what, writer, i);
    return (struct yore_bytes){words, (size_t)size};
}

static struct yore_db *open_db(void)
{
    struct yore_options options;
    struct yore_db *db = NULL;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    CHECK_OK(yore_open(test_path("db"), &options, &db, NULL));
    return db;
}

static struct graph *open_graph(struct yore_db *db)
{
    struct graph *graph = NULL;
    CHECK_OK(graph_open(db, (struct yore_bytes){"g", 1}, true, NULL, &graph, NULL));
    return graph;
}

static void add_hops(void *arg)
{
    struct writer *writer = arg;
    for (unsigned i = 0; i < HOPS_EACH; i++) {
        struct graph_txn *txn = NULL;
        char words[32];
        struct graph_new_node node = {.external_id = name_of(words, "n", writer->number, i),
                                      .labels = &writer->label,
                                      .label_count = 1};
        uint64_t made;
        CHECK_OK(graph_begin(writer->graph, &txn, NULL));
        CHECK_OK(graph_node_create(txn, &node, NULL, &made, NULL));
        struct graph_new_relationship hop = {.external_id = name_of(words, "r", writer->number, i),
                                             .type = writer->type,
                                             .start_id = writer->hub,
                                             .end_id = made};
        CHECK_OK(graph_relationship_create(txn, &hop, NULL, &made, NULL));
        enum yore_status st = graph_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL);
        if (st == YORE_CONFLICT) {
            atomic_fetch_add(writer->conflicts, 1);
        } else {
            CHECK_OK(st);
        }
    }
}

static uint64_t make_hub(struct graph *graph, uint32_t *label, uint32_t *type)
{
    struct graph_txn *txn = NULL;
    struct graph_new_node node = {.external_id = {"hub", 3}};
    uint64_t hub = 0;
    CHECK_OK(graph_begin(graph, &txn, NULL));
    CHECK_OK(graph_txn_token(txn, GRAPH_LABEL, (struct yore_bytes){"N", 1}, label, NULL));
    CHECK_OK(graph_txn_token(txn, GRAPH_TYPE, (struct yore_bytes){"R", 1}, type, NULL));
    CHECK_OK(graph_node_create(txn, &node, NULL, &hub, NULL));
    CHECK_OK(graph_commit(txn, YORE_DURABILITY_DEFAULT, NULL, NULL));
    return hub;
}

static uint64_t count_hops(struct graph *graph, uint64_t hub)
{
    struct graph_view *view = NULL;
    struct graph_expand *expand = NULL;
    struct graph_expand_options options = {.node = hub, .direction = GRAPH_OUTGOING};
    struct graph_hop hop;
    uint64_t count = 0;
    CHECK_OK(graph_view_open(graph, NULL, NULL, &view, NULL));
    CHECK_OK(graph_expand_open(view, &options, &expand, NULL));
    while (graph_expand_next(expand, &hop, NULL) == YORE_OK) {
        count++;
    }
    graph_expand_close(expand);
    graph_view_close(view);
    return count;
}

TEST(eight_writers_at_one_hub_never_conflict)
{
    struct yore_db *db = open_db();
    struct graph *graph = open_graph(db);
    struct graph *other = open_graph(db); /* half of them through a handle of its own */
    _Atomic uint64_t conflicts = 0;
    struct writer writers[WRITERS];
    struct os_thread *threads[WRITERS];
    uint32_t label;
    uint32_t type;
    uint64_t hub = make_hub(graph, &label, &type);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){i % 2 == 0 ? graph : other, hub, i, label, type, &conflicts};
        CHECK_OK(os_thread_start(add_hops, &writers[i], "writer", &threads[i], NULL));
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        os_thread_join(threads[i]);
    }
    CHECK_EQ_UINT(atomic_load(&conflicts), 0);
    CHECK_EQ_UINT(count_hops(graph, hub), WRITERS * HOPS_EACH);
    graph_close(other);
    graph_close(graph);
    CHECK_OK(yore_close(db, NULL));
}

static struct graph_txn *txn_with_hop(struct graph *graph, uint64_t hub, uint32_t type)
{
    struct graph_txn *txn = NULL;
    struct graph_new_relationship hop = {.type = type, .start_id = hub, .end_id = hub};
    uint64_t made;
    CHECK_OK(graph_begin(graph, &txn, NULL));
    CHECK_OK(graph_relationship_create(txn, &hop, NULL, &made, NULL));
    return txn;
}

static struct graph_txn *txn_with_delete(struct graph *graph, uint64_t hub)
{
    struct graph_txn *txn = NULL;
    CHECK_OK(graph_begin(graph, &txn, NULL));
    CHECK_OK(graph_delete(txn, (struct graph_id){GRAPH_NODE, hub}, true, NULL, NULL));
    return txn;
}

TEST(delete_of_a_hub_conflicts_with_a_concurrent_relationship)
{
    struct yore_db *db = open_db();
    struct graph *graph = open_graph(db);
    uint32_t label;
    uint32_t type;
    uint64_t hub = make_hub(graph, &label, &type);
    for (int round = 0; round < 2; round++) {
        struct graph_txn *adds = txn_with_hop(graph, hub, type);
        struct graph_txn *ends = txn_with_delete(graph, hub);
        struct graph_txn *first = round == 0 ? adds : ends;
        struct graph_txn *second = round == 0 ? ends : adds;
        CHECK_OK(graph_commit(first, YORE_DURABILITY_DEFAULT, NULL, NULL));
        struct yore_error error;
        CHECK_STATUS(graph_commit(second, YORE_DURABILITY_DEFAULT, NULL, &error), YORE_CONFLICT);
        CHECK_MSG(strstr(error.text, "node") != NULL && strchr(error.text, '\\') == NULL, "%s",
                  error.text); /* in words, not by the octets of a key */
    }
    CHECK_EQ_UINT(count_hops(graph, hub), 0);
    graph_close(graph);
    CHECK_OK(yore_close(db, NULL));
}

TEST(change_of_a_property_does_not_conflict_with_a_new_relationship)
{
    struct yore_db *db = open_db();
    struct graph *graph = open_graph(db);
    uint32_t label;
    uint32_t type;
    uint64_t hub = make_hub(graph, &label, &type);
    struct graph_txn *adds = txn_with_hop(graph, hub, type);
    struct graph_txn *sets = NULL;
    struct graph_property one = {0, {.kind = YORE_GRAPH_INT, .as.integer = 1}};
    CHECK_OK(graph_begin(graph, &sets, NULL));
    CHECK_OK(graph_txn_token(sets, GRAPH_PROPERTY, (struct yore_bytes){"p", 1}, &one.token, NULL));
    CHECK_OK(
        graph_properties_set(sets, (struct graph_id){GRAPH_NODE, hub}, &one, 1, false, NULL, NULL));
    CHECK_OK(graph_commit(sets, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_OK(graph_commit(adds, YORE_DURABILITY_DEFAULT, NULL, NULL));
    CHECK_EQ_UINT(count_hops(graph, hub), 1);
    graph_close(graph);
    CHECK_OK(yore_close(db, NULL));
}

TEST_MAIN(eight_writers_at_one_hub_never_conflict,
          delete_of_a_hub_conflicts_with_a_concurrent_relationship,
          change_of_a_property_does_not_conflict_with_a_new_relationship)
