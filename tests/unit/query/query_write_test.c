/* What writing statements do, count and leave alone. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/test.h"
#include "unit/query/query_bed.h"

static void counted(struct query_bed *bed, const char *query, const char *want)
{
    char got[256];
    run(bed, query);
    const struct query_summary *sum = &bed->summary;
    snprintf(got, sizeof(got), "n+%d-%d r+%d-%d p%d l+%d-%d", (int)sum->nodes_created,
             (int)sum->nodes_deleted, (int)sum->relationships_created,
             (int)sum->relationships_deleted, (int)sum->properties_set, (int)sum->labels_added,
             (int)sum->labels_removed);
    CHECK_EQ_STR(got, want);
}

TEST(a_summary_counts_what_was_done)
{
    struct query_bed bed;
    query_bed_open(&bed);
    counted(&bed, "CREATE (a:A:B {x: 1, y: 2})-[:T {z: 3}]->(:C)", "n+2-0 r+1-0 p3 l+3-0");
    counted(&bed, "MATCH (a:A) SET a.x = 2, a:D REMOVE a.y", "n+0-0 r+0-0 p2 l+1-0");
    counted(&bed, "MATCH (a:A) REMOVE a:B:Nothing", "n+0-0 r+0-0 p0 l+0-1");
    counted(&bed, "MERGE (a:A {x: 2})", "n+0-0 r+0-0 p0 l+0-0");
    counted(&bed, "MERGE (a:A {x: 3}) ON CREATE SET a.new = true", "n+1-0 r+0-0 p2 l+1-0");
    counted(&bed, "MATCH (n) DETACH DELETE n", "n+0-3 r+0-1 p0 l+0-0");
    run(&bed, "CREATE INDEX FOR (a:A) ON (a.x)");
    CHECK_EQ_UINT(bed.summary.indexes_added, 1);
    run(&bed, "CREATE CONSTRAINT FOR (a:A) REQUIRE a.y IS UNIQUE");
    CHECK_EQ_UINT(bed.summary.constraints_added, 1);
    ASKED(&bed, "CALL db.indexes() YIELD label, property, unique RETURN * ORDER BY property",
          "'A', 'x', false; 'A', 'y', true");
    query_bed_close(&bed);
}

TEST(rows_of_a_writing_statement_show_the_graph_when_all_is_done)
{
    struct query_bed bed;
    query_bed_open(&bed);
    ASKED(&bed, "UNWIND [1, 2] AS i CREATE (n:N {i: i}) RETURN n", "(:N {i: 1}); (:N {i: 2})");
    ASKED(&bed, "MATCH (a:N {i: 1}), (b:N) SET a.i = a.i + 10 RETURN a.i", "21; 21");
    CHECK(bed.summary.commit > 0);
    ASKED(&bed, "MATCH (n:N) RETURN n.i ORDER BY n.i LIMIT 1", "2");
    CHECK_EQ_INT(bed.summary.commit, 0);
    run(&bed, "MATCH (n:N) WITH n LIMIT 1 SET n.seen = true");
    ASKED(&bed, "UNWIND range(1, 5) AS i CREATE (:L) RETURN i LIMIT 2", "1; 2");
    ASKED(&bed, "MATCH (l:L) RETURN count(l)", "5");
    query_bed_close(&bed);
}

TEST(a_statement_that_fails_changes_nothing)
{
    struct query_bed bed;
    query_bed_open(&bed);
    ASKED(&bed, "UNWIND [1, 0] AS i CREATE (:N {x: 1 / i})", "! ArithmeticError DivisionByZero");
    ASKED(&bed, "CREATE (:N {x: [1]}) WITH 1 AS x MATCH (n:N) RETURN toBoolean(n.x)",
          "! TypeError InvalidArgumentValue");
    ASKED(&bed, "MATCH (n) RETURN count(n)", "0");
    run(&bed, "CREATE (:N)-[:T]->(:N)");
    ASKED(&bed, "MATCH (n:N) DELETE n", "! ConstraintVerificationFailed DeleteConnectedNode");
    ASKED(&bed, "MATCH (n:N)-[r]->() DELETE n, r", "");
    ASKED(&bed, "MATCH (n) RETURN count(n)", "1");
    query_bed_close(&bed);
}

TEST(nodes_are_deleted_when_their_relationships_go_in_other_rows)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE (a:H) WITH a UNWIND range(1, 5) AS i CREATE (a)-[:T]->(:L)");
    run(&bed, "MATCH (a:H)-[r]->(b) DELETE a, r, b");
    ASKED(&bed, "MATCH (n) RETURN count(n)", "0");
    query_bed_close(&bed);
}

TEST(a_unique_constraint_is_told_with_its_class)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE CONSTRAINT FOR (u:User) REQUIRE u.name IS UNIQUE");
    run(&bed, "CREATE (:User {name: 'a'})");
    ASKED(&bed, "CREATE (:User {name: 'a'})", "! ConstraintValidationFailed ConstraintViolation");
    CHECK_STATUS(bed.status, YORE_EXISTS);
    ASKED(&bed, "MERGE (u:User {name: 'a'}) RETURN u.name", "'a'");
    query_bed_close(&bed);
}

TEST(the_commit_told_of_a_schema_statement_knows_what_it_made)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE INDEX FOR (n:A) ON (n.x)");
    bed.options.at.known = bed.summary.commit;
    ASKED(&bed, "SHOW INDEXES YIELD name RETURN name", "'index_A_x'");
    bed.options.at.known = YORE_NOW;
    run(&bed, "DROP INDEX index_A_x");
    bed.options.at.known = bed.summary.commit;
    ASKED(&bed, "SHOW INDEXES YIELD name RETURN name", "");
    query_bed_close(&bed);
}

TEST(maps_and_lists_in_lists_are_stored_however_they_are_written)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE (:A {m: {a: 1, b: [2]}, l: [[1], [2, 3]]})");
    run(&bed, "WITH {a: 1} AS m, [[4]] AS l MATCH (n:A) SET n.n = m, n.k = l");
    ASKED(&bed, "MATCH (n:A) RETURN n.m, n.l, n.n, n.k",
          "{a: 1, b: [2]}, [[1], [2, 3]], {a: 1}, [[4]]");
    ASKED(&bed, "MATCH (n:A) SET n.m = [[{a: 1}]]", "! TypeError InvalidPropertyType");
    ASKED(&bed, "MATCH (n:A) SET n.m = {a: [{b: 1}]}", "! TypeError InvalidPropertyType");
    query_bed_close(&bed);
}

TEST(unique_values_may_move_within_a_statement_whatever_the_order)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE CONSTRAINT FOR (p:Pod) REQUIRE p.ip IS UNIQUE");
    run(&bed,
        "CREATE (:Pod {name: 'a', ip: 1}), (:Pod {name: 'b', ip: 2}), (:Pod {name: 'c', ip: 3})");
    run(&bed, "MATCH (a {name: 'a'}), (b {name: 'b'}) SET a.ip = 2, b.ip = 1");
    run(&bed, "MATCH (p:Pod) WITH p ORDER BY p.ip SET p.ip = p.ip + 1");
    run(&bed, "MATCH (p:Pod) WITH p ORDER BY p.ip DESC SET p.ip = p.ip + 1");
    ASKED(&bed, "MATCH (p:Pod) RETURN p.name, p.ip ORDER BY p.name", "'a', 4; 'b', 3; 'c', 5");
    ASKED(&bed, "MATCH (p:Pod {ip: 4}) RETURN p.name", "'a'");
    ASKED(&bed, "MATCH (a {name: 'a'}), (b {name: 'b'}) SET a.ip = 3, b.ip = 5",
          "! ConstraintValidationFailed ConstraintViolation");
    ASKED(&bed, "MATCH (p:Pod) RETURN p.name, p.ip ORDER BY p.name", "'a', 4; 'b', 3; 'c', 5");
    CHECK_OK(graph_verify(bed.graph.graph, NULL, NULL, NULL, NULL));
    query_bed_close(&bed);
}

TEST(statements_of_one_transaction_see_each_other_and_are_committed_together)
{
    struct query_bed bed;
    query_bed_open(&bed);
    bed.options.txn = begin(&bed.graph);
    ASKED(&bed, "CREATE (:N {x: 1})", "");
    CHECK_EQ_UINT(bed.summary.nodes_created, 1);
    ASKED(&bed, "MATCH (n:N) SET n.x = n.x + 1 RETURN n.x", "2");
    CHECK_EQ_UINT(bed.summary.nodes_created, 0);
    CHECK_EQ_UINT(bed.summary.properties_set, 1);
    ASKED(&bed, "MATCH (n:N) RETURN n.x", "2");
    struct graph_txn *txn = bed.options.txn;
    bed.options.txn = NULL;
    ASKED(&bed, "MATCH (n:N) RETURN n.x", "");
    commit(txn);
    ASKED(&bed, "MATCH (n:N) RETURN n.x", "2");
    query_bed_close(&bed);
}

TEST(a_statement_that_fails_in_a_transaction_leaves_nothing_and_the_transaction_goes_on)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE CONSTRAINT FOR (u:User) REQUIRE u.name IS UNIQUE");
    run(&bed, "CREATE (:User {name: 'a', x: 1})-[:KNOWS]->(:User {name: 'b'})");
    struct graph_txn *txn = begin(&bed.graph);
    bed.options.txn = txn;
    ASKED(&bed, "CREATE (:User {name: 'c'})", "");
    ASKED(&bed, "MATCH (a:User) SET a.x = 7 WITH a UNWIND [1, 0] AS i CREATE (:N {y: 1 / i})",
          "! ArithmeticError DivisionByZero");
    ASKED(&bed, "UNWIND ['d', 'a'] AS name CREATE (:User {name: name})",
          "! ConstraintValidationFailed ConstraintViolation");
    ASKED(&bed, "MATCH (a:User {name: 'a'}) DETACH DELETE a WITH 1 AS one RETURN one / 0",
          "! ArithmeticError DivisionByZero");
    ASKED(&bed, "MATCH (u:User) RETURN u.name, u.x ORDER BY u.name",
          "'a', 1; 'b', null; 'c', null");
    ASKED(&bed, "MATCH (:User {name: 'a'})-[k:KNOWS]->(b) RETURN b.name", "'b'");
    ASKED(&bed, "MATCH (n:N) RETURN count(n)", "0");
    ASKED(&bed, "CREATE (u:User {name: 'd'}) RETURN u.name", "'d'");
    CHECK_EQ_UINT(bed.summary.nodes_created, 1);
    CHECK_EQ_UINT(graph_txn_tally(txn).nodes_created, 2);
    bed.options.txn = NULL;
    commit(txn);
    ASKED(&bed, "MATCH (u:User) RETURN u.name, u.x ORDER BY u.name",
          "'a', 1; 'b', null; 'c', null; 'd', null");
    CHECK_OK(graph_verify(bed.graph.graph, NULL, NULL, NULL, NULL));
    query_bed_close(&bed);
}

#define DUMP                                                                                       \
    "MATCH (n) OPTIONAL MATCH (n)-[r]->(m) RETURN id(n), labels(n), properties(n), id(r), "        \
    "type(r), properties(r), id(m)"

/* A writing statement about small numbers, each for a #. */
static void random_statement(struct test_rand *rand, char *to, size_t room)
{
    static const char *const SHAPES[] = {
        "CREATE (:P {k: #, v: #})",
        "MERGE (p:P {k: #}) ON MATCH SET p.v = #",
        "MATCH (p:P {k: #}) SET p.v = p.v + #",
        "MATCH (p:P {k: #}) SET p:Q SET p.w = #",
        "MATCH (p:P {k: #}) REMOVE p:Q SET p.k = #",
        "MATCH (p:P {k: #}), (q:P {k: #}) CREATE (p)-[:T {at: p.v}]->(q)",
        "MATCH (p:P {k: #})-[t:T]->(q) SET t.at = #",
        "MATCH (p:P {k: #})-[t:T]->(q {k: #}) DELETE t",
        "MATCH (p:P {k: #}) WHERE p.v > # DETACH DELETE p",
    };
    const char *shape = SHAPES[test_rand_below(rand, sizeof(SHAPES) / sizeof(SHAPES[0]))];
    size_t size = 0;
    for (; *shape != '\0' && size + 1 < room; shape++) {
        to[size++] = *shape == '#' ? (char)('0' + test_rand_below(rand, 6)) : *shape;
    }
    to[size] = '\0';
}

/* Whatever was done: after a failure all is as before it, and what stays is what is committed. */
TEST(statements_that_fail_at_random_never_leave_a_trace)
{
    struct query_bed bed;
    struct test_rand rand = test_rand_new(7);
    static char before[65536];
    char statement[400];
    query_bed_open(&bed);
    run(&bed, "CREATE INDEX FOR (p:P) ON (p.k)");
    for (int round = 0; round < 20; round++) {
        struct graph_txn *txn = begin(&bed.graph);
        bed.options.txn = txn;
        for (int i = 0; i < 30; i++) {
            random_statement(&rand, statement, sizeof(statement));
            bool fails = test_rand_one_in(&rand, 2);
            if (!fails) {
                CHECK_MSG(*ask(&bed, statement) == '\0', "%s", statement);
                continue;
            }
            snprintf(before, sizeof(before), "%s", ask_sorted(&bed, DUMP));
            size_t size = strlen(statement);
            snprintf(statement + size, sizeof(statement) - size,
                     " WITH count(*) AS c UNWIND [1, 0] AS z CREATE (:P {k: c / z})");
            test_note("%s", statement);
            CHECK_EQ_STR(ask(&bed, statement), "! ArithmeticError DivisionByZero");
            CHECK_EQ_STR(ask_sorted(&bed, DUMP), before);
        }
        snprintf(before, sizeof(before), "%s", ask_sorted(&bed, DUMP));
        bed.options.txn = NULL;
        commit(txn);
        CHECK_EQ_STR(ask_sorted(&bed, DUMP), before);
    }
    CHECK_OK(graph_verify(bed.graph.graph, NULL, NULL, NULL, NULL));
    query_bed_close(&bed);
}

TEST(indexes_are_made_outside_of_transactions)
{
    struct query_bed bed;
    query_bed_open(&bed);
    struct graph_txn *txn = begin(&bed.graph);
    bed.options.txn = txn;
    ASKED(&bed, "CREATE INDEX FOR (p:P) ON (p.k)", "! TransactionError SchemaInTransaction");
    ASKED(&bed, "CREATE (:P {k: 1})", "");
    bed.options.txn = NULL;
    commit(txn);
    ASKED(&bed, "CALL db.indexes() YIELD label RETURN count(label)", "0");
    query_bed_close(&bed);
}

/* It was taken for the constraint, which nothing enforced. */
TEST(a_constraint_over_an_index_says_which_to_drop)
{
    static const char way_out[] =
        "there is an index on (:P).k already, and a constraint brings its own: say DROP INDEX "
        "people first";
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE INDEX people FOR (p:P) ON (p.k)");
    run(&bed, "CREATE INDEX FOR (p:`A b`) ON (p.`x y`)");
    ASKED(&bed, "CREATE CONSTRAINT FOR (p:P) REQUIRE p.k IS UNIQUE",
          "! ConstraintValidationFailed ConstraintViolation");
    CHECK(strstr(bed.error.error.text, way_out) != NULL);
    ASKED(&bed, "CREATE CONSTRAINT IF NOT EXISTS FOR (p:P) REQUIRE p.k IS UNIQUE",
          "! ConstraintValidationFailed ConstraintViolation");
    CHECK(strstr(bed.error.error.text, way_out) != NULL);
    ASKED(&bed, "CREATE CONSTRAINT FOR (p:`A b`) REQUIRE p.`x y` IS UNIQUE",
          "! ConstraintValidationFailed ConstraintViolation");
    CHECK(strstr(bed.error.error.text, "(:`A b`).`x y` already") != NULL);
    CHECK(strstr(bed.error.error.text, "DROP INDEX `index_A b_x y` first") != NULL);
    run(&bed, "DROP INDEX `index_A b_x y`");
    run(&bed, "DROP INDEX people");
    run(&bed, "CREATE CONSTRAINT FOR (p:P) REQUIRE p.k IS UNIQUE");
    /* It is an index, too. */
    ASKED(&bed, "CREATE INDEX IF NOT EXISTS FOR (p:P) ON (p.k)", "");
    ASKED(&bed, "CREATE CONSTRAINT IF NOT EXISTS FOR (p:P) REQUIRE p.k IS UNIQUE", "");
    query_bed_close(&bed);
}

TEST(indexes_and_constraints_have_names)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE INDEX people FOR (p:P) ON (p.k)");
    run(&bed, "CREATE INDEX FOR (p:P) ON (p.other)");
    run(&bed, "CREATE CONSTRAINT one_user FOR (u:User) REQUIRE u.name IS UNIQUE");
    run(&bed, "CREATE CONSTRAINT FOR (u:User) REQUIRE u.mail IS UNIQUE");
    graph_bed_reopen(&bed.graph);
    ASKED(&bed, "SHOW INDEXES YIELD name, labelsOrTypes, properties, owningConstraint",
          "'people', ['P'], ['k'], null; 'index_P_other', ['P'], ['other'], null; "
          "'one_user', ['User'], ['name'], 'one_user'; "
          "'constraint_User_mail', ['User'], ['mail'], 'constraint_User_mail'");
    ASKED(&bed, "SHOW CONSTRAINTS",
          "3, 'one_user', 'UNIQUENESS', 'NODE', ['User'], ['name'], 'one_user'; "
          "4, 'constraint_User_mail', 'UNIQUENESS', 'NODE', ['User'], ['mail'], "
          "'constraint_User_mail'");
    ASKED(&bed, "SHOW INDEX YIELD name WHERE name STARTS WITH 'p' RETURN name AS n", "'people'");
    ASKED(&bed, "CALL db.indexes() YIELD property, name RETURN name ORDER BY property LIMIT 1",
          "'people'");
    /* A name is one thing's. */
    ASKED(&bed, "CREATE INDEX people FOR (q:Q) ON (q.z)",
          "! ConstraintValidationFailed ConstraintViolation");
    ASKED(&bed, "CREATE CONSTRAINT index_P_other FOR (q:Q) REQUIRE q.z IS UNIQUE",
          "! ConstraintValidationFailed ConstraintViolation");
    ASKED(&bed, "CREATE INDEX people IF NOT EXISTS FOR (q:Q) ON (q.z)", "");
    CHECK_EQ_UINT(bed.summary.indexes_added, 0);
    ASKED(&bed, "DROP INDEX one_user", "! DatabaseError SchemaNotFound");
    ASKED(&bed, "DROP INDEX nobody", "! DatabaseError SchemaNotFound");
    ASKED(&bed, "DROP INDEX nobody IF EXISTS", "");
    int64_t before = yore_now(graph_db(bed.graph.graph));
    ASKED(&bed, "DROP INDEX people", "");
    CHECK_EQ_UINT(bed.summary.indexes_removed, 1);
    ASKED(&bed, "DROP INDEX index_P_other", "");
    ASKED(&bed, "DROP CONSTRAINT one_user", "");
    ASKED(&bed, "DROP CONSTRAINT constraint_User_mail IF EXISTS", "");
    CHECK_EQ_UINT(bed.summary.constraints_removed, 1);
    ASKED(&bed, "SHOW INDEXES", "");
    give(&bed, "t", integer(before));
    ASKED(&bed, "KNOWN $t SHOW INDEXES YIELD name RETURN count(name)", "4");
    CHECK_OK(graph_verify(bed.graph.graph, NULL, NULL, NULL, NULL));
    query_bed_close(&bed);
}

TEST(an_external_id_is_given_when_an_element_is_made)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE (:S {externalId: 'urn:cart', name: 'cart'})-[:CALLS {externalId: 'c1'}]->"
              "(:S {externalId: 'urn:pay'}), (:S {name: 'plain'})");
    CHECK_EQ_UINT(bed.summary.properties_set, 2);
    ASKED(&bed, "MATCH (s {externalId: 'urn:cart'}) RETURN s.name, s.externalId, externalId(s)",
          "'cart', 'urn:cart', 'urn:cart'");
    CHECK_EQ_STR(steps(&bed, "MATCH (s:S {externalId: 'urn:cart'}) RETURN s"),
                 "Projection < Filter < NodeByIdSeek < Argument");
    CHECK_EQ_STR(steps(&bed, "MATCH (s) WHERE s.externalId IN ['a', 'b'] RETURN s"),
                 "Projection < Filter < NodeByIdSeek < Argument");
    ASKED(&bed, "MATCH (s) WHERE s.externalId STARTS WITH 'urn:' RETURN count(s)", "2");
    ASKED(&bed, "MATCH (s {externalId: 'urn:pay', name: 'cart'}) RETURN s", "");
    ASKED(&bed, "MATCH (s {externalId: 7}) RETURN s", "");
    ASKED(&bed, "MATCH ()-[c:CALLS {externalId: 'c1'}]->(b) RETURN c.externalId, b.externalId",
          "'c1', 'urn:pay'");
    ASKED(&bed,
          "MATCH (a {externalId: 'urn:cart'})-[:CALLS*1..2 {externalId: 'c1'}]->(b) "
          "RETURN b.externalId",
          "'urn:pay'");
    ASKED(&bed, "MATCH (s {externalId: 'urn:cart'}) RETURN properties(s), s {.externalId, .name}",
          "{name: 'cart'}, {externalId: 'urn:cart', name: 'cart'}");
    /* As a parameter, and null: one is made up. */
    struct yore_graph_entry entries[] = {{bytes_of("externalId", 10), string("urn:mail")},
                                         {bytes_of("name", 4), string("mail")}};
    give(&bed, "props", (struct yore_graph_value){.kind = YORE_GRAPH_MAP, .as.map = {entries, 2}});
    run(&bed, "CREATE (s:S $props)");
    ASKED(&bed, "MATCH (s:S) WHERE s.externalId = $props.externalId RETURN s.name", "'mail'");
    ASKED(&bed, "CREATE (s:S {externalId: null}) RETURN size(s.externalId) > 0", "true");
    /* MERGE finds by it. */
    ASKED(&bed, "MERGE (s:S {externalId: 'urn:cart'}) ON MATCH SET s.seen = 1 RETURN s.name",
          "'cart'");
    ASKED(&bed, "MERGE (s:S {externalId: 'urn:new'}) ON CREATE SET s.seen = 2 RETURN s.seen", "2");
    ASKED(&bed, "MATCH (s {externalId: 'urn:new'}) RETURN count(s)", "1");
    /* One each, at every moment; it stays. */
    ASKED(&bed, "CREATE (:Other {externalId: 'urn:cart'})",
          "! ConstraintValidationFailed ConstraintViolation");
    ASKED(&bed, "CREATE (:S {externalId: 7})", "! TypeError InvalidPropertyType");
    ASKED(&bed, "CREATE (:S {externalId: ''})", "! TypeError InvalidPropertyType");
    ASKED(&bed, "MATCH (s {externalId: 'urn:pay'}) SET s.externalId = 'x'",
          "! ConstraintValidationFailed ExternalIdIsFixed");
    ASKED(&bed, "MATCH (s {externalId: 'urn:pay'}) REMOVE s.externalId",
          "! ConstraintValidationFailed ExternalIdIsFixed");
    ASKED(&bed, "MATCH (s {externalId: 'urn:pay'}) SET s = {externalId: 'x'}",
          "! ConstraintValidationFailed ExternalIdIsFixed");
    ASKED(&bed, "MATCH (s {externalId: 'urn:mail'}) SET s += $props SET s.n = 1 RETURN s.name, s.n",
          "'mail', 1");
    ASKED(&bed, "CREATE INDEX FOR (s:S) ON (s.externalId)", "! DatabaseError NotSupported");
    /* Made anew, it is another element of the same name. */
    int64_t before = yore_now(graph_db(bed.graph.graph));
    run(&bed, "MATCH (s {externalId: 'urn:mail'}) DETACH DELETE s");
    run(&bed, "CREATE (:S {externalId: 'urn:mail', name: 'anew'})");
    give(&bed, "t", integer(before));
    ASKED(&bed,
          "MATCH (then {externalId: 'urn:mail'}) AS OF $t MATCH (now {externalId: 'urn:mail'}) "
          "RETURN then.name, now.name, then = now",
          "'mail', 'anew', false");
    CHECK_OK(graph_verify(bed.graph.graph, NULL, NULL, NULL, NULL));
    query_bed_close(&bed);
}

TEST(two_transactions_that_change_one_thing_conflict)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE (:N {x: 1})");
    struct graph_txn *first = begin(&bed.graph);
    bed.options.txn = first;
    ASKED(&bed, "MATCH (n:N) SET n.x = n.x + 1", "");
    bed.options.txn = NULL;
    run(&bed, "MATCH (n:N) SET n.x = 10");
    int64_t at;
    CHECK_STATUS(graph_commit(first, YORE_DURABILITY_DEFAULT, &at, NULL), YORE_CONFLICT);
    ASKED(&bed, "MATCH (n:N) RETURN n.x", "10");
    query_bed_close(&bed);
}

TEST(merge_finds_what_rows_before_it_have_made)
{
    struct query_bed bed;
    query_bed_open(&bed);
    ASKED(&bed,
          "UNWIND [1, 2, 1, 3, 2] AS i MERGE (n:N {i: i}) "
          "ON CREATE SET n.seen = 1 ON MATCH SET n.seen = n.seen + 1 "
          "RETURN DISTINCT n.i, n.seen ORDER BY n.i",
          "1, 2; 2, 2; 3, 1");
    ASKED(&bed,
          "MATCH (a:N {i: 1}), (b:N {i: 2}) MERGE (a)-[r:T]-(b) MERGE (b)-[s:T]-(a) "
          "RETURN r = s",
          "true");
    give(&bed, "nothing", (struct yore_graph_value){.kind = YORE_GRAPH_NULL});
    ASKED(&bed, "MERGE (n:N {i: $nothing})", "! SemanticError MergeReadOwnWrites");
    query_bed_close(&bed);
}

TEST(foreach_and_subqueries_write_for_every_row)
{
    struct query_bed bed;
    query_bed_open(&bed);
    counted(&bed, "UNWIND [1, 2] AS i FOREACH (k IN range(1, i) | CREATE (:F {k: k}) MERGE (:G))",
            "n+4-0 r+0-0 p3 l+4-0");
    ASKED(&bed, "UNWIND [1, 2] AS i CALL { WITH i CREATE (n:S {i: i}) RETURN n } RETURN n.i",
          "1; 2");
    counted(&bed, "MATCH (f:F) CALL { WITH f SET f.done = true } RETURN count(f)",
            "n+0-0 r+0-0 p3 l+0-0");
    query_bed_close(&bed);
}

/* Every allocation of a statement fails once: an error, nothing leaks, and nothing is written. */
TEST(running_out_of_memory_is_an_error_and_changes_nothing)
{
    struct query_bed bed;
    query_bed_open(&bed);
    run(&bed, "CREATE (:A {x: 1})-[:T]->(:A {x: 2})");
    const char *queries[] = {
        "MATCH (a:A)-[r:T*1..2]->(b) WHERE a.x < b.x RETURN a, collect(r), b ORDER BY a.x",
        "MATCH p = shortestPath((a:A {x: 1})-[*]->(b:A {x: 2})) RETURN p",
        "MATCH (a:A) SET a.y = 'text' WITH a MERGE (b:B {of: a.x}) RETURN a, b",
    };
    for (size_t q = 0; q < sizeof(queries) / sizeof(queries[0]); q++) {
        enum yore_status st = YORE_NOMEM;
        for (uint64_t nth = 1; st == YORE_NOMEM; nth++) {
            struct query *query = NULL;
            struct query_result *result = NULL;
            const struct yore_graph_value *row = NULL;
            mem_fail_at(nth, false);
            st = query_prepare(text(queries[q]), &query, &bed.error);
            if (st == YORE_OK) {
                st = query_run(query, bed.graph.graph, &bed.options, &result, &bed.error);
            }
            while (st == YORE_OK) {
                st = query_next(result, &row, &bed.error);
            }
            mem_fail_at(0, false);
            query_result_close(result);
            query_free(query);
            test_note("%s, allocation %d: %d %s", queries[q], (int)nth, (int)st,
                      bed.error.error.text);
            CHECK(st == YORE_NOMEM || st == YORE_NOT_FOUND);
            CHECK(nth < 20000);
        }
    }
    ASKED(&bed, "MATCH (b:B) RETURN b.of ORDER BY b.of", "1; 2");
    query_bed_close(&bed);
}

TEST_MAIN(a_summary_counts_what_was_done,
          rows_of_a_writing_statement_show_the_graph_when_all_is_done,
          a_statement_that_fails_changes_nothing,
          nodes_are_deleted_when_their_relationships_go_in_other_rows,
          a_unique_constraint_is_told_with_its_class,
          unique_values_may_move_within_a_statement_whatever_the_order,
          the_commit_told_of_a_schema_statement_knows_what_it_made,
          maps_and_lists_in_lists_are_stored_however_they_are_written,
          statements_of_one_transaction_see_each_other_and_are_committed_together,
          a_statement_that_fails_in_a_transaction_leaves_nothing_and_the_transaction_goes_on,
          statements_that_fail_at_random_never_leave_a_trace,
          indexes_are_made_outside_of_transactions, a_constraint_over_an_index_says_which_to_drop,
          indexes_and_constraints_have_names, an_external_id_is_given_when_an_element_is_made,
          two_transactions_that_change_one_thing_conflict,
          merge_finds_what_rows_before_it_have_made, foreach_and_subqueries_write_for_every_row,
          running_out_of_memory_is_an_error_and_changes_nothing)
