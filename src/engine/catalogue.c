/* catalogue.c -- see catalogue.h; yore_keyspace_* stand on it. */
#include "engine/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "base/coding.h"
#include "base/mem.h"
#include "engine/sources.h"

#define NAME_PREFIX "keyspace/"
#define HORIZON_PREFIX "horizon/"
#define ERASE_PREFIX "erase/"
#define RECORD_VERSION 1u

/* ---- records ---- */

struct keyspace_record {
    uint32_t id;
    struct yore_keyspace_options options;
};

static void record_encode(const struct keyspace_record *record, struct buffer *out)
{
    buffer_append_u8(out, RECORD_VERSION);
    buffer_append_u32(out, record->id);
    buffer_append_u8(out, (uint8_t)record->options.keep);
    buffer_append_u64(out, (uint64_t)record->options.keep_ns);
    buffer_append_u8(out, (uint8_t)record->options.compression);
}

static enum yore_status record_decode(struct yore_bytes value, struct keyspace_record *record_out,
                                      struct yore_error *error_out)
{
    struct decoder d;
    decoder_init(&d, value.data, value.size);
    uint8_t version = decode_u8(&d);
    record_out->id = decode_u32(&d);
    record_out->options.keep = (enum yore_keep)decode_u8(&d);
    record_out->options.keep_ns = (int64_t)decode_u64(&d);
    record_out->options.compression = (enum yore_compression)decode_u8(&d);
    if (d.is_bad || decoder_left(&d) != 0) {
        return error_set(error_out, YORE_CORRUPT, "catalogue: a keyspace record cannot be read");
    }
    if (version != RECORD_VERSION) {
        return error_set(error_out, YORE_BAD_FORMAT,
                         "catalogue: keyspace record version %u is not known to this program",
                         version);
    }
    return YORE_OK;
}

enum yore_status catalogue_erase_fact(struct yore_db *db, const struct erase_rule *rule,
                                      struct buffer *key_out, struct buffer *value_out)
{
    buffer_append(key_out, ERASE_PREFIX, sizeof ERASE_PREFIX - 1);
    buffer_append_u64(key_out, os_random_u64(db->env));
    buffer_append_u64(key_out, os_random_u64(db->env));
    buffer_append_u8(value_out, RECORD_VERSION);
    buffer_append_u32(value_out, rule->keyspace);
    buffer_append_u64(value_out, (uint64_t)rule->from);
    buffer_append_u64(value_out, (uint64_t)rule->to);
    buffer_append_varint(value_out, rule->low.size);
    buffer_append_bytes(value_out, forest_key_bytes(&rule->low));
    buffer_append_varint(value_out, rule->high.size);
    buffer_append_bytes(value_out, forest_key_bytes(&rule->high));
    return key_out->is_nomem || value_out->is_nomem ? YORE_NOMEM : YORE_OK;
}

static enum yore_status erase_decode(struct yore_bytes value, struct erase_rule *rule_out,
                                     struct yore_error *error_out)
{
    struct decoder d;
    decoder_init(&d, value.data, value.size);
    uint8_t version = decode_u8(&d);
    *rule_out = (struct erase_rule){.keyspace = decode_u32(&d)};
    rule_out->from = (int64_t)decode_u64(&d);
    rule_out->to = (int64_t)decode_u64(&d);
    struct forest_key *keys[] = {&rule_out->low, &rule_out->high};
    for (size_t i = 0; i < 2; i++) {
        uint64_t size = decode_varint(&d);
        const unsigned char *data =
            size <= YORE_KEY_BYTES_MAX + 1 ? decode_run(&d, (size_t)size) : NULL;
        d.is_bad |= data == NULL && size > 0;
        /* Borrowed: erase_set_with() copies. */
        *keys[i] = (struct forest_key){(unsigned char *)(uintptr_t)data, (size_t)size};
    }
    if (d.is_bad || version != RECORD_VERSION) {
        return error_set(error_out, version != RECORD_VERSION ? YORE_BAD_FORMAT : YORE_CORRUPT,
                         "catalogue: an erasure (version %u) cannot be read", version);
    }
    return YORE_OK;
}

/* ---- keyspaces in memory ---- */

struct yore_keyspace *db_keyspace(struct yore_db *db, uint32_t id)
{
    struct yore_keyspace *found = NULL;
    os_mutex_lock(&db->lock);
    for (size_t i = 0; i < db->keyspace_count && found == NULL; i++) {
        found = db->keyspaces[i]->id == id ? db->keyspaces[i] : NULL;
    }
    os_mutex_unlock(&db->lock);
    return found;
}

static void set_options(struct yore_keyspace *keyspace, const struct yore_keyspace_options *options)
{
    atomic_store(&keyspace->keep, (int)options->keep);
    atomic_store(&keyspace->keep_ns, options->keep_ns);
    atomic_store(&keyspace->compression, (int)options->compression);
}

static enum yore_status add_keyspace(struct yore_db *db, struct yore_bytes name,
                                     const struct keyspace_record *record,
                                     struct yore_keyspace **keyspace_out)
{
    struct yore_keyspace *keyspace = mem_zalloc(sizeof *keyspace);
    if (keyspace == NULL) {
        return YORE_NOMEM;
    }
    keyspace->db = db;
    keyspace->id = record->id;
    memcpy(keyspace->name, name.data, name.size);
    atomic_init(&keyspace->horizon, YORE_TIME_MIN);
    set_options(keyspace, &record->options);
    os_mutex_lock(&db->lock);
    struct yore_keyspace **grown =
        mem_realloc(db->keyspaces, (db->keyspace_count + 1) * sizeof(*grown));
    if (grown != NULL) {
        db->keyspaces = grown;
        grown[db->keyspace_count++] = keyspace;
    }
    os_mutex_unlock(&db->lock);
    if (grown == NULL) {
        mem_free(keyspace);
        return YORE_NOMEM;
    }
    *keyspace_out = keyspace;
    return YORE_OK;
}

enum yore_status catalogue_init(struct yore_db *db)
{
    struct keyspace_record system = {.id = KEYSPACE_SYSTEM};
    struct keyspace_record plain = {.id = KEYSPACE_DEFAULT};
    enum yore_status st = add_keyspace(db, bytes_of("catalogue", 9), &system, &db->system_keyspace);
    return st == YORE_OK ? add_keyspace(db, bytes_of("default", 7), &plain, &db->default_keyspace)
                         : st;
}

static enum yore_status apply_keyspace(struct yore_db *db, const struct commit_write *write,
                                       struct yore_bytes name, struct yore_error *error_out)
{
    struct keyspace_record record;
    struct yore_keyspace *keyspace;
    if (write->kind == YORE_KIND_DELETE) {
        os_mutex_lock(&db->lock);
        for (size_t i = 0; i < db->keyspace_count; i++) {
            keyspace = db->keyspaces[i];
            if (strlen(keyspace->name) == name.size &&
                memcmp(keyspace->name, name.data, name.size) == 0) {
                atomic_store(&keyspace->is_dropped, true);
            }
        }
        os_mutex_unlock(&db->lock);
        return YORE_OK;
    }
    if (name.size == 0 || name.size > YORE_KEYSPACE_NAME_BYTES_MAX) {
        return error_set(error_out, YORE_CORRUPT, "catalogue: a keyspace name of %zu bytes",
                         name.size);
    }
    enum yore_status st = record_decode(write->value, &record, error_out);
    if (st != YORE_OK) {
        return st;
    }
    keyspace = db_keyspace(db, record.id);
    if (keyspace == NULL) {
        st = add_keyspace(db, name, &record, &keyspace);
        return st == YORE_OK ? st : error_plain(error_out, st);
    }
    set_options(keyspace, &record.options);
    return YORE_OK;
}

/* `set` with the erasure of `write`, into *next_out. */
static enum yore_status set_with(const struct erase_set *set, const struct commit_write *write,
                                 int64_t commit, struct erase_set **next_out,
                                 struct yore_error *error_out)
{
    struct erase_rule rule;
    enum yore_status st = erase_decode(write->value, &rule, error_out);
    if (st == YORE_OK) {
        rule.commit = commit;
        st = erase_set_with(set, &rule, next_out);
        return st == YORE_OK ? st : error_plain(error_out, st);
    }
    return st;
}

/* Make `erased` what readers see, with the spare view where there is one. */
static enum yore_status publish_erased(struct yore_db *db, struct erase_set *erased,
                                       struct superview *spare, struct yore_error *error_out)
{
    os_mutex_lock(&db->lock);
    if (spare != NULL) {
        spare->next_free = db->free_views;
        db->free_views = spare;
    }
    struct superview *view = atomic_load_explicit(&db->view, memory_order_acquire);
    enum yore_status st = db_publish(db, view->active, view->forest, erased);
    db->is_erase_pending = true;
    os_mutex_unlock(&db->lock);
    return st == YORE_OK ? st : error_plain(error_out, st);
}

static enum yore_status apply_erase(struct yore_db *db, const struct commit_write *write,
                                    int64_t commit, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct erase_set *next = NULL;
    enum yore_status st = set_with(view->erased, write, commit, &next, error_out);
    superview_release(view);
    if (st == YORE_OK) {
        st = publish_erased(db, next, NULL, error_out);
    }
    erase_set_unref(next);
    return st;
}

static enum yore_status apply_horizon(struct yore_db *db, const struct commit_write *write,
                                      struct yore_bytes rest, struct yore_error *error_out)
{
    if (rest.size != 4 || write->value.size != 8 || write->kind != YORE_KIND_PUT) {
        return error_set(error_out, YORE_CORRUPT, "catalogue: a horizon record cannot be read");
    }
    struct yore_keyspace *keyspace = db_keyspace(db, get_u32(rest.data));
    int64_t horizon = (int64_t)get_u64(write->value.data);
    if (keyspace != NULL && horizon > atomic_load(&keyspace->horizon)) {
        atomic_store_explicit(&keyspace->horizon, horizon, memory_order_release);
    }
    return YORE_OK;
}

static bool has_prefix(struct yore_bytes key, const char *prefix, struct yore_bytes *rest_out)
{
    size_t size = strlen(prefix);
    if (!bytes_starts_with(key, bytes_of(prefix, size))) {
        return false;
    }
    *rest_out = bytes_of((const unsigned char *)key.data + size, key.size - size);
    return true;
}

enum yore_status catalogue_apply(struct yore_db *db, const struct commit_write *write,
                                 int64_t commit, struct yore_error *error_out)
{
    struct yore_bytes rest;
    if (has_prefix(write->key, NAME_PREFIX, &rest)) {
        return apply_keyspace(db, write, rest, error_out);
    }
    if (has_prefix(write->key, HORIZON_PREFIX, &rest)) {
        return apply_horizon(db, write, rest, error_out);
    }
    if (has_prefix(write->key, ERASE_PREFIX, &rest) && write->kind == YORE_KIND_PUT) {
        struct catalogue_pending *pending = &db->pending;
        struct erase_set *erased = pending->erased;
        if (!pending->is_prepared) {
            return apply_erase(db, write, commit, error_out);
        }
        pending->erased = NULL; /* one set holds every erasure of the commit */
        struct superview *spare = pending->spare;
        pending->spare = NULL;
        enum yore_status st =
            erased != NULL ? publish_erased(db, erased, spare, error_out) : YORE_OK;
        erase_set_unref(erased);
        return st;
    }
    return error_set(error_out, YORE_BAD_FORMAT,
                     "catalogue: a record of a kind that this program does not know");
}

static enum yore_status prepare_write(struct yore_db *db, const struct commit_write *write,
                                      int64_t commit, struct yore_error *error_out)
{
    struct catalogue_pending *pending = &db->pending;
    struct yore_bytes rest;
    bool is_put = write->kind == YORE_KIND_PUT;
    if (has_prefix(write->key, NAME_PREFIX, &rest) && is_put) {
        return apply_keyspace(db, write, rest, error_out); /* empty until the commit is visible */
    }
    if (!has_prefix(write->key, ERASE_PREFIX, &rest) || !is_put) {
        return YORE_OK;
    }
    struct superview *view = superview_acquire(db);
    struct erase_set *next = NULL;
    const struct erase_set *before = pending->erased != NULL ? pending->erased : view->erased;
    enum yore_status st = set_with(before, write, commit, &next, error_out);
    superview_release(view);
    if (st == YORE_OK) {
        erase_set_unref(pending->erased);
        pending->erased = next;
    }
    if (st == YORE_OK && pending->spare == NULL) {
        pending->spare = superview_spare(db);
        st = pending->spare != NULL ? st : error_plain(error_out, YORE_NOMEM);
    }
    return st;
}

enum yore_status catalogue_prepare(struct yore_db *db, const struct commit_request *request,
                                   struct yore_error *error_out)
{
    struct commit_decoder c = {.commit = request->commit, .count = request->count};
    struct commit_write write;
    enum yore_status st = YORE_OK;
    db->pending.is_prepared = true;
    decoder_init(&c.d, request->writes->data, request->writes->size);
    while (st == YORE_OK && commit_decoder_next(&c, &write) == YORE_OK) {
        if (write.keyspace == KEYSPACE_SYSTEM) {
            st = prepare_write(db, &write, request->commit, error_out);
        }
    }
    return st;
}

void catalogue_settle(struct yore_db *db)
{
    struct catalogue_pending *pending = &db->pending;
    erase_set_unref(pending->erased);
    if (pending->spare != NULL) {
        os_mutex_lock(&db->lock);
        pending->spare->next_free = db->free_views;
        db->free_views = pending->spare;
        os_mutex_unlock(&db->lock);
    }
    *pending = (struct catalogue_pending){0};
}

/* Replay the whole history of keyspace 0, in commit order per key: every version is applied, oldest
 * first, so that dropped keyspaces are known too. */
enum yore_status catalogue_load(struct yore_db *db, struct yore_error *error_out)
{
    struct iter_view all = {.known = INT64_MAX, .valid = INT64_MAX, .commit_after = INT64_MIN};
    struct superview *view = superview_acquire(db);
    struct version_iter *it = NULL;
    enum yore_status st =
        sources_all(view, db->system_keyspace, bytes_of(NULL, 0), bytes_of(NULL, 0), &all,
                    YORE_TIME_MIN, INT64_MAX, &it, error_out);
    if (st == YORE_OK) {
        /* Names before horizons: walked from the last key back to the first, and within a key from
         * the oldest version on. */
        for (version_iter_last(it); st == YORE_OK && it->is_valid; version_iter_prev(it)) {
            struct commit_write write = {.keyspace = KEYSPACE_SYSTEM,
                                         .kind = it->at.kind,
                                         .key = it->at.key,
                                         .value = it->at.value};
            st = catalogue_apply(db, &write, it->at.commit, error_out);
        }
        if (st == YORE_OK && it->status != YORE_OK) {
            st = error_set(error_out, it->status, "%s", it->error.text);
        }
    }
    version_iter_free(it);
    superview_release(view);
    return st;
}

/* ---- committing records ---- */

static enum yore_status commit_record(struct yore_db *db, enum yore_kind kind,
                                      const struct buffer *key, const struct buffer *value,
                                      struct yore_error *error_out)
{
    struct buffer writes = {0};
    struct fact fact = {.keyspace = db->system_keyspace,
                        .kind = kind,
                        .key = buffer_bytes(key),
                        .value = value != NULL ? buffer_bytes(value) : bytes_of(NULL, 0),
                        .from = YORE_NOW,
                        .to = YORE_FOREVER};
    struct commit_request request = {.writes = &writes,
                                     .valid_max = INT64_MIN,
                                     .is_catalogue = true,
                                     .durability = YORE_DURABILITY_SYNC};
    enum yore_status st =
        key->is_nomem || (value != NULL && value->is_nomem) ? YORE_NOMEM : YORE_OK;
    if (st == YORE_OK) {
        st = fact_encode(db, &fact, &writes, &request, error_out);
    } else {
        error_plain(error_out, st);
    }
    if (st == YORE_OK) {
        st = commit_submit(db, &request, error_out);
    }
    values_let_go(db->values, &request.value_hold);
    buffer_release(&writes);
    return st;
}

enum yore_status catalogue_set_horizon(struct yore_db *db, struct yore_keyspace *keyspace,
                                       int64_t horizon, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct buffer value = {0};
    if (horizon <= atomic_load(&keyspace->horizon)) {
        return YORE_OK;
    }
    buffer_append(&key, HORIZON_PREFIX, sizeof HORIZON_PREFIX - 1);
    buffer_append_u32(&key, keyspace->id);
    buffer_append_u64(&value, (uint64_t)horizon);
    enum yore_status st = commit_record(db, YORE_KIND_PUT, &key, &value, error_out);
    buffer_release(&key);
    buffer_release(&value);
    if (st == YORE_OK) {
        jobs_wake(db);
    }
    return st;
}

static enum yore_status put_keyspace(struct yore_db *db, const char *name,
                                     const struct keyspace_record *record,
                                     struct yore_error *error_out)
{
    struct buffer key = {0};
    struct buffer value = {0};
    buffer_append(&key, NAME_PREFIX, sizeof NAME_PREFIX - 1);
    buffer_append(&key, name, strlen(name));
    if (record != NULL) {
        record_encode(record, &value);
    }
    enum yore_status st = commit_record(db, record != NULL ? YORE_KIND_PUT : YORE_KIND_DELETE, &key,
                                        record != NULL ? &value : NULL, error_out);
    buffer_release(&key);
    buffer_release(&value);
    return st;
}

enum yore_status catalogue_begin(struct yore_db *db, struct yore_error *error_out)
{
    struct keyspace_record plain = {.id = KEYSPACE_DEFAULT};
    return put_keyspace(db, "default", &plain, error_out);
}

/* ---- the public face ---- */

static enum yore_status check_name(const char *name, struct yore_error *error_out)
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
    for (size_t i = 1; i < db->keyspace_count && found == NULL; i++) {
        struct yore_keyspace *k = db->keyspaces[i];
        found = !atomic_load(&k->is_dropped) && strcmp(k->name, name) == 0 ? k : NULL;
    }
    os_mutex_unlock(&db->lock);
    return found;
}

static uint32_t next_id(struct yore_db *db, size_t *living_out)
{
    uint32_t id = 0;
    *living_out = 0;
    os_mutex_lock(&db->lock);
    for (size_t i = 0; i < db->keyspace_count; i++) {
        id = db->keyspaces[i]->id > id ? db->keyspaces[i]->id : id;
        *living_out += !atomic_load(&db->keyspaces[i]->is_dropped);
    }
    os_mutex_unlock(&db->lock);
    return id + 1;
}

enum yore_status yore_keyspace_create(struct yore_db *db, const char *name,
                                      const struct yore_keyspace_options *options,
                                      struct yore_keyspace **keyspace_out,
                                      struct yore_error *error_out)
{
    static const struct yore_keyspace_options keep_all = {.keep = YORE_KEEP_ALL};
    options = options != NULL ? options : &keep_all;
    error_clear(error_out);
    *keyspace_out = NULL;
    enum yore_status st = check_name(name, error_out);
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
    } else if (living > YORE_KEYSPACES_MAX) {
        st = error_set(error_out, YORE_TOO_BIG, "there are %u keyspaces already: drop one first",
                       YORE_KEYSPACES_MAX);
    } else {
        st = put_keyspace(db, name, &record, error_out);
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
    char key[sizeof NAME_PREFIX + YORE_KEYSPACE_NAME_BYTES_MAX];
    struct yore_value value;
    struct keyspace_record record;
    error_clear(error_out);
    *keyspace_out = NULL;
    enum yore_status st = check_name(name, error_out);
    if (st != YORE_OK) {
        return st;
    }
    int size = snprintf(key, sizeof key, "%s%s", NAME_PREFIX, name);
    st = yore_get(db, db->system_keyspace, bytes_of(key, (size_t)size), at, &value, error_out);
    if (st == YORE_NOT_FOUND) {
        return error_set(error_out, YORE_NOT_FOUND, "there is no keyspace %s%s", name,
                         at != NULL ? " at that moment" : "; create it first");
    }
    if (st != YORE_OK) {
        return st;
    }
    st = record_decode(bytes_of(value.data, value.size), &record, error_out);
    yore_value_release(&value);
    if (st == YORE_OK) {
        *keyspace_out = db_keyspace(db, record.id);
    }
    return st;
}

enum yore_status yore_keyspace_drop(struct yore_db *db, const char *name,
                                    struct yore_error *error_out)
{
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
        st = put_keyspace(db, name, NULL, error_out);
    }
    os_mutex_unlock(&db->catalogue_lock);
    return st;
}

enum yore_status yore_keyspace_alter(struct yore_db *db, struct yore_keyspace *keyspace,
                                     const struct yore_keyspace_options *options,
                                     struct yore_error *error_out)
{
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
    if (atomic_load(&keyspace->is_dropped)) {
        st = error_set(error_out, YORE_NOT_FOUND, "keyspace %s was dropped", keyspace->name);
    } else {
        st = put_keyspace(db, keyspace->name, &record, error_out);
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
        .is_dropped = atomic_load(&keyspace->is_dropped)};
    memcpy(info_out->name, keyspace->name, sizeof info_out->name);
}

enum yore_status yore_keyspace_info(struct yore_db *db, struct yore_keyspace *keyspace,
                                    struct yore_keyspace_info *info_out,
                                    struct yore_error *error_out)
{
    error_clear(error_out);
    fill_info(keyspace_or_default(db, keyspace), info_out);
    return YORE_OK;
}

enum yore_status yore_keyspace_list(struct yore_db *db, const struct yore_time *at,
                                    int (*each)(void *arg, const struct yore_keyspace_info *info),
                                    void *arg, struct yore_error *error_out)
{
    struct yore_cursor_options options = {
        .range = {.prefix = bytes_of(NAME_PREFIX, sizeof NAME_PREFIX - 1)}, .at = at};
    struct yore_cursor *cursor;
    enum yore_status st = yore_cursor_open(db, db->system_keyspace, &options, &cursor, error_out);
    if (st != YORE_OK) {
        return st;
    }
    bool is_stopped = false;
    while (!is_stopped && (st = yore_cursor_next(cursor)) == YORE_OK) {
        struct keyspace_record record;
        struct yore_keyspace_info info;
        st = record_decode(yore_cursor_row(cursor)->value, &record, error_out);
        struct yore_keyspace *keyspace = st == YORE_OK ? db_keyspace(db, record.id) : NULL;
        if (keyspace == NULL) {
            break;
        }
        fill_info(keyspace, &info);
        info.options = record.options;
        is_stopped = each(arg, &info) != 0;
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND && error_out != NULL && error_out->text[0] == '\0') {
        *error_out = *yore_cursor_error(cursor);
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

enum yore_status yore_trim(struct yore_db *db, struct yore_keyspace *keyspace, int64_t horizon,
                           struct yore_error *error_out)
{
    error_clear(error_out);
    keyspace = keyspace_or_default(db, keyspace);
    int64_t now = db_now(db);
    if (horizon == INT64_MIN || horizon > now) {
        return error_set(error_out, horizon == INT64_MIN ? YORE_INVALID : YORE_IN_FUTURE,
                         "the horizon %lld must be a moment not later than now, %lld",
                         (long long)horizon, (long long)now);
    }
    if (atomic_load(&keyspace->keep) == YORE_KEEP_NOW) {
        return error_set(error_out, YORE_UNSUPPORTED, "keyspace %s keeps only now: nothing to trim",
                         keyspace->name);
    }
    enum yore_status st = catalogue_set_horizon(db, keyspace, horizon, error_out);
    return st == YORE_OK ? jobs_run_inline(db, error_out) : st;
}
