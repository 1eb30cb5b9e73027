/* Graphs from the outside: statements over HTTP, streams, and what ends when its client leaves. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yore/yore.h>

#include "support/http_answer.h"
#include "support/server_process.h"
#include "support/test.h"
#include "support/wire.h"

#define JSON "Content-Type: application/json\r\n"
#define LINES JSON "Accept: application/x-ndjson\r\n"
#define QUERY "POST /v1/graph/topo/query"

static void start(struct server_process *server, const char *const *flags)
{
    CHECK(server_start(server, test_path("db"), flags));
    CHECK(server->http_port != 0);
}

/* A body without its summary, which has to end it; the text of the answer is changed. */
static const char *rows_of(struct http_answer *answer)
{
    CHECK_MSG(answer->status == 200, "%s", answer->body);
    char *summary = strstr(answer->body, "\"summary\":{");
    CHECK_MSG(summary != NULL && strcmp(answer->body + answer->size - 3, "}}\n") == 0, "%s",
              answer->body);
    *summary = '\0';
    return answer->body;
}

static void make_topology(int fd, struct http_answer *answer)
{
    http_ask(fd, QUERY, JSON,
             "{\"query\":\"CREATE (:Service {name: $a, tags: $tags})-[:CALLS {ms: 1.5}]->"
             "(:Service {name: $b})\",\"parameters\":{\"a\":\"cart\",\"b\":\"pay \\u00e9\","
             "\"tags\":[\"x\",\"y\"]}}",
             answer);
    CHECK_MSG(answer->status == 200, "%s", answer->body);
    CHECK(strstr(answer->body, "\"nodesCreated\":2,\"relationshipsCreated\":1") != NULL);
    CHECK(strstr(answer->body, "\"commit\":") != NULL);
}

TEST(a_statement_is_answered_in_json_and_in_lines)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    make_topology(fd, &answer);
    http_ask(fd, QUERY, JSON,
             "{\"query\":\"MATCH (a)-[c:CALLS]->(b) RETURN a.name, c.ms, b.name, a.tags, null\"}",
             &answer);
    CHECK(strstr(answer.head, "Content-Type: application/json\n") != NULL);
    CHECK_EQ_STR(rows_of(&answer),
                 "{\"columns\":[\"a.name\",\"c.ms\",\"b.name\",\"a.tags\",\"null\"],\n"
                 "\"rows\":[\n[\"cart\",1.5,\"pay \303\251\",[\"x\",\"y\"],null]],\n");
    http_ask(fd, QUERY, LINES, "{\"query\":\"UNWIND [1, 2] AS x RETURN x, {k: x} AS m\"}", &answer);
    CHECK(strstr(answer.head, "Content-Type: application/x-ndjson\n") != NULL);
    CHECK_EQ_STR(rows_of(&answer), "{\"columns\":[\"x\",\"m\"]}\n{\"row\":[1,{\"k\":1}]}\n"
                                   "{\"row\":[2,{\"k\":2}]}\n{");
    http_ask(fd, QUERY, JSON, "{\"query\":\"MATCH (a {name: 'cart'}) RETURN a\"}", &answer);
    CHECK(strstr(answer.body, "\"labels\":[\"Service\"]") != NULL);
    http_ask(fd, QUERY, JSON, "{\"query\":\"MATCH (x:None) RETURN x\"}", &answer);
    CHECK_EQ_STR(rows_of(&answer), "{\"columns\":[\"x\"],\n\"rows\":[],\n");
    http_ask(fd, QUERY, JSON,
             "{\"query\":\"RETURN $n\",\"parameters\":{\"n\":{\"i\":9007199254740993,\"f\":1e2,"
             "\"t\":true,\"z\":null,\"l\":[[],{}]}}}",
             &answer);
    CHECK(strstr(answer.body, "{\"f\":100.0,\"i\":9007199254740993,\"l\":[[],{}],\"t\":true,"
                              "\"z\":null}") != NULL);
    http_ask(fd, "GET /metrics", "", "", &answer);
    CHECK(strstr(answer.body, "\nyore_command_class_duration_seconds_count{class=\"graph\"} 6\n") !=
          NULL);
    http_ask(fd, "GET /v1/graphs", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"graphs\":[\"topo\"]}\n");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_statement_is_as_of_the_moment_that_is_asked_for)
{
    struct server_process server;
    static struct http_answer answer;
    char body[300];
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    make_topology(fd, &answer);
    http_ask(fd, QUERY, JSON, "{\"query\":\"MATCH (n {name: 'cart'}) SET n.name = 'shop'\"}",
             &answer);
    const char *commit = strstr(answer.body, "\"commit\":");
    CHECK(commit != NULL);
    long long at = strtoll(commit + strlen("\"commit\":"), NULL, 10);
    static const char *const WANTED = "[\n[\"cart\"]],";
    snprintf(body, sizeof(body), "{\"query\":\"MATCH (n)-->() RETURN n.name\",\"at\":\"@%lldns\"}",
             at - 1);
    http_ask(fd, QUERY, JSON, body, &answer);
    CHECK_MSG(strstr(answer.body, WANTED) != NULL, "%s", answer.body);
    snprintf(body, sizeof(body),
             "{\"query\":\"MATCH (n)-->() RETURN n.name\",\"known\":\"@%lldns\"}", at - 1);
    http_ask(fd, QUERY, JSON, body, &answer);
    CHECK_MSG(strstr(answer.body, WANTED) != NULL, "%s", answer.body);
    snprintf(body, sizeof(body), QUERY "?at=@%lldns", at - 1);
    http_ask(fd, body, JSON, "{\"query\":\"MATCH (n)-->() RETURN n.name\"}", &answer);
    CHECK_MSG(strstr(answer.body, WANTED) != NULL, "%s", answer.body);
    http_ask(fd, body, JSON, "{\"query\":\"MATCH (n)-->() SET n.x = 1\"}", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    /* There was no graph yet: facts dated then would be of the one that is there now. */
    http_ask(fd, QUERY "?at=-1h", JSON, "{\"query\":\"MATCH (n) RETURN n.name\"}", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    CHECK(strstr(answer.body, "cart") == NULL);
    http_ask(fd, "GET /v1/graphs?at=-1h", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"graphs\":[]}\n");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(what_is_wrong_is_a_problem_with_a_code_and_a_spot)
{
    static const struct {
        const char *line;
        const char *headers;
        const char *body;
        unsigned status;
        const char *has;
    } cases[] = {
        {QUERY, "", "{\"query\":\"RETURN 1\"}", 415, "\"code\":\"not-json\""},
        {QUERY, JSON, "{\"query\":\"RETURN 1\"", 400, "the body, column 20: expected "},
        {QUERY, JSON, "{}", 400, "expected a member query, with text"},
        {QUERY, JSON, "{\"query\":\"RETURN 1\",\"limit\":1}", 400, "timeoutMs or readOnly"},
        {QUERY, JSON, "{\"query\":\"RETURN 1\",\"timeoutMs\":0}", 400, "milliseconds"},
        {QUERY, JSON, "{\"query\":\"RETURN 1\",\"at\":\"soon\"}", 400, "a moment"},
        {QUERY, JSON, "{\"query\":\"RETURN $a\",\"parameters\":{\"a\":99999999999999999999}}", 400,
         "an integer of 64 bits"},
        {QUERY "?at=soon", JSON, "{\"query\":\"RETURN 1\"}", 400, "\"code\":\"bad-request\""},
        {QUERY, JSON, "{\"query\":\"MATCH (n)\\nRETRUN n\"}", 400,
         "\"code\":\"bad-statement\",\"detail\":\""},
        {QUERY, JSON, "{\"query\":\"MATCH (n)\\nRETURN  m\"}", 400,
         "\"errorType\":\"SyntaxError\",\"errorDetail\":\"UndefinedVariable\",\"line\":2,"
         "\"column\":9,\"offset\":18}"},
        {QUERY, JSON, "{\"query\":\"RETURN 1 / 0\"}", 422, "\"code\":\"statement-failed\""},
        {QUERY, JSON, "{\"query\":\"RETURN $x\"}", 400, "ParameterMissing"},
        {QUERY, JSON, "{\"query\":\"CREATE ()\",\"readOnly\":true}", 403, "\"code\":\"read-only\""},
        {QUERY, JSON,
         "{\"query\":\"UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(a + "
         "b)\",\"timeoutMs\":5}",
         422, "\"code\":\"over-budget\""},
        {"POST /v1/graph/none/query", JSON, "{\"query\":\"RETURN 1\",\"readOnly\":true}", 404,
         "\"code\":\"no-such-graph\""},
        {"POST /v1/graph/none/query?at=-1h", JSON, "{\"query\":\"RETURN 1\"}", 404,
         "\"code\":\"no-such-graph\""},
        {"POST /v1/graph/a%2Fb/query", JSON, "{\"query\":\"CREATE ()\"}", 400,
         "a graph's name has 1 to 253 characters"},
        {"GET /v1/graph/topo/query", "", "", 405, "\"code\":\"wrong-method\""},
    };
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    make_topology(fd, &answer);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_note("%s", cases[i].body);
        http_ask(fd, cases[i].line, cases[i].headers, cases[i].body, &answer);
        CHECK_MSG(answer.status == cases[i].status, "%u %s", answer.status, answer.body);
        CHECK_MSG(strstr(answer.body, cases[i].has) != NULL, "%s", answer.body);
        CHECK(strstr(answer.head, "application/problem+json\n") != NULL);
    }
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(what_only_reads_needs_no_graph)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, QUERY, JSON, "{\"query\":\"MATCH (n) RETURN count(n) AS x\"}", &answer);
    CHECK_MSG(answer.status == 200 && strstr(answer.body, "\"rows\":[\n[0]]") != NULL, "%s",
              answer.body);
    http_ask(fd, "GET /v1/graphs", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"graphs\":[]}\n");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

#define INGEST "POST /v1/graph/topo/ingest?source=k8s"

TEST(what_a_source_says_is_taken_in)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, INGEST, "",
             "{\"node\":\"a\",\"labels\":[\"Pod\"]}\n"
             "{\"relationship\":\"ab\",\"type\":\"CALLS\",\"start\":\"a\",\"end\":\"b\"}\n",
             &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    CHECK_EQ_STR(answer.body, "{\"words\":2,\"unchanged\":0,\"nodes_created\":1,"
                              "\"nodes_deleted\":0,\"relationships_created\":0,"
                              "\"relationships_deleted\":0,\"pending_added\":1,"
                              "\"pending_resolved\":0}\n");
    http_ask(fd, INGEST "&action=start", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"snapshot\":1}\n");
    http_ask(fd, INGEST "&action=send&snapshot=1", "", "{\"node\":\"b\"}", &answer);
    CHECK_EQ_STR(answer.body, "{}\n");
    http_ask(fd, INGEST "&action=stop&snapshot=1", "", "", &answer);
    CHECK_MSG(strstr(answer.body, "{\"words\":3,") == answer.body, "%s", answer.body);
    http_ask(fd, QUERY, JSON, "{\"query\":\"MATCH (n) RETURN labels(n)\"}", &answer);
    CHECK(strstr(answer.body, "\"rows\":[\n[[]]]") != NULL);
    http_ask(fd, INGEST "&action=stop&snapshot=1", "", "", &answer);
    CHECK(answer.status >= 400);
    CHECK_MSG(strstr(answer.body, "is not under way") != NULL, "%s", answer.body);
    http_ask(fd, INGEST, "", "{\"node\":\"c\"}\n{\"node\":7}\n", &answer);
    CHECK_EQ_UINT(answer.status, 400);
    CHECK_MSG(strstr(answer.body, "line 2, column 9") != NULL, "%s", answer.body);
    http_ask(fd, "POST /v1/graph/topo/ingest", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 400);
    http_ask(fd, INGEST "&action=dance", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 400);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* Ask until the graph has so many nodes; the test's own limit of time ends it. */
static void wait_for_nodes(int fd, const char *count, struct http_answer *answer)
{
    char row[64];
    snprintf(row, sizeof row, "\"rows\":[\n[%s]]", count);
    do {
        http_ask(fd, QUERY, JSON, "{\"query\":\"MATCH (n) RETURN count(n)\"}", answer);
        CHECK_EQ_UINT(answer->status, 200);
    } while (strstr(answer->body, row) == NULL);
}

TEST(a_source_that_falls_silent_claims_nothing_any_more)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, (const char *const[]){"--graph-settle-interval=50ms", NULL});
    int fd = wire_connect(server.http_port);
    http_ask(fd, INGEST "&action=set&ttl=300ms", "", "", &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    http_ask(fd, INGEST, "", "{\"node\":\"a\",\"labels\":[\"Pod\"]}", &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    wait_for_nodes(fd, "0", &answer);
    http_ask(fd, QUERY, JSON,
             "{\"query\":\"MATCH (n) FROM '-1h' TO 'now' WITH interval() AS i "
             "RETURN i.to = i.from + duration({milliseconds: 300})\"}",
             &answer);
    CHECK_MSG(strstr(answer.body, "\"rows\":[\n[true]]") != NULL, "%s", answer.body);
    http_ask(fd, INGEST "&action=set&ttl=soon", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 400);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* ---- refused snapshots ---------------------------------------------------------------------- */

#define PODS 33000 /* more than one transaction takes */
#define PODS_A_CALL 11000

static char pod_lines[PODS_A_CALL * 24];

/* Lines of nodes from `first` on. */
static void write_pods(unsigned first)
{
    size_t size = 0;
    for (unsigned i = first; i < first + PODS_A_CALL; i++) {
        size +=
            (size_t)snprintf(pod_lines + size, sizeof pod_lines - size, "{\"node\":\"p%u\"}\n", i);
    }
}

/* The one that comes last, and cannot be. */
#define LAST_POD "{\"node\":\"z\",\"labels\":[\"Pod\"],\"properties\":{\"ip\":7}}"

/* A command of RESP by its words (the last may be long), and the first line of the reply. */
static const char *resp_ask(int fd, const char *const *words, size_t count)
{
    static char line[2048];
    char head[32];
    snprintf(head, sizeof head, "*%zu\r\n", count);
    CHECK(wire_send_text(fd, head));
    for (size_t i = 0; i < count; i++) {
        snprintf(head, sizeof head, "$%zu\r\n", strlen(words[i]));
        CHECK(wire_send_text(fd, head));
        CHECK(wire_send_text(fd, words[i]) && wire_send_text(fd, "\r\n"));
    }
    CHECK(wire_line(fd, line, sizeof line));
    return line;
}
#define RESP(fd, ...)                                                                              \
    resp_ask(fd, (const char *const[]){__VA_ARGS__},                                               \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void check_has(const char *text, const char *words)
{
    CHECK_MSG(strstr(text, words) != NULL, "'%s' is not in: %.1000s", words, text);
}

static void forbid_the_last(int fd, struct http_answer *answer)
{
    http_ask(fd, QUERY, JSON,
             "{\"query\":\"CREATE CONSTRAINT one FOR (n:Pod) REQUIRE n.ip IS UNIQUE\"}", answer);
    CHECK_MSG(answer->status == 200, "%s", answer->body);
    http_ask(fd, QUERY, JSON, "{\"query\":\"CREATE (:Pod {externalId: 'taken', ip: 7})\"}", answer);
    CHECK_MSG(answer->status == 200, "%s", answer->body);
}

TEST(a_refused_snapshot_is_told_over_http_until_it_is_given_up)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    forbid_the_last(fd, &answer);
    http_ask(fd, INGEST "&action=start", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"snapshot\":1}\n");
    for (unsigned first = 1; first <= PODS; first += PODS_A_CALL) {
        write_pods(first);
        http_ask(fd, INGEST "&action=send&snapshot=1", "", pod_lines, &answer);
        CHECK_EQ_STR(answer.body, "{}\n");
    }
    http_ask(fd, INGEST "&action=send&snapshot=1", "", LAST_POD, &answer);
    CHECK_EQ_STR(answer.body, "{}\n");
    http_ask(fd, INGEST "&action=stop&snapshot=1", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 409);
    check_has(answer.body, "snapshot 1 of source k8s is refused");
    check_has(answer.body, "node z");
    http_ask(fd, INGEST, "", "{\"node\":\"more\"}", &answer); /* a word of the same source */
    CHECK_EQ_UINT(answer.status, 409);
    check_has(answer.body, "snapshot 1 of source k8s is refused");
    http_ask(fd, "POST /v1/graph/topo/ingest?source=cmdb", "", "{\"node\":\"other\"}", &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    http_ask(fd, INGEST "&action=stop&snapshot=1", "", "", &answer);
    CHECK(answer.status >= 400);
    http_ask(fd, INGEST "&action=send&snapshot=1", "", "{\"node\":\"late\"}", &answer);
    CHECK(answer.status >= 400);
    http_ask(fd, INGEST "&action=abort&snapshot=2", "", "", &answer); /* not that one */
    check_has(answer.body, "snapshot 2 of source k8s is not under way");
    http_ask(fd, INGEST "&action=abort&snapshot=1", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{}\n");
    http_ask(fd, INGEST "&action=abort&snapshot=1", "", "", &answer);
    check_has(answer.body, "is not under way");
    http_ask(fd, INGEST, "", "{\"node\":\"more\"}", &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    http_ask(fd, QUERY, JSON,
             "{\"query\":\"MATCH (n) WHERE n.externalId IN ['taken', 'other', 'more', 'late'] "
             "RETURN count(n)\"}",
             &answer);
    check_has(answer.body, "\"rows\":[\n[3]]");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* Settled by the server as soon as the cause is gone; the next snapshot gives up one that is not.
 */
TEST(a_refused_snapshot_is_mended_or_replaced_over_resp)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, (const char *const[]){"--graph-settle-interval=100ms", NULL});
    int http = wire_connect(server.http_port);
    int fd = wire_connect(server.port);
    forbid_the_last(http, &answer);
    CHECK_EQ_STR(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "START"), ":1");
    for (unsigned first = 1; first <= PODS; first += PODS_A_CALL) {
        write_pods(first);
        CHECK_EQ_STR(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "SEND", "1", pod_lines), "+OK");
    }
    CHECK_EQ_STR(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "SEND", "1", LAST_POD), "+OK");
    check_has(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "STOP", "1"),
              "snapshot 1 of source k8s is refused");
    check_has(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "APPLY", "{\"node\":\"more\"}"),
              "snapshot 1 of source k8s is refused");
    http_ask(http, QUERY, JSON, "{\"query\":\"DROP CONSTRAINT one\"}", &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    wait_for_nodes(http, "33002", &answer);
    while (RESP(fd, "GRAPH.INGEST", "topo", "k8s", "APPLY", "")[0] == '-') {
        /* it is carried out, and about to be said so */
    }
    char line[64];
    for (int i = 0; i < 16; i++) { /* the tally of the word that was taken */
        CHECK(wire_line(fd, line, sizeof line));
        CHECK(line[0] != '$' || wire_line(fd, line, sizeof line));
    }
    CHECK_EQ_STR(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "START"), ":2");
    check_has(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "STOP", "1"), "is not under way");
    /* Another one of the source begins: the first is aborted, its number refused. */
    CHECK_EQ_STR(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "START"), ":3");
    check_has(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "SEND", "2", "{\"node\":\"x\"}"),
              "snapshot 2 of source k8s is not under way");
    check_has(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "STOP", "2"), "is not under way");
    CHECK_EQ_STR(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "ABORT", "3"), "+OK");
    check_has(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "STOP", "3"), "is not under way");
    wait_for_nodes(http, "33002", &answer);
    wire_close(fd);
    wire_close(http);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* Between two runs of the server the graph's past is given up to a moment. */
static void trim(int64_t horizon)
{
    struct yore_db *db = NULL;
    struct yore_keyspace *keyspace = NULL;
    CHECK_OK(yore_open(test_path("db"), NULL, &db, NULL));
    CHECK_OK(yore_keyspace_open(db, "g.topo", NULL, &keyspace, NULL));
    CHECK_OK(yore_trim(db, keyspace, horizon, NULL));
    CHECK_OK(yore_close(db, NULL));
}

/* A snapshot of a moment that is no longer kept. */
TEST(a_snapshot_that_is_too_old_is_refused_and_can_be_given_up)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int http = wire_connect(server.http_port);
    int fd = wire_connect(server.port);
    http_ask(http, INGEST, "", "{\"node\":\"a\",\"from\":\"2020-01-01\"}", &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    http_ask(http, INGEST "&action=start&at=2021-01-01", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"snapshot\":1}\n");
    http_ask(http, INGEST "&action=send&snapshot=1", "", "{\"node\":\"b\"}", &answer);
    CHECK_EQ_STR(answer.body, "{}\n");
    wire_close(fd);
    wire_close(http);
    CHECK_EQ_INT(server_end(&server), 0);
    trim(1640995200000000000); /* 2022-01-01 */
    start(&server, NULL);
    http = wire_connect(server.http_port);
    fd = wire_connect(server.port);
    http_ask(http, INGEST "&action=stop&snapshot=1", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 410);
    CHECK_EQ_INT(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "STOP", "1")[0], '-');
    CHECK_EQ_STR(RESP(fd, "GRAPH.INGEST", "topo", "k8s", "ABORT", "1"), "+OK");
    wait_for_nodes(http, "1", &answer);
    wire_close(fd);
    wire_close(http);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* An error behind the first part cannot be a status any more: the body ends with it. */
TEST(a_late_error_ends_the_body_with_a_problem)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    make_topology(fd, &answer);
    http_ask(fd, QUERY, LINES, "{\"query\":\"UNWIND range(1, 20000) AS x RETURN x / (20000 - x)\"}",
             &answer);
    CHECK_EQ_UINT(answer.status, 200);
    CHECK(strstr(answer.body, "\"summary\"") == NULL);
    const char *problem = strstr(answer.body, "\n{\"problem\":{\"code\":\"statement-failed\",");
    CHECK(problem != NULL && strchr(problem + 1, '\n') == answer.body + answer.size - 1);
    http_ask(fd, QUERY, JSON, "{\"query\":\"UNWIND range(1, 20000) AS x RETURN x / (20000 - x)\"}",
             &answer);
    CHECK_EQ_UINT(answer.status, 200);
    CHECK(strstr(answer.body, "],\n\"problem\":{\"code\":\"statement-failed\",") != NULL);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

#define EXPORT "GET /v1/graph/moved/export"
#define IMPORT "POST /v1/graph/moved/import"

TEST(a_graph_leaves_and_comes_in_as_lines)
{
    static const char events[] = "1000\t1\t+\tn\ta\tA\t\t\t{\"x\":1}\n"
                                 "2000\t2\t+\tn\tb\tB\t\t\t{}\n"
                                 "2000\t2\t+\te\th\tHOP\ta\tb\t{}"; /* no last line feed */
    static const char nodes[] =
        ":ID,:LABEL,:FROM,:TO,x:int\na,A,1970-01-01T00:00:01Z,,1\nb,B,1970-01-01T00:00:02Z,,\n";
    static const struct {
        const char *line;
        const char *body;
        unsigned status;
        const char *has;
    } refused[] = {
        {EXPORT "?format=parquet", "", 400, "FORMAT is ndjson, nodes-csv"},
        {EXPORT "?every=no", "", 400, "every=true tells all that is kept"},
        {EXPORT "?every=true&format=dot", "", 400, "has each element once"},
        {EXPORT "?at=soon", "", 400, "\"code\":\"bad-request\""},
        {EXPORT "?limit=1", "", 400, "\"code\":\"bad-parameter\""},
        {"GET /v1/graph/none/export", "", 404, "\"code\":\"no-such-graph\""},
        {IMPORT, "3000\t3\t+\tn\tc\tC\t\t\t{}\n3001\t4\t-\tn\tz\t\t\t\t\n", 422, "line 2: "},
    };
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, IMPORT, "", events, &answer);
    CHECK_EQ_STR(answer.body, "{\"events\":3,\"transactions\":2,\"passed_over\":0}\n");
    http_ask(fd, IMPORT, "", events, &answer);
    CHECK_EQ_STR(answer.body, "{\"events\":3,\"transactions\":0,\"passed_over\":3}\n");
    http_ask(fd, EXPORT, "", "", &answer);
    CHECK(strstr(answer.head, "Content-Type: application/x-ndjson\n") != NULL);
    check_has(answer.body, "{\"node\":\"a\",\"labels\":[\"A\"],\"properties\":{\"x\":1}}\n");
    check_has(answer.body, "\"HOP\"");
    http_ask(fd, EXPORT "?at=1970-01-01", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    CHECK_EQ_STR(answer.body, "");
    http_ask(fd, EXPORT "?format=nodes-csv&every=true", "", "", &answer);
    CHECK(strstr(answer.head, "Content-Type: text/csv\n") != NULL);
    CHECK_EQ_STR(answer.body, nodes);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        test_note("%s", refused[i].line);
        http_ask(fd, refused[i].line, "", refused[i].body, &answer);
        CHECK_EQ_UINT(answer.status, refused[i].status);
        check_has(answer.body, refused[i].has);
    }
    wire_close(fd); /* the last one has ended it: its body was not read on */
    fd = wire_connect(server.http_port);
    http_ask(fd, EXPORT, "", "", &answer); /* what came before the fault stays */
    check_has(answer.body, "{\"node\":\"c\"");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

#define MOVED_NODES 20000u
#define MOVED_BYTES (8u << 20)

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        count++;
    }
    return count;
}

TEST(a_large_graph_leaves_and_comes_in_by_parts)
{
    struct server_process server;
    static struct http_answer answer;
    char *text = malloc(MOVED_BYTES);
    char head[120];
    size_t size = 0;
    CHECK(text != NULL);
    for (unsigned i = 0; i < MOVED_NODES; i++) {
        size += (size_t)snprintf(text + size, MOVED_BYTES - size,
                                 "%u\t%u\t+\tn\tn%u\tA\t\t\t{\"name\":\"number %u\"}\n", i / 20 + 1,
                                 i / 20 + 1, i, i);
    }
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    snprintf(head, sizeof(head),
             IMPORT " HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", size);
    CHECK(wire_send_text(fd, head) && wire_send(fd, text, size));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_STR(answer.body, "{\"events\":20000,\"transactions\":1000,\"passed_over\":0}\n");
    CHECK(wire_send_text(fd, EXPORT " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    size = wire_read_all(fd, text, MOVED_BYTES - 1);
    CHECK(size < MOVED_BYTES);
    text[size] = '\0';
    CHECK_EQ_UINT(count_of(text, "{\"node\":\"n"), MOVED_NODES);
    CHECK_EQ_STR(text + size - 7, "\r\n0\r\n\r\n");
    wire_close(fd);
    free(text);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(rules_of_users_hold)
{
    struct server_process server;
    static struct http_answer answer;
    const char *flags[] = {"--requirepass", "secret", NULL};
    start(&server, flags);
    int redis = wire_connect(server.port);
    CHECK(wire_send_text(redis,
                         "AUTH secret\r\nACL SETUSER ann on >pw %R~topo +@graph nohistory\r\n"
                         "ACL SETUSER bob on >pw %RW~topo +@graph\r\n"));
    CHECK(wire_expect(redis, "+OK\r\n+OK\r\n+OK\r\n"));
    wire_close(redis);
    int fd = wire_connect(server.http_port);
#define ANN JSON "Authorization: Bearer ann:pw\r\n"
#define BOB JSON "Authorization: Bearer bob:pw\r\n"
    http_ask(fd, QUERY, JSON, "{\"query\":\"RETURN 1\"}", &answer);
    CHECK_EQ_UINT(answer.status, 401);
    wire_close(fd); /* with an unread body */
    fd = wire_connect(server.http_port);
    http_ask(fd, QUERY, ANN, "{\"query\":\"CREATE (:X)\"}", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    CHECK(strstr(answer.body, "\"code\":\"not-permitted\"") != NULL);
    http_ask(fd, QUERY, BOB, "{\"query\":\"CREATE (:X)\"}", &answer);
    CHECK_MSG(answer.status == 200, "%s", answer.body);
    http_ask(fd, "POST /v1/graph/other/query", BOB, "{\"query\":\"CREATE (:X)\"}", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    http_ask(fd, QUERY, ANN, "{\"query\":\"MATCH (x:X) RETURN count(x)\"}", &answer);
    CHECK(strstr(answer.body, "[\n[1]]") != NULL);
    http_ask(fd, QUERY, ANN, "{\"query\":\"AS OF '-1s' MATCH (x:X) RETURN count(x)\"}", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    http_ask(fd, QUERY, ANN, "{\"query\":\"MATCH (x:X) RETURN count(x)\",\"known\":\"-1s\"}",
             &answer);
    CHECK_EQ_UINT(answer.status, 403);
    http_ask(fd, "GET /v1/graph/topo/export", ANN, "", &answer);
    check_has(answer.body, "{\"node\":");
    http_ask(fd, "GET /v1/graph/topo/export?at=-1s", ANN, "", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    http_ask(fd, "GET /v1/graph/topo/export?every=true&format=events", ANN, "", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    http_ask(fd, "GET /v1/graph/other/export", BOB, "", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    http_ask(fd, "POST /v1/graph/topo/import", ANN, "", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* ---- streams and ends --------------------------------------------------------------------------
 */

#define LARGE_ROWS 200000
/* 200,000 rows of about 400 octets. */
#define LARGE                                                                                      \
    "{\"query\":\"WITH reduce(s = 'xxxxxxxxxxxx', i IN range(1, 5) | s + s) AS t "                 \
    "UNWIND range(1, 200000) AS x RETURN x, t\"}"

static void send_large(int fd)
{
    char text[600];
    snprintf(text, sizeof(text),
             QUERY " HTTP/1.0\r\nHost: localhost\r\n" LINES "Content-Length: %zu\r\n\r\n%s",
             strlen(LARGE), LARGE);
    CHECK(wire_send_text(fd, text));
}

TEST(a_slow_reader_of_a_large_answer_costs_neither_memory_nor_others)
{
    struct server_process server;
    static struct http_answer answer;
    static char block[65536];
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    make_topology(fd, &answer);
    int slow[6]; /* more than there are workers for long requests */
    for (size_t i = 0; i < 6; i++) {
        slow[i] = wire_connect(server.http_port);
        send_large(slow[i]);
    }
    for (size_t i = 0; i < 6; i++) { /* all of them are on their way */
        CHECK(wire_expect(slow[i], "HTTP/1.1 200 OK\r\n"));
    }
    http_ask(fd, QUERY, JSON, "{\"query\":\"RETURN 1\"}", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    uint64_t memory = server_memory(&server);
    size_t total = 0;
    size_t lines = 0;
    size_t size;
    char last = '\0';
    while ((size = wire_read_all(slow[0], block, sizeof(block))) > 0 && size != SIZE_MAX) {
        for (size_t i = 0; i < size; i++) {
            lines += block[i] == '\n' ? 1 : 0;
        }
        total += size;
        last = block[size - 1];
    }
    CHECK_MSG(lines > LARGE_ROWS && last == '\n', "%zu lines", lines);
    CHECK(total > (size_t)LARGE_ROWS * 384);
    CHECK_MSG(memory < UINT64_C(200) << 20, "%" PRIu64 " octets", memory);
    for (size_t i = 0; i < 6; i++) {
        wire_close(slow[i]);
    }
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

#define ENDLESS                                                                                    \
    "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b UNWIND range(1, 100) AS c "       \
    "RETURN count(a + b + c)"

static int64_t seconds_now(void)
{
    struct timespec now;
    CHECK(timespec_get(&now, TIME_UTC) == TIME_UTC);
    return now.tv_sec;
}

/* Ask on `redis` until CLIENT LIST has `count` lines: clients that ran something have gone. */
static void wait_for_clients(int redis, size_t count)
{
    int64_t begun = seconds_now();
    for (;;) {
        static char list[65536];
        char head[64];
        CHECK(wire_send_text(redis, "CLIENT LIST\r\n"));
        CHECK(wire_line(redis, head, sizeof(head)) && head[0] == '$');
        size_t size = (size_t)strtoul(head + 1, NULL, 10);
        CHECK(size + 2 < sizeof(list) && wire_read(redis, list, size + 2));
        size_t lines = 0;
        for (size_t i = 0; i < size; i++) {
            lines += list[i] == '\n' ? 1 : 0;
        }
        if (lines == count) {
            return;
        }
        CHECK_MSG(seconds_now() - begun < 180, "%zu clients are left", lines);
    }
}

TEST(a_statement_ends_when_its_client_leaves_or_is_killed)
{
    struct server_process server;
    static struct http_answer answer;
    static const char *const BODY = "{\"query\":\"" ENDLESS "\",\"timeoutMs\":86400000}";
    char text[600];
    start(&server, NULL);
    int http = wire_connect(server.http_port);
    make_topology(http, &answer);
    wire_close(http);
    int redis = wire_connect(server.port);
    wait_for_clients(redis, 1);
    /* Closed by the client, over RESP and HTTP. */
    int gone = wire_connect(server.port);
    CHECK(wire_send_text(gone, "GRAPH.QUERY topo \"" ENDLESS "\" TIMEOUT 86400000\r\n"));
    http = wire_connect(server.http_port);
    snprintf(text, sizeof(text),
             QUERY " HTTP/1.1\r\nHost: localhost\r\n" JSON "Content-Length: %zu\r\n\r\n%s",
             strlen(BODY), BODY);
    CHECK(wire_send_text(http, text));
    wait_for_clients(redis, 3);
    wire_close(gone);
    wire_close(http);
    wait_for_clients(redis, 1);
    /* Killed. */
    gone = wire_connect(server.port);
    CHECK(wire_send_text(gone, "GRAPH.QUERY topo \"" ENDLESS "\" TIMEOUT 86400000\r\n"));
    wait_for_clients(redis, 2);
    CHECK(wire_send_text(redis, "CLIENT KILL SKIPME yes\r\n"));
    CHECK(wire_expect(redis, ":1\r\n"));
    wait_for_clients(redis, 1);
    char octet;
    CHECK_EQ_UINT(wire_read_all(gone, &octet, 1), 0);
    wire_close(gone);
    wire_close(redis);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST_MAIN(a_graph_leaves_and_comes_in_as_lines, a_large_graph_leaves_and_comes_in_by_parts,
          what_only_reads_needs_no_graph, a_statement_is_answered_in_json_and_in_lines,
          a_statement_is_as_of_the_moment_that_is_asked_for,
          what_is_wrong_is_a_problem_with_a_code_and_a_spot, what_a_source_says_is_taken_in,
          a_source_that_falls_silent_claims_nothing_any_more,
          a_refused_snapshot_is_told_over_http_until_it_is_given_up,
          a_refused_snapshot_is_mended_or_replaced_over_resp,
          a_snapshot_that_is_too_old_is_refused_and_can_be_given_up,
          a_late_error_ends_the_body_with_a_problem, rules_of_users_hold,
          a_slow_reader_of_a_large_answer_costs_neither_memory_nor_others,
          a_statement_ends_when_its_client_leaves_or_is_killed)
