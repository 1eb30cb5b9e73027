/* read_set.c -- a growing array and a hash table of indexes into it. */
#include "engine/read_set.h"

#include "base/hash.h"
#include "base/mem.h"

#define SLOTS_MIN 16u

void read_set_release(struct read_set *set)
{
    mem_free(set->reads);
    mem_free(set->slots);
    arena_release(&set->bytes);
    *set = (struct read_set){0};
}

static uint64_t read_hash(const struct commit_read *read)
{
    uint64_t hash = hash_bytes(read->key) ^ hash_u64(read->keyspace);
    return read->is_range ? hash_u64(hash ^ hash_u64(hash_bytes(read->high))) : hash;
}

static bool read_equal(const struct commit_read *a, const struct commit_read *b)
{
    return a->keyspace == b->keyspace && a->is_range == b->is_range &&
           bytes_equal(a->key, b->key) && (!a->is_range || bytes_equal(a->high, b->high));
}

/* The slot that holds an equal read, or the free one where it belongs. */
static uint32_t *find_slot(const struct read_set *set, const struct commit_read *read)
{
    size_t mask = set->slot_count - 1;
    size_t i = (size_t)read_hash(read) & mask;
    while (set->slots[i] != 0 && !read_equal(&set->reads[set->slots[i] - 1], read)) {
        i = (i + 1) & mask;
    }
    return &set->slots[i];
}

static bool grow_slots(struct read_set *set)
{
    size_t count = set->slot_count == 0 ? SLOTS_MIN : set->slot_count * 2;
    uint32_t *slots = mem_array(count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    mem_free(set->slots);
    set->slots = slots;
    set->slot_count = count;
    for (size_t i = 0; i < set->count; i++) {
        *find_slot(set, &set->reads[i]) = (uint32_t)(i + 1);
    }
    return true;
}

static bool grow_reads(struct read_set *set)
{
    struct commit_read *reads = mem_grow(set->reads, set->count, &set->capacity, sizeof *reads);
    if (reads == NULL) {
        return false;
    }
    set->reads = reads;
    return true;
}

static bool copy_bytes(struct read_set *set, struct yore_bytes *bytes)
{
    if (bytes->size == 0) {
        *bytes = bytes_of(NULL, 0);
        return true;
    }
    bytes->data = arena_copy(&set->bytes, bytes->data, bytes->size);
    return bytes->data != NULL;
}

enum yore_status read_set_add(struct read_set *set, const struct commit_read *read, size_t most,
                              struct yore_error *error_out)
{
    /* At most half full, so that a free slot is soon met. */
    if (set->count * 2 >= set->slot_count && !grow_slots(set)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    uint32_t *slot = find_slot(set, read);
    if (*slot != 0) {
        return YORE_OK;
    }
    if (set->count >= most) {
        return error_set(
            error_out, YORE_TOO_BIG,
            "the transaction has read %zu keys and ranges: at most that many are allowed; "
            "use several transactions, or a cursor over one range",
            most);
    }
    struct commit_read copy = *read;
    if (!grow_reads(set) || !copy_bytes(set, &copy.key) || !copy_bytes(set, &copy.high)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    set->reads[set->count++] = copy;
    *slot = (uint32_t)set->count;
    return YORE_OK;
}
