/* stored_files.h -- the files of a forest as things to link, copy and check: what checkpoint,
 * backup and restore share. */
#ifndef YORE_ENGINE_STORED_FILES_H
#define YORE_ENGINE_STORED_FILES_H

#include "engine/db_internal.h"

struct stored_file {
    enum db_file_kind kind; /* tables and value files */
    uint64_t number;
    uint64_t generation;
    uint64_t bytes;
    uint32_t crc; /* CRC-32C of the whole; of value files only once they were read */
};

struct stored_list {
    struct stored_file *files; /* ascending by kind, number, generation */
    size_t count;
    size_t capacity;
};

void stored_list_release(struct stored_list *list);
enum yore_status stored_list_add(struct stored_list *list, const struct stored_file *file);
void stored_list_sort(struct stored_list *list);
/* The file of the same name; NULL: none.  The list is sorted. */
const struct stored_file *stored_list_find(const struct stored_list *list,
                                           const struct stored_file *like);

/* Everything committed when this is called, in files that do not change any more: wait for erasures
 * to leave the files, flush, close the open value file.  On YORE_OK the caller calls
 * frozen_release(). */
struct frozen {
    struct superview *view; /* keeps the files */
    struct forest *forest; /* for the copy's manifest: sizes of value files filled in, no journal */
    struct stored_list files;
};
enum yore_status frozen_take(struct yore_db *db, struct frozen *frozen_out,
                             struct yore_error *error_out);
void frozen_release(struct frozen *frozen);

/* "table-..." or "values-...": the name a file has in a database and in a backup's pool. */
bool stored_path(char path[PATH_BYTES], const char *dir, const struct stored_file *file);

/* Long copies tell how far they are, and may be cancelled. */
struct copy_progress {
    yore_progress_fn each; /* may be NULL */
    void *arg;
    uint64_t done_bytes;
    uint64_t total_bytes;
};
/* Copy and sync; YORE_CORRUPT when the source has not `file->bytes` octets, or (with `has_crc`)
 * another sum than file->crc.  `*crc_out` is what was read.  On failure `to` is gone. */
struct copy_job {
    struct os_env *env;
    const char *from;
    const char *to;
    const struct stored_file *file;
    bool has_crc;
    struct copy_progress *progress;
};
enum yore_status copy_stored(const struct copy_job *job, uint32_t *crc_out,
                             struct yore_error *error_out);

/* Call `each` with every name in the directory; unlike os_dir_list it may change the directory. */
enum yore_status dir_each(struct os_env *env, const char *dir,
                          enum yore_status (*each)(void *arg, const char *name), void *arg,
                          struct yore_error *error_out);
/* Remove a directory of files; a missing one is fine. */
enum yore_status dir_remove_all(struct os_env *env, const char *dir, struct yore_error *error_out);
/* Make the entry of `path` durable in its parent. */
enum yore_status dir_sync_parent(struct os_env *env, const char *path,
                                 struct yore_error *error_out);
/* A fresh directory `path`.new in place of what an earlier attempt left; then, when whole, give it
 * its name.  YORE_EXISTS: somebody else's is there.  An empty directory at `path` that could not be
 * replaced is refused here already.  `*lock_out`, held until the attempt is over,
 * keeps others from it: YORE_LOCKED. */
enum yore_status dir_begin_new(struct os_env *env, const char *path, char fresh[PATH_BYTES],
                               struct os_lock **lock_out, struct yore_error *error_out);
enum yore_status dir_finish_new(struct os_env *env, const char *fresh, const char *path,
                                struct yore_error *error_out);
/* YORE_OK: there is nothing at `path`, or (with `may_be_empty`) an empty directory.  YORE_EXISTS.
 */
enum yore_status dir_check_free(struct os_env *env, const char *path, bool may_be_empty,
                                struct yore_error *error_out);

#endif
