/* key_walk.h -- the versions of one key whose valid_from lies in a window, one by one, either way
 * along time.
 *
 * The iterator may be over more than this key and this window; it is moved as the walk goes.
 * Forward what is told is a copy, because whether a version is the last of its valid_from shows
 * only at the next one; backward it is the first, and lies where the iterator stands until the next
 * call.
 */
#ifndef YORE_ENGINE_KEY_WALK_H
#define YORE_ENGINE_KEY_WALK_H

#include "base/buffer.h"
#include "table/version_iter.h"

struct key_walk {
    struct version_iter *it; /* every version; borrowed */
    struct yore_bytes key;   /* borrowed */
    int64_t first;           /* first <= valid_from <= last */
    int64_t last;
    int64_t known;     /* commit <= known */
    bool every_commit; /* else only the greatest commit of each valid_from */
    bool is_backward;  /* latest first */
    bool is_begun;
    bool is_at_key;
    struct version held; /* the version told last */
    bool has_held;
    struct buffer value; /* forward: of `held` */
};

/* Make `held` the next version.  YORE_NOT_FOUND: no more. */
enum yore_status key_walk_next(struct key_walk *walk, struct yore_error *error_out);
void key_walk_release(struct key_walk *walk);

#endif
