/* value_collect.c -- see value_collect.h.
 *
 * A record is wanted while some version of its key refers to it and no erasure hides that version.
 * Which records are is found first, with one look at every source for each record's key, so that a
 * file without garbage is not copied; then the next generation is written, the manifest names it,
 * and the old one is retired.
 *
 * Readers that hold an older forest must still read what that forest refers to, also a value that
 * the new generation lacks.  So a retired generation is unlinked only when no held view names it
 * any more: at once when there is no such reader, else by the next sweep.  Refused: keeping the old
 * file open (handles would grow with readers), and counting references in the forest (every edit
 * would touch them, for a file that is thinned once in its life).
 *
 * A value may have been appended for a commit that is still on its way: values_is_held() tells, and
 * such a file waits.
 */
#include "engine/value_collect.h"

#include "base/mem.h"

struct collect {
    struct yore_db *db;
    struct superview *view;
    uint64_t file;
    uint64_t *wanted; /* offsets of wanted records, ascending */
    size_t wanted_count;
    size_t wanted_capacity;
    size_t record_count;
    size_t next; /* writing: the first of `wanted` not met yet */
    struct buffer high;
    enum yore_status status;
    struct yore_error *error_out;
};

/* ---- what is wanted ---- */

static bool refers(const struct collect *c, const struct version *version,
                   const struct value_record *record)
{
    struct value_ref ref;
    return (version->flags & VERSION_APART) != 0 && version->kind == YORE_KIND_PUT &&
           value_ref_decode(version->value, &ref) == YORE_OK && ref.file == c->file &&
           ref.offset == record->ref.offset &&
           !erase_set_hides(c->view->erased, record->keyspace, version);
}

static enum yore_status look_up(struct collect *c, struct yore_keyspace *keyspace,
                                const struct value_record *record, bool *is_wanted_out)
{
    struct iter_view all = {
        .known = INT64_MAX, .valid = INT64_MAX, .no_cache_fill = true, .commit_after = INT64_MIN};
    struct version_iter *it;
    struct version_place first = {record->key, INT64_MAX, INT64_MAX};
    buffer_clear(&c->high);
    buffer_append_bytes(&c->high, record->key);
    buffer_append_u8(&c->high, 0);
    if (c->high.is_nomem) {
        return error_plain(c->error_out, YORE_NOMEM);
    }
    enum yore_status st = sources_all(c->view, keyspace, record->key, buffer_bytes(&c->high), &all,
                                      YORE_TIME_MIN, INT64_MAX, &it, c->error_out);
    if (st != YORE_OK) {
        return st;
    }
    *is_wanted_out = false;
    version_iter_seek(it, &first);
    while (it->is_valid && !*is_wanted_out && bytes_equal(it->at.key, record->key)) {
        *is_wanted_out = refers(c, &it->at, record);
        version_iter_next(it);
    }
    if (!it->is_valid && it->status != YORE_OK) {
        st = error_set(c->error_out, it->status, "%s", it->error.text);
    }
    version_iter_free(it);
    return st;
}

static enum yore_status add_wanted(struct collect *c, uint64_t offset)
{
    if (c->wanted_count == c->wanted_capacity) {
        size_t capacity = c->wanted_capacity > 0 ? 2 * c->wanted_capacity : 64;
        uint64_t *grown = mem_realloc(c->wanted, capacity * sizeof(*grown));
        if (grown == NULL) {
            return error_plain(c->error_out, YORE_NOMEM);
        }
        c->wanted = grown;
        c->wanted_capacity = capacity;
    }
    c->wanted[c->wanted_count++] = offset;
    return YORE_OK;
}

static int judge(void *arg, const struct value_record *record)
{
    struct collect *c = arg;
    struct yore_keyspace *keyspace = db_keyspace(c->db, record->keyspace);
    bool is_wanted = false;
    c->record_count++;
    if (keyspace != NULL) {
        c->status = look_up(c, keyspace, record, &is_wanted);
    }
    if (c->status == YORE_OK && is_wanted) {
        c->status = add_wanted(c, record->ref.offset);
    }
    return c->status != YORE_OK;
}

static int keep(void *arg, const struct value_record *record)
{
    struct collect *c = arg;
    while (c->next < c->wanted_count && c->wanted[c->next] < record->ref.offset) {
        c->next++;
    }
    return c->next < c->wanted_count && c->wanted[c->next] == record->ref.offset;
}

/* ---- retired generations ---- */

struct sweep {
    struct yore_db *db;
    uint64_t *found; /* pairs: file, generation */
    size_t count;
    enum yore_status status;
};

static int note_file(void *arg, const char *name)
{
    struct sweep *s = arg;
    enum db_file_kind kind;
    uint64_t number;
    uint64_t generation;
    if (!db_file_parse(name, &kind, &number, &generation) || kind != DB_FILE_VALUES) {
        return 0;
    }
    uint64_t *grown = mem_realloc(s->found, (s->count + 1) * 2 * sizeof(*grown));
    if (grown == NULL) {
        s->status = YORE_NOMEM;
        return 1;
    }
    s->found = grown;
    grown[2 * s->count] = number;
    grown[2 * s->count + 1] = generation;
    s->count++;
    return 0;
}

static bool names_generation(void *arg, const struct superview *view)
{
    const uint64_t *pair = arg;
    const struct value_file_info *info = forest_value_file(view->forest, pair[0]);
    /* A later generation than the one named is just being written. */
    return info != NULL && info->generation <= pair[1];
}

enum yore_status values_sweep(struct yore_db *db, struct yore_error *error_out)
{
    struct sweep s = {.db = db};
    char path[PATH_BYTES];
    bool is_left = false;
    if (!atomic_exchange(&db->has_retired_values, false)) {
        return YORE_OK;
    }
    enum yore_status st = os_dir_list(db->env, db->path, note_file, &s, error_out);
    if (st == YORE_OK && s.status != YORE_OK) {
        st = error_plain(error_out, s.status);
    }
    /* From here on every file that was met is named by a view, or by none for ever. */
    uint64_t ignored;
    (void)values_writing(db->values, &ignored);
    for (size_t i = 0; st == YORE_OK && i < s.count; i++) {
        uint64_t *pair = &s.found[2 * i];
        struct superview *now = superview_acquire(db);
        bool is_current = names_generation(pair, now);
        superview_release(now);
        if (is_current) {
            continue;
        }
        if (superview_any(db, names_generation, pair)) {
            is_left = true;
        } else if (db_file_path(path, db->path, DB_FILE_VALUES, pair[0], pair[1])) {
            values_forget(db->values, pair[0]);
            st = os_path_unlink(db->env, path, error_out);
            st = st == YORE_NOT_FOUND ? YORE_OK : st; /* by another sweep */
        }
    }
    mem_free(s.found);
    if (st != YORE_OK || is_left) {
        atomic_store(&db->has_retired_values, true);
    }
    return st;
}

/* ---- one file ---- */

static enum yore_status commit_generation(struct collect *c, const struct value_file_info *old,
                                          uint64_t bytes)
{
    struct edit edit = {0};
    struct edit_op *op =
        edit_add(&edit, c->wanted_count > 0 ? EDIT_VALUE_FILE_PUT : EDIT_VALUE_FILE_DROP, 0);
    if (op != NULL) {
        op->value_file = (struct value_file_info){
            .file = old->file, .generation = old->generation + 1, .bytes = bytes};
    }
    enum yore_status st = db_commit_edit(c->db, &edit, NULL, c->error_out);
    edit_release(&edit);
    return st;
}

static enum yore_status write_generation(struct collect *c, struct value_reader *reader,
                                         const struct value_file_info *old)
{
    char path[PATH_BYTES];
    uint64_t kept;
    uint64_t bytes = 0;
    bool is_dir;
    if (!db_file_path(path, c->db->path, DB_FILE_VALUES, old->file, old->generation + 1)) {
        return error_set(c->error_out, YORE_INVALID, "%s: the path is too long", c->db->path);
    }
    enum yore_status st = YORE_OK;
    if (c->wanted_count > 0) {
        st = os_path_unlink(c->db->env, path, c->error_out); /* of an attempt that failed */
        if (st == YORE_OK || st == YORE_NOT_FOUND) {
            st = value_file_thin(c->db->env, reader, path, keep, c, &kept, c->error_out);
        }
        if (st == YORE_OK) {
            st = os_path_stat(c->db->env, path, &bytes, &is_dir, c->error_out);
        }
    }
    if (st == YORE_OK) {
        st = commit_generation(c, old, bytes);
    } else {
        (void)os_path_unlink(c->db->env, path, NULL);
    }
    return st;
}

static enum yore_status collect_file(struct collect *c, const struct value_file_info *info)
{
    char path[PATH_BYTES];
    struct value_reader *reader;
    struct file_identity identity = {c->db->database, info->file};
    uint64_t end;
    if (!db_file_path(path, c->db->path, DB_FILE_VALUES, info->file, info->generation)) {
        return error_set(c->error_out, YORE_INVALID, "%s: the path is too long", c->db->path);
    }
    enum yore_status st = value_reader_open(c->db->env, path, identity, &reader, c->error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = value_reader_walk(reader, judge, c, &end, c->error_out);
    st = st == YORE_OK ? c->status : st;
    if (st == YORE_OK && (c->wanted_count < c->record_count || c->wanted_count == 0)) {
        st = write_generation(c, reader, info);
        atomic_store(&c->db->has_retired_values, true);
    }
    value_reader_close(reader);
    return st;
}

enum yore_status values_collect(struct yore_db *db, uint64_t file, struct yore_error *error_out)
{
    struct collect c = {.db = db, .file = file, .error_out = error_out};
    enum yore_status st = values_end(db->values, file, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (values_is_held(db->values, file)) {
        return error_set(error_out, YORE_BUSY,
                         "%s: a transaction that is not finished holds large values; try again",
                         db->path);
    }
    c.view =
        superview_acquire(db); /* after the question above: it has all that was committed by then */
    const struct value_file_info *info = forest_value_file(c.view->forest, file);
    if (info != NULL) {
        st = collect_file(&c, info);
    }
    superview_release(c.view);
    mem_free(c.wanted);
    buffer_release(&c.high);
    if (st == YORE_OK) {
        values_forget(db->values, file);
        st = values_sweep(db, error_out);
    }
    return st;
}

enum yore_status values_collect_all(struct yore_db *db, struct yore_error *error_out)
{
    /* The view is let go before anything is retired: it would be the reader that old generations
     * wait for. */
    struct superview *view = superview_acquire(db);
    size_t count = view->forest->value_file_count;
    uint64_t *files = mem_array(count + 1, sizeof *files);
    for (size_t i = 0; files != NULL && i < count; i++) {
        files[i] = view->forest->value_files[i].file;
    }
    superview_release(view);
    enum yore_status st = files != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        st = values_collect(db, files[i], error_out);
    }
    mem_free(files);
    return st;
}
