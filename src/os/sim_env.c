/* Directories, locks and clocks of the simulated disk; statuses as os/posix_env.c gives them. */
#include "base/mem.h"
#include "os/sim_internal.h"

#define CLOCK_STEP_NS 1000 /* every look at a clock takes this long */

/* ---- directories ----------------------------------------------------------------------------- */

/* Look `path` up for a call `what`. */
static enum yore_status find(const struct sim_disk *disk, const char *path, const char *what,
                             struct sim_spot *spot_out, struct yore_error *error_out)
{
    enum yore_status st = sim_check_power(disk, what, path, error_out);
    return st == YORE_OK ? sim_find(disk, path, what, spot_out, error_out) : st;
}

static enum yore_status missing(const char *what, const char *path, struct yore_error *error_out)
{
    return error_set(error_out, YORE_NOT_FOUND, "%s %s: no such file or directory", what, path);
}

static enum yore_status find_dir(const struct sim_disk *disk, const char *path, const char *what,
                                 struct sim_spot *spot_out, struct yore_error *error_out)
{
    enum yore_status st = find(disk, path, what, spot_out, error_out);
    if (st == YORE_OK && spot_out->node == NULL) {
        st = missing(what, path, error_out);
    } else if (st == YORE_OK && !spot_out->node->is_dir) {
        st = error_set(error_out, YORE_IO, "%s %s: not a directory", what, path);
    }
    return st;
}

static enum yore_status dir_make(struct sim_disk *disk, const char *path,
                                 struct yore_error *error_out)
{
    static const char what[] = "make directory";
    struct sim_spot spot;
    enum yore_status st = find(disk, path, what, &spot, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (spot.node != NULL) {
        return error_set(error_out, YORE_EXISTS, "%s %s: already there", what, path);
    }
    enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
    if (turn != SIM_TURN_FAULT) {
        sim_tree_add(disk, &spot, sim_node_new(disk, true));
    }
    return sim_turn_end(turn, what, path, error_out);
}

static enum yore_status dir_sync(struct sim_disk *disk, const char *path, const char *site,
                                 struct yore_error *error_out)
{
    static const char what[] = "sync directory";
    struct sim_spot spot;
    enum yore_status st = find_dir(disk, path, what, &spot, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_ignored = sim_site_is_ignored(disk, site);
    enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
    if (turn == SIM_TURN_WHOLE && !is_ignored) {
        sim_tree_sync(disk, spot.node);
    }
    return sim_turn_end(turn, what, path, error_out);
}

static enum yore_status dir_remove(struct sim_disk *disk, const char *path,
                                   struct yore_error *error_out)
{
    static const char what[] = "remove directory";
    struct sim_spot spot;
    enum yore_status st = find_dir(disk, path, what, &spot, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (spot.parent == NULL) {
        return error_set(error_out, YORE_IO, "%s %s: the root", what, path);
    }
    if (spot.node->live_entries.count > 0) {
        return error_set(error_out, YORE_EXISTS, "%s %s: not empty", what, path);
    }
    enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
    if (turn != SIM_TURN_FAULT) {
        sim_tree_remove(disk, &spot);
    }
    return sim_turn_end(turn, what, path, error_out);
}

/* Is `dir` `top` or below it? */
static bool is_within(const struct sim_disk *disk, const struct sim_node *dir,
                      const struct sim_node *top)
{
    while (dir != NULL && dir != top) {
        const struct sim_node *parent = NULL;
        for (size_t i = 0; i < disk->node_count && parent == NULL; i++) {
            const struct sim_entries *entries = &disk->nodes[i]->live_entries;
            for (size_t j = 0; j < entries->count; j++) {
                if (entries->items[j].node == dir) {
                    parent = disk->nodes[i];
                    break;
                }
            }
        }
        dir = parent;
    }
    return dir == top;
}

/* May `from` take the place of `to`? */
static enum yore_status check_replace(const struct sim_disk *disk, const struct sim_spot *from,
                                      const struct sim_spot *to, const char *path,
                                      struct yore_error *error_out)
{
    if (to->parent == NULL || from->parent == NULL) {
        return error_set(error_out, YORE_IO, "rename %s: the root", path);
    }
    if (from->node->is_dir && is_within(disk, to->parent, from->node)) {
        return error_set(error_out, YORE_IO, "rename %s: into itself", path);
    }
    if (to->node == NULL) {
        return YORE_OK;
    }
    if (to->node->is_dir && is_within(disk, from->parent, to->node)) {
        return error_set(error_out, YORE_EXISTS, "rename %s: the target holds it", path);
    }
    if (to->node->is_dir != from->node->is_dir) {
        return error_set(error_out, YORE_IO, "rename %s: a file and a directory", path);
    }
    if (to->node->live_entries.count > 0) {
        return error_set(error_out, YORE_EXISTS, "rename %s: the target is not empty", path);
    }
    return YORE_OK;
}

static enum yore_status path_rename(struct sim_disk *disk, const char *from_path,
                                    const char *to_path, struct yore_error *error_out)
{
    struct sim_spot from;
    struct sim_spot to;
    enum yore_status st = find(disk, from_path, "rename", &from, error_out);
    if (st == YORE_OK) {
        st = sim_find(disk, to_path, "rename", &to, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (from.node == NULL) {
        return missing("rename", from_path, error_out);
    }
    if (from.node == to.node) {
        return YORE_OK; /* two names of one file: POSIX leaves both */
    }
    st = check_replace(disk, &from, &to, from_path, error_out);
    if (st != YORE_OK) {
        return st;
    }
    enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
    if (turn != SIM_TURN_FAULT) {
        sim_tree_rename(disk, &from, &to);
    }
    return sim_turn_end(turn, "rename", from_path, error_out);
}

static enum yore_status path_unlink(struct sim_disk *disk, const char *path,
                                    struct yore_error *error_out)
{
    struct sim_spot spot;
    enum yore_status st = find(disk, path, "unlink", &spot, error_out);
    if (st == YORE_OK && spot.node == NULL) {
        st = missing("unlink", path, error_out);
    } else if (st == YORE_OK && spot.node->is_dir) {
        st = error_set(error_out, YORE_IO, "unlink %s: is a directory", path);
    }
    if (st != YORE_OK) {
        return st;
    }
    enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
    if (turn != SIM_TURN_FAULT) {
        sim_tree_remove(disk, &spot);
    }
    return sim_turn_end(turn, "unlink", path, error_out);
}

static enum yore_status path_link(struct sim_disk *disk, const char *from_path, const char *to_path,
                                  struct yore_error *error_out)
{
    struct sim_spot from;
    struct sim_spot to;
    enum yore_status st = find(disk, from_path, "link", &from, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (from.node == NULL) {
        return missing("link", from_path, error_out);
    }
    st = sim_find(disk, to_path, "link", &to, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (to.node != NULL) {
        return error_set(error_out, YORE_EXISTS, "link %s: already there", to_path);
    }
    if (from.node->is_dir) {
        return error_set(error_out, YORE_UNSUPPORTED, "link %s: is a directory", from_path);
    }
    enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
    if (turn != SIM_TURN_FAULT) {
        sim_tree_add(disk, &to, from.node);
    }
    return sim_turn_end(turn, "link", from_path, error_out);
}

static enum yore_status sim_dir_make(struct os_env *env, const char *path,
                                     struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    enum yore_status st = dir_make(disk, path, error_out);
    sim_leave(disk);
    return st;
}

static enum yore_status sim_dir_sync(struct os_env *env, const char *path, const char *site,
                                     struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    enum yore_status st = sim_check_handles(disk, "sync directory", path, error_out);
    if (st == YORE_OK) {
        st = dir_sync(disk, path, site, error_out);
    }
    sim_leave(disk);
    return st;
}

static enum yore_status sim_dir_remove(struct os_env *env, const char *path,
                                       struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    enum yore_status st = dir_remove(disk, path, error_out);
    sim_leave(disk);
    return st;
}

static enum yore_status sim_path_rename(struct os_env *env, const char *from, const char *to,
                                        struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    enum yore_status st = path_rename(disk, from, to, error_out);
    sim_leave(disk);
    return st;
}

static enum yore_status sim_path_unlink(struct os_env *env, const char *path,
                                        struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    enum yore_status st = path_unlink(disk, path, error_out);
    sim_leave(disk);
    return st;
}

static enum yore_status sim_path_link(struct os_env *env, const char *from, const char *to,
                                      struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    enum yore_status st = path_link(disk, from, to, error_out);
    sim_leave(disk);
    return st;
}

/* The names are taken under the lock and told without it: the callback may use the disk. */
static enum yore_status sim_dir_list(struct os_env *env, const char *path,
                                     int (*each)(void *arg, const char *name), void *arg,
                                     struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    struct sim_blob **names = NULL;
    size_t count = 0;
    struct sim_spot spot;
    sim_enter(disk);
    enum yore_status st = sim_check_handles(disk, "list directory", path, error_out);
    if (st == YORE_OK) {
        st = find_dir(disk, path, "list directory", &spot, error_out);
    }
    if (st == YORE_OK && spot.node->live_entries.count > 0) {
        const struct sim_entries *entries = &spot.node->live_entries;
        count = entries->count;
        names = mem_certain(count * sizeof(struct sim_blob *));
        size_t first = (size_t)rand_below(&disk->own_rand, count); /* no order is promised */
        for (size_t i = 0; i < count; i++) {
            names[i] = sim_blob_ref(entries->items[(first + i) % count].name);
        }
    }
    sim_leave(disk);
    int stop = 0;
    for (size_t i = 0; i < count; i++) {
        if (stop == 0) {
            stop = each(arg, sim_blob_bytes(names[i]).data);
        }
        sim_blob_unref(names[i]);
    }
    mem_free(names);
    return st;
}

static enum yore_status sim_path_stat(struct os_env *env, const char *path, uint64_t *size_out,
                                      bool *is_dir_out, struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    struct sim_spot spot;
    sim_enter(disk);
    enum yore_status st = find(disk, path, "stat", &spot, error_out);
    if (st == YORE_OK && spot.node == NULL) {
        st = missing("stat", path, error_out);
    } else if (st == YORE_OK) {
        *is_dir_out = spot.node->is_dir;
        *size_out = sim_image_size(spot.node->live);
    }
    sim_leave(disk);
    return st;
}

/* ---- the lock -------------------------------------------------------------------------------- */

struct sim_lock {
    struct os_lock base;
    struct sim_node *node;
    uint64_t epoch;
    bool is_shared;
};

/* Find or create the file that is locked; one that is shared must be there. */
static enum yore_status lock_find(struct sim_disk *disk, const char *path, bool is_shared,
                                  struct sim_node **node_out, struct yore_error *error_out)
{
    struct sim_spot spot;
    enum yore_status st = sim_check_handles(disk, "lock", path, error_out);
    if (st == YORE_OK) {
        st = find(disk, path, "lock", &spot, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (spot.node == NULL && is_shared) {
        st = missing("lock", path, error_out);
    } else if (spot.node == NULL) {
        enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
        if (turn != SIM_TURN_FAULT) {
            spot.node = sim_node_new(disk, false);
            sim_tree_add(disk, &spot, spot.node);
        }
        st = sim_turn_end(turn, "lock", path, error_out);
    } else if (spot.node->is_dir) {
        st = error_set(error_out, YORE_IO, "lock %s: is a directory", path);
    } else if (spot.node->is_locked) {
        st = error_set(error_out, YORE_LOCKED, "lock %s: held by process 1 on simulated", path);
    } else if (spot.node->share_count > 0 && !is_shared) {
        st = error_set(error_out, YORE_LOCKED, "lock %s: held by processes that opened it to read",
                       path);
    }
    *node_out = spot.node;
    return st;
}

static enum yore_status lock_open(struct os_env *env, const char *path, bool is_shared,
                                  struct os_lock **lock_out, struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    struct sim_lock *lock = mem_zalloc(sizeof(*lock));
    if (lock == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    lock->base.env = env;
    sim_enter(disk);
    enum yore_status st = lock_find(disk, path, is_shared, &lock->node, error_out);
    if (st == YORE_OK) {
        lock->epoch = disk->epoch;
        lock->is_shared = is_shared;
        lock->node->is_locked = !is_shared;
        lock->node->share_count += is_shared;
        lock->node->refs++;
        sim_note_handle(disk);
    }
    sim_leave(disk);
    if (st != YORE_OK) {
        mem_free(lock);
        return st;
    }
    *lock_out = &lock->base;
    return YORE_OK;
}

static enum yore_status sim_lock_take(struct os_env *env, const char *path,
                                      struct os_lock **lock_out, struct yore_error *error_out)
{
    return lock_open(env, path, false, lock_out, error_out);
}

static enum yore_status sim_lock_share(struct os_env *env, const char *path,
                                       struct os_lock **lock_out, struct yore_error *error_out)
{
    return lock_open(env, path, true, lock_out, error_out);
}

static void sim_lock_release(struct os_lock *base)
{
    struct sim_lock *lock = (struct sim_lock *)base;
    struct sim_disk *disk = sim_disk_of(base->env);
    sim_enter(disk);
    if (lock->epoch == disk->epoch) { /* after a crash it is the next holder's */
        lock->node->is_locked = false;
        lock->node->share_count -= lock->is_shared;
    }
    sim_node_unref(disk, lock->node);
    disk->handle_count--;
    sim_leave(disk);
    mem_free(lock);
}

/* ---- clocks and randomness ------------------------------------------------------------------- */

static void clocks_advance(struct sim_disk *disk, int64_t delta_ns)
{
    disk->wall_ns += delta_ns;
    disk->monotonic_ns += delta_ns;
}

static int64_t sim_wall_ns(struct os_env *env)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    clocks_advance(disk, CLOCK_STEP_NS);
    int64_t now = disk->wall_ns;
    sim_leave(disk);
    return now;
}

static int64_t sim_monotonic_ns(struct os_env *env)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    clocks_advance(disk, CLOCK_STEP_NS);
    int64_t now = disk->monotonic_ns;
    sim_leave(disk);
    return now;
}

static void sim_sleep_ns(struct os_env *env, int64_t duration_ns)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    clocks_advance(disk, duration_ns);
    sim_leave(disk);
    os_thread_yield();
}

static uint64_t sim_random_u64(struct os_env *env)
{
    struct sim_disk *disk = sim_disk_of(env);
    sim_enter(disk);
    uint64_t v = rand_u64(&disk->rand);
    sim_leave(disk);
    return v;
}

const struct os_env_ops sim_env_ops = {
    .file_open = sim_file_open,
    .dir_make = sim_dir_make,
    .dir_sync = sim_dir_sync,
    .dir_list = sim_dir_list,
    .path_rename = sim_path_rename,
    .path_unlink = sim_path_unlink,
    .dir_remove = sim_dir_remove,
    .path_link = sim_path_link,
    .path_stat = sim_path_stat,
    .lock_take = sim_lock_take,
    .lock_share = sim_lock_share,
    .lock_release = sim_lock_release,
    .wall_ns = sim_wall_ns,
    .monotonic_ns = sim_monotonic_ns,
    .sleep_ns = sim_sleep_ns,
    .random_u64 = sim_random_u64,
};
