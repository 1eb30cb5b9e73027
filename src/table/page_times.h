/* page_times.h -- the times of a page's versions, each once.
 *
 * What one transaction has written has one valid_from and one commit, and a page of history meets
 * it again and again: then a version names its time by number.
 */
#ifndef YORE_TABLE_PAGE_TIMES_H
#define YORE_TABLE_PAGE_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct page_row;

struct page_time {
    int64_t valid_from;
    int64_t commit;
    uint32_t number; /* in the order they were met */
};

/* A zeroed struct is empty. */
struct page_times {
    struct page_time *times; /* ascending by valid_from, then commit */
    uint32_t count;
    int64_t *time_of; /* of each version: which of them */
    struct buffer memory[3];
};

void page_times_release(struct page_times *t);

/* Find the times of `count` rows.  False: most are their own, or memory is out; then nothing is
 * lost by writing them one by one. */
bool page_times_find(struct page_times *t, const struct page_row *rows, uint32_t count);

#endif
