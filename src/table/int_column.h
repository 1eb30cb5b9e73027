/* int_column.h -- a run of 64-bit integers in few octets.
 *
 * Encodings (all arithmetic is modulo 2^64, so any integers go in and the same come out):
 *   0 constant        zigzag
 *   1 + 2*order + p   order 0: distances from the first; 1: differences; 2: differences of
 * differences. varint divisor (the greatest that all of them have), zigzag of the first integer,
 * for order 2 zigzag of the first difference, then the rest divided: p 0: zigzag varints; p 1:
 * groups of 128, each zigzag of its least, u8 width in bits, the distances from the least packed
 * from bit 0 on.
 */
#ifndef YORE_TABLE_INT_COLUMN_H
#define YORE_TABLE_INT_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/coding.h"

#define INT_COLUMN_ENCODINGS 7
#define INT_COLUMN_GROUP 128

/* Append `count` >= 1 integers in the smallest encoding.  `scratch` is clobbered; `*encoding_out`
 * names the choice. */
void int_column_encode(const int64_t *values, size_t count, struct buffer *scratch,
                       struct buffer *out, uint8_t *encoding_out);

/* Read exactly `count` >= 1 integers.  False: malformed. */
bool int_column_decode(struct decoder *d, uint8_t encoding, size_t count, int64_t *values_out);

#endif
