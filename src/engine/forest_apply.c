/* forest_apply.c -- from one forest to the next: clone the trees an edit touches, change the
 * clones.
 *
 * A clone costs its number of files; edits are rare (one a flush or merge), so nothing is shared
 * below the tree. */
#include "base/mem.h"
#include "engine/forest_internal.h"

/* ---- cloning ---- */

static enum yore_status files_clone(struct forest_file *const *from, size_t count,
                                    struct forest_file ***to)
{
    *to = NULL;
    if (count == 0) {
        return YORE_OK;
    }
    *to = mem_array(count, sizeof **to);
    if (*to == NULL) {
        return YORE_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        (*to)[i] = forest_file_ref(from[i]);
    }
    return YORE_OK;
}

static enum yore_status key_clone(struct yore_bytes from, struct forest_key *to)
{
    *to = (struct forest_key){0};
    if (from.size == 0) {
        return YORE_OK;
    }
    to->data = mem_copy(from.data, from.size);
    to->size = from.size;
    return to->data != NULL ? YORE_OK : YORE_NOMEM;
}

static enum yore_status slice_clone(const struct forest_slice *from, struct forest_slice *to)
{
    *to = *from;
    to->file_count = 0;
    enum yore_status st = files_clone(from->files, from->file_count, &to->files);
    if (st == YORE_OK) {
        to->file_count = from->file_count;
    }
    return st;
}

static enum yore_status region_clone(const struct forest_region *from, struct forest_region *to)
{
    *to = (struct forest_region){0};
    enum yore_status st = key_clone(forest_key_bytes(&from->low), &to->low);
    if (st == YORE_OK) {
        st = key_clone(forest_key_bytes(&from->high), &to->high);
    }
    if (st == YORE_OK && from->slice_count > 0) {
        to->slices = mem_array(from->slice_count, sizeof *to->slices);
        st = to->slices != NULL ? YORE_OK : YORE_NOMEM;
        for (size_t i = 0; st == YORE_OK && i < from->slice_count; i++) {
            st = slice_clone(&from->slices[i], &to->slices[i]);
            to->slice_count = i + 1;
        }
    }
    if (st == YORE_OK) {
        st = files_clone(from->runs, from->run_count, &to->runs);
        to->run_count = st == YORE_OK ? from->run_count : 0;
    }
    return st;
}

/* A tree of its own, with one region over everything when `from` is NULL. */
static enum yore_status tree_clone(const struct forest_tree *from, uint32_t keyspace,
                                   struct forest_tree **tree_out)
{
    struct forest_tree *tree = mem_zalloc(sizeof *tree);
    if (tree == NULL) {
        return YORE_NOMEM;
    }
    atomic_init(&tree->refs, 1);
    tree->keyspace = keyspace;
    tree->forgot = from != NULL ? from->forgot : INT64_MIN;
    size_t region_count = from != NULL ? from->region_count : 1;
    tree->regions = mem_array(region_count, sizeof *tree->regions);
    enum yore_status st = tree->regions != NULL ? YORE_OK : YORE_NOMEM;
    for (size_t i = 0; st == YORE_OK && from != NULL && i < region_count; i++) {
        st = region_clone(&from->regions[i], &tree->regions[i]);
        tree->region_count = i + 1;
    }
    if (st == YORE_OK) {
        tree->region_count = region_count;
    }
    for (size_t i = 0; st == YORE_OK && from != NULL && i < LEVELS_MAX; i++) {
        st = files_clone(from->levels[i].files, from->levels[i].file_count, &tree->levels[i].files);
        tree->levels[i].file_count = st == YORE_OK ? from->levels[i].file_count : 0;
    }
    if (st != YORE_OK) {
        tree_unref(tree);
        return st;
    }
    *tree_out = tree;
    return YORE_OK;
}

/* ---- arrays ---- */

/* Insert `item` of `size` octets at `index` of an array that is grown by one. */
static enum yore_status array_insert(void **array, size_t *count, size_t index, size_t size,
                                     const void *item)
{
    unsigned char *grown = mem_realloc(*array, (*count + 1) * size);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    *array = grown;
    memmove(grown + (index + 1) * size, grown + index * size, (*count - index) * size);
    memcpy(grown + index * size, item, size);
    (*count)++;
    return YORE_OK;
}

static void array_remove(void *array, size_t *count, size_t index, size_t size)
{
    unsigned char *at = array;
    memmove(at + index * size, at + (index + 1) * size, (*count - index - 1) * size);
    (*count)--;
}

static enum yore_status files_insert(struct forest_file ***files, size_t *count, size_t index,
                                     struct forest_file *file)
{
    void *array = *files;
    enum yore_status st = array_insert(&array, count, index, sizeof file, &file);
    *files = array;
    if (st == YORE_OK) {
        forest_file_ref(file);
    }
    return st;
}

static size_t files_index(struct forest_file *const *files, size_t count, uint64_t number)
{
    size_t i = 0;
    while (i < count && files[i]->meta->file != number) {
        i++;
    }
    return i;
}

static void files_remove(struct forest_file **files, size_t *count, size_t index)
{
    struct forest_file *file = files[index];
    array_remove(files, count, index, sizeof *files);
    forest_file_unref(file);
}

/* ---- the operations ---- */

static enum yore_status misfit(struct yore_error *error_out, const struct edit_op *op)
{
    return error_set(
        error_out, YORE_CORRUPT,
        "manifest: edit %d of keyspace %u names a file or region that is not there (file %llu)",
        (int)op->kind, op->keyspace, (unsigned long long)op->number);
}

static enum yore_status level_insert(struct forest_tree *tree, uint32_t number,
                                     struct forest_file *file)
{
    struct forest_level *level = &tree->levels[number];
    size_t index = 0;
    if (number > 0) {
        index = level_find(level, buffer_bytes(&file->meta->first_key));
    } else {
        while (index < level->file_count &&
               level->files[index]->meta->commit_max > file->meta->commit_max) {
            index++;
        }
    }
    return files_insert(&level->files, &level->file_count, index, file);
}

static enum yore_status apply_level(struct forest_tree *tree, const struct edit_op *op,
                                    struct yore_error *error_out)
{
    if (op->level >= LEVELS_MAX || op->to_level >= LEVELS_MAX) {
        return misfit(error_out, op);
    }
    struct forest_level *level = &tree->levels[op->level];
    if (op->kind == EDIT_LEVEL_ADD) {
        return level_insert(tree, op->level, op->file);
    }
    size_t index = files_index(level->files, level->file_count, op->number);
    if (index == level->file_count) {
        return misfit(error_out, op);
    }
    enum yore_status st = YORE_OK;
    if (op->kind == EDIT_LEVEL_MOVE) {
        st = level_insert(tree, op->to_level, level->files[index]);
    }
    if (st == YORE_OK) {
        files_remove(level->files, &level->file_count, index);
    }
    return st;
}

static struct forest_region *region_at_low(struct forest_tree *tree, struct yore_bytes low)
{
    struct forest_region *region = &tree->regions[tree_region_index(tree, low)];
    return bytes_equal(forest_key_bytes(&region->low), low) ? region : NULL;
}

static enum yore_status apply_run(struct forest_tree *tree, const struct edit_op *op,
                                  struct yore_error *error_out)
{
    if (op->kind == EDIT_RUN_DROP) {
        struct forest_region *region = region_at_low(tree, buffer_bytes(&op->low));
        size_t index =
            region != NULL ? files_index(region->runs, region->run_count, op->number) : 0;
        if (region == NULL || index == region->run_count) {
            return misfit(error_out, op);
        }
        files_remove(region->runs, &region->run_count, index);
        return YORE_OK;
    }
    for (size_t i = 0; i < tree->region_count; i++) {
        struct forest_region *region = &tree->regions[i];
        bool is_wanted = op->low.size == 0 && op->high.size == 0
                             ? true
                             : bytes_equal(buffer_bytes(&op->low), forest_key_bytes(&region->low));
        if (is_wanted && file_overlaps(op->file, forest_key_bytes(&region->low),
                                       forest_key_bytes(&region->high))) {
            enum yore_status st =
                files_insert(&region->runs, &region->run_count, region->run_count, op->file);
            if (st != YORE_OK) {
                return st;
            }
        }
    }
    return YORE_OK;
}

static enum yore_status apply_slice(struct forest_tree *tree, const struct edit_op *op,
                                    struct yore_error *error_out)
{
    struct forest_region *region = region_at_low(tree, buffer_bytes(&op->low));
    if (region == NULL) {
        return misfit(error_out, op);
    }
    size_t index = 0;
    while (index < region->slice_count && region->slices[index].t0 < op->t0) {
        index++;
    }
    bool is_there = index < region->slice_count && region->slices[index].t0 == op->t0;
    if (op->kind == EDIT_SLICE_DROP) {
        if (!is_there || index != 0) {
            return misfit(error_out, op);
        }
        slice_release(&region->slices[0]);
        array_remove(region->slices, &region->slice_count, 0, sizeof *region->slices);
        return YORE_OK;
    }
    struct forest_slice source = {op->t0, op->t1, op->known, op->files, op->file_count};
    struct forest_slice slice;
    enum yore_status st = slice_clone(&source, &slice);
    if (st == YORE_OK && is_there) {
        slice_release(&region->slices[index]);
        region->slices[index] = slice;
        return YORE_OK;
    }
    void *array = region->slices;
    if (st == YORE_OK) {
        st = array_insert(&array, &region->slice_count, index, sizeof slice, &slice);
        region->slices = array;
    }
    if (st != YORE_OK) {
        slice_release(&slice);
    }
    return st;
}

/* Keep of `region` only what reaches into its (new) bounds. */
static void region_narrow(struct forest_region *region)
{
    struct yore_bytes low = forest_key_bytes(&region->low);
    struct yore_bytes high = forest_key_bytes(&region->high);
    for (size_t i = region->run_count; i-- > 0;) {
        if (!file_overlaps(region->runs[i], low, high)) {
            files_remove(region->runs, &region->run_count, i);
        }
    }
    for (size_t i = 0; i < region->slice_count; i++) {
        struct forest_slice *slice = &region->slices[i];
        for (size_t j = slice->file_count; j-- > 0;) {
            if (!file_overlaps(slice->files[j], low, high)) {
                files_remove(slice->files, &slice->file_count, j);
            }
        }
    }
}

static enum yore_status apply_split(struct forest_tree *tree, const struct edit_op *op,
                                    struct yore_error *error_out)
{
    struct yore_bytes at = buffer_bytes(&op->low);
    size_t index = tree_region_index(tree, at);
    struct forest_region *left = &tree->regions[index];
    if (at.size == 0 || bytes_equal(forest_key_bytes(&left->low), at)) {
        return misfit(error_out, op);
    }
    struct forest_region right;
    enum yore_status st = region_clone(left, &right);
    struct forest_key bounds[2] = {{0}};
    for (size_t i = 0; st == YORE_OK && i < 2; i++) {
        st = key_clone(at, &bounds[i]);
    }
    void *array = tree->regions;
    if (st == YORE_OK) {
        mem_free(right.low.data);
        right.low = bounds[0];
        bounds[0] = (struct forest_key){0};
        st = array_insert(&array, &tree->region_count, index + 1, sizeof right, &right);
        tree->regions = array;
    }
    if (st != YORE_OK) {
        mem_free(bounds[0].data);
        mem_free(bounds[1].data);
        region_release(&right);
        return st;
    }
    left = &tree->regions[index];
    mem_free(left->high.data);
    left->high = bounds[1];
    region_narrow(left);
    region_narrow(&tree->regions[index + 1]);
    return YORE_OK;
}

static bool replace_in(struct forest_file **files, size_t *count, const struct edit_op *op)
{
    size_t index = files_index(files, *count, op->number);
    if (index == *count) {
        return false;
    }
    if (op->file == NULL) {
        files_remove(files, count, index);
    } else {
        struct forest_file *old = files[index];
        files[index] = forest_file_ref(op->file);
        forest_file_unref(old);
    }
    return true;
}

static enum yore_status apply_replace(struct forest_tree *tree, const struct edit_op *op,
                                      struct yore_error *error_out)
{
    bool is_found = false;
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        is_found |= replace_in(tree->levels[i].files, &tree->levels[i].file_count, op);
    }
    for (size_t i = 0; i < tree->region_count; i++) {
        struct forest_region *region = &tree->regions[i];
        is_found |= replace_in(region->runs, &region->run_count, op);
        for (size_t j = 0; j < region->slice_count; j++) {
            is_found |= replace_in(region->slices[j].files, &region->slices[j].file_count, op);
        }
    }
    return is_found ? YORE_OK : misfit(error_out, op);
}

static enum yore_status apply_to_tree(struct forest_tree *tree, const struct edit_op *op,
                                      struct yore_error *error_out)
{
    switch (op->kind) {
    case EDIT_LEVEL_ADD:
    case EDIT_LEVEL_DROP:
    case EDIT_LEVEL_MOVE:
        return apply_level(tree, op, error_out);
    case EDIT_RUN_ADD:
    case EDIT_RUN_DROP:
        return apply_run(tree, op, error_out);
    case EDIT_SLICE_PUT:
    case EDIT_SLICE_DROP:
        return apply_slice(tree, op, error_out);
    case EDIT_REGION_SPLIT:
        return apply_split(tree, op, error_out);
    case EDIT_FILE_REPLACE:
        return apply_replace(tree, op, error_out);
    case EDIT_FORGET:
        tree->forgot = op->known > tree->forgot ? op->known : tree->forgot;
        return YORE_OK;
    case EDIT_TREE_DROP:
    case EDIT_VALUE_FILE_PUT:
    case EDIT_VALUE_FILE_DROP:
    case EDIT_NUMBERS:
    case EDIT_PURGED:
        break;
    }
    return misfit(error_out, op);
}

/* ---- value files and numbers ---- */

static enum yore_status apply_value_file(struct forest *forest, const struct edit_op *op,
                                         struct yore_error *error_out)
{
    size_t index = 0;
    while (index < forest->value_file_count &&
           forest->value_files[index].file < op->value_file.file) {
        index++;
    }
    bool is_there =
        index < forest->value_file_count && forest->value_files[index].file == op->value_file.file;
    if (op->kind == EDIT_VALUE_FILE_DROP) {
        if (!is_there) {
            return misfit(error_out, op);
        }
        array_remove(forest->value_files, &forest->value_file_count, index,
                     sizeof *forest->value_files);
        return YORE_OK;
    }
    if (is_there) {
        forest->value_files[index] = op->value_file;
        return YORE_OK;
    }
    void *array = forest->value_files;
    enum yore_status st = array_insert(&array, &forest->value_file_count, index,
                                       sizeof *forest->value_files, &op->value_file);
    forest->value_files = array;
    return st;
}

static void apply_numbers(struct forest *forest, const struct edit_op *op)
{
    forest->next_file = op->next_file > forest->next_file ? op->next_file : forest->next_file;
    forest->journal_first =
        op->journal_first > forest->journal_first ? op->journal_first : forest->journal_first;
    forest->journal_next =
        op->journal_next > forest->journal_next ? op->journal_next : forest->journal_next;
    forest->flushed_commit =
        op->flushed_commit > forest->flushed_commit ? op->flushed_commit : forest->flushed_commit;
}

/* ---- the whole ---- */

static enum yore_status shallow_copy(const struct forest *from, struct forest **next_out)
{
    struct forest *next;
    enum yore_status st = forest_new(&next);
    if (st != YORE_OK) {
        return st;
    }
    next->serial = from->serial + 1;
    next->next_file = from->next_file;
    next->journal_first = from->journal_first;
    next->journal_next = from->journal_next;
    next->flushed_commit = from->flushed_commit;
    next->purged = from->purged;
    if (from->tree_count > 0) {
        next->trees = mem_array(from->tree_count, sizeof *next->trees);
        st = next->trees != NULL ? st : YORE_NOMEM;
    }
    for (size_t i = 0; st == YORE_OK && i < from->tree_count; i++) {
        atomic_fetch_add_explicit(&from->trees[i]->refs, 1, memory_order_relaxed);
        next->trees[i] = from->trees[i];
        next->tree_count = i + 1;
    }
    if (st == YORE_OK && from->value_file_count > 0) {
        next->value_files =
            mem_copy(from->value_files, from->value_file_count * sizeof *from->value_files);
        st = next->value_files != NULL ? st : YORE_NOMEM;
        next->value_file_count = st == YORE_OK ? from->value_file_count : 0;
    }
    if (st != YORE_OK) {
        forest_unref(next);
        return st;
    }
    *next_out = next;
    return YORE_OK;
}

/* The tree to change, private to `next`: cloned at its first use in this edit (a clone has one
 * reference). */
static enum yore_status writable_tree(struct forest *next, uint32_t keyspace, size_t *index_out)
{
    size_t index = 0;
    while (index < next->tree_count && next->trees[index]->keyspace < keyspace) {
        index++;
    }
    bool is_there = index < next->tree_count && next->trees[index]->keyspace == keyspace;
    *index_out = index;
    if (is_there && atomic_load_explicit(&next->trees[index]->refs, memory_order_relaxed) == 1) {
        return YORE_OK; /* nobody else ever saw it: the old forest would hold a second reference */
    }
    struct forest_tree *tree;
    enum yore_status st = tree_clone(is_there ? next->trees[index] : NULL, keyspace, &tree);
    if (st != YORE_OK) {
        return st;
    }
    if (is_there) {
        tree_unref(next->trees[index]);
        next->trees[index] = tree;
        return YORE_OK;
    }
    void *array = next->trees;
    st = array_insert(&array, &next->tree_count, index, sizeof tree, &tree);
    next->trees = array;
    if (st != YORE_OK) {
        tree_unref(tree);
    }
    return st;
}

static enum yore_status apply_one(struct forest *next, const struct edit_op *op,
                                  struct yore_error *error_out)
{
    switch (op->kind) {
    case EDIT_NUMBERS:
        apply_numbers(next, op);
        return YORE_OK;
    case EDIT_VALUE_FILE_PUT:
    case EDIT_VALUE_FILE_DROP:
        return apply_value_file(next, op, error_out);
    case EDIT_PURGED:
        next->purged = op->known > next->purged ? op->known : next->purged;
        return YORE_OK;
    default:
        break;
    }
    size_t index;
    enum yore_status st = writable_tree(next, op->keyspace, &index);
    if (st != YORE_OK) {
        return st;
    }
    if (op->kind == EDIT_TREE_DROP) {
        tree_unref(next->trees[index]);
        array_remove(next->trees, &next->tree_count, index, sizeof *next->trees);
        return YORE_OK;
    }
    return apply_to_tree(next->trees[index], op, error_out);
}

static void derive(struct forest_tree *tree)
{
    tree->unresolved_count = 0;
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        struct forest_level *level = &tree->levels[i];
        level->bytes = 0;
        for (size_t j = 0; j < level->file_count; j++) {
            level->bytes += level->files[j]->meta->file_bytes;
            tree->unresolved_count += level->files[j]->meta->unresolved_count;
        }
    }
}

/* What the edit changed: a tree that is shared is as it was. */
static enum yore_status settle(struct forest *next, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < next->tree_count; i++) {
        if (atomic_load_explicit(&next->trees[i]->refs, memory_order_relaxed) == 1) {
            derive(next->trees[i]);
            st = tree_check(next->trees[i], error_out);
        }
    }
    return st;
}

enum yore_status forest_apply(const struct forest *forest, const struct edit *edit,
                              struct forest **next_out, struct yore_error *error_out)
{
    if (edit->is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    struct forest *next;
    enum yore_status st = shallow_copy(forest, &next);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    for (size_t i = 0; st == YORE_OK && i < edit->count; i++) {
        st = apply_one(next, &edit->ops[i], error_out);
    }
    if (st == YORE_OK) {
        st = settle(next, error_out);
    }
    if (st != YORE_OK) {
        forest_unref(next);
        return st == YORE_NOMEM ? error_plain(error_out, st) : st;
    }
    *next_out = next;
    return YORE_OK;
}
