/* sources.c -- see sources.h. */
#include "engine/sources.h"

#include "base/mem.h"
#include "engine/clip_iter.h"
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
    if (list->count != 1) {
        return source_list_merge_numbered(list, is_as_of, iter_out);
    }
    *iter_out = list->iters[0];
    mem_free(list->iters);
    *list = (struct source_list){0};
    return YORE_OK;
}

enum yore_status source_list_merge_numbered(struct source_list *list, bool is_as_of,
                                            struct version_iter **iter_out)
{
    enum yore_status st = merge_iter_new(list->iters, list->count, is_as_of, iter_out);
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
    struct sealed_span sealed; /* of what is looked for: levels alone */
};

static bool may_hold(const struct all_filter *f, const struct forest_file *file)
{
    return file->meta->commit_max > f->commit_after && file->meta->commit_min <= f->known &&
           file->meta->valid_min <= f->valid_high;
}

static bool level_may_hold(const void *arg, const struct forest_file *file)
{
    const struct all_filter *f = arg;
    return may_hold(f, file) && sealed_span_lacks(&f->sealed, file);
}

/* A run or a slice's file may be shared by regions, and only those that name it have its versions
 * of their keys: what a region has let go of is no part of the database, whoever else names the
 * file. So a file is added once for each stretch of regions that name it. */
struct named_part {
    struct forest_file *file;
    struct yore_bytes low; /* of the regions: kept by the forest */
    struct yore_bytes high;
};

struct history_walk {
    struct source_list *list;
    const struct iter_view *view;
    struct all_filter filter;
    struct yore_bytes low;
    struct yore_bytes high;
    struct named_part *parts;
    size_t part_count;
    size_t part_capacity;
};

/* The part that goes on with `region`; NULL: none. */
static struct named_part *part_before(const struct history_walk *w, const struct forest_file *file,
                                      const struct forest_region *region)
{
    struct yore_bytes low = forest_key_bytes(&region->low);
    if (low.size == 0 || bytes_compare(buffer_bytes(&file->meta->first_key), low) >= 0) {
        return NULL; /* no earlier region has a key of it */
    }
    for (size_t i = w->part_count; i-- > 0;) {
        struct named_part *part = &w->parts[i];
        if (part->file == file) {
            return part->high.size > 0 && bytes_equal(part->high, low) ? part : NULL;
        }
    }
    return NULL;
}

static enum yore_status name_part(struct history_walk *w, struct forest_file *file,
                                  const struct forest_region *region)
{
    struct yore_bytes low = forest_key_bytes(&region->low);
    struct yore_bytes high = forest_key_bytes(&region->high);
    if (!file_overlaps(file, low, high) || !file_overlaps(file, w->low, w->high) ||
        !may_hold(&w->filter, file)) {
        return YORE_OK;
    }
    struct named_part *before = part_before(w, file, region);
    if (before != NULL) {
        before->high = high;
        return YORE_OK;
    }
    struct named_part *grown = mem_grow(w->parts, w->part_count, &w->part_capacity, sizeof *grown);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    w->parts = grown;
    w->parts[w->part_count++] = (struct named_part){file, low, high};
    return YORE_OK;
}

/* Bounds that neither the file nor the walk reaches are left out. */
static enum yore_status add_part(struct history_walk *w, const struct named_part *part)
{
    const struct table_meta *meta = part->file->meta;
    struct yore_bytes none = bytes_of(NULL, 0);
    bool begins_before = part->low.size > 0 &&
                         bytes_compare(buffer_bytes(&meta->first_key), part->low) < 0 &&
                         (w->low.size == 0 || bytes_compare(w->low, part->low) < 0);
    bool ends_behind = part->high.size > 0 &&
                       bytes_compare(buffer_bytes(&meta->last_key), part->high) >= 0 &&
                       (w->high.size == 0 || bytes_compare(part->high, w->high) < 0);
    struct version_iter *iter;
    enum yore_status st = table_iter_new(part->file->table, w->view, &iter);
    if (st == YORE_OK && (begins_before || ends_behind)) {
        st = clip_iter_new(iter, begins_before ? part->low : none, ends_behind ? part->high : none,
                           &iter);
    }
    return st == YORE_OK ? source_list_add(w->list, iter) : st;
}

static bool region_overlaps(const struct forest_region *region, struct yore_bytes low,
                            struct yore_bytes high)
{
    struct yore_bytes region_low = forest_key_bytes(&region->low);
    struct yore_bytes region_high = forest_key_bytes(&region->high);
    return (high.size == 0 || bytes_compare(region_low, high) < 0) &&
           (region_high.size == 0 || low.size == 0 || bytes_compare(low, region_high) < 0);
}

static enum yore_status name_region(struct history_walk *w, const struct forest_region *region,
                                    int64_t valid_low)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < region->run_count; i++) {
        st = name_part(w, region->runs[i], region);
    }
    for (size_t i = region->slice_count; st == YORE_OK && i-- > 0;) { /* as a merge has them */
        const struct forest_slice *slice = &region->slices[i];
        /* The first slice that is left also stands for what was before it, and the last one for
         * what holds on behind it. */
        bool is_wanted = slice->t0 <= w->filter.valid_high &&
                         (slice->t1 > valid_low || i == 0 || i + 1 == region->slice_count);
        for (size_t j = 0; st == YORE_OK && is_wanted && j < slice->file_count; j++) {
            st = name_part(w, slice->files[j], region);
        }
    }
    return st;
}

struct sealed_span sources_sealed(const struct forest_tree *tree, struct yore_bytes low,
                                  struct yore_bytes high, const struct time_span *span)
{
    struct sealed_span sealed = {true, true, INT64_MAX};
    for (size_t i = 0; sealed.is_sealed && i < tree->region_count; i++) {
        const struct forest_region *region = &tree->regions[i];
        if (!region_overlaps(region, low, high)) {
            continue;
        }
        sealed.is_sealed =
            span->until < region_sealed_to(region) && region->slices[0].t0 <= span->after;
        size_t at = sealed.is_sealed ? region_slice_at(region, span->after) : region->slice_count;
        sealed.is_one &= at < region->slice_count && span->until < region->slices[at].t1 &&
                         region->run_count == 0;
        if (at < region->slice_count) { /* later ones know no less (F4) */
            int64_t known = region->slices[at].known;
            sealed.known = known < sealed.known ? known : sealed.known;
        }
    }
    return sealed;
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
                                .filter = {.commit_after = view->commit_after,
                                           .known = view->known,
                                           .valid_high = range->valid_high},
                                .low = low,
                                .high = high};
    const struct forest_tree *tree = forest_tree(superview->forest, keyspace->id);
    enum yore_status st = sources_add_memtables(&list, superview, keyspace->id, view);
    if (st == YORE_OK && tree != NULL) {
        /* As known then, what a slice carries may hide what ended in the span before it. */
        if (view->is_changed_only && range->valid_low > INT64_MIN) {
            walk.filter.sealed = sources_sealed(tree, low, high, &view->changed);
        }
        st = sources_add_levels(&list, tree, low, high, view, level_may_hold, &walk.filter);
        for (size_t i = 0; st == YORE_OK && i < tree->region_count; i++) {
            if (region_overlaps(&tree->regions[i], low, high)) {
                st = name_region(&walk, &tree->regions[i], range->valid_low);
            }
        }
    }
    for (size_t i = 0; st == YORE_OK && i < walk.part_count; i++) {
        st = add_part(&walk, &walk.parts[i]);
    }
    mem_free(walk.parts);
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
