#include "topology/turn.h"

#include "base/assert.h"

void turn_init(struct turn *turn)
{
    os_mutex_init(&turn->lock);
    os_cond_init(&turn->changed);
    turn->beside = 0;
    turn->waiting = 0;
    turn->is_alone = false;
}

void turn_release(struct turn *turn)
{
    os_cond_release(&turn->changed);
    os_mutex_release(&turn->lock);
}

void turn_take(struct turn *turn, bool alone)
{
    os_mutex_lock(&turn->lock);
    turn->waiting += alone;
    while (turn->is_alone || (alone ? turn->beside > 0 : turn->waiting > 0)) {
        os_cond_wait(&turn->changed, &turn->lock);
    }
    turn->waiting -= alone;
    turn->is_alone = alone;
    turn->beside += !alone;
    os_mutex_unlock(&turn->lock);
}

void turn_leave(struct turn *turn)
{
    os_mutex_lock(&turn->lock);
    YORE_ASSERT(turn->is_alone || turn->beside > 0);
    if (turn->is_alone) {
        turn->is_alone = false;
    } else {
        turn->beside--;
    }
    os_cond_broadcast(&turn->changed);
    os_mutex_unlock(&turn->lock);
}
