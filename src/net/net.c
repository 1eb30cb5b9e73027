#include "net/net.h"

#include "base/mem.h"
#include "net/net_internal.h"
#include "os/env.h"

static void net_free(struct net *net)
{
    for (unsigned i = 0; i < net->loop_count; i++) {
        struct loop *loop = &net->loops[i];
        if (loop->thread != NULL) {
            os_thread_join(loop->thread);
        }
    }
    pool_stop(&net->short_pool);
    pool_stop(&net->long_pool);
    pool_stop(&net->login_pool);
    for (unsigned i = 0; i < net->loop_count; i++) {
        struct loop *loop = &net->loops[i];
        if (loop->thread != NULL) {
            uv_loop_close(&loop->uv);
        }
        while (loop->newcomers != NULL) { /* dealt out after it had ended */
            struct newcomer *newcomer = loop->newcomers;
            loop->newcomers = newcomer->next;
            os_socket_close(newcomer->fd);
            mem_free(newcomer);
        }
        while (loop->block_count > 0) {
            mem_free(loop->blocks[--loop->block_count]);
        }
        mem_free(loop->scratch);
        if (loop->net != NULL) {
            os_wake_close(&loop->news);
            os_cond_release(&loop->drained);
            os_mutex_release(&loop->lock);
        }
    }
    mem_free(net->loops);
    mem_free(net);
}

static void ask_to_end(struct net *net, bool at_once)
{
    for (unsigned i = 0; i < net->loop_count; i++) {
        struct loop *loop = &net->loops[i];
        if (loop->thread == NULL) {
            continue;
        }
        os_mutex_lock(&loop->lock);
        loop->wants_end = true;
        loop->wants_cut = loop->wants_cut || at_once;
        os_mutex_unlock(&loop->lock);
        loop_wake(loop);
    }
}

enum yore_status net_start(const struct net_options *options, struct net **net_out,
                           struct yore_error *error_out)
{
    *net_out = NULL;
    struct net *net = mem_zalloc(sizeof(*net));
    if (net == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    net->options = *options;
    unsigned short_workers = options->loops < options->workers ? options->loops : options->workers;
    atomic_store(&net->clients_max, options->clients_max);
    atomic_store(&net->buffer_bytes_max, options->buffer_bytes_max);
    net->loops = mem_array(options->loops, sizeof(*net->loops));
    if (net->loops == NULL) {
        mem_free(net);
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status status =
        pool_start(&net->short_pool, net, NET_SHORT, short_workers, error_out);
    if (status == YORE_OK) {
        status = pool_start(&net->long_pool, net, NET_LONG, options->long_workers, error_out);
    }
    if (status == YORE_OK) {
        status = pool_start(&net->login_pool, net, NET_LOGIN, options->login_workers, error_out);
    }
    while (status == YORE_OK && net->loop_count < options->loops) {
        status = loop_start(&net->loops[net->loop_count++], net, error_out);
    }
    if (status != YORE_OK) {
        ask_to_end(net, true);
        net_free(net);
        return status;
    }
    *net_out = net;
    return YORE_OK;
}

enum yore_status net_listen(struct net *net, int fd, const struct net_handler *handler,
                            struct net_tls *tls, struct yore_error *error_out)
{
    unsigned count = atomic_load(&net->listener_count);
    if (count == NET_LISTENERS_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "more than %u addresses to listen on",
                         NET_LISTENERS_MAX);
    }
    struct listener *listener = &net->listeners[count];
    listener->net = net;
    listener->fd = fd;
    listener->handler = *handler;
    listener->tls = tls;
    atomic_store(&net->listener_count, count + 1); /* with the load in take_listeners() */
    loop_wake(&net->loops[0]);
    return YORE_OK;
}

void net_stop(struct net *net, int64_t patience_ns, bool (*is_hurried)(void *arg), void *arg)
{
    if (net == NULL) {
        return;
    }
    struct os_env *env = os_env_posix();
    int64_t until = os_monotonic_ns(env) + patience_ns;
    ask_to_end(net, false);
    while (atomic_load(&net->clients) > 0 && os_monotonic_ns(env) < until &&
           (is_hurried == NULL || !is_hurried(arg))) {
        os_sleep_ns(env, 5000000);
    }
    ask_to_end(net, true);
    net_free(net);
}

void net_tell(struct net *net, enum net_told kind, const char *text)
{
    int64_t now = os_monotonic_ns(os_env_posix());
    int64_t told = atomic_load(&net->told_ns[kind]);
    if ((told == 0 || now - told >= NET_TELL_NS) &&
        atomic_compare_exchange_strong(&net->told_ns[kind], &told, now)) {
        net->options.jobs.tell(net->options.jobs.arg, text);
    }
}

void net_set_clients_max(struct net *net, unsigned clients_max)
{
    atomic_store(&net->clients_max, clients_max);
}

void net_set_buffer_bytes_max(struct net *net, uint64_t bytes)
{
    atomic_store(&net->buffer_bytes_max, bytes);
}

void net_stats(struct net *net, struct net_stats *stats_out)
{
    struct net_stats stats = {.clients = atomic_load(&net->clients),
                              .accepted = atomic_load(&net->accepted),
                              .refused = atomic_load(&net->refused),
                              .evicted = atomic_load(&net->evicted),
                              .stalled = atomic_load(&net->stalled),
                              .buffer_bytes = atomic_load(&net->buffer_bytes),
                              .buffer_bytes_peak = atomic_load(&net->buffer_bytes_peak),
                              .jobs = atomic_load(&net->jobs),
                              .job_turns = atomic_load(&net->job_turns)};
    for (unsigned i = 0; i < net->loop_count; i++) {
        stats.received_bytes += atomic_load(&net->loops[i].received_bytes);
        stats.sent_bytes += atomic_load(&net->loops[i].sent_bytes);
        stats.backpressure += atomic_load(&net->loops[i].backpressure);
    }
    *stats_out = stats;
}

/* ---- news for a connection --------------------------------------------------------------------
 */

void net_conn_push(struct net_conn *conn, struct yore_bytes bytes)
{
    struct loop *loop = conn->loop;
    os_mutex_lock(&loop->lock);
    if (conn->pushes.size + bytes.size > NET_PUSH_BYTES_MAX) {
        atomic_fetch_add_explicit(&loop->net->stalled, 1, memory_order_relaxed);
        loop_notice(conn, NOTICE_CLOSE);
    } else {
        buffer_append_bytes(&conn->pushes, bytes);
        loop_notice(conn, NOTICE_DRAIN);
    }
    os_mutex_unlock(&loop->lock);
}

void net_conn_send_now(struct net_conn *conn, struct yore_bytes bytes)
{
    struct loop *loop = conn->loop;
    os_mutex_lock(&loop->lock);
    buffer_append_bytes(&conn->drained, bytes);
    loop_notice(conn, NOTICE_DRAIN);
    os_mutex_unlock(&loop->lock);
}

void net_conn_close(struct net_conn *conn, bool is_gentle)
{
    os_mutex_lock(&conn->loop->lock);
    loop_notice(conn, is_gentle ? NOTICE_CLOSE_GENTLE : NOTICE_CLOSE);
    os_mutex_unlock(&conn->loop->lock);
}

void net_conn_wake(struct net_conn *conn)
{
    os_mutex_lock(&conn->loop->lock);
    loop_notice(conn, NOTICE_WAKE);
    os_mutex_unlock(&conn->loop->lock);
}
