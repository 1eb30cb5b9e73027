/* expiry.c -- keys that end, and counts that need no scan. */
#include "command/expiry.h"

#include <string.h>

#include "base/arena.h"
#include "base/coding.h"
#include "command/event.h"
#include "command/server.h"

#define END_BYTES 8
#define HEAD_BYTES 12
#define TICK_NS 100000000
#define RUN_KEYS_MAX 4096 /* keys taken off the list by one tick */
#define COUNT_MARK 0xff   /* no end before the year 2262 begins so */
#define COUNT_BYTES 24

static void put_u64_big_endian(unsigned char *to, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8) {
        to[i] = (unsigned char)v;
    }
}

static uint64_t end_code(int64_t end)
{
    return (uint64_t)end ^ UINT64_C(1) << 63;
}

enum yore_status expiry_key(struct yore_keyspace *keyspace, int64_t valid_to, struct yore_bytes key,
                            struct buffer *out, struct yore_error *error_out)
{
    unsigned char head[16];
    if (key.size > YORE_KEY_BYTES_MAX - HEAD_BYTES) {
        return error_set(error_out, YORE_TOO_BIG,
                         "the key has %zu bytes: a key that expires may have at most %u", key.size,
                         YORE_KEY_BYTES_MAX - HEAD_BYTES);
    }
    put_u64_big_endian(head, end_code(valid_to));
    put_u64_big_endian(head + END_BYTES, (uint64_t)yore_keyspace_id(keyspace) << 32);
    buffer_append(out, head, HEAD_BYTES);
    buffer_append_bytes(out, key);
    return out->is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

static bool is_end_row(struct yore_bytes row)
{
    return row.size > HEAD_BYTES && *(const unsigned char *)row.data != COUNT_MARK;
}

static int64_t row_end(struct yore_bytes row)
{
    return (int64_t)(get_u64_big_endian(row.data) ^ UINT64_C(1) << 63);
}

static uint32_t row_keyspace(struct yore_bytes row)
{
    return (uint32_t)(get_u64_big_endian((const unsigned char *)row.data + 4) & UINT32_MAX);
}

static struct database *find_database(struct command_server *server, uint32_t id)
{
    for (size_t i = 0; i < server->database_count; i++) {
        struct database *database = &server->all_databases[i];
        struct yore_keyspace *keyspace = atomic_load(&database->keyspace);
        if (keyspace != NULL && yore_keyspace_id(keyspace) == id) {
            return database;
        }
    }
    return NULL;
}

/* ---- what has passed ---- */

/* Take one key off the list, unless a writer has done so meanwhile. */
static enum yore_status take_off(struct command_server *server, struct yore_bytes row)
{
    struct yore_bytes key = bytes_behind(row, HEAD_BYTES);
    struct database *database = find_database(server, row_keyspace(row));
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    struct yore_value value;
    uint64_t stripe = access_stripe(key);
    access_lock(server, stripe);
    enum yore_status st = yore_get(server->db, server->expiry, row, NULL, &value, NULL);
    bool is_listed = st == YORE_OK;
    if (is_listed) {
        yore_value_release(&value);
        st = yore_delete(server->db, server->expiry, row, &write, NULL);
    }
    if (is_listed && st == YORE_OK && database != NULL) {
        atomic_fetch_sub(&database->count, 1);
        atomic_fetch_sub(&database->expires, 1);
        atomic_fetch_add(&server->stats.expired, 1);
        event_tell(server, database, EVENT_EXPIRED, "expired", key);
    }
    access_unlock(server, stripe);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

int64_t expiry_run(struct command_server *server)
{
    struct yore_cursor *cursor = NULL;
    struct yore_cursor_options options = {.keys_only = true};
    int64_t wait = TICK_NS;
    size_t count = 0;
    if (!atomic_load(&server->has_active_expiry)) {
        return TICK_NS;
    }
    enum yore_status st = yore_cursor_open(server->db, server->expiry, &options, &cursor, NULL);
    while (st == YORE_OK && count < RUN_KEYS_MAX) {
        st = yore_cursor_next(cursor);
        const struct yore_row *row = st == YORE_OK ? yore_cursor_row(cursor) : NULL;
        if (row == NULL || !is_end_row(row->key)) {
            break;
        }
        int64_t end = row_end(row->key);
        int64_t now = yore_now(server->db);
        if (end > now) {
            wait = end - now < TICK_NS ? end - now : TICK_NS;
            break;
        }
        st = take_off(server, row->key);
        count++;
    }
    yore_cursor_close(cursor);
    return count == RUN_KEYS_MAX ? 0 : wait;
}

/* ---- counts ---- */

static size_t count_name(const struct database *database, unsigned char *name)
{
    size_t size = strlen(database->name);
    name[0] = COUNT_MARK;
    memcpy(name + 1, database->name, size);
    return size + 1;
}

/* What was saved of a database's counts. */
struct saved {
    int64_t count;
    int64_t expires;
    int64_t moment; /* when it was so */
    int64_t commit; /* that wrote this down */
};

/* False: nothing was saved. */
static bool read_saved(struct command_server *server, const struct database *database,
                       struct saved *saved_out)
{
    unsigned char name[1 + DATABASE_NAME_BYTES];
    struct yore_value value;
    struct yore_bytes key = bytes_of(name, count_name(database, name));
    if (yore_get(server->db, server->expiry, key, NULL, &value, NULL) != YORE_OK) {
        return false;
    }
    bool is_whole = value.size == COUNT_BYTES;
    if (is_whole) {
        const unsigned char *at = value.data;
        saved_out->count = (int64_t)get_u64(at);
        saved_out->expires = (int64_t)get_u64(at + 8);
        saved_out->moment = (int64_t)get_u64(at + 16);
        saved_out->commit = value.commit;
    }
    yore_value_release(&value);
    return is_whole;
}

/* Put a key's end on the list; a row that is there already stays as it is. */
static enum yore_status list_end(struct command_server *server, struct yore_keyspace *keyspace,
                                 struct yore_bytes key, int64_t valid_to,
                                 struct yore_error *error_out)
{
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    struct buffer row = {0};
    enum yore_status st = expiry_key(keyspace, valid_to, key, &row, error_out);
    if (st == YORE_TOO_BIG) {
        st = YORE_OK; /* another program wrote it: it expires, but nobody is told */
    } else if (st == YORE_OK) {
        st = yore_put(server->db, server->expiry, buffer_bytes(&row), bytes_of("", 0), &write,
                      error_out);
    }
    buffer_release(&row);
    return st;
}

/* Is it on the list with good reason? */
static enum yore_status judge_end(struct command_server *server, struct yore_bytes row,
                                  bool *is_true_out, struct yore_error *error_out)
{
    const struct database *database = find_database(server, row_keyspace(row));
    struct yore_value value;
    enum yore_status st = YORE_NOT_FOUND;
    *is_true_out = false;
    if (database != NULL) {
        st = yore_get(server->db, atomic_load(&database->keyspace), bytes_behind(row, HEAD_BYTES),
                      NULL, &value, error_out);
    }
    if (st == YORE_OK) {
        *is_true_out = value.valid_to == row_end(row);
        yore_value_release(&value);
    }
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

/* Take off the list what does not end then: a list that was imported names keyspaces of another
 * database. */
static enum yore_status unlist_untrue(struct command_server *server, struct yore_error *error_out)
{
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    struct yore_cursor_options options = {.keys_only = true};
    struct yore_cursor *cursor = NULL;
    enum yore_status st =
        yore_cursor_open(server->db, server->expiry, &options, &cursor, error_out);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        struct yore_bytes row = yore_cursor_row(cursor)->key;
        bool is_true = true;
        if (is_end_row(row)) {
            st = judge_end(server, row, &is_true, error_out);
        }
        if (st == YORE_OK && !is_true) {
            st = yore_delete(server->db, server->expiry, row, &write, error_out);
        }
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Count every key there is. */
static enum yore_status count_all(struct command_server *server, struct database *database,
                                  struct yore_keyspace *keyspace, struct yore_error *error_out)
{
    struct yore_cursor_options options = {.keys_only = true, .no_cache_fill = true};
    struct yore_cursor *cursor = NULL;
    int64_t count = 0;
    int64_t expires = 0;
    enum yore_status st = yore_cursor_open(server->db, keyspace, &options, &cursor, error_out);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        const struct yore_row *row = yore_cursor_row(cursor);
        count++;
        if (row->valid_to != YORE_FOREVER) {
            expires++;
            st = list_end(server, keyspace, row->key, row->valid_to, error_out);
        }
    }
    if (cursor != NULL && st != YORE_NOT_FOUND && st != YORE_OK && error_out != NULL &&
        yore_cursor_error(cursor)->text[0] != '\0') {
        *error_out = *yore_cursor_error(cursor);
    }
    yore_cursor_close(cursor);
    atomic_store(&database->count, count);
    atomic_store(&database->expires, expires);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- counting what has changed ---- */

/* Keys that were written since a moment, or whose end has passed since: each is looked at once. */
struct recount {
    struct command_server *server;
    struct yore_time moment;
    int64_t saved_commit; /* the last that wrote down how it was then */
    struct name_map seen; /* of struct seen_key */
    struct arena memory;
};

static void recount_release(struct recount *recount)
{
    name_map_release(&recount->seen);
    arena_release(&recount->memory);
}

/* Was it there, and with an end? */
static enum yore_status state_at(const struct recount *recount, struct yore_keyspace *keyspace,
                                 struct yore_bytes key, const struct yore_time *at,
                                 int64_t *there_out, int64_t *end_out)
{
    struct yore_value value;
    enum yore_status st = yore_get(recount->server->db, keyspace, key, at, &value, NULL);
    *there_out = st == YORE_OK ? 1 : 0;
    *end_out = YORE_FOREVER;
    if (st == YORE_OK) {
        *end_out = value.valid_to;
        yore_value_release(&value);
    }
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

static enum yore_status recount_key(struct recount *recount, uint32_t id, struct yore_bytes key,
                                    struct yore_error *error_out)
{
    struct database *database = find_database(recount->server, id);
    struct yore_keyspace *keyspace;
    int64_t is_there;
    int64_t was_there;
    int64_t end;
    int64_t old_end;
    if (database == NULL) {
        return YORE_OK;
    }
    unsigned char *name = arena_alloc_unaligned(&recount->memory, key.size + sizeof id);
    if (name == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    memcpy(name, &id, sizeof id);
    memcpy(name + sizeof id, key.data, key.size);
    struct yore_bytes whole = bytes_of(name, key.size + sizeof id);
    if (name_map_get(&recount->seen, whole) != NULL) {
        return YORE_OK;
    }
    if (recount->seen.count == RECOUNT_KEYS_MAX) {
        return YORE_TOO_BIG;
    }
    keyspace = atomic_load(&database->keyspace);
    enum yore_status st = name_map_put(&recount->seen, whole, name);
    if (st == YORE_OK) {
        st = state_at(recount, keyspace, key, NULL, &is_there, &end);
    }
    if (st == YORE_OK) {
        st = state_at(recount, keyspace, key, &recount->moment, &was_there, &old_end);
    }
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    atomic_fetch_add(&database->count, is_there - was_there);
    atomic_fetch_add(&database->expires,
                     (end != YORE_FOREVER ? 1 : 0) - (old_end != YORE_FOREVER ? 1 : 0));
    return end != YORE_FOREVER ? list_end(recount->server, keyspace, key, end, error_out) : YORE_OK;
}

/* Between the moment of the counts and the commit that saved them nobody writes (expiry_save): the
 * counts are another database's, which were imported. */
static bool is_foreign(const struct recount *recount, int64_t commit,
                       const struct yore_feed_write *write)
{
    return commit <= recount->saved_commit &&
           find_database(recount->server, write->keyspace_id) != NULL;
}

/* YORE_TOO_BIG: everything has to be counted. */
static enum yore_status recount_written(struct recount *recount, struct yore_error *error_out)
{
    struct yore_feed *feed = NULL;
    struct yore_feed_commit commit;
    enum yore_status st =
        yore_feed_open(recount->server->db, recount->moment.known, &feed, error_out);
    while (st == YORE_OK && (st = yore_feed_next(feed, &commit, error_out)) == YORE_OK) {
        for (size_t i = 0; i < commit.write_count && st == YORE_OK; i++) {
            const struct yore_feed_write *write = &commit.writes[i];
            st = is_foreign(recount, commit.commit, write)
                     ? YORE_TOO_BIG
                     : recount_key(recount, write->keyspace_id, write->key, error_out);
        }
    }
    yore_feed_close(feed);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* Ends that passed while nobody looked are not told. */
static enum yore_status drop_passed(struct recount *recount, struct yore_error *error_out)
{
    struct command_server *server = recount->server;
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    struct yore_cursor_options options = {.keys_only = true};
    struct yore_cursor *cursor = NULL;
    int64_t now = yore_now(server->db);
    enum yore_status st =
        yore_cursor_open(server->db, server->expiry, &options, &cursor, error_out);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        struct yore_bytes row = yore_cursor_row(cursor)->key;
        if (!is_end_row(row) || row_end(row) > now) {
            break;
        }
        st = recount_key(recount, row_keyspace(row), bytes_behind(row, HEAD_BYTES), error_out);
        if (st == YORE_OK) {
            st = yore_delete(server->db, server->expiry, row, &write, error_out);
        }
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* The counts as they were saved; false: not all were, or not at one moment. */
static bool load_saved(struct recount *recount)
{
    struct command_server *server = recount->server;
    bool is_first = true;
    for (size_t i = 0; i < server->database_count; i++) {
        struct database *database = &server->all_databases[i];
        struct saved saved;
        if (atomic_load(&database->keyspace) == NULL) {
            continue;
        }
        if (!read_saved(server, database, &saved) ||
            (!is_first && saved.moment != recount->moment.valid)) {
            return false;
        }
        recount->moment = (struct yore_time){saved.moment, saved.moment};
        recount->saved_commit =
            is_first || saved.commit > recount->saved_commit ? saved.commit : recount->saved_commit;
        is_first = false;
        atomic_store(&database->count, saved.count);
        atomic_store(&database->expires, saved.expires);
    }
    return !is_first;
}

static enum yore_status count_anew(struct command_server *server, struct yore_error *error_out)
{
    enum yore_status st = unlist_untrue(server, error_out);
    for (size_t i = 0; i < server->database_count && st == YORE_OK; i++) {
        struct database *database = &server->all_databases[i];
        struct yore_keyspace *keyspace = atomic_load(&database->keyspace);
        st = keyspace != NULL ? count_all(server, database, keyspace, error_out) : YORE_OK;
    }
    return st;
}

enum yore_status expiry_recover(struct command_server *server, struct yore_error *error_out)
{
    struct recount recount = {.server = server};
    enum yore_status st = YORE_TOO_BIG;
    if (load_saved(&recount)) {
        st = recount_written(&recount, error_out);
        if (st == YORE_OK) {
            st = drop_passed(&recount, error_out);
        }
    }
    recount_release(&recount);
    bool must_count = st == YORE_TOO_BIG || st == YORE_BEFORE_HORIZON || st == YORE_IN_FUTURE;
    return must_count ? count_anew(server, error_out) : st;
}

/* How many keys of each database have ended by `moment` and are on the list still. */
static enum yore_status subtract_passed(struct command_server *server, int64_t moment,
                                        int64_t *passed, struct yore_error *error_out)
{
    struct yore_cursor_options options = {.keys_only = true};
    struct yore_cursor *cursor = NULL;
    enum yore_status st =
        yore_cursor_open(server->db, server->expiry, &options, &cursor, error_out);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        struct yore_bytes row = yore_cursor_row(cursor)->key;
        if (!is_end_row(row) || row_end(row) > moment) {
            break;
        }
        const struct database *database = find_database(server, row_keyspace(row));
        if (database != NULL) {
            passed[database - server->all_databases]++;
        }
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

int64_t expiry_passed(struct command_server *server, const struct database *database)
{
    int64_t passed[DATABASES_MAX] = {0};
    if (atomic_load(&database->expires) <= 0) {
        return 0;
    }
    enum yore_status st = subtract_passed(server, yore_now(server->db), passed, NULL);
    return st == YORE_OK ? passed[database - server->all_databases] : 0;
}

enum yore_status expiry_save(struct command_server *server, struct yore_error *error_out)
{
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    enum yore_status st = YORE_OK;
    while (atomic_load(&server->has_active_expiry) && expiry_run(server) == 0) {
    }
    int64_t passed[DATABASES_MAX] = {0};
    access_lock(server, ACCESS_EVERY_STRIPE);
    int64_t moment = yore_now(server->db);
    st = subtract_passed(server, moment, passed, error_out);
    for (size_t i = 0; i < server->database_count && st == YORE_OK; i++) {
        struct database *database = &server->all_databases[i];
        unsigned char name[1 + DATABASE_NAME_BYTES];
        unsigned char value[COUNT_BYTES];
        if (atomic_load(&database->keyspace) == NULL) {
            continue;
        }
        put_u64(value, (uint64_t)(atomic_load(&database->count) - passed[i]));
        put_u64(value + 8, (uint64_t)(atomic_load(&database->expires) - passed[i]));
        put_u64(value + 16, (uint64_t)moment);
        st = yore_put(server->db, server->expiry, bytes_of(name, count_name(database, name)),
                      bytes_of(value, sizeof value), &write, error_out);
    }
    access_unlock(server, ACCESS_EVERY_STRIPE);
    return st;
}
