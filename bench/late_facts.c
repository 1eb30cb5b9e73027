/* late_facts.c -- a storm of late facts: what it costs to write, and what reads pay meanwhile.
 *
 *   late_facts [KEYS [VERSIONS [DIR]]]
 *
 * A history as in rounds.h, dated by the writer (5,000 keys x 100 versions), with its slices
 * sealed. Then facts of random keys, dated anywhere in that past, in batches of 100, until they are
 * 5, 20 and 50 % of the history.  One JSON line a stage: CPU a fact (all threads, until work has
 * settled), octets of tables written for each octet of late facts, the directory, copies among
 * stored versions, and the median of 1,000-key scans, each at another moment: right after the
 * storm, and when work has settled.  One scan in sixteen is compared with what must be there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kv_peers/file_tree.h"
#include "rounds.h"

#define SCANS 800
#define CHECK_EVERY 16
#define LATE_FIRST 1000000u /* the first late fact's round, as its value says */

struct late_fact {
    int64_t valid_from;
    uint32_t round;
    uint32_t next; /* of the same key, written before; UINT32_MAX: none */
};

struct storm {
    struct rounds h;
    struct late_fact *facts;
    uint32_t count;
    uint32_t *newest; /* by key: index of its last fact; UINT32_MAX: none */
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The round whose version of the key holds after so many steps, late facts counted. */
static uint32_t winner(const void *arg, uint32_t key, uint64_t steps)
{
    const struct storm *s = arg;
    const struct rounds *h = &s->h;
    uint32_t round = rounds_at(h, key, steps);
    int64_t moment = rounds_moment(h, steps);
    int64_t valid =
        ROUNDS_BASE_NS + (int64_t)round * h->keys + h->places[(size_t)round * h->keys + key];
    bool is_late = false;
    for (uint32_t i = s->newest[key]; i != UINT32_MAX; i = s->facts[i].next) {
        const struct late_fact *f = &s->facts[i];
        if (f->valid_from <= moment &&
            (f->valid_from > valid || (f->valid_from == valid && !is_late))) {
            valid = f->valid_from;
            round = f->round;
            is_late = true;
        }
    }
    return round;
}

/* ---- writing ---- */

static void write_late(struct storm *s, uint32_t count)
{
    struct rounds *h = &s->h;
    struct yore_error error;
    struct yore_batch *batch = NULL;
    uint64_t span = (uint64_t)h->keys * (h->count - 1);
    s->facts = rounds_need(realloc(s->facts, (s->count + count) * sizeof *s->facts));
    rounds_must(yore_batch_new(h->db, &batch, &error), &error);
    for (uint32_t i = 0; i < count; i++) {
        char key[ROUNDS_KEY_BYTES];
        char value[ROUNDS_VALUE_BYTES];
        uint32_t index = (uint32_t)(rounds_random(h) % h->keys);
        struct late_fact *f = &s->facts[s->count];
        *f = (struct late_fact){ROUNDS_BASE_NS + h->keys + (int64_t)(rounds_random(h) % span),
                                LATE_FIRST + s->count, s->newest[index]};
        struct yore_write write = {.from = f->valid_from, .to = YORE_FOREVER};
        rounds_key(key, index);
        rounds_value(h, value, index, f->round);
        s->newest[index] = s->count++;
        rounds_must(yore_batch_put(batch, NULL, (struct yore_bytes){key, sizeof key},
                                   (struct yore_bytes){value, sizeof value}, &write, &error),
                    &error);
        if (yore_batch_count(batch) == ROUNDS_BATCH || i + 1 == count) {
            rounds_must(yore_batch_commit(batch, YORE_DURABILITY_DEFAULT, NULL, &error), &error);
            yore_batch_clear(batch);
        }
    }
    yore_batch_free(batch);
}

/* ---- reading ---- */

static double scan_us(struct storm *s)
{
    static uint64_t took[SCANS];
    uint64_t batches = s->h.keys / ROUNDS_BATCH;
    size_t kept = 0;
    for (int i = 0; kept < SCANS; i++) {
        uint64_t at = batches + rounds_random(&s->h) % (batches * (s->h.count - 1));
        bool is_checked = i % CHECK_EVERY == 0;
        uint64_t one = rounds_scan(&s->h, at * ROUNDS_BATCH, is_checked ? winner : NULL, s);
        if (!is_checked) {
            took[kept++] = one;
        }
    }
    return rounds_median(took, SCANS) / 1e3;
}

/* ---- stages ---- */

static uint64_t table_bytes_written(struct storm *s)
{
    return rounds_stat(&s->h, "flush_bytes") + rounds_stat(&s->h, "merge_write_bytes") +
           rounds_stat(&s->h, "history_write_bytes");
}

static void stage(struct storm *s, uint32_t percent)
{
    struct rounds *h = &s->h;
    struct yore_error error;
    struct yore_verify_report report;
    uint32_t wanted = (uint32_t)((uint64_t)h->keys * h->count * percent / 100);
    uint32_t count = wanted - s->count;
    uint64_t written = table_bytes_written(s);
    double cpu = cpu_seconds();
    write_late(s, count);
    double busy_us = percent > 0 ? scan_us(s) : 0;
    rounds_settle(h);
    cpu = cpu_seconds() - cpu;
    written = table_bytes_written(s) - written;
    double user_bytes = (double)count * (ROUNDS_KEY_BYTES + 8 + ROUNDS_VALUE_BYTES);
    rounds_must(yore_verify(h->db, NULL, NULL, &report, &error), &error);
    printf("{\"question\":\"late facts\",\"percent\":%u,\"facts\":%u,\"cpu_us_a_fact\":%.2f,"
           "\"written\":%.2f,\"directory_mb\":%.1f,\"copies\":%.4f,\"late_merges\":%" PRIu64
           ",\"busy_scan_us\":%.1f,\"scan_us\":%.1f}\n",
           percent, count, count > 0 ? cpu * 1e6 / count : 0,
           count > 0 ? (double)written / user_bytes : 0, (double)file_tree_bytes(h->path) / 1e6,
           (double)report.copies / (double)(report.copies + report.versions),
           rounds_stat(h, "late_merges"), busy_us, scan_us(s));
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static const uint32_t percents[] = {0, 5, 20, 50};
    struct yore_options options;
    uint32_t keys = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5000;
    uint32_t versions = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 100;
    struct storm s = {.h = {.keys = keys - keys % ROUNDS_BATCH}};
    (void)snprintf(s.h.path, sizeof s.h.path, "%s/late_facts.%ld", argc > 3 ? argv[3] : "/tmp",
                   (long)getpid());
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    options.memtable_bytes = UINT64_C(8) << 20;
    rounds_open(&s.h, &options);
    s.newest = rounds_need(malloc(s.h.keys * sizeof *s.newest));
    memset(s.newest, 0xff, s.h.keys * sizeof *s.newest);
    rounds_write(&s.h, versions);
    rounds_settle(&s.h);
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        stage(&s, percents[i]);
    }
    rounds_close(&s.h);
    free(s.facts);
    free(s.newest);
    return 0;
}
