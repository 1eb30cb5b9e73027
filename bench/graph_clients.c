/* graph_clients.c -- an event file imported durably, one sync a transaction, by one client and by
 * many, each into a graph of its own; beside it what the disk takes, and the import without syncs.
 *
 *   graph_clients EVENTS.tsv DIR [CLIENTS]     32 clients; DIR is made, and must not be there
 *
 * EVENTS.tsv is an event file (docs/import-export.md), not compressed.  One JSON line a row:
 * transactions a second by the clock, all clients together.  Goals: one client at least 0.6 of the
 * sync rate; many at least the smaller of 5 times one client and half of the bulk rate. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <yore/graph.h>

enum { BLOCK = 4096, BLOCKS = 4096, CLIENTS_MAX = 256 };

struct events {
    char *data;
    size_t size;
    uint64_t lines;
    uint64_t transactions;
};

struct client {
    const struct events *events;
    struct yore_db *db;
    enum yore_durability durability;
    unsigned number;
    pthread_t thread;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK) {
        fprintf(stderr, "graph_clients: %s: %s\n", yore_status_name(st), error->text);
        exit(1);
    }
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void read_events(const char *path, struct events *events)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fail(path);
    }
    events->size = (size_t)ftell(file);
    rewind(file);
    events->data = malloc(events->size + 1);
    if (events->data == NULL || fread(events->data, 1, events->size, file) != events->size) {
        fail(path);
    }
    fclose(file);
    events->data[events->size] = '\0';
    const char *last = "";
    for (char *at = events->data; *at != '\0';) {
        char *number = strchr(at, '\t');
        char *end = strchr(at, '\n');
        if (number == NULL) {
            break;
        }
        events->lines++;
        events->transactions += strtoull(number + 1, NULL, 10) != strtoull(last, NULL, 10);
        last = number + 1;
        at = end != NULL ? end + 1 : events->data + events->size;
    }
}

/* 4 KiB pwrite and fdatasync over a preallocated, written file, one thread. */
static double sync_rate(const char *dir)
{
    static char block[BLOCK];
    char path[600];
    snprintf(path, sizeof path, "%s/sync", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(path);
    }
    memset(block, 'x', sizeof block);
    for (int i = 0; i < BLOCKS; i++) {
        if (pwrite(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK) {
            fail(path);
        }
    }
    if (fsync(fd) != 0) {
        fail(path);
    }
    long count = 0;
    double begin = now();
    while (now() - begin < 3) {
        if (pwrite(fd, block, BLOCK, (off_t)(count % BLOCKS) * BLOCK) != BLOCK ||
            fdatasync(fd) != 0) {
            fail(path);
        }
        count++;
    }
    double rate = (double)count / (now() - begin);
    close(fd);
    unlink(path);
    return rate;
}

static void *import_all(void *arg)
{
    struct client *client = arg;
    struct yore_graph *graph = NULL;
    struct yore_graph_import *import = NULL;
    struct yore_error error;
    char name[32];
    snprintf(name, sizeof name, "c%u", client->number);
    must(yore_graph_open(client->db, name, true, NULL, &graph, &error), &error);
    must(yore_graph_import_open(graph, client->durability, false, &import, &error), &error);
    char *end = client->events->data + client->events->size;
    for (char *at = client->events->data; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        struct yore_bytes line = {at, (size_t)(stop - at)};
        must(yore_graph_import_line(import, line, &error), &error);
        at = stop + 1;
    }
    must(yore_graph_import_finish(import, &error), &error);
    yore_graph_close(graph);
    return NULL;
}

/* Transactions a second of `count` clients in a database of their own. */
static double rate_of(const struct events *events, const char *dir, const char *what,
                      enum yore_durability durability, unsigned count)
{
    static struct client clients[CLIENTS_MAX];
    struct yore_db *db = NULL;
    struct yore_error error;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", dir, what);
    must(yore_open(path, NULL, &db, &error), &error);
    double begin = now();
    for (unsigned i = 0; i < count; i++) {
        clients[i] =
            (struct client){.events = events, .db = db, .durability = durability, .number = i};
        if (pthread_create(&clients[i].thread, NULL, import_all, &clients[i]) != 0) {
            fail("a thread");
        }
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    double took = now() - begin;
    must(yore_close(db, &error), &error);
    double rate = (double)events->transactions * count / took;
    printf("{\"row\":\"%s\",\"clients\":%u,\"transactions\":%" PRIu64
           ",\"seconds\":%.2f,\"transactions_s\":%.0f,\"events_s\":%.0f}\n",
           what, count, events->transactions * count, took, rate,
           (double)events->lines * count / took);
    fflush(stdout);
    return rate;
}

int main(int argc, char **argv)
{
    struct events events = {0};
    unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 32;
    if (argc < 3 || count == 0 || count > CLIENTS_MAX) {
        fprintf(stderr, "usage: graph_clients EVENTS.tsv DIR [CLIENTS]\n");
        return 2;
    }
    if (mkdir(argv[2], 0700) != 0) {
        fail(argv[2]);
    }
    read_events(argv[1], &events);
    double syncs = sync_rate(argv[2]);
    printf("{\"row\":\"syncs\",\"syncs_s\":%.0f}\n", syncs);
    double bulk = rate_of(&events, argv[2], "bulk", YORE_DURABILITY_NONE, 1);
    double one = rate_of(&events, argv[2], "durable-one", YORE_DURABILITY_SYNC, 1);
    double many = rate_of(&events, argv[2], "durable-many", YORE_DURABILITY_SYNC, count);
    double goal = 5 * one < bulk / 2 ? 5 * one : bulk / 2;
    printf("{\"row\":\"goals\",\"one_of_sync_rate\":%.2f,\"one_goal\":0.6,\"many_of_goal\":%.2f}\n",
           one / syncs, many / goal);
    free(events.data);
    return 0;
}
