/* keyspace.c -- yore_keyspace_* and yore_trim(): what is asked is checked here, and made or read as
 * records of the catalogue.
 */
#include "engine/keyspace.h"

#include <stdio.h>
#include <string.h>

#include "engine/catalogue.h"
#include "engine/refuse.h"

enum yore_status keyspace_check_name(const char *name, struct yore_error *error_out)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t size = strlen(name);
    if (size == 0 || size > YORE_KEYSPACE_NAME_BYTES_MAX || strspn(name, allowed) != size) {
        return error_set(
            error_out, YORE_INVALID,
            "keyspace name '%.64s': 1 to %u characters of A-Z a-z 0-9 _ . - are allowed", name,
            YORE_KEYSPACE_NAME_BYTES_MAX);
    }
    return YORE_OK;
}

static enum yore_status check_options(const struct yore_keyspace_options *options,
                                      struct yore_error *error_out)
{
    if ((unsigned)options->keep > YORE_KEEP_NOW ||
        (unsigned)options->compression > YORE_COMPRESSION_ZSTD) {
        return error_set(error_out, YORE_INVALID,
                         "keyspace options: keep %d or compression %d is unknown",
                         (int)options->keep, (int)options->compression);
    }
    if (options->keep == YORE_KEEP_FOR && options->keep_ns <= 0) {
        return error_set(error_out, YORE_INVALID,
                         "keyspace options: keep_ns must be greater than 0 to keep a duration");
    }
    return YORE_OK;
}

/* The living keyspace of that name; NULL: none. */
static struct yore_keyspace *find_living(struct yore_db *db, const char *name)
{
    struct yore_keyspace *found = NULL;
    os_mutex_lock(&db->lock);
    for (size_t i = 0; i < db->living_count && found == NULL; i++) {
        struct yore_keyspace *k = db->living[i];
        found = k != db->system_keyspace && strcmp(k->name, name) == 0 ? k : NULL;
    }
    os_mutex_unlock(&db->lock);
    return found;
}

static uint32_t next_id(struct yore_db *db, size_t *living_out)
{
    os_mutex_lock(&db->lock);
    uint32_t last = db->keyspaces[db->keyspace_count - 1]->id;
    *living_out = db->living_count;
    os_mutex_unlock(&db->lock);
    return last + 1;
}

enum yore_status yore_keyspace_create(struct yore_db *db, const char *name,
                                      const struct yore_keyspace_options *options,
                                      struct yore_keyspace **keyspace_out,
                                      struct yore_error *error_out)
{
    if (db == NULL || name == NULL || keyspace_out == NULL) {
        return error_null(error_out, __func__, "db, name, keyspace_out");
    }
    static const struct yore_keyspace_options keep_all = {.keep = YORE_KEEP_ALL};
    options = options != NULL ? options : &keep_all;
    error_clear(error_out);
    *keyspace_out = NULL;
    enum yore_status st = keyspace_check_name(name, error_out);
    if (st == YORE_OK) {
        st = check_options(options, error_out);
    }
    if (st != YORE_OK) {
        return st;
    }
    size_t living;
    os_mutex_lock(&db->catalogue_lock);
    struct keyspace_record record = {next_id(db, &living), *options};
    if (find_living(db, name) != NULL) {
        st = error_set(error_out, YORE_EXISTS, "keyspace %s exists already", name);
    } else if (living > YORE_KEYSPACES_MAX && db_check_writable(db, error_out) == YORE_OK) {
        st = error_set(error_out, YORE_TOO_BIG, "there are %u keyspaces already: drop one first",
                       YORE_KEYSPACES_MAX);
    } else {
        st = catalogue_put_keyspace(db, name, &record, error_out);
    }
    if (st == YORE_OK) {
        *keyspace_out = db_keyspace(db, record.id);
    }
    os_mutex_unlock(&db->catalogue_lock);
    return st;
}

enum yore_status yore_keyspace_open(struct yore_db *db, const char *name,
                                    const struct yore_time *at, struct yore_keyspace **keyspace_out,
                                    struct yore_error *error_out)
{
    if (db == NULL || name == NULL || keyspace_out == NULL) {
        return error_null(error_out, __func__, "db, name, keyspace_out");
    }
    char key[sizeof KEYSPACE_RECORD_PREFIX + YORE_KEYSPACE_NAME_BYTES_MAX];
    struct yore_value value;
    struct keyspace_record record;
    error_clear(error_out);
    *keyspace_out = NULL;
    enum yore_status st = keyspace_check_name(name, error_out);
    if (st != YORE_OK) {
        return st;
    }
    int size = snprintf(key, sizeof key, "%s%s", KEYSPACE_RECORD_PREFIX, name);
    st = yore_get(db, db->system_keyspace, bytes_of(key, (size_t)size), at, &value, error_out);
    if (st == YORE_NOT_FOUND && strcmp(name, "default") == 0) {
        *keyspace_out = db->default_keyspace; /* before it was recorded */
        error_clear(error_out);
        return YORE_OK;
    }
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_NOT_FOUND, "there is no keyspace %s%s", name,
                         at != NULL ? " at that moment" : "; create it first");
    }
    if (st != YORE_OK) {
        return st;
    }
    st = keyspace_record_decode(bytes_of(value.data, value.size), &record, error_out);
    yore_value_release(&value);
    if (st == YORE_OK) {
        *keyspace_out = db_keyspace(db, record.id);
    }
    return st;
}

enum yore_status yore_keyspace_drop(struct yore_db *db, const char *name,
                                    struct yore_error *error_out)
{
    if (db == NULL || name == NULL) {
        return error_null(error_out, __func__, "db, name");
    }
    error_clear(error_out);
    os_mutex_lock(&db->catalogue_lock);
    struct yore_keyspace *keyspace = find_living(db, name);
    enum yore_status st;
    if (keyspace == NULL) {
        st = error_set(error_out, YORE_NOT_FOUND, "there is no keyspace %s", name);
    } else if (keyspace == db->default_keyspace) {
        st = error_set(error_out, YORE_INVALID,
                       "keyspace default always exists; erase its keys instead");
    } else {
        st = catalogue_put_keyspace(db, name, NULL, error_out);
    }
    os_mutex_unlock(&db->catalogue_lock);
    return st;
}

enum yore_status yore_keyspace_alter(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct yore_keyspace_options *options,
                                     struct yore_error *error_out)
{
    if (db == NULL || options == NULL) {
        return error_null(error_out, __func__, "db, options");
    }
    error_clear(error_out);
    keyspace = keyspace_or_default(db, keyspace);
    struct keyspace_record record = {keyspace->id, *options};
    enum yore_status st = check_options(options, error_out);
    bool was_now = atomic_load(&keyspace->keep) == YORE_KEEP_NOW;
    if (st == YORE_OK && was_now != (options->keep == YORE_KEEP_NOW)) {
        st = error_set(
            error_out, YORE_INVALID,
            "keyspace %s: keeping only now is chosen when a keyspace is created and stays",
            keyspace->name);
    }
    if (st != YORE_OK) {
        return st;
    }
    os_mutex_lock(&db->catalogue_lock);
    if (keyspace_is_dropped(keyspace)) {
        st = error_set(error_out, YORE_NOT_FOUND, "keyspace %s was dropped", keyspace->name);
    } else {
        st = catalogue_put_keyspace(db, keyspace->name, &record, error_out);
    }
    os_mutex_unlock(&db->catalogue_lock);
    return st;
}

uint32_t yore_keyspace_id(const struct yore_keyspace *keyspace)
{
    return keyspace != NULL ? keyspace->id : KEYSPACE_DEFAULT;
}

static void fill_info(const struct yore_keyspace *keyspace, struct yore_keyspace_info *info_out)
{
    *info_out = (struct yore_keyspace_info){
        .id = keyspace->id,
        .options = {(enum yore_keep)atomic_load(&keyspace->keep), atomic_load(&keyspace->keep_ns),
                    (enum yore_compression)atomic_load(&keyspace->compression)},
        .horizon = atomic_load(&keyspace->horizon),
        .is_dropped = keyspace_is_dropped(keyspace),
        .dropped_at = atomic_load(&keyspace->dropped_at)};
    memcpy(info_out->name, keyspace->name, strlen(keyspace->name) + 1);
}

enum yore_status yore_keyspace_info(struct yore_db *db, struct yore_keyspace *keyspace,
                                    struct yore_keyspace_info *info_out,
                                    struct yore_error *error_out)
{
    if (db == NULL || info_out == NULL) {
        return error_null(error_out, __func__, "db, info_out");
    }
    error_clear(error_out);
    fill_info(keyspace_or_default(db, keyspace), info_out);
    return YORE_OK;
}

/* A walk over the keyspaces of a moment. */
struct keyspace_walk {
    struct yore_db *db;
    int (*each)(void *arg, const struct yore_keyspace_info *info);
    void *arg;
    bool is_default_told; /* or its place is still to come */
};

/* True: `each` has had enough. */
static bool tell_keyspace(struct keyspace_walk *walk, const struct keyspace_record *record)
{
    struct yore_keyspace_info info;
    fill_info(db_keyspace(walk->db, record->id), &info);
    info.options = record->options;
    return walk->each(walk->arg, &info) != 0;
}

/* The default keyspace was there before the commit that records it, as it was then.  `next` is the
 * name about to be told; empty: there are no more. */
static bool tell_default(struct keyspace_walk *walk, struct yore_bytes next)
{
    int order = next.size > 0 ? bytes_compare(next, bytes_of("default", 7)) : 1;
    if (walk->is_default_told || order < 0) {
        return false;
    }
    walk->is_default_told = true;
    return order > 0 && tell_keyspace(walk, &keyspace_record_default);
}

static enum yore_status tell_row(struct keyspace_walk *walk, const struct yore_row *row,
                                 bool *is_stopped_out, struct yore_error *error_out)
{
    struct keyspace_record record;
    size_t prefix_size = sizeof KEYSPACE_RECORD_PREFIX - 1;
    struct yore_bytes name = bytes_behind(row->key, prefix_size);
    enum yore_status st = keyspace_record_decode(row->value, &record, error_out);
    if (st == YORE_OK && db_keyspace(walk->db, record.id) == NULL) {
        st = error_set(error_out, YORE_CORRUPT, "catalogue: keyspace %u is not known", record.id);
    }
    *is_stopped_out = st == YORE_OK && (tell_default(walk, name) || tell_keyspace(walk, &record));
    return st;
}

enum yore_status yore_keyspace_list(struct yore_db *db, const struct yore_time *at,
                                    int (*each)(void *arg, const struct yore_keyspace_info *info),
                                    void *arg, struct yore_error *error_out)
{
    if (db == NULL || each == NULL) {
        return error_null(error_out, __func__, "db, each");
    }
    struct yore_cursor_options options = {
        .range = {.prefix = bytes_of(KEYSPACE_RECORD_PREFIX, sizeof KEYSPACE_RECORD_PREFIX - 1)},
        .at = at};
    struct keyspace_walk walk = {db, each, arg, false};
    struct yore_cursor *cursor;
    enum yore_status st = yore_cursor_open(db, db->system_keyspace, &options, &cursor, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_stopped = false;
    while (!is_stopped && st == YORE_OK) {
        st = yore_cursor_next(cursor);
        if (st == YORE_OK) {
            st = tell_row(&walk, yore_cursor_row(cursor), &is_stopped, error_out);
        } else if (st == YORE_NOT_FOUND) {
            (void)tell_default(&walk, bytes_of(NULL, 0));
        } else if (error_out != NULL) {
            *error_out = *yore_cursor_error(cursor);
        }
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status yore_trim(struct yore_db *db, struct yore_keyspace *keyspace, int64_t horizon,
                           struct yore_error *error_out)
{
    if (db == NULL) {
        return error_null(error_out, __func__, "db");
    }
    error_clear(error_out);
    keyspace = keyspace_or_default(db, keyspace);
    int64_t now = db_now(db);
    if (horizon == INT64_MIN || horizon > now) {
        char texts[2][MOMENT_TEXT_BYTES];
        return error_set(error_out, horizon == INT64_MIN ? YORE_INVALID : YORE_IN_FUTURE,
                         "the horizon, %s, must be a moment not later than now, %s",
                         horizon == INT64_MIN ? "out of range" : moment_told(horizon, texts[0]),
                         moment_told(now, texts[1]));
    }
    if (atomic_load(&keyspace->keep) == YORE_KEEP_NOW) {
        return error_set(error_out, YORE_UNSUPPORTED, "keyspace %s keeps only now: nothing to trim",
                         keyspace->name);
    }
    enum yore_status st = catalogue_set_horizon(db, keyspace, horizon, error_out);
    return st == YORE_OK ? jobs_run_inline(db, error_out) : st;
}
