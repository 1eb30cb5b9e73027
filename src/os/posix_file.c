/* Regular files by pread and pwrite: offsets are arguments, so threads share a descriptor without a
 * lock. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/env_internal.h"
#include "os/posix_internal.h"

/* Linux moves at most 2 GiB less a page per call. */
#define TRANSFER_BYTES_MAX ((size_t)1 << 30)
#define ZERO_BYTES ((size_t)256 << 10)
static_assert(sizeof(off_t) == 8, "offsets of large files");

struct posix_file {
    struct os_file base;
    int fd;
};

static struct posix_file *posix_of(struct os_file *file)
{
    return (struct posix_file *)file;
}

static enum yore_status file_error(const struct os_file *file, int cause, const char *what,
                                   uint64_t offset, struct yore_error *error_out)
{
    enum yore_status st = posix_error(error_out, cause, what, file->path);
    size_t used = error_out != NULL ? strlen(error_out->text) : 0;
    if (error_out != NULL) {
        snprintf(error_out->text + used, sizeof(error_out->text) - used, " (offset %llu)",
                 (unsigned long long)offset);
    }
    return st;
}

static bool is_in_range(uint64_t offset, uint64_t size)
{
    return offset <= INT64_MAX && size <= INT64_MAX - offset;
}

static void posix_file_close(struct os_file *file)
{
    struct posix_file *f = posix_of(file);
    close(f->fd); /* what is unsynced was never promised; the descriptor is gone even after EINTR */
    mem_free(f->base.path);
    mem_free(f);
}

static enum yore_status posix_file_read(struct os_file *file, uint64_t offset, void *data,
                                        size_t size, size_t *read_out, struct yore_error *error_out)
{
    unsigned char *to = data;
    size_t done = 0;
    if (offset > INT64_MAX) {
        return YORE_OK; /* no file reaches that far */
    }
    if (!is_in_range(offset, size)) {
        size = (size_t)(INT64_MAX - offset);
    }
    while (done < size) {
        size_t step = size - done < TRANSFER_BYTES_MAX ? size - done : TRANSFER_BYTES_MAX;
        ssize_t n = pread(posix_of(file)->fd, to + done, step, (off_t)(offset + done));
        if (n == 0) {
            break;
        }
        if (n > 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            return file_error(file, errno, "read", offset + done, error_out);
        }
    }
    *read_out = done;
    return YORE_OK;
}

static enum yore_status write_all(struct os_file *file, uint64_t offset, const void *data,
                                  size_t size, struct yore_error *error_out)
{
    const unsigned char *from = data;
    if (!is_in_range(offset, size)) {
        return file_error(file, EFBIG, "write", offset, error_out);
    }
    size_t done = 0;
    while (done < size) {
        size_t step = size - done < TRANSFER_BYTES_MAX ? size - done : TRANSFER_BYTES_MAX;
        ssize_t n = pwrite(posix_of(file)->fd, from + done, step, (off_t)(offset + done));
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            return file_error(file, n == 0 ? EIO : errno, "write", offset + done, error_out);
        }
    }
    return YORE_OK;
}

static enum yore_status posix_file_write(struct os_file *file, uint64_t offset, const void *data,
                                         size_t size, const char *site,
                                         struct yore_error *error_out)
{
    (void)site;
    return write_all(file, offset, data, size, error_out);
}

static enum yore_status posix_file_sync(struct os_file *file, const char *site,
                                        struct yore_error *error_out)
{
    (void)site;
    while (fdatasync(posix_of(file)->fd) != 0) {
        if (errno != EINTR) {
            return posix_error(error_out, errno, "sync", file->path);
        }
    }
    return YORE_OK;
}

static enum yore_status posix_file_size(struct os_file *file, uint64_t *size_out,
                                        struct yore_error *error_out)
{
    struct stat st;
    if (fstat(posix_of(file)->fd, &st) != 0) {
        return posix_error(error_out, errno, "stat", file->path);
    }
    *size_out = (uint64_t)st.st_size;
    return YORE_OK;
}

static enum yore_status write_zeros(struct os_file *file, uint64_t offset, uint64_t size,
                                    struct yore_error *error_out)
{
    uint64_t chunk = size < ZERO_BYTES ? size : ZERO_BYTES;
    void *zeros = mem_zalloc((size_t)chunk);
    if (zeros == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = YORE_OK;
    for (uint64_t done = 0; st == YORE_OK && done < size; done += chunk) {
        uint64_t step = size - done < chunk ? size - done : chunk;
        st = write_all(file, offset + done, zeros, (size_t)step, error_out);
    }
    mem_free(zeros);
    return st;
}

static enum yore_status posix_file_truncate(struct os_file *file, uint64_t size,
                                            struct yore_error *error_out)
{
    if (!is_in_range(0, size)) {
        return file_error(file, EFBIG, "truncate", size, error_out);
    }
    while (ftruncate(posix_of(file)->fd, (off_t)size) != 0) {
        if (errno != EINTR) {
            return file_error(file, errno, "truncate", size, error_out);
        }
    }
    return YORE_OK;
}

static enum yore_status posix_file_punch(struct os_file *file, uint64_t offset, uint64_t size,
                                         struct yore_error *error_out)
{
    uint64_t file_size = 0;
    enum yore_status st = posix_file_size(file, &file_size, error_out);
    if (st != YORE_OK || size == 0 || offset >= file_size) {
        return st;
    }
    uint64_t held = size < file_size - offset ? size : file_size - offset;
    int rc;
    do {
        rc = fallocate(posix_of(file)->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                       (off_t)offset, (off_t)held);
    } while (rc != 0 && errno == EINTR);
    if (rc == 0) {
        return YORE_OK;
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
        return file_error(file, errno, "punch", offset, error_out);
    }
    return write_zeros(file, offset, held, error_out);
}

static void posix_file_will_need(struct os_file *file, uint64_t offset, uint64_t size)
{
    if (is_in_range(offset, size)) {
        posix_fadvise(posix_of(file)->fd, (off_t)offset, (off_t)size, POSIX_FADV_WILLNEED);
    }
}

/* Only begins: what fails is told by the sync. */
static void posix_file_write_back(struct os_file *file)
{
    (void)sync_file_range(posix_of(file)->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static const struct os_file_ops posix_file_ops = {
    .close = posix_file_close,
    .read = posix_file_read,
    .write = posix_file_write,
    .sync = posix_file_sync,
    .truncate = posix_file_truncate,
    .punch = posix_file_punch,
    .size = posix_file_size,
    .will_need = posix_file_will_need,
    .write_back = posix_file_write_back,
};

static int open_flags(enum os_open_mode mode)
{
    switch (mode) {
    case OS_OPEN_READ:
        return O_RDONLY;
    case OS_OPEN_CREATE:
        return O_RDWR | O_CREAT | O_EXCL;
    case OS_OPEN_WRITE:
        break;
    }
    return O_RDWR;
}

/* A directory can be opened for reading; say so here rather than at the first read. */
static enum yore_status open_regular(const char *path, enum os_open_mode mode, int *fd_out,
                                     struct yore_error *error_out)
{
    int fd;
    struct stat st;
    do {
        fd = open(path, open_flags(mode) | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return posix_error(error_out, errno, mode == OS_OPEN_CREATE ? "create" : "open", path);
    }
    if (mode == OS_OPEN_READ && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return posix_error(error_out, EISDIR, "open", path);
    }
    *fd_out = fd;
    return YORE_OK;
}

enum yore_status posix_file_open(struct os_env *env, const char *path, enum os_open_mode mode,
                                 struct os_file **file_out, struct yore_error *error_out)
{
    (void)env;
    /* Memory first: a file that was created must not be left behind by a failure to describe it. */
    struct posix_file *f = mem_zalloc(sizeof(*f));
    char *copy = mem_copy(path, strlen(path) + 1);
    enum yore_status st = YORE_NOMEM;
    if (f == NULL || copy == NULL) {
        error_plain(error_out, st);
        goto out;
    }
    st = open_regular(path, mode, &f->fd, error_out);
    if (st != YORE_OK) {
        goto out;
    }
    f->base.ops = &posix_file_ops;
    f->base.path = copy;
    *file_out = &f->base;
    return YORE_OK;
out:
    mem_free(copy);
    mem_free(f);
    return st;
}
