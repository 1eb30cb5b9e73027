/* purge.c -- see purge.h.
 *
 * Every output already leaves erased values out (output.c); what is left are tables that no merge
 * has touched since.  They are rewritten one by one and replaced wherever they are named.  The
 * memtable is flushed first, so that the journal before it can go.
 *
 * Then an erasure over the whole timeline of its keys needs no rule any more: each version that it
 * hid says itself that it is erased.  The manifest learns up to which commit that is so, and the
 * rules leave memory, once no reader holds anything older that only the rules keep from being read.
 * A rule of a span stays, because it also says what an earlier version must not show inside the
 * span as it was known before.  The records in the catalogue stay: backups are told of them, for
 * what is restored, and transactions look for those made since they began.
 */
#include "engine/purge.h"

#include "engine/output.h"
#include "engine/value_collect.h"

struct purge_pick {
    const struct erase_set *erased;
    uint32_t keyspace;
    struct forest_file *file; /* the first that is wanted */
};

static void pick(void *arg, struct forest_file *file)
{
    struct purge_pick *p = arg;
    if (p->file == NULL && erase_set_wants(p->erased, p->keyspace, file->meta, file->erase_seen)) {
        p->file = file;
    }
}

static enum yore_status rewrite(const struct forest_file *file, struct output *o,
                                struct yore_error *error_out)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct version_iter *it;
    enum yore_status st = table_iter_new(file->table, &all, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    for (version_iter_first(it); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        st = output_add(o, &it->at, error_out);
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    version_iter_free(it);
    return st == YORE_OK ? output_finish(o, error_out) : st;
}

static bool is_in_levels(const struct forest_tree *tree, const struct forest_file *file)
{
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        for (size_t j = 0; j < tree->levels[i].file_count; j++) {
            if (tree->levels[i].files[j] == file) {
                return true;
            }
        }
    }
    return false;
}

/* Rewrite one table of the tree that may hold erased values.  YORE_NOT_FOUND: there is none. */
static enum yore_status purge_one(struct yore_db *db, struct yore_keyspace *keyspace,
                                  struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    const struct forest_tree *tree = forest_tree(view->forest, keyspace->id);
    struct purge_pick p = {view->erased, keyspace->id, NULL};
    struct edit edit = {0};
    struct output o = {0};
    enum yore_status st = YORE_NOT_FOUND;
    if (tree != NULL) {
        tree_each_file(tree, pick, &p);
    }
    if (p.file != NULL) {
        output_init(&o, view, keyspace,
                    is_in_levels(tree, p.file) ? PAGE_CLASS_PRESENT : PAGE_CLASS_PAST, UINT64_MAX);
        o.known = p.file->known;
        st = rewrite(p.file, &o, error_out);
        struct edit_op *op = edit_add(&edit, EDIT_FILE_REPLACE, keyspace->id);
        if (op != NULL) {
            op->number = p.file->meta->file;
            op->file = o.file_count > 0 ? forest_file_ref(o.files[0]) : NULL;
        }
        st = st == YORE_OK ? db_commit_edit(db, &edit, NULL, error_out) : st;
        output_release(&o, st == YORE_OK);
        stats_add(&db->stats, STAT_files_purged, st == YORE_OK);
    }
    edit_release(&edit);
    superview_release(view);
    return st;
}

static enum yore_status purge_keyspace(struct yore_db *db, struct yore_keyspace *keyspace,
                                       const struct stop *stop, struct yore_error *error_out)
{
    enum yore_status st = jobs_claim_keyspace(db, keyspace, stop, error_out);
    if (st != YORE_OK) {
        return st;
    }
    while (st == YORE_OK) {
        st = stop_is_asked(stop) ? error_plain(error_out, YORE_CANCELLED)
                                 : purge_one(db, keyspace, error_out);
    }
    jobs_free_keyspace(db, keyspace);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- rules that are needed no more ---- */

static bool is_older(void *arg, const struct superview *view)
{
    return view->forest->serial < *(const uint64_t *)arg;
}

/* May something that is no part of the database any more have bytes of before the purge?  Who reads
 * that must not do without the rules. */
static bool is_held(struct yore_db *db, const struct purged *purged)
{
    uint64_t serial = purged->serial;
    return superview_any(db, is_older, &serial) || atomic_load(&db->has_retired_values) ||
           purged->commit > journal_stale_first(db->journal) || journal_has_untold(db->journal);
}

static enum yore_status publish_retired(struct yore_db *db, int64_t commit,
                                        struct yore_error *error_out)
{
    struct erase_set *next;
    commit_lead_alone(db); /* nobody makes another set of this one */
    struct superview *view = superview_acquire(db);
    enum yore_status st = erase_set_retired(view->erased, view->erased, commit, &next);
    superview_release(view);
    if (st == YORE_OK) {
        os_mutex_lock(&db->lock);
        view = atomic_load_explicit(&db->view, memory_order_acquire);
        st = db_publish(db, view->active, view->forest, next);
        db->purged.is_left = st != YORE_OK;
        os_mutex_unlock(&db->lock);
    }
    commit_lead_no_more(db);
    erase_set_unref(next);
    return st == YORE_OK ? st : error_plain(error_out, st);
}

/* Rules over the whole of their keys leave when nobody can meet what they hide. */
static enum yore_status retire_rules(struct yore_db *db, struct yore_error *error_out)
{
    struct edit edit = {0};
    os_mutex_lock(&db->lock);
    struct purged purged = db->purged;
    os_mutex_unlock(&db->lock);
    if (!purged.is_left || is_held(db, &purged)) {
        return YORE_OK;
    }
    edit_purged(&edit, purged.commit);
    enum yore_status st = db_commit_edit(db, &edit, NULL, error_out);
    edit_release(&edit);
    return st == YORE_OK ? publish_retired(db, purged.commit, error_out) : st;
}

/* The erasures up to `commit` are purged. */
static void note_purged(struct yore_db *db, int64_t commit)
{
    os_mutex_lock(&db->lock);
    const struct superview *view = atomic_load_explicit(&db->view, memory_order_acquire);
    db->purged = (struct purged){commit, view->forest->serial, erase_set_count(view->erased) > 0};
    os_mutex_unlock(&db->lock);
}

/* ---- the whole ---- */

/* `*has_purged_out`: there was something to do, and the value files were thinned on the way. */
static enum yore_status purge(struct yore_db *db, const struct stop *stop, bool *has_purged_out,
                              struct yore_error *error_out)
{
    os_mutex_lock(&db->lock);
    while (db->is_purging) { /* another thread does: its end is what the caller waits for */
        os_cond_wait(&db->idle, &db->lock);
    }
    bool is_pending = db->is_erase_pending;
    db->is_erase_pending = false; /* an erasure from here on sets it again */
    db->is_purging = is_pending;
    int64_t known =
        erase_set_commit_max(atomic_load_explicit(&db->view, memory_order_acquire)->erased);
    os_mutex_unlock(&db->lock);
    *has_purged_out = is_pending;
    if (!is_pending) {
        return retire_rules(db, error_out);
    }
    struct yore_event event = {
        .kind = YORE_EVENT_ERASE, .is_begin = true, .text = "erased bytes leave"};
    db_event(db, &event);
    enum yore_status st = yore_flush(db, error_out);
    for (size_t i = 0; st == YORE_OK; i++) {
        os_mutex_lock(&db->lock);
        struct yore_keyspace *keyspace = i < db->keyspace_count ? db->keyspaces[i] : NULL;
        os_mutex_unlock(&db->lock);
        if (keyspace == NULL) {
            break;
        }
        st = purge_keyspace(db, keyspace, stop, error_out);
    }
    /* The journal before the values: a feed must not meet references to values that are gone. */
    if (st == YORE_OK) {
        st = commit_purge_journal(db, error_out);
    }
    if (st == YORE_OK) {
        st = values_collect_all(db, stop, error_out);
    }
    if (st == YORE_OK) {
        note_purged(db, known);
    }
    os_mutex_lock(&db->lock);
    db->is_purging = false;
    db->is_erase_pending |= st != YORE_OK;
    os_cond_broadcast(&db->idle);
    os_mutex_unlock(&db->lock);
    if (st != YORE_OK) {
        return st;
    }
    event.is_begin = false;
    event.text = "erased bytes are gone";
    db_event(db, &event);
    return retire_rules(db, error_out);
}

enum yore_status purge_pending(struct yore_db *db, struct yore_error *error_out)
{
    bool ignored;
    return purge(db, NULL, &ignored, error_out);
}

enum yore_status purge_all(struct yore_db *db, const struct stop *stop,
                           struct yore_error *error_out)
{
    bool has_purged;
    enum yore_status st = purge(db, stop, &has_purged, error_out);
    if (st == YORE_OK && !has_purged) {
        st = values_collect_all(db, stop, error_out);
    }
    return st == YORE_OK ? values_sweep(db, error_out) : st;
}
