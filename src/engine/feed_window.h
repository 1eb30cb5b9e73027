/* feed_window.h -- some of the commits after a moment, collected from tables and memtables.
 *
 * Tables are ordered by key, a feed by commit.  So a window looks at every version with a later
 * commit (pages without one are passed over) and keeps those with the least commits, as many as
 * fit.  The next window goes on behind it: a feed of everything costs its size over
 * FEED_WINDOW_BYTES passes.
 */
#ifndef YORE_ENGINE_FEED_WINDOW_H
#define YORE_ENGINE_FEED_WINDOW_H

#include "base/arena.h"
#include "engine/db_internal.h"
#include "engine/feed.h"

struct feed_entry {
    uint32_t keyspace;
    struct version version; /* key and value (or reference) live in the arena */
};

struct feed_window {
    struct feed_entry *entries; /* after collecting: by commit, keyspace, version order */
    size_t count;
    size_t capacity;
    struct arena arena;
    uint64_t bytes;
    int64_t after;
    int64_t last;   /* every commit in (after, last] is here ... */
    bool has_large; /* ... but `last` itself, which is too large */
};

/* A zeroed window is empty. */
void feed_window_release(struct feed_window *window);
/* Collect what commits in (after, limit] wrote in the scope, from `view`; window->last tells how
 * far they reach.  YORE_CANCELLED: *is_cancelled (which may be NULL) became true. */
struct feed_span {
    const struct feed_scope *scope;
    const atomic_bool *is_cancelled;
    int64_t after;
    int64_t limit;
};
enum yore_status feed_window_collect(struct feed_window *window, struct superview *view,
                                     const struct feed_span *span, struct yore_error *error_out);
/* Replace the bytes by a copy in the arena; false: out of memory. */
bool arena_copy_bytes(struct arena *arena, struct yore_bytes *bytes);
/* The keyspaces of a database one after the other, the catalogue and dropped ones included; NULL
 * behind the last. */
struct yore_keyspace *feed_keyspace(struct yore_db *db, size_t index);

#endif
