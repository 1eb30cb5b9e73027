/* client.c -- making, describing and resetting one connection's state. */
#include "command/client.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command/acl.h"
#include "command/multi.h"
#include "command/pubsub.h"
#include "command/server.h"
#include "command/table.h"
#include "command/watch.h"
#include "os/socket.h"

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from != NULL ? from : "");
}

enum yore_status command_client_new(struct command_server *server,
                                    const struct command_origin *origin, struct client **client_out)
{
    struct client *client = mem_zalloc(sizeof *client);
    *client_out = client;
    if (client == NULL) {
        return YORE_NOMEM;
    }
    client->server = server;
    client->channels.by_name.seed = server->seed;
    client->patterns.by_name.seed = server->seed;
    client->shards.by_name.seed = server->seed;
    client->watched_by_name.seed = server->seed;
    client->conn = origin->conn;
    client->id = atomic_fetch_add(&server->next_client, 1) + 1;
    copy_text(client->address, sizeof client->address, origin->address);
    copy_text(client->local, sizeof client->local, origin->local);
    client->has_network = os_address_network(client->address, &client->network);
    client->created_ns = server_monotonic_ns(server);
    atomic_init(&client->active_ns, client->created_ns);
    atomic_init(&client->protocol, 2);
    os_mutex_init(&client->lock);
    client->user = server->acl.default_user;
    acl_user_ref(client->user);
    acl_refresh(client);
    if (client->rules->is_on && client->rules->is_nopass) {
        client_set(client, CLIENT_TRUSTED);
    }
    atomic_fetch_add(&server->stats.connections, 1);
    os_mutex_lock(&server->clients_lock);
    client->next = server->clients;
    if (client->next != NULL) {
        client->next->prev = client;
    }
    server->clients = client;
    os_mutex_unlock(&server->clients_lock);
    atomic_fetch_add(&server->client_count, 1);
    return YORE_OK;
}

void command_client_free(struct client *client)
{
    if (client == NULL) {
        return;
    }
    struct command_server *server = client->server;
    client_reset(client);
    scan_table_leave(&server->scans, &client->scans);
    os_mutex_lock(&server->clients_lock);
    if (client->prev != NULL) {
        client->prev->next = client->next;
    } else {
        server->clients = client->next;
    }
    if (client->next != NULL) {
        client->next->prev = client->prev;
    }
    os_mutex_unlock(&server->clients_lock);
    atomic_fetch_sub(&server->client_count, 1);
    acl_rules_unref(client->rules);
    acl_user_unref(client->user);
    mem_free(client->queue);
    name_map_release(&client->channels.by_name);
    name_map_release(&client->patterns.by_name);
    name_map_release(&client->shards.by_name);
    mem_free(client->name);
    mem_free(client->library_name);
    mem_free(client->library_version);
    os_mutex_release(&client->lock);
    mem_free(client);
}

bool command_client_is_trusted(const struct client *client)
{
    return client_is(client, CLIENT_TRUSTED);
}

void command_client_be_whole(struct client *client)
{
    client_set(client, CLIENT_WHOLE);
}

void command_client_tie_watch(struct client *client)
{
    client_set(client, CLIENT_TIED);
}

void command_client_be_dated(struct client *client)
{
    client_set(client, CLIENT_DATED);
}

int command_client_protocol(const struct client *client)
{
    return atomic_load_explicit(&client->protocol, memory_order_relaxed);
}

void command_client_note_buffers(struct client *client, size_t input_bytes, size_t output_bytes)
{
    atomic_store_explicit(&client->input_bytes, input_bytes, memory_order_relaxed);
    atomic_store_explicit(&client->output_bytes, output_bytes, memory_order_relaxed);
}

size_t command_client_queue_bytes(const struct client *client)
{
    return client->queue_bytes + client->queue_capacity * sizeof(*client->queue) +
           client->held_bytes;
}

static size_t digits(size_t number)
{
    size_t count = 1;
    for (; number >= 10; number /= 10) {
        count++;
    }
    return count;
}

void client_note_request(struct client *client, const struct yore_bytes *args, size_t count)
{
    size_t bytes = 3 + digits(count);
    for (size_t i = 0; i < count; i++) {
        bytes += 5 + digits(args[i].size) + args[i].size;
    }
    atomic_store_explicit(&client->input_bytes, bytes, memory_order_relaxed);
}

enum yore_status command_client_hold(struct client *client, struct yore_error *error_out)
{
    const struct yore_time present = {YORE_NOW, YORE_NOW};
    command_client_let_go(client);
    enum yore_status st = yore_snapshot_take(client->server->db, &client->held, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const struct yore_time now = yore_snapshot_time(client->held);
    client->held_asked = client->has_moment ? client->moment : present;
    client->held_now = yore_now(client->server->db);
    client->moment.valid =
        client->held_asked.valid == YORE_NOW ? now.valid : client->held_asked.valid;
    client->moment.known =
        client->held_asked.known == YORE_NOW ? now.known : client->held_asked.known;
    client->has_moment = true;
    return YORE_OK;
}

void command_client_let_go(struct client *client)
{
    if (client->held != NULL) {
        yore_snapshot_release(client->held);
        client->held = NULL;
        client->has_moment = false;
    }
}

bool client_is_subscribed(const struct client *client)
{
    return atomic_load(&client->channel_count) + atomic_load(&client->pattern_count) +
               atomic_load(&client->shard_count) >
           0;
}

bool command_client_may_idle(const struct client *client)
{
    return !client_is_subscribed(client) && !client_is(client, CLIENT_MONITOR) &&
           client->feed == NULL;
}

bool client_set_text(struct client *client, char **text, struct yore_bytes value)
{
    char *copy = NULL;
    if (value.size > 0) {
        copy = mem_alloc(value.size + 1);
        if (copy == NULL) {
            return false;
        }
        memcpy(copy, value.data, value.size);
        copy[value.size] = '\0';
    }
    os_mutex_lock(&client->lock);
    char *old = *text;
    *text = copy;
    os_mutex_unlock(&client->lock);
    mem_free(old);
    return true;
}

void client_reset(struct client *client)
{
    struct command_server *server = client->server;
    multi_discard(client);
    watch_forget(client);
    pubsub_leave(client);
    feed_leave(client);
    command_client_let_go(client);
    if (client_is(client, CLIENT_MONITOR)) {
        atomic_fetch_sub(&server->monitor_count, 1);
    }
    client_unset(client, CLIENT_MONITOR | CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP |
                             CLIENT_REPLY_SKIP_NEXT | CLIENT_NO_EVICT | CLIENT_NO_TOUCH);
    client->has_moment = false;
}

/* ---- telling about it ---- */

static void append(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

static void append_flags(const struct client *client, struct buffer *out)
{
    size_t before = out->size;
    static const struct {
        uint32_t flag;
        const char *letter;
    } letters[] = {{CLIENT_MONITOR, "O"},
                   {CLIENT_MULTI, "x"},
                   {CLIENT_CLOSING, "c"},
                   {CLIENT_NO_EVICT, "e"},
                   {CLIENT_NO_TOUCH, "T"}};
    if (client_is_subscribed(client)) {
        append(out, "P");
    }
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (client_is(client, letters[i].flag)) {
            append(out, letters[i].letter);
        }
    }
    if (atomic_load(&client->is_dirty)) {
        append(out, "d");
    }
    append(out, out->size == before ? "N" : "");
}

static void append_numbers(const struct client *client, struct buffer *out)
{
    char text[256];
    size_t input = atomic_load_explicit(&client->input_bytes, memory_order_relaxed);
    size_t output = atomic_load_explicit(&client->output_bytes, memory_order_relaxed);
    bool is_multi = client_is(client, CLIENT_MULTI);
    snprintf(text, sizeof text,
             " db=%u sub=%u psub=%u ssub=%u multi=%d qbuf=%zu qbuf-free=0 argv-mem=0 multi-mem=0"
             " rbs=0 rbp=0 obl=0 oll=0 omem=%zu tot-mem=%zu events=r cmd=",
             atomic_load(&client->database), atomic_load(&client->channel_count),
             atomic_load(&client->pattern_count), atomic_load(&client->shard_count),
             is_multi ? (int)atomic_load(&client->multi_count) : -1, input, output,
             sizeof *client + input + output);
    append(out, text);
}

void client_describe(struct client *client, struct buffer *out)
{
    char text[256];
    int64_t now = server_monotonic_ns(client->server);
    int64_t active = atomic_load_explicit(&client->active_ns, memory_order_relaxed);
    const struct command *last = atomic_load(&client->last_command);
    snprintf(text, sizeof text,
             "id=%llu addr=%s laddr=%s fd=%llu name=", (unsigned long long)client->id,
             client->address, client->local, (unsigned long long)client->id);
    append(out, text);
    os_mutex_lock(&client->lock);
    append(out, client->name != NULL ? client->name : "");
    snprintf(text, sizeof text,
             " age=%lld idle=%lld flags=", (long long)((now - client->created_ns) / 1000000000),
             (long long)((now - active) / 1000000000));
    append(out, text);
    append_flags(client, out);
    append_numbers(client, out);
    append(out, last != NULL ? last->name : "NULL");
    append(out, " user=");
    buffer_append(out, client->user->name, client->user->name_size);
    snprintf(text, sizeof text, " redir=-1 resp=%d lib-name=", atomic_load(&client->protocol));
    append(out, text);
    append(out, client->library_name != NULL ? client->library_name : "");
    append(out, " lib-ver=");
    append(out, client->library_version != NULL ? client->library_version : "");
    os_mutex_unlock(&client->lock);
}

uint64_t command_client_origin(const struct client *client)
{
    return client->has_network ? client->network + 1 : 1;
}

uint64_t command_client_owner(const struct client *client)
{
    return (uint64_t)(uintptr_t)client->user;
}

void command_client_user(const struct client *client, char *name, size_t size)
{
    size_t length = client->user->name_size < size - 1 ? client->user->name_size : size - 1;
    memcpy(name, client->user->name, length);
    name[length] = '\0';
}
