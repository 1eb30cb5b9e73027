/* page_times.c -- see page_times.h.  A table by hash finds the times, so that only those are sorted
 * that differ. */
#include "table/page_times.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "table/page_writer.h"

/* Fewer versions do not tell whether times repeat. */
#define VERSIONS_MIN 64u
/* More times than so many of four versions are not worth numbers. */
#define TIMES_OF_FOUR_MAX 3

void page_times_release(struct page_times *t)
{
    for (size_t i = 0; i < sizeof t->memory / sizeof t->memory[0]; i++) {
        buffer_release(&t->memory[i]);
    }
    *t = (struct page_times){0};
}

static void *take(struct buffer *memory, size_t bytes)
{
    buffer_clear(memory);
    memory->is_nomem = false;
    return buffer_extend(memory, bytes);
}

static int compare_times(const void *a, const void *b)
{
    const struct page_time *left = a;
    const struct page_time *right = b;
    if (left->valid_from != right->valid_from) {
        return left->valid_from < right->valid_from ? -1 : 1;
    }
    return left->commit < right->commit ? -1 : left->commit > right->commit;
}

/* The number of a row's time, which is new when it is `t->count`; a slot holds a number from 1 on.
 */
static uint32_t number_of(struct page_times *t, uint32_t *slots, uint32_t slot_count,
                          const struct page_row *row)
{
    uint64_t hash = hash_u64((uint64_t)row->valid_from ^ hash_u64((uint64_t)row->commit));
    uint32_t at = (uint32_t)hash & (slot_count - 1);
    for (; slots[at] != 0; at = (at + 1) & (slot_count - 1)) {
        const struct page_time *time = &t->times[slots[at] - 1];
        if (time->valid_from == row->valid_from && time->commit == row->commit) {
            return slots[at] - 1;
        }
    }
    t->times[t->count] = (struct page_time){row->valid_from, row->commit, t->count};
    slots[at] = ++t->count;
    return t->count - 1;
}

bool page_times_find(struct page_times *t, const struct page_row *rows, uint32_t count)
{
    uint32_t slot_count = VERSIONS_MIN;
    if (count < VERSIONS_MIN) {
        return false;
    }
    while (slot_count < 2 * count) {
        slot_count *= 2;
    }
    t->count = 0;
    t->times = take(&t->memory[0], count * sizeof *t->times);
    t->time_of = take(&t->memory[1], count * sizeof *t->time_of);
    uint32_t *slots = take(&t->memory[2], slot_count * sizeof *slots);
    if (t->times == NULL || t->time_of == NULL || slots == NULL) {
        return false;
    }
    memset(slots, 0, slot_count * sizeof *slots);
    for (uint32_t i = 0; i < count; i++) {
        t->time_of[i] = number_of(t, slots, slot_count, &rows[i]);
        if (i + 1 >= VERSIONS_MIN && t->count > (i + 1) / 4 * TIMES_OF_FOUR_MAX) {
            return false;
        }
    }
    qsort(t->times, t->count, sizeof *t->times, compare_times);
    uint32_t *places = slots; /* the slots are done with */
    for (uint32_t i = 0; i < t->count; i++) {
        places[t->times[i].number] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        t->time_of[i] = places[t->time_of[i]];
    }
    return true;
}
