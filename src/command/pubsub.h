/* pubsub.h -- channels, patterns and who listens. */
#ifndef YORE_COMMAND_PUBSUB_H
#define YORE_COMMAND_PUBSUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "command/name_map.h"
#include "os/thread.h"

struct client;
struct command_server;

enum channel_kind { CHANNEL_PLAIN = 0, CHANNEL_PATTERN = 1, CHANNEL_SHARD = 2 };

/* One client's of one channel: in the client's map and list, and in the channel's list, so that it
 * is found and left at the same cost however many there are. */
struct subscription {
    struct channel *channel;
    struct client *client;
    struct subscription *prev; /* of the client */
    struct subscription *next;
    struct subscription *prev_listener; /* of the channel */
    struct subscription *next_listener;
};

struct channel {
    enum channel_kind kind;
    struct yore_bytes name; /* in the same block */
    struct subscription *listeners;
    size_t count;
};

/* One lock guards it all. */
struct pubsub {
    struct os_mutex lock;
    struct name_map channels[3]; /* by kind */
};

/* Send to every listener; returns how many there were. */
size_t pubsub_publish(struct command_server *server, enum channel_kind kind,
                      struct yore_bytes channel, struct yore_bytes message);
/* *is_new_out: it was not subscribed yet. */
enum yore_status pubsub_subscribe(struct client *client, enum channel_kind kind,
                                  struct yore_bytes name, bool *is_new_out);
bool pubsub_unsubscribe(struct client *client, enum channel_kind kind, struct yore_bytes name);
/* Leave everything, silently. */
void pubsub_leave(struct client *client);

#endif
