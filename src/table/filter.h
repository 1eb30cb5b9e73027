/* filter.h -- a blocked Bloom filter over the hashes of keys: one cache line a question, never a
 * false "no".
 *
 * Bytes: lines of 64 octets, eight little-endian words each; a key sets one bit in every word of
 * its line. line = (upper half of the hash * line count) >> 32; bit of word i = (lower half * salt
 * i modulo 2^32) >> 26. With 10 bits a key about 1 % of other keys are let through. */
#ifndef YORE_TABLE_FILTER_H
#define YORE_TABLE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_LINE_BYTES 64
#define FILTER_BITS_PER_KEY 10

/* Octets of a filter for `key_count` keys: 0 for none, else a multiple of FILTER_LINE_BYTES. */
size_t filter_bytes(uint64_t key_count);
/* `lines` holds `bytes` octets, zeroed before the first. */
/* Ask for the line that filter_add() will change. */
void filter_prefetch(const unsigned char *lines, size_t bytes, uint64_t hash);
void filter_add(unsigned char *lines, size_t bytes, uint64_t hash);
bool filter_may_hold(const unsigned char *lines, size_t bytes, uint64_t hash);

#endif
