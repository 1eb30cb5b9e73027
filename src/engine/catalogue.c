/* catalogue.c -- records, what they make in memory, and committing them. */
#include "engine/catalogue.h"

#include <string.h>

#include "base/coding.h"
#include "base/mem.h"
#include "engine/sources.h"

#define HORIZON_PREFIX "horizon/"
#define ERASE_PREFIX "erase/"
#define RECORD_VERSION 1u

/* ---- records ---- */

const struct keyspace_record keyspace_record_default = {.id = KEYSPACE_DEFAULT};

static void record_encode(const struct keyspace_record *record, struct buffer *out)
{
    buffer_append_u8(out, RECORD_VERSION);
    buffer_append_u32(out, record->id);
    buffer_append_u8(out, (uint8_t)record->options.keep);
    buffer_append_u64(out, (uint64_t)record->options.keep_ns);
    buffer_append_u8(out, (uint8_t)record->options.compression);
}

enum yore_status keyspace_record_decode(struct yore_bytes value, struct keyspace_record *record_out,
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

/* Of the first whose id is not less.  REQUIRES(lock). */
static size_t keyspace_index(const struct yore_db *db, uint32_t id)
{
    size_t low = 0;
    size_t high = db->keyspace_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (db->keyspaces[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct yore_keyspace *db_keyspace(struct yore_db *db, uint32_t id)
{
    os_mutex_lock(&db->lock);
    size_t index = keyspace_index(db, id);
    bool is_found = index < db->keyspace_count && db->keyspaces[index]->id == id;
    struct yore_keyspace *found = is_found ? db->keyspaces[index] : NULL;
    os_mutex_unlock(&db->lock);
    return found;
}

static void set_options(struct yore_keyspace *keyspace, const struct yore_keyspace_options *options)
{
    atomic_store(&keyspace->keep, (int)options->keep);
    atomic_store(&keyspace->keep_ns, options->keep_ns);
    atomic_store(&keyspace->compression, (int)options->compression);
}

static enum yore_status list_keyspace(struct yore_db *db, struct yore_keyspace *keyspace)
    REQUIRES(db->lock)
{
    struct yore_keyspace **all =
        mem_grow(db->keyspaces, db->keyspace_count, &db->keyspace_capacity, sizeof(*all));
    if (all == NULL) {
        return YORE_NOMEM;
    }
    db->keyspaces = all;
    struct yore_keyspace **living =
        mem_grow(db->living, db->living_count, &db->living_capacity, sizeof(*living));
    if (living == NULL) {
        return YORE_NOMEM;
    }
    db->living = living;
    living[db->living_count++] = keyspace;
    size_t index = keyspace_index(db, keyspace->id);
    memmove(all + index + 1, all + index, (db->keyspace_count - index) * sizeof(*all));
    all[index] = keyspace;
    db->keyspace_count++;
    return YORE_OK;
}

static enum yore_status add_keyspace(struct yore_db *db, struct yore_bytes name,
                                     const struct keyspace_record *record,
                                     struct yore_keyspace **keyspace_out)
{
    struct yore_keyspace *keyspace = mem_zalloc(sizeof *keyspace + name.size + 1);
    if (keyspace == NULL) {
        return YORE_NOMEM;
    }
    keyspace->db = db;
    keyspace->id = record->id;
    memcpy(keyspace->name, name.data, name.size);
    atomic_init(&keyspace->horizon, YORE_TIME_MIN);
    atomic_init(&keyspace->dropped_at, INT64_MAX);
    set_options(keyspace, &record->options);
    os_mutex_lock(&db->lock);
    enum yore_status st = list_keyspace(db, keyspace);
    os_mutex_unlock(&db->lock);
    if (st != YORE_OK) {
        mem_free(keyspace);
        return st;
    }
    *keyspace_out = keyspace;
    return YORE_OK;
}

enum yore_status catalogue_init(struct yore_db *db)
{
    struct keyspace_record system = {.id = KEYSPACE_SYSTEM};
    enum yore_status st = add_keyspace(db, bytes_of("catalogue", 9), &system, &db->system_keyspace);
    if (st == YORE_OK) {
        st = add_keyspace(db, bytes_of("default", 7), &keyspace_record_default,
                          &db->default_keyspace);
    }
    return st;
}

/* Every keyspace of that name that is still there, but the catalogue itself. */
static void drop_named(struct yore_db *db, struct yore_bytes name, int64_t commit)
{
    size_t kept = 0;
    os_mutex_lock(&db->lock);
    for (size_t i = 0; i < db->living_count; i++) {
        struct yore_keyspace *keyspace = db->living[i];
        bool is_named = keyspace != db->system_keyspace && strlen(keyspace->name) == name.size &&
                        memcmp(keyspace->name, name.data, name.size) == 0;
        if (is_named) {
            atomic_store_explicit(&keyspace->dropped_at, commit, memory_order_release);
        } else {
            db->living[kept++] = keyspace;
        }
    }
    db->living_count = kept;
    os_mutex_unlock(&db->lock);
    db->last_drop = commit > db->last_drop ? commit : db->last_drop;
    atomic_fetch_add(&db->refusals, 1);
}

static enum yore_status apply_keyspace(struct yore_db *db, const struct commit_write *write,
                                       struct yore_bytes name, int64_t commit,
                                       struct yore_error *error_out)
{
    struct keyspace_record record;
    struct yore_keyspace *keyspace;
    if (write->kind == YORE_KIND_DELETE) {
        drop_named(db, name, commit);
        return YORE_OK;
    }
    if (name.size == 0 || name.size > YORE_KEYSPACE_NAME_BYTES_MAX) {
        return error_set(error_out, YORE_CORRUPT, "catalogue: a keyspace name of %zu bytes",
                         name.size);
    }
    enum yore_status st = keyspace_record_decode(write->value, &record, error_out);
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

static enum yore_status set_with(const struct erase_set *set, const struct erase_rule *rule,
                                 struct erase_set **next_out, struct yore_error *error_out)
{
    enum yore_status st = erase_set_with(set, rule, next_out);
    return st == YORE_OK ? st : error_plain(error_out, st);
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
    os_cond_broadcast(&db->upkeep);
    os_mutex_unlock(&db->lock);
    return st == YORE_OK ? st : error_plain(error_out, st);
}

static enum yore_status apply_erase(struct yore_db *db, const struct commit_write *write,
                                    int64_t commit, struct yore_error *error_out)
{
    struct erase_rule rule;
    struct erase_set *next = NULL;
    enum yore_status st = erase_decode(write->value, &rule, error_out);
    if (st != YORE_OK) {
        return st;
    }
    rule.commit = commit;
    struct superview *view = superview_acquire(db);
    if (commit > view->forest->purged || !erase_rule_is_whole(&rule)) {
        st = set_with(view->erased, &rule, &next, error_out);
    }
    superview_release(view);
    if (next != NULL) {
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
        atomic_fetch_add(&db->refusals, 1);
    }
    return YORE_OK;
}

static bool has_prefix(struct yore_bytes key, const char *prefix, struct yore_bytes *rest_out)
{
    size_t size = strlen(prefix);
    if (!bytes_starts_with(key, bytes_of(prefix, size))) {
        return false;
    }
    *rest_out = bytes_behind(key, size);
    return true;
}

enum yore_status catalogue_apply(struct yore_db *db, const struct commit_write *write,
                                 int64_t commit, struct yore_error *error_out)
{
    struct yore_bytes rest;
    if (commit > atomic_load_explicit(&db->catalogue_commit, memory_order_relaxed)) {
        atomic_store_explicit(&db->catalogue_commit, commit, memory_order_release);
    }
    if (has_prefix(write->key, KEYSPACE_RECORD_PREFIX, &rest)) {
        return apply_keyspace(db, write, rest, commit, error_out);
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
    if (has_prefix(write->key, KEYSPACE_RECORD_PREFIX, &rest) && is_put) {
        return apply_keyspace(db, write, rest, commit,
                              error_out); /* empty until the commit is visible */
    }
    if (!has_prefix(write->key, ERASE_PREFIX, &rest) || !is_put) {
        return YORE_OK;
    }
    struct erase_rule rule;
    struct erase_set *next = NULL;
    enum yore_status st = erase_decode(write->value, &rule, error_out);
    if (st != YORE_OK) {
        return st;
    }
    rule.commit = commit;
    struct superview *view = superview_acquire(db);
    const struct erase_set *before = pending->erased != NULL ? pending->erased : view->erased;
    st = set_with(before, &rule, &next, error_out);
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

/* ---- erasures that were made ---- */

enum yore_status catalogue_each_erasure(struct superview *view, int64_t after,
                                        enum yore_status (*each)(void *arg,
                                                                 const struct erase_rule *rule),
                                        void *arg, struct yore_error *error_out)
{
    struct iter_view all = {.known = INT64_MAX, .valid = INT64_MAX, .commit_after = after};
    struct yore_bytes prefix = bytes_of(ERASE_PREFIX, sizeof ERASE_PREFIX - 1);
    struct version_place first = {prefix, INT64_MAX, INT64_MAX};
    struct buffer high = {0};
    struct version_iter *it = NULL;
    if (prefix_end(prefix, &high) != YORE_OK) {
        return error_plain(error_out, YORE_NOMEM);
    }
    const struct source_range range = {prefix, buffer_bytes(&high), INT64_MIN, INT64_MAX};
    enum yore_status st =
        sources_all(view, view->db->system_keyspace, &range, &all, &it, error_out);
    if (st == YORE_OK) {
        version_iter_seek(it, &first);
    }
    while (st == YORE_OK && it->is_valid && bytes_starts_with(it->at.key, prefix)) {
        struct erase_rule rule;
        if (it->at.kind == YORE_KIND_PUT && it->at.commit > after) {
            st = erase_decode(it->at.value, &rule, error_out);
            rule.commit = it->at.commit;
            st = st == YORE_OK ? each(arg, &rule) : st;
        }
        version_iter_next(it);
    }
    if (st == YORE_OK && !it->is_valid && it->status != YORE_OK) {
        st = error_set(error_out, it->status, "%s", it->error.text);
    }
    version_iter_free(it);
    buffer_release(&high);
    return st;
}

/* Rules that left, as far as they may cover a rule of a span that is there. */
struct covering {
    const struct erase_set *erased;
    int64_t purged;
    struct erase_set *set;
};

static bool is_any_rule(void *arg, const struct erase_rule *rule)
{
    (void)arg;
    (void)rule;
    return true;
}

static enum yore_status add_covering(void *arg, const struct erase_rule *rule)
{
    struct covering *c = arg;
    struct erase_set *next = NULL;
    if (rule->commit > c->purged || !erase_rule_is_whole(rule) ||
        !(erase_rule_is_range(rule) ||
          erase_set_each(c->erased, rule->keyspace, forest_key_bytes(&rule->low), is_any_rule,
                         NULL))) {
        return YORE_OK;
    }
    enum yore_status st = erase_set_with(c->set, rule, &next);
    if (st == YORE_OK) {
        erase_set_unref(c->set);
        c->set = next;
    }
    return st;
}

/* Rules of spans that left with a rule over the whole of their keys leave again. */
static enum yore_status drop_covered(struct yore_db *db, struct yore_error *error_out)
{
    struct superview *view = superview_acquire(db);
    struct covering c = {.erased = view->erased, .purged = view->forest->purged};
    struct erase_set *next = NULL;
    enum yore_status st = YORE_OK;
    if (erase_set_count(view->erased) > 0 && c.purged != INT64_MIN) {
        st = erase_set_new(INT64_MIN, &c.set);
        if (st == YORE_OK) {
            st = catalogue_each_erasure(view, INT64_MIN, add_covering, &c, error_out);
        }
        if (st == YORE_OK && erase_set_count(c.set) > 0) {
            st = erase_set_retired(view->erased, c.set, c.purged, &next);
        }
        if (st == YORE_NOMEM) {
            error_plain(error_out, st);
        }
        erase_set_unref(c.set);
    }
    superview_release(view);
    if (next != NULL) {
        st = publish_erased(db, next, NULL, error_out);
        erase_set_unref(next);
    }
    return st;
}

/* Replay the whole history of keyspace 0, in commit order per key: every version is applied, oldest
 * first, so that dropped keyspaces are known too. */
enum yore_status catalogue_load(struct yore_db *db, struct yore_error *error_out)
{
    struct iter_view all = {.known = INT64_MAX, .valid = INT64_MAX, .commit_after = INT64_MIN};
    struct superview *view = superview_acquire(db);
    struct version_iter *it = NULL;
    enum yore_status st =
        sources_all(view, db->system_keyspace, &source_range_all, &all, &it, error_out);
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
    return st == YORE_OK ? drop_covered(db, error_out) : st;
}

/* ---- committing records ---- */

/* Records on their way to one commit. */
struct record_batch {
    struct buffer writes;
    struct commit_request request;
};

static enum yore_status add_record(struct yore_db *db, struct record_batch *batch,
                                   const struct buffer *key, const struct buffer *value,
                                   struct yore_error *error_out)
{
    struct fact fact = {.keyspace = db->system_keyspace,
                        .kind = value != NULL ? YORE_KIND_PUT : YORE_KIND_DELETE,
                        .key = buffer_bytes(key),
                        .value = value != NULL ? buffer_bytes(value) : bytes_of(NULL, 0),
                        .from = YORE_NOW,
                        .to = YORE_FOREVER};
    if (key->is_nomem || (value != NULL && value->is_nomem)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return fact_encode(db, &fact, &batch->writes, &batch->request, error_out);
}

static enum yore_status commit_batch(struct yore_db *db, struct record_batch *batch,
                                     struct yore_error *error_out)
{
    batch->request.writes = &batch->writes;
    batch->request.valid_max = INT64_MIN;
    batch->request.is_catalogue = true;
    batch->request.durability = YORE_DURABILITY_SYNC;
    return commit_submit(db, &batch->request, error_out);
}

static enum yore_status add_horizon(struct yore_db *db, struct record_batch *batch,
                                    const struct horizon_move *move, struct yore_error *error_out)
{
    struct buffer key = {0};
    struct buffer value = {0};
    buffer_append(&key, HORIZON_PREFIX, sizeof HORIZON_PREFIX - 1);
    buffer_append_u32(&key, move->keyspace->id);
    buffer_append_u64(&value, (uint64_t)move->horizon);
    enum yore_status st = add_record(db, batch, &key, &value, error_out);
    buffer_release(&key);
    buffer_release(&value);
    return st;
}

enum yore_status catalogue_set_horizons(struct yore_db *db, const struct horizon_move *moves,
                                        size_t count, struct yore_error *error_out)
{
    struct record_batch batch = {.request = {.count = 0}};
    enum yore_status st = YORE_OK;
    for (size_t i = 0; st == YORE_OK && i < count; i++) {
        if (moves[i].horizon > atomic_load(&moves[i].keyspace->horizon)) {
            st = add_horizon(db, &batch, &moves[i], error_out);
        }
    }
    bool has_any = batch.request.count > 0;
    if (st == YORE_OK && has_any) {
        st = commit_batch(db, &batch, error_out);
    }
    buffer_release(&batch.writes);
    if (st == YORE_OK && has_any) {
        jobs_wake(db);
    }
    return st;
}

enum yore_status catalogue_set_horizon(struct yore_db *db, struct yore_keyspace *keyspace,
                                       int64_t horizon, struct yore_error *error_out)
{
    const struct horizon_move move = {keyspace, horizon};
    return catalogue_set_horizons(db, &move, 1, error_out);
}

bool catalogue_is_horizon(struct yore_bytes key)
{
    return bytes_starts_with(key, bytes_of(HORIZON_PREFIX, sizeof HORIZON_PREFIX - 1));
}

enum yore_status catalogue_put_keyspace(struct yore_db *db, const char *name,
                                        const struct keyspace_record *record,
                                        struct yore_error *error_out)
{
    struct record_batch batch = {.request = {.count = 0}};
    struct buffer key = {0};
    struct buffer value = {0};
    buffer_append(&key, KEYSPACE_RECORD_PREFIX, sizeof KEYSPACE_RECORD_PREFIX - 1);
    buffer_append(&key, name, strlen(name));
    if (record != NULL) {
        record_encode(record, &value);
    }
    enum yore_status st = add_record(db, &batch, &key, record != NULL ? &value : NULL, error_out);
    if (st == YORE_OK) {
        st = commit_batch(db, &batch, error_out);
    }
    buffer_release(&batch.writes);
    buffer_release(&key);
    buffer_release(&value);
    return st;
}

enum yore_status catalogue_begin(struct yore_db *db, struct yore_error *error_out)
{
    return catalogue_put_keyspace(db, "default", &keyspace_record_default, error_out);
}
