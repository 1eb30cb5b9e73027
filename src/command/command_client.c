/* command_client.c -- CLIENT about others: LIST, KILL, PAUSE, UNBLOCK; and MONITOR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/mem.h"
#include "command/call.h"
#include "command/commands.h"
#include "command/monitor.h"
#include "command/secret.h"
#include "command/tick.h"

/* ---- choosing ---- */

enum client_kind { KIND_ANY, KIND_NORMAL, KIND_PUBSUB, KIND_NONE /* replicas: there are none */ };

struct client_filter {
    enum client_kind kind;
    bool has_id;
    uint64_t id;
    /* NULL: any */
    const struct yore_bytes *address;
    const struct yore_bytes *local;
    const struct yore_bytes *user;
    bool skips_me;
};

static bool text_is(const struct yore_bytes *wanted, const char *text)
{
    return wanted == NULL || bytes_are(*wanted, text);
}

static bool matches(const struct client_filter *filter, const struct client *client)
{
    bool is_pubsub = client_is_subscribed(client);
    bool is_kind = filter->kind == KIND_ANY || (filter->kind == KIND_PUBSUB && is_pubsub) ||
                   (filter->kind == KIND_NORMAL && !is_pubsub);
    return is_kind && (!filter->has_id || client->id == filter->id) &&
           text_is(filter->address, client->address) && text_is(filter->local, client->local) &&
           (filter->user == NULL ||
            bytes_equal(*filter->user, bytes_of(client->user->name, client->user->name_size)));
}

static bool take_kind(struct call *call, size_t index, enum client_kind *kind_out)
{
    if (call_is(call, index, "normal")) {
        *kind_out = KIND_NORMAL;
    } else if (call_is(call, index, "pubsub")) {
        *kind_out = KIND_PUBSUB;
    } else if (call_is(call, index, "master") || call_is(call, index, "replica") ||
               call_is(call, index, "slave")) {
        *kind_out = KIND_NONE;
    } else {
        reply_error(call->reply, "ERR Unknown client type '%.*s'",
                    (int)(call->args[index].size < 64 ? call->args[index].size : 64),
                    (const char *)call->args[index].data);
        return false;
    }
    return true;
}

/* ---- LIST ---- */

/* The ids that are asked for, in order. */
struct id_list {
    uint64_t *ids; /* NULL: all clients are */
    size_t count;
};

static int order_ids(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static bool is_listed_id(const struct id_list *list, uint64_t id)
{
    return bsearch(&id, list->ids, list->count, sizeof id, order_ids) != NULL;
}

static bool take_ids(struct call *call, struct id_list *list)
{
    list->ids = mem_array(call->count - 3, sizeof *list->ids);
    if (list->ids == NULL) {
        call_nomem(call);
        return false;
    }
    for (size_t i = 3; i < call->count; i++) {
        int64_t id;
        if (!args_int(call->args[i], &id)) {
            reply_error(call->reply, "ERR Invalid client ID");
            return false;
        }
        list->ids[list->count++] = (uint64_t)id; /* one below 1 is nobody's */
    }
    qsort(list->ids, list->count, sizeof *list->ids, order_ids);
    return true;
}

static bool take_list(struct call *call, struct client_filter *filter, struct id_list *list)
{
    if (call->count > 3 && call_is(call, 2, "id")) {
        return take_ids(call, list);
    }
    if (call->count == 4 && call_is(call, 2, "type")) {
        return take_kind(call, 3, &filter->kind);
    }
    if (call->count != 2) {
        call_syntax(call);
        return false;
    }
    return true;
}

/* The list has the latest first; it is told the other way round. */
static void tell_clients(struct call *call, const struct client_filter *filter,
                         const struct id_list *list, struct buffer *lines)
{
    os_mutex_lock(&call->server->clients_lock);
    struct client *client = call->server->clients;
    while (client != NULL && client->next != NULL) {
        client = client->next;
    }
    for (; client != NULL; client = client->prev) {
        if (list->ids != NULL ? is_listed_id(list, client->id) : matches(filter, client)) {
            client_describe(client, lines);
            buffer_append(lines, "\n", 1);
        }
    }
    os_mutex_unlock(&call->server->clients_lock);
}

void cmd_client_list(struct call *call)
{
    struct client_filter filter = {.kind = KIND_ANY};
    struct buffer lines = {0};
    struct id_list list = {NULL, 0};
    if (!take_list(call, &filter, &list)) {
        mem_free(list.ids);
        return;
    }
    client_note_request(call->client, call->args, call->count);
    tell_clients(call, &filter, &list, &lines);
    mem_free(list.ids);
    if (lines.is_nomem) {
        call_nomem(call);
    } else {
        reply_verbatim(call->reply, "txt", buffer_bytes(&lines));
    }
    buffer_release(&lines);
}

/* ---- KILL ---- */

static bool take_user(struct call *call, size_t index, struct client_filter *filter)
{
    struct acl_user *user = acl_user_get(&call->server->acl, call->args[index]);
    if (user == NULL) {
        reply_error(call->reply, "ERR No such user '%.*s'",
                    (int)(call->args[index].size < 64 ? call->args[index].size : 64),
                    (const char *)call->args[index].data);
        return false;
    }
    acl_user_unref(user);
    filter->user = &call->args[index];
    return true;
}

static bool take_pair(struct call *call, size_t i, struct client_filter *filter)
{
    int64_t id;
    if (call_is(call, i, "id")) {
        if (!args_int(call->args[i + 1], &id) || id <= 0) {
            reply_error(call->reply, "ERR client-id should be greater than 0");
            return false;
        }
        filter->has_id = true;
        filter->id = (uint64_t)id;
        return true;
    }
    if (call_is(call, i, "type")) {
        return take_kind(call, i + 1, &filter->kind);
    }
    if (call_is(call, i, "addr")) {
        filter->address = &call->args[i + 1];
        return true;
    }
    if (call_is(call, i, "laddr")) {
        filter->local = &call->args[i + 1];
        return true;
    }
    if (call_is(call, i, "user")) {
        return take_user(call, i + 1, filter);
    }
    bool is_yes = call_is(call, i + 1, "yes");
    if (call_is(call, i, "skipme") && (is_yes || call_is(call, i + 1, "no"))) {
        filter->skips_me = is_yes;
        return true;
    }
    call_syntax(call);
    return false;
}

/* Close who matches; returns how many. */
static int64_t kill_matching(struct call *call, const struct client_filter *filter)
{
    const struct command_port *port = &call->server->options.port;
    int64_t count = 0;
    os_mutex_lock(&call->server->clients_lock);
    for (struct client *at = call->server->clients; at != NULL; at = at->next) {
        if (!matches(filter, at) || (filter->skips_me && at == call->client)) {
            continue;
        }
        count++;
        if (at == call->client) {
            call->must_close = true;
        } else if (at->conn != NULL) {
            port->close(port->arg, at->conn, false);
        }
    }
    os_mutex_unlock(&call->server->clients_lock);
    return count;
}

void cmd_client_kill(struct call *call)
{
    struct client_filter filter = {.kind = KIND_ANY, .skips_me = true};
    if (call->count == 3) {
        filter.address = &call->args[2];
        filter.skips_me = false;
        if (kill_matching(call, &filter) > 0) {
            reply_status(call->reply, "OK");
        } else {
            reply_error(call->reply, "ERR No such client");
        }
        return;
    }
    if (call->count % 2 != 0) {
        call_syntax(call);
        return;
    }
    for (size_t i = 2; i + 1 < call->count; i += 2) {
        if (!take_pair(call, i, &filter)) {
            return;
        }
    }
    reply_int(call->reply, kill_matching(call, &filter));
}

/* ---- PAUSE ---- */

static void wake_all(struct command_server *server)
{
    const struct command_port *port = &server->options.port;
    os_mutex_lock(&server->clients_lock);
    for (struct client *at = server->clients; at != NULL; at = at->next) {
        if (at->conn != NULL) {
            port->wake(port->arg, at->conn);
        }
    }
    os_mutex_unlock(&server->clients_lock);
}

void tick_pause(struct command_server *server, int64_t now_ns)
{
    int64_t until = atomic_load(&server->pause_until_ns);
    if (until != INT64_MIN && until <= now_ns &&
        atomic_compare_exchange_strong(&server->pause_until_ns, &until, INT64_MIN)) {
        wake_all(server);
    }
}

void cmd_client_pause(struct call *call)
{
    int64_t ms;
    int64_t until;
    bool writes_only = false;
    if (call->count == 4) {
        writes_only = call_is(call, 3, "write");
        if (!writes_only && !call_is(call, 3, "all")) {
            reply_error(call->reply, "ERR CLIENT PAUSE mode must be WRITE or ALL");
            return;
        }
    }
    if (!args_int(call->args[2], &ms)) {
        reply_error(call->reply, "ERR timeout is not an integer or out of range");
        return;
    }
    if (ms < 0) {
        reply_error(call->reply, "ERR timeout is negative");
        return;
    }
    if (!checked_mul_i64(ms, 1000000, &until) ||
        !checked_add_i64(until, server_monotonic_ns(call->server), &until)) {
        reply_error(call->reply, "ERR timeout is out of range");
        return;
    }
    int64_t before = atomic_load(&call->server->pause_until_ns);
    atomic_store(&call->server->pause_writes_only, writes_only);
    atomic_store(&call->server->pause_until_ns, before > until ? before : until);
    reply_status(call->reply, "OK");
}

void cmd_client_unpause(struct call *call)
{
    atomic_store(&call->server->pause_until_ns, INT64_MIN);
    wake_all(call->server);
    reply_status(call->reply, "OK");
}

/* ---- UNBLOCK ---- */

/* No command here blocks. */
void cmd_client_unblock(struct call *call)
{
    int64_t id;
    if (call->count > 4) {
        call_syntax(call);
        return;
    }
    if (call->count == 4 && !call_is(call, 3, "timeout") && !call_is(call, 3, "error")) {
        reply_error(call->reply, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        return;
    }
    if (call_int(call, 2, &id)) {
        reply_int(call->reply, 0);
    }
}

/* ---- MONITOR ---- */

void cmd_monitor(struct call *call)
{
    if (!client_is(call->client, CLIENT_MONITOR)) {
        client_set(call->client, CLIENT_MONITOR);
        atomic_fetch_add(&call->server->monitor_count, 1);
    }
    reply_status(call->reply, "OK");
}

static void quote(struct buffer *line, struct yore_bytes text)
{
    const unsigned char *at = text.data;
    buffer_append(line, "\"", 1);
    for (size_t i = 0; i < text.size && line->size < MONITOR_LINE_BYTES_MAX; i++) {
        static const char plain[] = "\"\\\n\r\t\a\b";
        static const char told[] = "\"\\nrtab";
        const char *special = at[i] != 0 ? strchr(plain, at[i]) : NULL;
        char escape[8];
        if (special != NULL) {
            snprintf(escape, sizeof escape, "\\%c", told[special - plain]);
        } else if (at[i] >= ' ' && at[i] <= '~') {
            snprintf(escape, sizeof escape, "%c", at[i]);
        } else {
            snprintf(escape, sizeof escape, "\\x%02x", at[i]);
        }
        buffer_append(line, escape, strlen(escape));
    }
    buffer_append(line, "\"", 1);
}

void monitor_tell(const struct call *call)
{
    struct command_server *server = call->server;
    const struct command_port *port = &server->options.port;
    struct buffer line = {0};
    char head[160];
    if ((call->command->flags & (CF_SKIP_MONITOR | CF_ADMIN)) != 0) {
        return;
    }
    int64_t now = os_wall_ns(server->env);
    int size = snprintf(head, sizeof head, "+%lld.%06lld [%u %s]", (long long)(now / 1000000000),
                        (long long)(now / 1000 % 1000000), atomic_load(&call->client->database),
                        call->client->address);
    buffer_append(&line, head, (size_t)size);
    for (size_t i = 0; i < call->count; i++) {
        buffer_append(&line, " ", 1);
        quote(&line, secret_told(call, i));
    }
    buffer_append(&line, "\r\n", 2);
    os_mutex_lock(&server->clients_lock);
    for (struct client *at = server->clients; at != NULL && !line.is_nomem; at = at->next) {
        if (client_is(at, CLIENT_MONITOR) && at->conn != NULL) {
            port->push(port->arg, at->conn, buffer_bytes(&line));
        }
    }
    os_mutex_unlock(&server->clients_lock);
    buffer_release(&line);
}
