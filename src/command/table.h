/* table.h -- the one table of commands: what each is called, needs, touches and does.
 *
 * Everything that asks about a command asks here: dispatch (arity, when it is allowed), ACL
 * (categories, keys), locks (keys), COMMAND and its help.  A subcommand is a row of its own, named
 * "container|word", behind its container's row.
 */
#ifndef YORE_COMMAND_TABLE_H
#define YORE_COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "command/command.h"

struct call;

enum command_flag {
    CF_WRITE = 1u << 0,
    CF_READ = 1u << 1, /* reads keys, writes none */
    CF_DENYOOM = 1u << 2,
    CF_ADMIN = 1u << 3,
    CF_PUBSUB = 1u << 4, /* allowed while subscribed with RESP2; not with a session moment */
    CF_NOSCRIPT = 1u << 5,
    CF_LOADING = 1u << 6,
    CF_STALE = 1u << 7,
    CF_FAST = 1u << 8,
    CF_NO_AUTH = 1u << 9, /* before login */
    CF_NO_MULTI = 1u << 10,
    CF_SKIP_MONITOR = 1u << 11,
    CF_SKIP_SLOWLOG = 1u << 12,
    CF_ALLOW_BUSY = 1u << 13,
    CF_MOVABLE = 1u << 14,   /* its keys are where `keys_find` says */
    CF_PROTECTED = 1u << 15, /* only where debug commands are allowed */
    CF_EVERY_KEY = 1u << 16, /* touches keys it does not name: takes every lock */
    CF_HISTORY = 1u << 17,   /* tells the past: needs the right to */
    CF_CONTAINER = 1u << 18, /* has subcommands, does nothing by itself */
    CF_NOW = 1u << 19,       /* reads only the present: refused at a session's moment */
    /* Reads and writes only keys it names, one commit a key, and only by access.h: what it writes
     * may gather (pending.h). */
    CF_GATHER = 1u << 20,
    CF_DECIDES = 1u << 21, /* whether it writes its text decides: it refuses that itself where
                              writing is refused */
    /* SHORT, and yet tried on a loop: what it reads is often in memory.  It writes nothing. */
    CF_TRY = 1u << 22,
    CF_OF_GRAPH = 1u << 23 /* the key it writes is a graph, whose transactions keep order among
                              themselves: it takes no locks of keys */
};

/* Categories of ACL rules, in Redis' order. */
enum command_category {
    CC_KEYSPACE = 1u << 0,
    CC_READ = 1u << 1,
    CC_WRITE = 1u << 2,
    CC_SET = 1u << 3,
    CC_SORTEDSET = 1u << 4,
    CC_LIST = 1u << 5,
    CC_HASH = 1u << 6,
    CC_STRING = 1u << 7,
    CC_BITMAP = 1u << 8,
    CC_HYPERLOGLOG = 1u << 9,
    CC_GEO = 1u << 10,
    CC_STREAM = 1u << 11,
    CC_PUBSUB = 1u << 12,
    CC_ADMIN = 1u << 13,
    CC_FAST = 1u << 14,
    CC_SLOW = 1u << 15,
    CC_BLOCKING = 1u << 16,
    CC_DANGEROUS = 1u << 17,
    CC_CONNECTION = 1u << 18,
    CC_TRANSACTION = 1u << 19,
    CC_SCRIPTING = 1u << 20,
    CC_HISTORY = 1u << 21, /* ours: tells of the past */
    CC_SERIES = 1u << 22,  /* ours: TS.* */
    CC_GRAPH = 1u << 23    /* ours: GRAPH.* */
};

/* KEY_ANY: told of is whether or what a key is, not its value: any right to it is enough. */
enum key_access { KEY_ANY = 0, KEY_READ = 1, KEY_WRITE = 2, KEY_BOTH = 3 };

/* Keys at first, first + step, ... up to last (negative: from the end).  first 0: none. */
struct key_span {
    int16_t first;
    int16_t last;
    int16_t step;
    uint16_t access;   /* enum key_access */
    const char *flags; /* of COMMAND GETKEYSANDFLAGS: "RW ACCESS UPDATE"; NULL: by access */
};

struct key_position {
    uint32_t index; /* of the argument */
    uint16_t access;
    const char *flags;
};

typedef void command_run_fn(struct call *call);
/* Find the keys where that depends on the arguments; up to `capacity` positions, returns how many
 * there are. */
typedef size_t command_keys_fn(const struct yore_bytes *args, size_t count,
                               struct key_position *keys, size_t capacity);

struct command {
    const char *name; /* lower case */
    uint8_t name_size;
    command_run_fn *run;
    int arity;         /* the command itself counts; negative: at least that many */
    uint32_t flags;    /* enum command_flag */
    uint32_t category; /* beside those that follow from the flags */
    uint8_t pace;      /* enum command_pace */
    struct key_span keys[2];
    command_keys_fn *keys_find;
    const char *since;
    const char *group;  /* of COMMAND DOCS */
    const char *syntax; /* behind the name */
    const char *summary;
};

/* The rows, and how many. */
const struct command *table_rows(size_t *count_out);
/* A row's number: its bit in ACL rules. */
size_t table_index(const struct command *command);
/* All its categories. */
uint32_t table_categories(const struct command *command);
/* "string" -> CC_STRING; 0: unknown.  And the names, in order; NULL at the end. */
uint32_t table_category(struct yore_bytes name);
const char *table_category_name(size_t index);
/* "get" or "client|id"; any case.  NULL: unknown. */
const struct command *table_find(struct yore_bytes name);
/* What `args` call: for a container its subcommand, or the container where the word is unknown. */
const struct command *table_lookup(const struct yore_bytes *args, size_t count);
/* A command of Redis 7.0 that is none of ours: rules may name it, and so grant nothing. */
bool table_is_foreign(struct yore_bytes name);
/* Does `command` stand directly under `container`? */
bool table_is_child(const struct command *container, const struct command *command);
/* The container of a subcommand, or NULL. */
const struct command *table_parent(const struct command *command);
/* The word of a subcommand, the name of others. */
const char *table_word(const struct command *command);
bool table_arity_fits(const struct command *command, size_t count);

/* The keys among `args`, of a request whose arity fits.  Returns how many there are; at most
 * `capacity` are written.  SIZE_MAX: the arguments make no sense, keys cannot be told. */
size_t table_keys(const struct command *command, const struct yore_bytes *args, size_t count,
                  struct key_position *keys, size_t capacity);

#endif
