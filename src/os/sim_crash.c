/* What a power cut leaves behind.
 *
 * A disk keeps whole sectors of 512 octets.  The system hands it pages as they are in memory, so a
 * sector that arrived holds the outcome of *all* writes to it up to some moment: never a later
 * write without an earlier one of the same sector.  Between sectors nothing is promised.  So a
 * crash chooses, for each sector touched since the last sync, how far along the list of writes it
 * got; a write is torn where its sectors got differently far.  The last write of a sector may have
 * left garbage, in the octets it meant to write and no others.
 *
 * A shrinking is a change of metadata that frees blocks: writes after it went to new ones, so if it
 * is lost, they are lost too.  A growth may last although the octets do not: zeros at the end.
 */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "os/sim_internal.h"

#define SECTOR_BYTES 512

/* ---- directories ----------------------------------------------------------------------------- */

/* How one directory's unsynced changes fare: journaled file systems keep a prefix, others any
 * subset. */
struct dir_fate {
    const struct sim_node *dir;
    bool is_prefix;
    uint64_t left; /* of the prefix */
};

static uint64_t moves_of(const struct sim_disk *disk, const struct sim_node *dir)
{
    uint64_t count = 0;
    for (size_t i = 0; i < disk->move_count; i++) {
        count += disk->moves[i].dir == dir ? 1 : 0;
    }
    return count;
}

static struct dir_fate *fate_of_dir(const struct sim_disk *disk, struct dir_fate *fates,
                                    size_t *count, const struct sim_node *dir,
                                    struct rand_state *rand)
{
    for (size_t i = 0; i < *count; i++) {
        if (fates[i].dir == dir) {
            return &fates[i];
        }
    }
    struct dir_fate *fate = &fates[(*count)++];
    fate->dir = dir;
    fate->is_prefix = rand_below(rand, 3) > 0;
    fate->left = rand_below(rand, moves_of(disk, dir) + 1);
    return fate;
}

static void dirs_settle(struct sim_disk *disk, struct rand_state *rand)
{
    struct dir_fate *fates = mem_certain(disk->move_count * sizeof(*fates));
    size_t fate_count = 0;
    for (size_t i = 0; i < disk->move_count; i++) {
        struct dir_fate *fate = fate_of_dir(disk, fates, &fate_count, disk->moves[i].dir, rand);
        bool is_kept = fate->is_prefix ? fate->left > 0 : rand_below(rand, 2) == 0;
        fate->left -= fate->left > 0 ? 1 : 0;
        if (is_kept) {
            sim_move_apply(disk, &disk->moves[i]);
        }
    }
    mem_free(fates);
}

/* The unsynced changes are decided: forget them, and see what is durable. */
static void dirs_reload(struct sim_disk *disk)
{
    /* Everything alive stays so until the end: freeing moves nodes about in the list walked here.
     */
    size_t count = disk->node_count;
    struct sim_node **nodes = mem_certain(count * sizeof(struct sim_node *));
    for (size_t i = 0; i < count; i++) {
        nodes[i] = disk->nodes[i];
        nodes[i]->refs++;
    }
    for (size_t i = 0; i < disk->move_count; i++) {
        sim_move_release(disk, &disk->moves[i]);
    }
    disk->move_count = 0;
    for (size_t i = 0; i < count; i++) {
        sim_entries_copy(disk, &nodes[i]->live_entries, &nodes[i]->durable_entries);
        nodes[i]->link_count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        sim_node_unref(disk, nodes[i]);
    }
    mem_free(nodes);
    for (size_t i = 0; i < disk->node_count; i++) {
        const struct sim_entries *entries = &disk->nodes[i]->live_entries;
        for (size_t j = 0; j < entries->count; j++) {
            entries->items[j].node->link_count++;
        }
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Of one sector: how many of the file's unsynced writes it got through. */
struct sector_fate {
    uint64_t sector;
    size_t through; /* 0 also marks a free place of the table */
    bool is_garbage;
};

/* Open addressing; sectors that kept nothing are not in it. */
struct sector_table {
    struct sector_fate *places;
    size_t mask;
};

static struct sector_fate *sector_seek(const struct sector_table *table, uint64_t sector)
{
    size_t at = (size_t)hash_u64(sector) & table->mask;
    while (table->places[at].through > 0 && table->places[at].sector != sector) {
        at = (at + 1) & table->mask;
    }
    return &table->places[at];
}

static void sector_keep(const struct sector_table *table, uint64_t sector, size_t through,
                        bool is_garbage)
{
    struct sector_fate *fate = sector_seek(table, sector);
    *fate = (struct sector_fate){sector, through, is_garbage};
}

static uint64_t sector_first(const struct sim_write *write)
{
    return write->offset / SECTOR_BYTES;
}

static uint64_t sector_count(const struct sim_write *write)
{
    if (write->kind == SIM_WRITE_RESIZE || write->size == 0) {
        return 0;
    }
    return (write->offset + write->size - 1) / SECTOR_BYTES - sector_first(write) + 1;
}

static void table_init(struct sector_table *table, const struct sim_node *node, size_t count)
{
    uint64_t sectors = 0;
    for (size_t i = 0; i < count; i++) {
        sectors += sector_count(&node->writes[i]);
    }
    size_t size = 16;
    while (size < sectors * 2) {
        size *= 2;
    }
    table->places = mem_certain(size * sizeof(struct sector_fate));
    table->mask = size - 1;
}

enum tear_kind { TEAR_KEEP, TEAR_HEAD, TEAR_TAIL, TEAR_ANY, TEAR_KINDS };

/* Let part of write number `index` (from 0) reach the disk. */
static void write_tear(const struct sector_table *table, const struct sim_write *write,
                       size_t index, enum tear_kind kind, struct rand_state *rand)
{
    uint64_t count = sector_count(write);
    uint64_t first = sector_first(write);
    if (count == 0) {
        return;
    }
    uint64_t cut = rand_below(rand, count + 1);
    uint64_t from = kind == TEAR_TAIL ? cut : 0;
    uint64_t to = kind == TEAR_HEAD ? cut : count;
    for (uint64_t i = from; i < to; i++) {
        if (kind != TEAR_ANY || rand_below(rand, 2) == 0) {
            sector_keep(table, first + i, index + 1, false);
        }
    }
    if (kind != TEAR_KEEP && write->kind == SIM_WRITE_DATA && rand_below(rand, 4) == 0) {
        sector_keep(table, first + (cut < count ? cut : count - 1), index + 1, true);
    }
}

/* Apply the part of `write` in one sector: [at, at + size). */
static void piece_settle(struct sim_image **place, const struct sim_write *write, uint64_t at,
                         uint64_t size, struct rand_state *garbage)
{
    unsigned char octets[SECTOR_BYTES];
    if (write->kind == SIM_WRITE_ZEROS) {
        struct sim_write piece = *write;
        piece.offset = at;
        piece.size = size;
        sim_write_apply(place, &piece);
        return;
    }
    const unsigned char *from = sim_blob_bytes(write->data).data;
    memcpy(octets, from + (at - write->offset), (size_t)size);
    for (size_t i = 0; garbage != NULL && i < size; i++) {
        octets[i] = (unsigned char)rand_u64(garbage);
    }
    sim_image_write(place, at, octets, (size_t)size);
}

/* Apply write number `index`, where its sectors got so far. */
static void write_settle(struct sim_image **place, const struct sim_write *write, size_t index,
                         const struct sector_table *table, struct rand_state *rand)
{
    uint64_t end = write->offset + write->size;
    for (uint64_t at = write->offset; at < end;) {
        uint64_t sector_end = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
        uint64_t piece_end = sector_end < end ? sector_end : end;
        const struct sector_fate *fate = sector_seek(table, at / SECTOR_BYTES);
        if (fate->through > index) {
            bool is_garbage = fate->is_garbage && fate->through == index + 1;
            piece_settle(place, write, at, piece_end - at, is_garbage ? rand : NULL);
        }
        at = piece_end;
    }
}

/* How many of the unsynced writes can have left a trace: up to the first shrinking that is lost. */
static size_t writes_before_lost_shrink(const struct sim_node *node, struct rand_state *rand)
{
    uint64_t size = sim_image_size(node->durable);
    for (size_t i = 0; i < node->write_count; i++) {
        const struct sim_write *write = &node->writes[i];
        uint64_t end = write->kind == SIM_WRITE_RESIZE ? write->size : write->offset + write->size;
        if (write->kind == SIM_WRITE_RESIZE && end < size && rand_below(rand, 3) == 0) {
            return i;
        }
        bool is_set = write->kind == SIM_WRITE_RESIZE;
        bool is_grown = end > size && write->kind == SIM_WRITE_DATA;
        size = is_set || is_grown ? end : size;
    }
    return node->write_count;
}

/* Choose, by one of three plans, what of the first `count` writes reached which sector. */
static void sectors_choose(const struct sim_node *node, size_t count,
                           const struct sector_table *table, struct rand_state *rand)
{
    uint64_t plan = rand_below(rand, 3);
    size_t whole =
        (size_t)rand_below(rand, count); /* the prefix plan's: these, and part of the next */
    for (size_t i = 0; i < count; i++) {
        enum tear_kind kind = (enum tear_kind)rand_below(rand, TEAR_KINDS);
        if (plan == 0 && i <= whole) {
            write_tear(table, &node->writes[i], i, i < whole ? TEAR_KEEP : kind, rand);
        } else if (plan == 1 && rand_below(rand, 3) > 0) {
            write_tear(table, &node->writes[i], i, kind, rand);
        } else if (plan == 2) {
            write_tear(table, &node->writes[i], i, TEAR_ANY, rand);
        }
    }
}

static void file_settle(struct sim_node *node, struct rand_state *rand)
{
    size_t count = writes_before_lost_shrink(node, rand);
    uint64_t luck = rand_below(rand, 8);
    if (count == 0 || luck == 0) {
        return; /* nothing arrived */
    }
    if (luck == 1) {
        for (size_t i = 0; i < count; i++) {
            sim_write_apply(&node->durable, &node->writes[i]);
        }
        return;
    }
    struct sector_table table;
    table_init(&table, node, count);
    sectors_choose(node, count, &table, rand);
    for (size_t i = 0; i < count; i++) {
        const struct sim_write *write = &node->writes[i];
        bool is_resize = write->kind == SIM_WRITE_RESIZE;
        uint64_t size = sim_image_size(node->durable);
        if (!is_resize) {
            write_settle(&node->durable, write, i, &table, rand);
        }
        /* A shrinking was decided above; any growth may last without its octets. */
        uint64_t end = is_resize ? write->size : write->offset + write->size;
        bool may_grow = is_resize || write->kind == SIM_WRITE_DATA;
        if (is_resize && end < size) {
            sim_image_resize(&node->durable, end);
        } else if (may_grow && end > sim_image_size(node->durable) && rand_below(rand, 3) == 0) {
            sim_image_resize(&node->durable, end);
        }
    }
    mem_free(table.places);
}

/* ---- the crash ------------------------------------------------------------------------------- */

static void power_cycle(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->node_count; i++) {
        disk->nodes[i]->is_locked = false;
        disk->nodes[i]->share_count = 0;
    }
    disk->epoch++;
    disk->has_crashed = false;
    disk->crash_op = 0;
}

void sim_disk_crash(struct sim_disk *disk, enum sim_crash_mode mode, uint64_t seed)
{
    struct rand_state rand;
    rand_init(&rand, seed);
    sim_enter(disk);
    power_cycle(disk);
    if (mode == SIM_CRASH_KEEP_ALL) {
        /* A killed process leaves the page cache as it is: unsynced writes are seen, and still
         * unsynced. */
        sim_leave(disk);
        return;
    }
    if (mode == SIM_CRASH_RANDOM) {
        dirs_settle(disk, &rand);
    }
    dirs_reload(disk);
    for (size_t i = 0; i < disk->node_count; i++) {
        struct sim_node *node = disk->nodes[i];
        if (mode == SIM_CRASH_RANDOM && node->write_count > 0) {
            file_settle(node, &rand);
        }
        sim_writes_clear(node);
        sim_image_unref(node->live);
        node->live = sim_image_ref(node->durable);
    }
    sim_leave(disk);
}
