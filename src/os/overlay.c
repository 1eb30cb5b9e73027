#include "os/overlay.h"

#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "os/env_internal.h"
#include "os/thread.h"

/* A file in memory.  Octets from data.size up to `size` are zeros that were never written. */
struct node {
    struct os_mutex *lock; /* the overlay's */
    unsigned refs;         /* its name and its open handles */
    struct buffer data;
    uint64_t size;
};

/* What a path stands for here. */
struct name {
    char *path;
    struct node *node; /* NULL: hidden, whatever is below */
};

struct overlay {
    struct os_env base;
    struct os_env *below;
    struct os_mutex lock; /* guards the rest, and every node */
    struct name *names;
    size_t count;
    size_t capacity;
};

struct overlay_file {
    struct os_file base;
    struct node *node;
};

static struct overlay *overlay_of(struct os_env *env)
{
    return (struct overlay *)env;
}

static struct node *node_of(struct os_file *file)
{
    return ((struct overlay_file *)file)->node;
}

static enum yore_status refuse(const char *what, const char *path, struct yore_error *error_out)
{
    return error_set(error_out, YORE_READ_ONLY, "%s %s: opened to read only", what, path);
}

/* ---- nodes and names; under the lock ---- */

static void node_unref(struct node *node)
{
    if (node != NULL && --node->refs == 0) {
        buffer_release(&node->data);
        mem_free(node);
    }
}

static struct name *find(struct overlay *o, const char *path)
{
    for (size_t i = 0; i < o->count; i++) {
        if (strcmp(o->names[i].path, path) == 0) {
            return &o->names[i];
        }
    }
    return NULL;
}

/* The entry of `path`, new and hidden where there was none; NULL: out of memory. */
static struct name *find_or_add(struct overlay *o, const char *path)
{
    struct name *found = find(o, path);
    if (found != NULL) {
        return found;
    }
    char *copy = mem_copy(path, strlen(path) + 1);
    struct name *grown = mem_grow(o->names, o->count, &o->capacity, sizeof *grown);
    if (grown != NULL) {
        o->names = grown;
    }
    if (copy == NULL || grown == NULL) {
        mem_free(copy);
        return NULL;
    }
    o->names[o->count] = (struct name){copy, NULL};
    return &o->names[o->count++];
}

/* Is the path hidden here (YORE_NOT_FOUND), made here (YORE_OK, and a reference to it), or neither
 * (YORE_UNSUPPORTED: ask below)? */
static enum yore_status look(struct overlay *o, const char *path, struct node **node_out)
{
    os_mutex_lock(&o->lock);
    struct name *name = find(o, path);
    *node_out = name != NULL ? name->node : NULL;
    if (*node_out != NULL) {
        (*node_out)->refs++;
    }
    os_mutex_unlock(&o->lock);
    if (name == NULL) {
        return YORE_UNSUPPORTED;
    }
    return *node_out != NULL ? YORE_OK : YORE_NOT_FOUND;
}

static void let_go(struct overlay *o, struct node *node)
{
    os_mutex_lock(&o->lock);
    node_unref(node);
    os_mutex_unlock(&o->lock);
}

/* Let `path` stand for `node` (takes the reference), or hide it. */
static enum yore_status assign(struct overlay *o, const char *path, struct node *node,
                               struct yore_error *error_out)
{
    os_mutex_lock(&o->lock);
    struct name *name = find_or_add(o, path);
    if (name != NULL) {
        node_unref(name->node);
        name->node = node;
    } else {
        node_unref(node);
    }
    os_mutex_unlock(&o->lock);
    return name != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

/* ---- files ---- */

static void overlay_close(struct os_file *file)
{
    struct node *node = node_of(file);
    struct os_mutex *lock = node->lock;
    os_mutex_lock(lock);
    node_unref(node);
    os_mutex_unlock(lock);
    mem_free(file->path);
    mem_free(file);
}

static enum yore_status overlay_read(struct os_file *file, uint64_t offset, void *data, size_t size,
                                     size_t *read_out, struct yore_error *error_out)
{
    struct node *node = node_of(file);
    (void)error_out;
    os_mutex_lock(node->lock);
    uint64_t left = offset < node->size ? node->size - offset : 0;
    size_t count = left < size ? (size_t)left : size;
    size_t written = 0;
    if (offset < node->data.size) {
        size_t stored = node->data.size - (size_t)offset;
        written = stored < count ? stored : count;
        memcpy(data, node->data.data + offset, written);
    }
    os_mutex_unlock(node->lock);
    if (count > written) {
        memset((unsigned char *)data + written, 0, count - written);
    }
    *read_out = count;
    return YORE_OK;
}

/* Zeros are written out up to `size`.  Under the lock. */
static bool fill_to(struct node *node, uint64_t size)
{
    if (size <= node->data.size) {
        return true;
    }
    size_t more = (size_t)(size - node->data.size);
    unsigned char *end = size <= SIZE_MAX ? buffer_extend(&node->data, more) : NULL;
    if (end == NULL) {
        node->data.is_nomem = false; /* the file is as it was: the next write may find memory */
        return false;
    }
    memset(end, 0, more);
    return true;
}

static enum yore_status overlay_write(struct os_file *file, uint64_t offset, const void *data,
                                      size_t size, const char *site, struct yore_error *error_out)
{
    struct node *node = node_of(file);
    uint64_t end;
    (void)site;
    if (size == 0) {
        return YORE_OK; /* makes no file longer */
    }
    os_mutex_lock(node->lock);
    bool is_done = !__builtin_add_overflow(offset, size, &end) && fill_to(node, end);
    if (is_done) {
        memcpy(node->data.data + offset, data, size);
    }
    if (is_done && end > node->size) {
        node->size = end;
    }
    os_mutex_unlock(node->lock);
    return is_done ? YORE_OK : error_plain(error_out, YORE_NOMEM);
}

/* Nothing outlives the process anyway. */
static enum yore_status overlay_sync(struct os_file *file, const char *site,
                                     struct yore_error *error_out)
{
    (void)file;
    (void)site;
    (void)error_out;
    return YORE_OK;
}

static void zero(struct node *node, uint64_t offset, uint64_t size)
{
    if (offset < node->data.size) {
        uint64_t stored = node->data.size - offset;
        memset(node->data.data + offset, 0, (size_t)(stored < size ? stored : size));
    }
}

static enum yore_status overlay_truncate(struct os_file *file, uint64_t size,
                                         struct yore_error *error_out)
{
    struct node *node = node_of(file);
    (void)error_out;
    os_mutex_lock(node->lock);
    if (size < node->data.size) {
        node->data.size = (size_t)size;
    }
    node->size = size;
    os_mutex_unlock(node->lock);
    return YORE_OK;
}

static enum yore_status overlay_punch(struct os_file *file, uint64_t offset, uint64_t size,
                                      struct yore_error *error_out)
{
    struct node *node = node_of(file);
    (void)error_out;
    os_mutex_lock(node->lock);
    zero(node, offset, size);
    os_mutex_unlock(node->lock);
    return YORE_OK;
}

static enum yore_status overlay_size(struct os_file *file, uint64_t *size_out,
                                     struct yore_error *error_out)
{
    struct node *node = node_of(file);
    (void)error_out;
    os_mutex_lock(node->lock);
    *size_out = node->size;
    os_mutex_unlock(node->lock);
    return YORE_OK;
}

static void overlay_will_need(struct os_file *file, uint64_t offset, uint64_t size)
{
    (void)file;
    (void)offset;
    (void)size;
}

static const struct os_file_ops overlay_file_ops = {.close = overlay_close,
                                                    .read = overlay_read,
                                                    .write = overlay_write,
                                                    .sync = overlay_sync,
                                                    .truncate = overlay_truncate,
                                                    .punch = overlay_punch,
                                                    .size = overlay_size,
                                                    .will_need = overlay_will_need};

/* A handle on `node`; takes the reference, also on failure. */
static enum yore_status open_node(struct overlay *o, const char *path, struct node *node,
                                  struct os_file **file_out, struct yore_error *error_out)
{
    struct overlay_file *file = mem_zalloc(sizeof *file);
    char *copy = mem_copy(path, strlen(path) + 1);
    if (file == NULL || copy == NULL) {
        mem_free(file);
        mem_free(copy);
        let_go(o, node);
        return error_plain(error_out, YORE_NOMEM);
    }
    *file = (struct overlay_file){{&overlay_file_ops, copy}, node};
    *file_out = &file->base;
    return YORE_OK;
}

static enum yore_status create(struct overlay *o, const char *path, struct os_file **file_out,
                               struct yore_error *error_out)
{
    struct node *node = mem_zalloc(sizeof *node);
    if (node == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    *node = (struct node){.lock = &o->lock, .refs = 2};
    enum yore_status st = assign(o, path, node, error_out);
    if (st != YORE_OK) {
        let_go(o, node);
        return st;
    }
    return open_node(o, path, node, file_out, error_out);
}

static enum yore_status overlay_file_open(struct os_env *env, const char *path,
                                          enum os_open_mode mode, struct os_file **file_out,
                                          struct yore_error *error_out)
{
    struct overlay *o = overlay_of(env);
    struct node *node;
    enum yore_status here = look(o, path, &node);
    uint64_t size;
    bool is_dir;
    if (mode == OS_OPEN_CREATE) {
        bool is_there = here == YORE_OK ||
                        (here == YORE_UNSUPPORTED &&
                         os_path_stat(o->below, path, &size, &is_dir, NULL) != YORE_NOT_FOUND);
        if (is_there) {
            let_go(o, node);
            return error_set(error_out, YORE_EXISTS, "create %s: already there", path);
        }
        return create(o, path, file_out, error_out);
    }
    if (here == YORE_OK) {
        return open_node(o, path, node, file_out, error_out);
    }
    if (here == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_NOT_FOUND, "open %s: no such file", path);
    }
    return mode == OS_OPEN_READ ? os_file_open(o->below, path, mode, file_out, error_out)
                                : refuse("write", path, error_out);
}

/* ---- directories ---- */

static enum yore_status overlay_dir_make(struct os_env *env, const char *path,
                                         struct yore_error *error_out)
{
    (void)env;
    return refuse("make directory", path, error_out);
}

static enum yore_status overlay_dir_sync(struct os_env *env, const char *path, const char *site,
                                         struct yore_error *error_out)
{
    (void)env;
    (void)path;
    (void)site;
    (void)error_out;
    return YORE_OK;
}

static enum yore_status overlay_dir_remove(struct os_env *env, const char *path,
                                           struct yore_error *error_out)
{
    (void)env;
    return refuse("remove directory", path, error_out);
}

/* The name in `dir` that `path` has; NULL: it lies elsewhere. */
static const char *name_within(const char *dir, const char *path)
{
    size_t size = strlen(dir);
    return strncmp(dir, path, size) == 0 && path[size] == '/' && path[size + 1] != '\0' &&
                   strchr(path + size + 1, '/') == NULL
               ? path + size + 1
               : NULL;
}

struct listing {
    struct overlay *overlay;
    const char *dir;
    int (*each)(void *arg, const char *name);
    void *arg;
    bool is_stopped;
    bool is_nomem;
};

/* One name of below: not told where something here stands for it. */
static int list_below(void *arg, const char *name)
{
    struct listing *l = arg;
    struct buffer path = {0};
    struct node *node = NULL;
    buffer_append(&path, l->dir, strlen(l->dir));
    buffer_append_u8(&path, '/');
    buffer_append(&path, name, strlen(name) + 1);
    if (path.is_nomem) {
        l->is_nomem = true;
    } else if (look(l->overlay, (const char *)path.data, &node) == YORE_UNSUPPORTED) {
        l->is_stopped = l->each(l->arg, name) != 0;
    }
    let_go(l->overlay, node);
    buffer_release(&path);
    return l->is_stopped || l->is_nomem;
}

/* The names made here, copied first: the callback may use the overlay. */
static void list_own(struct listing *l)
{
    struct overlay *o = l->overlay;
    struct buffer names = {0};
    os_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->count; i++) {
        const char *name = name_within(l->dir, o->names[i].path);
        if (name != NULL && o->names[i].node != NULL) {
            buffer_append(&names, name, strlen(name) + 1);
        }
    }
    os_mutex_unlock(&o->lock);
    l->is_nomem = names.is_nomem;
    for (size_t at = 0; at < names.size && !l->is_nomem && !l->is_stopped;) {
        const char *name = (const char *)names.data + at;
        at += strlen(name) + 1;
        l->is_stopped = l->each(l->arg, name) != 0;
    }
    buffer_release(&names);
}

static enum yore_status overlay_dir_list(struct os_env *env, const char *path,
                                         int (*each)(void *arg, const char *name), void *arg,
                                         struct yore_error *error_out)
{
    struct listing l = {.overlay = overlay_of(env), .dir = path, .each = each, .arg = arg};
    list_own(&l);
    enum yore_status st = YORE_OK;
    if (!l.is_nomem && !l.is_stopped) {
        st = os_dir_list(l.overlay->below, path, list_below, &l, error_out);
    }
    return l.is_nomem ? error_plain(error_out, YORE_NOMEM) : st;
}

/* ---- paths ---- */

static enum yore_status overlay_path_stat(struct os_env *env, const char *path, uint64_t *size_out,
                                          bool *is_dir_out, struct yore_error *error_out)
{
    struct overlay *o = overlay_of(env);
    struct node *node;
    enum yore_status here = look(o, path, &node);
    if (here == YORE_UNSUPPORTED) {
        return os_path_stat(o->below, path, size_out, is_dir_out, error_out);
    }
    if (here == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_NOT_FOUND, "stat %s: no such file", path);
    }
    *is_dir_out = false;
    os_mutex_lock(&o->lock);
    *size_out = node->size;
    node_unref(node);
    os_mutex_unlock(&o->lock);
    return YORE_OK;
}

static enum yore_status overlay_path_unlink(struct os_env *env, const char *path,
                                            struct yore_error *error_out)
{
    uint64_t size;
    bool is_dir;
    enum yore_status st = overlay_path_stat(env, path, &size, &is_dir, error_out);
    if (st == YORE_OK && is_dir) {
        st = refuse("unlink", path, error_out);
    }
    return st == YORE_OK ? assign(overlay_of(env), path, NULL, error_out) : st;
}

static enum yore_status overlay_path_rename(struct os_env *env, const char *from, const char *to,
                                            struct yore_error *error_out)
{
    struct overlay *o = overlay_of(env);
    struct node *node;
    enum yore_status here = look(o, from, &node);
    if (here == YORE_UNSUPPORTED) {
        return refuse("rename", from, error_out);
    }
    if (here == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_NOT_FOUND, "rename %s: no such file", from);
    }
    if (strcmp(from, to) == 0) {
        let_go(o, node);
        return YORE_OK;
    }
    enum yore_status st = assign(o, to, node, error_out);
    return st == YORE_OK ? assign(o, from, NULL, error_out) : st;
}

static enum yore_status overlay_path_link(struct os_env *env, const char *from, const char *to,
                                          struct yore_error *error_out)
{
    (void)env;
    (void)from;
    return refuse("link", to, error_out);
}

static enum yore_status overlay_path_absolute(struct os_env *env, const char *path,
                                              char **absolute_out, struct yore_error *error_out)
{
    return os_path_absolute(overlay_of(env)->below, path, absolute_out, error_out);
}

static enum yore_status overlay_lock_take(struct os_env *env, const char *path,
                                          struct os_lock **lock_out, struct yore_error *error_out)
{
    (void)env;
    (void)lock_out;
    return refuse("lock", path, error_out);
}

/* The lock is the environment's below, which gives it back itself. */
static enum yore_status overlay_lock_share(struct os_env *env, const char *path,
                                           struct os_lock **lock_out, struct yore_error *error_out)
{
    return os_lock_share(overlay_of(env)->below, path, lock_out, error_out);
}

static void overlay_lock_release(struct os_lock *lock)
{
    (void)lock;
}

/* ---- clocks and randomness ---- */

static int64_t overlay_wall_ns(struct os_env *env)
{
    return os_wall_ns(overlay_of(env)->below);
}

static int64_t overlay_monotonic_ns(struct os_env *env)
{
    return os_monotonic_ns(overlay_of(env)->below);
}

static void overlay_sleep_ns(struct os_env *env, int64_t duration_ns)
{
    os_sleep_ns(overlay_of(env)->below, duration_ns);
}

static uint64_t overlay_random_u64(struct os_env *env)
{
    return os_random_u64(overlay_of(env)->below);
}

static const struct os_env_ops overlay_env_ops = {
    .file_open = overlay_file_open,
    .dir_make = overlay_dir_make,
    .dir_sync = overlay_dir_sync,
    .dir_list = overlay_dir_list,
    .dir_remove = overlay_dir_remove,
    .path_rename = overlay_path_rename,
    .path_unlink = overlay_path_unlink,
    .path_link = overlay_path_link,
    .path_stat = overlay_path_stat,
    .path_absolute = overlay_path_absolute,
    .lock_take = overlay_lock_take,
    .lock_share = overlay_lock_share,
    .lock_release = overlay_lock_release,
    .wall_ns = overlay_wall_ns,
    .monotonic_ns = overlay_monotonic_ns,
    .sleep_ns = overlay_sleep_ns,
    .random_u64 = overlay_random_u64,
};

struct os_env *os_overlay_new(struct os_env *below)
{
    struct overlay *o = mem_zalloc(sizeof *o);
    if (o == NULL) {
        return NULL;
    }
    o->base.ops = &overlay_env_ops;
    o->below = below;
    os_mutex_init(&o->lock);
    return &o->base;
}

void os_overlay_free(struct os_env *overlay)
{
    struct overlay *o = overlay != NULL ? overlay_of(overlay) : NULL;
    if (o == NULL) {
        return;
    }
    for (size_t i = 0; i < o->count; i++) {
        mem_free(o->names[i].path);
        node_unref(o->names[i].node);
    }
    mem_free(o->names);
    os_mutex_release(&o->lock);
    mem_free(o);
}

uint64_t os_overlay_bytes(struct os_env *overlay)
{
    struct overlay *o = overlay_of(overlay);
    uint64_t bytes = 0;
    os_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->count; i++) {
        bytes += o->names[i].node != NULL ? o->names[i].node->data.size : 0;
    }
    os_mutex_unlock(&o->lock);
    return bytes;
}
