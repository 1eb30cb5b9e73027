/* env.h -- everything outside the process: files, directories, clocks.  One interface:
 * os_env_posix(), the simulated disk of os/sim_disk.h, and os/overlay.h over either of them.  No
 * other layer sees POSIX.
 *
 * Paths are NUL-terminated strings of the host.  Every error text names the path (and offset) and
 * the cause. Status: YORE_IO; YORE_NO_SPACE for ENOSPC, EDQUOT and EFBIG; YORE_NO_FILES for
 * EMFILE and ENFILE; YORE_NOT_FOUND for a missing file; YORE_EXISTS; YORE_NOMEM. EINTR and short
 * transfers are handled below this line. Any thread may use any file; writes of one file come from
 * one thread at a time.
 */
#ifndef YORE_OS_ENV_H
#define YORE_OS_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct os_env;
struct os_file;
struct os_lock;

enum os_open_mode {
    OS_OPEN_READ,   /* must exist; pread only */
    OS_OPEN_CREATE, /* must not exist; read and write */
    OS_OPEN_WRITE   /* must exist; read and write, not truncated */
};

/* YORE_NOT_FOUND becomes YORE_IO, in `error_out` (may be NULL) too, which keeps its text: for who
 * knows that the file, or the directory above it, has to be there. */
enum yore_status os_missing_is_io(enum yore_status st, struct yore_error *error_out);

/* ---- files ---- */
enum yore_status os_file_open(struct os_env *env, const char *path, enum os_open_mode mode,
                              struct os_file **file_out, struct yore_error *error_out);
/* Close; NULL is ignored.  Unsynced writes are not lost by it, and not made durable either. */
void os_file_close(struct os_file *file);
/* Read exactly `size` octets; `*read_out` < size only at the end of the file. */
enum yore_status os_file_read(struct os_file *file, uint64_t offset, void *data, size_t size,
                              size_t *read_out, struct yore_error *error_out);
/* os_file_write(file, offset, data, size, error_out), below: write all of `data` at `offset`,
 * growing the file if need be. */
/* os_file_sync(file, error_out), below: make the data, and a grown size, durable (fdatasync).  A
 * failure is final: never call it again on `file`. */
enum yore_status os_file_truncate(struct os_file *file, uint64_t size,
                                  struct yore_error *error_out);
/* Give the blocks of [offset, offset+size) back; they read as zeros.  Where holes are not supported
 * they are overwritten with zeros. */
enum yore_status os_file_punch(struct os_file *file, uint64_t offset, uint64_t size,
                               struct yore_error *error_out);
enum yore_status os_file_size(struct os_file *file, uint64_t *size_out,
                              struct yore_error *error_out);
/* Advise: this range will be read soon. */
void os_file_will_need(struct os_file *file, uint64_t offset, uint64_t size);
/* Advise: it is complete and will be synced soon. */
void os_file_write_back(struct os_file *file);
const char *os_file_path(const struct os_file *file);

/* ---- directories ---- */
enum yore_status os_dir_make(struct os_env *env, const char *path,
                             struct yore_error *error_out); /* 0700; EXISTS */
/* os_dir_sync(env, path, error_out), below: make the entries of `path` durable. */
/* Call `each` with every name but . and ..; a non-zero return stops the walk.  Order is
 * unspecified. */
enum yore_status os_dir_list(struct os_env *env, const char *path,
                             int (*each)(void *arg, const char *name), void *arg,
                             struct yore_error *error_out);
enum yore_status os_path_rename(struct os_env *env, const char *from, const char *to,
                                struct yore_error *error_out);
enum yore_status os_path_unlink(struct os_env *env, const char *path, struct yore_error *error_out);
enum yore_status os_dir_remove(struct os_env *env, const char *path, struct yore_error *error_out);
/* Hard link; YORE_UNSUPPORTED where it cannot be (another file system): copy instead. */
enum yore_status os_path_link(struct os_env *env, const char *from, const char *to,
                              struct yore_error *error_out);
/* YORE_OK, YORE_NOT_FOUND, or why it cannot be told. */
enum yore_status os_path_stat(struct os_env *env, const char *path, uint64_t *size_out,
                              bool *is_dir_out, struct yore_error *error_out);

/* What `path` names now, whatever the process's current directory becomes: behind that directory
 * where it is relative.  To be freed by mem_free().  Errors: YORE_NOMEM; YORE_IO, the current
 * directory was removed or cannot be told. */
enum yore_status os_path_absolute(struct os_env *env, const char *path, char **absolute_out,
                                  struct yore_error *error_out);

/* One process (and one handle in this process) holds `path` until released.  The file keeps the
 * holder's pid and host name; YORE_LOCKED names them. */
enum yore_status os_lock_take(struct os_env *env, const char *path, struct os_lock **lock_out,
                              struct yore_error *error_out);
/* Share `path` with whoever shares it too: os_lock_take() is refused meanwhile.  Writes nothing and
 * makes nothing: YORE_NOT_FOUND when there is no such file.  YORE_LOCKED names the holder. */
enum yore_status os_lock_share(struct os_env *env, const char *path, struct os_lock **lock_out,
                               struct yore_error *error_out);
void os_lock_release(struct os_lock *lock);

/* Call sites of syncs and writes are named, so that a test can ignore one sync at a time and prove
 * that it is needed, and tell which writes have met a full disk. */
enum yore_status os_file_write_at(struct os_file *file, uint64_t offset, const void *data,
                                  size_t size, const char *site, struct yore_error *error_out);
enum yore_status os_file_sync_at(struct os_file *file, const char *site,
                                 struct yore_error *error_out);
enum yore_status os_dir_sync_at(struct os_env *env, const char *path, const char *site,
                                struct yore_error *error_out);
#define OS_SITE_TEXT_2(line) #line
#define OS_SITE_TEXT(line) OS_SITE_TEXT_2(line)
#define OS_SITE __FILE__ ":" OS_SITE_TEXT(__LINE__)
#define os_file_write(file, offset, data, size, error_out)                                         \
    os_file_write_at(file, offset, data, size, OS_SITE, error_out)
#define os_file_sync(file, error_out) os_file_sync_at(file, OS_SITE, error_out)
#define os_dir_sync(env, path, error_out) os_dir_sync_at(env, path, OS_SITE, error_out)

/* ---- clocks and randomness ---- */
int64_t os_wall_ns(struct os_env *env);      /* since 1970, may step */
int64_t os_monotonic_ns(struct os_env *env); /* never steps */
void os_sleep_ns(struct os_env *env, int64_t duration_ns);
uint64_t os_random_u64(struct os_env *env); /* for identities; scripted in tests */

/* The real system.  Static; never freed. */
struct os_env *os_env_posix(void);

#endif
