/* ttl.h -- times to live in requests: seconds or milliseconds, from now or since 1970. */
#ifndef YORE_COMMAND_TTL_H
#define YORE_COMMAND_TTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct call;

struct ttl_unit {
    bool is_seconds;
    bool is_absolute;
};

/* "EX", "PX", "EXAT", "PXAT"; false: another word. */
bool ttl_unit(struct yore_bytes word, struct ttl_unit *unit_out);
/* The end that `number` names.  `allows_past`: zero and less, and moments before now, are ends too.
 * False: "ERR invalid expire time in 'x' command" was replied, or that it is no number. */
bool ttl_end(struct call *call, struct yore_bytes number, struct ttl_unit unit, bool allows_past,
             int64_t *end_out);
/* A key's end in milliseconds since 1970. */
int64_t ttl_ms(int64_t end);

#endif
