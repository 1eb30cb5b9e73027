/* stats.h -- what the engine counts: one list, from which yore_stats() is made.
 *
 * Counters are spread over shards by thread, so that counting costs no shared cache line; relaxed
 * throughout.  Gauges are asked for when they are read.  Histograms are in microseconds; reads are
 * sampled (one in STATS_READ_SAMPLE).
 */
#ifndef YORE_ENGINE_STATS_H
#define YORE_ENGINE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/histogram.h"
#include "os/thread.h"

#define STATS_READ_SAMPLE 64u

#define STATS_COUNTERS(X)                                                                          \
    X(commits, "transactions committed")                                                           \
    X(writes, "facts written: puts, deletes, erasures and the copies spans need")                  \
    X(write_bytes, "octets of keys and values written")                                            \
    X(conflicts, "transactions refused because what they read had changed")                        \
    X(reads, "keys read")                                                                          \
    X(reads_absent, "keys read and not found")                                                     \
    X(reads_from_memtable, "reads answered by a memtable")                                         \
    X(reads_from_l0, "reads answered by a table of level 0")                                       \
    X(reads_from_levels, "reads answered by a deeper level")                                       \
    X(reads_from_runs, "reads answered by an unsealed run of history")                             \
    X(reads_from_slices, "reads answered by a slice's own version")                                \
    X(reads_from_late_runs, "reads answered by a run of late facts")                               \
    X(reads_from_carried, "reads answered by a carried copy")                                      \
    X(look_backs, "reads that had to look into an earlier slice")                                  \
    X(scan_rows, "rows given out by cursors, counted when they close")                             \
    X(groups, "group commits")                                                                     \
    X(syncs, "syncs of the journal for commits")                                                   \
    X(journal_bytes, "octets appended to the journal")                                             \
    X(flushes, "memtables written to tables")                                                      \
    X(flush_bytes, "octets written by flushes")                                                    \
    X(merges, "merges of the current tree")                                                        \
    X(merge_read_bytes, "octets read by merges of the current tree")                               \
    X(merge_write_bytes, "octets written by merges of the current tree")                           \
    X(run_merges, "merges of history runs")                                                        \
    X(seals, "slices sealed")                                                                      \
    X(late_merges, "merges of late facts into slices")                                             \
    X(history_write_bytes, "octets written by work on history")                                    \
    X(carried_copies, "copies carried into slices")                                                \
    X(slices_dropped, "slices given back by retention")                                            \
    X(runs_dropped, "runs of history given back by retention, once a region")                      \
    X(trims, "times runs or a slice of a region were written anew for retention")                  \
    X(versions_trimmed, "versions dropped by retention")                                           \
    X(files_purged, "files rewritten without erased values")                                       \
    X(stalls, "times a writer was slowed down or stopped")                                         \
    X(stall_us, "microseconds writers were slowed down or stopped")                                \
    X(clock_jumps, "steps of the wall clock that were noticed")                                    \
    X(loads, "bulk loads committed")                                                               \
    X(load_bytes, "octets of tables that bulk loads brought")                                      \
    X(values_apart, "values written to value files")                                               \
    X(values_apart_bytes, "octets written to value files")                                         \
    X(collect_versions, "versions looked at to find what value files still need")                  \
    X(feed_versions, "versions looked at by feeds that are rebuilt from tables")

#define STATS_HISTOGRAMS(X)                                                                        \
    X(commit_latency_us, "from the call to the acknowledgement")                                   \
    X(sync_latency_us, "one sync of the journal")                                                  \
    X(read_latency_us, "one key read (sampled)")                                                   \
    X(flush_latency_us, "one flush")                                                               \
    X(merge_latency_us, "one merge of the current tree")                                           \
    X(seal_latency_us, "one piece of work on history")

enum stats_counter {
#define STATS_ENUM(name, help) STAT_##name,
    STATS_COUNTERS(STATS_ENUM)
#undef STATS_ENUM
        STATS_COUNTER_COUNT
};

enum stats_histogram {
#define STATS_ENUM(name, help) HIST_##name,
    STATS_HISTOGRAMS(STATS_ENUM)
#undef STATS_ENUM
        STATS_HISTOGRAM_COUNT
};

#define STATS_SHARDS 8u

struct stats {
    struct {
        _Alignas(64) _Atomic uint64_t counters[STATS_COUNTER_COUNT];
    } shards[STATS_SHARDS];
    struct histogram histograms[STATS_HISTOGRAM_COUNT];
};

/* Returns what the calling thread's shard had counted before. */
static inline uint64_t stats_add(struct stats *s, enum stats_counter counter, uint64_t n)
{
    _Atomic uint64_t *cell = &s->shards[os_thread_id() % STATS_SHARDS].counters[counter];
    return atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

static inline uint64_t stats_counter(const struct stats *s, enum stats_counter counter)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < STATS_SHARDS; i++) {
        sum += atomic_load_explicit(&s->shards[i].counters[counter], memory_order_relaxed);
    }
    return sum;
}

#endif
