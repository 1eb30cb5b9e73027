#include "server/server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bolt/server.h"
#include "net/limits.h"
#include "os/env.h"
#include "os/signal.h"
#include "os/socket.h"
#include "server/bolt.h"
#include "server/http.h"
#include "server/limits.h"
#include "server/peer.h"
#include "server/server_internal.h"
#include "server/settler.h"

#define SIGNAL_WAIT_NS 1000000000
#define SIGNAL_ECHO_NS 1000000000 /* two within so long are one */

/* ---- the directory ----------------------------------------------------------------------------
 */

void server_default_dir(struct buffer *path)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    if (data != NULL && *data == '/') {
        buffer_append(path, data, strlen(data));
        buffer_append(path, "/yore", 5);
    } else if (home != NULL && *home == '/') {
        buffer_append(path, home, strlen(home));
        buffer_append(path, "/.local/share/yore", 18);
    } else {
        buffer_append(path, "/var/lib/yore", 13);
    }
}

/* Make `path` and the directories above it that are missing. */
static enum yore_status make_dirs(struct os_env *env, const char *path,
                                  struct yore_error *error_out)
{
    char *part = mem_copy(path, strlen(path) + 1);
    enum yore_status status = part != NULL ? YORE_OK : error_plain(error_out, YORE_NOMEM);
    for (size_t i = 1; status == YORE_OK && i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        part[i] = '\0';
        status = os_dir_make(env, part, error_out);
        status = status == YORE_EXISTS ? YORE_OK : status;
        part[i] = path[i];
    }
    mem_free(part);
    return status;
}

static enum yore_status choose_dir(struct server *server, struct yore_error *error_out)
{
    struct config *config = server->config;
    if (*config->dir == '\0') {
        struct buffer path = {0};
        server_default_dir(&path);
        enum yore_status status = path.is_nomem
                                      ? error_plain(error_out, YORE_NOMEM)
                                      : config_set(config, config_find("dir"), buffer_bytes(&path),
                                                   CONFIG_DEFAULT, error_out);
        buffer_release(&path);
        if (status != YORE_OK) {
            return status;
        }
    }
    return make_dirs(server->env, config->dir, error_out);
}

/* ---- starting ---------------------------------------------------------------------------------
 */

static void on_event(void *arg, const struct yore_event *event)
{
    struct server *server = arg;
    bool is_loud = event->kind == YORE_EVENT_FAILED || event->kind == YORE_EVENT_CLOCK_JUMP ||
                   (event->kind == YORE_EVENT_STALL && event->is_begin);
    bool is_news = event->kind == YORE_EVENT_RECOVERY || event->kind == YORE_EVENT_RETENTION ||
                   event->kind == YORE_EVENT_ERASE;
    enum log_level level = event->kind == YORE_EVENT_FAILED ? LOG_ERROR
                           : is_loud                        ? LOG_WARN
                           : is_news                        ? LOG_INFO
                                                            : LOG_DEBUG;
    char took[32];
    if (event->kind == YORE_EVENT_FAILED) {
        atomic_store(&server->has_failed, true); /* with the loads of /readyz and /metrics */
    }
    snprintf(took, sizeof(took), "%" PRIu64, event->duration_us);
    struct log_field fields[] = {{"event", event->text}, {"duration_us", took}};
    log_fields(server->log, level, event->is_begin ? "engine begins" : "engine", fields, 2);
}

static enum yore_status open_database(struct server *server, struct yore_error *error_out)
{
    const struct config *config = server->config;
    struct yore_options options;
    yore_options_init(&options);
    options.durability = config->durability == CONFIG_SYNC       ? YORE_DURABILITY_SYNC
                         : config->durability == CONFIG_INTERVAL ? YORE_DURABILITY_INTERVAL
                                                                 : YORE_DURABILITY_NONE;
    options.interval_ms = (uint32_t)(config->sync_interval / 1000000);
    options.cache_bytes = config->cache;
    options.memtable_bytes = config->memtable;
    options.on_event = on_event;
    options.event_arg = server;
    return yore_open(config->dir, &options, &server->db, error_out);
}

static void on_push(void *arg, void *conn, struct yore_bytes bytes)
{
    const struct peer *peer = conn;
    (void)arg;
    if (peer->is_http) {
        http_push(peer->conn, bytes);
    } else {
        net_conn_push(peer->conn, bytes);
    }
}

static void on_close(void *arg, void *conn, bool is_gentle)
{
    const struct peer *peer = conn;
    (void)arg;
    net_conn_close(peer->conn, is_gentle);
}

static bool is_gone(void *arg, void *conn)
{
    const struct peer *peer = conn;
    (void)arg;
    return net_conn_is_gone(peer->conn);
}

static void on_wake(void *arg, void *conn)
{
    const struct peer *peer = conn;
    (void)arg;
    net_conn_wake(peer->conn);
}

static void on_shutdown(void *arg)
{
    struct server *server = arg;
    atomic_store(&server->wants_end, true); /* with the load in serve() */
    os_signal_wake();
}

static enum yore_status start_commands(struct server *server, struct yore_error *error_out)
{
    const struct config *config = server->config;
    struct command_options options = {
        .db = server->db,
        .durability = config->durability == CONFIG_SYNC       ? YORE_DURABILITY_SYNC
                      : config->durability == CONFIG_INTERVAL ? YORE_DURABILITY_INTERVAL
                                                              : YORE_DURABILITY_NONE,
        .port = {server, on_push, on_close, is_gone, on_wake, on_shutdown, own_settings_rewrite,
                 listen_admit_all, info_lines},
        .path = config->dir,
        .databases = (uint16_t)config->databases,
        .tcp_port = config->port == CONFIG_PORT_ANY ? 0 : (uint16_t)config->port,
        .process_id = os_process_id(),
        .has_debug_commands = config->enable_debug_command,
        .backup_path = *config->backup_dir != '\0' ? config->backup_dir : NULL,
        .aclfile = *config->aclfile != '\0' ? config->aclfile : NULL};
    enum yore_status status = command_server_new(&options, &server->commands, error_out);
    if (status == YORE_OK) {
        status = own_settings_add(server, error_out);
    }
    return status == YORE_OK ? own_settings_hand_on(server, error_out) : status;
}

/* Both layers' work that comes due; when they want to be called again. */
static int64_t tick(struct server *server)
{
    int64_t commands = command_tick(server->commands);
    int64_t bolt = bolt_server_tick(server->bolt);
    return commands < bolt ? commands : bolt;
}

static void tick_run(void *arg)
{
    struct server *server = arg;
    os_mutex_lock(&server->tick_lock);
    while (!server->is_ending) {
        os_mutex_unlock(&server->tick_lock);
        int64_t pause = tick(server);
        pause = pause < 1000000 ? 1000000 : pause > 1000000000 ? 1000000000 : pause;
        os_mutex_lock(&server->tick_lock);
        if (!server->is_ending) {
            os_cond_wait_for(&server->tick_wake, &server->tick_lock, pause);
        }
    }
    os_mutex_unlock(&server->tick_lock);
}

static enum yore_status start_net(struct server *server, struct yore_error *error_out)
{
    const struct config *config = server->config;
    server->scope.commands = server->commands;
    server->scope.log = server->log;
    server->scope.audit = server->audit;
    server->scope.server = server;
    server->scope.hosts = config->http_hosts;
    server->scope.allows_compat = config->http_compat_writes;
    uint64_t files = os_descriptors_raise(config->maxclients + DESCRIPTORS_RESERVED);
    if (files < config->maxclients + DESCRIPTORS_RESERVED) {
        log_text(server->log, LOG_WARN,
                 "fewer files may be open than maxclients needs: raise the limit (ulimit -n)");
    }
    bool is_synced = config->durability == CONFIG_SYNC;
    struct net_options options = {.loops = (unsigned)config->io_threads,
                                  .workers = (unsigned)config->workers,
                                  .jobs_ahead = is_synced ? 0 : NET_JOBS_AHEAD,
                                  .long_workers = (unsigned)config->long_workers,
                                  .login_workers = (unsigned)config->login_workers,
                                  .clients_max = (unsigned)config->maxclients,
                                  .buffer_bytes_max = config->client_buffers,
                                  .stall_ns = config->output_timeout};
    session_jobs_init(&options.jobs, &server->scope);
    return net_start(&options, &server->net, error_out);
}

/* ---- telling ----------------------------------------------------------------------------------
 */

static void print_banner(struct server *server)
{
    const struct config *config = server->config;
    FILE *out = server->out;
    static const char *const durabilities[] = {"every acknowledged write is on stable storage",
                                               "at a power cut up to sync-interval may be lost",
                                               "at a power cut what was written last may be lost"};
    fprintf(out, "yore %s  PID: %u\n", yore_version(), (unsigned)os_process_id());
    fprintf(out, "data       %s\n", config->dir);
    fprintf(out, "durability %s\n", durabilities[config->durability]);
    if (server->port != 0) {
        fprintf(out, "redis      %s port %u\n", config->bind, (unsigned)server->port);
    }
    if (server->tls_port != 0) {
        fprintf(out, "redis tls  %s port %u\n", config->bind, (unsigned)server->tls_port);
    }
    if (server->http_port != 0) {
        const char *hosts = *config->http_bind != '\0' ? config->http_bind : config->bind;
        fprintf(out, "http       %s port %u%s\n", hosts, (unsigned)server->http_port,
                config->http_tls ? " (tls)" : "");
    }
    if (server->bolt_port != 0) {
        fprintf(out, "bolt       %s port %u%s\n", config->bind, (unsigned)server->bolt_port,
                config->bolt_tls ? " (tls)" : "");
    }
    if (*config->unixsocket != '\0') {
        fprintf(out, "socket     %s\n", config->unixsocket);
    }
    if (server->port != 0) {
        fprintf(out,
                "try        redis-cli -p %u set greeting hello\n"
                "           redis-cli -p %u yore.timeline greeting\n"
                "           redis-cli -p %u yore.get greeting at -1m\n",
                (unsigned)server->port, (unsigned)server->port, (unsigned)server->port);
    }
    fprintf(out, "Ready to accept connections\n");
    fflush(out);
}

static enum yore_status write_pidfile(struct server *server, struct yore_error *error_out)
{
    const char *path = server->config->pidfile;
    if (*path == '\0') {
        return YORE_OK;
    }
    FILE *file = fopen(path, "w");
    server->has_pidfile = file != NULL;
    bool is_good = file != NULL && fprintf(file, "%u\n", (unsigned)os_process_id()) > 0;
    if (file != NULL) {
        is_good = fclose(file) == 0 && is_good;
    }
    return is_good ? YORE_OK : error_set(error_out, YORE_IO, "cannot write the pidfile %s", path);
}

/* ---- running and ending ------------------------------------------------------------------------
 */

/* One of what SIGHUP reads again; the others are read whatever becomes of it. */
static bool is_reloaded(struct server *server, const char *what, enum yore_status status,
                        const struct yore_error *error)
{
    const struct log_field fields[] = {{"what", what}, {"cause", error->text}};
    if (status != YORE_OK) {
        log_fields(server->log, LOG_ERROR, "could not be reloaded; the old stays", fields, 2);
    }
    return status == YORE_OK;
}

static void reload(struct server *server)
{
    struct yore_error error = {0};
    bool is_whole = is_reloaded(server, "logfile", log_reopen(server->log, &error), &error);
    if (server->audit != NULL) {
        is_whole &= is_reloaded(server, "audit-log", log_reopen(server->audit, &error), &error);
    }
    if (*server->config->aclfile != '\0') {
        is_whole &=
            is_reloaded(server, "users", command_users_load(server->commands, &error), &error);
    }
    if (server->tls != NULL) {
        struct tls_files files;
        tls_files_of(server->config, &files);
        is_whole &= is_reloaded(server, "certificates", net_tls_reload(server->tls, &files, &error),
                                &error);
    }
    if (is_whole) {
        log_text(server->log, LOG_INFO, "reloaded");
    }
}

static void serve(struct server *server)
{
    while (!atomic_load(&server->wants_end)) { /* with the store in on_shutdown() */
        switch (os_signal_next(SIGNAL_WAIT_NS)) {
        case OS_SIGNAL_END:
            return;
        case OS_SIGNAL_RELOAD:
            os_service_tell("RELOADING=1");
            reload(server);
            os_service_tell("READY=1");
            break;
        default:
            break;
        }
    }
}

static void stop_ticker(struct server *server)
{
    if (server->ticker == NULL) {
        return;
    }
    os_mutex_lock(&server->tick_lock);
    server->is_ending = true;
    os_cond_broadcast(&server->tick_wake);
    os_mutex_unlock(&server->tick_lock);
    os_thread_join(server->ticker);
}

static enum yore_status server_start(struct server *server, struct yore_error *error_out)
{
    enum yore_status status = start_check(server->config, server->env, error_out);
    if (status == YORE_OK) {
        status = choose_dir(server, error_out);
    }
    if (status == YORE_OK) {
        status = log_open(server->env, server->config->logfile, &server->log, error_out);
    }
    if (status != YORE_OK) {
        return status;
    }
    own_settings_apply(server);
    if (*server->config->audit_log != '\0') {
        status = log_open(server->env, server->config->audit_log, &server->audit, error_out);
        if (status != YORE_OK) {
            return status;
        }
        log_set(server->audit, LOG_INFO, (enum log_format)server->config->log_format);
        status = log_chain(server->audit, error_out);
        if (status != YORE_OK) {
            return status;
        }
    }
    status = open_database(server, error_out);
    if (status == YORE_OK) {
        status = start_commands(server, error_out);
    }
    if (status == YORE_OK) {
        status = listen_check(server, error_out);
    }
    if (status == YORE_OK) {
        status = bolt_start(server, error_out);
    }
    if (status == YORE_OK) {
        status = start_net(server, error_out);
    }
    if (status == YORE_OK) {
        status = os_thread_start(tick_run, server, "yore-tick", &server->ticker, error_out);
    }
    if (status == YORE_OK && server->config->graph_settle_interval > 0) {
        status = settler_start(server->db, command_graphs(server->commands), server->log,
                               server->config->graph_settle_interval, &server->settler, error_out);
    }
    if (status == YORE_OK) {
        status = listen_all(server, error_out);
    }
    return status == YORE_OK ? write_pidfile(server, error_out) : status;
}

/* Whoever asks twice means now; what comes at once is the same request by another way, as of a
 * terminal and of a program that passes it on. */
static bool is_told_again(void *arg)
{
    const struct server *server = arg;
    return os_signal_next(0) == OS_SIGNAL_END &&
           os_monotonic_ns(server->env) - server->ending_ns > SIGNAL_ECHO_NS;
}

/* Everything back, in reverse; the first error wins. */
static enum yore_status server_stop(struct server *server, enum yore_status status,
                                    struct yore_error *error_out)
{
    struct net *net = server->net;
    server->ending_ns = os_monotonic_ns(server->env);
    net_stop(net, server->config->drain_timeout, is_told_again, server);
    server->net = NULL;
    stop_ticker(server);
    settler_stop(server->settler);
    bolt_server_free(server->bolt); /* it looks into what the commands share */
    command_server_free(server->commands);
    net_tls_free(server->tls);
    struct yore_error cause = {0};
    enum yore_status closed = server->db != NULL ? yore_close(server->db, &cause) : YORE_OK;
    if (status == YORE_OK && closed != YORE_OK) {
        status = closed;
        if (error_out != NULL) {
            *error_out = cause;
        }
    }
    if (server->log != NULL) {
        log_text(server->log, LOG_INFO, "ended");
    }
    log_close(server->log);
    log_close(server->audit);
    own_settings_release(server);
    if (server->has_pidfile) {
        os_path_unlink(server->env, server->config->pidfile, NULL);
    }
    if (server->has_socket) {
        os_path_unlink(server->env, server->config->unixsocket, NULL);
    }
    return status;
}

static struct server *server_new(struct config *config, FILE *out)
{
    struct server *server = mem_zalloc(sizeof(*server));
    if (server != NULL) {
        server->config = config;
        server->env = os_env_posix();
        server->out = out;
        server->started_ns = os_wall_ns(server->env);
        os_mutex_init(&server->tick_lock);
        os_cond_init(&server->tick_wake);
    }
    return server;
}

static void server_free(struct server *server)
{
    os_cond_release(&server->tick_wake);
    os_mutex_release(&server->tick_lock);
    mem_free(server);
}

enum yore_status server_check(struct config *config, struct yore_error *error_out)
{
    struct server *server = server_new(config, NULL);
    if (server == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status status = start_check(config, server->env, error_out);
    if (status == YORE_OK) {
        status = log_open(server->env, "", &server->log, error_out);
    }
    if (status == YORE_OK) {
        status = start_commands(server, error_out); /* without a database */
    }
    if (status == YORE_OK) {
        status = listen_check(server, error_out);
    }
    command_server_free(server->commands);
    log_close(server->log);
    own_settings_release(server);
    server_free(server);
    return status;
}

enum yore_status server_run(struct config *config, FILE *out, struct yore_error *error_out)
{
    struct server *server = server_new(config, out);
    if (server == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    os_signals_hold();
    enum yore_status status = server_start(server, error_out);
    if (status == YORE_OK) {
        atomic_store(&server->is_ready, true);
        print_banner(server);
        log_text(server->log, LOG_INFO, "ready");
        os_service_tell("READY=1");
        serve(server);
        atomic_store(&server->is_ready, false);
        os_service_tell("STOPPING=1");
        log_text(server->log, LOG_INFO, "ending: clients get their last replies");
    }
    status = server_stop(server, status, error_out);
    server_free(server);
    return status;
}
