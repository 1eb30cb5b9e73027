/* usage.c -- what one keyspace takes, and what its retention will free.
 *
 * Everything is told from the descriptions of tables in the forest.  A file may be named by several
 * regions: it counts once, and is freeable when everything that names it is.  Of a table that will
 * be written anew what goes is estimated: so many versions at least, and their share of its bytes.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/history_job.h"

struct file_list {
    const struct forest_file **files;
    size_t count;
    size_t capacity;
};

static bool add(struct file_list *list, const struct forest_file *file)
{
    const struct forest_file **grown =
        mem_grow(list->files, list->count, &list->capacity, sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    list->files = grown;
    list->files[list->count++] = file;
    return true;
}

static int compare_numbers(const void *left, const void *right)
{
    const struct forest_file *const *a = left;
    const struct forest_file *const *b = right;
    uint64_t x = (*a)->meta->file;
    uint64_t y = (*b)->meta->file;
    return x < y ? -1 : x > y;
}

/* Ascending by number, each once. */
static void settle(struct file_list *list)
{
    size_t kept = 0;
    if (list->count > 0) {
        qsort(list->files, list->count, sizeof(*list->files), compare_numbers);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (kept == 0 || list->files[kept - 1] != list->files[i]) {
            list->files[kept++] = list->files[i];
        }
    }
    list->count = kept;
}

static bool has(const struct file_list *list, const struct forest_file *file)
{
    return list->count > 0 &&
           bsearch(&file, list->files, list->count, sizeof(*list->files), compare_numbers) != NULL;
}

/* The tables of the past: those that something keeps, and those that something lets go. */
struct past {
    struct file_list kept;
    struct file_list over;
    struct file_list trimmed_runs; /* of those that are kept: what will be written anew */
    struct file_list trimmed_slices;
    bool is_all_over; /* nothing is kept */
};

/* The tables of the region that the next trim writes anew. */
static bool list_trimmed(struct past *past, const struct forest_region *region,
                         const struct retention *r)
{
    bool is_done = true;
    for (size_t i = 0; i < region->run_count && is_done; i++) {
        if (trim_run_is_due(region->runs[i], r) &&
            !retention_run_is_over(region, region->runs[i], r)) {
            is_done = add(&past->trimmed_runs, region->runs[i]);
        }
    }
    if (trim_last_slice_is_due(region, r)) {
        const struct forest_slice *last = region_last_slice(region);
        for (size_t i = 0; i < last->file_count && is_done; i++) {
            is_done = add(&past->trimmed_slices, last->files[i]);
        }
    }
    return is_done;
}

static bool list_region(struct past *past, const struct superview *view,
                        const struct forest_tree *tree, const struct forest_region *region,
                        const struct retention *r)
{
    size_t over =
        past->is_all_over ? region->slice_count : retention_slices_over(view, tree, region, r);
    bool is_done = past->is_all_over || list_trimmed(past, region, r);
    for (size_t i = 0; i < region->slice_count; i++) {
        struct file_list *list = i < over ? &past->over : &past->kept;
        for (size_t j = 0; j < region->slices[i].file_count && is_done; j++) {
            is_done = add(list, region->slices[i].files[j]);
        }
    }
    for (size_t i = 0; i < region->run_count && is_done; i++) {
        bool is_over = past->is_all_over || retention_run_is_over(region, region->runs[i], r);
        is_done = add(is_over ? &past->over : &past->kept, region->runs[i]);
    }
    return is_done;
}

static void count_present(struct yore_keyspace_usage *usage, const struct forest_tree *tree)
{
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        usage->present_bytes += tree->levels[i].bytes;
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            usage->present_versions += tree->levels[i].files[j]->meta->version_count;
        }
    }
}

/* `surplus` of the file's versions will go. */
static void count_surplus(struct yore_keyspace_usage *usage, const struct table_meta *meta,
                          uint64_t surplus)
{
    double share = (double)surplus / (double)meta->version_count;
    usage->freeable_versions += surplus;
    usage->freeable_bytes += (uint64_t)((double)meta->file_bytes * share);
}

static void count_trimmed(struct yore_keyspace_usage *usage, struct past *past)
{
    settle(&past->trimmed_runs);
    settle(&past->trimmed_slices);
    for (size_t i = 0; i < past->trimmed_runs.count; i++) {
        const struct forest_file *run = past->trimmed_runs.files[i];
        count_surplus(usage, run->meta, trim_run_surplus(run));
    }
    for (size_t i = 0; i < past->trimmed_slices.count; i++) {
        const struct table_meta *meta = past->trimmed_slices.files[i]->meta;
        count_surplus(usage, meta, meta->version_count - meta->key_count);
    }
}

static void count_past(struct yore_keyspace_usage *usage, struct past *past)
{
    settle(&past->kept);
    settle(&past->over);
    for (size_t i = 0; i < past->over.count; i++) {
        const struct table_meta *meta = past->over.files[i]->meta;
        if (!has(&past->kept, past->over.files[i])) {
            usage->freeable_bytes += meta->file_bytes;
            usage->freeable_versions += meta->version_count;
            usage->past_bytes += meta->file_bytes;
            usage->past_versions += meta->version_count - meta->carried_count;
            usage->past_copies += meta->carried_count;
        }
    }
    for (size_t i = 0; i < past->kept.count; i++) {
        const struct table_meta *meta = past->kept.files[i]->meta;
        usage->past_bytes += meta->file_bytes;
        usage->past_versions += meta->version_count - meta->carried_count;
        usage->past_copies += meta->carried_count;
    }
}

static void count_memory(struct yore_keyspace_usage *usage, const struct superview *view,
                         uint32_t keyspace)
{
    for (size_t i = 0; i <= view->waiting_count; i++) {
        uint64_t count;
        uint64_t bytes;
        memtable_usage(i == 0 ? view->active : view->waiting[i - 1], keyspace, &count, &bytes);
        usage->memory_versions += count;
        usage->memory_bytes += bytes;
    }
}

enum yore_status yore_keyspace_usage(struct yore_db *db, struct yore_keyspace *keyspace,
                                     struct yore_keyspace_usage *usage_out,
                                     struct yore_error *error_out)
{
    if (db == NULL || usage_out == NULL) {
        return error_null(error_out, __func__, "db, usage_out");
    }
    struct past past = {0};
    struct retention r;
    bool is_done = true;
    int64_t now = db_now(db);
    error_clear(error_out);
    keyspace = keyspace_or_default(db, keyspace);
    retention_of(db, keyspace, &r);
    int64_t due = retention_horizon_at(keyspace, now);
    r.horizon = due < r.oldest_snapshot ? due : r.oldest_snapshot;
    past.is_all_over = retention_is_all_over(db, keyspace);
    *usage_out = (struct yore_keyspace_usage){
        .oldest =
            r.is_only_now ? now : atomic_load_explicit(&keyspace->horizon, memory_order_acquire)};
    struct superview *view = superview_acquire(db);
    const struct forest_tree *tree = forest_tree(view->forest, keyspace->id);
    count_memory(usage_out, view, keyspace->id);
    if (tree != NULL) {
        count_present(usage_out, tree);
        usage_out->freeable_bytes = past.is_all_over ? usage_out->present_bytes : 0;
        usage_out->freeable_versions = past.is_all_over ? usage_out->present_versions : 0;
        for (size_t i = 0; i < tree->region_count && is_done; i++) {
            is_done = list_region(&past, view, tree, &tree->regions[i], &r);
        }
        count_past(usage_out, &past);
        count_trimmed(usage_out, &past);
    }
    superview_release(view);
    mem_free(past.kept.files);
    mem_free(past.over.files);
    mem_free(past.trimmed_runs.files);
    mem_free(past.trimmed_slices.files);
    if (!is_done) {
        *usage_out = (struct yore_keyspace_usage){0};
        return error_plain(error_out, YORE_NOMEM);
    }
    return YORE_OK;
}
