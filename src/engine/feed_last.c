/* feed_last.c -- see feed_last.h; a table by hash, half full at most. */
#include "engine/feed_last.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/mem.h"

struct feed_last_slot {
    struct yore_bytes key; /* data NULL: free */
    int64_t valid_from;
    uint32_t keyspace;
    uint32_t index; /* of the last write there */
};

/* Where the write's key and moment are, or the free slot where they would be. */
static struct feed_last_slot *find(const struct feed_last *last, const struct commit_write *write)
{
    uint64_t hash = hash_bytes(write->key) ^
                    hash_u64((uint64_t)write->valid_from + hash_u64((uint64_t)write->keyspace));
    for (size_t at = (size_t)hash & (last->capacity - 1);; at = (at + 1) & (last->capacity - 1)) {
        struct feed_last_slot *slot = &last->slots[at];
        if (slot->key.data == NULL ||
            (slot->keyspace == write->keyspace && slot->valid_from == write->valid_from &&
             bytes_equal(slot->key, write->key))) {
            return slot;
        }
    }
}

enum yore_status feed_last_collect(struct feed_last *last, const struct commit_decoder *decoder)
{
    struct commit_decoder ahead = *decoder;
    struct commit_write write;
    size_t capacity = 1;
    *last = (struct feed_last){NULL, 0};
    if (decoder->count - decoder->done < 2) {
        return YORE_OK;
    }
    while (capacity / 2 < decoder->count - decoder->done) {
        capacity *= 2;
    }
    last->slots = mem_array(capacity, sizeof *last->slots);
    if (last->slots == NULL) {
        return YORE_NOMEM;
    }
    last->capacity = capacity;
    for (size_t i = 0; i < capacity; i++) {
        last->slots[i] = (struct feed_last_slot){.key = {NULL, 0}};
    }
    for (uint32_t i = decoder->done; commit_decoder_next(&ahead, &write) == YORE_OK; i++) {
        *find(last, &write) =
            (struct feed_last_slot){write.key, write.valid_from, write.keyspace, i};
    }
    return YORE_OK;
}

void feed_last_release(struct feed_last *last)
{
    mem_free(last->slots);
    *last = (struct feed_last){NULL, 0};
}

bool feed_last_counts(const struct feed_last *last, const struct commit_write *write,
                      uint32_t index)
{
    return last->capacity == 0 || find(last, write)->index == index;
}
