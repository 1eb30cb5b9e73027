/* command_yore.c -- the past over the wire: sessions at a moment, dated reads and writes, timelines
 * and differences. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/expiry.h"
#include "command/moments.h"
#include "command/place.h"
#include "command/rows.h"

/* ---- the session ---- */

void cmd_yore_at(struct call *call)
{
    struct client *client = call->client;
    struct yore_time moment = {YORE_NOW, YORE_NOW};
    bool has_known = call->count == 4 && call_is(call, 2, "known");
    if (call->count != 2 && !has_known) {
        call_syntax(call);
        return;
    }
    if (!moments_take_read(call, 1, &moment.valid) ||
        (has_known && !moments_take_known(call, 3, &moment.known))) {
        return;
    }
    client->moment = moment;
    client->has_moment = moment.valid != YORE_NOW || moment.known != YORE_NOW;
    reply_status(call->reply, "OK");
}

/* ---- reading one key ---- */

/* What the transaction itself has written has none yet. */
static void tell_commit(struct call *call, int64_t commit)
{
    reply_text(call->reply, "commit");
    if (commit == YORE_FOREVER) {
        reply_null(call->reply);
    } else {
        reply_int(call->reply, commit);
    }
}

static void reply_version(struct call *call, const struct yore_value *value)
{
    reply_map(call->reply, 4);
    reply_text(call->reply, "value");
    call_bulk(call, bytes_of(value->data, value->size));
    reply_text(call->reply, "from");
    moments_reply(call->reply, value->valid_from);
    reply_text(call->reply, "to");
    moments_reply(call->reply, value->valid_to);
    tell_commit(call, value->commit);
}

struct read_request {
    struct yore_time moment;
    size_t keyspace; /* where its name stands; 0: the session's database */
    bool with_times;
};

static bool take_get(struct call *call, struct read_request *request)
{
    for (size_t i = 2; i < call->count; i++) {
        bool is_at = call_is(call, i, "at");
        bool has_next = i + 1 < call->count;
        if ((is_at || call_is(call, i, "known")) && has_next) {
            if (!moments_take_looked(call, ++i, !is_at, &request->moment)) {
                return false;
            }
        } else if (call_is(call, i, "keyspace") && has_next) {
            request->keyspace = ++i;
        } else if (call_is(call, i, "withtimes")) {
            request->with_times = true;
        } else {
            call_syntax(call);
            return false;
        }
    }
    return true;
}

/* Of a keyspace that was named: what is there, whatever kind of value it is to clients. */
static bool read_named(struct call *call, const struct read_request *request,
                       const struct yore_time *at, struct entry *entry_out)
{
    struct yore_error error = {.text = ""};
    struct place place;
    if (!place_find(call, request->keyspace, PLACE_READ, at, &place)) {
        return false;
    }
    enum yore_status st = place_lookup(call, &place, call->args[1], at, entry_out, &error);
    st = st == YORE_OK && entry_out->is_erased ? YORE_ERASED : st;
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    }
    return st == YORE_OK;
}

void cmd_yore_get(struct call *call)
{
    struct read_request request = {.moment = {YORE_NOW, YORE_NOW}};
    const struct yore_time *session = call->access->at;
    struct entry entry;
    if (session != NULL) {
        request.moment = *session;
    }
    if (!take_get(call, &request)) {
        return;
    }
    bool is_past = request.moment.valid != YORE_NOW || request.moment.known != YORE_NOW;
    const struct yore_time *at = is_past ? &request.moment : session;
    call->access->at = at;
    bool is_known =
        request.keyspace == 0 ? call_read(call, 1, &entry) : read_named(call, &request, at, &entry);
    call->access->at = session;
    if (!is_known) {
        return;
    }
    if (!entry.exists) {
        reply_null(call->reply);
    } else if (request.with_times) {
        reply_version(call, &entry.value);
    } else {
        call_bulk(call, entry_bytes(&entry));
    }
    entry_release(&entry);
}

/* ---- writing with dates ---- */

struct dated {
    struct yore_write write;
    size_t keyspace; /* where its name stands; 0: the session's database */
    bool has_from;
    bool has_to;
};

static bool take_dates(struct call *call, size_t first, struct dated *dated)
{
    *dated = (struct dated){
        .write = {.from = YORE_NOW, .to = YORE_FOREVER, .durability = YORE_DURABILITY_NONE}};
    bool has_other = false; /* AT or UNTIL */
    for (size_t i = first; i < call->count; i += 2) {
        bool is_from = call_is(call, i, "from");
        bool is_to = call_is(call, i, "to");
        bool is_until = call_is(call, i, "until") && first == 3;
        if (call_is(call, i, "keyspace") && i + 1 < call->count) {
            dated->keyspace = i + 1;
            continue;
        }
        if ((!is_from && !is_to && !is_until && !call_is(call, i, "at")) || i + 1 >= call->count) {
            call_syntax(call);
            return false;
        }
        if (!moments_take(call, i + 1, is_to || is_until ? &dated->write.to : &dated->write.from)) {
            return false;
        }
        dated->has_from |= is_from;
        dated->has_to |= is_to;
        has_other |= !is_from && !is_to;
    }
    dated->write.is_span = dated->has_to;
    if (dated->has_from != dated->has_to) {
        reply_error(call->reply, "ERR a span needs both FROM and TO; AT is from a moment on");
        return false;
    }
    if (dated->has_from && has_other) {
        reply_error(call->reply, "ERR a span is FROM and TO alone, without AT and UNTIL");
        return false;
    }
    if (dated->write.to == YORE_NOW && dated->has_to) {
        dated->write.to = access_now(call->access);
    }
    return true;
}

/* Into a keyspace that is no database: nothing is counted there. */
static enum yore_status write_named(struct call *call, struct yore_keyspace *keyspace,
                                    const struct yore_bytes *value, const struct yore_write *write,
                                    struct yore_error *error)
{
    struct yore_db *db = call->server->db;
    call->access->writes++;
    return value != NULL ? yore_put(db, keyspace, call->args[1], *value, write, error)
                         : yore_delete(db, keyspace, call->args[1], write, error);
}

/* A write with dates may change what holds now, or not: counts and the list of ends follow what
 * was there before and after. */
static void write_dated(struct call *call, const struct dated *dated,
                        const struct yore_bytes *value)
{
    struct yore_error error = {.text = ""};
    struct place place;
    struct entry entry;
    int64_t commit = 0;
    struct yore_write write = dated->write;
    if (call->access->txn != NULL) {
        reply_error(call->reply, "ERR %s is not allowed inside a transaction", call->command->name);
        return;
    }
    if (!place_find(call, dated->keyspace, PLACE_WRITE, NULL, &place)) {
        return;
    }
    write.commit_out = &commit;
    enum yore_status st = YORE_OK;
    if (place.database == NULL) {
        st = write_named(call, place.keyspace, value, &write, &error);
    } else {
        st = access_lookup(call->access, place.database, call->args[1], &entry, &error);
        if (st == YORE_OK) {
            st = access_put_dated(call->access, &entry, value, &write, &error);
            entry_release(&entry);
        }
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    if (place.database != NULL) {
        access_event(call->access, place.database, value != NULL ? EVENT_STRING : EVENT_GENERIC,
                     value != NULL ? "set" : "del", call->args[1]);
    }
    reply_int(call->reply, commit);
}

void cmd_yore_put(struct call *call)
{
    struct dated dated;
    if (take_dates(call, 3, &dated) && call_check_value(call, call->args[2])) {
        write_dated(call, &dated, &call->args[2]);
    }
}

void cmd_yore_del(struct call *call)
{
    struct dated dated;
    if (take_dates(call, 2, &dated)) {
        write_dated(call, &dated, NULL);
    }
}

/* ---- a timeline ---- */

/* What a timeline or a difference was asked for. */
struct history_request {
    size_t named; /* where the keyspace's name stands; 0: the session's database */
    struct yore_keyspace *keyspace;
    int64_t limit;
    struct yore_timeline_options timeline;
    struct yore_changes_options changes;
};

typedef enum yore_status walk_fn(struct call *call, const struct history_request *request,
                                 struct rows *rows, struct yore_error *error);

static void tell_history(struct call *call, struct history_request *request, walk_fn *walk)
{
    struct yore_error error = {.text = ""};
    struct rows rows;
    struct place place;
    enum yore_status st = YORE_NOT_FOUND;
    if (!place_find(call, request->named, PLACE_READ, NULL, &place)) {
        return;
    }
    request->keyspace = place.keyspace;
    rows_begin(&rows, call);
    do {
        st = request->keyspace != NULL ? walk(call, request, &rows, &error) : YORE_NOT_FOUND;
    } while (rows_again(&rows, st, &error));
}

static bool take_timeline(struct call *call, struct history_request *request)
{
    struct yore_timeline_options *options = &request->timeline;
    bool is_allowed = acl_allows_moment(call->client, YORE_TIME_MIN, access_now(call->access));
    *options = (struct yore_timeline_options){
        .from = YORE_TIME_MIN, .to = YORE_FOREVER, .known = YORE_NOW, .with_in_force = true};
    for (size_t i = 2; i < call->count; i++) {
        bool has_next = i + 1 < call->count;
        if (call_is(call, i, "rev")) {
            options->is_backward = true;
        } else if (call_is(call, i, "every")) {
            options->every_commit = true;
        } else if (has_next && call_is(call, i, "limit")) {
            if (!call_int_between(call, ++i, 1, INT64_MAX, &request->limit)) {
                return false;
            }
        } else if (has_next && call_is(call, i, "keyspace")) {
            request->named = ++i;
        } else if (has_next && call_is(call, i, "from")) {
            is_allowed = true;
            if (!moments_take_read(call, ++i, &options->from)) {
                return false;
            }
        } else if (has_next && call_is(call, i, "to")) {
            if (!moments_take(call, ++i, &options->to)) {
                return false;
            }
        } else if (has_next && call_is(call, i, "known")) {
            if (!moments_take_known(call, ++i, &options->known)) {
                return false;
            }
        } else {
            call_syntax(call);
            return false;
        }
    }
    if (!is_allowed) { /* from the beginning, which is further back than the user may look */
        options->from = access_now(call->access) - call->client->rules->history_ns;
    }
    return true;
}

static void tell_version(struct call *call, const struct yore_version *version)
{
    static const char *const kinds[] = {"", "put", "delete", "erased"};
    reply_map(call->reply, 5);
    reply_text(call->reply, "kind");
    reply_text(call->reply, kinds[version->kind]);
    reply_text(call->reply, "from");
    moments_reply(call->reply, version->valid_from);
    reply_text(call->reply, "to");
    moments_reply(call->reply, version->valid_to);
    tell_commit(call, version->commit);
    reply_text(call->reply, "value");
    if (version->kind == YORE_KIND_PUT) {
        call_bulk(call, version->value);
    } else {
        reply_null(call->reply);
    }
}

/* Both walks of a reply see what is known now. */
static void fix_known(const struct call *call, int64_t *known)
{
    if (*known == YORE_NOW) {
        *known = yore_now(call->server->db);
    }
}

static enum yore_status walk_timeline(struct call *call, const struct history_request *request,
                                      struct rows *rows, struct yore_error *error)
{
    struct yore_timeline *timeline = NULL;
    struct yore_version version;
    enum yore_status st = access_timeline(call->access, request->keyspace, call->args[1],
                                          &request->timeline, &timeline, error);
    while (st == YORE_OK && (int64_t)rows->count < request->limit) {
        st = yore_timeline_next(timeline, &version, error);
        if (st == YORE_OK && rows_want(rows)) {
            tell_version(call, &version);
            st = rows_told(rows, error);
        }
    }
    yore_timeline_close(timeline);
    return st;
}

void cmd_yore_timeline(struct call *call)
{
    struct history_request request = {.limit = INT64_MAX};
    if (take_timeline(call, &request)) {
        fix_known(call, &request.timeline.known);
        tell_history(call, &request, walk_timeline);
    }
}

/* ---- differences ---- */

static bool take_changes(struct call *call, struct history_request *request)
{
    struct yore_changes_options *options = &request->changes;
    bool has_from = false;
    bool has_to = false;
    *options = (struct yore_changes_options){.range = {.prefix = call->args[1]}, .known = YORE_NOW};
    for (size_t i = 2; i < call->count; i++) {
        bool has_next = i + 1 < call->count;
        bool is_fine = true;
        if (call_is(call, i, "every")) {
            options->every_version = true;
        } else if (call_is(call, i, "bytime")) {
            options->in_time_order = true;
        } else if (has_next && call_is(call, i, "low")) {
            options->range.low = call->args[++i];
        } else if (has_next && call_is(call, i, "high")) {
            options->range.high = call->args[++i];
        } else if (has_next && call_is(call, i, "keyspace")) {
            request->named = ++i;
        } else if (has_next && call_is(call, i, "limit")) {
            is_fine = call_int_between(call, ++i, 1, INT64_MAX, &request->limit);
        } else if (has_next && call_is(call, i, "from")) {
            has_from = true;
            is_fine = moments_take_read(call, ++i, &options->from);
        } else if (has_next && call_is(call, i, "to")) {
            has_to = true;
            is_fine = moments_take_read(call, ++i, &options->to);
        } else if (has_next && call_is(call, i, "known")) {
            is_fine = moments_take_known(call, ++i, &options->known);
        } else {
            call_syntax(call);
            return false;
        }
        if (!is_fine) {
            return false;
        }
    }
    if (!has_from || !has_to) {
        call_syntax(call);
    }
    return has_from && has_to;
}

static void tell_side(struct call *call, struct yore_bytes side)
{
    if (side.data == NULL) {
        reply_null(call->reply);
    } else {
        call_bulk(call, side);
    }
}

static void tell_change(struct call *call, const struct yore_change *change)
{
    static const char *const kinds[] = {"", "added", "changed", "removed"};
    reply_map(call->reply, 6);
    reply_text(call->reply, "kind");
    reply_text(call->reply, kinds[change->kind]);
    reply_text(call->reply, "key");
    reply_bulk(call->reply, change->key);
    reply_text(call->reply, "time");
    moments_reply(call->reply, change->time);
    reply_text(call->reply, "commit");
    reply_int(call->reply, change->commit);
    reply_text(call->reply, "before");
    tell_side(call, change->before);
    reply_text(call->reply, "after");
    tell_side(call, change->after);
}

static enum yore_status walk_changes(struct call *call, const struct history_request *request,
                                     struct rows *rows, struct yore_error *error)
{
    struct yore_changes *changes = NULL;
    struct yore_change change;
    enum yore_status st =
        yore_changes_open(call->server->db, request->keyspace, &request->changes, &changes, error);
    while (st == YORE_OK && (int64_t)rows->count < request->limit) {
        st = yore_changes_next(changes, &change, error);
        if (st == YORE_OK &&
            acl_rules_allow_key(call->client->rules, call->command, change.key, KEY_READ) &&
            rows_want(rows)) {
            tell_change(call, &change);
            st = rows_told(rows, error);
        }
    }
    yore_changes_close(changes);
    return st;
}

void cmd_yore_changes(struct call *call)
{
    struct history_request request = {.limit = INT64_MAX};
    if (call->is_in_exec && call->access->writes > 0) { /* the walk is over what is committed */
        reply_error(call->reply,
                    "ERR '%s' does not see what its transaction has written: let it stand before "
                    "the writes, or send it after EXEC",
                    call->command->name);
        return;
    }
    if (take_changes(call, &request)) {
        fix_known(call, &request.changes.known);
        tell_history(call, &request, walk_changes);
    }
}
