/* attack.c -- a client of good behaviour measured, and hostile ones, held to a quarter of one core.
 *     attack measure PORT SECONDS            SET and GET by turns; prints "p50 p99 max" in us
 *     attack hostile PORT HTTPPORT SECONDS   until the time is over, or it is ended
 *
 * The hostile ones: words of 512 MB announced and not sent, pipelines nobody reads the answers of,
 * connections that come and go, readers of everything that take little, half heads of HTTP, and one
 * that names 50,000 channels or keys in a request, over and over.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLEEPERS = 2000, SAMPLES_MAX = 4000000, ROUND_US = 10000, SHARE_US = 2500 };
enum { NAMES = 50000, NAME_STEPS = 16, NAMER_BYTES = 3 * NAMES * 16 };

static double now_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int connect_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static int order(const void *a, const void *b)
{
    const float *x = a;
    const float *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int measure(uint16_t port, double seconds)
{
    static float samples[SAMPLES_MAX];
    size_t count = 0;
    char back[256];
    int fd = connect_to(port);
    double end = now_us(CLOCK_MONOTONIC) + seconds * 1e6;
    while (fd >= 0 && now_us(CLOCK_MONOTONIC) < end && count < SAMPLES_MAX) {
        char text[100];
        int size = count % 2 == 0
                       ? snprintf(text, sizeof(text), "SET good:%zu value\r\n", count % 1000)
                       : snprintf(text, sizeof(text), "GET good:%zu\r\n", (count - 1) % 1000);
        double begin = now_us(CLOCK_MONOTONIC);
        if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size ||
            recv(fd, back, sizeof(back), 0) <= 0) {
            return 1;
        }
        samples[count++] = (float)(now_us(CLOCK_MONOTONIC) - begin);
    }
    if (count == 0) {
        return 1;
    }
    qsort(samples, count, sizeof(samples[0]), order);
    printf("%.0f %.0f %.0f\n", (double)samples[count / 2], (double)samples[count * 99 / 100],
           (double)samples[count - 1]);
    return 0;
}

/* Sleep so that no more than SHARE_US of ROUND_US are used. */
static void hold_back(double *round_begin, double *used_begin)
{
    double used = now_us(CLOCK_PROCESS_CPUTIME_ID) - *used_begin;
    double gone = now_us(CLOCK_MONOTONIC) - *round_begin;
    if (used < SHARE_US && gone < ROUND_US) {
        return;
    }
    double due = used * ROUND_US / SHARE_US - gone;
    if (due > 0) {
        usleep((useconds_t)due);
    }
    *round_begin = now_us(CLOCK_MONOTONIC);
    *used_begin = now_us(CLOCK_PROCESS_CPUTIME_ID);
}

/* What kind of hostile client number `i` is, and its first words. */
static int begin_one(int i, uint16_t port, uint16_t http)
{
    static const char *const words[] = {"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc",
                                        "*1048576\r\n$536870912\r\n",
                                        "PIN",
                                        "",
                                        "GET / HTTP/1.1\r\nHost: loc",
                                        "GET /v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n"};
    int kind = i % 6;
    int fd = connect_to(kind >= 4 ? http : port);
    if (fd >= 0) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        if (send(fd, words[kind], strlen(words[kind]), MSG_NOSIGNAL) < 0) {
            close(fd);
            return -1;
        }
    }
    return fd;
}

/* Requests of very many names, sent over and over as fast as they are taken. */
struct namer {
    int fd;
    char *text;
    size_t size;
    size_t sent;
};

static void add_request(struct namer *namer, const char *word, bool is_reverse)
{
    namer->size += (size_t)snprintf(namer->text + namer->size, NAMER_BYTES - namer->size,
                                    "*%d\r\n$%zu\r\n%s\r\n", NAMES + 1, strlen(word), word);
    for (int i = 0; i < NAMES; i++) {
        namer->size += (size_t)snprintf(namer->text + namer->size, NAMER_BYTES - namer->size,
                                        "$6\r\nc%05d\r\n", is_reverse ? NAMES - 1 - i : i);
    }
}

static bool namer_begin(struct namer *namer, uint16_t port)
{
    *namer = (struct namer){.fd = connect_to(port), .text = malloc(NAMER_BYTES)};
    if (namer->fd < 0 || namer->text == NULL) {
        return false;
    }
    fcntl(namer->fd, F_SETFL, O_NONBLOCK);
    add_request(namer, "SUBSCRIBE", false);
    add_request(namer, "UNSUBSCRIBE", true);
    add_request(namer, "WATCH", false);
    namer->size +=
        (size_t)snprintf(namer->text + namer->size, NAMER_BYTES - namer->size, "UNWATCH\r\n");
    return true;
}

static void namer_go_on(struct namer *namer)
{
    static char answers[65536];
    ssize_t sent =
        send(namer->fd, namer->text + namer->sent, namer->size - namer->sent, MSG_NOSIGNAL);
    namer->sent += sent > 0 ? (size_t)sent : 0;
    namer->sent = namer->sent < namer->size ? namer->sent : 0;
    recv(namer->fd, answers, sizeof(answers), 0);
}

static int hostile(uint16_t port, uint16_t http, double seconds)
{
    static int fds[SLEEPERS];
    static char pipeline[60000];
    static char some[512];
    double end = now_us(CLOCK_MONOTONIC) + seconds * 1e6;
    double round_begin = now_us(CLOCK_MONOTONIC);
    double used_begin = now_us(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < sizeof(pipeline) / 6; i++) {
        memcpy(pipeline + 6 * i, "PING\r\n", 6);
    }
    memset(fds, -1, sizeof(fds));
    struct namer namer;
    if (!namer_begin(&namer, port)) {
        return 1;
    }
    for (uint64_t step = 0; now_us(CLOCK_MONOTONIC) < end; step++) {
        int i = (int)(step % SLEEPERS);
        if (fds[i] < 0 || (step / SLEEPERS) % 7 == (uint64_t)(i % 7)) { /* come and go */
            if (fds[i] >= 0) {
                close(fds[i]);
            }
            fds[i] = begin_one(i, port, http);
        } else if (i % 6 == 3) { /* a pipeline, of whose answers little is read */
            if (send(fds[i], pipeline, sizeof(pipeline), MSG_NOSIGNAL) < 0) {
                recv(fds[i], some, sizeof(some), 0);
            }
        } else if (i % 6 == 5) {
            recv(fds[i], some, sizeof(some), 0);
        }
        if (step % NAME_STEPS == 0) {
            namer_go_on(&namer);
        }
        hold_back(&round_begin, &used_begin);
    }
    free(namer.text);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "measure") == 0) {
        return measure((uint16_t)strtoul(argv[2], NULL, 10), strtod(argv[3], NULL));
    }
    if (argc == 5 && strcmp(argv[1], "hostile") == 0) {
        return hostile((uint16_t)strtoul(argv[2], NULL, 10), (uint16_t)strtoul(argv[3], NULL, 10),
                       strtod(argv[4], NULL));
    }
    fprintf(stderr, "usage: attack measure PORT SECONDS | hostile PORT HTTPPORT SECONDS\n");
    return 2;
}
