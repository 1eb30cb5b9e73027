/* durations.h -- how long requests took to run, by class, in fixed buckets: what /metrics tells.
 *
 * A class is what a request does, so that a scan does not hide in the time of a thousand reads:
 * its command's row decides, once a class for all of its requests.
 */
#ifndef YORE_COMMAND_DURATIONS_H
#define YORE_COMMAND_DURATIONS_H

#include <stdatomic.h>
#include <stdint.h>

#include "command/command.h"

struct command;

enum duration_class {
    DURATION_READ,  /* of keys it names */
    DURATION_WRITE, /* also EXEC */
    DURATION_WALK,  /* what runs alone: ranges, scans, differences, checks, backups */
    DURATION_GRAPH, /* GRAPH.*, and statements over HTTP and Bolt */
    DURATION_OTHER, /* connections, channels, users, settings */
    DURATION_CLASSES
};

struct durations {
    _Atomic uint64_t counts[COMMAND_DURATION_BUCKETS];
};

enum duration_class duration_class_of(const struct command *command);
/* One request of `time_ns`.  Any thread. */
void durations_note(struct durations *durations, int64_t time_ns);

#endif
