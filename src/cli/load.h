/* load.h -- what a server does between two looks at INFO.
 *
 * INFO is lines "name:value"; commands are lines "cmdstat_<name>:calls=..,usec=..,...", histograms
 * "<name>:count=..,sum=..,p50=..,p95=..,p99=..,max=..".  Counters only grow while a server runs:
 * one that is smaller than before belongs to a server that was started anew, and begins at 0.  Any
 * thread. */
#ifndef YORE_CLI_LOAD_H
#define YORE_CLI_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

#define LOAD_COMMANDS_MAX 512u
#define LOAD_NAME_BYTES 48
#define LOAD_HOT_MAX 8u

enum load_class { LOAD_OTHER, LOAD_READ, LOAD_WRITE };

struct load_command {
    char name[LOAD_NAME_BYTES];
    enum load_class class;
    uint64_t calls;
    uint64_t usec;
};

/* One look. */
struct load_sample {
    int64_t moment_ns; /* monotonic, given by the caller */
    uint64_t uptime_s;
    uint64_t clients;
    uint64_t memory_bytes; /* of memtables */
    uint64_t cache_bytes;
    uint64_t journal_bytes; /* held */
    uint64_t received_bytes;
    uint64_t sent_bytes;
    uint64_t stalls;
    uint64_t stall_us;
    uint64_t commit_p50_us;
    uint64_t commit_p99_us;
    uint64_t read_p50_us;
    uint64_t read_p99_us;
    uint64_t sync_p99_us;
    bool has_failed; /* it takes no writes any more */
    struct load_command commands[LOAD_COMMANDS_MAX];
    size_t command_count;
};

struct load_hot {
    const char *name; /* in the later sample */
    double per_second;
    double mean_us;
};

/* What went on between two of them. */
struct load {
    double seconds;
    double ops; /* commands a second; then by class */
    double reads;
    double writes;
    double others;
    double received; /* octets a second */
    double sent;
    double stalls;
    double stall_ms; /* a second */
    struct load_hot hot[LOAD_HOT_MAX];
    size_t hot_count; /* those that took the most time, first */
};

/* Read the text of INFO; names that are not there leave zeros. */
void load_read(struct load_sample *sample, struct yore_bytes info);
/* Say which commands read or write: `names` as ACL CAT tells them. */
void load_classify(struct load_sample *sample, const struct load_sample *before,
                   enum load_class (*class_of)(const void *arg, const char *name), const void *arg);
struct load load_between(const struct load_sample *before, const struct load_sample *after);

#endif
