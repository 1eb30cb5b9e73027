/* value_sweep.c -- value files that were thinned or dropped leave the disk.
 *
 * Readers that hold an older forest must still read what that forest refers to, also a value that
 * the new generation lacks.  So a retired generation is unlinked only when no held view names it
 * any more: at once when there is no such reader, else by the next sweep.  Refused: keeping the old
 * file open (handles would grow with readers), and counting references in the forest (every edit
 * would touch them, for a file that is thinned once in its life).
 */
#include "engine/value_collect.h"

#include "base/mem.h"

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
