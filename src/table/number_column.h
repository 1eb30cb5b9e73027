/* number_column.h -- values that are all numbers of eight octets, in fewer; exact for any octets
 * whatever.
 *
 * OCTETS_DECIMALS: u8 form (bit 0: big-endian octets; bit 1: float64, else int64), u8 scale 0..12,
 * u8 encoding of an int column of all numbers times 10^scale, the column, varint count of
 * exceptions, each: varint distance from the exception before (the first: from 0) and its 8 octets.
 * A float64 is integer / 10^scale in IEEE 754 double. OCTETS_PLANES: u8 form (bit 0), then plane 7
 * (most significant octets) of all numbers, plane 6, ... 0, of each number exclusive-or the one
 * before it (the first: 0).
 */
#ifndef YORE_TABLE_NUMBER_COLUMN_H
#define YORE_TABLE_NUMBER_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

/* Append `count` numbers of eight octets in the best encoding there is, `*encoding_out`
 * (table_format.h), or append nothing and return false: plain is as good.  Clobbers `scratch` (two
 * buffers). */
bool number_column_encode(const unsigned char *values, size_t count, struct buffer scratch[2],
                          struct buffer *out, uint8_t *encoding_out);

/* Write 8 * count octets; `scratch` has room for `count` integers.  False: malformed. */
bool number_column_decode(struct yore_bytes data, uint8_t encoding, size_t count, int64_t *scratch,
                          unsigned char *values_out);

#endif
