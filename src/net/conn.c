/* conn.c -- one connection on its loop: what arrives, whose turn, what is sent.  States: net.h. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/net_internal.h"
#include "net/tls.h"

/* ---- octets received --------------------------------------------------------------------------
 */

static size_t inlet_size(const struct inlet *inlet)
{
    return inlet->end - inlet->begin;
}

static void inlet_release(struct loop *loop, struct inlet *inlet)
{
    if (inlet->capacity == NET_INPUT_BLOCK_BYTES) {
        loop_block_back(loop, inlet->data);
    } else {
        mem_free(inlet->data);
    }
    *inlet = (struct inlet){0};
}

/* Room for `size` octets more. */
static bool inlet_reserve(struct loop *loop, struct inlet *inlet, size_t size)
{
    if (inlet->data == NULL && size <= NET_INPUT_BLOCK_BYTES) {
        inlet->data = loop_block(loop);
        inlet->capacity = inlet->data != NULL ? NET_INPUT_BLOCK_BYTES : 0;
        return inlet->data != NULL;
    }
    if (inlet->capacity - inlet->end >= size) {
        return true;
    }
    size_t held = inlet_size(inlet);
    if (inlet->capacity - held >= size && held <= inlet->capacity / 2) {
        memmove(inlet->data, inlet->data + inlet->begin, held);
        inlet->begin = 0;
        inlet->end = held;
        return true;
    }
    size_t capacity = 2 * NET_INPUT_BLOCK_BYTES;
    while (capacity - held < size || capacity < held) {
        capacity *= 2;
    }
    unsigned char *data = mem_alloc(capacity);
    if (data == NULL) {
        return false;
    }
    if (held > 0) {
        memcpy(data, inlet->data + inlet->begin, held);
    }
    inlet_release(loop, inlet);
    *inlet = (struct inlet){data, 0, held, capacity};
    return true;
}

/* Room to read into.  Where much is known to be missing the room doubles at most: what a client
 * merely announces costs nothing. */
static bool inlet_room(struct loop *loop, struct inlet *inlet, size_t missing)
{
    size_t size = NET_INPUT_BLOCK_BYTES / 4;
    size_t most = inlet_size(inlet) > size ? inlet_size(inlet) : size;
    if (missing > size) {
        size = missing < most ? missing : most;
    }
    return inlet_reserve(loop, inlet, size);
}

static bool inlet_append(struct loop *loop, struct inlet *inlet, struct inlet *from)
{
    if (inlet_size(inlet) == 0) {
        inlet_release(loop, inlet);
        *inlet = *from;
        *from = (struct inlet){0};
        return true;
    }
    size_t size = inlet_size(from);
    if (!inlet_reserve(loop, inlet, size)) {
        return false;
    }
    memcpy(inlet->data + inlet->end, from->data + from->begin, size);
    inlet->end += size;
    inlet_release(loop, from);
    return true;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* Where received octets go: not under the eyes of a worker. */
static struct inlet *conn_inlet(struct net_conn *conn)
{
    return conn->state == CONN_BUSY ? &conn->arriving : &conn->in;
}

static bool may_read(const struct net_conn *conn)
{
    if (conn->is_dead || conn->is_closed) {
        return false;
    }
    if (conn->is_shut) {
        return true;
    }
    if (conn->has_ended || conn->state == CONN_CLOSING) {
        return false;
    }
    if (conn->state == CONN_IDLE) {
        return true;
    }
    size_t held = conn->state == CONN_BUSY ? inlet_size(&conn->arriving) : inlet_size(&conn->in);
    return held < (conn->state == CONN_READY ? NET_INPUT_BLOCK_BYTES : NET_ARRIVING_BYTES_MAX);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)suggested;
    struct net_conn *conn = handle->data;
    if (conn->tls != NULL || conn->is_shut) {
        *room = uv_buf_init((char *)conn->loop->scratch, NET_INPUT_BLOCK_BYTES);
        return;
    }
    struct inlet *inlet = conn_inlet(conn);
    if (!inlet_room(conn->loop, inlet, conn->state == CONN_BUSY ? 0 : conn->missing)) {
        *room = uv_buf_init(NULL, 0);
        return;
    }
    size_t size = inlet->capacity - inlet->end;
    *room = uv_buf_init((char *)inlet->data + inlet->end,
                        (unsigned)(size < (1u << 30) ? size : (1u << 30)));
}

static void show_arrived(struct net_conn *conn, const void *data, size_t size)
{
    if (conn->handler->arrived != NULL) {
        conn->handler->arrived(conn->session, bytes_of(data, size));
    }
}

/* What arrived encrypted becomes plain octets of the inlet.  False: the connection is over. */
static bool receive_encrypted(struct net_conn *conn, struct yore_bytes encrypted)
{
    struct inlet *inlet = conn_inlet(conn);
    if (!tls_conn_feed(conn->tls, encrypted)) {
        return false;
    }
    for (;;) {
        if (!inlet_room(conn->loop, inlet, 0)) {
            return false;
        }
        size_t size = 0;
        if (!tls_conn_read(conn->tls, inlet->data + inlet->end, inlet->capacity - inlet->end,
                           &size)) {
            return tls_conn_has_ended(conn->tls);
        }
        if (size == 0) {
            return true;
        }
        show_arrived(conn, inlet->data + inlet->end, size);
        inlet->end += size;
    }
}

static void conn_flush(struct net_conn *conn);

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room);

static void set_reading(struct net_conn *conn)
{
    bool wants = may_read(conn);
    if (wants == conn->is_reading || conn->is_closed) {
        return;
    }
    conn->is_reading = wants;
    if (wants) {
        if (uv_read_start(&conn->uv.stream, on_alloc, on_read) != 0) {
            conn->is_reading = false;
            conn_kill(conn);
        }
        return;
    }
    uv_read_stop(&conn->uv.stream);
    if (!conn->has_ended && !conn->is_dead) {
        atomic_fetch_add_explicit(&conn->loop->backpressure, 1, memory_order_relaxed);
    }
}

static void on_read_end(struct net_conn *conn, bool is_orderly)
{
    if (conn->is_shut || !is_orderly) {
        conn_kill(conn);
        return;
    }
    atomic_store_explicit(&conn->is_left, true, memory_order_relaxed);
    conn_end(conn);
}

/* So that who sees to certificates hears why a client is not let in. */
static void tell_disagreed(struct net_conn *conn)
{
    char text[200];
    const char *fault = tls_conn_fault(conn->tls);
    snprintf(text, sizeof(text), "no TLS could be agreed on with a client: %s",
             fault != NULL ? fault : "it has left");
    net_tell(conn->loop->net, NET_TOLD_DISAGREED, text);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct net_conn *conn = stream->data;
    if (size == 0 || conn->is_closed) {
        return;
    }
    if (size < 0) {
        on_read_end(conn, size == UV_EOF);
        return;
    }
    atomic_fetch_add_explicit(&conn->loop->received_bytes, (uint64_t)size, memory_order_relaxed);
    if (conn->is_shut) {
        return;
    }
    conn->heard_ns = (int64_t)uv_hrtime();
    if (conn->tls != NULL) {
        bool is_good = receive_encrypted(conn, bytes_of(room->base, (size_t)size));
        conn_flush(conn); /* the handshake's answer, or the alert */
        bool is_over = !is_good || tls_conn_has_ended(conn->tls); /* an alert ends it in order */
        if (is_over && !tls_conn_is_agreed(conn->tls)) {
            tell_disagreed(conn);
        }
        if (!is_good || conn->is_dead) {
            conn_kill(conn);
            return;
        }
    } else {
        show_arrived(conn, room->base, (size_t)size);
        conn_inlet(conn)->end += (size_t)size;
    }
    if (conn->state == CONN_IDLE && inlet_size(&conn->in) > NET_MODEST_BYTES) {
        loop_again(conn->loop, conn);
    } else if (conn->state == CONN_IDLE && inlet_size(&conn->in) > 0) {
        loop_ready(conn->loop, conn);
    }
    if (conn->tls != NULL && tls_conn_has_ended(conn->tls)) {
        on_read_end(conn, true); /* what came before it is run */
        return;
    }
    set_reading(conn);
    conn_account(conn);
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static void on_written(uv_write_t *request, int status);

static size_t conn_unsent(const struct net_conn *conn)
{
    return conn->sending.size - conn->sent + conn->waiting.size;
}

static void swap_buffers(struct buffer *a, struct buffer *b)
{
    struct buffer was = *a;
    *a = *b;
    *b = was;
}

/* Append `from` to what waits, and empty it. */
static void wait_to_send(struct net_conn *conn, struct buffer *from)
{
    if (from->is_nomem) {
        conn->is_dead = true;
    }
    if (conn->waiting.size == 0) {
        swap_buffers(&conn->waiting, from);
    } else {
        buffer_append_bytes(&conn->waiting, buffer_bytes(from));
    }
    buffer_clear(from);
    if (from->capacity > NET_OUTPUT_KEPT_BYTES) {
        buffer_release(from);
    }
}

/* Make `sending` of what waits; false: there is nothing, or the connection broke. */
static bool take_waiting(struct net_conn *conn)
{
    buffer_clear(&conn->sending);
    conn->sent = 0;
    if (conn->tls == NULL) {
        swap_buffers(&conn->sending, &conn->waiting);
    } else {
        bool is_agreed = tls_conn_is_agreed(conn->tls);
        struct yore_bytes plain = is_agreed ? buffer_bytes(&conn->waiting) : bytes_of(NULL, 0);
        if (!tls_conn_write(conn->tls, plain, &conn->sending)) {
            conn->is_dead = true;
        }
        if (is_agreed) {
            buffer_clear(&conn->waiting);
        }
    }
    if (conn->sending.is_nomem || conn->waiting.is_nomem) {
        conn->is_dead = true;
    }
    return conn->sending.size > 0 && !conn->is_dead;
}

static void send_some(struct net_conn *conn)
{
    while (!conn->is_writing && take_waiting(conn)) {
        uv_buf_t rest = uv_buf_init((char *)conn->sending.data, 0);
        size_t size = conn->sending.size;
        rest.len = size < (1u << 30) ? size : (1u << 30);
        int taken = uv_try_write(&conn->uv.stream, &rest, 1);
        if (taken < 0 && taken != UV_EAGAIN) {
            conn->is_dead = true;
            return;
        }
        size_t done = taken > 0 ? (size_t)taken : 0;
        atomic_fetch_add_explicit(&conn->loop->sent_bytes, done, memory_order_relaxed);
        conn->sent = done;
        if (done == size) {
            buffer_clear(&conn->sending);
            conn->sent = 0;
            continue;
        }
        conn->taken_ns = (int64_t)uv_hrtime();
        rest = uv_buf_init((char *)conn->sending.data + done, 0);
        rest.len = size - done;
        conn->write.data = conn;
        conn->is_writing = true;
        if (uv_write(&conn->write, &conn->uv.stream, &rest, 1, on_written) != 0) {
            conn->is_writing = false;
            conn->is_dead = true;
        }
    }
}

/* A worker that sends in parts waits for this. */
static void tell_drainer(struct net_conn *conn)
{
    struct loop *loop = conn->loop;
    if (conn->state != CONN_BUSY) {
        return;
    }
    os_mutex_lock(&loop->lock);
    conn->unsent_seen = conn_unsent(conn);
    conn->is_gone = conn->is_gone || conn->is_dead;
    if (conn->is_draining) {
        os_cond_broadcast(&loop->drained);
    }
    os_mutex_unlock(&loop->lock);
}

static void on_shut(uv_shutdown_t *request, int status)
{
    struct net_conn *conn = request->data;
    bool has_left = atomic_load_explicit(&conn->is_left, memory_order_relaxed);
    bool is_killed = conn->has_ended && !conn->loop->is_ending; /* by net_conn_close() */
    if (status < 0 || has_left || is_killed) {
        conn_kill(conn);
        return;
    }
    conn->is_shut = true;
    conn->heard_ns = (int64_t)uv_hrtime();
    set_reading(conn);
}

/* Everything a closing connection had to say is sent: say so, and let the client close first.
 * Closing with octets unread would make the system take back what the client has not read yet. */
static void say_goodbye(struct net_conn *conn)
{
    if (conn->shut.data != NULL) {
        return;
    }
    conn->shut.data = conn;
    if (conn->tls != NULL) { /* else the other side could not tell the end from a cut */
        tls_conn_end(conn->tls);
        send_some(conn);
    }
    if (uv_shutdown(&conn->shut, &conn->uv.stream, on_shut) != 0) {
        conn_kill(conn);
    }
}

/* Send what can be sent now, and see what that allows. */
static void conn_flush(struct net_conn *conn)
{
    if (conn->is_closed) {
        return;
    }
    if (conn->state != CONN_BUSY && conn->state != CONN_GATHERED && conn->out.size > 0) {
        wait_to_send(conn, &conn->out);
    }
    if (!conn->is_dead) {
        send_some(conn);
    }
    tell_drainer(conn);
    if (conn->is_dead) {
        conn_kill(conn);
    } else if (conn->state == CONN_ROOM && conn_unsent(conn) <= NET_OUTPUT_SOFT_BYTES / 2) {
        loop_again(conn->loop, conn);
    } else if (conn->state == CONN_CLOSING && conn_unsent(conn) == 0) {
        say_goodbye(conn);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct net_conn *conn = request->data;
    conn->is_writing = false;
    if (conn->is_closed) {
        return;
    }
    atomic_fetch_add_explicit(&conn->loop->sent_bytes, conn->sending.size - conn->sent,
                              memory_order_relaxed);
    buffer_clear(&conn->sending);
    if (conn->sending.capacity > NET_OUTPUT_KEPT_BYTES) {
        buffer_release(&conn->sending);
    }
    conn->sent = 0;
    conn->taken_ns = (int64_t)uv_hrtime();
    if (status < 0) {
        conn_kill(conn);
        return;
    }
    conn_flush(conn);
    set_reading(conn);
    conn_account(conn);
}

/* ---- turns ------------------------------------------------------------------------------------
 */

/* Give it a turn here. */
static void turn_here(struct net_conn *conn, unsigned requests, bool is_crowded)
{
    struct net_turn turn = {.pace = NET_QUICK,
                            .is_crowded = is_crowded,
                            .requests = requests,
                            .input =
                                bytes_of(conn->in.data + conn->in.begin, inlet_size(&conn->in)),
                            .out = &conn->out};
    conn->after = conn->handler->turn(conn->session, &turn);
    conn_note_turn(conn, &turn);
}

/* The request at hand cannot wait for its password to be checked: it is told so. */
static void refuse_login(struct net_conn *conn)
{
    net_tell(conn->loop->net, NET_TOLD_CROWDED,
             "logins are refused: too many wait for their password to be checked");
    turn_here(conn, 1, true);
    if (conn->after == NET_PACE) { /* another one follows: in a turn of its own */
        conn->after = NET_ROOM;
    }
}

/* False: there is no room for it. */
static bool submit_alone(struct net_conn *conn)
{
    conn_flush(conn); /* what was answered before need not wait for it */
    if (conn->is_closed) {
        return true;
    }
    conn->state = CONN_BUSY;
    conn->next = NULL;
    enum pool_answer answer =
        pool_submit(net_pool(conn->loop->net, conn->wanted), conn->loop, conn, 1);
    if (answer != POOL_TAKEN) {
        conn->state = CONN_IDLE;
    }
    if (answer == POOL_NOMEM) {
        conn_kill(conn);
    }
    return answer != POOL_CROWDED;
}

/* Take the state that the last turn asks for; NET_PACE: for SHORT. */
static void take_state(struct net_conn *conn)
{
    struct loop *loop = conn->loop;
    switch (conn->after) {
    case NET_PACE:
        loop_gather(loop, conn);
        break;
    case NET_LATER:
        conn->state = loop->is_ending ? CONN_CLOSING : CONN_LATER;
        if (conn->was_woken && conn->state == CONN_LATER) {
            loop_ready(loop, conn);
        }
        conn->was_woken = false;
        break;
    case NET_ROOM:
        conn->state = CONN_ROOM;
        break;
    case NET_CLOSE:
        conn->state = CONN_CLOSING;
        break;
    case NET_INPUT:
    default:
        conn->state = conn->has_ended ? CONN_CLOSING : CONN_IDLE;
        if (inlet_size(&conn->in) == 0) {
            inlet_release(loop, &conn->in);
        }
        break;
    }
}

/* Act on what the last turn said; the connection is on no list, and the loop's. */
static void apply_turn(struct net_conn *conn)
{
    bool is_alone = conn->after == NET_PACE && conn->wanted != NET_SHORT;
    conn->state = CONN_IDLE;
    if (!is_alone) {
        take_state(conn);
    } else if (!submit_alone(conn)) {
        refuse_login(conn);
        take_state(conn);
    }
    conn_flush(conn);
    set_reading(conn);
    conn_account(conn);
}

void conn_turn(struct net_conn *conn, unsigned requests)
{
    if (conn->is_dead) {
        conn->state = CONN_IDLE;
        conn_kill(conn);
        return;
    }
    turn_here(conn, requests, false);
    apply_turn(conn);
}

void conn_done(struct net_conn *conn)
{
    struct loop *loop = conn->loop;
    struct buffer pushes = {0};
    os_mutex_lock(&loop->lock);
    swap_buffers(&pushes, &conn->pushes);
    conn->is_draining = false;
    conn->unsent_seen = 0;
    os_mutex_unlock(&loop->lock);
    conn->state = CONN_IDLE; /* on no list: conn_kill() closes it at once */
    if (conn->is_void || conn->is_dead || conn->out.is_nomem) {
        buffer_release(&pushes);
        conn_kill(conn);
        return;
    }
    if (pushes.size > 0) { /* behind the replies of what just ran */
        wait_to_send(conn, &conn->out);
        buffer_append_bytes(&conn->waiting, buffer_bytes(&pushes));
    }
    buffer_release(&pushes);
    bool has_more = inlet_size(&conn->arriving) > 0;
    if (has_more && !inlet_append(loop, &conn->in, &conn->arriving)) {
        conn_kill(conn);
        return;
    }
    if (conn->after == NET_INPUT && has_more) {
        wait_to_send(conn, &conn->out);
        send_some(conn);
        if (conn->is_dead) {
            conn_kill(conn);
            return;
        }
        loop_ready(loop, conn);
        set_reading(conn);
        return;
    }
    apply_turn(conn);
}

/* ---- news from other threads ------------------------------------------------------------------
 */

/* The inbox is emptied by the caller into `notices`; pushes and drained parts are still there. */
void conn_notice(struct net_conn *conn, unsigned notices)
{
    struct loop *loop = conn->loop;
    if (conn->is_closed) {
        return;
    }
    struct buffer drained = {0};
    struct buffer pushes = {0};
    os_mutex_lock(&loop->lock);
    swap_buffers(&drained, &conn->drained);
    if (conn->state != CONN_BUSY) {
        swap_buffers(&pushes, &conn->pushes);
    }
    os_mutex_unlock(&loop->lock);
    if (drained.size > 0) {
        wait_to_send(conn, &drained);
    }
    if (pushes.size > 0) {
        if (conn->state != CONN_GATHERED) {
            wait_to_send(conn, &conn->out);
        }
        buffer_append_bytes(&conn->waiting, buffer_bytes(&pushes));
        if (conn_unsent(conn) > NET_PUSH_BYTES_MAX) {
            atomic_fetch_add_explicit(&loop->net->stalled, 1, memory_order_relaxed);
            conn->is_dead = true;
        }
    }
    buffer_release(&drained);
    buffer_release(&pushes);
    if ((notices & NOTICE_CLOSE) != 0 || conn->is_dead) {
        conn_kill(conn);
        return;
    }
    if ((notices & NOTICE_CLOSE_GENTLE) != 0) {
        conn_end(conn);
    }
    if ((notices & NOTICE_WAKE) != 0 && conn->state == CONN_LATER) {
        loop_ready(loop, conn);
    } else if ((notices & NOTICE_WAKE) != 0) {
        conn->was_woken = true;
    }
    conn_flush(conn);
    conn_account(conn);
}

/* ---- ends -------------------------------------------------------------------------------------
 */

static void forget_notices(struct net_conn *conn)
{
    struct loop *loop = conn->loop;
    os_mutex_lock(&loop->lock);
    for (struct net_conn **at = &loop->noticed; *at != NULL; at = &(*at)->next_noticed) {
        if (*at == conn) {
            *at = conn->next_noticed;
            break;
        }
    }
    os_mutex_unlock(&loop->lock);
}

static void on_closed(uv_handle_t *handle)
{
    struct net_conn *conn = handle->data;
    struct loop *loop = conn->loop;
    if (conn->session != NULL) {
        conn->handler->close(conn->session);
    }
    forget_notices(conn);
    tls_conn_free(conn->tls);
    inlet_release(loop, &conn->in);
    inlet_release(loop, &conn->arriving);
    buffer_release(&conn->out);
    buffer_release(&conn->sending);
    buffer_release(&conn->waiting);
    buffer_release(&conn->pushes);
    buffer_release(&conn->drained);
    atomic_fetch_sub_explicit(&loop->net->clients, 1, memory_order_relaxed);
    loop->conn_count--;
    mem_free(conn);
    loop_end_if_empty(loop);
}

static void close_now(struct net_conn *conn)
{
    struct loop *loop = conn->loop;
    conn->is_closed = true;
    conn->is_reading = false;
    atomic_fetch_sub_explicit(&loop->net->buffer_bytes, conn->accounted, memory_order_relaxed);
    atomic_fetch_sub_explicit(&loop->buffer_bytes, conn->accounted, memory_order_relaxed);
    if (conn->before != NULL) {
        conn->before->behind = conn->behind;
    } else {
        loop->conns = conn->behind;
    }
    if (conn->behind != NULL) {
        conn->behind->before = conn->before;
    }
    uv_close(&conn->uv.handle, on_closed);
}

void conn_kill(struct net_conn *conn)
{
    if (conn->is_closed) {
        return;
    }
    conn->is_dead = true;
    atomic_store_explicit(&conn->is_left, true, memory_order_relaxed);
    set_reading(conn);
    switch (conn->state) {
    case CONN_BUSY:
        tell_drainer(conn); /* closed when it comes back: conn_done() */
        break;
    case CONN_READY:
    case CONN_GATHERED: /* closed when it is taken off the list */
        break;
    default:
        close_now(conn);
        break;
    }
}

void conn_end(struct net_conn *conn)
{
    conn->has_ended = true;
    set_reading(conn);
    bool is_put_off = conn->state == CONN_LATER && conn->loop->is_ending; /* none will wake it */
    if (conn->state == CONN_IDLE || is_put_off) {
        conn->state = CONN_CLOSING;
        conn_flush(conn);
    }
}

static bool is_overdue(struct net_conn *conn, int64_t now_ns)
{
    const struct net_options *options = &conn->loop->net->options;
    if (conn->is_shut) {
        return now_ns - conn->heard_ns > NET_LINGER_NS;
    }
    if (conn->tls != NULL && !tls_conn_is_agreed(conn->tls)) {
        return now_ns - conn->opened_ns > NET_HANDSHAKE_NS;
    }
    size_t queued = uv_stream_get_write_queue_size(&conn->uv.stream);
    if (queued == 0 || queued != conn->queue_seen) {
        conn->taken_ns = now_ns;
    }
    conn->queue_seen = queued;
    if (queued > 0 && now_ns - conn->taken_ns > options->stall_ns) {
        atomic_fetch_add_explicit(&conn->loop->net->stalled, 1, memory_order_relaxed);
        return true;
    }
    return conn->state != CONN_BUSY &&
           conn->handler->is_overdue(conn->session, now_ns - conn->heard_ns, inlet_size(&conn->in),
                                     conn_unsent(conn));
}

void conn_sweep(struct net_conn *conn, int64_t now_ns)
{
    if (is_overdue(conn, now_ns)) {
        conn_kill(conn);
        return;
    }
    if (conn->state == CONN_IDLE && now_ns - conn->heard_ns > (int64_t)NET_SWEEP_MS * 1000000) {
        buffer_release(&conn->out);
        if (!conn->is_writing && conn->waiting.size == 0) {
            buffer_release(&conn->sending);
            buffer_release(&conn->waiting);
        }
    }
    conn_account(conn);
}

void conn_account(struct net_conn *conn)
{
    if (conn->state != CONN_BUSY) {
        conn->driver_bytes = conn->in.capacity + conn->out.capacity + conn->kept;
    }
    size_t now = conn->driver_bytes + conn->arriving.capacity + conn->sending.capacity +
                 conn->waiting.capacity;
    if (now == conn->accounted || conn->is_closed) {
        return;
    }
    struct net *net = conn->loop->net;
    bool has_grown = now > conn->accounted;
    uint64_t change = (uint64_t)now - conn->accounted; /* modulo 2^64 */
    uint64_t total =
        atomic_fetch_add_explicit(&net->buffer_bytes, change, memory_order_relaxed) + change;
    atomic_fetch_add_explicit(&conn->loop->buffer_bytes, change, memory_order_relaxed);
    conn->accounted = now;
    if (total > atomic_load_explicit(&net->buffer_bytes_peak, memory_order_relaxed)) {
        atomic_store_explicit(&net->buffer_bytes_peak, total, memory_order_relaxed);
    }
    if (has_grown && total > atomic_load_explicit(&net->buffer_bytes_max, memory_order_relaxed)) {
        (void)loop_evict(conn->loop);
    }
}

/* ---- the beginning ----------------------------------------------------------------------------
 */

static void on_refused(uv_handle_t *handle)
{
    struct net_conn *conn = handle->data;
    tls_conn_free(conn->tls);
    mem_free(conn);
}

static bool over_limit(struct net *net)
{
    uint64_t count = atomic_fetch_add_explicit(&net->clients, 1, memory_order_relaxed) + 1;
    return count > atomic_load_explicit(&net->clients_max, memory_order_relaxed);
}

static void refuse(struct net_conn *conn)
{
    struct net *net = conn->loop->net;
    atomic_fetch_sub_explicit(&net->clients, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&net->refused, 1, memory_order_relaxed);
    struct yore_bytes text = conn->handler->refusal;
    if (conn->tls == NULL && text.size > 0) {
        uv_buf_t words = uv_buf_init(NULL, 0);
        words.base = (char *)(uintptr_t)text.data;
        words.len = text.size;
        if (uv_try_write(&conn->uv.stream, &words, 1) < 0) {
            /* It is closed in any case. */
        }
    }
    uv_close(&conn->uv.handle, on_refused);
}

void conn_open(struct loop *loop, struct newcomer *newcomer)
{
    struct net *net = loop->net;
    struct net_conn *conn = mem_zalloc(sizeof(*conn));
    if (conn == NULL || uv_tcp_init(&loop->uv, &conn->uv.tcp) != 0) {
        os_socket_close(newcomer->fd);
        mem_free(conn);
        mem_free(newcomer);
        return;
    }
    conn->loop = loop;
    conn->handler = &newcomer->listener->handler;
    conn->uv.handle.data = conn;
    conn->opened_ns = conn->heard_ns = conn->taken_ns = (int64_t)uv_hrtime();
    bool is_open = uv_tcp_open(&conn->uv.tcp, newcomer->fd) == 0;
    if (!is_open) {
        os_socket_close(newcomer->fd);
    }
    if (newcomer->listener->tls != NULL) {
        conn->tls = tls_conn_new(newcomer->listener->tls);
        is_open = is_open && conn->tls != NULL;
    }
    if (over_limit(net) || !is_open || loop->is_ending) {
        refuse(conn);
        mem_free(newcomer);
        return;
    }
    conn->session = conn->handler->open(conn->handler->arg, conn, newcomer->peer, newcomer->local);
    mem_free(newcomer);
    if (conn->session == NULL) {
        refuse(conn);
        return;
    }
    atomic_fetch_add_explicit(&net->accepted, 1, memory_order_relaxed);
    conn->behind = loop->conns;
    if (loop->conns != NULL) {
        loop->conns->before = conn;
    }
    loop->conns = conn;
    loop->conn_count++;
    set_reading(conn);
}
