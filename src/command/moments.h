/* moments.h -- moments in requests and replies. */
#ifndef YORE_COMMAND_MOMENTS_H
#define YORE_COMMAND_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct reply;

/* Read args[index] as a moment (base/moment.h); false: an error was replied. */
bool moments_take(struct call *call, size_t index, int64_t *moment_out);
/* The same for a moment of a read, which the user must be allowed to look at. */
bool moments_take_read(struct call *call, size_t index, int64_t *moment_out);
/* As RFC 3339; no end and no begin are null. */
void moments_reply(struct reply *reply, int64_t moment);

#endif
