/* feed_stream.h -- one commit's versions, straight from tables and memtables: for commits that are
 * not in the journal, or too large for memory.  Or those of every commit up to one. */
#ifndef YORE_ENGINE_FEED_STREAM_H
#define YORE_ENGINE_FEED_STREAM_H

#include "engine/feed.h"

/* A zeroed stream is at its end. */
struct feed_stream {
    struct superview *view;         /* borrowed */
    const struct feed_scope *scope; /* borrowed; NULL: everything */
    int64_t commit;
    struct yore_keyspace *keyspace; /* being walked */
    size_t next_index;              /* of the keyspace after it; SIZE_MAX: none */
    struct version_iter *it;
    uint64_t done; /* versions so far */
    bool is_up_to; /* `commit` and every one before it */
};

/* Begin before the first version of `commit` in `keyspace` (NULL: in every one, by number) and
 * `scope`. */
void feed_stream_begin(struct feed_stream *stream, struct superview *view, int64_t commit,
                       struct yore_keyspace *keyspace, const struct feed_scope *scope);
void feed_stream_release(struct feed_stream *stream);
static inline bool feed_stream_is_open(const struct feed_stream *stream)
{
    return stream->view != NULL;
}
/* The next version, by keyspace, then in version order; borrowed until the next call.
 * YORE_NOT_FOUND: no more. */
enum yore_status feed_stream_next(struct feed_stream *stream, uint32_t *keyspace_out,
                                  struct version *version_out, struct yore_error *error_out);

#endif
