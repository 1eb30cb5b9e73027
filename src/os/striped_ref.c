#include "os/striped_ref.h"

#include "base/assert.h"

#define CLOSING                                                                                    \
    ((int64_t)1 << 62) /* keeps `rest` from looking empty until all stripes are in it              \
                        */

void striped_ref_init(struct striped_ref *ref)
{
    for (unsigned i = 0; i < STRIPED_REF_STRIPES; i++) {
        atomic_init(&ref->stripes[i].twice, STRIPED_REF_SHUT);
    }
    atomic_init(&ref->rest, 0);
}

void striped_ref_open(struct striped_ref *ref)
{
    for (unsigned i = 0; i < STRIPED_REF_STRIPES; i++) {
        /* A shut stripe is changed by nobody else.  Release: pairs with the acquire of takers. */
        atomic_store_explicit(&ref->stripes[i].twice, 0, memory_order_release);
    }
}

bool striped_ref_close(struct striped_ref *ref)
{
    atomic_fetch_add_explicit(&ref->rest, CLOSING, memory_order_relaxed);
    for (unsigned i = 0; i < STRIPED_REF_STRIPES; i++) {
        /* Acquire: what holders did comes before what the last one lets happen. */
        uint64_t twice = atomic_exchange_explicit(&ref->stripes[i].twice, STRIPED_REF_SHUT,
                                                  memory_order_acq_rel);
        YORE_ASSERT(twice != STRIPED_REF_SHUT);
        atomic_fetch_add_explicit(&ref->rest, (int64_t)twice / 2, memory_order_acq_rel);
    }
    return atomic_fetch_sub_explicit(&ref->rest, CLOSING, memory_order_acq_rel) == CLOSING;
}

bool striped_ref_give_slowly(struct striped_ref *ref)
{
    return atomic_fetch_sub_explicit(&ref->rest, 1, memory_order_acq_rel) == 1;
}

bool striped_ref_take_held(struct striped_ref *ref)
{
    if (striped_ref_take(ref)) {
        return true;
    }
    int64_t rest = atomic_load_explicit(&ref->rest, memory_order_relaxed);
    while (rest != 0) {
        if (atomic_compare_exchange_weak_explicit(&ref->rest, &rest, rest + 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

int64_t striped_ref_count(const struct striped_ref *ref)
{
    int64_t count = atomic_load_explicit(&ref->rest, memory_order_acquire);
    for (unsigned i = 0; i < STRIPED_REF_STRIPES; i++) {
        uint64_t twice = atomic_load_explicit(&ref->stripes[i].twice, memory_order_acquire);
        count += (twice & STRIPED_REF_SHUT) == 0 ? (int64_t)twice / 2 : 0;
    }
    return count;
}
