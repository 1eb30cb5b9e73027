/* turns.h -- engines take turns at every row, each in a process of its own.
 *
 * A processor is up to twice as fast in one second as in the next, so engines that are measured one
 * behind the other are compared by luck.  Here all of them have their databases open, and each row
 * is TURNS rounds in which every engine measures a short slice while the others wait: each round is
 * a comparison, the row the median of them (bench/report).  A process of its own keeps an engine's
 * cache and peak memory its own, and lets a crash cost the rows of one engine only. */
#ifndef YORE_TURNS_H
#define YORE_TURNS_H

#include <assert.h>

#include "run.h"

#define TURNS 16
static_assert(TURNS <= RUN_TURNS_MAX, "a row has room for its turns");

/* What an engine's process does.  `rows` are numbered from 0. */
struct turns_player {
    unsigned rows;
    void *(*open)(const struct run *run, const void *spec); /* and warm; never NULL */
    /* Measure a slice: `share` of the time that a row has, one operation at least. */
    void (*play)(void *player, unsigned row, double share);
    void (*tell)(void *player, unsigned row); /* the row is over: emit it */
    void (*close)(void *player);
};

/* `what` names the rows of an engine that fails. */
void turns_run(const struct run *runs, unsigned count, const struct turns_player *player,
               const void *spec, const char *what);

#endif
