/* event.c -- keyspace events. */
#include "command/event.h"

#include <stdio.h>
#include <string.h>

#include "command/pending.h"
#include "command/pubsub.h"
#include "command/server.h"

/* In the order in which CONFIG GET tells them. */
static const struct {
    char letter;
    uint32_t class;
} letters[] = {{'g', EVENT_GENERIC}, {'$', EVENT_STRING},  {'l', EVENT_LIST},
               {'s', EVENT_SET},     {'h', EVENT_HASH},    {'z', EVENT_ZSET},
               {'x', EVENT_EXPIRED}, {'e', EVENT_EVICTED}, {'t', EVENT_STREAM},
               {'d', EVENT_MODULE}};
#define LETTERS (sizeof letters / sizeof letters[0])

static uint32_t letter_class(char letter)
{
    for (size_t i = 0; i < LETTERS; i++) {
        if (letters[i].letter == letter) {
            return letters[i].class;
        }
    }
    switch (letter) {
    case 'A':
        return EVENT_ALL;
    case 'K':
        return EVENT_KEYSPACE;
    case 'E':
        return EVENT_KEYEVENT;
    case 'm':
        return EVENT_MISS;
    case 'n':
        return EVENT_NEW;
    default:
        return 0;
    }
}

bool event_parse(struct yore_bytes text, uint32_t *classes_out)
{
    const char *at = text.data;
    uint32_t classes = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint32_t class = letter_class(at[i]);
        if (class == 0) {
            return false;
        }
        classes |= class;
    }
    *classes_out = classes;
    return true;
}

void event_format(uint32_t classes, struct buffer *out)
{
    if ((classes & EVENT_ALL) == EVENT_ALL) {
        buffer_append(out, "A", 1);
    }
    for (size_t i = 0; i < LETTERS && (classes & EVENT_ALL) != EVENT_ALL; i++) {
        if ((classes & letters[i].class) != 0) {
            buffer_append(out, &letters[i].letter, 1);
        }
    }
    buffer_append(out, "K", (classes & EVENT_KEYSPACE) != 0 ? 1 : 0);
    buffer_append(out, "E", (classes & EVENT_KEYEVENT) != 0 ? 1 : 0);
    buffer_append(out, "m", (classes & EVENT_MISS) != 0 ? 1 : 0);
    buffer_append(out, "n", (classes & EVENT_NEW) != 0 ? 1 : 0);
}

static uint32_t database_number(struct command_server *server, const struct database *database)
{
    uint32_t number = 0;
    while (number + 1 < server->database_count &&
           atomic_load(&server->databases[number]) != database) {
        number++;
    }
    return number;
}

static void tell_on(struct command_server *server, uint32_t number, const char *kind,
                    struct yore_bytes subject, struct yore_bytes message)
{
    struct buffer channel = {0};
    char head[48];
    int size = snprintf(head, sizeof head, "__%s@%u__:", kind, number);
    buffer_append(&channel, head, (size_t)size);
    buffer_append_bytes(&channel, subject);
    if (!channel.is_nomem) {
        pubsub_publish(server, CHANNEL_PLAIN, buffer_bytes(&channel), message);
    }
    buffer_release(&channel);
}

void event_tell(struct command_server *server, struct database *database, enum event_class class,
                const char *event, struct yore_bytes key)
{
    uint32_t wanted = atomic_load_explicit(&server->notify, memory_order_relaxed);
    struct yore_bytes name = bytes_of(event, strlen(event));
    if ((wanted & (uint32_t) class) == 0) {
        return;
    }
    uint32_t number = database_number(server, database);
    if ((wanted & EVENT_KEYSPACE) != 0) {
        tell_on(server, number, "keyspace", key, name);
    }
    if ((wanted & EVENT_KEYEVENT) != 0) {
        tell_on(server, number, "keyevent", name, key);
    }
}

/* An event that waits; the key's octets follow. */
struct kept_event {
    struct database *database;
    enum event_class class;
    const char *event;
    size_t key_size;
};

static void keep(struct buffer *events, const struct kept_event *kept, struct yore_bytes key)
{
    buffer_append(events, kept, sizeof *kept);
    buffer_append_bytes(events, key);
}

void access_event(struct access *access, struct database *database, enum event_class class,
                  const char *event, struct yore_bytes key)
{
    struct command_server *server = access->server;
    uint32_t wanted = atomic_load_explicit(&server->notify, memory_order_relaxed);
    if ((wanted & (uint32_t) class) == 0) {
        return;
    }
    if (access->txn == NULL && access->pending == NULL) {
        event_tell(server, database, class, event, key);
        return;
    }
    struct kept_event kept = {database, class, event, key.size};
    struct buffer *events =
        access->txn != NULL ? &access->effects.events : pending_events(access->pending);
    keep(events, &kept, key);
}

void event_ended(struct access *access, struct database *database, struct yore_bytes key)
{
    struct kept_event kept = {database, EVENT_EXPIRED, "expired", key.size};
    keep(&access->ended, &kept, key);
}

/* Take the next event at `*at`; false: there is none. */
static bool next_event(const struct buffer *events, size_t *at, struct kept_event *kept_out,
                       struct yore_bytes *key_out)
{
    if (events->is_nomem || *at >= events->size) {
        return false;
    }
    memcpy(kept_out, events->data + *at, sizeof *kept_out);
    *key_out = bytes_of(events->data + *at + sizeof *kept_out, kept_out->key_size);
    *at += sizeof *kept_out + kept_out->key_size;
    return true;
}

void event_tell_ended(struct access *access)
{
    struct kept_event kept;
    struct yore_bytes key;
    for (size_t at = 0; next_event(&access->ended, &at, &kept, &key);) {
        atomic_fetch_add(&access->server->stats.expired, 1);
        access_event(access, kept.database, kept.class, kept.event, key);
    }
    buffer_release(&access->ended);
}

void event_replay(struct command_server *server, const struct buffer *events)
{
    struct kept_event kept;
    struct yore_bytes key;
    for (size_t at = 0; next_event(events, &at, &kept, &key);) {
        event_tell(server, kept.database, kept.class, kept.event, key);
    }
}
