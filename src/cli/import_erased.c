#include "cli/import_erased.h"

#include <stdio.h>
#include <string.h>

#include "base/coding.h"
#include "base/hash.h"
#include "cli/store.h"

#define ENTRY_HEAD_BYTES 12u /* slot, from */
#define SEEN_BITS (1u << 20)

struct apply {
    const struct import_erased *erased;
    struct import_sink *sink;
    struct store_keyspace *(*keyspace_of)(const void *arg, uint32_t slot);
    const void *arg;
};

void import_erased_release(struct import_erased *erased)
{
    commit_sort_free(erased->spool);
    buffer_release(&erased->entry);
    buffer_release(&erased->stand_in);
    buffer_release(&erased->seen);
}

struct yore_bytes import_erased_stand_in(struct import_erased *erased, struct store *store)
{
    char text[64];
    if (erased->stand_in.size == 0) {
        int size = snprintf(text, sizeof(text), "erased; by the import of %lld",
                            (long long)store_now(store));
        buffer_append(&erased->stand_in, text, (size_t)size);
    }
    return buffer_bytes(&erased->stand_in);
}

static size_t seen_bit(struct yore_bytes key, int64_t from)
{
    return (size_t)((hash_bytes(key) ^ hash_u64((uint64_t)from)) % SEEN_BITS);
}

enum yore_status import_erased_add(struct import_erased *erased, uint32_t slot,
                                   struct yore_bytes key, int64_t from,
                                   struct yore_error *error_out)
{
    if (erased->spool == NULL) {
        enum yore_status st = commit_sort_new(COMMIT_SORT_BYTES, &erased->spool, error_out);
        if (st != YORE_OK) {
            return st;
        }
        if (buffer_reserve(&erased->seen, SEEN_BITS / 8)) {
            memset(erased->seen.data, 0, SEEN_BITS / 8);
        }
    }
    buffer_clear(&erased->entry);
    buffer_append_u32(&erased->entry, slot);
    buffer_append_u64(&erased->entry, (uint64_t)from);
    buffer_append_bytes(&erased->entry, key);
    if (erased->entry.is_nomem || erased->seen.is_nomem || erased->stand_in.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    size_t bit = seen_bit(key, from);
    erased->seen.data[bit / 8] |= (unsigned char)(1u << bit % 8);
    return commit_sort_add(erased->spool, erased->count++, buffer_bytes(&erased->entry), error_out);
}

/* Set `to` to where the next version after the one that stands at `from` begins; `*is_there_out` is
 * false when another has taken its place since. */
static enum yore_status find_end(const struct apply *apply, struct store_keyspace *keyspace,
                                 struct yore_erase *erase, bool *is_there_out,
                                 struct yore_error *error_out)
{
    struct store *store = apply->sink->store;
    const struct store_timeline options = {
        .key = erase->key,
        .options = {.from = erase->from, .to = YORE_FOREVER, .known = YORE_NOW},
        .limit = UINT64_MAX};
    struct store_walk *timeline = NULL;
    struct yore_version version;
    enum yore_status st = store_timeline_open(store, keyspace, &options, &timeline, error_out);
    *is_there_out = false;
    if (st != YORE_OK) {
        return st;
    }
    do { /* behind a server what holds at `from` is told first */
        st = store_timeline_next(timeline, &version, error_out);
    } while (st == YORE_OK && version.valid_from < erase->from);
    if (st == YORE_OK && version.valid_from == erase->from && version.kind == YORE_KIND_PUT &&
        bytes_equal(version.value, buffer_bytes(&apply->erased->stand_in))) {
        /* Not its own end, where the erasure would have to say that the key is absent. */
        *is_there_out = true;
        erase->to = YORE_FOREVER;
        st = store_timeline_next(timeline, &version, error_out);
        if (st == YORE_OK) {
            erase->to = version.valid_from;
        }
    }
    store_walk_close(timeline);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status erase_one(const struct apply *apply, struct store_keyspace *keyspace,
                                  struct yore_bytes key, int64_t from, struct yore_error *error_out)
{
    struct yore_erase erase = {
        .key = key, .from = from, .durability = apply->sink->options->durability};
    bool is_there;
    enum yore_status st = find_end(apply, keyspace, &erase, &is_there, error_out);
    return st == YORE_OK && is_there ? store_erase(apply->sink->store, keyspace, &erase, error_out)
                                     : st;
}

static enum yore_status erase_entry(void *arg, struct yore_bytes entry,
                                    struct yore_error *error_out)
{
    const struct apply *apply = arg;
    const unsigned char *head = entry.data;
    struct yore_bytes key = bytes_of(head + ENTRY_HEAD_BYTES, entry.size - ENTRY_HEAD_BYTES);
    return erase_one(apply, apply->keyspace_of(apply->arg, get_u32(head)), key,
                     (int64_t)get_u64(head + 4), error_out);
}

enum yore_status import_erased_make_way(const struct import_erased *erased,
                                        struct import_sink *sink, struct store_keyspace *keyspace,
                                        struct yore_bytes key, int64_t from,
                                        struct yore_error *error_out)
{
    const struct apply apply = {.erased = erased, .sink = sink};
    size_t bit = seen_bit(key, from);
    bool is_seen = erased->count > 0 && (erased->seen.data[bit / 8] >> bit % 8 & 1) != 0;
    return is_seen ? erase_one(&apply, keyspace, key, from, error_out) : YORE_OK;
}

enum yore_status import_erased_apply(struct import_erased *erased, struct import_sink *sink,
                                     struct store_keyspace *(*keyspace_of)(const void *arg,
                                                                           uint32_t slot),
                                     const void *arg, struct yore_error *error_out)
{
    struct apply apply = {erased, sink, keyspace_of, arg};
    return erased->spool == NULL ? YORE_OK
                                 : commit_sort_each(erased->spool, erase_entry, &apply, error_out);
}
