/* rounds.c -- see rounds.h. */
#include "rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kv_peers/file_tree.h"

#define QUIET_NS 100000000
#define QUIET_TIMES 10

void rounds_must(enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK) {
        fprintf(stderr, "%s: %s\n", yore_status_name(st), error->text);
        exit(1);
    }
}

void *rounds_need(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

uint64_t rounds_random(struct rounds *r) /* xorshift64 (Marsaglia 2003) */
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random;
}

uint64_t rounds_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- data ---- */

void rounds_key(char key_out[ROUNDS_KEY_BYTES], uint32_t index)
{
    char text[ROUNDS_KEY_BYTES + 1];
    (void)snprintf(text, sizeof text, "key%013" PRIu32, index);
    memcpy(key_out, text, ROUNDS_KEY_BYTES);
}

void rounds_value(struct rounds *r, char value_out[ROUNDS_VALUE_BYTES], uint32_t index,
                  uint32_t round)
{
    memset(value_out, 'v', ROUNDS_VALUE_BYTES);
    memcpy(value_out, &index, sizeof index);
    memcpy(value_out + sizeof index, &round, sizeof round);
    for (size_t at = 8; at + 8 <= ROUNDS_VALUE_BYTES / 2 + 8; at += 8) {
        uint64_t noise = rounds_random(r);
        memcpy(value_out + at, &noise, sizeof noise);
    }
}

bool rounds_is(const void *value, size_t size, uint32_t key, uint32_t round)
{
    uint32_t got[2];
    if (size != ROUNDS_VALUE_BYTES) {
        return false;
    }
    memcpy(got, value, sizeof got);
    return got[0] == key && got[1] == round;
}

void rounds_shuffle(struct rounds *r, uint32_t *order)
{
    for (uint32_t i = 0; i < r->keys; i++) {
        order[i] = i;
    }
    for (uint32_t i = r->keys - 1; i > 0; i--) {
        uint32_t other = (uint32_t)(rounds_random(r) % (i + 1));
        uint32_t swapped = order[i];
        order[i] = order[other];
        order[other] = swapped;
    }
}

static void write_batch(struct rounds *r, struct yore_batch *batch, const uint32_t *order,
                        uint32_t first)
{
    struct yore_error error;
    uint64_t step = (uint64_t)r->count * r->keys + first;
    yore_batch_clear(batch);
    for (uint32_t i = 0; i < ROUNDS_BATCH; i++) {
        char key[ROUNDS_KEY_BYTES];
        char value[ROUNDS_VALUE_BYTES];
        struct yore_write write = {.from = ROUNDS_BASE_NS + (int64_t)(step + i),
                                   .to = YORE_FOREVER};
        rounds_key(key, order[first + i]);
        rounds_value(r, value, order[first + i], r->count);
        rounds_must(yore_batch_put(batch, NULL, (struct yore_bytes){key, sizeof key},
                                   (struct yore_bytes){value, sizeof value},
                                   r->is_live ? NULL : &write, &error),
                    &error);
    }
    rounds_must(
        yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, &r->commits[step / ROUNDS_BATCH], &error),
        &error);
}

void rounds_write(struct rounds *r, uint32_t count)
{
    uint32_t end = r->count + count;
    struct yore_error error;
    struct yore_batch *batch = NULL;
    uint32_t *order = rounds_need(malloc(r->keys * sizeof *order));
    r->places = rounds_need(realloc(r->places, (size_t)end * r->keys * sizeof *r->places));
    r->commits =
        rounds_need(realloc(r->commits, (size_t)end * r->keys / ROUNDS_BATCH * sizeof *r->commits));
    rounds_must(yore_batch_new(r->db, &batch, &error), &error);
    for (; r->count < end; r->count++) {
        rounds_shuffle(r, order);
        for (uint32_t i = 0; i < r->keys; i++) {
            r->places[(size_t)r->count * r->keys + order[i]] = i;
        }
        for (uint32_t first = 0; first < r->keys; first += ROUNDS_BATCH) {
            write_batch(r, batch, order, first);
        }
    }
    yore_batch_free(batch);
    free(order);
}

int64_t rounds_moment(const struct rounds *r, uint64_t steps)
{
    return r->is_live ? r->commits[steps / ROUNDS_BATCH - 1] : ROUNDS_BASE_NS + (int64_t)steps - 1;
}

uint32_t rounds_at(const struct rounds *r, uint32_t key, uint64_t steps)
{
    if (steps == ROUNDS_NOW) {
        return r->count - 1;
    }
    uint32_t round = (uint32_t)(steps / r->keys);
    bool is_written =
        round < r->count && r->places[(size_t)round * r->keys + key] < (uint32_t)(steps % r->keys);
    return is_written ? round : round - 1;
}

/* ---- life ---- */

void rounds_open(struct rounds *r, const struct yore_options *options)
{
    struct yore_error error;
    r->random = 88172645463325252u;
    file_tree_remove(r->path);
    file_tree_make(r->path);
    rounds_must(yore_open(r->path, options, &r->db, &error), &error);
}

void rounds_close(struct rounds *r)
{
    struct yore_error error;
    rounds_must(yore_close(r->db, &error), &error);
    file_tree_remove(r->path);
    free(r->places);
    free(r->commits);
}

uint64_t rounds_scan(struct rounds *r, uint64_t steps,
                     uint32_t (*holds)(const void *arg, uint32_t key, uint64_t steps),
                     const void *arg)
{
    char low[ROUNDS_KEY_BYTES];
    char high[ROUNDS_KEY_BYTES];
    uint32_t first = (uint32_t)(rounds_random(r) % (r->keys - ROUNDS_SCAN_KEYS + 1));
    bool is_now = steps == ROUNDS_NOW;
    struct yore_time at = {is_now ? YORE_NOW : rounds_moment(r, steps), YORE_NOW};
    struct yore_cursor_options options = {
        .range = {.low = {low, sizeof low}, .high = {high, sizeof high}}, .at = &at};
    struct yore_cursor *cursor = NULL;
    struct yore_error error;
    uint32_t rows = 0;
    unsigned sum = 0;
    rounds_key(low, first);
    rounds_key(high, first + ROUNDS_SCAN_KEYS);
    uint64_t begin = rounds_now_ns();
    rounds_must(yore_cursor_open(r->db, NULL, &options, &cursor, &error), &error);
    while (yore_cursor_next(cursor) == YORE_OK) {
        const struct yore_row *row = yore_cursor_row(cursor);
        const unsigned char *value = row->value.data;
        uint32_t key = first + rows;
        sum += value[0] + (unsigned)value[ROUNDS_VALUE_BYTES - 1];
        if (holds != NULL && !rounds_is(value, row->value.size, key, holds(arg, key, steps))) {
            fprintf(stderr, "key %u is wrong after %" PRIu64 " steps\n", key, steps);
            exit(1);
        }
        rows++;
    }
    yore_cursor_close(cursor);
    uint64_t took = rounds_now_ns() - begin;
    if (rows != ROUNDS_SCAN_KEYS || sum == 0) {
        fprintf(stderr, "%u rows, not %d\n", rows, ROUNDS_SCAN_KEYS);
        exit(1);
    }
    return took;
}

struct wanted {
    const char *name;
    uint64_t value;
};

static void find_stat(void *arg, const struct yore_stat *stat)
{
    struct wanted *wanted = arg;
    if (strcmp(stat->name, wanted->name) == 0) {
        wanted->value = stat->value;
    }
}

uint64_t rounds_stat(struct rounds *r, const char *name)
{
    struct wanted wanted = {name, 0};
    yore_stats(r->db, find_stat, &wanted);
    return wanted.value;
}

void rounds_settle(struct rounds *r)
{
    struct yore_error error;
    uint64_t before = UINT64_MAX;
    rounds_must(yore_flush(r->db, &error), &error);
    for (int quiet = 0; quiet < QUIET_TIMES; quiet++) {
        struct timespec pause = {0, QUIET_NS};
        nanosleep(&pause, NULL);
        uint64_t now = rounds_stat(r, "flush_bytes") + rounds_stat(r, "merge_write_bytes") +
                       rounds_stat(r, "history_write_bytes");
        /* What a job has written is counted at its end, which a busy machine puts off. */
        quiet = now == before && rounds_stat(r, "jobs_running") == 0 ? quiet : 0;
        before = now;
    }
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

double rounds_median(uint64_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, by_number);
    return (double)numbers[count / 2];
}
