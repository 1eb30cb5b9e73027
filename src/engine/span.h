/* span.h -- a fact that corrects [from, to) only, outside of any transaction.
 *
 * A version holds until the key's next later valid_from.  So a span stands for several facts of one
 * commit: the value at `from`, the same value again at each moment inside where another version
 * begins, and at `to` a copy of what held there.
 */
#ifndef YORE_ENGINE_SPAN_H
#define YORE_ENGINE_SPAN_H

#include "engine/db_internal.h"

/* Write `fact`, which fact_check() has seen, over its span: a small transaction, begun again when
 * it conflicts.  `commit_out` may be NULL.  Errors: those of yore_put(); YORE_BUSY when it has
 * conflicted SPAN_TRIES_MAX times. */
#define SPAN_TRIES_MAX 1000
enum yore_status span_write(struct yore_db *db, const struct fact *fact,
                            enum yore_durability durability, int64_t *commit_out,
                            struct yore_error *error_out);

#endif
