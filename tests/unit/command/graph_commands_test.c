/* GRAPH.*: statements, replies in both forms, rights, moments, bounds. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/env.h"
#include "os/thread.h"
#include "unit/command/bed.h"

#define TOOK "Query internal execution time: "

/* A reply without the one line that tells a time, which has to be there; one of the last four. */
static const char *graph_reply(struct bed_client *client, const char *request)
{
    static char texts[4][4096];
    static unsigned next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof(texts[0]), "%s", bed_run(client, request));
    char *took = strstr(text, TOOK);
    CHECK_MSG(took != NULL, "%s: %s", request, text);
    double ms = -1;
    CHECK_EQ_INT(sscanf(took + strlen(TOOK), "%lf milliseconds", &ms), 1);
    CHECK(ms >= 0 && ms < 600000);
    char *head = took; /* "$..|" before it, "|" behind it */
    while (*--head != '$') {
    }
    char *end = strchr(took, '|') + 1;
    memmove(head, end, strlen(end) + 1);
    return text;
}

#define REPLIES(client, request, reply) CHECK_EQ_STR(graph_reply(client, request), reply)

static bool starts(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

static void open_topology(struct bed *bed)
{
    bed_open(bed);
    bed_run(&bed->clients[0],
            "GRAPH.QUERY topo \"CREATE (:Service {name: 'cart', up: true})-[:CALLS {ms: 1.5}]->"
            "(:Host {name: 'h1'})\"");
}

TEST(a_reply_has_columns_rows_and_statistics)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    const char *made =
        graph_reply(c, "GRAPH.QUERY topo \"CREATE (:A {x: 1})-[:T]->(:B) \" --compact");
    CHECK_MSG(starts(made, "*1|*6|$15|Labels added: 2|$16|Nodes created: 2|$17|Properties set: 1|"
                           "$24|Relationships created: 1|$27|Commit: "),
              "%s", made);
    REPLIES(c, "GRAPH.QUERY topo \"MATCH (a:A) RETURN a.x, 'y' AS y, null, 2.5, true, [1, 'a']\"",
            "*3|*6|$3|a.x|$1|y|$4|null|$3|2.5|$4|true|$8|[1, 'a']|"
            "*1|*6|:1|$1|y|$-1|$3|2.5|$4|true|$8|[1, 'a']|*1|");
    REPLIES(c, "GRAPH.QUERY topo \"UNWIND [3, 4] AS x RETURN x\"", "*3|*1|$1|x|*2|*1|:3|*1|:4|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (n:None) RETURN n\"", "*3|*1|$1|n|*0|*1|");
    REPLIES(c, "GRAPH.QUERY topo \"MATCH (a:A)-[t]->() RETURN a, t\"",
            "*3|*2|$1|a|$1|t|*1|*2|"
            "*3|*2|$2|id|:1|*2|$6|labels|*1|$1|A|*2|$10|properties|*1|*2|$1|x|:1|"
            "*5|*2|$2|id|:1|*2|$4|type|$1|T|*2|$8|src_node|:1|*2|$9|dest_node|:2|"
            "*2|$10|properties|*0|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"RETURN date('2026-01-02'), duration('P1M'), {a: 1}\"",
            "*3|*3|$18|date('2026-01-02')|$15|duration('P1M')|$6|{a: 1}|"
            "*1|*3|$10|2026-01-02|$3|P1M|$6|{a: 1}|*1|");
    bed_close(&bed);
}

TEST(compact_replies_name_by_position)
{
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    REPLIES(c, "GRAPH.RO_QUERY topo \"CALL DB.LABELS()\" --compact",
            "*3|*1|*2|:1|$5|label|*2|*1|*2|:2|$7|Service|*1|*2|:2|$4|Host|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"CALL DB.PROPERTYKEYS()\" --compact",
            "*3|*1|*2|:1|$11|propertyKey|*3|*1|*2|:2|$4|name|*1|*2|:2|$2|up|*1|*2|:2|$2|ms|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"CALL DB.RELATIONSHIPTYPES()\" --compact",
            "*3|*1|*2|:1|$16|relationshipType|*1|*1|*2|:2|$5|CALLS|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (h:Host) RETURN h\" --compact",
            "*3|*1|*2|:1|$1|h|*1|*1|*2|:8|*3|:2|*1|:1|*1|*3|:0|:2|$2|h1|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH ()-[c:CALLS]->() RETURN c\" --compact",
            "*3|*1|*2|:1|$1|c|*1|*1|*2|:7|*5|:1|:0|:1|:2|*1|*3|:2|:5|$3|1.5|*1|");
    REPLIES(c,
            "GRAPH.RO_QUERY topo \"RETURN null, 'a', 1, true, 2.5, [1, [null]], {k: 'v'}, "
            "date('2026-01-02')\" --compact",
            "*3|*8|*2|:1|$4|null|*2|:1|$3|'a'|*2|:1|$1|1|*2|:1|$4|true|*2|:1|$3|2.5|"
            "*2|:1|$11|[1, [null]]|*2|:1|$8|{k: 'v'}|*2|:1|$18|date('2026-01-02')|"
            "*1|*8|*2|:1|$-1|*2|:2|$1|a|*2|:3|:1|*2|:4|$4|true|*2|:5|$3|2.5|"
            "*2|:6|*2|*2|:3|:1|*2|:6|*1|*2|:1|$-1|*2|:10|*2|$1|k|*2|:2|$1|v|"
            "*2|:2|$10|2026-01-02|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH p = (:Host) RETURN p\" --compact",
            "*3|*1|*2|:1|$1|p|*1|*1|*2|:9|*2|*2|:6|*1|*2|:8|*3|:2|*1|:1|*1|*3|:0|:2|$2|h1|"
            "*2|:6|*0|*1|");
    /* A name that is in no use keeps its position; elsewhere such are left out. */
    bed_run(c, "GRAPH.QUERY topo \"MATCH (s:Service) REMOVE s:Service\"");
    REPLIES(c, "GRAPH.RO_QUERY topo \"CALL db.labels()\" --compact",
            "*3|*1|*2|:1|$5|label|*2|*1|*2|:2|$7|Service|*1|*2|:2|$4|Host|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"CALL db.labels()\"", "*3|*1|$5|label|*1|*1|$4|Host|*1|");
    bed_close(&bed);
}

TEST(parameters_stand_before_the_statement)
{
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    REPLIES(c, "GRAPH.RO_QUERY topo \"CYPHER RETURN 1\"", "*3|*1|$1|1|*1|*1|:1|*1|");
    REPLIES(c,
            "GRAPH.RO_QUERY topo \"CYPHER a=1 b=-2.5 `c d`='x' l=[1, {k: [2]}] n=null t=True "
            "RETURN $a, $b, $`c d`, $l, $n, $t\"",
            "*3|*6|$2|$a|$2|$b|$6|$`c d`|$2|$l|$2|$n|$2|$t|"
            "*1|*6|:1|$4|-2.5|$1|x|$13|[1, {k: [2]}]|$-1|$4|true|*1|");
    REPLIES(c,
            "GRAPH.RO_QUERY topo \"CYPHER name='h1' MATCH (h:Host {name: $name}) RETURN h.name\"",
            "*3|*1|$6|h.name|*1|*1|$2|h1|*1|");
    /* Only literals are values. */
    CHECK(starts(bed_run(c, "GRAPH.QUERY topo \"CYPHER a=rand() RETURN $a\""),
                 "-ERR SyntaxError UnexpectedSyntax: expected a value"));
    CHECK(starts(bed_run(c, "GRAPH.QUERY topo \"CYPHER a=1 RETURN $b\""),
                 "-ERR ParameterMissing MissingParameter: "));
    CHECK(starts(bed_run(c, "GRAPH.QUERY topo \"CYPHER a=[1 RETURN $a\""), "-ERR SyntaxError "));
    bed_close(&bed);
}

TEST(errors_are_one_line_and_tell_the_spot)
{
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "GRAPH.RO_QUERY topo \"MATCH (n)\x0aWHERE n.x = m.y RETURN n\"",
           "-ERR SyntaxError UndefinedVariable: `m` is not defined here (line 2, column "
           "13)|");
    EXPECT(c, "GRAPH.RO_QUERY topo \"CREATE (:X)\"",
           "-READONLY the statement writes, and only reading is allowed here|");
    EXPECT(c, "GRAPH.RO_QUERY nowhere \"RETURN 1\"", "-ERR there is no graph nowhere|");
    EXPECT(c, "GRAPH.EXPLAIN nowhere \"RETURN 1\"", "-ERR there is no graph nowhere|");
    EXPECT(c, "GRAPH.DELETE nowhere", "-ERR there is no graph nowhere|");
    EXPECT(c, "GRAPH.QUERY a/b \"RETURN 1\"",
           "-ERR a graph's name has 1 to 253 characters of A-Z a-z 0-9 _ . -|");
    EXPECT(c, "GRAPH.QUERY topo \"RETURN 1\" --loud",
           "-ERR syntax error; usage: GRAPH.QUERY graph [CYPHER name=value [name=value ...]] "
           "statement [--compact|--cells] [TIMEOUT ms] [LIMIT rows] [AT moment] [KNOWN moment]|");
    EXPECT(c, "GRAPH.QUERY topo \"RETURN 1\" TIMEOUT -1",
           "-ERR value is out of range, must be between 0 and 86400000|");
    EXPECT(c, "GRAPH.QUERY topo",
           "-ERR wrong number of arguments for 'graph.query' command; usage: GRAPH.QUERY graph "
           "[CYPHER name=value [name=value ...]] statement [--compact|--cells] [TIMEOUT ms] [LIMIT "
           "rows] [AT moment] [KNOWN moment]|");
    bed_close(&bed);
}

#define ENDLESS "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(a + b)"

TEST(a_statement_has_its_time_its_memory_and_a_client_that_waits)
{
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    CHECK(starts(bed_run(c, "GRAPH.QUERY topo \"" ENDLESS "\" TIMEOUT 5"),
                 "-ERR Query timed out: the statement is over its budget of 5 ms"));
    EXPECT(c, "CONFIG SET graph-query-timeout 4 graph-query-memory 2000000", "+OK|");
    EXPECT(c, "CONFIG GET graph-query-*",
           "*4|$18|graph-query-memory|$7|2000000|$19|graph-query-timeout|$1|4|");
    const char *big = bed_run(c, "GRAPH.QUERY topo \"RETURN size(range(1, 1000000))\" TIMEOUT 0");
    CHECK_MSG(starts(big, "-ERR the value needs more memory than the 2000000 octets"), "%s", big);
    CHECK(starts(bed_run(c, "GRAPH.QUERY topo \"UNWIND range(1, 10000) AS a UNWIND range(1, 10000) "
                            "AS b RETURN count(a + b)\""),
                 "-ERR Query timed out: the statement is over its budget of 4 ms"));
    EXPECT(c, "CONFIG SET graph-query-timeout 60000 graph-query-memory 268435456", "+OK|");
    CHECK(starts(bed_run(c, "CONFIG SET graph-query-timeout 0"), "-ERR "));
    c->is_gone = true;
    EXPECT(c, "GRAPH.QUERY topo \"" ENDLESS "\"", "-ERR the statement was cancelled|");
    EXPECT(c, "GRAPH.QUERY topo \"CREATE (:Late)\"",
           "-ERR the statement was cancelled; nothing of it was written|");
    c->is_gone = false;
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (l:Late) RETURN l\"", "*3|*1|$1|l|*0|*1|");
    bed_close(&bed);
}

TEST(a_reply_beyond_its_bound_is_refused)
{
    struct bed bed = {0};
    open_topology(&bed);
    /* 4 MiB a row. */
    EXPECT(&bed.clients[0],
           "GRAPH.RO_QUERY topo \"UNWIND range(1, 40) AS x RETURN reduce(s = '0123456789abcdef', y "
           "IN range(1, 18) | s + s)\"",
           "-ERR the reply takes more than 134217728 bytes: ask for less with LIMIT, or over HTTP "
           "or Bolt, which stream|");
    bed_close(&bed);
}

TEST(a_session_at_a_moment_asks_the_graph_of_then)
{
    struct bed bed = {0};
    char request[128];
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    const char *reply = bed_run(c, "GRAPH.QUERY topo \"MATCH (h:Host) SET h.name = 'h2'\"");
    const char *commit = strstr(reply, "Commit: ");
    CHECK(commit != NULL);
    long long at = strtoll(commit + strlen("Commit: "), NULL, 10);
    snprintf(request, sizeof request, "YORE.AT @%lldns", at - 1);
    EXPECT(c, request, "+OK|");
    REPLIES(c, "GRAPH.QUERY topo \"MATCH (h:Host) RETURN h.name\"",
            "*3|*1|$6|h.name|*1|*1|$2|h1|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (h:Host) AS OF 'now' RETURN h.name\"",
            "*3|*1|$6|h.name|*1|*1|$2|h2|*1|");
    EXPECT(c, "GRAPH.QUERY topo \"MATCH (h:Host) SET h.name = 'h3'\"",
           "-READONLY the statement writes, and the past cannot be written to: leave out AS OF|");
    EXPECT(c, "GRAPH.DELETE topo",
           "-READONLY the session is at a moment of the past: YORE.AT NOW returns to the present, "
           "where writes are|");
    EXPECT(c, "GRAPH.QUERY other \"RETURN 1\"", "-ERR there is no graph other at that moment|");
    EXPECT(c, "YORE.AT NOW", "+OK|");
    EXPECT(c, "GRAPH.INGEST topo k8s START", ":1|");
    EXPECT(c, "GRAPH.INGEST topo k8s SEND 1 \"\"", "+OK|");
    EXPECT(c, "GRAPH.INGEST topo k8s APPLY x", "-ERR line 1, column 1: expected an object|");
    EXPECT(c, "GRAPH.INGEST topo k8s ABORT 1", "+OK|");
    EXPECT(c, "GRAPH.INGEST topo k8s DANCE",
           "-ERR syntax error; usage: GRAPH.INGEST graph source APPLY lines|START [moment]|SEND "
           "snapshot lines|STOP snapshot|ABORT snapshot|SET rank ttl|");
    EXPECT(c, "GRAPH.INGEST topo k8s STOP x", "-ERR value is not an integer or out of range|");
    CHECK(starts(bed_run(c, "GRAPH.DELETE topo"), "$6"));
    EXPECT(c, "GRAPH.RO_QUERY topo \"RETURN 1\"", "-ERR there is no graph topo|");
    EXPECT(c, "GRAPH.LIST", "*0|");
    bed_run(c, "GRAPH.QUERY topo \"CREATE (:Host {name: 'other'})\"");
    char as_of[160];
    snprintf(as_of, sizeof as_of, "GRAPH.RO_QUERY topo \"AS OF %lld MATCH (h:Host) RETURN h.name\"",
             at - 1);
    const char *refused = bed_run(c, as_of);
    CHECK_MSG(strstr(refused, "belonged to another one, which was dropped at 20") != NULL, "%s",
              refused);
    CHECK_MSG(strstr(refused, ": ask that one, with the moment beside the statement (line 1, "
                              "column 7)|") != NULL,
              "%s", refused);
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (h:Host) AS OF '2001-01-01' RETURN h.name\"",
            "*3|*1|$6|h.name|*0|*1|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (h:Host) AS OF 'now' RETURN h.name\"",
            "*3|*1|$6|h.name|*1|*1|$5|other|*1|");
    EXPECT(c, "YORE.AT 2001-01-01", "+OK|"); /* there was none: the one that is there now */
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (h:Host) RETURN h.name\"", "*3|*1|$6|h.name|*0|*1|");
    EXPECT(c, request, "+OK|"); /* the one that was dropped */
    EXPECT(c, "GRAPH.LIST", "*1|$4|topo|");
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (h:Host) RETURN h.name\"",
            "*3|*1|$6|h.name|*1|*1|$2|h1|*1|");
    bed_close(&bed);
}

static void check_has(const char *reply, const char *words)
{
    CHECK_MSG(strstr(reply, words) != NULL, "'%s' is not in: %s", words, reply);
}

TEST(sources_are_told_with_what_waits_and_erased)
{
    struct bed bed = {0};
    char request[64];
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "GRAPH.SOURCES nosuch", "-NOTFOUND there is no graph nosuch|");
    EXPECT(c, "GRAPH.SOURCES topo", "*0|");
    EXPECT(c, "GRAPH.INGEST topo k8s SET -3 90s", "+OK|");
    EXPECT(c, "GRAPH.INGEST topo k8s START", ":1|");
    bed_run(c, "GRAPH.INGEST topo cmdb APPLY {\"relationship\":\"r\",\"type\":\"IN\","
               "\"start\":\"a\",\"end\":\"b\",\"from\":\"2020-01-01\"}");
    const char *reply = bed_run(c, "GRAPH.SOURCES topo");
    CHECK_MSG(starts(reply, "*2|*20|$4|name|$3|k8s|$4|rank|:-3|$6|ttl_ns|:90000000000|"
                            "$9|last_word|"),
              "%s", reply);
    check_has(reply, "$8|snapshot|:1|$5|nodes|:0|");
    check_has(reply, "$4|name|$4|cmdb|");
    check_has(reply, "$13|relationships|:1|$7|pending|:1|$7|refusal|$0||");
    EXPECT(c, "GRAPH.PENDING topo",
           "*1|*16|$2|id|$1|r|$4|type|$2|IN|$5|start|$1|a|$3|end|$1|b|$13|start_missing|:1|"
           "$11|end_missing|:1|$6|source|$4|cmdb|$5|since|$20|2020-01-01T00:00:00Z|");
    EXPECT(c, "GRAPH.PENDING topo AT 2019-01-01", "*0|");
    EXPECT(c, "GRAPH.PENDING topo AT",
           "-ERR syntax error; usage: GRAPH.PENDING graph [AT moment] [KNOWN moment]|");
    snprintf(request, sizeof request, "YORE.AT @%lldns", (long long)yore_now(bed.db));
    EXPECT(c, request, "+OK|");
    EXPECT(c, "GRAPH.SOURCES topo",
           "-ERR 'graph.sources' names its own moments: say YORE.AT NOW first|");
    CHECK(starts(bed_run(c, "GRAPH.PENDING topo"), "*1|*16|"));
    CHECK(starts(bed_run(c, "GRAPH.ERASE topo RELATIONSHIP r"), "-READONLY "));
    EXPECT(c, "YORE.AT NOW", "+OK|");
    EXPECT(c, "GRAPH.ERASE topo THING r",
           "-ERR syntax error; usage: GRAPH.ERASE graph NODE|RELATIONSHIP id [property]|");
    EXPECT(c, "GRAPH.ERASE topo NODE nosuch",
           "-NOTFOUND graph topo: nothing is known of node nosuch|");
    CHECK(starts(bed_run(c, "GRAPH.ERASE topo RELATIONSHIP r"), ":"));
    EXPECT(c, "GRAPH.PENDING topo", "*0|");
    EXPECT(c, "ACL SETUSER ann on nopass +@graph ~topo", "+OK|");
    struct bed_client *ann = bed_client(&bed, 1);
    EXPECT(ann, "AUTH ann x", "+OK|");
    CHECK(starts(bed_run(ann, "GRAPH.SOURCES topo"), "*2|"));
    EXPECT(ann, "GRAPH.SOURCES other",
           "-NOPERM this user has no permissions to access one of the keys used as arguments|");
    EXPECT(c, "ACL SETUSER ann -@dangerous", "+OK|");
    EXPECT(ann, "GRAPH.ERASE topo NODE h1",
           "-NOPERM this user has no permissions to run the 'graph.erase' command|");
    bed_close(&bed);
}

TEST(a_graph_is_told_and_taken_in_line_by_line)
{
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "GRAPH.IMPORT ev \"1000\t1\t+\tn\ta\tA\t\t\t{\\x22x\\x22:1}\n\n\"",
           "*6|$6|events|:1|$12|transactions|:1|$11|passed_over|:0|");
    EXPECT(c, "GRAPH.IMPORT ev \"1000\t1\t+\tn\ta\tA\t\t\t{}\" RESUME BEHIND 7",
           "*6|$6|events|:1|$12|transactions|:0|$11|passed_over|:1|");
    CHECK(starts(bed_run(c, "GRAPH.IMPORT ev \"1000\t1\t+\tn\tb\tA\t\t\t{}\" BEHIND 7"),
                 "-ERR line 8: "));
    CHECK(starts(bed_run(c, "GRAPH.IMPORT ev \"2000\t2\t-\tn\tb\t\t\t\t\""), "-NOTFOUND line 1: "));
    EXPECT(c, "GRAPH.IMPORT ev x BEHIND y", "-ERR value is not an integer or out of range|");
    EXPECT(c, "GRAPH.IMPORT ev x BEHIND",
           "-ERR syntax error; usage: GRAPH.IMPORT graph lines [RESUME] [BEHIND count]|");
    EXPECT(c, "GRAPH.EXPORT ev",
           "*1|$49|{\"node\":\"a\",\"labels\":[\"A\"],\"properties\":{\"x\":1}}\n|");
    EXPECT(c, "GRAPH.EXPORT ev AT 1970-01-01", "*0|");
    EXPECT(c, "GRAPH.EXPORT ev FORMAT nodes-csv EVERY",
           "*2|$27|:ID,:LABEL,:FROM,:TO,x:int\n|$28|a,A,1970-01-01T00:00:01Z,,1\n|");
    EXPECT(c, "GRAPH.EXPORT ev FORMAT nodes-csv EVERY KNOWN -1h", "*1|$21|:ID,:LABEL,:FROM,:TO\n|");
    CHECK(starts(bed_run(c, "GRAPH.EXPORT ev FORMAT dot EVERY"), "-ERR dot has each element once"));
    CHECK(starts(bed_run(c, "GRAPH.EXPORT ev FORMAT thing"), "-ERR FORMAT is ndjson, "));
    EXPECT(c, "GRAPH.EXPORT ev FORMAT",
           "-ERR syntax error; usage: GRAPH.EXPORT graph [FORMAT "
           "NDJSON|NODES-CSV|RELATIONSHIPS-CSV|GRAPHML|DOT|EVENTS] [EVERY] [AT moment] [KNOWN "
           "moment]|");
    EXPECT(c, "GRAPH.EXPORT nowhere", "-NOTFOUND there is no graph nowhere|");
    CHECK(starts(bed_run(c, "GRAPH.SETTLE ev"), "*16|$5|words|:0|"));
    EXPECT(c, "GRAPH.SETTLE nowhere", "-NOTFOUND there is no graph nowhere|");
    EXPECT(c, "YORE.AT 1970-01-01", "+OK|");
    EXPECT(c, "GRAPH.EXPORT ev", "*0|");
    CHECK(starts(bed_run(c, "GRAPH.SETTLE ev"), "-READONLY "));
    EXPECT(c, "YORE.AT now", "+OK|");
    bed_close(&bed);
}

TEST(plans_are_lines_indented_by_four)
{
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "GRAPH.EXPLAIN topo \"MATCH (s:Service)-[:CALLS]->(h) RETURN h.name\"",
           "*4|$19|Projection | h.name|$30|    Expand | (s)-[:CALLS]->(h)|"
           "$35|        NodeByLabelScan | s:Service|$20|            Argument|");
    EXPECT(c, "GRAPH.EXPLAIN topo \"CREATE (:Late)\"", "*2|$11|Create | _0|$12|    Argument|");
    const char *profile = bed_run(c, "GRAPH.PROFILE topo \"CREATE (:Late)\"");
    CHECK_MSG(strstr(profile, "Create | _0 | Records produced: 1, Execution time: ") != NULL, "%s",
              profile);
    REPLIES(c, "GRAPH.RO_QUERY topo \"MATCH (l:Late) RETURN count(l)\"",
            "*3|*1|$8|count(l)|*1|*1|:1|*1|");
    bed_close(&bed);
}

TEST(a_statement_is_a_transaction_of_its_own)
{
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "GRAPH.QUERY topo \"CREATE (:X)\"", "-ERR Command not allowed inside a transaction|");
    EXPECT(c, "EXEC", "-EXECABORT Transaction discarded because of previous errors.|");
    bed_close(&bed);
}

struct taker {
    struct bed_client *client;
    _Atomic bool is_done;
};

static void take_in(void *arg)
{
    struct taker *taker = arg;
    bed_run(taker->client, "GRAPH.INGEST topo cmdb APPLY "
                           "{\"node\":\"h1\",\"labels\":[\"Host\"]}");
    atomic_store(&taker->is_done, true);
}

TEST(taking_in_what_a_source_says_waits_for_no_writer_of_keys)
{
    struct bed bed = {0};
    struct command_job job;
    bed_open(&bed);
    struct bed_client *writer = &bed.clients[0];
    struct taker taker = {.client = bed_client(&bed, 1)};
    struct os_thread *thread = NULL;
    command_job_begin(&job, bed.server); /* the writer has key topo until its job ends */
    writer->job = &job;
    EXPECT(writer, "SET topo 1", "+OK|");
    CHECK_OK(os_thread_start(take_in, &taker, "taker", &thread, NULL));
    for (int i = 0; i < 20000 && !atomic_load(&taker.is_done); i++) {
        os_sleep_ns(os_env_posix(), 10000000);
    }
    bool was_done = atomic_load(&taker.is_done);
    CHECK_OK(command_job_end(&job, NULL));
    writer->job = NULL;
    os_thread_join(thread);
    CHECK(was_done);
    EXPECT(writer, "GET topo", "$1|1|");
    CHECK(strstr(bed_run(writer, "GRAPH.RO_QUERY topo \"MATCH (n:Host) RETURN count(n)\""),
                 "|*1|*1|:1|") != NULL);
    bed_close(&bed);
}

TEST(rules_see_a_graphs_name_as_a_key)
{
    static const char *const READS = "GRAPH.QUERY topo \"MATCH (n:Host) RETURN n.name\"";
    static const char *const WRITES = "GRAPH.QUERY topo \"CREATE (:X)\"";
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *reader = bed_client(&bed, 1);
    bed_run(c, "GRAPH.QUERY secret \"CREATE (:X)\"");
    EXPECT(c, "ACL SETUSER reader on >pw %R~topo +@graph", "+OK|");
    EXPECT(c, "ACL SETUSER writer on >pw %RW~topo +@graph", "+OK|");
    EXPECT(c, "ACL SETUSER blind on >pw %W~topo +@graph", "+OK|");
    EXPECT(c, "ACL SETUSER split on >pw %R~topo +@graph (%W~topo +@graph)", "+OK|");
    EXPECT(c, "ACL SETUSER only on >pw %R~topo +graph.ro_query", "+OK|");
    EXPECT(
        c, "ACL CAT graph",
        "*13|$12|graph.delete|$11|graph.erase|$13|graph.explain|$12|graph.export|$12|graph.import|"
        "$12|graph.ingest|$10|graph.list|$13|graph.pending|$13|graph.profile|$11|graph.query|"
        "$14|graph.ro_query|$12|graph.settle|$13|graph.sources|");

    EXPECT(reader, "AUTH reader pw", "+OK|");
    REPLIES(reader, READS, "*3|*1|$6|n.name|*1|*1|$2|h1|*1|");
    EXPECT(reader, WRITES, "-NOPERM this user has no permissions to write to graph 'topo'|");
    EXPECT(reader, "GRAPH.PROFILE topo \"CREATE (:X)\"",
           "-NOPERM this user has no permissions to write to graph 'topo'|");
    CHECK(starts(bed_run(reader, "GRAPH.EXPLAIN topo \"CREATE (:X)\""), "*2|"));
    EXPECT(reader, "GRAPH.QUERY made \"RETURN 1\"",
           "-NOPERM this user has no permissions to access one of the keys used as arguments|");
    EXPECT(reader, "GRAPH.RO_QUERY secret \"RETURN 1\"",
           "-NOPERM this user has no permissions to access one of the keys used as arguments|");
    EXPECT(reader, "GRAPH.INGEST topo k8s START",
           "-NOPERM this user has no permissions to access one of the keys used as arguments|");
    EXPECT(reader, "GRAPH.DELETE topo",
           "-NOPERM this user has no permissions to access one of the keys used as arguments|");
    EXPECT(reader, "GRAPH.LIST", "*1|$4|topo|");

    EXPECT(reader, "AUTH writer pw", "+OK|");
    CHECK(starts(bed_run(reader, WRITES), "*1|"));
    REPLIES(reader, READS, "*3|*1|$6|n.name|*1|*1|$2|h1|*1|");
    EXPECT(reader, "AUTH blind pw", "+OK|");
    CHECK(starts(bed_run(reader, READS), "-NOPERM "));
    CHECK(starts(bed_run(reader, WRITES), "-NOPERM "));
    EXPECT(reader, "AUTH split pw", "+OK|"); /* one set of rules has to grant all */
    CHECK(starts(bed_run(reader, WRITES), "-NOPERM "));
    EXPECT(reader, "AUTH only pw", "+OK|");
    CHECK(starts(bed_run(reader, "GRAPH.RO_QUERY topo \"RETURN 1\""), "*3|"));
    EXPECT(reader, READS, "-NOPERM this user has no permissions to run the 'graph.query' command|");

    /* Reading makes none, and so needs no right to. */
    EXPECT(c, "ACL SETUSER reader %R~*", "+OK|");
    EXPECT(reader, "AUTH reader pw", "+OK|");
    REPLIES(reader, "GRAPH.QUERY made \"RETURN 1\"", "*3|*1|$1|1|*1|*1|:1|*1|");
    EXPECT(c, "GRAPH.LIST", "*2|$6|secret|$4|topo|");
    bed_close(&bed);
}

TEST(rights_to_the_past_hold_inside_of_statements)
{
    static const char *const FORBIDDEN[] = {
        "GRAPH.RO_QUERY topo \"AS OF '-1h' MATCH (n) RETURN n\"",
        "GRAPH.RO_QUERY topo \"KNOWN '-1h' MATCH (n) RETURN n\"",
        "GRAPH.RO_QUERY topo \"MATCH (n) AS OF '-1h' RETURN n\"",
        "GRAPH.RO_QUERY topo \"MATCH (n) FROM '-1h' TO 'now' RETURN n\"",
        "GRAPH.RO_QUERY topo \"CALL yore.history(1) YIELD version RETURN version\"",
        "GRAPH.QUERY topo \"CALL yore.diff('-1h', 'now') YIELD id RETURN id\"",
        "GRAPH.RO_QUERY topo \"CYPHER t='-1h' AS OF $t MATCH (n) RETURN n\"",
        "GRAPH.EXPORT topo EVERY",
        "GRAPH.EXPORT topo AT -1h",
    };
    struct bed bed = {0};
    open_topology(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *reader = bed_client(&bed, 1);
    EXPECT(c, "ACL SETUSER reader on >pw ~* +@all nohistory", "+OK|");
    EXPECT(reader, "AUTH reader pw", "+OK|");
    EXPECT(c, "ACL LOG RESET", "+OK|");
    for (size_t i = 0; i < sizeof FORBIDDEN / sizeof FORBIDDEN[0]; i++) {
        const char *reply = bed_run(reader, FORBIDDEN[i]);
        CHECK_MSG(starts(reply, "-NOPERM this user has no permissions to look at "), "%s: %s",
                  FORBIDDEN[i], reply);
    }
    CHECK(strstr(bed_run(c, "ACL LOG"), "reader") != NULL);
    CHECK(starts(bed_run(reader, "GRAPH.RO_QUERY topo \"MATCH (n) RETURN n\""), "*3|"));
    CHECK(starts(bed_run(reader, "GRAPH.RO_QUERY topo \"AS OF 'now' MATCH (n) RETURN n\""), "*3|"));
    EXPECT(c, "ACL SETUSER reader history:30m", "+OK|");
    CHECK(starts(bed_run(reader, FORBIDDEN[0]), "-NOPERM "));
    EXPECT(c, "ACL SETUSER reader history:2h", "+OK|");
    CHECK(starts(bed_run(reader, FORBIDDEN[0]), "*3|"));
    bed_close(&bed);
}

TEST(tools_are_told_of_the_commands)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "COMMAND GETKEYS GRAPH.QUERY topo \"RETURN 1\"", "*1|$4|topo|");
    EXPECT(c, "COMMAND GETKEYS GRAPH.DELETE topo", "*1|$4|topo|");
    CHECK(starts(bed_run(c, "COMMAND GETKEYS GRAPH.LIST"), "-ERR "));
    EXPECT(c, "COMMAND GETKEYSANDFLAGS GRAPH.RO_QUERY topo \"RETURN 1\"",
           "*1|*2|$4|topo|*2|+RO|+access|");
    CHECK(strstr(bed_run(c, "COMMAND DOCS graph.query"), "--compact") != NULL);
    CHECK(strstr(bed_run(c, "COMMAND INFO graph.ro_query"), "readonly") != NULL);
    bed_close(&bed);
}

TEST(a_statement_that_reads_needs_no_graph)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root, "ACL SETUSER ann on nopass %R~* +@read +graph.query", "+OK|");
    EXPECT(c, "AUTH ann x", "+OK|");
    REPLIES(c, "GRAPH.QUERY topo \"RETURN 1 AS x\"", "*3|*1|$1|x|*1|*1|:1|*1|");
    REPLIES(c, "GRAPH.QUERY topo \"MATCH (n)-[r]->(m) RETURN n\"", "*3|*1|$1|n|*0|*1|");
    REPLIES(c, "GRAPH.QUERY topo \"AS OF '-1h' MATCH (n:A {k: 1}) RETURN count(n) AS x\"",
            "*3|*1|$1|x|*1|*1|:0|*1|");
    REPLIES(c, "GRAPH.QUERY topo \"CALL db.labels() YIELD label RETURN label\"",
            "*3|*1|$5|label|*0|*1|");
    CHECK(starts(bed_run(c, "GRAPH.QUERY topo \"CREATE (:A)\""), "-NOPERM"));
    EXPECT(root, "GRAPH.LIST", "*0|");
    CHECK(starts(bed_run(root, "YORE.PUT k v KEYSPACE graph.empty"), "-READONLY "));
    bed_run(root, "GRAPH.QUERY topo \"CREATE (:A)\"");
    EXPECT(root, "GRAPH.LIST", "*1|$4|topo|");
    REPLIES(c, "GRAPH.QUERY topo \"MATCH (n) RETURN count(n) AS x\"", "*3|*1|$1|x|*1|*1|:1|*1|");
    REPLIES(c, "GRAPH.QUERY other \"MATCH (n) RETURN count(n) AS x\"", "*3|*1|$1|x|*1|*1|:0|*1|");
    bed_close(&bed);
}

TEST_MAIN(a_statement_that_reads_needs_no_graph, a_reply_has_columns_rows_and_statistics,
          compact_replies_name_by_position, parameters_stand_before_the_statement,
          errors_are_one_line_and_tell_the_spot,
          a_statement_has_its_time_its_memory_and_a_client_that_waits,
          a_reply_beyond_its_bound_is_refused, a_session_at_a_moment_asks_the_graph_of_then,
          sources_are_told_with_what_waits_and_erased, a_graph_is_told_and_taken_in_line_by_line,
          plans_are_lines_indented_by_four, a_statement_is_a_transaction_of_its_own,
          taking_in_what_a_source_says_waits_for_no_writer_of_keys,
          rules_see_a_graphs_name_as_a_key, rights_to_the_past_hold_inside_of_statements,
          tools_are_told_of_the_commands)
