/* Open files of the simulated disk.  A write changes the live image at once and is kept as
 * unsynced; a sync replays what is unsynced onto the durable image.  (Making the live image the
 * durable one would be simpler, and wrong: what a failed sync dropped is still seen by reads, but
 * must not become durable with the next one.)
 */
#include <string.h>

#include "base/mem.h"
#include "os/sim_internal.h"

struct sim_file {
    struct os_file base;
    struct sim_disk *disk;
    struct sim_node *node;
    uint64_t epoch;
    bool is_writable;
};

static struct sim_file *sim_of(struct os_file *file)
{
    return (struct sim_file *)file;
}

/* ---- unsynced writes ------------------------------------------------------------------------- */

void sim_write_apply(struct sim_image **place, const struct sim_write *write)
{
    uint64_t size = sim_image_size(*place);
    switch (write->kind) {
    case SIM_WRITE_DATA:
        sim_image_write(place, write->offset, sim_blob_bytes(write->data).data,
                        (size_t)write->size);
        break;
    case SIM_WRITE_ZEROS:
        if (write->offset < size) {
            uint64_t held = size - write->offset;
            sim_image_zero(place, write->offset, write->size < held ? write->size : held);
        }
        break;
    case SIM_WRITE_RESIZE:
        sim_image_resize(place, write->size);
        break;
    }
}

/* Do `write` in the page cache; takes its data. */
static void node_write(struct sim_node *node, const struct sim_write *write)
{
    node->writes =
        sim_grow(node->writes, node->write_count, &node->write_capacity, sizeof(struct sim_write));
    node->writes[node->write_count++] = *write;
    sim_write_apply(&node->live, write);
}

void sim_writes_clear(struct sim_node *node)
{
    for (size_t i = 0; i < node->write_count; i++) {
        sim_blob_unref(node->writes[i].data);
    }
    node->write_count = 0;
}

void sim_node_sync(struct sim_node *node)
{
    for (size_t i = 0; i < node->write_count; i++) {
        sim_write_apply(&node->durable, &node->writes[i]);
    }
    sim_writes_clear(node);
}

/* ---- the calls ------------------------------------------------------------------------------- */

static enum yore_status file_check(const struct sim_file *f, const char *what,
                                   struct yore_error *error_out)
{
    if (f->epoch != f->disk->epoch) {
        return error_set(error_out, YORE_IO, "%s %s: opened before the power cut", what,
                         f->base.path);
    }
    return sim_check_power(f->disk, what, f->base.path, error_out);
}

static enum yore_status file_check_write(const struct sim_file *f, const char *what,
                                         struct yore_error *error_out)
{
    enum yore_status st = file_check(f, what, error_out);
    if (st == YORE_OK && !f->is_writable) {
        st = error_set(error_out, YORE_IO, "%s %s: opened for reading", what, f->base.path);
    }
    return st;
}

static enum yore_status no_space(const struct sim_file *f, const char *what, uint64_t offset,
                                 struct yore_error *error_out)
{
    return error_set(error_out, YORE_NO_SPACE, "%s %s: no space left (offset %llu)", what,
                     f->base.path, (unsigned long long)offset);
}

/* Take `octets` of what is left until the disk is full; with those that are too many it is. */
static void fill(struct sim_disk *disk, uint64_t octets)
{
    if (!disk->is_filling) {
        return;
    }
    if (octets <= disk->fill_left) {
        disk->fill_left -= octets;
        return;
    }
    disk->is_filling = false;
    disk->capacity_bytes = sim_used(disk) + disk->fill_left;
}

/* How far a file that is to end at `end` may reach within the disk's capacity; `site` asks. */
static uint64_t end_allowed(const struct sim_file *f, uint64_t end, const char *site)
{
    struct sim_disk *disk = f->disk;
    uint64_t size = sim_image_size(f->node->live);
    uint64_t allowed = end;
    if (end <= size) {
        return end;
    }
    fill(disk, end - size);
    if (disk->capacity_bytes != UINT64_MAX) {
        uint64_t used = sim_used(disk);
        uint64_t left = disk->capacity_bytes > used ? disk->capacity_bytes - used : 0;
        allowed = end - size <= left ? end : size + left;
    }
    if (disk->growth_told != NULL) {
        const struct sim_growth growth = {site, f->base.path, end - size, allowed < end};
        disk->growth_told(disk->growth_arg, &growth);
    }
    return allowed;
}

static bool is_in_range(uint64_t offset, uint64_t size)
{
    return offset <= INT64_MAX && size <= INT64_MAX - offset;
}

static void sim_file_close(struct os_file *file)
{
    struct sim_file *f = sim_of(file);
    sim_enter(f->disk);
    f->disk->handle_count--;
    f->node->handle_count--;
    sim_node_unref(f->disk, f->node);
    sim_leave(f->disk);
    mem_free(f->base.path);
    mem_free(f);
}

static enum yore_status sim_file_read(struct os_file *file, uint64_t offset, void *data,
                                      size_t size, size_t *read_out, struct yore_error *error_out)
{
    struct sim_file *f = sim_of(file);
    sim_enter(f->disk);
    enum yore_status st = file_check(f, "read", error_out);
    if (st == YORE_OK && sim_fault_hits(f->disk, SIM_FAULT_READ)) {
        st = error_set(error_out, YORE_IO, "read %s: simulated fault (offset %llu)", f->base.path,
                       (unsigned long long)offset);
    }
    if (st == YORE_OK) {
        uint64_t file_size = sim_image_size(f->node->live);
        uint64_t left = offset < file_size ? file_size - offset : 0;
        *read_out = size < left ? size : (size_t)left;
        sim_image_read(f->node->live, offset, data, *read_out);
    }
    sim_leave(f->disk);
    return st;
}

static enum yore_status file_write(struct sim_file *f, uint64_t offset, struct yore_bytes data,
                                   const char *site, struct yore_error *error_out)
{
    enum yore_status st = file_check_write(f, "write", error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (!is_in_range(offset, data.size)) {
        return no_space(f, "write", offset, error_out);
    }
    enum sim_turn turn = sim_turn(f->disk, SIM_FAULT_WRITE);
    uint64_t size = turn == SIM_TURN_FAULT ? data.size / 2 : data.size;
    uint64_t end = end_allowed(f, offset + size, site);
    uint64_t fitting = end > offset ? end - offset : 0;
    if (fitting > 0) {
        struct sim_write write = {.kind = SIM_WRITE_DATA, .offset = offset, .size = fitting};
        write.data = sim_blob_new(data.data, (size_t)fitting);
        node_write(f->node, &write);
    }
    if (turn == SIM_TURN_WHOLE && fitting < size) {
        return no_space(f, "write", offset + fitting, error_out);
    }
    return sim_turn_end(turn, "write", f->base.path, error_out);
}

static enum yore_status sim_file_write(struct os_file *file, uint64_t offset, const void *data,
                                       size_t size, const char *site, struct yore_error *error_out)
{
    struct sim_file *f = sim_of(file);
    sim_enter(f->disk);
    enum yore_status st = file_write(f, offset, bytes_of(data, size), site, error_out);
    sim_leave(f->disk);
    return st;
}

static enum yore_status sim_file_sync(struct os_file *file, const char *site,
                                      struct yore_error *error_out)
{
    struct sim_file *f = sim_of(file);
    sim_enter(f->disk);
    enum yore_status st = file_check(f, "sync", error_out);
    if (st == YORE_OK) {
        bool is_ignored = sim_site_is_ignored(f->disk, site);
        enum sim_turn turn = sim_turn(f->disk, SIM_FAULT_SYNC);
        if (turn == SIM_TURN_FAULT) {
            sim_writes_clear(f->node);
        } else if (turn == SIM_TURN_WHOLE && !is_ignored) {
            sim_node_sync(f->node);
        }
        st = sim_turn_end(turn, "sync", f->base.path, error_out);
    }
    sim_leave(f->disk);
    return st;
}

static enum yore_status file_truncate(struct sim_file *f, uint64_t size,
                                      struct yore_error *error_out)
{
    enum yore_status st = file_check_write(f, "truncate", error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (!is_in_range(0, size) || end_allowed(f, size, OS_SITE) < size) {
        return no_space(f, "truncate", size, error_out);
    }
    enum sim_turn turn = sim_turn(f->disk, SIM_FAULT_OTHER);
    if (turn != SIM_TURN_FAULT) {
        struct sim_write write = {.kind = SIM_WRITE_RESIZE, .size = size};
        node_write(f->node, &write);
    }
    return sim_turn_end(turn, "truncate", f->base.path, error_out);
}

static enum yore_status sim_file_truncate(struct os_file *file, uint64_t size,
                                          struct yore_error *error_out)
{
    struct sim_file *f = sim_of(file);
    sim_enter(f->disk);
    enum yore_status st = file_truncate(f, size, error_out);
    sim_leave(f->disk);
    return st;
}

static enum yore_status file_punch(struct sim_file *f, uint64_t offset, uint64_t size,
                                   struct yore_error *error_out)
{
    uint64_t file_size = sim_image_size(f->node->live);
    if (size == 0 || offset >= file_size) {
        return file_check(f, "punch", error_out);
    }
    enum yore_status st = file_check_write(f, "punch", error_out);
    if (st != YORE_OK) {
        return st;
    }
    enum sim_turn turn = sim_turn(f->disk, SIM_FAULT_OTHER);
    if (turn != SIM_TURN_FAULT) {
        uint64_t held = file_size - offset;
        struct sim_write write = {
            .kind = SIM_WRITE_ZEROS, .offset = offset, .size = size < held ? size : held};
        node_write(f->node, &write);
    }
    return sim_turn_end(turn, "punch", f->base.path, error_out);
}

static enum yore_status sim_file_punch(struct os_file *file, uint64_t offset, uint64_t size,
                                       struct yore_error *error_out)
{
    struct sim_file *f = sim_of(file);
    sim_enter(f->disk);
    enum yore_status st = file_punch(f, offset, size, error_out);
    sim_leave(f->disk);
    return st;
}

static enum yore_status sim_file_size(struct os_file *file, uint64_t *size_out,
                                      struct yore_error *error_out)
{
    struct sim_file *f = sim_of(file);
    sim_enter(f->disk);
    enum yore_status st = file_check(f, "stat", error_out);
    if (st == YORE_OK) {
        *size_out = sim_image_size(f->node->live);
    }
    sim_leave(f->disk);
    return st;
}

static void sim_file_advise(struct os_file *file, uint64_t offset, uint64_t size)
{
    (void)file;
    (void)offset;
    (void)size;
}

static const struct os_file_ops sim_file_ops = {
    .close = sim_file_close,
    .read = sim_file_read,
    .write = sim_file_write,
    .sync = sim_file_sync,
    .truncate = sim_file_truncate,
    .punch = sim_file_punch,
    .size = sim_file_size,
    .will_need = sim_file_advise,
};

/* ---- opening --------------------------------------------------------------------------------- */

/* Find or create what `path` names, as `mode` asks. */
static enum yore_status file_find(struct sim_disk *disk, const char *path, enum os_open_mode mode,
                                  struct sim_node **node_out, struct yore_error *error_out)
{
    const char *what = mode == OS_OPEN_CREATE ? "create" : "open";
    struct sim_spot spot;
    enum yore_status st = sim_check_power(disk, what, path, error_out);
    if (st == YORE_OK) {
        st = sim_check_handles(disk, what, path, error_out);
    }
    if (st == YORE_OK) {
        st = sim_find(disk, path, what, &spot, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    if (mode == OS_OPEN_CREATE) {
        if (spot.node != NULL) {
            return error_set(error_out, YORE_EXISTS, "create %s: already there", path);
        }
        enum sim_turn turn = sim_turn(disk, SIM_FAULT_OTHER);
        if (turn != SIM_TURN_FAULT) {
            spot.node = sim_node_new(disk, false);
            sim_tree_add(disk, &spot, spot.node);
        }
        *node_out = spot.node;
        return sim_turn_end(turn, what, path, error_out);
    }
    if (spot.node == NULL) {
        return error_set(error_out, YORE_NOT_FOUND, "open %s: no such file", path);
    }
    if (spot.node->is_dir) {
        return error_set(error_out, YORE_IO, "open %s: is a directory", path);
    }
    *node_out = spot.node;
    return YORE_OK;
}

enum yore_status sim_file_open(struct os_env *env, const char *path, enum os_open_mode mode,
                               struct os_file **file_out, struct yore_error *error_out)
{
    struct sim_disk *disk = sim_disk_of(env);
    struct sim_file *f = mem_zalloc(sizeof(*f));
    char *copy = mem_copy(path, strlen(path) + 1);
    enum yore_status st = YORE_NOMEM;
    if (f == NULL || copy == NULL) {
        error_plain(error_out, st);
        goto out;
    }
    sim_enter(disk);
    st = file_find(disk, path, mode, &f->node, error_out);
    if (st == YORE_OK) {
        f->epoch = disk->epoch;
        f->node->refs++;
        f->node->handle_count++;
        sim_note_handle(disk);
    }
    sim_leave(disk);
    if (st != YORE_OK) {
        goto out;
    }
    f->base.ops = &sim_file_ops;
    f->base.path = copy;
    f->disk = disk;
    f->is_writable = mode != OS_OPEN_READ;
    *file_out = &f->base;
    return YORE_OK;
out:
    mem_free(copy);
    mem_free(f);
    return st;
}
