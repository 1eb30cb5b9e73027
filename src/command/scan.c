/* scan.c -- positions of SCAN, by number, in a list for each client. */
#include "command/scan.h"

#include <string.h>

#include "base/mem.h"
#include "command/limits.h"

struct scan_position {
    struct scan_position *newer; /* of the same owner */
    uint64_t number;
    size_t size; /* of the key, which is in the same block */
};

static unsigned char *key_of(struct scan_position *position)
{
    return (unsigned char *)(position + 1);
}

static struct yore_bytes name_of(const struct scan_position *position)
{
    return bytes_of(&position->number, sizeof position->number);
}

/* With what the map takes for it. */
static size_t cost_of(const struct scan_position *position)
{
    return sizeof *position + 2 * sizeof(struct name_slot) + position->size;
}

void scan_table_init(struct scan_table *table)
{
    os_mutex_init(&table->lock);
    table->next = 1;
}

static void enter(struct scan_table *table, struct scan_owner *owner)
{
    owner->prev = NULL;
    owner->next = table->owners;
    if (owner->next != NULL) {
        owner->next->prev = owner;
    }
    table->owners = owner;
}

static void take_out(struct scan_table *table, struct scan_owner *owner)
{
    if (owner->prev != NULL) {
        owner->prev->next = owner->next;
    } else {
        table->owners = owner->next;
    }
    if (owner->next != NULL) {
        owner->next->prev = owner->prev;
    }
}

static void drop_oldest(struct scan_table *table, struct scan_owner *owner)
{
    struct scan_position *position = owner->oldest;
    owner->oldest = position->newer;
    owner->newest = owner->oldest != NULL ? owner->newest : NULL;
    owner->bytes -= cost_of(position);
    table->bytes -= cost_of(position);
    name_map_remove(&table->positions, name_of(position));
    mem_free(position);
    if (owner->oldest == NULL && owner != &table->gone) {
        take_out(table, owner);
    }
}

static struct scan_owner *heaviest(const struct scan_table *table)
{
    struct scan_owner *most = table->owners;
    for (struct scan_owner *at = most->next; at != NULL; at = at->next) {
        most = at->bytes > most->bytes ? at : most;
    }
    return most;
}

/* Whoever is found to hold most loses up to half of it, for others come and look for it again. */
static void make_room(struct scan_table *table, size_t bytes)
{
    while (table->bytes + bytes > SCAN_POSITIONS_BYTES_MAX && table->gone.oldest != NULL) {
        drop_oldest(table, &table->gone);
    }
    while (table->bytes + bytes > SCAN_POSITIONS_BYTES_MAX && table->owners != NULL) {
        struct scan_owner *most = heaviest(table);
        size_t half = most->bytes / 2;
        size_t least = half > SCAN_POSITIONS_BYTES_MAX / 64
                           ? most->bytes - SCAN_POSITIONS_BYTES_MAX / 64
                           : half;
        do {
            drop_oldest(table, most);
        } while (most->bytes > least);
    }
}

uint64_t scan_table_keep(struct scan_table *table, struct scan_owner *owner, struct yore_bytes key)
{
    struct scan_position *position = mem_alloc(sizeof *position + key.size);
    if (position == NULL) {
        return 0;
    }
    *position = (struct scan_position){.size = key.size};
    memcpy(key_of(position), key.data, key.size);
    os_mutex_lock(&table->lock);
    make_room(table, cost_of(position));
    uint64_t number = table->next++;
    position->number = number;
    if (name_map_put(&table->positions, name_of(position), position) != YORE_OK) {
        os_mutex_unlock(&table->lock);
        mem_free(position);
        return 0;
    }
    if (owner->newest != NULL) {
        owner->newest->newer = position;
    } else {
        owner->oldest = position;
        enter(table, owner);
    }
    owner->newest = position;
    owner->bytes += cost_of(position);
    table->bytes += cost_of(position);
    os_mutex_unlock(&table->lock);
    return number;
}

bool scan_table_find(struct scan_table *table, uint64_t number, struct buffer *key)
{
    os_mutex_lock(&table->lock);
    struct scan_position *position =
        name_map_get(&table->positions, bytes_of(&number, sizeof number));
    if (position != NULL) {
        buffer_append(key, key_of(position), position->size);
    }
    os_mutex_unlock(&table->lock);
    return position != NULL;
}

void scan_table_leave(struct scan_table *table, struct scan_owner *owner)
{
    os_mutex_lock(&table->lock);
    struct scan_owner *gone = &table->gone;
    if (owner->oldest != NULL) {
        take_out(table, owner);
        if (gone->newest != NULL) {
            gone->newest->newer = owner->oldest;
        } else {
            gone->oldest = owner->oldest;
        }
        gone->newest = owner->newest;
        gone->bytes += owner->bytes;
        *owner = (struct scan_owner){.oldest = NULL};
    }
    os_mutex_unlock(&table->lock);
}

void scan_table_release(struct scan_table *table)
{
    while (table->gone.oldest != NULL) {
        drop_oldest(table, &table->gone);
    }
    name_map_release(&table->positions);
    os_mutex_release(&table->lock);
}
