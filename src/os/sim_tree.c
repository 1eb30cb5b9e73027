#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/sim_internal.h"

/* ---- nodes ----------------------------------------------------------------------------------- */

struct sim_node *sim_node_new(struct sim_disk *disk, bool is_dir)
{
    struct sim_node *node = mem_certain(sizeof(*node));
    node->is_dir = is_dir;
    node->slot = disk->node_count;
    disk->nodes =
        sim_grow(disk->nodes, disk->node_count, &disk->node_capacity, sizeof(struct sim_node *));
    disk->nodes[disk->node_count++] = node;
    return node;
}

static void entries_destroy(struct sim_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        sim_blob_unref(entries->items[i].name);
    }
    mem_free(entries->items);
}

void sim_node_destroy(struct sim_node *node)
{
    sim_writes_clear(node);
    mem_free(node->writes);
    sim_image_unref(node->durable);
    sim_image_unref(node->live);
    entries_destroy(&node->durable_entries);
    entries_destroy(&node->live_entries);
    mem_free(node);
}

/* Drop the entries' references and chain the nodes that lost their last one in front of `dead`. */
static struct sim_node *entries_drop(struct sim_entries *entries, struct sim_node *dead)
{
    for (size_t i = 0; i < entries->count; i++) {
        struct sim_node *node = entries->items[i].node;
        sim_blob_unref(entries->items[i].name);
        if (--node->refs == 0) {
            node->next_dead = dead;
            dead = node;
        }
    }
    entries->count = 0;
    return dead;
}

void sim_node_unref(struct sim_disk *disk, struct sim_node *node)
{
    YORE_ASSERT(node->refs > 0);
    if (--node->refs > 0) {
        return;
    }
    /* A directory takes its children along: a list, not a recursion, as the program decides how
     * deep. */
    node->next_dead = NULL;
    for (struct sim_node *dead = node; dead != NULL;) {
        struct sim_node *gone = dead;
        dead = gone->next_dead;
        dead = entries_drop(&gone->durable_entries, dead);
        dead = entries_drop(&gone->live_entries, dead);
        disk->nodes[gone->slot] = disk->nodes[--disk->node_count];
        disk->nodes[gone->slot]->slot = gone->slot;
        sim_node_destroy(gone);
    }
}

/* ---- entries --------------------------------------------------------------------------------- */

static struct sim_entry *entries_seek(const struct sim_entries *entries, struct yore_bytes name)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (bytes_equal(sim_blob_bytes(entries->items[i].name), name)) {
            return &entries->items[i];
        }
    }
    return NULL;
}

struct sim_node *sim_entries_find(const struct sim_entries *entries, struct yore_bytes name)
{
    const struct sim_entry *entry = entries_seek(entries, name);
    return entry != NULL ? entry->node : NULL;
}

void sim_entries_set(struct sim_disk *disk, struct sim_entries *entries, struct sim_blob *name,
                     struct sim_node *node)
{
    node->refs++;
    struct sim_entry *entry = entries_seek(entries, sim_blob_bytes(name));
    if (entry != NULL) {
        struct sim_node *before = entry->node;
        entry->node = node;
        sim_node_unref(disk, before);
        return;
    }
    entries->items =
        sim_grow(entries->items, entries->count, &entries->capacity, sizeof(struct sim_entry));
    entries->items[entries->count++] = (struct sim_entry){sim_blob_ref(name), node};
}

void sim_entries_remove(struct sim_disk *disk, struct sim_entries *entries, struct yore_bytes name)
{
    struct sim_entry *entry = entries_seek(entries, name);
    if (entry == NULL) {
        return;
    }
    struct sim_entry gone = *entry;
    *entry = entries->items[--entries->count];
    sim_blob_unref(gone.name);
    sim_node_unref(disk, gone.node);
}

void sim_entries_copy(struct sim_disk *disk, struct sim_entries *to, const struct sim_entries *from)
{
    struct sim_entries before = *to;
    *to = (struct sim_entries){0};
    for (size_t i = 0; i < from->count; i++) {
        to->items = sim_grow(to->items, to->count, &to->capacity, sizeof(struct sim_entry));
        to->items[to->count++] =
            (struct sim_entry){sim_blob_ref(from->items[i].name), from->items[i].node};
        from->items[i].node->refs++;
    }
    for (size_t i = 0; i < before.count; i++) {
        sim_blob_unref(before.items[i].name);
        sim_node_unref(disk, before.items[i].node);
    }
    mem_free(before.items);
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* The next component at `*at`, or an empty one at the end; "." and doubled slashes are passed over.
 */
static struct yore_bytes next_component(const char **at)
{
    for (;;) {
        *at += strspn(*at, "/");
        size_t size = strcspn(*at, "/");
        struct yore_bytes name = bytes_of(*at, size);
        *at += size;
        if (!bytes_equal(name, bytes_of(".", 1))) {
            return name;
        }
    }
}

enum yore_status sim_find(const struct sim_disk *disk, const char *path, const char *what,
                          struct sim_spot *spot_out, struct yore_error *error_out)
{
    *spot_out = (struct sim_spot){.node = disk->root};
    const char *at = path;
    for (;;) {
        struct yore_bytes name = next_component(&at);
        if (name.size == 0) {
            return YORE_OK;
        }
        if (spot_out->node == NULL) {
            return error_set(error_out, YORE_NOT_FOUND, "%s %s: no such directory", what, path);
        }
        if (!spot_out->node->is_dir) {
            return error_set(error_out, YORE_IO, "%s %s: not a directory", what, path);
        }
        spot_out->parent = spot_out->node;
        spot_out->name = name;
        spot_out->node = sim_entries_find(&spot_out->parent->live_entries, name);
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Keep `move` as unsynced; takes the references to names, adds those to nodes. */
static void moves_push(struct sim_disk *disk, const struct sim_move *move)
{
    struct sim_node *nodes[] = {move->dir, move->node, move->from_dir};
    for (size_t i = 0; i < 3; i++) {
        if (nodes[i] != NULL) {
            nodes[i]->refs++;
        }
    }
    disk->moves =
        sim_grow(disk->moves, disk->move_count, &disk->move_capacity, sizeof(struct sim_move));
    disk->moves[disk->move_count++] = *move;
}

void sim_move_release(struct sim_disk *disk, struct sim_move *move)
{
    struct sim_node *nodes[] = {move->dir, move->node, move->from_dir};
    sim_blob_unref(move->name);
    sim_blob_unref(move->from_name);
    for (size_t i = 0; i < 3; i++) {
        if (nodes[i] != NULL) {
            sim_node_unref(disk, nodes[i]);
        }
    }
}

void sim_tree_add(struct sim_disk *disk, const struct sim_spot *spot, struct sim_node *node)
{
    struct sim_move move = {.kind = SIM_MOVE_ADD, .dir = spot->parent, .node = node};
    move.name = sim_blob_new(spot->name.data, spot->name.size);
    sim_entries_set(disk, &spot->parent->live_entries, move.name, node);
    node->link_count++;
    moves_push(disk, &move);
}

void sim_tree_remove(struct sim_disk *disk, const struct sim_spot *spot)
{
    struct sim_move move = {.kind = SIM_MOVE_REMOVE, .dir = spot->parent};
    move.name = sim_blob_new(spot->name.data, spot->name.size);
    moves_push(disk, &move);
    spot->node->link_count--;
    sim_entries_remove(disk, &spot->parent->live_entries, spot->name);
}

void sim_tree_rename(struct sim_disk *disk, const struct sim_spot *from, const struct sim_spot *to)
{
    struct sim_move move = {
        .kind = SIM_MOVE_RENAME, .dir = to->parent, .node = from->node, .from_dir = from->parent};
    move.name = sim_blob_new(to->name.data, to->name.size);
    move.from_name = sim_blob_new(from->name.data, from->name.size);
    moves_push(disk, &move);
    if (to->node != NULL) {
        to->node->link_count--;
    }
    sim_entries_set(disk, &to->parent->live_entries, move.name, from->node);
    sim_entries_remove(disk, &from->parent->live_entries, from->name);
}

void sim_move_apply(struct sim_disk *disk, const struct sim_move *move)
{
    if (move->kind == SIM_MOVE_REMOVE) {
        sim_entries_remove(disk, &move->dir->durable_entries, sim_blob_bytes(move->name));
        return;
    }
    sim_entries_set(disk, &move->dir->durable_entries, move->name, move->node);
    if (move->kind == SIM_MOVE_RENAME) {
        /* Only if the name still stands for what was moved: a crash may have kept a later entry of
         * it. */
        struct sim_entries *source = &move->from_dir->durable_entries;
        struct yore_bytes name = sim_blob_bytes(move->from_name);
        if (sim_entries_find(source, name) == move->node) {
            sim_entries_remove(disk, source, name);
        }
    }
}

void sim_tree_sync(struct sim_disk *disk, const struct sim_node *dir)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->move_count; i++) {
        struct sim_move move = disk->moves[i];
        if (move.dir == dir || move.from_dir == dir) {
            sim_move_apply(disk, &move);
            sim_move_release(disk, &move);
        } else {
            disk->moves[kept++] = move;
        }
    }
    disk->move_count = kept;
}
