#include "journal/record_log_format.h"

#include <string.h>

#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"

static const unsigned char magic[8] = {'Y', 'O', 'R', 'E', 'l', 'o', 'g', '\n'};

#define HEADER_CRC_AT (RECORD_LOG_HEADER_BYTES - 4)

void record_log_header_encode(const struct record_log_header *header,
                              unsigned char out[RECORD_LOG_HEADER_BYTES])
{
    memset(out, 0, RECORD_LOG_HEADER_BYTES);
    memcpy(out, magic, sizeof(magic));
    put_u32(out + 8, header->version);
    put_u32(out + 12, header->identity.kind);
    put_u64(out + 16, header->identity.database);
    put_u64(out + 24, header->identity.epoch);
    put_u64(out + 32, header->first_sequence);
    put_u32(out + HEADER_CRC_AT, crc32c(0, out, HEADER_CRC_AT));
}

bool record_log_header_decode(const unsigned char in[RECORD_LOG_HEADER_BYTES],
                              struct record_log_header *header_out)
{
    if (memcmp(in, magic, sizeof(magic)) != 0 ||
        get_u32(in + HEADER_CRC_AT) != crc32c(0, in, HEADER_CRC_AT)) {
        return false;
    }
    header_out->version = get_u32(in + 8);
    header_out->identity.kind = get_u32(in + 12);
    header_out->identity.database = get_u64(in + 16);
    header_out->identity.epoch = get_u64(in + 24);
    header_out->first_sequence = get_u64(in + 32);
    return true;
}

uint32_t record_log_seed(const struct record_log_identity *identity)
{
    unsigned char bytes[20];
    put_u64(bytes, identity->database);
    put_u32(bytes + 8, identity->kind);
    put_u64(bytes + 12, identity->epoch);
    return crc32c(0, bytes, sizeof(bytes));
}

uint32_t record_place(uint32_t seed, uint64_t offset)
{
    unsigned char bytes[8];
    put_u64(bytes, offset);
    return crc32c(seed, bytes, sizeof(bytes));
}

void record_header_encode(const struct record_header *header, uint32_t place,
                          unsigned char out[RECORD_HEADER_BYTES])
{
    YORE_ASSERT(header->size <= RECORD_BYTES_MAX);
    YORE_ASSERT(header->durable <= header->index);
    put_u32(out + 4, header->payload_crc);
    put_u32(out + 8, header->size);
    put_u32(out + 12, header->type);
    put_u32(out + 16, header->index);
    put_u32(out + 20, header->durable);
    put_u32(out, crc32c(place, out + 4, RECORD_HEADER_BYTES - 4));
}

bool record_header_decode(const unsigned char in[RECORD_HEADER_BYTES], uint32_t place,
                          struct record_header *header_out)
{
    header_out->payload_crc = get_u32(in + 4);
    header_out->size = get_u32(in + 8);
    header_out->type = get_u32(in + 12);
    header_out->index = get_u32(in + 16);
    header_out->durable = get_u32(in + 20);
    return header_out->size <= RECORD_BYTES_MAX && header_out->durable <= header_out->index &&
           get_u32(in) == crc32c(place, in + 4, RECORD_HEADER_BYTES - 4);
}
