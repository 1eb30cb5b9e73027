/* `yore server` and Bolt over real sockets: what sessions without sockets cannot show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/bolt_text.h"
#include "support/server_process.h"
#include "support/test.h"
#include "support/wire.h"

#define TEXT_BYTES 65536

/* What a stream of 80 MB may add to a server's memory; the runtime of a sanitizer keeps much of
 * what was freed. */
#ifdef YORE_SANITIZED
#define STREAM_MEMORY_MAX (512u << 20)
#else
#define STREAM_MEMORY_MAX (48u << 20)
#endif

static void send_messages(int fd, const char *messages)
{
    unsigned char octets[32768];
    size_t size = 0;
    for (const char *at = messages; *at != '\0';) {
        char line[8192];
        size_t length = strcspn(at, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)length, at);
        size += bolt_write_chunk(line, octets + size, sizeof(octets) - size);
        at += length + (at[length] == '\n' ? 1 : 0);
    }
    CHECK(wire_send(fd, octets, size));
}

/* The next message as text, NOOPs before it counted; NULL: the other side has gone. */
static const char *receive(int fd, unsigned *noops)
{
    static char text[TEXT_BYTES];
    static unsigned char message[TEXT_BYTES];
    size_t size = 0;
    for (;;) {
        unsigned char head[2];
        if (!wire_read(fd, head, 2)) {
            return NULL;
        }
        size_t length = (size_t)head[0] << 8 | head[1];
        if (length == 0 && size > 0) {
            break;
        }
        *noops += length == 0 ? 1 : 0;
        CHECK(size + length <= sizeof(message));
        CHECK(wire_read(fd, message + size, length));
        size += length;
    }
    CHECK(bolt_read(message, size, text, sizeof(text)));
    return text;
}

static const char *answer_to(int fd, const char *message)
{
    unsigned noops = 0;
    send_messages(fd, message);
    return receive(fd, &noops);
}

#define ANSWERED(fd, message, want) CHECK_EQ_STR(answer_to(fd, message), want)
#define EXPECT(fd, want)                                                                           \
    do {                                                                                           \
        unsigned skipped = 0;                                                                      \
        CHECK_EQ_STR(receive(fd, &skipped), want);                                                 \
    } while (false)
#define ANSWER_BEGINS(fd, message, want)                                                           \
    do {                                                                                           \
        const char *told = answer_to(fd, message);                                                 \
        CHECK_MSG(told != NULL && strncmp(told, want, strlen(want)) == 0, "%s: %s", message,       \
                  told != NULL ? told : "gone");                                                   \
    } while (false)

static int dial(const struct server_process *server)
{
    static const unsigned char handshake[20] = {0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5};
    unsigned char version[4];
    int fd = wire_connect(server->bolt_port);
    CHECK(fd >= 0);
    CHECK(wire_send(fd, handshake, sizeof(handshake)));
    CHECK(wire_read(fd, version, sizeof(version)));
    CHECK_EQ_BYTES(version, 4, "\0\0\4\5", 4);
    ANSWER_BEGINS(fd, "HELLO {user_agent: 'test'}", "SUCCESS {server: _, connection_id: _");
    return fd;
}

static int dial_as(const struct server_process *server, const char *user, const char *password)
{
    char message[200];
    int fd = dial(server);
    snprintf(message, sizeof(message),
             "LOGON {scheme: 'basic', principal: '%s', credentials: '%s'}", user, password);
    ANSWERED(fd, message, "SUCCESS {}");
    return fd;
}

static int dial_ready(const struct server_process *server)
{
    int fd = dial(server);
    ANSWERED(fd, "LOGON {scheme: 'none'}", "SUCCESS {}");
    return fd;
}

/* Make graph neo4j. */
static void make_graph(int fd)
{
    ANSWERED(fd, "RUN 'CREATE (:A {n: 1})' {} {}", "SUCCESS {fields: [], t_first: _}");
    ANSWER_BEGINS(fd, "PULL {n: -1}", "SUCCESS {type: 'w', db: 'neo4j'");
}

static void start(struct server_process *server, const char *const *flags)
{
    bool is_started = server_start(server, test_path("db"), flags);
    CHECK_MSG(is_started, "%s", server->text);
}

#define FOREVER                                                                                    \
    "RUN 'UNWIND range(1, 100000) AS x UNWIND range(1, 100000) AS y RETURN count(y) AS c' {} {}"

TEST(a_reset_ends_what_runs_and_signs_of_life_come_meanwhile)
{
    struct server_process server;
    start(&server, (const char *const[]){"--bolt-keep-alive=100ms", "--long-workers=1", NULL});
    int fd = dial_ready(&server);
    make_graph(fd);
    unsigned char noop[2];
    ANSWERED(fd, FOREVER, "SUCCESS {fields: ['c'], t_first: _}");
    send_messages(fd, "PULL {n: -1}");
    CHECK(wire_read(fd, noop, 2)); /* it has run for a tenth of a second */
    CHECK_EQ_BYTES(noop, 2, "\0\0", 2);
    send_messages(fd, "RUN 'RETURN 1 AS x' {} {}\nRESET\nRUN 'RETURN 2 AS x' {} {}");
    unsigned noops = 0;
    const char *told = receive(fd, &noops);
    CHECK_MSG(strncmp(told, "FAILURE {code: 'Neo.ClientError.Transaction.Terminated'", 54) == 0,
              "%s", told);
    EXPECT(fd, "IGNORED");
    EXPECT(fd, "SUCCESS {}");
    EXPECT(fd, "SUCCESS {fields: ['x'], t_first: _}");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(who_hangs_up_leaves_the_worker_to_others)
{
    struct server_process server;
    start(&server, (const char *const[]){"--long-workers=1", "--bolt-keep-alive=100ms", NULL});
    int fd = dial_ready(&server);
    make_graph(fd);
    for (unsigned round = 0; round < 3; round++) {
        unsigned char noop[2];
        int other = dial_ready(&server);
        ANSWERED(other, FOREVER, "SUCCESS {fields: ['c'], t_first: _}");
        send_messages(other, "PULL {n: -1}");
        CHECK(wire_read(other, noop, 2));
        wire_close(other);
        ANSWERED(fd, "RUN 'RETURN 1 AS x' {} {}", "SUCCESS {fields: ['x'], t_first: _}");
        ANSWERED(fd, "PULL {n: -1}", "RECORD [1]");
        unsigned noops = 0;
        CHECK(receive(fd, &noops) != NULL);
    }
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_client_that_does_not_read_holds_neither_worker_nor_memory)
{
    struct server_process server;
    start(&server, (const char *const[]){"--long-workers=1", NULL});
    int slow = dial_ready(&server);
    int quick = dial_ready(&server);
    make_graph(quick);
    uint64_t before = server_memory(&server);
    ANSWERED(slow,
             "RUN 'UNWIND range(1, 1000) AS x UNWIND range(1, 1000) AS y RETURN x, y, $s AS s' "
             "{s: 'some text that is in "
             "every row, so that all of them are large'} {}",
             "SUCCESS {fields: ['x', 'y', 's'], t_first: _}");
    send_messages(slow, "PULL {n: -1}");
    unsigned noops = 0;
    CHECK(receive(slow, &noops) != NULL); /* it has begun */
    for (unsigned i = 0; i < 20; i++) {
        ANSWERED(quick, "RUN 'MATCH (a:A) RETURN a.n' {} {}",
                 "SUCCESS {fields: ['a.n'], t_first: _}");
        ANSWERED(quick, "PULL {n: -1}", "RECORD [1]");
        CHECK(receive(quick, &noops) != NULL);
    }
    CHECK(server_memory(&server) < before + STREAM_MEMORY_MAX);
    /* And it gets all of them, when it reads. */
    uint64_t rows = 1;
    const char *told;
    while ((told = receive(slow, &noops)) != NULL && strncmp(told, "RECORD", 6) == 0) {
        rows++;
    }
    CHECK_EQ_UINT(rows, 1000000);
    CHECK_MSG(told != NULL && strncmp(told, "SUCCESS {type: 'r'", 18) == 0, "%s", told);
    CHECK(server_memory(&server) < before + STREAM_MEMORY_MAX);
    wire_close(slow);
    wire_close(quick);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* A configuration with users; `flags_out` has room for 8. */
static void write_users(const char *const **flags_out)
{
    static char config[512];
    static const char *flags[8];
    snprintf(config, sizeof(config), "--config=%s", test_path("yore.conf"));
    FILE *file = fopen(test_path("yore.conf"), "w");
    CHECK(file != NULL);
    fputs("user default off\n"
          "user admin on >admin +@all ~* &*\n"
          "user reader on >reader +graph.ro_query ~neo4j\n"
          "user writer on >writer +graph.query +graph.ro_query ~neo4j\n"
          "user modern on >modern +graph.query +graph.ro_query ~* -@history\n",
          file);
    fclose(file);
    flags[0] = config;
    flags[1] = "--login-timeout=60s"; /* logins are not in a hurry */
    flags[2] = NULL;
    *flags_out = flags;
}

TEST(users_may_what_their_rules_say)
{
    struct server_process server;
    const char *const *flags = NULL;
    char audit[512];
    write_users(&flags);
    snprintf(audit, sizeof(audit), "--audit-log=%s", test_path("audit"));
    start(&server, (const char *const[]){flags[0], flags[1], audit, NULL});
    int fd = dial(&server);
    ANSWER_BEGINS(fd, "LOGON {scheme: 'basic', principal: 'reader', credentials: 'wrong'}",
                  "FAILURE {code: 'Neo.ClientError.Security.Unauthorized'");
    char rest[8];
    CHECK_EQ_UINT(wire_read_all(fd, rest, sizeof(rest)), 0);
    wire_close(fd);
    fd = dial_as(&server, "writer", "writer");
    make_graph(fd);
    ANSWER_BEGINS(fd, "RUN 'CREATE (:A)' {} {db: 'other'}",
                  "FAILURE {code: 'Neo.ClientError.Security.Forbidden'");
    ANSWERED(fd, "RESET", "SUCCESS {}");
    ANSWERED(fd, "LOGOFF", "SUCCESS {}");
    ANSWERED(fd, "LOGON {scheme: 'basic', principal: 'reader', credentials: 'reader'}",
             "SUCCESS {}");
    ANSWERED(fd, "RUN 'MATCH (a:A) RETURN a.n' {} {}", "SUCCESS {fields: ['a.n'], t_first: _}");
    ANSWERED(fd, "PULL {n: -1}", "RECORD [1]");
    EXPECT(fd, "SUCCESS {type: 'r', db: 'neo4j', t_last: _, bookmark: _}");
    ANSWER_BEGINS(fd, "RUN 'CREATE (:A)' {} {}",
                  "FAILURE {code: 'Neo.ClientError.Security.Forbidden'");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
    /* Who did what. */
    char text[8192] = "";
    FILE *file = fopen(test_path("audit"), "r");
    CHECK(file != NULL && fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    CHECK_MSG(strstr(text, "user=reader") != NULL && strstr(text, "outcome=WRONGPASS") != NULL,
              "%s", text);
    CHECK_MSG(strstr(text, "command=RUN keys=neo4j outcome=ok") != NULL, "%s", text);
    CHECK_MSG(strstr(text, "command=RUN keys=other outcome=Neo.ClientError.Security.Forbidden") !=
                  NULL,
              "%s", text);
}

/* By a Redis client: requests that are answered with OK, `count` of them. */
static void tell_redis(const struct server_process *server, const char *requests, unsigned count)
{
    int fd = wire_connect(server->port);
    CHECK(wire_send_text(fd, requests));
    for (unsigned i = 0; i < count; i++) {
        CHECK(wire_expect(fd, "+OK\r\n"));
    }
    wire_close(fd);
}

TEST(nobody_stays_unknown_for_long)
{
    struct server_process server;
    const char *const *flags = NULL;
    char rest[16];
    write_users(&flags);
    start(&server, flags);
    int silent = wire_connect(server.bolt_port);
    int half = dial(&server);
    int other = wire_connect(server.bolt_port);
    CHECK(wire_send_text(other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    CHECK_EQ_UINT(wire_read_all(other, rest, sizeof(rest)), 0);
    int fd = dial(&server);
    unsigned char large[20000] = {0x4E, 0x1C};
    CHECK(wire_send(fd, large, sizeof(large)));
    unsigned noops = 0;
    CHECK(strstr(receive(fd, &noops), "larger than 16 KiB") != NULL);
    CHECK_EQ_UINT(wire_read_all(fd, rest, sizeof(rest)), 0);
    tell_redis(&server, "AUTH admin admin\r\nCONFIG SET login-timeout 1\r\n", 2);
    CHECK_EQ_UINT(wire_read_all(silent, rest, sizeof(rest)), 0);
    CHECK_EQ_UINT(wire_read_all(half, rest, sizeof(rest)), 0);
    wire_close(silent);
    wire_close(half);
    wire_close(other);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_transaction_that_is_left_alone_is_given_up)
{
    struct server_process server;
    char rest[16];
    start(&server, NULL);
    int fd = dial_ready(&server);
    make_graph(fd);
    int idle = dial_ready(&server);
    ANSWERED(idle, "BEGIN {}", "SUCCESS {}");
    ANSWERED(idle, "RUN 'CREATE (:A {n: 2})' {} {}", "SUCCESS {fields: [], t_first: _, qid: 0}");
    tell_redis(&server, "CONFIG SET bolt-transaction-timeout 1s\r\n", 1);
    CHECK_EQ_UINT(wire_read_all(idle, rest, sizeof(rest)), 0);
    wire_close(idle);
    ANSWERED(fd, "RUN 'MATCH (a:A) RETURN count(a)' {} {}",
             "SUCCESS {fields: ['count(a)'], t_first: _}");
    ANSWERED(fd, "PULL {n: -1}", "RECORD [1]");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* The value of a figure on the page of metrics. */
static double metric(const struct server_process *server, const char *name)
{
    static char page[1u << 20];
    int fd = wire_connect(server->http_port);
    CHECK(wire_send_text(fd,
                         "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    size_t size = wire_read_all(fd, page, sizeof(page) - 1);
    CHECK(size != SIZE_MAX);
    page[size] = '\0';
    wire_close(fd);
    char line[100];
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(page, line);
    CHECK_MSG(at != NULL, "no %s", name);
    return strtod(at + strlen(line), NULL);
}

TEST(figures_tell_of_bolt)
{
    struct server_process server;
    start(&server, NULL);
    int fd = dial_ready(&server);
    make_graph(fd);
    ANSWERED(fd, "BEGIN {}", "SUCCESS {}");
    CHECK_EQ_INT((int)metric(&server, "yore_bolt_connections"), 1);
    CHECK_EQ_INT((int)metric(&server, "yore_bolt_transactions"), 1);
    CHECK_EQ_INT((int)metric(&server, "yore_bolt_statements_total"), 1);
    CHECK_EQ_INT((int)metric(&server, "yore_bolt_requests_total"), 5);
    static const char statements[] = "yore_command_class_duration_seconds_count{class=\"graph\"}";
    static const char time[] = "yore_command_class_duration_seconds_sum{class=\"graph\"}";
    CHECK_EQ_INT((int)metric(&server, statements), 1);
    CHECK(metric(&server, time) > 0 && metric(&server, time) < 60);
    ANSWER_BEGINS(fd, "RUN 'RETURN' {} {}", "FAILURE");
    CHECK_EQ_INT((int)metric(&server, "yore_bolt_failures_total"), 1);
    CHECK_EQ_INT((int)metric(&server, statements), 2); /* one that fails counts, as in Redis */
    CHECK_EQ_INT((int)metric(&server, "yore_bolt_transactions"), 0);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(what_came_whole_is_answered_at_the_end)
{
    struct server_process server;
    unsigned noops = 0;
    start(&server, (const char *const[]){"--drain-timeout=60s", NULL});
    int fd = dial_ready(&server);
    make_graph(fd);
    send_messages(fd, "RUN 'UNWIND range(1, 20000) AS x CREATE (:B {n: x})' {} {}\nPULL {n: -1}");
    while (metric(&server, "yore_bolt_requests_total") < 5) { /* until it is under way */
    }
    server_signal(&server, 15);
    CHECK_EQ_STR(receive(fd, &noops), "SUCCESS {fields: [], t_first: _}");
    const char *told = receive(fd, &noops);
    CHECK_MSG(told != NULL && strncmp(told, "SUCCESS {type: 'w'", 18) == 0, "%s",
              told != NULL ? told : "gone");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
    start(&server, NULL);
    fd = dial_ready(&server);
    ANSWERED(fd, "RUN 'MATCH (b:B) RETURN count(b)' {} {}",
             "SUCCESS {fields: ['count(b)'], t_first: _}");
    ANSWERED(fd, "PULL {n: -1}", "RECORD [20000]");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST_MAIN(a_reset_ends_what_runs_and_signs_of_life_come_meanwhile,
          who_hangs_up_leaves_the_worker_to_others,
          a_client_that_does_not_read_holds_neither_worker_nor_memory,
          users_may_what_their_rules_say, nobody_stays_unknown_for_long,
          a_transaction_that_is_left_alone_is_given_up, figures_tell_of_bolt,
          what_came_whole_is_answered_at_the_end)
