/* utf8.h -- is a run of octets text?  Overlong forms, surrogates and code points past U+10FFFF are
 * not.
 */
#ifndef YORE_BASE_UTF8_H
#define YORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Octets of the well-formed character at `at` (1..4), 0 when there is none before `end`. */
size_t utf8_size(const unsigned char *at, const unsigned char *end);

bool utf8_is_valid(struct yore_bytes text);

/* Encode a scalar value (not a surrogate, at most U+10FFFF); returns the octets written (1..4). */
size_t utf8_encode(unsigned char to[4], uint32_t point);
/* The scalar value of a well-formed character of `size` octets, as utf8_size() told. */
uint32_t utf8_decode(const unsigned char *at, size_t size);
/* Characters (code points) of valid text. */
size_t utf8_count(struct yore_bytes text);

#endif
