/* settler_test.c -- what the settler says of graphs that cannot be settled. */
#include <stdio.h>
#include <string.h>

#include "os/env.h"
#include "server/settler.h"
#include "support/test.h"
#include "topology/graph.h"
#include "topology/ingest.h"

#define MILLISECOND 1000000ll

struct bed {
    struct yore_db *db;
    struct graph_pool *graphs;
    struct log *log;
    struct settler *settler;
};

static struct yore_bytes text(const char *words)
{
    return (struct yore_bytes){words, strlen(words)};
}

static struct graph *graph_named(struct bed *bed, const char *name)
{
    struct graph *graph = NULL;
    CHECK_OK(graph_pool_get(bed->graphs, text(name), true, NULL, &graph, NULL));
    return graph;
}

/* A source says that a node is there, until `to`.  Refused when that is past already. */
static enum yore_status say(struct bed *bed, const char *name, int64_t to)
{
    struct graph *graph = graph_named(bed, name);
    struct yore_graph_word word = {
        .element = YORE_GRAPH_ELEMENT_NODE, .external_id = text("n"), .from = YORE_NOW, .to = to};
    struct graph_speech speech = {text("s"), &word, 1, YORE_DURABILITY_NONE};
    enum yore_status st = graph_ingest(graph, &speech, NULL, NULL);
    graph_pool_put(bed->graphs, graph);
    return st;
}

/* Among the claims that end by themselves a key that is none: settling says that it is damaged. */
static void damage(struct bed *bed, const char *name, bool mends)
{
    struct graph *graph = graph_named(bed, name);
    const struct yore_bytes key = {"\x24", 1};
    CHECK_OK(mends ? yore_delete(bed->db, graph_keyspace(graph), key, NULL, NULL)
                   : yore_put(bed->db, graph_keyspace(graph), key, text(""), NULL, NULL));
    graph_pool_put(bed->graphs, graph);
}

static bool has_claims_to_end(struct bed *bed, const char *name)
{
    struct graph *graph = graph_named(bed, name);
    struct yore_cursor *cursor = NULL;
    struct yore_cursor_options options = {.range = {.prefix = {"\x24", 1}}, .keys_only = true};
    CHECK_OK(yore_cursor_open(bed->db, graph_keyspace(graph), &options, &cursor, NULL));
    enum yore_status st = yore_cursor_next(cursor);
    yore_cursor_close(cursor);
    graph_pool_put(bed->graphs, graph);
    return st == YORE_OK;
}

/* Until every graph has been looked at once more: the last one has a claim that ends soon, not so
 * soon that it is past before it is said.  The test's own limit of time ends the wait. */
static void wait_for_a_round(struct bed *bed)
{
    int64_t soon = 2 * MILLISECOND;
    enum yore_status st = YORE_INVALID;
    while (st == YORE_INVALID) {
        st = say(bed, "z", yore_now(bed->db) + soon);
        soon *= 2;
    }
    CHECK_OK(st);
    while (has_claims_to_end(bed, "z")) {
        os_sleep_ns(os_env_posix(), MILLISECOND);
    }
}

static unsigned lines_with(const char *words)
{
    char line[4096];
    unsigned count = 0;
    FILE *file = fopen(test_path("log"), "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        count += strstr(line, words) != NULL;
    }
    fclose(file);
    return count;
}

static void open_bed(struct bed *bed)
{
    struct yore_error error = {.text = ""};
    struct yore_options options;
    yore_options_init(&options);
    CHECK_OK(yore_open(test_path("db"), &options, &bed->db, &error));
    CHECK_OK(graph_pool_new(bed->db, &bed->graphs));
    CHECK_OK(log_open(os_env_posix(), test_path("log"), &bed->log, NULL));
    CHECK_OK(say(bed, "a", YORE_FOREVER));
    CHECK_OK(say(bed, "b", YORE_FOREVER));
    CHECK_OK(say(bed, "z", YORE_FOREVER));
}

static void close_bed(struct bed *bed)
{
    settler_stop(bed->settler);
    graph_pool_free(bed->graphs);
    log_close(bed->log);
    CHECK_OK(yore_close(bed->db, NULL));
}

TEST(every_graph_that_cannot_be_settled_is_told_when_it_begins_and_keeps_none_back)
{
    struct bed bed = {0};
    open_bed(&bed);
    damage(&bed, "a", false);
    damage(&bed, "b", false);
    CHECK_OK(settler_start(bed.db, bed.graphs, bed.log, MILLISECOND, &bed.settler, NULL));
    for (int i = 0; i < 3; i++) {
        wait_for_a_round(&bed);
    }
    CHECK_EQ_UINT(lines_with("graph a cannot be settled"), 1);
    CHECK_EQ_UINT(lines_with("graph b cannot be settled"), 1);
    CHECK_EQ_UINT(lines_with("cannot be"), 2);
    damage(&bed, "a", true);
    for (int i = 0; i < 2; i++) {
        wait_for_a_round(&bed);
    }
    damage(&bed, "a", false);
    for (int i = 0; i < 2; i++) {
        wait_for_a_round(&bed);
    }
    CHECK_EQ_UINT(lines_with("graph a cannot be settled"), 2);
    CHECK_EQ_UINT(lines_with("graph b cannot be settled"), 1);
    close_bed(&bed);
}

TEST_MAIN(every_graph_that_cannot_be_settled_is_told_when_it_begins_and_keeps_none_back)
