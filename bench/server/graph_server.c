/* graph_server.c -- a server that holds a graph: how soon it answers after its start, what memory
 * it takes, and what a round trip over Bolt takes.
 *
 *     graph_server YORE DIR GRAPH [ROUNDS]     9 rounds
 *
 * YORE is the program, DIR a database with graph GRAPH (yore graph DIR import GRAPH wmf-infra.tsv).
 * Cold: the process, and, by posix_fadvise, the pages of its files; warm: the process alone.  One
 * JSON line a row; times by the clock, but for cpu_ms: what the server's threads had until then.
 * Goals for wmf-infra: the first answer within 50 ms, less than 64 MB resident. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MAX = 101, TRIPS = 20000, QUESTIONS = 300 };

struct server {
    pid_t pid;
    int out;
    uint16_t port;
    uint16_t bolt_port;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void fail(const char *what)
{
    fprintf(stderr, "graph_server: %s\n", what);
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double percentile(double *values, size_t count, double p)
{
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)((double)(count - 1) * p)];
}

/* ---- the server ---- */

static void drop_pages(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char name[1024];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            fdatasync(fd);
            posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
            close(fd);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static uint16_t port_in(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    const char *port = line != NULL ? strstr(line, " port ") : NULL;
    return port != NULL ? (uint16_t)strtoul(port + 6, NULL, 10) : 0;
}

static void start(struct server *server, const char *program, const char *dir)
{
    static char text[8192];
    int ends[2];
    size_t size = 0;
    if (pipe(ends) != 0 || (server->pid = fork()) < 0) {
        fail("cannot start a process");
    }
    if (server->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        execl(program, program, "server", "--dir", dir, "--port", "any", "--http-port", "any",
              "--bolt-port", "any", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    server->out = ends[0];
    text[0] = '\0';
    while (strstr(text, "Ready to accept") == NULL) {
        ssize_t got = read(server->out, text + size, sizeof text - 1 - size);
        if (got <= 0) {
            fail("the server has ended, or prints too much");
        }
        size += (size_t)got;
        text[size] = '\0';
    }
    server->port = port_in(text, "\nredis ");
    server->bolt_port = port_in(text, "\nbolt ");
}

static void end(struct server *server)
{
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    close(server->out);
}

/* A line of /proc/PID/status, in MB. */
static double memory_mb(const struct server *server, const char *name)
{
    char path[64];
    char line[256];
    double kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)server->pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kb = strtod(line + strlen(name) + 1, NULL);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kb / 1024;
}

/* What its threads, those that are left, have had of the processors, in ms. */
static double cpu_ms(const struct server *server)
{
    char path[64];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)server->pid);
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char name[400];
        char line[128] = "";
        snprintf(name, sizeof name, "%s/%s/schedstat", path, entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(name, "r") : NULL;
        if (file != NULL && fgets(line, sizeof line, file) != NULL) {
            sum += strtod(line, NULL) / 1e6;
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return sum;
}

/* ---- talking ---- */

static int connect_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("cannot connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void send_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent = write(fd, at, size);
        if (sent <= 0) {
            fail("the server has hung up");
        }
        at += sent;
        size -= (size_t)sent;
    }
}

/* A statement over RESP; the reply ends with the line that tells the time it took. */
static void ask(int fd, const char *graph, const char *statement)
{
    static char reply[1u << 16];
    char head[256];
    size_t size = 0;
    int head_size =
        snprintf(head, sizeof head, "*3\r\n$14\r\nGRAPH.RO_QUERY\r\n$%zu\r\n%s\r\n$%zu\r\n",
                 strlen(graph), graph, strlen(statement));
    send_all(fd, head, (size_t)head_size);
    send_all(fd, statement, strlen(statement));
    send_all(fd, "\r\n", 2);
    do {
        ssize_t got = read(fd, reply + size, sizeof reply - 1 - size);
        if (got <= 0) {
            fail("no answer");
        }
        size += (size_t)got;
        reply[size] = '\0';
        if (reply[0] == '-') {
            fail(reply);
        }
    } while (strstr(reply, "execution time") == NULL || reply[size - 1] != '\n');
}

/* ---- Bolt: PackStream by hand ---- */

struct message {
    unsigned char octets[512];
    size_t size; /* the first two: its chunk's */
};

static void put(struct message *m, const void *data, size_t size)
{
    memcpy(m->octets + m->size, data, size);
    m->size += size;
}

static void put_text(struct message *m, const char *text)
{
    unsigned char head[2] = {0xd0, (unsigned char)strlen(text)};
    put(m, head, 2);
    put(m, text, strlen(text));
}

static void begin(struct message *m, unsigned char fields, unsigned char tag)
{
    unsigned char head[4] = {0, 0, (unsigned char)(0xb0 | fields), tag};
    m->size = 0;
    put(m, head, 4);
}

static void send_message(int fd, struct message *m)
{
    m->octets[0] = (unsigned char)((m->size - 2) >> 8);
    m->octets[1] = (unsigned char)(m->size - 2);
    put(m, "\0\0", 2);
    send_all(fd, m->octets, m->size);
}

static void read_exactly(int fd, unsigned char *to, size_t size)
{
    while (size > 0) {
        ssize_t got = read(fd, to, size);
        if (got <= 0) {
            fail("the server has hung up");
        }
        to += got;
        size -= (size_t)got;
    }
}

/* The tag of the next message. */
static unsigned read_message(int fd)
{
    static unsigned char octets[65536];
    unsigned tag = 0;
    for (bool is_first = true;; is_first = false) {
        unsigned char head[2];
        read_exactly(fd, head, 2);
        size_t size = (size_t)head[0] << 8 | head[1];
        if (size == 0 && !is_first) {
            return tag;
        }
        read_exactly(fd, octets, size);
        tag = is_first && size > 1 ? octets[1] : tag;
    }
}

static int log_in(uint16_t port)
{
    static const unsigned char handshake[20] = {0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 5};
    unsigned char answer[4];
    struct message m;
    int fd = connect_to(port);
    send_all(fd, handshake, sizeof handshake);
    read_exactly(fd, answer, sizeof answer);
    begin(&m, 1, 0x01); /* HELLO {user_agent} */
    put(&m, "\xa1", 1);
    put_text(&m, "user_agent");
    put_text(&m, "bench/1");
    send_message(fd, &m);
    begin(&m, 1, 0x6a); /* LOGON {scheme} */
    put(&m, "\xa1", 1);
    put_text(&m, "scheme");
    put_text(&m, "none");
    send_message(fd, &m);
    if (answer[3] != 5 || read_message(fd) != 0x70 || read_message(fd) != 0x70) {
        fail("Bolt 5.4: no login");
    }
    return fd;
}

/* RUN and PULL in one go, until both are done. */
static void trip(int fd, const char *graph, const char *statement)
{
    struct message m;
    unsigned done = 0;
    begin(&m, 3, 0x10); /* RUN statement {} {db} */
    put_text(&m, statement);
    put(&m, "\xa0\xa1", 2);
    put_text(&m, "db");
    put_text(&m, graph);
    send_message(fd, &m);
    begin(&m, 1, 0x3f); /* PULL {n: -1} */
    put(&m, "\xa1\x81n\xff", 4);
    send_message(fd, &m);
    while (done < 2) {
        unsigned tag = read_message(fd);
        if (tag != 0x70 && tag != 0x71) {
            fail("Bolt: a failure");
        }
        done += tag == 0x70;
    }
}

static void measure_trips(const struct server *server, const char *graph, const char *what,
                          const char *statement)
{
    static double took[TRIPS];
    int fd = log_in(server->bolt_port);
    double begun = now_us();
    for (size_t i = 0; i < TRIPS; i++) {
        double from = now_us();
        trip(fd, graph, statement);
        took[i] = now_us() - from;
    }
    double all = (now_us() - begun) / 1e6;
    close(fd);
    printf("{\"row\":\"bolt\",\"what\":\"%s\",\"trips_s\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
           what, TRIPS / all, percentile(took, TRIPS, 0.5), percentile(took, TRIPS, 0.99));
}

/* ---- rows ---- */

#define FIRST "MATCH (n) RETURN n LIMIT 1"

static void measure_start(const char *program, const char *dir, const char *graph, size_t rounds,
                          bool is_cold)
{
    double took[ROUNDS_MAX];
    double cpu[ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        struct server server;
        if (is_cold) {
            drop_pages(dir);
        }
        double from = now_us();
        start(&server, program, dir);
        int fd = connect_to(server.port);
        ask(fd, graph, FIRST);
        took[i] = (now_us() - from) / 1e3;
        cpu[i] = cpu_ms(&server);
        close(fd);
        end(&server);
    }
    printf("{\"row\":\"start\",\"pages\":\"%s\",\"first_answer_ms\":%.1f,\"slowest_ms\":%.1f,"
           "\"cpu_ms\":%.1f}\n",
           is_cold ? "cold" : "warm", percentile(took, rounds, 0.5), percentile(took, rounds, 1.0),
           percentile(cpu, rounds, 0.5));
}

static void tell_memory(const struct server *server, const char *after)
{
    printf("{\"row\":\"memory\",\"after\":\"%s\",\"resident_mb\":%.1f,\"peak_mb\":%.1f}\n", after,
           memory_mb(server, "VmRSS"), memory_mb(server, "VmHWM"));
}

static void measure_memory(const char *program, const char *dir, const char *graph)
{
    static const char *const moments[] = {"2012-01-01", "2014-01-01", "2016-01-01", "2018-01-01",
                                          "2020-01-01", "2022-01-01", "2024-01-01"};
    struct server server;
    char statement[256];
    start(&server, program, dir);
    int fd = connect_to(server.port);
    ask(fd, graph, FIRST);
    tell_memory(&server, "the first answer");
    for (int i = 0; i < QUESTIONS; i++) {
        snprintf(statement, sizeof statement,
                 "AS OF '%s' MATCH (n) WITH n SKIP %d LIMIT 1 MATCH (n)-[*1..2]-(m) "
                 "RETURN count(DISTINCT m)",
                 moments[(size_t)i % (sizeof moments / sizeof moments[0])], i);
        ask(fd, graph, statement);
    }
    tell_memory(&server, "300 neighbourhoods of the past");
    ask(fd, graph, "MATCH (n) RETURN count(n), count(DISTINCT labels(n))");
    ask(fd, graph, "MATCH ()-[r]->() RETURN type(r), count(r)");
    tell_memory(&server, "scans of all");
    measure_trips(&server, graph, "RETURN 1", "RETURN 1");
    measure_trips(&server, graph, "one node", FIRST);
    tell_memory(&server, "40,000 statements over Bolt");
    close(fd);
    end(&server);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 4 ? strtoul(argv[4], NULL, 10) : 9;
    if (argc < 4 || rounds == 0 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: graph_server YORE DIR GRAPH [ROUNDS]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    measure_start(argv[1], argv[2], argv[3], rounds, true);
    measure_start(argv[1], argv[2], argv[3], rounds, false);
    measure_memory(argv[1], argv[2], argv[3]);
    return 0;
}
