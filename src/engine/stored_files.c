/* stored_files.c -- see stored_files.h. */
#include "engine/stored_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "engine/purge.h"

#define COPY_BYTES (1u << 20)
#define FREEZES_MAX 32u /* flushes for a view with its catalogue */
#define NEW_SUFFIX ".new"
#define MARKER_NAME                                                                                \
    "UNFINISHED" /* in a directory that an attempt has made; locked while it runs                  \
                  */

/* ---- lists ---- */

void stored_list_release(struct stored_list *list)
{
    mem_free(list->files);
    *list = (struct stored_list){0};
}

enum yore_status stored_list_add(struct stored_list *list, const struct stored_file *file)
{
    struct stored_file *grown = mem_grow(list->files, list->count, &list->capacity, sizeof *grown);
    if (grown == NULL) {
        return YORE_NOMEM;
    }
    list->files = grown;
    list->files[list->count++] = *file;
    return YORE_OK;
}

static int compare_stored(const void *left, const void *right)
{
    const struct stored_file *a = left;
    const struct stored_file *b = right;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    return (a->generation > b->generation) - (a->generation < b->generation);
}

void stored_list_sort(struct stored_list *list)
{
    if (list->count > 0) {
        qsort(list->files, list->count, sizeof(*list->files), compare_stored);
    }
}

const struct stored_file *stored_list_find(const struct stored_list *list,
                                           const struct stored_file *like)
{
    return list->count == 0
               ? NULL
               : bsearch(like, list->files, list->count, sizeof(*list->files), compare_stored);
}

bool stored_path(char path[PATH_BYTES], const char *dir, const struct stored_file *file)
{
    return db_file_path(path, dir, file->kind, file->number, file->generation);
}

/* ---- freezing ---- */

struct gather {
    struct stored_list *list;
    enum yore_status status;
};

static void gather_table(void *arg, struct forest_file *file)
{
    struct gather *g = arg;
    struct stored_file stored = {.kind = DB_FILE_TABLE,
                                 .number = file->meta->file,
                                 .bytes = file->meta->file_bytes,
                                 .crc = file->meta->file_crc};
    if (g->status == YORE_OK) {
        g->status = stored_list_add(g->list, &stored);
    }
}

static enum yore_status gather_values(struct yore_db *db, const struct forest *forest,
                                      struct stored_list *list, struct edit *edit,
                                      struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < forest->value_file_count; i++) {
        const struct value_file_info *info = &forest->value_files[i];
        struct stored_file stored = {
            .kind = DB_FILE_VALUES, .number = info->file, .generation = info->generation};
        char path[PATH_BYTES];
        bool is_dir;
        if (!stored_path(path, db->path, &stored)) {
            return error_set(error_out, YORE_INVALID, "%s: the path is too long", db->path);
        }
        st = os_path_stat(db->env, path, &stored.bytes, &is_dir, error_out);
        if (st == YORE_NOT_FOUND) {
            st = error_set(error_out, YORE_CORRUPT, "%s: a file of large values is missing", path);
        }
        struct edit_op *op = edit_add(edit, EDIT_VALUE_FILE_PUT, 0);
        if (op != NULL) {
            op->value_file = *info;
            op->value_file.bytes = stored.bytes;
        }
        if (st == YORE_OK && stored_list_add(list, &stored) != YORE_OK) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    return st;
}

static enum yore_status gather_all(struct yore_db *db, struct frozen *frozen,
                                   struct yore_error *error_out)
{
    const struct forest *forest = frozen->view->forest;
    struct gather g = {.list = &frozen->files};
    struct edit edit = {0};
    for (size_t i = 0; i < forest->tree_count; i++) {
        tree_each_file(forest->trees[i], gather_table, &g);
    }
    if (g.status != YORE_OK) {
        return error_plain(error_out, g.status);
    }
    enum yore_status st = gather_values(db, forest, &frozen->files, &edit, error_out);
    stored_list_sort(&frozen->files);
    struct edit_op *op = edit_add(&edit, EDIT_NUMBERS, 0);
    if (op != NULL) {
        /* No journal comes along.  A copy numbers its files from a place of its own, so that two
         * lines of one database never give two files the same name: they may meet in one backup
         * directory. */
        op->journal_first = forest->journal_next;
        op->journal_next = forest->journal_next;
        op->next_file = forest->next_file + 1 + (os_random_u64(db->env) >> 16);
    }
    if (st == YORE_OK) {
        st = forest_apply(forest, &edit, &frozen->forest, error_out);
    }
    edit_release(&edit);
    return st;
}

/* Values of the tables may be in the file that is still appended to: close it.  What is appended
 * from here on no table of the view names. */
static enum yore_status end_values(struct yore_db *db, const struct forest *forest,
                                   struct yore_error *error_out)
{
    uint64_t bytes;
    uint64_t file = values_writing(db->values, &bytes);
    return file != 0 && forest_value_file(forest, file) != NULL
               ? db_values_check(db, values_end(db->values, file, error_out), error_out)
               : YORE_OK;
}

/* All that is committed, in tables.  Jobs go by horizons and keyspaces from their commit on, so
 * that tables may lack what a catalogue from before it promises: a view is good only when it has
 * the catalogue its tables were made by. */
static enum yore_status flush_and_view(struct yore_db *db, struct superview **view_out,
                                       struct yore_error *error_out)
{
    for (unsigned i = 0; i < FREEZES_MAX; i++) {
        enum yore_status st = yore_flush(db, error_out);
        if (st != YORE_OK) {
            return st;
        }
        *view_out = superview_acquire(db);
        if (atomic_load(&db->catalogue_commit) <= (*view_out)->forest->flushed_commit) {
            return YORE_OK;
        }
        superview_release(*view_out);
        *view_out = NULL;
    }
    return error_set(error_out, YORE_BUSY,
                     "keyspaces or their horizons changed during each of %u flushes; try again",
                     FREEZES_MAX);
}

enum yore_status frozen_take(struct yore_db *db, struct frozen *frozen_out,
                             struct yore_error *error_out)
{
    *frozen_out = (struct frozen){0};
    enum yore_status st = purge_pending(db, error_out);
    if (st == YORE_OK) {
        st = flush_and_view(db, &frozen_out->view, error_out);
    }
    if (st == YORE_OK) {
        st = end_values(db, frozen_out->view->forest, error_out);
    }
    if (st == YORE_OK) {
        st = gather_all(db, frozen_out, error_out);
    }
    if (st != YORE_OK) {
        frozen_release(frozen_out);
    }
    return st;
}

void frozen_release(struct frozen *frozen)
{
    stored_list_release(&frozen->files);
    forest_unref(frozen->forest);
    superview_release(frozen->view);
    *frozen = (struct frozen){0};
}

/* ---- copying ---- */

static enum yore_status copy_bytes(const struct copy_job *job, struct os_file *from,
                                   struct os_file *to, uint32_t *crc, struct yore_error *error_out)
{
    unsigned char *block = mem_alloc(COPY_BYTES);
    uint64_t offset = 0;
    enum yore_status st = block != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    *crc = 0;
    while (st == YORE_OK) {
        size_t read = 0;
        st = os_file_read(from, offset, block, COPY_BYTES, &read, error_out);
        if (st != YORE_OK || read == 0) {
            break;
        }
        *crc = crc32c(*crc, block, read);
        st = os_file_write(to, offset, block, read, error_out);
        offset += read;
        struct copy_progress *p = job->progress;
        if (st == YORE_OK && p != NULL) {
            p->done_bytes += read;
            if (p->each != NULL && p->each(p->arg, p->done_bytes, p->total_bytes) != 0) {
                st = error_set(error_out, YORE_CANCELLED, "cancelled while copying %s", job->from);
            }
        }
    }
    if (st == YORE_OK && offset != job->file->bytes) {
        st = error_set(error_out, YORE_CORRUPT, "%s: has %llu octets, should have %llu", job->from,
                       (unsigned long long)offset, (unsigned long long)job->file->bytes);
    }
    mem_free(block);
    return st;
}

enum yore_status copy_stored(const struct copy_job *job, uint32_t *crc_out,
                             struct yore_error *error_out)
{
    struct os_file *from = NULL;
    struct os_file *to = NULL;
    const uint32_t expected = job->file->crc; /* `crc_out` may point at it */
    enum yore_status st = os_file_open(job->env, job->from, OS_OPEN_READ, &from, error_out);
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_CORRUPT, "%s: the file is missing", job->from);
    }
    if (st != YORE_OK) {
        return st;
    }
    st = os_path_unlink(job->env, job->to, error_out); /* left by a crash */
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        st = os_file_open(job->env, job->to, OS_OPEN_CREATE, &to, error_out);
    }
    if (st == YORE_OK) {
        st = copy_bytes(job, from, to, crc_out, error_out);
    }
    if (st == YORE_OK && job->has_crc && *crc_out != expected) {
        st = error_set(error_out, YORE_CORRUPT,
                       "%s: its bytes are damaged (checksum %08x, should be %08x)", job->from,
                       (unsigned)*crc_out, (unsigned)expected);
    }
    if (st == YORE_OK) {
        st = os_file_sync(to, error_out);
    }
    os_file_close(from);
    os_file_close(to);
    if (st != YORE_OK && to != NULL) {
        (void)os_path_unlink(job->env, job->to, NULL);
    }
    return st;
}

/* ---- directories ---- */

static int note_name(void *arg, const char *name)
{
    struct buffer *names = arg;
    buffer_append(names, name, strlen(name) + 1);
    return names->is_nomem;
}

enum yore_status dir_each(struct os_env *env, const char *dir,
                          enum yore_status (*each)(void *arg, const char *name), void *arg,
                          struct yore_error *error_out)
{
    struct buffer names = {0};
    enum yore_status st = os_dir_list(env, dir, note_name, &names, error_out);
    if (st == YORE_OK && names.is_nomem) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    for (size_t at = 0; st == YORE_OK && at < names.size;) {
        const char *name = (const char *)names.data + at;
        st = each(arg, name);
        at += strlen(name) + 1;
    }
    buffer_release(&names);
    return st;
}

struct removal {
    struct os_env *env;
    const char *dir;
    struct yore_error *error_out;
};

static enum yore_status remove_name(void *arg, const char *name)
{
    struct removal *r = arg;
    char path[PATH_BYTES];
    if (!dir_join(path, r->dir, name)) {
        return error_set(r->error_out, YORE_INVALID, "%s: the path is too long", r->dir);
    }
    return os_path_unlink(r->env, path, r->error_out);
}

enum yore_status dir_remove_all(struct os_env *env, const char *dir, struct yore_error *error_out)
{
    struct removal r = {env, dir, error_out};
    uint64_t size;
    bool is_dir = false;
    enum yore_status st = os_path_stat(env, dir, &size, &is_dir, error_out);
    if (st == YORE_OK) {
        st = dir_each(env, dir, remove_name, &r, error_out);
    }
    if (st == YORE_OK) {
        st = os_dir_remove(env, dir, error_out);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status dir_sync_parent(struct os_env *env, const char *path, struct yore_error *error_out)
{
    char parent[PATH_BYTES];
    int size = snprintf(parent, sizeof parent, "%s", path);
    if (size < 0 || size >= PATH_BYTES) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", path);
    }
    while (size > 1 && parent[size - 1] == '/') {
        parent[--size] = '\0';
    }
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        snprintf(parent, sizeof parent, ".");
    } else {
        slash[slash == parent] = '\0';
    }
    return os_dir_sync(env, parent, error_out);
}

/* Remove what an attempt that was cut short has left at `fresh`, and nothing else. */
static enum yore_status clear_leftover(struct os_env *env, const char *fresh,
                                       struct yore_error *error_out)
{
    char marker[PATH_BYTES];
    uint64_t size;
    bool is_dir;
    struct os_lock *lock = NULL;
    enum yore_status st = dir_check_free(env, fresh, true, error_out);
    if (st == YORE_OK) {
        return dir_remove_all(env, fresh, error_out);
    }
    if (st != YORE_EXISTS) {
        return st;
    }
    if (!dir_join(marker, fresh, MARKER_NAME) ||
        os_path_stat(env, marker, &size, &is_dir, NULL) != YORE_OK) {
        return error_set(error_out, YORE_EXISTS,
                         "%s: is needed for a while, and there is something: move it away", fresh);
    }
    st = os_lock_take(env, marker, &lock, error_out);
    if (st == YORE_OK) {
        st = dir_remove_all(env, fresh, error_out);
    }
    os_lock_release(lock);
    return st;
}

/* Put the empty directory `fresh` in place of the empty one that may be at `path`, as will be done
 * in the end: where a file system is mounted, or by a name like ".", that is refused, and better
 * before hours of copying than after. */
static enum yore_status try_replacing(struct os_env *env, const char *fresh, const char *path,
                                      struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir;
    struct yore_error error = {.text = ""};
    enum yore_status st = os_path_stat(env, path, &size, &is_dir, &error);
    if (st == YORE_NOT_FOUND) {
        return YORE_OK;
    }
    if (st == YORE_OK) {
        st = os_path_rename(env, fresh, path, &error);
    }
    if (st == YORE_OK) {
        return os_dir_make(env, fresh, error_out);
    }
    (void)os_dir_remove(env, fresh, NULL);
    return error_set(
        error_out, st,
        "%s: the directory there cannot be replaced, as a mount point or \".\" cannot; "
        "name one that does not exist, in it or elsewhere (%s)",
        path, error.text);
}

enum yore_status dir_begin_new(struct os_env *env, const char *path, char fresh[PATH_BYTES],
                               struct os_lock **lock_out, struct yore_error *error_out)
{
    char marker[PATH_BYTES];
    *lock_out = NULL;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    int size = snprintf(fresh, PATH_BYTES, "%.*s%s", (int)length, path, NEW_SUFFIX);
    if (length > PATH_BYTES || size < 0 || size >= PATH_BYTES ||
        !dir_join(marker, fresh, MARKER_NAME)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", path);
    }
    enum yore_status st = clear_leftover(env, fresh, error_out);
    if (st == YORE_OK) {
        st = os_dir_make(env, fresh, error_out);
    }
    if (st == YORE_OK) {
        st = try_replacing(env, fresh, path, error_out);
    }
    if (st == YORE_OK) {
        st = os_lock_take(env, marker, lock_out, error_out);
        if (st != YORE_OK) {
            (void)os_dir_remove(env, fresh, NULL);
        }
    }
    return st;
}

enum yore_status dir_finish_new(struct os_env *env, const char *fresh, const char *path,
                                struct yore_error *error_out)
{
    char marker[PATH_BYTES];
    /* Its entries are durable: CURRENT was made last, and the directory synced with it. */
    enum yore_status st =
        dir_join(marker, fresh, MARKER_NAME)
            ? os_path_unlink(env, marker, error_out)
            : error_set(error_out, YORE_INVALID, "%s: the path is too long", path);
    if (st == YORE_OK) {
        st = os_path_rename(env, fresh, path, error_out);
    }
    return st == YORE_OK ? dir_sync_parent(env, path, error_out) : st;
}

static int stop_at_first(void *arg, const char *name)
{
    (void)name;
    *(bool *)arg = true;
    return 1;
}

enum yore_status dir_check_free(struct os_env *env, const char *path, bool may_be_empty,
                                struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir = false;
    bool has_names = false;
    enum yore_status st = os_path_stat(env, path, &size, &is_dir, error_out);
    if (st == YORE_NOT_FOUND) {
        error_clear(error_out);
        return YORE_OK;
    }
    if (st == YORE_OK && is_dir && may_be_empty) {
        st = os_dir_list(env, path, stop_at_first, &has_names, error_out);
    }
    if (st == YORE_OK && (!is_dir || !may_be_empty || has_names)) {
        st = error_set(error_out, YORE_EXISTS,
                       "%s: there is something already; name a new directory", path);
    }
    return st;
}
