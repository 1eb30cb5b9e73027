/* command_scan.c -- finding keys: SCAN, KEYS, RANDOMKEY. */
#include <string.h>

#include "command/call.h"
#include "command/commands.h"
#include "command/glob.h"
#include "command/rows.h"
#include "command/series.h"

/* ---- SCAN ---- */

/* Names of keys are told to who has any right to them; Redis tells them all. */
static bool may_name(const struct call *call, struct yore_bytes key)
{
    return acl_rules_allow_key(call->client->rules, call->command, key, KEY_ANY);
}

struct scan {
    struct yore_bytes pattern;
    bool has_pattern;
    bool has_type;
    bool wants_series; /* else strings */
    bool is_type_known;
    int64_t count;
    struct buffer from; /* the key it goes on at; empty: the first */
};

static bool take_scan_options(struct call *call, struct scan *scan)
{
    for (size_t i = 2; i < call->count; i += 2) {
        if (i + 1 >= call->count) {
            call_syntax(call);
            return false;
        }
        if (call_is(call, i, "count")) {
            if (!call_int(call, i + 1, &scan->count)) {
                return false;
            }
            if (scan->count < 1) {
                call_syntax(call);
                return false;
            }
        } else if (call_is(call, i, "match")) {
            scan->pattern = call->args[i + 1];
            scan->has_pattern = !bytes_equal(scan->pattern, bytes_of("*", 1));
        } else if (call_is(call, i, "type")) {
            scan->has_type = true;
            scan->wants_series = call_is(call, i + 1, "tsdb-type");
            scan->is_type_known = scan->wants_series || call_is(call, i + 1, "string");
        } else {
            call_syntax(call);
            return false;
        }
    }
    return true;
}

static bool is_of_type(const struct scan *scan, const struct yore_row *row)
{
    return !scan->has_type || (scan->is_type_known && series_is(row->value) == scan->wants_series);
}

static bool take_cursor(struct call *call, struct scan *scan)
{
    uint64_t number;
    if (!args_uint(call->args[1], &number)) {
        reply_error(call->reply, "ERR invalid cursor");
        return false;
    }
    if (number != 0 && !scan_table_find(&call->server->scans, number, &scan->from)) {
        reply_error(call->reply, "ERR cursor %llu is not kept any more: begin again at 0",
                    (unsigned long long)number);
        return false;
    }
    return true;
}

/* Append keys to the reply's array from where the cursor stands; *next_out is set to where to go
 * on, empty at the end. */
static enum yore_status collect(struct call *call, const struct scan *scan,
                                struct yore_cursor *cursor, struct buffer *next, size_t *told_out)
{
    bool is_literal;
    struct yore_bytes prefix = bytes_of(
        scan->pattern.data, scan->has_pattern ? glob_prefix(scan->pattern, &is_literal) : 0);
    struct yore_bytes start = buffer_bytes(&scan->from);
    int64_t looked = 0;
    if (bytes_compare(start, prefix) < 0) {
        start = prefix;
    }
    enum yore_status st =
        start.size > 0 ? yore_cursor_seek(cursor, start) : yore_cursor_next(cursor);
    for (; st == YORE_OK; st = yore_cursor_next(cursor)) {
        const struct yore_row *row = yore_cursor_row(cursor);
        if (!bytes_starts_with(row->key, prefix)) {
            return YORE_NOT_FOUND;
        }
        if (looked >= scan->count || looked >= SCAN_STEPS_MAX) {
            buffer_append_bytes(next, row->key);
            return YORE_OK;
        }
        looked++;
        if (is_of_type(scan, row) && (!scan->has_pattern || glob_match(scan->pattern, row->key)) &&
            may_name(call, row->key)) {
            reply_bulk(call->reply, row->key);
            ++*told_out;
        }
    }
    return st;
}

static void scan_database(struct call *call, struct scan *scan)
{
    struct yore_error error = {.text = ""};
    struct yore_cursor *cursor = NULL;
    struct buffer next = {0};
    struct reply keys;
    size_t told = 0;
    char text[ARGS_INT_BYTES];
    reply_init(&keys, call->reply->protocol);
    struct call inner = *call;
    inner.reply = &keys;
    enum yore_status st = access_cursor(call->access, call_database(call), bytes_of("", 0),
                                        !scan->has_type, &cursor, &error);
    if (st == YORE_OK) {
        st = collect(&inner, scan, cursor, &next, &told);
    }
    uint64_t number = 0;
    if (st == YORE_OK && !next.is_nomem) {
        number = scan_table_keep(&call->server->scans, &call->client->scans, buffer_bytes(&next));
        st = number == 0 ? YORE_NOMEM : YORE_OK;
    }
    if (keys.out.is_nomem || next.is_nomem) {
        st = YORE_NOMEM;
    }
    if (st != YORE_OK && st != YORE_NOT_FOUND) {
        call_fail(call, st, cursor != NULL ? yore_cursor_error(cursor) : &error);
    } else {
        reply_array(call->reply, 2);
        reply_bulk(call->reply, bytes_of(text, args_int_text((int64_t)number, text)));
        reply_array(call->reply, told);
        buffer_append_bytes(&call->reply->out, buffer_bytes(&keys.out));
    }
    yore_cursor_close(cursor);
    reply_release(&keys);
    buffer_release(&next);
}

void cmd_scan(struct call *call)
{
    struct scan scan = {.count = 10};
    if (take_cursor(call, &scan) && take_scan_options(call, &scan)) {
        scan_database(call, &scan);
    }
    buffer_release(&scan.from);
}

/* ---- KEYS ---- */

/* Tell every key that matches; the cursor keeps its moment. */
static enum yore_status walk_keys(struct call *call, struct yore_cursor *cursor, struct rows *rows,
                                  struct yore_error *error)
{
    enum yore_status st = yore_cursor_first(cursor);
    for (; st == YORE_OK; st = yore_cursor_next(cursor)) {
        struct yore_bytes key = yore_cursor_row(cursor)->key;
        if (!glob_match(call->args[1], key) || !may_name(call, key) || !rows_want(rows)) {
            continue;
        }
        reply_bulk(call->reply, key);
        st = rows_told(rows, error);
        if (st != YORE_OK) {
            return st;
        }
    }
    if (st != YORE_NOT_FOUND) {
        *error = *yore_cursor_error(cursor);
    }
    return st;
}

void cmd_keys(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_cursor *cursor = NULL;
    struct rows rows;
    bool is_literal;
    struct yore_bytes prefix =
        bytes_of(call->args[1].data, glob_prefix(call->args[1], &is_literal));
    enum yore_status st =
        access_cursor(call->access, call_database(call), prefix, true, &cursor, &error);
    rows_begin(&rows, call);
    do {
        st = cursor != NULL ? walk_keys(call, cursor, &rows, &error) : st;
    } while (rows_again(&rows, st, &error));
    yore_cursor_close(cursor);
}

/* ---- RANDOMKEY ---- */

/* A key that may lie between the first and the last one: their common begin, then chance. */
static size_t random_place(struct call *call, struct yore_bytes first, struct yore_bytes last,
                           unsigned char place[64])
{
    const unsigned char *a = first.data;
    const unsigned char *b = last.data;
    size_t common = first.size < last.size ? first.size : last.size;
    size_t size = 0;
    while (size < common && size < 48 && a[size] == b[size]) {
        place[size] = a[size];
        size++;
    }
    uint64_t chance = os_random_u64(call->server->env);
    unsigned low = size < first.size ? a[size] : 0;
    unsigned high = size < last.size ? b[size] : 255;
    place[size++] = (unsigned char)(low + chance % (high >= low ? high - low + 1 : 1));
    for (int i = 1; i < 8; i++) {
        place[size++] = (unsigned char)(chance >> (8 * i));
    }
    return size;
}

static enum yore_status random_row(struct call *call, struct yore_cursor *cursor)
{
    unsigned char place[64];
    struct buffer first = {0};
    enum yore_status st = yore_cursor_first(cursor);
    if (st != YORE_OK) {
        return st;
    }
    buffer_append_bytes(&first, yore_cursor_row(cursor)->key);
    st = first.is_nomem ? YORE_NOMEM : yore_cursor_last(cursor);
    size_t size = 0;
    if (st == YORE_OK) {
        size = random_place(call, buffer_bytes(&first), yore_cursor_row(cursor)->key, place);
        bool goes_back = os_random_u64(call->server->env) % 2 == 0;
        st = goes_back ? yore_cursor_seek_back(cursor, bytes_of(place, size))
                       : yore_cursor_seek(cursor, bytes_of(place, size));
        if (st == YORE_NOT_FOUND) {
            st = goes_back ? yore_cursor_first(cursor) : yore_cursor_last(cursor);
        }
    }
    buffer_release(&first);
    return st;
}

/* From the row the cursor is on to one whose name may be told, once around. */
static enum yore_status go_to_nameable(struct call *call, struct yore_cursor *cursor)
{
    enum yore_status st = YORE_OK;
    bool has_turned = false;
    for (unsigned looked = 0; st == YORE_OK && looked < SCAN_STEPS_MAX; looked++) {
        if (may_name(call, yore_cursor_row(cursor)->key)) {
            return YORE_OK;
        }
        st = yore_cursor_next(cursor);
        if (st == YORE_NOT_FOUND && !has_turned) {
            has_turned = true;
            st = yore_cursor_first(cursor);
        }
    }
    return st == YORE_OK ? YORE_NOT_FOUND : st;
}

void cmd_randomkey(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_cursor *cursor = NULL;
    enum yore_status st =
        access_cursor(call->access, call_database(call), bytes_of("", 0), true, &cursor, &error);
    if (st == YORE_OK) {
        st = random_row(call, cursor);
    }
    if (st == YORE_OK) {
        st = go_to_nameable(call, cursor);
    }
    if (st == YORE_OK) {
        reply_bulk(call->reply, yore_cursor_row(cursor)->key);
    } else if (st == YORE_NOT_FOUND) {
        reply_null(call->reply);
    } else {
        call_fail(call, st, cursor != NULL ? yore_cursor_error(cursor) : &error);
    }
    yore_cursor_close(cursor);
}
