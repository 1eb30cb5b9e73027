/* Hostile clients: idle, slow, deaf, lying ones by the thousand.  The server's memory stays within
 * named bounds (src/server/limits.h, src/net/limits.h), and others are answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "support/bolt_text.h"
#include "support/server_process.h"
#include "support/test.h"
#include "support/wire.h"

#define MIB (UINT64_C(1) << 20)
/* A connection that is idle: its state in net, in the server, in the command layer. */
#define IDLE_CLIENT_BYTES 4096
/* Blocks that loops keep, stacks, what the allocator has not given back. */
#define SLACK_BYTES (48 * MIB)

static void nap(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool raise_files(rlim_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < wanted) {
        return false;
    }
    limit.rlim_cur = wanted;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static void start(struct server_process *server, const char *const *flags)
{
    CHECK(server_start(server, test_path("db"), flags));
}

/* Is somebody else answered at once? */
static void check_answered(const struct server_process *server)
{
    int fd = wire_connect(server->port);
    CHECK(wire_send_text(fd, "PING\r\n"));
    CHECK(wire_expect(fd, "+PONG\r\n"));
    wire_close(fd);
}

TEST(ten_thousand_idle_clients_cost_little_each)
{
    enum { CLIENTS = 10000 };
    static int fds[CLIENTS];
    const char *flags[] = {"--maxclients", "10100", NULL};
    struct server_process server;
    if (!raise_files(CLIENTS + 1000)) {
        SKIP("too few files may be open");
    }
    start(&server, flags);
    uint64_t before = server_memory(&server);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = wire_connect(server.port);
        CHECK_MSG(fds[i] >= 0, "client %d", i);
        if (i % 2 == 0) { /* half of them have talked once */
            CHECK(wire_send_text(fds[i], "PING\r\n"));
            CHECK(wire_expect(fds[i], "+PONG\r\n"));
        }
    }
    const uint64_t most = CLIENTS * (uint64_t)IDLE_CLIENT_BYTES + SLACK_BYTES;
    uint64_t grown = UINT64_MAX;
    for (int i = 0; i < 60 && (i < 3 || grown >= most); i++) { /* idle ones give buffers back */
        nap(1000);
        grown = server_memory(&server) - before;
    }
    CHECK_MSG(grown < most, "%llu octets a client", (unsigned long long)(grown / CLIENTS));
    check_answered(&server);
    for (int i = 0; i < CLIENTS; i++) {
        wire_close(fds[i]);
    }
    CHECK_EQ_INT(server_end(&server), 0);
    printf("  %llu octets an idle client\n", (unsigned long long)(grown / CLIENTS));
}

TEST(bulks_that_are_announced_and_not_sent_cost_nothing)
{
    enum { CLIENTS = 1000 };
    static int fds[CLIENTS];
    struct server_process server;
    if (!raise_files(CLIENTS + 1000)) {
        SKIP("too few files may be open");
    }
    start(&server, NULL);
    uint64_t before = server_memory(&server);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = wire_connect(server.port);
        CHECK(wire_send_text(fds[i], i % 2 == 0 ? "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc"
                                                : "*1048576\r\n$536870912\r\nabc"));
    }
    nap(1000);
    CHECK(server_memory(&server) - before <
          CLIENTS * (uint64_t)(IDLE_CLIENT_BYTES + 16384) + SLACK_BYTES);
    check_answered(&server);
    for (int i = 0; i < CLIENTS; i++) {
        wire_close(fds[i]);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

static int begin_redis(const struct server_process *server)
{
    int fd = wire_connect(server->port);
    (void)wire_send_text(fd, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n");
    return fd;
}

static int begin_http(const struct server_process *server)
{
    int fd = wire_connect(server->http_port);
    (void)wire_send_text(fd, "PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Length: 60000000\r\n\r\n");
    return fd;
}

/* The version, HELLO, LOGON as nobody; what is answered is not read. */
static int begin_bolt(const struct server_process *server)
{
    unsigned char octets[256] = {0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5};
    size_t size = 20;
    int fd = wire_connect(server->bolt_port);
    size += bolt_write_chunk("HELLO {user_agent: 'test'}", octets + size, sizeof(octets) - size);
    size += bolt_write_chunk("LOGON {scheme: 'none'}", octets + size, sizeof(octets) - size);
    (void)wire_send(fd, octets, size);
    return fd;
}

/* 40 clients, each sending 20 MiB of something that never ends. */
static void send_giants(int (*begin)(const struct server_process *server), const char *block,
                        size_t block_size)
{
    enum { CLIENTS = 40 };
    const char *flags[] = {"--maxmemory-clients", "64mb", NULL};
    int fds[CLIENTS];
    struct server_process server;
    start(&server, flags);
    uint64_t before = server_memory(&server);
    uint64_t peak = 0;
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = begin(&server);
        for (size_t sent = 0; sent < 20 * MIB && wire_send(fds[i], block, block_size);) {
            sent += block_size;
        }
        uint64_t now = server_memory(&server);
        peak = now > peak ? now : peak;
    }
    CHECK_MSG(peak - before < 3 * 64 * MIB + SLACK_BYTES, "%llu MiB",
              (unsigned long long)((peak - before) / MIB));
    check_answered(&server);
    for (int i = 0; i < CLIENTS; i++) {
        wire_close(fds[i]);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(what_is_sent_of_giants_stays_within_the_limit_of_buffers)
{
    static char block[1 << 20];
    memset(block, 'x', sizeof(block));
    send_giants(begin_redis, block, sizeof(block));
    test_note("bodies of HTTP");
    send_giants(begin_http, block, sizeof(block));
}

TEST(what_is_sent_of_giant_messages_of_bolt_stays_within_the_limit_of_buffers)
{
    static char chunk[2 + 65535];
    memset(chunk, 'x', sizeof(chunk));
    memset(chunk, 0xFF, 2);
    send_giants(begin_bolt, chunk, sizeof(chunk));
}

/* How many clients were closed since they did not read. */
static unsigned count_stalled(int fd)
{
    static const char name[] = "clients_stalled:";
    char text[4000];
    CHECK(wire_send_text(fd, "INFO clients\r\n"));
    CHECK(wire_line(fd, text, sizeof(text)) && text[0] == '$');
    size_t size = (size_t)strtoul(text + 1, NULL, 10) + 2;
    CHECK(size < sizeof(text) && wire_read(fd, text, size));
    text[size] = '\0';
    const char *at = strstr(text, name);
    CHECK(at != NULL);
    return (unsigned)strtoul(at + strlen(name), NULL, 10);
}

TEST(a_million_requests_nobody_reads_the_answers_of)
{
    const char *flags[] = {"--output-timeout", "2", NULL};
    struct server_process server;
    start(&server, flags);
    int setter = wire_connect(server.port);
    char value[1100];
    int size =
        snprintf(value, sizeof(value), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\n%01000d\r\n", 0);
    CHECK(wire_send(setter, value, (size_t)size) && wire_expect(setter, "+OK\r\n"));
    uint64_t before = server_memory(&server);
    int deaf = wire_connect(server.port);
    static const char line[] = "GET k\r\n";
    static char block[7 * 1000];
    for (int i = 0; i < 1000; i++) {
        memcpy(block + 7 * i, line, 7);
    }
    uint64_t sent = 0;
    uint64_t peak = 0;
    for (bool is_closed = false; sent < UINT64_C(7000000) && !is_closed;) { /* in the end it is */
        size_t part = wire_send_some(deaf, block + sent % 7, sizeof(block) - sent % 7);
        sent += part;
        if (part == 0) {
            nap(10);
            is_closed = count_stalled(setter) > 0;
        }
        uint64_t now = server_memory(&server);
        peak = now > peak ? now : peak;
    }
    CHECK(sent < UINT64_C(7000000)); /* it is not read on from */
    CHECK_MSG(peak < before + SLACK_BYTES, "%llu MiB", (unsigned long long)((peak - before) / MIB));
    CHECK_EQ_UINT(count_stalled(setter), 1);
    check_answered(&server);
    wire_close(setter);
    wire_close(deaf);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(a_million_requests_in_one_pipeline_are_answered)
{
    struct server_process server;
    start(&server, NULL);
    int fd = wire_connect(server.port);
    uint64_t before = server_memory(&server);
    uint64_t peak = 0;
    static char block[6 * 1000];
    static char back[7 * 1000];
    uint64_t count = test_scale(1000000, 10000000);
    uint64_t sent = 0;
    uint64_t got = 0;
    for (int i = 0; i < 1000; i++) {
        memcpy(block + 6 * i, "PING\r\n", 6);
    }
    while (got < 7 * count) {
        if (sent < 6 * count) {
            sent += wire_send_some(fd, block + sent % 6, sizeof(block) - sent % 6);
        }
        uint64_t due = sent / 6 * 7 - got;
        size_t part = due < sizeof(back) ? (size_t)due : sizeof(back);
        CHECK(wire_read(fd, back, part));
        got += part;
        if (got % 100 == 0) {
            uint64_t now = server_memory(&server);
            peak = now > peak ? now : peak;
        }
    }
    CHECK(peak < before + SLACK_BYTES);
    wire_close(fd);
    CHECK_EQ_INT(server_end(&server), 0);
    test_count(count);
}

/* Values of a MiB each: 1 GiB of them when it is a soak.  Returns how many. */
static uint64_t fill_with_large_values(const struct server_process *server)
{
    static char value[1 << 20];
    int fd = wire_connect(server->port);
    uint64_t values = test_scale(200, 1024);
    memset(value, 'v', sizeof(value));
    for (uint64_t i = 0; i < values; i++) {
        char head[100];
        int size = snprintf(head, sizeof(head), "*3\r\n$3\r\nSET\r\n$6\r\nk%05llu\r\n$%zu\r\n",
                            (unsigned long long)i, sizeof(value));
        CHECK(wire_send(fd, head, (size_t)size) && wire_send(fd, value, sizeof(value)) &&
              wire_send_text(fd, "\r\n"));
        CHECK(wire_expect(fd, "+OK\r\n"));
    }
    wire_close(fd);
    return values;
}

TEST(slow_readers_of_a_large_reply_wait_without_memory)
{
    enum { READERS = 2 };
    static char block[1 << 16];
    struct server_process server;
    start(&server, (const char *const[]){"--long-workers=1", NULL});
    uint64_t values = fill_with_large_values(&server);
    nap(500);
    uint64_t before = server_memory(&server);
    int readers[READERS];
    for (int i = 0; i < READERS; i++) {
        readers[i] = wire_connect(server.port);
        CHECK(wire_send_text(readers[i], "YORE.CHANGES k FROM -1d TO now\r\nPING\r\n"));
    }
    uint64_t peak = 0;
    uint64_t got = 0;
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < READERS; i++) {
            CHECK(wire_read(readers[i], block, 2000));
        }
        got += 2000;
        uint64_t now = server_memory(&server);
        peak = now > peak ? now : peak;
        nap(30);
    }
    /* Of each reader what was built before its rows were counted, a value, and what is unsent. */
    CHECK_MSG(peak < before + (uint64_t)READERS * 16 * MIB + SLACK_BYTES, "%llu MiB",
              (unsigned long long)((peak - before) / MIB));
    check_answered(&server);
    int other = wire_connect(server.port); /* who asks for something long is not behind them */
    CHECK(wire_send_text(other, "KEYS none*\r\n") && wire_expect(other, "*0\r\n"));
    wire_close(other);
    while (got + sizeof(block) < values * MIB) { /* the whole of it comes to who reads on */
        CHECK(wire_read(readers[0], block, sizeof(block)));
        got += sizeof(block);
    }
    size_t held = 0;
    while (held < 7 || memcmp(block + held - 7, "+PONG\r\n", 7) != 0) {
        if (held == sizeof(block)) {
            memmove(block, block + held - 7, 7);
            held = 7;
        }
        CHECK(wire_read(readers[0], block + held, 1));
        held++;
    }
    for (int i = 0; i < READERS; i++) {
        wire_close(readers[i]);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(slow_readers_of_a_large_export_wait_without_memory)
{
    enum { READERS = 8 };
    struct server_process server;
    start(&server, NULL);
    (void)fill_with_large_values(&server);
    nap(500);
    uint64_t before = server_memory(&server);
    int readers[READERS];
    for (int i = 0; i < READERS; i++) {
        readers[i] = wire_connect(server.http_port);
        CHECK(wire_send_text(readers[i], "GET /v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }
    uint64_t peak = 0;
    for (int round = 0; round < 30; round++) { /* each takes a little, now and then */
        char some[2000];
        for (int i = 0; i < READERS; i++) {
            CHECK(wire_read(readers[i], some, sizeof(some)));
        }
        uint64_t now = server_memory(&server);
        peak = now > peak ? now : peak;
        nap(30);
    }
    /* Of each reader a page and its lines; and the cache, which is bounded by itself. */
    CHECK_MSG(peak < before + (uint64_t)READERS * 24 * MIB + 256 * MIB, "%llu MiB",
              (unsigned long long)((peak - before) / MIB));
    check_answered(&server);
    for (int i = 0; i < READERS; i++) {
        wire_close(readers[i]);
    }
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST(slow_heads_and_half_requests_are_given_up)
{
    struct server_process server;
    start(&server, NULL);
    int fd = wire_connect(server.http_port);
    char text[400];
    CHECK(wire_send_text(fd, "GET / HTTP/1.1\r\nHost: loc"));
    CHECK(wire_read_all(fd, text, sizeof(text)) != SIZE_MAX); /* closed within 20 s */
    wire_close(fd);
    check_answered(&server);
    CHECK_EQ_INT(server_end(&server), 0);
}

TEST_MAIN(ten_thousand_idle_clients_cost_little_each,
          bulks_that_are_announced_and_not_sent_cost_nothing,
          what_is_sent_of_giants_stays_within_the_limit_of_buffers,
          what_is_sent_of_giant_messages_of_bolt_stays_within_the_limit_of_buffers,
          a_million_requests_nobody_reads_the_answers_of,
          a_million_requests_in_one_pipeline_are_answered,
          slow_readers_of_a_large_reply_wait_without_memory,
          slow_readers_of_a_large_export_wait_without_memory,
          slow_heads_and_half_requests_are_given_up)
