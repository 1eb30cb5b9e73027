#include "base/hash.h"

#include <xxhash.h>

uint64_t hash_bytes(struct yore_bytes bytes)
{
    return XXH3_64bits(bytes.data, bytes.size);
}

uint64_t hash_bytes_seeded(struct yore_bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.size, seed);
}

uint64_t hash_u64(uint64_t v)
{
    v += 0x9e3779b97f4a7c15u;
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
    return v ^ (v >> 31);
}
