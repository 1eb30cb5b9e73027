/* latency.h -- events that took longer than latency-monitor-threshold, the latest of each kind. */
#ifndef YORE_COMMAND_LATENCY_H
#define YORE_COMMAND_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#include "command/limits.h"
#include "os/env.h"
#include "os/thread.h"

struct latency_sample {
    int64_t seconds; /* wall */
    uint32_t ms;
};

struct latency_event {
    const char *name; /* a constant; NULL: free */
    uint32_t next;    /* place of the next sample */
    uint32_t count;
    uint32_t max_ms;
    struct latency_sample samples[LATENCY_SAMPLES];
};

struct latency {
    struct os_mutex lock;
    _Atomic int64_t threshold_ms; /* 0: off */
    struct latency_event *events; /* LATENCY_EVENTS_MAX of them */
};

enum yore_status latency_init(struct latency *latency);
void latency_release(struct latency *latency);
/* Note it if it took long enough; `env` tells when that was. */
void latency_note(struct latency *latency, const char *event, int64_t time_ms, struct os_env *env);

#endif
