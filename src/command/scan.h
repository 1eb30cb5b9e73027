/* scan.h -- the numbers that stand for positions of SCAN.
 *
 * Clients take a cursor for a number; a position here is a key.  The server keeps the latest
 * SCAN_POSITIONS_MAX of them; a number may be used again, by any connection, until it is pushed
 * out.
 */
#ifndef YORE_COMMAND_SCAN_H
#define YORE_COMMAND_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "os/thread.h"

struct scan_slot {
    uint64_t number; /* 0: free */
    unsigned char *key;
    size_t size;
};

/* A ring; zeroed and initialised by scan_table_init(). */
struct scan_table {
    struct os_mutex lock;
    struct scan_slot *slots;
    uint64_t next; /* number of the next position, from 1 on */
    uint64_t oldest;
    size_t bytes;
};

enum yore_status scan_table_init(struct scan_table *table);
void scan_table_release(struct scan_table *table);
/* Remember that a scan goes on at `key`; 0: out of memory. */
uint64_t scan_table_keep(struct scan_table *table, struct yore_bytes key);
/* Append the key to `key`; false: it is no longer kept. */
bool scan_table_find(struct scan_table *table, uint64_t number, struct buffer *key);

#endif
