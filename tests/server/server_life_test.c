/* `yore server` from start to end: what it prints, whom it refuses, how it is told to change, how
 * it ends. */
#include <yore/client.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/server_process.h"
#include "support/test.h"
#include "support/wire.h"

static struct yore_client *connect_to(const struct server_process *server, const char *login)
{
    char url[200];
    struct yore_client *client = NULL;
    struct yore_error error = {0};
    snprintf(url, sizeof(url), "redis://%s127.0.0.1:%u", login, (unsigned)server->port);
    CHECK_OK(yore_client_open(url, NULL, &client, &error));
    return client;
}

/* Call with words separated by blanks; the first value's text. */
static const char *call(struct yore_client *client, const char *line)
{
    static char text[2000];
    struct yore_bytes words[20];
    size_t count = 0;
    for (const char *at = line; *at != '\0' && count < 20;) {
        size_t size = strcspn(at, " ");
        words[count++] = (struct yore_bytes){at, size};
        at += size + strspn(at + size, " ");
    }
    const struct yore_client_reply *reply = NULL;
    struct yore_error error = {0};
    CHECK_OK(yore_client_call(client, words, count, &reply, &error));
    const struct yore_client_value *value = &reply->values[0];
    if (value->kind == YORE_CLIENT_INTEGER) {
        snprintf(text, sizeof(text), "%lld", (long long)value->integer);
    } else {
        snprintf(text, sizeof(text), "%.*s", (int)value->bytes.size,
                 value->bytes.size > 0 ? (const char *)value->bytes.data : "");
    }
    return text;
}

static const char *file_of(const char *name, const char *text)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
    return path;
}

TEST(it_prints_where_it_is_and_what_to_try_and_answers)
{
    struct server_process server;
    const char *dir = test_path("a/new/folder");
    CHECK(server_start(&server, dir, NULL));
    CHECK(strstr(server.text, dir) != NULL);
    CHECK(strstr(server.text, "every acknowledged write is on stable storage") != NULL);
    CHECK(strstr(server.text, "set greeting hello") != NULL);
    char pid[40];
    snprintf(pid, sizeof(pid), " PID: %d\n", (int)server.pid);
    CHECK(strstr(server.text, pid) != NULL);
    struct stat info;
    CHECK(stat(dir, &info) == 0 && (info.st_mode & 0777) == 0700);

    int fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "PING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\nget k\r\n"));
    CHECK(wire_expect(fd, "+PONG\r\n+OK\r\n$1\r\nv\r\n"));
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(what_is_not_the_protocol_is_answered_and_closed)
{
    struct server_process server;
    char text[200] = "";
    CHECK(server_start(&server, test_path("db"), NULL));
    int fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "*1\r\nx\r\n"));
    CHECK(wire_read_all(fd, text, sizeof(text) - 1) != SIZE_MAX);
    CHECK_EQ_STR(text, "-ERR Protocol error: expected '$', got 'x'\r\n");
    wire_close(fd);
    fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\n\r\nSET k v\r\n"));
    CHECK_EQ_UINT(wire_read_all(fd, text, sizeof(text) - 1), 0);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(it_will_not_listen_to_other_machines_while_nobody_has_to_log_in)
{
    struct server_process server;
    const char *wide[] = {"--bind", "0.0.0.0", NULL};
    const char *insecure[] = {"--bind", "0.0.0.0", "--insecure", NULL};
    const char *secret[] = {"--bind", "0.0.0.0", "--requirepass", "secret", NULL};
    CHECK(!server_start(&server, test_path("db"), wide));
    CHECK(strstr(server.text, "will not listen to other machines") != NULL);
    CHECK(server_start(&server, test_path("db"), insecure));
    CHECK(strstr(server.text, "INSECURE") != NULL);
    CHECK_EQ_INT(server_end(&server), 0);
    CHECK(server_start(&server, test_path("db"), secret));
    CHECK(strstr(server.text, "INSECURE") == NULL);
    struct yore_client *client = connect_to(&server, ":secret@");
    CHECK_EQ_STR(call(client, "PING"), "PONG");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(before_login_little_is_taken_and_not_for_long)
{
    struct server_process server;
    const char *flags[] = {"--requirepass", "secret", "--login-timeout", "1", NULL};
    char text[200] = "";
    CHECK(server_start(&server, test_path("db"), flags));
    int fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "GET k\r\n*2\r\n$3\r\nGET\r\n$20000\r\n"));
    CHECK(wire_read_all(fd, text, sizeof(text) - 1) != SIZE_MAX);
    CHECK(strncmp(text, "-NOAUTH ", 8) == 0);
    CHECK(strstr(text, "-ERR Protocol error: unauthenticated bulk length\r\n") != NULL);
    wire_close(fd);
    fd = wire_connect(server.port);
    CHECK_EQ_UINT(wire_read_all(fd, text, sizeof(text)), 0); /* it is closed in the end */
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_wrong_configuration_does_not_start)
{
    struct server_process server;
    const char *path = file_of("yore.conf", "prot 7000\n");
    const char *flags[] = {"--config", path, NULL};
    CHECK(!server_start(&server, test_path("db"), flags));
    CHECK(strstr(server.text, "yore.conf:1: there is no setting 'prot'; did you mean port?"));
    path = file_of("yore.conf", "user x on >p +nosuchcommand\n");
    CHECK(!server_start(&server, test_path("db"), flags));
    CHECK(strstr(server.text, "yore.conf:1: ") != NULL);
}

TEST(settings_are_got_set_and_written_back)
{
    struct server_process server;
    const char *path = file_of("yore.conf", "# mine\nmaxclients 50\n");
    const char *flags[] = {"--config", path, NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    struct yore_client *client = connect_to(&server, "");
    CHECK_EQ_STR(call(client, "CONFIG SET maxclients 60 timeout 5 slowlog-max-len 7"), "OK");
    CHECK(strncmp(call(client, "CONFIG SET io-threads 3"), "ERR ", 4) == 0);
    CHECK(strncmp(call(client, "CONFIG SET timeout x"), "ERR ", 4) == 0);
    CHECK_EQ_STR(call(client, "CONFIG REWRITE"), "OK");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
    char text[400] = "";
    FILE *file = fopen(path, "r");
    CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    CHECK_EQ_STR(text, "# mine\nmaxclients 60\nslowlog-max-len 7\ntimeout 5\n");
    CHECK(server_start(&server, test_path("db"), flags));
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(backups_are_written_below_their_directory_and_nowhere_else)
{
    struct server_process server;
    const char *directory = test_path("backups");
    const char *flags[] = {"--backup-dir", directory, NULL};
    char path[400];
    CHECK(mkdir(directory, 0700) == 0);
    CHECK(server_start(&server, test_path("db"), flags));
    struct yore_client *client = connect_to(&server, "");
    CHECK_EQ_STR(call(client, "SET a 1"), "OK");
    CHECK(strncmp(call(client, "YORE.BACKUP nightly"), "ERR", 3) != 0);
    CHECK(strncmp(call(client, "YORE.BACKUP nightly"), "ERR", 3) != 0); /* the next into the same */
    static const char *const wrong[] = {"../out", "a/b", ".", "..", "/tmp/x", "a.b"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "YORE.BACKUP %s", wrong[i]);
        CHECK_EQ_STR(call(client, line), "ERR a backup's name is 1 to 64 of A-Z a-z 0-9 - _");
    }
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
    snprintf(path, sizeof(path), "%s/nightly", directory);
    CHECK(access(path, F_OK) == 0);
    CHECK(server_start(&server, test_path("db"), NULL)); /* without one */
    client = connect_to(&server, "");
    CHECK(strncmp(call(client, "YORE.BACKUP nightly"), "ERR the server has no backup directory",
                  38) == 0);
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(users_are_loaded_again_at_sighup)
{
    struct server_process server;
    const char *path = file_of("users.acl", "user default on nopass ~* &* +@all\n"
                                            "user ann on >one ~* +@all\n");
    const char *flags[] = {"--aclfile", path, NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    yore_client_close(connect_to(&server, "ann:one@"));
    file_of("users.acl", "user default on nopass ~* &* +@all\nuser bob on >two ~* +@all\n");
    server_signal(&server, SIGHUP);
    struct yore_client *client = connect_to(&server, "");
    for (int i = 0; i < 1000 && strncmp(call(client, "AUTH bob two"), "OK", 2) != 0; i++) {
        usleep(10000);
    }
    CHECK(strncmp(call(client, "AUTH ann one"), "WRONGPASS", 9) == 0);
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(ending_loses_no_acknowledged_write_and_cuts_no_reply)
{
    struct server_process server;
    const char *dir = test_path("db");
    CHECK(server_start(&server, dir, NULL));
    enum { CLIENTS = 8, WRITES = 2000 };
    int fds[CLIENTS];
    unsigned acked[CLIENTS] = {0};
    for (int c = 0; c < CLIENTS; c++) {
        char line[100];
        fds[c] = wire_connect(server.port);
        for (int i = 0; i < WRITES; i++) {
            snprintf(line, sizeof(line), "SET k%d:%d v%d\r\n", c, i, i);
            CHECK(wire_send_text(fds[c], line));
        }
    }
    CHECK(wire_expect(fds[0], "+OK\r\n"));
    acked[0] = 1;
    CHECK_EQ_INT(server_end(&server), 0);
    for (int c = 0; c < CLIENTS; c++) {
        char text[5 * WRITES + 1];
        size_t size = wire_read_all(fds[c], text, sizeof(text));
        CHECK(size != SIZE_MAX && size % 5 == 0); /* whole replies only */
        acked[c] += (unsigned)(size / 5);
        wire_close(fds[c]);
    }
    CHECK(server_start(&server, dir, NULL));
    struct yore_client *client = connect_to(&server, "");
    for (int c = 0; c < CLIENTS; c++) {
        for (unsigned i = 0; i < acked[c]; i++) {
            char line[100];
            char want[40];
            snprintf(line, sizeof(line), "GET k%d:%u", c, i);
            snprintf(want, sizeof(want), "v%u", i);
            CHECK_EQ_STR(call(client, line), want);
        }
    }
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(the_audit_log_tells_who_did_what_without_values)
{
    struct server_process server;
    const char *path = test_path("audit.log");
    const char *flags[] = {"--audit-log", path, NULL};
    char text[8000] = "";
    CHECK(server_start(&server, test_path("db"), flags));
    struct yore_client *client = connect_to(&server, "");
    CHECK_EQ_STR(call(client, "ACL SETUSER ann on >pass-word ~a* +get +set"), "OK");
    CHECK_EQ_STR(call(client, "SET a1 some-value"), "OK");
    CHECK_EQ_STR(call(client, "GET a1"), "some-value");
    CHECK_EQ_STR(call(client, "MSET k1 some-value k2 some-value"), "OK");
    CHECK(strncmp(call(client, "AUTH ann wrong-word"), "WRONGPASS", 9) == 0);
    CHECK_EQ_STR(call(client, "AUTH ann pass-word"), "OK");
    CHECK(strncmp(call(client, "SET b1 some-value"), "NOPERM", 6) == 0);
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    CHECK(strstr(text, "user=default address=127.0.0.1:") != NULL);
    CHECK(strstr(text, "command=set keys=a1 outcome=ok\n") != NULL);
    CHECK(strstr(text, "command=mset keys=\"k1 k2\" outcome=ok\n") != NULL);
    CHECK(strstr(text, "command=acl|setuser keys=\"\" outcome=ok\n") != NULL);
    CHECK(strstr(text, "command=auth keys=\"\" outcome=WRONGPASS\n") != NULL);
    CHECK(strstr(text, "user=ann") != NULL);
    CHECK(strstr(text, "command=set keys=b1 outcome=NOPERM\n") != NULL);
    CHECK(strstr(text, "command=get") == NULL);
    CHECK(strstr(text, "some-value") == NULL);
    CHECK(strstr(text, "-word") == NULL);
}

TEST(a_second_server_on_the_same_directory_is_refused)
{
    struct server_process first;
    struct server_process second;
    CHECK(server_start(&first, test_path("db"), NULL));
    CHECK(!server_start(&second, test_path("db"), NULL));
    CHECK(strstr(second.text, "held by process") != NULL);
    CHECK_EQ_INT(server_end(&first), 0);
}

TEST(shutdown_ends_it)
{
    struct server_process server;
    char octet = 0;
    CHECK(server_start(&server, test_path("db"), NULL));
    int fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "SHUTDOWN NOSAVE\r\n"));
    CHECK_EQ_UINT(wire_read_all(fd, &octet, 1), 0);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* ---- the harness of these tests ----------------------------------------------------------------
 */

#define ON_PURPOSE "YORE_TEST_LEAVE_A_SERVER"

TEST(leaves_a_server_when_asked)
{
    const char *how = getenv(ON_PURPOSE);
    struct server_process server;
    if (how == NULL) {
        return;
    }
    CHECK(server_start(&server, test_path("db"), NULL));
    printf("server %d\n", (int)server.pid);
    fflush(stdout);
    if (strcmp(how, "killed") == 0) {
        raise(SIGKILL);
    }
    FAIL("on purpose");
}

/* Neither running nor about to. */
static bool has_ended(int pid)
{
    char path[64];
    char state = 'Z';
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
            state = 'Z';
        }
        fclose(file);
    }
    return state == 'Z' || state == 'X';
}

TEST(a_case_that_fails_or_is_killed_leaves_no_server)
{
    static const char *const ways[] = {"failed", "killed"};
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    CHECK(length > 0);
    program[length] = '\0';
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char command[8192];
        char line[200] = "";
        int pid = 0;
        test_note("%s", ways[i]);
        snprintf(command, sizeof(command), "TMPDIR=%s " ON_PURPOSE "=%s %s leaves_a 2>&1",
                 test_tmpdir(), ways[i], program);
        FILE *pipe = popen(command, "r");
        CHECK(pipe != NULL);
        CHECK(fgets(line, sizeof(line), pipe) != NULL);
        CHECK_MSG(sscanf(line, "server %d", &pid) == 1, "%s", line);
        while (fgets(line, sizeof(line), pipe) != NULL) {
        }
        CHECK(pclose(pipe) != 0);
        for (int k = 0; k < 500 && !has_ended(pid); k++) {
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
        CHECK(has_ended(pid));
    }
}

TEST_MAIN(backups_are_written_below_their_directory_and_nowhere_else,
          it_prints_where_it_is_and_what_to_try_and_answers,
          what_is_not_the_protocol_is_answered_and_closed,
          it_will_not_listen_to_other_machines_while_nobody_has_to_log_in,
          before_login_little_is_taken_and_not_for_long, a_wrong_configuration_does_not_start,
          settings_are_got_set_and_written_back, users_are_loaded_again_at_sighup,
          ending_loses_no_acknowledged_write_and_cuts_no_reply,
          the_audit_log_tells_who_did_what_without_values,
          a_second_server_on_the_same_directory_is_refused, shutdown_ends_it,
          leaves_a_server_when_asked, a_case_that_fails_or_is_killed_leaves_no_server)
