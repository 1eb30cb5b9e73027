/* backup.c -- checkpoints and backups of an open database.
 *
 * Both begin with the files of one moment, frozen: flushed, free of erased bytes, held until they
 * are linked or copied.  A checkpoint is built beside its place and renamed when it is whole.  A
 * backup copies what the pool lacks, each file under a new name first, then writes its description:
 * before that it does not exist, and what the pool holds beyond all descriptions is swept by the
 * next one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/backup_record.h"
#include "engine/dir_owner.h"
#include "engine/refuse.h"

/* ---- checkpoint ---- */

static enum yore_status link_or_copy(struct yore_db *db, const char *dir,
                                     const struct stored_file *file, struct yore_error *error_out)
{
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    uint32_t crc;
    if (!stored_path(from, db->path, file) || !stored_path(to, dir, file)) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", dir);
    }
    enum yore_status st = os_path_link(db->env, from, to, error_out);
    if (st != YORE_UNSUPPORTED) {
        return os_missing_is_io(st, error_out);
    }
    struct copy_job job = {.env = db->env,
                           .from = from,
                           .to = to,
                           .file = file,
                           .has_crc = file->kind == DB_FILE_TABLE};
    return copy_stored(&job, &crc, error_out);
}

static enum yore_status fill_checkpoint(struct yore_db *db, const struct frozen *frozen,
                                        const char *dir, struct yore_error *error_out)
{
    struct manifest *manifest = NULL;
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < frozen->files.count; i++) {
        st = link_or_copy(db, dir, &frozen->files.files[i], error_out);
    }
    if (st == YORE_OK) {
        st = manifest_create(db->env, dir, db->database, frozen->forest->next_file - 1,
                             frozen->forest, &manifest, error_out);
    }
    return st == YORE_OK ? manifest_close(manifest, error_out) : st;
}

enum yore_status yore_checkpoint(struct yore_db *db, const char *path, struct yore_error *error_out)
{
    if (db == NULL || path == NULL) {
        return error_null(error_out, __func__, "db, path");
    }
    if (*path == '\0') {
        return refuse_empty_path("checkpoint", error_out);
    }
    struct frozen frozen;
    char fresh[PATH_BYTES];
    struct os_lock *lock;
    error_clear(error_out);
    enum yore_status st = dir_check_free(db->env, path, false, error_out);
    if (st == YORE_OK) {
        st = frozen_take(db, &frozen, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    st = dir_begin_new(db->env, path, fresh, &lock, error_out);
    if (st == YORE_OK) {
        st = fill_checkpoint(db, &frozen, fresh, error_out);
        if (st == YORE_OK) {
            st = dir_finish_new(db->env, fresh, path, error_out);
        }
        if (st != YORE_OK) {
            (void)dir_remove_all(db->env, fresh, NULL);
        }
    }
    os_lock_release(lock);
    frozen_release(&frozen);
    return st == YORE_OK ? error_plain(error_out, st) : st;
}

/* ---- backup ---- */

struct backup {
    struct yore_db *db;
    const char *dir;
    char pool[PATH_BYTES];
    struct backup_set set;    /* the backups there are */
    struct stored_list known; /* every file of the pool that a backup names, sorted */
    struct frozen frozen;
    struct backup_record record; /* the one being made */
    struct copy_progress progress;
    struct yore_error *error_out;
};

/* What backups leave in their directory, and what a fresh file system has. */
static enum dir_owner judge_name(const char *name)
{
    bool is_ours = strcmp(name, "LOCK") == 0 || strcmp(name, BACKUP_POOL_NAME) == 0 ||
                   strcmp(name, "lost+found") == 0 || strncmp(name, "backup-", 7) == 0;
    return is_ours ? DIR_OWNER_ANY : DIR_OWNER_STRANGER;
}

/* Nothing is made in a directory of somebody else. */
static enum yore_status check_place(struct os_env *env, const char *path,
                                    struct yore_error *error_out)
{
    enum yore_status st = dir_check_owner(env, path, "directory of backups", judge_name, error_out);
    return st == YORE_NOT_FOUND ? error_plain(error_out, YORE_OK) : st;
}

static enum yore_status make_dir(struct os_env *env, const char *path, struct yore_error *error_out)
{
    enum yore_status st = os_dir_make(env, path, error_out);
    if (st == YORE_EXISTS) { /* made by an attempt that was killed, or by somebody else: see db.c */
        error_clear(error_out);
        (void)dir_sync_parent(env, path, NULL);
        return YORE_OK;
    }
    return st == YORE_OK ? dir_sync_parent(env, path, error_out) : st;
}

static enum yore_status gather_known(struct backup *b)
{
    for (size_t i = 0; i < b->set.count; i++) {
        const struct backup_record *record = &b->set.records[i];
        if (record->database != b->db->database) {
            return error_set(b->error_out, YORE_EXISTS,
                             "%s holds backups of another database (%016" PRIx64
                             ", this one is %016" PRIx64 "): name another directory",
                             b->dir, record->database, b->db->database);
        }
        for (size_t j = 0; j < record->files.count; j++) {
            const struct stored_file *file = &record->files.files[j];
            if (stored_list_add(&b->known, file) != YORE_OK) {
                return error_plain(b->error_out, YORE_NOMEM);
            }
        }
    }
    stored_list_sort(&b->known); /* a file of several backups is there several times */
    return YORE_OK;
}

#define UNFINISHED ".new"

/* Is it a name that a backup gives to a file of the pool? */
static bool pool_name_parse(const char *name, struct stored_file *file_out, bool *is_unfinished_out)
{
    char whole[64];
    size_t size = strlen(name);
    size_t tail = sizeof UNFINISHED - 1;
    *is_unfinished_out = size > tail && strcmp(name + size - tail, UNFINISHED) == 0;
    size -= *is_unfinished_out ? tail : 0;
    if (size >= sizeof whole) {
        return false;
    }
    memcpy(whole, name, size);
    whole[size] = '\0';
    return db_file_parse(whole, &file_out->kind, &file_out->number, &file_out->generation);
}

/* Files of the pool that no backup names: left by one that did not end.  What is not ours stays. */
static enum yore_status sweep_pool_file(void *arg, const char *name)
{
    struct backup *b = arg;
    char path[PATH_BYTES];
    struct stored_file file = {0};
    bool is_unfinished;
    if (!pool_name_parse(name, &file, &is_unfinished) ||
        (!is_unfinished && stored_list_find(&b->known, &file) != NULL)) {
        return YORE_OK;
    }
    if (!dir_join(path, b->pool, name)) {
        return error_set(b->error_out, YORE_INVALID, "%s: the path is too long", b->pool);
    }
    return os_path_unlink(b->db->env, path, b->error_out);
}

/* The pool's copy of the file; NULL: there is none that a backup vouches for, or it has gone. */
static const struct stored_file *find_in_pool(const struct backup *b,
                                              const struct stored_file *file)
{
    char path[PATH_BYTES];
    uint64_t bytes;
    bool is_dir;
    const struct stored_file *known = stored_list_find(&b->known, file);
    bool is_there = known != NULL && stored_path(path, b->pool, file) &&
                    os_path_stat(b->db->env, path, &bytes, &is_dir, NULL) == YORE_OK &&
                    bytes == file->bytes;
    return is_there ? known : NULL;
}

/* A file of the same name and other contents belongs to another line of this database. */
static enum yore_status check_lines(const struct backup *b)
{
    for (size_t i = 0; i < b->record.files.count; i++) {
        const struct stored_file *file = &b->record.files.files[i];
        const struct stored_file *known = stored_list_find(&b->known, file);
        if (known != NULL && (known->bytes != file->bytes ||
                              (file->kind == DB_FILE_TABLE && known->crc != file->crc))) {
            return error_set(
                b->error_out, YORE_EXISTS,
                "%s holds another file %" PRIu64
                " of this database, which has gone another way since: name another directory",
                b->dir, file->number);
        }
    }
    return YORE_OK;
}

static enum yore_status copy_to_pool(struct backup *b, struct stored_file *file)
{
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    char fresh[PATH_BYTES];
    size_t length;
    if (!stored_path(from, b->db->path, file) || !stored_path(to, b->pool, file) ||
        (length = strlen(to)) + sizeof UNFINISHED > PATH_BYTES) {
        return error_set(b->error_out, YORE_INVALID, "%s: the path is too long", b->pool);
    }
    memcpy(fresh, to, length);
    memcpy(fresh + length, UNFINISHED, sizeof UNFINISHED);
    struct copy_job job = {.env = b->db->env,
                           .from = from,
                           .to = fresh,
                           .file = file,
                           .has_crc = file->kind == DB_FILE_TABLE,
                           .progress = &b->progress};
    enum yore_status st = copy_stored(&job, &file->crc, b->error_out);
    return st == YORE_OK ? os_path_rename(b->db->env, fresh, to, b->error_out) : st;
}

static enum yore_status copy_missing(struct backup *b)
{
    struct stored_list *files = &b->record.files;
    enum yore_status st = check_lines(b);
    for (size_t i = 0; i < files->count; i++) {
        if (find_in_pool(b, &files->files[i]) == NULL) {
            b->progress.total_bytes += files->files[i].bytes;
        }
    }
    for (size_t i = 0; st == YORE_OK && i < files->count; i++) {
        struct stored_file *file = &files->files[i];
        const struct stored_file *known = find_in_pool(b, file);
        if (known != NULL) {
            file->crc = known->crc;
        } else {
            st = copy_to_pool(b, file);
            b->record.new_bytes += file->bytes;
        }
    }
    return st == YORE_OK ? os_dir_sync(b->db->env, b->pool, b->error_out) : st;
}

static enum yore_status run_backup(struct backup *b)
{
    enum yore_status st = backup_set_read(b->db->env, b->dir, &b->set, b->error_out);
    if (st == YORE_OK) {
        st = gather_known(b);
    }
    if (st == YORE_OK) {
        st = dir_each(b->db->env, b->pool, sweep_pool_file, b, b->error_out);
    }
    if (st == YORE_OK) {
        st = frozen_take(b->db, &b->frozen, b->error_out);
    }
    if (st == YORE_OK) {
        st = backup_record_of(b->db, &b->frozen, &b->record, b->error_out);
    }
    if (st == YORE_OK) {
        b->record.id = b->set.count > 0 ? b->set.records[b->set.count - 1].id + 1 : 1;
        st = copy_missing(b);
    }
    return st == YORE_OK ? backup_record_write(b->db->env, b->dir, &b->record, b->error_out) : st;
}

static struct yore_backup_info info_of(const struct backup_record *record)
{
    return (struct yore_backup_info){.id = record->id,
                                     .commit = record->commit,
                                     .bytes = record->bytes,
                                     .new_bytes = record->new_bytes};
}

enum yore_status yore_backup(struct yore_db *db, const char *path, yore_progress_fn progress,
                             void *arg, struct yore_backup_info *info_out,
                             struct yore_error *error_out)
{
    if (db == NULL || path == NULL) {
        return error_null(error_out, __func__, "db, path");
    }
    if (*path == '\0') {
        return refuse_empty_path("backup", error_out);
    }
    struct backup b = {
        .db = db, .dir = path, .progress = {.each = progress, .arg = arg}, .error_out = error_out};
    char lock_path[PATH_BYTES];
    struct os_lock *lock = NULL;
    error_clear(error_out);
    if (!dir_join(b.pool, path, BACKUP_POOL_NAME) || !dir_join(lock_path, path, "LOCK")) {
        return error_set(error_out, YORE_INVALID, "%s: the path is too long", path);
    }
    enum yore_status st = check_place(db->env, path, error_out);
    if (st == YORE_OK) {
        st = make_dir(db->env, path, error_out);
    }
    if (st == YORE_OK) {
        st = make_dir(db->env, b.pool, error_out);
    }
    if (st == YORE_OK) {
        st = os_lock_take(db->env, lock_path, &lock, error_out);
    }
    if (st == YORE_OK) {
        st = run_backup(&b);
    }
    if (st == YORE_OK && info_out != NULL) {
        *info_out = info_of(&b.record);
    }
    os_lock_release(lock);
    backup_record_release(&b.record);
    frozen_release(&b.frozen);
    stored_list_release(&b.known);
    backup_set_release(&b.set);
    return st == YORE_OK ? error_plain(error_out, st) : st;
}

/* ---- listing ---- */

enum yore_status db_backup_list(struct os_env *env, const char *path,
                                int (*each)(void *arg, const struct yore_backup_info *info),
                                void *arg, struct yore_error *error_out)
{
    struct backup_set set;
    error_clear(error_out);
    enum yore_status st = backup_set_read(env, path, &set, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_stopped = false;
    for (size_t i = 0; i < set.count && !is_stopped; i++) {
        struct yore_backup_info info = info_of(&set.records[i]);
        is_stopped = each(arg, &info) != 0;
    }
    backup_set_release(&set);
    return YORE_OK;
}

enum yore_status yore_backup_list(const char *path,
                                  int (*each)(void *arg, const struct yore_backup_info *info),
                                  void *arg, struct yore_error *error_out)
{
    if (path == NULL || each == NULL) {
        return error_null(error_out, __func__, "path, each");
    }
    if (*path == '\0') {
        return refuse_empty_path("backup", error_out);
    }
    return db_backup_list(os_env_posix(), path, each, arg, error_out);
}
