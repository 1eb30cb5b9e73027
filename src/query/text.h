/* text.h -- strings of the language: valid UTF-8, told by characters (code points).
 */
#ifndef YORE_QUERY_TEXT_H
#define YORE_QUERY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define TEXT_NONE SIZE_MAX

/* Where `part` begins in `text` at or after octet `from` <= text.size; TEXT_NONE: nowhere.  Linear
 * in the size of the text (two-way search). */
size_t text_find(struct yore_bytes text, struct yore_bytes part, size_t from);
/* Octets of the first `count` characters; all where there are fewer. */
size_t text_prefix(struct yore_bytes text, uint64_t count);
/* Octets of the last `count` characters. */
size_t text_suffix(struct yore_bytes text, uint64_t count);
/* White space of Unicode at the begin and the end, told off. */
struct yore_bytes text_trim(struct yore_bytes text, bool at_begin, bool at_end);

#endif
