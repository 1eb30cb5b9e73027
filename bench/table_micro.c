/* table_micro.c -- what building, finding and walking cost in tables alone.
 *
 *     table_micro DIR [keys] [versions per key] [value bytes] [compression 1 none, 2 LZ4, 3 Zstandard]
 *
 * One line of JSON for each question.  Keys are 16 octets ('k' and digits, even numbers present);
 * half of a value's octets are random.  Everything is warm: the cache holds all pages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "table/merge_iter.h"
#include "table/table.h"

enum { KEY_BYTES = 16, VALUE_BYTES_MAX = 4096, SCAN_ROWS = 100, MERGED = 3 };

struct bench {
    struct page_cache *cache;
    struct table_pool *pool;
    struct table *tables[MERGED];
    uint64_t keys;
    uint64_t versions; /* of each key; version v is valid from v + 1 */
    size_t value_bytes;
    enum yore_compression compression;
    const char *dir;
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t scramble(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void check(enum yore_status status, const struct yore_error *error, const char *what)
{
    if (status != YORE_OK) {
        fprintf(stderr, "table_micro: %s: %s\n", what, error->text);
        exit(1);
    }
}

static struct yore_bytes make_key(uint64_t number, char octets[KEY_BYTES])
{
    octets[0] = 'k';
    for (int at = KEY_BYTES - 1; at >= 1; at--) {
        octets[at] = (char)('0' + number % 10);
        number /= 10;
    }
    return (struct yore_bytes){octets, KEY_BYTES};
}

static void make_value(uint64_t seed, char *octets, size_t size)
{
    for (size_t at = 0; at + 8 <= size / 2; at += 8) {
        uint64_t word = scramble(seed + at);
        memcpy(octets + at, &word, 8);
    }
    memset(octets + size / 2, 'v', size - size / 2);
}

static void report(const char *name, double seconds, uint64_t count)
{
    printf("{\"question\":\"%s\",\"count\":%" PRIu64 ",\"ns_each\":%.1f,\"per_s\":%.0f}\n", name,
           count, seconds * 1e9 / (double)count, (double)count / seconds);
    fflush(stdout);
}

/* Table `which` of `step`: the keys which, which + step, ... of the present ones. */
static struct table *build(struct bench *b, uint64_t which, uint64_t step, const char *name)
{
    char path[512];
    char key[KEY_BYTES];
    char value[VALUE_BYTES_MAX];
    struct yore_error error;
    struct table_builder *builder;
    struct table *table;
    struct table_meta meta;
    struct table_options options = {.identity = {7, which + step * 100},
                                    .page_bytes = 16384,
                                    .compression = b->compression,
                                    .class_hint = PAGE_CLASS_PRESENT};
    snprintf(path, sizeof path, "%s/table_micro.%d.%d", b->dir, (int)which, (int)step);
    remove(path);
    double start = seconds_now();
    check(table_builder_open(os_env_posix(), path, &options, &builder, &error), &error, "open");
    for (uint64_t i = which; i < b->keys; i += step) {
        struct version v = {.key = make_key(2 * i, key), .kind = YORE_KIND_PUT};
        for (uint64_t left = b->versions; left-- > 0;) {
            make_value(scramble(i * 1000 + left), value, b->value_bytes);
            v.value = (struct yore_bytes){value, b->value_bytes};
            v.valid_from = v.commit = (int64_t)left + 1;
            v.valid_to = YORE_FOREVER;
            check(table_builder_add(builder, &v, &error), &error, "add");
        }
    }
    check(table_builder_finish(builder, &meta, &error), &error, "finish");
    if (name != NULL) {
        report(name, seconds_now() - start, meta.version_count);
        printf("{\"question\":\"bytes\",\"file\":%" PRIu64 ",\"per_version\":%.1f}\n",
               meta.file_bytes, (double)meta.file_bytes / (double)meta.version_count);
    }
    check(table_open(b->pool, path, options.identity, &meta, &table), &error, "open to read");
    table_mark_dead(table);
    table_meta_release(&meta);
    return table;
}

static void gets(struct bench *b, const char *name, int is_missing, int64_t valid)
{
    char key[KEY_BYTES];
    struct yore_error error;
    uint64_t count = 1000000;
    uint64_t found = 0;
    double start = seconds_now();
    for (uint64_t i = 0; i < count; i++) {
        struct version v;
        struct table_pin pin = {NULL};
        uint64_t number = 2 * (scramble(i) % b->keys) + (uint64_t)is_missing;
        enum yore_status st = table_get(b->tables[0], make_key(number, key), valid, INT64_MAX, &v,
                                        &pin, &error);
        found += st == YORE_OK;
        table_pin_release(&pin);
    }
    report(name, seconds_now() - start, count);
    if (found != (is_missing ? 0 : count)) {
        printf("{\"wrong\":\"%s\",\"found\":%" PRIu64 "}\n", name, found);
    }
}

static struct version_iter *open_iter(struct bench *b, const struct iter_view *view, int is_merged)
{
    struct version_iter *sources[MERGED];
    struct version_iter *it;
    struct yore_error error = {.text = ""};
    if (!is_merged) {
        check(table_iter_new(b->tables[0], view, &it), &error, "iterator");
        return it;
    }
    for (int i = 0; i < MERGED; i++) {
        check(table_iter_new(b->tables[i], view, &sources[i]), &error, "iterator");
    }
    check(merge_iter_new(sources, MERGED, view->is_as_of, &it), &error, "merge");
    return it;
}

static void full_walk(struct bench *b, const char *name, const struct iter_view *view,
                      int is_merged)
{
    uint64_t sum = 0;
    uint64_t rows = 0;
    double start = seconds_now();
    struct version_iter *it = open_iter(b, view, is_merged);
    for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
        sum += ((const unsigned char *)it->at.value.data)[it->at.value.size - 1];
        rows++;
    }
    version_iter_free(it);
    report(name, seconds_now() - start, rows + (sum == 1));
}

static void short_walks(struct bench *b, const char *name, const struct iter_view *view,
                        int is_merged)
{
    char key[KEY_BYTES];
    uint64_t sum = 0;
    uint64_t count = 20000;
    double start = seconds_now();
    for (uint64_t i = 0; i < count; i++) {
        struct version_place place = {make_key(2 * (scramble(i) % b->keys), key), INT64_MAX,
                                      INT64_MAX};
        struct version_iter *it = open_iter(b, view, is_merged);
        version_iter_seek(it, &place);
        for (int row = 0; row < SCAN_ROWS && it->is_valid; row++) {
            sum += ((const unsigned char *)it->at.value.data)[it->at.value.size - 1];
            version_iter_next(it);
        }
        version_iter_free(it);
    }
    report(name, seconds_now() - start, count + (sum == 1));
}

static void ask(struct bench *b)
{
    int64_t middle = (int64_t)(b->versions / 2) + 1;
    struct iter_view every = {.valid = INT64_MAX, .known = INT64_MAX, .commit_after = INT64_MIN};
    struct iter_view now = every;
    struct iter_view then = every;
    now.is_as_of = true;
    then.is_as_of = true;
    then.valid = middle;
    b->tables[0] = build(b, 0, 1, "build");
    full_walk(b, "walk every version, cold", &every, 0);
    full_walk(b, "walk every version", &every, 0);
    full_walk(b, "walk as of now", &now, 0);
    full_walk(b, "walk as of the middle", &then, 0);
    gets(b, "get now", 0, INT64_MAX);
    gets(b, "get as of the middle", 0, middle);
    gets(b, "get missing", 1, INT64_MAX);
    short_walks(b, "100 rows now", &now, 0);
    short_walks(b, "100 rows as of the middle", &then, 0);
    table_close(b->tables[0]);
    for (uint64_t i = 0; i < MERGED; i++) {
        b->tables[i] = build(b, i, MERGED, NULL);
    }
    full_walk(b, "walk now, merge of 3, cold", &now, 1);
    full_walk(b, "walk now, merge of 3", &now, 1);
    full_walk(b, "walk every version, merge of 3", &every, 1);
    short_walks(b, "100 rows now, merge of 3", &now, 1);
    for (int i = 0; i < MERGED; i++) {
        table_close(b->tables[i]);
    }
}

int main(int argc, char **argv)
{
    struct yore_error error = {.text = ""};
    struct bench b = {
        .dir = argc > 1 ? argv[1] : "/tmp",
        .keys = argc > 2 ? strtoull(argv[2], NULL, 10) : 500000,
        .versions = argc > 3 ? strtoull(argv[3], NULL, 10) : 1,
        .value_bytes = argc > 4 ? strtoull(argv[4], NULL, 10) : 100,
        .compression = argc > 5 ? (enum yore_compression)strtol(argv[5], NULL, 10)
                                : YORE_COMPRESSION_LZ4,
    };
    if (b.keys == 0 || b.versions == 0 || b.value_bytes == 0 || b.value_bytes > VALUE_BYTES_MAX) {
        fprintf(stderr, "table_micro DIR [keys] [versions per key] [value bytes] [compression]\n");
        return 2;
    }
    check(page_cache_new((uint64_t)2 << 30, &b.cache), &error, "cache");
    check(table_pool_new(os_env_posix(), b.cache, 64, &b.pool), &error, "pool");
    ask(&b);
    table_pool_free(b.pool);
    page_cache_free(b.cache);
    return 0;
}
