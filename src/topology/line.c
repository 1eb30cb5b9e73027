/* line.c -- the versions of one key from a moment on, as a transaction sees them: what the database
 * knew when it began, and its own facts laid over that. */
#include <stdlib.h>
#include <string.h>

#include "topology/graph_internal.h"
#include "topology/graph_txn.h"

/* ---- versions ---- */

struct line_room {
    struct graph_txn *txn;
    int64_t from;
    struct line_version *versions;
    size_t count;
    size_t capacity;
};

static bool grow(struct line_room *room)
{
    size_t capacity = room->capacity == 0 ? 4 : room->capacity * 2;
    struct line_version *versions = arena_alloc(&room->txn->scratch, capacity * sizeof *versions);
    if (versions == NULL) {
        return false;
    }
    if (room->count > 0) {
        memcpy(versions, room->versions, room->count * sizeof *versions);
    }
    room->versions = versions;
    room->capacity = capacity;
    return true;
}

/* Enter a version that was written after all that are there: it replaces one of the same begin, and
 * of those that begin up to the moment only the latest stays. */
static bool lay(struct line_room *room, const struct line_version *version)
{
    struct line_version *versions = room->versions;
    size_t place = room->count;
    while (place > 0 && versions[place - 1].from > version->from) {
        place--;
    }
    if (version->from <= room->from) {
        bool has_first = room->count > 0 && versions[0].from <= room->from;
        if (has_first && versions[0].from > version->from) {
            return true; /* a later one is in force */
        }
        if (has_first) {
            versions[0] = *version;
            return true;
        }
        place = 0;
    } else if (place > 0 && versions[place - 1].from == version->from) {
        versions[place - 1] = *version;
        return true;
    }
    if (room->count == room->capacity && !grow(room)) {
        return false;
    }
    versions = room->versions;
    memmove(versions + place + 1, versions + place, (room->count - place) * sizeof *versions);
    versions[place] = *version;
    room->count++;
    return true;
}

static int compare_facts(const void *a, const void *b)
{
    const struct own_fact *x = *(const struct own_fact *const *)a;
    const struct own_fact *y = *(const struct own_fact *const *)b;
    if (x->from != y->from) {
        return x->from < y->from ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool lay_fact(struct line_room *room, const struct own_fact *fact)
{
    struct line_version version = {
        .from = fact->from, .to = fact->to, .is_put = fact->is_put, .value = fact->value};
    return lay(room, &version);
}

/* Stored versions and own facts, both by begin, laid into an empty room: each finds its place at
 * the end.  Of one begin the stored one comes first, then facts as they were written. */
static bool lay_both(struct line_room *room, const struct line_room *stored,
                     const struct own_fact *const *facts, size_t count)
{
    size_t i = 0;
    size_t j = 0;
    bool is_ok = true;
    while (is_ok && (i < stored->count || j < count)) {
        bool is_stored =
            j == count || (i < stored->count && stored->versions[i].from <= facts[j]->from);
        is_ok = is_stored ? lay(room, &stored->versions[i++]) : lay_fact(room, facts[j++]);
    }
    return is_ok;
}

/* Lay what the transaction has written over what is stored. */
static bool lay_own(struct line_room *room, struct yore_bytes key)
{
    const struct own_fact *first = own_facts_find(&room->txn->own, key);
    struct line_room stored = *room;
    size_t count = 0;
    for (const struct own_fact *fact = first; fact != NULL; fact = fact->next) {
        count++;
    }
    if (count == 0) {
        return true;
    }
    const struct own_fact **facts = arena_alloc(&room->txn->scratch, count * sizeof *facts);
    if (facts == NULL) {
        return false;
    }
    count = 0;
    for (const struct own_fact *fact = first; fact != NULL; fact = fact->next) {
        facts[count++] = fact;
    }
    qsort(facts, count, sizeof *facts, compare_facts);
    *room = (struct line_room){.txn = stored.txn, .from = stored.from};
    return lay_both(room, &stored, facts, count);
}

static enum yore_status lay_stored(struct line_room *room, struct yore_bytes key,
                                   struct yore_error *error_out)
{
    struct graph_txn *txn = room->txn;
    struct yore_timeline_options options = {
        .from = room->from, .to = YORE_FOREVER, .known = txn->time.known, .with_in_force = true};
    if (options.from > txn->time.valid) {
        options.from = txn->time.valid; /* nothing stored begins later */
    }
    struct yore_timeline *timeline = NULL;
    struct yore_version found;
    enum yore_status st = yore_timeline_open(txn->graph->db, txn->graph->keyspace, key, &options,
                                             &timeline, error_out);
    while (st == YORE_OK && (st = yore_timeline_next(timeline, &found, error_out)) == YORE_OK) {
        struct line_version version = {
            .from = found.valid_from, .to = found.valid_to, .is_put = found.kind == YORE_KIND_PUT};
        void *copy = arena_copy(&txn->scratch, found.value.data, found.value.size);
        version.value = bytes_of(copy, found.value.size);
        if (copy == NULL || !lay(room, &version)) {
            st = error_plain(error_out, YORE_NOMEM);
        }
    }
    yore_timeline_close(timeline);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

/* ---- reading ---- */

/* What holds now; the engine notes the key. */
static enum yore_status read_now(struct graph_txn *txn, struct yore_bytes key,
                                 struct line_version *version_out, struct yore_error *error_out)
{
    struct yore_value value;
    *version_out = (struct line_version){0};
    enum yore_status st =
        yore_txn_get(txn->engine, txn->graph->keyspace, key, NULL, &value, error_out);
    if (st == YORE_OK) {
        void *copy = arena_copy(&txn->scratch, value.data, value.size);
        *version_out = (struct line_version){.from = value.valid_from,
                                             .to = value.valid_to,
                                             .end = value.valid_to,
                                             .is_put = true,
                                             .value = bytes_of(copy, value.size)};
        yore_value_release(&value);
        return copy != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    }
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

/* Did the transaction write a fact that begins before the moment? */
static bool has_own_before(const struct graph_txn *txn, struct yore_bytes key, int64_t from)
{
    const struct own_fact *fact = own_facts_find(&txn->own, key);
    while (fact != NULL && fact->from >= from) {
        fact = fact->next;
    }
    return fact != NULL;
}

/* A stored version that holds nothing at the moment, a delete, is not told; an own fact from before
 * it must not take its place.  The engine knows which of them holds. */
static enum yore_status settle_first(struct line_room *room, struct yore_bytes key,
                                     struct yore_error *error_out)
{
    struct graph_txn *txn = room->txn;
    struct yore_time at = {room->from, YORE_NOW};
    struct yore_value value;
    bool has_first = room->count > 0 && room->versions[0].from <= room->from;
    if (!has_first || !has_own_before(txn, key, room->from)) {
        return YORE_OK;
    }
    enum yore_status st = yore_txn_get(txn->engine, txn->graph->keyspace, key,
                                       room->from == LINE_NOW ? NULL : &at, &value, error_out);
    if (st == YORE_OK) {
        void *copy = arena_copy(&txn->scratch, value.data, value.size);
        room->versions[0] = (struct line_version){.from = value.valid_from,
                                                  .to = value.valid_to,
                                                  .is_put = true,
                                                  .value = bytes_of(copy, value.size)};
        yore_value_release(&value);
        return copy != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    }
    room->versions[0].is_put = false;
    return st == YORE_NOT_FOUND || st == YORE_ERASED ? YORE_OK : st;
}

static void set_ends(const struct graph_txn *txn, struct line *line, int64_t from)
{
    for (size_t i = 0; i < line->count; i++) {
        struct line_version *version = &line->versions[i];
        version->end = version->to;
        if (i + 1 < line->count) {
            version->end = txn_first_end(txn, version->end, line->versions[i + 1].from);
        }
    }
    line->is_in_force = line->count > 0 && line->versions[0].is_put &&
                        line->versions[0].from <= from &&
                        txn_begins_before(txn, from, line->versions[0].end);
}

enum yore_status line_read(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                           struct line *line_out, struct yore_error *error_out)
{
    struct line_version *now = arena_alloc(&txn->scratch, sizeof *now);
    *line_out = (struct line){0};
    if (now == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status st = read_now(txn, key, now, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (from == LINE_NOW && !txn->is_ahead) {
        *line_out = (struct line){now, now->is_put ? 1 : 0, now->is_put};
        return YORE_OK;
    }
    struct line_room room = {.txn = txn, .from = from};
    st = lay_stored(&room, key, error_out);
    if (st == YORE_OK && !lay_own(&room, key)) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK) {
        st = settle_first(&room, key, error_out);
    }
    *line_out = (struct line){room.versions, room.count, false};
    set_ends(txn, line_out, from);
    return st;
}

enum yore_status line_stored(struct graph_txn *txn, struct yore_bytes key, int64_t from,
                             struct line *line_out, struct yore_error *error_out)
{
    struct line_room room = {.txn = txn, .from = from};
    enum yore_status st = lay_stored(&room, key, error_out);
    *line_out = (struct line){room.versions, room.count, false};
    set_ends(txn, line_out, from);
    return st;
}

size_t line_life(const struct line *line, int64_t *end_out)
{
    size_t count = line->is_in_force ? 1 : 0;
    while (count > 0 && count < line->count && line->versions[count].is_put &&
           line->versions[count - 1].end == line->versions[count].from) {
        count++;
    }
    *end_out = count > 0 ? line->versions[count - 1].end : YORE_FOREVER;
    return count;
}

/* ---- keys ---- */

static enum yore_status add_key(struct graph_txn *txn, struct line_keys *keys,
                                struct yore_bytes key, struct yore_error *error_out)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 16 : keys->capacity * 2;
        struct yore_bytes *grown = arena_alloc(&txn->scratch, capacity * sizeof *grown);
        if (grown == NULL) {
            return error_plain(error_out, YORE_NOMEM);
        }
        if (keys->count > 0) {
            memcpy(grown, keys->keys, keys->count * sizeof *grown);
        }
        keys->keys = grown;
        keys->capacity = capacity;
    }
    void *copy = arena_copy(&txn->scratch, key.data, key.size);
    if (copy == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    keys->keys[keys->count++] = bytes_of(copy, key.size);
    return YORE_OK;
}

/* What is there at `from`; the engine notes the range, whatever the moment. */
static enum yore_status keys_at(struct graph_txn *txn, struct yore_bytes prefix, int64_t from,
                                struct line_keys *keys, struct yore_error *error_out)
{
    struct yore_time at = {from, YORE_NOW};
    struct yore_cursor_options options = {
        .range = {.prefix = prefix}, .at = from == LINE_NOW ? NULL : &at, .keys_only = true};
    struct yore_cursor *cursor = NULL;
    enum yore_status st =
        yore_txn_cursor_open(txn->engine, txn->graph->keyspace, &options, &cursor, error_out);
    if (st != YORE_OK) {
        return st;
    }
    while ((st = yore_cursor_next(cursor)) == YORE_OK) {
        st = add_key(txn, keys, yore_cursor_row(cursor)->key, error_out);
        if (st != YORE_OK) {
            break;
        }
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND && st != YORE_NOMEM && error_out != NULL) {
        *error_out = *yore_cursor_error(cursor);
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status keys_later(struct graph_txn *txn, struct yore_bytes prefix, int64_t from,
                                   struct line_keys *keys, struct yore_error *error_out)
{
    struct yore_changes_options options = {.range = {.prefix = prefix},
                                           .from = from,
                                           .to = txn->time.valid,
                                           .known = txn->time.known,
                                           .every_version = true};
    struct yore_changes *changes = NULL;
    struct yore_change change;
    if (from >= options.to) {
        return YORE_OK;
    }
    enum yore_status st =
        yore_changes_open(txn->graph->db, txn->graph->keyspace, &options, &changes, error_out);
    while (st == YORE_OK && (st = yore_changes_next(changes, &change, error_out)) == YORE_OK) {
        if (change.kind == YORE_CHANGE_ADDED) {
            st = add_key(txn, keys, change.key, error_out);
        }
    }
    yore_changes_close(changes);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status keys_own(struct graph_txn *txn, struct yore_bytes prefix,
                                 struct line_keys *keys, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    unsigned char kind = prefix.size > 0 ? *(const unsigned char *)prefix.data : 0;
    if (kind == GRAPH_KEY_ADJACENCY || kind == GRAPH_KEY_PROPERTY) {
        const struct own_fact *fact = own_facts_find(&txn->own_groups, prefix);
        for (; st == YORE_OK && fact != NULL; fact = fact->next) {
            st = add_key(txn, keys, fact->value, error_out);
        }
        return st;
    }
    for (size_t i = 0; st == YORE_OK && i < txn->own.slot_count; i++) {
        const struct own_fact *fact = txn->own.slots[i].first;
        if (fact != NULL && bytes_starts_with(fact->key, prefix)) {
            st = add_key(txn, keys, fact->key, error_out);
        }
    }
    return st;
}

static int compare_keys(const void *a, const void *b)
{
    return bytes_compare(*(const struct yore_bytes *)a, *(const struct yore_bytes *)b);
}

static void drop_doubles(struct line_keys *keys)
{
    size_t kept = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if (kept == 0 || !bytes_equal(keys->keys[kept - 1], keys->keys[i])) {
            keys->keys[kept++] = keys->keys[i];
        }
    }
    keys->count = kept;
}

enum yore_status line_keys_stored(struct graph_txn *txn, struct yore_bytes prefix, int64_t from,
                                  struct line_keys *keys_out, struct yore_error *error_out)
{
    *keys_out = (struct line_keys){0};
    enum yore_status st = keys_at(txn, prefix, from, keys_out, error_out);
    return st == YORE_OK && from != LINE_NOW ? keys_later(txn, prefix, from, keys_out, error_out)
                                             : st;
}

enum yore_status line_keys_ever(struct graph_txn *txn, struct yore_bytes prefix, int64_t from,
                                struct line_keys *keys_out, struct yore_error *error_out)
{
    bool is_now = from == LINE_NOW && !txn->is_ahead;
    enum yore_status st = line_keys_stored(txn, prefix, from, keys_out, error_out);
    if (st == YORE_OK && !is_now) {
        st = keys_own(txn, prefix, keys_out, error_out);
    }
    if (st == YORE_OK && keys_out->count > 1) {
        qsort(keys_out->keys, keys_out->count, sizeof *keys_out->keys, compare_keys);
        drop_doubles(keys_out);
    }
    return st;
}
