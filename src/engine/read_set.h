/* read_set.h -- what a transaction has read: keys and ranges, each once, in the form the commit
 * checks them.
 *
 * One thread.  Nothing is ever taken out: rolling back to a savepoint undoes writes, not what was
 * seen.
 */
#ifndef YORE_ENGINE_READ_SET_H
#define YORE_ENGINE_READ_SET_H

#include "base/arena.h"
#include "engine/db_internal.h"

struct read_set {
    struct commit_read *reads; /* bytes live in `bytes` */
    size_t count;
    size_t capacity;
    uint32_t *slots;   /* open addressing by hash: index + 1; 0: free */
    size_t slot_count; /* a power of two, or 0 */
    struct arena bytes;
};

/* A zeroed set is empty. */
void read_set_release(struct read_set *set);
/* Copies.  Errors: YORE_NOMEM; YORE_TOO_BIG, more than `most`. */
enum yore_status read_set_add(struct read_set *set, const struct commit_read *read, size_t most,
                              struct yore_error *error_out);

#endif
