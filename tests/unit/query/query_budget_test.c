/* Statements that would take for ever, or all memory, end at their budgets. */
#include <stdio.h>

#include "support/test.h"
#include "unit/query/query_bed.h"

static void open_clique(struct query_bed *bed)
{
    query_bed_open(bed);
    run(bed, "UNWIND range(1, 30) AS i CREATE (:N {i: i})");
    run(bed, "MATCH (a:N), (b:N) WHERE a <> b CREATE (a)-[:T]->(b)");
}

static const char *const HOSTILE[] = {
    "MATCH (a), (b), (c), (d), (e), (f) RETURN count(*)",
    "MATCH (a)-[*]->(b) RETURN count(*)",
    "MATCH p = (a)-[*..12]-(b) RETURN length(p), count(*)",
    "UNWIND range(1, 100000) AS x UNWIND range(1, 100000) AS y RETURN max(x * y)",
    "UNWIND range(1, 1000000) AS x WITH collect(x) AS l UNWIND l AS y RETURN collect([y, l])",
    "UNWIND range(1, 1000000000) AS x RETURN count(x)",
    "UNWIND range(1, 100000000) AS x CREATE (:Big {x: x, text: 'some text to fill memory with'})",
    "MATCH (a), (b), (c), (d), (e) WITH collect([a, b, c, d, e]) AS all RETURN size(all)",
    "MATCH (a), (b), (c), (d), (e) RETURN DISTINCT id(a) + ' ' + id(b) + ' ' + id(c) + ' ' + id(d)",
    "MATCH (a), (b), (c), (d), (e) RETURN a, b, c, d, e ORDER BY id(a) DESC",
    "MATCH (a) RETURN [(a)-[*1..9]->(b) | b]",
    "MATCH (a), (b), (c), (d), (e) MERGE (:M {i: a.i, j: b.i, k: c.i, l: d.i, m: e.i})",
};

/* Refused before they take a step: the list alone is too much. */
static const char *const HOSTILE_LISTS[] = {
    "RETURN reduce(s = '', x IN range(1, 10000000) | s + 'xxxxxxxxxxxxxxxx')",
    "RETURN size([x IN range(1, 100000000) WHERE x % 2 = 0 | [x, x, x]])",
};

TEST(hostile_statements_end_with_a_clear_error)
{
    struct query_bed bed;
    open_clique(&bed);
    bed.options.budget.steps_max = test_scale(200000, 200000);
    bed.options.budget.memory_bytes = 16u << 20;
    for (size_t i = 0; i < sizeof(HOSTILE) / sizeof(HOSTILE[0]); i++) {
        test_note("%s", HOSTILE[i]);
        CHECK_EQ_STR(ask(&bed, HOSTILE[i]), "! TOO_BIG");
    }
    for (size_t i = 0; i < sizeof(HOSTILE_LISTS) / sizeof(HOSTILE_LISTS[0]); i++) {
        ASKED(&bed, HOSTILE_LISTS[i], "! TOO_BIG");
    }
    bed.options.budget.steps_max = 200000;
    ASKED(&bed, "MATCH (n) RETURN count(n)", "30");
    /* What only asks whether there is a way looks at every node once. */
    ASKED(&bed, "MATCH (a) WHERE EXISTS { MATCH (a)-[*1..20]->(b {i: -1}) } RETURN a", "");
    query_bed_close(&bed);
}

/* A budget of memory alone stops what only piles up. */
TEST(memory_is_bounded_where_steps_are_not)
{
    struct query_bed bed;
    open_clique(&bed);
    bed.options.budget.memory_bytes = 4u << 20;
    ASKED(&bed, "UNWIND range(1, 10000000) AS x WITH collect(x) AS xs RETURN size(xs)",
          "! TOO_BIG");
    ASKED(&bed, "UNWIND range(1, 1000000) AS x WITH DISTINCT x RETURN count(x)", "! TOO_BIG");
    ASKED(&bed, "UNWIND range(1, 100000) AS x RETURN count(x), sum(x)", "100000, 5000050000");
    query_bed_close(&bed);
}

TEST(reduce_keeps_only_the_value_at_work)
{
    struct query_bed bed;
    query_bed_open(&bed);
    bed.options.budget.memory_bytes = 4u << 20;
    ASKED(&bed, "RETURN size(reduce(s = '', x IN range(1, 10000) | s + 'aaaaaaaaaa'))", "100000");
    ASKED(&bed, "RETURN reduce(l = [0], x IN range(1, 5000) | [x, l[0] + x, 'text' + x])[1]",
          "9999");
    ASKED(&bed, "RETURN size(reduce(l = [], x IN range(1, 2000) | l + [[x, 'item ' + x]])) AS size",
          "2000");
    ASKED(&bed, "RETURN reduce(l = [], x IN range(1, 2000) | l + [[x, 'item ' + x]])[1233] AS item",
          "[1234, 'item 1234']");
    query_bed_close(&bed);
}

/* What one step of an expression makes counts too: few of them can take long. */
TEST(large_values_that_are_made_count_as_steps)
{
    struct query_bed bed;
    query_bed_open(&bed);
    bed.options.budget.steps_max = 20000;
    ASKED(&bed, "RETURN size(reduce(s = 'abcdefgh', x IN range(1, 21) | s + s))", "16777216");
    ASKED(&bed,
          "WITH reduce(s = 'abcdefgh', x IN range(1, 21) | s + s) AS s "
          "RETURN reduce(n = 0, x IN range(1, 5) | n + size(s + s))",
          "! TOO_BIG");
    query_bed_close(&bed);
}

TEST(a_range_is_unwound_without_its_list)
{
    struct query_bed bed;
    query_bed_open(&bed);
    bed.options.budget.memory_bytes = 1u << 20;
    ASKED(&bed, "UNWIND range(1, 1000000) AS x RETURN count(*), min(x), max(x)",
          "1000000, 1, 1000000");
    ASKED(&bed, "UNWIND range(1, 9223372036854775807) AS x RETURN x LIMIT 3", "1; 2; 3");
    ASKED(&bed, "UNWIND range(9223372036854775806, 9223372036854775807) AS x RETURN x - 1",
          "9223372036854775805; 9223372036854775806");
    ASKED(&bed,
          "UNWIND range(-9223372036854775808, 9223372036854775807, 9223372036854775807) AS x "
          "RETURN x",
          "-9223372036854775808; -1; 9223372036854775806");
    ASKED(&bed, "UNWIND range(10, 1, -4) AS x RETURN x", "10; 6; 2");
    ASKED(&bed, "UNWIND range(1, 0) AS x RETURN x", "");
    ASKED(&bed, "UNWIND range(1, null) AS x RETURN x", "");
    ASKED(&bed, "UNWIND [2, 0, 1] AS a UNWIND range(1, a) AS b RETURN a, b", "2, 1; 2, 2; 1, 1");
    ASKED(&bed, "UNWIND range(1, 2) + range(5, 6) AS x RETURN x", "1; 2; 5; 6");
    ASKED(&bed, "UNWIND range(1, 2, 0) AS x RETURN x", "! ArgumentError NumberOutOfRange");
    ASKED(&bed, "UNWIND range(1, 'a') AS x RETURN x", "! ArgumentError InvalidArgumentType");
    query_bed_close(&bed);
}

TEST(time_is_a_budget)
{
    struct query_bed bed;
    open_clique(&bed);
    bed.options.budget.time_ns = 1000;
    ASKED(&bed, "MATCH (a), (b), (c), (d), (e), (f) RETURN count(*)", "! TOO_BIG");
    query_bed_close(&bed);
}

TEST(partial_results_are_what_there_was_and_are_marked)
{
    struct query_bed bed;
    open_clique(&bed);
    bed.options.budget.partial_results = true;
    bed.options.budget.steps_max = 20000;
    ASKED(&bed, "MATCH (a), (b), (c), (d), (e) RETURN count(*) > 1000", "true");
    CHECK(bed.summary.is_partial);
    ASKED(&bed, "UNWIND range(1, 100000) AS x WITH x WHERE x < 4 RETURN x", "1; 2; 3");
    CHECK(bed.summary.is_partial);
    ASKED(&bed, "MATCH (n) RETURN count(n)", "30");
    CHECK(!bed.summary.is_partial);
    ASKED(&bed, "UNWIND range(1, 100000) AS x CREATE (:X)", "! TOO_BIG");
    query_bed_close(&bed);
}

TEST(rows_beyond_the_budget_are_cut_and_marked)
{
    struct query_bed bed;
    open_clique(&bed);
    bed.options.budget.rows_max = 3;
    ASKED(&bed, "UNWIND range(1, 10) AS x RETURN x", "1; 2; 3");
    CHECK(bed.summary.is_partial);
    CHECK_EQ_UINT(bed.summary.rows, 3);
    ASKED(&bed, "UNWIND range(1, 3) AS x RETURN x", "1; 2; 3");
    CHECK(!bed.summary.is_partial);
    ASKED(&bed, "UNWIND range(1, 5) AS x CREATE (n:R {x: x}) RETURN n.x", "1; 2; 3");
    CHECK(bed.summary.is_partial);
    ASKED(&bed, "MATCH (r:R) RETURN count(r)", "5");
    query_bed_close(&bed);
}

TEST(a_statement_of_too_many_steps_is_refused)
{
    struct query_bed bed;
    static char query[200000] = "CREATE (n) ";
    size_t used = sizeof("CREATE (n) ") - 1;
    query_bed_open(&bed);
    for (int i = 0; i < 2100; i++) {
        used += (size_t)snprintf(query + used, sizeof(query) - used, "SET n.x = %d ", i);
    }
    ASKED(&bed, query, "! TOO_BIG");
    query_bed_close(&bed);
}

static bool has_had_enough(void *arg)
{
    int *left = arg;
    return --*left < 0;
}

/* After `patience` looks it is cancelled. */
static const char *ask_cancelled(struct query_bed *bed, int patience, const char *query)
{
    bed->options.is_cancelled = has_had_enough;
    bed->options.cancel_arg = &patience;
    const char *answer = ask(bed, query);
    bed->options.is_cancelled = NULL;
    return answer;
}

TEST(a_cancelled_statement_ends_and_leaves_nothing)
{
    struct query_bed bed;
    open_clique(&bed);
    for (size_t i = 0; i < sizeof(HOSTILE) / sizeof(HOSTILE[0]); i++) {
        test_note("%s", HOSTILE[i]);
        CHECK_EQ_STR(ask_cancelled(&bed, 2, HOSTILE[i]), "! CANCELLED");
    }
    bed.options.budget.partial_results = true; /* of what is over its budget, not of this */
    CHECK_EQ_STR(ask_cancelled(&bed, 2, HOSTILE[0]), "! CANCELLED");
    /* What is short never asks before its end; a commit asks always. */
    CHECK_EQ_STR(ask_cancelled(&bed, 0, "MATCH (n) RETURN count(n)"), "30");
    CHECK_EQ_STR(ask_cancelled(&bed, 0, "CREATE (:Late)"), "! CANCELLED");
    CHECK_EQ_STR(ask_cancelled(&bed, 1, "CREATE (:Late)"), "");
    ASKED(&bed, "MATCH (n) RETURN count(n)", "31");
    query_bed_close(&bed);
}

TEST(a_cancelled_create_index_ends_while_it_is_filled_and_leaves_none)
{
    struct query_bed bed;
    open_clique(&bed);
    CHECK_EQ_STR(ask_cancelled(&bed, 0, "CREATE INDEX FOR (n:N) ON (n.i)"), "! CANCELLED");
    ASKED(&bed, "SHOW INDEXES", "");
    CHECK_EQ_STR(ask_cancelled(&bed, 5, "CREATE CONSTRAINT FOR (n:N) REQUIRE n.i IS UNIQUE"),
                 "! CANCELLED");
    ASKED(&bed, "SHOW CONSTRAINTS", "");
    ASKED(&bed, "CREATE CONSTRAINT FOR (n:N) REQUIRE n.i IS UNIQUE", "");
    query_bed_close(&bed);
}

TEST_MAIN(reduce_keeps_only_the_value_at_work, large_values_that_are_made_count_as_steps,
          a_cancelled_create_index_ends_while_it_is_filled_and_leaves_none,
          a_cancelled_statement_ends_and_leaves_nothing, hostile_statements_end_with_a_clear_error,
          memory_is_bounded_where_steps_are_not, a_range_is_unwound_without_its_list,
          time_is_a_budget, partial_results_are_what_there_was_and_are_marked,
          rows_beyond_the_budget_are_cut_and_marked, a_statement_of_too_many_steps_is_refused)
