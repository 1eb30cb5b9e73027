/* measure.h -- clocks, latency histograms, and what the process cost the machine. */
#ifndef YORE_MEASURE_H
#define YORE_MEASURE_H

#include <stdint.h>

uint64_t measure_now_ns(void);    /* monotonic */
uint64_t measure_thread_ns(void); /* CPU of the calling thread */
double measure_seconds_since(uint64_t start_ns);
double measure_cpu_seconds(void); /* user and system, all threads of the process */
void measure_sleep_us(uint64_t duration_us);

/* Latencies, 32 linear steps per power of two (3 % wide). */
#define MEASURE_BUCKETS (64 * 32)
struct measure_histogram {
    uint64_t counts[MEASURE_BUCKETS];
    uint64_t total;
};
void measure_histogram_add(struct measure_histogram *h, uint64_t ns);
void measure_histogram_merge(struct measure_histogram *into, const struct measure_histogram *from);
double measure_histogram_us(const struct measure_histogram *h, double fraction);

/* /proc/self/io: write() octets and those that reached the block layer. */
struct measure_io {
    uint64_t written_bytes;
    uint64_t device_bytes;
};
void measure_io_read(struct measure_io *io_out);
/* Flushes and compactions have no common "done" signal: written octets that stand still for
 * `quiet_s` is the one that serves every engine. */
void measure_wait_io_idle(double quiet_s, double limit_s);

void measure_rss_reset(void);
uint64_t measure_rss_peak_kb(void);

#endif
