/* pending.c -- writes of a job, gathered. */
#include "command/pending.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "command/event.h"
#include "command/server.h"
#include "engine/batch.h"

#define SLOTS 1024 /* a power of two, more than PENDING_COUNT_MAX */
static_assert(SLOTS >= 2 * PENDING_COUNT_MAX, "slots stay half empty");

/* The last write of a key. */
struct item {
    struct item *next; /* of its slot */
    struct database *database;
    struct yore_bytes key;
    struct pending_state state;
};

/* A write that is laid over nobody knows what. */
struct unseen {
    struct unseen *next;
    const struct item *item; /* of its key */
    struct yore_keyspace *keyspace;
    size_t part; /* of the batch */
};

struct pending {
    struct command_server *server;
    struct pending *next; /* idle ones; pending_lock */
    struct yore_batch *batch;
    struct arena memory; /* items, keys and values */
    struct item *slots[SLOTS];
    size_t count; /* writes, and parts of the batch */
    struct unseen *unseen;
    int64_t began; /* monotonic: when the first of them was added */
    struct buffer events;
    uint64_t stripes;         /* locked */
    enum yore_status failure; /* of a commit that was asked for by one command: the job's, too */
};

struct pending *pending_take(struct command_server *server)
{
    os_mutex_lock(&server->pending_lock);
    struct pending *pending = server->idle_pending;
    if (pending != NULL) {
        server->idle_pending = pending->next;
    }
    os_mutex_unlock(&server->pending_lock);
    if (pending != NULL) {
        return pending;
    }
    pending = mem_zalloc(sizeof *pending);
    if (pending != NULL && yore_batch_new(server->db, &pending->batch, NULL) != YORE_OK) {
        mem_free(pending);
        return NULL;
    }
    if (pending != NULL) {
        pending->server = server;
    }
    return pending;
}

void pending_give(struct pending *pending)
{
    if (pending == NULL) {
        return;
    }
    struct command_server *server = pending->server;
    os_mutex_lock(&server->pending_lock);
    pending->next = server->idle_pending;
    server->idle_pending = pending;
    os_mutex_unlock(&server->pending_lock);
}

void pending_free_all(struct command_server *server)
{
    while (server->idle_pending != NULL) {
        struct pending *pending = server->idle_pending;
        server->idle_pending = pending->next;
        yore_batch_free(pending->batch);
        arena_release(&pending->memory);
        buffer_release(&pending->events);
        mem_free(pending);
    }
}

/* ---- stripes ---- */

/* False: somebody has one of them; none was locked. */
static bool try_lock(struct command_server *server, uint64_t stripes)
    YORE_TS(no_thread_safety_analysis)
{
    uint64_t locked = 0;
    for (uint64_t rest = stripes; rest != 0; rest = stripes & ~locked) {
        if (!os_mutex_try_lock(&server->stripes[__builtin_ctzll(rest)])) {
            access_unlock(server, locked);
            return false;
        }
        locked |= rest & (~rest + 1);
    }
    return true;
}

enum yore_status pending_lock(struct pending *pending, uint64_t stripes,
                              struct yore_error *error_out)
{
    uint64_t missing = stripes & ~pending->stripes;
    if (missing == 0 || try_lock(pending->server, missing)) {
        pending->stripes |= missing;
        return YORE_OK;
    }
    enum yore_status st = pending_flush(pending, error_out);
    access_lock(pending->server, stripes);
    pending->stripes = stripes;
    return st;
}

/* ---- what has gathered ---- */

static struct item **slot_of(const struct pending *pending, struct yore_bytes key)
{
    struct item *const *slot = &pending->slots[hash_bytes(key) % SLOTS];
    return (struct item **)(uintptr_t)slot;
}

static struct item *find(struct item *item, const struct database *database, struct yore_bytes key)
{
    while (item != NULL && (item->database != database || !bytes_equal(item->key, key))) {
        item = item->next;
    }
    return item;
}

bool pending_find(const struct pending *pending, const struct database *database,
                  struct yore_bytes key, struct pending_state *state_out)
{
    if (pending->count == 0) {
        return false;
    }
    const struct item *item = find(*slot_of(pending, key), database, key);
    if (item != NULL) {
        *state_out = item->state;
    }
    return item != NULL;
}

/* No octets are there without memory; data NULL: there was none. */
static struct yore_bytes copy(struct pending *pending, struct yore_bytes bytes)
{
    if (bytes.size == 0) {
        return bytes_of("", 0);
    }
    return bytes_of(arena_copy(&pending->memory, bytes.data, bytes.size), bytes.size);
}

/* The item of a write's key; a new one is not yet in its slot.  NULL: out of memory. */
static struct item *item_for(struct pending *pending, const struct pending_write *write)
{
    struct item *item = find(*slot_of(pending, write->key), write->database, write->key);
    if (item != NULL) {
        return item;
    }
    item = arena_alloc(&pending->memory, sizeof *item);
    if (item != NULL) {
        *item = (struct item){.database = write->database, .key = copy(pending, write->key)};
    }
    return item != NULL && item->key.data != NULL ? item : NULL;
}

static enum yore_status add_to_batch(struct pending *pending, const struct pending_write *write,
                                     struct yore_error *error_out)
{
    struct yore_batch *batch = pending->batch;
    struct yore_keyspace *ends = pending->server->expiry;
    struct yore_write from_now = {.from = YORE_NOW, .to = write->valid_to};
    enum yore_status st =
        write->is_delete ? yore_batch_delete(batch, write->keyspace, write->key, NULL, error_out)
                         : yore_batch_put(batch, write->keyspace, write->key, write->value,
                                          &from_now, error_out);
    if (st == YORE_OK && write->old_end.size > 0) {
        st = yore_batch_delete(batch, ends, write->old_end, NULL, error_out);
    }
    if (st == YORE_OK && write->new_end.size > 0) {
        st = yore_batch_put(batch, ends, write->new_end, bytes_of("", 0), NULL, error_out);
    }
    if (st == YORE_OK) {
        if (write->is_unseen) {
            batch_ask_below(batch);
        }
        return yore_batch_cut(batch, error_out);
    }
    yore_batch_revert(batch);
    return st;
}

enum yore_status pending_add(struct pending *pending, const struct pending_write *write,
                             struct yore_error *error_out)
{
    struct yore_bytes value = copy(pending, write->value);
    struct item *item = item_for(pending, write);
    struct unseen *unseen = write->is_unseen ? arena_alloc(&pending->memory, sizeof *unseen) : NULL;
    if (value.data == NULL || item == NULL || (write->is_unseen && unseen == NULL)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = add_to_batch(pending, write, error_out);
    if (st != YORE_OK) {
        return st;
    }
    struct item **slot = slot_of(pending, write->key);
    if (find(*slot, write->database, write->key) == NULL) {
        item->next = *slot;
        *slot = item;
    }
    item->state = (struct pending_state){write->is_delete, value, write->valid_to};
    if (unseen != NULL) {
        *unseen = (struct unseen){pending->unseen, item, write->keyspace, pending->count};
        pending->unseen = unseen;
    }
    if (pending->count++ == 0) {
        pending->began = server_monotonic_ns(pending->server);
    }
    return YORE_OK;
}

struct buffer *pending_events(struct pending *pending)
{
    return &pending->events;
}

/* ---- committing ---- */

/* Was there a value before the commit, at `before`, as far as can be told? */
static bool was_there(const struct pending *pending, const struct unseen *unseen,
                      const struct yore_time *before)
{
    struct yore_value value;
    enum commit_below below = batch_below(pending->batch, unseen->part);
    if (below != BELOW_UNKNOWN) {
        return below == BELOW_VALUE;
    }
    enum yore_status st =
        yore_get(pending->server->db, unseen->keyspace, unseen->item->key, before, &value, NULL);
    if (st == YORE_OK) {
        yore_value_release(&value);
    }
    return st != YORE_NOT_FOUND && st != YORE_ERASED;
}

/* Those that were put where nothing was are new keys.  They are committed: where what was there
 * cannot be read, as of a damaged page, the key is taken for one that was there.  Who asks for it
 * is told of the damage. */
static void count_unseen(struct pending *pending, const struct yore_time *before)
{
    for (const struct unseen *at = pending->unseen; at != NULL; at = at->next) {
        if (!was_there(pending, at, before)) {
            atomic_fetch_add_explicit(&at->item->database->count, 1, memory_order_relaxed);
        }
    }
}

/* The present is held while it is replaced, for those puts of which only it can tell what they are
 * laid over. */
static enum yore_status commit_batch(struct pending *pending, struct yore_error *error_out)
{
    struct yore_snapshot *before = NULL;
    enum yore_status st = YORE_OK;
    if (pending->unseen != NULL) {
        st = yore_snapshot_take(pending->server->db, &before, error_out);
    }
    if (st == YORE_OK) {
        st = yore_batch_commit(pending->batch, YORE_DURABILITY_NONE, NULL, error_out);
    }
    if (st == YORE_OK && before != NULL) {
        const struct yore_time moment = yore_snapshot_time(before);
        count_unseen(pending, &moment);
    }
    yore_snapshot_release(before);
    return st;
}

enum yore_status pending_commit(struct pending *pending, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    if (pending->count > 0) {
        st = commit_batch(pending, error_out);
        yore_batch_clear(pending->batch);
        memset(pending->slots, 0, sizeof pending->slots);
        pending->count = 0;
        pending->unseen = NULL;
    }
    if (st == YORE_OK) {
        event_replay(pending->server, &pending->events);
    }
    buffer_release(&pending->events);
    if (st != YORE_OK && pending->failure == YORE_OK) {
        pending->failure = st;
    }
    return st;
}

enum yore_status pending_flush(struct pending *pending, struct yore_error *error_out)
{
    enum yore_status st = pending_commit(pending, error_out);
    if (st == YORE_OK && pending->failure != YORE_OK) {
        st = error_set(error_out, pending->failure, "earlier commands of the job were not written");
    }
    pending->failure = YORE_OK;
    access_unlock(pending->server, pending->stripes);
    pending->stripes = 0;
    arena_reset(&pending->memory);
    return st;
}

bool pending_is_due(const struct pending *pending, int64_t now_ns)
{
    return pending->count >= PENDING_COUNT_MAX ||
           atomic_load_explicit(&pending->memory.bytes, memory_order_relaxed) >=
               PENDING_BYTES_MAX ||
           (pending->count > 0 && now_ns - pending->began > PENDING_NS_MAX);
}
