#include "cli/import_erased.h"

#include "base/coding.h"
#include "cli/store.h"

#define ENTRY_HEAD_BYTES 12u /* slot, from */

struct apply {
    struct import_sink *sink;
    struct store_keyspace *(*keyspace_of)(const void *arg, uint32_t slot);
    const void *arg;
};

void import_erased_release(struct import_erased *erased)
{
    commit_sort_free(erased->spool);
    buffer_release(&erased->entry);
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
    }
    buffer_clear(&erased->entry);
    buffer_append_u32(&erased->entry, slot);
    buffer_append_u64(&erased->entry, (uint64_t)from);
    buffer_append_bytes(&erased->entry, key);
    if (erased->entry.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return commit_sort_add(erased->spool, erased->count++, buffer_bytes(&erased->entry), error_out);
}

/* Set `to` to where the next version after the empty one at `from` begins; `*is_there_out` is false
 * when another has taken its place since. */
static enum yore_status find_end(struct store *store, struct store_keyspace *keyspace,
                                 struct yore_erase *erase, bool *is_there_out,
                                 struct yore_error *error_out)
{
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
        version.value.size == 0) {
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

static enum yore_status erase_entry(void *arg, struct yore_bytes entry,
                                    struct yore_error *error_out)
{
    const struct apply *apply = arg;
    const unsigned char *head = entry.data;
    struct store *store = apply->sink->store;
    struct store_keyspace *keyspace = apply->keyspace_of(apply->arg, get_u32(head));
    struct yore_erase erase = {.key =
                                   bytes_of(head + ENTRY_HEAD_BYTES, entry.size - ENTRY_HEAD_BYTES),
                               .from = (int64_t)get_u64(head + 4),
                               .durability = apply->sink->options->durability};
    bool is_there;
    enum yore_status st = find_end(store, keyspace, &erase, &is_there, error_out);
    return st == YORE_OK && is_there ? store_erase(store, keyspace, &erase, error_out) : st;
}

enum yore_status import_erased_apply(struct import_erased *erased, struct import_sink *sink,
                                     struct store_keyspace *(*keyspace_of)(const void *arg,
                                                                           uint32_t slot),
                                     const void *arg, struct yore_error *error_out)
{
    struct apply apply = {sink, keyspace_of, arg};
    return erased->spool == NULL ? YORE_OK
                                 : commit_sort_each(erased->spool, erase_entry, &apply, error_out);
}
