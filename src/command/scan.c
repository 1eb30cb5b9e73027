/* scan.c -- positions of SCAN, in a ring by number. */
#include "command/scan.h"

#include <string.h>

#include "base/mem.h"
#include "command/limits.h"

enum yore_status scan_table_init(struct scan_table *table)
{
    os_mutex_init(&table->lock);
    table->slots = mem_array(SCAN_POSITIONS_MAX, sizeof *table->slots);
    table->next = 1;
    table->oldest = 1;
    return table->slots != NULL ? YORE_OK : YORE_NOMEM;
}

static void drop_oldest(struct scan_table *table)
{
    struct scan_slot *slot = &table->slots[table->oldest % SCAN_POSITIONS_MAX];
    table->bytes -= slot->size;
    mem_free(slot->key);
    *slot = (struct scan_slot){0};
    table->oldest++;
}

void scan_table_release(struct scan_table *table)
{
    while (table->slots != NULL && table->oldest < table->next) {
        drop_oldest(table);
    }
    mem_free(table->slots);
    table->slots = NULL;
    os_mutex_release(&table->lock);
}

uint64_t scan_table_keep(struct scan_table *table, struct yore_bytes key)
{
    unsigned char *copy = mem_copy(key.data, key.size);
    if (copy == NULL) {
        return 0;
    }
    os_mutex_lock(&table->lock);
    while (table->oldest < table->next && (table->next - table->oldest == SCAN_POSITIONS_MAX ||
                                           table->bytes + key.size > SCAN_POSITIONS_BYTES_MAX)) {
        drop_oldest(table);
    }
    uint64_t number = table->next++;
    table->slots[number % SCAN_POSITIONS_MAX] = (struct scan_slot){number, copy, key.size};
    table->bytes += key.size;
    os_mutex_unlock(&table->lock);
    return number;
}

bool scan_table_find(struct scan_table *table, uint64_t number, struct buffer *key)
{
    os_mutex_lock(&table->lock);
    const struct scan_slot *slot = &table->slots[number % SCAN_POSITIONS_MAX];
    bool is_there = number != 0 && slot->number == number;
    if (is_there) {
        buffer_append(key, slot->key, slot->size);
    }
    os_mutex_unlock(&table->lock);
    return is_there;
}
