/* command_pubsub.c -- SUBSCRIBE and its kin, PUBLISH, PUBSUB. */
#include "command/call.h"
#include "command/commands.h"
#include "command/glob.h"

static const char *word(enum channel_kind kind, bool leaves)
{
    static const char *const words[3][2] = {{"subscribe", "unsubscribe"},
                                            {"psubscribe", "punsubscribe"},
                                            {"ssubscribe", "sunsubscribe"}};
    return words[kind][leaves ? 1 : 0];
}

/* How many subscriptions of this sort the client has now: plain ones and patterns count together.
 */
static int64_t count_now(const struct client *client, enum channel_kind kind)
{
    return kind == CHANNEL_SHARD ? (int64_t)atomic_load(&client->shard_count)
                                 : (int64_t)atomic_load(&client->channel_count) +
                                       (int64_t)atomic_load(&client->pattern_count);
}

static void reply_change(struct call *call, enum channel_kind kind, bool leaves,
                         const struct yore_bytes *name)
{
    reply_push(call->reply, 3);
    reply_text(call->reply, word(kind, leaves));
    if (name != NULL) {
        reply_bulk(call->reply, *name);
    } else {
        reply_null(call->reply);
    }
    reply_int(call->reply, count_now(call->client, kind));
}

static void subscribe(struct call *call, enum channel_kind kind)
{
    for (size_t i = 1; i < call->count; i++) {
        bool is_new;
        if (pubsub_subscribe(call->client, kind, call->args[i], &is_new) != YORE_OK) {
            call_nomem(call);
            return;
        }
        reply_change(call, kind, false, &call->args[i]);
    }
}

static const struct subscriptions *list_of(const struct client *client, enum channel_kind kind)
{
    return kind == CHANNEL_PLAIN     ? &client->channels
           : kind == CHANNEL_PATTERN ? &client->patterns
                                     : &client->shards;
}

static void unsubscribe(struct call *call, enum channel_kind kind)
{
    const struct subscriptions *list = list_of(call->client, kind);
    for (size_t i = 1; i < call->count; i++) {
        pubsub_unsubscribe(call->client, kind, call->args[i]);
        reply_change(call, kind, true, &call->args[i]);
    }
    if (call->count > 1) {
        return;
    }
    if (list->first == NULL) {
        reply_change(call, kind, true, NULL);
    }
    while (list->first != NULL) {
        struct buffer name = {0};
        buffer_append_bytes(&name, list->first->channel->name);
        struct yore_bytes bytes = buffer_bytes(&name);
        if (name.is_nomem) {
            call_nomem(call);
            return;
        }
        pubsub_unsubscribe(call->client, kind, bytes);
        reply_change(call, kind, true, &bytes);
        buffer_release(&name);
    }
}

void cmd_subscribe(struct call *call)
{
    subscribe(call, CHANNEL_PLAIN);
}

void cmd_psubscribe(struct call *call)
{
    subscribe(call, CHANNEL_PATTERN);
}

void cmd_ssubscribe(struct call *call)
{
    subscribe(call, CHANNEL_SHARD);
}

void cmd_unsubscribe(struct call *call)
{
    unsubscribe(call, CHANNEL_PLAIN);
}

void cmd_punsubscribe(struct call *call)
{
    unsubscribe(call, CHANNEL_PATTERN);
}

void cmd_sunsubscribe(struct call *call)
{
    unsubscribe(call, CHANNEL_SHARD);
}

static void publish(struct call *call, enum channel_kind kind)
{
    atomic_fetch_add(&call->server->stats.published, 1);
    reply_int(call->reply,
              (int64_t)pubsub_publish(call->server, kind, call->args[1], call->args[2]));
}

void cmd_publish(struct call *call)
{
    publish(call, CHANNEL_PLAIN);
}

void cmd_spublish(struct call *call)
{
    publish(call, CHANNEL_SHARD);
}

static void list_channels(struct call *call, enum channel_kind kind)
{
    struct pubsub *pubsub = &call->server->pubsub;
    const struct channel *channel;
    size_t at = 0;
    size_t count = 0;
    if (call->count > 3) {
        call_words(call);
        return;
    }
    size_t begun = reply_array_begin(call->reply);
    os_mutex_lock(&pubsub->lock);
    while ((channel = name_map_next(&pubsub->channels[kind], &at)) != NULL) {
        if (call->count < 3 || glob_match(call->args[2], channel->name)) {
            reply_bulk(call->reply, channel->name);
            count++;
        }
    }
    os_mutex_unlock(&pubsub->lock);
    reply_array_end(call->reply, begun, count);
}

static void count_listeners(struct call *call, enum channel_kind kind)
{
    struct pubsub *pubsub = &call->server->pubsub;
    reply_array(call->reply, 2 * (call->count - 2));
    os_mutex_lock(&pubsub->lock);
    for (size_t i = 2; i < call->count; i++) {
        const struct channel *channel = name_map_get(&pubsub->channels[kind], call->args[i]);
        reply_bulk(call->reply, call->args[i]);
        reply_int(call->reply, channel != NULL ? (int64_t)channel->count : 0);
    }
    os_mutex_unlock(&pubsub->lock);
}

void cmd_pubsub_channels(struct call *call)
{
    list_channels(call, CHANNEL_PLAIN);
}

void cmd_pubsub_shardchannels(struct call *call)
{
    list_channels(call, CHANNEL_SHARD);
}

void cmd_pubsub_numsub(struct call *call)
{
    count_listeners(call, CHANNEL_PLAIN);
}

void cmd_pubsub_shardnumsub(struct call *call)
{
    count_listeners(call, CHANNEL_SHARD);
}

void cmd_pubsub_numpat(struct call *call)
{
    struct pubsub *pubsub = &call->server->pubsub;
    os_mutex_lock(&pubsub->lock);
    size_t count = pubsub->channels[CHANNEL_PATTERN].count;
    os_mutex_unlock(&pubsub->lock);
    reply_int(call->reply, (int64_t)count);
}
