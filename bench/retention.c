/* retention.c -- what it costs to drop half of the history, or all of it, and whether anybody
 * notices.
 *
 *   retention [KEYS [VERSIONS [DIR]]]
 *
 * A history as in rounds.h, dated by the clock (5,000 keys x 100 versions).  JSON lines:
 *
 *  trim      on a quiet database: octets read and written by the process (/proc/self/io) from the
 *            call until the space is back, and how many of them were work on tables; beside what a
 *            full compaction moves, which is every octet of the tables once in and once out.
 *  online    the same with a reader of single keys at moments that are kept, whose latencies are
 *            told for the second before, while, and the second after the trim, and a writer of
 *            2,000 facts a second.
 *
 *  all       on a quiet database, to which nothing more is written, the horizon goes behind
 *            everything: what is left.
 *
 * Each ends with every key compared at the horizon, and a read before it refused. */
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rounds.h"

#define LATENCIES_MAX 4000000
#define PHASES 3
#define SECOND_NS UINT64_C(1000000000)
#define WRITES_PER_MS 2
#define SETTLES 3

static void begin(struct rounds *h, char **argv, int argc)
{
    struct yore_options options;
    uint32_t keys = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5000;
    uint32_t versions = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 100;
    *h = (struct rounds){.keys = keys - keys % ROUNDS_BATCH, .is_live = true};
    (void)snprintf(h->path, sizeof h->path, "%s/retention.%ld", argc > 3 ? argv[3] : "/tmp",
                   (long)getpid());
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    rounds_open(h, &options);
    rounds_write(h, versions);
    for (int i = 0; i < SETTLES; i++) { /* on a busy machine one pause may not be all */
        rounds_settle(h);
    }
}

static uint64_t table_bytes(const struct rounds *h)
{
    DIR *dir = opendir(h->path);
    uint64_t bytes = 0;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char name[4096 + sizeof entry->d_name];
        struct stat st;
        (void)snprintf(name, sizeof name, "%s/%s", h->path, entry->d_name);
        if (strncmp(entry->d_name, "table-", 6) == 0 && stat(name, &st) == 0) {
            bytes += (uint64_t)st.st_size;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return bytes;
}

static uint64_t table_work(struct rounds *h)
{
    return rounds_stat(h, "flush_bytes") + rounds_stat(h, "merge_write_bytes") +
           rounds_stat(h, "history_write_bytes");
}

static uint64_t half(const struct rounds *h)
{
    return (uint64_t)h->keys * (h->count / 2);
}

static void trim(struct rounds *h)
{
    struct yore_error error;
    rounds_must(yore_trim(h->db, NULL, rounds_moment(h, half(h)), &error), &error);
}

/* Every key at the horizon, which lies behind so many steps, and nothing before it. */
static void check(struct rounds *h, uint64_t steps)
{
    struct yore_error error;
    struct yore_value value;
    char key[ROUNDS_KEY_BYTES];
    struct yore_time at = {rounds_moment(h, steps), YORE_NOW};
    for (uint32_t i = 0; i < h->keys; i++) {
        rounds_key(key, i);
        rounds_must(
            yore_get(h->db, NULL, (struct yore_bytes){key, sizeof key}, &at, &value, &error),
            &error);
        if (!rounds_is(value.data, value.size, i, rounds_at(h, i, steps))) {
            fprintf(stderr, "retention: key %u is wrong at the horizon\n", i);
            exit(1);
        }
        yore_value_release(&value);
    }
    at.valid--;
    if (yore_get(h->db, NULL, (struct yore_bytes){key, sizeof key}, &at, &value, &error) !=
        YORE_BEFORE_HORIZON) {
        fprintf(stderr, "retention: a read before the horizon was answered\n");
        exit(1);
    }
}

static uint64_t io_bytes(void)
{
    char line[128];
    uint64_t sum = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        uint64_t bytes;
        if (sscanf(line, "rchar: %" SCNu64, &bytes) == 1 ||
            sscanf(line, "wchar: %" SCNu64, &bytes) == 1) {
            sum += bytes;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return sum;
}

/* Until the directory has been smaller than before for a while. */
static uint64_t wait_for_space(struct rounds *h, uint64_t before_bytes)
{
    uint64_t begin = rounds_now_ns();
    uint64_t back = 0;
    uint64_t last = before_bytes;
    while (rounds_now_ns() - begin < 20 * SECOND_NS) {
        struct timespec pause = {0, 5000000};
        uint64_t bytes = table_bytes(h);
        if (bytes < last) {
            back = rounds_now_ns() - begin;
            last = bytes;
        }
        if (back > 0 && rounds_now_ns() - begin > back + SECOND_NS) {
            break;
        }
        nanosleep(&pause, NULL);
    }
    return back;
}

static void ask_quiet(char **argv, int argc)
{
    struct rounds h;
    begin(&h, argv, argc);
    uint64_t before_bytes = table_bytes(&h);
    uint64_t before_work = table_work(&h);
    uint64_t before_io = io_bytes();
    trim(&h);
    uint64_t back_ns = wait_for_space(&h, before_bytes);
    uint64_t moved = io_bytes() - before_io;
    uint64_t after_bytes = table_bytes(&h);
    printf("{\"question\":\"trim\",\"keys\":%u,\"versions\":%u,\"bytes_before\":%" PRIu64
           ",\"bytes_after\":%" PRIu64 ",\"back_ms\":%.0f,\"moved_bytes\":%" PRIu64
           ",\"of_table_work\":%" PRIu64 ",\"compaction_bytes\":%" PRIu64
           ",\"ratio\":%.0f,\"slices_dropped\":%" PRIu64 "}\n",
           h.keys, h.count, before_bytes, after_bytes, (double)back_ns / 1e6, moved,
           table_work(&h) - before_work, 2 * before_bytes,
           2.0 * (double)before_bytes / (double)moved, rounds_stat(&h, "slices_dropped"));
    check(&h, half(&h));
    rounds_close(&h);
}

static void ask_all(char **argv, int argc)
{
    struct rounds h;
    struct yore_error error;
    struct yore_keyspace_usage before;
    struct yore_keyspace_usage after;
    begin(&h, argv, argc);
    uint64_t steps = (uint64_t)h.keys * h.count;
    uint64_t before_bytes = table_bytes(&h);
    uint64_t before_work = table_work(&h);
    rounds_must(yore_keyspace_usage(h.db, NULL, &before, &error), &error);
    rounds_must(yore_trim(h.db, NULL, rounds_moment(&h, steps), &error), &error);
    uint64_t back_ns = wait_for_space(&h, before_bytes);
    rounds_must(yore_keyspace_usage(h.db, NULL, &after, &error), &error);
    printf("{\"question\":\"all\",\"keys\":%u,\"versions\":%u,\"bytes_before\":%" PRIu64
           ",\"bytes_after\":%" PRIu64 ",\"past_versions_before\":%" PRIu64
           ",\"past_versions_after\":%" PRIu64 ",\"back_ms\":%.0f,\"of_table_work\":%" PRIu64 "}\n",
           h.keys, h.count, before_bytes, table_bytes(&h),
           before.past_versions + before.past_copies, after.past_versions + after.past_copies,
           (double)back_ns / 1e6, table_work(&h) - before_work);
    check(&h, steps);
    rounds_close(&h);
}

/* ---- while reads and writes go on ---- */

struct traffic {
    struct rounds *h;
    _Atomic int phase; /* PHASES: stop */
    uint64_t *latencies[PHASES];
    size_t counts[PHASES];
    uint64_t writes;
};

static uint64_t next(uint64_t *state) /* xorshift64 (Marsaglia 2003) */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void *read_on(void *arg)
{
    struct traffic *t = arg;
    struct rounds *h = t->h;
    uint64_t state = 2463534242u;
    for (int phase; (phase = atomic_load(&t->phase)) < PHASES;) {
        char key[ROUNDS_KEY_BYTES];
        struct yore_value value;
        struct yore_error error;
        uint32_t index = (uint32_t)(next(&state) % h->keys);
        uint64_t batches = half(h) / ROUNDS_BATCH;
        batches += next(&state) % ((uint64_t)h->keys * h->count / ROUNDS_BATCH - batches + 1);
        uint64_t steps = batches * ROUNDS_BATCH;
        struct yore_time at = {rounds_moment(h, steps), YORE_NOW};
        rounds_key(key, index);
        uint64_t begin = rounds_now_ns();
        rounds_must(
            yore_get(h->db, NULL, (struct yore_bytes){key, sizeof key}, &at, &value, &error),
            &error);
        uint64_t took = rounds_now_ns() - begin;
        if (!rounds_is(value.data, value.size, index, rounds_at(h, index, steps))) {
            fprintf(stderr, "retention: key %u is wrong\n", index);
            exit(1);
        }
        yore_value_release(&value);
        if (t->counts[phase] < LATENCIES_MAX) {
            t->latencies[phase][t->counts[phase]++] = took;
        }
    }
    return NULL;
}

static void *write_on(void *arg)
{
    struct traffic *t = arg;
    while (atomic_load(&t->phase) < PHASES) {
        struct timespec pause = {0, 1000000};
        for (int i = 0; i < WRITES_PER_MS; i++) {
            char key[24];
            struct yore_error error;
            int size = snprintf(key, sizeof key, "other%06" PRIu64, t->writes++ % 100000);
            rounds_must(yore_put(t->h->db, NULL, (struct yore_bytes){key, (size_t)size},
                                 (struct yore_bytes){"written meanwhile", 17}, NULL, &error),
                        &error);
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static double percentile_us(uint64_t *sorted, size_t count, double share)
{
    return count > 0 ? (double)sorted[(size_t)((double)(count - 1) * share)] / 1e3 : 0;
}

static void print_online(struct traffic *t, uint64_t back_ns, uint64_t before, uint64_t after)
{
    static const char *const names[PHASES] = {"before", "while", "after"};
    printf("{\"question\":\"online\",\"back_ms\":%.0f,\"bytes_before\":%" PRIu64
           ",\"bytes_after\":%" PRIu64 ",\"writes\":%" PRIu64,
           (double)back_ns / 1e6, before, after, t->writes);
    for (int i = 0; i < PHASES; i++) {
        double median = rounds_median(t->latencies[i], t->counts[i] > 0 ? t->counts[i] : 1) / 1e3;
        printf(",\"reads_%s\":%zu,\"p50_us_%s\":%.2f,\"p999_us_%s\":%.1f", names[i], t->counts[i],
               names[i], median, names[i], percentile_us(t->latencies[i], t->counts[i], 0.999));
    }
    printf("}\n");
}

static void ask_online(char **argv, int argc)
{
    struct rounds h;
    pthread_t reader;
    pthread_t writer;
    struct traffic t = {.h = &h};
    struct timespec second = {1, 0};
    begin(&h, argv, argc);
    for (int i = 0; i < PHASES; i++) {
        t.latencies[i] = rounds_need(calloc(LATENCIES_MAX, sizeof(uint64_t)));
    }
    if (pthread_create(&reader, NULL, read_on, &t) != 0 ||
        pthread_create(&writer, NULL, write_on, &t) != 0) {
        fprintf(stderr, "retention: no thread\n");
        exit(1);
    }
    nanosleep(&second, NULL);
    uint64_t before = table_bytes(&h);
    atomic_store(&t.phase, 1);
    trim(&h);
    uint64_t back_ns = wait_for_space(&h, before);
    uint64_t after = table_bytes(&h);
    atomic_store(&t.phase, 2);
    nanosleep(&second, NULL);
    atomic_store(&t.phase, PHASES);
    pthread_join(reader, NULL);
    pthread_join(writer, NULL);
    print_online(&t, back_ns, before, after);
    check(&h, half(&h));
    for (int i = 0; i < PHASES; i++) {
        free(t.latencies[i]);
    }
    rounds_close(&h);
}

int main(int argc, char **argv)
{
    ask_quiet(argv, argc);
    ask_all(argv, argc);
    ask_online(argv, argc);
    return 0;
}
