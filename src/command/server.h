/* server.h -- what all connections share.
 *
 * Locks of this layer, in the order they are taken:
 *   1  stripes[0..63]  writes of a key (access.h), ascending
 *   2  settings_lock   reading and changing settings (setters may take those below)
 *   3  acl.lock        users and their rules
 *   4  clients_lock    the list of clients
 *   5  watch_lock, pubsub_lock, feed_lock, scan_lock, slow_lock, latency_lock, pending_lock,
 *      backoff.lock, a client's lock: one at a time
 * The port may be called under any of them.  No lock is held while a password is checked. */
#ifndef YORE_COMMAND_SERVER_H
#define YORE_COMMAND_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "command/access.h"
#include "command/acl.h"
#include "command/backoff.h"
#include "command/client.h"
#include "command/command.h"
#include "command/durations.h"
#include "command/latency.h"
#include "command/limits.h"
#include "command/name_map.h"
#include "command/pubsub.h"
#include "command/scan.h"
#include "command/slowlog.h"
#include "os/env.h"
#include "os/thread.h"

/* What tools that ask for a Redis are told: the version whose commands these are. */
#define SERVER_COMPATIBLE_VERSION "7.0.15"

struct graph_pool;
struct query_cache;

/* What is counted of one row of the table. */
struct command_stat {
    _Atomic uint64_t calls;
    _Atomic uint64_t time_ns;
    _Atomic uint64_t rejected;
    _Atomic uint64_t failed;
};

/* What is counted of one code of errors ("ERR", "WRONGTYPE"). */
#define ERROR_CODES_MAX 128u
#define ERROR_CODE_BYTES 32u
struct error_stat {
    char code[ERROR_CODE_BYTES];
    uint64_t count;
};

struct server_stats {
    _Atomic uint64_t connections;
    _Atomic uint64_t commands;
    _Atomic uint64_t changes; /* keys written */
    _Atomic uint64_t errors;
    _Atomic uint64_t hits;
    _Atomic uint64_t misses;
    _Atomic uint64_t expired;
    _Atomic uint64_t published;
    _Atomic uint64_t denied_login;
    _Atomic uint64_t denied_command;
    _Atomic uint64_t denied_key;
    _Atomic uint64_t denied_channel;
    /* The rate of commands, sampled by the tick. */
    _Atomic uint64_t rate;
    uint64_t rate_commands;
    int64_t rate_ns;
};

struct command_server {
    struct command_options options;
    struct yore_db *db;
    struct os_env *env;
    int64_t started_ns; /* monotonic */
    char run_id[41];

    struct database *all_databases;
    _Atomic(struct database *) databases[DATABASES_MAX]; /* changed with every stripe held */
    _Atomic bool has_swapped; /* which database is which keyspace depends on the moment */
    uint32_t database_count;
    struct yore_keyspace *state;   /* "server": which database is which keyspace, series */
    struct yore_keyspace *expiry;  /* "server.expiry" */
    struct os_mutex keyspace_lock; /* making one */
    struct os_mutex stripes[WRITE_STRIPES];
    struct os_mutex pending_lock;
    struct pending *idle_pending;   /* pending_lock: those that no job uses */
    _Atomic bool has_active_expiry; /* DEBUG SET-ACTIVE-EXPIRE */

    struct os_mutex clients_lock;
    struct client *clients;
    _Atomic uint32_t client_count;
    _Atomic uint64_t next_client;
    _Atomic uint32_t monitor_count;
    _Atomic int64_t pause_until_ns; /* monotonic; INT64_MIN: no pause */
    _Atomic bool pause_writes_only;

    struct os_mutex watch_lock;
    struct name_map watched; /* watched keys */
    _Atomic uint32_t watched_count;

    struct pubsub pubsub;
    _Atomic uint32_t notify; /* enum event_class */

    struct graph_pool *graphs;
    struct query_cache *queries;
    struct query_cache *compact_queries; /* of GRAPH.QUERY --compact (graph_names.h) */
    _Atomic int64_t query_time_ms;       /* budgets of a statement */
    _Atomic int64_t query_memory_bytes;

    struct os_mutex settings_lock;
    struct name_map settings;

    struct acl acl;
    uint64_t seed; /* of tables whose names clients choose */
    struct backoff backoff;
    struct scan_table scans;
    struct slowlog slowlog;
    struct latency latency;

    struct command_stat *command_stats; /* by table_index() */
    struct durations durations[DURATION_CLASSES];
    _Atomic uint64_t statement_ns; /* of command_note_statement() */
    struct os_mutex errors_lock;
    struct error_stat errors[ERROR_CODES_MAX];
    uint32_t error_count;
    struct server_stats stats;

    struct os_mutex feed_lock;
    struct client *feeds; /* clients with a YORE.WATCH */
};

/* Monotonic now, microseconds of real time for TIME and logs. */
int64_t server_monotonic_ns(struct command_server *server);
/* Count an error reply by its code ("ERR text"). */
void server_count_error(struct command_server *server, struct yore_bytes text);

#endif
