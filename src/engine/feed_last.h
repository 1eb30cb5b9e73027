/* feed_last.h -- which writes of a journal record count: of those to one key and moment the last.
 *
 * A record has every write of its commit in the order they were made; tables have the last ones
 * only. So that a commit is told alike from both, the others are left out.
 */
#ifndef YORE_ENGINE_FEED_LAST_H
#define YORE_ENGINE_FEED_LAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "journal/commit_codec.h"

/* Octets of memory that a write of the record takes at most. */
#define FEED_LAST_WRITE_BYTES 16u

/* Zeroed is of a record with one write at most. */
struct feed_last {
    struct commit_decoder first; /* before the first write that was looked at */
    uint32_t *slots;             /* where the last write there begins, and one more; 0: free */
    size_t capacity;             /* a power of two, or 0: every write counts */
};

/* Look through the writes that `decoder`, which stays where it is, has yet to give out; borrows
 * from its record until the release.  A damaged one counts up to there.  Errors: YORE_NOMEM. */
enum yore_status feed_last_collect(struct feed_last *last, const struct commit_decoder *decoder);
void feed_last_release(struct feed_last *last);

/* Does this write of the record count?  It begins at `at`, where the decoder was before it. */
bool feed_last_counts(const struct feed_last *last, const struct commit_write *write,
                      const unsigned char *at);

#endif
