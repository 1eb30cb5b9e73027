/* access.c -- lookups and writes of keys. */
#include "command/access.h"

#include <string.h>

#include "base/coding.h"
#include "base/hash.h"
#include "command/event.h"
#include "command/expiry.h"
#include "command/pending.h"
#include "command/server.h"
#include "command/watch.h"

/* ---- locks ---- */

uint64_t access_stripe(struct yore_bytes key)
{
    return UINT64_C(1) << (hash_bytes(key) % WRITE_STRIPES);
}

void access_lock(struct command_server *server, uint64_t stripes) YORE_TS(no_thread_safety_analysis)
{
    for (; stripes != 0; stripes &= stripes - 1) {
        os_mutex_lock(&server->stripes[__builtin_ctzll(stripes)]);
    }
}

void access_unlock(struct command_server *server, uint64_t stripes)
    YORE_TS(no_thread_safety_analysis)
{
    for (; stripes != 0; stripes &= stripes - 1) {
        os_mutex_unlock(&server->stripes[__builtin_ctzll(stripes)]);
    }
}

void access_init(struct access *access, struct command_server *server, const struct yore_time *at)
{
    access->server = server;
    access->txn = NULL;
    access->pending = NULL;
    access->in_memory = false;
    access->has_refused = false;
    access->at = at;
    access->now = 0;
    access->writes = 0;
    access->ended = (struct buffer){0};
    access->effects.events = (struct buffer){0};
    access->effects.count = 0;
    access->effects.swap_count = 0;
}

int64_t access_now(struct access *access)
{
    if (access->now == 0) {
        access->now = yore_now(access->server->db);
    }
    return access->now;
}

/* ---- keyspaces ---- */

struct yore_keyspace *access_keyspace(const struct access *access, const struct database *database)
{
    (void)access;
    return atomic_load_explicit(&database->keyspace, memory_order_acquire);
}

enum yore_status access_make_keyspace(struct access *access, struct database *database,
                                      struct yore_keyspace **keyspace_out,
                                      struct yore_error *error_out)
{
    struct command_server *server = access->server;
    struct yore_keyspace *keyspace = access_keyspace(access, database);
    enum yore_status st = YORE_OK;
    if (keyspace == NULL) {
        os_mutex_lock(&server->keyspace_lock);
        keyspace = access_keyspace(access, database);
        if (keyspace == NULL) {
            st = yore_keyspace_create(server->db, database->name, NULL, &keyspace, error_out);
        }
        if (st == YORE_OK) {
            atomic_store_explicit(&database->keyspace, keyspace, memory_order_release);
        }
        os_mutex_unlock(&server->keyspace_lock);
    }
    *keyspace_out = keyspace;
    return st;
}

/* ---- reading ---- */

enum yore_status access_get(struct access *access, struct yore_keyspace *keyspace,
                            struct yore_bytes key, const struct yore_time *at,
                            struct yore_value *value_out, struct yore_error *error_out)
{
    struct yore_db *db = access->server->db;
    if (!access->in_memory) {
        return yore_get(db, keyspace, key, at, value_out, error_out);
    }
    enum yore_status st = yore_get_in_memory(db, keyspace, key, at, value_out, error_out);
    if (st == YORE_OK && value_out->size > QUICK_VALUE_BYTES_MAX) {
        yore_value_release(value_out);
        st = YORE_BUSY;
    }
    access->has_refused |= st == YORE_BUSY;
    return st;
}

/* What the job has written and not yet committed; false: the engine knows. */
static bool find_pending(struct access *access, struct entry *entry)
{
    struct pending_state state;
    if (access->pending == NULL ||
        !pending_find(access->pending, entry->database, entry->key, &state)) {
        return false;
    }
    entry->exists = !state.is_deleted &&
                    (state.valid_to == YORE_FOREVER || state.valid_to > access_now(access));
    if (entry->exists) {
        entry->value = (struct yore_value){.data = state.value.data,
                                           .size = state.value.size,
                                           .valid_from = access_now(access),
                                           .valid_to = state.valid_to,
                                           .commit = YORE_FOREVER};
    }
    return true;
}

enum yore_status access_lookup(struct access *access, struct database *database,
                               struct yore_bytes key, struct entry *entry_out,
                               struct yore_error *error_out)
{
    struct yore_keyspace *keyspace = access_keyspace(access, database);
    *entry_out = (struct entry){.database = database, .key = key};
    if (keyspace == NULL || find_pending(access, entry_out)) {
        return YORE_OK;
    }
    enum yore_status st =
        access->txn != NULL
            ? yore_txn_get(access->txn, keyspace, key, access->at, &entry_out->value, error_out)
            : access_get(access, keyspace, key, access->at, &entry_out->value, error_out);
    entry_out->exists = st == YORE_OK;
    entry_out->is_erased = st == YORE_ERASED;
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

/* An end would have to be taken off its list in the same commit, and listeners want to hear of a
 * new key.  Under the key's stripe: nobody else gives it an end, and where no key of the database
 * has one, this one has none. */
bool access_leave_unseen(const struct access *access, struct database *database,
                         struct yore_bytes key, struct yore_bytes value, struct entry *entry_out)
{
    const struct command_server *server = access->server;
    struct pending_state state;
    bool may_end = atomic_load_explicit(&database->expires, memory_order_relaxed) != 0;
    bool is_told = (atomic_load_explicit(&server->notify, memory_order_relaxed) & EVENT_NEW) != 0;
    bool is_key = key.size > 0 && key.size <= YORE_KEY_BYTES_MAX; /* else the lookup refuses it */
    if (access->pending == NULL || access->txn != NULL || may_end || is_told || !is_key ||
        value.size > PENDING_VALUE_BYTES_MAX || access_keyspace(access, database) == NULL ||
        pending_find(access->pending, database, key, &state)) {
        return false;
    }
    *entry_out = (struct entry){.database = database, .key = key, .is_unseen = true};
    return true;
}

void entry_release(struct entry *entry)
{
    if (entry->exists) {
        yore_value_release(&entry->value);
        entry->exists = false;
    }
}

/* ---- effects ---- */

static void count_change(struct access *access, struct database *database, int64_t keys,
                         int64_t expires)
{
    struct access_effects *effects = &access->effects;
    if (keys == 0 && expires == 0) {
        return;
    }
    if (access->txn == NULL) {
        atomic_fetch_add_explicit(&database->count, keys, memory_order_relaxed);
        atomic_fetch_add_explicit(&database->expires, expires, memory_order_relaxed);
        return;
    }
    size_t i = 0;
    while (i < effects->count && effects->changes[i].database != database) {
        i++;
    }
    if (i == effects->count) {
        effects->changes[effects->count++] = (struct count_change){.database = database};
    }
    effects->changes[i].keys += keys;
    effects->changes[i].expires += expires;
}

static void apply_effects(struct access *access)
{
    struct access_effects *effects = &access->effects;
    for (size_t i = 0; i < effects->count; i++) {
        const struct count_change *change = &effects->changes[i];
        atomic_fetch_add_explicit(&change->database->count, change->keys, memory_order_relaxed);
        atomic_fetch_add_explicit(&change->database->expires, change->expires,
                                  memory_order_relaxed);
    }
    event_replay(access->server, &effects->events);
}

/* What was swapped is swapped back, but for the first `count`. */
static void swap_back(struct access *access, size_t count)
{
    struct command_server *server = access->server;
    struct access_effects *effects = &access->effects;
    while (effects->swap_count > count) {
        const uint32_t *swap = effects->swaps[--effects->swap_count];
        struct database *first = atomic_load(&server->databases[swap[0]]);
        atomic_store(&server->databases[swap[0]], atomic_load(&server->databases[swap[1]]));
        atomic_store(&server->databases[swap[1]], first);
    }
}

static void drop_effects(struct access *access, bool is_done)
{
    if (!is_done) {
        swap_back(access, 0);
    }
    access->effects.swap_count = 0;
    buffer_release(&access->effects.events);
    access->effects.count = 0;
}

/* ---- transactions ---- */

/* What follows cannot gather with what has: that comes first. */
static enum yore_status commit_pending(struct access *access, struct yore_error *error_out)
{
    struct pending *pending = access->pending;
    access->pending = NULL;
    return pending != NULL ? pending_commit(pending, error_out) : YORE_OK;
}

enum yore_status access_begin(struct access *access, struct yore_error *error_out)
{
    if (access->txn != NULL) {
        return YORE_OK;
    }
    enum yore_status st = commit_pending(access, error_out);
    if (st == YORE_OK) {
        st = yore_begin(access->server->db, &access->txn, error_out);
    }
    if (st == YORE_OK) {
        access->now = yore_txn_time(access->txn).valid;
    }
    return st;
}

enum yore_status access_commit(struct access *access, struct yore_error *error_out)
{
    struct yore_txn *txn = access->txn;
    if (txn == NULL) {
        return YORE_OK;
    }
    enum yore_status st = yore_txn_commit(txn, YORE_DURABILITY_NONE, NULL, error_out);
    access->txn = NULL;
    if (st == YORE_OK) {
        apply_effects(access);
    }
    drop_effects(access, st == YORE_OK);
    return st;
}

void access_abort(struct access *access)
{
    if (access->txn != NULL) {
        yore_txn_abort(access->txn);
        access->txn = NULL;
    }
    drop_effects(access, false);
}

enum yore_status access_save(struct access *access, struct access_savepoint *savepoint_out,
                             struct yore_error *error_out)
{
    const struct access_effects *effects = &access->effects;
    savepoint_out->event_bytes = effects->events.size;
    savepoint_out->change_count = effects->count;
    savepoint_out->swap_count = effects->swap_count;
    savepoint_out->writes = access->writes;
    memcpy(savepoint_out->changes, effects->changes, effects->count * sizeof *effects->changes);
    return yore_txn_savepoint(access->txn, &savepoint_out->number, error_out);
}

enum yore_status access_go_back(struct access *access, const struct access_savepoint *savepoint,
                                struct yore_error *error_out)
{
    struct access_effects *effects = &access->effects;
    enum yore_status st = yore_txn_rollback_to(access->txn, savepoint->number, error_out);
    if (st == YORE_OK) {
        effects->events.size = savepoint->event_bytes;
        effects->count = savepoint->change_count;
        memcpy(effects->changes, savepoint->changes, effects->count * sizeof *effects->changes);
        swap_back(access, savepoint->swap_count);
        access->writes = savepoint->writes;
        st = access_go_on(access, savepoint, error_out);
    }
    return st;
}

enum yore_status access_go_on(struct access *access, const struct access_savepoint *savepoint,
                              struct yore_error *error_out)
{
    return yore_txn_release_savepoint(access->txn, savepoint->number, error_out);
}

/* ---- writing ---- */

/* One write with what it changes in the list of ends. */
struct change {
    const struct entry *entry;
    struct yore_keyspace *keyspace;
    bool is_delete;
    struct yore_bytes value;
    int64_t valid_to;
    struct buffer old_end; /* key in the list of ends to take away; empty: none */
    struct buffer new_end;
};

static enum yore_status change_in_txn(struct access *access, const struct change *change,
                                      const struct yore_write *write, struct yore_error *error_out)
{
    struct yore_keyspace *expiry = access->server->expiry;
    struct yore_bytes key = change->entry->key;
    enum yore_status st =
        change->is_delete
            ? yore_txn_delete(access->txn, change->keyspace, key, NULL, error_out)
            : yore_txn_put(access->txn, change->keyspace, key, change->value, write, error_out);
    if (st == YORE_OK && change->old_end.size > 0) {
        st = yore_txn_delete(access->txn, expiry, buffer_bytes(&change->old_end), NULL, error_out);
    }
    if (st == YORE_OK && change->new_end.size > 0) {
        st = yore_txn_put(access->txn, expiry, buffer_bytes(&change->new_end), bytes_of("", 0),
                          NULL, error_out);
    }
    return st;
}

static enum yore_status change_later(struct access *access, const struct change *change,
                                     struct yore_error *error_out)
{
    struct pending_write write = {.database = change->entry->database,
                                  .keyspace = change->keyspace,
                                  .key = change->entry->key,
                                  .value = change->value,
                                  .is_delete = change->is_delete,
                                  .is_unseen = change->entry->is_unseen,
                                  .valid_to = change->valid_to,
                                  .old_end = buffer_bytes(&change->old_end),
                                  .new_end = buffer_bytes(&change->new_end)};
    return pending_add(access->pending, &write, error_out);
}

static enum yore_status change_alone(struct access *access, const struct change *change,
                                     const struct yore_write *write, struct yore_error *error_out)
{
    struct yore_db *db = access->server->db;
    struct yore_keyspace *expiry = access->server->expiry;
    struct yore_bytes key = change->entry->key;
    struct yore_batch *batch = NULL;
    if (change->old_end.size == 0 && change->new_end.size == 0) {
        return change->is_delete
                   ? yore_delete(db, change->keyspace, key, write, error_out)
                   : yore_put(db, change->keyspace, key, change->value, write, error_out);
    }
    enum yore_status st = yore_batch_new(db, &batch, error_out);
    if (st == YORE_OK) {
        st = change->is_delete
                 ? yore_batch_delete(batch, change->keyspace, key, write, error_out)
                 : yore_batch_put(batch, change->keyspace, key, change->value, write, error_out);
    }
    if (st == YORE_OK && change->old_end.size > 0) {
        st = yore_batch_delete(batch, expiry, buffer_bytes(&change->old_end), NULL, error_out);
    }
    if (st == YORE_OK && change->new_end.size > 0) {
        st = yore_batch_put(batch, expiry, buffer_bytes(&change->new_end), bytes_of("", 0), NULL,
                            error_out);
    }
    if (st == YORE_OK) {
        st = yore_batch_commit(batch, YORE_DURABILITY_NONE, NULL, error_out);
    }
    yore_batch_free(batch);
    return st;
}

static enum yore_status apply(struct access *access, struct change *change,
                              struct yore_error *error_out)
{
    const struct entry *entry = change->entry;
    bool had_end = entry_has_end(entry);
    bool has_end = !change->is_delete && change->valid_to != YORE_FOREVER;
    enum yore_status st = YORE_OK;
    if (had_end && (!has_end || change->valid_to != entry->value.valid_to)) {
        st = expiry_key(change->keyspace, entry->value.valid_to, entry->key, &change->old_end,
                        error_out);
    }
    if (st == YORE_OK && has_end && (!had_end || change->valid_to != entry->value.valid_to)) {
        st =
            expiry_key(change->keyspace, change->valid_to, entry->key, &change->new_end, error_out);
    }
    struct yore_write write = {.from = YORE_NOW,
                               .to = change->is_delete ? YORE_FOREVER : change->valid_to,
                               .durability = YORE_DURABILITY_NONE};
    if (st == YORE_OK && change->value.size > PENDING_VALUE_BYTES_MAX) {
        st = commit_pending(access, error_out);
    }
    if (st == YORE_OK) {
        st = access->txn != NULL       ? change_in_txn(access, change, &write, error_out)
             : access->pending != NULL ? change_later(access, change, error_out)
                                       : change_alone(access, change, &write, error_out);
    }
    if (st == YORE_OK) {
        access->writes++;
        atomic_fetch_add_explicit(&access->server->stats.changes, 1, memory_order_relaxed);
        if (!entry->is_unseen) {
            count_change(access, entry->database,
                         (change->is_delete ? 0 : 1) - (entry->exists ? 1 : 0),
                         (has_end ? 1 : 0) - (had_end ? 1 : 0));
        }
        watch_touch(access->server, entry->database, entry->key);
    }
    buffer_release(&change->old_end);
    buffer_release(&change->new_end);
    return st;
}

/* It has ended before it was written. */
static enum yore_status put_ended(struct access *access, const struct entry *entry,
                                  struct yore_error *error_out)
{
    enum yore_status st = entry->exists ? access_delete(access, entry, error_out) : YORE_OK;
    if (st == YORE_OK) {
        event_ended(access, entry->database, entry->key);
    }
    return st;
}

enum yore_status access_put(struct access *access, const struct entry *entry,
                            struct yore_bytes value, int64_t valid_to, struct yore_error *error_out)
{
    struct change change = {.entry = entry, .value = value, .valid_to = valid_to};
    enum yore_status st =
        access_make_keyspace(access, entry->database, &change.keyspace, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (valid_to != YORE_FOREVER && valid_to <= access_now(access)) {
        return put_ended(access, entry, error_out);
    }
    st = apply(access, &change, error_out);
    if (st == YORE_INVALID && valid_to <= yore_now(access->server->db)) {
        st = put_ended(access, entry, error_out);
    }
    return st;
}

enum yore_status access_delete(struct access *access, const struct entry *entry,
                               struct yore_error *error_out)
{
    struct change change = {.entry = entry, .is_delete = true, .valid_to = YORE_FOREVER};
    change.keyspace = access_keyspace(access, entry->database);
    return apply(access, &change, error_out);
}

/* What is listed of a key's end: `end` away, or there. */
static enum yore_status list_end(struct access *access, struct yore_keyspace *keyspace,
                                 struct yore_bytes key, int64_t end, bool is_there,
                                 struct yore_error *error_out)
{
    struct yore_db *db = access->server->db;
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    struct buffer row = {0};
    enum yore_status st = expiry_key(keyspace, end, key, &row, error_out);
    if (st == YORE_OK) {
        struct yore_bytes name = buffer_bytes(&row);
        st = is_there
                 ? yore_put(db, access->server->expiry, name, bytes_of("", 0), &write, error_out)
                 : yore_delete(db, access->server->expiry, name, &write, error_out);
    }
    buffer_release(&row);
    return st;
}

enum yore_status access_settle(struct access *access, const struct entry *entry,
                               struct yore_error *error_out)
{
    struct yore_keyspace *keyspace = access_keyspace(access, entry->database);
    struct entry after = {0};
    access->writes++;
    atomic_fetch_add_explicit(&access->server->stats.changes, 1, memory_order_relaxed);
    watch_touch(access->server, entry->database, entry->key);
    enum yore_status st = access_lookup(access, entry->database, entry->key, &after, error_out);
    int64_t old = entry_has_end(entry) ? entry->value.valid_to : YORE_FOREVER;
    int64_t end = entry_has_end(&after) ? after.value.valid_to : YORE_FOREVER;
    if (st == YORE_OK) {
        count_change(access, entry->database, (after.exists ? 1 : 0) - (entry->exists ? 1 : 0),
                     (end != YORE_FOREVER ? 1 : 0) - (old != YORE_FOREVER ? 1 : 0));
    }
    if (st == YORE_OK && old != YORE_FOREVER && old != end) {
        st = list_end(access, keyspace, entry->key, old, false, error_out);
    }
    if (st == YORE_OK && end != YORE_FOREVER && old != end) {
        st = list_end(access, keyspace, entry->key, end, true, error_out);
    }
    entry_release(&after);
    return st;
}

enum yore_status access_put_dated(struct access *access, const struct entry *entry,
                                  const struct yore_bytes *value, const struct yore_write *write,
                                  struct yore_error *error_out)
{
    struct yore_db *db = access->server->db;
    struct yore_keyspace *keyspace;
    enum yore_status st = access_make_keyspace(access, entry->database, &keyspace, error_out);
    if (st == YORE_OK) {
        st = value != NULL ? yore_put(db, keyspace, entry->key, *value, write, error_out)
                           : yore_delete(db, keyspace, entry->key, write, error_out);
    }
    return st == YORE_OK ? access_settle(access, entry, error_out) : st;
}

/* ---- ranges ---- */

enum yore_status access_cursor(struct access *access, struct database *database,
                               struct yore_bytes prefix, bool keys_only,
                               struct yore_cursor **cursor_out, struct yore_error *error_out)
{
    struct yore_keyspace *keyspace = access_keyspace(access, database);
    const struct yore_cursor_options options = {
        .range = {.prefix = prefix}, .at = access->at, .keys_only = keys_only};
    *cursor_out = NULL;
    return keyspace != NULL ? access_range(access, keyspace, &options, cursor_out, error_out)
                            : YORE_NOT_FOUND;
}

enum yore_status access_range(struct access *access, struct yore_keyspace *keyspace,
                              const struct yore_cursor_options *options,
                              struct yore_cursor **cursor_out, struct yore_error *error_out)
{
    return access->txn != NULL
               ? yore_txn_cursor_open(access->txn, keyspace, options, cursor_out, error_out)
               : yore_cursor_open(access->server->db, keyspace, options, cursor_out, error_out);
}

enum yore_status access_timeline(struct access *access, struct yore_keyspace *keyspace,
                                 struct yore_bytes key, const struct yore_timeline_options *options,
                                 struct yore_timeline **timeline_out, struct yore_error *error_out)
{
    return access->txn != NULL ? yore_txn_timeline_open(access->txn, keyspace, key, options,
                                                        timeline_out, error_out)
                               : yore_timeline_open(access->server->db, keyspace, key, options,
                                                    timeline_out, error_out);
}

/* Collect up to FLUSH_CHUNK_KEYS keys, each behind its size. */
static enum yore_status collect_keys(struct access *access, struct database *database,
                                     struct buffer *keys, size_t *count_out,
                                     struct yore_error *error_out)
{
    struct yore_cursor *cursor = NULL;
    buffer_clear(keys);
    *count_out = 0;
    enum yore_status st =
        access_cursor(access, database, bytes_of("", 0), true, &cursor, error_out);
    while (st == YORE_OK && *count_out < FLUSH_CHUNK_KEYS) {
        st = yore_cursor_next(cursor);
        if (st == YORE_OK) {
            struct yore_bytes key = yore_cursor_row(cursor)->key;
            buffer_append_u32(keys, (uint32_t)key.size);
            buffer_append_bytes(keys, key);
            ++*count_out;
        } else if (st != YORE_NOT_FOUND && error_out != NULL) {
            *error_out = *yore_cursor_error(cursor);
        }
    }
    yore_cursor_close(cursor);
    if (keys->is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status delete_keys(struct access *access, struct database *database,
                                    const struct buffer *keys, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    for (size_t at = 0; at < keys->size && st == YORE_OK;) {
        size_t size = get_u32(keys->data + at);
        struct entry entry;
        st =
            access_lookup(access, database, bytes_of(keys->data + at + 4, size), &entry, error_out);
        if (st == YORE_OK && entry.exists) {
            st = access_delete(access, &entry, error_out);
        }
        entry_release(&entry);
        at += 4 + size;
    }
    return st;
}

enum yore_status access_flush(struct access *access, struct database *database,
                              struct yore_error *error_out)
{
    struct buffer keys = {0};
    bool is_own = access->txn == NULL;
    size_t count = 0;
    enum yore_status st = YORE_OK;
    do {
        st = is_own ? access_begin(access, error_out) : YORE_OK;
        if (st == YORE_OK) {
            st = collect_keys(access, database, &keys, &count, error_out);
        }
        if (st == YORE_OK) {
            st = delete_keys(access, database, &keys, error_out);
        }
        if (is_own && st == YORE_OK) {
            st = access_commit(access, error_out);
        } else if (is_own) {
            access_abort(access);
        }
    } while ((st == YORE_OK && count == FLUSH_CHUNK_KEYS) || st == YORE_CONFLICT);
    buffer_release(&keys);
    return st;
}
