/* The client library against a server of a few lines: what it sends, what it makes of the answers.
 */
#include <yore/client.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/env.h"
#include "os/socket.h"
#include "os/thread.h"
#include "support/test.h"
#include "support/wire.h"

/* Takes one connection; answers `answers` in order, one a received chunk, and keeps what came. */
struct script {
    int listener;
    uint16_t port;
    const char *const *answers;
    char got[4000];
    size_t got_size;
    struct os_thread *thread;
};

static void play(void *arg)
{
    struct script *script = arg;
    char peer[OS_ADDRESS_TEXT_BYTES];
    char local[OS_ADDRESS_TEXT_BYTES];
    int fd = -1;
    while (os_accept(script->listener, &fd, peer, local) != OS_ACCEPTED) {
        os_sleep_ns(os_env_posix(), 1000000);
    }
    struct yore_error error;
    for (size_t i = 0; script->answers[i] != NULL; i++) {
        size_t size = 0;
        if (os_socket_read(fd, script->got + script->got_size,
                           sizeof(script->got) - script->got_size - 1,
                           WIRE_PATIENCE_MS * INT64_C(1000000), &size, &error) != YORE_OK) {
            break;
        }
        script->got_size += size;
        wire_send_text(fd, script->answers[i]);
    }
    os_socket_close(fd);
}

static void script_start(struct script *script, const char *const *answers, char url[100])
{
    struct yore_error error;
    *script = (struct script){.answers = answers};
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &script->listener, &script->port, &error));
    CHECK_OK(os_thread_start(play, script, "script", &script->thread, &error));
    snprintf(url, 100, "redis://127.0.0.1:%u", (unsigned)script->port);
}

static void script_end(struct script *script)
{
    os_thread_join(script->thread);
    os_socket_close(script->listener);
}

TEST(a_call_greets_sends_words_and_gives_the_reply)
{
    static const char *const answers[] = {"%1\r\n+proto\r\n:3\r\n", ">1\r\n+push\r\n$2\r\nup\r\n",
                                          NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    char url[100];
    script_start(&script, answers, url);
    CHECK_OK(yore_client_open(url, NULL, &client, &error));
    struct yore_bytes words[] = {bytes_of("GET", 3), bytes_of("a\0b", 3)};
    const struct yore_client_reply *reply = NULL;
    CHECK_OK(yore_client_call(client, words, 2, &reply, &error));
    CHECK(reply->values[0].kind == YORE_CLIENT_STRING);
    CHECK_EQ_BYTES(reply->values[0].bytes.data, reply->values[0].bytes.size, "up", 2);
    CHECK_STATUS(yore_client_call(client, words, 2, &reply, &error), YORE_IO);
    yore_client_close(client);
    script_end(&script);
    static const char sent[] = "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"
                               "*2\r\n$3\r\nGET\r\n$3\r\na\0b\r\n";
    CHECK(script.got_size >= sizeof(sent) - 1);
    CHECK(memcmp(script.got, sent, sizeof(sent) - 1) == 0);
}

TEST(a_login_and_a_database_come_from_the_url)
{
    static const char *const answers[] = {"%0\r\n", "+OK\r\n", NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    char url[100];
    char whole[200];
    script_start(&script, answers, url);
    snprintf(whole, sizeof(whole), "redis://ann:se@cret@127.0.0.1:%u/7", (unsigned)script.port);
    CHECK_OK(yore_client_open(whole, NULL, &client, &error));
    yore_client_close(client);
    script_end(&script);
    CHECK_EQ_STR(script.got, "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n"
                             "$7\r\nse@cret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n");
}

TEST(a_user_without_a_password_logs_in_with_an_empty_one)
{
    static const char *const answers[] = {"-WRONGPASS no\r\n", NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    char url[100];
    char whole[200];
    script_start(&script, answers, url);
    snprintf(whole, sizeof(whole), "redis://ann@127.0.0.1:%u", (unsigned)script.port);
    CHECK_STATUS(yore_client_open(whole, NULL, &client, &error), YORE_READ_ONLY);
    script_end(&script);
    CHECK_EQ_STR(script.got, "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n"
                             "$0\r\n\r\n");
}

TEST(a_refused_login_is_told)
{
    static const char *const answers[] = {"-WRONGPASS no\r\n", NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    char url[100];
    script_start(&script, answers, url);
    CHECK_STATUS(yore_client_open(url, NULL, &client, &error), YORE_READ_ONLY);
    CHECK_EQ_STR(error.text, "the server refused: WRONGPASS no");
    CHECK(client == NULL);
    script_end(&script);
}

static void expect_open(const char *answer, enum yore_status status, const char *text)
{
    const char *const answers[] = {answer, NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    char url[100];
    script_start(&script, answers, url);
    CHECK_STATUS(yore_client_open(url, NULL, &client, &error), status);
    CHECK_EQ_STR(error.text, text);
    CHECK(client == NULL);
    script_end(&script);
}

TEST(a_server_that_speaks_something_else_is_told)
{
    expect_open("SSH-2.0-OpenSSH_9.2\r\n", YORE_BAD_FORMAT,
                "the server sent a reply that is no RESP");
    expect_open("HTTP/1.1 400 Bad Request\r\n", YORE_BAD_FORMAT,
                "the server sent HTTP: Redis clients have a port of their own");
}

TEST(a_port_for_tls_is_told)
{
    expect_open("\x15\x03\x03\x02", YORE_BAD_FORMAT,
                "the server sent an alert of TLS: a port for TLS is asked by yores://");
    expect_open("", YORE_IO,
                "the server has closed the connection without a word: if its port is for TLS, say "
                "yores://");
}

TEST(urls_that_are_none_are_refused_without_showing_them)
{
    static const char *const urls[] = {"",
                                       "localhost:6379",
                                       "http://localhost",
                                       "redis://",
                                       "redis://u:secret@",
                                       "redis://u:secret@host:port",
                                       "redis://u:secret@host:70000",
                                       "redis://u:secret@host:1/x",
                                       "redis://[::1",
                                       "unix://"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct yore_client *client = NULL;
        struct yore_error error = {0};
        test_note("case %zu", i);
        CHECK_STATUS(yore_client_open(urls[i], NULL, &client, &error), YORE_INVALID);
        CHECK(strstr(error.text, "secret") == NULL);
    }
}

TEST(octets_of_a_login_may_be_written_with_percent)
{
    static const char *const answers[] = {"%0\r\n", NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    char url[100];
    char whole[200];
    script_start(&script, answers, url);
    snprintf(whole, sizeof(whole), "yore://:p%%2fw%%40%%zz@127.0.0.1:%u", (unsigned)script.port);
    CHECK_OK(yore_client_open(whole, NULL, &client, &error));
    yore_client_close(client);
    script_end(&script);
    CHECK(strstr(script.got, "$7\r\ndefault\r\n$7\r\np/w@%zz\r\n") != NULL);
}

TEST(rows_of_an_array_are_told_one_at_a_time)
{
    static const char *const answers[] = {
        "%0\r\n",
        ">1\r\n+push\r\n*3\r\n*2\r\n:1\r\n$1\r\na\r\n*2\r\n:2\r\n$1\r\nb\r\n$4\r\nlast\r\n",
        "-ERR no\r\n", NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    const struct yore_client_reply *reply = NULL;
    struct yore_bytes words[] = {bytes_of("KEYS", 4), bytes_of("*", 1)};
    char url[100];
    script_start(&script, answers, url);
    CHECK_OK(yore_client_open(url, NULL, &client, &error));
    CHECK_OK(yore_client_rows(client, words, 2, &reply, &error));
    CHECK(reply == NULL);
    for (int64_t i = 1; i <= 2; i++) {
        CHECK_OK(yore_client_next_row(client, &reply, &error));
        CHECK(reply->values[0].kind == YORE_CLIENT_ARRAY && reply->values[1].integer == i);
        CHECK(!yore_client_is_usable(client));
    }
    CHECK_OK(yore_client_next_row(client, &reply, &error));
    CHECK_EQ_BYTES(reply->values[0].bytes.data, reply->values[0].bytes.size, "last", 4);
    CHECK_STATUS(yore_client_next_row(client, &reply, &error), YORE_NOT_FOUND);
    CHECK(yore_client_is_usable(client));
    CHECK_OK(yore_client_rows(client, words, 2, &reply, &error));
    CHECK(reply != NULL && reply->values[0].kind == YORE_CLIENT_ERROR);
    yore_client_close(client);
    script_end(&script);
}

static bool stop_at_once(void *arg)
{
    ++*(int *)arg;
    return true;
}

TEST(waiting_for_an_answer_can_be_stopped)
{
    static const char *const answers[] = {"%0\r\n", "", NULL};
    struct script script;
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    const struct yore_client_reply *reply = NULL;
    struct yore_bytes words[] = {bytes_of("GET", 3), bytes_of("a", 1)};
    int asked = 0;
    struct yore_client_options options = {
        .timeout_ns = YORE_FOREVER, .should_stop = stop_at_once, .stop_arg = &asked};
    char url[100];
    script_start(&script, answers, url);
    CHECK_OK(yore_client_open(url, &options, &client, &error));
    enum yore_status status = yore_client_call(client, words, 2, &reply, &error);
    CHECK(status == YORE_CANCELLED || status == YORE_IO); /* the script closes at its end */
    CHECK(!yore_client_is_usable(client));
    yore_client_close(client);
    script_end(&script);
}

TEST(tls_needs_a_wire)
{
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    CHECK_STATUS(yore_client_open("yores://127.0.0.1", NULL, &client, &error), YORE_UNSUPPORTED);
    CHECK(strstr(error.text, "yore_client_wire") != NULL);
}

TEST(nobody_there_is_an_error_that_names_the_address)
{
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    struct script script;
    char url[100];
    CHECK_OK(os_listen_tcp("127.0.0.1", 0, &script.listener, &script.port, &error));
    os_socket_close(script.listener);
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", (unsigned)script.port);
    CHECK_STATUS(yore_client_open(url, NULL, &client, &error), YORE_IO);
    CHECK(strstr(error.text, "127.0.0.1:") != NULL);
    CHECK_STATUS(yore_client_open("unix:///no/such/socket", NULL, &client, &error), YORE_IO);
    CHECK(strstr(error.text, "/no/such/socket") != NULL);
}

TEST(null_is_refused)
{
    const struct yore_bytes word = {"PING", 4};
    const struct yore_client_reply *reply = NULL;
    struct yore_client *client = NULL;
    struct yore_error error;
    CHECK_STATUS(yore_client_open(NULL, NULL, &client, &error), YORE_INVALID);
    CHECK_EQ_STR(error.text,
                 "yore_client_open: NULL where something must be given: url, client_out");
    CHECK_STATUS(yore_client_open("yore://localhost", NULL, NULL, &error), YORE_INVALID);
    CHECK_STATUS(yore_client_call(NULL, &word, 1, &reply, &error), YORE_INVALID);
    CHECK_STATUS(yore_client_rows(NULL, &word, 1, &reply, &error), YORE_INVALID);
    CHECK_STATUS(yore_client_next_row(NULL, &reply, &error), YORE_INVALID);
    CHECK_STATUS(yore_client_send(NULL, &word, 1, &error), YORE_INVALID);
    CHECK_STATUS(yore_client_receive(NULL, 0, &reply, &error), YORE_INVALID);
    CHECK(!yore_client_is_usable(NULL));
    yore_client_close(NULL);
}

TEST_MAIN(null_is_refused, a_call_greets_sends_words_and_gives_the_reply,
          a_login_and_a_database_come_from_the_url,
          a_user_without_a_password_logs_in_with_an_empty_one, a_refused_login_is_told,
          a_server_that_speaks_something_else_is_told, a_port_for_tls_is_told,
          urls_that_are_none_are_refused_without_showing_them,
          octets_of_a_login_may_be_written_with_percent, rows_of_an_array_are_told_one_at_a_time,
          waiting_for_an_answer_can_be_stopped, tls_needs_a_wire,
          nobody_there_is_an_error_that_names_the_address)
