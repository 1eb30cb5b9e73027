/* sync_threads_test.c -- snapshots carried out in parts by whoever comes first: the stop, or those
 * that settle beside it; an element that is erased while its source speaks of it; and a large call
 * beside a stream of small ones. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "os/thread.h"
#include "support/test.h"
#include "topology/erase.h"
#include "topology/graph_internal.h"
#include "topology/ingest.h"

#define NODES 60
#define NODES_A_PART 10
#define SETTLERS 2

static struct yore_bytes text(const char *words)
{
    return bytes_of(words, strlen(words));
}

struct settlers {
    struct graph *graph;
    _Atomic bool is_over;
};

static void settle_on(void *arg)
{
    struct settlers *settlers = arg;
    while (!atomic_load(&settlers->is_over)) {
        struct yore_error error = {.text = ""};
        enum yore_status st = graph_settle(settlers->graph, NULL, &error);
        CHECK_MSG(st == YORE_OK || st == YORE_CONFLICT, "settle: %s", error.text);
    }
}

/* Every node differs from the snapshot before. */
static void send_all(struct graph *graph, uint64_t snapshot, int64_t round)
{
    static char names[NODES][16];
    struct yore_graph_word words[NODES];
    struct yore_graph_entry entry = {.name = text("round"),
                                     .value = {.kind = YORE_GRAPH_INT, .as.integer = round}};
    for (int i = 0; i < NODES; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        words[i] = (struct yore_graph_word){.element = YORE_GRAPH_ELEMENT_NODE,
                                            .external_id = text(names[i]),
                                            .properties = {&entry, 1},
                                            .from = YORE_NOW,
                                            .to = YORE_FOREVER};
    }
    struct graph_speech speech = {text("s"), words, NODES, YORE_DURABILITY_NONE};
    CHECK_OK(graph_sync_send(graph, &speech, snapshot, NULL));
}

static int count_nodes(void *arg, const struct yore_graph_source *source)
{
    *(uint64_t *)arg = source->nodes;
    return 0;
}

/* `apart`: those that settle have a handle of their own. */
static void stop_beside_settlers(bool apart)
{
    struct yore_options options;
    struct yore_db *db = NULL;
    struct graph *graph = NULL;
    struct settlers settlers = {0};
    struct os_thread *threads[SETTLERS];
    struct yore_error error = {.text = ""};
    int64_t rounds = (int64_t)test_scale(40, 2000);
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    CHECK_OK(yore_open(test_path("db"), &options, &db, NULL));
    CHECK_OK(graph_open(db, text("g"), true, NULL, &graph, NULL));
    graph->words_max = NODES_A_PART;
    settlers.graph = graph;
    if (apart) {
        CHECK_OK(graph_open(db, text("g"), false, NULL, &settlers.graph, NULL));
        settlers.graph->words_max = NODES_A_PART;
    }
    for (size_t i = 0; i < SETTLERS; i++) {
        CHECK_OK(os_thread_start(settle_on, &settlers, "settler", &threads[i], NULL));
    }
    for (int64_t round = 0; round < rounds; round++) {
        uint64_t snapshot = 0;
        uint64_t nodes = 0;
        enum yore_status st = graph_sync_start(graph, text("s"), YORE_NOW, &snapshot, &error);
        CHECK_MSG(st == YORE_OK, "start: %s", error.text);
        send_all(graph, snapshot, round);
        st = graph_sync_stop(graph, text("s"), snapshot, YORE_DURABILITY_NONE, NULL, &error);
        CHECK_MSG(st == YORE_OK, "stop: %s", error.text);
        CHECK_OK(graph_sources(graph, count_nodes, &nodes, NULL));
        CHECK_EQ_UINT(nodes, NODES);
    }
    atomic_store(&settlers.is_over, true);
    for (size_t i = 0; i < SETTLERS; i++) {
        os_thread_join(threads[i]);
    }
    CHECK_OK(graph_verify(graph, NULL, NULL, NULL, &error));
    graph_close(apart ? settlers.graph : NULL);
    graph_close(graph);
    CHECK_OK(yore_close(db, NULL));
    test_count((uint64_t)rounds);
}

TEST(a_snapshot_is_whole_once_it_is_stopped_whoever_carries_it_out)
{
    stop_beside_settlers(false);
}

TEST(a_snapshot_is_whole_although_those_that_settle_have_another_handle)
{
    stop_beside_settlers(true);
}

/* ---- erase ---- */

static void erase_on(void *arg)
{
    struct settlers *settlers = arg;
    while (!atomic_load(&settlers->is_over)) {
        struct yore_error error = {.text = ""};
        const struct graph_erasure erasure = {.element = GRAPH_NODE, .external_id = text("x")};
        enum yore_status st = graph_erase(settlers->graph, &erasure, NULL, &error);
        CHECK_MSG(st == YORE_OK || st == YORE_NOT_FOUND, "erase: %s", error.text);
    }
}

/* "x", and what hangs between it and "y". */
static void say_again(struct graph *graph, int64_t round)
{
    struct yore_graph_entry entry = {.name = text("round"),
                                     .value = {.kind = YORE_GRAPH_INT, .as.integer = round}};
    struct yore_graph_word words[3] = {{.external_id = text("x")},
                                       {.external_id = text("y")},
                                       {.element = YORE_GRAPH_ELEMENT_RELATIONSHIP,
                                        .external_id = text("x>y"),
                                        .type = text("T"),
                                        .start = text("x"),
                                        .end = text("y")}};
    for (int i = 0; i < 3; i++) {
        words[i].element = i < 2 ? YORE_GRAPH_ELEMENT_NODE : YORE_GRAPH_ELEMENT_RELATIONSHIP;
        words[i].properties = (struct yore_graph_map){&entry, 1};
        words[i].from = YORE_NOW;
        words[i].to = YORE_FOREVER;
    }
    struct graph_speech speech = {text("s"), words, 3, YORE_DURABILITY_NONE};
    struct yore_error error = {.text = ""};
    enum yore_status st = graph_ingest(graph, &speech, NULL, &error);
    CHECK_MSG(st == YORE_OK, "ingest: %s", error.text);
}

static bool is_there(struct graph *graph, enum graph_element element, const char *name)
{
    struct graph_view *view = NULL;
    uint64_t id;
    CHECK_OK(graph_view_open(graph, NULL, NULL, &view, NULL));
    enum yore_status st = element == GRAPH_NODE
                              ? graph_node_find(view, text(name), &id, NULL)
                              : graph_relationship_find(view, text(name), &id, NULL);
    CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
    graph_view_close(view);
    return st == YORE_OK;
}

static int copy_counts(void *arg, const struct yore_graph_source *source)
{
    *(struct yore_graph_source *)arg = *source;
    return 0;
}

TEST(what_a_source_says_beside_an_erase_is_there_whole_or_not_at_all)
{
    struct yore_options options;
    struct yore_db *db = NULL;
    struct settlers erasers = {0};
    struct os_thread *thread = NULL;
    struct yore_error error = {.text = ""};
    int64_t rounds = (int64_t)test_scale(200, 5000);
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    CHECK_OK(yore_open(test_path("db"), &options, &db, NULL));
    CHECK_OK(graph_open(db, text("g"), true, NULL, &erasers.graph, NULL));
    for (int64_t round = 0; round < rounds; round++) {
        struct yore_graph_source told = {0};
        atomic_store(&erasers.is_over, false);
        CHECK_OK(os_thread_start(erase_on, &erasers, "eraser", &thread, NULL));
        for (int i = 0; i < 5; i++) {
            say_again(erasers.graph, round);
        }
        atomic_store(&erasers.is_over, true);
        os_thread_join(thread);
        enum yore_status st = graph_verify(erasers.graph, NULL, NULL, NULL, &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
        bool has_x = is_there(erasers.graph, GRAPH_NODE, "x");
        CHECK_OK(graph_sources(erasers.graph, copy_counts, &told, NULL));
        CHECK_EQ_UINT(told.nodes, has_x ? 2 : 1); /* and "y" */
        CHECK_EQ_UINT(told.relationships, has_x ? 1 : 0);
        CHECK_EQ_UINT(is_there(erasers.graph, GRAPH_RELATIONSHIP, "x>y"), has_x);
    }
    graph_close(erasers.graph);
    CHECK_OK(yore_close(db, NULL));
    test_count((uint64_t)rounds);
}

/* ---- large and small ---- */

#define LARGE 300

struct talk {
    struct graph *graph;
    const char *source;
    size_t count; /* words of a call: n0, n1, ... */
    _Atomic bool is_over;
    _Atomic uint64_t calls;
};

static void say_all(struct talk *talk)
{
    static char names[LARGE][16];
    struct yore_graph_word words[LARGE];
    struct yore_graph_entry entry = {.name = text(talk->source),
                                     .value = {.kind = YORE_GRAPH_INT, .as.integer = 0}};
    struct yore_error error = {.text = ""};
    entry.value.as.integer = (int64_t)atomic_load(&talk->calls);
    for (size_t i = 0; i < talk->count; i++) {
        words[i] = (struct yore_graph_word){.element = YORE_GRAPH_ELEMENT_NODE,
                                            .external_id = bytes_of(names[i], strlen(names[i])),
                                            .properties = {&entry, 1},
                                            .from = YORE_NOW,
                                            .to = YORE_FOREVER};
        if (words[i].external_id.size == 0) { /* the first call, alone */
            int size = snprintf(names[i], sizeof names[i], "n%zu", i);
            words[i].external_id.size = (size_t)size;
        }
    }
    struct graph_speech speech = {text(talk->source), words, talk->count, YORE_DURABILITY_NONE};
    enum yore_status st = graph_ingest(talk->graph, &speech, NULL, &error);
    CHECK_MSG(st == YORE_OK, "%zu words: %s", talk->count, error.text);
    atomic_fetch_add(&talk->calls, 1);
}

static void talk_on(void *arg)
{
    struct talk *talk = arg;
    while (!atomic_load(&talk->is_over)) {
        say_all(talk);
    }
}

TEST(a_large_call_goes_through_beside_those_that_always_get_there_first)
{
    struct yore_options options;
    struct yore_db *db = NULL;
    struct talk large = {.source = "large", .count = LARGE};
    struct talk small[2] = {{.source = "small", .count = 1}, {.source = "other", .count = LARGE}};
    struct os_thread *threads[2];
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    CHECK_OK(yore_open(test_path("db"), &options, &db, NULL));
    CHECK_OK(graph_open(db, text("g"), true, NULL, &large.graph, NULL));
    say_all(&large);
    for (int i = 0; i < 2; i++) {
        small[i].graph = large.graph;
        CHECK_OK(os_thread_start(talk_on, &small[i], "talker", &threads[i], NULL));
    }
    uint64_t rounds = test_scale(20, 500);
    while (large.calls <= rounds || small[0].calls == 0 || small[1].calls == 0) {
        say_all(&large);
    }
    for (int i = 0; i < 2; i++) {
        atomic_store(&small[i].is_over, true);
        os_thread_join(threads[i]);
    }
    CHECK_OK(graph_verify(large.graph, NULL, NULL, NULL, NULL));
    graph_close(large.graph);
    CHECK_OK(yore_close(db, NULL));
    test_count(large.calls);
}

TEST_MAIN(a_snapshot_is_whole_once_it_is_stopped_whoever_carries_it_out,
          a_snapshot_is_whole_although_those_that_settle_have_another_handle,
          what_a_source_says_beside_an_erase_is_there_whole_or_not_at_all,
          a_large_call_goes_through_beside_those_that_always_get_there_first)
