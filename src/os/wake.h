/* wake.h -- a descriptor by which other threads end one thread's wait for input.
 *
 * Problem: the thread waits in a loop that is not ours, for descriptors.  Approach: one of them is
 * ours, and readable while somebody calls.  Calls that come before the thread has looked cost no
 * system call; a call never waits, and nobody waits for a caller.  (Refused: uv_async_t, in which
 * the woken thread spins, up to 20 us, until its caller has come back from the system: where both
 * share a processor the caller cannot.)
 *
 * News is passed some other way, under a lock: leave it, then call; take the call, then look. */
#ifndef YORE_OS_WAKE_H
#define YORE_OS_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/status.h"

struct os_wake {
    int fd; /* to wait on until it is readable */
    _Atomic bool is_called;
};

/* On failure `fd` is -1.  Errors: YORE_IO. */
enum yore_status os_wake_open(struct os_wake *wake, struct yore_error *error_out);
/* Nobody waits or calls any more.  One that failed to open is good, too. */
void os_wake_close(struct os_wake *wake);

/* Any thread.  What was done before it is seen by who takes the call. */
void os_wake_call(struct os_wake *wake);
/* Who waits, when `fd` is readable: what is called from now on makes it readable again. */
void os_wake_take(struct os_wake *wake);

#endif
