/* watch_micro.c -- what a watch tells a second, and what it costs the writer that is watched.
 *
 *     watch_micro DIRECTORY [puts]
 *
 * One line of JSON for each question.  One thread puts (keys of 16 octets, values of 100), and no,
 * one or two others watch at the head.  The directory is made, and left to be looked at. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yore/yore.h>

enum { VALUE_BYTES = 100, WATCHERS_MAX = 2 };

struct run {
    const char *name;
    enum yore_durability durability;
    uint64_t puts;
    unsigned watchers;
    bool has_scope; /* the watches' range holds none of the keys */
};

struct watching {
    struct yore_db *db;
    const struct run *run;
    struct yore_watch *watch;
    atomic_int_fast64_t last; /* the commit to stop at; 0: not known yet */
    uint64_t commits;
    uint64_t calls;
    double cpu_s;
};

static double clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK) {
        (void)fprintf(stderr, "watch_micro: %s\n", error->text);
        exit(1);
    }
}

static void *watch_all(void *arg)
{
    struct watching *w = arg;
    struct yore_error error = {.text = ""};
    int64_t last = 0;
    while (last == 0 || yore_watch_position(w->watch) < last) {
        struct yore_feed_commit commit;
        enum yore_status st = yore_watch_next(w->watch, 10000000, &commit, &error);
        if (st != YORE_NOT_FOUND) {
            must(st, &error);
            w->commits++;
        }
        w->calls++;
        last = atomic_load(&w->last);
    }
    w->cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static int64_t put_all(struct yore_db *db, const struct run *run)
{
    char value[VALUE_BYTES];
    int64_t commit = 0;
    struct yore_error error = {.text = ""};
    const struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = run->durability, .commit_out = &commit};
    memset(value, 'v', sizeof value);
    for (uint64_t i = 0; i < run->puts; i++) {
        char key[24];
        (void)snprintf(key, sizeof key, "user%012" PRIu64, i * 7919 % 1000003);
        must(yore_put(db, NULL, (struct yore_bytes){key, 16},
                      (struct yore_bytes){value, sizeof value}, &write, &error),
             &error);
    }
    return commit;
}

/* Two threads at the head of one writer. */
static void run_live(struct yore_db *db, const struct run *run)
{
    static struct watching watching[WATCHERS_MAX];
    pthread_t threads[WATCHERS_MAX];
    struct yore_error error = {.text = ""};
    for (unsigned i = 0; i < run->watchers; i++) {
        struct yore_watch_options options = {.after_commit = YORE_NOW};
        options.range.prefix = (struct yore_bytes){"none", run->has_scope ? 4 : 0};
        memset(&watching[i], 0, sizeof watching[i]);
        watching[i].db = db;
        watching[i].run = run;
        must(yore_watch_open(db, &options, &watching[i].watch, &error), &error);
        if (pthread_create(&threads[i], NULL, watch_all, &watching[i]) != 0) {
            exit(1);
        }
    }
    double cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);
    double wall = clock_s(CLOCK_MONOTONIC);
    int64_t last = put_all(db, run);
    cpu = clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu;
    double put_wall = clock_s(CLOCK_MONOTONIC) - wall;
    for (unsigned i = 0; i < run->watchers; i++) {
        atomic_store(&watching[i].last, last);
    }
    for (unsigned i = 0; i < run->watchers; i++) {
        (void)pthread_join(threads[i], NULL);
        yore_watch_close(watching[i].watch);
    }
    wall = clock_s(CLOCK_MONOTONIC) - wall;
    double puts = (double)run->puts;
    (void)printf("{\"run\":\"%s\",\"watchers\":%u,\"puts\":%" PRIu64
                 ",\"put_wall_us\":%.2f,\"put_cpu_us\":%.2f",
                 run->name, run->watchers, run->puts, put_wall / puts * 1e6, cpu / puts * 1e6);
    if (run->watchers > 0) {
        (void)printf(",\"told_per_s\":%.0f,\"watch_cpu_us\":%.2f,\"told\":%" PRIu64, puts / wall,
                     watching[0].cpu_s / puts * 1e6, watching[0].commits);
    }
    (void)printf("}\n");
}

/* One that begins in the past and has never to wait. */
static void run_past(struct yore_db *db, const char *name, int64_t after)
{
    struct yore_watch_options options = {.after_commit = after};
    struct yore_watch *watch = NULL;
    struct yore_feed_commit commit;
    struct yore_error error = {.text = ""};
    uint64_t commits = 0;
    double cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);
    double wall = clock_s(CLOCK_MONOTONIC);
    must(yore_watch_open(db, &options, &watch, &error), &error);
    enum yore_status st;
    while ((st = yore_watch_next(watch, 0, &commit, &error)) == YORE_OK) {
        commits++;
    }
    must(st == YORE_NOT_FOUND ? YORE_OK : st, &error);
    yore_watch_close(watch);
    cpu = clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu;
    wall = clock_s(CLOCK_MONOTONIC) - wall;
    (void)printf("{\"run\":\"%s\",\"told\":%" PRIu64
                 ",\"told_per_s\":%.0f,\"watch_cpu_us\":%.2f}\n",
                 name, commits, (double)commits / wall, cpu / (double)commits * 1e6);
}

int main(int argc, char **argv)
{
    struct yore_options options;
    struct yore_db *db = NULL;
    struct yore_error error = {.text = ""};
    uint64_t puts = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
    if (argc < 2 || puts == 0) {
        (void)fprintf(stderr, "usage: watch_micro DIRECTORY [puts]\n");
        return 2;
    }
    const struct run runs[] = {
        {"unsynced", YORE_DURABILITY_NONE, puts, 0, false},
        {"unsynced", YORE_DURABILITY_NONE, puts, 1, false},
        {"unsynced", YORE_DURABILITY_NONE, puts, 2, false},
        {"unsynced, nothing in range", YORE_DURABILITY_NONE, puts, 1, true},
        {"synced", YORE_DURABILITY_SYNC, puts / 50 + 1, 0, false},
        {"synced", YORE_DURABILITY_SYNC, puts / 50 + 1, 1, false},
    };
    yore_options_init(&options);
    must(yore_open(argv[1], &options, &db, &error), &error);
    int64_t begin = yore_now(db);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
            run_live(db, &runs[i]);
        }
    }
    run_past(db, "from the past, journal and tables", begin);
    must(yore_flush(db, &error), &error);
    run_past(db, "from the past, tables", begin);
    begin = yore_now(db);
    (void)put_all(db, &runs[0]);
    run_past(db, "from the past, journal", begin);
    must(yore_close(db, &error), &error);
    return 0;
}
