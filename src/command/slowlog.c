/* slowlog.c -- the latest slow requests, newest first. */
#include "command/slowlog.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command/call.h"
#include "command/secret.h"

#define MORE_TEXT_BYTES 48

void slowlog_init(struct slowlog *log)
{
    os_mutex_init(&log->lock);
    atomic_init(&log->threshold_us, 10000);
    atomic_init(&log->length_max, 128);
}

void slowlog_release(struct slowlog *log)
{
    slowlog_trim(log, 0);
    os_mutex_release(&log->lock);
}

void slowlog_trim(struct slowlog *log, size_t length)
{
    os_mutex_lock(&log->lock);
    struct slow_entry **at = &log->newest;
    for (size_t i = 0; i < length && *at != NULL; i++) {
        at = &(*at)->next;
    }
    while (*at != NULL) {
        struct slow_entry *entry = *at;
        *at = entry->next;
        mem_free(entry);
        log->count--;
    }
    os_mutex_unlock(&log->lock);
}

/* The octets told of an argument: the first ones, and how many more there are. */
static size_t told_bytes(size_t size)
{
    return size > SLOWLOG_ARG_BYTES_MAX ? SLOWLOG_ARG_BYTES_MAX + MORE_TEXT_BYTES : size;
}

static size_t told_args(const struct call *call)
{
    return call->count > SLOWLOG_ARGS_MAX ? SLOWLOG_ARGS_MAX : call->count;
}

static size_t copy_told(struct yore_bytes arg, char *to)
{
    if (arg.size == 0) { /* it may lie nowhere */
        return 0;
    }
    if (arg.size <= SLOWLOG_ARG_BYTES_MAX) {
        memcpy(to, arg.data, arg.size);
        return arg.size;
    }
    memcpy(to, arg.data, SLOWLOG_ARG_BYTES_MAX);
    int more = snprintf(to + SLOWLOG_ARG_BYTES_MAX, MORE_TEXT_BYTES, "... (%zu more bytes)",
                        arg.size - SLOWLOG_ARG_BYTES_MAX);
    return SLOWLOG_ARG_BYTES_MAX + (size_t)more;
}

static struct slow_entry *make_entry(const struct call *call, int64_t time_us)
{
    struct yore_bytes told[SLOWLOG_ARGS_MAX];
    size_t args = told_args(call);
    size_t bytes = MORE_TEXT_BYTES;
    for (size_t i = 0; i < args; i++) {
        told[i] = secret_told(call, i);
        bytes += told_bytes(told[i].size);
    }
    struct slow_entry *entry = mem_alloc(sizeof *entry + bytes);
    if (entry == NULL) {
        return NULL;
    }
    char *at = (char *)(entry + 1);
    memset(entry, 0, sizeof *entry);
    entry->seconds = os_wall_ns(call->server->env) / 1000000000;
    entry->time_us = time_us;
    entry->arg_count = args;
    for (size_t i = 0; i < args; i++) {
        size_t size;
        if (i == args - 1 && args < call->count) {
            size = (size_t)snprintf(at, MORE_TEXT_BYTES, "... (%zu more arguments)",
                                    call->count - args + 1);
        } else {
            size = copy_told(told[i], at);
        }
        entry->args[i] = bytes_of(at, size);
        at += size;
    }
    snprintf(entry->address, sizeof entry->address, "%s", call->client->address);
    snprintf(entry->name, sizeof entry->name, "%s",
             call->client->name != NULL ? call->client->name : "");
    return entry;
}

void slowlog_note(struct slowlog *log, const struct call *call, int64_t time_us)
{
    int64_t threshold = atomic_load_explicit(&log->threshold_us, memory_order_relaxed);
    int64_t length = atomic_load_explicit(&log->length_max, memory_order_relaxed);
    if (threshold < 0 || time_us < threshold) {
        return;
    }
    struct slow_entry *entry = make_entry(call, time_us);
    if (entry == NULL) {
        return;
    }
    os_mutex_lock(&log->lock);
    entry->id = log->next_id++;
    entry->next = log->newest;
    log->newest = entry;
    log->count++;
    os_mutex_unlock(&log->lock);
    slowlog_trim(log, (size_t)length);
}
