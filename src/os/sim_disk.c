#include "os/sim_disk.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/sim_internal.h"

#define WALL_START_NS INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */
#define MONOTONIC_START_NS INT64_C(1000000000)

/* ---- shared by the parts --------------------------------------------------------------------- */

/* The analysis cannot follow a lock taken here and given back there. */
YORE_TS(no_thread_safety_analysis) void sim_enter(const struct sim_disk *disk)
{
    os_mutex_lock(disk->mutex);
}

YORE_TS(no_thread_safety_analysis) void sim_leave(const struct sim_disk *disk)
{
    os_mutex_unlock(disk->mutex);
}

void *sim_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity) {
        return items;
    }
    size_t grown = *capacity > 0 ? *capacity * 2 : 8;
    void *moved = mem_certain(grown * item_size);
    if (count > 0) {
        memcpy(moved, items, count * item_size);
    }
    mem_free(items);
    *capacity = grown;
    return moved;
}

enum yore_status sim_check_power(const struct sim_disk *disk, const char *what, const char *path,
                                 struct yore_error *error_out)
{
    if (disk->has_crashed) {
        return error_set(error_out, YORE_IO, "%s %s: simulated power cut", what, path);
    }
    return YORE_OK;
}

bool sim_fault_hits(struct sim_disk *disk, enum sim_fault_kind kind)
{
    uint64_t number = ++disk->fault_seen[kind];
    uint64_t nth = disk->fault_nth[kind];
    return nth > 0 && (number == nth || (number > nth && disk->fault_is_sticky[kind]));
}

enum sim_turn sim_turn(struct sim_disk *disk, enum sim_fault_kind kind)
{
    disk->op_count++;
    bool is_fault = sim_fault_hits(disk, kind);
    if (disk->crash_op > 0 && disk->op_count >= disk->crash_op) {
        disk->has_crashed = true;
        return SIM_TURN_CUT;
    }
    return is_fault ? SIM_TURN_FAULT : SIM_TURN_WHOLE;
}

enum yore_status sim_turn_end(enum sim_turn turn, const char *what, const char *path,
                              struct yore_error *error_out)
{
    switch (turn) {
    case SIM_TURN_CUT:
        return error_set(error_out, YORE_IO, "%s %s: simulated power cut", what, path);
    case SIM_TURN_FAULT:
        return error_set(error_out, YORE_IO, "%s %s: simulated fault", what, path);
    case SIM_TURN_WHOLE:
        break;
    }
    return YORE_OK;
}

bool sim_site_is_ignored(struct sim_disk *disk, const char *site)
{
    struct yore_bytes tag = bytes_of(site, strlen(site));
    struct sim_site *found = NULL;
    for (size_t i = 0; i < disk->site_count && found == NULL; i++) {
        if (bytes_equal(sim_blob_bytes(disk->sites[i].tag), tag)) {
            found = &disk->sites[i];
        }
    }
    if (found == NULL) {
        disk->sites = sim_grow(disk->sites, disk->site_count, &disk->site_capacity, sizeof(*found));
        found = &disk->sites[disk->site_count++];
        *found = (struct sim_site){sim_blob_new(tag.data, tag.size), 0, disk->op_count + 1};
    }
    found->count++;
    return disk->ignored_site != NULL && bytes_equal(sim_blob_bytes(disk->ignored_site), tag);
}

uint64_t sim_used(const struct sim_disk *disk)
{
    /* What only unsynced removals still refer to has been given back already. */
    uint64_t sum = 0;
    for (size_t i = 0; i < disk->node_count; i++) {
        const struct sim_node *node = disk->nodes[i];
        if (node->link_count + node->handle_count > 0) {
            sum += sim_image_size(node->live);
        }
    }
    return sum;
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct sim_disk *disk_new_empty(uint64_t seed)
{
    struct sim_disk *disk = mem_certain(sizeof(*disk));
    disk->env.ops = &sim_env_ops;
    disk->mutex = mem_certain(sizeof(*disk->mutex));
    os_mutex_init(disk->mutex);
    rand_init(&disk->rand, seed);
    rand_init(&disk->own_rand, ~seed);
    disk->capacity_bytes = UINT64_MAX;
    disk->wall_ns = WALL_START_NS;
    disk->monotonic_ns = MONOTONIC_START_NS;
    return disk;
}

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *disk = disk_new_empty(seed);
    disk->root = sim_node_new(disk, true);
    disk->root->refs = 1;
    return disk;
}

void sim_disk_free(struct sim_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    YORE_ASSERT(disk->handle_count == 0); /* a file or lock of this disk was never closed */
    for (size_t i = 0; i < disk->move_count; i++) {
        sim_blob_unref(disk->moves[i].name);
        sim_blob_unref(disk->moves[i].from_name);
    }
    for (size_t i = 0; i < disk->node_count; i++) {
        sim_node_destroy(disk->nodes[i]);
    }
    for (size_t i = 0; i < disk->site_count; i++) {
        sim_blob_unref(disk->sites[i].tag);
    }
    sim_blob_unref(disk->ignored_site);
    mem_free(disk->moves);
    mem_free(disk->nodes);
    mem_free(disk->sites);
    os_mutex_release(disk->mutex);
    mem_free(disk->mutex);
    mem_free(disk);
}

struct os_env *sim_disk_env(struct sim_disk *disk)
{
    return &disk->env;
}

/* ---- cloning --------------------------------------------------------------------------------- */

static void entries_clone(struct sim_disk *to, struct sim_entries *entries,
                          const struct sim_entries *from)
{
    if (from->count == 0) {
        return;
    }
    entries->items = mem_certain(from->count * sizeof(struct sim_entry));
    entries->count = from->count;
    entries->capacity = from->count;
    for (size_t i = 0; i < from->count; i++) {
        struct sim_node *node = to->nodes[from->items[i].node->slot];
        entries->items[i] = (struct sim_entry){sim_blob_ref(from->items[i].name), node};
        node->refs++;
    }
}

static void node_clone(struct sim_disk *to, struct sim_node *node, const struct sim_node *from)
{
    node->durable = sim_image_ref(from->durable);
    node->live = sim_image_ref(from->live);
    node->link_count = from->link_count;
    if (from->write_count > 0) {
        node->writes = mem_certain(from->write_count * sizeof(struct sim_write));
        memcpy(node->writes, from->writes, from->write_count * sizeof(struct sim_write));
        node->write_count = from->write_count;
        node->write_capacity = from->write_count;
        for (size_t i = 0; i < node->write_count; i++) {
            sim_blob_ref(node->writes[i].data);
        }
    }
    entries_clone(to, &node->durable_entries, &from->durable_entries);
    entries_clone(to, &node->live_entries, &from->live_entries);
}

static struct sim_node *node_counterpart(struct sim_disk *to, const struct sim_node *node)
{
    if (node == NULL) {
        return NULL;
    }
    to->nodes[node->slot]->refs++;
    return to->nodes[node->slot];
}

static void moves_clone(struct sim_disk *to, const struct sim_disk *from)
{
    if (from->move_count == 0) {
        return;
    }
    to->moves = mem_certain(from->move_count * sizeof(struct sim_move));
    to->move_count = from->move_count;
    to->move_capacity = from->move_count;
    for (size_t i = 0; i < from->move_count; i++) {
        const struct sim_move *move = &from->moves[i];
        to->moves[i] = (struct sim_move){.kind = move->kind,
                                         .dir = node_counterpart(to, move->dir),
                                         .name = sim_blob_ref(move->name),
                                         .node = node_counterpart(to, move->node),
                                         .from_dir = node_counterpart(to, move->from_dir),
                                         .from_name = sim_blob_ref(move->from_name)};
    }
}

/* Files that only handles kept alive have no handle here. */
static void orphans_free(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->node_count;) {
        struct sim_node *node = disk->nodes[i];
        if (node->refs == 0) {
            node->refs = 1;
            sim_node_unref(disk, node);
            i = 0; /* the list has changed */
        } else {
            i++;
        }
    }
}

static void settings_clone(struct sim_disk *to, const struct sim_disk *from)
{
    to->op_count = from->op_count;
    to->has_crashed = from->has_crashed;
    memcpy(to->fault_seen, from->fault_seen, sizeof(to->fault_seen));
    to->capacity_bytes = from->capacity_bytes;
    to->ignored_site = sim_blob_ref(from->ignored_site);
    to->wall_ns = from->wall_ns;
    to->monotonic_ns = from->monotonic_ns;
    if (from->site_count > 0) {
        to->sites = mem_certain(from->site_count * sizeof(struct sim_site));
        to->site_count = from->site_count;
        to->site_capacity = from->site_count;
        for (size_t i = 0; i < from->site_count; i++) {
            const struct sim_site *site = &from->sites[i];
            to->sites[i] = (struct sim_site){sim_blob_ref(site->tag), site->count, site->first_op};
        }
    }
}

struct sim_disk *sim_disk_clone(const struct sim_disk *disk, uint64_t seed)
{
    struct sim_disk *to = disk_new_empty(seed);
    sim_enter(disk);
    for (size_t i = 0; i < disk->node_count; i++) {
        sim_node_new(to, disk->nodes[i]->is_dir); /* in the same slots */
    }
    for (size_t i = 0; i < disk->node_count; i++) {
        node_clone(to, to->nodes[i], disk->nodes[i]);
    }
    to->root = node_counterpart(to, disk->root);
    moves_clone(to, disk);
    settings_clone(to, disk);
    sim_leave(disk);
    orphans_free(to);
    return to;
}

/* ---- steering -------------------------------------------------------------------------------- */

uint64_t sim_disk_op_count(const struct sim_disk *disk)
{
    sim_enter(disk);
    uint64_t count = disk->op_count;
    sim_leave(disk);
    return count;
}

void sim_disk_reset_count(struct sim_disk *disk)
{
    sim_enter(disk);
    disk->op_count = 0;
    sim_leave(disk);
}

void sim_disk_crash_at(struct sim_disk *disk, uint64_t op)
{
    sim_enter(disk);
    disk->crash_op = op;
    sim_leave(disk);
}

bool sim_disk_has_crashed(const struct sim_disk *disk)
{
    sim_enter(disk);
    bool has_crashed = disk->has_crashed;
    sim_leave(disk);
    return has_crashed;
}

void sim_disk_fail(struct sim_disk *disk, enum sim_fault_kind kind, uint64_t nth, bool is_sticky)
{
    sim_enter(disk);
    disk->fault_nth[kind] = nth > 0 ? disk->fault_seen[kind] + nth : 0;
    disk->fault_is_sticky[kind] = is_sticky;
    sim_leave(disk);
}

uint64_t sim_disk_fault_count(const struct sim_disk *disk, enum sim_fault_kind kind)
{
    sim_enter(disk);
    uint64_t count = disk->fault_seen[kind];
    sim_leave(disk);
    return count;
}

void sim_disk_set_capacity(struct sim_disk *disk, uint64_t bytes)
{
    sim_enter(disk);
    disk->capacity_bytes = bytes;
    disk->is_filling = false;
    sim_leave(disk);
}

void sim_disk_fill_after(struct sim_disk *disk, uint64_t octets)
{
    sim_enter(disk);
    disk->is_filling = true;
    disk->fill_left = octets;
    sim_leave(disk);
}

void sim_disk_tell_growth(struct sim_disk *disk,
                          void (*each)(void *arg, const struct sim_growth *growth), void *arg)
{
    sim_enter(disk);
    disk->growth_told = each;
    disk->growth_arg = arg;
    sim_leave(disk);
}

void sim_disk_set_handles(struct sim_disk *disk, uint64_t count)
{
    sim_enter(disk);
    disk->handle_max = count;
    sim_leave(disk);
}

uint64_t sim_disk_handles_peak(struct sim_disk *disk)
{
    sim_enter(disk);
    uint64_t peak = disk->handle_peak;
    disk->handle_peak = disk->handle_count;
    sim_leave(disk);
    return peak;
}

enum yore_status sim_check_handles(const struct sim_disk *disk, const char *what, const char *path,
                                   struct yore_error *error_out)
{
    return disk->handle_max == 0 || disk->handle_count < disk->handle_max
               ? YORE_OK
               : error_set(error_out, YORE_NO_FILES, "%s %s: too many open files", what, path);
}

void sim_note_handle(struct sim_disk *disk)
{
    disk->handle_count++;
    disk->handle_peak =
        disk->handle_count > disk->handle_peak ? disk->handle_count : disk->handle_peak;
}

uint64_t sim_disk_used(const struct sim_disk *disk)
{
    sim_enter(disk);
    uint64_t used = sim_used(disk);
    sim_leave(disk);
    return used;
}

void sim_disk_ignore_site(struct sim_disk *disk, const char *site)
{
    struct sim_blob *tag = site != NULL ? sim_blob_new(site, strlen(site)) : NULL;
    sim_enter(disk);
    sim_blob_unref(disk->ignored_site);
    disk->ignored_site = tag;
    sim_leave(disk);
}

void sim_disk_sites(struct sim_disk *disk,
                    void (*each)(void *arg, const char *site, uint64_t count, uint64_t first_op),
                    void *arg)
{
    /* Sites are only ever added: the place of one is good once its number is below the count. */
    for (size_t i = 0;; i++) {
        sim_enter(disk);
        bool is_there = i < disk->site_count;
        struct sim_blob *tag = is_there ? sim_blob_ref(disk->sites[i].tag) : NULL;
        uint64_t count = is_there ? disk->sites[i].count : 0;
        uint64_t first_op = is_there ? disk->sites[i].first_op : 0;
        sim_leave(disk);
        if (!is_there) {
            return;
        }
        each(arg, sim_blob_bytes(tag).data, count, first_op);
        sim_blob_unref(tag);
    }
}

void sim_disk_set_wall(struct sim_disk *disk, int64_t wall_ns)
{
    sim_enter(disk);
    disk->wall_ns = wall_ns;
    sim_leave(disk);
}

void sim_disk_advance(struct sim_disk *disk, int64_t delta_ns)
{
    sim_enter(disk);
    disk->wall_ns += delta_ns;
    disk->monotonic_ns += delta_ns;
    sim_leave(disk);
}

/* ---- surgery --------------------------------------------------------------------------------- */

static struct sim_node *surgery_find(const struct sim_disk *disk, const char *path,
                                     struct sim_spot *spot_out)
{
    if (sim_find(disk, path, "surgery on", spot_out, NULL) != YORE_OK) {
        return NULL;
    }
    return spot_out->node;
}

/* Both images become `live`, as it stands: surgery is done on a file at rest. */
static void settle(struct sim_node *node)
{
    sim_writes_clear(node);
    sim_image_unref(node->durable);
    node->durable = sim_image_ref(node->live);
}

bool sim_disk_flip_bit(struct sim_disk *disk, const char *path, uint64_t offset, unsigned bit)
{
    struct sim_spot spot;
    sim_enter(disk);
    struct sim_node *node = surgery_find(disk, path, &spot);
    bool is_done = node != NULL && !node->is_dir && offset < sim_image_size(node->live);
    if (is_done) {
        unsigned char octet;
        sim_image_read(node->live, offset, &octet, 1);
        octet = (unsigned char)(octet ^ (1u << (bit & 7)));
        sim_image_write(&node->live, offset, &octet, 1);
        settle(node);
    }
    sim_leave(disk);
    return is_done;
}

bool sim_disk_copy_file(struct sim_disk *disk, const char *from, const char *to)
{
    struct sim_spot source;
    struct sim_spot target;
    sim_enter(disk);
    struct sim_node *node = surgery_find(disk, from, &source);
    bool is_done = node != NULL && !node->is_dir;
    is_done = is_done && sim_find(disk, to, "surgery on", &target, NULL) == YORE_OK;
    is_done = is_done && (target.node == NULL || !target.node->is_dir);
    if (is_done && target.node != node) {
        if (target.node == NULL) {
            target.node = sim_node_new(disk, false);
            sim_tree_add(disk, &target, target.node);
            sim_tree_sync(disk, target.parent);
        }
        sim_image_unref(target.node->live);
        target.node->live = sim_image_ref(node->live);
        settle(target.node);
    }
    sim_leave(disk);
    return is_done;
}

bool sim_disk_truncate_file(struct sim_disk *disk, const char *path, uint64_t size)
{
    struct sim_spot spot;
    sim_enter(disk);
    struct sim_node *node = surgery_find(disk, path, &spot);
    bool is_done = node != NULL && !node->is_dir;
    if (is_done) {
        sim_image_resize(&node->live, size);
        settle(node);
    }
    sim_leave(disk);
    return is_done;
}
