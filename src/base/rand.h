/* rand.h -- a small deterministic generator (xoshiro256**, Blackman & Vigna) for tests, filters and
 * back-off; never for secrets. */
#ifndef YORE_BASE_RAND_H
#define YORE_BASE_RAND_H

#include <stdint.h>

struct rand_state {
    uint64_t s[4];
};
void rand_init(struct rand_state *r, uint64_t seed);
uint64_t rand_u64(struct rand_state *r);
uint64_t rand_below(struct rand_state *r, uint64_t bound); /* 0..bound-1, unbiased; bound >= 1 */

#endif
