/* sha256.h -- SHA-256 (FIPS 180-4), for secrets and chains of records.  Any thread. */
#ifndef YORE_BASE_SHA256_H
#define YORE_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define SHA256_BYTES 32
#define SHA256_TEXT_BYTES 65 /* hexadecimal, with its zero */

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64];
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, struct yore_bytes bytes);
void sha256_end(struct sha256 *sha, unsigned char digest[SHA256_BYTES]);
/* The same as 64 lower-case hexadecimal digits. */
void sha256_end_text(struct sha256 *sha, char text[SHA256_TEXT_BYTES]);
/* Of one run, in lower-case hexadecimal; returns `text`. */
char *sha256_text(struct yore_bytes bytes, char text[SHA256_TEXT_BYTES]);
/* Equal, in a time that depends on `size` only. */
bool secret_equal(const void *a, const void *b, size_t size);

#endif
