/* slowlog.h -- requests that took long: a ring of the latest. */
#ifndef YORE_COMMAND_SLOWLOG_H
#define YORE_COMMAND_SLOWLOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "os/thread.h"

struct call;
struct reply;

struct slow_entry {
    struct slow_entry *next; /* older */
    uint64_t id;
    int64_t seconds; /* wall */
    int64_t time_us;
    size_t arg_count;
    struct yore_bytes args[32]; /* in the same block */
    char address[64];
    char name[64];
};

struct slowlog {
    struct os_mutex lock;
    struct slow_entry *newest;
    size_t count;
    uint64_t next_id;
    _Atomic int64_t threshold_us; /* negative: off */
    _Atomic int64_t length_max;
};

void slowlog_init(struct slowlog *log);
void slowlog_release(struct slowlog *log);
/* Note a request if it was slow enough. */
void slowlog_note(struct slowlog *log, const struct call *call, int64_t time_us);
void slowlog_trim(struct slowlog *log, size_t length);

#endif
