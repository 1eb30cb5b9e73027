#include "server/bolt.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bolt/server.h"
#include "bolt/session.h"
#include "os/env.h"
#include "server/audit.h"
#include "server/log.h"
#include "server/peer.h"
#include "server/server_internal.h"

struct bolt_peer {
    struct peer peer; /* first: the command layer names us by it */
    struct session_scope *scope;
    struct client *client;
    struct bolt_session *session;
    int64_t unknown_ns; /* monotonic: since when nobody has logged in */
    char address[64];
    char local[64];
};

static int64_t monotonic_ns(void)
{
    return os_monotonic_ns(os_env_posix());
}

/* ---- what sessions ask for ---------------------------------------------------------------------
 */

static bool port_log_in(void *arg, void *conn, struct yore_bytes user, struct yore_bytes password,
                        int64_t *wait_ns_out)
{
    struct bolt_peer *peer = conn;
    (void)arg;
    return command_login(peer->client, user, password, wait_ns_out);
}

static bool port_log_out(void *arg, void *conn)
{
    struct bolt_peer *peer = conn;
    struct command_origin origin = {&peer->peer, peer->address, peer->local};
    (void)arg;
    command_client_free(peer->client);
    peer->client = NULL;
    peer->unknown_ns = monotonic_ns();
    return command_client_new(peer->scope->commands, &origin, &peer->client) == YORE_OK;
}

static bool port_is_trusted(void *arg, void *conn)
{
    struct bolt_peer *peer = conn;
    (void)arg;
    return command_client_is_trusted(peer->client);
}

static bool port_may(void *arg, void *conn, struct yore_bytes graph, bool writes,
                     struct yore_error *error_out)
{
    struct bolt_peer *peer = conn;
    (void)arg;
    return command_authorize_graph(peer->client, graph, writes, error_out);
}

static bool port_may_look(void *arg, void *conn, int64_t moment)
{
    struct bolt_peer *peer = conn;
    (void)arg;
    return command_may_look(peer->client, moment);
}

static bool port_is_paused(void *arg, void *conn, bool writes)
{
    const struct bolt_peer *peer = conn;
    (void)arg;
    return command_client_is_paused(peer->client, writes);
}

static void port_limits(void *arg, uint64_t *time_ns_out, uint64_t *memory_bytes_out)
{
    struct server *server = arg;
    command_query_limits(server->commands, time_ns_out, memory_bytes_out);
}

static void port_tell(void *arg, void *conn, const struct bolt_event *event)
{
    struct bolt_peer *peer = conn;
    (void)arg;
    if (event->user.size > 0) {
        audit_login(peer->scope->audit, event->user, peer->address, !event->is_denied);
    } else if (event->is_write || event->is_denied) {
        struct audit_entry entry = {.command = event->request,
                                    .key = event->graph,
                                    .outcome = event->code != NULL ? event->code : "ok"};
        audit_entry(peer->scope->audit, peer->client, peer->address, &entry);
    }
}

static void port_ran(void *arg, int64_t time_ns)
{
    struct server *server = arg;
    command_note_statement(server->commands, time_ns);
}

static bool port_is_gone(void *arg, void *conn)
{
    struct bolt_peer *peer = conn;
    (void)arg;
    return net_conn_is_gone(peer->peer.conn);
}

static void port_send_now(void *arg, void *conn, struct yore_bytes octets)
{
    struct bolt_peer *peer = conn;
    (void)arg;
    net_conn_send_now(peer->peer.conn, octets);
}

/* ---- connections -------------------------------------------------------------------------------
 */

static void *bolt_open(void *arg, struct net_conn *conn, const char *address, const char *local)
{
    struct bolt_peer *peer = mem_zalloc(sizeof(*peer));
    if (peer == NULL) {
        return NULL;
    }
    peer->scope = arg;
    peer->peer = (struct peer){conn, false};
    peer->unknown_ns = monotonic_ns();
    snprintf(peer->address, sizeof(peer->address), "%s", address);
    snprintf(peer->local, sizeof(peer->local), "%s", local);
    struct command_origin origin = {&peer->peer, peer->address, peer->local};
    struct bolt_server *bolt = peer->scope->server->bolt;
    if (command_client_new(peer->scope->commands, &origin, &peer->client) != YORE_OK ||
        bolt_session_new(bolt, peer, peer->local, &peer->session) != YORE_OK) {
        command_client_free(peer->client);
        mem_free(peer);
        return NULL;
    }
    return peer;
}

static void bolt_close(void *arg)
{
    struct bolt_peer *peer = arg;
    bolt_session_free(peer->session);
    command_client_free(peer->client);
    mem_free(peer);
}

static enum net_next bolt_turn(void *arg, struct net_turn *turn)
{
    static const enum bolt_pace paces[] = {[NET_QUICK] = BOLT_QUICK,
                                           [NET_SHORT] = BOLT_QUICK,
                                           [NET_LONG] = BOLT_LONG,
                                           [NET_LOGIN] = BOLT_LOGIN};
    static const enum net_pace wanted[] = {
        [BOLT_QUICK] = NET_QUICK, [BOLT_LONG] = NET_LONG, [BOLT_LOGIN] = NET_LOGIN};
    static const enum net_next nexts[] = {[BOLT_INPUT] = NET_INPUT,
                                          [BOLT_PACE] = NET_PACE,
                                          [BOLT_LATER] = NET_LATER,
                                          [BOLT_ROOM] = NET_ROOM,
                                          [BOLT_CLOSE] = NET_CLOSE};
    struct bolt_peer *peer = arg;
    struct bolt_turn inner = {.pace = paces[turn->pace],
                              .is_crowded = turn->is_crowded,
                              .requests = turn->requests,
                              .input = turn->input,
                              .wanted = BOLT_QUICK,
                              .out = turn->out};
    enum bolt_next next = bolt_session_turn(peer->session, &inner);
    turn->consumed = inner.consumed;
    turn->kept = bolt_session_kept_bytes(peer->session);
    turn->wanted = wanted[inner.wanted];
    turn->owner = peer_owner(peer->client, turn->wanted);
    return nexts[next];
}

static void bolt_arrived(void *arg, struct yore_bytes octets)
{
    struct bolt_peer *peer = arg;
    bolt_session_arrived(peer->session, octets);
}

static bool bolt_is_overdue(void *arg, int64_t idle_ns, size_t input_bytes, size_t output_bytes)
{
    struct bolt_peer *peer = arg;
    struct session_scope *scope = peer->scope;
    command_client_note_buffers(peer->client, input_bytes, output_bytes);
    if (!bolt_session_is_trusted(peer->session)) {
        return monotonic_ns() - peer->unknown_ns >
               atomic_load_explicit(&scope->login_ns, memory_order_relaxed);
    }
    if (output_bytes > 0 || bolt_session_is_at_work(peer->session)) {
        return false;
    }
    int64_t idle_max = bolt_session_is_busy(peer->session)
                           ? atomic_load_explicit(&scope->transaction_ns, memory_order_relaxed)
                           : atomic_load_explicit(&scope->idle_ns, memory_order_relaxed);
    return idle_max > 0 && idle_ns > idle_max;
}

void bolt_handler_init(struct net_handler *handler, struct session_scope *scope)
{
    *handler = (struct net_handler){.arg = scope,
                                    .open = bolt_open,
                                    .turn = bolt_turn,
                                    .close = bolt_close,
                                    .is_overdue = bolt_is_overdue,
                                    .arrived = bolt_arrived};
}

enum yore_status bolt_start(struct server *server, struct yore_error *error_out)
{
    static const enum yore_durability durabilities[] = {[CONFIG_SYNC] = YORE_DURABILITY_SYNC,
                                                        [CONFIG_INTERVAL] =
                                                            YORE_DURABILITY_INTERVAL,
                                                        [CONFIG_NONE] = YORE_DURABILITY_NONE};
    struct bolt_options options = {.db = server->db,
                                   .graphs = command_graphs(server->commands),
                                   .queries = command_queries(server->commands),
                                   .durability = durabilities[server->config->durability],
                                   .path = server->config->dir,
                                   .graph = server->config->bolt_graph,
                                   .keep_alive_ns = server->config->bolt_keep_alive,
                                   .port = {server, port_log_in, port_log_out, port_is_trusted,
                                            port_may, port_may_look, port_is_paused, port_limits,
                                            port_tell, port_ran, port_is_gone, port_send_now}};
    enum yore_status status = bolt_server_new(&options, &server->bolt);
    return status == YORE_OK ? YORE_OK : error_plain(error_out, status);
}
