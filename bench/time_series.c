/* time_series.c -- one key with very many versions: what a sample takes on disk, how fast its
 * timeline streams, and what it costs a scan over its neighbours.
 *
 *   time_series [SAMPLES [DIR]]
 *
 * Samples (default 1,000,000) come every 10 s, jittered by up to 5 ms in whole milliseconds, 5 % of
 * them out of order by up to 50 places; a value is a float64 of 8 octets: a gauge that walks at
 * random with two decimals, or random doubles.  Written in batches of 100, or one transaction a
 * sample; then compacted and closed.  Prints one JSON line a question; every sample is read back
 * and compared. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <dirent.h>
#include <yore/yore.h>

#define BASE_NS 1600000000000000000ll
#define EVERY_NS 10000000000ll
#define MILLISECOND_NS 1000000ll
#define NEIGHBOURS 1000
#define NEIGHBOUR_TURNS 200

struct sample {
    int64_t time;
    double value;
};

struct series {
    struct sample *samples; /* as written */
    size_t count;
};

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void) /* xorshift64 (Marsaglia 2003) */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void must(enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK) {
        fprintf(stderr, "time_series: %s: %s\n", yore_status_name(st), error->text);
        exit(1);
    }
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* other jobs share the machine */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct series series_make(size_t count, bool is_gauge)
{
    struct series s = {malloc(count * sizeof(struct sample)), count};
    double gauge = 100;
    if (s.samples == NULL) {
        fprintf(stderr, "time_series: out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        int64_t jitter = ((int64_t)(random_next() % 11) - 5) * MILLISECOND_NS;
        gauge += ((double)(random_next() % 201) - 100) / 100;
        double noise = ldexp((double)(random_next() >> 11), -53) * 1000;
        s.samples[i] = (struct sample){BASE_NS + (int64_t)i * EVERY_NS + jitter,
                                       is_gauge ? round(gauge * 100) / 100 : noise};
    }
    for (size_t i = 0; i + 1 < count; i++) {
        if (random_next() % 20 == 0) {
            size_t other = i + 1 + random_next() % 50;
            other = other < count ? other : count - 1;
            struct sample swapped = s.samples[i];
            s.samples[i] = s.samples[other];
            s.samples[other] = swapped;
        }
    }
    return s;
}

static struct yore_db *open_db(const char *path)
{
    struct yore_options options;
    struct yore_error error;
    struct yore_db *db = NULL;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    must(yore_open(path, &options, &db, &error), &error);
    return db;
}

static void write_all(struct yore_db *db, const struct series *s, size_t batch_size)
{
    struct yore_error error;
    struct yore_batch *batch = NULL;
    must(yore_batch_new(db, &batch, &error), &error);
    for (size_t i = 0; i < s->count; i++) {
        struct yore_write write = {.from = s->samples[i].time, .to = YORE_FOREVER};
        struct yore_bytes value = {&s->samples[i].value, sizeof(double)};
        must(yore_batch_put(batch, NULL, (struct yore_bytes){"m/hot", 5}, value, &write, &error),
             &error);
        if (yore_batch_count(batch) == batch_size || i + 1 == s->count) {
            must(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, &error), &error);
            yore_batch_clear(batch);
        }
    }
    yore_batch_free(batch);
}

static int by_time(const void *a, const void *b)
{
    int64_t left = ((const struct sample *)a)->time;
    int64_t right = ((const struct sample *)b)->time;
    return left < right ? -1 : left > right;
}

/* Every sample once, in time order. */
static void read_all(struct yore_db *db, struct series *s, const char *name)
{
    struct yore_timeline_options options = {
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW};
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    struct yore_error error;
    size_t count = 0;
    qsort(s->samples, s->count, sizeof(struct sample), by_time);
    double begin = cpu_seconds();
    must(yore_timeline_open(db, NULL, (struct yore_bytes){"m/hot", 5}, &options, &timeline, &error),
         &error);
    while (yore_timeline_next(timeline, &version, &error) == YORE_OK) {
        double value;
        memcpy(&value, version.value.data, sizeof value);
        if (count >= s->count || version.valid_from != s->samples[count].time ||
            value != s->samples[count].value) {
            fprintf(stderr, "time_series: sample %zu is wrong\n", count);
            exit(1);
        }
        count++;
    }
    yore_timeline_close(timeline);
    if (count != s->count) {
        fprintf(stderr, "time_series: %zu of %zu samples\n", count, s->count);
        exit(1);
    }
    printf("{\"question\":\"%s timeline\",\"samples_s\":%.0f}\n", name,
           (double)count / (cpu_seconds() - begin));
}

static uint64_t directory_bytes(const char *path)
{
    DIR *dir = opendir(path);
    uint64_t bytes = 0;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char name[4096];
        struct stat st;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && stat(name, &st) == 0) {
            bytes += (uint64_t)st.st_size;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return bytes;
}

static void remove_directory(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char name[4096];
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') {
            (void)unlink(name);
        }
    }
    if (dir != NULL) {
        closedir(dir);
        (void)rmdir(path);
    }
}

static void ask_space(const char *path, size_t count, bool is_gauge, size_t batch_size)
{
    char name[64];
    struct yore_error error;
    struct series s = series_make(count, is_gauge);
    (void)snprintf(name, sizeof name, "%s, batches of %zu", is_gauge ? "gauge" : "random doubles",
                   batch_size);
    remove_directory(path);
    struct yore_db *db = open_db(path);
    double begin = cpu_seconds();
    write_all(db, &s, batch_size);
    must(yore_compact(db, NULL, &error), &error);
    double seconds = cpu_seconds() - begin;
    must(yore_close(db, &error), &error);
    printf("{\"question\":\"%s\",\"bytes_a_sample\":%.2f,\"cpu_us_a_sample\":%.2f}\n", name,
           (double)directory_bytes(path) / (double)count, seconds * 1e6 / (double)count);
    db = open_db(path);
    read_all(db, &s, name);
    must(yore_close(db, &error), &error);
    free(s.samples);
}

/* Microseconds of CPU for a scan over the neighbours, as of `valid`. */
static double scan_us(struct yore_db *db, int64_t valid)
{
    struct yore_time at = {valid, YORE_NOW};
    struct yore_cursor_options options = {.at = &at};
    struct yore_cursor *cursor = NULL;
    struct yore_error error;
    size_t rows = 0;
    double begin = cpu_seconds();
    must(yore_cursor_open(db, NULL, &options, &cursor, &error), &error);
    while (yore_cursor_next(cursor) == YORE_OK) {
        rows++;
    }
    yore_cursor_close(cursor);
    double us = (cpu_seconds() - begin) * 1e6;
    if (rows < NEIGHBOURS) {
        fprintf(stderr, "time_series: %zu rows of at least %d\n", rows, NEIGHBOURS);
        exit(1);
    }
    return us;
}

static void write_neighbours(struct yore_db *db)
{
    for (int i = 0; i < NEIGHBOURS; i++) {
        char key[16];
        struct yore_error error;
        struct yore_write write = {.from = BASE_NS - 1, .to = YORE_FOREVER};
        int size = snprintf(key, sizeof key, "%c/%05d", i % 2 == 0 ? 'a' : 'z', i);
        must(yore_put(db, NULL, (struct yore_bytes){key, (size_t)size},
                      (struct yore_bytes){"neighbour", 9}, &write, &error),
             &error);
    }
}

/* The best of many scans each, of the two databases by turns: processors change their speed. */
static void ask_neighbours(const char *path, size_t count)
{
    struct yore_error error;
    struct series s = series_make(count, true);
    const int64_t moments[2] = {YORE_NOW, BASE_NS + (int64_t)(count / 2) * EVERY_NS};
    struct yore_db *dbs[2];
    char paths[2][4200];
    double best_us[2][2]; /* without and with the hot key; now and in the middle */
    for (int has_hot = 0; has_hot < 2; has_hot++) {
        (void)snprintf(paths[has_hot], sizeof paths[has_hot], "%s.%d", path, has_hot);
        remove_directory(paths[has_hot]);
        dbs[has_hot] = open_db(paths[has_hot]);
        write_neighbours(dbs[has_hot]);
        if (has_hot) {
            write_all(dbs[has_hot], &s, 100);
        }
        must(yore_compact(dbs[has_hot], NULL, &error), &error);
    }
    for (int turn = 0; turn < NEIGHBOUR_TURNS; turn++) {
        for (int i = 0; i < 4; i++) {
            double *best = &best_us[i / 2][i % 2];
            double us = scan_us(dbs[i / 2], moments[i % 2]);
            *best = turn == 0 || us < *best ? us : *best;
        }
    }
    for (int has_hot = 0; has_hot < 2; has_hot++) {
        printf("{\"question\":\"scan of %d neighbours, %s hot key\",\"now_us\":%.1f,"
               "\"middle_us\":%.1f}\n",
               NEIGHBOURS, has_hot ? "with the" : "no", best_us[has_hot][0], best_us[has_hot][1]);
        must(yore_close(dbs[has_hot], &error), &error);
        remove_directory(paths[has_hot]);
    }
    printf("{\"question\":\"neighbours ratio\",\"now\":%.3f,\"middle\":%.3f}\n",
           best_us[1][0] / best_us[0][0], best_us[1][1] / best_us[0][1]);
    free(s.samples);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 1000000;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/time_series.%ld", argc > 2 ? argv[2] : "/tmp",
                   (long)getpid());
    for (int is_gauge = 1; is_gauge >= 0; is_gauge--) {
        ask_space(path, count, is_gauge != 0, 100);
        ask_space(path, count, is_gauge != 0, 1);
    }
    remove_directory(path);
    ask_neighbours(path, count);
    return 0;
}
