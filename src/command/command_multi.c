/* command_multi.c -- MULTI, EXEC, DISCARD, WATCH, UNWATCH.
 *
 * EXEC holds the stripes of the keys that are watched and, where it writes, of those it names
 * (dispatch.c), so that nobody writes between its look at them and its commit; what it runs reads
 * and writes one transaction of the engine, whole or absent after a crash and for readers. */
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/dispatch.h"
#include "command/multi.h"
#include "command/watch.h"

enum yore_status multi_queue(struct client *client, const struct command *command,
                             const struct yore_bytes *args, size_t count)
{
    size_t bytes = count * sizeof(struct yore_bytes);
    for (size_t i = 0; i < count; i++) {
        if (!checked_add_size(bytes, args[i].size, &bytes)) {
            return YORE_TOO_BIG;
        }
    }
    if (bytes > MULTI_BYTES_MAX - client->queue_bytes) {
        return YORE_TOO_BIG;
    }
    if (client->queue_count == client->queue_capacity) {
        size_t capacity = client->queue_capacity == 0 ? 8 : 2 * client->queue_capacity;
        struct queued *grown = mem_realloc(client->queue, capacity * sizeof *grown);
        if (grown == NULL) {
            return YORE_NOMEM;
        }
        client->queue = grown;
        client->queue_capacity = capacity;
    }
    struct yore_bytes *copy = mem_alloc(bytes);
    if (copy == NULL) {
        return YORE_NOMEM;
    }
    unsigned char *at = (unsigned char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        if (args[i].size > 0) {
            memcpy(at, args[i].data, args[i].size);
        }
        copy[i] = bytes_of(at, args[i].size);
        at += args[i].size;
    }
    client->queue[client->queue_count++] = (struct queued){command, copy, count};
    client->queue_bytes += bytes;
    atomic_store(&client->multi_count, (uint32_t)client->queue_count);
    return YORE_OK;
}

void multi_discard(struct client *client)
{
    while (client->queue_count > 0) {
        mem_free(client->queue[--client->queue_count].args);
    }
    client->queue_bytes = 0;
    atomic_store(&client->multi_count, 0);
    client_unset(client, CLIENT_MULTI | CLIENT_DIRTY_EXEC);
}

void cmd_multi(struct call *call)
{
    if (client_is(call->client, CLIENT_MULTI)) {
        reply_error(call->reply, "ERR MULTI calls can not be nested");
        return;
    }
    client_set(call->client, CLIENT_MULTI);
    reply_status(call->reply, "OK");
}

void cmd_discard(struct call *call)
{
    if (!client_is(call->client, CLIENT_MULTI)) {
        reply_error(call->reply, "ERR DISCARD without MULTI");
        return;
    }
    multi_discard(call->client);
    watch_forget(call->client);
    reply_status(call->reply, "OK");
}

static bool may_still(struct call *call, const struct queued *queued)
{
    struct acl_denial denial = {ACL_OK, {NULL, 0}};
    if (acl_allows(call->client, queued->command, queued->args, queued->count, &denial)) {
        return true;
    }
    acl_note_denial(call->client, &denial, "multi", bytes_of("", 0));
    reply_error(call->reply,
                "NOPERM ACLs rules changed between the moment the transaction was "
                "accumulated and the EXEC call. %s",
                denial.reason == ACL_COMMAND ? "This command is no longer allowed for the user"
                : denial.reason == ACL_KEY
                    ? "The user can't access at least one of the keys mentioned in the command "
                      "arguments."
                    : "The user can't access at least one of the channels mentioned in the "
                      "command arguments.");
    return false;
}

/* A command that writes more than once and fails on its way leaves nothing behind. */
static void run_whole(struct call *call)
{
    struct access_savepoint savepoint YORE_UNCLEARED;
    const struct buffer *out = &call->reply->out;
    size_t start = out->size;
    bool may_fail_midway = (call->command->flags & (CF_WRITE | CF_GATHER)) == CF_WRITE;
    bool is_saved = may_fail_midway && access_save(call->access, &savepoint, NULL) == YORE_OK;
    dispatch_run(call);
    if (is_saved) {
        bool has_failed = !out->is_nomem && out->size > start && out->data[start] == '-';
        enum yore_status st = has_failed ? access_go_back(call->access, &savepoint, NULL)
                                         : access_go_on(call->access, &savepoint, NULL);
        YORE_ASSERT(st == YORE_OK); /* it is there */
    }
}

/* False: a command failed where all or nothing is wanted; its error is at `*failed_out`, to the end
 * of the reply. */
static bool run_queue(struct call *exec, size_t *failed_out)
{
    struct client *client = exec->client;
    const struct buffer *out = &exec->reply->out;
    reply_array(exec->reply, client->queue_count);
    for (size_t i = 0; i < client->queue_count; i++) {
        const struct queued *queued = &client->queue[i];
        struct call call = *exec;
        call.command = queued->command;
        call.args = queued->args;
        call.count = queued->count;
        call.is_in_exec = true;
        call.begun_ns = server_monotonic_ns(call.server);
        exec->reply->protocol = command_client_protocol(client);
        *failed_out = out->size;
        if (may_still(&call, queued)) {
            run_whole(&call);
            exec->must_close |= call.must_close;
        }
        if (client_is(client, CLIENT_WHOLE) && !out->is_nomem && out->size > *failed_out &&
            out->data[*failed_out] == '-') {
            return false;
        }
    }
    return true;
}

/* Nothing was done: the reply is the error from `failed` on. */
static void give_up_whole(struct call *call, size_t start, size_t failed)
{
    struct buffer *out = &call->reply->out;
    access_abort(call->access);
    memmove(out->data + start, out->data + failed, out->size - failed);
    out->size -= failed - start;
}

/* In one transaction; again while what it read expires before its commit. */
static void run_transaction(struct call *call)
{
    struct yore_error error = {.text = ""};
    size_t start = call->reply->out.size;
    uint32_t database = atomic_load(&call->client->database);
    enum yore_status st = YORE_CONFLICT;
    for (unsigned attempt = 0; attempt < MULTI_RETRIES_MAX && st == YORE_CONFLICT; attempt++) {
        call->reply->out.size = start;
        atomic_store(&call->client->database, database);
        st = access_begin(call->access, &error);
        size_t failed = 0;
        if (st == YORE_OK && !run_queue(call, &failed)) {
            give_up_whole(call, start, failed);
            return;
        }
        if (st == YORE_OK) {
            st = access_commit(call->access, &error);
        }
    }
    if (st != YORE_OK) {
        call->reply->out.size = start;
        call_fail(call, st, &error);
    }
}

void cmd_exec(struct call *call)
{
    struct client *client = call->client;
    if (!client_is(client, CLIENT_MULTI)) {
        reply_error(call->reply, "ERR EXEC without MULTI");
        return;
    }
    if (client_is(client, CLIENT_DIRTY_EXEC)) {
        reply_error(call->reply, "EXECABORT Transaction discarded because of previous errors.");
    } else if (watch_is_broken(client, access_now(call->access))) {
        reply_null_array(call->reply);
    } else {
        client_unset(client, CLIENT_MULTI);
        watch_forget(client);
        run_transaction(call);
    }
    multi_discard(client);
    watch_forget(client);
}

void cmd_watch(struct call *call)
{
    if (client_is(call->client, CLIENT_MULTI)) {
        reply_error(call->reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (size_t i = 1; i < call->count; i++) {
        struct entry entry;
        uint64_t stripe = access_stripe(call->args[i]);
        access_lock(call->server, stripe); /* nothing is written between look and note */
        bool is_known = call_lookup(call, i, &entry);
        enum yore_status st = YORE_OK;
        if (is_known) {
            st = watch_add(call->client, entry.database, call->args[i],
                           entry.exists ? entry.value.valid_to : INT64_MIN);
            entry_release(&entry);
        }
        access_unlock(call->server, stripe);
        if (!is_known) {
            return;
        }
        if (st != YORE_OK) {
            call_nomem(call);
            return;
        }
    }
    reply_status(call->reply, "OK");
}

void cmd_unwatch(struct call *call)
{
    watch_forget(call->client);
    reply_status(call->reply, "OK");
}
