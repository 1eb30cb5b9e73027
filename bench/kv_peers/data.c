#include "data.h"

#include <string.h>

uint64_t data_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}

uint64_t data_random_below(struct data_random *random, uint64_t limit)
{
    random->state += 0x9e3779b97f4a7c15u;
    return (uint64_t)(((unsigned __int128)data_mix(random->state) * limit) >> 64);
}

void data_permutation_init(struct data_permutation *p, uint64_t count, uint64_t seed)
{
    int bits = 2;
    while (bits < 62 && (UINT64_C(1) << bits) < count) {
        bits += 2;
    }
    p->count = count;
    p->seed = seed;
    p->half_bits = bits / 2;
}

static uint64_t round_of(const struct data_permutation *p, uint64_t half, uint64_t round)
{
    return data_mix(half + p->seed + round * 0x51ed270bu) & ((UINT64_C(1) << p->half_bits) - 1);
}

uint64_t data_permutation_forward(const struct data_permutation *p, uint64_t x)
{
    do {
        uint64_t left = x >> p->half_bits;
        uint64_t right = x & ((UINT64_C(1) << p->half_bits) - 1);
        for (uint64_t i = 0; i < 4; i++) {
            uint64_t next = left ^ round_of(p, right, i);
            left = right;
            right = next;
        }
        x = left << p->half_bits | right;
    } while (x >= p->count);
    return x;
}

uint64_t data_permutation_inverse(const struct data_permutation *p, uint64_t y)
{
    do {
        uint64_t left = y >> p->half_bits;
        uint64_t right = y & ((UINT64_C(1) << p->half_bits) - 1);
        for (uint64_t i = 4; i-- > 0;) {
            uint64_t previous = right ^ round_of(p, left, i);
            right = left;
            left = previous;
        }
        y = left << p->half_bits | right;
    } while (y >= p->count);
    return y;
}

void data_key(char key_out[KVP_KEY_BYTES], uint64_t index)
{
    key_out[0] = 'k';
    for (int i = KVP_KEY_BYTES - 1; i >= 1; i--) {
        key_out[i] = (char)('0' + index % 10);
        index /= 10;
    }
}

uint64_t data_key_index(const char *key)
{
    uint64_t index = 0;
    for (int i = 1; i < KVP_KEY_BYTES; i++) {
        index = index * 10 + (uint64_t)(key[i] - '0');
    }
    return index;
}

uint64_t data_tag(uint64_t index, uint64_t version)
{
    return data_mix(index * 0x9e3779b97f4a7c15u + version + 1);
}

void data_value_fill(const struct data_value *value, char *out, size_t size)
{
    uint64_t tag = data_tag(value->index, value->version);
    int is_similar = value->mode == DATA_VALUES_SIMILAR;
    uint64_t state = is_similar ? data_mix(value->index + 77) : tag;
    size_t at = 0;
    for (; at + 8 <= size / 2; at += 8) {
        state += 0x9e3779b97f4a7c15u;
        uint64_t word = data_mix(state);
        memcpy(out + at, &word, 8);
    }
    memset(out + at, 'v', size - at);
    if (size >= 8) {
        memcpy(out, &tag, 8);
    }
    if (is_similar && size >= 40) {
        uint64_t word = data_mix(tag);
        memcpy(out + 16 + 8 * (value->version % ((size - 24) / 8)), &word, 8);
    }
}

uint64_t data_tag_of(const char *value, size_t size)
{
    uint64_t word = 0;
    if (size >= 8) {
        memcpy(&word, value, 8);
    }
    return word;
}
