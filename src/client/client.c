#include <yore/client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "client/reply_reader.h"
#include "client/url.h"
#include "os/env.h"
#include "os/socket.h"

struct yore_client {
    int fd;
    int64_t timeout_ns;
    struct buffer in;
    size_t begin; /* octets of `in` that were given back */
    size_t done;  /* octets behind them that the last reply takes */
    struct buffer out;
    struct reply_reader reader;
    struct yore_client_reply reply;
    uint64_t rows_left; /* items of an array that is told one at a time */
    bool is_broken;     /* what comes next on the connection is not known */
    bool is_ended;      /* by the other side, or by the network */
    struct yore_client_wire wire;
    void *channel; /* of the wire; NULL: the octets go as they are */
    bool (*should_stop)(void *arg);
    void *stop_arg;
};

/* ---- octets -----------------------------------------------------------------------------------
 */

static enum yore_status read_octets(struct yore_client *client, void *data, size_t size,
                                    int64_t timeout_ns, size_t *read_out,
                                    struct yore_error *error_out)
{
    return client->channel != NULL
               ? client->wire.read(client->channel, data, size, timeout_ns, read_out, error_out)
               : os_socket_read(client->fd, data, size, timeout_ns, read_out, error_out);
}

static enum yore_status write_octets(struct yore_client *client, const void *data, size_t size,
                                     struct yore_error *error_out)
{
    return client->channel != NULL
               ? client->wire.write(client->channel, data, size, client->timeout_ns, error_out)
               : os_socket_write(client->fd, data, size, client->timeout_ns, error_out);
}

/* Wait in slices where somebody may want to stop. */
static enum yore_status read_patiently(struct yore_client *client, int64_t timeout_ns,
                                       struct yore_error *error_out)
{
    size_t size = 0;
    enum yore_status status = YORE_NOT_FOUND;
    for (int64_t left = timeout_ns; status == YORE_NOT_FOUND;) {
        int64_t slice =
            client->should_stop != NULL && left > CLIENT_SLICE_NS ? CLIENT_SLICE_NS : left;
        status = read_octets(client, client->in.data + client->in.size,
                             client->in.capacity - client->in.size, slice, &size, error_out);
        left -= left == YORE_FOREVER ? 0 : slice;
        if (status == YORE_NOT_FOUND && client->should_stop != NULL &&
            client->should_stop(client->stop_arg)) {
            client->is_broken = true; /* its answer is still to come */
            return error_plain(error_out, YORE_CANCELLED);
        }
        if (left <= 0) {
            break;
        }
    }
    client->in.size += size;
    client->is_ended = status == YORE_IO;
    return status;
}

static enum yore_status read_more(struct yore_client *client, int64_t timeout_ns,
                                  struct yore_error *error_out)
{
    if (client->begin > 0) {
        memmove(client->in.data, client->in.data + client->begin, client->in.size - client->begin);
        client->in.size -= client->begin;
        client->begin = 0;
    }
    if (client->in.size > CLIENT_REPLY_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the server's reply is larger than 1 GiB");
    }
    if (!buffer_reserve(&client->in, CLIENT_READ_BYTES)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return read_patiently(client, timeout_ns, error_out);
}

/* ---- sending and receiving --------------------------------------------------------------------
 */

static void append_word(struct buffer *out, struct yore_bytes word)
{
    char head[32];
    snprintf(head, sizeof(head), "$%zu\r\n", word.size);
    buffer_append(out, head, strlen(head));
    buffer_append_bytes(out, word);
    buffer_append(out, "\r\n", 2);
}

/* After a failure that leaves the connection in an unknown place. */
static enum yore_status broken(struct yore_client *client, enum yore_status status)
{
    client->is_broken = true;
    return status;
}

enum yore_status yore_client_send(struct yore_client *client, const struct yore_bytes *words,
                                  size_t count, struct yore_error *error_out)
{
    if (client == NULL || (words == NULL && count > 0)) {
        return error_null(error_out, __func__, "client, words");
    }
    if (count == 0) {
        return error_set(error_out, YORE_INVALID, "a command has at least one word");
    }
    char head[32];
    snprintf(head, sizeof(head), "*%zu\r\n", count);
    buffer_clear(&client->out);
    buffer_append(&client->out, head, strlen(head));
    for (size_t i = 0; i < count; i++) {
        append_word(&client->out, words[i]);
    }
    if (client->out.is_nomem) {
        buffer_release(&client->out);
        return error_plain(error_out, YORE_NOMEM);
    }
    enum yore_status status = write_octets(client, client->out.data, client->out.size, error_out);
    return status == YORE_OK ? status : broken(client, status);
}

static struct yore_bytes received(const struct yore_client *client)
{
    return bytes_behind(buffer_bytes(&client->in), client->begin);
}

enum yore_status yore_client_receive(struct yore_client *client, int64_t timeout_ns,
                                     const struct yore_client_reply **reply_out,
                                     struct yore_error *error_out)
{
    if (client == NULL || reply_out == NULL) {
        return error_null(error_out, __func__, "client, reply_out");
    }
    *reply_out = NULL;
    client->begin += client->done;
    client->done = 0;
    for (;;) {
        switch (reply_read(&client->reader, received(client), &client->done)) {
        case REPLY_WHOLE:
            client->reply = (struct yore_client_reply){client->reader.values, client->reader.count};
            *reply_out = &client->reply;
            return YORE_OK;
        case REPLY_NOMEM:
            return broken(client, error_plain(error_out, YORE_NOMEM));
        case REPLY_BAD:
            return broken(client, error_set(error_out, YORE_BAD_FORMAT, "the server sent %s",
                                            client->reader.problem));
        default:
            break;
        }
        enum yore_status status = read_more(client, timeout_ns, error_out);
        if (status != YORE_OK) {
            return status == YORE_NOT_FOUND ? status : broken(client, status);
        }
    }
}

/* The reply to what was sent; pushes before it are dropped. */
static enum yore_status await(struct yore_client *client,
                              const struct yore_client_reply **reply_out,
                              struct yore_error *error_out)
{
    for (;;) {
        enum yore_status status =
            yore_client_receive(client, client->timeout_ns, reply_out, error_out);
        if (status == YORE_NOT_FOUND) {
            return broken(client,
                          error_set(error_out, YORE_IO, "the server did not answer in time"));
        }
        if (status != YORE_OK || (*reply_out)->values[0].kind != YORE_CLIENT_PUSH) {
            return status;
        }
    }
}

enum yore_status yore_client_call(struct yore_client *client, const struct yore_bytes *words,
                                  size_t count, const struct yore_client_reply **reply_out,
                                  struct yore_error *error_out)
{
    if (client == NULL || (words == NULL && count > 0) || reply_out == NULL) {
        return error_null(error_out, __func__, "client, words, reply_out");
    }
    *reply_out = NULL;
    enum yore_status status = yore_client_send(client, words, count, error_out);
    return status == YORE_OK ? await(client, reply_out, error_out) : status;
}

/* ---- arrays, an item at a time ---- */

/* Wait until something of the next reply is there: its first octet. */
static enum yore_status first_octet(struct yore_client *client, char *octet_out,
                                    struct yore_error *error_out)
{
    client->begin += client->done;
    client->done = 0;
    while (received(client).size == 0) {
        enum yore_status status = read_more(client, client->timeout_ns, error_out);
        if (status == YORE_NOT_FOUND) {
            status = error_set(error_out, YORE_IO, "the server did not answer in time");
        }
        if (status != YORE_OK) {
            return broken(client, status);
        }
    }
    *octet_out = *(const char *)received(client).data;
    return YORE_OK;
}

/* "*<count>\r\n" */
static enum yore_status take_array_head(struct yore_client *client, struct yore_error *error_out)
{
    const char *end;
    while (end = memchr(received(client).data, '\n', received(client).size), end == NULL) {
        enum yore_status status =
            received(client).size > CLIENT_LINE_BYTES_MAX
                ? error_set(error_out, YORE_BAD_FORMAT, "the server sent a line without end")
                : read_more(client, client->timeout_ns, error_out);
        if (status != YORE_OK) {
            return broken(client, status == YORE_NOT_FOUND ? YORE_IO : status);
        }
    }
    const char *at = received(client).data;
    uint64_t count = 0;
    bool is_good = end - at >= 3 && end[-1] == '\r';
    for (const char *digit = at + 1; is_good && digit < end - 1; digit++) {
        is_good = *digit >= '0' && *digit <= '9' && count <= UINT64_MAX / 10 - 10;
        count = count * 10 + (uint64_t)(*digit - '0');
    }
    if (!is_good) {
        return broken(client, error_set(error_out, YORE_BAD_FORMAT,
                                        "the server sent a reply with a wrong count"));
    }
    client->begin += (size_t)(end - at) + 1;
    client->rows_left = count;
    return YORE_OK;
}

enum yore_status yore_client_rows(struct yore_client *client, const struct yore_bytes *words,
                                  size_t count, const struct yore_client_reply **reply_out,
                                  struct yore_error *error_out)
{
    if (client == NULL || (words == NULL && count > 0) || reply_out == NULL) {
        return error_null(error_out, __func__, "client, words, reply_out");
    }
    char octet = '\0';
    *reply_out = NULL;
    client->rows_left = 0;
    enum yore_status status = yore_client_send(client, words, count, error_out);
    while (status == YORE_OK) {
        status = first_octet(client, &octet, error_out);
        if (status != YORE_OK || octet == '*') {
            break;
        }
        status = yore_client_receive(client, client->timeout_ns, reply_out, error_out);
        if (status == YORE_OK && (*reply_out)->values[0].kind != YORE_CLIENT_PUSH) {
            return YORE_OK;
        }
        *reply_out = NULL;
    }
    return status == YORE_OK ? take_array_head(client, error_out) : status;
}

enum yore_status yore_client_next_row(struct yore_client *client,
                                      const struct yore_client_reply **reply_out,
                                      struct yore_error *error_out)
{
    if (client == NULL || reply_out == NULL) {
        return error_null(error_out, __func__, "client, reply_out");
    }
    *reply_out = NULL;
    if (client->rows_left == 0) {
        return YORE_NOT_FOUND;
    }
    enum yore_status status = yore_client_receive(client, client->timeout_ns, reply_out, error_out);
    if (status == YORE_NOT_FOUND) {
        status = broken(client, error_set(error_out, YORE_IO, "the server did not go on in time"));
    }
    client->rows_left -= status == YORE_OK ? 1 : 0;
    return status;
}

bool yore_client_is_usable(struct yore_client *client)
{
    if (client == NULL) {
        return false;
    }
    bool is_between = client->rows_left == 0 && client->begin + client->done == client->in.size;
    return !client->is_broken && is_between && os_socket_is_quiet(client->fd);
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

/* HELLO 3, with the login; then SELECT. */
static enum yore_status greet(struct yore_client *client, const struct client_place *place,
                              struct yore_error *error_out)
{
    const char *user = *place->user != '\0' ? place->user : "default";
    struct yore_bytes words[] = {text_of("HELLO"), text_of("3"), text_of("AUTH"), text_of(user),
                                 text_of(place->password)};
    const struct yore_client_reply *reply = NULL;
    size_t count = *place->user != '\0' || *place->password != '\0' ? 5 : 2;
    enum yore_status status = yore_client_call(client, words, count, &reply, error_out);
    if (client->is_ended && client->in.size == 0 && !place->is_secure && !place->is_unix) {
        return error_set(error_out, YORE_IO,
                         "the server has closed the connection without a word: if its port is for "
                         "TLS, say yores://");
    }
    if (status == YORE_OK && reply->values[0].kind == YORE_CLIENT_ERROR) {
        struct yore_bytes text = reply->values[0].bytes;
        return error_set(error_out, YORE_READ_ONLY, "the server refused: %.*s",
                         (int)(text.size < 300 ? text.size : 300), (const char *)text.data);
    }
    if (status != YORE_OK || place->database == 0) {
        return status;
    }
    char number[16];
    snprintf(number, sizeof(number), "%u", place->database);
    struct yore_bytes select[] = {text_of("SELECT"), text_of(number)};
    status = yore_client_call(client, select, 2, &reply, error_out);
    if (status == YORE_OK && reply->values[0].kind == YORE_CLIENT_ERROR) {
        return error_set(error_out, YORE_INVALID, "the server has no database %u", place->database);
    }
    return status;
}

static bool take_text(const char *text, char *to, size_t room)
{
    if (text == NULL) {
        return true;
    }
    bool fits = strlen(text) < room;
    snprintf(to, room, "%s", text);
    return fits;
}

/* Where the server is and who asks: the URL's, unless the options say otherwise. */
static enum yore_status find_place(const char *url, const struct yore_client_options *options,
                                   struct client_place *place, struct yore_error *error_out)
{
    enum yore_status status = client_url_parse(url, place, error_out);
    if (status != YORE_OK || options == NULL) {
        return status;
    }
    if (!take_text(options->user, place->user, sizeof(place->user)) ||
        !take_text(options->password, place->password, sizeof(place->password))) {
        return error_set(error_out, YORE_INVALID, "user or password are too long");
    }
    return YORE_OK;
}

static enum yore_status connect_to(struct yore_client *client, const struct client_place *place,
                                   struct yore_error *error_out)
{
    int64_t timeout_ns =
        client->timeout_ns < CLIENT_TIMEOUT_NS ? client->timeout_ns : CLIENT_TIMEOUT_NS;
    enum yore_status status =
        place->is_unix
            ? os_connect_unix(place->host, timeout_ns, &client->fd, error_out)
            : os_connect_tcp(place->host, place->port, timeout_ns, &client->fd, error_out);
    if (status == YORE_OK && place->is_secure) {
        status = client->wire.open(client->wire.arg, client->fd, place->host, timeout_ns,
                                   &client->channel, error_out);
    }
    return status == YORE_OK ? greet(client, place, error_out) : status;
}

enum yore_status yore_client_open(const char *url, const struct yore_client_options *options,
                                  struct yore_client **client_out, struct yore_error *error_out)
{
    if (url == NULL || client_out == NULL) {
        return error_null(error_out, __func__, "url, client_out");
    }
    *client_out = NULL;
    struct client_place place;
    enum yore_status status = find_place(url, options, &place, error_out);
    if (status != YORE_OK) {
        return status;
    }
    const struct yore_client_wire *wire = options != NULL ? options->wire : NULL;
    if (place.is_secure && wire == NULL) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "this library speaks no TLS by itself: give it a wire that does "
                         "(struct yore_client_wire), or use a Unix socket or a tunnel");
    }
    struct yore_client *client = mem_zalloc(sizeof(*client));
    if (client == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    client->fd = -1;
    client->timeout_ns = CLIENT_TIMEOUT_NS;
    if (options != NULL) {
        client->timeout_ns = options->timeout_ns > 0 ? options->timeout_ns : client->timeout_ns;
        client->should_stop = options->should_stop;
        client->stop_arg = options->stop_arg;
        client->wire = wire != NULL ? *wire : client->wire;
    }
    status = connect_to(client, &place, error_out);
    if (status != YORE_OK) {
        yore_client_close(client);
        return status;
    }
    *client_out = client;
    return YORE_OK;
}

void yore_client_close(struct yore_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->channel != NULL) {
        client->wire.close(client->channel);
    }
    os_socket_close(client->fd);
    reply_reader_release(&client->reader);
    buffer_release(&client->in);
    buffer_release(&client->out);
    mem_free(client);
}
