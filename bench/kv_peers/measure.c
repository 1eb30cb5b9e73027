#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

uint64_t measure_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t measure_thread_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double measure_seconds_since(uint64_t start_ns)
{
    return (double)(measure_now_ns() - start_ns) / 1e9;
}

double measure_cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void measure_sleep_us(uint64_t duration_us)
{
    struct timespec t = {.tv_sec = (time_t)(duration_us / 1000000),
                         .tv_nsec = (long)(duration_us % 1000000) * 1000};
    nanosleep(&t, NULL);
}

void measure_histogram_add(struct measure_histogram *h, uint64_t ns)
{
    uint64_t bucket = ns;
    if (ns >= 32) {
        unsigned exponent = 63u - (unsigned)__builtin_clzll(ns);
        bucket = (exponent - 4) * 32u + (ns >> (exponent - 5) & 31u);
    }
    if (bucket >= MEASURE_BUCKETS) {
        bucket = MEASURE_BUCKETS - 1;
    }
    h->counts[bucket]++;
    h->total++;
}

void measure_histogram_merge(struct measure_histogram *into, const struct measure_histogram *from)
{
    for (int i = 0; i < MEASURE_BUCKETS; i++) {
        into->counts[i] += from->counts[i];
    }
    into->total += from->total;
}

/* So far between the ends of the bucket. */
static double within_bucket_us(unsigned bucket, double part)
{
    if (bucket < 32) {
        return ((double)bucket + part) / 1000.0;
    }
    unsigned exponent = bucket / 32 + 4;
    uint64_t step = UINT64_C(1) << (exponent - 5);
    uint64_t low = (UINT64_C(1) << exponent) + bucket % 32 * step;
    return ((double)low + (double)step * part) / 1000.0;
}

double measure_histogram_us(const struct measure_histogram *h, double fraction)
{
    uint64_t wanted = (uint64_t)(fraction * (double)h->total);
    uint64_t seen = 0;
    for (unsigned i = 0; i < MEASURE_BUCKETS; i++) {
        uint64_t before = seen;
        seen += h->counts[i];
        if (seen > wanted || (seen == h->total && seen > 0)) {
            /* as if those of the bucket lay evenly in it */
            double place = wanted > before ? (double)(wanted - before) : 0;
            return within_bucket_us(i, (place + 0.5) / (double)h->counts[i]);
        }
    }
    return 0;
}

/* The number after `name` in a /proc file of "name: number" lines; 0 when it is not there. */
static uint64_t proc_number(const char *path, const char *name)
{
    char line[256];
    uint64_t value = 0;
    size_t name_size = strlen(name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, name_size) == 0 && line[name_size] == ':') {
            value = strtoull(line + name_size + 1, NULL, 10);
        }
    }
    fclose(file);
    return value;
}

void measure_io_read(struct measure_io *io_out)
{
    io_out->written_bytes = proc_number("/proc/self/io", "wchar");
    io_out->device_bytes = proc_number("/proc/self/io", "write_bytes");
}

void measure_wait_io_idle(double quiet_s, double limit_s)
{
    uint64_t start = measure_now_ns();
    uint64_t last_change = start;
    struct measure_io before;
    measure_io_read(&before);
    while (measure_seconds_since(last_change) < quiet_s && measure_seconds_since(start) < limit_s) {
        struct measure_io now;
        measure_sleep_us(20000);
        measure_io_read(&now);
        if (now.written_bytes - before.written_bytes > 65536) {
            last_change = measure_now_ns();
        }
        before = now;
    }
}

void measure_rss_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file != NULL) {
        fputs("5", file);
        fclose(file);
    }
}

uint64_t measure_rss_peak_kb(void)
{
    return proc_number("/proc/self/status", "VmHWM");
}
