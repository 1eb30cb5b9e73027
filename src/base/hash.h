/* hash.h -- 64-bit hash of a key (XXH3), stable on disk: filters and shards use it.  Any thread. */
#ifndef YORE_BASE_HASH_H
#define YORE_BASE_HASH_H

#include <stdint.h>

#include "base/bytes.h"

uint64_t hash_bytes(struct yore_bytes bytes);

/* The same with a seed: for tables in memory whose names strangers choose. */
uint64_t hash_bytes_seeded(struct yore_bytes bytes, uint64_t seed);

/* A good mixer of one number (splitmix64's finaliser). */
uint64_t hash_u64(uint64_t v);

#endif
