/* record_log_format.h -- the bytes of a record log, and nothing else.  docs/format.md, "Record
 * log".
 *
 * File header, 64 octets at offset 0, one layout for every version:
 *
 *     0  8  magic "YORElog" and a newline
 *     8  4  format version
 *    12  4  kind
 *    16  8  database
 *    24  8  epoch
 *    32  8  first sequence number
 *    40 20  zeros
 *    60  4  CRC-32C of octets 0..59
 *
 * Record, 8-byte aligned: 24 octets of header, the payload, zeros up to the next multiple of 8.
 *
 *     0  4  CRC-32C of octets 4..23, continued from the place
 *     4  4  CRC-32C of the payload, continued from the place
 *     8  4  payload size
 *    12  4  type
 *    16  4  index: sequence number less the log's first
 *    20  4  durable: so many records, from the first on, were known durable
 *
 * The *place* is the CRC-32C of database, epoch, kind and the record's offset.  CRCs are bijective
 * in their starting value, so a record of another epoch (nearer than 2^32) or offset never passes.
 */
#ifndef YORE_JOURNAL_RECORD_LOG_FORMAT_H
#define YORE_JOURNAL_RECORD_LOG_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/record_log.h"

#define RECORD_LOG_VERSION 1u
#define RECORD_LOG_HEADER_BYTES 64u
#define RECORD_HEADER_BYTES 24u
#define RECORD_ALIGNMENT 8u
#define RECORD_TYPE_MARK 0u

/* Every write ends with this many zeros, which the next one overwrites: a whole tail is told from a
 * torn one even in a recycled file. */
#define RECORD_TERMINATOR_BYTES RECORD_HEADER_BYTES

struct record_log_header {
    uint32_t version;
    struct record_log_identity identity;
    uint64_t first_sequence;
};
void record_log_header_encode(const struct record_log_header *header,
                              unsigned char out[RECORD_LOG_HEADER_BYTES]);
/* False: not a header, or damaged.  The version may be an unknown one. */
bool record_log_header_decode(const unsigned char in[RECORD_LOG_HEADER_BYTES],
                              struct record_log_header *header_out);

struct record_header {
    uint32_t payload_crc;
    uint32_t size;
    uint32_t type;
    uint32_t index;
    uint32_t durable;
};
uint32_t record_log_seed(const struct record_log_identity *identity);
uint32_t record_place(uint32_t seed, uint64_t offset);
void record_header_encode(const struct record_header *header, uint32_t place,
                          unsigned char out[RECORD_HEADER_BYTES]);
bool record_header_decode(const unsigned char in[RECORD_HEADER_BYTES], uint32_t place,
                          struct record_header *header_out);

/* Header, payload and padding. */
static inline uint64_t record_span(uint64_t payload_bytes)
{
    return RECORD_HEADER_BYTES +
           (payload_bytes + RECORD_ALIGNMENT - 1) / RECORD_ALIGNMENT * RECORD_ALIGNMENT;
}

#endif
