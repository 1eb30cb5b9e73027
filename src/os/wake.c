#include "os/wake.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum yore_status os_wake_open(struct os_wake *wake, struct yore_error *error_out)
{
    atomic_init(&wake->is_called, false);
    wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake->fd < 0) {
        char text[128];
        return error_set(error_out, YORE_IO, "cannot make an event descriptor: %s",
                         strerror_r(errno, text, sizeof text));
    }
    return YORE_OK;
}

void os_wake_close(struct os_wake *wake)
{
    if (wake->fd >= 0) {
        close(wake->fd);
        wake->fd = -1;
    }
}

void os_wake_call(struct os_wake *wake)
{
    const uint64_t one = 1;
    /* With the exchange of os_wake_take(): who finds it set knows that the waiting thread has yet
     * to clear it, and will look after that. */
    if (atomic_exchange(&wake->is_called, true)) {
        return;
    }
    while (write(wake->fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void os_wake_take(struct os_wake *wake)
{
    uint64_t calls;
    while (read(wake->fd, &calls, sizeof calls) < 0 && errno == EINTR) {
    }
    (void)atomic_exchange(&wake->is_called, false); /* no store: it also takes what callers did */
}
