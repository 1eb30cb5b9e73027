/* command_batch.c -- many dated facts as one commit, and erasures.
 *
 * Both go past access.h, which writes one key at a time, and settle counts, ends and watchers
 * afterwards, key by key: the caller holds their stripes, of an erasure every one. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/moments.h"
#include "command/place.h"

/* ---- a batch ----
 * YORE.BATCH [KEYSPACE name] PUT key value from to | DEL key from ... */

#define PUT_WORDS 5u
#define DEL_WORDS 3u
#define ERASE_KEYS_CHUNK_BYTES 65536u

enum batch_word { BATCH_BAD, BATCH_KEYSPACE, BATCH_PUT, BATCH_DEL };

/* What stands at `index`, whole; `*words_out` is how many words it has. */
static enum batch_word batch_word_at(const struct yore_bytes *args, size_t count, size_t index,
                                     size_t *words_out)
{
    static const struct {
        const char *name;
        enum batch_word word;
        size_t words;
    } known[] = {{"put", BATCH_PUT, PUT_WORDS},
                 {"del", BATCH_DEL, DEL_WORDS},
                 {"keyspace", BATCH_KEYSPACE, 2}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (args_is(args[index], known[i].name) && count - index >= known[i].words) {
            *words_out = known[i].words;
            return known[i].word;
        }
    }
    return BATCH_BAD;
}

size_t keys_of_batch(const struct yore_bytes *args, size_t count, struct key_position *keys,
                     size_t capacity)
{
    size_t found = 0;
    size_t words = 0;
    for (size_t i = 1; i < count; i += words) {
        enum batch_word word = batch_word_at(args, count, i, &words);
        if (word == BATCH_BAD) {
            break;
        }
        if (word != BATCH_KEYSPACE && found++ < capacity) {
            keys[found - 1] = (struct key_position){(uint32_t)(i + 1), KEY_WRITE, "OW update"};
        }
    }
    return found;
}

/* A key of a database that the batch writes. */
struct batch_key {
    struct entry entry; /* as it was before */
    size_t order;
    bool is_delete; /* so says the last of its facts */
};

struct batch_run {
    struct call *call;
    struct yore_batch *batch;
    struct place place;
    struct batch_key *keys;
    size_t key_count;
    size_t key_capacity;
};

/* A moment, or `*`: `otherwise`. */
static bool take_moment(struct call *call, size_t index, int64_t otherwise, int64_t *moment_out)
{
    if (call_is(call, index, "*")) {
        *moment_out = otherwise;
        return true;
    }
    return moments_take(call, index, moment_out);
}

static enum yore_status keep_key(struct batch_run *run, struct yore_bytes key, bool is_put,
                                 struct yore_error *error)
{
    struct batch_key *grown =
        mem_grow(run->keys, run->key_count, &run->key_capacity, sizeof(*grown));
    if (grown == NULL) {
        return error_plain(error, YORE_NOMEM);
    }
    run->keys = grown;
    grown[run->key_count] =
        (struct batch_key){.entry = {.database = run->place.database, .key = key},
                           .order = run->key_count,
                           .is_delete = !is_put};
    run->key_count++;
    return YORE_OK;
}

/* False: an error was replied. */
static bool add_fact(struct batch_run *run, size_t index, bool is_put)
{
    struct call *call = run->call;
    struct yore_error error = {.text = ""};
    struct yore_write write = {
        .from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE};
    struct yore_bytes key = call->args[index + 1];
    if ((is_put && !call_check_value(call, call->args[index + 2])) ||
        !take_moment(call, index + (is_put ? 3 : 2), YORE_NOW, &write.from) ||
        (is_put && !take_moment(call, index + 4, YORE_FOREVER, &write.to))) {
        return false;
    }
    enum yore_status st = YORE_OK;
    if (run->place.database != NULL) {
        st = access_make_keyspace(call->access, run->place.database, &run->place.keyspace, &error);
        st = st == YORE_OK ? keep_key(run, key, is_put, &error) : st;
    }
    if (st == YORE_OK) {
        st = is_put ? yore_batch_put(run->batch, run->place.keyspace, key, call->args[index + 2],
                                     &write, &error)
                    : yore_batch_delete(run->batch, run->place.keyspace, key, &write, &error);
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    }
    return st == YORE_OK;
}

static bool add_facts(struct batch_run *run)
{
    struct call *call = run->call;
    size_t words = 0;
    for (size_t i = 1; i < call->count; i += words) {
        bool is_fine = false;
        switch (batch_word_at(call->args, call->count, i, &words)) {
        case BATCH_KEYSPACE:
            is_fine = place_find(call, i + 1, PLACE_WRITE, NULL, &run->place);
            break;
        case BATCH_PUT:
            is_fine = add_fact(run, i, true);
            break;
        case BATCH_DEL:
            is_fine = add_fact(run, i, false);
            break;
        default:
            call_syntax(call);
            break;
        }
        if (!is_fine) {
            return false;
        }
    }
    return true;
}

static int compare_keys(const struct entry *first, const struct entry *second)
{
    if (first->database != second->database) {
        return first->database < second->database ? -1 : 1;
    }
    return bytes_compare(first->key, second->key);
}

static int compare_batch_keys(const void *a, const void *b)
{
    const struct batch_key *first = a;
    const struct batch_key *second = b;
    int order = compare_keys(&first->entry, &second->entry);
    return order != 0 ? order : first->order < second->order ? -1 : 1;
}

/* Settling asks whether it was there and its end, not its bytes. */
static void drop_bytes(struct entry *entry)
{
    int64_t end = entry->value.valid_to;
    yore_value_release(&entry->value);
    entry->value.valid_to = end;
}

/* What was there before, of each key once. */
static enum yore_status look_before(struct batch_run *run, struct yore_error *error)
{
    size_t kept = 0;
    enum yore_status st = YORE_OK;
    if (run->key_count > 0) {
        qsort(run->keys, run->key_count, sizeof(*run->keys), compare_batch_keys);
    }
    for (size_t i = 0; i < run->key_count && st == YORE_OK; i++) {
        const struct batch_key key = run->keys[i];
        if (kept > 0 && compare_keys(&run->keys[kept - 1].entry, &key.entry) == 0) {
            run->keys[kept - 1].is_delete = key.is_delete;
            continue;
        }
        struct entry *entry = &run->keys[kept].entry;
        run->keys[kept].is_delete = key.is_delete;
        st = access_lookup(run->call->access, key.entry.database, key.entry.key, entry, error);
        if (st == YORE_OK) {
            drop_bytes(entry);
            kept++;
        }
    }
    run->key_count = kept;
    return st;
}

static enum yore_status commit_batch(struct batch_run *run, int64_t *commit_out,
                                     struct yore_error *error)
{
    struct access *access = run->call->access;
    enum yore_status st = look_before(run, error);
    if (st == YORE_OK) {
        st = yore_batch_commit(run->batch, YORE_DURABILITY_NONE, commit_out, error);
    }
    if (st == YORE_OK) {
        access->writes++;
    }
    for (size_t i = 0; i < run->key_count && st == YORE_OK; i++) {
        const struct entry *entry = &run->keys[i].entry;
        bool is_delete = run->keys[i].is_delete;
        st = access_settle(access, entry, error);
        access_event(access, entry->database, is_delete ? EVENT_GENERIC : EVENT_STRING,
                     is_delete ? "del" : "set", entry->key);
    }
    return st;
}

void cmd_yore_batch(struct call *call)
{
    struct batch_run run = {.call = call};
    struct yore_error error = {.text = ""};
    int64_t commit = 0;
    if (call->access->txn != NULL) {
        reply_error(call->reply, "ERR %s is not allowed inside a transaction", call->command->name);
        return;
    }
    (void)place_find(call, 0, PLACE_WRITE, NULL, &run.place);
    enum yore_status st = yore_batch_new(call->server->db, &run.batch, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    if (add_facts(&run)) {
        st = commit_batch(&run, &commit, &error);
        if (st == YORE_OK) {
            reply_int(call->reply, commit);
        } else {
            call_fail_told(call, st, &error);
        }
    }
    yore_batch_free(run.batch);
    mem_free(run.keys);
}

/* ---- erasures ---- */

struct erase_request {
    struct yore_erase erase;
    size_t keyspace; /* where its name stands; 0: the session's database */
};

size_t keys_of_erase(const struct yore_bytes *args, size_t count, struct key_position *keys,
                     size_t capacity)
{
    if (count < 3 || !args_is(args[1], "key")) {
        return 0; /* more than one key: the handler asks for the right to all of them */
    }
    if (capacity > 0) {
        keys[0] = (struct key_position){2, KEY_WRITE, "RM delete"};
    }
    return 1;
}

/* What is erased is gone for good: more than a key of the session's database only by who may write
 * every key.  False: an error was replied. */
static bool may_erase(struct call *call, const struct erase_request *request)
{
    bool may = (!request->erase.is_prefix && request->keyspace == 0) ||
               acl_rules_allow_every_key(call->client->rules, call->command, KEY_WRITE);
    if (!may) {
        reply_error(call->reply, "NOPERM erasing by PREFIX, ALL or KEYSPACE needs the right to "
                                 "write every key; KEY erases one");
    }
    return may;
}

/* YORE.ERASE KEY key [FROM moment] [TO moment] | PREFIX prefix | ALL [KEYSPACE name] */
static bool take_erase(struct call *call, struct erase_request *request)
{
    struct yore_erase *erase = &request->erase;
    size_t next = 3;
    if (call_is(call, 1, "all")) {
        erase->is_prefix = true;
        next = 2;
    } else if (call->count > 2 && (call_is(call, 1, "key") || call_is(call, 1, "prefix"))) {
        erase->is_prefix = call_is(call, 1, "prefix");
        erase->key = call->args[2];
    } else {
        call_syntax(call);
        return false;
    }
    if (erase->is_prefix && next == 3 && erase->key.size == 0) {
        reply_error(call->reply, "ERR the prefix is empty: to erase all there is say ALL");
        return false;
    }
    for (size_t i = next; i < call->count; i += 2) {
        bool has_next = i + 1 < call->count;
        bool is_from = call_is(call, i, "from");
        if (has_next && call_is(call, i, "keyspace")) {
            request->keyspace = i + 1;
        } else if (has_next && !erase->is_prefix && (is_from || call_is(call, i, "to"))) {
            if (!moments_take(call, i + 1, is_from ? &erase->from : &erase->to)) {
                return false;
            }
        } else {
            call_syntax(call);
            return false;
        }
    }
    erase->from = erase->from == YORE_NOW ? access_now(call->access) : erase->from;
    return true;
}

static enum yore_status erase_key(struct call *call, const struct place *place,
                                  const struct yore_erase *erase, struct yore_error *error)
{
    struct entry entry;
    enum yore_status st = access_lookup(call->access, place->database, erase->key, &entry, error);
    if (st != YORE_OK) {
        return st;
    }
    drop_bytes(&entry);
    st = yore_erase(call->server->db, place->keyspace, erase, error);
    return st == YORE_OK ? access_settle(call->access, &entry, error) : st;
}

/* Keys of a database as they are before an erasure. */
struct below {
    struct entry *entries;
    size_t count;
    size_t capacity;
    struct arena arena;
};

static bool keep_row(struct below *below, struct database *database, const struct yore_row *row)
{
    struct entry *grown = mem_grow(below->entries, below->count, &below->capacity, sizeof(*grown));
    void *key = arena_copy(&below->arena, row->key.data, row->key.size);
    below->entries = grown != NULL ? grown : below->entries;
    if (grown == NULL || key == NULL) {
        return false;
    }
    grown[below->count++] = (struct entry){.database = database,
                                           .key = bytes_of(key, row->key.size),
                                           .value = {.valid_to = row->valid_to},
                                           .exists = true};
    return true;
}

static enum yore_status keep_below(struct call *call, const struct place *place,
                                   struct yore_bytes prefix, struct below *below,
                                   struct yore_error *error)
{
    const struct yore_cursor_options options = {.range = {.prefix = prefix}, .keys_only = true};
    struct yore_cursor *cursor = NULL;
    enum yore_status st =
        yore_cursor_open(call->server->db, place->keyspace, &options, &cursor, error);
    bool has_room = true;
    while (st == YORE_OK && has_room && (st = yore_cursor_next(cursor)) == YORE_OK) {
        has_room = keep_row(below, place->database, yore_cursor_row(cursor));
    }
    if (!has_room) {
        st = error_plain(error, YORE_NOMEM);
    } else if (cursor != NULL && st != YORE_NOT_FOUND) {
        *error = *yore_cursor_error(cursor);
    }
    yore_cursor_close(cursor);
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status erase_prefix(struct call *call, const struct place *place,
                                     const struct yore_erase *erase, struct yore_error *error)
{
    struct below below = {.count = 0};
    arena_init(&below.arena, ERASE_KEYS_CHUNK_BYTES);
    enum yore_status st = keep_below(call, place, erase->key, &below, error);
    if (st == YORE_OK) {
        st = yore_erase(call->server->db, place->keyspace, erase, error);
    }
    for (size_t i = 0; i < below.count && st == YORE_OK; i++) {
        st = access_settle(call->access, &below.entries[i], error);
    }
    mem_free(below.entries);
    arena_release(&below.arena);
    return st;
}

void cmd_yore_erase(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct place place;
    int64_t commit = 0;
    struct erase_request request = {.erase = {.from = YORE_TIME_MIN,
                                              .to = YORE_FOREVER,
                                              .durability = YORE_DURABILITY_NONE,
                                              .commit_out = &commit}};
    if (!take_erase(call, &request) || !may_erase(call, &request) ||
        !place_find(call, request.keyspace, PLACE_WRITE, NULL, &place)) {
        return;
    }
    enum yore_status st = YORE_OK;
    if (place.database != NULL) {
        st = access_make_keyspace(call->access, place.database, &place.keyspace, &error);
        if (st == YORE_OK) {
            st = request.erase.is_prefix ? erase_prefix(call, &place, &request.erase, &error)
                                         : erase_key(call, &place, &request.erase, &error);
        }
    } else {
        st = yore_erase(call->server->db, place.keyspace, &request.erase, &error);
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    call->access->writes++;
    reply_int(call->reply, commit);
}
