#include "run.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file_tree.h"

#define CHILD_LIMIT_S 900.0
#define SETTLE_QUIET_S 0.25
#define SETTLE_LIMIT_S 120.0

struct run_result *run_result_new(void)
{
    struct run_result *result = malloc(sizeof *result);
    if (result == NULL) {
        _exit(5);
    }
    run_result_clear(result);
    return result;
}

void run_result_clear(struct run_result *result)
{
    memset(result, 0, sizeof *result);
    result->device_amplification = -1;
}

void run_add_turn(struct run_result *row, struct run_result *turn)
{
    if (turn->ops > 0 && row->turn_count < RUN_TURNS_MAX) {
        row->turns_us[row->turn_count++] =
            measure_histogram_us(turn->cpu.total > 0 ? &turn->cpu : &turn->latency, 0.5);
    }
    row->ops += turn->ops;
    row->rows += turn->rows;
    row->errors += turn->errors;
    row->seconds += turn->seconds;
    row->cpu_seconds += turn->cpu_seconds;
    measure_histogram_merge(&row->latency, &turn->latency);
    measure_histogram_merge(&row->cpu, &turn->cpu);
    run_result_clear(turn);
}

void run_note(struct run_result *result, const char *format, ...)
{
    size_t size = strlen(result->note);
    va_list args;
    if (size > 0 && size + 1 < sizeof result->note) {
        result->note[size++] = ' ';
        result->note[size] = '\0';
    }
    va_start(args, format);
    vsnprintf(result->note + size, sizeof result->note - size, format, args);
    va_end(args);
}

static void emit_head(const struct run *run, const char *workload)
{
    printf("{\"round\":%u,\"engine\":\"%s\",\"version\":\"%s\",\"workload\":\"%s\"",
           run->options.round, run->engine->name, run->engine->version(), workload);
}

void run_emit(const struct run *run, const char *workload, const struct run_result *result)
{
    const struct measure_histogram *h = &result->latency;
    double ops = (double)result->ops;
    emit_head(run, workload);
    printf(",\"ops\":%llu,\"seconds\":%.3f,\"ops_s\":%.0f", (unsigned long long)result->ops,
           result->seconds, result->seconds > 0 ? ops / result->seconds : 0);
    printf(",\"p50_us\":%.3f,\"p99_us\":%.2f,\"p999_us\":%.2f", measure_histogram_us(h, 0.5),
           measure_histogram_us(h, 0.99), measure_histogram_us(h, 0.999));
    if (result->cpu.total > 0) {
        printf(",\"p50_cpu_us\":%.3f", measure_histogram_us(&result->cpu, 0.5));
    }
    printf(",\"cpu_us\":%.3f,\"disk_mb\":%.1f,\"rss_mb\":%.1f",
           result->ops > 0 ? result->cpu_seconds / ops * 1e6 : 0, (double)result->disk_bytes / 1e6,
           (double)measure_rss_peak_kb() / 1024);
    for (unsigned i = 0; i < result->turn_count; i++) {
        printf("%s%.3f%s", i == 0 ? ",\"turns_us\":[" : ",", result->turns_us[i],
               i + 1 == result->turn_count ? "]" : "");
    }
    if (result->device_amplification >= 0) {
        printf(",\"wamp\":%.2f,\"wamp_wchar\":%.2f", result->device_amplification,
               result->written_amplification);
    }
    printf(",\"errors\":%llu,\"note\":\"%s\"}\n", (unsigned long long)result->errors, result->note);
    fflush(stdout);
}

void run_emit_failed(const struct run *run, const char *workload, const char *why)
{
    emit_head(run, workload);
    printf(",\"errors\":1,\"note\":\"FAILED %s\"}\n", why);
    fflush(stdout);
}

void run_path(const struct run *run, const char *database, char path_out[RUN_PATH_BYTES])
{
    snprintf(path_out, RUN_PATH_BYTES, "%s/%s/%s", run->options.dir, run->engine->name, database);
}

void run_remove(const struct run *run, const char *database)
{
    char path[RUN_PATH_BYTES];
    run_path(run, database, path);
    file_tree_remove(path);
}

struct kvp_config run_config(const struct run *run, const char *path)
{
    const struct run_options *o = &run->options;
    return (struct kvp_config){
        .dir = path,
        .cache_bytes = o->cache_bytes,
        .memtable_bytes = run->has_big_memtable ? (size_t)512 << 20 : o->memtable_bytes,
        .map_bytes = (size_t)16 << 30,
        .bloom_bits = o->bloom_bits,
        .compression = o->compression,
        .key_bytes = KVP_KEY_BYTES,
        .background_threads = 2,
    };
}

void *run_open(const struct run *run, const struct kvp_config *config)
{
    void *db = run->engine->open(config);
    if (db == NULL) {
        _exit(3);
    }
    return db;
}

void run_finish_writes(const struct run *run, void *db, struct run_result *result,
                       const struct measure_io *before, double user_bytes)
{
    struct measure_io after;
    uint64_t start = measure_now_ns();
    if (run->engine->settle != NULL && run->engine->settle(db) != 0) {
        result->errors++;
    }
    measure_wait_io_idle(SETTLE_QUIET_S, SETTLE_LIMIT_S);
    double settle_s = measure_seconds_since(start) - SETTLE_QUIET_S;
    measure_io_read(&after);
    if (user_bytes > 0) {
        result->device_amplification =
            (double)(after.device_bytes - before->device_bytes) / user_bytes;
        result->written_amplification =
            (double)(after.written_bytes - before->written_bytes) / user_bytes;
    }
    run_note(result, "settle=%.2fs", settle_s > 0 ? settle_s : 0);
}

void run_emit_status(const struct run *run, const char *workload, int status)
{
    char why[32];
    if (status != 0) {
        snprintf(why, sizeof why, "status=%x", (unsigned)status);
        run_emit_failed(run, workload, why);
    }
}

int run_wait(pid_t pid)
{
    int status = 0;
    uint64_t start = measure_now_ns();
    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (measure_seconds_since(start) > CHILD_LIMIT_S) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        measure_sleep_us(2000);
    }
    return status;
}

int run_child(const struct run *run, run_work_fn work, const void *spec, const char *workload,
              int is_quiet)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        run_emit_failed(run, workload, "fork");
        return -1;
    }
    if (pid == 0) {
        work(run, spec);
        fflush(stdout);
        _exit(0);
    }
    int status = run_wait(pid);
    if (!is_quiet) {
        run_emit_status(run, workload, status);
    }
    return status;
}
