/* publish.c -- from a finished job to the next state: manifest first, then what readers see. */
#include "base/assert.h"
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

/* Tables of `old` that `next` does not name any more: a table belongs to one tree, so only trees
 * that changed are looked through.  Under manifest_lock, which guards the marks.
 */
static void drop_dead_files(const struct forest *old, const struct forest *next, uint64_t mark)
{
    size_t at = 0; /* both are by keyspace */
    for (size_t i = 0; i < old->tree_count; i++) {
        const struct forest_tree *was = old->trees[i];
        while (at < next->tree_count && next->trees[at]->keyspace < was->keyspace) {
            at++;
        }
        const struct forest_tree *now = at < next->tree_count ? next->trees[at] : NULL;
        now = now != NULL && now->keyspace == was->keyspace ? now : NULL;
        if (now == was) {
            continue;
        }
        if (now != NULL) {
            tree_each_file(now, mark_file, &mark);
        }
        tree_each_file(was, drop_unmarked, &mark);
    }
}

void db_drop_new_file(struct yore_db *db, struct forest_file *file)
{
    if (atomic_load(&db->failed_status) == YORE_OK) {
        table_mark_dead(file->table);
    }
}

static bool is_current(struct yore_db *db, uint64_t number)
{
    struct manifest_current current;
    return manifest_read_current(db->env, db->path, &current, NULL) == YORE_OK &&
           current.number == number;
}

/* Shorten the manifest.  Nothing depends on it: where memory or file handles run out before CURRENT
 * names the new one, the old goes on, and the next edit tries again. */
static enum yore_status rewrite_manifest(struct yore_db *db, const struct forest *forest,
                                         struct yore_error *error_out)
{
    char path[PATH_BYTES];
    struct manifest *fresh;
    uint64_t old = manifest_number(db->manifest);
    uint64_t number = db_take_file_number(db);
    enum yore_status st =
        manifest_create(db->env, db->path, db->database, number, forest, &fresh, error_out);
    if (status_is_want(st) && is_current(db, old)) {
        if (db_file_path(path, db->path, DB_FILE_MANIFEST, number, 0)) {
            (void)os_path_unlink(db->env, path, NULL);
        }
        error_clear(error_out);
        return YORE_OK;
    }
    if (st != YORE_OK) {
        return st;
    }
    st = manifest_close(db->manifest, error_out);
    db->manifest = fresh;
    if (st == YORE_NOMEM) { /* of a mark for a file that goes anyway */
        error_clear(error_out);
        st = YORE_OK;
    }
    if (st == YORE_OK && db_file_path(path, db->path, DB_FILE_MANIFEST, old, 0)) {
        st = os_missing_is_io(os_path_unlink(db->env, path, error_out), error_out);
        st = st == YORE_NOMEM ? YORE_OK : st; /* opening unlinks it */
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
    jobs_wake_locked(db);
    os_mutex_unlock(&db->lock);
    memtable_unref(done);
    return st;
}

/* What an edit brings with it. */
struct brought {
    struct memtable *flushed;       /* NULL: none */
    const struct commit_load *load; /* NULL: none */
    int64_t commit;                 /* of the load */
};

/* The feed must tell the load, and opening must not find its tables without being able to say so:
 * durable before a merge can make other tables of them (what a crash cuts off here is
 * mended when the database is opened). */
enum yore_status db_journal_load(struct yore_db *db, int64_t commit, const struct commit_load *load,
                                 struct yore_error *error_out)
{
    unsigned char header[COMMIT_HEADER_BYTES];
    unsigned char rest[COMMIT_LOAD_BYTES];
    commit_load_encode(header, rest, commit, load);
    struct journal_entry entry = {commit, bytes_of(header, sizeof header),
                                  bytes_of(rest, sizeof rest)};
    enum yore_status st = journal_append(db->journal, &entry, 1, error_out);
    return st == YORE_OK ? journal_sync(db->journal, error_out) : st;
}

/* Memory for all that comes between the manifest and the readers, so that a load whose edit is
 * written does not end for want of it.  Nobody else takes it: only a leader or who holds
 * manifest_lock publishes, and appends. */
static enum yore_status prepare_load(struct yore_db *db, struct yore_error *error_out)
{
    const struct journal_entry entry = {.header = bytes_of(NULL, COMMIT_HEADER_BYTES),
                                        .writes = bytes_of(NULL, COMMIT_LOAD_BYTES)};
    enum yore_status st =
        db_journal_check(db, journal_reserve(db->journal, &entry, 1, error_out), error_out);
    struct superview *spare = st == YORE_OK ? superview_spare(db) : NULL;
    if (spare == NULL) {
        return st == YORE_OK ? error_plain(error_out, YORE_NOMEM) : st;
    }
    os_mutex_lock(&db->lock);
    spare->next_free = db->free_views;
    db->free_views = spare;
    os_mutex_unlock(&db->lock);
    return YORE_OK;
}

static enum yore_status publish(struct yore_db *db, struct forest *next,
                                const struct brought *brought, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (brought->load != NULL) {
        st = db_journal_load(db, brought->commit, brought->load, error_out);
    }
    if (st == YORE_OK) {
        st = publish_forest(db, next, brought->flushed);
    }
    if (st == YORE_OK && brought->load != NULL) {
        /* Pairs with the acquire loads of readers, who take a view after it. */
        atomic_store_explicit(&db->visible, brought->commit, memory_order_release);
    }
    return st;
}

/* REQUIRES(manifest_lock).  `is_written` tells whether the manifest names the new files. */
static enum yore_status commit_edit(struct yore_db *db, struct edit *edit,
                                    const struct brought *brought, bool *is_written,
                                    struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct forest *next = NULL;
    struct edit_op *numbers = edit_add(edit, EDIT_NUMBERS, 0);
    if (numbers != NULL) {
        numbers->next_file = atomic_load(&db->next_file);
    }
    enum yore_status st = forest_apply(view->forest, edit, &next, error_out);
    if (st == YORE_OK && brought->load != NULL) {
        st = prepare_load(db, error_out);
    }
    if (st == YORE_OK) {
        do {
            st = os_missing_is_io(os_dir_sync(db->env, db->path, error_out), error_out);
        } while (db_has_found_handle(db, st, error_out));
    }
    if (st == YORE_OK) {
        *is_written = true;
        st = manifest_append(db->manifest, edit, error_out);
    }
    if (st == YORE_OK) {
        st = publish(db, next, brought, error_out);
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

static enum yore_status commit_brought(struct yore_db *db, struct edit *edit,
                                       const struct brought *brought, struct yore_error *error_out)
{
    struct yore_error local;
    struct yore_error *error = error_out != NULL ? error_out : &local;
    bool is_written = false;
    error_clear(error);
    os_mutex_lock(&db->manifest_lock);
    enum yore_status st = db_check_writable(db, error);
    if (st == YORE_OK) {
        st = commit_edit(db, edit, brought, &is_written, error);
        if (st != YORE_OK && is_written) {
            db_fail(db, st, error);
        }
    }
    os_mutex_unlock(&db->manifest_lock);
    return st;
}

enum yore_status db_commit_edit(struct yore_db *db, struct edit *edit, struct memtable *flushed,
                                struct yore_error *error_out)
{
    struct brought brought = {.flushed = flushed};
    return commit_brought(db, edit, &brought, error_out);
}

enum yore_status db_commit_load(struct yore_db *db, struct edit *edit, int64_t commit,
                                const struct commit_load *load, struct yore_error *error_out)
{
    struct brought brought = {.load = load, .commit = commit};
    return commit_brought(db, edit, &brought, error_out);
}
