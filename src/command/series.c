/* series.c -- series and their samples. */
#include "command/series.h"

#include <stdio.h>
#include <string.h>

#include "base/coding.h"
#include "command/call.h"
#include "command/series_rule.h"
#include "command/watch.h"

static const unsigned char mark[] = {0, 'y', 'o', 'r', 'e', '.', 't', 's'};
#define MARK_BYTES (sizeof mark + 1) /* and the version */
#define VERSION_PLAIN 1
#define VERSION_LINKED 2

/* ---- what a series is ---- */

static const char *const policies[] = {NULL, "block", "first", "last", "min", "max", "sum"};
#define POLICIES (sizeof policies / sizeof policies[0])

const char *series_policy_name(enum series_policy policy)
{
    return policies[policy];
}

bool series_policy_find(struct yore_bytes name, enum series_policy *policy_out)
{
    for (size_t i = 1; i < POLICIES; i++) {
        if (args_is(name, policies[i])) {
            *policy_out = (enum series_policy)i;
            return true;
        }
    }
    return false;
}

bool series_is(struct yore_bytes value)
{
    const unsigned char *at = value.data;
    return value.size >= MARK_BYTES && memcmp(at, mark, sizeof mark) == 0 &&
           (at[sizeof mark] == VERSION_PLAIN || at[sizeof mark] == VERSION_LINKED);
}

bool series_is_marked(struct yore_bytes value)
{
    return value.size >= sizeof mark && memcmp(value.data, mark, sizeof mark) == 0;
}

bool series_is_hidden(const struct acl_rules *rules, const struct command *command,
                      struct yore_bytes value)
{
    return series_is_marked(value) && !acl_rules_allow_every_key(rules, command, KEY_READ);
}

static bool take_text(struct decoder *d, struct yore_bytes *text_out)
{
    uint64_t size = decode_varint(d);
    const unsigned char *data = size <= decoder_left(d) ? decode_run(d, (size_t)size) : NULL;
    *text_out = bytes_of(data, (size_t)size);
    return !d->is_bad && data != NULL;
}

/* The source's key, its id if there is one, the rules. */
static bool decode_links(struct decoder *d, struct series_meta *meta)
{
    struct yore_bytes links;
    struct decoder inner;
    if (!take_text(d, &links)) {
        return false;
    }
    decoder_init(&inner, links.data, links.size);
    if (!take_text(&inner, &meta->source)) {
        return false;
    }
    if (meta->source.size > 0) {
        const unsigned char *id = decode_run(&inner, SERIES_ID_BYTES);
        if (id == NULL) {
            return false;
        }
        memcpy(meta->source_id, id, SERIES_ID_BYTES);
    }
    meta->rules = bytes_behind(links, links.size - decoder_left(&inner));
    struct yore_bytes left = meta->rules;
    struct series_rule rule;
    while (series_rule_next(&left, &rule)) {
    }
    return left.size == 0;
}

static void encode_links(const struct series_meta *meta, struct buffer *out)
{
    struct buffer links = {0};
    buffer_append_varint(&links, meta->source.size);
    buffer_append_bytes(&links, meta->source);
    if (meta->source.size > 0) {
        buffer_append(&links, meta->source_id, SERIES_ID_BYTES);
    }
    buffer_append_bytes(&links, meta->rules);
    buffer_append_varint(out, links.size);
    buffer_append_bytes(out, buffer_bytes(&links));
    out->is_nomem |= links.is_nomem;
    buffer_release(&links);
}

bool series_decode(struct yore_bytes value, struct series_meta *meta_out)
{
    struct decoder d;
    if (!series_is(value)) {
        return false;
    }
    bool is_linked = ((const unsigned char *)value.data)[sizeof mark] == VERSION_LINKED;
    meta_out->source = bytes_of(NULL, 0);
    meta_out->rules = bytes_of(NULL, 0);
    value = bytes_behind(value, MARK_BYTES);
    decoder_init(&d, value.data, value.size);
    const unsigned char *id = decode_run(&d, SERIES_ID_BYTES);
    uint64_t retention = decode_varint(&d);
    uint64_t chunk = decode_varint(&d);
    uint8_t policy = decode_u8(&d);
    if (is_linked && !decode_links(&d, meta_out)) {
        return false;
    }
    meta_out->label_count = decode_varint(&d);
    if (d.is_bad || retention > INT64_MAX || chunk > INT64_MAX || policy >= POLICIES) {
        return false;
    }
    memcpy(meta_out->id, id, SERIES_ID_BYTES);
    meta_out->retention_ms = (int64_t)retention;
    meta_out->chunk_bytes = (int64_t)chunk;
    meta_out->policy = (enum series_policy)policy;
    meta_out->labels = bytes_behind(value, value.size - decoder_left(&d));
    struct yore_bytes left = meta_out->labels;
    struct yore_bytes name;
    uint64_t count = 0;
    while (series_label(&left, &name, &value)) {
        count++;
    }
    return left.size == 0 && count == meta_out->label_count;
}

static void encode(const struct series_meta *meta, struct buffer *out)
{
    bool is_linked = meta->source.size > 0 || meta->rules.size > 0;
    buffer_append(out, mark, sizeof mark);
    buffer_append_u8(out, is_linked ? VERSION_LINKED : VERSION_PLAIN);
    buffer_append(out, meta->id, SERIES_ID_BYTES);
    buffer_append_varint(out, (uint64_t)meta->retention_ms);
    buffer_append_varint(out, (uint64_t)meta->chunk_bytes);
    buffer_append_u8(out, (uint8_t)meta->policy);
    if (is_linked) {
        encode_links(meta, out);
    }
    buffer_append_varint(out, meta->label_count);
    buffer_append_bytes(out, meta->labels);
}

bool series_label(struct yore_bytes *left, struct yore_bytes *name_out,
                  struct yore_bytes *value_out)
{
    struct decoder d;
    decoder_init(&d, left->data, left->size);
    if (left->size == 0 || !take_text(&d, name_out) || !take_text(&d, value_out)) {
        return false;
    }
    *left = bytes_behind(*left, left->size - decoder_left(&d));
    return true;
}

void series_label_append(struct buffer *labels, struct yore_bytes name, struct yore_bytes value)
{
    buffer_append_varint(labels, name.size);
    buffer_append_bytes(labels, name);
    buffer_append_varint(labels, value.size);
    buffer_append_bytes(labels, value);
}

/* ---- its keyspace ---- */

static void keyspace_name(const struct database *database, char name[DATABASE_NAME_BYTES + 8])
{
    snprintf(name, DATABASE_NAME_BYTES + 8, "%s.series", database->name);
}

struct yore_keyspace *series_keyspace(struct access *access, struct database *database)
{
    struct yore_keyspace *keyspace = atomic_load_explicit(&database->series, memory_order_acquire);
    char name[DATABASE_NAME_BYTES + 8];
    keyspace_name(database, name);
    if (keyspace == NULL &&
        yore_keyspace_open(access->server->db, name, NULL, &keyspace, NULL) == YORE_OK) {
        atomic_store_explicit(&database->series, keyspace, memory_order_release);
    }
    return keyspace;
}

static enum yore_status make_keyspace(struct access *access, struct database *database,
                                      struct yore_keyspace **keyspace_out,
                                      struct yore_error *error_out)
{
    struct command_server *server = access->server;
    enum yore_status st = YORE_OK;
    *keyspace_out = series_keyspace(access, database);
    if (*keyspace_out != NULL) {
        return YORE_OK;
    }
    char name[DATABASE_NAME_BYTES + 8];
    keyspace_name(database, name);
    os_mutex_lock(&server->keyspace_lock);
    *keyspace_out = series_keyspace(access, database);
    if (*keyspace_out == NULL) {
        st = yore_keyspace_create(server->db, name, NULL, keyspace_out, error_out);
        atomic_store_explicit(&database->series, *keyspace_out, memory_order_release);
    }
    os_mutex_unlock(&server->keyspace_lock);
    return st;
}

/* ---- one series ---- */

static void take_name(struct series *series)
{
    series->name[0] = 's';
    memcpy(series->name + 1, series->meta.id, SERIES_ID_BYTES);
}

static struct yore_bytes name_of(const struct series *series)
{
    return bytes_of(series->name, sizeof series->name);
}

enum yore_status series_open(struct call *call, struct yore_bytes key, struct series *series_out,
                             struct yore_error *error_out)
{
    struct database *database = call_database(call);
    const struct yore_time *at = call->access->at;
    *series_out = (struct series){
        .samples = series_keyspace(call->access, database),
        .known = at != NULL && at->known != YORE_NOW ? at->known : yore_now(call->server->db)};
    enum yore_status st = access_lookup(call->access, database, key, &series_out->entry, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (!series_out->entry.exists) {
        return series_out->entry.is_erased ? error_plain(error_out, YORE_ERASED)
                                           : error_plain(error_out, YORE_NOT_FOUND);
    }
    if (!series_decode(entry_bytes(&series_out->entry), &series_out->meta)) {
        entry_release(&series_out->entry);
        return error_plain(error_out, YORE_INVALID);
    }
    take_name(series_out);
    return YORE_OK;
}

void series_close(struct series *series)
{
    entry_release(&series->entry);
}

enum yore_status series_note(struct access *access, struct database *database,
                             struct yore_bytes key, struct yore_error *error_out)
{
    struct yore_keyspace *keyspace;
    struct buffer row = {0};
    enum yore_status st = make_keyspace(access, database, &keyspace, error_out);
    buffer_append(&row, "i", 1);
    buffer_append_bytes(&row, key);
    if (st == YORE_OK) {
        st = row.is_nomem ? error_plain(error_out, YORE_NOMEM)
                          : yore_txn_put(access->txn, keyspace, buffer_bytes(&row), bytes_of("", 0),
                                         NULL, error_out);
    }
    buffer_release(&row);
    return st;
}

enum yore_status series_save(struct call *call, struct series *series, struct yore_error *error_out)
{
    struct buffer value = {0};
    int64_t end = entry_has_end(&series->entry) ? series->entry.value.valid_to : YORE_FOREVER;
    enum yore_status st =
        series_note(call->access, series->entry.database, series->entry.key, error_out);
    encode(&series->meta, &value);
    if (st == YORE_OK) {
        st = value.is_nomem
                 ? error_plain(error_out, YORE_NOMEM)
                 : access_put(call->access, &series->entry, buffer_bytes(&value), end, error_out);
    }
    buffer_release(&value);
    take_name(series);
    return st;
}

/* ---- samples ---- */

static double double_of(struct yore_bytes value)
{
    uint64_t bits = value.size == sizeof bits ? get_u64(value.data) : UINT64_C(0x7ff8) << 48;
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static enum yore_status get(struct call *call, const struct series *series,
                            const struct yore_time *at, struct sample *sample_out,
                            struct yore_error *error_out)
{
    struct access *access = call->access;
    struct yore_value value;
    if (series->samples == NULL) {
        return YORE_NOT_FOUND;
    }
    enum yore_status st =
        access->txn != NULL
            ? yore_txn_get(access->txn, series->samples, name_of(series), at, &value, error_out)
            : yore_get(access->server->db, series->samples, name_of(series), at, &value, error_out);
    if (st == YORE_OK) {
        sample_out->ms = value.valid_from / SERIES_MS_NS;
        sample_out->value = double_of(bytes_of(value.data, value.size));
        yore_value_release(&value);
    }
    return st;
}

enum yore_status series_at(struct call *call, const struct series *series, int64_t ms,
                           struct sample *sample_out, struct yore_error *error_out)
{
    struct yore_time at = {ms * SERIES_MS_NS, YORE_NOW};
    enum yore_status st = get(call, series, &at, sample_out, error_out);
    return st == YORE_OK && sample_out->ms != ms ? YORE_NOT_FOUND : st;
}

enum yore_status series_last(struct call *call, const struct series *series,
                             struct sample *sample_out, struct yore_error *error_out)
{
    struct series_walk walk;
    enum yore_status st = get(call, series, call->access->at, sample_out, error_out);
    if (st != YORE_NOT_FOUND || series->samples == NULL) {
        return st;
    }
    st = series_walk_open(call, series, 0, SERIES_MS_MAX, true, &walk, error_out);
    if (st == YORE_OK) {
        st = series_walk_next(&walk, sample_out, error_out);
    }
    series_walk_close(&walk);
    return st;
}

/* Count and tell a change of a series. */
static void note_change(struct call *call, const struct series *series, const char *event)
{
    call->access->writes++;
    atomic_fetch_add_explicit(&call->server->stats.changes, 1, memory_order_relaxed);
    watch_touch(call->server, series->entry.database, series->entry.key);
    access_event(call->access, series->entry.database, EVENT_MODULE, event, series->entry.key);
}

enum yore_status series_put(struct call *call, struct series *series, struct sample sample,
                            struct yore_error *error_out)
{
    unsigned char octets[8];
    uint64_t bits;
    struct yore_write write = {.from = sample.ms * SERIES_MS_NS, .to = YORE_FOREVER};
    enum yore_status st =
        make_keyspace(call->access, series->entry.database, &series->samples, error_out);
    memcpy(&bits, &sample.value, sizeof bits);
    put_u64(octets, bits);
    if (st == YORE_OK) {
        st = yore_txn_put(call->access->txn, series->samples, name_of(series),
                          bytes_of(octets, sizeof octets), &write, error_out);
    }
    if (st == YORE_OK) {
        note_change(call, series, "ts.add");
    }
    return st;
}

enum yore_status series_delete(struct call *call, struct series *series, int64_t ms,
                               struct yore_error *error_out)
{
    struct yore_write write = {.from = ms * SERIES_MS_NS, .to = YORE_FOREVER};
    enum yore_status st =
        yore_txn_delete(call->access->txn, series->samples, name_of(series), &write, error_out);
    if (st == YORE_OK) {
        note_change(call, series, "ts.del");
    }
    return st;
}

/* ---- walking ---- */

enum yore_status series_walk_open(struct call *call, const struct series *series, int64_t from_ms,
                                  int64_t to_ms, bool is_backward, struct series_walk *walk_out,
                                  struct yore_error *error_out)
{
    const struct yore_time *at = call->access->at;
    struct yore_timeline_options options = {.from = from_ms * SERIES_MS_NS,
                                            .to = to_ms * SERIES_MS_NS + 1,
                                            .known = series->known,
                                            .is_backward = is_backward};
    *walk_out = (struct series_walk){NULL};
    if (at != NULL && at->valid != YORE_NOW && options.to > at->valid) {
        options.to = at->valid + 1;
    }
    if (series->samples == NULL || from_ms > to_ms || options.to <= options.from) {
        return YORE_OK;
    }
    return access_timeline(call->access, series->samples, name_of(series), &options,
                           &walk_out->timeline, error_out);
}

enum yore_status series_walk_next(struct series_walk *walk, struct sample *sample_out,
                                  struct yore_error *error_out)
{
    struct yore_version version;
    enum yore_status st = walk->timeline != NULL ? YORE_OK : YORE_NOT_FOUND;
    while (st == YORE_OK) {
        st = yore_timeline_next(walk->timeline, &version, error_out);
        if (st == YORE_OK && version.kind == YORE_KIND_PUT) {
            *sample_out =
                (struct sample){version.valid_from / SERIES_MS_NS, double_of(version.value)};
            break;
        }
    }
    return st;
}

void series_walk_close(struct series_walk *walk)
{
    yore_timeline_close(walk->timeline);
    walk->timeline = NULL;
}
