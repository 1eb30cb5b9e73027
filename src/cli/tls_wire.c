#include "cli/tls_wire.h"

#include "base/buffer.h"
#include "base/mem.h"
#include "net/tls.h"
#include "os/socket.h"

#define ARRIVED_BYTES 16384u

struct channel {
    int fd;
    struct tls_conn *conn;
    struct buffer leaving;
    unsigned char arrived[ARRIVED_BYTES];
};

static void channel_close(void *arg)
{
    struct channel *channel = arg;
    if (channel != NULL) {
        tls_conn_free(channel->conn);
        buffer_release(&channel->leaving);
        mem_free(channel);
    }
}

static enum yore_status fail(const struct channel *channel, struct yore_error *error_out)
{
    const char *refusal = tls_conn_refusal(channel->conn);
    return refusal != NULL
               ? error_set(error_out, YORE_IO,
                           "TLS: the server's certificate is not good: %s (--cacert FILE names "
                           "who may sign it)",
                           refusal)
           : tls_conn_has_ended(channel->conn)
               ? error_set(error_out, YORE_IO, "the other side has closed the connection")
               : error_set(error_out, YORE_IO, "TLS: the connection broke");
}

/* Send `plain` and whatever else TLS has to say. */
static enum yore_status send_all(struct channel *channel, struct yore_bytes plain,
                                 int64_t timeout_ns, struct yore_error *error_out)
{
    buffer_clear(&channel->leaving);
    bool is_good = tls_conn_write(channel->conn, plain, &channel->leaving);
    if (channel->leaving.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status status = os_socket_write(channel->fd, channel->leaving.data,
                                              channel->leaving.size, timeout_ns, error_out);
    return status == YORE_OK && !is_good ? fail(channel, error_out) : status;
}

static enum yore_status channel_read(void *arg, void *data, size_t size, int64_t timeout_ns,
                                     size_t *read_out, struct yore_error *error_out)
{
    struct channel *channel = arg;
    enum yore_status status = YORE_OK;
    for (;;) {
        bool is_good = tls_conn_read(channel->conn, data, size, read_out);
        status = send_all(channel, bytes_of("", 0), timeout_ns, error_out);
        if (status != YORE_OK || *read_out > 0) {
            return status;
        }
        if (!is_good) {
            return fail(channel, error_out);
        }
        size_t got = 0;
        status = os_socket_read(channel->fd, channel->arrived, sizeof(channel->arrived), timeout_ns,
                                &got, error_out);
        if (status != YORE_OK) {
            return status;
        }
        if (!tls_conn_feed(channel->conn, bytes_of(channel->arrived, got))) {
            return error_plain(error_out, YORE_NOMEM);
        }
    }
}

static enum yore_status channel_write(void *arg, const void *data, size_t size, int64_t timeout_ns,
                                      struct yore_error *error_out)
{
    return send_all(arg, bytes_of(data, size), timeout_ns, error_out);
}

/* Is this the begin of a record of TLS?  Its first octet is the kind of the record. */
static bool is_tls(const struct channel *channel, size_t size)
{
    return size == 0 || (channel->arrived[0] >= 20 && channel->arrived[0] <= 24);
}

/* Speak until both sides agree; nothing of ours is read before. */
static enum yore_status agree(struct channel *channel, int64_t timeout_ns,
                              struct yore_error *error_out)
{
    bool has_heard = false;
    while (!tls_conn_is_agreed(channel->conn)) {
        size_t got = 0;
        bool is_good = tls_conn_read(channel->conn, channel->arrived, 1, &got) && got == 0;
        enum yore_status status = send_all(channel, bytes_of("", 0), timeout_ns, error_out);
        if (status == YORE_OK && !is_good) {
            status = fail(channel, error_out);
        }
        if (status != YORE_OK || tls_conn_is_agreed(channel->conn)) {
            return status;
        }
        status = os_socket_read(channel->fd, channel->arrived, sizeof(channel->arrived), timeout_ns,
                                &got, error_out);
        if (status == YORE_NOT_FOUND) {
            return error_set(error_out, YORE_IO,
                             "TLS: the server did not answer in time: is the port one for TLS?");
        }
        if (status != YORE_OK) {
            return status;
        }
        if (!has_heard && !is_tls(channel, got)) {
            return error_set(error_out, YORE_IO,
                             "the server speaks no TLS at this port: say yore://, or name the port "
                             "that is for TLS");
        }
        has_heard = true;
        if (!tls_conn_feed(channel->conn, bytes_of(channel->arrived, got))) {
            return error_plain(error_out, YORE_NOMEM);
        }
    }
    return YORE_OK;
}

static enum yore_status channel_open(void *arg, int fd, const char *host, int64_t timeout_ns,
                                     void **channel_out, struct yore_error *error_out)
{
    struct channel *channel = mem_zalloc(sizeof(*channel));
    *channel_out = NULL;
    if (channel == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    channel->fd = fd;
    channel->conn = tls_conn_new_client(arg, host);
    enum yore_status status = channel->conn != NULL ? agree(channel, timeout_ns, error_out)
                                                    : error_plain(error_out, YORE_NOMEM);
    if (status != YORE_OK) {
        channel_close(channel);
        return status;
    }
    *channel_out = channel;
    return YORE_OK;
}

struct yore_client_wire tls_wire(struct net_tls *tls)
{
    return (struct yore_client_wire){.arg = tls,
                                     .open = channel_open,
                                     .read = channel_read,
                                     .write = channel_write,
                                     .close = channel_close};
}
