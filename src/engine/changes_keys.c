/* changes_keys.c -- the keys of a range that may have changed between two moments.
 *
 * One walk over the versions that begin or end in (from, to] finds them: tables pass over pages
 * without one (time_index.h), so the walk costs what the changes cost.  Where an erasure begins or
 * ends in between, a key may change without a version: then every version is walked.
 *
 * With a known time, a version that holds at `from` may lie in a slice long before it, because the
 * copy that was carried on has a later commit: then all slices are walked.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/changes_internal.h"
#include "engine/sources.h"

/* Versions of a key stepped over one by one before the rest is jumped over. */
#define STEPS_BEFORE_SEEK 8
/* Reading keys one by one pays while at most so many pages of a hundred hold a change: a page with
 * one has few mostly. */
#define CHANGED_PAGES_PERCENT 80

static bool has_bound_in(const struct yore_changes *c)
{
    const struct erase_set *set = c->view->erased;
    for (size_t i = 0; i < erase_set_count(set); i++) {
        const struct erase_rule *rule = erase_set_rule(set, i);
        if (rule->keyspace == c->keyspace->id && ((rule->from > c->from && rule->from <= c->to) ||
                                                  (rule->to > c->from && rule->to <= c->to))) {
            return true;
        }
    }
    return false;
}

struct share_ask {
    const struct yore_changes *c;
    struct table_share share;
    enum yore_status st;
    struct yore_error *error_out;
};

static void add_share(void *arg, struct forest_file *file)
{
    struct share_ask *ask = arg;
    const struct table_meta *meta = file->meta;
    struct time_span span = {ask->c->from, ask->c->to};
    struct yore_bytes low = buffer_bytes(&ask->c->low);
    struct yore_bytes high = buffer_bytes(&ask->c->high);
    bool may_change = meta->valid_min <= span.until &&
                      (meta->valid_max > span.after || meta->expiry_min <= span.until);
    if (ask->st == YORE_OK && may_change && file_overlaps(file, low, high)) {
        ask->st = table_changed_share(file->table, low, high, span, &ask->share, ask->error_out);
    }
}

/* As sources_all() has it. */
static struct sealed_span span_sealed(const struct yore_changes *c, const struct forest_tree *tree)
{
    struct sealed_span sealed = {.is_sealed = false};
    if (!c->is_known_asked && tree != NULL) {
        sealed = sources_sealed(tree, buffer_bytes(&c->low), buffer_bytes(&c->high),
                                &(struct time_span){c->from, c->to});
    }
    return sealed;
}

static void add_level_shares(struct share_ask *ask, const struct forest_tree *tree)
{
    struct sealed_span sealed = span_sealed(ask->c, tree);
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            if (sealed_span_lacks(&sealed, tree->levels[i].files[j])) {
                add_share(ask, tree->levels[i].files[j]);
            }
        }
    }
}

/* Does one slice have all there is of each key, at any moment of the span? */
static bool is_whole(const struct yore_changes *c)
{
    const struct superview *view = c->view;
    const struct forest_tree *tree = forest_tree(view->forest, c->keyspace->id);
    struct sealed_span sealed = span_sealed(c, tree);
    bool is_one = sealed.is_sealed && sealed.is_one;
    for (size_t i = 0; is_one && i < LEVELS_MAX; i++) {
        for (size_t j = 0; is_one && j < tree->levels[i].file_count; j++) {
            is_one = !sealed_span_lacks(&sealed, tree->levels[i].files[j]);
        }
    }
    for (size_t i = 0; is_one && i <= view->waiting_count; i++) {
        const struct memtable *m = i == 0 ? view->active : view->waiting[i - 1];
        is_one = !memtable_begins_by(m, c->to, c->known);
    }
    return is_one;
}

enum yore_status changes_keys_are_few(struct yore_changes *c, bool *are_few_out,
                                      struct yore_error *error_out)
{
    struct share_ask ask = {.c = c, .error_out = error_out};
    const struct forest_tree *tree = forest_tree(c->view->forest, c->keyspace->id);
    *are_few_out = false;
    if (has_bound_in(c)) {
        return YORE_OK; /* every version would be walked */
    }
    if (tree != NULL) {
        add_level_shares(&ask, tree);
        tree_each_history_file(tree, add_share, &ask);
    }
    c->keys.marks = ask.share.marks;
    *are_few_out = ask.share.changed * 100 <= ask.share.pages * CHANGED_PAGES_PERCENT;
    return ask.st;
}

enum yore_status changes_keys_open(struct yore_changes *c, struct yore_error *error_out)
{
    struct iter_view view = {.known = c->known,
                             .commit_after = INT64_MIN,
                             .is_changed_only = !has_bound_in(c),
                             .changed = {c->from, c->to},
                             .marks = c->keys.marks};
    c->keys.is_whole = view.is_changed_only && is_whole(c);
    const struct source_range range = {buffer_bytes(&c->low), buffer_bytes(&c->high),
                                       c->is_known_asked ? INT64_MIN : c->from, c->to};
    return sources_all(c->view, c->keyspace, &range, &view, &c->keys.it, error_out);
}

void changes_keys_close(struct yore_changes *c)
{
    version_iter_free(c->keys.it);
    table_marks_free(c->keys.marks);
    buffer_release(&c->keys.key);
    mem_free(c->keys.bounds);
}

static enum yore_status iter_failure(const struct version_iter *it, struct yore_error *error_out)
{
    if (it->status != YORE_OK && error_out != NULL) {
        *error_out = it->error;
    }
    return it->status;
}

/* ---- erasures of the key ---- */

struct bounds_ask {
    struct yore_changes *c;
    bool is_nomem;
};

static void add_bound(struct bounds_ask *ask, int64_t time)
{
    struct changes_keys *k = &ask->c->keys;
    if (time <= ask->c->from || time > ask->c->to || time == YORE_FOREVER) {
        return;
    }
    int64_t *bounds = mem_grow(k->bounds, k->bound_count, &k->bound_capacity, sizeof *bounds);
    if (bounds == NULL) {
        ask->is_nomem = true;
        return;
    }
    k->bounds = bounds;
    k->bounds[k->bound_count++] = time;
}

static bool add_bounds(void *arg, const struct erase_rule *rule)
{
    add_bound(arg, rule->from);
    add_bound(arg, rule->to);
    return false;
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static enum yore_status find_bounds(struct yore_changes *c, struct yore_bytes key,
                                    struct yore_error *error_out)
{
    struct bounds_ask ask = {.c = c};
    c->keys.bound_count = 0;
    c->keys.bound_index = 0;
    if (!c->has_erasures) {
        return YORE_OK;
    }
    (void)erase_set_each(c->view->erased, c->keyspace->id, key, add_bounds, &ask);
    if (ask.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (c->keys.bound_count > 0) {
        qsort(c->keys.bounds, c->keys.bound_count, sizeof *c->keys.bounds, compare_times);
    }
    return YORE_OK;
}

/* ---- finding keys ---- */

static bool is_in_range(const struct yore_changes *c)
{
    const struct version_iter *it = c->keys.it;
    return it->is_valid &&
           (c->high.size == 0 || bytes_compare(it->at.key, buffer_bytes(&c->high)) < 0);
}

static bool is_at_key(const struct yore_changes *c)
{
    return c->keys.it->is_valid && bytes_equal(c->keys.it->at.key, buffer_bytes(&c->keys.key));
}

/* Past the last version of the key. */
static void leave_key(struct yore_changes *c)
{
    struct changes_keys *k = &c->keys;
    for (int i = 0; i < STEPS_BEFORE_SEEK && is_at_key(c); i++) {
        version_iter_next(k->it);
    }
    if (is_at_key(c)) {
        struct version_place place = {buffer_bytes(&k->key), INT64_MIN, INT64_MIN};
        version_iter_seek(k->it, &place);
    }
}

/* After a walk over the key the iterator may be anywhere. */
static void seek_behind_key(struct yore_changes *c)
{
    struct version_place place = {buffer_bytes(&c->keys.key), INT64_MIN, INT64_MIN};
    version_iter_seek(c->keys.it, &place);
    if (is_at_key(c)) {
        version_iter_next(c->keys.it);
    }
}

/* From the first version of a key: may it have changed?  The winner at `to`, of what is walked,
 * decides. */
static bool may_have_changed(struct yore_changes *c)
{
    struct changes_keys *k = &c->keys;
    if (k->it->at.valid_from > c->to) {
        struct version_place place = {buffer_bytes(&k->key), c->to, INT64_MAX};
        version_iter_seek(k->it, &place);
    }
    while (is_at_key(c) && k->it->at.commit > c->known) {
        version_iter_next(k->it);
    }
    const struct time_span span = {c->from, c->to};
    return is_at_key(c) && (version_changes_in(&k->it->at, &span) || k->bound_count > 0);
}

enum yore_status changes_keys_next(struct yore_changes *c, struct yore_error *error_out)
{
    struct changes_keys *k = &c->keys;
    if (!k->is_begun) {
        struct version_place place = {buffer_bytes(&c->low), INT64_MAX, INT64_MAX};
        version_iter_seek(k->it, &place);
        k->is_begun = true;
    } else if (c->every_version) {
        seek_behind_key(c);
    } else {
        leave_key(c);
    }
    while (is_in_range(c)) {
        buffer_clear(&k->key);
        buffer_append_bytes(&k->key, k->it->at.key);
        if (k->key.is_nomem) {
            return error_plain(error_out, YORE_NOMEM);
        }
        enum yore_status st = find_bounds(c, buffer_bytes(&k->key), error_out);
        if (st != YORE_OK) {
            return st;
        }
        if (may_have_changed(c)) {
            return YORE_OK;
        }
        leave_key(c);
    }
    enum yore_status st = iter_failure(k->it, error_out);
    return st == YORE_OK ? YORE_NOT_FOUND : st;
}
