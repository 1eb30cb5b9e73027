/* dispatch.c -- from an argument vector to a reply: the one door for every command.
 *
 * Order of the checks: the command exists, its arguments are as many as it needs, the client has
 * logged in, its rules allow command and keys, its state allows it now.  Then it is queued (MULTI)
 * or run, with the locks of the keys it writes; what it wrote in one transaction is committed when
 * its handler returns, and the handler runs again where something it read expired meanwhile.
 */
#include "command/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "base/moment.h"
#include "command/acl.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/monitor.h"
#include "command/multi.h"
#include "command/pending.h"
#include "command/series.h"
#include "command/watch.h"

#define STRIPE_KEYS_MAX 128u /* of a request that names more every stripe is taken */

/* What `args` call.  Most clients call what they called before: that is looked at first. */
static const struct command *command_of(struct client *client, const struct yore_bytes *args,
                                        size_t count)
{
    const struct command *before = client->called;
    if (before != NULL && args_same(args[0], bytes_of(before->name, before->name_size))) {
        return before;
    }
    const struct command *command = table_lookup(args, count);
    bool is_one_word = command != NULL && (command->flags & CF_CONTAINER) == 0 &&
                       table_word(command) == command->name;
    if (is_one_word) {
        client->called = command;
    }
    return command;
}

/* ---- pace ---- */

/* CLIENT PAUSE holds it back. */
static bool is_paused(const struct client *client, const struct command *command)
{
    const struct command_server *server = client->server;
    int64_t until = atomic_load_explicit(&server->pause_until_ns, memory_order_relaxed);
    if (until == INT64_MIN || command == NULL) {
        return false;
    }
    if (strcmp(command->name, "client|unpause") == 0 || strcmp(command->name, "client|kill") == 0) {
        return false;
    }
    return !atomic_load(&server->pause_writes_only) || (command->flags & CF_WRITE) != 0;
}

bool command_client_is_paused(const struct client *client, bool writes)
{
    const struct command_server *server = client->server;
    return atomic_load_explicit(&server->pause_until_ns, memory_order_relaxed) != INT64_MIN &&
           (writes || !atomic_load(&server->pause_writes_only));
}

/* Counts are kept of the present only; a page passes over the keys its user may not read, however
 * many. */
static bool walks_far(const struct client *client, const struct command *command)
{
    return (client->has_moment && command->run == cmd_dbsize) ||
           (command->run == cmd_yore_scan &&
            !acl_rules_allow_every_key(client->rules, command, KEY_READ));
}

static enum command_pace queue_pace(const struct client *client)
{
    enum command_pace pace = COMMAND_SHORT;
    size_t words = 0;
    for (size_t i = 0; i < client->queue_count; i++) {
        const struct command *command = client->queue[i].command;
        words += client->queue[i].count;
        if (command->pace == COMMAND_LONG || walks_far(client, command)) {
            pace = COMMAND_LONG;
        }
    }
    return words > SHORT_ARGS_MAX ? COMMAND_LONG : pace;
}

/* However little it does for a word, for very many it takes its time. */
static enum command_pace pace_of_words(enum command_pace pace, size_t count)
{
    if (count > SHORT_ARGS_MAX && pace != COMMAND_LOGIN) {
        return COMMAND_LONG;
    }
    bool is_quick = pace == COMMAND_QUICK || pace == COMMAND_TRY;
    return is_quick && count > QUICK_ARGS_MAX ? COMMAND_SHORT : pace;
}

enum command_pace command_pace(struct client *client, const struct yore_bytes *args, size_t count)
{
    const struct command *command = command_of(client, args, count);
    if (command == NULL || !table_arity_fits(command, count)) {
        return COMMAND_QUICK;
    }
    if (is_paused(client, command)) {
        return COMMAND_LATER;
    }
    if (client_is(client, CLIENT_MULTI)) {
        if (strcmp(command->name, "exec") == 0) {
            return queue_pace(client);
        }
        if ((command->flags & CF_NO_MULTI) == 0) {
            return pace_of_words(COMMAND_QUICK, count);
        }
    }
    if ((command->flags & CF_TRY) != 0) {
        return pace_of_words(COMMAND_TRY, count);
    }
    if (command->run == cmd_hello) {
        return count > 2 ? COMMAND_LOGIN : COMMAND_QUICK;
    }
    if (walks_far(client, command)) {
        return COMMAND_LONG;
    }
    return pace_of_words((enum command_pace)command->pace, count);
}

/* ---- refusing ---- */

/* "'a' 'b' ": the begin of the arguments, for an error. */
static void quote_args(const struct yore_bytes *args, size_t count, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && at + 4 < size && at < 128; i++) {
        int take = (int)(args[i].size < 128 - at ? args[i].size : 128 - at);
        int wrote = snprintf(text + at, size - at, "'%.*s' ", take, (const char *)args[i].data);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void refuse_unknown(struct call *call)
{
    char text[400];
    int size = call->args[0].size < 128 ? (int)call->args[0].size : 128;
    quote_args(call->args + 1, call->count - 1, text, sizeof text);
    reply_error(call->reply, "ERR unknown command '%.*s', with args beginning with: %s", size,
                (const char *)call->args[0].data, text);
}

static bool is_of_caching(const struct call *call)
{
    return call_is(call, 0, "client") &&
           (call_is(call, 1, "tracking") || call_is(call, 1, "trackinginfo") ||
            call_is(call, 1, "caching") || call_is(call, 1, "getredir"));
}

static void refuse_subcommand(struct call *call)
{
    char container[CALL_WORD_BYTES];
    int size = call->args[1].size < 128 ? (int)call->args[1].size : 128;
    call_container_word(call, container);
    const char *why = is_of_caching(call) ? ": there is no client-side caching here" : "";
    reply_error(call->reply, "ERR unknown subcommand '%.*s'%s. Try %s HELP.", size,
                (const char *)call->args[1].data, why, container);
}

/* May it run while queueing, subscribed, at a session's moment? */
static bool check_state(struct call *call)
{
    struct client *client = call->client;
    uint32_t flags = call->command->flags;
    bool is_subscribed = client_is_subscribed(client);
    if (is_subscribed && command_client_protocol(client) == 2 && (flags & CF_PUBSUB) == 0) {
        reply_error(call->reply,
                    "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT "
                    "/ RESET are allowed in this context",
                    call->command->name);
        return false;
    }
    if (client_is(client, CLIENT_MULTI) && (flags & CF_NO_MULTI) != 0 &&
        strcmp(call->command->name, "watch") != 0 && strcmp(call->command->name, "multi") != 0 &&
        strcmp(call->command->name, "exec") != 0 && strcmp(call->command->name, "discard") != 0 &&
        strcmp(call->command->name, "quit") != 0 && strcmp(call->command->name, "reset") != 0) {
        reply_error(call->reply, "ERR Command not allowed inside a transaction");
        return false;
    }
    if (client->has_moment && (flags & (CF_WRITE | CF_DECIDES)) == CF_WRITE) {
        call_refuse_past(call);
        return false;
    }
    if (client->has_moment && (flags & CF_NOW) != 0) {
        reply_error(call->reply, "ERR '%s' names its own moments: say YORE.AT NOW first",
                    call->command->name);
        return false;
    }
    if ((flags & CF_PROTECTED) != 0 && !call->server->options.has_debug_commands) {
        reply_error(call->reply,
                    "ERR DEBUG command not allowed. If the enable-debug-command option is set to "
                    "\"local\", you can run it from a local connection, otherwise you need to set "
                    "this option in the configuration file, and then restart the server.");
        return false;
    }
    return true;
}

static void refuse_denied(struct call *call, const struct acl_denial *denial)
{
    struct reply *reply = call->reply;
    switch (denial->reason) {
    case ACL_COMMAND:
        reply_error(reply, "NOPERM this user has no permissions to run the '%s' command",
                    call->command->name);
        break;
    case ACL_KEY:
        reply_error(reply, "NOPERM this user has no permissions to access one of the keys used as "
                           "arguments");
        break;
    case ACL_CHANNEL:
        reply_error(reply, "NOPERM this user has no permissions to access one of the channels "
                           "used as arguments");
        break;
    case ACL_PAST:
        reply_error(reply, "NOPERM this user has no permissions to look at that moment");
        break;
    default:
        reply_error(reply, "NOPERM this user has no permissions");
        break;
    }
}

/* A session stays at its moment while rules and the clock go on. */
static bool may_look_there(struct call *call)
{
    struct client *client = call->client;
    if (!client->has_moment || client->rules->history == ACL_HISTORY_ALL ||
        (call->command->flags & (CF_READ | CF_WRITE)) == 0) {
        return true;
    }
    bool is_held = client->held != NULL;
    const struct yore_time *moment = is_held ? &client->held_asked : &client->moment;
    int64_t now = is_held ? client->held_now : yore_now(call->server->db);
    return acl_allows_moment(client, moment->valid, now) &&
           acl_allows_moment(client, moment->known, now);
}

static bool check_rights(struct call *call)
{
    struct client *client = call->client;
    struct acl_denial denial = {ACL_OK, {NULL, 0}};
    acl_refresh(client);
    if ((call->command->flags & CF_NO_AUTH) != 0) {
        return true;
    }
    if (!client_is(client, CLIENT_TRUSTED)) {
        reply_error(call->reply, "NOAUTH Authentication required.");
        return false;
    }
    bool is_part = call->command->run == cmd_yore_at && client_is(client, CLIENT_DATED);
    bool is_allowed =
        is_part || acl_allows(client, call->command, call->args, call->count, &denial);
    if (is_allowed && !may_look_there(call)) {
        denial = (struct acl_denial){ACL_PAST, args_text(call->command->name)};
        is_allowed = false;
    }
    if (!is_allowed) {
        acl_note_denial(client, &denial, client_is(client, CLIENT_MULTI) ? "multi" : "toplevel",
                        bytes_of("", 0));
        refuse_denied(call, &denial);
        return false;
    }
    return true;
}

/* False: an error was replied. */
static bool check(struct call *call)
{
    if (call->command == NULL) {
        refuse_unknown(call);
        return false;
    }
    bool is_container = call->command->run == NULL;
    if (is_container && call->count > 1) {
        refuse_subcommand(call);
        return false;
    }
    if (is_container || !table_arity_fits(call->command, call->count)) {
        call_arity(call);
        return false;
    }
    return check_rights(call) && check_state(call);
}

/* ---- running ---- */

static uint64_t stripes_named(const struct command *command, const struct yore_bytes *args,
                              size_t arg_count)
{
    struct key_position keys[STRIPE_KEYS_MAX] YORE_UNCLEARED;
    if ((command->flags & CF_EVERY_KEY) != 0) {
        return ACCESS_EVERY_STRIPE;
    }
    size_t count = table_keys(command, args, arg_count, keys, STRIPE_KEYS_MAX);
    if (count > STRIPE_KEYS_MAX) {
        return ACCESS_EVERY_STRIPE;
    }
    uint64_t stripes = 0;
    for (size_t i = 0; i < count; i++) {
        stripes |= access_stripe(args[keys[i].index]);
    }
    return stripes;
}

static bool writes_keys(const struct command *command)
{
    return (command->flags & (CF_WRITE | CF_OF_GRAPH)) == CF_WRITE;
}

static bool may_rename(const struct command *command)
{
    return command->run == cmd_rename || command->run == cmd_renamenx;
}

/* A series takes its new name along into the values of others, which the request does not name
 * (series_rule.h). */
static bool renames_series(const struct call *call)
{
    struct yore_value value;
    if (!may_rename(call->command)) {
        return false;
    }
    const struct database *database =
        atomic_load(&call->server->databases[atomic_load(&call->client->database)]);
    struct yore_keyspace *keyspace = atomic_load(&database->keyspace);
    if (keyspace == NULL ||
        yore_get(call->server->db, keyspace, call->args[1], NULL, &value, NULL) != YORE_OK) {
        return false;
    }
    bool is_series = series_is(bytes_of(value.data, value.size));
    yore_value_release(&value);
    return is_series;
}

/* Nobody writes what a client watches between the look at it and the commit.  Where the queue
 * writes, its reads are locked too, for a commit that conflicts with nobody; one that only reads
 * keeps nobody waiting, however long it takes. */
static uint64_t stripes_of_queue(const struct client *client)
{
    uint64_t stripes = watch_stripes(client);
    bool has_write = false;
    for (size_t i = 0; i < client->queue_count; i++) {
        has_write |= writes_keys(client->queue[i].command);
    }
    for (size_t i = 0; has_write && i < client->queue_count; i++) {
        const struct queued *queued = &client->queue[i];
        uint64_t named = stripes_named(queued->command, queued->args, queued->count);
        bool finds_keys =
            named == 0 && (queued->command->flags & (CF_READ | CF_OF_GRAPH)) == CF_READ;
        stripes |= finds_keys || may_rename(queued->command) ? ACCESS_EVERY_STRIPE : named;
    }
    return stripes;
}

/* The stripes of the keys it writes. */
static uint64_t stripes_of(const struct call *call)
{
    if (call->command->run == cmd_exec) {
        return stripes_of_queue(call->client);
    }
    if (renames_series(call)) {
        return ACCESS_EVERY_STRIPE;
    }
    return writes_keys(call->command) ? stripes_named(call->command, call->args, call->count) : 0;
}

/* Lock `stripes`, which stripes_of() told; which are locked.  Whether a key is a series holds only
 * under its own, so it is asked again there. */
static uint64_t lock_stripes(struct call *call, uint64_t stripes)
{
    access_lock(call->server, stripes);
    if (stripes != ACCESS_EVERY_STRIPE && renames_series(call)) {
        access_unlock(call->server, stripes);
        stripes = ACCESS_EVERY_STRIPE;
        access_lock(call->server, stripes);
    }
    return stripes;
}

static bool has_failed(const struct call *call, size_t start)
{
    const struct buffer *out = &call->reply->out;
    return !call->reply->has_parted && !out->is_nomem && out->size > start &&
           out->data[start] == '-';
}

/* Run the handler, and tell what ended within it. */
static void run_handler(struct call *call, size_t start)
{
    call->command->run(call);
    if (has_failed(call, start)) {
        buffer_release(&call->access->ended);
    } else {
        event_tell_ended(call->access);
    }
}

/* Run the handler, commit what it gathered; again while what it read expires under it. */
static void handle(struct call *call)
{
    struct yore_error error YORE_UNCLEARED;
    size_t start = call->reply->out.size;
    enum yore_status st = YORE_CONFLICT;
    error_init(&error);
    if (call->is_in_exec) {
        run_handler(call, start);
        return;
    }
    for (unsigned attempt = 0; attempt < MULTI_RETRIES_MAX && st == YORE_CONFLICT; attempt++) {
        call->reply->out.size = start;
        run_handler(call, start);
        if (has_failed(call, start)) {
            access_abort(call->access);
        }
        st = access_commit(call->access, &error);
    }
    if (st != YORE_OK) {
        call->reply->out.size = start;
        call_fail(call, st, &error);
    }
}

static void count_reply(struct call *call, size_t start)
{
    const struct buffer *out = &call->reply->out;
    struct command_stat *stat = &call->server->command_stats[table_index(call->command)];
    if (has_failed(call, start)) {
        atomic_fetch_add_explicit(&stat->failed, 1, memory_order_relaxed);
        server_count_error(call->server, bytes_of(out->data + start + 1, out->size - start - 1));
    }
}

void dispatch_run(struct call *call)
{
    struct command_server *server = call->server;
    struct command_stat *stat = &server->command_stats[table_index(call->command)];
    size_t start = call->reply->out.size;
    int64_t begin = call->begun_ns;
    handle(call);
    if (call->access->has_refused) {
        call->reply->out.size = start;
        return;
    }
    int64_t end = server_monotonic_ns(server);
    int64_t took = end - begin;
    call->client->ended_ns = end;
    atomic_fetch_add_explicit(&stat->calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&stat->time_ns, (uint64_t)took, memory_order_relaxed);
    atomic_fetch_add_explicit(&server->stats.commands, 1, memory_order_relaxed);
    durations_note(&server->durations[duration_class_of(call->command)], took);
    count_reply(call, start);
    if ((call->command->flags & CF_SKIP_SLOWLOG) == 0) {
        slowlog_note(&server->slowlog, call, took / 1000);
        latency_note(&server->latency,
                     (call->command->flags & CF_FAST) != 0 ? "fast-command" : "command",
                     took / 1000000, server->env);
    }
    if (atomic_load_explicit(&server->monitor_count, memory_order_relaxed) > 0) {
        monitor_tell(call);
    }
}

/* Keep the first error of a job's commits. */
static void note_commit(struct command_job *job, enum yore_status st,
                        const struct yore_error *error)
{
    if (st != YORE_OK && job->status == YORE_OK) {
        job->status = st;
        job->error = *error;
    }
}

static void flush(struct command_job *job)
{
    struct yore_error error = {.text = ""};
    if (job->pending != NULL) {
        note_commit(job, pending_flush(job->pending, &error), &error);
        pending_give(job->pending);
        job->pending = NULL;
    }
}

/* Where the command's writes gather, its stripes locked; NULL: they do not. */
static struct pending *gather(struct command_job *job, const struct call *call, uint64_t stripes)
{
    struct yore_error error YORE_UNCLEARED;
    error_init(&error);
    if (job == NULL) {
        return NULL;
    }
    if ((call->command->flags & CF_GATHER) == 0 || call->client->has_moment) {
        flush(job);
        return NULL;
    }
    if (job->pending == NULL && stripes != 0) {
        job->pending = pending_take(call->server);
    }
    if (job->pending != NULL) {
        note_commit(job, pending_lock(job->pending, stripes, &error), &error);
    }
    return job->pending;
}

static void run_alone(struct command_job *job, struct call *call)
{
    struct access access YORE_UNCLEARED;
    struct client *client = call->client;
    struct yore_time moment = client->moment;
    access_init(&access, call->server, client->has_moment ? &moment : NULL);
    call->access = &access;
    uint64_t stripes = stripes_of(call);
    access.pending = gather(job, call, stripes);
    access.in_memory = job == NULL && (call->command->flags & CF_TRY) != 0;
    if (access.pending != NULL) {
        dispatch_run(call);
        if (access.pending == NULL || pending_is_due(access.pending, client->ended_ns)) {
            flush(job);
            client->ended_ns = 0;
        }
    } else {
        stripes = lock_stripes(call, stripes);
        dispatch_run(call);
        access_unlock(call->server, stripes);
    }
    call->writes = access.writes;
    call->must_run_again = access.has_refused;
}

static void queue(struct call *call)
{
    enum yore_status st = multi_queue(call->client, call->command, call->args, call->count);
    if (st != YORE_OK) {
        client_set(call->client, CLIENT_DIRTY_EXEC);
        struct yore_error error = {.text = ""};
        if (st == YORE_TOO_BIG) {
            error_set(&error, st, "the transaction queues more than %u bytes: DISCARD it",
                      MULTI_BYTES_MAX);
        }
        call_fail(call, st, &error);
        return;
    }
    reply_status(call->reply, "QUEUED");
}

/* An EXEC that is refused ends the transaction all the same: what follows it is no part of it. */
static void abort_exec(struct call *call, size_t start)
{
    struct buffer *out = &call->reply->out;
    char cause[ERROR_REPLY_BYTES_MAX] = "out of memory";
    if (!out->is_nomem) { /* "-" before it, and the end of the line behind it */
        struct yore_bytes text = bytes_of(out->data + start + 1, out->size - start - 3);
        bool is_plain = bytes_starts_with(text, args_text("ERR "));
        text = bytes_behind(text, is_plain ? 4 : 0);
        snprintf(cause, sizeof cause, "%.*s", (int)text.size, (const char *)text.data);
        out->size = start;
    }
    multi_discard(call->client);
    watch_forget(call->client);
    reply_error(call->reply, "EXECABORT Transaction discarded because of: %s", cause);
}

static void reject(struct call *call, size_t start)
{
    const struct buffer *out = &call->reply->out;
    if (call->command != NULL) {
        atomic_fetch_add(&call->server->command_stats[table_index(call->command)].rejected, 1);
    }
    if (!out->is_nomem) {
        server_count_error(call->server, bytes_of(out->data + start + 1, out->size - start - 1));
    }
    if (!client_is(call->client, CLIENT_MULTI)) {
        return;
    }
    if (call->command != NULL && call->command->run == cmd_exec) {
        abort_exec(call, start);
    } else {
        client_set(call->client, CLIENT_DIRTY_EXEC);
    }
}

/* CLIENT REPLY OFF and SKIP: what was replied since `start` goes nowhere. */
static void silence(struct call *call, size_t start, bool was_off)
{
    struct client *client = call->client;
    bool is_silent =
        client_is(client, CLIENT_REPLY_SKIP) || (was_off && client_is(client, CLIENT_REPLY_OFF));
    /* What SUBSCRIBE and its kin tell is pushed, and pushes are no replies. */
    bool is_push = call->command != NULL && (call->command->flags & CF_PUBSUB) != 0 &&
                   (table_categories(call->command) & CC_PUBSUB) != 0;
    if (is_silent && !is_push) {
        call->reply->out.size = start; /* rows.c sends no part of what goes nowhere */
    }
    client_unset(client, CLIENT_REPLY_SKIP);
    if (client_is(client, CLIENT_REPLY_SKIP_NEXT)) {
        client_unset(client, CLIENT_REPLY_SKIP_NEXT);
        client_set(client, CLIENT_REPLY_SKIP);
    }
}

void command_client_follows(struct client *client)
{
    client->begins_ns = client->ended_ns;
}

enum command_after command_run(struct command_job *job, struct client *client,
                               const struct yore_bytes *args, size_t count, struct reply *reply)
{
    struct call call = {.server = client->server,
                        .client = client,
                        .command = command_of(client, args, count),
                        .args = args,
                        .count = count,
                        .reply = reply};
    size_t start = reply->out.size;
    reply->protocol = command_client_protocol(client);
    bool was_off = client_is(client, CLIENT_REPLY_OFF);
    call.begun_ns = client->begins_ns != 0 ? client->begins_ns : server_monotonic_ns(call.server);
    client->begins_ns = 0;
    client->ended_ns = 0;
    atomic_store_explicit(&client->active_ns, call.begun_ns, memory_order_relaxed);
    if (call.command != NULL) {
        atomic_store_explicit(&client->last_command, call.command, memory_order_relaxed);
    }
    if (!check(&call)) {
        reject(&call, start);
    } else if (client_is(client, CLIENT_MULTI) && (call.command->flags & CF_NO_MULTI) == 0) {
        queue(&call);
    } else {
        run_alone(job, &call);
    }
    if (call.must_run_again) {
        return COMMAND_AGAIN;
    }
    silence(&call, start, was_off);
    if (job != NULL) {
        job->writes += call.writes;
    }
    return call.must_close ? COMMAND_CLOSE : COMMAND_NEXT;
}

/* ---- jobs ---- */

void command_job_begin(struct command_job *job, struct command_server *server)
{
    *job = (struct command_job){.server = server};
}

enum yore_status command_job_end(struct command_job *job, struct yore_error *error_out)
{
    uint64_t writes = job->writes;
    flush(job);
    job->writes = 0;
    if (job->status != YORE_OK) {
        if (error_out != NULL) {
            *error_out = job->error;
        }
        return job->status;
    }
    if (writes == 0 || job->server->options.durability != YORE_DURABILITY_SYNC) {
        return YORE_OK;
    }
    return yore_sync(job->server->db, YORE_NOW, error_out);
}

bool command_authorize_graph(struct client *client, struct yore_bytes name, bool writes,
                             struct yore_error *error_out)
{
    struct acl_denial denial = {ACL_OK, {NULL, 0}};
    acl_refresh(client);
    if (!client_is(client, CLIENT_TRUSTED)) {
        error_set(error_out, YORE_INVALID, "authentication required");
        return false;
    }
    if (acl_allows_graph(client, name, writes, &denial)) {
        return true;
    }
    acl_note_denial(client, &denial, "toplevel", bytes_of("", 0));
    error_set(error_out, YORE_INVALID,
              denial.reason == ACL_KEY
                  ? "this user has no permissions to %s graph '%.*s'"
                  : "this user has no permissions to run the commands that %s graphs",
              writes ? "write to" : "read", (int)(name.size < 100 ? name.size : 100),
              (const char *)name.data);
    return false;
}

bool command_may_look(struct client *client, int64_t moment)
{
    char text[MOMENT_TEXT_BYTES];
    acl_refresh(client);
    if (acl_allows_moment(client, moment, yore_now(client->server->db))) {
        return true;
    }
    struct acl_denial denial = {ACL_PAST, args_text(moment_format(moment, text))};
    acl_note_denial(client, &denial, "toplevel", bytes_of("", 0));
    return false;
}
