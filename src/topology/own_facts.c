#include "topology/own_facts.h"

#include "base/hash.h"
#include "base/mem.h"

void own_facts_release(struct own_facts *own)
{
    mem_free(own->slots);
    arena_release(&own->bytes);
    *own = (struct own_facts){0};
}

static struct own_key *find_slot(struct own_key *slots, size_t slot_count, struct yore_bytes key)
{
    size_t mask = slot_count - 1;
    size_t at = (size_t)hash_bytes(key) & mask;
    while (slots[at].first != NULL && !bytes_equal(slots[at].first->key, key)) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

static bool grow(struct own_facts *own)
{
    size_t slot_count = own->slot_count == 0 ? 64 : own->slot_count * 2;
    struct own_key *slots = mem_array(slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < own->slot_count; i++) {
        if (own->slots[i].first != NULL) {
            *find_slot(slots, slot_count, own->slots[i].first->key) = own->slots[i];
        }
    }
    mem_free(own->slots);
    own->slots = slots;
    own->slot_count = slot_count;
    return true;
}

bool own_facts_add(struct own_facts *own, const struct own_fact *fact)
{
    if ((own->key_count + 1) * 2 > own->slot_count && !grow(own)) {
        return false;
    }
    struct own_key *slot = find_slot(own->slots, own->slot_count, fact->key);
    struct own_fact *copy = arena_alloc(&own->bytes, sizeof *copy);
    void *value = arena_copy(&own->bytes, fact->value.data, fact->value.size);
    const void *key = slot->first != NULL ? slot->first->key.data
                                          : arena_copy(&own->bytes, fact->key.data, fact->key.size);
    if (copy == NULL || value == NULL || key == NULL) {
        return false;
    }
    *copy = *fact;
    copy->next = NULL;
    copy->number = own->fact_count++;
    copy->key.data = key;
    copy->value.data = value;
    if (slot->first == NULL) {
        slot->first = copy;
        own->key_count++;
    } else {
        slot->last->next = copy;
    }
    slot->last = copy;
    return true;
}

struct own_mark own_facts_mark(const struct own_facts *own)
{
    return (struct own_mark){own->fact_count, arena_mark(&own->bytes)};
}

/* Free a slot; those that had to pass it on their way come closer. */
static void drop_slot(struct own_facts *own, size_t hole)
{
    size_t mask = own->slot_count - 1;
    for (size_t at = (hole + 1) & mask; own->slots[at].first != NULL; at = (at + 1) & mask) {
        size_t home = (size_t)hash_bytes(own->slots[at].first->key) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            own->slots[hole] = own->slots[at];
            hole = at;
        }
    }
    own->slots[hole] = (struct own_key){NULL, NULL};
    own->key_count--;
}

/* Cut a key's facts at number `count`; false: none is left. */
static bool cut(struct own_key *slot, uint64_t count)
{
    if (slot->first->number >= count) {
        return false;
    }
    for (struct own_fact *at = slot->first; at != NULL && at->number < count; at = at->next) {
        slot->last = at;
    }
    slot->last->next = NULL;
    return true;
}

void own_facts_rewind(struct own_facts *own, const struct own_mark *mark)
{
    for (size_t i = 0; i < own->slot_count && own->fact_count > mark->fact_count; i++) {
        while (own->slots[i].first != NULL && !cut(&own->slots[i], mark->fact_count)) {
            drop_slot(own, i); /* which may bring another here */
        }
    }
    own->fact_count = mark->fact_count;
    arena_rewind(&own->bytes, mark->bytes);
}

const struct own_fact *own_facts_find(const struct own_facts *own, struct yore_bytes key)
{
    return own->slot_count == 0 ? NULL : find_slot(own->slots, own->slot_count, key)->first;
}
