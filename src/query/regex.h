/* regex.h -- regular expressions of =~, which match a whole string.
 *
 * PCRE2, whose syntax is the one that openCypher's users write; what a match may cost is bounded
 * (REGEX_MATCH_LIMIT), so that no pattern holds a statement up.  Patterns are compiled once and
 * kept in a cache of their owner.  One thread at a time.
 */
#ifndef YORE_QUERY_REGEX_H
#define YORE_QUERY_REGEX_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

#define REGEX_PATTERN_BYTES_MAX 65536u
#define REGEX_MATCH_LIMIT 1000000u /* steps of backtracking */
#define REGEX_HEAP_KIB_MAX (16u * 1024u)
#define REGEX_CACHE_PATTERNS_MAX 64u /* then all are forgotten */

struct regex_cache; /* NULL is empty */

/* Errors: YORE_INVALID (the pattern is none: where and why), YORE_TOO_BIG (a limit), YORE_NOMEM. */
enum yore_status regex_matches(struct regex_cache **cache, struct yore_bytes pattern,
                               struct yore_bytes text, bool *matches_out,
                               struct yore_error *error_out);
void regex_cache_free(struct regex_cache *cache);

#endif
