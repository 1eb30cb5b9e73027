/* process.h -- what the system says of this process: for its own metrics, its environment; how its
 * memory is mapped. */
#ifndef YORE_OS_PROCESS_H
#define YORE_OS_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct os_process_usage {
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    int64_t cpu_ns; /* user and system */
    uint64_t open_files;
    uint64_t open_files_max;
};

/* How many files the process may have open; 0: it cannot be told. */
uint64_t os_process_files_max(void);

/* Fields that cannot be told are 0. */
void os_process_usage(struct os_process_usage *usage_out);

/* "NAME=value", the environment's variable number `index`; NULL behind the last. */
const char *os_process_variable(size_t index);

/* Open a file to append to, made with nobody else's permission to read it; NULL: errno says why. */
FILE *os_open_private(const char *path);

/* Advise: all of this memory, megabytes that were not touched yet, will be filled and then walked
 * at random: map it by large pages where the system has them. */
void os_memory_will_fill(void *memory, size_t size);

#endif
