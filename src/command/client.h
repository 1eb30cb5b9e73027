/* client.h -- one connection's state.
 *
 * Its own thread (the one that runs its requests) reads and writes everything; other threads, which
 * list or kill clients, read the atomics and, under `lock`, the texts. */
#ifndef YORE_COMMAND_CLIENT_H
#define YORE_COMMAND_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <yore/yore.h>

#include "base/buffer.h"
#include "command/acl.h"
#include "command/command.h"
#include "command/scan.h"
#include "os/thread.h"

struct acl_rules;
struct acl_user;
struct command;
struct subscription;
struct yore_watch;

enum client_flag {
    CLIENT_MULTI = 1u << 0,      /* between MULTI and EXEC */
    CLIENT_DIRTY_EXEC = 1u << 1, /* something was refused while queueing */
    CLIENT_MONITOR = 1u << 2,
    CLIENT_REPLY_OFF = 1u << 3,
    CLIENT_REPLY_SKIP = 1u << 4,      /* this reply */
    CLIENT_REPLY_SKIP_NEXT = 1u << 5, /* the next one */
    CLIENT_NO_EVICT = 1u << 6,
    CLIENT_CLOSING = 1u << 7, /* after its reply */
    CLIENT_TRUSTED = 1u << 8, /* has logged in, or need not */
    CLIENT_NO_TOUCH = 1u << 9,
    CLIENT_WHOLE = 1u << 10, /* command_client_be_whole() */
    CLIENT_DATED = 1u << 11, /* command_client_be_dated() */
    CLIENT_TIED = 1u << 12   /* command_client_tie_watch() */
};

/* A request kept by MULTI: one block holds the arguments and their octets. */
struct queued {
    const struct command *command;
    struct yore_bytes *args;
    size_t count;
};

/* A key that WATCH named (watch.c). */
struct watched;

/* What a client is subscribed to, of one kind. */
struct subscriptions {
    struct name_map by_name;
    struct subscription *first; /* in the order they were made */
    struct subscription *last;
};

struct client {
    struct command_server *server;
    void *conn;
    uint64_t id;
    struct client *prev; /* server's clients_lock */
    struct client *next;
    char address[64];
    char local[64];
    uint64_t network;   /* of its address ... */
    bool has_network;   /* ... if that has one */
    int64_t created_ns; /* monotonic */

    _Atomic int64_t active_ns; /* monotonic: its last request */
    _Atomic int protocol;
    _Atomic uint32_t flags; /* enum client_flag; changed by its own thread */
    _Atomic uint32_t database;
    _Atomic(const struct command *) last_command;
    _Atomic size_t input_bytes;
    _Atomic size_t output_bytes;
    _Atomic uint32_t multi_count;
    _Atomic uint32_t channel_count; /* of each kind; under pubsub_lock for the lists */
    _Atomic uint32_t pattern_count;
    _Atomic uint32_t shard_count;
    _Atomic uint32_t watched_count;
    _Atomic bool is_dirty; /* a key it watches was changed */

    struct os_mutex lock; /* texts below, against readers of other threads */
    char *name;           /* NULL: none */
    char *library_name;
    char *library_version;

    struct acl_user *user;               /* referenced; changed under lock */
    char secret_id[ACL_SECRET_ID_BYTES]; /* of the password it logged in with; empty: none */
    struct acl_rules *rules;             /* referenced; what was true at rules_version */
    uint64_t rules_version;
    bool is_free; /* these rules allow every command with every key and channel, and all of the past
                   */

    const struct command *called; /* the last one that one word names; NULL: none yet */
    int64_t ended_ns;             /* monotonic: when its last request ended; 0: not known */
    int64_t begins_ns;            /* ... and when the next begins, right behind that; 0: not so */

    struct yore_time moment;     /* of its session ... */
    bool has_moment;             /* ... if it has one */
    struct yore_snapshot *held;  /* command_client_hold(); NULL: none is */
    struct yore_time held_asked; /* its moment as it was asked for ... */
    int64_t held_now;            /* ... at this one */

    struct queued *queue;
    size_t queue_count;
    size_t queue_capacity;
    size_t queue_bytes;
    struct watched *watched;         /* watch_lock: a list ... */
    struct name_map watched_by_name; /* ... and how to find one; its own thread's */
    size_t held_bytes;               /* of watches and subscriptions; its own thread's */

    struct scan_owner scans; /* scan_lock: positions of its SCANs */

    struct subscriptions channels; /* pubsub_lock */
    struct subscriptions patterns;
    struct subscriptions shards;

    struct yore_watch *feed; /* YORE.WATCH; feed_lock */
    bool feed_is_begun;      /* a part of a commit was pushed: so is the end of it */
    bool feed_is_over;       /* why was told; the connection closes by and by */
    struct client *next_feed;
};

static inline bool client_is(const struct client *client, uint32_t flags)
{
    return (atomic_load_explicit(&client->flags, memory_order_relaxed) & flags) != 0;
}
static inline void client_set(struct client *client, uint32_t flags)
{
    atomic_fetch_or_explicit(&client->flags, flags, memory_order_relaxed);
}
static inline void client_unset(struct client *client, uint32_t flags)
{
    atomic_fetch_and_explicit(&client->flags, ~flags, memory_order_relaxed);
}

/* Is it subscribed to anything? */
bool client_is_subscribed(const struct client *client);
/* The request that runs still counts as unread input, as clients expect of CLIENT LIST. */
void client_note_request(struct client *client, const struct yore_bytes *args, size_t count);
/* Append the line of CLIENT LIST, without its end.  Any thread that keeps the client alive. */
void client_describe(struct client *client, struct buffer *out);
/* Replace a text under the lock; empty: none.  False: out of memory. */
bool client_set_text(struct client *client, char **text, struct yore_bytes value);
/* Everything RESET undoes: queue, watches, channels, moment, user, name, modes. */
void client_reset(struct client *client);
/* Act as the user "default": logged in if that has no password. */
void client_become_default(struct client *client);

#endif
