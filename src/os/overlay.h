/* overlay.h -- an environment over another one: reads go through, what is written stays in memory.
 *
 * A database that is opened to read is recovered over it as over any other, and nothing outside the
 * process is touched: the disk may be full, mounted read-only, or somebody else's.  Files made here
 * are found before those below; what was unlinked or replaced here is hidden.  Nothing can be done
 * that would need a file of below to change: that is YORE_READ_ONLY.
 *
 * Everything of env.h works on it but os_dir_make(), os_dir_remove(), os_path_link(),
 * os_lock_take(), opening a file of below to write, and renaming one.  Clocks, randomness and
 * os_lock_share() are those of below.  Any thread.
 */
#ifndef YORE_OS_OVERLAY_H
#define YORE_OS_OVERLAY_H

#include "os/env.h"

/* Over `below`, which it keeps.  NULL: out of memory. */
struct os_env *os_overlay_new(struct os_env *below);
/* Every file of it closed; what was written is gone.  NULL is ignored. */
void os_overlay_free(struct os_env *overlay);
/* Octets it holds. */
uint64_t os_overlay_bytes(struct os_env *overlay);

#endif
