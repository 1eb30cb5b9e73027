/* backoff.h -- who sends wrong passwords waits, ever longer: counted by the network it comes from.
 *
 * Problem: passwords can be guessed as fast as they are checked, and each check takes a processor
 * tens of milliseconds for which others wait.
 * Approach: a wrong password is a debt that time pays off, one in BACKOFF_FORGIVE_NS.  Who owes
 * BACKOFF_FREE of them waits after each further one, twice as long as after the one before; until
 * then its passwords are not checked.  Those that were right lately need no check, and go on to be
 * taken (acl_secret.c): a guesser does not lock out others who come from where it does.  Being
 * right pays nothing off, or a guesser with a login of its own would never wait.
 *
 * Memory is fixed: a table of sets, whose seed nobody knows; a newcomer takes the place of whoever
 * in its set owes least.  Any thread.
 */
#ifndef YORE_COMMAND_BACKOFF_H
#define YORE_COMMAND_BACKOFF_H

#include <stdint.h>

#include "command/limits.h"
#include "os/thread.h"

struct backoff_entry {
    uint64_t network;
    int64_t owes_until_ns; /* monotonic, when all will be forgiven; past: the place is free */
    int64_t waits_until_ns;
};

struct backoff {
    struct os_mutex lock;
    uint64_t seed;
    struct backoff_entry sets[BACKOFF_SETS][BACKOFF_WAYS]; /* GUARDED_BY(lock) */
};

void backoff_init(struct backoff *backoff, uint64_t seed);
void backoff_release(struct backoff *backoff);
/* A password from `network` was wrong. */
void backoff_note(struct backoff *backoff, uint64_t network, int64_t now_ns);
/* How long its passwords are not to be checked; 0: they are. */
int64_t backoff_wait_ns(struct backoff *backoff, uint64_t network, int64_t now_ns);

#endif
