/* until.c -- see until.h.
 *
 * Each source tells the first version it has after the moment, and the earliest of these is the
 * answer.  Slices come first: the first of them that has one, from that of the moment on, has the
 * earliest of all slices, because in a later one there are only later versions and copies of what
 * holds where it begins.  What remains is to be asked only where it may have an earlier one: of the
 * levels, by R3 of read.c, tables with late facts, or with what began after the last slice.
 */
#include "engine/until.h"

#include "base/hash.h"
#include "engine/db_internal.h"

struct next_search {
    struct superview *view;
    uint32_t keyspace;
    const struct forest_tree *tree;
    const struct forest_region *region; /* NULL: no history */
    bool is_sealed;                     /* the region's slices reach back to the moment */
    size_t slice_index;                 /* the first to be asked */
    struct yore_bytes key;
    uint64_t hash;
    int64_t valid;
    int64_t known;
    int64_t found; /* the earliest so far */
    struct yore_error *error_out;
};

static enum yore_status ask_table(struct next_search *s, struct forest_file *file)
{
    const struct version_place place = {s->key, s->valid, s->known};
    int64_t begin;
    enum yore_status st = table_next_begin(file->table, &place, s->hash, &begin, s->error_out);
    if (st == YORE_OK && begin < s->found) {
        s->found = begin;
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Of a table that may be of other keys, or later. */
static enum yore_status ask_file(struct next_search *s, struct forest_file *file)
{
    const struct table_meta *meta = file->meta;
    bool may_have = meta->valid_min < s->found &&
                    bytes_compare(s->key, buffer_bytes(&meta->first_key)) >= 0 &&
                    bytes_compare(buffer_bytes(&meta->last_key), s->key) >= 0;
    return may_have ? ask_table(s, file) : YORE_OK;
}

static enum yore_status ask_slices(struct next_search *s)
{
    const struct forest_region *region = s->region;
    enum yore_status st = YORE_OK;
    for (size_t i = s->slice_index; st == YORE_OK && i < region->slice_count; i++) {
        struct forest_file *file = slice_file(&region->slices[i], s->key);
        if (file != NULL) {
            st = ask_table(s, file);
        }
        if (s->found != YORE_FOREVER) {
            break;
        }
    }
    return st;
}

static enum yore_status ask_runs(struct next_search *s)
{
    enum yore_status st = YORE_OK;
    for (size_t i = s->region->run_count; st == YORE_OK && i-- > 0;) {
        st = ask_file(s, s->region->runs[i]);
    }
    return st;
}

/* May the table have one that the slices, which are asked, have not? */
static bool can_add(const struct next_search *s, const struct table_meta *meta)
{
    if (!s->is_sealed || meta->back_dated_commit_max > s->region->slices[s->slice_index].known) {
        return true;
    }
    int64_t sealed_to = region_sealed_to(s->region);
    return s->found >= sealed_to && meta->valid_max >= sealed_to;
}

static enum yore_status ask_levels(struct next_search *s)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < LEVELS_MAX; i++) {
        const struct forest_level *level = &s->tree->levels[i];
        if (level->file_count == 0) {
            continue;
        }
        size_t first = i == 0 ? 0 : level_find(level, s->key);
        size_t end = i == 0 ? level->file_count : first + 1;
        for (size_t j = first; st == YORE_OK && j < end && j < level->file_count; j++) {
            if (can_add(s, level->files[j]->meta)) {
                st = ask_file(s, level->files[j]);
            }
        }
    }
    return st;
}

static enum yore_status ask_memtable(struct next_search *s, struct memtable *m)
{
    struct version_iter *it;
    if (!memtable_begins_by(m, s->found, s->known) || !memtable_has(m, s->keyspace)) {
        return YORE_OK;
    }
    const struct iter_view every = {.known = s->known, .commit_after = INT64_MIN};
    const struct version_place place = {s->key, s->valid + 1, INT64_MIN};
    enum yore_status st = memtable_iter_new(m, s->keyspace, &every, &it);
    if (st != YORE_OK) {
        return error_plain(s->error_out, st);
    }
    version_iter_seek_back(it, &place);
    if (it->is_valid && bytes_equal(it->at.key, s->key) && it->at.valid_from < s->found) {
        s->found = it->at.valid_from;
    }
    version_iter_free(it);
    return YORE_OK;
}

static enum yore_status search_tables(struct next_search *s)
{
    enum yore_status st = YORE_OK;
    s->hash = hash_bytes(s->key);
    s->region = tree_region(s->tree, s->key);
    if (s->region != NULL) {
        size_t index = region_slice_at(s->region, s->valid);
        s->is_sealed = index < s->region->slice_count;
        s->slice_index = s->is_sealed ? index : 0;
        st = ask_slices(s);
    }
    if (st == YORE_OK && s->region != NULL) {
        st = ask_runs(s);
    }
    return st == YORE_OK ? ask_levels(s) : st;
}

enum yore_status until_next(struct yore_db *db, struct yore_keyspace *keyspace,
                            struct yore_bytes key, const struct yore_time *at, int64_t *until_out,
                            struct yore_error *error_out)
{
    struct read_moment moment;
    struct superview *view = NULL;
    const struct yore_time first = {at->valid + 1, at->known}; /* what is asked for is there */
    keyspace = keyspace_or_default(db, keyspace);
    *until_out = YORE_FOREVER;
    enum yore_status st = read_begin(db, keyspace, &first, &moment, &view, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct next_search s = {.view = view,
                            .keyspace = keyspace->id,
                            .tree = forest_tree(view->forest, keyspace->id),
                            .key = key,
                            .valid = at->valid,
                            .known = moment.known,
                            .found = YORE_FOREVER,
                            .error_out = error_out};
    if (s.tree != NULL) {
        st = search_tables(&s);
    }
    for (size_t i = 0; st == YORE_OK && i <= view->waiting_count; i++) {
        st = ask_memtable(&s, i == 0 ? view->active : view->waiting[i - 1]);
    }
    superview_release(view);
    *until_out = s.found;
    return st;
}
