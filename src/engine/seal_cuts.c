/* seal_cuts.c -- see seal_cuts.h.
 *
 * Runs that hold many times the live versions (a large memtable over few keys, an import) make
 * several slices at once: a read then walks over few versions a key that it does not want, and its
 * page over few octets.  How time is spread is told by a sample: some pages of the runs, evenly
 * over the keys, and every version in them.  One pass writes all slices, each to a table of its
 * own, so their number is bounded by what open tables take in memory. */
#include "engine/seal_cuts.h"

#include <stdlib.h>

#include "base/mem.h"

#define SAMPLE_PAGES 64u

/* ---- how many ---- */

struct weight {
    uint64_t live_bytes; /* as user bytes */
    uint64_t bytes;      /* to be cut, likewise */
    uint64_t file_bytes;
};

static struct weight weigh(const struct history_job *job, const struct seal_extent *extent)
{
    struct region_size size;
    region_measure(job->tree, job->region, &size);
    struct weight w = {size.live_bytes, size.run_bytes, size.run_file_bytes};
    if (extent->grown != NULL) {
        w.bytes += size.last_slice_bytes;
        w.file_bytes += size.last_slice_file_bytes;
    }
    /* The present is in the last slice, too, packed as the past is. */
    w.file_bytes += w.bytes == 0
                        ? 0
                        : (uint64_t)((double)w.file_bytes * (double)w.live_bytes / (double)w.bytes);
    w.bytes += w.live_bytes;
    return w;
}

double seal_slices_in(const struct yore_options *options, uint64_t live_bytes, uint64_t bytes,
                      uint64_t file_bytes)
{
    double each = (double)options->seal_versions_per_key * (double)live_bytes;
    double by_versions = each > 0 ? (double)bytes / each : 1;
    double by_bytes = (double)file_bytes / (double)options->seal_bytes_min;
    return by_versions < by_bytes ? by_versions : by_bytes;
}

/* Of the size asked for or a little less or more: what a read costs goes by it. */
size_t seal_slices_rounded(double slices)
{
    return slices > 1.5 ? (size_t)(slices + 0.5) : 1;
}

static size_t slices_wanted(const struct yore_options *options, const struct weight *w)
{
    return seal_slices_rounded(seal_slices_in(options, w->live_bytes, w->bytes, w->file_bytes));
}

/* Open tables hold up to table_bytes each, and memory in proportion. */
static size_t slices_allowed(const struct yore_options *options, const struct weight *w,
                             size_t wanted)
{
    uint64_t each = w->file_bytes / wanted + 1;
    each = each < options->table_bytes ? each : options->table_bytes;
    uint64_t allowed = SEAL_OPEN_BYTES_MAX / each;
    allowed = allowed < SEAL_SLICES_MAX ? allowed : SEAL_SLICES_MAX;
    allowed = allowed < wanted ? allowed : wanted;
    return allowed > 0 ? (size_t)allowed : 1;
}

/* ---- where ---- */

static int by_time(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* Tables that hold what is to be cut: runs, the slice that grows, the levels. */
#define CUT_LISTS (2 + LEVELS_MAX)
struct cut_tables {
    struct forest_file *const *files[CUT_LISTS];
    size_t counts[CUT_LISTS];
};

static enum yore_status sample_tables(const struct history_job *job, const struct cut_tables *t,
                                      struct buffer *times, struct yore_error *error_out)
{
    struct table_sample s = {.low = job_low(job), .high = job_high(job), .times = times};
    enum yore_status st = YORE_OK;
    uint64_t pages = 0;
    for (size_t i = 0; i < CUT_LISTS; i++) {
        for (size_t j = 0; j < t->counts[i]; j++) {
            pages += table_range_pages(t->files[i][j]->table, s.low, s.high);
        }
    }
    s.stride = (uint32_t)(pages / SAMPLE_PAGES + 1);
    for (size_t i = 0; i < CUT_LISTS; i++) {
        for (size_t j = 0; st == YORE_OK && j < t->counts[i]; j++) {
            st = table_sample_times(t->files[i][j]->table, &s, error_out);
        }
    }
    return st == YORE_OK && times->is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
}

/* The times of some of the versions that begin in the extent, in order. */
static enum yore_status sample(const struct history_job *job, const struct seal_extent *extent,
                               struct buffer *times, struct yore_error *error_out)
{
    const struct forest_slice *grown = extent->grown;
    struct cut_tables tables = {{job->region->runs, grown != NULL ? grown->files : NULL},
                                {job->region->run_count, grown != NULL ? grown->file_count : 0}};
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        tables.files[2 + i] = job->tree->levels[i].files;
        tables.counts[2 + i] = job->tree->levels[i].file_count;
    }
    enum yore_status st = sample_tables(job, &tables, times, error_out);
    if (st != YORE_OK) {
        return st;
    }
    int64_t *all = (int64_t *)(void *)times->data;
    size_t kept = 0;
    for (size_t i = 0; i < times->size / sizeof *all; i++) {
        if (all[i] >= extent->t0 && all[i] < extent->t1) {
            all[kept++] = all[i];
        }
    }
    times->size = kept * sizeof *all;
    if (kept > 0) {
        qsort(all, kept, sizeof *all, by_time);
    }
    return YORE_OK;
}

/* Where one of `wanted` equal shares ends, `number` of them. */
static void cut(struct seal_cuts *cuts, const struct buffer *times, size_t number, size_t wanted)
{
    const int64_t *sorted = (const int64_t *)(const void *)times->data;
    size_t count = times->size / sizeof *sorted;
    size_t at = (size_t)((double)count * (double)number / (double)wanted);
    if (at < count && sorted[at] > cuts->times[cuts->count]) {
        cuts->times[++cuts->count] = sorted[at];
    }
}

enum yore_status seal_cuts_make(const struct history_job *job, const struct seal_extent *extent,
                                struct seal_cuts *cuts_out, struct yore_error *error_out)
{
    const struct yore_options *options = &job->db->options;
    const struct weight weight = weigh(job, extent);
    struct seal_cuts cuts = {.times = {extent->t0}, .count = 0};
    struct buffer times = {0};
    enum yore_status st = YORE_OK;
    size_t wanted = slices_wanted(options, &weight);
    size_t allowed = slices_allowed(options, &weight, wanted);
    if (wanted > 1) {
        st = sample(job, extent, &times, error_out);
    }
    for (size_t i = 1; st == YORE_OK && i < wanted && i <= allowed; i++) {
        cut(&cuts, &times, i, wanted);
    }
    buffer_release(&times);
    if (st != YORE_OK) {
        return st;
    }
    if (allowed == wanted || cuts.count == 0) { /* the last one reaches to the end */
        cuts.times[++cuts.count] = extent->t1;
    } else if (extent->grown != NULL && cuts.times[cuts.count] <= extent->grown->t1) {
        /* What was sealed stays sealed, and something more is: else it would be due for ever. */
        cuts.times[cuts.count] = extent->t1;
    }
    *cuts_out = cuts;
    return YORE_OK;
}

size_t seal_cuts_find(const struct seal_cuts *cuts, int64_t time)
{
    size_t low = 0;
    size_t high = cuts->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (cuts->times[middle] <= time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}
