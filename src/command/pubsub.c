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
    const struct subscription *at = channel->listeners;
    for (; at != NULL; at = at->next_listener) {
        const struct client *client = at->client;
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

/* What one holds of memory at most. */
static size_t bytes_of_one(const struct channel *channel)
{
    return sizeof(struct subscription) + sizeof *channel + channel->name.size +
           4 * sizeof(struct name_slot);
}

static struct channel *find_or_make(struct name_map *map, enum channel_kind kind,
                                    struct yore_bytes name)
{
    struct channel *channel = name_map_get(map, name);
    if (channel != NULL) {
        return channel;
    }
    channel = channel_new(kind, name);
    if (channel != NULL && name_map_put(map, channel->name, channel) != YORE_OK) {
        mem_free(channel);
        return NULL;
    }
    return channel;
}

static void drop_if_unheard(struct name_map *map, struct channel *channel)
{
    if (channel->listeners == NULL) {
        name_map_remove(map, channel->name);
        mem_free(channel);
    }
}

/* Into both lists. */
static void link_in(struct subscriptions *list, struct subscription *one)
{
    struct channel *channel = one->channel;
    one->prev = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = one;
    list->last = one;
    one->next_listener = channel->listeners;
    if (channel->listeners != NULL) {
        channel->listeners->prev_listener = one;
    }
    channel->listeners = one;
    channel->count++;
}

static void link_out(struct subscriptions *list, const struct subscription *one)
{
    struct channel *channel = one->channel;
    *(one->prev != NULL ? &one->prev->next : &list->first) = one->next;
    *(one->next != NULL ? &one->next->prev : &list->last) = one->prev;
    *(one->prev_listener != NULL ? &one->prev_listener->next_listener : &channel->listeners) =
        one->next_listener;
    if (one->next_listener != NULL) {
        one->next_listener->prev_listener = one->prev_listener;
    }
    channel->count--;
}

static enum yore_status join(struct client *client, enum channel_kind kind, struct yore_bytes name,
                             bool *is_new_out)
{
    struct name_map *map = &client->server->pubsub.channels[kind];
    struct subscriptions *list = client_list(client, kind);
    if (name_map_get(&list->by_name, name) != NULL) {
        return YORE_OK;
    }
    struct subscription *one = mem_zalloc(sizeof *one);
    struct channel *channel = one != NULL ? find_or_make(map, kind, name) : NULL;
    if (channel == NULL) {
        mem_free(one);
        return YORE_NOMEM;
    }
    if (name_map_put(&list->by_name, channel->name, one) != YORE_OK) {
        drop_if_unheard(map, channel);
        mem_free(one);
        return YORE_NOMEM;
    }
    one->channel = channel;
    one->client = client;
    link_in(list, one);
    client->held_bytes += bytes_of_one(channel);
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

/* REQUIRES(pubsub lock) */
static void leave(struct client *client, enum channel_kind kind, struct subscription *one)
{
    struct subscriptions *list = client_list(client, kind);
    struct channel *channel = one->channel;
    name_map_remove(&list->by_name, channel->name);
    link_out(list, one);
    mem_free(one);
    client->held_bytes -= bytes_of_one(channel);
    atomic_fetch_sub(client_counter(client, kind), 1);
    drop_if_unheard(&client->server->pubsub.channels[kind], channel);
}

bool pubsub_unsubscribe(struct client *client, enum channel_kind kind, struct yore_bytes name)
{
    const struct subscriptions *list = client_list(client, kind);
    os_mutex_lock(&client->server->pubsub.lock);
    struct subscription *one = name_map_get(&list->by_name, name);
    if (one != NULL) {
        leave(client, kind, one);
    }
    os_mutex_unlock(&client->server->pubsub.lock);
    return one != NULL;
}

/* Some at a time: others want the lock. */
static void leave_some(struct client *client, enum channel_kind kind)
{
    const struct subscriptions *list = client_list(client, kind);
    os_mutex_lock(&client->server->pubsub.lock);
    for (unsigned i = 0; i < LEAVE_CHUNK && list->first != NULL; i++) {
        leave(client, kind, list->first);
    }
    os_mutex_unlock(&client->server->pubsub.lock);
}

void pubsub_leave(struct client *client)
{
    for (int kind = CHANNEL_PLAIN; kind <= CHANNEL_SHARD; kind++) {
        while (client_list(client, (enum channel_kind)kind)->first != NULL) {
            leave_some(client, (enum channel_kind)kind);
        }
    }
}
