/* feed_window.h -- some of the commits after a moment, collected from tables and memtables.
 *
 * Tables are ordered by key, a feed by commit.  So the first window looks at every version with a
 * later commit and keeps those with the least commits, as many as fit.  From how far it reached the
 * next ones know how far they may look, and their pages are found by time (iter_view.is_by_commit):
 * a page is read once for each window that it has a version for, so never more often than it has
 * versions, however many windows there are.  Of a table that has back-dated versions among them the
 * pages cannot be found so: they are read for every window that their commits overlap.
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
    int64_t last;    /* every commit up to here is here ... */
    bool has_large;  /* ... but `last` itself, which is too large */
    int64_t after;   /* looking for commits behind it, ... */
    uint64_t step;   /* ... so far; 0: to the limit */
    uint64_t looked; /* at versions */
    uint64_t bytes_max;
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
