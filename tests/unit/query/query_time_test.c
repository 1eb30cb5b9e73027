/* The past in queries: AS OF, KNOWN, FROM ... TO, and the procedures of time. */
#include <string.h>

#include "support/test.h"
#include "unit/query/query_bed.h"

/* Valid times: a service calls another from 10 to 30, and again from 40; it is "old" until 20. */
static void open_calls(struct query_bed *bed)
{
    query_bed_open(bed);
    struct graph_txn *txn = begin(&bed->graph);
    uint64_t cart = node_made(txn, "cart", "Service", AT(10), YORE_FOREVER);
    uint64_t db = node_made(txn, "db", "Service", AT(10), YORE_FOREVER);
    CHECK_OK(property_set(txn, cart, "name", string("old"), AT(10)));
    CHECK_OK(property_set(txn, cart, "name", string("cart"), AT(20)));
    CHECK_OK(property_set(txn, db, "name", string("db"), AT(10)));
    uint64_t first = relationship_made(txn, "CALLS", cart, db, AT(10));
    struct graph_write end = {.from = AT(30), .to = YORE_FOREVER};
    CHECK_OK(graph_delete(txn, (struct graph_id){GRAPH_RELATIONSHIP, first}, false, &end, NULL));
    relationship_made(txn, "CALLS", cart, db, AT(40));
    commit(txn);
}

#define CALLS "MATCH (a:Service)-[c:CALLS]->(b) RETURN a.name, b.name"

TEST(a_statement_is_as_of_a_moment)
{
    struct query_bed bed;
    open_calls(&bed);
    ASKED(&bed, CALLS, "'cart', 'db'");
    CHECK_EQ_STR(ask_at(&bed, CALLS, AT(9)), "");
    CHECK_EQ_STR(ask_at(&bed, CALLS, AT(10)), "'old', 'db'");
    CHECK_EQ_STR(ask_at(&bed, CALLS, AT(20)), "'cart', 'db'");
    CHECK_EQ_STR(ask_at(&bed, CALLS, AT(30)), "");
    CHECK_EQ_STR(ask_at(&bed, CALLS, AT(40)), "'cart', 'db'");
    give(&bed, "t", integer(AT(15)));
    ASKED(&bed, "AS OF $t " CALLS, "'old', 'db'");
    ASKED(&bed, "AS OF '2001-09-09T01:46:55Z' " CALLS, "'old', 'db'");
    ASKED(&bed, "AS OF datetime('2001-09-09T01:46:55Z') " CALLS, "'old', 'db'");
    ASKED(&bed, "AS OF 'soon' " CALLS, "! ArgumentError InvalidArgumentValue");
    ASKED(&bed, "AS OF true " CALLS, "! SyntaxError InvalidArgumentType");
    CHECK_EQ_STR(ask_at(&bed, "AS OF $t " CALLS, AT(35)), "'old', 'db'");
    CHECK_EQ_INT(bed.summary.at.valid, AT(15));
    query_bed_close(&bed);
}

TEST(each_match_has_a_moment_of_its_own_and_elements_keep_it)
{
    struct query_bed bed;
    open_calls(&bed);
    give(&bed, "t1", integer(AT(15)));
    give(&bed, "t2", integer(AT(35)));
    ASKED(&bed,
          "MATCH (a {name: 'old'}) AS OF $t1 MATCH (b {name: 'cart'}) AS OF $t2 "
          "RETURN a.name, b.name, a = b",
          "'old', 'cart', true");
    ASKED(&bed,
          "MATCH (a)-[:CALLS]->(b) AS OF $t1 "
          "WHERE NOT EXISTS { MATCH (a)-[:CALLS]->(b) AS OF $t2 } RETURN a.name, b.name",
          "'old', 'db'");
    ASKED(&bed,
          "MATCH (a)-[:CALLS]->(b) AS OF $t1 WHERE EXISTS { MATCH (a)-[:CALLS]->(b) } "
          "RETURN a.name",
          "'old'");
    ASKED(&bed, "MATCH (a)-[:CALLS]->(b) AS OF $t1 WHERE (a)-[:CALLS]->(b) RETURN a.name", "'old'");
    ASKED(&bed,
          "AS OF $t2 MATCH (a:Service) WITH a MATCH (a)-[:CALLS]->(b) AS OF $t1 "
          "RETURN a.name, b.name",
          "'cart', 'db'");
    ASKED(&bed,
          "MATCH (a)-[:CALLS]->(b) AS OF $t1 MATCH (a:Service {name: 'cart'}) AS OF $t2 "
          "RETURN a.name",
          "'old'");
    query_bed_close(&bed);
}

TEST(a_way_of_no_relationship_needs_its_node_at_the_moment_too)
{
    struct query_bed bed;
    open_calls(&bed);
    give(&bed, "before", integer(AT(5)));
    give(&bed, "then", integer(AT(15)));
    ASKED(&bed, "MATCH (a {name: 'cart'}) MATCH (a)-[r:CALLS*0..1]->(b) AS OF $before RETURN b",
          "");
    ASKED(&bed,
          "MATCH (a {name: 'cart'}) OPTIONAL MATCH (b)-[*0..2]->(a) AS OF $before "
          "RETURN a.name, b",
          "'cart', null");
    ASKED(&bed, "MATCH (a {name: 'cart'}) MATCH (a)-[r*0..0]->(b) AS OF $then RETURN b.name, r",
          "'old', []");
    query_bed_close(&bed);
}

TEST(known_is_what_was_known_then)
{
    struct query_bed bed;
    open_calls(&bed);
    int64_t knew = yore_now(graph_db(bed.graph.graph));
    struct graph_txn *txn = begin(&bed.graph);
    node_made(txn, "late", "Service", AT(5), YORE_FOREVER);
    commit(txn);
    give(&bed, "known", integer(knew));
    give(&bed, "t", integer(AT(35)));
    ASKED(&bed, "AS OF $t MATCH (s:Service) RETURN count(s)", "3");
    ASKED(&bed, "AS OF $t KNOWN $known MATCH (s:Service) RETURN count(s)", "2");
    ASKED(&bed, "AS OF $t MATCH (s:Service) KNOWN $known RETURN count(s)", "2");
    give(&bed, "a", integer(AT(1)));
    give(&bed, "b", integer(AT(8)));
#define SECONDS " YIELD time RETURN time.epochSeconds - 1000000000"
    ASKED(&bed, "CALL yore.nextChange($a)" SECONDS, "5");
    ASKED(&bed, "KNOWN $known CALL yore.nextChange($a)" SECONDS, "10");
    ASKED(&bed, "CALL yore.previousChange($b)" SECONDS, "5");
    ASKED(&bed, "KNOWN $known CALL yore.previousChange($b)" SECONDS, "");
    ASKED(&bed, "KNOWN $known CALL yore.diff($a, $b) YIELD change RETURN change", "");
    ASKED(&bed, "KNOWN $known CALL yore.history('late') YIELD validFrom RETURN validFrom", "");
    query_bed_close(&bed);
}

TEST(labels_indexes_counts_and_traversals_are_as_of_the_moment_too)
{
    struct query_bed bed;
    open_calls(&bed);
    run(&bed, "CREATE INDEX FOR (s:Service) ON (s.name)");
    give(&bed, "t", integer(AT(15)));
    give(&bed, "gone", integer(AT(35)));
    ASKED(&bed, "AS OF $t MATCH (s:Service {name: 'cart'}) RETURN s", "");
    ASKED(&bed, "AS OF $t MATCH (s:Service {name: 'old'}) RETURN externalId(s)", "'cart'");
    ASKED(&bed, "AS OF $t MATCH (s:Service) WHERE s.name > 'd' RETURN count(s)", "2");
    ASKED(&bed, "AS OF $t MATCH ()-[c:CALLS]->() RETURN count(c)", "1");
    ASKED(&bed, "AS OF $gone MATCH ()-[c:CALLS]->() RETURN count(c)", "0");
    ASKED(&bed,
          "AS OF $gone MATCH (s:Service) RETURN s.name, size([(s)-->(x) | x]) ORDER BY s.name",
          "'cart', 0; 'db', 0");
    ASKED(&bed,
          "AS OF $t MATCH p = shortestPath((a {name: 'old'})-[*]->(b {name: 'db'})) "
          "RETURN length(p)",
          "1");
    ASKED(&bed, "AS OF $gone MATCH p = (a)-[*]->(b) RETURN p", "");
    ASKED(&bed, "AS OF $gone CALL db.relationshipTypes() YIELD relationshipType RETURN *", "");
    ASKED(&bed, "AS OF $t CALL db.relationshipTypes() YIELD relationshipType RETURN *", "'CALLS'");
    query_bed_close(&bed);
}

TEST(a_write_as_of_the_past_is_refused)
{
    struct query_bed bed;
    open_calls(&bed);
    ASKED(&bed, "AS OF '-1h' CREATE (:X)", "! SyntaxError InvalidClauseComposition");
    CHECK_EQ_STR(ask_at(&bed, "MATCH (n) SET n.x = 1", AT(15)), "! READ_ONLY");
    bed.options.is_read_only = true;
    ASKED(&bed, "CREATE (:X)", "! READ_ONLY");
    ASKED(&bed, "MATCH (s:Service) RETURN count(s)", "2");
    bed.options.is_read_only = false;
    give(&bed, "t", integer(AT(15)));
    ASKED(&bed, "MATCH (a {name: 'old'}) AS OF $t SET a.was = a.name",
          "! SyntaxError InvalidClauseComposition");
    query_bed_close(&bed);
}

TEST(a_pattern_tells_every_interval_in_which_it_held)
{
    struct query_bed bed;
    open_calls(&bed);
    give(&bed, "a", integer(AT(0)));
    give(&bed, "b", integer(AT(100)));
    ASKED(&bed,
          "MATCH (a)-[:CALLS]->(b) FROM $a TO $b WITH a, interval() AS i "
          "RETURN a.name, i.from, i.to ORDER BY i.from",
          "'old', '2001-09-09T01:46:50Z', '2001-09-09T01:47:10Z'; "
          "'cart', '2001-09-09T01:47:20Z', '2001-09-09T01:48:20Z'");
    ASKED(&bed,
          "MATCH (a {name: 'cart'})-[:CALLS]->(b) FROM $a TO $b WITH a, interval() AS i "
          "RETURN a.name, i.from, i.to ORDER BY i.from",
          "'cart', '2001-09-09T01:47Z', '2001-09-09T01:47:10Z'; "
          "'cart', '2001-09-09T01:47:20Z', '2001-09-09T01:48:20Z'");
    ASKED(&bed, "MATCH (a:Service) FROM $a TO $b RETURN count(*), min(interval().from)",
          "2, '2001-09-09T01:46:50Z'");
    ASKED(&bed, "MATCH (a:Service) RETURN interval()", "! INVALID");
    ASKED(&bed, "MATCH (a:Nothing) FROM $a TO $b RETURN a", "");
    ASKED(&bed, "MATCH (a) FROM $b TO $a RETURN a", "! ArgumentError InvalidArgumentValue");
    ASKED(&bed, "MATCH (a:Service) FROM $b TO $b RETURN a", "");
    query_bed_close(&bed);
}

/* ---- procedures ------------------------------------------------------------------------------ */

TEST(diff_changes_and_history_tell_what_became_of_elements)
{
    struct query_bed bed;
    open_calls(&bed);
    give(&bed, "a", integer(AT(15)));
    give(&bed, "b", integer(AT(35)));
    ASKED(&bed,
          "CALL yore.diff($a, $b) YIELD change, element, externalId, before, after "
          "WITH * ORDER BY change, element RETURN change, element, before.name, after.name",
          "'changed', 'node', 'old', 'cart'; 'removed', 'relationship', null, null");
    ASKED(&bed,
          "CALL yore.changes($a, $b) YIELD change, externalId, time "
          "RETURN change, time.epochSeconds - 1000000000",
          "'changed', 20; 'removed', 30");
    ASKED(&bed,
          "CALL yore.history('cart') YIELD version, validFrom, validTo "
          "RETURN version.name, validFrom.epochSeconds - 1000000000, validTo",
          "'old', 10, '2001-09-09T01:47Z'; 'cart', 20, null");
    ASKED(&bed, "MATCH (n {name: 'cart'}) CALL yore.history(n) YIELD version RETURN version.name",
          "'old'; 'cart'");
    ASKED(&bed, "CALL yore.history('nobody') YIELD version RETURN version", "");
    ASKED(&bed, "CALL yore.history(true) YIELD version RETURN version",
          "! TypeError InvalidArgumentType");
    query_bed_close(&bed);
}

TEST(a_timeline_counts_changes_in_buckets_and_neighbours_are_found)
{
    struct query_bed bed;
    open_calls(&bed);
    give(&bed, "a", integer(AT(5)));
    give(&bed, "b", integer(AT(45)));
    ASKED(&bed,
          "CALL yore.timeline($a, $b, 4) YIELD from, added, changed, removed "
          "RETURN from.epochSeconds - 1000000000, added, changed, removed",
          "5, 3, 0, 0; 15, 0, 1, 0; 25, 0, 0, 1; 35, 1, 0, 0");
    ASKED(&bed, "CALL yore.timeline($b, $a, 4) YIELD added RETURN added",
          "! ArgumentError NumberOutOfRange");
    ASKED(&bed, "CALL yore.timeline($a, $b, 0) YIELD added RETURN added",
          "! ArgumentError NumberOutOfRange");
    ASKED(&bed, "CALL yore.nextChange($a) YIELD time RETURN time.epochSeconds - 1000000000", "10");
    ASKED(&bed, "CALL yore.previousChange($b) YIELD time RETURN time.epochSeconds - 1000000000",
          "40");
    ASKED(&bed, "CALL yore.previousChange($a) YIELD time RETURN time", "");
    query_bed_close(&bed);
}

static bool is_not_before(void *arg, int64_t moment)
{
    return moment >= *(const int64_t *)arg;
}

TEST(intervals_are_found_by_external_ids_too)
{
    struct query_bed bed;
    open_calls(&bed);
    give(&bed, "from", integer(AT(5)));
    give(&bed, "to", integer(AT(50)));
    ASKED(&bed,
          "MATCH (a {externalId: 'cart'})-[:CALLS]->(b) FROM $from TO $to "
          "RETURN a.name, b.externalId, validFrom(b) = interval().from ORDER BY interval().from",
          "'old', 'db', true; 'cart', 'db', false");
    ASKED(&bed, "MATCH (a) FROM $from TO $to WHERE a.externalId = 'db' RETURN a.name", "'db'");
    query_bed_close(&bed);
}

/* A hop of no relationship may be made before the one that would prove its node to be there. */
TEST(a_node_that_is_not_there_at_the_moment_is_nobodys_neighbour)
{
    struct query_bed bed;
    open_calls(&bed);
    give(&bed, "before", integer(AT(5)));
    ASKED(&bed,
          "MATCH (n:Service) MATCH (n)-[r]->(o)-[*0..0]->(m), (n)-[*0..0]->(l) AS OF $before "
          "WHERE NOT l.name IS NULL AND NOT m.name IS NULL RETURN l.name, o.name",
          "");
    query_bed_close(&bed);
}

/* Whoever may look back to 25 only is refused what is before, wherever a statement says it. */
TEST(moments_that_the_caller_may_not_look_at_are_refused)
{
    static const char *const REFUSED[] = {
        "AS OF $old " CALLS,
        "KNOWN $old " CALLS,
        "AS OF $new KNOWN $old " CALLS,
        "MATCH (a) AS OF $old RETURN a",
        "MATCH (a) WHERE EXISTS { MATCH (a)-[:CALLS]->() AS OF $old } RETURN a",
        "MATCH (a)-[:CALLS]->(b) FROM $old TO $new RETURN a.name",
        "CALL yore.diff($old, $new) YIELD id RETURN id",
        "CALL yore.changes($old, $new) YIELD id RETURN id",
        "CALL yore.history('cart') YIELD version RETURN version",
        "CALL yore.history('cart', $old) YIELD version RETURN version",
        "CALL yore.timeline($old, $new, 3) YIELD added RETURN added",
        "CALL yore.previousChange($new) YIELD time RETURN time",
        "CALL yore.nextChange($old) YIELD time RETURN time",
    };
    struct query_bed bed;
    int64_t bound = AT(25);
    open_calls(&bed);
    give(&bed, "old", integer(AT(24)));
    give(&bed, "new", integer(AT(26)));
    bed.options.may_look = is_not_before;
    bed.options.look_arg = &bound;
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
        test_note("%s", REFUSED[i]);
        CHECK_EQ_STR(ask(&bed, REFUSED[i]), "! SecurityError Forbidden");
    }
    CHECK_EQ_STR(ask_at(&bed, CALLS, AT(24)), "! SecurityError Forbidden");
    ASKED(&bed, CALLS, "'cart', 'db'");
    ASKED(&bed, "AS OF 'now' " CALLS, "'cart', 'db'");
    ASKED(&bed, "AS OF $new " CALLS, "'cart', 'db'");
    ASKED(&bed, "MATCH (a {name: 'cart'})-[:CALLS]->(b) FROM $new TO 'now' RETURN count(*)", "2");
    ASKED(&bed, "CALL yore.history('cart', $new) YIELD version RETURN version.name", "'cart'");
    ASKED(&bed, "CALL yore.nextChange($new) YIELD time RETURN count(time)", "1");
    CHECK_EQ_STR(ask_at(&bed, CALLS, AT(26)), "'cart', 'db'");
    query_bed_close(&bed);
}

TEST_MAIN(a_node_that_is_not_there_at_the_moment_is_nobodys_neighbour,
          intervals_are_found_by_external_ids_too,
          moments_that_the_caller_may_not_look_at_are_refused, a_statement_is_as_of_a_moment,
          each_match_has_a_moment_of_its_own_and_elements_keep_it,
          a_way_of_no_relationship_needs_its_node_at_the_moment_too, known_is_what_was_known_then,
          labels_indexes_counts_and_traversals_are_as_of_the_moment_too,
          a_write_as_of_the_past_is_refused, a_pattern_tells_every_interval_in_which_it_held,
          diff_changes_and_history_tell_what_became_of_elements,
          a_timeline_counts_changes_in_buckets_and_neighbours_are_found)
