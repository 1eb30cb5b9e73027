#include "cli/store.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/remote.h"

/* A keyspace behind a server is its name; in a directory it is the engine's handle itself. */
struct store_keyspace {
    struct store_keyspace *next;
    char name[YORE_KEYSPACE_NAME_BYTES_MAX + 1];
};

struct store {
    struct yore_db *db; /* NULL: behind a server */
    struct remote *remote;
    struct store_keyspace *keyspaces; /* of the server, as far as they were opened */
    bool is_read_only;                /* of a server; a directory's database knows itself */
    bool has_now;
    int64_t now;
};

/* ---- opening ---- */

static enum yore_status make_store(struct yore_db *db, struct remote *remote, bool is_read_only,
                                   struct store **store_out, struct yore_error *error_out)
{
    struct store *store = mem_zalloc(sizeof(*store));
    *store_out = store;
    if (store == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    store->db = db;
    store->remote = remote;
    store->is_read_only = is_read_only;
    return YORE_OK;
}

enum yore_status store_of_db(struct yore_db *db, struct store **store_out,
                             struct yore_error *error_out)
{
    return make_store(db, NULL, false, store_out, error_out);
}

enum yore_status store_of_remote(struct remote *remote, bool is_read_only, struct store **store_out,
                                 struct yore_error *error_out)
{
    return make_store(NULL, remote, is_read_only, store_out, error_out);
}

enum yore_status store_close(struct store *store, struct yore_error *error_out)
{
    if (store == NULL) {
        return YORE_OK;
    }
    enum yore_status st = yore_close(store->db, error_out);
    store_leave(store);
    return st;
}

void store_leave(struct store *store)
{
    if (store == NULL) {
        return;
    }
    remote_close(store->remote);
    while (store->keyspaces != NULL) {
        struct store_keyspace *next = store->keyspaces->next;
        mem_free(store->keyspaces);
        store->keyspaces = next;
    }
    mem_free(store);
}

struct yore_db *store_db(const struct store *store)
{
    return store != NULL ? store->db : NULL;
}

struct remote *store_remote(const struct store *store)
{
    return store != NULL ? store->remote : NULL;
}

void store_begin_command(struct store *store)
{
    store->has_now = false;
}

int64_t store_now(struct store *store)
{
    struct yore_error ignored;
    if (store->db != NULL) {
        return yore_now(store->db);
    }
    /* Where the server does not say, the command itself will not come through either. */
    if (!store->has_now) {
        store->now = 0;
        store->has_now = remote_now(store->remote, &store->now, &ignored) == YORE_OK;
    }
    return store->now;
}

enum yore_status store_ask_now(struct store *store, int64_t *now_out, struct yore_error *error_out)
{
    if (store->remote != NULL) {
        return remote_now(store->remote, now_out, error_out);
    }
    *now_out = yore_now(store->db);
    return YORE_OK;
}

/* What writes is refused as the engine refuses it. */
static enum yore_status check_writable(const struct store *store, struct yore_error *error_out)
{
    return store->remote != NULL && store->is_read_only
               ? error_set(error_out, YORE_READ_ONLY,
                           "the database was opened to read only: leave --read-only out to write")
               : YORE_OK;
}

/* ---- keyspaces ---- */

static struct yore_keyspace *local(struct store_keyspace *keyspace)
{
    return (struct yore_keyspace *)(void *)keyspace;
}

static struct store_keyspace *shared(struct yore_keyspace *handle)
{
    return (struct store_keyspace *)(void *)handle;
}

static const char *name_of(const struct store_keyspace *keyspace)
{
    return keyspace != NULL ? keyspace->name : NULL;
}

static enum yore_status keep_name(struct store *store, const char *name,
                                  struct store_keyspace **keyspace_out,
                                  struct yore_error *error_out)
{
    struct store_keyspace *at = store->keyspaces;
    while (at != NULL && strcmp(at->name, name) != 0) {
        at = at->next;
    }
    if (at == NULL) {
        at = mem_zalloc(sizeof(*at));
        if (at == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        snprintf(at->name, sizeof(at->name), "%s", name);
        at->next = store->keyspaces;
        store->keyspaces = at;
    }
    *keyspace_out = at;
    return YORE_OK;
}

enum yore_status store_keyspace_open(struct store *store, const char *name,
                                     const struct yore_time *at,
                                     struct store_keyspace **keyspace_out,
                                     struct yore_error *error_out)
{
    struct yore_keyspace_info info;
    if (store->db != NULL) {
        struct yore_keyspace *handle = NULL;
        enum yore_status st = yore_keyspace_open(store->db, name, at, &handle, error_out);
        *keyspace_out = shared(handle);
        return st;
    }
    enum yore_status st = remote_keyspace_find(store->remote, name, at, &info, error_out);
    return st == YORE_OK ? keep_name(store, name, keyspace_out, error_out) : st;
}

enum yore_status store_keyspace_create(struct store *store, const char *name,
                                       const struct yore_keyspace_options *options,
                                       struct store_keyspace **keyspace_out,
                                       struct yore_error *error_out)
{
    if (store->db != NULL) {
        struct yore_keyspace *handle = NULL;
        enum yore_status created =
            yore_keyspace_create(store->db, name, options, &handle, error_out);
        *keyspace_out = shared(handle);
        return created;
    }
    enum yore_status st = check_writable(store, error_out);
    if (st == YORE_OK) {
        st = remote_keyspace_change(store->remote, "CREATE", name, options, error_out);
    }
    return st == YORE_OK ? keep_name(store, name, keyspace_out, error_out) : st;
}

enum yore_status store_keyspace_drop(struct store *store, const char *name,
                                     struct yore_error *error_out)
{
    if (store->db != NULL) {
        return yore_keyspace_drop(store->db, name, error_out);
    }
    enum yore_status st = check_writable(store, error_out);
    return st == YORE_OK ? remote_keyspace_drop(store->remote, name, error_out) : st;
}

enum yore_status store_keyspace_alter(struct store *store, struct store_keyspace *keyspace,
                                      const struct yore_keyspace_options *options,
                                      struct yore_error *error_out)
{
    if (store->db != NULL) {
        return yore_keyspace_alter(store->db, local(keyspace), options, error_out);
    }
    enum yore_status st = check_writable(store, error_out);
    const char *name = keyspace != NULL ? keyspace->name : "default";
    return st == YORE_OK ? remote_keyspace_change(store->remote, "ALTER", name, options, error_out)
                         : st;
}

enum yore_status store_keyspace_info(struct store *store, struct store_keyspace *keyspace,
                                     struct yore_keyspace_info *info_out,
                                     struct yore_error *error_out)
{
    static const struct yore_time ever = {YORE_NOW, YORE_NOW};
    const char *name = keyspace != NULL ? keyspace->name : "default";
    return store->db != NULL
               ? yore_keyspace_info(store->db, local(keyspace), info_out, error_out)
               : remote_keyspace_find(store->remote, name, &ever, info_out, error_out);
}

enum yore_status store_keyspace_list(struct store *store, const struct yore_time *at,
                                     int (*each)(void *arg, const struct yore_keyspace_info *info),
                                     void *arg, struct yore_error *error_out)
{
    return store->db != NULL ? yore_keyspace_list(store->db, at, each, arg, error_out)
                             : remote_keyspace_list(store->remote, at, each, arg, error_out);
}

enum yore_status store_keyspace_usage(struct store *store, struct store_keyspace *keyspace,
                                      struct yore_keyspace_usage *usage_out,
                                      struct yore_error *error_out)
{
    const char *name = keyspace != NULL ? keyspace->name : "default";
    return store->db != NULL ? yore_keyspace_usage(store->db, local(keyspace), usage_out, error_out)
                             : remote_keyspace_usage(store->remote, name, usage_out, error_out);
}

enum yore_status store_trim(struct store *store, struct store_keyspace *keyspace, int64_t horizon,
                            struct yore_error *error_out)
{
    if (store->db != NULL) {
        return yore_trim(store->db, local(keyspace), horizon, error_out);
    }
    enum yore_status st = check_writable(store, error_out);
    const char *name = keyspace != NULL ? keyspace->name : "default";
    return st == YORE_OK ? remote_trim(store->remote, name, horizon, error_out) : st;
}

/* ---- one key ---- */

enum yore_status store_get(struct store *store, struct store_keyspace *keyspace,
                           struct yore_bytes key, const struct yore_time *at,
                           struct store_value *value_out, struct yore_error *error_out)
{
    *value_out = (struct store_value){.owned = NULL};
    return store->db != NULL
               ? yore_get(store->db, local(keyspace), key, at, &value_out->value, error_out)
               : remote_get(store->remote, name_of(keyspace), key, at, value_out, error_out);
}

void store_value_release(struct store_value *value)
{
    if (value->owned != NULL) {
        mem_free(value->owned);
        *value = (struct store_value){.owned = NULL};
    } else {
        yore_value_release(&value->value);
    }
}

enum yore_status store_put(struct store *store, struct store_keyspace *keyspace,
                           struct yore_bytes key, struct yore_bytes value,
                           const struct yore_write *write, struct yore_error *error_out)
{
    if (store->db != NULL) {
        return yore_put(store->db, local(keyspace), key, value, write, error_out);
    }
    enum yore_status st = check_writable(store, error_out);
    return st == YORE_OK
               ? remote_write(store->remote, name_of(keyspace), key, &value, write, error_out)
               : st;
}

enum yore_status store_delete(struct store *store, struct store_keyspace *keyspace,
                              struct yore_bytes key, const struct yore_write *write,
                              struct yore_error *error_out)
{
    if (store->db != NULL) {
        return yore_delete(store->db, local(keyspace), key, write, error_out);
    }
    enum yore_status st = check_writable(store, error_out);
    return st == YORE_OK
               ? remote_write(store->remote, name_of(keyspace), key, NULL, write, error_out)
               : st;
}

enum yore_status store_erase(struct store *store, struct store_keyspace *keyspace,
                             const struct yore_erase *erase, struct yore_error *error_out)
{
    if (store->db != NULL) {
        return yore_erase(store->db, local(keyspace), erase, error_out);
    }
    enum yore_status st = check_writable(store, error_out);
    return st == YORE_OK ? remote_erase(store->remote, name_of(keyspace), erase, error_out) : st;
}

/* ---- walks ---- */

enum walk_kind { WALK_REMOTE, WALK_ROWS, WALK_TIMELINE, WALK_CHANGES, WALK_FEED };

struct store_walk {
    enum walk_kind kind;
    struct remote_walk *remote;
    struct yore_cursor *cursor;
    bool is_reverse;
    bool has_begun;
    struct yore_timeline *timeline;
    struct yore_changes *changes;
    struct yore_feed *feed;
};

static enum yore_status make_walk(const struct store *store, enum walk_kind kind,
                                  struct store_walk **walk_out, struct yore_error *error_out)
{
    struct store_walk *walk = mem_zalloc(sizeof(*walk));
    *walk_out = walk;
    if (walk == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    walk->kind = store->db != NULL ? kind : WALK_REMOTE;
    return YORE_OK;
}

void store_walk_close(struct store_walk *walk)
{
    if (walk != NULL) {
        remote_walk_close(walk->remote);
        yore_cursor_close(walk->cursor);
        yore_timeline_close(walk->timeline);
        yore_changes_close(walk->changes);
        yore_feed_close(walk->feed);
        mem_free(walk);
    }
}

/* A walk that could not be opened is none. */
static enum yore_status opened(enum yore_status st, struct store_walk **walk)
{
    if (st != YORE_OK) {
        store_walk_close(*walk);
        *walk = NULL;
    }
    return st;
}

enum yore_status store_rows_open(struct store *store, struct store_keyspace *keyspace,
                                 const struct store_rows *options, struct store_walk **walk_out,
                                 struct yore_error *error_out)
{
    enum yore_status st = make_walk(store, WALK_ROWS, walk_out, error_out);
    if (st == YORE_OK && store->db == NULL) {
        st = remote_rows_open(store->remote, name_of(keyspace), options, &(*walk_out)->remote,
                              error_out);
    } else if (st == YORE_OK) {
        const struct yore_cursor_options cursor = {.range = options->range,
                                                   .at = options->at,
                                                   .keys_only = options->keys_only,
                                                   .no_cache_fill = options->no_cache_fill};
        (*walk_out)->is_reverse = options->is_reverse;
        st = yore_cursor_open(store->db, local(keyspace), &cursor, &(*walk_out)->cursor, error_out);
    }
    return opened(st, walk_out);
}

enum yore_status store_rows_next(struct store_walk *walk, struct yore_row *row_out,
                                 struct yore_error *error_out)
{
    if (walk->kind == WALK_REMOTE) {
        return remote_rows_next(walk->remote, row_out, error_out);
    }
    struct yore_cursor *cursor = walk->cursor;
    enum yore_status st =
        walk->is_reverse ? (walk->has_begun ? yore_cursor_prev(cursor) : yore_cursor_last(cursor))
                         : (walk->has_begun ? yore_cursor_next(cursor) : yore_cursor_first(cursor));
    walk->has_begun = true;
    if (st == YORE_OK) {
        *row_out = *yore_cursor_row(cursor);
        return st;
    }
    const struct yore_error *why = yore_cursor_error(cursor);
    return error_set(error_out, st, "%s",
                     why->text[0] != '\0' ? why->text : yore_status_message(st));
}

enum yore_status store_timeline_open(struct store *store, struct store_keyspace *keyspace,
                                     const struct store_timeline *options,
                                     struct store_walk **walk_out, struct yore_error *error_out)
{
    enum yore_status st = make_walk(store, WALK_TIMELINE, walk_out, error_out);
    if (st == YORE_OK && store->db == NULL) {
        st = remote_timeline_open(store->remote, name_of(keyspace), options, &(*walk_out)->remote,
                                  error_out);
    } else if (st == YORE_OK) {
        st = yore_timeline_open(store->db, local(keyspace), options->key, &options->options,
                                &(*walk_out)->timeline, error_out);
    }
    return opened(st, walk_out);
}

enum yore_status store_timeline_next(struct store_walk *walk, struct yore_version *version_out,
                                     struct yore_error *error_out)
{
    return walk->kind == WALK_REMOTE ? remote_timeline_next(walk->remote, version_out, error_out)
                                     : yore_timeline_next(walk->timeline, version_out, error_out);
}

enum yore_status store_changes_open(struct store *store, struct store_keyspace *keyspace,
                                    const struct yore_changes_options *options, uint64_t limit,
                                    struct store_walk **walk_out, struct yore_error *error_out)
{
    enum yore_status st = make_walk(store, WALK_CHANGES, walk_out, error_out);
    if (st == YORE_OK && store->db == NULL) {
        st = remote_changes_open(store->remote, name_of(keyspace), options, limit,
                                 &(*walk_out)->remote, error_out);
    } else if (st == YORE_OK) {
        st = yore_changes_open(store->db, local(keyspace), options, &(*walk_out)->changes,
                               error_out);
    }
    return opened(st, walk_out);
}

enum yore_status store_changes_next(struct store_walk *walk, struct yore_change *change_out,
                                    struct yore_error *error_out)
{
    return walk->kind == WALK_REMOTE ? remote_changes_next(walk->remote, change_out, error_out)
                                     : yore_changes_next(walk->changes, change_out, error_out);
}

enum yore_status store_feed_open(struct store *store, int64_t after_commit, uint64_t limit,
                                 struct store_walk **walk_out, struct yore_error *error_out)
{
    enum yore_status st = make_walk(store, WALK_FEED, walk_out, error_out);
    if (st == YORE_OK && store->db == NULL) {
        st = remote_feed_open(store->remote, after_commit, limit, &(*walk_out)->remote, error_out);
    } else if (st == YORE_OK) {
        st = yore_feed_open(store->db, after_commit, &(*walk_out)->feed, error_out);
    }
    return opened(st, walk_out);
}

enum yore_status store_feed_open_kept(struct store *store, struct store_keyspace *keyspace,
                                      const struct yore_range *range, struct store_walk **walk_out,
                                      struct yore_error *error_out)
{
    enum yore_status st = make_walk(store, WALK_FEED, walk_out, error_out);
    if (st == YORE_OK && store->db == NULL) {
        const char *name = keyspace != NULL ? keyspace->name : "default";
        st = remote_feed_open_kept(store->remote, name, &(*walk_out)->remote, error_out);
    } else if (st == YORE_OK) {
        st = yore_feed_open_kept(store->db, local(keyspace), range, &(*walk_out)->feed, error_out);
    }
    return opened(st, walk_out);
}

enum yore_status store_feed_next(struct store_walk *walk, struct yore_feed_commit *commit_out,
                                 struct yore_error *error_out)
{
    return walk->kind == WALK_REMOTE ? remote_feed_next(walk->remote, commit_out, error_out)
                                     : yore_feed_next(walk->feed, commit_out, error_out);
}

/* ---- many writes ---- */

struct store_batch {
    struct store *store;
    struct yore_batch *batch;
    struct remote_batch *remote;
};

enum yore_status store_batch_new(struct store *store, struct store_batch **batch_out,
                                 struct yore_error *error_out)
{
    struct store_batch *batch = mem_zalloc(sizeof(*batch));
    if (batch == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    batch->store = store;
    enum yore_status st = store->db != NULL
                              ? yore_batch_new(store->db, &batch->batch, error_out)
                              : remote_batch_new(store->remote, &batch->remote, error_out);
    if (st != YORE_OK) {
        mem_free(batch);
        return st;
    }
    *batch_out = batch;
    return YORE_OK;
}

enum yore_status store_batch_put(struct store_batch *batch, struct store_keyspace *keyspace,
                                 struct yore_bytes key, struct yore_bytes value,
                                 const struct yore_write *write, struct yore_error *error_out)
{
    return batch->batch != NULL
               ? yore_batch_put(batch->batch, local(keyspace), key, value, write, error_out)
               : remote_batch_add(batch->remote, name_of(keyspace), key, &value, write, error_out);
}

enum yore_status store_batch_delete(struct store_batch *batch, struct store_keyspace *keyspace,
                                    struct yore_bytes key, const struct yore_write *write,
                                    struct yore_error *error_out)
{
    return batch->batch != NULL
               ? yore_batch_delete(batch->batch, local(keyspace), key, write, error_out)
               : remote_batch_add(batch->remote, name_of(keyspace), key, NULL, write, error_out);
}

size_t store_batch_count(const struct store_batch *batch)
{
    return batch->batch != NULL ? yore_batch_count(batch->batch)
                                : remote_batch_count(batch->remote);
}

enum yore_status store_batch_commit(struct store_batch *batch, enum yore_durability durability,
                                    struct yore_error *error_out)
{
    if (batch->batch != NULL) {
        return yore_batch_commit(batch->batch, durability, NULL, error_out);
    }
    enum yore_status st = check_writable(batch->store, error_out);
    return st == YORE_OK ? remote_batch_commit(batch->remote, error_out) : st;
}

void store_batch_free(struct store_batch *batch)
{
    if (batch != NULL) {
        yore_batch_free(batch->batch);
        remote_batch_free(batch->remote);
        mem_free(batch);
    }
}

/* ---- upkeep ---- */

enum yore_status store_flush(struct store *store, struct yore_error *error_out)
{
    return store->db != NULL ? yore_flush(store->db, error_out) : YORE_OK;
}

enum yore_status store_compact(struct store *store, struct store_keyspace *keyspace,
                               struct yore_error *error_out)
{
    return store->db != NULL ? yore_compact(store->db, local(keyspace), error_out)
                             : remote_compact(store->remote, name_of(keyspace), error_out);
}

enum yore_status store_stats(struct store *store,
                             void (*each)(void *arg, const struct yore_stat *stat), void *arg,
                             struct yore_error *error_out)
{
    if (store->db == NULL) {
        return remote_stats(store->remote, each, arg, error_out);
    }
    yore_stats(store->db, each, arg);
    return YORE_OK;
}
