/* stop.h -- whether long work is still wanted by who asked for it. */
#ifndef YORE_BASE_STOP_H
#define YORE_BASE_STOP_H

#include <stdbool.h>
#include <stddef.h>

/* Asked now and then, in the thread that works; cheap.  Once true, it stays so. */
struct stop {
    bool (*is_asked)(void *arg);
    void *arg;
};

/* NULL: nobody ever asks. */
static inline bool stop_is_asked(const struct stop *stop)
{
    return stop != NULL && stop->is_asked(stop->arg);
}

#endif
