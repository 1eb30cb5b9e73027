/* check.c -- what has to be so before anything is opened, for the start and for --check-config:
 * addresses are this machine's, files and folders that are named are there. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/env.h"
#include "server/server_internal.h"

static enum yore_status check_dir(struct os_env *env, const char *setting, const char *path,
                                  struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir = false;
    struct yore_error cause = {0};
    enum yore_status status = os_path_stat(env, path, &size, &is_dir, &cause);
    if (status == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_INVALID, "%s: there is no directory %.400s", setting,
                         path);
    }
    if (status == YORE_OK && !is_dir) {
        return error_set(error_out, YORE_INVALID, "%s: %.400s is no directory", setting, path);
    }
    return status == YORE_OK ? status
                             : error_set(error_out, status, "%s: %.400s", setting, cause.text);
}

/* A file that is to be written: the directory it is in, and that it is none itself. */
static enum yore_status check_file(struct os_env *env, const char *setting, const char *path,
                                   struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir = false;
    if (*path == '\0') {
        return YORE_OK;
    }
    if (os_path_stat(env, path, &size, &is_dir, NULL) == YORE_OK && is_dir) {
        return error_set(error_out, YORE_INVALID, "%s: %.400s is a directory", setting, path);
    }
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return YORE_OK;
    }
    char *folder = mem_copy(path, (size_t)(slash - path) + 1);
    if (folder == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    folder[slash == path ? 1 : slash - path] = '\0';
    enum yore_status status = check_dir(env, setting, slash == path ? "/" : folder, error_out);
    mem_free(folder);
    return status;
}

/* The database's directory is made where it is missing, with those above it: the nearest that is
 * there has to be one. */
static enum yore_status check_data(struct os_env *env, const char *path,
                                   struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir = false;
    char *part = mem_copy(path, strlen(path) + 1);
    if (part == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    char *slash = part;
    while (slash != NULL && *part != '\0' &&
           os_path_stat(env, part, &size, &is_dir, NULL) == YORE_NOT_FOUND) {
        slash = strrchr(part, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
    }
    enum yore_status status =
        slash != NULL && *part != '\0' ? check_dir(env, "dir", part, error_out) : YORE_OK;
    mem_free(part);
    return status;
}

static enum yore_status check_tls(const struct config *config, struct yore_error *error_out)
{
    struct net_tls *tls = NULL;
    struct tls_files files;
    if (config->tls_port == 0 && !config->http_tls && !config->bolt_tls) {
        return YORE_OK;
    }
    tls_files_of(config, &files);
    enum yore_status status = net_tls_new(&files, &tls, error_out);
    net_tls_free(tls);
    return status;
}

enum yore_status start_check(const struct config *config, struct os_env *env,
                             struct yore_error *error_out)
{
    const struct {
        const char *setting;
        const char *path;
    } files[] = {{"logfile", config->logfile},
                 {"audit-log", config->audit_log},
                 {"pidfile", config->pidfile},
                 {"unixsocket", config->unixsocket},
                 {"aclfile", config->aclfile}};
    enum yore_status status = check_data(env, config->dir, error_out);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && status == YORE_OK; i++) {
        status = check_file(env, files[i].setting, files[i].path, error_out);
    }
    if (status == YORE_OK && *config->backup_dir != '\0') {
        status = check_dir(env, "backup-dir", config->backup_dir, error_out);
    }
    if (status == YORE_OK) {
        status = check_tls(config, error_out);
    }
    return status == YORE_OK ? listen_check_hosts(config, error_out) : status;
}
