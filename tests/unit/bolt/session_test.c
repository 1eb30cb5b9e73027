/* The state machine of a session, message by message, without sockets. */
#include <stdio.h>
#include <string.h>

#include "bolt/limits.h"
#include "os/env.h"
#include "support/bolt_text.h"
#include "unit/bolt/bolt_bed.h"

#define END "SUCCESS {type: 'r', db: 'neo4j', t_last: _, bookmark: _}"
#define MORE "SUCCESS {has_more: true}"
#define HELLO "HELLO {user_agent: 'test'}"
#define DONE "SUCCESS {}"

/* A statement that has to work, in a transaction of its own. */
static void write_down(struct bolt_bed *bed, const char *statement)
{
    char messages[2048];
    snprintf(messages, sizeof(messages), "RUN '%s' {} {}\nDISCARD {n: -1}", statement);
    const char *told = talk(bed, messages);
    CHECK_MSG(strstr(told, "FAILURE") == NULL, "%s", told);
}

/* The rows of a statement on a database: "RECORD [1]\nRECORD [2]". */
static const char *rows(struct bolt_bed *bed, const char *statement, const char *database)
{
    static char kept[4096];
    char messages[2048];
    snprintf(messages, sizeof(messages), "RUN '%s' {} {db: '%s'}\nPULL {n: -1}", statement,
             database);
    const char *told = talk(bed, messages);
    const char *first = strstr(told, "RECORD");
    const char *end = strstr(told, "\nSUCCESS {type");
    CHECK_MSG(end != NULL, "%s", told);
    snprintf(kept, sizeof(kept), "%.*s", first != NULL ? (int)(end - first) : 0,
             first != NULL ? first : "");
    return kept;
}

/* ---- who is there -----------------------------------------------------------------------------
 */

TEST(a_client_says_hello_and_logs_in_as_its_version_has_it)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    bed.needs_login = true;
    connect_as(&bed, 4, 4);
    TALKED(&bed,
           "HELLO {user_agent: 'x', scheme: 'basic', principal: 'ann', credentials: 'secret'}",
           "SUCCESS {server: _, connection_id: _, hints: {connection.recv_timeout_seconds: 1}}");
    CHECK(bolt_session_is_trusted(bed.session));
    connect_as(&bed, 4, 4);
    TALKED(&bed,
           "HELLO {scheme: 'basic', principal: 'ann', credentials: 'secret', patch_bolt: ['utc']}",
           "SUCCESS {server: _, connection_id: _, hints: {connection.recv_timeout_seconds: 1}, "
           "patch_bolt: ['utc']}");
    connect_as(&bed, 5, 0);
    TALKED(&bed, "HELLO {scheme: 'basic', principal: 'ann', credentials: 'secret'}",
           "SUCCESS {server: _, connection_id: _, hints: {connection.recv_timeout_seconds: 1}}");
    connect_as(&bed, 5, 1);
    TALKED(&bed, HELLO,
           "SUCCESS {server: _, connection_id: _, hints: "
           "{connection.recv_timeout_seconds: 1}}");
    CHECK(!bolt_session_is_trusted(bed.session));
    TALKED(&bed, "LOGON {scheme: 'basic', principal: 'ann', credentials: 'secret'}", DONE);
    CHECK(bolt_session_is_trusted(bed.session));
    TALKED(&bed, "LOGOFF", DONE);
    CHECK(!bolt_session_is_trusted(bed.session) && !bed.is_in);
    TALKED(&bed, "LOGON {scheme: 'basic', principal: 'ann', credentials: 'secret'}\nGOODBYE", DONE);
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    bolt_bed_close(&bed);
}

TEST(who_is_not_known_stays_outside)
{
    static const char *const logins[] = {
        "LOGON {scheme: 'basic', principal: 'ann', credentials: 'wrong'}",
        "LOGON {scheme: 'basic', principal: 'bob', credentials: 'secret'}",
        "LOGON {scheme: 'none'}",
        "LOGON {}",
        "LOGON {scheme: 'kerberos', credentials: 'x'}",
    };
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    bed.needs_login = true;
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        connect_as(&bed, 5, 4);
        talk(&bed, HELLO);
        const char *told = talk(&bed, logins[i]);
        CHECK_MSG(strstr(told, "FAILURE {code: 'Neo.ClientError.Security.Unauthorized'") == told,
                  "%s: %s", logins[i], told);
        CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    }
    CHECK_EQ_UINT(bed.denied, 2);
    /* Its address has to wait. */
    bed.login_wait_ns = 1;
    connect_as(&bed, 5, 4);
    talk(&bed, HELLO);
    const char *late =
        talk(&bed, "LOGON {scheme: 'basic', principal: 'ann', credentials: 'secret'}");
    CHECK_MSG(strstr(late, "FAILURE {code: 'Neo.ClientError.Security.AuthenticationRateLimit'") ==
                  late,
              "%s", late);
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    CHECK_EQ_UINT(bed.denied, 3);
    bed.login_wait_ns = 0;
    /* Nothing is run for nobody. */
    static const char *const early[] = {"RUN 'RETURN 1' {} {}", "RESET", "LOGOFF",
                                        "ROUTE {} [] {}"};
    for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
        connect_as(&bed, 5, 4);
        talk(&bed, HELLO);
        const char *told = talk(&bed, early[i]);
        CHECK_MSG(strstr(told, "FAILURE {code: 'Neo.ClientError.Request.Invalid'") == told, "%s",
                  told);
        CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    }
    bed.needs_login = false;
    connect_as(&bed, 5, 4);
    TALKED(&bed, HELLO "\nLOGON {scheme: 'none'}\nTELEMETRY 1",
           "SUCCESS {server: _, connection_id: _, hints: {connection.recv_timeout_seconds: 1}}\n"
           "SUCCESS {}\nSUCCESS {}");
    bolt_bed_close(&bed);
}

TEST(what_comes_before_login_is_small)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    unsigned char chunk[BOLT_MESSAGE_LOGIN_BYTES_MAX + 8] = {0};
    chunk[0] = (BOLT_MESSAGE_LOGIN_BYTES_MAX + 1) >> 8;
    chunk[1] = (BOLT_MESSAGE_LOGIN_BYTES_MAX + 1) & 0xFF;
    connect_as(&bed, 5, 4);
    talk_octets(&bed, chunk, sizeof(chunk));
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    CHECK_EQ_STR(answers(&bed), "FAILURE {code: 'Neo.ClientError.Request.Invalid', message: 'a "
                                "message before login is larger than 16 KiB'}");
    /* Few octets that say they are much. */
    connect_as(&bed, 5, 4);
    unsigned char many[BOLT_MESSAGE_LOGIN_BYTES_MAX] = {0x3F, 0xF0, 0xB1, 0x01, 0xA1,
                                                        0x81, 'a',  0xD5, 0x3F, 0xE6};
    talk_octets(&bed, many, 0x3FF0 + 2);
    talk_octets(&bed, "\0\0", 2);
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    bolt_bed_close(&bed);
}

TEST(another_protocol_is_hung_up_on)
{
    static const unsigned char none[20] = {0x60, 0x60, 0xB0, 0x17, 0, 0, 0, 3, 0, 0, 0, 2};
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    CHECK_OK(bolt_session_new(bed.server, &bed, "x", &bed.session));
    talk_octets(&bed, "GET / HTTP/1.1\r\n", 16);
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    CHECK_EQ_UINT(bed.out.size, 0);
    bolt_session_free(bed.session);
    buffer_clear(&bed.input);
    CHECK_OK(bolt_session_new(bed.server, &bed, "x", &bed.session));
    for (size_t i = 0; i < sizeof(none); i++) {
        CHECK_EQ_UINT(bed.out.size, 0);
        talk_octets(&bed, none + i, 1);
    }
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    CHECK_EQ_BYTES(bed.out.data, bed.out.size, "\0\0\0\0", 4);
    bolt_bed_close(&bed);
}

/* ---- statements -------------------------------------------------------------------------------
 */

TEST(rows_come_as_many_as_are_asked_for)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    TALKED(&bed, "RUN 'UNWIND range(1, 5) AS x RETURN x, x * 2 AS y' {} {}",
           "SUCCESS {fields: ['x', 'y'], t_first: _}");
    TALKED(&bed, "PULL {n: 2}", "RECORD [1, 2]\nRECORD [2, 4]\n" MORE);
    TALKED(&bed, "DISCARD {n: 1}", MORE);
    TALKED(&bed, "PULL {n: 2, qid: -1}", "RECORD [4, 8]\nRECORD [5, 10]\n" END);
    TALKED(&bed, "RUN 'RETURN $a AS a' {a: 1} {mode: 'r'}\nPULL {n: -1}",
           "SUCCESS {fields: ['a'], t_first: _}\nRECORD [1]\n" END);
    TALKED(&bed, "RUN 'UNWIND [] AS x RETURN x' {} {}\nPULL {n: 1000}",
           "SUCCESS {fields: ['x'], t_first: _}\n" END);
    TALKED(&bed, "RUN 'UNWIND range(1, 1000000000000) AS x RETURN x' {} {}\nDISCARD {n: -1}",
           "SUCCESS {fields: ['x'], t_first: _}\n" END);
    bolt_bed_close(&bed);
}

TEST(a_result_of_any_size_takes_the_memory_of_some_rows)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    unsigned char message[512];
    size_t size = bolt_write_chunk("RUN 'UNWIND range(1, 200000) AS x RETURN x, $s AS s' "
                                   "{s: 'a text that makes the row a little wider'} {}",
                                   message, sizeof(message));
    talk_octets(&bed, message, size);
    buffer_clear(&bed.out);
    bed.turn_bytes = 0;
    bed.long_turns = 0;
    size = bolt_write_chunk("PULL {n: -1}", message, sizeof(message));
    talk_octets(&bed, message, size);
    CHECK(bed.out.size > 8 * 1000 * 1000);
    CHECK(bed.turn_bytes < BOLT_OUTPUT_SOFT_BYTES + 1024);
    CHECK(bed.long_turns > 30);
    bolt_bed_close(&bed);
}

TEST(what_a_statement_did_is_told)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    TALKED(&bed, "RUN 'CREATE (a:A {k: 1})-[:T]->(b:B) RETURN 1 AS one' {} {}\nPULL {n: -1}",
           "SUCCESS {fields: ['one'], t_first: _}\nRECORD [1]\n"
           "SUCCESS {type: 'rw', db: 'neo4j', t_last: _, stats: {nodes-created: 2, "
           "relationships-created: 1, properties-set: 1, labels-added: 2, contains-updates: true}, "
           "bookmark: _}");
    TALKED(&bed, "RUN 'MATCH (b:B) DETACH DELETE b' {} {}\nPULL {n: -1}",
           "SUCCESS {fields: [], t_first: _}\n"
           "SUCCESS {type: 'w', db: 'neo4j', t_last: _, stats: {nodes-deleted: 1, "
           "relationships-deleted: 1, contains-updates: true}, bookmark: _}");
    TALKED(&bed, "RUN 'CREATE INDEX FOR (a:A) ON (a.k)' {} {}\nPULL {n: -1}",
           "SUCCESS {fields: [], t_first: _}\n"
           "SUCCESS {type: 's', db: 'neo4j', t_last: _, stats: {indexes-added: 1, "
           "contains-updates: true}, bookmark: _}");
    TALKED(
        &bed, "RUN 'MATCH (n:Nowhere) RETURN n' {} {}\nPULL {n: -1}",
        "SUCCESS {fields: ['n'], t_first: _}\n"
        "SUCCESS {type: 'r', db: 'neo4j', t_last: _, bookmark: _, notifications: [{code: "
        "'Neo.ClientNotification.Statement.UnknownLabelWarning', title: 'The label is not in the "
        "graph.', description: 'Nothing in this graph ever had the label Nowhere: is the name "
        "written right?', severity: 'WARNING', category: 'UNRECOGNIZED'}]}");
    const char *told = talk(&bed, "RUN 'EXPLAIN MATCH (a:A) RETURN a' {} {}\nPULL {n: -1}");
    CHECK_MSG(strstr(told, "plan: {args: {Details: 'a', EstimatedRows: ") != NULL, "%s", told);
    CHECK(strstr(told, "operatorType: 'NodeByLabelScan'") != NULL);
    told = talk(&bed, "RUN 'PROFILE MATCH (a:A) RETURN a.k AS k' {} {}\nPULL {n: -1}");
    CHECK_MSG(strstr(told, "profile: {args: ") != NULL, "%s", told);
    CHECK(strstr(told, "operatorType: 'Projection', rows: 1}") != NULL);
    /* EXPLAIN makes nothing, not even the graph. */
    told = talk(&bed, "RUN 'EXPLAIN CREATE (:X)' {} {db: 'none'}");
    CHECK_MSG(strstr(told, "DatabaseNotFound") != NULL, "%s", told);
    bolt_bed_close(&bed);
}

TEST(the_graph_of_who_names_none_is_made_by_the_first_write)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    TALKED(&bed, "RUN 'RETURN 1 AS x' {} {}\nPULL {n: -1}",
           "SUCCESS {fields: ['x'], t_first: _}\nRECORD [1]\n" END);
    TALKED(&bed, "RUN 'MATCH (n) RETURN count(n) AS x' {} {db: 'neo4j'}\nPULL {n: -1}",
           "SUCCESS {fields: ['x'], t_first: _}\nRECORD [0]\n" END);
    struct yore_keyspace *keyspace = NULL;
    CHECK_STATUS(yore_keyspace_open(bed.bed.db, "g.neo4j", NULL, &keyspace, NULL), YORE_NOT_FOUND);
    /* A transaction has the graph from the statement on that makes it. */
    TALKED(&bed, "BEGIN {}\nRUN 'MATCH (n) RETURN count(n) AS x' {} {}\nPULL {n: -1}",
           DONE "\nSUCCESS {fields: ['x'], t_first: _, qid: 0}\nRECORD [0]\n"
                "SUCCESS {type: 'r', db: 'neo4j', t_last: _}");
    CHECK(strstr(talk(&bed, "RUN 'CREATE (:A)' {} {}\nPULL {n: -1}"), "nodes-created: 1") != NULL);
    TALKED(&bed, "RUN 'MATCH (n) RETURN count(n) AS x' {} {}\nPULL {n: -1}",
           "SUCCESS {fields: ['x'], t_first: _, qid: 2}\nRECORD [1]\n"
           "SUCCESS {type: 'r', db: 'neo4j', t_last: _}");
    CHECK(strstr(talk(&bed, "COMMIT"), "bookmark") != NULL);
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN count(a)", "neo4j"), "RECORD [1]");
    bolt_bed_close(&bed);
}

TEST(values_of_every_kind_go_there_and_back)
{
    static const char *const values[] = {"null",
                                         "true",
                                         "-9007199254740993",
                                         "1.5",
                                         "'text'",
                                         "[1, [2], {a: null}]",
                                         "{a: 1, b: {c: []}}",
                                         "D(20000)",
                                         "t(3600000000000)",
                                         "T(3600000000000, -3600)",
                                         "d(1700000000, 5)",
                                         "I(1700000000, 5, 3600)",
                                         "i(1700000000, 5, 'Europe/Stockholm')",
                                         "E(14, 3, -5, 999999999)"};
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char messages[400];
        char want[400];
        snprintf(messages, sizeof(messages),
                 "RUN 'CREATE (n:V {v: $v}) RETURN $v, n.v' {v: %s} {}\nPULL {n: -1}", values[i]);
        snprintf(want, sizeof(want), "RECORD [%s, %s]\n", values[i], values[i]);
        const char *told = talk(&bed, messages);
        bool is_map = values[i][0] == '{' || strstr(values[i], "{a") != NULL;
        CHECK_MSG(is_map || strstr(told, want) != NULL, "%s: %s", values[i], told);
        snprintf(messages, sizeof(messages), "RESET\nRUN 'RETURN $v AS v' {v: %s} {}\nPULL {n: -1}",
                 values[i]);
        snprintf(want, sizeof(want), "RECORD [%s]\n", values[i]);
        told = talk(&bed, messages);
        CHECK_MSG(strstr(told, want) != NULL, "%s: %s", values[i], told);
    }
    CHECK_EQ_STR(rows(&bed, "MATCH (n:V) WHERE n.v = 1.5 RETURN n", "neo4j"),
                 "RECORD [N(4, ['V'], {v: 1.5}, '4')]");
    write_down(&bed, "CREATE (:P {n: 1})-[:T {k: 2}]->(:P {n: 2})");
    const char *told = rows(&bed, "MATCH p = (:P {n: 2})<-[r]-(:P) RETURN r, p", "neo4j");
    CHECK_MSG(strstr(told, "[R(1, ") != NULL && strstr(told, "P([N(") != NULL &&
                  strstr(told, "[r(1, 'T', {k: 2}, '1')], [-1, 1])]") != NULL,
              "%s", told);
    connect_as(&bed, 4, 4);
    talk(&bed, "HELLO {scheme: 'none'}");
    CHECK_EQ_STR(rows(&bed, "MATCH (n:V) WHERE n.v = 1.5 RETURN n", "neo4j"),
                 "RECORD [N(4, ['V'], {v: 1.5})]");
    told = talk(&bed, "RUN 'RETURN $v AS v' {v: F(1700003600, 5, 3600)} {}\nPULL {n: -1}");
    CHECK_MSG(strstr(told, "RECORD [F(1700003600, 5, 3600)]") != NULL, "%s", told);
    bolt_bed_close(&bed);
}

TEST(a_value_that_a_graph_does_not_have_is_named)
{
    static const char *const values[] = {"#0aff", "X(1, 1.0, 2.0)", "N(1, [], {})",
                                         "i(0, 0, 'No/Zone')"};
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char messages[200];
        snprintf(messages, sizeof(messages), "RUN 'RETURN $v' {v: %s} {}\nPULL {n: -1}\nRESET",
                 values[i]);
        bed.is_watched = false; /* or all of it is passed over, as a RESET follows */
        const char *told = talk(&bed, messages);
        CHECK_MSG(strstr(told, "FAILURE {code: 'Neo.ClientError.Statement.TypeError'") == told,
                  "%s", told);
        CHECK(strstr(told, "\nIGNORED\nSUCCESS {}") != NULL);
    }
    bolt_bed_close(&bed);
}

/* ---- failures ---------------------------------------------------------------------------------
 */

TEST(after_a_failure_everything_is_ignored_until_a_reset)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    TALKED(&bed, "RUN 'RETURN 1 AS' {} {}\nPULL {n: -1}\nBEGIN {}\nROUTE {} [] {}",
           "FAILURE {code: 'Neo.ClientError.Statement.SyntaxError', message: 'expected a variable "
           "but found the end\nline 1: RETURN 1 AS\n                   "
           "^'}\nIGNORED\nIGNORED\nIGNORED");
    TALKED(&bed, "RESET", DONE);
    TALKED(
        &bed, "RUN 'RETURN 1 AS x' {} {db: 'missing'}",
        "FAILURE {code: 'Neo.ClientError.Database.DatabaseNotFound', message: 'there is no graph "
        "missing'}");
    TALKED(&bed, "RESET", DONE);
    write_down(&bed, "CREATE (:A)");
    TALKED(&bed, "RUN 'RETURN 1 / $x AS y' {x: 0} {}\nPULL {n: -1}",
           "SUCCESS {fields: ['y'], t_first: _}\n"
           "FAILURE {code: 'Neo.ClientError.Statement.ArithmeticError', message: 'an Integer "
           "cannot be divided by zero\nline 1: RETURN 1 / $x AS y\n               ^^^^^^'}");
    TALKED(&bed, "RESET", DONE);
    TALKED(&bed, "RUN 'RETURN $nothing' {} {}",
           "FAILURE {code: 'Neo.ClientError.Statement.ParameterMissing', message: 'the statement "
           "has a parameter $nothing, and no value was given for it'}");
    TALKED(&bed, "RESET", DONE);
    TALKED(&bed, "RUN 'CREATE (:A)' {} {mode: 'r'}",
           "FAILURE {code: 'Neo.ClientError.Statement.AccessMode', message: 'the statement writes, "
           "and only reading is allowed here'}");
    bolt_bed_close(&bed);
}

TEST(what_the_state_does_not_take_ends_the_connection)
{
    static const char *const messages[] = {"PULL {n: 1}",
                                           "DISCARD {n: 1}",
                                           "COMMIT",
                                           "ROLLBACK",
                                           "LOGON {}",
                                           "HELLO {}",
                                           "BEGIN {}\nBEGIN {}",
                                           "BEGIN {}\nPULL {n: 1}",
                                           "BEGIN {}\nLOGOFF",
                                           "RUN 'RETURN 1 AS x' {} {}\nRUN 'RETURN 1 AS x' {} {}",
                                           "RUN 'RETURN 1 AS x' {} {}\nBEGIN {}",
                                           "RUN 1 {} {}",
                                           "RUN 'RETURN 1' [] {}",
                                           "RUN 'RETURN 1' {}",
                                           "RUN 'RETURN 1' {} {} {}",
                                           "RUN 'RETURN 1' {} {tx_timeout: 'x'}",
                                           "RUN 'RETURN 1' {} {bookmarks: [1]}",
                                           "RUN 'RETURN 1 AS x' {} {}\nPULL {n: 0}",
                                           "RUN 'RETURN 1 AS x' {} {}\nPULL {n: -2}",
                                           "SUCCESS {}"};
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        connect_ready(&bed);
        const char *told = talk(&bed, messages[i]);
        test_note("%s: %s", messages[i], told);
        CHECK(strstr(told, "FAILURE {code: 'Neo.ClientError.Request.Invalid'") != NULL);
        CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    }
    connect_ready(&bed);
    talk_octets(&bed, "\0\1\x01\0\0", 5);
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    /* A message of a later version is none of this one. */
    connect_as(&bed, 5, 0);
    talk(&bed, HELLO);
    CHECK(strstr(talk(&bed, "LOGON {}"), "FAILURE") != NULL);
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    bolt_bed_close(&bed);
}

TEST(what_ends_a_transaction_runs_where_it_may_block)
{
    static const char *const ends[] = {"PULL {n: 0}", "LOGOFF", "SUCCESS {}", "COMMIT 1", "RESET"};
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        test_note("%s", ends[i]);
        connect_ready(&bed);
        TALKED(&bed, "BEGIN {}\nRUN 'CREATE (:A)' {} {}",
               "SUCCESS {}\nSUCCESS {fields: [], t_first: _, qid: 0}");
        unsigned before = bed.long_turns;
        talk(&bed, ends[i]);
        CHECK(!bolt_session_is_busy(bed.session));
        CHECK_EQ_UINT(bed.long_turns, before + 1);
    }
    connect_ready(&bed); /* where nothing is open nobody else is needed */
    unsigned before = bed.long_turns;
    talk(&bed, "COMMIT");
    CHECK_EQ_UINT(bed.long_turns, before);
    bolt_bed_close(&bed);
}

/* As many octets of a message that is not whole yet. */
static void send_part(struct bolt_bed *bed, size_t size)
{
    static unsigned char chunk[2 + 65535] = {0xFF, 0xFF};
    for (size_t done = 0; done < size; done += 65535) {
        talk_octets(bed, chunk, sizeof(chunk));
    }
}

TEST(a_message_that_is_too_large_ends_a_transaction_where_that_may_block)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    TALKED(&bed, "BEGIN {}", DONE);
    unsigned before = bed.long_turns;
    send_part(&bed, BOLT_MESSAGE_BYTES_MAX + 1);
    CHECK_EQ_STR(answers(&bed), "FAILURE {code: 'Neo.ClientError.Request.Invalid', message: 'a "
                                "message is larger than 64 MiB: send less at a time'}");
    CHECK_EQ_INT(bed.next, BOLT_CLOSE);
    CHECK(!bolt_session_is_busy(bed.session));
    CHECK_EQ_UINT(bed.long_turns, before + 1);
    bolt_bed_close(&bed);
}

TEST(what_a_session_keeps_of_what_its_client_sent_is_told)
{
    static const char text[] = "RUN 'RETURN $p AS p' {p: '%0*d'} {}";
    enum { KEPT = 64 << 10 };
    char message[8192];
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    CHECK(bolt_session_kept_bytes(bed.session) < KEPT);
    send_part(&bed, 1 << 20);
    CHECK(bolt_session_kept_bytes(bed.session) > 1 << 20);
    connect_ready(&bed);
    snprintf(message, sizeof(message), text, 7000, 1);
    TALKED(&bed, "BEGIN {}", DONE);
    for (int i = 0; i < 100; i++) {
        CHECK(strncmp(talk(&bed, message), "SUCCESS {fields", 15) == 0);
    }
    CHECK(bolt_session_kept_bytes(bed.session) > 700000);
    TALKED(&bed, "ROLLBACK", DONE);
    CHECK(bolt_session_kept_bytes(bed.session) < KEPT);
    bolt_bed_close(&bed);
}

/* ---- transactions -----------------------------------------------------------------------------
 */

TEST(a_transaction_is_whole_or_not_at_all)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    TALKED(
        &bed, "BEGIN {}\nRUN 'CREATE (:A {n: 1})' {} {}\nPULL {n: -1}\nCOMMIT",
        "SUCCESS {}\nSUCCESS {fields: [], t_first: _, qid: 0}\n"
        "SUCCESS {type: 'w', db: 'neo4j', t_last: _, stats: {nodes-created: 1, properties-set: 1, "
        "labels-added: 1, contains-updates: true}}\nSUCCESS {bookmark: _}");
    TALKED(
        &bed,
        "BEGIN {}\nRUN 'CREATE (:A {n: 2})' {} {}\nPULL {n: -1}\n"
        "RUN 'MATCH (a:A) RETURN count(a) AS c' {} {}\nPULL {n: -1}\nROLLBACK",
        "SUCCESS {}\nSUCCESS {fields: [], t_first: _, qid: 0}\n"
        "SUCCESS {type: 'w', db: 'neo4j', t_last: _, stats: {nodes-created: 1, properties-set: 1, "
        "labels-added: 1, contains-updates: true}}\n"
        "SUCCESS {fields: ['c'], t_first: _, qid: 1}\nRECORD [2]\n"
        "SUCCESS {type: 'r', db: 'neo4j', t_last: _}\nSUCCESS {}");
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", "neo4j"), "RECORD [1]");
    /* A failure ends it; so does a RESET; so does hanging up. */
    talk(&bed,
         "BEGIN {}\nRUN 'CREATE (:A {n: 3})' {} {}\nPULL {n: -1}\nRUN 'RETURN' {} {}\nCOMMIT");
    TALKED(&bed, "RESET", DONE);
    talk(&bed, "BEGIN {}\nRUN 'CREATE (:A {n: 4})' {} {}\nPULL {n: -1}");
    TALKED(&bed, "RESET", DONE);
    talk(&bed, "BEGIN {}\nRUN 'CREATE (:A {n: 5})' {} {}\nPULL {n: -1}");
    connect_ready(&bed);
    bolt_server_tick(bed.server);
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", "neo4j"), "RECORD [1]");
    TALKED(&bed, "BEGIN {mode: 'r'}\nRUN 'CREATE (:A)' {} {}",
           "SUCCESS {}\nFAILURE {code: 'Neo.ClientError.Statement.AccessMode', message: 'the "
           "statement writes, and only reading is allowed here'}");
    bolt_bed_close(&bed);
}

TEST(a_transaction_has_several_results_open)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    talk(&bed, "BEGIN {}");
    TALKED(&bed,
           "RUN 'UNWIND [1, 2, 3] AS x RETURN x' {} {}\nPULL {n: 1}\n"
           "RUN 'UNWIND [7, 8] AS y RETURN y' {} {}\nPULL {n: 1}",
           "SUCCESS {fields: ['x'], t_first: _, qid: 0}\nRECORD [1]\n" MORE "\n"
           "SUCCESS {fields: ['y'], t_first: _, qid: 1}\nRECORD [7]\n" MORE);
    TALKED(&bed, "PULL {n: 1, qid: 0}\nPULL {n: -1, qid: 1}\nPULL {n: -1, qid: 0}",
           "RECORD [2]\n" MORE "\nRECORD [8]\nSUCCESS {type: 'r', db: 'neo4j', t_last: _}\n"
           "RECORD [3]\nSUCCESS {type: 'r', db: 'neo4j', t_last: _}");
    TALKED(&bed, "RUN 'UNWIND [1, 2] AS x RETURN x' {} {}\nPULL {n: 1, qid: 5}",
           "SUCCESS {fields: ['x'], t_first: _, qid: 2}\n"
           "FAILURE {code: 'Neo.ClientError.Request.Invalid', message: 'no result of that number "
           "('qid') is open'}");
    TALKED(&bed, "RESET\nBEGIN {}\nRUN 'UNWIND [1, 2] AS x RETURN x' {} {}\nCOMMIT",
           "SUCCESS {}\nSUCCESS {}\nSUCCESS {fields: ['x'], t_first: _, qid: 0}\n"
           "SUCCESS {bookmark: _}");
    bolt_bed_close(&bed);
}

TEST(who_wrote_the_same_meanwhile_is_told_to_try_again)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A {n: 1})");
    talk(&bed, "BEGIN {}\nRUN 'MATCH (a:A) SET a.n = a.n + 1' {} {}\nPULL {n: -1}");
    struct bolt_session *first = bed.session;
    bed.session = NULL;
    connect_ready(&bed);
    write_down(&bed, "MATCH (a:A) SET a.n = 10");
    struct bolt_session *second = bed.session;
    bed.session = first;
    const char *told = talk(&bed, "COMMIT");
    CHECK_MSG(strstr(told, "FAILURE {code: 'Neo.TransientError.Transaction.Outdated'") == told,
              "%s", told);
    TALKED(&bed, "RESET", DONE);
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", "neo4j"), "RECORD [10]");
    bolt_session_free(second);
    bolt_bed_close(&bed);
}

TEST(a_transaction_that_only_reads_looks_at_one_moment)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A {n: 1})");
    talk(&bed, "BEGIN {mode: 'r'}");
    struct bolt_session *reader = bed.session;
    bed.session = NULL;
    connect_ready(&bed);
    write_down(&bed, "MATCH (a:A) SET a.n = 2");
    struct bolt_session *writer = bed.session;
    bed.session = reader;
    TALKED(&bed, "RUN 'MATCH (a:A) RETURN a.n' {} {}\nPULL {n: -1}\nCOMMIT",
           "SUCCESS {fields: ['a.n'], t_first: _, qid: 0}\nRECORD [1]\n"
           "SUCCESS {type: 'r', db: 'neo4j', t_last: _}\nSUCCESS {bookmark: _}");
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", "neo4j"), "RECORD [2]");
    bolt_session_free(writer);
    bolt_bed_close(&bed);
}

static void wait_ms(int64_t milliseconds)
{
    int64_t until = os_monotonic_ns(os_env_posix()) + milliseconds * 1000000;
    while (os_monotonic_ns(os_env_posix()) < until) {
    }
}

TEST(a_transaction_ends_with_its_time)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A {n: 1})");
    TALKED(&bed, "BEGIN {tx_timeout: 1}", DONE);
    wait_ms(3);
    const char *told = talk(&bed, "RUN 'MATCH (a:A) SET a.n = 2' {} {}");
    CHECK_MSG(strstr(told, "'Neo.ClientError.Transaction.TransactionTimedOut'") != NULL, "%s",
              told);
    CHECK(!bolt_session_is_busy(bed.session));
    TALKED(&bed, "RESET", DONE);
    TALKED(&bed, "BEGIN {tx_timeout: 0}", DONE);
    wait_ms(3);
    TALKED(&bed, "COMMIT", "SUCCESS {bookmark: _}");
    bolt_bed_close(&bed);
}

/* ---- the past ---------------------------------------------------------------------------------
 */

TEST(a_database_of_the_past_reads_and_refuses_to_be_written)
{
    struct bolt_bed bed;
    char past[64];
    char messages[300];
    char refusal[400];
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A {n: 1})");
    snprintf(past, sizeof(past), "neo4j@@%lldns", (long long)yore_now(bed.bed.db));
    write_down(&bed, "MATCH (a:A) SET a.n = 2 CREATE (:A {n: 3})");
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", "neo4j"), "RECORD [2]\nRECORD [3]");
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", past), "RECORD [1]");
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", strchr(past, '@')), "RECORD [1]");
    snprintf(messages, sizeof(messages), "RUN 'MATCH (a:A) SET a.n = 9' {} {db: '%s'}", past);
    snprintf(refusal, sizeof(refusal),
             "FAILURE {code: 'Neo.ClientError.Statement.AccessMode', message: 'the statement "
             "writes, and database %s is the graph neo4j as of ",
             past);
    CHECK(strstr(talk(&bed, messages), refusal) != NULL);
    talk(&bed, "RESET");
    snprintf(messages, sizeof(messages),
             "BEGIN {db: '%s'}\nRUN 'MATCH (a:A) RETURN a.n' {} {}\nPULL {n: -1}\nCOMMIT", past);
    snprintf(refusal, sizeof(refusal),
             "SUCCESS {}\nSUCCESS {fields: ['a.n'], t_first: _, qid: 0}\nRECORD [1]\n"
             "SUCCESS {type: 'r', db: '%s', t_last: _}\nSUCCESS {}",
             past);
    TALKED(&bed, messages, refusal);
    snprintf(messages, sizeof(messages), "BEGIN {db: '%s'}\nRUN 'CREATE (:B)' {} {}", past);
    CHECK(strstr(talk(&bed, messages), "Neo.ClientError.Statement.AccessMode") != NULL);
    TALKED(&bed, "RESET", DONE);
    /* A graph that was dropped is still there then; and one that was not made yet is not. */
    struct yore_error error;
    CHECK_OK(yore_keyspace_drop(bed.bed.db, "g.neo4j", &error));
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", past), "RECORD [1]");
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN a.n", "neo4j"), "");
    const char *told = talk(&bed, "RUN 'RETURN 1' {} {db: 'neo4j@-1y'}");
    CHECK_MSG(strstr(told, "there is no graph neo4j at that moment") != NULL, "%s", told);
    TALKED(&bed, "RESET", DONE);
    told = talk(&bed, "RUN 'RETURN 1' {} {db: 'neo4j@-1h@2200-01-01'}");
    CHECK_MSG(strstr(told, "known time 2200-01-01T00:00:00Z is later than now") != NULL, "%s",
              told);
    TALKED(&bed, "RESET", DONE);
    told = talk(&bed, "RUN 'RETURN 1' {} {db: 'neo4j@yesterday'}");
    CHECK_MSG(strstr(told, "DatabaseNotFound") != NULL, "%s", told);
    bolt_bed_close(&bed);
}

/* ---- rights -----------------------------------------------------------------------------------
 */

TEST(rights_are_asked_for)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    bed.unwritable = "neo4j";
    TALKED(&bed, "RUN 'CREATE (:A)' {} {}",
           "FAILURE {code: 'Neo.ClientError.Security.Forbidden', message: 'may not write'}");
    TALKED(&bed, "RESET\nBEGIN {}\nRUN 'CREATE (:A)' {} {}",
           "SUCCESS {}\nSUCCESS {}\n"
           "FAILURE {code: 'Neo.ClientError.Security.Forbidden', message: 'may not write'}");
    TALKED(&bed, "RESET", DONE);
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN count(a)", "neo4j"), "RECORD [1]");
    CHECK_EQ_UINT(bed.denied, 2);
    bed.horizon = yore_now(bed.bed.db) - 1000000000;
    const char *told = talk(&bed, "RUN 'RETURN 1' {} {db: 'neo4j@-1h'}");
    CHECK_MSG(strstr(told, "FAILURE {code: 'Neo.ClientError.Security.Forbidden'") == told, "%s",
              told);
    TALKED(&bed, "RESET", DONE);
    told = talk(&bed, "BEGIN {db: 'neo4j@-1h'}");
    CHECK_MSG(strstr(told, "FAILURE {code: 'Neo.ClientError.Security.Forbidden'") == told, "%s",
              told);
    TALKED(&bed, "RESET", DONE);
    told = talk(&bed, "RUN 'MATCH (a:A) AS OF \"-1h\" RETURN a' {} {}\nPULL {n: -1}");
    CHECK_MSG(strstr(told, "\nFAILURE {code: 'Neo.ClientError.Security.Forbidden'") != NULL, "%s",
              told);
    CHECK_EQ_UINT(bed.denied, 5);
    TALKED(&bed, "RESET", DONE);
    bed.horizon = INT64_MAX; /* a transaction that only reads looks at no past */
    told = talk(&bed,
                "BEGIN {mode: 'r'}\nRUN 'MATCH (a:A) RETURN count(a)' {} {}\nPULL {n: -1}\nCOMMIT");
    CHECK_MSG(strstr(told, "RECORD [1]") != NULL, "%s", told);
    told = talk(&bed, "RUN 'RETURN 1' {} {imp_user: 'bob'}");
    CHECK_MSG(strstr(told, "nobody can act as another user") != NULL, "%s", told);
    bolt_bed_close(&bed);
}

#define REFUSED "FAILURE {code: 'Neo.ClientError.Security.Forbidden', message: "

TEST(rights_that_are_withdrawn_are_withdrawn_from_what_is_open)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    /* A result between two pages. */
    TALKED(&bed, "RUN 'UNWIND range(1, 3) AS x RETURN x' {} {}\nPULL {n: 1}",
           "SUCCESS {fields: ['x'], t_first: _}\nRECORD [1]\nSUCCESS {has_more: true}");
    bed.is_unreadable = true;
    TALKED(&bed, "PULL {n: 1}", REFUSED "'may not read'}");
    CHECK(!bolt_session_is_busy(bed.session));
    bed.is_unreadable = false;
    TALKED(&bed, "RESET\nRUN 'UNWIND range(1, 3) AS x RETURN x' {} {}",
           "SUCCESS {}\nSUCCESS {fields: ['x'], t_first: _}");
    bed.is_unreadable = true;
    TALKED(&bed, "DISCARD {n: 2}", REFUSED "'may not read'}");
    bed.is_unreadable = false;
    /* What a transaction has written. */
    TALKED(&bed, "RESET\nBEGIN {}\nRUN 'CREATE (:A)' {} {}\nPULL {n: -1}",
           "SUCCESS {}\nSUCCESS {}\nSUCCESS {fields: [], t_first: _, qid: 0}\n"
           "SUCCESS {type: 'w', db: 'neo4j', t_last: _, stats: {nodes-created: 1, labels-added: 1, "
           "contains-updates: true}}");
    bed.unwritable = "neo4j";
    TALKED(&bed, "COMMIT", REFUSED "'may not write'}");
    TALKED(&bed, "RESET", DONE);
    CHECK_EQ_STR(rows(&bed, "MATCH (a:A) RETURN count(a)", "neo4j"), "RECORD [1]");
    /* One that has written nothing needs no right to. */
    TALKED(&bed, "BEGIN {}\nCOMMIT", "SUCCESS {}\nSUCCESS {bookmark: _}");
    /* Giving up is everybody's. */
    TALKED(&bed, "BEGIN {}", DONE);
    bed.is_unreadable = true;
    TALKED(&bed, "ROLLBACK", DONE);
    CHECK_EQ_UINT(bed.denied, 3);
    bolt_bed_close(&bed);
}

TEST(history_that_is_withdrawn_is_withdrawn_from_what_is_open)
{
    char messages[2][200];
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    long long then = (long long)yore_now(bed.bed.db);
    snprintf(messages[0], sizeof(messages[0]),
             "RUN 'UNWIND range(1, 3) AS x RETURN x' {} {db: 'neo4j@@%lldns'}", then);
    snprintf(messages[1], sizeof(messages[1]),
             "RUN 'MATCH (a:A) AS OF \"@%lldns\" UNWIND range(1, 3) AS x RETURN x' {} {}", then);
    for (size_t i = 0; i < 2; i++) {
        test_note("%s", messages[i]);
        bed.horizon = INT64_MIN;
        TALKED(&bed, messages[i], "SUCCESS {fields: ['x'], t_first: _}");
        TALKED(&bed, "PULL {n: 1}", "RECORD [1]\nSUCCESS {has_more: true}");
        bed.horizon = INT64_MAX;
        const char *told = talk(&bed, "PULL {n: 1}");
        CHECK_MSG(strstr(told, REFUSED) == told, "%s", told);
        TALKED(&bed, "RESET", DONE);
    }
    bolt_bed_close(&bed);
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

TEST(a_bookmark_of_another_database_is_refused)
{
    struct bolt_bed bed;
    char messages[200];
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    snprintf(messages, sizeof(messages), "BEGIN {bookmarks: ['yore:%lld']}",
             (long long)yore_now(bed.bed.db));
    TALKED(&bed, messages, DONE);
    TALKED(&bed, "ROLLBACK", DONE);
    TALKED(&bed, "BEGIN {bookmarks: ['yore:9000000000000000000']}",
           "FAILURE {code: 'Neo.ClientError.Transaction.InvalidBookmark', message: 'a bookmark is "
           "later than this database: it is another's'}");
    TALKED(&bed, "RESET", DONE);
    TALKED(&bed, "RUN 'RETURN 1' {} {bookmarks: ['FB:kcwQ']}",
           "FAILURE {code: 'Neo.ClientError.Transaction.InvalidBookmark', message: 'a bookmark is "
           "none of this database's: they begin with yore:'}");
    bolt_bed_close(&bed);
}

TEST(routes_lead_to_where_the_client_found_the_server)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    TALKED(&bed, "ROUTE {} [] {}",
           "SUCCESS {rt: {ttl: 300, db: 'neo4j', servers: ["
           "{addresses: ['127.0.0.1:7687'], role: 'WRITE'}, "
           "{addresses: ['127.0.0.1:7687'], role: 'READ'}, "
           "{addresses: ['127.0.0.1:7687'], role: 'ROUTE'}]}}");
    TALKED(&bed, "ROUTE {address: 'db.example:7000'} ['x'] {db: 'topo@-1h'}",
           "SUCCESS {rt: {ttl: 300, db: 'topo@-1h', servers: ["
           "{addresses: ['db.example:7000'], role: 'WRITE'}, "
           "{addresses: ['db.example:7000'], role: 'READ'}, "
           "{addresses: ['db.example:7000'], role: 'ROUTE'}]}}");
    bolt_bed_close(&bed);
}

TEST(a_reset_jumps_the_queue)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    TALKED(&bed,
           "RUN 'RETURN 1 AS x' {} {}\nPULL {n: -1}\nRESET\nRUN 'RETURN 2 AS x' {} {}\n"
           "PULL {n: -1}",
           "IGNORED\nIGNORED\nSUCCESS {}\nSUCCESS {fields: ['x'], t_first: _}\nRECORD [2]\n" END);
    /* While rows are told. */
    unsigned char octets[512];
    size_t size = bolt_write_chunk("RUN 'UNWIND range(1, 1000000) AS x RETURN x' {} {}", octets,
                                   sizeof(octets));
    size += bolt_write_chunk("PULL {n: -1}", octets + size, sizeof(octets) - size);
    struct buffer out = {0};
    struct bolt_turn turn = {
        .pace = BOLT_LONG, .requests = 2, .input = bytes_of(octets, size), .out = &out};
    CHECK_EQ_INT(bolt_session_turn(bed.session, &turn), BOLT_ROOM);
    CHECK_EQ_UINT(turn.consumed, size);
    CHECK(out.size > BOLT_OUTPUT_SOFT_BYTES && bolt_session_is_at_work(bed.session));
    buffer_release(&out);
    const char *told = talk(&bed, "RESET");
    CHECK_EQ_STR(told, "FAILURE {code: 'Neo.ClientError.Transaction.Terminated', message: 'the "
                       "result was given up'}\nSUCCESS {}");
    CHECK(!bolt_session_is_busy(bed.session));
    /* While a statement runs: it is asked for by the statement itself. */
    size = bolt_write_chunk("RUN 'UNWIND range(1, 100000000) AS x RETURN count(x) AS c' {} {}",
                            octets, sizeof(octets));
    size += bolt_write_chunk("PULL {n: -1}", octets + size, sizeof(octets) - size);
    turn = (struct bolt_turn){
        .pace = BOLT_LONG, .requests = 1, .input = bytes_of(octets, size), .out = &out};
    CHECK_EQ_INT(bolt_session_turn(bed.session, &turn), BOLT_ROOM);
    buffer_append(&bed.input, octets + turn.consumed, size - turn.consumed);
    buffer_release(&out);
    bed.is_gone = true;
    talk_octets(&bed, "", 0);
    CHECK_EQ_STR(answers(&bed), "IGNORED");
    connect_ready(&bed); /* but not who says GOODBYE */
    bed.is_gone = true;
    TALKED(&bed, "RUN 'CREATE (:B)' {} {}\nGOODBYE", "SUCCESS {fields: [], t_first: _}");
    bolt_bed_close(&bed);
}

TEST(while_requests_are_paused_what_may_write_waits)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    bed.pauses_writes = true;
    TALKED(&bed, "RUN 'CREATE (:A)' {} {}", "");
    CHECK_EQ_INT(bed.next, BOLT_LATER);
    bed.pauses_writes = false;
    talk_octets(&bed, "", 0); /* it was kept */
    CHECK_EQ_STR(answers(&bed), "SUCCESS {fields: [], t_first: _}");
    talk(&bed, "PULL {n: -1}");
    bed.pauses_writes = true; /* a transaction writes with its commit */
    talk(&bed, "BEGIN {}\nRUN 'CREATE (:B)' {} {}\nPULL {n: -1}");
    CHECK_EQ_INT(bed.next, BOLT_INPUT);
    TALKED(&bed, "COMMIT", "");
    CHECK_EQ_INT(bed.next, BOLT_LATER);
    bed.pauses_writes = false;
    talk_octets(&bed, "", 0);
    CHECK(strncmp(answers(&bed), "SUCCESS ", 8) == 0);
    bed.pauses_all = true;
    TALKED(&bed, "BEGIN {}", "");
    CHECK_EQ_INT(bed.next, BOLT_LATER);
    bed.pauses_all = false;
    talk_octets(&bed, "", 0);
    CHECK_EQ_STR(answers(&bed), "SUCCESS {}");
    bolt_bed_close(&bed);
}

TEST(who_waits_long_is_sent_a_sign_of_life)
{
    struct bolt_bed bed;
    bolt_bed_open(&bed);
    connect_ready(&bed);
    write_down(&bed, "CREATE (:A)");
    bolt_server_tick(bed.server);
    CHECK_EQ_UINT(bed.noops, 0);
    unsigned char octets[128];
    size_t size = bolt_write_chunk("RUN 'RETURN 1 AS x' {} {}", octets, sizeof(octets));
    struct buffer out = {0};
    struct bolt_turn turn = {
        .pace = BOLT_QUICK, .requests = 2, .input = bytes_of(octets, size), .out = &out};
    CHECK_EQ_INT(bolt_session_turn(bed.session, &turn), BOLT_PACE);
    CHECK_EQ_INT(turn.wanted, BOLT_LONG);
    CHECK_EQ_UINT(out.size, 0);
    wait_ms(1);
    bolt_server_tick(bed.server);
    CHECK_EQ_UINT(bed.noops, 1);
    turn.pace = BOLT_LONG;
    turn.input = bytes_of("", 0);
    turn.consumed = 0;
    CHECK_EQ_INT(bolt_session_turn(bed.session, &turn), BOLT_INPUT);
    CHECK(out.size > 0);
    bolt_server_tick(bed.server);
    CHECK_EQ_UINT(bed.noops, 1);
    buffer_release(&out);
    bolt_bed_close(&bed);
}

TEST_MAIN(the_graph_of_who_names_none_is_made_by_the_first_write,
          a_client_says_hello_and_logs_in_as_its_version_has_it, who_is_not_known_stays_outside,
          what_comes_before_login_is_small, another_protocol_is_hung_up_on,
          rows_come_as_many_as_are_asked_for, a_result_of_any_size_takes_the_memory_of_some_rows,
          what_a_statement_did_is_told, values_of_every_kind_go_there_and_back,
          a_value_that_a_graph_does_not_have_is_named,
          after_a_failure_everything_is_ignored_until_a_reset,
          what_the_state_does_not_take_ends_the_connection,
          what_ends_a_transaction_runs_where_it_may_block,
          a_message_that_is_too_large_ends_a_transaction_where_that_may_block,
          what_a_session_keeps_of_what_its_client_sent_is_told,
          a_transaction_is_whole_or_not_at_all, a_transaction_has_several_results_open,
          who_wrote_the_same_meanwhile_is_told_to_try_again,
          a_transaction_that_only_reads_looks_at_one_moment, a_transaction_ends_with_its_time,
          a_database_of_the_past_reads_and_refuses_to_be_written, rights_are_asked_for,
          rights_that_are_withdrawn_are_withdrawn_from_what_is_open,
          history_that_is_withdrawn_is_withdrawn_from_what_is_open,
          a_bookmark_of_another_database_is_refused,
          routes_lead_to_where_the_client_found_the_server, a_reset_jumps_the_queue,
          while_requests_are_paused_what_may_write_waits, who_waits_long_is_sent_a_sign_of_life)
