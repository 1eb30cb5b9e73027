/* flush.c -- see flush.h.
 *
 * The newest version of each key goes to level 0, what it supersedes to runs of history: one for
 * valid times not sealed yet, one for late facts.  A newest version that is back-dated is marked
 * unresolved, unless the memtable itself shows that nothing flushed can be greater: it supersedes a
 * version that is not back-dated (whose valid_from exceeds every earlier commit), or the tree is
 * empty.
 */
#include "engine/flush.h"

#include "base/mem.h"
#include "engine/output.h"
#include "engine/retention.h"

struct flush {
    struct yore_db *db;
    struct superview *view;
    struct memtable *memtable;
    uint64_t journal_segment;
    struct edit edit;
    struct sync_group syncs; /* of the tables of all keyspaces */
    uint64_t bytes;
};

/* One keyspace's part. */
struct flush_tree {
    const struct yore_keyspace *keyspace;
    const struct forest_tree *tree; /* NULL: empty */
    struct retention retention;
    struct output newest;
    struct output run;
    struct output late;
};

static enum yore_status put_superseded(struct flush_tree *t, const struct version *old,
                                       const struct version *newer, struct yore_error *error_out)
{
    if (!retention_needs(&t->retention, old, newer)) {
        return YORE_OK;
    }
    const struct forest_region *region = t->tree != NULL ? tree_region(t->tree, old->key) : NULL;
    bool is_late = region != NULL && old->valid_from < region_sealed_to(region);
    return output_add(is_late ? &t->late : &t->run, old, error_out);
}

/* All versions of the key under `it`; the memtable is held, so what it yields stays where it is. */
static enum yore_status flush_key(struct flush_tree *t, struct version_iter *it,
                                  struct yore_error *error_out)
{
    struct version newest = it->at;
    struct version newer = it->at;
    bool is_resolved = t->tree == NULL || !version_is_back_dated(&newest);
    enum yore_status st = YORE_OK;
    version_iter_next(it);
    while (st == YORE_OK && it->is_valid && bytes_equal(it->at.key, newest.key)) {
        is_resolved |= !version_is_back_dated(&it->at);
        st = put_superseded(t, &it->at, &newer, error_out);
        newer = it->at;
        version_iter_next(it);
    }
    if (st != YORE_OK) {
        return st;
    }
    newest.flags |= is_resolved ? 0u : (unsigned)VERSION_UNRESOLVED;
    return output_add(&t->newest, &newest, error_out);
}

static enum yore_status walk_tree(struct flush *f, struct flush_tree *t,
                                  struct yore_error *error_out)
{
    struct iter_view view = {.known = INT64_MAX, .valid = INT64_MAX, .commit_after = INT64_MIN};
    struct version_iter *it;
    enum yore_status st = memtable_iter_new(f->memtable, t->keyspace->id, &view, &it);
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    version_iter_first(it);
    while (st == YORE_OK && it->is_valid) {
        st = flush_key(t, it, error_out);
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    version_iter_free(it);
    return st;
}

static enum yore_status finish_output(struct flush *f, struct flush_tree *t, struct output *o,
                                      struct yore_error *error_out)
{
    enum yore_status st = output_finish(o, error_out);
    for (size_t i = 0; st == YORE_OK && i < o->file_count; i++) {
        if (o == &t->newest) {
            edit_add_level(&f->edit, t->keyspace->id, 0, o->files[i]);
        } else {
            edit_add_run(&f->edit, t->keyspace->id, o->files[i]);
        }
    }
    f->bytes += o->bytes;
    return st == YORE_OK && f->edit.is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
}

static enum yore_status flush_tree(struct flush *f, uint32_t id, struct yore_error *error_out)
{
    struct yore_keyspace *keyspace = db_keyspace(f->db, id);
    if (keyspace == NULL) {
        return error_set(error_out, YORE_CORRUPT,
                         "%s: keyspace %u is in the journal but not in the catalogue", f->db->path,
                         id);
    }
    if (retention_is_all_over(f->db, keyspace)) {
        return YORE_OK;
    }
    struct flush_tree t = {.keyspace = keyspace, .tree = forest_tree(f->view->forest, id)};
    struct output *outputs[] = {&t.newest, &t.run, &t.late};
    retention_of(f->db, keyspace, &t.retention);
    for (size_t i = 0; i < 3; i++) {
        output_init(outputs[i], f->view, keyspace, i == 0 ? PAGE_CLASS_PRESENT : PAGE_CLASS_PAST,
                    UINT64_MAX);
        struct memtable_bounds bounds;
        memtable_bounds(f->memtable, &bounds);
        outputs[i]->known = bounds.commit_max;
        outputs[i]->syncs = &f->syncs;
    }
    enum yore_status st = walk_tree(f, &t, error_out);
    for (size_t i = 0; st == YORE_OK && i < 3; i++) {
        st = finish_output(f, &t, outputs[i], error_out);
    }
    for (size_t i = 0; i < 3; i++) {
        output_release(outputs[i], st == YORE_OK); /* the edit holds references of its own */
    }
    return st;
}

static enum yore_status flush_all(struct flush *f, struct yore_error *error_out)
{
    size_t count = memtable_keyspaces(f->memtable, NULL, 0);
    uint32_t *ids = mem_array(count + 1, sizeof *ids);
    if (ids == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    memtable_keyspaces(f->memtable, ids, count);
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = flush_tree(f, ids[i], error_out);
    }
    mem_free(ids);
    if (st == YORE_OK) {
        st = sync_group_end(&f->syncs, error_out);
    }
    sync_group_drop(&f->syncs);
    return st;
}

/* Promise 2: the journal is durable up to the memtable's last commit before the manifest names its
 * tables. */
static enum yore_status make_journal_durable(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = values_sync(db->values, error_out);
    if (st == YORE_OK) {
        st = journal_sync(db->journal, error_out);
    }
    if (st == YORE_OK) {
        commit_wake_watchers(db);
    } else {
        struct yore_error cause = error_out != NULL ? *error_out : (struct yore_error){.text = ""};
        db_fail(db, st, &cause);
    }
    return st;
}

static void drop_edit_files(struct yore_db *db, struct edit *edit)
{
    for (size_t i = 0; i < edit->count; i++) {
        if (edit->ops[i].file != NULL) {
            db_drop_new_file(db, edit->ops[i].file);
        }
    }
}

static enum yore_status commit_flush(struct flush *f, struct yore_error *error_out)
{
    struct memtable_bounds bounds;
    memtable_bounds(f->memtable, &bounds);
    struct edit_op *op = edit_add(&f->edit, EDIT_NUMBERS, 0);
    if (op != NULL) {
        op->journal_first = f->journal_segment;
        op->journal_next = journal_next_segment(f->db->journal);
        op->flushed_commit = bounds.commit_max;
    }
    enum yore_status st = db_commit_edit(f->db, &f->edit, f->memtable, error_out);
    if (st != YORE_OK) {
        drop_edit_files(f->db, &f->edit);
        return st;
    }
    return journal_release(f->db->journal, f->journal_segment, error_out);
}

static void count_flush(struct flush *f, int64_t began_ns)
{
    struct yore_db *db = f->db;
    uint64_t took_us = (uint64_t)(os_monotonic_ns(db->env) - began_ns) / 1000;
    struct yore_event event = {.kind = YORE_EVENT_FLUSH,
                               .output_bytes = f->bytes,
                               .duration_us = took_us,
                               .text = "memtable written to tables"};
    stats_add(&db->stats, STAT_flushes, 1);
    stats_add(&db->stats, STAT_flush_bytes, f->bytes);
    histogram_add(&db->stats.histograms[HIST_flush_latency_us], took_us);
    db_event(db, &event);
}

enum yore_status flush_oldest(struct yore_db *db, struct yore_error *error_out)
{
    struct flush f = {.db = db};
    int64_t began_ns = os_monotonic_ns(db->env);
    os_mutex_lock(&db->lock);
    if (db->waiting_count == 0) {
        os_mutex_unlock(&db->lock);
        return YORE_NOT_FOUND;
    }
    f.memtable = db->waiting[0].memtable;
    f.journal_segment = db->waiting[0].journal_segment;
    memtable_ref(f.memtable);
    os_mutex_unlock(&db->lock);
    struct yore_event begin = {.kind = YORE_EVENT_FLUSH, .is_begin = true, .text = "flush begins"};
    db_event(db, &begin);
    f.view = superview_acquire(db);
    enum yore_status st = db_check_writable(db, error_out);
    if (st == YORE_OK) {
        st = flush_all(&f, error_out);
    }
    if (st == YORE_OK) {
        st = make_journal_durable(db, error_out);
    }
    if (st == YORE_OK) {
        st = commit_flush(&f, error_out);
        count_flush(&f, began_ns);
    } else {
        drop_edit_files(db, &f.edit);
    }
    edit_release(&f.edit);
    superview_release(f.view);
    memtable_unref(f.memtable);
    return st;
}
