/* kill -9 of the server under load: every acknowledged write is found afterwards, values whole. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/server_process.h"
#include "support/test.h"
#include "support/wire.h"

enum { CLIENTS = 4, PIPELINE = 8 };

/* One writer of one counter: SET c<n> <i> with i = 1, 2, 3, ... */
struct writer {
    int fd;
    unsigned sent;
    unsigned acked;
    char rest[64]; /* the beginning of a reply */
    size_t rest_size;
};

static void send_some(struct writer *writer, int number)
{
    while (writer->sent < writer->acked + PIPELINE) {
        char line[100];
        int size = snprintf(line, sizeof(line), "SET c%d %u\r\n", number, writer->sent + 1);
        if (send(writer->fd, line, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size) {
            return;
        }
        writer->sent++;
    }
}

/* Count the replies that have come; false: the server is gone. */
static bool take_replies(struct writer *writer)
{
    char text[4096];
    ssize_t got = recv(writer->fd, text, sizeof(text), MSG_DONTWAIT);
    if (got < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    }
    for (ssize_t i = 0; i < got; i++) {
        writer->rest[writer->rest_size++] = text[i];
        if (text[i] == '\n') {
            CHECK_EQ_BYTES(writer->rest, writer->rest_size, "+OK\r\n", 5);
            writer->acked++;
            writer->rest_size = 0;
        }
        CHECK(writer->rest_size < sizeof(writer->rest));
    }
    return got > 0;
}

/* Write until `acks` are there in all, kill, and take what was still on its way. */
static void write_and_kill(struct server_process *server, struct writer writers[CLIENTS],
                           unsigned acks)
{
    unsigned begun = 0;
    for (int i = 0; i < CLIENTS; i++) {
        writers[i].fd = wire_connect(server->port);
        CHECK(writers[i].fd >= 0);
        writers[i].sent = writers[i].acked;
        writers[i].rest_size = 0;
        begun += writers[i].acked;
    }
    for (unsigned done = begun; done < begun + acks;) {
        struct pollfd items[CLIENTS];
        for (int i = 0; i < CLIENTS; i++) {
            send_some(&writers[i], i);
            items[i] = (struct pollfd){.fd = writers[i].fd, .events = POLLIN};
        }
        CHECK(poll(items, CLIENTS, WIRE_PATIENCE_MS) > 0);
        done = 0;
        for (int i = 0; i < CLIENTS; i++) {
            CHECK(take_replies(&writers[i]));
            done += writers[i].acked;
        }
    }
    server_kill(server);
    for (int i = 0; i < CLIENTS; i++) {
        while (take_replies(&writers[i]) &&
               recv(writers[i].fd, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
        }
        wire_close(writers[i].fd);
    }
}

/* What the database says of a counter, now. */
static unsigned counter_of(const struct server_process *server, int number)
{
    char line[100];
    char text[100] = "";
    int fd = wire_connect(server->port);
    snprintf(line, sizeof(line), "GET c%d\r\n", number);
    CHECK(wire_send_text(fd, line));
    CHECK(wire_line(fd, text, sizeof(text)));
    if (strcmp(text, "$-1") == 0) {
        wire_close(fd);
        return 0;
    }
    CHECK(text[0] == '$');
    CHECK(wire_line(fd, text, sizeof(text)));
    wire_close(fd);
    return (unsigned)strtoul(text, NULL, 10);
}

TEST(no_acknowledged_write_is_lost_when_the_server_is_killed)
{
    struct writer writers[CLIENTS] = {{0}};
    struct server_process server;
    struct test_rand rand = test_rand_new(1);
    const char *dir = test_path("db");
    uint64_t rounds = test_scale(300, 3000);
    for (uint64_t round = 0; round < rounds; round++) {
        test_note("round %llu", (unsigned long long)round);
        CHECK(server_start(&server, dir, NULL));
        for (int i = 0; i < CLIENTS; i++) {
            unsigned found = counter_of(&server, i);
            CHECK_MSG(found >= writers[i].acked && found <= writers[i].sent,
                      "counter %d is %u: %u were acknowledged, %u sent", i, found, writers[i].acked,
                      writers[i].sent);
            writers[i].acked = found; /* what was not acknowledged may be there all the same */
        }
        write_and_kill(&server, writers, 1 + (unsigned)test_rand_below(&rand, 200));
    }
    test_count(rounds);
}

TEST_MAIN(no_acknowledged_write_is_lost_when_the_server_is_killed)
