/* retention.c -- see retention.h.
 *
 * A slice may go when its time is over (t1 <= horizon) and all it knows was known by then (commits
 * <= horizon), and what the next slice carries in was too: no read with min(valid, known) >=
 * horizon can land in it, and none can look back into it for something a later slice's copy hides.
 * Nor may there be a fact from before its end that is not in a slice yet: a delete in this one may
 * be all that supersedes it.  Of deletes that is no matter: superseded or not, the key is absent.
 *
 * What goes from tables that do not go whole: trim.c.
 */
#include "engine/retention.h"

#include "base/mem.h"

void retention_of(struct yore_db *db, const struct yore_keyspace *keyspace,
                  struct retention *retention_out)
{
    struct retention r = {0};
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    r.is_only_now = atomic_load_explicit(&keyspace->keep, memory_order_relaxed) == YORE_KEEP_NOW;
    r.is_catalogue = keyspace->id == KEYSPACE_SYSTEM;
    os_mutex_lock(&db->lock);
    for (const struct yore_snapshot *s = db->snapshots.first; s != NULL; s = s->next) {
        if (r.held_count < HELD_SPANS_MAX &&
            (r.held_count == 0 || r.held[r.held_count - 1].last < s->commit)) {
            r.held[r.held_count++].first = s->commit;
        }
        r.held[r.held_count - 1].last = s->commit;
    }
    os_mutex_unlock(&db->lock);
    r.oldest_snapshot = r.held_count > 0 ? r.held[0].first : INT64_MAX;
    r.horizon = r.oldest_snapshot < horizon ? r.oldest_snapshot : horizon;
    *retention_out = r;
}

/* The view is taken after the horizon was looked at, so that facts from before it cannot be missed,
 * and before the snapshots are, so that what it has of the present is newer than none of them. */
struct superview *retention_view(struct yore_db *db, const struct yore_keyspace *keyspace,
                                 struct retention *retention_out)
{
    struct retention before;
    retention_of(db, keyspace, &before);
    struct superview *view = superview_acquire(db);
    retention_of(db, keyspace, retention_out);
    if (before.horizon < retention_out->horizon) {
        retention_out->horizon = before.horizon;
    }
    return view;
}

static bool slice_is_over(const struct forest_slice *slice, const struct retention *r)
{
    return slice->t1 <= r->horizon && slice_commit_max(slice) <= r->horizon;
}

/* Deletes alone, and no feed after the horizon has to tell them. */
static bool is_old_deletes_alone(const struct forest_file *file, const struct retention *r)
{
    const struct table_meta *meta = file->meta;
    return meta->delete_count == meta->version_count && meta->commit_max <= r->horizon;
}

/* Facts of the region from before `t1` in memtables, unresolved in the current tree, or in runs,
 * but for runs of old deletes.  No more of them come: they would be dated before the horizon. */
static bool has_late_facts(const struct superview *view, const struct forest_tree *tree,
                           const struct forest_region *region, int64_t t1,
                           const struct retention *r)
{
    for (size_t i = 0; i <= view->waiting_count; i++) {
        const struct memtable *m = i == 0 ? view->active : view->waiting[i - 1];
        struct memtable_bounds bounds;
        memtable_bounds(m, &bounds);
        if (bounds.back_dated_valid_min < t1 && memtable_has_back_dated(m, tree->keyspace)) {
            return true;
        }
    }
    for (size_t i = 0; i < region->run_count; i++) {
        if (region->runs[i]->meta->valid_min < t1 && !is_old_deletes_alone(region->runs[i], r)) {
            return true;
        }
    }
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            const struct forest_file *file = tree->levels[i].files[j];
            if (file->meta->unresolved_count > 0 && file->meta->back_dated_valid_min < t1 &&
                file_overlaps(file, forest_key_bytes(&region->low),
                              forest_key_bytes(&region->high))) {
                return true;
            }
        }
    }
    return false;
}

static bool may_drop(const struct superview *view, const struct forest_tree *tree,
                     const struct forest_region *region, size_t index, const struct retention *r)
{
    /* The last slice stays: what is still in force since before the unsealed time is found there.
     */
    return index + 1 < region->slice_count && slice_is_over(&region->slices[index], r) &&
           slice_carried_commit_max(&region->slices[index + 1]) <= r->horizon &&
           !has_late_facts(view, tree, region, region->slices[index].t1, r);
}

size_t retention_slices_over(const struct superview *view, const struct forest_tree *tree,
                             const struct forest_region *region, const struct retention *r)
{
    size_t count = 0;
    while (may_drop(view, tree, region, count, r)) {
        count++;
    }
    return count;
}

/* Runs that stay have nothing from before this commit: those that a snapshot reads, and those that
 * may hide something in one that stays, because a read that asks one run asks all of them. */
static int64_t commits_of_those_that_stay(const struct forest_region *region,
                                          const struct retention *r)
{
    int64_t first = INT64_MAX;
    for (bool is_more = true; is_more;) {
        is_more = false;
        for (size_t i = 0; i < region->run_count; i++) {
            const struct forest_file *run = region->runs[i];
            bool stays = run->known > r->oldest_snapshot || run->meta->commit_max >= first;
            if (stays && run->meta->commit_min < first) {
                first = run->meta->commit_min;
                is_more = true;
            }
        }
    }
    return first;
}

/* A delete goes no sooner than what it hides. */
static bool is_seen_by_none(const struct forest_region *region, const struct forest_file *run,
                            const struct retention *r)
{
    return run->known <= r->oldest_snapshot &&
           run->meta->commit_max < commits_of_those_that_stay(region, r);
}

bool retention_run_is_over(const struct forest_region *region, const struct forest_file *run,
                           const struct retention *r)
{
    if (r->is_only_now) {
        return is_seen_by_none(region, run, r);
    }
    return retention_run_is_past(run, r) && retention_run_ends(run) == 0;
}

static size_t drop_slices(struct edit *edit, const struct superview *view,
                          const struct forest_tree *tree, const struct forest_region *region,
                          const struct retention *r)
{
    size_t count = retention_slices_over(view, tree, region, r);
    for (size_t i = 0; i < count; i++) {
        struct edit_op *op = edit_add(edit, EDIT_SLICE_DROP, tree->keyspace);
        if (op != NULL) {
            op->t0 = region->slices[i].t0;
            buffer_append_bytes(&op->low, forest_key_bytes(&region->low));
            edit->is_nomem |= op->low.is_nomem;
        }
    }
    return count;
}

static size_t drop_runs(struct edit *edit, const struct forest_tree *tree,
                        const struct forest_region *region, const struct retention *r)
{
    size_t dropped = 0;
    for (size_t i = 0; i < region->run_count; i++) {
        const struct forest_file *run = region->runs[i];
        if (retention_run_is_over(region, run, r)) {
            edit_drop_run(edit, tree->keyspace, forest_key_bytes(&region->low), run->meta->file);
            if (r->is_only_now) {
                edit_forget(edit, tree->keyspace, run->meta->commit_max);
            }
            dropped++;
        }
    }
    return dropped;
}

bool retention_wants(const struct superview *view, const struct forest_tree *tree,
                     const struct retention *r)
{
    for (size_t i = 0; i < tree->region_count; i++) {
        const struct forest_region *region = &tree->regions[i];
        if (may_drop(view, tree, region, 0, r)) {
            return true;
        }
        for (size_t j = 0; j < region->run_count; j++) {
            if (retention_run_is_over(region, region->runs[j], r)) {
                return true;
            }
        }
    }
    return false;
}

enum yore_status retention_drop(struct yore_db *db, struct yore_keyspace *keyspace,
                                bool *has_dropped_out, struct yore_error *error_out)
{
    struct retention r;
    struct superview *view = retention_view(db, keyspace, &r);
    const struct forest_tree *tree = forest_tree(view->forest, keyspace->id);
    struct edit edit = {0};
    size_t slices = 0;
    size_t runs = 0;
    enum yore_status st = YORE_OK;
    for (size_t i = 0; tree != NULL && i < tree->region_count; i++) {
        slices += drop_slices(&edit, view, tree, &tree->regions[i], &r);
        runs += drop_runs(&edit, tree, &tree->regions[i], &r);
    }
    *has_dropped_out = slices + runs > 0;
    if (slices + runs > 0) {
        st = db_commit_edit(db, &edit, NULL, error_out);
    }
    if (st == YORE_OK && slices + runs > 0) {
        struct yore_event event = {.kind = YORE_EVENT_RETENTION,
                                   .keyspace_id = keyspace->id,
                                   .text = "tables before the horizon given back"};
        stats_add(&db->stats, STAT_slices_dropped, slices);
        stats_add(&db->stats, STAT_runs_dropped, runs);
        db_event(db, &event);
    }
    edit_release(&edit);
    superview_release(view);
    return st;
}

/* ---- dropped keyspaces ---- */

bool retention_is_all_over(struct yore_db *db, const struct yore_keyspace *keyspace)
{
    if (!keyspace_is_dropped(keyspace)) {
        return false;
    }
    int64_t dropped_at = atomic_load(&keyspace->dropped_at);
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    return horizon >= dropped_at && db_oldest_snapshot(db) >= dropped_at;
}

enum yore_status retention_drop_tree(struct yore_db *db, struct yore_keyspace *keyspace,
                                     struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    bool has_tree = forest_tree(view->forest, keyspace->id) != NULL;
    struct edit edit = {0};
    enum yore_status st = YORE_OK;
    superview_release(view);
    if (!has_tree) {
        return st;
    }
    (void)edit_add(&edit, EDIT_TREE_DROP, keyspace->id);
    st = db_commit_edit(db, &edit, NULL, error_out);
    edit_release(&edit);
    if (st == YORE_OK) {
        struct yore_event event = {.kind = YORE_EVENT_RETENTION,
                                   .keyspace_id = keyspace->id,
                                   .text = "a dropped keyspace given back"};
        db_event(db, &event);
    }
    return st;
}

/* ---- horizons ---- */

#define STEP_NS 10000000000 /* between two moves of a horizon, where that is no great part */

/* A dropped keyspace's moves up to the drop, which ends its past: at once where there was none to
 * read, else as its duration says. */
int64_t retention_horizon_at(const struct yore_keyspace *keyspace, int64_t now)
{
    int64_t keep_ns = atomic_load_explicit(&keyspace->keep_ns, memory_order_relaxed);
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_acquire);
    int64_t due = YORE_TIME_MIN;
    int64_t end = atomic_load_explicit(&keyspace->dropped_at, memory_order_acquire);
    switch (atomic_load_explicit(&keyspace->keep, memory_order_relaxed)) {
    case YORE_KEEP_FOR:
        due = now >= INT64_MIN + keep_ns ? now - keep_ns : due;
        break;
    case YORE_KEEP_NOW:
        due = keyspace_is_dropped(keyspace) ? end : due;
        break;
    default:
        break;
    }
    due = due < end ? due : end;
    return due > horizon ? due : horizon;
}

/* How far the horizon moves at a time: at most 1/64 of the duration is kept too long, of a short
 * one up to a quarter, because each move is a commit that is synced. */
static int64_t step_of(int64_t keep_ns)
{
    int64_t least = keep_ns / 4 < STEP_NS ? keep_ns / 4 : STEP_NS;
    return keep_ns / 64 > least ? keep_ns / 64 : least;
}

/* Has the horizon to go 1/`part` of what it moves at a time? */
static bool is_due(const struct yore_keyspace *keyspace, int64_t now, int64_t part,
                   int64_t *horizon_out)
{
    int64_t keep_ns = atomic_load_explicit(&keyspace->keep_ns, memory_order_relaxed);
    int64_t horizon = atomic_load_explicit(&keyspace->horizon, memory_order_relaxed);
    *horizon_out = retention_horizon_at(keyspace, now);
    return *horizon_out > horizon &&
           (horizon == YORE_TIME_MIN || *horizon_out - horizon >= step_of(keep_ns) / part ||
            *horizon_out == atomic_load(&keyspace->dropped_at));
}

/* Then there is nothing that a horizon would let go. */
static bool is_dropped_without_tree(struct yore_db *db, const struct yore_keyspace *keyspace)
{
    if (!keyspace_is_dropped(keyspace)) {
        return false;
    }
    struct superview *view = superview_acquire(db);
    bool has_tree = forest_tree(view->forest, keyspace->id) != NULL;
    superview_release(view);
    return !has_tree;
}

struct horizon_moves {
    struct horizon_move *moves;
    size_t count;
    size_t capacity;
};

static enum yore_status list_moves(struct yore_db *db, int64_t part, struct horizon_moves *list)
{
    int64_t now = db_now(db);
    list->count = 0;
    for (size_t i = 0;; i++) {
        struct horizon_move move;
        os_mutex_lock(&db->lock);
        move.keyspace = i < db->keyspace_count ? db->keyspaces[i] : NULL;
        os_mutex_unlock(&db->lock);
        if (move.keyspace == NULL) {
            return YORE_OK;
        }
        if (!is_due(move.keyspace, now, part, &move.horizon) ||
            is_dropped_without_tree(db, move.keyspace)) {
            continue;
        }
        struct horizon_move *grown =
            mem_grow(list->moves, list->count, &list->capacity, sizeof *grown);
        if (grown == NULL) {
            return YORE_NOMEM;
        }
        list->moves = grown;
        grown[list->count++] = move;
    }
}

bool retention_goes_on(struct yore_db *db)
{
    for (size_t i = 0;; i++) {
        os_mutex_lock(&db->lock);
        const struct yore_keyspace *keyspace = i < db->keyspace_count ? db->keyspaces[i] : NULL;
        os_mutex_unlock(&db->lock);
        if (keyspace == NULL) {
            return false;
        }
        if (atomic_load(&keyspace->keep) == YORE_KEEP_FOR &&
            atomic_load(&keyspace->horizon) < atomic_load(&keyspace->dropped_at) &&
            !is_dropped_without_tree(db, keyspace)) {
            return true;
        }
    }
}

enum yore_status retention_advance(struct yore_db *db, struct yore_error *error_out)
{
    struct horizon_moves list = {.count = 0};
    enum yore_status st = list_moves(db, 1, &list);
    if (st == YORE_OK && list.count > 0) {
        st = list_moves(db, 2, &list); /* with those that would be due soon */
    }
    if (st == YORE_NOMEM) {
        error_plain(error_out, st);
    } else {
        st = catalogue_set_horizons(db, list.moves, list.count, error_out);
    }
    mem_free(list.moves);
    return st;
}
