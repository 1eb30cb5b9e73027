/* event.h -- keyspace events: what happened to a key, told on channels to whoever listens. */
#ifndef YORE_COMMAND_EVENT_H
#define YORE_COMMAND_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

struct access;
struct command_server;
struct database;

/* Classes, and their letters in notify-keyspace-events. */
enum event_class {
    EVENT_KEYSPACE = 1 << 0, /* K */
    EVENT_KEYEVENT = 1 << 1, /* E */
    EVENT_GENERIC = 1 << 2,  /* g */
    EVENT_STRING = 1 << 3,   /* $ */
    EVENT_LIST = 1 << 4,     /* l */
    EVENT_SET = 1 << 5,      /* s */
    EVENT_HASH = 1 << 6,     /* h */
    EVENT_ZSET = 1 << 7,     /* z */
    EVENT_EXPIRED = 1 << 8,  /* x */
    EVENT_EVICTED = 1 << 9,  /* e */
    EVENT_STREAM = 1 << 10,  /* t */
    EVENT_MISS = 1 << 11,    /* m */
    EVENT_MODULE = 1 << 12,  /* d */
    EVENT_NEW = 1 << 13      /* n */
};
/* What "A" stands for. */
#define EVENT_ALL                                                                                  \
    (EVENT_GENERIC | EVENT_STRING | EVENT_LIST | EVENT_SET | EVENT_HASH | EVENT_ZSET |             \
     EVENT_EXPIRED | EVENT_EVICTED | EVENT_STREAM | EVENT_MODULE)

/* Tell an event of a key, after the write it tells of; in a transaction once that has committed.
 * `event` is a constant. */
void access_event(struct access *access, struct database *database, enum event_class class,
                  const char *event, struct yore_bytes key);
/* A key that a command gives an end which has passed when it writes: told as expired when the
 * command is done, behind its own events; where it fails it is forgotten with its transaction. */
void event_ended(struct access *access, struct database *database, struct yore_bytes key);
void event_tell_ended(struct access *access);
/* Tell an event of a key at once. */
void event_tell(struct command_server *server, struct database *database, enum event_class class,
                const char *event, struct yore_bytes key);
/* Tell what access_event() kept. */
void event_replay(struct command_server *server, const struct buffer *events);

/* Letters to classes; false: an unknown letter.  And back, appended to `out`. */
bool event_parse(struct yore_bytes letters, uint32_t *classes_out);
void event_format(uint32_t classes, struct buffer *out);

#endif
