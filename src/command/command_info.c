/* command_info.c -- INFO: what the server knows of itself, in sections of "field:value". */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command/call.h"
#include "command/commands.h"

struct info {
    struct call *call;
    struct buffer out;
};

static void field(struct info *info, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void field(struct info *info, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t length = size < 0 ? 0 : (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;
    buffer_append(&info->out, text, length);
    buffer_append(&info->out, "\r\n", 2);
}

static unsigned long long load(_Atomic uint64_t *number)
{
    return (unsigned long long)atomic_load_explicit(number, memory_order_relaxed);
}

static void server_section(struct info *info)
{
    struct command_server *server = info->call->server;
    int64_t up = (server_monotonic_ns(server) - server->started_ns) / 1000000000;
    field(info, "redis_version:%s", SERVER_COMPATIBLE_VERSION);
    field(info, "redis_mode:standalone");
    field(info, "yore_version:%s", yore_version());
    field(info, "os:Linux");
    field(info, "arch_bits:%zu", 8 * sizeof(void *));
    field(info, "process_id:%u", server->options.process_id);
    field(info, "run_id:%s", server->run_id);
    field(info, "tcp_port:%u", server->options.tcp_port);
    field(info, "server_time_usec:%lld", (long long)(os_wall_ns(server->env) / 1000));
    field(info, "uptime_in_seconds:%lld", (long long)up);
    field(info, "uptime_in_days:%lld", (long long)(up / 86400));
}

static void clients_section(struct info *info)
{
    struct command_server *server = info->call->server;
    field(info, "connected_clients:%u", atomic_load(&server->client_count));
    field(info, "cluster_connections:0");
    field(info, "blocked_clients:0");
    field(info, "tracking_clients:0");
    field(info, "monitor_clients:%u", atomic_load(&server->monitor_count));
    field(info, "watched_keys:%u", atomic_load(&server->watched_count));
}

/* ---- what the engine counts ---- */

static void engine_stat(void *arg, const struct yore_stat *stat)
{
    struct info *info = arg;
    if (stat->kind == YORE_STAT_HISTOGRAM) {
        field(info, "%s:count=%llu,sum=%llu,p50=%llu,p95=%llu,p99=%llu,max=%llu", stat->name,
              (unsigned long long)stat->value, (unsigned long long)stat->sum,
              (unsigned long long)stat->p50, (unsigned long long)stat->p95,
              (unsigned long long)stat->p99, (unsigned long long)stat->max);
    } else {
        field(info, "%s:%llu", stat->name, (unsigned long long)stat->value);
    }
}

static void engine_section(struct info *info)
{
    yore_stats(info->call->server->db, engine_stat, info);
}

static void find_memory(void *arg, const struct yore_stat *stat)
{
    unsigned long long *bytes = arg;
    if (stat->kind == YORE_STAT_GAUGE && (strcmp(stat->name, "memtable_bytes") == 0 ||
                                          strcmp(stat->name, "cache_used_bytes") == 0)) {
        *bytes += stat->value;
    }
}

static void memory_section(struct info *info)
{
    unsigned long long bytes = 0;
    yore_stats(info->call->server->db, find_memory, &bytes);
    field(info, "used_memory:%llu", bytes);
    field(info, "used_memory_human:%.2fM", (double)bytes / 1048576);
    field(info, "maxmemory:0");
    field(info, "maxmemory_human:0B");
    field(info, "maxmemory_policy:noeviction");
}

static void persistence_section(struct info *info)
{
    static const char *const words[] = {"sync", "sync", "interval", "none"};
    field(info, "loading:0");
    field(info, "durability:%s", words[info->call->server->options.durability & 3]);
    field(info, "rdb_changes_since_last_save:%llu", load(&info->call->server->stats.changes));
    field(info, "rdb_bgsave_in_progress:0");
    field(info, "rdb_last_bgsave_status:ok");
    field(info, "aof_enabled:1");
    field(info, "aof_rewrite_in_progress:0");
    field(info, "aof_rewrite_scheduled:0");
    field(info, "aof_last_bgrewrite_status:ok");
    field(info, "aof_last_write_status:ok");
}

static void stats_section(struct info *info)
{
    struct command_server *server = info->call->server;
    struct server_stats *stats = &server->stats;
    struct pubsub *pubsub = &server->pubsub;
    field(info, "total_connections_received:%llu", load(&stats->connections));
    field(info, "total_commands_processed:%llu", load(&stats->commands));
    field(info, "instantaneous_ops_per_sec:%llu", load(&stats->rate));
    field(info, "expired_keys:%llu", load(&stats->expired));
    field(info, "evicted_keys:0");
    field(info, "keyspace_hits:%llu", load(&stats->hits));
    field(info, "keyspace_misses:%llu", load(&stats->misses));
    os_mutex_lock(&pubsub->lock);
    field(info, "pubsub_channels:%zu", pubsub->channels[CHANNEL_PLAIN].count);
    field(info, "pubsub_patterns:%zu", pubsub->channels[CHANNEL_PATTERN].count);
    field(info, "pubsubshard_channels:%zu", pubsub->channels[CHANNEL_SHARD].count);
    os_mutex_unlock(&pubsub->lock);
    field(info, "total_error_replies:%llu", load(&stats->errors));
    field(info, "acl_access_denied_auth:%llu", load(&stats->denied_login));
    field(info, "acl_access_denied_cmd:%llu", load(&stats->denied_command));
    field(info, "acl_access_denied_key:%llu", load(&stats->denied_key));
    field(info, "acl_access_denied_channel:%llu", load(&stats->denied_channel));
}

static void replication_section(struct info *info)
{
    field(info, "role:master");
    field(info, "connected_slaves:0");
    field(info, "master_replid:%s", info->call->server->run_id);
    field(info, "master_repl_offset:0");
}

/* What the process has used; ISO C does not tell the system's part apart. */
static void cpu_section(struct info *info)
{
    field(info, "used_cpu_user:%.6f", (double)clock() / CLOCKS_PER_SEC);
}

static void modules_section(struct info *info)
{
    (void)info;
}

static void commandstats_section(struct info *info)
{
    size_t count;
    const struct command *rows = table_rows(&count);
    for (size_t i = 0; i < count; i++) {
        struct command_stat *stat = &info->call->server->command_stats[i];
        unsigned long long calls = load(&stat->calls);
        unsigned long long us = load(&stat->time_ns) / 1000;
        if (calls + load(&stat->rejected) > 0) {
            field(info,
                  "cmdstat_%s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,"
                  "failed_calls=%llu",
                  rows[i].name, calls, us, calls > 0 ? (double)us / (double)calls : 0.0,
                  load(&stat->rejected), load(&stat->failed));
        }
    }
}

static void errorstats_section(struct info *info)
{
    struct command_server *server = info->call->server;
    os_mutex_lock(&server->errors_lock);
    for (uint32_t i = 0; i < server->error_count; i++) {
        field(info, "errorstat_%s:count=%llu", server->errors[i].code,
              (unsigned long long)server->errors[i].count);
    }
    os_mutex_unlock(&server->errors_lock);
}

static void cluster_section(struct info *info)
{
    field(info, "cluster_enabled:0");
}

static void keyspace_section(struct info *info)
{
    struct command_server *server = info->call->server;
    for (uint32_t i = 0; i < server->database_count; i++) {
        const struct database *database = atomic_load(&server->databases[i]);
        long long count = (long long)atomic_load(&database->count);
        if (count > 0) {
            field(info, "db%u:keys=%lld,expires=%lld,avg_ttl=0", i, count,
                  (long long)atomic_load(&database->expires));
        }
    }
}

enum section_set { IN_DEFAULT = 1, IN_ALL = 2, IN_EVERYTHING = 4 };

static const struct {
    const char *name; /* as its head shows it */
    void (*tell)(struct info *info);
    unsigned sets;
} sections[] = {{"Server", server_section, 7},
                {"Clients", clients_section, 7},
                {"Memory", memory_section, 7},
                {"Persistence", persistence_section, 7},
                {"Stats", stats_section, 7},
                {"Replication", replication_section, 7},
                {"CPU", cpu_section, 7},
                {"Modules", modules_section, 5},
                {"Commandstats", commandstats_section, 6},
                {"Errorstats", errorstats_section, 7},
                {"Cluster", cluster_section, 7},
                {"Keyspace", keyspace_section, 7},
                {"Engine", engine_section, 6}};

static bool is_wanted(const struct call *call, size_t section)
{
    if (call->count == 1) {
        return (sections[section].sets & IN_DEFAULT) != 0;
    }
    for (size_t i = 1; i < call->count; i++) {
        unsigned sets = call_is(call, i, "default")      ? IN_DEFAULT
                        : call_is(call, i, "all")        ? IN_ALL
                        : call_is(call, i, "everything") ? IN_EVERYTHING
                                                         : 0;
        if ((sections[section].sets & sets) != 0 || call_is(call, i, sections[section].name)) {
            return true;
        }
    }
    return false;
}

void cmd_info(struct call *call)
{
    struct info info = {.call = call};
    const struct command_port *port = &call->server->options.port;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        char lower[32];
        if (!is_wanted(call, i)) {
            continue;
        }
        size_t length = strlen(sections[i].name);
        for (size_t k = 0; k <= length; k++) {
            char c = sections[i].name[k];
            lower[k] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        if (info.out.size > 0) {
            buffer_append(&info.out, "\r\n", 2);
        }
        field(&info, "# %s", sections[i].name);
        sections[i].tell(&info);
        if (port->info != NULL) {
            port->info(port->arg, lower, &info.out);
        }
    }
    if (info.out.is_nomem) {
        call_nomem(call);
    } else {
        reply_verbatim(call->reply, "txt", buffer_bytes(&info.out));
    }
    buffer_release(&info.out);
}
