/* Scopes, slots, aggregates, and every error that is told before anything runs. */
#include "query/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "query/limits.h"
#include "query/parser.h"
#include "support/test.h"

struct resolved {
    struct arena arena;
    struct statement *statement;
    struct query_error error;
    enum yore_status status;
};

static struct resolved resolve(const char *text)
{
    struct resolved r = {.statement = NULL};
    arena_init(&r.arena, 0);
    r.status = query_parse(bytes_of(text, strlen(text)), &r.arena, &r.statement, &r.error);
    CHECK_MSG(r.status == YORE_OK, "%s", r.error.error.text);
    r.status = query_resolve(r.statement, &r.arena, NULL, &r.error);
    return r;
}

static const struct clause *clause_of(const struct resolved *r, uint32_t index)
{
    return &r->statement->body.queries[0].clauses[index];
}

static const struct projection *last_projection(const struct resolved *r)
{
    const struct single_query *query = r->statement->body.queries;
    return &query->clauses[query->clause_count - 1].as.projection;
}

static const struct {
    const char *text;
    const char *detail;
} mistakes[] = {
    {"RETURN x", "UndefinedVariable"},
    {"MATCH (n) WITH n.x AS x RETURN n", "UndefinedVariable"},
    {"MATCH (n) RETURN [x IN [1] | x] AS l, x", "UndefinedVariable"},
    {"MATCH (n) WHERE EXISTS { (n)-->(m) } RETURN m", "UndefinedVariable"},
    {"MATCH (n) WHERE (n)-->(m) RETURN n", "UndefinedVariable"},
    {"MATCH (n) RETURN DISTINCT n.x ORDER BY n.y", "UndefinedVariable"},
    {"MATCH (n) CALL { RETURN n.x AS x } RETURN x", "UndefinedVariable"},
    {"MATCH (n) CALL (m) { RETURN 1 AS x } RETURN x", "UndefinedVariable"},
    {"UNWIND [1] AS x UNWIND [2] AS x RETURN x", "VariableAlreadyBound"},
    {"MATCH (n) CREATE (n)", "VariableAlreadyBound"},
    {"MATCH (n) CREATE (n:L)-[:T]->()", "VariableAlreadyBound"},
    {"MATCH (a)-[r]->(b) MERGE (a)-[r]->(b)", "VariableAlreadyBound"},
    {"MATCH p = (p) RETURN p", "VariableAlreadyBound"},
    {"MATCH (n) CALL { RETURN 1 AS n } RETURN n", "VariableAlreadyBound"},
    {"CALL db.labels() YIELD label CALL db.labels() YIELD label RETURN 1", "VariableAlreadyBound"},
    {"MATCH (n)-[n]->() RETURN n", "VariableTypeConflict"},
    {"WITH 1 AS n MATCH (n) RETURN n", "VariableTypeConflict"},
    {"WITH [1] AS r MATCH ()-[r*]->() RETURN r", "VariableTypeConflict"},
    {"MATCH p = ()-->() MATCH (p) RETURN p", "VariableTypeConflict"},
    {"MATCH ()-[r]->()<-[r]-() RETURN r", "RelationshipUniquenessViolation"},
    {"MATCH (n) WHERE count(n) > 1 RETURN n", "InvalidAggregation"},
    {"MATCH (n) RETURN n.x ORDER BY count(n)", "InvalidAggregation"},
    {"MATCH (n) WITH n.x AS x WHERE count(*) > 1 RETURN x", "InvalidAggregation"},
    {"RETURN [x IN [1] WHERE count(*) > 1 | x]", "InvalidAggregation"},
    {"UNWIND count(*) AS x RETURN x", "InvalidAggregation"},
    {"MATCH (n) SET n.x = count(*)", "InvalidAggregation"},
    {"RETURN sum(count(*))", "NestedAggregation"},
    {"MATCH (n) RETURN n.x + count(*)", "AmbiguousAggregationExpression"},
    {"MATCH (n) RETURN n.x + n.y, n.x + n.y + count(*)", "AmbiguousAggregationExpression"},
    {"RETURN 1 AS a, 2 AS a", "ColumnNameConflict"},
    {"MATCH (n) WITH n.x RETURN 1", "NoExpressionAlias"},
    {"CALL { RETURN 1 + 1 } RETURN 1", "NoExpressionAlias"},
    {"MATCH () RETURN *", "NoVariablesInScope"},
    {"RETURN 1 AS a UNION RETURN 2 AS b", "DifferentColumnsInUnion"},
    {"RETURN 1 AS a UNION RETURN 2 AS a, 3 AS b", "DifferentColumnsInUnion"},
    {"CREATE ()-[:T*2]->()", "CreatingVarLength"},
    {"CREATE ()-->()", "NoSingleRelationshipType"},
    {"MERGE ()-[:A|B]->()", "NoSingleRelationshipType"},
    {"CREATE ()-[:T]-()", "RequiresDirectedRelationship"},
    {"MATCH (n $p) RETURN n", "InvalidParameterUse"},
    {"MERGE (n $p)", "InvalidParameterUse"},
    {"RETURN (a)-->(b)", "UnexpectedSyntax"},
    {"MATCH (n) RETURN size((n)-->())", "UnexpectedSyntax"},
    {"MATCH (n) RETURN n MATCH (m) RETURN m", "UnexpectedSyntax"},
    {"MATCH (n)", "UnexpectedSyntax"},
    {"WITH 1 AS x", "UnexpectedSyntax"},
    {"RETURN COLLECT { MATCH (n) RETURN n, 1 AS x }", "UnexpectedSyntax"},
    {"RETURN abs(DISTINCT 1)", "UnexpectedSyntax"},
    {"RETURN nosuch(1)", "UnknownFunction"},
    {"RETURN abs()", "InvalidNumberOfArguments"},
    {"RETURN count(1, 2)", "InvalidNumberOfArguments"},
    {"CALL db.labels(1)", "InvalidNumberOfArguments"},
    {"RETURN 1 LIMIT -1", "NegativeIntegerArgument"},
    {"RETURN 1 SKIP 1.5", "InvalidArgumentType"},
    {"MATCH (n) RETURN n LIMIT n.x", "NonConstantExpression"},
    {"RETURN count(rand())", "NonConstantExpression"},
    {"MATCH (n) AS OF n.x RETURN n", "NonConstantExpression"},
    {"AS OF true RETURN 1", "InvalidArgumentType"},
    {"MATCH (n) WHERE n RETURN n", "InvalidArgumentType"},
    {"RETURN 1 AND true", "InvalidArgumentType"},
    {"RETURN NOT 'a'", "InvalidArgumentType"},
    {"RETURN 1 IN 2", "InvalidArgumentType"},
    {"RETURN any(x IN ['a'] WHERE x % 2 = 0)", "InvalidArgumentType"},
    {"WITH 1 AS x RETURN x.y", "InvalidArgumentType"},
    {"WITH 1 AS x RETURN x[0]", "InvalidArgumentType"},
    {"MATCH (n) DELETE 1 + 1", "InvalidArgumentType"},
    {"MATCH (n) SET n = 1", "InvalidArgumentType"},
    {"MATCH (n) DELETE n:L", "InvalidDelete"},
    {"MATCH (n) WHERE EXISTS { MATCH (n) SET n.x = 1 } RETURN n", "InvalidClauseComposition"},
    {"AS OF '-1h' CREATE (n)", "InvalidClauseComposition"},
    {"MATCH (n) AS OF '-1h' SET n.x = 1", "InvalidClauseComposition"},
    {"MATCH (n) CALL { WITH n SET n.x = 1 } RETURN COUNT { MATCH (m) AS OF 1 }",
     "InvalidClauseComposition"},
    {"CALL no.such()", "ProcedureNotFound"},
    {"CALL db.labels() YIELD nothing RETURN 1", "UndefinedVariable"},
    {"MATCH (n) CALL db.labels() YIELD * RETURN n", "UnexpectedSyntax"},
    {"MERGE ({x: null})", "MergeReadOwnWrites"},
    {"CREATE (a) SET a.x = [{y: 1}]", "InvalidPropertyType"},
    {"MATCH (n) CREATE ({x: [n]})", "InvalidPropertyType"},
    {"MATCH (n)-[r]->() SET r.x = n", "InvalidPropertyType"},
    {"RETURN 1 \xe2\x80\x94 1", "InvalidUnicodeCharacter"},
};

TEST(errors_have_the_kits_type_and_detail)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct resolved r = {.statement = NULL};
        const char *text = mistakes[i].text;
        test_note("%s", text);
        arena_init(&r.arena, 0);
        r.status = query_parse(bytes_of(text, strlen(text)), &r.arena, &r.statement, &r.error);
        if (r.status == YORE_OK) {
            r.status = query_resolve(r.statement, &r.arena, NULL, &r.error);
        }
        CHECK_STATUS(r.status, YORE_INVALID);
        CHECK(r.error.is_compile_time);
        CHECK(r.error.type != NULL);
        CHECK_EQ_STR(r.error.detail, mistakes[i].detail);
        arena_release(&r.arena);
    }
}

TEST(statements_of_every_kind_resolve)
{
    static const char *const cases[] = {
        "MATCH () WITH * CREATE ()",
        "MATCH (n) WITH n.x AS x WHERE n.y = 1 RETURN x",
        "MATCH (n) RETURN n.x AS x ORDER BY n.y, x",
        "MATCH (n) RETURN n, n.x + count(*)",
        "MATCH (n) RETURN n.x, n.x + count(*) ORDER BY n.x + count(*), count(*) DESC",
        "MATCH (n) RETURN DISTINCT n.x AS x ORDER BY n.x",
        "MATCH (n) RETURN DISTINCT n ORDER BY n.x",
        "MATCH (n) RETURN [x IN collect(n.x) WHERE x > 1 | x] AS l",
        "MATCH (n) RETURN size([(n)-->(m) | m.x]) AS s, count(*) AS c",
        "MATCH (n) WITH n, count { (n)-->() } AS c ORDER BY c RETURN n",
        "MATCH (a)-[r]->(b) MATCH (a)-[r]->(b) RETURN r",
        "MATCH ()-[r*]->() MATCH ()-[r*]->() RETURN r",
        "OPTIONAL MATCH (n) WITH n MATCH (n)-->(m) RETURN m",
        "WITH null AS n MATCH (n) RETURN n",
        "MATCH (n) CALL { WITH n MATCH (n)--(m) RETURN m UNION WITH n RETURN n AS m } RETURN m",
        "MATCH (n) CALL (*) { RETURN n.x AS x } RETURN x",
        "MATCH (a), (b) CREATE (a)-[:T]->(b)-[:U {x: a.x}]->(c {y: b.y})",
        "MATCH (a {x: b.x}), (b) RETURN a",
        "FOREACH (x IN [1] | CREATE (n {v: x}) SET n.w = x)",
        "MATCH (n) DELETE n, [n][0], {k: n}.k",
        "MATCH (n) RETURN n.x AS a UNION ALL MATCH (m) RETURN m AS a",
        "RETURN 1 AS a, 2 AS b UNION RETURN 3 AS b, 4 AS a",
        "CALL db.labels",
        "MATCH (n) AS OF $t KNOWN '-1h' WHERE NOT EXISTS { MATCH (n) AS OF $u } RETURN n",
        "FROM 1 TO 2 MATCH (n) RETURN n",
        "MATCH (n) RETURN n LIMIT toInteger(1.5) + $x",
        "RETURN -1 - 1",
        "CREATE (a {x: null, y: [], z: [1], w: [null]}) SET a.x = null, a.y = $p, a.z = [1, 'a']",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resolved r = resolve(cases[i]);
        test_note("%s", cases[i]);
        CHECK_MSG(r.status == YORE_OK, "%s", r.error.error.text);
        arena_release(&r.arena);
    }
}

TEST(a_name_passed_on_keeps_its_slot_and_a_new_meaning_gets_another)
{
    struct resolved r = resolve("MATCH (n)-[r]->() WITH n, r.x AS r MATCH (n)-[s]->() RETURN n, r");
    CHECK_OK(r.status);
    const struct path_pattern *first = clause_of(&r, 0)->as.match.pattern.paths;
    const struct path_pattern *second = clause_of(&r, 2)->as.match.pattern.paths;
    const struct projection *with = &clause_of(&r, 1)->as.projection;
    CHECK_EQ_UINT(with->items[0].slot, first->nodes[0].slot);
    CHECK_EQ_UINT(second->nodes[0].slot, first->nodes[0].slot);
    CHECK(second->nodes[0].is_bound);
    CHECK(!first->nodes[0].is_bound);
    CHECK(with->items[1].slot != first->relationships[0].slot);
    CHECK_EQ_UINT(last_projection(&r)->items[1].slot, with->items[1].slot);
    arena_release(&r.arena);
}

TEST(equal_aggregates_are_computed_once)
{
    struct resolved r =
        resolve("MATCH (n) RETURN n.x AS x, count(n.y) + sum(n.y) AS a, count(n.y) AS b, "
                "count(*), count(DISTINCT n.y) ORDER BY count(n.y), sum(n.y)");
    CHECK_OK(r.status);
    CHECK_EQ_UINT(last_projection(&r)->aggregate_count, 4);
    CHECK(!last_projection(&r)->items[0].has_aggregate);
    CHECK(last_projection(&r)->items[1].has_aggregate);
    arena_release(&r.arena);
}

TEST(grouping_keys_are_read_from_their_columns)
{
    struct resolved r = resolve("MATCH (n) RETURN n.x AS x, n.x + count(*) AS y ORDER BY n.x");
    const struct projection *projection = last_projection(&r);
    CHECK_OK(r.status);
    const struct expr *sum = projection->items[1].value;
    CHECK_EQ_INT(sum->as.binary.left->kind, EXPR_VARIABLE);
    CHECK_EQ_UINT(sum->as.binary.left->as.variable.slot, projection->items[0].slot);
    CHECK_EQ_INT(projection->sorts[0].value->kind, EXPR_VARIABLE);
    CHECK_EQ_UINT(projection->sorts[0].value->as.variable.slot, projection->items[0].slot);
    arena_release(&r.arena);
}

TEST(a_star_stands_for_all_names_in_order)
{
    struct resolved r = resolve("MATCH (b)-[c]->(a) RETURN *, b.x AS d");
    static const char names[] = "abcd";
    CHECK_OK(r.status);
    CHECK_EQ_UINT(r.statement->body.column_count, 4);
    for (size_t i = 0; i < 4; i++) {
        struct yore_bytes name = r.statement->body.columns[i].name;
        CHECK_EQ_BYTES(name.data, name.size, &names[i], 1);
    }
    arena_release(&r.arena);
}

TEST(columns_of_a_union_are_matched_by_name)
{
    struct resolved r = resolve("RETURN 1 AS a, 2 AS b UNION RETURN 3 AS b, 4 AS a");
    CHECK_OK(r.status);
    const struct query_part *body = &r.statement->body;
    const struct projection *second = &body->queries[1].clauses[0].as.projection;
    CHECK_EQ_UINT(body->column_slots[1][0], second->items[1].slot);
    CHECK_EQ_UINT(body->column_slots[1][1], second->items[0].slot);
    CHECK(body->columns[0].slot != body->column_slots[0][0]);
    arena_release(&r.arena);
}

TEST(a_subquery_tells_what_it_takes_from_outside)
{
    struct resolved r = resolve(
        "MATCH (a), (b), (c) CALL { WITH a MATCH (a)-->(d) WHERE EXISTS { (d)-->(a) } RETURN d } "
        "RETURN COUNT { (b)-->(d) } AS n, c");
    CHECK_OK(r.status);
    const struct path_pattern *paths = clause_of(&r, 0)->as.match.pattern.paths;
    const struct clause *call = clause_of(&r, 1);
    CHECK_EQ_UINT(call->as.subquery.import_count, 1);
    CHECK_EQ_UINT(call->as.subquery.imports[0], paths[0].nodes[0].slot);
    const struct query_part *count = last_projection(&r)->items[0].value->as.subquery;
    CHECK_EQ_UINT(count->import_count, 2);
    CHECK_EQ_UINT(count->imports[0], paths[1].nodes[0].slot);
    arena_release(&r.arena);
}

TEST(parameters_and_properties_are_numbered_once_each)
{
    struct resolved r = resolve("MATCH (n {x: $a}) WHERE n.x = $b AND n.y = $a RETURN n.x, $b, $0");
    CHECK_OK(r.status);
    CHECK_EQ_UINT(r.statement->parameter_count, 3);
    CHECK_EQ_UINT(r.statement->property_count, 2);
    const struct projection *projection = last_projection(&r);
    CHECK_EQ_UINT(projection->items[0].value->as.property.cache, 0);
    CHECK_EQ_UINT(projection->items[1].value->as.parameter.index, 1);
    arena_release(&r.arena);
}

TEST(writing_is_told_wherever_it_is)
{
    static const struct {
        const char *text;
        bool writes;
    } cases[] = {
        {"RETURN 1", false},
        {"MATCH (n) SET n.x = 1", true},
        {"MATCH (n) CALL { WITH n SET n.x = 1 } RETURN n", true},
        {"MATCH (n) CALL { WITH n RETURN n.x AS x } RETURN x", false},
        {"RETURN 1 AS x UNION CREATE (n) RETURN 2 AS x", true},
        {"FOREACH (x IN [] | CREATE ())", true},
        {"CREATE INDEX FOR (n:A) ON (n.x)", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resolved r = resolve(cases[i].text);
        test_note("%s", cases[i].text);
        CHECK_OK(r.status);
        CHECK_EQ_INT(r.statement->body.writes, cases[i].writes);
        arena_release(&r.arena);
    }
}

TEST(a_name_that_is_nearly_one_is_told)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        {"MATCH (person) RETURN pesron", "did you mean `person`?"},
        {"RETURN toUper('a')", "did you mean toUpper()?"},
        {"CALL db.label()", "did you mean db.labels?"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resolved r = resolve(cases[i].text);
        CHECK_STATUS(r.status, YORE_INVALID);
        CHECK_MSG(strstr(r.error.error.text, cases[i].want) != NULL, "%s", r.error.error.text);
        arena_release(&r.arena);
    }
}

TEST(slots_are_bounded)
{
    size_t size = (size_t)QUERY_SLOTS_MAX * 4 + 64;
    char *text = malloc(size);
    CHECK(text != NULL);
    size_t at = (size_t)snprintf(text, size, "MATCH ()");
    for (size_t i = 0; i < QUERY_SLOTS_MAX; i++) {
        memcpy(text + at, ",()", 4);
        at += 3;
    }
    memcpy(text + at, " RETURN 1", 10);
    struct resolved r = resolve(text);
    CHECK_STATUS(r.status, YORE_TOO_BIG);
    arena_release(&r.arena);
    free(text);
}

TEST(running_out_of_memory_is_told_at_every_allocation)
{
    static const char text[] =
        "MATCH p = (a:A {x: $p})-[r:R|S*1..3]->(b) WHERE [x IN a.l WHERE x > 1 | x] = ['q\\n', "
        "1.5] "
        "AND EXISTS { (a)--(c) WHERE c.x = $q } WITH *, count(*) AS n ORDER BY n, a.x "
        "CALL { WITH n RETURN n + 1 AS m UNION RETURN 2 AS m } CALL db.labels() YIELD label "
        "FOREACH (x IN [1] | MERGE (:B {x: x})) RETURN DISTINCT *, [(a)-->(d) | d.y] AS l";
    uint64_t failures = 0;
    for (uint64_t nth = 1; nth < 10000; nth++) {
        struct arena arena;
        struct statement *statement = NULL;
        struct query_error error = {.type = NULL};
        arena_init(&arena, 64);
        mem_fail_at(nth, true);
        enum yore_status st =
            query_parse(bytes_of(text, sizeof(text) - 1), &arena, &statement, &error);
        if (st == YORE_OK) {
            st = query_resolve(statement, &arena, NULL, &error);
        }
        mem_fail_at(0, false);
        arena_release(&arena);
        if (st == YORE_OK) {
            break;
        }
        failures++;
        CHECK_STATUS(st, YORE_NOMEM);
        CHECK_STATUS(error.error.status, YORE_NOMEM);
    }
    CHECK(failures > 5);
}

TEST_MAIN(errors_have_the_kits_type_and_detail, statements_of_every_kind_resolve,
          a_name_passed_on_keeps_its_slot_and_a_new_meaning_gets_another,
          equal_aggregates_are_computed_once, grouping_keys_are_read_from_their_columns,
          a_star_stands_for_all_names_in_order, columns_of_a_union_are_matched_by_name,
          a_subquery_tells_what_it_takes_from_outside,
          parameters_and_properties_are_numbered_once_each, writing_is_told_wherever_it_is,
          a_name_that_is_nearly_one_is_told, slots_are_bounded,
          running_out_of_memory_is_told_at_every_allocation)
