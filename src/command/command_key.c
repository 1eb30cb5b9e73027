/* command_key.c -- keys whatever they hold: there or not, away, elsewhere. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/expiry.h"
#include "command/series_rule.h"
#include "command/state.h"

void cmd_del(struct call *call)
{
    int64_t count = 0;
    if (call->count > 2 && !call_begin(call)) {
        return;
    }
    for (size_t i = 1; i < call->count; i++) {
        struct entry entry;
        if (!call_lookup(call, i, &entry)) {
            return;
        }
        bool is_deleted = entry.exists && call_delete(call, &entry);
        bool has_failed = entry.exists && !is_deleted;
        entry_release(&entry);
        if (has_failed) {
            return;
        }
        if (is_deleted) {
            count++;
            call_event(call, EVENT_GENERIC, "del", call->args[i]);
        }
    }
    reply_int(call->reply, count);
}

void cmd_exists(struct call *call)
{
    int64_t count = 0;
    for (size_t i = 1; i < call->count; i++) {
        struct entry entry;
        if (!call_find(call, i, &entry)) {
            return;
        }
        count += entry.exists ? 1 : 0;
        entry_release(&entry);
    }
    reply_int(call->reply, count);
}

void cmd_type(struct call *call)
{
    struct entry entry;
    if (call_find(call, 1, &entry)) {
        bool is_series = entry.exists && series_is(entry_bytes(&entry));
        reply_status(call->reply, is_series ? "TSDB-TYPE" : entry.exists ? "string" : "none");
        entry_release(&entry);
    }
}

/* ---- to another name ---- */

/* Put what `from` holds at `to`; with `moves` away from where it was. */
static bool transfer(struct call *call, const struct entry *from, const struct entry *to,
                     bool moves)
{
    return call_begin(call) && call_keep(call, to, entry_bytes(from), from->value.valid_to) &&
           (!moves || call_delete(call, from));
}

/* A series is told to those that follow its rules, or whose rule it follows. */
static bool move_to(struct call *call, const struct entry *from, const struct entry *to)
{
    struct yore_error error = {.text = ""};
    if (!transfer(call, from, to, true)) {
        return false;
    }
    enum yore_status st = series_rules_rename(call, entry_bytes(from), to->key, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

static void rename_key(struct call *call, bool only_if_absent)
{
    struct entry from;
    struct entry to;
    bool is_same = bytes_equal(call->args[1], call->args[2]);
    if (!call_lookup(call, 1, &from)) {
        return;
    }
    if (!from.exists) {
        reply_error(call->reply, "ERR no such key");
        return;
    }
    if (!call_lookup(call, 2, &to)) {
        entry_release(&from);
        return;
    }
    bool is_refused = only_if_absent && to.exists;
    bool is_done = is_same || is_refused || move_to(call, &from, &to);
    if (is_done && !is_same && !is_refused) {
        call_event(call, EVENT_GENERIC, "rename_from", call->args[1]);
        call_event(call, EVENT_GENERIC, "rename_to", call->args[2]);
    }
    if (is_done && only_if_absent) {
        reply_int(call->reply, is_refused ? 0 : 1);
    } else if (is_done) {
        reply_status(call->reply, "OK");
    }
    entry_release(&to);
    entry_release(&from);
}

void cmd_rename(struct call *call)
{
    rename_key(call, false);
}

void cmd_renamenx(struct call *call)
{
    rename_key(call, true);
}

static bool lookup_in(struct call *call, uint32_t number, struct yore_bytes key,
                      struct entry *entry_out)
{
    struct yore_error error = {.text = ""};
    enum yore_status st =
        access_lookup(call->access, call_database_at(call, number), key, entry_out, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

struct copy {
    uint32_t from;
    uint32_t to;
    struct yore_bytes key;
    struct yore_bytes new_key;
    bool replaces;
    bool moves;
};

static void copy_key(struct call *call, const struct copy *copy)
{
    struct entry from;
    struct entry to;
    if (!lookup_in(call, copy->from, copy->key, &from)) {
        return;
    }
    if (!lookup_in(call, copy->to, copy->new_key, &to)) {
        entry_release(&from);
        return;
    }
    if (!copy->moves) {
        call_note_found(call, 1, &from);
    }
    bool is_wanted = from.exists && (!to.exists || copy->replaces);
    if (!is_wanted) {
        reply_int(call->reply, 0);
    } else if (series_is(entry_bytes(&from))) {
        reply_error(call->reply, "ERR TSDB: a series can be renamed, but neither copied nor moved: "
                                 "its samples would stay behind");
    } else if (transfer(call, &from, &to, copy->moves)) {
        if (copy->moves) {
            access_event(call->access, from.database, EVENT_GENERIC, "move_from", copy->key);
        }
        access_event(call->access, to.database, EVENT_GENERIC, copy->moves ? "move_to" : "copy_to",
                     copy->new_key);
        reply_int(call->reply, 1);
    }
    entry_release(&to);
    entry_release(&from);
}

static bool database_number(struct call *call, size_t index, uint32_t *number_out)
{
    int64_t number;
    if (!call_int(call, index, &number)) {
        return false;
    }
    if (number < 0 || number >= call->server->database_count) {
        reply_error(call->reply, "ERR DB index is out of range");
        return false;
    }
    *number_out = (uint32_t)number;
    return true;
}

void cmd_copy(struct call *call)
{
    uint32_t own = atomic_load(&call->client->database);
    struct copy copy = {.from = own, .to = own, .key = call->args[1], .new_key = call->args[2]};
    for (size_t i = 3; i < call->count; i++) {
        if (call_is(call, i, "replace")) {
            copy.replaces = true;
        } else if (call_is(call, i, "db") && i + 1 < call->count) {
            if (!database_number(call, ++i, &copy.to)) {
                return;
            }
        } else {
            call_syntax(call);
            return;
        }
    }
    if (copy.from == copy.to && bytes_equal(copy.key, copy.new_key)) {
        reply_error(call->reply, "ERR source and destination objects are the same");
        return;
    }
    copy_key(call, &copy);
}

void cmd_move(struct call *call)
{
    uint32_t own = atomic_load(&call->client->database);
    struct copy copy = {.from = own, .key = call->args[1], .new_key = call->args[1], .moves = true};
    if (!args_int(call->args[2], &(int64_t){0})) {
        reply_error(call->reply, "ERR value is not an integer or out of range");
        return;
    }
    if (!database_number(call, 2, &copy.to)) {
        return;
    }
    if (copy.to == own) {
        reply_error(call->reply, "ERR source and destination objects are the same");
        return;
    }
    copy_key(call, &copy);
}

/* ---- whole databases ---- */

void cmd_swapdb(struct call *call)
{
    struct yore_error error = {.text = ""};
    int64_t a;
    int64_t b;
    if (!args_int(call->args[1], &a)) {
        reply_error(call->reply, "ERR invalid first DB index");
        return;
    }
    if (!args_int(call->args[2], &b)) {
        reply_error(call->reply, "ERR invalid second DB index");
        return;
    }
    if (a < 0 || b < 0 || a >= call->server->database_count || b >= call->server->database_count) {
        reply_error(call->reply, "ERR DB index is out of range");
        return;
    }
    enum yore_status st =
        a == b ? YORE_OK : state_swap(call->access, (uint32_t)a, (uint32_t)b, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return;
    }
    reply_status(call->reply, "OK");
}

static bool take_flush_mode(struct call *call)
{
    if (call->count > 2 ||
        (call->count == 2 && !call_is(call, 1, "sync") && !call_is(call, 1, "async"))) {
        call_syntax(call);
        return false;
    }
    return true;
}

static bool flush(struct call *call, struct database *database)
{
    struct yore_error error = {.text = ""};
    if (access_keyspace(call->access, database) == NULL) {
        return true;
    }
    enum yore_status st = access_flush(call->access, database, &error);
    if (st != YORE_OK) {
        call_fail(call, st, &error);
    }
    return st == YORE_OK;
}

void cmd_flushdb(struct call *call)
{
    if (take_flush_mode(call) && flush(call, call_database(call))) {
        reply_status(call->reply, "OK");
    }
}

void cmd_flushall(struct call *call)
{
    if (!take_flush_mode(call)) {
        return;
    }
    for (uint32_t i = 0; i < call->server->database_count; i++) {
        if (!flush(call, call_database_at(call, i))) {
            return;
        }
    }
    reply_status(call->reply, "OK");
}

void cmd_dbsize(struct call *call)
{
    struct database *database = call_database(call);
    if (call->access->at == NULL && call->access->txn == NULL) {
        int64_t count = atomic_load(&database->count) - expiry_passed(call->server, database);
        reply_int(call->reply, count < 0 ? 0 : count);
        return;
    }
    struct yore_error error = {.text = ""};
    struct yore_cursor *cursor = NULL;
    int64_t count = 0;
    enum yore_status st =
        access_cursor(call->access, database, bytes_of("", 0), true, &cursor, &error);
    while (st == YORE_OK && (st = yore_cursor_next(cursor)) == YORE_OK) {
        count++;
    }
    if (st != YORE_NOT_FOUND) {
        call_fail(call, st, cursor != NULL ? yore_cursor_error(cursor) : &error);
    } else {
        reply_int(call->reply, count);
    }
    yore_cursor_close(cursor);
}

/* ---- OBJECT ---- */

static const char *encoding_of(const struct entry *entry)
{
    int64_t number;
    if (args_int(entry_bytes(entry), &number)) {
        return "int";
    }
    return entry->value.size <= 44 ? "embstr" : "raw";
}

/* Look up argument 2; where it is absent reply nil. */
static bool object_lookup(struct call *call, struct entry *entry_out)
{
    if (!call_lookup(call, 2, entry_out)) {
        return false;
    }
    if (!entry_out->exists) {
        reply_null(call->reply);
    }
    return entry_out->exists;
}

void cmd_object_encoding(struct call *call)
{
    struct entry entry;
    if (object_lookup(call, &entry)) {
        reply_text(call->reply, encoding_of(&entry));
        entry_release(&entry);
    }
}

void cmd_object_refcount(struct call *call)
{
    struct entry entry;
    if (object_lookup(call, &entry)) {
        reply_int(call->reply, 1);
        entry_release(&entry);
    }
}

void cmd_object_idletime(struct call *call)
{
    struct entry entry;
    if (object_lookup(call, &entry)) {
        int64_t idle = (access_now(call->access) - entry.value.valid_from) / 1000000000;
        reply_int(call->reply, idle < 0 ? 0 : idle);
        entry_release(&entry);
    }
}

void cmd_object_freq(struct call *call)
{
    struct entry entry;
    if (!object_lookup(call, &entry)) {
        return;
    }
    entry_release(&entry);
    reply_error(call->reply,
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
                "Please note that when switching between policies at runtime LRU and LFU data "
                "will take some time to adjust.");
}

void cmd_help(struct call *call)
{
    call_help(call);
}

void cmd_memory_usage(struct call *call)
{
    struct entry entry;
    int64_t samples;
    for (size_t i = 3; i < call->count; i++) {
        if (!call_is(call, i, "samples") || i + 1 >= call->count) {
            call_syntax(call);
            return;
        }
        if (!call_int(call, ++i, &samples)) {
            return;
        }
        if (samples < 0) {
            call_syntax(call);
            return;
        }
    }
    if (object_lookup(call, &entry)) {
        /* What it takes before compression: key, value, and the version's times. */
        reply_int(call->reply, (int64_t)(entry.key.size + entry.value.size + 24));
        entry_release(&entry);
    }
}

void cmd_memory_doctor(struct call *call)
{
    reply_verbatim(
        call->reply, "txt",
        args_text("Memory is bounded by the settings cache, memtable and "
                  "maxmemory-clients; INFO memory and INFO engine tell what each takes."));
}
