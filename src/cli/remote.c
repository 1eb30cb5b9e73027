/* Connections, words of commands, and what replies mean. */
#include "cli/remote.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "cli/remote_internal.h"
#include "cli/tls_wire.h"
#include "net/tls.h"
#include "os/term.h"

static const char NO_LOGIN[] = "NOAUTH";

static enum yore_status ask_for_login(struct yore_error *error_out)
{
    return error_set(error_out, YORE_READ_ONLY,
                     "the server wants a login: name the user in the URL, and give the password in "
                     "YORE_PASSWORD or with --password-file");
}

/* ---- connections ---- */

static bool was_interrupted(void *arg)
{
    (void)arg;
    return os_interrupt_take();
}

static enum yore_status connect_one(struct remote *remote, struct yore_client **client_out,
                                    struct yore_error *error_out)
{
    struct yore_client_wire wire = {.arg = NULL};
    struct yore_client_options options = {
        .password = remote->password, .timeout_ns = YORE_FOREVER, .should_stop = was_interrupted};
    if (remote->tls != NULL) {
        wire = tls_wire(remote->tls);
        options.wire = &wire;
    }
    enum yore_status st = yore_client_open(remote->url, &options, client_out, error_out);
    bool has_tried = remote->has_password && strstr(error_out->text, NO_LOGIN) == NULL;
    return st == YORE_READ_ONLY && !has_tried ? ask_for_login(error_out) : st;
}

enum yore_status remote_open(const struct remote_options *options, struct remote **remote_out,
                             struct yore_error *error_out)
{
    struct client_place place;
    *remote_out = NULL;
    enum yore_status st = client_url_parse(options->url, &place, error_out);
    if (st != YORE_OK) {
        return st;
    }
    if (place.database != 0) {
        return error_set(error_out, YORE_INVALID,
                         "databases have names here: leave /%u out of the URL and say "
                         "--keyspace db%u",
                         place.database, place.database);
    }
    struct remote *remote = mem_zalloc(sizeof(*remote));
    if (remote == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    const char *password = *place.password != '\0' ? NULL : options->password;
    remote->url = mem_copy(options->url, strlen(options->url) + 1);
    remote->password = password != NULL ? mem_copy(password, strlen(password) + 1) : NULL;
    remote->has_password = *place.password != '\0' || (password != NULL && *password != '\0');
    if (remote->url == NULL || (password != NULL && remote->password == NULL)) {
        st = error_plain(error_out, YORE_NOMEM);
    }
    if (st == YORE_OK && place.is_secure) {
        const struct tls_files files = {
            .cert = options->cert, .key = options->cert_key, .ca = options->ca};
        st = net_tls_new_client(&files, &remote->tls, error_out);
    }
    if (st == YORE_OK) {
        st = connect_one(remote, &remote->idle[0], error_out);
        remote->idle_count = st == YORE_OK ? 1 : 0;
    }
    if (st != YORE_OK) {
        remote_close(remote);
        return st;
    }
    *remote_out = remote;
    return YORE_OK;
}

void remote_close(struct remote *remote)
{
    if (remote == NULL) {
        return;
    }
    for (size_t i = 0; i < remote->idle_count; i++) {
        yore_client_close(remote->idle[i]);
    }
    yore_client_close(remote->last);
    net_tls_free(remote->tls);
    mem_free(remote->url);
    mem_free(remote->password);
    mem_free(remote);
}

void remote_give_back(struct remote *remote, struct yore_client *client)
{
    if (client != NULL && remote->idle_count < REMOTE_IDLE_MAX && yore_client_is_usable(client)) {
        remote->idle[remote->idle_count++] = client;
    } else {
        yore_client_close(client);
    }
}

/* A connection that works: one that is kept, or a new one. */
static enum yore_status take_client(struct remote *remote, struct yore_client **client_out,
                                    struct yore_error *error_out)
{
    while (remote->idle_count > 0) {
        struct yore_client *client = remote->idle[--remote->idle_count];
        if (yore_client_is_usable(client)) {
            *client_out = client;
            return YORE_OK;
        }
        yore_client_close(client);
    }
    return connect_one(remote, client_out, error_out);
}

/* ---- words ---- */

static struct yore_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

void remote_word(struct remote_words *words, const char *text)
{
    words->items[words->count++] = text_of(text);
}

void remote_bytes(struct remote_words *words, const char *name, struct yore_bytes bytes)
{
    remote_word(words, name);
    words->items[words->count++] = bytes;
}

void remote_number(struct remote_words *words, const char *name, uint64_t number)
{
    char *text = words->texts[words->text_count++];
    snprintf(text, sizeof(words->texts[0]), "%" PRIu64, number > INT64_MAX ? INT64_MAX : number);
    remote_bytes(words, name, text_of(text));
}

void remote_moment_text(int64_t moment, char text[REMOTE_MOMENT_BYTES])
{
    if (moment == YORE_NOW) {
        snprintf(text, REMOTE_MOMENT_BYTES, "now");
    } else {
        snprintf(text, REMOTE_MOMENT_BYTES, "@%" PRId64 "ns", moment);
    }
}

void remote_moment(struct remote_words *words, const char *name, int64_t moment)
{
    char *text = words->texts[words->text_count++];
    remote_moment_text(moment, text);
    if (name != NULL) {
        remote_word(words, name);
    }
    remote_word(words, text);
}

void remote_at(struct remote_words *words, const struct yore_time *at)
{
    if (at != NULL && at->valid != YORE_NOW) {
        remote_moment(words, "AT", at->valid);
    }
    if (at != NULL && at->known != YORE_NOW) {
        remote_moment(words, "KNOWN", at->known);
    }
}

/* ---- what replies mean ---- */

static enum yore_status refused(struct yore_bytes error, struct yore_error *error_out)
{
    static const struct {
        const char *code;
        enum yore_status status;
    } codes[] = {{"NOTFOUND", YORE_NOT_FOUND},
                 {"ERASED", YORE_ERASED},
                 {"TOOBIG", YORE_TOO_BIG},
                 {"OOM", YORE_NOMEM},
                 {"IOERR", YORE_IO},
                 {"NOSPACE", YORE_NO_SPACE},
                 {"CORRUPT", YORE_CORRUPT},
                 {"BADFORMAT", YORE_BAD_FORMAT},
                 {"LOCKED", YORE_LOCKED},
                 {"EXISTS", YORE_EXISTS},
                 {"CONFLICT", YORE_CONFLICT},
                 {"HORIZON", YORE_BEFORE_HORIZON},
                 {"FUTURE", YORE_IN_FUTURE},
                 {"READONLY", YORE_READ_ONLY},
                 {"NOPERM", YORE_READ_ONLY},
                 {"NOAUTH", YORE_READ_ONLY},
                 {"BUSY", YORE_BUSY},
                 {"CANCELLED", YORE_CANCELLED},
                 {"UNSUPPORTED", YORE_UNSUPPORTED},
                 {"NOFILES", YORE_NO_FILES}};
    const char *text = error.data;
    const char *blank = error.size > 0 ? memchr(text, ' ', error.size) : NULL;
    size_t size = blank != NULL ? (size_t)(blank - text) : error.size;
    struct yore_bytes rest = bytes_behind(error, blank != NULL ? size + 1 : error.size);
    if (bytes_equal(bytes_of(text, size), text_of(NO_LOGIN))) {
        return ask_for_login(error_out);
    }
    if (bytes_starts_with(rest, text_of("unknown command"))) {
        return error_set(error_out, YORE_UNSUPPORTED,
                         "the server is none of Yore, or an older one: %.*s",
                         (int)(rest.size < 200 ? rest.size : 200), (const char *)rest.data);
    }
    enum yore_status st = YORE_INVALID;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        st = bytes_equal(bytes_of(text, size), text_of(codes[i].code)) ? codes[i].status : st;
    }
    return error_set(error_out, st, "%.*s", (int)(rest.size < 800 ? rest.size : 800),
                     (const char *)rest.data);
}

enum yore_status remote_strange(struct yore_error *error_out)
{
    return error_set(error_out, YORE_BAD_FORMAT,
                     "the server answered something else than was asked: is it of this version?");
}

enum yore_status remote_run(struct remote *remote, const struct yore_bytes *words, size_t count,
                            const struct yore_client_reply **reply_out,
                            struct yore_error *error_out)
{
    struct yore_client *client = NULL;
    if (remote->last != NULL) { /* its last reply is read no more */
        remote_give_back(remote, remote->last);
        remote->last = NULL;
    }
    enum yore_status st = take_client(remote, &client, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = yore_client_call(client, words, count, reply_out, error_out);
    remote->last = client;
    if (st == YORE_OK && (*reply_out)->values[0].kind == YORE_CLIENT_ERROR) {
        st = refused((*reply_out)->values[0].bytes, error_out);
    }
    return st;
}

enum yore_status remote_call(struct remote *remote, const struct remote_words *words,
                             const struct yore_client_reply **reply_out,
                             struct yore_error *error_out)
{
    return remote_run(remote, words->items, words->count, reply_out, error_out);
}

enum yore_status remote_rows(struct remote *remote, const struct remote_words *words,
                             struct yore_client **client_out, struct yore_error *error_out)
{
    struct yore_client *client = NULL;
    const struct yore_client_reply *reply = NULL;
    *client_out = NULL;
    enum yore_status st = take_client(remote, &client, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = yore_client_rows(client, words->items, words->count, &reply, error_out);
    if (st == YORE_OK && reply != NULL) {
        st = reply->values[0].kind == YORE_CLIENT_ERROR ? refused(reply->values[0].bytes, error_out)
                                                        : remote_strange(error_out);
    }
    if (st != YORE_OK) {
        remote_give_back(remote, client);
        return st;
    }
    *client_out = client;
    return YORE_OK;
}

/* ---- reading values ---- */

bool remote_take_moment(const struct yore_client_value *value, int64_t otherwise,
                        int64_t *moment_out)
{
    struct yore_error error;
    if (value->kind == YORE_CLIENT_NULL) {
        *moment_out = otherwise;
        return true;
    }
    return value->kind == YORE_CLIENT_STRING &&
           moment_parse(value->bytes, 0, moment_out, &error) == YORE_OK;
}

bool remote_is_text(const struct yore_client_value *value, const char *text)
{
    return value->kind == YORE_CLIENT_STRING && bytes_equal(value->bytes, text_of(text));
}

const struct yore_client_value *remote_member(const struct yore_client_reply *reply, size_t map,
                                              const char *name)
{
    const struct yore_client_value *values = reply->values;
    if (values[map].kind != YORE_CLIENT_MAP) {
        return NULL;
    }
    for (size_t i = map + 1; i < values[map].next; i = values[values[i].next].next) {
        if (remote_is_text(&values[i], name)) {
            return &values[values[i].next];
        }
    }
    return NULL;
}
