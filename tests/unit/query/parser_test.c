/* The tree of a statement, and errors that show the spot. */
#include "query/parser.h"

#include <stdlib.h>
#include <string.h>

#include "query/limits.h"
#include "support/test.h"

struct parsed {
    struct arena arena;
    struct statement *statement;
    struct query_error error;
    enum yore_status status;
};

static struct parsed parse_bytes(const char *text, size_t size)
{
    struct parsed p = {.statement = NULL};
    arena_init(&p.arena, 0);
    p.status = query_parse(bytes_of(text, size), &p.arena, &p.statement, &p.error);
    return p;
}

static struct parsed parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

TEST(statements_of_every_kind_are_read)
{
    static const char *const cases[] = {
        "RETURN 1",
        "return 1;",
        "EXPLAIN MATCH (n) RETURN n",
        "PROFILE RETURN 1",
        "MATCH (a:A:B {x: 1})-[r:R|S|:T*1..3 {y: 2}]->(b)<--(c)--(d)<-->(e) RETURN *",
        "MATCH (a:A&`b c`) RETURN a",
        "MATCH p = shortestPath((a)-[*]-(b)), q = allShortestPaths((a)-[:R*..3]->(b)) RETURN p, q",
        "MATCH ((a)-->(b)) RETURN a",
        "OPTIONAL MATCH (n) WHERE n.x IS NOT NULL AND NOT n.y IS NULL RETURN n",
        "MATCH (n) WITH DISTINCT n, n.x AS x ORDER BY x DESC, n.y ASCENDING SKIP 1 LIMIT $l "
        "WHERE x > 1 RETURN *, x AS y",
        "UNWIND [1, 2] AS x RETURN x UNION RETURN 2 AS x UNION RETURN 3 AS x",
        "CREATE (a:A $props)-[:R {k: 1}]->(b)",
        "MERGE (a {x: 1}) ON CREATE SET a.y = 1, a:L ON MATCH SET a += {z: 1} ON CREATE SET a = $m",
        "MATCH (n) SET n.x = 1, (n).y.z = 2, n = {}, n += $p, n:A:B REMOVE n.x, n:A",
        "MATCH (n) DETACH DELETE n",
        "MATCH (n) DELETE n, n.x",
        "FOREACH (x IN [1, 2] | CREATE (:N {v: x}) FOREACH (y IN [x] | SET n.y = y))",
        "CALL db.labels",
        "CALL db.labels() YIELD label AS l WHERE l STARTS WITH 'A' RETURN l",
        "CALL db.labels() YIELD *",
        "MATCH (n) CALL { WITH n MATCH (n)--(m) RETURN count(m) AS c } RETURN n, c",
        "MATCH (n) CALL (n) { RETURN n.x AS x UNION RETURN 1 AS x } RETURN x",
        "MATCH (n) WHERE EXISTS { (n)-->() } AND EXISTS { MATCH (n) WHERE n.x = 1 RETURN n } "
        "AND exists((n)-->()) AND exists(n.x) RETURN COUNT { (n)--() } AS c, "
        "COLLECT { MATCH (n)--(m) RETURN m.x } AS l",
        "RETURN [x IN [1, 2] WHERE x > 1 | x * 2] AS a, [x IN l] AS b, [(a)-->(b) | b.x] AS c, "
        "[p = (a)-->(b) WHERE b.x | p] AS d, [1, 'a', [null]] AS e",
        "RETURN all(x IN l WHERE x) AND any(x IN l WHERE x) AND none(x IN l WHERE x) AND "
        "single(x IN l WHERE x), reduce(a = 0, x IN l | a + x)",
        "RETURN n {.x, .*, y: 1, z} AS m, {} AS e, {a: 1, `b c`: {d: 2}} AS f",
        "RETURN CASE WHEN a THEN 1 ELSE 2 END, CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' END",
        "RETURN l[0], l[1..2], l[..2], l[1..], l[..], n.a.b[0].c, n:A:B, $p.x, $0, $`a b`",
        "RETURN -1, +1, - -1, 2 ^ 3 ^ 4, 1 + 2 * 3 % 4 / 5 - 6, -9223372036854775808",
        "RETURN 1 < 2 <= 3 <> 4 = 5 >= 6 > 7, a =~ 'x', a IN [1], a CONTAINS 'b', a ENDS WITH 'c'",
        "RETURN count(*), count(DISTINCT x), date.truncate('day', d), toUpper('x')",
        "CREATE INDEX FOR (n:A) ON (n.x)",
        "CREATE RANGE INDEX name IF NOT EXISTS FOR (n:A) ON n.x",
        "CREATE INDEX ON :A(x)",
        "DROP INDEX ON :A(x)",
        "DROP INDEX name IF EXISTS",
        "CREATE CONSTRAINT name FOR (n:A) REQUIRE n.x IS UNIQUE",
        "CREATE CONSTRAINT ON (n:A) ASSERT (n.x) IS UNIQUE",
        "DROP CONSTRAINT name",
        "DROP CONSTRAINT ON (n:A) ASSERT n.x IS UNIQUE",
        "AS OF '-1h' MATCH (n) RETURN n",
        "AS OF $t KNOWN '-30m' MATCH (n) AS OF $t1 WHERE n.x = 1 RETURN n",
        "KNOWN '-30m' MATCH (n) KNOWN $t RETURN n",
        "FROM $a TO $b MATCH (n) RETURN n",
        "MATCH (n) FROM $a TO $b KNOWN $c WHERE n.x = 1 RETURN n",
        "MATCH (order:Order)-[set:SET]->(then) WITH order, set AS limit, then.skip AS skip "
        "WHERE order.x > limit[0] RETURN order AS match, limit ORDER BY order SKIP 1 LIMIT 2",
        "MATCH (from)-[to]->(of {known: 1}) RETURN from, to, of.as, of.`match`, of.match",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse(cases[i]);
        test_note("%s", cases[i]);
        CHECK_MSG(p.status == YORE_OK, "%s", p.error.error.text);
        arena_release(&p.arena);
    }
}

TEST(errors_tell_what_was_expected_and_where)
{
    static const struct {
        const char *text;
        const char *detail;
        const char *want; /* part of the message */
    } cases[] = {
        {"MATCH (n) RETRUN n", "UnexpectedSyntax", "found `RETRUN`; did you mean RETURN?"},
        {"MTACH (n) RETURN n", "UnexpectedSyntax", "did you mean MATCH?"},
        {"MATCH (n) WERE n.x = 1 RETURN n", "UnexpectedSyntax", "did you mean WHERE?"},
        {"MATCH (n) RETURN n ODER BY n", "UnexpectedSyntax", "did you mean ORDER?"},
        {"MATCH (n) WHERE n.x CONTIANS 'a' RETURN n", "UnexpectedSyntax", "did you mean CONTAINS?"},
        {"MATCH (n) RETURN n LIMT 1", "UnexpectedSyntax", "did you mean LIMIT?"},
        {"MATCH (n WHERE RETURN n", "UnexpectedSyntax", "or ')' but found `WHERE`"},
        {"MATCH (n) WHERE RETURN n", "UnexpectedSyntax",
         "expected an expression but found `RETURN`"},
        {"RETURN", "UnexpectedSyntax", "found the end"},
        {"", "UnexpectedSyntax", "found the end"},
        {"RETURN [1, 2", "UnexpectedSyntax", "found the end"},
        {"RETURN 1 2", "UnexpectedSyntax", "found `2`"},
        {"RETURN {, }", "UnexpectedSyntax", "a name"},
        {"RETURN 12x", "InvalidNumberLiteral", "this is not a number"},
        {"RETURN 9223372036854775808", "IntegerOverflow", "64 bits"},
        {"RETURN -9223372036854775809", "IntegerOverflow", "64 bits"},
        {"RETURN 1e999", "FloatingPointOverflow", "greater than any"},
        {"RETURN '\\u12'", "InvalidUnicodeLiteral", "four hexadecimal digits"},
        {"MATCH (a)-[:T..]->(b) RETURN a", "InvalidRelationshipPattern", "*1..3"},
        {"MATCH p = shortestPath((a)) RETURN p", "InvalidRelationshipPattern", "one relationship"},
        {"RETURN 1 AS a UNION RETURN 2 AS a UNION ALL RETURN 3 AS a", "InvalidClauseComposition",
         "cannot be mixed"},
        {"FOREACH (x IN [1] | RETURN x)", "InvalidClauseComposition", "FOREACH"},
        {"CREATE INDEX FOR (n:A) ON (m.x)", "UndefinedVariable", "not the variable"},
        {"MATCH (n) AS OF 1 FROM 1 TO 2 RETURN n", "UnexpectedSyntax", "found `FROM`"},
        {"FROM 1 RETURN 2", "UnexpectedSyntax", "expected TO"},
        {"MATCH (n:) RETURN n", "UnexpectedSyntax", "expected a name"},
        {"SET n = 1, m", "UnexpectedSyntax", "'='"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse(cases[i].text);
        test_note("%s\n%s", cases[i].text, p.error.error.text);
        CHECK_STATUS(p.status, YORE_INVALID);
        CHECK(p.statement == NULL);
        CHECK(p.error.is_compile_time);
        CHECK_EQ_STR(p.error.type, "SyntaxError");
        CHECK_EQ_STR(p.error.detail, cases[i].detail);
        CHECK_MSG(strstr(p.error.error.text, cases[i].want) != NULL, "%s", p.error.error.text);
        arena_release(&p.arena);
    }
}

TEST(the_spot_is_underlined_in_its_line)
{
    struct parsed p = parse("MATCH (größe)\nRETRUN größe\nLIMIT 1");
    CHECK_STATUS(p.status, YORE_INVALID);
    const char *line = strchr(p.error.error.text, '\n');
    CHECK(line != NULL);
    CHECK_EQ_STR(line + 1, "line 2: RETRUN gr\xc3\xb6\xc3\x9f"
                           "e\n        ^^^^^^");
    arena_release(&p.arena);
}

TEST(what_is_not_supported_is_refused_by_name)
{
    static const char *const cases[] = {
        "LOAD CSV FROM 'x' AS row RETURN row",
        "MATCH (n) CALL { WITH n SET n.x = 1 } IN TRANSACTIONS",
        "CREATE INDEX FOR ()-[r:T]-() ON (r.x)",
        "CREATE INDEX FOR (n:A) ON (n.x, n.y)",
        "CREATE CONSTRAINT FOR (n:A) REQUIRE n.x IS NOT NULL",
        "CREATE FULLTEXT INDEX x FOR (n:A) ON EACH [n.x]",
        "CREATE INDEX FOR (n:A) ON (n.x) OPTIONS {a: 1}",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse(cases[i]);
        test_note("%s", cases[i]);
        CHECK_STATUS(p.status, YORE_UNSUPPORTED);
        CHECK_STATUS(p.error.error.status, YORE_UNSUPPORTED);
        arena_release(&p.arena);
    }
}

static const struct projection *first_return(const struct parsed *p)
{
    const struct single_query *query = p->statement->body.queries;
    return &query->clauses[query->clause_count - 1].as.projection;
}

TEST(columns_are_named_by_the_text_as_written)
{
    struct parsed p = parse("RETURN n.x+ 1 , count( * ),(a), `b c`, x AS y, 'a' /* c */ AS z");
    static const char *const want[] = {"n.x+ 1", "count( * )", "a", "b c", "y", "z"};
    CHECK_OK(p.status);
    const struct projection *projection = first_return(&p);
    CHECK_EQ_UINT(projection->item_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        struct yore_bytes name = projection->items[i].name;
        CHECK_EQ_BYTES(name.data, name.size, want[i], strlen(want[i]));
    }
    arena_release(&p.arena);
}

TEST(a_parenthesis_is_a_pattern_only_where_one_follows)
{
    static const struct {
        const char *text;
        enum expr_kind kind;
    } cases[] = {
        {"RETURN (a)", EXPR_VARIABLE},        {"RETURN (a)-(b)", EXPR_BINARY},
        {"RETURN (a)--(b)", EXPR_PATTERN},    {"RETURN (a)-[b]", EXPR_BINARY},
        {"RETURN (a)-[b]-(c)", EXPR_PATTERN}, {"RETURN (a)<-(b)", EXPR_COMPARISON},
        {"RETURN (a)<--(b)", EXPR_PATTERN},   {"RETURN (a)-[b]-c", EXPR_BINARY},
        {"RETURN (a:B)", EXPR_HAS_LABELS},    {"RETURN (a:B)-->()", EXPR_PATTERN},
        {"RETURN ((a)-->(b))", EXPR_PATTERN}, {"RETURN ()--()", EXPR_PATTERN},
        {"RETURN (a + b)--(c)", EXPR_BINARY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse(cases[i].text);
        test_note("%s", cases[i].text);
        CHECK_OK(p.status);
        CHECK_EQ_INT(first_return(&p)->items[0].value->kind, cases[i].kind);
        arena_release(&p.arena);
    }
}

static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
    size_t size = strlen(part);
    char *text = malloc(strlen(head) + size * count + strlen(tail) + 1);
    CHECK(text != NULL);
    size_t at = strlen(head);
    memcpy(text, head, at);
    for (size_t i = 0; i < count; i++, at += size) {
        memcpy(text + at, part, size);
    }
    memcpy(text + at, tail, strlen(tail) + 1);
    return text;
}

TEST(nesting_and_height_are_bounded)
{
    static const struct {
        const char *part;
        size_t fits;
        size_t over;
        const char *tail;
    } cases[] = {
        {"(", QUERY_DEPTH_MAX / 2, QUERY_DEPTH_MAX + 1, "1"},
        {"[", QUERY_DEPTH_MAX / 2, QUERY_DEPTH_MAX + 1, "1"},
        {"{a: ", QUERY_DEPTH_MAX / 2, QUERY_DEPTH_MAX + 1, "1"},
        {"CASE WHEN true THEN ", QUERY_DEPTH_MAX / 2, QUERY_DEPTH_MAX + 1, "1"},
        {"EXISTS { MATCH (a) WHERE ", QUERY_DEPTH_MAX / 4, QUERY_DEPTH_MAX + 1, "1"},
        {"1 + ", QUERY_HEIGHT_MAX - 1, QUERY_HEIGHT_MAX, "1"},
        {"NOT ", QUERY_HEIGHT_MAX - 1, QUERY_HEIGHT_MAX, "true"},
        {"- ", QUERY_HEIGHT_MAX - 1, QUERY_HEIGHT_MAX, "a"},
        {"a.b IS NULL OR ", QUERY_HEIGHT_MAX * 10, 0, "true"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("%s", cases[i].part);
        char *over = repeat("RETURN ", cases[i].part, cases[i].over, cases[i].tail);
        struct parsed p = parse(over);
        CHECK_STATUS(p.status, cases[i].over == 0 ? YORE_OK : YORE_TOO_BIG);
        arena_release(&p.arena);
        free(over);
        char *fits = repeat("RETURN ", cases[i].part, cases[i].fits, cases[i].tail);
        p = parse(fits);
        CHECK(p.status != YORE_TOO_BIG);
        arena_release(&p.arena);
        free(fits);
    }
}

TEST(any_cut_of_a_statement_is_parsed_or_refused_with_a_reason)
{
    static const char text[] =
        "AS OF '-1h' MATCH p = (a:A {x: $p})-[r:R|S*1..3]->(b) FROM 1 TO 2 WHERE [x IN l WHERE x > "
        "0x1F "
        "| CASE a WHEN 1 THEN 2.5e3 ELSE EXISTS { (a)--() } END] = 'q\\n' OR n {.x, .*} IS NOT "
        "NULL "
        "WITH *, count(*) AS c ORDER BY c SKIP 1 LIMIT 2 CALL { WITH c RETURN 1 AS d } "
        "FOREACH (x IN [1] | MERGE (a) ON CREATE SET a.x = 1, a:B REMOVE a.y DETACH DELETE a) "
        "RETURN DISTINCT *, reduce(s = 0, x IN l | s + x), [(a)-->(b) | b.x] UNION ALL RETURN 1";
    for (size_t size = 0; size <= sizeof(text) - 1; size++) {
        struct parsed p = parse_bytes(text, size);
        test_note("%zu octets", size);
        CHECK((p.status == YORE_OK) == (p.statement != NULL));
        CHECK(p.status == YORE_OK || p.error.error.text[0] != '\0');
        arena_release(&p.arena);
    }
    struct parsed whole = parse_bytes(text, sizeof(text) - 1);
    CHECK_MSG(whole.status == YORE_OK, "%s", whole.error.error.text);
    arena_release(&whole.arena);
}

TEST_MAIN(statements_of_every_kind_are_read, errors_tell_what_was_expected_and_where,
          the_spot_is_underlined_in_its_line, what_is_not_supported_is_refused_by_name,
          columns_are_named_by_the_text_as_written,
          a_parenthesis_is_a_pattern_only_where_one_follows, nesting_and_height_are_bounded,
          any_cut_of_a_statement_is_parsed_or_refused_with_a_reason)
