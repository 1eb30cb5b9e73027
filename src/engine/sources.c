/* sources.c -- see sources.h. */
#include "engine/sources.h"

#include "base/mem.h"
#include "engine/concat_iter.h"
#include "table/merge_iter.h"

void source_list_release(struct source_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        version_iter_free(list->iters[i]);
    }
    mem_free(list->iters);
    *list = (struct source_list){0};
}

enum yore_status source_list_add(struct source_list *list, struct version_iter *iter)
{
    struct version_iter **grown =
        mem_grow(list->iters, list->count, &list->capacity, sizeof *grown);
    if (grown == NULL) {
        version_iter_free(iter);
        return YORE_NOMEM;
    }
    list->iters = grown;
    list->iters[list->count++] = iter;
    return YORE_OK;
}

enum yore_status source_list_add_file(struct source_list *list, struct forest_file *file,
                                      const struct iter_view *view)
{
    struct version_iter *iter;
    enum yore_status st = table_iter_new(file->table, view, &iter);
    return st == YORE_OK ? source_list_add(list, iter) : st;
}

enum yore_status source_list_add_files(struct source_list *list, struct forest_file *const *files,
                                       size_t count, struct yore_bytes low, struct yore_bytes high,
                                       const struct iter_view *view)
{
    size_t first = 0;
    while (first < count && !file_overlaps(files[first], low, high)) {
        first++;
    }
    size_t end = first;
    while (end < count && file_overlaps(files[end], low, high)) {
        end++;
    }
    struct version_iter *iter;
    if (first == end) {
        return YORE_OK;
    }
    if (end - first == 1) {
        return source_list_add_file(list, files[first], view);
    }
    enum yore_status st = concat_iter_new(files + first, end - first, view, &iter);
    return st == YORE_OK ? source_list_add(list, iter) : st;
}

enum yore_status source_list_merge(struct source_list *list, bool is_as_of,
                                   struct version_iter **iter_out)
{
    enum yore_status st = YORE_OK;
    if (list->count == 1) {
        *iter_out = list->iters[0];
    } else {
        st = merge_iter_new(list->iters, list->count, is_as_of, iter_out);
    }
    mem_free(list->iters);
    *list = (struct source_list){0};
    return st;
}

enum yore_status sources_add_memtables(struct source_list *list, struct superview *superview,
                                       uint32_t keyspace, const struct iter_view *view)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i <= superview->waiting_count; i++) {
        struct memtable *m = i == 0 ? superview->active : superview->waiting[i - 1];
        struct memtable_bounds bounds;
        struct version_iter *iter;
        memtable_bounds(m, &bounds);
        bool is_later = view->is_as_of && !memtable_begins_by(m, view->valid, view->known);
        if (is_later || bounds.commit_max <= view->commit_after || !memtable_has(m, keyspace)) {
            continue;
        }
        st = memtable_iter_new(m, keyspace, view, &iter);
        if (st == YORE_OK) {
            st = source_list_add(list, iter);
        }
    }
    return st;
}

/* style: parameters because a filter is a function and its argument. */
enum yore_status sources_add_levels(struct source_list *list, const struct forest_tree *tree,
                                    struct yore_bytes low, struct yore_bytes high,
                                    const struct iter_view *view, source_filter_fn filter,
                                    const void *arg)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        const struct forest_level *level = &tree->levels[i];
        bool is_filtered = i == 0; /* filtered levels are added table by table */
        for (size_t j = 0; j < level->file_count && filter != NULL && !is_filtered; j++) {
            is_filtered =
                file_overlaps(level->files[j], low, high) && !filter(arg, level->files[j]);
        }
        if (!is_filtered) {
            st = source_list_add_files(list, level->files, level->file_count, low, high, view);
        }
        for (size_t j = 0; st == YORE_OK && is_filtered && j < level->file_count; j++) {
            if (file_overlaps(level->files[j], low, high) &&
                (filter == NULL || filter(arg, level->files[j]))) {
                st = source_list_add_file(list, level->files[j], view);
            }
        }
        if (st != YORE_OK) {
            return st;
        }
    }
    return YORE_OK;
}

/* ---- every version ---- */

struct all_filter {
    int64_t commit_after;
    int64_t known;
    int64_t valid_high;
};

static bool may_hold(const void *arg, const struct forest_file *file)
{
    const struct all_filter *f = arg;
    return file->meta->commit_max > f->commit_after && file->meta->commit_min <= f->known &&
           file->meta->valid_min <= f->valid_high;
}

/* A run or slice file is shared by regions: each region's part would come once more, so every file
 * is added once. */
static bool is_seen(struct forest_file *const *seen, size_t count, const struct forest_file *file)
{
    for (size_t i = 0; i < count; i++) {
        if (seen[i] == file) {
            return true;
        }
    }
    return false;
}

struct history_walk {
    struct source_list *list;
    const struct iter_view *view;
    struct all_filter filter;
    struct yore_bytes low;
    struct yore_bytes high;
    struct forest_file **seen;
    size_t seen_count;
    size_t seen_capacity;
};

static enum yore_status add_once(struct history_walk *w, struct forest_file *file)
{
    if (!file_overlaps(file, w->low, w->high) || !may_hold(&w->filter, file) ||
        is_seen(w->seen, w->seen_count, file)) {
        return YORE_OK;
    }
    struct forest_file **grown = mem_grow(w->seen, w->seen_count, &w->seen_capacity, sizeof *grown);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    w->seen = grown;
    w->seen[w->seen_count++] = file;
    return source_list_add_file(w->list, file, w->view);
}

static bool region_overlaps(const struct forest_region *region, struct yore_bytes low,
                            struct yore_bytes high)
{
    struct yore_bytes region_low = forest_key_bytes(&region->low);
    struct yore_bytes region_high = forest_key_bytes(&region->high);
    return (high.size == 0 || bytes_compare(region_low, high) < 0) &&
           (region_high.size == 0 || low.size == 0 || bytes_compare(low, region_high) < 0);
}

static enum yore_status add_region(struct history_walk *w, const struct forest_region *region,
                                   int64_t valid_low)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < region->run_count; i++) {
        st = add_once(w, region->runs[i]);
    }
    for (size_t i = 0; st == YORE_OK && i < region->slice_count; i++) {
        const struct forest_slice *slice = &region->slices[i];
        /* The first slice that is left also stands for what was before it, and the last one for
         * what holds on behind it. */
        bool is_wanted = slice->t0 <= w->filter.valid_high &&
                         (slice->t1 > valid_low || i == 0 || i + 1 == region->slice_count);
        for (size_t j = 0; st == YORE_OK && is_wanted && j < slice->file_count; j++) {
            st = add_once(w, slice->files[j]);
        }
    }
    return st;
}

const struct source_range source_range_all = {.valid_low = INT64_MIN, .valid_high = INT64_MAX};

enum yore_status sources_all(struct superview *superview, struct yore_keyspace *keyspace,
                             const struct source_range *range, const struct iter_view *view,
                             struct version_iter **iter_out, struct yore_error *error_out)
{
    struct yore_bytes low = range->low;
    struct yore_bytes high = range->high;
    struct source_list list = {0};
    struct history_walk walk = {.list = &list,
                                .view = view,
                                .filter = {view->commit_after, view->known, range->valid_high},
                                .low = low,
                                .high = high};
    const struct forest_tree *tree = forest_tree(superview->forest, keyspace->id);
    enum yore_status st = sources_add_memtables(&list, superview, keyspace->id, view);
    if (st == YORE_OK && tree != NULL) {
        st = sources_add_levels(&list, tree, low, high, view, may_hold, &walk.filter);
        for (size_t i = 0; st == YORE_OK && i < tree->region_count; i++) {
            if (region_overlaps(&tree->regions[i], low, high)) {
                st = add_region(&walk, &tree->regions[i], range->valid_low);
            }
        }
    }
    mem_free(walk.seen);
    if (st == YORE_OK) {
        st = source_list_merge(&list, false, iter_out);
    }
    if (st != YORE_OK) {
        source_list_release(&list);
        return error_plain(error_out, st);
    }
    return YORE_OK;
}

enum yore_status sources_of_key(struct superview *superview, struct yore_keyspace *keyspace,
                                const struct source_range *range, const struct iter_view *view,
                                struct version_iter **iter_out, struct yore_error *error_out)
{
    struct buffer high = {0};
    struct source_range of_key = *range;
    buffer_append_bytes(&high, range->low);
    buffer_append_u8(&high, 0); /* the least key after it */
    of_key.high = buffer_bytes(&high);
    struct iter_view of_view = *view;
    of_view.only_key = range->low;
    enum yore_status st =
        high.is_nomem ? error_plain(error_out, YORE_NOMEM)
                      : sources_all(superview, keyspace, &of_key, &of_view, iter_out, error_out);
    buffer_release(&high); /* sources are picked by it, and do not keep it */
    return st;
}
