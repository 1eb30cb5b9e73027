/* listen.c -- the first loop takes new connections and deals them out to all. */
#include "base/mem.h"
#include "net/net_internal.h"

#define REST_MS 100 /* after descriptors ran out */

static void deal_out(struct listener *listener, struct newcomer *newcomer)
{
    struct net *net = listener->net;
    struct loop *loop = &net->loops[net->next_loop++ % net->loop_count];
    os_mutex_lock(&loop->lock);
    newcomer->next = loop->newcomers;
    loop->newcomers = newcomer;
    os_mutex_unlock(&loop->lock);
    loop_wake(loop);
}

static void on_rested(uv_timer_t *timer);

static void on_waiting(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct listener *listener = poll->data;
    if (status < 0) {
        return;
    }
    for (unsigned i = 0; i < NET_ACCEPT_BATCH; i++) {
        struct newcomer *newcomer = mem_zalloc(sizeof(*newcomer));
        enum os_accept result = newcomer == NULL ? OS_ACCEPT_EXHAUSTED
                                                 : os_accept(listener->fd, &newcomer->fd,
                                                             newcomer->peer, newcomer->local);
        if (result == OS_ACCEPTED) {
            newcomer->listener = listener;
            deal_out(listener, newcomer);
            continue;
        }
        mem_free(newcomer);
        if (result == OS_ACCEPT_EXHAUSTED) { /* asking again at once would spin */
            net_tell(listener->net, NET_TOLD_EXHAUSTED,
                     "no descriptors left for new clients: raise the limit of open files");
            uv_poll_stop(&listener->poll);
            uv_timer_start(&listener->rest, on_rested, REST_MS, 0);
        }
        break;
    }
}

static void on_rested(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    uv_poll_start(&listener->poll, UV_READABLE, on_waiting);
}

void listener_start(struct listener *listener)
{
    uv_loop_t *loop = &listener->net->loops[0].uv;
    listener->poll.data = listener;
    listener->rest.data = listener;
    uv_timer_init(loop, &listener->rest);
    if (uv_poll_init(loop, &listener->poll, listener->fd) == 0) {
        uv_poll_start(&listener->poll, UV_READABLE, on_waiting);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    os_socket_close(listener->fd);
    listener->fd = -1;
}

void listener_stop(struct listener *listener)
{
    uv_close((uv_handle_t *)&listener->rest, NULL);
    uv_close((uv_handle_t *)&listener->poll, on_poll_closed);
}
