/* HTTP from the outside: what each path answers, who may ask, what is refused. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/http_answer.h"
#include "support/server_process.h"
#include "support/test.h"
#include "support/wire.h"

static void start(struct server_process *server, const char *const *flags)
{
    CHECK(server_start(server, test_path("db"), flags));
    CHECK(server->http_port != 0);
}

#define JSON "Content-Type: application/json\r\n"

/* The words of a listing without a prefix lie nowhere; the rest of it says so only under a
 * sanitizer. */
TEST(what_takes_long_is_in_the_slow_log_whatever_its_words)
{
    static const char *const flags[] = {"--slowlog-log-slower-than", "0", NULL};
    struct server_process server;
    static struct http_answer answer;
    start(&server, flags);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "GET /v1/kv", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    http_ask(fd, "GET /v1/kv/k", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_key_is_written_read_and_deleted_on_one_connection)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "PUT /v1/kv/a%2Fb%00c", "", "some octets", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "GET /v1/kv/a%2Fb%00c", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    CHECK_EQ_BYTES(answer.body, answer.size, "some octets", 11);
    CHECK(strstr(answer.head, "X-Content-Type-Options: nosniff\n") != NULL);
    http_ask(fd, "HEAD /v1/kv/a%2Fb%00c", "", "", &answer);
    CHECK(answer.status == 200 && strstr(answer.head, "Content-Length: 11\n") != NULL);
    http_ask(fd, "DELETE /v1/kv/a%2Fb%00c", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "GET /v1/kv/a%2Fb%00c", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    CHECK(strstr(answer.head, "application/problem+json\n") != NULL);
    CHECK(strstr(answer.body, "\"code\":\"key-not-found\"") != NULL);
    http_ask(fd, "PUT /v1/kv/k?db=3", "", "third", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "GET /v1/kv/k", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    http_ask(fd, "GET /v1/kv/k?db=3", "", "", &answer);
    CHECK_EQ_STR(answer.body, "third");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(requests_that_are_wrong_get_problems_with_codes)
{
    static const struct {
        const char *line;
        const char *headers;
        const char *body;
        unsigned status;
        const char *code;
    } cases[] = {
        {"GET /nope", "", "", 404, "no-such-path"},
        {"POST /v1/kv/k", "", "", 405, "wrong-method"},
        {"GET /v1/kv/%zz", "", "", 400, "bad-key"},
        {"GET /v1/kv/k", "", "body", 400, "unwanted-body"},
        {"GET /v1/kv/k", "Origin: http://evil.example\r\n", "", 403, "wrong-origin"},
        {"GET /v1/kv/k", "Sec-Fetch-Site: cross-site\r\n", "", 403, "wrong-origin"},
        {"GET /v1/kv/k", "Host: other\r\n", "", 400, "bad-request"},
        {"POST /v1/batch", "", "{}", 415, "not-json"},
        {"POST /v1/batch", JSON, "{}", 400, "bad-body"},
        {"POST /v1/batch", JSON, "{\"operations\":[{\"op\":\"put\",\"key\":\"k\"}]}", 400,
         "bad-body"},
        {"POST /v1/batch", JSON,
         "{\"operations\":[{\"op\":\"put\",\"key\":\"k\",\"key\":\"k\","
         "\"value\":\"v\"}]}",
         400, "bad-body"},
        {"POST /v1/batch", JSON,
         "{\"operations\":[{\"op\":\"put\",\"op\":\"delete\",\"key\":\"k\","
         "\"value\":\"v\"}]}",
         400, "bad-body"},
        {"GET /v1/kv?prefix=%zz", "", "", 400, "bad-parameter"},
        {"GET /put?key=k&val=v", "", "", 404, "no-such-path"},
        {"GET /v1/kv/k?db=99", "", "", 400, "bad-request"},
        {"GET /v1/kv/k?AT=-1h", "", "", 400, "bad-parameter"},
        {"PUT /v1/kv/k?tll=60", "", "v", 400, "bad-parameter"},
        {"PUT /v1/kv/k?ttl=60&at=-1h", "", "v", 400, "bad-parameter"},
        {"PUT /v1/kv/k?at=-1h&from=-2h&to=-1h", "", "v", 400, "bad-request"},
        {"PUT /v1/kv/k?from=-2h&to=-1h&until=now", "", "v", 400, "bad-request"},
        {"GET /healthz?x=1", "", "", 400, "bad-parameter"},
        {"GET /v1/kv/k?known=2200-01-01", "", "", 422, "in-future"},
        {"GET /v1/kv?known=2200-01-01", "", "", 422, "in-future"},
        {"GET /v1/kv?known=2200-01-01&db=7", "", "", 422, "in-future"},
        {"GET /v1/export?known=2200-01-01", "", "", 422, "in-future"},
        {"GET /v1/timeline/k?known=2200-01-01", "", "", 422, "in-future"},
        {"GET /v1/changes?from=-1h&known=2200-01-01", "", "", 422, "in-future"},
        {"GET /v1/graphs?known=2200-01-01", "", "", 422, "in-future"},
        {"POST /v1/graph/g/query?known=2200-01-01", JSON, "{\"query\":\"RETURN 1\"}", 422,
         "in-future"},
    };
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char code[80];
        test_note("case %zu", i);
        int fd = wire_connect(server.http_port);
        http_ask(fd, cases[i].line, cases[i].headers, cases[i].body, &answer);
        CHECK_EQ_UINT(answer.status, cases[i].status);
        snprintf(code, sizeof(code), "\"code\":\"%s\"", cases[i].code);
        CHECK_MSG(strstr(answer.body, code) != NULL, "%s", answer.body);
        wire_close(fd);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_host_that_is_not_ours_is_refused_unless_it_is_named)
{
    struct server_process server;
    static struct http_answer answer;
    const char *flags[] = {"--http-hosts", "db.example", NULL};
    start(&server, flags);
    int fd = wire_connect(server.http_port);
    CHECK(wire_send_text(fd, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 421);
    CHECK(wire_send_text(fd, "GET /healthz HTTP/1.1\r\nHost: DB.example:80\r\n\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 200);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(the_past_is_written_read_listed_and_exported)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "PUT /v1/kv/k", "", "now", &answer);
    http_ask(fd, "PUT /v1/kv/k?at=2025-01-01", "", "old", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "PUT /v1/kv/k?from=2025-03-01&to=2025-04-01", "", "span", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "GET /v1/kv/k?at=2025-02-01", "", "", &answer);
    CHECK_EQ_STR(answer.body, "old");
    CHECK(strstr(answer.head, "Yore-Valid-From: 2025-01-01T00:00:00Z\n") != NULL);
    CHECK(strstr(answer.head, "Yore-Commit: ") != NULL);
    http_ask(fd, "GET /v1/kv/k?at=2200-01-01", "", "", &answer); /* as is known of then */
    CHECK_EQ_STR(answer.body, "now");
    http_ask(fd, "GET /v1/kv/k?at=2024-12-31", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    http_ask(fd, "GET /v1/kv/k?at=2025-02-01&known=2025-02-01", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 404); /* nobody knew it yet */
    http_ask(fd, "GET /v1/kv?at=2025-03-15", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"items\":[{\"key\":\"k\",\"value\":\"span\"}]}\n");
    http_ask(fd, "GET /v1/kv", "", "", &answer); /* the present again */
    CHECK_EQ_STR(answer.body, "{\"items\":[{\"key\":\"k\",\"value\":\"now\"}]}\n");
    http_ask(fd, "GET /v1/export?at=2025-05-01", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"key\":\"k\",\"value\":\"old\"}\n");
    http_ask(fd, "GET /v1/timeline/k", "", "", &answer);
    CHECK(strstr(answer.body, "\"from\":\"2025-03-01T00:00:00Z\"") != NULL);
    http_ask(fd, "GET /v1/changes?from=2025-02-01&to=2025-03-15", "", "", &answer);
    CHECK(strstr(answer.body, "\"before\":\"old\",\"after\":\"span\"") != NULL);
    http_ask(fd, "GET /v1/kv/k?at=then", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 400);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(pages_of_a_list_go_on_where_they_ended)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "POST /v1/import", "",
             "{\"key\":\"a\",\"value\":\"1\"}\n"
             "{\"key\":\"b\",\"value\":\"2\"}\n"
             "{\"key\":\"c\",\"value\":\"3\",\"valid_from\":\"2025-01-01\"}",
             &answer);
    CHECK_EQ_STR(answer.body, "{\"written\":3}\n");
    http_ask(fd, "GET /v1/kv?limit=2", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"items\":[{\"key\":\"a\",\"value\":\"1\"},"
                              "{\"key\":\"b\",\"value\":\"2\"}],\"next\":\"c\"}\n");
    http_ask(fd, "GET /v1/kv?limit=2&start=c", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"items\":[{\"key\":\"c\",\"value\":\"3\"}]}\n");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(octets_that_are_no_text_are_base64_and_their_name_says_so)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "PUT /v1/kv/b%ff?at=2025-01-01", "", "\xfe", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "GET /v1/kv", "", "", &answer);
    CHECK_EQ_STR(answer.body,
                 "{\"items\":[{\"key_base64\":\"Yv8=\",\"value_base64\":\"/g==\"}]}\n");
    http_ask(fd, "GET /v1/timeline/b%ff", "", "", &answer);
    CHECK(strstr(answer.body, ",\"value_base64\":\"/g==\"}]") != NULL);
    http_ask(fd, "GET /v1/changes?from=2024-01-01", "", "", &answer);
    CHECK(strstr(answer.body, "\"key_base64\":\"Yv8=\"") != NULL);
    CHECK(strstr(answer.body, "\"before\":null,\"after_base64\":\"/g==\"}]") != NULL);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(batches_and_transactions_are_all_or_nothing)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "POST /v1/batch", JSON,
             "{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":\"1\"},"
             "{\"op\":\"put\",\"key_base64\":\"Yg==\",\"value_base64\":\"/w==\"}]}",
             &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "GET /v1/kv/b", "", "", &answer);
    CHECK_EQ_BYTES(answer.body, answer.size, "\xff", 1);
    const char *swap = "{\"if\":[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"c\",\"absent\":true}],"
                       "\"operations\":[{\"op\":\"delete\",\"key\":\"a\"},"
                       "{\"op\":\"put\",\"key\":\"c\",\"value\":\"2\"}]}";
    http_ask(fd, "POST /v1/transaction", JSON, swap, &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "POST /v1/transaction", JSON, swap, &answer);
    CHECK_EQ_UINT(answer.status, 409);
    http_ask(fd, "GET /v1/kv/c", "", "", &answer);
    CHECK_EQ_STR(answer.body, "2");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* A key of more than 64 KiB is refused when the batch is carried out, not before. */
TEST(a_batch_or_import_that_fails_halfway_writes_nothing)
{
    static const char *const forms[] = {
        "{\"operations\":[{\"op\":\"put\",\"key\":\"a1\",\"value\":\"1\"},"
        "{\"op\":\"put\",\"key\":\"%s\",\"value\":\"x\"}]}",
        "{\"if\":[{\"key\":\"a1\",\"absent\":true}],\"operations\":["
        "{\"op\":\"put\",\"key\":\"a1\",\"value\":\"1\"},"
        "{\"op\":\"put\",\"key\":\"%s\",\"value\":\"x\"}]}",
        "{\"key\":\"a1\",\"value\":\"1\"}\n{\"key\":\"%s\",\"value\":\"x\"}\n"};
    static const char *const routes[] = {"POST /v1/batch", "POST /v1/transaction",
                                         "POST /v1/import"};
    static char key[70001];
    static char body[72000];
    static struct http_answer answer;
    struct server_process server;
    memset(key, 'k', sizeof(key) - 1);
    start(&server, NULL);
    for (size_t i = 0; i < 3; i++) {
        int fd = wire_connect(server.http_port);
        const char *hole = strstr(forms[i], "%s");
        size_t before = (size_t)(hole - forms[i]);
        memcpy(body, forms[i], before);
        memcpy(body + before, key, sizeof(key) - 1);
        memcpy(body + before + sizeof(key) - 1, hole + 2, strlen(hole + 2) + 1);
        http_ask(fd, routes[i], i < 2 ? JSON : "", body, &answer);
        CHECK_EQ_UINT(answer.status, 400);
        CHECK(strstr(answer.body, "65536") != NULL);
        wire_close(fd);
        fd = wire_connect(server.http_port);
        http_ask(fd, "GET /v1/kv/a1", "", "", &answer);
        CHECK_EQ_UINT(answer.status, 404);
        wire_close(fd);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(the_same_users_and_rights_as_for_redis_clients)
{
    struct server_process server;
    static struct http_answer answer;
    const char *flags[] = {"--requirepass", "secret", NULL};
    start(&server, flags);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "GET /healthz", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    http_ask(fd, "GET /v1/kv/k", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 401);
    CHECK(strstr(answer.head, "WWW-Authenticate: Basic ") != NULL);
    /* default:secret and default:wrong */
    http_ask(fd, "PUT /v1/kv/k", "Authorization: Basic ZGVmYXVsdDpzZWNyZXQ=\r\n", "v", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    http_ask(fd, "GET /v1/kv/k", "Authorization: Bearer secret\r\n", "", &answer);
    CHECK_EQ_STR(answer.body, "v");
    http_ask(fd, "GET /v1/kv/k", "Authorization: Basic ZGVmYXVsdDp3cm9uZw==\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 401);
    http_ask(fd, "GET /v1/kv/k", "", "", &answer); /* what was right before does not count */
    CHECK_EQ_UINT(answer.status, 401);
    wire_close(fd);

    int redis = wire_connect(server.port);
    CHECK(wire_send_text(redis, "AUTH secret\r\nACL SETUSER ann on >pw ~a* +get\r\n"));
    CHECK(wire_expect(redis, "+OK\r\n+OK\r\n"));
    wire_close(redis);
    fd = wire_connect(server.http_port);
    http_ask(fd, "GET /v1/kv/a", "Authorization: Bearer ann:pw\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    http_ask(fd, "GET /v1/kv/k", "Authorization: Bearer ann:pw\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    CHECK(strstr(answer.body, "\"code\":\"not-permitted\"") != NULL);
    http_ask(fd, "PUT /v1/kv/a", "Authorization: Bearer ann:pw\r\n", "v", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

static void tell_redis(const struct server_process *server, const char *request)
{
    int redis = wire_connect(server->port);
    CHECK(wire_send_text(redis, request));
    CHECK(wire_expect(redis, "+OK\r\n"));
    wire_close(redis);
}

/* A moment belongs to a request that has rights of its own: no other command stands for it. */
TEST(who_may_read_may_read_as_of_the_moments_he_may_look_at)
{
    static const struct {
        const char *line;
        const char *user;
        unsigned status;
    } cases[] = {
        {"GET /v1/kv/a", "ann:pw", 200},          {"GET /v1/kv/a?at=-1m", "ann:pw", 404},
        {"GET /v1/kv?at=-1m", "ann:pw", 200},     {"GET /v1/kv?at=-1m&known=-2m", "ann:pw", 200},
        {"GET /v1/export?at=-1m", "ann:pw", 200}, {"GET /v1/graphs?at=-1m", "ann:pw", 200},
        {"GET /v1/kv/a?at=-2h", "ann:pw", 403},   {"GET /v1/kv?at=-2h", "ann:pw", 403},
        {"GET /v1/kv?known=-2h", "ann:pw", 403},  {"GET /v1/export?at=-2h", "ann:pw", 403},
        {"GET /v1/graphs?at=-2h", "ann:pw", 403}, {"GET /v1/kv", "bob:pw", 200},
        {"GET /v1/kv?at=-1m", "bob:pw", 403},     {"GET /v1/kv?at=now", "bob:pw", 200},
        {"GET /v1/kv?at=-1m", "eve:pw", 403},
    };
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    tell_redis(&server, "SET a 1\r\n");
    tell_redis(&server, "ACL SETUSER ann on >pw ~* +@read history:1h\r\n");
    tell_redis(&server, "ACL SETUSER bob on >pw ~* +@read nohistory\r\n");
    tell_redis(&server, "ACL SETUSER eve on >pw ~* +get\r\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char headers[80];
        test_note("%s as %s", cases[i].line, cases[i].user);
        snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", cases[i].user);
        int fd = wire_connect(server.http_port);
        http_ask(fd, cases[i].line, headers, "", &answer);
        CHECK_EQ_UINT(answer.status, cases[i].status);
        CHECK_MSG(strstr(answer.body, "yore.at") == NULL, "%s", answer.body);
        wire_close(fd);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

/* The body of a chunked answer that begins on `fd`, to its end. */
static char *read_export(int fd, size_t *size_out)
{
    size_t room = 32u << 20;
    char *body = malloc(room);
    char line[1000];
    size_t size = 0;
    size_t chunk = 0;
    CHECK(body != NULL && wire_line(fd, line, sizeof(line)));
    CHECK_MSG(strstr(line, " 200 ") != NULL, "%s", line);
    while (wire_line(fd, line, sizeof(line)) && *line != '\0') {
    }
    do {
        CHECK(wire_line(fd, line, sizeof(line)));
        chunk = strtoul(line, NULL, 16);
        CHECK(size + chunk < room);
        CHECK(wire_read(fd, body + size, chunk) && wire_expect(fd, "\r\n"));
        size += chunk;
    } while (chunk > 0);
    body[size] = '\0';
    *size_out = size;
    return body;
}

static bool has_line(const char *body, const char *key)
{
    char line[60];
    snprintf(line, sizeof(line), "{\"key\":\"%s\"", key);
    return strstr(body, line) != NULL;
}

/* One token goes from the first key to the last and back, in transactions, while exports whose
 * replies fill every buffer are under way. */
TEST(an_export_is_of_one_moment_however_long_it_takes)
{
    enum { KEYS = 4000, VALUE = 4096 };
    static char request[KEYS * (VALUE + 40)];
    static const char *const asked[] = {"", "?at=now", "?at=-20ms"};
    struct server_process server;
    start(&server, NULL);
    int redis = wire_connect(server.port);
    size_t size = (size_t)snprintf(request, sizeof(request), "*%d\r\n$4\r\nMSET\r\n", 2 * KEYS + 1);
    for (int i = 0; i < KEYS; i++) {
        size += (size_t)snprintf(request + size, sizeof(request) - size,
                                 "$6\r\nk%05d\r\n$%d\r\n%0*d\r\n", i, VALUE, VALUE, i);
    }
    CHECK(wire_send(redis, request, size) && wire_expect(redis, "+OK\r\n"));
    CHECK(wire_send_text(redis, "SET a token\r\n") && wire_expect(redis, "+OK\r\n"));
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        char line[100];
        usleep(50000);
        int fd = wire_connect(server.http_port);
        snprintf(line, sizeof(line), "GET /v1/export%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 asked[i]);
        test_note("%s", line);
        CHECK(wire_send_text(fd, line));
        usleep(300000); /* its first pages have left, the others wait for us to read */
        CHECK(wire_send_text(redis, i % 2 == 0 ? "MULTI\r\nDEL a\r\nSET z token\r\nEXEC\r\n"
                                               : "MULTI\r\nDEL z\r\nSET a token\r\nEXEC\r\n"));
        CHECK(wire_expect(redis, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n+OK\r\n"));
        size_t got = 0;
        char *body = read_export(fd, &got);
        CHECK(got > (size_t)KEYS * VALUE);
        CHECK_EQ_INT(has_line(body, "a"), i % 2 == 0);
        CHECK_EQ_INT(has_line(body, "z"), i % 2 != 0);
        free(body);
        wire_close(fd);
    }
    wire_close(redis);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_pause_of_clients_holds_requests_until_it_is_over)
{
    static struct http_answer answer;
    struct server_process server;
    start(&server, NULL);
    int redis = wire_connect(server.port);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "PUT /v1/kv/k", "", "old", &answer);
    CHECK_EQ_UINT(answer.status, 204);
    CHECK(wire_send_text(redis, "CLIENT PAUSE 60000 WRITE\r\n") && wire_expect(redis, "+OK\r\n"));
    http_ask(fd, "GET /v1/kv/k", "", "", &answer); /* reads go on */
    CHECK_EQ_STR(answer.body, "old");
    CHECK(wire_send_text(fd, "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                             "\r\nnew"));
    CHECK(wire_send_text(redis, "CLIENT PAUSE 60000 ALL\r\n") && wire_expect(redis, "+OK\r\n"));
    int other = wire_connect(server.http_port);
    CHECK(wire_send_text(other, "GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    int probe = wire_connect(server.http_port);
    http_ask(probe, "GET /healthz", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    usleep(200000);
    char octet;
    CHECK(recv(fd, &octet, 1, MSG_DONTWAIT) < 0 && recv(other, &octet, 1, MSG_DONTWAIT) < 0);
    CHECK(wire_send_text(redis, "CLIENT UNPAUSE\r\n") && wire_expect(redis, "+OK\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 204);
    http_answer_read(other, &answer, true);
    CHECK_EQ_UINT(answer.status, 200);
    http_ask(fd, "GET /v1/kv/k", "", "", &answer);
    CHECK_EQ_STR(answer.body, "new");
    wire_close(fd);
    wire_close(other);
    wire_close(probe);
    wire_close(redis);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_series_is_listed_without_the_value_it_is_kept_as_and_not_exported)
{
    struct server_process server;
    static struct http_answer answer;
    static const char ann[] = "Authorization: Bearer ann:pw\r\n";
    start(&server, NULL);
    tell_redis(&server, "TS.CREATE a:series\r\n");
    tell_redis(&server, "SET a:text x\r\n");
    tell_redis(&server, "ACL SETUSER ann on >pw ~a:* +@read\r\n");
    int fd = wire_connect(server.http_port);
    http_ask(fd, "GET /v1/kv", ann, "", &answer);
    CHECK_EQ_STR(answer.body, "{\"items\":[{\"key\":\"a:series\",\"value\":null},"
                              "{\"key\":\"a:text\",\"value\":\"x\"}]}\n");
    http_ask(fd, "GET /v1/export", ann, "", &answer);
    CHECK_EQ_STR(answer.body, "{\"key\":\"a:text\",\"value\":\"x\"}\n");
    wire_close(fd);
    fd = wire_connect(server.http_port);
    http_ask(fd, "GET /v1/export", "", "", &answer);
    CHECK_EQ_STR(answer.body, "{\"key\":\"a:text\",\"value\":\"x\"}\n");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_path_tells_its_methods_and_probes_may_ask_for_the_head)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "POST /v1/kv/k", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 405);
    CHECK(strstr(answer.head, "Allow: GET, HEAD, PUT, DELETE\n") != NULL);
    CHECK(strstr(answer.body, "this path takes GET, HEAD, PUT, DELETE") != NULL);
    wire_close(fd);
    static const char *const probes[] = {"HEAD /healthz", "HEAD /readyz", "HEAD /metrics",
                                         "HEAD /openapi.json"};
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        test_note("%s", probes[i]);
        fd = wire_connect(server.http_port);
        http_ask(fd, probes[i], "", "", &answer);
        CHECK(answer.status == 200 && answer.size == 0);
        wire_close(fd);
    }
    fd = wire_connect(server.http_port);
    http_ask(fd, "GET /put?k=v", "", "", &answer);
    CHECK(answer.status == 404 && strstr(answer.body, "http-compat-writes") != NULL);
    http_ask(fd, "GET /v1/kv?limit=many", "", "", &answer);
    CHECK(answer.status == 400 && strstr(answer.body, "limit is a whole number") != NULL);
    http_ask(fd, "GET /v1/watch?after=x", "", "", &answer);
    CHECK(answer.status == 400 && strstr(answer.body, "after is a whole number") != NULL);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(an_import_names_the_line_that_was_refused_and_why)
{
    static const struct {
        const char *lines;
        unsigned status;
        const char *code;
        const char *detail;
    } cases[] = {
        {"{\"key\":\"a:1\",\"value\":\"1\"}\n\n{\"key\":\"b\",\"value\":\"1\"}\n"
         "{\"key\":\"a:2\",\"value\":\"1\"}\n",
         403, "\"not-permitted\"", "\"line 3: this user has no permissions"},
        {"{\"key\":\"a:1\",\"value\":\"1\",\"valid_from\":\"2025-01-01\"}\n"
         "{\"key\":\"a:2\",\"value\":\"1\",\"valid_from\":\"+1h\"}\n{\"key\":\"a:3\",\"value\":"
         "\"1\"}\n",
         422, "\"in-future\"", "\"line 2: the fact's date"},
        {"{\"key\":\"a:1\",\"value\":\"1\",\"valid_from\":\"2025-01-01\"}\n"
         "{\"key\":\"a:2\",\"value\":\"1\",\"valid_from\":\"+1h\"}\n",
         422, "\"in-future\"", "; what 1 line before it wrote stays\""},
        {"{\"key\":\"a:1\",\"value\":\"1\"}\n{\"key\":\"a:2\",\"value\":\"\\u0000yore.ts\"}\n", 400,
         "\"bad-request\"", "\"lines 1 to 2: a value that begins with the mark"},
    };
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    tell_redis(&server, "ACL SETUSER ann on >pw ~a:* +@all\r\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = wire_connect(server.http_port);
        http_ask(fd, "POST /v1/import", "Authorization: Bearer ann:pw\r\n", cases[i].lines,
                 &answer);
        CHECK_EQ_UINT(answer.status, cases[i].status);
        CHECK_MSG(strstr(answer.body, cases[i].code) != NULL, "%s", answer.body);
        CHECK_MSG(strstr(answer.body, cases[i].detail) != NULL, "%s", answer.body);
        wire_close(fd);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(an_import_streams_in_and_stops_at_a_wrong_line)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    CHECK(wire_send_text(fd, "POST /v1/import HTTP/1.1\r\nHost: localhost\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 5000; i++) { /* each line cut in two chunks */
        char line[200];
        int size = snprintf(line, sizeof(line),
                            "8\r\n{\"key\":\"\r\n17\r\nk%05d\",\"value\":\"v\"}\n \n\r\n", i);
        (void)size;
        CHECK(wire_send_text(fd, line));
    }
    CHECK(wire_send_text(fd, "0\r\n\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 400); /* a line of one blank */
    CHECK(strstr(answer.body, "line 2: ") != NULL);
    wire_close(fd);

    fd = wire_connect(server.http_port);
    static char text[60000];
    size_t used = 0;
    for (int i = 0; i < 1500; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "{\"key\":\"k%04d\",\"value\":\"v%d\"}\n", i, i);
    }
    http_ask(fd, "POST /v1/import", "", text, &answer);
    CHECK_EQ_UINT(answer.status, 200);
    CHECK_EQ_STR(answer.body, "{\"written\":1500}\n");
    http_ask(fd, "GET /v1/kv/k1499", "", "", &answer);
    CHECK_EQ_STR(answer.body, "v1499");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(commits_come_as_events_and_go_on_where_they_were)
{
    struct server_process server;
    static struct http_answer answer;
    char line[1000];
    char id[100] = "";
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    int watcher = wire_connect(server.http_port);
    CHECK(wire_send_text(watcher, "GET /v1/watch?prefix=w HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    http_answer_read(watcher, &answer, false);
    CHECK(strstr(answer.head, "Content-Type: text/event-stream\n") != NULL);
    CHECK(wire_expect(watcher, ": commits as they are made\n\n"));
    http_ask(fd, "PUT /v1/kv/x1", "", "unseen", &answer);
    http_ask(fd, "PUT /v1/kv/w1", "", "seen", &answer);
    CHECK(wire_expect(watcher, "id: "));
    for (size_t i = 0; i < sizeof(id) - 1 && (i == 0 || id[i - 1] != '\n'); i++) {
        CHECK(wire_read(watcher, id + i, 1));
    }
    CHECK(wire_expect(watcher, "event: commit\ndata: {\"commit\":"));
    wire_close(watcher);
    http_ask(fd, "PUT /v1/kv/w2", "", "later", &answer);
    id[strcspn(id, "\n")] = '\0';
    snprintf(line, sizeof(line),
             "GET /v1/watch?prefix=w HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n", id);
    watcher = wire_connect(server.http_port);
    CHECK(wire_send_text(watcher, line));
    http_answer_read(watcher, &answer, false);
    CHECK(wire_expect(watcher, ": commits as they are made\n\nid: "));
    char event[600] = "";
    CHECK(wire_read(watcher, event, 150));
    CHECK(strstr(event, "\"key\":\"w2\"") != NULL || wire_read(watcher, event + 150, 40));
    CHECK(strstr(event, "\"key\":\"w1\"") == NULL);
    wire_close(watcher);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(metrics_are_told_in_both_formats)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "GET /v1/kv/k", "", "", &answer);
    http_ask(fd, "GET /metrics", "", "", &answer);
    CHECK(strstr(answer.head, "text/plain; version=0.0.4") != NULL);
    CHECK(strstr(answer.body, "# TYPE yore_commands_total counter\n") != NULL);
    CHECK(strstr(answer.body, "yore_commands_total{command=\"get\",status=\"ok\"} 1\n") != NULL);
    CHECK(strstr(answer.body, "# EOF") == NULL);
    CHECK(strstr(answer.body, "# TYPE yore_command_class_duration_seconds histogram\n") != NULL);
    CHECK(strstr(answer.body,
                 "yore_command_class_duration_seconds_bucket{class=\"read\",le=\"+Inf\"}"
                 " 1\n") != NULL);
    CHECK(strstr(answer.body, "yore_command_class_duration_seconds_count{class=\"read\"} 1\n") !=
          NULL);
    CHECK(strstr(answer.body,
                 "yore_command_class_duration_seconds_bucket{class=\"walk\",le=\"10.0\"}"
                 " 0\n") != NULL);
    http_ask(fd, "GET /metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n", "",
             &answer);
    CHECK(strstr(answer.head, "application/openmetrics-text; version=1.0.0") != NULL);
    CHECK(strstr(answer.body, "# TYPE yore_commands counter\n") != NULL);
    CHECK_EQ_STR(answer.body + answer.size - 6, "# EOF\n");
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_body_is_asked_for_before_it_is_sent_and_bounded)
{
    struct server_process server;
    static struct http_answer answer;
    const char *flags[] = {"--http-body-max", "2kb", NULL};
    start(&server, flags);
    int fd = wire_connect(server.http_port);
    CHECK(wire_send_text(fd, "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                             "Expect: 100-continue\r\n\r\n"));
    CHECK(wire_expect(fd, "HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK(wire_send_text(fd, "hello"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 204);
    CHECK(wire_send_text(fd, "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 413);
    char octet = 0;
    CHECK_EQ_UINT(wire_read_all(fd, &octet, 1), 0);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(pipelined_requests_are_answered_in_order)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    CHECK(wire_send_text(fd,
                         "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1"
                         "GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n"
                         "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                         "GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                         "GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 204);
    http_answer_read(fd, &answer, true);
    CHECK_EQ_STR(answer.body, "1");
    http_answer_read(fd, &answer, true);
    CHECK_EQ_STR(answer.body, "ok\n");
    http_answer_read(fd, &answer, true);
    CHECK_EQ_STR(answer.body, "1");
    char octet = 0;
    CHECK_EQ_UINT(wire_read_all(fd, &octet, 1), 0);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(the_forms_of_small_servers_are_there_when_switched_on)
{
    struct server_process server;
    static struct http_answer answer;
    const char *flags[] = {"--http-compat-writes", NULL};
    start(&server, flags);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "GET /put?key=K&val=some+text", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    http_ask(fd, "GET /put?L=M", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    http_ask(fd, "GET /get/K", "", "", &answer);
    CHECK_EQ_STR(answer.body, "some text");
    http_ask(fd, "GET /get/L", "", "", &answer);
    CHECK_EQ_STR(answer.body, "M");
    http_ask(fd, "GET /put?key=K&val=before&at=2001-01-01", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    http_ask(fd, "GET /put?L=before&at=2001-01-01&db=0", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 200);
    for (const char *path = "GET /get/K?at=2002-01-01"; path != NULL;
         path = path[9] == 'K' ? "GET /get/L?at=2002-01-01" : NULL) {
        http_ask(fd, path, "", "", &answer);
        CHECK_EQ_STR(answer.body, "before");
    }
    http_ask(fd, "GET /get/K", "", "", &answer);
    CHECK_EQ_STR(answer.body, "some text");
    http_ask(fd, "GET /put?key=K&val=x&att=-1h", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 400);
    CHECK(strstr(answer.body, "did you mean at?") != NULL);
    http_ask(fd, "GET /put?K=x&L=y", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 400);
    http_ask(fd, "GET /delete/L", "", "", &answer);
    http_ask(fd, "GET /get/L", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    http_ask(fd, "GET /put?A=B", "Sec-Fetch-Site: cross-site\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 403);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_connection_that_is_kept_does_not_outlive_its_password)
{
    static const char ann[] = "Authorization: Bearer ann:pw\r\n";
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    tell_redis(&server, "ACL SETUSER ann on >pw >other ~* +get\r\n");
    int fd = wire_connect(server.http_port);
    http_ask(fd, "GET /v1/kv/a", ann, "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    tell_redis(&server, "ACL SETUSER ann <pw\r\n");
    http_ask(fd, "GET /v1/kv/a", ann, "", &answer);
    CHECK_EQ_UINT(answer.status, 401);
    http_ask(fd, "GET /v1/kv/a", "Authorization: Bearer ann:other\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    tell_redis(&server, "ACL SETUSER bob on >pw\r\n"); /* nothing of hers */
    http_ask(fd, "GET /v1/kv/a", "Authorization: Bearer ann:other\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 404);
    tell_redis(&server, "ACL SETUSER ann off\r\n");
    http_ask(fd, "GET /v1/kv/a", "Authorization: Bearer ann:other\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 401);
    http_ask(fd, "GET /v1/kv/a", "", "", &answer); /* nobody, who need not log in */
    CHECK_EQ_UINT(answer.status, 404);
    tell_redis(&server, "CONFIG SET requirepass secret\r\n");
    http_ask(fd, "GET /v1/kv/a", "", "", &answer);
    CHECK_EQ_UINT(answer.status, 401);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* Watches as `login` says, then somebody tells `change` to the server: the stream ends, says why,
 * and the commit behind it does not come. */
static void expect_watch_ends(const struct server_process *server, const char *login,
                              const char *change)
{
    static struct http_answer answer;
    char request[200];
    snprintf(request, sizeof request, "GET /v1/watch HTTP/1.1\r\nHost: localhost\r\n%s\r\n", login);
    int watcher = wire_connect(server->http_port);
    CHECK(wire_send_text(watcher, request));
    http_answer_read(watcher, &answer, false);
    CHECK_EQ_UINT(answer.status, 200);
    CHECK(wire_expect(watcher, ": commits as they are made\n\n"));
    tell_redis(server, "ACL SETUSER bob on >pw\r\n"); /* nothing of theirs */
    tell_redis(server, "SET before 1\r\n");
    CHECK(wire_expect(watcher, "id: "));
    char event[400] = "";
    for (size_t i = 0; i + 1 < sizeof event && strstr(event, "\n\n") == NULL; i++) {
        CHECK(wire_read(watcher, event + i, 1));
    }
    CHECK(strstr(event, "\"key\":\"before\"") != NULL);
    tell_redis(server, change);
    CHECK(wire_expect(watcher, "id: "));
    memset(event, 0, sizeof event);
    for (size_t i = 0; i + 1 < sizeof event && strstr(event, "\n\n") == NULL; i++) {
        CHECK(wire_read(watcher, event + i, 1));
    }
    CHECK(strstr(event, "event: end\ndata: ") != NULL);
    CHECK(strstr(event, "the login does not hold any more") != NULL);
    CHECK_EQ_UINT(wire_read_all(watcher, event, sizeof event), 0);
    wire_close(watcher);
}

TEST(events_end_with_the_login_that_asked_for_them)
{
    struct server_process server;
    start(&server, NULL);
    tell_redis(&server, "ACL SETUSER ann on >pw >other ~* +@all\r\n");
    expect_watch_ends(&server, "Authorization: Bearer ann:pw\r\n", "ACL SETUSER ann <pw\r\n");
    expect_watch_ends(&server, "Authorization: Bearer ann:other\r\n", "ACL SETUSER ann off\r\n");
    expect_watch_ends(&server, "", "CONFIG SET requirepass secret\r\n"); /* nobody, so far */
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(after_many_wrong_passwords_an_address_has_to_wait)
{
    struct server_process server;
    static struct http_answer answer;
    const char *flags[] = {"--requirepass", "secret", NULL};
    start(&server, flags);
    int fd = wire_connect(server.http_port);
    http_ask(fd, "GET /v1/kv/k", "Authorization: Bearer guess\r\n", "", &answer);
    CHECK_EQ_UINT(answer.status, 401);
    for (int i = 0; i < 200 && answer.status == 401; i++) {
        http_ask(fd, "GET /v1/kv/k", "Authorization: Bearer guess\r\n", "", &answer);
    }
    CHECK_EQ_UINT(answer.status, 429);
    CHECK(strstr(answer.body, "\"code\":\"too-many-logins\"") != NULL);
    CHECK(strstr(answer.head, "Retry-After: ") != NULL);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(the_authority_of_the_target_is_the_host)
{
    struct server_process server;
    static struct http_answer answer;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    CHECK(
        wire_send_text(fd, "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 421);
    CHECK(
        wire_send_text(fd, "GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
    http_answer_read(fd, &answer, true);
    CHECK_EQ_UINT(answer.status, 200);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST_MAIN(what_takes_long_is_in_the_slow_log_whatever_its_words,
          after_many_wrong_passwords_an_address_has_to_wait,
          the_authority_of_the_target_is_the_host,
          a_key_is_written_read_and_deleted_on_one_connection,
          requests_that_are_wrong_get_problems_with_codes,
          a_host_that_is_not_ours_is_refused_unless_it_is_named,
          the_past_is_written_read_listed_and_exported, pages_of_a_list_go_on_where_they_ended,
          octets_that_are_no_text_are_base64_and_their_name_says_so,
          batches_and_transactions_are_all_or_nothing,
          a_batch_or_import_that_fails_halfway_writes_nothing,
          the_same_users_and_rights_as_for_redis_clients,
          a_connection_that_is_kept_does_not_outlive_its_password,
          events_end_with_the_login_that_asked_for_them,
          who_may_read_may_read_as_of_the_moments_he_may_look_at,
          a_series_is_listed_without_the_value_it_is_kept_as_and_not_exported,
          a_path_tells_its_methods_and_probes_may_ask_for_the_head,
          an_import_names_the_line_that_was_refused_and_why,
          an_import_streams_in_and_stops_at_a_wrong_line,
          commits_come_as_events_and_go_on_where_they_were, metrics_are_told_in_both_formats,
          a_body_is_asked_for_before_it_is_sent_and_bounded,
          pipelined_requests_are_answered_in_order,
          an_export_is_of_one_moment_however_long_it_takes,
          a_pause_of_clients_holds_requests_until_it_is_over,
          the_forms_of_small_servers_are_there_when_switched_on)
