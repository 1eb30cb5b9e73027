#include "os/replace.h"

#include <stdio.h>
#include <string.h>

#include "os/env.h"
#include "os/env_internal.h"

static enum yore_status write_beside(struct os_env *env, const char *beside, const char *path,
                                     struct yore_bytes text, struct yore_error *error_out)
{
    struct os_file *file = NULL;
    enum yore_status st = os_path_unlink(env, beside, error_out);
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        st = os_file_open(env, beside, OS_OPEN_CREATE, &file, error_out);
    }
    if (st == YORE_OK && env->ops->path_take_rights != NULL) {
        st = env->ops->path_take_rights(env, beside, path, error_out);
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    if (st == YORE_OK) {
        st = os_file_write(file, 0, text.data, text.size, error_out);
    }
    if (st == YORE_OK) {
        st = os_file_sync(file, error_out);
    }
    os_file_close(file);
    return st;
}

enum yore_status os_file_replace(struct os_env *env, const char *path, struct yore_bytes text,
                                 struct yore_error *error_out)
{
    char beside[OS_REPLACE_PATH_BYTES_MAX + 8];
    char parent[OS_REPLACE_PATH_BYTES_MAX + 8];
    if (strlen(path) > OS_REPLACE_PATH_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "%.60s...: the path is too long", path);
    }
    snprintf(beside, sizeof(beside), "%s.new", path);
    const char *slash = strrchr(path, '/');
    int size = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
    snprintf(parent, sizeof(parent), "%.*s", size > 0 ? size : 1, size > 0 ? path : ".");
    enum yore_status st = write_beside(env, beside, path, text, error_out);
    if (st == YORE_OK) {
        st = os_path_rename(env, beside, path, error_out);
    }
    return st == YORE_OK ? os_dir_sync(env, parent, error_out) : st;
}
