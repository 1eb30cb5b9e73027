/* moments.h -- moments in requests and replies. */
#ifndef YORE_COMMAND_MOMENTS_H
#define YORE_COMMAND_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yore/yore.h>

struct call;
struct reply;

/* Read args[index] as a moment (base/moment.h); false: an error was replied. */
bool moments_take(struct call *call, size_t index, int64_t *moment_out);
/* The same for a moment of a read, which the user must be allowed to look at.  One in the future is
 * answered with what is known now of then: ends that will have passed have. */
bool moments_take_read(struct call *call, size_t index, int64_t *moment_out);
/* The same for a commit, which replies name by its nanoseconds alone. */
bool moments_take_commit(struct call *call, size_t index, int64_t *commit_out);
/* The same for what was known at a moment: one in the future is refused. */
bool moments_take_known(struct call *call, size_t index, int64_t *moment_out);
/* Either of them. */
bool moments_take_looked(struct call *call, size_t index, bool is_known, struct yore_time *at);
/* [AT moment] [KNOWN moment] from args[first] to the last; else the session's moment, or now. */
bool moments_take_at(struct call *call, size_t first, struct yore_time *at_out);
/* As RFC 3339; no end and no begin are null. */
void moments_reply(struct reply *reply, int64_t moment);

#endif
