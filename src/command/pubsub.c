/* pubsub.c -- who listens to what. */
#include "command/pubsub.h"

#include <string.h>

#include "base/mem.h"
#include "command/client.h"
#include "command/glob.h"
#include "command/reply.h"
#include "command/server.h"

static struct subscriptions *client_list(struct client *client, enum channel_kind kind)
{
    return kind == CHANNEL_PLAIN     ? &client->channels
           : kind == CHANNEL_PATTERN ? &client->patterns
                                     : &client->shards;
}

static _Atomic uint32_t *client_counter(struct client *client, enum channel_kind kind)
{
    return kind == CHANNEL_PLAIN     ? &client->channel_count
           : kind == CHANNEL_PATTERN ? &client->pattern_count
                                     : &client->shard_count;
}

/* ---- sending ---- */

/* One message in both protocols; made for the first listener that wants it. */
struct parcel {
    struct reply replies[2];
    const struct channel *channel;
    struct yore_bytes name;
    struct yore_bytes message;
};

static struct yore_bytes parcel_for(struct parcel *parcel, int protocol)
{
    struct reply *reply = &parcel->replies[protocol - 2];
    bool is_pattern = parcel->channel->kind == CHANNEL_PATTERN;
    if (reply->out.size == 0) {
        reply_init(reply, protocol);
        reply_push(reply, is_pattern ? 4 : 3);
        if (is_pattern) {
            reply_text(reply, "pmessage");
            reply_bulk(reply, parcel->channel->name);
        } else {
            reply_text(reply, parcel->channel->kind == CHANNEL_SHARD ? "smessage" : "message");
        }
        reply_bulk(reply, parcel->name);
        reply_bulk(reply, parcel->message);
    }
    return reply->out.is_nomem ? bytes_of("", 0) : buffer_bytes(&reply->out);
}

static size_t send_to(struct command_server *server, const struct channel *channel,
                      struct yore_bytes name, struct yore_bytes message)
{
    struct parcel parcel = {.channel = channel, .name = name, .message = message};
    for (size_t i = 0; i < channel->count; i++) {
        const struct client *client = channel->listeners[i];
        struct yore_bytes bytes = parcel_for(&parcel, command_client_protocol(client));
        if (bytes.size > 0 && client->conn != NULL) {
            server->options.port.push(server->options.port.arg, client->conn, bytes);
        }
    }
    reply_release(&parcel.replies[0]);
    reply_release(&parcel.replies[1]);
    return channel->count;
}

size_t pubsub_publish(struct command_server *server, enum channel_kind kind,
                      struct yore_bytes channel, struct yore_bytes message)
{
    struct pubsub *pubsub = &server->pubsub;
    size_t told = 0;
    size_t at = 0;
    os_mutex_lock(&pubsub->lock);
    const struct channel *named = name_map_get(&pubsub->channels[kind], channel);
    if (named != NULL) {
        told += send_to(server, named, channel, message);
    }
    const struct channel *pattern = NULL;
    while (kind == CHANNEL_PLAIN &&
           (pattern = name_map_next(&pubsub->channels[CHANNEL_PATTERN], &at)) != NULL) {
        if (glob_match(pattern->name, channel)) {
            told += send_to(server, pattern, channel, message);
        }
    }
    os_mutex_unlock(&pubsub->lock);
    return told;
}

/* ---- listening ---- */

static bool grow(void **items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    size_t wanted = *capacity == 0 ? 4 : 2 * *capacity;
    void *grown = mem_realloc(*items, wanted * size);
    if (grown != NULL) {
        *items = grown;
        *capacity = wanted;
    }
    return grown != NULL;
}

static struct channel *channel_new(enum channel_kind kind, struct yore_bytes name)
{
    struct channel *channel = mem_alloc(sizeof *channel + name.size);
    if (channel != NULL) {
        *channel = (struct channel){.kind = kind};
        memcpy(channel + 1, name.data, name.size);
        channel->name = bytes_of(channel + 1, name.size);
    }
    return channel;
}

static void channel_free(struct channel *channel)
{
    mem_free(channel->listeners);
    mem_free(channel);
}

static bool is_listening(const struct subscriptions *list, const struct channel *channel)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == channel) {
            return true;
        }
    }
    return false;
}

static enum yore_status join(struct client *client, enum channel_kind kind, struct yore_bytes name,
                             bool *is_new_out)
{
    struct name_map *map = &client->server->pubsub.channels[kind];
    struct subscriptions *list = client_list(client, kind);
    struct channel *channel = name_map_get(map, name);
    void *items = list->items;
    if (channel != NULL && is_listening(list, channel)) {
        return YORE_OK;
    }
    if (!grow(&items, &list->capacity, list->count, sizeof *list->items)) {
        return YORE_NOMEM;
    }
    list->items = items;
    if (channel == NULL) {
        channel = channel_new(kind, name);
        if (channel == NULL || name_map_put(map, channel->name, channel) != YORE_OK) {
            mem_free(channel);
            return YORE_NOMEM;
        }
    }
    items = channel->listeners;
    bool has_room = grow(&items, &channel->capacity, channel->count, sizeof(struct client *));
    channel->listeners = items;
    if (!has_room) {
        if (channel->count == 0) {
            name_map_remove(map, channel->name);
            channel_free(channel);
        }
        return YORE_NOMEM;
    }
    channel->listeners[channel->count++] = client;
    list->items[list->count++] = channel;
    atomic_fetch_add(client_counter(client, kind), 1);
    *is_new_out = true;
    return YORE_OK;
}

enum yore_status pubsub_subscribe(struct client *client, enum channel_kind kind,
                                  struct yore_bytes name, bool *is_new_out)
{
    *is_new_out = false;
    os_mutex_lock(&client->server->pubsub.lock);
    enum yore_status st = join(client, kind, name, is_new_out);
    os_mutex_unlock(&client->server->pubsub.lock);
    return st;
}

/* REQUIRES(pubsub lock): leave the channel at place `at` of the client's list. */
static void leave(struct client *client, enum channel_kind kind, size_t at)
{
    struct subscriptions *list = client_list(client, kind);
    struct channel *channel = list->items[at];
    size_t i = 0;
    while (channel->listeners[i] != client) {
        i++;
    }
    channel->count--;
    memmove(&channel->listeners[i], &channel->listeners[i + 1],
            (channel->count - i) * sizeof(struct client *));
    list->count--;
    memmove(&list->items[at], &list->items[at + 1], (list->count - at) * sizeof *list->items);
    atomic_fetch_sub(client_counter(client, kind), 1);
    if (channel->count == 0) {
        name_map_remove(&client->server->pubsub.channels[kind], channel->name);
        channel_free(channel);
    }
}

bool pubsub_unsubscribe(struct client *client, enum channel_kind kind, struct yore_bytes name)
{
    struct subscriptions *list = client_list(client, kind);
    os_mutex_lock(&client->server->pubsub.lock);
    size_t at = 0;
    while (at < list->count && !bytes_equal(list->items[at]->name, name)) {
        at++;
    }
    bool was_there = at < list->count;
    if (was_there) {
        leave(client, kind, at);
    }
    os_mutex_unlock(&client->server->pubsub.lock);
    return was_there;
}

void pubsub_leave(struct client *client)
{
    if (!client_is_subscribed(client)) {
        return;
    }
    os_mutex_lock(&client->server->pubsub.lock);
    for (int kind = CHANNEL_PLAIN; kind <= CHANNEL_SHARD; kind++) {
        while (client_list(client, (enum channel_kind)kind)->count > 0) {
            leave(client, (enum channel_kind)kind, 0);
        }
    }
    os_mutex_unlock(&client->server->pubsub.lock);
}
