/* span.h -- a fact that corrects [from, to) only, outside of any transaction.
 *
 * A version holds until the key's next later valid_from.  So a span stands for several facts of one
 * commit: the value at `from`, the same value again at each moment inside where another version
 * begins, and at `to` a copy of what held there.
 */
#ifndef YORE_ENGINE_SPAN_H
#define YORE_ENGINE_SPAN_H

#include "engine/db_internal.h"

struct yore_txn;

/* May a span end there?  At its end a fact is written, so the end is dated like one. */
enum yore_status span_check_end(struct yore_db *db, const struct fact *span,
                                struct yore_error *error_out);

/* Blind writes among which are spans, which must read: a small transaction, begun and filled again
 * when it conflicts. */
struct span_commit {
    enum yore_status (*fill)(void *arg, struct yore_txn *txn, struct yore_error *error_out);
    void *arg;
    enum yore_durability durability;
    int64_t *commit_out; /* may be NULL */
};
/* Errors: those of yore_put(); YORE_BUSY when it has conflicted SPAN_TRIES_MAX times. */
#define SPAN_TRIES_MAX 1000
enum yore_status span_commit(struct yore_db *db, const struct span_commit *commit,
                             struct yore_error *error_out);
/* Write `fact`, which fact_check() has seen, over its span.  `commit_out` may be NULL. */
enum yore_status span_write(struct yore_db *db, const struct fact *fact,
                            enum yore_durability durability, int64_t *commit_out,
                            struct yore_error *error_out);

#endif
