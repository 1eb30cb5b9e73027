/* Statements kept by their text, and the small tables that walks and plans stand on. */
#include <stdio.h>

#include "os/thread.h"
#include "query/id_map.h"
#include "query/limits.h"
#include "query/query_cache.h"
#include "query/slot_set.h"
#include "support/test.h"
#include "unit/query/query_bed.h"

TEST(a_text_is_prepared_once)
{
    struct query_cache *cache = NULL;
    struct query *first = NULL;
    struct query *again = NULL;
    CHECK_OK(query_cache_new(NULL, &cache));
    CHECK_OK(query_cache_get(cache, text("RETURN 1"), &first, NULL));
    CHECK_OK(query_cache_get(cache, text("RETURN 1"), &again, NULL));
    CHECK(first == again);
    CHECK_EQ_UINT(query_cache_stats(cache).hits, 1);
    CHECK_EQ_UINT(query_cache_stats(cache).misses, 1);
    query_free(first);
    query_free(again);
    query_cache_free(cache);
}

TEST(a_text_that_is_wrong_is_not_kept)
{
    struct query_cache *cache = NULL;
    struct query *query = NULL;
    struct query_error error;
    CHECK_OK(query_cache_new(NULL, &cache));
    CHECK_STATUS(query_cache_get(cache, text("RETURN"), &query, &error), YORE_INVALID);
    CHECK(query == NULL);
    CHECK_EQ_UINT(query_cache_stats(cache).count, 0);
    query_cache_free(cache);
}

TEST(the_cache_stays_within_its_bound_and_a_statement_outlives_it)
{
    struct query_cache *cache = NULL;
    struct query *kept = NULL;
    CHECK_OK(query_cache_new(NULL, &cache));
    CHECK_OK(query_cache_get(cache, text("RETURN 0"), &kept, NULL));
    for (int i = 1; i < 2000; i++) {
        char query_text[32];
        struct query *query = NULL;
        snprintf(query_text, sizeof(query_text), "RETURN %d", i);
        CHECK_OK(query_cache_get(cache, text(query_text), &query, NULL));
        query_free(query);
    }
    CHECK(query_cache_stats(cache).count <= QUERY_TEXTS_CACHED_MAX);
    query_cache_free(cache);
    CHECK(!query_writes(kept));
    query_free(kept);
}

/* ---- many threads --------------------------------------------------------------------------- */

struct runner {
    struct query_cache *cache;
    struct graph *graph;
    uint64_t rows;
    bool has_failed;
};

static void run_many(void *arg)
{
    struct runner *runner = arg;
    for (int i = 0; i < 200; i++) {
        struct query *query = NULL;
        struct query_result *result = NULL;
        const struct yore_graph_value *row;
        struct query_options options = {.at = {YORE_NOW, YORE_NOW}};
        enum yore_status st = query_cache_get(
            runner->cache, text("MATCH (n:N) WHERE n.i > 2 RETURN n.i"), &query, NULL);
        if (st == YORE_OK) {
            st = query_run(query, runner->graph, &options, &result, NULL);
        }
        while (st == YORE_OK && (st = query_next(result, &row, NULL)) == YORE_OK) {
            runner->rows++;
        }
        runner->has_failed = runner->has_failed || st != YORE_NOT_FOUND;
        query_result_close(result);
        query_free(query);
    }
}

TEST(one_statement_is_run_by_many_threads)
{
    struct runner runners[4] = {{.cache = NULL}};
    struct os_thread *threads[4];
    struct query_cache *cache = NULL;
    struct yore_db *db = NULL;
    struct graph *graph = NULL;
    struct query *query = NULL;
    struct query_result *result = NULL;
    struct query_options options = {.at = {YORE_NOW, YORE_NOW}};
    CHECK_OK(yore_open(test_path("db"), NULL, &db, NULL));
    CHECK_OK(graph_open(db, text("g"), true, NULL, &graph, NULL));
    CHECK_OK(query_cache_new(NULL, &cache));
    CHECK_OK(query_prepare(text("UNWIND range(1, 10) AS i CREATE (:N {i: i})"), &query, NULL));
    CHECK_OK(query_run(query, graph, &options, &result, NULL));
    query_result_close(result);
    query_free(query);
    for (int i = 0; i < 4; i++) {
        runners[i] = (struct runner){.cache = cache, .graph = graph};
        CHECK_OK(os_thread_start(run_many, &runners[i], "runner", &threads[i], NULL));
    }
    for (int i = 0; i < 4; i++) {
        os_thread_join(threads[i]);
        CHECK(!runners[i].has_failed);
        CHECK_EQ_UINT(runners[i].rows, 200 * 8);
    }
    query_cache_free(cache);
    graph_close(graph);
    CHECK_OK(yore_close(db, NULL));
}

/* ---- tables --------------------------------------------------------------------------------- */

TEST(an_id_map_keeps_the_first_number_of_each_id)
{
    struct arena arena = {0};
    struct id_map map = {.arena = &arena};
    struct test_rand rand = test_rand_new(3);
    uint32_t number;
    bool is_new;
    CHECK_EQ_UINT(id_map_get(&map, 5), UINT32_MAX);
    for (uint32_t i = 0; i < 5000; i++) {
        CHECK_OK(id_map_put(&map, (uint64_t)i * 64 + 1, i, &number, &is_new));
        CHECK(is_new && number == i);
    }
    for (int i = 0; i < 5000; i++) {
        uint64_t at = test_rand_below(&rand, 5000);
        CHECK_OK(id_map_put(&map, at * 64 + 1, 7777, &number, &is_new));
        CHECK(!is_new && number == at);
        CHECK_EQ_UINT(id_map_get(&map, at * 64 + 2), UINT32_MAX);
    }
    id_map_clear(&map);
    CHECK_EQ_UINT(id_map_get(&map, 1), UINT32_MAX);
    arena_release(&arena);
}

TEST(slot_sets_tell_what_they_hold)
{
    struct arena arena = {0};
    struct slot_set a = slot_set_new(&arena, 200);
    struct slot_set b = slot_set_new(&arena, 200);
    struct slot_set among = slot_set_new(&arena, 200);
    CHECK(slot_set_is_empty(&a));
    slot_set_add(&a, 3);
    slot_set_add(&a, 130);
    slot_set_add(&a, 100000); /* beyond it: never in it */
    CHECK(slot_set_has(&a, 3) && slot_set_has(&a, 130) && !slot_set_has(&a, 100000));
    uint32_t count;
    const uint32_t *slots = slot_set_list(&a, &arena, &count);
    CHECK(count == 2 && slots[0] == 3 && slots[1] == 130);
    slot_set_add(&among, 130);
    CHECK(!slot_set_covers(&b, &a, &among));
    slot_set_add(&b, 130);
    CHECK(slot_set_covers(&b, &a, &among));
    slot_set_add(&among, 3);
    CHECK(!slot_set_covers(&b, &a, &among));
    slot_set_remove(&a, 3);
    CHECK(slot_set_covers(&b, &a, &among));
    arena_release(&arena);
}

TEST_MAIN(a_text_is_prepared_once, a_text_that_is_wrong_is_not_kept,
          the_cache_stays_within_its_bound_and_a_statement_outlives_it,
          one_statement_is_run_by_many_threads, an_id_map_keeps_the_first_number_of_each_id,
          slot_sets_tell_what_they_hold)
