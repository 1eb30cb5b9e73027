/* value_collect.c -- see value_collect.h.
 *
 * A record is wanted while any version of its key, in any source and at any time, refers to it. The
 * thinned file has the same offsets, so no reference changes; it becomes current with one edit, and
 * the old generation goes with the next opening.
 */
#include "engine/value_collect.h"

#include <string.h>

#include "base/mem.h"
#include "table/value_file.h"

struct collect {
    struct yore_db *db;
    struct superview *view;
    enum yore_status status;
    struct yore_error *error_out;
};

static bool refers_to(const struct version *v, const struct value_ref *ref)
{
    struct value_ref of_version;
    return (v->flags & VERSION_APART) != 0 && value_ref_decode(v->value, &of_version) == YORE_OK &&
           of_version.file == ref->file && of_version.offset == ref->offset;
}

static int is_wanted(void *arg, const struct value_record *record)
{
    struct collect *c = arg;
    struct iter_view all = {.known = INT64_MAX, .valid = INT64_MAX, .commit_after = INT64_MIN};
    struct version_place place = {record->key, INT64_MAX, INT64_MAX};
    struct yore_keyspace *keyspace = db_keyspace(c->db, record->keyspace);
    struct buffer high = {0};
    struct version_iter *it = NULL;
    int wanted = 0;
    if (keyspace == NULL || c->status != YORE_OK) {
        return 1;
    }
    buffer_append_bytes(&high, record->key);
    buffer_append_u8(&high, 0);
    c->status = high.is_nomem ? error_plain(c->error_out, YORE_NOMEM)
                              : sources_all(c->view, keyspace, record->key, buffer_bytes(&high),
                                            &all, YORE_TIME_MIN, INT64_MAX, &it, c->error_out);
    if (c->status == YORE_OK) {
        version_iter_seek(it, &place);
        while (wanted == 0 && it->is_valid && bytes_equal(it->at.key, record->key)) {
            wanted = refers_to(&it->at, &record->ref) &&
                     !erase_set_hides(c->view->erased, keyspace->id, &it->at);
            version_iter_next(it);
        }
        if (it->status != YORE_OK) {
            c->status = error_set(c->error_out, it->status, "%s", it->error.text);
        }
        version_iter_free(it);
    }
    buffer_release(&high);
    return wanted;
}

static enum yore_status make_current(struct yore_db *db, struct value_file_info info,
                                     uint64_t kept_bytes, struct yore_error *error_out)
{
    struct edit edit = {0};
    struct edit_op *op =
        edit_add(&edit, kept_bytes > 0 ? EDIT_VALUE_FILE_PUT : EDIT_VALUE_FILE_DROP, 0);
    info.generation++;
    info.dropped_bytes = 0;
    if (op != NULL) {
        op->value_file = info;
    }
    enum yore_status st = db_commit_edit(db, &edit, NULL, error_out);
    edit_release(&edit);
    if (st == YORE_OK) {
        values_forget(db->values, info.file);
    }
    return st;
}

static enum yore_status collect_file(struct collect *c, const struct value_file_info *info,
                                     struct yore_error *error_out)
{
    struct yore_db *db = c->db;
    struct file_identity identity = {db->database, info->file};
    struct value_reader *reader = NULL;
    uint64_t kept_bytes = 0;
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    if (!db_file_path(from, db->path, DB_FILE_VALUES, info->file, info->generation) ||
        !db_file_path(to, db->path, DB_FILE_VALUES, info->file, info->generation + 1)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", db->path);
    }
    enum yore_status st = value_reader_open(db->env, from, identity, &reader, error_out);
    if (st == YORE_OK) {
        st = os_path_unlink(db->env, to, error_out); /* of an attempt that failed */
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (st == YORE_OK) {
        st = value_file_thin(db->env, reader, to, is_wanted, c, &kept_bytes, error_out);
    }
    value_reader_close(reader);
    st = st == YORE_OK ? c->status : st;
    if (st == YORE_OK) {
        st = make_current(db, *info, kept_bytes, error_out);
    }
    if (st == YORE_OK) {
        st = os_path_unlink(db->env, from, error_out);
    }
    return st;
}

enum yore_status values_collect(struct yore_db *db, uint64_t file, struct yore_error *error_out)
{
    struct collect c = {.db = db, .view = superview_acquire(db), .error_out = error_out};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; i < c.view->forest->value_file_count; i++) {
        const struct value_file_info *info = &c.view->forest->value_files[i];
        if (info->file == file && info->bytes > 0) {
            st = collect_file(&c, info, error_out);
        }
    }
    superview_release(c.view);
    return st;
}
