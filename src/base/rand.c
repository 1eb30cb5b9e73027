#include "base/rand.h"

#include "base/hash.h"

static uint64_t rotate_left(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

void rand_init(struct rand_state *r, uint64_t seed)
{
    /* Distinct inputs of a bijection: at most one word can be zero, and all-zero is the one bad
     * state. */
    for (unsigned i = 0; i < 4; i++) {
        r->s[i] = hash_u64(seed + i * 0x9e3779b97f4a7c15u);
    }
}

uint64_t rand_u64(struct rand_state *r)
{
    uint64_t result = rotate_left(r->s[1] * 5, 7) * 9;
    uint64_t carried = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= carried;
    r->s[3] = rotate_left(r->s[3], 45);
    return result;
}

uint64_t rand_below(struct rand_state *r, uint64_t bound)
{
    /* Refuse the first 2^64 mod bound numbers, so that every remainder is equally likely. */
    uint64_t refused = (0 - bound) % bound;
    uint64_t v;
    do {
        v = rand_u64(r);
    } while (v < refused);
    return v % bound;
}
