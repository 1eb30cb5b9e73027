/* sha256.h -- FIPS 180-4, for digests that tests compare with. */
#ifndef YORE_TEST_SUPPORT_SHA256_H
#define YORE_TEST_SUPPORT_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t size;
    uint8_t block[64];
};

void sha256_begin(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t size);
/* 64 hexadecimal digits and a closing NUL. */
void sha256_end(struct sha256 *h, char hex[65]);

#endif
