/* rounds.h -- a history whose every answer is known, for benches.
 *
 * Keys of 16 octets with values of 100, half of them random.  A round writes every key once, in an
 * order of its own, in batches of ROUNDS_BATCH; what holds after each batch is known.  Facts are
 * dated by the writer (ROUNDS_BASE_NS and so many nanoseconds), or by the clock at commit.  One
 * *step* is one fact. */
#ifndef YORE_BENCH_ROUNDS_H
#define YORE_BENCH_ROUNDS_H

#include <stdint.h>

#include <yore/yore.h>

#define ROUNDS_KEY_BYTES 16
#define ROUNDS_VALUE_BYTES 100
#define ROUNDS_BATCH 100
#define ROUNDS_BASE_NS INT64_C(1577836800000000000) /* 2020-01-01 */

struct rounds {
    struct yore_db *db;
    char path[4096];
    uint32_t keys; /* a multiple of ROUNDS_BATCH */
    bool is_live;  /* dated by the clock */
    uint32_t count;
    uint32_t *places; /* [round][key]: where in its round the key was written */
    int64_t *commits; /* of each batch */
    uint64_t random;
};

/* Each of these ends the program, with a message, when it fails. */
void rounds_must(enum yore_status st, const struct yore_error *error);
void *rounds_need(void *memory);
/* A new database in `r->path`; keys, is_live and path are set. */
void rounds_open(struct rounds *r, const struct yore_options *options);
void rounds_close(struct rounds *r); /* and remove it */
void rounds_write(struct rounds *r, uint32_t count);
/* Flush, and wait until background work has been idle for a while. */
void rounds_settle(struct rounds *r);

uint64_t rounds_random(struct rounds *r);
/* All keys, in an order of its own. */
void rounds_shuffle(struct rounds *r, uint32_t *order);
uint64_t rounds_now_ns(void);
void rounds_key(char key_out[ROUNDS_KEY_BYTES], uint32_t index);
void rounds_value(struct rounds *r, char value_out[ROUNDS_VALUE_BYTES], uint32_t index,
                  uint32_t round);
/* The moment after so many steps, a multiple of ROUNDS_BATCH. */
int64_t rounds_moment(const struct rounds *r, uint64_t steps);
/* The round whose version of a key holds after so many steps. */
uint32_t rounds_at(const struct rounds *r, uint32_t key, uint64_t steps);
/* Is the value that of a key's version? */
bool rounds_is(const void *value, size_t size, uint32_t key, uint32_t round);
/* Nanoseconds of reading ROUNDS_SCAN_KEYS keys in a row, of a random place, as of the moment after
 * so many steps, or now (ROUNDS_NOW).  With `holds` (else NULL) every value is compared with that
 * of the round it tells, as rounds_at() does. */
#define ROUNDS_SCAN_KEYS 1000
#define ROUNDS_NOW UINT64_MAX
uint64_t rounds_scan(struct rounds *r, uint64_t steps,
                     uint32_t (*holds)(const void *arg, uint32_t key, uint64_t steps),
                     const void *arg);
/* One statistic of the database by name. */
uint64_t rounds_stat(struct rounds *r, const char *name);
/* The middle of them; sorts. */
double rounds_median(uint64_t *numbers, size_t count);

#endif
