/* data.h -- generated data: random numbers, permutations, keys and values.
 *
 * A value names its key and version in its first 8 octets (the tag), so that every answer of an
 * engine can be checked without keeping a copy of the data.
 */
#ifndef YORE_DATA_H
#define YORE_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "kvp.h"

uint64_t data_mix(uint64_t x);

struct data_random {
    uint64_t state;
};
uint64_t data_random_below(struct data_random *random, uint64_t limit);

/* A keyed bijection on [0, count) and its inverse (Feistel network, cycle walking). */
struct data_permutation {
    uint64_t count;
    uint64_t seed;
    int half_bits;
};
void data_permutation_init(struct data_permutation *p, uint64_t count, uint64_t seed);
uint64_t data_permutation_forward(const struct data_permutation *p, uint64_t x);
uint64_t data_permutation_inverse(const struct data_permutation *p, uint64_t y);

/* 'k' and 15 decimal digits: octet order is number order. */
void data_key(char key_out[KVP_KEY_BYTES], uint64_t index);
uint64_t data_key_index(const char *key);

enum data_value_mode {
    DATA_VALUES_FRESH = 0,  /* half of the octets random per version, half constant */
    DATA_VALUES_SIMILAR = 1 /* random per key; a version changes 24 octets */
};
struct data_value {
    uint64_t index;
    uint64_t version;
    enum data_value_mode mode;
};
void data_value_fill(const struct data_value *value, char *out, size_t size);
uint64_t data_tag(uint64_t index, uint64_t version);
uint64_t data_tag_of(const char *value, size_t size);

static inline uint64_t data_get_be64(const char *p)
{
    uint64_t x = 0;
    for (int i = 0; i < 8; i++) {
        x = x << 8 | (unsigned char)p[i];
    }
    return x;
}

static inline void data_put_be64(char *p, uint64_t x)
{
    for (int i = 0; i < 8; i++) {
        p[i] = (char)(x >> (56 - 8 * i));
    }
}

#endif
