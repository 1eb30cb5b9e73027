/* Directories, locks and clocks of the host.  Stateless: the one object is a table of functions. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/env_internal.h"
#include "os/posix_internal.h"

#define NS_PER_SECOND 1000000000
#define LOCK_TEXT_BYTES 320

static enum yore_status status_of_errno(int cause)
{
    switch (cause) {
    case ENOENT:
        return YORE_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return YORE_EXISTS;
    case ENOMEM:
        return YORE_NOMEM;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return YORE_NO_SPACE;
    case EMFILE:
    case ENFILE:
        return YORE_NO_FILES;
    default:
        return YORE_IO;
    }
}

enum yore_status posix_error(struct yore_error *error_out, int cause, const char *what,
                             const char *path)
{
    char text[128];
    return error_set(error_out, status_of_errno(cause), "%s %s: %s", what, path,
                     strerror_r(cause, text, sizeof(text)));
}

/* ---- directories ----------------------------------------------------------------------------- */

static enum yore_status posix_dir_make(struct os_env *env, const char *path,
                                       struct yore_error *error_out)
{
    (void)env;
    if (mkdir(path, 0700) != 0) {
        return posix_error(error_out, errno, "make directory", path);
    }
    return YORE_OK;
}

static enum yore_status posix_dir_sync(struct os_env *env, const char *path, const char *site,
                                       struct yore_error *error_out)
{
    (void)env;
    (void)site;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return posix_error(error_out, errno, "open directory", path);
    }
    int rc;
    do {
        rc = fsync(fd);
    } while (rc != 0 && errno == EINTR);
    int cause = errno;
    close(fd);
    return rc == 0 ? YORE_OK : posix_error(error_out, cause, "sync directory", path);
}

static enum yore_status posix_dir_list(struct os_env *env, const char *path,
                                       int (*each)(void *arg, const char *name), void *arg,
                                       struct yore_error *error_out)
{
    (void)env;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return posix_error(error_out, errno, "list directory", path);
    }
    enum yore_status st = YORE_OK;
    int stop = 0;
    while (stop == 0) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            if (errno != 0) {
                st = posix_error(error_out, errno, "list directory", path);
            }
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            stop = each(arg, entry->d_name);
        }
    }
    closedir(dir);
    return st;
}

static enum yore_status posix_dir_remove(struct os_env *env, const char *path,
                                         struct yore_error *error_out)
{
    (void)env;
    if (rmdir(path) != 0) {
        return posix_error(error_out, errno, "remove directory", path);
    }
    return YORE_OK;
}

static enum yore_status posix_path_rename(struct os_env *env, const char *from, const char *to,
                                          struct yore_error *error_out)
{
    (void)env;
    if (rename(from, to) != 0) {
        return posix_error(error_out, errno, "rename", from);
    }
    return YORE_OK;
}

static enum yore_status posix_path_unlink(struct os_env *env, const char *path,
                                          struct yore_error *error_out)
{
    (void)env;
    if (unlink(path) != 0) {
        return posix_error(error_out, errno, "unlink", path);
    }
    return YORE_OK;
}

static enum yore_status posix_path_link(struct os_env *env, const char *from, const char *to,
                                        struct yore_error *error_out)
{
    (void)env;
    if (link(from, to) == 0) {
        return YORE_OK;
    }
    switch (errno) {
    case EXDEV:
    case EPERM:
    case EMLINK:
    case EOPNOTSUPP:
    case ENOSYS:
        return error_set(error_out, YORE_UNSUPPORTED, "link %s: no hard link to %s here", to, from);
    case EEXIST:
        return posix_error(error_out, errno, "link", to);
    default:
        return posix_error(error_out, errno, "link", from);
    }
}

static enum yore_status posix_path_stat(struct os_env *env, const char *path, uint64_t *size_out,
                                        bool *is_dir_out, struct yore_error *error_out)
{
    (void)env;
    struct stat st;
    if (stat(path, &st) != 0) {
        return posix_error(error_out, errno, "stat", path);
    }
    *is_dir_out = S_ISDIR(st.st_mode);
    *size_out = *is_dir_out ? 0 : (uint64_t)st.st_size;
    return YORE_OK;
}

/* The directory is named, not held open: were it moved, the path would lead elsewhere, as any
 * absolute path does. */
static enum yore_status posix_path_absolute(struct os_env *env, const char *path,
                                            char **absolute_out, struct yore_error *error_out)
{
    (void)env;
    char here[PATH_MAX] = "";
    char text[128];
    if (path[0] != '/' && getcwd(here, sizeof(here)) == NULL) {
        return error_set(error_out, YORE_IO, "find the current directory, for the path %s: %s",
                         path, strerror_r(errno, text, sizeof(text)));
    }
    const char *between = here[0] != '\0' && strcmp(here, "/") != 0 ? "/" : "";
    size_t size = strlen(here) + strlen(between) + strlen(path) + 1;
    char *absolute = mem_alloc(size);
    if (absolute == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    snprintf(absolute, size, "%s%s%s", here, between, path);
    *absolute_out = absolute;
    return YORE_OK;
}

/* Without the right to give a file away it stays ours; then its group and others are told no more
 * than they were. */
static enum yore_status posix_path_take_rights(struct os_env *env, const char *path,
                                               const char *from, struct yore_error *error_out)
{
    (void)env;
    struct stat st;
    if (stat(from, &st) != 0) {
        return posix_error(error_out, errno, "stat", from);
    }
    mode_t mode = st.st_mode & 0777;
    if ((st.st_uid != geteuid() || st.st_gid != getegid()) &&
        chown(path, st.st_uid, st.st_gid) != 0) {
        mode &= 0700;
    }
    return chmod(path, mode) == 0 ? YORE_OK : posix_error(error_out, errno, "chmod", path);
}

/* ---- the lock -------------------------------------------------------------------------------- */

/* flock belongs to the open file, so a second handle of this process is refused like any other. */
struct posix_lock {
    struct os_lock base;
    int fd;
    pid_t holder;
    bool is_shared;
};

static enum yore_status lock_held(int fd, const char *path, struct yore_error *error_out)
{
    char holder[LOCK_TEXT_BYTES];
    ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
    holder[n > 0 ? n : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return holder[0] != '\0'
               ? error_set(error_out, YORE_LOCKED, "lock %s: held by process %s", path, holder)
               : error_set(error_out, YORE_LOCKED,
                           "lock %s: held by processes that opened it to read only, or by one "
                           "that has not named itself yet",
                           path);
}

/* Who holds it, for the text of the next one's error only: the lock does not depend on it. */
static void lock_sign(int fd)
{
    char host[256] = "";
    char text[LOCK_TEXT_BYTES];
    if (gethostname(host, sizeof(host) - 1) != 0) {
        host[0] = '\0';
    }
    int n = snprintf(text, sizeof(text), "%ld on %s\n", (long)getpid(), host);
    if (ftruncate(fd, 0) == 0 && n > 0) {
        ssize_t written = pwrite(fd, text, (size_t)n, 0);
        (void)written;
    }
}

static enum yore_status lock_open(struct os_env *env, const char *path, bool is_shared,
                                  struct os_lock **lock_out, struct yore_error *error_out)
{
    struct posix_lock *lock = mem_zalloc(sizeof(*lock));
    if (lock == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    lock->base.env = env;
    lock->fd = is_shared ? open(path, O_RDONLY | O_CLOEXEC)
                         : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock->fd < 0) {
        enum yore_status st = posix_error(error_out, errno, "lock", path);
        mem_free(lock);
        return st;
    }
    int rc;
    do {
        rc = flock(lock->fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) {
        enum yore_status st = errno == EWOULDBLOCK ? lock_held(lock->fd, path, error_out)
                                                   : posix_error(error_out, errno, "lock", path);
        close(lock->fd);
        mem_free(lock);
        return st;
    }
    lock->holder = getpid();
    lock->is_shared = is_shared;
    if (!is_shared) {
        lock_sign(lock->fd);
    }
    *lock_out = &lock->base;
    return YORE_OK;
}

static enum yore_status posix_lock_take(struct os_env *env, const char *path,
                                        struct os_lock **lock_out, struct yore_error *error_out)
{
    return lock_open(env, path, false, lock_out, error_out);
}

static enum yore_status posix_lock_share(struct os_env *env, const char *path,
                                         struct os_lock **lock_out, struct yore_error *error_out)
{
    return lock_open(env, path, true, lock_out, error_out);
}

static void posix_lock_release(struct os_lock *base)
{
    struct posix_lock *lock = (struct posix_lock *)base;
    if (lock->holder == getpid()) {
        /* A name left behind would only mislead. */
        int rc = lock->is_shared ? 0 : ftruncate(lock->fd, 0);
        (void)rc;
        /* Children that were forked meanwhile have the same open file: closing alone would leave
         * them the lock. */
        flock(lock->fd, LOCK_UN);
    }
    close(lock->fd);
    mem_free(lock);
}

/* ---- clocks and randomness ------------------------------------------------------------------- */

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    int rc = clock_gettime(clock, &now);
    YORE_ASSERT(rc == 0);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t posix_wall_ns(struct os_env *env)
{
    (void)env;
    return read_clock(CLOCK_REALTIME);
}

static int64_t posix_monotonic_ns(struct os_env *env)
{
    (void)env;
    return read_clock(CLOCK_MONOTONIC);
}

static void posix_sleep_ns(struct os_env *env, int64_t duration_ns)
{
    (void)env;
    int64_t until = read_clock(CLOCK_MONOTONIC) + duration_ns;
    struct timespec at = {.tv_sec = until / NS_PER_SECOND, .tv_nsec = until % NS_PER_SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

static uint64_t posix_random_u64(struct os_env *env)
{
    (void)env;
    uint64_t v;
    ssize_t n;
    do {
        n = getrandom(&v, sizeof(v), 0);
    } while (n < 0 && errno == EINTR);
    YORE_ASSERT(n == (ssize_t)sizeof(v));
    return v;
}

static const struct os_env_ops posix_env_ops = {
    .file_open = posix_file_open,
    .dir_make = posix_dir_make,
    .dir_sync = posix_dir_sync,
    .dir_list = posix_dir_list,
    .dir_remove = posix_dir_remove,
    .path_rename = posix_path_rename,
    .path_unlink = posix_path_unlink,
    .path_link = posix_path_link,
    .path_stat = posix_path_stat,
    .path_absolute = posix_path_absolute,
    .path_take_rights = posix_path_take_rights,
    .lock_take = posix_lock_take,
    .lock_share = posix_lock_share,
    .lock_release = posix_lock_release,
    .wall_ns = posix_wall_ns,
    .monotonic_ns = posix_monotonic_ns,
    .sleep_ns = posix_sleep_ns,
    .random_u64 = posix_random_u64,
};

struct os_env *os_env_posix(void)
{
    static struct os_env env = {&posix_env_ops}; /* never written; not const only for its type */
    return &env;
}
