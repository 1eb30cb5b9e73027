/* info.c -- what INFO tells of connections and of the process. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bolt/server.h"
#include "os/env.h"
#include "os/signal.h"
#include "server/server_internal.h"

__attribute__((format(printf, 2, 3))) static void line(struct buffer *out, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buffer_append(out, text, strlen(text));
    buffer_append(out, "\r\n", 2);
}

static void server_lines(struct server *server, struct buffer *out)
{
    const struct config *config = server->config;
    line(out, "yore_version:%s", yore_version());
    line(out, "config_file:%s", config->file != NULL ? config->file : "");
    line(out, "io_threads_active:%d", config->io_threads > 1);
    line(out, "io_threads:%" PRIu64, config->io_threads);
    line(out, "workers:%" PRIu64, config->workers);
    line(out, "http_port:%u", (unsigned)server->http_port);
    line(out, "tls_port:%u", (unsigned)server->tls_port);
    line(out, "bolt_port:%u", (unsigned)server->bolt_port);
}

void info_lines(void *arg, const char *section, struct buffer *out)
{
    struct server *server = arg;
    if (server->net == NULL) {
        return; /* it is still starting, or ending */
    }
    struct net_stats stats;
    net_stats(server->net, &stats);
    struct bolt_stats bolt;
    bolt_server_stats(server->bolt, &bolt);
    if (strcmp(section, "server") == 0) {
        server_lines(server, out);
    } else if (strcmp(section, "clients") == 0) {
        line(out, "maxclients:%" PRIu64, server->config->maxclients);
        line(out, "client_buffers_bytes:%" PRIu64, stats.buffer_bytes);
        line(out, "client_buffers_bytes_peak:%" PRIu64, stats.buffer_bytes_peak);
        line(out, "clients_evicted:%" PRIu64, stats.evicted);
        line(out, "clients_stalled:%" PRIu64, stats.stalled);
        line(out, "bolt_clients:%" PRIu64, bolt.sessions);
    } else if (strcmp(section, "stats") == 0) {
        line(out, "rejected_connections:%" PRIu64, stats.refused);
        line(out, "total_net_input_bytes:%" PRIu64, stats.received_bytes);
        line(out, "total_net_output_bytes:%" PRIu64, stats.sent_bytes);
        line(out, "jobs:%" PRIu64, stats.jobs);
        line(out, "job_turns:%" PRIu64, stats.job_turns);
        line(out, "backpressure_events:%" PRIu64, stats.backpressure);
        line(out, "bolt_requests:%" PRIu64, bolt.requests);
        line(out, "bolt_failures:%" PRIu64, bolt.failures);
        line(out, "bolt_statements:%" PRIu64, bolt.statements);
        line(out, "bolt_rows:%" PRIu64, bolt.rows);
    }
}
