/* crc32c.h -- CRC-32C (Castagnoli, RFC 3720 appendix B.4): hardware where the processor has it,
 * three interleaved streams for long runs, a table elsewhere; all give the same number.  Any
 * thread. */
#ifndef YORE_BASE_CRC32C_H
#define YORE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue `crc` (0 to begin) over `size` octets. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The check of a block that must be found at its own place: covers `data` and where it belongs, so
 * that a stale, swapped or misdirected block fails.  `file_id` is the file's number (or a segment's
 * epoch), `offset` the block's first octet in the file. */
uint32_t crc32c_placed(uint64_t file_id, uint64_t offset, const void *data, size_t size);

/* The table version, for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
