/* memtable_micro.c -- what one insertion, one read and one step of a walk cost in a memtable alone.
 *
 *     memtable_micro [entries] [value bytes]
 *
 * One line of JSON for each question.  Keys are 16 octets: random ones, and decimal counters behind
 * a short word. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rand.h"
#include "engine/memtable.h"

enum { KEY_BYTES = 16, VALUE_BYTES_MAX = 4096, KEYSPACE = 1, FULL_BYTES = 64 << 20 };

struct run {
    const char *name;
    uint64_t entries;
    size_t value_bytes;
    bool is_random;   /* the order of insertion */
    bool is_text;     /* "user" and a number instead of random octets */
    bool is_reserved; /* ahead of every insertion, as commits do */
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A one-to-one map of 64-bit numbers: random keys that can be made again. */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static struct yore_bytes make_key(const struct run *run, uint64_t i, char octets[KEY_BYTES + 1])
{
    if (run->is_text) {
        uint64_t number = run->is_random ? scramble(i) % 1000000000000U : i;
        memcpy(octets, "user", 4);
        for (int at = KEY_BYTES - 1; at >= 4; at--) {
            octets[at] = (char)('0' + number % 10);
            number /= 10;
        }
        return bytes_of(octets, KEY_BYTES);
    }
    uint64_t number = run->is_random ? scramble(i) : i;
    for (int at = 0; at < 8; at++) {
        octets[at] = (char)(number >> (8 * (7 - at)));
        octets[at + 8] = (char)(i >> (8 * (7 - at)));
    }
    return bytes_of(octets, KEY_BYTES);
}

static void report(const struct run *run, const char *what, uint64_t count, double seconds)
{
    printf("{\"bench\":\"memtable_micro\",\"load\":\"%s\",\"what\":\"%s\",\"count\":%" PRIu64
           ",\"ns_per_op\":%.1f}\n",
           run->name, what, count, seconds * 1e9 / (double)count);
    fflush(stdout);
}

static void give_up(const char *what)
{
    fprintf(stderr, "memtable_micro: %s\n", what);
    exit(1);
}

static void fill(const struct run *run, struct memtable *m)
{
    char octets[KEY_BYTES + 1];
    static char value[VALUE_BYTES_MAX];
    double start = seconds_now();
    for (uint64_t i = 0; i < run->entries; i++) {
        struct version v = {.key = make_key(run, i, octets),
                            .valid_from = (int64_t)i + 1,
                            .commit = (int64_t)i + 1,
                            .valid_to = YORE_FOREVER,
                            .kind = YORE_KIND_PUT,
                            .value = bytes_of(value, run->value_bytes)};
        if ((run->is_reserved && memtable_reserve(m, KEY_BYTES + run->value_bytes, 1) != YORE_OK) ||
            memtable_add(m, KEYSPACE, &v) != YORE_OK) {
            give_up("out of memory");
        }
    }
    report(run, "add", run->entries, seconds_now() - start);
}

static void read_all(const struct run *run, const struct memtable *m)
{
    char octets[KEY_BYTES + 1];
    struct rand_state rand;
    rand_init(&rand, 1);
    uint64_t found = 0;
    double start = seconds_now();
    for (uint64_t i = 0; i < run->entries; i++) {
        struct version got;
        struct yore_bytes key = make_key(run, rand_below(&rand, run->entries), octets);
        found += memtable_get(m, KEYSPACE, key, INT64_MAX, INT64_MAX, &got);
    }
    double seconds = seconds_now() - start;
    if (found != run->entries) {
        give_up("a key is missing");
    }
    report(run, "get", found, seconds);
}

static void read_missing(const struct run *run, const struct memtable *m)
{
    char octets[KEY_BYTES + 1];
    uint64_t found = 0;
    double start = seconds_now();
    for (uint64_t i = 0; i < run->entries; i++) {
        struct version got;
        struct yore_bytes key = make_key(run, i + run->entries, octets);
        found += memtable_get(m, KEYSPACE, key, INT64_MAX, INT64_MAX, &got);
    }
    report(run, "get_missing", run->entries, seconds_now() - start);
    if (found > run->entries / 1000) {
        give_up("a key is there that was never put");
    }
}

static void walk(const struct run *run, struct memtable *m, bool is_as_of, bool is_back)
{
    struct iter_view view = {.is_as_of = is_as_of, .valid = INT64_MAX, .known = INT64_MAX};
    struct version_iter *it;
    if (memtable_iter_new(m, KEYSPACE, &view, &it) != YORE_OK) {
        give_up("out of memory");
    }
    uint64_t count = 0;
    double start = seconds_now();
    if (is_back) {
        for (version_iter_last(it); it->is_valid; version_iter_prev(it)) {
            count++;
        }
    } else {
        for (version_iter_first(it); it->is_valid; version_iter_next(it)) {
            count++;
        }
    }
    double seconds = seconds_now() - start;
    version_iter_free(it);
    if (count == 0) {
        give_up("nothing to walk over");
    }
    report(run, is_as_of ? (is_back ? "as_of_prev" : "as_of_next") : (is_back ? "prev" : "next"),
           count, seconds);
}

static void run_one(const struct run *run)
{
    struct memtable *m;
    if (memtable_new(FULL_BYTES, &m) != YORE_OK) {
        give_up("out of memory");
    }
    fill(run, m);
    read_all(run, m);
    read_missing(run, m);
    walk(run, m, false, false);
    walk(run, m, false, true);
    walk(run, m, true, false);
    walk(run, m, true, true);
    struct memtable_bounds bounds;
    memtable_bounds(m, &bounds);
    printf("{\"bench\":\"memtable_micro\",\"load\":\"%s\",\"what\":\"bytes_per_entry\","
           "\"user\":%.1f,\"arena\":%.1f}\n",
           run->name, (double)bounds.user_bytes / (double)bounds.count,
           (double)bounds.bytes / (double)bounds.count);
    memtable_unref(m);
}

int main(int argc, char **argv)
{
    uint64_t entries = argc > 1 ? strtoull(argv[1], NULL, 10) : 1600000;
    size_t value_bytes = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
    if (entries == 0 || value_bytes > VALUE_BYTES_MAX) {
        give_up("entries >= 1, value bytes <= 4096");
    }
    const struct run runs[] = {
        {.name = "random", .is_random = true},
        {.name = "random_reserved", .is_random = true, .is_reserved = true},
        {.name = "ascending"},
        {.name = "random_text", .is_random = true, .is_text = true},
        {.name = "ascending_text", .is_text = true},
    };
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct run run = runs[i];
        run.entries = entries;
        run.value_bytes = value_bytes;
        run_one(&run);
    }
    return 0;
}
