/* latency.c -- a ring of samples for each kind of event. */
#include "command/latency.h"

#include <string.h>

#include "base/mem.h"

enum yore_status latency_init(struct latency *latency)
{
    os_mutex_init(&latency->lock);
    latency->events = mem_array(LATENCY_EVENTS_MAX, sizeof *latency->events);
    return latency->events != NULL ? YORE_OK : YORE_NOMEM;
}

void latency_release(struct latency *latency)
{
    mem_free(latency->events);
    os_mutex_release(&latency->lock);
}

void latency_note(struct latency *latency, const char *event, int64_t time_ms, struct os_env *env)
{
    int64_t threshold = atomic_load_explicit(&latency->threshold_ms, memory_order_relaxed);
    if (threshold == 0 || time_ms < threshold) {
        return;
    }
    uint32_t ms = time_ms < UINT32_MAX ? (uint32_t)time_ms : UINT32_MAX;
    int64_t seconds = os_wall_ns(env) / 1000000000;
    os_mutex_lock(&latency->lock);
    size_t i = 0;
    while (i < LATENCY_EVENTS_MAX && latency->events[i].name != NULL &&
           strcmp(latency->events[i].name, event) != 0) {
        i++;
    }
    if (i < LATENCY_EVENTS_MAX) {
        struct latency_event *at = &latency->events[i];
        uint32_t last = (at->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES;
        at->name = event;
        at->max_ms = ms > at->max_ms ? ms : at->max_ms;
        if (at->count > 0 && at->samples[last].seconds == seconds) {
            at->samples[last].ms = ms > at->samples[last].ms ? ms : at->samples[last].ms;
        } else {
            at->samples[at->next] = (struct latency_sample){seconds, ms};
            at->next = (at->next + 1) % LATENCY_SAMPLES;
            at->count += at->count < LATENCY_SAMPLES ? 1 : 0;
        }
    }
    os_mutex_unlock(&latency->lock);
}
