#include <yore/client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "client/reply_reader.h"
#include "os/env.h"
#include "os/socket.h"

struct yore_client {
    int fd;
    int64_t timeout_ns;
    struct buffer in;
    size_t done; /* octets of `in` that the last reply took */
    struct buffer out;
    struct reply_reader reader;
    struct yore_client_reply reply;
};

/* ---- the URL ----------------------------------------------------------------------------------
 */

struct place {
    bool is_unix;
    char host[256]; /* or the path of the socket */
    uint16_t port;
    char user[256];
    char password[512];
    unsigned database;
};

static enum yore_status refuse_url(const char *url, const char *problem,
                                   struct yore_error *error_out)
{
    /* The URL is not shown: it may hold a password. */
    (void)url;
    return error_set(
        error_out, YORE_INVALID,
        "the URL of the server %s; write redis://[user[:password]@]host[:port][/db] or "
        "unix:///path",
        problem);
}

static bool copy_part(char *to, size_t room, const char *from, size_t size)
{
    if (size >= room) {
        return false;
    }
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

static bool parse_small(const char *text, size_t size, unsigned max, unsigned *number_out)
{
    unsigned number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || number > max) {
            return false;
        }
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    *number_out = number;
    return size > 0 && number <= max;
}

static bool parse_login(struct place *place, const char *text, size_t size)
{
    const char *colon = memchr(text, ':', size);
    size_t user_size = colon != NULL ? (size_t)(colon - text) : size;
    return copy_part(place->user, sizeof(place->user), text, user_size) &&
           (colon == NULL ||
            copy_part(place->password, sizeof(place->password), colon + 1, size - user_size - 1));
}

static bool parse_host(struct place *place, const char *text, size_t size)
{
    size_t skip = size > 0 && text[0] == '[' ? 1 : 0; /* IPv6 stands in brackets */
    const char *end = memchr(text + skip, skip > 0 ? ']' : ':', size - skip);
    if (end == NULL && skip > 0) {
        return false;
    }
    size_t host_size = end != NULL ? (size_t)(end - text) - skip : size;
    const char *behind = text + skip + host_size + skip;
    size_t rest = size - (size_t)(behind - text);
    unsigned port = 6379;
    if (rest > 0 && (*behind != ':' || !parse_small(behind + 1, rest - 1, 65535, &port))) {
        return false;
    }
    place->port = (uint16_t)port;
    return host_size > 0 && copy_part(place->host, sizeof(place->host), text + skip, host_size);
}

static enum yore_status parse_url(const char *url, struct place *place,
                                  struct yore_error *error_out)
{
    *place = (struct place){.port = 6379};
    if (strncmp(url, "unix://", 7) == 0) {
        place->is_unix = true;
        const char *mark = strstr(url, "?db=");
        size_t size = mark != NULL ? (size_t)(mark - url) - 7 : strlen(url) - 7;
        bool is_good =
            size > 0 && copy_part(place->host, sizeof(place->host), url + 7, size) &&
            (mark == NULL || parse_small(mark + 4, strlen(mark + 4), 65535, &place->database));
        return is_good ? YORE_OK : refuse_url(url, "names no socket", error_out);
    }
    if (strncmp(url, "rediss://", 9) == 0) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "this library speaks no TLS; use a Unix socket, or a tunnel");
    }
    if (strncmp(url, "redis://", 8) != 0) {
        return refuse_url(url, "does not begin with redis:// or unix://", error_out);
    }
    const char *at = url + 8;
    const char *slash = strchr(at, '/');
    size_t size = slash != NULL ? (size_t)(slash - at) : strlen(at);
    const char *mark = NULL;
    for (size_t i = 0; i < size; i++) { /* a password may hold an @: the last one counts */
        mark = at[i] == '@' ? at + i : mark;
    }
    if (mark != NULL) {
        if (!parse_login(place, at, (size_t)(mark - at))) {
            return refuse_url(url, "has a user or a password that is too long", error_out);
        }
        size -= (size_t)(mark - at) + 1;
        at = mark + 1;
    }
    if (!parse_host(place, at, size)) {
        return refuse_url(url, "names no host and port", error_out);
    }
    if (slash != NULL && slash[1] != '\0' &&
        !parse_small(slash + 1, strlen(slash + 1), 65535, &place->database)) {
        return refuse_url(url, "ends in something that is no number of a database", error_out);
    }
    return YORE_OK;
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

enum yore_status yore_client_send(struct yore_client *client, const struct yore_bytes *words,
                                  size_t count, struct yore_error *error_out)
{
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
    return os_socket_write(client->fd, client->out.data, client->out.size, client->timeout_ns,
                           error_out);
}

static enum yore_status read_more(struct yore_client *client, int64_t timeout_ns,
                                  struct yore_error *error_out)
{
    if (client->in.size > CLIENT_REPLY_BYTES_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "the server's reply is larger than 1 GiB");
    }
    if (!buffer_reserve(&client->in, CLIENT_READ_BYTES)) {
        return error_plain(error_out, YORE_NOMEM);
    }
    size_t size = 0;
    enum yore_status status =
        os_socket_read(client->fd, client->in.data + client->in.size,
                       client->in.capacity - client->in.size, timeout_ns, &size, error_out);
    client->in.size += size;
    return status;
}

enum yore_status yore_client_receive(struct yore_client *client, int64_t timeout_ns,
                                     const struct yore_client_reply **reply_out,
                                     struct yore_error *error_out)
{
    *reply_out = NULL;
    if (client->done > 0) {
        memmove(client->in.data, client->in.data + client->done, client->in.size - client->done);
        client->in.size -= client->done;
        client->done = 0;
    }
    for (;;) {
        switch (reply_read(&client->reader, buffer_bytes(&client->in), &client->done)) {
        case REPLY_WHOLE:
            client->reply = (struct yore_client_reply){client->reader.values, client->reader.count};
            *reply_out = &client->reply;
            return YORE_OK;
        case REPLY_NOMEM:
            return error_plain(error_out, YORE_NOMEM);
        case REPLY_BAD:
            return error_set(error_out, YORE_BAD_FORMAT, "the server sent %s",
                             client->reader.problem);
        default:
            break;
        }
        enum yore_status status = read_more(client, timeout_ns, error_out);
        if (status != YORE_OK) {
            return status;
        }
    }
}

enum yore_status yore_client_call(struct yore_client *client, const struct yore_bytes *words,
                                  size_t count, const struct yore_client_reply **reply_out,
                                  struct yore_error *error_out)
{
    *reply_out = NULL;
    enum yore_status status = yore_client_send(client, words, count, error_out);
    while (status == YORE_OK) {
        status = yore_client_receive(client, client->timeout_ns, reply_out, error_out);
        if (status == YORE_NOT_FOUND) {
            return error_set(error_out, YORE_IO, "the server did not answer in time");
        }
        if (status == YORE_OK && (*reply_out)->values[0].kind != YORE_CLIENT_PUSH) {
            break;
        }
    }
    return status;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

/* HELLO 3, with the login; then SELECT. */
static enum yore_status greet(struct yore_client *client, const struct place *place,
                              struct yore_error *error_out)
{
    const char *user = *place->user != '\0' ? place->user : "default";
    struct yore_bytes words[] = {text_of("HELLO"), text_of("3"), text_of("AUTH"), text_of(user),
                                 text_of(place->password)};
    const struct yore_client_reply *reply = NULL;
    size_t count = *place->password != '\0' ? 5 : 2;
    enum yore_status status = yore_client_call(client, words, count, &reply, error_out);
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

enum yore_status yore_client_open(const char *url, const struct yore_client_options *options,
                                  struct yore_client **client_out, struct yore_error *error_out)
{
    *client_out = NULL;
    struct place place;
    enum yore_status status = parse_url(url, &place, error_out);
    if (status != YORE_OK) {
        return status;
    }
    const char *user = options != NULL ? options->user : NULL;
    const char *password = options != NULL ? options->password : NULL;
    bool fits = (user == NULL || copy_part(place.user, sizeof(place.user), user, strlen(user))) &&
                (password == NULL ||
                 copy_part(place.password, sizeof(place.password), password, strlen(password)));
    if (!fits) {
        return error_set(error_out, YORE_INVALID, "user or password are too long");
    }
    struct yore_client *client = mem_zalloc(sizeof(*client));
    if (client == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    client->fd = -1;
    client->timeout_ns =
        options != NULL && options->timeout_ns > 0 ? options->timeout_ns : CLIENT_TIMEOUT_NS;
    status = place.is_unix ? os_connect_unix(place.host, client->timeout_ns, &client->fd, error_out)
                           : os_connect_tcp(place.host, place.port, client->timeout_ns, &client->fd,
                                            error_out);
    if (status == YORE_OK) {
        status = greet(client, &place, error_out);
    }
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
    os_socket_close(client->fd);
    reply_reader_release(&client->reader);
    buffer_release(&client->in);
    buffer_release(&client->out);
    mem_free(client);
}
