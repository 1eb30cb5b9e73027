/* rewind.c -- see rewind.h.
 *
 * Every version says by its commit whether it was known, so nothing has to be replayed in order:
 * each keyspace is walked once by key, the newest version left of a key goes to the deepest level,
 * the others to one run of history, which is sealed later like any other.  Refused: applying the
 * commits one by one to an empty database, which sorts everything twice.
 */
#include "engine/rewind.h"
#include "base/mem.h"
#include "engine/output.h"

struct rewind {
    struct yore_db *db;
    struct superview *view;
    int64_t to_commit;
    struct edit edit;
    struct yore_error *error_out;
};

static enum yore_status walk_keyspace(const struct rewind *r, struct version_iter *it,
                                      struct output *newest, struct output *older)
{
    struct buffer key = {0};
    bool is_any = false;
    enum yore_status st = YORE_OK;
    for (version_iter_first(it); st == YORE_OK && it->is_valid; version_iter_next(it)) {
        struct version version = it->at;
        if (version.commit > r->to_commit) {
            continue;
        }
        version.flags &= (unsigned)VERSION_APART;
        if (is_any && bytes_equal(buffer_bytes(&key), version.key)) {
            st = older != NULL ? output_add(older, &version, r->error_out) : YORE_OK;
            continue;
        }
        is_any = true;
        buffer_clear(&key);
        buffer_append_bytes(&key, version.key);
        st = key.is_nomem ? error_plain(r->error_out, YORE_NOMEM)
                          : output_add(newest, &version, r->error_out);
    }
    if (st == YORE_OK && it->status != YORE_OK) {
        st = error_set(r->error_out, it->status, "%s", it->error.text);
    }
    buffer_release(&key);
    return st;
}

static enum yore_status rewind_keyspace(struct rewind *r, struct yore_keyspace *keyspace)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct yore_bytes none = bytes_of(NULL, 0);
    struct output newest;
    struct output older;
    struct version_iter *it;
    bool is_only_now = atomic_load(&keyspace->keep) == YORE_KEEP_NOW;
    output_init(&newest, r->view, keyspace, PAGE_CLASS_PRESENT, r->db->options.table_bytes);
    output_init(&older, r->view, keyspace, PAGE_CLASS_PAST, UINT64_MAX);
    older.known = r->to_commit;
    enum yore_status st = sources_all(r->view, keyspace, none, none, &all, YORE_TIME_MIN, INT64_MAX,
                                      &it, r->error_out);
    if (st == YORE_OK) {
        st = walk_keyspace(r, it, &newest, is_only_now ? NULL : &older);
        version_iter_free(it);
    }
    if (st == YORE_OK) {
        st = output_finish(&newest, r->error_out);
    }
    if (st == YORE_OK) {
        st = output_finish(&older, r->error_out);
    }
    for (size_t i = 0; st == YORE_OK && i < newest.file_count; i++) {
        edit_add_level(&r->edit, keyspace->id, LEVELS_MAX - 1, newest.files[i]);
    }
    for (size_t i = 0; st == YORE_OK && i < older.file_count; i++) {
        edit_add_run(&r->edit, keyspace->id, older.files[i]);
    }
    output_release(&newest, true); /* what no manifest names goes when the directory is opened */
    output_release(&older, true);
    return st;
}

static void add_values(struct rewind *r)
{
    const struct forest *forest = r->view->forest;
    for (size_t i = 0; i < forest->value_file_count; i++) {
        struct edit_op *op = edit_add(&r->edit, EDIT_VALUE_FILE_PUT, 0);
        if (op != NULL) {
            op->value_file = forest->value_files[i];
        }
    }
}

static enum yore_status begin_again(struct rewind *r)
{
    struct yore_db *db = r->db;
    struct forest *empty = NULL;
    struct forest *forest = NULL;
    struct manifest *manifest = NULL;
    uint64_t number = db_take_file_number(db);
    struct edit_op *op = edit_add(&r->edit, EDIT_NUMBERS, 0);
    if (op != NULL) {
        op->next_file = atomic_load(&db->next_file);
        op->journal_first = journal_next_segment(db->journal);
        op->journal_next = op->journal_first;
        op->flushed_commit = r->to_commit;
    }
    enum yore_status st = forest_new(&empty);
    if (st == YORE_OK) {
        st = forest_apply(empty, &r->edit, &forest, r->error_out);
    } else {
        error_plain(r->error_out, st);
    }
    if (st == YORE_OK) {
        st = os_dir_sync(db->env, db->path, r->error_out);
    }
    if (st == YORE_OK) {
        st = manifest_create(db->env, db->path, db->database, number, forest, &manifest,
                             r->error_out);
    }
    if (st == YORE_OK) {
        st = manifest_close(manifest, r->error_out);
    }
    forest_unref(forest);
    forest_unref(empty);
    return st;
}

enum yore_status rewind_database(struct yore_db *db, int64_t to_commit,
                                 struct yore_error *error_out)
{
    struct rewind r = {.db = db, .to_commit = to_commit, .error_out = error_out};
    enum yore_status st = YORE_OK;
    r.view = superview_acquire(db);
    for (size_t i = 0; st == YORE_OK && i < r.view->forest->tree_count; i++) {
        struct yore_keyspace *keyspace = db_keyspace(db, r.view->forest->trees[i]->keyspace);
        st = keyspace != NULL ? rewind_keyspace(&r, keyspace)
                              : error_set(error_out, YORE_CORRUPT,
                                          "%s: keyspace %u has tables but is not in the catalogue",
                                          db->path, r.view->forest->trees[i]->keyspace);
    }
    add_values(&r);
    if (st == YORE_OK) {
        st = begin_again(&r);
    }
    edit_release(&r.edit);
    superview_release(r.view);
    return st;
}
