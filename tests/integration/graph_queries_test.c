/* graph_queries_test.c -- three real graphs, and questions whose answers as of several moments were
 * computed without any database: asked in the query language, as imported and after a compaction
 * and another opening.
 *
 * `id` in the texts of the questions is the column of the event file: externalId().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/line_source.h"
#include "query/query.h"
#include "query/value_format.h"
#include "support/json_tree.h"
#include "support/test.h"
#include "topology/event_import.h"

#define NS_PER_MS INT64_C(1000000)
#define TEXT_BYTES 65536

/* A question by how its name begins; what follows it is $id, and what follows " -> " is $to. */
struct question {
    const char *name;
    const char *statement;
};

static const struct question QUESTIONS[] = {
    {"pods by health", "MATCH (p:Pod) RETURN p.health AS h, count(*) AS n ORDER BY n DESC, h"},
    {"busiest call edges", "MATCH (a:Pod)-[c:CALLS]->(b:Pod) RETURN externalId(c) AS id, c.calls "
                           "ORDER BY c.calls DESC, id LIMIT 5"},
    {"service call pairs",
     "MATCH (x:Service)<-[:POD_OF]-(:Pod)-[:CALLS]->(:Pod)-[:POD_OF]->(y:Service) "
     "RETURN DISTINCT x.name AS caller, y.name AS callee ORDER BY caller, callee"},
    {"callers transitively above the latest fault",
     "MATCH (f:Fault) WITH f ORDER BY externalId(f) DESC LIMIT 1 "
     "MATCH (f)-[:INJECTED_INTO]->(p)<-[:CALLS*1..4]-(x) "
     "RETURN DISTINCT externalId(x) AS id ORDER BY id"},
    {"hottest pods", "MATCH (p:Pod) RETURN externalId(p) AS id, p.cpu_m "
                     "ORDER BY p.cpu_m DESC, id LIMIT 3"},
    {"airports with most departures",
     "MATCH (a:Airport)-[r:ROUTE]->() RETURN externalId(a) AS id, count(r) AS n "
     "ORDER BY n DESC, id LIMIT 10"},
    {"airlines with most routes", "MATCH ()-[r:ROUTE]->() RETURN r.airline AS airline, "
                                  "count(*) AS n ORDER BY n DESC, airline LIMIT 10"},
    {"fewest flights ",
     "MATCH (a) WHERE externalId(a) = $id MATCH (b) WHERE externalId(b) = $to "
     "OPTIONAL MATCH p = shortestPath((a)-[:ROUTE*..8]->(b)) RETURN length(p) AS len"},
    {"reachable with at most one stop from ",
     "MATCH (a)-[:ROUTE*1..2]->(b) WHERE externalId(a) = $id RETURN count(DISTINCT b) AS n"},
    {"busiest country pairs",
     "MATCH (c1:Country)<-[:IN]-(:Airport)-[r:ROUTE]->(:Airport)-[:IN]->(c2:Country) "
     "WHERE c1 <> c2 RETURN externalId(c1) + ' -> ' + externalId(c2) AS pair, count(r) AS n "
     "ORDER BY n DESC, pair LIMIT 8"},
    {"high airports", "MATCH (a:Airport) WHERE a.alt_ft > 8000 RETURN count(a) AS n"},
    {"pool members by site", "MATCH (h:Host)-[:MEMBER_OF]->(:Cluster)-[:AT_SITE]->(s:Site) "
                             "RETURN s.name AS site, count(*) AS n ORDER BY n DESC, site"},
    {"blast radius of ", "MATCH (c) WHERE externalId(c) = $id "
                         "MATCH (c)<-[:INCLUDES|REQUIRES|DECLARES|CONTAINS|HAS_ROLE*1..4]-(x) "
                         "RETURN count(DISTINCT x) AS n"},
    {"hosts behind each service",
     "MATCH (s:Service) OPTIONAL MATCH (s)-[:BACKED_BY]->()<-[:MEMBER_OF]-(h) "
     "RETURN s.name AS service, count(DISTINCT h) AS n ORDER BY n DESC, service LIMIT 10"},
    {"classes nobody uses",
     "MATCH (c:Class) WHERE c.name IS NOT NULL AND NOT "
     "(c)<-[:INCLUDES|REQUIRES|DECLARES|CONTAINS|INHERITS|HAS_ROLE]-() RETURN count(c) AS n"},
    {"roles with most hosts or host patterns",
     "MATCH (r:Role)<-[:HAS_ROLE]-(h) RETURN r.name AS role, count(DISTINCT h) AS n "
     "ORDER BY n DESC, role LIMIT 5"},
};

struct bed {
    struct arena arena;
    struct yore_db *db;
    struct graph *graph;
};

static void open_graph(struct bed *bed)
{
    struct yore_options options;
    struct yore_error error;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    enum yore_status st = yore_open(test_path("db"), &options, &bed->db, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    CHECK_OK(graph_open(bed->db, bytes_of("g", 1), true, NULL, &bed->graph, NULL));
}

static void close_graph(struct bed *bed)
{
    graph_close(bed->graph);
    CHECK_OK(yore_close(bed->db, NULL));
}

static void import_events(struct bed *bed, const char *name)
{
    char path[512];
    struct line_source *source;
    struct graph_import *import = NULL;
    struct graph_import_options options = {.durability = YORE_DURABILITY_NONE};
    struct yore_error error;
    struct yore_bytes line;
    snprintf(path, sizeof(path), EXAMPLES_DIR "/%s/%s.tsv.zst", name, name);
    FILE *file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "%s", path);
    CHECK_OK(line_source_open(file, name, &source, &error));
    enum yore_status st = graph_import_open(bed->graph, &options, &import, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    while ((st = line_source_next(source, &line, &error)) == YORE_OK) {
        st = graph_import_line(import, line, &error);
        CHECK_MSG(st == YORE_OK, "%s", error.text);
    }
    CHECK_STATUS(st, YORE_NOT_FOUND);
    CHECK_OK(graph_import_finish(import, NULL, &error));
    line_source_close(source);
    fclose(file);
}

static const struct json_tree *read_questions(struct bed *bed, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), EXAMPLES_DIR "/%s/%s.queries.json", name, name);
    FILE *file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "%s", path);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size > 0);
    rewind(file);
    char *text = arena_alloc(&bed->arena, (size_t)size);
    CHECK(text != NULL && fread(text, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    const struct json_tree *root = json_tree_parse(bytes_of(text, (size_t)size), &bed->arena);
    CHECK_MSG(root != NULL, "%s", path);
    return json_tree_member(root, "queries");
}

/* ---- answers as text: "a, b; c, d" ---------------------------------------------------------- */

static void say_cell(struct buffer *to, const struct json_tree *cell)
{
    if (cell->kind == TREE_STRING) {
        buffer_append(to, "'", 1);
        buffer_append_bytes(to, cell->text);
        buffer_append(to, "'", 1);
    } else {
        buffer_append_bytes(to, cell->text);
    }
}

static const char *expected(struct buffer *to, const struct json_tree *rows)
{
    buffer_clear(to);
    for (size_t r = 0; r < rows->count; r++) {
        buffer_append(to, r > 0 ? "; " : "", r > 0 ? 2 : 0);
        for (size_t i = 0; i < rows->items[r].count; i++) {
            buffer_append(to, i > 0 ? ", " : "", i > 0 ? 2 : 0);
            say_cell(to, &rows->items[r].items[i]);
        }
    }
    buffer_append(to, "", 1);
    return (const char *)to->data;
}

static void say_value(struct buffer *to, const struct yore_graph_value *value)
{
    if (value->kind == YORE_GRAPH_STRING) { /* as it stands: names hold quotes */
        buffer_append(to, "'", 1);
        buffer_append_bytes(to, value->as.string);
        buffer_append(to, "'", 1);
    } else {
        value_format(to, value);
    }
}

static const char *asked(struct bed *bed, const char *statement,
                         const struct query_options *options, struct buffer *to)
{
    struct query *query = NULL;
    struct query_result *result = NULL;
    struct query_error error;
    const struct yore_graph_value *row = NULL;
    bool is_first = true;
    buffer_clear(to);
    enum yore_status st = query_prepare(bytes_of(statement, strlen(statement)), &query, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.error.text);
    st = query_run(query, bed->graph, options, &result, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.error.text);
    while ((st = query_next(result, &row, &error)) == YORE_OK) {
        buffer_append(to, is_first ? "" : "; ", is_first ? 0 : 2);
        is_first = false;
        for (size_t i = 0; i < query_column_count(result); i++) {
            buffer_append(to, i > 0 ? ", " : "", i > 0 ? 2 : 0);
            say_value(to, &row[i]);
        }
    }
    CHECK_MSG(st == YORE_NOT_FOUND, "%s", error.error.text);
    buffer_append(to, "", 1);
    query_result_close(result);
    query_free(query);
    return (const char *)to->data;
}

/* ---- questions ------------------------------------------------------------------------------ */

static const struct question *question_of(struct yore_bytes name)
{
    for (size_t i = 0; i < sizeof(QUESTIONS) / sizeof(QUESTIONS[0]); i++) {
        if (bytes_starts_with(name, bytes_of(QUESTIONS[i].name, strlen(QUESTIONS[i].name)))) {
            return &QUESTIONS[i];
        }
    }
    FAIL("no statement for '%.*s'", (int)name.size, (const char *)name.data);
    return NULL;
}

static void answer(struct bed *bed, const struct json_tree *item)
{
    struct yore_bytes name = json_tree_text(item, "name");
    const struct question *question = question_of(name);
    struct yore_bytes id = bytes_behind(name, strlen(question->name));
    struct yore_bytes to = {NULL, 0};
    for (size_t i = 0; i + 4 <= id.size; i++) {
        if (memcmp((const char *)id.data + i, " -> ", 4) == 0) {
            to = bytes_behind(id, i + 4);
            id.size = i;
            break;
        }
    }
    const struct query_parameter parameters[] = {
        {bytes_of("id", 2), {.kind = YORE_GRAPH_STRING, .as.string = id}},
        {bytes_of("to", 2), {.kind = YORE_GRAPH_STRING, .as.string = to}}};
    char number[32];
    struct yore_bytes t = json_tree_member(item, "t")->text;
    snprintf(number, sizeof(number), "%.*s", (int)t.size, (const char *)t.data);
    struct query_options options = {.parameters = parameters,
                                    .parameter_count = 2,
                                    .at = {strtoll(number, NULL, 10) * NS_PER_MS, YORE_NOW}};
    struct buffer want = {0};
    struct buffer got = {0};
    test_note("%.*s at %s", (int)name.size, (const char *)name.data, number);
    CHECK_EQ_STR(asked(bed, question->statement, &options, &got),
                 expected(&want, json_tree_member(item, "rows")));
    test_count(1);
    buffer_release(&want);
    buffer_release(&got);
}

static void answer_all(struct bed *bed, const struct json_tree *questions)
{
    for (size_t i = 0; i < questions->count; i++) {
        answer(bed, &questions->items[i]);
    }
}

static void compare(const char *name)
{
    struct bed bed = {.db = NULL};
    const struct json_tree *questions = read_questions(&bed, name);
    open_graph(&bed);
    import_events(&bed, name);
    answer_all(&bed, questions);
    CHECK_OK(yore_compact(bed.db, graph_keyspace(bed.graph), NULL));
    close_graph(&bed);
    open_graph(&bed);
    answer_all(&bed, questions);
    close_graph(&bed);
    arena_release(&bed.arena);
}

TEST(microservices_gives_every_listed_row)
{
    compare("microservices");
}

TEST(wmf_infra_gives_every_listed_row)
{
    compare("wmf-infra");
}

TEST(openflights_gives_every_listed_row)
{
    compare("openflights");
}

TEST_MAIN(microservices_gives_every_listed_row, wmf_infra_gives_every_listed_row,
          openflights_gives_every_listed_row)
