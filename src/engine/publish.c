/* publish.c -- from a finished job to the next state: manifest first, then what readers see. */
#include "base/assert.h"
#include "base/mem.h"
#include "engine/db_internal.h"

uint64_t db_take_file_number(struct yore_db *db)
{
    return atomic_fetch_add(&db->next_file, 1);
}

static void mark_file(void *arg, struct forest_file *file)
{
    file->mark = *(const uint64_t *)arg;
}

static void drop_unmarked(void *arg, struct forest_file *file)
{
    if (file->mark != *(const uint64_t *)arg) {
        table_mark_dead(file->table); /* unlinked when the last reader lets go */
    }
}

/* Tables of `old` that `next` does not name any more.  Under manifest_lock, which guards the marks.
 */
static void drop_dead_files(const struct forest *old, const struct forest *next, uint64_t mark)
{
    for (size_t i = 0; i < next->tree_count; i++) {
        tree_each_file(next->trees[i], mark_file, &mark);
    }
    for (size_t i = 0; i < old->tree_count; i++) {
        const struct forest_tree *same = forest_tree(next, old->trees[i]->keyspace);
        if (same != old->trees[i]) {
            tree_each_file(old->trees[i], drop_unmarked, &mark);
        }
    }
}

void db_drop_new_file(struct yore_db *db, struct forest_file *file)
{
    if (atomic_load(&db->failed_status) == YORE_OK) {
        table_mark_dead(file->table);
    }
}

static enum yore_status rewrite_manifest(struct yore_db *db, const struct forest *forest,
                                         struct yore_error *error_out)
{
    struct manifest *fresh;
    uint64_t old = manifest_number(db->manifest);
    enum yore_status st = manifest_create(db->env, db->path, db->database, db_take_file_number(db),
                                          forest, &fresh, error_out);
    if (st != YORE_OK) {
        return st;
    }
    char path[PATH_BYTES];
    st = manifest_close(db->manifest, error_out);
    db->manifest = fresh;
    if (st == YORE_OK && db_file_path(path, db->path, DB_FILE_MANIFEST, old, 0)) {
        st = os_path_unlink(db->env, path, error_out);
    }
    return st;
}

static enum yore_status publish_forest(struct yore_db *db, struct forest *next,
                                       const struct memtable *flushed)
{
    os_mutex_lock(&db->lock);
    struct superview *now = atomic_load_explicit(&db->view, memory_order_acquire);
    struct memtable *done = NULL;
    if (flushed != NULL) {
        YORE_ASSERT(db->waiting_count > 0 && db->waiting[0].memtable == flushed);
        done = db->waiting[0].memtable;
        db->waiting_count--;
        memmove(db->waiting, db->waiting + 1, db->waiting_count * sizeof db->waiting[0]);
    }
    enum yore_status st = db_publish(db, now->active, next, now->erased);
    if (st != YORE_OK &&
        flushed != NULL) { /* still waiting: the failed database keeps reading it */
        memmove(db->waiting + 1, db->waiting, db->waiting_count * sizeof db->waiting[0]);
        db->waiting[0].memtable = done;
        db->waiting_count++;
        done = NULL;
    }
    os_cond_broadcast(&db->idle);
    os_mutex_unlock(&db->lock);
    memtable_unref(done);
    return st;
}

/* REQUIRES(manifest_lock).  `is_written` tells whether the manifest names the new files. */
static enum yore_status commit_edit(struct yore_db *db, struct edit *edit, struct memtable *flushed,
                                    bool *is_written, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct forest *next = NULL;
    struct edit_op *numbers = edit_add(edit, EDIT_NUMBERS, 0);
    if (numbers != NULL) {
        numbers->next_file = atomic_load(&db->next_file);
    }
    enum yore_status st = forest_apply(view->forest, edit, &next, error_out);
    if (st == YORE_OK) {
        st = os_dir_sync(db->env, db->path, error_out);
    }
    if (st == YORE_OK) {
        *is_written = true;
        st = manifest_append(db->manifest, edit, error_out);
    }
    if (st == YORE_OK) {
        st = publish_forest(db, next, flushed);
    }
    if (st == YORE_OK) {
        drop_dead_files(view->forest, next, ++db->edit_count);
        if (manifest_bytes(db->manifest) >
            2 * manifest_base_bytes(db->manifest) + MANIFEST_BYTES_MAX) {
            st = rewrite_manifest(db, next, error_out);
        }
    }
    forest_unref(next);
    superview_release(view);
    return st;
}

enum yore_status db_commit_edit(struct yore_db *db, struct edit *edit, struct memtable *flushed,
                                struct yore_error *error_out)
{
    struct yore_error local;
    struct yore_error *error = error_out != NULL ? error_out : &local;
    bool is_written = false;
    error_clear(error);
    os_mutex_lock(&db->manifest_lock);
    enum yore_status st = db_check_writable(db, error);
    if (st == YORE_OK) {
        st = commit_edit(db, edit, flushed, &is_written, error);
        if (st != YORE_OK && is_written) {
            db_fail(db, st, error);
        }
    }
    os_mutex_unlock(&db->manifest_lock);
    return st;
}
