/* bits.h -- what the commands on bits share. */
#ifndef YORE_COMMAND_BITS_H
#define YORE_COMMAND_BITS_H

#include <stdbool.h>
#include <stddef.h>

#include "command/access.h"

struct call;

/* The entry's value, with zeros behind it up to `size_min` octets.  False: out of memory. */
bool bits_copy(const struct entry *entry, size_t size_min, struct buffer *out);
/* Write it with the end it had, and tell so; nothing where it is what was there.  False: an error
 * was replied. */
bool bits_put(struct call *call, const struct entry *entry, struct yore_bytes whole);

#endif
