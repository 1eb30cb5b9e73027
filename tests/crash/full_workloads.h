/* full_workloads.h -- short scripts while the disk fills up, each from a database that is prepared
 * and not counted.
 *
 * What a script writes is what it costs to try every octet of it, so each does one thing, with few
 * keys, small values, and segments and tables as small as can be.
 */
#ifndef YORE_TEST_CRASH_FULL_WORKLOADS_H
#define YORE_TEST_CRASH_FULL_WORKLOADS_H

#include "crash/crash_run.h"

struct full_workload {
    struct crash_workload workload;         /* its script runs while the disk fills up */
    void (*prepare)(struct crash_run *run); /* before that */
    bool is_opening; /* the disk fills up while the database is opened, too */
    bool is_killed;  /* what was prepared was not closed */
};

extern const struct full_workload full_workloads[];
extern const size_t full_workload_count;

#endif
