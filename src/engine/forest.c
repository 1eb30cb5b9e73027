/* forest.c -- life, look-ups and checks of the immutable description; forest_apply.c changes it. */
#include "engine/forest.h"

#include "base/mem.h"
#include "engine/forest_internal.h"

enum yore_status forest_file_new(struct table *table, int64_t erase_seen, int64_t known,
                                 struct forest_file **file_out)
{
    struct forest_file *file = mem_zalloc(sizeof *file);
    if (file == NULL) {
        table_close(table);
        return YORE_NOMEM;
    }
    atomic_init(&file->refs, 1);
    file->table = table;
    file->meta = table_meta(table);
    file->erase_seen = erase_seen;
    file->known = known;
    *file_out = file;
    return YORE_OK;
}

struct forest_file *forest_file_ref(struct forest_file *file)
{
    atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
    return file;
}

void forest_file_unref(struct forest_file *file)
{
    /* acq_rel: the last holder sees what every other did with the handle before it closes it. */
    if (file != NULL && atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) == 1) {
        table_close(file->table);
        mem_free(file);
    }
}

static void files_release(struct forest_file **files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        forest_file_unref(files[i]);
    }
    mem_free(files);
}

void slice_release(struct forest_slice *slice)
{
    files_release(slice->files, slice->file_count);
    *slice = (struct forest_slice){0};
}

void region_release(struct forest_region *region)
{
    for (size_t i = 0; i < region->slice_count; i++) {
        slice_release(&region->slices[i]);
    }
    mem_free(region->slices);
    files_release(region->runs, region->run_count);
    mem_free(region->low.data);
    mem_free(region->high.data);
    *region = (struct forest_region){0};
}

void tree_unref(struct forest_tree *tree)
{
    if (tree == NULL || atomic_fetch_sub_explicit(&tree->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        files_release(tree->levels[i].files, tree->levels[i].file_count);
    }
    for (size_t i = 0; i < tree->region_count; i++) {
        region_release(&tree->regions[i]);
    }
    mem_free(tree->regions);
    mem_free(tree);
}

enum yore_status forest_new(struct forest **forest_out)
{
    struct forest *forest = mem_zalloc(sizeof *forest);
    if (forest == NULL) {
        return YORE_NOMEM;
    }
    atomic_init(&forest->refs, 1);
    forest->serial = 1;
    forest->next_file = 1;
    forest->journal_first = 1;
    forest->journal_next = 1;
    forest->flushed_commit = INT64_MIN;
    forest->purged = INT64_MIN;
    *forest_out = forest;
    return YORE_OK;
}

struct forest *forest_ref(struct forest *forest)
{
    atomic_fetch_add_explicit(&forest->refs, 1, memory_order_relaxed);
    return forest;
}

void forest_unref(struct forest *forest)
{
    if (forest == NULL || atomic_fetch_sub_explicit(&forest->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < forest->tree_count; i++) {
        tree_unref(forest->trees[i]);
    }
    mem_free(forest->trees);
    mem_free(forest->value_files);
    mem_free(forest);
}

/* ---- look-ups ---- */

const struct forest_tree *forest_tree(const struct forest *forest, uint32_t keyspace)
{
    size_t low = 0;
    size_t high = forest->tree_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (forest->trees[middle]->keyspace < keyspace) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_found = low < forest->tree_count && forest->trees[low]->keyspace == keyspace;
    return is_found ? forest->trees[low] : NULL;
}

size_t tree_region_index(const struct forest_tree *tree, struct yore_bytes key)
{
    size_t low = 0;
    size_t high = tree->region_count;
    while (high - low > 1) { /* the last region with low <= key */
        size_t middle = low + (high - low) / 2;
        if (bytes_compare(forest_key_bytes(&tree->regions[middle].low), key) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct forest_region *tree_region(const struct forest_tree *tree, struct yore_bytes key)
{
    return tree->region_count > 0 ? &tree->regions[tree_region_index(tree, key)] : NULL;
}

static size_t files_find(struct forest_file *const *files, size_t count, struct yore_bytes key)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bytes_compare(buffer_bytes(&files[middle]->meta->last_key), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t level_find(const struct forest_level *level, struct yore_bytes key)
{
    return files_find(level->files, level->file_count, key);
}

/* A flush writes one table: two of one and the same commit are a load's. */
static bool is_of_one_commit(const struct forest_file *a, const struct forest_file *b)
{
    return a->meta->commit_min == b->meta->commit_max && b->meta->commit_min == a->meta->commit_max;
}

bool level0_is_of_load(const struct forest_level *level, size_t i)
{
    return (i > 0 && is_of_one_commit(level->files[i - 1], level->files[i])) ||
           (i + 1 < level->file_count && is_of_one_commit(level->files[i], level->files[i + 1]));
}

size_t level0_depth(const struct forest_level *level)
{
    size_t depth = level->file_count;
    for (size_t i = 1; i < level->file_count; i++) {
        depth -= is_of_one_commit(level->files[i - 1], level->files[i]);
    }
    return depth;
}

bool file_overlaps(const struct forest_file *file, struct yore_bytes low, struct yore_bytes high)
{
    return (low.size == 0 || bytes_compare(buffer_bytes(&file->meta->last_key), low) >= 0) &&
           (high.size == 0 || bytes_compare(buffer_bytes(&file->meta->first_key), high) < 0);
}

int64_t region_sealed_to(const struct forest_region *region)
{
    return region->slice_count > 0 ? region->slices[region->slice_count - 1].t1 : YORE_TIME_MIN;
}

size_t region_slice_at(const struct forest_region *region, int64_t t)
{
    size_t low = 0;
    size_t high = region->slice_count;
    while (low < high) { /* the first with t0 > t */
        size_t middle = low + (high - low) / 2;
        if (region->slices[middle].t0 <= t) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? low - 1 : region->slice_count;
}

struct forest_file *slice_file(const struct forest_slice *slice, struct yore_bytes key)
{
    size_t index = files_find(slice->files, slice->file_count, key);
    if (index == slice->file_count ||
        bytes_compare(buffer_bytes(&slice->files[index]->meta->first_key), key) > 0) {
        return NULL;
    }
    return slice->files[index];
}

int64_t slice_carried_commit_max(const struct forest_slice *slice)
{
    int64_t max = INT64_MIN;
    for (size_t i = 0; i < slice->file_count; i++) {
        int64_t of_file = slice->files[i]->meta->carried_commit_max;
        max = of_file > max ? of_file : max;
    }
    return max;
}

int64_t slice_commit_max(const struct forest_slice *slice)
{
    int64_t max = INT64_MIN;
    for (size_t i = 0; i < slice->file_count; i++) {
        int64_t of_file = slice->files[i]->meta->commit_max;
        max = of_file > max ? of_file : max;
    }
    return max;
}

bool region_holds(const struct forest_region *region, int64_t valid_from, int64_t commit)
{
    if (region == NULL || valid_from >= region_sealed_to(region)) {
        return false;
    }
    size_t index = region_slice_at(region, valid_from);
    return index < region->slice_count && commit <= region->slices[index].known;
}

static bool region_names(const struct forest_region *region, const struct forest_file *file)
{
    for (size_t i = 0; i < region->run_count; i++) {
        if (region->runs[i] == file) {
            return true;
        }
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        for (size_t j = 0; j < region->slices[i].file_count; j++) {
            if (region->slices[i].files[j] == file) {
                return true;
            }
        }
    }
    return false;
}

/* Runs and the files of slices may be shared by regions that follow one another. */
static bool is_named_before(const struct forest_tree *tree, size_t region_index,
                            const struct forest_file *file)
{
    for (size_t i = region_index; i-- > 0;) {
        const struct forest_region *region = &tree->regions[i];
        if (!file_overlaps(file, forest_key_bytes(&region->low), forest_key_bytes(&region->high))) {
            return false;
        }
        if (region_names(region, file)) {
            return true;
        }
    }
    return false;
}

void tree_each_file(const struct forest_tree *tree,
                    void (*each)(void *arg, struct forest_file *file), void *arg)
{
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            each(arg, tree->levels[i].files[j]);
        }
    }
    tree_each_history_file(tree, each, arg);
}

void tree_each_history_file(const struct forest_tree *tree,
                            void (*each)(void *arg, struct forest_file *file), void *arg)
{
    for (size_t i = 0; i < tree->region_count; i++) {
        const struct forest_region *region = &tree->regions[i];
        for (size_t j = 0; j < region->run_count; j++) {
            if (!is_named_before(tree, i, region->runs[j])) {
                each(arg, region->runs[j]);
            }
        }
        for (size_t j = 0; j < region->slice_count; j++) {
            for (size_t k = 0; k < region->slices[j].file_count; k++) {
                struct forest_file *file = region->slices[j].files[k];
                if (!is_named_before(tree, i, file)) {
                    each(arg, file);
                }
            }
        }
    }
}

/* ---- checks ---- */

static enum yore_status check_sorted(struct forest_file *const *files, size_t count,
                                     const char *what, struct yore_error *error_out)
{
    for (size_t i = 1; i < count; i++) {
        if (bytes_compare(buffer_bytes(&files[i - 1]->meta->last_key),
                          buffer_bytes(&files[i]->meta->first_key)) >= 0) {
            return error_set(error_out, YORE_CORRUPT, "%s: tables %s and %s overlap", what,
                             table_path(files[i - 1]->table), table_path(files[i]->table));
        }
    }
    return YORE_OK;
}

static enum yore_status check_region(const struct forest_tree *tree, size_t index,
                                     struct yore_error *error_out)
{
    const struct forest_region *region = &tree->regions[index];
    bool is_first = index == 0;
    bool is_last = index + 1 == tree->region_count;
    if ((is_first && region->low.size != 0) || (is_last != (region->high.size == 0)) ||
        (!is_first && !bytes_equal(forest_key_bytes(&region->low),
                                   forest_key_bytes(&tree->regions[index - 1].high)))) {
        return error_set(error_out, YORE_CORRUPT, "manifest: regions of keyspace %u have a gap",
                         tree->keyspace);
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        const struct forest_slice *slice = &region->slices[i];
        const struct forest_slice *before = i > 0 ? &region->slices[i - 1] : NULL;
        bool is_contiguous = before == NULL || before->t1 == slice->t0;
        bool knows_less = before != NULL && slice->known < before->known;
        if (slice->t0 >= slice->t1 || !is_contiguous || slice->known < slice->t1 - 1 ||
            knows_less) {
            return error_set(error_out, YORE_CORRUPT,
                             "manifest: slices of keyspace %u do not follow one another",
                             tree->keyspace);
        }
        enum yore_status st = check_sorted(slice->files, slice->file_count, "slice", error_out);
        if (st != YORE_OK) {
            return st;
        }
    }
    return YORE_OK;
}

enum yore_status tree_check(const struct forest_tree *tree, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 1; st == YORE_OK && i < LEVELS_MAX; i++) {
        st = check_sorted(tree->levels[i].files, tree->levels[i].file_count, "level", error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < tree->region_count; i++) {
        st = check_region(tree, i, error_out);
    }
    return st;
}

enum yore_status forest_check(const struct forest *forest, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < forest->tree_count; i++) {
        st = tree_check(forest->trees[i], error_out);
    }
    return st;
}
