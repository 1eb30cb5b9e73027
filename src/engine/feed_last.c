/* feed_last.c -- see feed_last.h; a table by hash, half full at most.  What a slot stands for is
 * read from the record once more, which costs less than memory for a copy. */
#include "engine/feed_last.h"

#include <assert.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/mem.h"

static_assert(FEED_LAST_WRITE_BYTES == 4 * sizeof(uint32_t), "less than four slots a write");

/* Does a slot stand for the write's key and moment? */
static bool is_of(const struct feed_last *last, uint32_t slot, const struct commit_write *write)
{
    struct commit_decoder there = last->first;
    struct commit_write met;
    there.d.at += slot - 1;
    enum yore_status st = commit_decoder_next(&there, &met);
    YORE_ASSERT(st == YORE_OK); /* as when it was looked at */
    return met.keyspace == write->keyspace && met.valid_from == write->valid_from &&
           bytes_equal(met.key, write->key);
}

/* Where the write's key and moment are, or the free slot where they would be. */
static uint32_t *find(const struct feed_last *last, const struct commit_write *write)
{
    uint64_t hash = hash_bytes(write->key) ^
                    hash_u64((uint64_t)write->valid_from + hash_u64((uint64_t)write->keyspace));
    size_t at = (size_t)hash & (last->capacity - 1);
    while (last->slots[at] != 0 && !is_of(last, last->slots[at], write)) {
        at = (at + 1) & (last->capacity - 1);
    }
    return &last->slots[at];
}

static uint32_t slot_of(const struct feed_last *last, const unsigned char *at)
{
    return (uint32_t)(at - last->first.d.at) + 1;
}

enum yore_status feed_last_collect(struct feed_last *last, const struct commit_decoder *decoder)
{
    struct commit_decoder ahead = *decoder;
    struct commit_write write;
    size_t capacity = 1;
    *last = (struct feed_last){.first = *decoder};
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
    const unsigned char *at = ahead.d.at;
    while (commit_decoder_next(&ahead, &write) == YORE_OK) {
        *find(last, &write) = slot_of(last, at);
        at = ahead.d.at;
    }
    return YORE_OK;
}

void feed_last_release(struct feed_last *last)
{
    mem_free(last->slots);
    *last = (struct feed_last){.slots = NULL};
}

bool feed_last_counts(const struct feed_last *last, const struct commit_write *write,
                      const unsigned char *at)
{
    return last->capacity == 0 || *find(last, write) == slot_of(last, at);
}
