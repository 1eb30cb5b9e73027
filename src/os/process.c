#include "os/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t count_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;
    while (dir != NULL && readdir(dir) != NULL) {
        count++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count > 3 ? count - 3 : 0; /* ., .. and the one that lists */
}

uint64_t os_process_files_max(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

void os_process_usage(struct os_process_usage *usage_out)
{
    *usage_out = (struct os_process_usage){.open_files = count_files()};
    unsigned long long pages = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%llu %llu", &pages, &resident) == 2) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        usage_out->virtual_bytes = pages * page;
        usage_out->resident_bytes = resident * page;
    }
    if (file != NULL) {
        fclose(file);
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        usage_out->cpu_ns =
            ((int64_t)usage.ru_utime.tv_sec + (int64_t)usage.ru_stime.tv_sec) * 1000000000 +
            ((int64_t)usage.ru_utime.tv_usec + (int64_t)usage.ru_stime.tv_usec) * 1000;
    }
    usage_out->open_files_max = os_process_files_max();
}

const char *os_process_variable(size_t index)
{
    /* The list ends with NULL, and may be NULL itself. */
    return environ != NULL ? environ[index] : NULL;
}

FILE *os_open_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (file == NULL && fd >= 0) {
        int number = errno;
        close(fd);
        errno = number;
    }
    return file;
}

void os_memory_will_fill(void *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = (0 - (uintptr_t)memory) & (page - 1);
    if (size >= before + page) {
        (void)madvise((char *)memory + before, (size - before) & ~(page - 1), MADV_HUGEPAGE);
    }
#else
    (void)memory;
    (void)size;
#endif
}
