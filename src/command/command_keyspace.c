/* command_keyspace.c -- keyspaces by name, the database's clock, its statistics, and merging all of
 * it: what the program `yore` asks of a server (--url). */
#include <string.h>

#include "base/keep.h"
#include "base/moment.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/moments.h"
#include "command/place.h"
#include "engine/db.h"

void cmd_yore_now(struct call *call)
{
    reply_int(call->reply, yore_now(call->server->db));
}

/* ---- telling of keyspaces ---- */

static void tell_info(struct reply *reply, const struct yore_keyspace_info *info)
{
    char keep[KEEP_TEXT_BYTES];
    reply_map(reply, 6);
    reply_text(reply, "name");
    reply_text(reply, info->name);
    reply_text(reply, "id");
    reply_int(reply, info->id);
    reply_text(reply, "keep");
    reply_text(reply, keep_format(&info->options, keep));
    reply_text(reply, "compression");
    reply_text(reply, compression_word(info->options.compression));
    reply_text(reply, "horizon");
    moments_reply(reply, info->horizon);
    reply_text(reply, "dropped");
    reply_int(reply, info->is_dropped ? 1 : 0);
}

struct listing {
    struct call *call;
    size_t count;
};

static int tell_one(void *arg, const struct yore_keyspace_info *info)
{
    struct listing *listing = arg;
    if (place_may_read(listing->call, args_text(info->name))) {
        tell_info(listing->call->reply, info);
        listing->count++;
    }
    return 0;
}

void cmd_yore_keyspace_list(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_time at;
    if (!moments_take_at(call, 2, &at)) {
        return;
    }
    size_t start = call->reply->out.size;
    size_t begun = reply_array_begin(call->reply);
    struct listing listing = {call, 0};
    enum yore_status st = yore_keyspace_list(call->server->db, &at, tell_one, &listing, &error);
    if (st != YORE_OK) {
        call->reply->out.size = start;
        call_fail_told(call, st, &error);
        return;
    }
    reply_array_end(call->reply, begun, listing.count);
}

/* The keyspace args[2], as it is or, where it was dropped, as it was; false: replied. */
static bool open_named(struct call *call, const struct yore_time *at,
                       struct yore_keyspace **keyspace_out)
{
    struct yore_error error = {.text = ""};
    enum yore_status st = place_open(call, call->args[2], at, keyspace_out, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
    }
    return st == YORE_OK;
}

void cmd_yore_keyspace_info(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_keyspace_info info;
    struct yore_keyspace *keyspace;
    struct yore_time at;
    if (!place_check_read(call, call->args[2]) || !moments_take_at(call, 3, &at) ||
        !open_named(call, &at, &keyspace)) {
        return;
    }
    enum yore_status st = yore_keyspace_info(call->server->db, keyspace, &info, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    tell_info(call->reply, &info);
}

void cmd_yore_keyspace_usage(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_keyspace_usage usage;
    struct yore_keyspace *keyspace;
    if (!place_check_read(call, call->args[2]) || !open_named(call, NULL, &keyspace)) {
        return;
    }
    enum yore_status st = yore_keyspace_usage(call->server->db, keyspace, &usage, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {{"memory_bytes", usage.memory_bytes},
                {"memory_versions", usage.memory_versions},
                {"present_bytes", usage.present_bytes},
                {"present_versions", usage.present_versions},
                {"past_bytes", usage.past_bytes},
                {"past_versions", usage.past_versions},
                {"past_copies", usage.past_copies},
                {"freeable_bytes", usage.freeable_bytes},
                {"freeable_versions", usage.freeable_versions}};
    reply_map(call->reply, 1 + sizeof rows / sizeof rows[0]);
    reply_text(call->reply, "oldest");
    moments_reply(call->reply, usage.oldest);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reply_text(call->reply, rows[i].name);
        reply_int(call->reply, (int64_t)rows[i].count);
    }
}

/* ---- changing them ---- */

static bool take_options(struct call *call, struct yore_keyspace_options *options)
{
    struct yore_error error = {.text = ""};
    for (size_t i = 3; i < call->count; i += 2) {
        bool has_next = i + 1 < call->count;
        enum yore_status st = YORE_OK;
        if (has_next && call_is(call, i, "keep")) {
            st = keep_of_text(call->args[i + 1], options, &error);
        } else if (has_next && call_is(call, i, "compression")) {
            st = compression_of_text(call->args[i + 1], &options->compression, &error);
        } else {
            call_syntax(call);
            return false;
        }
        if (st != YORE_OK) {
            call_fail_told(call, st, &error);
            return false;
        }
    }
    return true;
}

/* May args[2] be made or changed by name?  False: an error was replied. */
static bool may_change(struct call *call)
{
    if (place_is_reserved(call, call->args[2])) {
        reply_error(call->reply, "READONLY the server keeps this keyspace for itself: graphs are "
                                 "made and dropped by GRAPH.*, series by TS.*");
        return false;
    }
    return true;
}

static void reply_done(struct call *call, enum yore_status st, const struct yore_error *error)
{
    if (st != YORE_OK) {
        call_fail_told(call, st, error);
        return;
    }
    call->access->writes++;
    reply_status(call->reply, "OK");
}

void cmd_yore_keyspace_create(struct call *call)
{
    struct yore_keyspace_options options = {.keep = YORE_KEEP_ALL};
    struct command_server *server = call->server;
    struct yore_error error = {.text = ""};
    struct yore_keyspace *keyspace;
    char name[YORE_KEYSPACE_NAME_BYTES_MAX + 2];
    if (!may_change(call) || !take_options(call, &options)) {
        return;
    }
    size_t size = call->args[2].size < sizeof name ? call->args[2].size : sizeof name - 1;
    memcpy(name, call->args[2].data, size);
    name[size] = '\0'; /* one that is too long stays so */
    if (memchr(name, '\0', size) != NULL) {
        reply_error(call->reply, "ERR a keyspace's name holds no zero octet");
        return;
    }
    struct database *database = place_database(call, call->args[2]);
    os_mutex_lock(&server->keyspace_lock);
    enum yore_status st = yore_keyspace_create(server->db, name, &options, &keyspace, &error);
    if (st == YORE_OK && database != NULL) {
        atomic_store_explicit(&database->keyspace, keyspace, memory_order_release);
    }
    os_mutex_unlock(&server->keyspace_lock);
    reply_done(call, st, &error);
}

void cmd_yore_keyspace_alter(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_keyspace_info info;
    struct yore_keyspace *keyspace;
    if (!may_change(call) || !open_named(call, NULL, &keyspace)) {
        return;
    }
    enum yore_status st = yore_keyspace_info(call->server->db, keyspace, &info, &error);
    if (st == YORE_OK) {
        if (!take_options(call, &info.options)) {
            return;
        }
        st = yore_keyspace_alter(call->server->db, keyspace, &info.options, &error);
    }
    reply_done(call, st, &error);
}

void cmd_yore_keyspace_drop(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_keyspace *keyspace;
    struct yore_keyspace_info info;
    if (!may_change(call)) {
        return;
    }
    struct database *database = place_database(call, call->args[2]);
    if (database != NULL && strcmp(database->name, "default") != 0) {
        reply_error(call->reply, "READONLY this keyspace is a database of the server: FLUSHDB "
                                 "hides all that is in it");
        return;
    }
    if (!open_named(call, NULL, &keyspace)) {
        return;
    }
    enum yore_status st = yore_keyspace_info(call->server->db, keyspace, &info, &error);
    if (st == YORE_OK) {
        st = yore_keyspace_drop(call->server->db, info.name, &error);
    }
    reply_done(call, st, &error);
}

void cmd_yore_keyspace_trim(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_keyspace *keyspace;
    int64_t horizon;
    if (!may_change(call) || !moments_take(call, 3, &horizon) ||
        !open_named(call, NULL, &keyspace)) {
        return;
    }
    horizon = horizon == YORE_NOW ? access_now(call->access) : horizon;
    reply_done(call, yore_trim(call->server->db, keyspace, horizon, &error), &error);
}

/* ---- statistics ---- */

static void tell_stat(void *arg, const struct yore_stat *stat)
{
    static const char *const kinds[] = {"", "counter", "gauge", "histogram"};
    struct listing *listing = arg;
    struct reply *reply = listing->call->reply;
    const uint64_t numbers[] = {stat->value, stat->sum, stat->p50, stat->p95, stat->p99, stat->max};
    reply_array(reply, 9);
    reply_text(reply, stat->name);
    reply_text(reply, kinds[stat->kind]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        reply_int(reply, numbers[i] > INT64_MAX ? INT64_MAX : (int64_t)numbers[i]);
    }
    reply_text(reply, stat->help);
    listing->count++;
}

void cmd_yore_stats(struct call *call)
{
    size_t begun = reply_array_begin(call->reply);
    struct listing listing = {call, 0};
    yore_stats(call->server->db, tell_stat, &listing);
    reply_array_end(call->reply, begun, listing.count);
}

/* ---- merging ---- */

void cmd_yore_compact(struct call *call)
{
    struct yore_error error = {.text = ""};
    struct yore_keyspace *keyspace = NULL;
    if (call->count > 2) {
        call_syntax(call);
        return;
    }
    if (call->count == 2) {
        enum yore_status st = place_open(call, call->args[1], NULL, &keyspace, &error);
        if (st != YORE_OK) {
            call_fail_told(call, st, &error);
            return;
        }
    }
    const struct stop stop = {call_is_over, call};
    enum yore_status st = db_compact(call->server->db, keyspace, &stop, &error);
    if (st != YORE_OK) {
        call_fail_told(call, st, &error);
        return;
    }
    reply_status(call->reply, "OK");
}
