/* table_micro.c -- what one read of a table costs: gets, misses, scans, from cache and from files.
 *
 *   table_micro [KEYS [DIR [PART]]]
 *
 * KEYS (default 1,000,000) keys of 16 octets with values of 100 in tables of 64 MB below DIR
 * (default: a folder in /tmp), or only one PART: present merge history uncached samples.  Prints
 * one JSON line a question. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"
#include "base/rand.h"
#include "table/merge_iter.h"
#include "table/table.h"

#define TABLES_MAX 64
#define TABLE_BYTES (64u << 20)
#define VALUE_BYTES 100
#define ROUND 1000

struct set {
    struct table *tables[TABLES_MAX];
    uint32_t first[TABLES_MAX + 1]; /* keys of table i: first[i] .. first[i + 1] - 1 */
    unsigned count;
};

struct bench {
    struct os_env *env;
    struct page_cache *cache;
    struct table_pool *pool;
    const char *dir;
    uint32_t keys;
    uint64_t file;
    struct rand_state rand;
};

static void must(enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK) {
        fprintf(stderr, "table_micro: %d %s\n", (int)st, error->text);
        exit(1);
    }
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* other jobs share the machine */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x;
    double y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static void report(const char *what, double ns_per_op, const char *note)
{
    printf("{\"bench\":\"table\",\"what\":\"%s\",\"ns\":%.1f%s%s}\n", what, ns_per_op,
           note[0] != '\0' ? "," : "", note);
    fflush(stdout);
}

static void make_key(char key[17], uint64_t number)
{
    snprintf(key, 17, "%016" PRIx64, hash_u64(number) >> 40 << 32 | number);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static char (*make_keys(uint32_t count))[17]
{
    char(*keys)[17] = malloc((size_t)count * sizeof(*keys));
    if (keys == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < count; i++) {
        make_key(keys[i], i);
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    return keys;
}

static struct table_builder *open_builder(struct bench *b, enum yore_compression compression,
                                          enum page_class page_class, char *path, size_t path_size)
{
    struct yore_error error = {0};
    struct table_builder *builder = NULL;
    b->file++;
    snprintf(path, path_size, "%s/%06" PRIu64 ".table", b->dir, b->file);
    struct table_options options = {.identity = {1, b->file},
                                    .page_bytes = 16384,
                                    .compression = compression,
                                    .class_hint = page_class};
    must(table_builder_open(b->env, path, &options, &builder, &error), &error);
    return builder;
}

static struct table *close_builder(struct bench *b, struct table_builder *builder, const char *path)
{
    struct yore_error error = {0};
    struct table_meta meta;
    struct table *table = NULL;
    struct file_identity identity = {1, b->file};
    must(table_builder_finish(builder, &meta, &error), &error);
    must(table_open(b->pool, path, identity, &meta, &table), &error);
    table_mark_dead(table);
    table_meta_release(&meta);
    return table;
}

/* Every `stride`-th key from `offset` on, `versions` times each. */
static void build(struct bench *b, char (*keys)[17], uint32_t offset, uint32_t stride,
                  unsigned versions, struct set *set)
{
    struct yore_error error = {0};
    unsigned char value[VALUE_BYTES];
    struct table_builder *builder = NULL;
    char path[512];
    double start = now_ns();
    uint64_t rows = 0;
    uint64_t bytes = 0;
    memset(set, 0, sizeof(*set));
    for (uint32_t i = offset; i < b->keys; i += stride) {
        if (builder == NULL) {
            set->first[set->count] = i;
            builder = open_builder(b, versions > 1 ? YORE_COMPRESSION_ZSTD : YORE_COMPRESSION_LZ4,
                                   versions > 1 ? PAGE_CLASS_PAST : PAGE_CLASS_PRESENT, path,
                                   sizeof(path));
        }
        for (unsigned v = 0; v < versions; v++, rows++) {
            for (unsigned j = 0; j < VALUE_BYTES / 2; j += 2) { /* half of it says nothing new */
                uint64_t r = rand_u64(&b->rand);
                memcpy(value + j, &r, 2);
            }
            memcpy(value + VALUE_BYTES / 2, value, VALUE_BYTES / 2);
            int64_t at = 1700000000000000000 + (int64_t)(versions - v) * 1000000000 + i;
            struct version version = {
                bytes_of(keys[i], 16),       at, at, YORE_FOREVER, YORE_KIND_PUT, 0,
                bytes_of(value, VALUE_BYTES)};
            must(table_builder_add(builder, &version, &error), &error);
        }
        if (table_builder_bytes(builder) > TABLE_BYTES || i + stride >= b->keys) {
            bytes += table_builder_bytes(builder);
            set->tables[set->count++] = close_builder(b, builder, path);
            builder = NULL;
            set->first[set->count] = i + 1;
        }
    }
    char note[64];
    snprintf(note, sizeof(note), "\"bytes_per_row\":%.1f", (double)bytes / (double)rows);
    report(versions > 1 ? "build_history_row" : "build_row", (now_ns() - start) / (double)rows,
           note);
}

static void close_set(struct set *set)
{
    for (unsigned i = 0; i < set->count; i++) {
        table_close(set->tables[i]);
    }
}

static struct table *table_of(const struct set *set, uint32_t key)
{
    unsigned t = 0;
    while (key >= set->first[t + 1]) {
        t++;
    }
    return set->tables[t];
}

/* Gets of random keys; the median round. */
static double time_gets(struct bench *b, const struct set *set, char (*keys)[17], bool is_missing,
                        unsigned rounds)
{
    double *times = malloc(rounds * sizeof(double));
    static uint32_t numbers[ROUND]; /* chosen and copied beforehand: a caller has its key at hand */
    static char chosen[ROUND][16];
    uint64_t sum = 0;
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < ROUND; i++) {
            numbers[i] = (uint32_t)rand_below(&b->rand, b->keys);
            memcpy(chosen[i], keys[numbers[i]], 16);
            chosen[i][15] = is_missing ? 'x' : chosen[i][15];
        }
        double start = now_ns();
        for (unsigned i = 0; i < ROUND; i++) {
            struct version got;
            struct table_pin pin;
            struct version_place place = {bytes_of(chosen[i], 16), INT64_MAX, INT64_MAX};
            enum yore_status st = table_get_hashed(table_of(set, numbers[i]), &place,
                                                   hash_bytes(place.key), &got, &pin, NULL);
            if ((st == YORE_OK) == is_missing) {
                fprintf(stderr, "table_micro: wrong answer %d\n", (int)st);
                exit(1);
            }
            if (st == YORE_OK) {
                sum += *(const unsigned char *)got.value.data;
                table_pin_release(&pin);
            }
        }
        times[r] = (now_ns() - start) / ROUND;
    }
    qsort(times, rounds, sizeof(double), compare_doubles);
    double median = times[rounds / 2];
    free(times);
    return median + (sum == 1 ? 1 : 0);
}

static double time_walk(struct version_iter *it, bool is_forward, uint64_t *rows_out)
{
    double start = now_ns();
    uint64_t rows = 0;
    uint64_t sum = 0;
    if (is_forward) {
        for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
            sum += it->at.value.size + *(const unsigned char *)it->at.key.data;
            rows++;
        }
    } else {
        for (version_iter_last(it); it->is_valid; version_iter_prev(it)) {
            sum += it->at.value.size;
            rows++;
        }
    }
    must(it->status, &it->error);
    *rows_out = rows;
    return (now_ns() - start) / (double)rows + (sum == 1 ? 1 : 0);
}

static void bench_walk(const char *what, struct table *const *tables, unsigned count,
                       const struct iter_view *view, bool is_forward)
{
    double best = 1e18;
    uint64_t rows = 0;
    for (unsigned round = 0; round < 5; round++) {
        struct version_iter *sources[TABLES_MAX];
        struct version_iter *it = NULL;
        struct yore_error error = {0};
        for (unsigned i = 0; i < count; i++) {
            must(table_iter_new(tables[i], view, &sources[i]), &error);
        }
        it = sources[0];
        if (count > 1) {
            must(merge_iter_new(sources, count, view->is_as_of, &it), &error);
        }
        double ns = time_walk(it, is_forward, &rows);
        best = ns < best ? ns : best;
        version_iter_free(it);
    }
    char note[64];
    snprintf(note, sizeof(note), "\"rows\":%" PRIu64, rows);
    report(what, best, note);
}

static void bench_present(struct bench *b, char (*keys)[17])
{
    struct set set;
    build(b, keys, 0, 1, 1, &set);
    struct iter_view now = {
        .is_as_of = true, .valid = INT64_MAX, .known = INT64_MAX, .commit_after = INT64_MIN};
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    bench_walk("scan_as_of_1_table", set.tables, 1, &now, true);
    time_gets(b, &set, keys, false, 2000);
    report("get_cached", time_gets(b, &set, keys, false, 2000), "");
    report("get_missing", time_gets(b, &set, keys, true, 2000), "");
    bench_walk("scan_all_1_table", set.tables, 1, &all, true);
    bench_walk("scan_as_of_1_table_backward", set.tables, 1, &now, false);
    close_set(&set);
}

static void bench_merge(struct bench *b, char (*keys)[17], unsigned count)
{
    struct set sets[8];
    struct table *tables[8];
    char what[40];
    uint32_t keys_before = b->keys;
    b->keys = b->keys > 400000 ? 400000 : b->keys;
    for (unsigned i = 0; i < count; i++) {
        build(b, keys, i, count, 1, &sets[i]);
        tables[i] = sets[i].tables[0];
    }
    struct iter_view now = {
        .is_as_of = true, .valid = INT64_MAX, .known = INT64_MAX, .commit_after = INT64_MIN};
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    snprintf(what, sizeof(what), "merge_as_of_%u_sources", count);
    bench_walk(what, tables, count, &now, true);
    snprintf(what, sizeof(what), "merge_all_%u_sources", count);
    bench_walk(what, tables, count, &all, true);
    for (unsigned i = 0; i < count; i++) {
        close_set(&sets[i]);
    }
    b->keys = keys_before;
}

static void bench_history(struct bench *b, char (*keys)[17])
{
    struct set set;
    uint32_t keys_before = b->keys;
    b->keys /= 100;
    build(b, keys, 0, 1, 100, &set);
    struct iter_view past = {.is_as_of = true,
                             .valid = 1700000000000000000 + 50 * (int64_t)1000000000,
                             .known = INT64_MAX,
                             .commit_after = INT64_MIN};
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    bench_walk("history_as_of_100_versions", set.tables, 1, &past, true);
    bench_walk("history_all_versions", set.tables, 1, &all, true);
    report("history_get", time_gets(b, &set, keys, false, 500), "");
    close_set(&set);
    b->keys = keys_before;
}

/* Everything read from the file (and the system's cache) each time. */
static void bench_uncached(struct bench *b, char (*keys)[17])
{
    struct set set;
    struct page_cache *cache = b->cache;
    struct table_pool *pool = b->pool;
    must(page_cache_new(1 << 20, 0, &b->cache), NULL);
    must(table_pool_new(b->env, b->cache, 100, &b->pool), NULL);
    build(b, keys, 0, 1, 1, &set);
    struct iter_view now = {
        .is_as_of = true, .valid = INT64_MAX, .known = INT64_MAX, .commit_after = INT64_MIN};
    report("get_uncached", time_gets(b, &set, keys, false, 100), "");
    bench_walk("scan_uncached", set.tables, 1, &now, true);
    now.no_cache_fill = true;
    bench_walk("scan_uncached_no_fill", set.tables, 1, &now, true);
    close_set(&set);
    table_pool_free(b->pool);
    page_cache_free(b->cache);
    b->cache = cache;
    b->pool = pool;
}

/* float64 samples, two decimals, every 10 s within 5 ms: octets a sample. */
static void bench_samples(struct bench *b)
{
    struct yore_error error = {0};
    char path[512];
    struct table_builder *builder =
        open_builder(b, YORE_COMPRESSION_ZSTD, PAGE_CLASS_PAST, path, sizeof(path));
    unsigned series = 20;
    unsigned samples = 20000;
    double start = now_ns();
    for (unsigned s = 0; s < series; s++) {
        char key[40];
        int size = snprintf(key, sizeof(key), "host-%03u/cpu/load", s);
        double value = 50;
        for (unsigned i = samples; i > 0; i--) {
            int64_t at = ((int64_t)1700000000000 + (int64_t)i * 10000 +
                          (int64_t)rand_below(&b->rand, 11) - 5) *
                         1000000;
            value += ((double)rand_below(&b->rand, 401) - 200) / 100;
            double rounded = (double)(int64_t)(value * 100) / 100;
            struct version v = {bytes_of(key, (size_t)size), at, at, YORE_FOREVER, YORE_KIND_PUT, 0,
                                bytes_of(&rounded, 8)};
            must(table_builder_add(builder, &v, &error), &error);
        }
    }
    unsigned count = series * samples;
    struct table *table = close_builder(b, builder, path);
    char note[64];
    snprintf(note, sizeof(note), "\"bytes_per_sample\":%.2f",
             (double)table_meta(table)->file_bytes / (double)count);
    report("build_sample", (now_ns() - start) / (double)count, note);
    struct iter_view all = {.known = INT64_MAX, .commit_after = INT64_MIN};
    bench_walk("scan_samples", &table, 1, &all, true);
    table_close(table);
}

static bool is_wanted(const char *part, const char *name)
{
    return part[0] == '\0' || strcmp(part, name) == 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/table-micro-XXXXXX";
    struct bench b = {.env = os_env_posix(), .keys = 1000000};
    if (argc > 1) {
        b.keys = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    b.dir = argc > 2 ? argv[2] : mkdtemp(dir);
    rand_init(&b.rand, 1);
    must(page_cache_new((uint64_t)2 << 30, 0, &b.cache), NULL);
    must(table_pool_new(b.env, b.cache, 100, &b.pool), NULL);
    char(*keys)[17] = make_keys(b.keys);
    const char *part = argc > 3 ? argv[3] : "";
    if (is_wanted(part, "present")) {
        bench_present(&b, keys);
    }
    if (is_wanted(part, "merge")) {
        bench_merge(&b, keys, 3);
        bench_merge(&b, keys, 8);
    }
    if (is_wanted(part, "history")) {
        bench_history(&b, keys);
    }
    if (is_wanted(part, "uncached")) {
        bench_uncached(&b, keys);
    }
    if (is_wanted(part, "samples")) {
        bench_samples(&b);
    }
    free(keys);
    table_pool_free(b.pool);
    page_cache_free(b.cache);
    if (argc <= 2) {
        remove(dir);
    }
    return 0;
}
