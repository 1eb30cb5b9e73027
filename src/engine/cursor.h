/* cursor.h -- what a transaction lays over a cursor: its own writes, and who is told where it went.
 *
 * The cursor merges the keyspace as of `moment` with the overlay's memtable as of (moment.valid,
 * overlay.known); per key the greatest (valid_from, commit) of both wins and is judged as ever.  A
 * row that comes from the overlay shows YORE_FOREVER as its commit: it has none yet.
 */
#ifndef YORE_ENGINE_CURSOR_H
#define YORE_ENGINE_CURSOR_H

#include "engine/db_internal.h"

/* Facts of a transaction lie in its overlay under commits from here on, one each, in the order they
 * were written. */
#define OVERLAY_COMMIT_MIN (INT64_MAX - ((int64_t)1 << 32))

/* The keys one move had to look at: [low, high), or [low, high] when `is_high_included`.  An empty
 * low is the first key, an empty high the last.  first: [range low, row]; next: [row before, row];
 * seek: [key, row]; last, prev, seek_back mirrored; where there was no row, the range's own bound
 * stands for it.  Never outside the range of the cursor. */
struct cursor_step {
    struct yore_bytes low;
    struct yore_bytes high;
    bool is_high_included;
    const struct yore_row *row; /* NULL: none was found */
};

struct cursor_overlay {
    struct memtable *memtable; /* kept by a reference of its own; NULL: no writes */
    int64_t known; /* facts with a greater commit were written after the cursor was opened */
    struct read_moment moment; /* resolved; options->at is not looked at */
    /* Taken before the horizon was looked at, or for what is held: a later one may lack what the
     * moment needs.  The cursor takes a reference of its own. */
    struct superview *view;
    /* After every move that did not fail, on the thread of the cursor; bytes are borrowed.  Its
     * failure is the move's. */
    enum yore_status (*on_step)(void *arg, const struct cursor_step *step,
                                struct yore_error *error_out);
    void (*on_close)(void *arg); /* once, when the cursor closes; not when opening it failed */
    void *arg;
    bool is_part; /* of something that is counted as open itself (handles.h) */
};

/* yore_cursor_open(), with `overlay` (copied; NULL: none). */
enum yore_status cursor_open_overlay(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct yore_cursor_options *options,
                                     const struct cursor_overlay *overlay,
                                     struct yore_cursor **cursor_out, struct yore_error *error_out);
/* Go on with another range of the same moment, inside the one that the cursor was opened with: it
 * stands nowhere, as if just opened.  Sources that are open stay open, which spares a walk over
 * many short ranges most of what a cursor each would take.  Not where something is laid over it.
 * Errors: those of a range, and YORE_NOMEM, also told by yore_cursor_error(); then only this and
 * closing may follow. */
enum yore_status cursor_set_part(struct yore_cursor *cursor, const struct yore_range *part);
/* Does it read what one opened now would read?  Otherwise it keeps tables that were replaced. */
bool cursor_is_current(const struct yore_cursor *cursor);
/* Keys without a value at the moment that the last first or seek has stepped over, one by one; for
 * tests. */
uint64_t cursor_keys_passed(const struct yore_cursor *cursor);

#endif
