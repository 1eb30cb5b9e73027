/* multi.h -- MULTI's queue, WATCH's keys, and the feeds of YORE.WATCH, as a client has them. */
#ifndef YORE_COMMAND_MULTI_H
#define YORE_COMMAND_MULTI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

struct client;
struct command;

/* Keep a request until EXEC; copies.  Errors: YORE_NOMEM, YORE_TOO_BIG (MULTI_BYTES_MAX). */
enum yore_status multi_queue(struct client *client, const struct command *command,
                             const struct yore_bytes *args, size_t count);
/* Drop the queue and leave the state MULTI. */
void multi_discard(struct client *client);
/* End its YORE.WATCH. */
void feed_leave(struct client *client);

#endif
