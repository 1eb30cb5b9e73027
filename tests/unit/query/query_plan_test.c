/* How a statement is carried out: where it begins, what it follows, what it holds back. */
#include <stdio.h>

#include "base/bytes.h"
#include "support/test.h"
#include "unit/query/query_bed.h"

/* 100 people, of whom 10 are also :Rare; each knows the next; one :Hub knows all. */
static void open_people(struct query_bed *bed)
{
    query_bed_open(bed);
    run(bed, "UNWIND range(1, 100) AS i CREATE (:Person {name: 'p' + i, age: i % 10, rank: i})");
    run(bed, "MATCH (p:Person) WHERE p.rank % 10 = 0 SET p:Rare");
    run(bed, "MATCH (a:Person), (b:Person) WHERE b.rank = a.rank + 1 CREATE (a)-[:KNOWS]->(b)");
    run(bed, "CREATE (:Hub) WITH 1 AS one MATCH (h:Hub), (p:Person) CREATE (h)-[:SEES]->(p)");
}

TEST(a_label_begins_a_plan_and_the_rarer_one_is_chosen)
{
    struct query_bed bed;
    open_people(&bed);
    CHECK_EQ_STR(steps(&bed, "MATCH (n:Person:Rare) RETURN n"),
                 "Projection < Filter < NodeByLabelScan < Argument");
    ASKED(&bed, "MATCH (n:Person:Rare) RETURN count(n)", "10");
    ASKED(&bed, "EXPLAIN MATCH (n:Person:Rare) RETURN n",
          "'Projection', 'n', 10; 'Filter', 'n:Person', 10; "
          "'NodeByLabelScan', 'n:Rare', 10; 'Argument', '', 1");
    query_bed_close(&bed);
}

TEST(an_index_is_used_for_equality_lists_ranges_and_prefixes)
{
    struct query_bed bed;
    open_people(&bed);
    run(&bed, "CREATE INDEX FOR (p:Person) ON (p.name)");
    run(&bed, "CREATE INDEX FOR (p:Person) ON (p.rank)");
    const char *begins = "Projection < Filter < NodeIndexSeek < Argument";
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person {name: 'p7'}) RETURN p"), begins);
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person) WHERE 'p7' = p.name RETURN p"), begins);
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person) WHERE p.name IN ['p7', 'p8'] RETURN p"), begins);
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person) WHERE p.name STARTS WITH 'p9' RETURN p"), begins);
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person) WHERE p.rank > 97 RETURN p"), begins);
    ASKED(&bed, "MATCH (p:Person {name: 'p7'}) RETURN p.rank", "7");
    ASKED(&bed,
          "MATCH (p:Person) WHERE p.name IN ['p8', 'p7', 'p8', null] RETURN p.rank ORDER BY 1",
          "8; 7");
    ASKED(&bed, "MATCH (p:Person) WHERE p.name STARTS WITH 'p9' RETURN count(p)", "11");
    ASKED(&bed, "MATCH (p:Person) WHERE p.rank > 97 RETURN p.rank ORDER BY p.rank", "98; 99; 100");
    ASKED(&bed, "MATCH (p:Person) WHERE p.rank >= 97 AND p.rank < 99 RETURN p.rank ORDER BY p.rank",
          "97; 98");
    ASKED(&bed, "MATCH (p:Person) WHERE p.name = null RETURN p", "");
    ASKED(&bed, "MATCH (p:Person) WHERE p.rank > 'x' RETURN p", "");
    query_bed_close(&bed);
}

TEST(an_index_serves_rows_that_bring_the_value)
{
    struct query_bed bed;
    open_people(&bed);
    run(&bed, "CREATE INDEX FOR (p:Person) ON (p.name)");
    CHECK_EQ_STR(steps(&bed, "UNWIND ['p1', 'p2'] AS n MATCH (p:Person {name: n}) RETURN p"),
                 "Projection < Filter < NodeIndexSeek < Unwind < Argument");
    ASKED(&bed, "UNWIND ['p1', 'nobody', 'p2'] AS n MATCH (p:Person {name: n}) RETURN p.rank",
          "1; 2");
    query_bed_close(&bed);
}

TEST(elements_are_found_by_their_ids)
{
    struct query_bed bed;
    open_people(&bed);
    const char *begins = "Projection < Filter < NodeByIdSeek < Argument";
    CHECK_EQ_STR(steps(&bed, "MATCH (p) WHERE id(p) = 3 RETURN p"), begins);
    CHECK_EQ_STR(steps(&bed, "MATCH (p) WHERE elementId(p) = 'x' RETURN p"), begins);
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person) WHERE id(p) IN [3, 4] RETURN p"), begins);
    ASKED(&bed,
          "MATCH (p:Person {rank: 5}) WITH id(p) AS i, elementId(p) AS e, "
          "externalId(p) AS x MATCH (q) WHERE id(q) = i MATCH (r) WHERE elementId(r) = e "
          "MATCH (s) WHERE externalId(s) = x RETURN q.rank, r.rank, s.rank",
          "5, 5, 5");
    ASKED(&bed,
          "MATCH (p:Person) WHERE p.rank < 3 WITH collect(id(p)) AS ids "
          "MATCH (q) WHERE id(q) IN ids + ids RETURN q.rank ORDER BY q.rank",
          "1; 2");
    ASKED(&bed, "MATCH (p) WHERE id(p) = 'x' OR id(p) = -1 RETURN p", "");
    ASKED(&bed, "MATCH (p) WHERE id(p) = 1000000 RETURN p", "");
    query_bed_close(&bed);
}

TEST(relationships_of_a_type_begin_where_nodes_say_nothing)
{
    struct query_bed bed;
    open_people(&bed);
    CHECK_EQ_STR(steps(&bed, "MATCH ()-[r:KNOWS]->() RETURN r"),
                 "Projection < RelationshipTypeScan < Argument");
    ASKED(&bed, "MATCH ()-[r:KNOWS]->() RETURN count(r)", "99");
    ASKED(&bed, "MATCH ()-[r:KNOWS]-() RETURN count(r)", "198");
    ASKED(&bed, "MATCH ()-[r:KNOWS|SEES|KNOWS|NONE]->() RETURN count(r)", "199");
    ASKED(&bed, "MATCH ()-[r]->() RETURN count(r)", "199");
    ASKED(&bed, "MATCH (a)-[r:KNOWS]->(a) RETURN count(r)", "0");
    run(&bed, "MATCH (h:Hub) CREATE (h)-[:SEES]->(h)");
    ASKED(&bed, "MATCH (a)-[r:SEES]->(a) RETURN labels(a), count(r)", "['Hub'], 1");
    ASKED(&bed, "MATCH (a)-[r:SEES]-(b:Hub) WHERE a = b RETURN count(r)", "1");
    query_bed_close(&bed);
}

TEST(a_pattern_begins_at_its_rarest_node_and_bound_ends_are_expanded_into)
{
    struct query_bed bed;
    open_people(&bed);
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person)<-[:SEES]-(h:Hub) RETURN p"),
                 "Projection < Filter < Expand < NodeByLabelScan < Argument");
    ASKED(&bed, "MATCH (p:Person)<-[:SEES]-(h:Hub) RETURN count(p)", "100");
    ASKED(&bed,
          "MATCH (h:Hub) MATCH (a:Person {rank: 4})-[:KNOWS]->(b), (h)-[:SEES]->(b) "
          "RETURN b.rank",
          "5");
    query_bed_close(&bed);
}

TEST(only_the_nodes_that_can_be_reached_are_walked_where_ways_do_not_count)
{
    struct query_bed bed;
    open_people(&bed);
    const char *reaches = "MATCH (a:Person {rank: 1})-[:KNOWS*1..5]->(x) RETURN count(DISTINCT x)";
    CHECK_EQ_STR(steps(&bed, reaches), "Aggregation < Reach < Filter < NodeByLabelScan < Argument");
    ASKED(&bed, reaches, "5");
    ASKED(&bed, "MATCH (a:Person {rank: 1})-[:KNOWS*0..5]->(x) RETURN count(DISTINCT x)", "6");
    ASKED(&bed,
          "MATCH (a:Person {rank: 1})-[:KNOWS*]->(x) RETURN DISTINCT x.rank "
          "ORDER BY x.rank DESC LIMIT 2",
          "100; 99");
    CHECK_EQ_STR(steps(&bed, "MATCH (a:Person {rank: 1})-[:KNOWS*1..5]->(x) RETURN count(x)"),
                 "Aggregation < VarLengthExpand < Filter < NodeByLabelScan < Argument");
    CHECK_EQ_STR(steps(&bed, "MATCH (a:Person {rank: 1})-[:KNOWS*1..5]-(x) "
                             "RETURN count(DISTINCT x)"),
                 "Aggregation < VarLengthExpand < Filter < NodeByLabelScan < Argument");
    CHECK_EQ_STR(steps(&bed, "MATCH (a:Person {rank: 1})-[r:KNOWS*1..5]->(x) "
                             "RETURN count(DISTINCT x)"),
                 "Aggregation < VarLengthExpand < Filter < NodeByLabelScan < Argument");
    query_bed_close(&bed);
}

/* Small random graphs: what is reached is what trails reach. */
TEST(reaching_and_walking_trails_find_the_same_nodes)
{
    struct test_rand rand = test_rand_new(1);
    for (uint64_t round = 0; round < test_scale(8, 40); round++) {
        struct query_bed bed;
        query_bed_open(&bed);
        run(&bed, "UNWIND range(0, 7) AS i CREATE (:N {i: i})");
        for (int i = 0; i < 12; i++) {
            struct yore_graph_value a = integer((int64_t)test_rand_below(&rand, 8));
            struct yore_graph_value b = integer((int64_t)test_rand_below(&rand, 8));
            bed.options.parameter_count = 0;
            give(&bed, "a", a);
            give(&bed, "b", b);
            run(&bed, "MATCH (a:N {i: $a}), (b:N {i: $b}) CREATE (a)-[:T]->(b)");
        }
        const char *lengths[] = {"*1..3", "*0..2", "*", "*..2"};
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            char reach[200];
            char trail[200];
            snprintf(reach, sizeof(reach), "MATCH (a:N)-[:T%s]->(x) RETURN DISTINCT a.i, x.i",
                     lengths[i]);
            snprintf(trail, sizeof(trail),
                     "MATCH (a:N)-[r:T%s]->(x) WITH a, x, count(r) AS n RETURN a.i, x.i",
                     lengths[i]);
            CHECK_EQ_STR(ask_sorted(&bed, reach), ask_sorted(&bed, trail));
        }
        query_bed_close(&bed);
    }
}

TEST(a_reading_step_behind_a_writing_one_waits_for_all_of_it)
{
    struct query_bed bed;
    open_people(&bed);
    CHECK_EQ_STR(steps(&bed, "MATCH (p:Person) CREATE (:Person)"),
                 "Create < Eager < NodeByLabelScan < Argument");
    run(&bed, "MATCH (p:Person) CREATE (:Person)");
    ASKED(&bed, "MATCH (p:Person) RETURN count(p)", "200");
    ASKED(&bed, "UNWIND [1, 2] AS i CREATE (:New) WITH i MATCH (n:New) RETURN i, count(n)",
          "1, 2; 2, 2");
    CHECK_EQ_STR(steps(&bed, "UNWIND range(1, 3) AS i CREATE (:New {i: i})"),
                 "Create < Unwind < Argument");
    query_bed_close(&bed);
}

TEST(a_plan_follows_indexes_that_come_and_go)
{
    struct query_bed bed;
    open_people(&bed);
    struct query *query = NULL;
    CHECK_OK(query_prepare(text("EXPLAIN MATCH (p:Person {name: 'p7'}) RETURN p"), &query, NULL));
    const char *seen[3];
    for (int i = 0; i < 3; i++) {
        if (i == 1) {
            run(&bed, "CREATE INDEX FOR (p:Person) ON (p.name)");
        } else if (i == 2) {
            run(&bed, "DROP INDEX ON :Person(name)");
        }
        struct query_result *result = NULL;
        const struct yore_graph_value *row = NULL;
        CHECK_OK(query_run(query, bed.graph.graph, &bed.options, &result, &bed.error));
        seen[i] = "scan";
        while (query_next(result, &row, NULL) == YORE_OK) {
            if (bytes_equal(row[0].as.string, text("NodeIndexSeek"))) {
                seen[i] = "index";
            }
        }
        query_result_close(result);
    }
    CHECK_EQ_STR(seen[0], "scan");
    CHECK_EQ_STR(seen[1], "index");
    CHECK_EQ_STR(seen[2], "scan");
    query_free(query);
    query_bed_close(&bed);
}

/* The answer without the last column, which tells milliseconds; each has to be a number. */
static const char *without_last(const char *answer)
{
    static char text[2048];
    size_t size = 0;
    for (const char *row = answer; *row != '\0';) {
        const char *end = strstr(row, "; ");
        end = end != NULL ? end : row + strlen(row);
        const char *comma = end;
        while (comma > row && *comma != ',') {
            comma--;
        }
        double ms = -1;
        CHECK_EQ_INT(sscanf(comma, ", %lf", &ms), 1);
        CHECK_MSG(ms >= 0 && ms < 60000, "%f ms", ms);
        CHECK(size + (size_t)(comma - row) + 3 < sizeof(text));
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%.*s%s", (int)(comma - row),
                                 row, *end == '\0' ? "" : "; ");
        row = *end == '\0' ? end : end + 2;
    }
    return text;
}

/* What the properties of a hop of several relationships hang on may be bound behind it. */
TEST(properties_of_a_long_hop_wait_for_what_they_hang_on)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE (:A {x: 1})-[:T {w: 5}]->(:C {y: 2})-[:T {w: 5}]->(:D {v: 5}), "
              "(:B {w: 5}), (:B {w: 6})");
    run(&bed, "MATCH (a:A), (d:D) CREATE (a)-[:T {w: 6}]->(d)");
#define TOLD(query, want) CHECK_EQ_STR(ask_sorted(&bed, query), want)
    TOLD("MATCH (a:A)-[:T*1..2 {w: b.w}]->(c), (b:B) RETURN labels(c), b.w",
         "['C'], 5; ['D'], 5; ['D'], 6");
    TOLD("MATCH (b:B), (a:A)-[:T*1..2 {w: b.w}]->(c) RETURN labels(c), b.w",
         "['C'], 5; ['D'], 5; ['D'], 6");
    TOLD("MATCH (a:A)-[:T*1..2 {w: b.w}]->(c), (b:B) RETURN DISTINCT c.v", "5; null");
    TOLD("MATCH (a:A)-[:T*1..2 {w: c.v}]->(c) RETURN labels(c)", "['D']");
    TOLD("MATCH (a:A)-[:T*1..2 {w: d.v}]->(c)-[:T]->(d) RETURN labels(c)", "['C']");
    TOLD("MATCH (a:A {x: c.y - 1})-[:T*1..1 {w: d.v}]->(c)-[:T]->(d) RETURN a.x", "1");
    TOLD("MATCH (a:A)-[r:T*1..2 {w: size(r) + 4}]->(c) RETURN labels(c)", "['C']");
    TOLD("MATCH (a:A)-[:T*0..1 {w: b.w}]->(c), (b:B {w: 7}) RETURN labels(c)", "");
    TOLD("MATCH (a:A)-[:T*0..1 {w: b.none}]->(c), (b:B) RETURN DISTINCT labels(c)", "['A']");
    /* A shortest path is one of those that pass. */
    TOLD("MATCH p = shortestPath((a:A)-[:T* {w: b.w}]->(d:D)), (b:B) RETURN b.w, length(p)",
         "5, 2; 6, 1");
    ASKED(&bed, "MATCH p = shortestPath((a:A)-[:T* {w: length(p)}]->(d:D)) RETURN p",
          "! UNSUPPORTED");
    /* Relationships that were bound before are tested, too. */
    TOLD("MATCH (a:A)-[r:T*1..2]->() WITH a, r MATCH (a)-[r*1..2 {w: 5}]->(c) RETURN labels(c)",
         "['C']; ['D']");
    TOLD("MATCH (a:A)-[r:T*1..2]->() WITH a, r MATCH (a)-[r*1..2 {w: 9}]->(c) RETURN labels(c)",
         "");
    query_bed_close(&bed);
}

TEST(profile_tells_rows_steps_and_time_of_each_step)
{
    struct query_bed bed;
    open_people(&bed);
    CHECK_EQ_STR(without_last(ask(&bed, "PROFILE MATCH (n:Person:Rare) RETURN n.rank")),
                 "'Projection', 'n.rank', 10, 10, 10; 'Filter', 'n:Person', 10, 10, 10; "
                 "'NodeByLabelScan', 'n:Rare', 10, 10, 12; 'Argument', '', 1, 1, 0");
    query_bed_close(&bed);
}

TEST(the_first_of_many_rows_in_order_are_kept_without_the_rest)
{
    struct query_bed bed;
    query_bed_open(&bed);
    bed.options.budget.memory_bytes = 4u << 20;
    ASKED(&bed,
          "UNWIND range(1, 50000) AS i WITH i, toString(i) + '----------------------------' AS s "
          "RETURN i, size(s) ORDER BY i % 1000 DESC, i SKIP 1 LIMIT 3",
          "1999, 32; 2999, 32; 3999, 32");
    CHECK_EQ_STR(ask(&bed, "UNWIND range(1, 50000) AS i WITH i, toString(i) + "
                           "'----------------------------' AS s RETURN i, s ORDER BY i SKIP 0"),
                 "! TOO_BIG");
    query_bed_close(&bed);
}

TEST(equal_rows_keep_the_order_they_came_in)
{
    struct query_bed bed;
    query_bed_open(&bed);
    ASKED(&bed, "UNWIND range(1, 9) AS i RETURN i ORDER BY i % 2", "2; 4; 6; 8; 1; 3; 5; 7; 9");
    ASKED(&bed, "UNWIND range(1, 5000) AS i WITH i ORDER BY i % 2 LIMIT 3 RETURN i", "2; 4; 6");
    query_bed_close(&bed);
}

TEST_MAIN(a_label_begins_a_plan_and_the_rarer_one_is_chosen,
          an_index_is_used_for_equality_lists_ranges_and_prefixes,
          an_index_serves_rows_that_bring_the_value, elements_are_found_by_their_ids,
          relationships_of_a_type_begin_where_nodes_say_nothing,
          a_pattern_begins_at_its_rarest_node_and_bound_ends_are_expanded_into,
          only_the_nodes_that_can_be_reached_are_walked_where_ways_do_not_count,
          reaching_and_walking_trails_find_the_same_nodes,
          a_reading_step_behind_a_writing_one_waits_for_all_of_it,
          a_plan_follows_indexes_that_come_and_go, profile_tells_rows_steps_and_time_of_each_step,
          properties_of_a_long_hop_wait_for_what_they_hang_on,
          the_first_of_many_rows_in_order_are_kept_without_the_rest,
          equal_rows_keep_the_order_they_came_in)
