/* command_string.c -- reading and writing whole strings. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/series.h"
#include "command/ttl.h"

static void reply_entry(struct call *call, const struct entry *entry)
{
    if (entry->exists) {
        reply_bulk(call->reply, entry_bytes(entry));
    } else {
        reply_null(call->reply);
    }
}

void cmd_get(struct call *call)
{
    struct entry entry;
    if (call_read(call, 1, &entry)) {
        reply_entry(call, &entry);
        entry_release(&entry);
    }
}

void cmd_strlen(struct call *call)
{
    struct entry entry;
    if (call_read(call, 1, &entry)) {
        reply_int(call->reply, entry.exists ? (int64_t)entry.value.size : 0);
        entry_release(&entry);
    }
}

/* ---- SET and its kin ---- */

struct set_options {
    bool if_absent;
    bool if_present;
    bool keeps_ttl;
    bool tells_old;
    bool has_end;
    struct ttl_unit unit;
    struct yore_bytes end_text;
    int64_t end;
};

static bool take_option(struct call *call, size_t *at, struct set_options *options)
{
    struct ttl_unit unit;
    size_t i = *at;
    if (call_is(call, i, "nx") && !options->if_present) {
        options->if_absent = true;
    } else if (call_is(call, i, "xx") && !options->if_absent) {
        options->if_present = true;
    } else if (call_is(call, i, "get")) {
        options->tells_old = true;
    } else if (call_is(call, i, "keepttl") && !options->has_end) {
        options->keeps_ttl = true;
    } else if (ttl_unit(call->args[i], &unit) && !options->has_end && !options->keeps_ttl &&
               i + 1 < call->count) {
        options->has_end = true;
        options->unit = unit;
        options->end_text = call->args[i + 1];
        ++*at;
    } else {
        return false;
    }
    return true;
}

static bool take_options(struct call *call, struct set_options *options)
{
    *options = (struct set_options){.end = YORE_FOREVER};
    for (size_t i = 3; i < call->count; i++) {
        if (!take_option(call, &i, options)) {
            call_syntax(call);
            return false;
        }
    }
    return !options->has_end ||
           ttl_end(call, options->end_text, options->unit, false, &options->end);
}

static void set_events(struct call *call, struct yore_bytes key, bool has_end)
{
    call_event(call, EVENT_STRING, "set", key);
    if (has_end) {
        call_event(call, EVENT_GENERIC, "expire", key);
    }
}

void cmd_set(struct call *call)
{
    struct set_options options;
    struct entry entry;
    if (!take_options(call, &options)) {
        return;
    }
    bool is_unseen = call->count == 3 && access_leave_unseen(call->access, call_database(call),
                                                             call->args[1], call->args[2], &entry);
    if (!is_unseen &&
        !(options.tells_old ? call_read(call, 1, &entry) : call_lookup(call, 1, &entry))) {
        return;
    }
    bool is_wanted = !(options.if_absent && entry.exists) && !(options.if_present && !entry.exists);
    int64_t end = options.keeps_ttl && entry.exists ? entry.value.valid_to : options.end;
    if (is_wanted && !call_put(call, &entry, call->args[2], end)) {
        entry_release(&entry);
        return;
    }
    if (is_wanted) {
        set_events(call, call->args[1], options.has_end);
    }
    if (options.tells_old) {
        reply_entry(call, &entry);
    } else if (is_wanted) {
        reply_status(call->reply, "OK");
    } else {
        reply_null(call->reply);
    }
    entry_release(&entry);
}

void cmd_setnx(struct call *call)
{
    struct entry entry;
    if (!call_lookup(call, 1, &entry)) {
        return;
    }
    bool is_new = !entry.exists;
    if (!is_new || call_put(call, &entry, call->args[2], YORE_FOREVER)) {
        if (is_new) {
            set_events(call, call->args[1], false);
        }
        reply_int(call->reply, is_new ? 1 : 0);
    }
    entry_release(&entry);
}

static void set_with_end(struct call *call, bool is_seconds)
{
    struct entry entry;
    int64_t end;
    if (!ttl_end(call, call->args[2], (struct ttl_unit){is_seconds, false}, false, &end) ||
        !call_lookup(call, 1, &entry)) {
        return;
    }
    if (call_put(call, &entry, call->args[3], end)) {
        set_events(call, call->args[1], true);
        reply_status(call->reply, "OK");
    }
    entry_release(&entry);
}

void cmd_setex(struct call *call)
{
    set_with_end(call, true);
}

void cmd_psetex(struct call *call)
{
    set_with_end(call, false);
}

void cmd_getset(struct call *call)
{
    struct entry entry;
    if (!call_read(call, 1, &entry)) {
        return;
    }
    if (call_put(call, &entry, call->args[2], YORE_FOREVER)) {
        set_events(call, call->args[1], false);
        reply_entry(call, &entry);
    }
    entry_release(&entry);
}

void cmd_getdel(struct call *call)
{
    struct entry entry;
    if (!call_read(call, 1, &entry)) {
        return;
    }
    if (!entry.exists || call_delete(call, &entry)) {
        if (entry.exists) {
            call_event(call, EVENT_GENERIC, "del", call->args[1]);
        }
        reply_entry(call, &entry);
    }
    entry_release(&entry);
}

/* ---- GETEX ---- */

/* Is there an end, and in which unit? */
static bool take_getex(struct call *call, bool *has_end_out, struct ttl_unit *unit_out)
{
    *has_end_out = call->count == 4 && ttl_unit(call->args[2], unit_out);
    if (call->count == 2 || (call->count == 3 && call_is(call, 2, "persist")) || *has_end_out) {
        return true;
    }
    call_syntax(call);
    return false;
}

void cmd_getex(struct call *call)
{
    struct entry entry;
    struct ttl_unit unit;
    bool has_end;
    int64_t end = YORE_FOREVER;
    if (!take_getex(call, &has_end, &unit) || !call_read(call, 1, &entry)) {
        return;
    }
    /* Of a key that is absent Redis does not look at the end. */
    if (entry.exists && has_end && !ttl_end(call, call->args[3], unit, false, &end)) {
        entry_release(&entry);
        return;
    }
    bool is_same = !entry.exists || call->count == 2 || end == entry.value.valid_to;
    bool deletes = end <= access_now(call->access);
    if (!is_same && !(deletes ? call_delete(call, &entry)
                              : call_keep(call, &entry, entry_bytes(&entry), end))) {
        entry_release(&entry);
        return;
    }
    if (!is_same) {
        const char *event = end == YORE_FOREVER ? "persist" : deletes ? "del" : "expire";
        call_event(call, EVENT_GENERIC, event, call->args[1]);
    }
    reply_entry(call, &entry);
    entry_release(&entry);
}

/* ---- several keys ---- */

void cmd_mget(struct call *call)
{
    reply_array(call->reply, call->count - 1);
    for (size_t i = 1; i < call->count; i++) {
        struct entry entry = {.exists = false};
        struct yore_error error = {.text = ""};
        bool may_be = call->args[i].size > 0 && call->args[i].size <= YORE_KEY_BYTES_MAX;
        enum yore_status st =
            may_be ? access_lookup(call->access, call_database(call), call->args[i], &entry, &error)
                   : YORE_OK; /* no key is called so: nil */
        if (st == YORE_OK && entry.exists && series_is(entry_bytes(&entry))) {
            entry_release(&entry); /* no string: nil, as Redis has it */
        }
        if (st != YORE_OK || entry.is_erased) {
            call_fail(call, st != YORE_OK ? st : YORE_ERASED, &error);
            continue;
        }
        call_note_found(call, i, &entry);
        reply_entry(call, &entry);
        entry_release(&entry);
    }
}

/* Set every pair; false: an error was replied. */
static bool set_pairs(struct call *call)
{
    if (!call_begin(call)) {
        return false;
    }
    for (size_t i = 1; i + 1 < call->count; i += 2) {
        struct entry entry;
        if (!call_lookup(call, i, &entry)) {
            return false;
        }
        bool is_put = call_put(call, &entry, call->args[i + 1], YORE_FOREVER);
        entry_release(&entry);
        if (!is_put) {
            return false;
        }
        set_events(call, call->args[i], false);
    }
    return true;
}

static bool check_pairs(struct call *call)
{
    if (call->count % 2 == 0) {
        call_arity(call);
        return false;
    }
    return true;
}

void cmd_mset(struct call *call)
{
    if (check_pairs(call) && set_pairs(call)) {
        reply_status(call->reply, "OK");
    }
}

void cmd_msetnx(struct call *call)
{
    if (!check_pairs(call)) {
        return;
    }
    for (size_t i = 1; i < call->count; i += 2) {
        struct entry entry;
        if (!call_lookup(call, i, &entry)) {
            return;
        }
        bool is_there = entry.exists;
        entry_release(&entry);
        if (is_there) {
            reply_int(call->reply, 0);
            return;
        }
    }
    if (set_pairs(call)) {
        reply_int(call->reply, 1);
    }
}
