/* page_room.h -- memory for decoded pages, out of the processor's large pages.
 *
 * A get touches a handful of lines at random all over the cache.  With pages of 4 KiB each of them
 * asks the processor's address tables too, and in a virtual machine those of the host as well.  So
 * a large cache takes chunks of 2 MiB from the system and cuts them into grains; a page takes the
 * first run of free grains that holds it.  Any thread.
 */
#ifndef YORE_TABLE_PAGE_ROOM_H
#define YORE_TABLE_PAGE_ROOM_H

#include <stddef.h>
#include <stdint.h>

struct page_room;

/* NULL: out of memory. */
struct page_room *page_room_new(void);
void page_room_free(struct page_room *room); /* all was given back; NULL is ignored */

/* `bytes` (> 0), aligned to cache lines, after eight octets that are zero and stay so; NULL: out of
 * memory, or more than PAGE_ROOM_MAX. */
void *page_room_take(struct page_room *room, size_t bytes);
void page_room_give(void *memory);

/* A longer run would leave much of its chunk to nobody. */
#define PAGE_ROOM_MAX ((size_t)128 << 10)

/* Octets taken from the system. */
uint64_t page_room_bytes(struct page_room *room);

#endif
