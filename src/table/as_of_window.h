/* as_of_window.h -- the versions that some keys of a page have at a moment, found ahead of the
 * walk.
 *
 * Versions of the past lie anywhere in their page, so a walk that looks for one at a time waits for
 * memory at each.  A window finds those of a few keys in a row and asks for all their lines at
 * once.  It also tells where the walk may go on as a run (version_iter.h), and passes over what is
 * dead at the moment. */
#ifndef YORE_TABLE_AS_OF_WINDOW_H
#define YORE_TABLE_AS_OF_WINDOW_H

#include "table/page.h"

#define AS_OF_WINDOW_KEYS 32u /* at most 63: a bit each, and one to end with */

struct as_of_moment {
    int64_t valid;
    int64_t known;
    bool is_all_known; /* no version of the table has a later commit than `known` */
    bool keys_only;
    bool wants_all;        /* of the keys, as far as a window reaches */
    bool skips_deletes;    /* as if such keys had no version */
    const uint32_t *lives; /* of the page, where only keys with a bit of `life` can have one */
    uint32_t life;
};

/* A zeroed struct is empty. */
struct as_of_window {
    uint32_t first;
    uint32_t end;     /* keys [first, end) were looked for */
    uint32_t count;   /* of those that have a version at the moment */
    uint32_t at;      /* of these; where the walk is */
    uint32_t width;   /* of the last fill: grows with the walk */
    uint64_t plain;   /* of these: a put that holds without end, its value in the page */
    unsigned touched; /* of no meaning */
    uint32_t keys[AS_OF_WINDOW_KEYS];
    uint32_t versions[AS_OF_WINDOW_KEYS];
};

static inline bool as_of_window_has(const struct as_of_window *w, uint32_t key)
{
    return key >= w->first && key < w->end;
}

/* Look for the keys from `first` on, but not from `end` on; first < end. */
void as_of_window_fill(struct as_of_window *w, const struct page *page, uint32_t first,
                       uint32_t end, const struct as_of_moment *moment);

/* Where the plain versions end that begin with number `at`; `at` itself: it is none. */
static inline uint32_t as_of_window_run_end(const struct as_of_window *w, uint32_t at)
{
    return at + (uint32_t)__builtin_ctzll(~(w->plain >> at));
}

#endif
