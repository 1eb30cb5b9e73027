#include "os/env.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/env_internal.h"

enum yore_status os_missing_is_io(enum yore_status st, struct yore_error *error_out)
{
    if (st == YORE_NOT_FOUND && error_out != NULL) {
        error_out->status = YORE_IO;
    }
    return st == YORE_NOT_FOUND ? YORE_IO : st;
}

enum yore_status os_file_open(struct os_env *env, const char *path, enum os_open_mode mode,
                              struct os_file **file_out, struct yore_error *error_out)
{
    *file_out = NULL;
    return env->ops->file_open(env, path, mode, file_out, error_out);
}

void os_file_close(struct os_file *file)
{
    if (file != NULL) {
        file->ops->close(file);
    }
}

enum yore_status os_file_read(struct os_file *file, uint64_t offset, void *data, size_t size,
                              size_t *read_out, struct yore_error *error_out)
{
    *read_out = 0;
    return file->ops->read(file, offset, data, size, read_out, error_out);
}

enum yore_status os_file_write_at(struct os_file *file, uint64_t offset, const void *data,
                                  size_t size, const char *site, struct yore_error *error_out)
{
    return file->ops->write(file, offset, data, size, site, error_out);
}

enum yore_status os_file_sync_at(struct os_file *file, const char *site,
                                 struct yore_error *error_out)
{
    return file->ops->sync(file, site, error_out);
}

void os_file_write_back(struct os_file *file)
{
    if (file->ops->write_back != NULL) {
        file->ops->write_back(file);
    }
}

enum yore_status os_file_truncate(struct os_file *file, uint64_t size, struct yore_error *error_out)
{
    return file->ops->truncate(file, size, error_out);
}

enum yore_status os_file_punch(struct os_file *file, uint64_t offset, uint64_t size,
                               struct yore_error *error_out)
{
    return file->ops->punch(file, offset, size, error_out);
}

enum yore_status os_file_size(struct os_file *file, uint64_t *size_out,
                              struct yore_error *error_out)
{
    *size_out = 0;
    return file->ops->size(file, size_out, error_out);
}

void os_file_will_need(struct os_file *file, uint64_t offset, uint64_t size)
{
    file->ops->will_need(file, offset, size);
}

const char *os_file_path(const struct os_file *file)
{
    return file->path;
}

enum yore_status os_dir_make(struct os_env *env, const char *path, struct yore_error *error_out)
{
    return env->ops->dir_make(env, path, error_out);
}

enum yore_status os_dir_sync_at(struct os_env *env, const char *path, const char *site,
                                struct yore_error *error_out)
{
    return env->ops->dir_sync(env, path, site, error_out);
}

enum yore_status os_dir_list(struct os_env *env, const char *path,
                             int (*each)(void *arg, const char *name), void *arg,
                             struct yore_error *error_out)
{
    return env->ops->dir_list(env, path, each, arg, error_out);
}

enum yore_status os_dir_remove(struct os_env *env, const char *path, struct yore_error *error_out)
{
    return env->ops->dir_remove(env, path, error_out);
}

enum yore_status os_path_rename(struct os_env *env, const char *from, const char *to,
                                struct yore_error *error_out)
{
    return env->ops->path_rename(env, from, to, error_out);
}

enum yore_status os_path_unlink(struct os_env *env, const char *path, struct yore_error *error_out)
{
    return env->ops->path_unlink(env, path, error_out);
}

enum yore_status os_path_link(struct os_env *env, const char *from, const char *to,
                              struct yore_error *error_out)
{
    return env->ops->path_link(env, from, to, error_out);
}

enum yore_status os_path_stat(struct os_env *env, const char *path, uint64_t *size_out,
                              bool *is_dir_out, struct yore_error *error_out)
{
    *size_out = 0;
    *is_dir_out = false;
    return env->ops->path_stat(env, path, size_out, is_dir_out, error_out);
}

enum yore_status os_path_absolute(struct os_env *env, const char *path, char **absolute_out,
                                  struct yore_error *error_out)
{
    *absolute_out = NULL;
    if (env->ops->path_absolute != NULL) {
        return env->ops->path_absolute(env, path, absolute_out, error_out);
    }
    *absolute_out = mem_copy(path, strlen(path) + 1);
    return *absolute_out != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

enum yore_status os_lock_take(struct os_env *env, const char *path, struct os_lock **lock_out,
                              struct yore_error *error_out)
{
    *lock_out = NULL;
    return env->ops->lock_take(env, path, lock_out, error_out);
}

enum yore_status os_lock_share(struct os_env *env, const char *path, struct os_lock **lock_out,
                               struct yore_error *error_out)
{
    *lock_out = NULL;
    return env->ops->lock_share(env, path, lock_out, error_out);
}

void os_lock_release(struct os_lock *lock)
{
    if (lock != NULL) {
        lock->env->ops->lock_release(lock);
    }
}

int64_t os_wall_ns(struct os_env *env)
{
    return env->ops->wall_ns(env);
}

int64_t os_monotonic_ns(struct os_env *env)
{
    return env->ops->monotonic_ns(env);
}

void os_sleep_ns(struct os_env *env, int64_t duration_ns)
{
    YORE_ASSERT(duration_ns >= 0);
    env->ops->sleep_ns(env, duration_ns);
}

uint64_t os_random_u64(struct os_env *env)
{
    return env->ops->random_u64(env);
}
