/* file_ring.h -- files open for reading, at most so many: one is closed where another is needed,
 * and opened again when it is read next.
 *
 * A file is pinned for one read, not for as long as somebody works with it, so a walk over any
 * number of files at once holds no more than the ring's.  Only while every open file is being read
 * there are more of them, at most one for each thread.  The longest unread is closed first, about
 * (CLOCK). Where the system refuses a handle (YORE_NO_FILES) files of the ring are closed until it
 * does not.  Any thread.
 */
#ifndef YORE_TABLE_FILE_RING_H
#define YORE_TABLE_FILE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "os/env.h"

struct file_ring;

/* One file that may be open. */
struct kept_file {
    const char *path;
    struct os_file *file;   /* usable while pinned; changes only while `pins` is shut */
    _Atomic uint32_t pins;  /* reads under way; KEPT_FILE_SHUT: not open */
    _Atomic uint8_t used;   /* since the ring's hand last passed */
    struct kept_file *next; /* under the ring's lock */
    struct kept_file *prev;
};
#define KEPT_FILE_SHUT 0x80000000u

/* `open_max` >= 1. */
enum yore_status file_ring_new(struct os_env *env, uint32_t open_max, struct file_ring **ring_out);
void file_ring_free(struct file_ring *ring); /* every file forgotten; NULL is ignored */

/* Not open yet; borrows `path` as long as it is used. */
void kept_file_init(struct kept_file *kept, const char *path);

/* Make `kept->file` readable until kept_file_unpin().  Errors: of os_file_open(). */
enum yore_status file_ring_pin(struct file_ring *ring, struct kept_file *kept,
                               struct yore_error *error_out);
static inline void kept_file_unpin(struct kept_file *kept)
{
    /* Release: pairs with the acquire of who closes it. */
    atomic_fetch_sub_explicit(&kept->pins, 1, memory_order_release);
}

/* Close it, if it is open; nobody reads it any more. */
void file_ring_forget(struct file_ring *ring, struct kept_file *kept);

/* Close one that nobody reads, for somebody who needs its handle.  False: there is none. */
bool file_ring_close_any(struct file_ring *ring);

/* Files open now. */
uint32_t file_ring_count(struct file_ring *ring);

#endif
