#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"

#define MEM_GROW_MIN 8u /* half of what a growing array begins with */
/* What a thread has freed up to this size, glibc's malloc() gives it again without a search;
 * calloc() does not look there. */
#define MEM_RECYCLED_MAX 1024u

/* Zero `fail_nth` is the common case and costs one relaxed load.  Tests arm it before they start
 * the threads that it should hit, so no ordering between the three is needed. */
static _Atomic uint64_t fail_nth;
static _Atomic uint64_t fail_seen;
static _Atomic bool fail_is_sticky;

static bool is_made_to_fail(void)
{
    uint64_t nth = atomic_load_explicit(&fail_nth, memory_order_relaxed);
    if (__builtin_expect(nth == 0, 1)) {
        return false;
    }
    uint64_t number = atomic_fetch_add_explicit(&fail_seen, 1, memory_order_relaxed) + 1;
    return number == nth ||
           (number > nth && atomic_load_explicit(&fail_is_sticky, memory_order_relaxed));
}

void *mem_alloc(size_t size)
{
    return is_made_to_fail() ? NULL : malloc(size > 0 ? size : 1);
}

void *mem_zalloc(size_t size)
{
    if (size > MEM_RECYCLED_MAX) {
        return is_made_to_fail() ? NULL : calloc(1, size);
    }
    void *memory = mem_alloc(size);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void *mem_realloc(void *old, size_t size)
{
    return is_made_to_fail() ? NULL : realloc(old, size > 0 ? size : 1);
}

void *mem_array(size_t count, size_t size)
{
    size_t total;
    return checked_mul_size(count, size, &total) ? mem_zalloc(total) : NULL;
}

void *mem_copy(const void *data, size_t size)
{
    void *copy = mem_alloc(size);
    if (copy != NULL && size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

void *mem_alloc_aligned(size_t alignment, size_t size)
{
    size_t padded;
    if (is_made_to_fail() || !checked_add_size(size > 0 ? size : 1, alignment - 1, &padded)) {
        return NULL;
    }
    if (alignment < sizeof(void *)) {
        return malloc(padded);
    }
    return aligned_alloc(alignment, padded & ~(alignment - 1));
}

void *mem_certain(size_t size)
{
    void *ptr = calloc(1, size > 0 ? size : 1);
    YORE_ASSERT(ptr != NULL);
    return ptr;
}

void *mem_grow_more(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t grown = count < MEM_GROW_MIN ? MEM_GROW_MIN : count;
    size_t total;
    if (!checked_mul_size(grown, 2, &grown) || !checked_mul_size(grown, size, &total) ||
        total > PTRDIFF_MAX) { /* no object is larger */
        return NULL;
    }
    void *moved = mem_realloc(items, total);
    *capacity = moved != NULL ? grown : *capacity;
    return moved;
}

void mem_free(void *ptr)
{
    free(ptr);
}

void mem_fail_at(uint64_t nth, bool is_sticky)
{
    atomic_store_explicit(&fail_nth, 0, memory_order_relaxed);
    atomic_store_explicit(&fail_seen, 0, memory_order_relaxed);
    atomic_store_explicit(&fail_is_sticky, is_sticky, memory_order_relaxed);
    atomic_store_explicit(&fail_nth, nth, memory_order_relaxed);
}

uint64_t mem_count(void)
{
    return atomic_load_explicit(&fail_seen, memory_order_relaxed);
}
