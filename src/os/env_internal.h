/* env_internal.h -- what an implementation of os_env provides.  Only files of this folder include
 * it.
 *
 * An implementation puts these structs first in its own; env.c checks arguments and forwards.  The
 * meaning of each entry is that of its namesake in os/env.h.
 */
#ifndef YORE_OS_ENV_INTERNAL_H
#define YORE_OS_ENV_INTERNAL_H

#include "os/env.h"

struct os_file_ops {
    void (*close)(struct os_file *file);
    enum yore_status (*read)(struct os_file *file, uint64_t offset, void *data, size_t size,
                             size_t *read_out, struct yore_error *error_out);
    enum yore_status (*write)(struct os_file *file, uint64_t offset, const void *data, size_t size,
                              const char *site, struct yore_error *error_out);
    enum yore_status (*sync)(struct os_file *file, const char *site, struct yore_error *error_out);
    enum yore_status (*truncate)(struct os_file *file, uint64_t size, struct yore_error *error_out);
    enum yore_status (*punch)(struct os_file *file, uint64_t offset, uint64_t size,
                              struct yore_error *error_out);
    enum yore_status (*size)(struct os_file *file, uint64_t *size_out,
                             struct yore_error *error_out);
    void (*will_need)(struct os_file *file, uint64_t offset, uint64_t size);
    void (*write_back)(struct os_file *file); /* NULL: nothing to do */
};

struct os_env_ops {
    enum yore_status (*file_open)(struct os_env *env, const char *path, enum os_open_mode mode,
                                  struct os_file **file_out, struct yore_error *error_out);
    enum yore_status (*dir_make)(struct os_env *env, const char *path,
                                 struct yore_error *error_out);
    enum yore_status (*dir_sync)(struct os_env *env, const char *path, const char *site,
                                 struct yore_error *error_out);
    enum yore_status (*dir_list)(struct os_env *env, const char *path,
                                 int (*each)(void *arg, const char *name), void *arg,
                                 struct yore_error *error_out);
    enum yore_status (*dir_remove)(struct os_env *env, const char *path,
                                   struct yore_error *error_out);
    enum yore_status (*path_rename)(struct os_env *env, const char *from, const char *to,
                                    struct yore_error *error_out);
    enum yore_status (*path_unlink)(struct os_env *env, const char *path,
                                    struct yore_error *error_out);
    enum yore_status (*path_link)(struct os_env *env, const char *from, const char *to,
                                  struct yore_error *error_out);
    enum yore_status (*path_stat)(struct os_env *env, const char *path, uint64_t *size_out,
                                  bool *is_dir_out, struct yore_error *error_out);
    /* NULL: there is no current directory, every path is as good as absolute. */
    enum yore_status (*path_absolute)(struct os_env *env, const char *path, char **absolute_out,
                                      struct yore_error *error_out);
    /* Give `path` the rights and the owner of `from`.  NULL: there are no rights. */
    enum yore_status (*path_take_rights)(struct os_env *env, const char *path, const char *from,
                                         struct yore_error *error_out);
    enum yore_status (*lock_take)(struct os_env *env, const char *path, struct os_lock **lock_out,
                                  struct yore_error *error_out);
    enum yore_status (*lock_share)(struct os_env *env, const char *path, struct os_lock **lock_out,
                                   struct yore_error *error_out);
    void (*lock_release)(struct os_lock *lock);
    int64_t (*wall_ns)(struct os_env *env);
    int64_t (*monotonic_ns)(struct os_env *env);
    void (*sleep_ns)(struct os_env *env, int64_t duration_ns);
    uint64_t (*random_u64)(struct os_env *env);
};

struct os_env {
    const struct os_env_ops *ops;
};

struct os_file {
    const struct os_file_ops *ops;
    char *path; /* the implementation's to allocate and free */
};

struct os_lock {
    struct os_env *env;
};

#endif
