/* command_store.c -- the store as a whole: ranges in order, retention, backup, check. */
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/moments.h"
#include "command/series.h"
#include "engine/db.h"
#include "topology/whole_check.h"

/* ---- ranges ---- */

struct range_scan {
    struct yore_bytes start;
    struct yore_bytes end; /* exclusive; size 0: none */
    struct yore_bytes prefix;
    int64_t count;
    bool keys_only;
};

static bool take_scan(struct call *call, struct range_scan *scan)
{
    *scan = (struct range_scan){.start = call->args[1], .count = 100};
    for (size_t i = 2; i < call->count; i++) {
        bool has_next = i + 1 < call->count;
        if (call_is(call, i, "keys")) {
            scan->keys_only = true;
        } else if (has_next && call_is(call, i, "end")) {
            scan->end = call->args[++i];
        } else if (has_next && call_is(call, i, "prefix")) {
            scan->prefix = call->args[++i];
        } else if (has_next && call_is(call, i, "count")) {
            if (!call_int_between(call, ++i, 1, SCAN_STEPS_MAX, &scan->count)) {
                return false;
            }
        } else {
            call_syntax(call);
            return false;
        }
    }
    return true;
}

static void tell_value(const struct call *call, struct yore_bytes value, struct reply *rows)
{
    if (series_is_hidden(call->client->rules, call->command, value)) {
        reply_null(rows);
    } else {
        reply_bulk(rows, value);
    }
}

/* Rows into `rows`; YORE_OK: it goes on at the row the cursor is on, which the user may read too: a
 * page ends at no key that is not told. */
static enum yore_status collect(struct call *call, const struct range_scan *scan,
                                struct yore_cursor *cursor, struct reply *rows, size_t *told_out)
{
    int64_t taken = 0;
    enum yore_status st =
        scan->start.size > 0 ? yore_cursor_seek(cursor, scan->start) : yore_cursor_next(cursor);
    for (; st == YORE_OK; st = yore_cursor_next(cursor)) {
        const struct yore_row *row = yore_cursor_row(cursor);
        if (scan->end.size > 0 && bytes_compare(row->key, scan->end) >= 0) {
            return YORE_NOT_FOUND;
        }
        if (!acl_rules_allow_key(call->client->rules, call->command, row->key, KEY_READ)) {
            continue;
        }
        if (taken == scan->count || rows->out.size > SCAN_PAGE_BYTES_MAX) {
            return YORE_OK;
        }
        taken++;
        reply_bulk(rows, row->key);
        if (!scan->keys_only) {
            tell_value(call, row->value, rows);
        }
        *told_out += scan->keys_only ? 1 : 2;
    }
    return st;
}

void cmd_yore_scan(struct call *call)
{
    struct range_scan scan;
    struct yore_error error = {.text = ""};
    struct yore_cursor *cursor = NULL;
    struct reply rows;
    size_t told = 0;
    if (!take_scan(call, &scan)) {
        return;
    }
    reply_init(&rows, call->reply->protocol);
    enum yore_status st = access_cursor(call->access, call_database(call), scan.prefix,
                                        scan.keys_only, &cursor, &error);
    if (st == YORE_OK) {
        st = collect(call, &scan, cursor, &rows, &told);
    }
    st = rows.out.is_nomem ? YORE_NOMEM : st;
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        call_fail(call, st, cursor != NULL ? yore_cursor_error(cursor) : &error);
    } else {
        reply_array(call->reply, 2);
        if (st == YORE_OK) {
            reply_bulk(call->reply, yore_cursor_row(cursor)->key);
        } else {
            reply_null(call->reply);
        }
        reply_array(call->reply, told);
        buffer_append_bytes(&call->reply->out, buffer_bytes(&rows.out));
    }
    yore_cursor_close(cursor);
    reply_release(&rows);
}

/* ---- retention ---- */

/* A database that nothing was written to will keep all. */
static void tell_retention(struct call *call)
{
    struct yore_error error = {.text = ""};
    const struct database *database = call_database(call);
    struct yore_keyspace *keyspace = access_keyspace(call->access, database);
    struct yore_keyspace_info info = {.horizon = YORE_TIME_MIN};
    memcpy(info.name, database->name, sizeof database->name);
    enum yore_status st =
        keyspace != NULL ? yore_keyspace_info(call->server->db, keyspace, &info, &error) : YORE_OK;
    if (st != YORE_OK) {
        call_fail(call, st, &error);
        return;
    }
    reply_map(call->reply, 4);
    reply_text(call->reply, "keyspace");
    reply_text(call->reply, info.name);
    reply_text(call->reply, "keep");
    reply_text(call->reply, info.options.keep == YORE_KEEP_ALL   ? "all"
                            : info.options.keep == YORE_KEEP_NOW ? "now"
                                                                 : "for");
    reply_text(call->reply, "keep_seconds");
    reply_int(call->reply,
              info.options.keep == YORE_KEEP_FOR ? info.options.keep_ns / 1000000000 : 0);
    reply_text(call->reply, "horizon");
    moments_reply(call->reply, info.horizon);
}

static enum yore_status alter_retention(struct call *call, struct yore_keyspace *keyspace,
                                        struct yore_error *error)
{
    struct yore_keyspace_info info;
    struct yore_db *db = call->server->db;
    if (call_is(call, 1, "trim")) {
        int64_t horizon;
        enum yore_status st =
            moment_parse(call->args[2], access_now(call->access), &horizon, error);
        return st == YORE_OK
                   ? yore_trim(db, keyspace,
                               horizon == YORE_NOW ? access_now(call->access) : horizon, error)
                   : st;
    }
    enum yore_status st = yore_keyspace_info(db, keyspace, &info, error);
    info.options.keep = YORE_KEEP_ALL;
    info.options.keep_ns = 0;
    if (st == YORE_OK && !call_is(call, 2, "all")) {
        info.options.keep = YORE_KEEP_FOR;
        st = duration_parse(call->args[2], &info.options.keep_ns, error);
    }
    return st == YORE_OK ? yore_keyspace_alter(db, keyspace, &info.options, error) : st;
}

static void change_retention(struct call *call)
{
    struct yore_keyspace *keyspace = NULL;
    struct yore_error error = {.text = ""};
    if (call->client->has_moment) {
        call_refuse_past(call);
        return;
    }
    enum yore_status st =
        access_make_keyspace(call->access, call_database(call), &keyspace, &error);
    if (st == YORE_OK) {
        st = alter_retention(call, keyspace, &error);
    }
    if (st == YORE_OK) {
        reply_status(call->reply, "OK");
    } else {
        call_fail(call, st, &error);
    }
}

void cmd_yore_retention(struct call *call)
{
    if (call->count == 1) {
        tell_retention(call);
    } else if (call->count == 3 && (call_is(call, 1, "keep") || call_is(call, 1, "trim"))) {
        change_retention(call);
    } else {
        call_syntax(call);
    }
}

/* ---- backup ---- */

static bool is_plain_name(struct yore_bytes name)
{
    const char *at = name.data;
    for (size_t i = 0; i < name.size; i++) {
        bool is_plain = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z') ||
                        (at[i] >= '0' && at[i] <= '9') || at[i] == '-' || at[i] == '_';
        if (!is_plain) {
            return false;
        }
    }
    return name.size > 0 && name.size <= BACKUP_NAME_SIZE_MAX;
}

/* False: an error was replied. */
static bool has_backup_directory(struct call *call)
{
    bool has_one = call->server->options.backup_path != NULL;
    if (!has_one) {
        reply_error(call->reply,
                    "ERR the server has no backup directory: set backup-dir and start it again");
    }
    return has_one;
}

static bool check_backup_name(struct call *call, struct yore_bytes name)
{
    bool is_plain = is_plain_name(name);
    if (!is_plain) {
        reply_error(call->reply, "ERR a backup's name is 1 to 64 of A-Z a-z 0-9 - _");
    }
    return is_plain;
}

/* Where the backups of a name are; NULL: out of memory. */
static const char *backup_path(const struct call *call, struct yore_bytes name, struct buffer *path)
{
    const char *directory = call->server->options.backup_path;
    buffer_clear(path);
    buffer_append(path, directory, strlen(directory));
    buffer_append(path, "/", 1);
    buffer_append_bytes(path, name);
    buffer_append(path, "", 1);
    return path->is_nomem ? NULL : (const char *)path->data;
}

static void tell_backup(struct reply *reply, const struct yore_backup_info *info)
{
    reply_text(reply, "id");
    reply_int(reply, (int64_t)info->id);
    reply_text(reply, "commit");
    reply_int(reply, info->commit);
    reply_text(reply, "bytes");
    reply_int(reply, (int64_t)info->bytes);
    reply_text(reply, "new_bytes");
    reply_int(reply, (int64_t)info->new_bytes);
}

/* Its client has left, or the server ends and waits no longer. */
static int ends_backup(void *arg, uint64_t done_bytes, uint64_t total_bytes)
{
    (void)done_bytes;
    (void)total_bytes;
    return call_is_left(arg) ? 1 : 0;
}

void cmd_yore_backup(struct call *call)
{
    struct yore_backup_info info;
    struct yore_error error = {.text = ""};
    struct buffer room = {0};
    if (!has_backup_directory(call) || !check_backup_name(call, call->args[1])) {
        return;
    }
    const char *path = backup_path(call, call->args[1], &room);
    enum yore_status st =
        path != NULL ? yore_backup(call->server->db, path, ends_backup, call, &info, &error)
                     : YORE_NOMEM;
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    } else {
        reply_map(call->reply, 4);
        tell_backup(call->reply, &info);
    }
    buffer_release(&room);
}

/* Names below the directory of backups, BACKUP_NAME_BYTES each, and what is told of them. */
#define BACKUP_NAME_BYTES (BACKUP_NAME_SIZE_MAX + 1)

struct backup_walk {
    struct call *call;
    struct buffer names;
    struct buffer path;
    struct yore_bytes name; /* whose backups are told */
    size_t told;
};

static int note_backup_name(void *arg, const char *name)
{
    struct backup_walk *walk = arg;
    char room[BACKUP_NAME_BYTES] = "";
    if (is_plain_name(args_text(name))) {
        memcpy(room, name, strlen(name));
        buffer_append(&walk->names, room, sizeof room);
    }
    return walk->names.is_nomem ? 1 : 0;
}

static int order_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int tell_named_backup(void *arg, const struct yore_backup_info *info)
{
    struct backup_walk *walk = arg;
    struct reply *reply = walk->call->reply;
    reply_map(reply, 5);
    reply_text(reply, "name");
    reply_bulk(reply, walk->name);
    tell_backup(reply, info);
    walk->told++;
    return reply->out.is_nomem ? 1 : 0;
}

static enum yore_status list_backups(struct backup_walk *walk, struct yore_bytes name,
                                     struct yore_error *error)
{
    const char *path = backup_path(walk->call, name, &walk->path);
    walk->name = name;
    return path != NULL ? yore_backup_list(path, tell_named_backup, walk, error) : YORE_NOMEM;
}

/* Those of a name that is a directory. */
static enum yore_status list_if_any(struct backup_walk *walk, struct yore_bytes name,
                                    struct yore_error *error)
{
    const char *path = backup_path(walk->call, name, &walk->path);
    uint64_t size;
    bool is_dir = false;
    enum yore_status st = path != NULL
                              ? os_path_stat(walk->call->server->env, path, &size, &is_dir, error)
                              : YORE_NOMEM;
    if (st == YORE_OK && is_dir) {
        st = list_backups(walk, name, error);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st; /* gone meanwhile */
}

static enum yore_status list_every_backup(struct backup_walk *walk, struct yore_error *error)
{
    struct command_server *server = walk->call->server;
    enum yore_status st =
        os_dir_list(server->env, server->options.backup_path, note_backup_name, walk, error);
    if (st != YORE_OK || walk->names.size == 0) {
        return walk->names.is_nomem ? YORE_NOMEM : st;
    }
    qsort(walk->names.data, walk->names.size / BACKUP_NAME_BYTES, BACKUP_NAME_BYTES, order_names);
    for (size_t at = 0; st == YORE_OK && at < walk->names.size; at += BACKUP_NAME_BYTES) {
        st = list_if_any(walk, args_text((const char *)walk->names.data + at), error);
    }
    return st;
}

void cmd_yore_backups(struct call *call)
{
    struct backup_walk walk = {.call = call};
    struct yore_error error = {.text = ""};
    size_t start = call->reply->out.size;
    if (call->count > 2) {
        call_syntax(call);
        return;
    }
    if (!has_backup_directory(call) ||
        (call->count == 2 && !check_backup_name(call, call->args[1]))) {
        return;
    }
    size_t begun = reply_array_begin(call->reply);
    enum yore_status st = call->count == 2 ? list_backups(&walk, call->args[1], &error)
                                           : list_every_backup(&walk, &error);
    reply_array_end(call->reply, begun, walk.told);
    if (st != YORE_OK) {
        call->reply->out.size = start;
        call_fail_told(call, st, &error);
    }
    buffer_release(&walk.names);
    buffer_release(&walk.path);
}

/* ---- check ---- */

struct findings {
    struct reply lines;
    size_t count;
};

static void note_finding(void *arg, const char *line)
{
    struct findings *findings = arg;
    if (findings->count < FINDINGS_TOLD_MAX) {
        reply_text(&findings->lines, line);
        findings->count++;
    }
}

static void tell_check(struct call *call, struct whole_check *check,
                       const struct findings *findings)
{
    struct whole_check_figure figures[WHOLE_CHECK_FIGURES];
    whole_check_figures(check, figures);
    reply_map(call->reply, WHOLE_CHECK_FIGURES + 1);
    for (size_t i = 0; i < WHOLE_CHECK_FIGURES; i++) {
        reply_text(call->reply, figures[i].name);
        reply_int(call->reply, (int64_t)*figures[i].count);
    }
    reply_text(call->reply, "findings");
    reply_array(call->reply, findings->count);
    buffer_append_bytes(&call->reply->out, buffer_bytes(&findings->lines.out));
}

void cmd_yore_check(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct findings findings = {.count = 0};
    const struct stop stop = {call_is_over, call};
    struct whole_check check = {.stop = &stop};
    struct yore_db *db = call->server->db;
    reply_init(&findings.lines, call->reply->protocol);
    enum yore_status st = db_verify(db, note_finding, &findings, &stop, &check.store, &error);
    if (st == YORE_OK) { /* what is damaged below is not looked at from above */
        st = whole_check_graphs(&check, db, note_finding, &findings, &error);
    } else if (st == YORE_CORRUPT && check.store.problems > 0) {
        st = YORE_OK;
    }
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    } else {
        tell_check(call, &check, &findings);
    }
    reply_release(&findings.lines);
}
