/* glob.h -- patterns of KEYS, SCAN, channels and ACL rules.
 *
 * `*` any run, `?` any octet, `[abc]`, `[a-z]`, `[^...]`, `\x` the octet x.  An unclosed class ends
 * at the pattern's end.  Time is at most pattern times text: iterative, one place to go back to.
 */
#ifndef YORE_COMMAND_GLOB_H
#define YORE_COMMAND_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

bool glob_match(struct yore_bytes pattern, struct yore_bytes text);
/* The same, ASCII letters in either case. */
bool glob_match_nocase(struct yore_bytes pattern, struct yore_bytes text);
/* How many octets at its begin every match begins with, and whether that is the whole pattern. */
size_t glob_prefix(struct yore_bytes pattern, bool *is_literal_out);

#endif
