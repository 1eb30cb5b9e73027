/* turn.h -- who takes in words of a graph: any number beside each other, or one alone.
 *
 * Transactions of words are optimistic, and those that name the same elements conflict.  Two large
 * ones, or a large one beside a stream of small ones, would make each other begin again for ever:
 * so whoever has to begin again does it alone, while the others wait.  Who waits to be alone goes
 * before who comes later.  One turn is held at a time, and nothing else is waited for with it.
 */
#ifndef YORE_TOPOLOGY_TURN_H
#define YORE_TOPOLOGY_TURN_H

#include <stdbool.h>
#include <stddef.h>

#include "os/thread.h"

struct turn {
    struct os_mutex lock;
    struct os_cond changed;
    size_t beside;  /* GUARDED_BY(lock) */
    size_t waiting; /* to be alone; GUARDED_BY(lock) */
    bool is_alone;  /* GUARDED_BY(lock) */
};

void turn_init(struct turn *turn);
void turn_release(struct turn *turn);
/* Waits. */
void turn_take(struct turn *turn, bool alone);
void turn_leave(struct turn *turn);

#endif
