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
    const char *flags[] = {"--requirepass", "secret", NULL};
    char text[200] = "";
    CHECK(server_start(&server, test_path("db"), flags));
    int fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "GET k\r\n*2\r\n$3\r\nGET\r\n$20000\r\n"));
    CHECK(wire_read_all(fd, text, sizeof(text) - 1) != SIZE_MAX);
    CHECK(strncmp(text, "-NOAUTH ", 8) == 0);
    CHECK(strstr(text, "-ERR Protocol error: unauthenticated bulk length\r\n") != NULL);
    wire_close(fd);
    struct yore_client *client = connect_to(&server, ":secret@");
    CHECK_EQ_STR(call(client, "CONFIG SET login-timeout 1"), "OK");
    yore_client_close(client);
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

/* What --check-config says of flags that a start refuses, and the start itself. */
static void expect_refused(const char *const *flags, const char *cause)
{
    struct server_process server;
    const char *with_check[16];
    size_t count = 0;
    for (; flags[count] != NULL; count++) {
        with_check[count] = flags[count];
    }
    with_check[count] = "--check-config";
    with_check[count + 1] = NULL;
    test_note("%s %s", flags[0], flags[1]);
    CHECK(!server_start(&server, test_path("db"), flags));
    CHECK_MSG(strstr(server.text, cause) != NULL, "%s", server.text);
    char told[SERVER_TEXT_BYTES];
    snprintf(told, sizeof(told), "%s", server.text);
    CHECK(!server_start(&server, test_path("db"), with_check));
    CHECK_MSG(strstr(server.text, cause) != NULL, "%s", server.text);
}

TEST(a_configuration_is_checked_as_a_start_does)
{
    const char *missing = test_path("missing/file");
    const char *file = file_of("plain", "x\n");
    const char *wrong_users = file_of("wrong.acl", "user ann on >pw +nosuchcommand\n");
    const char *users = file_of("good.acl", "user default on nopass ~* +@all\n");
    const char *user_line = file_of("users.conf", "user ann on >pw +get\n");
    const char *wrong_user = file_of("yore.conf", "user ann on >pw +nosuchcommand\n");
    const struct {
        const char *flags[9];
        const char *cause;
    } cases[] = {
        {{"--bind", "0.0.0.0"}, "will not listen to other machines (bind 0.0.0.0)"},
        {{"--http-bind", "0.0.0.0"}, "will not listen to other machines (http-bind 0.0.0.0)"},
        {{"--bind", "no-such-host.invalid"}, "bind: no address no-such-host.invalid"},
        {{"--bind", "192.0.2.1", "--insecure"}, "bind: cannot listen on 192.0.2.1:0"},
        {{"--http-bind", "no-such-host.invalid"}, "http-bind: no address no-such-host.invalid"},
        {{"--port", "0", "--http-port", "0", "--bolt-port", "0"}, "all ports are 0"},
        {{"--aclfile", missing}, "aclfile: there is no directory "},
        {{"--aclfile", wrong_users}, "wrong.acl:1: "},
        {{"--config", wrong_user}, "yore.conf:1: "},
        {{"--config", user_line, "--aclfile", users},
         "users are defined in the configuration or in the aclfile"},
        {{"--requirepass", "x", "--aclfile", users}, "lets default in without a password"},
        {{"--backup-dir", missing}, "backup-dir: there is no directory "},
        {{"--backup-dir", file}, "is no directory"},
        {{"--logfile", missing}, "logfile: there is no directory "},
        {{"--audit-log", missing}, "audit-log: there is no directory "},
        {{"--pidfile", missing}, "pidfile: there is no directory "},
        {{"--unixsocket", missing}, "unixsocket: there is no directory "},
        {{"--slowlog-max-len", "few"}, "slowlog-max-len: "},
        {{"--tls-port", "any", "--tls-cert-file", file, "--tls-key-file", file,
          "--tls-auth-clients", "no"},
         "plain"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_refused(cases[i].flags, cases[i].cause);
    }
    struct server_process server;
    const char *good[] = {"--bind",    "0.0.0.0 -192.0.2.1", "--requirepass",  "secret",
                          "--logfile", test_path("log"),     "--check-config", NULL};
    CHECK(!server_start(&server, test_path("never-made"), good));
    CHECK_MSG(strstr(server.text, "the configuration is good\n") != NULL, "%s", server.text);
    CHECK(access(test_path("never-made"), F_OK) != 0 && access(test_path("log"), F_OK) != 0);
    const char *in_a_file[] = {"--check-config", NULL};
    CHECK(!server_start(&server, file, in_a_file));
    CHECK_MSG(strstr(server.text, "is no directory") != NULL, "%s", server.text);
}

TEST(settings_are_got_set_and_written_back)
{
    struct server_process server;
    const char *path = file_of("yore.conf", "# mine\nmaxclients 50\n");
    const char *flags[] = {"--config", path, NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    struct yore_client *client = connect_to(&server, "");
    CHECK_EQ_STR(call(client, "CONFIG SET maxclients 60 timeout 500 slowlog-max-len 7"), "OK");
    CHECK(strncmp(call(client, "CONFIG SET io-threads 3"), "ERR ", 4) == 0);
    CHECK(strncmp(call(client, "CONFIG SET timeout x"), "ERR ", 4) == 0);
    CHECK_EQ_STR(call(client, "CONFIG REWRITE"), "OK");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
    char text[400] = "";
    FILE *file = fopen(path, "r");
    CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    CHECK_EQ_STR(text, "# mine\nmaxclients 60\nslowlog-max-len 7\ntimeout 500\n");
    CHECK(server_start(&server, test_path("db"), flags));
    CHECK_EQ_INT(server_end(&server), 0);
}

/* Is `password` the one of the user default? */
static bool logs_in(const struct server_process *server, const char *password)
{
    char line[100];
    int fd = wire_connect(server->port);
    snprintf(line, sizeof(line), "AUTH %s\r\n", password);
    CHECK(wire_send_text(fd, line));
    char octet = 0;
    CHECK(wire_read(fd, &octet, 1));
    wire_close(fd);
    return octet == '+';
}

TEST(a_password_that_was_set_is_written_back_as_its_hash)
{
    struct server_process server;
    const char *path = file_of("yore.conf", "requirepass first\nuser default >other\n");
    const char *flags[] = {"--config", path, NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    CHECK(logs_in(&server, "other"));
    struct yore_client *client = connect_to(&server, ":first@");
    CHECK_EQ_STR(call(client, "CONFIG SET requirepass hunter2"), "OK");
    /* what fails takes back what stood before it */
    CHECK(strncmp(call(client, "CONFIG SET requirepass lost maxclients x"), "ERR ", 4) == 0);
    CHECK(logs_in(&server, "hunter2"));
    CHECK(!logs_in(&server, "(set)"));
    CHECK_EQ_STR(call(client, "CONFIG REWRITE"), "OK");
    CHECK_EQ_STR(call(client, "CONFIG SET requirepass unwritten"), "OK");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);

    char text[400] = "";
    FILE *file = fopen(path, "r");
    CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    CHECK(strstr(text, "hunter2") == NULL);
    CHECK(strstr(text, "requirepass $argon2id$") != NULL);
    CHECK(server_start(&server, test_path("db"), flags));
    static const char *const wrong[] = {"first", "other", "(set)", "lost", "unwritten"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        test_note("%s", wrong[i]);
        CHECK(!logs_in(&server, wrong[i]));
    }
    client = connect_to(&server, ":hunter2@");
    CHECK_EQ_STR(call(client, "ACL SETUSER default resetpass"), "OK");
    CHECK_EQ_STR(call(client, "CONFIG REWRITE"), "OK");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);

    CHECK(server_start(&server, test_path("db"), flags)); /* nobody is let in, rather than all */
    CHECK(!logs_in(&server, "hunter2"));
    int fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "PING\r\n"));
    CHECK(wire_expect(fd, "-NOAUTH Authentication required.\r\n"));
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* A value that is not the default, for every setting that may be changed while running. */
static const char *other_value(const char *name)
{
    static const struct {
        const char *name;
        const char *value;
    } values[] = {{"acl-pubsub-default", "allchannels"},
                  {"acllog-max-len", "77"},
                  {"bolt-transaction-timeout", "1500000000ns"},
                  {"drain-timeout", "3"},
                  {"graph-query-memory", "77000000"},
                  {"graph-query-timeout", "777"},
                  {"http-body-max", "7777"},
                  {"latency-monitor-threshold", "77"},
                  {"log-format", "json"},
                  {"login-timeout", "17"},
                  {"loglevel", "warn"},
                  {"maxclients", "77"},
                  {"maxmemory-clients", "77000000"},
                  {"notify-keyspace-events", "$xK"},
                  {"slowlog-log-slower-than", "-1"},
                  {"slowlog-max-len", "77"},
                  {"timeout", "777"}};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strcmp(values[i].name, name) == 0) {
            return values[i].value;
        }
    }
    return NULL;
}

#define SETTINGS_MAX 200

struct setting_text {
    char name[64];
    char value[256];
};

static size_t settings_of(struct yore_client *client, struct setting_text *settings)
{
    struct yore_bytes words[3] = {{"CONFIG", 6}, {"GET", 3}, {"*", 1}};
    const struct yore_client_reply *reply = NULL;
    struct yore_error error = {0};
    CHECK_OK(yore_client_call(client, words, 3, &reply, &error));
    size_t count = (reply->count - 1) / 2;
    CHECK(count > 50 && count <= SETTINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct yore_bytes *pair[2] = {&reply->values[1 + 2 * i].bytes,
                                            &reply->values[2 + 2 * i].bytes};
        CHECK(pair[0]->size < sizeof(settings[i].name) && pair[1]->size < 256);
        snprintf(settings[i].name, sizeof(settings[i].name), "%.*s", (int)pair[0]->size,
                 (const char *)pair[0]->data);
        snprintf(settings[i].value, sizeof(settings[i].value), "%.*s", (int)pair[1]->size,
                 pair[1]->size > 0 ? (const char *)pair[1]->data : "");
    }
    return count;
}

/* CONFIG SET of `value`; false: it may not be changed while running. */
static bool is_set(struct yore_client *client, const char *name, const char *value)
{
    struct yore_bytes words[4] = {
        {"CONFIG", 6}, {"SET", 3}, {name, strlen(name)}, {value, strlen(value)}};
    const struct yore_client_reply *reply = NULL;
    struct yore_error error = {0};
    CHECK_OK(yore_client_call(client, words, 4, &reply, &error));
    const struct yore_client_value *answer = &reply->values[0];
    char text[300];
    snprintf(text, sizeof(text), "%.*s", (int)answer->bytes.size, (const char *)answer->bytes.data);
    bool is_fixed = strstr(text, "immutable") != NULL;
    CHECK_MSG(is_fixed || strcmp(text, "OK") == 0, "%s %s: %s", name, value, text);
    return !is_fixed;
}

TEST(every_setting_that_may_be_changed_is_the_same_after_a_rewrite_and_a_start)
{
    static struct setting_text before[SETTINGS_MAX];
    static struct setting_text after[SETTINGS_MAX];
    struct server_process server;
    const char *flags[] = {"--config", file_of("yore.conf", ""), NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    struct yore_client *client = connect_to(&server, "");
    size_t count = settings_of(client, before);
    size_t changed = 0;
    for (size_t i = 0; i < count; i++) {
        const char *value = other_value(before[i].name);
        bool is_password = strcmp(before[i].name, "requirepass") == 0;
        if (is_password || !is_set(client, before[i].name, value != NULL ? value : "1")) {
            continue;
        }
        CHECK_MSG(value != NULL, "%s: give this test a value", before[i].name);
        CHECK(strcmp(before[i].value, value) != 0);
        snprintf(before[i].value, sizeof(before[i].value), "%s", value);
        changed++;
    }
    CHECK(changed >= 17);
    CHECK_EQ_STR(call(client, "CONFIG REWRITE"), "OK");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);

    CHECK_MSG(server_start(&server, test_path("db"), flags), "%s", server.text);
    client = connect_to(&server, "");
    CHECK_EQ_UINT(settings_of(client, after), count);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ_STR(after[i].name, before[i].name);
        CHECK_EQ_STR(after[i].value, before[i].value);
    }
    /* and back to what it was: that is a change too */
    CHECK_EQ_STR(call(client, "CONFIG SET maxclients 78"), "OK");
    CHECK_EQ_STR(call(client, "CONFIG REWRITE"), "OK");
    CHECK_EQ_STR(call(client, "CONFIG SET maxclients 77"), "OK");
    CHECK_EQ_STR(call(client, "CONFIG REWRITE"), "OK");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
    CHECK(server_start(&server, test_path("db"), flags));
    client = connect_to(&server, "");
    CHECK_EQ_UINT(settings_of(client, after), count);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ_STR(after[i].value, before[i].value);
    }
    yore_client_close(client);
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
    while (strncmp(call(client, "AUTH bob two"), "OK", 2) != 0) {
        usleep(10000);
    }
    CHECK(strncmp(call(client, "AUTH ann one"), "WRONGPASS", 9) == 0);
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* What a new connection that has not logged in gets for `request`. */
static void expect_stranger(const struct server_process *server, const char *request,
                            const char *reply)
{
    int fd = wire_connect(server->port);
    CHECK(wire_send_text(fd, request));
    CHECK(wire_expect(fd, reply));
    wire_close(fd);
}

TEST(a_password_of_the_configuration_outlives_every_reload)
{
    struct server_process server;
    const char *path = file_of("users.acl", "user ann on >one ~* +@all\n");
    const char *flags[] = {"--bind",    "0.0.0.0",   "--insecure", "no", "--requirepass",
                           "topsecret", "--aclfile", path,         NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    expect_stranger(&server, "PING\r\n", "-NOAUTH Authentication required.\r\n");
    struct yore_client *client = connect_to(&server, "ann:one@");
    file_of("users.acl", "user ann on >one ~* +@all\nuser bob on >two ~* +@all\n");
    server_signal(&server, SIGHUP);
    while (strncmp(call(client, "AUTH bob two"), "OK", 2) != 0) {
        usleep(10000);
    }
    expect_stranger(&server, "PING\r\n", "-NOAUTH Authentication required.\r\n");
    CHECK_EQ_STR(call(client, "ACL LOAD"), "OK");
    expect_stranger(&server, "PING\r\n", "-NOAUTH Authentication required.\r\n");
    expect_stranger(&server, "AUTH topsecret\r\n", "+OK\r\n");
    CHECK_EQ_STR(call(client, "CONFIG SET requirepass later"), "OK");
    CHECK_EQ_STR(call(client, "ACL LOAD"), "OK");
    expect_stranger(&server, "PING\r\n", "-NOAUTH Authentication required.\r\n");
    expect_stranger(&server, "AUTH later\r\n", "+OK\r\n");
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
}

/* Wait until the file `path` has `text`. */
static void wait_for_text(const char *path, const char *text)
{
    char all[8192];
    size_t size = 0;
    do {
        usleep(10000);
        FILE *file = fopen(path, "r");
        size = file != NULL ? fread(all, 1, sizeof(all) - 1, file) : 0;
        all[size] = '\0';
        if (file != NULL) {
            fclose(file);
        }
    } while (strstr(all, text) == NULL);
}

TEST(no_change_of_users_lets_other_machines_in_without_a_login)
{
    struct server_process server;
    const char *log = test_path("log");
    const char *path = file_of("users.acl", "user default on >x ~* &* +@all\n");
    const char *flags[] = {"--bind", "0.0.0.0", "--aclfile", path, "--logfile", log, NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    int fd = wire_connect(server.port);
    CHECK(wire_send_text(fd, "AUTH x\r\n") && wire_expect(fd, "+OK\r\n"));
    file_of("users.acl", "");
    server_signal(&server, SIGHUP);
    wait_for_text(log, "will not listen to other machines (bind 0.0.0.0)");
    expect_stranger(&server, "PING\r\n", "-NOAUTH Authentication required.\r\n");
    const char *const opening[] = {"ACL LOAD\r\n", "ACL SETUSER default nopass\r\n",
                                   "ACL SETUSER default reset on nopass ~* +@all\r\n",
                                   "CONFIG SET requirepass ''\r\n"};
    for (size_t i = 0; i < sizeof(opening) / sizeof(opening[0]); i++) {
        char line[500];
        CHECK(wire_send_text(fd, opening[i]) && wire_line(fd, line, sizeof(line)));
        CHECK_MSG(*line == '-' && strstr(line, "will not listen to other machines") != NULL,
                  "%s: %s", opening[i], line);
        expect_stranger(&server, "PING\r\n", "-NOAUTH Authentication required.\r\n");
    }
    expect_stranger(&server, "AUTH x\r\n", "+OK\r\n"); /* the users are as they were */
    wire_close(fd);
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
    static const char query[] = "UNWIND range(1, 20000) AS x CREATE (n {x: x}) RETURN n.x, n";
    const struct yore_bytes statement[3] = {{"GRAPH.QUERY", 11}, {"g1", 2}, {query, strlen(query)}};
    const struct yore_client_reply *rows = NULL; /* they leave in parts */
    CHECK_OK(yore_client_call(client, statement, 3, &rows, NULL));
    CHECK(strncmp(call(client, "AUTH ann wrong-word"), "WRONGPASS", 9) == 0);
    CHECK_EQ_STR(call(client, "AUTH ann pass-word"), "OK");
    CHECK(strncmp(call(client, "SET b1 some-value"), "NOPERM", 6) == 0);
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    CHECK(strstr(text, "user=default address=127.0.0.1:") != NULL);
    CHECK(strstr(text, "command=set keys=a1 outcome=ok chain=") != NULL);
    CHECK(strstr(text, "command=mset keys=\"k1 k2\" outcome=ok chain=") != NULL);
    CHECK(strstr(text, "command=graph.query keys=g1 outcome=ok chain=") != NULL);
    CHECK(strstr(text, "command=acl|setuser keys=\"\" outcome=ok chain=") != NULL);
    CHECK(strstr(text, "command=auth keys=\"\" outcome=WRONGPASS chain=") != NULL);
    CHECK(strstr(text, "user=ann") != NULL);
    CHECK(strstr(text, "command=set keys=b1 outcome=NOPERM chain=") != NULL);
    CHECK(strstr(text, "command=get") == NULL);
    CHECK(strstr(text, "some-value") == NULL);
    CHECK(strstr(text, "-word") == NULL);
}

/* What it prints, from now on, up to a text; in `room`. */
static void read_log(const struct server_process *server, const char *until, char *text,
                     size_t room)
{
    size_t size = 0;
    text[0] = '\0';
    while (strstr(text, until) == NULL) {
        ssize_t got = read(server->out, text + size, room - size - 1);
        CHECK_MSG(got > 0, "'%s' is not told: %s", until, text);
        size += (size_t)got;
        text[size] = '\0';
    }
}

TEST(what_cannot_be_reloaded_keeps_nothing_else_from_it)
{
    struct server_process server;
    char text[4000];
    char log[400];
    const char *path = file_of("users.acl", "user default on nopass ~* &* +@all\n");
    snprintf(log, sizeof(log), "%s/log", test_path("logs"));
    CHECK(mkdir(test_path("logs"), 0700) == 0);
    const char *flags[] = {"--aclfile", path, "--audit-log", log, NULL};
    CHECK(server_start(&server, test_path("db"), flags));
    file_of("users.acl", "user default on nopass ~* &* +@all\nuser bob on >two ~* +@all\n");
    CHECK(unlink(log) == 0 && rmdir(test_path("logs")) == 0);
    server_signal(&server, SIGHUP);
    read_log(&server, "what=audit-log cause=\"cannot write the log ", text, sizeof(text));
    struct yore_client *client = connect_to(&server, "");
    while (strncmp(call(client, "AUTH bob two"), "OK", 2) != 0) {
        usleep(10000);
    }
    file_of("users.acl", "user default on nopass ~* &* +@all\nuser bob onn\n");
    server_signal(&server, SIGHUP);
    read_log(&server, "what=users cause=", text, sizeof(text));
    CHECK_MSG(strstr(text, "users.acl:2: ") != NULL, "%s", text);
    CHECK_EQ_STR(call(client, "AUTH bob two"), "OK"); /* the old stay */
    yore_client_close(client);
    CHECK_EQ_INT(server_end(&server), 0);
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

TEST(a_second_sigterm_waits_for_nobody)
{
    struct server_process server;
    const char *flags[] = {"--drain-timeout", "1h", "--output-timeout", "1d", NULL};
    char text[4000];
    static char line[1 << 20];
    CHECK(server_start(&server, test_path("db"), flags));
    int fd = wire_connect(server.port);
    memset(line, 'x', sizeof(line));
    snprintf(line, 40, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n");
    line[strlen(line)] = 'x';
    size_t head = strlen("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n");
    memcpy(line + head + 1000000, "\r\n", 2);
    CHECK(wire_send(fd, line, head + 1000002) && wire_expect(fd, "+OK\r\n"));
    for (int i = 0; i < 100; i++) { /* 100 MB that nobody reads */
        CHECK(wire_send_text(fd, "GET k\r\n"));
    }
    server_signal(&server, SIGTERM);
    read_log(&server, "ending: ", text, sizeof(text));
    while (!has_ended((int)server.pid)) { /* one that comes at once is the first again */
        server_signal(&server, SIGTERM);
        usleep(100000);
    }
    CHECK_EQ_INT(server_end(&server), 0);
    wire_close(fd);
}

TEST(a_second_server_takes_nothing_of_the_first_away)
{
    struct server_process first;
    struct server_process second;
    const char *pidfile = test_path("pid");
    const char *path = test_path("socket");
    const char *flags[] = {"--pidfile", pidfile, "--unixsocket", path, NULL};
    CHECK(server_start(&first, test_path("db"), flags));
    CHECK(access(pidfile, F_OK) == 0 && access(path, F_OK) == 0);
    CHECK(!server_start(&second, test_path("db"), flags));
    CHECK(!server_start(&second, test_path("other"), flags)); /* the socket is taken */
    CHECK(strstr(second.text, "another process listens on") != NULL);
    CHECK(access(pidfile, F_OK) == 0 && access(path, F_OK) == 0);
    CHECK_EQ_INT(server_end(&first), 0);
    CHECK(access(pidfile, F_OK) != 0 && access(path, F_OK) != 0);
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
        for (int k = 0; k < 6000 && !has_ended(pid); k++) {
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
        CHECK(has_ended(pid));
    }
}

TEST_MAIN(a_second_server_takes_nothing_of_the_first_away, a_second_sigterm_waits_for_nobody,
          what_cannot_be_reloaded_keeps_nothing_else_from_it,
          a_configuration_is_checked_as_a_start_does,
          backups_are_written_below_their_directory_and_nowhere_else,
          it_prints_where_it_is_and_what_to_try_and_answers,
          what_is_not_the_protocol_is_answered_and_closed,
          it_will_not_listen_to_other_machines_while_nobody_has_to_log_in,
          before_login_little_is_taken_and_not_for_long, a_wrong_configuration_does_not_start,
          settings_are_got_set_and_written_back,
          a_password_that_was_set_is_written_back_as_its_hash,
          every_setting_that_may_be_changed_is_the_same_after_a_rewrite_and_a_start,
          users_are_loaded_again_at_sighup, a_password_of_the_configuration_outlives_every_reload,
          no_change_of_users_lets_other_machines_in_without_a_login,
          ending_loses_no_acknowledged_write_and_cuts_no_reply,
          the_audit_log_tells_who_did_what_without_values,
          a_second_server_on_the_same_directory_is_refused, shutdown_ends_it,
          leaves_a_server_when_asked, a_case_that_fails_or_is_killed_leaves_no_server)
