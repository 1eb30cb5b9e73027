/* mend.h -- make the checks of a record log of any bytes hold, so that what lies behind them is
 * reached. */
#ifndef YORE_TEST_FUZZ_MEND_H
#define YORE_TEST_FUZZ_MEND_H

#include "base/coding.h"
#include "base/crc32c.h"
#include "journal/record_log_format.h"

/* Of `how` bit 0 puts a valid file header in front; bit 1 mends the CRCs of records as far as their
 * sizes lead; bit 2 leaves every fourth of them as it is. */
static inline void mend_record_log(const struct record_log_identity *identity, unsigned char *file,
                                   size_t size, unsigned how)
{
    const struct record_log_header header = {.version = RECORD_LOG_VERSION, .identity = *identity};
    uint32_t seed = record_log_seed(identity);
    size_t at = RECORD_LOG_HEADER_BYTES;
    if ((how & 1u) != 0 && size >= RECORD_LOG_HEADER_BYTES) {
        record_log_header_encode(&header, file);
    }
    for (unsigned i = 0; (how & 2u) != 0 && at + RECORD_HEADER_BYTES <= size; i++) {
        unsigned char *record = file + at;
        uint32_t place = record_place(seed, at);
        size_t left = size - at - RECORD_HEADER_BYTES;
        record[10] = record[11] = 0; /* sizes that can fit */
        uint32_t payload = get_u32(record + 8);
        if ((how & 4u) == 0 || i % 4 != 3) {
            put_u32(record + 4,
                    crc32c(place, record + RECORD_HEADER_BYTES, payload < left ? payload : left));
            put_u32(record, crc32c(place, record + 4, RECORD_HEADER_BYTES - 4));
        }
        at += (size_t)record_span(payload);
    }
}

#endif
