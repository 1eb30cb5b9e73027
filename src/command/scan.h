/* scan.h -- the numbers that stand for positions of SCAN.
 *
 * Clients take a cursor for a number; a position here is a key.  A number may be used again, by
 * any connection, as long as its position is kept.  Positions of all clients together have
 * SCAN_POSITIONS_BYTES_MAX octets.  Where that is full, first those go, oldest first, whose clients
 * have left; then whoever holds most loses its oldest, until there is room: nobody loses one
 * through clients that hold less.
 */
#ifndef YORE_COMMAND_SCAN_H
#define YORE_COMMAND_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "command/name_map.h"
#include "os/thread.h"

struct scan_position;

/* What one client holds; zeroed is nothing.  Under the table's lock. */
struct scan_owner {
    struct scan_position *oldest;
    struct scan_position *newest;
    size_t bytes;
    struct scan_owner *prev; /* the table's, while it holds any */
    struct scan_owner *next;
};

/* Zeroed and initialised by scan_table_init().  Any thread. */
struct scan_table {
    struct os_mutex lock;
    struct name_map positions; /* by number */
    struct scan_owner *owners; /* those that hold any */
    struct scan_owner gone;    /* positions whose clients have left */
    uint64_t next;             /* number of the next position, from 1 on */
    size_t bytes;
};

void scan_table_init(struct scan_table *table);
/* Every owner must have left. */
void scan_table_release(struct scan_table *table);
/* Remember that a scan of `owner` goes on at `key`, which is copied; 0: out of memory. */
uint64_t scan_table_keep(struct scan_table *table, struct scan_owner *owner, struct yore_bytes key);
/* Append the key to `key`; false: it is no longer kept. */
bool scan_table_find(struct scan_table *table, uint64_t number, struct buffer *key);
/* The client leaves: what it holds is kept while there is room. */
void scan_table_leave(struct scan_table *table, struct scan_owner *owner);

#endif
