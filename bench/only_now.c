/* only_now.c -- what a keyspace that keeps only now costs beside one that keeps everything.
 *
 *   only_now [KEYS [ROUNDS [DIR]]]
 *
 * Two databases of the same data (100,000 keys as in rounds.h), in one process.  Each piece of work
 * is done by one and right after by the other, who is first by turns: a spell of noise on the
 * machine falls on both.  Writes begin with new databases in each round (31) and end flushed; what
 * counts is the processor time of all threads, since the clock tells more of the disk.  Reads and
 * durable puts are blocks by the clock, 40 of each side a round, of databases that are opened anew
 * (where their memory lies makes a difference of its own), with a cache for all of the data or for
 * half. The figure of a round is the median of its blocks, that of a row the median of the rounds.
 *
 * JSON lines, one a row: `ratio` is the time of the one that keeps everything over that of the one
 * that keeps only now, so that 0.95 is 5 % slower; `low` and `high` are its quartiles; nanoseconds
 * an operation of each.  Every value read is compared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kv_peers/file_tree.h"
#include "rounds.h"

#define ROUNDS_MAX 999
#define PAIRS 40
#define BATCH 1000
#define SCAN_ROWS 100
#define KEYS_MIN 20000 /* half of the data is not less than the smallest cache */
#define DURABLE_PUTS 10
#define RANDOM_BEGIN 88172645463325252u
#define BIG_CACHE ((size_t)1 << 30)
#define MEMTABLES 4 /* of the data: flushes and merges take part */

enum { KEEPS_ALL, KEEPS_NOW, SIDES };

enum row {
    ROW_LOAD,
    ROW_BATCH,
    ROW_PUT,
    ROW_OVERWRITE,
    ROW_PUT_DURABLE,
    ROW_GET,
    ROW_MISSING,
    ROW_SCAN100,
    ROW_SCAN_ALL,
    ROW_GET_SMALL,
    ROW_MISSING_SMALL,
    ROW_SCAN100_SMALL,
    ROWS
};

static const char *const row_names[ROWS] = {
    "load",    "batch",   "put",      "overwrite", "put_durable",   "get",
    "missing", "scan100", "scan_all", "get_small", "missing_small", "scan100_small"};

struct side {
    struct rounds r; /* its database and its random numbers */
    struct yore_keyspace *keyspace;
};

struct bench {
    struct side sides[SIDES];
    uint32_t keys;
    uint32_t *order; /* keys as they are written */
    uint32_t round;
    uint64_t times[ROWS][SIDES]
                  [ROUNDS_MAX]; /* picoseconds an operation: of the processors, or by the clock */
};

static size_t data_bytes(const struct bench *b)
{
    return (size_t)b->keys * (ROUNDS_KEY_BYTES + ROUNDS_VALUE_BYTES);
}

/* ---- opening ---- */

static void open_side(struct bench *b, int which, size_t cache)
{
    struct side *s = &b->sides[which];
    struct yore_keyspace_options keep = {.keep =
                                             which == KEEPS_NOW ? YORE_KEEP_NOW : YORE_KEEP_ALL};
    struct yore_options options;
    struct yore_error error;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    options.cache_bytes = cache;
    options.memtable_bytes = data_bytes(b) / MEMTABLES;
    file_tree_make(s->r.path);
    rounds_must(yore_open(s->r.path, &options, &s->r.db, &error), &error);
    enum yore_status st = yore_keyspace_create(s->r.db, "rows", &keep, &s->keyspace, &error);
    if (st == YORE_EXISTS) {
        st = yore_keyspace_open(s->r.db, "rows", NULL, &s->keyspace, &error);
    }
    rounds_must(st, &error);
}

static void close_side(struct side *s)
{
    struct yore_error error;
    rounds_must(yore_close(s->r.db, &error), &error);
}

static void open_new(struct bench *b, int which)
{
    file_tree_remove(b->sides[which].r.path);
    b->sides[which].r.random = RANDOM_BEGIN + b->round;
    open_side(b, which, BIG_CACHE);
}

/* The side that is first, then the other. */
static int turn(const struct bench *b, int i)
{
    return (int)((b->round + (unsigned)i) % SIDES);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- writes ---- */

struct pair {
    char key[ROUNDS_KEY_BYTES];
    char value[ROUNDS_VALUE_BYTES];
};

/* Keys are even, those missing odd. */
static void make_pair(struct side *s, struct pair *pair, uint32_t index)
{
    rounds_key(pair->key, 2 * index);
    rounds_value(&s->r, pair->value, index, 0);
}

static struct yore_bytes key_of(const struct pair *pair)
{
    return (struct yore_bytes){pair->key, sizeof pair->key};
}

static struct yore_bytes value_of(const struct pair *pair)
{
    return (struct yore_bytes){pair->value, sizeof pair->value};
}

static void put_all(struct bench *b, struct side *s)
{
    struct yore_error error;
    struct pair pair;
    for (uint32_t i = 0; i < b->keys; i++) {
        make_pair(s, &pair, b->order[i]);
        rounds_must(yore_put(s->r.db, s->keyspace, key_of(&pair), value_of(&pair), NULL, &error),
                    &error);
    }
}

static void batch_all(struct bench *b, struct side *s)
{
    struct yore_error error;
    struct yore_batch *batch = NULL;
    struct pair pair;
    rounds_must(yore_batch_new(s->r.db, &batch, &error), &error);
    for (uint32_t i = 0; i < b->keys; i++) {
        make_pair(s, &pair, b->order[i]);
        rounds_must(
            yore_batch_put(batch, s->keyspace, key_of(&pair), value_of(&pair), NULL, &error),
            &error);
        if ((i + 1) % BATCH == 0 || i + 1 == b->keys) {
            rounds_must(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, &error), &error);
        }
    }
    yore_batch_free(batch);
}

static void load_all(struct bench *b, struct side *s)
{
    struct yore_error error;
    struct yore_load *load = NULL;
    struct pair pair;
    rounds_must(yore_load_open(s->r.db, s->keyspace, &load, &error), &error);
    for (uint32_t i = 0; i < b->keys; i++) {
        make_pair(s, &pair, i);
        rounds_must(yore_load_put(load, key_of(&pair), value_of(&pair), &error), &error);
    }
    rounds_must(yore_load_commit(load, NULL, &error), &error);
}

static void time_writes(struct bench *b, int which, enum row row,
                        void (*write)(struct bench *b, struct side *s))
{
    struct side *s = &b->sides[which];
    struct yore_error error;
    uint64_t begin = cpu_ns();
    write(b, s);
    rounds_must(yore_flush(s->r.db, &error), &error);
    b->times[row][which][b->round] = (cpu_ns() - begin) * 1000 / b->keys;
}

static void ask_writes(struct bench *b)
{
    struct yore_error error;
    for (int i = 0; i < SIDES; i++) {
        open_new(b, turn(b, i));
        time_writes(b, turn(b, i), ROW_LOAD, load_all);
        close_side(&b->sides[turn(b, i)]);
    }
    for (int i = 0; i < SIDES; i++) {
        open_new(b, turn(b, i));
        time_writes(b, turn(b, i), ROW_PUT, put_all);
        time_writes(b, turn(b, i), ROW_OVERWRITE, put_all);
        close_side(&b->sides[turn(b, i)]);
    }
    for (int i = 0; i < SIDES; i++) { /* this one is read */
        open_new(b, turn(b, i));
        time_writes(b, turn(b, i), ROW_BATCH, batch_all);
        struct side *s = &b->sides[turn(b, i)];
        rounds_must(yore_compact(s->r.db, s->keyspace, &error), &error);
        close_side(s);
    }
}

/* ---- blocks ---- */

typedef uint32_t block_fn(struct bench *b, struct side *s); /* returns operations */

static void wrong(const char *what)
{
    fprintf(stderr, "only_now: %s\n", what);
    exit(1);
}

static uint32_t get_some(struct bench *b, struct side *s)
{
    struct yore_error error;
    struct yore_value value;
    struct pair pair;
    for (int i = 0; i < BATCH; i++) {
        uint32_t index = (uint32_t)(rounds_random(&s->r) % b->keys);
        rounds_key(pair.key, 2 * index);
        rounds_must(yore_get(s->r.db, s->keyspace, key_of(&pair), NULL, &value, &error), &error);
        if (!rounds_is(value.data, value.size, index, 0)) {
            wrong("another value");
        }
        yore_value_release(&value);
    }
    return BATCH;
}

static uint32_t miss_some(struct bench *b, struct side *s)
{
    struct yore_error error;
    struct yore_value value;
    struct pair pair;
    for (int i = 0; i < BATCH; i++) {
        rounds_key(pair.key, 2 * (uint32_t)(rounds_random(&s->r) % b->keys) + 1);
        if (yore_get(s->r.db, s->keyspace, key_of(&pair), NULL, &value, &error) != YORE_NOT_FOUND) {
            wrong("a key that is not there");
        }
    }
    return BATCH;
}

static void scan(struct side *s, uint32_t first, uint32_t rows)
{
    struct yore_error error;
    struct yore_cursor *cursor = NULL;
    struct pair pair;
    rounds_key(pair.key, 2 * first);
    rounds_must(yore_cursor_open(s->r.db, s->keyspace, NULL, &cursor, &error), &error);
    enum yore_status st = yore_cursor_seek(cursor, key_of(&pair));
    for (uint32_t i = 0; i < rows; i++) {
        if (st != YORE_OK ||
            !rounds_is(yore_cursor_row(cursor)->value.data, ROUNDS_VALUE_BYTES, first + i, 0)) {
            wrong("another row");
        }
        st = yore_cursor_next(cursor);
    }
    yore_cursor_close(cursor);
}

static uint32_t scan_some(struct bench *b, struct side *s)
{
    for (int i = 0; i < BATCH / SCAN_ROWS; i++) {
        scan(s, (uint32_t)(rounds_random(&s->r) % (b->keys - SCAN_ROWS)), SCAN_ROWS);
    }
    return BATCH / SCAN_ROWS;
}

static uint32_t scan_all(struct bench *b, struct side *s)
{
    scan(s, 0, b->keys);
    return b->keys;
}

static uint32_t put_durably(struct bench *b, struct side *s)
{
    const struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_SYNC};
    struct yore_error error;
    struct pair pair;
    for (int i = 0; i < DURABLE_PUTS; i++) {
        make_pair(s, &pair, (uint32_t)(rounds_random(&s->r) % b->keys));
        rounds_must(yore_put(s->r.db, s->keyspace, key_of(&pair), value_of(&pair), &write, &error),
                    &error);
    }
    return DURABLE_PUTS;
}

static void ask_blocks(struct bench *b, enum row row, block_fn *block)
{
    uint64_t times[SIDES][PAIRS];
    for (int pair = 0; pair < PAIRS; pair++) {
        for (int i = 0; i < SIDES; i++) {
            int which = (turn(b, i) + pair) % SIDES;
            uint64_t begin = rounds_now_ns();
            uint32_t count = block(b, &b->sides[which]);
            times[which][pair] = (rounds_now_ns() - begin) * 1000 / count;
        }
    }
    for (int which = 0; which < SIDES; which++) {
        b->times[row][which][b->round] = (uint64_t)rounds_median(times[which], PAIRS);
    }
}

static void ask_reads(struct bench *b, size_t cache, enum row get, enum row missing,
                      enum row scan100)
{
    for (int i = 0; i < SIDES; i++) {
        open_side(b, turn(b, i), cache);
        (void)scan_all(b, &b->sides[turn(b, i)]); /* warm */
    }
    ask_blocks(b, get, get_some);
    ask_blocks(b, missing, miss_some);
    ask_blocks(b, scan100, scan_some);
    if (cache == BIG_CACHE) {
        ask_blocks(b, ROW_SCAN_ALL, scan_all);
        ask_blocks(b, ROW_PUT_DURABLE, put_durably); /* the same values once more */
    }
    for (int i = 0; i < SIDES; i++) {
        close_side(&b->sides[turn(b, i)]);
    }
}

/* ---- the account ---- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_row(struct bench *b, enum row row)
{
    double ratios[ROUNDS_MAX];
    for (uint32_t i = 0; i < b->round; i++) {
        ratios[i] = (double)b->times[row][KEEPS_ALL][i] / (double)b->times[row][KEEPS_NOW][i];
    }
    qsort(ratios, b->round, sizeof *ratios, by_number);
    printf("{\"question\":\"only now\",\"row\":\"%s\",\"rounds\":%" PRIu32
           ",\"ratio\":%.3f,\"low\":%.3f,\"high\":%.3f,\"all_ns\":%.1f,\"now_ns\":%.1f}\n",
           row_names[row], b->round, ratios[b->round / 2], ratios[b->round / 4],
           ratios[b->round * 3 / 4], rounds_median(b->times[row][KEEPS_ALL], b->round) / 1e3,
           rounds_median(b->times[row][KEEPS_NOW], b->round) / 1e3);
}

static void begin(struct bench *b, uint32_t keys, const char *dir)
{
    static const char *const names[SIDES] = {"all", "now"};
    b->keys = keys;
    b->order = rounds_need(malloc(keys * sizeof *b->order));
    for (int which = 0; which < SIDES; which++) {
        (void)snprintf(b->sides[which].r.path, sizeof b->sides[which].r.path, "%s/only_now.%ld.%s",
                       dir, (long)getpid(), names[which]);
    }
    struct rounds *r = &b->sides[KEEPS_ALL].r;
    r->keys = keys;
    r->random = RANDOM_BEGIN;
    rounds_shuffle(r, b->order);
}

int main(int argc, char **argv)
{
    struct bench *b = rounds_need(calloc(1, sizeof *b));
    uint32_t keys = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    uint32_t rounds = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 31;
    if (keys < KEYS_MIN || rounds == 0 || rounds > ROUNDS_MAX) {
        wrong("KEYS from 20,000, ROUNDS up to 999");
    }
    begin(b, keys, argc > 3 ? argv[3] : "/tmp");
    for (; b->round < rounds; b->round++) {
        ask_writes(b);
        ask_reads(b, data_bytes(b) / 2, ROW_GET_SMALL, ROW_MISSING_SMALL, ROW_SCAN100_SMALL);
        ask_reads(b, BIG_CACHE, ROW_GET, ROW_MISSING, ROW_SCAN100);
    }
    for (enum row row = 0; row < ROWS; row++) {
        print_row(b, row);
    }
    for (int which = 0; which < SIDES; which++) {
        file_tree_remove(b->sides[which].r.path);
    }
    free(b->order);
    free(b);
    return 0;
}
