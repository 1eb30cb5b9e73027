#include "bolt/server.h"

#include "base/mem.h"
#include "bolt/session_internal.h"
#include "os/env.h"

enum yore_status bolt_server_new(const struct bolt_options *options,
                                 struct bolt_server **server_out)
{
    struct bolt_server *server = mem_zalloc(sizeof(*server));
    *server_out = server;
    if (server == NULL) {
        return YORE_NOMEM;
    }
    server->options = *options;
    os_mutex_init(&server->lock);
    return YORE_OK;
}

/* End what closed sessions left behind. */
static void bury(struct bolt_server *server)
{
    os_mutex_lock(&server->lock);
    struct bolt_session *gone = server->gone;
    server->gone = NULL;
    os_mutex_unlock(&server->lock);
    while (gone != NULL) {
        struct bolt_session *next = gone->behind;
        session_destroy(gone);
        gone = next;
    }
}

void bolt_server_free(struct bolt_server *server)
{
    if (server == NULL) {
        return;
    }
    bury(server);
    os_mutex_release(&server->lock);
    mem_free(server);
}

/* A NOOP for every session whose request has waited, or run, for long. */
static void keep_alive(struct bolt_server *server, int64_t now)
{
    static const unsigned char noop[2] = {0, 0};
    const struct bolt_port *port = &server->options.port;
    os_mutex_lock(&server->lock);
    for (struct bolt_session *at = server->sessions; at != NULL; at = at->behind) {
        int64_t since = atomic_load_explicit(&at->waiting_ns, memory_order_relaxed);
        int64_t last = at->told_ns > since ? at->told_ns : since;
        if (since != 0 && now - last >= server->options.keep_alive_ns) {
            at->told_ns = now;
            port->send_now(port->arg, at->conn, bytes_of(noop, sizeof(noop)));
        }
    }
    os_mutex_unlock(&server->lock);
}

int64_t bolt_server_tick(struct bolt_server *server)
{
    bury(server);
    keep_alive(server, os_monotonic_ns(os_env_posix()));
    return server->options.keep_alive_ns / 4;
}

void bolt_server_stats(struct bolt_server *server, struct bolt_stats *stats_out)
{
    *stats_out = (struct bolt_stats){
        .sessions = atomic_load_explicit(&server->session_count, memory_order_relaxed),
        .transactions = atomic_load_explicit(&server->transactions, memory_order_relaxed),
        .requests = atomic_load_explicit(&server->requests, memory_order_relaxed),
        .failures = atomic_load_explicit(&server->failures, memory_order_relaxed),
        .statements = atomic_load_explicit(&server->statements, memory_order_relaxed),
        .rows = atomic_load_explicit(&server->rows, memory_order_relaxed),
        .interrupted = atomic_load_explicit(&server->interrupted, memory_order_relaxed)};
}
