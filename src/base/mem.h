/* mem.h -- the one door to the heap, so that tests can make the n-th allocation fail.
 *
 * Functions behave as their ISO C namesakes; NULL means out of memory and the caller returns
 * YORE_NOMEM. mem_fail_at() is the only global state of the library and is meant for tests: it
 * counts allocations of the whole process (atomically).  Any thread. */
#ifndef YORE_BASE_MEM_H
#define YORE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size); /* size 0 gives a unique pointer too */
void *mem_zalloc(size_t size);
void *mem_realloc(void *old, size_t size);  /* on NULL `old` is still valid */
void *mem_array(size_t count, size_t size); /* zeroed; overflow is NULL */
void *mem_copy(const void *data, size_t size);
void *mem_alloc_aligned(size_t alignment, size_t size); /* power of two; freed by mem_free */
void mem_free(void *ptr);

/* Room for one more item of `size` octets in a growing array of `count` that has room for
 * `*capacity`: the array, moved or not.  NULL: out of memory; array and capacity are as they were.
 *
 *     struct item *grown = mem_grow(list->items, list->count, &list->capacity, sizeof *grown);
 *     if (grown == NULL) {
 *         return YORE_NOMEM;
 *     }
 *     list->items = grown;
 */
void *mem_grow_more(void *items, size_t count, size_t *capacity, size_t size);
static inline void *mem_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    return count < *capacity ? items : mem_grow_more(items, count, capacity, size);
}

/* For devices of tests (the simulated disk): not counted, never made to fail, and the program ends
 * when memory is really out.  Zeroed; freed by mem_free. */
void *mem_certain(size_t size);

/* Test face: allocation number `nth` from now (1 = the next) fails, and every later one too when
 * `is_sticky`; 0 switches it off.  mem_count() is the number of allocations since that call; it
 * counts only while armed, so UINT64_MAX counts without failing. */
void mem_fail_at(uint64_t nth, bool is_sticky);
uint64_t mem_count(void);

#endif
