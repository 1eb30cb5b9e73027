/* server.c -- making and ending what all connections share. */
#include "command/server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command/expiry.h"
#include "command/graph_names.h"
#include "command/pending.h"
#include "command/settings.h"
#include "command/state.h"
#include "command/tick.h"
#include "query/query_cache.h"
#include "topology/graph_pool.h"

#define STATE_KEYSPACE "server"
#define EXPIRY_KEYSPACE "server.expiry"

int64_t server_monotonic_ns(struct command_server *server)
{
    return os_monotonic_ns(server->env);
}

void server_count_error(struct command_server *server, struct yore_bytes text)
{
    const char *at = text.data;
    char code[ERROR_CODE_BYTES] = "";
    size_t size = 0;
    while (size + 1 < sizeof code && size < text.size && at[size] != ' ' && at[size] != '\r') {
        code[size] = at[size];
        size++;
    }
    atomic_fetch_add_explicit(&server->stats.errors, 1, memory_order_relaxed);
    os_mutex_lock(&server->errors_lock);
    uint32_t i = 0;
    while (i < server->error_count && strcmp(server->errors[i].code, code) != 0) {
        i++;
    }
    if (i == server->error_count && i < ERROR_CODES_MAX) {
        memcpy(server->errors[i].code, code, sizeof code);
        server->errors[i].count = 0;
        server->error_count++;
    }
    if (i < ERROR_CODES_MAX) {
        server->errors[i].count++;
    }
    os_mutex_unlock(&server->errors_lock);
}

/* ---- databases ---- */

static enum yore_status open_keyspace(struct command_server *server, const char *name,
                                      const struct yore_keyspace_options *options,
                                      struct yore_keyspace **keyspace_out,
                                      struct yore_error *error_out)
{
    enum yore_status st = yore_keyspace_open(server->db, name, NULL, keyspace_out, error_out);
    return st != YORE_NOT_FOUND
               ? st
               : yore_keyspace_create(server->db, name, options, keyspace_out, error_out);
}

/* The databases in their first order; those that were written before have their keyspace. */
static enum yore_status make_databases(struct command_server *server, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    server->all_databases = mem_array(server->database_count, sizeof *server->all_databases);
    if (server->all_databases == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    for (uint32_t i = 0; i < server->database_count && st == YORE_OK; i++) {
        struct database *database = &server->all_databases[i];
        struct yore_keyspace *keyspace = NULL;
        if (i == 0) {
            snprintf(database->name, sizeof database->name, "default");
        } else {
            snprintf(database->name, sizeof database->name, "db%u", i);
        }
        st = yore_keyspace_open(server->db, database->name, NULL, &keyspace, error_out);
        atomic_init(&database->keyspace, st == YORE_OK ? keyspace : NULL);
        atomic_init(&server->databases[i], database);
        st = st == YORE_NOT_FOUND ? YORE_OK : st;
    }
    return st;
}

static enum yore_status open_databases(struct command_server *server, struct yore_error *error_out)
{
    struct yore_keyspace_options only_now = {.keep = YORE_KEEP_NOW};
    enum yore_status st = open_keyspace(server, STATE_KEYSPACE, NULL, &server->state, error_out);
    if (st == YORE_OK) {
        st = open_keyspace(server, EXPIRY_KEYSPACE, &only_now, &server->expiry, error_out);
    }
    if (st == YORE_OK) {
        st = make_databases(server, error_out);
    }
    if (st == YORE_OK) {
        st = state_load_databases(server, error_out);
    }
    return st == YORE_OK ? expiry_recover(server, error_out) : st;
}

/* ---- making and ending ---- */

static void init_locks(struct command_server *server)
{
    for (size_t i = 0; i < WRITE_STRIPES; i++) {
        os_mutex_init(&server->stripes[i]);
    }
    os_mutex_init(&server->keyspace_lock);
    os_mutex_init(&server->pending_lock);
    os_mutex_init(&server->clients_lock);
    os_mutex_init(&server->watch_lock);
    os_mutex_init(&server->pubsub.lock);
    os_mutex_init(&server->settings_lock);
    os_mutex_init(&server->errors_lock);
    os_mutex_init(&server->feed_lock);
    backoff_init(&server->backoff, os_random_u64(server->env));
    slowlog_init(&server->slowlog);
    scan_table_init(&server->scans);
    atomic_init(&server->has_active_expiry, true);
    atomic_init(&server->pause_until_ns, INT64_MIN);
}

static void make_run_id(struct command_server *server)
{
    for (int i = 0; i < 40; i += 8) {
        snprintf(server->run_id + i, 9, "%08x", (unsigned)os_random_u64(server->env));
    }
}

static enum yore_status make_parts(struct command_server *server, struct yore_error *error_out)
{
    size_t count;
    table_rows(&count);
    server->command_stats = mem_array(count, sizeof *server->command_stats);
    enum yore_status st = server->command_stats != NULL ? YORE_OK : YORE_NOMEM;
    if (st == YORE_OK) {
        st = latency_init(&server->latency);
    }
    if (st == YORE_OK) {
        st = graph_pool_new(server->db, &server->graphs);
    }
    if (st == YORE_OK) {
        st = query_cache_new(NULL, &server->queries);
    }
    if (st == YORE_OK) {
        st = query_cache_new(&graph_names_procedures, &server->compact_queries);
    }
    if (st != YORE_OK) {
        return error_plain(error_out, st);
    }
    st = settings_init(server, error_out);
    return st == YORE_OK ? acl_init(server, error_out) : st;
}

enum yore_status command_server_new(const struct command_options *options,
                                    struct command_server **server_out,
                                    struct yore_error *error_out)
{
    struct command_server *server = mem_zalloc(sizeof *server);
    *server_out = NULL;
    if (server == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    server->options = *options;
    server->db = options->db;
    server->env = os_env_posix();
    server->database_count = options->databases == 0 ? DATABASES_DEFAULT : options->databases;
    server->query_time_ms = GRAPH_QUERY_TIME_MS_DEFAULT;
    server->query_memory_bytes = GRAPH_QUERY_MEMORY_BYTES_DEFAULT;
    init_locks(server);
    enum yore_status st = YORE_OK;
    if (server->database_count > DATABASES_MAX) {
        st = error_set(error_out, YORE_INVALID, "%u databases are asked for: 1 to %u can be",
                       server->database_count, DATABASES_MAX);
    }
    server->started_ns = server_monotonic_ns(server);
    make_run_id(server);
    server->seed = os_random_u64(server->env);
    server->watched.seed = server->seed;
    for (int i = 0; i < 3; i++) {
        server->pubsub.channels[i].seed = server->seed;
    }
    if (st == YORE_OK) {
        st = make_parts(server, error_out);
    }
    if (st == YORE_OK && server->db != NULL) {
        st = open_databases(server, error_out);
    }
    if (st != YORE_OK) {
        server->expiry = NULL; /* nothing to remember */
        command_server_free(server);
        return st;
    }
    *server_out = server;
    return YORE_OK;
}

static void release_locks(struct command_server *server)
{
    for (size_t i = 0; i < WRITE_STRIPES; i++) {
        os_mutex_release(&server->stripes[i]);
    }
    os_mutex_release(&server->keyspace_lock);
    os_mutex_release(&server->pending_lock);
    os_mutex_release(&server->clients_lock);
    os_mutex_release(&server->watch_lock);
    os_mutex_release(&server->pubsub.lock);
    os_mutex_release(&server->settings_lock);
    os_mutex_release(&server->errors_lock);
    os_mutex_release(&server->feed_lock);
    backoff_release(&server->backoff);
}

void command_server_free(struct command_server *server)
{
    struct yore_error error;
    if (server == NULL) {
        return;
    }
    if (server->expiry != NULL) {
        /* Without the counts the next opening counts anew: slower, and as right. */
        enum yore_status st = expiry_save(server, &error);
        (void)st;
    }
    pending_free_all(server);
    query_cache_free(server->queries);
    query_cache_free(server->compact_queries);
    graph_pool_free(server->graphs);
    acl_release(&server->acl);
    settings_release(server);
    scan_table_release(&server->scans);
    latency_release(&server->latency);
    slowlog_release(&server->slowlog);
    name_map_release(&server->watched);
    for (int i = 0; i < 3; i++) {
        name_map_release(&server->pubsub.channels[i]);
    }
    mem_free(server->command_stats);
    mem_free(server->all_databases);
    release_locks(server);
    mem_free(server);
}

struct graph_pool *command_graphs(struct command_server *server)
{
    return server->graphs;
}

struct query_cache *command_queries(struct command_server *server)
{
    return server->queries;
}

void command_query_limits(struct command_server *server, uint64_t *time_ns_out,
                          uint64_t *memory_bytes_out)
{
    *time_ns_out = (uint64_t)atomic_load(&server->query_time_ms) * 1000000;
    *memory_bytes_out = (uint64_t)atomic_load(&server->query_memory_bytes);
}

bool command_needs_login(struct command_server *server)
{
    struct acl_rules *rules = acl_user_rules(&server->acl, server->acl.default_user);
    bool is_open = acl_rules_admit(rules, "");
    acl_rules_unref(rules);
    return !is_open;
}

uint64_t command_users_version(struct command_server *server)
{
    return atomic_load_explicit(&server->acl.version, memory_order_acquire); /* as acl_refresh() */
}

enum yore_status command_users_load(struct command_server *server, struct yore_error *error_out)
{
    return server->options.aclfile != NULL ? acl_load(server, error_out) : YORE_OK;
}

enum yore_status command_user_set(struct command_server *server, struct yore_bytes name,
                                  const struct yore_bytes *rules, size_t count,
                                  struct yore_error *error_out)
{
    return acl_user_change(server, name, rules, count, error_out);
}

/* ---- the tick ---- */

static void sample_rate(struct command_server *server, int64_t now)
{
    struct server_stats *stats = &server->stats;
    int64_t passed = now - stats->rate_ns;
    if (passed < 1000000000) {
        return;
    }
    uint64_t commands = atomic_load(&stats->commands);
    uint64_t rate = (commands - stats->rate_commands) * 1000 / ((uint64_t)passed / 1000000);
    atomic_store(&stats->rate, rate);
    stats->rate_commands = commands;
    stats->rate_ns = now;
}

int64_t command_tick(struct command_server *server)
{
    int64_t now = server_monotonic_ns(server);
    sample_rate(server, now);
    tick_pause(server, now);
    int64_t wait = expiry_run(server);
    int64_t feed_wait = tick_feeds(server);
    return feed_wait < wait ? feed_wait : wait;
}
