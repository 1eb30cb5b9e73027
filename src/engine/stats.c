/* stats.c -- yore_stats(): the counters and histograms of stats.h, and gauges asked for at the
 * call. */
#include "engine/stats.h"

#include <assert.h>

#include "engine/db_internal.h"
#include "table/page_cache.h"

/* ---- gauges ---- */

#define GAUGES(X)                                                                                  \
    X(now_ns, "the database's now, nanoseconds since 1970")                                        \
    X(commit_newest_ns, "last visible commit, nanoseconds since 1970; 0: none")                    \
    X(commit_oldest_ns, "oldest commit of a version still kept, nanoseconds since 1970; 0: none")  \
    X(commit_flushed_ns, "every commit up to this one is in tables")                               \
    X(commit_durable_ns, "last commit known to be on stable storage")                              \
    X(is_failed, "1 when writes are refused until the database is opened again")                   \
    X(memtable_bytes, "memory of the memtable being written and of those waiting")                 \
    X(waiting_memtables, "full memtables waiting to be flushed")                                   \
    X(journal_held_bytes, "octets of all journal segments, spares included")                       \
    X(tables, "table files")                                                                       \
    X(table_bytes, "octets of all table files")                                                    \
    X(versions, "versions in tables, carried copies included")                                     \
    X(carried_versions, "of those, copies carried into slices")                                    \
    X(unresolved_versions, "back-dated versions that have not met every deeper source yet")        \
    X(level0_tables, "tables of level 0, the keyspace with the most")                              \
    X(level0_bytes, "octets of level 0, all keyspaces")                                            \
    X(level1_bytes, "octets of level 1, all keyspaces")                                            \
    X(level2_bytes, "octets of level 2, all keyspaces")                                            \
    X(level3_bytes, "octets of level 3, all keyspaces")                                            \
    X(level4_bytes, "octets of level 4, all keyspaces")                                            \
    X(level5_bytes, "octets of level 5, all keyspaces")                                            \
    X(level6_bytes, "octets of level 6, all keyspaces")                                            \
    X(history_regions, "key regions of the history")                                               \
    X(history_runs, "runs of the history, counted once a region")                                  \
    X(history_runs_most, "runs of the region with the most")                                       \
    X(history_slices, "sealed slices")                                                             \
    X(history_bytes, "octets of the history's tables")                                             \
    X(value_files, "files of large values")                                                        \
    X(value_file_bytes, "octets of the files of large values")                                     \
    X(value_fresh_bytes, "of those, octets never looked through for what nothing refers to")       \
    X(cache_capacity_bytes, "bound of the page cache")                                             \
    X(cache_used_bytes, "pages, indexes and filters in memory")                                    \
    X(cache_charged_bytes, "of those, indexes and filters of open tables")                         \
    X(cache_over_bytes, "pages pinned past the cache's bound")                                     \
    X(keyspaces, "keyspaces that are not dropped, the catalogue included")                         \
    X(erasures, "erasures held in memory: of spans, or with bytes that have not left yet")         \
    X(erasures_pending, "1 while files may still hold erased values")                              \
    X(open_snapshots, "snapshots and transactions that hold a moment")                             \
    X(oldest_snapshot_ns, "the oldest of these moments, nanoseconds since 1970; 0: none")          \
    X(jobs_running, "flushes, merges and other work running now")                                  \
    X(level0_most, "tables of the fullest level 0, a load's as one: writers slow down by it")

/* What the cache counts itself. */
#define CACHE_COUNTERS(X)                                                                          \
    X(cache_hits, "pages found in the cache")                                                      \
    X(cache_misses, "pages read from files")                                                       \
    X(cache_evictions, "pages that made room for others")

enum gauge {
#define GAUGE_ENUM(name, help) GAUGE_##name,
    GAUGES(GAUGE_ENUM)
#undef GAUGE_ENUM
        GAUGE_COUNT
};

struct gauges {
    uint64_t of[GAUGE_COUNT];
    int64_t commit_min; /* over tables and memtables */
};

static_assert(LEVELS_MAX == 7, "one gauge a level");

static uint64_t moment_value(int64_t moment)
{
    return moment > 0 && moment != INT64_MAX ? (uint64_t)moment : 0;
}

static void raise_to(uint64_t *gauge, uint64_t value)
{
    *gauge = value > *gauge ? value : *gauge;
}

static void count_file(void *arg, struct forest_file *file)
{
    struct gauges *g = arg;
    g->of[GAUGE_tables]++;
    g->of[GAUGE_table_bytes] += file->meta->file_bytes;
    g->of[GAUGE_versions] += file->meta->version_count;
    g->of[GAUGE_carried_versions] += file->meta->carried_count;
    if (file->meta->commit_min < g->commit_min) {
        g->commit_min = file->meta->commit_min;
    }
}

static void count_tree(struct gauges *g, const struct forest_tree *tree)
{
    uint64_t before = g->of[GAUGE_table_bytes];
    tree_each_file(tree, count_file, g);
    uint64_t level_bytes = 0;
    for (uint32_t i = 0; i < LEVELS_MAX; i++) {
        g->of[GAUGE_level0_bytes + i] += tree->levels[i].bytes;
        level_bytes += tree->levels[i].bytes;
    }
    g->of[GAUGE_history_bytes] += g->of[GAUGE_table_bytes] - before - level_bytes;
    g->of[GAUGE_unresolved_versions] += tree->unresolved_count;
    raise_to(&g->of[GAUGE_level0_tables], tree->levels[0].file_count);
    g->of[GAUGE_history_regions] += tree->region_count;
    for (size_t i = 0; i < tree->region_count; i++) {
        g->of[GAUGE_history_runs] += tree->regions[i].run_count;
        g->of[GAUGE_history_slices] += tree->regions[i].slice_count;
        raise_to(&g->of[GAUGE_history_runs_most], tree->regions[i].run_count);
    }
}

static void count_forest(struct yore_db *db, struct gauges *g, const struct forest *forest)
{
    for (size_t i = 0; i < forest->tree_count; i++) {
        count_tree(g, forest->trees[i]);
    }
    for (size_t i = 0; i < forest->value_file_count; i++) {
        g->of[GAUGE_value_files]++;
        const struct value_file_info *info = &forest->value_files[i];
        g->of[GAUGE_value_file_bytes] += info->kept_bytes > 0 ? info->kept_bytes : info->bytes;
        g->of[GAUGE_value_fresh_bytes] += info->kept_bytes > 0 ? 0 : info->bytes;
    }
    uint64_t open_bytes;
    (void)values_writing(db->values, &open_bytes);
    g->of[GAUGE_value_file_bytes] += open_bytes;
    g->of[GAUGE_value_fresh_bytes] += open_bytes;
    g->of[GAUGE_commit_flushed_ns] = moment_value(forest->flushed_commit);
}

static void count_memtables(struct gauges *g, const struct superview *view)
{
    for (size_t i = 0; i <= view->waiting_count; i++) {
        struct memtable_bounds bounds;
        memtable_bounds(i == 0 ? view->active : view->waiting[i - 1], &bounds);
        g->of[GAUGE_memtable_bytes] += bounds.bytes;
        if (bounds.commit_min < g->commit_min) {
            g->commit_min = bounds.commit_min;
        }
    }
    g->of[GAUGE_waiting_memtables] = view->waiting_count;
}

static void count_shared(struct yore_db *db, struct gauges *g)
{
    os_mutex_lock(&db->lock);
    g->of[GAUGE_jobs_running] = db->jobs_running;
    g->of[GAUGE_erasures_pending] = db->is_erase_pending;
    for (const struct yore_snapshot *s = db->snapshots.first; s != NULL; s = s->next) {
        g->of[GAUGE_open_snapshots]++;
    }
    if (db->snapshots.first != NULL) {
        g->of[GAUGE_oldest_snapshot_ns] = moment_value(db->snapshots.first->commit);
    }
    g->of[GAUGE_keyspaces] = db->living_count;
    os_mutex_unlock(&db->lock);
    g->of[GAUGE_is_failed] = !db->options.read_only && atomic_load(&db->failed_status) != YORE_OK;
    g->of[GAUGE_level0_most] = atomic_load(&db->level0_max);
}

static void fill_gauges(struct yore_db *db, const struct page_cache_stats *cache, struct gauges *g)
{
    int64_t ignored;
    struct superview *view = superview_acquire(db);
    *g = (struct gauges){.commit_min = INT64_MAX};
    g->of[GAUGE_now_ns] = moment_value(db_now(db));
    g->of[GAUGE_commit_newest_ns] = moment_value(atomic_load(&db->visible));
    g->of[GAUGE_commit_durable_ns] = moment_value(journal_durable_commit(db->journal));
    journal_usage(db->journal, &g->of[GAUGE_journal_held_bytes], &ignored);
    count_memtables(g, view);
    count_forest(db, g, view->forest);
    g->of[GAUGE_commit_oldest_ns] = moment_value(g->commit_min);
    g->of[GAUGE_erasures] = erase_set_count(view->erased);
    g->of[GAUGE_cache_capacity_bytes] = cache->capacity_bytes;
    g->of[GAUGE_cache_used_bytes] = cache->used_bytes;
    g->of[GAUGE_cache_charged_bytes] = cache->charged_bytes;
    g->of[GAUGE_cache_over_bytes] = cache->pinned_over_bytes;
    superview_release(view);
    count_shared(db, g);
}

/* ---- telling ---- */

static void tell_histogram(const struct histogram *h, struct yore_stat *stat)
{
    stat->kind = YORE_STAT_HISTOGRAM;
    stat->value = atomic_load_explicit(&h->count, memory_order_relaxed);
    stat->sum = atomic_load_explicit(&h->sum, memory_order_relaxed);
    stat->max = atomic_load_explicit(&h->max, memory_order_relaxed);
    stat->p50 = histogram_quantile(h, 0.50);
    stat->p95 = histogram_quantile(h, 0.95);
    stat->p99 = histogram_quantile(h, 0.99);
}

void yore_stats(struct yore_db *db, void (*each)(void *arg, const struct yore_stat *stat),
                void *arg)
{
    if (db == NULL || each == NULL) {
        return;
    }
    struct row {
        const char *name;
        const char *help;
    };
#define ROW(name, help) {#name, help},
    static const struct row counters[] = {STATS_COUNTERS(ROW)};
    static const struct row histograms[] = {STATS_HISTOGRAMS(ROW)};
    static const struct row gauge_rows[] = {GAUGES(ROW)};
    static const struct row cache_rows[] = {CACHE_COUNTERS(ROW)};
#undef ROW
    struct page_cache_stats cache;
    struct gauges gauges;
    page_cache_stats(db->cache, &cache);
    fill_gauges(db, &cache, &gauges);
    const uint64_t cache_values[] = {cache.hits, cache.misses, cache.evictions};
    for (size_t i = 0; i < STATS_COUNTER_COUNT; i++) {
        struct yore_stat stat = {.name = counters[i].name,
                                 .help = counters[i].help,
                                 .kind = YORE_STAT_COUNTER,
                                 .value = stats_counter(&db->stats, (enum stats_counter)i)};
        each(arg, &stat);
    }
    for (size_t i = 0; i < sizeof cache_rows / sizeof cache_rows[0]; i++) {
        struct yore_stat stat = {.name = cache_rows[i].name,
                                 .help = cache_rows[i].help,
                                 .kind = YORE_STAT_COUNTER,
                                 .value = cache_values[i]};
        each(arg, &stat);
    }
    for (size_t i = 0; i < GAUGE_COUNT; i++) {
        struct yore_stat stat = {.name = gauge_rows[i].name,
                                 .help = gauge_rows[i].help,
                                 .kind = YORE_STAT_GAUGE,
                                 .value = gauges.of[i]};
        each(arg, &stat);
    }
    for (size_t i = 0; i < STATS_HISTOGRAM_COUNT; i++) {
        struct yore_stat stat = {.name = histograms[i].name, .help = histograms[i].help};
        tell_histogram(&db->stats.histograms[i], &stat);
        each(arg, &stat);
    }
}
