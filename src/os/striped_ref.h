/* striped_ref.h -- a count of holders that many threads change without meeting in one cache line.
 *
 * Each thread counts in a stripe of its own (threads that share one do no harm), so a stripe alone
 * means nothing and may be negative; the sum is what counts.  While *open* nobody asks for the sum:
 * the owner keeps the thing alive.  The owner ends that by closing: every stripe is shut and what
 * it held is moved to `rest`, which from then on is an ordinary count and tells who was last.
 * Refused: one count, since each read then takes the line from every other reader; hazard pointers,
 * which want a list of threads.
 *
 * A zeroed struct is not good: begin with striped_ref_init(). */
#ifndef YORE_OS_STRIPED_REF_H
#define YORE_OS_STRIPED_REF_H

#include <stdatomic.h>

#include "os/thread.h"

#define STRIPED_REF_STRIPES 8u
#define STRIPED_REF_SHUT 1u /* a stripe holds twice its count; an odd one, always this, is shut */

struct striped_ref {
    struct {
        _Alignas(64) _Atomic uint64_t twice;
    } stripes[STRIPED_REF_STRIPES];
    _Alignas(64) _Atomic int64_t rest;
};

/* Closed, with no holders. */
void striped_ref_init(struct striped_ref *ref);
/* Closed -> open.  What the owner wrote before is seen by everybody who takes a reference.  One
 * thread at a time opens or closes. */
void striped_ref_open(struct striped_ref *ref);
/* Open -> closed.  True: there are no holders, and none will come. */
bool striped_ref_close(struct striped_ref *ref);

/* Holders; exact only while nobody takes or gives. */
int64_t striped_ref_count(const struct striped_ref *ref);

/* For when a stripe is shut. */
bool striped_ref_give_slowly(struct striped_ref *ref);

/* A reference to an open one; false: it is closed. */
static inline bool striped_ref_take(struct striped_ref *ref)
{
    _Atomic uint64_t *twice = &ref->stripes[os_thread_id() % STRIPED_REF_STRIPES].twice;
    uint64_t old = atomic_load_explicit(twice, memory_order_relaxed);
    while ((old & STRIPED_REF_SHUT) == 0) {
        /* Acquire: pairs with the release of striped_ref_open(). */
        if (atomic_compare_exchange_weak_explicit(twice, &old, old + 2, memory_order_acquire,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

/* A reference to an open one, or to a closed one that has holders still. */
bool striped_ref_take_held(struct striped_ref *ref);

/* Give a reference back, from any thread.  True: it was the last of a closed one. */
static inline bool striped_ref_give(struct striped_ref *ref)
{
    _Atomic uint64_t *twice = &ref->stripes[os_thread_id() % STRIPED_REF_STRIPES].twice;
    uint64_t old = atomic_load_explicit(twice, memory_order_relaxed);
    while ((old & STRIPED_REF_SHUT) == 0) {
        /* Release: pairs with the acquire of striped_ref_close(). */
        if (atomic_compare_exchange_weak_explicit(twice, &old, old - 2, memory_order_release,
                                                  memory_order_relaxed)) {
            return false;
        }
    }
    return striped_ref_give_slowly(ref);
}

#endif
