/* Open graphs by name, shared. */
#include "topology/graph_pool.h"

#include <stdio.h>
#include <string.h>

#include "topology/limits.h"
#include "unit/topology/graph_bed.h"

static struct graph *pooled(struct graph_pool *pool, const char *name, bool creates,
                            const struct yore_time *at)
{
    struct graph *graph = NULL;
    struct yore_error error;
    CHECK_OK(graph_pool_get(pool, text(name), creates, at, &graph, &error));
    CHECK(graph != NULL);
    return graph;
}

TEST(a_graph_is_opened_once)
{
    struct graph_bed bed;
    struct graph_pool *pool = NULL;
    struct graph *missing = NULL;
    struct yore_error error;
    graph_bed_open(&bed);
    CHECK_OK(graph_pool_new(bed.bed.db, &pool));
    CHECK_STATUS(graph_pool_get(pool, text("none"), false, NULL, &missing, &error), YORE_NOT_FOUND);
    CHECK_STATUS(graph_pool_get(pool, text("no name"), true, NULL, &missing, &error), YORE_INVALID);
    CHECK(missing == NULL);
    struct graph *a = pooled(pool, "a", true, NULL);
    CHECK(pooled(pool, "a", false, NULL) == a);
    struct graph *b = pooled(pool, "b", true, NULL);
    CHECK(b != a);
    graph_pool_put(pool, a);
    graph_pool_put(pool, a);
    graph_pool_put(pool, b);
    graph_pool_put(pool, NULL);
    CHECK(pooled(pool, "b", false, NULL) == b); /* it stayed open */
    graph_pool_put(pool, b);
    graph_pool_free(pool);
    graph_bed_close(&bed);
}

TEST(a_dropped_graph_stays_another_than_its_successor)
{
    struct graph_bed bed;
    struct graph_pool *pool = NULL;
    struct yore_error error;
    graph_bed_open(&bed);
    CHECK_OK(graph_pool_new(bed.bed.db, &pool));
    struct graph *first = pooled(pool, "a", true, NULL);
    struct yore_time then = {yore_now(bed.bed.db), YORE_NOW};
    CHECK_OK(yore_keyspace_drop(bed.bed.db, "g.a", &error));
    struct graph *second = pooled(pool, "a", true, NULL);
    CHECK(second != first);
    struct graph *past = pooled(pool, "a", false, &then);
    CHECK(past == first);
    struct graph_view *view = NULL;
    CHECK_STATUS(graph_view_open(first, NULL, NULL, &view, &error), YORE_NOT_FOUND);
    CHECK_MSG(strstr(error.text, "graph a was dropped") != NULL, "%s", error.text);
    CHECK_OK(graph_view_open(first, NULL, &then, &view, &error));
    graph_view_close(view);
    CHECK_OK(graph_view_open(second, NULL, NULL, &view, &error));
    graph_view_close(view);
    graph_pool_put(pool, past);
    graph_pool_put(pool, first);
    graph_pool_put(pool, second);
    graph_pool_free(pool);
    graph_bed_close(&bed);
}

TEST(idle_graphs_beyond_the_bound_are_closed_and_open_again)
{
    struct graph_bed bed;
    struct graph_pool *pool = NULL;
    graph_bed_open(&bed);
    CHECK_OK(graph_pool_new(bed.bed.db, &pool));
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < GRAPH_POOL_IDLE_MAX + 8; i++) {
            char name[16];
            snprintf(name, sizeof name, "g%u", i);
            struct graph *graph = pooled(pool, name, true, NULL);
            CHECK_EQ_STR(graph_name(graph), name);
            graph_pool_put(pool, graph);
        }
    }
    graph_pool_free(pool);
    graph_bed_close(&bed);
}

TEST_MAIN(a_graph_is_opened_once, a_dropped_graph_stays_another_than_its_successor,
          idle_graphs_beyond_the_bound_are_closed_and_open_again)
