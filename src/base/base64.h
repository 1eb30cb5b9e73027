/* base64.h -- RFC 4648 section 4, with padding: how bytes that are not text travel in JSON. */
#ifndef YORE_BASE_BASE64_H
#define YORE_BASE_BASE64_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"

void base64_encode(struct buffer *to, struct yore_bytes bytes);

/* Append the octets of `text`.  False, nothing appended, when it is not strict base64: a foreign
 * character, a length not a multiple of 4, padding elsewhere, bits left over. */
bool base64_decode(struct buffer *to, struct yore_bytes text);

#endif
